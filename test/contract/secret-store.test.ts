// SecretStore: the same cases on the fake, on the genuine gnome-keyring behind the genuine worker,
// and on genuine files under a safeStorage that encrypts but is not Electron's.
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createKeychain } from '../../src/main/adapters/secrets/keychain.js';
import type { WorkerProcess } from '../../src/main/adapters/secrets/keychain-protocol.js';
import { createSafeStorage } from '../../src/main/adapters/secrets/safe-storage.js';
import type { SecretStore } from '../../src/main/core/base/ports.js';
import { createFakeSafeStorage } from '../support/fake-safe-storage.js';
import { createFakeSecretStore, settle } from '../support/fakes.js';
import { forkKeychainWorker } from '../support/keychain-process.js';
import {
  haveDisplay,
  haveParts,
  startPrivateKeyring,
  type Keyring,
  type KeyringKind,
} from '../support/keyring.js';

const PLENTY_MS = 10_000;
const SHORT_MS = 700;

/** What a case may do to the world behind the store. */
interface World {
  readonly store: SecretStore;
  readonly timeLimitMs: number;
  lock(): Promise<void>;
  unlock(): Promise<void>;
  /** A second store on the same keyring, as after a restart of the app. */
  reopen(): SecretStore;
}

interface Subject {
  readonly name: string;
  readonly present: boolean;
  /** `prompting`: locked, and the password dialog stays open beyond the store's time limit. */
  open(kind: 'works' | 'prompting' | 'unavailable'): Promise<World>;
  canPrompt(): boolean;
  /**
   * False: Electron keeps the key once it has it, and a keyring that is refused is to it as none at
   * all.
   */
  readonly canLock: boolean;
  /** A file is removed without asking anybody. */
  readonly removesAlways: boolean;
  close(): void;
}

function fakeSubject(): Subject {
  return {
    name: 'fake',
    present: true,
    async open(kind) {
      const store = createFakeSecretStore(kind === 'prompting' ? 'works' : kind);
      return {
        store,
        timeLimitMs: 50,
        async lock() {
          store.setMode(kind === 'prompting' ? 'prompting' : 'locked');
          // The time limit of the real store.
          if (kind === 'prompting') setTimeout(() => store.answerPrompt('timed-out'), 50);
        },
        async unlock() {
          store.setMode('works');
        },
        reopen: () => store,
      };
    },
    canPrompt: () => true,
    canLock: true,
    removesAlways: false,
    close() {},
  };
}

function safeStorageSubject(): Subject {
  const folders: string[] = [];
  return {
    name: 'safeStorage',
    present: true,
    async open(kind) {
      const folder = mkdtempSync(join(realpathSync(tmpdir()), 'latchkey-sealed-'));
      folders.push(folder);
      const safeStorage = createFakeSafeStorage();
      const reopen = (): SecretStore =>
        createSafeStorage({
          timeoutMs: kind === 'prompting' ? SHORT_MS : PLENTY_MS,
          safeStorage,
          folder,
          platform: 'linux',
        });
      const store = reopen();
      if (kind === 'unavailable') {
        await store.write('key', 'of better times');
        safeStorage.setMode('keyless');
      }
      return {
        store,
        timeLimitMs: SHORT_MS,
        async lock() {
          safeStorage.setMode('prompting');
        },
        async unlock() {
          safeStorage.setMode('works');
        },
        reopen,
      };
    },
    canPrompt: () => true,
    canLock: false,
    removesAlways: true,
    close() {
      for (const folder of folders) rmSync(folder, { recursive: true, force: true });
    },
  };
}

