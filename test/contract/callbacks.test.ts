// Callbacks: the same cases on the fakes, on the genuine loopback server, and on the genuine
// xdg-open, which starts a stand-in for the app. How its arguments then reach a running Electron is
// Electron's part, proved by test/e2e.
import { execFile } from 'node:child_process';
import { EventEmitter } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import {
  createDeepLink,
  type DeepLinkOptions,
} from '../../src/main/adapters/custom-scheme/deep-link.js';
import { desktopEntryText } from '../../src/main/adapters/custom-scheme/desktop-entry.js';
import { createLoopback } from '../../src/main/adapters/loopback/loopback.js';
import { registerOnLinux } from '../../src/main/adapters/custom-scheme/scheme-linux.js';
import type {
  CallbackKind,
  Callbacks,
  CallbackVerdict,
  RedirectOption,
} from '../../src/main/core/base/ports.js';
import { createFakeCallbacks, createFakeLog } from '../support/fakes.js';
import { haveParts } from '../support/keyring.js';
import { type Desk, startDesk } from '../support/xdg-desk.js';

const SCHEME = 'com.example.latchkey-contract';
const custom: RedirectOption = {
  kind: 'custom-scheme',
  uri: `${SCHEME}:/callback`,
  scheme: SCHEME,
};
const loopback: RedirectOption = {
  kind: 'loopback',
  uri: 'http://127.0.0.1/callback',
  host: '127.0.0.1',
  port: null,
  path: '/callback',
};

const cleanUps: (() => void)[] = [];
const startXdg = (appFolder?: string): Desk => startDesk(cleanUps, appFolder);
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0)) cleanUp();
});

/** One way back, and how a URL arrives on it from outside. */
interface Subject {
  readonly callbacks: Callbacks;
  arrive(url: string): Promise<void>;
}

const xdg = haveParts('xdg-open', 'xdg-mime', 'update-desktop-database');

const subjects: readonly {
  readonly name: string;
  readonly redirect: RedirectOption;
  readonly present: boolean;
  readonly start: () => Subject;
}[] = [
  {
    name: 'fake custom scheme',
    redirect: custom,
    present: true,
    start: () => fakeSubject('custom-scheme'),
  },
  {
    name: 'fake loopback',
    redirect: loopback,
    present: true,
    start: () => fakeSubject('loopback'),
  },
  {
    name: 'loopback server',
    redirect: loopback,
    present: true,
    start: () => ({
      callbacks: createLoopback({ appName: 'Contract', log: createFakeLog() }),
      arrive: (url) =>
        fetch(url, { redirect: 'manual' }).then(
          () => {},
          () => {},
        ),
    }),
  },
  {
    name: 'custom scheme by xdg-open',
    redirect: custom,
    present: xdg,
    start() {
      const desk = startXdg();
      const app = new EventEmitter();
      const callbacks = createDeepLink({
        app: app as unknown as DeepLinkOptions['app'],
        redirects: [custom],
        singleInstanceLock: false,
        registration: desk.registration,
        showApp: () => {},
        log: createFakeLog(),
        argv: [],
      });
      // What Chromium would hand over: the arguments of the second start.
      return {
        callbacks,
        arrive: async (url) => void app.emit('second-instance', {}, await desk.open(url), '/', {}),
      };
    },
  },
];

function fakeSubject(kind: CallbackKind): Subject {
  const callbacks = createFakeCallbacks(kind);
  return { callbacks, arrive: async (url) => void callbacks.arrive(url) };
}

