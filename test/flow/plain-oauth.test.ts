// Plain OAuth 2.0, endpoints by hand, and discovery in its two forms (OpenID Connect Discovery, RFC
// 8414).
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Provider, type ProviderOptions, subjectOf } from '../../src/testing/index.js';
import {
  expectNoLeak,
  signedInView,
  startApp,
  startProvider,
  stopApps,
} from '../support/flow-app.js';

const SCOPES = ['profile', 'email', 'offline_access'];
const providers: Record<string, Provider> = {};
const at = (name: 'openid' | 'oauth' | 'none'): Provider => providers[name]!;

beforeAll(async () => {
  for (const discovery of ['openid', 'oauth', 'none'] as const)
    providers[discovery] = await startProvider({ discovery } satisfies ProviderOptions);
});
afterAll(async () => {
  for (const provider of Object.values(providers)) await provider.stop();
});
afterEach(async () => {
  await stopApps();
  for (const provider of Object.values(providers)) {
    expect(provider.unusedFaults()).toEqual([]);
    provider.clearFaults();
  }
});

describe('without the scope openid', () => {
  it('userinfo tells who it is, and no ID token is demanded', async () => {
    const app = await startApp(at('oauth'), { scopes: SCOPES });
    await app.signIn();
    expect(signedInView(app).account).toMatchObject({
      subject: subjectOf('ada'),
      name: 'Ada Lovelace',
      email: 'ada@example.com',
      username: 'ada',
    });
    const query = new URL(app.opened[0]!).searchParams;
    expect([query.has('nonce'), query.get('prompt'), query.get('code_challenge_method')]).toEqual([
      false,
      null,
      'S256',
    ]);
    expectNoLeak(app, at('oauth'));
  });

  it("the host's own function tells who it is, with the access token", async () => {
    let seen = '';
    const app = await startApp(at('oauth'), {
      scopes: SCOPES,
      identify: async (accessToken) => {
        seen = accessToken;
        return { subject: 'host-7', name: 'From the host' };
      },
    });
    await app.signIn();
    expect(signedInView(app).account).toMatchObject({ subject: 'host-7', name: 'From the host' });
    expect(seen).toBe(await app.engine.getAccessToken());
  });

  it('the second nameless person is given no token of the first, whatever the provider leaves out', async () => {
    const provider = at('none');
    const { authorization, token } = provider.endpoints;
    const app = await startApp(provider, { scopes: SCOPES, endpoints: { authorization, token } });
    await app.signIn({ login: 'ada' });
    const first = signedInView(app).account.id;
    const theirs = provider.issued
      .filter(({ kind }) => kind === 'refresh_token')
      .map(({ value }) => value);
    await app.signIn({ login: 'grace' }, { prompt: 'login' });
    expect(signedInView(app).account.id).not.toBe(first);
    const kept = [...app.secrets.entries.values()].join();
    expect(theirs.filter((value) => kept.includes(value))).toEqual([]);
  });

  it('nobody can be told apart where there is neither, which the log says', async () => {
    const provider = at('none');
    const { authorization, token } = provider.endpoints;
    const app = await startApp(provider, { scopes: SCOPES, endpoints: { authorization, token } });
    await app.signIn();
    expect(signedInView(app).account.subject).toBe('anonymous');
    expect(app.log.names()).toContain('account-anonymous');
  });

  it('the session is restored and renewed as any other', async () => {
    const app = await startApp(at('oauth'), { scopes: SCOPES });
    await app.signIn();
    const next = await app.restartDue();
    expect(await next.codeOf(next.engine.getAccessToken())).toBe('resolved');
    expect(signedInView(next).account.name).toBe('Ada Lovelace');
    expectNoLeak(next, at('oauth'));
  });

  it.each([
    ['is out of order', { kind: 'status', status: 500 } as const, 'server-unavailable'],
    ['is cut', { kind: 'reset' } as const, 'network-failed'],
  ])('a userinfo that %s ends the sign-in, and nothing is stored', async (_what, fault, code) => {
    at('oauth').fault({ ...fault, endpoint: 'userinfo', times: 1 });
    const app = await startApp(at('oauth'), { scopes: SCOPES });
    expect(await app.codeOf(app.signIn())).toBe(code);
    expect(app.secrets.entries.size).toBe(0);
  });
});

describe('with the scope openid', () => {
  it('userinfo of another subject is not used', async () => {
    const provider = at('openid');
    provider.fault({ kind: 'id-token', change: 'missing-kid', times: 1 });
    provider.fault({
      kind: 'members',
      endpoint: 'userinfo',
      set: { sub: 'u-somebody-else', email: 'eve@example.com' },
    });
    const app = await startApp(provider, { scopes: ['openid', 'offline_access'] });
    await app.signIn();
    expect(JSON.stringify(app.views)).not.toContain('eve@example.com');
  });

  it('a userinfo that fails does not cost the sign-in', async () => {
    const provider = at('openid');
    provider.fault({ kind: 'status', status: 500, endpoint: 'userinfo' });
    const app = await startApp(provider, { scopes: ['openid', 'offline_access'] });
    await app.signIn();
    expect(signedInView(app).account.subject).toBe(subjectOf('ada'));
    expect(app.log.names()).toContain('userinfo-failed');
  });
});

