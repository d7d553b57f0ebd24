import { describe, expect, it } from 'vitest';
import type { RegistrationFacts } from '../../../src/main/adapters/custom-scheme/registration-facts.js';
import {
  createSchemeRegistration,
  planRegistration,
} from '../../../src/main/adapters/custom-scheme/scheme-registration.js';

const linux: RegistrationFacts = {
  platform: 'linux',
  appName: 'Notes',
  isPackaged: true,
  execPath: '/opt/notes/notes',
  appPath: '/opt/notes/resources/app.asar',
  argv: [],
  workingFolder: '/',
  userDataPath: '/home/ann/.config/Notes',
  userDataIsDefault: true,
  noSandbox: false,
  windowsStore: false,
  env: {},
};
const windows: RegistrationFacts = {
  ...linux,
  platform: 'win32',
  execPath: 'C:\\Notes\\Notes.exe',
  appPath: 'C:\\src\\notes',
  userDataPath: 'C:\\Users\\ann\\Notes',
};
const mac: RegistrationFacts = { ...linux, platform: 'darwin' };

describe('the plan to register a scheme', () => {
  it('on Linux is a command that carries the userData folder, by which the running instance is found', () => {
    expect(planRegistration(linux)).toEqual({
      by: 'desktop-file',
      words: ['/opt/notes/notes', '--user-data-dir=/home/ann/.config/Notes'],
      bareStartWorks: true,
    });
  });

  it.each([
    ['the app is not packaged', { isPackaged: false }],
    ['userData is elsewhere', { userDataIsDefault: false }],
    ['the sandbox is off', { noSandbox: true }],
  ])('takes no bare start for a start of this instance when %s', (_name, changes) => {
    expect(planRegistration({ ...linux, ...changes }, () => '/src/notes')).toMatchObject({
      bareStartWorks: false,
    });
  });

  it('in development on Linux names the app for Electron', () => {
    expect(
      planRegistration(
        {
          ...linux,
          isPackaged: false,
          execPath: '/src/electron',
          noSandbox: true,
        },
        () => '/src/notes/dist/main.js',
      ),
    ).toEqual({
      by: 'desktop-file',
      words: [
        '/src/electron',
        '--no-sandbox',
        '--user-data-dir=/home/ann/.config/Notes',
        '/src/notes/dist/main.js',
      ],
      bareStartWorks: false,
    });
  });

  it('of an AppImage names the file that stays, not the mount that goes', () => {
    const plan = planRegistration({
      ...linux,
      execPath: '/tmp/.mount_NotesX/notes',
      env: { APPIMAGE: '/home/ann/Notes.AppImage' },
    });
    expect(plan).toMatchObject({
      by: 'desktop-file',
      words: ['/home/ann/Notes.AppImage', '--user-data-dir=/home/ann/.config/Notes'],
    });
  });

  it('ignores an AppImage that merely started the development tools', () => {
    const plan = planRegistration(
      { ...linux, isPackaged: false, env: { APPIMAGE: '/home/ann/Editor.AppImage' } },
      ({ appPath }) => appPath,
    );
    expect(plan).toMatchObject({
      words: [
        '/opt/notes/notes',
        '--user-data-dir=/home/ann/.config/Notes',
        '/opt/notes/resources/app.asar',
      ],
    });
  });

  it.each([
    ['flatpak', { FLATPAK_ID: 'com.example.Notes' }, '/app/bin/notes'],
    ['snap', { SNAP: '/snap/notes/1', SNAP_NAME: 'notes' }, '/snap/notes/1/notes'],
  ])('inside %s is none, with the reason', (name, env, execPath) => {
    const plan = planRegistration({ ...linux, env, execPath });
    expect(plan).toMatchObject({
      by: 'nobody',
      detail: `inside ${name} schemes are registered by the package only`,
    });
  });

  it('on Windows names the app in development only, and ends with a sentinel and the end of the switches', () => {
    expect(planRegistration(windows)).toEqual({
      by: 'electron',
      path: 'C:\\Notes\\Notes.exe',
      args: ['--latchkey-link', '--'],
    });
    expect(planRegistration({ ...windows, isPackaged: false }, () => 'C:\\src\\notes')).toEqual({
      by: 'electron',
      path: 'C:\\Notes\\Notes.exe',
      args: ['C:\\src\\notes', '--latchkey-link', '--'],
    });
  });

  it.each([linux, windows])(
    'in development is none if a link cannot start the same again',
    (facts) => {
      expect(planRegistration({ ...facts, isPackaged: false }, () => null)).toMatchObject({
        by: 'nobody',
        detail: expect.stringMatching(/"electron \."\), or use a loopback redirect$/) as unknown,
      });
    },
  );

  it('in an MSIX package is none, where Electron would say true and do nothing', () => {
    expect(planRegistration({ ...windows, windowsStore: true }).by).toBe('nobody');
  });

  it('on macOS is Electron for a packaged app, else none', () => {
    expect(planRegistration(mac)).toEqual({ by: 'electron' });
    const inDevelopment = planRegistration({ ...mac, isPackaged: false });
    expect(inDevelopment).toMatchObject({ by: 'nobody' });
    expect('detail' in inDevelopment && inDevelopment.detail).toMatch(
      /^macOS only routes schemes to packaged apps, by Info.plist; .*use a loopback redirect$/,
    );
  });
});

