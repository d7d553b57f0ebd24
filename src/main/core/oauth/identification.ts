// Finds out who signed in: from the ID token, or else from userinfo or the host's `identify`
// (OpenID Connect Core §3.1.3.7, §5.3, §12.2). Returns an identity, with the claims of the option
// `claims`, or throws an AuthError. Keeps nothing and decides nothing about sessions.
import * as oauth from 'oauth4webapi';
import { type BoundedFetch, jsonObject } from './bounded-fetch.js';
import type { ServerMetadata } from './discovery.js';
import type { JwksPrefetch } from './jwks-prefetch.js';
import { AuthError, toAuthError } from '../base/errors.js';
import { assertRemainingClaims, decodePart } from './id-token.js';
import { type VerificationKey, keysFor, readKeySet } from './key-set.js';
import { readClaims, readIdentity, subjectOf, whyNoSubject } from './identity.js';
import { ANONYMOUS } from '../base/anonymous.js';
import { note } from '../base/evidence.js';
import { mapped } from './error-mapping.js';
import type { Identity, Settings } from '../options/auth-options.js';
import type { SignInDemand } from '../options/sign-in-demand.js';
import type { Clock, Log } from '../base/ports.js';
import { withTimeout } from '../base/timeout.js';
import { bodyOf } from './token-response.js';
import { NO_CLAIMS, pickClaims } from '../base/claims.js';
import type { IdToken, PersonFacts } from '../base/tokens.js';
import type { AccountClaims } from '../../../contract.js';
import { type ArrivalTimes, earliestStart } from './arrival-times.js';
import { askedAge, lifeLeftMs } from './id-token-times.js';

type Claims = Readonly<Record<string, unknown>>;

/** The result of one token request. `attempt`: whose prefetched key set may be used. */
export interface Exchange {
  readonly server: ServerMetadata;
  readonly answer: Response;
  readonly tokenResponse: oauth.TokenEndpointResponse;
  readonly times: ArrivalTimes;
  readonly attempt: object | null;
  /** When the authorization was requested; null when it was not, and so no `max_age` was sent. */
  readonly startedAt: number | null;
  /** What the sign-in demanded. */
  readonly demand?: SignInDemand;
}

/** What is needed to ask the provider. */
export interface Wire {
  readonly client: oauth.Client;
  readonly http: oauth.HttpRequestOptions<'GET' | 'POST'>;
  readonly boundedFetch: BoundedFetch;
  readonly keys: JwksPrefetch;
}

/** Who it is, and what else the provider says about the person. */
export interface Identified {
  readonly identity: Identity;
  readonly facts: PersonFacts;
}

export interface Identification {
  /** For a sign-in: from its ID token if `openid` was requested. */
  ofSignIn(exchange: Exchange, correlationId?: string): Promise<Identified>;
  /** For a renewal (Core §12.2): from its ID token if it brings one, or else from userinfo. */
  ofRenewal(
    server: ServerMetadata,
    answer: Response,
    accessToken: string,
    times: ArrivalTimes,
  ): Promise<Identified>;
  /**
   * What the answer to a renewal of a known person says: of its ID token, if that was found to name
   * this person, or else of none.
   */
  factsIn(idToken: string | null, times: ArrivalTimes): PersonFacts;
}

