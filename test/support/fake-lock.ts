// Fake of the Lock port: one computer in memory, and as many processes on it as a test wants.
// Time comes from the clock it is given, so that a fake clock makes a whole wait pass at once.
import type { Clock, Lock } from '../../src/main/core/base/ports.js';

export interface FakeLock extends Lock {
  /** Another process on the same computer. */
  another(): FakeLock;
  /** This process dies: what it held is free, and what it did makes no difference any more. */
  kill(): void;
  /**
   * From now on every call of this process is answered so, without waiting; null: it works again.
   */
  setRefusal(detail: string | null): void;
  /** Names that are held now, by any process. */
  readonly held: readonly string[];
  /** Names that this process asked for, in order. */
  readonly asked: readonly string[];
}

interface Waiter {
  readonly owner: object;
  readonly enter: () => void;
}

/** Without a clock it waits in real time. */
export function createFakeLock(clock: Pick<Clock, 'after'> = realTime): FakeLock {
  const holders = new Map<string, object>();
  const queues = new Map<string, Waiter[]>();

  function free(name: string, owner: object): void {
    if (holders.get(name) !== owner) return;
    holders.delete(name);
    const next = queues.get(name)?.shift();
    if (next === undefined) return;
    holders.set(name, next.owner);
    next.enter();
  }

  function start(): FakeLock {
    const calls = new Set<{ readonly name: string }>();
    const asked: string[] = [];
    let refusal: string | null = null;
    let dead = false;

    return {
      another: start,
      asked,
      get held() {
        return [...holders.keys()];
      },
      setRefusal(detail) {
        refusal = detail;
      },
      kill() {
        dead = true;
        for (const call of calls) {
          const queue = queues.get(call.name) ?? [];
          queues.set(
            call.name,
            queue.filter(({ owner }) => owner !== call),
          );
          free(call.name, call);
        }
      },
      async hold(name, limitMs, run, giveUp) {
        asked.push(name);
        if (refusal !== null) return { held: false, reason: 'unavailable', detail: refusal };
        if (dead) return await new Promise<never>(() => {});
        const call = { name };
        calls.add(call);
        const queue = queues.get(name) ?? [];
        queues.set(name, queue);
        if (!holders.has(name)) holders.set(name, call);
        else if (!(await entered(call, queues, limitMs, clock, giveUp))) {
          calls.delete(call);
          return {
            held: false,
            reason: giveUp?.aborted === true ? 'given-up' : 'busy',
            detail: 'another process holds the lock',
          };
        }
        try {
          return { held: true, value: await run() };
        } finally {
          calls.delete(call);
          free(name, call);
        }
      },
    };
  }

  return start();
}

function entered(
  call: { readonly name: string },
  queues: Map<string, Waiter[]>,
  limitMs: number,
  clock: Pick<Clock, 'after'>,
  giveUp?: AbortSignal,
): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (holds: boolean): void => {
      cancel();
      giveUp?.removeEventListener('abort', leave);
      queues.set(
        call.name,
        (queues.get(call.name) ?? []).filter(({ owner }) => owner !== call),
      );
      resolve(holds);
    };
    const leave = (): void => {
      settle(false);
    };
    const enter = (): void => {
      settle(true);
    };
    const cancel = clock.after(Math.max(limitMs, 0), leave);
    giveUp?.addEventListener('abort', leave);
    if (giveUp?.aborted === true) return leave();
    queues.get(call.name)?.push({ owner: call, enter });
  });
}

const realTime: Pick<Clock, 'after'> = {
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
};
