import { readFileSync } from 'node:fs';
import vm from 'node:vm';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import type { AccountView, AuthBridge, AuthErrorCode, AuthErrorView, AuthReply, AuthView, RenewalView } from '../../src/contract.js';
import { ERROR_CODES } from '../../src/main/core/errors.js';
import { faceOf } from '../../src/renderer/demo-face.js';
import type { Face } from '../../src/renderer/demo-face.js';
import { describeChange, extendTimeline } from '../../src/renderer/demo-timeline.js';
import { agoInWords, countdown, ERROR_WORDS, spanInWords, untilInWords } from '../../src/renderer/demo-words.js';
import { auth, createApi, isAuthFailure } from '../../src/renderer/index.js';

const NOW = 1_800_000_000_000;
const MINUTE = 60_000;
const codes = Object.keys(ERROR_CODES) as AuthErrorCode[];
const ada: AccountView = { id: 'a1', issuer: 'https://accounts.example.com/tenant', subject: 's-1', name: 'Ada Lovelace', email: 'ada@example.com' };
const fresh: RenewalView = { state: 'fresh', since: NOW - 2 * MINUTE, expiresAt: NOW + 8 * MINUTE, renewAt: NOW + 4 * MINUTE };
const signedOut: AuthView = { status: 'signed-out', reason: 'never' };

function errorOf(code: AuthErrorCode, serverError?: string): AuthErrorView {
  const view = { code, retry: ERROR_CODES[code].retry, message: 'a message' };
  return serverError === undefined ? view : { ...view, serverError };
}

function signedIn(changes: Partial<Extract<AuthView, { status: 'signed-in' }>> = {}): Extract<AuthView, { status: 'signed-in' }> {
  return { status: 'signed-in', account: ada, remembered: true, store: 'keychain', renewal: fresh, ...changes };
}

function signingIn(stage: 'preparing' | 'waiting' | 'redeeming'): Extract<AuthView, { status: 'signing-in' }> {
  return { status: 'signing-in', attempt: { stage, redirect: 'loopback', startedAt: NOW - MINUTE, expiresAt: NOW + 4 * MINUTE } };
}

