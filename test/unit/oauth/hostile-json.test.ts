// JSON that is deep, huge or odd, at every endpoint: a documented AuthError or the right answer,
// and no rotated token is lost.
import { beforeEach, describe, expect, it } from 'vitest';
import { createRequestSecrets } from '../../../src/main/core/oauth/request-secrets.js';
import { ERROR_CODES } from '../../../src/main/core/base/error-codes.js';
import { AuthError } from '../../../src/main/core/base/errors.js';
import { LIMITS } from '../../../src/main/core/base/limits.js';
import { type Wire, createWire } from '../../support/wire.js';

const ISSUER = 'https://id.example';
const ada = { id: 'ada-id', issuer: ISSUER, subject: 'ada' };
const DEEP = 100_000;
const lists = `${'['.repeat(DEEP)}${']'.repeat(DEEP)}`;
const objects = `${'{"a":'.repeat(DEEP)}1${'}'.repeat(DEEP)}`;

/** What stands beside the members that count, as JSON text; each begins with a comma. */
const BESIDE: readonly (readonly [string, string])[] = [
  ['lists deeper than any stack', `,"x":${lists}`],
  ['objects deeper than any stack', `,"x":${objects}`],
  ['a deep list in place of a text', `,"scope":${lists}`],
  ['a deep object in place of a number', `,"expires_in":${objects}`],
  ['a deep ID token', `,"id_token":${lists}`],
  ['a text of 900 kB', `,"x":"${'x'.repeat(900_000)}"`],
  [
    '100,000 members',
    `,${Array.from({ length: 50_000 }, (_, index) => `"m${index}":0`).join(',')}`,
  ],
  [
    'members that objects have by birth',
    ',"__proto__":{"access_token":"evil","x":1},"constructor":{},"toString":"x","hasOwnProperty":1',
  ],
  ['numbers beyond all numbers', ',"expires_in":1e999,"x":-1e999,"y":1e-999'],
  ['half characters', ',"x":"\\ud800","\\udfff":"\\udc00\\ud800"'],
  [
    'a null for each optional member',
    ',"scope":null,"expires_in":null,"id_token":null,"error":null',
  ],
  ['an empty error', ',"error":""'],
];

let wire: Wire;
const metadata = (beside = ''): string =>
  `{"issuer":"${ISSUER}","authorization_endpoint":"${ISSUER}/authorize","token_endpoint":"${ISSUER}/token","jwks_uri":"${ISSUER}/keys","userinfo_endpoint":"${ISSUER}/userinfo","revocation_endpoint":"${ISSUER}/revoke","device_authorization_endpoint":"${ISSUER}/device"${beside}}`;
const says = (
  path: string,
  text: string | Uint8Array<ArrayBuffer>,
  status = 200,
  type = 'application/json',
): void => {
  wire.answer(
    `${ISSUER}${path}`,
    () => new Response(text, { status, headers: { 'content-type': type } }),
  );
};
const tokens = (beside: string): string =>
  `{"access_token":"access-2","token_type":"Bearer","refresh_token":"refresh-2"${beside}}`;
const renew = (): Promise<{
  readonly tokens: {
    readonly accessToken: string;
    readonly refreshToken: string | null;
    readonly scope: string;
  };
}> => wire.protocol.renew('refresh-1', 'openid', ada);

/** `resolved`, or the code; anything but an AuthError of the list fails. */
async function outcome(promise: Promise<unknown>): Promise<string> {
  const thrown: unknown = await promise.then(
    () => null,
    (error: unknown) => error,
  );
  if (thrown === null) return 'resolved';
  if (!(thrown instanceof AuthError)) throw new Error('no AuthError', { cause: thrown });
  expect(Object.keys(ERROR_CODES)).toContain(thrown.code);
  expect(thrown.code, thrown.message).not.toBe('internal');
  return thrown.code;
}

