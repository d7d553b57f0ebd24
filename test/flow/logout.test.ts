// RP-initiated logout before real providers: after it the browser has to sign in again; what the
// person does there changes nothing here.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createStartPages } from '../../src/main/adapters/loopback/start-page.js';
import { createStepUp } from '../../src/main/core/requests/step-up.js';
import { createApiFetch } from '../../src/main/core/requests/api-fetch.js';
import { parseApis } from '../../src/main/core/options/apis-option.js';
import { parseOptions } from '../../src/main/core/options/options.js';
import { createEndSession } from '../../src/main/core/session/end-session.js';
import { type Provider, createPerson } from '../../src/testing/index.js';
import { createFakeCallbacks, createFakeLog } from '../support/fakes.js';
import {
  type App,
  LOOPBACK_REDIRECT,
  SCHEME_REDIRECT,
  expectNoLeak,
  nodeNetwork,
  startApp,
  startProvider,
  stopApps,
  time,
  waitFor,
} from '../support/flow-app.js';
import { signIn } from './provider-client.js';

let provider: Provider;
beforeAll(async () => {
  provider = await startProvider();
});
afterEach(stopApps);
afterAll(() => provider.stop());

/** How often the person had to give name and password. */
const logins = (of: Provider): number =>
  of.requests.filter(({ parameterNames }) => parameterNames.includes('password')).length;

async function signedIn(options: Parameters<typeof startApp>[1] = {}, at = provider): Promise<App> {
  const app = await startApp(at, options);
  await app.signIn();
  return app;
}

describe('a logout in the browser', () => {
  it('comes back by the scheme, and the next sign-in asks who it is', async () => {
    const app = await signedIn({ logout: { redirect: SCHEME_REDIRECT } });
    await app.engine.signOut({ endBrowserSession: true });
    expect(await app.logouts[0]).toMatch(/^com\.example\.latchkey-demo:\/callback\?state=/);
    await waitFor(() => app.log.names().includes('end-session-returned'), 'the way back');
    expect(app.engine.view().status).toBe('signed-out');
    const before = logins(provider);
    await app.signIn();
    expect(logins(provider)).toBeGreaterThan(before);
    expectNoLeak(app, provider);
  });

  it('comes back by loopback, to a page that says so', async () => {
    const app = await signedIn({
      redirects: [LOOPBACK_REDIRECT],
      logout: { redirect: LOOPBACK_REDIRECT },
    });
    await app.engine.signOut({ endBrowserSession: true });
    const back = (await app.logouts[0]) ?? '';
    expect(back).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/callback\?state=/);
    await waitFor(() => app.log.names().includes('end-session-returned'), 'the way back');
  });

  it('stays on the page of the provider where the host registered no way back', async () => {
    const app = await signedIn();
    await app.engine.signOut({ endBrowserSession: true });
    expect(await app.logouts[0]).toBeNull();
    expect(new URL(app.opened.at(-1) ?? '').searchParams.has('state')).toBe(false);
  });

  it('does not happen by itself: without it the browser still knows the person', async () => {
    const app = await signedIn();
    await app.engine.signOut();
    const before = logins(provider);
    expect(before).toBeGreaterThan(0);
    await app.signIn();
    expect([app.logouts, logins(provider)]).toEqual([[], before]);
  });

  it('finds the address in metadata that an earlier build has kept without it', async () => {
    const { end_session_endpoint: _unknown, ...older } = (await (
      await fetch(`${provider.issuer}/.well-known/openid-configuration`)
    ).json()) as Record<string, unknown>;
    let asked = 0;
    const app = await signedIn({
      network: {
        fetch: async (url, init) => {
          const isFirst = url.includes('/.well-known/') && (asked += 1) === 1;
          return isFirst ? Response.json(older) : nodeNetwork.fetch(url, init);
        },
      },
    });
    await app.engine.signOut({ endBrowserSession: true });
    expect([app.logouts.length, asked]).toEqual([1, 2]);
  });
});

