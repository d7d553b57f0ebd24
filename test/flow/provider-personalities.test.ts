// The personalities google, github, keycloak, okta, strict and legacy against the facts of the
// documents that their files name.
import { afterEach, describe, expect, it } from 'vitest';
import { createPerson, createVirtualClock, startProvider } from '../../src/testing/index.js';
import type { PersonalityName, Provider, ProviderOptions } from '../../src/testing/index.js';
import { createPersonality } from '../../src/testing/personalities/personalities.js';
import { PERSONALITY_NAMES } from '../../src/testing/server/provider-options.js';
import {
  type Reply,
  type TripWishes,
  claimsOf,
  get,
  post,
  redeem,
  renew,
  trip,
} from './wire-client.js';

const SCHEME = 'com.example.latchkey-demo:/callback';
const running: Provider[] = [];

async function start(
  personality: PersonalityName,
  options: ProviderOptions = {},
): Promise<Provider> {
  const provider = await startProvider({ personality, signingAlgorithm: 'ES256', ...options });
  running.push(provider);
  return provider;
}

afterEach(async () => {
  await Promise.all(running.splice(0).map((provider) => provider.stop()));
});

const secretOf = ({ clientSecret }: Provider): { readonly client_secret: string | null } => ({
  client_secret: clientSecret,
});

async function signIn(provider: Provider, wishes: TripWishes = {}): Promise<Reply['body']> {
  const reply = await redeem(provider, await trip(provider, wishes), secretOf(provider));
  expect(reply.body).not.toHaveProperty('error');
  return reply.body;
}

const errorOf = ({ body }: Reply): readonly unknown[] => [body['error'], body['error_description']];

