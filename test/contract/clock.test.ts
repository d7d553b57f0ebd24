// Clock: the same cases on the fake and on the real adapter, whose timers fire at once what is
// longer than 2^31 - 1 ms.
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createClock } from '../../src/main/adapters/clock.js';
import type { Clock } from '../../src/main/core/base/ports.js';
import { createFakeClock } from '../support/fakes.js';

const OVERFLOW_MS = 2 ** 31;
const ENDLESS = [
  OVERFLOW_MS - 1,
  OVERFLOW_MS,
  OVERFLOW_MS + 1,
  30 * 86_400_000,
  2 ** 32,
  2 ** 40,
  Number.MAX_SAFE_INTEGER,
  Infinity,
  NaN,
];

interface World {
  readonly clock: Clock;
  /** Lets so much time pass. */
  pass(ms: number): Promise<void>;
}

const worlds: Readonly<Record<string, () => World>> = {
  fake() {
    const clock = createFakeClock();
    return { clock, pass: clock.advance };
  },
  'real, on the timers of Node': () => ({
    clock: createClock(),
    pass: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  }),
  'real, on timers that are counted': () => {
    // They overflow as those of Node do, and a month passes at once.
    vi.useFakeTimers();
    return {
      clock: createClock(),
      async pass(ms) {
        await vi.advanceTimersByTimeAsync(ms);
      },
    };
  },
};
afterEach(() => {
  vi.useRealTimers();
});

describe.each(Object.keys(worlds))('Clock (%s)', (name) => {
  const begin = (): World => worlds[name]!();

  it('runs a timer once, when its time is over and not before', async () => {
    const { clock, pass } = begin();
    const ran: string[] = [];
    clock.after(60, () => ran.push('late'));
    await pass(20);
    expect(ran).toEqual([]);
    await pass(100);
    expect(ran).toEqual(['late']);
    await pass(100);
    expect(ran).toEqual(['late']);
  });

  it.each([0, -1, -Infinity, -86_400_000])(
    'runs a timer of %s ms soon, but never before after() has returned',
    async (delayMs) => {
      const { clock, pass } = begin();
      const ran: string[] = [];
      clock.after(delayMs, () => ran.push('now'));
      expect(ran).toEqual([]);
      await pass(20);
      expect(ran).toEqual(['now']);
    },
  );

  it.each(ENDLESS)('does not run a timer of %s ms at once, and can cancel it', async (delayMs) => {
    const { clock, pass } = begin();
    const ran: string[] = [];
    const cancel = clock.after(delayMs, () => ran.push('early'));
    await pass(50);
    cancel();
    await pass(50);
    expect(ran).toEqual([]);
  });

  it('runs the shorter of two first, and equal ones in the order they were made', async () => {
    const { clock, pass } = begin();
    const ran: string[] = [];
    clock.after(60, () => ran.push('long'));
    clock.after(10, () => ran.push('first'));
    clock.after(10, () => ran.push('second'));
    await pass(150);
    expect(ran).toEqual(['first', 'second', 'long']);
  });

  it('runs nothing that was cancelled, however often, and cancels what has run without harm', async () => {
    const { clock, pass } = begin();
    const ran: string[] = [];
    const cancel = clock.after(10, () => ran.push('cancelled'));
    const done = clock.after(10, () => ran.push('done'));
    cancel();
    cancel();
    await pass(50);
    done();
    await pass(50);
    expect(ran).toEqual(['done']);
  });

  it('lets a timer make another one, and cancel one that is due with it', async () => {
    const { clock, pass } = begin();
    const ran: string[] = [];
    let cancel = (): void => {};
    clock.after(10, () => {
      ran.push('one');
      cancel();
      clock.after(10, () => ran.push('two'));
    });
    cancel = clock.after(11, () => ran.push('never'));
    await pass(100);
    expect(ran).toEqual(['one', 'two']);
  });

  it('has a wall clock that moves with what passes, in milliseconds since 1970', async () => {
    const { clock, pass } = begin();
    const before = clock.now();
    await pass(50);
    expect(clock.now() - before).toBeGreaterThanOrEqual(45);
    expect(clock.now()).toBeGreaterThan(Date.UTC(2025, 0, 1));
    expect(clock.now()).toBeLessThan(Date.UTC(2200, 0, 1));
  });
});

describe.each(Object.keys(worlds).filter((name) => !name.endsWith('Node')))(
  'a month of Clock (%s)',
  (name) => {
    it.each([OVERFLOW_MS - 1, OVERFLOW_MS, OVERFLOW_MS + 5_000, 2 * OVERFLOW_MS, 100 * 86_400_000])(
      'runs a timer of %i ms then, and only then',
      async (delayMs) => {
        const { clock, pass } = worlds[name]!();
        const ran: string[] = [];
        const cancelled = clock.after(delayMs, () => ran.push('cancelled'));
        clock.after(delayMs, () => ran.push('then'));
        await pass(delayMs - 1);
        cancelled();
        expect(ran).toEqual([]);
        await pass(1);
        expect(ran).toEqual(['then']);
      },
    );
  },
);

describe('the real clock', () => {
  it('is the calendar, which anybody may set', () => {
    vi.useFakeTimers();
    const clock = createClock();
    vi.setSystemTime(Date.UTC(2031, 5, 1));
    expect(clock.now()).toBe(Date.UTC(2031, 5, 1));
    vi.setSystemTime(Date.UTC(2019, 5, 1));
    expect(clock.now()).toBe(Date.UTC(2019, 5, 1));
  });
});
