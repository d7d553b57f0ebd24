// One keychain and one latchkey.json, several issuers and client ids: what was kept counts only for
// whom it was kept.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StateFileContent } from '../../../src/main/core/base/ports.js';
import {
  type Authority,
  type Bench,
  createAuthority,
  createBench,
  until,
} from '../../support/engine-harness.js';
import { createFakeSecretStore, settle } from '../../support/fakes.js';

const ISSUERS = ['https://one.example', 'https://two.example'] as const;
const CLIENTS = ['me', 'you'] as const;
const HOUR = 3_600_000;

/** One authority for each issuer and client; what came to each, in full. */
interface World {
  readonly authority: (issuer: string, clientId: string) => Authority;
  readonly network: Authority;
  /** Secrets of one that came to another, as `kind at issuer`. */
  readonly strays: () => readonly string[];
}

function createWorld(): World {
  const authorities = new Map(
    ISSUERS.flatMap((issuer) =>
      CLIENTS.map(
        (clientId) =>
          [
            `${issuer} ${clientId}`,
            {
              issuer,
              authority: createAuthority(`${new URL(issuer).hostname[0]}${clientId}-`),
              seen: [] as string[],
            },
          ] as const,
      ),
    ),
  );
  const byName: ReadonlyMap<string, { readonly authority: Authority; readonly seen: string[] }> =
    authorities;
  const of = (
    issuer: string,
    clientId: string,
  ): { readonly authority: Authority; readonly seen: string[] } =>
    byName.get(`${issuer} ${clientId}`)!;
  return {
    authority: (issuer, clientId) => of(issuer, clientId).authority,
    network: {
      ...createAuthority(),
      async fetch(url, init) {
        const there = of(
          new URL(url).origin,
          new URLSearchParams(init.body).get('client_id') ?? '',
        );
        there.seen.push(`${url} ${init.body ?? ''} ${JSON.stringify(init.headers)}`);
        return there.authority.fetch(url, init);
      },
    },
    strays: () =>
      [...authorities].flatMap(([name, { authority }]) =>
        authority.issued
          .filter((secret) =>
            [...authorities].some(
              ([other, { seen }]) =>
                other !== name && seen.some((request) => request.includes(secret)),
            ),
          )
          .map((secret) => `${secret} of ${name}`),
      ),
  };
}

interface Place {
  readonly world: World;
  bench: Bench;
}

function optionsOf(
  issuer: string,
  clientId: string,
): NonNullable<Parameters<typeof createBench>[0]> {
  return {
    issuer,
    clientId,
    endpoints: {
      authorization: `${issuer}/authorize`,
      token: `${issuer}/token`,
      revocation: `${issuer}/revoke`,
    },
  };
}

/** The app starts for this issuer and client, on the same computer. */
async function move(
  place: Place,
  issuer: string,
  clientId: string,
  more: Parameters<typeof createBench>[0] = {},
): Promise<Bench> {
  const { bench } = place;
  const stopped = bench.engine.stop();
  await bench.clock.advance(3_000);
  await stopped;
  place.bench = createBench(
    { ...optionsOf(issuer, clientId), ...more },
    {
      authority: place.world.network,
      clock: bench.clock,
      file: bench.file,
      legacyEntries: bench.legacyEntries,
      lock: bench.lock.another(),
      secrets: createFakeSecretStore('works', bench.secrets.entries),
    },
  );
  return start(place.bench);
}

async function start(bench: Bench): Promise<Bench> {
  bench.engine.start();
  await until(() => bench.engine.view().status !== 'starting', 'the start');
  await settle();
  return bench;
}

async function open(
  issuer: string = ISSUERS[0],
  clientId: string = CLIENTS[0],
  more: Parameters<typeof createBench>[0] = {},
): Promise<Place> {
  const world = createWorld();
  const bench = createBench(
    { ...optionsOf(issuer, clientId), ...more },
    { authority: world.network },
  );
  await start(bench);
  return { world, bench };
}

const statusOf = (bench: Bench): string => bench.engine.view().status;
const accountsIn = (bench: Bench): StateFileContent['accounts'] =>
  (bench.file.content as StateFileContent | null)?.accounts ?? [];
const sessionKeys = (bench: Bench): readonly string[] =>
  [...bench.secrets.entries.keys()].filter((key) => key.startsWith('session:'));

