// Runs a tool of the operating system off the main thread, with one time limit; no child survives
// it. Returns the output; judges nothing. May not run a program in the current folder: an app that
// opens a document often starts in that document's folder, next to downloaded files.
import { spawn } from 'node:child_process';
import { posix, win32 } from 'node:path';

/** The variables of a process, as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

export type Ran =
  | { readonly state: 'ended'; readonly code: number | null; readonly output: string }
  | { readonly state: 'missing' }
  | { readonly state: 'late' };

/** Answers of these tools are a few lines. */
const OUTPUT_MAX_LENGTH = 16_384;

/**
 * Folders in which tools look for programs and files. A relative one starts at the current folder.
 */
const SEARCHED = ['PATH', 'XDG_DATA_HOME', 'XDG_CONFIG_HOME', 'XDG_DATA_DIRS', 'XDG_CONFIG_DIRS'];
/** Without any PATH some systems look in the current folder first. */
const USUAL_PATH = '/usr/local/bin:/usr/bin:/bin';

/** How a program is started so that the current folder plays no part. */
export interface SafeStart {
  readonly program: string;
  readonly env: Environment;
  readonly cwd: string;
}

/**
 * On Windows: a whole path on a drive, because Windows looks for a bare name in the current folder
 * first. Elsewhere: a whole path, or a bare name, which is found through the absolute members of
 * PATH. Null: anything else is not started. Pure.
 */
export function planTool(
  program: string,
  env: Environment,
  platform: NodeJS.Platform,
): SafeStart | null {
  if (platform === 'win32') {
    return /^[a-z]:[\\/]/i.test(program) ? { program, env, cwd: win32.dirname(program) } : null;
  }
  if (program.includes('/') && !posix.isAbsolute(program)) return null;
  return { program, env: safeEnvironment(env, platform), cwd: '/' };
}

/**
 * The environment of a child that may start other programs, as libsecret starts `dbus-launch`:
 * without the relative and empty members of PATH and of the XDG folders. On Windows the whole
 * environment, because every program there is started by its whole path. Pure.
 */
export function safeEnvironment(
  env: Environment,
  platform: NodeJS.Platform = process.platform,
): Record<string, string> {
  const set = Object.entries(env).flatMap(
    ([name, value]): readonly (readonly [string, string])[] => {
      if (value === undefined) return [];
      if (platform === 'win32' || !SEARCHED.includes(name)) return [[name, value]];
      const kept = value.split(':').filter((folder) => posix.isAbsolute(folder));
      return kept.length === 0 ? [] : [[name, kept.join(':')]];
    },
  );
  return { ...(platform === 'win32' ? {} : { PATH: USUAL_PATH }), ...Object.fromEntries(set) };
}

/**
 * Runs the tool and resolves with its trimmed standard output. Never rejects. When the time is up,
 * kills the tool and everything that it started: the xdg tools are shell scripts, and their
 * children hold the pipe. If `planTool` refuses, the result is `missing`.
 */
export function runTool(
  program: string,
  args: readonly string[],
  env: Environment,
  timeoutMs: number,
): Promise<Ran> {
  if (timeoutMs <= 0) return Promise.resolve({ state: 'late' });
  const start = planTool(program, env, process.platform);
  if (start === null) return Promise.resolve({ state: 'missing' });
  return new Promise<Ran>((resolve) => {
    // The head of a process group; on Windows that would open a console.
    const child = spawn(start.program, args, {
      env: start.env,
      cwd: start.cwd,
      stdio: ['ignore', 'pipe', 'ignore'],
      detached: process.platform !== 'win32',
      windowsHide: true,
    });
    let output = '';
    const timer = setTimeout(() => {
      end(child.pid);
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
    // The system throws some refusals, and emits others as events.
  }).catch((): Ran => ({ state: 'missing' }));
}

function end(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL');
  } catch {
    // It ended just now.
  }
}
