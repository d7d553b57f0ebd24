// @ts-check
// A file for the peers that keep nothing themselves: written aside and renamed, which is the least
// that is safe.
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** @typedef {{ accessToken: string, refreshToken: string, expiresAt: number }} Kept */

/**
 * @param {string} folder
 * @param {'memory' | 'file' | 'keyring'} store
 */
export function keptIn(folder, store) {
  const file = join(folder, 'tokens.json');
  return {
    /** @param {Kept} kept */
    async write(kept) {
      if (store !== 'file') return;
      await writeFile(`${file}.new`, JSON.stringify(kept), { mode: 0o600 });
      await rename(`${file}.new`, file);
    },
    /** @returns {Promise<Kept | null>} */
    async read() {
      const text = store === 'file' ? await readFile(file, 'utf8').catch(() => '') : '';
      return text === '' ? null : /** @type {Kept} */ (JSON.parse(text));
    },
  };
}
