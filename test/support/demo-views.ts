// Views as main would send them, for the tests of the demo's page. All of one person and one
// moment.
import type {
  AccountView,
  AttemptView,
  AuthErrorCode,
  AuthErrorView,
  AuthView,
  RenewalView,
} from '../../src/contract.js';
import { ERROR_CODES } from '../../src/main/core/base/error-codes.js';
import type { WindowState } from '../../src/renderer/demo/face-model.js';

export const NOW = 1_800_000_000_000;
export const MINUTE = 60_000;
export const codes = Object.keys(ERROR_CODES) as AuthErrorCode[];
export const ada: AccountView = {
  id: 'a1',
  issuer: 'https://accounts.example.com/tenant',
  subject: 's-1',
  name: 'Ada Lovelace',
  email: 'ada@example.com',
};
export const fresh: RenewalView = {
  state: 'fresh',
  since: NOW - 2 * MINUTE,
  expiresAt: NOW + 8 * MINUTE,
  renewAt: NOW + 4 * MINUTE,
};
export const signedOut: AuthView = { status: 'signed-out', reason: 'never' };

/** A window in which nothing was clicked yet. */
export const untouched: WindowState = {
  problem: null,
  pasting: false,
  pasteProblem: '',
  redirectSince: NOW,
};

export function errorOf(code: AuthErrorCode, serverError?: string): AuthErrorView {
  const view = { code, retry: ERROR_CODES[code].retry, message: 'a message' };
  return serverError === undefined ? view : { ...view, serverError };
}

export function signedIn(
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

export function signingIn(
  stage: AttemptView['stage'],
  changes: Partial<AttemptView> = {},
): Extract<AuthView, { status: 'signing-in' }> {
  return {
    status: 'signing-in',
    attempt: {
      stage,
      redirect: 'loopback',
      startedAt: NOW - MINUTE,
      expiresAt: NOW + 4 * MINUTE,
      ...changes,
    },
  };
}
