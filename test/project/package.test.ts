// What npm would publish: packed, installed in an empty project in a temporary folder, and used
// there by its types. Needs a built dist/ (built here when it is missing or old) and npm's cache or
// registry for the runtime dependencies.
import { execFile } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative, sep } from 'node:path';
import { promisify } from 'node:util';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { formatMessage } from 'publint/utils';
import { publint } from 'publint';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { build } from '../../scripts/build.mjs';
import { anchors } from './documents.js';
import { ROOT, filesUnder, importsOf, packageOf, parseText, read } from './sources.js';

const run = promisify(execFile);
const ENTRIES = [
  'main',
  'preload',
  'providers',
  'react',
  'renderer',
  'testing',
  'testing/electron',
  'testing/playwright',
] as const;
type Entry = (typeof ENTRIES)[number];
const manifest = JSON.parse(read('package.json')) as {
  version: string;
  exports: Record<string, string | { types: string; default: string }>;
  dependencies: Record<string, string>;
  peerDependencies: Record<string, string>;
};

/** All that the modules of Latchkey import of Electron; empty, for nothing is called. */
const ELECTRON_NAMES = [
  'app',
  'BaseWindow',
  'BrowserWindow',
  'clipboard',
  'ipcMain',
  'ipcRenderer',
  'net',
  'powerMonitor',
  'safeStorage',
  'session',
  'shell',
  'utilityProcess',
  'webContents',
];

/** What a host writes, one file for each entry, with a mistake that only true types catch. */
const USES: Readonly<Record<Entry, string>> = {
  main: `import { createAuth, AuthError, type Auth, type AuthView, type ProviderPreset } from 'latchkey/main';
export const auth: Auth = createAuth({ issuer: 'https://login.example.com', clientId: 'c', redirects: ['http://127.0.0.1/callback'] });
export const view: AuthView = auth.getView();
export const token: Promise<string> = auth.getAccessToken();
export const isOurs = (error: unknown): boolean => error instanceof AuthError && error.code === 'signed-out';
// @ts-expect-error "redirects" is required
createAuth({ issuer: 'https://login.example.com', clientId: 'c' });
// @ts-expect-error "issuer" or "provider" is required
createAuth({ clientId: 'c', redirects: ['http://127.0.0.1/callback'] });
declare const provider: ProviderPreset;
// @ts-expect-error not both of them
createAuth({ issuer: 'https://login.example.com', provider, clientId: 'c', redirects: [] });
// @ts-expect-error a preset has the endpoints
createAuth({ provider, endpoints: { authorization: '', token: '' }, clientId: 'c', redirects: [] });
export const { signIn, stop } = auth;
void signIn({ open: 'copy', prompt: 'login' });
void signIn({ open: (url: string) => console.log(url.length) });`,
  preload: `import 'latchkey/preload';`,
  providers: `import { createAuth, type ProviderPreset } from 'latchkey/main';
import { auth0, cognito, entra, github, google, keycloak, oidc, okta } from 'latchkey/providers';
export const presets: readonly ProviderPreset[] = [auth0({ domain: 'd' }), cognito({ region: 'r', userPoolId: 'p', domain: 'd' }), github(), google(), keycloak({ baseUrl: 'b', realm: 'r' }), oidc({ issuer: 'i' }), okta({ domain: 'd' })];
createAuth({ provider: entra({ tenant: 'common' }), clientId: 'c', redirects: ['http://localhost/callback'] });
// @ts-expect-error "tenant" is required
entra({});`,
  react: `import { SignedIn, SignedOut, useAuth, auth, getServerSnapshot, isAuthFailure, type PageView } from 'latchkey/react';
export const { view, signIn } = useAuth();
export const server: PageView = getServerSnapshot();
export const shown = [
  SignedIn({ children: ({ account }) => account.name }),
  SignedOut({ children: ({ status }) => status === 'locked' ? 'locked' : null }),
];
auth.subscribe((next) => console.log(next.status, isAuthFailure(next)));
// @ts-expect-error nobody is signed in there
SignedOut({ children: ({ account }) => account.name });
// @ts-expect-error the store's own members stay with "auth"
useAuth().subscribe(() => undefined);`,
  renderer: `import { auth, isAuthFailure, type AuthApi, type PageView } from 'latchkey/renderer';
export const api: AuthApi = auth;
auth.subscribe((view) => { if (view.status === 'signed-in') document.title = view.account.subject; });
export const code = (thrown: unknown): string => isAuthFailure(thrown) ? thrown.code : '';
export const words = (view: PageView): string => view.status === 'unavailable' ? view.error.message : view.status;
export const { signIn } = auth;
// @ts-expect-error a page cannot say who opens the link
void signIn({ open: 'copy' });
// @ts-expect-error a page has no way to a token
auth.getAccessToken();`,
  testing: `import { startProvider, type Provider } from 'latchkey/testing';
export const provider: Promise<Provider> = startProvider({ personality: 'entra' });
export const issuer: Promise<string> = provider.then((started) => started.issuer);
// @ts-expect-error there is no such personality
void startProvider({ personality: 'myspace' });`,
  'testing/electron': `import { app, fakeElectron, type KeyringMode } from 'latchkey/testing/electron';
export const mode: KeyringMode = fakeElectron.keyring.mode = 'locked';
export const name: string = app.getName();
fakeElectron.browseAs({ login: 'ada' });
// @ts-expect-error Electron has no such function
app.getNickname();`,
  'testing/playwright': `import { expect, test } from 'latchkey/testing/playwright';
test.use({ providerOptions: { personality: 'okta' }, launch: { args: ['.', '--issuer={issuer}'] } });
test('signs in', async ({ app, signedIn, provider }) => {
  const page = await signedIn(app, { login: 'grace' });
  await expect(page).toHaveTitle(provider.clientId);
});`,
};

