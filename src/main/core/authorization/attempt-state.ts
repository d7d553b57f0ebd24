// The states, events and effects of one attempt. Types only. No state holds a secret, because
// pages see parts of it.
import type { AccountView, RedirectKind } from '../../../contract.js';
import type { AttemptRequest } from './sign-in-request.js';
import type { DeviceWait } from './device-polling.js';
import type { PollAnswer } from '../oauth/device-authorization.js';
import type { AuthError } from '../base/errors.js';
import type { AttemptOutcome } from '../base/ports.js';
import type { TokenSet } from '../base/tokens.js';

/** What every open attempt has. Times are milliseconds since 1970. */
export interface OpenAttempt {
  /** Identifies the attempt inside this process; effects answer with it. */
  readonly number: number;
  readonly request: AttemptRequest;
  readonly startedAt: number;
  readonly expiresAt: number;
  /** How long a person may take for one redirect. */
  readonly patienceMs: number;
}

/** One redirect, or device code, that can bring the provider's answer. */
export interface AttemptRedirect {
  /** Identifies the redirect inside its attempt; effects answer with it. */
  readonly id: number;
  readonly kind: RedirectKind;
  /** Null unless `kind` is `device-code`. */
  readonly device: DeviceWait | null;
}

export type AttemptState =
  | (OpenAttempt & { readonly phase: 'preparing' })
  /**
   * `redirects`: at least one, the newest last. `next`: what could be opened in addition.
   * `switching`: it is being prepared.
   */
  | (OpenAttempt & {
      readonly phase: 'waiting';
      readonly redirects: readonly AttemptRedirect[];
      readonly next: RedirectKind | null;
      readonly switching: boolean;
    })
  | (OpenAttempt & { readonly phase: 'redeeming'; readonly redirect: AttemptRedirect })
  /** The tokens have arrived; the session is stored before anyone is told. */
  | (OpenAttempt & { readonly phase: 'storing'; readonly redirect: AttemptRedirect })
  | {
      readonly number: number;
      readonly phase: 'ended';
      readonly outcome: AttemptOutcome;
      readonly error: AuthError | null;
    };

export type AttemptEvent =
  | {
      readonly type: 'prepared';
      readonly redirect: AttemptRedirect;
      readonly next: RedirectKind | null;
      readonly now: number;
    }
  /** `next`: what could still be tried later. */
  | {
      readonly type: 'prepare-failed';
      readonly error: AuthError;
      readonly next: RedirectKind | null;
    }
  | { readonly type: 'next-redirect' }
  /**
   * The redirect can bring no answer any more: no browser, the device code is refused or expired,
   * or the person said no there.
   */
  | { readonly type: 'redirect-failed'; readonly redirect: number; readonly error: AuthError }
  /** A callback with the state of this redirect. The redeem effect checks what it says. */
  | { readonly type: 'callback'; readonly redirect: number }
  | {
      readonly type: 'polled';
      readonly redirect: number;
      readonly answer: PollAnswer;
      readonly now: number;
    }
  | {
      readonly type: 'redeemed';
      readonly redirect: number;
      readonly tokens: TokenSet;
      readonly account: AccountView;
    }
  | { readonly type: 'redeem-failed'; readonly error: AuthError }
  | { readonly type: 'stored' }
  | { readonly type: 'reopen' }
  | { readonly type: 'cancel' }
  | { readonly type: 'tick'; readonly now: number };

export type AttemptEffect =
  /** Opens the next redirect in the order; stores what must be stored until `expiresAt`. */
  | { readonly type: 'prepare'; readonly expiresAt: number }
  | { readonly type: 'open-browser'; readonly redirect: number; readonly again: boolean }
  | { readonly type: 'redeem'; readonly redirect: number }
  /** Asks once whether the person has agreed on the other device. */
  | { readonly type: 'poll'; readonly redirect: number }
  /** What is stored of the open redirects is stored until `expiresAt`. */
  | { readonly type: 'extend'; readonly expiresAt: number }
  /** Closes one redirect and forgets its secrets. */
  | { readonly type: 'close-redirect'; readonly redirect: number }
  | { readonly type: 'adopt'; readonly tokens: TokenSet; readonly account: AccountView }
  /** No caller waits for these tokens any more. */
  | { readonly type: 'discard'; readonly tokens: TokenSet }
  /** Closes every redirect with the outcome and forgets the secrets. */
  | { readonly type: 'close'; readonly outcome: AttemptOutcome };

export interface AttemptStep {
  readonly state: AttemptState;
  readonly effects: readonly AttemptEffect[];
}