describe('another issuer', () => {
  it('signs nobody in, shows nobody, and is sent nothing of the first; back there the session is as it was', async () => {
    const place = await open();
    await place.bench.signIn();
    const { account } = place.bench.engine.view() as { account: { id: string } };
    const other = await move(place, ISSUERS[1], 'me');
    expect(other.engine.view()).toEqual({ status: 'signed-out', reason: 'never' });
    for (const call of [
      other.engine.getAccessToken({ account: account.id }),
      other.engine.switchAccount(account.id),
    ])
      await expect(call).rejects.toMatchObject({ code: 'signed-out' });
    await other.engine.signOut(account.id);
    await other.signIn();
    other.clock.jumpTo(other.clock.now() + 2 * HOUR);
    await other.engine.getAccessToken();
    const back = await move(place, ISSUERS[0], 'me');
    await until(() => statusOf(back) === 'signed-in', 'the session');
    await back.engine.getAccessToken();
    expect([place.world.strays(), place.world.authority(ISSUERS[0], 'me').revoked]).toEqual([
      [],
      [],
    ]);
    const again = await move(place, ISSUERS[1], 'me');
    expect(statusOf(again)).toBe('signed-in');
  });

  it('lists none of the accounts of the first, where there are several', async () => {
    const place = await open(ISSUERS[0], 'me', { accounts: 'several' });
    await place.bench.signIn();
    const other = await move(place, ISSUERS[1], 'me', { accounts: 'several' });
    await other.signIn();
    expect(other.engine.view()).not.toHaveProperty('otherAccounts');
    expect(
      (await move(place, ISSUERS[0], 'me', { accounts: 'several' })).engine.view(),
    ).toMatchObject({ status: 'signed-in', account: { issuer: ISSUERS[0] } });
  });

  it('does a removal that the first owes, and revokes nothing', async () => {
    const place = await open();
    await place.bench.signIn();
    place.bench.secrets.setMode('locked');
    await place.bench.engine.signOut();
    // The server was told at once; what counts is what the other one hears.
    const before = place.world.authority(ISSUERS[0], 'me').revoked.length;
    const other = await move(place, ISSUERS[1], 'me');
    await until(() => sessionKeys(other).length === 0, 'the removal');
    await settle();
    expect([
      accountsIn(other)[0]?.record,
      place.world.strays(),
      place.world.authority(ISSUERS[0], 'me').revoked.length,
    ]).toEqual(['none', [], before]);
  });

  it('finishes no attempt of the first, which is finished there', async () => {
    const place = await open();
    const { state } = await place.bench.begin();
    await until(
      () => [...place.bench.secrets.entries.keys()].some((key) => key.startsWith('attempt:')),
      'the record',
    );
    place.bench.kill();
    const there = createBench(optionsOf(ISSUERS[1], 'me'), {
      authority: place.world.network,
      clock: place.bench.clock,
      file: place.bench.file,
      lock: place.bench.lock.another(),
      secrets: createFakeSecretStore('works', place.bench.secrets.entries),
    });
    await start(there);
    there.comeBack(state);
    await settle();
    expect([statusOf(there), place.world.authority(ISSUERS[1], 'me').tokenForms]).toEqual([
      'signed-out',
      [],
    ]);
    place.bench = there;
    const back = await move(place, ISSUERS[0], 'me');
    back.comeBack(state);
    await until(() => statusOf(back) === 'signed-in', 'the sign-in');
    expect(place.world.strays()).toEqual([]);
  });

  it('takes nothing over that was left for the first', async () => {
    const migrateFrom = [
      { service: 'old', account: 'token', read: (value: string) => ({ refreshToken: value }) },
    ];
    const place = await open();
    await place.bench.signIn();
    place.bench.legacyEntries.values[0] = place.world.authority(ISSUERS[0], 'me').grantEarlier();
    const other = await move(place, ISSUERS[1], 'me', { migrateFrom });
    await settle();
    expect([statusOf(other), other.legacyEntries.calls, place.world.strays()]).toEqual([
      'signed-out',
      [],
      [],
    ]);
  });

  it('leaves a migration of the first to the first', async () => {
    const migrateFrom = [
      { service: 'old', account: 'token', read: (value: string) => ({ refreshToken: value }) },
    ];
    const place = await open();
    const old = place.world.authority(ISSUERS[0], 'me').grantEarlier();
    place.bench.legacyEntries.values[0] = old;
    place.world.authority(ISSUERS[0], 'me').online = false;
    await move(place, ISSUERS[0], 'me', { migrateFrom });
    await until(
      () => (place.bench.file.content as StateFileContent | null)?.takeOver.stage === 'proving',
      'the try',
    );
    const other = await move(place, ISSUERS[1], 'me', { migrateFrom });
    expect([statusOf(other), (other.file.content as StateFileContent).takeOver.stage]).toEqual([
      'signed-out',
      'proving',
    ]);
    await other.signIn();
    expect(statusOf(await move(place, ISSUERS[1], 'me', { migrateFrom }))).toBe('signed-in');
    place.world.authority(ISSUERS[0], 'me').online = true;
    const back = await move(place, ISSUERS[0], 'me', { migrateFrom });
    await until(() => statusOf(back) === 'signed-in', 'the earlier session');
    expect([place.world.strays(), back.legacyEntries.values]).toEqual([[], [null]]);
  });
});

