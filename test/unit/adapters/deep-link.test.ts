import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import {
  createDeepLink,
  type DeepLink,
  type DeepLinkOptions,
} from '../../../src/main/adapters/custom-scheme/deep-link.js';
import { findCallback } from '../../../src/main/adapters/custom-scheme/start-arguments.js';
import { LIMITS } from '../../../src/main/core/base/limits.js';
import type { CallbackVerdict, RedirectOption } from '../../../src/main/core/base/ports.js';
import { createFakeLog } from '../../support/fakes.js';

const URIS = [
  'com.example.notes:/callback',
  'com.example.host://auth/done',
  'com.example.bare://callback',
];

describe('the callback among arguments', () => {
  it.each([
    ['at the end', ['/opt/notes', '--flag', 'com.example.notes:/callback?code=c&state=s']],
    [
      'in front of switches that Chromium added',
      [
        '/opt/notes',
        'com.example.notes:/callback?code=c&state=s',
        '--allow-file-access-from-files',
        '--original-process-start-time=1',
      ],
    ],
    [
      'after switches that Chromium split',
      ['/opt/notes', '--user-data-dir', '/tmp/x', 'com.example.notes:/callback?code=c&state=s'],
    ],
    ['in another case', ['COM.Example.Notes:/callback?code=c&state=s']],
    ['without a query', ['com.example.notes:/callback']],
    ['with a fragment', ['com.example.notes:/callback#x']],
    ['with a host', ['com.example.host://auth/done?code=c']],
    [
      'with the slash that some browsers add to a bare host',
      ['com.example.bare://callback/?code=c'],
    ],
  ])('is found %s', (_name, argv) => {
    const found = findCallback(argv, URIS);
    expect(found).toEqual({
      kind: 'one',
      url: argv.find((argument) => /^com\.example/i.test(argument)),
    });
  });

  it.each([
    ['the path is longer', 'com.example.notes:/callback/more?code=c'],
    ['the path is in another case', 'com.example.notes:/Callback?code=c'],
    ['the path is reached by dots', 'com.example.notes:/x/../callback?code=c'],
    ['the path is encoded', 'com.example.notes:/%63allback?code=c'],
    ['the host is another', 'com.example.host://evil/done?code=c'],
    ['there is a host where none belongs', 'com.example.notes://callback?code=c'],
    ['there is a user', 'com.example.host://user@auth/done'],
    ['the scheme is longer', 'com.example.notes.evil:/callback?code=c'],
    ['it is a switch', '--url=com.example.notes:/callback?code=c'],
    ['there is a blank before it', ' com.example.notes:/callback?code=c'],
    ['there is a line end in it', 'com.example.notes:/callback?code=c\n--flag'],
    ['there is a letter beyond ASCII in it', 'com.example.notes:/callback?code=ü'],
    [
      'it is longer than any callback',
      `com.example.notes:/callback?code=${'c'.repeat(LIMITS.callbackLength)}`,
    ],
  ])('is none when %s', (_name, argument) => {
    expect(findCallback(['/opt/notes', argument], URIS)).toEqual({ kind: 'none' });
  });

  it('is none of two, even when they are equal', () => {
    const url = 'com.example.notes:/callback?code=c';
    expect(findCallback([url, url], URIS)).toEqual({ kind: 'many' });
    expect(findCallback([url, 'com.example.host://auth/done?code=d'], URIS)).toEqual({
      kind: 'many',
    });
  });
});

const redirect: RedirectOption = {
  kind: 'custom-scheme',
  uri: 'com.example.notes:/callback',
  scheme: 'com.example.notes',
};
const url = 'com.example.notes:/callback?code=c&state=s';

interface Stage {
  readonly link: DeepLink;
  readonly app: EventEmitter;
  readonly heard: string[];
  readonly shown: () => number;
  readonly sent: () => unknown;
  readonly log: ReturnType<typeof createFakeLog>;
  listen(verdict?: CallbackVerdict): void;
  /** Emits open-url; tells whether it was prevented. */
  openUrl(openedUrl: string): boolean;
}

function stage(options: Partial<DeepLinkOptions> & { readonly lock?: boolean } = {}): Stage {
  let shown = 0;
  let sent: unknown;
  const app = Object.assign(new EventEmitter(), {
    requestSingleInstanceLock(additional: unknown) {
      sent = additional;
      return options.lock ?? true;
    },
  });
  const heard: string[] = [];
  const log = createFakeLog();
  const link = createDeepLink({
    app: app as unknown as DeepLinkOptions['app'],
    redirects: [redirect],
    singleInstanceLock: true,
    registration: { register: async () => ({ ok: true }) },
    showApp: () => void (shown += 1),
    log,
    argv: ['/opt/notes'],
    ...options,
  });
  return {
    link,
    app,
    heard,
    log,
    shown: () => shown,
    sent: () => sent,
    listen: (verdict = 'taken') =>
      link.onCallback((callbackUrl) => {
        heard.push(callbackUrl);
        return verdict;
      }),
    openUrl(openedUrl) {
      let prevented = false;
      app.emit('open-url', { preventDefault: () => (prevented = true) }, openedUrl);
      return prevented;
    },
  };
}

