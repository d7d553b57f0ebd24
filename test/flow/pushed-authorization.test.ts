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
