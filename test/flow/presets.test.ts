// Presets and advice against the embedded provider with the manners of the real ones: many tenants,
// and the way from a wrong registration by the advice to a right one. What every personality has in
// common stands in personalities.test.ts.
import { afterEach, describe, expect, it } from 'vitest';
import type { AuthErrorView } from '../../src/contract.js';
import { createAdvise } from '../../src/advice/decide.js';
import type { Network } from '../../src/main/core/base/ports.js';
import type { ProviderPreset } from '../../src/main/core/options/provider-preset.js';
import { entra, github } from '../../src/providers/index.js';
import type { Provider, ProviderOptions } from '../../src/testing/index.js';
import {
  type App,
  type AppOptions,
  LOOPBACK_REDIRECT,
  expectNoLeak,
  nodeNetwork,
  signedInView,
  startApp,
  startProvider,
  stopApps,
  time,
  waitFor,
} from '../support/flow-app.js';

const CLIENT = '99999999-2222-3333-4444-555555555555';
const ENTRA_REDIRECT = 'http://localhost/callback';
const running: Provider[] = [];

afterEach(async () => {
  await stopApps();
  await Promise.all(running.splice(0).map((provider) => provider.stop()));
});

async function start(options: ProviderOptions): Promise<Provider> {
  const provider = await startProvider({ signingAlgorithm: 'ES256', ...options });
  running.push(provider);
  return provider;
}

/** Entra's preset at the address of the embedded provider. */
function entraAt(provider: Provider, tenant: string): ProviderPreset {
  const { origin } = new URL(provider.issuer);
  const preset = entra({ tenant });
  const moved = (url: string): string => url.replace('https://login.microsoftonline.com', origin);
  return {
    ...preset,
    issuer: moved(preset.issuer),
    issuerTemplate:
      preset.issuerTemplate === null
        ? null
        : { ...preset.issuerTemplate, pattern: moved(preset.issuerTemplate.pattern) },
  };
}

const entraApp = (provider: Provider, tenant: string, more: AppOptions = {}): Promise<App> =>
  startApp(provider, {
    provider: entraAt(provider, tenant),
    clientId: CLIENT,
    redirects: [ENTRA_REDIRECT],
    ...more,
  });

function githubAt({ issuer, endpoints }: Provider): ProviderPreset {
  return {
    ...github(),
    issuer,
    endpoints: {
      authorization: endpoints.authorization,
      token: endpoints.token,
      userinfo: endpoints.me,
    },
  };
}

function errorOf(app: App): AuthErrorView | undefined {
  const view = app.engine.view();
  return 'error' in view ? view.error : undefined;
}

