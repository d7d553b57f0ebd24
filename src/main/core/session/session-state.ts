// The states, events and effects of a session: types, the first values, and the steps and effects
// that every part of the machine makes. Decides nothing.
import type { AccountView, SignedOutReason } from '../../../contract.js';
import type { AuthError } from '../base/errors.js';
import type { SystemEvent } from '../base/ports.js';
import type { TokenSet } from '../base/tokens.js';
import type { SessionRecord } from '../storage/records.js';
import type { AccessToken, TokenTarget } from '../base/tokens.js';

/**
 * What is known of a target: its newest token, or the provider's no and until when nobody asks
 * again. In memory only.
 */
export type TargetAnswer =
  | { readonly state: 'token'; readonly access: AccessToken; readonly renewAt: number | null }
  | { readonly state: 'refused'; readonly error: AuthError; readonly until: number };

/**
 * A renewal for a target. The token of the sign-in stays as it is meanwhile, and is given to
 * whoever wants that.
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

/** What went wrong since the last good renewal. */
export interface Trouble {
  readonly failures: number;
  /**
   * How often the token endpoint itself refused, in words other than `invalid_grant`, while the
   * network was fine.
   */
  readonly refusals: number;
  /** When the last refusal was counted; others that come at once after it are the same mistake. */
  readonly refusedAt: number | null;
  /** An answer may have been lost on its way after the server had rotated the refresh token. */
  readonly answerLost: boolean;
}

export const NO_TROUBLE: Trouble = { failures: 0, refusals: 0, refusedAt: null, answerLost: false };

export interface LiveSession {
  readonly phase: 'live';
  readonly epoch: number;
  readonly account: AccountView;
  readonly refreshToken: string | null;
  readonly scope: string;
  /**
   * Those that the sign-in asked for; a provider may burn the refresh token of whoever asks for
   * another one.
   */
  readonly resources: readonly string[];
  readonly access: AccessToken | null;
  readonly renewal: Renewal;
  /** Only while `renewal` is `fresh`: one refresh token, one request at a time. */
  readonly targetRenewal: TargetRenewal | null;
  readonly targets: ReadonlyMap<string, TargetAnswer>;
  /** The write that counts; answers to earlier writes are stale. */
  readonly save: number;
  /** Null: the current refresh token is in the keychain. */
  readonly storeError: AuthError | null;
  /** When storing is tried again, or null. */
  readonly storeRetryAt: number | null;
  /** The refresh token came with tokens of somebody else: see `SessionRecord`. */
  readonly doubted: boolean;
}

export type SessionState =
  | {
      readonly phase: 'absent';
      readonly epoch: number;
      readonly reason: SignedOutReason;
      readonly account: AccountView | null;
      readonly error: AuthError | null;
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
  /** Fresh from an attempt; being stored. `previous` stays what the page sees meanwhile. */
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
 * `now` and `random` are fields of the events that need them; `epoch` and `save` are checked by the
 * engine and here.
 */
export type SessionEvent =
  | { readonly type: 'restore'; readonly account: AccountView; readonly now: number }
  /** `suspended`: it was refused in no final words before; it is asked once more. */
  | ({
      readonly type: 'record-found';
      readonly record: SessionRecord;
      readonly suspended?: boolean;
    } & Timing)
  /** `foreign`: what is there is another client's, so that nobody was signed in here. */
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
  /** `stored`: it was found in the record, where another process of this app had put it. */
  | ({ readonly type: 'renewed'; readonly tokens: TokenSet; readonly stored: boolean } & Timing)
  /**
   * `refused`: the token endpoint itself said no in other words than `invalid_grant`, and the
   * network was proven fine. `rotated`: the refresh token of an answer whose other tokens must not
   * be used; the old one is dead.
   */
  | {
      readonly type: 'renew-failed';
      readonly error: AuthError;
      readonly refused: boolean;
      readonly rotated?: string;
      readonly now: number;
      readonly random: number;
    }
  /** Somebody needs a token and none is good enough. `target` null: the token of the sign-in. */
  | { readonly type: 'demand'; readonly target: TokenTarget | null; readonly now: number }
  /** The user wants now what we are waiting for. */
  | { readonly type: 'retry'; readonly now: number }
  | { readonly type: 'sign-out' }
  | { readonly type: 'wake'; readonly signal: SystemEvent; readonly now: number }
  | ({ readonly type: 'tick' } & Timing);

/** When it is, and what else decides when the next renewal is due. */
export interface Timing {
  readonly now: number;
  readonly random: number;
  readonly renewEarlySeconds: number;
}

export type SessionEffect =
  | { readonly type: 'read-record'; readonly account: AccountView }
  | {
      readonly type: 'write-record';
      readonly account: AccountView;
      readonly refreshToken: string;
      readonly scope: string;
      readonly resources: readonly string[];
      readonly access: AccessToken | null;
      readonly doubted: boolean;
      readonly save: number;
    }
  /**
   * `revokes`: nobody has its refresh token in memory, so that the one in the record is revoked
   * before the record goes.
   */
  | { readonly type: 'remove-record'; readonly account: AccountView; readonly revokes?: true }
  /** The record is left alone until the next start, which asks once more. */
  | { readonly type: 'suspend'; readonly account: AccountView }
  /** The record is left alone, but not restored any more. */
  | { readonly type: 'mark-refused'; readonly account: AccountView }
  /**
   * `stored`: the keychain holds this very refresh token, so that another one found there is newer.
   * `replaced`: the access token that is not good enough any more, wherever it is found.
   */
  | {
      readonly type: 'renew';
      readonly refreshToken: string;
      readonly scope: string;
      readonly account: AccountView;
      readonly target: TokenTarget | null;
      readonly replaced: string | null;
      readonly stored: boolean;
      readonly doubted: boolean;
    }
  | { readonly type: 'revoke'; readonly token: string }
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

export function revocation(token: string | null): readonly SessionEffect[] {
  return token === null ? [] : [{ type: 'revoke', token }];
}
