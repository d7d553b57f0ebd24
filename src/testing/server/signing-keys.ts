// The provider's signing key and what is signed with it. The only file that signs; faults ask it
// for bad signatures too.
import { createHash, createHmac, createPublicKey, randomBytes } from 'node:crypto';
import { CompactSign, exportJWK, generateKeyPair, importJWK } from 'jose';
import type { CryptoKey, JWK } from 'jose';

/**
 * The registered algorithms (RFC 7518 §3.1, RFC 8037) that the provider can sign ID tokens with.
 */
export type SigningAlgorithm = 'RS256' | 'PS256' | 'ES256' | 'EdDSA';

/** One signing key. `privateJwk` never leaves this process. */
export interface SigningKey {
  readonly kid: string;
  readonly algorithm: SigningAlgorithm;
  readonly privateJwk: JWK;
}

/** A JOSE header and claims set, decoded but not verified. */
export interface Jwt {
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Readonly<Record<string, unknown>>;
}

/** Makes a fresh key with a fresh `kid`. */
export async function createSigningKey(algorithm: SigningAlgorithm): Promise<SigningKey> {
  const { privateKey } = await generateKeyPair(algorithm, { extractable: true });
  const kid = randomBytes(6).toString('hex');
  return {
    kid,
    algorithm,
    privateJwk: { ...(await exportJWK(privateKey)), kid, alg: algorithm, use: 'sig' },
  };
}

/** Decodes a compact JWS (RFC 7515 §7.1); null when it is none. */
export function decodeJwt(compact: string): Jwt | null {
  const [header, claims] = compact.split('.').map((part) => {
    try {
      const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
      return typeof value === 'object' && value !== null ? { ...value } : null;
    } catch {
      return null;
    }
  });
  return header && claims ? { header, claims } : null;
}

/** Signs with the provider's key. The header's `alg` is the key's, whatever `jwt` says. */
export async function signJwt(key: SigningKey, jwt: Jwt): Promise<string> {
  const privateKey = (await importJWK(key.privateJwk, key.algorithm)) as CryptoKey;
  return new CompactSign(encode(jwt.claims))
    .setProtectedHeader({ ...jwt.header, alg: key.algorithm })
    .sign(privateKey);
}

/** An unsecured JWT (RFC 7519 §6.1): header `alg` "none" and an empty signature. */
export function signWithNone(jwt: Jwt): string {
  return `${segment({ ...jwt.header, alg: 'none' })}.${segment(jwt.claims)}.`;
}

/**
 * The classic confusion: HS256 with the *public* key, which everyone has, as the secret (RFC 8725
 * §2.1).
 */
export function signWithPublicKeyAsSecret(key: SigningKey, jwt: Jwt): string {
  const { kty, n, e, crv, x, y } = key.privateJwk;
  const publicJwk = Object.fromEntries(
    Object.entries({ kty, n, e, crv, x, y }).filter(([, value]) => value !== undefined),
  );
  const secret = createPublicKey({ key: publicJwk, format: 'jwk' }).export({
    type: 'spki',
    format: 'pem',
  });
  const signed = `${segment({ ...jwt.header, alg: 'HS256' })}.${segment(jwt.claims)}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

/** The same token with one bit of its signature turned over. */
export function breakSignature(compact: string): string {
  const end = compact.lastIndexOf('.') + 1;
  const signature = Buffer.from(compact.slice(end), 'base64url');
  signature[0] = (signature[0] ?? 0) ^ 1;
  return compact.slice(0, end) + signature.toString('base64url');
}

/** The `at_hash` claim of an access token (OpenID Connect Core §3.1.3.6). */
export function accessTokenHash(algorithm: SigningAlgorithm, accessToken: string): string {
  // OpenID Connect ties the hash to `alg`; EdDSA with Ed25519 uses SHA-512.
  const digest = createHash(algorithm === 'EdDSA' ? 'sha512' : 'sha256')
    .update(accessToken, 'ascii')
    .digest();
  return digest.subarray(0, digest.length / 2).toString('base64url');
}

function segment(value: unknown): string {
  return Buffer.from(encode(value)).toString('base64url');
}

function encode(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}
