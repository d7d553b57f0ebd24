// auth.fetch() before an API that demands more, over real HTTP: every kind of challenge, the trips
// of the person counted, and the session as it was when the demand is not met.
import { afterEach, describe, expect, it } from 'vitest';
import { parseOptions } from '../../src/main/core/options/options.js';
import { type ApiFetch, createApiFetch } from '../../src/main/core/requests/api-fetch.js';
import { createStepUp } from '../../src/main/core/requests/step-up.js';
import { oidc } from '../../src/providers/index.js';
import type { Provider, ProviderOptions, SignInChoices } from '../../src/testing/index.js';
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

const STRONG = 'urn:example:strong';
const CLAIMS = { access_token: { acrs: { essential: true, value: 'c1' } } };
const providers: Provider[] = [];

afterEach(async () => {
  await stopApps();
  await Promise.all(providers.splice(0).map((provider) => provider.stop()));
});

interface Bench {
  readonly app: App;
  readonly provider: Provider;
  /** The API, by `auth.fetch`. */
  readonly call: (init?: Parameters<ApiFetch>[1]) => ReturnType<ApiFetch>;
  /** Trips to the browser since the first sign-in. */
  readonly trips: () => number;
  /** What the person does at the next trips. */
  readonly person: { choices: SignInChoices };
  readonly renewals: () => number;
}

/** A person who is signed in, at a provider with an API. */
async function bench(
  providerOptions: ProviderOptions = {},
  options: AppOptions | ((issuer: string) => AppOptions) = {},
  apiScopes?: readonly string[],
): Promise<Bench> {
  // A person who takes minutes must not meet a renewal.
  const provider = await startProvider({
    scopes: ['read', 'write'],
    accessTokenSeconds: 7_200,
    ...providerOptions,
  });
  providers.push(provider);
  const app = await startApp(provider, {
    scopes: ['openid', 'profile', 'offline_access', 'read'],
    ...(typeof options === 'function' ? options(provider.issuer) : options),
  });
  await app.signIn();
  const { apis } = parseOptions({
    issuer: provider.issuer,
    clientId: provider.clientId,
    redirects: ['http://127.0.0.1/callback'],
    apis: {
      api: { origin: provider.origin, ...(apiScopes === undefined ? {} : { scopes: apiScopes }) },
    },
  });
  const person: Bench['person'] = { choices: {} };
  const opened = app.opened.length;
  const renewed = provider.tokenRequests('refresh_token');
  const fetchApi = createApiFetch(
    apis,
    {
      fetch: (url, { method, headers, body, signal }) =>
        fetch(url, {
          method,
          headers: { ...headers },
          body,
          signal,
          redirect: 'manual',
        } as RequestInit),
    },
    {
      tokensFor: createStepUp(
        {
          getAccessToken: (wanted) => app.engine.getAccessToken(wanted),
          signedIn: (accountId) => app.engine.signedIn(accountId),
          signIn: (request, signal) => app.signIn(person.choices, request, 'host', signal),
        },
        time,
      ),
      hold: app.engine.hold,
    },
    'host',
  );
  return {
    app,
    provider,
    call: (init) => fetchApi(provider.endpoints.api, init),
    trips: () => app.opened.length - opened,
    renewals: () => provider.tokenRequests('refresh_token') - renewed,
    person,
  };
}

const stateOf = async ({ app }: Bench): Promise<readonly unknown[]> => [
  signedInView(app).account.id,
  await app.engine.getAccessToken(),
];

/** The API answers now, and answers the next request without anybody being asked. */
async function expectMet(made: Bench, trips: number): Promise<void> {
  const answer = await made.call({ stepUp: 'ask', method: 'POST', body: 'waiting' });
  expect([answer.status, answer.challenge, made.trips()]).toEqual([200, null, trips]);
  expect((await made.call()).status).toBe(200);
  expect(made.trips()).toBe(trips);
  expectNoLeak(made.app, made.provider);
}

