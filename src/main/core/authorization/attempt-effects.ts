// The effects of attempts: opens redirects and the browser, takes callbacks, exchanges codes and
// polls for device codes. Holds the secrets of the attempts. Decides nothing about an attempt: it
// reports every result to the mailbox as an event of attempt.ts.
import type { AttemptEvent } from './attempt-state.js';
import type { AttemptStore } from '../storage/attempt-store.js';
import { type Pasted, parseCallback } from './callback.js';
import { createNearMisses } from '../base/near-misses.js';
import { leadsTo } from '../base/redirect-uri.js';
import { beginWait } from './device-polling.js';
import { AuthError, toAuthError } from '../base/errors.js';
import { LIMITS } from '../base/limits.js';
import type { Settings } from '../options/auth-options.js';
import type { CallbackVerdict, Ports, AttemptOutcome } from '../base/ports.js';
import type { OAuthClient, Redeemed } from '../oauth/client.js';
import type { AttemptRecord } from '../storage/records.js';
import type { AttemptRequest, Opener } from './sign-in-request.js';
import {
  type Answer,
  type OpenRedirect,
  type AttemptContext,
  createAttemptContext,
  createRedirects,
} from './redirects.js';

/**
 * Where attempts report. `resume` continues an attempt that an earlier process began; its callback
 * has already arrived.
 */
export interface AttemptEffectEvents {
  post(attempt: number, event: AttemptEvent): void;
  resume(record: AttemptRecord, redirect: number): number;
  /** The id that all events of an attempt carry. */
  correlationId(attempt: number): string;
  /** Whether the person has signed out, and may want to choose another account. */
  isSignedOut(): Promise<boolean>;
}

export interface AttemptEffects {
  /** `opener` null: the system browser opens the pages. */
  begin(attempt: number, request: AttemptRequest, opener: Opener | null, expiresAt: number): void;
  /** Opens one more redirect. */
  prepare(attempt: number, expiresAt: number): void;
  openBrowser(attempt: number, redirect: number, again: boolean): void;
  redeem(attempt: number, redirect: number): void;
  poll(attempt: number, redirect: number): void;
  extend(attempt: number, expiresAt: number): void;
  closeRedirect(attempt: number, redirect: number): void;
  /** Forgets the secrets at once; the redirects show the outcome. */
  close(attempt: number, outcome: AttemptOutcome): void;
  /** Takes a pasted text as the callback of an open redirect. False: it belongs to none. */
  paste(pasted: Exclude<Pasted, { kind: 'unusable' }>): Promise<boolean>;
  stop(): void;
}

interface OpenAuthorization {
  readonly attempt: number;
  readonly id: number;
  readonly redirect: OpenRedirect;
}

