// @ts-check
// One process of an app with today's build or an old one: the whole core with its own keychain,
// files and lock, in plain Node, told by messages what to do. Started by build-process.ts.
import { fork } from 'node:child_process';
import { pathToFileURL } from 'node:url';

/** @typedef {import('./build-process.js').BuildMember} BuildMember */
/** @typedef {import('./build-process.js').BuildRequest} BuildRequest */

/** @type {unknown} */
const given = JSON.parse(process.argv[2] ?? '');
const member = /** @type {BuildMember} */ (given);
const isOld = member.layout === 'old';
/**
 * @param {string} path
 * @returns {Promise<unknown>}
 */
const load = (path) => import(pathToFileURL(`${member.tree}/src/main/${path}.js`).href);

// Today's types: what a process does here has the same shape in both builds.
/** @typedef {typeof import('../../src/main/core/engine.js')} EngineModule */
/** @typedef {typeof import('../../src/main/core/options/options.js')} OptionsModule */
/** @typedef {typeof import('../../src/main/adapters/secrets/keychain.js')} KeychainModule */
/** @typedef {typeof import('../../src/main/core/storage/chunked-store.js')} ChunkedModule */
/** @typedef {typeof import('../../src/main/adapters/lock.js')} LockModule */
/** @typedef {typeof import('../../src/main/adapters/clock.js')} ClockModule */
/** @typedef {typeof import('../../src/main/adapters/state-file.js')} StateModule */
/** @typedef {typeof import('../../src/main/adapters/metadata-file.js')} MetadataModule */
const { createEngine } = /** @type {EngineModule} */ (await load('core/engine'));
const { parseOptions } = /** @type {OptionsModule} */ (await load('core/options/options'));
const { createKeychain } = /** @type {KeychainModule} */ (
  await load(isOld ? 'adapters/keychain' : 'adapters/secrets/keychain')
);
const chunked =
  /** @type {ChunkedModule & { createSplitStore: ChunkedModule['createChunkedStore'] }} */ (
    await load(isOld ? 'core/split-store' : 'core/storage/chunked-store')
  );
const { createLock } = /** @type {LockModule} */ (await load('adapters/lock'));
const { createClock } = /** @type {ClockModule} */ (await load('adapters/clock'));
const { createStateFile } = /** @type {StateModule} */ (await load('adapters/state-file'));
const { createMetadataFile } = /** @type {MetadataModule} */ (await load('adapters/metadata-file'));

const { service, folder } = member;
const keychain = createKeychain({ service, timeoutMs: 10_000, fork: forkWorker });
const secrets = (isOld ? chunked.createSplitStore : chunked.createChunkedStore)(keychain);
const realClock = createClock();
let aheadMs = 0;
/** @type {(url: string) => import('../../src/main/core/base/ports.js').CallbackVerdict} */
let arrive = () => 'foreign';

const noEvents = { listen() {}, watchNetwork() {}, stop() {} };
/** @type {import('../../src/main/core/base/ports.js').Ports} */
const ports = {
  secrets,
  state: createStateFile({ folder }),
  metadata: createMetadataFile(folder),
  browser: {
    open: async (url) => send({ opened: url }),
    copy: async (url) => send({ opened: url }),
    post: async (url) => send({ opened: url }),
  },
  callbacks: {
    'custom-scheme': {
      prepare: async ({ uri }) => ({
        state: 'ready',
        redirect: { kind: 'custom-scheme', redirectUri: uri, close() {} },
      }),
      onCallback(listener) {
        arrive = listener;
      },
      stop() {},
    },
    loopback: {
      prepare: async () => ({ state: 'unavailable', detail: 'none here' }),
      onCallback() {},
      stop() {},
    },
  },
  clock: { ...realClock, now: () => Date.now() + aheadMs },
  network: {
    fetch: (url, { method, headers, body, signal }) =>
      fetch(url, { method, headers, body: body ?? null, signal, redirect: 'manual' }),
  },
  lock: createLock(),
  systemEvents: noEvents,
  log: { write: (event) => send({ log: JSON.stringify(event) }) },
};
const settings = parseOptions(member.options);
// Their name in the old build.
const engine = createEngine(settings, Object.assign(ports, { signals: noEvents }));

process.on('message', (message) => void obey(/** @type {BuildRequest} */ (message)));
// It must not outlive the test.
process.on('disconnect', () => process.exit());
engine.start();

/** @param {BuildRequest} request */
async function obey(request) {
  const answer = await answerTo(request).catch((/** @type {unknown} */ thrown) => ({
    thrown: codeOf(thrown),
  }));
  send({ id: request.id, answer: answer ?? null });
}

/** @param {unknown} thrown */
function codeOf(thrown) {
  return thrown instanceof Error && 'code' in thrown ? String(thrown.code) : String(thrown);
}

/**
 * @param {BuildRequest} request
 * @returns {Promise<unknown>}
 */
async function answerTo(request) {
  switch (request.what) {
    case 'callback':
      return arrive(request.url);
    case 'ahead':
      aheadMs += request.ms;
      return null;
    case 'stored': {
      const reading = await secrets.read(request.key, true);
      return reading.state === 'found' ? /** @type {unknown} */ (JSON.parse(reading.value)) : null;
    }
    case 'store':
      return secrets.write(request.key, JSON.stringify(request.value));
    case 'call': {
      const [name, ...parameters] = request.call;
      /** @type {unknown} */
      const method = Reflect.get(engine, name);
      return /** @type {(...parameters: unknown[]) => unknown} */ (method)(...parameters);
    }
  }
}

/** @returns {import('../../src/main/adapters/secrets/keychain-protocol.js').WorkerProcess} */
function forkWorker() {
  const child = fork(member.keychainScript, [], {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    serialization: 'advanced',
    execArgv: [],
  });
  return Object.assign(child, {
    pid: child.pid,
    kill: () => child.kill(),
    postMessage: (/** @type {object} */ message) => void child.send(message, () => {}),
  });
}

/** @param {object} message */
function send(message) {
  process.send?.(message);
}
