// The engine on fake ports and virtual time: one mailbox, one timer, and nothing left when it ends.
import { describe, expect, it } from 'vitest';
import type { AuthView } from '../../../src/contract.js';
import { AuthError } from '../../../src/main/core/base/errors.js';
import { LIMITS } from '../../../src/main/core/base/limits.js';
import type { StateFileContent } from '../../../src/main/core/base/ports.js';
import { type Bench, ISSUER, createBench, stateOf, until } from '../../support/engine-harness.js';
import { createFakeSecretStore, settle } from '../../support/fakes.js';

async function started(bench: Bench = createBench()): Promise<Bench> {
  bench.engine.start();
  await until(() => bench.engine.view().status !== 'starting', 'the start');
  return bench;
}

async function signedIn(bench: Bench = createBench()): Promise<Bench> {
  await started(bench);
  await bench.signIn();
  return bench;
}

/** The computer was signed in, and the app was ended. */
async function afterRestart(): Promise<Bench> {
  const before = await signedIn();
  await before.engine.stop();
  // The clock is shared, and WebCrypto answers when it likes.
  await until(() => before.clock.pending === 0, 'an end of all timers');
  return before.restart();
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'resolved',
    (error: unknown) => (error instanceof AuthError ? error.code : 'no AuthError'),
  );
}

const statusOf = (bench: Bench): AuthView['status'] => bench.engine.view().status;
const live = (bench: Bench): Extract<AuthView, { status: 'signed-in' }> => {
  const view = bench.engine.view();
  if (view.status !== 'signed-in')
    throw new Error(`signed in was expected, not ${JSON.stringify(view)}`);
  return view;
};
const recordState = (bench: Bench): string | undefined =>
  (bench.file.content as StateFileContent | null)?.accounts[0]?.record;
const stored = (bench: Bench): string => [...bench.secrets.entries.values()].join();
const record = (bench: Bench): { refreshToken: string } => JSON.parse(stored(bench)) as never;
const writes = (bench: Bench): number =>
  bench.secrets.calls.filter((call) => call.startsWith('write session:')).length;
const HOUR = 3_600_000;