function keyringSubject(): Subject {
  const keyrings = new Map<KeyringKind | 'prompting', Keyring>();
  const stores: SecretStore[] = [];
  let services = 0;
  return {
    name: 'gnome-keyring',
    present: haveParts('gnome-keyring-daemon', 'dbus-daemon', 'gdbus'),
    async open(kind) {
      const needed = kind === 'works' ? 'unlocked' : kind === 'unavailable' ? 'none' : 'prompting';
      const keyring =
        keyrings.get(needed) ??
        (await startPrivateKeyring(
          needed === 'prompting' ? 'unlocked' : needed,
          needed === 'prompting' ? process.env['DISPLAY'] : undefined,
        ));
      keyrings.set(needed, keyring);
      const service = `latchkey contract ${(services += 1)}`;
      const reopen = (): SecretStore => {
        const store = createKeychain({
          service,
          timeoutMs: kind === 'prompting' ? SHORT_MS : PLENTY_MS,
          fork: () => forkKeychainWorker(keyring.env),
        });
        stores.push(store);
        return store;
      };
      return {
        store: reopen(),
        timeLimitMs: SHORT_MS,
        lock: keyring.lock,
        unlock: keyring.unlock,
        reopen,
      };
    },
    canPrompt: haveDisplay,
    canLock: true,
    removesAlways: false,
    close() {
      for (const store of stores) store.close();
      for (const keyring of keyrings.values()) keyring.stop();
    },
  };
}

const ODD_VALUES: readonly (readonly [string, string])[] = [
  ['an empty value', ''],
  ['a value with NUL', 'before\0after'],
  ['a value of JSON', '{"a":"b","c":[1,2]}'],
  ['a value that is a JSON string', '"quoted"'],
  ['a value with a lone surrogate', 'a\ud800b'],
  ['a value of many scripts and line ends', 'ünïcödé 漢字 🔑\r\n\t"\\'],
  ['a value of 64 KiB', 'x'.repeat(65_536)],
];

