// Lock: the same cases on the fake and on the real adapter, with real processes that are killed and
// stopped. The adapter's way for macOS is proved here on Linux; its way for Windows is proved
// nowhere.
import { AsyncLocalStorage, createHook } from 'node:async_hooks';
import { createHash } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  chmodSync,
} from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createLock, type LockOptions } from '../../src/main/adapters/lock.js';
import type { Lock } from '../../src/main/core/base/ports.js';
import { createFakeLock } from '../support/fake-lock.js';
import { startLockProcess, type LockProcess } from '../support/lock-process.js';

const PLENTY_MS = 15_000;
const SHORT_MS = 250;
const PROCESSES = 4;
const ROUNDS = 40;
/** A log of some hundred lines. */
const STORM_BYTES = 1_500;

/** Somebody in another process who holds a name. */
interface Holder {
  release(): void;
  kill(): void;
  /** Stops it where it is, as a debugger does; it can be killed still. */
  stop(): void;
}

interface World {
  readonly lock: Lock;
  holdElsewhere(name: string): Promise<Holder>;
  /**
   * Four processes take the name again and again. Answers what happened, as "enter <who>", "leave
   * <who>".
   */
  contend(name: string): Promise<readonly string[]>;
  close(): void;
}

let names = 0;
function newName(): string {
  return `test ${process.pid} ${(names += 1)}`;
}

function fakeWorld(): World {
  const lock = createFakeLock();
  return {
    lock,
    async holdElsewhere(name) {
      const other = lock.another();
      let release = (): void => {};
      await new Promise<void>((entered) => {
        void other.hold(
          name,
          PLENTY_MS,
          () =>
            new Promise<void>((resolve) => {
              release = resolve;
              entered();
            }),
        );
      });
      return { release, kill: other.kill, stop() {} };
    },
    async contend(name) {
      const lines: string[] = [];
      const processes = Array.from({ length: PROCESSES }, async (_, who) => {
        const other = lock.another();
        for (let round = 0; round < ROUNDS; round += 1) {
          await other.hold(name, PLENTY_MS, async () => {
            lines.push(`enter ${who}`);
            await new Promise((resolve) => setImmediate(resolve));
            lines.push(`leave ${who}`);
          });
        }
      });
      await Promise.all(processes);
      return lines;
    },
    close() {},
  };
}

function realWorld(options: LockOptions): World {
  const processes: LockProcess[] = [];
  const start = (): LockProcess => {
    const started = startLockProcess(options);
    processes.push(started);
    return started;
  };
  return {
    lock: createLock(options),
    async holdElsewhere(name) {
      const other = start();
      expect(await other.hold(name, PLENTY_MS)).toBe(true);
      return {
        release: () => other.release(),
        kill: () => other.signal('SIGKILL'),
        stop: () => other.signal('SIGSTOP'),
      };
    },
    async contend(name) {
      const file = join(newFolder(), 'log');
      await Promise.all(
        Array.from({ length: PROCESSES }, () => start().contend(name, PLENTY_MS, ROUNDS, file)),
      );
      return readFileSync(file, 'utf8').trim().split('\n');
    },
    close() {
      for (const started of processes) started.signal('SIGKILL');
    },
  };
}

/**
 * Does the work, and counts the timers that it began and those of them that are still there: others
 * begin and end timers meanwhile.
 */
async function timersOf(
  work: () => Promise<void>,
): Promise<{ readonly began: number; readonly left: number }> {
  const inside = new AsyncLocalStorage<true>();
  const alive = new Set<number>();
  let began = 0;
  const hook = createHook({
    init(id, type) {
      if (type !== 'Timeout' || inside.getStore() !== true) return;
      began += 1;
      alive.add(id);
    },
    destroy(id) {
      alive.delete(id);
    },
  }).enable();
  await inside.run(true, work);
  // Node tells of an ended timer when it has nothing else to do.
  await new Promise((resolve) => setImmediate(resolve));
  hook.disable();
  return { began, left: alive.size };
}

const folders: string[] = [];
function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-lock-'));
  folders.push(folder);
  return folder;
}
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

