// The splitting of long values: sizes, kills at every moment, leftovers, locked keyrings, damage,
// other processes.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SecretReading, SecretStore } from '../../../src/main/core/base/ports.js';
import { createChunkedStore } from '../../../src/main/core/storage/chunked-store.js';
import { createFakeSecretStore, settle } from '../../support/fakes.js';

const KEY = 'session:of somebody';
const ENTRY_BYTES = 2_400;
const VALUE_BYTES = 65_536;

/** What fills a value, and how many UTF-8 bytes one character of it takes. */
const FILLS = {
  ascii: ['x', 1],
  quotes: ['"', 1],
  controls: ['\u0001', 1],
  umlauts: ['ü', 2],
  han: ['漢', 3],
  keys: ['🔑', 4],
  'lone surrogates': ['\ud800', 3],
} as const;
type Fill = keyof typeof FILLS;

/** A value of at most `bytes` bytes, different for each `nonce`. */
function valueOf(bytes: number, fill: Fill, nonce: number): string {
  const [character, size] = FILLS[fill];
  const head = `{${nonce}}`.slice(0, bytes);
  return head + character.repeat(Math.floor((bytes - head.length) / size));
}

function long(nonce: number, bytes = 6_000): string {
  return valueOf(bytes, 'ascii', nonce);
}

/**
 * `hangs`: the process is killed. `fails`: the keyring stops working. The last operation that runs
 * may have happened (`applied`) or not; either way nobody hears of it.
 */
interface Stop {
  readonly after: number;
  /** So many operations are refused, then all is well again. Default: all. */
  readonly refused?: number;
  readonly how: 'hangs' | 'locked' | 'unavailable';
  readonly applied: boolean;
}

/** A store on these entries that stops for ever after so many operations. */
function createDoomedStore(
  entries: Map<string, string>,
  stop: Stop,
): SecretStore & { readonly stopped: Promise<null> } {
  let operations = 0;
  let tellStopped = (_: null): void => {};
  const stopped = new Promise<null>((resolve) => (tellStopped = resolve));
  async function perform<Answer>(
    run: () => Answer,
  ): Promise<Answer | { state: 'locked' | 'unavailable'; detail: string }> {
    operations += 1;
    if (operations <= stop.after || operations > stop.after + (stop.refused ?? Infinity))
      return run();
    if (operations === stop.after + 1 && stop.applied) run();
    if (stop.how !== 'hangs') return { state: stop.how, detail: 'stopped' };
    tellStopped(null);
    return await new Promise<never>(() => {});
  }
  return {
    stopped,
    read: (key): Promise<SecretReading> =>
      perform<SecretReading>(() => {
        const value = entries.get(key);
        return value === undefined ? { state: 'absent' } : { state: 'found', value };
      }),
    write: (key, value) =>
      perform(() => {
        entries.set(key, value);
        return { state: 'done' } as const;
      }),
    remove: (key) =>
      perform(() => {
        entries.delete(key);
        return { state: 'done' } as const;
      }),
    close() {},
  };
}

const never: Stop = { after: Infinity, how: 'hangs', applied: false };

/** What a process that starts now finds. */
async function readAnew(entries: Map<string, string>, key = KEY): Promise<string | null> {
  const reading = await createChunkedStore(createDoomedStore(entries, never)).read(key, true);
  if (reading.state === 'absent') return null;
  if (reading.state === 'found') return reading.value;
  throw new Error(`neither found nor absent: ${reading.detail}`);
}

/** The entries that a value of its own needs: what is more is a leftover. */
async function entriesOf(value: string): Promise<number> {
  const entries = new Map<string, string>();
  await createChunkedStore(createDoomedStore(entries, never)).write(KEY, value);
  return entries.size;
}

const sizes = fc.oneof(
  fc.constantFrom(
    0,
    1,
    ENTRY_BYTES - 1,
    ENTRY_BYTES,
    ENTRY_BYTES + 1,
    2 * ENTRY_BYTES,
    VALUE_BYTES,
  ),
  fc.integer({ min: 0, max: 8_000 }),
  fc.integer({ min: 0, max: VALUE_BYTES }),
);
const fills = fc.constantFrom(...(Object.keys(FILLS) as Fill[]));
const values = fc
  .tuple(sizes, fills, fc.nat(1e9))
  .map(([bytes, fill, nonce]) => valueOf(bytes, fill, nonce));