for (const subject of [fakeSubject(), keyringSubject(), safeStorageSubject()]) {
  describe.skipIf(!subject.present)(`secret store: ${subject.name}`, () => {
    afterAll(() => subject.close());

    describe('with an open keyring', () => {
      let world: World;
      beforeAll(async () => {
        world = await subject.open('works');
      });

      it('finds what was written, also after a restart of the app', async () => {
        expect(await world.store.write('kept', 'first')).toEqual({ state: 'done' });
        expect(await world.store.read('kept', true)).toEqual({ state: 'found', value: 'first' });
        expect(await world.reopen().read('kept', true)).toEqual({ state: 'found', value: 'first' });
      });

      it('finds the newest value of a key', async () => {
        await world.store.write('renewed', 'old');
        expect(await world.store.write('renewed', 'new')).toEqual({ state: 'done' });
        expect(await world.store.read('renewed', true)).toEqual({ state: 'found', value: 'new' });
      });

      it('says absent of a key that was never written, expected or not', async () => {
        expect(await world.store.read('never', false)).toEqual({ state: 'absent' });
        expect(await world.store.read('never', true)).toEqual({ state: 'absent' });
      });

      it('removes a value, and what is not there as well', async () => {
        await world.store.write('doomed', 'value');
        expect(await world.store.remove('doomed')).toEqual({ state: 'done' });
        expect(await world.store.read('doomed', true)).toEqual({ state: 'absent' });
        expect(await world.store.remove('doomed')).toEqual({ state: 'done' });
      });

      it('leaves the other keys alone when one is removed', async () => {
        await world.store.write('a', 'of a');
        await world.store.write('b', 'of b');
        await world.store.remove('a');
        expect(await world.store.read('b', true)).toEqual({ state: 'found', value: 'of b' });
      });

      it.each(ODD_VALUES)('gives back %s unchanged', async (_name, value) => {
        expect(await world.store.write('odd', value)).toEqual({ state: 'done' });
        expect(await world.store.read('odd', true)).toEqual({ state: 'found', value });
      });

      it('does calls on one key in the order they were made', async () => {
        const answers = await Promise.all([
          world.store.write('ordered', '1'),
          world.store.read('ordered', true),
          world.store.write('ordered', '2'),
          world.store.read('ordered', true),
          world.store.remove('ordered'),
          world.store.read('ordered', false),
        ]);
        expect(answers).toEqual([
          { state: 'done' },
          { state: 'found', value: '1' },
          { state: 'done' },
          { state: 'found', value: '2' },
          { state: 'done' },
          { state: 'absent' },
        ]);
      });

      it.each(['', 'with\0NUL'])(
        'refuses the key %j, which a keyring would mistake for another',
        async (key) => {
          expect((await world.store.write(key, 'value')).state).toBe('unavailable');
          expect((await world.store.read(key, false)).state).toBe('unavailable');
          expect((await world.store.remove(key)).state).toBe('unavailable');
        },
      );
    });

    // Files that nobody has to open have no such mood.
    if (subject.canLock) {
      it('says locked of a locked keyring that cannot ask, and finds everything once it is open', async () => {
        const world = await subject.open('works');
        await world.store.write('kept', 'survives');
        await world.lock();
        expect((await world.store.read('kept', true)).state).toBe('locked');
        expect((await world.store.write('kept', 'lost')).state).toBe('locked');
        expect((await world.store.remove('kept')).state).toBe('locked');
        expect((await world.reopen().read('kept', true)).state).toBe('locked');
        await world.unlock();
        expect(await world.reopen().read('kept', true)).toEqual({
          state: 'found',
          value: 'survives',
        });
      });
    }

    it('says locked within its time limit of a keyring whose dialog nobody answers, to every call that waits', async (context) => {
      if (!subject.canPrompt()) return context.skip();
      const world = await subject.open('prompting');
      await world.store.write('kept', 'survives');
      await world.lock();
      const startedAt = performance.now();
      const answers = await Promise.all([
        world.store.read('kept', true),
        world.store.write('other', 'value'),
        world.store.remove('kept'),
      ]);
      expect(answers.map(({ state }) => state)).toEqual(['locked', 'locked', 'locked']);
      const tookMs = performance.now() - startedAt;
      expect(tookMs).toBeGreaterThan(world.timeLimitMs - 20);
      expect(tookMs).toBeLessThan(world.timeLimitMs + 500);
      await world.unlock();
      expect(await world.store.read('kept', true)).toEqual({ state: 'found', value: 'survives' });
    });

    it('says unavailable of everything when there is no secret service', async () => {
      const { store } = await subject.open('unavailable');
      expect((await store.read('key', true)).state).toBe('unavailable');
      expect((await store.read('key', false)).state).toBe('unavailable');
      expect((await store.write('key', 'value')).state).toBe('unavailable');
      expect((await store.remove('key')).state).toBe(
        subject.removesAlways ? 'done' : 'unavailable',
      );
    });

    it('never puts a value into a detail', async () => {
      const secret = 'do-not-tell-7f3a';
      const worlds = [await subject.open('works'), await subject.open('unavailable')];
      if (subject.canLock) await worlds[0]?.lock();
      for (const { store } of worlds) {
        const answers = [
          await store.write('key', secret),
          await store.read('key', true),
          await store.write('', secret),
        ];
        expect(
          answers.map((answer) => ('detail' in answer ? answer.detail : '')).join(),
        ).not.toContain(secret);
      }
      await worlds[0]?.unlock();
    });

    it('answers unavailable to every call once it is closed, also to those that were waiting', async () => {
      const { store } = await subject.open('works');
      const waiting = store.write('key', 'value');
      store.close();
      expect((await waiting).state).toBe('unavailable');
      expect((await store.read('key', true)).state).toBe('unavailable');
      expect((await store.write('key', 'value')).state).toBe('unavailable');
      expect((await store.remove('key')).state).toBe('unavailable');
      store.close();
      await settle();
    });
  });
}

