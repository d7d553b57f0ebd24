// @ts-check
// The demo without a person: a private desktop of genuine parts, the app, and a scripted person who
// signs in with the real browser by the real custom scheme, and then once more by a code on another
// device. Prints each step, saves screenshots in demo-results/, and fails with what was seen when a
// step does not come true.
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT_FOLDER, startWatchedApp } from '../lab/app-process.mjs';
import { toAppFlags, toRedirectUris } from './demo-flags.mjs';
import { tabOf } from '../lab/lab-browser.mjs';
import { startLab } from '../lab/lab.mjs';
import { say } from '../shared/say.mjs';
import { testKit } from '../shared/test-kit.mjs';

const RESULTS = join(ROOT_FOLDER, 'demo-results');
/** Short, so that a renewal can be watched. */
const TOKEN_SECONDS = 15;
const DEFAULT_REDIRECTS = [
  'com.example.latchkey-demo:/callback',
  'http://127.0.0.1/callback',
  'device-code',
];
/** The other device is a phone. */
const PHONE = { width: 390, height: 700 };

/** @typedef {import('../../src/contract.js').AuthView} AuthView */

/**
 * @param {string} electron
 * @param {import('./demo-flags.mjs').DemoFlags} flags
 * @param {(cleanUp: () => Promise<void>) => void} atEnd
 * @returns {Promise<number>} the exit code
 */
export async function runScriptedDemo(electron, flags, atEnd) {
  rmSync(RESULTS, { recursive: true, force: true });
  mkdirSync(RESULTS, { recursive: true });
  const given = flags.all('redirect');
  const redirects = given.length > 0 ? given : DEFAULT_REDIRECTS;
  const redirectUris = toRedirectUris(redirects);
  const { startProvider } = await testKit();
  const provider = await startProvider({ redirectUris, accessTokenSeconds: TOKEN_SECONDS });
  atEnd(() => provider.stop());
  step(`the embedded provider runs at ${provider.issuer}`);

  const schemes = redirectUris
    .filter((uri) => !uri.startsWith('http'))
    .map((uri) => uri.slice(0, uri.indexOf(':')));
  const origin = new URL(provider.issuer).origin;
  const lab = await startLab({ allow: schemes.map((scheme) => ({ origin, scheme })) });
  atEnd(() => lab.stop());
  step(`a private desktop: display ${lab.env['DISPLAY'] ?? ''}, D-Bus, gnome-keyring (unlocked)`);
  const browser = await lab.browser();
  step(`the system browser runs: Chromium ${browser.version()}`);

  flags.add('issuer', provider.issuer);
  flags.add('client-id', provider.clientId);
  const app = startWatchedApp({
    electron,
    isRoot: lab.isRoot,
    owner: lab.owner,
    flags: toAppFlags(flags),
  });
  atEnd(() => app.end());
  try {
    await walk(app, browser, provider, !flags.has('sign-in'));
    if (redirects.includes('device-code')) await walkAnotherWay(app, browser);
    const startedAt = Date.now();
    await app.end();
    step(`the app ended in ${Date.now() - startedAt} ms. That was the whole demo.`);
    return 0;
  } catch (error) {
    process.stdout.write(
      `\nThis step did not come true: ${error instanceof Error ? error.message : String(error)}\n`,
    );
    await app
      .firstWindow()
      .then((page) => shot(page, 'failed'))
      .catch(() => undefined);
    return 1;
  } finally {
    await app.end();
    await lab.stop();
    await provider.stop();
    say(`screenshots are in demo-results/`);
  }
}

/**
 * @param {import('../lab/app-process.mjs').WatchedApp} app
 * @param {import('playwright').Browser} browser
 * @param {import('../../src/testing/index.js').Provider} provider
 * @param {boolean} click false when the app starts the attempt by itself
 */
