// Two providers, one computer: after a change of issuer or client id nothing that one gave goes to
// the other.
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { StateFileContent, Network } from '../../src/main/core/base/ports.js';
import { type Provider, startProvider } from '../../src/testing/index.js';
import {
  type App,
  type AppOptions,
  expectNoLeak,
  nodeNetwork,
  startApp,
  stopApps,
  waitFor,
} from '../support/flow-app.js';
import { createFakeSecretStore } from '../support/fakes.js';

const SECRETS = ['refresh_token', 'access_token', 'code', 'code_verifier'];
const NAMES = ['one', 'two', 'one, another client'] as const;
type Name = (typeof NAMES)[number];

const providers = {} as Record<Name, Provider>;
const sent: { readonly to: string; readonly text: string }[] = [];
const network: Network = {
  fetch(url, init) {
    sent.push({
      to: new URL(url).origin,
      text: `${url} ${init.body ?? ''} ${JSON.stringify(init.headers)}`,
    });
    return nodeNetwork.fetch(url, init);
  },
};

beforeAll(async () => {
  providers.one = await startProvider();
  providers.two = await startProvider();
  providers['one, another client'] = await startProvider({ clientId: 'another-client' });
});
afterAll(async () => {
  await Promise.all(Object.values(providers).map((provider) => provider.stop()));
});
afterEach(async () => {
  await stopApps();
  sent.length = 0;
});

/** Secrets of one provider that were sent to another, by their kind. */
function strays(): readonly string[] {
  return NAMES.flatMap((name) =>
    providers[name].issued
      .filter(({ kind }) => SECRETS.includes(kind))
      .filter(({ value }) =>
        sent.some(({ to, text }) => to !== providers[name].issuer && text.includes(value)),
      )
      .map(({ kind }) => `${kind} of ${name}`),
  );
}

/** The next start of the app, with another issuer and client id on the same keychain and file. */
async function move(app: App, to: Name, options: AppOptions = {}): Promise<App> {
  await app.engine.stop();
  const secrets = createFakeSecretStore('works', new Map(app.secrets.entries));
  return startApp(
    providers[to],
    { network, ...options },
    { secrets, file: app.file, lock: app.lock.another(), person: app.person },
  );
}

const statusOf = (app: App): string => app.engine.view().status;

describe('an app whose issuer changes', () => {
  it('sends the refresh token of the first to nobody, gives out no token of it, and finds it again', async () => {
    const app = await startApp(providers.one, { network });
    await app.signIn();
    const first = await app.engine.getAccessToken();
    const other = await move(app, 'two');
    expect([statusOf(other), await other.codeOf(other.engine.getAccessToken())]).toEqual([
      'signed-out',
      'signed-out',
    ]);
    await other.signIn();
    expect(await other.engine.getAccessToken()).not.toBe(first);
    await other.engine.signOut();
    const back = await move(other, 'one');
    expect([statusOf(back), await back.engine.getAccessToken()]).toEqual(['signed-in', first]);
    expect(strays()).toEqual([]);
    expectNoLeak(back, providers.one);
  });

  it('does the sign-out that the first owes, and tells only the first issuer of its token, never the second', async () => {
    const app = await startApp(providers.one, { network });
    await app.signIn();
    await app.engine.stop();
    const locked = createFakeSecretStore('locked', new Map(app.secrets.entries));
    const waiting = await startApp(
      providers.one,
      { network },
      { secrets: locked, file: app.file, lock: app.lock.another(), person: app.person },
    );
    await waiting.engine.signOut();
    expect((waiting.file.content as StateFileContent).accounts[0]?.record).toBe('removal-owed');
    const other = await move(waiting, 'two');
    await waitFor(() => other.secrets.entries.size === 0, 'the removal');
    expect([strays(), sent.filter(({ text }) => text.includes('revocation'))]).toEqual([[], []]);
  });

  it('revokes it at its own issuer where that is still the one', async () => {
    const app = await startApp(providers.one, { network });
    await app.signIn();
    await app.engine.stop();
    const waiting = await startApp(
      providers.one,
      { network },
      {
        secrets: createFakeSecretStore('locked', new Map(app.secrets.entries)),
        file: app.file,
        lock: app.lock.another(),
        person: app.person,
      },
    );
    await waiting.engine.signOut();
    const refreshToken =
      providers.one.issued.findLast(({ kind }) => kind === 'refresh_token')?.value ?? '';
    const next = await move(waiting, 'one');
    await waitFor(() => next.secrets.entries.size === 0, 'the removal');
    const answer = await fetch(providers.one.endpoints.token, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'refresh_token',
        refresh_token: refreshToken,
        client_id: providers.one.clientId,
      }),
    });
    expect([answer.status, ((await answer.json()) as { error: string }).error]).toEqual([
      400,
      'invalid_grant',
    ]);
  });
});

describe('restarts in any order', () => {
  const act = fc.oneof(
    { weight: 2, arbitrary: fc.constantFrom(...NAMES) },
    fc.constantFrom('sign in' as const, 'sign in' as const, 'sign out' as const),
  );

  it('bring each the session that it had, and no secret of one to another', async () => {
    let restored = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(act, { minLength: 6, maxLength: 10, size: 'max' }),
        async (acts) => {
          let app = await startApp(providers.one, { network });
          let here: Name = 'one';
          const signedIn = new Set<Name>();
          for (const next of acts) {
            if (next === 'sign in') {
              await app.signIn();
              signedIn.add(here);
            } else if (next === 'sign out') {
              await app.engine.signOut();
              signedIn.delete(here);
            } else {
              here = next;
              app = await move(app, here);
              expect(statusOf(app)).toBe(signedIn.has(here) ? 'signed-in' : 'signed-out');
              restored += signedIn.has(here) ? 1 : 0;
            }
          }
          expect(strays()).toEqual([]);
          await stopApps();
        },
      ),
      { numRuns: 24 },
    );
    expect(restored, 'the orders were too dull to prove anything').toBeGreaterThan(3);
  }, 60_000);
});
