// The OAuth and OpenID Connect client: metadata, authorization URL, device code, code exchange,
// renewal, revocation. Only this file and identification.ts may import the OAuth library. Keeps no
// session and decides no policy; error-mapping.ts turns every failure into an AuthError.
import * as oauth from 'oauth4webapi';
import type { RequestSecrets } from './request-secrets.js';
import {
  type AuthorizationRequest,
  demandsOf,
  loginHintOf,
  present,
  promptOf,
  redeemedClaims,
  resourcesOf,
  scopeOf,
  tokenClaims,
  withQuery,
} from './authorization-request.js';
import { LIMITS } from '../base/limits.js';
import { type BoundedFetch, jsonObject } from './bounded-fetch.js';
import {
  type DeviceAuthorization,
  type PollAnswer,
  passes,
  readDeviceAuthorization,
} from './device-authorization.js';
import { type ServerMetadata, documentOf, membersByHand, pastedAddress } from './discovery.js';
import { evidenceOf, note } from '../base/evidence.js';
import { createJwksPrefetch } from './jwks-prefetch.js';
import { AuthError } from '../base/errors.js';
import { personIn, issuerOfIdToken } from './id-token.js';
import { toAccount } from './identity.js';
import { fillsTemplate } from '../options/issuer-template.js';
import { type RequestContext, toAuthErrorAt, mapped, pendingWord } from './error-mapping.js';
import { type Published, createMetadataCache, freshMsOf } from './metadata-cache.js';
import type { MetadataMark, Clock, Log, MetadataFile } from '../base/ports.js';
import { earliestStart, latestStart, timesOf } from './arrival-times.js';
import { type Exchange, createIdentification } from './identification.js';
import type { Settings } from '../options/auth-options.js';
import {
  assertServerRefused,
  bodyOf,
  readErrorAnswer,
  readTokenAnswer,
  toTokenSet,
} from './token-response.js';
import type { AccountView, AuthErrorCode } from '../../../contract.js';
import type { PersonFacts, TokenTarget, TokenSet } from '../base/tokens.js';
import type { SignInDemand } from '../options/sign-in-demand.js';

/** Tokens, and the account that they belong to. */
export interface Redeemed {
  readonly tokens: TokenSet;
  readonly account: AccountView;
}

/** An account, and what else the provider says about the person. */
export interface Named extends PersonFacts {
  readonly account: AccountView;
}

/**
 * Tokens of a renewal, and whether its ID token names the same person. `unsaid`: there was no ID
 * token, which OpenID Connect Core §12.2 allows.
 */
export interface Renewed {
  readonly tokens: TokenSet;
  readonly person: 'same' | 'another' | 'unsaid';
}

/**
 * What a page to paste from shows. It comes without `iss`, so RFC 9207 §2.4 cannot be followed; the
 * app asks only one issuer.
 */
export interface BareCode {
  readonly bareCode: string;
}

/** Errors that come from the answer of the token endpoint itself, right or wrong. */
const WORDS_OF_A_SERVER: readonly AuthErrorCode[] = [
  'session-ended',
  'sign-in-refused',
  'response-invalid',
];

/** What a server that answers can say to a pushed request. */
const PUSH_REFUSALS: readonly AuthErrorCode[] = [
  'sign-in-refused',
  'response-invalid',
  'server-unavailable',
];

/**
 * The calls to the provider. Every call has a time limit and rejects with an `AuthError` only.
 */
