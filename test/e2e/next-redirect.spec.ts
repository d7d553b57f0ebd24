// When the browser does not come back: a code typed on another device, a QR code, and what is
// pasted by hand. A scripted person does it in the real browser; the demo finishes signed in.
import type { Page } from '@playwright/test';
import decodeQR from 'qr/decode.js';
import { addressOf, cutOff } from '../../scripts/lab/lab-browser.mjs';
import { testKit } from '../../scripts/shared/test-kit.mjs';
import {
  button,
  expect,
  LOOPBACK,
  requestsTo,
  SCHEME,
  signedIn,
  signedOut,
  test,
  waitingBy,
} from './fixtures.js';
import type { Desk, WatchedApp } from './fixtures.js';

const SCHEME_REDIRECT = `${SCHEME}:/callback`;
/** No browser finds this host: the answer stays in the address bar. */
const NOWHERE = 'https://signed-in.example.com/done';

test.setTimeout(180_000);

/** Starts an attempt by the first redirect and asks for the next way. */
async function goAnotherWay(
  desk: Desk,
  redirects: readonly [string, string],
): Promise<{ app: WatchedApp; page: Page }> {
  await desk.browser();
  const app = desk.launch({ flags: redirects.map((redirect) => `--redirect=${redirect}`) });
  const page = await app.firstWindow();
  await button(page, 'sign-in').click();
  await expect(button(page, 'other-way')).toBeVisible();
  await desk.providerTab();
  await button(page, 'other-way').click();
  return { app, page };
}

/** A page that shares nothing with the browser on the desk, as on another device. */
async function otherDevice(desk: Desk, address: string): Promise<Page> {
  const browser = await desk.browser();
  const tab = await browser.newPage();
  await tab.goto(address);
  return tab;
}

/** What the person reads on the app's screen. */
async function readScreen(page: Page): Promise<{ code: string; address: string }> {
  return {
    code: await page.locator('#user-code .groups').innerText(),
    address: await page.locator('#address').innerText(),
  };
}

test('signs in by a code that is typed on another device', async ({ desk }) => {
  const { enterCodeWithPage } = await testKit();
  const { app, page } = await goAnotherWay(desk, [SCHEME_REDIRECT, 'device-code']);
  const attempt = await waitingBy(app, 'device-code');
  const { code, address } = await readScreen(page);
  expect(code).toBe(attempt.device?.userCode);
  expect(address).toBe(attempt.device?.verificationUri);

  await enterCodeWithPage(await otherDevice(desk, address), code);
  expect(await signedIn(app)).toMatchObject({
    account: { name: 'Ada Lovelace' },
    remembered: true,
  });
  await expect(page.getByRole('heading', { name: 'Ada Lovelace' })).toBeVisible();
  await expect(page.locator('#user-code')).toHaveText('');
  await expect(page.locator('#timeline')).toContainText('The provider said yes');
});

test('has a QR code that leads to the page with the code in it, for the person to compare', async ({
  desk,
}) => {
  const { enterCodeWithPage } = await testKit();
  const { app, page } = await goAnotherWay(desk, [SCHEME_REDIRECT, 'device-code']);
  const attempt = await waitingBy(app, 'device-code');
  const scanned = await scan(desk, page);
  expect(scanned).toBe(attempt.device?.verificationUriComplete);
  await page.emulateMedia({ colorScheme: 'dark' });
  expect(await scan(desk, page)).toBe(scanned);

  const { code } = await readScreen(page);
  const phone = await otherDevice(desk, scanned);
  await expect(phone.locator('body')).toContainText(code);
  await enterCodeWithPage(phone, code);
  await signedIn(app);
});

test('opens the page for the code on this computer when the person asks for it', async ({
  desk,
}) => {
  const { enterCodeWithPage } = await testKit();
  const { app, page } = await goAnotherWay(desk, [SCHEME_REDIRECT, 'device-code']);
  await waitingBy(app, 'device-code');
  const { code } = await readScreen(page);
  await button(page, 'reopen').click();
  await enterCodeWithPage(await desk.providerTab('/device'), code);
  await signedIn(app);
});

