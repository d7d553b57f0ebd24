// What the pauses do to many clients at once: they spread, and stay spread. The seed is fixed and
// in every message.
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../src/main/core/base/limits.js';
import { retryEarlyAt, renewAt, retryDelayMs } from '../../../src/main/core/base/backoff.js';

const SEED = 20_260_105;
const CLIENTS = 1_000;
const BUCKETS = 20;
/** 1,000 clients in 20 buckets: 50 each; six standard deviations above is no chance any more. */
const FULLEST = 50 + 6 * Math.sqrt(50);

/** mulberry32: the product reads no randomness here, so the test brings its own. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/**
 * How many of the times fall into each equal part of [from, to]; a time outside is a failure of its
 * own.
 */
function spread(times: readonly number[], from: number, to: number): readonly number[] {
  const counts = Array.from({ length: BUCKETS }, () => 0);
  expect(Math.min(...times), `seed ${SEED}`).toBeGreaterThanOrEqual(from);
  expect(Math.max(...times), `seed ${SEED}`).toBeLessThanOrEqual(to);
  for (const time of times) {
    const bucket = Math.min(BUCKETS - 1, Math.floor(((time - from) / (to - from)) * BUCKETS));
    counts[bucket] = (counts[bucket] ?? 0) + 1;
  }
  return counts;
}

function fleet(time: (random: () => number) => number): readonly number[] {
  const random = seeded(SEED);
  return Array.from({ length: CLIENTS }, () => time(random));
}

function expectEven(times: readonly number[], from: number, to: number): void {
  const counts = spread(times, from, to);
  expect(Math.max(...counts), `seed ${SEED}`).toBeLessThanOrEqual(FULLEST);
  expect(Math.min(...counts), `seed ${SEED}`).toBeGreaterThan(0);
}

describe('1,000 clients that failed in the same instant', () => {
  it('cover the second half of each pause evenly', () => {
    for (const [failures, ceiling] of [
      [1, 2_000],
      [2, 8_000],
      [3, 32_000],
      [4, 128_000],
      [5, 512_000],
      [6, LIMITS.retryMaxMs],
      [60, LIMITS.retryMaxMs],
    ] as const) {
      expectEven(
        fleet((random) => retryDelayMs(failures, undefined, random())),
        ceiling / 2,
        ceiling,
      );
    }
  });

  it('cover the pauses of renewals in advance evenly', () => {
    expectEven(
      fleet((random) => retryDelayMs(1, undefined, random(), true)),
      64_000,
      128_000,
    );
    expectEven(
      fleet((random) => retryDelayMs(2, undefined, random(), true)),
      LIMITS.retryMaxMs / 2,
      LIMITS.retryMaxMs,
    );
  });

  it('cover as long again as the server asked for', () => {
    expectEven(
      fleet((random) => retryDelayMs(1, 60, random())),
      60_000,
      120_000,
    );
    expectEven(
      fleet((random) => retryDelayMs(1, 600, random())),
      600_000,
      1_200_000,
    );
    // Beyond the cap the spread grows no more: an hour of patience is enough.
    expectEven(
      fleet((random) => retryDelayMs(1, 3_600, random())),
      3_600_000,
      3_600_000 + LIMITS.retryMaxMs,
    );
  });

  it('cover a window evenly when callers hurry all of them, as long as a quarter of the pause is under three quarters of a minute', () => {
    expectEven(
      fleet((random) => retryEarlyAt(0, retryDelayMs(4, undefined, random()), undefined)),
      16_000,
      32_000,
    );
    expectEven(
      fleet((random) => retryEarlyAt(0, retryDelayMs(1, 60, random()), 60)),
      60_000,
      75_000,
    );
  });

  it('cover half a minute evenly when callers hurry the longest pauses, which are cut for them', () => {
    for (const failures of [5, 6, 60])
      expectEven(
        fleet((random) => retryEarlyAt(0, retryDelayMs(failures, undefined, random()), undefined)),
        LIMITS.retryEarlyMaxMs * 0.75,
        LIMITS.retryEarlyMaxMs * 1.25,
      );
    // Told the same time by the server, a few are earlier; no bucket has a fifth of all.
    const told = fleet((random) => retryEarlyAt(0, retryDelayMs(1, 3_600, random()), 3_600));
    expect(
      Math.max(...spread(told, 3_600_000, 3_600_000 + LIMITS.retryEarlyMaxMs * 1.25)),
      `seed ${SEED}`,
    ).toBeLessThan(CLIENTS / 5);
  });

  it('make no more than four tries in half an hour once the renewal began in advance', () => {
    const tries = fleet((random) => {
      let count = 1;
      for (let now = 0, failures = 1; ; failures++, count++) {
        now += retryDelayMs(failures, undefined, random(), true);
        if (now >= 1_800_000) return count;
      }
    });
    expect(Math.max(...tries), `seed ${SEED}`).toBeLessThanOrEqual(4);
  });
});

describe('1,000 clients whose tokens came in the same instant', () => {
  it('renew them evenly over half of the margin', () => {
    const times = fleet((random) =>
      renewAt({ obtainedAt: 0, expiresAt: 3_600_000, renewEarlySeconds: 300, random: random() }),
    );
    expectEven(times, 3_300_000, 3_450_000);
  });

  it('renew short ones evenly over a tenth of their life', () => {
    const times = fleet((random) =>
      renewAt({ obtainedAt: 0, expiresAt: 300_000, renewEarlySeconds: 300, random: random() }),
    );
    expectEven(times, 200_000, 230_000);
  });
});
