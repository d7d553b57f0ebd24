// SealedStore over Electron's asynchronous safeStorage (Electron ≥ 42): the operating system keeps
// the key, files keep the values. May not write what is not truly encrypted, may not delete what it
// cannot read, and asks for no key while there is nothing to open.
import { join } from 'node:path';
import { type SafeStorage, app, safeStorage as electronSafeStorage } from 'electron';
import type { SealedStore, SecretOutcome, SecretReading } from '../../core/base/ports.js';
import { CLOSED, type Failure, createCallQueue } from './call-queue.js';
import { type SealedFiles, createSealedFiles } from './sealed-files.js';
import { errnoOf } from '../whole-file.js';

/**
 * The first releases of Electron 42 say "not available" until the key has come, and crash when used
 * before (electron#51759).
 */
const AVAILABLE_TRIES = 20;
const AVAILABLE_PAUSE_MS = 100;
/**
 * Chromium's tag of the key provider. On Linux `v10` is a password that stands in its source code;
 * what has no tag is plain.
 */
const TRUSTED_LINUX_TAG = /^v(?:1[1-9]|[2-9]\d)/;
/** Electron gives no code for it. Not verified on a real Electron ≥ 42. */
const TEMPORARY = /temporarily unavailable/;

export type AsyncSafeStorage = Pick<
  SafeStorage,
  'isAsyncEncryptionAvailable' | 'encryptStringAsync' | 'decryptStringAsync'
>;

export interface SafeStorageOptions {
  /** How long one call may take from being made, its wait for others included. */
  readonly timeoutMs: number;
  /**
   * Default: Electron's. One without the asynchronous functions makes every call for a value
   * `unavailable`.
   */
  readonly safeStorage?: Partial<AsyncSafeStorage> | undefined;
  /**
   * The folder of the files. Default: `latchkey-secrets` in the app's userData folder at the first
   * call.
   */
  readonly folder?: string;
  /** Default: this process's. */
  readonly platform?: NodeJS.Platform;
  readonly electronVersion?: string;
}

interface Opened {
  readonly value: string;
  readonly stale: boolean;
}

const TIMED_OUT: Failure = {
  state: 'locked',
  detail: 'safeStorage did not answer in time, as when a password dialog stays open',
};
const NOT_NOW: Failure = {
  state: 'locked',
  detail: 'safeStorage says that its key is temporarily unavailable',
};
const NOT_AVAILABLE: Failure = {
  state: 'unavailable',
  detail: 'safeStorage says that encryption is not available',
};
const WORTHLESS: Failure = {
  state: 'unavailable',
  detail:
    'no keyring gave safeStorage a key when the app started, and without one it uses a password that everybody knows',
};
const NOT_ENCRYPTED: Failure = { state: 'unavailable', detail: 'safeStorage does not encrypt' };
const NOT_OPENED: Failure = {
  state: 'unavailable',
  detail: 'the stored value cannot be decrypted here; it is kept',
};
const NOT_OURS: Failure = {
  state: 'unavailable',
  detail: 'the stored file is of a later version or damaged; it is kept',
};
const NOT_KEPT: Failure = {
  state: 'unavailable',
  detail: 'safeStorage did not give back what was written',
};

/**
 * Creates the store. Calls run one after the other; when a call's time is up, every call that waits
 * is `locked`, and what comes late from safeStorage changes no file. A missing file is `absent` and
 * can be removed whatever the state of the key: that is sure without it. A value is replaced only
 * when its successor could be decrypted again. A value with an outdated key is encrypted again
 * after it was read, unless another process wrote meanwhile.
 */