const hasAbstractNames = process.platform === 'linux' || process.platform === 'win32';
const hasFolders = process.platform !== 'win32';
const subjects: readonly { readonly name: string; readonly present: boolean; open(): World }[] = [
  { name: 'fake', present: true, open: fakeWorld },
  {
    name: 'adapter, by a name',
    present: hasAbstractNames,
    open: () => realWorld({ ground: 'name' }),
  },
  {
    name: 'adapter, by a folder',
    present: hasFolders,
    open: () => realWorld({ ground: 'folder', folder: newFolder() }),
  },
];

for (const { name: subject, present, open } of subjects) {
  describe.skipIf(!present)(`lock: ${subject}`, () => {
    const world = open();
    afterAll(() => world.close());
    const { lock } = world;

    it('gives back what was done, and is free again', async () => {
      const name = newName();
      expect(await lock.hold(name, PLENTY_MS, async () => 'first')).toEqual({
        held: true,
        value: 'first',
      });
      expect(await lock.hold(name, 0, async () => 'second')).toEqual({
        held: true,
        value: 'second',
      });
    });

    it('rejects with what was thrown, and is free again', async () => {
      const name = newName();
      const thrown = new Error('of the caller');
      await expect(lock.hold(name, PLENTY_MS, () => Promise.reject(thrown))).rejects.toBe(thrown);
      await expect(
        lock.hold(name, PLENTY_MS, () => {
          throw thrown;
        }),
      ).rejects.toBe(thrown);
      expect((await lock.hold(name, 0, async () => {})).held).toBe(true);
    });

    it('lets 50 calls of one process in one by one', async () => {
      const name = newName();
      let inside = 0;
      let most = 0;
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, call) =>
          lock.hold(name, PLENTY_MS, async () => {
            inside += 1;
            most = Math.max(most, inside);
            await new Promise((resolve) => setImmediate(resolve));
            inside -= 1;
            return call;
          }),
        ),
      );
      expect(answers).toEqual(
        Array.from({ length: 50 }, (_, call) => ({ held: true, value: call })),
      );
      expect(most).toBe(1);
    });

    it(`lets ${PROCESSES} processes in one by one, ${ROUNDS} times each`, async () => {
      const lines = await world.contend(newName());
      expect(lines).toHaveLength(PROCESSES * ROUNDS * 2);
      expect(overlapsIn(lines, new Set())).toEqual([]);
    });

    it('does not let one name wait for another', async () => {
      const holder = await world.holdElsewhere(newName());
      expect((await lock.hold(newName(), 0, async () => {})).held).toBe(true);
      const inner = newName();
      expect(
        await lock.hold(newName(), PLENTY_MS, () => lock.hold(inner, 0, async () => 'both')),
      ).toEqual({ held: true, value: { held: true, value: 'both' } });
      holder.kill();
    });

    it.each(['', 'with\0NUL', '../..', 'x'.repeat(10_000), 'ünïcödé 漢字 🔑'])(
      'takes any text for a name: %#',
      async (name) => {
        expect((await lock.hold(`${newName()}${name}`, PLENTY_MS, async () => {})).held).toBe(true);
      },
    );

    it('waits for the holder, and enters when it leaves', async () => {
      const name = newName();
      const holder = await world.holdElsewhere(name);
      let entered = false;
      const waiting = lock.hold(name, PLENTY_MS, async () => void (entered = true));
      await pause(SHORT_MS);
      expect(entered).toBe(false);
      holder.release();
      expect((await within(waiting, 1_000)).held).toBe(true);
    });

    it('enters in less than a second after the holder was killed', async () => {
      const name = newName();
      const holder = await world.holdElsewhere(name);
      const waiting = lock.hold(name, PLENTY_MS, async () => {});
      await pause(50);
      holder.kill();
      expect((await within(waiting, 1_000)).held).toBe(true);
      expect((await lock.hold(name, 0, async () => {})).held).toBe(true);
    });

    it('ends the wait for a stopped holder at the limit, without having run anything', async () => {
      const name = newName();
      const holder = await world.holdElsewhere(name);
      holder.stop();
      let ran = false;
      const startedAt = performance.now();
      const answers = await Promise.all([
        lock.hold(name, SHORT_MS, async () => void (ran = true)),
        lock.hold(name, SHORT_MS, async () => void (ran = true)),
      ]);
      const tookMs = performance.now() - startedAt;
      for (const answer of answers)
        expect(answer).toEqual({
          held: false,
          reason: 'busy',
          detail: expect.stringMatching(
            /^another (process|call in this process) holds the lock$/,
          ) as string,
        });
      expect(ran).toBe(false);
      expect(tookMs).toBeGreaterThan(SHORT_MS - 10);
      expect(tookMs).toBeLessThan(SHORT_MS + 1_000);
      expect((await lock.hold(name, 0, async () => {})).held).toBe(false);
      holder.kill();
      expect(
        (
          await within(
            lock.hold(name, PLENTY_MS, async () => {}),
            1_000,
          )
        ).held,
      ).toBe(true);
    });

    it('ends the wait of those who give up, at once and without having run anything, and leaves no timer', async () => {
      const name = newName();
      const holder = await world.holdElsewhere(name);
      let ran = false;
      const startedAt = performance.now();
      const timers = await timersOf(async () => {
        const giveUp = new AbortController();
        const waiting = [1, 2].map(() =>
          lock.hold(name, PLENTY_MS, async () => void (ran = true), giveUp.signal),
        );
        await pause(50);
        giveUp.abort();
        const late = lock.hold(name, PLENTY_MS, async () => void (ran = true), giveUp.signal);
        for (const answer of await Promise.all([...waiting, late]))
          expect(answer).toMatchObject({ held: false, reason: 'given-up' });
      });
      expect(performance.now() - startedAt).toBeLessThan(PLENTY_MS / 2);
      expect(ran).toBe(false);
      // The pause, and at least one of those who wait.
      expect(timers.began).toBeGreaterThan(1);
      expect(timers.left).toBe(0);
      holder.release();
      expect(
        (
          await within(
            lock.hold(name, PLENTY_MS, async () => {}),
            1_000,
          )
        ).held,
      ).toBe(true);
    });

    it('is held by those who do not want to wait when it is free, and what has begun is not cut off', async () => {
      const name = newName();
      const giveUp = new AbortController();
      const done = lock.hold(
        name,
        PLENTY_MS,
        async () => {
          giveUp.abort();
          await pause(20);
          return 'whole';
        },
        giveUp.signal,
      );
      expect(await done).toEqual({ held: true, value: 'whole' });
      expect(await lock.hold(name, PLENTY_MS, async () => 'free', giveUp.signal)).toEqual({
        held: true,
        value: 'free',
      });
    });

    it('is not held by a call that has given up', async () => {
      const name = newName();
      const holder = await world.holdElsewhere(name);
      expect((await lock.hold(name, 20, async () => {})).held).toBe(false);
      holder.release();
      expect(
        (
          await within(
            lock.hold(name, PLENTY_MS, async () => {}),
            1_000,
          )
        ).held,
      ).toBe(true);
    });
  });
}

