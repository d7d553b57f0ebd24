// Requests of pages by their port (adapters/pages/page-requests.ts), with the bridge of a page at the
// other end: what crosses, in which order, and what a page that breaks the rules gets.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type {
  ApiResponse,
  AuthView,
  PageRequest,
  PageResponseMessage,
} from '../../../src/contract.js';
import { type PageCalls, exposeToPages } from '../../../src/main/adapters/pages/ipc.js';
import { AuthError, toErrorView } from '../../../src/main/core/base/errors.js';
import { LIMITS } from '../../../src/main/core/base/limits.js';
import type { ApiFetch } from '../../../src/main/core/requests/api-fetch.js';
import { createApi } from '../../../src/renderer/index.js';
import { fakeElectron } from '../../support/fake-electron.js';

const URL_OF_API = 'https://api.example.com/v1';
const ORIGIN = 'http://localhost:5173';
const signedOut: AuthView = { status: 'signed-out', reason: 'never' };
const REQUEST: PageRequest = {
  url: URL_OF_API,
  method: 'GET',
  headers: [],
  body: null,
  redirect: 'follow',
  withCookies: false,
  account: null,
  stepUp: false,
};

const NO_FRAME = { senderFrame: null, ports: [] } as never;

let fetch: (...given: Parameters<ApiFetch>) => Promise<Response>;
let remove: () => void;

beforeEach(() => {
  fetch = () => Promise.reject(new Error('not asked for'));
  const nothing = (): void => undefined;
  const calls: PageCalls = {
    view: () => signedOut,
    errorView: async (error) => toErrorView(error),
    onView: () => nothing,
    signIn: nothing,
    cancelSignIn: nothing,
    reopenBrowser: nothing,
    tryAnotherWay: nothing,
    pasteCallback: nothing,
    signOut: nothing,
    switchAccount: nothing,
    retry: nothing,
    fetch: async () => (input, init) => fetch(input, init) as Promise<ApiResponse>,
  };
  const log = { write: nothing };
  ({ remove } = exposeToPages(calls, { trustedOrigins: [ORIGIN], appPath: '/opt/notes' }, log));
});
afterEach(async () => {
  remove();
  await vi.dynamicImportSettled();
});

/** A page, and what its bridge hears about one request that it opens by hand. */
async function open(request: unknown = REQUEST) {
  const bridge = await fakeElectron.openPage(`${ORIGIN}/`);
  if (bridge === null) throw new Error('the page is not trusted');
  const heard: (PageResponseMessage | null)[] = [];
  const send = bridge.openRequest(request as PageRequest, (message) => heard.push(message));
  const typesOf = () => heard.map((message) => message?.type ?? 'closed');
  return { send: send as (message: unknown) => void, heard, typesOf };
}

async function pageApi() {
  const bridge = await fakeElectron.openPage(`${ORIGIN}/`);
  return createApi(() => bridge ?? undefined);
}

/** An endless answer that counts what was taken of it. */
function endless() {
  const taken = { chunks: 0, cancelled: false };
  const stream = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        taken.chunks += 1;
        controller.enqueue(new Uint8Array(10));
      },
      cancel() {
        taken.cancelled = true;
      },
    },
    { highWaterMark: 0 },
  );
  return { stream, taken };
}

