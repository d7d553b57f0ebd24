// The OAuth and OpenID Connect wire: metadata, authorization URL, redeem, renew, revoke. The only importer of the OAuth engine.
// Keeps no session and decides no policy; every failure leaves as an AuthError, judged in judgement.ts.
import * as oauth from 'oauth4webapi';
import { type BoundedFetch, jsonObject, serverDate } from './bounded-fetch.js';
import { type ServerMetadata, checkMetadata, metadataByHand } from './discovery.js';
import { AuthError, toAuthError } from './errors.js';
import { assertRemainingClaims, personIn } from './id-token.js';
import { ANONYMOUS, mergeIdentity, readClaims, readIdentity, toAccount } from './identity.js';
import { type ExchangeStep, judge } from './judgement.js';
import { type Identity, LIMITS, type Settings } from './options.js';
import { lifetimeSeconds } from './renewal.js';
import type { AccountView, SignInRequest } from '../../contract.js';
import type { Clock, Log } from './ports.js';

/** What an attempt must keep secret until it is redeemed (RFC 7636 §4.1, RFC 6749 §10.12, OpenID Connect Core §15.5.2). */
export interface AttemptSecrets {
  readonly state: string;
  readonly codeVerifier: string;
  readonly nonce: string;
}

/** Tokens as the server gave them. `expiresAt` null: the server named no end and gave no refresh token. */
export interface Grant {
  readonly accessToken: string;
  readonly obtainedAt: number;
  readonly expiresAt: number | null;
  readonly refreshToken: string | null;
  readonly scope: string;
}

/** Tokens of a renewal, and whom its ID token names. `unsaid`: there was none, as is allowed (OpenID Connect Core §12.2). */
export interface Renewed {
  readonly grant: Grant;
  readonly person: 'same' | 'another' | 'unsaid';
}

/** The wire as the engine of the core uses it. Every call is bounded in time and rejects with an `AuthError` only. */
export interface Protocol {
  /** Fresh secrets of 256 bits each. */
  createSecrets(): AttemptSecrets;
  /** RFC 6749 §4.1.1 with RFC 7636 §4.3. May fetch metadata, and pushes the request where the server demands it (RFC 9126). */
  authorizationUrl(secrets: AttemptSecrets, redirectUri: string, request: SignInRequest): Promise<string>;
  /** RFC 6749 §4.1.3. Posts the code once and never again. Rejects with `sign-in-denied` when the callback says so. */
  redeem(callback: URLSearchParams, secrets: AttemptSecrets, redirectUri: string, correlationId?: string): Promise<{ readonly grant: Grant; readonly account: AccountView }>;
  /** False when `renew` would have to fetch metadata first. */
  isPrepared(): boolean;
  /** Fetches metadata, if that is necessary, so that `renew` is one exchange. */
  prepare(): Promise<void>;
  /** RFC 6749 §6. The answer always holds a refresh token: the old one when the server gave none. */
  renew(refreshToken: string, scope: string, account: AccountView): Promise<Renewed>;
  /** The same with a refresh token of nobody knows whom. `identify` asks the provider who it is, as after a sign-in. */
  renewEarlier(refreshToken: string, scope: string): Promise<{ readonly grant: Grant; readonly identify: () => Promise<AccountView> }>;
  /**
   * Whether the provider itself refused, and no portal or proxy in its name: its metadata or key set arrives unchanged
   * right now. Where there is neither, only a refusal in the words of RFC 6749 §5.2 is the provider's. Never rejects.
   */
  isOwnWord(refusal: AuthError): Promise<boolean>;
  /** RFC 7009. Resolves also where the server offers no revocation. */
  revoke(token: string): Promise<void>;
}

