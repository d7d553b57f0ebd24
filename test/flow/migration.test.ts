// Sessions of earlier versions before a real provider: who it is comes from the ID token or from
// userinfo, over real HTTP.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { StateFileContent } from '../../src/main/core/base/ports.js';
import { type Provider, subjectOf } from '../../src/testing/index.js';
import {
  type App,
  type AppOptions,
  expectNoLeak,
  signedInView,
  startApp,
  startProvider,
  stopApps,
  waitFor,
} from '../support/flow-app.js';
import { createFakeLegacyEntries } from '../support/fakes.js';

let provider: Provider;
beforeAll(async () => {
  provider = await startProvider();
});
afterAll(() => provider.stop());
let legacyEntries: ReturnType<typeof createFakeLegacyEntries>;
let token: string;

beforeEach(async () => {
  // The earlier version: it signed in by itself, and kept the refresh token in its own way.
  const version1 = await startApp(provider);
  await version1.signIn();
  token = (JSON.parse([...version1.secrets.entries.values()][0]!) as { refreshToken: string })
    .refreshToken;
  await stopApps();
  legacyEntries = createFakeLegacyEntries(JSON.stringify({ refresh_token: token }));
});
afterEach(async () => {
  await stopApps();
  expect(provider.unusedFaults()).toEqual([]);
  provider.clearFaults();
});

const migrateFrom = [
  {
    service: 'notes',
    account: 'ada',
    read: (value: string) => ({
      refreshToken: (JSON.parse(value) as { refresh_token: string }).refresh_token,
    }),
  },
];
const update = (options: AppOptions = {}): Promise<App> =>
  startApp(provider, { migrateFrom, legacyEntries, ...options });
const stageOf = (app: App): string | undefined =>
  (app.file.content as StateFileContent | null)?.takeOver.stage;
const isOver = (app: App): Promise<void> => waitFor(() => stageOf(app) === 'none', 'the end');

describe('a session of an earlier version', () => {
  it('is taken over with what the ID token says, renewed once, and usable', async () => {
    const before = provider.tokenRequests('refresh_token');
    const app = await update();
    expect(app.opened).toEqual([]);
    expect(signedInView(app)).toMatchObject({
      account: { subject: subjectOf('ada'), name: 'Ada Lovelace', issuer: provider.issuer },
      remembered: true,
    });
    expect(await app.engine.getAccessToken()).toMatch(/.+/);
    await isOver(app);
    expect([provider.tokenRequests('refresh_token') - before, legacyEntries.values]).toEqual([
      1,
      [null],
    ]);
    const next = await app.restartDue();
    expect(await next.codeOf(next.engine.getAccessToken())).toBe('resolved');
    expectNoLeak(app, provider);
  });

  it('has its claims at once, and after the next start', async () => {
    provider.changePerson('ada', { roles: ['admin'] });
    const app = await update({ claims: ['roles'] });
    expect(signedInView(app).account.claims).toEqual({ roles: ['admin'] });
    await isOver(app);
    expect(signedInView(await app.restart()).account.claims).toEqual({ roles: ['admin'] });
  });

  it('is asked of userinfo where the renewal brings no ID token', async () => {
    provider.fault({
      kind: 'members',
      endpoint: 'token',
      grantType: 'refresh_token',
      drop: ['id_token'],
      times: 1,
    });
    expect(signedInView(await update()).account).toMatchObject({
      subject: subjectOf('ada'),
      name: 'Ada Lovelace',
    });
    expect(provider.requests.at(-1)).toMatchObject({ endpoint: 'userinfo' });
  });

  it.each([
    'wrong-iss',
    'wrong-aud',
    'expired',
    'bad-signature',
    'alg-none',
    'missing-sub',
  ] as const)(
    'is not believed with an ID token that fails a check (%s): its entry stays',
    async (change) => {
      provider.fault({
        kind: 'id-token',
        change,
        ...(change === 'bad-signature' ? {} : { times: 1 }),
      });
      const app = await update();
      await isOver(app);
      expect([app.engine.view(), legacyEntries.values[0], app.secrets.entries.size]).toMatchObject([
        { status: 'signed-out', reason: 'never', error: { code: 'id-token-invalid' } },
        JSON.stringify({ refresh_token: token }),
        0,
      ]);
      expectNoLeak(app, provider);
    },
  );

  it.each([
    ['discovery', 'is out of reach', { kind: 'reset' } as const, 'network-failed'],
    ['token', 'is out of order', { kind: 'status', status: 503 } as const, 'server-unavailable'],
    ['jwks', 'is out of order', { kind: 'status', status: 500 } as const, 'server-unavailable'],
  ] as const)('waits while %s %s, and loses nothing', async (endpoint, _what, fault, code) => {
    provider.fault({ ...fault, endpoint });
    const app = await update();
    await waitFor(() => 'error' in app.engine.view(), 'the word');
    expect(app.engine.view()).toMatchObject({
      status: 'signed-out',
      reason: 'never',
      error: { code },
    });
    expect(legacyEntries.values).not.toEqual([null]);
    provider.clearFaults();
    app.engine.retry();
    await waitFor(() => app.engine.view().status === 'signed-in', 'the take-over');
    await isOver(app);
    expect(legacyEntries.values).toEqual([null]);
    expectNoLeak(app, provider);
  });

  it('goes on at the next start with what the server had rotated', async () => {
    provider.fault({ kind: 'status', endpoint: 'jwks', status: 500 });
    const app = await update();
    await waitFor(() => 'error' in app.engine.view(), 'the word');
    expect([...app.secrets.entries.keys()]).toEqual([expect.stringMatching(/^take-over:/)]);
    provider.clearFaults();
    const next = await app.restart({ migrateFrom, legacyEntries });
    await waitFor(() => next.engine.view().status === 'signed-in', 'the take-over');
    await isOver(next);
    expect([...next.secrets.entries.keys()]).toEqual([expect.stringMatching(/^session:/)]);
    expectNoLeak(next, provider);
  });

  it('whose answer is lost is refused by a server that rotates strictly; its entry stays, and that is told', async () => {
    provider.fault({
      kind: 'lost-answer',
      endpoint: 'token',
      grantType: 'refresh_token',
      times: 1,
    });
    const app = await update();
    await waitFor(() => 'error' in app.engine.view(), 'the word');
    app.engine.retry();
    await waitFor(() => JSON.stringify(app.engine.view()).includes('session-ended'), 'the refusal');
    await isOver(app);
    expect([app.engine.view().status, legacyEntries.values[0]]).toEqual([
      'signed-out',
      JSON.stringify({ refresh_token: token }),
    ]);
    // The way that is left works.
    await app.signIn();
    expect(signedInView(app).account.name).toBe('Ada Lovelace');
  });
});
