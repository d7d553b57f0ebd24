// A loopback server among hostile programs and pages: whatever they do, the person's own callback
// arrives, and nothing else counts.
import { type Server, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterEach, describe, expect, it } from 'vitest';
import {
  type LoopbackOptions,
  createLoopback,
} from '../../../src/main/adapters/loopback/loopback.js';
import type {
  Callbacks,
  CallbackVerdict,
  OpenRedirect,
  RedirectOption,
} from '../../../src/main/core/base/ports.js';
import { createFakeLog } from '../../support/fakes.js';
import { get, rawConnection } from '../../support/loopback-client.js';

type LoopbackOption = Extract<RedirectOption, { kind: 'loopback' }>;
const optionOf = (host: string, port: number | null = null): LoopbackOption => ({
  kind: 'loopback',
  uri: `http://${host}/callback`,
  host,
  port,
  path: '/callback',
});

const running: Callbacks[] = [];
const sockets: Socket[] = [];
const others: Server[] = [];
afterEach(() => {
  for (const callbacks of running.splice(0)) callbacks.stop();
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const server of others.splice(0)) server.close();
});

interface Opened {
  readonly redirect: OpenRedirect;
  readonly origin: string;
  readonly taken: () => readonly string[];
}

/**
 * A server that takes the callback with `state=mine` and ends it at once, as a very fast engine
 * would.
 */
async function start(
  option: LoopbackOption = optionOf('127.0.0.1'),
  more: Partial<LoopbackOptions> = {},
): Promise<Opened> {
  const callbacks = createLoopback({ appName: 'Notes', log: createFakeLog(), ...more });
  running.push(callbacks);
  const taken: string[] = [];
  const prepared = await callbacks.prepare(option);
  if (prepared.state !== 'ready') throw new Error(prepared.detail);
  callbacks.onCallback((url): CallbackVerdict => {
    if (!url.includes('state=mine')) return 'foreign';
    taken.push(url);
    setImmediate(() => {
      prepared.redirect.close('signed-in');
    });
    return 'taken';
  });
  return {
    redirect: prepared.redirect,
    origin: new URL(prepared.redirect.redirectUri).origin,
    taken: () => taken,
  };
}

/** The person's browser comes back, and is led to the page that tells the outcome. */
async function comeBack({ redirect, origin }: Opened): Promise<string> {
  const { status, headers } = await get(`${redirect.redirectUri}?code=c&state=mine`, {
    headers: { 'sec-fetch-dest': 'document' },
  });
  return status === 303 ? (await get(origin + (headers.location ?? ''))).body : `status ${status}`;
}

async function listenOn(host: string, port = 0): Promise<number> {
  const server = createServer(() => undefined);
  others.push(server);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, ...(host === '::1' ? { ipv6Only: true } : {}) }, resolve);
  });
  return (server.address() as AddressInfo).port;
}

/** A request as a flood sends it: whatever becomes of it. */
async function request(opened: Opened, target: string): Promise<void> {
  const socket = await rawConnection(
    opened.origin,
    `GET ${target} HTTP/1.1\r\nHost: ${new URL(opened.origin).host}\r\n\r\n`,
  ).catch(() => null);
  if (socket === null) return;
  await new Promise<void>((resolve) => {
    socket
      .resume()
      .on('close', () => {
        resolve();
      })
      .on('error', () => undefined);
  });
}

async function connection(opened: Opened, text: string): Promise<Socket> {
  const socket = await rawConnection(opened.origin, text);
  socket.on('error', () => undefined);
  sockets.push(socket);
  return socket;
}

describe('a loopback server under attack still takes the callback', () => {
  it('in the middle of a flood of 10,000 requests', async () => {
    const opened = await start();
    let answered = 0;
    const attack = async (from: number): Promise<void> => {
      for (let count = from; count < from + 100; count += 1) {
        const target =
          count % 3 === 0
            ? '/callback?code=evil&state=guess'
            : count % 3 === 1
              ? '/callback'
              : `/${count}`;
        await request(opened, target);
        answered += 1;
      }
    };
    const flood = Promise.all(Array.from({ length: 100 }, (_, attacker) => attack(attacker * 100)));
    while (answered < 2_000) await new Promise((resolve) => setImmediate(resolve));
    expect(await comeBack(opened)).toContain('data-outcome="signed-in"');
    expect(opened.taken()).toHaveLength(1);
    await flood;
  }, 60_000);

  it('while hundreds of connections send one letter at a time', async () => {
    const opened = await start();
    const slow = await Promise.all(Array.from({ length: 400 }, () => connection(opened, 'G')));
    const letters = setInterval(() => {
      for (const socket of slow) if (socket.writable) socket.write('X');
    }, 20);
    try {
      expect(await comeBack(opened)).toContain('data-outcome="signed-in"');
    } finally {
      clearInterval(letters);
    }
  });

  it('after its port was scanned: opened and closed, half closed, and fed with what is no HTTP', async () => {
    const opened = await start();
    for (const text of [
      '',
      '\r\n\r\n',
      '\x16\x03\x01\x02\x00\x01\x00',
      'SSH-2.0-x\r\n',
      'GET / HTTP/9.9\r\n\r\n',
      'A'.repeat(100_000),
    ]) {
      const socket = await connection(opened, text);
      socket.end();
    }
    for (let count = 0; count < 200; count += 1) (await connection(opened, '')).destroy();
    expect(await comeBack(opened)).toContain('data-outcome="signed-in"');
  });

  it('while requests with bodies without end are under way', async () => {
    const opened = await start();
    const bodies = await Promise.all(
      Array.from({ length: 20 }, () =>
        connection(
          opened,
          `GET /callback HTTP/1.1\r\nHost: ${new URL(opened.origin).host}\r\nContent-Length: 1000000000\r\n\r\n`,
        ),
      ),
    );
    for (const socket of bodies) if (socket.writable) socket.write('x'.repeat(65_536));
    expect(await comeBack(opened)).toContain('data-outcome="signed-in"');
  });

  it('once: what comes after it, with the same state or another, gets no further answer', async () => {
    const opened = await start();
    await comeBack(opened);
    for (const query of ['code=c2&state=mine', 'code=c&state=other', 'code=c&state=mine']) {
      const reply = await get(`${opened.redirect.redirectUri}?${query}`).catch(() => null);
      expect(reply === null || [303, 404].includes(reply.status)).toBe(true);
    }
    expect(opened.taken()).toHaveLength(1);
  });
});

