// What an answer to a refresh token does to the session: the table in docs/what-happens-when.md,
// and every answer besides.
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ERROR_CODES } from '../../../src/main/core/base/error-codes.js';
import { AuthError } from '../../../src/main/core/base/errors.js';
import { LIMITS } from '../../../src/main/core/base/limits.js';
import type { GivenOptions } from '../../../src/main/core/options/auth-options.js';
import { parseStateFileContent } from '../../../src/main/core/storage/records.js';
import { github } from '../../../src/providers/index.js';
import { settle } from '../../support/fakes.js';
import { type Bench, ISSUER, createBench, until } from '../../support/engine-harness.js';

const HOUR = 3_600_000;
const endpoints = {
  authorization: `${ISSUER}/authorize`,
  token: `${ISSUER}/token`,
  revocation: `${ISSUER}/revoke`,
  jwks: `${ISSUER}/keys`,
};
/** As GitHub, but at the address of the authority. */
const PRESET = {
  provider: { ...github(), issuer: ISSUER, endpoints },
  issuer: undefined,
  endpoints: undefined,
  clientSecret: 'x',
} as unknown as Partial<GivenOptions>;
const page = (status: number): Response =>
  new Response('<!doctype html><title>Welcome</title>', {
    status,
    headers: { 'content-type': 'text/html' },
  });
const word = (status: number, error: string, headers: Record<string, string> = {}): Response =>
  Response.json({ error }, { status, headers });
const challenge = { 'www-authenticate': 'Basic realm="tokens"' };
const tokens = { access_token: 'secret-a', token_type: 'bearer', refresh_token: 'secret-r' };

/** Each row of the table, and the answers that it speaks of. */
const ANSWERS: Readonly<Record<string, readonly (() => Response)[]>> = {
  '400, 401, 403 or any other 4xx | `invalid_grant`': [400, 401, 403, 404, 418].map(
    (status) => () => word(status, 'invalid_grant'),
  ),
  '200 | `invalid_grant`, and no token': [() => word(200, 'invalid_grant')],
  "200 or 4xx | another word that ends a session, by the preset (GitHub's `bad_refresh_token`)": [
    200, 400, 403,
  ].map((status) => () => word(status, 'bad_refresh_token')),
  '400, 401 or 200 | another `error`, as `invalid_client`, `invalid_request`, `unauthorized_client`, `invalid_scope`, `unsupported_grant_type`':
    [
      'invalid_client',
      'invalid_request',
      'unauthorized_client',
      'invalid_scope',
      'unsupported_grant_type',
      'Bad Request',
    ].flatMap((error) => [400, 401, 200].map((status) => () => word(status, error))),
  '401 | an `error` beside a challenge': [() => word(401, 'invalid_client', challenge)],
  '400 or 401 | nothing': [400, 401].map((status) => () => new Response(null, { status })),
  '401 | nothing but a challenge': [() => new Response(null, { status: 401, headers: challenge })],
  '400 or 401 | JSON without `error`, or a text': [400, 401].flatMap((status) => [
    () => Response.json({ message: 'no' }, { status }),
    () => Response.json({ error: { code: 7 } }, { status }),
    () => new Response('no', { status }),
  ]),
  '400 or 401 | a page': [
    () => page(400),
    () => page(401),
    () => new Response('\ufeff  <html>', { status: 400 }),
    () => new Response('no', { status: 401, headers: { 'content-type': 'text/html' } }),
  ],
  '400 | more than 1 MiB': [
    () =>
      Response.json(
        { error: 'invalid_grant', x: 'x'.repeat(LIMITS.responseBytes) },
        { status: 400 },
      ),
  ],
  '403, 404 and any other 4xx | a page, nothing, or an `error` that ends no session': [
    402, 403, 404, 405, 407, 409, 410, 418, 421, 451,
  ].flatMap((status) => [
    () => page(status),
    () => new Response(null, { status, headers: challenge }),
    () => word(status, 'invalid_client'),
    () => word(status, 'Forbidden'),
  ]),
  '4xx | `temporarily_unavailable`, `server_error` or `slow_down` (400, 401)': [
    'temporarily_unavailable',
    'server_error',
    'slow_down',
  ].flatMap((error) => [400, 401].map((status) => () => word(status, error))),
  '408, 429 or 5xx | anything': [408, 429, 500, 502, 503, 504].flatMap((status) => [
    () => word(status, 'invalid_grant'),
    () => page(status),
    () => new Response(null, { status }),
  ]),
  '200 | a page, nothing, or JSON without `access_token`': [
    () => page(200),
    () => new Response(''),
    () => Response.json({ token_type: 'bearer' }),
    () => Response.json({}),
  ],
  '200 | an `error` and tokens at once': ['invalid_grant', 'invalid_client', 7].map(
    (error) => () => Response.json({ ...tokens, error }),
  ),
  '201, 204 or 3xx | anything': [
    () => Response.json(tokens, { status: 201 }),
    () => new Response(null, { status: 204 }),
    () => new Response(null, { status: 302, headers: { location: `${ISSUER}/portal` } }),
    () => new Response(null, { status: 307 }),
  ],
};

