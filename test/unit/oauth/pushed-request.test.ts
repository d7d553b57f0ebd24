// What the endpoint for pushed requests (RFC 9126) may answer, right or wrong: no odd answer is
// worse than one that the server gives on purpose.
import { describe, expect, it } from 'vitest';
import { createRequestSecrets } from '../../../src/main/core/oauth/request-secrets.js';
import type { AuthError } from '../../../src/main/core/base/errors.js';
import { type Wire, createWire } from '../../support/wire.js';

const ISSUER = 'https://id.example';
const RIGHT = { request_uri: 'urn:example:1', expires_in: 60 };
let wire: Wire;

/** The authorization URL of a request of 2,400 characters; `refused: ` and the code, if none. */
async function urlWith(answer: () => Response, mustPush: boolean): Promise<string> {
  wire = await createWire({
    issuer: ISSUER,
    authorizationParameters: { ui_locales: 'x'.repeat(2_000) },
  });
  wire.answer(`${ISSUER}/.well-known/`, () =>
    Response.json({
      issuer: ISSUER,
      authorization_endpoint: `${ISSUER}/authorize`,
      token_endpoint: `${ISSUER}/token`,
      jwks_uri: `${ISSUER}/keys`,
      pushed_authorization_request_endpoint: `${ISSUER}/push`,
      require_pushed_authorization_requests: mustPush,
    }),
  );
  wire.answer(`${ISSUER}/push`, answer);
  return wire.protocol.authorizationUrl(createRequestSecrets(), 'com.example.app:/cb', {}).then(
    (url) => url,
    (error: unknown) => `refused: ${(error as AuthError).code}`,
  );
}

const json =
  (body: object, status = 201) =>
  (): Response =>
    Response.json(body, { status });

describe('a pushed request', () => {
  it.each([
    ['as RFC 9126 says', json(RIGHT)],
    ['with status 200', json(RIGHT, 200)],
    ['without a lifetime', json({ request_uri: RIGHT.request_uri })],
    ['with no usable lifetime', json({ ...RIGHT, expires_in: -1 })],
    ['with a lifetime as text', json({ ...RIGHT, expires_in: '60' })],
    ['labelled as text', () => new Response(JSON.stringify(RIGHT), { status: 201 })],
  ])('that is answered %s leaves its name for the browser', async (_how, answer) => {
    for (const mustPush of [true, false])
      expect(await urlWith(answer, mustPush)).toBe(
        `${ISSUER}/authorize?client_id=me&request_uri=urn%3Aexample%3A1`,
      );
  });

  it.each([
    ['no name', json({ expires_in: 60 }), 'response-invalid'],
    ['an empty name', json({ ...RIGHT, request_uri: '' }), 'response-invalid'],
    ['a name with a blank', json({ ...RIGHT, request_uri: 'urn: 1' }), 'response-invalid'],
    [
      'a name that is no shorter than the request',
      json({ ...RIGHT, request_uri: `urn:${'x'.repeat(2_045)}` }),
      'response-invalid',
    ],
    ['a list of names', json({ ...RIGHT, request_uri: ['urn:1'] }), 'response-invalid'],
    ['a page', () => new Response('<html>', { status: 201 }), 'response-invalid'],
    ['an error', json({ error: 'invalid_request' }, 400), 'sign-in-refused'],
    [
      'that it does not know the address',
      () => new Response('', { status: 404 }),
      'sign-in-refused',
    ],
    ['that it is overloaded', () => new Response('', { status: 503 }), 'server-unavailable'],
    ['that it has failed', () => new Response('', { status: 500 }), 'server-unavailable'],
  ])(
    'that is answered with %s fails only where the server demands it; else the URL is long',
    async (_what, answer, code) => {
      expect(await urlWith(answer, true)).toBe(`refused: ${code}`);
      expect((await urlWith(answer, false)).length).toBeGreaterThan(2_000);
      expect(wire.log.names()).toContain('push-refused');
    },
  );
});
