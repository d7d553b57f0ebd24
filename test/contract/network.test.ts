// Network: the same cases on Node's fetch, which flow tests use, and on the real adapter over the
// fake Electron that hosts alias in. In a real Electron, with HTTP/2 and proxies: test/e2e/network.
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createNetwork } from '../../src/main/adapters/network/network.js';
import type { Network } from '../../src/main/core/base/ports.js';
import { HTTP1_OUTCOMES, runTable } from '../support/network-cases.js';
import { outcomeOf } from '../support/network-host/outcome.mjs';
import { type CountingServer, startHttp1 } from '../support/network-servers.js';
import { nodeNetwork } from '../support/node-network.js';

let server: CountingServer;
beforeAll(async () => {
  server = await startHttp1();
});
afterAll(() => server.stop());

// A 407 is no answer to a page (Fetch Standard, "HTTP-network-or-cache fetch"), and Node keeps to
// that. And it takes a length beside chunks for an attack on a proxy.
const NODE_OUTCOMES = {
  ...HTTP1_OUTCOMES,
  'status 407': 'trouble unreachable',
  'chunks beside a length that is wrong': 'trouble unreachable',
};
const subjects: readonly (readonly [string, Network, typeof HTTP1_OUTCOMES])[] = [
  ["Node's fetch", nodeNetwork, NODE_OUTCOMES],
  ['the adapter on the fake Electron', createNetwork(), HTTP1_OUTCOMES],
];

describe.each(subjects)('network: %s', (_name, network, outcomesOfPosts) => {
  it('answers or rejects as the port says, whatever the server does, and posts once', async () => {
    (server.requests as string[]).length = 0;
    const { came, right } = await runTable(server, outcomesOfPosts, async (asked) => {
      const outcomes: string[] = [];
      for (const one of asked) outcomes.push(await outcomeOf(network, one));
      return outcomes;
    });
    expect(came).toEqual(right);
  });

  it('never goes where a redirect leads', () => {
    expect(server.requests.filter((request) => request.includes('followed'))).toEqual([]);
    expect(
      server.requests.filter((request) => request.startsWith('POST /a%20redirect')).length,
    ).toBe(6);
  });

  it('sends no Origin and no cookie, also not the one that the server has just set', () => {
    expect(server.heads.length).toBeGreaterThan(50);
    expect(server.heads.filter((head) => /^(origin|cookie):/im.test(head))).toEqual([]);
  });

  it('takes no more of an answer than is read', async () => {
    const begun = server.endlessBytes();
    const outcome = outcomeOf(network, {
      url: `${server.origin}/endless`,
      unreadMs: 3_000,
      timeoutMs: 8_000,
    });
    await vi.waitFor(async () => {
      const before = server.endlessBytes();
      expect(before).toBeGreaterThan(begun);
      await new Promise((resolve) => setTimeout(resolve, 250));
      expect(server.endlessBytes()).toBe(before);
    }, 2_800);
    expect(await outcome).toBe('too much');
  });

  it('sends nothing when its signal was aborted before', async () => {
    const count = server.requests.length;
    await expect(
      network.fetch(`${server.origin}/ok`, {
        method: 'POST',
        headers: {},
        body: 'a=b',
        signal: AbortSignal.abort(new Error('too late')),
      }),
    ).rejects.toThrow('too late');
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(server.requests.length).toBe(count);
  });

  it('says of an address where nobody listens that it is unreachable', async () => {
    expect(await outcomeOf(network, { url: 'http://127.0.0.1:9/token' })).toBe(
      'trouble unreachable',
    );
  });
});
