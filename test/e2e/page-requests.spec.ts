// auth.fetch() of a page in a real Electron: by the port to main and Electron's network, to an API on
// this computer. No token enters the page, and neither side holds more of a body than a chunk.
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Page } from 'playwright';
import type { AuthApi } from '../../src/contract.js';
import { build } from '../../scripts/build.mjs';
import { APP_FOLDER, type WatchedApp, startWatchedApp } from '../../scripts/lab/app-process.mjs';
import { startLab } from '../../scripts/lab/lab.mjs';
import type { Lab } from '../../scripts/lab/lab.mjs';
import { type Provider, startProvider } from '../../src/testing/index.js';
import { type ApiServer, startApiServer } from '../support/api-server.js';
import { listening } from '../support/network-servers.js';
import { expect, test } from './fixtures.js';

const MAIN = `
import { app, BrowserWindow } from 'electron';
const { LATCHKEY_MAIN, LATCHKEY_TESTING, ISSUER, CLIENT, API, PAGES } = process.env;
const { createAuth } = await import(LATCHKEY_MAIN);
const auth = createAuth({
  issuer: ISSUER,
  clientId: CLIENT,
  redirects: ['http://127.0.0.1/callback'],
  secretStore: 'memory',
  trustedOrigins: [PAGES],
  apis: {
    api: { origin: API, pages: true },
    own: { origin: API, paths: ['/echo/own'] },
    gone: { origin: 'http://127.0.0.1:9', pages: true },
  },
});
let most = 0;
const look = () => {
  for (const { memory } of app.getAppMetrics()) most = Math.max(most, memory.workingSetSize);
};
/** What the page says on its console is what the test asks of the host. */
const host = {
  'sign in': () =>
    auth.signIn({ open: (url) => void createPerson().signIn(url, { visit: true }) }),
  memory: () => {
    console.log('#memory ' + most);
    most = 0;
  },
  stop: () => auth.stop(),
};
const { createPerson } = await import(LATCHKEY_TESTING);
app.whenReady().then(async () => {
  const window = new BrowserWindow({ show: false });
  window.webContents.on('console-message', (event, _level, text) => host[text ?? event.message]?.());
  await window.loadURL(PAGES);
  setInterval(look, 50);
});
`;

const PAGE =
  '<!doctype html><script type="module">import { auth } from "/index.js"; window.auth = auth;</script>';

/** 200 MB. */
const BODY_BYTES = 200 * 1024 * 1024;
/** Of each process, in kB: far below the body, and above what a collector leaves lying about. */
const MEMORY_MAX_KB = 90_000;

test.describe.configure({ mode: 'default', timeout: 120_000 });

declare global {
  interface Window {
    readonly auth: AuthApi;
  }
}

let lab: Lab;
let api: ApiServer;
let provider: Provider;
let app: WatchedApp;
let page: Page;
let signedOut: Told;
let pages: { readonly origin: string; stop(): void };

test.beforeAll(async ({ electronPath }) => {
  test.setTimeout(180_000);
  await build({ ifNeeded: true });
  [lab, api, provider, pages] = await Promise.all([
    startLab({ keyring: 'none' }),
    startApiServer(),
    startProvider(),
    servePages(),
  ]);
  const folder = join(lab.root, 'notes');
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), '{"name":"notes","type":"module","main":"main.js"}');
  writeFileSync(join(folder, 'main.js'), MAIN);
  app = startWatchedApp({
    electron: electronPath,
    appFolder: folder,
    isRoot: lab.isRoot,
    flags: [],
    owner: {
      ...lab.owner,
      env: {
        ...lab.env,
        LATCHKEY_MAIN: pathToFileURL(join(APP_FOLDER, 'main', 'index.js')).href,
        LATCHKEY_TESTING: pathToFileURL(join(APP_FOLDER, 'testing', 'index.js')).href,
        ISSUER: provider.issuer,
        CLIENT: provider.clientId,
        API: api.origin,
        PAGES: pages.origin,
      },
    },
  });
  page = await app.firstWindow();
  await page.waitForFunction(() => window.auth !== undefined);
  signedOut = await ask('/echo');
  await tellHost('sign in');
  await page.waitForFunction(() => window.auth.getSnapshot().status === 'signed-in');
});
test.afterAll(async () => {
  await app?.end();
  pages?.stop();
  api?.stop();
  await provider?.stop();
  await lab?.stop();
});

