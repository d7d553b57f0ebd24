// A person who takes their time, and a clock of the test's: what was fetched early is old when it
// is needed, over real HTTP.
import { afterEach, describe, expect, it } from 'vitest';
import { createClock } from '../../src/main/adapters/clock.js';
import { LIMITS } from '../../src/main/core/base/limits.js';
import {
  type Provider,
  type VirtualClock,
  createVirtualClock,
  startProvider,
} from '../../src/testing/index.js';
import {
  type App,
  type AppOptions,
  expectNoLeak,
  nodeNetwork,
  signedInView,
  startApp,
  stopApps,
  waitFor,
} from '../support/flow-app.js';

/** Years from the clock of this machine: code that reads that clock fails. */
const START = Date.UTC(2031, 0, 1);
const MINUTE = 60_000;

let provider: Provider;
let clock: VirtualClock;
afterEach(async () => {
  await stopApps();
  await provider.stop();
});

/**
 * App and provider live by one clock. `headers`: what every answer of these endpoints has besides.
 */
async function start(
  options: AppOptions = {},
  headers: (path: string) => Readonly<Record<string, string>> = () => ({}),
): Promise<App> {
  clock = createVirtualClock(START);
  provider = await startProvider({ signingAlgorithm: 'ES256', clock });
  const network = {
    async fetch(...[url, init]: Parameters<typeof nodeNetwork.fetch>): Promise<Response> {
      const answer = await nodeNetwork.fetch(url, init);
      const all = new Headers(answer.headers);
      for (const [name, value] of Object.entries(headers(new URL(url).pathname))) {
        if (value === '') all.delete(name);
        else all.set(name, value);
      }
      return new Response(answer.body, { status: answer.status, headers: all });
    },
  };
  return startApp(provider, {
    settings: { attemptTimeoutSeconds: 86_400 },
    network,
    clock: { now: () => clock.now() },
    ...options,
  });
}

/** Opens the browser, lets `meanwhile` happen, and comes back. */
async function slowSignIn(app: App, meanwhile: () => unknown): Promise<string> {
  const pages = app.opened.length;
  const done = app.codeOf(app.signIn('stays away'));
  await waitFor(() => app.opened.length > pages, 'the browser');
  await meanwhile();
  const { callbackUrl } = await app.person.signIn(app.opened[pages]!);
  app.scheme.arrive(callbackUrl);
  return done;
}

const asked = (endpoint: string): number =>
  provider.requests.filter((request) => request.endpoint === endpoint).length;
const pass = (ms: number): void => {
  clock.advance(ms);
};

describe('a person in the browser', () => {
  it.each([61, 64, 75, 240, 1_200, 86_000])('is signed in after %i seconds', async (seconds) => {
    const app = await start();
    expect(
      await slowSignIn(app, () => {
        pass(seconds * 1000);
      }),
    ).toBe('resolved');
    const { renewal } = signedInView(app);
    expect(renewal).toMatchObject({ state: 'fresh', expiresAt: START + seconds * 1000 + 300_000 });
    expectNoLeak(app, provider);
  });

  it.each(['jwks', 'discovery'])(
    'is signed in though %s came from a cache, with an Age and an old Date',
    async (endpoint) => {
      const old = { age: '3000', date: new Date(START - 3_000_000).toUTCString() };
      const app = await start({}, (path) =>
        path.includes(endpoint === 'jwks' ? 'jwks' : '.well-known') ? old : {},
      );
      expect(await slowSignIn(app, () => undefined)).toBe('resolved');
    },
  );

  it.each<[string, Readonly<Record<string, string>>]>([
    ['no Date', { date: '' }],
    ['a Date that is none', { date: 'yesterday' }],
    ['a Date of 1970', { date: new Date(0).toUTCString() }],
    ['a Date of 9999', { date: 'Fri, 31 Dec 9999 23:59:59 GMT' }],
    ['two Dates', { date: `${new Date(START).toUTCString()}, ${new Date(START).toUTCString()}` }],
    ['an Age', { age: '86400', date: new Date(START - 86_400_000).toUTCString() }],
    [
      'the Date of a proxy that is two hours ahead',
      { date: new Date(START + 7_200_000).toUTCString() },
    ],
    [
      'the Date of a proxy that is two hours behind',
      { date: new Date(START - 7_200_000).toUTCString() },
    ],
  ])('is signed in by an answer with %s', async (_what, headers) => {
    const app = await start({}, (path) => (path.includes('token') ? headers : {}));
    expect(await slowSignIn(app, () => undefined)).toBe('resolved');
  });

  it.each([-86_400_000, -120_000, 120_000, 86_400_000])(
    'is signed in when the clock of the computer jumps by %i ms while the code is redeemed',
    async (jump) => {
      let off = 0;
      const app = await start({ clock: { now: () => clock.now() + off } }, (path) => {
        if (path.includes('token')) off = jump;
        return {};
      });
      expect(await slowSignIn(app, () => undefined)).toBe('resolved');
      // Whatever the clock did, a caller has a token.
      expect(await app.codeOf(app.engine.getAccessToken())).toBe('resolved');
    },
  );

  it.each([0, -600_000, 600_000, -86_400_000, 86_400_000])(
    'is refused an ID token that is over, on a computer whose clock is %i ms off',
    async (off) => {
      const app = await start({ clock: { now: () => clock.now() + off } });
      provider.fault({ kind: 'id-token', change: 'expired', times: 1 });
      expect(
        await slowSignIn(app, () => {
          pass(75_000);
        }),
      ).toBe('id-token-invalid');
    },
  );

  it('beside another one, each with answers of an age of its own: both are signed in', async () => {
    const app = await start();
    const [first, second] = [
      app.codeOf(app.signIn('stays away')),
      app.codeOf(app.signIn('stays away')),
    ];
    await waitFor(() => app.opened.length === 2, 'two browsers');
    for (const [page, done] of [
      [1, second],
      [0, first],
    ] as const) {
      pass(90_000);
      const { callbackUrl } = await app.person.signIn(app.opened[page]!);
      app.scheme.arrive(callbackUrl);
      expect(await done).toBe('resolved');
    }
  });
});

