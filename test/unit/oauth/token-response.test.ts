// Token answers as the engine sees them: an error is one whatever its status, tokens survive odd
// members beside them.
import { describe, expect, it } from 'vitest';
import { readErrorAnswer, readTokenAnswer } from '../../../src/main/core/oauth/token-response.js';

const answer = (status: number, body: unknown, headers: Record<string, string> = {}): Response =>
  new Response(typeof body === 'string' ? body : JSON.stringify(body), {
    status,
    headers: { 'content-type': 'application/json', ...headers },
  });
const TOKENS = { access_token: 'a', token_type: 'bearer' };

async function seen(response: Response): Promise<readonly [number, unknown]> {
  const read = await readTokenAnswer(response, true);
  return [read.status, await read.json().catch(() => 'no JSON')];
}

describe('readTokenAnswer', () => {
  it('makes an error of one that comes with status 200, as GitHub sends it', async () => {
    const body = {
      error: 'bad_verification_code',
      error_description: 'The code passed is incorrect or expired.',
      error_uri: '/x',
    };
    expect(await seen(answer(200, body))).toEqual([400, body]);
  });

  it.each([['invalid_grant'], ['odd'], [' '], [7], [true], [{ code: 1 }], [[]]])(
    'believes neither the tokens nor the error %j where both stand in one answer',
    async (error) => {
      for (const tokens of [TOKENS, { refresh_token: 'r' }, { id_token: 'i' }]) {
        await expect(
          readTokenAnswer(answer(200, { ...tokens, error }), true),
        ).rejects.toMatchObject({ code: 'response-invalid', serverError: undefined });
      }
    },
  );

  it.each([400, 401, 403])(
    'takes a status of %i at its word, with tokens in the body or without',
    async (status) => {
      const [seenStatus, body] = await seen(answer(status, { ...TOKENS, error: 'invalid_grant' }));
      expect([seenStatus, body]).toMatchObject([status, { error: 'invalid_grant' }]);
      expect((await readTokenAnswer(answer(status, TOKENS), true)).status).toBe(status);
    },
  );

  it.each([[''], [null], [false], [0]])('takes an error of %j for none', async (error) => {
    expect(await seen(answer(200, { ...TOKENS, error }))).toMatchObject([200, TOKENS]);
  });

  it('takes tokens for tokens, whatever else stands beside them', async () => {
    expect(
      await seen(answer(200, { ...TOKENS, expires_in: '300', scope: ['a'], refresh_token: '' })),
    ).toEqual([200, { ...TOKENS, expires_in: 300 }]);
  });

  it('reads the error beside a challenge, at which the engine would stop', async () => {
    const response = await readTokenAnswer(
      answer(401, { error: 'invalid_client' }, { 'www-authenticate': 'Basic realm="x"' }),
      false,
    );
    expect([
      response.status,
      response.headers.has('www-authenticate'),
      await response.json(),
    ]).toEqual([401, false, { error: 'invalid_client' }]);
  });

  it.each<[string, Response]>([
    ['an empty error', answer(200, { error: '' })],
    ['an error that is no text', answer(400, { error: { a: 1 } })],
    ['a page', answer(400, '<html>')],
    ['a refusal without error', answer(400, { message: 'no' })],
    ['a redirect', answer(302, { error: 'x' })],
  ])('leaves %s to the engine', async (_what, response) => {
    const before = [response.status, await response.clone().text()];
    const read = await readTokenAnswer(response, false);
    expect([read.status, await read.text()]).toEqual(before);
  });

  it('keeps nothing of a good answer that could not be written again', async () => {
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    expect(
      await seen(
        answer(
          200,
          `{"access_token":"a","token_type":"bearer","x":${deep},"scope":${deep},"expires_in":${deep},"y":[1,"z",true]}`,
        ),
      ),
    ).toEqual([200, { ...TOKENS, y: [1, 'z', true] }]);
  });

  it('reads an error whose body is deeper than any stack', async () => {
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    expect(
      await seen(answer(400, `{"error":"invalid_grant","claims":${deep},"error_codes":[50173]}`)),
    ).toEqual([400, { error: 'invalid_grant', error_codes: [50173] }]);
  });
});

describe('readErrorAnswer', () => {
  it('reads the error beside a challenge, and touches no answer that is none', async () => {
    const refused = await readErrorAnswer(
      answer(401, { error: 'invalid_client' }, { 'www-authenticate': 'Basic' }),
    );
    expect([refused.status, refused.headers.has('www-authenticate')]).toEqual([401, false]);
    const fine = answer(201, { request_uri: 'u', error: 'x' });
    expect(await readErrorAnswer(fine)).toBe(fine);
  });
});
