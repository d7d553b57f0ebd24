// The whole main process but for Electron: the engine over real HTTP before the embedded provider,
// on one clock with it. Keychain and state file are fakes; loopback is the real adapter; the
// browser is the scripted person, who takes her time.
import { inspect } from 'node:util';
import { expect } from 'vitest';
import type { AuthView } from '../../src/contract.js';
import type { SignInOptions } from '../../src/main/core/authorization/sign-in-request.js';
import { createLoopback } from '../../src/main/adapters/loopback/loopback.js';
import { createStartPages } from '../../src/main/adapters/loopback/start-page.js';
import { LIMITS } from '../../src/main/core/base/limits.js';
import { type Engine, type WholeEngine, createEngine } from '../../src/main/core/engine.js';
import { AuthError } from '../../src/main/core/base/errors.js';
import { parseOptions } from '../../src/main/core/options/options.js';
import type { GivenOptions, Settings } from '../../src/main/core/options/auth-options.js';
import type {
  Advise,
  Clock,
  LegacyEntries,
  Network,
  SecretStore,
} from '../../src/main/core/base/ports.js';
import {
  type Person,
  type Provider,
  type ProviderOptions,
  type SignInChoices,
  type SignInOutcome,
  createPerson,
  startProvider as startAnyProvider,
} from '../../src/testing/index.js';
import { createAges } from './flow-ages.js';
import { createFlowClock } from './flow-clock.js';
import { createFakeLock } from './fake-lock.js';
import { nodeNetwork } from './node-network.js';
import {
  createFakeCallbacks,
  createFakeLog,
  createFakeSecretStore,
  createFakeSystemEvents,
  createFakeStateStore,
} from './fakes.js';

export const SCHEME_REDIRECT = 'com.example.latchkey-demo:/callback';
export const LOOPBACK_REDIRECT = 'http://127.0.0.1/callback';

export { nodeNetwork };

/**
 * Of this process. It never goes back, so that what one test has passed is passed for the next.
 */
export const time = createFlowClock();

/**
 * Seconds that the person takes between the browser's opening and the callback. `limit`: just under
 * what the attempt has.
 */
const PERSON = process.env['LATCHKEY_PERSON'] ?? '0';
/** The default of `attemptTimeoutSeconds`. */
const ATTEMPT_MS = 300_000;
/** From the person's answer until the app has it. */
const ANSWER_MS = 4_000;
/** The same for a code on another device, which the app asks for every few seconds. */
const DEVICE_ANSWER_MS = 15_000;

/** The embedded provider on the clock of this process. */
export function startProvider(options: ProviderOptions = {}): Promise<Provider> {
  return startAnyProvider({ clock: time, ...options });
}

export interface App {
  readonly engine: WholeEngine;
  readonly secrets: ReturnType<typeof createFakeSecretStore>;
  readonly file: ReturnType<typeof createFakeStateStore>;
  readonly scheme: ReturnType<typeof createFakeCallbacks>;
  readonly log: ReturnType<typeof createFakeLog>;
  readonly lock: ReturnType<typeof createFakeLock>;
  readonly systemEvents: ReturnType<typeof createFakeSystemEvents>;
  readonly person: Person;
  readonly views: readonly AuthView[];
  /** Every URL that the browser was given. */
  readonly opened: readonly string[];
  /** What became of each trip of the person. */
  readonly trips: readonly Promise<SignInOutcome>[];
  /** Where each logout in the browser ended: a way back to the app, or null. */
  readonly logouts: readonly Promise<string | null>[];
  /** Every error that a call of this app rejected with. */
  readonly errors: readonly unknown[];
  /** A trip to the browser; the person does as `choices` say, or nothing at all. */
  signIn(
    choices?: SignInChoices | 'stays away',
    request?: SignInOptions,
    by?: 'page' | 'host',
    signal?: AbortSignal,
  ): Promise<void>;
  /** The code that a promise of the engine rejects with, or `resolved`. */
  codeOf(promise: Promise<unknown>): Promise<string>;
  /** Ends this process and starts the next one, on the same keychain and file. */
  restart(options?: AppOptions): Promise<App>;
  /**
   * As `restart`, but the access token is not in the record any more, so that the next process must
   * renew.
   */
  restartDue(options?: AppOptions): Promise<App>;
}

/**
 * Options of the host, limits that no host may set so short, and real parts instead of the fakes.
 */