describe('registration through Electron', () => {
  function electron(
    isDefault: boolean,
    setAnswer = true,
  ): {
    app: Parameters<typeof createSchemeRegistration>[0]['app'];
    calls: unknown[][];
    removals: unknown[][];
  } {
    const calls: unknown[][] = [];
    const removals: unknown[][] = [];
    return {
      calls,
      removals,
      app: {
        removeAsDefaultProtocolClient(...args) {
          removals.push(args);
          return false;
        },
        setAsDefaultProtocolClient(...args) {
          calls.push(args);
          return setAnswer;
        },
        isDefaultProtocolClient: () => isDefault && removals.length === 0,
      },
    };
  }

  it('believes the check and not the answer, in either direction', async () => {
    const refused = electron(false, true);
    expect(
      await createSchemeRegistration({ app: refused.app, facts: windows }).register(
        'com.example.notes',
      ),
    ).toMatchObject({ ok: false });
    const accepted = electron(true, false);
    expect(
      await createSchemeRegistration({ app: accepted.app, facts: windows }).register(
        'com.example.notes',
      ),
    ).toEqual({ ok: true });
    expect(accepted.calls).toEqual([
      ['com.example.notes', 'C:\\Notes\\Notes.exe', ['--latchkey-link', '--']],
    ]);
  });

  it('does what is asked at the same time once, and checks again at the next call', async () => {
    const { app, calls } = electron(true);
    const registration = createSchemeRegistration({ app, facts: mac });
    await Promise.all([
      registration.register('a.b'),
      registration.register('a.b'),
      registration.register('c.d'),
    ]);
    expect(calls).toEqual([['a.b'], ['c.d']]);
    await registration.register('a.b');
    expect(calls).toHaveLength(3);
  });

  it('never throws', async () => {
    const app = {
      setAsDefaultProtocolClient() {
        throw new Error('no');
      },
      isDefaultProtocolClient: () => true,
      removeAsDefaultProtocolClient: () => true,
    };
    expect(await createSchemeRegistration({ app, facts: windows }).register('a.b')).toMatchObject({
      ok: false,
    });
  });

  it('is taken back with the same command, which is checked and not believed', async () => {
    const { app, removals } = electron(true);
    const registration = createSchemeRegistration({ app, facts: windows });
    expect(await registration.unregister('com.example.notes')).toMatchObject({ ok: true });
    expect(removals).toEqual([
      ['com.example.notes', 'C:\\Notes\\Notes.exe', ['--latchkey-link', '--']],
    ]);
  });

  it('is left alone by a removal when the scheme leads to another program', async () => {
    const { app, removals } = electron(false);
    expect(
      await createSchemeRegistration({ app, facts: windows }).unregister('com.example.notes'),
    ).toEqual({ ok: false, detail: 'the scheme leads to another program, and is left to it' });
    expect(removals).toEqual([]);
  });

  it.each([
    [
      'on macOS, where the system forgets it with the app',
      mac,
      'macOS forgets the scheme when the app is deleted; nothing else takes it away',
    ],
    [
      'in an MSIX package',
      { ...windows, windowsStore: true },
      'nothing was registered at run time; the scheme goes with the package',
    ],
    [
      'inside flatpak',
      { ...linux, env: { FLATPAK_ID: 'com.example.Notes' } },
      'nothing was registered at run time; the scheme goes with the package',
    ],
    [
      'in development on macOS',
      { ...mac, isPackaged: false },
      'nothing was registered: macOS only routes schemes to packaged apps',
    ],
  ])('cannot be taken back %s, and says so', async (_name, facts, detail) => {
    const { app, removals } = electron(true);
    expect(await createSchemeRegistration({ app, facts }).unregister('com.example.notes')).toEqual({
      ok: true,
      detail,
    });
    expect(removals).toEqual([]);
  });
});
