// The secrets of an attempt, by the platform's own randomness. Apart from client.ts, whose engine
// is loaded later than an attempt may begin.
import { base64url } from '../base/digest.js';

/**
 * What an attempt must keep secret until it is redeemed (RFC 7636 §4.1, RFC 6749 §10.12, OpenID
 * Connect Core §15.5.2).
 */
export interface RequestSecrets {
  readonly state: string;
  readonly codeVerifier: string;
  readonly nonce: string;
}

/** RFC 6749 §10.10 asks for 160 bits at least; RFC 7636 §7.1 recommends 256 for the verifier. */
const SECRET_BYTES = 32;

/**
 * Fresh secrets of 256 bits each, independent of one another. As texts they are 43 characters of
 * the URL-safe alphabet.
 */
export function createRequestSecrets(): RequestSecrets {
  return { state: randomText(), codeVerifier: randomText(), nonce: randomText() };
}

function randomText(): string {
  return base64url(crypto.getRandomValues(new Uint8Array(SECRET_BYTES)));
}
