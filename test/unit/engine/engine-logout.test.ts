// signOut({ endBrowserSession: true }): the session of the provider in the browser is ended after the
// one here, and whatever the browser does, the sign-out here stands.
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../src/main/core/base/limits.js';
import { type Bench, ISSUER, REDIRECT, createBench, until } from '../../support/engine-harness.js';
import { settle } from '../../support/fakes.js';

const LOOPBACK = 'http://127.0.0.1/callback';
const ENDPOINTS = {
  authorization: `${ISSUER}/authorize`,
  token: `${ISSUER}/token`,
  revocation: `${ISSUER}/revoke`,
  endSession: `${ISSUER}/logout?tenant=t`,
};
const OPTIONS = { redirects: [REDIRECT, LOOPBACK], endpoints: ENDPOINTS };
const statusOf = (bench: Bench): string => bench.engine.view().status;
const troubles = (bench: Bench): readonly string[] =>
  bench.log.events.flatMap(({ event, fields }) =>
    event === 'end-session-trouble' ? [(fields as { detail: string }).detail] : [],
  );
const lastPage = (bench: Bench): URL => new URL(bench.browser.opened.at(-1) ?? '');
const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'resolved',
    (error: unknown) => (error as { code: string }).code,
  );

async function signedIn(options: Parameters<typeof createBench>[0] = OPTIONS): Promise<Bench> {
  const bench = createBench({
    identify: async () => ({ subject: 'ada', username: 'ada@example.com' }),
    ...options,
  });
  bench.engine.start();
  await until(() => statusOf(bench) !== 'starting', 'the start');
  await bench.signIn();
  await settle();
  return bench;
}

