// Taking over an entry that another program wrote with keytar itself, on the genuine gnome-keyring,
// by the genuine worker, before the real provider: signed in without a browser, and the old entry
// gone. What is left open is Electron around it.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { createLegacyEntries } from '../../src/main/adapters/secrets/legacy-entries.js';
import { type Keychain, createKeychain } from '../../src/main/adapters/secrets/keychain.js';
import { createChunkedStore } from '../../src/main/core/storage/chunked-store.js';
import type { StateFileContent } from '../../src/main/core/base/ports.js';
import { type Provider, startProvider, subjectOf } from '../../src/testing/index.js';
import {
  type App,
  expectNoLeak,
  signedInView,
  startApp,
  stopApps,
  waitFor,
} from '../support/flow-app.js';
import { forkKeychainWorker } from '../support/keychain-process.js';
import { type Keyring, haveParts, startPrivateKeyring } from '../support/keyring.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const OLD = { service: 'Notes – old version', account: 'ada@example.com' };
const PLENTY_MS = 10_000;

/** What the earlier version of the app did, in a process of its own: keytar and nothing else. */
async function keytar(
  env: NodeJS.ProcessEnv,
  call: 'getPassword' | 'setPassword',
  ...values: readonly string[]
): Promise<string> {
  const script = `const { default: keytar } = await import('keytar'); const [call, ...given] = process.argv.slice(1); process.stdout.write(JSON.stringify(await keytar[call](...given) ?? null));`;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--input-type=module', '-e', script, call, OLD.service, OLD.account, ...values],
    { env, cwd: ROOT },
  );
  return stdout;
}

describe.skipIf(!haveParts('gnome-keyring-daemon', 'dbus-daemon', 'gdbus'))(
  'an entry of keytar that an earlier version left',
  () => {
    const cleanUps: (() => unknown)[] = [];
    afterEach(async () => {
      await stopApps();
      for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
    });

    async function world(): Promise<{
      readonly provider: Provider;
      readonly keyring: Keyring;
      readonly value: string;
      update(): Promise<App>;
      open(service: string): Keychain;
    }> {
      const [provider, keyring] = await Promise.all([
        startProvider(),
        startPrivateKeyring('unlocked'),
      ]);
      cleanUps.push(
        () => provider.stop(),
        () => keyring.stop(),
      );
      const open = (service: string): Keychain => {
        const keychain = createKeychain({
          service,
          timeoutMs: PLENTY_MS,
          fork: () => forkKeychainWorker(keyring.env),
        });
        cleanUps.push(() => keychain.close());
        return keychain;
      };
      const version1 = await startApp(provider);
      await version1.signIn();
      const { refreshToken } = JSON.parse([...version1.secrets.entries.values()][0]!) as {
        refreshToken: string;
      };
      await version1.engine.stop();
      const value = JSON.stringify({ v: 1, token: refreshToken });
      await keytar(keyring.env, 'setPassword', value);
      const migrateFrom = [
        {
          ...OLD,
          read: (text: string) => ({ refreshToken: (JSON.parse(text) as { token: string }).token }),
        },
      ];
      return {
        provider,
        keyring,
        value,
        open,
        update() {
          const keychain = open('latchkey:notes');
          return startApp(provider, {
            migrateFrom,
            secrets: createChunkedStore(keychain),
            legacyEntries: createLegacyEntries(migrateFrom, keychain.foreign, PLENTY_MS),
          });
        },
      };
    }

    const isClean = (app: App): Promise<void> =>
      waitFor(
        () => (app.file.content as StateFileContent | null)?.takeOver.stage === 'none',
        'the cleaning',
      );

    it('is the session of the new version at its first start, without a browser, and is gone afterwards', async () => {
      const { provider, keyring, open, update } = await world();
      const app = await update();
      await waitFor(() => app.engine.view().status === 'signed-in', 'the take-over');
      await isClean(app);
      expect([app.opened, signedInView(app).account.subject, signedInView(app).remembered]).toEqual(
        [[], subjectOf('ada'), true],
      );
      expect(await keytar(keyring.env, 'getPassword')).toBe('null');
      const record = await open('latchkey:notes').read(
        `session:${signedInView(app).account.id}`,
        true,
      );
      expect(record.state === 'found' && JSON.parse(record.value)).toMatchObject({
        account: { subject: subjectOf('ada') },
      });
      expectNoLeak(app, provider);
    });

    it('stays while the keyring is locked, and is taken over when it opens', async () => {
      const { keyring, value, update } = await world();
      await keyring.lock();
      const app = await update();
      expect(app.engine.view()).toMatchObject({ status: 'signed-out', reason: 'never' });
      await keyring.unlock();
      expect(JSON.parse(await keytar(keyring.env, 'getPassword'))).toBe(value);
      app.systemEvents.emit('unlock');
      await waitFor(() => app.engine.view().status === 'signed-in', 'the take-over');
      await isClean(app);
      expect(await keytar(keyring.env, 'getPassword')).toBe('null');
    });

    it('that the provider refuses is left exactly as it was', async () => {
      const { provider, keyring, value, update } = await world();
      provider.revokeAll();
      const app = await update();
      await waitFor(
        () => JSON.stringify(app.engine.view()).includes('session-ended'),
        'the refusal',
      );
      await isClean(app);
      expect(JSON.parse(await keytar(keyring.env, 'getPassword'))).toBe(value);
    });
  },
);