describe('deep links', () => {
  it('keep an open-url that comes before anyone listens', () => {
    const { openUrl, listen, heard } = stage();
    expect(openUrl(url)).toBe(true);
    listen();
    expect(heard).toEqual([url]);
  });

  it('deliver a callback in the arguments of the start', () => {
    const { listen, heard } = stage({ argv: ['/opt/notes', '--flag', url] });
    listen();
    expect(heard).toEqual([url]);
  });

  it('leave the other URLs of the scheme to the host', () => {
    const { openUrl, listen, heard, shown } = stage();
    listen();
    expect(openUrl('com.example.notes:/document/12')).toBe(false);
    expect(heard).toEqual([]);
    expect(shown()).toBe(0);
  });

  it('show the app after an open-url that was taken, not after a foreign one', () => {
    const taken = stage();
    taken.listen('taken');
    taken.openUrl(url);
    expect(taken.shown()).toBe(1);
    const foreign = stage();
    foreign.listen('foreign');
    foreign.openUrl(url);
    expect(foreign.shown()).toBe(0);
  });

  it('prefer the raw arguments of a second instance to those that Chromium changed', () => {
    const { app, listen, heard, shown } = stage();
    listen();
    app.emit('second-instance', {}, ['/opt/notes', `--allow=${url}`], '/', { latchkeyArgv: [url] });
    expect(heard).toEqual([url]);
    expect(shown()).toBe(1);
  });

  it.each([
    [undefined],
    [null],
    ['text'],
    [{}],
    [{ latchkeyArgv: 'text' }],
    [{ latchkeyArgv: [1, 2] }],
    [{ latchkeyArgv: [] }],
  ])("find the callback in a second instance's arguments when it sent %j", (additional) => {
    const { app, listen, heard } = stage();
    listen();
    app.emit('second-instance', {}, ['/opt/notes', url], '/', additional);
    expect(heard).toEqual([url]);
  });

  it('show the app when a second instance brings no callback', () => {
    const { app, listen, heard, shown } = stage();
    listen();
    app.emit('second-instance', {}, ['/opt/notes'], '/', { latchkeyArgv: [] });
    expect(heard).toEqual([]);
    expect(shown()).toBe(1);
  });

  it('ignore two callbacks at once, and say so without their values', () => {
    const { app, listen, heard, log } = stage();
    listen();
    app.emit('second-instance', {}, [], '/', { latchkeyArgv: [url, url] });
    expect(heard).toEqual([]);
    expect(log.names()).toEqual(['callback-ignored']);
    expect(JSON.stringify(log.events)).not.toContain('code=');
  });

  it('send what may be a callback to the first instance, and nothing else of the command line', () => {
    const { sent } = stage({ argv: ['/opt/notes', '--token=secret', url] });
    expect(sent()).toEqual({ latchkeyArgv: [url] });
  });

  it('send nothing when it would not fit beside the arguments that Chromium sends', () => {
    const { sent } = stage({ argv: ['/opt/notes', `${url}${'x'.repeat(10_000)}`] });
    expect(sent()).toEqual({});
  });

  it('are not heard by a second instance, which is told that it is one', async () => {
    const { link, app } = stage({ lock: false, argv: ['/opt/notes', url] });
    expect(link.primary).toBe(false);
    expect(app.eventNames()).toEqual([]);
    expect((await link.prepare(redirect)).state).toBe('unavailable');
  });

  it('leave the lock to a host that wants to hold it itself', () => {
    const { link, sent } = stage({ lock: false, singleInstanceLock: false });
    expect(link.primary).toBe(true);
    expect(sent()).toBeUndefined();
  });

  it('are unavailable, with the reason, when the scheme cannot be registered', async () => {
    const { link } = stage({
      registration: { register: async () => ({ ok: false, detail: 'no xdg-mime' }) },
    });
    expect(await link.prepare(redirect)).toEqual({ state: 'unavailable', detail: 'no xdg-mime' });
  });

  it('tell the log once of an answer to another path, and of a callback with letters that no URL has', () => {
    const { openUrl, app, listen, heard, log } = stage({
      argv: ['/opt/notes', 'com.example.notes:/cb?code=SECRET&state=SECRET'],
    });
    listen();
    for (let count = 0; count < 3; count += 1) {
      expect(openUrl('com.example.notes:/callbak?code=SECRET&state=SECRET')).toBe(false);
      app.emit('second-instance', {}, ['/opt/notes', `${url}SECR\u00e9T`], '/', {});
    }
    expect(heard).toEqual([]);
    expect(log.names()).toEqual(['callback-foreign', 'callback-foreign']);
    expect(JSON.stringify(log.events)).not.toMatch(/SECR|callbak/);
  });

  it("tell the log nothing of the host's own links", () => {
    const { openUrl, log } = stage();
    openUrl('com.example.notes:/document/12?page=3');
    expect(log.events).toEqual([]);
  });

  it('deliver a callback with an empty authority, as Go writes it', () => {
    const { openUrl, listen, heard } = stage();
    listen();
    expect(openUrl('com.example.notes:///callback?code=c&state=s')).toBe(true);
    expect(heard).toEqual(['com.example.notes:///callback?code=c&state=s']);
  });

  it('hear nothing after stop', () => {
    const { link, app, openUrl, listen, heard } = stage();
    listen();
    link.stop();
    openUrl(url);
    expect(app.listenerCount('open-url') + app.listenerCount('second-instance')).toBe(0);
    expect(heard).toEqual([]);
  });

  it('keep a bounded number of callbacks that nobody listens to yet', () => {
    const { openUrl, listen, heard, log } = stage();
    for (let count = 0; count < 100; count += 1) openUrl(url);
    listen();
    expect(heard).toHaveLength(16);
    expect(log.names()).toContain('callback-ignored');
  });
});

