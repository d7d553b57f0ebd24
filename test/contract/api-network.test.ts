// ApiNetwork: the adapter over the fake Electron that hosts alias in. The same cases, and more, in a
// real one: test/e2e/api-network.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApiNetwork } from '../../src/main/adapters/network/api-network.js';
import { API_NETWORK_CASES } from '../support/api-network-cases.js';
import { type ApiServer, startApiServer } from '../support/api-server.js';
import { apiOutcomeOf } from '../support/network-host/api-outcome.mjs';

let server: ApiServer;
beforeAll(async () => {
  server = await startApiServer();
});
afterAll(() => server.stop());

describe('api network: the adapter on the fake Electron', () => {
  for (const { title, run, right } of API_NETWORK_CASES)
    it(title, async () => {
      expect(await run((asked) => apiOutcomeOf(createApiNetwork(), asked), server)).toEqual(right);
    });
});
