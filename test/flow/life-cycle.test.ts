// createAuth late, twice, after stop(), and before the app moves its folder: on the fake Electron.
// Two providers over real HTTP: what belongs to the first must not reach the second.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { AuthEvent, OptionsWithIssuer } from '../../src/main/index.js';
import type { Auth } from '../../src/main/auth.js';
import { type Provider, startProvider } from '../../src/testing/index.js';
import {
  BrowserWindow,
  app,
  fakeElectron,
  ipcMain,
  powerMonitor,
  utilityProcess,
} from '../../src/testing/electron.js';

vi.mock('electron', () => import('../../src/testing/electron.js'));

const SCHEME = 'com.example.latchkey-demo:/callback';
const PAGE = pathToFileURL(resolve('index.html')).href;
const NOWHERE = 'https://login.example';
const running: Auth[] = [];
const providers: Provider[] = [];
let events: AuthEvent[] = [];

/** Processes of the keychain that run. */
let workers = 0;
const fork = utilityProcess.fork.bind(utilityProcess);

beforeEach(() => {
  events = [];
  vi.spyOn(utilityProcess, 'fork').mockImplementation((...how) => {
    const child = fork(...how);
    workers += 1;
    child.on('exit', () => (workers -= 1));
    return child;
  });
});
afterEach(async () => {
  vi.restoreAllMocks();
  await Promise.all(running.splice(0).map((auth) => auth.stop()));
  await Promise.all(providers.splice(0).map((provider) => provider.stop()));
  fakeElectron.reset();
});

async function provide(): Promise<Provider> {
  const provider = await startProvider({ signingAlgorithm: 'ES256' });
  providers.push(provider);
  return provider;
}

async function create(options: Partial<OptionsWithIssuer> = {}): Promise<Auth> {
  const { createAuth } = await import('../../src/main/index.js');
  const auth = createAuth({
    issuer: NOWHERE,
    clientId: 'notes',
    redirects: ['http://127.0.0.1/callback'],
    onLog: (event) => events.push(event),
    ...options,
  });
  running.push(auth);
  return auth;
}

async function started(auth: Auth): Promise<Auth> {
  await vi.waitFor(() => expect(auth.getView().status).not.toBe('starting'), 8_000);
  return auth;
}

/** What createAuth may leave in Electron. */
function traces(): Readonly<Record<string, number | boolean>> {
  const counts = [app, powerMonitor].flatMap((emitter) =>
    emitter.eventNames().map((name) => [String(name), emitter.listenerCount(name)] as const),
  );
  return {
    ...Object.fromEntries(counts.filter(([, count]) => count > 0)),
    preloads: fakeElectron.preloads.length,
    hasLock: app.hasSingleInstanceLock(),
    workers,
  };
}

