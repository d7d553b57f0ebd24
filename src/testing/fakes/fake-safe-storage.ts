// Stands in for Electron's asynchronous safeStorage (Electron ≥ 42). Really encrypts, with a key of
// this process, and tags as Chromium does with a keyring's key.
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type * as Electron from 'electron';

/** The functions that Electron 42 brought. */
export type AsyncSafeStorage = Pick<
  Electron.SafeStorage,
  'isAsyncEncryptionAvailable' | 'encryptStringAsync' | 'decryptStringAsync'
>;

const TAG = 'v11';
const NONCE_BYTES = 12;
const SEAL_BYTES = 16;

/** Has the functions only while `exists` says so, as an older Electron has none. */
export function createFakeSafeStorage(exists: () => boolean): Partial<AsyncSafeStorage> {
  const key = randomBytes(32);
  const functions: AsyncSafeStorage = {
    isAsyncEncryptionAvailable: async () => true,
    async encryptStringAsync(text) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', key, nonce);
      const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
      return Buffer.concat([Buffer.from(TAG), nonce, cipher.getAuthTag(), sealed]);
    },
    async decryptStringAsync(sealed) {
      const nonceEnd = TAG.length + NONCE_BYTES;
      const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(TAG.length, nonceEnd));
      decipher.setAuthTag(sealed.subarray(nonceEnd, nonceEnd + SEAL_BYTES));
      const text = Buffer.concat([
        decipher.update(sealed.subarray(nonceEnd + SEAL_BYTES)),
        decipher.final(),
      ]).toString('utf8');
      return { result: text, shouldReEncrypt: false };
    },
  };
  const storage: Partial<AsyncSafeStorage> = {};
  for (const name of Object.keys(functions) as readonly (keyof AsyncSafeStorage)[]) {
    Object.defineProperty(storage, name, {
      get: () => (exists() ? functions[name] : undefined),
      configurable: true,
      enumerable: true,
    });
  }
  return storage;
}
