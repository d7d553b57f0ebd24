// A sign-in that demands more than an ordinary one, at a real provider: what is asked, what is
// checked in the new ID token, and what stays as it was when the demand is not met.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { SignInOptions } from '../../src/main/core/authorization/sign-in-request.js';
import type { Provider } from '../../src/testing/index.js';
import {
  type App,
  expectNoLeak,
  signedInView,
  startApp,
  startProvider,
  stopApps,
  time,
  waitFor,
} from '../support/flow-app.js';

const STRONG = 'urn:example:strong';
const SCOPES = ['openid', 'profile', 'offline_access', 'read'];

let provider: Provider;
beforeAll(async () => {
  provider = await startProvider({
    acrValues: ['urn:example:weak', STRONG],
    scopes: ['read', 'write', 'send'],
    // A person who takes minutes must not meet a renewal.
    accessTokenSeconds: 7_200,
  });
});
afterAll(() => provider.stop());
beforeEach(() => {
  provider.clearFaults();
  provider.expireSessions();
});
afterEach(stopApps);

/** The sign-in of a host, by the person who is signed in as `login`. */
async function stepUp(app: App, request: SignInOptions, login = 'ada'): Promise<string> {
  return app.codeOf(app.signIn({ login }, request, 'host'));
}

async function signedIn(options: Parameters<typeof startApp>[1] = {}): Promise<App> {
  const app = await startApp(provider, { scopes: SCOPES, ...options });
  await app.signIn();
  return app;
}

const asked = (app: App): URLSearchParams => new URL(app.opened.at(-1) ?? '').searchParams;
const scopesOf = (app: App): readonly string[] => (asked(app).get('scope') ?? '').split(' ').sort();

/** Who is signed in, and with which token. */
async function stateOf(app: App): Promise<readonly unknown[]> {
  return [
    signedInView(app).account.id,
    await app.engine.getAccessToken(),
    app.secrets.entries.size,
  ];
}

describe('a sign-in that demands', () => {
  it('scopes asks for the union with the option and with what is granted, and has a token with them', async () => {
    const app = await signedIn();
    expect(await stepUp(app, { scopes: ['write'] })).toBe('resolved');
    expect(scopesOf(app)).toEqual([...SCOPES, 'write'].sort());
    expect(await stepUp(app, { scopes: ['send', 'read'] })).toBe('resolved');
    expect(scopesOf(app)).toEqual([...SCOPES, 'send', 'write'].sort());
    expect(await stepUp(app, { maxAge: 0 })).toBe('resolved');
    expect(scopesOf(app)).toEqual([...SCOPES, 'send', 'write'].sort());
  });

  it('an acr, a max_age and claims sends them, and is done when the ID token shows them', async () => {
    const app = await signedIn({ authorizationParameters: { max_age: '60', acr_values: 'usual' } });
    expect([asked(app).get('acr_values'), asked(app).get('max_age')]).toEqual(['usual', '60']);
    const claims = { id_token: { auth_time: { essential: true } } };
    expect(await stepUp(app, { acrValues: [STRONG, 'other'], maxAge: 5, claims })).toBe('resolved');
    expect([...['acr_values', 'max_age', 'claims'].map((name) => asked(app).get(name))]).toEqual([
      `${STRONG} other`,
      '5',
      JSON.stringify(claims),
    ]);
    expect(await stepUp(app, { maxAge: 600 })).toBe('resolved');
    expect(asked(app).get('max_age')).toBe('60');
    expectNoLeak(app, provider);
  });

  it.each<[string, SignInOptions]>([
    ['an acr that the provider does not reach', { acrValues: ['urn:example:unknown'] }],
    [
      'an essential acr that the provider does not reach',
      { claims: { id_token: { acr: { essential: true, values: [STRONG] } } } },
    ],
    ['another subject', { claims: { id_token: { sub: { value: 'u-other' } } } }],
  ])('%s fails with id-token-invalid, and the session is as it was', async (_what, request) => {
    const app = await signedIn();
    const before = await stateOf(app);
    expect(await stepUp(app, request)).toBe('id-token-invalid');
    expect(await stateOf(app)).toEqual(before);
    expect(signedInView(app).error?.code).toBe('id-token-invalid');
    expectNoLeak(app, provider);
  });

  it('an age fails when the provider tells an older one, and the session is as it was', async () => {
    const app = await signedIn();
    const before = await stateOf(app);
    provider.fault({ kind: 'id-token', change: 'old-auth-time' });
    expect(await stepUp(app, { maxAge: 0 })).toBe('id-token-invalid');
    expect(await stateOf(app)).toEqual(before);
  });

  it('more, of a person who says no, leaves the session as it was', async () => {
    const app = await signedIn();
    const before = await stateOf(app);
    expect(await app.codeOf(app.signIn({ consent: 'deny' }, { scopes: ['write'] }, 'host'))).toBe(
      'sign-in-denied',
    );
    expect(await stateOf(app)).toEqual(before);
  });
});