describe('Entra', () => {
  const tenant = 'aaaabbbb-0000-cccc-1111-dddd2222eeee';

  it('signs in for one tenant and for all of them, without a consent page too many, as the same account', async () => {
    const provider = await start({
      personality: 'entra',
      clientId: CLIENT,
      redirectUris: [ENTRA_REDIRECT],
      tenant,
    });
    const ids = new Set<string>();
    for (const name of [tenant, 'common', 'organizations']) {
      const app = await entraApp(provider, name);
      await app.signIn();
      const { account, remembered } = signedInView(app);
      ids.add(account.id);
      expect([account.issuer, remembered]).toEqual([
        `${new URL(provider.issuer).origin}/${tenant}/v2.0`,
        true,
      ]);
      expect(new URL(app.opened[0]!).searchParams.has('prompt')).toBe(false);
      expectNoLeak(app, provider);
    }
    expect(ids.size).toBe(1);
  });

  it.each([
    ['common', tenant],
    ['organizations', tenant],
    // Their metadata names the tenant.
    ['consumers', '9188040d-6c67-4c5b-b112-36a304b66dad'],
    ['contoso.onmicrosoft.com', tenant],
  ])('takes a code that is pasted alone, for %s', async (name, guid) => {
    const page = 'https://login.example.com/done';
    const provider = await start({
      personality: 'entra',
      clientId: CLIENT,
      redirectUris: [page],
      tenant: guid,
    });
    const { origin } = new URL(provider.issuer);
    const network: Network = {
      // The personality knows its tenant by the GUID only.
      fetch: (url, init) => nodeNetwork.fetch(url.replace(`/${name}/`, `/${guid}/`), init),
    };
    const known = name === 'common' || name === 'organizations' ? {} : { network };
    const app = await entraApp(provider, name, { redirects: [`paste:${page}`], ...known });
    const done = app.codeOf(app.signIn('stays away'));
    await waitFor(() => app.opened.length === 1, 'the browser');
    const { callbackUrl } = await app.person.signIn(app.opened[0]!);
    const code = new URL(callbackUrl).searchParams.get('code');
    expect(await app.codeOf(app.engine.pasteCallback(code))).toBe('resolved');
    expect(await done).toBe('resolved');
    expect(signedInView(app).account.issuer).toBe(`${origin}/${guid}/v2.0`);
    expectNoLeak(app, provider);
  });

  it('renews and restores for all tenants, too', async () => {
    const provider = await start({
      personality: 'entra',
      clientId: CLIENT,
      redirectUris: [ENTRA_REDIRECT],
      tenant,
    });
    const app = await entraApp(provider, 'common');
    await app.signIn();
    const { id } = signedInView(app).account;
    const next = await app.restartDue();
    expect(await next.codeOf(next.engine.getAccessToken())).toBe('resolved');
    expect(signedInView(next).account.id).toBe(id);
    expect(provider.tokenRequests('refresh_token')).toBe(1);
  });

  it.each([
    ['spa', 'AADSTS9002327', 'Single-page application'],
    ['web', 'AADSTS7000218', 'Web'],
  ] as const)(
    'registered as %s is refused with %s; the advice names the page and the platform; registered as it says, it works',
    async (platform, code, wrong) => {
      const provider = await start({
        personality: 'entra',
        clientId: CLIENT,
        clientSecret: 'of-a-server',
        redirectUris: [{ uri: ENTRA_REDIRECT, platform }],
        tenant,
      });
      const preset = entraAt(provider, tenant);
      const app = await entraApp(provider, tenant, {
        loadAdvice: async () => createAdvise({ issuer: preset.issuer, preset: preset.name }),
      });
      expect(await app.codeOf(app.signIn())).toBe('sign-in-refused');
      await waitFor(() => errorOf(app)?.advice !== undefined, 'the advice');
      const error = errorOf(app);
      expect(error?.provider).toMatchObject({
        code,
        correlationId: expect.any(String) as string,
        traceId: expect.any(String) as string,
      });
      expect(error?.advice?.why).toContain(`\`${ENTRA_REDIRECT}\` stands under "${wrong}"`);
      expect(error?.advice?.fix.slice(0, 3).join(' ')).toMatch(
        /App registrations → your app → Authentication.*"Mobile and desktop applications"/,
      );
      provider.register({ redirectUris: [{ uri: ENTRA_REDIRECT, platform: 'native' }] });
      await app.signIn();
      expect(signedInView(app).account.name).toBe('Ada Lovelace');
      expect(errorOf(app)).toBeUndefined();
      expectNoLeak(app, provider);
    },
  );
});

describe('GitHub', () => {
  it('is signed in at every start without a request, until the host says that the token is refused', async () => {
    const provider = await start({ personality: 'github' });
    let app = await startApp(provider, {
      provider: githubAt(provider),
      clientSecret: provider.clientSecret ?? '',
      redirects: [LOOPBACK_REDIRECT],
    });
    await app.signIn();
    const token = await app.engine.getAccessToken();
    const requests = provider.requests.length;
    for (const days of [1, 30, 400]) {
      await time.pass(days * 86_400_000);
      app = await app.restart();
      expect(signedInView(app), `after ${days} days more`).toMatchObject({
        remembered: true,
        account: { name: 'Ada Lovelace' },
        renewal: { state: 'fresh', expiresAt: null, renewAt: null },
      });
      expect(await app.engine.getAccessToken()).toBe(token);
    }
    expect([provider.requests.length, app.opened]).toEqual([requests, []]);

    provider.revokeAccessTokens();
    expect(await app.engine.getAccessToken({ refused: token }, 'api')).toBe(token);
    const refused = app.engine.getAccessToken({ refused: token });
    expect(await app.codeOf(refused)).toBe('session-ended');
    app = await app.restart();
    expect(app.engine.view()).toMatchObject({
      status: 'signed-out',
      reason: 'ended',
      lastAccount: { name: 'Ada Lovelace' },
    });
    await app.signIn();
    app = await app.restart();
    expect(await app.engine.getAccessToken()).not.toBe(token);
    expectNoLeak(app, provider);
  });

  it('refuses a wrong secret with status 200, which is told as what it is', async () => {
    const provider = await start({ personality: 'github' });
    const app = await startApp(provider, {
      provider: githubAt(provider),
      clientSecret: 'ghs-of-another-app',
      redirects: [LOOPBACK_REDIRECT],
      loadAdvice: async () => createAdvise({ issuer: provider.issuer, preset: 'github' }),
    });
    expect(await app.codeOf(app.signIn())).toBe('sign-in-refused');
    await waitFor(() => errorOf(app)?.advice !== undefined, 'the advice');
    expect(errorOf(app)).toMatchObject({
      serverError: 'incorrect_client_credentials',
      advice: { code: 'incorrect_client_credentials' },
    });
    expectNoLeak(app, provider);
  });
});
