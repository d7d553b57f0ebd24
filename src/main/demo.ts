// The demo app, written as a host would write it: it knows electron and latchkey/main, nothing
// inside Latchkey. Everything about sign-in is the one call of createAuth; the rest is a window
// that shows only the app's own page.
import { app, BrowserWindow, dialog, Menu, nativeTheme, protocol, session } from 'electron';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { createAuth } from './index.js';
import type { Auth, AuthOptions } from './index.js';

const PAGE_ORIGIN = 'app://demo';
const PAGE_URL = `${PAGE_ORIGIN}/demo/demo.html`;
const pageFolder = fileURLToPath(new URL('../renderer/', import.meta.url));
const iconFile = fileURLToPath(new URL('../../assets/icon.png', import.meta.url));

// The page loads its own files and talks to nobody: even if text from outside became markup, it
// could do nothing.
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
};

// Two builds that share a scheme steal each other's callbacks, so each has its own: the packaged
// one is also named in electron-builder.yml ("protocols") and registered at the provider beside the
// other.
const SCHEME = app.isPackaged ? 'com.example.latchkey-demo.release' : 'com.example.latchkey-demo';

/**
 * The flags of the demo, from a command line to which Chromium and Electron add switches of their
 * own.
 */
interface Flags {
  readonly printViews: boolean;
  readonly signIn: boolean;
  readonly diagnose: boolean;
  readonly unregister: boolean;
  readonly severalAccounts: boolean;
  /** The values given for each flag; a flag may be repeated. */
  readonly values: Readonly<Record<string, readonly string[]>>;
}

function readFlags(argv: readonly string[]): Flags {
  const values: Record<string, string[]> = {};
  const bare = new Set<string>();
  for (const [index, word] of argv.entries()) {
    // What follows "--" is never a switch; the operating system puts URLs there.
    if (word === '--') break;
    const match = /^--([a-z-]+)(?:=(.*))?$/s.exec(word);
    if (match === null) continue;
    const name = match[1] ?? '';
    const next = argv[index + 1];
    const value = match[2] ?? (next === undefined || next.startsWith('--') ? undefined : next);
    bare.add(name);
    if (value !== undefined && value !== '') (values[name] ??= []).push(value);
  }
  return {
    printViews: bare.has('print-views'),
    signIn: bare.has('sign-in'),
    diagnose: bare.has('diagnose'),
    unregister: bare.has('unregister-schemes'),
    severalAccounts: bare.has('several-accounts'),
    values,
  };
}

/** Null without `--issuer`. */
function readOptions({ values, severalAccounts }: Flags): AuthOptions | null {
  const last = (name: string): string | undefined => values[name]?.at(-1);
  const list = (name: string, separator: RegExp): readonly string[] | undefined =>
    values[name]?.flatMap((value) => value.split(separator)).filter((entry) => entry !== '');
  const logoutRedirect = last('logout-redirect');
  const issuer = last('issuer');
  if (issuer === undefined) return null;
  const authorization = last('authorization-endpoint');
  const token = last('token-endpoint');
  const optional = {
    userinfo: last('userinfo-endpoint'),
    jwks: last('jwks-uri'),
    revocation: last('revocation-endpoint'),
    deviceAuthorization: last('device-authorization-endpoint'),
  };
  const byHand = [authorization, token, ...Object.values(optional)].some(
    (url) => url !== undefined,
  );
  const given = Object.fromEntries(Object.entries(optional).filter(([, url]) => url !== undefined));
  return {
    issuer,
    clientId: last('client-id') ?? 'latchkey-demo',
    redirects:
      list('redirect', /,/) ??
      defaultRedirects(!byHand || optional.deviceAuthorization !== undefined),
    accounts: severalAccounts ? 'several' : 'one',
    ...(logoutRedirect === undefined ? {} : { logout: { redirect: logoutRedirect } }),
    scopes: list('scopes', /[\s,]+/) ?? ['openid', 'profile', 'email', 'offline_access'],
    // With one endpoint missing, createAuth says which.
    ...(byHand
      ? { endpoints: { authorization: authorization ?? '', token: token ?? '', ...given } }
      : {}),
  };
}

/** A provider may offer device codes, unless its endpoints were given without that one. */
function defaultRedirects(mayOfferDeviceCode: boolean): readonly string[] {
  return [
    `${SCHEME}:/callback`,
    'http://127.0.0.1/callback',
    ...(mayOfferDeviceCode ? ['device-code'] : []),
  ];
}

