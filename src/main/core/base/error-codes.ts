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
    means: 'An option of createAuth, or an argument of a call, has an invalid value.',
    todo: 'Change the option or the argument that the message names.',
  },
  'signed-out': {
    means: 'Your app asked for a token while nobody is signed in.',
    todo: 'Offer to sign in.',
  },
  'sign-in-cancelled': {
    means: 'The user or the host ended the attempt, or a new attempt replaced it.',
    todo: 'Nothing. Offer to sign in.',
  },
  'sign-in-expired': {
    means: 'The browser did not come back in time.',
    todo: 'Offer to sign in again. If the browser showed an error, `latchkey doctor` can tell why.',
  },
  'sign-in-denied': {
    means:
      'The person, or a rule at the provider, denied the sign-in (access_denied). Or another account signed in than the one that a step-up is for; nothing has changed then.',
    todo: 'Offer to sign in again, perhaps with another account.',
  },
  'sign-in-refused': {
    means:
      'The provider refused the request of this app, at the sign-in page or at the token endpoint.',
    todo: 'Read serverError. Most often the registration at the provider differs from the options.',
  },
  'session-ended': {
    means:
      'The provider no longer accepts the refresh token (invalid_grant). Or there is none, and the access token is over, or your app said that an API refuses it.',
    todo: 'Offer to sign in again as the same person.',
  },
  'session-busy': {
    means: 'Another process of this app is renewing the session and has not finished.',
    todo: 'Nothing: Latchkey tries again. You may have to end a process that was halted.',
  },
  'resource-refused': {
    means:
      'The provider gives no access token for the resource or the scopes in the call of getAccessToken. The session itself is fine.',
    todo: 'Name the API in the option "resources", then sign in again, so that the person agrees to it. Where the provider has no resources, as Entra, ask by scopes instead. Read serverError: you may also have to configure the API at the provider.',
  },
  'discovery-failed': {
    means: 'The issuer publishes no usable metadata (OpenID Connect Discovery or RFC 8414).',
    todo: 'Check the option "issuer", or set the option "endpoints".',
  },
  'issuer-mismatch': {
    means:
      'The metadata or the callback names another issuer than your options (RFC 8414 §3.3, RFC 9207).',
    todo: 'Check the issuer, character by character. If it is right, suspect an attack.',
  },
  'id-token-invalid': {
    means:
      'The ID token failed a check (OpenID Connect Core §3.1.3.7), or it does not show what signIn() demanded: acrValues, maxAge, claims. Of getIdToken: there is none that has not expired, and a renewal brings none.',
    todo: 'Try again. If the message names "acr", the provider does not do what was demanded (docs/step-up.md). If the error remains, check client id and issuer. The clock of this computer is not the reason. Of getIdToken: sign in again.',
  },
  'response-invalid': {
    means:
      'A response broke the protocol: it is too large, it is not JSON, or a member is missing or has the wrong type. Or the callback of an attempt has no code, or a parameter twice.',
    todo: 'Try again. A captive portal or a proxy may be in between.',
  },
  'network-failed': {
    means: 'The provider could not be reached, or its response broke off. The message says why.',
    todo: 'Nothing: Latchkey renews a session when the network is back.',
  },
  'network-timeout': {
    means: 'The provider did not answer in time.',
    todo: 'Nothing: Latchkey renews a session later.',
  },
  'server-unavailable': {
    means:
      'The provider is out of order or asks clients to slow down (5xx, 429, temporarily_unavailable).',
    todo: 'Nothing: Latchkey renews a session later.',
  },
  'redirect-unavailable': {
    means: 'None of the redirects can work on this computer.',
    todo: 'Add a loopback redirect. auth.diagnose() says what blocks each redirect (docs/doctor.md).',
  },
  'browser-failed': {
    means:
      'The system browser could not be started. Or the address is longer than 2,000 characters, and no page on loopback could be opened to start from.',
    todo: 'Check the default browser, then try again. Ask for less in "scopes" and "authorizationParameters" if the message says that the address is too long.',
  },
  'callback-invalid': {
    means: 'The pasted text is not the answer of an open sign-in.',
    todo: 'Copy the whole address of the last page, or the whole code that it shows. If the error remains, sign in again.',
  },
  'keyring-locked': {
    means: 'The keyring is locked or waits for its password.',
    todo: 'Unlock it, then call retry().',
  },
  'keyring-unavailable': {
    means: 'No keyring stored the session. It ends with the app.',
    todo: 'Install or start a keyring (Linux: a Secret Service).',
  },
  'storage-failed': {
    means:
      'The file latchkey.json could not be written, so the next start would not find the session or the attempt. With the status `locked`: the file cannot be read, so Latchkey does not know yet whose session is stored.',
    todo: 'Check the disk and the permissions of the userData folder, then call retry().',
  },
  'page-refused': {
    means:
      'A page that is not trusted called. Or a page asked signIn() for more than the option "pagesMayAsk" lists.',
    todo: 'Read the message. If it names a member of signIn(), list the value in "pagesMayAsk". If the page is yours, add its origin to the option "trustedOrigins". The event `page-refused` says what else may be in the way.',
  },
  'files-missing': {
    means:
      'Latchkey was bundled into the main process, or packaged only in part: its preload or its keychain worker is missing.',
    todo: 'Declare "latchkey" as external and ship the whole package (docs/bundlers.md).',
  },
  stopped: { means: 'The call came after stop(), or stop() ended it.', todo: 'Nothing.' },
  internal: { means: 'Latchkey broke one of its own promises.', todo: 'Report it.' },
};

/** Every code: what the caller should do, what the code means, and what helps. */
export const ERROR_CODES = Object.fromEntries(
  Object.entries(WORDS).map(([code, words]) => [
    code,
    { retry: RETRY[code as AuthErrorCode], ...words },
  ]),
) as {
  readonly [Code in AuthErrorCode]: ErrorWords & { readonly retry: AuthErrorRetry };
};
