// Who owns a scheme on a genuine xdg desktop: what a package has installed is respected, what
// Latchkey wrote can be removed, and every owner is named.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import {
  findSchemeOwner,
  findSchemeRivals,
} from '../../src/main/adapters/custom-scheme/scheme-owner.js';
import type { SchemeOwner } from '../../src/main/diagnosis/facts.js';
import { haveParts } from '../support/keyring.js';
import { type Desk, startDesk } from '../support/xdg-desk.js';

const SCHEME = 'com.example.latchkey-contract';
const OWN_FILE = `latchkey-${SCHEME}.desktop`;
const url = `${SCHEME}:/callback?code=a%20b&state=s`;

const cleanUps: (() => void)[] = [];
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0)) cleanUp();
});

const desktop = (appFolder?: string): Desk => startDesk(cleanUps, appFolder);
const ownerOf = (desk: Desk, env: NodeJS.ProcessEnv = desk.env): Promise<SchemeOwner> =>
  findSchemeOwner({ scheme: SCHEME, platform: 'linux', env, timeoutMs: 10_000 });
const makeDefault = (desk: Desk, name: string): void =>
  void execFileSync('xdg-mime', ['default', name, `x-scheme-handler/${SCHEME}`], { env: desk.env });

/** Every file below a folder with what makes it another one. */
function stateOf(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      const { ino, mtimeMs, mode } = statSync(path);
      return `${path} ${ino} ${mtimeMs} ${mode}`;
    })
    .sort();
}