describe('a sign-in', () => {
  it('goes through the browser, is stored, and tells each step', async () => {
    const bench = await signedIn();
    expect(
      bench.views.map((view) => (view.status === 'signing-in' ? view.attempt.stage : view.status)),
    ).toEqual(['starting', 'signed-out', 'preparing', 'waiting', 'redeeming', 'signed-in']);
    expect(live(bench)).toMatchObject({
      account: { subject: 'ada', name: 'Ada' },
      remembered: true,
      store: 'keychain',
      renewal: { state: 'fresh' },
    });
    expect(bench.scheme.outcomes).toEqual(['signed-in']);
    expect(stored(bench)).toContain('secret-refresh');
  });

  it('gives one frozen view until something changes', async () => {
    const bench = await signedIn();
    expect(bench.engine.view()).toBe(bench.engine.view());
    expect(Object.isFrozen(bench.engine.view())).toBe(true);
  });

  it('that expires says so, closes its redirect, and leaves no timer', async () => {
    const bench = await started();
    const { done } = await bench.begin();
    await bench.clock.advance(300_000);
    expect(await codeOf(done)).toBe('sign-in-expired');
    expect(bench.engine.view()).toMatchObject({
      status: 'signed-out',
      error: { code: 'sign-in-expired' },
    });
    await until(() => bench.clock.pending === 0, 'an end of all timers');
    expect(bench.scheme.open.length).toBe(0);
  });

  it("that is cancelled is nobody's error", async () => {
    const bench = await started();
    const { done } = await bench.begin();
    bench.engine.cancelSignIn();
    expect(await codeOf(done)).toBe('sign-in-cancelled');
    expect(bench.engine.view()).toEqual({ status: 'signed-out', reason: 'never' });
  });

  it('that is cancelled while its redirect is prepared opens no browser later', async () => {
    const bench = await started();
    const release = bench.scheme.holdPrepare();
    const done = bench.engine.signIn({});
    bench.engine.cancelSignIn();
    expect(await codeOf(done)).toBe('sign-in-cancelled');
    release();
    await settle();
    expect([bench.browser.opened.length, bench.scheme.open.length, bench.scheme.outcomes]).toEqual([
      0,
      0,
      ['failed'],
    ]);
  });

  it('that is cancelled while it is redeemed stores nothing and gives its tokens back', async () => {
    const bench = await started();
    const { done, state } = await bench.begin();
    const release = bench.authority.hold();
    bench.comeBack(state);
    bench.engine.cancelSignIn();
    expect(await codeOf(done)).toBe('sign-in-cancelled');
    release();
    await until(() => bench.authority.revoked.length === 1, 'the revocation');
    expect([statusOf(bench), bench.secrets.entries.size]).toEqual(['signed-out', 0]);
    expect(bench.authority.revoked[0]).toMatch(/^secret-refresh/);
  });

  it('that is cancelled late gives nothing back where somebody is signed in, for it may be of the same grant', async () => {
    const bench = await signedIn();
    const { done, state } = await bench.begin();
    const release = bench.authority.hold();
    bench.comeBack(state);
    bench.engine.cancelSignIn();
    expect(await codeOf(done)).toBe('sign-in-cancelled');
    release();
    await until(() => bench.authority.open === 0);
    await settle();
    expect([statusOf(bench), bench.authority.revoked]).toEqual(['signed-in', []]);
  });

  it('that ends before the start does is not undone by it', async () => {
    const bench = createBench();
    const { done, state } = await bench.begin();
    bench.comeBack(state);
    bench.engine.start();
    await done;
    await settle();
    // Read once, to see whether another client is there, and never to restore somebody.
    const calls = bench.secrets.calls
      .filter((call) => call.includes(' session:'))
      .map((call) => call.split(' ')[0]);
    expect([statusOf(bench), calls]).toEqual(['signed-in', ['read', 'write']]);
  });

  it('that overtakes a slow start wins, and can be signed out', async () => {
    const bench = createBench();
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    bench.file.load = async () => {
      await gate;
      return null;
    };
    bench.engine.start();
    const { done, state } = await bench.begin();
    bench.comeBack(state);
    await until(() => bench.authority.count('authorization_code') === 1);
    await settle();
    release();
    await done;
    expect([statusOf(bench), bench.secrets.entries.size]).toEqual(['signed-in', 1]);
    await bench.engine.signOut();
    await until(() => bench.secrets.entries.size === 0, 'the removal');
    expect(statusOf(bench)).toBe('signed-out');
  });

  it('posts its code once, however often the callback comes', async () => {
    const bench = await started();
    const { done, state } = await bench.begin();
    for (let times = 0; times < 5; times += 1) bench.comeBack(state, `good-code-${times}`);
    await done;
    bench.comeBack(state);
    await settle();
    expect(bench.authority.count('authorization_code')).toBe(1);
    expect(bench.authority.tokenForms[0]?.get('code')).toBe('good-code-0');
  });

  it('is not touched by callbacks with another state', async () => {
    const bench = await started();
    const { done, state } = await bench.begin();
    const before = bench.engine.view();
    for (const forged of ['', 'x', state.slice(0, -1), `${state}x`, state.toUpperCase()])
      bench.comeBack(forged);
    expect([
      bench.engine.view(),
      await stateOf(done),
      bench.authority.count('authorization_code'),
    ]).toEqual([before, 'pending', 0]);
    bench.comeBack(state);
    await done;
  });

  it('that the browser cannot begin fails, and its error does not repeat the URL', async () => {
    const bench = await started();
    bench.browser.open = (url) => Promise.reject(new Error(`cannot open ${url}`));
    const error: unknown = await bench.engine.signIn({}).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'browser-failed', cause: 'Error' });
    expect(bench.engine.view()).toMatchObject({
      status: 'signed-out',
      error: { code: 'browser-failed' },
    });
  });

  it('falls back to the next redirect, and says why none can work', async () => {
    const bench = await started(
      createBench({ redirects: ['com.example.app:/callback', 'http://127.0.0.1/callback'] }),
    );
    bench.scheme.setUnavailable('another app owns the scheme');
    await bench.begin();
    expect(bench.engine.view()).toMatchObject({ attempt: { redirect: 'loopback' } });
    const alone = await started();
    alone.scheme.setUnavailable('another app owns the scheme');
    const error: unknown = await alone.engine.signIn({}).catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: 'redirect-unavailable',
      message: expect.stringContaining('another app owns the scheme') as string,
    });
  });

  it.each([
    ['rejects', () => Promise.reject(new Error('secret')), 'response-invalid'],
    [
      'throws',
      () => {
        throw new Error('secret');
      },
      'response-invalid',
    ],
    ['answers nobody', () => Promise.resolve({}), 'response-invalid'],
  ])('whose identify %s ends in a documented error', async (_how, identify, code) => {
    const bench = await started(createBench({ identify: identify as never }));
    const { done, state } = await bench.begin();
    bench.comeBack(state);
    expect(await codeOf(done)).toBe(code);
    expect(bench.secrets.entries.size).toBe(0);
  });

  it('whose identify never answers ends within the network time', async () => {
    const bench = await started(createBench({ identify: () => new Promise(() => {}) }));
    const { done, state } = await bench.begin();
    bench.comeBack(state);
    await until(() => bench.authority.count('authorization_code') === 1);
    await settle();
    await bench.clock.advance(15_000);
    expect(await codeOf(done)).toBe('network-timeout');
  });
});

