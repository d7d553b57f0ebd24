// Signing in over real HTTP: both redirects, what the requests hold, and each way in which a person
// says no.
import { createHash } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { AuthError } from '../../src/main/core/base/errors.js';
import { type Provider, subjectOf } from '../../src/testing/index.js';
import {
  LOOPBACK_REDIRECT,
  SCHEME_REDIRECT,
  expectNoLeak,
  signedInView,
  startApp,
  startProvider,
  stopApps,
  waitFor,
} from '../support/flow-app.js';

let provider: Provider;
beforeAll(async () => {
  provider = await startProvider();
});
afterAll(() => provider.stop());
afterEach(async () => {
  await stopApps();
  expect(provider.unusedFaults()).toEqual([]);
  provider.clearFaults();
});

const lastIssued = (kind: string): string =>
  provider.issued.filter((secret) => secret.kind === kind).at(-1)?.value ?? 'none';
const tokenRequest = (): Provider['requests'][number] =>
  provider.requests.filter(({ endpoint }) => endpoint === 'token').at(-1)!;

describe('a sign-in', () => {
  it('by custom scheme ends with the account, the token and a record in the keychain', async () => {
    const app = await startApp(provider);
    await app.signIn();
    expect(signedInView(app)).toMatchObject({
      account: {
        issuer: provider.issuer,
        subject: subjectOf('ada'),
        name: 'Ada Lovelace',
        email: 'ada@example.com',
        username: 'ada',
      },
      remembered: true,
      store: 'keychain',
      renewal: { state: 'fresh' },
    });
    expect(await app.engine.getAccessToken()).toBe(lastIssued('access_token'));
    expect([...app.secrets.entries.values()].join()).toContain(lastIssued('refresh_token'));
    expectNoLeak(app, provider);
  });

  it('by loopback shows the person what became of it', async () => {
    const app = await startApp(provider, { redirects: [LOOPBACK_REDIRECT] });
    await app.signIn();
    expect(signedInView(app).account.subject).toBe(subjectOf('ada'));
    const { pageText, callbackUrl } = await app.trips[0]!;
    expect(pageText).toContain('You are signed in');
    expect(new URL(callbackUrl).hostname).toBe('127.0.0.1');
    expect(pageText).not.toContain(lastIssued('code'));
    expectNoLeak(app, provider);
  });

  it('uses the next redirect when the first cannot work here', async () => {
    const app = await startApp(provider, { redirects: [SCHEME_REDIRECT, LOOPBACK_REDIRECT] });
    app.scheme.setUnavailable('another app owns the scheme');
    await app.signIn();
    expect(new URL(app.opened[0]!).searchParams.get('redirect_uri')).toMatch(
      /^http:\/\/127\.0\.0\.1:\d+\/callback$/,
    );
    expect(app.log.names()).toContain('redirect-unavailable');
  });

  it('sends an authorization request with S256 and fresh values of 256 bits each', async () => {
    const app = await startApp(provider);
    await app.signIn();
    await app.signIn();
    const [first, second] = app.opened.map((url) => new URL(url).searchParams);
    expect(Object.fromEntries(second!)).toMatchObject({
      response_type: 'code',
      client_id: provider.clientId,
      redirect_uri: SCHEME_REDIRECT,
      code_challenge_method: 'S256',
      scope: 'openid profile email offline_access',
    });
    expect(second!.get('code_challenge')).toBe(
      createHash('sha256').update(lastIssued('code_verifier')).digest('base64url'),
    );
    for (const name of ['state', 'nonce', 'code_challenge']) {
      expect(Buffer.from(first!.get(name)!, 'base64url')).toHaveLength(32);
      expect(first!.get(name)).not.toBe(second!.get(name));
    }
    expect(Buffer.from(lastIssued('code_verifier'), 'base64url')).toHaveLength(32);
    const values = [...first!.values()];
    expect(values).not.toContain(lastIssued('code_verifier'));
  });

  it('redeems the code with no Origin, no client secret and no other credential', async () => {
    const app = await startApp(provider);
    await app.signIn();
    const request = tokenRequest();
    expect(request).toMatchObject({
      method: 'POST',
      origin: null,
      authorizationScheme: null,
      grantType: 'authorization_code',
      status: 200,
    });
    expect([...request.parameterNames].sort()).toEqual([
      'client_id',
      'code',
      'code_verifier',
      'grant_type',
      'redirect_uri',
    ]);
    expect(request.headerNames).not.toContain('cookie');
    expect(request.headerNames).not.toContain('referer');
  });

  it('passes on prompt, login_hint and the parameters of the host', async () => {
    const app = await startApp(provider, {
      authorizationParameters: { ui_locales: 'de', login_hint: 'host' },
    });
    const done = app.engine.signIn({ prompt: 'login', loginHint: 'grace' });
    done.catch(() => undefined);
    await waitFor(() => app.opened.length === 1, 'the browser');
    await done;
    expect(Object.fromEntries(new URL(app.opened[0]!).searchParams)).toMatchObject({
      prompt: 'login consent',
      login_hint: 'grace',
      ui_locales: 'de',
    });
  });

  it('as another person takes the place of the first', async () => {
    const app = await startApp(provider);
    await app.signIn();
    provider.expireSessions();
    await app.signIn({ login: 'grace' });
    expect(signedInView(app).account.name).toBe('Grace Hopper');
    await waitFor(
      () =>
        provider.requests.some(
          ({ endpoint, status }) => endpoint === 'revocation' && status === 200,
        ),
      'the revocation',
    );
    await waitFor(() => app.secrets.entries.size === 1, 'the removal');
    expectNoLeak(app, provider);
  });
});

