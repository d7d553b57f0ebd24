// The scripted person in a real browser: drives a Playwright page. Does not import Playwright: its
// types list only what is used.

/** How the person behaves. */
export interface SignInChoices {
  /** The name to sign in with. Default `ada`. */
  readonly login?: string;
  /** Default "correct horse". Any password works. */
  readonly password?: string;
  /** Default `allow`. `cancel` leaves on the login page already, if there is one. */
  readonly consent?: 'allow' | 'deny' | 'cancel';
  /**
   * Also follows the redirect to a loopback redirect URI and reads the page there. Default false.
   */
  readonly visit?: boolean;
}

/** What is needed of a Playwright `Page`. */
export interface PageLike {
  waitForSelector(selector: string, options?: { readonly timeout?: number }): Promise<unknown>;
  getAttribute(
    selector: string,
    name: string,
    options?: { readonly timeout?: number },
  ): Promise<string | null>;
  fill(selector: string, value: string, options?: { readonly timeout?: number }): Promise<void>;
  click(
    selector: string,
    options?: { readonly timeout?: number; readonly noWaitAfter?: boolean },
  ): Promise<void>;
}

/** How the person behaves on a page, and how patient the script is. */
export interface PageSignInChoices extends Omit<SignInChoices, 'visit'> {
  /** For each step. Default 15,000. */
  readonly timeoutMs?: number;
}

/**
 * Goes through the provider's pages in a browser that shows, or soon will show, the login or
 * consent page. Resolves after the last click; where the browser goes then is not awaited. Rejects
 * when a page does not come in time.
 */
export async function signInWithPage(
  page: PageLike,
  choices: PageSignInChoices = {},
): Promise<void> {
  const {
    login = 'ada',
    password = 'correct horse',
    consent = 'allow',
    timeoutMs = 15_000,
  } = choices;
  const timeout = { timeout: timeoutMs };
  const click = (action: string): Promise<void> =>
    page.click(`button[value="${action}"]`, { ...timeout, noWaitAfter: true });

  await page.waitForSelector('main[data-page="login"], main[data-page="consent"]', timeout);
  if ((await page.getAttribute('main', 'data-page', timeout)) === 'login') {
    if (consent === 'cancel') return click('cancel');
    await page.fill('input[name="login"]', login, timeout);
    await page.fill('input[name="password"]', password, timeout);
    await click('sign-in');
    await page.waitForSelector('main[data-page="consent"]', timeout);
  }
  const next = await page.getAttribute('main', 'data-next', timeout);
  await click(consent === 'allow' ? 'allow' : 'deny');
  if (consent !== 'allow' || next !== 'confirm') return;
  await page.waitForSelector('main[data-page="confirm"]', timeout);
  await click('continue');
}
