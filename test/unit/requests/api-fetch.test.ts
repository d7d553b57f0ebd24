// auth.fetch() without a network: what goes out, what comes back, and where no token goes.
import { describe, expect, it } from 'vitest';
import { AuthError } from '../../../src/main/core/base/errors.js';
import type { ApiNetwork, ApiNetworkRequest } from '../../../src/main/core/base/ports.js';
import { parseApis } from '../../../src/main/core/options/apis-option.js';
import { type ApiFetch, createApiFetch } from '../../../src/main/core/requests/api-fetch.js';
import type { Requester } from '../../../src/main/core/requests/api-list.js';
import { createStepUp } from '../../../src/main/core/requests/step-up.js';
import type { AccountHold, TokenRequest } from '../../../src/main/core/session/token-request.js';

const API = 'https://api.example.com';
const APIS = parseApis(
  {
    notes: { origin: API, paths: ['/v1'] },
    mail: { origin: API, paths: ['/mail'], resource: 'https://mail.example.com/', scopes: ['m'] },
    other: { origin: 'https://other.example.com' },
    shown: { origin: 'https://pages.example.com', paths: ['/v1'], pages: true },
    hidden: { origin: 'https://pages.example.com', paths: ['/v1/admin'] },
    files: { origin: 'https://files.example.com', pages: true },
    views: { origin: 'https://views.example.com', methods: ['GET'], pages: true },
    drop: { origin: 'https://drop.example.com', methods: ['POST'] },
  },
  'apis',
);

interface Sent {
  readonly line: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  readonly isStream: boolean;
}

const NOBODY_LEAVES = (): AccountHold => ({
  account: () => undefined,
  signedOut: new AbortController().signal,
});

type Answers = (sent: Sent, index: number) => Response | Promise<Response>;

/** Nobody is there to be asked. */
function fetchWith(
  network: ApiNetwork,
  getAccessToken: (request: TokenRequest) => Promise<string>,
  requester: Requester = 'host',
  hold: (account: string | undefined) => AccountHold = NOBODY_LEAVES,
): ApiFetch {
  const host = {
    getAccessToken,
    signedIn: () => null,
    signIn: () => Promise.reject(new Error('not reached')),
  };
  const tokensFor = createStepUp(host, { elapsed: () => 0 });
  return createApiFetch(APIS, network, { tokensFor, hold }, requester);
}

function bench(answers: Answers = () => new Response('yes'), requester: Requester = 'host') {
  const sent: Sent[] = [];
  const asked: TokenRequest[] = [];
  let issued = 1;
  const fetch = fetchWith(
    {
      async fetch(url, init) {
        const one = await toldOf(url, init);
        sent.push(one);
        return await answers(one, sent.length - 1);
      },
    },
    async (wanted) => {
      asked.push(wanted);
      if (wanted.refused === `token-${issued}`) issued += 1;
      return `token-${issued}`;
    },
    requester,
  );
  return { fetch, sent, asked, lines: () => sent.map(({ line }) => line) };
}

async function toldOf(url: string, { method, headers, body }: ApiNetworkRequest): Promise<Sent> {
  return {
    line: `${method} ${url} ${headers['authorization'] ?? 'no token'}`,
    headers,
    body: body === undefined ? null : await new Response(body as BodyInit).text(),
    isStream: body instanceof ReadableStream,
  };
}

const to = (status: number, location: string): Response =>
  new Response(null, { status, headers: { location } });

