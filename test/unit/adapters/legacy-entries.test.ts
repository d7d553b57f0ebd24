// What the host's own functions may do to us: nothing. Entries of keytar are passed on to the
// keychain.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createLegacyEntries } from '../../../src/main/adapters/secrets/legacy-entries.js';
import type { LegacyEntry } from '../../../src/main/core/options/auth-options.js';
import type { LegacyEntries } from '../../../src/main/core/base/ports.js';

const read: LegacyEntry['read'] = (value) => ({ refreshToken: value });
let asked: string[];
const keychain = {
  read: async (service: string, account: string) => {
    asked.push(`read ${service} ${account}`);
    return { state: 'found', value: 'from keytar' } as const;
  },
  remove: async (service: string, account: string) => {
    asked.push(`remove ${service} ${account}`);
    return { state: 'done' } as const;
  },
};
const of = (...entries: readonly LegacyEntry[]): LegacyEntries =>
  createLegacyEntries(entries, keychain, 1_000);

beforeEach(() => {
  asked = [];
  vi.useFakeTimers();
});
afterEach(() => void vi.useRealTimers());

describe('an entry of keytar', () => {
  it('is read and removed by the keychain', async () => {
    const entries = of({ service: 'notes', account: 'session', read });
    expect([await entries.read(0), await entries.remove(0)]).toEqual([
      { state: 'found', value: 'from keytar' },
      { state: 'done' },
    ]);
    expect(asked).toEqual(['read notes session', 'remove notes session']);
  });

  it('that is not in the list is absent', async () => {
    expect([await of().read(3), await of().remove(3), asked]).toEqual([
      { state: 'absent' },
      { state: 'done' },
      [],
    ]);
  });
});

describe('an entry that the host reads itself', () => {
  it.each<[string, () => unknown, object]>([
    ['a text', async () => 'value', { state: 'found', value: 'value' }],
    ['an empty text', async () => '', { state: 'found', value: '' }],
    ['null', async () => null, { state: 'absent' }],
    ['undefined', async () => undefined, { state: 'absent' }],
    [
      'a number',
      async () => 7,
      { state: 'unavailable', detail: 'option "migrateFrom": "load" gave no text' },
    ],
    [
      'a rejection',
      () => Promise.reject(new TypeError('hunter2')),
      { state: 'unavailable', detail: 'option "migrateFrom": a function failed (TypeError)' },
    ],
    [
      'an exception',
      () => {
        throw new RangeError('hunter2');
      },
      { state: 'unavailable', detail: 'option "migrateFrom": a function failed (RangeError)' },
    ],
    [
      'no error',
      () => Promise.reject('hunter2'),
      { state: 'unavailable', detail: 'option "migrateFrom": a function failed (string)' },
    ],
  ])('by a function that gives %s', async (_what, load, expected) => {
    expect(await of({ load: load as () => Promise<string | null>, read }).read(0)).toEqual(
      expected,
    );
  });

  it('is locked when its function does not answer in time, for it may show a dialog', async () => {
    const entries = of({
      load: () => new Promise<never>(() => {}),
      remove: () => new Promise<never>(() => {}),
      read,
    });
    const answers = Promise.all([entries.read(0), entries.remove(0)]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect((await answers).map(({ state }) => state)).toEqual(['locked', 'locked']);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is removed by the function of the host, and stays where there is none', async () => {
    let removed = 0;
    expect(
      await of({
        load: async () => 'x',
        remove: async () => {
          removed += 1;
        },
        read,
      }).remove(0),
    ).toEqual({ state: 'done' });
    expect(await of({ load: async () => 'x', read }).remove(0)).toEqual({ state: 'done' });
    expect(
      await of({
        load: async () => 'x',
        remove: () => Promise.reject(new Error('EACCES')),
        read,
      }).remove(0),
    ).toMatchObject({ state: 'unavailable' });
    expect([removed, asked]).toEqual([1, []]);
  });
});