async function redeem(
  beside = '',
  claims: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const secrets = createRequestSecrets();
  const idToken = await wire.idToken({
    iss: ISSUER,
    aud: 'me',
    sub: 'ada',
    nonce: secrets.nonce,
    ...claims,
  });
  says('/token', tokens(`,"id_token":"${idToken}"${beside}`));
  return outcome(
    wire.protocol.redeem(
      new URLSearchParams({ code: 'c', state: secrets.state }),
      secrets,
      'com.example.app:/callback',
    ),
  );
}

beforeEach(async () => {
  wire = await createWire({
    issuer: ISSUER,
    redirects: ['com.example.app:/callback', 'device-code'],
  });
  says('/.well-known/openid-configuration', metadata());
  says('/keys', JSON.stringify(wire.keys));
});

describe('a renewal answered with', () => {
  it.each(BESIDE)('%s brings the tokens all the same', async (_what, beside) => {
    says('/token', tokens(beside));
    expect((await renew()).tokens).toMatchObject({
      accessToken: 'access-2',
      refreshToken: 'refresh-2',
    });
  });

  it.each(BESIDE.filter(([, beside]) => !beside.includes('"error"')))(
    'an error and %s says that error, and no other',
    async (_what, beside) => {
      says('/token', `{"error":"invalid_grant"${beside}}`, 400);
      expect(await outcome(renew())).toBe('session-ended');
    },
  );

  it('a byte order mark brings the tokens all the same', async () => {
    says('/token', `\ufeff${tokens('')}`);
    expect((await renew()).tokens.refreshToken).toBe('refresh-2');
  });

  it('UTF-16, which JSON may not be (RFC 8259 §8.1), is no answer', async () => {
    says(
      '/token',
      new Uint8Array(Buffer.from(`\ufeff${tokens('')}`, 'utf16le')),
      200,
      'application/json; charset=utf-16',
    );
    expect(await outcome(renew())).toBe('response-invalid');
  });

  it('one member twice brings the later one, as every reader of JSON here takes it', async () => {
    says('/token', tokens(',"refresh_token":"refresh-3"'));
    expect((await renew()).tokens.refreshToken).toBe('refresh-3');
  });

  it('exactly as much as is read brings the tokens, and one byte more is no answer', async () => {
    const padded = (bytes: number): string =>
      tokens(`,"x":"${'x'.repeat(bytes - tokens(',"x":""').length)}"`);
    says('/token', padded(LIMITS.responseBytes));
    expect((await renew()).tokens.refreshToken).toBe('refresh-2');
    says('/token', padded(LIMITS.responseBytes + 1));
    expect(await outcome(renew())).toBe('response-invalid');
  });

  it.each([['access_token'], ['refresh_token']])(
    'a %s of a megabyte brings it whole',
    async (member) => {
      const long = 'x'.repeat(LIMITS.responseBytes - 200);
      says('/token', tokens(`,"${member}":"${long}"`));
      const renewed = (await renew()).tokens;
      expect([renewed.accessToken, renewed.refreshToken].includes(long)).toBe(true);
    },
  );

  it('a scope of a megabyte brings the tokens, for the scope that was asked for', async () => {
    const scoped = (length: number): void => {
      says('/token', tokens(`,"scope":"${'x'.repeat(length)}"`));
    };
    scoped(LIMITS.recordMemberBytes);
    expect((await renew()).tokens).toMatchObject({ scope: 'x'.repeat(LIMITS.recordMemberBytes) });
    scoped(1_000_000);
    expect((await renew()).tokens).toMatchObject({ refreshToken: 'refresh-2', scope: 'openid' });
  });

  it.each([
    ['null', 'null'],
    ['a list', '[]'],
    ['a deep list', lists],
    ['a text', '"x"'],
    ['a number', '1e999'],
    ['an object of a list', `{"access_token":${lists},"token_type":"bearer"}`],
    ['nothing', ''],
    ['half an object', '{"access_token":"a"'],
  ])('%s instead of an object is no answer', async (_what, text) => {
    says('/token', text);
    expect(await outcome(renew())).toBe('response-invalid');
  });
});