describe.skipIf(!haveParts('xdg-open', 'xdg-mime', 'update-desktop-database'))(
  'a scheme on a genuine xdg desktop',
  () => {
    describe('that a package has installed', () => {
      const packaged = { userDataIsDefault: true };

      it('is left to its file when that starts this very program: nothing is written', async () => {
        const desk = desktop();
        desk.install('system', 'notes.desktop', `${desk.program} %U`, SCHEME);
        expect(await desk.register(packaged).register(SCHEME)).toEqual({ ok: true });
        expect(existsSync(desk.applications)).toBe(false);
        expect(existsSync(join(desk.root, 'config', 'mimeapps.list'))).toBe(false);
        expect(await desk.open(url)).toEqual([url]);
      });

      it('is found by a link to the program, and by its bare name', async () => {
        const desk = desktop();
        const bin = join(desk.root, 'bin');
        mkdirSync(bin);
        symlinkSync(desk.program, join(bin, 'notes'));
        const env = { ...desk.env, PATH: `${bin}:${desk.env['PATH'] ?? ''}` };
        desk.install('system', 'notes.desktop', 'notes --ozone-platform-hint=auto %u', SCHEME);
        expect(await desk.register({ ...packaged, env }).register(SCHEME)).toEqual({ ok: true });
        expect(existsSync(desk.applications)).toBe(false);
      });

      it('is given back to it from a development build that had the scheme', async () => {
        const desk = desktop();
        const path = desk.install('system', 'notes.desktop', `${desk.program} %U`, SCHEME);
        await desk.register({ isPackaged: false }).register(SCHEME);
        expect((await ownerOf(desk)).state === 'owned' && (await ownerOf(desk))).toMatchObject({
          name: OWN_FILE,
        });
        const before = readFileSync(path, 'utf8');
        expect(await desk.register(packaged).register(SCHEME)).toEqual({ ok: true });
        expect(await ownerOf(desk)).toMatchObject({ name: 'notes.desktop' });
        expect(readFileSync(path, 'utf8')).toBe(before);
      });

      it.each([
        [
          'the file starts another program',
          (desk: Desk) => desk.install('system', 'notes.desktop', '/bin/true %U', SCHEME),
          packaged,
        ],
        [
          'the file names another userData folder',
          (desk: Desk) =>
            desk.install(
              'system',
              'notes.desktop',
              `${desk.program} --user-data-dir=/other %U`,
              SCHEME,
            ),
          packaged,
        ],
        [
          'the file opens something of its own',
          (desk: Desk) =>
            desk.install('system', 'notes.desktop', `${desk.program} /some/file %U`, SCHEME),
          packaged,
        ],
        [
          'the file takes no URL',
          (desk: Desk) => desk.install('system', 'notes.desktop', desk.program, SCHEME),
          packaged,
        ],
        [
          'this instance has another userData folder',
          (desk: Desk) => desk.install('system', 'notes.desktop', `${desk.program} %U`, SCHEME),
          {},
        ],
        [
          'it runs without a sandbox',
          (desk: Desk) => desk.install('system', 'notes.desktop', `${desk.program} %U`, SCHEME),
          { ...packaged, noSandbox: true },
        ],
        [
          'it is not packaged',
          (desk: Desk) => desk.install('system', 'notes.desktop', `${desk.program} %U`, SCHEME),
          { ...packaged, isPackaged: false },
        ],
      ])('gets an own file all the same when %s', async (_name, install, facts) => {
        const desk = desktop();
        install(desk);
        expect(await desk.register(facts).register(SCHEME)).toEqual({ ok: true });
        expect(await ownerOf(desk)).toMatchObject({ name: OWN_FILE });
        expect(await desk.open(url)).toContain(`--user-data-dir=${desk.root}/user-data`);
      });

      it('gets an own file with a launcher when its command needs quotes, which xdg-mime and xdg-open do not read', async () => {
        const desk = desktop('My Notes');
        desk.install('system', 'notes.desktop', `"${desk.program}" %U`, SCHEME);
        expect(await desk.register(packaged).register(SCHEME)).toEqual({ ok: true });
        expect((await desk.open(url)).at(-1)).toBe(url);
      });
    });

    describe('of a person whose home has an awkward name', () => {
      it.each(["latchkey-o'brien-", 'latchkey-do$r-', 'latchkey-"q"-', 'latchkey-two words-'])(
        'is not registered, with a hint, when no launcher there can be started: %s',
        async (home) => {
          const desk = startDesk(cleanUps, 'app', home);
          expect(await desk.registration.register(SCHEME)).toEqual({
            ok: false,
            detail: expect.stringMatching(
              /XDG_DATA_HOME .* or use a loopback redirect$/,
            ) as unknown,
          });
          expect(existsSync(join(desk.root, 'data'))).toBe(false);
        },
      );

      it("starts the app when the data folder has a plain path: o'brien", async () => {
        const desk = startDesk(cleanUps, "it's", "latchkey-o'brien-");
        const plain = startDesk(cleanUps);
        const env = { ...desk.env, XDG_DATA_HOME: join(plain.root, 'data') };
        expect(await desk.register({ env }).register(SCHEME)).toEqual({ ok: true });
        expect(await desk.open(url, env)).toEqual([`--user-data-dir=${desk.root}/user-data`, url]);
      });

      it('starts the app by a launcher whose path needs no quotes: ünï', async () => {
        const desk = startDesk(cleanUps, 'two words', 'latchkey-ünï-');
        expect(await desk.registration.register(SCHEME)).toEqual({ ok: true });
        expect((await desk.open(url)).at(-1)).toBe(url);
      });

      it("starts the app on a desktop whose own opener reads quotes: o'brien", async (context) => {
        if (!haveParts('gio')) return context.skip();
        const desk = startDesk(cleanUps, "it's", "latchkey-o'brien-");
        const env = { ...desk.env, XDG_CURRENT_DESKTOP: 'GNOME' };
        expect(await desk.register({ env }).register(SCHEME)).toEqual({ ok: true });
        expect((await desk.open(url, env)).at(-1)).toBe(url);
      });
    });

    describe('of a scheme with a digit', () => {
      const DIGITS = 'com.example.latchkey-contract-4711';
      const link = `${DIGITS}:/callback?code=1&state=2`;

      it('is registered where xdg-open can start it, and refused with a hint where it cannot', async () => {
        const desk = startDesk(cleanUps);
        const registered = await desk.registration.register(DIGITS);
        if (registered.ok) expect((await desk.open(link)).at(-1)).toBe(link);
        else {
          expect(registered.detail).toMatch(/scheme without digits, or a loopback redirect$/);
          // As if it had been registered: the hint is true.
          const env = { ...desk.env, XDG_CURRENT_DESKTOP: 'GNOME' };
          expect(await desk.register({ env }).register(DIGITS)).toEqual({ ok: true });
          expect(spawnSync('xdg-open', [link], { env: desk.env }).status).not.toBe(0);
        }
      });

      it('starts the app on a desktop with an opener of its own', async (context) => {
        if (!haveParts('gio')) return context.skip();
        const desk = startDesk(cleanUps);
        const env = { ...desk.env, XDG_CURRENT_DESKTOP: 'GNOME' };
        expect(await desk.register({ env }).register(DIGITS)).toEqual({ ok: true });
        expect((await desk.open(link, env)).at(-1)).toBe(link);
      });
    });

    describe('of an AppImage', () => {
      it('leads to the file that stays after the mount has gone, and to its new place after it was moved', async () => {
        const desk = desktop();
        const image = join(desk.root, 'Notes.AppImage');
        renameSync(desk.program, image);
        const facts = { execPath: '/tmp/.mount_NotesX/notes' };
        await desk.register({ ...facts, env: { ...desk.env, APPIMAGE: image } }).register(SCHEME);
        expect((await desk.open(url)).at(-1)).toBe(url);

        const moved = join(desk.root, 'Applications', 'Notes.AppImage');
        mkdirSync(join(desk.root, 'Applications'));
        renameSync(image, moved);
        const registration = desk.register({ ...facts, env: { ...desk.env, APPIMAGE: moved } });
        expect(await registration.register(SCHEME)).toEqual({ ok: true });
        expect((await desk.open(url)).at(-1)).toBe(url);
        expect(await ownerOf(desk)).toMatchObject({
          command: [moved, `--user-data-dir=${desk.root}/user-data`],
          isThere: true,
        });
      });
    });

    describe('registered once more', () => {
      it.each([
        ['with a plain path', 'app'],
        ['with a launcher', 'an app'],
      ])('%s changes no file, no matter what starts it', async (_name, folder) => {
        const desk = desktop(folder);
        await desk.register({}).register(SCHEME);
        const before = [...stateOf(join(desk.root, 'data')), ...stateOf(join(desk.root, 'config'))];
        expect(before.length).toBeGreaterThan(2);
        for (let start = 0; start < 3; start += 1) await desk.register({}).register(SCHEME);
        expect([
          ...stateOf(join(desk.root, 'data')),
          ...stateOf(join(desk.root, 'config')),
        ]).toEqual(before);
      });

      it('by another build tells whose command it has replaced, and says nothing of an own one', async () => {
        const desk = desktop();
        await desk.register({ userDataPath: '/first' }).register(SCHEME);
        const second = desk.register({ userDataPath: '/second' });
        await second.register(SCHEME);
        await second.register(SCHEME);
        expect(second.displaced(SCHEME)).toEqual([[desk.program, '--user-data-dir=/first']]);
        expect(second.displaced('com.example.other')).toEqual([]);
      });
    });

    describe('that is taken back', () => {
      it('leads to nobody, and no file and no line of it is left', async () => {
        const desk = desktop('an app');
        await desk.registration.register(SCHEME);
        const list = join(desk.root, 'config', 'mimeapps.list');
        writeFileSync(list, `${readFileSync(list, 'utf8')}text/plain=editor.desktop\n`);
        expect(await desk.registration.unregister(SCHEME)).toEqual({
          ok: true,
          detail: 'removed; nobody opens the scheme now',
        });
        expect(
          stateOf(join(desk.root, 'data')).filter((file) => !file.includes('mimeinfo.cache')),
        ).toEqual([]);
        expect(readFileSync(join(desk.applications, 'mimeinfo.cache'), 'utf8')).not.toContain(
          SCHEME,
        );
        expect(readFileSync(list, 'utf8')).not.toContain(SCHEME);
        expect(readFileSync(list, 'utf8')).toContain('text/plain=editor.desktop');
        expect(await ownerOf(desk)).toEqual({ state: 'nobody' });
      });

      it('goes to another program that can open it, and the next start registers it again', async () => {
        const desk = desktop();
        desk.install('system', 'other.desktop', '/bin/true %u', SCHEME);
        await desk.registration.register(SCHEME);
        expect(await desk.registration.unregister(SCHEME)).toEqual({
          ok: true,
          detail: 'removed; the scheme leads to other.desktop again',
        });
        expect(await desk.registration.register(SCHEME)).toEqual({ ok: true });
        expect((await desk.open(url)).at(-1)).toBe(url);
      });

      it('is taken back twice without harm, and where nothing was registered', async () => {
        const desk = desktop();
        const nothing = {
          ok: true,
          detail:
            'nothing was registered by this app; a file that its package has installed goes with the package',
        };
        expect(await desk.registration.unregister(SCHEME)).toEqual(nothing);
        await desk.registration.register(SCHEME);
        await desk.registration.unregister(SCHEME);
        expect(await desk.registration.unregister(SCHEME)).toEqual(nothing);
      });

      it('is left to another build that has registered it since', async () => {
        const desk = desktop();
        await desk.registration.register(SCHEME);
        await desk.register({ userDataPath: '/other-build' }).register(SCHEME);
        const before = stateOf(join(desk.root, 'data'));
        expect(await desk.registration.unregister(SCHEME)).toEqual({
          ok: false,
          detail: 'the scheme was registered by another build of the app, and is left to it',
        });
        expect(stateOf(join(desk.root, 'data'))).toEqual(before);
      });

      it('waits for a registration that is under way', async () => {
        const desk = desktop();
        const registering = desk.registration.register(SCHEME);
        expect(await desk.registration.unregister(SCHEME)).toMatchObject({ ok: true });
        expect(await registering).toEqual({ ok: true });
        expect(await ownerOf(desk)).toEqual({ state: 'nobody' });
      });

      it('keeps a mimeapps.list that is a link a link', async () => {
        const desk = desktop();
        await desk.registration.register(SCHEME);
        const list = join(desk.root, 'config', 'mimeapps.list');
        renameSync(list, join(desk.root, 'dotfiles'));
        symlinkSync(join(desk.root, 'dotfiles'), list);
        await desk.registration.unregister(SCHEME);
        expect(lstatSync(list).isSymbolicLink()).toBe(true);
        expect(readFileSync(list, 'utf8')).not.toContain(SCHEME);
      });
    });

    describe('has an owner, who', () => {
      it('is this app, with the command behind its launcher', async () => {
        const desk = desktop('an app');
        await desk.registration.register(SCHEME);
        expect(await ownerOf(desk)).toEqual({
          state: 'owned',
          name: OWN_FILE,
          command: [desk.program, `--user-data-dir=${desk.root}/user-data`],
          isThere: true,
        });
      });

      it('is nobody where nobody has registered it', async () => {
        expect(await ownerOf(desktop())).toEqual({ state: 'nobody' });
      });

      it('is another program, with what would be run', async () => {
        const desk = desktop();
        desk.install('own', 'thief.desktop', '/bin/echo "stolen %% thing" %u', SCHEME);
        expect(await ownerOf(desk)).toEqual({
          state: 'owned',
          name: 'thief.desktop',
          command: ['/bin/echo', 'stolen % thing'],
          isThere: true,
        });
      });

      it('is a program that is not there any more', async () => {
        const desk = desktop();
        await desk.registration.register(SCHEME);
        rmSync(desk.program);
        expect(await ownerOf(desk)).toMatchObject({ name: OWN_FILE, isThere: false });
      });

      it('is found in a folder of a vendor, as xdg-open finds it', async () => {
        const desk = desktop();
        mkdirSync(join(desk.applications, 'vendor'), { recursive: true });
        desk.install('own', 'vendor-notes.desktop', `${desk.program} %u`, SCHEME);
        renameSync(
          join(desk.applications, 'vendor-notes.desktop'),
          join(desk.applications, 'vendor', 'notes.desktop'),
        );
        makeDefault(desk, 'vendor-notes.desktop');
        expect(await ownerOf(desk)).toMatchObject({
          name: 'vendor-notes.desktop',
          command: [desk.program],
        });
        expect(await desk.open(url)).toEqual([url]);
      });

      it("is the choice of one desktop environment, which stands above the person's own", async () => {
        const desk = desktop();
        await desk.registration.register(SCHEME);
        desk.install('own', 'thief.desktop', '/bin/true %u', SCHEME);
        writeFileSync(
          join(desk.root, 'config', 'lab-mimeapps.list'),
          `[Default Applications]\nx-scheme-handler/${SCHEME}=thief.desktop\n`,
        );
        const env = { ...desk.env, XDG_CURRENT_DESKTOP: 'LAB' };
        expect(await ownerOf(desk, env)).toMatchObject({ name: 'thief.desktop' });
        expect(await desk.register({ env }).register(SCHEME)).toEqual({
          ok: false,
          detail: 'the scheme leads to another program, or to none',
        });
      });

      it.each([
        ['a pipe', (path: string) => void execFileSync('mkfifo', [path])],
        ['too large', (path: string) => writeFileSync(path, '#'.repeat(100_000))],
        ['noise', (path: string) => writeFileSync(path, Buffer.from([0, 255, 10, 91, 93, 61]))],
      ])('is named though his file is %s', async (_name, make) => {
        const desk = desktop();
        desk.install('own', 'odd.desktop', '/bin/true %u', SCHEME);
        makeDefault(desk, 'odd.desktop');
        rmSync(join(desk.applications, 'odd.desktop'));
        make(join(desk.applications, 'odd.desktop'));
        // xdg-mime itself would wait for the pipe.
        const tools = join(desk.root, 'tools');
        mkdirSync(tools);
        writeFileSync(join(tools, 'xdg-mime'), '#!/bin/sh\necho odd.desktop\n');
        chmodSync(join(tools, 'xdg-mime'), 0o755);
        expect(await ownerOf(desk, { ...desk.env, PATH: tools })).toMatchObject({
          state: 'owned',
          name: 'odd.desktop',
          command: [],
          isThere: false,
        });
      });

      it('is unknown without xdg-mime, and when it hangs', async () => {
        const desk = desktop();
        expect(await ownerOf(desk, { ...desk.env, PATH: desk.root })).toMatchObject({
          state: 'unknown',
        });
        const tools = join(desk.root, 'tools');
        mkdirSync(tools);
        writeFileSync(join(tools, 'xdg-mime'), '#!/bin/sh\nsleep 600\n');
        chmodSync(join(tools, 'xdg-mime'), 0o755);
        const slow = findSchemeOwner({
          scheme: SCHEME,
          platform: 'linux',
          env: { ...desk.env, PATH: `${tools}:${desk.env['PATH'] ?? ''}` },
          timeoutMs: 500,
        });
        expect(await slow).toEqual({
          state: 'unknown',
          detail: 'xdg-mime does not answer in time',
        });
      });

      it('has rivals: every other file that claims the scheme', async () => {
        const desk = desktop();
        await desk.registration.register(SCHEME);
        desk.install('system', 'notes.desktop', '/opt/notes %U', SCHEME);
        desk.install('own', 'unrelated.desktop', '/bin/true %u', 'com.example.unrelated');
        expect(
          await findSchemeRivals({ scheme: SCHEME, platform: 'linux', env: desk.env }, OWN_FILE),
        ).toEqual([{ name: 'notes.desktop', command: ['/opt/notes'] }]);
      });
    });
  },
);
