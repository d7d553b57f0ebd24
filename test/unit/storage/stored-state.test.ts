// The file of what is known: read once, changed in order, shared by processes, and left alone when
// it is a later version's.
import { describe, expect, it } from 'vitest';
import {
  type StoredState,
  createStoredState,
} from '../../../src/main/core/storage/stored-state.js';
import { LIMITS } from '../../../src/main/core/base/limits.js';
import type { StateFileContent } from '../../../src/main/core/base/ports.js';
import {
  NO_ACCOUNTS,
  withAccount,
  withRecordState,
} from '../../../src/main/core/storage/records.js';
import { withOwnPart } from '../../../src/main/core/storage/ownership.js';
import { stateOf } from '../../support/engine-harness.js';
import { createFakeLock } from '../../support/fake-lock.js';
import {
  type FakeStateStore,
  createFakeClock,
  createFakeLog,
  createFakeStateStore,
  settle,
} from '../../support/fakes.js';

const ada = { id: 'ada-id', issuer: 'https://id.example', subject: 'ada' };
const grace = { id: 'grace-id', issuer: 'https://id.example', subject: 'grace' };
const owner = { issuer: 'https://id.example', clientId: 'me' };
const addAda = (known: StateFileContent): StateFileContent => withAccount(known, ada, 'kept');
const addGrace = (known: StateFileContent): StateFileContent => withAccount(known, grace, 'kept');
const subjects = (known: unknown): readonly string[] =>
  (known as StateFileContent).accounts.map(({ subject }) => subject);

function open(
  file: FakeStateStore = createFakeStateStore(),
  lock = createFakeLock(createFakeClock()),
): {
  readonly known: StoredState;
  readonly file: FakeStateStore;
  readonly log: ReturnType<typeof createFakeLog>;
} {
  const log = createFakeLog();
  return { known: createStoredState(file, lock, owner, log), file, log };
}

describe('load', () => {
  it('tells those who wait, and nothing is known before', async () => {
    const { known } = open(createFakeStateStore(addAda(NO_ACCOUNTS)));
    const waiting = known.loaded();
    expect([await stateOf(waiting), known.current()]).toEqual(['pending', NO_ACCOUNTS]);
    await known.load();
    await waiting;
    expect(subjects(known.current())).toEqual(['ada']);
  });

  it.each([[null], ['damaged'], [{ accounts: 7 }]])('finds nothing in %j', async (content) => {
    const { known } = open(createFakeStateStore(content));
    await known.load();
    expect(known.current()).toEqual(NO_ACCOUNTS);
  });

  it('that cannot read the file never rejects, knows nobody and has not read', async () => {
    const { known, file, log } = open(createFakeStateStore(addAda(NO_ACCOUNTS)));
    file.unreadable = 'EIO';
    await known.load();
    await known.loaded();
    expect([known.current(), known.isRead(), await stateOf(known.read())]).toEqual([
      NO_ACCOUNTS,
      false,
      'pending',
    ]);
    expect(log.events).toEqual([
      { level: 'warn', event: 'state-file-unreadable', fields: { detail: 'EIO' } },
    ]);
  });

  it('that is tried again finds the file, and tells those who wait for it', async () => {
    const { known, file, log } = open(createFakeStateStore(addAda(NO_ACCOUNTS)));
    file.unreadable = 'EBUSY';
    await known.load();
    await known.load();
    file.unreadable = null;
    await known.load();
    await known.read();
    expect([subjects(known.current()), known.isRead(), log.names()]).toEqual([
      ['ada'],
      true,
      ['state-file-unreadable'],
    ]);
  });

  it('names no path of the person in the log', async () => {
    const { known, file, log } = open();
    file.load = () =>
      Promise.reject(Object.assign(new Error("EIO, open '/home/ada/x'"), { code: '/home/ada' }));
    await known.load();
    expect(log.events[0]?.fields).toEqual({ detail: 'unknown error' });
  });

  it('leaves the file of a later version alone, and says so once', async () => {
    const later = { schemaVersion: 2, everything: 'different' };
    const { known, file, log } = open(createFakeStateStore(later));
    await known.load();
    expect([await known.update(addAda), await known.update(addGrace)]).toEqual([false, false]);
    expect([file.content, file.saves, log.names()]).toEqual([later, [], ['state-file-newer']]);
    expect(subjects(known.current())).toEqual(['ada', 'grace']);
  });
});

