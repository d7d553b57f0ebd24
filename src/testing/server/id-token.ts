// ID tokens (OpenID Connect Core §2): finishes those that oidc-provider makes, and spoils them on
// demand.
import type { Answer } from './exchange.js';
import { readJsonObject } from './exchange.js';
import type { IdTokenChange } from './faults.js';
import {
  accessTokenHash,
  breakSignature,
  decodeJwt,
  signJwt,
  signWithNone,
  signWithPublicKeyAsSecret,
} from './signing-keys.js';
import type { Jwt, SigningKey } from './signing-keys.js';

const OTHER_PARTY = 'another-client';

type Claims = Readonly<Record<string, unknown>>;

/**
 * Adds `at_hash` (OpenID Connect Core §3.1.3.6), which oidc-provider leaves out of token responses,
 * changes the claims as the personality has them, and signs again.
 */
export async function finishIdToken(
  answer: Answer,
  key: SigningKey,
  change: (claims: Claims) => Claims,
): Promise<Answer> {
  const members = readJsonObject(answer.body);
  const idToken = members?.['id_token'];
  const accessToken = members?.['access_token'];
  if (typeof idToken !== 'string' || typeof accessToken !== 'string') return answer;
  const signed = await rewrite(idToken, key, ({ header, claims }) => ({
    header,
    claims: change({ ...claims, at_hash: accessTokenHash(key.algorithm, accessToken) }),
  }));
  return { ...answer, body: Buffer.from(JSON.stringify({ ...members, id_token: signed })) };
}

/** Moves every time in an ID token, as a provider with a wrong clock would. */
export function shiftIdToken(
  idToken: string,
  offsetSeconds: number,
  key: SigningKey,
): Promise<string> {
  return rewrite(idToken, key, ({ header, claims }) => ({
    header,
    claims: shiftTimes(claims, offsetSeconds),
  }));
}

/** The same claims, so many seconds later. */
export function shiftTimes(claims: Claims, seconds: number): Claims {
  const shift = (value: unknown): unknown => (typeof value === 'number' ? value + seconds : value);
  return {
    ...claims,
    iat: shift(claims['iat']),
    exp: shift(claims['exp']),
    auth_time: shift(claims['auth_time']),
  };
}

/** The same claims, but for these. */
export function without(claims: Claims, names: readonly string[]): Claims {
  return Object.fromEntries(Object.entries(claims).filter(([name]) => !names.includes(name)));
}

/** The same ID token with one change; correctly signed unless the change is about the signature. */
export async function changeIdToken(
  idToken: string,
  change: IdTokenChange,
  key: SigningKey,
  nowMs: number,
): Promise<string> {
  const nowSeconds = Math.floor(nowMs / 1000);
  const setClaims = (claims: Readonly<Record<string, unknown>>): Promise<string> =>
    rewrite(idToken, key, (jwt) => ({ ...jwt, claims: { ...jwt.claims, ...claims } }));
  const setHeader = (header: Readonly<Record<string, unknown>>): Promise<string> =>
    rewrite(idToken, key, (jwt) => ({ ...jwt, header: { ...jwt.header, ...header } }));
  const jwt = decodeJwt(idToken);
  if (jwt === null) return idToken;

  // A claim set to undefined is left out of the JSON.
  switch (change) {
    case 'wrong-iss':
      return setClaims({ iss: 'https://issuer.example.net' });
    case 'wrong-aud':
      return setClaims({ aud: OTHER_PARTY });
    case 'wrong-azp':
      return setClaims({ aud: [jwt.claims['aud'], OTHER_PARTY], azp: OTHER_PARTY });
    case 'wrong-nonce':
      return setClaims({ nonce: 'a-nonce-of-another-attempt' });
    case 'missing-nonce':
      return setClaims({ nonce: undefined });
    case 'wrong-at-hash':
      return setClaims({ at_hash: accessTokenHash(key.algorithm, 'another access token') });
    case 'wrong-sub':
      return setClaims({ sub: 'u-somebody-else' });
    case 'missing-sub':
      return setClaims({ sub: undefined });
    case 'expired':
      return setClaims({ iat: nowSeconds - 7_200, exp: nowSeconds - 3_600 });
    case 'old-auth-time':
      return setClaims({ auth_time: nowSeconds - 3_600 });
    case 'missing-auth-time':
      return setClaims({ auth_time: undefined });
    case 'issued-in-future':
      return setClaims({ iat: nowSeconds + 86_400, exp: nowSeconds + 90_000 });
    case 'aud-array':
      return setClaims({ aud: [jwt.claims['aud']] });
    case 'unknown-kid':
      return setHeader({ kid: 'a-kid-that-nobody-published' });
    case 'missing-kid':
      return setHeader({ kid: undefined });
    case 'alg-none':
      return signWithNone(jwt);
    case 'alg-hs256':
      return signWithPublicKeyAsSecret(key, jwt);
    case 'bad-signature':
      return breakSignature(idToken);
  }
}

async function rewrite(
  idToken: string,
  key: SigningKey,
  change: (jwt: Jwt) => Jwt,
): Promise<string> {
  const jwt = decodeJwt(idToken);
  return jwt === null ? idToken : signJwt(key, change(jwt));
}
