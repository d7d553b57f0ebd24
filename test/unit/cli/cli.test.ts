import { describe, expect, it } from 'vitest';
import { entraOfMany, readEvents } from '../../../src/cli/doctor.js';
import { type Io, runLatchkey } from '../../../src/cli/latchkey.js';
import { readProxyVariables } from '../../../src/cli/plain-sources.js';
import { formatDiagnosis } from '../../../src/cli/report.js';
import {
  findPackaging,
  type ProcessFacts,
} from '../../../src/main/adapters/diagnosis/host-facts.js';
import { readProxies } from '../../../src/main/adapters/diagnosis/network-facts.js';
import { LIMITS } from '../../../src/main/core/base/limits.js';
import { entra } from '../../../src/providers/index.js';

function createIo(): Io & { readonly written: { out: string; err: string } } {
  const written = { out: '', err: '' };
  return {
    written,
    color: false,
    out: (text) => void (written.out += text),
    err: (text) => void (written.err += text),
  };
}

describe('the doctor of an issuer that is the address of many tenants', () => {
  it.each(['common', 'organizations', 'consumers', 'contoso.com'])(
    'takes the metadata of Entra for %s as the preset does',
    (tenant) => {
      const { issuer, issuerTemplate } = entra({ tenant });
      expect(issuerTemplate).not.toBeNull();
      expect(entraOfMany(issuer)?.issuerTemplate).toEqual(issuerTemplate);
    },
  );

  it.each(['https://evil.example/common/v2.0', 'https://login.microsoftonline.com/common'])(
    'compares every other issuer exactly: %s',
    (issuer) => {
      expect(entraOfMany(issuer)).toBeNull();
    },
  );
});