describe('a challenge of RFC 9470', () => {
  it.each([
    ['acr', { acrValues: `urn:example:other ${STRONG}` }],
    ['age', { maxAgeSeconds: 30 }],
    ['both', { acrValues: STRONG, maxAgeSeconds: 30 }],
  ])('for %s is told, then met by one trip, without a renewal', async (_what, demand) => {
    const made = await bench({ acrValues: [STRONG] });
    made.provider.challengeApi({ ...demand, metBy: 'sign-in' });
    await time.pass(60_000);
    const told = await made.call();
    expect([told.status, made.trips()]).toEqual([401, 0]);
    expect(told.challenge).toEqual({
      ...('acrValues' in demand ? { acrValues: demand.acrValues.split(' ') } : {}),
      ...('maxAgeSeconds' in demand ? { maxAge: 30 } : {}),
    });
    await expectMet(made, 1);
    expect(made.renewals()).toBe(0);
  });

  it('that is told can be given to signIn() as it is', async () => {
    const made = await bench({ acrValues: [STRONG] });
    made.provider.challengeApi({ acrValues: STRONG, metBy: 'sign-in' });
    const { challenge } = await made.call();
    await made.app.signIn({}, challenge ?? {}, 'host');
    expect((await made.call()).status).toBe(200);
  });

  it('for an acr that nobody reaches costs one trip, and the session is as it was', async () => {
    const made = await bench({ acrValues: [STRONG] });
    const before = await stateOf(made);
    made.provider.challengeApi({ acrValues: 'urn:example:unknown', metBy: 'sign-in' });
    expect(await made.app.codeOf(made.call({ stepUp: 'ask' }))).toBe('id-token-invalid');
    expect((await made.call({ stepUp: 'ask' })).status).toBe(401);
    expect((await made.call({ stepUp: 'ask' })).status).toBe(401);
    expect([made.trips(), await stateOf(made)]).toEqual([1, before]);
    expectNoLeak(made.app, made.provider);
  });

  it('is met once for fifty requests at once', async () => {
    const made = await bench({ acrValues: [STRONG] });
    made.provider.challengeApi({ acrValues: STRONG, metBy: 'sign-in' });
    const calls = Array.from({ length: 50 }, () => made.call({ stepUp: 'ask' }));
    expect(new Set((await Promise.all(calls)).map(({ status }) => status))).toEqual(new Set([200]));
    expect(made.trips()).toBe(1);
  });

  it.each([
    ['says no', { consent: 'deny' }, 'sign-in-denied'],
    ['is somebody else', { login: 'grace' }, 'sign-in-denied'],
  ] as const)('leaves the session as it was when the person %s', async (_what, choices, code) => {
    const made = await bench({ acrValues: [STRONG] });
    const before = await stateOf(made);
    made.provider.challengeApi({ acrValues: STRONG, metBy: 'sign-in' });
    made.person.choices = choices;
    expect(await made.app.codeOf(made.call({ stepUp: 'ask' }))).toBe(code);
    expect([made.trips(), await stateOf(made)]).toEqual([1, before]);
    made.provider.challengeApi(null);
    expect((await made.call()).status).toBe(200);
  });
});

describe('a challenge of RFC 6750', () => {
  it('is met by one trip that asks for the union of the scopes', async () => {
    const made = await bench();
    made.provider.challengeApi({ scope: 'write', metBy: 'sign-in' });
    const told = await made.call();
    expect([told.status, told.challenge]).toEqual([403, { scopes: ['write'] }]);
    await expectMet(made, 1);
    const scope = new URL(made.app.opened.at(-1) ?? '').searchParams.get('scope') ?? '';
    expect(scope.split(' ').sort()).toEqual(
      ['openid', 'profile', 'offline_access', 'read', 'write'].sort(),
    );
    expect(made.renewals()).toBe(0);
  });

  it('at an API with scopes of its own is met by a renewal once they are granted', async () => {
    const scopes = ['openid', 'offline_access', 'read', 'write'];
    const made = await bench({}, { scopes }, ['read']);
    made.provider.challengeApi({ scope: 'read write', metBy: 'sign-in' });
    await expectMet(made, 0);
  });

  it('for a scope that is never granted costs one trip', async () => {
    const made = await bench();
    made.provider.challengeApi({ scope: 'nobody-has-this', metBy: 'sign-in' });
    // The provider passes over a scope that it does not know, so the sign-in itself succeeds.
    for (let round = 0; round < 3; round += 1)
      expect((await made.call({ stepUp: 'ask' })).status).toBe(403);
    expect(made.trips()).toBe(1);
  });
});

describe('a claims challenge of Entra', () => {
  const entraBench = async (): Promise<Bench> => {
    const provider: ProviderOptions = {
      personality: 'entra',
      clientId: '99999999-2222-3333-4444-555555555555',
      redirectUris: ['com.example.latchkey-demo:/callback'],
    };
    return bench(provider, (issuer) => ({
      // As the preset announces it, which is for Microsoft's own addresses.
      provider: { ...oidc({ issuer }), clientCapabilities: ['cp1'] },
      scopes: ['openid', 'profile', 'offline_access', 'User.Read'],
    }));
  };

  it('is met by a renewal with the claims, without the person', async () => {
    const made = await entraBench();
    made.provider.challengeApi({ claims: CLAIMS, metBy: 'renewal' });
    const answer = await made.call();
    expect([answer.status, made.trips(), made.renewals()]).toEqual([200, 0, 1]);
    expect((await made.call()).status).toBe(200);
    expect(made.renewals()).toBe(1);
  });

  it('that needs the person is told, then met by one trip after the renewal is refused', async () => {
    const made = await entraBench();
    made.provider.challengeApi({ claims: CLAIMS, metBy: 'sign-in' });
    const told = await made.call();
    expect([told.status, told.challenge, made.trips()]).toEqual([401, { claims: CLAIMS }, 0]);
    await expectMet(made, 1);
    const { claims } = Object.fromEntries(new URL(made.app.opened.at(-1) ?? '').searchParams);
    expect(JSON.parse(claims ?? '')).toEqual({
      access_token: { xms_cc: { values: ['cp1'] }, ...CLAIMS.access_token },
    });
  });
});
