import { describe, expect, it } from 'vitest';
import { createSchemeRegistration, planRegistration, type RegistrationFacts } from '../../src/main/adapters/scheme-registration.js';

const linux: RegistrationFacts = {
  platform: 'linux',
  appName: 'Notes',
  isPackaged: true,
  execPath: '/opt/notes/notes',
  appPath: '/opt/notes/resources/app.asar',
  userDataPath: '/home/ann/.config/Notes',
  noSandbox: false,
  windowsStore: false,
  env: {},
};
const windows: RegistrationFacts = { ...linux, platform: 'win32', execPath: 'C:\\Notes\\Notes.exe', appPath: 'C:\\src\\notes', userDataPath: 'C:\\Users\\ann\\Notes' };
const mac: RegistrationFacts = { ...linux, platform: 'darwin' };

describe('the plan to register a scheme', () => {
  it('on Linux is a command that carries the userData folder, by which the running instance is found', () => {
    expect(planRegistration(linux)).toEqual({ by: 'desktop-file', words: ['/opt/notes/notes', '--user-data-dir=/home/ann/.config/Notes'] });
  });

  it('in development on Linux names the app for Electron', () => {
    expect(planRegistration({ ...linux, isPackaged: false, execPath: '/src/electron', appPath: '/src/notes', noSandbox: true })).toEqual({
      by: 'desktop-file',
      words: ['/src/electron', '--no-sandbox', '--user-data-dir=/home/ann/.config/Notes', '/src/notes'],
    });
  });

  it('of an AppImage names the file that stays, not the mount that goes', () => {
    const plan = planRegistration({ ...linux, execPath: '/tmp/.mount_NotesX/notes', env: { APPIMAGE: '/home/ann/Notes.AppImage' } });
    expect(plan).toEqual({ by: 'desktop-file', words: ['/home/ann/Notes.AppImage', '--user-data-dir=/home/ann/.config/Notes'] });
  });

  it('ignores an AppImage that merely started the development tools', () => {
    const plan = planRegistration({ ...linux, isPackaged: false, env: { APPIMAGE: '/home/ann/Editor.AppImage' } });
    expect(plan).toMatchObject({ words: ['/opt/notes/notes', '--user-data-dir=/home/ann/.config/Notes', '/opt/notes/resources/app.asar'] });
  });

  it.each([
    ['flatpak', { FLATPAK_ID: 'com.example.Notes' }, '/app/bin/notes'],
    ['snap', { SNAP: '/snap/notes/1', SNAP_NAME: 'notes' }, '/snap/notes/1/notes'],
  ])('inside %s is none, with the reason', (name, env, execPath) => {
    const plan = planRegistration({ ...linux, env, execPath });
    expect(plan).toEqual({ by: 'nobody', detail: `inside ${name} schemes are registered by the package only` });
  });

  it('on Windows names the app in development only', () => {
    expect(planRegistration(windows)).toEqual({ by: 'electron', path: 'C:\\Notes\\Notes.exe', args: [] });
    expect(planRegistration({ ...windows, isPackaged: false })).toEqual({ by: 'electron', path: 'C:\\Notes\\Notes.exe', args: ['C:\\src\\notes'] });
  });

  it('in an MSIX package is none, where Electron would say true and do nothing', () => {
    expect(planRegistration({ ...windows, windowsStore: true }).by).toBe('nobody');
  });

  it('on macOS is Electron for a packaged app, else none', () => {
    expect(planRegistration(mac)).toEqual({ by: 'electron' });
    expect(planRegistration({ ...mac, isPackaged: false })).toEqual({ by: 'nobody', detail: 'macOS only routes schemes to packaged apps' });
  });
});

describe('registration through Electron', () => {
  function electron(isDefault: boolean, setAnswer = true): { app: Parameters<typeof createSchemeRegistration>[0]['app']; calls: unknown[][] } {
    const calls: unknown[][] = [];
    return {
      calls,
      app: {
        setAsDefaultProtocolClient(...args) {
          calls.push(args);
          return setAnswer;
        },
        isDefaultProtocolClient: () => isDefault,
      },
    };
  }

  it('believes the check and not the answer, in either direction', async () => {
    const refused = electron(false, true);
    expect(await createSchemeRegistration({ app: refused.app, facts: windows }).register('com.example.notes')).toMatchObject({ ok: false });
    const accepted = electron(true, false);
    expect(await createSchemeRegistration({ app: accepted.app, facts: windows }).register('com.example.notes')).toEqual({ ok: true });
    expect(accepted.calls).toEqual([['com.example.notes', 'C:\\Notes\\Notes.exe', []]]);
  });

  it('does what is asked at the same time once, and checks anew at the next call', async () => {
    const { app, calls } = electron(true);
    const registration = createSchemeRegistration({ app, facts: mac });
    await Promise.all([registration.register('a.b'), registration.register('a.b'), registration.register('c.d')]);
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
    };
    expect(await createSchemeRegistration({ app, facts: windows }).register('a.b')).toMatchObject({ ok: false });
  });
});
