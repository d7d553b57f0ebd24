// Tokens for other APIs, and tokens that an API has refused, at a provider that rotates and has no
// grace.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Provider } from '../../src/testing/index.js';
import {
  type App,
  expectNoLeak,
  startApp,
  startProvider,
  stopApps,
  time,
} from '../support/flow-app.js';

const MAIL = 'https://mail.example/api';
const FILES = 'urn:example:files';
const UNKNOWN = 'https://unknown.example/';

let provider: Provider;
beforeAll(async () => {
  provider = await startProvider({ resources: [MAIL, FILES], scopes: ['read', 'write'] });
});
afterAll(() => provider.stop());
beforeEach(() => {
  provider.setAccessTokenSeconds(300);
});
afterEach(stopApps);

async function signedIn(): Promise<App> {
  const app = await startApp(provider, {
    resources: [MAIL, FILES],
    scopes: ['openid', 'offline_access', 'read', 'write'],
  });
  await app.signIn();
  return app;
}

/** For whom a token is, by the API's own word. */
async function audienceOf(token: string): Promise<unknown> {
  const answer = await fetch(provider.endpoints.api, {
    headers: { authorization: `Bearer ${token}` },
  });
  expect(answer.status).toBe(200);
  return ((await answer.json()) as { aud?: unknown }).aud;
}

/** No refresh token was sent twice: the provider would have ended the session. */
async function expectAlive(app: App): Promise<void> {
  const current = await app.engine.getAccessToken();
  expect(
    await audienceOf(await app.engine.getAccessToken({ refused: current, resource: MAIL })),
  ).toBe(MAIL);
}

describe('a token for a resource', () => {
  it('is for that API, is kept, and leaves the token of the sign-in as it is', async () => {
    const app = await signedIn();
    const own = await app.engine.getAccessToken();
    const before = provider.tokenRequests('refresh_token');
    const mail = await app.engine.getAccessToken({ resource: MAIL });
    const files = await app.engine.getAccessToken({ resource: FILES });
    expect([await audienceOf(own), await audienceOf(mail), await audienceOf(files)]).toEqual([
      undefined,
      MAIL,
      FILES,
    ]);
    expect(await app.engine.getAccessToken({ resource: MAIL })).toBe(mail);
    expect(await app.engine.getAccessToken()).toBe(own);
    expect(provider.tokenRequests('refresh_token') - before).toBe(2);
    expectNoLeak(app, provider);
  });

  it('costs one request for all who come together, and the refresh token is never posted twice', async () => {
    const app = await signedIn();
    const before = provider.tokenRequests('refresh_token');
    const tokens = await Promise.all(
      Array.from({ length: 300 }, (_, index) =>
        app.engine.getAccessToken({ resource: index % 2 === 0 ? MAIL : FILES }),
      ),
    );
    expect(new Set(tokens).size).toBe(2);
    expect(provider.tokenRequests('refresh_token') - before).toBe(2);
    await expectAlive(app);
  });

  it('that the sign-in did not request is never requested: this provider would end the session', async () => {
    const app = await signedIn();
    const before = provider.tokenRequests('refresh_token');
    expect(await app.codeOf(app.engine.getAccessToken({ resource: UNKNOWN }))).toBe(
      'resource-refused',
    );
    expect(provider.tokenRequests('refresh_token')).toBe(before);
    const next = await app.restart();
    expect(await app.codeOf(next.engine.getAccessToken({ resource: UNKNOWN }))).toBe(
      'resource-refused',
    );
    await expectAlive(next);
  });

  it('that the provider refuses costs one question in half a minute, and not the session', async () => {
    const app = await startApp(provider, { scopes: ['openid', 'offline_access', 'read'] });
    await app.signIn();
    const before = provider.tokenRequests('refresh_token');
    const asked = Array.from({ length: 20 }, () =>
      app.codeOf(app.engine.getAccessToken({ scopes: ['write'] })),
    );
    expect(new Set(await Promise.all(asked))).toEqual(new Set(['resource-refused']));
    expect(await app.codeOf(app.engine.getAccessToken({ scopes: ['write'] }))).toBe(
      'resource-refused',
    );
    expect(provider.tokenRequests('refresh_token') - before).toBe(1);
    expect(app.engine.view().status).toBe('signed-in');
    const narrow = await app.engine.getAccessToken({ scopes: ['read'] });
    expect(await audienceOf(narrow)).toBeUndefined();
  });

  it('comes back after a restart with the rotated refresh token', async () => {
    const app = await signedIn();
    await app.engine.getAccessToken({ resource: MAIL });
    const next = await app.restart();
    expect(await audienceOf(await next.engine.getAccessToken({ resource: FILES }))).toBe(FILES);
    await expectAlive(next);
  });
});

describe('a token with fewer scopes', () => {
  it('is another one, and the session keeps all of them', async () => {
    const app = await signedIn();
    const own = await app.engine.getAccessToken();
    const narrow = await app.engine.getAccessToken({ scopes: ['read', 'openid'] });
    expect(narrow).not.toBe(own);
    expect(await app.engine.getAccessToken({ scopes: ['openid', 'read'] })).toBe(narrow);
    expect(JSON.parse([...app.secrets.entries.values()].join())).toMatchObject({
      scope: 'openid offline_access read write',
    });
  });
});

describe('a token that was refused', () => {
  it('is replaced once for all callers that report it', async () => {
    let ahead = 0;
    const app = await startApp(provider, { clock: { now: () => time.now() + ahead } });
    await app.signIn();
    const refused = await app.engine.getAccessToken();
    ahead = 10_000;
    const before = provider.tokenRequests('refresh_token');
    const tokens = await Promise.all(
      Array.from({ length: 100 }, () => app.engine.getAccessToken({ refused })),
    );
    expect(new Set(tokens).size).toBe(1);
    expect(tokens[0]).not.toBe(refused);
    // A caller that reports the old token late gets the new one.
    expect(await app.engine.getAccessToken({ refused })).toBe(tokens[0]);
    expect(provider.tokenRequests('refresh_token') - before).toBe(1);
  });

  it('a moment after it came is given again', async () => {
    const app = await signedIn();
    const refused = await app.engine.getAccessToken();
    expect(await app.engine.getAccessToken({ refused })).toBe(refused);
  });
});
