// A provider that misbehaves, at each endpoint and in each way: a documented code, in bounded time,
// and nothing stored is lost.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { AuthErrorCode } from '../../src/contract.js';
import type { Fault, Provider } from '../../src/testing/index.js';
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

/** A network time-out that no host may set, so that these tests are quick. */
const HASTY = { settings: { networkTimeoutSeconds: 0.5 } };

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

type Misdeed = Fault extends infer F
  ? F extends { readonly endpoint: unknown }
    ? Omit<F, 'endpoint' | 'times' | 'grantType'>
    : never
  : never;

/**
 * What a person hears when it happens at sign-in (token endpoint), and what the session does when
 * it happens at a renewal.
 */
const FAULTS: readonly (readonly [string, Misdeed, AuthErrorCode])[] = [
  ['answers too late', { kind: 'slow', delayMs: 1_500 }, 'network-timeout'],
  ['never answers', { kind: 'hang' }, 'network-timeout'],
  ['resets the connection', { kind: 'reset' }, 'network-failed'],
  ['loses its answer', { kind: 'lost-answer' }, 'network-failed'],
  ['answers half and cuts', { kind: 'half-body', then: 'cut' }, 'network-failed'],
  ['answers half and is silent', { kind: 'half-body', then: 'silence' }, 'network-timeout'],
  ['answers 500', { kind: 'status', status: 500 }, 'server-unavailable'],
  [
    'answers 503 with HTML',
    { kind: 'status', status: 503, body: '<h1>Sorry</h1>', contentType: 'text/html' },
    'server-unavailable',
  ],
  ['answers 429', { kind: 'too-many-requests', retryAfter: 1 }, 'server-unavailable'],
  ['redirects', { kind: 'status', status: 302 }, 'response-invalid'],
  ['answers 404', { kind: 'status', status: 404 }, 'sign-in-refused'],
  ['answers 401 without a word', { kind: 'status', status: 401 }, 'sign-in-refused'],
  [
    'refuses the client',
    { kind: 'oauth-error', error: 'invalid_client', status: 401 },
    'sign-in-refused',
  ],
  [
    'refuses with words that are no word',
    { kind: 'oauth-error', error: '<script>alert(1)</script>' },
    'sign-in-refused',
  ],
  ['answers HTML', { kind: 'html' }, 'response-invalid'],
  ['answers invalid JSON', { kind: 'invalid-json' }, 'response-invalid'],
  ['answers nothing', { kind: 'empty-body' }, 'response-invalid'],
  ['answers too much', { kind: 'huge-body', bytes: 2_000_000 }, 'response-invalid'],
];

/**
 * After these the provider has done what was asked, so that its next word on the old refresh token
 * may be final.
 */
const CARRIED_OUT = new Set([
  'slow',
  'lost-answer',
  'half-body',
  'html',
  'invalid-json',
  'empty-body',
  'huge-body',
]);

async function timed<T>(promise: Promise<T>): Promise<{ readonly value: T; readonly ms: number }> {
  const start = performance.now();
  return { value: await promise, ms: performance.now() - start };
}

const refreshTokenOf = (app: App): string =>
  (JSON.parse([...app.secrets.entries.values()].join()) as { refreshToken: string }).refreshToken;

describe('at sign-in, a token endpoint that', () => {
  it.each(FAULTS)('%s', async (_what, misdeed, code) => {
    provider.fault({ ...misdeed, endpoint: 'token', times: 1 });
    const app = await startApp(provider, HASTY);
    const { value, ms } = await timed(app.codeOf(app.signIn()));
    expect(value).toBe(code);
    expect(ms).toBeLessThan(8_000);
    expect(app.engine.view()).toMatchObject({
      status: 'signed-out',
      reason: 'never',
      error: { code },
    });
    expect(app.secrets.entries.size).toBe(0);
    expectNoLeak(app, provider);
    expect(await app.codeOf(app.signIn())).toBe('resolved');
  });
});

describe('at a renewal, a token endpoint that', () => {
  it.each(FAULTS)('%s', async (_what, misdeed, code) => {
    const before = await startApp(provider, HASTY);
    await before.signIn();
    const stored = refreshTokenOf(before);
    provider.fault({ ...misdeed, endpoint: 'token', grantType: 'refresh_token', times: 1 });
    const app = await before.restartDue();
    const { value, ms } = await timed(app.codeOf(app.engine.getAccessToken()));
    // A status that a proxy gives as well is nobody's word about a refresh token.
    const heard = misdeed.kind === 'status' && misdeed.status === 404 ? 'response-invalid' : code;
    expect([value, ms < 8_000]).toEqual([heard, true]);
    expect(signedInView(app).renewal).toMatchObject({ state: 'waiting', error: { code: heard } });
    expect(refreshTokenOf(app)).toBe(stored);
    expectNoLeak(app, provider);
    if (CARRIED_OUT.has(misdeed.kind)) return;
    app.engine.retry();
    await waitFor(() => signedInView(app).renewal.state === 'fresh', 'the next renewal');
    expect(signedInView(app).remembered).toBe(true);
  });
});