/** The page is a document of this server, with `latchkey/renderer` beside it. */
async function servePages(): Promise<{ readonly origin: string; stop(): void }> {
  const server = createServer(({ url = '/' }, response) => {
    const isScript = url.endsWith('.js');
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
    response.end(isScript ? readFileSync(join(APP_FOLDER, 'renderer', url)) : PAGE);
  });
  const port = await listening(server);
  return {
    origin: `http://127.0.0.1:${port}`,
    stop: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

interface Told {
  readonly status?: number;
  readonly text?: string;
  readonly failure?: Readonly<Record<string, unknown>>;
}

/** What a page gets: the answer, or the error. */
function ask(path: string, init: RequestInit = {}): Promise<Told> {
  return page.evaluate(
    async ([url, given]) => {
      try {
        const response = await window.auth.fetch(url, given);
        return { status: response.status, text: await response.text() };
      } catch (thrown) {
        const { name, message, code } = thrown as Error & { readonly code?: string };
        return { failure: { name, message, ...(code === undefined ? {} : { code }) } };
      }
    },
    [/^(http|\/\/)/.test(path) ? path : `${api.origin}${path}`, init] as const,
  );
}

/** Asks the host app for something. */
function tellHost(what: 'sign in' | 'memory' | 'stop'): Promise<void> {
  return page.evaluate((text) => console.log(text), what);
}

/** The largest process of the app since the last look, in kB. */
async function mostMemory(): Promise<number> {
  const before = app.output().split('#memory ').length;
  await tellHost('memory');
  await expect.poll(() => app.output().split('#memory ').length).toBe(before + 1);
  return Number.parseInt(app.output().split('#memory ').at(-1) ?? '', 10);
}

const arrivedAt = (path: string) => api.arrived.filter((one) => one.path === path);

test('without a session it fails as the other calls do', async () => {
  expect(signedOut).toEqual({
    failure: { name: 'AuthFailure', code: 'signed-out', message: expect.any(String) },
  });
});

test('it brings the answer of an API, and the token goes to the API alone', async () => {
  const answer = await page.evaluate(async (url) => {
    const response = await window.auth.fetch(url, {
      method: 'PUT',
      headers: { 'x-notes': 'ö', cookie: 'a=1', 'x-http-method-override': 'DELETE' },
      body: new URLSearchParams({ text: 'hello' }),
    });
    return {
      status: [response.status, response.ok, response.statusText, response.type],
      url: [response.url, response.redirected],
      text: await response.clone().text(),
      again: await response.text(),
    };
  }, `${api.origin}/echo?1`);
  expect(answer).toEqual({
    status: [200, true, 'OK', 'default'],
    url: [`${api.origin}/echo?1`, false],
    text: '10',
    again: '10',
  });
  const [arrived] = arrivedAt('/echo?1');
  expect(arrived?.headers).toMatchObject({
    authorization: expect.stringMatching(/^Bearer .{20,}/),
    'content-type': 'application/x-www-form-urlencoded;charset=UTF-8',
    'content-length': '10',
  });
  expect(Object.keys(arrived?.headers ?? {})).not.toEqual(
    expect.arrayContaining([expect.stringMatching(/cookie|override|origin|referer/)]),
  );
});

test('cookies of an API stay in main', async () => {
  const seen = await page.evaluate(async (url) => {
    const response = await window.auth.fetch(url, { credentials: 'include' });
    return [[...response.headers.keys()].includes('set-cookie'), document.cookie];
  }, `${api.origin}/cookie`);
  expect(seen).toEqual([false, '']);
  await ask('/echo?with', { credentials: 'include' });
  await ask('/echo?without');
  expect(['/echo?with', '/echo?without'].map((path) => arrivedAt(path)[0]?.headers.cookie)).toEqual(
    ['of-the-api=1', undefined],
  );
});

for (const [what, path, message] of [
  ['an API that is not listed', 'http://localhost:1/', /lists no API of http:\/\/localhost:1$/],
  ['an API that is listed for main only', '/echo/own/1', /"own".*"pages: true"/],
  ['an address that parsers read differently', '/echo/x/../own', /dot segments/],
  ['a relative address', '//evil.example', /absolute/],
] as const)
  test(`it refuses ${what}`, async () => {
    const before = api.arrived.length;
    expect(await ask(path)).toEqual({
      failure: {
        name: 'AuthFailure',
        code: 'page-refused',
        message: expect.stringMatching(message),
      },
    });
    expect(api.arrived).toHaveLength(before);
  });

test('it fails with a TypeError, as fetch does, when nothing answers or the API leads elsewhere', async () => {
  expect([await ask('http://127.0.0.1:9/'), await ask('/to-own')]).toEqual([
    {
      failure: {
        name: 'TypeError',
        message: expect.stringMatching(/^fetch failed \(net::ERR_[A-Z_]+\)$/),
      },
    },
    { failure: { name: 'TypeError', message: expect.stringMatching(/pages may not call$/) } },
  ]);
  expect(arrivedAt('/echo/own')).toEqual([]);
});

test('it brings 200 MB, and no process holds more than a part of them', async () => {
  const idle = await idleMemory();
  const bytes = await page.evaluate(async (url) => {
    const { body } = await window.auth.fetch(url);
    let sum = 0;
    for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) sum += chunk.length;
    return sum;
  }, `${api.origin}/bytes?${BODY_BYTES}`);
  expect(bytes).toBe(BODY_BYTES);
  expect((await mostMemory()) - idle).toBeLessThan(MEMORY_MAX_KB);
});

test('it sends 200 MB as they are, and no process holds more than a part of them', async () => {
  const idle = await idleMemory();
  const text = await page.evaluate(
    async ([url, size]) => {
      let left = size;
      const body = new ReadableStream<Uint8Array>({
        pull(controller) {
          controller.enqueue(new Uint8Array(Math.min(left, 3_000_000)).fill(65));
          left -= 3_000_000;
          if (left <= 0) controller.close();
        },
      });
      const init = { method: 'POST', body, duplex: 'half' };
      return (await window.auth.fetch(url, init)).text();
    },
    [`${api.origin}/echo?up`, BODY_BYTES] as const,
  );
  expect(text).toBe(String(BODY_BYTES));
  expect(arrivedAt('/echo?up')[0]?.sha256).toBe(
    createHash('sha256').update(Buffer.alloc(BODY_BYTES, 'A')).digest('hex'),
  );
  expect((await mostMemory()) - idle).toBeLessThan(MEMORY_MAX_KB);
});

test('what the page aborts is over at the API, too', async () => {
  const names = await page.evaluate(async (origin) => {
    const nameOf = (thrown: unknown): string => (thrown as Error).name;
    const abort = new AbortController();
    const waiting = window.auth.fetch(`${origin}/deaf?1`, { signal: abort.signal }).catch(nameOf);
    const { body } = await window.auth.fetch(`${origin}/bytes?900000000`, { signal: abort.signal });
    const reader = body!.getReader();
    await reader.read();
    abort.abort();
    const reading = reader.read().catch(nameOf);
    const early = window.auth.fetch(`${origin}/echo?never`, { signal: abort.signal }).catch(nameOf);
    return Promise.all([waiting, reading, early]);
  }, api.origin);
  expect(names).toEqual(['AbortError', 'AbortError', 'AbortError']);
  await expect.poll(() => arrivedAt('/deaf?1').map(({ cut }) => cut)).toEqual([true]);
  await expect.poll(() => arrivedAt('/bytes?900000000').map(({ cut }) => cut)).toEqual([true]);
  expect(arrivedAt('/echo?never')).toEqual([]);
});

test('a page that goes away takes its requests with it', async () => {
  await page.evaluate(async (origin) => {
    void window.auth.fetch(`${origin}/deaf?gone`);
  }, api.origin);
  await expect.poll(() => arrivedAt('/deaf?gone')).toHaveLength(1);
  await page.reload();
  await expect.poll(() => arrivedAt('/deaf?gone').map(({ cut }) => cut)).toEqual([true]);
});

test('after the end of the sign-in it fails, and so does what was under way', async () => {
  const waiting = ask('/deaf?stop');
  await expect.poll(() => arrivedAt('/deaf?stop')).toHaveLength(1);
  await tellHost('stop');
  expect(await waiting).toMatchObject({ failure: { name: 'AuthFailure', code: 'stopped' } });
});

test('no token was in the page', async () => {
  const tokens = provider.issued.map(({ value }) => value);
  expect(tokens.length).toBeGreaterThan(2);
  const session = await page.context().newCDPSession(page);
  let snapshot = '';
  session.on('HeapProfiler.addHeapSnapshotChunk', ({ chunk }) => (snapshot += chunk));
  await session.send('HeapProfiler.takeHeapSnapshot', {});
  expect(snapshot).toContain('openRequest');
  expect(tokens.filter((token) => snapshot.includes(token))).toEqual([]);
});

/** After a while in which nothing happens. */
async function idleMemory(): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, 500));
  await tellHost('memory');
  await new Promise((resolve) => setTimeout(resolve, 300));
  return await mostMemory();
}