export type AppOptions = Partial<GivenOptions> & {
  readonly settings?: Partial<Settings>;
  readonly clock?: Partial<Clock>;
  readonly network?: Network;
  readonly loadAdvice?: () => Promise<Advise>;
  readonly secrets?: SecretStore;
  readonly legacyEntries?: LegacyEntries;
  /** While the start is under way. */
  readonly onStart?: (engine: Engine) => void;
  /** False: it ends before it has started. */
  readonly started?: false;
};

type Kept = Partial<Pick<App, 'secrets' | 'file' | 'lock' | 'person'>>;

const running: Engine[] = [];
const ages = createAges(time);

/** When the attempts end that wait for the person. */
const deadlines = new Map<object, number>();

/** Lets the time pass that the person needs, and never more than any open attempt has. */
function hesitate(): Promise<void> {
  const now = time.now();
  const devices = running.flatMap((engine) => {
    const view = engine.view();
    return 'attempt' in view && view.attempt?.device !== undefined
      ? [view.attempt.expiresAt - DEVICE_ANSWER_MS]
      : [];
  });
  const latest = Math.min(
    ...[...deadlines.values()].map((end) => end - ANSWER_MS),
    ...devices,
    now + ATTEMPT_MS - ANSWER_MS,
  );
  return time.pass(
    Math.max(0, PERSON === 'limit' ? latest - now : Math.min(Number(PERSON) * 1_000, latest - now)),
  );
}

/** Ends every app of a test. */
export async function stopApps(): Promise<void> {
  await Promise.all(running.splice(0).map((engine) => engine.stop()));
}

/** Starts an app for the provider and waits until its view is not `starting` any more. */
export async function startApp(
  provider: Provider,
  options: AppOptions = {},
  kept: Kept = {},
): Promise<App> {
  const {
    settings: overrides,
    clock,
    network,
    loadAdvice,
    secrets: real,
    legacyEntries,
    onStart,
    started,
    ...given
  } = options;
  const settings = {
    ...parseOptions({
      ...(given.provider === undefined ? { issuer: provider.issuer } : {}),
      clientId: provider.clientId,
      redirects: [SCHEME_REDIRECT],
      ...given,
    }),
    ...overrides,
  };
  const secrets = kept.secrets ?? createFakeSecretStore();
  const file = kept.file ?? createFakeStateStore();
  const person = kept.person ?? createPerson({ hesitates: hesitate });
  const scheme = createFakeCallbacks('custom-scheme');
  const log = createFakeLog();
  const lock = kept.lock ?? createFakeLock();
  const systemEvents = createFakeSystemEvents();
  const opened: string[] = [];
  const trips: Promise<SignInOutcome>[] = [];
  const errors: unknown[] = [];
  const logouts: Promise<string | null>[] = [];
  const views: AuthView[] = [];
  let choices: SignInChoices | 'stays away' = {};

  const startPages = createStartPages();
  const browser = {
    /** The person pastes it at once. */
    copy: (url: string): Promise<void> => browser.open(url),
    async post(url: string, fields: readonly (readonly [string, string])[]): Promise<void> {
      const page = (await startPages.openForm(url, fields)) ?? '';
      opened.push(page);
      const text = await (await fetch(page)).text();
      const inputs = [...text.matchAll(/name="([^"]*)" value="([^"]*)"/g)];
      const sent = new URLSearchParams(inputs.map(([, name = '', value = '']) => [name, value]));
      void logOut(`${/action="([^"]*)"/.exec(text)?.[1]}?${sent}`);
    },
    async open(url: string): Promise<void> {
      const page = url.length > LIMITS.openedUrlLength ? await startPages.open(url) : url;
      if (page === null) throw new AuthError('browser-failed', 'no page on loopback');
      opened.push(page);
      if (url.startsWith(provider.endpoints.endSession)) return void logOut(url);
      if (choices === 'stays away') return;
      const loopback = new URL(url).searchParams.get('redirect_uri')?.startsWith('http:') === true;
      const trip = person.signIn(page, { ...choices, visit: loopback });
      trips.push(trip);
      trip.then(
        ({ callbackUrl }) => {
          if (!loopback) scheme.arrive(callbackUrl);
        },
        () => undefined,
      );
    },
  };
  /** What the person does with a logout page, and how the browser comes back. */
  async function logOut(url: string): Promise<void> {
    const logout = person.signOut(url).then(async (back) => {
      if (back?.startsWith('http:') === true) await fetch(back);
      else if (back !== null) scheme.arrive(back);
      return back;
    });
    logouts.push(logout);
    await logout.catch(() => undefined);
  }
  const engine = createEngine(settings, {
    secrets: real ?? secrets,
    ...(legacyEntries === undefined ? {} : { legacyEntries }),
    state: file,
    browser,
    clock: { ...time, ...clock },
    network: ages.before(network ?? nodeNetwork, provider),
    lock,
    systemEvents,
    log,
    callbacks: { 'custom-scheme': scheme, loopback: createLoopback({ appName: 'Flow', log }) },
    loadAdvice,
  });
  running.push(engine);
  engine.onView((view) => views.push(view));

  const app: App = {
    engine,
    secrets,
    file,
    scheme,
    log,
    lock,
    systemEvents,
    person,
    views,
    opened,
    trips,
    logouts,
    errors,
    async signIn(wanted = {}, request = {}, by = 'page', signal) {
      choices = wanted;
      const attempt = {};
      deadlines.set(attempt, time.now() + settings.attemptTimeoutSeconds * 1_000);
      await engine
        .signIn(request, by, signal)
        .catch((error: unknown) => {
          errors.push(error);
          throw error;
        })
        .finally(() => {
          deadlines.delete(attempt);
        });
    },
    codeOf: (promise) =>
      promise.then(
        () => 'resolved',
        (error: unknown) => {
          errors.push(error);
          if (!(error instanceof AuthError)) throw error;
          return error.code;
        },
      ),
    restart: (next = options) => restart(next, (value) => value),
    restartDue: (next = options) =>
      restart(next, (value) => JSON.stringify({ ...(JSON.parse(value) as object), access: null })),
  };
  async function restart(next: AppOptions, change: (value: string) => string): Promise<App> {
    await engine.stop();
    const again = createFakeSecretStore();
    for (const [key, value] of secrets.entries) again.entries.set(key, change(value));
    return startApp(provider, next, { secrets: again, file, lock: lock.another(), person });
  }
  engine.start();
  onStart?.(engine);
  if (started !== false) await waitFor(() => engine.view().status !== 'starting', 'the start');
  return app;
}

