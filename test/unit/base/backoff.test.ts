// When to renew and how to back off: numbers in, numbers out.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../src/main/core/base/limits.js';
import {
  hasPassed,
  retryEarlyAt,
  lifetimeSeconds,
  renewAt,
  retryAfterSeconds,
  retryDelayMs,
} from '../../../src/main/core/base/backoff.js';

const NOW = Date.UTC(2026, 0, 1);
const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe('renewAt', () => {
  it('lies inside the life of the token and never before two thirds of it are over', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: LIMITS.lifetimeMaxSeconds }),
        fc.integer({ min: 0, max: 86_400 }),
        chance,
        (life, renewEarlySeconds, random) => {
          const due = renewAt({
            obtainedAt: NOW,
            expiresAt: NOW + life * 1000,
            renewEarlySeconds,
            random,
          });
          expect(due).toBeGreaterThanOrEqual(NOW + Math.floor((life * 1000 * 2) / 3));
          expect(due).toBeLessThanOrEqual(NOW + life * 1000);
        },
      ),
    );
  });

  it('keeps the whole margin where the life allows it', () => {
    expect(
      renewAt({ obtainedAt: NOW, expiresAt: NOW + 3_600_000, renewEarlySeconds: 300, random: 0 }),
    ).toBe(NOW + 3_300_000);
  });

  it('cuts the margin to a third of a short life', () => {
    expect(
      renewAt({ obtainedAt: NOW, expiresAt: NOW + 60_000, renewEarlySeconds: 300, random: 0 }),
    ).toBe(NOW + 40_000);
  });

  it('is later by chance, so that two apps do not come at once', () => {
    const at = (random: number): number =>
      renewAt({ obtainedAt: NOW, expiresAt: NOW + 3_600_000, renewEarlySeconds: 300, random });
    expect(at(0.9)).toBeGreaterThan(at(0.1));
  });

  it('is never earlier than the margin, never later than half of it, and spread over a tenth of a short life', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: LIMITS.lifetimeMaxSeconds }),
        fc.integer({ min: 0, max: 86_400 }),
        chance,
        (life, renewEarlySeconds, random) => {
          const expiresAt = NOW + life * 1000;
          const left =
            expiresAt - renewAt({ obtainedAt: NOW, expiresAt, renewEarlySeconds, random });
          expect(left).toBeLessThanOrEqual(
            Math.ceil(Math.min(renewEarlySeconds * 1000, (life * 1000) / 3)),
          );
          expect(left).toBeGreaterThanOrEqual(
            Math.floor(Math.min(renewEarlySeconds * 1000, (life * 1000) / 3) / 2),
          );
        },
      ),
    );
    expect(
      renewAt({
        obtainedAt: NOW,
        expiresAt: NOW + 60_000,
        renewEarlySeconds: 300,
        random: 0.999999,
      }),
    ).toBe(NOW + 46_000);
  });

  it('is no time in the past when a clock went backwards', () => {
    expect(
      renewAt({ obtainedAt: NOW, expiresAt: NOW - 5_000, renewEarlySeconds: 300, random: 0.5 }),
    ).toBe(NOW);
  });
});

describe('retryDelayMs', () => {
  it('grows with the failures, never above the cap, never below half of the first pause', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000 }), chance, (failures, random) => {
        const delay = retryDelayMs(failures, undefined, random);
        expect(delay).toBeGreaterThanOrEqual(LIMITS.retryBaseMs / 2);
        expect(delay).toBeLessThanOrEqual(LIMITS.retryMaxMs);
        expect(retryDelayMs(failures + 1, undefined, random)).toBeGreaterThanOrEqual(delay);
      }),
    );
  });

  it('waits at least as long as the server asked, up to an hour', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 1, max: 1_000_000 }),
        chance,
        (failures, asked, random) => {
          expect(retryDelayMs(failures, asked, random)).toBeGreaterThanOrEqual(
            Math.min(asked * 1000, LIMITS.retryAfterMaxMs),
          );
          expect(retryDelayMs(failures, asked, random)).toBeLessThanOrEqual(
            LIMITS.retryAfterMaxMs + LIMITS.retryMaxMs,
          );
        },
      ),
    );
  });

  it('spreads a fleet that was asked to come back at the same second', () => {
    expect(retryDelayMs(3, 30, 0.9)).toBeGreaterThan(retryDelayMs(3, 30, 0.1));
  });
});

