// The mistakes of docs/troubleshooting.md, each made again on the real code: what the developer
// reads then is what the document says. LATCHKEY_UPDATE_DOCS=1 writes it there.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { format } from 'node:util';
import { rolldown } from 'rolldown';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createSchemeRegistration } from '../../src/main/adapters/custom-scheme/scheme-registration.js';
import { whyFilesMissing } from '../../src/main/adapters/package-files.js';
import { recogniseFailure } from '../../src/main/adapters/secrets/keychain-protocol.js';
import { loadKeytar } from '../../src/main/adapters/secrets/keychain-worker.js';
import type { Auth } from '../../src/main/auth.js';
import type { AuthOptions } from '../../src/main/index.js';
import { createApi } from '../../src/renderer/index.js';
import { type Provider, type ProviderOptions, startProvider } from '../../src/testing/index.js';
import { app, fakeElectron } from '../../src/testing/electron.js';
import { expectTrouble } from '../project/documents.js';
import { diagnosed, workingKeyring } from '../support/doctor-command.js';

vi.mock('electron', () => import('../../src/testing/electron.js'));

const LOOPBACK = 'http://127.0.0.1/callback';
type Changes = Partial<Omit<AuthOptions, 'issuer' | 'provider' | 'endpoints'>> & {
  readonly issuer?: string;
};
const providers: Provider[] = [];
const running: Auth[] = [];
const terminal: string[] = [];

// Loading it is not what a test waits for.
beforeAll(async () => {
  await import('../../src/main/index.js');
  await import('../../src/main/assembly.js');
}, 120_000);
beforeEach(() => {
  for (const method of ['warn', 'error'] as const)
    vi.spyOn(console, method).mockImplementation(
      (...words) => void terminal.push(format(...(words as unknown[])).replace(/\s*\n\s*/g, ' ')),
    );
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((auth) => auth.stop()));
  await Promise.all(providers.splice(0).map((provider) => provider.stop()));
  vi.restoreAllMocks();
  terminal.splice(0);
  fakeElectron.reset();
});

async function provide(options: ProviderOptions = {}): Promise<Provider> {
  const provider = await startProvider({ signingAlgorithm: 'ES256', ...options });
  providers.push(provider);
  return provider;
}

/** Starts an app that writes its warnings to the terminal, as it does by default. */
async function start(options: Changes = {}): Promise<Auth> {
  const { createAuth } = await import('../../src/main/index.js');
  const auth = createAuth({
    issuer: providers[0]?.issuer ?? 'https://login.example.com',
    clientId: providers[0]?.clientId ?? 'notes-desktop',
    redirects: [LOOPBACK],
    ...options,
  });
  running.push(auth);
  await vi.waitFor(() => expect(auth.getView().status).not.toBe('starting'), 8_000);
  return auth;
}

/** What a promise or a call fails with. */
async function messageOf(call: () => unknown): Promise<string> {
  try {
    await call();
  } catch (thrown) {
    return (thrown as Error).message;
  }
  throw new Error('it did not fail');
}

/** The lines of the terminal that contain these words. */
async function lines(words: string): Promise<string> {
  const found = (): string[] => terminal.filter((line) => line.includes(words));
  await vi.waitFor(() => expect(found(), words).toHaveLength(1));
  return found().join();
}

/** Replaces what differs from run to run. */
function settled(text: string): string {
  return providers
    .reduce((done, { issuer }) => done.replaceAll(issuer, 'https://login.example.com'), text)
    .replace(/(127\.0\.0\.1|localhost):\d{5,}/g, '$1:49152');
}

/** `symptom`: the title of the test, which is a row of the document. */
function reads(symptom: string, ...messages: readonly string[]): void {
  expectTrouble(symptom, messages.map(settled));
}

