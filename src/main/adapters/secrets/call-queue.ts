// One call after the other, each within its time: for a store whose calls may hang in a dialog.
// When a call's time is up, every call that waits fails with it. Knows nothing of what is stored.
import type { SecretOutcome } from '../../core/base/ports.js';

export type Failure = Exclude<SecretOutcome, { state: 'done' }>;

export const CLOSED: Failure = { state: 'unavailable', detail: 'the keychain was closed' };
const BAD_KEY: Failure = { state: 'unavailable', detail: 'a key must not be empty or hold NUL' };

export interface CallQueueOptions {
  /** How long one call may take from being made, its wait for others included. */
  readonly timeoutMs: number;
  /** The answer of every call that waits when the time of one is up. */
  readonly timedOut: Failure;
  /** What a call fails with when its steps throw. */
  readonly failureOf: (thrown: unknown) => Failure;
  /** All calls are given up. The next one begins at once, or when what this answers is done. */
  readonly onAbandon: () => Promise<unknown> | null;
}

export interface CallQueue {
  /** `isOver`: nobody waits for the answer any more, so nothing may be changed. Never rejects. */
  run<Answer>(
    key: string,
    steps: (isOver: () => boolean) => Promise<Answer | Failure>,
  ): Promise<Answer | Failure>;
  /** Gives up all that waits. What hangs is left behind. */
  abandon(failure: Failure): void;
  isEmpty(): boolean;
  /** Gives up all that waits, and refuses what comes. */
  close(): void;
}

export function createCallQueue({
  timeoutMs,
  timedOut,
  failureOf,
  onAbandon,
}: CallQueueOptions): CallQueue {
  const waiting = new Set<(failure: Failure) => void>();
  /** Null: the next call begins at once. */
  let tail: Promise<unknown> | null = null;
  let closed = false;

  function run<Answer>(
    key: string,
    steps: (isOver: () => boolean) => Promise<Answer | Failure>,
  ): Promise<Answer | Failure> {
    if (closed) return Promise.resolve(CLOSED);
    if (key === '' || key.includes('\0')) return Promise.resolve(BAD_KEY);
    return new Promise((resolve) => {
      let over = false;
      const settle = (answer: Answer | Failure): void => {
        if (over) return;
        over = true;
        clearTimeout(timer);
        waiting.delete(settle);
        resolve(answer);
      };
      const timer = setTimeout(() => abandon(timedOut), timeoutMs);
      waiting.add(settle);
      const begin = async (): Promise<void> => {
        if (!over)
          await steps(() => over).then(settle, (thrown: unknown) => settle(failureOf(thrown)));
      };
      const turn = tail === null ? begin() : tail.then(begin);
      tail = turn;
      void turn.then(() => {
        if (tail === turn) tail = null;
      });
    });
  }

  function abandon(failure: Failure): void {
    tail = onAbandon();
    for (const settle of [...waiting]) settle(failure);
  }

  return {
    run,
    abandon,
    isEmpty: () => waiting.size === 0,
    close() {
      closed = true;
      abandon(CLOSED);
    },
  };
}
