// Clocks that differ, over real HTTP: tokens and Retry-After are judged by the server's clock, due
// times by our own.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Provider } from '../../src/testing/index.js';
import {
  type App,
  expectNoLeak,
  signedInView,
  startApp,
  startProvider,
  stopApps,
  time,
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

const TEN_MINUTES = 600;
/** How long the app will wait from now, by the clock that it has. */
function waitMs(app: App, now: () => number): number {
  const { renewal } = signedInView(app);
  return renewal.state === 'waiting' ? renewal.nextTryAt - now() : NaN;
}

describe.each([
  ['ahead', TEN_MINUTES],
  ['behind', -TEN_MINUTES],
])('a provider whose clock is ten minutes %s', (_where, offsetSeconds) => {
  it('signs in, and the token lives as long as it says by our own clock', async () => {
    provider.fault({ kind: 'clock-offset', offsetSeconds });
    const app = await startApp(provider);
    expect(await app.codeOf(app.signIn())).toBe('resolved');
    const { renewal } = signedInView(app);
    expect(renewal.state).toBe('fresh');
    const lifeMs = (renewal.expiresAt ?? 0) - time.now();
    expect(lifeMs).toBeGreaterThan(290_000);
    expect(lifeMs).toBeLessThanOrEqual(300_000);
    expectNoLeak(app, provider);
  });

  it('renews, and keeps the rotated refresh token', async () => {
    provider.fault({ kind: 'clock-offset', offsetSeconds });
    const before = await startApp(provider);
    await before.signIn();
    const requests = provider.tokenRequests('refresh_token');
    const app = await before.restartDue();
    expect(await app.codeOf(app.engine.getAccessToken())).toBe('resolved');
    expect([
      signedInView(app).renewal.state,
      provider.tokenRequests('refresh_token') - requests,
    ]).toEqual(['fresh', 1]);
    expect([...app.secrets.entries.values()].join()).toContain(
      provider.issued.filter(({ kind }) => kind === 'refresh_token').at(-1)!.value,
    );
  });

  it('is waited for as long as it meant, when it names a date', async () => {
    const before = await startApp(provider);
    await before.signIn();
    provider.fault({ kind: 'clock-offset', offsetSeconds });
    const retryAfter = new Date(time.now() + offsetSeconds * 1000 + 60_000).toUTCString();
    provider.fault({
      kind: 'too-many-requests',
      endpoint: 'token',
      grantType: 'refresh_token',
      retryAfter,
      times: 1,
    });
    const app = await before.restartDue();
    expect(await app.codeOf(app.engine.getAccessToken())).toBe('server-unavailable');
    // At least what was asked, and at most as long again.
    expect(waitMs(app, time.now)).toBeGreaterThan(50_000);
    expect(waitMs(app, time.now)).toBeLessThan(125_000);
  });

  it('is waited for as long as it said, when it names seconds', async () => {
    const before = await startApp(provider);
    await before.signIn();
    provider.fault({ kind: 'clock-offset', offsetSeconds });
    provider.fault({
      kind: 'too-many-requests',
      endpoint: 'token',
      grantType: 'refresh_token',
      retryAfter: 60,
      times: 1,
    });
    const app = await before.restartDue();
    expect(await app.codeOf(app.engine.getAccessToken())).toBe('server-unavailable');
    expect(waitMs(app, time.now)).toBeGreaterThan(50_000);
    expect(waitMs(app, time.now)).toBeLessThan(125_000);
  });
});

describe.each([
  ['ahead', TEN_MINUTES],
  ['behind', -TEN_MINUTES],
])('a computer whose clock is ten minutes %s', (_where, offsetSeconds) => {
  const now = (): number => time.now() + offsetSeconds * 1000;

  it('signs in, renews, and is restored', async () => {
    const before = await startApp(provider, { clock: { now } });
    expect(await before.codeOf(before.signIn())).toBe('resolved');
    const app = await before.restartDue();
    const token = await app.engine.getAccessToken();
    expect(signedInView(app).renewal.state).toBe('fresh');
    const next = await app.restart();
    expect(await next.engine.getAccessToken()).toBe(token);
    expectNoLeak(next, provider);
  });

  it('waits as long as the server meant by a date', async () => {
    const before = await startApp(provider, { clock: { now } });
    await before.signIn();
    provider.fault({
      kind: 'too-many-requests',
      endpoint: 'token',
      grantType: 'refresh_token',
      retryAfter: new Date(time.now() + 60_000).toUTCString(),
      times: 1,
    });
    const app = await before.restartDue();
    expect(await app.codeOf(app.engine.getAccessToken())).toBe('server-unavailable');
    expect(waitMs(app, now)).toBeGreaterThan(50_000);
    expect(waitMs(app, now)).toBeLessThan(125_000);
  });
});

describe('a clock that is right', () => {
  it('does not make an ID token good that is over', async () => {
    provider.fault({ kind: 'id-token', change: 'expired', times: 1 });
    const app = await startApp(provider);
    expect(await app.codeOf(app.signIn())).toBe('id-token-invalid');
  });
});
