// Sessions at rest: keychain and state file agree about who must be there, and nothing unreadable
// is ever deleted.
import { beforeEach, describe, expect, it } from 'vitest';
import type { StateFileContent } from '../../../src/main/core/base/ports.js';
import { createStoredState } from '../../../src/main/core/storage/stored-state.js';
import {
  NO_ACCOUNTS,
  type SessionRecord,
  formatRecord,
  parseStateFileContent,
  recordKey,
  withAccount,
} from '../../../src/main/core/storage/records.js';
import {
  type SessionStore,
  createSessionStore,
} from '../../../src/main/core/storage/session-store.js';
import { createFakeLock } from '../../support/fake-lock.js';
import {
  type FakeKeyringMode,
  type FakeSecretStore,
  type FakeStateStore,
  createFakeLog,
  createFakeSecretStore,
  createFakeStateStore,
  settle,
} from '../../support/fakes.js';

const ada = { id: 'ada-id', issuer: 'https://id.example', subject: 'ada' };
const key = recordKey(ada.id);
const record: SessionRecord = {
  version: 1,
  clientId: 'me',
  account: ada,
  refreshToken: 'secret-refresh',
  scope: 'read',
  savedAt: 7,
  access: null,
};

let secrets: FakeSecretStore;
let file: FakeStateStore;
let log: ReturnType<typeof createFakeLog>;

/** A vault whose `load` also reads the file, as the engine does first. */
function vaultWith(
  mode: FakeKeyringMode = 'works',
  content: unknown = null,
): Omit<SessionStore, 'load'> & { load(): Promise<ReturnType<SessionStore['load']>> } {
  secrets = createFakeSecretStore(mode);
  file = createFakeStateStore(content);
  log = createFakeLog();
  const known = createStoredState(
    file,
    createFakeLock(),
    { issuer: ada.issuer, clientId: 'me' },
    log,
  );
  const vault = createSessionStore(secrets, known, 'me', log);
  return {
    ...vault,
    load: async () => {
      await known.load();
      return vault.load();
    },
  };
}

const stateInFile = (): string | undefined =>
  parseStateFileContent(file.content)?.accounts.find(({ id }) => id === ada.id)?.record;
const known = (state: StateFileContent['accounts'][number]['record']): StateFileContent =>
  withAccount(NO_ACCOUNTS, ada, state);

beforeEach(() => {
  vaultWith();
});

describe('load', () => {
  it.each([
    ['kept', { restore: ada, last: ada, reason: 'signed-out' }],
    ['none', { restore: null, last: ada, reason: 'signed-out' }],
    ['removal-owed', { restore: null, last: ada, reason: 'signed-out' }],
    ['refused', { restore: null, last: ada, reason: 'ended' }],
    ['suspended', { restore: ada, last: ada, reason: 'signed-out' }],
  ] as const)('of an account whose record is %s', async (state, expected) => {
    expect(await vaultWith('works', known(state)).load()).toEqual(expected);
  });

  it.each([[null], ['damaged'], [{ accounts: 7 }]])('finds nobody in %j', async (content) => {
    expect(await vaultWith('works', content).load()).toEqual({
      restore: null,
      last: null,
      reason: 'never',
    });
  });

  it('finds nobody where the file cannot be read', async () => {
    const vault = vaultWith();
    file.load = () => Promise.reject(new Error('EIO'));
    expect(await vault.load()).toMatchObject({ restore: null, reason: 'never' });
  });

  it('leaves the file of a later version exactly as it is, while the app goes on', async () => {
    const later = { schemaVersion: 2, everything: 'different' };
    const vault = vaultWith('works', later);
    await vault.load();
    expect(await vault.write(record)).toMatchObject({ code: 'storage-failed' });
    expect(file.content).toEqual(later);
    expect(log.names()).toContain('state-file-newer');
  });

  it('removes what an earlier sign-out could not remove', async () => {
    const vault = vaultWith('works', known('removal-owed'));
    secrets.entries.set(key, formatRecord(record));
    await vault.load();
    expect(vault.owed()).toEqual([ada]);
    await vault.remove(ada);
    expect([secrets.entries.size, stateInFile()]).toEqual([0, 'none']);
  });

  it('goes on owing the removal while the keyring is locked', async () => {
    const vault = vaultWith('locked', known('removal-owed'));
    secrets.entries.set(key, formatRecord(record));
    await vault.load();
    await vault.remove(ada);
    expect([secrets.entries.size, stateInFile()]).toEqual([1, 'removal-owed']);
  });
});

