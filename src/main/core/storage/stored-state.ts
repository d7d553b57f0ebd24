// The state file in memory and on disk: the known accounts, and which records the keychain must
// hold. Several processes, issuers and client ids may share the file: each process applies its
// changes to what it finds there, one process at a time, and each owner sees and changes its own
// part. A file of a later version is never used, and neither that nor an unreadable file may be
// overwritten.
import type { StateFileContent, Lock, Log, StateStore } from '../base/ports.js';
import { NO_ACCOUNTS, formatStateFileContent, parseStateFileContent } from './records.js';
import { type Owner, knowsOthers, ownPart, withOwnPart } from './ownership.js';
import { exclusive } from './record-lock.js';

export interface StoredState {
  /** Call before anything else, and again until `isRead`. Never rejects. */
  load(): Promise<void>;
  /** Resolves after the first try of `load`; until then nothing is known. */
  loaded(): Promise<void>;
  /**
   * False: the file may name accounts, but could not be read yet. What is known comes only from
   * this process.
   */
  isRead(): boolean;
  /** Resolves as soon as `isRead` is true. */
  read(): Promise<void>;
  /** The part of this issuer and client id. */
  current(): StateFileContent;
  /** The parts of all owners. For clean-up only. */
  everybody(): StateFileContent;
  /**
   * True when an account of another issuer or client id was signed in here, or such an owner is
   * migrating a session.
   */
  knowsOthers(): boolean;
  /**
   * Reads the file again, because other processes may have written it. Changes of this process that
   * are not saved yet are kept.
   */
  refresh(): Promise<void>;
  /**
   * Changes this owner's part now. Resolves with true when the file has this change and all earlier
   * ones. Resolves with false when they could not be saved: the log says so, and the next change
   * tries them again. `change` may be called again, on what others wrote.
   */
  update(change: Change): Promise<boolean>;
  /** The same for the parts of all owners. */
  updateEverybody(change: Change): Promise<boolean>;
}

type Change = (storedState: StateFileContent) => StateFileContent;

/** `onAccounts` is called whenever the list of accounts has changed. */
export function createStoredState(
  file: StateStore,
  lock: Lock,
  owner: Owner,
  log: Log,
  onAccounts = (): void => undefined,
): StoredState {
  let storedState: StateFileContent = NO_ACCOUNTS;
  let own: StateFileContent = NO_ACCOUNTS;
  /** Changes that are not saved yet, oldest first. */
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
    // Callers compare the list by identity, so it stays the same object until it changes.
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
   * Applies the changes to the file as it is now. To write the state in memory would undo what
   * another process has written since, and a session that the file does not name is lost.
   */
  async function merge(): Promise<boolean> {
    const changes = unsaved;
    const looked = await look();
    if (looked === null) return false;
    const { content } = looked;
    const found = accept(content);
    if (found === null) return false;
    // A file that is gone, or was set aside, is restored as it was.
    const merged = content === null ? storedState : apply(changes, found);
    learn(apply(unsaved.slice(changes.length), merged));
    noteRead();
    const next = formatStateFileContent(merged);
    const isNew = !isSame(next, content);
    try {
      if (isNew || file.isWhole?.() === false) await file.save(next);
    } catch {
      // If the file already says it, nothing is lost, for example on a full disk.
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

  /** Null: the file cannot be read, which says nothing about its content. */
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
   * Null: a file of a later version. It belongs to a newer build and must stay exactly as it is.
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
 * Compares the texts: the same code writes both, and a difference without meaning costs only a
 * write.
 */
function isSame(next: StateFileContent, content: unknown): boolean {
  return JSON.stringify(next) === JSON.stringify(content);
}

/** The code of the system's error; its message would contain the path, and so the person's name. */
function codeOf(thrown: unknown): string {
  const code: unknown = thrown instanceof Error && 'code' in thrown ? thrown.code : null;
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]{1,30}$/.test(code) ? code : 'unknown error';
}