export function createProtocol(settings: Settings, boundedFetch: BoundedFetch, clock: Clock, log: Log): Protocol {
  const client: oauth.Client = { client_id: settings.clientId, token_endpoint_auth_method: 'none', [oauth.clockTolerance]: LIMITS.clockToleranceSeconds };
  // Tokens are dated by the server's clock: with it they are judged, however wrong the clock of this computer is.
  const fetch: BoundedFetch = async (url, init) => {
    const response = await boundedFetch(url, init);
    const date = serverDate(response);
    if (date !== undefined) client[oauth.clockSkew] = Math.round((date - clock.now()) / 1000);
    return response;
  };
  const usesOpenId = settings.scopes.includes('openid');
  const http = { [oauth.customFetch]: fetch, [oauth.allowInsecureRequests]: settings.issuer.startsWith('http:') };
  const clientAuthentication = oauth.None();
  const known = createMetadataCache(() => discover(settings, http), clock);

  return { createSecrets, authorizationUrl, redeem, isPrepared: () => settings.endpoints !== null || known.isFresh(), prepare, renew, renewEarlier, isOwnWord, revoke };

  async function authorizationUrl(secrets: AttemptSecrets, redirectUri: string, request: SignInRequest): Promise<string> {
    const server = await known();
    const parameters: Record<string, string | undefined> = {
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
      login_hint: request.loginHint ?? settings.authorizationParameters['login_hint'],
    };
    const given = Object.entries(parameters).filter((entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== '');
    const sent = server.pushed_authorization_request_endpoint === undefined ? given : await push(server, given);
    const url = new URL(server.authorization_endpoint);
    for (const [name, value] of sent) url.searchParams.set(name, value);
    return url.href;
  }

  /** RFC 9126: the server keeps the request; the browser carries only its name. */
  async function push(server: ServerMetadata, parameters: readonly [string, string][]): Promise<[string, string][]> {
    return stepAsync('push', async () => {
      const response = await oauth.pushedAuthorizationRequest(server, client, clientAuthentication, new URLSearchParams([...parameters]), http);
      const { request_uri: requestUri } = await oauth.processPushedAuthorizationResponse(server, client, response);
      return [['client_id', settings.clientId], ['request_uri', requestUri]];
    });
  }

  async function redeem(callback: URLSearchParams, secrets: AttemptSecrets, redirectUri: string, correlationId?: string): Promise<{ grant: Grant; account: AccountView }> {
    const server = await known();
    const requestedAt = clock.now();
    const validated = step('callback', () => oauth.validateAuthResponse(server, client, callback, secrets.state));
    const answer = await stepAsync('redeem', async () => {
      const response = await oauth.authorizationCodeGrantRequest(server, client, clientAuthentication, validated, redirectUri, secrets.codeVerifier, http);
      return readTokenAnswer(response, usesOpenId);
    });
    const tokens = await stepAsync('redeem', () =>
      oauth.processAuthorizationCodeResponse(server, client, answer, usesOpenId ? { expectedNonce: secrets.nonce, requireIdToken: true } : {}),
    );
    const identity = usesOpenId ? await identifyByIdToken(server, answer, tokens, correlationId) : await identifyByHand(server, tokens.access_token, correlationId);
    return { grant: toGrant(tokens, requestedAt, null, settings.scopes.join(' ')), account: await toAccount(settings.issuer, identity) };
  }

  async function prepare(): Promise<void> {
    await known();
  }

  async function renew(refreshToken: string, scope: string, account: AccountView): Promise<Renewed> {
    const server = await known();
    const requestedAt = clock.now();
    return stepAsync('renew', async () => {
      const response = await oauth.refreshTokenGrantRequest(server, client, clientAuthentication, refreshToken, http);
      // The ID token is looked at apart: nothing that is wrong with it may cost the rotated refresh token.
      const body = jsonObject(new Uint8Array(await response.clone().arrayBuffer()));
      const tokens = await oauth.processRefreshTokenResponse(server, client, await readTokenAnswer(response, false));
      return { grant: toGrant(tokens, requestedAt, refreshToken, scope), person: personIn(body?.['id_token'], account) };
    });
  }

  async function renewEarlier(refreshToken: string, scope: string): Promise<{ grant: Grant; identify: () => Promise<AccountView> }> {
    const server = await known();
    const requestedAt = clock.now();
    return stepAsync('renew', async () => {
      const response = await oauth.refreshTokenGrantRequest(server, client, clientAuthentication, refreshToken, http);
      const whole = await readTokenAnswer(response.clone(), usesOpenId);
      const tokens = await oauth.processRefreshTokenResponse(server, client, await readTokenAnswer(response, false));
      return { grant: toGrant(tokens, requestedAt, refreshToken, scope), identify: async () => toAccount(settings.issuer, await identifyRenewed(server, whole, tokens.access_token)) };
    });
  }

  /** OpenID Connect Core §12.2: a renewal may bring an ID token, or none; then userinfo is the provider's word. */
  async function identifyRenewed(server: ServerMetadata, answer: Response, accessToken: string): Promise<Identity> {
    if (typeof jsonObject(new Uint8Array(await answer.clone().arrayBuffer()))?.['id_token'] === 'string') {
      return identifyByIdToken(server, answer, await stepAsync('id-token', () => oauth.processRefreshTokenResponse(server, client, answer)));
    }
    const identity = await identifyByHand(server, accessToken);
    if (usesOpenId && identity === ANONYMOUS) throw new AuthError('id-token-invalid', 'neither an ID token nor userinfo says who it is');
    return identity;
  }

  async function isOwnWord(refusal: AuthError): Promise<boolean> {
    const { endpoints } = settings;
    try {
      if (endpoints === null) await discover(settings, http);
      else if (endpoints.jwks === undefined) return refusal.serverError !== undefined;
      else return Array.isArray(jsonObject(new Uint8Array(await (await fetch(endpoints.jwks, { method: 'GET', headers: {} })).arrayBuffer()))?.['keys']);
      return true;
    } catch {
      return false;
    }
  }

  async function revoke(token: string): Promise<void> {
    const server = await known();
    if (server.revocation_endpoint === undefined) return;
    await stepAsync('revoke', async () => {
      await oauth.processRevocationResponse(await oauth.revocationRequest(server, client, clientAuthentication, token, http));
    });
  }

  async function identifyByIdToken(server: ServerMetadata, answer: Response, tokens: oauth.TokenEndpointResponse, correlationId?: string): Promise<Identity> {
    const claims = oauth.getValidatedIdTokenClaims(tokens);
    if (claims === undefined || tokens.id_token === undefined) throw new AuthError('id-token-invalid', 'ID token missing');
    await stepAsync('id-token', () => assertSignature(server, answer));
    await assertRemainingClaims(tokens.id_token, claims, { clientId: settings.clientId, accessToken: tokens.access_token, nowMs: clock.now() + (client[oauth.clockSkew] ?? 0) * 1000 });
    const identity = readClaims(claims);
    if (identity === null) throw new AuthError('id-token-invalid', 'ID token: "sub" missing');
    if (identity.name !== undefined && identity.email !== undefined) return identity;
    if (server.userinfo_endpoint === undefined) return identity;
    try {
      // OpenID Connect Core §5.3.2: userinfo of another subject must not be used.
      const more = await userinfo(server, tokens.access_token);
      return more?.subject === identity.subject ? mergeIdentity(identity, more) : identity;
    } catch (error) {
      log.write({ level: 'info', event: 'userinfo-failed', correlationId, fields: { code: toAuthError(error).code } });
      return identity;
    }
  }

  /** A key that is not in the set we have may be a new one: asked for once more, once for each sign-in. */
  async function assertSignature(server: ServerMetadata, answer: Response): Promise<void> {
    try {
      await oauth.validateApplicationLevelSignature(server, answer, http);
    } catch (error) {
      if (error instanceof AuthError) throw error;
      // The engine keeps the key set by the object's identity: a copy makes it fetch anew.
      await oauth.validateApplicationLevelSignature({ ...server }, answer, http);
    }
  }

  async function identifyByHand(server: ServerMetadata, accessToken: string, correlationId?: string): Promise<Identity> {
    if (settings.identify !== null) {
      const { identify } = settings;
      const identity = readIdentity(await bounded((async () => identify(accessToken))()));
      if (identity === null) throw new AuthError('response-invalid', 'option "identify" must resolve to an object with a "subject"');
      return identity;
    }
    if (server.userinfo_endpoint !== undefined) {
      const identity = await userinfo(server, accessToken);
      if (identity !== null) return identity;
    }
    log.write({ level: 'warn', event: 'account-anonymous', correlationId });
    return ANONYMOUS;
  }

  /** Null when the endpoint answers, but not with a person. */
  async function userinfo(server: ServerMetadata, accessToken: string): Promise<Identity | null> {
    const response = await stepAsync('userinfo', () => oauth.userInfoRequest(server, client, accessToken, http));
    const body = response.status === 200 ? jsonObject(new Uint8Array(await response.arrayBuffer())) : undefined;
    return body === undefined ? null : readClaims(body);
  }

  async function bounded<T>(promise: Promise<T>): Promise<T> {
    let cancel = (): void => undefined;
    const limit = new Promise<never>((_resolve, reject) => {
      cancel = clock.after(settings.networkTimeoutSeconds * 1000, () => { reject(new AuthError('network-timeout', 'option "identify" did not answer in time')); });
    });
    try {
      return await Promise.race([promise, limit]);
    } catch (cause) {
      throw cause instanceof AuthError ? cause : new AuthError('response-invalid', 'option "identify" failed', { cause });
    } finally {
      cancel();
    }
  }
}

function createSecrets(): AttemptSecrets {
  return { state: oauth.generateRandomState(), codeVerifier: oauth.generateRandomCodeVerifier(), nonce: oauth.generateRandomNonce() };
}

/** OpenID Connect Core §11: `offline_access` needs `prompt=consent`; a host that sets `prompt` itself decides otherwise. */
function promptOf(request: SignInRequest, settings: Settings): string {
  const configured = settings.authorizationParameters['prompt'];
  const asked = request.prompt ?? configured ?? '';
  const needsConsent = configured === undefined && settings.scopes.includes('openid') && settings.scopes.includes('offline_access');
  return needsConsent && asked !== 'consent' ? `${asked} consent`.trim() : asked;
}

function toGrant(tokens: oauth.TokenEndpointResponse, requestedAt: number, oldRefreshToken: string | null, scope: string): Grant {
  if (tokens.token_type !== 'bearer') throw new AuthError('response-invalid', 'answer member "token_type" must be "bearer" (RFC 6750)');
  const refreshToken = tokens.refresh_token ?? oldRefreshToken;
  const endless = tokens.expires_in === undefined && refreshToken === null;
  return {
    accessToken: tokens.access_token,
    obtainedAt: requestedAt,
    expiresAt: endless ? null : requestedAt + lifetimeSeconds(tokens.expires_in) * 1000,
    refreshToken,
    scope: tokens.scope ?? scope,
  };
}

/** A wrong optional member must not cost tokens that were already given: it is dropped, the required ones are judged by the engine. */
async function readTokenAnswer(response: Response, keepIdToken: boolean): Promise<Response> {
  const body = jsonObject(new Uint8Array(await response.clone().arrayBuffer()));
  if (response.status !== 200 || body === undefined) return response;
  const { id_token: idToken, expires_in: expiresIn, refresh_token: refreshToken, scope, ...rest } = body;
  const lifetime = typeof expiresIn === 'string' && /^\d{1,12}$/.test(expiresIn) ? Number(expiresIn) : expiresIn;
  const kept = {
    ...rest,
    ...(keepIdToken && idToken !== undefined ? { id_token: idToken } : {}),
    ...(typeof lifetime === 'number' && Number.isFinite(lifetime) && lifetime >= 0 ? { expires_in: lifetime } : {}),
    ...(typeof refreshToken === 'string' && refreshToken !== '' ? { refresh_token: refreshToken } : {}),
    ...(typeof scope === 'string' ? { scope } : {}),
  };
  return new Response(JSON.stringify(kept), { status: 200, headers: { 'content-type': 'application/json' } });
}

async function discover(settings: Settings, http: oauth.HttpRequestOptions<'GET'>): Promise<ServerMetadata> {
  const { endpoints } = settings;
  if (endpoints !== null) return metadataByHand({ ...settings, endpoints });
  for (const algorithm of ['oidc', 'oauth2'] as const) {
    // A server that has nothing there may send browsers elsewhere; that is no metadata, and the next address may have some.
    const response = await stepAsync('discovery', () => oauth.discoveryRequest(new URL(settings.issuer), { ...http, algorithm })).catch((error: unknown) => {
      if (error instanceof AuthError && error.code === 'response-invalid') return null;
      throw error;
    });
    const published = response?.status === 200 ? jsonObject(new Uint8Array(await response.arrayBuffer())) : undefined;
    if (published !== undefined) return checkMetadata(settings, published);
  }
  throw new AuthError('discovery-failed', 'the issuer publishes no metadata (OpenID Connect Discovery §4, RFC 8414 §3)');
}

/** Metadata is fetched once, shared by callers that come together, and asked for again after an hour or a failure. */
function createMetadataCache(load: () => Promise<ServerMetadata>, clock: Clock): (() => Promise<ServerMetadata>) & { isFresh(): boolean } {
  let cached: { readonly promise: Promise<ServerMetadata>; readonly at: number; arrived: boolean } | null = null;
  const isCurrent = (): boolean => cached !== null && Math.abs(clock.now() - cached.at) <= 3_600_000;
  const get = (): Promise<ServerMetadata> => {
    if (cached !== null && isCurrent()) return cached.promise;
    const entry = { promise: load(), at: clock.now(), arrived: false };
    cached = entry;
    entry.promise.then(() => { entry.arrived = true; }, () => { if (cached === entry) cached = null; });
    return entry.promise;
  };
  return Object.assign(get, { isFresh: () => isCurrent() && cached?.arrived === true });
}

function step<T>(name: ExchangeStep, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw judge(name, error);
  }
}

async function stepAsync<T>(name: ExchangeStep, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw judge(name, error);
  }
}