describe('retryDelayMs for a renewal in advance', () => {
  it('is as patient as any other in need, failure by failure', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10_000 }),
        fc.option(fc.integer({ min: 0, max: 1_000_000 }), { nil: undefined }),
        chance,
        (failures, asked, random) => {
          const patient = retryDelayMs(failures, asked, random, true);
          expect(patient).toBeGreaterThanOrEqual(retryDelayMs(failures, asked, random, false));
          expect(patient).toBeLessThanOrEqual(LIMITS.retryAfterMaxMs + LIMITS.retryMaxMs);
        },
      ),
    );
  });

  it('tries once more before a token of an hour is over, with the default margin', () => {
    const latestStart = renewAt({
      obtainedAt: NOW,
      expiresAt: NOW + 3_600_000,
      renewEarlySeconds: 300,
      random: 0.999999,
    });
    expect(latestStart + retryDelayMs(1, undefined, 0.999999, true)).toBeLessThan(NOW + 3_600_000);
  });

  it('goes to the cap at once when that fails too', () => {
    expect(retryDelayMs(2, undefined, 0, true)).toBe(LIMITS.retryMaxMs / 2);
    expect(retryDelayMs(2, undefined, 0, true)).toBe(retryDelayMs(50, undefined, 0, true));
  });

  it('brings an idle app back before a session of Keycloak dies of idleness', () => {
    const life = 300_000;
    const due = renewAt({
      obtainedAt: NOW,
      expiresAt: NOW + life,
      renewEarlySeconds: 300,
      random: 0.999999,
    });
    const third =
      due + retryDelayMs(1, undefined, 0.999999, true) + retryDelayMs(2, undefined, 0.999999, true);
    expect(third).toBeLessThan(NOW + 30 * 60_000);
  });
});

describe('retryDelayMs while a token has life left', () => {
  const asked = fc.option(fc.integer({ min: 0, max: 5_000 }), { nil: undefined });

  it('brings the second try before the end of the token, however short it lives, and leaves it time', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 5_000, max: 3_600_000 }),
        asked,
        chance,
        (left, seconds, random) => {
          const wish = (seconds ?? 0) * 1000;
          fc.pre(left - wish > 2 * LIMITS.retryBaseMs);
          const delay = retryDelayMs(1, seconds, random, true, left);
          expect(delay).toBeGreaterThanOrEqual(Math.max(wish, LIMITS.retryBaseMs / 2));
          expect(delay).toBeLessThanOrEqual(
            Math.max(left - LIMITS.retryReserveMs, wish + (left - wish) / 2),
          );
        },
      ),
    );
  });

  it('is no sooner than the server asked, also when the token does not last so long', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -5_000, max: 60_000 }),
        fc.integer({ min: 1, max: 3_600 }),
        chance,
        (left, seconds, random) => {
          expect(retryDelayMs(1, seconds, random, true, left)).toBeGreaterThanOrEqual(
            seconds * 1000,
          );
        },
      ),
    );
  });

  it('is as ever where the ordinary pause ends in time: a token of an hour, with the default margin', () => {
    fc.assert(
      fc.property(chance, chance, (late, random) => {
        const left =
          NOW +
          3_600_000 -
          renewAt({
            obtainedAt: NOW,
            expiresAt: NOW + 3_600_000,
            renewEarlySeconds: 300,
            random: late,
          });
        expect(retryDelayMs(1, undefined, random, true, left)).toBe(
          retryDelayMs(1, undefined, random, true),
        );
      }),
    );
  });

  it('brings it before the end of a token that has hardly any life left, too', () => {
    fc.assert(
      fc.property(fc.integer({ min: 4, max: 5_000 }), asked, chance, (left, seconds, random) => {
        const wish = Math.min((seconds ?? 0) * 1000, LIMITS.retryAfterMaxMs);
        const delay = retryDelayMs(1, seconds, random, true, wish + left);
        expect(delay).toBeGreaterThanOrEqual(wish + Math.floor(left / 4));
        expect(delay).toBeLessThan(wish + left);
      }),
    );
  });

  it('is as ever from the second failure on, and in need', () => {
    for (const random of [0, 0.5, 0.99]) {
      expect(retryDelayMs(2, undefined, random, true, 60_000)).toBe(
        retryDelayMs(2, undefined, random, true),
      );
      expect(retryDelayMs(1, undefined, random, false, 1_000)).toBe(
        retryDelayMs(1, undefined, random),
      );
    }
  });

  it('is that of a renewal in need when the token is over before anybody may ask', () => {
    for (const random of [0, 0.5, 0.99]) {
      for (const left of [0, -1])
        expect(retryDelayMs(1, undefined, random, true, left)).toBe(
          retryDelayMs(1, undefined, random),
        );
      for (const left of [0, 900, 1_000])
        expect(retryDelayMs(1, 1, random, true, left)).toBe(retryDelayMs(1, 1, random));
    }
  });

  it('is spread by chance', () => {
    expect(retryDelayMs(1, undefined, 0.9, true, 20_000)).toBeGreaterThan(
      retryDelayMs(1, undefined, 0.1, true, 20_000) + 2_000,
    );
    expect(retryDelayMs(1, 5, 0.9, true, 20_000)).toBeGreaterThan(
      retryDelayMs(1, 5, 0.1, true, 20_000) + 2_000,
    );
  });
});

