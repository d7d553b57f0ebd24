// `latchkey explain`: finds codes in whatever is pasted, explains each, is honest about the rest,
// and repeats nothing of it.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ADVICE } from '../../../src/advice/catalog.js';
import { findCodes } from '../../../src/advice/find-codes.js';
import { run } from '../../../src/cli/explain.js';
import { ERROR_CODES } from '../../../src/main/core/base/error-codes.js';

async function explain(text: string | readonly string[], input?: () => Promise<string>) {
  const out: string[] = [];
  const err: string[] = [];
  const code = await run(typeof text === 'string' ? [text] : text, {
    out: (line) => out.push(line),
    err: (line) => err.push(line),
    ...(input === undefined ? {} : { input }),
  });
  return { code, out: out.join(''), err: err.join('') };
}

const SECRET = 'hunter2-0.AXoAbCdEfGhIjKlMnOpQrStUvWxYz';
const STACK = `ServerError: invalid_request: 9002327 - [2021-05-13 20:33:14Z]: AADSTS9002327: Tokens issued for the 'Single-Page Application' client-type may only be redeemed via cross-origin requests.
Trace ID: fb09bc37-d6e8-4948-b708-71b1b99a8b00
    at ResponseHandler.validateTokenResponse (ResponseHandler.ts:99)
    at AuthorizationCodeClient.<anonymous> (AuthorizationCodeClient.ts:82)`;
const JSON_BODY = `{"error":"invalid_grant","error_description":"AADSTS70000: The provided value for the 'code' parameter is not valid.\\r\\nTrace ID: x","error_codes":[70000],"suberror":"bad_token","trace_id":"x","refresh_token":"${SECRET}"}`;
const CALLBACK = `http://localhost:51234/callback?error=access_denied&error_description=AADSTS65004%3a+User+declined&state=${SECRET}&code=${SECRET}`;

describe('findCodes', () => {
  it.each<[string, string, readonly string[]]>([
    ['a code', 'AADSTS50011', ['AADSTS50011']],
    ['a code in small letters', 'aadsts50011', ['AADSTS50011']],
    ['a number alone', '50011', ['AADSTS50011']],
    ['a stack trace', STACK, ['AADSTS9002327']],
    ['a JSON body, once though it names it twice', JSON_BODY, ['AADSTS70000']],
    ['a JSON body with the list only', '{ "error_codes" : [ 50011 , 7 ] }', ['AADSTS50011']],
    ['a callback', CALLBACK, ['AADSTS65004']],
    [
      "the address of Microsoft's error page",
      'https://login.microsoftonline.com/error?code=50058',
      ['AADSTS50058'],
    ],
    [
      'several codes, in their order',
      'first AADSTS54005, then AADSTS50011, then AADSTS54005 again',
      ['AADSTS54005', 'AADSTS50011'],
    ],
    ['a word of the standards', 'error=invalid_scope', ['invalid_scope']],
    [
      'several words',
      'OAuthError: invalid_grant … later: invalid_client',
      ['invalid_grant', 'invalid_client'],
    ],
    [
      "a sentence of Keycloak's",
      '{"error":"invalid_grant","error_description":"Token is not active"}',
      ['invalid_grant'],
    ],
    ["Okta's code", '{"errorCode":"E0000022","errorSummary":"no"}', ['E0000022']],
    ["a word of GitHub's", 'error=incorrect_client_credentials', ['incorrect_client_credentials']],
    ['a number in a log line that is none', 'took 50011 ms at port 9002325', []],
    ['a code of another page', 'https://evil.example/error?code=50058', []],
    ['a word inside a word', 'my_invalid_grant_handler', []],
    ['nothing', '', []],
  ])('finds them in %s', (_what, text, expected) => {
    expect(findCodes(text).map(({ code }) => code)).toEqual(expected);
  });

  it.each<[string, string, string | undefined]>([
    [
      'an address in the text',
      'POST https://oauth2.googleapis.com/token → {"error":"invalid_grant"}',
      'google',
    ],
    ['a sentence', '"error_description": "Session not active"', 'keycloak'],
    [
      'a realm',
      'https://id.example.com/realms/notes/protocol/openid-connect/token invalid_client',
      'keycloak',
    ],
    ['nothing', 'invalid_grant', undefined],
  ])('knows whose error it is by %s', (_what, text, provider) => {
    expect(findCodes(text)[0]?.provider).toBe(provider);
  });

  it('is through with any text in time, and finds only what it knows', () => {
    const known = new Set(ADVICE.flatMap(({ codes }) => codes));
    fc.assert(
      fc.property(fc.string({ maxLength: 5_000 }), (text) => {
        for (const { code } of findCodes(text))
          expect(known.has(code) || /^(AADSTS\d{4,9}|E\d{7})$/.test(code)).toBe(true);
      }),
    );
    expect(findCodes('https://'.repeat(100_000))).toEqual([]);
    expect(findCodes('"error_codes":['.repeat(20_000))).toEqual([]);
  });
});