const realOnes: readonly {
  readonly name: string;
  readonly present: boolean;
  options(): LockOptions;
}[] = [
  { name: 'by a name', present: hasAbstractNames, options: () => ({ ground: 'name' }) },
  {
    name: 'by a folder',
    present: hasFolders,
    options: () => ({ ground: 'folder', folder: newFolder() }),
  },
];

for (const { name: subject, present, options: newOptions } of realOnes) {
  describe.skipIf(!present)(`lock among real processes, ${subject}`, () => {
    it('lets nobody in beside a living holder while processes are killed at random', async () => {
      const options = newOptions();
      const name = newName();
      const file = join(newFolder(), 'log');
      writeFileSync(file, '');
      const killed = new Set<string>();
      const start = (): LockProcess => {
        const started = startLockProcess(options);
        void started.contend(name, PLENTY_MS, 1_000_000, file);
        return started;
      };
      const processes = Array.from({ length: PROCESSES }, start);
      // On a loaded computer a process may be killed before it has done anything: then a few kills
      // prove nothing.
      for (let kills = 0; kills < 16 || statSync(file).size < STORM_BYTES; kills += 1) {
        await pause(40 + Math.random() * 60);
        const [victim] = processes.splice(Math.floor(Math.random() * PROCESSES), 1, start());
        killed.add(String(victim?.pid));
        victim?.signal('SIGKILL');
      }
      await pause(300);
      for (const last of processes) {
        killed.add(String(last.pid));
        last.signal('SIGKILL');
      }
      await Promise.all(processes.map(({ ended }) => ended));
      const lines = readFileSync(file, 'utf8').trim().split('\n');
      expect(overlapsIn(lines, killed)).toEqual([]);
      expect(lines.filter((line) => line.startsWith('late'))).toEqual([]);
      expect(
        (
          await within(
            createLock(options).hold(name, PLENTY_MS, async () => {}),
            1_000,
          )
        ).held,
      ).toBe(true);
    });

    it('does not keep a process alive that has nothing else to do', async () => {
      const idle = startLockProcess(newOptions());
      expect(await idle.hold(newName(), PLENTY_MS, true)).toBe(true);
      await within(idle.ended, 5_000);
    });

    it('holds against another lock in the same process', async () => {
      const options = newOptions();
      const name = newName();
      const inner = await createLock(options).hold(name, PLENTY_MS, () =>
        createLock(options).hold(name, 50, async () => {}),
      );
      expect(inner).toEqual({
        held: true,
        value: { held: false, reason: 'busy', detail: 'another process holds the lock' },
      });
    });

    it.skipIf(process.platform !== 'linux')(
      'bears a flood of connections that say a lot, and lets the next in afterwards',
      async () => {
        const options = newOptions();
        const name = newName();
        const lock = createLock(options);
        const flood: Socket[] = [];
        const next = lock.hold(name, PLENTY_MS, async () => {
          const address = addressOf(options, name);
          for (let count = 0; count < 400; count += 1) {
            const socket = createConnection({ path: address });
            socket.on('error', () => {});
            socket.write('x'.repeat(10_000));
            flood.push(socket);
          }
          await pause(SHORT_MS);
          return (await createLock(options).hold(name, SHORT_MS, async () => {})).held;
        });
        expect(await next).toEqual({ held: true, value: false });
        expect(
          (
            await within(
              lock.hold(name, PLENTY_MS, async () => {}),
              1_000,
            )
          ).held,
        ).toBe(true);
        for (const socket of flood) socket.destroy();
      },
    );
  });
}

