// Runs calls one after the other, each with a time limit, for a store whose calls may hang in a
// dialog. When one call reaches its limit, every waiting call fails with it. Knows nothing about what
// is stored.
import type { SecretOutcome } from '../../core/base/ports.js';

export type Failure = Exclude<SecretOutcome, { state: 'done' }>;

export const CLOSED: Failure = { state: 'unavailable', detail: 'the keychain was closed' };
const BAD_KEY: Failure = { state: 'unavailable', detail: 'a key must not be empty or hold NUL' };

export interface CallQueueOptions {
  /** How long one call may take, including its wait for other calls. */
  readonly timeoutMs: number;
  /** The answer of every waiting call when one call reaches its limit. */
  readonly timedOut: Failure;
  /** The failure of a call whose steps throw. */
  readonly failureOf: (thrown: unknown) => Failure;
  /** Called when all calls are abandoned. The next call waits for the promise that this returns. */
  readonly onAbandon: () => Promise<unknown> | null;
}

export interface CallQueue {
  /** `isOver`: nobody waits for the answer any more, so nothing may be changed. Never rejects. */
  run<Answer>(
    key: string,
    steps: (isOver: () => boolean) => Promise<Answer | Failure>,
  ): Promise<Answer | Failure>;
  /** Fails every waiting call. A call that hangs is left behind. */
  abandon(failure: Failure): void;
  isEmpty(): boolean;
  /** Fails every waiting call, and refuses new ones. */
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
