// Processes that share one account: engine-child.ts and the sources that it needs, stripped of
// their types into the cache of node_modules (Node 20 runs no TypeScript), each started as a child
// of Node. Nothing has to be built before.
import { fork } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AuthView } from '../../src/contract.js';
import type { FleetMember, FleetMessage, TokenRound } from './engine-child.js';
import { keychainScript } from './keychain-process.js';
import { stripped } from './stripped.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const CHILD = 'test/support/engine-child.ts';
const ADAPTERS = [
  'clock',
  'lock',
  'package-files',
  'run-tool',
  'secrets/call-queue',
  'secrets/keychain',
  'secrets/keychain-protocol',
].map((name) => `src/main/adapters/${name}.ts`);

function compiled(): string {
  const core = readdirSync(join(ROOT, 'src/main/core'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `src/main/core/${name}`);
  return stripped(
    'latchkey-fleet',
    [CHILD, ...ADAPTERS, ...core].map((path) => [path, readFileSync(join(ROOT, path), 'utf8')]),
  );
}

export interface EngineProcess {
  readonly pid: number;
  /** Its log so far, one JSON text for each event. */
  readonly log: readonly string[];
  view(): Promise<AuthView>;
  /**
   * Resolves with the view when it is signed in; `visit` is the person with the browser, who brings
   * the callback.
   */
  signIn(visit: (authorizationUrl: string) => Promise<string>): Promise<AuthView>;
  /** Resolves with the view when this computer has forgotten the session. */
  signOut(): Promise<AuthView>;
  /**
   * At this wall time its clock goes ahead, and so many callers ask for the access token at once.
   */
  askForTokens(at: number, aheadMs: number, callers: number): Promise<TokenRound>;
  kill(): void;
}

/** Starts one process with the environment in which its keychain is found. */
export function startEngineProcess(
  member: Omit<FleetMember, 'keychainScript'>,
  env: NodeJS.ProcessEnv,
): EngineProcess {
  const script = join(compiled(), CHILD.replace(/\.ts$/, '.js'));
  const argument: FleetMember = { ...member, keychainScript: keychainScript() };
  const child = fork(script, [JSON.stringify(argument)], {
    env,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    execArgv: [],
  });
  const answers = new Map<number, (answer: unknown) => void>();
  const log: string[] = [];
  let visitor: (url: string) => void = () => undefined;
  let lastId = 0;
  child.on('error', () => {});
  child.on('message', (received) => {
    const message = received as FleetMessage;
    if ('opened' in message) visitor(message.opened);
    else if ('log' in message) log.push(message.log);
    else answers.get(message.id)?.(message.answer);
  });

  function ask<Answer>(request: object): Promise<Answer> {
    const id = (lastId += 1);
    return new Promise<Answer>((resolve, reject) => {
      answers.set(id, (answer) => {
        if (typeof answer === 'object' && answer !== null && 'thrown' in answer)
          reject(new Error(`the process says ${String(answer.thrown)}\n${log.join('\n')}`));
        else resolve(answer as Answer);
      });
      child.send({ id, ...request }, () => {});
    });
  }

  return {
    pid: child.pid ?? 0,
    log,
    view: () => ask({ what: 'view' }),
    signIn(visit) {
      visitor = (opened) => void visit(opened).then((url) => ask({ what: 'callback', url }));
      return ask({ what: 'sign-in' });
    },
    signOut: () => ask({ what: 'sign-out' }),
    askForTokens: (at, aheadMs, callers) => ask({ what: 'tokens', at, aheadMs, callers }),
    kill: () => void child.kill('SIGKILL'),
  };
}
