// A portrait of one face of the demo: light, dark, and in the smallest window. Each is a picture in
// test-results/faces/, and each has to fit, and to give axe nothing to say.
import type { Page } from '@playwright/test';
import type * as Axe from 'axe-core';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { ROOT_FOLDER } from '../../scripts/lab/app-process.mjs';
import { expect } from './fixtures.js';

const AXE_SOURCE = readFileSync(
  createRequire(import.meta.url).resolve('axe-core/axe.min.js'),
  'utf8',
);
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const FACES = join(ROOT_FOLDER, 'test-results', 'faces');
const SMALLEST = { width: 640, height: 480 };

/** Transitions of the page would be seen and measured half way. */
const SETTLED_MS = 600;

/** What axe has against the page as it is now. */
export async function violations(page: Page): Promise<string[]> {
  await page.waitForTimeout(SETTLED_MS);
  await page.evaluate(AXE_SOURCE);
  const results = await page.evaluate(async (tags) => {
    const { axe } = globalThis as unknown as { axe: typeof Axe };
    return axe.run(document, { runOnly: tags });
  }, TAGS);
  return results.violations.flatMap((violation) =>
    violation.nodes.map(
      (node) => `${violation.id}: ${node.target.join(' ')} – ${node.failureSummary ?? ''}`,
    ),
  );
}

/**
 * `passing`: the face will not stay, so only its pictures are taken. `scrolls`: it may be longer
 * than the smallest window.
 */
export interface Sitting {
  readonly passing?: boolean;
  readonly scrolls?: boolean;
}

/** Takes the pictures of the face that the window shows now, and leaves the window as it was. */
export async function portray(
  page: Page,
  name: string,
  { passing = false, scrolls = false }: Sitting = {},
): Promise<void> {
  const usual = await page.evaluate(() => ({
    width: window.innerWidth,
    height: window.innerHeight,
  }));
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    await page.waitForTimeout(SETTLED_MS);
    await shoot(page, `${name}-${colorScheme}`);
    if (passing) continue;
    expect(await overflow(page), `${name}, ${colorScheme}`).toEqual({ down: 0, across: 0 });
    expect(await violations(page), `${name}, ${colorScheme}`).toEqual([]);
  }
  await page.emulateMedia({ colorScheme: null });
  await page.setViewportSize(SMALLEST);
  await page.waitForTimeout(SETTLED_MS);
  await shoot(page, `${name}-small`);
  const small = await overflow(page);
  expect(small.across, `${name} in a small window`).toBe(0);
  if (!scrolls) expect(small.down, `${name} in a small window`).toBe(0);
  await page.setViewportSize(usual);
}

export async function shoot(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: join(FACES, `${name}.png`) });
}

/** How many pixels of the left side are out of sight. */
function overflow(page: Page): Promise<{ down: number; across: number }> {
  return page.locator('#face').evaluate((face) => ({
    down: face.scrollHeight - face.clientHeight,
    across: face.scrollWidth - face.clientWidth,
  }));
}
