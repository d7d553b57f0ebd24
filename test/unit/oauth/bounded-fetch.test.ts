// One HTTP exchange with a time limit and a size limit, on a scripted network and a virtual clock.
import { describe, expect, it } from 'vitest';
import {
  type BoundedFetch,
  createBoundedFetch,
  jsonObject,
  serverDate,
} from '../../../src/main/core/oauth/bounded-fetch.js';
import { AuthError } from '../../../src/main/core/base/errors.js';
import type { Network, NetworkRequest } from '../../../src/main/core/base/ports.js';
import {
  type NetworkStep,
  createFakeClock,
  createFakeNetwork,
  settle,
} from '../../support/fakes.js';

const URL_ = 'https://id.example/token?secret=1';
const LIMITS = { timeoutMs: 15_000, responseBytes: 1_000 };
const get = { method: 'GET', headers: {} };

function benchFor(answer: NetworkStep['answer']): {
  readonly fetch: BoundedFetch;
  readonly clock: ReturnType<typeof createFakeClock>;
  readonly network: ReturnType<typeof createFakeNetwork>;
} {
  const clock = createFakeClock();
  const network = createFakeNetwork({ url: URL_, answer });
  return { clock, network, fetch: createBoundedFetch(network, clock, LIMITS) };
}

async function failureOf(promise: Promise<Response>): Promise<AuthError> {
  return promise.then(
    () => {
      throw new Error('the exchange succeeded');
    },
    (error: unknown) => {
      if (error instanceof AuthError) return error;
      throw error;
    },
  );
}

describe('the end of the app', () => {
  it('ends many exchanges at once, and Node sees no leak of listeners', async () => {
    const warnings: Error[] = [];
    const onWarning = (warning: Error): number => warnings.push(warning);
    process.on('warning', onWarning);
    const clock = createFakeClock();
    const ended = new AbortController();
    const network: Network = { fetch: () => new Promise(() => undefined) };
    const fetch = createBoundedFetch(network, clock, LIMITS, ended.signal);
    const failures = Array.from({ length: 30 }, () => failureOf(fetch(URL_, get)));
    await new Promise(setImmediate);
    process.off('warning', onWarning);
    expect(warnings.map(String)).toEqual([]);
    ended.abort();
    expect(new Set((await Promise.all(failures)).map(({ code }) => code))).toEqual(
      new Set(['stopped']),
    );
    expect(clock.pending).toBe(0);
  });
});

describe('the time limit', () => {
  it('ends an exchange that is never answered, and takes its timer along', async () => {
    const { fetch, clock } = benchFor('hang');
    const failure = failureOf(fetch(URL_, get));
    await clock.advance(14_999);
    expect(clock.pending).toBe(1);
    await clock.advance(1);
    expect((await failure).code).toBe('network-timeout');
    expect(clock.pending).toBe(0);
  });

  it('also ends a body that never ends', async () => {
    let cancelled = false;
    const body = new ReadableStream({
      start: (controller) => {
        controller.enqueue(new Uint8Array([123]));
      },
      cancel: () => {
        cancelled = true;
      },
    });
    const { fetch, clock } = benchFor(new Response(body));
    const failure = failureOf(fetch(URL_, get));
    await clock.advance(15_000);
    expect((await failure).code).toBe('network-timeout');
    expect(cancelled || clock.pending === 0).toBe(true);
  });

  it('holds against a network that ignores its signal', async () => {
    const clock = createFakeClock();
    const deaf: Network = { fetch: () => new Promise(() => {}) };
    const failure = failureOf(createBoundedFetch(deaf, clock, LIMITS)(URL_, get));
    await clock.advance(15_000);
    expect((await failure).code).toBe('network-timeout');
  });

  it('leaves no timer behind an answer', async () => {
    const { fetch, clock } = benchFor(Response.json({}));
    await fetch(URL_, get);
    expect(clock.pending).toBe(0);
  });
});

describe('the end of the engine', () => {
  it('ends what is under way and what comes later', async () => {
    const clock = createFakeClock();
    const end = new AbortController();
    const fetch = createBoundedFetch(
      createFakeNetwork({ url: URL_, answer: 'hang' }),
      clock,
      LIMITS,
      end.signal,
    );
    const failure = failureOf(fetch(URL_, get));
    end.abort();
    expect((await failure).code).toBe('stopped');
    expect((await failureOf(fetch(URL_, get))).code).toBe('stopped');
    await settle();
    expect(clock.pending).toBe(0);
  });
});

