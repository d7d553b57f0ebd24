// A small app in a genuine Electron, for contract tests of adapters over Electron's own modules:
// told by lines of JSON what to do. Its network is one of its own, which goes and comes for real;
// its browser is a stand-in that xdg-open starts.
import { spawn, type ChildProcess } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { endApp } from '../../scripts/lab/app-process.mjs';
import { startDisplay } from '../../scripts/lab/display.mjs';
import { resolveElectron } from '../../scripts/electron/electron.mjs';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const ANSWER_LIMIT_MS = 15_000;

/** What the app is made of: the adapters' own sources, without their types, and this main file. */
const SOURCES = [
  'main/adapters/browser',
  'main/adapters/loopback/server',
  'main/adapters/loopback/start-page',
  'main/adapters/system-events',
  'main/core/base/errors',
  'main/core/base/error-codes',
  'main/core/base/limits',
  'main/core/base/start-limits',
];
/** Timers run a hundred times faster, and are counted. */
const MAIN = `import { execFileSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import { app, net, powerMonitor } from 'electron';
const real = { setInterval, clearInterval };
const timers = new Set();
globalThis.setInterval = (run, ms) => {
  const timer = real.setInterval(run, ms / 100);
  timers.add(timer);
  return timer;
};
globalThis.clearInterval = (timer) => (timers.delete(timer), real.clearInterval(timer));
const { createBrowser } = await import('./main/adapters/browser.js');
const { createStartPages } = await import('./main/adapters/loopback/start-page.js');
const { createSystemEvents } = await import('./main/adapters/system-events.js');
const browser = createBrowser(createStartPages());
const many = new Map();
const make = (name, calls) => {
  const one = { signals: createSystemEvents(), heard: [] };
  many.set(name, one);
  for (const call of calls) act(one, call);
};
const act = (one, call) => {
  if (call === 'listen') one.signals.listen((signal) => one.heard.push(signal));
  if (call === 'listen-and-throw') one.signals.listen((signal) => { one.heard.push(signal); throw new Error('of the listener'); });
  if (call === 'watch') one.signals.watchNetwork(true);
  if (call === 'unwatch') one.signals.watchNetwork(false);
  if (call === 'stop') one.signals.stop();
};
const uncaught = [];
process.on('uncaughtException', ({ message }) => uncaught.push(message));
const ip = (...args) => execFileSync('ip', args, { stdio: 'ignore' });
// A page on loopback needs it; Chromium does not count it as a network.
ip('link', 'set', 'lo', 'up');
const commands = {
  async open({ url }) {
    try {
      const opening = browser.open(url);
      try {
        await opening;
        return { state: 'opened' };
      } catch ({ name, code, message }) {
        return { state: 'rejected', name, code, message };
      }
    } catch {
      return { state: 'threw' };
    }
  },
  // Where a browser arrives that visits this page.
  async follow({ page }) {
    const { get } = await import('node:http');
    return new Promise((resolve, reject) => {
      const asked = get(page, { maxHeaderSize: 256_000 }, (answer) => {
        answer.resume();
        resolve(answer.headers.location);
      });
      asked.on('error', reject);
    });
  },
  make: ({ name, calls }) => make(name, calls),
  act: ({ name, call }) => act(many.get(name), call),
  heard: ({ name }) => many.get(name).heard.splice(0),
  emit: ({ event }) => void powerMonitor.emit(event),
  counts: () => ({ timers: timers.size, listeners: powerMonitor.listenerCount('resume') + powerMonitor.listenerCount('unlock-screen') }),
  online: () => net.isOnline(),
  uncaught: () => uncaught.splice(0),
  connect({ wanted }) {
    if (wanted) {
      ip('link', 'add', 'lk0', 'type', 'veth', 'peer', 'name', 'lk1');
      ip('addr', 'add', '192.0.2.1/24', 'dev', 'lk0');
      for (const name of ['lk1', 'lk0']) ip('link', 'set', name, 'up');
    } else ip('link', 'del', 'lk0');
  },
};
for (const [name, calls] of Object.entries(JSON.parse(process.env.LATCHKEY_EARLY))) make(name, calls);
if (app.isReady()) throw new Error('the app was ready too early');
app.on('window-all-closed', () => {});
void app.whenReady().then(() => {
  createInterface({ input: process.stdin }).on('line', async (line) => {
    const { id, command, ...given } = JSON.parse(line);
    const answer = await commands[command](given);
    process.stdout.write('#' + JSON.stringify({ id, answer: answer ?? null }) + '\\n');
  });
  process.stdout.write('#{"id":0,"answer":null}\\n');
});
`;

