// The personality `entra` against the facts of Microsoft's documents and public threads: every cell
// of the matrix, every code.
import { afterEach, describe, expect, it } from 'vitest';
import { createPerson, createVirtualClock, startProvider } from '../../src/testing/index.js';
import type { Provider, ProviderOptions, RegisteredRedirect } from '../../src/testing/index.js';
import {
  type Form,
  type Reply,
  type Trip,
  claimsOf,
  get,
  post,
  redeem,
  renew,
  trip,
} from './wire-client.js';

const LOCAL = 'http://localhost/callback';
const SCHEME = 'com.example.notes:/callback';
const ORIGIN = { origin: 'http://localhost:3000' };
const running: Provider[] = [];

async function start(options: ProviderOptions = {}): Promise<Provider> {
  const provider = await startProvider({
    personality: 'entra',
    redirectUris: [LOCAL],
    signingAlgorithm: 'ES256',
    ...options,
  });
  running.push(provider);
  return provider;
}

afterEach(async () => {
  await Promise.all(running.splice(0).map((provider) => provider.stop()));
});

const spa = (uri = LOCAL): RegisteredRedirect => ({ uri, platform: 'spa' });
const web = (uri = LOCAL): RegisteredRedirect => ({ uri, platform: 'web' });

/** A trip to the address that is registered. */
const go = (provider: Provider, wishes: Parameters<typeof trip>[1] = {}): Promise<Trip> =>
  trip(provider, { redirectUri: LOCAL, ...wishes });

const codeOf = ({ body }: Reply): unknown =>
  (body['error_codes'] as readonly number[] | undefined)?.[0] ?? body['error'] ?? 'no error';

async function signIn(
  provider: Provider,
  wishes: Parameters<typeof trip>[1] = {},
  form: Form = {},
  headers = {},
): Promise<Reply['body']> {
  const reply = await redeem(provider, await go(provider, wishes), form, headers);
  expect(reply.body).not.toHaveProperty('error');
  return reply.body;
}

describe('the matrix of platform, Origin, PKCE and secret', () => {
  const none: Form = { code_verifier: null };
  const noPkce = { parameters: { code_challenge: null, code_challenge_method: null } };

  it.each([
    ['a SPA without a verifier', [spa()], none, {}, noPkce, 9002325],
    ['a SPA without a verifier, with Origin', [spa()], none, ORIGIN, noPkce, 9002325],
    ['a SPA with a verifier, without Origin', [spa()], {}, {}, {}, 9002327],
    ['a SPA with a verifier and Origin', [spa()], {}, ORIGIN, {}, 'no error'],
    ['native with a verifier, without Origin', [LOCAL], {}, {}, {}, 'no error'],
    ['native without PKCE', [LOCAL], none, {}, noPkce, 'no error'],
    ['native with Origin', [LOCAL], {}, ORIGIN, {}, 9002326],
    ['native with a secret', [LOCAL], { client_secret: 's' }, {}, {}, 700025],
    ['web without a secret', [web()], {}, {}, {}, 7000218],
    ['web with a wrong secret', [web()], { client_secret: 'wrong' }, {}, {}, 7000215],
    ['web with the secret', [web()], { client_secret: 'right' }, {}, {}, 'no error'],
    ['web with the secret and Origin', [web()], { client_secret: 'right' }, ORIGIN, {}, 9002326],
  ])('%s', async (_what, redirectUris, form, headers, wishes, code) => {
    const provider = await start({ redirectUris: redirectUris, clientSecret: 'right' });
    const reply = await redeem(provider, await go(provider, wishes), form, headers);
    expect(codeOf(reply)).toBe(code);
  });

  it('holds for renewals, too', async () => {
    const provider = await start({ redirectUris: [spa()] });
    const { refresh_token: ofSpa } = await signIn(provider, {}, {}, ORIGIN);
    expect(codeOf(await renew(provider, ofSpa))).toBe(9002327);
    expect(codeOf(await renew(provider, ofSpa, {}, ORIGIN))).toBe('no error');
    provider.register({ redirectUris: [LOCAL] });
    const { refresh_token: ofNative } = await signIn(provider);
    expect(codeOf(await renew(provider, ofNative, {}, ORIGIN))).toBe(9002326);
  });

  it('answers a browser that asks before a cross-origin request', async () => {
    const provider = await start({ redirectUris: [spa()] });
    const preflight = await fetch(provider.endpoints.token, {
      method: 'OPTIONS',
      headers: { ...ORIGIN, 'access-control-request-method': 'POST' },
    });
    expect([preflight.status, preflight.headers.get('access-control-allow-origin')]).toEqual([
      204,
      ORIGIN.origin,
    ]);
    const refused = await redeem(provider, await go(provider), { code_verifier: null }, ORIGIN);
    expect(refused.headers.get('access-control-allow-origin')).toBe(ORIGIN.origin);
  });

  it('follows the registration as it is changed: from SPA to "Mobile and desktop applications" the app works', async () => {
    const provider = await start({ redirectUris: [spa()] });
    expect(codeOf(await redeem(provider, await go(provider)))).toBe(9002327);
    provider.register({ redirectUris: [{ uri: LOCAL, platform: 'native' }] });
    expect(codeOf(await redeem(provider, await go(provider)))).toBe('no error');
    expect(provider.redirectUris).toEqual([LOCAL]);
  });

  it('takes one of two localhost addresses that differ in their port only, now this and now that', async () => {
    const provider = await start({ redirectUris: [LOCAL, spa('http://localhost:3000/callback')] });
    const codes = [];
    for (let round = 0; round < 4; round += 1)
      codes.push(codeOf(await redeem(provider, await go(provider))));
    expect(codes).toEqual(['no error', 9002327, 'no error', 9002327]);
    provider.register({ redirectUris: [LOCAL, spa('http://localhost:3000/other-path')] });
    for (let round = 0; round < 3; round += 1)
      expect(codeOf(await redeem(provider, await go(provider)))).toBe('no error');
  });
});

