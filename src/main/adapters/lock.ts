// A lock on something that the operating system frees when a process dies: a listening socket. A
// waiting process is connected to the holder, and learns from the end of that connection. May not
// decide anything by time or process ids: clocks jump, ids are reused.
import { createHash, randomBytes } from 'node:crypto';
import { lstat, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { createConnection, createServer, type Socket } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import type { Lock } from '../core/base/ports.js';

/** Each waiting process is one visitor. Further visitors are sent away and try again. */
const VISITORS_MAX = 64;
/**
 * A connection that ended this soon proves nothing: two processes tried at once, or the holder has
 * too many visitors.
 */
const BRIEF_MS = 20;
const PAUSE_MS = { least: 2, spread: 18 } as const;
/** setTimeout overflows past 2^31 ms. */
const WAIT_MAX_MS = 2_000_000_000;
/**
 * The shortest `sun_path` (macOS: 104 bytes with its NUL). Some Nodes cut a longer one without a
 * word.
 */
const PATH_MAX_BYTES = 103;
/**
 * Linux's whole `sun_path`: Node 20 pads an abstract name to it with NUL, a later one doesn't, and
 * both must mean the same.
 */
const ABSTRACT_BYTES = 108;

/** Temporary errors. They do not say who holds the lock, nor that this system has no locks. */
const SHORTAGES: readonly unknown[] = [
  'EMFILE',
  'ENFILE',
  'ENOMEM',
  'ENOBUFS',
  'EAGAIN',
  'EINTR',
  'EBUSY',
  'EIO',
];

const NEVER = new AbortController().signal;

export interface LockOptions {
  /**
   * `name`: an abstract socket on Linux, a named pipe on Windows (not verified there); the kernel
   * keeps the name. `folder`: files, for where the kernel keeps no names. Default: `folder` on
   * macOS, else `name`.
   */
  readonly ground?: 'name' | 'folder';
  /**
   * Of `folder`: where. Must be the same for all processes, belong to this user, and be closed to
   * others.
   */
  readonly folder?: string;
}

type Won = { readonly state: 'won'; readonly release: () => void };

type Claim =
  | Won
  /** True if a process at this address can be waited for. */
  | { readonly state: 'taken'; readonly address: string }
  | Refused;

interface Refused {
  readonly state: 'refused';
  readonly detail: string;
  readonly code?: string | undefined;
}

/** One try to become the holder. Never throws. */
type Ground = (digest: string) => Promise<Claim>;

/**
 * Creates the lock. A name is per user, so that users don't wait for each other. On Linux another
 * user can occupy a name on purpose, and then every wait ends at its limit. The holder's socket
 * keeps no process alive; a wait does.
 */
export function createLock({
  ground: kind = process.platform === 'darwin' ? 'folder' : 'name',
  folder = defaultFolder(),
}: LockOptions = {}): Lock {
  const ground: Ground = (digest) =>
    (kind === 'name' ? claimName(digest) : claimFolder(folder, digest)).catch(refused);
  const tails = new Map<string, Promise<void>>();

  return {
    async hold(name, limitMs, run, giveUp = NEVER) {
      const deadline = performance.now() + limitMs;
      const before = tails.get(name) ?? Promise.resolve();
      let leave = (): void => {};
      const tail = Promise.all([before, new Promise<void>((resolve) => (leave = resolve))]).then(
        () => {
          if (tails.get(name) === tail) tails.delete(name);
        },
      );
      tails.set(name, tail);
      try {
        const free = await within(before, limitMs, giveUp);
        const claim = free ? await acquire(ground, digestOf(name), deadline, giveUp) : null;
        if (claim?.state === 'refused' && !isShortage(claim))
          return { held: false, reason: 'unavailable', detail: claim.detail };
        if (claim?.state !== 'won') {
          const detail =
            claim?.state === 'refused'
              ? claim.detail
              : `another ${free ? 'process' : 'call in this process'} holds the lock`;
          return { held: false, reason: giveUp.aborted ? 'given-up' : 'busy', detail };
        }
        try {
          return { held: true, value: await run() };
        } finally {
          claim.release();
        }
      } finally {
        leave();
      }
    },
  };
}

async function acquire(
  ground: Ground,
  digest: string,
  deadline: number,
  giveUp: AbortSignal,
): Promise<Claim> {
  for (;;) {
    const claim = await ground(digest);
    const leftMs = deadline - performance.now();
    if (
      claim.state === 'won' ||
      (claim.state === 'refused' && !isShortage(claim)) ||
      leftMs <= 0 ||
      giveUp.aborted
    )
      return claim;
    const visitedAt = performance.now();
    if (claim.state === 'taken') await visit(claim.address, leftMs, giveUp);
    if (performance.now() - visitedAt < BRIEF_MS && !giveUp.aborted)
      await pause(Math.min(leftMs, PAUSE_MS.least + Math.random() * PAUSE_MS.spread));
  }
}

/**
 * The kernel lets one socket listen on a name and forgets the name with the socket: there is
 * nothing to heal.
 */
async function claimName(digest: string): Promise<Claim> {
  const user = String(
    process.getuid?.() ??
      createHash('sha256').update(userInfo().username).digest('hex').slice(0, 16),
  );
  const name = `latchkey-${user}-${digest}`;
  const address =
    process.platform === 'win32' ? `\\\\.\\pipe\\${name}` : `\0${name}`.padEnd(ABSTRACT_BYTES, '-');
  const claim = await listen(address);
  return claim.state === 'refused' && claim.code === 'EADDRINUSE'
    ? { state: 'taken', address }
    : claim;
}

/**
 * A socket file outlives its process, and to unlink a dead one is the classic race: the second who
 * does it unlinks the living one of the first. So no file is ever replaced. There are folders 1, 2,
 * 3 …, a socket in each, and the process that listens in the highest one is the holder. A claim
 * takes the next number, once the highest is dead, by renaming a folder in which it listens
 * already: alive from the first moment, and refused by the system if the number is taken. The
 * highest is never removed, so a slow process that took a removed number sees a higher one, and
 * gives up.
 *
 * macOS also refuses a connection to a stopped holder when 128 others wait for it; a process makes
 * one at a time.
 */
async function claimFolder(folder: string, digest: string): Promise<Claim> {
  await mkdir(folder, { mode: 0o700 }).catch(() => {});
  const { mode, uid, isOurs } = await lstat(folder).then((stat) => ({
    mode: stat.mode,
    uid: stat.uid,
    isOurs: stat.isDirectory(),
  }));
  if (!isOurs || uid !== process.getuid?.() || (mode & 0o077) !== 0)
    return { state: 'refused', detail: "the folder of the locks is not this user's alone" };
  const base = join(folder, digest);
  await mkdir(base, { mode: 0o700 }).catch(() => {});

  const highest = await highestIn(base);
  const address = join(base, String(highest), 's');
  if (highest > 0 && (await isAlive(address))) return { state: 'taken', address };

  const ticket = join(base, `${process.pid}-${randomBytes(6).toString('hex')}`);
  if (Buffer.byteLength(join(ticket, 's')) > PATH_MAX_BYTES)
    return { state: 'refused', detail: 'the folder of the locks has too long a name' };
  await mkdir(ticket, { mode: 0o700 });
  const claim = await listen(join(ticket, 's'));
  if (claim.state !== 'won') {
    await discard(ticket);
    return claim;
  }
  try {
    return await enter(base, highest + 1, ticket, claim);
  } catch (thrown) {
    claim.release();
    await discard(ticket);
    return refused(thrown);
  }
}

async function enter(base: string, number: number, ticket: string, won: Won): Promise<Claim> {
  const mine = join(base, String(number));
  const { ino } = await lstat(join(ticket, 's'));
  const taken = await rename(ticket, mine).then(
    () => false,
    (thrown: unknown) => {
      if (['ENOTEMPTY', 'EEXIST', 'ENOENT'].includes(codeOf(thrown) ?? '')) return true;
      throw thrown;
    },
  );
  if (taken) {
    won.release();
    await discard(ticket);
    return { state: 'taken', address: join(mine, 's') };
  }
  const highest = await highestIn(base);
  const stillThere = await lstat(join(mine, 's')).then(
    (stat) => stat.ino === ino,
    () => false,
  );
  if (highest === number && stillThere) {
    await sweep(base, number).catch(() => {});
    return won;
  }
  won.release();
  if (highest > number) await discard(mine);
  return { state: 'taken', address: join(base, String(highest), 's') };
}

async function highestIn(base: string): Promise<number> {
  const names = await readdir(base);
  return names.reduce(
    (highest, name) => (/^\d+$/.test(name) ? Math.max(highest, Number(name)) : highest),
    0,
  );
}

/**
 * The holder removes everything below its number, and the tickets of processes that died before
 * they could use them.
 */
async function sweep(base: string, number: number): Promise<void> {
  for (const name of await readdir(base)) {
    const [, below, owner] = /^(?:(\d+)|(\d+)-[0-9a-f]+)$/.exec(name) ?? [];
    // A wrong guess costs the claimant one more try: it looks whether its socket is still there.
    if (
      below === undefined ? owner !== undefined && !exists(Number(owner)) : Number(below) < number
    )
      await discard(join(base, name));
  }
}

async function discard(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true }).catch(() => {});
}

