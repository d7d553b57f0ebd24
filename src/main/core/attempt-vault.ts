// Attempts at rest: what lets a callback that *starts* the app finish a sign-in that an earlier process began.
// To take a record is to claim it: it is removed under a lock before its code is posted, so a code is posted once or never.
import { base64url } from './identity.js';
import type { KnownState } from './known-state.js';
import { LIMITS } from './options.js';
import type { Lock, Log, SecretStore } from './ports.js';
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

export function createAttemptVault(secrets: SecretStore, known: KnownState, lock: Lock, own: { readonly issuer: string; readonly clientId: string }, log: Log): AttemptVault {
  return {
    async keep(record) {
      await known.loaded();
      const id = await idOf(record.state);
      await known.update((state) => ({ ...state, attempts: [...state.attempts.filter((attempt) => attempt.id !== id), { id, expiresAt: record.expiresAt }] }));
      const outcome = await secrets.write(attemptKey(id), JSON.stringify(record));
      if (outcome.state === 'done') return;
      log.write({ level: 'info', event: 'attempt-not-kept', fields: { detail: outcome.detail } });
      await forget(id);
    },

    async take(state, now) {
      await known.loaded();
      const id = await idOf(state);
      if (!isKnown(id)) return null;
      const claim = async (): Promise<AttemptRecord | null> => {
        const reading = await secrets.read(attemptKey(id), false);
        if (reading.state !== 'found') return null;
        const removal = await secrets.remove(attemptKey(id));
        // Without the removal a second process could claim it too.
        return removal.state === 'done' ? parseAttempt(reading.value, own) : null;
      };
      const held = await lock.hold(attemptKey(id), LIMITS.claimWaitMs, claim);
      // Where the system gives no lock at all, one process is the rule.
      const record = held.held ? held.value : held.reason === 'unavailable' ? await claim() : null;
      await forget(id);
      return record !== null && record.state === state && record.expiresAt > now ? record : null;
    },

    async release(state) {
      await known.loaded();
      const id = await idOf(state);
      if (!isKnown(id)) return true;
      const claim = await lock.hold(attemptKey(id), LIMITS.claimWaitMs, async () => {
        const reading = await secrets.read(attemptKey(id), false);
        await secrets.remove(attemptKey(id));
        return reading.state !== 'absent';
      });
      await forget(id);
      // A keyring that stopped answering must not cost the sign-in: then memory says once.
      return claim.held ? claim.value : true;
    },

    async sweep(now) {
      for (const { id, expiresAt } of known.current().attempts) {
        if (expiresAt > now) continue;
        const removal = await secrets.remove(attemptKey(id));
        if (removal.state === 'done') await forget(id);
      }
    },
  };

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
