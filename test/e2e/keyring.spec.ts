// What the app does when the keyring is not what it should be: none, locked behind a dialog, locked
// while it runs.
import { button, expect, signedIn, test } from './fixtures.js';

const QUIT_LIMIT_MS = 5_000;

test.describe('without a keyring', () => {
  test.use({ labOptions: { keyring: 'none' } });

  test('signs in, and says that it will not be remembered', async ({ desk }) => {
    const app = desk.launch();
    const view = await desk.signIn(app);
    expect(view).toMatchObject({
      remembered: false,
      store: 'memory',
      error: { code: 'keyring-unavailable' },
    });
    await expect(await app.firstWindow().then((page) => page.locator('main'))).toContainText(
      /not be remembered/i,
    );
  });
});

test('starts with a locked keyring whose dialog nobody answers, shows it, and quits within 5 seconds', async ({
  desk,
}) => {
  const first = desk.launch();
  await desk.signIn(first);
  await first.end();
  await desk.lab.lockKeyring();

  const app = desk.launch();
  const page = await app.firstWindow();
  const view = await app.waitForView(
    'the app to say that the keyring is locked',
    (one) => one.status === 'locked',
  );
  expect(view).toMatchObject({ error: { code: 'keyring-locked' } });
  await expect(button(page, 'retry')).toBeVisible();
  expect(desk.lab.processes().some(({ command }) => command.includes('gcr-prompter'))).toBe(true);

  const startedAt = Date.now();
  app.child.kill('SIGTERM');
  await app.exited();
  expect(Date.now() - startedAt).toBeLessThan(QUIT_LIMIT_MS);
});

test('quits within 5 seconds when its windows are closed while the keyring dialog is open', async ({
  desk,
}) => {
  const first = desk.launch();
  await desk.signIn(first);
  await first.end();
  await desk.lab.lockKeyring();

  const app = desk.launch();
  const page = await app.firstWindow();
  await app.waitForView(
    'the app to say that the keyring is locked',
    (one) => one.status === 'locked',
  );
  const startedAt = Date.now();
  await page.evaluate(() => window.close());
  await app.exited();
  expect(Date.now() - startedAt).toBeLessThan(QUIT_LIMIT_MS);
});

test("goes on by itself when the person answers the keyring's dialog", async ({ desk }) => {
  const first = desk.launch();
  const before = await desk.signIn(first);
  await first.end();
  await desk.lab.lockKeyring();

  const app = desk.launch();
  await app.waitForView(
    'the app to say that the keyring is locked',
    (one) => one.status === 'locked',
  );
  await desk.lab.answerDialog('password');
  const after = await signedIn(app);
  expect(after.account).toEqual(before.account);
  expect(after.remembered).toBe(true);
});

test('loses nothing when the person dismisses the dialog, and asks again on demand', async ({
  desk,
}) => {
  const first = desk.launch();
  const before = await desk.signIn(first);
  await first.end();
  await desk.lab.lockKeyring();

  const app = desk.launch();
  const page = await app.firstWindow();
  await app.waitForView(
    'the app to say that the keyring is locked',
    (one) => one.status === 'locked',
  );
  await desk.lab.answerDialog('escape');
  await page.waitForTimeout(1_000);
  expect(app.view()).toMatchObject({ status: 'locked' });

  await button(page, 'retry').click();
  await desk.lab.answerDialog('password');
  const after = await signedIn(app);
  expect(after.account).toEqual(before.account);
});
