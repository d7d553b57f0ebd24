// Callbacks over the real ways in: forged, repeated, late and mixed-up ones change nothing; the
// right one still counts.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Provider } from '../../src/testing/index.js';
import {
  type App,
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

/** An attempt whose person has not come back yet, and the callback that would. */
async function waiting(
  redirect = SCHEME_REDIRECT,
): Promise<{ readonly app: App; readonly code: Promise<string>; readonly callbackUrl: string }> {
  const app = await startApp(provider, { redirects: [redirect] });
  const code = app.codeOf(app.signIn('stays away'));
  await waitFor(() => app.opened.length === 1, 'the browser');
  const { callbackUrl } = await app.person.signIn(app.opened[0]!);
  return { app, code, callbackUrl };
}

const changed = (url: string, change: (parameters: URLSearchParams) => void): string => {
  const next = new URL(url);
  change(next.searchParams);
  return next.href;
};

describe('callbacks by custom scheme', () => {
  it('that are forged or malformed change nothing and reach no server', async () => {
    const { app, code, callbackUrl } = await waiting();
    const view = app.engine.view();
    const requests = provider.tokenRequests('authorization_code');
    const state = new URL(callbackUrl).searchParams.get('state')!;
    const forgeries = [
      `${SCHEME_REDIRECT}?code=evil&state=guess`,
      `${SCHEME_REDIRECT}?code=evil`,
      SCHEME_REDIRECT,
      `${SCHEME_REDIRECT}?error=access_denied`,
      `${SCHEME_REDIRECT}?error=access_denied&state=guess`,
      `${SCHEME_REDIRECT}?code=evil&state=${state}&state=x`,
      callbackUrl.replace('/callback', '/other'),
      callbackUrl.replace(':/', '://evil.example/'),
      `http://127.0.0.1/callback?code=evil&state=${state}`,
      'not a url',
      '',
      `${SCHEME_REDIRECT}?code=e&state=${'s'.repeat(20_000)}`,
    ];
    for (const forged of forgeries) expect(app.scheme.arrive(forged)).toBe('foreign');
    expect([app.engine.view(), provider.tokenRequests('authorization_code')]).toEqual([
      view,
      requests,
    ]);
    const told = (): number =>
      app.log.events.filter(({ event }) => event.startsWith('callback-')).length;
    // The five that match no redirect are told once.
    await waitFor(() => told() >= forgeries.length - 4, 'the log');
    expect(told()).toBe(forgeries.length - 4);
    expect(app.scheme.arrive(callbackUrl)).toBe('taken');
    expect(await code).toBe('resolved');
    expectNoLeak(app, provider);
  });

  it('that come twice are redeemed once', async () => {
    const { app, code, callbackUrl } = await waiting();
    const before = provider.tokenRequests('authorization_code');
    expect(app.scheme.arrive(callbackUrl)).toBe('taken');
    expect(app.scheme.arrive(callbackUrl)).toBe('taken');
    expect(await code).toBe('resolved');
    expect(app.scheme.arrive(callbackUrl)).toBe('foreign');
    expect(provider.tokenRequests('authorization_code')).toBe(before + 1);
    expect(signedInView(app).remembered).toBe(true);
  });

  it('of an earlier attempt do not count for the next one', async () => {
    const { app, code, callbackUrl } = await waiting();
    app.engine.cancelSignIn();
    expect(await code).toBe('sign-in-cancelled');
    const next = app.codeOf(app.signIn('stays away'));
    await waitFor(() => app.opened.length === 2, 'the browser');
    expect(app.scheme.arrive(callbackUrl)).toBe('foreign');
    app.scheme.arrive((await app.person.signIn(app.opened[1]!)).callbackUrl);
    expect(await next).toBe('resolved');
  });

  it('of two attempts that cross are each redeemed with their own verifier', async () => {
    const { app, code } = await waiting();
    const second = app.codeOf(app.signIn('stays away'));
    await waitFor(() => app.opened.length === 2, 'the browser');
    app.scheme.arrive((await app.person.signIn(app.opened[1]!)).callbackUrl);
    expect(await second).toBe('resolved');
    // A code lives a minute: each person comes back at once.
    app.scheme.arrive((await app.person.signIn(app.opened[0]!)).callbackUrl);
    expect(await code).toBe('resolved');
    expectNoLeak(app, provider);
  });

  it('with a code of somebody else fail at the provider, for the verifier does not fit', async () => {
    const mine = await waiting();
    const theirs = await waiting();
    const stolen = new URL(theirs.callbackUrl).searchParams.get('code')!;
    mine.app.scheme.arrive(
      changed(mine.callbackUrl, (parameters) => {
        parameters.set('code', stolen);
      }),
    );
    expect(await mine.code).toBe('sign-in-refused');
    expect(mine.app.secrets.entries.size).toBe(0);
    theirs.app.engine.cancelSignIn();
    await theirs.code;
  });
});

describe('the parameter "iss" of a callback (RFC 9207)', () => {
  it.each([
    [
      'names another issuer',
      (parameters: URLSearchParams) => {
        parameters.set('iss', 'https://evil.example');
      },
    ],
    [
      'has a slash more',
      (parameters: URLSearchParams) => {
        parameters.set('iss', `${provider.issuer}/`);
      },
    ],
    [
      'is missing though it was promised',
      (parameters: URLSearchParams) => {
        parameters.delete('iss');
      },
    ],
  ])('that %s stops the sign-in before the code is sent', async (_what, change) => {
    const { app, code, callbackUrl } = await waiting();
    const before = provider.tokenRequests('authorization_code');
    app.scheme.arrive(changed(callbackUrl, change));
    expect(await code).toBe('issuer-mismatch');
    expect(provider.tokenRequests('authorization_code')).toBe(before);
    expectNoLeak(app, provider);
  });

  it('is also checked beside an error', async () => {
    const { app, code, callbackUrl } = await waiting();
    app.scheme.arrive(
      changed(callbackUrl, (parameters) => {
        parameters.set('iss', 'https://evil.example');
        parameters.set('error', 'access_denied');
      }),
    );
    expect(await code).toBe('issuer-mismatch');
  });

  it('may be missing where the provider promises nothing', async () => {
    provider.fault({
      kind: 'members',
      endpoint: 'discovery',
      drop: ['authorization_response_iss_parameter_supported'],
      times: 1,
    });
    const { app, code, callbackUrl } = await waiting();
    app.scheme.arrive(
      changed(callbackUrl, (parameters) => {
        parameters.delete('iss');
      }),
    );
    expect(await code).toBe('resolved');
  });

  it('is demanded of endpoints by hand when the host says that it comes', async () => {
    const { authorization, token, jwks } = provider.endpoints;
    const app = await startApp(provider, {
      endpoints: { authorization, token, jwks, issParameterSupported: true },
    });
    const code = app.codeOf(app.signIn('stays away'));
    await waitFor(() => app.opened.length === 1, 'the browser');
    const { callbackUrl } = await app.person.signIn(app.opened[0]!);
    app.scheme.arrive(
      changed(callbackUrl, (parameters) => {
        parameters.delete('iss');
      }),
    );
    expect(await code).toBe('issuer-mismatch');
  });
});

describe('tokens in the front channel', () => {
  it.each(['id_token', 'token'])(
    'are refused: a callback with "%s" is no answer to a request for a code',
    async (name) => {
      const { app, code, callbackUrl } = await waiting();
      app.scheme.arrive(
        changed(callbackUrl, (parameters) => {
          parameters.set(name, 'x');
        }),
      );
      expect(await code).toBe('response-invalid');
    },
  );
});

describe('callbacks by loopback', () => {
  it('that are forged get a page that says so, and the right one still counts', async () => {
    const { app, code, callbackUrl } = await waiting(LOOPBACK_REDIRECT);
    const view = app.engine.view();
    const forged = await (
      await fetch(
        changed(callbackUrl, (parameters) => {
          parameters.set('state', 'guess');
        }),
      )
    ).text();
    expect(forged).toContain('data-outcome="not-expected"');
    expect(app.engine.view()).toEqual(view);
    const page = await (await fetch(callbackUrl)).text();
    expect(page).toContain('data-outcome="signed-in"');
    expect(await code).toBe('resolved');
    expectNoLeak(app, provider);
  });

  it.each([
    ['no code', (url: string) => changed(url, (answer) => answer.delete('code'))],
    ['an empty code', (url: string) => changed(url, (answer) => answer.set('code', ''))],
    ['a second code', (url: string) => `${url}&code=evil`],
    ['a second issuer', (url: string) => `${url}&iss=https%3A%2F%2Fevil.example`],
  ])(
    'that are ours but have %s end the sign-in, and the page says that it failed',
    async (_, of) => {
      const { app, code, callbackUrl } = await waiting(LOOPBACK_REDIRECT);
      const before = provider.tokenRequests('authorization_code');
      const page = await fetch(of(callbackUrl));
      expect(new URL(page.url).pathname).toBe('/callback/failed');
      expect(await page.text()).toContain('Sign-in did not work');
      expect(await code).toBe('response-invalid');
      // The honest answer comes too late.
      const late = await fetch(callbackUrl);
      expect(new URL(late.url).pathname).toBe('/callback/not-expected');
      expect(provider.tokenRequests('authorization_code')).toBe(before);
      expectNoLeak(app, provider);
    },
  );

  it('that fail to redeem tell the person so', async () => {
    provider.fault({ kind: 'id-token', change: 'wrong-nonce', times: 1 });
    const { code, callbackUrl } = await waiting(LOOPBACK_REDIRECT);
    const page = await (await fetch(callbackUrl)).text();
    expect(page).toContain('data-outcome="failed"');
    expect(await code).toBe('id-token-invalid');
  });
});
