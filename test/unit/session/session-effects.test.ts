// The effects of the session: one renewal at a time among processes, a write before the lock is
// free, nothing begun at the end.
import { beforeEach, describe, expect, it } from 'vitest';
import { AuthError } from '../../../src/main/core/base/errors.js';
import {
  type SessionEffects,
  type SessionHandle,
  createSessionEffects,
} from '../../../src/main/core/session/session-effects.js';
import { LIMITS } from '../../../src/main/core/base/limits.js';
import { parseOptions } from '../../../src/main/core/options/options.js';
import type { Ports } from '../../../src/main/core/base/ports.js';
import type { OAuthClient, Renewed } from '../../../src/main/core/oauth/client.js';
import type { TokenSet } from '../../../src/main/core/base/tokens.js';
import { type SessionRecord } from '../../../src/main/core/storage/records.js';
import type { SessionEffect, SessionEvent } from '../../../src/main/core/session/session-state.js';
import type { SessionStore, SessionReading } from '../../../src/main/core/storage/session-store.js';
import { stateOf } from '../../support/engine-harness.js';
import { type FakeLock, createFakeLock } from '../../support/fake-lock.js';
import {
  createFakeBrowser,
  createFakeCallbacks,
  createFakeClock,
  createFakeLog,
  createFakeNetwork,
  createFakeSecretStore,
  createFakeSystemEvents,
  createFakeStateStore,
  settle,
} from '../../support/fakes.js';
import { sessionLock, renewalLockWaitMs } from '../../../src/main/core/storage/record-lock.js';

const ada = { id: 'ada-id', issuer: 'https://id.example', subject: 'ada' };
const settings = parseOptions({
  issuer: 'https://id.example',
  clientId: 'me',
  redirects: ['com.example.app:/callback'],
});
const lockName = sessionLock('me', ada.id);
const refused = new AuthError('sign-in-refused', 'no');
const ended = new AuthError('session-ended', 'over');

let clock: ReturnType<typeof createFakeClock>;
let lock: FakeLock;
let log: ReturnType<typeof createFakeLog>;
let posted: (SessionEvent & { readonly epoch: number })[];
/** What was done, in order; a test makes each call do what it likes. */
let calls: string[];
/** What was done last when metadata was fetched again. */
let revalidatedAfter: (string | undefined)[];
let world: {
  read: () => Promise<SessionReading>;
  write: () => Promise<AuthError | null>;
  remove: () => Promise<void>;
  renew: (refreshToken: string) => Promise<TokenSet>;
  person: Renewed['person'];
  revoke: () => Promise<void>;
  isOwnWord: boolean;
  isPrepared: boolean;
  prepare: () => Promise<void>;
  owed: ReturnType<SessionStore['owed']>;
  owedByOthers: ReturnType<SessionStore['owedByOthers']>;
};
/** What the session does with an event, at once. */
let react: (event: SessionEvent) => void;
let keeper: SessionEffects;

const tokenSet = (name: string): TokenSet => ({
  accessToken: `access-${name}`,
  obtainedAt: clock.now(),
  expiresAt: clock.now() + 3_600_000,
  refreshToken: `refresh-${name}`,
  scope: 'read',
});
const record = (name: string, lifeMs = 3_600_000): SessionRecord => ({
  version: 1,
  clientId: 'me',
  account: ada,
  refreshToken: `refresh-${name}`,
  scope: 'read',
  savedAt: 1,
  access: { token: `access-${name}`, obtainedAt: clock.now(), expiresAt: clock.now() + lifeMs },
});
const renew: SessionEffect & { type: 'renew' } = {
  type: 'renew',
  refreshToken: 'refresh-1',
  scope: 'read',
  account: ada,
  target: null,
  replaced: null,
  stored: true,
  identityMismatch: false,
};
const write: SessionEffect & { type: 'write-record' } = {
  type: 'write-record',
  account: ada,
  refreshToken: 'refresh-2',
  scope: 'read',
  resources: [],
  access: null,
  identityMismatch: false,
  save: 3,
};
const at = (epoch: number): SessionHandle => ({
  isActive: true,
  post: (event) => {
    posted.push({ ...event, epoch });
    react(event);
  },
});
const types = (): readonly string[] => posted.map(({ type }) => type);

