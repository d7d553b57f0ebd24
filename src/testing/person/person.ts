// The scripted person: signs in at the embedded provider over plain HTTP, or on a page of a real
// browser. Knows the provider only by what a browser sees: redirects, cookies and the pages' forms.
import { createCookieJar } from './cookie-jar.js';
import { ask } from './http-client.js';
import type { PlainResponse } from './http-client.js';
import { deviceForm } from './device-person.js';
import type { UserCodeOutcome } from './device-person.js';
import type { SignInChoices } from './page-person.js';

/**
 * What the person types on the page for a device code, and whether the code that the page shows is
 * the app's.
 */
interface UserCode {
  readonly userCode: string;
  readonly compare: boolean;
  /** Told the page at which the walk is over. */
  readonly ended: (page: string) => void;
}

/** How a sign-in at the provider ended. */
export interface SignInOutcome {
  /** The whole authorization response: a secret while its code is not redeemed. */
  readonly callbackUrl: string;
  /** The text of the page at the redirect URI, when it was visited; else null. */
  readonly pageText: string | null;
}

/** One person with one browser, which remembers sessions at the provider between sign-ins. */
export interface Person {
  /**
   * Opens an authorization URL and goes on until the provider redirects to somewhere else. Rejects
   * when the provider shows an error page, answers nothing within 10 s, or comes to no end. Error
   * texts hold no URL and no secret.
   */
  signIn(authorizationUrl: string, choices?: SignInChoices): Promise<SignInOutcome>;
  /**
   * Opens the page for a device code (RFC 8628 §3.3), with the code in its address or not, types
   * the code and goes on to the end. `compare` false: says on the page that the code is another
   * one. Rejects like `signIn`.
   */
  enterCode(
    verificationUri: string,
    userCode: string,
    choices?: SignInChoices & { readonly compare?: boolean },
  ): Promise<UserCodeOutcome>;
  /**
   * Opens an end-session URL (OpenID Connect RP-Initiated Logout §2), says yes, and resolves with
   * the post-logout redirect, or null when the provider's own page is the end. Rejects like
   * `signIn`.
   */
  signOut(endSessionUrl: string): Promise<string | null>;
}

/** What a person's browser is like. */
export interface PersonOptions {
  /** `provider.certificate`: trusted beside nothing else. */
  readonly certificate?: string | null;
  /**
   * Called once for each sign-in, when the first page is there and before anything is done on it.
   * Move a clock here, because people take minutes. The sign-in continues when it resolves.
   */
  readonly hesitates?: () => Promise<void> | void;
}

const STEP_TIMEOUT_MS = 10_000;
/** Login, consent and a change of account take some ten requests. */
const STEPS = 20;

/** Makes a person with an empty browser. */
export function createPerson({ certificate = null, hesitates }: PersonOptions = {}): Person {
  const jar = createCookieJar();

  const request = async (url: URL, form: URLSearchParams | null): Promise<PlainResponse> => {
    const cookie = jar.header(url.pathname);
    const headers = { accept: 'text/html', ...(cookie === '' ? {} : { cookie }) };
    const response = await ask({ url, headers, form, certificate, timeoutMs: STEP_TIMEOUT_MS });
    jar.take(response.headers['set-cookie'] ?? []);
    return response;
  };

  /**
   * Resolves with the first URL outside the provider, or null on a page where nothing is left to
   * do.
   */
  const walk = async (
    from: string,
    choices: SignInChoices,
    code: UserCode | null = null,
  ): Promise<URL | null> => {
    let start = new URL(from);
    let url = start;
    let form: URLSearchParams | null = null;
    let hesitated = false;
    for (let step = 0; step < STEPS; step += 1) {
      const response = await request(url, form);
      const { location } = response.headers;
      if (location !== undefined) {
        url = new URL(location, url);
        form = null;
        // A long authorization URL starts from a page of the app on loopback.
        if (step === 0 && /^\/[\w-]{43}$/.test(start.pathname)) start = url;
        if (url.origin !== start.origin) return url;
        continue;
      }
      if (!hesitated) await hesitates?.();
      hesitated = true;
      const move = readMove(response.text, choices, code);
      if (move === 'end') return null;
      if (move === null)
        throw new Error(
          `the provider answered with status ${response.status} and no page that a person knows`,
        );
      url = new URL(move.target ?? url.pathname + url.search, url);
      form = move.form;
    }
    throw new Error(`the provider came to no end within ${STEPS} steps`);
  };

  return {
    async signIn(authorizationUrl, choices = {}) {
      const url = await walk(authorizationUrl, choices);
      if (url === null) throw new Error('the provider did not go back to the app');
      return { callbackUrl: url.href, pageText: choices.visit === true ? await visit(url) : null };
    },
    async enterCode(verificationUri, userCode, { compare = true, ...choices } = {}) {
      let ended: string | null = null;
      await walk(verificationUri, choices, {
        userCode,
        compare,
        ended: (page) => {
          ended = page;
        },
      });
      return ended === 'device-done' ? 'agreed' : 'refused';
    },
    signOut: async (endSessionUrl) => (await walk(endSessionUrl, {}))?.href ?? null,
  };
}

