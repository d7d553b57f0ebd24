// The effects of attempts: opens ways and the browser, takes callbacks, redeems, asks for device
// codes. Holds the attempts' secrets. Decides nothing about an attempt: what happens goes back to
// the mailbox as an event of attempt.ts.
import type { SignInRequest } from '../../../contract.js';
import type { AttemptEvent } from './attempt-state.js';
import type { AttemptStore } from '../storage/attempt-store.js';
import { leadsTo, parseCallback } from './callback.js';
import { beginWait } from './device-polling.js';
import { AuthError, toAuthError } from '../base/errors.js';
import { LIMITS } from '../base/limits.js';
import type { Settings } from '../options/options.js';
import type { Pasted } from './pasted.js';
import type { CallbackVerdict, Ports, AttemptOutcome } from '../base/ports.js';
import type { OAuthClient, Redeemed } from '../oauth/client.js';
import type { AttemptRecord } from '../storage/records.js';
import {
  type OpenRedirect,
  type AttemptContext,
  createAttemptContext,
  createRedirects,
} from './redirects.js';

/**
 * Where trips report. `resume` makes an attempt of one that an earlier process began; its callback
 * has come already.
 */
export interface AttemptEffectEvents {
  post(attempt: number, event: AttemptEvent): void;
  resume(record: AttemptRecord, way: number): number;
  /** What all events of an attempt carry. */
  correlationId(attempt: number): string;
}

export interface AttemptEffects {
  begin(attempt: number, request: SignInRequest, expiresAt: number): void;
  /** Opens one more way. */
  prepare(attempt: number, expiresAt: number): void;
  openBrowser(attempt: number, way: number, again: boolean): void;
  redeem(attempt: number, way: number): void;
  poll(attempt: number, way: number): void;
  extend(attempt: number, expiresAt: number): void;
  closeWay(attempt: number, way: number): void;
  /** Forgets the secrets at once; the redirects show the outcome. */
  close(attempt: number, outcome: AttemptOutcome): void;
  /** Takes what a person pasted for the callback of an open way. False: it belongs to none. */
  paste(pasted: Exclude<Pasted, { kind: 'unusable' }>): Promise<boolean>;
  stop(): void;
}

interface OpenRedirectWay {
  readonly attempt: number;
  readonly id: number;
  readonly way: OpenRedirect;
}

