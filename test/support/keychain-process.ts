// Runs the real keychain worker outside Electron: the same source, in a child process of Node whose
// parentPort is made of the IPC channel. What it leaves open, Electron's own utility process, is
// proved by test/e2e.
import { fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { bringKeytar } from '../../scripts/package/keytar-binaries.mjs';
import type { WorkerProcess } from '../../src/main/adapters/secrets/keychain-protocol.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const SOURCES = ['keychain-worker', 'keychain-protocol'] as const;
const FOLDER = ['main', 'adapters', 'secrets'];
/** Stands beside `keychain-worker.js`. */
export const KEYCHAIN_SHIM = `import { EventEmitter } from 'node:events';
const port = Object.assign(new EventEmitter(), { postMessage: (message) => process.send(message) });
process.parentPort = port;
await import('./keychain-worker.js');
process.on('message', (data) => port.emit('message', { data, ports: [] }));
process.on('disconnect', () => process.exit(0));
`;

let shim: string | null = null;

/**
 * The worker's script. Node 20 runs no TypeScript: two files are stripped of their types into the
 * cache of node_modules.
 */
export function keychainScript(): string {
  if (shim !== null) return shim;
  const texts = SOURCES.map((name) =>
    readFileSync(join(ROOT, 'src/main/adapters/secrets', `${name}.ts`), 'utf8'),
  );
  const hash = createHash('sha256')
    .update(KEYCHAIN_SHIM)
    .update(texts.join('\0'))
    .digest('hex')
    .slice(0, 16);
  const root = join(ROOT, 'node_modules/.cache/latchkey-keychain', hash);
  if (!existsSync(root)) {
    // Beside it and then renamed: a binary that another process has loaded must not be written
    // over.
    const draft = `${root}-${process.pid}`;
    fill(draft, texts);
    try {
      renameSync(draft, root);
    } catch (error) {
      if (!existsSync(root)) throw error;
      rmSync(draft, { recursive: true, force: true });
    }
  }
  shim = join(root, ...FOLDER, 'shim.js');
  return shim;
}

/** As in dist/, for the worker finds keytar's binary by its own place. */
function fill(root: string, texts: readonly string[]): void {
  const folder = join(root, ...FOLDER);
  mkdirSync(folder, { recursive: true });
  const compilerOptions = { module: ts.ModuleKind.ES2022, target: ts.ScriptTarget.ES2022 };
  SOURCES.forEach((name, index) =>
    writeFileSync(
      join(folder, `${name}.js`),
      ts.transpileModule(texts[index] ?? '', { compilerOptions }).outputText,
    ),
  );
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}\n');
  writeFileSync(join(folder, 'shim.js'), KEYCHAIN_SHIM);
  bringKeytar(root);
}

/** Starts the worker with this environment; it ends with the test process at the latest. */
export function forkKeychainWorker(env: NodeJS.ProcessEnv = process.env): WorkerProcess {
  const child = fork(keychainScript(), [], {
    env,
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    serialization: 'advanced',
    execArgv: [],
  });
  child.on('error', () => {});
  return {
    get pid() {
      return child.pid;
    },
    postMessage: (message) => void child.send(message, () => {}),
    on(event: 'message' | 'exit' | 'spawn', listener: (value: never) => void) {
      const told = listener as (value?: unknown) => void;
      if (event === 'message') child.on('message', told);
      else if (event === 'spawn') child.on('spawn', told);
      else
        child.on('exit', (code, signal) =>
          told(code ?? (signal === null ? 0 : constants.signals[signal])),
        );
    },
    kill: () => child.kill(),
  };
}
