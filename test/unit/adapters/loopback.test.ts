// The loopback server: one trip, one path, one answer, and the page that tells the outcome.
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createLoopback } from '../../../src/main/adapters/loopback/loopback.js';
import { createResultPages } from '../../../src/main/adapters/loopback/result-page.js';
import { listenDetail } from '../../../src/main/adapters/loopback/server.js';
import { LIMITS } from '../../../src/main/core/base/limits.js';
import type {
  Callbacks,
  CallbackVerdict,
  OpenRedirect,
  RedirectOption,
} from '../../../src/main/core/base/ports.js';
import { createFakeLog } from '../../support/fakes.js';
import { get, rawConnection as connectTo } from '../../support/loopback-client.js';

type LoopbackOption = Extract<RedirectOption, { kind: 'loopback' }>;

const pages = createResultPages({}, 'Notes');
const OPTION: LoopbackOption = {
  kind: 'loopback',
  uri: 'http://127.0.0.1/callback',
  host: '127.0.0.1',
  port: null,
  path: '/callback',
};

const open: Callbacks[] = [];
const sockets: Socket[] = [];
afterEach(() => {
  for (const callbacks of open.splice(0)) callbacks.stop();
  for (const socket of sockets.splice(0)) socket.destroy();
});

/** A server with a listener that takes exactly the callbacks whose query holds `state=mine`. */
async function start(
  option: LoopbackOption = OPTION,
  log = createFakeLog(),
): Promise<{ redirect: OpenRedirect; origin: string; heard: string[]; callbacks: Callbacks }> {
  const callbacks = createLoopback({ appName: 'Notes', log });
  open.push(callbacks);
  const heard: string[] = [];
  callbacks.onCallback((url): CallbackVerdict => {
    heard.push(url);
    return url.includes('state=mine') ? 'taken' : 'foreign';
  });
  const prepared = await callbacks.prepare(option);
  if (prepared.state !== 'ready') throw new Error(prepared.detail);
  return {
    redirect: prepared.redirect,
    origin: new URL(prepared.redirect.redirectUri).origin,
    heard,
    callbacks,
  };
}

function page(origin: string, { location }: IncomingHttpHeaders): string {
  return `${origin}${location ?? '/nowhere'}`;
}

async function untilHeard(heard: readonly string[], count = 1): Promise<void> {
  while (heard.length < count) await new Promise((resolve) => setTimeout(resolve, 5));
}

async function rawConnection(origin: string, text: string): Promise<Socket> {
  const socket = await connectTo(origin, text);
  sockets.push(socket);
  return socket;
}

