// The words of the machine of one attempt: its states, its events, its effects. Types only.
// No state holds a secret: states are shown, in part, to pages.
import type { AccountView, RedirectKind, SignInRequest } from '../../../contract.js';
import type { DeviceWait, PollAnswer } from './device-polling.js';
import type { AuthError } from '../base/errors.js';
import type { AttemptOutcome } from '../base/ports.js';
import type { TokenSet } from '../oauth/client.js';

/** What every open attempt has. */
export interface OpenAttempt {
  /** Identity of the attempt inside this process; effects answer with it. */
  readonly number: number;
  readonly request: SignInRequest;
  readonly startedAt: number;
  readonly expiresAt: number;
  /** How long a person may take for one way. */
  readonly patienceMs: number;
}

/** One way by which the answer of the provider can come. */
export interface AttemptRedirect {
  /** Identity of the way inside its attempt; effects answer with it. */
  readonly id: number;
  readonly kind: RedirectKind;
  /** Of a device code, and of nothing else. */
  readonly device: DeviceWait | null;
}

export type AttemptState =
  | (OpenAttempt & { readonly phase: 'preparing' })
  /**
   * `ways`: at least one, the newest last. `next`: what could be opened besides. `switching`: it is
   * being prepared.
   */
  | (OpenAttempt & {
      readonly phase: 'waiting';
      readonly redirects: readonly AttemptRedirect[];
      readonly next: RedirectKind | null;
      readonly switching: boolean;
    })
  | (OpenAttempt & { readonly phase: 'redeeming'; readonly redirect: AttemptRedirect })
  /** Tokens are there; the session is being stored before anybody is told. */
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
  /** `next`: what could be tried later all the same. */
  | {
      readonly type: 'prepare-failed';
      readonly error: AuthError;
      readonly next: RedirectKind | null;
    }
  | { readonly type: 'next-redirect' }
  /**
   * The way leads nowhere any more: no browser, the device code is refused or over, the person said
   * no there.
   */
  | { readonly type: 'redirect-failed'; readonly redirect: number; readonly error: AuthError }
  /** A callback whose state is this way's; what it says is judged by the redeem effect. */
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
  /** Opens the next way of the ladder, and keeps what must be kept until then. */
  | { readonly type: 'prepare'; readonly expiresAt: number }
  | { readonly type: 'open-browser'; readonly redirect: number; readonly again: boolean }
  | { readonly type: 'redeem'; readonly redirect: number }
  /** Asks once whether the person has agreed on the other device. */
  | { readonly type: 'poll'; readonly redirect: number }
  /** What is kept of the open ways is to be kept until then. */
  | { readonly type: 'extend'; readonly expiresAt: number }
  /** Closes one way and forgets its secrets. */
  | { readonly type: 'close-redirect'; readonly redirect: number }
  | { readonly type: 'adopt'; readonly tokens: TokenSet; readonly account: AccountView }
  /** Tokens that nobody waits for any more. */
  | { readonly type: 'discard'; readonly tokens: TokenSet }
  /** Closes every way with the outcome and forgets the secrets. */
  | { readonly type: 'close'; readonly outcome: AttemptOutcome };

export interface AttemptStep {
  readonly state: AttemptState;
  readonly effects: readonly AttemptEffect[];
}
