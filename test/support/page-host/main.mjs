// @ts-check
// A host app that opens all kinds of pages and windows in a real Electron, and tells in one line
// what each of them got of Latchkey. Started by e2e/frames.spec.ts.
/* eslint-disable @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-deprecated, @typescript-eslint/no-unsafe-class-instance-assignment -- one host for Electron 33 and later, without types of its own */
import { createServer } from 'node:http';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { app, BaseWindow, BrowserWindow, WebContentsView, protocol, session } from 'electron';

/** @typedef {import('electron').WebContents} Contents */
/** @typedef {import('electron').BaseWindow} Window */

const { createAuth } = /** @type {typeof import('../../../src/main/index.js')} */ (
  await import(String(process.env['LATCHKEY_MAIN']))
);
const own = pathToFileURL(join(app.getAppPath(), 'page.html')).href;
const elsewhere = pathToFileURL(String(process.env['LATCHKEY_ELSEWHERE'])).href;
const html = { 'content-type': 'text/html' };
const sandboxed = { ...html, 'content-security-policy': 'sandbox allow-scripts allow-popups' };

let isSandboxed = false;
const web = createServer((request, response) => {
  response.writeHead(200, isSandboxed || request.url === '/sandboxed' ? sandboxed : html);
  response.end('<body>a page of a server');
});
await new Promise((resolve) => web.listen(0, '127.0.0.1', () => resolve(null)));
const { port } = /** @type {import('node:net').AddressInfo} */ (web.address());
const server = `http://127.0.0.1:${port}`;
/** The same server, but another origin. */
const stranger = `http://localhost:${port}`;

/** @type {Window | null} */
let named = null;
let isNamed = false;
/** @type {string[]} */
const events = [];
const auth = createAuth({
  issuer: 'http://127.0.0.1:9',
  clientId: 'page-host',
  redirects: ['http://127.0.0.1/callback'],
  secretStore: 'memory',
  networkTimeoutSeconds: 1,
  apis: { nobody: { origin: 'http://127.0.0.1:9', pages: true } },
  trustedOrigins: [server, 'app://main', 'odd://main'],
  appWindow: () => {
    if (!isNamed) throw new Error('no window is named');
    return named;
  },
  onLog: ({ event, fields }) => {
    if (event === 'page-refused')
      events.push(`${String(fields['origin'])}: ${String(fields['hint'])}`);
  },
});
protocol.registerSchemesAsPrivileged([
  { scheme: 'app', privileges: { standard: true, secure: true } },
]);

const pause = (ms = 150) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * What a document has: the bridge, an answer to a call, and views that are pushed.
 * @param {Contents} contents
 */
async function has(contents) {
  const ask = (/** @type {string} */ code) => contents.executeJavaScript(code, true);
  const before = Number(await ask('raw.views()'));
  const { ok } = /** @type {{ ok: boolean }} */ (await ask('raw.call()'));
  // Fails, for there is no such server: the view changes.
  await auth.signIn().catch(() => undefined);
  await pause();
  return {
    bridge: (await ask('typeof latchkey')) === 'object',
    call: ok,
    request: await ask('raw.fetch()'),
    views: Number(await ask('raw.views()')) > before,
  };
}

const options = {
  show: false,
  webPreferences: { sandbox: true, contextIsolation: true },
};

/** @param {string} url */
async function windowOn(url) {
  const window = new BrowserWindow(options);
  window.webContents.setWindowOpenHandler(() => ({
    action: 'allow',
    overrideBrowserWindowOptions: options,
  }));
  await window.loadURL(url).catch(() => undefined);
  return window;
}

/**
 * @param {string} url
 * @param {string} [code] runs in the page; if it opens a window, that one is judged
 */
async function document(url, code) {
  const window = await windowOn(url);
  /** @type {Contents | null} */
  let popup = null;
  window.webContents.on('did-create-window', (made) => (popup = made.webContents));
  if (code !== undefined) {
    await window.webContents.executeJavaScript(`${code};0`, true);
    await pause(400);
  }
  const contents = /** @type {Contents} */ (popup ?? window.webContents);
  const { url: address, origin } = contents.mainFrame;
  const got = await has(contents);
  for (const one of BrowserWindow.getAllWindows()) one.destroy();
  return { address, origin, ...got };
}

/** @param {string} source */
const frame = (source) =>
  `const f = document.createElement('iframe'); ${source}; document.body.append(f)`;

const pages = {
  'a file of the app': () => document(own),
  'a standard scheme': () => document('app://main/'),
  'a development server': () => document(`${server}/`),
  'a trusted page that changed its path': () =>
    document(`${server}/`, `history.pushState(0, '', '/other')`),
  'a file elsewhere': () => document(elsewhere),
  'a file elsewhere with the address of a trusted one': () =>
    document(elsewhere, `history.pushState(0, '', ${JSON.stringify(own)})`),
  'another origin': () => document(`${stranger}/`),
  'another host of a standard scheme': () => document('app://other/'),
  'a scheme that is not standard': () => document('odd://main/'),
  'a page that its server sandboxes': () => document(`${server}/sandboxed`),
  'a page of the app in a sandbox': () => document('app://main/sandboxed'),
  'a page that does not load': () => document('http://127.0.0.1:9/'),
  data: () => document('data:text/html,<body>data'),
  'about:blank': () => document('about:blank'),
  'an empty popup of a trusted page': () => document(`${server}/`, `open('about:blank')`),
  'an empty popup of a file': () => document(own, `open('')`),
  'a blob of a trusted page': () =>
    document(`${server}/`, `open(URL.createObjectURL(new Blob(['b'], { type: 'text/html' })))`),
  'a popup of a sandboxed page': () => document(`${server}/sandboxed`, `open('${server}/')`),
  'a popup of a stranger that shows a trusted page': () =>
    document(`${stranger}/`, `open('${server}/', '', 'noopener')`),
};