describe('another client id', () => {
  it("has records of its own for the same person, and neither client writes over the other's", async () => {
    const place = await open();
    await place.bench.signIn();
    const first = sessionKeys(place.bench);
    const other = await move(place, ISSUERS[0], 'you');
    expect(other.engine.view()).toEqual({ status: 'signed-out', reason: 'never' });
    await other.signIn();
    expect([sessionKeys(other).length, sessionKeys(other)[0]]).toEqual([2, first[0]]);
    for (const clientId of ['me', 'you', 'me', 'you']) {
      const bench = await move(place, ISSUERS[0], clientId);
      expect(statusOf(bench)).toBe('signed-in');
      bench.clock.jumpTo(bench.clock.now() + 2 * HOUR);
      await bench.engine.getAccessToken();
    }
    expect(place.world.strays()).toEqual([]);
    for (const clientId of CLIENTS)
      expect(place.world.authority(ISSUERS[0], clientId).count('refresh_token')).toBeGreaterThan(1);
  });

  it.each([
    ['the first', 'me', 'you'],
    ['the second', 'you', 'me'],
  ] as const)('is not signed out with %s', async (_which, leaving, staying) => {
    const place = await open();
    await place.bench.signIn();
    await (await move(place, ISSUERS[0], 'you')).signIn();
    await (await move(place, ISSUERS[0], leaving)).engine.signOut();
    expect(statusOf(await move(place, ISSUERS[0], staying))).toBe('signed-in');
    expect(statusOf(await move(place, ISSUERS[0], leaving))).toBe('signed-out');
    expect([place.world.strays(), sessionKeys(place.bench).length]).toEqual([[], 1]);
  });

  it('keeps apart also where only the keychain is shared, as by two apps of one name', async () => {
    const place = await open();
    await place.bench.signIn();
    const { authority, clock, lock, secrets } = { ...place.bench, authority: place.world.network };
    const second = await start(
      createBench(optionsOf(ISSUERS[0], 'you'), {
        authority,
        clock,
        lock: lock.another(),
        secrets: createFakeSecretStore('works', secrets.entries),
      }),
    );
    await second.signIn();
    expect(statusOf(await start(second.restart()))).toBe('signed-in');
    expect(statusOf(await start(place.bench.restart()))).toBe('signed-in');
    expect([sessionKeys(second).length, place.world.strays()]).toEqual([2, []]);
  });
});

/** As the build before this one wrote them: no entry says whose it is. */
const EARLIER_FILE = `{"schemaVersion":1,"lastAccountId":"Bbi6APHmJaW_S_FDKfCOrX","accounts":[{"id":"Bbi6APHmJaW_S_FDKfCOrX","issuer":"https://one.example","subject":"ada","name":"Ada","record":"kept"}],"attempts":[],"takeOver":{"stage":"none","tried":[]}}`;
const EARLIER_RECORD = `{"version":1,"clientId":"me","account":{"id":"Bbi6APHmJaW_S_FDKfCOrX","issuer":"https://one.example","subject":"ada","name":"Ada"},"refreshToken":"RT","scope":"read offline_access","savedAt":1767225600000,"access":{"token":"AT","obtainedAt":1767225600000,"expiresAt":1767229200000}}`;
const EARLIER_KEY = 'session:Bbi6APHmJaW_S_FDKfCOrX';

async function earlier(issuer: string, clientId: string): Promise<Place> {
  const world = createWorld();
  const refreshToken = world.authority(ISSUERS[0], 'me').grantEarlier();
  const bench = createBench(optionsOf(issuer, clientId), { authority: world.network });
  bench.file.content = JSON.parse(EARLIER_FILE);
  bench.secrets.entries.set(EARLIER_KEY, EARLIER_RECORD.replace('RT', refreshToken));
  await start(bench);
  return { world, bench };
}