describe('errors', () => {
  it('have the members that Entra sends', async () => {
    const provider = await start({ redirectUris: [spa()] });
    const correlation = '11111111-2222-3333-4444-555555555555';
    const reply = await redeem(
      provider,
      await go(provider),
      { code_verifier: null },
      { 'client-request-id': correlation },
    );
    expect([reply.status, reply.headers.get('content-type')]).toEqual([
      400,
      'application/json; charset=utf-8',
    ]);
    expect(reply.body).toEqual({
      error: 'invalid_request',
      error_description: expect.stringMatching(
        /^AADSTS9002325: Proof Key for Code Exchange is required for cross-origin authorization code redemption\. Trace ID: [\da-f-]{36} Correlation ID: 11111111-2222-3333-4444-555555555555 Timestamp: \d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ$/,
      ) as unknown,
      error_codes: [9002325],
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ$/) as unknown,
      trace_id: expect.stringMatching(/^[\da-f-]{36}$/) as unknown,
      correlation_id: correlation,
      error_uri: 'https://login.microsoftonline.com/error?code=9002325',
    });
  });

  it('54005: a code is redeemed once, and its second use does not end the session', async () => {
    const provider = await start();
    const there = await go(provider);
    const { body } = await redeem(provider, there);
    const again = await redeem(provider, there);
    expect([again.status, codeOf(again), again.body['error']]).toEqual([
      400,
      54005,
      'invalid_grant',
    ]);
    expect(codeOf(await renew(provider, body['refresh_token']))).toBe('no error');
  });

  it.each([
    [
      '501481: a verifier that does not fit',
      { code_verifier: 'x'.repeat(43) },
      501481,
      'invalid_grant',
    ],
    [
      '50148: a verifier that is missing although a challenge came',
      { code_verifier: null },
      50148,
      'invalid_grant',
    ],
    ['9002313: a code that nobody gave out', { code: 'garbage' }, 9002313, 'invalid_grant'],
    [
      '500112: another redirect URI than that of the code',
      { redirect_uri: 'http://localhost/other' },
      500112,
      'invalid_client',
    ],
    [
      '700016: an app that is not registered',
      { client_id: 'somebody-else' },
      700016,
      'unauthorized_client',
    ],
    ['28003: an empty scope', { scope: '' }, 28003, 'invalid_request'],
    ['70011: an unknown scope', { scope: 'openid no.such.scope' }, 70011, 'invalid_scope'],
    [
      '65001: a scope that the person was not asked for',
      { scope: 'User.Read' },
      65001,
      'invalid_grant',
    ],
    [
      '900144: no grant_type, as when JSON is posted',
      { grant_type: null },
      900144,
      'invalid_request',
    ],
  ])('%s', async (_what, form, code, error) => {
    const provider = await start();
    const reply = await redeem(provider, await go(provider), form);
    expect([codeOf(reply), reply.body['error']]).toEqual([code, error]);
  });

  it('70008: a code that is too old', async () => {
    const clock = createVirtualClock();
    const provider = await start({ clock });
    const there = await go(provider);
    clock.advanceSeconds(601);
    expect(codeOf(await redeem(provider, there))).toBe(70008);
  });

  it('50196: the sixteenth renewal within five minutes is a loop, and the next after a while is none', async () => {
    const clock = createVirtualClock();
    const provider = await start({ clock });
    let { refresh_token: refreshToken } = await signIn(provider);
    const renewals = async (count: number): Promise<readonly unknown[]> => {
      const codes = [];
      for (let round = 0; round < count; round += 1) {
        const reply = await renew(provider, refreshToken);
        refreshToken = reply.body['refresh_token'] ?? refreshToken;
        codes.push(codeOf(reply));
      }
      return codes;
    };
    expect(await renewals(16)).toEqual([...new Array<string>(15).fill('no error'), 50196]);
    clock.advanceSeconds(301);
    expect(await renewals(1)).toEqual(['no error']);
  });

  it('700082: a refresh token that nobody used for 90 days; each use restarts the 90 days', async () => {
    const clock = createVirtualClock();
    const provider = await start({ clock });
    const { refresh_token: first } = await signIn(provider);
    clock.advanceSeconds(89 * 86_400);
    const { body } = await renew(provider, first);
    clock.advanceSeconds(89 * 86_400);
    expect(codeOf(await renew(provider, body['refresh_token']))).toBe('no error');
    const late = await renew(provider, first);
    expect([codeOf(late), late.body['error'], late.body['suberror']]).toEqual([
      700082,
      'invalid_grant',
      'bad_token',
    ]);
  });

  it('700084: the refresh tokens of a SPA end 24 hours after the sign-in, used or not', async () => {
    const clock = createVirtualClock();
    const provider = await start({ clock, redirectUris: [spa()] });
    const { refresh_token: first } = await signIn(provider, {}, {}, ORIGIN);
    clock.advanceSeconds(20 * 3_600);
    const { body } = await renew(provider, first, {}, ORIGIN);
    clock.advanceSeconds(4 * 3_600 + 1);
    const late = await renew(provider, body['refresh_token'], {}, ORIGIN);
    expect([codeOf(late), late.body['suberror']]).toEqual([700084, 'bad_token']);
  });

  it('50173: a refresh token that was revoked', async () => {
    const provider = await start();
    const { refresh_token: refreshToken } = await signIn(provider);
    provider.revokeAll();
    const reply = await renew(provider, refreshToken);
    expect([codeOf(reply), reply.body['error'], reply.body['suberror']]).toEqual([
      50173,
      'invalid_grant',
      'bad_token',
    ]);
  });

  it('a renewal gives a new refresh token, and the old one stays good', async () => {
    const provider = await start();
    const { refresh_token: first } = await signIn(provider);
    const { body } = await renew(provider, first);
    expect(body['refresh_token']).not.toBe(first);
    expect(codeOf(await renew(provider, first))).toBe('no error');
    expect(codeOf(await renew(provider, body['refresh_token']))).toBe('no error');
  });
});

