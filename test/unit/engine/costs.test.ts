// What Latchkey costs, counted: requests, keyring calls, writes of the file, views, timers.
// Milliseconds are for the bench.
import { describe, expect, it } from 'vitest';
import { type Bench, createBench, until } from '../../support/engine-harness.js';
import { settle } from '../../support/fakes.js';

const HOUR = 3_600_000;

interface Bill {
  readonly tokenRequests: number;
  readonly keyringReads: number;
  readonly keyringWrites: number;
  readonly fileWrites: number;
  readonly views: number;
}

const count = ({ authority, secrets, file, views }: Bench): Bill => ({
  tokenRequests: authority.tokenForms.length,
  keyringReads: secrets.calls.filter((call) => call.startsWith('read')).length,
  keyringWrites: secrets.calls.filter((call) => call.startsWith('write')).length,
  fileWrites: file.saves.length,
  views: views.length,
});

/** What this costs the process. */
async function bill(bench: Bench, run: () => Promise<unknown>): Promise<Bill> {
  const before = count(bench);
  await run();
  await settle();
  const after = count(bench);
  return Object.fromEntries(
    Object.entries(after).map(([name, value]) => [name, value - before[name as keyof Bill]]),
  ) as unknown as Bill;
}

async function started(bench: Bench): Promise<Bench> {
  bench.engine.start();
  await until(() => bench.engine.view().status !== 'starting', 'the start');
  return bench;
}

async function signedIn(): Promise<Bench> {
  const bench = await started(createBench());
  await bench.signIn();
  await settle();
  return bench;
}

describe('the cost', () => {
  it('of a start with nobody signed in is nothing', async () => {
    const bench = createBench();
    expect(await bill(bench, () => started(bench))).toEqual({
      tokenRequests: 0,
      keyringReads: 0,
      keyringWrites: 0,
      fileWrites: 0,
      views: 1,
    });
    expect(bench.clock.pending).toBe(0);
  });

  it('of a start with a stored token that is still good is one reading of the keyring, and no request', async () => {
    const before = await signedIn();
    await before.engine.stop();
    const bench = before.restart();
    expect(
      await bill(bench, async () => {
        await started(bench);
        await bench.engine.getAccessToken();
      }),
    ).toEqual({ tokenRequests: 0, keyringReads: 1, keyringWrites: 0, fileWrites: 0, views: 1 });
  });

  it('of a renewal is one request, one reading and one writing of the keyring, and two views', async () => {
    const bench = await signedIn();
    bench.clock.jumpTo(bench.clock.now() + 2 * HOUR);
    expect(await bill(bench, () => bench.engine.getAccessToken())).toEqual({
      tokenRequests: 1,
      keyringReads: 1,
      keyringWrites: 1,
      fileWrites: 0,
      views: 2,
    });
  });

  it('of a thousand callers at once is that of one', async () => {
    const bench = await signedIn();
    bench.clock.jumpTo(bench.clock.now() + 2 * HOUR);
    expect(
      await bill(bench, () =>
        Promise.all(Array.from({ length: 1_000 }, () => bench.engine.getAccessToken())),
      ),
    ).toEqual({ tokenRequests: 1, keyringReads: 1, keyringWrites: 1, fileWrites: 0, views: 2 });
  });

  it('of a token at hand is nothing at all, however often it is asked for', async () => {
    const bench = await signedIn();
    expect(
      await bill(bench, async () => {
        for (let call = 0; call < 1_000; call += 1) await bench.engine.getAccessToken();
      }),
    ).toEqual({ tokenRequests: 0, keyringReads: 0, keyringWrites: 0, fileWrites: 0, views: 0 });
  });

  it('of being signed in and idle is one timer', async () => {
    const bench = await signedIn();
    expect(bench.clock.pending).toBe(1);
  });
});
