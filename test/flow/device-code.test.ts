// Device codes (RFC 8628) over real HTTP: asked at the pace that the provider wants, until the
// person has agreed elsewhere.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { AttemptView, DeviceView } from '../../src/contract.js';
import { LIMITS } from '../../src/main/core/base/limits.js';
import { type Provider, subjectOf } from '../../src/testing/index.js';
import {
  type App,
  type AppOptions,
  SCHEME_REDIRECT,
  expectNoLeak,
  signedInView,
  startApp,
  startProvider,
  stopApps,
  time,
  toldBy,
  waitFor,
} from '../support/flow-app.js';

const GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
const options: AppOptions = { redirects: ['device-code'] };

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

const polls = (): Provider['requests'] =>
  provider.requests.filter(({ grantType }) => grantType === GRANT);
const attemptOf = (app: App): AttemptView | undefined => {
  const view = app.engine.view();
  return 'attempt' in view ? view.attempt : undefined;
};
/** Seconds between the questions from `from` on. */
const pauses = (from: number): readonly number[] =>
  polls()
    .slice(from)
    .map(({ at }, index, all) => (index === 0 ? 0 : (at - all[index - 1]!.at) / 1000))
    .slice(1);
/** Lets time pass until so many questions have come. */
async function polled(count: number): Promise<void> {
  for (let seconds = 0; polls().length < count; seconds += 1) {
    if (seconds > 300) throw new Error('five minutes have passed without a question');
    await time.pass(1_000);
  }
}

/**
 * An app that shows a code. `answer`: members of the provider's answer; it wants a question every 5
 * seconds unless told.
 */
async function showing(
  answer: Readonly<Record<string, unknown>> = {},
  more: AppOptions = {},
): Promise<{
  readonly app: App;
  readonly code: Promise<string>;
  readonly device: DeviceView;
  readonly asked: number;
}> {
  provider.fault({
    kind: 'members',
    endpoint: 'device-authorization',
    set: { interval: 5, ...answer },
    times: 1,
  });
  const app = await startApp(provider, { ...options, ...more });
  const asked = polls().length;
  const code = app.codeOf(app.signIn('stays away'));
  await waitFor(() => attemptOf(app)?.device !== undefined, 'the code');
  return { app, code, device: attemptOf(app)!.device!, asked };
}

