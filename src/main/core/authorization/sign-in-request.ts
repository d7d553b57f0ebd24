// Checks the argument of signIn() that comes from a page or a host, and makes the request whose
// members may become parameters of the authorization URL. Throws "invalid-options" with the name of
// the member; never repeats a value.
import type { SignInRequest } from '../../../contract.js';
import { AuthError } from '../base/errors.js';

const PROMPTS: readonly unknown[] = ['login', 'select_account', 'consent'];

/** Unknown members are refused: a page must not add parameters to the authorization request. */
export function parseSignInRequest(argument: unknown): SignInRequest {
  if (argument === undefined || argument === null) return {};
  if (typeof argument !== 'object' || Array.isArray(argument))
    throw new AuthError('invalid-options', 'the sign-in request must be an object');
  const { prompt, loginHint, ...rest } = argument as Record<string, unknown>;
  if (Object.keys(rest).length > 0)
    throw new AuthError(
      'invalid-options',
      'the sign-in request may hold "prompt" and "loginHint" only',
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