function exists(processId: number): boolean {
  try {
    return process.kill(processId, 0);
  } catch {
    return false;
  }
}

function listen(address: string): Promise<Won | Refused> {
  const visitors = new Set<Socket>();
  const server = createServer((visitor) => {
    visitors.add(visitor);
    visitor.unref();
    visitor.on('error', () => {});
    visitor.on('close', () => visitors.delete(visitor));
    // Nobody sends anything here. Reading also detects the end.
    visitor.on('data', () => visitor.destroy());
  });
  server.maxConnections = VISITORS_MAX;
  server.unref();
  return new Promise((resolve) => {
    server.on('error', (thrown) => resolve(refused(thrown)));
    server.listen({ path: address, exclusive: true }, () => {
      const release = (): void => {
        // The name first, so that the next process finds it free.
        server.close();
        for (const visitor of visitors) visitor.destroy();
      };
      resolve({ state: 'won', release });
    });
  });
}

/**
 * Stays connected until the holder ends, sends us away, cannot be reached, the time is up, or
 * nobody wants to wait.
 */
function visit(address: string, limitMs: number, giveUp: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const socket = createConnection({ path: address });
    const leave = (): void => void socket.destroy();
    const timer = setTimeout(leave, Math.min(limitMs, WAIT_MAX_MS));
    giveUp.addEventListener('abort', leave);
    socket.on('error', () => {});
    socket.resume();
    socket.on('close', () => {
      clearTimeout(timer);
      giveUp.removeEventListener('abort', leave);
      resolve();
    });
  });
}

