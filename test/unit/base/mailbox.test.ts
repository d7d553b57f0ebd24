// The mailbox alone: order, re-entrance, its one timer.
import { expect, it } from 'vitest';
import { LIMITS } from '../../../src/main/core/base/limits.js';
import { createMailbox } from '../../../src/main/core/base/mailbox.js';
import { createFakeClock } from '../../support/fakes.js';

function open(
  deadline: (now: number) => number | null = () => null,
  onEmptied: () => void = () => undefined,
) {
  const clock = createFakeClock();
  const seen: string[] = [];
  const mailbox = createMailbox<string>(clock, {
    deliver(mail) {
      seen.push(mail);
      if (mail !== 'first') return;
      mailbox.queue('from within');
      mailbox.drain();
      seen.push('end of first');
    },
    emptied() {
      seen.push('emptied');
      onEmptied();
    },
    deadline,
    tick() {
      seen.push('tick');
    },
  });
  return { clock, seen, mailbox };
}

it('delivers in order, and mail that comes from within a delivery when that has returned', () => {
  const { seen, mailbox } = open();
  mailbox.queue('first');
  mailbox.queue('second');
  expect(seen).toEqual([]);
  mailbox.drain();
  expect(seen.slice(0, 4)).toEqual(['first', 'end of first', 'second', 'from within']);
  expect(seen.at(-1)).toBe('emptied');
});

it('ticks when the deadline has come, at once when it is told to, and never after its end', async () => {
  let due: number | null = null;
  const { clock, seen, mailbox } = open(() => due);
  due = clock.now() + 5_000;
  mailbox.drain();
  await clock.advance(4_999);
  expect(seen).not.toContain('tick');
  mailbox.tickNow();
  expect(seen.filter((entry) => entry === 'tick')).toHaveLength(1);
  due = clock.now() + 1;
  mailbox.drain();
  mailbox.stop();
  due = clock.now() + 2;
  mailbox.drain();
  expect(clock.pending).toBe(0);
  await clock.advance(10_000);
  expect(seen.filter((entry) => entry === 'tick')).toHaveLength(1);
});

it('delivers what a listener sends when all else is delivered', () => {
  let left = 1;
  const { seen, mailbox } = open(
    () => null,
    () => {
      if (left-- <= 0) return;
      mailbox.queue('late');
      mailbox.drain();
    },
  );
  mailbox.queue('early');
  mailbox.drain();
  expect(seen).toEqual(['early', 'emptied', 'late', 'emptied']);
});

it('has one timer, also for a deadline beyond what a timer can wait for', async () => {
  let due: number | null = null;
  const { clock, seen, mailbox } = open((now) => (due !== null && now >= due ? null : due));
  due = clock.now() + 2 * LIMITS.timerMaxMs;
  mailbox.drain();
  mailbox.tickNow();
  expect(clock.pending).toBe(1);
  await clock.advance(LIMITS.timerMaxMs);
  expect([seen.filter((entry) => entry === 'tick').length, clock.pending]).toEqual([2, 1]);
  await clock.advance(LIMITS.timerMaxMs);
  expect([seen.filter((entry) => entry === 'tick').length, clock.pending]).toEqual([3, 0]);
});
