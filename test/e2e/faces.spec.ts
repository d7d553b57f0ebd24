// Every designed face of the demo, reached on real parts and portrayed: test-results/faces/ holds
// the pictures.
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { APP_FOLDER } from '../../scripts/lab/app-process.mjs';
import {
  button,
  expect,
  LOOPBACK,
  recordBrowser,
  signedIn,
  signedOut,
  test,
  waitingBy,
} from './fixtures.js';
import type { AuthView, WatchedApp } from './fixtures.js';
import { portray, shoot, violations } from './portrait.js';

/** Nobody is there: the browser shows an address that it cannot open. */
const NOWHERE = 'https://signed-in.example.com/done';

test.setTimeout(300_000);

test.describe('at a provider that knows four ways', () => {
  test.use({ providerOptions: { redirectUris: [LOOPBACK, NOWHERE] } });

  test('has a face for every step of a sign-in, and for every other way', async ({ desk }) => {
    await desk.browser();
    const app = desk.launch({
      flags: [`--redirect=${LOOPBACK}`, '--redirect=device-code', `--redirect=paste:${NOWHERE}`],
    });
    const page = await app.firstWindow();
    await signedOut(app);
    await heading(page, 'Welcome');
    await portray(page, 'signed-out');

    await button(page, 'sign-in').click();
    await waitingBy(app, 'loopback');
    await shoot(page, 'waiting-at-first');
    await expect(page.locator('#help')).toHaveAttribute('data-visible', 'true', {
      timeout: 20_000,
    });
    await portray(page, 'waiting');
    await button(page, 'paste-instead').click();
    await portray(page, 'waiting-address');
    await button(page, 'other-way').click();

    await waitingBy(app, 'device-code');
    await heading(page, 'Sign in with a code');
    await portray(page, 'device-code');
    await button(page, 'other-way').click();

    await waitingBy(app, 'paste');
    await heading(page, 'Bring the answer here');
    await portray(page, 'paste');
    await page.locator('#pasted').fill('This is not it');
    await button(page, 'continue').click();
    await expect(page.locator('#paste-problem')).toBeVisible();
    await portray(page, 'paste-refused');
    await button(page, 'cancel').click();
    await signedOut(app);
  });
});

test('has a quiet skeleton before the first script has run', async ({ desk }) => {
  const app = desk.launch();
  const page = await app.firstWindow();
  await signedOut(app);
  const devTools = await page.context().newCDPSession(page);
  await devTools.send('Emulation.setScriptExecutionDisabled', { value: true });
  await page.reload();
  // What stands there stays; only axe may run from now on.
  await devTools.send('Emulation.setScriptExecutionDisabled', { value: false });
  await expect(page.locator('#face')).toHaveAttribute('data-figure', 'skeleton');
  await expect(page.locator('#actions button:visible')).toHaveCount(0);
  await portray(page, 'starting');
});

test.describe('with access tokens that live 9 seconds', () => {
  test.use({ providerOptions: { accessTokenSeconds: 9 } });

  test('has a face for a session in good and bad days, to its end', async ({ desk }) => {
    const app = desk.launch({ flags: [`--redirect=${LOOPBACK}`] });
    await desk.signIn(app);
    const page = await app.firstWindow();

    desk.provider.fault({ kind: 'hang', endpoint: 'token', grantType: 'refresh_token' });
    await during(app, 'renewing', () => portray(page, 'renewing', { passing: true }));
    desk.provider.clearFaults();

    desk.provider.fault({ kind: 'reset', endpoint: 'token', grantType: 'refresh_token' });
    await waitingFor(app, 'network-failed');
    await portray(page, 'offline', { passing: true });
    desk.provider.clearFaults();

    desk.provider.fault({
      kind: 'status',
      status: 503,
      endpoint: 'token',
      grantType: 'refresh_token',
    });
    await waitingFor(app, 'server-unavailable');
    await portray(page, 'provider-down', { passing: true });

    desk.provider.revokeAll();
    desk.provider.clearFaults();
    await button(page, 'retry').click();
    await signedOut(app);
    await heading(page, 'Please sign in again');
    await portray(page, 'session-ended');
  });
});

