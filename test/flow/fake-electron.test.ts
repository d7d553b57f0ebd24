// latchkey/testing/electron: the whole of Latchkey, from createAuth to the page, on the Electron
// that hosts alias in. Each test loads Latchkey again, as each start of an app does. The provider is
// the embedded one, over real HTTP.
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { OptionsWithIssuer, SignedInView } from '../../src/main/index.js';
import type { Auth } from '../../src/main/auth.js';
import { type Provider, createPerson, startProvider } from '../../src/testing/index.js';
import {
  BrowserWindow,
  app,
  default as electron,
  fakeElectron,
  powerMonitor,
} from '../../src/testing/electron.js';

vi.mock('electron', () => import('../../src/testing/electron.js'));

/** A page of the app that is tested. */
const PAGE = pathToFileURL(resolve('index.html')).href;
const SCHEME = 'com.example.latchkey-demo:/callback';
const LOOPBACK = 'http://127.0.0.1/callback';
let provider: Provider;
const running: Auth[] = [];

beforeEach(async () => {
  provider = await startProvider({ signingAlgorithm: 'ES256' });
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((auth) => auth.stop()));
  await provider.stop();
  fakeElectron.reset();
});

/** Starts an app. The keyring and userData stay from start to start. */
async function start(options: Partial<OptionsWithIssuer> = {}): Promise<Auth> {
  const { createAuth } = await import('../../src/main/index.js');
  const auth = createAuth({
    issuer: provider.issuer,
    clientId: provider.clientId,
    redirects: [LOOPBACK],
    onLog: () => undefined,
    ...options,
  });
  running.push(auth);
  await vi.waitFor(() => expect(auth.getView().status).not.toBe('starting'), 8_000);
  return auth;
}

