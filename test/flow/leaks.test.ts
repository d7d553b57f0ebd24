// Every secret that passed the provider, searched for in everything that the main process tells but
// to the host and the keychain.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { DeviceView } from '../../src/contract.js';
import { AuthError } from '../../src/main/core/base/errors.js';
import type { Provider } from '../../src/testing/index.js';
import {
  type AppOptions,
  LOOPBACK_REDIRECT,
  type App,
  secretsIn,
  startApp,
  startProvider,
  stopApps,
  toldBy,
  waitFor,
} from '../support/flow-app.js';

let provider: Provider;
beforeAll(async () => {
  provider = await startProvider();
});
afterAll(() => provider.stop());
afterEach(stopApps);

/**
 * A life with everything in it that tends to be logged: errors at each step, retries, restarts,
 * other people.
 */
async function wholeLife(): Promise<readonly App[]> {
  const hasty = { settings: { networkTimeoutSeconds: 0.5, attemptTimeoutSeconds: 5 } };
  const app = await startApp(provider, {
    ...hasty,
    redirects: [LOOPBACK_REDIRECT, 'com.example.latchkey-demo:/callback'],
  });
  for (const change of [
    'wrong-nonce',
    'wrong-at-hash',
    'bad-signature',
    'alg-none',
    'wrong-aud',
    'expired',
  ] as const) {
    provider.fault({ kind: 'id-token', change, times: 1 });
    await app.codeOf(app.signIn());
  }
  for (const fault of [
    { kind: 'html' },
    { kind: 'invalid-json' },
    { kind: 'half-body', then: 'cut' },
    { kind: 'status', status: 500 },
    { kind: 'oauth-error', error: 'invalid_grant', description: 'the code' },
    { kind: 'members', set: { token_type: 'mac' } },
    { kind: 'members', drop: ['id_token'] },
    { kind: 'members', set: { id_token: 'a.b.c' } },
  ] as const) {
    provider.fault({ ...fault, endpoint: 'token', times: 1 });
    await app.codeOf(app.signIn());
  }
  provider.fault({ kind: 'callback', set: { iss: 'https://evil.example' }, times: 1 });
  await app.codeOf(app.signIn());
  await app.codeOf(app.signIn({ consent: 'deny' }));
  await app.signIn();
  const { callbackUrl } = await app.trips.at(-1)!;
  app.scheme.arrive(callbackUrl);
  app.scheme.arrive(`${callbackUrl}&state=again`);
  app.scheme.arrive(`com.example.latchkey-demo:/callback${new URL(callbackUrl).search}`);
  provider.fault({ kind: 'id-token', change: 'wrong-sub', times: 1 });
  const second = await app.restartDue(hasty);
  await second.codeOf(second.engine.getAccessToken());
  second.secrets.setMode('locked');
  second.engine.retry();
  await second.codeOf(second.signIn());
  await second.engine.signOut();
  second.secrets.setMode('works');
  await second.signIn();
  const third = await second.restartDue({
    ...hasty,
    network: { fetch: () => Promise.reject(new TypeError('fetch failed')) },
  });
  await third.codeOf(third.engine.getAccessToken());
  await third.codeOf(third.signIn());
  provider.revokeAll();
  const fourth = await third.restartDue(hasty);
  await fourth.codeOf(fourth.engine.getAccessToken());
  await fourth.engine.stop();
  await fourth.codeOf(fourth.engine.getAccessToken());
  const fifth = await byOtherWays(hasty);
  return [app, second, third, fourth, fifth];
}

