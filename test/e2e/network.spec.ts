// Latchkey's network on the wire, in a real Electron: what servers and proxies do, what arrives of
// each request, how often, and by which way. The table is the one of test/contract/network, with
// HTTP/2.
import { createServer as createTlsServer } from 'node:https';
import { createServer as createTcpServer } from 'node:net';
import { startLab } from '../../scripts/lab/lab.mjs';
import type { Lab } from '../../scripts/lab/lab.mjs';
import { resolveElectron } from '../../scripts/electron/electron.mjs';
import { createCertificate } from '../../src/testing/server/certificate.js';
import { type Asked, HTTP1_OUTCOMES, HTTP2_OUTCOMES, runTable } from '../support/network-cases.js';
import { type NetworkHost, startNetworkHost } from '../support/network-host.js';
import { startLine, startProxy } from '../support/network-proxy.js';
import {
  type CountingServer,
  TOKENS,
  listening,
  startHttp1,
  startHttp2,
} from '../support/network-servers.js';
import { expect, test } from './fixtures.js';

// One Electron for all of them; what waits for Chromium's ping has its own.
test.describe.configure({ mode: 'default', timeout: 120_000 });

let lab: Lab;
let host: NetworkHost;
let http1: CountingServer;
let http2: CountingServer;
let dictionary: { readonly port: number; connections: number };
/** Where Chromium's dictionaries are. */
const resolverRules = (): readonly string[] => [
  `--host-resolver-rules=MAP *.gvt1.com 127.0.0.1:${dictionary.port}, MAP *.google.com 127.0.0.1:${dictionary.port}`,
];
const inTurn = async (asked: readonly Asked[]): Promise<readonly string[]> =>
  (await host.do<{ outcomes: readonly string[] }>('inTurn', asked)).outcomes;

test.beforeAll(async () => {
  lab = await startLab({ keyring: 'none' });
  [http1, http2] = await Promise.all([startHttp1(), startHttp2()]);
  const listener = createTcpServer(
    (socket) => void ((dictionary.connections += 1), socket.destroy()),
  );
  dictionary = { port: await listening(listener), connections: 0 };
  host = await startNetworkHost((await resolveElectron()).path, lab, resolverRules());
});
test.afterAll(async () => {
  await host.end();
  http1.stop();
  http2.stop();
  await lab.stop();
});
test.afterEach(() => host.do('setProxy', { mode: 'direct' }));

test('whatever an HTTP/1.1 server does is an answer or a failure, and a POST arrives once', async () => {
  const { came, right } = await runTable(http1, HTTP1_OUTCOMES, inTurn);
  expect(came).toEqual(right);
  expect(http1.requests.filter((request) => request.includes('followed'))).toEqual([]);
});

test('whatever an HTTP/2 server does is an answer or a failure, and a POST arrives once, but where the server says that it did nothing', async () => {
  const { came, right } = await runTable(http2, HTTP2_OUTCOMES, inTurn);
  expect(came).toEqual(right);
  expect(http2.requests.filter((request) => request.includes('followed'))).toEqual([]);
});

test('a GET on a kept connection that dies is repeated by Chromium, which is why a POST has a fresh one', async () => {
  await inTurn([
    { url: `${http1.origin}/ok`, method: 'GET' },
    { url: `${http1.origin}/close?get`, method: 'GET' },
  ]);
  expect(http1.requests.filter((request) => request === 'GET /close?get')).toHaveLength(2);
});

test('many POSTs at once disturb each other in nothing, also more than there are sessions, and one that fails', async () => {
  const asked = Array.from({ length: 24 }, (_value, index) => ({
    url: `${index % 2 === 0 ? http1.origin : http2.origin}/${index % 3 === 0 ? 'reset' : 'ok'}?many${index}`,
  }));
  expect(await host.do('askAll', asked)).toEqual(
    asked.map((_one, index) => (index % 3 === 0 ? 'trouble unreachable' : `200 ${TOKENS}`)),
  );
  expect(
    [...http1.requests, ...http2.requests].filter((request) => request.includes('?many')),
  ).toHaveLength(24);
});

