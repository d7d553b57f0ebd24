// The scripted person in front of the pages for a device code (RFC 8628 §3.3), over plain HTTP and
// in a real browser.
import { signInWithPage } from './page-person.js';
import type { PageLike, PageSignInChoices } from './page-person.js';

/**
 * How it ended: agreed, or the page that said no (`refused`: also a code that is unknown, used or
 * too old).
 */
export type UserCodeOutcome = 'agreed' | 'refused';

/** The form that a person sends on one of the device pages; null on any other page. */
export function deviceForm(
  page: string,
  body: string,
  userCode: string,
  isSame: boolean,
): URLSearchParams | null {
  const hidden = [...body.matchAll(/<input type="hidden" name="([a-z_]+)" value="([^"]*)"/g)].map(
    ([, name = '', value = '']) => [name, value],
  );
  const form = new URLSearchParams(hidden);
  if (page === 'device') form.set('user_code', userCode);
  else if (page !== 'device-confirm') return null;
  else if (!isSame) form.set('abort', 'yes');
  return form;
}

/**
 * What the person does with the code on a page. `compare` false: says that the code is another one.
 */
export interface PageUserCodeChoices extends PageSignInChoices {
  readonly compare?: boolean;
}

/**
 * Types the code in a browser that shows, or soon will show, the page at `verification_uri` or
 * `verification_uri_complete`, and goes through the pages behind it. Resolves after the last click.
 * Rejects when a page does not come in time.
 */
export async function enterCodeWithPage(
  page: PageLike,
  userCode: string,
  choices: PageUserCodeChoices = {},
): Promise<void> {
  const timeout = { timeout: choices.timeoutMs ?? 15_000 };
  const click = (value: string): Promise<void> =>
    page.click(`button[value="${value}"]`, { ...timeout, noWaitAfter: true });
  await page.waitForSelector('main[data-page="device"], main[data-page="device-confirm"]', timeout);
  if ((await page.getAttribute('main', 'data-page', timeout)) === 'device') {
    await page.fill('input[name="user_code"]', userCode, timeout);
    await click('continue');
    await page.waitForSelector('main[data-page="device-confirm"]', timeout);
  }
  if (choices.compare === false) return click('yes');
  await click('same');
  await signInWithPage(page, choices);
}
