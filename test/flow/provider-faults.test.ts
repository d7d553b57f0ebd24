// Each fault of the embedded provider, seen on the wire by a client that checks nothing for itself.
import { createHmac, createPublicKey, randomUUID } from 'node:crypto';
import type { JsonWebKey } from 'node:crypto';
import { request } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { JWK } from 'oauth4webapi';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createPerson, startProvider } from '../../src/testing/index.js';
import type { Fault, IdTokenChange, Provider } from '../../src/testing/index.js';
import { errorOf, renew, signIn, startTrip } from './provider-client.js';

let provider: Provider;

beforeEach(async () => {
  provider = await startProvider({ signingAlgorithm: 'ES256' });
});
afterEach(() => provider.stop());

interface WireAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** What ended the exchange: the whole body, or the connection. */
  readonly end: 'complete' | 'broken';
}

/** One request on a connection of its own. Null when nothing came within the time. */
function ask(
  url: string,
  form: Readonly<Record<string, string>> | null = null,
  timeoutMs = 3_000,
): Promise<WireAnswer | null | 'reset'> {
  return new Promise((resolve) => {
    const body = form === null ? '' : new URLSearchParams(form).toString();
    const headers =
      form === null
        ? {}
        : {
            'content-type': 'application/x-www-form-urlencoded',
            'content-length': String(body.length),
          };
    let answer: WireAnswer | null = null;
    const sent = request(
      url,
      { method: form === null ? 'GET' : 'POST', headers, agent: false },
      (response) => {
        answer = {
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: '',
          end: 'broken',
        };
        response.on('data', (chunk: Buffer) => {
          answer = answer === null ? null : { ...answer, body: answer.body + chunk.toString() };
        });
        response.on('error', () => undefined);
        response.on('close', () =>
          resolve(
            answer === null ? null : { ...answer, end: response.complete ? 'complete' : 'broken' },
          ),
        );
      },
    );
    sent.on('error', () => resolve(answer ?? 'reset'));
    const patience = setTimeout(() => {
      resolve(answer);
      sent.destroy();
    }, timeoutMs);
    sent.on('close', () => clearTimeout(patience));
    sent.end(body);
  });
}

async function answerOf(
  url: string,
  form: Readonly<Record<string, string>> | null = null,
): Promise<WireAnswer> {
  const answer = await ask(url, form);
  if (answer === null || answer === 'reset') throw new Error('no answer came');
  return answer;
}

const renewal = (refreshToken: string): Readonly<Record<string, string>> => ({
  grant_type: 'refresh_token',
  client_id: provider.clientId,
  refresh_token: refreshToken,
});

