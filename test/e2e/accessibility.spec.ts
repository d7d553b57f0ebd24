// The demo's faces and the provider's pages: axe finds nothing, and the keyboard alone does everything.
import type { Page } from '@playwright/test';
import type * as Axe from 'axe-core';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { button, expect, LOOPBACK, signedIn, signedOut, test, waiting } from './fixtures.js';

const AXE_SOURCE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** What axe has against the page as it is now. */
async function violations(page: Page): Promise<string[]> {
  // Transitions would be measured half way.
  await page.waitForTimeout(600);
  await page.evaluate(AXE_SOURCE);
  const results = await page.evaluate(async (tags) => {
    const { axe } = globalThis as unknown as { axe: typeof Axe };
    return axe.run(document, { runOnly: tags });
  }, TAGS);
  return results.violations.flatMap((violation) => violation.nodes.map((node) => `${violation.id}: ${node.target.join(' ')} – ${node.failureSummary ?? ''}`));
}

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

async function tabTo(page: Page, action: string): Promise<void> {
  for (let presses = 0; presses < 30; presses += 1) {
    const focused = await page.evaluate(() => document.activeElement?.getAttribute('data-testid') ?? '');
    if (focused === action) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`the keyboard does not reach "${action}"`);
}
