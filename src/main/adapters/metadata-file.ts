// MetadataFile in userData: the provider's public metadata, so that the next start need not fetch
// it. Plain text, not secret. If the file is damaged, too large or cannot be written, the start is
// only slower: nothing here rejects.
import { join } from 'node:path';
import type { KeptMetadata, MetadataFile } from '../core/base/ports.js';
import { readWhole, writeWhole } from './whole-file.js';

const NAME = 'latchkey-metadata.json';
/**
 * Twenty endpoints of 2,048 characters and some lists of words. Somebody else wrote a larger file.
 */
const FILE_BYTES = 65_536;

/** Creates it for a folder. Reads and writes nothing before the first call. */
export function createMetadataFile(folder: string): MetadataFile {
  const path = join(folder, NAME);

  return {
    async load(): Promise<unknown> {
      try {
        // Does not wait: asking the provider takes no longer.
        const bytes = await readWhole(path, FILE_BYTES, false);
        return bytes === null ? null : (JSON.parse(bytes.toString('utf8')) as unknown);
      } catch {
        return null;
      }
    },
    async save(content: KeptMetadata): Promise<void> {
      // The next start asks the provider.
      await writeWhole(path, `${JSON.stringify(content, null, 2)}\n`).catch(() => undefined);
    },
  };
}