for (const { name, redirect, present, start } of subjects) {
  describe.skipIf(!present)(`callbacks: ${name}`, () => {
    function subject(): Subject & { heard: string[]; hearing(verdict?: CallbackVerdict): void } {
      const started = start();
      cleanUps.push(() => started.callbacks.stop());
      const heard: string[] = [];
      return {
        ...started,
        heard,
        hearing: (verdict = 'foreign') =>
          started.callbacks.onCallback((url) => {
            heard.push(url);
            return verdict;
          }),
      };
    }

    async function opened(callbacks: Callbacks): Promise<string> {
      const prepared = await callbacks.prepare(redirect);
      if (prepared.state !== 'ready') throw new Error(prepared.detail);
      expect(prepared.redirect.kind).toBe(redirect.kind);
      return prepared.redirect.redirectUri;
    }

    it('gives the exact redirect URI: the registered one, a loopback one with its port', async () => {
      const { callbacks, hearing } = subject();
      hearing();
      const redirectUri = await opened(callbacks);
      if (redirect.kind === 'custom-scheme') expect(redirectUri).toBe(redirect.uri);
      else expect(redirectUri).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/callback$/);
    });

    it.each([
      '?code=a%20b%26c&state=s%3D%3D',
      '?error=access_denied&error_description=No%2C%20thanks',
      '',
      '?code=%00%zz&&;',
    ])('delivers a URL with the query %j unchanged, whatever it says', async (query) => {
      const { callbacks, hearing, heard, arrive } = subject();
      hearing();
      const redirectUri = await opened(callbacks);
      await arrive(redirectUri + query);
      expect(heard).toEqual([redirectUri + query]);
    });

    it('delivers to the last listener', async () => {
      const { callbacks, hearing, heard, arrive } = subject();
      callbacks.onCallback(() => 'foreign');
      hearing();
      await arrive(`${await opened(callbacks)}?state=s`);
      expect(heard).toHaveLength(1);
    });

    it('may be closed twice', async () => {
      const { callbacks, hearing } = subject();
      hearing();
      const prepared = await callbacks.prepare(redirect);
      if (prepared.state !== 'ready') throw new Error(prepared.detail);
      prepared.redirect.close('failed');
      prepared.redirect.close('signed-in');
    });

    it('prepares two at a time', async () => {
      const { callbacks, hearing } = subject();
      hearing();
      const both = await Promise.all([opened(callbacks), opened(callbacks)]);
      expect(new Set(both).size).toBe(redirect.kind === 'loopback' ? 2 : 1);
    });

    it('delivers nothing and prepares nothing after stop', async () => {
      const { callbacks, hearing, heard, arrive } = subject();
      hearing();
      const redirectUri = await opened(callbacks);
      callbacks.stop();
      callbacks.stop();
      await arrive(`${redirectUri}?state=s`);
      expect(heard).toEqual([]);
      expect((await callbacks.prepare(redirect)).state).toBe('unavailable');
    });
  });
}