describe('read', () => {
  it('gives the record', async () => {
    const vault = vaultWith('works', known('kept'));
    secrets.entries.set(key, formatRecord(record));
    await vault.load();
    expect(await vault.read(ada)).toEqual({ state: 'record', record });
  });

  it.each([
    ['locked', 'keyring-locked'],
    ['unavailable', 'keyring-unavailable'],
  ] as const)('withholds it when the keyring is %s, and changes nothing', async (mode, code) => {
    const vault = vaultWith(mode, known('kept'));
    secrets.entries.set(key, formatRecord(record));
    await vault.load();
    expect(await vault.read(ada)).toMatchObject({ state: 'withheld', error: { code } });
    expect([secrets.entries.get(key), stateInFile()]).toEqual([formatRecord(record), 'kept']);
  });

  it.each([
    ['no JSON', 'secret-garbage'],
    ['a later version', formatRecord({ ...record, version: 2 } as never)],
  ])('withholds and keeps what it cannot read: %s', async (_what, value) => {
    const vault = vaultWith('works', known('kept'));
    secrets.entries.set(key, value);
    await vault.load();
    expect(await vault.read(ada)).toMatchObject({
      state: 'withheld',
      error: { code: 'keyring-unavailable' },
    });
    expect([secrets.entries.get(key), stateInFile()]).toEqual([value, 'kept']);
    expect(JSON.stringify(log.events)).not.toContain('secret');
  });

  it('notes that nothing is there only when the keyring is sure', async () => {
    const vault = vaultWith('works', known('kept'));
    await vault.load();
    expect(await vault.read(ada)).toEqual({ state: 'absent' });
    expect(stateInFile()).toBe('none');
  });
});

describe('write', () => {
  it('tells the file first: a crash in between must not leave a record that nobody knows', async () => {
    const vault = vaultWith();
    await vault.load();
    const order: string[] = [];
    const { save } = file;
    file.save = async (state) => {
      order.push('file');
      await save(state);
    };
    const { write } = secrets;
    secrets.write = async (name, value) => {
      order.push('keychain');
      return write(name, value);
    };
    expect(await vault.write(record)).toBeNull();
    expect(order).toEqual(['file', 'keychain']);
    expect([secrets.entries.get(key), stateInFile()]).toEqual([formatRecord(record), 'kept']);
  });

  it.each([
    ['locked', 'keyring-locked'],
    ['unavailable', 'keyring-unavailable'],
  ] as const)('answers what a %s keyring means', async (mode, code) => {
    const vault = vaultWith(mode);
    await vault.load();
    expect(await vault.write(record)).toMatchObject({ code });
  });

  it.each([
    ['none', 'none'],
    ['kept', 'kept'],
    ['refused', 'refused'],
    ['suspended', 'suspended'],
    ['removal-owed', 'removal-owed'],
  ] as const)('that fails leaves the word on a record that was %s', async (before, after) => {
    const vault = vaultWith('locked', known(before));
    await vault.load();
    await settle();
    await vault.write(record);
    expect(stateInFile()).toBe(after);
  });

  it('waits until the file was read, so that neither list is lost', async () => {
    const grace = { id: 'grace-id', issuer: 'https://id.example', subject: 'grace' };
    const vault = vaultWith('works', withAccount(NO_ACCOUNTS, grace, 'kept'));
    const { load } = file;
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    file.load = async () => {
      await gate;
      return load();
    };
    const loaded = vault.load();
    const written = vault.write(record);
    await settle();
    expect([file.saves.length, secrets.calls.length]).toEqual([0, 0]);
    release();
    await Promise.all([loaded, written]);
    expect((file.content as StateFileContent).accounts.map(({ id }) => id)).toEqual([
      'grace-id',
      'ada-id',
    ]);
    await vault.oweRemoval(ada);
    await vault.remove(ada);
    expect(secrets.entries.size).toBe(0);
  });

  it('says so when the disk refuses the file, for the next start would not look for the record, and is fine at the next try', async () => {
    const vault = vaultWith();
    await vault.load();
    file.failNextSave();
    expect(await vault.write(record)).toMatchObject({ code: 'storage-failed', retry: 'user' });
    expect([secrets.entries.size, log.names()]).toEqual([1, ['state-file-unwritable']]);
    expect([await vault.write(record), stateInFile()]).toEqual([null, 'kept']);
    await vault.markRefused(ada);
    expect(stateInFile()).toBe('refused');
  });

  it.each([
    ['kept', 'refused'],
    ['suspended', 'refused'],
    ['removal-owed', 'removal-owed'],
  ] as const)('a refusal makes of %s: %s', async (before, after) => {
    const vault = vaultWith('works', known(before));
    await vault.load();
    await vault.markRefused(ada);
    expect(stateInFile()).toBe(after);
  });

  it('needs no disk when the file says already what it should', async () => {
    const vault = vaultWith();
    await vault.load();
    await vault.write(record);
    file.save = () => Promise.reject(new Error('ENOSPC'));
    expect(await vault.write({ ...record, refreshToken: 'secret-next' })).toBeNull();
  });

  it('names the keyring when neither keyring nor disk takes it', async () => {
    const vault = vaultWith('locked');
    await vault.load();
    file.save = () => Promise.reject(new Error('ENOSPC'));
    expect(await vault.write(record)).toMatchObject({ code: 'keyring-locked' });
  });

  it('that no keyring takes does not undo a sign-out meanwhile', async () => {
    const vault = vaultWith('works', known('kept'));
    secrets.entries.set(key, formatRecord(record));
    await vault.load();
    // The write waits for a person at the keyring's dialog.
    await vault.read(ada);
    secrets.setMode('prompting');
    const written = vault.write(record);
    await settle();
    await vault.oweRemoval(ada);
    secrets.answerPrompt('dismissed');
    expect([await written, stateInFile()]).toMatchObject([
      { code: 'keyring-locked' },
      'removal-owed',
    ]);
  });

  it('puts no secret into the file', async () => {
    const vault = vaultWith();
    await vault.load();
    await vault.write(record);
    expect(JSON.stringify([file.content, file.saves, log.events])).not.toContain('secret');
  });
});

