// A session's life over real HTTP: restored, renewed, refused, signed out, and never lost to a
// race.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { StateFileContent } from '../../src/main/core/base/ports.js';
import { type Provider, subjectOf } from '../../src/testing/index.js';
import {
  type App,
  expectNoLeak,
  nodeNetwork,
  signedInView,
  startApp,
  startProvider,
  stopApps,
  time,
  waitFor,
} from '../support/flow-app.js';

let provider: Provider;
beforeAll(async () => {
  provider = await startProvider();
});
afterAll(() => provider.stop());
beforeEach(() => {
  provider.setAccessTokenSeconds(300);
});
afterEach(async () => {
  await stopApps();
  expect(provider.unusedFaults()).toEqual([]);
  provider.clearFaults();
});

const record = (
  app: App,
): { refreshToken: string; access?: { token: string }; account: { name?: string } } =>
  JSON.parse([...app.secrets.entries.values()].join()) as never;
const isCurrent = (app: App): boolean =>
  record(app).refreshToken ===
  provider.issued.filter(({ kind }) => kind === 'refresh_token').at(-1)?.value;

/** An app that was signed in, restarted, and whose clock says that its tokens are long over. */
async function signedIn(options: Parameters<typeof startApp>[1] = {}): Promise<App> {
  const app = await startApp(provider, options);
  await app.signIn();
  return app;
}

describe('a start', () => {
  it('brings the session back without a browser, by one renewal', async () => {
    const app = await (await signedIn()).restartDue();
    const before = provider.tokenRequests('refresh_token');
    expect(signedInView(app).account).toMatchObject({
      subject: subjectOf('ada'),
      name: 'Ada Lovelace',
    });
    await app.engine.getAccessToken();
    expect(app.opened).toEqual([]);
    expect(provider.tokenRequests('refresh_token') - before).toBeLessThanOrEqual(1);
    expect(isCurrent(app)).toBe(true);
    expectNoLeak(app, provider);
  });

  it('survives ten restarts, each with a rotated refresh token', async () => {
    let app = await signedIn();
    const seen = new Set([record(app).refreshToken]);
    for (let times = 0; times < 10; times += 1) {
      app = await app.restartDue();
      await app.engine.getAccessToken();
      seen.add(record(app).refreshToken);
    }
    expect(seen.size).toBe(11);
  });

  it('without network is signed in and waits, and is fresh when the network is back', async () => {
    const before = await signedIn();
    let online = false;
    const network = {
      fetch: (...request: Parameters<typeof nodeNetwork.fetch>) =>
        online ? nodeNetwork.fetch(...request) : Promise.reject(new TypeError('fetch failed')),
    };
    const app = await before.restartDue({ network });
    await waitFor(() => signedInView(app).renewal.state === 'waiting', 'waiting');
    expect(signedInView(app).renewal).toMatchObject({
      error: { code: 'network-failed', retry: 'automatic' },
    });
    expect(await app.codeOf(app.engine.getAccessToken())).toBe('network-failed');
    online = true;
    app.engine.retry();
    await waitFor(() => signedInView(app).renewal.state === 'fresh', 'renewing');
    expectNoLeak(app, provider);
  });

  it('after the provider ended the session says so and does not try again', async () => {
    const before = await signedIn();
    provider.revokeAll();
    const app = await before.restartDue();
    await waitFor(() => app.engine.view().status === 'signed-out', 'the end');
    expect(app.engine.view()).toMatchObject({
      reason: 'ended',
      lastAccount: { name: 'Ada Lovelace' },
      error: { code: 'session-ended', retry: 'sign-in', serverError: 'invalid_grant' },
    });
    const requests = provider.requests.length;
    const next = await app.restart();
    expect(next.engine.view()).toMatchObject({ status: 'signed-out', reason: 'ended' });
    expect(provider.requests.length).toBe(requests);
    await next.signIn();
    expect(signedInView(next).remembered).toBe(true);
    expectNoLeak(app, provider);
  });
});

