// Sessions that several processes share, and sessions that sleep: one token request, no lost
// session, and nothing begun at the end.
import { describe, expect, it } from 'vitest';
import type { AuthView } from '../../../src/contract.js';
import { AuthError } from '../../../src/main/core/base/errors.js';
import { LIMITS } from '../../../src/main/core/base/limits.js';
import { toAccount } from '../../../src/main/core/oauth/identity.js';
import type { StateFileContent } from '../../../src/main/core/base/ports.js';
import { parseStateFileContent } from '../../../src/main/core/storage/records.js';
import { type Bench, ISSUER, createBench, stateOf, until } from '../../support/engine-harness.js';
import { settle } from '../../support/fakes.js';
import { sessionLock, renewalLockWaitMs } from '../../../src/main/core/storage/record-lock.js';

const HOUR = 3_600_000;
const LOCK_WAIT_MS = renewalLockWaitMs({ networkTimeoutSeconds: 15 });

async function started(bench: Bench): Promise<Bench> {
  bench.engine.start();
  await until(() => bench.engine.view().status !== 'starting', 'the start');
  return bench;
}

async function signedIn(bench: Bench = createBench()): Promise<Bench> {
  await started(bench);
  await bench.signIn();
  await settle();
  return bench;
}

/** So many processes that share one account. */
async function processes(count: number): Promise<readonly Bench[]> {
  const first = await signedIn();
  const others: Bench[] = [];
  while (others.length < count - 1) others.push(await started(first.another()));
  for (const bench of others) await until(() => bench.engine.view().status === 'signed-in');
  return [first, ...others];
}

const live = (bench: Bench): Extract<AuthView, { status: 'signed-in' }> => {
  const view = bench.engine.view();
  if (view.status !== 'signed-in')
    throw new Error(`signed in was expected, not ${JSON.stringify(view)}`);
  return view;
};
const keyOf = (bench: Bench): string =>
  [...bench.secrets.entries.keys()].find((key) => key.startsWith('session:'))!;
const lockOf = (bench: Bench): string => sessionLock('me', keyOf(bench).slice('session:'.length));
const record = (bench: Bench): { refreshToken: string; access: { token: string } } =>
  JSON.parse(bench.secrets.entries.get(keyOf(bench))!) as never;
const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'resolved',
    (error: unknown) => (error instanceof AuthError ? error.code : 'no AuthError'),
  );
const sleep = (bench: Bench, ms: number): void => {
  bench.clock.jumpTo(bench.clock.now() + ms);
};
const renewals = (bench: Bench): number => bench.authority.count('refresh_token');