describe('a request', () => {
  it('goes out as it was given, with the token', async () => {
    const { fetch, sent } = bench();
    const answer = await fetch(`${API}/v1/notes?q=1#top`, {
      method: 'put',
      headers: { 'x-notes': '1', 'content-length': '999', connection: 'close' },
      body: '{"a":1}',
    });
    expect([answer.url, answer.redirected, await answer.text()]).toEqual([
      `${API}/v1/notes?q=1`,
      false,
      'yes',
    ]);
    expect(sent).toEqual([
      {
        line: `PUT ${API}/v1/notes?q=1 Bearer token-1`,
        headers: {
          'content-type': 'text/plain;charset=UTF-8',
          'x-notes': '1',
          authorization: 'Bearer token-1',
        },
        body: '{"a":1}',
        isStream: false,
      },
    ]);
  });

  it.each<[string, NonNullable<RequestInit['body']>, boolean]>([
    ['text', 'hello', false],
    ['bytes', new TextEncoder().encode('hello'), false],
    ['a form', new URLSearchParams({ a: 'hello' }), false],
    ['a blob', new Blob(['hello']), true],
    ['a stream', new Blob(['hello']).stream(), true],
  ])('sends a body that is %s', async (_kind, body, isStream) => {
    const { fetch, sent } = bench();
    await fetch(`${API}/v1`, { method: 'POST', body });
    expect(sent[0]?.body).toMatch(/hello$/);
    expect(sent[0]?.isStream).toBe(isStream);
  });

  it('takes a Request and a URL', async () => {
    const { fetch, sent, lines } = bench();
    await fetch(new URL(`${API}/v1`));
    await fetch(new Request(`${API}/v1`, { method: 'POST', body: 'hello' }));
    expect(lines()).toEqual([`GET ${API}/v1 Bearer token-1`, `POST ${API}/v1 Bearer token-1`]);
    expect(sent[1]?.body).toBe('hello');
  });

  it('asks for the token of its API and its account', async () => {
    const { fetch, asked } = bench();
    await fetch(`${API}/mail/1`, { account: 'a' });
    await fetch(`${API}/v1`);
    expect(asked).toEqual([
      { resource: 'https://mail.example.com/', scopes: ['m'], account: 'a' },
      {},
    ]);
  });

  it.each([
    ['https://evil.example/v1', {}],
    [`${API}/v2`, {}],
    [`${API}/v1/../mail`, {}],
    [`${API}/v1`, { headers: { Authorization: 'Bearer of-my-own' } }],
  ])('to %s is refused before a token is asked for', async (address, init) => {
    const { fetch, sent, asked } = bench();
    await expect(fetch(address, init)).rejects.toMatchObject({ code: 'invalid-options' });
    expect([sent, asked]).toEqual([[], []]);
  });

  it('gives every answer of the API as an answer', async () => {
    for (const status of [400, 403, 404, 429, 500, 503]) {
      const { fetch, sent } = bench(() => new Response('no', { status }));
      expect((await fetch(`${API}/v1`)).status).toBe(status);
      expect(sent).toHaveLength(1);
    }
  });

  it('rejects with a TypeError that holds the reason when the API cannot be reached', async () => {
    const reason = Object.assign(new Error('net::ERR_FAILED'), { trouble: 'unreachable' });
    const { fetch } = bench(() => Promise.reject(reason));
    const failure: unknown = await fetch(`${API}/v1`).catch((thrown: unknown) => thrown);
    expect(failure).toBeInstanceOf(TypeError);
    expect(failure).toMatchObject({ message: 'fetch failed', cause: reason });
  });

  it('rejects with the reason of the signal, also while it waits for the token', async () => {
    const fetch = fetchWith(
      { fetch: () => Promise.reject(new Error('not reached')) },
      () => new Promise(() => undefined),
      'host',
    );
    const abort = new AbortController();
    const failure = fetch(`${API}/v1`, { signal: abort.signal });
    abort.abort(new Error('no longer'));
    await expect(failure).rejects.toThrow('no longer');
  });

  it('rejects with the error of the session when there is no token', async () => {
    const fetch = fetchWith({ fetch: () => Promise.reject(new Error('not reached')) }, () =>
      Promise.reject(new AuthError('signed-out', 'nobody is signed in')),
    );
    await expect(fetch(`${API}/v1`)).rejects.toMatchObject({ code: 'signed-out' });
  });
});