test('has a face for who is signed in, and the same in a second window', async ({ desk }) => {
  const app = desk.launch({ flags: [`--redirect=${LOOPBACK}`] });
  await desk.signIn(app);
  const page = await app.firstWindow();
  await heading(page, 'Ada Lovelace');
  await portray(page, 'signed-in');
  await button(page, 'another-window').click();
  await expect.poll(async () => (await app.windows()).length).toBe(2);
  const second = (await app.windows()).find((window) => window !== page);
  if (second === undefined) throw new Error('there are two windows');
  await heading(second, 'Ada Lovelace');
  await portray(second, 'second-window');
});

test('has a face for a sign-in that was declined', async ({ desk }) => {
  await desk.browser();
  const app = desk.launch({ flags: [`--redirect=${LOOPBACK}`, '--sign-in'] });
  await waitingBy(app, 'loopback');
  await desk.person({ consent: 'deny' });
  await signedOut(app);
  const page = await app.firstWindow();
  await heading(page, 'The sign-in was declined');
  await portray(page, 'declined');
});

test.describe('at Entra, where the app is registered as a single-page application', () => {
  test.use({
    providerOptions: {
      personality: 'entra',
      redirectUris: [{ uri: 'http://localhost', platform: 'spa' }],
    },
  });

  test('tells the person one thing and the developer another, and signs in once the registration is right', async ({
    desk,
  }) => {
    await desk.browser();
    const app = desk.launch({ flags: ['--redirect=http://localhost'] });
    const page = await app.firstWindow();
    await button(page, 'sign-in').click();
    await waitingBy(app, 'loopback');
    await desk.person();
    await app.waitForView(
      'the advice',
      (view) => view.status === 'signed-out' && view.error?.advice !== undefined,
    );
    await heading(page, 'This app was turned away');
    const card = page.locator('#advice');
    await expect(card).toContainText('AADSTS9002327');
    await expect(card).toContainText('Mobile and desktop applications');
    await expect(card.locator('a')).toHaveCount(0);
    await expect(page.locator('#stage')).not.toContainText(/AADSTS|single-page/i);
    await portray(page, 'error');
    await card.locator('summary').click();
    await expect(page.locator('#advice-text')).toBeHidden();
    await shoot(page, 'error-card-folded');

    desk.provider.register({ redirectUris: ['http://localhost'] });
    await button(page, 'sign-in').click();
    await waitingBy(app, 'loopback');
    await desk.person();
    await signedIn(app);
    await expect(card).toBeHidden();
  });
});

test('has a face for a locked keyring', async ({ desk }) => {
  const first = desk.launch({ flags: [`--redirect=${LOOPBACK}`] });
  await desk.signIn(first);
  await first.end();
  await desk.lab.lockKeyring();
  const app = desk.launch({ flags: [`--redirect=${LOOPBACK}`] });
  await app.waitForView(
    'the app to say that the keyring is locked',
    (view) => view.status === 'locked',
  );
  const page = await app.firstWindow();
  await heading(page, 'Your keyring is locked');
  await portray(page, 'keyring-locked');
});

test.describe('without a keyring', () => {
  test.use({ labOptions: { keyring: 'none' } });

  test('has a face for a session that will not be remembered', async ({ desk }) => {
    const app = desk.launch({ flags: [`--redirect=${LOOPBACK}`] });
    await desk.signIn(app);
    const page = await app.firstWindow();
    await expect(page.locator('#notice')).toContainText('You will not be remembered');
    await portray(page, 'not-remembered');
  });
});

test('says that a part of it is missing when it was not shipped whole', async ({
  desk,
}, testInfo) => {
  const folder = testInfo.outputPath('app');
  cpSync(APP_FOLDER, folder, { recursive: true });
  rmSync(join(folder, 'main', 'parts', 'assembly.js'));
  const app = desk.launch({ folder });
  expect(await signedOut(app)).toMatchObject({
    reason: 'never',
    error: { code: 'files-missing', retry: 'never' },
  });
  await heading(await app.firstWindow(), 'This app was not put together correctly');
});

test('keeps its outlines where the system has its own colours, and stands still where that is wished', async ({
  desk,
}) => {
  await desk.browser();
  const app = desk.launch({
    flags: [`--redirect=${LOOPBACK}`, '--redirect=device-code', '--sign-in'],
  });
  const page = await app.firstWindow();
  await waitingBy(app, 'loopback');
  await page.emulateMedia({ forcedColors: 'active', reducedMotion: 'reduce' });
  await shoot(page, 'forced-colors-waiting');
  expect(await moving(page)).toBe(0);
  await button(page, 'other-way').click();
  await waitingBy(app, 'device-code');
  await shoot(page, 'forced-colors-device-code');
  // What a camera needs: dark on light, whatever the system's colours are.
  const colors = await page
    .locator('#qr-code')
    .evaluate((svg) => [...svg.children].map((shape) => getComputedStyle(shape).fill));
  expect(colors).toEqual(['rgb(255, 255, 255)', 'rgb(16, 20, 19)']);
  expect(await moving(page)).toBe(0);
  expect(await violations(page)).toEqual([]);
});