interface Row {
  readonly answer: string;
  readonly once: string;
  readonly twice: string;
}

function documented(): readonly Row[] {
  const text = readFileSync(new URL('../../../docs/what-happens-when.md', import.meta.url), 'utf8');
  const table =
    /<!-- begin: answers to a refresh token -->\n([\s\S]*?)<!-- end: answers to a refresh token -->/.exec(
      text,
    )?.[1] ?? '';
  return table
    .trim()
    .split('\n')
    .slice(2)
    .map((line) => {
      const [status, body, once, twice] = line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim());
      return { answer: `${status} | ${body}`, once: once ?? '', twice: twice ?? '' };
    });
}

async function signedIn(bench: Bench = createBench({ endpoints })): Promise<Bench> {
  bench.engine.start();
  await until(() => bench.engine.view().status !== 'starting', 'the start');
  if (bench.engine.view().status === 'signed-out') await bench.signIn();
  return bench;
}

const codeOf = async (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'resolved',
    (error: unknown) => (error instanceof AuthError ? error.code : 'no AuthError'),
  );
const stateOf = (bench: Bench): string =>
  parseStateFileContent(bench.file.content)?.accounts[0]?.record ?? 'gone';
const stored = (bench: Bench): { readonly refreshToken: string } =>
  JSON.parse([...bench.secrets.entries.values()].join()) as { refreshToken: string };

async function ask(bench: Bench, answer: () => Response): Promise<string> {
  bench.authority.answerNext(answer);
  bench.clock.jumpTo(bench.clock.now() + 2 * HOUR);
  const code = await codeOf(bench.engine.getAccessToken());
  await settle();
  return code;
}

async function nextStart(bench: Bench): Promise<Bench> {
  await bench.engine.stop();
  await until(() => bench.clock.pending === 0, 'an end of all timers');
  const next = bench.restart();
  next.engine.start();
  return next;
}

/** In the words of the table. */
function fateOf(bench: Bench): string {
  const view = bench.engine.view();
  if (view.status === 'signed-in') return 'waits, and tries again';
  if (
    view.status !== 'signed-out' ||
    view.reason !== 'ended' ||
    view.lastAccount?.subject !== 'ada' ||
    view.error?.code !== 'session-ended' ||
    view.error.retry !== 'sign-in'
  )
    return `no sane view: ${JSON.stringify(view)}`;
  return stateOf(bench) === 'suspended'
    ? 'offers a new sign-in, and keeps the record'
    : stateOf(bench) === 'refused'
      ? 'has ended'
      : `no sane record: ${stateOf(bench)}`;
}

describe('the table of answers to a refresh token', () => {
  it('has a row for each case of this test, and no other', () => {
    expect(documented().map(({ answer }) => answer)).toEqual(Object.keys(ANSWERS));
  });

  it.each(documented().map(({ answer, once, twice }) => [answer, once, twice] as const))(
    '%s: the session %s; the second time it %s',
    async (answer, once, twice) => {
      for (const say of ANSWERS[answer] ?? []) {
        const bench = await signedIn(
          createBench(answer.includes('GitHub') ? PRESET : { endpoints }),
        );
        const record = stored(bench);
        await ask(bench, say);
        expect([fateOf(bench), stored(bench)]).toEqual([once, record]);
        if (once === 'waits, and tries again') await ask(bench, say);
        expect([fateOf(bench), stored(bench)]).toEqual([twice, record]);
        await bench.engine.stop();
      }
    },
  );
});

