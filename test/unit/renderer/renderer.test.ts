// The page's entry and the preload: what a page gets, and that it is nothing more.
import { readFileSync } from 'node:fs';
import vm from 'node:vm';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import type {
  AccountView,
  AuthBridge,
  AuthErrorCode,
  AuthErrorView,
  AuthReply,
  AuthView,
  PageView,
  RenewalView,
} from '../../../src/contract.js';
import { ERROR_CODES } from '../../../src/main/core/base/error-codes.js';
import { auth, createApi, isAuthFailure } from '../../../src/renderer/index.js';

const NOW = 1_800_000_000_000;
const MINUTE = 60_000;
const ada: AccountView = {
  id: 'a1',
  issuer: 'https://accounts.example.com/tenant',
  subject: 's-1',
  name: 'Ada Lovelace',
  email: 'ada@example.com',
};
const fresh: RenewalView = {
  state: 'fresh',
  since: NOW - 2 * MINUTE,
  expiresAt: NOW + 8 * MINUTE,
  renewAt: NOW + 4 * MINUTE,
};
const signedOut: AuthView = { status: 'signed-out', reason: 'never' };

function errorOf(code: AuthErrorCode, serverError?: string): AuthErrorView {
  const view = { code, retry: ERROR_CODES[code].retry, message: 'a message' };
  return serverError === undefined ? view : { ...view, serverError };
}

function signedIn(
  changes: Partial<Extract<AuthView, { status: 'signed-in' }>> = {},
): Extract<AuthView, { status: 'signed-in' }> {
  return {
    status: 'signed-in',
    account: ada,
    remembered: true,
    store: 'keychain',
    renewal: fresh,
    ...changes,
  };
}

describe('the entry latchkey/renderer', () => {
  it('gives a page without a bridge, or code without a window, a view that says what is missing', () => {
    expect('window' in globalThis).toBe(false);
    const view = auth.getSnapshot();
    expect(view).toMatchObject({
      status: 'unavailable',
      error: { code: 'page-refused', retry: 'never' },
    });
    expect(auth.getSnapshot()).toBe(view);
    const seen: PageView[] = [];
    const stop = auth.subscribe((next) => seen.push(next));
    stop();
    expect(seen).toEqual([view]);
    const message = view.status === 'unavailable' ? view.error.message : '';
    for (const cause of [
      '"trustedOrigins"',
      '"attachPreload: false"',
      '"latchkey/preload"',
      '"contextIsolation: false"',
      'a browser or a server',
    ])
      expect(message).toContain(cause);
  });

  it('rejects each call of a page without a bridge, and throws none of them', async () => {
    const { getSnapshot, subscribe: _subscribe, ...calls } = auth;
    const view = getSnapshot();
    for (const call of Object.values(calls)) {
      const failure: unknown = await (call as () => Promise<void>)().catch(
        (thrown: unknown) => thrown,
      );
      expect(isAuthFailure(failure)).toBe(true);
      expect(failure).toMatchObject(
        view.status === 'unavailable' ? view.error : { code: 'nothing like this' },
      );
    }
  });

  it('passes on what a broken bridge throws as a rejection', async () => {
    const api = createApi(() => {
      throw new Error('broken');
    });
    await expect(api.signIn()).rejects.toThrow('broken');
  });

  it('gives the same snapshot object until the view changes', () => {
    const { bridge, push } = fakeBridge(signedOut);
    const api = createApi(() => bridge);
    const first = api.getSnapshot();
    expect(api.getSnapshot()).toBe(first);
    push(signedIn());
    expect(api.getSnapshot()).not.toBe(first);
    expect(api.getSnapshot()).toBe(api.getSnapshot());
  });

  it('keeps the snapshot and tells nobody when the same view comes once more, as a copy', () => {
    const { bridge, push } = fakeBridge(signedOut);
    const api = createApi(() => bridge);
    const seen: PageView[] = [];
    api.subscribe((view) => seen.push(view));
    push(structuredClone(signedOut));
    expect(seen).toEqual([signedOut]);
    expect(seen[0]).toBe(api.getSnapshot());
    push(signedIn());
    push(signedIn({ remembered: false }));
    push(signedIn({ remembered: false }));
    expect(seen).toHaveLength(3);
    expect(api.getSnapshot()).toBe(seen[2]);
  });

  it('tells a new subscriber the current view at once, and each change after it until it stops', () => {
    const { bridge, push } = fakeBridge(signedOut);
    const { subscribe } = createApi(() => bridge);
    const seen: string[] = [];
    const stop = subscribe((view) => seen.push(view.status));
    push(signedIn());
    stop();
    push(signedOut);
    expect(seen).toEqual(['signed-out', 'signed-in']);
  });

  it('hears a change that came before the first subscriber', () => {
    const { bridge } = fakeBridge(signedOut, signedIn());
    const seen: string[] = [];
    createApi(() => bridge).subscribe((view) => seen.push(view.status));
    expect(seen).toEqual(['signed-in']);
  });

  it('counts one function subscribed twice as two subscribers', () => {
    const { bridge, push } = fakeBridge(signedOut);
    const api = createApi(() => bridge);
    let calls = 0;
    const listener = (): void => void (calls += 1);
    const stop = api.subscribe(listener);
    api.subscribe(listener);
    stop();
    push(signedIn());
    expect(calls).toBe(3);
  });

  it('rejects with what main answered, as an Error that needs no class to be told apart', async () => {
    const { bridge } = fakeBridge(signedOut, undefined, {
      ok: false,
      error: errorOf('sign-in-refused', 'invalid_client'),
    });
    const thrown: unknown = await createApi(() => bridge)
      .signIn()
      .catch((failure: unknown) => failure);
    expect(isAuthFailure(thrown)).toBe(true);
    expect(thrown).toBeInstanceOf(Error);
    expect(thrown).toMatchObject({
      code: 'sign-in-refused',
      retry: 'never',
      message: 'a message',
      serverError: 'invalid_client',
    });
  });

  it('rejects with the advice that main answered', async () => {
    const advice = {
      code: 'invalid_client',
      title: 't',
      what: 'w',
      why: 'y',
      fix: ['f'],
      links: [],
      source: { url: 'https://a.example', date: '2026-11', verified: true },
    };
    const { bridge } = fakeBridge(signedOut, undefined, {
      ok: false,
      error: { ...errorOf('sign-in-refused', 'invalid_client'), advice },
    });
    await expect(createApi(() => bridge).signIn()).rejects.toMatchObject({ advice });
  });

  it('turns a broken channel into a documented code and keeps its words to itself', async () => {
    const { bridge } = fakeBridge(signedOut);
    const broken: AuthBridge = {
      ...bridge,
      signOut: () => Promise.reject(new Error("Error invoking remote method 'latchkey:sign-out'")),
    };
    await expect(createApi(() => broken).signOut()).rejects.toMatchObject({
      code: 'internal',
      message: 'the call did not reach the main process',
    });
  });
});

