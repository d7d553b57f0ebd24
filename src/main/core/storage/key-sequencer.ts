// The order of calls on a SecretStore that is made of others: calls on one key run one after the
// other, in the order they were made. May not look into a value, and knows nothing of what a call
// does.
import type { SecretOutcome, SecretReading } from '../base/ports.js';

/** What a store says instead of doing what it was asked for. */
export type Refusal = Exclude<SecretOutcome, { state: 'done' }>;

/** Runs `run` when every earlier call on this key has ended. */
export type InSequence = <Answer extends SecretReading | SecretOutcome>(
  key: string,
  run: () => Promise<Answer>,
) => Promise<Answer | Refusal>;

/**
 * Makes the order, for one store. A call that waits for another one on its key shares its `locked`:
 * who waited through a dialog that nobody answered must not wait through a second one. Keys of
 * which no call is under way cost nothing.
 */
export function createKeySequencer(): InSequence {
  const tails = new Map<string, Promise<SecretReading | SecretOutcome>>();

  return <Answer extends SecretReading | SecretOutcome>(
    key: string,
    run: () => Promise<Answer>,
  ) => {
    const before = tails.get(key) ?? Promise.resolve({ state: 'done' });
    const turn = before.then(
      async (last): Promise<Answer | Refusal> => (last.state === 'locked' ? last : await run()),
      run,
    );
    const leave = (): void => {
      if (tails.get(key) === turn) tails.delete(key);
    };
    tails.set(key, turn);
    turn.then(leave, leave);
    return turn;
  };
}