describe('a page of another origin', () => {
  it.each(['image', 'script', 'iframe', 'empty', 'style', 'object'])(
    'that embeds or fetches the callback as "%s" is refused before anybody is told',
    async (dest) => {
      const opened = await start();
      expect(
        (
          await get(`${opened.redirect.redirectUri}?code=c&state=mine`, {
            headers: { 'sec-fetch-dest': dest, 'sec-fetch-site': 'cross-site' },
          })
        ).status,
      ).toBe(403);
      expect(opened.taken()).toEqual([]);
    },
  );

  it('may ask nothing beforehand (CORS, private network access)', async () => {
    const opened = await start();
    const reply = await get(opened.redirect.redirectUri, {
      method: 'OPTIONS',
      headers: {
        origin: 'https://evil.example',
        'access-control-request-method': 'GET',
        'access-control-request-private-network': 'true',
      },
    });
    expect(reply.status).toBe(405);
    expect(Object.keys(reply.headers).filter((name) => name.startsWith('access-control-'))).toEqual(
      [],
    );
  });
});

const hasIPv6 = Object.values(networkInterfaces()).some(
  (addresses) => addresses?.some(({ address }) => address === '::1') === true,
);

describe.skipIf(!hasIPv6)('a loopback server on "localhost"', () => {
  it.each([4, 6] as const)(
    'is reached by a browser that resolves the name to IPv%s',
    async (family) => {
      const { redirect, taken } = await start(optionOf('localhost'));
      expect(redirect.redirectUri).toMatch(/^http:\/\/localhost:\d+\/callback$/);
      expect((await get(`${redirect.redirectUri}?code=c&state=mine`, { family })).status).toBe(303);
      expect(taken()).toHaveLength(1);
    },
  );

  it('is gone from both families when it closes', async () => {
    const { redirect } = await start(optionOf('localhost'));
    redirect.close('failed');
    for (const family of [4, 6] as const)
      await expect(get(redirect.redirectUri, { family })).rejects.toThrow('ECONNREFUSED');
  });

  it('is not the literal: a request for 127.0.0.1 or [::1] at the same port is refused', async () => {
    const { redirect, taken } = await start(optionOf('localhost'));
    const { port } = new URL(redirect.redirectUri);
    for (const host of ['127.0.0.1', '[::1]'])
      expect((await get(`http://${host}:${port}/callback?state=mine`)).status).toBe(400);
    expect(taken()).toEqual([]);
  });

  it.each(['127.0.0.1', '::1'])(
    'takes no fixed port that another program has at %s, for the code could go there',
    async (address) => {
      const port = await listenOn(address);
      const callbacks = createLoopback({ appName: 'Notes', log: createFakeLog() });
      running.push(callbacks);
      expect(await callbacks.prepare(optionOf('localhost', port))).toEqual({
        state: 'unavailable',
        detail: 'the port is in use (EADDRINUSE)',
      });
      // Nothing of it is left open.
      const other = address === '::1' ? '127.0.0.1' : '::1';
      expect(await listenOn(other, port)).toBe(port);
    },
  );
});

describe('the page at the end', () => {
  it('offers to open the app when a scheme leads there, by the bare scheme', async () => {
    let routed: string | null = null;
    const opened = await start(optionOf('127.0.0.1'), { openScheme: () => routed });
    routed = 'com.example.notes';
    const body = await comeBack(opened);
    expect(body).toContain('<a href="com.example.notes:">Open Notes</a>');
    expect(body).not.toMatch(/code|state/);
  });

  it('says only in words where to go when no scheme leads there', async () => {
    expect(await comeBack(await start())).not.toContain('<a ');
  });
});
