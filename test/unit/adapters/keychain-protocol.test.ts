import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  decodeValue,
  encodeValue,
  KEYRING_FAILURES,
  parseReply,
  recogniseFailure,
} from '../../../src/main/adapters/secrets/keychain-protocol.js';
import {
  answer,
  binaryName,
  loadKeytar,
} from '../../../src/main/adapters/secrets/keychain-worker.js';

/** As measured on Debian 12 with gnome-keyring 42 and keytar 7.10.6, whole texts. */
const MEASURED: readonly (readonly [string, 'locked' | 'unavailable'])[] = [
  ['Cannot create an item in a locked collection', 'locked'],
  ['Cannot autolaunch D-Bus without X11 $DISPLAY', 'unavailable'],
  ['Could not connect: No such file or directory', 'unavailable'],
  ['Could not connect: Connection refused', 'unavailable'],
  ['The given address is empty', 'unavailable'],
  ['The name org.freedesktop.secrets was not provided by any .service files', 'unavailable'],
  [
    "keytar's binary does not load: libsecret-1.so.0: cannot open shared object file: No such file or directory",
    'unavailable',
  ],
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
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        (value) => decodeValue(encodeValue(value)) === value,
      ),
    );
  });

  it('is never empty and never holds NUL, which keytar refuses and cuts at', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        const stored = encodeValue(value);
        return stored.length > 0 && !stored.includes('\0');
      }),
    );
  });

  it.each(['not json', '{"other":"program"}', '12', ''])(
    'is given back as it is when Latchkey never wrote it: %j',
    (stored) => {
      expect(decodeValue(stored)).toBe(stored);
    },
  );
});

describe('the worker', () => {
  const request = { id: 7, service: 'service', account: 'account' } as const;

  it('says false when the keyring gives back something else than was written', async () => {
    const keytar = {
      getPassword: async () => 'else',
      setPassword: async () => {},
      deletePassword: async () => true,
    };
    expect(
      await answer(async () => keytar, { ...request, op: 'set', value: 'value' }),
    ).toMatchObject({ id: 7, ok: true, value: false });
  });

  it('says that libsecret is missing, that the binary was not shipped, or that it does not load', () => {
    const detail = (text: string): string => recogniseFailure(text).detail;
    expect(
      detail(
        "keytar's binary does not load: libsecret-1.so.0: cannot open shared object file: No such file or directory",
      ),
    ).toBe('libsecret is not installed (Debian: libsecret-1-0)');
    expect(
      detail("keytar's binary does not load: Das angegebene Modul wurde nicht gefunden."),
    ).toBe('the native part of keytar does not load on this computer');
    expect(detail("keytar's binary is missing")).toContain('was not shipped with the app');
  });
});

describe("keytar's binary", () => {
  const request = { id: 7, op: 'get', service: 'service', account: 'account' } as const;
  const emptyFolder = (): string => {
    const folder = mkdtempSync(join(tmpdir(), 'latchkey-keytar-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    return join(folder, '/');
  };

  it('is looked for by the names that electron-builder gives to systems and processors', () => {
    expect(binaryName('darwin', 'arm64')).toBe('mac-arm64.node');
    expect(binaryName('win32', 'ia32')).toBe('win-ia32.node');
    expect(binaryName('linux', 'x64')).toBe('linux-x64.node');
    expect(binaryName('linux', 'arm')).toBe('linux-armv7l.node');
  });

  it('is said to be missing where it was not shipped, without a folder', async () => {
    const folder = emptyFolder();
    const reply = await answer(() => loadKeytar(folder), request);
    expect(reply).toEqual({ id: 7, ok: false, text: "keytar's binary is missing" });
  });

  it('is said not to load where it is damaged, and the folder it lies in is not passed on', async () => {
    const folder = emptyFolder();
    writeFileSync(join(folder, binaryName(process.platform, process.arch)), 'no library');
    const reply = await answer(() => loadKeytar(folder), request);
    if (reply.ok) throw new Error('a text was loaded as a library');
    expect(reply.text).toMatch(/^keytar's binary does not load: ./);
    expect(recogniseFailure(reply.text).detail).toBe(
      'the native part of keytar does not load on this computer',
    );
  });
});

describe('a message of the worker', () => {
  it.each([
    null,
    undefined,
    'text',
    12,
    {},
    { id: 1 },
    { id: '1', ok: true, value: null, tookMs: 1 },
    { id: 1, ok: true, value: 12, tookMs: 1 },
    { id: 1, ok: false },
  ])('is nothing when it is %j', (message) => {
    expect(parseReply(message)).toBeNull();
  });

  it('keeps only the members that a reply has', () => {
    expect(parseReply({ id: 1, ok: true, value: 'v', tookMs: 2, more: 'x' })).toEqual({
      id: 1,
      ok: true,
      value: 'v',
      tookMs: 2,
    });
  });
});
