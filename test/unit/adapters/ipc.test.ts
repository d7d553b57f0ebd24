// The boundary to pages (adapters/pages/ipc.ts): who may call, what may be asked, who is told.
import type * as Electron from 'electron';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { AuthView } from '../../../src/contract.js';
import { type PageCalls, exposeToPages } from '../../../src/main/adapters/pages/ipc.js';
import { originOf } from '../../../src/main/adapters/pages/page-trust.js';
import { AuthError, toErrorView } from '../../../src/main/core/base/errors.js';
import type { LogEvent } from '../../../src/main/core/base/ports.js';
import { parseOptions } from '../../../src/main/core/options/options.js';
import { parseSignInRequest } from '../../../src/main/core/authorization/sign-in-request.js';
import { fakeElectron } from '../../support/fake-electron.js';

const trust = {
  trustedOrigins: ['app://notes'],
  appPath: '/opt/notes/resources/app.asar',
};
/** As Electron 33 behaves after a crash. */
const disposed = new Proxy<object>(
  {},
  {
    get() {
      throw new Error('Render frame was disposed before WebFrameMain could be accessed');
    },
  },
) as unknown as Electron.WebFrameMain;

const signedOut: AuthView = { status: 'signed-out', reason: 'never' };

describe('a call from a page', () => {
  const asked: string[] = [];
  const events: LogEvent[] = [];
  let view: AuthView = signedOut;
  let tell: (next: AuthView) => void = () => undefined;
  let expose = (): void => undefined;
  let remove = (): void => undefined;
  let trusted: () => readonly Electron.WebContents[] = () => [];

  beforeEach(() => {
    asked.length = 0;
    events.length = 0;
    view = signedOut;
    const calls: PageCalls = {
      view: () => view,
      errorView: async (error) => toErrorView(error),
      onView: (listener) => {
        tell = listener;
        listener(view);
        return () => {
          tell = () => undefined;
        };
      },
      signIn: async (argument) => {
        asked.push(JSON.stringify(parseSignInRequest(argument)));
      },
      cancelSignIn: () => {
        asked.push('cancel');
      },
      reopenBrowser: () => {
        asked.push('reopen');
      },
      tryAnotherWay: () => {
        asked.push('another way');
      },
      pasteCallback: async (argument) => {
        asked.push(`paste ${JSON.stringify(argument)}`);
      },
      signOut: async () => {
        throw new AuthError('stopped', 'authentication was stopped', {
          cause: new Error('a secret cause'),
        });
      },
      switchAccount: async (argument) => {
        asked.push(`switch ${JSON.stringify(argument)}`);
      },
      retry: () => {
        asked.push('retry');
      },
      fetch: () => Promise.reject(new Error('not asked for')),
    };
    expose = () => {
      const log = { write: (event: LogEvent) => void events.push(event) };
      ({ remove, trusted } = exposeToPages(calls, trust, log));
    };
    expose();
  });
  afterEach(async () => {
    remove();
    // What was refused is logged when its hint is loaded.
    await vi.dynamicImportSettled();
  });

  const frame = (url: string, over: object = {}): Partial<Electron.IpcMainInvokeEvent> => ({
    senderFrame: {
      url,
      origin: originOf(url),
      parent: null,
      detached: false,
      ...over,
    } as unknown as Electron.WebFrameMain,
  });

  it('is answered when the top frame of a trusted page makes it', async () => {
    expect(
      await fakeElectron.invoke('latchkey:sign-in', frame('app://notes/'), { loginHint: 'ada' }),
    ).toEqual({ ok: true });
    expect(await fakeElectron.invoke('latchkey:retry', frame('app://notes/'))).toEqual({
      ok: true,
    });
    expect(asked).toEqual(['{"loginHint":"ada"}', 'retry']);
  });

  it.each([
    ['a page that is not trusted', frame('https://evil.example/')],
    ['a frame inside a trusted page', frame('app://notes/', { parent: {} })],
    ['a frame that is detached', frame('app://notes/', { detached: true })],
    ['a frame that is gone', { senderFrame: null }],
    ['a trusted address without an origin', frame('app://notes/', { origin: 'null' })],
    ['a document that inherits an origin', frame('about:blank', { origin: 'app://notes' })],
    ['a frame that Electron has disposed of', { senderFrame: disposed }],
  ])('is refused as a value when it comes from %s', async (_name, event) => {
    for (const channel of [
      'latchkey:sign-in',
      'latchkey:cancel-sign-in',
      'latchkey:reopen-browser',
      'latchkey:try-another-way',
      'latchkey:paste-callback',
      'latchkey:sign-out',
      'latchkey:retry',
    ]) {
      expect(await fakeElectron.invoke(channel, event)).toMatchObject({
        ok: false,
        error: { code: 'page-refused' },
      });
    }
    expect(asked).toEqual([]);
  });

  it.each([
    ['https://evil.example/a', 'https://evil.example'],
    ['http://localhost:1', 'http://localhost:1'],
    ['file:///tmp/page.html', 'file://'],
    ['data:text/html,x', 'null'],
    ['blob:https://evil.example/1', 'https://evil.example'],
    ['com.example.notes:/page', 'null'],
  ])(
    'that is refused from %s is told of the option only if that can name its origin',
    async (url, documentOrigin) => {
      await fakeElectron.invoke('latchkey:retry', frame(url, { origin: documentOrigin }));
      await vi.waitFor(() => expect(events).toHaveLength(1));
      const { origin = '', hint = '' } = (events[0]?.fields ?? {}) as Record<string, string>;
      const take = (): unknown =>
        parseOptions({
          issuer: 'https://id.example',
          clientId: 'me',
          redirects: ['a.b:/c'],
          trustedOrigins: [origin],
        });
      if (hint.includes('"trustedOrigins"')) expect(take).not.toThrow();
      else expect(take).toThrow(/"trustedOrigins"/);
    },
  );

  it('may ask for nothing but what a sign-in may hold', async () => {
    for (const argument of [
      { redirectUri: 'x' },
      { prompt: 'none' },
      { loginHint: 7 },
      'text',
      [],
      { loginHint: 'x'.repeat(321) },
    ]) {
      expect(
        await fakeElectron.invoke('latchkey:sign-in', frame('app://notes/'), argument),
      ).toMatchObject({ ok: false, error: { code: 'invalid-options' } });
    }
    expect(asked).toEqual([]);
  });

  it('hands on what was pasted as it came, for main to judge, and asks for another way', async () => {
    for (const argument of ['com.example.app:/callback?code=c', 7])
      expect(
        await fakeElectron.invoke('latchkey:paste-callback', frame('app://notes/'), argument),
      ).toEqual({ ok: true });
    expect(await fakeElectron.invoke('latchkey:try-another-way', frame('app://notes/'))).toEqual({
      ok: true,
    });
    expect(asked).toEqual(['paste "com.example.app:/callback?code=c"', 'paste 7', 'another way']);
  });

  it('gets an error without its cause', async () => {
    const reply = await fakeElectron.invoke('latchkey:sign-out', frame('app://notes/'));
    expect(reply).toEqual({
      ok: false,
      error: { code: 'stopped', retry: 'never', message: 'authentication was stopped' },
    });
  });

  it('is logged once for each origin that is refused, without path and query', async () => {
    for (let round = 0; round < 3; round += 1)
      await fakeElectron.invoke('latchkey:retry', frame('https://evil.example/path?code=secret'));
    await vi.dynamicImportSettled();
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({
      event: 'page-refused',
      fields: { origin: 'https://evil.example' },
    });
  });

  it('is logged once for a page and once for a frame of the same origin, each with its hint', async () => {
    for (const parent of [{}, null, {}, null])
      await fakeElectron.invoke('latchkey:retry', frame('https://evil.example/', { parent }));
    await vi.dynamicImportSettled();
    expect(events).toHaveLength(2);
    expect(events).toMatchObject([
      { fields: { hint: expect.stringContaining('in the page around it') as string } },
      { fields: { hint: expect.stringContaining('"trustedOrigins"') as string } },
    ]);
  });

  it('learns no view when the page is not trusted, and is told no change', () => {
    const sent: unknown[][] = [];
    const page = (url: string): Partial<Electron.IpcMainEvent> => ({
      ...(frame(url) as Partial<Electron.IpcMainEvent>),
      sender: sender(url, (...words) => sent.push(words)),
    });
    expect(fakeElectron.sendSync('latchkey:view', page('https://evil.example/'))).toBeNull();
    tell({ status: 'starting' });
    expect(sent).toEqual([]);
  });

  it('is told every change, until its window shows a page that is not trusted', () => {
    const sent: unknown[][] = [];
    const contents = sender('app://notes/', (...words) => sent.push(words));
    expect(
      fakeElectron.sendSync('latchkey:view', {
        ...(frame('app://notes/') as Partial<Electron.IpcMainEvent>),
        sender: contents,
      }),
    ).toEqual(signedOut);
    tell({ status: 'starting' });
    expect(sent).toEqual([['latchkey:view-changed', { status: 'starting' }]]);
    Object.assign(contents.mainFrame, {
      url: 'https://evil.example/',
      origin: 'https://evil.example',
    });
    tell(signedOut);
    expect([sent.length, trusted()]).toEqual([1, []]);
    Object.assign(contents.mainFrame, { url: 'app://notes/another-page', origin: 'app://notes' });
    tell(signedOut);
    expect([sent.length, trusted()]).toEqual([2, [contents]]);
    // Loaded again, and this time its server sandboxes it.
    Object.assign(contents.mainFrame, { origin: 'null' });
    tell(signedOut);
    expect([sent.length, trusted()]).toEqual([2, []]);
  });

  it('is refused when the document was refused, whatever address it gives itself later', async () => {
    const sent: unknown[][] = [];
    const contents = sender('app://notes/', (...words) => sent.push(words));
    const ask = (url: string, over: object = {}): unknown =>
      fakeElectron.sendSync('latchkey:view', {
        ...(frame(url, over) as Partial<Electron.IpcMainEvent>),
        sender: contents,
      });
    const call = (): Promise<unknown> =>
      fakeElectron.invoke('latchkey:retry', { ...frame('app://notes/'), sender: contents });
    expect(ask('file:///tmp/evil.html')).toBeNull();
    expect(await call()).toMatchObject({ ok: false, error: { code: 'page-refused' } });
    // A frame inside of it changes nothing.
    expect(ask('app://notes/', { parent: {} })).toBeNull();
    expect(await call()).toMatchObject({ ok: false });
    tell(signedOut);
    expect([sent, trusted()]).toEqual([[], []]);
    // The next document is another one.
    expect(ask('app://notes/')).toEqual(signedOut);
    expect(await call()).toEqual({ ok: true });
    expect(ask('https://evil.example/')).toBeNull();
    tell(signedOut);
    expect([sent, trusted()]).toEqual([[], []]);
  });

  it('is refused after the next sign-in when the document began between the two, and nobody judged it', async () => {
    const sent: unknown[][] = [];
    const contents = sender('app://notes/', (...words) => sent.push(words));
    const ask = (url = 'app://notes/'): unknown =>
      fakeElectron.sendSync('latchkey:view', {
        ...(frame(url) as Partial<Electron.IpcMainEvent>),
        sender: contents,
      });
    const call = (): Promise<unknown> =>
      fakeElectron.invoke('latchkey:retry', { ...frame('app://notes/'), sender: contents });
    expect(ask()).toEqual(signedOut);
    remove();
    expect(ask()).toBeNull();
    expose();
    expect(await call()).toMatchObject({ ok: false, error: { code: 'page-refused' } });
    tell(signedOut);
    expect([sent, trusted()]).toEqual([[], []]);
    expect(ask()).toEqual(signedOut);
    expect(await call()).toEqual({ ok: true });
    expect(ask('https://evil.example/')).toBeNull();
  });

  it('is answered in a <webview> only while the page around it is trusted, too', async () => {
    const sent: unknown[][] = [];
    const around = sender('app://notes/', () => undefined);
    const guest = Object.assign(
      sender('app://notes/', (...words) => sent.push(words)),
      { hostWebContents: around },
    );
    const ofGuest = { ...frame('app://notes/'), sender: guest };
    const ask = (): unknown => fakeElectron.sendSync('latchkey:view', ofGuest);
    expect(ask()).toEqual(signedOut);
    expect(await fakeElectron.invoke('latchkey:retry', ofGuest)).toEqual({ ok: true });
    tell(signedOut);
    expect(sent).toHaveLength(1);
    Object.assign(around.mainFrame, {
      url: 'https://evil.example/',
      origin: 'https://evil.example',
    });
    expect(await fakeElectron.invoke('latchkey:retry', ofGuest)).toMatchObject({ ok: false });
    tell(signedOut);
    expect([sent.length, trusted()]).toEqual([1, []]);
    expect(ask()).toBeNull();
    // A file that was refused, and has given itself the address of a page of the app.
    Object.assign(around.mainFrame, { url: 'app://notes/', origin: 'app://notes' });
    expect(ask()).toEqual(signedOut);
    fakeElectron.sendSync('latchkey:view', {
      ...(frame('file:///tmp/evil.html') as Partial<Electron.IpcMainEvent>),
      sender: around,
    });
    expect(ask()).toBeNull();
  });
});

function sender(url: string, send: (...words: unknown[]) => void): Electron.WebContents {
  return {
    isDestroyed: () => false,
    once: () => undefined,
    mainFrame: { url, origin: originOf(url), send },
  } as unknown as Electron.WebContents;
}