describe('update', () => {
  it('changes what is known at once, and the file when it resolves', async () => {
    const { known, file } = open();
    await known.load();
    const done = known.update(addAda);
    expect([subjects(known.current()), file.content]).toEqual([['ada'], null]);
    await done;
    expect(file.content).toEqual(known.current());
  });

  it('writes nothing when nothing changes', async () => {
    const { known, file } = open();
    await known.load();
    await known.update((state) => withRecordState(state, 'nobody', 'none'));
    expect(file.saves).toEqual([]);
  });

  it('keeps the order of changes, and resolves each after its own', async () => {
    const { known, file } = open();
    await known.load();
    const states = ['none', 'removal-owed', 'suspended', 'refused', 'kept'] as const;
    await Promise.all([
      known.update(addAda),
      ...states.map((state) => known.update((before) => withRecordState(before, ada.id, state))),
    ]);
    expect((file.content as StateFileContent).accounts).toEqual([
      { ...ada, record: 'kept', clientId: 'me', last: true },
    ]);
  });

  it('that comes while the file is being written is written after it', async () => {
    const { known, file } = open(createFakeStateStore(NO_ACCOUNTS));
    await known.load();
    const { save } = file;
    let written = (): void => {};
    file.save = async (state) => {
      await new Promise<void>((resolve) => {
        written = resolve;
      });
      await save(state);
    };
    void known.update(addAda);
    await settle();
    const done = known.update(addGrace);
    file.save = save;
    written();
    await done;
    expect([subjects(file.content), subjects(known.current())]).toEqual([
      ['ada', 'grace'],
      ['ada', 'grace'],
    ]);
  });

  it('goes on when the disk refuses, tells it, and says the change again with the next one', async () => {
    const { known, file, log } = open(createFakeStateStore(NO_ACCOUNTS));
    await known.load();
    file.failNextSave();
    expect(await known.update(addAda)).toBe(false);
    expect([subjects(file.content), subjects(known.current()), log.names()]).toEqual([
      [],
      ['ada'],
      ['state-file-unwritable'],
    ]);
    expect(await known.update(addGrace)).toBe(true);
    expect(subjects(file.content)).toEqual(['ada', 'grace']);
  });

  it('that changes nothing tells whether the file has what came before', async () => {
    const { known, file } = open(createFakeStateStore(NO_ACCOUNTS));
    await known.load();
    const nothing = (state: StateFileContent): StateFileContent => state;
    expect(await known.update(nothing)).toBe(true);
    const { save } = file;
    file.save = () => Promise.reject(new Error('ENOSPC'));
    await known.update(addAda);
    expect(await known.update(nothing)).toBe(false);
    file.save = save;
    expect([await known.update(nothing), subjects(file.content)]).toEqual([true, ['ada']]);
  });

  it('writes nothing that the file says already', async () => {
    const { known, file } = open();
    await known.load();
    await known.update(addAda);
    expect([await known.update(addAda), file.saves.length]).toEqual([true, 1]);
  });
});

describe('a file that cannot be read', () => {
  it('is never written over: what was changed meanwhile is said to what it holds, once it can be read', async () => {
    const { known, file } = open(createFakeStateStore(addAda(NO_ACCOUNTS)));
    file.unreadable = 'EACCES';
    await known.load();
    // Only the guard of the core: a store that would take it.
    const { save } = file;
    let tries = 0;
    file.save = async (state) => {
      tries += 1;
      await save(state);
    };
    expect([await known.update(addGrace), tries, subjects(known.current())]).toEqual([
      false,
      0,
      ['grace'],
    ]);
    file.unreadable = null;
    await known.load();
    expect(subjects(known.current())).toEqual(['ada', 'grace']);
    await known.update((state) => state);
    expect(subjects(file.content)).toEqual(['ada', 'grace']);
  });

  it('counts as read when a change finds that it can be', async () => {
    const { known, file } = open(createFakeStateStore(addAda(NO_ACCOUNTS)));
    file.unreadable = 'EBUSY';
    await known.load();
    file.unreadable = null;
    // The disk gives, and does not take.
    file.failNextSave();
    expect([await known.update(addGrace), known.isRead(), subjects(known.current())]).toEqual([
      false,
      true,
      ['ada', 'grace'],
    ]);
    await known.read();
  });

  it('takes nothing from what was read before', async () => {
    const { known, file } = open(createFakeStateStore(addAda(NO_ACCOUNTS)));
    await known.load();
    file.unreadable = 'EMFILE';
    await known.refresh();
    expect([await known.update(addGrace), known.isRead(), subjects(known.current())]).toEqual([
      false,
      true,
      ['ada', 'grace'],
    ]);
    file.unreadable = null;
    expect([await known.update((state) => state), subjects(file.content)]).toEqual([
      true,
      ['ada', 'grace'],
    ]);
  });
});

