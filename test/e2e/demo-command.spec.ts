// `npm run demo` as a person or a script runs it: its output, its end, and what is left afterwards.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT_FOLDER } from '../../scripts/lab/app-process.mjs';
import { processesOf } from '../../scripts/shared/processes.mjs';
import { expect, test } from './fixtures.js';

const END_LIMIT_MS = 5_000;

/**
 * Everything that the command starts inherits this mark in its environment, its streams or its
 * flags.
 */
interface Running {
  readonly child: ChildProcess;
  readonly folder: string;
  stdout(): string;
  stderr(): string;
  exited: Promise<number | null>;
}

const folders: string[] = [];

test.afterEach(() => {
  for (const folder of folders.splice(0)) {
    for (const { pid } of processesOf(folder)) process.kill(pid, 'SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  }
});

function run(command: readonly string[], env: NodeJS.ProcessEnv = {}): Running {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-command-'));
  folders.push(folder);
  const [program = '', ...args] = command.map((word) => word.replace('FOLDER', folder));
  const child = spawn(program, args, {
    cwd: ROOT_FOLDER,
    env: { ...withoutDisplay(), TMPDIR: folder, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  return {
    child,
    folder,
    stdout: () => stdout,
    stderr: () => stderr,
    exited: new Promise((resolve) => child.once('exit', resolve)),
  };
}

function withoutDisplay(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !['DISPLAY', 'WAYLAND_DISPLAY'].includes(name)),
  );
}

function pidOf({ child }: Running): number {
  if (child.pid === undefined) throw new Error('the command was not started');
  return child.pid;
}

function lastViewOf(stdout: string): unknown {
  const line = stdout.split('\n').findLast((one) => one.startsWith('{'));
  return line === undefined ? undefined : JSON.parse(line);
}

// A program that stops `npm` sends SIGTERM to it alone; a terminal's Ctrl-C is a SIGINT to all of
// the foreground.
for (const { signal, to } of [
  { signal: 'SIGTERM', to: 'npm alone' },
  { signal: 'SIGINT', to: 'the whole foreground' },
] as const) {
  test(`ends "npm run demo" by ${signal} to ${to} within 5 seconds and leaves no process`, async ({
    desk,
  }) => {
    const flags = [
      `--issuer=${desk.provider.issuer}`,
      '--client-id',
      desk.provider.clientId,
      '--print-views',
      '--user-data-dir=FOLDER/data',
    ];
    const demo = run(['npm', 'run', '--silent', 'demo', '--', ...flags], desk.lab.env);
    await expect
      .poll(() => lastViewOf(demo.stdout()), { timeout: 30_000 })
      .toMatchObject({ status: 'signed-out' });
    expect(processesOf(demo.folder).length).toBeGreaterThan(2);

    const startedAt = Date.now();
    process.kill(to === 'npm alone' ? pidOf(demo) : -pidOf(demo), signal);
    await expect
      .poll(() => processesOf(demo.folder), { timeout: END_LIMIT_MS, intervals: [50] })
      .toEqual([]);
    await demo.exited;
    expect(Date.now() - startedAt).toBeLessThan(END_LIMIT_MS);
  });
}

test('writes nothing but views to stdout, and takes both spellings of a flag', async ({ desk }) => {
  const flags = [
    '--issuer',
    desk.provider.issuer,
    `--client-id=${desk.provider.clientId}`,
    '--scopes',
    'openid profile',
    '--print-views',
    '--user-data-dir',
    'FOLDER/data',
  ];
  const demo = run([process.execPath, 'scripts/demo.mjs', ...flags], desk.lab.env);
  await expect
    .poll(() => lastViewOf(demo.stdout()), { timeout: 30_000 })
    .toMatchObject({ status: 'signed-out' });
  demo.child.kill('SIGTERM');
  await demo.exited;
  const lines = demo.stdout().trim().split('\n');
  for (const line of lines) expect(JSON.parse(line)).toHaveProperty('status');
});

test('ends with the exit code of the app when the app ends by itself', async () => {
  const demo = run([
    process.execPath,
    'scripts/demo.mjs',
    '--issuer=not a URL',
    '--user-data-dir=FOLDER/data',
  ]);
  expect(await demo.exited).toBe(2);
  expect(demo.stderr()).toContain('issuer');
  await expect.poll(() => processesOf(demo.folder), { timeout: 2_000 }).toEqual([]);
});

test('refuses a flag that it does not know', async () => {
  const demo = run([process.execPath, 'scripts/demo.mjs', '--isuer=http://127.0.0.1:9']);
  expect(await demo.exited).toBe(1);
  expect(demo.stderr()).toContain('"--isuer=http://127.0.0.1:9" is not a flag of the demo');
});

test('shows the whole sign-in by itself where there is no display, and saves screenshots', async () => {
  const demo = run([process.execPath, 'scripts/demo.mjs']);
  expect(await demo.exited, demo.stdout() + demo.stderr()).toBe(0);
  expect(demo.stdout()).toContain('Grace Hopper is signed in');
  expect(demo.stdout()).toContain('That was the whole demo');
  const shots = readdirSync(join(ROOT_FOLDER, 'demo-results')).filter((name) =>
    name.endsWith('.png'),
  );
  expect(shots.length).toBeGreaterThanOrEqual(11);
  for (const shot of shots) {
    const file = join(ROOT_FOLDER, 'demo-results', shot);
    expect(statSync(file).size).toBeGreaterThan(5_000);
    expect(readFileSync(file).subarray(1, 4).toString()).toBe('PNG');
  }
  await expect.poll(() => processesOf(demo.folder), { timeout: 2_000 }).toEqual([]);
});
