// A plain client for the tests of the embedded provider: oauth4webapi, nothing of Latchkey's core.
import * as oauth from 'oauth4webapi';
import { createPerson } from '../../src/testing/index.js';
import type { Person, Provider, SignInChoices } from '../../src/testing/index.js';

const insecure = { [oauth.allowInsecureRequests]: true } as const;

/** An authorization request that was made, with what is needed to redeem its answer. */
export interface Trip {
  readonly server: oauth.AuthorizationServer;
  readonly client: oauth.Client;
  readonly url: string;
  readonly verifier: string;
  readonly state: string;
  readonly nonce: string | undefined;
  readonly redirectUri: string;
}

export interface TripOptions {
  readonly redirectUri?: string;
  readonly scope?: string;
  readonly parameters?: Readonly<Record<string, string>>;
}

export async function discover(
  provider: Provider,
  algorithm: 'oidc' | 'oauth2' = 'oidc',
): Promise<oauth.AuthorizationServer> {
  const issuer = new URL(provider.issuer);
  return oauth.processDiscoveryResponse(
    issuer,
    await oauth.discoveryRequest(issuer, { algorithm, ...insecure }),
  );
}

export async function startTrip(provider: Provider, options: TripOptions = {}): Promise<Trip> {
  const server = await discover(provider);
  const verifier = oauth.generateRandomCodeVerifier();
  const scope = options.scope ?? 'openid profile email offline_access';
  const nonce = scope.includes('openid') ? oauth.generateRandomNonce() : undefined;
  const state = oauth.generateRandomState();
  const redirectUri = options.redirectUri ?? 'com.example.latchkey-demo:/callback';
  const url = new URL(server.authorization_endpoint ?? '');
  url.search = new URLSearchParams({
    client_id: provider.clientId,
    response_type: 'code',
    redirect_uri: redirectUri,
    scope,
    state,
    ...(nonce === undefined ? {} : { nonce }),
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    ...options.parameters,
  }).toString();
  return {
    server,
    client: { client_id: provider.clientId },
    url: url.href,
    verifier,
    state,
    nonce,
    redirectUri,
  };
}

/**
 * Redeems a callback and checks everything that oauth4webapi checks, the ID token's signature too.
 */
export async function redeem(
  trip: Trip,
  callbackUrl: string,
  verifier = trip.verifier,
): Promise<oauth.TokenEndpointResponse> {
  const parameters = oauth.validateAuthResponse(
    trip.server,
    trip.client,
    new URL(callbackUrl),
    trip.state,
  );
  const response = await oauth.authorizationCodeGrantRequest(
    trip.server,
    trip.client,
    oauth.None(),
    parameters,
    trip.redirectUri,
    verifier,
    insecure,
  );
  const tokens = await oauth.processAuthorizationCodeResponse(trip.server, trip.client, response, {
    ...(trip.nonce === undefined ? {} : { expectedNonce: trip.nonce, requireIdToken: true }),
  });
  if (tokens.id_token !== undefined)
    await oauth.validateApplicationLevelSignature(trip.server, response, insecure);
  return tokens;
}

export async function renew(
  trip: Trip,
  refreshToken: string,
): Promise<oauth.TokenEndpointResponse> {
  const response = await oauth.refreshTokenGrantRequest(
    trip.server,
    trip.client,
    oauth.None(),
    refreshToken,
    insecure,
  );
  return oauth.processRefreshTokenResponse(trip.server, trip.client, response);
}

export async function revoke(trip: Trip, token: string): Promise<void> {
  await oauth.processRevocationResponse(
    await oauth.revocationRequest(trip.server, trip.client, oauth.None(), token, insecure),
  );
}

/** The whole trip in one call. */
export async function signIn(
  provider: Provider,
  options: TripOptions & SignInChoices = {},
  person: Person = createPerson(),
): Promise<{ readonly trip: Trip; readonly tokens: oauth.TokenEndpointResponse }> {
  const trip = await startTrip(provider, options);
  const { callbackUrl } = await person.signIn(trip.url, options);
  return { trip, tokens: await redeem(trip, callbackUrl) };
}

/** The OAuth error of a refused request. */
export async function errorOf(answer: Promise<unknown>): Promise<string> {
  try {
    await answer;
  } catch (cause) {
    if (
      cause instanceof oauth.ResponseBodyError ||
      cause instanceof oauth.AuthorizationResponseError
    )
      return cause.error;
    throw cause;
  }
  throw new Error('the request was not refused');
}