describe('in the browser', () => {
  it.each([
    [
      '50011: a redirect URI that is not registered',
      { redirectUri: 'http://localhost/other' },
      'AADSTS50011',
    ],
    [
      '50011: a redirect URI in other letters',
      { redirectUri: 'http://localhost/Callback' },
      'AADSTS50011',
    ],
    ['900971: no redirect URI', { parameters: { redirect_uri: null } }, 'AADSTS900971'],
    [
      '700016: an app that is not registered',
      { parameters: { client_id: 'somebody-else' } },
      'AADSTS700016',
    ],
  ])('%s ends on a page', async (_what, wishes, code) => {
    const provider = await start();
    const url = new URL(provider.endpoints.authorization);
    await expect(go(provider, wishes)).rejects.toThrow('the provider showed an error page');
    const { parameters = {}, redirectUri = LOCAL } = wishes as {
      parameters?: Record<string, string | null>;
      redirectUri?: string;
    };
    const query = {
      client_id: provider.clientId,
      response_type: 'code',
      redirect_uri: redirectUri,
      scope: 'openid',
      ...parameters,
    };
    for (const [name, value] of Object.entries(query))
      if (value !== null) url.searchParams.set(name, value);
    expect((await get(url.href)).text).toContain(code);
  });

  it.each(['deny', 'cancel'] as const)('65004: the person chooses "%s"', async (consent) => {
    const { answer } = await go(await start(), { consent });
    expect(Object.fromEntries(answer)).toMatchObject({
      error: 'access_denied',
      error_subcode: 'cancel',
      state: 'the-state',
      error_description: expect.stringMatching(/^AADSTS65004: .* Trace ID: /) as unknown,
    });
  });

  it('50058: prompt=none and nobody is signed in', async () => {
    const { answer } = await go(await start(), { parameters: { prompt: 'none' } });
    expect([answer.get('error'), answer.get('error_description')]).toEqual([
      'login_required',
      expect.stringMatching(/^AADSTS50058: /),
    ]);
  });

  it('16000: prompt=none and the person must be asked', async () => {
    const provider = await start();
    const person = createPerson();
    await go(provider, { person });
    const { answer } = await go(provider, { person, parameters: { prompt: 'none' } });
    expect([answer.get('error'), answer.get('error_description')]).toEqual([
      'interaction_required',
      expect.stringMatching(/^AADSTS16000: /),
    ]);
  });

  it('70011: an unknown scope is sent back to the app', async () => {
    const { answer } = await go(await start(), { scope: 'openid no.such.scope' });
    expect([answer.get('error'), answer.get('state')]).toEqual(['invalid_scope', 'the-state']);
  });

  it('a custom scheme costs one more page, a loopback address does not', async () => {
    const provider = await start({ redirectUris: [SCHEME, LOCAL] });
    const pages = async (redirectUri: string): Promise<number> => {
      const before = provider.requests.length;
      await go(provider, { redirectUri });
      return provider.requests
        .slice(before)
        .filter(({ path, method }) => path === '/interaction/:uid' && method === 'POST').length;
    };
    expect([await pages(LOCAL), await pages(SCHEME)]).toEqual([2, 3]);
    expect(codeOf(await redeem(provider, await go(provider, { redirectUri: SCHEME })))).toBe(
      'no error',
    );
  });

  it('an address without a path comes back with a slash', async () => {
    const { callbackUrl } = await go(await start({ redirectUris: ['http://localhost'] }), {
      redirectUri: 'http://localhost:7071',
    });
    expect(callbackUrl).toMatch(/^http:\/\/localhost:7071\/\?code=/);
  });

  it('a callback does not name the issuer', async () => {
    const { answer } = await go(await start());
    expect([answer.has('iss'), answer.has('session_state'), answer.get('state')]).toEqual([
      false,
      true,
      'the-state',
    ]);
  });
});