test('a request that waits for a session is given up in time, and never sent', async () => {
  const hanging = Array.from({ length: 8 }, () => ({
    url: `${http1.origin}/silence?hanging`,
    timeoutMs: 900,
  }));
  expect(
    await host.do('askAll', [...hanging, { url: `${http1.origin}/ok?waited`, timeoutMs: 300 }]),
  ).toEqual(Array.from({ length: 9 }, () => 'aborted'));
  expect(await host.do('ask', { url: `${http1.origin}/ok?afterwards` })).toBe(`200 ${TOKENS}`);
  expect(http1.requests.filter((request) => /\?(waited|afterwards)/.test(request))).toEqual([
    'POST /ok?afterwards',
  ]);
});

test('requests carry no Origin, no cookie and no name of the app, and leave no cookie behind', async () => {
  await host.do('setCookie', { url: http1.origin, name: 'of-the-app', value: '1' });
  await inTurn([
    { url: `${http1.origin}/cookies` },
    { url: `${http1.origin}/cookies`, method: 'GET' },
    { url: `${http1.origin}/ok?last` },
  ]);
  expect(http1.heads.filter((head) => /^(origin|cookie|authorization):/im.test(head))).toEqual([]);
  expect(await host.do('cookies')).toBe(0);
  const agents = [...new Set(http1.heads.map((head) => /^user-agent: (.*)$/im.exec(head)?.[1]))];
  expect(agents).toEqual([
    expect.stringMatching(
      /^Mozilla\/5\.0 \(X11; Linux x86_64\) AppleWebKit\/537\.36 \(KHTML, like Gecko\) Chrome\/\d+\.0\.0\.0 Safari\/537\.36$/,
    ),
  ]);
});

test("a page's handler of the app, put into our session, answers none of our requests", async () => {
  await host.do('answerItself', { scheme: 'http' });
  expect(await host.do('ask', { url: `${http1.origin}/ok?handler`, method: 'GET' })).toBe(
    `200 ${TOKENS}`,
  );
});

test('an answer that nobody reads is not taken from the server', async () => {
  const outcome = host.do('ask', {
    url: `${http1.origin}/endless`,
    unreadMs: 3_000,
    timeoutMs: 8_000,
  });
  await expect(async () => {
    const before = http1.endlessBytes();
    expect(before).toBeGreaterThan(0);
    await new Promise((resolve) => setTimeout(resolve, 250));
    expect(http1.endlessBytes()).toBe(before);
  }).toPass({ timeout: 2_800 });
  expect(await outcome).toBe('too much');
});

test('a gzip bomb takes no memory that counts', async () => {
  const before = await host.do<number>('memory');
  await host.do(
    'askAll',
    Array.from({ length: 4 }, () => ({ url: `${http1.origin}/a%20gzip%20bomb`, unreadMs: 400 })),
  );
  expect((await host.do<number>('memory')) - before).toBeLessThan(48_000_000);
});

test('our sessions fetch no dictionary, which others do', async () => {
  const settled = async (): Promise<number> => {
    for (
      let seen = -1;
      seen !== dictionary.connections;
      await new Promise((resolve) => setTimeout(resolve, 1_500))
    )
      seen = dictionary.connections;
    return dictionary.connections;
  };
  // In an app that has no session but its default one yet.
  const other = await startNetworkHost((await resolveElectron()).path, lab, [
    `--user-data-dir=${lab.home}/other`,
    ...resolverRules(),
  ]);
  try {
    await other.do('setProxy', { mode: 'direct' });
    const before = await settled();
    expect(
      await other.do(
        'askAll',
        Array.from({ length: 8 }, () => ({ url: `${http1.origin}/ok` })),
      ),
    ).toEqual(Array.from({ length: 8 }, () => `200 ${TOKENS}`));
    expect(await settled()).toBe(before);
    await other.do('openSession', { name: 'a-session-of-the-app' });
    await expect.poll(() => dictionary.connections).toBeGreaterThan(before);
  } finally {
    await other.end();
  }
});

test('a server that asks for a client certificate is told from one whose certificate is refused, and from one that is not there', async () => {
  const { privateKey: key, certificate: cert } = createCertificate(Date.now());
  const server = createTlsServer(
    { key, cert, requestCert: true, rejectUnauthorized: false },
    (_request, response) => response.end('{}'),
  );
  const port = await listening(server);
  try {
    expect(await host.do('ask', { url: `https://127.0.0.1:${port}/` })).toBe(
      'trouble client-certificate',
    );
    expect(await host.do('ask', { url: http2.origin.replace('127.0.0.1', 'localhost') })).toBe(
      'trouble certificate',
    );
    expect(await host.do('ask', { url: 'http://127.0.0.1:9/' })).toBe('trouble unreachable');
  } finally {
    server.close();
    server.closeAllConnections();
  }
});

