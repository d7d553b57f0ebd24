// What the port Network answers to each of what servers do, and how many requests arrive. One table
// for all that implement it: test/contract runs it on the fakes, e2e/network in a real Electron.
import { TOKENS } from './network-servers.js';
import type { CountingServer, HTTP1, HTTP2 } from './network-servers.js';

/** A POST, and what becomes of it, as network-host/outcome.mjs tells it. */
type Expected = Readonly<Record<string, string>>;

export const HTTP1_OUTCOMES: Record<keyof typeof HTTP1, string> = {
  ok: `200 ${TOKENS}`,
  'a header in UTF-8': `200 ${TOKENS} [yes]`,
  'a header in ISO-8859-1': `200 ${TOKENS} [yes]`,
  'a reason in UTF-8': `403 ${TOKENS}`,
  'status 599': `599 ${TOKENS}`,
  'status 600': 'trouble status 600',
  'status 999': 'trouble status 999',
  'status 204': '204',
  'status 304': '304',
  'status 408': `408 ${TOKENS}`,
  'status 407': 'trouble proxy-password',
  '401 without a challenge': `401 ${TOKENS}`,
  '401 Basic': `401 ${TOKENS}`,
  '401 Bearer': `401 ${TOKENS}`,
  '401 Digest': `401 ${TOKENS}`,
  '401 Negotiate': `401 ${TOKENS}`,
  'a redirect': '302',
  'a redirect that keeps the method': '307',
  'a redirect that leads nowhere': '303',
  'early hints': `200 ${TOKENS}`,
  cookies: `200 ${TOKENS}`,
  'half an answer': 'trouble cut-off',
  'half an answer in chunks': 'trouble cut-off',
  'chunks beside a length that is wrong': `200 ${TOKENS}`,
  'a body that is no gzip': 'trouble cut-off',
  'a gzip bomb': 'too much',
  'no HTTP': 'trouble unreachable',
  close: 'trouble unreachable',
  reset: 'trouble unreachable',
  silence: 'aborted',
};

export const HTTP2_OUTCOMES: Record<keyof typeof HTTP2, string> = {
  ok: `200 ${TOKENS}`,
  'status 408': `408 ${TOKENS}`,
  'status 421': `421 ${TOKENS}`,
  '401 Basic': `401 ${TOKENS}`,
  'a redirect': '302',
  'early hints': `200 ${TOKENS}`,
  'half an answer': 'trouble cut-off',
  'half an answer, then a reset': 'trouble cut-off',
  'a gzip bomb': 'too much',
  'the stream is reset': 'trouble unreachable',
  'the stream is refused': 'trouble unreachable',
  close: 'trouble unreachable',
  reset: 'trouble unreachable',
  'GOAWAY after the request was taken': 'trouble unreachable',
};

/** The server has said that it did nothing with the first one (421; RFC 9113 §8.7). */
export const MAY_COME_AGAIN: readonly string[] = ['status 421', 'the stream is refused'];

interface Row {
  readonly name: string;
  readonly reused: boolean;
  readonly path: string;
}

/** Each case on a connection that is new, and on a server to which one is open already. */
function rowsOf(expected: Expected): readonly Row[] {
  return Object.keys(expected).flatMap((name) =>
    [false, true].map((reused) => ({
      name,
      reused,
      path: `/${encodeURIComponent(name)}?${reused ? 'reused' : 'fresh'}`,
    })),
  );
}

export interface Asked {
  readonly url: string;
  readonly method?: string;
  readonly timeoutMs?: number;
}

/**
 * Runs all, one after the other. Gives what came and what was expected, a line for each, to be
 * compared as a whole.
 */
export async function runTable(
  server: CountingServer,
  expected: Expected,
  inTurn: (asked: readonly Asked[]) => Promise<readonly string[]>,
): Promise<{ readonly came: readonly string[]; readonly right: readonly string[] }> {
  const rows = rowsOf(expected);
  const asked = rows.flatMap(({ name, reused, path }): readonly Asked[] => [
    ...(reused ? [{ url: `${server.origin}/ok`, method: 'GET' }] : []),
    { url: server.origin + path, ...(name === 'silence' ? { timeoutMs: 150 } : {}) },
  ]);
  const outcomes = (await inTurn(asked)).filter(
    (_outcome, index) => asked[index]?.method !== 'GET',
  );
  const line = (row: Row, outcome: string, posts: string): string =>
    `${row.name} | ${row.reused ? 'reused' : 'fresh'} | ${outcome} | ${posts}`;
  return {
    came: rows.map((row, index) => {
      const posts = server.requests.filter((request) => request === `POST ${row.path}`).length;
      return line(
        row,
        outcomes[index] ?? 'nothing',
        MAY_COME_AGAIN.includes(row.name) && posts > 1 ? 'again' : `${posts} POST`,
      );
    }),
    right: rows.map((row) =>
      line(row, expected[row.name] ?? '', MAY_COME_AGAIN.includes(row.name) ? 'again' : '1 POST'),
    ),
  };
}
