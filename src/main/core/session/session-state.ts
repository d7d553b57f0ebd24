// The states, events and effects of a session, and the few steps that every part of its machine
// needs. Decides nothing.
import type { AccountView, SignedOutReason } from '../../../contract.js';
import type { AuthError } from '../base/errors.js';
import type { SystemEvent } from '../base/ports.js';
import type { PersonFacts, TokenSet } from '../base/tokens.js';
import type { SessionRecord } from '../storage/records.js';
import type { AccessToken, TokenTarget } from '../base/tokens.js';

/**
 * What is known about a target: its newest token, or the provider's refusal and the time until
 * which it is not asked again. Only in memory.
 */
export type TargetAnswer =
  | { readonly state: 'token'; readonly access: AccessToken; readonly renewAt: number | null }
  | { readonly state: 'refused'; readonly error: AuthError; readonly until: number };

/**
 * A renewal for a target. The token of the sign-in stays in use in the meantime.
 */
export type TargetRenewal =
  | { readonly state: 'renewing'; readonly since: number; readonly target: TokenTarget }
  | {
      readonly state: 'saving';
      readonly since: number;
      readonly target: TokenTarget;
      readonly tokens: TokenSet;
    };

export type Renewal =
  | { readonly state: 'fresh'; readonly since: number; readonly renewAt: number | null }
  | { readonly state: 'renewing'; readonly since: number; readonly trouble: Trouble }
  | { readonly state: 'saving'; readonly since: number; readonly tokens: TokenSet }
  | {
      readonly state: 'waiting';
      readonly since: number;
      readonly failedAt: number;
      readonly nextTryAt: number;
      readonly trouble: Trouble;
      readonly error: AuthError;
    };

/** What failed since the last successful renewal. */
export interface Trouble {
  readonly failures: number;
  /**
   * How often the token endpoint itself refused with an error other than `invalid_grant`, while the
   * network worked.
   */
  readonly refusals: number;
  /** When the last refusal was counted. Refusals soon after it have the same cause. */
  readonly refusedAt: number | null;
  /** An answer may have been lost after the server had rotated the refresh token. */
  readonly answerLost: boolean;
}

export const NO_TROUBLE: Trouble = { failures: 0, refusals: 0, refusedAt: null, answerLost: false };

export interface LiveSession extends PersonFacts {
  readonly phase: 'live';
  readonly epoch: number;
  readonly account: AccountView;
  /**
   * Null: the session ends with its access token. Then `renewing` means that the record is read, in
   * case another process of this app has stored newer tokens.
   */
  readonly refreshToken: string | null;
  readonly scope: string;
  /**
   * The resources that the sign-in requested. A provider may invalidate the refresh token if
   * another one is requested.
   */
  readonly resources: readonly string[];
  readonly access: AccessToken | null;
  readonly renewal: Renewal;
  /** Only while `renewal` is `fresh`: one refresh token, one request at a time. */
  readonly targetRenewal: TargetRenewal | null;
  readonly targets: ReadonlyMap<string, TargetAnswer>;
  /** The number of the current write; answers to earlier writes are out of date. */
  readonly save: number;
  /** Null: the current refresh token is in the keychain. */
  readonly storeError: AuthError | null;
  /** When to try storing again, or null. */
  readonly storeRetryAt: number | null;
  /** The refresh token came with an ID token of another person: see `SessionRecord`. */
  readonly identityMismatch: boolean;
}

export type SessionState =
  | {
      readonly phase: 'absent';
      readonly epoch: number;
      readonly reason: SignedOutReason;
      readonly account: AccountView | null;
      readonly error: AuthError | null;
      /**
       * Only the clock has ended the session, whose token is over at this time. A clock that was
       * ahead, and shows an earlier time again, gives the session back.
       */
      readonly overAt?: number;
    }
  | {
      readonly phase: 'restoring';
      readonly epoch: number;
      readonly account: AccountView;
      readonly since: number;
      readonly slow: boolean;
    }
  | {
      readonly phase: 'locked';
      readonly epoch: number;
      readonly account: AccountView;
      readonly error: AuthError;
    }
  /** A new session that is being stored. Until then the page sees `previous`. */
  | {
      readonly phase: 'adopting';
      readonly epoch: number;
      readonly account: AccountView;
      readonly tokens: TokenSet;
      readonly attempt: number;
      readonly since: number;
      readonly previous: LiveSession | null;
    }
  | LiveSession;

/**
 * `now` and `random` are members of the events that need them. sessions.ts checks `epoch`, and the
 * machine checks `save`.
 */
