// The whole app in the real Electron, with a scripted person in the place of the browser.
import { expect, test } from 'latchkey/testing/playwright';

test('shows who has signed in', async ({ app, signedIn }) => {
  const page = await signedIn(app, {
    by: (page) => page.getByRole('button', { name: 'Sign in' }).click(),
    login: 'grace',
  });
  await expect(page.locator('output')).toHaveText('Hello Grace Hopper');
});

test('shows nobody when the person says no', async ({ app, signedIn }) => {
  await expect(signedIn(app, { consent: 'deny' })).rejects.toThrow('sign-in-denied');
  await expect((await app.firstWindow()).locator('output')).toHaveText('signed-out');
});