export function createSafeStorage({
  timeoutMs,
  safeStorage = electronSafeStorage,
  folder,
  platform = process.platform,
  electronVersion = process.versions['electron'] ?? 'unknown',
}: SafeStorageOptions): SealedStore {
  const files: SealedFiles = createSealedFiles(
    () => folder ?? join(app.getPath('userData'), 'latchkey-secrets'),
  );
  let disk: Promise<unknown> = Promise.resolve();
  const calls = createCallQueue({
    timeoutMs,
    timedOut: TIMED_OUT,
    failureOf: diskFailure,
    // A call that hangs in safeStorage is abandoned. A write that has begun on the disk is not
    // overtaken.
    onAbandon: () => disk,
  });

  function onDisk(isOver: () => boolean, change: () => Promise<void>): Promise<SecretOutcome> {
    if (isOver()) return Promise.resolve(CLOSED);
    const changing = change().then((): SecretOutcome => ({ state: 'done' }), diskFailure);
    disk = changing;
    return changing;
  }

  async function ready(isOver: () => boolean): Promise<AsyncSafeStorage | Failure> {
    const { isAsyncEncryptionAvailable, encryptStringAsync, decryptStringAsync } = safeStorage;
    if (
      isAsyncEncryptionAvailable === undefined ||
      encryptStringAsync === undefined ||
      decryptStringAsync === undefined
    ) {
      return {
        state: 'unavailable',
        detail: `Electron ${electronVersion} has no asynchronous safeStorage, which came with version 42`,
      };
    }
    await app.whenReady();
    const storage = safeStorage as AsyncSafeStorage;
    for (let tries = 1; tries <= AVAILABLE_TRIES && !isOver(); tries += 1) {
      // Those first releases answer a plain boolean.
      if (await settled(() => storage.isAsyncEncryptionAvailable())) return storage;
      await new Promise((resolve) => setTimeout(resolve, AVAILABLE_PAUSE_MS));
    }
    return NOT_AVAILABLE;
  }

  async function seal(
    storage: AsyncSafeStorage,
    key: string,
    value: string,
  ): Promise<Buffer | Failure> {
    // The key goes in, so that a file under another name opens nothing. JSON keeps NUL and lone
    // surrogates.
    const text = JSON.stringify({ key, value });
    const sealed = await settled(() => storage.encryptStringAsync(text));
    if (sealed === null) return NOT_AVAILABLE;
    if (sealed.includes(text)) return NOT_ENCRYPTED;
    if (!isTrusted(sealed)) return WORTHLESS;
    const back = await unseal(storage, key, sealed);
    return 'value' in back && back.value === value ? sealed : NOT_KEPT;
  }

  async function unseal(
    storage: AsyncSafeStorage,
    key: string,
    sealed: Buffer,
  ): Promise<Opened | Failure> {
    if (!isTrusted(sealed)) return NOT_OPENED;
    try {
      const { result, shouldReEncrypt } = await storage.decryptStringAsync(sealed);
      const value = valueOf(result, key);
      return value === null ? NOT_OURS : { value, stale: shouldReEncrypt };
    } catch (thrown) {
      return thrown instanceof Error && TEMPORARY.test(thrown.message) ? NOT_NOW : NOT_OPENED;
    }
  }

  function isTrusted(sealed: Buffer): boolean {
    return platform !== 'linux' || TRUSTED_LINUX_TAG.test(sealed.subarray(0, 3).toString('latin1'));
  }

  async function sealAgain(
    storage: AsyncSafeStorage,
    key: string,
    value: string,
    old: Buffer,
    isOver: () => boolean,
  ): Promise<void> {
    const sealed = await seal(storage, key, value);
    if (!Buffer.isBuffer(sealed)) return;
    // Another process may have stored a newer value while we encrypted; what it could do between
    // this look and the replacement is the accepted rest, once in the life of a key.
    const now = await files.load(key);
    if (Buffer.isBuffer(now) && now.equals(old))
      await onDisk(isOver, () => files.replace(key, sealed));
  }

  return {
    read(key): Promise<SecretReading> {
      return calls.run<SecretReading>(key, async (isOver) => {
        const sealed = await files.load(key);
        if (sealed === null) return { state: 'absent' };
        if (sealed === 'foreign') return NOT_OURS;
        const storage = await ready(isOver);
        if ('state' in storage) return storage;
        const opened = await unseal(storage, key, sealed);
        if ('state' in opened) return opened;
        if (opened.stale)
          await sealAgain(storage, key, opened.value, sealed, isOver).catch(() => undefined);
        return { state: 'found', value: opened.value };
      });
    },
    write(key, value): Promise<SecretOutcome> {
      return calls.run<SecretOutcome>(key, async (isOver) => {
        const storage = await ready(isOver);
        if ('state' in storage) return storage;
        const sealed = await seal(storage, key, value);
        return Buffer.isBuffer(sealed)
          ? await onDisk(isOver, () => files.replace(key, sealed))
          : sealed;
      });
    },
    async has(key) {
      return (await files.load(key).catch(() => 'foreign')) !== null;
    },
    remove: (key) =>
      calls.run<SecretOutcome>(key, (isOver) => onDisk(isOver, () => files.remove(key))),
    close: () => {
      calls.close();
    },
  };
}

/** Null for whatever is thrown or rejected. */
async function settled<T>(call: () => Promise<T>): Promise<T | null> {
  try {
    return await call();
  } catch {
    return null;
  }
}

function valueOf(text: string, key: string): string | null {
  try {
    const envelope = JSON.parse(text) as {
      readonly key?: unknown;
      readonly value?: unknown;
    } | null;
    return envelope?.key === key && typeof envelope.value === 'string' ? envelope.value : null;
  } catch {
    return null;
  }
}

/** Only the code: a message of Node contains the path, and with it the person's name. */
function diskFailure(thrown: unknown): Failure {
  return {
    state: 'unavailable',
    detail: `the file of the secret cannot be used (${errnoOf(thrown)})`,
  };
}