describe('endpoints by hand', () => {
  it('need no discovery', async () => {
    const provider = at('none');
    const { authorization, token, jwks, userinfo, revocation } = provider.endpoints;
    const app = await startApp(provider, {
      endpoints: { authorization, token, jwks, userinfo, revocation },
    });
    await app.signIn();
    expect(signedInView(app).account.name).toBe('Ada Lovelace');
    await app.engine.signOut();
    expect(provider.requests.some(({ endpoint }) => endpoint === 'discovery')).toBe(false);
  });
});

describe('discovery', () => {
  it('falls back to RFC 8414', async () => {
    const app = await startApp(at('oauth'), { scopes: SCOPES });
    await app.signIn();
    const paths = at('oauth')
      .requests.filter(({ endpoint }) => endpoint === 'discovery')
      .slice(-2)
      .map(({ path }) => path);
    expect(paths).toEqual([
      '/.well-known/openid-configuration',
      '/.well-known/oauth-authorization-server',
    ]);
  });

  it('falls back also where the first address leads to a page', async () => {
    at('openid').fault({ kind: 'html', endpoint: 'discovery', times: 1 });
    const app = await startApp(at('openid'));
    expect(await app.codeOf(app.signIn())).toBe('resolved');
  });

  it('falls back also where the first address is a redirect', async () => {
    at('openid').fault({ kind: 'status', status: 302, endpoint: 'discovery', times: 1 });
    const app = await startApp(at('openid'));
    expect(await app.codeOf(app.signIn())).toBe('resolved');
  });

  it('that finds nothing says so, and the browser is not opened', async () => {
    const app = await startApp(at('none'));
    expect(await app.codeOf(app.signIn())).toBe('discovery-failed');
    expect(app.opened).toEqual([]);
  });

  it('believes no metadata of another issuer', async () => {
    at('openid').fault({
      kind: 'members',
      endpoint: 'discovery',
      set: { issuer: 'https://evil.example' },
      times: 1,
    });
    const app = await startApp(at('openid'));
    expect(await app.codeOf(app.signIn())).toBe('issuer-mismatch');
  });

  it('sends no code and no token to an endpoint without TLS elsewhere', async () => {
    at('openid').fault({
      kind: 'members',
      endpoint: 'discovery',
      set: { token_endpoint: 'http://id.example/token' },
      times: 1,
    });
    const app = await startApp(at('openid'));
    expect(await app.codeOf(app.signIn())).toBe('discovery-failed');
  });

  it('that failed is tried again at the next sign-in', async () => {
    at('openid').fault({ kind: 'status', status: 503, endpoint: 'discovery', times: 1 });
    const app = await startApp(at('openid'));
    expect(await app.codeOf(app.signIn())).toBe('server-unavailable');
    expect(await app.codeOf(app.signIn())).toBe('resolved');
  });
});

describe('token answers', () => {
  it.each([['bearer'], ['Bearer'], ['BEARER']])(
    'are accepted with the token type %s',
    async (tokenType) => {
      at('openid').fault({
        kind: 'members',
        endpoint: 'token',
        set: { token_type: tokenType },
        times: 1,
      });
      const app = await startApp(at('openid'));
      expect(await app.codeOf(app.signIn())).toBe('resolved');
    },
  );

  it.each<[string, Record<string, unknown>]>([
    ['a lifetime in quotes', { expires_in: '300' }],
    ['a lifetime that is no number', { expires_in: 'soon' }],
    ['a scope that is a list', { scope: ['openid'] }],
    ['members that nobody knows', { foo: { bar: 1 }, refresh_expires_in: 7 }],
  ])('are accepted with %s', async (_what, set) => {
    at('openid').fault({ kind: 'members', endpoint: 'token', set, times: 1 });
    const app = await startApp(at('openid'));
    expect(await app.codeOf(app.signIn())).toBe('resolved');
    expect(signedInView(app).renewal).toMatchObject({ state: 'fresh' });
  });

  it.each<[string, Record<string, unknown>]>([
    ['another token type', { token_type: 'mac' }],
    ['no token type', { token_type: undefined }],
    ['an access token that is no text', { access_token: 7 }],
    ['an empty access token', { access_token: '' }],
  ])('are refused with %s', async (_what, set) => {
    at('openid').fault({ kind: 'members', endpoint: 'token', set, times: 1 });
    const app = await startApp(at('openid'));
    expect(await app.codeOf(app.signIn())).toMatch(/^(response|id-token)-invalid$/);
    expect(app.secrets.entries.size).toBe(0);
    expectNoLeak(app, at('openid'));
  });

  it.each([
    ['an end', ['refresh_token']],
    ['no end', ['refresh_token', 'expires_in']],
  ])('without a refresh token and with %s are remembered, and revoked', async (_what, drop) => {
    const provider = at('openid');
    provider.fault({ kind: 'members', endpoint: 'token', drop, times: 1 });
    const before = await startApp(provider);
    await before.signIn();
    const token = await before.engine.getAccessToken();
    const requests = provider.requests.length;
    const app = await before.restart();
    expect(signedInView(app)).toMatchObject({
      remembered: true,
      store: 'keychain',
      renewal: { state: 'fresh', renewAt: null },
    });
    expect(await app.engine.getAccessToken()).toBe(token);
    expect(provider.requests.length).toBe(requests);
    await app.engine.signOut();
    await expect
      .poll(() => provider.requests.slice(requests).at(-1))
      .toMatchObject({ endpoint: 'revocation', status: 200 });
    const answer = await fetch(provider.endpoints.me, {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(answer.status).toBe(401);
    expectNoLeak(app, provider);
  });
});