/** What a host has that uses the test kit, beside Node's types: optional peers of its entries. */
const PEERS_WITH_TYPES: Readonly<Partial<Record<Entry, readonly string[]>>> = {
  react: ['@types/react', 'csstype'],
  testing: ['jose'],
  'testing/electron': ['electron'],
  'testing/playwright': ['jose', '@playwright/test', 'playwright', 'playwright-core'],
};

let folder = '';
let installed = '';
let tarball = '';
const packed: string[] = [];

beforeAll(async () => {
  // Not by "prepack": that would swap dist/ under a demo or test that runs beside this one.
  await build({ ifNeeded: true });
  folder = mkdtempSync(join(tmpdir(), 'latchkey-package-'));
  const npm = [
    '--no-audit',
    '--no-fund',
    '--ignore-scripts',
    '--prefer-offline',
    '--loglevel=error',
  ];
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder, ...npm], {
    cwd: ROOT,
  });
  const [report] = JSON.parse(stdout) as [{ filename: string; files: { path: string }[] }];
  tarball = join(folder, report.filename);
  packed.push(...report.files.map(({ path }) => path));
  const project = join(folder, 'empty-project');
  mkdirSync(project);
  writeFileSync(
    join(project, 'package.json'),
    JSON.stringify({ name: 'empty-project', private: true, type: 'module' }),
  );
  await run('npm', ['install', tarball, ...npm], { cwd: project, timeout: 90_000 });
  installed = join(project, 'node_modules', 'latchkey');
}, 110_000);

afterAll(() => {
  if (folder !== '') rmSync(folder, { recursive: true, force: true });
});

