// The provider's metadata over restarts: a start asks nobody while a record vouches for the file,
// and a file that somebody else wrote counts for nothing.
import { describe, expect, it } from 'vitest';
import { METADATA_MEMBERS } from '../../../src/main/core/oauth/discovery.js';
import {
  type MetadataCache,
  createMetadataCache,
  freshMsOf,
} from '../../../src/main/core/oauth/metadata-cache.js';
import type {
  MetadataMark,
  KeptMetadata,
  MetadataFile,
} from '../../../src/main/core/base/ports.js';
import { LIMITS } from '../../../src/main/core/base/limits.js';
import { parseOptions } from '../../../src/main/core/options/options.js';
import { createFakeLog } from '../../support/fakes.js';

const ISSUER = 'https://login.example.com';
const settings = parseOptions({
  issuer: ISSUER,
  clientId: 'c',
  redirects: ['http://127.0.0.1/callback'],
});
const PUBLISHED = {
  issuer: ISSUER,
  authorization_endpoint: `${ISSUER}/auth`,
  token_endpoint: `${ISSUER}/token`,
  jwks_uri: `${ISSUER}/keys`,
  claims_supported: ['sub'],
};
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** One disk and one provider; each `run` is a process of the app. */
function desk(published: Readonly<Record<string, unknown>> = PUBLISHED) {
  const state = {
    now: 1_700_000_000_000,
    published,
    freshMs: HOUR,
    fetched: 0,
    down: false,
    file: null as KeptMetadata | null,
    saves: 0,
  };
  const file: MetadataFile = {
    load: async () => structuredClone(state.file),
    save: async (content) => {
      state.saves += 1;
      state.file = structuredClone(content);
    },
  };
  const clock = { now: () => state.now, elapsed: () => 0, after: () => () => undefined };
  const discover = async (): Promise<{
    members: Readonly<Record<string, unknown>>;
    freshMs: number;
  }> => {
    state.fetched += 1;
    if (state.down) throw new Error('no network');
    return { members: state.published, freshMs: state.freshMs };
  };
  return {
    state,
    run(mark: MetadataMark | null = null, log = createFakeLog()): MetadataCache {
      const cache = createMetadataCache(settings, discover, file, clock, log);
      if (mark !== null) cache.trust(mark);
      return cache;
    },
  };
}

/** The mark that a first process leaves in its record. */
async function firstRun(place: ReturnType<typeof desk>): Promise<MetadataMark> {
  const cache = place.run();
  await cache.fresh();
  const mark = cache.mark();
  if (mark === null) throw new Error('no mark');
  place.state.fetched = 0;
  place.state.saves = 0;
  return mark;
}

const idle = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

describe('a start with a record that vouches', () => {
  it('asks nobody while the metadata are fresh', async () => {
    const place = desk();
    const cache = place.run(await firstRun(place));
    expect((await cache.usable()).token_endpoint).toBe(`${ISSUER}/token`);
    expect((await cache.fresh()).jwks_uri).toBe(`${ISSUER}/keys`);
    expect(place.state.fetched).toBe(0);
  });

  it('uses older ones at once, and asks in the background after they were used, once', async () => {
    const place = desk();
    const mark = await firstRun(place);
    place.state.now += 2 * DAY;
    const cache = place.run(mark);
    await Promise.all([cache.usable(), cache.usable()]);
    expect(place.state.fetched).toBe(0);
    cache.revalidate();
    cache.revalidate();
    await idle();
    await cache.usable();
    cache.revalidate();
    await idle();
    expect(place.state.fetched).toBe(1);
  });

  it('waits for fresh ones where old ones will not do', async () => {
    const place = desk();
    const mark = await firstRun(place);
    place.state.now += 2 * DAY;
    place.state.published = { ...PUBLISHED, authorization_endpoint: `${ISSUER}/moved` };
    expect((await place.run(mark).fresh()).authorization_endpoint).toBe(`${ISSUER}/moved`);
  });

  it('works without a network as long as they are not older than a week', async () => {
    const place = desk();
    const mark = await firstRun(place);
    place.state.down = true;
    place.state.now += 6 * DAY;
    expect((await place.run(mark).usable()).token_endpoint).toBe(`${ISSUER}/token`);
    place.state.now += 2 * DAY;
    await expect(place.run(mark).usable()).rejects.toThrow('no network');
  });

  it('believes no age when the clock was set back', async () => {
    const place = desk();
    const mark = await firstRun(place);
    place.state.now -= DAY;
    await place.run(mark).usable();
    expect(place.state.fetched).toBe(1);
  });

  it('vouches on before anything is asked, so that a record that is written again keeps its mark', async () => {
    const place = desk();
    const mark = await firstRun(place);
    expect(place.run(mark).mark()).toEqual(mark);
  });
});