describe('two processes on one account', () => {
  it('cost one token request when both are asked for a token that is due, and both have the new one', async () => {
    const [a, b] = (await processes(2)) as [Bench, Bench];
    sleep(a, 2 * HOUR);
    const tokens = await Promise.all([a.engine.getAccessToken(), b.engine.getAccessToken()]);
    expect([new Set(tokens).size, renewals(a), a.authority.reused]).toEqual([1, 1, []]);
    expect(tokens[0]).toBe(record(a).access.token);
  });

  it('cost one request each time, twenty times, with fifty callers in each of four', async () => {
    const all = await processes(4);
    for (let round = 1; round <= 20; round += 1) {
      sleep(all[0]!, 2 * HOUR);
      const tokens = await Promise.all(
        all.flatMap(({ engine }) => Array.from({ length: 50 }, () => engine.getAccessToken())),
      );
      expect([new Set(tokens).size, renewals(all[0]!)]).toEqual([1, round]);
    }
    expect(all[0]!.authority.reused).toEqual([]);
  });

  it("take turns also when the second comes while the first one's request is under way", async () => {
    const [a, b] = (await processes(2)) as [Bench, Bench];
    sleep(a, 2 * HOUR);
    const release = a.authority.hold();
    const first = a.engine.getAccessToken();
    await until(() => renewals(a) === 1);
    const second = b.engine.getAccessToken();
    await settle();
    expect([renewals(a), await stateOf(second)]).toEqual([1, 'pending']);
    release();
    expect(await second).toBe(await first);
    expect(renewals(a)).toBe(1);
  });

  it('renew with the newer refresh token when the access token beside it is due, too', async () => {
    const [a, b] = (await processes(2)) as [Bench, Bench];
    sleep(a, 2 * HOUR);
    await a.engine.getAccessToken();
    const newer = record(a).refreshToken;
    sleep(a, 2 * HOUR);
    await b.engine.getAccessToken();
    expect(b.authority.tokenForms.at(-1)?.get('refresh_token')).toBe(newer);
    expect(b.authority.reused).toEqual([]);
  });

  it('are not signed out by invalid_grant while a newer record is there', async () => {
    const [a, b] = (await processes(2)) as [Bench, Bench];
    sleep(a, 2 * HOUR);
    // Somebody who knows no lock renews while the request of this process is under way.
    const release = b.authority.hold();
    const token = b.engine.getAccessToken();
    await until(() => renewals(b) === 1);
    const found = {
      ...(JSON.parse(a.secrets.entries.get(keyOf(a))!) as object),
      refreshToken: 'secret-newer',
      access: {
        token: 'secret-elsewhere',
        obtainedAt: a.clock.now(),
        expiresAt: a.clock.now() + HOUR,
      },
    };
    a.secrets.entries.set(keyOf(a), JSON.stringify(found));
    a.authority.revokeAll();
    release();
    expect(await token).toBe('secret-elsewhere');
    expect([live(b).renewal.state, renewals(b)]).toEqual(['fresh', 1]);
    expect(b.log.names()).toContain('renewed-elsewhere');
  });

  it('are signed out by invalid_grant when the record is the same', async () => {
    const [a, b] = (await processes(2)) as [Bench, Bench];
    sleep(a, 2 * HOUR);
    a.authority.revokeAll();
    expect(
      await Promise.all([codeOf(a.engine.getAccessToken()), codeOf(b.engine.getAccessToken())]),
    ).toEqual(['session-ended', 'session-ended']);
    expect([
      a.secrets.entries.size,
      (a.file.content as StateFileContent).accounts[0]?.record,
    ]).toEqual([1, 'refused']);
  });

  it('go on when the one that renews is killed while its request is under way', async () => {
    const [a, b] = (await processes(2)) as [Bench, Bench];
    sleep(a, 2 * HOUR);
    const release = a.authority.hold();
    void codeOf(a.engine.getAccessToken());
    await until(() => renewals(a) === 1);
    a.kill();
    a.authority.answerNext(() => new Response('', { status: 503 }));
    release();
    await settle();
    expect(await b.engine.getAccessToken()).toMatch(/^secret-access/);
    expect(b.authority.reused).toEqual([]);
  });

  it('lose no word of each other in the file', async () => {
    const first = await started(createBench());
    const second = await started(first.another());
    await first.signIn();
    await second.begin();
    await settle();
    await until(() => (second.file.content as StateFileContent).attempts.length === 1);
    expect((second.file.content as StateFileContent).accounts).toMatchObject([
      { subject: 'ada', record: 'kept' },
    ]);
    second.engine.cancelSignIn();
    await until(() => (second.file.content as StateFileContent).attempts.length === 0);
    await first.engine.stop();
    await second.engine.stop();
    const next = await started(first.restart());
    expect(live(next).account.subject).toBe('ada');
  });
});

describe('a lock that somebody never lets go', () => {
  it('makes a renewal busy after its limit, keeps the session, and is fine later', async () => {
    const bench = await signedIn();
    let letGo = (): void => {};
    void bench.lock.another().hold(
      lockOf(bench),
      0,
      () =>
        new Promise<void>((resolve) => {
          letGo = resolve;
        }),
    );
    sleep(bench, 2 * HOUR);
    const token = codeOf(bench.engine.getAccessToken());
    await bench.clock.advance(LOCK_WAIT_MS - 1);
    expect(live(bench).renewal.state).toBe('renewing');
    await bench.clock.advance(1);
    expect(await token).toBe('session-busy');
    expect(live(bench).renewal).toMatchObject({
      state: 'waiting',
      error: { code: 'session-busy', retry: 'automatic' },
    });
    expect([renewals(bench), bench.secrets.entries.size]).toEqual([0, 1]);
    letGo();
    await bench.clock.advance(LIMITS.retryMaxMs);
    expect([live(bench).renewal.state, renewals(bench)]).toEqual(['fresh', 1]);
  });

  it('holds up no renewal where the system gives no lock at all', async () => {
    const bench = await signedIn();
    bench.lock.setRefusal('no folder');
    sleep(bench, 2 * HOUR);
    expect(await bench.engine.getAccessToken()).toMatch(/^secret-access/);
    expect(bench.log.names()).toContain('lock-not-held');
  });

  it('holds up no sign-out for longer than its limit, and the file says at once that it is owed', async () => {
    const bench = await signedIn();
    void bench.lock.another().hold(lockOf(bench), 0, () => new Promise<void>(() => {}));
    const done = bench.engine.signOut();
    await settle();
    expect([
      bench.engine.view().status,
      (bench.file.content as StateFileContent).accounts[0]?.record,
    ]).toEqual(['signed-out', 'removal-owed']);
    await bench.clock.advance(LIMITS.keyringWriteSlowMs);
    await done;
    await settle();
    expect(bench.secrets.entries.size).toBe(0);
  });
});