describe('a session that was refused in no final words', () => {
  const refused = (): Response => new Response(null, { status: 400 });
  async function suspended(): Promise<Bench> {
    const bench = await signedIn();
    await ask(bench, refused);
    await ask(bench, refused);
    expect(stateOf(bench)).toBe('suspended');
    return bench;
  }

  it('is back at the next start when the server accepts it', async () => {
    const next = await nextStart(await suspended());
    expect(await next.engine.getAccessToken()).toMatch(/^secret-access/);
    expect([fateOf(next), stateOf(next)]).toEqual(['waits, and tries again', 'kept']);
  });

  it('is asked once at the next start, also while its access token is good, and again at the one after that', async () => {
    let bench = await suspended();
    const record = stored(bench);
    for (let starts = 0; starts < 3; starts += 1) {
      bench.authority.answerNext(refused);
      const asked = bench.authority.count('refresh_token');
      bench = await nextStart(bench);
      await until(() => bench.engine.view().status === 'signed-out', 'the refusal');
      expect([
        fateOf(bench),
        stored(bench),
        bench.authority.count('refresh_token') - asked,
      ]).toEqual(['offers a new sign-in, and keeps the record', record, 1]);
      await bench.clock.advance(24 * HOUR);
      expect(bench.authority.count('refresh_token') - asked).toBe(1);
    }
    bench = await nextStart(bench);
    expect(await bench.engine.getAccessToken()).toMatch(/^secret-access/);
  });

  it('is not ended at the next start by a network that fails, and is back when that works', async () => {
    const bench = await suspended();
    bench.authority.online = false;
    const next = await nextStart(bench);
    expect(await codeOf(next.engine.getAccessToken())).toBe('network-failed');
    expect(fateOf(next)).toBe('waits, and tries again');
    next.authority.online = true;
    await next.clock.advance(LIMITS.retryMaxMs);
    expect([fateOf(next), stateOf(next)]).toEqual(['waits, and tries again', 'kept']);
  });

  it('is over at the next start when the server says so', async () => {
    const bench = await suspended();
    bench.authority.revokeAll();
    const next = await nextStart(bench);
    expect(await codeOf(next.engine.getAccessToken())).toBe('session-ended');
    await settle();
    expect(fateOf(next)).toBe('has ended');
  });

  it('gives way to a new sign-in of the same person', async () => {
    const bench = await suspended();
    const before = stored(bench);
    await bench.signIn();
    expect([
      fateOf(bench),
      stateOf(bench),
      stored(bench).refreshToken === before.refreshToken,
    ]).toEqual(['waits, and tries again', 'kept', false]);
  });

  it('gives way to the sign-in of another person: its record goes, and its token is revoked', async () => {
    let subject = 'ada';
    const bench = await signedIn(createBench({ endpoints, identify: async () => ({ subject }) }));
    for (let times = 0; times < 2; times += 1) await ask(bench, refused);
    const { refreshToken } = stored(bench);
    subject = 'grace';
    await bench.signIn();
    await until(() => bench.secrets.entries.size === 1, 'the removal');
    await settle();
    expect(stored(bench)).toMatchObject({ account: { subject: 'grace' } });
    expect(bench.authority.revoked).toEqual([refreshToken]);
    expect(
      parseStateFileContent(bench.file.content)?.accounts.map((account) => [
        account.subject,
        account.record,
      ]),
    ).toEqual([
      ['ada', 'none'],
      ['grace', 'kept'],
    ]);
  });

  it('is gone when the person signs out, and stays gone', async () => {
    const bench = await suspended();
    const { refreshToken } = stored(bench);
    await bench.engine.signOut();
    await until(() => bench.secrets.entries.size === 0, 'the removal');
    // The server may have been wrong: a token that is left there may work again tomorrow.
    expect(bench.authority.revoked).toEqual([refreshToken]);
    expect(bench.engine.view()).toMatchObject({
      status: 'signed-out',
      reason: 'signed-out',
      lastAccount: { subject: 'ada' },
    });
    expect(stateOf(bench)).toBe('none');
    const next = await nextStart(bench);
    await until(() => next.engine.view().status === 'signed-out', 'the start');
    expect(next.secrets.calls).toEqual([]);
  });

  it('is never made so by a portal that answers everything', async () => {
    const bench = await signedIn();
    bench.authority.keySet = () => page(200);
    for (let times = 0; times < 5; times += 1) await ask(bench, refused);
    expect([fateOf(bench), stateOf(bench)]).toEqual(['waits, and tries again', 'kept']);
    bench.authority.keySet = () => Response.json({ keys: [] });
    await bench.clock.advance(LIMITS.retryMaxMs);
    expect(bench.engine.view()).toMatchObject({ renewal: { state: 'fresh' } });
  });
});

