// Caches the provider's metadata while it may be trusted: in memory, and in a file, so that the
// next start with a due token need not fetch it first. The file is plain text and decides where
// codes and refresh tokens are sent. So it counts only if a session's record in the keychain
// vouches for its content.
import { type BoundedFetch, flatMembers } from './bounded-fetch.js';
import { METADATA_MEMBERS, type ServerMetadata, checkMetadata } from './discovery.js';
import { AuthError } from '../base/errors.js';
import { LIMITS } from '../base/limits.js';
import type { Settings } from '../options/auth-options.js';
import type { Clock, Log, MetadataFile } from '../base/ports.js';
import { base64url, sha256 } from '../base/digest.js';
import type { MetadataMark } from '../base/ports.js';

/** The unchecked answer. Members that Latchkey does not use are removed before it is stored. */
export interface Published {
  readonly members: Readonly<Record<string, unknown>>;
  readonly freshMs: number;
}

export interface MetadataCache {
  /**
   * Fresh metadata: from the cache, or fetched now. Concurrent callers share one fetch. Rejects as
   * discovery does.
   */
  fresh(): Promise<ServerMetadata>;
  /**
   * For a sign-in that the person has already answered: fresh metadata, or the cached metadata when
   * the provider cannot be reached.
   */
  current(): Promise<ServerMetadata>;
  /** Accepts cached metadata up to `LIMITS.metadataMaxMs`. Call `revalidate` after using it. */
  usable(): Promise<ServerMetadata>;
  /**
   * Fetches again in the background if the cached metadata is no longer fresh. Call it after the
   * exchange: the two must not share the network.
   */
  revalidate(): void;
  /**
   * What the provider publishes now, if `usable` gave something older. Null when `used` is not in
   * doubt, or when the provider cannot be reached.
   */
  inDoubt(used: ServerMetadata): Promise<ServerMetadata | null>;
  /**
   * True when `usable` can probably answer without a fetch: the file may still turn out to differ.
   */
  isUsable(): boolean;
  /** Fetches now, whatever the cache holds. */
  refresh(): Promise<ServerMetadata>;
  /** A record vouches for the content of the file. Ignored once metadata was fetched. */
  trust(mark: MetadataMark): void;
  /** For the next record. Null while nothing is known. */
  mark(): MetadataMark | null;
}

interface Entry extends MetadataMark {
  readonly server: ServerMetadata;
  /**
   * Fetched by this process: then it is not fetched again within the hour, whatever the provider
   * says about caching.
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
  const told = new Set<string>();
  // Read at once, so that it is ready before the record arrives.
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
    const server = check(members);
    const published = usedMembers(members);
    const digest = await metadataDigest(published);
    const before = entry?.digest ?? vouched?.digest;
    entry = { server, digest, fetchedAt: clock.now(), freshMs, fetchedHere: true };
    if (before !== digest) await file?.save({ schemaVersion: 1, published }).catch(() => undefined);
    return server;
  }

  /** What is known without a fetch. */
  async function remembered(): Promise<Entry | null> {
    if (entry !== null || vouched === null) return entry;
    const mark = vouched;
    const server = await readKept(mark.digest);
    // If metadata was fetched in the meantime, that is newer.
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
      return check(members);
    } catch (error) {
      if (error instanceof AuthError) return null;
      throw error;
    }
  }

  /** Says once for each member, not at each fetch, what of the metadata cannot be used. */
  function check(members: Readonly<Record<string, unknown>>): ServerMetadata {
    return checkMetadata(settings, members, (member) => {
      if (told.has(member)) return;
      told.add(member);
      log.write({ level: 'warn', event: 'metadata-member-ignored', fields: { member } });
    });
  }

  function isFresh(known: Entry): boolean {
    return (
      age(known) <
      (known.fetchedHere ? Math.max(known.freshMs, LIMITS.metadataFreshMs) : known.freshMs)
    );
  }

  /** Infinite when the clock was set back to before the fetch: the age is unknown. */
  function age(mark: MetadataMark | null): number {
    const passed = mark === null ? Infinity : clock.now() - mark.fetchedAt;
    return passed < 0 ? Infinity : passed;
  }
}

/**
 * How long an answer is still fresh (RFC 9111 §4.2, §5.2.2.1), within bounds. A cache has already
 * used up its `Age`. `no-store` and `no-cache` mean: fetch again in the background each time.
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
  // Members too deep to be written as JSON are not used either.
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
  // Uses our own order of the members, so that the sender's order does not change the digest.
  const text = JSON.stringify(METADATA_MEMBERS.map((name) => published[name] ?? null));
  return base64url(await sha256(text));
}
