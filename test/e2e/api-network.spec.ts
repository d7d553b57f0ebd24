// Requests to APIs on the wire, in a real Electron.
import { startLab } from '../../scripts/lab/lab.mjs';
import type { Lab } from '../../scripts/lab/lab.mjs';
import { resolveElectron } from '../../scripts/electron/electron.mjs';
import { API_NETWORK_CASES, REAL_API_NETWORK_CASES } from '../support/api-network-cases.js';
import { HTTP1_OUTCOMES, runTable } from '../support/network-cases.js';
import { startProxy } from '../support/network-proxy.js';
import { startHttp1 } from '../support/network-servers.js';
import { type ApiServer, startApiServer } from '../support/api-server.js';
import type { ApiOutcome } from '../support/network-host/api-outcome.mjs';
import { type NetworkHost, startNetworkHost } from '../support/network-host.js';
import { expect, test } from './fixtures.js';

test.describe.configure({ mode: 'default' });

let lab: Lab;
let host: NetworkHost;
let server: ApiServer;

test.beforeAll(async () => {
  lab = await startLab({ keyring: 'none' });
  server = await startApiServer();
  host = await startNetworkHost((await resolveElectron()).path, lab);
});
test.afterAll(async () => {
  await host.end();
  server.stop();
  await lab.stop();
});

for (const { title, run, right } of [...API_NETWORK_CASES, ...REAL_API_NETWORK_CASES])
  test(title, async () => {
    expect(await run((asked) => host.do<ApiOutcome>('askApi', asked), server)).toEqual(right);
  });

test('whatever a server does is an answer or a failure, as for the other requests', async () => {
  const http1 = await startHttp1();
  try {
    const { came, right } = await runTable(http1, HTTP1_OUTCOMES, (asked) =>
      host.do('apiInTurn', asked),
    );
    // Chromium may repeat a request on a connection that was kept, so how often it came differs.
    const withoutCount = (line: string): string => line.slice(0, line.lastIndexOf(' | '));
    expect(came.map(withoutCount)).toEqual(right.map(withoutCount));
    expect(http1.requests.filter((request) => request.includes('followed'))).toEqual([]);
  } finally {
    http1.stop();
  }
});

test('requests go by the proxy that the app has set for each address, also while others are under way, and never around it', async () => {
  const [proxy, asking] = await Promise.all([startProxy(), startProxy({ password: true })]);
  const ask = (url: string): Promise<ApiOutcome> => host.do<ApiOutcome>('askApi', { url });
  try {
    await host.do('setProxy', {
      mode: 'pac_script',
      pacScript: `data:text/plain,${encodeURIComponent(`function FindProxyForURL(url, host) { return host === 'proxied.example' ? 'PROXY ${proxy.address}' : 'DIRECT'; }`)}`,
    });
    const before = server.arrived.length;
    const outcomes = await host.do<readonly ApiOutcome[]>(
      'askApiAtOnce',
      Array.from({ length: 12 }, (_value, index) => ({
        url: index % 2 === 0 ? 'http://proxied.example/notes' : `${server.origin}/echo?direct`,
      })),
    );
    expect(outcomes.map(({ text }) => text)).toEqual(
      Array.from({ length: 12 }, (_value, index) => (index % 2 === 0 ? 'by the proxy' : '0')),
    );
    expect([proxy.asked.length, server.arrived.length - before]).toEqual([6, 6]);

    await host.do('setProxy', { proxyRules: asking.address, proxyBypassRules: '<-loopback>' });
    expect((await ask(`${server.origin}/echo?asking`)).failure).toBe('proxy-password');
    await host.do('setProxy', { proxyRules: '127.0.0.1:9', proxyBypassRules: '<-loopback>' });
    expect((await ask(`${server.origin}/echo?asking`)).failure).toBe('proxy');
    await host.do('setProxy', { mode: 'direct' });
    expect((await ask(`${server.origin}/echo?again`)).status).toBe(200);
    expect(server.arrived.filter(({ path }) => path === '/echo?asking')).toEqual([]);
  } finally {
    proxy.stop();
    asking.stop();
  }
});
