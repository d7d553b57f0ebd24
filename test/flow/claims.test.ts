// The option "claims" and getIdToken() at a genuine provider: where each claim comes from, how long
// it stays, and what it costs.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { AccountClaims } from '../../src/contract.js';
import { LIMITS } from '../../src/main/core/base/limits.js';
import type { Provider } from '../../src/testing/index.js';
import {
  type App,
  type AppOptions,
  expectNoLeak,
  signedInView,
  startApp,
  startProvider,
  stopApps,
  time,
} from '../support/flow-app.js';

const CLAIMS = ['roles', 'groups'];
const GROUPS = ['staff', 'printers'];

let provider: Provider;
beforeAll(async () => {
  provider = await startProvider({
    people: { ada: { name: 'Ada Lovelace', email: 'ada@example.com', groups: GROUPS } },
    userinfoOnly: ['groups'],
  });
});
afterAll(() => provider.stop());
beforeEach(() => {
  provider.changePerson('ada', { roles: ['admin'], groups: GROUPS });
  provider.changePerson('grace', { roles: ['reader'] });
});
afterEach(async () => {
  provider.clearFaults();
  await stopApps();
});

const askedUserinfo = (from = provider): number =>
  from.requests.filter(({ endpoint }) => endpoint === 'userinfo').length;

async function signedIn(options: AppOptions = { claims: CLAIMS }, from = provider): Promise<App> {
  const app = await startApp(from, options);
  await app.signIn({ login: 'ada' });
  return app;
}

const claimsOf = (app: App): AccountClaims | undefined => signedInView(app).account.claims;

/** Makes the app fetch another access token, as if the last one had been refused. */
async function renew(app: App): Promise<void> {
  const refused = await app.engine.getAccessToken();
  await time.pass(LIMITS.refusedYoungMs);
  expect(await app.engine.getAccessToken({ refused })).not.toBe(refused);
}

function partOf(jwt: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString()) as Record<
    string,
    unknown
  >;
}

