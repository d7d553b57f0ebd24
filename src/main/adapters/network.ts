// Network over Electron's net stack: system proxy, PAC and the certificates of the operating system are honoured.
// A session of its own in memory: no cookie of the app goes out, none comes in, and no webRequest rule of the app can add an Origin.
import { app, session } from 'electron';
import type { Network } from '../core/ports.js';

/** Not persistent (no `persist:`), and named so that no app uses it by accident. */
const PARTITION = 'latchkey-network';

export function createNetwork(): Network {
  return {
    async fetch(url, { method, headers, body, signal }) {
      await app.whenReady();
      return session.fromPartition(PARTITION, { cache: false }).fetch(url, {
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
    },
  };
}