function fakeBridge(initialView: AuthView, latest?: AuthView, reply: AuthReply = { ok: true }) {
  const listeners = new Set<(view: AuthView) => void>();
  const answer = (): Promise<AuthReply> => Promise.resolve(reply);
  const bridge: AuthBridge = {
    initialView,
    onView(listener) {
      listeners.add(listener);
      if (latest !== undefined) listener(latest);
      return () => void listeners.delete(listener);
    },
    signIn: answer,
    cancelSignIn: answer,
    reopenBrowser: answer,
    tryAnotherWay: answer,
    pasteCallback: answer,
    signOut: answer,
    switchAccount: answer,
    retry: answer,
    openRequest: () => () => undefined,
  };
  return { bridge, push: (view: AuthView) => listeners.forEach((listener) => listener(view)) };
}

describe('the preload', () => {
  it('exposes one method for each message and nothing generic', () => {
    const page = runPreload(() => signedOut);
    expect(Object.keys(page.exposed()['latchkey'] ?? {}).sort()).toEqual([
      'cancelSignIn',
      'initialView',
      'onView',
      'openRequest',
      'pasteCallback',
      'reopenBrowser',
      'retry',
      'signIn',
      'signOut',
      'switchAccount',
      'tryAnotherWay',
    ]);
    expect(page.sent).toEqual(['latchkey:view']);
  });

  it.each([
    ['answers null', () => null],
    ['does not answer', () => undefined],
    [
      'throws',
      () => {
        throw new Error('refused');
      },
    ],
  ])('exposes nothing when main %s', (_what, answer) => {
    expect(runPreload(answer).exposed()).toEqual({});
  });

  it('tells main whether the page is isolated from it', () => {
    expect(runPreload(() => signedOut).isolated).toEqual([true]);
    expect(runPreload(() => null, 1, false).isolated).toEqual([false]);
  });

  it('exposes itself once when it is attached twice', () => {
    const page = runPreload(() => signedOut, 2);
    expect(page.exposures()).toBe(1);
    expect(page.sent).toEqual(['latchkey:view']);
  });

  it('hands on the view and never the event, also to one who listens late', () => {
    const page = runPreload(() => signedOut);
    const bridge = page.exposed()['latchkey'] as AuthBridge;
    page.push(signedIn());
    const seen: unknown[][] = [];
    const stop = bridge.onView((...values: unknown[]) => seen.push(values));
    page.push(signedOut);
    stop();
    page.push(signedIn());
    expect(seen).toEqual([[signedIn()], [signedOut]]);
  });
});

function runPreload(answer: () => unknown, times = 1, contextIsolated = true) {
  const source = readFileSync(new URL('../../../src/preload.cts', import.meta.url), 'utf8');
  const { outputText } = ts.transpileModule(source, {
    fileName: 'preload.cts',
    compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 },
  });
  const exposed: Record<string, object> = {};
  const listeners: ((event: object, view: AuthView) => void)[] = [];
  const sent: string[] = [];
  const isolated: unknown[] = [];
  let exposures = 0;
  const electron = {
    contextBridge: {
      exposeInMainWorld: (name: string, api: object) => {
        exposures += 1;
        exposed[name] = api;
      },
    },
    ipcRenderer: {
      sendSync: (channel: string, ...told: unknown[]) => {
        sent.push(channel);
        isolated.push(...told);
        return answer();
      },
      on: (_channel: string, listener: (event: object, view: AuthView) => void) =>
        listeners.push(listener),
      invoke: () => Promise.resolve({ ok: true }),
    },
  };
  const world = vm.createContext({
    console,
    process: { contextIsolated },
    require: (name: string) => (name === 'electron' ? electron : undefined),
  });
  for (let time = 0; time < times; time += 1)
    vm.runInContext(`(() => { const exports = {}; ${outputText} })()`, world);
  return {
    exposed: () => exposed,
    exposures: () => exposures,
    sent,
    isolated,
    push: (view: AuthView) =>
      listeners.forEach((listener) => listener({ sender: 'must not be seen' }, view)),
  };
}