describe('account.claims', () => {
  it('has the named members of ID token and userinfo, and no others', async () => {
    const app = await signedIn();
    expect(claimsOf(app)).toEqual({ roles: ['admin'], groups: GROUPS });
    expect(signedInView(app).account.name).toBe('Ada Lovelace');
    expectNoLeak(app, provider);
  });

  it('is absent, and userinfo is not asked, where the option names none', async () => {
    const before = askedUserinfo();
    const app = await signedIn({});
    expect(signedInView(app).account).not.toHaveProperty('claims');
    expect(askedUserinfo() - before).toBe(0);
  });

  it('costs one question to userinfo where the ID token lacks one, none else, and none at a renewal', async () => {
    let before = askedUserinfo();
    await signedIn({ claims: ['roles'] });
    expect(askedUserinfo() - before).toBe(0);
    before = askedUserinfo();
    const app = await signedIn();
    expect(askedUserinfo() - before).toBe(1);
    await renew(app);
    expect(askedUserinfo() - before).toBe(1);
    expect(claimsOf(app)).toEqual({ roles: ['admin'], groups: GROUPS });
  });

  it('has what the ID token said where userinfo gives no answer, and the sign-in goes on', async () => {
    provider.fault({ kind: 'status', endpoint: 'userinfo', status: 503 });
    const app = await signedIn();
    expect(claimsOf(app)).toEqual({ roles: ['admin'] });
    expect(app.log.events.map(({ event }) => event)).toContain('userinfo-failed');
  });

  it('has nothing of a userinfo that names another person', async () => {
    provider.fault({ kind: 'members', endpoint: 'userinfo', set: { sub: 'u-somebody-else' } });
    const app = await signedIn();
    expect(claimsOf(app)).toEqual({ roles: ['admin'] });
  });

  it('has the value of the ID token where userinfo has another', async () => {
    provider.fault({ kind: 'members', endpoint: 'userinfo', set: { roles: ['owner'] } });
    const app = await signedIn();
    expect(claimsOf(app)).toEqual({ roles: ['admin'], groups: GROUPS });
  });

  it('is fresh after a renewal, and a claim that its ID token lacks is gone', async () => {
    const app = await signedIn();
    provider.changePerson('ada', { roles: ['reader'] });
    await renew(app);
    expect(claimsOf(app)).toEqual({ roles: ['reader'], groups: GROUPS });
    provider.changePerson('ada', { roles: undefined });
    await renew(app);
    expect(claimsOf(app)).toEqual({ groups: GROUPS });
  });

  it('lacks what the next ID token lacks, though userinfo has said it at the sign-in', async () => {
    const app = await signedIn();
    provider.changePerson('ada', { roles: undefined });
    await renew(app);
    expect(claimsOf(app)).toEqual({ groups: GROUPS });
  });

  it.each([
    ['without ID token', { drop: ['id_token'] }],
    ['with an empty one', { set: { id_token: '' } }],
  ])('stays as it is at a renewal %s', async (_what, change) => {
    const app = await signedIn();
    provider.changePerson('ada', { roles: ['reader'] });
    provider.fault({ kind: 'members', endpoint: 'token', ...change });
    await renew(app);
    expect(claimsOf(app)).toEqual({ roles: ['admin'], groups: GROUPS });
  });

  it('stays as it is, and so does the ID token, when a token with fewer scopes is fetched', async () => {
    const app = await signedIn();
    const idToken = await app.engine.getIdToken();
    provider.changePerson('ada', { roles: ['reader'] });
    const before = provider.tokenRequests('refresh_token');
    await app.engine.getAccessToken({ scopes: ['openid'] });
    expect(provider.tokenRequests('refresh_token') - before).toBe(1);
    expect(claimsOf(app)).toEqual({ roles: ['admin'], groups: GROUPS });
    expect(await app.engine.getIdToken()).toBe(idToken);
    expect(claimsOf(await app.restart())).toEqual({ roles: ['admin'], groups: GROUPS });
  });

  it.each(['wrong-sub', 'wrong-iss', 'wrong-aud'] as const)(
    'has nothing of the ID token of a renewal that is "%s"',
    async (change) => {
      const app = await signedIn();
      provider.changePerson('ada', { roles: ['owner'] });
      provider.fault({ kind: 'id-token', change, times: 1 });
      const refused = await app.engine.getAccessToken();
      await time.pass(LIMITS.refusedYoungMs);
      expect(await app.codeOf(app.engine.getAccessToken({ refused }))).toBe('id-token-invalid');
      expect(claimsOf(app)).toEqual({ roles: ['admin'], groups: GROUPS });
    },
  );

  it('is kept in the keychain over a restart, which asks nobody, and not in the plain file', async () => {
    const app = await signedIn();
    const before = provider.requests.length;
    const next = await app.restart();
    expect(claimsOf(next)).toEqual({ roles: ['admin'], groups: GROUPS });
    expect(provider.requests.length).toBe(before);
    expect(JSON.stringify([app.file.content, app.file.saves])).not.toMatch(/admin|printers/);
  });

  it('has after a restart only what the option names now, and none where it names none', async () => {
    const app = await signedIn();
    const narrow = await app.restart({ claims: ['groups', 'email_verified'] });
    expect(claimsOf(narrow)).toEqual({ groups: GROUPS });
    const none = await narrow.restart({});
    expect(signedInView(none).account).not.toHaveProperty('claims');
  });

  it('comes with the next ID token where an update of the app has added the option', async () => {
    const app = await signedIn({});
    const next = await app.restart({ claims: CLAIMS });
    expect(signedInView(next).account).not.toHaveProperty('claims');
    await renew(next);
    expect(claimsOf(next)).toEqual({ roles: ['admin'] });
  });

  it('is what another process of the app has stored with its renewal, without a request', async () => {
    const app = await signedIn();
    const { secrets, file, lock, person } = app;
    const second = await startApp(
      provider,
      { claims: CLAIMS },
      { secrets, file, person, lock: lock.another() },
    );
    provider.changePerson('ada', { roles: ['reader'] });
    await renew(second);
    const before = provider.requests.length;
    const refused = await app.engine.getAccessToken();
    expect(await app.engine.getAccessToken({ refused })).toBe(await second.engine.getAccessToken());
    expect(claimsOf(app)).toEqual({ roles: ['reader'], groups: GROUPS });
    expect(provider.requests.length).toBe(before);
  });

  it('is of the active account only, and goes when the person signs out', async () => {
    const app = await signedIn({ claims: CLAIMS, accounts: 'several' });
    await app.signIn({ login: 'grace' }, { prompt: 'login' });
    const view = signedInView(app);
    expect(view.account.claims).toEqual({ roles: ['reader'] });
    expect(JSON.stringify(view.otherAccounts)).not.toContain('claims');
    await app.engine.switchAccount(view.otherAccounts?.[0]?.id ?? '');
    expect(claimsOf(app)).toEqual({ roles: ['admin'], groups: GROUPS });
    await app.engine.signOut();
    expect(JSON.stringify(app.engine.view())).not.toContain('claims');
  });

  it('is without a claim that is too large, which the log names once, and the sign-in goes on', async () => {
    provider.changePerson('ada', { roles: Array.from({ length: 2_000 }, (_, at) => `role-${at}`) });
    const app = await signedIn();
    await renew(app);
    expect(claimsOf(app)).toEqual({ groups: GROUPS });
    expect(app.log.events.filter(({ event }) => event === 'claim-left-out')).toMatchObject([
      { level: 'warn', fields: { claim: 'roles' } },
    ]);
  });

  it('comes from userinfo at a provider of plain OAuth 2.0', async () => {
    const plain = await startProvider({
      discovery: 'oauth',
      people: { ada: { plan: 'pro', roles: ['admin'] } },
    });
    const app = await signedIn(
      { claims: ['plan', 'team'], scopes: ['profile', 'offline_access'] },
      plain,
    );
    expect(claimsOf(app)).toEqual({ plan: 'pro' });
    await stopApps();
    await plain.stop();
  });
});