describe('the entry latchkey/renderer', () => {
  it('imports in a page without a bridge, and says what is missing when it is used', async () => {
    expect(() => auth.getSnapshot()).toThrow(/preload is not attached .* "trustedOrigins"/);
    await expect(auth.signIn()).rejects.toMatchObject({ name: 'AuthFailure', code: 'page-refused', retry: 'never' });
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
    const { bridge } = fakeBridge(signedOut, undefined, { ok: false, error: errorOf('sign-in-refused', 'invalid_client') });
    const thrown: unknown = await createApi(() => bridge).signIn().catch((failure: unknown) => failure);
    expect(isAuthFailure(thrown)).toBe(true);
    expect(thrown).toBeInstanceOf(Error);
    expect(thrown).toMatchObject({ code: 'sign-in-refused', retry: 'never', message: 'a message', serverError: 'invalid_client' });
  });

  it('turns a broken channel into a documented code and keeps its words to itself', async () => {
    const { bridge } = fakeBridge(signedOut);
    const broken: AuthBridge = { ...bridge, signOut: () => Promise.reject(new Error("Error invoking remote method 'latchkey:sign-out'")) };
    await expect(createApi(() => broken).signOut()).rejects.toMatchObject({ code: 'internal', message: 'the call did not reach the main process' });
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
    retry: answer,
  };
  return { bridge, push: (view: AuthView) => listeners.forEach((listener) => listener(view)) };
}

describe('the preload', () => {
  it('exposes one method for each message and nothing generic', () => {
    const page = runPreload(() => signedOut);
    expect(Object.keys(page.exposed()['latchkey'] ?? {}).sort()).toEqual(['cancelSignIn', 'initialView', 'onView', 'pasteCallback', 'reopenBrowser', 'retry', 'signIn', 'signOut', 'tryAnotherWay']);
    expect(page.sent).toEqual(['latchkey:view']);
  });

  it.each([
    ['answers null', () => null],
    ['does not answer', () => undefined],
    ['throws', () => { throw new Error('refused'); }],
  ])('exposes nothing when main %s', (_what, answer) => {
    expect(runPreload(answer).exposed()).toEqual({});
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

function runPreload(answer: () => unknown, times = 1) {
  const source = readFileSync(new URL('../../src/preload.cts', import.meta.url), 'utf8');
  const { outputText } = ts.transpileModule(source, { fileName: 'preload.cts', compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 } });
  const exposed: Record<string, object> = {};
  const listeners: ((event: object, view: AuthView) => void)[] = [];
  const sent: string[] = [];
  let exposures = 0;
  const electron = {
    contextBridge: {
      exposeInMainWorld: (name: string, api: object) => {
        exposures += 1;
        exposed[name] = api;
      },
    },
    ipcRenderer: {
      sendSync: (channel: string) => {
        sent.push(channel);
        return answer();
      },
      on: (_channel: string, listener: (event: object, view: AuthView) => void) => listeners.push(listener),
      invoke: () => Promise.resolve({ ok: true }),
    },
  };
  const world = vm.createContext({ console, require: (name: string) => (name === 'electron' ? electron : undefined) });
  for (let time = 0; time < times; time += 1) vm.runInContext(`(() => { const exports = {}; ${outputText} })()`, world);
  return {
    exposed: () => exposed,
    exposures: () => exposures,
    sent,
    push: (view: AuthView) => listeners.forEach((listener) => listener({ sender: 'must not be seen' }, view)),
  };
}

describe('the faces of the demo', () => {
  const face = (view: AuthView, now = NOW): Face => faceOf(view, now, null);
  const labels = (shown: Face): string[] => shown.buttons.map(({ action, label }) => `${action}: ${label}`);

  it('starts as a quiet skeleton without a button', () => {
    expect(face({ status: 'starting' })).toMatchObject({ figure: 'skeleton', tone: 'quiet', buttons: [], error: null });
  });

  it('asks a newcomer for one thing', () => {
    expect(labels(face(signedOut))).toEqual(['sign-in: Sign in with your browser']);
  });

  it('remembers who it was after a sign-out, and does not press the same person on the provider', () => {
    const shown = face({ status: 'signed-out', reason: 'signed-out', lastAccount: ada });
    expect(shown).toMatchObject({ title: 'You are signed out', caption: 'Last signed in: Ada Lovelace', request: {} });
  });

  it('offers the same person again when the provider ended the session', () => {
    const shown = face({ status: 'signed-out', reason: 'ended', lastAccount: ada, error: errorOf('session-ended', 'invalid_grant') });
    expect(labels(shown)).toEqual(['sign-in: Sign in again as Ada Lovelace']);
    expect(shown).toMatchObject({ tone: 'amber', request: { loginHint: 'ada@example.com' }, error: { serverError: 'invalid_grant' } });
    expect(face({ status: 'signed-out', reason: 'ended' }).title).toBe('Please sign in again');
  });

  it.each(codes)('tells an error of code %s in words without jargon, with a button and the code', (code) => {
    const shown = face({ status: 'signed-out', reason: 'never', error: errorOf(code) });
    expect(shown.title).toBe(ERROR_WORDS[code].title);
    expect(shown.buttons.map(({ action }) => action)).toEqual(['sign-in']);
    expect(shown.error?.code).toBe(code);
    expect(`${shown.title} ${shown.text}`).not.toMatch(/oauth|token|pkce|openid|issuer|redirect|client|callback|\bcode\b/i);
  });

  it.each([
    ['preparing', ['cancel: Cancel'], ''],
    ['waiting', ['reopen: Open the page again', 'cancel: Cancel'], '4:00 left'],
    ['redeeming', ['cancel: Cancel'], ''],
  ] as const)('shows an attempt that is %s', (stage, buttons, caption) => {
    const shown = face(signingIn(stage));
    expect(labels(shown)).toEqual(buttons);
    expect(shown.caption).toBe(caption);
    expect(shown.ring?.spinning).toBe(stage !== 'waiting');
  });

  it('shows who is signed in, where, and when it renews', () => {
    expect(face(signedIn())).toMatchObject({
      initials: 'AL',
      title: 'Ada Lovelace',
      text: 'ada@example.com',
      caption: 'Renews itself in 4 min',
      ring: { fraction: 0.8, spinning: false },
      facts: [{ value: 'accounts.example.com' }, { value: 'In this computer’s keyring' }],
      notice: null,
    });
  });

  it('makes do with a subject when the provider tells no more', () => {
    const shown = face(signedIn({ account: { id: 'x', issuer: 'urn:odd', subject: '12-34' } }));
    expect(shown).toMatchObject({ title: '12-34', text: '', initials: '13', facts: [{ value: 'urn:odd' }, {}] });
    expect(face(signedIn({ account: { ...ada, name: '🙂' } })).initials).toBe('?');
  });

  it.each([
    [{ ...fresh, expiresAt: null, renewAt: null }, 'Stays valid until you sign out', 1],
    [{ ...fresh, renewAt: null }, 'Ends in 8 min', 0.8],
    [{ ...fresh, renewAt: null, expiresAt: NOW - 1 }, 'Has ended', 0],
    [{ ...fresh, renewAt: NOW - 5000 }, 'Renews itself in a moment', 0.8],
  ] as const)('shows a session that renews in no usual way (%#)', (renewal, caption, fraction) => {
    expect(face(signedIn({ renewal }))).toMatchObject({ caption, ring: { fraction } });
  });

  it('stays signed in while it waits for the provider', () => {
    const renewal: RenewalView = { state: 'waiting', since: NOW - 9 * MINUTE, expiresAt: NOW + MINUTE, nextTryAt: NOW + 13_000, error: errorOf('network-failed') };
    const shown = face(signedIn({ renewal }));
    expect(shown).toMatchObject({ tone: 'amber', title: 'Ada Lovelace', caption: 'Next try in 13 s', notice: { title: 'No connection' } });
    expect(labels(shown)).toEqual(['retry: Try now', 'sign-out: Sign out on this computer']);
  });

  it('turns its ring while it renews', () => {
    expect(face(signedIn({ renewal: { state: 'renewing', since: NOW - MINUTE, expiresAt: NOW } }))).toMatchObject({ ring: { spinning: true }, caption: 'Renewing your sign-in…' });
  });

  it('says that it will forget when there is no keyring', () => {
    const shown = face(signedIn({ remembered: false, store: 'memory', error: errorOf('keyring-unavailable') }));
    expect(shown.facts[1]?.value).toBe('Only until you quit');
    expect(shown.notice?.title).toBe('You will not be remembered');
    expect(labels(shown)).toContain('retry: Try now');
  });

  it('offers an unlock first when the keyring is locked, and the browser as the other way', () => {
    const view: AuthView = { status: 'locked', lastAccount: ada, error: errorOf('keyring-locked') };
    expect(labels(face(view))).toEqual(['retry: Unlock and try again', 'sign-in: Sign in with your browser']);
  });

  it('lets an attempt be cancelled beside a session and beside a locked keyring', () => {
    const { attempt } = signingIn('waiting');
    expect(labels(face(signedIn({ attempt })))).toEqual(['reopen: Open the page again', 'cancel: Cancel', 'sign-out: Sign out on this computer']);
    expect(labels(face({ status: 'locked', error: errorOf('keyring-locked'), attempt }))).toContain('cancel: Cancel');
  });

  it('shows a call that failed without the view saying so', () => {
    const shown = faceOf(signedOut, NOW, errorOf('internal'));
    expect(shown).toMatchObject({ title: 'Welcome', notice: { tone: 'red' }, error: { code: 'internal' } });
  });

  it('changes with time alone in nothing but the caption and the ring', () => {
    for (const view of [signedOut, signingIn('waiting'), signedIn()]) {
      const rest = ({ caption: _caption, ring: _ring, ...kept }: Face): object => kept;
      expect(rest(face(view, NOW + 2 * MINUTE))).toEqual(rest(face(view)));
    }
  });
});

describe('the timeline of the demo', () => {
  it('tells a whole trip in order, newest first', () => {
    const trip: AuthView[] = [{ status: 'starting' }, signedOut, signingIn('preparing'), signingIn('waiting'), signingIn('redeeming'), signedIn()];
    const entries = trip.reduce((kept: ReturnType<typeof extendTimeline>, view, index) => extendTimeline(kept, trip[index - 1] ?? null, view, NOW), []);
    expect(entries.map(({ text }) => text)).toEqual([
      'Signed in as Ada Lovelace.',
      'The callback came; main redeems its code.',
      'The browser was called; it answers by loopback.',
      'An attempt began, with fresh secrets.',
      'Nothing to restore.',
      'The window opened.',
    ]);
  });

  it('is silent about a view that tells nothing new', () => {
    for (const view of [signedOut, signingIn('waiting'), signedIn()]) expect(describeChange(view, { ...view })).toBeNull();
  });

  it('gives the reason of every end and every trouble', () => {
    const waiting: RenewalView = { state: 'waiting', since: NOW, expiresAt: NOW, nextTryAt: NOW, error: errorOf('server-unavailable') };
    const renewed: RenewalView = { state: 'fresh', since: NOW, expiresAt: NOW + 10 * MINUTE, renewAt: null };
    const ended: AuthView = { status: 'signed-out', reason: 'ended', error: errorOf('session-ended', 'invalid_grant') };
    expect(describeChange(signedIn(), ended)).toBe('The provider ended the session: session-ended (invalid_grant).');
    expect(describeChange(signedIn(), { status: 'signed-out', reason: 'signed-out' })).toBe('Signed out: the keychain entry is gone.');
    expect(describeChange(signingIn('waiting'), signedOut)).toBe('The attempt was cancelled.');
    expect(describeChange(signedIn(), signedIn({ renewal: waiting }))).toBe('Renewal failed: server-unavailable. Still signed in.');
    expect(describeChange(signedIn(), signedIn({ renewal: renewed }))).toBe('Renewed: a new access token for 10 min.');
    expect(describeChange({ status: 'starting' }, { status: 'locked', error: errorOf('keyring-locked') })).toContain('keyring-locked');
    expect(describeChange(signedIn(), signedIn({ error: errorOf('keyring-unavailable') }))).toBe('Trouble: keyring-unavailable.');
  });

  it('keeps no more than the last twenty entries', () => {
    let entries: ReturnType<typeof extendTimeline> = [];
    for (let turn = 0; turn < 30; turn += 1) entries = extendTimeline(entries, turn % 2 === 0 ? null : signingIn('waiting'), signedOut, NOW + turn);
    expect(entries).toHaveLength(20);
    expect(entries[0]?.at).toBe(NOW + 29);
  });
});

describe('the demo’s words for time', () => {
  it('uses one unit, and never a negative number', () => {
    expect([spanInWords(-1), spanInWords(59_400), spanInWords(90_000), spanInWords(2 * 3_600_000), spanInWords(72 * 3_600_000)]).toEqual(['0 s', '59 s', '2 min', '2 h', '3 days']);
    expect([untilInWords(500), untilInWords(12_000), agoInWords(1000), agoInWords(65_000)]).toEqual(['in a moment', 'in 12 s', 'just now', '1 min ago']);
    expect([countdown(245_000), countdown(59_001), countdown(-5)]).toEqual(['4:05', '1:00', '0:00']);
  });
});
