// StateStore: the same cases on the fake and on genuine files; then what a disk, another program,
// another user or a kill can do to the file and to its copy.
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { execFileSync, spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { afterEach, describe, expect, it } from 'vitest';
import { createLock } from '../../src/main/adapters/lock.js';
import { createStateFile } from '../../src/main/adapters/state-file.js';
import { createStoredState } from '../../src/main/core/storage/stored-state.js';
import type { StateFileContent, StateStore } from '../../src/main/core/base/ports.js';
import { withAccount } from '../../src/main/core/storage/records.js';
import { createFakeLog, createFakeStateStore } from '../support/fakes.js';
// Keeps electron-store from downloading an Electron; vitest replaces only our own imports of it.
import '../support/fake-electron.js';
import {
  OPEN_FOLDER,
  runStateFileChild,
  startStateFileChild,
} from '../support/state-file-process.js';

const STATE: StateFileContent = {
  schemaVersion: 1,
  lastAccountId: 'a.b.__proto__',
  accounts: [
    {
      id: 'a.b.__proto__',
      issuer: 'https://login.example.com',
      subject: 'sub',
      name: 'Änn "A" \u0000 漢字',
      record: 'kept',
    },
  ],
  takeOver: { stage: 'none', tried: [] },
  attempts: [{ id: 'a-digest', expiresAt: 7 }],
};
const OTHER: StateFileContent = {
  schemaVersion: 1,
  lastAccountId: null,
  accounts: [],
  attempts: [],
  takeOver: { stage: 'none', tried: [] },
};
const NAMES = ['latchkey.json', 'latchkey.backup.json'] as const;
/** An ordinary user; none has this number. */
const SOMEBODY = 65_534;
const isRoot = process.getuid?.() === 0;

const folders: string[] = [];
afterEach(() => {
  delete process.env['SNAP'];
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function newFolder(parent = realpathSync(tmpdir())): string {
  const folder = mkdtempSync(join(parent, 'latchkey-state-'));
  folders.push(folder);
  return folder;
}

const file = (folder: string): string => join(folder, NAMES[0]);
const copy = (folder: string): string => join(folder, NAMES[1]);
const aside = (folder: string): string[] =>
  readdirSync(folder).filter((name) => name.startsWith('latchkey.json.corrupt-'));
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const codeOf = (run: Promise<unknown>): Promise<unknown> =>
  run.then(
    () => 'no error',
    (thrown: unknown) => (thrown as NodeJS.ErrnoException).code,
  );

async function savedFolder(state = STATE): Promise<string> {
  const folder = newFolder();
  await createStateFile({ folder }).save(state);
  return folder;
}

interface Subject {
  readonly store: StateStore;
  readonly reopen: () => StateStore;
  /** Makes all of it unreadable, until the returned function was called. */
  readonly hide: () => () => void;
}

const subjects: readonly { readonly name: string; readonly start: () => Subject }[] = [
  {
    name: 'fake',
    start() {
      const store = createFakeStateStore();
      return {
        store,
        reopen: () => store,
        hide: () => {
          store.unreadable = 'EIO';
          return () => {
            store.unreadable = null;
          };
        },
      };
    },
  },
  {
    name: 'files',
    start() {
      const folder = newFolder();
      const hide = (): (() => void) => {
        for (const name of NAMES) {
          if (existsSync(join(folder, name)))
            renameSync(join(folder, name), join(folder, `hidden-${name}`));
          mkdirSync(join(folder, name));
        }
        return () => {
          for (const name of NAMES) {
            rmSync(join(folder, name), { recursive: true });
            if (existsSync(join(folder, `hidden-${name}`)))
              renameSync(join(folder, `hidden-${name}`), join(folder, name));
          }
        };
      };
      return {
        store: createStateFile({ folder }),
        reopen: () => createStateFile({ folder }),
        hide,
      };
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
      await store.save(OTHER);
      await store.save(STATE);
      expect(await store.load()).toEqual(STATE);
      expect([await reopen().load(), store.isWhole?.() ?? true]).toEqual([STATE, true]);
    });

    it('keeps what it saved apart from what the caller does with it later', async () => {
      const { store } = start();
      const accounts = [...STATE.accounts];
      await store.save({ ...STATE, accounts });
      accounts.pop();
      expect(await store.load()).toEqual(STATE);
    });

    it('rejects with a code while it cannot be read, writes nothing over it then, and has it afterwards', async () => {
      const { store, reopen, hide } = start();
      await store.save(STATE);
      const show = hide();
      expect(await codeOf(store.load())).toMatch(/^E[A-Z]+$/);
      expect(await codeOf(store.save(OTHER))).toMatch(/^E[A-Z]+$/);
      expect(await codeOf(reopen().save(OTHER))).toMatch(/^E[A-Z]+$/);
      show();
      expect([await store.load(), await reopen().load()]).toEqual([STATE, STATE]);
    });
  });
}

describe('a damaged state file', () => {
  const cut = JSON.stringify(STATE).slice(0, 60);
  const damages: readonly (readonly [string, string | Buffer])[] = [
    ['nothing', ''],
    ['NUL', Buffer.alloc(400)],
    ['its first half', cut],
    ['text', 'not json'],
    ['[]', '[]'],
    ['null', 'null'],
    ['12', '12'],
    ['{}', '{}'],
    ['UTF-16', Buffer.from(`\uFEFF${JSON.stringify(STATE)}`, 'utf16le')],
    ['more than it can hold', ' '.repeat(1_048_577)],
  ];

  it.each(damages)(
    'that holds %s is replaced by its copy, and set aside when it is saved',
    async (_name, damage) => {
      const folder = await savedFolder();
      writeFileSync(file(folder), damage);
      const told: string[] = [];
      const store = createStateFile({ folder, onSetAside: (fileName) => told.push(fileName) });
      expect([
        await store.load(),
        store.isWhole?.(),
        readFileSync(file(folder)).equals(Buffer.from(damage)),
      ]).toEqual([STATE, false, true]);
      await store.save(OTHER);
      expect([told, aside(folder)]).toEqual([told, [told[0]]]);
      expect(readFileSync(join(folder, told[0] ?? '')).equals(Buffer.from(damage))).toBe(true);
      expect([await createStateFile({ folder }).load(), store.isWhole?.()]).toEqual([OTHER, true]);
    },
  );

  it.each(damages)('that holds %s, and has no whole copy, knows nobody', async (_name, damage) => {
    for (const copied of [null, Buffer.from(damage)]) {
      const folder = newFolder();
      writeFileSync(file(folder), damage);
      if (copied !== null) writeFileSync(copy(folder), copied);
      const store = createStateFile({ folder });
      expect([await store.load(), store.isWhole?.()]).toEqual([null, false]);
      await store.save(STATE);
      expect([aside(folder).length, await createStateFile({ folder }).load()]).toEqual([1, STATE]);
    }
  });

  it('is used all the same when an editor has put a byte order mark before it', async () => {
    const folder = await savedFolder(OTHER);
    writeFileSync(file(folder), `\uFEFF${JSON.stringify(STATE)}`);
    const store = createStateFile({ folder });
    expect([await store.load(), store.isWhole?.()]).toEqual([STATE, false]);
  });

  it('that is gone comes back from its copy; with both gone nobody is known', async () => {
    const folder = await savedFolder();
    unlinkSync(file(folder));
    const store = createStateFile({ folder });
    expect([await store.load(), store.isWhole?.()]).toEqual([STATE, false]);
    unlinkSync(copy(folder));
    expect([await store.load(), store.isWhole?.()]).toEqual([null, true]);
  });

  it.each([
    ['is missing', null],
    ['is old', JSON.stringify(OTHER)],
    ['is damaged', '{'],
  ])('says that it should be saved again when its copy %s', async (_name, text) => {
    const folder = await savedFolder();
    if (text === null) unlinkSync(copy(folder));
    else writeFileSync(copy(folder), text);
    const store = createStateFile({ folder });
    expect([await store.load(), store.isWhole?.()]).toEqual([STATE, false]);
    await store.save(STATE);
    expect([store.isWhole?.(), readFileSync(copy(folder), 'utf8')]).toEqual([
      true,
      readFileSync(file(folder), 'utf8'),
    ]);
  });

  it('with a copy that cannot be read is no empty one', async () => {
    const folder = newFolder();
    writeFileSync(file(folder), '{');
    mkdirSync(copy(folder));
    const store = createStateFile({ folder });
    expect([await codeOf(store.load()), await codeOf(store.save(OTHER)), aside(folder)]).toEqual([
      'ENOTSUP',
      'ENOTSUP',
      [],
    ]);
  });

  it('leaves no old copy behind when the new one cannot be written', async () => {
    const folder = await savedFolder();
    // A link to nothing: it can be removed, and not written through.
    unlinkSync(copy(folder));
    symlinkSync(join(folder, 'gone', 'away'), copy(folder));
    await createStateFile({ folder }).save(OTHER);
    expect(readdirSync(folder)).toEqual(['latchkey.json']);
  });

  it('of another version of Latchkey is answered as it is: the caller judges', async () => {
    const folder = await savedFolder();
    writeFileSync(file(folder), '{"schemaVersion":99,"future":true}');
    expect(await createStateFile({ folder }).load()).toEqual({ schemaVersion: 99, future: true });
  });
});

describe('a state file that cannot be read', () => {
  it('is not replaced while its copy serves', async () => {
    const folder = await savedFolder();
    renameSync(file(folder), join(folder, 'elsewhere'));
    mkdirSync(file(folder));
    const store = createStateFile({ folder });
    expect(await store.load()).toEqual(STATE);
    expect([await codeOf(store.save(OTHER)), readdirSync(folder).sort()]).toEqual([
      'ENOTSUP',
      ['elsewhere', 'latchkey.backup.json', 'latchkey.json'],
    ]);
    expect(statSync(file(folder)).isDirectory()).toBe(true);
  });

  it('is a pipe: that is said at once, and the pipe stays', async () => {
    const folder = newFolder();
    execFileSync('mkfifo', [file(folder)]);
    const store = createStateFile({ folder });
    const since = performance.now();
    expect([await codeOf(store.load()), await codeOf(store.save(STATE))]).toEqual([
      'ENOTSUP',
      'ENOTSUP',
    ]);
    expect(performance.now() - since).toBeLessThan(1_000);
    expect(statSync(file(folder)).isFIFO()).toBe(true);
  });

  it('is a link to nothing: the drive may be away for now', async () => {
    const folder = newFolder();
    symlinkSync(join(folder, 'unplugged', 'latchkey.json'), file(folder));
    const store = createStateFile({ folder });
    expect([
      await codeOf(store.load()),
      await codeOf(store.save(STATE)),
      readdirSync(folder),
    ]).toEqual(['ENOLINK', 'ENOLINK', ['latchkey.json']]);
    mkdirSync(join(folder, 'unplugged'));
    writeFileSync(join(folder, 'unplugged', 'latchkey.json'), JSON.stringify(STATE));
    expect(await store.load()).toEqual(STATE);
  });

  it.runIf(isRoot)(
    'belongs to root: it is tried for some seconds, said, and not replaced by who may rename there',
    async () => {
      const folder = newFolder(OPEN_FOLDER);
      await createStateFile({ folder }).save(STATE);
      unlinkSync(copy(folder));
      chmodSync(folder, 0o777);
      chownSync(file(folder), 0, 0);
      for (const task of ['load', 'save'] as const) {
        const {
          answers: [answer],
        } = await runStateFileChild({ task, folder, uid: SOMEBODY });
        expect(answer).toMatchObject({ code: 'EACCES' });
        expect(answer?.tookMs).toBeGreaterThan(1_500);
        expect(answer?.tookMs).toBeLessThan(6_000);
      }
      expect([await createStateFile({ folder }).load(), readdirSync(folder)]).toEqual([
        STATE,
        ['latchkey.json'],
      ]);
    },
  );

  it('is waited for while the process has no file left to open', async () => {
    const folder = await savedFolder();
    const free = await runStateFileChild({ task: 'starve', folder, extra: '500', openFiles: 60 });
    expect(free.answers).toMatchObject([{ content: STATE }]);
    const never = await runStateFileChild({ task: 'starve', folder, extra: '8000', openFiles: 60 });
    expect(never.answers).toMatchObject([{ code: 'EMFILE' }]);
  });
});

describe('a state file that is written', () => {
  it('can be read by nobody else, and neither can its copy', async () => {
    const folder = await savedFolder();
    expect(NAMES.map((name) => statSync(join(folder, name)).mode & 0o777)).toEqual([0o600, 0o600]);
    expect(readdirSync(folder).sort()).toEqual(['latchkey.backup.json', 'latchkey.json']);
  });

  it('is written through a link, which stays', async () => {
    const [folder, dotfiles] = [newFolder(), await savedFolder(OTHER)];
    symlinkSync(file(dotfiles), file(folder));
    await createStateFile({ folder }).save(STATE);
    expect([
      await createStateFile({ folder: dotfiles }).load(),
      await createStateFile({ folder }).load(),
    ]).toEqual([STATE, STATE]);
    expect(realpathSync(file(folder))).toBe(file(dotfiles));
  });

  it.skipIf(process.platform === 'win32')(
    'leaves alone what is no file at the end of a link, as its copy does',
    async () => {
      const folder = await savedFolder();
      const pipe = join(newFolder(), 'pipe');
      execFileSync('mkfifo', [pipe]);
      unlinkSync(copy(folder));
      symlinkSync(pipe, copy(folder));
      const store = createStateFile({ folder });
      await store.save(OTHER);
      expect(statSync(pipe).isFIFO()).toBe(true);
      // The link led to no copy: it makes room for one.
      await store.save(OTHER);
      expect(readFileSync(copy(folder), 'utf8')).toBe(readFileSync(file(folder), 'utf8'));
    },
  );

  it('is never changed in place, also inside a Snap', async () => {
    process.env['SNAP'] = '/snap/app/1';
    const folder = await savedFolder(OTHER);
    for (const name of NAMES) linkSync(join(folder, name), join(folder, `old-${name}`));
    await createStateFile({ folder }).save(STATE);
    const read = (prefix: string): unknown[] =>
      NAMES.map((name): unknown =>
        JSON.parse(readFileSync(join(folder, `${prefix}${name}`), 'utf8')),
      );
    expect([read('old-'), read('')]).toEqual([
      [OTHER, OTHER],
      [STATE, STATE],
    ]);
  });

  it.runIf(isRoot)(
    'is kept whole by a disk that is full, and by one that is read only',
    async () => {
      const folder = newFolder();
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder]);
      try {
        const store = createStateFile({ folder });
        await store.save(STATE);
        writeFileSync(join(folder, 'ballast'), Buffer.alloc(32_768));
        const grown = {
          ...STATE,
          attempts: Array.from({ length: 900 }, (_, index) => ({
            id: `attempt-${index}`,
            expiresAt: index,
          })),
        };
        expect([
          await codeOf(store.save(grown)),
          await store.load(),
          readdirSync(folder).sort(),
        ]).toEqual(['ENOSPC', STATE, ['ballast', 'latchkey.backup.json', 'latchkey.json']]);
        execFileSync('mount', ['-o', 'remount,ro', folder]);
        expect([await codeOf(store.save(OTHER)), await store.load()]).toEqual(['EROFS', STATE]);
      } finally {
        execFileSync('umount', [folder]);
      }
    },
  );

  it.runIf(isRoot)(
    'is outwaited while another program holds it, off the main thread; who never lets go is said, and nothing is lost',
    async () => {
      const folder = await savedFolder();
      // As Windows does with a file that is open elsewhere, Linux refuses to rename over a mount
      // (EBUSY).
      const hold = (): unknown => execFileSync('mount', ['--bind', file(folder), file(folder)]);
      const free = (): unknown => execFileSync('umount', [file(folder)]);
      const store = createStateFile({ folder });
      const delay = monitorEventLoopDelay({ resolution: 5 });
      hold();
      try {
        delay.enable();
        const since = performance.now();
        expect([await codeOf(store.save(OTHER)), performance.now() - since < 6_000]).toEqual([
          'EBUSY',
          true,
        ]);
        const saving = store.save(OTHER);
        await pause(300);
        delay.disable();
        expect(await store.load()).toEqual(STATE);
        free();
        await saving;
      } finally {
        spawnSync('umount', [file(folder)]);
      }
      expect(delay.percentile(99) / 1e6).toBeLessThan(250);
      expect([
        await store.load(),
        await createStateFile({ folder }).load(),
        readdirSync(folder).sort(),
      ]).toEqual([OTHER, OTHER, ['latchkey.backup.json', 'latchkey.json']]);
    },
  );

  it('of earlier versions, which electron-store wrote, is read, and gets its copy', async () => {
    const folder = newFolder();
    const { default: ElectronStore } = await import('electron-store');
    const earlier = new ElectronStore({
      name: 'latchkey',
      cwd: folder,
      accessPropertiesByDotNotation: false,
    });
    earlier.store = { ...STATE };
    const store = createStateFile({ folder });
    expect([await store.load(), store.isWhole?.()]).toEqual([STATE, false]);
    await store.save(STATE);
    expect(earlier.store).toEqual(STATE);
  });

  it('loses no word of two processes that write at once', async () => {
    const folder = newFolder();
    const id = `state-store-${process.pid}-${Math.random()}`;
    const processes = [0, 1].map(() =>
      createStoredState(
        createStateFile({ folder }),
        createLock(),
        { issuer: 'https://id.example', clientId: id },
        createFakeLog(),
      ),
    );
    await Promise.all(processes.map((known) => known.load()));
    await Promise.all(
      processes.flatMap((known, number) =>
        Array.from({ length: 20 }, (_, index) =>
          known.update((state) =>
            withAccount(
              state,
              { id: `${number}-${index}`, issuer: 'https://id.example', subject: 's' },
              'kept',
            ),
          ),
        ),
      ),
    );
    for (const name of NAMES)
      expect(
        (JSON.parse(readFileSync(join(folder, name), 'utf8')) as StateFileContent).accounts,
      ).toHaveLength(40);
  });

  it('is refused where a file stands in the place of its folder, and taken once it does not', async () => {
    const folder = join(newFolder(), 'data');
    writeFileSync(folder, 'a file where the folder should be');
    const store = createStateFile({ folder });
    expect(await codeOf(store.load())).toBe('ENOTDIR');
    await expect(store.save(STATE)).rejects.toThrow();
    rmSync(folder);
    await store.save(STATE);
    expect(await store.load()).toEqual(STATE);
  });

  it('is refused when it is larger than what would be read again', async () => {
    const folder = await savedFolder();
    const store = createStateFile({ folder });
    const endless = {
      ...STATE,
      takeOver: { stage: 'none', tried: ['x'.repeat(1_048_576)] },
    } as const;
    expect([await codeOf(store.save(endless)), await store.load()]).toEqual(['EFBIG', STATE]);
  });

  it(
    'is whole in both copies at every moment of 200 kills, and neither is older than what was said to be done',
    { timeout: 240_000 },
    async () => {
      // In memory, where there is such a disk: a kill does not empty the computer's caches, and
      // thousands of writes take seconds.
      const parent = existsSync('/dev/shm') ? '/dev/shm' : undefined;
      const behind = await Promise.all(
        [1, 2, 3, 4].map(async () => {
          const folder = newFolder(parent);
          const done = join(newFolder(), 'done');
          writeFileSync(done, '0\n');
          const lastDone = (): number =>
            Number(readFileSync(done, 'utf8').trim().split('\n').at(-1));
          let between = 0;
          for (let kill = 0; kill < 50; kill += 1) {
            const before = lastDone();
            const child = startStateFileChild({ task: 'count', folder, extra: done });
            const closed = new Promise((resolve) => child.on('close', resolve));
            while (child.exitCode === null && lastDone() === before) await pause(5);
            await pause(Math.random() * 15);
            child.kill('SIGKILL');
            await closed;
            const said = lastDone();
            const [first = 0, second = 0] = NAMES.map(
              (name) =>
                (JSON.parse(readFileSync(join(folder, name), 'utf8')) as { sequence: number })
                  .sequence,
            );
            expect(
              [[0, 1].includes(first - said), [0, 1].includes(first - second), second >= said],
              `${said} ${first} ${second}`,
            ).toEqual([true, true, true]);
            if (first > second) between += 1;
          }
          return between;
        }),
      );
      // Else no kill has met the moment between the two.
      expect(Math.max(...behind)).toBeGreaterThan(0);
    },
  );

  it('takes with it what a kill has left of earlier writes, once that is old', async () => {
    const folder = newFolder();
    const [old, young] = ['latchkey.json.0123456789ab.new', 'latchkey.json.ba9876543210.new'];
    for (const name of [old, young, 'latchkey.json.mine.new'])
      writeFileSync(join(folder, name), '{');
    utimesSync(join(folder, old), 1, 1);
    await createStateFile({ folder }).save(STATE);
    expect(readdirSync(folder).sort()).toEqual([
      'latchkey.backup.json',
      'latchkey.json',
      young,
      'latchkey.json.mine.new',
    ]);
  });
});

