// Stores attempts, so that a callback that *starts* the app can finish a sign-in that an earlier
// process began. An attempt must be claimed in the state file, under a lock, before its code is
// sent, so that a code is sent once or never. The claim also removes the keychain record, which
// holds the secrets.
import { AuthError } from '../base/errors.js';
import type { StoredState } from './stored-state.js';
import { LIMITS } from '../base/limits.js';
import type { Clock, Lock, Log, SecretOutcome, SecretStore } from '../base/ports.js';
import { type AttemptRecord, attemptKey, parseAttempt } from './records.js';
import { withTimeout } from '../base/timeout.js';
import { exclusive } from './record-lock.js';
import { digestOf } from '../base/digest.js';
import { keyringError } from './keyring-error.js';

export interface AttemptStore {
  /**
   * Resolves after one try. If the keyring or the file refuses the record, a restart loses the
   * attempt; nothing else fails.
   */
  keep(record: AttemptRecord): Promise<void>;
  /**
   * Claims the attempt with this state, once among all processes. Null: unknown, expired, or
   * already claimed. Reads the keychain only for states that the state file of this computer
   * knows, so that forged callbacks cost nothing. If the keyring does not open, each `tryAgain`
   * asks it again until the attempt expires. `isFor` false: the callback came by another redirect,
   * and the attempt stays as it is.
   */
  take(state: string, isFor?: (record: AttemptRecord) => boolean): Promise<AttemptRecord | null>;
  /** The keyring may answer now: every waiting callback asks it again. */
  tryAgain(): void;
  /**
   * Ends the attempt, or claims it for this process, which has it in memory. False: another process
   * has claimed it, or may claim it at any moment. Does not wait for a keyring that does not
   * answer, because the file already has the claim.
   */
  release(state: string): Promise<boolean>;
  /**
   * No attempt that is stored now can be claimed any more, by this process or another one: after a
   * sign-out, a late callback must not sign the person in again. Resolves when the file says so;
   * the records are removed in the background.
   */
  endAll(): Promise<void>;
  /** Removes expired records, and records that a claim could not remove. */
  sweep(now: number): Promise<void>;
  /**
   * Until when a callback may finish an attempt that another process has stored, also one that has
   * ended since; null: there is none.
   */
  openUntil(now: number): number | null;
  /** Ends all waiting. */
  stop(): void;
}

/**
 * Tells the person that a callback waits for the keyring, or why it failed. Null: there is nothing
 * to tell any more.
 */
export type TellWithheld = (error: AuthError | null) => void;

type Failure = Exclude<SecretOutcome, { state: 'done' }>;
type Claim =
  | { readonly state: 'claimed'; readonly record: AttemptRecord }
  | { readonly state: 'lost' }
  | Failure;

