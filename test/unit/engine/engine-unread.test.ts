// A start at which the state file cannot be read: nobody is signed out, forgotten or taken over by
// that.
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { StateFileContent } from '../../../src/main/core/base/ports.js';
import { LIMITS } from '../../../src/main/core/base/limits.js';
import { type Bench, REDIRECT, createBench, until, stateOf } from '../../support/engine-harness.js';
import { createFakeLegacyEntries, settle } from '../../support/fakes.js';

const benches: Bench[] = [];
afterEach(async () => {
  for (const { engine, clock } of benches.splice(0)) {
    const stopping = engine.stop();
    await clock.advance(LIMITS.stopMs);
    await stopping;
  }
});

/** Ada is signed in, the app ends, and at its next start the file cannot be read. */
async function unread(
  options: Parameters<typeof createBench>[0] = {},
): Promise<{ readonly before: Bench; readonly now: Bench }> {
  const before = createBench(options);
  before.engine.start();
  await settle();
  await before.signIn();
  await before.engine.stop();
  before.file.unreadable = 'EBUSY';
  const now = before.restart();
  benches.push(now);
  now.engine.start();
  await settle();
  return { before, now };
}

const statuses = (bench: Bench): readonly string[] =>
  bench.views.map(({ status }) => status).filter((status, index, all) => status !== all[index - 1]);
const kept = (bench: Bench): readonly unknown[] =>
  (bench.file.content as StateFileContent).accounts.map(({ subject, record }) => [subject, record]);

describe('a state file that cannot be read at the start', () => {
  it('makes the view locked, with storage-failed, and never signed out', async () => {
    const { now } = await unread();
    expect(now.engine.view()).toEqual({
      status: 'locked',
      error: { code: 'storage-failed', retry: 'user', message: expect.any(String) as string },
    });
    expect(statuses(now)).toEqual(['starting', 'locked']);
  });

  it.each<[string, (bench: Bench) => void]>([
    [
      'retry()',
      ({ engine }) => {
        engine.retry();
      },
    ],
    [
      'the unlocking of the screen',
      ({ systemEvents }) => {
        systemEvents.emit('unlock');
      },
    ],
    [
      'a wake-up',
      ({ systemEvents }) => {
        systemEvents.emit('resume');
      },
    ],
  ])('is read again by %s, and the session is there without a click', async (_name, act) => {
    const { now } = await unread();
    act(now);
    await settle();
    expect(now.engine.view().status).toBe('locked');
    now.file.unreadable = null;
    act(now);
    await settle();
    expect([statuses(now), now.authority.count('authorization_code')]).toEqual([
      ['starting', 'locked', 'starting', 'signed-in'],
      1,
    ]);
    expect(await now.engine.getAccessToken()).toMatch(/^secret-access/);
  });

  it('is read again by itself, and no timer is left afterwards or after the end', async () => {
    const { now } = await unread();
    await now.clock.advance(LIMITS.stateRetryMs);
    expect(now.engine.view().status).toBe('locked');
    now.file.unreadable = null;
    await now.clock.advance(LIMITS.stateRetryMs);
    expect(now.engine.view().status).toBe('signed-in');
    const other = await unread();
    await other.now.engine.stop();
    expect(other.now.clock.pending).toBe(0);
  });

  it('is no word on who is signed in: callers and a sign-out are told that it cannot be read', async () => {
    const { now } = await unread({ accounts: 'several' });
    const { engine } = now;
    for (const call of [
      engine.getAccessToken(),
      engine.getAccessToken({ account: 'somebody' }),
      engine.switchAccount('somebody'),
      engine.signOut(),
    ]) {
      await expect(call).rejects.toMatchObject({ code: 'storage-failed', retry: 'user' });
    }
    expect(now.secrets.entries.size).toBe(1);
  });

  it('does not keep a sign-out from the account that is known by then', async () => {
    const { now } = await unread();
    now.file.unreadable = null;
    await now.engine.signOut();
    expect(now.engine.view()).toMatchObject({ status: 'signed-out', reason: 'signed-out' });
    await until(() => JSON.stringify(kept(now)) === '[["ada","none"]]', 'the removal');
    expect([now.secrets.entries.size, kept(now)]).toEqual([0, [['ada', 'none']]]);
  });

  it('lets a person sign in, says that the next start would not find it, and forgets nobody', async () => {
    const people = ['ada', 'grace'];
    const { now } = await unread({ identify: async () => ({ subject: people.shift() ?? '' }) });
    const before = structuredClone(now.file.content);
    await now.signIn();
    expect(now.engine.view()).toMatchObject({
      status: 'signed-in',
      account: { subject: 'grace' },
      remembered: false,
      error: { code: 'storage-failed' },
    });
    expect([now.file.content, now.secrets.entries.size]).toEqual([before, 2]);
    now.file.unreadable = null;
    await now.clock.advance(LIMITS.stateRetryMs);
    expect(now.engine.view()).toMatchObject({ status: 'signed-in', account: { subject: 'grace' } });
    expect(kept(now)).toEqual([
      ['ada', 'kept'],
      ['grace', 'kept'],
    ]);
  });

  it('keeps a callback that has started the app until it can be read', async () => {
    const before = createBench();
    before.engine.start();
    await settle();
    const { state } = await before.begin();
    before.kill();
    before.file.unreadable = 'EACCES';
    const now = before.restart();
    benches.push(now);
    now.engine.start();
    now.scheme.arrive(
      `${REDIRECT}?${new URLSearchParams({ code: 'good-code', state }).toString()}`,
    );
    await settle();
    expect(now.engine.view().status).toBe('locked');
    now.file.unreadable = null;
    await now.clock.advance(LIMITS.stateRetryMs);
    await vi.waitFor(() => {
      expect([now.engine.view().status, now.authority.count('authorization_code')]).toEqual([
        'signed-in',
        1,
      ]);
    });
  });

  it('begins no migration of a legacy session: the file may know somebody', async () => {
    const legacyEntries = createFakeLegacyEntries('an-old-token');
    const bench = createBench(
      {
        migrateFrom: [
          { service: 'old-app', account: 'token', read: (value) => ({ refreshToken: value }) },
        ],
      },
      { legacyEntries },
    );
    benches.push(bench);
    bench.file.unreadable = 'EIO';
    bench.engine.start();
    await settle();
    bench.engine.retry();
    bench.systemEvents.emit('unlock');
    await settle();
    expect([legacyEntries.calls, bench.engine.view().status]).toEqual([[], 'locked']);
    bench.file.unreadable = null;
    bench.engine.retry();
    await bench.clock.advance(LIMITS.keyringSlowMs);
    expect(legacyEntries.calls).not.toEqual([]);
  });

  it('is nothing while it starts: a caller waits for the first try', async () => {
    const bench = createBench();
    benches.push(bench);
    const asked = bench.engine.getAccessToken();
    expect(await stateOf(asked)).toBe('pending');
    bench.file.unreadable = 'EIO';
    bench.engine.start();
    await expect(asked).rejects.toMatchObject({ code: 'storage-failed' });
  });
});

describe('an absent state file', () => {
  it('is what it was: nobody was ever signed in', async () => {
    const bench = createBench();
    benches.push(bench);
    bench.engine.start();
    await settle();
    expect(bench.engine.view()).toEqual({ status: 'signed-out', reason: 'never' });
  });
});