describe('several attempts', () => {
  it('are matched by their state, and each succeeds', async () => {
    const bench = await started();
    const first = await bench.begin();
    const second = await bench.begin();
    bench.comeBack(first.state, 'good-1');
    await first.done;
    bench.comeBack(second.state, 'good-2');
    await second.done;
    expect(bench.authority.tokenForms.map((form) => form.get('code'))).toEqual([
      'good-1',
      'good-2',
    ]);
  });

  it('have verifiers and states of their own, of 256 bits each', async () => {
    const bench = await started();
    const attempts = [await bench.begin(), await bench.begin(), await bench.begin()];
    for (const { state } of attempts) expect(state).toMatch(/^[\w-]{43}$/);
    for (const { state, done } of attempts) {
      bench.comeBack(state);
      await done;
    }
    const verifiers = bench.authority.tokenForms.map((form) => form.get('code_verifier'));
    for (const verifier of verifiers) expect(verifier).toMatch(/^[\w-]{43}$/);
    expect(new Set([...verifiers, ...attempts.map(({ state }) => state)]).size).toBe(6);
  });

  it('are no more than the limit: the oldest gives way', async () => {
    const bench = await started();
    const attempts = [];
    for (let times = 0; times <= LIMITS.openAttempts; times += 1)
      attempts.push(await bench.begin());
    expect(await codeOf(attempts[0]!.done)).toBe('sign-in-cancelled');
    expect(bench.scheme.open.length).toBe(LIMITS.openAttempts);
    bench.comeBack(attempts[1]!.state);
    await attempts[1]!.done;
  });

  it('reopen the page of the newest that waits, also when a newer one has ended', async () => {
    const bench = await started();
    const { state } = await bench.begin();
    const newer = await bench.begin();
    bench.comeBack(newer.state, 'bad-code');
    expect(await codeOf(newer.done)).toBe('sign-in-refused');
    bench.engine.reopenBrowser();
    await until(() => bench.browser.opened.length === 3, 'the page');
    expect(bench.browser.opened[2]).toBe(bench.browser.opened[0]);
    expect(bench.browser.opened[2]).toContain(state);
  });

  it('leave no error of one behind when another succeeds', async () => {
    const bench = await started();
    const first = await bench.begin();
    const second = await bench.begin();
    bench.comeBack(first.state, 'bad-code');
    expect(await codeOf(first.done)).toBe('sign-in-refused');
    bench.comeBack(second.state);
    await second.done;
    expect(live(bench).error).toBeUndefined();
  });
});

describe('getAccessToken', () => {
  it('costs one request however many callers', async () => {
    const bench = await signedIn();
    await bench.clock.advance(0);
    bench.clock.jumpTo(bench.clock.now() + 2 * HOUR);
    const tokens = await Promise.all(
      Array.from({ length: 1_000 }, () => bench.engine.getAccessToken()),
    );
    expect([new Set(tokens).size, bench.authority.count('refresh_token')]).toEqual([1, 1]);
  });

  it('waits for the start, and then says that nobody is signed in', async () => {
    const bench = createBench();
    const token = bench.engine.getAccessToken();
    expect(await stateOf(token)).toBe('pending');
    bench.engine.start();
    expect(await codeOf(token)).toBe('signed-out');
  });

  it('gives the old token while a renewal in advance is slow, and the new one after it', async () => {
    const bench = await signedIn();
    const old = await bench.engine.getAccessToken();
    const release = bench.authority.hold();
    bench.clock.jumpTo(bench.clock.now() + HOUR - 100_000);
    const token = bench.engine.getAccessToken();
    await bench.clock.advance(2_000);
    expect(await token).toBe(old);
    release();
    await until(() => live(bench).renewal.state === 'fresh');
    expect(await bench.engine.getAccessToken()).not.toBe(old);
  });

  it('rejects in bounded time with a code that says it passes, while there is no network', async () => {
    const bench = await signedIn();
    bench.authority.online = false;
    bench.clock.jumpTo(bench.clock.now() + 2 * HOUR);
    const error: unknown = await bench.engine.getAccessToken().catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'network-failed', retry: 'automatic' });
    expect(statusOf(bench)).toBe('signed-in');
  });

  it('rejects after the network time when the server never answers', async () => {
    const bench = await signedIn();
    bench.authority.hold();
    bench.clock.jumpTo(bench.clock.now() + 2 * HOUR);
    const token = codeOf(bench.engine.getAccessToken());
    await bench.clock.advance(15_000);
    expect(await token).toBe('network-timeout');
  });

  it('ends also where every token is over when it comes, with one request a second at most', async () => {
    const bench = await started();
    bench.authority.lifeSeconds = 0;
    await bench.signIn();
    for (let second = 0; second < 10; second += 1) {
      expect(await bench.engine.getAccessToken()).toMatch(/^secret-access/);
      expect(await bench.engine.getAccessToken()).toMatch(/^secret-access/);
      await bench.clock.advance(1_000);
    }
    expect(bench.authority.count('refresh_token')).toBeLessThanOrEqual(11);
  });
});

describe('a session whose file cannot be written', () => {
  it('is not remembered, and says so: the next start would not look for it', async () => {
    const bench = await started();
    const { save } = bench.file;
    bench.file.save = () => Promise.reject(new Error('ENOSPC'));
    await bench.signIn();
    expect(live(bench)).toMatchObject({
      remembered: false,
      store: 'memory',
      error: { code: 'storage-failed', retry: 'user' },
    });
    bench.kill();
    bench.file.save = save;
    const next = await started(bench.restart());
    expect(statusOf(next)).toBe('signed-out');
  });

  it('is remembered when the disk takes it again, by itself after five minutes', async () => {
    const bench = await started();
    const { save } = bench.file;
    bench.file.save = () => Promise.reject(new Error('ENOSPC'));
    await bench.signIn();
    bench.file.save = save;
    await bench.clock.advance(LIMITS.storeRetryMs);
    expect(live(bench)).toMatchObject({ remembered: true, store: 'keychain' });
    expect(live(bench)).not.toHaveProperty('error');
    await bench.engine.stop();
    const next = await started(bench.restart());
    await until(() => statusOf(next) === 'signed-in');
  });
});