describe('every rule', () => {
  it.each(PERSONALITY_NAMES)('of %s is a sentence with its source and an effect', (name) => {
    const { rules } = createPersonality(name);
    expect(rules.length).toBeGreaterThan(0);
    for (const rule of rules) {
      expect(rule.fact, rule.fact).toMatch(/^[A-Z`].*[.`"]$/s);
      expect(rule.source, rule.fact).not.toBe('');
      expect(
        [rule.policy, rule.paths, rule.judge, rule.change].some((effect) => effect !== undefined),
        rule.fact,
      ).toBe(true);
      expect(
        rule.judge === undefined && rule.change === undefined ? 'endpoint' : rule.on,
        rule.fact,
      ).toBeDefined();
    }
  });
});

describe('strict', () => {
  it('is the default, and a second use of a refresh token ends the family', async () => {
    const provider = await startProvider();
    running.push(provider);
    expect(provider.personality).toBe('strict');
    const { refresh_token: first } = await signIn(provider);
    const { body } = await renew(provider, first);
    expect((await renew(provider, first)).body['error']).toBe('invalid_grant');
    expect((await renew(provider, body['refresh_token'])).body['error']).toBe('invalid_grant');
  });

  it('can be given a grace', async () => {
    const provider = await start('strict', { graceSeconds: 5 });
    const { refresh_token: first } = await signIn(provider);
    await renew(provider, first);
    expect((await renew(provider, first)).status).toBe(200);
  });

  it('an API can demand a newer or stronger sign-in as RFC 9470 has it', async () => {
    const clock = createVirtualClock();
    const provider = await start('strict', { clock });
    const tokens = await signIn(provider);
    provider.challengeApi({ acrValues: 'urn:example:strong', maxAgeSeconds: 60, metBy: 'sign-in' });
    const refused = await get(provider.endpoints.api, tokens['access_token']);
    expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([
      401,
      'Bearer error="insufficient_user_authentication", acr_values="urn:example:strong", max_age="60"',
    ]);
    const stronger = await signIn(provider, { parameters: { acr_values: 'urn:example:strong' } });
    expect((await get(provider.endpoints.api, stronger['access_token'])).status).toBe(200);
    clock.advanceSeconds(61);
    expect((await get(provider.endpoints.api, stronger['access_token'])).status).toBe(401);
    provider.challengeApi(null);
    expect((await get(provider.endpoints.api, stronger['access_token'])).status).toBe(200);
  });
});

describe('legacy', () => {
  it('does not rotate, and a renewal brings no refresh token', async () => {
    const provider = await start('legacy');
    const { refresh_token: first } = await signIn(provider);
    for (let round = 0; round < 3; round += 1) {
      const { status, body } = await renew(provider, first);
      expect([status, 'refresh_token' in body]).toEqual([200, false]);
    }
  });

  it('announces neither PKCE nor iss, sends no iss, and ignores a verifier', async () => {
    const provider = await start('legacy');
    const { body } = await get(`${provider.issuer}/.well-known/openid-configuration`);
    expect(body).not.toHaveProperty('code_challenge_methods_supported');
    expect(body).not.toHaveProperty('authorization_response_iss_parameter_supported');
    const there = await trip(provider);
    expect(there.answer.has('iss')).toBe(false);
    expect((await redeem(provider, there, { code_verifier: 'x'.repeat(43) })).status).toBe(200);
  });
});

describe('google', () => {
  const offline: TripWishes = {
    scope: 'openid profile email',
    parameters: { access_type: 'offline' },
  };

  it('takes loopback addresses only', async () => {
    const provider = await start('google');
    await expect(trip(provider, { ...offline, redirectUri: SCHEME })).rejects.toThrow(
      'the provider showed an error page: invalid_request',
    );
    expect(
      (await trip(provider, { ...offline, redirectUri: 'http://127.0.0.1:1/any/path' })).answer.get(
        'code',
      ),
    ).not.toBeNull();
  });

  it('does not know the scope offline_access', async () => {
    await expect(trip(await start('google'))).rejects.toThrow(
      'the provider showed an error page: invalid_scope',
    );
  });

  it('needs the secret in token requests', async () => {
    const provider = await start('google');
    const there = await trip(provider, offline);
    expect(errorOf(await redeem(provider, there))).toEqual([
      'invalid_request',
      'client_secret is missing.',
    ]);
    const wrong = await redeem(provider, there, { client_secret: 'wrong' });
    expect([wrong.status, wrong.body['error']]).toEqual([401, 'invalid_client']);
    expect((await redeem(provider, there, secretOf(provider))).status).toBe(200);
    expect(errorOf(await renew(provider, 'any'))).toEqual([
      'invalid_request',
      'client_secret is missing.',
    ]);
  });

  it('gives a refresh token for access_type=offline only, and then at the first consent or with prompt=consent', async () => {
    const provider = await start('google');
    const has = async (wishes: TripWishes): Promise<boolean> =>
      'refresh_token' in (await signIn(provider, wishes));
    expect(await has({ scope: 'openid', login: 'grace' })).toBe(false);
    expect(await has(offline)).toBe(true);
    expect(await has(offline)).toBe(false);
    expect(
      await has({ ...offline, parameters: { access_type: 'offline', prompt: 'consent' } }),
    ).toBe(true);
  });

  it('answers a renewal without a refresh token, and the first one stays good', async () => {
    const provider = await start('google');
    const { refresh_token: first } = await signIn(provider, offline);
    for (let round = 0; round < 2; round += 1) {
      const { body } = await renew(provider, first, secretOf(provider));
      expect([
        typeof body['access_token'],
        'refresh_token' in body,
        claimsOf(body['id_token'])['iss'],
      ]).toEqual(['string', false, provider.issuer]);
    }
  });

  it('says that a revoked refresh token has been expired or revoked, and revokes without a client', async () => {
    const provider = await start('google');
    const { refresh_token: first } = await signIn(provider, offline);
    expect((await post(provider.endpoints.revocation, { token: String(first) })).status).toBe(200);
    const late = await renew(provider, first, secretOf(provider));
    expect([late.status, ...errorOf(late)]).toEqual([
      400,
      'invalid_grant',
      'Token has been expired or revoked.',
    ]);
  });

  it('names itself in callbacks', async () => {
    const provider = await start('google');
    const { answer } = await trip(provider, offline);
    expect([answer.get('iss'), answer.get('authuser')]).toEqual([provider.issuer, '0']);
  });

  it('has no end-session endpoint', async () => {
    const provider = await start('google');
    const { body } = await get(`${provider.issuer}/.well-known/openid-configuration`);
    expect(body).toMatchObject({
      revocation_endpoint: provider.endpoints.revocation,
      authorization_endpoint: provider.endpoints.authorization,
    });
    expect(body).not.toHaveProperty('end_session_endpoint');
    expect((await get(provider.endpoints.endSession)).status).toBe(404);
  });
});

describe('github', () => {
  const wishes: TripWishes = { scope: 'read:user user:email no-such-scope' };
  const json = { accept: 'application/json' };

  it('has the metadata of RFC 8414 and nothing of OpenID Connect', async () => {
    const provider = await start('github');
    expect(provider.issuer).toBe(`${provider.origin}/login/oauth`);
    for (const place of [provider.origin, provider.issuer])
      expect((await get(`${place}/.well-known/openid-configuration`)).status).toBe(404);
    const { body } = await get(
      `${provider.origin}/.well-known/oauth-authorization-server/login/oauth`,
    );
    expect(body).toMatchObject({
      issuer: provider.issuer,
      authorization_endpoint: provider.endpoints.authorization,
      token_endpoint: provider.endpoints.token,
    });
    for (const name of [
      'jwks_uri',
      'userinfo_endpoint',
      'revocation_endpoint',
      'id_token_signing_alg_values_supported',
    ])
      expect(body).not.toHaveProperty(name);
    expect((await trip(provider, wishes)).answer.get('iss')).toBe(provider.issuer);
  });

  it('answers in a form, and in JSON when it is asked for', async () => {
    const provider = await start('github');
    const form = await redeem(provider, await trip(provider, wishes), secretOf(provider));
    expect([
      form.status,
      form.headers.get('content-type'),
      new URLSearchParams(form.text).get('scope'),
    ]).toEqual([200, 'application/x-www-form-urlencoded; charset=utf-8', 'read:user,user:email']);
    const { body } = await redeem(provider, await trip(provider, wishes), secretOf(provider), json);
    expect(body).toEqual({
      access_token: expect.any(String) as unknown,
      scope: 'read:user,user:email',
      token_type: 'bearer',
    });
    expect(
      provider.issued.some(
        ({ kind, value }) =>
          kind === 'access_token' && value === new URLSearchParams(form.text).get('access_token'),
      ),
    ).toBe(true);
  });

  it.each([
    ['a wrong secret', { client_secret: 'wrong' }, 'incorrect_client_credentials'],
    ['no secret', { client_secret: null }, 'incorrect_client_credentials'],
    ['a wrong code', { code: 'wrong' }, 'bad_verification_code'],
    ['a wrong verifier', { code_verifier: 'x'.repeat(43) }, 'bad_verification_code'],
  ])('refuses %s with status 200', async (_what, form, error) => {
    const provider = await start('github');
    const reply = await redeem(
      provider,
      await trip(provider, wishes),
      { ...secretOf(provider), ...form },
      json,
    );
    expect([reply.status, reply.body['error'], typeof reply.body['error_description']]).toEqual([
      200,
      error,
      'string',
    ]);
  });

  it('needs no grant_type, no redirect URI and no PKCE', async () => {
    const provider = await start('github');
    const there = await trip(provider, {
      ...wishes,
      parameters: { code_challenge: null, code_challenge_method: null, response_type: null },
    });
    const form = {
      client_id: provider.clientId,
      code: there.answer.get('code'),
      ...secretOf(provider),
    };
    expect((await post(provider.endpoints.token, form, json)).body).toHaveProperty('access_token');
  });

  it('gives tokens that have no end', async () => {
    const clock = createVirtualClock();
    const provider = await start('github', { clock });
    const token = new URLSearchParams(
      (await redeem(provider, await trip(provider, wishes), secretOf(provider))).text,
    ).get('access_token');
    clock.advanceSeconds(365 * 86_400);
    expect((await get(provider.endpoints.me, token)).status).toBe(200);
  });

  it('tells who it is by /user', async () => {
    const provider = await start('github');
    const { body } = await redeem(
      provider,
      await trip(provider, { scope: 'user:email' }),
      secretOf(provider),
      json,
    );
    expect(provider.endpoints.me).toBe(`${provider.origin}/user`);
    expect((await get(provider.endpoints.me, body['access_token'])).body).toMatchObject({
      login: 'ada',
      id: expect.any(Number) as unknown,
      name: 'Ada Lovelace',
      email: 'ada@example.com',
      type: 'User',
    });
    expect((await get(provider.endpoints.me, 'wrong')).body).toMatchObject({
      message: 'Bad credentials',
    });
  });

  it('sends a wrong redirect URI back to the registered one as an error', async () => {
    const provider = await start('github', { redirectUris: ['http://127.0.0.1/callback'] });
    const { callbackUrl, answer } = await trip(provider, {
      ...wishes,
      redirectUri: 'http://127.0.0.1:9/elsewhere',
    });
    expect([new URL(callbackUrl).pathname, answer.get('error'), answer.get('state')]).toEqual([
      '/callback',
      'redirect_uri_mismatch',
      'the-state',
    ]);
    expect(
      (
        await trip(provider, { ...wishes, redirectUri: 'http://127.0.0.1:9/callback/below' })
      ).answer.has('code'),
    ).toBe(true);
  });
});

describe('device codes', () => {
  const ask = (
    provider: Provider,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Reply> =>
    post(
      provider.endpoints.deviceAuthorization,
      { client_id: provider.clientId, scope: 'openid offline_access' },
      headers,
    );

  it.each(['strict', 'keycloak', 'okta'] as const)('are given out by %s', async (name) => {
    const provider = await start(name);
    const { body } = await get(`${provider.issuer}/.well-known/openid-configuration`);
    expect(body['device_authorization_endpoint']).toBe(provider.endpoints.deviceAuthorization);
    expect((await ask(provider)).body).toMatchObject({
      user_code: expect.any(String) as unknown,
      verification_uri: `${provider.origin}/device`,
    });
  });

  it('are not for desktop clients at google, and unknown to legacy', async () => {
    const refused = await ask(await start('google'));
    expect([refused.status, ...errorOf(refused)]).toEqual([
      401,
      'invalid_client',
      'Invalid client type.',
    ]);
    expect((await ask(await start('legacy'))).status).toBe(404);
  });

  it('need no secret at github, which answers in a form and refuses with status 200', async () => {
    const provider = await start('github');
    const form = new URLSearchParams((await ask(provider)).text);
    const poll = (): Promise<Reply> =>
      post(
        provider.endpoints.token,
        {
          grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
          client_id: provider.clientId,
          device_code: form.get('device_code'),
        },
        { accept: 'application/json' },
      );
    const pending = await poll();
    expect([pending.status, pending.body['error']]).toEqual([200, 'authorization_pending']);
    await createPerson().enterCode(form.get('verification_uri') ?? '', form.get('user_code') ?? '');
    expect((await poll()).body).toMatchObject({
      access_token: expect.any(String) as unknown,
      token_type: 'bearer',
    });
  });
});

describe('keycloak', () => {
  it('is a realm with its endpoints below', async () => {
    const provider = await start('keycloak', { tenant: 'notes' });
    expect(provider.issuer).toBe(`${provider.origin}/realms/notes`);
    const { body } = await get(`${provider.issuer}/.well-known/openid-configuration`);
    expect(body).toMatchObject({
      issuer: provider.issuer,
      authorization_response_iss_parameter_supported: true,
      authorization_endpoint: `${provider.issuer}/protocol/openid-connect/auth`,
      token_endpoint: `${provider.issuer}/protocol/openid-connect/token`,
    });
    expect((await trip(provider)).answer.get('iss')).toBe(provider.issuer);
  });

  it('gives every sign-in a refresh token, which without offline_access ends after 30 idle minutes', async () => {
    const clock = createVirtualClock();
    const provider = await start('keycloak', { clock });
    let { refresh_token: refreshToken } = await signIn(provider, { scope: 'openid' });
    for (let round = 0; round < 3; round += 1) {
      clock.advanceSeconds(29 * 60);
      const { body } = await renew(provider, refreshToken);
      expect(body['refresh_expires_in']).toBe(1_800);
      refreshToken = body['refresh_token'];
    }
    clock.advanceSeconds(31 * 60);
    expect(errorOf(await renew(provider, refreshToken))).toEqual([
      'invalid_grant',
      'Token is not active',
    ]);
  });

  it('ends such a session with the one of the browser, but not one of offline_access', async () => {
    const provider = await start('keycloak');
    const online = await signIn(provider, { scope: 'openid' });
    const offline = await signIn(provider, { scope: 'openid offline_access' });
    provider.expireSessions();
    expect(errorOf(await renew(provider, online['refresh_token']))).toEqual([
      'invalid_grant',
      'Session not active',
    ]);
    const renewed = await renew(provider, offline['refresh_token']);
    expect([renewed.status, renewed.body['refresh_expires_in']]).toEqual([200, 0]);
    expect(errorOf(await renew(provider, 'garbage'))).toEqual([
      'invalid_grant',
      'Invalid refresh token',
    ]);
  });

  it('lets an old refresh token be used again, unless "Revoke Refresh Token" is on', async () => {
    const lenient = await start('keycloak');
    const first = await signIn(lenient);
    await renew(lenient, first['refresh_token']);
    expect((await renew(lenient, first['refresh_token'])).status).toBe(200);
    const revoking = await start('keycloak', { graceSeconds: 0 });
    const second = await signIn(revoking);
    const { body } = await renew(revoking, second['refresh_token']);
    expect(errorOf(await renew(revoking, second['refresh_token']))).toEqual([
      'invalid_grant',
      'Maximum allowed refresh token reuse exceeded',
    ]);
    expect(errorOf(await renew(revoking, body['refresh_token']))).toEqual([
      'invalid_grant',
      'Session not active',
    ]);
  });
});

describe('okta', () => {
  it('is the default authorization server', async () => {
    const provider = await start('okta');
    expect([provider.issuer, provider.endpoints.token]).toEqual([
      `${provider.origin}/oauth2/default`,
      `${provider.origin}/oauth2/default/v1/token`,
    ]);
    expect((await get(`${provider.issuer}/.well-known/openid-configuration`)).body['issuer']).toBe(
      provider.issuer,
    );
  });

  it('lets the previous refresh token come again for 30 seconds; then it ends the family', async () => {
    const clock = createVirtualClock();
    const provider = await start('okta', { clock, redirectUris: [SCHEME] });
    const { refresh_token: first } = await signIn(provider, { redirectUri: SCHEME });
    await renew(provider, first);
    clock.advanceSeconds(28);
    const { status, body } = await renew(provider, first);
    expect(status).toBe(200);
    clock.advanceSeconds(5);
    expect(errorOf(await renew(provider, first))).toEqual([
      'invalid_grant',
      'The refresh token is invalid or expired.',
    ]);
    expect((await renew(provider, body['refresh_token'])).body['error']).toBe('invalid_grant');
  });

  it('ends a refresh token that is not used for seven days', async () => {
    const clock = createVirtualClock();
    const provider = await start('okta', { clock, redirectUris: [SCHEME] });
    const { refresh_token: first } = await signIn(provider, { redirectUri: SCHEME });
    clock.advanceSeconds(6 * 86_400);
    const { body } = await renew(provider, first);
    clock.advanceSeconds(8 * 86_400);
    expect((await renew(provider, body['refresh_token'])).body['error']).toBe('invalid_grant');
  });

  it('compares the port of a loopback address, too', async () => {
    const provider = await start('okta', { redirectUris: ['http://127.0.0.1:8765/callback'] });
    expect(
      (await trip(provider, { redirectUri: 'http://127.0.0.1:8765/callback' })).answer.has('code'),
    ).toBe(true);
    await expect(trip(provider, { redirectUri: 'http://127.0.0.1:8766/callback' })).rejects.toThrow(
      'error page',
    );
  });

  it('signs out only with an id_token_hint', async () => {
    const provider = await start('okta', { redirectUris: [SCHEME] });
    const person = createPerson();
    const { id_token: idToken } = await signIn(provider, { redirectUri: SCHEME, person });
    await expect(person.signOut(provider.endpoints.endSession)).rejects.toThrow('error page');
    const query = new URLSearchParams({
      id_token_hint: String(idToken),
      post_logout_redirect_uri: SCHEME,
    });
    expect(await person.signOut(`${provider.endpoints.endSession}?${query}`)).toBe(SCHEME);
  });
});
