// Starts the host app of network-host/ in a real Electron, and asks it.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { APP_FOLDER, ROOT_FOLDER, appCommand, endApp } from '../../scripts/lab/app-process.mjs';
import type { Lab } from '../../scripts/lab/lab.mjs';

export interface NetworkHost {
  /** Rejects when something was thrown past a promise in the app. */
  do<T = string>(deed: string, given?: unknown): Promise<T>;
  end(): Promise<void>;
}

const adapter = (name: string): string =>
  pathToFileURL(join(APP_FOLDER, 'main', 'adapters', name)).href;

export async function startNetworkHost(
  electron: string,
  lab: Pick<Lab, 'isRoot' | 'owner'>,
  switches: readonly string[] = [],
): Promise<NetworkHost> {
  const appFolder = join(ROOT_FOLDER, 'test', 'support', 'network-host');
  const [program = electron, ...args] = appCommand({
    electron,
    appFolder,
    isRoot: lab.isRoot,
    switches,
    flags: [],
  });
  const env = {
    ...lab.owner.env,
    LATCHKEY_NETWORK: adapter('network/network.js'),
    LATCHKEY_API_NETWORK: adapter('network/api-network.js'),
    LATCHKEY_NETWORK_FACTS: adapter('diagnosis/network-facts.js'),
  };
  const child = spawn(program, args, {
    ...lab.owner,
    env,
    detached: true,
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const answers = new Map<
    number,
    (answer: { value: unknown; uncaught: readonly string[] }) => void
  >();
  let last = 0;
  await new Promise<void>((resolve, reject) => {
    child.once('exit', () => reject(new Error('the host app ended')));
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (!line.startsWith('{')) return;
      const answer = JSON.parse(line) as {
        ready?: true;
        id: number;
        value: unknown;
        uncaught: readonly string[];
      };
      if (answer.ready) resolve();
      else answers.get(answer.id)?.(answer);
    });
  });
  return {
    async do<T>(deed: string, given: unknown = {}) {
      const id = (last += 1);
      const answered = new Promise<{ value: unknown; uncaught: readonly string[] }>((resolve) =>
        answers.set(id, resolve),
      );
      child.stdin.write(`${JSON.stringify({ id, deed, given })}\n`);
      const { value, uncaught } = await answered;
      if (uncaught.length > 0)
        throw new Error(`thrown past a promise in the app: ${uncaught.join(' | ')}`);
      return value as T;
    },
    end: () => endApp(child, electron),
  };
}
