// Fetches the provider's key set while the person is in the browser, so that the code exchange then
// needs no second request. Checks no signature; identification.ts does.
import type { BoundedFetch } from './bounded-fetch.js';
import { LIMITS } from '../base/limits.js';
import type { Clock } from '../base/ports.js';

/** One key set for each attempt; it is dropped with the object that identifies the attempt. */
export interface JwksPrefetch {
  /** Fetches in the background, unless this attempt has an answer that is still young. */
  ask(attempt: object, url: string): void;
  /**
   * The prefetched answer of this attempt, only once: a second call wants newer keys. Null when
   * there is none, or when it is older than `LIMITS.jwksPrefetchMaxMs`: a key may have been
   * withdrawn since.
   */
  take(attempt: object, url: string): Promise<Response | null>;
}

interface KeySet {
  readonly url: string;
  readonly askedAt: number;
  readonly answer: Promise<Response | null>;
}

/** A failed fetch gives null: then the key set is fetched when it is needed. */
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

  /** False when the clock was set back, because then the age is unknown. */
  function isYoung({ askedAt }: KeySet): boolean {
    const age = clock.now() - askedAt;
    return age >= 0 && age <= LIMITS.jwksPrefetchMaxMs;
  }
}