describe('a sign-in by device code', () => {
  it('shows code and page, opens no browser, and is signed in when the person has agreed', async () => {
    const { app, code, device } = await showing();
    expect(attemptOf(app)).toMatchObject({ stage: 'waiting', redirect: 'device-code' });
    expect(device).toEqual({
      userCode: expect.stringMatching(/^[A-Z]{4}-[A-Z]{4}$/) as string,
      verificationUri: `${provider.issuer}/device`,
      verificationUriComplete: `${provider.issuer}/device?user_code=${device.userCode}`,
    });
    expect(await app.person.enterCode(device.verificationUri, device.userCode)).toBe('agreed');
    expect(await time.passUntil(code)).toBe('resolved');
    expect(signedInView(app)).toMatchObject({
      account: { subject: subjectOf('ada'), name: 'Ada Lovelace' },
      remembered: true,
    });
    expect(app.opened).toEqual([]);
    expectNoLeak(app, provider);
  });

  it('asks the provider first for a code, with client id and scope, and no secret, PKCE or nonce', async () => {
    const { app, code, device } = await showing(
      {},
      { authorizationParameters: { audience: 'https://api.example' } },
    );
    const request = provider.requests.findLast(
      ({ endpoint }) => endpoint === 'device-authorization',
    )!;
    expect([...request.parameterNames].sort()).toEqual([
      'audience',
      'client_id',
      'prompt',
      'scope',
    ]);
    expect(request).toMatchObject({ method: 'POST', origin: null, authorizationScheme: null });
    await app.person.enterCode(device.verificationUriComplete!, device.userCode);
    await time.passUntil(code);
    expect([...polls().at(-1)!.parameterNames].sort()).toEqual([
      'client_id',
      'device_code',
      'grant_type',
    ]);
  });

  it('opens the page with the code filled in when the person asks for it, and only then', async () => {
    const { app, code, device } = await showing();
    app.engine.reopenBrowser();
    await waitFor(() => app.opened.length === 1, 'the browser');
    expect(app.opened).toEqual([device.verificationUriComplete]);
    await app.person.enterCode(app.opened[0]!, device.userCode, { login: 'grace' });
    expect(await time.passUntil(code)).toBe('resolved');
    expect(signedInView(app).account.name).toBe('Grace Hopper');
  });

  it('waits while the answer is pending, one question each interval, and none before the first', async () => {
    const { code, app, device, asked } = await showing({ interval: 2 });
    await polled(asked + 4);
    for (const pause of pauses(asked)) expect(pause).toBeGreaterThanOrEqual(1.9);
    expect(polls()[asked]).toMatchObject({ status: 400 });
    await app.person.enterCode(device.verificationUri, device.userCode);
    expect(await time.passUntil(code)).toBe('resolved');
  });

  it('asks 5 seconds less often after each slow_down, and never more often again', async () => {
    const { code, app, device, asked } = await showing();
    provider.fault({
      kind: 'oauth-error',
      endpoint: 'token',
      grantType: GRANT,
      error: 'slow_down',
      times: 2,
    });
    await polled(asked + 4);
    const [first, second, third] = pauses(asked);
    expect(first).toBeGreaterThanOrEqual(9.9);
    expect(second).toBeGreaterThanOrEqual(14.9);
    expect(third).toBeGreaterThanOrEqual(14.9);
    await app.person.enterCode(device.verificationUri, device.userCode);
    expect(await time.passUntil(code)).toBe('resolved');
  });

  it.each([
    ['a lost connection', { kind: 'reset' }],
    ['status 503', { kind: 'status', status: 503 }],
    ['a page of a portal', { kind: 'html' }],
    ['a broken answer', { kind: 'invalid-json' }],
  ] as const)('survives %s while it waits, and asks less often', async (_what, fault) => {
    const { code, app, device, asked } = await showing();
    provider.fault({ ...fault, endpoint: 'token', grantType: GRANT, times: 2 });
    await polled(asked + 3);
    const [first, second] = pauses(asked);
    expect(first).toBeGreaterThanOrEqual(9.9);
    expect(second).toBeGreaterThanOrEqual(19.9);
    await app.person.enterCode(device.verificationUri, device.userCode);
    expect(await time.passUntil(code)).toBe('resolved');
    expectNoLeak(app, provider);
  });

  it('waits as long as the provider asks with Retry-After', async () => {
    const { code, app, device, asked } = await showing();
    provider.fault({
      kind: 'too-many-requests',
      endpoint: 'token',
      grantType: GRANT,
      retryAfter: 15,
      times: 1,
    });
    await polled(asked + 2);
    expect(pauses(asked)[0]).toBeGreaterThanOrEqual(14.9);
    await app.person.enterCode(device.verificationUri, device.userCode);
    expect(await time.passUntil(code)).toBe('resolved');
  });

  it.each([
    ['says no at the provider', { consent: 'deny' }],
    ['says that the code is another one', { compare: false }],
  ] as const)('ends as denied when the person %s', async (_how, choices) => {
    const { app, code, device } = await showing();
    expect(await app.person.enterCode(device.verificationUri, device.userCode, choices)).toBe(
      'refused',
    );
    expect(await time.passUntil(code)).toBe('sign-in-denied');
    expect(app.engine.view()).toMatchObject({
      status: 'signed-out',
      error: { code: 'sign-in-denied' },
    });
    expect(app.secrets.entries.size).toBe(0);
  });

  it('is not touched by a code that is mistyped', async () => {
    const { app, code, device } = await showing();
    expect(await app.person.enterCode(device.verificationUri, 'XXXX-XXXX')).toBe('refused');
    expect(attemptOf(app)).toMatchObject({ stage: 'waiting' });
    await app.person.enterCode(device.verificationUri, device.userCode);
    expect(await time.passUntil(code)).toBe('resolved');
  });

  it("ends as expired by the provider's word", async () => {
    const { app, code } = await showing();
    provider.fault({
      kind: 'oauth-error',
      endpoint: 'token',
      grantType: GRANT,
      error: 'expired_token',
      times: 1,
    });
    expect(await time.passUntil(code)).toBe('sign-in-expired');
    expectNoLeak(app, provider);
  });

  it('ends as expired by its own clock, and asks no more', async () => {
    const { code, asked } = await showing({ expires_in: 20, interval: 30 });
    expect(await time.passUntil(code)).toBe('sign-in-expired');
    expect(polls().length).toBe(asked);
  });

  it('waits as long as the code lives, also when that is longer than an attempt waits for a browser', async () => {
    const { app, code, device } = await showing({ expires_in: 600 }, { attemptTimeoutSeconds: 10 });
    expect(attemptOf(app)!.expiresAt - attemptOf(app)!.startedAt).toBeGreaterThan(590_000);
    await time.pass(15_000);
    await app.person.enterCode(device.verificationUri, device.userCode);
    expect(await time.passUntil(code)).toBe('resolved');
  });

  it('believes no lifetime beyond half an hour', async () => {
    const { app, code } = await showing({ expires_in: 10 ** 12 });
    expect(attemptOf(app)!.expiresAt - attemptOf(app)!.startedAt).toBeLessThan(
      LIMITS.deviceCodeMaxMs + 60_000,
    );
    app.engine.cancelSignIn();
    expect(await time.passUntil(code)).toBe('sign-in-cancelled');
  });

  it.each(['cancel', 'stop'] as const)('asks no more after %s', async (how) => {
    const { app, code, asked } = await showing();
    await polled(asked + 1);
    if (how === 'cancel') app.engine.cancelSignIn();
    else await app.engine.stop();
    expect(await time.passUntil(code)).toBe(how === 'cancel' ? 'sign-in-cancelled' : 'stopped');
    const then = polls().length;
    await time.pass(60_000);
    expect(polls().length).toBe(then);
  });

  it('whose app ends is over, and the next process begins again with another code', async () => {
    const { app, code, device } = await showing();
    const next = await app.restart(options);
    expect(await time.passUntil(code)).toBe('stopped');
    expect(next.engine.view()).toEqual({ status: 'signed-out', reason: 'never' });
    const again = next.codeOf(next.signIn('stays away'));
    await waitFor(() => attemptOf(next)?.device !== undefined, 'the code');
    const fresh = attemptOf(next)!.device!;
    expect(fresh.userCode).not.toBe(device.userCode);
    await next.person.enterCode(fresh.verificationUri, fresh.userCode);
    expect(await time.passUntil(again)).toBe('resolved');
  });

  it.each(['wrong-aud', 'bad-signature', 'alg-none', 'expired'] as const)(
    'is refused when its ID token is not right (%s), and the code is not sent again',
    async (change) => {
      const { app, code, device } = await showing();
      provider.fault({ kind: 'id-token', change, times: 1 });
      await app.person.enterCode(device.verificationUri, device.userCode);
      expect(await time.passUntil(code)).toBe('id-token-invalid');
      const then = polls().length;
      await time.pass(60_000);
      expect(polls().length).toBe(then);
      expectNoLeak(app, provider);
    },
  );

  it('is renewed as any other', async () => {
    const { app, code, device } = await showing();
    await app.person.enterCode(device.verificationUri, device.userCode);
    await time.passUntil(code);
    const next = await app.restartDue(options);
    expect(signedInView(next).account.subject).toBe(subjectOf('ada'));
    await next.engine.getAccessToken();
  });
});

