// Files of ciphertext, one for each key: written whole or not at all, mode 600, and named by a digest of the key.
// Knows nothing of encryption, and deletes only what it is told to.
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, open, readFile, readdir, rename, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';

/** What stands before the ciphertext; a file that begins otherwise is of a later version, or not ours. */
const MARK = Buffer.from('latchkey-sealed/1\n');
/** What a kill left in the middle of a write; a write that goes on is younger. */
const LEFTOVER_MS = 60_000;
/** Virus scanners on Windows hold a new file open for a moment. */
const RENAME_PAUSES_MS = [50, 200];

/** Every call rejects with a `NodeJS.ErrnoException` when the disk refuses. */
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
      const path = pathOf(key);
      await mkdir(folder(), { recursive: true, mode: 0o700 });
      const draft = `${path}.${randomBytes(6).toString('hex')}.new`;
      try {
        const file = await open(draft, 'wx', 0o600);
        try {
          await file.writeFile(Buffer.concat([MARK, bytes]));
          await file.sync();
        } finally {
          await file.close();
        }
        await renameOver(draft, path);
      } catch (thrown) {
        await unlinkIfThere(draft);
        throw thrown;
      }
      await syncFolder();
      const stored = await load(key);
      if (!Buffer.isBuffer(stored) || !stored.equals(bytes)) throw Object.assign(new Error('the file does not hold what was written'), { code: 'EIO' });
      await sweep(key, LEFTOVER_MS);
    },
    async remove(key) {
      await unlinkIfThere(pathOf(key));
      await sweep(key, 0);
      await syncFolder();
    },
  };

  async function load(key: string): Promise<Buffer | 'foreign' | null> {
    const content = await readFile(pathOf(key)).catch(nullIfAbsent);
    if (content === null) return null;
    return content.subarray(0, MARK.length).equals(MARK) ? content.subarray(MARK.length) : 'foreign';
  }

  /** A digest: keys hold colons, which Windows forbids, and tell who is signed in. */
  function pathOf(key: string): string {
    return join(folder(), `${createHash('sha256').update(key).digest('hex').slice(0, 40)}.sealed`);
  }

  async function sweep(key: string, olderThanMs: number): Promise<void> {
    const path = pathOf(key);
    for (const name of (await readdir(folder()).catch(nullIfAbsent)) ?? []) {
      const draft = join(folder(), name);
      if (!draft.startsWith(`${path}.`) || !draft.endsWith('.new')) continue;
      const facts = await stat(draft).catch(nullIfAbsent);
      if (facts !== null && Date.now() - facts.mtimeMs >= olderThanMs) await unlinkIfThere(draft);
    }
  }

  /** So that the new name survives a power cut. Windows cannot open a folder, and writes its names through. */
  async function syncFolder(): Promise<void> {
    if (process.platform === 'win32') return;
    const opened = await open(folder(), 'r').catch(nullIfAbsent);
    if (opened === null) return;
    await opened.sync().finally(() => opened.close());
  }
}

async function renameOver(from: string, to: string): Promise<void> {
  for (const pauseMs of RENAME_PAUSES_MS) {
    try {
      return await rename(from, to);
    } catch {
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
  await rename(from, to);
}

async function unlinkIfThere(path: string): Promise<void> {
  await unlink(path).catch(nullIfAbsent);
}

function nullIfAbsent(thrown: unknown): null {
  if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return null;
  throw thrown;
}
