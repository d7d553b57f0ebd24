// The order of calls on one key: one after the other, and nobody waits through the same dialog
// twice.
import { describe, expect, it } from 'vitest';
import { createKeySequencer } from '../../../src/main/core/storage/key-sequencer.js';
import type { SecretOutcome } from '../../../src/main/core/base/ports.js';
import { settle } from '../../support/fakes.js';

const done = { state: 'done' } as const;
const locked = { state: 'locked', detail: 'no' } as const;

/** A call that ends when it is told to. */
function call(): {
  readonly run: () => Promise<SecretOutcome>;
  readonly begun: () => boolean;
  readonly end: (outcome: SecretOutcome) => void;
} {
  let begun = false;
  let end = (_outcome: SecretOutcome): void => {};
  const ended = new Promise<SecretOutcome>((resolve) => {
    end = resolve;
  });
  return {
    run: () => {
      begun = true;
      return ended;
    },
    begun: () => begun,
    end: (outcome) => {
      end(outcome);
    },
  };
}

describe('calls on one key', () => {
  it('run one after the other, and those on another key beside them', async () => {
    const inTurn = createKeySequencer();
    const [first, second, other] = [call(), call(), call()];
    const answers = [inTurn('a', first.run), inTurn('a', second.run), inTurn('b', other.run)];
    await settle();
    expect([first.begun(), second.begun(), other.begun()]).toEqual([true, false, true]);
    first.end(done);
    await settle();
    expect(second.begun()).toBe(true);
    second.end(done);
    other.end(done);
    expect(await Promise.all(answers)).toEqual([done, done, done]);
  });

  it('that wait for a locked one are locked without being run, and later ones run again', async () => {
    const inTurn = createKeySequencer();
    const [first, second, later] = [call(), call(), call()];
    const answers = [inTurn('a', first.run), inTurn('a', second.run)];
    await settle();
    first.end(locked);
    expect(await Promise.all(answers)).toEqual([locked, locked]);
    expect(second.begun()).toBe(false);
    await settle();
    const answer = inTurn('a', later.run);
    later.end(done);
    expect(await answer).toEqual(done);
  });

  it('go on after one that threw', async () => {
    const inTurn = createKeySequencer();
    const thrown = inTurn('a', () => Promise.reject(new Error('broken')));
    const after = inTurn('a', async () => done);
    await expect(thrown).rejects.toThrow('broken');
    expect(await after).toEqual(done);
  });
});
