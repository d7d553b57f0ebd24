// Checks the argument of signIn() that comes from a page or a host, and makes the request whose
// members may become parameters of the authorization URL. Only a host may say who opens that URL. Throws "invalid-options" with the name of
// the member; never repeats a value.
import type { SignInRequest } from '../../../contract.js';
import { AuthError } from '../base/errors.js';

const PROMPTS: readonly unknown[] = ['login', 'select_account', 'consent'];

/** What the host may choose for a sign-in. */
export interface SignInOptions extends SignInRequest {
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

/** As `parseSignInRequest`, and with the member `open`, which no page may set. */
export function parseSignInOptions(argument: unknown): {
  readonly request: SignInRequest;
  readonly opener: Opener | null;
} {
  if (typeof argument !== 'object' || argument === null || !Object.hasOwn(argument, 'open'))
    return { request: parseSignInRequest(argument), opener: null };
  const { open = null, ...rest } = argument as Record<string, unknown>;
  if (open !== null && open !== 'copy' && typeof open !== 'function')
    throw new AuthError('invalid-options', '"open" must be "copy" or a function that takes a URL');
  return { request: parseSignInRequest(rest), opener: open as Opener | null };
}

/** Unknown members are refused: a page must not add parameters to the authorization request. */
export function parseSignInRequest(argument: unknown): SignInRequest {
  if (argument === undefined || argument === null) return {};
  if (typeof argument !== 'object' || Array.isArray(argument))
    throw new AuthError('invalid-options', 'the sign-in request must be an object');
  const { prompt, loginHint, ...rest } = argument as Record<string, unknown>;
  if (Object.keys(rest).length > 0)
    throw new AuthError(
      'invalid-options',
      'the sign-in request may hold "prompt" and "loginHint" only, and in the main process "open"',
    );
  if (prompt !== undefined && !PROMPTS.includes(prompt))
    throw new AuthError(
      'invalid-options',
      '"prompt" must be "login", "select_account" or "consent"',
    );
  if (loginHint !== undefined && (typeof loginHint !== 'string' || loginHint.length > 320)) {
    throw new AuthError('invalid-options', '"loginHint" must be a text of at most 320 characters');
  }
  return {
    ...(prompt === undefined ? {} : { prompt: prompt as NonNullable<SignInRequest['prompt']> }),
    ...(loginHint === undefined ? {} : { loginHint }),
  };
}