describe('the loopback server', () => {
  it('takes a free port of the host literal only, with the exact path', async () => {
    const { redirect } = await start();
    expect(redirect.redirectUri).toMatch(/^http:\/\/127\.0\.0\.1:[1-9]\d+\/callback$/);
  });

  it('works on the IPv6 literal', async () => {
    const { redirect, heard } = await start({
      ...OPTION,
      host: '[::1]',
      uri: 'http://[::1]/callback',
    });
    expect(redirect.redirectUri).toMatch(/^http:\/\/\[::1\]:\d+\/callback$/);
    void get(`${redirect.redirectUri}?state=mine`).catch(() => {});
    await untilHeard(heard);
    expect(heard).toEqual([`${redirect.redirectUri}?state=mine`]);
  });

  it('holds the answer until the outcome is known, then leads to a page whose address holds no code', async () => {
    const { redirect, heard, origin } = await start();
    let answered = false;
    const reply = get(`${redirect.redirectUri}?code=c0de&state=mine`).finally(
      () => (answered = true),
    );
    await untilHeard(heard);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(heard).toEqual([`${redirect.redirectUri}?code=c0de&state=mine`]);
    expect(answered).toBe(false);
    redirect.close('signed-in');
    const { status, headers, body } = await reply;
    expect(status).toBe(303);
    expect(headers.location).toBe('/callback/signed-in');
    expect(body + JSON.stringify(headers)).not.toContain('c0de');
    const shown = await get(page(origin, headers));
    const expected = pages('signed-in', null);
    expect(shown.status).toBe(200);
    expect(shown.body).toBe(expected.html);
    for (const [name, value] of Object.entries(expected.headers))
      expect(shown.headers[name.toLowerCase()]).toBe(value);
  });

  it.each(['denied', 'failed'] as const)('shows the outcome %s as it is', async (outcome) => {
    const { redirect, heard, origin } = await start();
    const reply = get(`${redirect.redirectUri}?error=access_denied&state=mine`);
    await untilHeard(heard);
    redirect.close(outcome);
    const shown = await get(page(origin, (await reply).headers));
    expect(shown.body).toBe(pages(outcome, null).html);
  });

  it('answers at once when the engine closes while it is being told', async () => {
    const { redirect, callbacks } = await start();
    callbacks.onCallback(() => {
      redirect.close('failed');
      return 'taken';
    });
    expect((await get(`${redirect.redirectUri}?state=mine`)).headers.location).toBe(
      '/callback/failed',
    );
  });

  it('tells copies of one callback the same outcome, and the engine only once', async () => {
    const { redirect, heard } = await start();
    const replies = [1, 2, 3].map(() => get(`${redirect.redirectUri}?state=mine`));
    await untilHeard(heard);
    await new Promise((resolve) => setTimeout(resolve, 50));
    redirect.close('signed-in');
    expect((await Promise.all(replies)).map(({ headers }) => headers.location)).toEqual(
      Array(3).fill('/callback/signed-in'),
    );
    expect(heard).toHaveLength(1);
    // A reload while the page is still there.
    expect((await get(`${redirect.redirectUri}?state=mine`)).headers.location).toBe(
      '/callback/signed-in',
    );
  });

  it('refuses copies beyond a bound', async () => {
    const { redirect, heard } = await start();
    const replies = Array.from({ length: 20 }, () =>
      get(`${redirect.redirectUri}?state=mine`).catch(() => null),
    );
    await untilHeard(heard);
    await new Promise((resolve) => setTimeout(resolve, 100));
    redirect.close('signed-in');
    const statuses = (await Promise.all(replies)).map((reply) => reply?.status);
    expect(statuses.filter((status) => status === 303)).toHaveLength(16);
    expect(statuses.filter((status) => status === 429)).toHaveLength(4);
  });

  it('tells a foreign callback at once that it was not expected, and still takes the right one', async () => {
    const { redirect, heard, origin } = await start();
    const foreign = await get(`${redirect.redirectUri}?code=x&state=theirs`);
    expect(foreign.headers.location).toBe('/callback/not-expected');
    expect((await get(page(origin, foreign.headers))).body).toBe(pages('not-expected', null).html);
    const reply = get(`${redirect.redirectUri}?state=mine`);
    await untilHeard(heard, 2);
    expect((await get(`${redirect.redirectUri}?state=theirs`)).headers.location).toBe(
      '/callback/not-expected',
    );
    redirect.close('signed-in');
    expect((await reply).headers.location).toBe('/callback/signed-in');
  });

  it('shows no page of an outcome that nobody has', async () => {
    const { origin } = await start();
    expect((await get(`${origin}/callback/signed-in`)).status).toBe(404);
  });

  it.each([
    '/',
    '/callback/',
    '/Callback',
    '/callback%2f',
    '/favicon.ico',
    '/callback/../callback',
    '//callback',
  ])('answers 404 to %s', async (path) => {
    const { origin, heard } = await start();
    // Written by hand: `URL` would tidy the path.
    const socket = await rawConnection(
      origin,
      `GET ${path}?state=mine HTTP/1.1\r\nHost: ${new URL(origin).host}\r\n\r\n`,
    );
    const [chunk] = (await new Promise<Buffer[]>((resolve) =>
      socket.once('data', (data: Buffer) => resolve([data])),
    )) as [Buffer];
    expect(chunk.toString()).toMatch(/^HTTP\/1\.1 404 /);
    expect(heard).toEqual([]);
  });

  it.each(['POST', 'HEAD', 'OPTIONS', 'PUT'])('answers 405 to %s', async (method) => {
    const { redirect, heard } = await start();
    const { status, headers } = await get(`${redirect.redirectUri}?state=mine`, { method });
    expect(status).toBe(405);
    expect(headers.allow).toBe('GET');
    expect(heard).toEqual([]);
  });

  it.each([
    ['a name that leads here', 'evil.example'],
    ['localhost', 'localhost'],
    ['the address without the port', '127.0.0.1'],
  ])('refuses the Host header %s', async (_name, host) => {
    const { redirect, heard } = await start();
    const port = host === '127.0.0.1' ? '' : `:${new URL(redirect.redirectUri).port}`;
    expect(
      (await get(`${redirect.redirectUri}?state=mine`, { headers: { host: host + port } })).status,
    ).toBe(400);
    expect(heard).toEqual([]);
  });

  it('lets no other origin read an answer, and forbids caching and referrers', async () => {
    const { redirect } = await start();
    const { headers } = await get(`${redirect.redirectUri}?state=theirs`, {
      headers: { origin: 'https://evil.example' },
    });
    expect(Object.keys(headers).filter((name) => name.startsWith('access-control-'))).toEqual([]);
    expect(headers['cache-control']).toBe('no-store');
    expect(headers['referrer-policy']).toBe('no-referrer');
    expect(headers.connection).toBe('close');
  });

  it('takes a callback of the greatest length and refuses a longer one', async () => {
    const { redirect, heard } = await start();
    const target = '/callback?state=mine&code=';
    void get(
      `${redirect.redirectUri}?state=mine&code=${'c'.repeat(LIMITS.callbackLength - target.length)}`,
    ).catch(() => {});
    await untilHeard(heard);
    expect(
      (await get(`${redirect.redirectUri}?state=theirs&code=${'c'.repeat(LIMITS.callbackLength)}`))
        .status,
    ).toBe(414);
    expect(heard).toHaveLength(1);
  });

  it('refuses headers without end', async () => {
    const { redirect } = await start();
    const reply = await get(redirect.redirectUri, {
      headers: { cookie: 'c'.repeat(100_000) },
    }).catch(() => ({ status: 431 }));
    expect(reply.status).toBe(431);
  });

  it('still takes the callback while hundreds of connections say nothing', async () => {
    const { redirect, heard, origin } = await start();
    for (let count = 0; count < 300; count += 1)
      (await rawConnection(origin, 'GET /call')).on('error', () => {});
    const reply = get(`${redirect.redirectUri}?state=mine`);
    await untilHeard(heard);
    redirect.close('signed-in');
    expect((await reply).status).toBe(303);
  });

  it('still takes the callback after a thousand foreign ones', async () => {
    const { redirect, heard } = await start();
    for (let round = 0; round < 20; round += 1)
      await Promise.all(
        Array.from({ length: 50 }, () => get(`${redirect.redirectUri}?state=theirs`)),
      );
    const reply = get(`${redirect.redirectUri}?state=mine`);
    await untilHeard(heard, 1_001);
    redirect.close('signed-in');
    expect((await reply).headers.location).toBe('/callback/signed-in');
  });

  it('ends a connection that never finishes its request', async () => {
    const { origin } = await start();
    const socket = await rawConnection(origin, 'GET /callback HTTP/1.1\r\n');
    const startedAt = performance.now();
    await new Promise((resolve) => socket.resume().on('close', resolve));
    expect(performance.now() - startedAt).toBeLessThan(7_500);
  });

  it('is gone at once when it closes and nobody waits', async () => {
    const { redirect } = await start();
    redirect.close('failed');
    redirect.close('failed');
    await expect(get(redirect.redirectUri)).rejects.toThrow('ECONNREFUSED');
  });

  it('is gone some seconds after the outcome was told', async () => {
    const { redirect, heard } = await start();
    const reply = get(`${redirect.redirectUri}?state=mine`);
    await untilHeard(heard);
    redirect.close('signed-in');
    await reply;
    await new Promise((resolve) => setTimeout(resolve, 5_300));
    await expect(get(redirect.redirectUri)).rejects.toThrow('ECONNREFUSED');
  });

  it('drops every connection that waits when everything stops', async () => {
    const { redirect, heard, callbacks } = await start();
    const reply = get(`${redirect.redirectUri}?state=mine`);
    await untilHeard(heard);
    callbacks.stop();
    await expect(reply).rejects.toThrow();
    expect((await callbacks.prepare(OPTION)).state).toBe('unavailable');
  });
});