describe('a request that is refused with 401', () => {
  const onlyNew: Answers = ({ line }) =>
    line.endsWith('token-1') ? new Response('old', { status: 401 }) : new Response('new');

  it('is repeated once, with another token and the same body', async () => {
    const { fetch, sent, lines } = bench(onlyNew);
    const answer = await fetch(`${API}/v1`, { method: 'POST', body: 'hello' });
    expect(await answer.text()).toBe('new');
    expect(lines()).toEqual([`POST ${API}/v1 Bearer token-1`, `POST ${API}/v1 Bearer token-2`]);
    expect(sent.map(({ body }) => body)).toEqual(['hello', 'hello']);
  });

  it('is not repeated a second time', async () => {
    const { fetch, sent } = bench(() => new Response('never', { status: 401 }));
    expect((await fetch(`${API}/v1`)).status).toBe(401);
    expect(sent).toHaveLength(2);
  });

  it('is not repeated when its body is gone, and the next one has the other token', async () => {
    for (const body of [new Blob(['hello']).stream(), null]) {
      const { fetch, lines } = bench(onlyNew);
      const input =
        body === null ? new Request(`${API}/v1`, { method: 'POST', body: 'hello' }) : `${API}/v1`;
      const answer = await fetch(input, body === null ? {} : { method: 'POST', body });
      expect([answer.status, await answer.text()]).toEqual([401, 'old']);
      await fetch(`${API}/v1`);
      expect(lines()).toEqual([`POST ${API}/v1 Bearer token-1`, `GET ${API}/v1 Bearer token-2`]);
    }
  });

  it('is answered with the refusal when there is no other token', async () => {
    const fetch = fetchWith(
      { fetch: async () => new Response('no', { status: 401 }) },
      async () => 'the only one',
      'host',
    );
    const answer = await fetch(`${API}/v1`);
    expect([answer.status, await answer.text()]).toEqual([401, 'no']);
  });
});

