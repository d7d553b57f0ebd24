// One process of a fleet: the whole core with the genuine keychain, lock and network, in plain
// Node, told by messages what to do. Started by engine-process.ts, which strips it of its types;
// whatever it imports must stand in its list.
import { fork } from 'node:child_process';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { createClock } from '../../src/main/adapters/clock.js';
import { createKeychain } from '../../src/main/adapters/secrets/keychain.js';
import type { WorkerProcess } from '../../src/main/adapters/secrets/keychain-protocol.js';
import { createLock } from '../../src/main/adapters/lock.js';
import { createEngine } from '../../src/main/core/engine.js';
import { parseOptions } from '../../src/main/core/options/options.js';
import type { CallbackVerdict, Callbacks } from '../../src/main/core/base/ports.js';
import { createChunkedStore } from '../../src/main/core/storage/chunked-store.js';

const TIMEOUT_MS = 10_000;

/** What a process is told when it is started. */
export interface FleetMember {
  readonly issuer: string;
  readonly clientId: string;
  readonly redirectUri: string;
  /** The keychain's service: the same for the whole fleet. */
  readonly service: string;
  /** The file of known accounts: each process has its own. */
  readonly stateFile: string;
  /** The script of the keychain's worker. */
  readonly keychainScript: string;
}

/**
 * `at`: wall time in milliseconds. `aheadMs`: how far this process's clock is ahead from then on.
 */
export type FleetRequest =
  | { readonly id: number; readonly what: 'sign-in' | 'sign-out' | 'view' | 'stop' }
  | { readonly id: number; readonly what: 'callback'; readonly url: string }
  | {
      readonly id: number;
      readonly what: 'tokens';
      readonly at: number;
      readonly aheadMs: number;
      readonly callers: number;
    };

/** `opened`: what the system browser was given. */
export type FleetMessage =
  | { readonly opened: string }
  | { readonly log: string }
  | { readonly id: number; readonly answer: unknown };

/** What became of all callers of one round. */
export interface TokenRound {
  /** Each token once. */
  readonly tokens: readonly string[];
  /** One code for each caller that got none. */
  readonly failures: readonly string[];
}

const member = JSON.parse(process.argv[2] ?? '') as FleetMember;
const realClock = createClock();
let aheadMs = 0;
let arrive: (url: string) => CallbackVerdict = () => 'foreign';

const engine = createEngine(
  parseOptions({
    issuer: member.issuer,
    clientId: member.clientId,
    redirects: [member.redirectUri],
  }),
  {
    secrets: createChunkedStore(
      createKeychain({ service: member.service, timeoutMs: TIMEOUT_MS, fork: forkWorker }),
    ),
    state: {
      async load() {
        const text = await readFile(member.stateFile, 'utf8').catch((thrown: unknown) => {
          if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return null;
          throw thrown;
        });
        return text === null ? null : (JSON.parse(text) as unknown);
      },
      // Whole or not at all, as the real one: a kill must leave a file that can be read.
      async save(state) {
        const aside = `${member.stateFile}.${process.pid}`;
        await writeFile(aside, JSON.stringify(state));
        await rename(aside, member.stateFile);
      },
    },
    browser: {
      open: async (url) => send({ opened: url }),
      copy: async (url) => send({ opened: url }),
      post: async (url) => send({ opened: url }),
    },
    callbacks: {
      'custom-scheme': createScheme(),
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
    systemEvents: { listen() {}, watchNetwork() {}, stop() {} },
    log: { write: (event) => send({ log: JSON.stringify(event) }) },
  },
);

process.on('message', (message) => void obey(message as FleetRequest));
// It must not outlive the test.
process.on('disconnect', () => process.exit());
engine.start();

async function obey(request: FleetRequest): Promise<void> {
  const answer = await answerTo(request).catch((thrown: unknown) => ({ thrown: String(thrown) }));
  send({ id: request.id, answer });
}

async function answerTo(request: FleetRequest): Promise<unknown> {
  switch (request.what) {
    case 'sign-in':
      await engine.signIn({});
      return engine.view();
    case 'sign-out':
      await engine.signOut();
      return engine.view();
    case 'view':
      return engine.view();
    case 'callback':
      return arrive(request.url);
    case 'tokens':
      return askForTokens(request.at, request.aheadMs, request.callers);
    case 'stop':
      await engine.stop();
      return null;
  }
}

async function askForTokens(at: number, newAheadMs: number, callers: number): Promise<TokenRound> {
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, at - Date.now())));
  aheadMs = newAheadMs;
  const settled = await Promise.allSettled(
    Array.from({ length: callers }, () => engine.getAccessToken()),
  );
  const tokens = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const failures = settled.flatMap((one) =>
    one.status === 'rejected' ? [codeOf(one.reason)] : [],
  );
  return { tokens: [...new Set(tokens)], failures };
}

function codeOf(thrown: unknown): string {
  return typeof thrown === 'object' && thrown !== null && 'code' in thrown
    ? String(thrown.code)
    : String(thrown);
}

function createScheme(): Callbacks {
  return {
    prepare: async (option) => ({
      state: 'ready',
      redirect: { kind: 'custom-scheme', redirectUri: option.uri, close() {} },
    }),
    onCallback(listener) {
      arrive = listener;
    },
    stop() {},
  };
}

function forkWorker(): WorkerProcess {
  const child = fork(member.keychainScript, [], {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    serialization: 'advanced',
    execArgv: [],
  });
  return Object.assign(child, {
    pid: child.pid,
    postMessage: (message: object) => void child.send(message, () => {}),
    kill: () => child.kill(),
  });
}

function send(message: FleetMessage): void {
  process.send?.(message);
}
