// The key set of the provider, asked for while the person is in the browser: when they are back,
// redeeming takes one exchange. Only brings the answer forward; who may have signed what is judged
// in client.ts.
import type { BoundedFetch } from './bounded-fetch.js';
import { LIMITS } from '../base/limits.js';
import type { Clock } from '../base/ports.js';

/** One key set for each attempt; it goes with the object that stands for the attempt. */
export interface JwksPrefetch {
  /** Asks in the background, unless this attempt has an answer that is still young. */
  ask(attempt: object, url: string): void;
  /**
   * The answer that this attempt asked for early, once: a second question wants newer keys. Null
   * when there is none, or when it is older than `LIMITS.earlyKeysMaxMs`: a key may have been
   * withdrawn since.
   */
  take(attempt: object, url: string): Promise<Response | null>;
}

interface KeySet {
  readonly url: string;
  readonly askedAt: number;
  readonly answer: Promise<Response | null>;
}

/** A failure is forgotten: then the key set is asked for when it is needed. */
export function createJwksPrefetch(fetch: BoundedFetch, clock: Pick<Clock, 'now'>): JwksPrefetch {
  const keySets = new WeakMap<object, KeySet>();

  return {
    ask(attempt, url) {
      const { href } = new URL(url);
      const known = keySets.get(attempt);
      if (known?.url === href && isYoung(known)) return;
      const init = {
        method: 'GET',
        headers: { accept: 'application/json, application/jwk-set+json' },
      };
      const answer = fetch(href, init).catch(() => null);
      keySets.set(attempt, { url: href, askedAt: clock.now(), answer });
    },
    async take(attempt, url) {
      const known = keySets.get(attempt);
      if (known?.url !== url) return null;
      keySets.delete(attempt);
      return isYoung(known) ? known.answer : null;
    },
  };

  /** Not when the clock was set back, for then nobody knows. */
  function isYoung({ askedAt }: KeySet): boolean {
    const age = clock.now() - askedAt;
    return age >= 0 && age <= LIMITS.jwksPrefetchMaxMs;
  }
}