describe('an answer with a code', () => {
  it.each<[string, Readonly<Record<string, unknown>>]>([
    ['a page that is no web page', { verification_uri: 'file:///etc/passwd' }],
    ['a page that is a script', { verification_uri: 'javascript:alert(1)' }],
    ['a page without TLS elsewhere', { verification_uri: 'http://login.example.com/device' }],
    ['a page with a user name', { verification_uri: 'https://login@evil.example/' }],
    ['an endless page', { verification_uri: `https://login.example.com/${'x'.repeat(3_000)}` }],
    ['a code with markup', { user_code: '<b>ABCD</b>' }],
    ['an endless code', { user_code: 'A'.repeat(100) }],
    ['a code that is a sentence in disguise', { user_code: 'CALL\u202e0800' }],
    ['no code', { user_code: undefined }],
    ['no device code', { device_code: undefined }],
  ])('is refused when it holds %s', async (_what, set) => {
    provider.fault({ kind: 'members', endpoint: 'device-authorization', set, times: 1 });
    const app = await startApp(provider, options);
    expect(await app.codeOf(app.signIn('stays away'))).toBe('response-invalid');
    expect(app.views.some((view) => 'attempt' in view && view.attempt?.device !== undefined)).toBe(
      false,
    );
  });

  it("is refused with the provider's word when it holds an error that comes as a success", async () => {
    provider.fault({
      kind: 'members',
      endpoint: 'device-authorization',
      set: { device_code: undefined, error: 'unauthorized_client' },
      times: 1,
    });
    const app = await startApp(provider, options);
    expect(await app.codeOf(app.signIn('stays away'))).toBe('sign-in-refused');
    expect(app.errors.at(-1)).toMatchObject({ serverError: 'unauthorized_client' });
  });

  it('does without the page with the code filled in when that is not right', async () => {
    const { app, code, device } = await showing({
      verification_uri_complete: 'javascript:alert(1)',
    });
    expect(device.verificationUriComplete).toBeUndefined();
    app.engine.reopenBrowser();
    await waitFor(() => app.opened.length === 1, 'the browser');
    expect(app.opened).toEqual([device.verificationUri]);
    app.engine.cancelSignIn();
    await time.passUntil(code);
  });

  it.each([0, -1, 'soon', null, undefined])(
    'without a usable interval (%s) is asked for every 5 seconds',
    async (interval) => {
      const { app, code, asked } = await showing({ interval });
      await polled(asked + 2);
      expect(pauses(asked)[0]).toBeGreaterThanOrEqual(4.9);
      app.engine.cancelSignIn();
      await time.passUntil(code);
    },
  );
});

