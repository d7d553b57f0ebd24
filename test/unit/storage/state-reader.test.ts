// When the state file is read again, and when no more.
import { describe, expect, it } from 'vitest';
import { createStateReader } from '../../../src/main/core/storage/state-reader.js';

describe('a state file that cannot be read', () => {
  it.each([
    [false, 1],
    [true, 0],
  ])('is tried again unless the app ends while it is tried (ends: %s)', async (ends, tries) => {
    let waits = 0;
    let answer = (): void => undefined;
    const load = (): Promise<void> =>
      new Promise((resolve) => {
        answer = resolve;
      });
    const reader = createStateReader(
      { load, isRead: () => false },
      {
        after: () => {
          waits += 1;
          return () => undefined;
        },
      },
    );
    const tried = reader.begin();
    if (ends) reader.stop();
    answer();
    await tried;
    expect(waits).toBe(tries);
  });
});
