// The OAuth and OpenID Connect wire: metadata, authorization URL, device code, redeem, renew,
// revoke. With oauth/identification.ts the only importer of the OAuth engine. Keeps no session and
// decides no policy; every failure leaves as an AuthError, judged in error-mapping.ts.
import * as oauth from 'oauth4webapi';
import type { RequestSecrets } from './request-secrets.js';
import { loginHintOf, present, promptOf, resourcesOf } from './authorization-request.js';
import { type BoundedFetch, jsonObject } from './bounded-fetch.js';
import {
  type DeviceAuthorization,
  type PollAnswer,
  passes,
  readDeviceAuthorization,
} from '../authorization/device-polling.js';
import { type ServerMetadata, membersByHand } from './discovery.js';
import { createJwksPrefetch } from './jwks-prefetch.js';
import { AuthError } from '../base/errors.js';
import { personIn } from './id-token.js';
import { toAccount } from './identity.js';
import { fillsTemplate, issuerOfIdToken } from './issuer-template.js';
import { type RequestContext, toAuthErrorAt, mapped, pendingWord } from './error-mapping.js';
import {
  type MetadataMark,
  type Published,
  createMetadataCache,
  freshMsOf,
} from './metadata-cache.js';
import { earliestStart, latestStart, timesOf } from './arrival-times.js';
import { type Exchange, createIdentification } from './identification.js';
import type { Settings } from '../options/options.js';
import {
  assertServerRefused,
  bodyOf,
  readErrorAnswer,
  readTokenAnswer,
  toTokenSet,
} from './token-response.js';
import type { AccountView, AuthErrorCode, SignInRequest } from '../../../contract.js';
import type { Clock, Log, MetadataFile } from '../base/ports.js';
import type { TokenTarget } from '../session/session-state.js';

/**
 * Tokens as the server gave them. `expiresAt` null: the server named no end and gave no refresh
 * token.
 */
export interface TokenSet {
  readonly accessToken: string;
  readonly obtainedAt: number;
  readonly expiresAt: number | null;
  readonly refreshToken: string | null;
  readonly scope: string;
  /** Of a sign-in: the resources that it asked for. */
  readonly resources?: readonly string[];
}

/** Tokens, and whose they are. */
export interface Redeemed {
  readonly tokens: TokenSet;
  readonly account: AccountView;
}

/**
 * Tokens of a renewal, and whom its ID token names. `unsaid`: there was none, as is allowed (OpenID
 * Connect Core §12.2).
 */
export interface Renewed {
  readonly tokens: TokenSet;
  readonly person: 'same' | 'another' | 'unsaid';
}

/** Errors with which the token endpoint itself has spoken, rightly or not. */
const WORDS_OF_A_SERVER: readonly AuthErrorCode[] = [
  'session-ended',
  'sign-in-refused',
  'response-invalid',
];

/**
 * The wire as the engine of the core uses it. Every call is bounded in time and rejects with an
 * `AuthError` only.
 */