describe('at Entra', () => {
  it('more than 200 groups are a reference, which the host sees and Latchkey never follows', async () => {
    const entra = await startProvider({
      personality: 'entra',
      redirectUris: [{ uri: 'com.example.latchkey-demo:/callback', platform: 'native' }],
      people: { ada: { groups: Array.from({ length: 201 }, (_, at) => `group-${at}`) } },
    });
    const app = await signedIn({ claims: ['groups', '_claim_names'] }, entra);
    expect(claimsOf(app)).toEqual({ _claim_names: { groups: 'src1' } });
    entra.changePerson('ada', { groups: ['group-1'] });
    await renew(app);
    expect(claimsOf(app)).toEqual({ groups: ['group-1'] });
    await stopApps();
    await entra.stop();
  });
});

describe('getIdToken()', () => {
  const renewals = (): number => provider.tokenRequests('refresh_token');

  it('gives the ID token of the sign-in as it came, without a request', async () => {
    const app = await signedIn();
    const before = provider.requests.length;
    const idToken = await app.engine.getIdToken();
    expect(provider.issued).toContainEqual({ kind: 'id_token', value: idToken });
    expect(partOf(idToken)).toMatchObject({ aud: provider.clientId, roles: ['admin'] });
    expect(provider.requests.length).toBe(before);
    expectNoLeak(app, provider);
  });

  it('gives the one of the latest renewal', async () => {
    const app = await signedIn();
    const first = await app.engine.getIdToken();
    provider.changePerson('ada', { roles: ['reader'] });
    await renew(app);
    const second = await app.engine.getIdToken();
    expect(second).not.toBe(first);
    expect(partOf(second)['roles']).toEqual(['reader']);
  });

  it('renews once for all who ask after a start, which kept it in memory only', async () => {
    const app = await signedIn();
    expect([...app.secrets.entries.values()].join()).not.toContain(await app.engine.getIdToken());
    const next = await app.restart();
    const before = renewals();
    const tokens = await Promise.all(Array.from({ length: 50 }, () => next.engine.getIdToken()));
    expect(new Set(tokens).size).toBe(1);
    expect(renewals() - before).toBe(1);
  });

  it('needs no renewal after a start with "keepIdToken", and the record forgets it without', async () => {
    const app = await signedIn({ keepIdToken: true });
    const idToken = await app.engine.getIdToken();
    const before = renewals();
    const next = await app.restart();
    expect(await next.engine.getIdToken()).toBe(idToken);
    expect(renewals() - before).toBe(0);
    expectNoLeak(next, provider);
    const without = await next.restart({});
    expect(await without.engine.getIdToken()).not.toBe(idToken);
    expect([...without.secrets.entries.values()].join()).not.toContain('idToken');
  });

  it("renews when the one that it has is over, and keeps it out of the access token's way", async () => {
    provider.setAccessTokenSeconds(86_400);
    const app = await signedIn();
    provider.setAccessTokenSeconds(300);
    const [first, access] = [await app.engine.getIdToken(), await app.engine.getAccessToken()];
    await time.pass(3_590_000);
    expect(await app.engine.getIdToken()).toBe(first);
    expect(await app.engine.getAccessToken()).toBe(access);
    await time.pass(20_000);
    const before = renewals();
    const second = await app.engine.getIdToken();
    expect(Number(partOf(second)['exp']) * 1000).toBeGreaterThan(time.now());
    expect(renewals() - before).toBe(1);
  });

  it('rejects where a renewal brings none, asks no second time, and the session goes on', async () => {
    provider.fault({
      kind: 'members',
      endpoint: 'token',
      grantType: 'refresh_token',
      drop: ['id_token'],
    });
    const app = await signedIn();
    const next = await app.restart();
    const before = renewals();
    expect(await app.codeOf(next.engine.getIdToken())).toBe('id-token-invalid');
    expect(await app.codeOf(next.engine.getIdToken())).toBe('id-token-invalid');
    expect(renewals() - before).toBe(1);
    expect(await next.engine.getAccessToken()).not.toBe('');
    provider.clearFaults();
    await renew(next);
    expect(partOf(await next.engine.getIdToken())['aud']).toBe(provider.clientId);
  });

  it('gives the earlier one to its own end where renewals bring none', async () => {
    provider.fault({
      kind: 'members',
      endpoint: 'token',
      grantType: 'refresh_token',
      drop: ['id_token'],
    });
    const app = await signedIn();
    const first = await app.engine.getIdToken();
    await renew(app);
    expect(await app.engine.getIdToken()).toBe(first);
  });

  it('gives none that has expired when it comes, and does not ask for each caller', async () => {
    provider.fault({ kind: 'id-token', change: 'expired' });
    const app = await startApp(provider, {});
    provider.clearFaults();
    await app.signIn({ login: 'ada' });
    const next = await app.restart();
    provider.fault({ kind: 'id-token', change: 'expired' });
    const before = renewals();
    expect(await app.codeOf(next.engine.getIdToken())).toBe('id-token-invalid');
    expect(await app.codeOf(next.engine.getIdToken())).toBe('id-token-invalid');
    expect(renewals() - before).toBe(1);
  });

  it('never gives one of another person, who a renewal names', async () => {
    const app = await signedIn();
    const first = await app.engine.getIdToken();
    provider.fault({ kind: 'id-token', change: 'wrong-sub', times: 1 });
    const refused = await app.engine.getAccessToken();
    await time.pass(LIMITS.refusedYoungMs);
    expect(await app.codeOf(app.engine.getAccessToken({ refused }))).toBe('id-token-invalid');
    expect(await app.engine.getIdToken()).toBe(first);
  });

  it('rejects as getAccessToken() does where the provider cannot be reached, and offline with one is fine', async () => {
    const app = await signedIn();
    const first = await app.engine.getIdToken();
    provider.fault({ kind: 'reset', endpoint: 'token' });
    expect(await app.engine.getIdToken()).toBe(first);
    const next = await app.restart();
    expect(await app.codeOf(next.engine.getIdToken())).toBe('network-failed');
    expect(next.engine.view().status).toBe('signed-in');
  });

  it('is of the account that is asked for, without a switch', async () => {
    const app = await signedIn({ accounts: 'several' });
    await app.signIn({ login: 'grace' }, { prompt: 'login' });
    const { account, otherAccounts } = signedInView(app);
    const other = otherAccounts?.[0];
    const subjects = [
      partOf(await app.engine.getIdToken())['sub'],
      partOf(await app.engine.getIdToken({ account: other?.id ?? '' }))['sub'],
    ];
    expect(subjects).toEqual([account.subject, other?.subject]);
    expect(signedInView(app).account.id).toBe(account.id);
    expect(await app.codeOf(app.engine.getIdToken({ account: 'nobody' }))).toBe('signed-out');
  });

  it('rejects without the scope "openid", before and after a sign-out, and asks nobody', async () => {
    const plain = await signedIn({ scopes: ['profile', 'offline_access'] });
    expect(await plain.codeOf(plain.engine.getIdToken())).toBe('invalid-options');
    const app = await signedIn();
    await app.engine.signOut();
    const before = provider.requests.length;
    expect(await app.codeOf(app.engine.getIdToken())).toBe('signed-out');
    for (const wrong of [null, 7, 'ada', { account: '' }, { refused: 'x' }])
      expect(await app.codeOf(app.engine.getIdToken(wrong as never))).toBe('invalid-options');
    expect(provider.requests.length).toBe(before);
  });
});
