// Where a value lives when there are two stores: which one is asked, when it moves, and what a kill
// in between leaves.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFallbackStore } from '../../../src/main/core/storage/fallback-store.js';
import type { StoreChoice } from '../../../src/main/core/options/auth-options.js';
import type {
  SealedStore,
  SecretOutcome,
  SecretReading,
  SecretStore,
} from '../../../src/main/core/base/ports.js';
import { type FakeSecretStore, createFakeSecretStore, settle } from '../../support/fakes.js';

const KEY = 'session:ada';
const NOTE = `latchkey-left:${KEY}`;
const CHOICES: readonly StoreChoice[] = ['auto', 'keychain', 'safe-storage'];

type Mode = 'works' | 'locked' | 'unavailable';

interface FakeSealed extends SealedStore {
  readonly entries: Map<string, string>;
  readonly calls: readonly string[];
  setMode(mode: Mode): void;
}

/** As the real one: absence and removal are sure in every mode. */
function createFakeSealed(entries = new Map<string, string>()): FakeSealed {
  let mode: Mode = 'works';
  const calls: string[] = [];
  const refusal = (): Exclude<SecretOutcome, { state: 'done' }> | null =>
    mode === 'works' ? null : { state: mode, detail: `sealed ${mode}` };
  return {
    entries,
    calls,
    setMode: (next) => void (mode = next),
    async has(key) {
      return entries.has(key);
    },
    async read(key): Promise<SecretReading> {
      calls.push(`read ${key}`);
      const value = entries.get(key);
      return value === undefined ? { state: 'absent' } : (refusal() ?? { state: 'found', value });
    },
    async write(key, value): Promise<SecretOutcome> {
      calls.push(`write ${key}`);
      const refused = refusal();
      if (refused === null) entries.set(key, value);
      return refused ?? { state: 'done' };
    },
    async remove(key): Promise<SecretOutcome> {
      calls.push(`remove ${key}`);
      entries.delete(key);
      return { state: 'done' };
    },
    close() {},
  };
}

interface Bench {
  readonly keychain: FakeSecretStore;
  readonly sealed: FakeSealed;
  readonly store: SecretStore;
  /** The app starts again, perhaps with another choice. */
  restart(choice: StoreChoice): SecretStore;
}

function bench(choice: StoreChoice = 'auto'): Bench {
  const keychain = createFakeSecretStore();
  const sealed = createFakeSealed();
  const restart = (next: StoreChoice): SecretStore =>
    createFallbackStore(next, { keychain, sealed });
  return { keychain, sealed, restart, store: restart(choice) };
}

describe('a value that is nowhere yet', () => {
  it.each([
    ['auto', 'keychain'],
    ['keychain', 'keychain'],
    ['safe-storage', 'safe-storage'],
  ] as const)('with "%s" goes to the %s', async (choice, home) => {
    const { store, keychain, sealed } = bench(choice);
    expect(await store.write(KEY, 'v')).toEqual({ state: 'done' });
    expect([keychain.entries.get(KEY), sealed.entries.get(KEY)]).toEqual(
      home === 'keychain' ? ['v', undefined] : [undefined, 'v'],
    );
    expect(store.storeOf?.(KEY)).toBe(home);
    expect(await store.read(KEY, true)).toEqual({ state: 'found', value: 'v' });
  });

  it('with "auto" is sealed when there is no keychain, and says so', async () => {
    const { store, keychain, sealed } = bench();
    keychain.setMode('unavailable');
    expect(await store.write(KEY, 'v')).toEqual({ state: 'done' });
    expect([...sealed.entries]).toEqual([[KEY, 'v']]);
    expect(store.storeOf?.(KEY)).toBe('safe-storage');
  });

  it('with "auto" waits for a keychain that is locked or slow: it never goes elsewhere', async () => {
    const { store, keychain, sealed } = bench();
    keychain.setMode('locked');
    expect((await store.write(KEY, 'v')).state).toBe('locked');
    keychain.setMode('prompting');
    const slow = store.write(KEY, 'v');
    await settle();
    keychain.answerPrompt('timed-out');
    expect((await slow).state).toBe('locked');
    expect(sealed.calls).toEqual([]);
  });

  it.each([
    ['keychain', 'keychain'],
    ['safe-storage', 'sealed'],
  ] as const)('with "%s" goes to no other store', async (choice, only) => {
    const { store, keychain, sealed } = bench(choice);
    (only === 'keychain' ? keychain : sealed).setMode('unavailable');
    expect((await store.write(KEY, 'v')).state).toBe('unavailable');
    expect([keychain.entries.size, sealed.entries.size]).toEqual([0, 0]);
  });

  it('is in neither store when both refuse; the keychain tells why, unless a dialog is open', async () => {
    const { store, keychain, sealed } = bench();
    keychain.setMode('unavailable');
    sealed.setMode('unavailable');
    expect(await store.write(KEY, 'v')).toEqual({
      state: 'unavailable',
      detail: 'no secret service is running',
    });
    sealed.setMode('locked');
    expect((await store.write(KEY, 'v')).state).toBe('locked');
  });

  it('does not touch the files while the keychain works', async () => {
    const { store, sealed } = bench();
    await store.write(KEY, 'v');
    await store.write(KEY, 'w');
    expect(sealed.calls).toEqual([]);
  });
});

