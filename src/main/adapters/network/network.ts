// Network over Electron's net stack, for what carries a code or a refresh token: each exchange has a
// session of its own (network/sessions.ts) and shares its connection with no other.
import { app } from 'electron';
import { LIMITS } from '../../core/base/limits.js';
import type { Network } from '../../core/base/ports.js';
import { exchange } from './exchange.js';
import { createOwnSessions } from './sessions.js';

/** Not persistent (no `persist:`), and named so that no app uses it by accident. */
const PARTITION = 'latchkey-network';
/**
 * What may come twice without harm (RFC 9110 §9.2.1). Chromium repeats any request on a connection
 * that it has kept.
 */
const SAFE_METHODS = ['GET', 'HEAD'];

/** One for the whole process: two with the same name would close each other's connections. */
const sessions = createOwnSessions(PARTITION, LIMITS.networkSessions);

export function createNetwork(): Network {
  return {
    async fetch(url, init) {
      await app.whenReady();
      const taken = await sessions.take(url, {
        fresh: !SAFE_METHODS.includes(init.method),
        signal: init.signal,
      });
      try {
        return await exchange(taken.session, url, init, (clean) => taken.release(clean));
      } catch (thrown) {
        taken.release(false);
        throw thrown;
      }
    },
  };
}
