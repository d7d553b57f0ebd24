// A person who needs more than a minute in the browser, in real time: no clock is moved here. It
// waits beside the other specs, with a worker of its own (playwright.config.ts).
import { setTimeout as sleep } from 'node:timers/promises';
import { button, expect, signedIn, test, waiting } from './fixtures.js';

/** More than the 60 s by which the clocks of computers may be off. */
const HESITATION_MS = 70_000;

test('signs in somebody who looks at the page of the provider for 70 seconds', async ({ desk }) => {
  test.setTimeout(180_000);
  await desk.browser();
  const app = desk.launch();
  const page = await app.firstWindow();
  await button(page, 'sign-in').click();
  await waiting(app);
  await desk.providerTab();
  await sleep(HESITATION_MS);
  await desk.person({ login: 'ada' });
  const view = await signedIn(app);
  expect(view).toMatchObject({
    account: { name: 'Ada Lovelace' },
    remembered: true,
    renewal: { state: 'fresh' },
  });
  expect(desk.provider.tokenRequests('authorization_code')).toBe(1);
});