export interface OAuthClient {
  /**
   * RFC 6749 §4.1.1 with RFC 7636 §4.3. May fetch metadata. Pushes the request (RFC 9126) if the
   * server requires that, and where it is offered, if the URL would be longer than
   * `LIMITS.openedUrlLength`. A refused push that nobody requires leaves the long URL.
   */
  authorizationUrl(
    secrets: RequestSecrets,
    redirectUri: string,
    request: AuthorizationRequest,
  ): Promise<string>;
  /**
   * RFC 6749 §4.1.3. Sends the code only once. Rejects with `sign-in-denied` when the callback says
   * so, and when another account signed in than `demand` names. `startedAt`: when the authorization
   * URL was made, in milliseconds since 1970; `max_age` counts from then on. Default: now. `demand`:
   * what that URL asked for.
   */
  redeem(
    callback: URLSearchParams | BareCode,
    secrets: RequestSecrets,
    redirectUri: string,
    correlationId?: string,
    startedAt?: number,
    demand?: SignInDemand,
  ): Promise<Redeemed>;
  /**
   * False when the provider's metadata is known and names no device authorization endpoint. Sends
   * nothing.
   */
  offersDeviceCode(): boolean;
  /**
   * RFC 8628 §3.1. Rejects with `redirect-unavailable` if the provider has no endpoint for it.
   */
  authorizeDevice(request: AuthorizationRequest): Promise<DeviceAuthorization>;
  /**
   * Polls once (RFC 8628 §3.4). Rejects when waiting makes no sense any more: denied, expired,
   * refused, or tokens that fail a check.
   */
  pollDevice(
    authorization: DeviceAuthorization,
    correlationId?: string,
    startedAt?: number,
    demand?: SignInDemand,
  ): Promise<PollAnswer | { readonly state: 'granted'; readonly redeemed: Redeemed }>;
  /** False when `renew` would have to fetch metadata first. */
  isPrepared(): boolean;
  /** Fetches metadata if necessary, so that `renew` needs only one exchange. */
  prepare(): Promise<void>;
  /**
   * RFC 6749 §6. The result always has a refresh token: the old one if the server sent none.
   */
  renew(
    refreshToken: string,
    scope: string,
    account: AccountView,
    target?: TokenTarget | null,
  ): Promise<Renewed>;
  /**
   * The same with a refresh token whose account is unknown. `identify` asks the provider who it is,
   * as after a sign-in.
   */
  renewLegacy(
    refreshToken: string,
    scope: string,
  ): Promise<{ readonly tokens: TokenSet; readonly identify: () => Promise<Named> }>;
  /**
   * True when the provider itself refused, and not a portal or proxy in its place: its metadata or
   * key set arrives unchanged right now. If it has neither, only a refusal with an error code of
   * RFC 6749 §5.2 counts as the provider's. Never rejects.
   */
  isOwnWord(refusal: AuthError): Promise<boolean>;
  /** RFC 7009. Also resolves if the server offers no revocation. */
  revoke(token: string): Promise<void>;
  /**
   * RP-Initiated Logout 1.0 §2. Null: the provider names none, also in metadata that is fetched for
   * this call.
   */
  endSessionEndpoint(): Promise<string | null>;
  /** A record from the keychain vouches for the metadata that an earlier run wrote to the file. */
  trustMetadata(mark: MetadataMark): void;
  /**
   * Fetches metadata in the background if it is no longer fresh. Call it when nobody waits for
   * anything, because it shares network and processor.
   */
  revalidateMetadata(): void;
  /**
   * Identifies the metadata in use, for the next record. Null while there is none, and when the
   * host gives the endpoints.
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
  // The OAuth library knows only the clock of this computer, so oauth/id-token-times.ts checks all
  // times.
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
    endSessionEndpoint: async () =>
      (await metadata.usable()).end_session_endpoint ??
      // Metadata that an earlier build has kept is without this member.
      (byHand ? null : ((await metadata.refresh()).end_session_endpoint ?? null)),
    trustMetadata: (mark) => {
      metadata.trust(mark);
    },
    revalidateMetadata: () => {
      metadata.revalidate();
    },
    metadataMark: () => (byHand ? null : metadata.mark()),
  };

  /** A sign-in needs fresh metadata. */
  async function known(): Promise<ServerMetadata> {
    const server = await metadata.fresh();
    devicesOffered = server.device_authorization_endpoint !== undefined;
    return server;
  }

  async function authorizationUrl(
    secrets: RequestSecrets,
    redirectUri: string,
    request: AuthorizationRequest,
  ): Promise<string> {
    const server = await known();
    if (usesOpenId && server.jwks_uri !== undefined) keys.ask(secrets, server.jwks_uri);
    const parameters = present({
      ...settings.authorizationParameters,
      client_id: settings.clientId,
      response_type: 'code',
      redirect_uri: redirectUri,
      scope: scopeOf(request, settings),
      state: secrets.state,
      code_challenge: await oauth.calculatePKCECodeChallenge(secrets.codeVerifier),
      code_challenge_method: 'S256',
      nonce: usesOpenId ? secrets.nonce : undefined,
      prompt: promptOf(request, settings, server.prompt_values_supported),
      ...loginHintOf(request, settings),
      ...demandsOf(request, settings),
    });
    parameters.push(...resourcesOf(settings));
    const whole = withQuery(server.authorization_endpoint, parameters);
    const mustPush = server.require_pushed_authorization_requests;
    const isLong = whole.length > LIMITS.openedUrlLength;
    if (!mustPush && (!isLong || server.pushed_authorization_request_endpoint === undefined))
      return whole;
    try {
      return withQuery(server.authorization_endpoint, await push(server, parameters));
    } catch (error) {
      // Some servers accept pushed requests of certain clients only, or fail at those of others.
      const isAnswer = error instanceof AuthError && PUSH_REFUSALS.includes(error.code);
      if (mustPush || !isAnswer) throw error;
      const { code, serverError = null } = error;
      log.write({ level: 'info', event: 'push-refused', fields: { code, serverError } });
      return whole;
    }
  }

