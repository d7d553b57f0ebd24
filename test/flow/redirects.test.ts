// The redirect ladder over real HTTP: what cannot work here is passed over, and "try another way"
// opens the next without closing the first.
import { type Server, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { AttemptView } from '../../src/contract.js';
import type { Provider } from '../../src/testing/index.js';
import {
  type App,
  type AppOptions,
  LOOPBACK_REDIRECT,
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

const PASTE_REDIRECT = 'https://login.example.com/done';
const PASTE = `paste:${PASTE_REDIRECT}`;

let provider: Provider;
const others: Server[] = [];
beforeAll(async () => {
  provider = await startProvider({
    redirectUris: [SCHEME_REDIRECT, LOOPBACK_REDIRECT, 'http://localhost/callback', PASTE_REDIRECT],
  });
});
afterAll(() => provider.stop());
afterEach(async () => {
  await stopApps();
  for (const server of others.splice(0)) server.close();
  expect(provider.unusedFaults()).toEqual([]);
  provider.clearFaults();
});

const attemptOf = (app: App): AttemptView | undefined => {
  const view = app.engine.view();
  return 'attempt' in view ? view.attempt : undefined;
};
const redirectOf = (url: string): string => new URL(url).searchParams.get('redirect_uri') ?? '';
const valueOf = (url: string, name: string): string | null => new URL(url).searchParams.get(name);

/** A port of this computer that another program has. */
async function takenPort(): Promise<number> {
  const server = createServer(() => undefined);
  others.push(server);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return (server.address() as AddressInfo).port;
}

/** An app whose attempt waits, with so many pages opened. */
async function waiting(
  redirects: readonly string[],
  more: AppOptions = {},
): Promise<{ readonly app: App; readonly code: Promise<string> }> {
  const app = await startApp(provider, { redirects, ...more });
  const code = app.codeOf(app.signIn('stays away'));
  await waitFor(() => attemptOf(app)?.stage === 'waiting', 'the browser');
  return { app, code };
}

async function another(app: App): Promise<void> {
  const before = attemptOf(app)?.redirect;
  app.engine.tryAnotherWay();
  await waitFor(
    () => attemptOf(app)?.stage === 'waiting' && attemptOf(app)?.redirect !== before,
    'another way',
  );
}

const callbackOf = async (app: App, page: number): Promise<string> =>
  (await app.person.signIn(app.opened[page]!)).callbackUrl;
const posted = (): number => provider.tokenRequests('authorization_code');

describe('the first entry that works here', () => {
  it('is the loopback when the scheme leads to another program, and the log says why', async () => {
    const app = await startApp(provider, { redirects: [SCHEME_REDIRECT, LOOPBACK_REDIRECT] });
    app.scheme.setUnavailable('the scheme leads to another program');
    await app.signIn();
    expect(redirectOf(app.opened[0]!)).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/callback$/);
    expect(app.log.events).toContainEqual(
      expect.objectContaining({
        level: 'warn',
        event: 'redirect-unavailable',
        fields: {
          redirect: SCHEME_REDIRECT,
          code: 'redirect-unavailable',
          detail: 'the scheme leads to another program',
        },
      }),
    );
  });

  it('is the first of the listed ports that is free', async () => {
    const [first, second, third] = [await takenPort(), await takenPort(), await takenPort()];
    others.pop()!.close();
    const { app, code } = await waiting(
      [first, second, third].map((port) => `http://127.0.0.1:${port}/callback`),
    );
    expect(redirectOf(app.opened[0]!)).toBe(`http://127.0.0.1:${third}/callback`);
    expect(
      app.log.events
        .filter(({ event }) => event === 'redirect-unavailable')
        .map((event) => (event.event === 'redirect-unavailable' ? event.fields.detail : null)),
    ).toEqual(Array(2).fill('the port is in use (EADDRINUSE)'));
    await fetch(await callbackOf(app, 0));
    expect(await code).toBe('resolved');
  });

  it('by the name localhost is reached, as Entra wants it', async () => {
    const app = await startApp(provider, { redirects: ['http://localhost/callback'] });
    await app.signIn();
    expect(redirectOf(app.opened[0]!)).toMatch(/^http:\/\/localhost:\d+\/callback$/);
    expect((await app.trips[0]!).pageText).toContain('data-outcome="signed-in"');
  });

  it('is named with its reason when there is none', async () => {
    const port = await takenPort();
    const app = await startApp(provider, {
      redirects: [SCHEME_REDIRECT, `http://127.0.0.1:${port}/callback`],
    });
    app.scheme.setUnavailable('inside snap schemes are registered by the package only');
    expect(await app.codeOf(app.signIn())).toBe('redirect-unavailable');
    const told = toldBy(app);
    for (const reason of ['inside snap', 'EADDRINUSE']) expect(told).toContain(reason);
    expect(app.opened).toEqual([]);
  });

  it('is passed over when the provider refuses it at the push (RFC 9126)', async () => {
    const strict = await startProvider({
      pushedAuthorizationRequests: 'required',
      redirectUris: [LOOPBACK_REDIRECT],
    });
    try {
      const app = await startApp(strict, { redirects: [SCHEME_REDIRECT, LOOPBACK_REDIRECT] });
      const code = app.codeOf(app.signIn('stays away'));
      await waitFor(() => app.opened.length === 1, 'the browser');
      expect(attemptOf(app)).toMatchObject({ redirect: 'loopback' });
      await fetch(await callbackOf(app, 0));
      expect(await code).toBe('resolved');
      expect(app.log.events).toContainEqual(
        expect.objectContaining({
          event: 'redirect-unavailable',
          fields: expect.objectContaining({
            redirect: SCHEME_REDIRECT,
            code: 'sign-in-refused',
          }) as object,
        }),
      );
    } finally {
      await stopApps();
      await strict.stop();
    }
  });
});

describe('trying another way', () => {
  it('goes through the list: scheme, loopback, device code, paste, and offers each before', async () => {
    const { app, code } = await waiting([SCHEME_REDIRECT, LOOPBACK_REDIRECT, 'device-code', PASTE]);
    const seen: unknown[] = [];
    for (;;) {
      const { redirect, otherWay } = attemptOf(app)!;
      seen.push([redirect, otherWay]);
      if (otherWay === undefined) break;
      await another(app);
    }
    expect(seen).toEqual([
      ['custom-scheme', 'loopback'],
      ['loopback', 'device-code'],
      ['device-code', 'paste'],
      ['paste', undefined],
    ]);
    expect(app.opened.map(redirectOf)).toEqual([
      SCHEME_REDIRECT,
      expect.stringMatching(/^http:\/\/127/),
      PASTE_REDIRECT,
    ]);
    app.engine.tryAnotherWay();
    expect(attemptOf(app)).toMatchObject({ stage: 'waiting', redirect: 'paste' });
    app.engine.cancelSignIn();
    expect(await code).toBe('sign-in-cancelled');
    expectNoLeak(app, provider);
  });

  it('makes a state, a verifier and a nonce of its own for each way (RFC 9700 §4.7)', async () => {
    const { app, code } = await waiting([SCHEME_REDIRECT, LOOPBACK_REDIRECT]);
    await another(app);
    for (const name of ['state', 'nonce', 'code_challenge'])
      expect(valueOf(app.opened[0]!, name)).not.toBe(valueOf(app.opened[1]!, name));
    app.engine.cancelSignIn();
    await code;
  });

  it('keeps the attempt, and gives the person the whole time again', async () => {
    const { app, code } = await waiting([SCHEME_REDIRECT, LOOPBACK_REDIRECT]);
    const before = attemptOf(app)!;
    await another(app);
    const after = attemptOf(app)!;
    expect(after.startedAt).toBe(before.startedAt);
    expect(after.expiresAt).toBeGreaterThan(before.expiresAt);
    expect(app.log.names().filter((name) => name === 'attempt-started')).toHaveLength(1);
    app.engine.cancelSignIn();
    await code;
  });

  it('is finished on the old tab: the first answer wins, and the other way is closed', async () => {
    const { app, code } = await waiting([SCHEME_REDIRECT, LOOPBACK_REDIRECT]);
    await another(app);
    // A code lives a minute: the one that counts is the newer one.
    const late = await callbackOf(app, 1);
    const old = await callbackOf(app, 0);
    const before = posted();
    expect(app.scheme.arrive(old)).toBe('taken');
    expect(await code).toBe('resolved');
    await expect(fetch(late)).rejects.toThrow();
    expect(posted()).toBe(before + 1);
    expectNoLeak(app, provider);
  });

  it('is finished on the new tab, and the old one changes nothing any more', async () => {
    const { app, code } = await waiting([SCHEME_REDIRECT, LOOPBACK_REDIRECT]);
    await another(app);
    const [old, next] = [await callbackOf(app, 0), await callbackOf(app, 1)];
    const before = posted();
    expect(await (await fetch(next)).text()).toContain('data-outcome="signed-in"');
    expect(await code).toBe('resolved');
    const { account } = signedInView(app);
    expect(app.scheme.arrive(old)).toBe('foreign');
    await waitFor(() => app.log.names().includes('callback-unexpected'), 'the log');
    expect([posted(), signedInView(app).account]).toEqual([before + 1, account]);
  });

  it('is finished on both at once: one code is posted, and one only', async () => {
    const { app, code } = await waiting([SCHEME_REDIRECT, LOOPBACK_REDIRECT]);
    await another(app);
    const [old, next] = await Promise.all([callbackOf(app, 0), callbackOf(app, 1)]);
    const before = posted();
    const page = fetch(next).then(
      (response) => response.text(),
      () => 'gone',
    );
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 5));
    app.scheme.arrive(old);
    await page;
    expect(await code).toBe('resolved');
    expect(posted()).toBe(before + 1);
  });

  it('matches each callback with its own way: the state of one is worth nothing on another', async () => {
    const { app, code } = await waiting([SCHEME_REDIRECT, LOOPBACK_REDIRECT]);
    await another(app);
    const old = await callbackOf(app, 0);
    const loopback = redirectOf(app.opened[1]!);
    const crossed = await (await fetch(`${loopback}${new URL(old).search}`)).text();
    expect(crossed).toContain('data-outcome="not-expected"');
    expect(attemptOf(app)).toMatchObject({ stage: 'waiting' });
    expect(app.log.events.find(({ event }) => event === 'callback-unexpected')?.fields).toEqual({
      detail: 'its state belongs to another redirect of an attempt',
    });
    app.scheme.arrive(old);
    expect(await code).toBe('resolved');
  });

  it('by a device code is finished in the old tab, and nobody is asked any more', async () => {
    const { app, code } = await waiting([LOOPBACK_REDIRECT, 'device-code']);
    await another(app);
    expect(attemptOf(app)).toMatchObject({
      redirect: 'device-code',
      device: { userCode: expect.any(String) as string },
    });
    await fetch(await callbackOf(app, 0));
    expect(await code).toBe('resolved');
    const polls = (): number =>
      provider.tokenRequests('urn:ietf:params:oauth:grant-type:device_code');
    const then = polls();
    await time.pass(60_000);
    expect(polls()).toBe(then);
  });

  it('by a device code is finished there, and the old tab is closed', async () => {
    const { app, code } = await waiting([LOOPBACK_REDIRECT, 'device-code']);
    await another(app);
    const { device } = attemptOf(app)!;
    const old = await callbackOf(app, 0);
    const before = posted();
    provider.expireSessions();
    await app.person.enterCode(device!.verificationUri, device!.userCode, { login: 'grace' });
    expect(await time.passUntil(code)).toBe('resolved');
    expect(signedInView(app).account.name).toBe('Grace Hopper');
    await expect(fetch(old)).rejects.toThrow();
    expect(posted()).toBe(before);
  });

  it('whose code is over leaves the old tab open', async () => {
    const { app, code } = await waiting([SCHEME_REDIRECT, 'device-code']);
    provider.fault({
      kind: 'members',
      endpoint: 'device-authorization',
      set: { expires_in: 1, interval: 5 },
      times: 1,
    });
    await another(app);
    await time.pass(2_000);
    await waitFor(() => attemptOf(app)?.redirect === 'custom-scheme', 'the end of the code');
    app.scheme.arrive(await callbackOf(app, 0));
    expect(await code).toBe('resolved');
  });

  it('that cannot be opened leaves the attempt as it was, and can be asked for again', async () => {
    const { app, code } = await waiting([SCHEME_REDIRECT, 'device-code']);
    provider.fault({ kind: 'status', endpoint: 'device-authorization', status: 503, times: 1 });
    app.engine.tryAnotherWay();
    await waitFor(
      () => provider.unusedFaults().length === 0 && attemptOf(app)?.stage === 'waiting',
      'the failure',
    );
    expect(attemptOf(app)).toMatchObject({ redirect: 'custom-scheme', otherWay: 'device-code' });
    await another(app);
    expect(attemptOf(app)).toMatchObject({ redirect: 'device-code' });
    app.scheme.arrive(await callbackOf(app, 0));
    expect(await code).toBe('resolved');
  });

  it('does nothing when nobody is signing in', async () => {
    const app = await startApp(provider, { redirects: [SCHEME_REDIRECT, LOOPBACK_REDIRECT] });
    const view = app.engine.view();
    app.engine.tryAnotherWay();
    expect(app.engine.view()).toBe(view);
  });

  it('forgets every way that was kept when the attempt ends', async () => {
    const { app, code } = await waiting([LOOPBACK_REDIRECT, SCHEME_REDIRECT]);
    await another(app);
    await waitFor(() => app.secrets.entries.size === 1, 'the record of the attempt');
    await fetch(await callbackOf(app, 0));
    expect(await code).toBe('resolved');
    await waitFor(
      () => [...app.secrets.entries.keys()].every((key) => key.startsWith('session:')),
      'the removal',
    );
  });
});