function gate(): { readonly open: () => void; readonly wait: Promise<void> } {
  let open = (): void => {};
  const wait = new Promise<void>((resolve) => {
    open = resolve;
  });
  return {
    open: () => {
      open();
    },
    wait,
  };
}

beforeEach(() => {
  clock = createFakeClock();
  lock = createFakeLock(clock);
  log = createFakeLog();
  posted = [];
  calls = [];
  revalidatedAfter = [];
  react = (event) => {
    if (event.type === 'renewed' && !event.stored) keeper.run(write, at(7));
  };
  world = {
    read: async () => ({ state: 'record', record: record('1') }),
    write: async () => null,
    remove: async () => {},
    renew: async () => tokenSet('2'),
    person: 'same',
    revoke: async () => {},
    isOwnWord: true,
    isPrepared: true,
    prepare: async () => {},
    owed: [],
    owedByOthers: [],
  };
  const vault: SessionStore = {
    load: () => ({ restore: null, last: null, reason: 'never' }),
    async read() {
      calls.push('read');
      return world.read();
    },
    async write({ refreshToken }) {
      calls.push(`write ${refreshToken}`);
      return world.write();
    },
    async choose() {
      calls.push('choose');
    },
    oweRemoval: async () => false,
    remove: async () => undefined,
    readOwed: async () => ({ state: 'none' }),
    keepToken: async () => null,
    recordState: async () => 'none',
    forget: async () => true,
    async suspend() {
      calls.push('suspend');
    },
    async markRefused() {
      calls.push('mark-refused');
    },
    owed: () => [],
    owedByOthers: () => [],
    removeOfOthers: async () => undefined,
    placeOf: (key) => key,
  };
  const protocol: OAuthClient = {
    authorizationUrl: async () => '',
    redeem: () => Promise.reject(refused),
    offersDeviceCode: () => false,
    authorizeDevice: () => Promise.reject(refused),
    pollDevice: () => Promise.reject(refused),
    async renew(refreshToken) {
      calls.push(`renew ${refreshToken}`);
      return { tokens: await world.renew(refreshToken), person: world.person };
    },
    renewLegacy: () => Promise.reject(refused),
    isPrepared: () => world.isPrepared,
    async prepare() {
      calls.push('prepare');
      return world.prepare();
    },
    async isOwnWord() {
      calls.push(`probe, holding ${lock.held.length} locks`);
      return world.isOwnWord;
    },
    revoke: async () => undefined,
    endSessionEndpoint: async () => null,
    trustMetadata: () => undefined,
    revalidateMetadata: () => {
      revalidatedAfter.push(calls.at(-1));
    },
    metadataMark: () => null,
  };
  const ports: Ports = {
    secrets: createFakeSecretStore(),
    state: createFakeStateStore(),
    browser: createFakeBrowser(),
    callbacks: {
      'custom-scheme': createFakeCallbacks('custom-scheme'),
      loopback: createFakeCallbacks('loopback'),
    },
    clock,
    network: createFakeNetwork(),
    lock,
    systemEvents: createFakeSystemEvents(),
    log,
  };
  keeper = createSessionEffects(
    settings,
    ports,
    protocol,
    vault,
    () => ({ now: clock.now(), random: 0, renewEarlySeconds: 60 }),
    () => 'renewal-1',
    {
      forget: (account, revokes) => {
        calls.push(`forget ${account.subject}${revokes ? ', revoking' : ''}`);
      },
      revoke: (token, account) => {
        calls.push(`revoke ${token} of ${account?.subject ?? 'nobody'}`);
      },
    },
  );
});