  /** RFC 9126: the server keeps the request; the browser carries only the `request_uri`. */
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
        const answer = await readErrorAnswer(response);
        const requestUri = answer.ok ? (await bodyOf(answer))?.['request_uri'] : undefined;
        // The library handles errors. For a good answer it is too strict: the URI is used at once, so
        // nothing depends on its lifetime, or on 201 instead of 200.
        if (typeof requestUri !== 'string' || !/^[\x21-\x7e]{1,2048}$/.test(requestUri)) {
          await oauth.processPushedAuthorizationResponse(server, client, answer);
          throw new AuthError('response-invalid', 'the pushed request got no usable "request_uri"');
        }
        return [
          ['client_id', settings.clientId],
          ['request_uri', requestUri],
        ];
      },
      sent(null, false, server.pushed_authorization_request_endpoint),
    );
  }

  async function redeem(
    answered: URLSearchParams | BareCode,
    secrets: RequestSecrets,
    redirectUri: string,
    correlationId?: string,
    startedAt = clock.now(),
    demand: SignInDemand = {},
  ): Promise<Redeemed> {
    const server = await metadata.current();
    // The issuer of the metadata, which may differ from the option: Entra's `common` names none.
    const callback =
      answered instanceof URLSearchParams
        ? answered
        : new URLSearchParams({
            code: answered.bareCode,
            state: secrets.state,
            iss: server.issuer,
          });
    const named = issuerNamedBy(callback, server);
    const validated = await mapped(
      'callback',
      async () => oauth.validateAuthResponse(named ?? server, client, callback, secrets.state),
      sent(redirectUri, false, server.authorization_endpoint),
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
        withClaims(redeemedClaims(demand, settings)),
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
      sent(redirectUri, true, server.token_endpoint),
    );
    return receive(
      { server: filled, answer, tokenResponse, times, attempt: secrets, startedAt, demand },
      correlationId,
    );
  }

  async function receive(exchange: Exchange, correlationId?: string): Promise<Redeemed> {
    const { server, tokenResponse, times, demand = {} } = exchange;
    const { identity, facts } = await identification.ofSignIn(exchange, correlationId);
    const since =
      tokenResponse.refresh_token === undefined
        ? latestStart(times, settings.networkTimeoutSeconds)
        : earliestStart(times);
    const tokens = {
      ...toTokenSet(tokenResponse, since, null, scopeOf(demand, settings)),
      resources: settings.resources,
      ...facts,
    };
    const account = await toAccount(server.issuer, identity);
    if (demand.account !== undefined && demand.account !== account.id)
      throw new AuthError(
        'sign-in-denied',
        'another account has signed in than the one that was asked for',
      );
    return { tokens, account };
  }

  /**
   * If one address serves many issuers, `iss` (RFC 9207) names one of them. The ID token must then
   * come from that issuer.
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

  /** The server with the issuer that its ID token must name; the account id is made from it. */
  async function issuerFilledBy(answer: Response, server: ServerMetadata): Promise<ServerMetadata> {
    if (template === null || server.issuer !== template.pattern) return server;
    if (!usesOpenId) return { ...server, issuer: settings.issuer };
    const idToken = (await bodyOf(answer))?.['id_token'];
    // The OAuth library handles an error, and an answer without an ID token.
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

  /** What this client has sent, for advice about a refusal. */
  function sent(redirectUri: string | null, sentVerifier: boolean, url?: string): RequestContext {
    const sentSecret = settings.clientSecret !== null;
    return { exchange: { redirectUri, sentVerifier, sentSecret }, url };
  }

  async function authorizeDevice(request: AuthorizationRequest): Promise<DeviceAuthorization> {
    const server = await known();
    if (server.device_authorization_endpoint === undefined)
      throw new AuthError(
        'redirect-unavailable',
        'the provider names no endpoint for device codes (RFC 8628 §4)',
      );
    // A server ignores parameters that it does not know (RFC 8628 §3.1). prompt and login_hint help
    // where they are known.
    const parameters = present({
      ...settings.authorizationParameters,
      scope: scopeOf(request, settings),
      prompt: promptOf(request, settings, server.prompt_values_supported),
      ...loginHintOf(request, settings),
      ...demandsOf(request, settings),
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
        // The OAuth library handles errors. In a good answer, the values that are shown or opened
        // need a stricter check.
        if (response.status !== 200 || body === undefined)
          await oauth.processDeviceAuthorizationResponse(server, client, response);
        const authorization = readDeviceAuthorization(
          body ?? {},
          http[oauth.allowInsecureRequests],
        );
        if (usesOpenId && server.jwks_uri !== undefined) keys.ask(authorization, server.jwks_uri);
        return authorization;
      },
      sent(null, false, server.device_authorization_endpoint),
    );
  }

  async function pollDevice(
    authorization: DeviceAuthorization,
    correlationId?: string,
    startedAt = clock.now(),
    demand: SignInDemand = {},
  ): ReturnType<OAuthClient['pollDevice']> {
    let exchange: Exchange;
    let url: string | undefined;
    try {
      const server = await known();
      url = server.token_endpoint;
      const requestedAt = clock.now();
      const response = await oauth.deviceCodeGrantRequest(
        server,
        client,
        authentication(server),
        authorization.deviceCode,
        withClaims(redeemedClaims(demand, settings)),
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
        demand,
      };
    } catch (thrown) {
      const word = pendingWord(thrown);
      if (word !== null) return { state: word };
      const error = toAuthErrorAt('poll', thrown, sent(null, false, url));
      if (passes(error)) return { state: 'failed', error };
      throw error;
    }
    // From here on the code is used up: the server would refuse another poll.
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
      // An endpoint from old metadata may have moved since. Then its answer does not count.
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
      claims: tokenClaims(target?.claims, settings),
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
        const times = timesOf(response, requestedAt, clock.now());
        // A refusal for another target says nothing about the session.
        if (target === null)
          await assertServerRefused(response, settings.provider?.endingErrors ?? []);
        // The ID token is checked separately: a mistake in it must not lose the rotated refresh
        // token.
        const body = await bodyOf(response);
        const tokenResponse = await oauth.processRefreshTokenResponse(
          server,
          client,
          await readTokenAnswer(response, false),
        );
        // Without `openid` the account does not come from an ID token, so its "sub" may differ.
        const idToken = usesOpenId ? body?.['id_token'] : undefined;
        const tokens = toTokenSet(
          tokenResponse,
          Math.min(requestedAt, clock.now()),
          refreshToken,
          scope,
        );
        const person = personIn(idToken, account, settings.clientId);
        const named = person === 'same' && typeof idToken === 'string' ? idToken : null;
        return { tokens: { ...tokens, ...identification.factsIn(named, times) }, person };
      },
      { ...sent(null, false), endingErrors: settings.provider?.endingErrors ?? [] },
    );
  }

  async function renewLegacy(
    refreshToken: string,
    scope: string,
  ): Promise<{ tokens: TokenSet; identify: () => Promise<Named> }> {
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
          withClaims(tokenClaims(null, settings)),
        );
        const times = timesOf(response, requestedAt, clock.now());
        await assertServerRefused(response, settings.provider?.endingErrors ?? []);
        const whole = await readTokenAnswer(response.clone(), usesOpenId);
        const tokenResponse = await oauth.processRefreshTokenResponse(
          server,
          client,
          await readTokenAnswer(response, false),
        );
        const identify = async (): Promise<Named> => {
          const filled = await issuerFilledBy(whole, server);
          const { identity, facts } = await identification.ofRenewal(
            filled,
            whole,
            tokenResponse.access_token,
            times,
          );
          return { account: await toAccount(filled.issuer, identity), ...facts };
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

  function withClaims(claims: string | undefined): oauth.TokenEndpointRequestOptions {
    return { ...http, additionalParameters: present({ claims }) };
  }

  async function revoke(token: string): Promise<void> {
    const server = await metadata.usable();
    if (server.revocation_endpoint === undefined) return;
    await mapped('revoke', async () => {
      const response = await oauth.revocationRequest(
        server,
        client,
        authentication(server),
        token,
        http,
      );
      // RFC 7009 §2.2: the body means nothing. But a page is from somebody who stands in between.
      const isPage = response.headers.get('content-type')?.includes('html') === true;
      if (response.ok && (!isPage || (await response.clone().text()).trim() === '')) return;
      if (response.ok)
        throw new AuthError('response-invalid', 'the revocation endpoint answered with a page');
      await oauth.processRevocationResponse(response);
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
  let status: number | undefined;
  for (const algorithm of ['oidc', 'oauth2'] as const) {
    // A server without metadata at this address may redirect elsewhere. That is not an answer, and
    // the next address may have metadata.
    const response = await mapped('discovery', () =>
      oauth.discoveryRequest(new URL(settings.issuer), { ...http, algorithm }),
    ).catch((error: unknown) => {
      if (!(error instanceof AuthError) || error.code !== 'response-invalid') throw error;
      status ??= evidenceOf(error).status;
      return null;
    });
    status ??= response?.status;
    const members =
      response?.status === 200
        ? jsonObject(new Uint8Array(await response.arrayBuffer()))
        : undefined;
    if (response !== null && members !== undefined)
      return { members, freshMs: freshMsOf(response) };
  }
  const error = new AuthError(
    'discovery-failed',
    `the issuer publishes no metadata (OpenID Connect Discovery §4, RFC 8414 §3)${pastedAddress(settings.issuer)}`,
  );
  throw note(error, { asked: 'discovery document', url: documentOf(settings.issuer), status });
}
