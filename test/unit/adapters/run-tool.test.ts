// Tools of the system, and what an attacker may have put where the app stands.
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { planTool, runTool, safeEnvironment } from '../../../src/main/adapters/run-tool.js';
import {
  findOwnerOnWindows,
  systemTool,
} from '../../../src/main/adapters/custom-scheme/scheme-windows.js';

const root = mkdtempSync(join(tmpdir(), 'latchkey-tool-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let folders = 0;
/** A folder with a program that leaves a mark and says a word. */
function plant(name: string, word = 'planted'): { readonly folder: string; readonly mark: string } {
  const folder = join(root, String((folders += 1)));
  mkdirSync(folder);
  writeFileSync(join(folder, name), `#!/bin/sh\n: > '${join(folder, 'mark')}'\necho "${word}"\n`);
  chmodSync(join(folder, name), 0o755);
  return { folder, mark: join(folder, 'mark') };
}

describe.skipIf(process.platform === 'win32')('a tool of the system', () => {
  it('is found by its name in an absolute folder of PATH', async () => {
    const { folder } = plant('latchkey-tool', 'found');
    expect(await runTool('latchkey-tool', [], { PATH: folder }, 5_000)).toEqual({
      state: 'ended',
      code: 0,
      output: 'found',
    });
  });

  it('is not found in a relative folder of PATH, nor in one after it that is', async () => {
    const { folder, mark } = plant('latchkey-tool');
    const path = relative(process.cwd(), folder);
    expect(await runTool('latchkey-tool', [], { PATH: `${path}:.::` }, 5_000)).toEqual({
      state: 'missing',
    });
    expect(await runTool(`${path}/latchkey-tool`, [], { PATH: '/usr/bin' }, 5_000)).toEqual({
      state: 'missing',
    });
    expect(existsSync(mark)).toBe(false);
  });

  it.each([['empty'], ['not set'], ['relative only']])(
    'is found where systems keep tools when PATH is %s',
    async (how) => {
      const env = how === 'empty' ? { PATH: '' } : how === 'not set' ? {} : { PATH: '.' };
      expect(await runTool('echo', ['hello'], env, 5_000)).toEqual({
        state: 'ended',
        code: 0,
        output: 'hello',
      });
    },
  );

  it('stands in the root folder, and hands on no relative folder', async () => {
    const env = {
      PATH: '.:/usr/bin:bin::/bin',
      XDG_DATA_HOME: 'data',
      XDG_DATA_DIRS: './a:/usr/share',
      XDG_CONFIG_HOME: '/c',
      XDG_CONFIG_DIRS: '.',
      OTHER: '.',
    };
    const ran = await runTool(
      'sh',
      [
        '-c',
        'pwd; echo "$PATH|$XDG_DATA_HOME|$XDG_DATA_DIRS|$XDG_CONFIG_HOME|${XDG_CONFIG_DIRS-unset}|$OTHER"',
      ],
      env,
      5_000,
    );
    expect(ran).toEqual({
      state: 'ended',
      code: 0,
      output: '/\n/usr/bin:/bin||/usr/share|/c|unset|.',
    });
  });

  it('that the system refuses in any way is missing: a text that no process can be given, and one too long', async () => {
    expect(await runTool('echo', ['a\0b'], { PATH: '/bin' }, 5_000)).toEqual({ state: 'missing' });
    expect(
      await runTool('echo', ['x'.repeat(4_000_000)], { PATH: '/bin:/usr/bin' }, 5_000),
    ).toEqual({ state: 'missing' });
  });

  it('that is late is ended with all that it has started', async () => {
    const mark = join(root, 'late');
    const ran = await runTool(
      'sh',
      ['-c', '(sleep 1; : > "$1") & wait', 'sh', mark],
      { PATH: '/bin:/usr/bin' },
      200,
    );
    expect(ran).toEqual({ state: 'late' });
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(existsSync(mark)).toBe(false);
  });

  it('that writes without end costs bounded memory, and is heard to its end', async () => {
    const ran = await runTool(
      'sh',
      ['-c', 'head -c 5000000 /dev/zero | tr "\\0" x'],
      { PATH: '/bin:/usr/bin' },
      10_000,
    );
    expect(ran).toMatchObject({ state: 'ended', code: 0 });
    expect(ran.state === 'ended' ? ran.output.length : null).toBeLessThan(200_000);
  });

  it('gets its arguments as they are: no shell reads them', async () => {
    const words = ['$(id)', '`id`', '; id', '"', '*'];
    expect(
      await runTool('printf', ['%s|', ...words], { PATH: '/bin:/usr/bin' }, 5_000),
    ).toMatchObject({ output: words.map((word) => `${word}|`).join('') });
  });
});

describe('a tool on Windows', () => {
  it.each([
    'reg',
    'reg.exe',
    '.\\reg.exe',
    '..\\reg.exe',
    'System32\\reg.exe',
    'C:reg.exe',
    '\\Windows\\System32\\reg.exe',
    '\\\\server\\share\\reg.exe',
    '//server/share/reg.exe',
    '\\\\?\\C:\\Windows\\reg.exe',
    '',
  ])('is not started as %j', (program) => {
    expect(planTool(program, {}, 'win32')).toBeNull();
  });

  it('is started by its whole path, in its own folder, with the environment as it is', () => {
    const env = { Path: '.;C:\\Windows', SystemRoot: 'C:\\Windows' };
    expect(planTool('C:\\Windows\\System32\\reg.exe', env, 'win32')).toEqual({
      program: 'C:\\Windows\\System32\\reg.exe',
      env,
      cwd: 'C:\\Windows\\System32',
    });
  });

  it.each([
    ['C:\\Windows', 'C:\\Windows\\System32\\reg.exe'],
    ['d:/winnt/', 'd:\\winnt\\System32\\reg.exe'],
    ['C:\\Windows\\', 'C:\\Windows\\System32\\reg.exe'],
    ['', null],
    ['.', null],
    ['Windows', null],
    ['C:', null],
    ['C:Windows', null],
    ['\\Windows', null],
    ['\\\\server\\share', null],
    ['C:\\Win\0dows', null],
  ])('lies, by a SystemRoot of %j, at %j', (value, expected) => {
    expect(systemTool('reg.exe', { SystemRoot: value })).toBe(expected);
    if (expected !== null) expect(planTool(expected, {}, 'win32')).not.toBeNull();
  });

  it('is found however the name of SystemRoot is written, and not without it', () => {
    expect(systemTool('reg.exe', { SYSTEMROOT: 'C:\\Windows' })).toBe(
      'C:\\Windows\\System32\\reg.exe',
    );
    expect(systemTool('reg.exe', {})).toBeNull();
  });

  it.skipIf(process.platform === 'win32')(
    'is never a "reg" that is found by PATH: without SystemRoot the owner is unknown',
    async () => {
      const { folder, mark } = plant('reg', '    (Default)    REG_SZ    "C:\\evil.exe"');
      expect(await findOwnerOnWindows('com.example.notes', { PATH: folder }, 5_000)).toEqual({
        state: 'unknown',
        detail: 'SystemRoot does not name the folder of Windows',
      });
      expect(
        await findOwnerOnWindows(
          'com.example.notes',
          { PATH: folder, SystemRoot: 'C:\\Windows' },
          5_000,
        ),
      ).toEqual({ state: 'unknown', detail: 'the registry could not be asked' });
      expect(existsSync(mark)).toBe(false);
    },
  );

  it('gets all of its environment, and nothing that is not set', () => {
    expect(safeEnvironment({ PATH: '.', XDG_DATA_HOME: '.', NOTHING: undefined }, 'win32')).toEqual(
      { PATH: '.', XDG_DATA_HOME: '.' },
    );
  });
});

describe.skipIf(process.platform !== 'linux')('the registry of Windows, by a stand-in', () => {
  // On Linux a whole path of Windows is a name like any other, so a stand-in can have it.
  const reg = 'C:\\Windows\\System32\\reg.exe';
  const env = (folder: string): Record<string, string> => ({
    PATH: folder,
    SystemRoot: 'C:\\Windows',
  });

  it('is asked by the "reg" of System32, and its word on the owner is taken', async () => {
    const { folder } = plant(reg);
    const line = "'    (Default)    REG_SZ    C:\\Notes.exe %1'";
    writeFileSync(join(folder, reg), `#!/bin/sh\n[ "$3" = /ve ] && printf '%s\\n' ${line}\n`);
    const owner = await findOwnerOnWindows('com.example.notes', env(folder), 5_000);
    const name = 'HKCU\\Software\\Classes\\com.example.notes\\shell\\open\\command';
    expect(owner).toEqual({ state: 'owned', name, command: ['C:\\Notes.exe'], isThere: null });
  });

  it('that names a choice of the person is asked for the command of that choice', async () => {
    const { folder } = plant(reg);
    const choice = "'    ProgId    REG_SZ    NotesUrl'";
    const command = "'    (Default)    REG_SZ    C:\\Chosen.exe'";
    const script = `case "$2 $3" in *UserChoice" /v") printf '%s\\n' ${choice};; HKCR*NotesUrl*) printf '%s\\n' ${command};; esac`;
    writeFileSync(join(folder, reg), `#!/bin/sh\n${script}\n`);
    const owner = await findOwnerOnWindows('com.example.notes', env(folder), 5_000);
    expect(owner).toMatchObject({ state: 'owned', command: ['C:\\Chosen.exe'] });
  });

  it('that has nothing says that nobody is the owner', async () => {
    const { folder } = plant(reg);
    writeFileSync(join(folder, reg), '#!/bin/sh\nexit 1\n');
    expect(await findOwnerOnWindows('com.example.notes', env(folder), 5_000)).toEqual({
      state: 'nobody',
    });
  });
});