describe('the size limit', () => {
  it('accepts a body of exactly the limit', async () => {
    const { fetch } = benchFor(new Response('x'.repeat(1_000)));
    expect(await (await fetch(URL_, get)).text()).toHaveLength(1_000);
  });

  it('refuses one byte more, without reading on', async () => {
    let pulled = 0;
    const body = new ReadableStream({
      pull: (controller) => {
        pulled += 1;
        controller.enqueue(new Uint8Array(600));
      },
    });
    const { fetch } = benchFor(new Response(body));
    expect((await failureOf(fetch(URL_, get))).code).toBe('response-invalid');
    expect(pulled).toBeLessThan(5);
  });
});

describe('the status', () => {
  it.each([
    [500, 'server-unavailable'],
    [502, 'server-unavailable'],
    [503, 'server-unavailable'],
    [599, 'server-unavailable'],
    [429, 'server-unavailable'],
    [408, 'server-unavailable'],
    [301, 'response-invalid'],
    [302, 'response-invalid'],
    [303, 'response-invalid'],
    [307, 'response-invalid'],
    [304, 'response-invalid'],
  ])('%i is %s', async (status, code) => {
    const { fetch } = benchFor(
      new Response(null, { status, headers: { location: 'https://evil.example' } }),
    );
    expect((await failureOf(fetch(URL_, get))).code).toBe(code);
  });

  it.each([200, 201, 204, 205, 400, 401, 403, 404, 418])('%i is passed on', async (status) => {
    const { fetch } = benchFor(new Response(null, { status }));
    expect((await fetch(URL_, get)).status).toBe(status);
  });

  it.each([
    ['120', 120],
    [new Date(Date.UTC(2026, 0, 1) + 60_000).toUTCString(), 60],
    ['soon', undefined],
  ])('429 with Retry-After "%s" asks for %s seconds', async (header, seconds) => {
    const { fetch } = benchFor(
      new Response(null, { status: 429, headers: { 'retry-after': header } }),
    );
    expect((await failureOf(fetch(URL_, get))).retryAfterSeconds).toBe(seconds);
  });
});

describe('a date in Retry-After', () => {
  const NOW = createFakeClock().now();
  const SECOND = 1_000;
  const HOUR = 3_600 * SECOND;
  const text = (ms: number): string => new Date(ms).toUTCString();
  const asked = async (headers: Record<string, string>): Promise<number | undefined> =>
    (await failureOf(benchFor(new Response('', { status: 503, headers })).fetch(URL_, get)))
      .retryAfterSeconds;

  it.each([0, -10 * 60 * SECOND, 86_400 * SECOND])(
    'is read by the Date beside it, which is %i ms off',
    async (off) => {
      expect(
        await asked({ date: text(NOW + off), 'retry-after': text(NOW + off + 90 * SECOND) }),
      ).toBe(90);
    },
  );

  it('is read by our clock where there is no Date', async () => {
    for (const date of [{}, { date: '0' }, { date: 'soon' }])
      expect(await asked({ ...date, 'retry-after': text(NOW + 90 * SECOND) })).toBe(90);
  });

  it('is nearer by the time for which a cache has kept the answer', async () => {
    expect(
      await asked({ date: text(NOW), age: '80', 'retry-after': text(NOW + 90 * SECOND) }),
    ).toBe(10);
  });

  it('is no longer for the clock of a proxy that is hours behind', async () => {
    expect(await asked({ date: text(NOW - HOUR), 'retry-after': text(NOW + 90 * SECOND) })).toBe(
      90,
    );
    expect(await asked({ date: text(0), 'retry-after': text(NOW + 90 * SECOND) })).toBe(90);
  });
});

describe('the date of an answer', () => {
  const date = 'Thu, 01 Jan 2026 00:00:10 GMT';

  it("is the server's when it made this very answer", () => {
    expect(serverDate(new Response(null, { headers: { date } }))).toBe(Date.parse(date));
  });

  it.each([
    [{}],
    [{ date: '0' }],
    [{ date: 'now' }],
    [{ date: `${date}, ${date}` }],
    [{ date, age: '0' }],
    [{ date, age: '64' }],
    [{ date, age: '?' }],
  ])('is none with %j', (headers) => {
    expect(
      serverDate(new Response(null, { headers: headers as Record<string, string> })),
    ).toBeUndefined();
  });
});