describe('a file of which one copy is missing or damaged', () => {
  function halved(content: unknown): FakeStateStore {
    const file = createFakeStateStore(content);
    const { save } = file;
    let whole = false;
    file.isWhole = () => whole;
    file.save = async (state) => {
      await save(state);
      whole = true;
    };
    return file;
  }

  it('is saved again at the start, though nothing has changed', async () => {
    const { known, file } = open(halved(addAda(NO_ACCOUNTS)));
    await known.load();
    await settle();
    expect([file.saves.length, subjects(file.content), file.isWhole?.()]).toEqual([
      1,
      ['ada'],
      true,
    ]);
    await known.update(addAda);
    expect(file.saves.length).toBe(1);
  });

  it('is no reason to say that a change was not taken, when the disk does not take the other copy', async () => {
    const { known, file, log } = open(halved(addAda(NO_ACCOUNTS)));
    file.save = () => Promise.reject(new Error('ENOSPC'));
    await known.load();
    await settle();
    expect([await known.update(addAda), log.names()]).toEqual([true, []]);
    expect([await known.update(addGrace), log.names()]).toEqual([false, ['state-file-unwritable']]);
  });

  it('is left alone when it is of a later version', async () => {
    const { known, file } = open(halved({ schemaVersion: 2 }));
    await known.load();
    await settle();
    expect(file.saves).toEqual([]);
  });
});

describe('two processes with one file', () => {
  async function two(
    content: unknown = null,
  ): Promise<readonly [StoredState, StoredState, FakeStateStore]> {
    const file = createFakeStateStore(content);
    const lock = createFakeLock(createFakeClock());
    const [first, second] = [open(file, lock).known, open(file, lock.another()).known];
    await Promise.all([first.load(), second.load()]);
    return [first, second, file];
  }

  it('lose no word of each other', async () => {
    const [first, second, file] = await two();
    await first.update(addAda);
    await second.update(addGrace);
    expect([subjects(file.content), subjects(second.current())]).toEqual([
      ['ada', 'grace'],
      ['ada', 'grace'],
    ]);
    await first.update((known) => withRecordState(known, ada.id, 'none'));
    expect((file.content as StateFileContent).accounts.map(({ record }) => record).sort()).toEqual([
      'kept',
      'none',
    ]);
  });

  it('lose none either when both write at once', async () => {
    const [first, second, file] = await two();
    const { load } = file;
    // Another process gets its turn between every read and its write.
    file.load = async () => {
      const content = await load();
      await settle();
      return content;
    };
    await Promise.all([
      first.update(addAda),
      second.update(addGrace),
      first.update((known) => ({ ...known, attempts: [{ id: 'x', expiresAt: 7 }] })),
    ]);
    expect([
      subjects(file.content).toSorted(),
      (file.content as StateFileContent).attempts,
    ]).toEqual([['ada', 'grace'], [{ id: 'x', expiresAt: 7, ...owner }]]);
  });

  it('bring back a file that was deleted meanwhile', async () => {
    const [first, , file] = await two(addAda(NO_ACCOUNTS));
    file.content = null;
    await first.update(addGrace);
    expect(subjects(file.content)).toEqual(['ada', 'grace']);
  });

  it('write nothing any more once a later version has written', async () => {
    const [first, , file] = await two(addAda(NO_ACCOUNTS));
    file.content = { schemaVersion: 2 };
    await first.update(addGrace);
    await first.update((known) => withRecordState(known, ada.id, 'none'));
    expect([file.content, file.saves]).toEqual([{ schemaVersion: 2 }, []]);
  });

  it('go ahead when one of them holds the lock for ever, or there is no lock', async () => {
    const clock = createFakeClock();
    const lock = createFakeLock(clock);
    void lock.another().hold('state:me', 0, () => new Promise<void>(() => {}));
    const { known, file } = open(createFakeStateStore(), lock);
    await known.load();
    const done = known.update(addAda);
    await clock.advance(LIMITS.claimWaitMs - 1);
    expect([await stateOf(done), file.content]).toEqual(['pending', null]);
    await clock.advance(1);
    await done;
    expect(subjects(file.content)).toEqual(['ada']);
    lock.setRefusal('no folder');
    await known.update(addGrace);
    expect(subjects(file.content)).toEqual(['ada', 'grace']);
  });
});

describe('a session that is being taken over by another client', () => {
  it('stays theirs whatever this client does, and both know what was tried', () => {
    const theirs = {
      stage: 'proving',
      tried: ['a'],
      issuer: 'https://id.example',
      clientId: 'other',
    } as const;
    const file = { ...NO_ACCOUNTS, takeOver: theirs };
    const owner = { issuer: 'https://id.example', clientId: 'me' };
    for (const stage of ['proving', 'cleaning', 'none'] as const) {
      const after = withOwnPart(owner, file, (own) => ({
        ...own,
        takeOver: { stage, tried: [...own.takeOver.tried, 'b'] },
      }));
      expect(after.takeOver).toEqual({ ...theirs, tried: ['a', 'b'] });
    }
  });
});