describe('a start with a stored access token', () => {
  it('that is still good gives it at once, without network and without a request', async () => {
    const before = await signedIn();
    const token = await before.engine.getAccessToken();
    await before.engine.stop();
    const bench = before.restart();
    bench.authority.online = false;
    const asked = bench.engine.getAccessToken();
    await started(bench);
    expect(await asked).toBe(token);
    await settle();
    expect([bench.authority.tokenForms.length, live(bench).renewal.state]).toEqual([1, 'fresh']);
  });

  it('that is over renews first', async () => {
    const before = await signedIn();
    const token = await before.engine.getAccessToken();
    await before.engine.stop();
    sleep(before, HOUR);
    const bench = await started(before.restart());
    expect(await bench.engine.getAccessToken()).not.toBe(token);
    expect(renewals(bench)).toBe(1);
  });

  it('that is due but not over gives it, and renews within a second or two', async () => {
    const before = await signedIn();
    const token = await before.engine.getAccessToken();
    await before.engine.stop();
    sleep(before, HOUR - 30_000);
    const bench = await started(before.restart());
    expect(await bench.engine.getAccessToken()).toBe(token);
    await bench.clock.advance(2_000);
    await until(() => live(bench).renewal.state === 'fresh', 'the renewal');
    expect(renewals(bench)).toBe(1);
  });

  it('that is damaged renews, and keeps the refresh token', async () => {
    const before = await signedIn();
    await before.engine.stop();
    const bench = before.restart();
    bench.secrets.entries.set(
      keyOf(bench),
      JSON.stringify({ ...record(bench), access: { token: 7 } }),
    );
    await started(bench);
    expect(await bench.engine.getAccessToken()).toMatch(/^secret-access/);
    expect([renewals(bench), bench.authority.reused]).toEqual([1, []]);
  });
});

