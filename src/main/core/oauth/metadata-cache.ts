// What the provider publishes of itself, for as long as it may be believed: in memory, and in a
// file for the next start, so that a start with a due token need not ask for it first. The file is
// plain, and codes and refresh tokens go where it says: it counts only when a session's record,
// which lies in the keychain, vouches for its content.
import { type BoundedFetch, flatMembers } from './bounded-fetch.js';
import { METADATA_MEMBERS, type ServerMetadata, checkMetadata } from './discovery.js';
import { AuthError } from '../base/errors.js';
import { LIMITS } from '../base/limits.js';
import type { Settings } from '../options/options.js';
import type { Clock, Log, MetadataFile } from '../base/ports.js';
import { base64url, sha256 } from '../base/digest.js';

/** What a session's record says of the metadata it was last used with. */
export interface MetadataMark {
  /** Of the content of the file. */
  readonly digest: string;
  /** Milliseconds since 1970; how long it was to be fresh from then on. */
  readonly fetchedAt: number;
  readonly freshMs: number;
}

/** As it came: members that nobody uses are left out before it is kept. */
export interface Published {
  readonly members: Readonly<Record<string, unknown>>;
  readonly freshMs: number;
}

export interface MetadataCache {
  /**
   * Fresh metadata: what is known, or fetched now. Callers that come together share one fetch.
   * Rejects as discovery does.
   */
  fresh(): Promise<ServerMetadata>;
  /**
   * For an answer that the person has given already: fresh ones, or what is known when the provider
   * cannot be asked.
   */
  current(): Promise<ServerMetadata>;
  /** What is known counts up to `LIMITS.metadataMaxMs`. Who has used it calls `revalidate`. */
  usable(): Promise<ServerMetadata>;
  /**
   * Asks anew in the background when the time of what is known was over: after the exchange, which
   * must not share the network with it.
   */
  revalidate(): void;
  /**
   * What the provider publishes now, when `usable` gave something older; null when that is not in
   * doubt, or cannot be had.
   */
  inDoubt(used: ServerMetadata): Promise<ServerMetadata | null>;
  /**
   * True when `usable` can answer without asking anybody, as far as is known: the file may yet turn
   * out to be another.
   */
  isUsable(): boolean;
  /** Asks now, whatever is known. */
  refresh(): Promise<ServerMetadata>;
  /** A record vouches for what is in the file. Ignored once something was fetched. */
  trust(mark: MetadataMark): void;
  /** For the next record. Null as long as nothing is known. */
  mark(): MetadataMark | null;
}

interface Entry extends MetadataMark {
  readonly server: ServerMetadata;
  /**
   * By this process: then nobody asks again within the hour, whatever the provider says about
   * keeping.
   */
  readonly fetchedHere: boolean;
}