describe('a renewal', () => {
  it("reads the record, renews, and stores, all in one hold of the account's lock", async () => {
    const { open, wait } = gate();
    world.write = async () => {
      await wait;
      return null;
    };
    keeper.run(renew, at(7));
    await settle();
    expect([calls, types(), lock.held]).toEqual([
      ['read', 'renew refresh-1', 'write refresh-2'],
      ['renewed'],
      [lockName],
    ]);
    open();
    await settle();
    expect([types(), posted.map(({ epoch }) => epoch), lock.held]).toEqual([
      ['renewed', 'stored'],
      [7, 7],
      [],
    ]);
  });

  it('asks for metadata again when the tokens are stored, and not beside that', async () => {
    const { open, wait } = gate();
    world.write = async () => {
      await wait;
      return null;
    };
    keeper.run(renew, at(7));
    await settle();
    expect(revalidatedAfter).toEqual([]);
    open();
    await settle();
    expect(revalidatedAfter).toEqual(['write refresh-2']);
  });

  it('lets go of the lock when the write takes too long', async () => {
    world.write = () => new Promise(() => {});
    keeper.run(renew, at(7));
    await settle();
    await clock.advance(LIMITS.keyringWriteSlowMs - 1);
    expect(lock.held).toHaveLength(1);
    await clock.advance(1);
    expect(lock.held).toEqual([]);
  });

  it('lets go of the lock at once when nobody wants its answer any more', async () => {
    react = () => {};
    keeper.run(renew, at(7));
    await settle();
    expect([types(), lock.held, clock.pending]).toEqual([['renewed'], [], 0]);
  });

  it('takes what another process has put into the record, without a request', async () => {
    world.read = async () => ({ state: 'record', record: record('newer') });
    keeper.run(renew, at(7));
    await settle();
    expect(calls).toEqual(['read']);
    expect(posted).toMatchObject([
      {
        type: 'renewed',
        stored: true,
        tokens: { accessToken: 'access-newer', refreshToken: 'refresh-newer' },
      },
    ]);
  });

  it('renews with the newer refresh token when the access token beside it is due or missing', async () => {
    for (const access of [record('newer', 0).access, null]) {
      world.read = async () => ({ state: 'record', record: { ...record('newer'), access } });
      keeper.run(renew, at(7));
      await settle();
    }
    expect(calls.filter((call) => call.startsWith('renew'))).toEqual([
      'renew refresh-newer',
      'renew refresh-newer',
    ]);
  });

  it('does not read the record of a session that is not stored: it can only be older', async () => {
    keeper.run({ ...renew, stored: false }, at(7));
    await settle();
    expect(calls[0]).toBe('renew refresh-1');
  });

  it('for another target takes the newer refresh token of the record, but not the token of the sign-in', async () => {
    world.read = async () => ({ state: 'record', record: record('newer') });
    keeper.run(
      { ...renew, target: { key: 'mail', resource: 'https://mail.example', scope: null } },
      at(7),
    );
    await settle();
    expect([calls, posted]).toMatchObject([
      ['read', 'renew refresh-newer', 'write refresh-2'],
      [{ type: 'renewed', stored: false }, { type: 'stored' }],
    ]);
  });

  it('does not take the very token that is not good enough any more, in whatever record it stands', async () => {
    world.read = async () => ({ state: 'record', record: record('newer') });
    keeper.run({ ...renew, replaced: 'access-newer' }, at(7));
    await settle();
    expect(calls).toEqual(['read', 'renew refresh-newer', 'write refresh-2']);
  });

  it.each<[string, () => Promise<SessionReading>]>([
    ['is gone', async () => ({ state: 'absent' })],
    [
      'is locked',
      async () => ({ state: 'withheld', error: new AuthError('keyring-locked', 'locked') }),
    ],
  ])('goes on with its own token when the record %s', async (_what, read) => {
    world.read = read;
    keeper.run(renew, at(7));
    await settle();
    expect([calls[1], types()]).toEqual(['renew refresh-1', ['renewed', 'stored']]);
  });

  it('goes on with its own token when the keyring hangs', async () => {
    world.read = () => new Promise(() => {});
    keeper.run(renew, at(7));
    await settle();
    expect(calls).toEqual(['read']);
    await clock.advance(LIMITS.keyringWriteSlowMs);
    expect(calls[1]).toBe('renew refresh-1');
  });

  it('that is refused for good reads the record once more, and takes a newer one', async () => {
    const readings = [record('1'), record('newer')];
    world.read = async () => ({ state: 'record', record: readings.shift()! });
    world.renew = () => Promise.reject(ended);
    keeper.run(renew, at(7));
    await settle();
    expect(posted).toMatchObject([
      { type: 'renewed', stored: true, tokens: { accessToken: 'access-newer' } },
    ]);
  });

  it('that is refused for good tries a newer refresh token, and that one once', async () => {
    const readings = [record('1'), record('newer', 0), record('newest', 0)];
    world.read = async () => ({ state: 'record', record: readings.shift()! });
    world.renew = () => Promise.reject(ended);
    keeper.run(renew, at(7));
    await settle();
    expect(calls).toEqual(['read', 'renew refresh-1', 'read', 'renew refresh-newer']);
    expect(posted).toMatchObject([
      { type: 'renew-failed', error: { code: 'session-ended' }, refused: false },
    ]);
  });

  it('that is refused for good with the same record says so', async () => {
    world.renew = () => Promise.reject(ended);
    keeper.run(renew, at(7));
    await settle();
    expect(posted).toMatchObject([
      { type: 'renew-failed', error: { code: 'session-ended' }, refused: false, now: clock.now() },
    ]);
    expect(lock.held).toEqual([]);
  });

  it.each([true, false])(
    'that is refused in other words tells whether the network is proven fine (%s)',
    async (isOwnWord) => {
      world.isOwnWord = isOwnWord;
      world.renew = () => Promise.reject(refused);
      keeper.run(renew, at(7));
      await settle();
      expect([calls.at(-1), posted]).toMatchObject([
        'probe, holding 0 locks',
        [{ type: 'renew-failed', refused: isOwnWord }],
      ]);
    },
  );

  it.each([
    'network-failed',
    'server-unavailable',
    'response-invalid',
    'discovery-failed',
  ] as const)('that fails in passing is no refusal, and nothing is probed (%s)', async (code) => {
    world.renew = () => Promise.reject(new AuthError(code, 'passing'));
    keeper.run(renew, at(7));
    await settle();
    expect([calls.some((call) => call.startsWith('probe')), posted]).toMatchObject([
      false,
      [{ type: 'renew-failed', refused: false, error: { code } }],
    ]);
  });

  it('that fails with something odd is internal, and not lost', async () => {
    world.renew = () => Promise.reject(new Error('odd'));
    keeper.run(renew, at(7));
    await settle();
    expect(posted).toMatchObject([{ type: 'renew-failed', error: { code: 'internal' } }]);
  });

  it.each(['another', 'unsaid'] as const)(
    'in doubt whose answer names %s is not used, but what the server rotated is stored before the lock is free',
    async (person) => {
      world.person = person;
      const { open, wait } = gate();
      world.write = async () => {
        await wait;
        return null;
      };
      react = (event) => {
        if (event.type === 'renew-failed') keeper.run({ ...write, identityMismatch: true }, at(7));
      };
      keeper.run({ ...renew, identityMismatch: person === 'unsaid' }, at(7));
      await settle();
      expect(posted).toMatchObject([
        {
          type: 'renew-failed',
          error: { code: 'id-token-invalid' },
          refused: false,
          rotated: 'refresh-2',
        },
      ]);
      expect([calls, lock.held]).toEqual([
        ['read', 'renew refresh-1', 'write refresh-2'],
        [lockName],
      ]);
      open();
      await settle();
      expect([types(), lock.held]).toEqual([['renew-failed', 'stored'], []]);
    },
  );

  it('without doubt needs no ID token, as the standard allows', async () => {
    world.person = 'unsaid';
    keeper.run(renew, at(7));
    await settle();
    expect(types()).toEqual(['renewed', 'stored']);
  });

  it('does not use the access token of a record in doubt, and doubts what its refresh token brings', async () => {
    world.read = async () => ({ state: 'record', record: { ...record('newer'), doubted: true } });
    world.person = 'unsaid';
    react = () => {};
    keeper.run(renew, at(7));
    await settle();
    expect([calls, posted]).toMatchObject([
      ['read', 'renew refresh-newer'],
      [{ type: 'renew-failed', error: { code: 'id-token-invalid' } }],
    ]);
  });

  it('fetches metadata before it takes the lock, where others wait', async () => {
    world.isPrepared = false;
    world.prepare = async () => {
      calls.push(`holding ${lock.held.length} locks`);
      world.isPrepared = true;
    };
    keeper.run(renew, at(7));
    await settle();
    expect(calls).toEqual([
      'read',
      'prepare',
      'holding 0 locks',
      'read',
      'renew refresh-1',
      'write refresh-2',
    ]);
  });

  it('needs no metadata when another process has renewed', async () => {
    world.isPrepared = false;
    world.read = async () => ({ state: 'record', record: record('newer') });
    keeper.run(renew, at(7));
    await settle();
    expect([calls, types()]).toEqual([['read'], ['renewed']]);
  });

  it('fails without having taken the lock when there is no metadata', async () => {
    world.isPrepared = false;
    world.prepare = () => Promise.reject(new AuthError('network-failed', 'gone'));
    keeper.run(renew, at(7));
    await settle();
    expect([posted, lock.asked]).toMatchObject([
      [{ type: 'renew-failed', error: { code: 'network-failed' } }],
      [],
    ]);
  });

  it('asks for no metadata when the app ends meanwhile', async () => {
    world.isPrepared = false;
    const { open, wait } = gate();
    world.read = async () => {
      await wait;
      return { state: 'record', record: record('1') };
    };
    keeper.run(renew, at(7));
    const finished = keeper.finish();
    open();
    await finished;
    expect([calls, types()]).toEqual([['read'], []]);
  });

  it('for another target proves no network when it is refused: that is no word on the session', async () => {
    world.renew = () => Promise.reject(refused);
    keeper.run(
      { ...renew, target: { key: 'mail', resource: 'https://mail.example', scope: null } },
      at(7),
    );
    await settle();
    expect([calls, posted]).toMatchObject([
      ['read', 'renew refresh-1'],
      [{ type: 'renew-failed', refused: false }],
    ]);
  });

  it('waits as long as another one can take: two exchanges, two reads and a write', () => {
    expect(renewalLockWaitMs({ networkTimeoutSeconds: 15 })).toBe(
      2 * 15_000 + 3 * LIMITS.keyringWriteSlowMs + LIMITS.renewalSlackMs,
    );
    expect(renewalLockWaitMs({ networkTimeoutSeconds: 120 })).toBeGreaterThan(240_000);
  });

  it('tells a story that can be followed: every event of it has the same correlation id', async () => {
    world.renew = () => Promise.reject(new AuthError('network-failed', 'gone'));
    keeper.run(renew, at(7));
    await settle();
    expect(log.events.map(({ event, correlationId }) => [event, correlationId])).toEqual([
      ['renewal-started', 'renewal-1'],
      ['renewal-failed', 'renewal-1'],
    ]);
  });

  it('is busy when the lock is not free in time, and sends nothing', async () => {
    void lock.another().hold(lockName, 0, () => new Promise<void>(() => {}));
    keeper.run(renew, at(7));
    await settle();
    await clock.advance(renewalLockWaitMs(settings) - 1);
    expect(posted).toEqual([]);
    await clock.advance(1);
    expect([posted, calls]).toMatchObject([
      [{ type: 'renew-failed', refused: false, error: { code: 'session-busy' } }],
      [],
    ]);
  });

  it('happens without a lock where the system gives none', async () => {
    lock.setRefusal('no folder');
    keeper.run(renew, at(7));
    await settle();
    expect([types(), log.names()]).toEqual([
      ['renewed', 'stored'],
      ['renewal-started', 'lock-not-held', 'renewal-done'],
    ]);
  });
});

