// Entry latchkey/testing/playwright: Playwright's `test` with a provider, a person and the host's
// own app, for tests in the real Electron. The only file that imports @playwright/test. Any test
// can do what it does to the app: there is no hook.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { _electron, test as base } from '@playwright/test';
import type { ElectronApplication, Page } from '@playwright/test';
import type { AuthBridge, AuthView } from '../contract.js';
import { createPerson } from './person/person.js';
import type { Person } from './person/person.js';
import type { SignInChoices } from './person/page-person.js';
import { startProvider } from './provider.js';
import type { Provider } from './provider.js';
import type { ProviderOptions } from './server/provider-options.js';

export { expect } from '@playwright/test';

/**
 * How the host's app is started. In `args` and `env`, `{issuer}`, `{clientId}` and `{origin}` are
 * those of the provider.
 */
export interface LaunchOptions {
  /** The app's folder first, as on the command line of Electron. */
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Default: the Electron of the host's node_modules. */
  readonly executablePath?: string;
  /**
   * `none` (default): on Linux the app finds no keyring, so that a test leaves nothing in your own
   * keyring. `system`: the system's keyring. On other systems the app itself must keep the session
   * in memory (`secretStore: 'memory'`).
   */
  readonly keyring?: 'none' | 'system';
}

/** How the person signs in to an app. */
export interface SignedInChoices extends Omit<SignInChoices, 'visit'> {
  /** Makes the app begin the sign-in. Default: calls the API of Latchkey's preload in the page. */
  readonly by?: (page: Page) => Promise<unknown>;
  /** How long the whole sign-in may take, in milliseconds. Default 30,000. */
  readonly timeoutMs?: number;
}

/** The options for `test.use`. */
export interface LatchkeyOptions {
  /** For `startProvider`. */
  providerOptions: ProviderOptions;
  /** Only the fixture `app` needs it. */
  launch: LaunchOptions | null;
}

/** The fixtures of a test. */
export interface LatchkeyFixtures {
  /** A fresh provider for each test. */
  provider: Provider;
  /** One person with an empty browser. */
  person: Person;
  /**
   * The host's app, started as `launch` says, with its own folder for user data. It ends with the
   * test.
   */
  app: ElectronApplication;
  /**
   * Signs the person in to a running app that is signed out. Resolves with its first window as soon
   * as Latchkey reports there that it is signed in. Rejects with Latchkey's error code if the
   * sign-in fails.
   */
  signedIn: (app: ElectronApplication, choices?: SignedInChoices) => Promise<Page>;
}

/** Playwright's `test` with these options and fixtures. */
export const test = base.extend<LatchkeyOptions & LatchkeyFixtures>({
  providerOptions: [{}, { option: true }],
  launch: [null, { option: true }],
  provider: async ({ providerOptions }, use) => {
    const provider = await startProvider(providerOptions);
    await use(provider);
    await provider.stop();
  },
  person: async ({ provider }, use) => {
    await use(createPerson({ certificate: provider.certificate }));
  },
  app: async ({ launch, provider }, use) => {
    if (launch === null)
      throw new Error('the fixture "app" needs test.use({ launch: { args: [folder] } })');
    const userData = await mkdtemp(join(tmpdir(), 'latchkey-app-'));
    const app = await _electron.launch(launchOptions(launch, provider, userData));
    await use(app);
    await app.close();
    await rm(userData, { recursive: true, force: true, maxRetries: 5 });
  },
  signedIn: async ({ person }, use) => {
    await use((app, choices) => signIn(app, person, choices));
  },
});