describe('opening the page again', () => {
  it('pushes the request again where requests are pushed, because the old request URI may be used up', async () => {
    const strict = await startProvider({ pushedAuthorizationRequests: 'required' });
    try {
      const app = await startApp(strict, { redirects: [SCHEME_REDIRECT] });
      const code = app.codeOf(app.signIn('stays away'));
      await waitFor(() => app.opened.length === 1, 'the browser');
      app.engine.reopenBrowser();
      await waitFor(() => app.opened.length === 2, 'the second page');
      expect(valueOf(app.opened[1]!, 'request_uri')).not.toBe(
        valueOf(app.opened[0]!, 'request_uri'),
      );
      app.scheme.arrive((await app.person.signIn(app.opened[1]!)).callbackUrl);
      expect(await code).toBe('resolved');
    } finally {
      await stopApps();
      await strict.stop();
    }
  });

  it('opens the old one when pushing again fails', async () => {
    const strict = await startProvider({ pushedAuthorizationRequests: 'required' });
    try {
      const app = await startApp(strict, { redirects: [SCHEME_REDIRECT] });
      const code = app.codeOf(app.signIn('stays away'));
      await waitFor(() => app.opened.length === 1, 'the browser');
      strict.fault({ kind: 'status', endpoint: 'pushed-authorization', status: 503, times: 1 });
      app.engine.reopenBrowser();
      await waitFor(() => app.opened.length === 2, 'the second page');
      expect(app.opened[1]).toBe(app.opened[0]);
      app.engine.cancelSignIn();
      await code;
    } finally {
      await stopApps();
      await strict.stop();
    }
  });
});