describe('a renewal', () => {
  it('happens by itself before the token is over, and stores the rotated token', async () => {
    provider.setAccessTokenSeconds(2);
    const app = await signedIn();
    const first = await app.engine.getAccessToken();
    await waitFor(
      () =>
        app.views.some((view) => view.status === 'signed-in' && view.renewal.state === 'renewing'),
      'a renewal',
    );
    await waitFor(() => signedInView(app).renewal.state === 'fresh', 'the new token');
    expect(await app.engine.getAccessToken()).not.toBe(first);
    expect(isCurrent(app)).toBe(true);
  });

  it('costs one request however many callers, and all get the same token', async () => {
    let skewMs = 0;
    const app = await signedIn({ clock: { now: () => time.now() + skewMs } });
    skewMs = 3_600_000;
    const before = provider.tokenRequests('refresh_token');
    const tokens = await Promise.all(
      Array.from({ length: 200 }, () => app.engine.getAccessToken()),
    );
    expect([new Set(tokens).size, provider.tokenRequests('refresh_token') - before]).toEqual([
      1, 1,
    ]);
    expectNoLeak(app, provider);
  });

  it('sends the refresh token and the client id, and nothing else', async () => {
    const app = await (await signedIn()).restartDue();
    await app.engine.getAccessToken();
    const request = provider.requests
      .filter(({ grantType }) => grantType === 'refresh_token')
      .at(-1)!;
    expect(request).toMatchObject({ origin: null, authorizationScheme: null, status: 200 });
    expect([...request.parameterNames].sort()).toEqual([
      'client_id',
      'grant_type',
      'refresh_token',
    ]);
  });

  it('keeps the old refresh token where the answer has none', async () => {
    const before = await signedIn();
    const { refreshToken } = record(before);
    provider.fault({
      kind: 'members',
      endpoint: 'token',
      grantType: 'refresh_token',
      drop: ['refresh_token'],
      times: 1,
    });
    const app = await before.restartDue();
    await app.engine.getAccessToken();
    expect(record(app).refreshToken).toBe(refreshToken);
  });

  it.each([
    'expired',
    'wrong-nonce',
    'missing-nonce',
    'bad-signature',
    'issued-in-future',
  ] as const)('does not lose the session to an ID token that is no use (%s)', async (change) => {
    const before = await signedIn();
    provider.fault({ kind: 'id-token', change, times: 1 });
    const app = await before.restartDue();
    expect(await app.codeOf(app.engine.getAccessToken())).toBe('resolved');
    expect(isCurrent(app)).toBe(true);
  });

  it.each(['wrong-sub', 'wrong-iss', 'wrong-aud', 'wrong-azp'] as const)(
    'uses no tokens of somebody else (%s), but keeps what the server rotated, and goes on with it',
    async (change) => {
      const before = await signedIn();
      const { refreshToken } = record(before);
      provider.fault({ kind: 'id-token', change, times: 1 });
      const app = await before.restartDue();
      expect(await app.codeOf(app.engine.getAccessToken())).toBe('id-token-invalid');
      expect(signedInView(app)).toMatchObject({
        account: { name: 'Ada Lovelace' },
        renewal: { state: 'waiting', error: { code: 'id-token-invalid' } },
      });
      await waitFor(
        () => record(app).refreshToken !== refreshToken && isCurrent(app),
        'the record of what was rotated',
      );
      const next = await app.restartDue();
      expect(await next.codeOf(next.engine.getAccessToken())).toBe('resolved');
      expect([signedInView(next).renewal.state, isCurrent(next)]).toEqual(['fresh', true]);
      expectNoLeak(next, provider);
    },
  );

  it('in doubt believes no answer without an ID token, also after a restart', async () => {
    const before = await signedIn();
    provider.fault({ kind: 'id-token', change: 'wrong-sub', times: 1 });
    const app = await before.restartDue();
    expect(await app.codeOf(app.engine.getAccessToken())).toBe('id-token-invalid');
    provider.fault({
      kind: 'members',
      endpoint: 'token',
      grantType: 'refresh_token',
      drop: ['id_token'],
      times: 1,
    });
    const next = await app.restartDue();
    expect(await next.codeOf(next.engine.getAccessToken())).toBe('id-token-invalid');
    await waitFor(() => isCurrent(next), 'the record of what was rotated');
  });

  it('that runs into stop() is stored before stop() is over', async () => {
    let skewMs = 0;
    const app = await signedIn({ clock: { now: () => time.now() + skewMs } });
    skewMs = 3_600_000;
    provider.fault({ kind: 'slow', endpoint: 'token', delayMs: 300, times: 1 });
    const before = provider.tokenRequests('refresh_token');
    const token = app.codeOf(app.engine.getAccessToken());
    await waitFor(() => provider.tokenRequests('refresh_token') > before, 'the request');
    await app.engine.stop();
    expect(await token).toBe('stopped');
    expect(isCurrent(app)).toBe(true);
    expectNoLeak(app, provider);
  });
});

