// Checks the argument of signIn() that comes from a page or a host, and makes the request whose
// members may become parameters of the authorization URL. Only a host may say who opens that URL,
// and a page gets no more than the option "pagesMayAsk" lists. Throws "invalid-options" or
// "page-refused" with the name of the member; never repeats a value.
import type { AccountView, SignInRequest } from '../../../contract.js';
import { AuthError } from '../base/errors.js';
import type { PagesMayAsk } from '../options/auth-options.js';
import {
  DEMAND_MEMBERS,
  type SignInDemand,
  isStepUp,
  readDemand,
} from '../options/sign-in-demand.js';
import { isScope } from '../options/syntax.js';

const PROMPTS: readonly unknown[] = ['login', 'select_account', 'consent'];

/** A checked request, and whose sign-in it must be. */
export type AttemptRequest = SignInRequest & SignInDemand;

/** What the host may choose for a sign-in. */
export interface SignInOptions extends SignInRequest {
  /**
   * The `id` of the account that must sign in; another one is refused with `sign-in-denied`, and
   * nothing changes. Default: the active account if the request has `scopes`, `acrValues`, `maxAge`
   * or `claims`, unless `prompt` is `select_account`; otherwise anyone.
   */
  readonly account?: string;
  /**
   * Instead of starting the system browser: `copy` puts the URL into the clipboard; a function gets
   * the URL and opens or shows it. The attempt waits as usual, and `reopenBrowser()` does the same
   * again. The URL contains `state`: show it to nobody but the person, and log it nowhere. If the
   * function throws or rejects, this way of the attempt ends with `browser-failed`.
   */
  readonly open?: 'copy' | ((url: string) => void | Promise<void>);
}

/** A function of the host may do anything; only its end counts. */
export type Opener = 'copy' | ((url: string) => unknown);

/** What a host gives, with the members that no page may set. */
export function parseSignInOptions(argument: unknown): {
  readonly request: AttemptRequest;
  readonly opener: Opener | null;
} {
  const { open = null, ...rest } = membersOf(argument);
  if (open !== null && open !== 'copy' && typeof open !== 'function')
    throw new AuthError('invalid-options', '"open" must be "copy" or a function that takes a URL');
  return { request: parseMembers(rest), opener: open as Opener | null };
}

/** What a page gives. Unknown members are refused: it must not add parameters to the request. */
export function parseSignInRequest(argument: unknown, allowed: PagesMayAsk = {}): SignInRequest {
  const members = membersOf(argument);
  if (members['account'] !== undefined) throw unknownMember();
  const request = parseMembers(members);
  for (const [name, isAllowed] of Object.entries(ALLOWED))
    if (!isAllowed(request, allowed))
      throw new AuthError(
        'page-refused',
        `a page asked for more "${name}" than the option "pagesMayAsk" lists`,
      );
  return request;
}

const ALLOWED: {
  readonly [Name in keyof PagesMayAsk]-?: (asked: SignInRequest, may: PagesMayAsk) => boolean;
} = {
  scopes: (asked, may) => (asked.scopes ?? []).every((scope) => may.scopes?.includes(scope)),
  acrValues: (asked, may) => (asked.acrValues ?? []).every((acr) => may.acrValues?.includes(acr)),
  maxAge: (asked, may) => asked.maxAge === undefined || may.maxAge === true,
  claims: (asked, may) =>
    asked.claims === undefined ||
    (may.claims ?? []).some((claims) => isSameJson(claims, asked.claims)),
};

/** `scope`: what is granted, if that is known. `isAlone`: nobody else is signed in. */
export interface SignedIn {
  readonly account: AccountView;
  readonly scope: string | null;
  readonly isAlone: boolean;
}

/**
 * Whose sign-in it is, as far as that is known: a step-up is for the account that needs it, keeps
 * what is granted already, and tells the provider whom to ask. A provider may pass over a hint while
 * its browser session is of somebody else, so it asks for the name again where several are signed in.
 */
export function withAccount(
  request: AttemptRequest,
  find: (accountId: string | null) => SignedIn | null,
): AttemptRequest {
  const isForActive = isStepUp(request) && request.prompt !== 'select_account';
  if (request.account === undefined && !isForActive) return request;
  const known = find(request.account ?? null);
  if (known === null) return request;
  const { id, username, email } = known.account;
  const granted = (known.scope ?? '').split(' ').filter(isScope);
  const hint = request.loginHint ?? username ?? email;
  return {
    ...request,
    account: id,
    ...(granted.length === 0 && request.scopes === undefined
      ? {}
      : { scopes: [...new Set([...(request.scopes ?? []), ...granted])].slice(0, 100) }),
    ...(known.isAlone || request.prompt !== undefined ? {} : { prompt: 'login' }),
    ...(hint === undefined ? {} : { loginHint: hint.slice(0, HINT_LENGTH_MAX) }),
  };
}

const HINT_LENGTH_MAX = 320;

function membersOf(argument: unknown): Readonly<Record<string, unknown>> {
  if (argument === undefined || argument === null) return {};
  if (typeof argument !== 'object' || Array.isArray(argument))
    throw new AuthError('invalid-options', 'the sign-in request must be an object');
  return { ...argument };
}

function parseMembers(members: Readonly<Record<string, unknown>>): AttemptRequest {
  const { prompt, loginHint, ...rest } = members;
  if (Object.keys(rest).some((name) => !Object.hasOwn(DEMAND_MEMBERS, name))) throw unknownMember();
  if (prompt !== undefined && !PROMPTS.includes(prompt))
    throw new AuthError(
      'invalid-options',
      '"prompt" must be "login", "select_account" or "consent"',
    );
  if (
    loginHint !== undefined &&
    (typeof loginHint !== 'string' || loginHint.length > HINT_LENGTH_MAX)
  )
    throw new AuthError('invalid-options', '"loginHint" must be a text of at most 320 characters');
  const read = readDemand(rest);
  if ('wrong' in read)
    throw new AuthError('invalid-options', `"${read.wrong}" must be ${DEMAND_MEMBERS[read.wrong]}`);
  return {
    ...(prompt === undefined ? {} : { prompt: prompt as NonNullable<SignInRequest['prompt']> }),
    ...(loginHint === undefined ? {} : { loginHint }),
    ...read.demand,
  };
}

function unknownMember(): AuthError {
  return new AuthError(
    'invalid-options',
    'the sign-in request may hold "prompt", "loginHint", "scopes", "acrValues", "maxAge" and "claims" only, and in the main process "account" and "open"',
  );
}

/** The order of members makes no difference. Both are JSON. */
function isSameJson(one: unknown, other: unknown): boolean {
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null)
    return one === other;
  const [names, otherNames] = [Object.keys(one), Object.keys(other)];
  return (
    Array.isArray(one) === Array.isArray(other) &&
    names.length === otherNames.length &&
    names.every(
      (name) =>
        Object.hasOwn(other, name) &&
        isSameJson(
          (one as Readonly<Record<string, unknown>>)[name],
          (other as Readonly<Record<string, unknown>>)[name],
        ),
    )
  );
}
