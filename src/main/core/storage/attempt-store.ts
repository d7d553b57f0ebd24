// Attempts at rest: what lets a callback that *starts* the app finish a sign-in that an earlier
// process began. An attempt is claimed in the state file, under a lock, before its code is posted,
// so a code is posted once or never; the keychain's record, which holds its secrets, is removed
// with the claim.
import { AuthError } from '../base/errors.js';
import type { StoredState } from './stored-state.js';
import { LIMITS } from '../base/limits.js';
import type { Clock, Lock, Log, SecretOutcome, SecretStore } from '../base/ports.js';
import { type AttemptRecord, attemptKey, parseAttempt } from './records.js';
import { withTimeout } from '../base/timeout.js';
import { exclusive } from './record-lock.js';
import { keyringError } from './session-store.js';
import { digestOf } from '../base/digest.js';

export interface AttemptStore {
  /**
   * Resolves when it was tried; a keyring or file that does not take it only means that a restart
   * loses the attempt.
   */
  keep(record: AttemptRecord): Promise<void>;
  /**
   * Claims the attempt with this state, once among all processes. Null: unknown, over, or taken
   * before. Asks the keychain only for states that this computer's file knows, so that forged
   * callbacks cost nothing. A keyring that does not open is asked again at each `tryAgain`, until
   * the attempt's time is over.
   */
  take(state: string): Promise<AttemptRecord | null>;
  /** The keyring may answer now: whoever waits for it asks again. */
  tryAgain(): void;
  /**
   * The attempt is over, or claimed by who still has it in memory. False: another process has
   * claimed it, or may do so any moment. A keyring that does not answer is not waited for: the file
   * has said it already.
   */
  release(state: string): Promise<boolean>;
  /**
   * Nothing that was kept until now is taken any more, by this process or another one: a person who
   * has signed out is not signed in again by a late callback. Resolves when the file says so; the
   * records go in the background.
   */
  endAll(): Promise<void>;
  /** Removes what has expired, and what a claim could not remove. */
  sweep(now: number): Promise<void>;
  /** Nothing waits any more. */
  stop(): void;
}

/**
 * What the person is told while a callback waits for the keyring, or why it was in vain; null:
 * nothing any more.
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
   * By state: a callback may come back before a slow keyring has taken the record, and must not
   * find it missing.
   */
  const keeping = new Map<string, { begun: boolean; dropped: boolean; noted: Promise<void> }>();
  /**
   * The ids of what this process keeps, by state: when another process has claimed one, the file
   * does not know it any more.
   */
  const mine = new Map<string, string>();
  /** By id: callbacks that wait for the keyring. */
  const withheld = new Map<string, () => void>();
  let stopped = false;
  /** Counts `endAll`: a claim that was begun before it is in vain. */
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
    const noted = await storedState.update((before) => ({
      ...before,
      attempts: [...before.attempts.filter((attempt) => attempt.id !== id), { id, expiresAt }],
    }));
    // Nobody could find what the file does not know.
    if (!noted) mine.delete(state);
    note();
    const outcome: SecretOutcome = noted
      ? await secrets.write(attemptKey(id), JSON.stringify(record))
      : { state: 'unavailable', detail: 'latchkey.json could not be written' };
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

  async function take(state: string): Promise<AttemptRecord | null> {
    const since = era;
    await storedState.loaded();
    // Whether the file knows the state nobody can tell yet; the browser will not bring it again.
    if (!storedState.isRead())
      await withTimeout(clock, storedState.read(), LIMITS.keyringTimeoutMs);
    const id = await idOf(state);
    if (since !== era) return null;
    const attempt = storedState.current().attempts.find((one) => one.id === id);
    // The same callback once more, while the first one waits, brings nothing new.
    if (attempt === undefined || attempt.claimed === true || withheld.has(id)) return null;
    let isOver = false;
    let cancelTimer = (): void => undefined;
    try {
      for (let waited = false; ; waited = true) {
        const claim =
          (await exclusive(lock, attemptKey(id), { ifBusy: 'give-up' }, () => claimRecord(id))) ??
          ({ state: 'lost' } as const);
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
            'the keyring that holds the sign-in did not open in time',
          ),
        );
        return null;
      }
    } finally {
      cancelTimer();
    }
  }

  /** Resolves at `tryAgain`, when the time is over, or at the end. */
  async function chance(id: string): Promise<void> {
    await new Promise<void>((resolve) => {
      withheld.set(id, resolve);
    });
    withheld.delete(id);
  }

  /**
   * No longer than a person may take: a clock that was set back must not keep a callback waiting
   * for a month.
   */
  function timeLeft(expiresAt: number): number {
    return Math.min(Math.max(0, expiresAt - clock.now()), LIMITS.attemptMaxMs);
  }

  async function release(state: string): Promise<boolean> {
    const entry = keeping.get(state);
    if (entry !== undefined && !entry.begun) {
      // The file is not read yet, so that nothing was kept, and nobody else can know of it.
      entry.dropped = true;
      return true;
    }
    await entry?.noted;
    const id = mine.get(state);
    if (id === undefined) return true;
    mine.delete(state);
    // Whoever holds the lock has the callback, and may sit in a keyring's dialog: to go ahead could
    // post the code twice.
    return (
      (await exclusive(lock, attemptKey(id), { ifBusy: 'give-up' }, () => claimOwn(id))) ?? false
    );
  }

  async function endAll(): Promise<void> {
    era += 1;
    for (const wake of [...withheld.values()]) wake();
    await storedState.loaded();
    // What this process begins from now on is meant by no sign-out before it.
    const begun = new Set(mine.values());
    await endOpen(begun);
    // Another process may have begun one since the file was read.
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
    // A keyring that is locked keeps the records until they are swept; the file's word is enough.
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
   * Of an attempt that only the keychain has: read first, for a claim without its secrets would
   * lose it.
   */
  async function claimRecord(id: string): Promise<Claim> {
    const reading = await secrets.read(attemptKey(id), true);
    if (reading.state === 'locked' || reading.state === 'unavailable') return reading;
    if (reading.state === 'absent') {
      await forget(id);
      return { state: 'lost' };
    }
    // What is another issuer's or client's stays for them.
    const record = parseAttempt(reading.value, own);
    if (record === null) return { state: 'lost' };
    const said = await claim(id);
    if (said === 'lost') return { state: 'lost' };
    const removal = await removeRecord(id);
    return removal.state === 'done' || said === 'won' ? { state: 'claimed', record } : removal;
  }

  /** Of an attempt that this process has in memory. */
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
   * Says in the file who has it; what the file says there counts. `unsaid`: it could not be
   * written.
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
 * A digest: the file may name the attempt without telling its state (RFC 6749 §10.12 wants it
 * unguessable).
 */
function idOf(state: string): Promise<string> {
  return digestOf(state);
}