function launchOptions(
  { args, env = {}, cwd, executablePath, keyring = 'none' }: LaunchOptions,
  provider: Provider,
  userData: string,
): NonNullable<Parameters<typeof _electron.launch>[0]> {
  const fill = (text: string): string =>
    text
      .replaceAll('{issuer}', provider.issuer)
      .replaceAll('{clientId}', provider.clientId)
      .replaceAll('{origin}', provider.origin);
  const own = Object.entries(process.env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  const isLinux = process.platform === 'linux';
  return {
    // Electron's sandbox refuses to run as root, as containers do.
    args: [
      ...(isLinux && process.getuid?.() === 0 ? ['--no-sandbox'] : []),
      `--user-data-dir=${userData}`,
      ...args.map(fill),
    ],
    env: {
      ...Object.fromEntries(own),
      ...(isLinux && keyring === 'none'
        ? { DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nonexistent' }
        : {}),
      ...Object.fromEntries(Object.entries(env).map(([name, value]) => [name, fill(value)])),
    },
    ...(cwd === undefined ? {} : { cwd }),
    ...(executablePath === undefined ? {} : { executablePath }),
  };
}

/** What Latchkey's preload puts on the page's `window`. */
interface PageWindow {
  readonly latchkey?: AuthBridge;
}

async function signIn(
  app: ElectronApplication,
  person: Person,
  { by = begin, timeoutMs = 30_000, ...choices }: SignedInChoices = {},
): Promise<Page> {
  const opened = nextUrl(app);
  // `outcome` reports a sign-in that fails before the browser opens.
  opened.catch(() => undefined);
  const page = await app.firstWindow();
  await page.waitForLoadState('domcontentloaded');
  const outcome = page.evaluate(watch, timeoutMs);
  outcome.catch(() => undefined);
  // The sign-in may be pending until the person is back, so this does not wait for it.
  const begun = by(page);
  begun.catch(() => undefined);
  const url = await Promise.race([opened, outcome, begun.then(() => opened)]);
  if (url.startsWith('http')) await comeBack(app, person, url, choices);
  const ended = await outcome;
  if (ended !== 'signed-in') throw new Error(`the app is not signed in: ${ended}`);
  return page;
}

/** The next URL that the app passes to the system browser. The browser does not open. */
function nextUrl(app: ElectronApplication): Promise<string> {
  return app.evaluate(
    ({ shell }) =>
      new Promise<string>((resolve) => {
        shell.openExternal = async (url: string) => resolve(url);
      }),
  );
}

async function comeBack(
  app: ElectronApplication,
  person: Person,
  url: string,
  choices: SignInChoices,
): Promise<void> {
  const isLoopback = new URL(url).searchParams.get('redirect_uri')?.startsWith('http:') === true;
  const { callbackUrl } = await person.signIn(url, { ...choices, visit: isLoopback });
  if (isLoopback) return;
  // As the operating system does it: to the running app.
  await app.evaluate(({ app: electronApp }, callback) => {
    const event = { preventDefault: () => undefined };
    if (process.platform === 'darwin') electronApp.emit('open-url', event, callback);
    else
      electronApp.emit('second-instance', event, [process.execPath, callback], process.cwd(), null);
  }, callbackUrl);
}

/** Runs in the page. */
function begin(page: Page): Promise<unknown> {
  return page.evaluate(async () => {
    const { latchkey } = globalThis as unknown as PageWindow;
    if (latchkey === undefined)
      throw new Error("Latchkey's preload exposed nothing to this page: is it in trustedOrigins?");
    return await latchkey.signIn({});
  });
}

/**
 * Runs in the page: resolves with `signed-in`, or with the code of the error that ended the
 * sign-in.
 */
function watch(limitMs: number): Promise<string> {
  const { latchkey } = globalThis as unknown as PageWindow;
  if (latchkey === undefined) return Promise.resolve('page-refused');
  return new Promise((resolve) => {
    let wasOpen = false;
    const look = (view: AuthView): void => {
      wasOpen ||= view.status === 'signing-in' || ('attempt' in view && view.attempt !== undefined);
      if (view.status === 'signed-in' && view.attempt === undefined) resolve('signed-in');
      else if (view.status === 'signed-out' && wasOpen)
        resolve(view.error?.code ?? 'sign-in-cancelled');
    };
    look(latchkey.initialView);
    latchkey.onView(look);
    setTimeout(() => resolve('it took too long'), limitMs);
  });
}