describe('an app on the fake Electron', () => {
  it.each([[LOOPBACK], [SCHEME]])(
    'signs in by %s with the scripted person as its browser',
    async (redirect) => {
      // macOS leads schemes to packaged apps only, and the fake follows.
      fakeElectron.isPackaged = process.platform === 'darwin';
      fakeElectron.browseAs({ login: 'ada' });
      const auth = await start({ redirects: [redirect] });
      await auth.signIn();
      expect(auth.getView()).toMatchObject({
        status: 'signed-in',
        remembered: true,
        store: 'keychain',
        account: { name: 'Ada Lovelace' },
      });
      expect(await auth.getAccessToken()).toBe(
        provider.issued.filter(({ kind }) => kind === 'access_token').at(-1)?.value,
      );
      expect(
        [...fakeElectron.keyring.entries.keys()].some((key) =>
          key.startsWith('latchkey:Test App '),
        ),
      ).toBe(true);
    },
  );

  it('shows claims to a page as plain data, and gives it no way to an ID token', async () => {
    provider.changePerson('ada', {
      roles: ['admin'],
      groups: JSON.parse('[{"__proto__":{"admin":true},"name":"staff"}]') as unknown,
    });
    fakeElectron.browseAs({ login: 'ada' });
    const auth = await start({ claims: ['roles', 'groups'], keepIdToken: true });
    await auth.signIn();
    const page = await fakeElectron.openPage(PAGE);
    const { account } = page?.initialView as SignedInView;
    const claims = { roles: ['admin'], groups: [{ name: 'staff' }] };
    expect(account.claims).toEqual(claims);
    expect(structuredClone(account.claims)).toEqual(claims);
    expect(JSON.stringify(account.claims)).toBe(JSON.stringify(claims));
    const idToken = await auth.getIdToken();
    expect(provider.issued).toContainEqual({ kind: 'id_token', value: idToken });
    expect(JSON.stringify(page)).not.toContain(idToken);
    expect(Object.keys(page ?? {}).sort()).toEqual(
      'cancelSignIn initialView onView openRequest pasteCallback reopenBrowser retry signIn signOut switchAccount tryAnotherWay'.split(
        ' ',
      ),
    );
    for (const channel of ['latchkey:get-id-token', 'latchkey:getIdToken'])
      await expect(fakeElectron.invoke(channel, {})).rejects.toThrow('no handler');
  });

  it('restores the session at the next start, and forgets it when the person signs out', async () => {
    fakeElectron.browseAs();
    const first = await start();
    await first.signIn();
    await first.stop();
    fakeElectron.restart();
    const second = await start();
    expect(second.getView()).toMatchObject({
      status: 'signed-in',
      account: { name: 'Ada Lovelace' },
    });
    await second.signOut();
    expect(second.getView()).toMatchObject({ status: 'signed-out', reason: 'signed-out' });
    await vi.waitFor(() => expect(fakeElectron.keyring.entries.size).toBe(0), 8_000);
  });

  it('learns that the person said no', async () => {
    fakeElectron.browseAs({ consent: 'deny' });
    const auth = await start();
    await expect(auth.signIn()).rejects.toMatchObject({ code: 'sign-in-denied' });
  });

  it('renews when the computer wakes up and the provider has ended the token', async () => {
    fakeElectron.browseAs();
    const auth = await start();
    await auth.signIn();
    const before = await auth.getAccessToken();
    vi.setSystemTime(Date.now() + 3_600_000);
    try {
      powerMonitor.emit('resume');
      await vi.waitFor(() => expect(provider.tokenRequests('refresh_token')).toBe(1), 8_000);
      expect(await auth.getAccessToken()).not.toBe(before);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('the keyring', () => {
  const signedIn = async (): Promise<Auth> => {
    fakeElectron.browseAs();
    const auth = await start();
    await auth.signIn();
    return auth;
  };

  it.each(['absent', 'locked', 'crashing'] as const)(
    'that is %s costs the memory, not the sign-in',
    async (mode) => {
      fakeElectron.keyring.mode = mode;
      const auth = await signedIn();
      expect(auth.getView()).toMatchObject({ status: 'signed-in', remembered: false });
      expect(fakeElectron.keyring.entries.size).toBe(0);
    },
  );

  it('that hangs at the start shows a locked app, which goes on when the person unlocks it', async () => {
    const auth = await signedIn();
    await auth.stop();
    fakeElectron.restart();
    fakeElectron.keyring.mode = 'hanging';
    const next = await start();
    expect(next.getView().status).toBe('locked');
    fakeElectron.keyring.unlock();
    await vi.waitFor(
      () =>
        expect(next.getView()).toMatchObject({
          status: 'signed-in',
          account: { name: 'Ada Lovelace' },
        }),
      8_000,
    );
  });

  it('that is missing is replaced by encrypted files where Electron has them', async () => {
    fakeElectron.keyring.mode = 'absent';
    fakeElectron.canEncrypt = true;
    const auth = await signedIn();
    expect(auth.getView()).toMatchObject({
      status: 'signed-in',
      remembered: true,
      store: 'safe-storage',
    });
  });
});

describe('a page', () => {
  it('of the app has the bridge, sees each view, and can sign in', async () => {
    fakeElectron.browseAs();
    await start();
    const page = await fakeElectron.openPage(PAGE);
    const seen: string[] = [];
    page?.onView((view) => seen.push(view.status));
    expect(await page?.signIn({})).toEqual({ ok: true });
    expect(page?.initialView.status).toBe('signed-out');
    expect([seen.includes('signing-in'), seen.at(-1)]).toEqual([true, 'signed-in']);
  });

  it('of somebody else has none', async () => {
    await start();
    expect(await fakeElectron.openPage('https://evil.example/')).toBeNull();
  });
});

describe('the module', () => {
  it('has windows that remember what was done to them', async () => {
    const window = new BrowserWindow({ show: false });
    await window.loadFile(resolve('index.html'));
    expect([
      window.isVisible(),
      window.webContents.getURL(),
      BrowserWindow.getAllWindows().length,
    ]).toEqual([false, PAGE, 1]);
    window.show();
    window.close();
    expect([window.did, window.isDestroyed(), BrowserWindow.getAllWindows()]).toEqual([
      ['show'],
      true,
      [],
    ]);
  });

  it('quits only when nobody prevents it', () => {
    const prevent = (event: { preventDefault(): void }): void => event.preventDefault();
    app.on('before-quit', prevent as never);
    app.quit();
    expect(fakeElectron.exitCode).toBeNull();
    app.removeListener('before-quit', prevent as never);
    app.quit();
    expect(fakeElectron.exitCode).toBe(0);
  });

  it('ends a second instance, which leaves its arguments to the first', async () => {
    fakeElectron.lock = false;
    const { createAuth } = await import('../../src/main/index.js');
    running.push(
      createAuth({
        issuer: provider.issuer,
        clientId: provider.clientId,
        redirects: [SCHEME],
        onLog: () => undefined,
      }),
    );
    expect(fakeElectron.exitCode).toBe(0);
  });

  it('is one for each process, and after a reset as at the beginning', async () => {
    app.setName('Notes');
    app.setPath('userData', '/elsewhere');
    expect([electron.app.getName(), app.getPath('userData')]).toEqual(['Notes', '/elsewhere']);
    fakeElectron.reset();
    expect([app.getName(), app.getPath('userData')]).toEqual(['Test App', fakeElectron.userData]);
  });

  it('leads the person to no app when the sign-in fails', async () => {
    fakeElectron.browseAs({}, createPerson());
    await electron.shell.openExternal('http://127.0.0.1:1/nobody-listens');
    expect(fakeElectron.openedUrls).toEqual(['http://127.0.0.1:1/nobody-listens']);
  });
});
