// Requests to APIs on the wire, in a real Electron.
import { startLab } from '../../scripts/lab/lab.mjs';
import type { Lab } from '../../scripts/lab/lab.mjs';
import { resolveElectron } from '../../scripts/electron/electron.mjs';
import { API_NETWORK_CASES, REAL_API_NETWORK_CASES } from '../support/api-network-cases.js';
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
