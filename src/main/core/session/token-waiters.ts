// The callers that wait for an access token of one session, or for the session itself. Answers them
// from the session's state; decides nothing about the session.
import type { AuthError } from '../base/errors.js';
import { LIMITS } from '../base/limits.js';
import { type TokenWant, answerArrival, answerToken, heldToken } from './session-queries.js';
import type { SessionState } from './session-state.js';
import type { AccessToken, TokenTarget } from '../base/tokens.js';
import type { RefusedBy } from './token-request.js';
import type { Waiter } from '../base/waiter.js';

export interface TokenWaiters {
  /** `canFail` false: it is not known yet who is signed in, so an error would be too early. */
  ask(
    want: {
      readonly target: TokenTarget | null;
      readonly refused: string | null;
      readonly refusedBy: RefusedBy;
      /** True: the ID token instead of an access token. */
      readonly idToken?: true;
    },
    canFail: boolean,
  ): Promise<string>;
  /** Resolves when the session is restored; rejects when that fails. */
  arrival(): Promise<void>;
  /** Answers all callers that can be answered now. */
  settle(): void;
  rejectAll(error: AuthError): void;
}

export interface TokenWaitersHost {
  state(): SessionState;
  /** Milliseconds since 1970, after the state was corrected for a clock that was set back. */
  now(): number;
  /**
   * A caller needs a token that is missing. `target` null: the token of the sign-in. `refused`: the
   * one that the host says is refused.
   */
  demand(target: TokenTarget | null, refused: string | null): void;
  drain(): void;
}

interface TokenWaiter extends Waiter<string> {
  readonly target: TokenTarget | null;
  readonly refusedBy: RefusedBy;
  readonly idToken?: true;
  /** The text from the caller; `refused` is the token with that text, once that is known. */
  readonly refusedText: string | null;
  refused: AccessToken | null;
}

export function createTokenWaiters(host: TokenWaitersHost): TokenWaiters {
  const tokens = new Set<TokenWaiter>();
  const arrivals = new Set<Waiter<void>>();

  return {
    ask({ refused, ...wanted }, canFail) {
      const want = { ...wanted, refusedText: refused, refused: null };
      const answer = answerTo(want);
      if (answer.kind === 'token') return Promise.resolve(answer.token);
      if (canFail && answer.kind === 'error') return Promise.reject(answer.error);
      return new Promise((resolve, reject) => {
        tokens.add({ ...want, resolve, reject });
        // A caller that only joins the waiting ones changes nothing: a thousand of them must not
        // cause a thousand views.
        if (answer.kind === 'demand') host.drain();
      });
    },
    arrival: () =>
      new Promise((resolve, reject) => {
        arrivals.add({ resolve, reject });
        host.drain();
      }),
    settle() {
      settleTokens();
      settleArrivals();
    },
    rejectAll(error) {
      for (const waiter of [...tokens, ...arrivals]) waiter.reject(error);
      tokens.clear();
      arrivals.clear();
    },
  };

  function settleTokens(): void {
    let isDemanded = false;
    for (const waiter of tokens) {
      const answer = answerTo(waiter);
      if (answer.kind === 'wait') continue;
      if (answer.kind === 'demand') {
        if (!isDemanded) host.demand(waiter.target, waiter.refused?.token ?? null);
        isDemanded = true;
        continue;
      }
      tokens.delete(waiter);
      if (answer.kind === 'token') waiter.resolve(answer.token);
      else waiter.reject(answer.error);
    }
  }

  function settleArrivals(): void {
    const arrived = arrivals.size === 0 ? 'wait' : answerArrival(host.state());
    if (arrived === 'wait') return;
    for (const waiter of arrivals) {
      if (arrived === null) waiter.resolve();
      else waiter.reject(arrived);
    }
    arrivals.clear();
  }

  function answerTo(
    want: Pick<TokenWaiter, 'target' | 'refusedBy' | 'idToken' | 'refusedText' | 'refused'>,
  ): ReturnType<typeof answerToken> {
    const now = host.now();
    const state = host.state();
    return answerToken(state, now, recognized(want, state, now));
  }
}

/**
 * The refused token is remembered by identity: if the provider sends the same text again, that is a
 * new token.
 */
function recognized<
  W extends Pick<TokenWaiter, 'target' | 'refusedBy' | 'refusedText' | 'refused'>,
>(want: W, state: SessionState, now: number): W & TokenWant {
  if (want.refused === null && want.refusedText !== null) {
    const held = heldToken(state, want.target);
    if (held?.token === want.refusedText && now - held.obtainedAt >= LIMITS.refusedYoungMs)
      want.refused = held;
  }
  return want;
}