const changes = {
  async 'the same address, loaded again in a sandbox'() {
    const window = await windowOn(`${server}/`);
    const before = await has(window.webContents);
    isSandboxed = true;
    window.webContents.reload();
    await new Promise((resolve) => window.webContents.once('did-finish-load', () => resolve(null)));
    isSandboxed = false;
    const after = await has(window.webContents);
    window.destroy();
    return [before, after];
  },
  async 'a trusted page that leads elsewhere, and back'() {
    const window = await windowOn('app://main/');
    const before = await has(window.webContents);
    await window.loadURL(`${stranger}/`);
    const away = await has(window.webContents);
    await window.loadURL('app://main/');
    const back = await has(window.webContents);
    window.destroy();
    return [before, away, back];
  },
  async 'frames inside of a trusted page'() {
    const window = await windowOn(`${server}/`);
    const got = [];
    for (const source of [
      `f.src = '${stranger}/'`,
      `f.src = '${server}/'`,
      `f.srcdoc = 'inside'`,
    ]) {
      await window.webContents.executeJavaScript(`{${frame(source)}}; 0`);
      await pause();
      const inside = window.webContents.mainFrame.frames.at(-1);
      got.push(await inside?.executeJavaScript('typeof latchkey + typeof raw'));
    }
    window.destroy();
    return got;
  },
  async 'a trusted page in a <webview>, and who is around it'() {
    const window = new BrowserWindow({
      show: false,
      webPreferences: { ...options.webPreferences, webviewTag: true },
    });
    /** @type {Record<string, unknown>} */
    const got = {};
    for (const [around, url] of Object.entries({ ours: `${server}/`, strange: `${stranger}/` })) {
      await window.loadURL(url);
      /** @type {Promise<Contents>} */
      const made = new Promise((resolve) =>
        window.webContents.once('did-attach-webview', (_event, guest) => resolve(guest)),
      );
      await window.webContents.executeJavaScript(
        `document.body.append(Object.assign(document.createElement('webview'), { src: '${server}/' })); 0`,
      );
      const guest = await made;
      await pause(500);
      got[around] = await has(guest);
    }
    window.destroy();
    return got;
  },
  async 'a window that crashes, while another waits for its view'() {
    const crashed = await windowOn('app://main/');
    const other = await windowOn('app://main/');
    crashed.webContents.forcefullyCrashRenderer();
    await pause();
    const got = await has(other.webContents);
    crashed.destroy();
    other.destroy();
    return got;
  },
};

/** A link comes back, as the operating system brings it. */
const comeBack = async () => {
  app.emit('second-instance', {}, [], '/', null);
  await pause(300);
  const focused = BaseWindow.getFocusedWindow();
  return focused === null ? null : focused.getTitle();
};

/** @param {string} title @param {boolean} visible */
async function browserWindow(title, visible, url = 'app://main/') {
  const window = await windowOn(url);
  window.setTitle(title);
  if (visible) await front(window);
  return window;
}

/** @param {Window} window */
async function front(window) {
  window.show();
  window.focus();
  await pause();
}

/** @param {string} title */
async function baseWindow(title, url = 'app://main/') {
  const window = new BaseWindow({ width: 300, height: 200, title });
  const view = new WebContentsView({ webPreferences: options.webPreferences });
  window.contentView.addChildView(view);
  await view.webContents.loadURL(url);
  await front(window);
  return window;
}

const windows = {
  async 'a hidden helper beside the main window'() {
    await browserWindow('helper', false);
    const main = await browserWindow('main', true);
    main.minimize();
    return [await comeBack(), main.isVisible()];
  },
  async 'the view of a BaseWindow, and a web page in front of it'() {
    await baseWindow('main');
    await browserWindow('web', true, `${stranger}/`);
    return [await comeBack()];
  },
  async 'two BaseWindows, and the first had the focus last'() {
    const first = await baseWindow('first');
    await baseWindow('second');
    await front(first);
    const cover = await browserWindow('web', true, `${stranger}/`);
    cover.destroy();
    return [await comeBack()];
  },
  async 'a tray app that has hidden its only window'() {
    const main = await browserWindow('main', false);
    return [main.isVisible(), await comeBack(), main.isVisible()];
  },
  async 'a tray app with a helper, whose main window was in front before'() {
    const helper = await browserWindow('helper', false);
    const main = await browserWindow('main', true);
    main.hide();
    await pause();
    return [await comeBack(), helper.isVisible()];
  },
  async 'the window that the host names'() {
    await browserWindow('main', true);
    named = await browserWindow('named', false);
    isNamed = true;
    const came = await comeBack();
    named.destroy();
    const destroyed = await comeBack();
    isNamed = false;
    return [came, destroyed];
  },
};

void app.whenReady().then(async () => {
  session.defaultSession.setPreloads([
    ...session.defaultSession.getPreloads(),
    join(app.getAppPath(), 'raw-preload.cjs'),
  ]);
  for (const scheme of ['app', 'odd'])
    protocol.handle(
      scheme,
      ({ url }) =>
        new Response('<body>a page of the app', {
          headers: url.endsWith('/sandboxed') ? sandboxed : html,
        }),
    );
  app.on('window-all-closed', () => undefined);
  /** @type {Record<string, unknown>} */
  const said = {};
  for (const [name, run] of Object.entries({ ...pages, ...changes }))
    said[name] = await run().catch(String);
  for (const [name, run] of Object.entries(windows)) {
    said[name] = await run().catch(String);
    for (const one of BaseWindow.getAllWindows()) one.destroy();
  }
  console.log(JSON.stringify({ said, events }));
  await auth.stop();
  app.exit(0);
});
