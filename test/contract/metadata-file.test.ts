// MetadataFile: what is kept on a real disk, and that no disk can do harm.
import {
  chmodSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createMetadataFile } from '../../src/main/adapters/metadata-file.js';
import type { KeptMetadata } from '../../src/main/core/base/ports.js';

const CONTENT: KeptMetadata = {
  schemaVersion: 1,
  published: {
    issuer: 'https://login.example.com',
    token_endpoint: 'https://login.example.com/token',
  },
};
const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) {
    chmodSync(folder, 0o700);
    rmSync(folder, { recursive: true, force: true });
  }
});

function newFolder(): string {
  const folder = mkdtempSync(join(realpathSync(tmpdir()), 'latchkey-metadata-'));
  folders.push(folder);
  return folder;
}

describe('the metadata file', () => {
  it('gives back what was saved last, also to another process', async () => {
    const folder = newFolder();
    await createMetadataFile(folder).save({ ...CONTENT, published: {} });
    await createMetadataFile(folder).save(CONTENT);
    expect(await createMetadataFile(folder).load()).toEqual(CONTENT);
    expect(readdirSync(folder)).toEqual(['latchkey-metadata.json']);
    expect(statSync(join(folder, 'latchkey-metadata.json')).mode & 0o077).toBe(0);
  });

  it('is null when it is missing, damaged or larger than it can be', async () => {
    const folder = newFolder();
    const file = createMetadataFile(folder);
    expect(await file.load()).toBeNull();
    writeFileSync(join(folder, 'latchkey-metadata.json'), '{"schemaVersion":1,');
    expect(await file.load()).toBeNull();
    writeFileSync(
      join(folder, 'latchkey-metadata.json'),
      JSON.stringify({ ...CONTENT, more: 'x'.repeat(70_000) }),
    );
    expect(await file.load()).toBeNull();
  });

  it('rejects neither when it cannot be written, nor when its folder is gone', async () => {
    const folder = join(newFolder(), 'not', 'there');
    await createMetadataFile(folder).save(CONTENT);
    expect(await createMetadataFile(folder).load()).toBeNull();
  });

  it('is readable JSON', async () => {
    const folder = newFolder();
    await createMetadataFile(folder).save(CONTENT);
    expect(JSON.parse(readFileSync(join(folder, 'latchkey-metadata.json'), 'utf8'))).toEqual(
      CONTENT,
    );
  });
});
