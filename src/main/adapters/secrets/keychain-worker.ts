// Runs in a utility process: the only place that loads keytar, which may hang or crash without harm
// to the app. May not call findCredentials (it crashes on a locked keyring), and may not send a
// value anywhere but in a reply.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import {
  decodeValue,
  encodeValue,
  type WorkerReply,
  type WorkerRequest,
} from './keychain-protocol.js';

/** What is used of keytar's native part. It throws when it is given anything but texts. */
interface Keytar {
  getPassword(service: string, account: string): Promise<string | null>;
  setPassword(service: string, account: string, password: string): Promise<void>;
  deletePassword(service: string, account: string): Promise<boolean>;
}

/** Does one request; every failure of keytar becomes a reply. */
export async function answer(
  load: () => Promise<Keytar>,
  request: WorkerRequest,
): Promise<WorkerReply> {
  const { id } = request;
  try {
    const keytar = await load();
    const startedAt = performance.now();
    const value = await perform(keytar, request);
    return { id, ok: true, value, tookMs: performance.now() - startedAt };
  } catch (thrown) {
    return { id, ok: false, text: thrown instanceof Error ? thrown.message : 'not an error' };
  }
}

async function perform(keytar: Keytar, request: WorkerRequest): Promise<string | boolean | null> {
  const { service, account } = request;
  switch (request.op) {
    case 'get': {
      const stored = await keytar.getPassword(service, account);
      return stored === null ? null : decodeValue(stored);
    }
    case 'get-raw':
      return await keytar.getPassword(service, account);
    case 'set': {
      const stored = encodeValue(request.value);
      await keytar.setPassword(service, account, stored);
      // A keyring may report success without storing. So read the value back before anyone relies
      // on it.
      return (await keytar.getPassword(service, account)) === stored;
    }
    case 'delete':
      return await keytar.deletePassword(service, account);
  }
}

/** Loaded at the first call: a worker that is forked and never asked costs nothing. */
export async function loadKeytar(
  folder = fileURLToPath(new URL('../../../keytar/', import.meta.url)),
): Promise<Keytar> {
  const file = `${folder}${binaryName(process.platform, process.arch)}`;
  if (!existsSync(file)) throw new Error("keytar's binary is missing");
  try {
    return createRequire(import.meta.url)(file) as Keytar;
  } catch (thrown) {
    throw new Error(
      `keytar's binary does not load: ${thrown instanceof Error ? thrown.message : ''}`,
    );
  }
}

/** By the names of electron-builder's macros: scripts/package/keytar-binaries.mjs. */
export function binaryName(platform: string, arch: string): string {
  const os = { darwin: 'mac', win32: 'win' }[platform] ?? platform;
  return `${os}-${arch === 'arm' ? 'armv7l' : arch}.node`;
}

// Absent outside a utility process: then this module only lends `answer`.
process.parentPort?.on('message', ({ data }) => {
  void answer(loadKeytar, data as WorkerRequest).then((reply) =>
    process.parentPort.postMessage(reply),
  );
});
