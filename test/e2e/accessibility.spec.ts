// The demo's faces and the provider's pages: axe finds nothing, and the keyboard alone does everything.
import type { Page } from '@playwright/test';
import { button, expect, LOOPBACK, signedIn, signedOut, test, waiting, waitingBy } from './fixtures.js';
import { violations } from './portrait.js';

test('finds nothing wrong with the faces of a whole trip, light and dark', async ({ desk }) => {
  await desk.browser();
  const app = desk.launch({ flags: [`--redirect=${LOOPBACK}`] });
  const page = await app.firstWindow();
  await signedOut(app);
  expect(await violations(page)).toEqual([]);

  await button(page, 'sign-in').click();
  await waiting(app);
  await expect(button(page, 'cancel')).toBeVisible();
  expect(await violations(page)).toEqual([]);
  const tab = await desk.providerTab();
  expect(await violations(tab)).toEqual([]);

  await desk.person();
  await signedIn(app);
  await expect(button(page, 'sign-out')).toBeVisible();
  expect(await violations(page)).toEqual([]);
  await page.emulateMedia({ colorScheme: 'dark' });
  expect(await violations(page)).toEqual([]);
  await tab.waitForURL((url) => url.origin !== desk.provider.issuer);
  expect(await violations(tab)).toEqual([]);
});

test('finds nothing wrong with the face of an error', async ({ desk }) => {
  await desk.browser();
  const app = desk.launch({ flags: ['--sign-in'] });
  await waiting(app);
  await desk.person({ consent: 'deny' });
  await signedOut(app);
  expect(await violations(await app.firstWindow())).toEqual([]);
});

test('signs in and out with the keyboard alone', async ({ desk }) => {
  await desk.browser();
  const app = desk.launch();
  const page = await app.firstWindow();
  await signedOut(app);
  await tabTo(page, 'sign-in');
  await page.keyboard.press('Enter');
  await waiting(app);
  await desk.person();
  await signedIn(app);
  await expect(button(page, 'sign-out')).toBeVisible();
  await tabTo(page, 'sign-out');
  await page.keyboard.press('Enter');
  expect(await signedOut(app)).toMatchObject({ reason: 'signed-out' });
});

test('goes another way, and pastes, with the keyboard alone', async ({ desk }) => {
  await desk.browser();
  const app = desk.launch({ flags: [`--redirect=${LOOPBACK}`, '--redirect=device-code', '--sign-in'] });
  const page = await app.firstWindow();
  await waiting(app);
  await tabTo(page, 'paste-instead');
  await page.keyboard.press('Enter');
  await expect(page.locator('#pasted')).toBeFocused();
  await page.keyboard.type('not an answer');
  await page.keyboard.press('Enter');
  await expect(page.locator('#paste-problem')).toBeVisible();
  await expect(page.locator('#pasted')).toBeFocused();
  await tabTo(page, 'other-way');
  await page.keyboard.press('Enter');
  await waitingBy(app, 'device-code');
  await tabTo(page, 'copy-code');
  await page.keyboard.press('Enter');
  await expect(button(page, 'copy-code')).toHaveText('Copied');
  await tabTo(page, 'cancel');
  await page.keyboard.press('Enter');
  await signedOut(app);
});

async function tabTo(page: Page, action: string): Promise<void> {
  for (let presses = 0; presses < 30; presses += 1) {
    const focused = await page.evaluate(() => document.activeElement?.getAttribute('data-testid') ?? '');
    if (focused === action) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`the keyboard does not reach "${action}"`);
}
