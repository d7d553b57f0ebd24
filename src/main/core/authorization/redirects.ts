// Opens and closes the redirects of an attempt: follows the order of redirects, makes the secrets
// of each redirect, stores what may outlive the process. Each redirect has its own state, verifier
// and nonce: an answer to one cannot be used on another (RFC 9700 §4.4, §4.7).
import type { RedirectKind } from '../../../contract.js';
import type { AuthorizationRequest } from '../oauth/authorization-request.js';
import { type RequestSecrets, createRequestSecrets } from '../oauth/request-secrets.js';
import type { AttemptStore } from '../storage/attempt-store.js';
import type { DeviceAuthorization } from '../oauth/device-authorization.js';
import { AuthError, toAuthError } from '../base/errors.js';
import { leavesOtherRedirects, nextKind, redirectsFrom } from './redirect-order.js';
import { LIMITS } from '../base/limits.js';
import type { Settings } from '../options/auth-options.js';
import type { Ports, RedirectOption, AttemptOutcome } from '../base/ports.js';
import type { BareCode, OAuthClient } from '../oauth/client.js';
import { withTimeout } from '../base/timeout.js';
import type { AttemptRequest, Opener } from './sign-in-request.js';
import { demandIn } from '../options/sign-in-demand.js';

/**
 * The answer comes as a callback with the state of this redirect: by itself, or pasted by the
 * person.
 */
export interface OpenRedirect {
  readonly kind: Exclude<RedirectKind, 'device-code'>;
  readonly secrets: RequestSecrets;
  /** The exact `redirect_uri` (RFC 6749 §4.1.1). */
  readonly redirectUri: string;
  readonly startedAt: number;
  readonly close: (outcome: AttemptOutcome) => void;
  authorizationUrl: string | null;
  answer: Answer | null;
}

/** What came back for one redirect; `malformed` ends the attempt with that reason. */
export type Answer = URLSearchParams | BareCode | { readonly malformed: string };

/** The answer comes to the client that polls with the device code. */
export interface OpenDeviceCode {
  readonly kind: 'device-code';
  readonly startedAt: number;
  readonly authorization: DeviceAuthorization;
}

/** The parts of one open attempt that no state may hold, because states are shown or logged. */
export interface AttemptContext {
  readonly request: AttemptRequest;
  readonly correlationId: string;
  readonly opener: Opener | null;
  readonly redirects: Map<number, OpenRedirect | OpenDeviceCode>;
  /** Where the search for the next redirect begins in the order of redirects. */
  position: number;
  lastId: number;
  closed: boolean;
}

export interface Redirects {
  /**
   * Opens the first entry that works here, from the attempt's position on; resolves with its id.
   * Rejects with the reasons when no entry works.
   */
  openNext(context: AttemptContext, expiresAt: number): Promise<number>;
  /** What could be opened in addition, as far as that is known without a try. */
  nextOf(context: AttemptContext): RedirectKind | null;
  /**
   * The page to open once more. A pushed request is pushed again, because some servers accept its
   * `request_uri` only once (RFC 9126 §2.2).
   */
  pageOf(context: AttemptContext, redirect: OpenRedirect | OpenDeviceCode): Promise<string | null>;
  /** Keeps the stored parts of the attempt until `expiresAt`. */
  extend(context: AttemptContext, expiresAt: number): void;
  /** Forgets the secrets at once; the redirect shows the outcome. Idempotent. */
  close(context: AttemptContext, id: number, outcome: AttemptOutcome): void;
}

export function createAttemptContext(
  request: AttemptRequest,
  correlationId: string,
  opener: Opener | null,
): AttemptContext {
  const nothingOpen = { redirects: new Map(), position: 0, lastId: 0, closed: false };
  return { request, correlationId, opener, ...nothingOpen };
}