describe('a server whose tokens are over when they come', () => {
  it('is asked by an idle app once a minute at most, and by a caller at once', async () => {
    const bench = await started();
    bench.authority.lifeSeconds = 0;
    await bench.signIn();
    await bench.clock.advance(10 * LIMITS.zeroLifetimePauseMs);
    const idle = bench.authority.count('refresh_token');
    expect(idle).toBeGreaterThanOrEqual(9);
    expect(idle).toBeLessThanOrEqual(10);
    await bench.clock.advance(1_000);
    await bench.engine.getAccessToken();
    expect(bench.authority.count('refresh_token')).toBe(idle + 1);
  });
});

describe('a renewal', () => {
  it('comes before the token is over, by itself', async () => {
    const bench = await signedIn();
    await bench.clock.advance(HOUR - 1);
    expect(bench.authority.count('refresh_token')).toBe(1);
    expect(live(bench).renewal).toMatchObject({ state: 'fresh' });
  });

  it('of a token that lives for a year is waited for in pieces that a timer can count', async () => {
    const bench = createBench();
    const delays: number[] = [];
    const { after } = bench.clock;
    bench.clock.after = (delayMs, run) => {
      delays.push(delayMs);
      return after(delayMs, run);
    };
    bench.authority.lifeSeconds = 365 * 86_400;
    await signedIn(bench);
    await bench.clock.advance(48 * HOUR);
    expect(Math.max(...delays)).toBeLessThanOrEqual(LIMITS.timerMaxMs);
    expect([bench.clock.pending, bench.authority.count('refresh_token')]).toEqual([1, 0]);
  });

  it('shows nobody the new token before the keychain has its refresh token', async () => {
    const bench = await signedIn();
    const old = await bench.engine.getAccessToken();
    bench.secrets.setMode('prompting');
    bench.clock.jumpTo(bench.clock.now() + 2 * HOUR);
    const token = bench.engine.getAccessToken();
    await bench.clock.advance(LIMITS.keyringWriteSlowMs);
    bench.secrets.answerPrompt('dismissed');
    await until(() => writes(bench) === 2, 'the write');
    await settle();
    expect([await stateOf(token), live(bench).renewal.state]).toEqual(['pending', 'renewing']);
    bench.secrets.answerPrompt('unlocked');
    const renewed = await token;
    expect(renewed).not.toBe(old);
    expect(stored(bench)).toContain('secret-refresh-3');
    expect(live(bench).remembered).toBe(true);
  });

  it('goes on without a keyring that is slow, says so, and takes it back when the keyring answers', async () => {
    const bench = await signedIn();
    bench.secrets.setMode('prompting');
    bench.clock.jumpTo(bench.clock.now() + 2 * HOUR);
    const token = bench.engine.getAccessToken();
    await settle();
    await bench.clock.advance(LIMITS.keyringWriteSlowMs);
    await until(() => writes(bench) === 2, 'the write');
    await bench.clock.advance(LIMITS.keyringWriteSlowMs);
    expect(await token).toMatch(/^secret-access/);
    expect(live(bench)).toMatchObject({
      remembered: false,
      store: 'memory',
      error: { code: 'keyring-locked' },
    });
    bench.secrets.answerPrompt('unlocked');
    await until(() => live(bench).remembered, 'remembering');
    expect(live(bench)).toMatchObject({ store: 'keychain' });
    expect(live(bench).error).toBeUndefined();
  });

  it('that fails is tried again, ever less often, and nobody is signed out', async () => {
    const bench = await signedIn();
    bench.authority.online = false;
    await bench.clock.advance(24 * HOUR);
    const tries = bench.authority.count('refresh_token');
    expect(live(bench).renewal).toMatchObject({
      state: 'waiting',
      error: { code: 'network-failed', retry: 'automatic' },
    });
    expect(tries).toBeGreaterThan(24);
    expect(tries).toBeLessThan(24 * 40);
    bench.authority.online = true;
    await bench.clock.advance(LIMITS.retryMaxMs);
    expect(live(bench).renewal.state).toBe('fresh');
  });

  it.each([
    ['500', () => new Response('oops', { status: 500 }), 'server-unavailable'],
    ['429', () => new Response('', { status: 429 }), 'server-unavailable'],
    [
      'HTML',
      () => new Response('<html>', { headers: { 'content-type': 'text/html' } }),
      'response-invalid',
    ],
    [
      'invalid_client',
      () => Response.json({ error: 'invalid_client' }, { status: 401 }),
      'sign-in-refused',
    ],
    [
      'temporarily_unavailable',
      () => Response.json({ error: 'temporarily_unavailable' }, { status: 400 }),
      'server-unavailable',
    ],
    [
      'an answer without a token',
      () => Response.json({ token_type: 'Bearer' }),
      'response-invalid',
    ],
    [
      'a token of another type',
      () => Response.json({ access_token: 'secret-x', token_type: 'mac' }),
      'response-invalid',
    ],
  ])('that is answered with %s keeps the session and its record', async (_what, answer, code) => {
    const bench = await signedIn();
    const before = stored(bench);
    bench.authority.answerNext(answer);
    bench.clock.jumpTo(bench.clock.now() + 2 * HOUR);
    expect(await codeOf(bench.engine.getAccessToken())).toBe(code);
    expect([statusOf(bench), stored(bench), recordState(bench)]).toEqual([
      'signed-in',
      before,
      'kept',
    ]);
    await bench.clock.advance(LIMITS.retryMaxMs);
    expect(live(bench).renewal.state).toBe('fresh');
  });

  it('waits as long as the server asked, no matter who asks', async () => {
    const bench = await signedIn();
    bench.authority.answerNext(
      () => new Response('', { status: 503, headers: { 'retry-after': '600' } }),
    );
    bench.clock.jumpTo(bench.clock.now() + 2 * HOUR);
    for (let minute = 0; minute < 10; minute += 1) {
      expect(await codeOf(bench.engine.getAccessToken())).toBe('server-unavailable');
      await bench.clock.advance(59_000);
    }
    expect(bench.authority.count('refresh_token')).toBe(1);
  });

  it('keeps the old refresh token where the server gives no new one', async () => {
    const bench = await signedIn();
    const { refreshToken } = record(bench);
    bench.authority.answerNext(() =>
      Response.json({ access_token: 'secret-a', token_type: 'bearer', expires_in: 3_600 }),
    );
    bench.clock.jumpTo(bench.clock.now() + 2 * HOUR);
    expect(await bench.engine.getAccessToken()).toBe('secret-a');
    expect(record(bench)).toMatchObject({ refreshToken, access: { token: 'secret-a' } });
  });

  it('that the server refuses for good ends the session, keeps the record unread, and is remembered', async () => {
    const bench = await signedIn();
    bench.authority.revokeAll();
    bench.clock.jumpTo(bench.clock.now() + 2 * HOUR);
    expect(await codeOf(bench.engine.getAccessToken())).toBe('session-ended');
    expect(bench.engine.view()).toMatchObject({
      status: 'signed-out',
      reason: 'ended',
      lastAccount: { subject: 'ada' },
      error: { code: 'session-ended', retry: 'sign-in' },
    });
    await bench.engine.stop();
    expect([bench.secrets.entries.size, recordState(bench)]).toEqual([1, 'refused']);
    const next = await started(bench.restart());
    expect(next.engine.view()).toMatchObject({ status: 'signed-out', reason: 'ended' });
    expect(next.secrets.calls).toEqual([]);
  });

  it('that ends the session is shown, though an attempt failed before', async () => {
    const bench = await signedIn();
    const { done, state } = await bench.begin();
    bench.comeBack(state, 'bad-code');
    expect(await codeOf(done)).toBe('sign-in-refused');
    expect(live(bench).error?.code).toBe('sign-in-refused');
    bench.authority.revokeAll();
    bench.clock.jumpTo(bench.clock.now() + 2 * HOUR);
    await codeOf(bench.engine.getAccessToken());
    expect(bench.engine.view()).toMatchObject({
      status: 'signed-out',
      error: { code: 'session-ended' },
    });
  });
});