export function createAttemptEffects(
  settings: Settings,
  ports: Ports,
  protocol: OAuthClient,
  vault: AttemptStore,
  events: AttemptEffectEvents,
): AttemptEffects {
  const trips = new Map<number, AttemptContext>();
  const { log, clock } = ports;
  const ways = createRedirects(settings, ports, protocol, vault);
  let strange = 0;
  const schemeUris = settings.redirects.flatMap((redirect) =>
    redirect.kind === 'custom-scheme' ? [redirect.uri] : [],
  );
  for (const callbacks of Object.values(ports.callbacks))
    callbacks.onCallback((url) => arrive(url).verdict);

  return {
    begin(attempt, request, expiresAt) {
      strange = 0;
      trips.set(attempt, createAttemptContext(request, events.correlationId(attempt)));
      prepare(attempt, expiresAt);
    },
    prepare,
    openBrowser(attempt, id, again) {
      const trip = trips.get(attempt);
      const way = trip?.ways.get(id);
      if (trip === undefined || way === undefined) return;
      const page =
        again || way.kind === 'device-code'
          ? ways.pageOf(trip, way)
          : Promise.resolve(way.authorizationUrl);
      page
        .then(async (url) => {
          if (url !== null && trip.ways.has(id)) await ports.browser.open(url);
        })
        .catch((cause: unknown) => {
          // The system's own error may repeat the URL, which holds state and nonce.
          const name = cause instanceof Error ? cause.name : typeof cause;
          events.post(attempt, {
            type: 'way-failed',
            way: id,
            error: new AuthError('browser-failed', 'the system browser could not be started', {
              cause: name,
            }),
          });
        });
    },
    redeem(attempt, id) {
      const way = trips.get(attempt)?.ways.get(id);
      if (way === undefined || way.kind === 'device-code' || way.callback === null) return;
      redeem(attempt, way, way.callback).then(
        ({ grant, account }) => {
          events.post(attempt, { type: 'redeemed', way: id, grant, account });
        },
        (error: unknown) => {
          events.post(attempt, { type: 'redeem-failed', error: toAuthError(error) });
        },
      );
    },
    poll(attempt, id) {
      const way = trips.get(attempt)?.ways.get(id);
      if (way?.kind !== 'device-code') return;
      protocol.pollDevice(way.authorization, events.correlationId(attempt), way.startedAt).then(
        (answer) => {
          if (answer.state === 'granted')
            events.post(attempt, { type: 'redeemed', way: id, ...answer.redeemed });
          else events.post(attempt, { type: 'polled', way: id, answer, now: clock.now() });
        },
        (error: unknown) => {
          events.post(attempt, { type: 'way-failed', way: id, error: toAuthError(error) });
        },
      );
    },
    extend(attempt, expiresAt) {
      const trip = trips.get(attempt);
      if (trip !== undefined) ways.extend(trip, expiresAt);
    },
    closeWay(attempt, id) {
      const trip = trips.get(attempt);
      if (trip !== undefined) ways.close(trip, id, 'not-expected');
    },
    close(attempt, outcome) {
      const trip = trips.get(attempt);
      trips.delete(attempt);
      if (trip === undefined) return;
      trip.closed = true;
      for (const id of [...trip.ways.keys()]) ways.close(trip, id, outcome);
    },
    async paste(pasted) {
      if (pasted.kind === 'code') return takeCode(pasted.code, pasted.state);
      const { verdict, resumed } = arrive(pasted.url);
      return verdict === 'taken' || (await resumed);
    },
    stop() {
      // What is kept stays: the browser may yet come back and start the app again.
      for (const trip of trips.values()) trip.closed = true;
      trips.clear();
      for (const callbacks of Object.values(ports.callbacks)) callbacks.stop();
    },
  };

  function prepare(attempt: number, expiresAt: number): void {
    const trip = trips.get(attempt);
    if (trip === undefined) return;
    ways.openNext(trip, expiresAt).then(
      (id) => {
        const way = trip.ways.get(id);
        const now = clock.now();
        if (way !== undefined)
          events.post(attempt, {
            type: 'prepared',
            way: {
              id,
              kind: way.kind,
              device: way.kind === 'device-code' ? beginWait(way.authorization, now) : null,
            },
            next: ways.nextOf(trip),
            now,
          });
      },
      (error: unknown) => {
        events.post(attempt, {
          type: 'prepare-failed',
          error: toAuthError(error),
          next: ways.nextOf(trip),
        });
      },
    );
  }

  async function redeem(
    attempt: number,
    way: OpenRedirect,
    callback: URLSearchParams,
  ): Promise<Redeemed> {
    if (!(await vault.release(way.secrets.state)))
      throw new AuthError(
        'sign-in-cancelled',
        'another process of this app has taken the callback',
      );
    try {
      return await protocol.redeem(
        callback,
        way.secrets,
        way.redirectUri,
        events.correlationId(attempt),
        way.startedAt,
      );
    } catch (error) {
      // A code that was copied in part is the person's to mend, and no fault of this app.
      if (
        way.kind !== 'paste' ||
        !(error instanceof AuthError) ||
        error.serverError !== 'invalid_grant'
      )
        throw error;
      throw new AuthError(
        'callback-invalid',
        'the provider does not know the code that was pasted',
        { cause: error, serverError: error.serverError },
      );
    }
  }

  /**
   * Anyone can send a callback. One whose state is not open changes nothing and is told apart in
   * the log, without its values. `resumed`: whether it belongs to an attempt that an earlier
   * process of this app began.
   */
  function arrive(url: string): {
    readonly verdict: CallbackVerdict;
    readonly resumed: Promise<boolean>;
  } {
    const open = openWays();
    const parsed = parseCallback(url, [...open.map(({ way }) => way.redirectUri), ...schemeUris]);
    if (parsed.kind === 'foreign' || parsed.kind === 'malformed') {
      tellStrange(
        `callback-${parsed.kind}`,
        parsed.kind === 'malformed' ? parsed.detail : 'leads to no redirect that is open',
      );
      return { verdict: 'foreign', resumed: Promise.resolve(false) };
    }
    const match = open.find(
      ({ way }) => way.secrets.state === parsed.state && leadsTo(url, way.redirectUri),
    );
    if (match === undefined && open.some(({ way }) => way.secrets.state === parsed.state)) {
      // The state of one way on another: to look for a kept attempt would claim the one that is
      // open.
      tellStrange('callback-unexpected', 'its state belongs to another way of an open attempt');
      return { verdict: 'foreign', resumed: Promise.resolve(false) };
    }
    if (match === undefined)
      return { verdict: 'foreign', resumed: resume(url, parsed.state, parsed.parameters) };
    take(match, parsed.parameters);
    return { verdict: 'taken', resumed: Promise.resolve(false) };
  }

  /**
   * A page shows the code alone, so that nothing tells whose it is but the verifier (RFC 7636
   * §4.6); the newest way is meant.
   */
  function takeCode(code: string, state: string | null): boolean {
    const match = openWays().findLast(
      ({ way }) =>
        way.kind === 'paste' &&
        (state === null ? way.callback === null : way.secrets.state === state),
    );
    if (match === undefined) return false;
    // The page shows no `iss` either (RFC 9207 §2.4 cannot be kept); only one issuer is ever asked.
    take(
      match,
      new URLSearchParams({ code, state: match.way.secrets.state, iss: settings.issuer }),
    );
    return true;
  }

  function take({ attempt, id, way }: OpenRedirectWay, callback: URLSearchParams): void {
    if (way.callback === null) {
      way.callback = callback;
      log.write({
        level: 'info',
        event: 'callback-accepted',
        correlationId: events.correlationId(attempt),
        fields: { attempt },
      });
      events.post(attempt, { type: 'callback', way: id });
    } else {
      log.write({
        level: 'info',
        event: 'callback-repeated',
        correlationId: events.correlationId(attempt),
      });
    }
  }

  function tellStrange(
    event: 'callback-foreign' | 'callback-malformed' | 'callback-unexpected',
    detail: string,
  ): void {
    strange += 1;
    if (strange <= LIMITS.strangeCallbacksLogged)
      log.write({ level: 'warn', event, fields: { detail } });
    else if (strange === LIMITS.strangeCallbacksLogged + 1)
      log.write({
        level: 'warn',
        event: 'callback-logging-suppressed',
        fields: {
          detail: 'until the next attempt; somebody sends callbacks that nobody asked for',
        },
      });
  }

  function openWays(): readonly OpenRedirectWay[] {
    return [...trips].flatMap(([attempt, trip]) =>
      [...trip.ways].flatMap(([id, way]) =>
        way.kind === 'device-code' ? [] : [{ attempt, id, way }],
      ),
    );
  }

  async function resume(url: string, state: string, callback: URLSearchParams): Promise<boolean> {
    const record = await vault.take(state);
    if (record === null || !leadsTo(url, record.redirectUri)) {
      tellStrange(
        'callback-unexpected',
        'its state is unknown or was used; a tab was reloaded, or an attempt is over',
      );
      return false;
    }
    const { codeVerifier, nonce, redirectUri, startedAt } = record;
    const attempt = events.resume(record, 1);
    trips.set(attempt, {
      ...createAttemptContext({}, events.correlationId(attempt)),
      lastId: 1,
      position: settings.redirects.length,
    });
    trips.get(attempt)?.ways.set(1, {
      kind: 'custom-scheme',
      secrets: { state, codeVerifier, nonce },
      redirectUri,
      startedAt,
      close: () => undefined,
      authorizationUrl: null,
      callback,
    });
    events.post(attempt, { type: 'callback', way: 1 });
    return true;
  }
}