describe('a provider that insists on an id_token_hint', () => {
  it('shows an error without it, and the sign-out here stands', async () => {
    const okta = await startProvider({ personality: 'okta', redirectUris: [SCHEME_REDIRECT] });
    try {
      const app = await signedIn({ logout: { redirect: SCHEME_REDIRECT } }, okta);
      await app.engine.signOut({ endBrowserSession: true });
      await expect(app.logouts[0]).rejects.toThrow('error page');
      expect(app.engine.view()).toMatchObject({ status: 'signed-out' });
    } finally {
      await okta.stop();
    }
  });

  it('takes it from a form, and sends the browser back', async () => {
    const okta = await startProvider({ personality: 'okta', redirectUris: [SCHEME_REDIRECT] });
    const pages = createStartPages();
    try {
      const person = createPerson();
      const { tokens } = await signIn(okta, {}, person);
      const idToken = String(tokens.id_token);
      const posted: Record<string, string>[] = [];
      const scheme = createFakeCallbacks('custom-scheme');
      const log = createFakeLog();
      const settings = parseOptions({
        issuer: okta.issuer,
        clientId: okta.clientId,
        redirects: [SCHEME_REDIRECT],
        logout: { redirect: SCHEME_REDIRECT, idTokenHint: true },
      });
      const endSession = createEndSession(
        settings,
        {
          browser: {
            open: () => Promise.reject(new Error('the token must not stand in an address')),
            copy: () => Promise.reject(new Error('nor in the clipboard')),
            async post(url, fields) {
              posted.push(Object.fromEntries(fields));
              const text = await (await fetch((await pages.openForm(url, fields)) ?? '')).text();
              const inputs = [...text.matchAll(/name="([^"]*)" value="([^"]*)"/g)];
              const query = new URLSearchParams(
                inputs.map(([, name = '', value = '']) => [name, value]),
              );
              scheme.arrive((await person.signOut(`${url}?${query}`)) ?? 'nowhere:');
            },
          },
          callbacks: { 'custom-scheme': scheme, loopback: createFakeCallbacks('loopback') },
          clock: time,
          log,
        },
        { endSessionEndpoint: async () => okta.endpoints.endSession },
      );
      endSession
        .without({ 'custom-scheme': scheme, loopback: createFakeCallbacks('loopback') })
        ['custom-scheme'].onCallback(() => 'foreign');
      await endSession.begin({ account: null, idToken });
      expect(posted).toMatchObject([{ id_token_hint: idToken, client_id: okta.clientId }]);
      expect(log.names()).toEqual(['end-session-returned']);
    } finally {
      pages.stop();
      await okta.stop();
    }
  });
});

describe('a sign-out', () => {
  it('ends the requests that carry its token, also while their bodies are read, and no other', async () => {
    const api = createServer((_request, response) => {
      response.writeHead(200);
      response.write('first');
    });
    await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve));
    const origin = `http://127.0.0.1:${(api.address() as AddressInfo).port}`;
    try {
      const app = await signedIn({ accounts: 'several' });
      await app.signIn({ login: 'grace' }, { prompt: 'login' });
      const view = app.engine.view() as { otherAccounts?: readonly { id: string }[] };
      const ada = view.otherAccounts?.[0]?.id ?? '';
      const call = createApiFetch(
        parseApis({ slow: { origin } }, 'apis'),
        {
          fetch: (url, { method, headers, signal }) => fetch(url, { method, headers, signal }),
        },
        {
          tokensFor: createStepUp(
            { ...app.engine, signIn: () => Promise.reject(new Error('not reached')) },
            { elapsed: () => 0 },
          ),
          hold: app.engine.hold,
        },
        'host',
      );
      const readerOf = async (
        account: string,
      ): Promise<ReadableStreamDefaultReader<Uint8Array>> => {
        const reader = (await call(origin, { account })).body!.getReader();
        await reader.read();
        return reader;
      };
      const active = (app.engine.view() as { account: { id: string } }).account.id;
      const [adas, graces] = [await readerOf(ada), await readerOf(active)];
      const [hers, other] = [adas.read(), graces.read()];
      other.catch(() => undefined);
      await app.engine.signOut(ada);
      await expect(hers).rejects.toMatchObject({ name: 'AuthError', code: 'signed-out' });
      expect(
        await Promise.race([
          other.then(
            () => 'over',
            () => 'over',
          ),
          Promise.resolve('goes on'),
        ]),
      ).toBe('goes on');
      await app.engine.signOut();
      await expect(other).rejects.toMatchObject({ code: 'signed-out' });
    } finally {
      api.closeAllConnections();
      api.close();
    }
  });
});
