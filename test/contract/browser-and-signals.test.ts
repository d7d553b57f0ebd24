// Browser and Signals: the same cases on the fakes and on the adapters in a genuine Electron, with
// the system's own xdg-open, a network that goes and comes, and Electron's own powerMonitor. One
// Electron for all cases.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { AuthError } from '../../src/main/core/base/errors.js';
import type { SystemEvent } from '../../src/main/core/base/ports.js';
import { type ElectronHost, startElectronHost } from '../support/electron-host.js';
import { createFakeBrowser, createFakeSystemEvents, type FakeSignals } from '../support/fakes.js';
import { haveParts } from '../support/keyring.js';

type Opening =
  | { readonly state: 'opened' | 'threw' }
  | {
      readonly state: 'rejected';
      readonly name: string;
      readonly code: string;
      readonly message: string;
    };
type Call = 'listen' | 'listen-and-throw' | 'watch' | 'unwatch' | 'stop';

/** A computer with a browser, a network and a lid; and objects of the ports, by name. */
interface World {
  open(url: string): Promise<Opening>;
  /** Where the system's browser arrives, once the last of it is there. */
  opened(last: string): Promise<readonly string[]>;
  make(name: string, calls: readonly Call[]): Promise<void>;
  act(name: string, call: Call): Promise<void>;
  /** What it heard since it was asked last. */
  heard(name: string): Promise<readonly SystemEvent[]>;
  emit(signal: 'resume' | 'unlock'): Promise<void>;
  /** The network comes or goes, and every poll has seen it. */
  connect(wanted: boolean): Promise<void>;
  counts(): Promise<{ readonly timers: number; readonly listeners: number }>;
  /** Messages of errors that nobody caught. */
  uncaught(): Promise<readonly string[]>;
  stop(): Promise<void>;
}

/** Made, and told what to do, before the app is ready. */
const EARLY: Readonly<Record<string, readonly Call[]>> = {
  'early wish': ['listen', 'watch'],
  'early wish, withdrawn': ['listen', 'watch', 'unwatch'],
  'early wish, renewed': ['listen', 'watch', 'unwatch', 'watch', 'watch'],
  'early end': ['listen', 'watch', 'stop'],
};

async function fakeWorld(): Promise<World> {
  const browser = createFakeBrowser();
  const all = new Map<string, { readonly signals: FakeSignals; readonly heard: SystemEvent[] }>();
  let online = false;
  const act = (name: string, call: Call): void => {
    const { signals, heard } = all.get(name)!;
    if (call === 'listen') signals.listen((signal) => heard.push(signal));
    if (call === 'listen-and-throw') {
      signals.listen((signal) => {
        heard.push(signal);
        throw new Error('of the listener');
      });
    }
    if (call === 'watch' || call === 'unwatch') signals.watchNetwork(call === 'watch');
    if (call === 'stop') signals.stop();
  };
  const make = (name: string, calls: readonly Call[]): void => {
    all.set(name, { signals: createFakeSystemEvents(), heard: [] });
    for (const call of calls) act(name, call);
  };
  for (const [name, calls] of Object.entries(EARLY)) make(name, calls);
  const tell = (signal: SystemEvent): void => {
    for (const { signals } of all.values()) signals.emit(signal);
  };
  const sum = (count: (signals: FakeSignals) => number): number =>
    [...all.values()].reduce((before, { signals }) => before + count(signals), 0);
  return {
    async open(url) {
      try {
        const opening = browser.open(url);
        return await opening.then(
          () => ({ state: 'opened' as const }),
          (thrown: unknown) => {
            const { name, code, message } = thrown as AuthError;
            return { state: 'rejected' as const, name, code, message };
          },
        );
      } catch {
        return { state: 'threw' };
      }
    },
    opened: async () => browser.opened,
    make: async (name, calls) => make(name, calls),
    act: async (name, call) => act(name, call),
    heard: async (name) => all.get(name)!.heard.splice(0),
    emit: async (signal) => tell(signal),
    async connect(wanted) {
      if (wanted && !online) tell('online');
      online = wanted;
    },
    counts: async () => ({
      timers: sum(({ watching }) => (watching ? 1 : 0)),
      listeners: sum(({ listening }) => (listening ? 2 : 0)),
    }),
    uncaught: async () => [],
    async stop() {},
  };
}

