// Attempts at rest: kept for a restart, claimed once among all processes, swept when they are over.
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  type AttemptStore,
  createAttemptStore,
} from '../../../src/main/core/storage/attempt-store.js';
import type { AuthError } from '../../../src/main/core/base/errors.js';
import {
  type StoredState,
  createStoredState,
} from '../../../src/main/core/storage/stored-state.js';
import { LIMITS } from '../../../src/main/core/base/limits.js';
import { type AttemptRecord, parseAttempt } from '../../../src/main/core/storage/records.js';
import { stateOf, until } from '../../support/engine-harness.js';
import { type FakeLock, createFakeLock } from '../../support/fake-lock.js';
import {
  type FakeSecretStore,
  type FakeStateStore,
  createFakeClock,
  createFakeLog,
  createFakeSecretStore,
  createFakeStateStore,
  settle,
} from '../../support/fakes.js';

const own = { issuer: 'https://id.example', clientId: 'me' };
const NOW = 1_000_000;
const record: AttemptRecord = {
  version: 1,
  ...own,
  state: 'secret-state',
  codeVerifier: 'secret-verifier',
  nonce: 'secret-nonce',
  redirectUri: 'com.example.app:/callback',
  startedAt: NOW,
  expiresAt: NOW + 300_000,
  correlationId: 'attempt-1',
};

let file: FakeStateStore;
let clock: ReturnType<typeof createFakeClock>;
let lock: FakeLock;
let entries: Map<string, string>;
let log: ReturnType<typeof createFakeLog>;
/** What the person was told, by code. */
let told: (string | null)[];
const tell = (error: AuthError | null): void => {
  told.push(error?.code ?? null);
};
beforeEach(() => {
  file = createFakeStateStore();
  clock = createFakeClock(NOW);
  lock = createFakeLock(clock);
  entries = new Map();
  log = createFakeLog();
  told = [];
});

/** One process of the app; all share file, keychain and lock. */
async function process(mine: typeof own = own): Promise<{
  readonly vault: AttemptStore;
  readonly secrets: FakeSecretStore;
  readonly known: StoredState;
}> {
  const secrets = createFakeSecretStore('works', entries);
  const its = lock.another();
  const known = createStoredState(file, its, mine, log);
  await known.load();
  return { vault: createAttemptStore(secrets, known, its, clock, mine, log, tell), secrets, known };
}

const knownAttempts = (): readonly { readonly id: string }[] =>
  (file.content as { attempts: { id: string }[] } | null)?.attempts ?? [];
const knownIds = (): readonly string[] => knownAttempts().map(({ id }) => id);

describe('keep', () => {
  it('puts the record into the keychain, and into the file only a digest of its state', async () => {
    const { vault } = await process();
    await vault.keep(record);
    expect([...entries]).toEqual([[`attempt:${knownIds()[0]}`, JSON.stringify(record)]]);
    expect(JSON.stringify([file.saves, log.events, [...entries.keys()]])).not.toContain('secret');
  });

  it('forgets the attempt when no keyring takes it, and says so', async () => {
    const { vault, secrets } = await process();
    secrets.setMode('unavailable');
    await vault.keep(record);
    expect([knownIds(), log.names()]).toEqual([[], ['attempt-not-kept']]);
  });
});

