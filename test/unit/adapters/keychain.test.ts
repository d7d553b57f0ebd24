import { EventEmitter } from 'node:events';
import { utilityProcess } from 'electron';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Keychain, createKeychain } from '../../../src/main/adapters/secrets/keychain.js';
import type {
  WorkerProcess,
  WorkerReply,
  WorkerRequest,
} from '../../../src/main/adapters/secrets/keychain-protocol.js';
import { createMemoryStore } from '../../../src/main/adapters/secrets/memory-store.js';

type Answer =
  { value: string | boolean | null; tookMs?: number } | { text: string } | 'hang' | 'crash';

/** A worker that follows a script; what is not in the script hangs. */
interface ScriptedWorker {
  readonly process: WorkerProcess;
  readonly asked: WorkerRequest[];
  killed: boolean;
}

function scriptedWorker(script: (request: WorkerRequest) => Answer): ScriptedWorker {
  const events = new EventEmitter();
  const worker: ScriptedWorker = {
    asked: [],
    killed: false,
    process: {
      // Without a pid it is killed by `kill`, so that no real process is signalled.
      pid: undefined,
      postMessage(request) {
        worker.asked.push(request);
        const answer = script(request);
        queueMicrotask(() => {
          if (worker.killed || answer === 'hang') return;
          if (answer === 'crash') return void events.emit('exit', 11);
          const reply: WorkerReply =
            'text' in answer
              ? { id: request.id, ok: false, text: answer.text }
              : { id: request.id, ok: true, value: answer.value, tookMs: answer.tookMs ?? 1 };
          events.emit('message', reply);
        });
      },
      on: (event: string, listener: (value: never) => void) =>
        events.on(event, listener as (value: unknown) => void),
      kill() {
        worker.killed = true;
        return true;
      },
    },
  };
  return worker;
}

