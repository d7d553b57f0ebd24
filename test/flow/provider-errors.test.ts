// What a provider's error becomes on its way from real HTTP to the view: code, ids, advice for
// developers, and no text.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { AuthErrorView } from '../../src/contract.js';
import { createAdvise } from '../../src/advice/decide.js';
import { oidc } from '../../src/providers/index.js';
import type { Provider } from '../../src/testing/index.js';
import {
  type App,
  LOOPBACK_REDIRECT,
  expectNoLeak,
  signedInView,
  startApp,
  startProvider,
  stopApps,
  waitFor,
} from '../support/flow-app.js';

const TRACE = '0000aaaa-11bb-cccc-dd22-eeeeee333333';
const CORRELATION = 'aaaa0000-bb11-2222-33cc-444444dddddd';
const entraBody = (number: number, more: object = {}): string =>
  JSON.stringify({
    error: 'invalid_request',
    error_description: `AADSTS${number}: words of Microsoft's.\r\nTrace ID: ${TRACE}`,
    error_codes: [number],
    timestamp: '2026-11-24 10:00:00Z',
    trace_id: TRACE,
    correlation_id: CORRELATION,
    ...more,
  });

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

const refuse = (number: number, status = 400, more: object = {}): void =>
  provider.fault({
    kind: 'status',
    endpoint: 'token',
    status,
    body: entraBody(number, more),
    contentType: 'application/json',
    times: 1,
  });
const withAdvice = {
  loadAdvice: async () =>
    createAdvise({ issuer: 'https://login.microsoftonline.com/common/v2.0', preset: 'entra' }),
};

function errorOf(app: App): AuthErrorView | undefined {
  const view = app.engine.view();
  return 'error' in view ? view.error : undefined;
}

describe('a code that the provider refuses', () => {
  it("carries the provider's number and ids into the view, and none of its words", async () => {
    refuse(9002327);
    const app = await startApp(provider);
    expect(await app.codeOf(app.signIn())).toBe('sign-in-refused');
    expect(errorOf(app)).toEqual({
      code: 'sign-in-refused',
      retry: 'never',
      message: 'the token endpoint refused the request',
      serverError: 'invalid_request',
      provider: {
        code: 'AADSTS9002327',
        traceId: TRACE,
        correlationId: CORRELATION,
        timestamp: '2026-11-24 10:00:00Z',
      },
    });
    expect(app.log.events.find(({ event }) => event === 'attempt-ended')?.fields).toMatchObject({
      providerCode: 'AADSTS9002327',
      providerCorrelationId: CORRELATION,
    });
    expect(JSON.stringify([app.views, app.log.events])).not.toContain('words of');
    expectNoLeak(app, provider);
  });

  it('brings advice that knows what was sent and to where, where the host wants it', async () => {
    refuse(9002327);
    const app = await startApp(provider, { ...withAdvice, redirects: [LOOPBACK_REDIRECT] });
    await app.codeOf(app.signIn());
    await waitFor(() => errorOf(app)?.advice !== undefined, 'the advice');
    const advice = errorOf(app)?.advice;
    expect(advice).toMatchObject({
      code: 'AADSTS9002327',
      title: 'The redirect URI is registered as a single-page application',
    });
    expect(advice?.why).toContain('Latchkey sent a code verifier and no `Origin`');
    expect(advice?.why).toContain('`http://127.0.0.1/callback`');
    expect(advice?.fix.join(' ')).toContain('Mobile and desktop applications');
    // The view was there at once, without it.
    expect(
      app.views.some(
        (view) => 'error' in view && view.error !== undefined && view.error.advice === undefined,
      ),
    ).toBe(true);
    expectNoLeak(app, provider);
  });

  it('loads no advice while nothing is wrong', async () => {
    let loads = 0;
    const app = await startApp(provider, {
      loadAdvice: async () => {
        loads += 1;
        return () => null;
      },
    });
    await app.signIn();
    await app.engine.signOut();
    expect(loads).toBe(0);
  });

  it('is refused also with status 200', async () => {
    provider.fault({
      kind: 'status',
      endpoint: 'token',
      status: 200,
      body: JSON.stringify({
        error: 'bad_verification_code',
        error_description: 'The code passed is incorrect or expired.',
      }),
      contentType: 'application/json',
      times: 1,
    });
    const app = await startApp(provider);
    expect(await app.codeOf(app.signIn())).toBe('sign-in-refused');
    expect(errorOf(app)?.serverError).toBe('bad_verification_code');
  });
});