export function createAttemptStore(
  secrets: SecretStore,
  storedState: StoredState,
  lock: Lock,
  clock: Clock,
  own: { readonly issuer: string; readonly clientId: string },
  log: Log,
  tell: TellWithheld,
): AttemptStore {
  /**
   * By state: a callback may arrive before a slow keyring has stored the record, and must not find
   * it missing.
   */
  const keeping = new Map<string, { begun: boolean; dropped: boolean; noted: Promise<void> }>();
  /**
   * The ids of the attempts that this process stores, by state. When another process has claimed
   * one, the file no longer knows it.
   */
  const mine = new Map<string, string>();
  /** The ids of all attempts that this process has ever stored. */
  const stored = new Set<string>();
  /** By id: callbacks that wait for the keyring. */
  const withheld = new Map<string, () => void>();
  let stopped = false;
  /** Counts the calls of `endAll`: a claim that began before such a call is void. */
  let era = 0;

  return {
    keep,
    take,
    tryAgain: () => {
      for (const wake of [...withheld.values()]) wake();
    },
    release,
    endAll,
    sweep,
    openUntil(now) {
      const ends = storedState
        .current()
        .attempts.filter(
          ({ id, expiresAt, claimed }) => claimed !== true && expiresAt > now && !stored.has(id),
        )
        .map(({ expiresAt }) => Math.min(expiresAt, now + LIMITS.attemptMaxMs));
      return ends.length === 0 ? null : Math.max(...ends);
    },
    stop() {
      stopped = true;
      for (const wake of [...withheld.values()]) wake();
    },
  };

  function keep(record: AttemptRecord): Promise<void> {
    let note = (): void => undefined;
    const entry = {
      begun: false,
      dropped: false,
      noted: new Promise<void>((resolve) => {
        note = resolve;
      }),
    };
    keeping.set(record.state, entry);
    return storedState
      .loaded()
      .then(async () => {
        entry.begun = true;
        if (!entry.dropped) await keepNow(record, note);
      })
      .finally(() => {
        note();
        keeping.delete(record.state);
      });
  }

  async function keepNow(record: AttemptRecord, note: () => void): Promise<void> {
    const { state, expiresAt, correlationId } = record;
    const id = await idOf(state);
    mine.set(state, id);
    stored.add(id);
    const noted = await storedState.update((before) => ({
      ...before,
      attempts: [...before.attempts.filter((attempt) => attempt.id !== id), { id, expiresAt }],
    }));
    // No process could find an attempt that the file does not know.
    if (!noted) mine.delete(state);
    note();
    const outcome: SecretOutcome = noted
      ? await secrets.write(attemptKey(id), JSON.stringify(record))
      : { state: 'unavailable', detail: 'the state file latchkey.json could not be written' };
    if (outcome.state === 'done') return;
    log.write({
      level: 'info',
      event: 'attempt-not-kept',
      correlationId,
      fields: { detail: outcome.detail },
    });
    mine.delete(state);
    await forget(id);
  }

  async function take(
    state: string,
    isFor: (record: AttemptRecord) => boolean = () => true,
  ): Promise<AttemptRecord | null> {
    const since = era;
    await storedState.loaded();
    // It is unknown yet whether the file knows the state, and the callback will not come again.
    if (!storedState.isRead())
      await withTimeout(clock, storedState.read(), LIMITS.keyringTimeoutMs);
    const id = await idOf(state);
    if (since !== era) return null;
    const attempt = storedState.current().attempts.find((one) => one.id === id);
    // The same callback again, while the first one waits, changes nothing.
    if (attempt === undefined || attempt.claimed === true || withheld.has(id)) return null;
    let isOver = false;
    let cancelTimer = (): void => undefined;
    try {
      for (let waited = false; ; waited = true) {
        const claim =
          (await exclusive(lock, attemptKey(id), { ifBusy: 'give-up' }, () =>
            claimRecord(id, isFor),
          )) ?? ({ state: 'lost' } as const);
        if (since !== era || claim.state === 'lost') {
          if (waited) tell(null);
          return null;
        }
        if (claim.state === 'claimed') {
          const { record } = claim;
          return record.state === state && record.expiresAt > clock.now() ? record : null;
        }
        if (!waited) {
          log.write({
            level: 'warn',
            event: 'attempt-waiting-for-keyring',
            fields: { detail: claim.detail },
          });
          cancelTimer = clock.after(timeLeft(attempt.expiresAt), () => {
            isOver = true;
            withheld.get(id)?.();
          });
        }
        tell(keyringError(claim, 'sign-in'));
        if (!isOver) await chance(id);
        if (stopped) return null;
        if (since !== era) {
          tell(null);
          return null;
        }
        if (!isOver && clock.now() < attempt.expiresAt) continue;
        tell(
          new AuthError(
            'sign-in-expired',
            'the keyring that stores the sign-in did not open in time',
          ),
        );
        return null;
      }
    } finally {
      cancelTimer();
    }
  }

  /** Resolves at `tryAgain`, at `stop`, at `endAll`, or when the attempt expires. */
  async function chance(id: string): Promise<void> {
    await new Promise<void>((resolve) => {
      withheld.set(id, resolve);
    });
    withheld.delete(id);
  }

  /**
   * At most as long as a person may take: a clock that was set back must not make a callback wait
   * for a month.
   */
  function timeLeft(expiresAt: number): number {
    return Math.min(Math.max(0, expiresAt - clock.now()), LIMITS.attemptMaxMs);
  }

  async function release(state: string): Promise<boolean> {
    const entry = keeping.get(state);
    if (entry !== undefined && !entry.begun) {
      // The file is not read yet, so nothing was stored, and no other process can know of it.
      entry.dropped = true;
      return true;
    }
    await entry?.noted;
    const id = mine.get(state);
    if (id === undefined) return true;
    mine.delete(state);
    // The process that holds the lock has the callback, and may be waiting for a keyring dialog. To
    // continue without the lock could send the code twice.
    return (
      (await exclusive(lock, attemptKey(id), { ifBusy: 'give-up' }, () => claimOwn(id))) ?? false
    );
  }

  async function endAll(): Promise<void> {
    era += 1;
    for (const wake of [...withheld.values()]) wake();
    await storedState.loaded();
    // The sign-out does not concern attempts that this process begins from now on.
    const begun = new Set(mine.values());
    await endOpen(begun);
    // Another process may have begun an attempt since the file was read.
    await storedState.refresh();
    await endOpen(begun);
  }

  async function endOpen(begun: ReadonlySet<string>): Promise<void> {
    const later = new Set([...mine.values()].filter((id) => !begun.has(id)));
    const open = storedState
      .current()
      .attempts.filter(({ id, claimed }) => claimed !== true && !later.has(id))
      .map(({ id }) => id);
    if (open.length === 0) return;
    // A locked keyring keeps the records until `sweep` removes them; the claim in the file is
    // enough.
    await storedState.update((state) => ({
      ...state,
      attempts: state.attempts.map((attempt) =>
        open.includes(attempt.id) ? { ...attempt, claimed: true } : attempt,
      ),
    }));
    for (const id of open) void removeRecord(id);
  }

  async function sweep(now: number): Promise<void> {
    for (const { id, expiresAt, claimed } of storedState.current().attempts) {
      if (expiresAt <= now || claimed === true) await removeRecord(id);
    }
  }

  /**
   * For an attempt that only the keychain has. Reads it first, because a claim without the secrets
   * would lose the attempt.
   */
  async function claimRecord(
    id: string,
    isFor: (record: AttemptRecord) => boolean,
  ): Promise<Claim> {
    const reading = await secrets.read(attemptKey(id), true);
    if (reading.state === 'locked' || reading.state === 'unavailable') return reading;
    if (reading.state === 'absent') {
      await forget(id);
      return { state: 'lost' };
    }
    // A record of another issuer or client stays.
    const record = parseAttempt(reading.value, own);
    if (record === null || !isFor(record)) return { state: 'lost' };
    const said = await claim(id);
    if (said === 'lost') return { state: 'lost' };
    const removal = await removeRecord(id);
    return removal.state === 'done' || said === 'won' ? { state: 'claimed', record } : removal;
  }

  /** For an attempt that this process has in memory. */
  async function claimOwn(id: string): Promise<boolean> {
    const said = await claim(id);
    if (said === 'lost') return false;
    if (said === 'unsaid')
      return (
        (await secrets.read(attemptKey(id), true)).state === 'found' &&
        (await removeRecord(id)).state === 'done'
      );
    await withTimeout(clock, removeRecord(id), LIMITS.claimWaitMs);
    return true;
  }

  /**
   * Writes the claim to the file; only the file decides who has the attempt. `unsaid`: the file
   * could not be written.
   */
  async function claim(id: string): Promise<'won' | 'lost' | 'unsaid'> {
    let won = false;
    const said = await storedState.update((state) => {
      won = state.attempts.some((attempt) => attempt.id === id && attempt.claimed !== true);
      return won
        ? {
            ...state,
            attempts: state.attempts.map((attempt) =>
              attempt.id === id ? { ...attempt, claimed: true } : attempt,
            ),
          }
        : state;
    });
    if (!won) return 'lost';
    return said ? 'won' : 'unsaid';
  }

  async function removeRecord(id: string): Promise<SecretOutcome> {
    const removal = await secrets.remove(attemptKey(id));
    if (removal.state === 'done') await forget(id);
    return removal;
  }

  async function forget(id: string): Promise<void> {
    await storedState.update((state) =>
      state.attempts.some((attempt) => attempt.id === id)
        ? { ...state, attempts: state.attempts.filter((attempt) => attempt.id !== id) }
        : state,
    );
  }
}

/**
 * A digest names the attempt in the file without revealing its state, which must not be guessable
 * (RFC 6749 §10.12).
 */
function idOf(state: string): Promise<string> {
  return digestOf(state);
}
