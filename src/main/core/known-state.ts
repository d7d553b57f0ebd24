// The file of what is known, in memory and on disk: accounts, and which records the keychain must hold.
// One writer; saves run in order; a file of a later version is read by nobody and never overwritten.
import type { KnownAccounts, Log, StateStore } from './ports.js';
import { NO_ACCOUNTS, parseKnownAccounts } from './records.js';

export interface KnownState {
  /** Call once, before anything else. Never rejects. */
  load(): Promise<void>;
  /** Resolves when `load` has; until then nothing is known. */
  loaded(): Promise<void>;
  current(): KnownAccounts;
  /** Changes it now; resolves when the file has it, or could not take it (which the log says). */
  update(change: (known: KnownAccounts) => KnownAccounts): Promise<void>;
}

export function createKnownState(file: StateStore, log: Log): KnownState {
  let known: KnownAccounts = NO_ACCOUNTS;
  let writable = true;
  let saving: Promise<void> = Promise.resolve();
  let finishLoading = (): void => undefined;
  const loading = new Promise<void>((resolve) => { finishLoading = resolve; });

  return {
    loaded: () => loading,
    async load() {
      const parsed = parseKnownAccounts(await file.load().catch(() => null));
      // A file of a later version belongs to a newer build: it is left exactly as it is.
      writable = parsed !== null;
      if (!writable) log.write({ level: 'warn', event: 'state-file-newer' });
      known = parsed ?? NO_ACCOUNTS;
      finishLoading();
    },
    current: () => known,
    update(change) {
      const next = change(known);
      if (next === known) return saving;
      known = next;
      saving = saving.then(async () => {
        if (!writable) return;
        await file.save(known).catch(() => { log.write({ level: 'error', event: 'state-file-unwritable' }); });
      });
      return saving;
    },
  };
}