test('the proxy that the app has set is used for what it is set for, and no other', async () => {
  const [one, other] = await Promise.all([startProxy(), startProxy()]);
  try {
    await host.do('setProxy', {
      proxyRules: `http=${one.address};https=${other.address}`,
      proxyBypassRules: '<-loopback>',
    });
    expect(await host.do('ask', { url: `${http1.origin}/ok?by-proxy` })).toBe('200 by the proxy');
    expect(await host.do('ask', { url: `${http2.origin}/ok?by-proxy` })).toBe(`200 ${TOKENS}`);
    expect([one.asked, other.asked]).toEqual([
      [`POST ${http1.origin}/ok?by-proxy`],
      [`CONNECT ${new URL(http2.origin).host}`],
    ]);
    expect(await host.do('facts', { url: `${http1.origin}/ok` })).toEqual({
      proxy: { source: 'system', proxies: [one.address] },
      ask: { status: 200, location: null, text: 'by the proxy' },
    });

    await host.do('setProxy', { mode: 'direct' });
    expect(await host.do('ask', { url: `${http1.origin}/ok?direct` })).toBe(`200 ${TOKENS}`);
    await host.do('setProxy', {
      mode: 'pac_script',
      pacScript: `data:text/plain,${encodeURIComponent(`function FindProxyForURL(url, host) { return host === 'proxied.example' ? 'PROXY 127.0.0.1:9; PROXY ${other.address}' : 'DIRECT'; }`)}`,
    });
    expect(
      await host.do('askAll', [
        { url: 'http://proxied.example/token?secret=1' },
        { url: `${http1.origin}/ok?unproxied` },
      ]),
    ).toEqual(['200 by the proxy', `200 ${TOKENS}`]);
    expect(other.asked.at(-1)).toBe('POST http://proxied.example/token?secret=1');
    expect(one.asked).toHaveLength(2);
  } finally {
    one.stop();
    other.stop();
  }
});

test('a proxy that asks for a password, one that refuses and one that is not there are told apart, and nobody waits', async () => {
  const [asking, refusing] = await Promise.all([
    startProxy({ password: true }),
    startProxy({ refuses: true }),
  ]);
  const by = async (address: string, url: string): Promise<string> => {
    await host.do('setProxy', { proxyRules: address, proxyBypassRules: '<-loopback>' });
    return await host.do('ask', { url });
  };
  try {
    expect(await by(asking.address, `${http2.origin}/ok?asking`)).toBe('trouble proxy-password');
    expect(await by(asking.address, `${http1.origin}/ok?asking`)).toBe('trouble proxy-password');
    expect(await by(refusing.address, `${http2.origin}/ok?asking`)).toBe('trouble proxy');
    expect(await by('127.0.0.1:9', `${http2.origin}/ok?asking`)).toBe('trouble proxy');
    // A way that cannot be followed is not replaced by a direct one.
    expect(
      [...http1.requests, ...http2.requests].filter((request) => request.includes('?asking')),
    ).toEqual([]);
  } finally {
    asking.stop();
    refusing.stop();
  }
});

test("a POST after a pause, on a line that has gone dumb, is not sent again when Chromium's ping is not answered", async () => {
  const line = await startLine(Number(new URL(http2.origin).port));
  try {
    const origin = `https://127.0.0.1:${line.port}`;
    expect(await host.do('ask', { url: `${origin}/ok`, method: 'GET' })).toBe(`200 ${TOKENS}`);
    // Chromium pings a connection that was idle for ten seconds, and gives it up after ten more.
    await new Promise((resolve) => setTimeout(resolve, 11_000));
    line.mute();
    expect(await host.do('ask', { url: `${origin}/ok?ping`, timeoutMs: 13_000 })).toBe(
      `200 ${TOKENS}`,
    );
    expect(http2.requests.filter((request) => request === 'POST /ok?ping')).toHaveLength(1);
  } finally {
    line.stop();
  }
});