describe('the answer', () => {
  it.each([
    'text/html',
    'text/plain; charset=utf-8',
    'application/JSON',
    'application/vnd.x+json',
    '',
  ])('is JSON where it parses as an object, though it says "%s"', async (type) => {
    const { fetch } = benchFor(new Response('{"a":1}', { headers: { 'content-type': type } }));
    const response = await fetch(URL_, get);
    expect([response.headers.get('content-type'), await response.json()]).toEqual([
      'application/json',
      { a: 1 },
    ]);
  });

  it('keeps its label where it is a signed answer or no object', async () => {
    expect(
      (
        await benchFor(
          new Response('{"a":1}', { headers: { 'content-type': 'application/jwt' } }),
        ).fetch(URL_, get)
      ).headers.get('content-type'),
    ).toBe('application/jwt');
    expect(
      (
        await benchFor(new Response('<html>', { headers: { 'content-type': 'text/html' } })).fetch(
          URL_,
          get,
        )
      ).headers.get('content-type'),
    ).toBe('text/html');
    expect(
      (
        await benchFor(new Response('[1]', { headers: { 'content-type': 'text/html' } })).fetch(
          URL_,
          get,
        )
      ).headers.get('content-type'),
    ).toBe('text/html');
  });

  it('comes from a network that failed as network-failed, with nothing of the URL but the host', async () => {
    const failure = await failureOf(benchFor(new TypeError('fetch failed')).fetch(URL_, get));
    expect([failure.code, failure.message]).toEqual([
      'network-failed',
      '"id.example" could not be reached',
    ]);
  });

  it.each([
    [
      'client-certificate',
      /^"id\.example" asks for a client certificate, which this app cannot give/,
    ],
    ['proxy-password', /^the proxy on the way to "id\.example" asks for a password/],
    ['proxy', /^the proxy on the way to "id\.example" does not let the request pass/],
    ['certificate', /^the certificate of "id\.example" is refused/],
    ['cut-off', /^the answer of "id\.example" broke off/],
    ['unreachable', /^"id\.example" could not be reached$/],
  ] as const)('says what was in the way: %s', async (trouble, message) => {
    const failure = await failureOf(
      benchFor(Object.assign(new Error('net::ERR_X'), { trouble })).fetch(URL_, get),
    );
    expect([failure.code, failure.message]).toEqual([
      'network-failed',
      expect.stringMatching(message),
    ]);
    expect(failure.cause).toMatchObject({ message: 'net::ERR_X' });
  });

  it('of a status that HTTP does not have is response-invalid, and says which', async () => {
    const failure = await failureOf(
      benchFor(Object.assign(new Error('odd'), { trouble: 'status', status: 999 })).fetch(
        URL_,
        get,
      ),
    );
    expect([failure.code, failure.message]).toEqual([
      'response-invalid',
      '"id.example" answered with status 999',
    ]);
  });

  it('that breaks off in the body is network-failed', async () => {
    const body = new ReadableStream({
      start: (controller) => {
        controller.error(new TypeError('terminated'));
      },
    });
    expect((await failureOf(benchFor(new Response(body)).fetch(URL_, get))).code).toBe(
      'network-failed',
    );
  });
});

describe('the request', () => {
  it.each<[string, Parameters<BoundedFetch>[1]['body'], string | undefined]>([
    ['parameters', new URLSearchParams({ a: 'b c' }), 'a=b+c'],
    ['bytes', new TextEncoder().encode('é'), 'é'],
    ['a text', 'x', 'x'],
    ['nothing', null, undefined],
  ])('sends %s as a text', async (_what, body, sent) => {
    let seen: NetworkRequest | null = null;
    const { fetch } = benchFor((request) => {
      seen = request;
      return Response.json({});
    });
    await fetch(URL_, { method: 'POST', headers: { accept: 'application/json' }, body });
    expect(seen).toMatchObject({ method: 'POST', headers: { accept: 'application/json' } });
    expect((seen as NetworkRequest | null)?.body).toBe(sent);
  });
});

describe('jsonObject', () => {
  it.each([
    ['{}', {}],
    ['{"a":[1]}', { a: [1] }],
    ['\ufeff{"a":1}', { a: 1 }],
    ['[]', undefined],
    ['null', undefined],
    ['"a"', undefined],
    ['', undefined],
    ['{', undefined],
  ])('reads %s as %j', (text, expected) => {
    expect(jsonObject(new TextEncoder().encode(text))).toEqual(expected);
  });
});