describe('after stop()', () => {
  it.each([
    ['before the engine was loaded', false],
    ['after it was loaded', true],
  ])(
    '%s nothing of createAuth is left in Electron but the word that it was stopped',
    async (_when, load) => {
      const before = traces();
      const auth = await create({ redirects: [SCHEME] });
      if (load) await started(auth);
      await auth.stop();
      expect(traces()).toEqual(before);
      // A page that calls is told so, and Electron prints nothing.
      const answer = await fakeElectron.invoke('latchkey:sign-in', {});
      expect(answer).toMatchObject({ ok: false, error: { code: 'stopped' } });
    },
  );

  it.each(['memory', 'keychain'] as const)(
    'nothing of a doctor that was asked before any window is left: %s',
    async (secretStore) => {
      const before = traces();
      const auth = await create({ secretStore });
      await auth.supportBundle().catch(() => undefined);
      await auth.stop();
      // The end of a process is told a moment later.
      await vi.waitFor(() => expect(traces()).toEqual(before));
    },
  );

  it('no preload is attached, though the app becomes ready only then', async () => {
    let ready = (): void => undefined;
    vi.spyOn(app, 'whenReady').mockReturnValue(new Promise((resolve) => (ready = resolve)));
    const auth = await create({ secretStore: 'memory' });
    await auth.stop();
    ready();
    await new Promise((resolve) => setImmediate(resolve));
    expect(fakeElectron.preloads).toEqual([]);
  });

  it('no scheme is registered any more, though the first window was still loading', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'latchkey-life-cycle-'));
    // No tool of the system is found there.
    for (const name of ['XDG_DATA_HOME', 'PATH']) vi.stubEnv(name, folder);
    fakeElectron.isPackaged = true;
    try {
      const auth = await create({ redirects: [SCHEME], secretStore: 'memory' });
      app.emit('web-contents-created', {}, new BrowserWindow().webContents);
      // The host does not wait for the window.
      await expect(auth.getAccessToken()).rejects.toMatchObject({ code: 'signed-out' });
      await auth.stop();
      await new Promise((resolve) => setTimeout(resolve, 500));
      expect(readdirSync(folder)).toEqual([]);
    } finally {
      vi.unstubAllEnvs();
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('the single-instance lock stays if the app had it before', async () => {
    app.requestSingleInstanceLock();
    const auth = await create();
    await auth.stop();
    expect(app.hasSingleInstanceLock()).toBe(true);
  });

  it('each call rejects with "stopped"', async () => {
    const auth = await create({ secretStore: 'memory' });
    await auth.stop();
    for (const call of [
      auth.signIn,
      auth.getAccessToken,
      auth.diagnose,
      auth.supportBundle,
      auth.unregisterSchemes,
    ])
      await expect(call()).rejects.toMatchObject({ code: 'stopped' });
    expect(workers).toBe(0);
  });

  it('a page that asks for its bridge gets none, and does not wait for an answer', async () => {
    const auth = await create();
    await auth.stop();
    expect(await fakeElectron.openPage(PAGE)).toBeNull();
    expect(ipcMain.listenerCount('latchkey:view')).toBe(1);
  });

  it('the app quits without a second stop', async () => {
    const auth = await create();
    await auth.stop();
    app.quit();
    expect(fakeElectron.exitCode).toBe(0);
  });
});

describe('createAuth again', () => {
  it('without stop() is refused and says what to do, and the first goes on', async () => {
    const auth = await started(await create());
    const before = traces();
    await expect(create({ issuer: 'https://two.example' })).rejects.toMatchObject({
      name: 'AuthError',
      code: 'invalid-options',
      message: expect.stringContaining('await its stop() first') as string,
    });
    expect(traces()).toEqual(before);
    expect(await fakeElectron.openPage(PAGE)).toMatchObject({ initialView: auth.getView() });
  });

  it('before stop() has resolved is refused too', async () => {
    const auth = await started(await create());
    const { createAuth } = await import('../../src/main/index.js');
    const again = (): Auth =>
      createAuth({ issuer: NOWHERE, clientId: 'notes', redirects: [SCHEME], onLog: () => {} });
    const stopping = auth.stop();
    expect(again).toThrow('await its stop() first');
    await stopping;
    running.push(again());
  });

  it('for another server shows nothing of the first, sends it nothing, and the first comes back whole', async () => {
    const [one, two] = [await provide(), await provide()];
    fakeElectron.browseAs({ login: 'ada' });
    const first = await started(await create({ issuer: one.issuer, clientId: one.clientId }));
    const page = await fakeElectron.openPage(PAGE);
    const seen: string[] = [];
    page?.onView((view) => seen.push(JSON.stringify(view)));
    await first.signIn();
    await first.stop();
    const asked = one.requests.length;
    seen.length = 0;

    const second = await started(await create({ issuer: two.issuer, clientId: two.clientId }));
    expect(second.getView()).toEqual({ status: 'signed-out', reason: 'never' });
    // The page is still open: it sees the second sign-in, and its calls reach it.
    expect(seen.at(-1)).toBe(JSON.stringify(second.getView()));
    fakeElectron.browseAs({ login: 'grace' });
    expect(await page?.signIn({})).toEqual({ ok: true });
    expect(seen.at(-1)).toContain('Grace');
    expect(seen.join()).not.toContain('Ada');
    await second.stop();
    expect(one.requests.length).toBe(asked);
    const sent = JSON.stringify(two.requests);
    for (const { value } of one.issued) expect(sent).not.toContain(value);

    const again = await started(await create({ issuer: one.issuer, clientId: one.clientId }));
    expect(again.getView()).toMatchObject({
      status: 'signed-in',
      account: { name: 'Ada Lovelace' },
    });
  });

  it('does not get the callback that started the process once more', async () => {
    const callback = 'com.example.latchkey-demo:/callback?code=c&state=s';
    const argv = process.argv;
    process.argv = [...argv, callback];
    try {
      const first = await started(await create({ redirects: [SCHEME] }));
      await vi.waitFor(() => expect(named('callback-unexpected')).toHaveLength(1));
      await first.stop();
      await started(await create({ redirects: [SCHEME], issuer: 'https://two.example' }));
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(named('callback-unexpected')).toHaveLength(1);
    } finally {
      process.argv = argv;
    }
  });

  it('reaches only those open pages that it trusts itself', async () => {
    const origin = 'https://app.example.com';
    const first = await started(await create({ trustedOrigins: [origin] }));
    const page = await fakeElectron.openPage(`${origin}/`);
    const seen: unknown[] = [];
    page?.onView((view) => seen.push(view));
    await first.stop();
    seen.length = 0;
    await started(await create());
    expect(seen).toEqual([]);
  });
});

