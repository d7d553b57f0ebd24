// The keyring's daemon dies while the app runs and renews: killed as by a crash, gone for a while,
// and started again.
import { expect, requestsTo, signedIn, test } from './fixtures.js';
import type { AuthView, Desk, WatchedApp } from './fixtures.js';

test.use({ providerOptions: { accessTokenSeconds: 3 } });

test('notices nothing when the keyring daemon is killed and comes back between two renewals', async ({
  desk,
}) => {
  const app = desk.launch();
  const before = await desk.signIn(app);
  const seen = app.views.length;
  killKeyring(desk);
  await desk.lab.unlockKeyring();
  const renewed = renewals(desk);
  await expect.poll(() => renewals(desk), { timeout: 20_000 }).toBeGreaterThan(renewed + 1);
  await settled(app, desk);
  for (const view of app.views.slice(seen))
    expect(view).toMatchObject({ status: 'signed-in', remembered: true });
  await expectRemembered(desk, app, before);
});

test('stays signed in and renews while a keyring that came back locked asks for its password, and stores the session when it has it', async ({
  desk,
}) => {
  test.setTimeout(120_000);
  const app = desk.launch();
  const before = await desk.signIn(app);
  const seen = app.views.length;
  // The bus starts another daemon when one is asked for: a locked one, which opens its dialog.
  killKeyring(desk);
  const notStored = await app.waitForView(
    'the app to say that the session is not stored',
    (view) => view.status === 'signed-in' && !view.remembered,
    40_000,
  );
  expect(notStored).toMatchObject({ store: 'memory', error: { code: 'keyring-locked' } });
  const renewed = renewals(desk);
  await expect.poll(() => renewals(desk), { timeout: 40_000 }).toBeGreaterThan(renewed);

  await desk.lab.answerDialog('password');
  await app.waitForView(
    'the app to say that the session is stored again',
    (view) => view.status === 'signed-in' && view.remembered,
    40_000,
  );
  await settled(app, desk);
  expect(app.views.slice(seen).map(({ status }) => status)).not.toContain('signed-out');
  expect(app.views.slice(seen).map(({ status }) => status)).not.toContain('locked');
  expect(
    desk.provider.requests.filter(
      ({ grantType, status }) => grantType === 'refresh_token' && status !== 200,
    ),
  ).toEqual([]);
  await expectRemembered(desk, app, before);
});

function renewals({ provider }: Desk): number {
  return provider.requests.filter(
    ({ grantType, status }) => grantType === 'refresh_token' && status === 200,
  ).length;
}

function killKeyring({ lab }: Desk): void {
  const daemons = lab
    .processes()
    .filter(({ command }) => /(^|\/)gnome-keyring-daemon /.test(command));
  expect(daemons.length).toBeGreaterThan(0);
  for (const { pid } of daemons) process.kill(pid, 'SIGKILL');
}

/** One more renewal, from beginning to end. */
async function settled(app: WatchedApp, desk: Desk): Promise<void> {
  const renewed = renewals(desk);
  await expect.poll(() => renewals(desk), { timeout: 20_000 }).toBeGreaterThan(renewed);
  await app.waitForView(
    'the renewal to be stored',
    (view) => view.status === 'signed-in' && view.remembered && view.renewal.state === 'fresh',
  );
}

/**
 * What the keyring holds now is the newest refresh token: the provider would end the session for an
 * older one.
 */
async function expectRemembered(
  desk: Desk,
  app: WatchedApp,
  before: Extract<AuthView, { status: 'signed-in' }>,
): Promise<void> {
  await app.end();
  const asked = requestsTo(desk.provider, 'authorization');
  const renewed = renewals(desk);
  const again = desk.launch();
  const after = await signedIn(again);
  expect(after).toMatchObject({ account: before.account, remembered: true });
  await expect.poll(() => renewals(desk), { timeout: 15_000 }).toBeGreaterThan(renewed);
  expect(again.view()).toMatchObject({ status: 'signed-in' });
  expect(requestsTo(desk.provider, 'authorization')).toBe(asked);
}
