// Scheme registration on Linux: an own .desktop file in the user's data folder, made the default by the xdg tools.
// May not block: every tool runs beside the main thread, within one time limit, and is ended with all its children.
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { desktopEntryText, launcherText, needsLauncher } from './desktop-entry.js';

export type Registration = { readonly ok: true } | { readonly ok: false; readonly detail: string };

/** Answers of the xdg tools are one line. */
const OUTPUT_MAX_LENGTH = 4_096;

export interface LinuxRegistration {
  readonly scheme: string;
  readonly appName: string;
  /** The command that reaches the running instance, without the URL. */
  readonly words: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly timeoutMs: number;
}

type Ran = { readonly state: 'ended'; readonly code: number | null; readonly output: string } | { readonly state: 'missing' } | { readonly state: 'late' };

/** Writes the files that differ, makes them the scheme's handler, and asks the system who the handler is. */
export async function registerOnLinux({ scheme, appName, words, env, timeoutMs }: LinuxRegistration): Promise<Registration> {
  const deadline = performance.now() + timeoutMs;
  const run = (program: string, args: readonly string[]): Promise<Ran> => runTool(program, args, env, deadline - performance.now());

  const data = dataHome(env);
  const applications = join(data, 'applications');
  const fileName = `latchkey-${scheme}.desktop`;
  let command = words;
  let changed = false;
  if (needsLauncher(words)) {
    const launcher = join(data, 'latchkey', scheme);
    changed = await writeIfDifferent(launcher, launcherText(words), 0o700);
    command = [launcher];
  }
  changed = (await writeIfDifferent(join(applications, fileName), desktopEntryText({ name: appName, scheme, words: command }), 0o600)) || changed;

  const handler = (): Promise<Ran> => run('xdg-mime', ['query', 'default', `x-scheme-handler/${scheme}`]);
  const before = changed ? null : await handler();
  if (before?.state === 'ended' && before.output === fileName) return { ok: true };

  // Missing on small systems; then xdg-mime alone is enough for some desktops, and the question below tells.
  await run('update-desktop-database', [applications]);
  const made = await run('xdg-mime', ['default', fileName, `x-scheme-handler/${scheme}`]);
  if (made.state === 'missing') return { ok: false, detail: 'xdg-mime is missing (Debian package: xdg-utils)' };
  const after = await handler();
  if (after.state === 'late' || made.state === 'late') return { ok: false, detail: 'xdg-mime does not answer in time' };
  if (after.state === 'ended' && after.output === fileName) return { ok: true };
  return { ok: false, detail: 'the scheme leads to another program, or to none' };
}

/** XDG Base Directory Specification: a relative path counts as not set. */
function dataHome(env: LinuxRegistration['env']): string {
  const given = env['XDG_DATA_HOME'];
  if (given !== undefined && isAbsolute(given)) return given;
  return join(env['HOME'] || homedir(), '.local', 'share');
}

/** Written whole or not at all, and only when it changes: a desktop watches the folder and reads it anew each time. */
async function writeIfDifferent(path: string, text: string, mode: number): Promise<boolean> {
  const present = await readFile(path, 'utf8').catch(() => null);
  if (present === text) return false;
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    await writeFile(temporary, text, { mode });
    // The umask has had its say on `mode`.
    await chmod(temporary, mode);
    await rename(temporary, path);
  } catch (thrown) {
    await rm(temporary, { force: true });
    throw thrown;
  }
  return true;
}

/** Runs a tool as the head of a process group: the xdg tools are shell scripts, and their children hold the pipe. */
function runTool(program: string, args: readonly string[], env: LinuxRegistration['env'], timeoutMs: number): Promise<Ran> {
  if (timeoutMs <= 0) return Promise.resolve({ state: 'late' });
  return new Promise((resolve) => {
    const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'ignore'], detached: true });
    let output = '';
    const timer = setTimeout(() => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // It ended just now.
      }
      child.stdout.destroy();
      resolve({ state: 'late' });
    }, timeoutMs);
    child.stdout.on('data', (chunk: Buffer) => {
      if (output.length < OUTPUT_MAX_LENGTH) output += chunk.toString();
    });
    child.on('error', () => {
      clearTimeout(timer);
      resolve({ state: 'missing' });
    });
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ state: 'ended', code, output: output.trim() });
    });
  });
}