// A product has its options in its code. The demo gets them as flags, and a start by a link has
// none: it uses those of the last start.
function lastOptionsFile(): string {
  return path.join(app.getPath('userData'), 'demo-options.json');
}

function rememberOptions(options: AuthOptions): void {
  try {
    mkdirSync(app.getPath('userData'), { recursive: true });
    writeFileSync(lastOptionsFile(), JSON.stringify(options));
  } catch {
    // Without it only a start by a link is refused.
  }
}

function lastOptions(): AuthOptions | null {
  try {
    return JSON.parse(readFileSync(lastOptionsFile(), 'utf8')) as AuthOptions;
  } catch {
    return null;
  }
}

function start(flags: Flags): void {
  const userData = flags.values['user-data-dir']?.at(-1);
  if (userData !== undefined) {
    mkdirSync(path.resolve(userData), { recursive: true });
    app.setPath('userData', path.resolve(userData));
  }
  const options = readOptions(flags) ?? lastOptions();
  if (options === null) {
    refuse(
      'the flag "--issuer" is missing: `npm run demo` starts the demo with a sign-in provider of its own',
    );
    return;
  }
  let auth: Auth;
  try {
    auth = createAuth({ ...options, trustedOrigins: [PAGE_ORIGIN] });
  } catch (thrown) {
    refuse(thrown instanceof Error ? thrown.message : String(thrown));
    return;
  }
  rememberOptions(options);
  if (flags.printViews) printViews(auth);
  endWhenAsked(auth);
  leaveKeyringToLatchkey();
  protectPages();
  protocol.registerSchemesAsPrivileged([
    { scheme: 'app', privileges: { standard: true, secure: true } },
  ]);
  app.on('window-all-closed', () => {
    if (process.platform !== 'darwin') app.quit();
  });
  app.on('activate', () => {
    if (BrowserWindow.getAllWindows().length === 0) openWindow();
  });
  // Not awaited: at the top level of an ES module, `await app.whenReady()` waits for itself.
  void app.whenReady().then(() => {
    protocol.handle('app', servePage);
    if (flags.unregister) {
      void unregister(auth);
      return;
    }
    setMenu(auth);
    openWindow();
    if (flags.diagnose) void printDiagnosis(auth, flags.values['diagnose']?.at(-1) === 'probe');
    // A failed attempt is shown by the page, for the view tells it.
    if (flags.signIn) auth.signIn().catch(() => undefined);
  });
}

function refuse(message: string): void {
  process.stderr.write(`latchkey demo: ${message}\n`);
  app.exit(2);
}

function printViews(auth: Auth): void {
  // The reader of the views may end first. The demo goes on without it.
  process.stdout.on('error', () => undefined);
  auth.onView((view) => process.stdout.write(`${JSON.stringify(view)}\n`));
}

async function printDiagnosis(auth: Auth, probe: boolean): Promise<void> {
  process.stdout.write(
    `${JSON.stringify({ supportBundle: await auth.supportBundle({ probe }) })}\n`,
  );
}

/** What an uninstaller does: the scheme is given back, and the app ends. */
async function unregister(auth: Auth): Promise<void> {
  for (const removal of await auth.unregisterSchemes())
    process.stdout.write(`${JSON.stringify({ removal })}\n`);
  app.quit();
}

async function saveSupportBundle(auth: Auth): Promise<void> {
  const { filePath } = await dialog.showSaveDialog({
    title: 'Save a support bundle',
    defaultPath: 'latchkey-support.json',
  });
  if (filePath === '') return;
  try {
    writeFileSync(filePath, `${JSON.stringify(await auth.supportBundle(), null, 2)}\n`, {
      mode: 0o600,
    });
  } catch {
    dialog.showErrorBox('The support bundle was not saved', 'The file cannot be written.');
  }
}

/**
 * A signal ends the app within 5 seconds, whatever hangs. When the app quits, Latchkey stops by
 * itself.
 */
function endWhenAsked(auth: Auth): void {
  let ending = false;
  const end = (): void => {
    if (ending) return;
    ending = true;
    setTimeout(() => app.exit(0), 3_000);
    void auth
      .stop()
      .catch(() => undefined)
      .then(() => app.exit(0));
  };
  const listen = (): void => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const)
      process.removeListener(signal, end).on(signal, end);
  };
  listen();
  // Chromium puts its own signal handlers over those of Node while it starts: so they are set once
  // more.
  void app.whenReady().then(listen);
}

