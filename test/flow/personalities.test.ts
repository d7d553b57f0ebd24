// Latchkey's core against every personality over real HTTP: sign-in by both redirects, renewal, revocation, sign-out.
// What the core cannot send yet is put in by the network of the test, and said so: a client secret.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { Network } from '../../src/main/core/ports.js';
import { createVirtualClock, startProvider } from '../../src/testing/index.js';
import type { PersonalityName, Provider, ProviderOptions } from '../../src/testing/index.js';
import { type App, type AppOptions, LOOPBACK_REDIRECT, SCHEME_REDIRECT, expectNoLeak, nodeNetwork, signedInView, startApp, stopApps, waitFor } from '../support/flow-app.js';
import { get, renew } from './wire-client.js';

type Redirect = 'custom-scheme' | 'loopback';

/** How a host sets Latchkey up for a provider, and what it can expect there. */
interface Setup {
  readonly provider?: (redirect: Redirect) => Promise<ProviderOptions>;
  readonly app: (provider: Provider, redirect: Redirect) => AppOptions;
  readonly redirects: readonly Redirect[];
  /** A refresh token comes, and with it everything that follows. */
  readonly renews: boolean;
  /** Signing out is told to the provider. */
  readonly revokes: boolean;
  readonly name?: string;
}

const BOTH: readonly Redirect[] = ['custom-scheme', 'loopback'];
const uriOf = (redirect: Redirect, loopback = LOOPBACK_REDIRECT): string => (redirect === 'loopback' ? loopback : SCHEME_REDIRECT);
const plain: Setup = { app: (_provider, redirect) => ({ redirects: [uriOf(redirect)] }), redirects: BOTH, renews: true, revokes: true };
const ENTRA_LOOPBACK = 'http://localhost/callback';

