// Electron's asynchronous safeStorage as a store: what it refuses to write, what it keeps, and what
// it leaves on the disk. The files are genuine; safeStorage is a stand-in, since no Electron ≥ 42
// was at hand.
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type SafeStorageOptions,
  createSafeStorage,
} from '../../../src/main/adapters/secrets/safe-storage.js';
import type { SecretStore } from '../../../src/main/core/base/ports.js';
import { type FakeSafeStorage, createFakeSafeStorage } from '../../support/fake-safe-storage.js';

const KEY = 'session:ada';
const SECRET = '{"refreshToken":"r-secret-7f3a"}';
const folders: string[] = [];
const stores: SecretStore[] = [];
let folder = '';
let electron: FakeSafeStorage;

beforeEach(() => {
  folder = join(mkdtempSync(join(realpathSync(tmpdir()), 'latchkey-sealed-')), 'secrets');
  folders.push(join(folder, '..'));
  electron = createFakeSafeStorage();
});

afterEach(() => {
  for (const store of stores.splice(0)) store.close();
  for (const each of folders.splice(0)) rmSync(each, { recursive: true, force: true });
});

function open(options: Partial<SafeStorageOptions> = {}): SecretStore {
  const store = createSafeStorage({
    timeoutMs: 5_000,
    safeStorage: electron,
    folder,
    platform: 'linux',
    ...options,
  });
  stores.push(store);
  return store;
}

function files(): readonly string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}

function bytes(): string {
  return files()
    .map((name) => readFileSync(join(folder, name), 'latin1'))
    .join('\n');
}

describe('what is on the disk', () => {
  it('is ciphertext under a name that tells nothing, and only this user can read it', async () => {
    await open().write(KEY, SECRET);
    expect(files()).toEqual([expect.stringMatching(/^[0-9a-f]{40}\.sealed$/)]);
    for (const told of ['r-secret', 'refreshToken', 'ada', 'session'])
      expect(bytes()).not.toContain(told);
    expect(statSync(join(folder, files()[0]!)).mode & 0o777).toBe(0o600);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
  });

  it('is the value before and the value after, and never a part', async () => {
    const store = open();
    await store.write(KEY, 'old');
    electron.damageNext();
    expect(await store.write(KEY, 'new')).toEqual({
      state: 'unavailable',
      detail: 'safeStorage did not give back what was written',
    });
    expect(await open().read(KEY, true)).toEqual({ state: 'found', value: 'old' });
  });

  it('is free of what a kill left behind, once a later write or the removal has ended', async () => {
    const store = open();
    await store.write(KEY, 'old');
    const name = files()[0]!;
    const leftovers = [`${name}.0a1b2c3d4e5f.new`, `${name}.ffffffffffff.new`];
    for (const leftover of leftovers) writeFileSync(join(folder, leftover), 'half a file');
    utimesSync(join(folder, leftovers[0]!), 1, 1);
    expect(await store.read(KEY, true)).toEqual({ state: 'found', value: 'old' });
    await store.write(KEY, 'new');
    expect(files()).toEqual([name, leftovers[1]]);
    await store.remove(KEY);
    expect(files()).toEqual([]);
  });

  it('opens nothing under the name of another key', async () => {
    const store = open();
    await store.write('session:ada', 'of ada');
    const [ada] = files();
    await store.write('session:bob', 'of bob');
    const bob = files().find((name) => name !== ada)!;
    writeFileSync(join(folder, bob), readFileSync(join(folder, ada!)));
    expect((await store.read('session:bob', true)).state).toBe('unavailable');
  });

  it.each([
    ['is of a later version', 'latchkey-sealed/2\nv11rest'],
    ['is cut to nothing', ''],
    ['is cut after its mark', 'latchkey-sealed/1\n'],
    ['is noise', '\0\u0001\u0002'],
  ])('is kept and reported when it %s', async (_name, content) => {
    const store = open();
    await store.write(KEY, SECRET);
    writeFileSync(join(folder, files()[0]!), content);
    expect(await store.read(KEY, true)).toMatchObject({
      state: 'unavailable',
      detail: expect.stringContaining('it is kept') as string,
    });
    expect(bytes()).toBe(content);
  });

  it('is not written at all where the folder cannot be made, and the detail names no path', async () => {
    writeFileSync(join(folder), 'a file where the folder belongs');
    const outcome = await open().write(KEY, SECRET);
    expect(outcome).toEqual({
      state: 'unavailable',
      detail: expect.stringMatching(
        /^the file of the secret cannot be used \(E[A-Z]+\)$/,
      ) as string,
    });
  });
});

describe('encryption that is worth nothing', () => {
  it('is refused on Linux, where Chromium falls back to a password of its source code', async () => {
    electron.setMode('keyless');
    const store = open();
    expect(await store.write(KEY, SECRET)).toMatchObject({
      state: 'unavailable',
      detail: expect.stringContaining('a password that everybody knows') as string,
    });
    expect(files()).toEqual([]);
  });

  it('is not read either, so that nobody can plant a session', async () => {
    electron.setMode('keyless');
    await open({ platform: 'darwin' }).write(KEY, SECRET);
    expect((await open().read(KEY, true)).state).toBe('unavailable');
  });

  it('is refused everywhere when it is no encryption', async () => {
    electron.setMode('plain');
    for (const platform of ['linux', 'darwin', 'win32'] as const) {
      expect(await open({ platform }).write(KEY, SECRET)).toEqual({
        state: 'unavailable',
        detail: 'safeStorage does not encrypt',
      });
    }
    expect(files()).toEqual([]);
  });

  it('is told by the tag on Linux only: on other systems the same tag stands for a key of the system', async () => {
    electron.setMode('keyless');
    expect(await open({ platform: 'win32' }).write(KEY, SECRET)).toEqual({ state: 'done' });
  });
});