describe('what an earlier build wrote', () => {
  it('is found, goes on, and is written so that the earlier build finds it again', async () => {
    const { bench, world } = await earlier(ISSUERS[0], 'me');
    expect(bench.engine.view()).toMatchObject({ status: 'signed-in', account: { name: 'Ada' } });
    bench.clock.jumpTo(bench.clock.now() + 2 * HOUR);
    await bench.engine.getAccessToken();
    await settle();
    expect(bench.file.content).toMatchObject({
      schemaVersion: 1,
      lastAccountId: 'Bbi6APHmJaW_S_FDKfCOrX',
      accounts: [{ record: 'kept', clientId: 'me' }],
    });
    expect(JSON.parse(bench.secrets.entries.get(EARLIER_KEY) ?? '')).toMatchObject({
      version: 1,
      clientId: 'me',
      account: { id: 'Bbi6APHmJaW_S_FDKfCOrX' },
      refreshToken: world
        .authority(ISSUERS[0], 'me')
        .issued.findLast((secret) => secret.includes('refresh')),
    });
    expect(sessionKeys(bench)).toEqual([EARLIER_KEY]);
  });

  it("is another client's by its record: it is shown to nobody, kept, and there again for that client", async () => {
    const place = await earlier(ISSUERS[0], 'you');
    expect(place.bench.engine.view()).toEqual({ status: 'signed-out', reason: 'never' });
    await place.bench.signIn();
    await place.bench.engine.signOut();
    const back = await move(place, ISSUERS[0], 'me');
    expect([statusOf(back), place.world.strays()]).toEqual(['signed-in', []]);
  });

  it("is another issuer's: it is shown to nobody, kept, and there again for that issuer", async () => {
    const place = await earlier(ISSUERS[1], 'me');
    expect(place.bench.engine.view()).toEqual({ status: 'signed-out', reason: 'never' });
    await place.bench.signIn();
    const back = await move(place, ISSUERS[0], 'me');
    expect([statusOf(back), place.world.strays()]).toEqual(['signed-in', []]);
  });
});

describe('every order of issuers and client ids', () => {
  const owner = fc.record({
    issuer: fc.constantFrom(...ISSUERS),
    clientId: fc.constantFrom(...CLIENTS),
  });
  const act = fc.oneof(
    { weight: 3, arbitrary: fc.record({ act: fc.constant('start as' as const), owner }) },
    fc.record({
      act: fc.constantFrom(
        'sign in' as const,
        'sign in' as const,
        'renew' as const,
        'sign out' as const,
        'sign out, locked' as const,
      ),
    }),
  );

  it('brings each the session that it had, and no secret of one to another', async () => {
    let restored = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(act, { minLength: 4, maxLength: 14, size: 'max' }),
        async (acts) => {
          const place = await open();
          let here = `${ISSUERS[0]} me`;
          const signedIn = new Set<string>();
          for (const next of acts) {
            const { bench } = place;
            switch (next.act) {
              case 'start as': {
                here = `${next.owner.issuer} ${next.owner.clientId}`;
                const started = await move(place, next.owner.issuer, next.owner.clientId);
                restored += signedIn.has(here) ? 1 : 0;
                expect(statusOf(started)).toBe(signedIn.has(here) ? 'signed-in' : 'signed-out');
                const view = started.engine.view();
                if ('lastAccount' in view)
                  expect(view.lastAccount).toMatchObject({ issuer: next.owner.issuer });
                break;
              }
              case 'sign in':
                await bench.signIn();
                await settle();
                signedIn.add(here);
                break;
              case 'renew':
                bench.clock.jumpTo(bench.clock.now() + 2 * HOUR);
                await bench.engine.getAccessToken().catch(() => undefined);
                break;
              case 'sign out, locked':
                bench.secrets.setMode('locked');
                await bench.engine.signOut();
                bench.secrets.setMode('works');
                signedIn.delete(here);
                break;
              case 'sign out':
                await bench.engine.signOut();
                signedIn.delete(here);
                break;
            }
            await settle();
          }
          // A last start does what is owed, for everybody.
          const last = await move(place, ISSUERS[1], 'you');
          await until(() => sessionKeys(last).length === signedIn.size, 'what is owed');
          expect(place.world.strays()).toEqual([]);
          await last.engine.stop();
        },
      ),
      { numRuns: 60 },
    );
    expect(restored, 'the orders were too dull to prove anything').toBeGreaterThan(10);
  }, 60_000);
});

describe('a nameless person who signs in after another one', () => {
  it('ends nothing at the server: both may be one person, with one grant', async () => {
    const bench = createBench({ identify: undefined } as unknown as Parameters<
      typeof createBench
    >[0]);
    bench.engine.start();
    await until(() => bench.engine.view().status === 'signed-out', 'the start');
    await bench.signIn();
    await bench.signIn();
    await until(() => bench.secrets.entries.size === 1, 'the removal');
    await settle();
    expect([bench.authority.revoked, bench.engine.view().status]).toEqual([[], 'signed-in']);
  });
});