describe('a laptop that sleeps', () => {
  it('for 8 hours, wakes without network and is online after 30 s: signed in all along, one renewal', async () => {
    const bench = await signedIn();
    const views = bench.views.length;
    bench.authority.online = false;
    sleep(bench, 8 * HOUR);
    bench.systemEvents.emit('resume');
    await settle();
    expect(live(bench).renewal).toMatchObject({
      state: 'waiting',
      error: { code: 'network-failed' },
    });
    expect(bench.systemEvents.watched.at(-1)).toBe(true);
    bench.systemEvents.emit('unlock');
    await bench.clock.advance(30_000);
    expect(live(bench).renewal.state).toBe('waiting');
    bench.authority.online = true;
    const before = bench.authority.issued.length;
    bench.systemEvents.emit('online');
    await until(() => live(bench).renewal.state === 'fresh');
    await bench.clock.advance(60_000);
    expect(bench.views.slice(views).map(({ status }) => status)).not.toContain('signed-out');
    expect([
      bench.authority.issued.length - before,
      bench.authority.reused,
      bench.systemEvents.watched.at(-1),
    ]).toEqual([2, [], false]);
  });

  it('renews at once at the resume when the network is there', async () => {
    const bench = await signedIn();
    sleep(bench, 8 * HOUR);
    bench.systemEvents.emit('resume');
    await until(() => renewals(bench) === 1 && live(bench).renewal.state === 'fresh');
    bench.systemEvents.emit('unlock');
    bench.systemEvents.emit('online');
    await settle();
    expect(renewals(bench)).toBe(1);
  });

  it('wakes before its renewal is due, and renews in time though its timer slept, too', async () => {
    const bench = await signedIn();
    sleep(bench, HOUR - 10 * 60_000);
    bench.systemEvents.emit('resume');
    await settle();
    expect(renewals(bench)).toBe(0);
    await bench.clock.advance(10 * 60_000 - 1);
    expect(renewals(bench)).toBe(1);
  });

  it('with an attempt that is over by the wall clock ends it at the resume', async () => {
    const bench = await started(createBench());
    const { done } = await bench.begin();
    sleep(bench, HOUR);
    bench.systemEvents.emit('resume');
    expect(await codeOf(done)).toBe('sign-in-expired');
  });

  it('unlocks its keyring with its screen, and is signed in without a click', async () => {
    const before = await signedIn();
    await before.engine.stop();
    const bench = before.restart();
    bench.secrets.setMode('locked');
    await started(bench);
    expect(bench.engine.view().status).toBe('locked');
    bench.secrets.setMode('works');
    bench.systemEvents.emit('resume');
    await settle();
    expect(bench.engine.view().status).toBe('locked');
    bench.systemEvents.emit('unlock');
    await until(() => bench.engine.view().status === 'signed-in');
  });

  it('watches the network only while a renewal waits for it', async () => {
    const bench = await signedIn();
    sleep(bench, 2 * HOUR);
    bench.authority.answerNext(() => new Response('', { status: 503 }));
    await codeOf(bench.engine.getAccessToken());
    expect(bench.systemEvents.watched).toEqual([false]);
    bench.authority.online = false;
    await bench.clock.advance(LIMITS.retryMaxMs);
    expect(bench.systemEvents.watched.at(-1)).toBe(true);
    await bench.engine.stop();
    expect(bench.systemEvents.stopped).toBe(true);
  });

  it('whose clock was set back a day renews within an hour, and gives no token of unknown age', async () => {
    const bench = await signedIn();
    sleep(bench, -24 * HOUR);
    await bench.clock.advance(LIMITS.timerMaxMs);
    // WebCrypto answers when it likes.
    await until(() => live(bench).renewal.state === 'fresh', 'the end of the renewal');
    expect(renewals(bench)).toBe(1);
    sleep(bench, -24 * HOUR);
    const old = record(bench).access.token;
    expect(await bench.engine.getAccessToken()).not.toBe(old);
  });
});

describe('a session that no keyring took', () => {
  async function unstored(): Promise<Bench> {
    const bench = createBench();
    bench.secrets.setMode('unavailable');
    await signedIn(bench);
    expect(live(bench)).toMatchObject({ remembered: false, store: 'memory' });
    bench.secrets.setMode('works');
    return bench;
  }

  it('is stored by itself when the time to try again has come', async () => {
    const bench = await unstored();
    await bench.clock.advance(LIMITS.storeRetryMs - 1);
    expect(live(bench).remembered).toBe(false);
    await bench.clock.advance(1);
    expect(live(bench)).toMatchObject({ remembered: true, store: 'keychain' });
    expect(record(bench).refreshToken).toBe('secret-refresh-1');
  });

  it('is stored at a wake-up', async () => {
    const bench = await unstored();
    bench.systemEvents.emit('unlock');
    await until(() => live(bench).remembered);
  });

  it('is stored with the next renewal, and is restored by the next process', async () => {
    const bench = await unstored();
    sleep(bench, 2 * HOUR);
    await bench.engine.getAccessToken();
    await until(() => live(bench).remembered);
    await bench.engine.stop();
    const next = await started(bench.restart());
    expect(live(next).remembered).toBe(true);
  });
});