describe('a write', () => {
  it('says which save it was, and what became of it', async () => {
    keeper.run(write, at(7));
    await settle();
    world.write = async () => new AuthError('keyring-locked', 'locked');
    keeper.run({ ...write, save: 4 }, at(8));
    await settle();
    expect(posted).toMatchObject([
      { type: 'stored', save: 3, epoch: 7 },
      { type: 'store-failed', save: 4, epoch: 8, error: { code: 'keyring-locked' } },
    ]);
  });

  it('waits for another process, and goes ahead when that takes too long', async () => {
    void lock.another().hold(lockName, 0, () => new Promise<void>(() => {}));
    keeper.run(write, at(7));
    await settle();
    expect(calls).toEqual([]);
    await clock.advance(LIMITS.claimWaitMs);
    expect([calls, types()]).toEqual([['write refresh-2'], ['stored']]);
  });
});

describe('the end of a session', () => {
  it('goes to those who remove and revoke', () => {
    keeper.run({ type: 'remove-record', account: ada, revokes: true }, at(7));
    keeper.run({ type: 'revoke', account: ada, token: 'refresh-1' }, at(7));
    keeper.run({ type: 'remove-record', account: ada }, at(7));
    expect(calls).toEqual(['forget ada, revoking', 'revoke refresh-1 of ada', 'forget ada']);
  });
});