test('shows no button as pointed at when it only has come under the pointer', async ({ desk }) => {
  recordBrowser(desk);
  const app = desk.launch({ flags: [`--redirect=${LOOPBACK}`] });
  const page = await app.firstWindow();
  await button(page, 'sign-in').click();
  await waitingBy(app, 'loopback');
  await expect(button(page, 'cancel')).toBeVisible();
  await expect(page.locator('body')).not.toHaveAttribute('data-pointer', 'moves');
  const grounds = (): Promise<number> =>
    page
      .locator('#actions button:visible')
      .evaluateAll(
        (buttons) => new Set(buttons.map((one) => getComputedStyle(one).backgroundColor)).size,
      );
  await button(page, 'cancel').hover();
  await expect.poll(grounds).toBe(2);
  // The browser comes to the front.
  await page.evaluate(() => window.dispatchEvent(new Event('blur')));
  await expect.poll(grounds).toBe(1);
});

test('divides a long line of the view where an address is divided, and goes on further in', async ({
  desk,
}) => {
  const app = desk.launch();
  const page = await app.firstWindow();
  await signedOut(app);
  const issuer =
    'https://login.microsoftonline.com/00000000-1111-2222-3333-444444444444/v2.0/discovery';
  const view = { status: 'signed-in', otherAccounts: [{ id: 'a1', issuer }] };
  const lines = await page.evaluate(
    async ([module, shown]) => {
      const { paintView } = (await import(module)) as { paintView: (view: unknown) => void };
      paintView(shown);
      return [...document.querySelectorAll('#view-json .line')].map((line) => {
        const rows: { left: number; top: number; before: string }[] = [];
        const texts = document.createTreeWalker(line, NodeFilter.SHOW_TEXT);
        let before = '';
        for (let text = texts.nextNode(); text !== null; text = texts.nextNode()) {
          for (const [at, sign] of [...(text.textContent ?? '')].entries()) {
            const range = document.createRange();
            range.setStart(text, at);
            range.setEnd(text, at + 1);
            const { left, top } = range.getBoundingClientRect();
            if (sign.trim() !== '' && top > (rows.at(-1)?.top ?? -1) + 4)
              rows.push({ left, top, before });
            before = sign;
          }
        }
        return rows;
      });
    },
    ['/demo/paint.js', view] as const,
  );
  const divided = lines.filter((rows) => rows.length > 1);
  expect(divided).toHaveLength(1);
  for (const [first, ...rest] of divided) {
    expect(rest.every(({ left }) => left > (first?.left ?? Infinity))).toBe(true);
    expect(rest.map(({ before }) => before).join('')).toMatch(/^[\s/.-]+$/);
  }
  await shoot(page, 'view-divided');
});

function heading(page: Page, name: string): Promise<void> {
  return expect(page.getByRole('heading', { name, level: 1 })).toBeVisible();
}

function moving(page: Page): Promise<number> {
  return page.evaluate(
    () => document.getAnimations().filter((animation) => animation.playState === 'running').length,
  );
}

/** Takes a picture of a state that ends by itself, again when it ended too early. */
async function during(
  app: WatchedApp,
  state: 'renewing',
  take: () => Promise<void>,
): Promise<void> {
  const isSo = (view: AuthView | undefined): boolean =>
    view?.status === 'signed-in' && view.renewal.state === state;
  await expect(async () => {
    await app.waitForView(`the app to be ${state}`, isSo, 40_000);
    const views = app.views.length;
    await take();
    expect(app.views.slice(views).every(isSo)).toBe(true);
  }).toPass({ timeout: 120_000 });
}

async function waitingFor(app: WatchedApp, code: string): Promise<void> {
  await app.waitForView(
    `a renewal to fail with ${code}`,
    (view) =>
      view.status === 'signed-in' &&
      view.renewal.state === 'waiting' &&
      view.renewal.error.code === code,
    60_000,
  );
  await signedIn(app);
}