describe.skipIf(!xdg)('scheme registration on a genuine xdg desktop', () => {
  const url = `${SCHEME}:/callback?code=a%20b&state=s`;
  const file = `latchkey-${SCHEME}.desktop`;

  it('starts the app with its userData folder and the URL', async () => {
    const desk = startXdg();
    expect(await desk.registration.register(SCHEME)).toEqual({ ok: true });
    expect(await desk.open(url)).toEqual([`--user-data-dir=${desk.root}/user-data`, url]);
  });

  it.each([
    'with blank',
    "it's",
    'quote"d',
    'do$HOME',
    '100%u',
    'back\\slash',
    'semi;colon & co',
    'ünï',
    'a=b',
    'tick`d',
  ])('starts an app in a folder named %j, by a launcher', async (folder) => {
    const desk = startXdg(folder);
    const registration = desk.register({ userDataPath: `${desk.root}/${folder}/data` });
    expect(await registration.register(SCHEME)).toEqual({ ok: true });
    expect(await desk.open(url)).toEqual([`--user-data-dir=${desk.root}/${folder}/data`, url]);
    expect(statSync(join(desk.root, 'data', 'latchkey', SCHEME)).mode & 0o777).toBe(0o700);
  });

  it('writes a file that desktop-file-validate has nothing to say about', async (context) => {
    if (!haveParts('desktop-file-validate')) return context.skip();
    const desk = startXdg();
    await desk.registration.register(SCHEME);
    const { stdout } = await promisify(execFile)('desktop-file-validate', [
      join(desk.applications, file),
    ]);
    expect(stdout).toBe('');
    const quoted = join(desk.root, 'quoted.desktop');
    writeFileSync(
      quoted,
      desktopEntryText({ name: 'A\\B', scheme: SCHEME, words: ['/o p/"a"', '--x=$1 %u `b` \\'] }),
    );
    expect((await promisify(execFile)('desktop-file-validate', [quoted])).stdout).toBe('');
  });

  it('quotes a command so that GLib starts exactly these words', async (context) => {
    if (!haveParts('gio')) return context.skip();
    // No "%" in the program's own path: GLib looks for it with the "%" still doubled. Such a path
    // gets a launcher.
    const desk = startXdg('o p "q" $r `s` \\t');
    const program = join(desk.root, 'o p "q" $r `s` \\t', 'stand-in');
    const words = [
      program,
      '',
      'a b',
      "it's",
      '"',
      '$HOME',
      '\\',
      '%u',
      '100%',
      '`id`',
      ';&|<>()*?#~',
    ];
    const entry = join(desk.root, 'glib.desktop');
    writeFileSync(entry, desktopEntryText({ name: 'GLib', scheme: SCHEME, words }));
    await promisify(execFile)('gio', ['launch', entry, url], { env: desk.env });
    expect(await desk.started()).toEqual([...words.slice(1), url]);
  });

  it('writes nothing the second time', async () => {
    const desk = startXdg();
    await desk.registration.register(SCHEME);
    const before = statSync(join(desk.applications, file));
    expect(await desk.register({}).register(SCHEME)).toEqual({ ok: true });
    const after = statSync(join(desk.applications, file));
    expect([after.ino, after.mtimeMs]).toEqual([before.ino, before.mtimeMs]);
    expect(readdirSync(desk.applications).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it('leads to the new place after the app was moved', async () => {
    const desk = startXdg();
    await desk.register({ userDataPath: '/old' }).register(SCHEME);
    await desk.register({ userDataPath: '/new' }).register(SCHEME);
    expect(await desk.open(url)).toEqual(['--user-data-dir=/new', url]);
  });

  it('brings the callback to the instance that asked last, of two with different userData', async () => {
    const desk = startXdg();
    const first = desk.register({ userDataPath: '/first' });
    const second = desk.register({ userDataPath: '/second' });
    await first.register(SCHEME);
    await second.register(SCHEME);
    await first.register(SCHEME);
    expect(await desk.open(url)).toEqual(['--user-data-dir=/first', url]);
  });

  it('takes the scheme back from a program that took it', async () => {
    const desk = startXdg();
    await desk.registration.register(SCHEME);
    writeFileSync(
      join(desk.applications, 'thief.desktop'),
      desktopEntryText({ name: 'Thief', scheme: SCHEME, words: ['/bin/false'] }),
    );
    await promisify(execFile)(
      'xdg-mime',
      ['default', 'thief.desktop', `x-scheme-handler/${SCHEME}`],
      { env: desk.env },
    );
    expect(await desk.register({}).register(SCHEME)).toEqual({ ok: true });
    expect((await desk.open(url)).at(-1)).toBe(url);
  });

  it('says which package is missing where there is no xdg-mime', async () => {
    const desk = startXdg();
    const registration = desk.register({ env: { ...desk.env, PATH: desk.root } });
    expect(await registration.register(SCHEME)).toEqual({
      ok: false,
      detail: 'xdg-mime is missing (Debian package: xdg-utils)',
    });
  });

  it('says so when another program keeps the scheme', async () => {
    const desk = startXdg();
    const tools = join(desk.root, 'tools');
    mkdirSync(tools);
    writeFileSync(join(tools, 'xdg-mime'), '#!/bin/sh\necho other.desktop\n');
    chmodSync(join(tools, 'xdg-mime'), 0o755);
    const registration = desk.register({ env: { ...desk.env, PATH: tools } });
    expect(await registration.register(SCHEME)).toEqual({
      ok: false,
      detail: 'the scheme leads to another program, or to none',
    });
  });

  it('says so when the folder cannot be written', async () => {
    const desk = startXdg();
    writeFileSync(join(desk.root, 'data'), 'a file where the folder should be');
    expect(await desk.registration.register(SCHEME)).toEqual({
      ok: false,
      detail: 'the registration failed (ENOTDIR)',
    });
  });

  it('ends a tool that hangs, with its children, within the time limit', async () => {
    const desk = startXdg();
    const tools = join(desk.root, 'tools');
    mkdirSync(tools);
    writeFileSync(
      join(tools, 'xdg-mime'),
      `#!/bin/sh\nsleep 600 &\necho $! > '${desk.root}/pid'\nwait\n`,
    );
    chmodSync(join(tools, 'xdg-mime'), 0o755);
    const startedAt = performance.now();
    const env = { ...desk.env, PATH: `${tools}:${process.env['PATH']}` };
    const registered = await registerOnLinux({
      scheme: SCHEME,
      appName: 'Contract',
      words: ['/bin/true'],
      env,
      timeoutMs: 700,
    });
    expect(registered).toEqual({ ok: false, detail: 'xdg-mime does not answer in time' });
    expect(performance.now() - startedAt).toBeLessThan(1_200);
    const child = readFileSync(join(desk.root, 'pid'), 'utf8').trim();
    await new Promise((resolve) => setTimeout(resolve, 100));
    // Gone, or dead and not yet collected.
    const status = existsSync(`/proc/${child}/status`)
      ? readFileSync(`/proc/${child}/status`, 'utf8')
      : 'State:\tZ';
    expect(status).toMatch(/^State:\tZ/m);
  });
});
