// Work in the background that somebody may wait for. An error of such work goes to the log, for
// nobody else hears of it.
import type { Log } from './ports.js';

export interface Pending {
  /** Never rejects; resolves when the work is over. */
  track(work: Promise<unknown>): Promise<void>;
  /** Resolves when nothing is left, also of what was tracked meanwhile. */
  settled(): Promise<void>;
}

export function createPending(log: Log): Pending {
  const running = new Set<Promise<void>>();
  return {
    track(work) {
      const tracked: Promise<void> = work
        .then(
          () => undefined,
          (error: unknown) => {
            log.write({
              level: 'error',
              event: 'internal',
              fields: { name: error instanceof Error ? error.name : 'unknown' },
            });
          },
        )
        .finally(() => {
          running.delete(tracked);
        });
      running.add(tracked);
      return tracked;
    },
    async settled() {
      while (running.size > 0) await Promise.all([...running]);
    },
  };
}