describe('an end of the session', () => {
  it('comes with the second refusal only, and the record stays', async () => {
    const bench = await signedIn(
      createBench({
        endpoints: {
          authorization: 'https://id.example/authorize',
          token: 'https://id.example/token',
        },
      }),
    );
    const refuse = (): Response => Response.json({ error: 'invalid_request' }, { status: 400 });
    bench.authority.answerNext(refuse);
    bench.authority.answerNext(refuse);
    sleep(bench, 2 * HOUR);
    expect(await codeOf(bench.engine.getAccessToken())).toBe('sign-in-refused');
    expect(live(bench).renewal.state).toBe('waiting');
    await bench.clock.advance(60_000);
    expect(bench.engine.view()).toMatchObject({
      status: 'signed-out',
      reason: 'ended',
      lastAccount: { subject: 'ada' },
      error: { code: 'session-ended', serverError: 'invalid_request' },
    });
    await settle();
    expect([
      bench.secrets.entries.size,
      parseStateFileContent(bench.file.content)?.accounts[0]?.record,
    ]).toEqual([1, 'suspended']);
  });

  it('after a lost answer says that it was lost', async () => {
    const bench = await signedIn();
    sleep(bench, 2 * HOUR);
    bench.authority.loseNext();
    expect(await codeOf(bench.engine.getAccessToken())).toBe('network-failed');
    await bench.clock.advance(60_000);
    expect(bench.engine.view()).toMatchObject({
      status: 'signed-out',
      error: {
        code: 'session-ended',
        message: expect.stringContaining('was lost on the way') as string,
      },
    });
  });
});

describe('stop', () => {
  it('while a renewal waits for its lock begins no request, and is over in time', async () => {
    const bench = await signedIn();
    let letGo = (): void => {};
    void bench.lock.another().hold(
      lockOf(bench),
      0,
      () =>
        new Promise<void>((resolve) => {
          letGo = resolve;
        }),
    );
    sleep(bench, 2 * HOUR);
    void codeOf(bench.engine.getAccessToken());
    await settle();
    // No time passes: nobody waits for the lock any more, and no timer is left.
    await bench.engine.stop();
    await settle();
    expect([bench.clock.pending, renewals(bench)]).toEqual([0, 0]);
    letGo();
    await settle();
    await bench.clock.advance(LOCK_WAIT_MS);
    expect([renewals(bench), bench.secrets.entries.size, bench.lock.held]).toEqual([0, 1, []]);
  });

  it('while a sign-in waits for the lock stores it without, for a token that is not stored is lost', async () => {
    const bench = await started(createBench());
    const { done, state } = await bench.begin();
    const account = (await toAccount(ISSUER, { subject: 'ada' })).id;
    void bench.lock
      .another()
      .hold(sessionLock('me', account), 0, () => new Promise<void>(() => {}));
    bench.comeBack(state);
    await until(() => bench.log.names().includes('session-adopting'));
    await settle();
    expect(bench.secrets.entries.has(`session:${account}`)).toBe(false);
    await Promise.all([bench.engine.stop(), done.catch(() => undefined)]);
    expect([bench.secrets.entries.has(`session:${account}`), bench.clock.pending]).toEqual([
      true,
      0,
    ]);
  });

  it('while a renewal reads the record begins no request either', async () => {
    const bench = await signedIn();
    bench.secrets.setMode('prompting');
    sleep(bench, 2 * HOUR);
    void codeOf(bench.engine.getAccessToken());
    await settle();
    const stopped = bench.engine.stop();
    bench.secrets.answerPrompt('unlocked');
    await stopped;
    await settle();
    expect(renewals(bench)).toBe(0);
  });

  it('while a renewal is under way finishes its write, so that the next process has the rotated token', async () => {
    const bench = await signedIn();
    const release = bench.authority.hold();
    sleep(bench, 2 * HOUR);
    void codeOf(bench.engine.getAccessToken());
    await until(() => renewals(bench) === 1);
    const stopped = bench.engine.stop();
    release();
    await stopped;
    expect(record(bench).refreshToken).toBe('secret-refresh-3');
    const next = await started(bench.restart());
    sleep(next, 2 * HOUR);
    expect(await next.engine.getAccessToken()).toMatch(/^secret-access/);
    expect(next.authority.reused).toEqual([]);
  });

  it('hears no signal any more', async () => {
    const bench = await signedIn();
    await bench.engine.stop();
    sleep(bench, 8 * HOUR);
    bench.systemEvents.emit('resume');
    await settle();
    await until(() => bench.clock.pending === 0, 'an end of all timers');
    expect(renewals(bench)).toBe(0);
  });
});

it('every account has a lock of its own in each client: two apps do not wait for each other', async () => {
  const bench = await signedIn();
  expect(bench.lock.asked).toContain(sessionLock('me', live(bench).account.id));
  const other = createBench({ clientId: 'another app' });
  await signedIn(other);
  expect(live(other).account.id).toBe(live(bench).account.id);
  expect(other.lock.asked.filter((name) => bench.lock.asked.includes(name))).toEqual([]);
});