describe('take', () => {
  it('gives the record to another process, and removes every trace of it', async () => {
    await (await process()).vault.keep(record);
    const { vault } = await process();
    expect(await vault.take(record.state)).toEqual(record);
    expect([entries.size, knownIds()]).toEqual([0, []]);
  });

  it('gives it once, however often and by whomever it is asked for', async () => {
    await (await process()).vault.keep(record);
    const vaults = await Promise.all([process(), process(), process()]);
    const taken = await Promise.all(
      vaults.flatMap(({ vault }) => [vault.take(record.state), vault.take(record.state)]),
    );
    expect(taken.filter((one) => one !== null)).toEqual([record]);
  });

  it('asks the keychain only for a state that the file knows', async () => {
    await (await process()).vault.keep(record);
    const { vault, secrets } = await process();
    await fc.assert(
      fc.asyncProperty(
        fc.string().filter((state) => state !== record.state),
        async (state) => {
          expect(await vault.take(state)).toBeNull();
        },
      ),
    );
    expect([secrets.calls, lock.asked]).toEqual([[], []]);
  });

  it('waits for the file', async () => {
    await (await process()).vault.keep(record);
    const known = createStoredState(file, lock, own, log);
    const vault = createAttemptStore(
      createFakeSecretStore('works', entries),
      known,
      lock,
      clock,
      own,
      log,
      tell,
    );
    const taken = vault.take(record.state);
    await settle();
    expect(await stateOf(taken)).toBe('pending');
    await known.load();
    expect(await taken).toEqual(record);
  });

  it('gives none that is over, and removes it', async () => {
    await (await process()).vault.keep(record);
    const { vault } = await process();
    clock.jumpTo(record.expiresAt);
    expect(await vault.take(record.state)).toBeNull();
    expect(entries.size).toBe(0);
  });

  it.each([
    ['another issuer', { ...own, issuer: 'https://other.example' }],
    ['another client', { ...own, clientId: 'other' }],
  ])('gives none of %s', async (_what, other) => {
    await (await process()).vault.keep(record);
    expect(await (await process(other)).vault.take(record.state)).toBeNull();
  });

  it('gives it though its removal fails, for the file says that it is claimed, and sweeps it later', async () => {
    await (await process()).vault.keep(record);
    const { vault, secrets } = await process();
    const { remove } = secrets;
    secrets.remove = async () => ({ state: 'locked', detail: 'no' });
    expect(await vault.take(record.state)).toEqual(record);
    expect([entries.size, knownAttempts()]).toEqual([
      1,
      [{ id: expect.any(String) as string, expiresAt: record.expiresAt, ...own, claimed: true }],
    ]);
    const later = await process();
    expect([await vault.take(record.state), await later.vault.take(record.state)]).toEqual([
      null,
      null,
    ]);
    secrets.remove = remove;
    await later.vault.sweep(NOW);
    expect([entries.size, knownIds()]).toEqual([0, []]);
  });

  it.each(['remains', 'goes'])(
    'by a process that can write no file gives it only when the record %s: then nobody else can have it',
    async (record_) => {
      await (await process()).vault.keep(record);
      const { vault, secrets } = await process();
      if (record_ === 'remains')
        secrets.remove = async () => ({ state: 'unavailable', detail: 'no' });
      file.save = () => Promise.reject(new Error('ENOSPC'));
      const taken = vault.take(record.state);
      if (record_ === 'goes') expect(await taken).toEqual(record);
      else {
        await until(() => told.length > 0, 'a word');
        expect(await stateOf(taken)).toBe('pending');
        vault.stop();
        expect(await taken).toBeNull();
      }
    },
  );

  it('gives none that another process has claimed since this one read the file', async () => {
    await (await process()).vault.keep(record);
    const [first, second] = [await process(), await process()];
    first.secrets.remove = async () => ({ state: 'locked', detail: 'no' });
    expect(await first.vault.take(record.state)).toEqual(record);
    expect(await second.vault.take(record.state)).toBeNull();
  });

  it.each([
    ['locked', 'keyring-locked'],
    ['unavailable', 'keyring-unavailable'],
  ] as const)(
    'waits while the keyring is %s, says so, and gives it when it is asked again',
    async (mode, code) => {
      await (await process()).vault.keep(record);
      const { vault, secrets } = await process();
      secrets.setMode(mode);
      const taken = vault.take(record.state);
      await until(() => told.length === 1, 'a word');
      vault.tryAgain();
      await until(() => told.length === 2, 'another word');
      expect([await stateOf(taken), await vault.take(record.state)]).toEqual(['pending', null]);
      secrets.setMode('works');
      vault.tryAgain();
      expect(await taken).toEqual(record);
      expect([told, log.names(), entries.size, knownIds(), clock.pending]).toEqual([
        [code, code],
        ['attempt-waiting-for-keyring'],
        0,
        [],
        0,
      ]);
    },
  );

  it('waits for a keyring no longer than the attempt may take, and says that it is over', async () => {
    await (await process()).vault.keep(record);
    const { vault, secrets } = await process();
    secrets.setMode('locked');
    const taken = vault.take(record.state);
    await until(() => told.length === 1, 'a word');
    await settle();
    await clock.advance(300_000 - 1);
    expect(await stateOf(taken)).toBe('pending');
    await clock.advance(1);
    expect(await taken).toBeNull();
    expect([told, entries.size, clock.pending]).toEqual([
      ['keyring-locked', 'sign-in-expired'],
      1,
      0,
    ]);
  });

  it('waits for a keyring no longer than the process, and leaves the attempt to the next one', async () => {
    await (await process()).vault.keep(record);
    const { vault, secrets } = await process();
    secrets.setMode('locked');
    const taken = vault.take(record.state);
    await until(() => told.length === 1, 'a word');
    await settle();
    vault.stop();
    expect([await taken, clock.pending, told]).toEqual([null, 0, ['keyring-locked']]);
    expect(await (await process()).vault.take(record.state)).toEqual(record);
  });

  it('that waits for a keyring gives none when another process was faster, and takes its word back', async () => {
    await (await process()).vault.keep(record);
    const [slow, fast] = [await process(), await process()];
    slow.secrets.setMode('locked');
    const taken = slow.vault.take(record.state);
    await until(() => told.length === 1, 'a word');
    expect(await fast.vault.take(record.state)).toEqual(record);
    slow.secrets.setMode('works');
    slow.vault.tryAgain();
    expect([await taken, told]).toEqual([null, ['keyring-locked', null]]);
  });

  it('gives none while another process holds its lock, but gives it where the system has no lock', async () => {
    const { vault, known } = await process();
    await vault.keep(record);
    const key = `attempt:${known.current().attempts[0]?.id}`;
    let letGo = (): void => {};
    void lock.hold(
      key,
      0,
      () =>
        new Promise<void>((resolve) => {
          letGo = resolve;
        }),
    );
    const taken = vault.take(record.state);
    await until(() => clock.pending === 1, 'the wait for the lock');
    await clock.advance(LIMITS.claimWaitMs);
    expect(await taken).toBeNull();
    letGo();
    const bare = createAttemptStore(
      createFakeSecretStore('works', entries),
      known,
      { hold: async () => ({ held: false, reason: 'unavailable', detail: 'none' }) },
      clock,
      own,
      log,
      tell,
    );
    expect(await bare.take(record.state)).toEqual(record);
  });
});

