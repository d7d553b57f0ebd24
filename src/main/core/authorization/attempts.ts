// The open attempts of the app, and the callers that wait for them. attempt-effects.ts runs their
// effects. Decides nothing about an attempt; attempt.ts does.
import type { AccountView } from '../../../contract.js';
import type { AttemptEffect, AttemptEvent, AttemptState } from './attempt-state.js';
import type { AttemptStore } from '../storage/attempt-store.js';
import { attemptDeadline, beginAttempt, resumeAttempt, stepAttempt } from './attempt.js';
import { AuthError, assertNever } from '../base/errors.js';
import { evidenceOf, note } from '../base/evidence.js';
import { errorFields } from '../base/event-parts.js';
import { LIMITS } from '../base/limits.js';
import type { Settings } from '../options/auth-options.js';
import { parsePasted } from './callback.js';
import {
  type AttemptRequest,
  type SignedIn,
  parseSignInOptions,
  parseSignInRequest,
  withAccount,
} from './sign-in-request.js';
import type { Ports } from '../base/ports.js';
import type { OAuthClient } from '../oauth/client.js';
import type { TokenSet } from '../base/tokens.js';
import type { Waiter } from '../base/waiter.js';
import { createAttemptEffects } from './attempt-effects.js';

export interface AttemptMail {
  readonly to: 'attempt';
  readonly number: number;
  readonly event: AttemptEvent;
}

/** What the engine does for the attempts. */
export interface AttemptsHost {
  /** Puts it into the engine's queue; `drain` delivers it. */
  queue(mail: AttemptMail): void;
  drain(): void;
  /** Unique among all processes; the same for all events of one attempt. */
  correlationId(attempt: number): string;
  /** A new attempt has begun: the error of the last one is out of date. */
  begun(): void;
  /** True when the person has signed out and nobody is signed in, also after a restart. */
  isSignedOut(): Promise<boolean>;
  /** Null for `accountId`: the active account. */
  signedIn(accountId: string | null): SignedIn | null;
  adopt(tokens: TokenSet, account: AccountView, attempt: number): void;
  /** No caller waits for these tokens any more. */
  discard(tokens: TokenSet): void;
  /** Comes after its caller was told. */
  ended(state: AttemptState & { readonly phase: 'ended' }): void;
}

export interface Attempts {
  /** Oldest first. */
  open(): readonly AttemptState[];
  /** True while tokens are being fetched or stored. */
  isRedeeming(): boolean;
  /**
   * Resolves when the person is signed in; rejects when the attempt fails, and with
   * `invalid-options` when the argument is no sign-in request. Cancels the oldest attempt when too
   * many are open. Only a host may say who opens the URL. `signal`: cancels the attempt.
   */
  begin(argument: unknown, by: 'page' | 'host', signal?: AbortSignal): Promise<void>;
  cancel(attempts: readonly AttemptState[]): void;
  /** Sends the event to the newest attempt that waits for the person. */
  sendToWaiting(event: AttemptEvent): void;
  /** The session of this attempt is stored and in use. */
  stored(attempt: number): void;
  /**
   * Takes what a person copied from the browser. Rejects with `callback-invalid` when it belongs to
   * no open attempt.
   */
  paste(argument: unknown): Promise<void>;
  deliver(mail: AttemptMail): void;
  tick(): void;
  /** When the first attempt needs a `tick`, or null. */
  deadline(now: number): number | null;
  /**
   * Rejects all waiting callers. The stored attempts stay: a callback may still start the app
   * again.
   */
  stop(error: AuthError): void;
}