describe('the order of calls', () => {
  const warnings = (): readonly string[] =>
    named('start-order').map(({ fields }) => String(fields?.['warning']));

  beforeEach(() => {
    // Only the first sign-in of a process can come too late.
    vi.resetModules();
  });

  it('before the app is ready costs nothing', async () => {
    await started(await create({ redirects: [SCHEME] }));
    expect(warnings()).toEqual([]);
  });

  it('after the app is ready works, and one warning names what is lost', async () => {
    await app.whenReady();
    new BrowserWindow();
    const auth = await create({ redirects: [SCHEME] });
    // A window that the host makes right after the call must have the preload.
    expect(fakeElectron.preloads).toHaveLength(1);
    await started(auth);
    expect(warnings()).toEqual([
      expect.stringMatching(/on macOS a callback .* is lost.*a window that was open already/),
    ]);
    expect(await fakeElectron.openPage(PAGE)).not.toBeNull();
  });

  it('after a BaseWindow is open is told too', async () => {
    await app.whenReady();
    new BrowserWindow();
    // Electron's list of BrowserWindows leaves the others out.
    vi.spyOn(BrowserWindow, 'getAllWindows').mockReturnValue([]);
    await started(await create());
    expect(warnings()).toEqual([expect.stringContaining('a window that was open already')]);
  });

  it('after the app is ready, but before any window, costs a loopback redirect nothing', async () => {
    await app.whenReady();
    await started(await create());
    expect(warnings()).toEqual([]);
  });

  it('after stop() is no late one', async () => {
    const first = await started(await create({ redirects: [SCHEME] }));
    await first.stop();
    await started(await create({ redirects: [SCHEME] }));
    expect(warnings()).toEqual([]);
  });

  it.each([
    ['app.setPath("userData")', () => app.setPath('userData', '/elsewhere')],
    ['app.setName()', () => app.setName('Other')],
  ])('with %s after it is told, and what is stored stays in one place', async (call, move) => {
    const auth = await create();
    move();
    new BrowserWindow();
    await started(auth);
    expect(warnings()).toEqual([expect.stringContaining(`${call} was called after createAuth`)]);
  });
});

describe('a window without context isolation', () => {
  it('gets nothing, and the log has one warning that names the option', async () => {
    await started(await create());
    for (let page = 0; page < 3; page += 1) {
      const { webContents } = fakeElectron.createWindow();
      const event = {
        sender: webContents,
        senderFrame: { url: PAGE, origin: 'file://', parent: null, detached: false },
      };
      expect(fakeElectron.sendSync('latchkey:view', event as never, false)).toBeNull();
    }
    expect(events.filter(({ level }) => level === 'warn')).toMatchObject([
      {
        event: 'page-refused',
        fields: { hint: expect.stringContaining('"contextIsolation: true"') as string },
      },
    ]);
  });
});

function named(name: AuthEvent['event']): readonly AuthEvent[] {
  return events.filter(({ event }) => event === name);
}