describe('what is near a loopback redirect', () => {
  it('is told to the log once for each kind, without values; what is not near is not told', async () => {
    const log = createFakeLog();
    const { redirect, origin } = await start(OPTION, log);
    const { redirectUri } = redirect;
    const answer = '?code=SECRET&state=SECRET';
    const ask = (url: string, more: Parameters<typeof get>[1] = {}): Promise<unknown> =>
      get(url, more).catch(() => null);
    await ask(`${origin}/favicon.ico`);
    await ask(`${origin}/other`, { method: 'POST' });
    expect(log.events).toEqual([]);
    for (let count = 0; count < 2; count += 1) {
      await ask(redirectUri + answer, { method: 'POST' });
      await ask(`${redirectUri}/${answer}`);
      await ask(redirectUri + answer, { headers: { host: 'localhost' } });
      await ask(redirectUri + answer, { headers: { 'sec-fetch-dest': 'iframe' } });
      await ask(`${redirectUri}${answer}${'x'.repeat(LIMITS.callbackLength)}`);
    }
    expect(log.names()).toEqual(Array(5).fill('callback-foreign'));
    expect(new Set(log.events.map(({ fields }) => JSON.stringify(fields))).size).toBe(5);
    expect(JSON.stringify(log.events)).not.toContain('SECRET');
  });

  it('is not a redirect URI without a path, which is sent and visited as it is registered', async () => {
    const { redirect, heard } = await start({ ...OPTION, uri: 'http://127.0.0.1', path: '/' });
    expect(redirect.redirectUri).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    void get(`${redirect.redirectUri}/?state=mine`).catch(() => {});
    await untilHeard(heard);
    expect(heard).toEqual([`${redirect.redirectUri}/?state=mine`]);
  });
});