describe('a request of a page', () => {
  it('crosses with its parts, and the answer comes back with its own', async () => {
    const asked: unknown[] = [];
    fetch = async (input, init = {}) => {
      const { signal: _signal, body, ...rest } = init;
      asked.push(input, rest, await new Response(body).text());
      const response = new Response('found', {
        status: 404,
        statusText: 'Nowhere',
        headers: { 'x-api': '1', 'set-cookie': 'secret=1' },
      });
      return Object.defineProperties(response, {
        url: { value: `${URL_OF_API}/there` },
        redirected: { value: true },
        challenge: { value: { acrValues: ['high'] } },
      });
    };
    const api = await pageApi();
    const answer = await api.fetch(URL_OF_API, {
      method: 'POST',
      body: 'hello',
      credentials: 'include',
      redirect: 'manual',
      account: 'account-2',
      stepUp: 'ask',
    });
    expect([answer.status, answer.statusText, answer.url, answer.redirected]).toEqual([
      404,
      'Nowhere',
      `${URL_OF_API}/there`,
      true,
    ]);
    expect(answer.challenge).toEqual({ acrValues: ['high'] });
    expect([await answer.text(), [...answer.headers.keys()]]).toEqual([
      'found',
      ['content-type', 'x-api'],
    ]);
    expect(asked).toEqual([
      URL_OF_API,
      {
        method: 'POST',
        headers: [['content-type', 'text/plain;charset=UTF-8']],
        credentials: 'include',
        redirect: 'manual',
        account: 'account-2',
        stepUp: 'ask',
      },
      'hello',
    ]);
  });

  it('sends a body whole up to 1 MiB, and a longer one or a stream in chunks that main can take', async () => {
    const bodies: { readonly isStream: boolean; readonly sizes: readonly number[] }[] = [];
    fetch = async (_input, init = {}) => {
      const sizes: number[] = [];
      const isStream = init.body instanceof ReadableStream;
      const stream = isStream ? init.body : new Response(init.body).body;
      for await (const chunk of stream as unknown as AsyncIterable<Uint8Array>)
        sizes.push(chunk.length);
      bodies.push({ isStream, sizes });
      return new Response(null, { status: 204 });
    };
    const api = await pageApi();
    const size = LIMITS.pageRequestChunkBytes;
    const streamed = new Blob(['abc']).stream();
    for (const body of ['a'.repeat(size), new Blob(['a'.repeat(size + 1)]), streamed])
      expect((await api.fetch(URL_OF_API, { method: 'POST', body })).body).toBe(null);
    const big = new Request(URL_OF_API, { method: 'POST', body: new Uint8Array(size * 2.5) });
    await api.fetch(big);
    expect(bodies.map(({ isStream }) => isStream)).toEqual([false, true, true, true]);
    for (const { sizes } of bodies) expect(Math.max(...sizes)).toBeLessThanOrEqual(size);
    expect(bodies.map(({ sizes }) => sizes.reduce((a, b) => a + b))).toEqual([
      size,
      size + 1,
      3,
      size * 2.5,
    ]);
  });

  it('takes no more of an answer than the page reads, and gives it up when the page does', async () => {
    const { stream, taken } = endless();
    let signal: AbortSignal | null | undefined;
    fetch = async (_input, init = {}) => {
      signal = init.signal;
      signal?.addEventListener('abort', () => void stream.cancel().catch(() => undefined));
      return new Response(stream);
    };
    const api = await pageApi();
    const { body } = await api.fetch(URL_OF_API);
    const reader = body?.getReader();
    for (let index = 0; index < 3; index += 1) await reader?.read();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(taken.chunks).toBe(3);
    await reader?.cancel();
    await vi.waitFor(() => expect(signal?.aborted).toBe(true));
  });

  it('takes no more of a body than main reads, and stops when main has its answer', async () => {
    const { stream, taken } = endless();
    fetch = async (_input, init = {}) => {
      const reader = (init.body as ReadableStream<Uint8Array>).getReader();
      await reader.read();
      await reader.read();
      return new Response('enough');
    };
    const api = await pageApi();
    const answer = await api.fetch(URL_OF_API, {
      method: 'POST',
      body: stream,
      duplex: 'half',
    } as RequestInit);
    expect(await answer.text()).toBe('enough');
    await vi.waitFor(() => expect(taken.cancelled).toBe(true));
    expect(taken.chunks).toBe(2);
  });

  it.each([
    [
      'an error of the session',
      new AuthError('session-ended', 'over', { cause: new Error('secret') }),
      { name: 'AuthFailure', code: 'session-ended', message: 'over' },
    ],
    [
      'an API that cannot be reached',
      new TypeError('fetch failed', {
        cause: Object.assign(new Error('net::ERR_FAILED'), { trouble: 'unreachable' }),
      }),
      { name: 'TypeError', message: 'fetch failed (net::ERR_FAILED)' },
    ],
    [
      'another cause, which may tell anything',
      new TypeError('fetch failed', { cause: new Error('secret') }),
      { name: 'TypeError', message: 'fetch failed' },
    ],
    [
      'a fault of main',
      new RangeError('secret'),
      {
        name: 'AuthFailure',
        code: 'internal',
        message: expect.not.stringContaining('secret') as string,
      },
    ],
  ])('fails by %s', async (_what, reason, expected) => {
    fetch = () => Promise.reject(reason);
    const failure: unknown = await (await pageApi()).fetch(URL_OF_API).catch((e: unknown) => e);
    expect(failure).toMatchObject(expected);
    expect(JSON.stringify(failure)).not.toContain('secret');
    expect(failure).not.toHaveProperty('cause');
  });

  it('fails in the middle when the answer does', async () => {
    let turns = 0;
    fetch = async () =>
      new Response(
        new ReadableStream({
          pull(controller) {
            turns += 1;
            if (turns > 1) controller.error(new TypeError('cut off'));
            else controller.enqueue(new Uint8Array(1));
          },
        }),
      );
    const answer = await (await pageApi()).fetch(URL_OF_API);
    await expect(answer.text()).rejects.toThrow('cut off');
  });

  it('fails with the reason of its own body, and main hears that it is over', async () => {
    const heard: unknown[] = [];
    fetch = async (_input, init = {}) => {
      init.signal?.addEventListener('abort', () => heard.push('aborted'));
      return new Response(await new Response(init.body).text());
    };
    const body = new ReadableStream({
      pull: (controller) => controller.error(new Error('the file is gone')),
    });
    const init = { method: 'POST', body, duplex: 'half' } as RequestInit;
    await expect((await pageApi()).fetch(URL_OF_API, init)).rejects.toThrow('the file is gone');
    await vi.waitFor(() => expect(heard).toEqual(['aborted']));
  });

  it('fails with the reason of its signal, before, during and after the head of the answer', async () => {
    let signal: AbortSignal | null | undefined;
    fetch = (_input, init = {}) => {
      signal = init.signal;
      return new Promise(() => undefined);
    };
    const api = await pageApi();
    const over = new Error('no longer');
    await expect(api.fetch(URL_OF_API, { signal: AbortSignal.abort(over) })).rejects.toBe(over);
    expect(signal).toBe(undefined);
    const abort = new AbortController();
    const waiting = api.fetch(URL_OF_API, { signal: abort.signal });
    await vi.waitFor(() => expect(signal).toBeDefined());
    abort.abort(over);
    await expect(waiting).rejects.toBe(over);
    await vi.waitFor(() => expect(signal?.aborted).toBe(true));
    fetch = async () => new Response(endless().stream);
    const later = new AbortController();
    const { body } = await api.fetch(URL_OF_API, { signal: later.signal });
    later.abort(over);
    await expect(body?.getReader().read()).rejects.toBe(over);
  });

  it('fails with "stopped" when the sign-in ends, also one that has not begun', async () => {
    fetch = (_input, init = {}) =>
      new Promise((_resolve, reject) =>
        init.signal?.addEventListener('abort', () => reject(init.signal?.reason as Error)),
      );
    const waiting = (await pageApi()).fetch(URL_OF_API);
    const failing = expect(waiting).rejects.toMatchObject({ code: 'stopped' });
    await vi.dynamicImportSettled();
    const late = await pageApi();
    const begun = late.fetch(URL_OF_API);
    remove();
    await failing;
    await expect(begun).rejects.toMatchObject({ code: 'stopped' });
  });
});