describe('a sign-out with the session in the browser', () => {
  it('forgets here, then opens the logout page, with who it is and no token', async () => {
    const bench = await signedIn();
    let statusThen = '';
    const { open } = bench.browser;
    Object.assign(bench.browser, {
      open: async (url: string) => {
        statusThen = statusOf(bench);
        await open(url);
      },
    });
    await bench.engine.signOut({ endBrowserSession: true });
    const { origin, pathname, searchParams } = lastPage(bench);
    expect([statusThen, `${origin}${pathname}`, Object.fromEntries(searchParams)]).toEqual([
      'signed-out',
      `${ISSUER}/logout`,
      { tenant: 't', client_id: 'me', logout_hint: 'ada@example.com' },
    ]);
    expect([troubles(bench), bench.scheme.open]).toEqual([[], []]);
  });

  it('takes the way back by the scheme, once, and only with its state', async () => {
    const bench = await signedIn({ ...OPTIONS, logout: { redirect: REDIRECT } });
    await bench.engine.signOut({ endBrowserSession: true });
    const { searchParams } = lastPage(bench);
    const state = searchParams.get('state') ?? '';
    expect(searchParams.get('post_logout_redirect_uri')).toBe(REDIRECT);
    expect(state).toMatch(/^[\w-]{43}$/);
    expect(bench.scheme.open).toHaveLength(1);
    for (const forged of [
      `${REDIRECT}?state=another`,
      REDIRECT,
      `${REDIRECT}?state=${state}&state=${state}`,
      `com.example.app:/other?state=${state}`,
    ])
      expect(bench.scheme.arrive(forged), forged).toBe('foreign');
    expect(bench.log.names()).not.toContain('end-session-returned');
    expect(bench.scheme.arrive(`${REDIRECT}?state=${state}`)).toBe('taken');
    expect([bench.scheme.outcomes.at(-1), bench.scheme.open]).toEqual(['signed-out', []]);
    expect(bench.log.names().filter((name) => name === 'end-session-returned')).toHaveLength(1);
    expect(bench.scheme.arrive(`${REDIRECT}?state=${state}`)).toBe('foreign');
    expect(statusOf(bench)).toBe('signed-out');
  });

  it('takes the way back by loopback, with its port', async () => {
    const bench = await signedIn({ ...OPTIONS, logout: { redirect: LOOPBACK } });
    await bench.engine.signOut({ endBrowserSession: true });
    const { searchParams } = lastPage(bench);
    const back = searchParams.get('post_logout_redirect_uri') ?? '';
    expect(back).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/callback$/);
    expect(bench.loopback.arrive(`${back}?state=${searchParams.get('state')}`)).toBe('taken');
    expect(bench.loopback.outcomes).toEqual(['signed-out']);
  });

  it('waits for the way back no longer than for a sign-in; a late one changes nothing', async () => {
    const bench = await signedIn({ ...OPTIONS, logout: { redirect: REDIRECT } });
    await bench.engine.signOut({ endBrowserSession: true });
    const state = lastPage(bench).searchParams.get('state') ?? '';
    await bench.signIn();
    await settle();
    await bench.clock.advance(300_000);
    expect(bench.scheme.open).toEqual([]);
    expect(bench.scheme.arrive(`${REDIRECT}?state=${state}`)).toBe('foreign');
    await settle();
    expect(statusOf(bench)).toBe('signed-in');
  });

  it('is not taken for the answer to a sign-in that is open, and that one goes on', async () => {
    const bench = await signedIn({ ...OPTIONS, logout: { redirect: REDIRECT } });
    await bench.engine.signOut({ endBrowserSession: true });
    const back = lastPage(bench).searchParams.get('state') ?? '';
    const { done, state } = await bench.begin();
    expect(bench.scheme.arrive(`${REDIRECT}?state=${back}`)).toBe('taken');
    bench.comeBack(state);
    await done;
    expect(statusOf(bench)).toBe('signed-in');
  });

  it.each([
    ['the provider offers none', 'end_session_endpoint'],
    ['the browser does not start', 'browser-failed'],
    ['the redirect does not work here', 'nobody is sent back'],
  ])('is done here all the same where %s', async (what, word) => {
    const { endSession: _none, ...without } = ENDPOINTS;
    const bench = await signedIn({
      ...OPTIONS,
      logout: { redirect: REDIRECT },
      ...(what.startsWith('the provider') ? { endpoints: without } : {}),
    });
    if (what.startsWith('the browser')) bench.browser.failNext();
    if (what.startsWith('the redirect')) bench.scheme.setUnavailable('stolen');
    await bench.engine.signOut({ endBrowserSession: true });
    expect([statusOf(bench), troubles(bench)]).toEqual([
      'signed-out',
      [expect.stringContaining(word)],
    ]);
    expect(bench.scheme.open).toEqual([]);
  });

  it('says so when it has no ID token to send as a hint, and asks without', async () => {
    const bench = await signedIn({ ...OPTIONS, logout: { idTokenHint: true } });
    await bench.engine.signOut({ endBrowserSession: true });
    expect(lastPage(bench).searchParams.has('id_token_hint')).toBe(false);
    expect(troubles(bench)).toEqual([expect.stringContaining('no ID token is in memory')]);
  });

  it('keeps the way back open for a few logouts at most', async () => {
    const bench = await signedIn({ ...OPTIONS, logout: { redirect: REDIRECT } });
    for (let time = 0; time < LIMITS.openAttempts + 2; time += 1)
      await bench.engine.signOut({ endBrowserSession: true });
    expect(bench.scheme.open).toHaveLength(LIMITS.openAttempts);
    await bench.engine.stop();
    expect(bench.clock.pending, 'timers').toBe(0);
  });

  it('of an account that is not there opens nothing', async () => {
    const bench = await signedIn();
    const before = bench.browser.opened.length;
    await bench.engine.signOut({ account: 'somebody', endBrowserSession: true });
    expect([bench.browser.opened.length, statusOf(bench)]).toEqual([before, 'signed-in']);
  });

  it.each([
    ['a list', []],
    ['an unknown member', { everywhere: true }],
    ['a text for the flag', { endBrowserSession: 'yes' }],
    ['a number for the account', { account: 7 }],
    ['null', null],
    ['an empty id', ''],
  ])('refuses %s, and signs nobody out', async (_what, argument) => {
    const bench = await signedIn();
    expect(await codeOf(bench.engine.signOut(argument))).toBe('invalid-options');
    expect(statusOf(bench)).toBe('signed-in');
  });
});

describe('the option "logout"', () => {
  it.each([
    ['a redirect that is not in "redirects"', { redirect: 'com.example.app:/elsewhere' }],
    ['a redirect that nobody is sent back by', { redirect: 'device-code' }],
    ['an unknown member', { hint: true }],
    ['a text', 'yes'],
  ])('refuses %s', (_what, logout) => {
    expect(() =>
      createBench({
        ...OPTIONS,
        redirects: [...OPTIONS.redirects, 'device-code'],
        endpoints: { ...ENDPOINTS, deviceAuthorization: `${ISSUER}/device` },
        logout: logout as never,
      }),
    ).toThrow(/logout/);
  });
});