describe('a disk that does not answer', () => {
  it(
    'costs one thread and three seconds, not the other files of the app, and not its end',
    { timeout: 40_000 },
    async () => {
      const folder = newFolder();
      execFileSync('mkfifo', [file(folder)]);
      writeFileSync(join(folder, 'other'), 'fine');
      const {
        answers: [many, again, last],
        exit,
        exitMs,
      } = await runStateFileChild<{
        codes: readonly string[];
        elsewhere: readonly string[];
        tookMs: number;
        againMs: number;
        lastWord: number;
      }>({ task: 'hang', folder, extra: join(folder, 'other'), disk: 'hanging' });
      expect(many?.codes).toEqual(['ETIMEDOUT']);
      expect(many?.tookMs).toBeLessThan(6_000);
      expect(again).toMatchObject({
        codes: ['ETIMEDOUT', 'ETIMEDOUT'],
        elsewhere: ['fine', 'fine', 'fine'],
      });
      expect(again?.againMs).toBeLessThan(1_000);
      expect([exit, exitMs < 5_000]).toEqual(['SIGKILL', true]);
      expect(last?.lastWord).toBe(7);
    },
  );
});

describe('an app that ends while a file is read', () => {
  it(
    'ends soon though the disk does not answer, also before that is known',
    { timeout: 40_000 },
    async () => {
      const folder = newFolder();
      execFileSync('mkfifo', [file(folder)]);
      const {
        answers: [left],
        exit,
        exitMs,
      } = await runStateFileChild({ task: 'leave', folder, disk: 'hanging' });
      expect(left?.tookMs).toBeLessThan(3_000);
      expect([exit, exitMs < 2_000]).toEqual(['SIGKILL', true]);
    },
  );

  it(
    'ends as it likes, and waits no longer than the disk, where it answers',
    { timeout: 40_000 },
    async () => {
      const {
        answers: [left],
        exit,
      } = await runStateFileChild({ task: 'leave', folder: await savedFolder() });
      expect(left?.tookMs).toBeLessThan(800);
      expect(exit).toBe(7);
    },
  );
});

describe('a disk that is slow', () => {
  it(
    'is waited for by reads behind its writes, and takes nothing from the end of the app',
    { timeout: 40_000 },
    async () => {
      const folder = await savedFolder();
      const { answers, exit } = await runStateFileChild<{ loaded: unknown; saved: unknown }>({
        task: 'crawl',
        folder,
        disk: 'slow',
      });
      expect(answers).toMatchObject([
        { loaded: { content: { schemaVersion: 1 } }, saved: { content: null } },
      ]);
      expect(exit).toBe(7);
    },
  );

  it(
    'is not confused with a main thread that is kept busy for longer than a read may take',
    { timeout: 20_000 },
    async () => {
      const store = createStateFile({ folder: await savedFolder() });
      const loading = store.load();
      for (const since = performance.now(); performance.now() - since < 3_500;);
      expect(await loading).toEqual(STATE);
    },
  );
});