/** Another way, a device code, and things that a person pastes. */
async function byOtherWays(hasty: AppOptions): Promise<App> {
  const app = await startApp(provider, {
    ...hasty,
    redirects: ['com.example.latchkey-demo:/callback', 'device-code'],
  });
  const done = app.codeOf(app.signIn('stays away'));
  await waitFor(() => app.opened.length === 1, 'the browser');
  provider.fault({
    kind: 'members',
    endpoint: 'device-authorization',
    set: { interval: 1 },
    times: 1,
  });
  provider.fault({
    kind: 'oauth-error',
    endpoint: 'token',
    grantType: 'urn:ietf:params:oauth:grant-type:device_code',
    error: 'slow_down',
    description: 'the device code',
    times: 1,
  });
  app.engine.tryAnotherWay();
  const device = (): DeviceView | undefined =>
    app.views.flatMap((view) => ('attempt' in view ? (view.attempt?.device ?? []) : [])).at(-1);
  await waitFor(() => device() !== undefined, 'the code');
  const { callbackUrl } = await app.person.signIn(app.opened[0]!);
  const { search } = new URL(callbackUrl);
  for (const text of [
    `https://evil.example/${search}`,
    `${callbackUrl}&state=again`,
    new URL(callbackUrl).searchParams.get('code'),
    callbackUrl,
  ])
    await app.codeOf(app.engine.pasteCallback(text));
  await done;
  return app;
}

describe('the leak search', () => {
  it('finds no code, token, verifier, state or nonce in views, logs, errors with their causes, and the state file', async () => {
    const apps = await wholeLife();
    const kinds = new Set(provider.issued.map(({ kind }) => kind));
    expect([...kinds].sort()).toEqual([
      'access_token',
      'code',
      'code_verifier',
      'device_code',
      'id_token',
      'nonce',
      'refresh_token',
      'state',
    ]);
    for (const app of apps) expect(secretsIn(toldBy(app), provider)).toEqual([]);
    const told = apps.map(toldBy).join('\n');
    // It was worth searching: errors of every kind were told.
    for (const code of [
      'id-token-invalid',
      'response-invalid',
      'server-unavailable',
      'sign-in-refused',
      'sign-in-denied',
      'issuer-mismatch',
      'session-ended',
      'callback-invalid',
      'stopped',
    ])
      expect(told).toContain(code);
    for (const url of apps.flatMap(({ opened }) => opened))
      expect(told).not.toContain(new URL(url).search);
  }, 30_000);

  it('finds a secret that is planted in a view, a log, the file, a message, a cause or a hidden member', async () => {
    const app = await startApp(provider);
    await app.signIn();
    const { value } = provider.issued.at(-1)!;
    expect(secretsIn(toldBy(app), provider)).toEqual([]);
    const plant = (change: Partial<App>): readonly string[] =>
      secretsIn(toldBy({ ...app, ...change }), provider);
    const hidden = new AuthError('internal', 'x');
    Object.defineProperty(hidden, 'secret', {
      value: { deep: [{ deeper: value }] },
      enumerable: false,
    });
    expect(plant({ views: [{ status: 'signed-out', reason: value as never }] })).not.toEqual([]);
    expect(
      plant({
        log: {
          ...app.log,
          events: [
            {
              level: 'warn',
              event: 'callback-foreign',
              fields: {
                detail: `https://a.example/?${new URLSearchParams({ x: value }).toString()}`,
              },
            },
          ],
        },
      }),
    ).not.toEqual([]);
    expect(plant({ file: { ...app.file, content: { accounts: [{ id: value }] } } })).not.toEqual(
      [],
    );
    expect(plant({ errors: [new Error(`wrong: ${value}`)] })).not.toEqual([]);
    expect(
      plant({
        errors: [
          new AuthError('internal', 'x', { cause: new Error('y', { cause: { body: value } }) }),
        ],
      }),
    ).not.toEqual([]);
    expect(plant({ errors: [hidden] })).not.toEqual([]);
    expect(plant({ errors: [new Error(Buffer.from(value).toString('base64'))] })).not.toEqual([]);
  });

  it('knows the keychain as the one place where tokens are', async () => {
    const app = await startApp(provider);
    await app.signIn();
    expect(secretsIn([...app.secrets.entries.values()].join(), provider)).toEqual([
      'access_token',
      'refresh_token',
    ]);
    expect(
      secretsIn([...app.secrets.entries.keys(), ...app.secrets.calls].join(), provider),
    ).toEqual([]);
    await app.engine.signOut();
    await waitFor(() => app.secrets.entries.size === 0, 'the removal');
  });
});
