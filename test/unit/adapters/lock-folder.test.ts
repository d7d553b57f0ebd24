// The lock by a folder at the moments that chance seldom brings: real files and real sockets, but
// what others do to the folder happens exactly between two steps of a claim. And real processes
// that cannot be reached, or open nothing more.
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createLock, type LockOptions } from '../../../src/main/adapters/lock.js';
import { startLockProcess, type LockProcess } from '../../support/lock-process.js';

const PLENTY_MS = 15_000;
const SHORT_MS = 300;
/** More than any system lets wait for one listener: Node asks for 511. */
const CROWD = 1_200;

type Step = 'mkdir' | 'rename' | 'lstat';

/** What somebody else does just before, or after, a step of this process. */
let meanwhile: (when: 'before' | 'after', step: Step, paths: readonly string[]) => void = () => {};

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>();
  const watched =
    (step: Step) =>
    async (...given: readonly never[]) => {
      const paths = given.filter((one) => typeof one === 'string');
      meanwhile('before', step, paths);
      const answer = await (real[step] as (...args: readonly never[]) => Promise<unknown>)(
        ...given,
      );
      meanwhile('after', step, paths);
      return answer;
    };
  return { ...real, mkdir: watched('mkdir'), rename: watched('rename'), lstat: watched('lstat') };
});

