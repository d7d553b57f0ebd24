// Other processes for the tests of the lock: the adapter's own source in a child of Node, told by messages what to do.
// A child writes what happens to a file, line by line, so that what it did before a kill -9 is known.
import { fork, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import type { LockOptions } from '../../src/main/adapters/lock.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const SCRIPT = `import { appendFileSync, closeSync, openSync } from 'node:fs';
const { createLock } = await import(process.argv[3]);
const lock = createLock(JSON.parse(process.argv[2]));
const waits = new Map();
const eaten = [];
let idles = false;
process.on('message', async ({ id, name, limitMs, rounds, file, idle, release, starve }) => {
  if (starve !== undefined) {
    try {
      while (starve) eaten.push(openSync('/dev/null'));
    } catch {}
    if (!starve) for (const descriptor of eaten.splice(0)) closeSync(descriptor);
    return process.send({ id, outcome: eaten.length > 0 === starve ? 'held' : 'failed' });
  }
  if (release !== undefined) return waits.get(release)?.();
  if (rounds === undefined) {
    const answer = await lock.hold(name, limitMs, () => new Promise((resolve) => {
      waits.set(id, resolve);
      idles = idle;
      process.send({ id, outcome: 'held' }, () => idle && process.disconnect());
    }));
    if (!answer.held) process.send({ id, outcome: answer.reason });
    return;
  }
  for (let round = 0; round < rounds; round += 1) {
    const answer = await lock.hold(name, limitMs, async () => {
      appendFileSync(file, 'enter ' + process.pid + '\\n');
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 3));
      appendFileSync(file, 'leave ' + process.pid + '\\n');
    });
    if (!answer.held) appendFileSync(file, 'late ' + process.pid + '\\n');
  }
  process.send({ id, outcome: 'held' });
});
// An idle one must end by itself, for want of a reason to live; the others must not outlive the test.
process.on('disconnect', () => idles || process.exit());
`;

/** Stops now and then in the middle of what the adapter does to files, as a loaded computer would, so that races show. */
const SLOW_FILES = `import * as fs from 'node:fs/promises';
const late = (run, chance, ms) => async (...given) => {
  if (Math.random() < chance) await new Promise((resolve) => setTimeout(resolve, Math.random() * ms));
  return await run(...given);
};
export const lstat = late(fs.lstat, 0.1, 5), mkdir = late(fs.mkdir, 0.1, 5), rm = late(fs.rm, 0.2, 10);
export const readdir = late(fs.readdir, 0.2, 20), rename = late(fs.rename, 0.35, 250);
`;

let folder: string | null = null;

function compiled(): string {
  if (folder !== null) return folder;
  const source = readFileSync(join(ROOT, 'src/main/adapters/lock.ts'), 'utf8');
  const hash = createHash('sha256')
    .update(SCRIPT)
    .update(SLOW_FILES)
    .update(source)
    .digest('hex')
    .slice(0, 16);
  const { outputText } = ts.transpileModule(source, {
    compilerOptions: { module: ts.ModuleKind.ES2022, target: ts.ScriptTarget.ES2022 },
  });
  const slowed = outputText.replace("'node:fs/promises'", "'./slow-files.js'");
  if (slowed === outputText)
    throw new Error('the adapter does not import node:fs/promises any more');
  folder = join(ROOT, 'node_modules/.cache/latchkey-lock', hash);
  mkdirSync(folder, { recursive: true });
  const files = {
    'package.json': '{"type":"module"}\n',
    'process.js': SCRIPT,
    'slow-files.js': SLOW_FILES,
    'lock.js': outputText,
    'slow-lock.js': slowed,
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

export interface LockProcess {
  readonly pid: number;
  /** Resolves when it holds the name (true) or its limit is over (false). With `idle` it does nothing else from then on. */
  hold(name: string, limitMs: number, idle?: boolean): Promise<boolean>;
  /** As `hold`, and tells why not. */
  tryToHold(name: string, limitMs: number): Promise<Outcome>;
  /** Takes every file descriptor that the process may have, or gives them back. Resolves when it has. */
  starve(wanted: boolean): Promise<void>;
  /** Ends the run of its last successful hold. */
  release(): void;
  /** Takes the name so often, one after the other, and appends "enter <pid>", "leave <pid>", "late <pid>" to the file. */
  contend(name: string, limitMs: number, rounds: number, file: string): Promise<void>;
  signal(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void;
  readonly ended: Promise<void>;
}

type Outcome = 'held' | 'busy' | 'unavailable' | 'given-up';

/** So that a process soon has all the file descriptors that it may have. */
const SMALL = {
  execPath: '/bin/sh',
  execArgv: ['-c', 'ulimit -n 100 && exec "$0" "$@"', process.execPath],
};

/** Starts a process with a lock of these options; `slow`: whose calls on files take their time; `small`: that may open few. */
export function startLockProcess(
  options: LockOptions,
  kind: 'normal' | 'slow' | 'small' = 'normal',
): LockProcess {
  const script = kind === 'slow' ? './slow-lock.js' : './lock.js';
  const child: ChildProcess = fork(
    join(compiled(), 'process.js'),
    [JSON.stringify(options), script],
    {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      execArgv: [],
      ...(kind === 'small' ? SMALL : {}),
    },
  );
  const answers = new Map<number, (outcome: Outcome) => void>();
  let lastId = 0;
  child.on('error', () => {});
  child.on('message', (message) => {
    const { id, outcome } = message as { id: number; outcome: Outcome };
    answers.get(id)?.(outcome);
  });
  function ask(request: object): Promise<Outcome> {
    const id = (lastId += 1);
    return new Promise((resolve) => {
      answers.set(id, resolve);
      child.send({ id, ...request }, () => {});
    });
  }
  return {
    pid: child.pid ?? 0,
    hold: async (name, limitMs, idle = false) => (await ask({ name, limitMs, idle })) === 'held',
    tryToHold: (name, limitMs) => ask({ name, limitMs, idle: false }),
    async starve(wanted) {
      if ((await ask({ starve: wanted })) !== 'held')
        throw new Error('the process has descriptors left, or none to give back');
    },
    release: () => void child.send({ release: lastId }, () => {}),
    async contend(name, limitMs, rounds, file) {
      await ask({ name, limitMs, rounds, file });
    },
    signal: (signal) => void child.kill(signal),
    ended: new Promise((resolve) => child.on('exit', () => resolve())),
  };
}