function open(...scripts: ((request: WorkerRequest) => Answer)[]): {
  store: Keychain;
  workers: ScriptedWorker[];
} {
  const workers: ScriptedWorker[] = [];
  const store = createKeychain({
    service: 'service',
    timeoutMs: 1_000,
    fork() {
      const script = scripts[Math.min(workers.length, scripts.length - 1)] ?? (() => 'hang');
      const worker = scriptedWorker(script);
      workers.push(worker);
      return worker.process;
    },
  });
  return { store, workers };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('keychain', () => {
  it('starts no worker before the first call', async () => {
    const { store, workers } = open(() => ({ value: null }));
    await vi.advanceTimersByTimeAsync(10_000);
    expect(workers).toHaveLength(0);
    await store.read('key', false);
    expect(workers).toHaveLength(1);
  });

  it('has one call in flight, however many wait', async () => {
    const { store, workers } = open(() => 'hang');
    const answers = Promise.all(['a', 'b', 'c', 'd', 'e'].map((key) => store.read(key, true)));
    await vi.advanceTimersByTimeAsync(999);
    expect(workers[0]?.asked).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect((await answers).map(({ state }) => state)).toEqual(Array(5).fill('locked'));
    expect(workers[0]?.killed).toBe(true);
  });

  it('counts the time of a call from when it was made, its wait for others included', async () => {
    let answered = 0;
    const { store } = open(() => ((answered += 1) === 1 ? 'hang' : { value: 'value' }));
    const first = store.read('a', true);
    await vi.advanceTimersByTimeAsync(900);
    const second = store.read('b', true);
    await vi.advanceTimersByTimeAsync(100);
    expect((await first).state).toBe('locked');
    expect((await second).state).toBe('locked');
  });

  it('starts another worker after one was killed', async () => {
    const { store, workers } = open(
      () => 'hang',
      () => ({ value: 'value' }),
    );
    const hanging = store.read('key', true);
    await vi.advanceTimersByTimeAsync(1_000);
    await hanging;
    expect(await store.read('key', true)).toEqual({ state: 'found', value: 'value' });
    expect(workers).toHaveLength(2);
  });

  it('stops starting workers that crash each time, and tries again later', async () => {
    const { store, workers } = open(() => 'crash');
    for (let call = 0; call < 10; call += 1)
      expect((await store.read('key', true)).state).toBe('unavailable');
    expect(workers).toHaveLength(3);
    await vi.advanceTimersByTimeAsync(30_000);
    await store.read('key', true);
    expect(workers).toHaveLength(4);
  });

  it('does not doubt "nothing there" of a key that nobody expects', async () => {
    const { store, workers } = open(() => ({ value: null }));
    expect(await store.read('key', false)).toEqual({ state: 'absent' });
    expect(workers[0]?.asked.map(({ op }) => op)).toEqual(['get']);
  });

  it('says absent of an expected key only after a probe was written, read again, and the probe removed', async () => {
    const { store, workers } = open(({ op }) => ({ value: op === 'get' ? null : true }));
    expect(await store.read('key', true)).toEqual({ state: 'absent' });
    expect(workers[0]?.asked.map(({ op, account }) => `${op} ${account}`)).toEqual([
      'get key',
      'set latchkey-probe',
      'delete latchkey-probe',
      'get key',
    ]);
  });

  it('says locked of an expected key when the probe is refused', async () => {
    const { store } = open(({ op }) =>
      op === 'get' ? { value: null } : { text: 'Cannot create an item in a locked collection' },
    );
    expect(await store.read('key', true)).toEqual({
      state: 'locked',
      detail: 'the keyring is locked',
    });
  });

  it('does not open a second dialog after one was dismissed', async () => {
    const { store, workers } = open(() => ({ value: null, tookMs: 5_000 }));
    expect((await store.read('key', true)).state).toBe('locked');
    expect(workers[0]?.asked).toHaveLength(1);
  });

  it('says unavailable when the keyring did not keep what was written', async () => {
    const { store } = open(() => ({ value: false }));
    expect((await store.write('key', 'value')).state).toBe('unavailable');
  });

  it('asks a fresh worker once more when one that worked before loses the keyring', async () => {
    let calls = 0;
    const { store, workers } = open(
      () =>
        (calls += 1) === 1
          ? { value: 'value' }
          : { text: 'The name :1.1 was not provided by any .service files' },
      () => ({ value: 'value' }),
    );
    await store.read('key', true);
    expect(await store.read('key', true)).toEqual({ state: 'found', value: 'value' });
    expect(workers).toHaveLength(2);
    expect(workers[0]?.killed).toBe(true);
  });

  it('answers unavailable when no worker can be started', async () => {
    const store = createKeychain({
      service: 'service',
      timeoutMs: 1_000,
      fork() {
        throw new Error('no');
      },
    });
    expect((await store.read('key', true)).state).toBe('unavailable');
    expect((await store.write('key', 'value')).state).toBe('unavailable');
  });

  it('ends a worker that was still starting when the store was closed', async () => {
    const worker = scriptedWorker(() => 'hang');
    let started = (_worker: WorkerProcess): void => {};
    const store = createKeychain({
      service: 'service',
      timeoutMs: 1_000,
      fork: () => new Promise((resolve) => (started = resolve)),
    });
    const reading = store.read('key', true);
    store.close();
    started(worker.process);
    expect((await reading).state).toBe('unavailable');
    await vi.advanceTimersByTimeAsync(0);
    expect(worker.killed).toBe(true);
    expect(worker.asked).toHaveLength(0);
  });

  it('leaves no timer behind', async () => {
    const { store } = open(() => ({ value: 'value' }));
    await Promise.all([store.read('a', true), store.write('b', 'value'), store.remove('c')]);
    expect(vi.getTimerCount()).toBe(0);
    void store.read('a', true);
    store.close();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('the store of the option "memory"', () => {
  it('takes nothing and has nothing', async () => {
    const store = createMemoryStore();
    expect(await store.write('key', 'value')).toEqual({
      state: 'unavailable',
      detail: 'kept in memory by option',
    });
    expect(await store.read('key', true)).toEqual({ state: 'absent' });
    expect(await store.remove('key')).toEqual({ state: 'done' });
    store.close();
    expect((await store.read('key', true)).state).toBe('unavailable');
  });
});

describe('an entry of another service', () => {
  it('is asked for by its own names, exactly as it stands there', async () => {
    const { store, workers } = open(() => ({ value: '"quoted"' }));
    expect(await store.foreign.read('notes', 'session')).toEqual({
      state: 'found',
      value: '"quoted"',
    });
    expect(workers[0]?.asked).toEqual([
      { id: 1, op: 'get-raw', service: 'notes', account: 'session' },
    ]);
  });

  it('that is not there is absent, and costs no probe: nobody knows that it should be there', async () => {
    const { store, workers } = open(() => ({ value: null }));
    expect(await store.foreign.read('notes', 'session')).toEqual({ state: 'absent' });
    expect(workers[0]?.asked).toHaveLength(1);
  });

  it('is locked when its dialog was dismissed, and unavailable without a keyring', async () => {
    expect(
      await open(() => ({ value: null, tookMs: 800 })).store.foreign.read('notes', 'session'),
    ).toMatchObject({ state: 'locked' });
    expect(
      await open(() => ({ text: 'Cannot autolaunch D-Bus' })).store.foreign.read(
        'notes',
        'session',
      ),
    ).toMatchObject({ state: 'unavailable' });
  });

  it('is removed by its own names; nothing there is believed after a probe of our own', async () => {
    const { store, workers } = open((request) => ({ value: request.op === 'set' }));
    expect(await store.foreign.remove('notes', 'session')).toEqual({ state: 'done' });
    expect(workers[0]?.asked.map(({ op, service, account }) => [op, service, account])).toEqual([
      ['delete', 'notes', 'session'],
      ['set', 'service', 'latchkey-probe'],
      ['delete', 'service', 'latchkey-probe'],
      ['delete', 'notes', 'session'],
    ]);
  });

  it('waits its turn, and shares the time limit', async () => {
    const { store } = open(() => 'hang');
    const answers = Promise.all([store.read('key', true), store.foreign.read('notes', 'session')]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect((await answers).map(({ state }) => state)).toEqual(['locked', 'locked']);
  });
});

describe("the worker's process", () => {
  afterEach(() => void vi.unstubAllEnvs());

  it.skipIf(process.platform === 'win32')(
    'is given no relative folder, where libsecret would look for dbus-launch',
    async () => {
      vi.stubEnv('PATH', '.:/usr/bin::tools:/bin');
      vi.stubEnv('XDG_DATA_DIRS', '.');
      const fork = vi.spyOn(utilityProcess, 'fork').mockImplementation(() => {
        throw new Error('seen enough');
      });
      const store = createKeychain({ service: 'service', timeoutMs: 1_000 });
      await store.read('key', false);
      const env = fork.mock.calls[0]?.[2]?.env as Record<string, string>;
      fork.mockRestore();
      expect(env['PATH']).toBe('/usr/bin:/bin');
      expect('XDG_DATA_DIRS' in env).toBe(false);
      expect(env['HOME']).toBe(process.env['HOME']);
    },
  );
});