describe('a provider', () => {
  it('without an endpoint for device codes is not asked, and the next way is taken', async () => {
    provider.fault({
      kind: 'members',
      endpoint: 'discovery',
      drop: ['device_authorization_endpoint'],
      times: 1,
    });
    const app = await startApp(provider, { redirects: ['device-code', SCHEME_REDIRECT] });
    const before = provider.requests.filter(
      ({ endpoint }) => endpoint === 'device-authorization',
    ).length;
    await app.signIn();
    expect(signedInView(app).account.name).toBe('Ada Lovelace');
    expect(
      provider.requests.filter(({ endpoint }) => endpoint === 'device-authorization').length,
    ).toBe(before);
    expect(JSON.stringify(app.log.events)).toContain('names no endpoint for device codes');
  });

  it('without an endpoint for device codes is not offered as another way', async () => {
    provider.fault({
      kind: 'members',
      endpoint: 'discovery',
      drop: ['device_authorization_endpoint'],
      times: 1,
    });
    const app = await startApp(provider, { redirects: [SCHEME_REDIRECT, 'device-code'] });
    const code = app.codeOf(app.signIn('stays away'));
    await waitFor(() => app.opened.length === 1, 'the browser');
    expect(attemptOf(app)?.otherWay).toBeUndefined();
    app.engine.cancelSignIn();
    await time.passUntil(code);
  });

  it('that refuses device codes to this app makes the next way be taken, and says why in the log', async () => {
    provider.fault({
      kind: 'oauth-error',
      endpoint: 'device-authorization',
      error: 'unauthorized_client',
      times: 1,
    });
    const app = await startApp(provider, { redirects: ['device-code', SCHEME_REDIRECT] });
    await app.signIn();
    expect(app.log.events).toContainEqual(
      expect.objectContaining({
        event: 'redirect-unavailable',
        fields: expect.objectContaining({
          redirect: 'device-code',
          code: 'sign-in-refused',
        }) as object,
      }),
    );
  });

  it('that refuses device codes when there is nothing else ends the sign-in with its word', async () => {
    provider.fault({
      kind: 'oauth-error',
      endpoint: 'device-authorization',
      error: 'unauthorized_client',
      times: 1,
    });
    const app = await startApp(provider, options);
    expect(await app.codeOf(app.signIn('stays away'))).toBe('sign-in-refused');
    expect(app.engine.view()).toMatchObject({ error: { serverError: 'unauthorized_client' } });
  });

  it('known by hand is asked where the host says', async () => {
    const { authorization, token, jwks, deviceAuthorization } = provider.endpoints;
    const { app, code, device } = await showing(
      {},
      { endpoints: { authorization, token, jwks, deviceAuthorization } },
    );
    await app.person.enterCode(device.verificationUri, device.userCode);
    expect(await time.passUntil(code)).toBe('resolved');
  });
});

it('tells the code to be typed, and never the device code', async () => {
  const { app, code, device } = await showing();
  await app.person.enterCode(device.verificationUri, device.userCode);
  await time.passUntil(code);
  const secret = provider.issued.filter(({ kind }) => kind === 'device_code').at(-1)!.value;
  expect(toldBy(app)).toContain(device.userCode);
  expect(toldBy(app)).not.toContain(secret);
  expect([...app.secrets.entries.values()].join()).not.toContain(secret);
});