describe('remove', () => {
  it('removes the record and says so in the file', async () => {
    const vault = vaultWith();
    await vault.load();
    await vault.write(record);
    await vault.oweRemoval(ada);
    await vault.remove(ada);
    expect([secrets.entries.size, stateInFile()]).toEqual([0, 'none']);
  });

  it('owes the removal while the keyring is locked', async () => {
    const vault = vaultWith();
    await vault.load();
    await vault.write(record);
    secrets.setMode('locked');
    await vault.oweRemoval(ada);
    await vault.remove(ada);
    expect([secrets.entries.size, stateInFile()]).toEqual([1, 'removal-owed']);
    expect(log.names()).toContain('record-removal-owed');
  });

  it("of what no key opens is done where it is one's own, and not where it may be another client's", async () => {
    const own = { ...ada, record: 'removal-owed', clientId: 'me' } as const;
    const others = { ...ada, record: 'kept', clientId: 'other' } as const;
    for (const [accounts, left] of [
      [[own], 'none'],
      [[own, others], 'removal-owed'],
    ] as const) {
      const vault = vaultWith('works', { ...NO_ACCOUNTS, accounts });
      secrets.entries.set(key, 'no key opens it');
      secrets.read = async () => ({ state: 'unavailable', detail: 'no key opens it' });
      await vault.load();
      await vault.remove(ada);
      const record = (file.content as StateFileContent).accounts.find(
        ({ clientId }) => clientId === 'me',
      )?.record;
      expect([secrets.entries.size, record]).toEqual([left === 'none' ? 0 : 1, left]);
    }
  });

  it('that another client owes is not done when they have signed in again in a process of their own', async () => {
    const owed = { ...ada, record: 'removal-owed', clientId: 'other' } as const;
    for (const [said, left] of [
      ['removal-owed', 0],
      ['kept', 1],
    ] as const) {
      const vault = vaultWith('works', { ...NO_ACCOUNTS, accounts: [owed] });
      secrets.entries.set(key, formatRecord({ ...record, clientId: 'other' }));
      await vault.load();
      file.content = { ...NO_ACCOUNTS, accounts: [{ ...owed, record: said }] };
      await vault.removeOfOthers(owed);
      expect(secrets.entries.size).toBe(left);
    }
  });

  it('asks no keyring about an account that has no record', async () => {
    const vault = vaultWith('works', known('none'));
    await vault.load();
    await vault.remove(ada);
    expect(secrets.calls).toEqual([]);
  });

  it('that is overtaken by a new sign-in leaves the new record', async () => {
    const vault = vaultWith();
    await vault.load();
    await vault.write(record);
    secrets.setMode('prompting');
    await vault.oweRemoval(ada);
    const removal = vault.remove(ada);
    await settle();
    const write = vault.write({ ...record, refreshToken: 'secret-new' });
    await settle();
    secrets.answerPrompt('unlocked');
    await Promise.all([removal, write]);
    expect([secrets.entries.get(key)?.includes('secret-new'), stateInFile()]).toEqual([
      true,
      'kept',
    ]);
  });
});

describe('suspend', () => {
  it.each([
    ['kept', 'suspended'],
    ['none', 'none'],
    ['removal-owed', 'removal-owed'],
    ['refused', 'refused'],
    ['suspended', 'suspended'],
  ] as const)('of a record that is %s leaves the word %s', async (before, after) => {
    const vault = vaultWith('locked', known(before));
    await vault.load();
    await vault.suspend(ada);
    expect(stateInFile() ?? before).toBe(after);
  });

  it('leaves the record, which is read with the word that it was refused', async () => {
    const vault = vaultWith('works', known('kept'));
    secrets.entries.set(key, formatRecord(record));
    await vault.load();
    expect(await vault.read(ada)).toEqual({ state: 'record', record });
    await vault.suspend(ada);
    expect(await vault.read(ada)).toEqual({ state: 'record', record, suspended: true });
    await vault.write(record);
    expect([await vault.read(ada), stateInFile()]).toEqual([{ state: 'record', record }, 'kept']);
  });
});