describe('the command latchkey', () => {
  const only = async (
    name: string,
  ): Promise<{ run: (args: readonly string[], io: Io) => Promise<number> } | null> =>
    name === 'doctor'
      ? {
          async run(args, io) {
            io.out(args.join(' '));
            return 7;
          },
        }
      : null;

  it('runs the command that is named, with the other words, and ends with its code', async () => {
    const io = createIo();
    expect(await runLatchkey(['doctor', '--json', 'x'], io, only)).toBe(7);
    expect(io.written.out).toBe('--json x');
  });

  it.each([
    [['--help'], 0],
    [['help'], 0],
    [[], 64],
    [['explain'], 64],
    [['constructor'], 64],
    [['../doctor'], 64],
  ] as const)('given %j lists what it has and ends with %i', async (args, code) => {
    const io = createIo();
    expect(await runLatchkey(args, io, only)).toBe(code);
    const text = io.written.out + io.written.err;
    expect(text).toContain('  doctor ');
    expect(text).not.toContain('  explain ');
    expect(io.written.err === '').toBe(code === 0);
  });

  it('tells the version of its package', async () => {
    const io = createIo();
    expect(await runLatchkey(['--version'], io, only)).toBe(0);
    expect(io.written.out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it('ends with 70 when a command breaks', async () => {
    const io = createIo();
    expect(
      await runLatchkey(['doctor'], io, async () => ({
        run: () => Promise.reject(new Error('oh')),
      })),
    ).toBe(70);
    expect(io.written.err).toBe('latchkey doctor: oh\n');
  });
});

describe('the report of a diagnosis', () => {
  const diagnosis = {
    level: 'error',
    findings: [
      { id: 'clock', level: 'ok', seen: 'the clocks are 0 s apart' },
      { id: 'keyring', level: 'error', seen: 'there is no keyring', todo: 'Install one.' },
      { id: 'proxy', level: 'warning', seen: 'a proxy', todo: 'Look.' },
    ],
    notChecked: [{ id: 'tls', why: 'no answer' }],
  } as const;

  it('says it in words, without colour', () => {
    expect(formatDiagnosis(diagnosis, false)).toBe(
      [
        'ok       clock            the clocks are 0 s apart',
        'ERROR    keyring          there is no keyring',
        '                          -> Install one.',
        'WARNING  proxy            a proxy',
        '                          -> Look.',
        '-        tls              not checked: no answer',
        '',
        '1 error, 1 warning, 1 ok',
        '',
      ].join('\n'),
    );
  });

  it('says the same with colour', () => {
    const painted = formatDiagnosis(diagnosis, true);
    expect(painted).not.toBe(formatDiagnosis(diagnosis, false));
    expect(painted.replace(/\u001b\[\d+m/g, '')).toBe(formatDiagnosis(diagnosis, false));
  });
});

describe('events from a file', () => {
  it('are those that have the shape of one; the rest is left out', () => {
    const lines = [
      '{"level":"warn","event":"redirect-unavailable","fields":{"detail":"a\\u0000b","deep":{"x":1},"n":1,"b":true,"z":null},"at":5}',
      '{"level":"loud","event":"x"}',
      '{"level":"info","event":"Not A Name"}',
      '{"level":"info"}',
      'null',
      '[1,2]',
      'no JSON',
      '',
      '{"level":"info","event":"started","fields":"text"}',
    ];
    expect(readEvents(lines.join('\n'))).toEqual([
      {
        level: 'warn',
        event: 'redirect-unavailable',
        fields: { detail: 'a b', n: 1, b: true, z: null },
        at: 5,
        correlationId: null,
      },
      { level: 'info', event: 'started', fields: {}, at: 0, correlationId: null },
    ]);
  });

  it('are the last ones only', () => {
    const many = Array.from(
      { length: LIMITS.recentEvents + 3 },
      (_, count) => `{"level":"info","event":"e-${count}"}`,
    ).join('\n');
    expect(readEvents(many)).toHaveLength(LIMITS.recentEvents);
    expect(readEvents(many)[0]?.event).toBe('e-3');
  });
});

describe('proxies', () => {
  it('in the environment are named without user and password', () => {
    expect(
      readProxyVariables({
        HTTPS_PROXY: 'http://ann:secret@proxy.example.com:8080',
        https_proxy: 'proxy.example.com:8080',
        ALL_PROXY: 'socks5://10.0.0.1:1080',
        HTTP_PROXY: 'http://other:1',
      }),
    ).toEqual({
      source: 'environment',
      proxies: ['proxy.example.com:8080', '10.0.0.1:1080'],
    });
    expect(readProxyVariables({ HTTPS_PROXY: '', https_proxy: '::::' }).proxies).toEqual([]);
  });

  it.each([
    ['DIRECT', []],
    ['PROXY proxy.example.com:8080; DIRECT', ['proxy.example.com:8080']],
    ['HTTPS a:443;SOCKS5 [::1]:1080', ['a:443', '[::1]:1080']],
    ['', []],
    ['<b>x</b>', []],
  ])('of the system %j are %j', (answer, proxies) => {
    expect(readProxies(answer)).toEqual(proxies);
  });
});

describe('how the app was brought here', () => {
  const packaged: ProcessFacts = {
    electron: '33.2.1',
    isPackaged: true,
    execPath: '/opt/notes/notes',
    windowsStore: false,
    macAppStore: false,
    env: {},
  };

  it.each<[string, Partial<ProcessFacts>]>([
    ['packaged', {}],
    ['plain-node', { electron: undefined }],
    ['development', { isPackaged: false }],
    ['appimage', { env: { APPIMAGE: '/home/ann/Notes.AppImage' } }],
    ['development', { isPackaged: false, env: { APPIMAGE: '/home/ann/Editor.AppImage' } }],
    ['flatpak', { env: { FLATPAK_ID: 'com.example.Notes' } }],
    ['snap', { execPath: '/snap/notes/1/notes', env: { SNAP: '/snap/notes/1' } }],
    ['packaged', { env: { SNAP: '/snap/terminal/1' } }],
    ['msix', { windowsStore: true }],
    ['mac-app-store', { macAppStore: true }],
  ])('is %s', (packaging, changes) => {
    expect(findPackaging({ ...packaged, ...changes })).toBe(packaging);
  });
});