describe('the tarball', () => {
  it('holds what the exports name, the papers, and nothing of the demo, the sources or the tests', () => {
    const unwanted = packed.filter(
      (path) =>
        !/^(dist\/|package\.json$|README\.md$|LICENSE$|CHANGELOG\.md$|SECURITY\.md$|docs\/(?!decisions\/).*\.md$)/.test(
          path,
        ) || /(^|\/)demo[.-]|\.map$|\.test\.|\.spec\./.test(path),
    );
    expect(unwanted).toEqual([]);
    expect(
      packed.filter((path) => /\.c?ts$/.test(path) && !/\.d\.c?ts$/.test(path)),
      'TypeScript sources',
    ).toEqual([]);
    for (const paper of ['README.md', 'LICENSE', 'CHANGELOG.md', 'SECURITY.md'])
      expect(packed).toContain(paper);
  });

  it('has every file that the exports name', () => {
    const targets = Object.values(manifest.exports).flatMap((target) =>
      typeof target === 'string' ? [target] : Object.values(target),
    );
    expect(Object.keys(manifest.exports).sort()).toEqual(
      ['.', ...ENTRIES.map((entry) => `./${entry}`), './package.json'].sort(),
    );
    expect(targets.filter((target) => !existsSync(join(installed, target)))).toEqual([]);
  });

  it('has every file that its own modules import, and imports no package that it does not name', () => {
    const known = [
      ...Object.keys(manifest.dependencies),
      ...Object.keys(manifest.peerDependencies),
    ];
    const problems = readdirSync(join(installed, 'dist'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.c?js$|\.d\.c?ts$/.test(entry.name))
      .flatMap((entry) => {
        const path = join(entry.parentPath, entry.name);
        const name = relative(installed, path).split(sep).join('/');
        return importsOf(parseText(name, readFileSync(path, 'utf8'))).flatMap(
          ({ from, typeOnly }) => {
            const bare = packageOf(from);
            if (bare !== null) return known.includes(bare) ? [] : [`${name} imports ${from}`];
            if (from.startsWith('node:')) return [];
            const target = join(entry.parentPath, from);
            const isThere = existsSync(
              typeOnly || /\.d\.c?ts$/.test(name) ? target.replace(/\.(c?)js$/, '.d.$1ts') : target,
            );
            return isThere ? [] : [`${name} imports ${from}, which is missing`];
          },
        );
      });
    expect(problems).toEqual([]);
  });

  it('brings no package that would be compiled, and none that runs something when it is installed', () => {
    const names = readdirSync(join(installed, '..'), { recursive: true, encoding: 'utf8' });
    expect(names.filter((name) => name.endsWith('binding.gyp'))).toEqual([]);
    const manifests = names
      .filter((name) => basename(name) === 'package.json')
      .map((name) => readFileSync(join(installed, '..', name), 'utf8'));
    expect(manifests.length).toBeGreaterThan(2);
    expect(manifests.filter((text) => /"(pre|post)?install"\s*:/.test(text))).toEqual([]);
  });

  it('has every document, and every heading in it, that the sources point to', () => {
    const pointers = filesUnder('src', /\.(c?ts|html|css)$/).flatMap((source) =>
      // Links in Markdown go into the tables of documents, and are meant from there.
      [
        ...read(source).matchAll(/(\]\(|)(?<![\w/.-])([\w.-]+(?:\/[\w.-]+)*\.md)(?:#([\w-]+))?/g),
      ].map(([, before, path = '', anchor]) => ({
        source,
        path: before === '](' ? `docs/${path}` : path,
        anchor,
      })),
    );
    expect(pointers.length).toBeGreaterThan(10);
    const wrong = pointers.filter(
      ({ path, anchor }) =>
        !packed.includes(path) || (anchor !== undefined && !anchors(path).includes(anchor)),
    );
    expect(wrong).toEqual([]);
  });

  it('is not larger for its documents than a slow line bears', () => {
    expect(statSync(tarball).size).toBeLessThan(1_200_000);
  });

  it('has its own README and version', () => {
    const own = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as {
      version: string;
    };
    expect(own.version).toBe(manifest.version);
    expect(readFileSync(join(installed, 'README.md'), 'utf8')).toBe(read('README.md'));
  });
});

describe('other tools', () => {
  it('find nothing to say about it: publint, in its strict mode', async () => {
    const { messages, pkg } = await publint({ pkgDir: installed, pack: false, strict: true });
    expect(
      messages.map((message) => formatMessage(message, pkg as object, { color: false })),
    ).toEqual([]);
  });

  it('find its types right for every host that can load an ES module: are-the-types-wrong', async () => {
    const result = await checkPackage(
      createPackageFromTarballData(new Uint8Array(readFileSync(tarball))),
    );
    if (result.types === false) throw new Error('the package has no types');
    expect(Object.keys(result.entrypoints)).toEqual(Object.keys(manifest.exports));
    // "moduleResolution": "node" knows no exports. A CommonJS host gets an ES module, as
    // docs/bundlers.md says.
    const problems = result.problems.filter(
      (problem) =>
        !(
          'resolutionKind' in problem &&
          (problem.resolutionKind === 'node10' || problem.kind === 'CJSResolvesToESM')
        ),
    );
    expect(problems).toEqual([]);
  }, 60_000);
});

describe('an empty project', () => {
  it('gets exactly the pinned runtime dependencies, and no Electron or provider', () => {
    for (const [name, wanted] of Object.entries(manifest.dependencies)) {
      const own = JSON.parse(readFileSync(join(installed, '..', name, 'package.json'), 'utf8')) as {
        version: string;
      };
      expect(wanted, name).toMatch(/^(npm:@?[\w/-]+@)?\d+\.\d+\.\d+$/);
      expect(
        wanted.endsWith(own.version),
        `${name}: ${own.version} installed, ${wanted} wanted`,
      ).toBe(true);
    }
    expect(
      Object.keys(manifest.peerDependencies).filter((name) =>
        existsSync(join(installed, '..', name)),
      ),
    ).toEqual([]);
  });

  for (const [name, module, moduleResolution] of [
    ['nodenext', ts.ModuleKind.NodeNext, ts.ModuleResolutionKind.NodeNext],
    ['bundler', ts.ModuleKind.ESNext, ts.ModuleResolutionKind.Bundler],
  ] as const) {
    it.each([
      [['main', 'preload', 'providers', 'renderer'] as const],
      [['react'] as const],
      [['testing'] as const],
      [['testing/electron'] as const],
      [['testing/playwright'] as const],
    ])(
      `resolves the types of latchkey/%s under "moduleResolution": "${name}"`,
      (entries: readonly Entry[]) => {
        const project = join(installed, '..', '..');
        for (const peer of entries.flatMap((entry) => PEERS_WITH_TYPES[entry] ?? [])) {
          const link = join(installed, '..', peer);
          mkdirSync(dirname(link), { recursive: true });
          symlinkSync(join(ROOT, 'node_modules', peer), link, 'junction');
          onTestFinished(() => rmSync(link, { force: true }));
        }
        const files = entries.map((entry) => {
          const path = join(project, `${name}-${entry.replace('/', '-')}.ts`);
          writeFileSync(path, `${USES[entry]}\n`);
          return path;
        });
        const program = ts.createProgram({
          rootNames: files,
          options: {
            module,
            moduleResolution,
            target: ts.ScriptTarget.ES2022,
            strict: true,
            exactOptionalPropertyTypes: true,
            noEmit: true,
            lib: ['lib.es2023.d.ts', 'lib.dom.d.ts'],
            noUncheckedSideEffectImports: true,
            types: entries.some((entry) => entry.startsWith('testing')) ? ['node'] : [],
            typeRoots: [join(ROOT, 'node_modules', '@types')],
          },
        });
        // Our own files only: to check the platform's types again takes long and tells nothing
        // about this package.
        const ours = program
          .getSourceFiles()
          .filter(
            ({ fileName }) => files.includes(fileName) || fileName.includes('/latchkey/dist/'),
          );
        expect(ours.length).toBeGreaterThan(files.length);
        const problems = ours
          .flatMap((source) => [
            ...program.getSyntacticDiagnostics(source),
            ...program.getSemanticDiagnostics(source),
          ])
          .map(
            ({ file, messageText }) =>
              `${file === undefined ? '' : relative(project, file.fileName)}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`,
          );
        expect(problems).toEqual([]);
      },
    );
  }

  it('can require both entries from CommonJS where Node can require an ES module: neither waits at its top level', async () => {
    const electron = join(installed, '..', 'electron');
    onTestFinished(() => rmSync(electron, { recursive: true, force: true }));
    mkdirSync(electron);
    writeFileSync(
      join(electron, 'index.js'),
      ELECTRON_NAMES.map((name) => `exports.${name} = {};`).join('\n'),
    );
    const script =
      "console.log(typeof require('latchkey/main').createAuth, typeof require('latchkey').createAuth, typeof require('latchkey/renderer').auth)";
    const { stdout } = await run(process.execPath, ['--no-warnings', '-e', script], {
      cwd: join(installed, '..', '..'),
    });
    expect(stdout.trim()).toBe('function function object');
  });

  it('says that React is missing only to who imports latchkey/react', async () => {
    const cwd = join(installed, '..', '..');
    const load = (entry: string): Promise<{ stdout: string }> =>
      run(process.execPath, ['--input-type=module', '-e', `await import('${entry}')`], { cwd });
    await load('latchkey/renderer');
    await expect(load('latchkey/react')).rejects.toThrow(/Cannot find package 'react'/);
  });

  it('can import the presets where there is no Electron', async () => {
    const script =
      "import('latchkey/providers').then(({ entra }) => process.stdout.write(entra({ tenant: 'common' }).issuer))";
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], {
      cwd: join(installed, '..', '..'),
    });
    expect(stdout).toBe('https://login.microsoftonline.com/common/v2.0');
  });

  it('gets the command, which runs there without Electron', async () => {
    const { stdout } = await run(join(installed, '..', '.bin', 'latchkey'), ['--version'], {
      cwd: join(installed, '..', '..'),
    });
    expect(stdout).toBe(`${manifest.version}\n`);
    const refused = await run(join(installed, '..', '.bin', 'latchkey'), ['doctor'], {
      cwd: join(installed, '..', '..'),
    }).catch((error: unknown) => error);
    expect(refused).toMatchObject({
      code: 64,
      stderr: expect.stringContaining('the option "--issuer" is missing') as string,
    });
  });

  it.each<readonly [string, readonly string[], number, RegExp]>([
    [
      '--help',
      ['--help'],
      0,
      /^latchkey <command>[^]*\n {2}doctor [^]*\n {2}explain [^]*\n {2}provider /,
    ],
    ['help of provider', ['provider', '--help'], 0, /^latchkey provider \[options\]/],
    ['help of doctor', ['doctor', '--help'], 0, /^latchkey doctor --issuer URL/],
    ['help of explain', ['explain', '--help'], 0, /^usage: latchkey explain/],
    ['the rules of a provider', ['provider', '--rules', '--personality', 'google'], 0, /^google\n/],
    ['an explanation', ['explain', 'AADSTS50011'], 0, /The redirect URI is not registered/],
    ['a diagnosis', ['doctor', '--issuer', 'http://127.0.0.1:9'], 2, /^ERROR +discovery /m],
    [
      'a provider, of which it names what to install',
      ['provider'],
      69,
      /^latchkey provider: needs packages that are not installed: npm install --save-dev oidc-provider jose\n$/,
    ],
    ['a command that there is not', ['nonsense'], 64, /^latchkey: there is no such command\n/],
  ])(
    'gets the command, which needs no other package for %s',
    async (_what, args, code, expected) => {
      const cwd = join(installed, '..', '..');
      const env = { PATH: process.env['PATH'], HOME: folder };
      const ended = await run(join(installed, '..', '.bin', 'latchkey'), [...args], {
        cwd,
        env,
      }).then(
        (said) => ({ code: 0, ...said }),
        (thrown: unknown) => thrown as { code: number; stdout: string; stderr: string },
      );
      expect([ended.code, ended.stdout + ended.stderr]).toEqual([
        code,
        expect.stringMatching(expected),
      ]);
      expect(ended.stdout + ended.stderr).not.toMatch(/\n {4}at |node:internal|ERR_/);
    },
  );

  it('can import the page entry where there is no page and no Electron', async () => {
    const script =
      "import('latchkey/renderer').then(({ auth }) => auth.signIn()).catch((error) => process.stdout.write(String(error.code)))";
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], {
      cwd: join(installed, '..', '..'),
    });
    expect(stdout).toBe('page-refused');
  });
});