export interface OAuthClient {
  /**
   * RFC 6749 §4.1.1 with RFC 7636 §4.3. May fetch metadata, and pushes the request where the server
   * demands it (RFC 9126).
   */
  authorizationUrl(
    secrets: RequestSecrets,
    redirectUri: string,
    request: SignInRequest,
  ): Promise<string>;
  /**
   * RFC 6749 §4.1.3. Posts the code once and never again. Rejects with `sign-in-denied` when the
   * callback says so. `startedAt`: when the authorization URL was made, in milliseconds since 1970;
   * a `max_age` is counted from then on. Default: now.
   */
  redeem(
    callback: URLSearchParams,
    secrets: RequestSecrets,
    redirectUri: string,
    correlationId?: string,
    startedAt?: number,
  ): Promise<Redeemed>;
  /**
   * False when the provider's metadata are known, and name no endpoint for device codes. Asks
   * nobody.
   */
  offersDeviceCode(): boolean;
  /**
   * RFC 8628 §3.1. Rejects with `redirect-unavailable` where the provider has no endpoint for it.
   */
  authorizeDevice(request: SignInRequest): Promise<DeviceAuthorization>;
  /**
   * RFC 8628 §3.4, once. Rejects when there is nothing more to wait for: denied, expired, refused,
   * or tokens that fail a check.
   */
  pollDevice(
    authorization: DeviceAuthorization,
    correlationId?: string,
    startedAt?: number,
  ): Promise<PollAnswer | { readonly state: 'granted'; readonly redeemed: Redeemed }>;
  /** False when `renew` would have to fetch metadata first. */
  isPrepared(): boolean;
  /** Fetches metadata, if that is necessary, so that `renew` is one exchange. */
  prepare(): Promise<void>;
  /**
   * RFC 6749 §6. The answer always holds a refresh token: the old one when the server gave none.
   */
  renew(
    refreshToken: string,
    scope: string,
    account: AccountView,
    target?: TokenTarget | null,
  ): Promise<Renewed>;
  /**
   * The same with a refresh token of nobody knows whom. `identify` asks the provider who it is, as
   * after a sign-in.
   */
  renewLegacy(
    refreshToken: string,
    scope: string,
  ): Promise<{ readonly tokens: TokenSet; readonly identify: () => Promise<AccountView> }>;
  /**
   * Whether the provider itself refused, and no portal or proxy in its name: its metadata or key
   * set arrives unchanged right now. Where there is neither, only a refusal in the words of RFC
   * 6749 §5.2 is the provider's. Never rejects.
   */
  isOwnWord(refusal: AuthError): Promise<boolean>;
  /** RFC 7009. Resolves also where the server offers no revocation. */
  revoke(token: string): Promise<void>;
  /** A record from the keychain vouches for the metadata that an earlier run kept in the file. */
  trustMetadata(mark: MetadataMark): void;
  /**
   * Asks in the background for metadata whose time is over. For when nobody waits for anything: it
   * shares network and processor.
   */
  revalidateMetadata(): void;
  /**
   * Of the metadata in use, for the next record; null while there is none, and for endpoints by
   * hand.
   */
  metadataMark(): MetadataMark | null;
}