export async function waitFor(
  holds: () => boolean | Promise<boolean>,
  what: string,
  ms = 8_000,
): Promise<void> {
  const end = Date.now() + ms;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`${what} did not happen`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** The view, which must be `signed-in`. */
export function signedInView(app: App): Extract<AuthView, { status: 'signed-in' }> {
  const view = app.engine.view();
  if (view.status !== 'signed-in')
    throw new Error(`signed in was expected, not ${JSON.stringify(view)}`);
  return view;
}

/**
 * Everything that an app told: views, logs, errors with their stacks and causes, and the state
 * file.
 */
export function toldBy(app: App): string {
  const deep = {
    depth: Infinity,
    showHidden: true,
    getters: true,
    maxArrayLength: Infinity,
    maxStringLength: Infinity,
    breakLength: Infinity,
  } as const;
  return [
    JSON.stringify(app.views),
    JSON.stringify(app.log.events),
    JSON.stringify([app.file.content, app.file.saves]),
    ...app.errors.map((error) => inspect(error, deep)),
    ...app.errors.flatMap(textsOf),
  ].join('\n');
}

/**
 * Which secret values of the provider stand in the text, in any of the spellings that a value takes
 * on its way.
 */
export function secretsIn(text: string, provider: Pick<Provider, 'issued'>): readonly string[] {
  return provider.issued
    .filter(({ value }) =>
      [
        value,
        encodeURIComponent(value),
        Buffer.from(value).toString('base64'),
        Buffer.from(value).toString('base64url'),
        Buffer.from(value).toString('hex'),
      ].some((spelling) => text.includes(spelling)),
    )
    .map(({ kind }) => kind);
}

/** Fails when an app told a secret of the provider. */
export function expectNoLeak(app: App, provider: Provider): void {
  expect(secretsIn(toldBy(app), provider)).toEqual([]);
}

function textsOf(error: unknown): readonly string[] {
  if (!(error instanceof Error)) return [String(error)];
  return [
    error.message,
    error.stack ?? '',
    JSON.stringify(error),
    ...(error.cause === undefined ? [] : textsOf(error.cause)),
  ];
}
