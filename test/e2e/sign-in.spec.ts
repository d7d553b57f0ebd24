// The whole trip on real parts: Electron, system browser, scheme handling, keyring.
import { spawnSync } from 'node:child_process';
import {
  button,
  expect,
  LOOPBACK,
  requestsTo,
  SCHEME,
  signedIn,
  signedOut,
  test,
  waiting,
} from './fixtures.js';

test('signs in through the system browser by the custom scheme', async ({ desk }) => {
  await desk.browser();
  const app = desk.launch();
  const page = await app.firstWindow();
  expect(await signedOut(app)).toMatchObject({ reason: 'never' });

  await button(page, 'sign-in').click();
  expect(await waiting(app)).toMatchObject({ attempt: { redirect: 'custom-scheme' } });
  await desk.person({ login: 'ada' });

  const view = await signedIn(app);
  expect(view).toMatchObject({
    account: { name: 'Ada Lovelace', issuer: desk.provider.issuer },
    remembered: true,
    store: 'keychain',
  });
  await expect(page.getByRole('heading', { name: 'Ada Lovelace' })).toBeVisible();
  const token = desk.provider.requests.find((request) => request.endpoint === 'token');
  expect(token).toMatchObject({ origin: null, authorizationScheme: null, status: 200 });
  expect(token?.parameterNames).not.toContain('client_secret');
});

test('starts the browser by itself when none is open', async ({ desk }) => {
  const app = desk.launch({ flags: ['--sign-in'] });
  await waiting(app);
  await expect.poll(() => desk.lab.browserRuns()).toBe(true);
  await desk.person();
  await signedIn(app);
});

test('is still signed in after a restart, without a browser', async ({ desk }) => {
  const first = desk.launch();
  const before = await desk.signIn(first);
  await first.end();
  const asked = requestsTo(desk.provider, 'authorization');

  const second = desk.launch();
  const after = await signedIn(second);
  expect(after.account).toEqual(before.account);
  expect(after.remembered).toBe(true);
  expect(requestsTo(desk.provider, 'authorization')).toBe(asked);
  expect(second.views.map((view) => view.status)).not.toContain('signed-out');
});

test.describe('with access tokens that live 9 seconds', () => {
  test.use({ providerOptions: { accessTokenSeconds: 9 } });

  test('renews in the background, and the rotated refresh token survives a restart', async ({
    desk,
  }) => {
    const app = desk.launch();
    const first = await desk.signIn(app);
    await app.waitForView(
      'a second renewal',
      (view) => view.status === 'signed-in' && view.renewal.state === 'fresh' && renewals() >= 2,
      30_000,
    );
    expect(app.view()).toMatchObject({
      status: 'signed-in',
      account: first.account,
      remembered: true,
    });
    await app.end();

    const again = desk.launch();
    const after = await signedIn(again);
    expect(after.account).toEqual(first.account);
    await again.waitForView(
      'a renewal after the restart',
      (view) => view.status === 'signed-in' && view.renewal.state === 'fresh',
    );

    function renewals(): number {
      return desk.provider.requests.filter(
        (request) => request.grantType === 'refresh_token' && request.status === 200,
      ).length;
    }
  });
});

test('signs out here and at the server, and stays signed out after a restart', async ({ desk }) => {
  const app = desk.launch();
  const { account } = await desk.signIn(app);
  await button(await app.firstWindow(), 'sign-out').click();
  expect(await signedOut(app)).toMatchObject({
    reason: 'signed-out',
    lastAccount: { id: account.id },
  });
  await expect.poll(() => requestsTo(desk.provider, 'revocation')).toBeGreaterThan(0);
  await app.end();

  const again = desk.launch();
  await signedOut(again);
  await expect(button(await again.firstWindow(), 'sign-in')).toBeVisible();
});

test('lets another person sign in after a sign-out, although the browser still knows the first', async ({
  desk,
}) => {
  const app = desk.launch();
  await desk.signIn(app);
  const page = await app.firstWindow();
  await button(page, 'sign-out').click();
  await signedOut(app);
  // The last page of the first sign-in is not the one to fill in.
  await (await desk.providerTab()).goto('about:blank');
  await button(page, 'another-account').click();
  await waiting(app);
  await desk.person({ login: 'grace' });
  expect(await signedIn(app)).toMatchObject({ account: { name: 'Grace Hopper' } });
});

test('cancels an attempt, and a callback that comes late changes nothing', async ({ desk }) => {
  await desk.browser();
  const app = desk.launch();
  const page = await app.firstWindow();
  await button(page, 'sign-in').click();
  await waiting(app);
  await desk.providerTab();
  await button(page, 'cancel').click();
  await signedOut(app);

  const views = app.views.length;
  await desk.person();
  await expect.poll(() => desk.provider.issued.some((secret) => secret.kind === 'code')).toBe(true);
  await page.waitForTimeout(3_000);
  expect(app.views.slice(views)).toEqual([]);
  expect(requestsTo(desk.provider, 'token')).toBe(0);
});

test('says that the person refused when consent is denied', async ({ desk }) => {
  await desk.browser();
  const app = desk.launch({ flags: ['--sign-in'] });
  await waiting(app);
  await desk.person({ consent: 'deny' });
  expect(await signedOut(app)).toMatchObject({ error: { code: 'sign-in-denied' } });
  await expect(button(await app.firstWindow(), 'sign-in')).toBeVisible();
});

test('signs in by a loopback redirect, and the browser shows how it ended', async ({ desk }) => {
  await desk.browser();
  const app = desk.launch({ flags: [`--redirect=${LOOPBACK}`, '--sign-in'] });
  expect(await waiting(app)).toMatchObject({ attempt: { redirect: 'loopback' } });
  const tab = await desk.providerTab();
  await desk.person();
  await signedIn(app);
  await tab.waitForURL(
    (url) => url.origin !== desk.provider.issuer && url.hostname === '127.0.0.1',
  );
  await expect(tab.locator('body')).toContainText(/signed in/i);
  await expect(tab.locator('body')).toContainText(/close this tab/i);
});

test('does not lose a link that a stranger forged: it is refused and nothing changes', async ({
  desk,
}) => {
  const app = desk.launch();
  const page = await app.firstWindow();
  await desk.browser();
  await button(page, 'sign-in').click();
  await waiting(app);
  const views = app.views.length;
  const link = spawnSync('xdg-open', [`${SCHEME}:/callback?code=forged&state=forged`], {
    ...desk.lab.owner,
    timeout: 20_000,
    stdio: 'ignore',
  });
  expect(link.status).toBe(0);
  await page.waitForTimeout(1_000);
  expect(app.views.slice(views)).toEqual([]);

  await desk.person();
  await signedIn(app);
});

test('shows the same view in a second window, opened later', async ({ desk }) => {
  const app = desk.launch();
  await desk.signIn(app);
  const first = await app.firstWindow();
  await button(first, 'another-window').click();
  await expect.poll(async () => (await app.windows()).length).toBe(2);
  const second = (await app.windows()).find((page) => page !== first);
  if (second === undefined) throw new Error('there are two windows');
  await expect(second.getByRole('heading', { name: 'Ada Lovelace' })).toBeVisible();

  await button(second, 'sign-out').click();
  await signedOut(app);
  await expect(button(first, 'sign-in')).toBeVisible();
  await expect(button(second, 'sign-in')).toBeVisible();
});