describe('latchkey explain', () => {
  it('explains the error that started it all: cause, the right fix, and the tempting one', async () => {
    const { code, out, err } = await explain('AADSTS9002325');
    expect([code, err]).toEqual([0, '']);
    for (const part of [
      'What happened',
      'Single-page application',
      'Mobile and desktop applications',
      'What does not help',
      'adding a secret',
      'login.microsoftonline.com/error?code=9002325',
      'Source: https://',
    ])
      expect(out).toContain(part);
  });

  it('explains several codes, each', async () => {
    const { code, out } = await explain(['AADSTS54005', 'and', 'AADSTS50011']);
    expect(code).toBe(0);
    expect(out.indexOf('AADSTS54005')).toBeLessThan(out.indexOf('AADSTS50011'));
  });

  it('reads the standard input with -', async () => {
    expect((await explain('-', async () => STACK)).out).toContain('AADSTS9002327');
    expect(
      await explain('-', async () => {
        throw new Error(SECRET);
      }),
    ).toMatchObject({
      code: 64,
      out: '',
      err: 'Cannot read the standard input. Paste the error as an argument instead.\n',
    });
  });

  it('is honest about a number that it does not know, and where to look', async () => {
    const { code, out } = await explain('AADSTS123456789');
    expect(code).toBe(1);
    expect(out).toContain('not known to Latchkey');
    expect(out).toContain('https://login.microsoftonline.com/error?code=123456789');
  });

  it('explains a word that several providers have for each of them', async () => {
    const { code, out } = await explain('Error 400: redirect_uri_mismatch');
    expect(code).toBe(0);
    for (const owner of ['(Google)', '(GitHub)', '(Auth0)'])
      expect(out).toContain(`redirect_uri_mismatch  ${owner}`);
  });

  it('says so when nothing is found', async () => {
    expect(await explain('it does not work')).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringContaining('no known error') as string,
    });
  });

  it('says how it is used', async () => {
    expect(await explain([])).toMatchObject({
      code: 64,
      out: '',
      err: expect.stringContaining('usage: latchkey explain') as string,
    });
    expect(await explain('--help')).toMatchObject({
      code: 0,
      out: expect.stringContaining('usage: latchkey explain') as string,
    });
  });

  it.each(Object.keys(ERROR_CODES))(
    "explains Latchkey's own code %s, alone and in a pasted error",
    async (own) => {
      for (const text of [own, `AuthError: x { code: '${own}', retry: 'never' }`]) {
        const { code, out } = await explain(text);
        expect([
          code,
          out.includes(ERROR_CODES[own as keyof typeof ERROR_CODES].means.split(' ')[0] ?? ''),
        ]).toEqual([0, true]);
      }
    },
  );

  it('repeats nothing of what was pasted', async () => {
    for (const text of [
      JSON_BODY,
      CALLBACK,
      `https://login.microsoftonline.com/error?code=50011&token=${SECRET}`,
      `invalid_grant ${SECRET}`,
      `AADSTS99999999 ${SECRET}`,
      SECRET,
      `error=${SECRET}`,
      `{"code":"${SECRET.toLowerCase()}"}`,
    ]) {
      const { out, err } = await explain(text);
      expect(out + err).not.toMatch(/hunter2|AbCdEf/i);
    }
  });

  it('repeats nothing of what was pasted, whatever it is', async () => {
    const marked = fc
      .tuple(
        fc.constantFrom(
          'AADSTS50011 ',
          'error=',
          'code: "',
          'E0000022',
          'https://login.microsoftonline.com/error?code=',
          '',
        ),
        fc.stringMatching(/^zq[a-z0-9_]{6,30}$/),
        fc.constantFrom('', '"', ' invalid_grant'),
      )
      .map((parts) => ({ text: parts.join(''), secret: parts[1] }));
    await fc.assert(
      fc.asyncProperty(marked, async ({ text, secret }) => {
        const { out, err } = await explain(text);
        expect(out + err).not.toContain(secret);
      }),
    );
  });

  it('has lines that fit a terminal, but for addresses', async () => {
    for (const {
      codes: [code],
    } of ADVICE) {
      if (!/^AADSTS|_/.test(code)) continue;
      const { out } = await explain(code);
      expect(
        out.split('\n').filter((line) => line.length > 80 && !/https:\/\//.test(line)),
        code,
      ).toEqual([]);
    }
  });
});