describe('a probe of a scheme', () => {
  /** Sends one; gives the URL that was handed to the operating system. */
  function send(
    staged: Stage,
    timeoutMs = 5_000,
  ): { readonly url: () => string; readonly came: Promise<boolean> } {
    let sent = '';
    const came = staged.link.probe(
      'com.example.notes',
      async (probeUrl) => void (sent = probeUrl),
      timeoutMs,
    );
    return { url: () => sent, came };
  }

  it.each([
    ['open-url', (staged: Stage, probeUrl: string) => void staged.openUrl(probeUrl)],
    [
      'a second instance',
      (staged: Stage, probeUrl: string) =>
        void staged.app.emit('second-instance', {}, ['/opt/notes', probeUrl], '/', {}),
    ],
    [
      'a second instance that sent its raw arguments',
      (staged: Stage, probeUrl: string) =>
        void staged.app.emit('second-instance', {}, ['/opt/notes'], '/', {
          latchkeyArgv: [probeUrl],
        }),
    ],
  ])('comes back by %s, shows no window and is no callback', async (_name, arrive) => {
    const staged = stage();
    staged.listen();
    const { url: probeUrl, came } = send(staged);
    arrive(staged, probeUrl());
    expect(await came).toBe(true);
    expect([staged.heard, staged.shown()]).toEqual([[], 0]);
  });

  it('is lost when it does not come, when it cannot be sent, and when the app stops', async () => {
    const staged = stage();
    expect(await send(staged, 20).came).toBe(false);
    expect(
      await staged.link.probe('com.example.notes', () => Promise.reject(new Error('no')), 5_000),
    ).toBe(false);
    const { came } = send(staged);
    staged.link.stop();
    expect(await came).toBe(false);
    expect(await send(staged).came).toBe(false);
  });

  it('of another instance is swallowed, and changes nothing', async () => {
    const staged = stage({
      argv: ['/opt/notes', `com.example.notes:/latchkey-probe?nonce=${'n'.repeat(43)}`],
    });
    staged.listen();
    const { came } = send(staged, 50);
    expect(staged.openUrl(`com.example.notes:/latchkey-probe?nonce=${'m'.repeat(43)}`)).toBe(true);
    expect(await came).toBe(false);
    expect([staged.heard, staged.shown(), staged.log.names()]).toEqual([[], 0, []]);
  });
});

describe('a start that Windows made of a link', () => {
  const sentinel = ['C:\\Notes.exe', '--latchkey-link', '--'];

  it('is a callback', () => {
    const { listen, heard } = stage({ argv: [...sentinel, url] });
    listen();
    expect(heard).toEqual([url]);
  });

  it('is refused and told when more came than one URL, in this instance and by a second one', () => {
    const { link, app, listen, heard, log, sent } = stage({
      argv: [...sentinel, url, '--inspect'],
    });
    listen();
    app.emit('second-instance', {}, [...sentinel, url], '/', sent());
    expect(link.primary).toBe(true);
    expect(heard).toEqual([]);
    expect(log.names()).toEqual(['callback-ignored', 'callback-ignored']);
  });
});