describe('a value that cannot be opened', () => {
  it('is kept and reported when the key has gone, and found when the key is back', async () => {
    await open().write(KEY, SECRET);
    const before = bytes();
    const elsewhere = createFakeSafeStorage();
    expect(await open({ safeStorage: elsewhere }).read(KEY, true)).toEqual({
      state: 'unavailable',
      detail: 'the stored value cannot be decrypted here; it is kept',
    });
    expect(bytes()).toBe(before);
    expect(await open().read(KEY, true)).toEqual({ state: 'found', value: SECRET });
  });

  it('is kept while no keyring gives a key', async () => {
    await open().write(KEY, SECRET);
    electron.setMode('keyless');
    expect((await open().read(KEY, true)).state).toBe('unavailable');
    electron.setMode('works');
    expect(await open().read(KEY, true)).toEqual({ state: 'found', value: SECRET });
  });

  it('is locked while safeStorage says that its key is temporarily unavailable', async () => {
    await open().write(KEY, SECRET);
    electron.setMode('away');
    expect((await open().read(KEY, true)).state).toBe('locked');
  });

  it('gives way to a new one', async () => {
    const store = open();
    await store.write(KEY, 'of another computer');
    electron.forgetKeys();
    expect((await store.read(KEY, true)).state).toBe('unavailable');
    expect(await store.write(KEY, SECRET)).toEqual({ state: 'done' });
    expect(await store.read(KEY, true)).toEqual({ state: 'found', value: SECRET });
  });
});

describe('an outdated key', () => {
  it('is encrypted again after the value was read', async () => {
    const store = open();
    await store.write(KEY, SECRET);
    electron.rotate();
    expect(await store.read(KEY, true)).toEqual({ state: 'found', value: SECRET });
    expect(bytes()).toContain('v12');
    const encryptions = electron.calls.filter((call) => call === 'encrypt').length;
    expect(await store.read(KEY, true)).toEqual({ state: 'found', value: SECRET });
    expect(electron.calls.filter((call) => call === 'encrypt')).toHaveLength(encryptions);
  });

  it('stays when another process has stored a newer value meanwhile', async () => {
    const store = open();
    await store.write(KEY, 'old');
    electron.rotate();
    const other = open();
    let raced = false;
    const racing: Partial<FakeSafeStorage> = {
      ...electron,
      async encryptStringAsync(text) {
        if (!raced) {
          raced = true;
          await other.write(KEY, 'newer');
        }
        return await electron.encryptStringAsync(text);
      },
    };
    expect(await open({ safeStorage: racing }).read(KEY, true)).toEqual({
      state: 'found',
      value: 'old',
    });
    expect(raced).toBe(true);
    expect(await store.read(KEY, true)).toEqual({ state: 'found', value: 'newer' });
  });

  it('costs no value when encrypting again does not work', async () => {
    const store = open();
    await store.write(KEY, SECRET);
    electron.rotate();
    electron.damageNext();
    expect(await store.read(KEY, true)).toEqual({ state: 'found', value: SECRET });
    expect(bytes()).toContain('v11');
  });
});

describe('an Electron without the asynchronous functions', () => {
  it('is named in the refusal, and nothing is written', async () => {
    const store = open({ safeStorage: {}, electronVersion: '33.2.1' });
    expect(await store.write(KEY, SECRET)).toEqual({
      state: 'unavailable',
      detail: 'Electron 33.2.1 has no asynchronous safeStorage, which came with version 42',
    });
    expect(files()).toEqual([]);
  });

  it('keeps what a newer Electron stored, does not call it absent, and can still remove it', async () => {
    await open().write(KEY, SECRET);
    const store = open({ safeStorage: {} });
    expect((await store.read(KEY, true)).state).toBe('unavailable');
    expect(await store.remove(KEY)).toEqual({ state: 'done' });
    expect(await store.read(KEY, true)).toEqual({ state: 'absent' });
  });

  it('says absent of what was never stored: a file that is not there needs no key', async () => {
    expect(await open({ safeStorage: {} }).read(KEY, true)).toEqual({ state: 'absent' });
    expect(electron.calls).toEqual([]);
  });
});

describe('the key of the system', () => {
  it('is not asked for while there is nothing to open, so that no dialog opens', async () => {
    const store = open();
    expect(await store.read(KEY, true)).toEqual({ state: 'absent' });
    expect(await store.remove(KEY)).toEqual({ state: 'done' });
    expect(electron.calls).toEqual([]);
  });

  it('is waited for before anything is encrypted: the first releases crash otherwise', async () => {
    let answers = 0;
    const slow: Partial<FakeSafeStorage> = {
      ...electron,
      isAsyncEncryptionAvailable: () => (++answers > 2) as unknown as Promise<boolean>,
    };
    expect(await open({ safeStorage: slow }).write(KEY, SECRET)).toEqual({ state: 'done' });
    expect(answers).toBe(3);
  });

  it('may never come: then it is unavailable', async () => {
    electron.setMode('missing');
    expect(await open().write(KEY, SECRET)).toEqual({
      state: 'unavailable',
      detail: 'safeStorage says that encryption is not available',
    });
    expect(electron.calls).not.toContain('encrypt');
  });

  it('that comes after the time is up changes nothing any more', async () => {
    const store = open({ timeoutMs: 60 });
    await store.write(KEY, 'old');
    electron.setMode('prompting');
    expect((await store.write(KEY, 'too late')).state).toBe('locked');
    electron.setMode('works');
    expect(await store.read(KEY, true)).toEqual({ state: 'found', value: 'old' });
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(await store.read(KEY, true)).toEqual({ state: 'found', value: 'old' });
  });
});
