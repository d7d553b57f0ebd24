// SecretStore over two SecretStores: the keychain, and sealed files that safeStorage encrypts.
// Decides where a value lives. What is sealed counts: a sealed file is at once the newest value and
// the record of the choice, so one rename switches. May not skip a store that is locked, may not
// move anything while reading, and removes an old copy only behind a new one.
import type { SecretStoreKind } from '../../../contract.js';
import { createKeySequencer } from './key-sequencer.js';
import type { SealedStore, SecretOutcome, SecretReading, SecretStore } from '../base/ports.js';

/**
 * `auto`: the keychain, and where there is none the sealed files. The other two: that one only, and
 * home comes what is elsewhere.
 */
export type StoreChoice = 'auto' | 'keychain' | 'safe-storage';

/**
 * In front of the key, in the sealed files: the keychain may still hold an older copy, to be
 * removed with the value.
 */
const LEFT_MARK = 'latchkey-left:';

export interface Stores {
  readonly keychain: SecretStore;
  readonly sealed: SealedStore;
}

/**
 * Chooses by evidence, for each key, and never by a guess at start:
 * - A value that is sealed is read and written there, until it is removed or the choice is
 *   `keychain`.
 * - Else the keychain has it, if anybody. With `auto` a write goes to the sealed files only when
 *   the keychain is `unavailable`; `locked` is the answer when it is locked or slow. With
 *   `safe-storage` a write always goes there.
 * - A value moves only with a write, which has the newest. The store that it leaves is cleared
 *   after the other has it; an old copy that could not be cleared is never read, is tried again
 *   once in each run, and makes a removal fail.
 *
 * A kill at any moment leaves the old or the new value to be read. Two processes may read at any
 * time, but must not write or remove one key at once: see `Lock`. A call that waits for another one
 * on its key shares its `locked`.
 */
export function createFallbackStore(
  choice: StoreChoice,
  { keychain, sealed }: Stores,
): SecretStore {
  const inSequence = createKeySequencer();
  const stores = new Map<string, SecretStoreKind>();
  /** Keys of which the keychain surely or probably holds a copy. */
  const inKeychain = new Set<string>();
  /**
   * Keys whose old copy was tried to be cleared in this run: each try may open a password dialog.
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
    // Both refuse: the keychain's reason is the one that can be mended, unless a dialog is open.
    return instead.state === 'unavailable' ? outcome : instead;
  }

  /**
   * Nothing is sealed yet. What the keychain may hold is noted first: after the write nobody would
   * think of it.
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
      // Not waited for: it may meet a password dialog, and the value is stored. The keychain keeps
      // the order of calls.
      void clearKeychain(key);
    }
    return outcome;
  }

  /** The file has the newest value and goes only after the keychain has read the same back. */
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