describe('a file that is not what the record saw', () => {
  it.each([
    [
      'another token endpoint',
      (content: KeptMetadata) => ({
        ...content,
        published: { ...content.published, token_endpoint: 'https://evil.example.net/token' },
      }),
    ],
    [
      'another issuer',
      (content: KeptMetadata) => ({
        ...content,
        published: { ...content.published, issuer: 'https://evil.example.net' },
      }),
    ],
    [
      'one endpoint more',
      (content: KeptMetadata) => ({
        ...content,
        published: { ...content.published, userinfo_endpoint: 'https://evil.example.net/me' },
      }),
    ],
    ['a later version', (content: KeptMetadata) => ({ ...content, schemaVersion: 2 })],
    ['no object', () => 'text'],
    ['nothing', () => null],
  ])('with %s counts for nothing: the provider is asked', async (_what, change) => {
    const place = desk();
    const mark = await firstRun(place);
    place.state.file = change(place.state.file as KeptMetadata) as KeptMetadata | null;
    expect((await place.run(mark).usable()).token_endpoint).toBe(`${ISSUER}/token`);
    expect(place.state.fetched).toBe(1);
  });

  it('counts for nothing without a record, however right it is', async () => {
    const place = desk();
    await firstRun(place);
    await place.run().usable();
    expect(place.state.fetched).toBe(1);
  });

  it('must pass every check of a fetched one, also with a record that vouches', async () => {
    const place = desk();
    const mark = await firstRun(place);
    const other = parseOptions({
      issuer: 'https://other.example.com',
      clientId: 'c',
      redirects: ['http://127.0.0.1/callback'],
    });
    const cache = createMetadataCache(
      other,
      async () => {
        throw new Error('asked');
      },
      { load: async () => place.state.file, save: async () => undefined },
      { now: () => place.state.now, elapsed: () => 0, after: () => () => undefined },
      createFakeLog(),
    );
    cache.trust(mark);
    await expect(cache.usable()).rejects.toThrow('asked');
  });
});

describe('an optional endpoint that is no https: URL', () => {
  it('is left out, fetched or from the file, and each run says so once', async () => {
    const place = desk({ ...PUBLISHED, revocation_endpoint: 'http://idp.internal/r?t=1' });
    const mark = await firstRun(place);
    for (const [trusted, fetches] of [
      [null, 3],
      [mark, 2],
    ] as const) {
      const log = createFakeLog();
      const cache = place.run(trusted, log);
      place.state.fetched = 0;
      expect(await cache.usable()).not.toHaveProperty('revocation_endpoint');
      await cache.refresh();
      await cache.refresh();
      expect(place.state.fetched).toBe(fetches);
      expect(log.events.filter(({ level }) => level === 'warn')).toEqual([
        {
          level: 'warn',
          event: 'metadata-member-ignored',
          fields: { member: 'revocation_endpoint' },
        },
      ]);
    }
  });
});

describe('what is kept', () => {
  it('are the members that are used, and no others', async () => {
    const place = desk();
    await firstRun(place);
    expect(
      Object.keys(place.state.file?.published ?? {}).every((name) =>
        (METADATA_MEMBERS as readonly string[]).includes(name),
      ),
    ).toBe(true);
    expect(place.state.file?.published).not.toHaveProperty('claims_supported');
  });

  it('is written again only when it changed', async () => {
    const place = desk();
    const cache = place.run(await firstRun(place));
    await cache.refresh();
    expect(place.state.saves).toBe(0);
    place.state.published = { ...PUBLISHED, token_endpoint: `${ISSUER}/token2` };
    await cache.refresh();
    expect(place.state.saves).toBe(1);
    expect(cache.mark()?.digest).not.toBeUndefined();
  });
});

describe('a doubt about an endpoint', () => {
  it('is answered by asking, when what was used was old', async () => {
    const place = desk();
    const mark = await firstRun(place);
    place.state.now += 2 * DAY;
    place.state.published = { ...PUBLISHED, token_endpoint: `${ISSUER}/moved` };
    const cache = place.run(mark);
    const used = await cache.usable();
    expect((await cache.inDoubt(used))?.token_endpoint).toBe(`${ISSUER}/moved`);
    await idle();
    expect((await cache.inDoubt(used))?.token_endpoint).toBe(`${ISSUER}/moved`);
    expect(place.state.fetched).toBe(1);
  });

  it('does not arise about fresh ones, and changes nothing without a network', async () => {
    const place = desk();
    const mark = await firstRun(place);
    const cache = place.run(mark);
    expect(await cache.inDoubt(await cache.usable())).toBeNull();
    place.state.now += 2 * DAY;
    place.state.down = true;
    const later = place.run(mark);
    expect(await later.inDoubt(await later.usable())).toBeNull();
  });
});

describe('how long metadata are fresh', () => {
  it.each([
    ['nothing', null, LIMITS.metadataFreshMs],
    ['max-age=600', 'public, max-age=600', 600_000],
    ['a year', 'max-age=31536000', LIMITS.metadataFreshMaxMs],
    ['no-store', 'no-cache, must-revalidate, no-transform, no-store', 0],
    ['nonsense', 'max-age=soon', LIMITS.metadataFreshMs],
  ])('is what the answer says: %s', (_what, value, expected) => {
    expect(
      freshMsOf(new Response(null, value === null ? {} : { headers: { 'cache-control': value } })),
    ).toBe(expected);
  });

  it.each([
    ['3000', 600_000],
    ['4000', 0],
    ['old', 3_600_000],
    ['-5', 3_600_000],
  ])('is short by an Age of %s, which a cache has used up', (age, expected) => {
    expect(
      freshMsOf(new Response(null, { headers: { 'cache-control': 'max-age=3600', age } })),
    ).toBe(expected);
  });

  it('is an hour at least in the process that fetched them', async () => {
    const place = desk();
    place.state.freshMs = 0;
    const cache = place.run();
    await cache.fresh();
    place.state.now += HOUR - 1;
    await cache.fresh();
    expect(place.state.fetched).toBe(1);
    place.state.now += 1;
    await cache.fresh();
    expect(place.state.fetched).toBe(2);
  });
});