describe('an authorization error', () => {
  it('carries the number that stands in its text, and nothing else of it', async () => {
    provider.fault({
      kind: 'callback',
      set: {
        error: 'access_denied',
        error_description: `AADSTS65004: User declined <b>. Trace ID: ${TRACE}`,
        trace_id: TRACE,
      },
      drop: ['code'],
      times: 1,
    });
    const app = await startApp(provider, withAdvice);
    expect(await app.codeOf(app.signIn())).toBe('sign-in-denied');
    expect(errorOf(app)?.provider).toEqual({ code: 'AADSTS65004' });
    await waitFor(() => errorOf(app)?.advice?.code === 'AADSTS65004', 'the advice');
    expect(JSON.stringify(app.views)).not.toContain('User declined');
  });
});

describe('a pushed request that the provider refuses', () => {
  it('carries number and ids, too', async () => {
    const pushing = await startProvider({ pushedAuthorizationRequests: 'required' });
    try {
      pushing.fault({
        kind: 'status',
        endpoint: 'pushed-authorization',
        status: 400,
        body: entraBody(50011),
        contentType: 'application/json',
        times: 1,
      });
      const app = await startApp(pushing);
      expect(await app.codeOf(app.signIn())).toBe('sign-in-refused');
      expect(errorOf(app)?.provider).toMatchObject({
        code: 'AADSTS50011',
        correlationId: CORRELATION,
      });
      await stopApps();
    } finally {
      await pushing.stop();
    }
  });
});

describe('a renewal that the provider refuses', () => {
  it('by a demand for the person does not sign anybody out the first time, and says which it was', async () => {
    const first = await startApp(provider);
    await first.signIn();
    refuse(50076, 400, { error: 'interaction_required', suberror: 'basic_action' });
    const app = await first.restartDue(withAdvice);
    await waitFor(() => signedInView(app).renewal.state === 'waiting', 'the refusal');
    expect(signedInView(app).renewal).toMatchObject({
      state: 'waiting',
      error: {
        code: 'sign-in-refused',
        serverError: 'interaction_required',
        provider: { code: 'AADSTS50076', suberror: 'basic_action', correlationId: CORRELATION },
      },
    });
    await waitFor(
      () => JSON.stringify(app.engine.view()).includes('A second factor is needed'),
      'the advice',
    );
    expectNoLeak(app, provider);
  });

  it('by invalid_grant ends the session, with number and ids', async () => {
    const first = await startApp(provider);
    await first.signIn();
    refuse(700082, 400, { error: 'invalid_grant', suberror: 'bad_token' });
    const app = await first.restartDue();
    await waitFor(() => app.engine.view().status === 'signed-out', 'the end');
    expect(errorOf(app)).toMatchObject({
      code: 'session-ended',
      serverError: 'invalid_grant',
      provider: { code: 'AADSTS700082', suberror: 'bad_token' },
    });
  });
});

describe('a preset', () => {
  it('signs in as the option "issuer" does', async () => {
    const app = await startApp(provider, { provider: oidc({ issuer: provider.issuer }) });
    await app.signIn();
    expect(signedInView(app).account.name).toBe('Ada Lovelace');
    expect(new URL(app.opened[0]!).searchParams.get('prompt')).toBe('consent');
    expectNoLeak(app, provider);
  });
});
