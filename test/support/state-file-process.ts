// Other processes for the tests of the state file: the adapter's own source in a child of Node, as another user, with few
// open files, on a disk that hangs, or killed while it writes.
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const SCRIPT = `import { appendFileSync, openSync, closeSync, writeSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createStateFile } from './state-file.js';
import { filesAtRest } from './whole-file.js';
const [, , task, folder, extra] = process.argv;
const store = createStateFile({ folder });
const state = (sequence) => ({ schemaVersion: 1, lastAccountId: null, accounts: [], attempts: [], takeOver: { stage: 'none', tried: [] }, sequence });
const since = performance.now();
const tell = (answer) => process.stdout.write(JSON.stringify({ ...answer, tookMs: Math.round(performance.now() - since) }) + '\\n');
const tried = (run) => run().then((content) => ({ content: content ?? null }), (thrown) => ({ code: thrown.code }));
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const tasks = {
  async load() { tell(await tried(() => store.load())); },
  async save() { tell(await tried(() => store.save(state(1)))); },
  // Every change is noted in another file once it is done.
  async count() {
    for (let sequence = ((await store.load())?.sequence ?? 0) + 1; ; sequence += 1) {
      await store.save(state(sequence));
      appendFileSync(extra, sequence + '\\n');
    }
  },
  async starve() {
    const open = [];
    try { for (;;) open.push(openSync('/dev/null')); } catch (thrown) { if (thrown.code !== 'EMFILE') throw thrown; }
    setTimeout(() => open.forEach((file) => closeSync(file)), Number(extra));
    tell(await tried(() => store.load()));
  },
  // The file is on a disk that does not answer: what else this process does with its threads goes on.
  async hang() {
    const many = await Promise.all(Array.from({ length: 20 }, () => tried(() => store.load())));
    tell({ codes: [...new Set(many.map(({ code }) => code))] });
    const again = performance.now();
    const codes = [(await tried(() => store.load())).code, (await tried(() => store.save(state(2)))).code];
    const elsewhere = await Promise.all(Array.from({ length: 3 }, () => readFile(extra, 'utf8')));
    tell({ codes, elsewhere, againMs: Math.round(performance.now() - again) });
    // What the app wants to do last, and says late.
    process.on('exit', (code) => writeSync(1, JSON.stringify({ lastWord: code }) + '\\n'));
    process.exit(7);
  },
  // The app ends before it is known that the disk does not answer.
  async leave() {
    void tried(() => store.load());
    await pause(200);
    await filesAtRest(1_000);
    tell({});
    process.exit(7);
  },
  // The disk is slow, and well: whoever reads behind a write waits for it, and the app ends as it likes.
  async crawl() {
    const saving = tried(() => store.save(state(3)));
    await pause(300);
    const loaded = await tried(() => store.load());
    tell({ loaded, saved: await saving });
    void tried(() => store.save(state(4)));
    await pause(300);
    void tried(() => store.load());
    await pause(3_300);
    process.exit(7);
  },
};
await tasks[task]();
`;

/** Opens as a network drive does that is gone: the thread of this call never comes back. */
const HANGING_FILES = `import * as fs from 'node:fs/promises';
export * from 'node:fs/promises';
export const open = (path, flags, mode) => fs.open(path, path.endsWith('latchkey.json') ? 'r' : flags, mode);
`;

/** Takes four seconds to bring a file to the disk. */
const SLOW_FILES = `import * as fs from 'node:fs/promises';
export * from 'node:fs/promises';
export async function open(path, flags, mode) {
  const file = await fs.open(path, flags, mode);
  const sync = file.sync.bind(file);
  if (path.endsWith('.new')) file.sync = () => new Promise((resolve) => setTimeout(resolve, 4_000)).then(sync);
  return file;
}
`;
const DISKS = { hanging: HANGING_FILES, slow: SLOW_FILES } as const;