describe('a refusal where nothing proves who speaks: endpoints by hand, and no key set', () => {
  async function refusedTwice(answer: () => Response): Promise<Bench> {
    const bench = await signedIn();
    for (let times = 0; times < 2; times += 1) {
      bench.authority.answerNext(answer);
      bench.clock.jumpTo(bench.clock.now() + 2 * HOUR);
      await codeOf(bench.engine.getAccessToken());
    }
    return bench;
  }

  it.each([
    [400, 'sign-in-refused', ''],
    [401, 'sign-in-refused', 'no'],
    [400, 'response-invalid', '<html>no</html>'],
    [401, 'response-invalid', '<html>no</html>'],
    [403, 'response-invalid', ''],
    [407, 'response-invalid', 'no'],
  ])(
    'ends no session when it is a bare %i (%s), for a proxy may have said it',
    async (status, code, body) => {
      const bench = await refusedTwice(() => new Response(body, { status }));
      expect(live(bench).renewal).toMatchObject({ state: 'waiting', error: { code } });
      await bench.clock.advance(LIMITS.retryMaxMs);
      expect(live(bench).renewal.state).toBe('fresh');
    },
  );

  it('ends it when it is an error of OAuth, said twice', async () => {
    const bench = await refusedTwice(() =>
      Response.json({ error: 'invalid_request' }, { status: 400 }),
    );
    expect(bench.engine.view()).toMatchObject({
      status: 'signed-out',
      reason: 'ended',
      error: { code: 'session-ended', serverError: 'invalid_request' },
    });
  });
});

