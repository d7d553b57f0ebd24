// A calendar that is set while the app runs: no token is given out beyond its life, and no timer
// waits by the old calendar.
import { describe, expect, it } from 'vitest';
import { createSetBackWatch } from '../../../src/main/core/session/set-back.js';
import { type Bench, ISSUER, createBench, until } from '../../support/engine-harness.js';
import { createFakeClock, settle } from '../../support/fakes.js';

const MINUTE = 60_000;

async function signedIn(options: Parameters<typeof createBench>[0] = {}): Promise<Bench> {
  const bench = createBench(options);
  bench.engine.start();
  await until(() => bench.engine.view().status !== 'starting', 'the start');
  await bench.signIn();
  return bench;
}

const back = (bench: Bench, ms: number): void => {
  bench.clock.jumpTo(bench.clock.now() - ms);
};
const renewals = (bench: Bench): number => bench.authority.count('refresh_token');

describe('a token of an hour', () => {
  it.each([2, 20, 29])(
    'that is half an hour old when the calendar goes back by %i minutes is renewed at the next call',
    async (minutes) => {
      const bench = await signedIn();
      const old = await bench.engine.getAccessToken();
      await bench.clock.advance(30 * MINUTE);
      back(bench, minutes * MINUTE);
      expect(await bench.engine.getAccessToken()).not.toBe(old);
      // The next process reads times of the new calendar.
      const next = bench.restart();
      next.engine.start();
      await until(() => next.engine.view().status === 'signed-in', 'the session');
      expect(await next.engine.getAccessToken()).not.toBe(old);
      expect(renewals(bench)).toBe(1);
    },
  );

  it.each([2_000, 59_000])(
    'keeps its own end when the calendar goes back by %i ms, and costs no renewal before',
    async (ms) => {
      const bench = await signedIn();
      const old = await bench.engine.getAccessToken();
      await bench.clock.advance(30 * MINUTE);
      back(bench, ms);
      expect([await bench.engine.getAccessToken(), renewals(bench)]).toEqual([old, 0]);
      await bench.clock.advance(30 * MINUTE - 1_000);
      expect(await bench.engine.getAccessToken()).not.toBe(old);
    },
  );

  it('is over at its own end also when no network renews it', async () => {
    const bench = await signedIn();
    await bench.clock.advance(30 * MINUTE);
    bench.authority.online = false;
    back(bench, 20 * MINUTE);
    await expect(bench.engine.getAccessToken()).resolves.toBeTypeOf('string');
    await bench.clock.advance(30 * MINUTE);
    await expect(bench.engine.getAccessToken()).rejects.toMatchObject({ code: 'network-failed' });
  });

  it('is given out no longer for one API than for another', async () => {
    const bench = await signedIn();
    const old = await bench.engine.getAccessToken({ scopes: ['read'] });
    await bench.clock.advance(30 * MINUTE);
    back(bench, 20 * MINUTE);
    await bench.clock.advance(31 * MINUTE);
    expect(await bench.engine.getAccessToken({ scopes: ['read'] })).not.toBe(old);
  });
});

describe('a timer that was made before the calendar went forward', () => {
  it('does not hold up a question about a device code', async () => {
    const bench = await signedIn({
      redirects: ['com.example.app:/callback', 'device-code'],
      endpoints: {
        authorization: `${ISSUER}/authorize`,
        token: `${ISSUER}/token`,
        deviceAuthorization: `${ISSUER}/device`,
      },
    });
    await bench.clock.advance(5 * MINUTE);
    bench.clock.jumpTo(bench.clock.now() + 54 * MINUTE);
    const asked = bench.authority.tokenForms.length;
    await bench.begin();
    bench.engine.tryAnotherWay();
    await settle();
    await bench.clock.advance(MINUTE);
    expect(bench.authority.tokenForms.length - asked).toBeGreaterThan(5);
  });
});

describe('the watch', () => {
  it('tells each set-back once, gathers small ones, and takes no step forward for one', () => {
    const clock = createFakeClock();
    const wasSetBackBy = createSetBackWatch(clock);
    const jump = (ms: number): number => {
      clock.jumpTo(clock.now() + ms);
      return wasSetBackBy();
    };
    expect([
      jump(-5_000),
      jump(0),
      jump(86_400_000),
      jump(-900),
      jump(-900),
      jump(0),
      jump(-1),
    ]).toEqual([5_000, 0, 0, 0, 1_800, 0, 0]);
  });
});