describe('issuer and metadata', () => {
  it('are those of the tenant, without revocation, PKCE and iss', async () => {
    const provider = await start();
    expect(provider.issuer).toBe(`${provider.origin}/aaaabbbb-0000-cccc-1111-dddd2222eeee/v2.0`);
    const { body } = await get(`${provider.issuer}/.well-known/openid-configuration`);
    expect(body).toMatchObject({
      issuer: provider.issuer,
      token_endpoint: provider.endpoints.token,
      authorization_endpoint: provider.endpoints.authorization,
      jwks_uri: provider.endpoints.jwks,
    });
    for (const name of [
      'revocation_endpoint',
      'code_challenge_methods_supported',
      'authorization_response_iss_parameter_supported',
    ])
      expect(body).not.toHaveProperty(name);
    expect((await post(provider.endpoints.revocation, { token: 'any' })).status).toBe(404);
  });

  it('of "common" have a placeholder for the issuer, and tokens the tenant that it became', async () => {
    const provider = await start({ tenant: '99999999-0000-cccc-1111-dddd2222eeee' });
    const { body } = await get(`${provider.origin}/common/v2.0/.well-known/openid-configuration`);
    expect(body).toMatchObject({
      issuer: `${provider.origin}/{tenantid}/v2.0`,
      token_endpoint: `${provider.origin}/common/oauth2/v2.0/token`,
    });
    const there = await go(provider, { authorization: String(body['authorization_endpoint']) });
    const form = {
      grant_type: 'authorization_code',
      client_id: provider.clientId,
      code: there.answer.get('code'),
      redirect_uri: LOCAL,
      code_verifier: there.verifier,
    };
    const tokens = (await post(String(body['token_endpoint']), form)).body;
    expect(claimsOf(tokens['id_token'])).toMatchObject({
      iss: `${provider.origin}/99999999-0000-cccc-1111-dddd2222eeee/v2.0`,
      tid: '99999999-0000-cccc-1111-dddd2222eeee',
      oid: expect.stringMatching(/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/) as unknown,
      ver: '2.0',
      aud: provider.clientId,
      preferred_username: 'ada@example.com',
      nonce: 'the-nonce',
    });
  });

  it('of a tenant that does not exist are refused', async () => {
    const provider = await start();
    expect(
      codeOf(await get(`${provider.origin}/no-such-tenant/v2.0/.well-known/openid-configuration`)),
    ).toBe(90002);
    expect(
      codeOf(
        await post(`${provider.origin}/no-such-tenant/oauth2/v2.0/token`, {
          grant_type: 'refresh_token',
        }),
      ),
    ).toBe(90002);
  });

  it.each([
    [['http://[::1]/callback'], '[::1]'],
    [['http://example.com/callback'], 'localhost and 127.0.0.1 only'],
    [['http://localhost/call$back'], 'none of'],
    [[`http://localhost/${'x'.repeat(256)}`], '256 characters'],
    [[{ uri: SCHEME, platform: 'spa' as const }], 'platform "native" only'],
  ])('a registration that the portal refuses is refused: %j', async (redirectUris, message) => {
    await expect(startProvider({ personality: 'entra', redirectUris })).rejects.toThrow(message);
  });
});

