// A sign-in that outlives its app: killed with SIGKILL while the person is in the browser, started
// again by the callback itself. What a link has started writes its views nowhere, so the proof is
// what the provider was asked, the state file, and the next start by a person.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  button,
  expect,
  requestsTo,
  SCHEME,
  signedIn,
  signedOut,
  test,
  waiting,
} from './fixtures.js';
import type { Desk, WatchedApp } from './fixtures.js';

const GONE_LIMIT_MS = 8_000;

/** An app that the operating system started to open a link. */
interface LinkedApp {
  readonly pid: number;
  /** The link, as it stands on the command line. */
  readonly url: string;
}

test('finishes a sign-in whose app was killed while the person was in the browser', async ({
  desk,
}) => {
  await beginAndKill(desk);
  expect(requestsTo(desk.provider, 'token')).toBe(0);

  await desk.person();
  const started = await startedByLink(desk);
  await expect.poll(() => codeRequests(desk), { timeout: 20_000 }).toEqual([200]);
  await expect
    .poll(() => stateFile(desk))
    .toMatchObject({ accounts: [{ name: 'Ada Lovelace', record: 'kept' }], attempts: [] });
  await endLinked(desk, started);

  const asked = requestsTo(desk.provider, 'authorization');
  const again = desk.launch();
  expect(await signedIn(again)).toMatchObject({
    account: { name: 'Ada Lovelace' },
    remembered: true,
    store: 'keychain',
  });
  expect(requestsTo(desk.provider, 'authorization')).toBe(asked);
  expect(codeRequests(desk)).toEqual([200]);
});

test('finishes it in an app that the person has started again before the browser came back', async ({
  desk,
}) => {
  await beginAndKill(desk);
  const again = desk.launch();
  await signedOut(again);
  await desk.person();
  expect(await signedIn(again)).toMatchObject({
    account: { name: 'Ada Lovelace' },
    remembered: true,
  });
  expect(codeRequests(desk)).toEqual([200]);
});

test('posts the code once when the callback comes again during the redemption, after it, and after another kill', async ({
  desk,
}) => {
  await beginAndKill(desk);
  desk.provider.fault({
    kind: 'slow',
    endpoint: 'token',
    grantType: 'authorization_code',
    delayMs: 4_000,
    times: 1,
  });
  await desk.person();
  const started = await startedByLink(desk);
  // The provider has carried it out, and the app waits for the answer.
  await expect.poll(() => codeRequests(desk), { intervals: [50] }).toEqual([200]);
  await openLink(desk, started.url);
  expect(stateFile(desk)).toMatchObject({ accounts: [] });
  await expect
    .poll(() => stateFile(desk))
    .toMatchObject({ accounts: [{ record: 'kept' }], attempts: [] });
  await openLink(desk, started.url);
  await endLinked(desk, started);

  const cold = openLink(desk, started.url);
  const last = await startedByLink(desk);
  // What a cold start does with a callback is done long before this.
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  await endLinked(desk, last);
  await cold;
  expect(codeRequests(desk)).toEqual([200]);
  await signedIn(desk.launch());
});

test('never posts a code again whose redemption a kill has cut off, and signs in afresh', async ({
  desk,
}) => {
  await beginAndKill(desk);
  desk.provider.fault({
    kind: 'hang',
    endpoint: 'token',
    grantType: 'authorization_code',
    times: 1,
  });
  await desk.person();
  const started = await startedByLink(desk);
  await expect.poll(() => codeRequests(desk)).toEqual([null]);
  await endLinked(desk, started, 'SIGKILL');

  const again = desk.launch();
  await signedOut(again);
  await openLink(desk, started.url);
  await again.firstWindow().then((page) => page.waitForTimeout(1_000));
  expect(codeRequests(desk)).toEqual([null]);
  expect(again.view()).toMatchObject({ status: 'signed-out' });
  expect(stateFile(desk)).toMatchObject({ attempts: [] });
  // The next trip has a tab of its own.
  await (await desk.providerTab()).close();
  await desk.signIn(again);
});

/** The app waits for the browser, which shows the provider's page, and is gone. */
async function beginAndKill(desk: Desk): Promise<WatchedApp> {
  await desk.browser();
  const app = desk.launch();
  await button(await app.firstWindow(), 'sign-in').click();
  await waiting(app);
  await desk.providerTab();
  // The attempt is kept beside the opening of the browser; a kill before that is the one moment
  // that loses it.
  await expect.poll(() => stateFile(desk)).toMatchObject({ attempts: [{}] });
  await new Promise((resolve) => setTimeout(resolve, 500));
  await app.kill();
  expect(appsOf(desk)).toEqual([]);
  return app;
}

/** The status of every request that posted a code; null while it is unanswered. */
function codeRequests({ provider }: Desk): readonly (number | null)[] {
  return provider.requests
    .filter(({ grantType }) => grantType === 'authorization_code')
    .map(({ status }) => status);
}

function stateFile({ lab }: Desk): unknown {
  return JSON.parse(
    readFileSync(join(lab.home, '.config', 'Latchkey Demo', 'latchkey.json'), 'utf8'),
  );
}

/** The main processes of the demo that run now. */
function appsOf({ lab }: Desk): readonly { readonly pid: number; readonly command: string }[] {
  return lab
    .processes()
    .filter(({ command }) => /^\S*electron /.test(command) && !command.includes('--type='));
}

async function startedByLink(desk: Desk): Promise<LinkedApp> {
  const find = (): LinkedApp[] =>
    appsOf(desk).flatMap(({ pid, command }) => {
      const [url] = new RegExp(`${SCHEME}:/callback\\?\\S+`).exec(command) ?? [];
      return url === undefined ? [] : [{ pid, url }];
    });
  await expect.poll(() => find().length, { timeout: 20_000, intervals: [50] }).toBeGreaterThan(0);
  const [started] = find();
  if (started === undefined) throw new Error('the app that a link had started has ended already');
  return started;
}

async function endLinked(
  desk: Desk,
  { pid }: LinkedApp,
  signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM',
): Promise<void> {
  process.kill(pid, signal);
  await expect.poll(() => appsOf(desk), { timeout: GONE_LIMIT_MS, intervals: [50] }).toEqual([]);
}

/**
 * As the browser does it. Resolves when xdg-open has ended: at once when an app runs, else with the
 * app that it starts.
 */
function openLink({ lab }: Desk, url: string): Promise<void> {
  const child = spawn('xdg-open', [url], { ...lab.owner, stdio: 'ignore' });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', () => resolve());
  });
}
