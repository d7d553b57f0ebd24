// What the port ApiNetwork does with each kind of request, for all that implement it: test/contract
// runs the cases on the fake Electron, e2e/api-network in a real one.
import type { ApiServer } from './api-server.js';
import { type ApiAsked, type ApiOutcome, sha256OfStream } from './network-host/api-outcome.mjs';

type Ask = (asked: ApiAsked) => Promise<ApiOutcome>;

interface Case {
  readonly title: string;
  /** Gives what came, to be compared with `right`. */
  readonly run: (ask: Ask, server: ApiServer) => Promise<unknown>;
  readonly right: unknown;
}

const MEBIBYTE = 1_048_576;

export const API_NETWORK_CASES: readonly Case[] = [
  {
    title:
      'sends what it is given, with its length and its headers, and adds no Origin and no cookie',
    async run(ask, { origin, arrived }) {
      const { status, text } = await ask({
        url: `${origin}/echo?whole`,
        method: 'PUT',
        headers: { authorization: 'Bearer t', 'x-notes': '1' },
        body: 'hello',
      });
      const { method, headers = {} } = arrived.at(-1) ?? {};
      const { authorization, 'x-notes': notes, 'content-length': length, origin: from } = headers;
      return { status, text, method, authorization, notes, length, from, cookie: headers.cookie };
    },
    right: {
      status: 200,
      text: '5',
      method: 'PUT',
      authorization: 'Bearer t',
      notes: '1',
      length: '5',
      from: undefined,
      cookie: undefined,
    },
  },
  {
    title: 'sends a stream in chunks, whole and in order',
    async run(ask, { origin, arrived }) {
      const { text } = await ask({
        url: `${origin}/echo?stream`,
        method: 'POST',
        streamBytes: 5 * MEBIBYTE + 7,
      });
      const { sha256, headers } = arrived.at(-1) ?? {};
      return { text, sha256, encoding: headers?.['transfer-encoding'] };
    },
    right: {
      text: String(5 * MEBIBYTE + 7),
      sha256: sha256OfStream(5 * MEBIBYTE + 7),
      encoding: 'chunked',
    },
  },
  {
    title:
      'takes no more of a stream than the server takes, and cancels it when the caller gives up',
    async run(ask, { origin }) {
      const { failure, pulled, cancelled } = await ask({
        url: `${origin}/deaf`,
        method: 'POST',
        streamBytes: 512 * MEBIBYTE,
        abortMs: 1_500,
      });
      return { failure, isBounded: pulled > 0 && pulled < 32 * MEBIBYTE, cancelled };
    },
    right: { failure: 'given up', isBounded: true, cancelled: true },
  },
  {
    title:
      'ends with an answer or a failure, and cancels the stream, when the server hangs up during it',
    async run(ask, { origin }) {
      const outcomes = [];
      for (const path of ['early', 'hang-up']) {
        const { status, failure, pulled, cancelled } = await ask({
          url: `${origin}/${path}`,
          method: 'POST',
          streamBytes: 512 * MEBIBYTE,
        });
        // What the server said before it hung up may be lost with the connection.
        const how = status === undefined ? failure : `status ${status}`;
        outcomes.push({
          isTold: /^(status 413|unreachable|cut-off)$/.test(how ?? ''),
          isBounded: pulled < 64 * MEBIBYTE,
          cancelled,
        });
      }
      return outcomes;
    },
    right: [
      { isTold: true, isBounded: true, cancelled: true },
      { isTold: true, isBounded: true, cancelled: true },
    ],
  },
  {
    title:
      'rejects with the reason of a stream that fails, and the server does not take it for whole',
    async run(ask, { origin, arrived }) {
      const { failure } = await ask({
        url: `${origin}/echo?broken`,
        method: 'POST',
        streamBytes: 2 * MEBIBYTE,
        failAfter: MEBIBYTE,
      });
      await new Promise((resolve) => setTimeout(resolve, 100));
      return { failure, sha256: arrived.at(-1)?.sha256, cut: arrived.at(-1)?.cut };
    },
    right: { failure: 'the source broke', sha256: null, cut: true },
  },
  {
    title: 'tells where a redirect leads, as an absolute URL, and does not go there',
    async run(ask, { origin, arrived }) {
      const { status, location } = await ask({ url: `${origin}/moved` });
      return {
        status,
        location: location?.replace(origin, ''),
        followed: arrived.some(({ path }) => path === '/echo?moved'),
      };
    },
    right: { status: 307, location: '/echo?moved', followed: false },
  },
];

/** Those that only a real Electron can show: the fake keeps no connection and no cookie. */
export const REAL_API_NETWORK_CASES: readonly Case[] = [
  {
    title: 'shares connections: 40 requests one after the other, and 40 at once, take few',
    async run(ask, server) {
      const before = server.connections();
      for (let count = 0; count < 40; count += 1) await ask({ url: `${server.origin}/echo` });
      const inTurn = server.connections() - before;
      await Promise.all(
        Array.from({ length: 40 }, () => ask({ url: `${server.origin}/echo`, method: 'POST' })),
      );
      return { isOne: inTurn <= 1, isFew: server.connections() - before <= 6 };
    },
    right: { isOne: true, isFew: true },
  },
  {
    title: 'keeps and sends a cookie only where the caller asked for it',
    async run(ask, { origin, arrived }) {
      const cookieOf = async (cookies: boolean): Promise<string | undefined> => {
        await ask({ url: `${origin}/echo`, cookies });
        return arrived.at(-1)?.headers.cookie;
      };
      await ask({ url: `${origin}/cookie` });
      const unasked = await cookieOf(true);
      await ask({ url: `${origin}/cookie`, cookies: true });
      return { unasked, asked: await cookieOf(true), without: await cookieOf(false) };
    },
    right: { unasked: undefined, asked: 'of-the-api=1', without: undefined },
  },
  {
    title: 'sends and reads 200 MiB in flat memory',
    async run(ask, { origin }) {
      const bytes = 200 * MEBIBYTE;
      const up = await ask({ url: `${origin}/echo?large`, method: 'POST', streamBytes: bytes });
      const down = await ask({ url: `${origin}/bytes?${bytes}` });
      return {
        up: up.text,
        down: down.bytes,
        isFlat: Math.max(up.rssGrowth, down.rssGrowth) < 64 * MEBIBYTE,
      };
    },
    right: { up: String(200 * MEBIBYTE), down: 200 * MEBIBYTE, isFlat: true },
  },
];
