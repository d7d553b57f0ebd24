// The strict provider, and the default: what a careful authorization server does by the book.
import type { Personality } from '../server/personality.js';

/** A refresh token that comes a second time ends the whole family, without any grace. */
export function createStrict(graceSeconds: number | null): Personality {
  return {
    issuerPath: () => '',
    rules: [
      {
        fact: 'A refresh token that comes a second time ends the whole family. There is no grace.',
        source: 'RFC 9700 §4.14.2; the default of Curity, Asgardeo, Hydra and better-auth',
        policy: { rotates: true, graceSeconds: graceSeconds ?? 0 },
      },
      {
        fact: 'PKCE with S256 is demanded.',
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
