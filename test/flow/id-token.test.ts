// ID tokens over real HTTP (OpenID Connect Core §3.1.3.7): each forgery is refused, each allowed
// variety is accepted.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  type IdTokenChange,
  type Provider,
  type SigningAlgorithm,
  subjectOf,
} from '../../src/testing/index.js';
import {
  type AppOptions,
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

describe('an ID token', () => {
  it.each<IdTokenChange>([
    'wrong-iss',
    'wrong-aud',
    'wrong-azp',
    'wrong-nonce',
    'missing-nonce',
    'wrong-at-hash',
    'missing-sub',
    'expired',
    'issued-in-future',
    'alg-none',
    'alg-hs256',
    'bad-signature',
    'unknown-kid',
  ])('is refused with %s, and nobody is signed in', async (change) => {
    provider.fault({ kind: 'id-token', change, times: 1 });
    const app = await startApp(provider);
    expect(await app.codeOf(app.signIn())).toBe('id-token-invalid');
    expect(app.engine.view()).toMatchObject({
      status: 'signed-out',
      reason: 'never',
      error: { code: 'id-token-invalid' },
    });
    expect(app.secrets.entries.size).toBe(0);
    expectNoLeak(app, provider);
  });

  it.each<IdTokenChange>(['aud-array', 'missing-kid'])('is accepted with %s', async (change) => {
    provider.fault({ kind: 'id-token', change, times: 1 });
    const app = await startApp(provider);
    await app.signIn();
    expect(signedInView(app).account.subject).toBe(subjectOf('ada'));
  });

  it('that is missing is refused', async () => {
    provider.fault({ kind: 'members', endpoint: 'token', drop: ['id_token'], times: 1 });
    const app = await startApp(provider);
    expect(await app.codeOf(app.signIn())).toMatch(/^(id-token|response)-invalid$/);
  });

  it.each([
    ['no JWT', 'not-a-jwt'],
    ['a number', 7],
    ['five parts', 'a.b.c.d.e'],
    ['nothing', ''],
  ])('that is %s is refused', async (_what, idToken) => {
    provider.fault({ kind: 'members', endpoint: 'token', set: { id_token: idToken }, times: 1 });
    const app = await startApp(provider);
    expect(await app.codeOf(app.signIn())).toMatch(/^(id-token|response)-invalid$/);
    expect(app.secrets.entries.size).toBe(0);
  });

  it.each([-30, 30])(
    'is accepted from a provider whose clock is %i s off',
    async (offsetSeconds) => {
      provider.fault({ kind: 'clock-offset', offsetSeconds });
      const app = await startApp(provider);
      expect(await app.codeOf(app.signIn())).toBe('resolved');
    },
  );

  it('is accepted with a key set that has odd members and each key twice, fetched early or late', async () => {
    const { keys } = (await (await fetch(provider.endpoints.jwks)).json()) as {
      readonly keys: readonly object[];
    };
    const untidy = [null, 7, { kty: 'oct', k: 'AA' }, ...keys, { kty: 'XX' }, ...keys];
    provider.fault({ kind: 'members', endpoint: 'jwks', set: { keys: untidy } });
    const app = await startApp(provider);
    expect(await app.codeOf(app.signIn())).toBe('resolved');
  });

  it('is accepted after the provider rotated its keys, without a new start', async () => {
    const app = await startApp(provider);
    await app.signIn();
    await provider.rotateKeys();
    expect(await app.codeOf(app.signIn())).toBe('resolved');
    await provider.rotateKeys();
    expect(await app.codeOf(app.signIn())).toBe('resolved');
  });
});

describe('an ID token for which a max_age was sent', () => {
  const asking = (seconds: string): AppOptions => ({
    authorizationParameters: { max_age: seconds },
  });

  it.each(['0', '60', '86400'])(
    'of %s s is accepted from a person who has just authenticated',
    async (seconds) => {
      const app = await startApp(provider, asking(seconds));
      expect(await app.codeOf(app.signIn())).toBe('resolved');
      expect(new URL(app.opened[0]!).searchParams.get('max_age')).toBe(seconds);
    },
  );

  it.each<IdTokenChange>(['old-auth-time', 'missing-auth-time'])(
    'is refused with %s, and nobody is signed in',
    async (change) => {
      provider.fault({ kind: 'id-token', change, times: 1 });
      const app = await startApp(provider, asking('60'));
      expect(await app.codeOf(app.signIn())).toBe('id-token-invalid');
      expect(app.secrets.entries.size).toBe(0);
      expectNoLeak(app, provider);
    },
  );

  it('is accepted with an auth_time of an hour ago when that, or nothing, was asked for', async () => {
    for (const options of [asking('3600'), {}]) {
      provider.fault({ kind: 'id-token', change: 'old-auth-time', times: 1 });
      const app = await startApp(provider, options);
      expect(await app.codeOf(app.signIn())).toBe('resolved');
    }
  });

  it('is accepted though the person stays in the browser for an hour after they authenticated', async () => {
    let laterMs = 0;
    const app = await startApp(provider, {
      ...asking('60'),
      attemptTimeoutSeconds: 3_600,
      clock: { now: () => Date.now() + laterMs },
    });
    provider.fault({ kind: 'id-token', change: 'old-auth-time', times: 1 });
    const done = app.codeOf(app.signIn('stays away'));
    await waitFor(() => app.opened.length === 1, 'the browser');
    laterMs = 3_590_000;
    app.scheme.arrive((await app.person.signIn(app.opened[0]!)).callbackUrl);
    expect(await done).toBe('resolved');
  });
});

describe.each<SigningAlgorithm>(['RS256', 'PS256', 'ES256', 'EdDSA'])(
  'a provider that signs with %s',
  (signingAlgorithm) => {
    let other: Provider;
    beforeAll(async () => {
      other = await startProvider({ signingAlgorithm });
    });
    afterAll(() => other.stop());

    it('is understood', async () => {
      const app = await startApp(other);
      expect(await app.codeOf(app.signIn())).toBe('resolved');
    });

    it('is not believed when at_hash or signature are wrong', async () => {
      for (const change of ['wrong-at-hash', 'bad-signature'] as const) {
        other.fault({ kind: 'id-token', change, times: 1 });
        const app = await startApp(other);
        expect(await app.codeOf(app.signIn())).toBe('id-token-invalid');
      }
    });
  },
);
