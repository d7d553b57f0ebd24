// ApiNetwork over Electron's net stack: requests to APIs share connections, in sessions that nothing
// with a code or a refresh token ever uses.
import { app } from 'electron';
import { LIMITS } from '../../core/base/limits.js';
import type { ApiNetwork } from '../../core/base/ports.js';
import { exchange } from './exchange.js';
import { createSharedSessions } from './shared-sessions.js';

/** Not persistent (no `persist:`), and named so that no app uses it by accident. */
const PARTITION = 'latchkey-api';

/** One for the whole process: two with the same name would share what they set. */
const sessions = createSharedSessions(PARTITION, LIMITS.apiSessions);

export function createApiNetwork(): ApiNetwork {
  return {
    async fetch(url, init) {
      await app.whenReady();
      const { session, release } = await sessions.take(url, init.signal);
      try {
        return await exchange(session, url, init, release);
      } catch (thrown) {
        release();
        throw thrown;
      }
    },
  };
}
