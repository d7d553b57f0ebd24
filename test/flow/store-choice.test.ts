// A session on a computer without a keyring, over real HTTP: genuine encrypted files under a
// stand-in for safeStorage.
import { mkdtempSync, readFileSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createSafeStorage } from '../../src/main/adapters/secrets/safe-storage.js';
import { createFallbackStore } from '../../src/main/core/storage/fallback-store.js';
import type { StoreChoice } from '../../src/main/core/options/auth-options.js';
import type { Provider } from '../../src/testing/index.js';
import { createFakeSafeStorage } from '../support/fake-safe-storage.js';
import { createFakeSecretStore, createFakeStateStore } from '../support/fakes.js';
import {
  type App,
  expectNoLeak,
  secretsIn,
  signedInView,
  startApp,
  startProvider,
  waitFor,
  stopApps,
} from '../support/flow-app.js';

let provider: Provider;
let folder: string;
beforeAll(async () => {
  provider = await startProvider();
});
afterAll(() => provider.stop());
beforeEach(() => {
  folder = mkdtempSync(join(realpathSync(tmpdir()), 'latchkey-sealed-'));
});
afterEach(async () => {
  await stopApps();
  rmSync(folder, { recursive: true, force: true });
});

const onDisk = (): readonly string[] =>
  readdirSync(folder).map((name) => readFileSync(join(folder, name), 'latin1'));

/**
 * One computer: its keychain, its safeStorage and its files stay, the app starts on it again and
 * again.
 */
function computer(): {
  keychain: ReturnType<typeof createFakeSecretStore>;
  safeStorage: ReturnType<typeof createFakeSafeStorage>;
  start(secretStore: StoreChoice): Promise<App>;
} {
  const keychain = createFakeSecretStore();
  const safeStorage = createFakeSafeStorage();
  const file = createFakeStateStore();
  return {
    keychain,
    safeStorage,
    start(secretStore) {
      const open = { ...keychain, close: () => undefined };
      const store = createFallbackStore(secretStore, {
        keychain: open,
        sealed: createSafeStorage({ timeoutMs: 5_000, safeStorage, folder, platform: 'linux' }),
      });
      return startApp(provider, { secretStore }, { secrets: { ...keychain, ...store }, file });
    },
  };
}

describe('without a keyring', () => {
  it('a session is kept in an encrypted file, comes back, is renewed there, and is gone after sign-out', async () => {
    const { keychain, start } = computer();
    keychain.setMode('unavailable');
    const first = await start('auto');
    await first.signIn();
    expect(signedInView(first)).toMatchObject({ remembered: true, store: 'safe-storage' });
    expect(secretsIn(onDisk().join(), provider)).toEqual([]);
    await first.engine.stop();

    const second = await start('auto');
    expect(signedInView(second)).toMatchObject({ remembered: true, store: 'safe-storage' });
    expect(second.opened).toEqual([]);
    await second.engine.signOut();
    await waitFor(() => onDisk().length === 0, 'the end of the file');
    expectNoLeak(first, provider);
    expectNoLeak(second, provider);
  });

  it('and with nothing but the password that everybody knows, it is not stored at all', async () => {
    const { keychain, safeStorage, start } = computer();
    keychain.setMode('unavailable');
    safeStorage.setMode('keyless');
    const app = await start('auto');
    await app.signIn();
    expect(signedInView(app)).toMatchObject({
      remembered: false,
      store: 'memory',
      error: { code: 'keyring-unavailable' },
    });
    expect(onDisk()).toEqual([]);
  });
});

describe('a change of the option', () => {
  it('takes the session along at its next write, and leaves nothing behind', async () => {
    const { keychain, start } = computer();
    const first = await start('keychain');
    await first.signIn();
    await first.engine.stop();
    expect(keychain.entries.size).toBe(1);

    const [[key, value]] = [...keychain.entries] as [[string, string]];
    keychain.entries.set(key, JSON.stringify({ ...(JSON.parse(value) as object), access: null }));
    const second = await start('safe-storage');
    await second.engine.getAccessToken();
    expect(signedInView(second)).toMatchObject({ remembered: true, store: 'safe-storage' });
    await second.engine.stop();
    expect(keychain.entries.size).toBe(0);

    const third = await start('safe-storage');
    expect(third.engine.view().status).toBe('signed-in');
    expect(third.opened).toEqual([]);
  });
});