describe('a sign-in answered with', () => {
  it.each(BESIDE.filter(([, beside]) => !beside.includes('"id_token"')))(
    '%s is done all the same',
    async (_what, beside) => {
      expect(await redeem(beside)).toBe('resolved');
    },
  );

  it('an ID token whose payload is deep is done all the same', async () => {
    let deep: unknown = 1;
    for (let depth = 0; depth < 2_000; depth += 1) deep = [deep];
    expect(await redeem('', { deep })).toBe('resolved');
  });
});

describe('every other endpoint', () => {
  it.each(BESIDE)('of metadata with %s is understood', async (_what, beside) => {
    says('/.well-known/openid-configuration', metadata(beside));
    expect(await redeem()).toBe('resolved');
  });

  it.each([
    'issuer',
    'authorization_endpoint',
    'token_endpoint',
    'jwks_uri',
    'userinfo_endpoint',
    'id_token_signing_alg_values_supported',
    'token_endpoint_auth_methods_supported',
    'require_pushed_authorization_requests',
  ])(
    'of metadata with a deep "%s" is refused with a code, or understood without it',
    async (member) => {
      for (const deep of [lists, objects, `["RS256",${lists}]`]) {
        says('/.well-known/openid-configuration', metadata(`,"${member}":${deep}`));
        expect(['resolved', 'discovery-failed', 'issuer-mismatch', 'id-token-invalid']).toContain(
          await redeem(),
        );
        expect(['resolved', 'discovery-failed', 'issuer-mismatch']).toContain(
          await outcome(wire.protocol.prepare()),
        );
      }
    },
  );

  it.each(BESIDE)('of keys with %s is understood', async (_what, beside) => {
    says('/keys', `${JSON.stringify(wire.keys).slice(0, -1)}${beside}}`);
    expect(await redeem()).toBe('resolved');
  });

  it('of keys that are deep ends the sign-in with a code', async () => {
    for (const text of [
      `{"keys":${lists}}`,
      `{"keys":[${objects}]}`,
      `{"keys":[{"kty":"EC","kid":"k","alg":"ES256","x":${lists}}]}`,
    ]) {
      says('/keys', text);
      expect(['id-token-invalid', 'response-invalid']).toContain(await redeem());
    }
  });

  it.each(BESIDE)('of userinfo with %s costs no sign-in', async (_what, beside) => {
    says('/userinfo', `{"sub":"ada","name":"Ada","email":"ada@example.com"${beside}}`);
    expect(await redeem()).toBe('resolved');
  });

  it.each(BESIDE)('of device codes with %s is understood', async (_what, beside) => {
    says(
      '/device',
      `{"device_code":"d","user_code":"ABCD","verification_uri":"${ISSUER}/go","interval":5${beside}}`,
    );
    expect(await outcome(wire.protocol.authorizeDevice({}))).toBe('resolved');
  });

  it.each([
    'device_code',
    'user_code',
    'verification_uri',
    'verification_uri_complete',
    'interval',
    'expires_in',
  ])(
    'of device codes with a deep "%s" is refused with a code, or understood without it',
    async (member) => {
      says(
        '/device',
        `{"device_code":"d","user_code":"ABCD","verification_uri":"${ISSUER}/go","interval":5,"expires_in":300,"${member}":${objects}}`,
      );
      expect(['resolved', 'response-invalid']).toContain(
        await outcome(wire.protocol.authorizeDevice({})),
      );
    },
  );

  it.each(BESIDE)('of revocation with %s is done', async (_what, beside) => {
    says('/revoke', `{"x":1${beside}}`);
    expect(await outcome(wire.protocol.revoke('refresh'))).toBe('resolved');
  });
});
