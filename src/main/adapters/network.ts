// Network over Electron's net stack: system proxy, PAC and the certificates of the operating system are honoured.
// A session of its own in memory: no cookie of the app goes out, none comes in, and no webRequest rule of the app can add an Origin.
import { app, session } from 'electron';
import type { Network } from '../core/ports.js';

/** Not persistent (no `persist:`), and named so that no app uses it by accident. */
const PARTITION = 'latchkey-network';
/** Electron's word, and all that it tells of a redirect that is not followed. Shown on the real one by e2e/doctor. */
const REDIRECTED = 'Redirect was cancelled';

export function createNetwork(): Network {
  return {
    async fetch(url, { method, headers, body, signal }) {
      await app.whenReady();
      const answer = session.fromPartition(PARTITION, { cache: false }).fetch(url, {
        method,
        headers,
        ...(body === undefined ? {} : { body }),
        signal,
        // Electron's fetch turns the default into "include", which would send cookies to the token endpoint.
        credentials: 'omit',
        redirect: 'manual',
        cache: 'no-store',
        bypassCustomProtocolHandlers: true,
      });
      // An answer that leads elsewhere is an answer: somebody who is not the provider may give it, and that is another trouble.
      return await answer.catch((thrown: unknown) => {
        if (thrown instanceof Error && thrown.message === REDIRECTED) return new Response(null, { status: 302 });
        throw thrown;
      });
    },
  };
}
