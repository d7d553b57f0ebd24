// One queue and one timer. Delivers events in order, one at a time, and never while another is being
// handled. Knows nothing about the events.
import { LIMITS } from './limits.js';
import type { Clock } from './ports.js';

/** What happens with the mail. Every member may queue and drain. */
export interface MailboxOwner<Mail> {
  deliver(mail: Mail): void;
  /** All is delivered. */
  emptied(): void;
  /** When `tick` is due, or null. Asked when there is nothing more to do. */
  deadline(now: number): number | null;
  /** Time has passed: queues what comes of that. */
  tick(): void;
}

export interface Mailbox<Mail> {
  readonly queue: (mail: Mail) => void;
  /** Delivers what is queued, unless that is being done already. */
  readonly drain: () => void;
  /** Does at once what time may have brought, whatever the timer says. */
  readonly tickNow: () => void;
  /** Sets no timer any more, and leaves none. */
  readonly stop: () => void;
}

export function createMailbox<Mail>(clock: Clock, owner: MailboxOwner<Mail>): Mailbox<Mail> {
  const mails: Mail[] = [];
  let draining = false;
  let again = false;
  let stopped = false;
  let cancelTimer = (): void => undefined;
  let timerAt: number | null = null;
  /** By how many seconds the calendar was ahead of the time that runs when the timer was made. */
  let timerAhead = 0;

  return {
    queue: (mail) => {
      mails.push(mail);
    },
    drain,
    tickNow() {
      cancelTimer();
      tickAndDrain();
    },
    stop() {
      stopped = true;
      cancelTimer();
    },
  };

  function drain(): void {
    again = true;
    if (draining) return;
    draining = true;
    // A listener may run others' code, which sends: what it sends waits until it has returned.
    while (again) {
      again = false;
      for (let mail = mails.shift(); mail !== undefined; mail = mails.shift()) owner.deliver(mail);
      owner.emptied();
    }
    draining = false;
    if (!stopped) schedule();
  }

  function schedule(): void {
    const now = clock.now();
    const next = owner.deadline(now);
    // A timer knows nothing of a calendar that was set: one that was made before it is made again.
    const ahead = Math.round((now - clock.elapsed()) / 1_000);
    if (next === timerAt && ahead === timerAhead) return;
    cancelTimer();
    timerAt = next;
    timerAhead = ahead;
    cancelTimer =
      next === null
        ? (): void => undefined
        : clock.after(Math.min(Math.max(0, next - now), LIMITS.timerMaxMs), tickAndDrain);
  }

  function tickAndDrain(): void {
    timerAt = null;
    owner.tick();
    drain();
  }
}