describe('discovery that', () => {
  const codes: Readonly<Partial<Record<string, AuthErrorCode>>> = {
    'sign-in-refused': 'discovery-failed',
  };

  it.each(FAULTS.filter(([, { kind }]) => kind !== 'lost-answer'))(
    '%s',
    async (_what, misdeed, code) => {
      provider.fault({ ...misdeed, endpoint: 'discovery' });
      const app = await startApp(provider, HASTY);
      const { value, ms } = await timed(app.codeOf(app.signIn()));
      // What is no metadata counts as none at all.
      expect([codes[code] ?? code, 'discovery-failed']).toContain(value);
      expect(ms).toBeLessThan(8_000);
      expect(app.opened).toEqual([]);
      provider.clearFaults();
      expect(await app.codeOf(app.signIn())).toBe('resolved');
    },
  );
});

describe('a key set that', () => {
  it.each(FAULTS.filter(([, { kind }]) => kind !== 'oauth-error' && kind !== 'lost-answer'))(
    '%s',
    async (_what, misdeed, code) => {
      provider.fault({ ...misdeed, endpoint: 'jwks' });
      const app = await startApp(provider, HASTY);
      const { value, ms } = await timed(app.codeOf(app.signIn()));
      expect([code, 'id-token-invalid']).toContain(value);
      expect(value === 'id-token-invalid' || value !== 'sign-in-refused').toBe(true);
      expect(ms).toBeLessThan(8_000);
      expect(app.secrets.entries.size).toBe(0);
      expectNoLeak(app, provider);
    },
  );
});

describe('a label that is wrong', () => {
  it.each(['text/html', 'text/plain', 'application/octet-stream', ''])(
    'does no harm: JSON called "%s"',
    async (value) => {
      for (const endpoint of ['discovery', 'token', 'jwks', 'userinfo'] as const)
        provider.fault({ kind: 'content-type', endpoint, value });
      const app = await startApp(provider);
      expect(await app.codeOf(app.signIn())).toBe('resolved');
    },
  );
});

describe('Retry-After', () => {
  it('is heeded in seconds and as a date', async () => {
    for (const form of ['seconds', 'date'] as const) {
      const before = await startApp(provider);
      await before.signIn();
      const retryAfter = form === 'seconds' ? 60 : new Date(time.now() + 60_000).toUTCString();
      provider.fault({
        kind: 'too-many-requests',
        endpoint: 'token',
        grantType: 'refresh_token',
        retryAfter,
        times: 1,
      });
      const app = await before.restartDue();
      expect(await app.codeOf(app.engine.getAccessToken())).toBe('server-unavailable');
      const { renewal } = signedInView(app);
      expect(renewal.state === 'waiting' && renewal.nextTryAt - time.now()).toBeGreaterThan(50_000);
      const requests = provider.tokenRequests('refresh_token');
      expect(await app.codeOf(app.engine.getAccessToken())).toBe('server-unavailable');
      expect(provider.tokenRequests('refresh_token')).toBe(requests);
    }
  });
});

describe('a provider that is gone', () => {
  it('is said to be unreachable, and the session waits for it', async () => {
    const gone = await startProvider();
    const before = await startApp(gone, HASTY);
    await before.signIn();
    await before.engine.stop();
    await gone.stop();
    const app = await before.restartDue();
    expect(await app.codeOf(app.engine.getAccessToken())).toBe('network-failed');
    expect(signedInView(app).renewal.state).toBe('waiting');
    expect(await app.codeOf(app.signIn())).toBe('network-failed');
    await app.engine.signOut();
    expect(app.engine.view().status).toBe('signed-out');
    expectNoLeak(app, gone);
  });
});

describe('no network time-out', () => {
  it('leaves a connection behind after stop()', async () => {
    provider.fault({ kind: 'hang', endpoint: 'token' });
    const app = await startApp(provider);
    const code = app.codeOf(app.signIn());
    await waitFor(() => provider.requests.at(-1)?.endpoint === 'token', 'the request');
    const { ms } = await timed(app.engine.stop());
    expect(await code).toBe('stopped');
    expect(ms).toBeLessThan(5_000);
  });
});