const JWKS_KEYS = /^\{"keys":/;

test('"slow" answers as late as was set, and only as often', async () => {
  provider.fault({ kind: 'slow', endpoint: 'jwks', delayMs: 300, times: 1 });
  const startedAt = Date.now();
  expect((await answerOf(provider.endpoints.jwks)).body).toMatch(JWKS_KEYS);
  expect(Date.now() - startedAt).toBeGreaterThanOrEqual(295);
  const againAt = Date.now();
  await answerOf(provider.endpoints.jwks);
  expect(Date.now() - againAt).toBeLessThan(200);
});

test('"hang" answers nothing and carries nothing out, until the faults are cleared', async () => {
  const { trip, tokens } = await signIn(provider);
  provider.fault({ kind: 'hang', endpoint: 'token' });
  expect(await ask(provider.endpoints.token, renewal(tokens.refresh_token ?? ''), 300)).toBeNull();
  provider.clearFaults();
  expect((await renew(trip, tokens.refresh_token ?? '')).refresh_token).toEqual(expect.any(String));
});

test('"reset" destroys the connection and carries nothing out', async () => {
  const { trip, tokens } = await signIn(provider);
  provider.fault({ kind: 'reset', endpoint: 'token', times: 1 });
  expect(await ask(provider.endpoints.token, renewal(tokens.refresh_token ?? ''))).toBe('reset');
  expect((await renew(trip, tokens.refresh_token ?? '')).refresh_token).toEqual(expect.any(String));
});

test('"lost-answer" rotates the refresh token and destroys the connection', async () => {
  const { trip, tokens } = await signIn(provider);
  provider.fault({ kind: 'lost-answer', endpoint: 'token', grantType: 'refresh_token', times: 1 });
  expect(await ask(provider.endpoints.token, renewal(tokens.refresh_token ?? ''))).toBe('reset');
  expect(await errorOf(renew(trip, tokens.refresh_token ?? ''))).toBe('invalid_grant');
  const refreshTokens = provider.issued.filter(({ kind }) => kind === 'refresh_token');
  expect(refreshTokens).toHaveLength(2);
});

test.each<
  [string, Fault, Partial<Record<'status' | 'body', unknown>>, Readonly<Record<string, string>>]
>([
  [
    'status',
    { kind: 'status', endpoint: 'jwks', status: 503, body: 'maintenance' },
    { status: 503, body: 'maintenance' },
    {},
  ],
  [
    'oauth-error',
    { kind: 'oauth-error', endpoint: 'jwks', error: 'invalid_grant', description: 'gone' },
    { status: 400, body: '{"error":"invalid_grant","error_description":"gone"}' },
    {},
  ],
  [
    'too-many-requests',
    { kind: 'too-many-requests', endpoint: 'jwks', retryAfter: 7 },
    { status: 429 },
    { 'retry-after': '7' },
  ],
  [
    'html',
    { kind: 'html', endpoint: 'jwks' },
    { status: 200, body: expect.stringMatching(/^<!doctype html>/) as unknown },
    { 'content-type': 'text/html; charset=utf-8' },
  ],
  [
    'invalid-json',
    { kind: 'invalid-json', endpoint: 'jwks' },
    { status: 200, body: '{"this is": not JSON' },
    {},
  ],
  [
    'empty-body',
    { kind: 'empty-body', endpoint: 'jwks' },
    { status: 200, body: '' },
    { 'content-length': '0' },
  ],
  [
    'content-type',
    { kind: 'content-type', endpoint: 'jwks', value: 'text/plain' },
    { status: 200, body: expect.stringMatching(JWKS_KEYS) as unknown },
    { 'content-type': 'text/plain' },
  ],
])('"%s" is seen on the wire, and gone after one use', async (_kind, fault, expected, headers) => {
  provider.fault({ ...fault, times: 1 });
  expect(provider.unusedFaults()).toHaveLength(1);
  const answer = await answerOf(provider.endpoints.jwks);
  expect(answer).toMatchObject(expected);
  expect(answer.headers).toMatchObject(headers);
  expect(provider.unusedFaults()).toEqual([]);
  expect((await answerOf(provider.endpoints.jwks)).body).toMatch(JWKS_KEYS);
});

test.each(['cut', 'silence'] as const)(
  '"half-body" stops in the middle and then the connection meets %s',
  async (then) => {
    provider.fault({ kind: 'half-body', endpoint: 'jwks', then, times: 1 });
    const startedAt = Date.now();
    const half = await ask(provider.endpoints.jwks, null, 400);
    const whole = await answerOf(provider.endpoints.jwks);
    expect(half).toMatchObject({
      status: 200,
      end: 'broken',
      body: whole.body.slice(0, Math.floor(whole.body.length / 2)),
    });
    const wasSilent = Date.now() - startedAt >= 395;
    expect(wasSilent).toBe(then === 'silence');
  },
);

test('"huge-body" is valid JSON of the length that was set', async () => {
  provider.fault({ kind: 'huge-body', endpoint: 'jwks', bytes: 3_000_000, times: 1 });
  const { body } = await answerOf(provider.endpoints.jwks);
  expect(body).toHaveLength(3_000_000);
  expect(JSON.parse(body)).toHaveProperty('keys');
});

test('"members" sets and drops members of JSON answers', async () => {
  const { tokens } = await signIn(provider);
  provider.fault({
    kind: 'members',
    endpoint: 'token',
    grantType: 'refresh_token',
    set: { token_type: 'BEARER', expires_in: '300' },
    drop: ['refresh_token', 'id_token'],
  });
  const answer = JSON.parse(
    (await answerOf(provider.endpoints.token, renewal(tokens.refresh_token ?? ''))).body,
  ) as object;
  expect(answer).toMatchObject({
    token_type: 'BEARER',
    expires_in: '300',
    access_token: expect.any(String) as unknown,
  });
  expect(Object.keys(answer).sort()).toEqual(['access_token', 'expires_in', 'scope', 'token_type']);
  provider.fault({
    kind: 'members',
    endpoint: 'discovery',
    set: { issuer: 'https://attacker.example' },
  });
  expect((await answerOf(`${provider.issuer}/.well-known/openid-configuration`)).body).toContain(
    '"issuer":"https://attacker.example"',
  );
});

test('a fault of one grant type leaves the other alone', async () => {
  provider.fault({ kind: 'status', endpoint: 'token', grantType: 'refresh_token', status: 500 });
  const { tokens } = await signIn(provider);
  expect(
    (await answerOf(provider.endpoints.token, renewal(tokens.refresh_token ?? ''))).status,
  ).toBe(500);
});

test('several faults act together, and those without "times" last until they are cleared', async () => {
  provider.fault({ kind: 'slow', endpoint: 'jwks', delayMs: 100 });
  provider.fault({ kind: 'status', endpoint: 'jwks', status: 500 });
  for (let round = 0; round < 2; round += 1) {
    const startedAt = Date.now();
    expect((await answerOf(provider.endpoints.jwks)).status).toBe(500);
    expect(Date.now() - startedAt).toBeGreaterThanOrEqual(95);
  }
  expect(provider.requests.at(-1)?.faults).toEqual(['status', 'slow']);
  provider.clearFaults();
  expect((await answerOf(provider.endpoints.jwks)).status).toBe(200);
});

test.each<[string, Fault, (answer: URLSearchParams, state: string) => void]>([
  [
    'a wrong iss',
    { kind: 'callback', set: { iss: 'https://attacker.example' }, times: 1 },
    (answer) => expect(answer.get('iss')).toBe('https://attacker.example'),
  ],
  [
    'no iss',
    { kind: 'callback', drop: ['iss'], times: 1 },
    (answer) => expect(answer.has('iss')).toBe(false),
  ],
  [
    'another state',
    { kind: 'callback', set: { state: 'of-another-attempt' }, times: 1 },
    (answer, state) => expect(answer.get('state')).not.toBe(state),
  ],
  [
    'an error',
    { kind: 'callback', set: { error: 'server_error' }, drop: ['code'], times: 1 },
    (answer) => expect([answer.get('error'), answer.has('code')]).toEqual(['server_error', false]),
  ],
])('"callback" sends %s to a custom scheme and to loopback', async (_title, fault, check) => {
  for (const redirectUri of [
    'com.example.latchkey-demo:/callback',
    'http://127.0.0.1:9/callback',
  ]) {
    provider.fault(fault);
    const trip = await startTrip(provider, { redirectUri });
    const { callbackUrl } = await createPerson().signIn(trip.url);
    expect(callbackUrl.startsWith(redirectUri)).toBe(true);
    check(new URL(callbackUrl).searchParams, trip.state);
    expect(provider.unusedFaults()).toEqual([]);
  }
});

interface IdToken {
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly signature: string;
  readonly compact: string;
}

async function idTokenOf(
  change: IdTokenChange | null,
): Promise<IdToken & { readonly nonce: string | undefined }> {
  if (change !== null) provider.fault({ kind: 'id-token', change, times: 1 });
  const trip = await startTrip(provider);
  const { callbackUrl } = await createPerson().signIn(trip.url);
  const answer = await answerOf(provider.endpoints.token, {
    grant_type: 'authorization_code',
    client_id: provider.clientId,
    redirect_uri: trip.redirectUri,
    code: new URL(callbackUrl).searchParams.get('code') ?? '',
    code_verifier: trip.verifier,
  });
  const compact = (JSON.parse(answer.body) as { readonly id_token: string }).id_token;
  const [header = '', claims = '', signature = ''] = compact.split('.');
  const decode = (part: string): Readonly<Record<string, unknown>> =>
    JSON.parse(Buffer.from(part, 'base64url').toString()) as Readonly<Record<string, unknown>>;
  return { header: decode(header), claims: decode(claims), signature, compact, nonce: trip.nonce };
}

async function publicKey(): Promise<JsonWebKey & { readonly kid: string }> {
  const { keys } = JSON.parse((await answerOf(provider.endpoints.jwks)).body) as {
    readonly keys: readonly (JsonWebKey & { readonly kid: string })[];
  };
  const [key] = keys;
  if (key === undefined) throw new Error('the JWKS is empty');
  return key;
}

/** True when the signature is good under the one published key, whatever the header says. */
async function isSigned({ compact }: IdToken): Promise<boolean> {
  const [header = '', claims = '', signature = ''] = compact.split('.');
  const key = await crypto.subtle.importKey(
    'jwk',
    (await publicKey()) as JWK,
    { name: 'ECDSA', namedCurve: 'P-256' },
    false,
    ['verify'],
  );
  return crypto.subtle.verify(
    { name: 'ECDSA', hash: 'SHA-256' },
    key,
    Buffer.from(signature, 'base64url'),
    Buffer.from(`${header}.${claims}`),
  );
}

test.each<
  [IdTokenChange, (claims: Readonly<Record<string, unknown>>, nonce: string | undefined) => void]
>([
  ['wrong-iss', (claims) => expect(claims['iss']).not.toBe(provider.issuer)],
  ['wrong-aud', (claims) => expect(claims['aud']).toBe('another-client')],
  [
    'wrong-azp',
    (claims) =>
      expect(claims).toMatchObject({
        aud: [provider.clientId, 'another-client'],
        azp: 'another-client',
      }),
  ],
  ['wrong-nonce', (claims, nonce) => expect(claims['nonce']).not.toBe(nonce)],
  ['missing-nonce', (claims) => expect(claims).not.toHaveProperty('nonce')],
  ['wrong-at-hash', (claims) => expect(claims['at_hash']).toMatch(/^[\w-]{22}$/)],
  ['wrong-sub', (claims) => expect(claims['sub']).toBe('u-somebody-else')],
  ['missing-sub', (claims) => expect(claims).not.toHaveProperty('sub')],
  ['expired', (claims) => expect(claims['exp']).toBeLessThan(Date.now() / 1000)],
  [
    'issued-in-future',
    (claims) => expect(claims['iat']).toBeGreaterThan(Date.now() / 1000 + 3_600),
  ],
  [
    'old-auth-time',
    (claims) => expect(claims['auth_time']).toBeLessThan(Date.now() / 1000 - 3_500),
  ],
  ['missing-auth-time', (claims) => expect(claims).not.toHaveProperty('auth_time')],
  ['aud-array', (claims) => expect(claims['aud']).toEqual([provider.clientId])],
])('"id-token" with the change "%s" is still signed with the right key', async (change, check) => {
  const idToken = await idTokenOf(change);
  check(idToken.claims, idToken.nonce);
  expect(await isSigned(idToken)).toBe(true);
  expect(idToken.header['kid']).toBe((await publicKey()).kid);
});

test('an ID token without a change satisfies what the changes break', async () => {
  const idToken = await idTokenOf(null);
  expect(idToken.claims).toMatchObject({
    iss: provider.issuer,
    aud: provider.clientId,
    nonce: idToken.nonce,
  });
  expect(await isSigned(idToken)).toBe(true);
});

test('"id-token" can be unsecured, signed with the public key as a secret, or badly signed', async () => {
  const none = await idTokenOf('alg-none');
  expect([none.header['alg'], none.signature]).toEqual(['none', '']);

  const confused = await idTokenOf('alg-hs256');
  const pem = createPublicKey({ key: await publicKey(), format: 'jwk' }).export({
    type: 'spki',
    format: 'pem',
  });
  const signed = confused.compact.slice(0, confused.compact.lastIndexOf('.'));
  expect(confused.header['alg']).toBe('HS256');
  expect(confused.signature).toBe(createHmac('sha256', pem).update(signed).digest('base64url'));

  const broken = await idTokenOf('bad-signature');
  expect(broken.header['alg']).toBe('ES256');
  expect(await isSigned(broken)).toBe(false);
});

test('"id-token" can name an unknown key, or none', async () => {
  const unknown = await idTokenOf('unknown-kid');
  expect(unknown.header['kid']).not.toBe((await publicKey()).kid);
  const without = await idTokenOf('missing-kid');
  expect(without.header).not.toHaveProperty('kid');
  expect(await isSigned(without)).toBe(true);
});

test('"clock-offset" moves the Date header and the times of ID tokens together', async () => {
  provider.fault({ kind: 'clock-offset', offsetSeconds: -7_200 });
  const { headers } = await answerOf(provider.endpoints.jwks);
  const shiftMs = Date.parse(headers.date ?? '') - Date.now();
  expect(Math.abs(shiftMs + 7_200_000)).toBeLessThan(5_000);
  const { claims } = await idTokenOf(null);
  expect(Math.abs(Number(claims['iat']) - (Date.now() / 1000 - 7_200))).toBeLessThan(5);
});

test('stop() ends hanging, slow and half-answered requests at once', async () => {
  provider.fault({ kind: 'hang', endpoint: 'token' });
  provider.fault({ kind: 'slow', endpoint: 'jwks', delayMs: 60_000 });
  provider.fault({ kind: 'half-body', endpoint: 'discovery', then: 'silence' });
  const waiting = [
    ask(provider.endpoints.token, renewal('none'), 10_000),
    ask(provider.endpoints.jwks, null, 10_000),
    ask(`${provider.issuer}/.well-known/openid-configuration`, null, 10_000),
  ];
  while (provider.requests.length < 3) await sleep(5);
  const startedAt = Date.now();
  await Promise.all([provider.stop(), provider.stop()]);
  const ends = await Promise.all(waiting);
  expect(Date.now() - startedAt).toBeLessThan(1_000);
  expect(ends).toEqual(['reset', 'reset', expect.objectContaining({ end: 'broken' })]);
  expect(await ask(provider.endpoints.jwks)).toBe('reset');
});

test('after stop() no server, socket or timer is left, although a slow answer was on its way', async () => {
  const count = (): number =>
    process.getActiveResourcesInfo().filter((name) => /^TCP|^Timeout$/.test(name)).length;
  await provider.stop();
  await sleep(50);
  const before = count();
  const other = await startProvider({ signingAlgorithm: 'ES256' });
  await signIn(other);
  other.fault({ kind: 'slow', endpoint: 'jwks', delayMs: 60_000, times: 1 });
  const late = ask(other.endpoints.jwks, null, 30_000);
  while (other.unusedFaults().length > 0) await sleep(5);
  expect(count()).toBeGreaterThan(before);
  await other.stop();
  expect(await late).toBe('reset');
  await sleep(50);
  expect(count()).toBeLessThanOrEqual(before);
});

test('the request log names parameters and headers, and holds no value of a secret', async () => {
  const { tokens } = await signIn(provider);
  await fetch(provider.endpoints.userinfo, {
    headers: { authorization: `Bearer ${tokens.access_token}`, origin: 'https://page.example' },
  });
  expect(provider.requests.at(-1)).toMatchObject({
    endpoint: 'userinfo',
    origin: 'https://page.example',
    authorizationScheme: 'Bearer',
  });
  const redemption = provider.requests.find(({ grantType }) => grantType === 'authorization_code');
  expect(redemption).toMatchObject({
    method: 'POST',
    path: '/token',
    origin: null,
    contentType: expect.stringContaining('application/x-www-form-urlencoded') as unknown,
  });
  expect([...(redemption?.parameterNames ?? [])].sort()).toEqual([
    'client_id',
    'code',
    'code_verifier',
    'grant_type',
    'redirect_uri',
  ]);
  const kinds = new Set(provider.issued.map(({ kind }) => kind));
  expect([...kinds].sort()).toEqual([
    'access_token',
    'code',
    'code_verifier',
    'id_token',
    'nonce',
    'refresh_token',
    'state',
  ]);
  const log = JSON.stringify(provider.requests);
  expect(provider.issued.filter(({ value }) => log.includes(value))).toEqual([]);
});

test('a body that is too large is refused, and unknown paths are not found', async () => {
  expect((await answerOf(provider.endpoints.token, { filler: 'x'.repeat(100_000) })).status).toBe(
    413,
  );
  expect((await answerOf(`${provider.issuer}/${randomUUID()}`)).status).toBe(404);
});