export type SessionEvent =
  | { readonly type: 'restore'; readonly account: AccountView; readonly now: number }
  /** `suspended`: an earlier refusal was not final; the session is tried once more. */
  | ({
      readonly type: 'record-found';
      readonly record: SessionRecord;
      readonly suspended?: boolean;
    } & Timing)
  /** `foreign`: the record belongs to another client, so nobody was signed in here. */
  | { readonly type: 'record-absent'; readonly foreign?: true }
  | { readonly type: 'record-withheld'; readonly error: AuthError }
  | {
      readonly type: 'adopt';
      readonly tokens: TokenSet;
      readonly account: AccountView;
      readonly attempt: number;
      readonly now: number;
    }
  | ({ readonly type: 'stored'; readonly save: number } & Timing)
  | ({ readonly type: 'store-failed'; readonly save: number; readonly error: AuthError } & Timing)
  /** `stored`: the tokens come from the record, where another process of this app put them. */
  | ({ readonly type: 'renewed'; readonly tokens: TokenSet; readonly stored: boolean } & Timing)
  /**
   * `refused`: the token endpoint itself refused with an error other than `invalid_grant`, and the
   * network was proven to work. `rotated`: the refresh token of an answer whose other tokens must
   * not be used; the old refresh token is no longer valid.
   */
  | {
      readonly type: 'renew-failed';
      readonly error: AuthError;
      readonly refused: boolean;
      readonly rotated?: string;
      readonly now: number;
      readonly random: number;
    }
  /**
   * A caller needs a token, and none is usable. `target` null: the token of the sign-in. `refused`:
   * the token that the host says an API has refused.
   */
  | {
      readonly type: 'demand';
      readonly target: TokenTarget | null;
      readonly refused?: string;
      readonly now: number;
    }
  /** The person asks to try again now. */
  | { readonly type: 'retry'; readonly now: number }
  | { readonly type: 'sign-out' }
  | { readonly type: 'wake'; readonly signal: SystemEvent; readonly now: number }
  | ({ readonly type: 'tick' } & Timing);

/** The time, and what else decides when the next renewal is due. */
export interface Timing {
  readonly now: number;
  readonly random: number;
  readonly renewEarlySeconds: number;
}

export type SessionEffect =
  | { readonly type: 'read-record'; readonly account: AccountView }
  | ({
      readonly type: 'write-record';
      readonly account: AccountView;
      readonly refreshToken: string | null;
      readonly scope: string;
      readonly resources: readonly string[];
      readonly access: AccessToken | null;
      readonly identityMismatch: boolean;
      readonly save: number;
    } & PersonFacts)
  /**
   * `revokes`: the record is removed when the provider has been told that its refresh token is over.
   * A newer token, which only the memory has, comes with the effect `revoke` of the same step.
   */
  | { readonly type: 'remove-record'; readonly account: AccountView; readonly revokes?: true }
  /** The record stays unused until the next start, which tries it once more. */
  | { readonly type: 'suspend'; readonly account: AccountView }
  /** The record stays, but is not restored any more. */
  | { readonly type: 'mark-refused'; readonly account: AccountView }
  /**
   * `stored`: the keychain holds this refresh token, so a different one found there is newer.
   * `replaced`: the access token that must not be used any more, wherever it is found.
   * `refreshToken` null: only newer tokens in the record can help.
   */
  | {
      readonly type: 'renew';
      readonly refreshToken: string | null;
      readonly scope: string;
      readonly account: AccountView;
      readonly target: TokenTarget | null;
      readonly replaced: string | null;
      readonly stored: boolean;
      readonly identityMismatch: boolean;
    }
  | { readonly type: 'revoke'; readonly account: AccountView; readonly token: string }
  /** The attempt's tokens are stored and usable. */
  | { readonly type: 'adopted'; readonly attempt: number };

export interface SessionStep {
  readonly state: SessionState;
  readonly effects: readonly SessionEffect[];
}

export const NO_SESSION: SessionState & { readonly phase: 'absent' } = {
  phase: 'absent',
  epoch: 0,
  reason: 'never',
  account: null,
  error: null,
};

export function same(state: SessionState): SessionStep {
  return { state, effects: [] };
}

export function absent(
  epoch: number,
  reason: SignedOutReason,
  account: AccountView | null,
  error: AuthError | null,
  effects: readonly SessionEffect[],
): SessionStep {
  return { state: { phase: 'absent', epoch, reason, account, error }, effects };
}

export function removal(account: AccountView, revokes = false): SessionEffect {
  return { type: 'remove-record', account, ...(revokes ? { revokes } : {}) };
}

/** Ends the session of an account whose refresh token is in memory; null: it has none. */
export function revocation(account: AccountView, token: string | null): readonly SessionEffect[] {
  return token === null
    ? [removal(account)]
    : [removal(account, true), { type: 'revoke', account, token }];
}
