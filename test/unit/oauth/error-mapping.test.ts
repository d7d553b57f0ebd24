// What a failure of the OAuth engine means: codes and the server's word decide, no text from
// outside travels on.
import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AuthError } from '../../../src/main/core/base/errors.js';
import {
  type ExchangeStep,
  toAuthErrorAt,
  pendingWord,
} from '../../../src/main/core/oauth/error-mapping.js';

const STEPS: readonly ExchangeStep[] = [
  'discovery',
  'push',
  'callback',
  'redeem',
  'device',
  'poll',
  'id-token',
  'userinfo',
  'renew',
  'revoke',
];

/**
 * As oauth4webapi throws them: an Error with a code, and a cause that holds what came over the
 * wire.
 */
const thrown = (code: string, members: Record<string, unknown> = {}): Error =>
  Object.assign(new Error('secret in a message', { cause: members['cause'] }), {
    code,
    ...members,
  });
const bodyError = (error: unknown): Error =>
  thrown('OAUTH_RESPONSE_BODY_ERROR', {
    error,
    error_description: 'secret',
    cause: { error, error_description: 'secret' },
  });
const callbackError = (query: string): Error =>
  thrown('OAUTH_AUTHORIZATION_RESPONSE_ERROR', { cause: new URLSearchParams(query) });