async function realWorld(): Promise<World> {
  const host: ElectronHost = await startElectronHost(EARLY);
  return {
    open: async (url) => (await host.ask('open', { url })) as Opening,
    async opened(last) {
      await until(() => host.opened().includes(last));
      // xdg-open runs beside the app: whatever was opened by mistake was opened before.
      await pause(500);
      const isPage = (url: string): boolean => /^http:\/\/127\.0\.0\.1:\d+\/[\w-]{43}$/.test(url);
      return Promise.all(
        host
          .opened()
          .map(async (url) =>
            isPage(url) ? (host.ask('follow', { page: url }) as Promise<string>) : url,
          ),
      );
    },
    make: async (name, calls) => {
      await host.ask('make', { name, calls });
    },
    act: async (name, call) => {
      await host.ask('act', { name, call });
    },
    heard: async (name) => (await host.ask('heard', { name })) as SystemEvent[],
    emit: async (signal) => {
      await host.ask('emit', { event: signal === 'unlock' ? 'unlock-screen' : 'resume' });
    },
    async connect(wanted) {
      if ((await host.ask('online')) === wanted) return;
      await host.ask('connect', { wanted });
      await until(async () => (await host.ask('online')) === wanted);
      // Timers run a hundred times faster there.
      await pause(200);
    },
    counts: async () => (await host.ask('counts')) as { timers: number; listeners: number },
    uncaught: async () => (await host.ask('uncaught')) as string[],
    stop: () => host.stop(),
  };
}

const present = process.platform === 'linux' && haveParts('unshare', 'ip', 'xdg-open');
const subjects: readonly {
  readonly name: string;
  readonly present: boolean;
  open(): Promise<World>;
}[] = [
  { name: 'fake', present: true, open: fakeWorld },
  { name: 'in a genuine Electron', present, open: realWorld },
];

