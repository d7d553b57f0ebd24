// What each error code means and what helps: for documents, `latchkey explain` and tests. The list
// itself, with what a caller should do, is in errors.ts; an app that runs never loads these texts.
import type { AuthErrorCode, AuthErrorRetry } from '../../../contract.js';
import { RETRY } from './errors.js';

interface ErrorWords {
  readonly means: string;
  readonly todo: string;
}

const WORDS: { readonly [Code in AuthErrorCode]: ErrorWords } = {
  'invalid-options': {
    means: 'An option given to createAuth, or an argument of a call, is not what it must be.',
    todo: 'Change the option that the message names.',
  },
  'signed-out': {
    means: 'A token was asked for while nobody is signed in.',
    todo: 'Offer to sign in.',
  },
  'sign-in-cancelled': {
    means: 'The user or the host ended the attempt, or a new attempt took its place.',
    todo: 'Nothing; offer to sign in.',
  },
  'sign-in-expired': {
    means: 'The browser did not come back in time.',
    todo: 'Offer to sign in again.',
  },
  'sign-in-denied': {
    means: 'The person, or a rule at the provider, said no (access_denied).',
    todo: 'Offer to sign in again, perhaps with another account.',
  },
  'sign-in-refused': {
    means:
      'The provider refused the request of this app, at the sign-in page or at the token endpoint.',
    todo: 'Read serverError; most often the registration at the provider differs from the options.',
  },
  'session-ended': {
    means: 'The provider no longer accepts the refresh token (invalid_grant).',
    todo: 'Offer to sign in again as the same person.',
  },
  'session-busy': {
    means: 'Another process of this app is renewing the session and does not finish.',
    todo: 'Nothing; it is tried again. A process that was halted may have to be ended.',
  },
  'resource-refused': {
    means:
      'The provider gives no access token for the resource or the scopes that getAccessToken was asked for. The session itself is fine.',
    todo: 'Name the API in the option "resources", then sign in anew, so that the person agrees to it; read serverError, for the provider may have to be told of it, too.',
  },
  'discovery-failed': {
    means: 'The issuer publishes no usable metadata (OpenID Connect Discovery or RFC 8414).',
    todo: 'Check the issuer, or give the endpoints by hand.',
  },
  'issuer-mismatch': {
    means:
      'Metadata or callback name another issuer than the one configured (RFC 8414 §3.3, RFC 9207).',
    todo: 'Check the issuer, character by character; if it is right, suspect an attack.',
  },
  'id-token-invalid': {
    means: 'The ID token failed a check (OpenID Connect Core §3.1.3.7).',
    todo: 'Try again; if it stays, check client id and issuer. The clock of this computer is not the reason.',
  },
  'response-invalid': {
    means:
      'An answer broke the protocol: too large, not JSON, or a member missing or of the wrong type.',
    todo: 'Try again; a captive portal or a proxy may stand in between.',
  },
  'network-failed': {
    means:
      'The provider could not be reached, or its answer broke off; the message says what was in the way.',
    todo: 'Nothing; a session is renewed when the network is back.',
  },
  'network-timeout': {
    means: 'The provider did not answer in time.',
    todo: 'Nothing; a session is renewed later.',
  },
  'server-unavailable': {
    means: 'The provider is out of order or asks to slow down (5xx, 429, temporarily_unavailable).',
    todo: 'Nothing; a session is renewed later.',
  },
  'redirect-unavailable': {
    means: 'None of the redirects can work here.',
    todo: 'Add a loopback redirect; auth.diagnose() tells what stands in the way of each (docs/doctor.md).',
  },
  'browser-failed': {
    means: 'The system browser could not be started.',
    todo: 'Check the default browser, then try again.',
  },
  'callback-invalid': {
    means: 'What was pasted is not the answer of an open sign-in.',
    todo: 'Copy the whole address of the last page, or the whole code that it shows; if it stays, sign in again.',
  },
  'keyring-locked': {
    means: 'The keyring is locked or waits for its password.',
    todo: 'Unlock it, then call retry().',
  },
  'keyring-unavailable': {
    means: 'No keyring took the refresh token; the session ends with the app.',
    todo: 'Install or start a keyring (Linux: a Secret Service).',
  },
  'storage-failed': {
    means:
      'The file latchkey.json could not be written, so the next start would not find the session or the attempt. With the status `locked`: it cannot be read, so nobody knows yet whose session is stored.',
    todo: 'Look at the disk and at the rights of the userData folder, then call retry().',
  },
  'page-refused': {
    means: 'A page that is not trusted called.',
    todo: 'Name its origin in the option "trustedOrigins", if it is yours.',
  },
  'files-missing': {
    means:
      'Latchkey was bundled into the main process, or packaged in part: its preload or its keychain worker is not beside it.',
    todo: 'Declare "latchkey" as external and ship the whole package, see docs/bundlers.md.',
  },
  stopped: { means: 'The call came after stop(), or stop() ended it.', todo: 'Nothing.' },
  internal: { means: 'Latchkey broke one of its own promises.', todo: 'Report it.' },
};

/** Every code: what the caller should do, and one sentence each on what it means and what helps. */
export const ERROR_CODES = Object.fromEntries(
  Object.entries(WORDS).map(([code, words]) => [
    code,
    { retry: RETRY[code as AuthErrorCode], ...words },
  ]),
) as {
  readonly [Code in AuthErrorCode]: ErrorWords & { readonly retry: AuthErrorRetry };
};