describe('judge', () => {
  it.each<[ExchangeStep, string, unknown, string]>([
    ['renew', 'invalid_grant', bodyError('invalid_grant'), 'session-ended'],
    ['redeem', 'invalid_grant', bodyError('invalid_grant'), 'sign-in-refused'],
    ['renew', 'invalid_client', bodyError('invalid_client'), 'sign-in-refused'],
    [
      'renew',
      'temporarily_unavailable',
      bodyError('temporarily_unavailable'),
      'server-unavailable',
    ],
    ['device', 'unauthorized_client', bodyError('unauthorized_client'), 'sign-in-refused'],
    ['poll', 'access_denied', bodyError('access_denied'), 'sign-in-denied'],
    ['poll', 'expired_token', bodyError('expired_token'), 'sign-in-expired'],
    ['poll', 'invalid_grant', bodyError('invalid_grant'), 'sign-in-refused'],
    [
      'poll',
      'a bare 400, which a portal may say',
      thrown('OAUTH_RESPONSE_IS_NOT_CONFORM', { cause: new Response(null, { status: 400 }) }),
      'response-invalid',
    ],
    [
      'poll',
      'a wrong claim',
      thrown('OAUTH_INVALID_RESPONSE', { cause: { claims: {} } }),
      'id-token-invalid',
    ],
    ['redeem', 'expired_token', bodyError('expired_token'), 'sign-in-refused'],
    ['redeem', 'slow_down', bodyError('slow_down'), 'server-unavailable'],
    ['renew', 'server_error', bodyError('server_error'), 'server-unavailable'],
    ['renew', 'an error that is no text', bodyError(7), 'sign-in-refused'],
    ['discovery', 'a refusal', bodyError('not_found'), 'discovery-failed'],
    ['callback', 'access_denied', callbackError('error=access_denied'), 'sign-in-denied'],
    [
      'callback',
      'temporarily_unavailable',
      callbackError('error=temporarily_unavailable'),
      'server-unavailable',
    ],
    [
      'callback',
      'unauthorized_client',
      callbackError('error=unauthorized_client'),
      'sign-in-refused',
    ],
    [
      'callback',
      'a wrong iss',
      thrown('OAUTH_INVALID_RESPONSE', {
        cause: { expected: 'i', parameters: new URLSearchParams('iss=e') },
      }),
      'issuer-mismatch',
    ],
    [
      'callback',
      'tokens in the front channel',
      thrown('OAUTH_UNSUPPORTED_OPERATION'),
      'response-invalid',
    ],
    [
      'redeem',
      'a wrong claim',
      thrown('OAUTH_JWT_CLAIM_COMPARISON_FAILED', { cause: { claim: 'nonce', claims: {} } }),
      'id-token-invalid',
    ],
    [
      'redeem',
      'a time that is over',
      thrown('OAUTH_JWT_TIMESTAMP_CHECK_FAILED', { cause: { claim: 'exp' } }),
      'id-token-invalid',
    ],
    [
      'redeem',
      'a claim that is missing',
      thrown('OAUTH_INVALID_RESPONSE', { cause: { claims: {} } }),
      'id-token-invalid',
    ],
    [
      'redeem',
      'an alg that is not allowed',
      thrown('OAUTH_INVALID_RESPONSE', { cause: { header: { alg: 'none' } } }),
      'id-token-invalid',
    ],
    [
      'redeem',
      'a JWT that is none',
      thrown('OAUTH_INVALID_RESPONSE', { cause: 'secret' }),
      'id-token-invalid',
    ],
    [
      'redeem',
      'a member that is missing',
      thrown('OAUTH_INVALID_RESPONSE', { cause: { body: {} } }),
      'response-invalid',
    ],
    [
      'redeem',
      'an algorithm that is not supported',
      thrown('OAUTH_UNSUPPORTED_OPERATION'),
      'id-token-invalid',
    ],
    ['id-token', 'no key', thrown('OAUTH_KEY_SELECTION_FAILED'), 'id-token-invalid'],
    ['id-token', 'a wrong signature', thrown('OAUTH_INVALID_RESPONSE'), 'id-token-invalid'],
    [
      'renew',
      'a challenge',
      thrown('OAUTH_WWW_AUTHENTICATE_CHALLENGE', { response: new Response(null, { status: 401 }) }),
      'sign-in-refused',
    ],
    [
      'renew',
      'a bare 400',
      thrown('OAUTH_RESPONSE_IS_NOT_CONFORM', { cause: new Response(null, { status: 400 }) }),
      'sign-in-refused',
    ],
    [
      'renew',
      'a 404 with a page',
      thrown('OAUTH_RESPONSE_IS_NOT_JSON', { cause: new Response('secret', { status: 404 }) }),
      'sign-in-refused',
    ],
    [
      'renew',
      'a bare 201',
      thrown('OAUTH_RESPONSE_IS_NOT_CONFORM', { cause: new Response(null, { status: 201 }) }),
      'response-invalid',
    ],
    [
      'redeem',
      'no JSON',
      thrown('OAUTH_RESPONSE_IS_NOT_JSON', { cause: new Response('secret') }),
      'response-invalid',
    ],
    ['redeem', 'a bug', new TypeError('secret'), 'response-invalid'],
  ])('at the step %s calls %s by its code', (step, _what, error, code) => {
    expect(toAuthErrorAt(step, error).code).toBe(code);
  });

  it('says of no step but a renewal that the session has ended', () => {
    for (const step of STEPS)
      if (step !== 'renew')
        expect(toAuthErrorAt(step, bodyError('invalid_grant')).code).not.toBe('session-ended');
  });

  it('ends a session by nothing but invalid_grant', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.constantFrom(
            'INVALID_GRANT',
            'invalid_grant ',
            'invalid_client',
            'login_required',
            'invalid_token',
          ),
        ),
        fc.constantFrom('OAUTH_RESPONSE_BODY_ERROR', 'OAUTH_INVALID_RESPONSE', 'E'),
        (error, code) => {
          fc.pre(error !== 'invalid_grant');
          expect(toAuthErrorAt('renew', thrown(code, { error })).code).not.toBe('session-ended');
        },
      ),
    );
  });

  it('passes an AuthError on as it is', () => {
    const error = new AuthError('network-timeout', 'late');
    for (const step of STEPS) expect(toAuthErrorAt(step, error)).toBe(error);
  });

  it('carries no text from outside: not in the message, not in the cause', () => {
    const cause = {
      body: { access_token: 'secret-token' },
      claims: { nonce: 'secret' },
      claim: 'secret claim',
    };
    for (const step of STEPS) {
      for (const code of [
        'OAUTH_INVALID_RESPONSE',
        'OAUTH_RESPONSE_BODY_ERROR',
        'OAUTH_JWT_CLAIM_COMPARISON_FAILED',
        'OAUTH_PARSE_ERROR',
        'X',
      ]) {
        const error = toAuthErrorAt(step, thrown(code, { error: 'secret words <b>', cause }));
        expect(
          inspect(error, { depth: Infinity, showHidden: true }).replace(/^ +at .*$/gm, ''),
        ).not.toContain('secret');
      }
    }
  });

  it("keeps the server's error when it is a plain word, and only then", () => {
    expect(toAuthErrorAt('redeem', bodyError('invalid_scope')).serverError).toBe('invalid_scope');
    for (const word of ['<script>', 'two words', 'x'.repeat(65), '', 7, null, { a: 1 }, 'ключ'])
      expect(toAuthErrorAt('redeem', bodyError(word)).serverError).toBeUndefined();
  });

  it('throws for nothing that may be thrown', () => {
    fc.assert(
      fc.property(fc.constantFrom(...STEPS), fc.anything(), (step, value) => {
        expect(toAuthErrorAt(step, value)).toBeInstanceOf(AuthError);
      }),
    );
  });
});

describe('pendingWord', () => {
  it('knows the two words of RFC 8628 §3.5 that mean "ask again", and no other', () => {
    expect([
      pendingWord(bodyError('authorization_pending')),
      pendingWord(bodyError('slow_down')),
    ]).toEqual(['pending', 'slow-down']);
    for (const other of [
      bodyError('access_denied'),
      bodyError('expired_token'),
      thrown('OAUTH_INVALID_RESPONSE', { error: 'slow_down' }),
      new Error('slow_down'),
      null,
      'slow_down',
    ])
      expect(pendingWord(other)).toBeNull();
  });
});
