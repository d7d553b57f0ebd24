// The boundary to pages: answers their calls, gives the first view, pushes every change. Trusts no
// sender and no argument. Passes only the types of contract.ts; every refusal is a value.
import { sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type IpcMainEvent, type IpcMainInvokeEvent, type WebContents, ipcMain } from 'electron';
import { AuthError, toAuthError } from '../../core/base/errors.js';
import type { Log } from '../../core/base/ports.js';
import type {
  AuthCallList,
  AuthCalls,
  AuthErrorView,
  AuthPushes,
  AuthReply,
  AuthSyncCalls,
  AuthView,
} from '../../../contract.js';

/**
 * The origins of further pages that may call. The app's own `file:` pages and the schemes that it
 * serves itself always may.
 */
export interface PageTrust {
  readonly trustedOrigins: readonly string[];
  /**
   * Schemes for callbacks. A page under one of them could be a forged callback, so it is never
   * trusted.
   */
  readonly redirectSchemes: readonly string[];
  readonly appPath: string;
}

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

/** Registers the handlers and the push. Returns a function that removes all of it. */
export function exposeToPages(calls: PageCalls, trust: PageTrust, log: Log): () => void {
  /** The pages that get views, and the address at which each was last found trusted. */
  const audience = new Map<WebContents, string>();
  const refused = new Set<string>();

  const onView = (event: IpcMainEvent): void => {
    const answer: ReturnType<AuthSyncCalls['latchkey:view']> = isTrusted(event)
      ? calls.view()
      : null;
    if (answer !== null) join(event.sender, event.senderFrame?.url ?? '');
    event.returnValue = answer;
  };
  ipcMain.on(VIEW, onView);
  for (const [name, [channel, takes]] of Object.entries(CALLS)) {
    const run: (argument?: unknown) => void | Promise<void> = calls[name as keyof AuthCalls];
    handle(channel, (argument) => (takes === 0 ? run() : run(argument)));
  }
  const unsubscribe = calls.onView(push);

  return () => {
    unsubscribe();
    ipcMain.removeListener(VIEW, onView);
    for (const [channel] of Object.values(CALLS)) ipcMain.removeHandler(channel);
    audience.clear();
  };

  function handle(channel: string, run: (argument: unknown) => void | Promise<void>): void {
    ipcMain.handle(channel, async (event, argument: unknown): Promise<AuthReply> => {
      try {
        if (!isTrusted(event))
          throw new AuthError('page-refused', 'this page may not use Latchkey');
        await run(argument);
        return { ok: true };
      } catch (thrown) {
        return { ok: false, error: await calls.errorView(toAuthError(thrown)) };
      }
    });
  }

  function join(contents: WebContents, url: string): void {
    if (!audience.has(contents)) contents.once('destroyed', () => audience.delete(contents));
    audience.set(contents, url);
  }

  function push(view: AuthView): void {
    for (const [contents, trustedUrl] of audience) {
      if (contents.isDestroyed()) continue;
      const frame = contents.mainFrame;
      const { url } = frame;
      // The page may have navigated since it asked for its first view. It stays trusted at the same
      // address.
      if (url !== trustedUrl && !isTrustedUrl(url, trust)) continue;
      try {
        frame.send('latchkey:view-changed' satisfies keyof AuthPushes, view);
      } catch {
        // A page that crashes at this moment throws. It asks again when it reloads, and the other
        // pages must still get the view.
      }
    }
  }

  function isTrusted(event: IpcMainEvent | IpcMainInvokeEvent): boolean {
    const frame = event.senderFrame;
    const url = frame?.url ?? '';
    // Only the top frame of a page: a frame inside it may be an advertisement (Electron security
    // checklist, 17).
    if (frame !== null && frame.parent === null && !frame.detached && isTrustedUrl(url, trust))
      return true;
    // Every window begins with an empty document, which belongs to no page.
    if (url === '' || url === 'about:blank') return false;
    const origin = URL.canParse(url) ? `${new URL(url).protocol}//${new URL(url).host}` : 'unknown';
    if (!refused.has(origin) && refused.size < 32) {
      refused.add(origin);
      log.write({
        level: 'warn',
        event: 'page-refused',
        fields: { origin, hint: hintFor(origin) },
      });
    }
    return false;
  }
}

/** An option can name an origin; a `file:` or `data:` page has none. */
function hintFor(origin: string): string {
  return /^[a-z][a-z0-9+.-]*:\/\/./.test(origin)
    ? 'name it in the option "trustedOrigins" if it is yours'
    : 'a page without an origin of its own cannot be trusted: serve it by a scheme of the app, or from its folder';
}

const VIEW: keyof AuthSyncCalls = 'latchkey:view';

/** Schemes whose pages anybody can write. */
const WEB_SCHEME =
  /^(?:https?|wss?|ftp|data|blob|about|javascript|filesystem|view-source|chrome|chrome-error|chrome-untrusted|chrome-extension|devtools):$/;

/** Decides by the URL of the frame. Exported for its unit test. */
export function isTrustedUrl(url: string, trust: PageTrust): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, host } = new URL(url);
  if (trust.trustedOrigins.includes(`${protocol}//${host}`)) return true;
  if (protocol === 'file:') return isInside(url, trust.appPath);
  // Every other scheme is one that this app serves by protocol.handle.
  return !WEB_SCHEME.test(protocol) && !trust.redirectSchemes.includes(protocol.slice(0, -1));
}

function isInside(url: string, folder: string): boolean {
  try {
    return fileURLToPath(url).startsWith(folder.endsWith(sep) ? folder : folder + sep);
  } catch {
    return false;
  }
}
