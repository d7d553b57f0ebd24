// Latchkey's core against every personality over real HTTP: sign-in by both redirects, renewal,
// revocation, sign-out. Where Latchkey has a preset it is used as it is, but for the address.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { DeviceView } from '../../src/contract.js';
import type { ProviderPreset } from '../../src/main/core/options/provider-preset.js';
import { entra, github, google, keycloak, okta } from '../../src/providers/index.js';
import type { PersonalityName, Provider, ProviderOptions } from '../../src/testing/index.js';
import {
  type App,
  type AppOptions,
  LOOPBACK_REDIRECT,
  SCHEME_REDIRECT,
  expectNoLeak,
  signedInView,
  startApp,
  startProvider,
  stopApps,
  time,
  waitFor,
} from '../support/flow-app.js';
import { renew } from './wire-client.js';

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
}

const BOTH: readonly Redirect[] = ['custom-scheme', 'loopback'];
const uriOf = (redirect: Redirect, loopback = LOOPBACK_REDIRECT): string =>
  redirect === 'loopback' ? loopback : SCHEME_REDIRECT;
const plain: Setup = {
  app: (_provider, redirect) => ({ redirects: [uriOf(redirect)] }),
  redirects: BOTH,
  renews: true,
  revokes: true,
};
const ENTRA_LOOPBACK = 'http://localhost/callback';

/** What Microsoft's examples have: Entra's preset takes GUIDs only. */
const ENTRA_CLIENT_ID = '00001111-aaaa-2222-bbbb-3333cccc4444';

/** A preset as it is, for a provider that is somewhere else. */
function here(
  preset: ProviderPreset,
  provider: Provider,
  issuer = provider.issuer,
): ProviderPreset {
  const { authorization, token, deviceAuthorization, me: userinfo } = provider.endpoints;
  return {
    ...preset,
    issuer,
    endpoints:
      preset.endpoints === null ? null : { authorization, token, deviceAuthorization, userinfo },
    issuerTemplate:
      preset.issuerTemplate === null
        ? null
        : { ...preset.issuerTemplate, pattern: `${provider.origin}/{tenantid}/v2.0` },
  };
}

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
  keycloak: {
    ...plain,
    app: (provider, redirect) => ({
      provider: here(keycloak({ baseUrl: 'https://id.example.com', realm: 'demo' }), provider),
      redirects: [uriOf(redirect)],
    }),
  },
  okta: {
    ...plain,
    // Okta compares the port, so the app has one that it always uses.
    provider: async () => ({
      redirectUris: [SCHEME_REDIRECT, `http://127.0.0.1:${await freePort()}/callback`],
    }),
    app: (provider, redirect) => ({
      provider: here(okta({ domain: 'notes.okta.com' }), provider),
      redirects: provider.redirectUris.filter(
        (uri) => uri.startsWith('http:') === (redirect === 'loopback'),
      ),
    }),
  },
  entra: {
    ...plain,
    provider: async () => ({
      clientId: ENTRA_CLIENT_ID,
      redirectUris: [SCHEME_REDIRECT, ENTRA_LOOPBACK],
    }),
    app: (provider, redirect) => ({
      provider: here(entra({ tenant: 'aaaabbbb-0000-cccc-1111-dddd2222eeee' }), provider),
      redirects: [uriOf(redirect, ENTRA_LOOPBACK)],
    }),
    revokes: false,
  },
  google: {
    provider: async () => ({ clientId: 'notes.apps.googleusercontent.com' }),
    app: (provider) => ({
      provider: here(google(), provider),
      clientSecret: secretOf(provider),
      redirects: [LOOPBACK_REDIRECT],
    }),
    redirects: ['loopback'],
    renews: true,
    revokes: true,
  },
  github: {
    app: (provider, redirect) => ({
      provider: here(github(), provider),
      clientSecret: secretOf(provider),
      redirects: [uriOf(redirect)],
    }),
    redirects: BOTH,
    renews: false,
    revokes: false,
  },
};

