// @ts-check
// Where everything is measured: a private desktop with a genuine keyring, the embedded provider
// over HTTPS in a process of its own, and real Electron apps that do one job each. Every wait here
// has a limit.
import { fork, spawn } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { endHelpers } from '../../scripts/lab/app-process.mjs';
import { startLab } from '../../scripts/lab/lab.mjs';
import { ended, sessionMembers, signal } from '../../scripts/shared/processes.mjs';

const HERE = fileURLToPath(new URL('..', import.meta.url));
const CALL_LIMIT_MS = 15_000;

/**
 * A call to the provider's process; the same calls a host's app may make through its parent.
 * @typedef {import('./provider.mjs').ProviderCalls} ProviderCalls
 * Node trusts its certificate by `certificateFile`, Chromium by the hash of its key.
 * @typedef {ProviderCalls & { issuer: string, clientId: string, certificateFile: string, keyHash:
 *   string, stop: () => void }} ProviderHandle
 */

/**
 * `script` is a file of bench/host/. Apps of the same `profile` share their userData folder and
 * their name, and so what they stored. `reach: false`: nothing answers at the provider's address.
 * @typedef {{ script: string, profile: string, job: Record<string, unknown>, limitMs?: number,
 *   reach?: boolean }} HostRun
 * @typedef {Awaited<ReturnType<typeof startStage>>} Stage
 * @typedef {ReturnType<Stage['turn']>} Turn
 */

/** @param {{ electron: string }} parts */
export async function startStage({ electron }) {
  const lab = await startLab();
  return {
    lab,
    /**
     * For one group of rows. When its time is over, `end` ends everything that it started, and
     * nothing new begins.
     */
    turn() {
      /** @type {Set<import('node:child_process').ChildProcess>} */
      const children = new Set();
      let ended = false;
      const goOn = () => {
        if (ended) throw new Error('the time of this group is over');
      };
      return {
        provider: async () => {
          goOn();
          return startProvider(lab.root, children);
        },
        /**
         * Runs an app to its end; resolves with what it measured. Rejects when it says so, ends
         * without a word, or takes too long.
         * @template T
         * @param {HostRun} run
         * @param {ProviderHandle | null} provider
         * @returns {Promise<T>}
         */
        run: async (run, provider) => {
          goOn();
          return /** @type {Promise<T>} */ (runHost({ lab, electron, children }, run, provider));
        },
        end() {
          ended = true;
          for (const child of children) kill(child, electron);
        },
      };
    },
    stop: () => lab.stop(),
  };
}

/**
 * A fresh provider: the books of one measurement say nothing about another.
 * @param {string} folder for its certificate
 * @param {Set<import('node:child_process').ChildProcess>} children
 * @returns {Promise<ProviderHandle>}
 */
