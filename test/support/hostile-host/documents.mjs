// @ts-check
// The documents of the hostile host: each opens one, and gives the frame that attacks.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { app, BrowserWindow } from 'electron';

/** @typedef {import('electron').WebContents} Contents */
/** @typedef {import('electron').WebFrameMain} Frame */
/** @typedef {Awaited<ReturnType<typeof import('./server.mjs').serve>>} Web */

export const OWN = pathToFileURL(join(app.getAppPath(), 'page.html')).href;

/** Sandboxed and isolated, as a careful host has it; the preload runs in frames too. */
const CAREFUL = { sandbox: true, contextIsolation: true, nodeIntegrationInSubFrames: true };

/** @param {() => boolean} holds @param {string} what */
export async function until(holds, what) {
  for (let round = 0; round < 1_200; round += 1) {
    if (holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`not so: ${what}`);
}

/** @param {string} url @param {import('electron').WebPreferences} [preferences] */
export async function open(url, preferences = {}) {
  const window = new BrowserWindow({
    show: false,
    webPreferences: { ...CAREFUL, ...preferences },
  });
  window.webContents.setWindowOpenHandler(() => ({
    action: 'allow',
    overrideBrowserWindowOptions: { show: false, webPreferences: CAREFUL },
  }));
  await window.loadURL(url).catch(() => undefined);
  return window.webContents;
}

/** @param {Contents} contents @param {string} code */
export const run = (contents, code) => contents.executeJavaScript(`${code};0`, true);

/** @param {string} url @param {string} source what is done to the frame \`f\` */
export async function frameIn(url, source) {
  const contents = await open(url);
  await run(
    contents,
    `const f = document.createElement('iframe'); ${source}; document.body.append(f)`,
  );
  await until(() => contents.mainFrame.frames.length === 1, 'there is a frame');
  await new Promise((resolve) => setTimeout(resolve, 300));
  return /** @type {Frame} */ (contents.mainFrame.frames[0]);
}

/** @param {string} url @param {string} code opens a window */
async function popupOf(url, code) {
  const contents = await open(url);
  /** @type {Promise<Contents>} */
  const made = new Promise((resolve) =>
    contents.once('did-create-window', (window) => resolve(window.webContents)),
  );
  await run(contents, code);
  const popup = await made;
  await new Promise((resolve) => setTimeout(resolve, 300));
  return popup.mainFrame;
}

/** @param {string} url the page around it @param {string} attributes */
async function guestIn(url, attributes) {
  const contents = await open(url, { webviewTag: true });
  /** @type {Promise<Contents>} */
  const made = new Promise((resolve) =>
    contents.once('did-attach-webview', (_event, guest) => resolve(guest)),
  );
  await run(contents, `document.body.innerHTML = \`<webview ${attributes}></webview>\``);
  const guest = await made;
  await until(() => guest.getURL() !== '' && !guest.isLoading(), 'the guest is there');
  return guest.mainFrame;
}

/** @param {Web} web @returns {Record<string, () => Promise<Frame>>} */
export function documents({ trusted, stranger, neighbour }) {
  const top = async (/** @type {string} */ url, preferences = {}) =>
    (await open(url, preferences)).mainFrame;
  /** A trusted address that leads to the stranger. @param {string} path */
  const led = async (path) => {
    const contents = await open(`${trusted}${path}`);
    await until(
      () => contents.getURL() === `${stranger}/` && !contents.isLoading(),
      'it leads there',
    );
    return contents.mainFrame;
  };
  const careless = { sandbox: false, contextIsolation: false, nodeIntegration: true };
  return {
    'another origin': () => top(`${stranger}/`),
    'another port of the same site': () => top(`${neighbour}/`),
    'another origin with Node and without isolation': () => top(`${stranger}/`, careless),
    'an address of two megabytes': () => top(`${stranger}/?${'x'.repeat(2_000_000)}`),
    'a page that its server sandboxes': () => top(`${trusted}/sandboxed`),
    'about:blank': () => top('about:blank'),
    'data:': () => top('data:text/html,<body>data'),
    'blob: of a trusted page': () =>
      popupOf(`${trusted}/`, `open(URL.createObjectURL(new Blob(['b'], { type: 'text/html' })))`),
    'a popup of a trusted page on another origin': () =>
      popupOf(`${trusted}/`, `open('${stranger}/')`),
    'a frame of another origin': () => frameIn(`${trusted}/`, `f.src = '${stranger}/'`),
    'a frame of the same origin': () => frameIn(`${trusted}/`, `f.src = '${trusted}/'`),
    'a frame with srcdoc': () => frameIn(`${trusted}/`, `f.srcdoc = 'inside'`),
    'a frame in a sandbox': () =>
      frameIn(`${trusted}/`, `f.sandbox = 'allow-scripts'; f.src = '${trusted}/'`),
    'a frame of a trusted page inside a stranger': () =>
      frameIn(`${stranger}/`, `f.src = '${trusted}/'`),
    'a stranger in a <webview> of a trusted page': () =>
      guestIn(`${trusted}/`, `src="${stranger}/"`),
    'a stranger in a <webview> with Node': () =>
      guestIn(
        `${trusted}/`,
        `src="${stranger}/" nodeintegration webpreferences="contextIsolation=no, sandbox=no"`,
      ),
    'a trusted page in a <webview> of a stranger': () =>
      guestIn(`${stranger}/`, `src="${trusted}/"`),
    'a file elsewhere': () => top(pathToFileURL(String(process.env['LATCHKEY_ELSEWHERE'])).href),
    'a trusted address that is redirected': () => led('/302'),
    'a trusted page whose script leads elsewhere': () => led('/script'),
    'a trusted page that is refreshed to elsewhere': () => led('/refresh'),
    'a stranger after a trusted page': async () => {
      const contents = await open(`${trusted}/`);
      await contents.loadURL(`${stranger}/`);
      return contents.mainFrame;
    },
  };
}
