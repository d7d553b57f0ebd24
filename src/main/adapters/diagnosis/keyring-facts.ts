// Tries the secret store like a sign-in: writes an entry without meaning, reads it, removes it.
// Names the keyring's program if the system knows it. Does not import Electron, so that `latchkey
// doctor` can use it.
import { readFile } from 'node:fs/promises';
import type { KeyringFacts } from '../../diagnosis/facts.js';
import { LIMITS } from '../../core/base/limits.js';
import type { SecretStore } from '../../core/base/ports.js';
import { type Environment, runTool } from '../run-tool.js';

/** The test entry. The stores themselves use other names. */
const ENTRY = 'latchkey-doctor';
const BACKEND_LIMIT_MS = 2_000;

/**
 * Ends within `LIMITS.diagnosisKeyringMs`, plus some time for the name of the program. A locked
 * keyring may open its password dialog. If a slow keyring stores the entry after that time, the
 * entry is then removed. Never rejects.
 */
export async function tryKeyring(store: SecretStore, env: Environment): Promise<KeyringFacts> {
  const startedAt = performance.now();
  let cancel = (): void => {};
  const silence = new Promise<'silent'>((resolve) => {
    const timer = setTimeout(() => resolve('silent'), LIMITS.diagnosisKeyringMs);
    cancel = () => clearTimeout(timer);
  });
  const tried = await Promise.race([writeReadRemove(store), silence]);
  cancel();
  const tookMs = Math.round(performance.now() - startedAt);
  const backend = await findBackend(env);
  const home = store.storeOf?.(ENTRY) ?? 'keychain';
  if (tried === 'silent') return { outcome: 'silent', detail: '', store: home, backend, tookMs };
  return { ...tried, store: home, backend, tookMs };
}

async function writeReadRemove(
  store: SecretStore,
): Promise<Pick<KeyringFacts, 'outcome' | 'detail'>> {
  const written = await store.write(ENTRY, 'harmless');
  if (written.state !== 'done') return { outcome: written.state, detail: written.detail };
  const reading = await store.read(ENTRY, true);
  const removed = await store.remove(ENTRY);
  if (reading.state === 'locked' || reading.state === 'unavailable')
    return { outcome: reading.state, detail: reading.detail };
  if (reading.state === 'absent')
    return { outcome: 'unavailable', detail: 'it does not give back what it took' };
  if (removed.state !== 'done') return { outcome: removed.state, detail: removed.detail };
  return { outcome: 'works', detail: '' };
}

/**
 * Linux: the program that has the Secret Service's name on the session's bus. Asking starts none.
 */
async function findBackend(env: Environment): Promise<string | null> {
  if (process.platform === 'darwin') return 'Keychain';
  if (process.platform === 'win32') return 'Credential Manager';
  // Without an address the question itself would start a bus.
  if (env['DBUS_SESSION_BUS_ADDRESS'] === undefined) return null;
  const asked = await runTool(
    'dbus-send',
    [
      '--session',
      '--print-reply=literal',
      '--dest=org.freedesktop.DBus',
      '/org/freedesktop/DBus',
      'org.freedesktop.DBus.GetConnectionUnixProcessID',
      'string:org.freedesktop.secrets',
    ],
    env,
    BACKEND_LIMIT_MS,
  );
  const [, pid] = asked.state === 'ended' ? (/uint32 (\d+)/.exec(asked.output) ?? []) : [];
  if (pid === undefined) return null;
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return /[^/\0]+(?=\0|$)/.exec(command.split('\0')[0] ?? '')?.[0] ?? null;
}