describe.skipIf(!hasFolders)('lock by a folder', () => {
  it('lets nobody in beside a living holder while processes are slow, and some so slow that their number was swept', async () => {
    const options: LockOptions = { ground: 'folder', folder: newFolder() };
    const file = join(newFolder(), 'log');
    const processes = Array.from({ length: PROCESSES }, () => startLockProcess(options, 'slow'));
    writeFileSync(file, '');
    for (const slow of processes) void slow.contend('name', PLENTY_MS, 1_000_000, file);
    await pause(3_000);
    while (statSync(file).size < STORM_BYTES) await pause(50);
    for (const slow of processes) slow.signal('SIGKILL');
    await Promise.all(processes.map(({ ended }) => ended));
    const lines = readFileSync(file, 'utf8').trim().split('\n');
    expect(overlapsIn(lines, new Set(processes.map(({ pid }) => String(pid))))).toEqual([]);
  });

  it('leaves one number and nothing else behind, however often it was held', async () => {
    const folder = newFolder();
    const lock = createLock({ ground: 'folder', folder });
    for (let round = 0; round < 5; round += 1) await lock.hold('name', PLENTY_MS, async () => {});
    const [base, ...others] = readdirSync(folder);
    expect(others).toEqual([]);
    expect(readdirSync(join(folder, base ?? ''))).toEqual(['5']);
  });

  it('sweeps what processes left that died half-way, and spares what a living one prepares', async () => {
    const folder = newFolder();
    const lock = createLock({ ground: 'folder', folder });
    await lock.hold('name', PLENTY_MS, async () => {});
    const base = join(folder, readdirSync(folder)[0] ?? '');
    const dead = startLockProcess({ ground: 'folder', folder });
    dead.signal('SIGKILL');
    await dead.ended;
    for (const left of [`${dead.pid}-0123456789ab`, `${process.pid}-0123456789ab`])
      mkdirSync(join(base, left));
    await lock.hold('name', PLENTY_MS, async () => {});
    expect(new Set(readdirSync(base))).toEqual(new Set(['2', `${process.pid}-0123456789ab`]));
  });

  it('takes over from a holder whose socket file is gone', async () => {
    const folder = newFolder();
    const lock = createLock({ ground: 'folder', folder });
    await lock.hold('name', PLENTY_MS, async () => {});
    rmSync(join(folder, readdirSync(folder)[0] ?? '', '1', 's'));
    expect((await lock.hold('name', 0, async () => {})).held).toBe(true);
  });

  it.each<readonly [string, (folder: string) => void]>([
    ['is open to others', (folder) => chmodSync(folder, 0o770)],
    [
      'is a link to another one',
      (folder) => (rmSync(folder, { recursive: true }), symlinkSync(newFolder(), folder)),
    ],
    ['is a file', (folder) => (rmSync(folder, { recursive: true }), writeFileSync(folder, ''))],
  ])('refuses at once a folder that %s', async (_name, spoil) => {
    const folder = newFolder();
    spoil(folder);
    const answer = await createLock({ ground: 'folder', folder }).hold(
      'name',
      PLENTY_MS,
      async () => {},
    );
    expect(answer).toEqual({
      held: false,
      reason: 'unavailable',
      detail: "the folder of the locks is not this user's alone",
    });
  });

  it('refuses at once a folder that cannot be made, and one whose name is too long for a socket', async () => {
    const folder = newFolder();
    const missing = await createLock({
      ground: 'folder',
      folder: join(folder, 'missing', 'deep'),
    }).hold('name', PLENTY_MS, async () => {});
    expect(missing).toEqual({
      held: false,
      reason: 'unavailable',
      detail: 'the lock cannot be taken (ENOENT)',
    });
    const long = await createLock({ ground: 'folder', folder: join(folder, 'x'.repeat(80)) }).hold(
      'name',
      PLENTY_MS,
      async () => {},
    );
    expect(long).toEqual({
      held: false,
      reason: 'unavailable',
      detail: 'the folder of the locks has too long a name',
    });
  });
});