describe('a page that breaks the rules', () => {
  it('is refused when it is not trusted, and nothing is asked', async () => {
    const heard: unknown[] = [];
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = ({ data }: MessageEvent) => heard.push(data);
    fakeElectron.sendSync(
      'latchkey:fetch',
      {
        senderFrame: { url: 'https://evil.example/', origin: 'https://evil.example', parent: null },
        ports: [
          {
            on: () => undefined,
            start: () => undefined,
            close: () => undefined,
            postMessage: (message: unknown) => port2.postMessage(message),
          },
        ],
      } as never,
      REQUEST,
    );
    await vi.waitFor(() =>
      expect(heard).toEqual([
        { type: 'failed', error: expect.objectContaining({ code: 'page-refused' }) as object },
      ]),
    );
    port1.close();
  });

  it('costs nothing when it sends no port', () => {
    expect(() => fakeElectron.sendSync('latchkey:fetch', NO_FRAME, 1)).not.toThrow();
  });

  it('is refused when the request is none', async () => {
    const { heard, typesOf } = await open({ url: 7 });
    await vi.waitFor(() => expect(typesOf()).toEqual(['failed', 'closed']));
    expect(heard[0]).toMatchObject({ error: { code: 'page-refused' } });
  });

  it('ends its own request by a message that is none, and by chunks nobody asked for changes nothing', async () => {
    let signal: AbortSignal | null | undefined;
    fetch = (_input, init = {}) => {
      signal = init.signal;
      return new Promise((_resolve, reject) =>
        signal?.addEventListener('abort', () => reject(signal?.reason as Error)),
      );
    };
    const { send, typesOf } = await open();
    await vi.waitFor(() => expect(signal).toBeDefined());
    send({ type: 'chunk', bytes: new Uint8Array(5) });
    send({ type: 'end' });
    send({ type: 'pull' });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect([typesOf(), signal?.aborted]).toEqual([[], false]);
    send({ type: 'anything' });
    await vi.waitFor(() => expect(typesOf()).toEqual(['closed']));
    expect(signal?.aborted).toBe(true);
  });

  it('gets no chunk without a pull', async () => {
    const { stream, taken } = endless();
    fetch = async () => new Response(stream);
    const { send, typesOf } = await open();
    await vi.waitFor(() => expect(typesOf()).toContain('response'));
    send({ type: 'pull' });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect([typesOf(), taken.chunks]).toEqual([['response', 'chunk'], 1]);
    send({ type: 'abort' });
    await vi.waitFor(() => expect(typesOf()).toContain('closed'));
  });

  it('may hold 2,000 requests open and no more', async () => {
    let begun = 0;
    fetch = (_input, init = {}) => {
      begun += 1;
      return new Promise((_resolve, reject) =>
        init.signal?.addEventListener('abort', () => reject(init.signal?.reason as Error)),
      );
    };
    const api = await pageApi();
    const aborts = Array.from({ length: LIMITS.pageRequests }, () => new AbortController());
    const many = aborts.map(({ signal }) =>
      api.fetch(URL_OF_API, { signal }).catch(() => 'aborted'),
    );
    await vi.waitFor(() => expect(begun).toBe(aborts.length), { timeout: 20_000 });
    await expect(api.fetch(URL_OF_API)).rejects.toThrow('pages have 2000 requests open');
    for (const abort of aborts) abort.abort();
    expect(new Set(await Promise.all(many))).toEqual(new Set(['aborted']));
    fetch = async () => new Response('again');
    const again = async () => expect((await api.fetch(URL_OF_API)).status).toBe(200);
    await vi.waitFor(again, { timeout: 20_000 });
  });
});