/** What the token endpoint says against such a request. */
async function errorOf({ endpoints, clientId }: Provider, form: object): Promise<unknown> {
  const body = new URLSearchParams({ ...form, client_id: clientId });
  const reply = await fetch(endpoints.token, { method: 'POST', body });
  return ((await reply.json()) as { error?: unknown }).error;
}

describe('a sign-out', () => {
  it('forgets here and revokes at the provider', async () => {
    const app = await signedIn();
    const { refreshToken } = record(app);
    await app.engine.signOut();
    expect(app.engine.view().status).toBe('signed-out');
    await waitFor(() => app.secrets.entries.size === 0, 'the removal');
    expect((app.file.content as StateFileContent).accounts[0]?.record).toBe('none');
    await waitFor(
      () =>
        provider.requests.at(-1)?.endpoint === 'revocation' &&
        provider.requests.at(-1)?.status === 200,
      'the revocation',
    );
    expect(provider.requests.at(-1)).toMatchObject({ origin: null, authorizationScheme: null });
    // The provider really ended it: the old token is refused.
    expect(
      await errorOf(provider, { grant_type: 'refresh_token', refresh_token: refreshToken }),
    ).toBe('invalid_grant');
    expectNoLeak(app, provider);
  });

  it('is for good: the next start shows nobody, only who was last', async () => {
    const before = await signedIn();
    await before.engine.signOut();
    const app = await before.restart();
    expect(app.engine.view()).toMatchObject({
      status: 'signed-out',
      reason: 'signed-out',
      lastAccount: { name: 'Ada Lovelace' },
    });
    expect(app.secrets.calls).toEqual([]);
  });

  it.each([
    ['hangs', { kind: 'hang' as const }],
    ['fails', { kind: 'status' as const, status: 500 }],
    ['resets', { kind: 'reset' as const }],
  ])('is done here though revocation %s', async (_what, fault) => {
    provider.fault({ ...fault, endpoint: 'revocation', times: 1 });
    const app = await signedIn({ settings: { networkTimeoutSeconds: 0.3 } });
    const { refreshToken } = record(app);
    const accessToken = await app.engine.getAccessToken();
    await app.engine.signOut();
    expect(app.engine.view().status).toBe('signed-out');
    await waitFor(() => app.log.names().includes('revocation-failed'), 'the log');
    expect(JSON.stringify([...app.secrets.entries])).not.toContain(accessToken);
    app.engine.retry();
    await waitFor(() => app.secrets.entries.size === 0, 'the next try');
    expect(
      await errorOf(provider, { grant_type: 'refresh_token', refresh_token: refreshToken }),
    ).toBe('invalid_grant');
    expectNoLeak(app, provider);
  });
});
