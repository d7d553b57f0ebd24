// A cache between app and provider, as a CDN is one: what the provider publishes may have lain
// there for up to a day (RFC 9111 §4.2.3, §5.1). Ages follow from a seed and the name of the test,
// so that a test that fails can be repeated.
import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import type { Network } from '../../src/main/core/base/ports.js';
import type { Provider } from '../../src/testing/index.js';
import type { FlowClock } from './flow-clock.js';

/** Printed by flow-report.ts. */
const SEED = process.env['LATCHKEY_AGES'] ?? '0';
const DAY_SECONDS = 86_400;

export interface Ages {
  /** The network of an app before whose provider the cache stands. */
  before(network: Network, provider: Provider): Network;
}

export function createAges(time: FlowClock): Ages {
  /** By test. */
  const asked = new Map<string, number>();

  return {
    before: (network, provider) => ({
      async fetch(url, init) {
        const response = await time.underWay(network.fetch(url, init));
        const isPublished =
          init.method === 'GET' &&
          (url.includes('/.well-known/') || url === provider.endpoints.jwks);
        return isPublished ? aged(response, nextAge()) : response;
      },
    }),
  };

  /** Now and then it comes from the provider itself. */
  function nextAge(): number {
    const { testPath = '', currentTestName = '' } = expect.getState();
    const count = (asked.get(currentTestName) ?? 0) + 1;
    asked.set(currentTestName, count);
    const digest = createHash('sha256')
      .update([SEED, testPath.split('/').at(-1), currentTestName, count].join())
      .digest();
    const share = digest.readUInt32BE(0) / 2 ** 32;
    return share < 0.2 ? 0 : Math.ceil(share ** 4 * DAY_SECONDS);
  }
}

function aged(response: Response, ageSeconds: number): Response {
  if (ageSeconds === 0) return response;
  const headers = new Headers(response.headers);
  headers.set('age', String(ageSeconds));
  const date = Date.parse(headers.get('date') ?? '');
  if (!Number.isNaN(date)) headers.set('date', new Date(date - ageSeconds * 1_000).toUTCString());
  return new Response(response.body, { status: response.status, headers });
}