async function walk(app, browser, provider, click) {
  const { signInWithPage } = await testKit();
  const page = await app.firstWindow();
  if (click) {
    await app.waitForView(
      'the app to say that nobody is signed in',
      (view) => view.status === 'signed-out',
    );
    await button(page, 'sign-in').waitFor();
    await shot(page, '1-signed-out');
    step('the app is there, nobody is signed in');
    await button(page, 'sign-in').click();
  }
  await app.waitForView(
    'the app to wait for the browser',
    (view) => view.status === 'signing-in' && view.attempt.stage === 'waiting',
  );
  await button(page, 'cancel').waitFor();
  await shot(page, '2-waiting');
  step('the app opened the system browser and waits');

  const login = await tabOf(browser, provider.issuer);
  await login.locator('input[name=login]').waitFor();
  await shot(login, '3-browser-login');
  step('the provider asks for a name and a password, in the browser');
  await signInWithPage(login, { login: 'ada' });

  const signedIn = await app.waitForView(
    'the sign-in to come back by the custom scheme',
    (view) => view.status === 'signed-in',
    30_000,
  );
  await button(page, 'sign-out').waitFor();
  await shot(page, '4-signed-in');
  if (signedIn.status !== 'signed-in') throw new Error('unreachable');
  step(
    `${signedIn.account.name ?? signedIn.account.subject} is signed in; ${signedIn.remembered ? 'the keyring remembers it' : 'nothing remembers it'}`,
  );

  const before = signedIn.renewal.since;
  step(`waiting for the renewal: this provider's access tokens live ${TOKEN_SECONDS} s …`);
  await app.waitForView(
    'a renewal in the background',
    (view) =>
      view.status === 'signed-in' && view.renewal.state === 'fresh' && view.renewal.since > before,
    40_000,
  );
  await shot(page, '5-renewed');
  step('the access token was renewed in the background');

  await page.emulateMedia({ colorScheme: 'dark' });
  await shot(page, '6-dark');
  await page.emulateMedia({ colorScheme: null });
  step('the same in the dark');

  await button(page, 'sign-out').click();
  await app.waitForView(
    'the sign-out',
    (view) => view.status === 'signed-out' && view.reason === 'signed-out',
  );
  await button(page, 'sign-in').waitFor();
  await shot(page, '7-signed-out-again');
  step('signed out; the refresh token is gone from the keyring');
}

/**
 * The second act: nobody comes back from the browser, and the person takes the code to another
 * device.
 * @param {import('../lab/app-process.mjs').WatchedApp} app signed out
 * @param {import('playwright').Browser} browser
 */
async function walkAnotherWay(app, browser) {
  const { enterCodeWithPage } = await testKit();
  const page = await app.firstWindow();
  await button(page, 'sign-in').click();
  await button(page, 'other-way').waitFor();
  await shot(page, '8-nothing-happened');
  step('once more: the app asks whether nothing happened, and offers another way');

  const attempt = await askForCode(app, page);
  await page.locator('#qr').waitFor();
  await shot(page, '9-device-code');
  step('the app shows a short code, and a picture of it for a phone');

  // A separate context shares nothing with the desktop's browser, like a phone.
  const phone = await browser.newContext({ viewport: PHONE });
  const tab = await phone.newPage();
  await tab.goto(attempt.verificationUriComplete ?? attempt.verificationUri);
  await shot(tab, '10-phone');
  step('the phone shows the same code; the person compares them and signs in there');
  await enterCodeWithPage(tab, attempt.userCode, { login: 'grace' });

  const signedIn = await app.waitForView(
    'the provider to say yes',
    (view) => view.status === 'signed-in',
    30_000,
  );
  await button(page, 'sign-out').waitFor();
  await shot(page, '11-signed-in-by-code');
  if (signedIn.status !== 'signed-in') throw new Error('unreachable');
  step(
    `${signedIn.account.name ?? signedIn.account.subject} is signed in, and this computer never saw the password`,
  );
}

/**
 * Tries one redirect after the other until it is a code.
 * @param {import('../lab/app-process.mjs').WatchedApp} app
 * @param {import('playwright').Page} page
 * @returns {Promise<import('../../src/contract.js').DeviceView>}
 */
async function askForCode(app, page) {
  for (let ways = 0; ways < 4; ways += 1) {
    const before = app.views.length;
    await button(page, 'other-way').click();
    const view = await app.waitForView(
      'another way',
      (one) =>
        app.views.length > before && one.status === 'signing-in' && one.attempt.stage === 'waiting',
    );
    if (view.status === 'signing-in' && view.attempt.device !== undefined)
      return view.attempt.device;
  }
  throw new Error('the provider offers no code');
}

/**
 * @param {import('playwright').Page} page
 * @param {string} action
 */
function button(page, action) {
  return page.locator(`[data-testid="${action}"]:visible`);
}

/**
 * @param {import('playwright').Page} page
 * @param {string} name
 */
async function shot(page, name) {
  // The page's own transitions end first.
  await page.waitForTimeout(600);
  await page.screenshot({ path: join(RESULTS, `${name}.png`) });
}

/** @param {string} text */
function step(text) {
  process.stdout.write(`✓ ${text}\n`);
}