describe('a session without the scope openid', () => {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

  it.each([
    [
      'names nobody that is known here',
      `${part({ alg: 'RS256' })}.${part({ iss: 'https://other.example', sub: '7', aud: 'me' })}.x`,
    ],
    ['is empty', ''],
    ['is no token', 'x'],
  ])(
    'uses the tokens of an answer whose ID token, which nobody asked for, %s',
    async (_what, idToken) => {
      const bench = await signedIn();
      expect(await ask(bench, () => Response.json({ ...tokens, id_token: idToken }))).toBe(
        'resolved',
      );
      expect([
        await bench.engine.getAccessToken(),
        stored(bench).refreshToken,
        fateOf(bench),
      ]).toEqual(['secret-a', 'secret-r', 'waits, and tries again']);
    },
  );
});

describe('one of several accounts that was refused in no final words', () => {
  const refused = (): Response => new Response(null, { status: 401 });
  let person = 'ada';
  const idOf = (bench: Bench, subject: string): string =>
    parseStateFileContent(bench.file.content)?.accounts.find(
      (account) => account.subject === subject,
    )?.id ?? 'unknown';
  const recordOf = (bench: Bench, subject: string): string =>
    parseStateFileContent(bench.file.content)?.accounts.find(
      (account) => account.subject === subject,
    )?.record ?? 'gone';
  const others = (bench: Bench): readonly string[] => {
    const view = bench.engine.view();
    return 'otherAccounts' in view ? (view.otherAccounts ?? []).map(({ subject }) => subject) : [];
  };

  async function adaRefused(): Promise<Bench> {
    person = 'ada';
    const bench = await signedIn(
      createBench({ endpoints, accounts: 'several', identify: async () => ({ subject: person }) }),
    );
    person = 'grace';
    await bench.signIn();
    expect(others(bench)).toEqual(['ada']);
    for (let times = 0; times < 2; times += 1) {
      // Nobody but ada's caller may take the answer.
      bench.clock.jumpTo(bench.clock.now() + 2 * HOUR);
      await bench.engine.getAccessToken();
      bench.authority.answerNext(refused);
      expect(await codeOf(bench.engine.getAccessToken({ account: idOf(bench, 'ada') }))).toBe(
        times === 0 ? 'sign-in-refused' : 'session-ended',
      );
      await settle();
    }
    return bench;
  }

  it('is signed in no more in this run, and is asked no more; the others stay', async () => {
    const bench = await adaRefused();
    expect([
      others(bench),
      recordOf(bench, 'ada'),
      recordOf(bench, 'grace'),
      bench.engine.view().status,
    ]).toEqual([[], 'suspended', 'kept', 'signed-in']);
    const asked = bench.authority.count('refresh_token');
    expect(await codeOf(bench.engine.getAccessToken({ account: idOf(bench, 'ada') }))).toBe(
      'signed-out',
    );
    expect(await codeOf(bench.engine.switchAccount(idOf(bench, 'ada')))).toBe('signed-out');
    expect(bench.authority.count('refresh_token')).toBe(asked);
  });

  it('keeps its record when somebody else signs in', async () => {
    const bench = await adaRefused();
    const before = bench.secrets.entries.size;
    person = 'eve';
    await bench.signIn();
    await settle();
    expect([bench.secrets.entries.size, recordOf(bench, 'ada'), bench.authority.revoked]).toEqual([
      before + 1,
      'suspended',
      [],
    ]);
  });

  it('is there again at the next start, and stays when the server accepts it', async () => {
    const next = await nextStart(await adaRefused());
    await until(() => next.engine.view().status === 'signed-in', 'the start');
    expect(others(next)).toEqual(['ada']);
    expect(await next.engine.getAccessToken({ account: idOf(next, 'ada') })).toMatch(
      /^secret-access/,
    );
    await settle();
    expect([others(next), recordOf(next, 'ada')]).toEqual([['ada'], 'kept']);
  });

  it('can be signed out, and then has no record', async () => {
    const bench = await adaRefused();
    const before = bench.secrets.entries.size;
    await bench.engine.signOut(idOf(bench, 'ada'));
    await until(() => bench.secrets.entries.size === before - 1, 'the removal');
    await settle();
    expect([recordOf(bench, 'ada'), recordOf(bench, 'grace')]).toEqual(['none', 'kept']);
  });
});