describe('a person with another device', () => {
  it.each([61, 70, 240, 500])(
    'is signed in by a device code that is typed after %i seconds',
    async (seconds) => {
      const real = createClock();
      const app = await start({
        redirects: ['device-code'],
        clock: { now: () => clock.now(), after: (ms, run) => real.after(ms / 100, run) },
        networkTimeoutSeconds: 120,
      });
      const done = app.codeOf(app.signIn('stays away'));
      const device = () => {
        const view = app.engine.view();
        return 'attempt' in view ? view.attempt?.device : undefined;
      };
      await waitFor(() => device() !== undefined, 'the code');
      pass(seconds * 1000);
      expect(await app.person.enterCode(device()!.verificationUri, device()!.userCode)).toBe(
        'agreed',
      );
      await waitFor(() => {
        pass(1_000);
        return app.engine.view().status === 'signed-in';
      }, 'the sign-in');
      expect(await done).toBe('resolved');
    },
  );
});

describe('a key set that was asked for early', () => {
  it('is used while it is young, and asked for again when the person took twenty minutes', async () => {
    const app = await start();
    await slowSignIn(app, () => {
      pass(4 * MINUTE);
    });
    expect(asked('jwks')).toBe(1);
    await slowSignIn(app, () => {
      pass(20 * MINUTE);
    });
    expect(asked('jwks')).toBe(3);
  });

  it('goes with its attempt: one that was cancelled leaves nothing to the next', async () => {
    const app = await start();
    const left = app.codeOf(app.signIn('stays away'));
    await waitFor(() => asked('jwks') === 1 && app.opened.length === 1, 'the key set');
    app.engine.cancelSignIn();
    expect(await left).toBe('sign-in-cancelled');
    expect(await slowSignIn(app, () => undefined)).toBe('resolved');
    expect(asked('jwks')).toBe(2);
  });

  it.each([
    ['young', 0],
    ['old', 86_000_000],
  ])('that is %s does not hide keys that the provider rotated meanwhile', async (_what, ms) => {
    const app = await start();
    const rotated = await slowSignIn(app, async () => {
      await waitFor(() => asked('jwks') === 1, 'the key set');
      pass(ms);
      await provider.rotateKeys();
    });
    expect([rotated, asked('jwks')]).toEqual(['resolved', 2]);
  });

  it('that was used is not kept for the next sign-in, whatever the clock of this machine says', async () => {
    const app = await start();
    for (let times = 1; times <= 3; times += 1) {
      expect(await slowSignIn(app, () => undefined)).toBe('resolved');
      expect(asked('jwks')).toBe(times);
    }
  });
});

describe('metadata', () => {
  it('that a slow person has outlived are asked for again before the code is redeemed', async () => {
    const app = await start();
    await slowSignIn(app, () => {
      pass(LIMITS.metadataFreshMs + MINUTE);
    });
    expect(asked('discovery')).toBe(2);
  });
});