describe('a sign-in that the person does not want', () => {
  it.each(['deny', 'cancel'] as const)(
    'ends as denied when the person chooses %s, and tells so on the page',
    async (consent) => {
      provider.expireSessions();
      const app = await startApp(provider, { redirects: [LOOPBACK_REDIRECT] });
      expect(await app.codeOf(app.signIn({ consent, login: `nobody-${consent}` }))).toBe(
        'sign-in-denied',
      );
      expect(app.engine.view()).toMatchObject({
        status: 'signed-out',
        error: { code: 'sign-in-denied', retry: 'sign-in', serverError: 'access_denied' },
      });
      expect((await app.trips[0]!).pageText).toContain('You are not signed in');
      expect(app.secrets.entries.size).toBe(0);
      expectNoLeak(app, provider);
    },
  );

  it('ends when it is cancelled in the app', async () => {
    const app = await startApp(provider, { redirects: [LOOPBACK_REDIRECT] });
    const code = app.codeOf(app.signIn('stays away'));
    await waitFor(() => app.opened.length === 1, 'the browser');
    app.engine.cancelSignIn();
    expect(await code).toBe('sign-in-cancelled');
    expect(app.engine.view()).toEqual({ status: 'signed-out', reason: 'never' });
    const uri = new URL(app.opened[0]!).searchParams.get('redirect_uri')!;
    await expect(fetch(`${uri}?code=c&state=s`)).rejects.toThrow();
  });

  it('ends when nobody comes back in time', async () => {
    const app = await startApp(provider, { settings: { attemptTimeoutSeconds: 0.3 } });
    expect(await app.codeOf(app.signIn('stays away'))).toBe('sign-in-expired');
    expect(app.scheme.open).toEqual([]);
  });

  it('and comes back after its end changes nothing', async () => {
    const app = await startApp(provider, { settings: { attemptTimeoutSeconds: 0.3 } });
    await app.codeOf(app.signIn('stays away'));
    const before = app.engine.view();
    const { callbackUrl } = await app.person.signIn(app.opened[0]!);
    expect(app.scheme.arrive(callbackUrl)).toBe('foreign');
    expect(app.engine.view()).toBe(before);
    expectNoLeak(app, provider);
  });
});

describe('a provider that refuses the request', () => {
  it('by the way back ends as refused, with its word', async () => {
    provider.fault({
      kind: 'callback',
      set: { error: 'unauthorized_client', error_description: 'words of the server' },
      drop: ['code'],
      times: 1,
    });
    const app = await startApp(provider);
    const error: unknown = await app.signIn().catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'sign-in-refused', serverError: 'unauthorized_client' });
    expect(error instanceof AuthError && error.message).not.toContain('words of the server');
  });

  it('because it is busy ends as unavailable', async () => {
    provider.fault({
      kind: 'callback',
      set: { error: 'temporarily_unavailable' },
      drop: ['code'],
      times: 1,
    });
    const app = await startApp(provider);
    expect(await app.codeOf(app.signIn())).toBe('server-unavailable');
  });

  it('at the token endpoint ends as refused, and the code is not sent again', async () => {
    provider.fault({ kind: 'oauth-error', endpoint: 'token', error: 'invalid_grant', times: 1 });
    const app = await startApp(provider);
    const before = provider.tokenRequests('authorization_code');
    expect(await app.codeOf(app.signIn())).toBe('sign-in-refused');
    expect(provider.tokenRequests('authorization_code')).toBe(before + 1);
  });
});