export function createOAuthClient(
  settings: Settings,
  boundedFetch: BoundedFetch,
  clock: Clock,
  log: Log,
  file?: MetadataFile,
): OAuthClient {
  // The engine knows only the clock of this computer: whatever is a matter of time is judged in
  // oauth/id-token-times.ts.
  const client: oauth.Client = {
    client_id: settings.clientId,
    token_endpoint_auth_method: 'none',
    [oauth.clockTolerance]: Number.MAX_SAFE_INTEGER,
  };
  const keys = createJwksPrefetch(boundedFetch, clock);
  const usesOpenId = settings.scopes.includes('openid');
  const http = {
    [oauth.customFetch]: boundedFetch,
    [oauth.allowInsecureRequests]: settings.issuer.startsWith('http:'),
  };
  const template = settings.provider?.issuerTemplate ?? null;
  let devicesOffered = true;
  const byHand = settings.endpoints !== null;
  const identification = createIdentification(
    settings,
    { client, http, boundedFetch, keys },
    clock,
    log,
  );
  const metadata = createMetadataCache(
    settings,
    () => discover(settings, http),
    byHand ? undefined : file,
    clock,
    log,
  );

  return {
    authorizationUrl,
    redeem,
    offersDeviceCode: () => devicesOffered,
    authorizeDevice,
    pollDevice,
    isPrepared: () => byHand || metadata.isUsable(),
    prepare: async () => {
      await metadata.usable();
    },
    renew,
    renewLegacy,
    isOwnWord,
    revoke,
    trustMetadata: (mark) => {
      metadata.trust(mark);
    },
    revalidateMetadata: () => {
      metadata.revalidate();
    },
    metadataMark: () => (byHand ? null : metadata.mark()),
  };

  /** Where a person signs in nothing old will do. */
  async function known(): Promise<ServerMetadata> {
    const server = await metadata.fresh();
    devicesOffered = server.device_authorization_endpoint !== undefined;
    return server;
  }

  async function authorizationUrl(
    secrets: RequestSecrets,
    redirectUri: string,
    request: SignInRequest,
  ): Promise<string> {
    const server = await known();
    if (usesOpenId && server.jwks_uri !== undefined) keys.ask(secrets, server.jwks_uri);
    const parameters = present({
      ...settings.authorizationParameters,
      client_id: settings.clientId,
      response_type: 'code',
      redirect_uri: redirectUri,
      scope: settings.scopes.join(' '),
      state: secrets.state,
      code_challenge: await oauth.calculatePKCECodeChallenge(secrets.codeVerifier),
      code_challenge_method: 'S256',
      nonce: usesOpenId ? secrets.nonce : undefined,
      prompt: promptOf(request, settings),
      ...loginHintOf(request, settings),
    });
    parameters.push(...resourcesOf(settings));
    const sent =
      server.pushed_authorization_request_endpoint === undefined
        ? parameters
        : await push(server, parameters);
    const url = new URL(server.authorization_endpoint);
    // What the endpoint's own address says of them must not stand beside ours.
    for (const [name] of sent) url.searchParams.delete(name);
    for (const [name, value] of sent) url.searchParams.append(name, value);
    return url.href;
  }

  /** RFC 9126: the server keeps the request; the browser carries only its name. */
  async function push(
    server: ServerMetadata,
    parameters: [string, string][],
  ): Promise<[string, string][]> {
    return mapped(
      'push',
      async () => {
        const response = await oauth.pushedAuthorizationRequest(
          server,
          client,
          authentication(server),
          new URLSearchParams(parameters),
          http,
        );
        const { request_uri: requestUri } = await oauth.processPushedAuthorizationResponse(
          server,
          client,
          await readErrorAnswer(response),
        );
        return [
          ['client_id', settings.clientId],
          ['request_uri', requestUri],
        ];
      },
      sent(null, false),
    );
  }

  async function redeem(
    callback: URLSearchParams,
    secrets: RequestSecrets,
    redirectUri: string,
    correlationId?: string,
    startedAt = clock.now(),
  ): Promise<Redeemed> {
    const server = await metadata.current();
    const named = issuerNamedBy(callback, server);
    const validated = await mapped(
      'callback',
      async () => oauth.validateAuthResponse(named ?? server, client, callback, secrets.state),
      sent(redirectUri, false),
    );
    const requestedAt = clock.now();
    const response = await mapped('redeem', () =>
      oauth.authorizationCodeGrantRequest(
        server,
        client,
        authentication(server),
        validated,
        redirectUri,
        secrets.codeVerifier,
        http,
      ),
    );
    const times = timesOf(response, requestedAt, clock.now());
    const answer = await readTokenAnswer(response, usesOpenId);
    const filled = await issuerFilledBy(answer, named ?? server);
    const tokenResponse = await mapped(
      'redeem',
      () =>
        oauth.processAuthorizationCodeResponse(
          filled,
          client,
          answer,
          usesOpenId ? { expectedNonce: secrets.nonce, requireIdToken: true } : {},
        ),
      sent(redirectUri, true),
    );
    return receive(
      { server: filled, answer, tokenResponse, times, attempt: secrets, startedAt },
      correlationId,
    );
  }

  async function receive(exchange: Exchange, correlationId?: string): Promise<Redeemed> {
    const { server, tokenResponse, times } = exchange;
    const identity = await identification.ofSignIn(exchange, correlationId);
    const since =
      tokenResponse.refresh_token === undefined
        ? latestStart(times, settings.networkTimeoutSeconds)
        : earliestStart(times);
    const tokens = {
      ...toTokenSet(tokenResponse, since, null, settings.scopes.join(' ')),
      resources: settings.resources,
    };
    return { tokens, account: await toAccount(server.issuer, identity) };
  }

  /**
   * With one address for many issuers `iss` (RFC 9207) names one of them; the ID token must then be
   * of that one.
   */
  function issuerNamedBy(callback: URLSearchParams, server: ServerMetadata): ServerMetadata | null {
    const iss = callback.get('iss');
    return template !== null &&
      server.issuer === template.pattern &&
      iss !== null &&
      fillsTemplate(template, iss)
      ? { ...server, issuer: iss }
      : null;
  }

  /** The server as its ID token must name it, and by which the account is known. */
  async function issuerFilledBy(answer: Response, server: ServerMetadata): Promise<ServerMetadata> {
    if (template === null || server.issuer !== template.pattern) return server;
    if (!usesOpenId) return { ...server, issuer: settings.issuer };
    const idToken = (await bodyOf(answer))?.['id_token'];
    // An answer without ID token, or an error, is the engine's to judge.
    if (typeof idToken !== 'string') return server;
    const issuer = issuerOfIdToken(template, idToken);
    if (issuer === null) throw new AuthError('id-token-invalid', 'ID token: "tid" names no tenant');
    return { ...server, issuer };
  }

  function authentication(server: ServerMetadata): oauth.ClientAuth {
    if (settings.clientSecret === null) return oauth.None();
    const sentBy = settings.provider?.clientSecret.sentBy ?? 'announced';
    const isPosted =
      sentBy === 'post' ||
      (sentBy === 'announced' &&
        server.token_endpoint_auth_methods_supported.includes('client_secret_post'));
    return isPosted
      ? oauth.ClientSecretPost(settings.clientSecret())
      : oauth.ClientSecretBasic(settings.clientSecret());
  }

  /** For advice about a refusal: what this client has sent. */
  function sent(redirectUri: string | null, sentVerifier: boolean): RequestContext {
    return { exchange: { redirectUri, sentVerifier, sentSecret: settings.clientSecret !== null } };
  }

  async function authorizeDevice(request: SignInRequest): Promise<DeviceAuthorization> {
    const server = await known();
    if (server.device_authorization_endpoint === undefined)
      throw new AuthError(
        'redirect-unavailable',
        'the provider names no endpoint for device codes (RFC 8628 §4)',
      );
    // A server ignores what it does not know (RFC 8628 §3.1); prompt and login_hint help where they
    // are known.
    const parameters = present({
      ...settings.authorizationParameters,
      scope: settings.scopes.join(' '),
      prompt: promptOf(request, settings),
      ...loginHintOf(request, settings),
    });
    parameters.push(...resourcesOf(settings));
    return mapped(
      'device',
      async () => {
        const response = await readTokenAnswer(
          await oauth.deviceAuthorizationRequest(
            server,
            client,
            authentication(server),
            new URLSearchParams(parameters),
            http,
          ),
          false,
        );
        const body = await bodyOf(response);
        // The engine judges errors; in a good answer what is shown and opened is checked more
        // strictly.
        if (response.status !== 200 || body === undefined)
          await oauth.processDeviceAuthorizationResponse(server, client, response);
        const authorization = readDeviceAuthorization(
          body ?? {},
          http[oauth.allowInsecureRequests],
        );
        if (usesOpenId && server.jwks_uri !== undefined) keys.ask(authorization, server.jwks_uri);
        return authorization;
      },
      sent(null, false),
    );
  }

  async function pollDevice(
    authorization: DeviceAuthorization,
    correlationId?: string,
    startedAt = clock.now(),
  ): ReturnType<OAuthClient['pollDevice']> {
    let exchange: Exchange;
    try {
      const server = await known();
      const requestedAt = clock.now();
      const response = await oauth.deviceCodeGrantRequest(
        server,
        client,
        authentication(server),
        authorization.deviceCode,
        http,
      );
      const times = timesOf(response, requestedAt, clock.now());
      const answer = await readTokenAnswer(response, usesOpenId);
      const filled = await issuerFilledBy(answer, server);
      exchange = {
        server: filled,
        answer,
        tokenResponse: await oauth.processDeviceCodeResponse(filled, client, answer),
        times,
        attempt: authorization,
        startedAt,
      };
    } catch (thrown) {
      const word = pendingWord(thrown);
      if (word !== null) return { state: word };
      const error = toAuthErrorAt('poll', thrown, sent(null, false));
      if (passes(error)) return { state: 'failed', error };
      throw error;
    }
    // From here on the code is spent: asking again would bring nothing but a refusal.
    return { state: 'granted', redeemed: await receive(exchange, correlationId) };
  }

  async function renew(
    refreshToken: string,
    scope: string,
    account: AccountView,
    target: TokenTarget | null = null,
  ): Promise<Renewed> {
    const server = await metadata.usable();
    try {
      return await renewAt(server, refreshToken, scope, account, target);
    } catch (error) {
      // An endpoint that is remembered from an earlier day may have moved since: then its word does
      // not count.
      const now =
        error instanceof AuthError && WORDS_OF_A_SERVER.includes(error.code)
          ? await metadata.inDoubt(server)
          : null;
      if (now === null || now.token_endpoint === server.token_endpoint) throw error;
      return await renewAt(now, refreshToken, scope, account, target);
    }
  }

  async function renewAt(
    server: ServerMetadata,
    refreshToken: string,
    scope: string,
    account: AccountView,
    target: TokenTarget | null,
  ): Promise<Renewed> {
    const requestedAt = clock.now();
    const additionalParameters = present({
      resource: target?.resource ?? undefined,
      scope: target?.scope ?? undefined,
    });
    return mapped(
      'renew',
      async () => {
        const response = await oauth.refreshTokenGrantRequest(
          server,
          client,
          authentication(server),
          refreshToken,
          { ...http, additionalParameters },
        );
        // A word about another target is none about the session.
        if (target === null)
          await assertServerRefused(response, settings.provider?.endingErrors ?? []);
        // The ID token is looked at apart: nothing that is wrong with it may cost the rotated
        // refresh token.
        const body = await bodyOf(response);
        const tokenResponse = await oauth.processRefreshTokenResponse(
          server,
          client,
          await readTokenAnswer(response, false),
        );
        // Who never asked for one knows the person by another name than its "sub".
        const idToken = usesOpenId ? body?.['id_token'] : undefined;
        return {
          tokens: toTokenSet(
            tokenResponse,
            Math.min(requestedAt, clock.now()),
            refreshToken,
            scope,
          ),
          person: personIn(idToken, account, settings.clientId),
        };
      },
      { ...sent(null, false), endingErrors: settings.provider?.endingErrors ?? [] },
    );
  }

  async function renewLegacy(
    refreshToken: string,
    scope: string,
  ): Promise<{ tokens: TokenSet; identify: () => Promise<AccountView> }> {
    const server = await known();
    const requestedAt = clock.now();
    return mapped(
      'renew',
      async () => {
        const response = await oauth.refreshTokenGrantRequest(
          server,
          client,
          authentication(server),
          refreshToken,
          http,
        );
        const times = timesOf(response, requestedAt, clock.now());
        await assertServerRefused(response, settings.provider?.endingErrors ?? []);
        const whole = await readTokenAnswer(response.clone(), usesOpenId);
        const tokenResponse = await oauth.processRefreshTokenResponse(
          server,
          client,
          await readTokenAnswer(response, false),
        );
        const identify = async (): Promise<AccountView> => {
          const filled = await issuerFilledBy(whole, server);
          return toAccount(
            filled.issuer,
            await identification.ofRenewal(filled, whole, tokenResponse.access_token, times),
          );
        };
        return {
          tokens: toTokenSet(tokenResponse, earliestStart(times), refreshToken, scope),
          identify,
        };
      },
      sent(null, false),
    );
  }

  async function isOwnWord(refusal: AuthError): Promise<boolean> {
    const { endpoints } = settings;
    try {
      if (endpoints === null) await metadata.refresh();
      else if (endpoints.jwks === undefined) return refusal.serverError !== undefined;
      else
        return Array.isArray(
          jsonObject(
            new Uint8Array(
              await (
                await boundedFetch(endpoints.jwks, { method: 'GET', headers: {} })
              ).arrayBuffer(),
            ),
          )?.['keys'],
        );
      return true;
    } catch {
      return false;
    }
  }

  async function revoke(token: string): Promise<void> {
    const server = await metadata.usable();
    if (server.revocation_endpoint === undefined) return;
    await mapped('revoke', async () => {
      await oauth.processRevocationResponse(
        await oauth.revocationRequest(server, client, authentication(server), token, http),
      );
    });
  }
}

async function discover(
  settings: Settings,
  http: oauth.HttpRequestOptions<'GET'>,
): Promise<Published> {
  const { endpoints } = settings;
  if (endpoints !== null)
    return { members: membersByHand({ ...settings, endpoints }), freshMs: Infinity };
  for (const algorithm of ['oidc', 'oauth2'] as const) {
    // A server that has nothing there may send browsers elsewhere; that is no metadata, and the
    // next address may have some.
    const response = await mapped('discovery', () =>
      oauth.discoveryRequest(new URL(settings.issuer), { ...http, algorithm }),
    ).catch((error: unknown) => {
      if (error instanceof AuthError && error.code === 'response-invalid') return null;
      throw error;
    });
    const members =
      response?.status === 200
        ? jsonObject(new Uint8Array(await response.arrayBuffer()))
        : undefined;
    if (response !== null && members !== undefined)
      return { members, freshMs: freshMsOf(response) };
  }
  throw new AuthError(
    'discovery-failed',
    'the issuer publishes no metadata (OpenID Connect Discovery §4, RFC 8414 §3)',
  );
}
