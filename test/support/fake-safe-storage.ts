// Stands in for Electron's asynchronous safeStorage: really encrypts, tags as Chromium does, and
// has its troubles. Typed by Electron, so that a change of its API fails the compiler. No real
// Electron ≥ 42 was at hand to prove it honest.
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { AsyncSafeStorage } from '../../src/main/adapters/secrets/safe-storage.js';

/**
 * `works`; `prompting`: every call waits until the mode changes; `keyless`: no keyring gave a key,
 * so the password of Chromium's source code is used, with its tag; `plain`: no encryption at all;
 * `away`: the key is there, but not now; `missing`: never available.
 */
export type FakeSafeStorageMode = 'works' | 'prompting' | 'keyless' | 'plain' | 'away' | 'missing';

export interface FakeSafeStorage extends AsyncSafeStorage {
  readonly calls: readonly string[];
  setMode(mode: FakeSafeStorageMode): void;
  /** What was encrypted before can still be read, and is reported as outdated. */
  rotate(): void;
  /** Another computer, or another user: what was encrypted before cannot be read any more. */
  forgetKeys(): void;
  /** The next encryption answers bytes that decrypt to something else. */
  damageNext(): void;
}

const KEYLESS = { tag: 'v10', bytes: Buffer.alloc(32, 'peanuts') };

export function createFakeSafeStorage(initial: FakeSafeStorageMode = 'works'): FakeSafeStorage {
  const calls: string[] = [];
  const newKey = (): { tag: string; bytes: Buffer } => ({
    tag: `v1${1 + (keys?.length ?? 0)}`,
    bytes: randomBytes(32),
  });
  let keys: { readonly tag: string; readonly bytes: Buffer }[] = [];
  keys = [newKey()];
  let mode = initial;
  let damaged = false;
  let wake = (): void => {};

  async function enter(name: string): Promise<void> {
    calls.push(name);
    while (mode === 'prompting')
      await new Promise<void>((resolve) => {
        const before = wake;
        wake = () => {
          before();
          resolve();
        };
      });
  }

  return {
    calls,
    setMode(next) {
      mode = next;
      wake();
      wake = () => {};
    },
    rotate: () => void keys.unshift(newKey()),
    forgetKeys: () => void (keys = [newKey()]),
    damageNext: () => void (damaged = true),
    async isAsyncEncryptionAvailable() {
      await enter('available');
      return mode !== 'missing';
    },
    async encryptStringAsync(plainText) {
      await enter('encrypt');
      if (mode === 'missing')
        throw new Error(
          'Error while encrypting the text provided to safeStorage.encryptStringAsync.',
        );
      if (mode === 'plain') return Buffer.from(plainText);
      const text = damaged ? '{}' : plainText;
      damaged = false;
      const { tag, bytes } = mode === 'keyless' ? KEYLESS : keys[0]!;
      const iv = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', bytes, iv);
      return Buffer.concat([
        Buffer.from(tag),
        iv,
        cipher.update(text, 'utf8'),
        cipher.final(),
        cipher.getAuthTag(),
      ]);
    },
    async decryptStringAsync(encrypted) {
      await enter('decrypt');
      if (mode === 'away')
        throw new Error(
          'safeStorage.decryptStringAsync is temporarily unavailable. Please try again.',
        );
      const known = mode === 'keyless' || mode === 'missing' ? [KEYLESS] : keys;
      const index = known.findIndex(
        ({ tag }) => tag === encrypted.subarray(0, 3).toString('latin1'),
      );
      const failed = new Error(
        'Error while decrypting the ciphertext provided to safeStorage.decryptStringAsync.',
      );
      if (index === -1) throw failed;
      try {
        const decipher = createDecipheriv(
          'aes-256-gcm',
          known[index]!.bytes,
          encrypted.subarray(3, 15),
        ).setAuthTag(encrypted.subarray(-16));
        const result =
          decipher.update(encrypted.subarray(15, -16), undefined, 'utf8') + decipher.final('utf8');
        return { result, shouldReEncrypt: index > 0 };
      } catch {
        throw failed;
      }
    },
  };
}