/** Adds the client secret to token requests. The core has no option for one yet. */
const withSecret = ({ endpoints, clientSecret }: Provider): Network => ({
  fetch: (url, request) => nodeNetwork.fetch(url, url === endpoints.token ? { ...request, body: `${request.body ?? ''}&client_secret=${clientSecret ?? ''}` } : request),
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const SETUPS: Readonly<Record<PersonalityName, Setup>> = {
  strict: plain,
  legacy: plain,
  keycloak: plain,
  okta: {
    ...plain,
    // Okta compares the port, so the app has one that it always uses.
    provider: async () => ({ redirectUris: [SCHEME_REDIRECT, `http://127.0.0.1:${await freePort()}/callback`] }),
    app: (provider, redirect) => ({ redirects: provider.redirectUris.filter((uri) => uri.startsWith('http:') === (redirect === 'loopback')) }),
  },
  entra: {
    ...plain,
    provider: async () => ({ redirectUris: [SCHEME_REDIRECT, ENTRA_LOOPBACK] }),
    app: (_provider, redirect) => ({ redirects: [uriOf(redirect, ENTRA_LOOPBACK)] }),
    revokes: false,
  },
  google: {
    app: (provider) => ({
      redirects: [LOOPBACK_REDIRECT], scopes: ['openid', 'profile', 'email'],
      authorizationParameters: { access_type: 'offline', prompt: 'consent' }, network: withSecret(provider),
    }),
    redirects: ['loopback'], renews: true, revokes: true,
  },
  github: {
    app: (provider, redirect) => ({
      redirects: [uriOf(redirect)], scopes: ['read:user'], endpoints: { authorization: provider.endpoints.authorization, token: provider.endpoints.token }, network: withSecret(provider),
      identify: async (accessToken) => {
        const { login, id } = (await get(provider.endpoints.me, accessToken)).body as { readonly login: string; readonly id: number };
        return { subject: String(id), name: login };
      },
    }),
    redirects: BOTH, renews: false, revokes: false, name: 'ada',
  },
};

const providers: Provider[] = [];

afterEach(async () => {
  await stopApps();
  await Promise.all(providers.splice(0).map((provider) => provider.stop()));
});

async function start(personality: PersonalityName, options: ProviderOptions = {}, redirect: Redirect = SETUPS[personality].redirects[0] ?? 'loopback'): Promise<{ readonly provider: Provider; readonly app: App }> {
  const provider = await startProvider({ personality, signingAlgorithm: 'ES256', ...(await SETUPS[personality].provider?.(redirect)), ...options });
  providers.push(provider);
  return { provider, app: await startApp(provider, SETUPS[personality].app(provider, redirect)) };
}

const lastIssued = (provider: Provider, kind: string): string => provider.issued.filter((secret) => secret.kind === kind).at(-1)?.value ?? 'none';
const revocations = (provider: Provider): number => provider.requests.filter(({ endpoint }) => endpoint === 'revocation').length;

describe.each(Object.entries(SETUPS) as readonly (readonly [PersonalityName, Setup])[])('%s', (personality, setup) => {
  it.each(setup.redirects)('signs in by %s, and nothing leaks', async (redirect) => {
    const { provider, app } = await start(personality, {}, redirect);
    await app.signIn();
    expect(signedInView(app).account).toMatchObject({ issuer: provider.issuer, name: setup.name ?? 'Ada Lovelace' });
    expect(await app.engine.getAccessToken()).toBe(lastIssued(provider, 'access_token'));
    expect(provider.requests.filter(({ endpoint }) => endpoint === 'token').map(({ origin, status }) => [origin, status])).toEqual([[null, 200]]);
    expectNoLeak(app, provider);
  });

  it('ends as denied when the person says no', async () => {
    const { provider, app } = await start(personality);
    expect(await app.codeOf(app.signIn({ consent: 'deny' }))).toBe('sign-in-denied');
    expect(app.engine.view()).toMatchObject({ status: 'signed-out', error: { serverError: 'access_denied' } });
    expectNoLeak(app, provider);
  });

  // Not a skip: there is nothing to renew.
  if (setup.renews) it('renews, and again after a restart', async () => {
    const { provider, app } = await start(personality);
    await app.signIn();
    let current = app;
    for (let round = 1; round <= 3; round += 1) {
      current = await current.restartDue();
      expect(await current.engine.getAccessToken()).toBe(lastIssued(provider, 'access_token'));
      expect(provider.tokenRequests('refresh_token')).toBe(round);
    }
    expect(signedInView(current).remembered).toBe(true);
    expectNoLeak(current, provider);
  });

  if (setup.renews) it('is signed out when the provider has revoked everything, and by nothing less', async () => {
    const { provider, app } = await start(personality);
    await app.signIn();
    provider.revokeAccessTokens();
    const second = await app.restartDue();
    expect(await second.codeOf(second.engine.getAccessToken())).toBe('resolved');
    provider.revokeAll();
    const third = await second.restartDue();
    expect(await third.codeOf(third.engine.getAccessToken())).toBe('session-ended');
    expect(third.engine.view()).toMatchObject({ status: 'signed-out', reason: 'ended', error: { serverError: 'invalid_grant' } });
    expectNoLeak(third, provider);
  });

  it('signs out here at once, and there where the provider can be told', async () => {
    const { provider, app } = await start(personality);
    await app.signIn();
    const refreshToken = lastIssued(provider, 'refresh_token');
    await app.engine.signOut();
    expect(app.engine.view()).toMatchObject({ status: 'signed-out', reason: 'signed-out' });
    expect(app.secrets.entries.size).toBe(0);
    if (setup.revokes) await waitFor(() => revocations(provider) === 1, 'the revocation');
    else expect(revocations(provider)).toBe(0);
    const { body } = await renew(provider, refreshToken, { client_secret: provider.clientSecret });
    if (setup.revokes) expect(body['error']).toBe('invalid_grant');
    expectNoLeak(app, provider);
  });
});

describe('a lost answer to a renewal', () => {
  it.each([
    ['strict', 'session-ended'],
    ['okta', 'resolved'],
    ['entra', 'resolved'],
    ['keycloak', 'resolved'],
    ['google', 'resolved'],
    ['legacy', 'resolved'],
  ] as const)('costs the session at %s: %s', async (personality, code) => {
    const { provider, app } = await start(personality);
    await app.signIn();
    provider.fault({ kind: 'lost-answer', endpoint: 'token', grantType: 'refresh_token', times: 1 });
    const second = await app.restartDue();
    expect(await second.codeOf(second.engine.getAccessToken())).toBe('network-failed');
    const third = await second.restartDue();
    expect(await third.codeOf(third.engine.getAccessToken())).toBe(code);
    expect(provider.unusedFaults()).toEqual([]);
  });
});

describe('an app that is registered at Entra as a single-page application', () => {
  it('cannot sign in, and can as soon as the registration is right', async () => {
    const { provider, app } = await start('entra');
    provider.register({ redirectUris: [{ uri: ENTRA_LOOPBACK, platform: 'spa' }] });
    const loopback = await startApp(provider, { redirects: [ENTRA_LOOPBACK] });
    expect(await loopback.codeOf(loopback.signIn())).toBe('sign-in-refused');
    expect(loopback.engine.view()).toMatchObject({ status: 'signed-out', error: { code: 'sign-in-refused', serverError: 'invalid_request' } });
    provider.register({ redirectUris: [{ uri: ENTRA_LOOPBACK, platform: 'native' }] });
    await loopback.signIn();
    expect(signedInView(loopback).account.name).toBe('Ada Lovelace');
    expectNoLeak(loopback, provider);
    expect(app.views.at(-1)?.status).toBe('signed-out');
  });

  it('works without ever sending Origin or a secret, which Entra would refuse', async () => {
    const { provider, app } = await start('entra');
    await app.signIn();
    const request = provider.requests.find(({ endpoint }) => endpoint === 'token');
    expect([request?.origin, request?.parameterNames.includes('client_secret'), request?.parameterNames.includes('code_verifier')]).toEqual([null, false, true]);
  });
});

describe('time that nobody waits for', () => {
  it('ends a session at Keycloak that was idle for more than 30 minutes, unless it is offline_access', async () => {
    const clock = createVirtualClock();
    const { provider, app } = await start('keycloak', { clock });
    await app.signIn();
    const online = await startApp(provider, { scopes: ['openid', 'profile'] });
    await online.signIn();
    clock.advanceSeconds(31 * 60);
    const later = await app.restartDue();
    expect(await later.codeOf(later.engine.getAccessToken())).toBe('resolved');
    const late = await online.restartDue();
    expect(await late.codeOf(late.engine.getAccessToken())).toBe('session-ended');
  });
});
