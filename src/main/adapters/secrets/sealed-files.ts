// Files of ciphertext, one for each key: written whole or not at all, mode 600, and named by a
// digest of the key. Knows nothing of encryption, and deletes only what it is told to.
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { errnoError, makeFolder, readWhole, removeWhole, writeWhole } from '../whole-file.js';

/**
 * What stands before the ciphertext; a file that begins otherwise is of a later version, or not
 * ours.
 */
const MARK = Buffer.from('latchkey-sealed/1\n');
/** Some long tokens of 16 kB each, sealed; a hundredfold was written by something else. */
const BYTES_MAX = 8_388_608;

/**
 * Every call rejects with a `NodeJS.ErrnoException` when the disk refuses, and ends in time when it
 * does not answer.
 */
export interface SealedFiles {
  /** Null when surely nothing is stored; `foreign` when the file is not of this version. */
  load(key: string): Promise<Buffer | 'foreign' | null>;
  /** Resolves when the bytes are on the disk and were read back; until then the old file stands. */
  replace(key: string, bytes: Buffer): Promise<void>;
  /** Also removes what interrupted writes left. Removing what is not there resolves. */
  remove(key: string): Promise<void>;
}

/** Creates the files in this folder, which is made at the first write. */
export function createSealedFiles(folder: () => string): SealedFiles {
  return {
    load,
    async replace(key, bytes) {
      await makeFolder(folder());
      await writeWhole(pathOf(key), Buffer.concat([MARK, bytes]));
      const stored = await load(key);
      if (!Buffer.isBuffer(stored) || !stored.equals(bytes)) throw errnoError('EIO');
    },
    remove: (key) => removeWhole(pathOf(key)),
  };

  async function load(key: string): Promise<Buffer | 'foreign' | null> {
    const content = await readWhole(pathOf(key), BYTES_MAX);
    if (content === null) return null;
    return content.subarray(0, MARK.length).equals(MARK)
      ? content.subarray(MARK.length)
      : 'foreign';
  }

  /** A digest: keys hold colons, which Windows forbids, and tell who is signed in. */
  function pathOf(key: string): string {
    return join(folder(), `${createHash('sha256').update(key).digest('hex').slice(0, 40)}.sealed`);
  }
}