const member = fc.oneof(
  fc.constantFrom<unknown>(
    'invalid_grant',
    'invalid_client',
    'INVALID_GRANT',
    'Forbidden',
    '',
    null,
    7,
    false,
    {},
    [],
    'bearer',
    'Bearer',
    'secret-x',
    'read',
    1e9,
    -1,
    '3600',
  ),
  fc.string(),
  fc.jsonValue({ maxDepth: 3 }),
);
// A word is shown: a server that says a token there has told it itself.
const error = member.filter((value) => value !== 'secret-x');
const body = fc.oneof(
  fc
    .record(
      {
        error,
        access_token: member,
        token_type: member,
        refresh_token: member,
        expires_in: member,
        scope: member,
        id_token: member,
        __proto__: member,
      },
      { requiredKeys: [] },
    )
    .map((value) => JSON.stringify(value)),
  fc
    .record(
      {
        access_token: fc.constant('secret-x'),
        token_type: fc.constant('Bearer'),
        refresh_token: fc.constantFrom('secret-rotated', undefined),
        error,
        expires_in: member,
        scope: member,
      },
      { requiredKeys: ['access_token', 'token_type', 'refresh_token'] },
    )
    .map((value) => JSON.stringify(value)),
  fc.string(),
  fc.constantFrom(
    '',
    '<html>',
    'null',
    '[]',
    '{',
    `{"error":"invalid_grant","x":${'['.repeat(50_000)}${']'.repeat(50_000)}}`,
    `{"access_token":"secret-x","token_type":"bearer","refresh_token":"secret-rotated","x":${'['.repeat(50_000)}${']'.repeat(50_000)}}`,
  ),
);
const anyAnswer = fc.record({
  status: fc.constantFrom(
    200,
    200,
    200,
    201,
    204,
    302,
    400,
    400,
    401,
    403,
    404,
    407,
    418,
    429,
    500,
    503,
  ),
  body,
  type: fc.constantFrom('application/json', 'text/html', 'text/plain', ''),
});

describe('every answer to a refresh token', () => {
  it('leaves an AuthError or a token, a sane view, and the refresh token that counts; the session ends by a word only', async () => {
    const fates = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(fc.array(anyAnswer, { minLength: 1, maxLength: 4 }), async (answers) => {
        const bench = await signedIn();
        let expected = stored(bench).refreshToken;
        for (const { status, body: text, type } of answers) {
          if (bench.engine.view().status !== 'signed-in') break;
          const before = stateOf(bench);
          const code = await ask(
            bench,
            () =>
              new Response(status === 204 ? null : text, {
                status,
                headers: { 'content-type': type },
              }),
          );
          expect(['resolved', ...Object.keys(ERROR_CODES)]).toContain(code);
          expect(['internal', 'invalid-options']).not.toContain(code);
          const said = membersOf(text);
          const hasNoError = [undefined, null, '', false, 0].includes(said['error'] as undefined);
          const isUsable =
            status === 200 &&
            hasNoError &&
            typeof said['access_token'] === 'string' &&
            said['access_token'] !== '' &&
            typeof said['token_type'] === 'string' &&
            said['token_type'].toLowerCase() === 'bearer';
          expect(code === 'resolved', `usable: ${isUsable}`).toBe(isUsable);
          if (isUsable && typeof said['refresh_token'] === 'string' && said['refresh_token'] !== '')
            expected = said['refresh_token'];
          expect(stored(bench).refreshToken, 'the refresh token that counts').toBe(expected);
          const fate = fateOf(bench);
          fates.set(fate, (fates.get(fate) ?? 0) + 1);
          // The next question comes two hours later: while this token lives, it needs no answer.
          if (isUsable && Number(said['expires_in']) * 1_000 >= 2 * HOUR) break;
          if (fate === 'has ended')
            expect([said['error'], status === 200 || (status >= 400 && status < 500)]).toEqual([
              'invalid_grant',
              true,
            ]);
          else if (fate !== 'waits, and tries again')
            expect([before, [200, 400, 401].includes(status)]).toEqual(['kept', true]);
          if (fate === 'offers a new sign-in, and keeps the record')
            expect(code).toBe('session-ended');
        }
        const told = JSON.stringify([bench.views, bench.log.events]);
        expect(told.includes('secret-'), 'a secret was told').toBe(false);
        await bench.engine.stop();
      }),
      { numRuns: 150 },
    );
    expect([...fates.keys()].sort(), 'the answers were too dull to prove anything').toEqual([
      'has ended',
      'offers a new sign-in, and keeps the record',
      'waits, and tries again',
    ]);
  }, 60_000);
});

function membersOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : {};
  } catch {
    return {};
  }
}