describe('a device code', () => {
  const GRANT = 'urn:ietf:params:oauth:grant-type:device_code';

  const ask = async (
    provider: Provider,
  ): Promise<{ readonly device: Reply['body']; readonly poll: () => Promise<Reply> }> => {
    const metadata = (await get(`${provider.issuer}/.well-known/openid-configuration`)).body;
    const device = (
      await post(String(metadata['device_authorization_endpoint']), {
        client_id: provider.clientId,
        scope: 'openid offline_access',
      })
    ).body;
    return {
      device,
      poll: () =>
        post(provider.endpoints.token, {
          grant_type: GRANT,
          client_id: provider.clientId,
          device_code: String(device['device_code']),
        }),
    };
  };

  it('has a message for people and no complete address, and works when public client flows are allowed', async () => {
    const provider = await start({ publicClientFlows: true });
    const { device, poll } = await ask(provider);
    expect(device).not.toHaveProperty('verification_uri_complete');
    expect(device['message']).toContain(`enter the code ${String(device['user_code'])}`);
    const pending = await poll();
    expect([codeOf(pending), pending.body['error']]).toEqual([70016, 'authorization_pending']);
    expect(
      await createPerson().enterCode(
        String(device['verification_uri']),
        String(device['user_code']),
      ),
    ).toBe('agreed');
    expect((await poll()).body).toHaveProperty('refresh_token');
  });

  it('7000218: is refused while the registration does not allow public client flows', async () => {
    const provider = await start();
    const { poll } = await ask(provider);
    expect(codeOf(await poll())).toBe(7000218);
    provider.register({ publicClientFlows: true });
    expect(codeOf(await poll())).toBe(70016);
  });

  it('that the person declines is authorization_declined, and one that is too old expired_token', async () => {
    const clock = createVirtualClock();
    const provider = await start({ publicClientFlows: true, clock });
    const declined = await ask(provider);
    await createPerson().enterCode(
      String(declined.device['verification_uri']),
      String(declined.device['user_code']),
      { consent: 'deny' },
    );
    expect((await declined.poll()).body['error']).toBe('authorization_declined');
    const old = await ask(provider);
    clock.advanceSeconds(3_600);
    expect((await old.poll()).body['error_codes']).toEqual([70019]);
  });
});

