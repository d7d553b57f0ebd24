// The strict provider, and the default: what a careful authorization server does by the book.
import type { Personality } from '../server/personality.js';

/** A second use of a refresh token ends the whole family, without a grace period. */
export function createStrict(graceSeconds: number | null): Personality {
  return {
    issuerPath: () => '',
    rules: [
      {
        fact: 'A second use of a refresh token ends the whole family. There is no grace period.',
        source: 'RFC 9700 §4.14.2; the default of Curity, Asgardeo, Hydra and better-auth',
        policy: { rotates: true, graceSeconds: graceSeconds ?? 0 },
      },
      {
        fact: 'PKCE with S256 is required.',
        source: 'RFC 9700 §2.1.1',
        policy: { pkce: 'required' },
      },
      {
        fact: 'A token request of a native app with an `Origin` header is refused.',
        source: 'no standard asks for it; Entra does it for native apps (AADSTS9002326)',
        policy: { allowsOrigin: false },
      },
    ],
  };
}
