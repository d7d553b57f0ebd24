// A logout round trip on real parts: the app, the system browser, the provider's page, and the way
// back by the custom scheme.
import { spawnSync } from 'node:child_process';
import { SCHEME, expect, requestsTo, signedIn, signedOut, test, waiting } from './fixtures.js';

const REDIRECT = `${SCHEME}:/callback`;

test('ends the session in the browser, too: the browser comes back by the scheme, and must sign in again', async ({
  desk,
}) => {
  const app = desk.launch({ flags: [`--logout-redirect=${REDIRECT}`] });
  await desk.signIn(app);
  const page = await app.firstWindow();
  await page.evaluate(() => window.latchkey?.signOut({ endBrowserSession: true }));
  await signedOut(app);
  const tab = await desk.providerTab('/session/end');
  await tab.getByRole('button', { name: 'Sign out' }).click();
  await expect
    .poll(() => desk.provider.requests.filter(({ path }) => path === '/session/end/confirm'))
    .toMatchObject([{ method: 'POST', status: 303 }]);

  // Who comes without the state of a logout is heard, and changes nothing. The app hears one after the
  // other, so the way back has come before, and was no surprise.
  await page.waitForTimeout(2_000);
  expect(app.output()).not.toContain('callback-');
  spawnSync('xdg-open', [`${REDIRECT}?state=forged`], { ...desk.lab.owner, stdio: 'ignore' });
  await expect.poll(() => app.output()).toContain('callback-malformed');
  expect(await signedOut(app)).toMatchObject({ reason: 'signed-out' });

  const logins = (): number =>
    desk.provider.requests.filter(({ parameterNames }) => parameterNames.includes('password'))
      .length;
  const before = logins();
  // What the browser shows of the provider now is not the page to fill in.
  for (const old of (await desk.browser()).contexts().flatMap((context) => context.pages()))
    await old.goto('about:blank');
  await page.locator('[data-testid="sign-in"]:visible').click();
  await waiting(app);
  await desk.person({ login: 'ada' });
  await signedIn(app);
  expect([logins(), requestsTo(desk.provider, 'end-session')]).toEqual([before + 1, 2]);
});

test('sends an ID token that stands in no address and no command line, by a form that the browser posts', async ({
  desk,
}) => {
  const { createStartPages } = (await import(
    new URL('../../dist/main/adapters/loopback/start-page.js', import.meta.url).href
  )) as typeof import('../../src/main/adapters/loopback/start-page.js');
  const pages = createStartPages();
  try {
    const browser = await desk.browser();
    const start = (await pages.openForm(desk.provider.endpoints.endSession, [
      ['client_id', desk.provider.clientId],
      ['id_token_hint', 'a.token.of-nobody'],
    ]))!;
    const tab = await browser.newPage();
    await tab.goto(start);
    await expect(tab).toHaveURL(desk.provider.endpoints.endSession);
    const [sent] = desk.provider.requests.filter(({ endpoint }) => endpoint === 'end-session');
    expect(sent).toMatchObject({ method: 'POST', parameterNames: ['client_id', 'id_token_hint'] });
    await tab.goBack().catch(() => null);
    expect(await tab.content()).not.toContain('of-nobody');
  } finally {
    pages.stop();
  }
});
