// Waits with a limit, by the clock of the core. Ends no work: work that takes longer continues, and
// nothing waits for it.
import type { Clock } from './ports.js';

/**
 * Resolves as `work` does, or with undefined when it takes longer than `limitMs`. Rejects as `work`
 * does. Leaves no timer.
 */
export async function withTimeout<T>(
  clock: Pick<Clock, 'after'>,
  work: Promise<T>,
  limitMs: number,
): Promise<T | undefined> {
  let cancel = (): void => undefined;
  const limit = new Promise<undefined>((resolve) => {
    cancel = clock.after(limitMs, () => {
      resolve(undefined);
    });
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    cancel();
  }
}
