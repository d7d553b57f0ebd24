// No secret of a run is found where it may not be: page, output, disk. The search is proved on
// planted secrets.
import type { CDPSession, Page } from '@playwright/test';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { addressOf, cutOff } from '../../scripts/lab/lab-browser.mjs';
import { testKit } from '../../scripts/shared/test-kit.mjs';
import { button, expect, LOOPBACK, signedIn, signedOut, test, waitingBy } from './fixtures.js';
import type { Desk, WatchedApp } from './fixtures.js';

/**
 * Long strings are cut in heap snapshots, and tokens may be stored in parts: so pieces of each
 * secret are looked for.
 */
const PIECE = 24;

interface Finding {
  readonly place: string;
  readonly kind: string;
}

interface Secret {
  readonly kind: string;
  readonly value: string;
}

function piecesOf(value: string): string[] {
  const starts = [0, Math.floor(value.length / 2), value.length - PIECE].filter(
    (start) => start >= 0 && start + PIECE <= value.length,
  );
  return starts.length > 0
    ? [...new Set(starts)].map((start) => value.slice(start, start + PIECE))
    : [value];
}

/** Looks for each secret as it is, percent-encoded, in base64 and in UTF-16. */
function findIn(place: string, content: Buffer, secrets: readonly Secret[]): Finding[] {
  return secrets
    .filter(({ value }) =>
      piecesOf(value).some((piece) => formsOf(piece).some((form) => content.includes(form))),
    )
    .map(({ kind }) => ({ place, kind }));
}

function formsOf(piece: string): Buffer[] {
  const base64 = [0, 1, 2].map((shift) =>
    Buffer.from(piece.slice(shift)).toString('base64').slice(0, -4),
  );
  return [
    Buffer.from(piece),
    Buffer.from(encodeURIComponent(piece)),
    Buffer.from(piece, 'utf16le'),
    ...base64.map((text) => Buffer.from(text)),
  ];
}

function findOnDisk(
  folder: string,
  secrets: readonly Secret[],
  isLeftOut: (path: string) => boolean,
): Finding[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !isLeftOut(path))
    .flatMap((path) => findIn(path.slice(folder.length), readFileSync(path), secrets));
}

async function heapOf(page: Page): Promise<Buffer> {
  const session: CDPSession = await page.context().newCDPSession(page);
  const chunks: string[] = [];
  session.on('HeapProfiler.addHeapSnapshotChunk', ({ chunk }) => chunks.push(chunk));
  await session.send('HeapProfiler.takeHeapSnapshot', { reportProgress: false });
  await session.detach();
  return Buffer.from(chunks.join(''));
}

/** Every place that is not the main process's memory or the keychain. */
async function search(
  desk: Desk,
  apps: readonly WatchedApp[],
  secrets: readonly Secret[],
): Promise<Finding[]> {
  const last = apps.at(-1);
  const pages = last === undefined ? [] : await last.windows();
  const findings: Finding[] = [];
  for (const [index, page] of pages.entries()) {
    findings.push(...findIn(`heap of window ${index + 1}`, await heapOf(page), secrets));
    findings.push(
      ...findIn(`document of window ${index + 1}`, Buffer.from(await page.content()), secrets),
    );
  }
  for (const [index, app] of apps.entries()) {
    findings.push(...findIn(`output of app ${index + 1}`, Buffer.from(app.output()), secrets));
    findings.push(
      ...findIn(`views of app ${index + 1}`, Buffer.from(JSON.stringify(app.views)), secrets),
    );
  }
  // The browser's own profile knows its history; that is outside of what an app can decide.
  findings.push(...findOnDisk(desk.lab.home, secrets, () => false));
  findings.push(...findOnDisk(join(desk.lab.root, 'tmp'), secrets, () => false));
  return findings;
}

test.use({ providerOptions: { accessTokenSeconds: 9 } });