for (const { name: subject, present: isPresent, open } of subjects) {
  describe.skipIf(!isPresent)(subject, () => {
    let world: World;
    let names = 0;
    const newName = (): string => `signals ${(names += 1)}`;
    beforeAll(async () => {
      world = await open();
    }, 60_000);
    afterAll(() => world?.stop());

    describe('a browser', () => {
      const GOOD = [
        'https://login.example.com/authorize?client_id=c&state=%7Babc%7D&scope=openid%20profile',
        'http://127.0.0.1:49152/a?b=c#d',
        'https://example.com/?q=\'"<>`{}|^&r=$(id);ls%26%25',
        'HTTPS://EXÄMPLE.com/päth?q=ö漢',
        'https://example.com',
        `https://example.com/?long=${'x'.repeat(1_974)}`,
        `https://example.com/?long=${'x'.repeat(1_975)}`,
        `https://example.com/?long=${'x'.repeat(100_000)}`,
      ];
      const BAD: readonly (readonly [string, string])[] = [
        ['a file', 'file:///etc/passwd'],
        ['a mail address', 'mailto:ada@example.com'],
        ['a program of another scheme', 'com.example.other:/run'],
        ['a page of settings', 'ms-settings:privacy'],
        ['a script', 'javascript:alert(1)'],
        ['data', 'data:text/html,hello'],
        ['a file server', 'ftp://example.com/'],
        ['a page inside another scheme', 'view-source:https://example.com/'],
        ['no URL', 'login.example.com/authorize'],
        ['a path', '/authorize'],
        ['nothing', ''],
        ['an option', '--help'],
        ['a URL without a host', 'https://'],
        ['a URL with a user name', 'https://login.example.com@evil.example/'],
        ['a URL with a password', 'https://:secret-word@example.com/'],
        ['a line break in the scheme', 'java\nscript:alert(1)'],
        ['a line break in the path', 'https://example.com/a\r\nb'],
        ['a tab', 'https://example.com/\ta'],
        ['NUL', 'https://example.com/\0secret-word'],
        ['a blank', 'https://example.com/ --option'],
        ['blanks around', ' https://example.com/ '],
        ['another control character', 'https://example.com/\u0085'],
        ['a URL that no system takes', `https://example.com/?${'secret-word'.repeat(12_000)}`],
      ];

      it.each(GOOD.map((url) => [url.slice(0, 60), url]))('takes %s', async (_short, url) => {
        expect(await world.open(url)).toEqual({ state: 'opened' });
      });

      it.each(BAD)('refuses %s, and its error does not repeat it', async (_what, url) => {
        const opening = await world.open(url);
        expect(opening).toMatchObject({
          state: 'rejected',
          name: 'AuthError',
          code: 'browser-failed',
        });
        expect(JSON.stringify(opening)).not.toMatch(/secret-word|evil|passwd|alert/);
      });

      it('gets what was taken, exactly as the URL Standard writes it, and nothing that was refused', async () => {
        const last = 'https://example.com/the-last';
        await world.open(last);
        const expected = [...GOOD.map((url) => new URL(url).href), last];
        expect([...(await world.opened(last))].sort()).toEqual(expected.sort());
      });
    });

    describe('signals', () => {
      afterEach(async () => {
        expect(await world.uncaught()).toEqual([]);
      });

      it('are heard by who has listened since before the app was ready', async () => {
        await world.emit('resume');
        await world.emit('unlock');
        expect(await world.heard('early wish')).toEqual(['resume', 'unlock']);
        expect(await world.heard('early wish, withdrawn')).toEqual(['resume', 'unlock']);
      });

      it('tell that the network came back, also by a wish from before the app was ready; withdrawn wishes count', async () => {
        await world.connect(false);
        await world.connect(true);
        expect(await world.heard('early wish')).toEqual(['online']);
        expect(await world.heard('early wish, renewed')).toEqual(
          expect.arrayContaining(['online']),
        );
        expect(await world.heard('early wish, withdrawn')).toEqual([]);
      });

      it('are ended before the app is ready by who stops before', async () => {
        expect(await world.heard('early end')).toEqual([]);
      });

      it('are not heard by who does not listen, and by a listener from then on', async () => {
        const name = newName();
        await world.make(name, ['watch']);
        await world.emit('resume');
        await world.act(name, 'listen');
        await world.emit('unlock');
        expect(await world.heard(name)).toEqual(['unlock']);
        await world.act(name, 'stop');
      });

      it('tell of the network only while somebody waits for it, once each time it comes back', async () => {
        const name = newName();
        await world.connect(true);
        await world.make(name, ['listen']);
        const before = await world.counts();
        await world.connect(false);
        await world.connect(true);
        expect(await world.heard(name), 'nobody waits').toEqual([]);
        for (const call of ['watch', 'watch'] as const) await world.act(name, call);
        expect((await world.counts()).timers, 'one timer, however often').toBe(before.timers + 1);
        expect(await world.heard(name), 'it was there all the time').toEqual([]);
        for (const wanted of [false, true, false, true]) await world.connect(wanted);
        expect(await world.heard(name)).toEqual(['online', 'online']);
        await world.connect(false);
        for (const call of ['unwatch', 'unwatch'] as const) await world.act(name, call);
        expect((await world.counts()).timers).toBe(before.timers);
        await world.connect(true);
        expect(await world.heard(name), 'nobody waits any more').toEqual([]);
        await world.act(name, 'watch');
        await world.connect(false);
        await world.connect(true);
        expect(await world.heard(name), 'somebody waits again').toEqual(['online']);
        await world.act(name, 'stop');
      });

      it('bear a listener that throws: others hear, it hears the next one, and nothing is left uncaught', async () => {
        const [thrower, other] = [newName(), newName()];
        await world.make(thrower, ['listen-and-throw', 'watch']);
        await world.make(other, ['listen']);
        for (const signal of ['resume', 'unlock'] as const) await world.emit(signal);
        await world.connect(false);
        await world.connect(true);
        expect(await world.heard(thrower)).toEqual(['resume', 'unlock', 'online']);
        expect(await world.heard(other)).toEqual(['resume', 'unlock']);
        for (const name of [thrower, other]) await world.act(name, 'stop');
      });

      it('end with "stop": nothing is heard, whatever is called, and no timer and no listener is left', async () => {
        const name = newName();
        const before = await world.counts();
        await world.make(name, ['listen', 'watch']);
        expect(await world.counts()).toEqual({
          timers: before.timers + 1,
          listeners: before.listeners + 2,
        });
        for (const call of ['stop', 'stop', 'watch', 'listen'] as const)
          await world.act(name, call);
        await world.emit('resume');
        await world.connect(false);
        await world.connect(true);
        expect(await world.heard(name)).toEqual([]);
        expect(await world.counts()).toEqual(before);
        for (const early of Object.keys(EARLY)) await world.act(early, 'stop');
        expect(await world.counts()).toEqual({ timers: 0, listeners: 0 });
      });
    });
  });
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error('waited in vain');
    await pause(20);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
