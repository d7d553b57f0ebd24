// The effects of attempts: prepares a redirect, opens the browser, takes the callback, redeems. Holds the attempts' secrets.
// Decides nothing about an attempt: what happens goes back to the mailbox as an event of attempt.ts.
import type { SignInRequest } from '../../contract.js';
import type { AttemptVault } from './attempt-vault.js';
import type { AttemptEvent } from './attempt.js';
import { leadsTo, parseCallback } from './callback.js';
import { AuthError, toAuthError } from './errors.js';
import type { Settings } from './options.js';
import type { CallbackVerdict, OpenRedirect, Ports, RedirectOption, TripOutcome } from './ports.js';
import type { AttemptSecrets, Protocol } from './protocol.js';
import type { AttemptRecord } from './records.js';

/** What belongs to one open attempt and may be in no state that is shown or logged. */
interface Trip {
  readonly secrets: AttemptSecrets;
  readonly correlationId: string;
  redirect: OpenRedirect | null;
  authorizationUrl: string | null;
  callback: URLSearchParams | null;
  closed: boolean;
}

/** Where trips report. `resume` makes an attempt of one that an earlier process began; its callback has come already. */
export interface TripEvents {
  post(attempt: number, event: AttemptEvent): void;
  resume(record: AttemptRecord): number;
  /** What all events of an attempt carry. */
  correlationId(attempt: number): string;
}

export interface Trips {
  begin(attempt: number, request: SignInRequest, expiresAt: number): void;
  openBrowser(attempt: number): void;
  redeem(attempt: number): void;
  /** Forgets the secrets at once; the redirect shows the outcome. */
  close(attempt: number, outcome: TripOutcome): void;
  stop(): void;
}