describe('release', () => {
  it('claims the attempt of this process, so that no other takes it', async () => {
    const [mine, other] = [await process(), await process()];
    await mine.vault.keep(record);
    await other.known.load();
    expect(await mine.vault.release(record.state)).toBe(true);
    expect([await other.vault.take(record.state), entries.size, knownIds()]).toEqual([null, 0, []]);
  });

  it('is refused when another process was faster', async () => {
    const mine = await process();
    await mine.vault.keep(record);
    expect(await (await process()).vault.take(record.state)).toEqual(record);
    expect(await mine.vault.release(record.state)).toBe(false);
  });

  it('and take at once let exactly one of them have it', async () => {
    const mine = await process();
    await mine.vault.keep(record);
    const other = await process();
    const [released, taken] = await Promise.all([
      mine.vault.release(record.state),
      other.vault.take(record.state),
    ]);
    expect(released).toBe(taken === null);
  });

  it('of an attempt that was never kept needs no keychain', async () => {
    const { vault, secrets } = await process();
    expect([await vault.release('loopback-state'), secrets.calls]).toEqual([true, []]);
  });

  it('waits for a keep that is under way, and leaves nothing of it behind', async () => {
    const { vault, secrets } = await process();
    secrets.setMode('prompting');
    void vault.keep(record);
    await until(() => secrets.calls.length === 1, 'the write');
    const released = vault.release(record.state);
    await settle();
    expect(await stateOf(released)).toBe('pending');
    secrets.answerPrompt('unlocked');
    expect([await released, entries.size, knownIds()]).toEqual([true, 0, []]);
  });

  it('of what could not be noted needs no keychain, for nobody else can know of it', async () => {
    const { vault, secrets } = await process();
    file.failNextSave();
    await vault.keep(record);
    expect([log.names(), secrets.calls]).toEqual([
      ['state-file-unwritable', 'attempt-not-kept'],
      [],
    ]);
    expect([await vault.release(record.state), secrets.calls, knownIds()]).toEqual([true, [], []]);
  });

  it('is refused when another process has claimed it, also when this one has read the file since', async () => {
    const [mine, other] = [await process(), await process()];
    await mine.vault.keep(record);
    await other.known.load();
    expect(await other.vault.take(record.state)).toEqual(record);
    await mine.known.update((state) => ({
      ...state,
      attempts: [...state.attempts, { id: 'x', expiresAt: 1 }],
    }));
    expect(mine.known.current().attempts.map(({ id }) => id)).toEqual(['x']);
    expect(await mine.vault.release(record.state)).toBe(false);
  });

  it("is refused while another process sits in the keyring's dialog with the same callback", async () => {
    const [mine, other] = [await process(), await process()];
    await mine.vault.keep(record);
    await other.known.load();
    other.secrets.setMode('prompting');
    const taken = other.vault.take(record.state);
    await until(() => other.secrets.calls.length === 1, 'the dialog');
    await settle();
    const released = mine.vault.release(record.state);
    await until(() => clock.pending === 1, 'the wait for the lock');
    await clock.advance(LIMITS.claimWaitMs);
    expect(await released).toBe(false);
    other.secrets.answerPrompt('unlocked');
    expect(await taken).toEqual(record);
  });

  it.each([
    ['remains', false],
    ['goes', true],
  ])(
    'by a process that can write no file is granted only when the record %s (%s)',
    async (what, granted) => {
      const { vault, secrets } = await process();
      await vault.keep(record);
      file.save = () => Promise.reject(new Error('ENOSPC'));
      if (what === 'remains') secrets.remove = async () => ({ state: 'locked', detail: 'no' });
      expect(await vault.release(record.state)).toBe(granted);
    },
  );

  it('waits for a keep whose file is slow, and leaves nothing of it behind', async () => {
    const { vault } = await process();
    const { save } = file;
    let written = (): void => {};
    file.save = async (state) => {
      await new Promise<void>((resolve) => {
        written = resolve;
      });
      await save(state);
    };
    void vault.keep(record);
    await settle();
    const released = vault.release(record.state);
    await settle();
    file.save = save;
    written();
    expect([await released, entries.size, knownIds()]).toEqual([true, 0, []]);
  });

  it('claims also where the system gives no lock', async () => {
    const { known } = await process();
    const bare = createAttemptStore(
      createFakeSecretStore('works', entries),
      known,
      { hold: async () => ({ held: false, reason: 'unavailable', detail: 'none' }) },
      clock,
      own,
      log,
      tell,
    );
    await bare.keep(record);
    expect([await bare.release(record.state), entries.size, knownIds()]).toEqual([true, 0, []]);
  });

  it('before the file was read is at once, and the attempt is not kept afterwards', async () => {
    const known = createStoredState(file, lock, own, log);
    const secrets = createFakeSecretStore('works', entries);
    const vault = createAttemptStore(secrets, known, lock, clock, own, log, tell);
    const kept = vault.keep(record);
    expect(await vault.release(record.state)).toBe(true);
    await known.load();
    await kept;
    expect([secrets.calls, file.saves]).toEqual([[], []]);
  });

  it.each(['locked', 'unavailable'] as const)(
    'is granted when the keyring is %s, and no process takes the attempt afterwards',
    async (mode) => {
      const { vault, secrets } = await process();
      await vault.keep(record);
      secrets.setMode(mode);
      expect(await vault.release(record.state)).toBe(true);
      expect([entries.size, await (await process()).vault.take(record.state)]).toEqual([1, null]);
    },
  );

  it('is granted when the keyring hangs for as long as a claim may take, and leaves no timer', async () => {
    const { vault, secrets } = await process();
    await vault.keep(record);
    secrets.setMode('prompting');
    const released = vault.release(record.state);
    await until(() => secrets.calls.length === 2, 'the removal');
    await settle();
    await clock.advance(LIMITS.claimWaitMs - 1);
    expect(await stateOf(released)).toBe('pending');
    await clock.advance(1);
    expect(await released).toBe(true);
    expect([clock.pending, await (await process()).vault.take(record.state)]).toEqual([0, null]);
    secrets.answerPrompt('unlocked');
    await until(() => entries.size === 0, 'the end of the removal');
  });
});