export function createAttemptEffects(
  settings: Settings,
  ports: Ports,
  client: OAuthClient,
  attemptStore: AttemptStore,
  events: AttemptEffectEvents,
): AttemptEffects {
  const contexts = new Map<number, AttemptContext>();
  const { log, clock } = ports;
  const redirects = createRedirects(settings, ports, client, attemptStore, () =>
    events.isSignedOut(),
  );
  const tellNearMiss = createNearMisses(log);
  let strange = 0;
  const schemeUris = settings.redirects.flatMap((redirect) =>
    redirect.kind === 'custom-scheme' ? [redirect.uri] : [],
  );
  for (const callbacks of Object.values(ports.callbacks))
    callbacks.onCallback((url) => arrive(url).verdict);

  return {
    begin(attempt, request, opener, expiresAt) {
      strange = 0;
      const correlationId = events.correlationId(attempt);
      contexts.set(attempt, createAttemptContext(request, correlationId, opener));
      prepare(attempt, expiresAt);
    },
    prepare,
    openBrowser(attempt, id, again) {
      const context = contexts.get(attempt);
      const redirect = context?.redirects.get(id);
      if (context === undefined || redirect === undefined) return;
      const page =
        again || redirect.kind === 'device-code'
          ? redirects.pageOf(context, redirect)
          : Promise.resolve(redirect.authorizationUrl);
      page
        .then(async (url) => {
          if (url !== null && context.redirects.has(id)) await show(context.opener, url);
        })
        .catch((cause: unknown) => {
          events.post(attempt, {
            type: 'redirect-failed',
            redirect: id,
            error:
              cause instanceof AuthError
                ? cause
                : // The system's own error may repeat the URL, which holds state and nonce.
                  new AuthError('browser-failed', 'the system browser could not be started', {
                    cause: cause instanceof Error ? cause.name : typeof cause,
                  }),
          });
        });
    },
    redeem(attempt, id) {
      const context = contexts.get(attempt);
      const redirect = context?.redirects.get(id);
      if (context === undefined || redirect === undefined) return;
      if (redirect.kind === 'device-code' || redirect.answer === null) return;
      redeem(attempt, redirect, redirect.answer, context.request).then(
        ({ tokens, account }) => {
          events.post(attempt, { type: 'redeemed', redirect: id, tokens, account });
        },
        (error: unknown) => {
          events.post(attempt, { type: 'redeem-failed', error: toAuthError(error) });
        },
      );
    },
    poll(attempt, id) {
      const context = contexts.get(attempt);
      const redirect = context?.redirects.get(id);
      if (context === undefined || redirect?.kind !== 'device-code') return;
      const { authorization, startedAt } = redirect;
      client
        .pollDevice(authorization, events.correlationId(attempt), startedAt, context.request)
        .then(
          (answer) => {
            if (answer.state === 'granted')
              events.post(attempt, { type: 'redeemed', redirect: id, ...answer.redeemed });
            else events.post(attempt, { type: 'polled', redirect: id, answer, now: clock.now() });
          },
          (error: unknown) => {
            events.post(attempt, {
              type: 'redirect-failed',
              redirect: id,
              error: toAuthError(error),
            });
          },
        );
    },
    extend(attempt, expiresAt) {
      const context = contexts.get(attempt);
      if (context !== undefined) redirects.extend(context, expiresAt);
    },
    closeRedirect(attempt, id) {
      const context = contexts.get(attempt);
      if (context !== undefined) redirects.close(context, id, 'not-expected');
    },
    close(attempt, outcome) {
      const context = contexts.get(attempt);
      contexts.delete(attempt);
      if (context === undefined) return;
      context.closed = true;
      for (const id of [...context.redirects.keys()]) redirects.close(context, id, outcome);
    },
    async paste(pasted) {
      if (pasted.kind === 'code') return takeCode(pasted.code, pasted.state);
      const { verdict, resumed } = arrive(pasted.url, 'pasted');
      return verdict === 'taken' || (await resumed);
    },
    stop() {
      // The stored attempts stay: a callback may still arrive and start the app again.
      for (const context of contexts.values()) context.closed = true;
      contexts.clear();
      for (const callbacks of Object.values(ports.callbacks)) callbacks.stop();
    },
  };

  async function show(opener: Opener | null, url: string): Promise<void> {
    if (opener === null) await ports.browser.open(url);
    else if (opener === 'copy') await ports.browser.copy(url);
    else await showByHost(opener, url);
  }

  /** A host's error may repeat the URL, which holds state and nonce, even in its name. */
  async function showByHost(open: Exclude<Opener, 'copy'>, url: string): Promise<void> {
    try {
      await open(url);
    } catch {
      throw new AuthError('browser-failed', 'the function "open" of signIn() threw or rejected');
    }
  }

  function prepare(attempt: number, expiresAt: number): void {
    const context = contexts.get(attempt);
    if (context === undefined) return;
    redirects.openNext(context, expiresAt).then(
      (id) => {
        const redirect = context.redirects.get(id);
        const now = clock.now();
        if (redirect !== undefined)
          events.post(attempt, {
            type: 'prepared',
            redirect: {
              id,
              kind: redirect.kind,
              device:
                redirect.kind === 'device-code' ? beginWait(redirect.authorization, now) : null,
            },
            next: redirects.nextOf(context),
            now,
          });
      },
      (error: unknown) => {
        events.post(attempt, {
          type: 'prepare-failed',
          error: toAuthError(error),
          next: redirects.nextOf(context),
        });
      },
    );
  }

  async function redeem(
    attempt: number,
    redirect: OpenRedirect,
    answer: Answer,
    demand: AttemptRequest,
  ): Promise<Redeemed> {
    if (!(await attemptStore.release(redirect.secrets.state)))
      throw new AuthError(
        'sign-in-cancelled',
        'another process of this app has taken the callback',
      );
    if ('malformed' in answer)
      throw new AuthError('response-invalid', `the answer of the provider has ${answer.malformed}`);
    try {
      return await client.redeem(
        answer,
        redirect.secrets,
        redirect.redirectUri,
        events.correlationId(attempt),
        redirect.startedAt,
        demand,
      );
    } catch (error) {
      // The person copied only a part of the code and can correct that; the app has no fault.
      if (
        redirect.kind !== 'paste' ||
        !(error instanceof AuthError) ||
        error.serverError !== 'invalid_grant'
      )
        throw error;
      throw new AuthError(
        'callback-invalid',
        'the provider does not know the pasted code; copy the whole code and paste it again',
        { cause: error, serverError: error.serverError },
      );
    }
  }

  /**
   * Anyone can send a callback. A callback whose state is not open changes nothing; the log says
   * why, without its values. If it has the state of a redirect and came by it, it is the answer, also
   * a malformed one: who knows the state could end the attempt by an error too. `resumed`: whether
   * it belongs to an attempt that an earlier process of this app began.
   */
  function arrive(
    url: string,
    way: 'brought' | 'pasted' = 'brought',
  ): { readonly verdict: CallbackVerdict; readonly resumed: Promise<boolean> } {
    const foreign = { verdict: 'foreign', resumed: Promise.resolve(false) } as const;
    const open = openRedirects();
    const parsed = parseCallback(url, [
      ...open.map(({ redirect }) => redirect.redirectUri),
      ...schemeUris,
    ]);
    if (parsed.kind === 'foreign') {
      tellNearMiss('none');
      return foreign;
    }
    const answer = parsed.kind === 'malformed' ? { malformed: parsed.detail } : parsed.parameters;
    if (parsed.kind === 'malformed') tellStrange('callback-malformed', parsed.detail);
    // A person who copied a part of the address can copy again.
    const isAnswer = parsed.kind !== 'malformed' || way === 'brought';
    const { state } = parsed;
    if (state === null || !isAnswer) return foreign;
    const match = open.find(
      ({ redirect }) => redirect.secrets.state === state && leadsTo(url, redirect.redirectUri),
    );
    if (match !== undefined) {
      take(match, answer);
      return { ...foreign, verdict: 'taken' };
    }
    if (open.some(({ redirect }) => redirect.secrets.state === state)) {
      // The state of one redirect arrived on another. A look-up in the attempt store would claim
      // the record of the open attempt.
      tellStrange('callback-unexpected', 'its state belongs to another redirect of an attempt');
      return foreign;
    }
    return { ...foreign, resumed: resume(url, state, answer) };
  }

  /**
   * The page shows the code alone. Only the verifier can tell which request it belongs to
   * (RFC 7636 §4.6), so the newest redirect gets it.
   */
  function takeCode(code: string, state: string | null): boolean {
    const match = openRedirects().findLast(
      ({ redirect }) =>
        redirect.kind === 'paste' &&
        (state === null ? redirect.answer === null : redirect.secrets.state === state),
    );
    if (match === undefined) return false;
    take(match, { bareCode: code });
    return true;
  }

  function take({ attempt, id, redirect }: OpenAuthorization, answer: Answer): void {
    if (redirect.answer === null) {
      redirect.answer = answer;
      log.write({
        level: 'info',
        event: 'callback-accepted',
        correlationId: events.correlationId(attempt),
        fields: { attempt },
      });
      events.post(attempt, { type: 'callback', redirect: id });
    } else {
      log.write({
        level: 'info',
        event: 'callback-repeated',
        correlationId: events.correlationId(attempt),
      });
    }
  }

  function tellStrange(event: 'callback-malformed' | 'callback-unexpected', detail: string): void {
    strange += 1;
    if (strange <= LIMITS.strangeCallbacksLogged)
      log.write({ level: 'warn', event, fields: { detail } });
    else if (strange === LIMITS.strangeCallbacksLogged + 1)
      log.write({
        level: 'warn',
        event: 'callback-logging-suppressed',
        fields: {
          detail: 'until the next attempt: the app receives callbacks that it did not ask for',
        },
      });
  }

  function openRedirects(): readonly OpenAuthorization[] {
    return [...contexts].flatMap(([attempt, context]) =>
      [...context.redirects].flatMap(([id, redirect]) =>
        redirect.kind === 'device-code' ? [] : [{ attempt, id, redirect }],
      ),
    );
  }

  async function resume(url: string, state: string, answer: Answer): Promise<boolean> {
    const record = await attemptStore.take(state, ({ redirectUri }) => leadsTo(url, redirectUri));
    if (record === null) {
      tellStrange(
        'callback-unexpected',
        'its state is unknown or already used: a tab was reloaded, or the attempt has ended',
      );
      return false;
    }
    const { codeVerifier, nonce, redirectUri, startedAt } = record;
    const attempt = events.resume(record, 1);
    contexts.set(attempt, {
      ...createAttemptContext(record.demand ?? {}, events.correlationId(attempt), null),
      lastId: 1,
      position: settings.redirects.length,
    });
    contexts.get(attempt)?.redirects.set(1, {
      kind: 'custom-scheme',
      secrets: { state, codeVerifier, nonce },
      redirectUri,
      startedAt,
      close: () => undefined,
      authorizationUrl: null,
      answer,
    });
    events.post(attempt, { type: 'callback', redirect: 1 });
    return true;
  }
}