describe('a start', () => {
  it('brings the session back without a browser', async () => {
    const bench = await started(await afterRestart());
    await until(() => live(bench).renewal.state === 'fresh');
    expect(bench.browser.opened).toEqual([]);
    expect(await bench.engine.getAccessToken()).toMatch(/^secret-access/);
  });

  it('without network is signed in and waits, and is fresh when the network is back', async () => {
    const bench = await afterRestart();
    bench.authority.online = false;
    bench.clock.jumpTo(bench.clock.now() + 2 * HOUR);
    await started(bench);
    await until(() => live(bench).renewal.state === 'waiting');
    expect(await codeOf(bench.engine.getAccessToken())).toBe('network-failed');
    bench.authority.online = true;
    await bench.clock.advance(LIMITS.retryMaxMs);
    expect(live(bench).renewal.state).toBe('fresh');
  });

  it.each([
    ['locked', 'keyring-locked'],
    ['unavailable', 'keyring-unavailable'],
  ] as const)(
    'with a keyring that is %s says so, loses nothing, and tries again when it is asked',
    async (mode, code) => {
      const bench = await afterRestart();
      const before = stored(bench);
      bench.secrets.setMode(mode);
      await started(bench);
      expect(bench.engine.view()).toMatchObject({
        status: 'locked',
        lastAccount: { subject: 'ada' },
        error: { code, retry: 'user' },
      });
      expect(await codeOf(bench.engine.getAccessToken())).toBe(code);
      expect([stored(bench), recordState(bench)]).toEqual([before, 'kept']);
      bench.secrets.setMode('works');
      bench.engine.retry();
      await until(() => statusOf(bench) === 'signed-in');
    },
  );

  it('with a keyring that waits for its password says so after a while, and is signed in when it opens', async () => {
    const bench = await afterRestart();
    bench.secrets.setMode('prompting');
    bench.engine.start();
    await settle();
    expect(statusOf(bench)).toBe('starting');
    await bench.clock.advance(LIMITS.keyringSlowMs - 1);
    expect(statusOf(bench)).toBe('starting');
    const token = codeOf(bench.engine.getAccessToken());
    await bench.clock.advance(1);
    expect(bench.engine.view()).toMatchObject({
      status: 'locked',
      error: { code: 'keyring-locked' },
    });
    expect(await token).toBe('keyring-locked');
    expect(bench.clock.pending).toBe(0);
    bench.engine.retry();
    expect(bench.secrets.calls).toHaveLength(1);
    bench.secrets.answerPrompt('unlocked');
    await until(() => statusOf(bench) === 'signed-in');
  });

  it('with a keyring that breaks its promise is locked, not lost', async () => {
    const bench = await afterRestart();
    bench.secrets.read = () => Promise.reject(new Error('broken'));
    await started(bench);
    expect(bench.engine.view()).toMatchObject({ status: 'locked', error: { code: 'internal' } });
  });

  it('with a record that is gone is signed out', async () => {
    const bench = await afterRestart();
    bench.secrets.entries.clear();
    await started(bench);
    expect(bench.engine.view()).toMatchObject({
      status: 'signed-out',
      reason: 'signed-out',
      lastAccount: { subject: 'ada' },
    });
  });

  it('shows the truth at once after it, with no view in between that says signed out', async () => {
    const bench = await afterRestart();
    await started(bench);
    expect(bench.views.map(({ status }) => status)).not.toContain('signed-out');
  });
});