export function createIdentification(
  settings: Settings,
  wire: Wire,
  clock: Clock,
  log: Log,
): Identification {
  const { client, http, boundedFetch, keys } = wire;
  const usesOpenId = settings.scopes.includes('openid');
  /** Each is told once: a renewal every few minutes brings the same ones. */
  const toldLeftOut = new Set<string>();

  return {
    ofSignIn: (exchange, correlationId) =>
      usesOpenId
        ? byIdToken(exchange, correlationId)
        : byHand(exchange.server, exchange.tokenResponse.access_token, correlationId),
    async ofRenewal(server, answer, accessToken, times) {
      if (typeof (await bodyOf(answer))?.['id_token'] === 'string') {
        const tokenResponse = await mapped('id-token', () =>
          oauth.processRefreshTokenResponse(server, client, answer),
        );
        return byIdToken({ server, answer, tokenResponse, times, attempt: null, startedAt: null });
      }
      const identified = await byHand(server, accessToken);
      if (usesOpenId && identified.identity === ANONYMOUS)
        throw new AuthError('id-token-invalid', 'neither ID token nor userinfo names the person');
      return identified;
    },
    factsIn(idToken, times) {
      if (idToken === null) return { idToken: 'none' };
      const claims = decodePart(idToken, 1) ?? {};
      return factsOf(pick(claims), NO_CLAIMS, idTokenOf(idToken, claims, times));
    },
  };

  async function byIdToken(exchange: Exchange, correlationId?: string): Promise<Identified> {
    const { server, tokenResponse, times, startedAt, demand = {} } = exchange;
    const claims = oauth.getValidatedIdTokenClaims(tokenResponse);
    if (claims === undefined || tokenResponse.id_token === undefined)
      throw new AuthError('id-token-invalid', 'ID token missing');
    await mapped('id-token', () => assertSignature(exchange));
    await assertRemainingClaims(tokenResponse.id_token, claims, {
      clientId: settings.clientId,
      accessToken: tokenResponse.access_token,
      times,
      asked: startedAt === null ? null : askedAge(settings, startedAt, clock.now(), demand.maxAge),
      demand,
    });
    const identity = readClaims(claims);
    if (identity === null)
      throw new AuthError('id-token-invalid', `ID token: ${whyNoSubject(claims['sub'], 'sub')}`);
    const said = pick(claims, correlationId);
    const idToken = idTokenOf(tokenResponse.id_token, claims, times);
    const alone = { identity, facts: factsOf(said, NO_CLAIMS, idToken) };
    // A name that is put together of its parts is not as good as the one that userinfo may have.
    const isNamed =
      claims['name'] !== undefined && identity.name !== undefined && identity.email !== undefined;
    const missing = settings.claims.filter(
      (name) => claims[name] === undefined || claims[name] === null,
    );
    if (isNamed && missing.length === 0) return alone;
    if (server.userinfo_endpoint === undefined) return alone;
    try {
      // OpenID Connect Core §5.3.2: userinfo of another subject must not be used.
      const more = await userinfo(server, tokenResponse.access_token);
      if (more === undefined || subjectOf(more) !== identity.subject) return alone;
      return {
        identity: readClaims(claims, more) ?? identity,
        facts: factsOf(said, pick(more, correlationId, missing), idToken),
      };
    } catch (error) {
      log.write({
        level: 'info',
        event: 'userinfo-failed',
        correlationId,
        fields: { code: toAuthError(error).code },
      });
      return alone;
    }
  }

  /** Null: its times are no times, or it has expired when it came. */
  function idTokenOf(token: string, claims: Claims, times: ArrivalTimes): IdToken | null {
    const obtainedAt = earliestStart(times);
    const left = lifeLeftMs(claims, times);
    return left > 0 ? { token, obtainedAt, expiresAt: obtainedAt + left } : null;
  }

  function factsOf(
    idTokenClaims: AccountClaims,
    userinfo: AccountClaims,
    idToken: IdToken | null,
  ): PersonFacts {
    return {
      ...(settings.claims.length === 0 ? {} : { claims: { idToken: idTokenClaims, userinfo } }),
      idToken: idToken ?? 'none',
    };
  }

  function pick(from: unknown, correlationId?: string, names = settings.claims): AccountClaims {
    const { claims, leftOut } = pickClaims(names, from);
    for (const name of leftOut) {
      if (toldLeftOut.has(name)) continue;
      toldLeftOut.add(name);
      log.write({
        level: 'warn',
        event: 'claim-left-out',
        correlationId,
        fields: { claim: name },
      });
    }
    return claims;
  }

  /**
   * A key that is missing in the prefetched set may be new. The key set is fetched once more, once
   * for each sign-in.
   */
  async function assertSignature({
    server,
    answer,
    tokenResponse,
    attempt,
  }: Exchange): Promise<void> {
    const url = new URL(server.jwks_uri ?? '').href;
    const header = decodePart(tokenResponse.id_token ?? '', 0) ?? {};
    const early = attempt === null ? null : await keys.take(attempt, url);
    if ((await whyUnverified(early ?? (await fetchKeys(url)))) === null) return;
    const latest = await fetchKeys(url);
    const why = await whyUnverified(latest);
    if (why !== null)
      throw note(new AuthError('id-token-invalid', `ID token: ${why}`), {
        asked: 'key set',
        url,
        status: latest.status,
      });

    /** Null when one of the keys verifies the signature. */
    async function whyUnverified(keySet: Response): Promise<string | null> {
      if (keySet.status !== 200) return `the key set answered with status ${keySet.status}`;
      const known = readKeySet(jsonObject(new Uint8Array(await keySet.arrayBuffer())));
      if (known === null) return 'the key set has no list "keys" (RFC 7517 §5)';
      const candidates = keysFor(known, header);
      for (const jwk of candidates) if (await verifies(jwk)) return null;
      return candidates.length === 0
        ? 'no key of the issuer fits'
        : 'the signature does not verify';
    }

    /** The library gets one key at a time: it refuses to choose, and stumbles over odd ones. */
    async function verifies(jwk: VerificationKey['jwk']): Promise<boolean> {
      const keySet = { keys: [{ ...jwk, kid: header['kid'] }] };
      try {
        // The library caches the key set by the server object, so each key comes with a copy.
        await oauth.validateApplicationLevelSignature({ ...server }, answer, {
          ...http,
          [oauth.customFetch]: async () => Response.json(keySet),
        });
        return true;
      } catch {
        return false;
      }
    }
  }

  function fetchKeys(url: string): Promise<Response> {
    return boundedFetch(url, {
      method: 'GET',
      headers: { accept: 'application/json, application/jwk-set+json' },
    });
  }

  async function byHand(
    server: ServerMetadata,
    accessToken: string,
    correlationId?: string,
  ): Promise<Identified> {
    if (settings.identify !== null) {
      const said = await askHost(settings.identify, accessToken);
      const identity = readIdentity(said);
      if (identity === null) {
        const { subject } = (said ?? {}) as { readonly subject?: unknown };
        throw new AuthError(
          'response-invalid',
          `option "identify" must resolve to an object with a "subject": ${whyNoSubject(subject, 'subject')}`,
        );
      }
      return { identity, facts: factsOf(NO_CLAIMS, NO_CLAIMS, null) };
    }
    if (server.userinfo_endpoint !== undefined) {
      const claims = await userinfo(server, accessToken);
      const identity = claims === undefined ? null : readClaims(claims);
      if (identity !== null)
        return { identity, facts: factsOf(NO_CLAIMS, pick(claims, correlationId), null) };
    }
    log.write({ level: 'warn', event: 'account-anonymous', correlationId });
    return { identity: ANONYMOUS, facts: factsOf(NO_CLAIMS, NO_CLAIMS, null) };
  }

  /** The claims, unchecked; undefined when the endpoint answers with none. */
  async function userinfo(
    server: ServerMetadata,
    accessToken: string,
  ): Promise<Readonly<Record<string, unknown>> | undefined> {
    const response = await mapped('userinfo', () =>
      oauth.userInfoRequest(server, client, accessToken, http),
    );
    return response.status === 200
      ? jsonObject(new Uint8Array(await response.arrayBuffer()))
      : undefined;
  }

  /** What the host says about the person, within the time limit of an exchange. */
  async function askHost(
    identify: (accessToken: string) => unknown,
    accessToken: string,
  ): Promise<unknown> {
    const asked = (async () => ({ said: await identify(accessToken) }))().catch(
      (cause: unknown) => {
        throw cause instanceof AuthError
          ? cause
          : new AuthError('response-invalid', 'option "identify" failed', { cause });
      },
    );
    const answer = await withTimeout(clock, asked, settings.networkTimeoutSeconds * 1000);
    if (answer === undefined)
      throw new AuthError('network-timeout', 'option "identify" did not answer in time');
    return answer.said;
  }
}