test('leaves no code, verifier, state, nonce or token in page, output or files; the search finds what is planted', async ({
  desk,
}) => {
  const app = desk.launch();
  await desk.signIn(app);
  const page = await app.firstWindow();
  await button(page, 'another-window').click();
  await app.waitForView(
    'a renewal',
    (view) => view.status === 'signed-in' && view.renewal.state === 'fresh' && renewals() > 0,
    30_000,
  );

  const secrets: readonly Secret[] = desk.provider.issued;
  const kinds = new Set(secrets.map((secret) => secret.kind));
  expect([...kinds].sort()).toEqual([
    'access_token',
    'code',
    'code_verifier',
    'id_token',
    'nonce',
    'refresh_token',
    'state',
  ]);
  expect(await search(desk, [app], secrets)).toEqual([]);

  await button(page, 'sign-out').click();
  await signedOut(app);
  expect(await search(desk, [app], desk.provider.issued)).toEqual([]);

  const planted: Secret = {
    kind: 'planted',
    value: [
      'planted',
      ...Array.from({ length: 40 }, (_, index) => (index * 7919).toString(36)),
    ].join('-'),
  };
  await page.evaluate((value) => {
    Object.assign(globalThis, { planted: { deep: [value] } });
  }, planted.value);
  const folder = readdirSync(join(desk.lab.home, '.config')).find((name) =>
    name.startsWith('Latchkey'),
  );
  if (folder === undefined) throw new Error('the app has a folder for its data');
  writeFileSync(
    join(desk.lab.home, '.config', folder, 'planted.json'),
    JSON.stringify({ value: Buffer.from(planted.value).toString('base64') }),
  );
  const found = await search(desk, [app], [planted]);
  expect(found.map(({ place }) => place).join('\n')).toContain('heap of window 1');
  expect(found.map(({ place }) => place).join('\n')).toContain('planted.json');

  function renewals(): number {
    return desk.provider.requests.filter(
      (request) => request.grantType === 'refresh_token' && request.status === 200,
    ).length;
  }
});

test('leaves no device code and no token behind after a sign-in by a code on another device', async ({
  desk,
}) => {
  const { enterCodeWithPage } = await testKit();
  await desk.browser();
  const app = desk.launch({ flags: ['--redirect=device-code', '--sign-in'] });
  const { device } = await waitingBy(app, 'device-code');
  if (device === undefined) throw new Error('this way has a code');
  const phone = await (await desk.browser()).newPage();
  await phone.goto(device.verificationUri);
  await enterCodeWithPage(phone, device.userCode);
  await signedIn(app);
  expect(desk.provider.issued.map(({ kind }) => kind)).toContain('device_code');
  expect(await search(desk, [app], desk.provider.issued)).toEqual([]);
});

test('leaves nothing of what was pasted in page, output or files, and undoing does not bring it back', async ({
  desk,
}) => {
  await desk.browser();
  const app = desk.launch({ flags: [`--redirect=${LOOPBACK}`, '--sign-in'] });
  const page = await app.firstWindow();
  await waitingBy(app, 'loopback');
  const tab = await desk.providerTab();
  await cutOff(tab, 'http://127.0.0.1:*/callback*');
  await desk.person();
  await expect.poll(() => addressOf(tab)).toContain('/callback?');
  await button(page, 'paste-instead').click();

  const refused: Secret = { kind: 'pasted', value: `pasted-${'0123456789abcdefghij'.repeat(3)}` };
  await page.locator('#pasted').focus();
  await page.keyboard.insertText(refused.value);
  await page.keyboard.press('Enter');
  await expect(page.locator('#paste-problem')).toBeVisible();
  await page.keyboard.press('Control+z');
  await expect(page.locator('#pasted')).toHaveValue('');

  await page.keyboard.insertText(await addressOf(tab));
  await page.keyboard.press('Enter');
  await signedIn(app);
  expect(await search(desk, [app], [refused, ...desk.provider.issued])).toEqual([]);
});

test('gives the page a bridge with its few methods and no way to Node', async ({ desk }) => {
  const app = desk.launch();
  const page = await app.firstWindow();
  await signedOut(app);
  const seen = await page.evaluate(() => ({
    bridge: Object.keys((globalThis as unknown as { latchkey: object }).latchkey).sort(),
    node: ['require', 'process', 'module', 'Buffer', 'global', 'electron'].filter(
      (name) => name in globalThis,
    ),
  }));
  expect(seen).toEqual({
    bridge: [
      'cancelSignIn',
      'initialView',
      'onView',
      'openRequest',
      'pasteCallback',
      'reopenBrowser',
      'retry',
      'signIn',
      'signOut',
      'switchAccount',
      'tryAnotherWay',
    ],
    node: [],
  });
  const violation = await page.evaluate(async () => {
    const blocked = new Promise<string>((resolve) =>
      document.addEventListener('securitypolicyviolation', (event) =>
        resolve(event.effectiveDirective),
      ),
    );
    const script = document.createElement('script');
    script.textContent = 'globalThis.injected = true';
    document.body.append(script);
    return blocked;
  });
  expect(violation).toBe('script-src-elem');
});