describe('hasPassed', () => {
  it('is true when the time is over, and when the clock was set back behind the beginning', () => {
    expect([0, 999, 1_000, -60_000, -60_001].map((ms) => hasPassed(NOW, 1_000, NOW + ms))).toEqual([
      false,
      false,
      true,
      false,
      true,
    ]);
  });
});

describe('hurryAt', () => {
  const delays = fc.tuple(
    fc.integer({ min: 1, max: 10_000 }),
    fc.option(fc.integer({ min: 0, max: 1_000_000 }), { nil: undefined }),
    chance,
    fc.boolean(),
  );

  it('is never before the Retry-After of the server, never before the first pause, never after the next try', () => {
    fc.assert(
      fc.property(delays, ([failures, asked, random, inAdvance]) => {
        const nextTryAt = NOW + retryDelayMs(failures, asked, random, inAdvance);
        const from = retryEarlyAt(NOW, nextTryAt, asked);
        expect(from).toBeLessThanOrEqual(nextTryAt);
        expect(from).toBeGreaterThanOrEqual(
          NOW + Math.min((asked ?? 0) * 1000, LIMITS.retryAfterMaxMs),
        );
        expect(from).toBeGreaterThanOrEqual(Math.min(nextTryAt, NOW + LIMITS.retryBaseMs));
      }),
    );
  });

  it('keeps people at work waiting for a minute and a quarter at most when the server names no time', () => {
    fc.assert(
      fc.property(delays, ([failures, , random, inAdvance]) => {
        expect(
          retryEarlyAt(NOW, NOW + retryDelayMs(failures, undefined, random, inAdvance), undefined),
        ).toBeLessThanOrEqual(NOW + LIMITS.retryEarlyMaxMs * 1.25);
      }),
    );
  });

  it('spreads callers whom the server told the same time', () => {
    const at = (random: number): number => retryEarlyAt(NOW, NOW + retryDelayMs(1, 60, random), 60);
    expect(at(0.9)).toBeGreaterThan(at(0.1));
  });
});

describe('lifetimeSeconds', () => {
  it.each([
    [300, 300],
    [0, 0],
    [undefined, LIMITS.assumedLifetimeSeconds],
    [-1, LIMITS.assumedLifetimeSeconds],
    [Number.NaN, LIMITS.assumedLifetimeSeconds],
    [Infinity, LIMITS.assumedLifetimeSeconds],
    [1e12, LIMITS.lifetimeMaxSeconds],
  ])('reads an expires_in of %s as %s seconds', (given, expected) => {
    expect(lifetimeSeconds(given)).toBe(expected);
  });
});

describe('retryAfterSeconds', () => {
  it.each([
    ['120', 120],
    [' 7 ', 7],
    ['0', 0],
    [new Date(NOW + 90_000).toUTCString(), 90],
    [new Date(NOW - 90_000).toUTCString(), 0],
    [null, undefined],
    ['', undefined],
    ['soon', undefined],
    ['1.5.7', undefined],
  ])('reads "%s" as %s', (header, expected) => {
    expect(retryAfterSeconds(header, NOW)).toBe(expected);
  });

  it('throws for no header and never asks for less than nothing', () => {
    fc.assert(
      fc.property(fc.string(), (header) => {
        const seconds = retryAfterSeconds(header, NOW);
        expect(seconds === undefined || seconds >= 0).toBe(true);
      }),
    );
  });
});