/**
 * The packaged demo has its cookies encrypted. On Linux Chromium asks the keyring for the key
 * before the app is ready, on the main thread, and waits for ever where the keyring is locked and
 * its dialog is not answered. This app keeps no cookies, so there it goes without that key
 * (docs/packaging.md, "Encrypted cookies").
 */
function leaveKeyringToLatchkey(): void {
  if (process.platform === 'linux' && app.isPackaged)
    app.commandLine.appendSwitch('password-store', 'basic');
}

/** No page leaves the app's own origin, opens windows of its own choice, or gets a permission. */
function protectPages(): void {
  app.on('web-contents-created', (_event, contents) => {
    contents.on('will-navigate', (event) => event.preventDefault());
    contents.on('will-redirect', (event) => event.preventDefault());
    contents.on('will-attach-webview', (event) => event.preventDefault());
    contents.setWindowOpenHandler(({ url }) => {
      // The page's button "open another window" needs no IPC of its own: main opens the window, and
      // only this one.
      if (url === PAGE_URL && contents.getURL().startsWith(PAGE_URL)) setImmediate(openWindow);
      return { action: 'deny' };
    });
  });
  void app.whenReady().then(() => {
    // Writing text to the clipboard is what "Copy details" does; nothing else is granted.
    const allowed = (permission: string): boolean => permission === 'clipboard-sanitized-write';
    session.defaultSession.setPermissionRequestHandler((_contents, permission, answer) =>
      answer(allowed(permission)),
    );
    session.defaultSession.setPermissionCheckHandler((_contents, permission) =>
      allowed(permission),
    );
  });
}

async function servePage(request: Request): Promise<Response> {
  const url = new URL(request.url);
  const file = path.join(pageFolder, decodePath(url.pathname));
  const contentType = CONTENT_TYPES[path.extname(file)];
  if (url.host !== 'demo' || contentType === undefined || !file.startsWith(pageFolder))
    return notFound();
  try {
    return new Response(await readFile(file), {
      headers: {
        'Content-Type': contentType,
        'Content-Security-Policy': CONTENT_SECURITY_POLICY,
        'X-Content-Type-Options': 'nosniff',
        'Cache-Control': 'no-store',
      },
    });
  } catch {
    return notFound();
  }
}

function decodePath(pathname: string): string {
  try {
    return decodeURIComponent(pathname);
  } catch {
    return '/';
  }
}

function notFound(): Response {
  return new Response('not found', { status: 404, headers: { 'Content-Type': 'text/plain' } });
}

function openWindow(): void {
  const ordinal = BrowserWindow.getAllWindows().length + 1;
  const window = new BrowserWindow({
    width: 920,
    height: 620,
    minWidth: 640,
    minHeight: 480,
    title: 'Latchkey Demo',
    // The page's own ground, so that no white flash comes before it.
    backgroundColor: nativeTheme.shouldUseDarkColors ? '#1b1e1d' : '#fbfcfb',
    show: false,
    ...(existsSync(iconFile) ? { icon: iconFile } : {}),
    webPreferences: { sandbox: true, contextIsolation: true, nodeIntegration: false },
  });
  window.once('ready-to-show', () => window.show());
  // Ended by Electron itself when the window closes while the page loads; there is nobody left to
  // tell.
  window.loadURL(ordinal === 1 ? PAGE_URL : `${PAGE_URL}?window=${ordinal}`).catch(() => undefined);
}

function setMenu(auth: Auth): void {
  const menu = Menu.buildFromTemplate([
    ...(process.platform === 'darwin' ? [{ role: 'appMenu' } as const] : []),
    {
      label: '&File',
      submenu: [
        { label: 'Open Another Window', accelerator: 'CmdOrCtrl+N', click: () => openWindow() },
        { type: 'separator' },
        { role: 'close' },
        ...(process.platform === 'darwin' ? [] : [{ role: 'quit' } as const]),
      ],
    },
    { role: 'editMenu' },
    { role: 'viewMenu' },
    { role: 'windowMenu' },
    // By hand: what the role "help" would open leads to Electron's pages.
    {
      label: '&Help',
      submenu: [{ label: 'Save a Support Bundle…', click: () => void saveSupportBundle(auth) }],
    },
  ]);
  Menu.setApplicationMenu(menu);
}

start(readFlags(process.argv.slice(1)));
