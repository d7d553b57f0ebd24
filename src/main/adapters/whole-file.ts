// Files that are read and written whole: bounded in size and in time, and never on the main thread.
// Only ENOENT means that nothing is there. Deletes nothing but its own drafts and what it is told
// to.
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import {
  type FileHandle,
  lstat,
  mkdir,
  open,
  readdir,
  realpath,
  rename,
  stat,
  unlink,
} from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/**
 * Scanners, backups and indexers hold a file for a moment, and a process may run out of files. Two
 * seconds in all.
 */
const PAUSES_MS = [20, 50, 100, 200, 300, 400, 450, 480];
/** A disk that sleeps takes seconds to wake; a network drive that is gone never answers. */
const READ_MS = 3_000;
/** It takes a full queue of a slow disk to bring some kilobytes there. */
const WRITE_MS = 10_000;
const AWAKE_STEPS = 10;
/** What a kill left in the middle of a write; a write that goes on is younger. */
const LEFTOVER_MS = 60_000;
/** To try these again would bring the same answer. `ENOTSUP`, `EFBIG`, `ENOLINK` are said here. */
const DEFINITE = [
  'ENOENT',
  'ENOSPC',
  'EDQUOT',
  'EROFS',
  'ENOTDIR',
  'EISDIR',
  'ENAMETOOLONG',
  'ETIMEDOUT',
  'ENOTSUP',
  'EFBIG',
  'ENOLINK',
];

/**
 * Null only when surely nothing is there. Rejects with an errno exception: `EFBIG` when it is
 * larger than `maxBytes`, `ENOTSUP` when it is a folder, a pipe or a device, `ENOLINK` when it is a
 * link to nothing, `ETIMEDOUT` when the disk does not answer in three seconds. Whatever else fails
 * is tried again for two seconds, unless `patient` is false.
 */
export function readWhole(path: string, maxBytes: number, patient = true): Promise<Buffer | null> {
  return persist(patient, () => inLane(dirname(path), READ_MS, () => readOnce(path, maxBytes)));
}

/**
 * Resolves when the bytes are on the disk under this name; until then the old file stands whole. A
 * link is followed, but not to a folder, a pipe or a device (`ENOTSUP`). The folder must exist.
 * Rejects with an errno exception, and then nothing has changed, unless the disk did not answer in
 * time.
 */
export function writeWhole(path: string, bytes: Uint8Array | string, mode = 0o600): Promise<void> {
  return persist(true, () =>
    inLane(dirname(path), WRITE_MS, (isLate) => writeOnce(path, bytes, mode, isLate)),
  );
}

/** Makes the folder of such files, with the folders that it is in. */
export async function makeFolder(path: string): Promise<void> {
  await inLane(path, WRITE_MS, () => mkdir(path, { recursive: true, mode: 0o700 }));
}

/**
 * Removes the file, and what interrupted writes left of it. Removing what is not there resolves.
 */
export function removeWhole(path: string): Promise<void> {
  return persist(true, () =>
    inLane(dirname(path), WRITE_MS, async () => {
      await unlink(path).catch(nullIfAbsent);
      await sweep(path, 0);
      await syncFolder(dirname(path));
    }),
  );
}

/**
 * For the end of the app: resolves when no call is running, or after `limitMs`. The process then
 * ends without waiting for a call that hangs; otherwise it would wait after its event `exit`.
 */
export function filesAtRest(limitMs: number): Promise<void> {
  return new Promise((resolve) => {
    const cancel = afterAwake(limitMs, () => {
      for (const lane of lanes.values()) giveUp(lane);
      resolve();
    });
    void Promise.all([...lanes.values()].map(({ tail }) => tail)).then(() => {
      cancel();
      resolve();
    });
  });
}

/**
 * The name of the error, such as `EACCES`; its message would name the path, and with it the person.
 */
export function errnoOf(thrown: unknown): string {
  const code = (thrown as NodeJS.ErrnoException | null)?.code;
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) ? code : 'unknown error';
}

export function errnoError(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(code), { code });
}

async function readOnce(path: string, maxBytes: number): Promise<Buffer | null> {
  // Non-blocking: a pipe would be waited for without end, and so would a lease that another program
  // holds.
  const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)).catch(
    nullIfAbsent,
  );
  if (file === null) {
    // The drive that the link leads to may be away for now.
    if ((await lstat(path).catch(nullIfAbsent))?.isSymbolicLink() === true)
      throw errnoError('ENOLINK');
    return null;
  }
  try {
    const facts = await file.stat();
    if (!facts.isFile()) throw errnoError('ENOTSUP');
    if (facts.size > maxBytes) throw errnoError('EFBIG');
    return await readBytes(file, facts.size);
  } finally {
    await file.close();
  }
}

