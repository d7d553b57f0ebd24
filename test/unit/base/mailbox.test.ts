// The mailbox alone: order, re-entrance, its one timer.
import { expect, it } from 'vitest';
import { createMailbox } from '../../../src/main/core/base/mailbox.js';
import { createFakeClock } from '../../support/fakes.js';

function open(deadline: (now: number) => number | null = () => null) {
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
  mailbox.drain();
  await clock.advance(10_000);
  expect(seen.filter((entry) => entry === 'tick')).toHaveLength(1);
});
