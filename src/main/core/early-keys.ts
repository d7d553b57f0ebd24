// The key set of the provider, asked for while the person is in the browser: when they are back, redeeming takes one exchange.
// Only brings the answer forward; who may have signed what is judged in protocol.ts.
import type { BoundedFetch } from './bounded-fetch.js';

export interface EarlyKeys {
  /** Asks in the background, unless an answer waits already. */
  ask(url: string): void;
  /** The answer that was asked for early, once: who asks again wants newer keys. Null when there is none. */
  take(url: string): Promise<Response | null>;
}

/** One key set at a time, of the size that `fetch` allows. A failure is forgotten: then it is asked for when it is needed. */
export function createEarlyKeys(fetch: BoundedFetch): EarlyKeys {
  let early: { readonly url: string; readonly answer: Promise<Response | null> } | null = null;

  return {
    ask(url) {
      const { href } = new URL(url);
      if (early?.url === href) return;
      const answer = fetch(href, { method: 'GET', headers: { accept: 'application/json, application/jwk-set+json' } }).catch(() => null);
      early = { url: href, answer };
    },
    async take(url) {
      if (early?.url !== url) return null;
      const { answer } = early;
      early = null;
      return answer;
    },
  };
}