/** Every "enter" while another who was not killed had not left: what must never be. */
function overlapsIn(lines: readonly string[], killed: ReadonlySet<string>): readonly string[] {
  const overlaps: string[] = [];
  let inside: string | null = null;
  lines.forEach((line, index) => {
    const [what, who = ''] = line.split(' ');
    if (what === 'enter') {
      // A killed one never leaves; if it writes again later, it was alive when the next one
      // entered.
      const gone =
        inside !== null &&
        killed.has(inside) &&
        !lines.slice(index).some((later) => later.endsWith(` ${inside ?? ''}`));
      if (inside !== null && !gone) overlaps.push(`${index}: ${line} while ${inside} is inside`);
      inside = who;
    }
    if (what === 'leave') {
      if (inside !== who) overlaps.push(`${index}: ${line} while ${inside ?? 'nobody'} is inside`);
      inside = null;
    }
  });
  return overlaps;
}

/** Where the holder of this name listens now. Other tests' locks may be on this computer, too. */
function addressOf({ folder }: LockOptions, name: string): string {
  const digest = createHash('sha256').update(name).digest('hex').slice(0, 32);
  if (folder !== undefined)
    return join(folder, digest, readdirSync(join(folder, digest))[0] ?? '', 's');
  const [, abstractName] =
    new RegExp(`@(latchkey-\\d+-${digest}-*)`).exec(readFileSync('/proc/net/unix', 'utf8')) ?? [];
  expect(abstractName).toBeDefined();
  return `\0${abstractName ?? ''}`;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function within<T>(work: Promise<T>, limitMs: number): Promise<T> {
  return Promise.race([
    work,
    pause(limitMs).then(() => Promise.reject(new Error(`took longer than ${limitMs} ms`))),
  ]);
}
