// @ts-check
// Looks into the lab's keyring while no app runs: with the product's own parsers, but in a process
// of its own that no kill reaches. What it finds is the truth against which the storm judges the
// app.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const DIST = new URL('../../dist/main/', import.meta.url);
const LIMIT_MS = 5_000;

/**
 * `refreshToken` null: there is no such record. `unreadable`: there is one that the product could
 * not use.
 * @typedef {{ refreshToken: string | null, unreadable: string | null }} StoredSession
 */

/**
 * `heldAttempt`: the id of the attempt with this state when the keyring holds it.
 * @typedef {{ session: (accountId: string) => Promise<StoredSession>, heldAttempt: (state: string)
 *   => Promise<string | null>, close: () => void }} KeyringReader
 */

/**
 * @param {{ env: NodeJS.ProcessEnv, service: string, clientId: string }} options
 * @returns {Promise<KeyringReader>}
 */
export async function openKeyring({ env, service, clientId }) {
  const { createChunkedStore } =
    /** @type {typeof import('../../src/main/core/storage/chunked-store.js')} */ (
      await built('core/storage/chunked-store.js')
    );
  const { parseRecord, recordKey } =
    /** @type {typeof import('../../src/main/core/storage/records.js')} */ (
      await built('core/storage/records.js')
    );
  const child = fork(fileURLToPath(import.meta.url), [service], {
    env,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  /** @type {Map<number, (value: string | null) => void>} */
  const waiting = new Map();
  let lastId = 0;
  child.on('message', (message) => {
    const { id, value } = /** @type {{ id: number, value: string | null }} */ (message);
    waiting.get(id)?.(value);
    waiting.delete(id);
  });

  /**
   * @param {string} key
   * @returns {Promise<string | null>}
   */
  const get = (key) =>
    new Promise((resolve, reject) => {
      const id = (lastId += 1);
      const timer = setTimeout(
        () => reject(new Error('the keyring does not answer the storm')),
        LIMIT_MS,
      );
      waiting.set(id, (value) => {
        clearTimeout(timer);
        resolve(value);
      });
      child.send({ id, key });
    });
  const refuse = () => Promise.reject(new Error('the storm only reads'));
  const store = createChunkedStore({
    async read(key) {
      const value = await get(key);
      return value === null ? { state: 'absent' } : { state: 'found', value };
    },
    write: refuse,
    remove: refuse,
    close() {},
  });

  return {
    async session(accountId) {
      const reading = await store.read(recordKey(accountId), false);
      if (reading.state === 'absent') return { refreshToken: null, unreadable: null };
      if (reading.state !== 'found') return { refreshToken: null, unreadable: reading.detail };
      const parsed = parseRecord(reading.value, { clientId, accountId });
      return parsed.state === 'record'
        ? { refreshToken: parsed.record.refreshToken, unreadable: null }
        : {
            refreshToken: null,
            unreadable: parsed.state === 'foreign' ? 'another client' : parsed.detail,
          };
    },
    async heldAttempt(state) {
      const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(state));
      const id = Buffer.from(digest).toString('base64url').slice(0, 22);
      return (await get(`attempt:${id}`)) === null ? null : id;
    },
    close: () => void child.kill(),
  };
}

/**
 * @param {string} path
 * @returns {Promise<unknown>}
 */
function built(path) {
  return import(new URL(path, DIST).href);
}

async function serve() {
  const { decodeValue } =
    /** @type {typeof import('../../src/main/adapters/secrets/keychain-protocol.js')} */ (
      await built('adapters/secrets/keychain-protocol.js')
    );
  const { default: keytar } = await import('keytar');
  process.on('message', (message) => {
    const { id, key } = /** @type {{ id: number, key: string }} */ (message);
    void keytar
      .getPassword(process.argv[2] ?? '', key)
      .then((stored) =>
        process.send?.({ id, value: stored === null ? null : decodeValue(stored) }),
      );
  });
  process.on('disconnect', () => process.exit());
}

if (process.argv[1] === fileURLToPath(import.meta.url)) void serve();