test('says so when the person finds another code on that page', async ({ desk }) => {
  const { enterCodeWithPage } = await testKit();
  const { app, page } = await goAnotherWay(desk, [SCHEME_REDIRECT, 'device-code']);
  await waitingBy(app, 'device-code');
  const { code, address } = await readScreen(page);
  await enterCodeWithPage(await otherDevice(desk, address), code, { compare: false });
  expect(await signedOut(app)).toMatchObject({ error: { code: 'sign-in-denied' } });
  await expect(page.getByRole('heading', { name: 'The sign-in was declined' })).toBeVisible();
});

test('still takes the answer of the first way after another one was opened', async ({ desk }) => {
  const { app } = await goAnotherWay(desk, [SCHEME_REDIRECT, 'device-code']);
  await waitingBy(app, 'device-code');
  await desk.person();
  expect(await signedIn(app)).toMatchObject({ account: { name: 'Ada Lovelace' } });
});

test('signs in by the address that the browser could not open, pasted by hand', async ({
  desk,
}) => {
  await desk.browser();
  const app = desk.launch({ flags: [`--redirect=${LOOPBACK}`] });
  const page = await app.firstWindow();
  await button(page, 'sign-in').click();
  await waitingBy(app, 'loopback');
  const tab = await desk.providerTab();
  await cutOff(tab, 'http://127.0.0.1:*/callback*');
  await desk.person();
  await expect.poll(() => addressOf(tab)).toContain('/callback?');
  expect(app.view()).toMatchObject({ status: 'signing-in', attempt: { stage: 'waiting' } });

  await button(page, 'paste-instead').click();
  await paste(page, await addressOf(tab));
  expect(await signedIn(app)).toMatchObject({
    account: { name: 'Ada Lovelace' },
    remembered: true,
  });
});

test.describe('with a page to copy from', () => {
  test.use({ providerOptions: { redirectUris: [NOWHERE] } });

  test('signs in by what the person copies out of the browser, after something wrong was pasted', async ({
    desk,
  }) => {
    await desk.browser();
    const app = desk.launch({ flags: [`--redirect=paste:${NOWHERE}`] });
    const page = await app.firstWindow();
    await button(page, 'sign-in').click();
    await waitingBy(app, 'paste');
    const tab = await desk.providerTab();
    await desk.person();
    await expect.poll(() => addressOf(tab)).toContain(NOWHERE);
    const address = await addressOf(tab);

    for (const wrong of [NOWHERE, `${NOWHERE}?code=forged&state=forged`, 'hello there']) {
      await paste(page, wrong);
      await expect(page.locator('#paste-problem')).toContainText('does not belong to this sign-in');
    }
    expect(app.view()).toMatchObject({ status: 'signing-in', attempt: { stage: 'waiting' } });
    expect(requestsTo(desk.provider, 'token')).toBe(0);

    await paste(page, address);
    expect(await signedIn(app)).toMatchObject({ account: { name: 'Ada Lovelace' } });
    await expect(page.locator('#paste')).toBeHidden();
  });
});

/** Puts it into the field and goes on. The field is empty at once, whatever comes of it. */
async function paste(page: Page, text: string): Promise<void> {
  await page.locator('#pasted').fill(text);
  await button(page, 'continue').click();
  await expect(page.locator('#pasted')).toHaveValue('');
}

/** Reads the QR code out of a picture of the window, as a phone's camera would. */
async function scan(desk: Desk, page: Page): Promise<string> {
  const picture = (await page.locator('#qr').screenshot()).toString('base64');
  // The window itself may load no picture from outside; an empty tab of the browser turns this one
  // into pixels.
  const tab = await otherDevice(desk, 'about:blank');
  const pixels = await tab.evaluate(async (base64) => {
    const image = await createImageBitmap(
      await (await fetch(`data:image/png;base64,${base64}`)).blob(),
    );
    const { width, height } = image;
    const context = new OffscreenCanvas(width, height).getContext('2d');
    context?.drawImage(image, 0, 0);
    return { width, height, data: [...(context?.getImageData(0, 0, width, height).data ?? [])] };
  }, picture);
  await tab.close();
  return decodeQR({ ...pixels, data: Uint8Array.from(pixels.data) });
}