const secretOf = ({ clientSecret }: Provider): string => clientSecret ?? '';

const providers: Provider[] = [];

afterEach(async () => {
  await stopApps();
  await Promise.all(providers.splice(0).map((provider) => provider.stop()));
});

async function start(
  personality: PersonalityName,
  options: ProviderOptions = {},
  redirect: Redirect = SETUPS[personality].redirects[0] ?? 'loopback',
): Promise<{ readonly provider: Provider; readonly app: App }> {
  const provider = await startProvider({
    personality,
    signingAlgorithm: 'ES256',
    ...(await SETUPS[personality].provider?.(redirect)),
    ...options,
  });
  providers.push(provider);
  return { provider, app: await startApp(provider, SETUPS[personality].app(provider, redirect)) };
}

const lastIssued = (provider: Provider, kind: string): string =>
  provider.issued.filter((secret) => secret.kind === kind).at(-1)?.value ?? 'none';
const revocations = (provider: Provider): number =>
  provider.requests.filter(({ endpoint, status }) => endpoint === 'revocation' && status !== null)
    .length;

describe.each(Object.entries(SETUPS) as readonly (readonly [PersonalityName, Setup])[])(
  '%s',
  (personality, setup) => {
    it.each(setup.redirects)('signs in by %s, and nothing leaks', async (redirect) => {
      const { provider, app } = await start(personality, {}, redirect);
      await app.signIn();
      expect(signedInView(app).account).toMatchObject({
        issuer: provider.issuer,
        name: 'Ada Lovelace',
      });
      expect(await app.engine.getAccessToken()).toBe(lastIssued(provider, 'access_token'));
      expect(
        provider.requests
          .filter(({ endpoint }) => endpoint === 'token')
          .map(({ origin, status }) => [origin, status]),
      ).toEqual([[null, 200]]);
      expectNoLeak(app, provider);
    });

    it('ends as denied when the person says no', async () => {
      const { provider, app } = await start(personality);
      expect(await app.codeOf(app.signIn({ consent: 'deny' }))).toBe('sign-in-denied');
      expect(app.engine.view()).toMatchObject({
        status: 'signed-out',
        error: { serverError: 'access_denied' },
      });
      expectNoLeak(app, provider);
    });

    // Not a skip: there is nothing to renew.
    if (setup.renews)
      it('renews, and again after a restart', async () => {
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

    if (setup.renews)
      it('is signed out when the provider has revoked everything, and by nothing less', async () => {
        const { provider, app } = await start(personality);
        await app.signIn();
        provider.revokeAccessTokens();
        const second = await app.restartDue();
        expect(await second.codeOf(second.engine.getAccessToken())).toBe('resolved');
        provider.revokeAll();
        const third = await second.restartDue();
        expect(await third.codeOf(third.engine.getAccessToken())).toBe('session-ended');
        expect(third.engine.view()).toMatchObject({
          status: 'signed-out',
          reason: 'ended',
          error: { serverError: 'invalid_grant' },
        });
        expectNoLeak(third, provider);
      });

    it('signs out here at once, and there where the provider can be told', async () => {
      const { provider, app } = await start(personality);
      await app.signIn();
      const refreshToken = lastIssued(provider, 'refresh_token');
      await app.engine.signOut();
      expect(app.engine.view()).toMatchObject({ status: 'signed-out', reason: 'signed-out' });
      await waitFor(() => app.secrets.entries.size === 0, 'the removal');
      if (setup.revokes) await waitFor(() => revocations(provider) === 1, 'the revocation');
      else expect(revocations(provider)).toBe(0);
      if (setup.revokes)
        expect(
          (await renew(provider, refreshToken, { client_secret: provider.clientSecret })).body[
            'error'
          ],
        ).toBe('invalid_grant');
      expectNoLeak(app, provider);
    });
  },
);

describe('a device code', () => {
  it.each(['strict', 'keycloak', 'okta', 'entra', 'github'] as const)(
    'signs in at %s',
    async (personality) => {
      const { provider, device, code, app } = await showing(personality);
      expect(await app.person.enterCode(device.verificationUri, device.userCode)).toBe('agreed');
      expect(await time.passUntil(code)).toBe('resolved');
      expect(signedInView(app).account.name).toBe('Ada Lovelace');
      expectNoLeak(app, provider);
    },
  );

  it('that the person declines ends as denied, also in the word of Entra', async () => {
    const { device, code, app } = await showing('entra');
    await app.person.enterCode(device.verificationUri, device.userCode, { consent: 'deny' });
    expect(await time.passUntil(code)).toBe('sign-in-denied');
  });

  it('is refused by Entra while the registration does not allow it', async () => {
    const { provider, code } = await showing('entra', { publicClientFlows: false });
    expect(await time.passUntil(code)).toBe('sign-in-refused');
    expect(provider.requests.at(-1)?.error).toBe('invalid_client AADSTS7000218');
  });

  /** An app that shows a code. */
  async function showing(
    personality: PersonalityName,
    options: ProviderOptions = {},
  ): Promise<{
    readonly provider: Provider;
    readonly app: App;
    readonly code: Promise<string>;
    readonly device: DeviceView;
  }> {
    const { provider } = await start(personality, { publicClientFlows: true, ...options });
    const app = await startApp(provider, {
      ...SETUPS[personality].app(provider, 'loopback'),
      redirects: ['device-code'],
    });
    const code = app.codeOf(app.signIn('stays away'));
    const deviceOf = (): DeviceView | undefined => {
      const view = app.engine.view();
      return 'attempt' in view ? view.attempt?.device : undefined;
    };
    await waitFor(() => deviceOf() !== undefined, 'the code');
    return { provider, app, code, device: deviceOf() ?? { userCode: '', verificationUri: '' } };
  }
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
    provider.fault({
      kind: 'lost-answer',
      endpoint: 'token',
      grantType: 'refresh_token',
      times: 1,
    });
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
    const loopback = await startApp(provider, SETUPS.entra.app(provider, 'loopback'));
    expect(await loopback.codeOf(loopback.signIn())).toBe('sign-in-refused');
    expect(loopback.engine.view()).toMatchObject({
      status: 'signed-out',
      error: {
        code: 'sign-in-refused',
        serverError: 'invalid_request',
        provider: { code: 'AADSTS9002327' },
      },
    });
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
    expect([
      request?.origin,
      request?.parameterNames.includes('client_secret'),
      request?.parameterNames.includes('code_verifier'),
    ]).toEqual([null, false, true]);
  });
});