async function visit(url: URL): Promise<string> {
  if (url.protocol !== 'http:') throw new Error('only an http redirect URI can be visited');
  // Unlike `ask` it goes on to the page that the app leads to.
  const response = await fetch(url, { signal: AbortSignal.timeout(STEP_TIMEOUT_MS) });
  return response.text();
}

interface Move {
  /** Null: the page itself. */
  readonly target: string | null;
  readonly form: URLSearchParams | null;
}

function readMove(
  body: string,
  choices: SignInChoices,
  code: UserCode | null,
): Move | 'end' | null {
  const consent = choices.consent ?? 'allow';
  const formOf = (action: RegExp, extra: Readonly<Record<string, string>>): Move | null => {
    const target = readAttribute(body, action);
    const fields = [...body.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g)];
    const form = new URLSearchParams(
      fields.map(([, name = '', value = '']) => [unescape(name), unescape(value)]),
    );
    for (const [name, value] of Object.entries(extra)) form.set(name, value);
    return target === null ? null : { target, form };
  };

  const page = /data-page="([a-z-]+)"/.exec(body)?.[1];
  switch (page) {
    case 'login':
      if (consent === 'cancel')
        return { target: null, form: new URLSearchParams({ do: 'cancel' }) };
      return {
        target: null,
        form: new URLSearchParams({
          login: choices.login ?? 'ada',
          password: choices.password ?? 'correct horse',
          do: 'sign-in',
        }),
      };
    case 'consent':
      return {
        target: null,
        form: new URLSearchParams({ do: consent === 'allow' ? 'allow' : 'deny' }),
      };
    case 'confirm':
      return { target: null, form: new URLSearchParams({ do: 'continue' }) };
    case 'done':
      return {
        target: readAttribute(body, /http-equiv="refresh" content="0; url=([^"]*)"/),
        form: null,
      };
    case 'sign-out':
      return formOf(/<form id="op\.logoutForm" method="post" action="([^"]*)"/, { logout: 'yes' });
    case 'signed-out':
      return 'end';
    case 'device':
    case 'device-confirm': {
      const form = code === null ? null : deviceForm(page, body, code.userCode, code.compare);
      return form === null
        ? null
        : { target: readAttribute(body, /<form id="op\.[a-zA-Z]+"[^>]* action="([^"]*)"/), form };
    }
    case 'device-done':
    case 'device-refused':
      code?.ended(page);
      return 'end';
    case undefined:
      // oidc-provider changes the account of a browser by a form that a script would send.
      return formOf(/<form method="post" action="([^"]*)"/, {});
    case 'error':
      throw new Error(
        `the provider showed an error page: ${readAttribute(body, /data-error="([^"]*)"/) ?? 'unknown'}`,
      );
    default:
      return null;
  }
}

function readAttribute(body: string, pattern: RegExp): string | null {
  const value = pattern.exec(body)?.[1];
  return value === undefined ? null : unescape(value);
}

function unescape(text: string): string {
  return text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&');
}
