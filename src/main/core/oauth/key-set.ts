// Reads a key set (RFC 7517) and picks the keys that may have signed a token. Pure. It verifies
// nothing: identification.ts has the OAuth library try the keys. Key sets come from outside: what
// is not understood is skipped (RFC 7517 §5), and no member of a key but its public numbers goes on.
import { LIMITS } from '../base/limits.js';

/** One public key that can verify a signature. */
export interface VerificationKey {
  readonly kid: string | undefined;
  readonly alg: string | undefined;
  /** Its public numbers alone (RFC 7518 §6.2.1, §6.3.1, RFC 8037 §2). */
  readonly jwk: Readonly<Record<string, string>>;
}

/** The members that a public key of each type has. A symmetric key (`oct`) is no public key. */
const NUMBERS: Readonly<Record<string, readonly string[]>> = {
  RSA: ['n', 'e'],
  EC: ['crv', 'x', 'y'],
  OKP: ['crv', 'x'],
};

/** Type and curve by algorithm; RSA has no curve. RFC 9864 gives EdDSA with Ed25519 its own name. */
const TYPES: Readonly<Record<string, readonly [kty: string, crv?: string]>> = {
  RS256: ['RSA'],
  RS384: ['RSA'],
  RS512: ['RSA'],
  PS256: ['RSA'],
  PS384: ['RSA'],
  PS512: ['RSA'],
  ES256: ['EC', 'P-256'],
  ES384: ['EC', 'P-384'],
  ES512: ['EC', 'P-521'],
  EdDSA: ['OKP', 'Ed25519'],
  Ed25519: ['OKP', 'Ed25519'],
};

/** All asymmetric JWS algorithms that the platform's WebCrypto can verify, the usual ones first. */
export const SIGNING_ALGORITHMS: readonly string[] = Object.keys(TYPES);

/** The keys of a key set that can verify; null when the value is no key set. Never throws. */
export function readKeySet(value: unknown): readonly VerificationKey[] | null {
  const keys = isObject(value) ? value['keys'] : undefined;
  return Array.isArray(keys) ? keys.flatMap(readKey) : null;
}

/**
 * The keys that may have signed a token with this header, at most `LIMITS.keysTried`: first those
 * with its `kid`, then those without one. Without a `kid` in the header, every key whose type and
 * algorithm fit. A key that stands there twice counts once.
 */
export function keysFor(
  keys: readonly VerificationKey[],
  header: Readonly<Record<string, unknown>>,
): readonly VerificationKey['jwk'][] {
  const { alg } = header;
  const kid = header['kid'] ?? undefined;
  if (typeof alg !== 'string' || !Object.hasOwn(TYPES, alg)) return [];
  const [kty, crv] = TYPES[alg] ?? [];
  const fit = keys.filter(
    (key) =>
      key.jwk['kty'] === kty &&
      (crv === undefined || key.jwk['crv'] === crv) &&
      (key.alg === undefined || key.alg === alg || (isEd25519(key.alg) && isEd25519(alg))),
  );
  const candidates =
    kid === undefined
      ? fit
      : [...fit.filter((key) => key.kid === kid), ...fit.filter((key) => key.kid === undefined)];
  const once = new Map(candidates.map(({ jwk }) => [JSON.stringify(jwk), jwk]));
  return [...once.values()].slice(0, LIMITS.keysTried);
}

function readKey(key: unknown): readonly VerificationKey[] {
  if (!isObject(key)) return [];
  const { kty, kid, use, key_ops: operations } = key;
  const alg = key['alg'] ?? undefined;
  if (typeof kty !== 'string' || !Object.hasOwn(NUMBERS, kty)) return [];
  if ((use ?? 'sig') !== 'sig' || (alg !== undefined && typeof alg !== 'string')) return [];
  if (!(Array.isArray(operations) ? operations : [operations ?? 'verify']).includes('verify'))
    return [];
  const numbers = (NUMBERS[kty] ?? []).map((name) => [name, key[name]] as const);
  if (!numbers.every((entry): entry is readonly [string, string] => typeof entry[1] === 'string'))
    return [];
  const jwk = { kty, ...Object.fromEntries(numbers) };
  return [{ kid: typeof kid === 'string' ? kid : undefined, alg, jwk }];
}

function isEd25519(alg: string): boolean {
  return alg === 'EdDSA' || alg === 'Ed25519';
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
