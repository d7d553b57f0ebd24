// Pushed authorization requests (RFC 9126) over real HTTP: where the server demands them, the
// browser carries no parameters.
import { afterEach, describe, expect, it } from 'vitest';
import { type Provider, createVirtualClock } from '../../src/testing/index.js';
import {
  expectNoLeak,
  signedInView,
  startApp,
  startProvider,
  stopApps,
  waitFor,
} from '../support/flow-app.js';

let provider: Provider;
afterEach(async () => {
  await stopApps();
  await provider.stop();
});

const pushes = (): number =>
  provider.requests.filter(({ endpoint }) => endpoint === 'pushed-authorization').length;

describe('an authorization request', () => {
  it('is pushed where the server demands it, and the browser carries only its name', async () => {
    provider = await startProvider({
      signingAlgorithm: 'ES256',
      pushedAuthorizationRequests: 'required',
    });
    const app = await startApp(provider);
    await app.signIn();
    expect(signedInView(app).account.name).toBe('Ada Lovelace');
    expect([...new URL(app.opened[0]!).searchParams.keys()].sort()).toEqual([
      'client_id',
      'request_uri',
    ]);
    expect(pushes()).toBe(1);
    expectNoLeak(app, provider);
  });

  it('is not pushed where the server only offers it', async () => {
    provider = await startProvider({
      signingAlgorithm: 'ES256',
      pushedAuthorizationRequests: 'supported',
    });
    const app = await startApp(provider);
    await app.signIn();
    expect(pushes()).toBe(0);
  });

  const LONG = { authorizationParameters: { ui_locales: `en ${'de '.repeat(700)}`.trim() } };

  it.each([1_999, 2_000, 2_001])(
    'of %i characters is pushed only where it is too long to be opened',
    async (length) => {
      provider = await startProvider({
        signingAlgorithm: 'ES256',
        pushedAuthorizationRequests: 'supported',
      });
      const lengthWith = async (locales: string): Promise<string> => {
        const app = await startApp(provider, { authorizationParameters: { ui_locales: locales } });
        await app.signIn();
        return app.opened[0]!;
      };
      const plain = (await lengthWith('en')).length;
      const before = pushes();
      const opened = await lengthWith(`en${'x'.repeat(length - plain)}`);
      const isPushed = length > 2_000;
      expect(pushes() - before).toBe(isPushed ? 1 : 0);
      if (isPushed) expect(opened.length).toBeLessThan(300);
      else expect(opened).toHaveLength(length);
    },
  );

  it('that is too long starts from a page on loopback where nothing can be pushed', async () => {
    provider = await startProvider({ signingAlgorithm: 'ES256' });
    const app = await startApp(provider, LONG);
    await app.signIn();
    expect(app.opened[0]).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/[\w-]{43}$/);
    expect(signedInView(app).account.name).toBe('Ada Lovelace');
    expectNoLeak(app, provider);
  });

  it('that is too long, and refused at a push that nobody demands, starts from that page', async () => {
    provider = await startProvider({
      signingAlgorithm: 'ES256',
      pushedAuthorizationRequests: 'supported',
    });
    provider.fault({
      kind: 'oauth-error',
      endpoint: 'pushed-authorization',
      error: 'unauthorized_client',
    });
    const app = await startApp(provider, LONG);
    await app.signIn();
    expect(app.opened[0]).toMatch(/^http:\/\/127\.0\.0\.1:\d+\//);
    expect(app.log.names()).toContain('push-refused');
  });

  it('that is too long fails with the network error when the push cannot reach the provider', async () => {
    provider = await startProvider({
      signingAlgorithm: 'ES256',
      pushedAuthorizationRequests: 'supported',
    });
    provider.fault({ kind: 'reset', endpoint: 'pushed-authorization' });
    const app = await startApp(provider, LONG);
    expect(await app.codeOf(app.signIn())).toBe('network-failed');
    expect(app.opened).toEqual([]);
  });

  it('that the server refuses at the push ends the sign-in with its word, before a browser opens', async () => {
    provider = await startProvider({
      signingAlgorithm: 'ES256',
      pushedAuthorizationRequests: 'required',
    });
    const app = await startApp(provider, { clientId: 'nobody-knows-me' });
    expect(await app.codeOf(app.signIn())).toBe('sign-in-refused');
    expect(app.opened).toEqual([]);
  });

  it('that is over when the browser is opened again is pushed once more, and signs in', async () => {
    const clock = createVirtualClock();
    provider = await startProvider({
      signingAlgorithm: 'ES256',
      pushedAuthorizationRequests: 'required',
      clock,
    });
    const app = await startApp(provider, { clock: { now: () => clock.now() } });
    const done = app.codeOf(app.signIn('stays away'));
    await waitFor(() => app.opened.length === 1, 'the browser');
    clock.advanceSeconds(200);
    app.engine.reopenBrowser();
    await waitFor(() => app.opened.length === 2, 'the browser, again');
    expect([pushes(), new Set(app.opened).size]).toEqual([2, 2]);
    const { callbackUrl } = await app.person.signIn(app.opened[1]!);
    app.scheme.arrive(callbackUrl);
    expect(await done).toBe('resolved');
  });
});