describe('scopes', () => {
  const scopes = ['api://notes/Notes.Read', 'api://files/Files.Read'];
  const scope = `openid offline_access ${scopes.join(' ')}`;

  it('of several resources may be agreed to at once; the code gives a token for the first', async () => {
    const tokens = await signIn(await start({ scopes }), { scope });
    expect(tokens).toMatchObject({
      scope: 'openid api://notes/Notes.Read',
      token_type: 'Bearer',
      ext_expires_in: tokens['expires_in'],
    });
  });

  it('28000: two resources in one token request', async () => {
    const provider = await start({ scopes });
    expect(
      codeOf(await redeem(provider, await go(provider, { scope }), { scope: scopes.join(' ') })),
    ).toBe(28000);
  });

  it('of the other resource are got by the refresh token', async () => {
    const provider = await start({ scopes });
    const { refresh_token: refreshToken } = await signIn(provider, { scope });
    const { body } = await renew(provider, refreshToken, {
      scope: 'api://files/Files.Read offline_access',
    });
    expect(body['scope']).toBe('api://files/Files.Read');
  });
});

describe('a claims challenge', () => {
  const claims = { access_token: { acrs: { essential: true, value: 'c1' } } };

  it('is a 401 with insufficient_claims, and is met by a renewal with the claims', async () => {
    const provider = await start();
    const tokens = await signIn(provider);
    expect((await get(provider.endpoints.api, tokens['access_token'])).status).toBe(200);
    provider.challengeApi({ claims, metBy: 'renewal' });
    const refused = await get(provider.endpoints.api, tokens['access_token']);
    const challenge =
      /error="insufficient_claims", claims="([^"]+)"/.exec(
        refused.headers.get('www-authenticate') ?? '',
      )?.[1] ?? '';
    expect([refused.status, JSON.parse(Buffer.from(challenge, 'base64').toString())]).toEqual([
      401,
      claims,
    ]);
    const renewed = await renew(provider, tokens['refresh_token'], {
      claims: JSON.stringify({
        access_token: { xms_cc: { values: ['cp1'] }, ...claims.access_token },
      }),
    });
    expect((await get(provider.endpoints.api, renewed.body['access_token'])).status).toBe(200);
  });

  it('that needs the person refuses the renewal with interaction_required, and is met by a sign-in with the claims', async () => {
    const provider = await start();
    const { refresh_token: refreshToken } = await signIn(provider);
    provider.challengeApi({ claims, metBy: 'sign-in' });
    const refused = await renew(provider, refreshToken, { claims: JSON.stringify(claims) });
    expect(refused.body).toMatchObject({
      error: 'interaction_required',
      suberror: 'basic_action',
      error_codes: [50076],
      claims: JSON.stringify(claims),
    });
    const tokens = await signIn(provider, { parameters: { claims: JSON.stringify(claims) } });
    expect((await get(provider.endpoints.api, tokens['access_token'])).status).toBe(200);
    const without = await signIn(provider);
    expect((await get(provider.endpoints.api, without['access_token'])).status).toBe(401);
  });
});
