// The queue of a store whose calls may hang: order, time limit, and what an abandoned call may do.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  CLOSED,
  type Failure,
  createCallQueue,
} from '../../../src/main/adapters/secrets/call-queue.js';

const TIMED_OUT: Failure = { state: 'locked', detail: 'no answer in time' };
const BROKEN: Failure = { state: 'unavailable', detail: 'it threw' };

const never = (): Promise<never> => new Promise(() => undefined);
const queueOf = (onAbandon: () => Promise<unknown> | null = () => null) =>
  createCallQueue({ timeoutMs: 1_000, timedOut: TIMED_OUT, failureOf: () => BROKEN, onAbandon });

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('the queue of calls of a store', () => {
  it('begins the first call at once, and the next when it has answered', async () => {
    const queue = queueOf();
    const begun: string[] = [];
    let answer: (text: string) => void = () => undefined;
    const first = queue.run('a', () => {
      begun.push('first');
      return new Promise<string>((resolve) => {
        answer = resolve;
      });
    });
    const second = queue.run('a', async () => begun.push('second'));
    expect([begun, queue.isEmpty()]).toEqual([['first'], false]);
    answer('done');
    expect([await first, await second, begun]).toEqual(['done', 2, ['first', 'second']]);
    expect(queue.isEmpty()).toBe(true);
    await vi.advanceTimersByTimeAsync(0);
    let atOnce = false;
    void queue.run('a', async () => (atOnce = true));
    expect(atOnce).toBe(true);
  });

  it('turns steps that throw into a failure, and goes on', async () => {
    const queue = queueOf();
    const thrown = queue.run('a', async () => {
      throw new Error('x');
    });
    expect(await thrown).toBe(BROKEN);
    expect(await queue.run('a', async () => 1)).toBe(1);
  });

  it('fails every waiting call when one takes too long, and begins none of them', async () => {
    const queue = queueOf();
    let isOver = (): boolean => false;
    const hung = queue.run('a', (over) => {
      isOver = over;
      return never();
    });
    const begun = vi.fn(async () => 1);
    const behind = queue.run('b', begun);
    await vi.advanceTimersByTimeAsync(999);
    expect(isOver()).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(await Promise.all([hung, behind])).toEqual([TIMED_OUT, TIMED_OUT]);
    expect([isOver(), begun.mock.calls.length, queue.isEmpty()]).toEqual([true, 0, true]);
    expect(await queue.run('b', async () => 2)).toBe(2);
  });

  it('lets a write that has begun end before the call after an abandoned one', async () => {
    let written: () => void = () => undefined;
    const disk = new Promise<void>((resolve) => {
      written = resolve;
    });
    const queue = queueOf(() => disk);
    void queue.run('a', never);
    await vi.advanceTimersByTimeAsync(1_000);
    const begun = vi.fn(async () => 1);
    const after = queue.run('a', begun);
    await vi.advanceTimersByTimeAsync(10);
    expect(begun).not.toHaveBeenCalled();
    written();
    expect(await after).toBe(1);
  });

  it('begins no call that was over before its turn', async () => {
    const ends: (() => void)[] = [];
    const queue = queueOf(() => new Promise<void>((resolve) => ends.push(resolve)));
    queue.abandon(BROKEN);
    const begun = vi.fn(async () => 1);
    const waits = queue.run('a', begun);
    queue.abandon(BROKEN);
    expect(await waits).toBe(BROKEN);
    for (const end of ends) end();
    await vi.advanceTimersByTimeAsync(10);
    expect(begun).not.toHaveBeenCalled();
  });

  it('refuses calls once it is closed, and keys that no store can keep', async () => {
    const queue = queueOf();
    const begun = vi.fn(async () => 1);
    expect(await queue.run('', begun)).toMatchObject({ state: 'unavailable' });
    expect(await queue.run('a\0b', begun)).toMatchObject({ state: 'unavailable' });
    const hung = queue.run('a', never);
    queue.close();
    expect([await hung, await queue.run('a', begun)]).toEqual([CLOSED, CLOSED]);
    expect(begun).not.toHaveBeenCalled();
  });
});
