// SecretStore over keytar, which runs in a utility process: a keyring that hangs or crashes affects
// only the worker. May not load keytar itself, and forks nothing before its first use.
import type { SecretOutcome, SecretReading, SecretStore } from '../../core/base/ports.js';
import { CLOSED, createCallQueue } from './call-queue.js';
import {
  parseReply,
  recogniseFailure,
  type KeyringFailure,
  type WorkerProcess,
  type WorkerReply,
  type WorkerRequest,
} from './keychain-protocol.js';
import { ownFile } from '../package-files.js';
import { safeEnvironment } from '../run-tool.js';

/**
 * A null that took longer than this is a dialog that was dismissed: to ask again would open it a
 * second time.
 */
const DIALOG_SUSPECTED_MS = 750;
/** A worker that dies this often in a row without one answer is not started again for a while. */
const CRASHES_MAX = 3;
const CRASH_PAUSE_MS = 30_000;
/**
 * Written and removed again to learn whether a keyring that says "nothing there" would open at all.
 */
const PROBE_ACCOUNT = 'latchkey-probe';

export interface KeychainOptions {
  /** The service name of every entry. */
  readonly service: string;
  /** How long one call may take from being made, its wait for others included. */
  readonly timeoutMs: number;
  /** Starts the worker. Default: Electron's utility process, once the app is ready. */
  readonly fork?: () => WorkerProcess | Promise<WorkerProcess>;
}

type Succeeded = Extract<WorkerReply, { ok: true }>;
type Ask = (
  request:
    | { op: 'get' | 'get-raw' | 'delete'; account: string; service?: string }
    | { op: 'set'; account: string; value: string },
) => Promise<Succeeded | KeyringFailure>;

/**
 * Entries that this keychain did not write: values are what they are, and nothing is known of what
 * should be there.
 */
export interface ForeignEntries {
  read(service: string, account: string): Promise<SecretReading>;
  remove(service: string, account: string): Promise<SecretOutcome>;
}

/** The store. Entries of other services use the same worker and the same queue. */
export interface Keychain extends SecretStore {
  readonly foreign: ForeignEntries;
}

const CRASHED: KeyringFailure = {
  state: 'unavailable',
  detail: 'the keychain process ended unexpectedly',
};
const CRASHES_ALWAYS: KeyringFailure = {
  state: 'unavailable',
  detail: 'the keychain process keeps ending unexpectedly',
};
const NOT_STARTED: KeyringFailure = {
  state: 'unavailable',
  detail: 'the keychain process does not start',
};
const TIMED_OUT: KeyringFailure = {
  state: 'locked',
  detail: 'the keyring did not answer in time, as when its password dialog stays open',
};
const DISMISSED: KeyringFailure = {
  state: 'locked',
  detail:
    'the keyring answered nothing after a long time, as when its password dialog is dismissed',
};
const NOT_KEPT: KeyringFailure = {
  state: 'unavailable',
  detail: 'the keyring did not give back what was written',
};

/**
 * Creates the keychain. Calls run one after the other: a dialog that stops one call would stop all,
 * and four calls that hang would use up the worker's threads. When a call's time is up, the worker
 * is killed and every call that waits is `locked`; when the worker dies, every call that waits is
 * `unavailable`. The next call starts a new one.
 */