export interface ElectronHost {
  /** Gives a command of the main file; resolves with its answer. */
  ask(command: string, given?: object): Promise<unknown>;
  /** The arguments of every start of the stand-in for the browser, oldest first. */
  opened(): readonly string[];
  stop(): Promise<void>;
}

/** `early`: objects that are made, and what is done to them, before the app is ready. */
export async function startElectronHost(
  early: Readonly<Record<string, readonly string[]>> = {},
): Promise<ElectronHost> {
  const { path: electron } = await resolveElectron();
  const display = process.env['DISPLAY'] === undefined ? await startDisplay() : null;
  const root = mkdtempSync(join(realpathSync(tmpdir()), 'latchkey-electron-'));
  const record = writeDesktop(root);
  const env: NodeJS.ProcessEnv = {
    PATH: process.env['PATH'],
    LANG: 'C.UTF-8',
    HOME: root,
    XDG_DATA_HOME: join(root, 'data'),
    XDG_CONFIG_HOME: join(root, 'config'),
    XDG_RUNTIME_DIR: root,
    DISPLAY: display?.display ?? process.env['DISPLAY'],
    DBUS_SESSION_BUS_ADDRESS: `unix:path=${root}/no-bus`,
    DBUS_SYSTEM_BUS_ADDRESS: `unix:path=${root}/no-bus`,
    LATCHKEY_EARLY: JSON.stringify(early),
  };
  // A network namespace of its own, in which it may add and remove an interface.
  const args = ['-rn', electron, '--no-sandbox', '--disable-gpu', writeApp(root)];
  const child: ChildProcess = spawn('unshare', args, {
    env,
    cwd: root,
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let said = '';
  child.stderr?.on(
    'data',
    (chunk: Buffer) => void (said = `${said}${chunk.toString()}`.slice(-2_000)),
  );
  const answers = new Map<number, (answer: unknown) => void>();
  createInterface({ input: child.stdout! }).on('line', (line) => {
    if (!line.startsWith('#')) return;
    const { id, answer } = JSON.parse(line.slice(1)) as { id: number; answer: unknown };
    answers.get(id)?.(answer);
  });
  let last = 0;
  const answered = (id: number): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`the app does not answer\n${said}`)),
        ANSWER_LIMIT_MS,
      );
      answers.set(id, (answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
    });
  const host: ElectronHost = {
    async ask(command, given = {}) {
      const id = (last += 1);
      const answer = answered(id);
      child.stdin?.write(`${JSON.stringify({ id, command, ...given })}\n`);
      return await answer;
    },
    opened: () => (existsSync(record) ? readFileSync(record, 'utf8').split('\0').slice(0, -1) : []),
    async stop() {
      await endApp(child, electron);
      await display?.stop();
      rmSync(root, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
    },
  };
  try {
    await answered(0);
  } catch (thrown) {
    await host.stop();
    throw thrown;
  }
  return host;
}

function writeApp(root: string): string {
  const folder = join(root, 'app');
  for (const source of SOURCES) {
    const text = readFileSync(join(ROOT, 'src', `${source}.ts`), 'utf8');
    const { outputText } = ts.transpileModule(text, {
      compilerOptions: { module: ts.ModuleKind.ES2022, target: ts.ScriptTarget.ES2022 },
    });
    mkdirSync(dirname(join(folder, source)), { recursive: true });
    writeFileSync(join(folder, `${source}.js`), outputText);
  }
  writeFileSync(
    join(folder, 'package.json'),
    '{"name":"latchkey-contract-host","type":"module","main":"main.js"}',
  );
  writeFileSync(join(folder, 'main.js'), MAIN);
  return folder;
}

/**
 * A desktop on which every scheme that a test may try leads to the stand-in, so that whatever is
 * opened is seen.
 */
function writeDesktop(root: string): string {
  const record = join(root, 'opened');
  const program = join(root, 'stand-in');
  writeFileSync(program, `#!/bin/sh\nprintf '%s\\0' "$@" >> '${record}'\n`, { mode: 0o755 });
  const types = ['http', 'https', 'file', 'mailto', 'com.example.other', 'ms-settings', 'ftp'].map(
    (scheme) => `x-scheme-handler/${scheme}`,
  );
  mkdirSync(join(root, 'data', 'applications'), { recursive: true });
  mkdirSync(join(root, 'config'));
  const entry = `[Desktop Entry]\nType=Application\nName=Stand-in\nExec=${program} %u\nMimeType=${types.join(';')};\n`;
  writeFileSync(join(root, 'data', 'applications', 'stand-in.desktop'), entry);
  writeFileSync(
    join(root, 'config', 'mimeapps.list'),
    `[Default Applications]\n${types.map((type) => `${type}=stand-in.desktop\n`).join('')}`,
  );
  return record;
}