describe('a redirect', () => {
  it.each([
    [301, 'POST', 'GET', null],
    [302, 'POST', 'GET', null],
    [303, 'PUT', 'GET', null],
    [303, 'HEAD', 'HEAD', null],
    [302, 'PUT', 'PUT', 'hello'],
    [307, 'POST', 'POST', 'hello'],
    [308, 'PATCH', 'PATCH', 'hello'],
  ])('of %i after %s goes on as the Fetch Standard says', async (status, method, next, body) => {
    const { fetch, sent } = bench((_one, index) =>
      index === 0 ? to(status, `${API}/v1/next`) : new Response('there'),
    );
    const answer = await fetch(`${API}/v1`, {
      method,
      ...(method === 'HEAD' ? {} : { body: 'hello' }),
    });
    expect([answer.url, answer.redirected]).toEqual([`${API}/v1/next`, true]);
    expect([sent[1]?.line, sent[1]?.body]).toEqual([`${next} ${API}/v1/next Bearer token-1`, body]);
    expect(sent[1]?.headers['content-type']).toBe(
      body === null ? undefined : 'text/plain;charset=UTF-8',
    );
  });

  it.each([
    'https://evil.example/',
    'http://api.example.com/v1',
    'https://api.example.com:8443/v1',
    'https://other.example.com/',
    `${API}/v2`,
    `${API}/mail`,
  ])('to %s gets no token, and none when it comes back', async (foreign) => {
    const { fetch, sent } = bench((_one, index) =>
      index === 0 ? to(307, foreign) : index === 1 ? to(307, `${API}/v1`) : new Response('back'),
    );
    await fetch(`${API}/v1`, { headers: { cookie: 'a=1', 'x-notes': '1' } });
    expect(sent.map(({ headers }) => headers['authorization'])).toEqual([
      'Bearer token-1',
      undefined,
      undefined,
    ]);
    const isSameOrigin = foreign.startsWith(`${API}/`);
    expect(sent.map(({ headers }) => headers['cookie'])).toEqual([
      'a=1',
      ...(isSameOrigin ? ['a=1', 'a=1'] : [undefined, undefined]),
    ]);
  });

  it('with a 401 at its end gets no other token for a foreign address', async () => {
    const { fetch, sent } = bench((_one, index) =>
      index === 0 ? to(302, 'https://evil.example/') : new Response('', { status: 401 }),
    );
    expect((await fetch(`${API}/v1`)).status).toBe(401);
    expect(sent).toHaveLength(2);
  });

  it.each([
    'javascript:alert(1)',
    'https://ada:pw@api.example.com/v1',
    `${API}/v1/..;/admin`,
    'data:,x',
    'file:///x',
  ])('to %s is not followed', async (location) => {
    const { fetch, sent } = bench(() => to(302, location));
    await expect(fetch(`${API}/v1`)).rejects.toThrow('something else than a web address');
    expect(sent).toHaveLength(1);
  });

  it('that changes the method to one that the list leaves out gets no token', async () => {
    const { fetch, lines } = bench((_one, index) =>
      index === 0 ? to(303, 'https://drop.example.com/a') : new Response('there'),
    );
    await fetch('https://drop.example.com/', { method: 'POST', body: 'hello' });
    expect(lines()).toEqual([
      'POST https://drop.example.com/ Bearer token-1',
      'GET https://drop.example.com/a no token',
    ]);
  });

  it('in a circle ends', async () => {
    const { fetch, sent } = bench(() => to(302, `${API}/v1`));
    await expect(fetch(`${API}/v1`)).rejects.toThrow('too many redirects');
    expect(sent).toHaveLength(21);
  });

  it('of a body that is a stream rejects', async () => {
    const { fetch } = bench(() => to(307, `${API}/v1`));
    const body = new Blob(['hello']).stream();
    await expect(fetch(`${API}/v1`, { method: 'POST', body })).rejects.toThrow(TypeError);
  });

  it('is not followed when the caller says so', async () => {
    const { fetch, sent } = bench(() => to(302, 'https://evil.example/'));
    const answer = await fetch(`${API}/v1`, { redirect: 'manual' });
    expect([answer.status, answer.headers.get('location')]).toEqual([302, 'https://evil.example/']);
    await expect(fetch(`${API}/v1`, { redirect: 'error' })).rejects.toThrow(TypeError);
    expect(sent).toHaveLength(2);
  });
});

describe('the method of a request', () => {
  it('is judged as it is sent: fetch writes six of them in capitals, and no other', async () => {
    const apis = parseApis({ notes: { origin: API, methods: ['PUT', 'PATCH'] } }, 'apis');
    const sent: string[] = [];
    const tokensFor = createStepUp(
      {
        getAccessToken: async () => 't',
        signedIn: () => null,
        signIn: () => Promise.reject(new Error('not reached')),
      },
      { elapsed: () => 0 },
    );
    const network = {
      fetch: async (_url: string, { method }: ApiNetworkRequest) => {
        sent.push(method);
        return new Response('yes');
      },
    };
    const fetch = createApiFetch(apis, network, { tokensFor, hold: NOBODY_LEAVES }, 'host');
    await fetch(API, { method: 'put' });
    await fetch(API, { method: 'PATCH' });
    await expect(fetch(API, { method: 'patch' })).rejects.toThrow('the method patch');
    expect(sent).toEqual(['PUT', 'PATCH']);
  });
});

