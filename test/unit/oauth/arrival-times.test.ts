// When a token answer came, and since when its tokens live, with clocks that jump in between.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { earliestStart, latestStart, timesOf } from '../../../src/main/core/oauth/arrival-times.js';

const NOW = Date.UTC(2026, 0, 1);
const LIMIT_SECONDS = 15;
const at = (requestedAt: number, answeredAt: number) =>
  timesOf(new Response(), requestedAt, answeredAt);

describe('a token', () => {
  it('lives since it was asked for', () => {
    expect(earliestStart(at(NOW, NOW + 2_000))).toBe(NOW);
    expect(latestStart(at(NOW, NOW + 2_000), LIMIT_SECONDS)).toBe(NOW);
  });

  it('never lives from a time in the future on, whatever the clock did meanwhile', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer(), (asked, answered) => {
        const times = at(asked, answered);
        expect(earliestStart(times)).toBeLessThanOrEqual(answered);
        expect(latestStart(times, LIMIT_SECONDS)).toBeLessThanOrEqual(answered);
        expect(latestStart(times, LIMIT_SECONDS)).toBeGreaterThanOrEqual(earliestStart(times));
      }),
    );
  });

  it('that cannot be renewed is not ended by a clock that was set forward during the request', () => {
    expect(latestStart(at(NOW, NOW + 86_400_000), LIMIT_SECONDS)).toBe(
      NOW + 86_400_000 - LIMIT_SECONDS * 1000,
    );
  });
});

describe('the clock of the server', () => {
  it('is the Date of this very answer, or not known', () => {
    const answer = (headers: Record<string, string>) =>
      timesOf(new Response(null, { headers }), NOW, NOW).server;
    expect(answer({ date: new Date(NOW - 5_000).toUTCString() })).toBe(NOW - 5_000);
    expect([answer({}), answer({ date: new Date(NOW).toUTCString(), age: '5' })]).toEqual([
      null,
      null,
    ]);
  });
});
