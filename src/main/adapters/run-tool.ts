// Runs a tool of the operating system beside the main thread: one time limit, and no child survives it.
// Gives what it printed; judges nothing.
import { spawn } from 'node:child_process';

/** The variables of a process, as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

export type Ran = { readonly state: 'ended'; readonly code: number | null; readonly output: string } | { readonly state: 'missing' } | { readonly state: 'late' };

/** Answers of these tools are a few lines. */
const OUTPUT_MAX_LENGTH = 16_384;

/**
 * Runs it and gives what it wrote to its standard output, without the blanks around it. Never rejects. When the time is up
 * the tool is killed, with all that it started: the xdg tools are shell scripts, and their children hold the pipe.
 */
export function runTool(program: string, args: readonly string[], env: Environment, timeoutMs: number): Promise<Ran> {
  if (timeoutMs <= 0) return Promise.resolve({ state: 'late' });
  return new Promise((resolve) => {
    // The head of a process group; on Windows that would open a console.
    const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'ignore'], detached: process.platform !== 'win32', windowsHide: true });
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
  });
}

function end(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL');
  } catch {
    // It ended just now.
  }
}