describe('a request of a page', () => {
  const SHOWN = 'https://pages.example.com/v1';

  it('goes to the APIs that pages may call', async () => {
    const { fetch, lines } = bench(undefined, 'page');
    await fetch(SHOWN);
    expect(lines()).toEqual([`GET ${SHOWN} Bearer token-1`]);
  });

  it.each([
    [`${API}/v1`, /^pages may not call the API "notes"/],
    [`${SHOWN}/admin/users`, /^pages may not call the API "hidden"/],
    ['https://pages.example.com/', /lists https:\/\/pages.example.com, but no entry/],
    [
      'https://evil.example/?key=hunter2',
      /^the option "apis" lists no API of https:\/\/evil.example$/,
    ],
    [`${SHOWN}/../v2`, /dot segments/],
  ])('is refused for %s, before a token is asked for', async (address, message) => {
    const { fetch, sent, asked } = bench(undefined, 'page');
    await expect(fetch(address)).rejects.toMatchObject({
      code: 'page-refused',
      message: expect.stringMatching(message) as string,
    });
    expect([sent, asked]).toEqual([[], []]);
  });

  it.each([
    `${API}/v1`,
    `${SHOWN}/admin`,
    'https://pages.example.com/',
    'https://evil.example/',
    'http://127.0.0.1:631/',
  ])('is not led to %s', async (address) => {
    const { fetch, lines } = bench(() => to(302, address), 'page');
    await expect(fetch(SHOWN)).rejects.toThrow('to an address that pages may not call');
    expect(lines()).toHaveLength(1);
  });

  it('is not led to an API of pages by a method that the list leaves out', async () => {
    const { fetch, lines } = bench(() => to(307, 'https://views.example.com/'), 'page');
    await expect(fetch(SHOWN, { method: 'POST', body: 'hello' })).rejects.toThrow(
      'to an address that pages may not call',
    );
    expect(lines()).toHaveLength(1);
  });

  it('is led to another API of pages, without a token', async () => {
    const { fetch, lines } = bench(
      ({ line }) =>
        line.includes('files') ? new Response('file') : to(302, 'https://files.example.com/a'),
      'page',
    );
    const answer = await fetch(SHOWN);
    expect([await answer.text(), answer.redirected]).toEqual(['file', true]);
    expect(lines()).toEqual([
      `GET ${SHOWN} Bearer token-1`,
      'GET https://files.example.com/a no token',
    ]);
  });
});

describe('a request of somebody who signs out', () => {
  const out = new AuthError('signed-out', 'the account was signed out');

  it.each(['waits for its token', 'is under way', 'is being read'] as const)(
    'ends when it %s',
    async (when) => {
      const leaving = new AbortController();
      const fetch = fetchWith(
        {
          fetch: (_url, { signal }) => {
            const aborted = new Promise<never>((_resolve, reject) => {
              signal.addEventListener('abort', () => reject(signal.reason as Error));
            });
            aborted.catch(() => undefined);
            if (when !== 'is being read') return aborted;
            return Promise.resolve(
              new Response(
                new ReadableStream({
                  start: (controller) => controller.enqueue(new Uint8Array(1)),
                  pull: async () => aborted,
                }),
              ),
            );
          },
        },
        () =>
          when === 'waits for its token' ? new Promise(() => undefined) : Promise.resolve('t'),
        'host',
        () => ({ account: () => 'ada', signedOut: leaving.signal }),
      );
      const answer = fetch(`${API}/v1`);
      const read = answer.then((response) => response.text());
      read.catch(() => undefined);
      if (when === 'is being read') await answer;
      else await new Promise((resolve) => setImmediate(resolve));
      leaving.abort(out);
      await expect(read).rejects.toBe(out);
    },
  );

  it('is repeated for its own account, also when another one has become active meanwhile', async () => {
    const asked: TokenRequest[] = [];
    let active = 'ada';
    const fetch = fetchWith(
      {
        fetch: async (url, { headers }) => {
          active = 'grace';
          if (url.endsWith('/v1')) return to(307, `${API}/v1/next`);
          return new Response('no', {
            status: headers['authorization'] === 'Bearer 1' ? 401 : 200,
          });
        },
      },
      async (wanted) => {
        asked.push(wanted);
        return wanted.refused === undefined ? '1' : '2';
      },
      'host',
      () => {
        const id = active;
        return { account: () => id, signedOut: new AbortController().signal };
      },
    );
    expect((await fetch(`${API}/v1`)).status).toBe(200);
    expect(asked).toEqual([{}, { account: 'ada' }, { account: 'ada', refused: '1' }]);
  });
});