async function startProvider(folder, children) {
  const child = fork(join(HERE, 'parts', 'provider.mjs'), {
    env: { ...process.env, NODE_NO_WARNINGS: '1' },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  children.add(child);
  const { certificate, ...handle } = await callsOf(child);
  const certificateFile = join(folder, `certificate-${child.pid}.pem`);
  writeFileSync(certificateFile, certificate);
  const keyHash = createHash('sha256')
    .update(new X509Certificate(certificate).publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64');
  return {
    ...handle,
    certificateFile,
    keyHash,
    stop: () => {
      children.delete(child);
      child.kill('SIGKILL');
    },
  };
}

/**
 * @param {{ lab: import('../../scripts/lab/lab.mjs').Lab, electron: string, children:
 *   Set<import('node:child_process').ChildProcess> }} parts
 * @param {HostRun} run
 * @param {ProviderHandle | null} provider
 */
async function runHost(
  { lab, electron, children },
  { script, profile, job, limitMs = 60_000 },
  provider,
) {
  const app = appFolder(
    join(lab.root, 'apps', `${script}-${profile}`.replaceAll(/[^\w-]/g, '-')),
    script,
    profile,
  );
  const userData = join(lab.home, 'profiles', profile);
  mkdirSync(userData, { recursive: true });
  const switches = [
    ...(lab.isRoot ? ['--no-sandbox'] : []),
    `--user-data-dir=${userData}`,
    ...(provider === null ? [] : [`--ignore-certificate-errors-spki-list=${provider.keyHash}`]),
  ];
  const server = provider === null ? {} : { issuer: provider.issuer, clientId: provider.clientId };
  const env = {
    ...lab.env,
    ...(provider === null ? {} : { NODE_EXTRA_CA_CERTS: provider.certificateFile }),
  };
  const child = spawn(electron, [...switches, app], {
    ...lab.owner,
    env: { ...env, BENCH_JOB: JSON.stringify({ ...server, ...job, profile }) },
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  children.add(child);
  /** @param {string} call @param {unknown} argument @returns {Promise<unknown>} */
  const answer = async (call, argument) => {
    if (call === 'meet') return meet(`${profile}: ${String(argument)}`);
    if (provider === null) throw new Error('this app has no provider');
    return provider[/** @type {keyof ProviderCalls} */ (call)](/** @type {never} */ (argument));
  };
  let tail = '';
  child.stderr.on('data', (/** @type {Buffer} */ chunk) => {
    tail = (tail + chunk.toString()).slice(-3000);
  });
  child.stdin.on('error', () => undefined);
  const timer = setTimeout(() => {
    tail += `\nended after ${limitMs / 1000} s`;
    kill(child, electron);
  }, limitMs);
  try {
    return await new Promise((resolve, reject) => {
      createInterface({ input: child.stdout }).on('line', (line) => {
        if (!line.startsWith('@bench ')) {
          tail = (tail + line + '\n').slice(-3000);
          return;
        }
        const message =
          /** @type {{ result?: unknown, failure?: string, id?: number, call?: string, argument?: unknown }} */ (
            JSON.parse(line.slice(7))
          );
        if ('result' in message) resolve(message.result);
        else if (message.failure !== undefined) reject(new Error(message.failure));
        else if (message.call !== undefined) {
          answer(message.call, message.argument).then(
            (value) => child.stdin.write(`${JSON.stringify({ id: message.id, value })}\n`),
            (/** @type {unknown} */ error) =>
              child.stdin.write(`${JSON.stringify({ id: message.id, error: String(error) })}\n`),
          );
        }
      });
      child.once('exit', () =>
        setTimeout(
          () => reject(new Error(`${script} (${profile}) ended without an answer\n${tail}`)),
          200,
        ),
      );
      child.once('error', reject);
    });
  } finally {
    clearTimeout(timer);
    children.delete(child);
    await Promise.race([ended(child), new Promise((resolve) => setTimeout(resolve, 4_000))]);
    kill(child, electron);
    await ended(child);
    await endHelpers(child.pid ?? 0, electron);
  }
}

/** @type {Map<string, () => void>} */
const waitingToMeet = new Map();

/**
 * Two apps of one profile go on together.
 * @param {string} where
 */
function meet(where) {
  const other = waitingToMeet.get(where);
  if (other === undefined)
    return new Promise((resolve) => waitingToMeet.set(where, () => resolve(null)));
  waitingToMeet.delete(where);
  other();
  return Promise.resolve(null);
}

/** @param {import('node:child_process').ChildProcess} child @param {string} electron */
function kill(child, electron) {
  for (const pid of [child.pid ?? 0, ...sessionMembers(child.pid ?? 0, electron)])
    if (pid > 1) signal(pid, 'SIGKILL');
}

/**
 * An app as a host would have it: a folder with a main that does nothing but what is measured.
 * @param {string} folder
 * @param {string} script
 * @param {string} profile
 */
function appFolder(folder, script, profile) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ name: profile, version: '1.0.0', type: 'module', main: 'main.js' }),
  );
  writeFileSync(
    join(folder, 'main.js'),
    `import ${JSON.stringify(new URL(`../host/${script}.mjs`, import.meta.url).href)};\n`,
  );
  for (const name of ['page.html', 'page.js', 'preload.cjs'])
    cpSync(join(HERE, 'host', name), join(folder, name));
  return folder;
}

/** @param {import('node:child_process').ChildProcess} child */
async function callsOf(child) {
  /** @type {Map<number, (answer: { value?: unknown, error?: string }) => void>} */
  const waiting = new Map();
  let lastId = 0;
  child.on('message', (message) => {
    const answer = /** @type {{ id: number, value?: unknown, error?: string }} */ (message);
    waiting.get(answer.id)?.(answer);
    waiting.delete(answer.id);
  });
  /** @param {number} id @returns {Promise<any>} */
  const answerTo = (id) =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error('the provider does not answer')),
        CALL_LIMIT_MS,
      );
      waiting.set(id, ({ value, error }) => {
        clearTimeout(timer);
        if (error === undefined) resolve(value);
        else reject(new Error(error));
      });
    });
  /** @param {string} name */
  const call =
    (name) =>
    (/** @type {unknown} */ argument = null) => {
      const id = (lastId += 1);
      const answer = answerTo(id);
      child.send({ id, call: name, argument });
      return answer;
    };
  const started = /** @type {{ issuer: string, clientId: string, certificate: string }} */ (
    await answerTo(0)
  );
  return {
    ...started,
    visit: call('visit'),
    check: call('check'),
    counts: call('counts'),
    life: call('life'),
  };
}
