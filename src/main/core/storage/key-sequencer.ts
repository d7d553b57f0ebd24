// Keeps the order of calls on a SecretStore that is made of others: calls on one key run one after
// the other, in the order in which they were made. May not look into a value; does not know what a
// call does.
import type { SecretOutcome, SecretReading } from '../base/ports.js';

/** The answer of a store that did not do what it was asked for. */
export type Refusal = Exclude<SecretOutcome, { state: 'done' }>;

/** Runs `run` after every earlier call on this key has ended. */
export type InSequence = <Answer extends SecretReading | SecretOutcome>(
  key: string,
  run: () => Promise<Answer>,
) => Promise<Answer | Refusal>;

/**
 * Makes the sequencer for one store. A call that waits for another call on its key shares its
 * `locked`: after a dialog that nobody answered, the waiting call must not wait for a second one.
 * Keys without a running call cost nothing.
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
