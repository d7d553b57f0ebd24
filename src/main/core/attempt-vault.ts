// Attempts at rest: what lets a callback that *starts* the app finish a sign-in that an earlier process began.
// To take a record is to claim it: it is removed under a lock before its code is posted, so a code is posted once or never.
import { base64url } from './identity.js';
import type { KnownState } from './known-state.js';
import { LIMITS } from './options.js';
import type { Clock, Lock, Log, SecretReading, SecretStore } from './ports.js';
import { type AttemptRecord, attemptKey, parseAttempt } from './records.js';

export interface AttemptVault {
  /** Resolves when it was tried; a keyring that does not take it only means that a restart loses the attempt. */
  keep(record: AttemptRecord): Promise<void>;
  /**
   * Claims the attempt with this state, once among all processes. Null: unknown, over, taken before, or out of reach.
   * Asks the keychain only for states that this computer's file knows, so that forged callbacks cost nothing.
   */
  take(state: string, now: number): Promise<AttemptRecord | null>;
  /** The attempt is over, or claimed by who still has it in memory. False: another process has claimed it. */
  release(state: string): Promise<boolean>;
  /** Removes what has expired. */
  sweep(now: number): Promise<void>;
}

export function createAttemptVault(secrets: SecretStore, known: KnownState, lock: Lock, clock: Clock, own: { readonly issuer: string; readonly clientId: string }, log: Log): AttemptVault {
  /** By state: a callback may come back before a slow keyring has taken the record, and must not find it missing. */
  const keeping = new Map<string, { begun: boolean; dropped: boolean; readonly done: Promise<void> }>();

  return {
    keep(record) {
      const entry = { begun: false, dropped: false, done: Promise.resolve() };
      keeping.set(record.state, entry);
      entry.done = known.loaded().then(async () => {
        entry.begun = true;
        if (!entry.dropped) await keep(record);
      }).finally(() => { if (keeping.get(record.state) === entry) keeping.delete(record.state); });
      return entry.done;
    },

    async take(state, now) {
      await known.loaded();
      const id = await idOf(state);
      if (!isKnown(id)) return null;
      const held = await lock.hold(attemptKey(id), LIMITS.claimWaitMs, () => claim(id));
      // Where the system gives no lock at all, one process is the rule.
      const reading = held.held ? held.value : held.reason === 'unavailable' ? await claim(id) : null;
      const record = reading?.state === 'found' ? parseAttempt(reading.value, own) : null;
      return record !== null && record.state === state && record.expiresAt > now ? record : null;
    },

    async release(state) {
      let cancel = (): void => undefined;
      // A keyring that stopped answering must not cost the sign-in: then memory says once.
      const limit = new Promise<boolean>((resolve) => { cancel = clock.after(LIMITS.claimWaitMs, () => { resolve(true); }); });
      try {
        return await Promise.race([wasKept(state), limit]);
      } finally {
        cancel();
      }
    },

    async sweep(now) {
      for (const { id, expiresAt } of known.current().attempts) {
        if (expiresAt > now) continue;
        const removal = await secrets.remove(attemptKey(id));
        if (removal.state === 'done') await forget(id);
      }
    },
  };

  async function keep(record: AttemptRecord): Promise<void> {
    const id = await idOf(record.state);
    await known.update((state) => ({ ...state, attempts: [...state.attempts.filter((attempt) => attempt.id !== id), { id, expiresAt: record.expiresAt }] }));
    const outcome = await secrets.write(attemptKey(id), JSON.stringify(record));
    if (outcome.state === 'done') return;
    log.write({ level: 'info', event: 'attempt-not-kept', fields: { detail: outcome.detail } });
    await forget(id);
  }

  async function wasKept(state: string): Promise<boolean> {
    const entry = keeping.get(state);
    if (entry !== undefined) {
      // The file is not read yet, so that nothing was kept, and nobody else can know of it.
      entry.dropped = !entry.begun;
      if (entry.dropped) return true;
      await entry.done;
    }
    const id = await idOf(state);
    if (!isKnown(id)) return true;
    const held = await lock.hold(attemptKey(id), LIMITS.claimWaitMs, () => claim(id));
    const reading = held.held ? held.value : held.reason === 'unavailable' ? await claim(id) : null;
    return reading?.state !== 'absent';
  }

  /** `found` means removed, too: else a second process could claim it. What is out of reach stays known, and is swept later. */
  async function claim(id: string): Promise<SecretReading> {
    const reading = await secrets.read(attemptKey(id), true);
    if (reading.state === 'locked' || reading.state === 'unavailable') return reading;
    const removal = await secrets.remove(attemptKey(id));
    if (removal.state !== 'done') return removal;
    await forget(id);
    return reading;
  }

  function isKnown(id: string): boolean {
    return known.current().attempts.some((attempt) => attempt.id === id);
  }

  function forget(id: string): Promise<void> {
    return known.update((state) => (state.attempts.some((attempt) => attempt.id === id) ? { ...state, attempts: state.attempts.filter((attempt) => attempt.id !== id) } : state));
  }
}

/** A digest: the file may name the attempt without telling its state (RFC 6749 §10.12 wants it unguessable). */
async function idOf(state: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(state));
  return base64url(new Uint8Array(digest)).slice(0, 22);
}
