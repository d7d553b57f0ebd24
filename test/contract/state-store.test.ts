// StateStore: the same cases on the fake and on electron-store with a genuine file.
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createStateFile } from '../../src/main/adapters/state-file.js';
import type { KnownAccounts, StateStore } from '../../src/main/core/ports.js';
import { createFakeStateStore } from '../support/fakes.js';
// Keeps electron-store from downloading an Electron; vitest replaces only our own imports of it.
import '../support/fake-electron.js';

const STATE: KnownAccounts = {
  schemaVersion: 1,
  lastAccountId: 'a.b.__proto__',
  accounts: [{ id: 'a.b.__proto__', issuer: 'https://login.example.com', subject: 'sub', name: 'Änn "A" \u0000 漢字', record: 'kept' }],
  takeOver: { stage: 'none', tried: [] },
  attempts: [{ id: 'a-digest', expiresAt: 7 }],
};

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function newFolder(): string {
  const folder = mkdtempSync(join(realpathSync(tmpdir()), 'latchkey-state-'));
  folders.push(folder);
  return folder;
}

const subjects: readonly { readonly name: string; readonly start: () => { store: StateStore; reopen: () => StateStore } }[] = [
  {
    name: 'fake',
    start() {
      const store = createFakeStateStore();
      return { store, reopen: () => store };
    },
  },
  {
    name: 'electron-store',
    start() {
      const folder = newFolder();
      return { store: createStateFile({ folder }), reopen: () => createStateFile({ folder }) };
    },
  },
];

for (const { name, start } of subjects) {
  describe(`state store: ${name}`, () => {
    it('answers null before anything was saved', async () => {
      expect(await start().store.load()).toBeNull();
    });

    it('gives back what was saved last, also after a restart of the app', async () => {
      const { store, reopen } = start();
      await store.save({ schemaVersion: 1, lastAccountId: null, accounts: [], attempts: [], takeOver: { stage: 'none', tried: [] } });
      await store.save(STATE);
      expect(await store.load()).toEqual(STATE);
      expect(await reopen().load()).toEqual(STATE);
    });

    it('keeps what it saved apart from what the caller does with it later', async () => {
      const { store } = start();
      const accounts = [...STATE.accounts];
      await store.save({ ...STATE, accounts });
      accounts.pop();
      expect(await store.load()).toEqual(STATE);
    });
  });
}

describe('the state file', () => {
  const path = (folder: string): string => join(folder, 'latchkey.json');
  const aside = (folder: string): string[] => readdirSync(folder).filter((name) => name.startsWith('latchkey.json.corrupt-'));

  it.each(['', '{"schemaVersion":1,', 'not json', '[]', 'null', '12', '\u0000\u0000\u0000'])('is set aside and not deleted when it holds %j', async (text) => {
    const folder = newFolder();
    writeFileSync(path(folder), text);
    const told: string[] = [];
    const store = createStateFile({ folder, onSetAside: (fileName) => told.push(fileName) });
    expect(await store.load()).toBeNull();
    expect(aside(folder)).toEqual(told);
    expect(told).toHaveLength(1);
    expect(readFileSync(join(folder, told[0] ?? ''), 'utf8')).toBe(text);
    await store.save(STATE);
    expect(await createStateFile({ folder }).load()).toEqual(STATE);
  });

  it('is set aside when it breaks while the app runs', async () => {
    const folder = newFolder();
    const store = createStateFile({ folder });
    await store.save(STATE);
    writeFileSync(path(folder), '{');
    expect(await store.load()).toBeNull();
    expect(aside(folder)).toHaveLength(1);
  });

  it('is answered as it is when another version of Latchkey wrote it: the caller judges', async () => {
    const folder = newFolder();
    writeFileSync(path(folder), '{"schemaVersion":99,"future":true}');
    expect(await createStateFile({ folder }).load()).toEqual({ schemaVersion: 99, future: true });
  });

  it('can be read by nobody else', async () => {
    const folder = newFolder();
    await createStateFile({ folder }).save(STATE);
    expect(statSync(path(folder)).mode & 0o777).toBe(0o600);
  });

  it('is kept aside before it is overwritten, when it could not be read', async () => {
    const folder = newFolder();
    mkdirSync(path(folder));
    const store = createStateFile({ folder });
    expect(await store.load()).toBeNull();
    expect(existsSync(path(folder))).toBe(true);
    await store.save(STATE);
    expect(aside(folder)).toHaveLength(1);
    expect(await store.load()).toEqual(STATE);
  });

  it('refuses to save when the disk refuses, and saves once it does not', async () => {
    const parent = newFolder();
    const folder = join(parent, 'data');
    writeFileSync(folder, 'a file where the folder should be');
    const store = createStateFile({ folder });
    expect(await store.load()).toBeNull();
    await expect(store.save(STATE)).rejects.toThrow();
    rmSync(folder);
    mkdirSync(folder);
    chmodSync(folder, 0o700);
    await store.save(STATE);
    expect(await store.load()).toEqual(STATE);
  });
});
