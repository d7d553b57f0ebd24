// Sessions at rest over a keyring: two client ids keep apart, and a locked keyring keeps a record
// until it was read.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createKeychain } from '../../src/main/adapters/secrets/keychain.js';
import { createStoredState } from '../../src/main/core/storage/stored-state.js';
import type { SecretStore } from '../../src/main/core/base/ports.js';
import type { SessionRecord } from '../../src/main/core/storage/records.js';
import { createChunkedStore } from '../../src/main/core/storage/chunked-store.js';
import {
  type SessionStore,
  createSessionStore,
} from '../../src/main/core/storage/session-store.js';
import { createFakeLock } from '../support/fake-lock.js';
import {
  type FakeStateStore,
  createFakeLog,
  createFakeSecretStore,
  createFakeStateStore,
} from '../support/fakes.js';
import { forkKeychainWorker } from '../support/keychain-process.js';
import { type Keyring, haveParts, startPrivateKeyring } from '../support/keyring.js';

const issuer = 'https://id.example';
const ada = { id: 'ada-id', issuer, subject: 'ada' };
const recordOf = (clientId: string, refreshToken = `token of ${clientId}`): SessionRecord => ({
  version: 1,
  clientId,
  account: ada,
  refreshToken,
  scope: 'read',
  savedAt: 7,
  access: null,
});

interface Subject {
  /** A store of a new process on the same keyring; each name is a keyring of its own. */
  open(name: string): SecretStore;
  lock(): Promise<void>;
  unlock(): Promise<void>;
}

async function vaultOf(
  secrets: SecretStore,
  clientId: string,
  file: FakeStateStore,
): Promise<SessionStore> {
  const known = createStoredState(file, createFakeLock(), { issuer, clientId }, createFakeLog());
  await known.load();
  return createSessionStore(secrets, known, clientId, createFakeLog());
}

function cases(subject: () => Subject): void {
  it.each(['one file', 'a file of its own'] as const)(
    'two client ids with %s each keep, find and remove their own record',
    async (files) => {
      const file = createFakeStateStore();
      const other = files === 'one file' ? file : createFakeStateStore();
      const of = { me: file, you: other };
      const name = `two, ${files}`;
      for (const clientId of ['me', 'you'] as const)
        expect(
          await (
            await vaultOf(subject().open(name), clientId, of[clientId])
          ).write(recordOf(clientId)),
        ).toBeNull();
      for (const clientId of ['me', 'you', 'me'] as const) {
        const vault = await vaultOf(subject().open(name), clientId, of[clientId]);
        expect(await vault.read(ada)).toEqual({ state: 'record', record: recordOf(clientId) });
        expect(await vault.write(recordOf(clientId))).toBeNull();
      }
      const leaving = await vaultOf(subject().open(name), 'me', of.me);
      await leaving.oweRemoval(ada);
      await leaving.remove(ada);
      expect(await (await vaultOf(subject().open(name), 'you', of.you)).read(ada)).toEqual({
        state: 'record',
        record: recordOf('you'),
      });
      expect(await (await vaultOf(subject().open(name), 'me', of.me)).read(ada)).toMatchObject({
        state: 'absent',
      });
    },
  );

  it('a locked keyring gives the token of a session that was signed out when it opens, and then only the token is left', async () => {
    const file = createFakeStateStore();
    const vault = await vaultOf(subject().open('locked'), 'me', file);
    expect(await vault.write(recordOf('me'))).toBeNull();
    await subject().lock();
    const next = await vaultOf(subject().open('locked'), 'me', file);
    await next.oweRemoval(ada);
    expect(await next.keepToken(ada, () => null, 5_000)).toBeNull();
    expect([await next.readOwed(ada), next.owed()]).toEqual([{ state: 'locked' }, [ada]]);
    await next.remove(ada);
    await subject().unlock();
    const last = await vaultOf(subject().open('locked'), 'me', file);
    expect(await last.readOwed(ada)).toEqual({ state: 'token', token: 'token of me' });
    expect(await last.keepToken(ada, () => null, 5_000)).toBe(5_000);
    expect([
      await last.readOwed(ada),
      await last.read(ada),
      await last.keepToken(ada, () => null, 9_000),
      last.owed(),
    ]).toEqual([{ state: 'token', token: 'token of me' }, { state: 'absent' }, 5_000, [ada]]);
    await last.remove(ada);
    expect([last.owed(), await last.readOwed(ada)]).toEqual([[], { state: 'none' }]);
  });
}

describe('owners on the fake keyring', () => {
  const entries = new Map<string, Map<string, string>>();
  let mode: 'works' | 'locked' = 'works';
  cases(() => ({
    open(name) {
      const kept = entries.get(name) ?? new Map<string, string>();
      entries.set(name, kept);
      return createFakeSecretStore(mode, kept);
    },
    lock: async () => {
      mode = 'locked';
    },
    unlock: async () => {
      mode = 'works';
    },
  }));
});

describe.skipIf(!haveParts('gnome-keyring-daemon', 'dbus-daemon', 'gdbus'))(
  'owners on a genuine keyring',
  () => {
    let keyring: Keyring;
    const stores: SecretStore[] = [];
    beforeAll(async () => {
      keyring = await startPrivateKeyring('unlocked');
    }, 60_000);
    afterAll(() => {
      for (const store of stores) store.close();
      keyring.stop();
    });
    cases(() => ({
      open(name) {
        const store = createChunkedStore(
          createKeychain({
            service: `latchkey owners ${name}`,
            timeoutMs: 10_000,
            fork: () => forkKeychainWorker(keyring.env),
          }),
        );
        stores.push(store);
        return store;
      },
      lock: keyring.lock,
      unlock: keyring.unlock,
    }));
  },
);