/** A holder is dead only if the system says so. */
function isAlive(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ path: address });
    socket.on('connect', () => socket.destroy());
    socket.on('error', (thrown) =>
      resolve(codeOf(thrown) !== 'ECONNREFUSED' && codeOf(thrown) !== 'ENOENT'),
    );
    socket.on('close', () => resolve(true));
  });
}

function within(work: Promise<void>, limitMs: number, giveUp: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (free: boolean): void => {
      clearTimeout(timer);
      giveUp.removeEventListener('abort', leave);
      resolve(free);
    };
    const leave = (): void => settle(false);
    const timer = setTimeout(
      leave,
      Math.min(Math.max(limitMs, 0), giveUp.aborted ? 0 : WAIT_MAX_MS),
    );
    giveUp.addEventListener('abort', leave);
    void work.then(() => settle(true));
  });
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/**
 * Not from the environment, where two processes may differ. Only an app of the Mac App Store must
 * keep to its own.
 */
function defaultFolder(): string {
  return join(process.mas ? tmpdir() : '/tmp', `latchkey-${process.getuid?.() ?? 0}`);
}

function digestOf(name: string): string {
  return createHash('sha256').update(name).digest('hex').slice(0, 32);
}

function refused(thrown: unknown): Refused {
  const code = codeOf(thrown);
  return { state: 'refused', detail: `the lock cannot be taken (${code ?? 'no code'})`, code };
}

function isShortage({ code }: Refused): boolean {
  return SHORTAGES.includes(code);
}

function codeOf(thrown: unknown): string | undefined {
  return thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string'
    ? thrown.code
    : undefined;
}
