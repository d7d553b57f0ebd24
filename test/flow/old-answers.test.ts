// Every part that moves an answer forward or keeps one, with an answer that has grown old
// meanwhile. What the provider says by its own clock is the judge: a token that is given must open
// its API now.
import { afterEach, describe, expect, it } from 'vitest';
import { type Provider, type ProviderOptions, createPerson } from '../../src/testing/index.js';
import {
  LOOPBACK_REDIRECT,
  SCHEME_REDIRECT,
  expectNoLeak,
  signedInView,
  startApp,
  startProvider,
  stopApps,
  time,
  waitFor,
} from '../support/flow-app.js';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const API = 'https://mail.example.com/';
const providers: Provider[] = [];

afterEach(async () => {
  await stopApps();
  await Promise.all(providers.splice(0).map((provider) => provider.stop()));
});

async function start(options: ProviderOptions = {}): Promise<Provider> {
  const provider = await startProvider({
    signingAlgorithm: 'ES256',
    redirectUris: [SCHEME_REDIRECT, LOOPBACK_REDIRECT],
    ...options,
  });
  providers.push(provider);
  return provider;
}

const opens = async (provider: Provider, token: string): Promise<boolean> =>
  (await fetch(provider.endpoints.api, { headers: { authorization: `Bearer ${token}` } }))
    .status === 200;
/** Somebody who answers at once: these tests let time pass themselves. */
const comeBack = async (page: string): Promise<string> =>
  (await createPerson().signIn(page)).callbackUrl;
const requestsTo = (provider: Provider, endpoint: string): number =>
  provider.requests.filter((request) => request.endpoint === endpoint).length;

describe('a key set that was asked for early', () => {
  it('and has rotated while the person was in the browser is asked for again', async () => {
    const provider = await start();
    const app = await startApp(provider);
    const code = app.codeOf(app.signIn('stays away'));
    await waitFor(
      () => app.opened.length === 1 && requestsTo(provider, 'jwks') === 1,
      'the early key set',
    );
    await time.pass(4 * MINUTE);
    await provider.rotateKeys();
    app.scheme.arrive(await comeBack(app.opened[0]!));
    expect(await code).toBe('resolved');
    expect(requestsTo(provider, 'jwks')).toBe(2);
  });

  it('by an attempt that nobody finished serves no later one', async () => {
    const provider = await start();
    const app = await startApp(provider);
    const first = app.codeOf(app.signIn('stays away'));
    await waitFor(
      () => app.opened.length === 1 && requestsTo(provider, 'jwks') === 1,
      'the early key set',
    );
    await time.pass(6 * MINUTE);
    expect(await first).toBe('sign-in-expired');
    await time.pass(DAY);
    await app.signIn();
    expect(signedInView(app).account.name).toBe('Ada Lovelace');
    expect(requestsTo(provider, 'jwks')).toBe(2);
  });
});

describe('metadata', () => {
  it('that grew old while the person was in the browser do not cost the code when they cannot be fetched again', async () => {
    const provider = await start();
    const app = await startApp(provider);
    await app.signIn();
    await time.pass(59 * MINUTE);
    const code = app.codeOf(app.signIn('stays away'));
    await waitFor(() => app.opened.length === 2, 'the browser');
    provider.fault({ kind: 'status', status: 503, endpoint: 'discovery' });
    await time.pass(3 * MINUTE);
    app.scheme.arrive(await comeBack(app.opened[1]!));
    expect(await code).toBe('resolved');
  });

  it('of an hour ago are asked for again before the next sign-in', async () => {
    const provider = await start();
    const app = await startApp(provider);
    await app.signIn();
    const before = requestsTo(provider, 'discovery');
    await time.pass(61 * MINUTE);
    await app.signIn();
    expect(requestsTo(provider, 'discovery')).toBeGreaterThan(before);
  });
});

describe('an attempt that is kept for the next process', () => {
  it.each([
    [4 * MINUTE, 'signed-in'],
    [6 * MINUTE, 'signed-out'],
  ])('and is %d ms old ends as %s', async (age, status) => {
    const provider = await start();
    const app = await startApp(provider);
    const code = app.codeOf(app.signIn('stays away'));
    await waitFor(
      () => app.opened.length === 1 && app.secrets.entries.size === 1,
      'the kept attempt',
    );
    const page = app.opened[0]!;
    const next = await app.restart();
    expect(await code).toBe('stopped');
    await time.pass(age);
    next.scheme.arrive(await comeBack(page));
    if (status === 'signed-in')
      await waitFor(
        () => next.engine.view().status === 'signed-in',
        'the sign-in of the earlier process',
      );
    await waitFor(
      () => [...next.secrets.entries.keys()].every((key) => key.startsWith('session:')),
      'an end of the record',
    );
    expect(next.engine.view().status).toBe(status);
    expectNoLeak(next, provider);
  });
});

describe('a request that was pushed (RFC 9126)', () => {
  it('two minutes ago is pushed again when the person wants the page once more', async () => {
    const provider = await start({ pushedAuthorizationRequests: 'required' });
    const app = await startApp(provider);
    const code = app.codeOf(app.signIn('stays away'));
    await waitFor(() => app.opened.length === 1, 'the browser');
    await time.pass(2 * MINUTE);
    app.engine.reopenBrowser();
    await waitFor(() => app.opened.length === 2, 'the page once more');
    app.scheme.arrive(await comeBack(app.opened[1]!));
    expect(await code).toBe('resolved');
  });
});

describe('a token', () => {
  it.each([[6 * MINUTE], [13 * DAY]])(
    'that is asked for after a sleep of %d ms opens the API',
    async (age) => {
      const provider = await start();
      const app = await startApp(provider);
      await app.signIn();
      time.sleep(age);
      app.systemEvents.emit('resume');
      expect(await opens(provider, await app.engine.getAccessToken())).toBe(true);
    },
  );

  it.each([[4.5 * MINUTE], [6 * MINUTE]])(
    'that is asked for %d ms after the sign-in opens the API',
    async (age) => {
      const provider = await start();
      const app = await startApp(provider);
      await app.signIn();
      await time.pass(age);
      expect(await opens(provider, await app.engine.getAccessToken())).toBe(true);
    },
  );

  it.each([[MINUTE], [6 * MINUTE], [13 * DAY]])(
    'that lay in the keychain for %d ms is given only while it opens the API',
    async (age) => {
      const provider = await start();
      const before = await startApp(provider);
      await before.signIn();
      await before.engine.stop();
      await time.pass(age);
      const app = await before.restart();
      expect(await opens(provider, await app.engine.getAccessToken())).toBe(true);
    },
  );

  it('for another API is another one once it is over', async () => {
    const provider = await start({ resources: [API], scopes: ['read'] });
    const app = await startApp(provider, {
      scopes: ['openid', 'profile', 'offline_access', 'read'],
      resources: [API],
    });
    await app.signIn();
    const first = await app.engine.getAccessToken({ resource: API });
    await time.pass(6 * MINUTE);
    const second = await app.engine.getAccessToken({ resource: API });
    expect([first === second, await opens(provider, second)]).toEqual([false, true]);
  });
});