const stops = fc.record({
  after: fc.oneof(fc.nat(8), fc.nat(70)),
  how: fc.constantFrom('hangs', 'locked', 'unavailable'),
  applied: fc.boolean(),
}) satisfies fc.Arbitrary<Stop>;
const steps = fc.record({
  value: fc.oneof({ weight: 5, arbitrary: values }, { weight: 1, arbitrary: fc.constant(null) }),
  stop: fc.option(stops, { freq: 3 }),
});

describe('split store', () => {
  it('gives back every value of 0 to 65,536 bytes, and puts no more than 2,400 bytes into an entry', async () => {
    await fc.assert(
      fc.asyncProperty(values, async (value) => {
        const entries = new Map<string, string>();
        const store = createChunkedStore(createDoomedStore(entries, never));
        expect(await store.write(KEY, value)).toEqual({ state: 'done' });
        expect((await readAnew(entries)) === value).toBe(true);
        // As the keychain stores it: inside a JSON string.
        for (const entry of entries.values())
          expect(Buffer.byteLength(JSON.stringify(entry)) - 2).toBeLessThanOrEqual(ENTRY_BYTES);
      }),
      { numRuns: 150 },
    );
  });

  it('holds the old or the new value as a whole, wherever writing and removing stop, and leaves nothing once one has ended', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(steps, { minLength: 1, maxLength: 6 }),
        values,
        async (history, last) => {
          const entries = new Map<string, string>();
          let current: string | null = null;
          for (const { value, stop } of history) {
            const inner = createDoomedStore(entries, stop ?? never);
            const store = createChunkedStore(inner);
            const outcome = await Promise.race([
              value === null ? store.remove(KEY) : store.write(KEY, value),
              inner.stopped,
            ]);
            const found = await readAnew(entries);
            const possible: readonly (string | null)[] =
              outcome?.state === 'done' ? [value] : [current, value];
            expect(possible.includes(found)).toBe(true);
            current = found;
          }
          await createChunkedStore(createDoomedStore(entries, never)).write(KEY, last);
          expect((await readAnew(entries)) === last).toBe(true);
          expect(entries.size).toBe(await entriesOf(last));
          expect(await createChunkedStore(createDoomedStore(entries, never)).remove(KEY)).toEqual({
            state: 'done',
          });
          expect([...entries.keys()]).toEqual([]);
        },
      ),
      { numRuns: 250 },
    );
  });

  it.each([
    ['long to long', long(1), long(2, 9_000)],
    ['long to short', long(1), 'short'],
    ['short to long', 'short', long(2)],
    ['nothing to long', null, long(2)],
    ['long to nothing', long(1), null],
  ])('survives a kill at every single moment from %s', async (_name, from, to) => {
    for (const applied of [false, true]) {
      for (let after = 0, ended = false; !ended; after += 1) {
        const entries = new Map<string, string>();
        if (from !== null)
          await createChunkedStore(createDoomedStore(entries, never)).write(KEY, from);
        const inner = createDoomedStore(entries, { after, how: 'hangs', applied });
        const store = createChunkedStore(inner);
        ended =
          (await Promise.race([
            to === null ? store.remove(KEY) : store.write(KEY, to),
            inner.stopped,
          ])) !== null;
        expect([from, to]).toContain(await readAnew(entries));
        expect(after).toBeLessThan(50);
      }
    }
  });

  it.each([
    ['long to long', long(1), long(2, 9_000)],
    ['long to short', long(1), 'short'],
    ['long to nothing', long(1), null],
  ])(
    'survives a single refusal at every moment from %s, and leaves nothing once a later write has ended',
    async (_name, from, to) => {
      for (const applied of [false, true]) {
        for (let after = 0; after < 15; after += 1) {
          const entries = new Map<string, string>();
          await createChunkedStore(createDoomedStore(entries, never)).write(KEY, from);
          const store = createChunkedStore(
            createDoomedStore(entries, { after, refused: 1, how: 'unavailable', applied }),
          );
          const outcome = to === null ? await store.remove(KEY) : await store.write(KEY, to);
          const found = await readAnew(entries);
          expect(outcome.state === 'done' ? [to] : [from, to]).toContain(found);
          await createChunkedStore(createDoomedStore(entries, never)).write(KEY, long(3));
          expect(entries.size).toBe(await entriesOf(long(3)));
        }
      }
    },
  );

  it('reads a short value, and nothing, by one inner read', async () => {
    const inner = createFakeSecretStore();
    inner.entries.set(KEY, '{"version":1}');
    const store = createChunkedStore(inner);
    expect(await store.read(KEY, true)).toEqual({ state: 'found', value: '{"version":1}' });
    expect(await store.read('other', false)).toEqual({ state: 'absent' });
    expect(inner.calls).toEqual([`read ${KEY}`, 'read other']);
  });

  it('keeps a value of 2,400 bytes as it is in one entry, and one of 2,401 in parts behind a header', async () => {
    const { entries, ...inner } = createFakeSecretStore();
    const store = createChunkedStore(inner);
    await store.write(KEY, long(1, ENTRY_BYTES));
    expect([...entries]).toEqual([[KEY, long(1, ENTRY_BYTES)]]);
    await store.write(KEY, long(1, ENTRY_BYTES + 1));
    expect([...entries.keys()].sort()).toEqual(
      [`latchkey-part:a0:${KEY}`, `latchkey-part:a1:${KEY}`, KEY].sort(),
    );
    expect(entries.get(KEY)).toMatch(/^latchkey-split\/1 a 2 2401 [0-9a-f]{64}$/);
  });

  it('gives back a short value that looks like a header', async () => {
    const { entries, ...inner } = createFakeSecretStore();
    const store = createChunkedStore(inner);
    await store.write(KEY, long(1));
    const forged = entries.get(KEY) ?? '';
    await store.write('other', forged);
    expect(await store.read('other', true)).toEqual({ state: 'found', value: forged });
  });

  it('passes on to the inner store whether the value is expected', async () => {
    const inner = createFakeSecretStore('locked');
    const store = createChunkedStore(inner);
    expect(await store.read(KEY, false)).toEqual({ state: 'absent' });
    expect((await store.read(KEY, true)).state).toBe('locked');
  });

  it('refuses a value above 65,536 bytes before it touches anything', async () => {
    const inner = createFakeSecretStore();
    const store = createChunkedStore(inner);
    expect(await store.write(KEY, valueOf(VALUE_BYTES, 'ascii', 1))).toEqual({ state: 'done' });
    const before = inner.calls.length;
    expect(await store.write(KEY, `${long(2, VALUE_BYTES)}x`)).toEqual({
      state: 'unavailable',
      detail: 'a value must not be longer than 65536 bytes',
    });
    expect(inner.calls).toHaveLength(before);
  });

  it('refuses a key that could be the name of a part', async () => {
    const inner = createFakeSecretStore();
    const store = createChunkedStore(inner);
    const answers = [
      await store.read(`latchkey-part:a0:${KEY}`, false),
      await store.write(`latchkey-part:a0:${KEY}`, 'x'),
      await store.remove(`latchkey-part:a0:${KEY}`),
    ];
    expect(answers.map(({ state }) => state)).toEqual([
      'unavailable',
      'unavailable',
      'unavailable',
    ]);
    expect(inner.calls).toEqual([]);
  });

  it.each(['locked', 'unavailable'] as const)(
    'says %s, never absent, of a keyring that becomes so at any moment of reading, and changes nothing',
    async (how) => {
      const entries = new Map<string, string>();
      await createChunkedStore(createDoomedStore(entries, never)).write(KEY, long(1));
      const before = new Map(entries);
      for (let after = 0; after < 4; after += 1) {
        expect(
          (
            await createChunkedStore(
              createDoomedStore(entries, { after, how, applied: false }),
            ).read(KEY, true)
          ).state,
        ).toBe(how);
      }
      expect(await readAnew(entries)).toBe(long(1));
      expect(entries).toEqual(before);
    },
  );

  it('says locked of a keyring that is locked between header and parts, although it says that there is nothing', async () => {
    const { entries, ...inner } = createFakeSecretStore();
    await createChunkedStore(inner).write(KEY, long(1));
    const locking: SecretStore = {
      ...inner,
      async read(key, expected) {
        const reading = await inner.read(key, expected);
        inner.setMode('locked');
        return reading;
      },
    };
    expect((await createChunkedStore(locking).read(KEY, true)).state).toBe('locked');
    expect(entries.size).toBe(4);
  });

  it('does not write over the parts that count while a locked keyring says that there is nothing', async () => {
    const { entries, ...inner } = createFakeSecretStore();
    await createChunkedStore(inner).write(KEY, long(1));
    const before = new Map(entries);
    inner.setMode('locked');
    // A write opens the keyring's dialog, and somebody answers it.
    const opening: SecretStore = {
      ...inner,
      write: (key, value) => (inner.setMode('works'), inner.write(key, value)),
    };
    expect((await createChunkedStore(opening).write(KEY, long(2))).state).toBe('locked');
    expect(entries).toEqual(before);
  });

  describe('damage', () => {
    const damages: readonly (readonly [string, (entries: Map<string, string>) => void, RegExp])[] =
      [
        [
          'a part is missing',
          (entries) => entries.delete(`latchkey-part:a1:${KEY}`),
          /^part 2 of 3 of the stored value is missing$/,
        ],
        [
          'a part is changed',
          (entries) => entries.set(`latchkey-part:a1:${KEY}`, 'y'.repeat(ENTRY_BYTES)),
          /checksum/,
        ],
        ['a part is cut', (entries) => entries.set(`latchkey-part:a2:${KEY}`, ''), /checksum/],
        [
          'a part is of another value',
          (entries) => entries.set(`latchkey-part:a0:${KEY}`, long(2, ENTRY_BYTES)),
          /checksum/,
        ],
        [
          'the checksum is changed',
          (entries) =>
            entries.set(
              KEY,
              (entries.get(KEY) ?? '').replace(/.$/, (digit) => (digit === '0' ? '1' : '0')),
            ),
          /checksum/,
        ],
        [
          'the length is changed',
          (entries) => entries.set(KEY, (entries.get(KEY) ?? '').replace(' 6000 ', ' 5999 ')),
          /checksum/,
        ],
        [
          'the header is cut',
          (entries) => entries.set(KEY, (entries.get(KEY) ?? '').slice(0, 40)),
          /header .* is damaged/,
        ],
        [
          'the header is of a later version',
          (entries) => entries.set(KEY, 'latchkey-split/2 a something new'),
          /later version/,
        ],
      ];

    it.each(damages)(
      'is told as unavailable and kept when %s, and the next value heals it',
      async (_name, damage, detail) => {
        const { entries, ...inner } = createFakeSecretStore();
        const store = createChunkedStore(inner);
        await store.write(KEY, long(1));
        damage(entries);
        const before = new Map(entries);
        for (const expected of [true, false])
          expect(await store.read(KEY, expected)).toEqual({
            state: 'unavailable',
            detail: expect.stringMatching(detail) as string,
          });
        expect(entries).toEqual(before);
        expect(await store.write(KEY, long(3, 5_000))).toEqual({ state: 'done' });
        expect(await store.read(KEY, true)).toEqual({ state: 'found', value: long(3, 5_000) });
        expect(entries.size).toBe(await entriesOf(long(3, 5_000)));
      },
    );

    it('is seen when one lone surrogate became another', async () => {
      const { entries, ...inner } = createFakeSecretStore();
      const store = createChunkedStore(inner);
      await store.write(KEY, valueOf(6_000, 'lone surrogates', 1));
      entries.set(
        `latchkey-part:a1:${KEY}`,
        (entries.get(`latchkey-part:a1:${KEY}`) ?? '').replace('\ud800', '\ud801'),
      );
      expect((await store.read(KEY, true)).state).toBe('unavailable');
    });

    it('is not made worse by a write of an older build that stops half-way: the parts of a later version stay', async () => {
      const before = new Map([
        [KEY, 'latchkey-split/2 a something new'],
        [`latchkey-part:a0:${KEY}`, 'of the later version'],
      ]);
      const entries = new Map(before);
      expect(
        (
          await createChunkedStore(
            createDoomedStore(entries, { after: 3, how: 'unavailable', applied: false }),
          ).write(KEY, long(1))
        ).state,
      ).toBe('unavailable');
      for (const [key, value] of before) expect(entries.get(key)).toBe(value);
    });
  });

  describe('beside other calls and processes', () => {
    it('does calls on one key in the order they were made', async () => {
      const { entries, ...inner } = createFakeSecretStore();
      const store = createChunkedStore(inner);
      const answers = await Promise.all([
        store.write(KEY, long(1)),
        store.read(KEY, true),
        store.write(KEY, 'short'),
        store.read(KEY, true),
        store.write(KEY, long(2)),
        store.read(KEY, true),
        store.remove(KEY),
        store.read(KEY, false),
      ]);
      expect(answers.map((answer) => ('value' in answer ? answer.value : answer.state))).toEqual([
        'done',
        long(1),
        'done',
        'short',
        'done',
        long(2),
        'done',
        'absent',
      ]);
      expect([...entries.keys()]).toEqual([]);
    });

    it('does not let a call on one key wait for a long write of another', async () => {
      const inner = createFakeSecretStore();
      inner.entries.set('other', 'short');
      const store = createChunkedStore(inner);
      const order: string[] = [];
      await Promise.all([
        store.write(KEY, long(1)).then(() => order.push('write')),
        store.read('other', true).then(() => order.push('read')),
      ]);
      expect(order).toEqual(['read', 'write']);
    });

    it('answers locked to a call that waited behind a dialog that nobody answered, without a second dialog', async () => {
      const inner = createFakeSecretStore('prompting');
      const store = createChunkedStore(inner);
      const both = Promise.all([store.read(KEY, true), store.write(KEY, 'value')]);
      await settle();
      inner.answerPrompt('timed-out');
      expect((await both).map(({ state }) => state)).toEqual(['locked', 'locked']);
      expect(inner.calls).toEqual([`read ${KEY}`]);
      inner.setMode('works');
      expect(await store.write(KEY, 'value')).toEqual({ state: 'done' });
    });

    it('reads old or new while another process replaces the value between any two inner reads', async () => {
      for (let moment = 0; moment < 12; moment += 1) {
        for (const next of [long(2, 9_000), 'short']) {
          const entries = new Map<string, string>();
          const plain = createDoomedStore(entries, never);
          const other = createChunkedStore(plain);
          await other.write(KEY, long(1));
          let reads = 0;
          const watched: SecretStore = {
            ...plain,
            async read(key, expected) {
              reads += 1;
              if (reads === moment + 1) await other.write(KEY, next);
              return await plain.read(key, expected);
            },
          };
          const reading = await createChunkedStore(watched).read(KEY, true);
          expect([long(1), next]).toContain(
            reading.state === 'found' ? reading.value : reading.state,
          );
        }
      }
    });

    it('says absent when another process removed the value while it was read', async () => {
      const entries = new Map<string, string>();
      const plain = createDoomedStore(entries, never);
      await createChunkedStore(plain).write(KEY, long(1));
      let reads = 0;
      const watched: SecretStore = {
        ...plain,
        async read(key, expected) {
          reads += 1;
          if (reads === 3) await createChunkedStore(plain).remove(KEY);
          return await plain.read(key, expected);
        },
      };
      expect(await createChunkedStore(watched).read(KEY, true)).toEqual({ state: 'absent' });
    });

    it('answers unavailable to what waits when it is closed', async () => {
      const store = createChunkedStore(createFakeSecretStore());
      const waiting = [store.write(KEY, long(1)), store.read(KEY, true)];
      store.close();
      expect((await Promise.all(waiting)).map(({ state }) => state)).toEqual([
        'unavailable',
        'unavailable',
      ]);
    });
  });

  it('says unavailable of a removal that could not remove a part, and ends it the next time', async () => {
    const entries = new Map<string, string>();
    await createChunkedStore(createDoomedStore(entries, never)).write(KEY, long(1));
    const removal = await createChunkedStore(
      createDoomedStore(entries, { after: 6, how: 'unavailable', applied: false }),
    ).remove(KEY);
    expect(removal.state).toBe('unavailable');
    expect(entries.size).toBeGreaterThan(0);
    expect(await createChunkedStore(createDoomedStore(entries, never)).remove(KEY)).toEqual({
      state: 'done',
    });
    expect(entries.size).toBe(0);
  });

  it('never puts a value, a part or a checksum into a detail', async () => {
    const entries = new Map<string, string>();
    await createChunkedStore(createDoomedStore(entries, never)).write(KEY, long(1));
    const header = entries.get(KEY) ?? '';
    const answers: unknown[] = [
      await createChunkedStore(createDoomedStore(entries, never)).write(
        KEY,
        long(1, VALUE_BYTES + 1),
      ),
    ];
    for (const [key, value] of [...entries]) {
      entries.set(key, `${value.slice(0, -1)}?`);
      answers.push(await createChunkedStore(createDoomedStore(entries, never)).read(KEY, true));
      entries.set(key, value);
    }
    expect(answers).toHaveLength(5);
    expect(JSON.stringify(answers)).not.toMatch(new RegExp(`xxx|${header.slice(-64, -1)}`));
  });
});
