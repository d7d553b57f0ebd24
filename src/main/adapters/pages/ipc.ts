// The boundary to pages: answers their calls, gives the first view, pushes every change. Trusts no
// sender and no argument. Passes only the types of contract.ts; every refusal is a value.
import {
  type IpcMainEvent,
  type IpcMainInvokeEvent,
  type WebContents,
  type WebFrameMain,
  ipcMain,
} from 'electron';
import { AuthError, stoppedError, toAuthError, toErrorView } from '../../core/base/errors.js';
import type { Log } from '../../core/base/ports.js';
import { type Page, type PageTrust, isTrustedPage, originOf } from './page-trust.js';
import type {
  AuthCallList,
  AuthCalls,
  AuthErrorView,
  AuthPortCalls,
  AuthPushes,
  AuthReply,
  AuthSyncCalls,
  AuthView,
  PageResponseMessage,
} from '../../../contract.js';
import type { ApiFetch } from '../../core/requests/api-fetch.js';

/**
 * What pages can reach: each call of contract.ts. Those that take something get what the page sent,
 * unchecked, and must parse it.
 */
export type PageCalls = {
  readonly [Call in keyof AuthCalls]: AuthCalls[Call]['takes'] extends []
    ? () => void | Promise<void>
    : (argument: unknown) => void | Promise<void>;
} & {
  view(): AuthView;
  errorView(error: AuthError): Promise<AuthErrorView>;
  onView(listener: (view: AuthView) => void): () => void;
  /** Makes requests to the APIs that pages may call. */
  fetch(): Promise<ApiFetch>;
};

const CALLS = {
  signIn: ['latchkey:sign-in', 1],
  cancelSignIn: ['latchkey:cancel-sign-in', 0],
  reopenBrowser: ['latchkey:reopen-browser', 0],
  tryAnotherWay: ['latchkey:try-another-way', 0],
  pasteCallback: ['latchkey:paste-callback', 1],
  signOut: ['latchkey:sign-out', 1],
  switchAccount: ['latchkey:switch-account', 1],
  retry: ['latchkey:retry', 0],
} as const satisfies AuthCallList;

export interface ExposedPages {
  /** The contents that show a trusted page now. */
  trusted(): readonly WebContents[];
  /** Ends the push, and answers what pages ask afterwards with `stopped`. */
  remove(): void;
}

/**
 * Whose document was trusted when it began; it gets views. They outlive a sign-in: what is exposed
 * after it goes to them too, if it trusts them.
 */
const audience = new Set<WebContents>();

/** Whose end is listened for. */
const watched = new WeakSet<WebContents>();

/**
 * Whose document was refused when it began. A `file:` page can give itself the address of another
 * one later (`history.pushState`).
 */
const strangers = new WeakSet<WebContents>();

/**
 * Between two sign-ins. A page whose synchronous message nobody answers would stand still. Nobody
 * judges its document, so the next sign-in does not trust it until it loads again.
 */
const answerNobody = (event: IpcMainEvent): void => {
  if (callerOf(event)?.isTop === true) {
    audience.delete(event.sender);
    strangers.add(event.sender);
  }
  event.returnValue = null;
};

/** Between two sign-ins, too: a page that calls must not wait for ever. */
const answerStopped = (): AuthReply => ({ ok: false, error: toErrorView(stoppedError()) });
const refuseRequest = ({ ports: [port] }: IpcMainEvent): void => {
  const error = toErrorView(stoppedError());
  port?.postMessage({ type: 'failed', error } satisfies PageResponseMessage);
  port?.close();
};
let isBetween = false;

/**
 * Registers the handlers and the push. Throws `invalid-options` while another call of it is not
 * removed.
 */