export function createMetadataCache(
  settings: Settings,
  discover: () => Promise<Published>,
  file: MetadataFile | undefined,
  clock: Clock,
  log: Log,
): MetadataCache {
  let entry: Entry | null = null;
  let vouched: MetadataMark | null = null;
  let fetching: Promise<ServerMetadata> | null = null;
  // Read at once: it is there before the record is.
  const kept = file?.load().catch(() => null) ?? Promise.resolve(null);

  return {
    fresh,
    current,
    usable,
    revalidate,
    inDoubt,
    isUsable: () => age(entry ?? vouched) <= LIMITS.metadataMaxMs,
    refresh,
    trust: (mark) => {
      vouched = mark;
    },
    mark: () =>
      entry === null
        ? vouched
        : { digest: entry.digest, fetchedAt: entry.fetchedAt, freshMs: entry.freshMs },
  };

  async function fresh(): Promise<ServerMetadata> {
    const known = await remembered();
    return known !== null && isFresh(known) ? known.server : refresh();
  }

  async function current(): Promise<ServerMetadata> {
    return fresh().catch((error: unknown) => {
      if (age(entry) > LIMITS.metadataMaxMs || entry === null) throw error;
      return entry.server;
    });
  }

  async function usable(): Promise<ServerMetadata> {
    const known = await remembered();
    if (known === null || age(known) > LIMITS.metadataMaxMs) return refresh();
    return known.server;
  }

  function revalidate(): void {
    if (entry !== null && !isFresh(entry)) refresh().catch(() => undefined);
  }

  async function inDoubt(used: ServerMetadata): Promise<ServerMetadata | null> {
    if (entry === null || !isFresh(entry)) return refresh().catch(() => null);
    return entry.server === used ? null : entry.server;
  }

  function refresh(): Promise<ServerMetadata> {
    fetching ??= fetchAndKeep().finally(() => {
      fetching = null;
    });
    return fetching;
  }

  async function fetchAndKeep(): Promise<ServerMetadata> {
    const { members, freshMs } = await discover();
    const server = checkMetadata(settings, members);
    const published = usedMembers(members);
    const digest = await metadataDigest(published);
    const before = entry?.digest ?? vouched?.digest;
    entry = { server, digest, fetchedAt: clock.now(), freshMs, fetchedHere: true };
    if (before !== digest) await file?.save({ schemaVersion: 1, published }).catch(() => undefined);
    return server;
  }

  /** What is known without asking anybody. */
  async function remembered(): Promise<Entry | null> {
    if (entry !== null || vouched === null) return entry;
    const mark = vouched;
    const server = await readKept(mark.digest);
    // Fetched meanwhile: that is newer.
    if (entry === null && server !== null) entry = { ...mark, server, fetchedHere: false };
    else if (server === null && vouched === mark) vouched = null;
    return entry;
  }

  async function readKept(digest: string): Promise<ServerMetadata | null> {
    const content = await kept;
    if (typeof content !== 'object' || content === null) return null;
    const { schemaVersion, published } = content as Record<string, unknown>;
    if (schemaVersion !== 1 || typeof published !== 'object' || published === null) return null;
    const members = usedMembers(published as Record<string, unknown>);
    if ((await metadataDigest(members)) !== digest) {
      log.write({ level: 'info', event: 'metadata-file-differs' });
      return null;
    }
    try {
      return checkMetadata(settings, members);
    } catch (error) {
      if (error instanceof AuthError) return null;
      throw error;
    }
  }

  function isFresh(known: Entry): boolean {
    return (
      age(known) <
      (known.fetchedHere ? Math.max(known.freshMs, LIMITS.metadataFreshMs) : known.freshMs)
    );
  }

  /** Endless when the clock was set back behind it: nobody knows how old it is. */
  function age(mark: MetadataMark | null): number {
    const passed = mark === null ? Infinity : clock.now() - mark.fetchedAt;
    return passed < 0 ? Infinity : passed;
  }
}

/**
 * How long an answer may still be believed (RFC 9111 §4.2, §5.2.2.1), within bounds: a cache has
 * used up its `Age`. `no-store` and `no-cache` mean: asked for again in the background each time.
 */
export function freshMsOf(response: Awaited<ReturnType<BoundedFetch>>): number {
  const control = (response.headers.get('cache-control') ?? '').toLowerCase();
  if (/\bno-(store|cache)\b/.test(control)) return 0;
  const seconds = /\bmax-age=(\d{1,9})\b/.exec(control)?.[1];
  if (seconds === undefined) return LIMITS.metadataFreshMs;
  const age = /^\d{1,9}$/.exec(response.headers.get('age') ?? '')?.[0] ?? 0;
  return Math.min(Math.max(0, Number(seconds) - Number(age)) * 1000, LIMITS.metadataFreshMaxMs);
}

function usedMembers(
  published: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  // What is too deep to be written is nothing that is used either.
  return flatMembers(
    Object.fromEntries(
      METADATA_MEMBERS.filter((name) => published[name] !== undefined).map((name) => [
        name,
        published[name],
      ]),
    ),
  );
}

async function metadataDigest(published: Readonly<Record<string, unknown>>): Promise<string> {
  // The order of the members is ours, not the sender's.
  const text = JSON.stringify(METADATA_MEMBERS.map((name) => published[name] ?? null));
  return base64url(await sha256(text));
}