describe('a step-up', () => {
  it('tells the provider whose it is, and another person does not replace the account', async () => {
    const app = await signedIn();
    const before = await stateOf(app);
    expect(await stepUp(app, { acrValues: [STRONG] }, 'grace')).toBe('sign-in-denied');
    expect(asked(app).get('login_hint')).toBe(signedInView(app).account.username);
    expect(await stateOf(app)).toEqual(before);
  });

  it('is for anyone when the person is to choose, and then another account replaces the first', async () => {
    const app = await signedIn();
    const choose = { acrValues: [STRONG], prompt: 'select_account' } as const;
    expect(await stepUp(app, choose, 'grace')).toBe('resolved');
    expect(signedInView(app).account.username).toBe('grace');
  });

  it('of another account is for that one, and adds no third', async () => {
    const app = await signedIn({ accounts: 'several' });
    const ada = signedInView(app).account;
    await app.signIn({ login: 'grace' }, { prompt: 'select_account' }, 'host');
    const other = { account: ada.id, acrValues: [STRONG] };
    expect(await stepUp(app, other, 'grace')).toBe('sign-in-denied');
    expect(signedInView(app).account.username).toBe('grace');
    expect(await stepUp(app, other, 'ada')).toBe('resolved');
    expect(asked(app).get('login_hint')).toBe(ada.username);
    const { account, otherAccounts = [] } = signedInView(app);
    expect([account.id, otherAccounts.length]).toEqual([ada.id, 1]);
  });

  it.each([
    ['is checked', 'grace', 'urn:example:weak', 'sign-in-denied'],
    ['is checked for the acr', 'ada', 'urn:example:unknown', 'id-token-invalid'],
    ['is done', 'ada', STRONG, null],
  ])('that outlives its process %s', async (_what, login, acr, code) => {
    const app = await signedIn();
    const { account } = signedInView(app);
    const going = app.codeOf(app.signIn('stays away', { acrValues: [acr] }, 'host'));
    await waitFor(
      () => [...app.secrets.entries.keys()].some((key) => key.startsWith('attempt:')),
      'the record of the attempt',
    );
    await waitFor(() => app.opened.length === 2, 'the browser');
    const next = await app.restart();
    expect(await going).toBe('stopped');
    const { callbackUrl } = await app.person.signIn(app.opened.at(-1) ?? '', { login });
    next.scheme.arrive(callbackUrl);
    await waitFor(() => next.log.names().includes('attempt-ended'), 'the end of the attempt');
    expect(next.log.events.find(({ event }) => event === 'attempt-ended')?.fields).toMatchObject(
      code === null ? { outcome: 'signed-in' } : { code },
    );
    expect(signedInView(next).account.id).toBe(account.id);
  });

  it.each([
    ['grace', 'sign-in-denied'],
    ['ada', 'resolved'],
  ])('by a code on another device, which %s types, is %s', async (login, code) => {
    const first = await signedIn();
    const app = await first.restart({ scopes: SCOPES, redirects: ['device-code'] });
    const { account } = signedInView(app);
    const going = app.codeOf(app.signIn('stays away', { scopes: ['write'] }, 'host'));
    await waitFor(() => signedInView(app).attempt?.device !== undefined, 'the code');
    const device = signedInView(app).attempt?.device;
    provider.expireSessions();
    await app.person.enterCode(device?.verificationUri ?? '', device?.userCode ?? '', { login });
    for (let seconds = 0; seconds < 30 && signedInView(app).attempt !== undefined; seconds += 1)
      await time.pass(1_000);
    expect(await going).toBe(code);
    expect(signedInView(app).account.id).toBe(account.id);
  });
});
