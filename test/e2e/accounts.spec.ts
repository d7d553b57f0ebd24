// Several accounts in one app, on real parts: each in the keyring, one of them active, switched by
// the page.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { button, expect, requestsTo, signedIn, signedOut, test } from './fixtures.js';
import type { AuthView, Desk, WatchedApp } from './fixtures.js';
import type { AuthBridge } from '../../src/contract.js';

const SEVERAL = { flags: ['--several-accounts'] };

test('keeps two accounts beside each other, switches between them, and finds both after a restart', async ({
  desk,
}) => {
  const app = desk.launch(SEVERAL);
  await signedOut(app);
  await desk.signIn(app);
  await signInAsGrace(desk, app);
  expect(await named(app)).toEqual(['Grace Hopper', ['Ada Lovelace']]);
  expect(recordsOf(desk)).toEqual(['Ada Lovelace: kept', 'Grace Hopper: kept']);

  const window = (await app.windows())[0]!;
  await button(window, 'switch').click();
  await expect.poll(() => named(app)).toEqual(['Ada Lovelace', ['Grace Hopper']]);
  await app.end();

  const asked = requestsTo(desk.provider, 'authorization');
  const again = desk.launch(SEVERAL);
  await signedIn(again);
  expect(await named(again)).toEqual(['Ada Lovelace', ['Grace Hopper']]);
  const page = (await again.windows())[0]!;
  // From the keyring, without a browser.
  await button(page, 'switch').click();
  await expect.poll(() => named(again)).toEqual(['Grace Hopper', ['Ada Lovelace']]);
  await button(page, 'sign-out').click();
  await expect.poll(() => recordsOf(desk)).toEqual(['Ada Lovelace: kept', 'Grace Hopper: none']);
  await button(page, 'switch').click();
  await expect.poll(() => named(again)).toEqual(['Ada Lovelace', []]);
  expect(requestsTo(desk.provider, 'authorization')).toBe(asked);
});

/** Besides who is signed in, as a host's own page asks for it. */
async function signInAsGrace(desk: Desk, app: WatchedApp): Promise<void> {
  // The last page of the first sign-in is not the one to fill in.
  await (await desk.providerTab()).goto('about:blank');
  const page = await app.firstWindow();
  const reply = page.evaluate(() =>
    (window as unknown as { latchkey: AuthBridge }).latchkey.signIn({ prompt: 'login' }),
  );
  await app.waitForView(
    'the second attempt',
    (view) => view.status === 'signed-in' && view.attempt?.stage === 'waiting',
  );
  await desk.person({ login: 'grace' });
  expect(await reply).toEqual({ ok: true });
}

/** The active account and the others, as the page has them. */
async function named(app: WatchedApp): Promise<unknown> {
  const view = await (
    await app.firstWindow()
  ).evaluate(
    () => JSON.parse(document.querySelector('#view-json')?.textContent ?? '{}') as AuthView,
  );
  return view.status === 'signed-in'
    ? [view.account.name, (view.otherAccounts ?? []).map(({ name }) => name)]
    : view.status;
}

function recordsOf({ lab }: Desk): readonly string[] {
  const { accounts } = JSON.parse(
    readFileSync(join(lab.home, '.config', 'Latchkey Demo', 'latchkey.json'), 'utf8'),
  ) as { accounts: readonly { name: string; record: string }[] };
  return accounts.map(({ name, record }) => `${name}: ${record}`).sort();
}