/** Where another user may enter, too; the lab's own folder for temporary files is closed. */
export const OPEN_FOLDER = process.platform === 'win32' ? tmpdir() : '/tmp';

let folder: string | null = null;

function compiled(): string {
  if (folder !== null) return folder;
  const sources = ['state-file', 'whole-file'].map(
    (name) => [name, readFileSync(join(ROOT, `src/main/adapters/${name}.ts`), 'utf8')] as const,
  );
  const hash = createHash('sha256')
    .update(JSON.stringify([SCRIPT, DISKS, sources]))
    .digest('hex')
    .slice(0, 16);
  // Outside the repository, which another user need not be able to enter.
  const made = join(OPEN_FOLDER, `latchkey-state-file-${process.getuid?.() ?? 0}-${hash}`);
  const aside = mkdtempSync(`${made}-`);
  for (const variant of ['plain', 'hanging', 'slow'] as const) {
    mkdirSync(join(aside, variant));
    for (const [name, text] of sources) {
      const { outputText } = ts.transpileModule(text, {
        compilerOptions: {
          module: ts.ModuleKind.ES2022,
          target: ts.ScriptTarget.ES2022,
          verbatimModuleSyntax: true,
        },
      });
      const alone = outputText.replace("import { app } from 'electron';", '');
      writeFileSync(
        join(aside, variant, `${name}.js`),
        variant === 'plain' ? alone : alone.replaceAll("'node:fs/promises'", "'./other-files.js'"),
      );
    }
    if (variant !== 'plain') writeFileSync(join(aside, variant, 'other-files.js'), DISKS[variant]);
    writeFileSync(join(aside, variant, 'child.js'), SCRIPT);
  }
  writeFileSync(join(aside, 'package.json'), '{"type":"module"}\n');
  chmodSync(aside, 0o755);
  try {
    renameSync(aside, made);
  } catch {
    rmSync(aside, { recursive: true, force: true });
    if (!existsSync(made)) throw new Error('the child of the test could not be written');
  }
  folder = made;
  return made;
}

export interface StateFileChild {
  readonly task: 'load' | 'save' | 'count' | 'starve' | 'hang' | 'crawl' | 'leave';
  readonly folder: string;
  readonly extra?: string;
  /** As an ordinary user: the right of root to read everything is gone. */
  readonly uid?: number;
  readonly openFiles?: number;
  readonly disk?: 'plain' | 'hanging' | 'slow';
}

/** Starts the child; `count` runs until it is killed. */
export function startStateFileChild({
  task,
  folder: data,
  extra = '',
  uid,
  openFiles,
  disk = 'plain',
}: StateFileChild): ChildProcess {
  const words = [process.execPath, join(compiled(), disk, 'child.js'), task, data, extra];
  const [program = '', ...args] =
    openFiles === undefined
      ? words
      : ['/bin/sh', '-c', `ulimit -n ${openFiles} && exec "$@"`, 'sh', ...words];
  return spawn(program, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
}

export interface StateFileAnswer {
  readonly content?: unknown;
  readonly code?: string;
  readonly tookMs: number;
}

/** Runs the child to its end. `exitMs`: how long it went on after its last word. */
export async function runStateFileChild<Answer = StateFileAnswer>(
  child: StateFileChild,
): Promise<{
  readonly answers: readonly Answer[];
  readonly exit: number | NodeJS.Signals | null;
  readonly exitMs: number;
}> {
  const running = startStateFileChild(child);
  const deadline = setTimeout(() => running.kill('SIGKILL'), 25_000);
  let text = '';
  let spokeAt = performance.now();
  running.stdout?.on('data', (chunk: Buffer) => {
    text += chunk.toString();
    spokeAt = performance.now();
  });
  const exit = await new Promise<number | NodeJS.Signals | null>((resolve) =>
    running.on('close', (code, signal) => resolve(code ?? signal)),
  );
  clearTimeout(deadline);
  return {
    answers: text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Answer),
    exit,
    exitMs: performance.now() - spokeAt,
  };
}