describe('a callback that waits for a keyring', () => {
  const MONTH = 30 * 86_400_000;

  it.each([
    ['set back by a month', -MONTH],
    ['set back by a century', -100 * 365 * 86_400_000],
  ])('asks it once and waits its time, though the calendar is %s', async (_what, jump) => {
    const { vault, secrets } = await process();
    await vault.keep(record);
    secrets.setMode('locked');
    clock.jumpTo(NOW + jump);
    const before = secrets.calls.length;
    const taken = vault.take(record.state);
    await until(() => told.length > 0, 'a word');
    await clock.advance(LIMITS.attemptMaxMs - 1);
    expect([secrets.calls.length - before, told, await stateOf(taken)]).toEqual([
      1,
      ['keyring-locked'],
      'pending',
    ]);
    await clock.advance(1);
    expect([await taken, told, clock.pending]).toEqual([
      null,
      ['keyring-locked', 'sign-in-expired'],
      0,
    ]);
  });

  it('is taken when it opens, though the calendar went back meanwhile, and leaves no timer', async () => {
    const { vault, secrets } = await process();
    await vault.keep(record);
    secrets.setMode('locked');
    const taken = vault.take(record.state);
    await until(() => told.length > 0, 'a word');
    clock.jumpTo(NOW - MONTH);
    await clock.advance(60_000);
    secrets.setMode('works');
    vault.tryAgain();
    expect([await taken, clock.pending]).toEqual([record, 0]);
  });

  it('is over when the time of the attempt is', async () => {
    const { vault, secrets } = await process();
    await vault.keep(record);
    secrets.setMode('locked');
    const taken = vault.take(record.state);
    await until(() => told.length > 0, 'a word');
    await clock.advance(300_000);
    expect([await taken, told.at(-1), clock.pending]).toEqual([null, 'sign-in-expired', 0]);
  });
});