describe('a sign-out', () => {
  it('forgets here first and tells the server then', async () => {
    const bench = await signedIn();
    const release = bench.authority.hold();
    const accessToken = await bench.engine.getAccessToken();
    await bench.engine.signOut();
    const [left = ''] = bench.secrets.entries.values();
    expect([statusOf(bench), recordState(bench), left.includes(accessToken)]).toEqual([
      'signed-out',
      'removal-owed',
      false,
    ]);
    expect(JSON.parse(left)).toMatchObject({ refreshToken: 'secret-refresh-1', access: null });
    expect(await codeOf(bench.engine.getAccessToken())).toBe('signed-out');
    release();
    await until(() => bench.authority.revoked.length === 1, 'the revocation');
    await until(() => bench.secrets.entries.size === 0, 'the removal');
    expect(recordState(bench)).toBe('none');
    await until(() => bench.clock.pending === 0, 'an end of all timers');
  });

  it('works without network, and only the token that the server must hear of is left', async () => {
    const bench = await signedIn();
    bench.authority.online = false;
    await bench.engine.signOut();
    await until(() => bench.log.names().includes('revocation-failed'));
    const [left = '', ...more] = bench.secrets.entries.values();
    expect([statusOf(bench), more]).toEqual(['signed-out', []]);
    expect(JSON.parse(left)).toEqual({
      version: 1,
      clientId: 'me',
      account: {
        id: expect.any(String) as unknown,
        issuer: ISSUER,
        subject: expect.not.stringContaining('ada') as unknown,
      },
      refreshToken: 'secret-refresh-1',
      scope: 'read offline_access',
      savedAt: bench.clock.now(),
      access: null,
      signedOutAt: bench.clock.now(),
    });
  });

  it('with a locked keyring owes the removal and makes good at the next start', async () => {
    const bench = await signedIn();
    bench.secrets.setMode('locked');
    await bench.engine.signOut();
    expect([statusOf(bench), bench.secrets.entries.size, recordState(bench)]).toEqual([
      'signed-out',
      1,
      'removal-owed',
    ]);
    await bench.engine.stop();
    const next = await started(bench.restart());
    await until(() => recordState(next) === 'none');
    expect([next.engine.view(), next.secrets.entries.size]).toMatchObject([
      { status: 'signed-out', reason: 'signed-out' },
      0,
    ]);
  });

  it('with a keyring that hangs resolves all the same', async () => {
    const bench = await signedIn();
    bench.secrets.setMode('prompting');
    const done = bench.engine.signOut();
    await settle();
    expect([statusOf(bench), await stateOf(done)]).toEqual(['signed-out', 'pending']);
    await bench.clock.advance(LIMITS.keyringWriteSlowMs);
    await done;
    expect(recordState(bench)).toBe('removal-owed');
  });

  it('while a renewal is under way gives the new tokens back and stores none of them', async () => {
    const bench = await signedIn();
    const release = bench.authority.hold();
    bench.clock.jumpTo(bench.clock.now() + 2 * HOUR);
    const token = bench.engine.getAccessToken();
    const refused = codeOf(token);
    await until(() => bench.authority.count('refresh_token') === 1, 'the renewal');
    const done = bench.engine.signOut();
    expect(await refused).toBe('signed-out');
    await until(() => bench.authority.open === 2, 'the first revocation');
    release();
    await done;
    await until(() => bench.authority.revoked.length === 2, 'both revocations');
    expect(bench.authority.revoked).toEqual(
      expect.arrayContaining(['secret-refresh-1', 'secret-refresh-3']),
    );
    await until(() => bench.secrets.entries.size === 0, 'the removal');
    expect(statusOf(bench)).toBe('signed-out');
  });

  it("while the session is being restored is not undone by the keyring's answer", async () => {
    const bench = await afterRestart();
    bench.secrets.setMode('prompting');
    bench.engine.start();
    await settle();
    const done = bench.engine.signOut();
    bench.secrets.answerPrompt('unlocked');
    await done;
    await settle();
    expect([
      bench.engine.view(),
      bench.secrets.entries.size,
      bench.authority.count('refresh_token'),
    ]).toMatchObject([{ status: 'signed-out' }, 0, 0]);
  });

  it('before the start has read its file signs out the account that would have been restored', async () => {
    const bench = await afterRestart();
    bench.engine.start();
    await bench.engine.signOut();
    await settle();
    expect([statusOf(bench), bench.secrets.entries.size]).toEqual(['signed-out', 0]);
  });

  it('when nobody is signed in does nothing', async () => {
    const bench = await started();
    await bench.engine.signOut();
    expect([bench.engine.view(), bench.secrets.calls]).toEqual([
      { status: 'signed-out', reason: 'never' },
      [],
    ]);
  });
});

describe('another person', () => {
  it('takes the place of the first, whose record and tokens go', async () => {
    let subject = 'ada';
    const bench = await signedIn(createBench({ identify: async () => ({ subject }) }));
    subject = 'grace';
    await bench.signIn();
    await until(() => bench.authority.revoked.length === 1, 'the revocation');
    expect(live(bench).account.subject).toBe('grace');
    expect([
      bench.secrets.entries.size,
      stored(bench).includes('"grace"'),
      bench.authority.revoked,
    ]).toEqual([1, true, ['secret-refresh-1']]);
  });
});

describe('a keyring that does not take the session', () => {
  it.each([
    ['locked', 'keyring-locked'],
    ['unavailable', 'keyring-unavailable'],
  ] as const)(
    'because it is %s leaves it in memory, says so, and takes it when it is asked again',
    async (mode, code) => {
      const bench = await started(createBench({}, { secrets: createFakeSecretStore(mode) }));
      await bench.signIn();
      expect(live(bench)).toMatchObject({ remembered: false, store: 'memory', error: { code } });
      expect(await bench.engine.getAccessToken()).toMatch(/^secret-access/);
      bench.secrets.setMode('works');
      bench.engine.retry();
      await until(() => live(bench).remembered, 'remembering');
      expect([
        stored(bench).includes('secret-refresh'),
        recordState(bench),
        live(bench).error,
      ]).toEqual([true, 'kept', undefined]);
    },
  );

  it('because it hangs holds a sign-in no longer than its limit', async () => {
    const bench = await started(createBench({}, { secrets: createFakeSecretStore('prompting') }));
    const { done, state } = await bench.begin();
    bench.comeBack(state);
    await until(() => bench.secrets.calls.length > 0);
    await settle();
    expect([await stateOf(done), statusOf(bench)]).toEqual(['pending', 'signing-in']);
    // Once to learn whether another process took the callback, once to store the session.
    await bench.clock.advance(LIMITS.claimWaitMs);
    await until(
      () => bench.secrets.calls.some((call) => call.startsWith('read session:')),
      'the look at what is there',
    );
    await bench.clock.advance(LIMITS.keyringWriteSlowMs);
    await done;
    expect(live(bench)).toMatchObject({ remembered: false, error: { code: 'keyring-locked' } });
  });
});

