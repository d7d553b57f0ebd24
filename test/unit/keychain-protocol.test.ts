import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeValue, encodeValue, KEYRING_FAILURES, parseReply, recogniseFailure } from '../../src/main/adapters/keychain-protocol.js';
import { answer } from '../../src/main/adapters/keychain-worker.js';

/** As measured on Debian 12 with gnome-keyring 42 and keytar 7.10.6, whole texts. */
const MEASURED: readonly (readonly [string, 'locked' | 'unavailable'])[] = [
  ['Cannot create an item in a locked collection', 'locked'],
  ['Cannot autolaunch D-Bus without X11 $DISPLAY', 'unavailable'],
  ['Could not connect: No such file or directory', 'unavailable'],
  ['Could not connect: Connection refused', 'unavailable'],
  ['The given address is empty', 'unavailable'],
  ['The name org.freedesktop.secrets was not provided by any .service files', 'unavailable'],
  ["Cannot find package 'keytar' imported from /opt/app/resources/app.asar/node_modules/latchkey/dist/main/adapters/keychain-worker.js", 'unavailable'],
  ['Object does not exist at path “/org/freedesktop/secrets/collection/login”', 'unavailable'],
  ['The name :1.1 was not provided by any .service files', 'unavailable'],
];

describe('the meaning of error texts of keytar', () => {
  it.each(MEASURED)('takes %j for %s', (text, state) => {
    const failure = recogniseFailure(text);
    expect(failure.state).toBe(state);
    expect(KEYRING_FAILURES.map(({ detail }) => detail)).toContain(failure.detail);
  });

  it('takes a text that nobody knows for unavailable, and keeps it on one line of bounded length', () => {
    const { state, detail } = recogniseFailure(`something\nnew ${'x'.repeat(10_000)}`);
    expect(state).toBe('unavailable');
    expect(detail).toContain('something new');
    expect(detail.length).toBeLessThan(250);
  });

  it('drops a text that holds the value which was being written', () => {
    expect(recogniseFailure('cannot store "s3cret"', 's3cret').detail).not.toContain('s3cret');
  });
});

describe('the text that is stored for a value', () => {
  it('is decoded to the very same value, whatever that holds', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (value) => decodeValue(encodeValue(value)) === value));
  });

  it('is never empty and never holds NUL, which keytar refuses and cuts at', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        const stored = encodeValue(value);
        return stored.length > 0 && !stored.includes('\0');
      }),
    );
  });

  it.each(['not json', '{"other":"program"}', '12', ''])('is given back as it is when Latchkey never wrote it: %j', (stored) => {
    expect(decodeValue(stored)).toBe(stored);
  });
});

describe('the worker', () => {
  const request = { id: 7, service: 'service', account: 'account' } as const;

  it('says false when the keyring gives back something else than was written', async () => {
    const keytar = { getPassword: async () => 'else', setPassword: async () => {}, deletePassword: async () => true };
    expect(await answer(async () => keytar, { ...request, op: 'set', value: 'value' })).toMatchObject({ id: 7, ok: true, value: false });
  });

  it('turns a keytar that does not load into a reply', async () => {
    const load = async (): Promise<never> => {
      throw new Error('Failed to load keytar native addon, checked []');
    };
    expect(await answer(load, { ...request, op: 'get' })).toEqual({ id: 7, ok: false, text: 'Failed to load keytar native addon, checked []' });
  });
});

describe('a message of the worker', () => {
  it.each([null, undefined, 'text', 12, {}, { id: 1 }, { id: '1', ok: true, value: null, tookMs: 1 }, { id: 1, ok: true, value: 12, tookMs: 1 }, { id: 1, ok: false }])(
    'is nothing when it is %j',
    (message) => {
      expect(parseReply(message)).toBeNull();
    },
  );

  it('keeps only the members that a reply has', () => {
    expect(parseReply({ id: 1, ok: true, value: 'v', tookMs: 2, more: 'x' })).toEqual({ id: 1, ok: true, value: 'v', tookMs: 2 });
  });
});