export function createRedirects(
  settings: Settings,
  ports: Pick<Ports, 'callbacks' | 'clock' | 'log'>,
  client: OAuthClient,
  attemptStore: AttemptStore,
  isSignedOut: () => Promise<boolean>,
): Redirects {
  const { clock, log } = ports;
  const { redirects, issuer, clientId } = settings;

  return {
    async openNext(context, expiresAt) {
      const reasons: string[] = [];
      let failure: AuthError | null = null;
      for (const { position, option } of redirectsFrom(
        redirects,
        context.position,
        openKinds(context),
      )) {
        try {
          const id = await open(context, option, expiresAt);
          context.position = position + 1;
          return id;
        } catch (thrown) {
          const error = toAuthError(thrown);
          if (context.closed || !leavesOtherRedirects(error)) throw error;
          context.position = position + 1;
          log.write({
            level: 'warn',
            event: 'redirect-unavailable',
            correlationId: context.correlationId,
            fields: { redirect: option.uri, code: error.code, detail: error.message },
          });
          reasons.push(`${option.uri}: ${error.message}`);
          // An error from the provider says more than a port that is in use.
          if (error.code !== 'redirect-unavailable') failure = error;
        }
      }
      throw (
        failure ??
        new AuthError('redirect-unavailable', `no redirect works here (${reasons.join('; ')})`)
      );
    },

    nextOf: (context) =>
      nextKind(redirects, context.position, openKinds(context), client.offersDeviceCode()),

    async pageOf(context, redirect) {
      if (redirect.kind === 'device-code')
        return (
          redirect.authorization.view.verificationUriComplete ??
          redirect.authorization.view.verificationUri
        );
      try {
        return await client.authorizationUrl(
          redirect.secrets,
          redirect.redirectUri,
          await requestOf(context),
        );
      } catch (thrown) {
        log.write({
          level: 'info',
          event: 'reopen-with-old-page',
          correlationId: context.correlationId,
          fields: { code: toAuthError(thrown).code },
        });
        return redirect.authorizationUrl;
      }
    },

    extend(context, expiresAt) {
      for (const redirect of context.redirects.values())
        if (redirect.kind === 'custom-scheme') void keep(context, redirect, expiresAt);
    },

    close,
  };

  async function open(
    context: AttemptContext,
    option: RedirectOption,
    expiresAt: number,
  ): Promise<number> {
    const id = context.lastId + 1;
    context.lastId = id;
    if (option.kind === 'device-code') {
      const startedAt = clock.now();
      context.redirects.set(id, {
        kind: option.kind,
        startedAt,
        authorization: await client.authorizeDevice(await requestOf(context)),
      });
      if (context.closed) close(context, id, 'failed');
      return id;
    }
    const redirect: OpenRedirect = {
      ...(await redirectOf(option)),
      secrets: createRequestSecrets(),
      startedAt: clock.now(),
      authorizationUrl: null,
      answer: null,
    };
    context.redirects.set(id, redirect);
    try {
      if (context.closed) throw new AuthError('sign-in-cancelled', 'the sign-in was cancelled');
      // A loopback server ends with its process, so only a custom scheme can bring a callback to
      // the next process.
      const kept =
        redirect.kind === 'custom-scheme'
          ? withTimeout(clock, keep(context, redirect, expiresAt), LIMITS.keepBeforeBrowserMs)
          : null;
      redirect.authorizationUrl = await client.authorizationUrl(
        redirect.secrets,
        redirect.redirectUri,
        await requestOf(context),
      );
      await kept;
      return id;
    } catch (thrown) {
      close(context, id, 'failed');
      throw thrown;
    }
  }

  async function requestOf({ request }: AttemptContext): Promise<AuthorizationRequest> {
    return { ...request, afterSignOut: await isSignedOut() };
  }

  async function redirectOf(
    option: Exclude<RedirectOption, { kind: 'device-code' }>,
  ): Promise<Pick<OpenRedirect, 'kind' | 'redirectUri' | 'close'>> {
    if (option.kind === 'paste')
      return { kind: option.kind, redirectUri: option.redirectUri, close: () => undefined };
    const prepared = await ports.callbacks[option.kind].prepare(option);
    if (prepared.state === 'unavailable')
      throw new AuthError('redirect-unavailable', prepared.detail);
    const { redirect } = prepared;
    return {
      kind: redirect.kind,
      redirectUri: redirect.redirectUri,
      close: (outcome) => {
        redirect.close(outcome);
      },
    };
  }

  async function keep(
    { correlationId, request }: AttemptContext,
    redirect: OpenRedirect,
    expiresAt: number,
  ): Promise<void> {
    const demand = demandIn(request);
    await attemptStore.keep({
      version: 1,
      issuer,
      clientId,
      ...redirect.secrets,
      redirectUri: redirect.redirectUri,
      startedAt: redirect.startedAt,
      expiresAt,
      correlationId,
      ...(demand === undefined ? {} : { demand }),
    });
  }

  function close(context: AttemptContext, id: number, outcome: AttemptOutcome): void {
    const redirect = context.redirects.get(id);
    context.redirects.delete(id);
    if (redirect === undefined || redirect.kind === 'device-code') return;
    redirect.close(outcome);
    void attemptStore.release(redirect.secrets.state);
  }
}

function openKinds(context: AttemptContext): readonly RedirectKind[] {
  return [...context.redirects.values()].map(({ kind }) => kind);
}