describe('stop', () => {
  it('settles every promise, closes everything and leaves no timer', async () => {
    const bench = await signedIn();
    bench.authority.hold();
    bench.clock.jumpTo(bench.clock.now() + 2 * HOUR);
    const promises = [
      bench.engine.getAccessToken(),
      (await bench.begin()).done,
      bench.engine.signIn({}),
    ].map(codeOf);
    await settle();
    const stopped = bench.engine.stop();
    expect(await Promise.all(promises)).toEqual(['stopped', 'stopped', 'stopped']);
    await bench.clock.advance(LIMITS.stopMs);
    await stopped;
    await settle();
    expect([
      bench.clock.pending,
      bench.secrets.closed,
      bench.scheme.stopped,
      bench.scheme.open.length,
      bench.authority.open,
    ]).toEqual([0, true, true, 0, 0]);
    expect(
      await Promise.all(
        [bench.engine.getAccessToken(), bench.engine.signIn({}), bench.engine.signOut()].map(
          codeOf,
        ),
      ),
    ).toEqual(['stopped', 'stopped', 'stopped']);
    await settle();
    expect(bench.clock.pending).toBe(0);
  });

  it('finishes a renewal that is under way, and its write', async () => {
    const bench = await signedIn();
    const release = bench.authority.hold();
    bench.clock.jumpTo(bench.clock.now() + 2 * HOUR);
    void codeOf(bench.engine.getAccessToken());
    await settle();
    const stopped = bench.engine.stop();
    release();
    await stopped;
    expect(stored(bench)).toContain('secret-refresh-3');
    const next = await started(bench.restart());
    await until(() => live(next).renewal.state === 'fresh');
  });

  it('that is called twice is waited for by both', async () => {
    const bench = await signedIn();
    const release = bench.authority.hold();
    bench.clock.jumpTo(bench.clock.now() + 2 * HOUR);
    void codeOf(bench.engine.getAccessToken());
    await settle();
    const both = [bench.engine.stop(), bench.engine.stop()];
    await settle();
    expect(await Promise.all(both.map(stateOf))).toEqual(['pending', 'pending']);
    release();
    await Promise.all(both);
    expect(stored(bench)).toContain('secret-refresh-3');
  });

  it('begins no renewal, though the keyring opens meanwhile', async () => {
    const bench = await afterRestart();
    bench.secrets.setMode('prompting');
    bench.engine.start();
    await settle();
    bench.authority.hold();
    const stopped = bench.engine.stop();
    bench.secrets.answerPrompt('unlocked');
    await bench.clock.advance(LIMITS.stopMs);
    await stopped;
    await settle();
    expect([bench.authority.count('refresh_token'), bench.clock.pending]).toEqual([0, 0]);
  });

  it('tells no listener anything any more', async () => {
    const bench = await signedIn();
    await bench.engine.stop();
    const views = bench.views.length;
    bench.engine.retry();
    bench.engine.cancelSignIn();
    bench.engine.reopenBrowser();
    await bench.clock.advance(24 * HOUR);
    expect([bench.views.length, bench.clock.pending]).toEqual([views, 0]);
  });

  it('before the start ends it', async () => {
    const bench = await afterRestart();
    bench.engine.start();
    await bench.engine.stop();
    await until(() => bench.clock.pending === 0, 'an end of all timers');
    expect(bench.secrets.calls).toEqual([]);
  });
});

describe('a host that misbehaves', () => {
  it('with a listener that throws does not keep the view from the others', async () => {
    const bench = createBench();
    let calls = 0;
    const seen: string[] = [];
    bench.engine.onView(() => {
      if (++calls > 1) throw new Error('a bug');
    });
    bench.engine.onView((view) => seen.push(view.status));
    await signedIn(bench);
    expect(seen.at(-1)).toBe('signed-in');
    expect(bench.log.names()).toContain('view-listener-failed');
  });

  it('with a listener that acts at once keeps the views in order', async () => {
    const bench = createBench();
    const seen: string[] = [];
    bench.engine.onView((view) => {
      if (view.status === 'signed-out') bench.engine.signIn({}).catch(() => undefined);
    });
    bench.engine.onView((view) => seen.push(view.status));
    bench.engine.start();
    await until(() => bench.browser.opened.length === 1);
    expect(seen.at(-1)).toBe('signing-in');
    expect(seen.lastIndexOf('signed-out')).toBeLessThan(seen.indexOf('signing-in'));
  });
});

describe('logs', () => {
  it('hold no secret of a whole life', async () => {
    const bench = await signedIn();
    const { done, state } = await bench.begin();
    bench.comeBack(`${state}x`);
    bench.comeBack(state);
    await done;
    bench.clock.jumpTo(bench.clock.now() + 2 * HOUR);
    await bench.engine.getAccessToken();
    await bench.engine.signOut();
    await bench.engine.stop();
    const text = JSON.stringify([bench.log.events, bench.views, bench.file.content]);
    expect(bench.authority.issued.length).toBeGreaterThan(4);
    for (const secret of [
      ...bench.authority.issued,
      state,
      'good-code',
      ...bench.authority.tokenForms.flatMap((form) => form.get('code_verifier') ?? []),
    ])
      expect(text).not.toContain(secret);
  });
});