describe('Entra with the authority "common"', () => {
  it('knows the account by the tenant that the ID token names, and renews it', async () => {
    const { provider } = await start('entra');
    const app = await startApp(provider, {
      ...SETUPS.entra.app(provider, 'loopback'),
      provider: here(entra({ tenant: 'common' }), provider, `${provider.origin}/common/v2.0`),
    });
    await app.signIn();
    expect(signedInView(app).account).toMatchObject({
      issuer: provider.issuer,
      name: 'Ada Lovelace',
    });
    const next = await app.restartDue();
    expect(await next.codeOf(next.engine.getAccessToken())).toBe('resolved');
    expect(signedInView(next).account.issuer).toBe(provider.issuer);
    expectNoLeak(next, provider);
  });
});

describe('time that nobody waits for', () => {
  it('ends a session at Keycloak that was idle for more than 30 minutes, unless it is offline_access', async () => {
    const { provider, app } = await start('keycloak');
    await app.signIn();
    const online = await startApp(provider, {
      ...SETUPS.keycloak.app(provider, 'custom-scheme'),
      scopes: ['openid', 'profile'],
    });
    await online.signIn();
    await Promise.all([app.engine.stop(), online.engine.stop()]);
    await time.pass(31 * 60_000);
    const later = await app.restartDue();
    expect(await later.codeOf(later.engine.getAccessToken())).toBe('resolved');
    const late = await online.restartDue();
    expect(await late.codeOf(late.engine.getAccessToken())).toBe('session-ended');
  });
});