export function createAttempts(
  settings: Settings,
  ports: Ports,
  client: OAuthClient,
  attemptStore: AttemptStore,
  host: AttemptsHost,
): Attempts {
  const { clock, log } = ports;
  const attempts = new Map<number, AttemptState>();
  const signIns = new Map<number, Waiter<void>>();
  let count = 0;

  const attemptEffects = createAttemptEffects(settings, ports, client, attemptStore, {
    post: send,
    resume(record, redirect) {
      const number = ++count;
      attempts.set(number, resumeAttempt(number, record, redirect));
      host.begun();
      const correlationId = host.correlationId(number);
      const fields = { attempt: number, began: record.correlationId };
      log.write({ level: 'info', event: 'attempt-resumed', correlationId, fields });
      return number;
    },
    correlationId: (number) => host.correlationId(number),
    isSignedOut: () => host.isSignedOut(),
  });

  return {
    open,
    isRedeeming: () => open().some(({ phase }) => phase === 'redeeming' || phase === 'storing'),
    begin,
    cancel(ended) {
      for (const { number } of ended) send(number, { type: 'cancel' });
    },
    sendToWaiting(event) {
      const newest = open().findLast(({ phase }) => phase === 'waiting');
      if (newest !== undefined) send(newest.number, event);
    },
    stored: (number) => {
      host.queue({ to: 'attempt', number, event: { type: 'stored' } });
    },
    async paste(argument) {
      const pasted = parsePasted(argument);
      if (pasted.kind === 'unusable') throw new AuthError('callback-invalid', pasted.detail);
      if (await attemptEffects.paste(pasted)) return;
      throw new AuthError('callback-invalid', 'the pasted text does not belong to an open sign-in');
    },
    deliver({ number, event }) {
      const state: AttemptState = attempts.get(number) ?? {
        phase: 'ended',
        number,
        outcome: 'failed',
        error: null,
      };
      const next = stepAttempt(state, event);
      if (next.state !== state) attempts.set(number, next.state);
      for (const effect of next.effects) run(number, effect);
      if (next.state.phase === 'ended') end(next.state);
    },
    tick() {
      const event = { type: 'tick', now: clock.now() } as const;
      for (const number of attempts.keys()) host.queue({ to: 'attempt', number, event });
    },
    deadline(now) {
      const deadlines = open().map((attempt) => attemptDeadline(attempt, now) ?? Infinity);
      const earliest = Math.min(...deadlines);
      return earliest === Infinity ? null : earliest;
    },
    stop(error) {
      attemptEffects.stop();
      for (const waiter of signIns.values()) waiter.reject(error);
      signIns.clear();
    },
  };

  function open(): readonly AttemptState[] {
    return [...attempts.values()];
  }

  function send(number: number, event: AttemptEvent): void {
    host.queue({ to: 'attempt', number, event });
    host.drain();
  }

  async function begin(
    argument: unknown,
    by: 'page' | 'host',
    signal?: AbortSignal,
  ): Promise<void> {
    const parsed =
      by === 'host'
        ? parseSignInOptions(argument)
        : { request: parseSignInRequest(argument, settings.pagesMayAsk), opener: null };
    const { opener } = parsed;
    const request: AttemptRequest = withAccount(parsed.request, (id) => host.signedIn(id));
    const [oldest] = attempts.keys();
    if (oldest !== undefined && attempts.size >= LIMITS.openAttempts)
      send(oldest, { type: 'cancel' });
    const number = ++count;
    host.begun();
    const attempt = beginAttempt(number, request, clock.now(), settings.attemptTimeoutSeconds);
    attempts.set(number, attempt);
    const correlationId = host.correlationId(number);
    log.write({
      level: 'info',
      event: 'attempt-started',
      correlationId,
      fields: { attempt: number },
    });
    await new Promise<void>((resolve, reject) => {
      signIns.set(number, { resolve, reject });
      attemptEffects.begin(number, request, opener, attempt.expiresAt);
      host.drain();
      const cancel = (): void => send(number, { type: 'cancel' });
      if (signal?.aborted === true) cancel();
      else signal?.addEventListener('abort', cancel, { once: true });
    });
  }

  function end(state: AttemptState & { readonly phase: 'ended' }): void {
    const { number, outcome } = state;
    if (!attempts.delete(number)) return;
    const error = afterAttempt(state.error);
    const fields = { attempt: number, outcome, ...errorFields(error) };
    log.write({
      level: 'info',
      event: 'attempt-ended',
      correlationId: host.correlationId(number),
      fields,
    });
    const waiter = signIns.get(number);
    signIns.delete(number);
    if (error === null) waiter?.resolve();
    else waiter?.reject(error);
    host.ended({ ...state, error });
  }

  function run(number: number, effect: AttemptEffect): void {
    switch (effect.type) {
      case 'prepare':
        attemptEffects.prepare(number, effect.expiresAt);
        return;
      case 'open-browser':
        attemptEffects.openBrowser(number, effect.redirect, effect.again);
        return;
      case 'redeem':
        attemptEffects.redeem(number, effect.redirect);
        return;
      case 'poll':
        attemptEffects.poll(number, effect.redirect);
        return;
      case 'extend':
        attemptEffects.extend(number, effect.expiresAt);
        return;
      case 'close-redirect':
        attemptEffects.closeRedirect(number, effect.redirect);
        return;
      case 'adopt':
        host.adopt(effect.tokens, effect.account, number);
        return;
      case 'discard':
        host.discard(effect.tokens);
        return;
      case 'close':
        attemptEffects.close(number, effect.outcome);
        return;
      default:
        assertNever(effect);
    }
  }
}

/** Nothing will try an ended attempt again, and `retry()` does not either: only a sign-in helps. */
function afterAttempt(error: AuthError | null): AuthError | null {
  if (error?.retry !== 'automatic' && error?.retry !== 'user') return error;
  const { code, message, cause, serverError, retryAfterSeconds, provider, exchange } = error;
  const known = { cause, serverError, retryAfterSeconds, provider, exchange };
  const ended = new AuthError(code, message, { ...known, retry: 'sign-in' });
  return note(ended, evidenceOf(error));
}