export function exposeToPages(calls: PageCalls, trust: PageTrust, log: Log): ExposedPages {
  if (isBetween) for (const [channel] of Object.values(CALLS)) ipcMain.removeHandler(channel);
  const refused = new Set<string>();
  const open = new Set<() => void>();
  let isRemoved = false;
  const looked = new WeakMap<WebContents, Set<string>>();
  let isToldOfIsolation = false;

  const onView = (event: IpcMainEvent, isolated: unknown): void => {
    const caller = callerOf(event);
    if (caller?.isTop === true) strangers.delete(event.sender);
    const isWelcome = isTrusted(event.sender, caller);
    if (!isWelcome && caller?.isTop === true) strangers.add(event.sender);
    const isFit = isWelcome && isIsolated(caller, isolated);
    if (isFit) join(event.sender);
    else if (caller?.isTop === true) audience.delete(event.sender);
    event.returnValue = (isFit ? calls.view() : null) satisfies ReturnType<
      AuthSyncCalls['latchkey:view']
    >;
  };
  for (const [name, [channel, takes]] of Object.entries(CALLS)) {
    const run: (argument?: unknown) => void | Promise<void> = calls[name as keyof AuthCalls];
    handle(channel, (argument) => (takes === 0 ? run() : run(argument)));
  }
  const onFetch = (event: IpcMainEvent, request: unknown): void => {
    // Now, because the page may navigate while the rest is loaded.
    const isWelcome = isTrusted(event.sender, callerOf(event));
    const [port] = event.ports;
    if (port === undefined) return;
    import('./page-requests.js')
      .then(({ servePageRequest }) =>
        servePageRequest(port, request, isWelcome, {
          ...calls,
          open,
          isStopped: () => isRemoved,
        }),
      )
      .catch(() => port.close());
  };
  ipcMain.on(FETCH, onFetch);
  ipcMain.removeListener(FETCH, refuseRequest);
  ipcMain.on(VIEW, onView);
  ipcMain.removeListener(VIEW, answerNobody);
  isBetween = false;
  const unsubscribe = calls.onView(push);

  return {
    trusted: () => [...audience].filter((contents) => trustedFrame(contents) !== null),
    remove() {
      if (isRemoved) return;
      isRemoved = true;
      unsubscribe();
      for (const stop of open) stop();
      ipcMain.on(FETCH, refuseRequest);
      ipcMain.removeListener(FETCH, onFetch);
      ipcMain.on(VIEW, answerNobody);
      ipcMain.removeListener(VIEW, onView);
      isBetween = true;
      for (const [channel] of Object.values(CALLS)) {
        ipcMain.removeHandler(channel);
        ipcMain.handle(channel, answerStopped);
      }
    },
  };

  function handle(channel: string, run: (argument: unknown) => void | Promise<void>): void {
    register(channel, async (event, argument: unknown): Promise<AuthReply> => {
      try {
        if (!isTrusted(event.sender, callerOf(event)))
          throw new AuthError('page-refused', 'this page may not use Latchkey');
        await run(argument);
        return { ok: true };
      } catch (thrown) {
        return { ok: false, error: await calls.errorView(toAuthError(thrown)) };
      }
    });
  }

  function join(contents: WebContents): void {
    // Once for each window: one that goes to a stranger and back joins again and again.
    if (!watched.has(contents)) contents.once('destroyed', () => audience.delete(contents));
    watched.add(contents);
    audience.add(contents);
  }

  function push(view: AuthView): void {
    for (const contents of audience) {
      try {
        trustedFrame(contents)?.send('latchkey:view-changed' satisfies keyof AuthPushes, view);
      } catch {
        // A page that crashes at this moment throws. It asks again when it reloads, and the other
        // pages must still get the view.
      }
    }
  }

  /** Null if the page has navigated since, or crashed. */
  function trustedFrame(contents: WebContents): WebFrameMain | null {
    try {
      if (contents.isDestroyed()) return null;
      const frame = contents.mainFrame;
      return isTrustedPage(frame, trust) && isInTrusted(contents) ? frame : null;
    } catch {
      return null;
    }
  }

  /** A page in a <webview> is in the hands of the page around it, which may run scripts in it. */
  function isInTrusted(contents: Partial<WebContents> | undefined): boolean {
    const around = contents?.hostWebContents;
    return !around || (!strangers.has(around) && trustedFrame(around) !== null);
  }

  /** Without isolation the page's scripts could change what the preload does. */
  function isIsolated(page: Caller | null, isolated: unknown): boolean {
    if (isolated !== false) return true;
    if (isToldOfIsolation) return false;
    isToldOfIsolation = true;
    const hint =
      'set "contextIsolation: true", which is the default, for this window: without it Latchkey exposes nothing';
    log.write({
      level: 'warn',
      event: 'page-refused',
      fields: { origin: originOf(page?.url ?? ''), hint },
    });
    return false;
  }

  function isTrusted(sender: WebContents, page: Caller | null): boolean {
    if (page === null) return false;
    const isOurs = page.isTop && !strangers.has(sender) && isTrustedPage(page, trust);
    if (isOurs && isInTrusted(sender)) return true;
    // Its address is read once: a page can send 10,000 messages a second.
    const seen = looked.get(sender) ?? new Set();
    const kind = `${page.origin} ${page.isTop}`;
    if (seen.has(kind) || seen.size >= 32) return false;
    const { url } = page;
    // Every window begins with an empty document, which belongs to no page.
    if (url === '' || url === 'about:blank') return false;
    // A service worker's message has no sender.
    if (sender !== undefined) looked.set(sender, seen.add(kind));
    const origin = originOf(url);
    // Once for each origin, and once more if it is lost, or a frame's.
    const key = `${origin} ${kind}`;
    if (!refused.has(key) && refused.size < 32) {
      refused.add(key);
      void import('./page-hints.js').then(
        ({ hintFor }) => {
          log.write({
            level: 'warn',
            event: 'page-refused',
            fields: { origin, hint: hintFor({ url, origin: page.origin, isTop: page.isTop }) },
          });
        },
        () => undefined,
      );
    }
    return false;
  }
}

/** Electron allows one handler for each channel, so a second sign-in shows here. */
function register(...[channel, listener]: Parameters<typeof ipcMain.handle>): void {
  try {
    ipcMain.handle(channel, listener);
  } catch {
    throw new AuthError(
      'invalid-options',
      'createAuth was called before, and that sign-in still runs: use it, or await its stop() first',
    );
  }
}

interface Caller extends Page {
  /**
   * The top frame of a page: a frame inside it may be an advertisement (Electron security
   * checklist, 17).
   */
  readonly isTop: boolean;
}

/**
 * For this turn of the event loop: the page may navigate after it. Null if the frame is gone.
 */
function callerOf({ senderFrame: frame }: IpcMainEvent | IpcMainInvokeEvent): Caller | null {
  try {
    return (
      frame && {
        get url() {
          return frame.url;
        },
        origin: frame.origin,
        isTop: frame.parent === null && !frame.detached,
      }
    );
  } catch {
    return null;
  }
}

const VIEW: keyof AuthSyncCalls = 'latchkey:view';
const FETCH: keyof AuthPortCalls = 'latchkey:fetch';
