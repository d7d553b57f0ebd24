// @ts-check
// The lab's system browser: a genuine Chromium, set as the desktop's default through a wrapper and
// a .desktop file, so that `shell.openExternal` → xdg-open reaches it as on a person's machine. It
// listens for DevTools on a free port.
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findBrowser } from '../shared/system-packages.mjs';
import { Stop } from '../shared/say.mjs';

const START_LIMIT_MS = 30_000;
const DESKTOP_FILE = 'lab-browser.desktop';

/** @typedef {import('./lab-keyring.mjs').Owner} Owner */
/** @typedef {{ origin: string, scheme: string }} AllowedLink a page of `origin` may open links of `scheme` without a question */

/**
 * Writes the wrapper and makes it the default browser of the lab's desktop.
 * @param {string} root
 * @param {Owner} owner
 */
export function installBrowser(root, owner) {
  const browser = findBrowser();
  if (browser === null) throw new Stop('there is no Chromium on this system');
  const isRoot = (owner.uid ?? process.getuid?.()) === 0;
  const flags = [
    ...(isRoot ? ['--no-sandbox'] : []),
    `--user-data-dir=${profile(root)}`,
    '--remote-debugging-port=0',
    '--no-first-run',
    '--no-default-browser-check',
    '--disable-sync',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-quic',
    '--password-store=basic',
    '--disable-gpu',
    '--disable-dev-shm-usage',
    '--hide-crash-restore-bubble',
    '--window-size=1100,800',
    '--host-resolver-rules="MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"',
  ];
  const wrapper = join(root, 'browser');
  // It must detach: else xdg-open stays in the foreground and holds the pipes of the app that
  // called it.
  writeFileSync(
    wrapper,
    `#!/bin/sh\nsetsid '${browser}' ${flags.join(' ')} "$@" </dev/null >>'${join(root, 'browser.log')}' 2>&1 &\n`,
  );
  chmodSync(wrapper, 0o755);

  const applications = join(String(owner.env['XDG_DATA_HOME']), 'applications');
  mkdirSync(applications, { recursive: true });
  writeFileSync(
    join(applications, DESKTOP_FILE),
    `[Desktop Entry]\nType=Application\nName=Lab Browser\nExec=${wrapper} %u\nTerminal=false\nMimeType=x-scheme-handler/http;x-scheme-handler/https;text/html;\n`,
  );
  const config = String(owner.env['XDG_CONFIG_HOME']);
  mkdirSync(config, { recursive: true });
  const types = ['x-scheme-handler/http', 'x-scheme-handler/https', 'text/html'];
  writeFileSync(
    join(config, 'mimeapps.list'),
    `[Default Applications]\n${types.map((type) => `${type}=${DESKTOP_FILE}\n`).join('')}`,
  );
  execFileSync('update-desktop-database', [applications], { env: owner.env, stdio: 'ignore' });
}

/**
 * Answers in advance the browser's question "Open xdg-open?", which automation can't click. Only
 * before its start.
 * @param {string} root
 * @param {readonly AllowedLink[]} links
 */
export function allowLinks(root, links) {
  /** @type {Record<string, Record<string, true>>} */
  const pairs = {};
  for (const { origin, scheme } of links) pairs[origin] = { ...pairs[origin], [scheme]: true };
  const folder = join(profile(root), 'Default');
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, 'Preferences'),
    JSON.stringify({ protocol_handler: { allowed_origin_protocol_pairs: pairs } }),
  );
}

/** @param {string} root */
export function browserRuns(root) {
  return existsSync(portFile(root));
}

/**
 * Connects to the running browser, or starts it with an empty tab (it would end with its last one).
 * @param {string} root
 * @param {Owner} owner
 * @returns {Promise<import('playwright').Browser>}
 */
export async function connectBrowser(root, owner) {
  if (!browserRuns(root))
    spawn(join(root, 'browser'), ['about:blank'], { ...owner, stdio: 'ignore' }).unref();
  const { chromium } = await import('playwright');
  const deadline = Date.now() + START_LIMIT_MS;
  for (;;) {
    const port = browserRuns(root) ? readFileSync(portFile(root), 'utf8').split('\n')[0] : '';
    if (port) {
      try {
        return await chromium.connectOverCDP(`http://127.0.0.1:${port}`, { timeout: 10_000 });
      } catch (error) {
        if (Date.now() > deadline) throw error;
      }
    }
    if (Date.now() > deadline) throw new Stop(`the browser did not start in time\n${log(root)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/**
 * The newest tab whose address begins like this, as soon as it is there.
 * @param {import('playwright').Browser} browser
 * @param {string} prefix
 * @param {number} [limitMs]
 * @returns {Promise<import('playwright').Page>}
 */
export async function tabOf(browser, prefix, limitMs = 20_000) {
  const deadline = Date.now() + limitMs;
  for (;;) {
    const tabs = browser.contexts().flatMap((context) => context.pages());
    const tab = tabs.findLast((one) => one.url().startsWith(prefix));
    if (tab !== undefined) return tab;
    if (Date.now() > deadline)
      throw new Error(`the browser showed no such page in time; it has ${tabs.length} tabs`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/**
 * What a tab has in its address bar, also when it shows that it could not open it.
 * @param {import('playwright').Page} tab
 * @returns {Promise<string>}
 */
export async function addressOf(tab) {
  const devTools = await tab.context().newCDPSession(tab);
  try {
    const { entries, currentIndex } = await devTools.send('Page.getNavigationHistory');
    return entries[currentIndex]?.url ?? '';
  } catch {
    // Between two pages it has none.
    return '';
  } finally {
    await devTools.detach().catch(() => undefined);
  }
}

/**
 * From now on the tab reaches none of these addresses, as where a security program stands in
 * between. Redirects are included, which Playwright's own routes let pass.
 * @param {import('playwright').Page} tab
 * @param {string} pattern with `*` for any text
 */
export async function cutOff(tab, pattern) {
  const devTools = await tab.context().newCDPSession(tab);
  devTools.on('Fetch.requestPaused', ({ requestId }) => {
    devTools
      .send('Fetch.failRequest', { requestId, errorReason: 'ConnectionRefused' })
      .catch(() => undefined);
  });
  await devTools.send('Fetch.enable', { patterns: [{ urlPattern: pattern }] });
}

/** @param {string} root */
function profile(root) {
  return join(root, 'browser-profile');
}

/** @param {string} root */
function portFile(root) {
  return join(profile(root), 'DevToolsActivePort');
}

/** @param {string} root */
function log(root) {
  const file = join(root, 'browser.log');
  return existsSync(file) ? readFileSync(file, 'utf8').slice(-1500) : '';
}
