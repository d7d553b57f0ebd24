// Processes of an app with today's build or with an old one, for tests of what one build leaves to
// another. An old build is taken from the history of this repository; its packages are today's, as
// long as package.json names the same versions.
import { execFileSync, fork } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AuthView } from '../../src/contract.js';
import type { GivenOptions } from '../../src/main/core/options/auth-options.js';
import { KEYCHAIN_SHIM, keychainScript } from './keychain-process.js';
import { type Source, stripped } from './stripped.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const CHILD = fileURLToPath(new URL('build-child.mjs', import.meta.url));

/** What a process is told when it is started. `tree`: the folder that has the build's sources. */
export interface BuildMember {
  readonly tree: string;
  /** Where the modules are, and what they are called. */
  readonly layout: 'today' | 'old';
  readonly options: GivenOptions;
  readonly service: string;
  readonly folder: string;
  readonly keychainScript: string;
}

export type BuildRequest = { readonly id: number } & (
  | { readonly what: 'callback'; readonly url: string }
  | { readonly what: 'ahead'; readonly ms: number }
  | { readonly what: 'stored'; readonly key: string }
  | { readonly what: 'store'; readonly key: string; readonly value: unknown }
  | { readonly what: 'call'; readonly call: readonly [name: string, ...parameters: unknown[]] }
);

type BuildMessage =
  | { readonly opened: string }
  | { readonly log: string }
  | { readonly id: number; readonly answer: unknown };

export interface Build {
  readonly tree: string;
  readonly layout: BuildMember['layout'];
  readonly keychainScript: string;
}

export interface BuildProcess {
  /** Its log so far, one JSON text for each event. */
  readonly log: readonly string[];
  view(): Promise<AuthView>;
  /** `visit` is the person with the browser, who brings the callback. */
  signIn(visit: (authorizationUrl: string) => Promise<string>, request?: object): Promise<void>;
  /** The token, or the code of the error. */
  token(request?: object): Promise<string>;
  call(name: 'switchAccount' | 'signOut', argument?: string): Promise<unknown>;
  /** Its clock goes ahead. */
  ahead(ms: number): Promise<void>;
  /** A value in the keychain, parsed. */
  stored(key: string): Promise<Record<string, unknown>>;
  store(key: string, value: unknown): Promise<void>;
  /** Ends it as an app that quits. */
  stop(): Promise<void>;
  kill(): void;
}

export function todaysBuild(): Build {
  const sources = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => /^main[\\/](core|adapters)[\\/].*\.ts$/.test(name))
    .map((name): Source => [`src/${name}`, readFileSync(join(ROOT, 'src', name), 'utf8')]);
  return {
    tree: stripped('latchkey-today', sources),
    layout: 'today',
    keychainScript: keychainScript(),
  };
}

/** A build of the history, by the hash of its commit. */
export function oldBuild(commit: string): Build {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-old-'));
  try {
    // The history may belong to another user, as in a CI job that runs as root.
    const git = ['-c', 'safe.directory=*', '-C', ROOT];
    const tarball = join(folder, 'old.tar');
    const archive = ['archive', `--output=${tarball}`, commit, 'src/main', 'package.json'];
    execFileSync('git', [...git, ...archive], { stdio: ['ignore', 'ignore', 'pipe'] });
    execFileSync('tar', ['-xf', tarball, '-C', folder]);
  } catch (cause) {
    rmSync(folder, { recursive: true, force: true });
    throw new Error(
      `commit ${commit} cannot be had from the history of this clone: a shallow clone needs "git fetch --unshallow"`,
      { cause },
    );
  }
  const sources = readdirSync(join(folder, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => /^main[\\/](core|adapters)[\\/].*\.ts$/.test(name))
    .map((name): Source => [`src/${name}`, readFileSync(join(folder, 'src', name), 'utf8')]);
  const was = dependenciesOf(join(folder, 'package.json'));
  rmSync(folder, { recursive: true, force: true });
  const is = dependenciesOf(join(ROOT, 'package.json'));
  for (const name of ['oauth4webapi', 'keytar', 'electron-store'])
    if (was[name] !== is[name]) throw new Error(`commit ${commit} has another version of ${name}`);
  const shim = 'src/main/adapters/keychain-shim.js';
  const tree = stripped(`latchkey-${commit}`, [...sources, [shim, KEYCHAIN_SHIM]]);
  return { tree, layout: 'old', keychainScript: join(tree, shim) };
}

function dependenciesOf(file: string): Readonly<Record<string, string>> {
  const { dependencies, devDependencies } = JSON.parse(readFileSync(file, 'utf8')) as Record<
    string,
    Record<string, string>
  >;
  return { ...dependencies, ...devDependencies };
}

/** Starts one process with the environment in which its keychain is found. */
export function startBuild(
  build: Build,
  member: Pick<BuildMember, 'options' | 'service' | 'folder'>,
  env: NodeJS.ProcessEnv,
): BuildProcess {
  const child = fork(CHILD, [JSON.stringify({ ...build, ...member })], {
    // electron-store imports the package `electron`, which would download Electron.
    env: { ...env, ELECTRON_OVERRIDE_DIST_PATH: '/nonexistent/electron' },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    execArgv: [],
  });
  const answers = new Map<number, (answer: unknown) => void>();
  const log: string[] = [];
  let visitor: (url: string) => void = () => undefined;
  let lastId = 0;
  child.on('error', () => {});
  child.on('message', (received) => {
    const message = received as BuildMessage;
    if ('opened' in message) visitor(message.opened);
    else if ('log' in message) log.push(message.log);
    else answers.get(message.id)?.(message.answer);
  });

  function ask(request: object): Promise<unknown> {
    const id = (lastId += 1);
    return new Promise((resolve, reject) => {
      answers.set(id, (answer) => {
        if (typeof answer === 'object' && answer !== null && 'thrown' in answer)
          reject(new Error(String(answer.thrown)));
        else resolve(answer);
      });
      child.send({ id, ...request }, () => {});
    });
  }
  const call = (...parts: readonly unknown[]): Promise<unknown> =>
    ask({ what: 'call', call: parts });

  return {
    log,
    async view() {
      for (;;) {
        const view = (await call('view')) as AuthView;
        if (view.status !== 'starting') return view;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    async signIn(visit, request = {}) {
      visitor = (opened) => void visit(opened).then((url) => ask({ what: 'callback', url }));
      await call('signIn', request);
    },
    token: (request) =>
      call('getAccessToken', ...(request === undefined ? [] : [request])).then(
        String,
        (error: unknown) => (error as Error).message,
      ),
    call,
    async ahead(ms) {
      await ask({ what: 'ahead', ms });
    },
    stored: async (key) => (await ask({ what: 'stored', key })) as Record<string, unknown>,
    async store(key, value) {
      await ask({ what: 'store', key, value });
    },
    async stop() {
      await call('stop');
      child.kill('SIGKILL');
    },
    kill: () => void child.kill('SIGKILL'),
  };
}
