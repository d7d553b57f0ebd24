// The pages in the browser give axe nothing to say (the demo's own faces: faces.spec.ts), and the
// keyboard alone does everything.
import type { Page } from '@playwright/test';
import {
  button,
  expect,
  LOOPBACK,
  signedIn,
  signedOut,
  test,
  waiting,
  waitingBy,
} from './fixtures.js';
import { violations } from './portrait.js';

test.setTimeout(180_000);

test('finds nothing wrong with the pages that the browser shows', async ({ desk }) => {
  await desk.browser();
  const app = desk.launch({ flags: [`--redirect=${LOOPBACK}`, '--sign-in'] });
  await waiting(app);
  const tab = await desk.providerTab();
  expect(await violations(tab)).toEqual([]);
  await desk.person();
  await signedIn(app);
  await tab.waitForURL((url) => url.origin !== desk.provider.issuer);
  expect(await violations(tab)).toEqual([]);
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
  const app = desk.launch({
    flags: [`--redirect=${LOOPBACK}`, '--redirect=device-code', '--sign-in'],
  });
  const page = await app.firstWindow();
  await waiting(app);
  await expect(button(page, 'paste-instead')).toBeVisible();
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
    const focused = await page.evaluate(
      () => document.activeElement?.getAttribute('data-testid') ?? '',
    );
    if (focused === action) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`the keyboard does not reach "${action}"`);
}