describe('a value that is sealed', () => {
  it('stays sealed when the keychain works again', async () => {
    const { store, keychain, sealed, restart } = bench();
    keychain.setMode('unavailable');
    await store.write(KEY, 'v');
    keychain.setMode('works');
    const next = restart('auto');
    expect(await next.read(KEY, true)).toEqual({ state: 'found', value: 'v' });
    await next.write(KEY, 'w');
    expect([keychain.entries.get(KEY), sealed.entries.get(KEY)]).toEqual([undefined, 'w']);
  });

  it.each(['locked', 'unavailable'] as const)(
    'is never looked for elsewhere while it is %s, whatever the keychain holds',
    async (mode) => {
      for (const choice of CHOICES) {
        const { store, keychain, sealed } = bench(choice);
        sealed.entries.set(KEY, 'new');
        keychain.entries.set(KEY, 'old');
        sealed.setMode(mode);
        expect((await store.read(KEY, true)).state).toBe(mode);
        expect((await store.write(KEY, 'newer')).state).toBe(mode);
        expect([keychain.entries.get(KEY), sealed.entries.get(KEY)]).toEqual(['old', 'new']);
      }
    },
  );

  it('can be removed while its key is away, and the keychain is not asked when it never had it', async () => {
    const { store, keychain, sealed } = bench();
    sealed.entries.set(KEY, 'v');
    sealed.setMode('unavailable');
    keychain.setMode('locked');
    expect(await store.remove(KEY)).toEqual({ state: 'done' });
    expect(sealed.entries.size).toBe(0);
    expect(keychain.calls).toEqual([]);
  });
});

