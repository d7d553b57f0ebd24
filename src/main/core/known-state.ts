// The file of what is known, in memory and on disk: accounts, and which records the keychain must hold.
// Several processes may share the file: each says its changes to what it finds there, one process at a time.
// A file of a later version is read by nobody and never overwritten.
import { LIMITS } from './limits.js';
import type { KnownAccounts, Lock, Log, StateStore } from './ports.js';
import { NO_ACCOUNTS, parseKnownAccounts } from './records.js';

export interface KnownState {
  /** Call once, before anything else. Never rejects. */
  load(): Promise<void>;
  /** Resolves when `load` has; until then nothing is known. */
  loaded(): Promise<void>;
  current(): KnownAccounts;
  /** Reads the file anew: other processes may have written it. What it has not taken yet from this one is kept. */
  refresh(): Promise<void>;
  /**
   * Changes it now. Resolves with true when the file has this change and all earlier ones, with false when it could not
   * take them (which the log says; they are tried again with the next). `change` may be called again, on what others wrote.
   */
  update(change: Change): Promise<boolean>;
}

type Change = (known: KnownAccounts) => KnownAccounts;

/** `onAccounts` is called whenever the list of accounts is another one. */
export function createKnownState(file: StateStore, lock: Lock, clientId: string, log: Log, onAccounts = (): void => undefined): KnownState {
  let known: KnownAccounts = NO_ACCOUNTS;
  /** What the file has not taken yet, oldest first. */
  let unsaved: readonly Change[] = [];
  let writable = true;
  let saving: Promise<boolean> = Promise.resolve(true);
  let finishLoading = (): void => undefined;
  const loading = new Promise<void>((resolve) => { finishLoading = resolve; });

  return {
    loaded: () => loading,
    async load() {
      learn(accept(await file.load().catch(() => null)) ?? NO_ACCOUNTS);
      finishLoading();
    },
    current: () => known,
    async refresh() {
      await saving;
      const content = await file.load().catch(() => null);
      const found = content === null ? null : accept(content);
      if (found !== null) learn(apply(unsaved, found));
    },
    update(change) {
      const next = change(known);
      if (next === known && unsaved.length === 0) return saving;
      unsaved = [...unsaved, change];
      const saved = saving.then(save);
      saving = saved;
      learn(next);
      return saved;
    },
  };

  function learn(next: KnownAccounts): void {
    const before = known;
    known = next;
    if (next.accounts !== before.accounts) onAccounts();
  }

  async function save(): Promise<boolean> {
    if (!writable) return false;
    if (unsaved.length === 0) return true;
    const held = await lock.hold(`state:${clientId}`, LIMITS.claimWaitMs, merge);
    // Who waits too long goes ahead: what is in no file is lost with the process.
    return held.held ? held.value : merge();
  }

  /** To write what is in memory would undo what another process has written since: a session that nobody knows of is lost. */
  async function merge(): Promise<boolean> {
    const changes = unsaved;
    const content = await file.load().catch(() => null);
    const found = accept(content);
    if (found === null) return false;
    // A file that is gone, or was set aside, comes back as it was.
    const merged = content === null ? known : apply(changes, found);
    try {
      // A file that says it already may stand on a disk that is full: nothing is lost then.
      if (!isSame(merged, content)) await file.save(merged);
    } catch {
      log.write({ level: 'error', event: 'state-file-unwritable' });
      return false;
    }
    unsaved = unsaved.slice(changes.length);
    learn(apply(unsaved, merged));
    return true;
  }

  /** Null: a file of a later version, which belongs to a newer build and is left exactly as it is. */
  function accept(content: unknown): KnownAccounts | null {
    const parsed = parseKnownAccounts(content);
    if (parsed !== null) return parsed;
    if (writable) log.write({ level: 'warn', event: 'state-file-newer' });
    writable = false;
    return null;
  }
}

function apply(changes: readonly Change[], known: KnownAccounts): KnownAccounts {
  return changes.reduce((before, change) => change(before), known);
}

/** By their text: both come from the same code, and a difference that means nothing only costs a write. */
function isSame(merged: KnownAccounts, content: unknown): boolean {
  return JSON.stringify(merged) === JSON.stringify(content);
}