export function createKeychain({
  service,
  timeoutMs,
  fork = forkUtilityProcess,
}: KeychainOptions): Keychain {
  let worker: WorkerProcess | null = null;
  // This worker has reached a keyring at least once.
  let proven = false;
  let waiting: {
    readonly id: number;
    readonly resolve: (reply: Succeeded | KeyringFailure) => void;
    readonly secret?: string;
  } | null = null;
  let lastId = 0;
  // Counts how often everything was abandoned. Calls from before have no effect afterwards.
  let era = 0;
  let crashesInRow = 0;
  let lastCrashAt = -Infinity;

  const calls = createCallQueue({
    timeoutMs,
    timedOut: TIMED_OUT,
    failureOf: () => NOT_STARTED,
    onAbandon() {
      era += 1;
      const ended = worker;
      worker = null;
      waiting = null;
      if (ended !== null) end(ended);
      return null;
    },
  });

  function enqueue<Answer>(
    account: string,
    steps: (ask: Ask) => Promise<Answer>,
  ): Promise<Answer | KeyringFailure> {
    return calls.run(account, (isOver) =>
      steps((request) => (isOver() ? Promise.resolve(CLOSED) : ask(request))),
    );
  }

  const ask: Ask = async (request) => {
    const first = await askOnce(request);
    if (!('state' in first) || first.state === 'locked' || worker === null) return first;
    // libsecret keeps the address of a daemon or bus that has gone: only another process finds its
    // successor.
    const mayBeStale = proven;
    end(worker);
    worker = null;
    return mayBeStale ? await askOnce(request) : first;
  };

  const askOnce: Ask = async (request) => {
    const mine = era;
    if (worker === null) {
      if (crashesInRow >= CRASHES_MAX && performance.now() - lastCrashAt < CRASH_PAUSE_MS)
        return CRASHES_ALWAYS;
      const started = await fork();
      if (mine !== era) {
        end(started);
        return CLOSED;
      }
      adopt(started);
    }
    const id = (lastId += 1);
    return await new Promise((resolve) => {
      waiting = request.op === 'set' ? { id, resolve, secret: request.value } : { id, resolve };
      const message: WorkerRequest = { id, service, ...request };
      worker?.postMessage(message);
    });
  };

  function adopt(started: WorkerProcess): void {
    worker = started;
    proven = false;
    started.on('message', (message) => {
      const reply = parseReply(message);
      if (started !== worker || reply === null || reply.id !== waiting?.id) return;
      const { resolve, secret } = waiting;
      waiting = null;
      crashesInRow = 0;
      proven ||= reply.ok;
      resolve(reply.ok ? reply : recogniseFailure(reply.text, secret));
    });
    started.on('exit', () => {
      if (started !== worker) return;
      worker = null;
      // Nobody waited: the next call simply starts another.
      if (calls.isEmpty()) return;
      crashesInRow += 1;
      lastCrashAt = performance.now();
      calls.abandon(CRASHED);
    });
  }

  return {
    read(key, expected): Promise<SecretReading> {
      return enqueue<SecretReading>(key, async (ask) => {
        const first = await find(ask, key);
        if (first.state !== 'absent') return first;
        if (!expected) return { state: 'absent' };
        if (tookLong(first.tookMs)) return DISMISSED;
        const refusal = await probe(ask);
        if (refusal !== null) return refusal;
        const second = await find(ask, key);
        return second.state === 'absent' ? { state: 'absent' } : second;
      });
    },
    write(key, value): Promise<SecretOutcome> {
      return enqueue<SecretOutcome>(key, async (ask) => {
        const reply = await ask({ op: 'set', account: key, value });
        if ('state' in reply) return reply;
        return reply.value === true ? { state: 'done' } : NOT_KEPT;
      });
    },
    remove: (key) => enqueue<SecretOutcome>(key, (ask) => removeEntry(ask, { account: key })),
    foreign: {
      read: (foreignService, account) =>
        enqueue<SecretReading>(account, async (ask) => {
          const reply = await ask({ op: 'get-raw', service: foreignService, account });
          if ('state' in reply) return reply;
          if (typeof reply.value === 'string') return { state: 'found', value: reply.value };
          return tookLong(reply.tookMs) ? DISMISSED : { state: 'absent' };
        }),
      remove: (foreignService, account) =>
        enqueue<SecretOutcome>(account, (ask) =>
          removeEntry(ask, { service: foreignService, account }),
        ),
    },
    close: () => {
      calls.close();
    },
  };
}

/** After "nothing there": proves that the keyring opens. Answers null when it does. */
async function probe(ask: Ask): Promise<KeyringFailure | null> {
  const written = await ask({ op: 'set', account: PROBE_ACCOUNT, value: 'probe' });
  if ('state' in written) return written;
  await ask({ op: 'delete', account: PROBE_ACCOUNT });
  return written.value === true ? null : NOT_KEPT;
}

async function removeEntry(
  ask: Ask,
  entry: { account: string; service?: string },
): Promise<SecretOutcome> {
  const reply = await ask({ op: 'delete', ...entry });
  if ('state' in reply) return reply;
  if (reply.value === true) return { state: 'done' };
  if (tookLong(reply.tookMs)) return DISMISSED;
  // A locked keyring, too, says that there was nothing to remove.
  const refusal = await probe(ask);
  if (refusal !== null) return refusal;
  const again = await ask({ op: 'delete', ...entry });
  return 'state' in again ? again : { state: 'done' };
}

async function find(ask: Ask, account: string): Promise<SecretReading & { tookMs?: number }> {
  const reply = await ask({ op: 'get', account });
  if ('state' in reply) return reply;
  return typeof reply.value === 'string'
    ? { state: 'found', value: reply.value }
    : { state: 'absent', tookMs: reply.tookMs };
}

function tookLong(tookMs: number | undefined): boolean {
  return tookMs !== undefined && tookMs > DIALOG_SUSPECTED_MS;
}

/** SIGKILL: a worker that hangs in the keyring may not react to another signal. */
function end(worker: WorkerProcess): void {
  if (worker.pid === undefined) {
    worker.on('spawn', () => end(worker));
    worker.kill();
    return;
  }
  try {
    process.kill(worker.pid, 'SIGKILL');
  } catch {
    // It is gone already.
  }
}

async function forkUtilityProcess(): Promise<WorkerProcess> {
  // Only here: `latchkey doctor` uses this file in plain Node, with a worker of its own.
  const { app, utilityProcess } = await import('electron');
  await app.whenReady();
  return utilityProcess.fork(ownFile('keychain-worker'), [], {
    serviceName: 'Latchkey keychain',
    stdio: 'ignore',
    env: safeEnvironment(process.env),
  });
}