describe('sweep', () => {
  it('removes what is over, and nothing else', async () => {
    const { vault } = await process();
    await vault.keep(record);
    await vault.keep({ ...record, state: 'secret-later', expiresAt: record.expiresAt + 1 });
    entries.set('session:ada', 'secret');
    await vault.sweep(record.expiresAt);
    expect([
      [...entries.values()].filter((value) => value.includes('secret-state')),
      entries.size,
      knownIds().length,
    ]).toEqual([[], 2, 1]);
  });

  it('keeps in mind what a locked keyring did not let go', async () => {
    const { vault, secrets } = await process();
    await vault.keep(record);
    secrets.setMode('locked');
    await vault.sweep(record.expiresAt);
    expect(knownIds()).toHaveLength(1);
    secrets.setMode('works');
    await vault.sweep(record.expiresAt);
    expect([entries.size, knownIds()]).toEqual([0, []]);
  });
});

describe('parseAttempt', () => {
  it('gives back what was kept', () => {
    expect(parseAttempt(JSON.stringify(record), own)).toEqual(record);
  });

  it.each(Object.keys(record))('finds none where "%s" is missing or of another type', (member) => {
    expect(parseAttempt(JSON.stringify({ ...record, [member]: undefined }), own)).toBeNull();
    expect(parseAttempt(JSON.stringify({ ...record, [member]: { odd: true } }), own)).toBeNull();
  });

  it('gives back what the sign-in demanded, and finds none where that is damaged', () => {
    const demand = { scopes: ['a'], acrValues: ['b'], maxAge: 5, claims: { c: 1 }, account: 'd' };
    expect(parseAttempt(JSON.stringify({ ...record, demand }), own)).toEqual({ ...record, demand });
    const odd: readonly unknown[] = [
      null,
      'a',
      { acrValues: 'b' },
      { ...demand, maxAge: '5' },
      { ...demand, account: '' },
      { ...demand, claims: [] },
    ];
    for (const one of odd)
      expect(parseAttempt(JSON.stringify({ ...record, demand: one }), own)).toBeNull();
  });

  it('throws for no text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(parseAttempt(text, own)).toBeNull();
      }),
    );
  });
});