describe('a value that moves', () => {
  it('moves with a write and never with a read', async () => {
    for (const [from, to] of [
      ['keychain', 'safe-storage'],
      ['safe-storage', 'keychain'],
    ] as const) {
      const { store, keychain, sealed, restart } = bench(from);
      await store.write(KEY, 'v');
      const [old, goal] = from === 'keychain' ? [keychain, sealed] : [sealed, keychain];
      const next = restart(to);
      expect(await next.read(KEY, true)).toEqual({ state: 'found', value: 'v' });
      expect(goal.entries.size).toBe(0);
      await next.write(KEY, 'w');
      await settle();
      expect([...goal.entries]).toEqual([[KEY, 'w']]);
      expect(old.entries.size).toBe(0);
      expect(next.storeOf?.(KEY)).toBe(to);
    }
  });

  it('stays sealed when the keychain does not take it home', async () => {
    for (const mode of ['locked', 'unavailable'] as const) {
      const { keychain, sealed, restart } = bench();
      sealed.entries.set(KEY, 'v');
      keychain.setMode(mode);
      const store = restart('keychain');
      expect(await store.write(KEY, 'w')).toEqual({ state: 'done' });
      expect(sealed.entries.get(KEY)).toBe('w');
      expect(store.storeOf?.(KEY)).toBe('safe-storage');
      keychain.setMode('works');
      await store.write(KEY, 'x');
      expect([...keychain.entries]).toEqual([[KEY, 'x']]);
      expect(sealed.entries.size).toBe(0);
    }
  });

  it('leaves an old copy behind in a keychain that went away: it is not read, and removal fails until it is gone', async () => {
    const { store, keychain, sealed, restart } = bench();
    await store.write(KEY, 'old');
    keychain.setMode('unavailable');
    expect(await store.write(KEY, 'new')).toEqual({ state: 'done' });
    expect(sealed.entries.has(NOTE)).toBe(true);
    const next = restart('auto');
    expect(await next.read(KEY, true)).toEqual({ state: 'found', value: 'new' });
    expect((await next.remove(KEY)).state).toBe('unavailable');
    expect((await next.remove(KEY)).state).toBe('unavailable');
    keychain.setMode('works');
    expect(await restart('auto').remove(KEY)).toEqual({ state: 'done' });
    expect([keychain.entries.size, sealed.entries.size]).toEqual([0, 0]);
  });

  it('has its old copy cleared by a later write, tried once in each run and without waiting', async () => {
    const { store, keychain, sealed, restart } = bench();
    await store.write(KEY, 'old');
    keychain.setMode('unavailable');
    await store.write(KEY, 'new');
    keychain.setMode('prompting');
    const next = restart('auto');
    expect(await next.write(KEY, 'newer')).toEqual({ state: 'done' });
    expect(await next.write(KEY, 'newest')).toEqual({ state: 'done' });
    await settle();
    expect(keychain.calls.filter((call) => call.startsWith('remove'))).toHaveLength(2);
    keychain.answerPrompt('unlocked');
    await settle();
    expect(keychain.entries.size).toBe(0);
    expect([...sealed.entries]).toEqual([[KEY, 'newest']]);
  });

  it('leaves a note before the keychain gets its copy, so that a kill in between forgets neither', async () => {
    const { keychain, sealed, restart } = bench();
    sealed.entries.set(KEY, 'v');
    const killed = { ...sealed, remove: (): Promise<SecretOutcome> => new Promise(() => {}) };
    void createFallbackStore('keychain', { keychain, sealed: killed }).write(KEY, 'w');
    await settle();
    expect([keychain.entries.get(KEY), sealed.entries.get(KEY)]).toEqual(['w', 'w']);
    expect(await restart('auto').remove(KEY)).toEqual({ state: 'done' });
    expect([keychain.entries.size, sealed.entries.size]).toEqual([0, 0]);
  });

  it('is noted when a session that must be in the keychain could not be read from it', async () => {
    const { keychain, sealed, restart } = bench();
    keychain.entries.set(KEY, 'of an earlier run');
    keychain.setMode('unavailable');
    const store = restart('auto');
    expect((await store.read(KEY, true)).state).toBe('unavailable');
    await store.write(KEY, 'signed in again');
    expect(sealed.entries.has(NOTE)).toBe(true);
  });

  it('does not move without its note', async () => {
    const { store, keychain, sealed } = bench();
    await store.write(KEY, 'old');
    keychain.setMode('unavailable');
    sealed.setMode('unavailable');
    expect((await store.write(KEY, 'new')).state).toBe('unavailable');
    expect(sealed.entries.size).toBe(0);
  });
});