describe('an app that does not start', () => {
  it('createAuth throws after your bundler has built the app', async ({ task }) => {
    const folder = mkdtempSync(join(tmpdir(), 'latchkey-bundled-'));
    try {
      const build = await rolldown({
        input: join(import.meta.dirname, '../../src/main/adapters/package-files.ts'),
        platform: 'node',
      });
      const file = join(folder, 'main.mjs');
      await build.write({ file, format: 'es' });
      const bundled = (await import(pathToFileURL(file).href)) as {
        whyFilesMissing: typeof whyFilesMissing;
      };
      reads(task.name, bundled.whyFilesMissing(['preload']) ?? '');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('createAuth throws in the packaged app only', ({ task }) => {
    const folder = mkdtempSync(join(tmpdir(), 'latchkey-half-'));
    const moduleUrl = pathToFileURL(join(folder, 'dist/main/adapters/package-files.js')).href;
    reads(task.name, whyFilesMissing(['preload'], { moduleUrl }) ?? '');
    rmSync(folder, { recursive: true });
  });

  it('createAuth throws at a redirect that a website would use', async ({ task }) => {
    reads(
      task.name,
      await messageOf(() => start({ redirects: ['https://notes.example.com/callback'] })),
    );
  });

  it('createAuth throws at an option of another library', async ({ task }) => {
    const options = { authority: 'https://login.example.com' } as Changes;
    const message = await messageOf(() => start(options));
    expect(message).toMatch(/; expected one of issuer, provider, clientId, /);
    reads(task.name, message.replace(/(; expected one of ).*/, '$1…'));
  });

  it('createAuth throws at its second call', async ({ task }) => {
    await start();
    reads(task.name, await messageOf(() => start()));
  });

  it('a second start of the app shows no window and ends without an error', async ({ task }) => {
    fakeElectron.lock = false;
    const { createAuth } = await import('../../src/main/index.js');
    running.push(
      createAuth({
        issuer: 'https://login.example.com',
        clientId: 'notes-desktop',
        redirects: [LOOPBACK],
      }),
    );
    expect(terminal).toEqual([]);
    reads(task.name, `exit code ${fakeElectron.exitCode}`);
  });
});

describe('a page that does not see Latchkey', () => {
  it('the button does nothing, in a window with a session of its own', async ({ task }) => {
    reads(task.name, await messageOf(() => createApi(() => undefined).signIn()));
  });

  it('the button does nothing, in a window that was open before createAuth', async ({ task }) => {
    // Only the first sign-in of a process can be late.
    vi.resetModules();
    await app.whenReady();
    fakeElectron.createWindow();
    await start();
    reads(task.name, await lines('start-order'));
  });

  it('the button does nothing, in a window without context isolation', async ({ task }) => {
    await start();
    const window = fakeElectron.createWindow();
    await window.loadURL(pathToFileURL(resolve('index.html')).href);
    const event = { sender: window.webContents, senderFrame: window.webContents.mainFrame };
    expect(fakeElectron.sendSync('latchkey:view', event, false)).toBeNull();
    reads(task.name, await lines('page-refused'));
  });

  it('the page stays empty, because it imports latchkey/main', async ({ task }) => {
    reads(task.name, await messageOf(() => import('../../src/renderer/main-in-page.js')));
  });

  it('the button does nothing, in a page of a development server', async ({ task }) => {
    await start();
    const bridge = await fakeElectron.openPage('http://localhost:5173/');
    expect(bridge).toBeNull();
    reads(
      task.name,
      await lines('page-refused'),
      await messageOf(() => createApi(() => bridge ?? undefined).signIn()),
    );
  });
});

describe('a sign-in that fails', () => {
  it('signIn rejects at once, because the issuer is the address of its metadata', async ({
    task,
  }) => {
    const { issuer } = await provide();
    const auth = await start({ issuer: `${issuer}/.well-known/openid-configuration` });
    reads(task.name, await messageOf(() => auth.signIn()));
  });

  it('signIn rejects at once, because of a slash at the end of the issuer', async ({ task }) => {
    const { issuer } = await provide();
    const auth = await start({ issuer: `${issuer}/` });
    reads(task.name, await messageOf(() => auth.signIn()));
  });

  it('the browser shows an error, because the redirect is not registered', async ({ task }) => {
    const { issuer, clientId } = await provide();
    reads(task.name, await findingOf(issuer, clientId, 'http://127.0.0.1/other'));
  });

  it('the browser shows an error, because the case of the redirect differs', async ({ task }) => {
    const { issuer, clientId } = await provide({
      redirectUris: ['com.example.notes:/callback'],
    });
    reads(task.name, await findingOf(issuer, clientId, 'com.example.notes:/Callback'));
  });

  it('the browser shows an error, because the provider does not know the client id', async ({
    task,
  }) => {
    const { issuer } = await provide();
    reads(task.name, await findingOf(issuer, 'notes-web', LOOPBACK));
  });

  it('the browser does not come back to the app, because no program opens the scheme', async ({
    task,
  }) => {
    const { issuer, clientId } = await provide();
    const redirect = 'com.example.notes:/callback';
    reads(task.name, await findingOf(issuer, clientId, redirect, 'scheme-owner'));
  });

  it('Entra refuses an app that is registered as "Single-page application"', async ({ task }) => {
    reads(task.name, await refusedByEntra('spa'));
  });

  it('Entra refuses an app that is registered as "Web"', async ({ task }) => {
    reads(task.name, await refusedByEntra('web'));
  });

  it('signIn rejects, because the provider demands a client secret', async ({ task }) => {
    await provide({ personality: 'google' });
    fakeElectron.browseAs();
    const auth = await start({ scopes: ['openid', 'email'] });
    reads(task.name, await failureOf(auth));
  });

  it('signIn rejects, because macOS leads no scheme to an app in development', async ({ task }) => {
    const { register } = createSchemeRegistration({
      app: undefined as never,
      facts: {
        platform: 'darwin',
        isPackaged: false,
        execPath: '',
        appPath: '',
        argv: [],
        workingFolder: '',
        env: {},
      } as never,
    });
    const registered = await register('com.example.notes');
    reads(task.name, 'detail' in registered ? registered.detail : '');
  });
});

describe('a session that is not kept', () => {
  it('the person is signed out when the app quits, on a Linux without a keyring', async ({
    task,
  }) => {
    await provide();
    fakeElectron.keyring.mode = 'absent';
    fakeElectron.browseAs();
    const auth = await start();
    await auth.signIn();
    const view = auth.getView();
    const error = view.status === 'signed-in' ? view.error : undefined;
    reads(task.name, await lines('keyring-unavailable'), error?.message ?? '');
  });

  it('the person is signed out when the packaged app quits', async ({ task }) => {
    const text = await messageOf(() => loadKeytar('/nonexistent/'));
    reads(task.name, recogniseFailure(text).detail);
  });

  it('the person is signed out after an hour', async ({ task }) => {
    await start({ scopes: ['openid', 'profile'] });
    reads(task.name, await lines('offline_access'));
  });
});

/** What the doctor says of this registration. */
async function findingOf(
  issuer: string,
  clientId: string,
  redirect: string,
  id: 'redirect' | 'scheme-owner' = 'redirect',
): Promise<string> {
  const args = ['--issuer', issuer, '--client-id', clientId, '--redirect', redirect];
  const env = { PATH: process.env['PATH'], XDG_DATA_HOME: process.env['XDG_DATA_HOME'] };
  const { find } = await diagnosed(args, { fork: workingKeyring, env });
  return find(id)?.seen ?? '';
}

async function refusedByEntra(platform: 'spa' | 'web'): Promise<string> {
  await provide({ personality: 'entra', redirectUris: [{ uri: 'http://localhost', platform }] });
  fakeElectron.browseAs();
  return failureOf(await start({ redirects: ['http://localhost'] }));
}

/** The last view of a sign-in that fails, as a developer sees it. */
async function failureOf(auth: Auth): Promise<string> {
  const message = await messageOf(() => auth.signIn());
  const view = auth.getView();
  const error = view.status === 'signed-out' ? view.error : undefined;
  expect(error?.message).toBe(message);
  return [message, error?.provider?.code ?? error?.serverError].join('; ');
}
