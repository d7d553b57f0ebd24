// SecretStore over two SecretStores: the keychain, and files that safeStorage encrypts (sealed).
// A sealed file has priority: it is the newest value and also records the choice, so one rename
// switches. May not skip a locked store or move anything while reading, and may remove an old copy
// only after the new one is stored.
import type { SecretStoreKind } from '../../../contract.js';
import { createKeySequencer } from './key-sequencer.js';
import type { SealedStore, SecretOutcome, SecretReading, SecretStore } from '../base/ports.js';
import type { StoreChoice } from '../options/auth-options.js';

/**
 * A prefix of the key in the sealed files: the keychain may still hold an older copy, which must be
 * removed with the value.
 */
const LEFT_MARK = 'latchkey-left:';

export interface Stores {
  readonly keychain: SecretStore;
  readonly sealed: SealedStore;
}

/**
 * Chooses by evidence, for each key, and never by a guess at the start:
 * - A sealed value is read and written in the sealed files until it is removed or the choice is
 *   `keychain`.
 * - Any other value is in the keychain or nowhere. With `auto` a write goes to the sealed files
 *   only when the keychain is `unavailable`; when it is locked or slow, the answer is `locked`.
 *   With `safe-storage` a write always goes to the sealed files.
 * - A value moves only with a write, because a write has the newest value. The old store is cleared
 *   after the new one has the value. An old copy that could not be cleared is never read. Each run
 *   tries once to clear it, and it makes a removal fail.
 *
 * A kill at any moment leaves the old or the new value readable. Two processes may read at any
 * time, but must not write or remove the same key at the same time: see `Lock`. A call that waits
 * for another call on its key shares its `locked`.
 */
export function createFallbackStore(
  choice: StoreChoice,
  { keychain, sealed }: Stores,
): SecretStore {
  const inSequence = createKeySequencer();
  const stores = new Map<string, SecretStoreKind>();
  /** Keys that the keychain surely or probably holds. */
  const inKeychain = new Set<string>();
  /**
   * Keys whose old copy this run has tried to clear: each try may open a password dialog.
   */
  const tried = new Set<string>();

  return {
    read: (key, expected) => inSequence(key, () => read(key, expected)),
    write: (key, value) => inSequence(key, () => write(key, value)),
    remove: (key) => inSequence(key, () => remove(key)),
    storeOf: (key) => stores.get(key) ?? (choice === 'safe-storage' ? 'safe-storage' : 'keychain'),
    close() {
      keychain.close();
      sealed.close();
    },
  };

  async function read(key: string, expected: boolean): Promise<SecretReading> {
    const inFile = await sealed.read(key, expected);
    if (inFile.state !== 'absent') {
      stores.set(key, 'safe-storage');
      return inFile;
    }
    const reading = await keychain.read(key, expected);
    stores.set(key, 'keychain');
    if (reading.state === 'found' || (expected && reading.state !== 'absent')) inKeychain.add(key);
    return reading;
  }

  async function write(key: string, value: string): Promise<SecretOutcome> {
    if (await sealed.has(key)) return await writeSealed(key, value);
    if (choice === 'safe-storage') return await moveToSealed(key, value);
    const outcome = await keychain.write(key, value);
    if (outcome.state === 'done') {
      inKeychain.add(key);
      stores.set(key, 'keychain');
    }
    if (outcome.state !== 'unavailable' || choice === 'keychain') return outcome;
    const instead = await moveToSealed(key, value);
    // If both refuse, the person can only do something about the keychain's reason, unless a dialog
    // is open.
    return instead.state === 'unavailable' ? outcome : instead;
  }

  /**
   * For a key that is not sealed yet. Notes first what the keychain may hold: after the write
   * nothing else would tell of that copy.
   */
  async function moveToSealed(key: string, value: string): Promise<SecretOutcome> {
    if (!inKeychain.has(key)) return await writeSealed(key, value);
    const noted = await note(key);
    return noted.state === 'done' ? await writeSealed(key, value) : noted;
  }

  async function writeSealed(key: string, value: string): Promise<SecretOutcome> {
    const outcome = await sealed.write(key, value);
    if (outcome.state !== 'done') return outcome;
    stores.set(key, 'safe-storage');
    if (choice === 'keychain') await moveBack(key, value);
    else if (!tried.has(key) && (await isLeft(key))) {
      tried.add(key);
      // Not awaited: it may open a password dialog, and the value is already stored. The keychain
      // keeps the order of calls.
      void clearKeychain(key);
    }
    return outcome;
  }

  /** Removes the file, which has the newest value, only after the keychain has read it back. */
  async function moveBack(key: string, value: string): Promise<void> {
    if ((await note(key)).state !== 'done') return;
    if ((await keychain.write(key, value)).state !== 'done') return;
    inKeychain.add(key);
    if ((await sealed.remove(key)).state !== 'done') return;
    stores.set(key, 'keychain');
    await sealed.remove(LEFT_MARK + key);
  }

  async function remove(key: string): Promise<SecretOutcome> {
    const elsewhere = !(await sealed.has(key)) || (await isLeft(key));
    const outcome = await sealed.remove(key);
    return outcome.state === 'done' && elsewhere ? await clearKeychain(key) : outcome;
  }

  async function isLeft(key: string): Promise<boolean> {
    return inKeychain.has(key) || (await sealed.has(LEFT_MARK + key));
  }

  async function note(key: string): Promise<SecretOutcome> {
    return (await sealed.has(LEFT_MARK + key))
      ? { state: 'done' }
      : await sealed.write(LEFT_MARK + key, 'keychain');
  }

  async function clearKeychain(key: string): Promise<SecretOutcome> {
    const outcome = await keychain.remove(key);
    if (outcome.state !== 'done') return outcome;
    inKeychain.delete(key);
    return await sealed.remove(LEFT_MARK + key);
  }
}