describe('calls', () => {
  it('on one key run in the order they were made', async () => {
    const { store } = bench();
    const answers = await Promise.all([
      store.write(KEY, '1'),
      store.read(KEY, true),
      store.write(KEY, '2'),
      store.read(KEY, true),
      store.remove(KEY),
      store.read(KEY, false),
    ]);
    expect(answers.map((answer) => ('value' in answer ? answer.value : answer.state))).toEqual([
      'done',
      '1',
      'done',
      '2',
      'done',
      'absent',
    ]);
  });

  it('that wait for one which is locked are locked with it, and open no second dialog', async () => {
    const { store, keychain } = bench();
    keychain.setMode('locked');
    const answers = await Promise.all([
      store.read(KEY, true),
      store.write(KEY, 'v'),
      store.remove(KEY),
    ]);
    expect(answers.map(({ state }) => state)).toEqual(['locked', 'locked', 'locked']);
    expect(keychain.calls).toHaveLength(1);
  });

  it('close both stores', async () => {
    const { store, keychain } = bench();
    store.close();
    expect(keychain.closed).toBe(true);
  });
});

describe('a kill', () => {
  interface Run {
    readonly choice: StoreChoice;
    readonly keychain: Mode;
    readonly sealed: Mode;
    readonly action: 'write' | 'remove' | 'read';
    /** The process ends after so many changes of a store. */
    readonly changes: number;
  }
  const modes = fc.constantFrom<Mode>('works', 'works', 'locked', 'unavailable');
  const runs = fc.array(
    fc.record<Run>({
      choice: fc.constantFrom(...CHOICES),
      keychain: modes,
      sealed: modes,
      action: fc.constantFrom('write', 'write', 'read', 'remove'),
      changes: fc.constantFrom(0, 1, 2, 3, 4, 99, 99),
    }),
    { minLength: 1, maxLength: 8 },
  );

  /** Lets so many changes through and then never answers again: what a killed process sees. */
  function doomed<S extends SecretStore>(store: S, left: { changes: number }, die: () => void): S {
    const guard = (change: () => Promise<SecretOutcome>): Promise<SecretOutcome> => {
      if (left.changes > 0) {
        left.changes -= 1;
        return change();
      }
      die();
      return new Promise(() => {});
    };
    return {
      ...store,
      write: (key: string, value: string) => guard(() => store.write(key, value)),
      remove: (key: string) => guard(() => store.remove(key)),
    };
  }

  it('at any moment of any history leaves the last value or the one being written, and a removal that is done leaves nothing', async () => {
    await fc.assert(
      fc.asyncProperty(runs, async (history) => {
        const { keychain, sealed } = bench();
        let possible: readonly (string | null)[] = [null];
        for (const [index, run] of history.entries()) {
          keychain.setMode(run.keychain);
          sealed.setMode(run.sealed);
          let die = (): void => {};
          const killed = new Promise<null>((resolve) => (die = () => resolve(null)));
          const left = { changes: run.changes };
          const store = createFallbackStore(run.choice, {
            keychain: doomed(keychain, left, die),
            sealed: doomed(sealed, left, die),
          });
          // As the vault does: what is stored is read first, and it is known whether something must
          // be there.
          await store.read(KEY, !possible.includes(null));
          const value = `v${index}`;
          const outcome =
            run.action === 'write'
              ? await Promise.race([store.write(KEY, value), killed])
              : run.action === 'remove'
                ? await Promise.race([store.remove(KEY), killed])
                : null;
          await settle();
          if (run.action === 'write')
            possible = outcome?.state === 'done' ? [value] : [...possible, value];
          if (run.action === 'remove') possible = outcome?.state === 'done' ? [null] : [];
          keychain.setMode('works');
          sealed.setMode('works');
          const found = await createFallbackStore('auto', { keychain, sealed }).read(KEY, true);
          const seen =
            found.state === 'found' ? found.value : found.state === 'absent' ? null : found.state;
          // A removal that is not done is repeated until it is: nothing is read before (session-store.ts).
          if (run.action === 'remove' && outcome?.state !== 'done') {
            expect(await createFallbackStore('auto', { keychain, sealed }).remove(KEY)).toEqual({
              state: 'done',
            });
            possible = [null];
            expect(keychain.entries.size + sealed.entries.size).toBe(0);
            continue;
          }
          expect(possible).toContain(seen);
          possible = [seen];
          if (seen === null && run.action === 'remove')
            expect(keychain.entries.size + sealed.entries.size).toBe(0);
        }
      }),
      { numRuns: 400 },
    );
  });
});
