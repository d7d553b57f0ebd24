// The file of what is known, in memory and on disk: accounts, and which records the keychain must
// hold. Several processes may share the file: each says its changes to what it finds there, one
// process at a time. Several issuers and client ids may share it, too: each sees and changes its
// own part. A file of a later version is read by nobody and never overwritten; neither is one that
// cannot be read.
import type { StateFileContent, Lock, Log, StateStore } from '../base/ports.js';
import { NO_ACCOUNTS, parseStateFileContent } from './records.js';
import { type Owner, knowsOthers, ownPart, withOwnPart } from './ownership.js';
import { exclusive } from './record-lock.js';

export interface StoredState {
  /** Call before anything else, and again until `isRead`. Never rejects. */
  load(): Promise<void>;
  /** Resolves when `load` has been tried; until then nothing is known. */
  loaded(): Promise<void>;
  /**
   * False: the file may know somebody, but could not be read yet. What is known comes from this
   * process alone.
   */
  isRead(): boolean;
  /** Resolves as soon as `isRead` is true. */
  read(): Promise<void>;
  /** The part of this issuer and client id. */
  current(): StateFileContent;
  /** Everybody's, to be cleaned up after and for nothing else. */
  everybody(): StateFileContent;
  /**
   * Whether somebody with another issuer or client id was signed in here, or is taking a session
   * over.
   */
  knowsOthers(): boolean;
  /**
   * Reads the file anew: other processes may have written it. What it has not taken yet from this
   * one is kept.
   */
  refresh(): Promise<void>;
  /**
   * Changes this owner's part now. Resolves with true when the file has this change and all earlier
   * ones, with false when it could not take them (which the log says; they are tried again with the
   * next). `change` may be called again, on what others wrote.
   */
  update(change: Change): Promise<boolean>;
  /** The same for everybody's part. */
  updateEverybody(change: Change): Promise<boolean>;
}

type Change = (storedState: StateFileContent) => StateFileContent;

/** `onAccounts` is called whenever the list of accounts is another one. */
export function createStoredState(
  file: StateStore,
  lock: Lock,
  owner: Owner,
  log: Log,
  onAccounts = (): void => undefined,
): StoredState {
  let storedState: StateFileContent = NO_ACCOUNTS;
  let own: StateFileContent = NO_ACCOUNTS;
  /** What the file has not taken yet, oldest first. */
  let unsaved: readonly Change[] = [];
  let writable = true;
  let saving: Promise<boolean> = Promise.resolve(true);
  let finishLoading = (): void => undefined;
  const loading = new Promise<void>((resolve) => {
    finishLoading = resolve;
  });
  let isRead = false;
  let finishReading = (): void => undefined;
  const reading = new Promise<void>((resolve) => {
    finishReading = resolve;
  });
  let isTold = false;

  return {
    loaded: () => loading,
    isRead: () => isRead,
    read: () => reading,
    async load() {
      const found = await look();
      if (found !== null) {
        learn(apply(unsaved, accept(found.content) ?? NO_ACCOUNTS));
        noteRead();
        if (file.isWhole?.() === false || unsaved.length > 0) saving = saving.then(save);
      }
      finishLoading();
    },
    current: () => own,
    everybody: () => storedState,
    knowsOthers: () => knowsOthers(owner, storedState),
    async refresh() {
      await saving;
      const content = (await look())?.content ?? null;
      const found = content === null ? null : accept(content);
      if (found !== null) learn(apply(unsaved, found));
    },
    update: (change) => update((state) => withOwnPart(owner, state, change)),
    updateEverybody: update,
  };

  function update(change: Change): Promise<boolean> {
    const next = change(storedState);
    if (next === storedState && unsaved.length === 0) return saving;
    unsaved = [...unsaved, change];
    const saved = saving.then(save);
    saving = saved;
    learn(next);
    return saved;
  }

  function learn(next: StateFileContent): void {
    const before = own;
    storedState = next;
    const part = ownPart(owner, next);
    // The same list until it changes: callers compare it.
    own = isSameList(part.accounts, before.accounts)
      ? { ...part, accounts: before.accounts }
      : part;
    if (own.accounts !== before.accounts) onAccounts();
  }

  async function save(): Promise<boolean> {
    if (!writable) return false;
    if (unsaved.length === 0 && file.isWhole?.() !== false) return true;
    const name = `state:${file.name ?? owner.clientId}`;
    return exclusive(lock, name, { ifBusy: 'go-ahead' }, merge);
  }

  /**
   * To write what is in memory would undo what another process has written since: a session that
   * nobody knows of is lost.
   */
  async function merge(): Promise<boolean> {
    const changes = unsaved;
    const looked = await look();
    if (looked === null) return false;
    const { content } = looked;
    const found = accept(content);
    if (found === null) return false;
    // A file that is gone, or was set aside, comes back as it was.
    const merged = content === null ? storedState : apply(changes, found);
    learn(apply(unsaved.slice(changes.length), merged));
    noteRead();
    const isNew = !isSame(merged, content);
    try {
      if (isNew || file.isWhole?.() === false) await file.save(merged);
    } catch {
      // A file that says it already may stand on a disk that is full: nothing is lost then.
      if (isNew) {
        log.write({ level: 'error', event: 'state-file-unwritable' });
        return false;
      }
    }
    unsaved = unsaved.slice(changes.length);
    return true;
  }

  function noteRead(): void {
    isRead = true;
    finishReading();
  }

  /** Null: it cannot be read, which is no word on what it holds. */
  async function look(): Promise<{ readonly content: unknown } | null> {
    try {
      const content = await file.load();
      isTold = false;
      return { content };
    } catch (thrown) {
      if (!isTold)
        log.write({
          level: 'warn',
          event: 'state-file-unreadable',
          fields: { detail: codeOf(thrown) },
        });
      isTold = true;
      return null;
    }
  }

  /**
   * Null: a file of a later version, which belongs to a newer build and is left exactly as it is.
   */
  function accept(content: unknown): StateFileContent | null {
    const parsed = parseStateFileContent(content);
    if (parsed !== null) return parsed;
    if (writable) log.write({ level: 'warn', event: 'state-file-newer' });
    writable = false;
    return null;
  }
}

function isSameList(one: readonly unknown[], other: readonly unknown[]): boolean {
  return one.length === other.length && one.every((entry, index) => entry === other[index]);
}

function apply(changes: readonly Change[], storedState: StateFileContent): StateFileContent {
  return changes.reduce((before, change) => change(before), storedState);
}

/**
 * By their text: both come from the same code, and a difference that means nothing only costs a
 * write.
 */
function isSame(merged: StateFileContent, content: unknown): boolean {
  return JSON.stringify(merged) === JSON.stringify(content);
}

/** The name of the system's error; its message would name the path, and with it the person. */
function codeOf(thrown: unknown): string {
  const code: unknown = thrown instanceof Error && 'code' in thrown ? thrown.code : null;
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]{1,30}$/.test(code) ? code : 'unknown error';
}