async function readBytes(file: FileHandle, size: number): Promise<Buffer> {
  const buffer = Buffer.alloc(size + 1);
  let length = 0;
  while (length <= size) {
    const { bytesRead } = await file.read(buffer, length, size + 1 - length, length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  // Somebody writes it in place just now.
  if (length !== size) throw errnoError('EAGAIN');
  return buffer.subarray(0, size);
}

async function writeOnce(
  path: string,
  bytes: Uint8Array | string,
  mode: number,
  isLate: () => boolean,
): Promise<void> {
  const target = await behindLink(path);
  const draft = `${target}.${randomBytes(6).toString('hex')}.new`;
  try {
    const file = await open(draft, 'wx', mode);
    try {
      await file.writeFile(bytes);
      // The umask has had its say on `mode`; a disk without modes has none.
      await file.chmod(mode).catch(() => undefined);
      await file.sync();
    } finally {
      await file.close();
    }
    // A caller that was told of the failure may have written something newer since.
    if (isLate()) throw errnoError('ETIMEDOUT');
    await rename(draft, target);
  } catch (thrown) {
    await unlink(draft).catch(() => undefined);
    throw thrown;
  }
  await syncFolder(dirname(target));
  await sweep(target, LEFTOVER_MS).catch(() => undefined);
}

async function behindLink(path: string): Promise<string> {
  const found = await lstat(path).catch(nullIfAbsent);
  if (found?.isSymbolicLink() !== true) return path;
  const target = await realpath(path).catch(nullIfAbsent);
  if (target === null) throw errnoError('ENOLINK');
  // A link to /dev/null says that nothing is to be kept; what it leads to is not ours to replace.
  if (!(await stat(target)).isFile()) throw errnoError('ENOTSUP');
  return target;
}

async function sweep(path: string, olderThanMs: number): Promise<void> {
  const folder = dirname(path);
  for (const name of (await readdir(folder).catch(nullIfAbsent)) ?? []) {
    if (!name.startsWith(`${basename(path)}.`) || !/\.[0-9a-f]{12}\.new$/.test(name)) continue;
    const draft = join(folder, name);
    const facts = await stat(draft).catch(nullIfAbsent);
    if (facts !== null && Date.now() - facts.mtimeMs >= olderThanMs)
      await unlink(draft).catch(nullIfAbsent);
  }
}

/**
 * So that the new name survives a power cut; the file is whole without it. Not every disk can, and
 * Windows need not.
 */
async function syncFolder(folder: string): Promise<void> {
  const opened = await open(folder, 'r').catch(() => null);
  await opened
    ?.sync()
    .catch(() => undefined)
    .finally(() => opened.close());
}

async function persist<T>(patient: boolean, run: () => Promise<T>): Promise<T> {
  for (const pauseMs of patient ? PAUSES_MS : []) {
    try {
      return await run();
    } catch (thrown) {
      if (DEFINITE.includes(errnoOf(thrown))) throw thrown;
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
  return run();
}

interface Lane {
  tail: Promise<unknown>;
  /** A call hangs in the system. */
  isStuck: boolean;
  /** Those that wait for their turn, and the one that has it. */
  readonly refusals: Set<(thrown: Error) => void>;
}

/**
 * A call that hangs keeps one of the four threads that Node has for all files, names and ciphers:
 * one for each folder.
 */
const lanes = new Map<string, Lane>();

/** The limit is that of a turn: to read behind a slow write is not to hang. */
function inLane<T>(
  folder: string,
  limitMs: number,
  run: (isLate: () => boolean) => Promise<T>,
): Promise<T> {
  const lane = lanes.get(folder) ?? {
    tail: Promise.resolve(),
    isStuck: false,
    refusals: new Set(),
  };
  lanes.set(folder, lane);
  if (lane.isStuck) return Promise.reject(errnoError('ETIMEDOUT'));
  return new Promise<T>((resolve, reject) => {
    lane.refusals.add(reject);
    const tail = lane.tail
      .then(async () => {
        if (lane.isStuck) return;
        const cancel = afterAwake(limitMs, () => giveUp(lane));
        await run(() => lane.isStuck)
          .then(resolve, reject)
          .finally(cancel);
      })
      .finally(() => {
        lane.refusals.delete(reject);
        if (lane.tail !== tail) return;
        lanes.delete(folder);
        if (![...lanes.values()].some(({ isStuck }) => isStuck)) process.off('exit', endAtOnce);
      });
    lane.tail = tail;
  });
}

function giveUp(lane: Lane): void {
  lane.isStuck = true;
  process.off('exit', endAtOnce).on('exit', endAtOnce);
  for (const refuse of lane.refusals) refuse(errnoError('ETIMEDOUT'));
}

/**
 * In steps: after a busy main thread, or the sleep of a computer, a timer comes before an answer
 * that has long been there.
 */
function afterAwake(ms: number, run: () => void): () => void {
  let steps = 0;
  const timer = setInterval(() => {
    steps += 1;
    if (steps < AWAKE_STEPS) return;
    clearInterval(timer);
    run();
  }, ms / AWAKE_STEPS);
  return () => clearInterval(timer);
}

/**
 * At the end, Node and Electron join their threads and would wait for ever for one that hangs.
 * Everything else is done by then.
 */
function endAtOnce(code: number): void {
  const listeners = process.listeners('exit');
  // Those that came later have not had their turn.
  for (const listener of listeners.slice(listeners.indexOf(endAtOnce) + 1)) {
    try {
      listener(code);
    } catch {
      // The process ends anyway.
    }
  }
  process.kill(process.pid, 'SIGKILL');
}

function nullIfAbsent(thrown: unknown): null {
  if (errnoOf(thrown) === 'ENOENT') return null;
  throw thrown;
}