describe('a read', () => {
  it.each<[string, () => Promise<SessionReading>, object]>([
    [
      'a record',
      async () => ({ state: 'record', record: record('1') }),
      { type: 'record-found', record: { refreshToken: 'refresh-1' }, epoch: 7 },
    ],
    ['nothing', async () => ({ state: 'absent' }), { type: 'record-absent', epoch: 7 }],
    [
      'no answer',
      async () => ({ state: 'withheld', error: refused }),
      { type: 'record-withheld', error: refused, epoch: 7 },
    ],
    [
      'a broken promise',
      () => Promise.reject(new Error('broken')),
      { type: 'record-withheld', error: { code: 'internal' }, epoch: 7 },
    ],
  ])('that finds %s says so', async (_what, read, event) => {
    world.read = read;
    keeper.run({ type: 'read-record', account: ada }, at(7));
    await settle();
    expect(posted).toMatchObject([event]);
  });

  it('is not waited for at the end: a password dialog must not keep the app alive', async () => {
    world.read = () => new Promise(() => {});
    keeper.run({ type: 'read-record', account: ada }, at(7));
    await keeper.finish();
  });
});

describe('finish', () => {
  it('waits for a renewal that is under way, and for the write that comes of it', async () => {
    const [request, storing] = [gate(), gate()];
    world.renew = async () => {
      await request.wait;
      return tokenSet('2');
    };
    world.write = async () => {
      await storing.wait;
      return null;
    };
    keeper.run(renew, at(7));
    await settle();
    const finished = keeper.finish();
    request.open();
    await settle();
    expect([calls.at(-1), await stateOf(finished)]).toEqual(['write refresh-2', 'pending']);
    storing.open();
    await finished;
    expect(types()).toEqual(['renewed', 'stored']);
  });

  it('lets a renewal that waits for its lock begin no request', async () => {
    const { open, wait } = gate();
    void lock.another().hold(lockName, 0, () => wait);
    keeper.run(renew, at(7));
    await settle();
    const finished = keeper.finish();
    expect(await stateOf(finished)).toBe('pending');
    open();
    await finished;
    expect([calls, posted]).toEqual([['read'], []]);
  });

  it('lets a renewal that reads the record begin no request, but takes what it finds', async () => {
    const { open, wait } = gate();
    world.read = async () => {
      await wait;
      return { state: 'record', record: record('newer') };
    };
    keeper.run(renew, at(7));
    await settle();
    const finished = keeper.finish();
    open();
    await finished;
    expect([calls, types()]).toEqual([['read'], ['renewed']]);
  });

  it('is not held up by work that breaks its promise', async () => {
    world.write = () => Promise.reject(new Error('broken'));
    keeper.run(write, at(7));
    keeper.run({ type: 'mark-refused', account: ada }, at(7));
    await keeper.finish();
    expect([calls.toSorted(), log.names()]).toEqual([
      ['mark-refused', 'write refresh-2'],
      ['internal'],
    ]);
  });
});
