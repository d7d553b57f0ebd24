// Makes the secrets of an authorization request, from the platform's randomness. Not in client.ts,
// because an attempt may begin before the OAuth library is loaded.
import { base64url } from '../base/digest.js';

/**
 * What must stay secret until the code exchange (RFC 7636 §4.1, RFC 6749 §10.12, OpenID Connect
 * Core §15.5.2).
 */
export interface RequestSecrets {
  readonly state: string;
  readonly codeVerifier: string;
  readonly nonce: string;
}

/** RFC 6749 §10.10 recommends at least 160 bits; RFC 7636 §7.1 recommends 256 for the verifier. */
const SECRET_BYTES = 32;

/**
 * New secrets of 256 bits each, independent of each other. Each is a text of 43 characters of the
 * URL-safe alphabet.
 */
export function createRequestSecrets(): RequestSecrets {
  return { state: randomText(), codeVerifier: randomText(), nonce: randomText() };
}

function randomText(): string {
  return base64url(crypto.getRandomValues(new Uint8Array(SECRET_BYTES)));
}