describe.skipIf(!haveParts('gnome-keyring-daemon', 'dbus-daemon', 'gdbus'))(
  'keychain on a genuine keyring in trouble',
  () => {
    const cleanUps: (() => void)[] = [];
    afterEach(() => {
      for (const cleanUp of cleanUps.splice(0)) cleanUp();
    });

    function open(
      env: NodeJS.ProcessEnv,
      timeoutMs = PLENTY_MS,
    ): { store: SecretStore; workers: WorkerProcess[] } {
      const workers: WorkerProcess[] = [];
      const store = createKeychain({
        service: 'latchkey trouble',
        timeoutMs,
        fork() {
          const worker = forkKeychainWorker(env);
          workers.push(worker);
          return worker;
        },
      });
      cleanUps.push(() => store.close());
      return { store, workers };
    }

    async function keyring(kind: KeyringKind): Promise<Keyring> {
      const started = await startPrivateKeyring(kind);
      cleanUps.push(() => started.stop());
      return started;
    }

    it('kills a worker that hears nothing any more, and starts another for the next call', async () => {
      const { env } = await keyring('unlocked');
      const { store, workers } = open(env, SHORT_MS);
      await store.write('kept', 'survives');
      const [first] = workers;
      const gone = new Promise((resolve) => first?.on('exit', resolve));
      process.kill(first?.pid ?? 0, 'SIGSTOP');
      expect((await store.read('kept', true)).state).toBe('locked');
      await gone;
      expect(await store.read('kept', true)).toEqual({ state: 'found', value: 'survives' });
      expect(workers).toHaveLength(2);
    });

    it('answers unavailable when the worker crashes, and starts another for the next call', async () => {
      const { env } = await keyring('unlocked');
      const { store, workers } = open(env);
      await store.write('kept', 'survives');
      const reading = store.read('kept', true);
      process.kill(workers[0]?.pid ?? 0, 'SIGSEGV');
      expect((await reading).state).toBe('unavailable');
      expect(await store.read('kept', true)).toEqual({ state: 'found', value: 'survives' });
    });

    it('survives a worker that crashes between two calls without anyone noticing', async () => {
      const { env } = await keyring('unlocked');
      const { store, workers } = open(env);
      await store.write('kept', 'survives');
      const gone = new Promise((resolve) => workers[0]?.on('exit', resolve));
      process.kill(workers[0]?.pid ?? 0, 'SIGSEGV');
      await gone;
      expect(await store.read('kept', true)).toEqual({ state: 'found', value: 'survives' });
    });

    it('says unavailable when the keyring has no collection to write to', async () => {
      const { env } = await keyring('empty');
      const { store } = open(env);
      expect(await store.write('key', 'value')).toEqual({
        state: 'unavailable',
        detail: 'the secret service has no keyring to write to',
      });
      expect((await store.read('key', true)).state).toBe('unavailable');
      expect(await store.read('key', false)).toEqual({ state: 'absent' });
    });

    it.each([
      ['there is no bus', undefined, 'there is no D-Bus session bus'],
      [
        'the address of the bus is wrong',
        'unix:path=/nonexistent/bus',
        'the D-Bus session bus does not answer',
      ],
      ['the address of the bus is empty', '', 'the address of the D-Bus session bus is empty'],
    ])('says unavailable when %s', async (_name, address, detail) => {
      const { DBUS_SESSION_BUS_ADDRESS: _bus, ...rest } = (await keyring('none')).env;
      // An own runtime folder: GDBus would find the bus there without being told.
      const { store } = open({
        ...rest,
        XDG_RUNTIME_DIR: '/nonexistent',
        ...(address === undefined ? {} : { DBUS_SESSION_BUS_ADDRESS: address }),
      });
      expect(await store.write('key', 'value')).toEqual({ state: 'unavailable', detail });
      expect((await store.read('key', true)).state).toBe('unavailable');
    });

    it('says unavailable when no secret service is installed', async () => {
      const { env } = await keyring('none');
      const { store } = open(env);
      expect(await store.write('key', 'value')).toEqual({
        state: 'unavailable',
        detail: 'no secret service is installed (Debian: gnome-keyring)',
      });
    });

    it('reads again after the keyring daemon was replaced', async () => {
      const daemon = await keyring('unlocked');
      const { store } = open(daemon.env);
      await store.write('kept', 'survives');
      await daemon.lock();
      await daemon.unlock();
      expect(await store.read('kept', true)).toEqual({ state: 'found', value: 'survives' });
    });
  },
);
