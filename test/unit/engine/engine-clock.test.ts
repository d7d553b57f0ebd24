// A whole engine whose tokens are short, or whose calendar is set back: nobody loses a token to one
// bad answer, nothing spins, and nothing waits a month for what was due in half a minute.
import { describe, expect, it } from 'vitest';
import { AuthError } from '../../../src/main/core/base/errors.js';
import { LIMITS } from '../../../src/main/core/base/limits.js';
import { type Bench, createBench, until } from '../../support/engine-harness.js';
import { settle } from '../../support/fakes.js';

const MINUTE = 60_000;
const MONTH = 30 * 24 * 60 * MINUTE;

async function started(bench: Bench): Promise<Bench> {
  bench.engine.start();
  await until(() => bench.engine.view().status !== 'starting', 'the start');
  return bench;
}

async function signedIn(lifeSeconds = 3_600): Promise<Bench> {
  const bench = await started(createBench());
  bench.authority.lifeSeconds = lifeSeconds;
  await bench.signIn();
  await settle();
  return bench;
}

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'a token',
    (error: unknown) => (error instanceof AuthError ? error.code : 'no AuthError'),
  );

/** What a caller is told who asks once a second. */
async function callsFor(bench: Bench, seconds: number): Promise<readonly string[]> {
  const told = new Set<string>();
  for (let second = 0; second < seconds; second += 1) {
    await bench.clock.advance(1_000);
    const call = codeOf(bench.engine.getAccessToken());
    await settle();
    told.add(await Promise.race([call, Promise.resolve('waits')]));
  }
  return [...told];
}

describe('a token of a minute', () => {
  it.each<[string, () => Response]>([
    ['one 500', () => new Response('', { status: 500 })],
    [
      'one 503 with Retry-After: 1',
      () => new Response('', { status: 503, headers: { 'retry-after': '1' } }),
    ],
    [
      'one 429 with Retry-After: 5',
      () => new Response('', { status: 429, headers: { 'retry-after': '5' } }),
    ],
  ])('is never missing because of %s', async (_what, answer) => {
    const bench = await signedIn(60);
    for (let round = 1; round <= 5; round += 1) {
      bench.authority.answerNext(answer);
      expect(await callsFor(bench, 60)).toEqual(['a token']);
    }
    expect(bench.authority.reused).toEqual([]);
  });
});

describe.each([5, 6, 8, 30])('a token of %i seconds', (life) => {
  it('is never missing because of one 500', async () => {
    const bench = await signedIn(life);
    for (let round = 1; round <= 5; round += 1) {
      bench.authority.answerNext(() => new Response('', { status: 500 }));
      expect(await callsFor(bench, 4 * life)).toEqual(['a token']);
    }
    expect(bench.authority.reused).toEqual([]);
  });

  it('is missing for no longer than a server asks for, and as long again, with one Retry-After: 1', async () => {
    const bench = await signedIn(life);
    for (let round = 1; round <= 5; round += 1) {
      bench.authority.answerNext(
        () => new Response('', { status: 503, headers: { 'retry-after': '1' } }),
      );
      await callsFor(bench, life + 3);
      expect(await callsFor(bench, life)).toEqual(['a token']);
    }
  });
});

function waits(bench: Bench): boolean {
  const view = bench.engine.view();
  return view.status === 'signed-in' && view.renewal.state === 'waiting';
}

describe('a calendar that goes back by a month', () => {
  const back = (bench: Bench): void => {
    bench.clock.jumpTo(bench.clock.now() - MONTH);
  };
  /** What the keyring and the provider are asked in an hour. */
  async function asked(bench: Bench): Promise<readonly [keyring: number, requests: number]> {
    const before = [bench.secrets.calls.length, bench.authority.asked] as const;
    // WebCrypto and the loading of modules take real time, and no virtual minute waits for them.
    for (let minute = 0; minute < 60; minute += 1) {
      await bench.clock.advance(MINUTE);
      await settle();
    }
    return [bench.secrets.calls.length - before[0], bench.authority.asked - before[1]];
  }

  it('ends an attempt that nobody finishes after its time, once more', async () => {
    const bench = await started(createBench());
    const { done } = await bench.begin();
    const code = codeOf(done);
    back(bench);
    await bench.clock.advance(10 * MINUTE + 1_000);
    expect(await Promise.race([code, Promise.resolve('waits')])).toBe('sign-in-expired');
    expect(bench.clock.pending).toBe(0);
  });

  it('lets the person of an open attempt come back', async () => {
    const bench = await started(createBench());
    const { done, state } = await bench.begin();
    back(bench);
    await bench.clock.advance(4 * MINUTE);
    bench.comeBack(state);
    expect(await codeOf(done)).toBe('a token');
    expect(await codeOf(bench.engine.getAccessToken())).toBe('a token');
  });

  it('asks a locked keyring for the callback that it holds once, and not all the time', async () => {
    const before = await started(createBench());
    const { state } = await before.begin();
    await settle();
    before.kill();
    const bench = before.restart();
    bench.secrets.setMode('locked');
    await started(bench);
    bench.comeBack(state);
    await settle();
    back(bench);
    const [keyring] = await asked(bench);
    expect(keyring).toBeLessThanOrEqual(2);
    expect(bench.engine.view()).toMatchObject({ error: { code: 'sign-in-expired' } });
  });

  it('stores a session that no keyring took as soon as one does, and asks no more often than before', async () => {
    const bench = await started(createBench());
    bench.secrets.setMode('locked');
    await bench.signIn();
    await settle();
    back(bench);
    const [keyring] = await asked(bench);
    expect(keyring).toBeLessThanOrEqual((3 * (60 * MINUTE)) / LIMITS.storeRetryMs);
    bench.secrets.setMode('works');
    await bench.clock.advance(LIMITS.storeRetryMs);
    await until(() => {
      const view = bench.engine.view();
      return view.status === 'signed-in' && view.remembered;
    }, 'the storing');
  });

  it('tries a renewal that waits within its pause, and makes no storm of it', async () => {
    const bench = await signedIn();
    bench.authority.online = false;
    await bench.clock.advance(70 * MINUTE);
    await until(() => waits(bench), 'the wait');
    back(bench);
    const [, requests] = await asked(bench);
    expect(requests).toBeGreaterThan(1);
    expect(requests).toBeLessThan(15);
    bench.authority.online = true;
    await bench.clock.advance(LIMITS.retryMaxMs);
    expect(await codeOf(bench.engine.getAccessToken())).toBe('a token');
  });
});
