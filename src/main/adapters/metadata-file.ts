// MetadataFile in userData: what the provider publishes to everybody, so that the next start need
// not ask. Plain, not secret. A file that is damaged, too large or cannot be written is only
// slower: nothing here rejects.
import { join } from 'node:path';
import type { KeptMetadata, MetadataFile } from '../core/base/ports.js';
import { readWhole, writeWhole } from './whole-file.js';

const NAME = 'latchkey-metadata.json';
/**
 * Twenty endpoints of 2,048 characters and some lists of words; more was written by somebody else.
 */
const FILE_BYTES = 65_536;

/** Creates it for a folder. Nothing is read or written before it is asked for. */
export function createMetadataFile(folder: string): MetadataFile {
  const path = join(folder, NAME);

  return {
    async load(): Promise<unknown> {
      try {
        // Without patience: to ask the provider takes no longer.
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
