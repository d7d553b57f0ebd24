// @ts-check
// One process of an app with today's build or an old one: the whole core with its own keychain, files
// and lock, in plain Node, told by messages what to do. Started by build-process.ts.
import { fork } from 'node:child_process';
import { pathToFileURL } from 'node:url';

/** @typedef {import('./build-process.js').BuildMember} BuildMember */
/** @typedef {import('./build-process.js').BuildRequest} BuildRequest */

const member = /** @type {BuildMember} */ (JSON.parse(process.argv[2] ?? ''));
const isOld = member.layout === 'old';
/** @param {string} path */
const load = (path) => import(pathToFileURL(`${member.tree}/src/main/${path}.js`).href);

const [{ createEngine }, { parseOptions }, { createKeychain }, chunked, lock, clock, state, meta] =
  await Promise.all([
    load('core/engine'),
    load('core/options/options'),
    load(isOld ? 'adapters/keychain' : 'adapters/secrets/keychain'),
    load(isOld ? 'core/split-store' : 'core/storage/chunked-store'),
    load('adapters/lock'),
    load('adapters/clock'),
    load('adapters/state-file'),
    load('adapters/metadata-file'),
  ]);

const { service, folder } = member;
const keychain = createKeychain({ service, timeoutMs: 10_000, fork: forkWorker });
const secrets = (isOld ? chunked.createSplitStore : chunked.createChunkedStore)(keychain);
const realClock = clock.createClock();
let aheadMs = 0;
/** @type {(url: string) => unknown} */
let arrive = () => 'foreign';

const noEvents = { listen() {}, watchNetwork() {}, stop() {} };
const engine = createEngine(parseOptions(member.options), {
  secrets,
  state: state.createStateFile({ folder }),
  metadata: meta.createMetadataFile(folder),
  browser: {
    open: async (/** @type {string} */ url) => send({ opened: url }),
    copy: async (/** @type {string} */ url) => send({ opened: url }),
  },
  callbacks: {
    'custom-scheme': {
      prepare: async (/** @type {{ uri: string }} */ { uri }) => ({
        state: 'ready',
        redirect: { kind: 'custom-scheme', redirectUri: uri, close() {} },
      }),
      onCallback(/** @type {typeof arrive} */ listener) {
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
    fetch: (
      /** @type {string} */ url,
      /** @type {import('../../src/main/core/base/ports.js').NetworkRequest} */ init,
    ) => {
      const { method, headers, body, signal } = init;
      return fetch(url, { method, headers, body: body ?? null, signal, redirect: 'manual' });
    },
  },
  lock: lock.createLock(),
  [isOld ? 'signals' : 'systemEvents']: noEvents,
  log: { write: (/** @type {object} */ event) => send({ log: JSON.stringify(event) }) },
});

process.on('message', (message) => void obey(/** @type {BuildRequest} */ (message)));
// It must not outlive the test.
process.on('disconnect', () => process.exit());
engine.start();

/** @param {BuildRequest} request */
async function obey(request) {
  const answer = await answerTo(request).catch((thrown) => ({
    thrown: thrown?.code ?? String(thrown),
  }));
  send({ id: request.id, answer: answer ?? null });
}

/** @param {BuildRequest} request */
async function answerTo(request) {
  switch (request.what) {
    case 'callback':
      return arrive(request.url);
    case 'ahead':
      aheadMs += request.ms;
      return null;
    case 'stored': {
      const reading = await secrets.read(request.key, true);
      return reading.state === 'found' ? JSON.parse(reading.value) : reading.state;
    }
    case 'store':
      return secrets.write(request.key, JSON.stringify(request.value));
    case 'call': {
      const [name, ...parameters] = request.call;
      return engine[name](...parameters);
    }
  }
}

function forkWorker() {
  const child = fork(member.keychainScript, [], {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    serialization: 'advanced',
    execArgv: [],
  });
  return Object.assign(child, {
    postMessage: (/** @type {object} */ message) => void child.send(message, () => {}),
  });
}

/** @param {object} message */
function send(message) {
  process.send?.(message);
}