describe('a loopback server on a fixed port', () => {
  async function freePort(): Promise<number> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }

  it('uses exactly that port', async () => {
    const port = await freePort();
    expect(
      (await start({ ...OPTION, port, uri: `http://127.0.0.1:${port}/callback` })).redirect
        .redirectUri,
    ).toBe(`http://127.0.0.1:${port}/callback`);
  });

  it('is unavailable, with the reason, when another program has the port', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    const callbacks = createLoopback({ appName: 'Notes', log: createFakeLog() });
    expect(
      await callbacks.prepare({ ...OPTION, port, uri: `http://127.0.0.1:${port}/callback` }),
    ).toEqual({
      state: 'unavailable',
      detail: 'the port is in use (EADDRINUSE)',
    });
    other.close();
  });

  it.each([
    ['EADDRINUSE', 'in use'],
    ['EACCES', 'reserved by the system'],
    ['EMFILE', 'cannot be opened'],
  ])('says of %s that the port is %s', (code, words) => {
    expect(listenDetail(code)).toContain(words);
    expect(listenDetail(code)).toContain(code);
  });

  it('is there for the next attempt while the last one still shows its page', async () => {
    const port = await freePort();
    const { redirect, heard, callbacks } = await start({
      ...OPTION,
      port,
      uri: `http://127.0.0.1:${port}/callback`,
    });
    const reply = get(`${redirect.redirectUri}?state=mine`);
    await untilHeard(heard);
    redirect.close('failed');
    await reply;
    const next = await callbacks.prepare({
      ...OPTION,
      port,
      uri: `http://127.0.0.1:${port}/callback`,
    });
    expect(next.state).toBe('ready');
  });
});