export function createTrips(settings: Settings, ports: Ports, protocol: Protocol, vault: AttemptVault, events: TripEvents): Trips {
  const trips = new Map<number, Trip>();
  const { log, clock } = ports;
  const schemeUris = settings.redirects.flatMap((redirect) => (redirect.kind === 'custom-scheme' ? [redirect.uri] : []));
  for (const callbacks of Object.values(ports.callbacks)) callbacks.onCallback(receive);

  return {
    begin(attempt, request, expiresAt) {
      const trip: Trip = { secrets: protocol.createSecrets(), correlationId: events.correlationId(attempt), redirect: null, authorizationUrl: null, callback: null, closed: false };
      trips.set(attempt, trip);
      prepare(trip, request, expiresAt).then(
        (redirect) => { events.post(attempt, { type: 'prepared', redirect: redirect.kind }); },
        (error: unknown) => { events.post(attempt, { type: 'prepare-failed', error: toAuthError(error) }); },
      );
    },
    openBrowser(attempt) {
      const url = trips.get(attempt)?.authorizationUrl;
      if (url === undefined || url === null) return;
      ports.browser.open(url).catch((cause: unknown) => {
        // The system's own error may repeat the URL, which holds state and nonce.
        const name = cause instanceof Error ? cause.name : typeof cause;
        events.post(attempt, { type: 'browser-failed', error: new AuthError('browser-failed', 'the system browser could not be started', { cause: name }) });
      });
    },
    redeem(attempt) {
      const trip = trips.get(attempt);
      if (trip === undefined || trip.callback === null || trip.redirect === null) return;
      redeem(trip, trip.callback, trip.redirect.redirectUri).then(
        ({ grant, account }) => { events.post(attempt, { type: 'redeemed', grant, account }); },
        (error: unknown) => { events.post(attempt, { type: 'redeem-failed', error: toAuthError(error) }); },
      );
    },
    close(attempt, outcome) {
      const trip = trips.get(attempt);
      trips.delete(attempt);
      if (trip === undefined) return;
      trip.closed = true;
      trip.redirect?.close(outcome);
      void vault.release(trip.secrets.state);
    },
    stop() {
      // What is kept stays: the browser may yet come back and start the app again.
      for (const trip of trips.values()) trip.closed = true;
      trips.clear();
      for (const callbacks of Object.values(ports.callbacks)) callbacks.stop();
    },
  };

  async function prepare(trip: Trip, request: SignInRequest, expiresAt: number): Promise<OpenRedirect> {
    const redirect = await firstThatWorks(settings.redirects, trip.correlationId);
    if (trip.closed) redirect.close('failed');
    trip.redirect = redirect;
    trip.authorizationUrl = await protocol.authorizationUrl(trip.secrets, redirect.redirectUri, request);
    // A loopback server ends with its process, so only a scheme can bring a callback to the next one.
    if (redirect.kind === 'custom-scheme' && !trip.closed) {
      const { issuer, clientId } = settings;
      void vault.keep({ version: 1, issuer, clientId, ...trip.secrets, redirectUri: redirect.redirectUri, startedAt: clock.now(), expiresAt, correlationId: trip.correlationId });
    }
    return redirect;
  }

  async function firstThatWorks(redirects: readonly RedirectOption[], correlationId: string): Promise<OpenRedirect> {
    const reasons: string[] = [];
    for (const option of redirects) {
      const prepared = await ports.callbacks[option.kind].prepare(option);
      if (prepared.state === 'ready') return prepared.redirect;
      log.write({ level: 'warn', event: 'redirect-unavailable', correlationId, fields: { redirect: option.uri, detail: prepared.detail } });
      reasons.push(`${option.uri}: ${prepared.detail}`);
    }
    throw new AuthError('redirect-unavailable', `no redirect can work here (${reasons.join('; ')})`);
  }

  async function redeem(trip: Trip, callback: URLSearchParams, redirectUri: string): ReturnType<Protocol['redeem']> {
    if (!(await vault.release(trip.secrets.state))) throw new AuthError('sign-in-cancelled', 'another process of this app has taken the callback');
    return protocol.redeem(callback, trip.secrets, redirectUri, trip.correlationId);
  }

  /** Anyone can send a callback. One whose state is not open changes nothing and is told apart in the log, without its values. */
  function receive(url: string): CallbackVerdict {
    const open = [...trips].filter(([, trip]) => trip.redirect !== null);
    const parsed = parseCallback(url, [...open.map(([, trip]) => trip.redirect?.redirectUri ?? ''), ...schemeUris]);
    if (parsed.kind === 'foreign' || parsed.kind === 'malformed') {
      log.write({ level: 'warn', event: `callback-${parsed.kind}`, fields: { detail: parsed.kind === 'malformed' ? parsed.detail : 'leads to no redirect that is open' } });
      return 'foreign';
    }
    const match = open.find(([, trip]) => trip.secrets.state === parsed.state && leadsTo(url, trip.redirect?.redirectUri ?? ''));
    if (match === undefined) {
      void resume(url, parsed.state, parsed.parameters);
      return 'foreign';
    }
    const [attempt, trip] = match;
    if (trip.callback === null) {
      trip.callback = parsed.parameters;
      log.write({ level: 'info', event: 'callback-accepted', correlationId: trip.correlationId, fields: { attempt } });
      events.post(attempt, { type: 'callback' });
    } else {
      log.write({ level: 'info', event: 'callback-repeated', correlationId: trip.correlationId });
    }
    return 'taken';
  }

  /** A callback for an attempt that an earlier process of this app began. */
  async function resume(url: string, state: string, callback: URLSearchParams): Promise<void> {
    const record = await vault.take(state);
    if (record === null || !leadsTo(url, record.redirectUri)) {
      log.write({ level: 'warn', event: 'callback-unexpected', fields: { detail: 'its state is unknown or was used; a tab was reloaded, or an attempt is over' } });
      return;
    }
    const attempt = events.resume(record);
    const { codeVerifier, nonce, redirectUri } = record;
    const redirect: OpenRedirect = { kind: 'custom-scheme', redirectUri, close: () => undefined };
    trips.set(attempt, { secrets: { state, codeVerifier, nonce }, correlationId: events.correlationId(attempt), redirect, authorizationUrl: null, callback, closed: false });
    events.post(attempt, { type: 'callback' });
  }
}