const cleanUps: (() => void)[] = [];
afterEach(() => {
  meanwhile = () => {};
  for (const cleanUp of cleanUps.splice(0).reverse()) cleanUp();
});

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-lock-'));
  cleanUps.push(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function start(options: LockOptions, kind: 'normal' | 'small' = 'normal'): LockProcess {
  const started = startLockProcess(options, kind);
  cleanUps.push(() => started.signal('SIGKILL'));
  return started;
}

function baseOf(folder: string): string {
  return join(folder, readdirSync(folder)[0] ?? '');
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Somebody else's living socket in a folder of its own, to be moved into a claimant's place. */
async function livingSocket(folder: string): Promise<string> {
  const place = join(folder, 'x');
  mkdirSync(place);
  const server: Server = createServer(() => {});
  await new Promise<void>((resolve) => server.listen(join(place, 's'), resolve));
  cleanUps.push(() => server.close());
  return place;
}

describe.skipIf(process.platform === 'win32')('a lock by a folder', () => {
  it('is not held by a claimant whose socket was swept just before it took its number', async () => {
    const folder = newFolder();
    const options: LockOptions = { ground: 'folder', folder };
    let swept = 0;
    meanwhile = (when, step, [from = '']) => {
      if (when === 'before' && step === 'rename' && (swept += 1) === 1) rmSync(join(from, 's'));
    };
    const inside = await createLock(options).hold('name', PLENTY_MS, async () => {
      meanwhile = () => {};
      // A holder that lives can be waited for, so a second one does not come in.
      return {
        numbers: readdirSync(baseOf(folder)),
        second: (await createLock(options).hold('name', SHORT_MS, async () => {})).held,
      };
    });
    expect(inside).toEqual({ held: true, value: { numbers: ['2'], second: false } });
    expect(swept).toBe(2);
  });

  it('is not held by a claimant in whose place somebody else listens now', async () => {
    const folder = newFolder();
    const other = await livingSocket(newFolder());
    let moved = 0;
    meanwhile = (when, step, [, to = '']) => {
      if (when !== 'after' || step !== 'rename' || (moved += 1) > 1) return;
      rmSync(join(to, 's'));
      renameSync(join(other, 's'), join(to, 's'));
    };
    const answer = await createLock({ ground: 'folder', folder }).hold(
      'name',
      SHORT_MS,
      async () => 'entered',
    );
    expect(answer).toMatchObject({ held: false, reason: 'busy' });
    expect(moved).toBe(1);
  });

  it('is not held by a claimant beside whom a higher number appeared, which it waits for', async () => {
    const folder = newFolder();
    const other = await livingSocket(newFolder());
    let appeared = false;
    meanwhile = (when, step, [, to = '']) => {
      if (when !== 'after' || step !== 'rename' || appeared) return;
      appeared = true;
      renameSync(other, join(to, '..', '2'));
    };
    const answer = await createLock({ ground: 'folder', folder }).hold(
      'name',
      SHORT_MS,
      async () => 'entered',
    );
    expect(answer).toMatchObject({ held: false, reason: 'busy' });
    expect(readdirSync(baseOf(folder))).toEqual(['2']);
  });

  it('is not held by a claimant whose number somebody took first', async () => {
    const folder = newFolder();
    const other = await livingSocket(newFolder());
    let taken = false;
    meanwhile = (when, step, [, to = '']) => {
      if (when !== 'before' || step !== 'rename' || taken) return;
      taken = true;
      renameSync(other, to);
    };
    const answer = await createLock({ ground: 'folder', folder }).hold(
      'name',
      SHORT_MS,
      async () => 'entered',
    );
    expect(answer).toMatchObject({ held: false, reason: 'busy' });
    expect(readdirSync(baseOf(folder)), 'no ticket is left').toEqual(['1']);
  });

  it('is refused when the claim cannot be looked at, and nothing of the claim is left', async () => {
    const folder = newFolder();
    meanwhile = (when, step, [path = '']) => {
      if (when === 'before' && step === 'lstat' && path.endsWith('/s'))
        throw Object.assign(new Error('no'), { code: 'EACCES' });
    };
    const answer = await createLock({ ground: 'folder', folder }).hold(
      'name',
      PLENTY_MS,
      async () => 'entered',
    );
    expect(answer).toEqual({
      held: false,
      reason: 'unavailable',
      detail: 'the lock cannot be taken (EACCES)',
    });
    expect(readdirSync(baseOf(folder))).toEqual([]);
  });

  it('is not taken from a living holder that nobody can reach, because too many wait for it', async () => {
    const folder = newFolder();
    const options: LockOptions = { ground: 'folder', folder };
    const holder = start(options);
    expect(await holder.hold('name', PLENTY_MS)).toBe(true);
    holder.signal('SIGSTOP');
    const address = join(baseOf(folder), '1', 's');
    const refusals = new Set<string>();
    const crowd: Socket[] = Array.from({ length: CROWD }, () =>
      createConnection({ path: address }).on('error', (thrown: NodeJS.ErrnoException) =>
        refusals.add(String(thrown.code)),
      ),
    );
    cleanUps.push(() => crowd.forEach((socket) => socket.destroy()));
    await pause(200);
    // Not what a dead one says.
    expect([...refusals]).toEqual(['EAGAIN']);
    let ran = false;
    const answer = await createLock(options).hold('name', SHORT_MS, async () => void (ran = true));
    expect([answer.held, ran]).toEqual([false, false]);
    expect(answer).toMatchObject({ reason: 'busy' });
    expect(readdirSync(baseOf(folder))).toEqual(['1']);
  });

  it('is taken, after a restart of the computer, from a socket that nobody listens on', async () => {
    const folder = newFolder();
    const options: LockOptions = { ground: 'folder', folder };
    const holder = start(options);
    await holder.hold('name', PLENTY_MS);
    holder.signal('SIGKILL');
    await holder.ended;
    expect(readdirSync(join(baseOf(folder), '1'))).toEqual(['s']);
    expect((await createLock(options).hold('name', 0, async () => {})).held).toBe(true);
  });
});

describe.each<readonly [string, () => LockOptions]>([
  ['by a name', () => ({ ground: 'name' })],
  ['by a folder', () => ({ ground: 'folder', folder: newFolder() })],
])('a process that may open no file any more, with a lock %s', (ground, newOptions) => {
  const present =
    ground === 'by a folder' ? process.platform !== 'win32' : process.platform === 'linux';
  const name = `starved ${process.pid}`;

  it.skipIf(!present)(
    'does not enter beside a holder, nor take it for a computer without locks',
    async () => {
      const options = newOptions();
      const [holder, small] = [start(options), start(options, 'small')];
      expect(await holder.hold(name, PLENTY_MS)).toBe(true);
      await small.starve(true);
      expect(await small.tryToHold(name, SHORT_MS)).toBe('busy');
      const waiting = small.tryToHold(name, PLENTY_MS);
      await small.starve(false);
      holder.release();
      expect(await waiting).toBe('held');
    },
  );

  it.skipIf(!present)(
    'waits for one that is free until it can open files, and no longer than its limit',
    async () => {
      const small = start(newOptions(), 'small');
      await small.starve(true);
      expect(await small.tryToHold(name, SHORT_MS)).toBe('busy');
      const waiting = small.tryToHold(name, PLENTY_MS);
      await pause(100);
      await small.starve(false);
      expect(await waiting).toBe('held');
    },
  );
});
