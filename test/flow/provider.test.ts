// The embedded provider seen by an ordinary client: the trip, rotation, revocation, logout, and
// what it refuses.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as oauth from 'oauth4webapi';
import { afterEach, expect, test, vi } from 'vitest';
import { createPerson, startProvider, subjectOf } from '../../src/testing/index.js';
import type { Provider, ProviderOptions } from '../../src/testing/index.js';
import { discover, errorOf, redeem, renew, revoke, signIn, startTrip } from './provider-client.js';

const running: Provider[] = [];

async function start(options?: ProviderOptions): Promise<Provider> {
  const provider = await startProvider(options);
  running.push(provider);
  return provider;
}

afterEach(async () => {
  await Promise.all(running.splice(0).map((provider) => provider.stop()));
});

const bearer = (token: string): RequestInit => ({ headers: { authorization: `Bearer ${token}` } });

test('a client signs in with code and PKCE, renews with rotation, reads the claims and revokes', async () => {
  const provider = await start();
  const { trip, tokens } = await signIn(provider, { login: 'Ada' });
  const claims = oauth.getValidatedIdTokenClaims(tokens);
  expect(claims).toMatchObject({
    iss: provider.issuer,
    aud: provider.clientId,
    sub: subjectOf('ada'),
    name: 'Ada Lovelace',
  });
  expect(claims?.['at_hash']).toEqual(expect.any(String));
  expect(tokens).toMatchObject({ expires_in: 300, scope: 'openid profile email offline_access' });

  const renewed = await renew(trip, tokens.refresh_token ?? '');
  expect(renewed.refresh_token).not.toBe(tokens.refresh_token);
  expect(oauth.getValidatedIdTokenClaims(renewed)?.sub).toBe(subjectOf('ada'));

  const userinfo = await fetch(provider.endpoints.userinfo, bearer(renewed.access_token));
  expect(await userinfo.json()).toMatchObject({
    sub: subjectOf('ada'),
    name: 'Ada Lovelace',
    email: 'ada@example.com',
  });

  await revoke(trip, renewed.refresh_token ?? '');
  expect(await errorOf(renew(trip, renewed.refresh_token ?? ''))).toBe('invalid_grant');
  expect((await fetch(provider.endpoints.userinfo, bearer(renewed.access_token))).status).toBe(401);
  expect(provider.tokenRequests('authorization_code')).toBe(1);
  expect(provider.tokenRequests('refresh_token')).toBe(2);
});

test('anyone may sign in, under any name and password', async () => {
  const provider = await start({
    people: { lin: { name: 'Lin Chen', picture: 'https://example.com/lin.png' } },
  });
  const claims = async (login: string): Promise<unknown> =>
    oauth.getValidatedIdTokenClaims((await signIn(provider, { login })).tokens);
  expect(await claims('lin')).toMatchObject({
    name: 'Lin Chen',
    email: 'lin@example.com',
    picture: 'https://example.com/lin.png',
  });
  expect(await claims('someone new')).toMatchObject({
    name: 'someone new',
    email: 'someone.new@example.com',
  });
  expect(await claims('<b>&"\'')).toMatchObject({ name: '<b>&"\'' });
});

test('a refresh token that is used twice ends the whole family, but not another sign-in of the same browser', async () => {
  const provider = await start();
  const person = createPerson();
  const first = await signIn(provider, {}, person);
  const second = await signIn(provider, {}, person);
  const renewed = await renew(first.trip, first.tokens.refresh_token ?? '');
  expect(await errorOf(renew(first.trip, first.tokens.refresh_token ?? ''))).toBe('invalid_grant');
  expect(await errorOf(renew(first.trip, renewed.refresh_token ?? ''))).toBe('invalid_grant');
  expect((await fetch(provider.endpoints.userinfo, bearer(renewed.access_token))).status).toBe(401);
  expect((await renew(second.trip, second.tokens.refresh_token ?? '')).refresh_token).toEqual(
    expect.any(String),
  );
});

test('of two renewals with one refresh token at the same time, only one succeeds', async () => {
  const provider = await start();
  const { trip, tokens } = await signIn(provider);
  const both = await Promise.allSettled([1, 2].map(() => renew(trip, tokens.refresh_token ?? '')));
  expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
});

test('a code is redeemed once, and its second use revokes the tokens of the first', async () => {
  const provider = await start();
  const trip = await startTrip(provider);
  const { callbackUrl } = await createPerson().signIn(trip.url);
  const tokens = await redeem(trip, callbackUrl);
  expect(await errorOf(redeem(trip, callbackUrl))).toBe('invalid_grant');
  expect(await errorOf(renew(trip, tokens.refresh_token ?? ''))).toBe('invalid_grant');
});

test('a wrong code verifier is refused', async () => {
  const provider = await start();
  const trip = await startTrip(provider);
  const { callbackUrl } = await createPerson().signIn(trip.url);
  expect(await errorOf(redeem(trip, callbackUrl, oauth.generateRandomCodeVerifier()))).toBe(
    'invalid_grant',
  );
});

test.each([
  ['without PKCE', { code_challenge: '', code_challenge_method: '' }],
  ['with the PKCE method "plain"', { code_challenge_method: 'plain' }],
])('an authorization request %s is refused', async (_title, parameters) => {
  const provider = await start();
  const trip = await startTrip(provider, { parameters });
  const { callbackUrl } = await createPerson().signIn(trip.url);
  const answer = new URL(callbackUrl).searchParams;
  expect([answer.get('error'), answer.get('state'), answer.get('iss')]).toEqual([
    'invalid_request',
    trip.state,
    provider.issuer,
  ]);
});

test('an unregistered redirect URI gets an error page and no redirect', async () => {
  const provider = await start();
  const trip = await startTrip(provider, { redirectUri: 'https://attacker.example/callback' });
  await expect(createPerson().signIn(trip.url)).rejects.toThrow(
    'the provider showed an error page: invalid_redirect_uri',
  );
});

test('the authorization response names the issuer and returns the state', async () => {
  const provider = await start();
  const trip = await startTrip(provider);
  const { callbackUrl } = await createPerson().signIn(trip.url);
  expect(callbackUrl.startsWith('com.example.latchkey-demo:/callback?')).toBe(true);
  const answer = new URL(callbackUrl).searchParams;
  expect([answer.get('iss'), answer.get('state')]).toEqual([provider.issuer, trip.state]);
  expect(trip.server.authorization_response_iss_parameter_supported).toBe(true);
});

test('a loopback redirect works on any port and the person reads the page there', async () => {
  const provider = await start();
  const app = createServer((_request, response) => response.end('back in the app')).listen(
    0,
    '127.0.0.1',
  );
  await new Promise((resolve) => app.once('listening', resolve));
  const redirectUri = `http://127.0.0.1:${(app.address() as AddressInfo).port}/callback`;
  const trip = await startTrip(provider, { redirectUri });
  const { callbackUrl, pageText } = await createPerson().signIn(trip.url, { visit: true });
  expect(pageText).toBe('back in the app');
  expect((await redeem(trip, callbackUrl)).refresh_token).toEqual(expect.any(String));
  app.closeAllConnections();
  await new Promise((resolve) => app.close(resolve));
});

test.each(['deny', 'cancel'] as const)(
  'a person who chooses "%s" is sent back with access_denied',
  async (consent) => {
    const provider = await start();
    const trip = await startTrip(provider);
    const { callbackUrl } = await createPerson().signIn(trip.url, { consent });
    expect(new URL(callbackUrl).searchParams.get('error')).toBe('access_denied');
    expect(new URL(callbackUrl).searchParams.get('state')).toBe(trip.state);
  },
);

test('the browser remembers who signed in until sessions expire', async () => {
  const provider = await start();
  const person = createPerson();
  await signIn(provider, { login: 'grace' }, person);
  const again = await signIn(provider, { login: 'ada' }, person);
  expect(oauth.getValidatedIdTokenClaims(again.tokens)?.sub).toBe(subjectOf('grace'));
  provider.expireSessions();
  const afresh = await signIn(provider, { login: 'ada' }, person);
  expect(oauth.getValidatedIdTokenClaims(afresh.tokens)?.sub).toBe(subjectOf('ada'));
});

test.each(['login', 'select_account'])(
  'prompt=%s lets another person sign in in the same browser',
  async (prompt) => {
    const provider = await start();
    const person = createPerson();
    await signIn(provider, { login: 'grace' }, person);
    const other = await signIn(provider, { login: 'ada', parameters: { prompt } }, person);
    expect(oauth.getValidatedIdTokenClaims(other.tokens)?.sub).toBe(subjectOf('ada'));
    expect(other.tokens.refresh_token).toEqual(expect.any(String));
  },
);

test('prompt=none is answered with an error, because a native app always needs the person', async () => {
  const provider = await start();
  const person = createPerson();
  await signIn(provider, {}, person);
  const trip = await startTrip(provider, { parameters: { prompt: 'none' } });
  const { callbackUrl } = await person.signIn(trip.url);
  expect(new URL(callbackUrl).searchParams.get('error')).toBe('interaction_required');
});

test('a client that does not ask for offline_access gets no refresh token', async () => {
  const provider = await start();
  const { tokens } = await signIn(provider, { scope: 'openid' });
  expect(tokens.refresh_token).toBeUndefined();
});

test('a client without the scope openid gets no ID token and reads its claims at /me', async () => {
  const provider = await start({ scopes: ['notes.read'] });
  const { trip, tokens } = await signIn(provider, { scope: 'profile notes.read offline_access' });
  expect(tokens.id_token).toBeUndefined();
  expect(tokens.scope).toBe('profile notes.read offline_access');
  expect((await fetch(provider.endpoints.userinfo, bearer(tokens.access_token))).status).toBe(403);
  const me = await fetch(provider.endpoints.me, bearer(tokens.access_token));
  expect(await me.json()).toEqual({
    sub: subjectOf('ada'),
    name: 'Ada Lovelace',
    preferred_username: 'ada',
  });
  const renewed = await renew(trip, tokens.refresh_token ?? '');
  await revoke(trip, renewed.access_token);
  expect((await fetch(provider.endpoints.me, bearer(renewed.access_token))).status).toBe(401);
  expect((await fetch(provider.endpoints.me)).headers.get('www-authenticate')).toBe('Bearer');
});

test('discovery can be plain OAuth 2.0, or missing', async () => {
  const plain = await start({ discovery: 'oauth' });
  expect((await fetch(`${plain.issuer}/.well-known/openid-configuration`)).status).toBe(404);
  const metadata = await discover(plain, 'oauth2');
  expect(metadata).toMatchObject({ issuer: plain.issuer, userinfo_endpoint: plain.endpoints.me });
  expect(metadata.jwks_uri).toBeUndefined();
  const silent = await start({ discovery: 'none' });
  expect((await fetch(`${silent.issuer}/.well-known/oauth-authorization-server`)).status).toBe(404);
});

test('a provider that demands pushed authorization requests refuses others and takes pushed ones', async () => {
  const provider = await start({ pushedAuthorizationRequests: 'required' });
  const trip = await startTrip(provider);
  const refused = await createPerson().signIn(trip.url);
  expect(new URL(refused.callbackUrl).searchParams.get('error')).toBe('invalid_request');
  const pushed = await fetch(trip.server.pushed_authorization_request_endpoint ?? '', {
    method: 'POST',
    body: new URL(trip.url).searchParams,
  });
  const { request_uri } = (await pushed.json()) as { readonly request_uri: string };
  const url = `${provider.endpoints.authorization}?${new URLSearchParams({ client_id: provider.clientId, request_uri })}`;
  const { callbackUrl } = await createPerson().signIn(url);
  expect((await redeem(trip, callbackUrl)).refresh_token).toEqual(expect.any(String));
});

test.each(['RS256', 'PS256', 'ES256', 'EdDSA'] as const)(
  'ID tokens can be signed with %s',
  async (signingAlgorithm) => {
    const provider = await start({ signingAlgorithm });
    const server = await discover(provider);
    expect(server.id_token_signing_alg_values_supported).toEqual([signingAlgorithm]);
    const trip = {
      ...(await startTrip(provider)),
      client: { client_id: provider.clientId, id_token_signed_response_alg: signingAlgorithm },
    };
    const { callbackUrl } = await createPerson().signIn(trip.url);
    expect((await redeem(trip, callbackUrl)).id_token).toEqual(expect.any(String));
  },
);

test('rotated keys replace the old one in the JWKS at once, and sessions go on', async () => {
  const provider = await start();
  const { trip, tokens } = await signIn(provider);
  const kids = async (): Promise<unknown> =>
    (
      (await (await fetch(provider.endpoints.jwks)).json()) as {
        readonly keys: readonly { readonly kid: string }[];
      }
    ).keys.map(({ kid }) => kid);
  const before = await kids();
  await provider.rotateKeys();
  const after = await kids();
  expect(after).toHaveLength(1);
  expect(after).not.toEqual(before);
  const renewed = await renew(trip, tokens.refresh_token ?? '');
  const header = JSON.parse(
    Buffer.from(renewed.id_token?.split('.')[0] ?? '', 'base64url').toString(),
  ) as { readonly kid: string };
  expect([header.kid]).toEqual(after);
  expect((await signIn(provider)).tokens.id_token).toEqual(expect.any(String));
});

test('access tokens live as long as was set last', async () => {
  const provider = await start({ accessTokenSeconds: 60 });
  const { trip, tokens } = await signIn(provider);
  expect(tokens.expires_in).toBe(60);
  provider.setAccessTokenSeconds(1);
  const renewed = await renew(trip, tokens.refresh_token ?? '');
  expect(renewed.expires_in).toBe(1);
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  expect((await fetch(provider.endpoints.userinfo, bearer(renewed.access_token))).status).toBe(401);
  expect(() => provider.setAccessTokenSeconds(0)).toThrow(TypeError);
});

test('revokeAccessTokens ends access tokens only, revokeAll ends everything', async () => {
  const provider = await start();
  const { trip, tokens } = await signIn(provider);
  provider.revokeAccessTokens();
  expect((await fetch(provider.endpoints.userinfo, bearer(tokens.access_token))).status).toBe(401);
  const renewed = await renew(trip, tokens.refresh_token ?? '');
  provider.revokeAll();
  expect(await errorOf(renew(trip, renewed.refresh_token ?? ''))).toBe('invalid_grant');
});

test('logout asks the person, ends the browser session and returns to the app', async () => {
  const provider = await start();
  const person = createPerson();
  const { tokens } = await signIn(provider, { login: 'grace' }, person);
  const url = `${provider.endpoints.endSession}?${new URLSearchParams({
    id_token_hint: tokens.id_token ?? '',
    post_logout_redirect_uri: 'com.example.latchkey-demo:/callback',
    state: 'after-logout',
  })}`;
  expect(await person.signOut(url)).toBe('com.example.latchkey-demo:/callback?state=after-logout');
  expect(await person.signOut(provider.endpoints.endSession)).toBeNull();
  const next = await signIn(provider, { login: 'ada' }, person);
  expect(oauth.getValidatedIdTokenClaims(next.tokens)?.sub).toBe(subjectOf('ada'));
});

test('a token or userinfo request with an Origin is refused: a native app sends none', async () => {
  const provider = await start();
  const { tokens } = await signIn(provider);
  const origin = { origin: 'http://localhost:3000' };
  const body = new URLSearchParams({
    grant_type: 'refresh_token',
    client_id: provider.clientId,
    refresh_token: tokens.refresh_token ?? '',
  });
  const renewal = await fetch(provider.endpoints.token, { method: 'POST', headers: origin, body });
  expect([renewal.status, ((await renewal.json()) as { readonly error: string }).error]).toEqual([
    400,
    'invalid_request',
  ]);
  const userinfo = await fetch(provider.endpoints.userinfo, {
    headers: { ...origin, authorization: `Bearer ${tokens.access_token}` },
  });
  expect(userinfo.status).toBe(400);
});

test('two providers in one process know nothing of each other', async () => {
  const [one, two] = await Promise.all([start(), start()]);
  const { tokens } = await signIn(one);
  const other = await startTrip(two);
  expect(await errorOf(renew(other, tokens.refresh_token ?? ''))).toBe('invalid_grant');
  expect((await fetch(two.endpoints.me, bearer(tokens.access_token))).status).toBe(401);
});

test('nothing is written to the console', async () => {
  const spies = (['log', 'info', 'warn', 'error'] as const).map((name) =>
    vi.spyOn(console, name).mockImplementation(() => undefined),
  );
  const provider = await start();
  await signIn(provider);
  for (const spy of spies) {
    expect(spy).not.toHaveBeenCalled();
    spy.mockRestore();
  }
});

test.each([
  [{ port: 70_000 }, 'option "port" must be a port number'],
  [{ redirectUris: [] }, 'option "redirectUris" must name at least one URI'],
  [{ accessTokenSeconds: 0.5 }, '"accessTokenSeconds" must be a whole number of at least 1'],
  [{ colour: 'red' } as ProviderOptions, 'option "colour" is unknown'],
])('wrong options %j are refused by name', async (options, message) => {
  await expect(startProvider(options)).rejects.toThrow(new TypeError(message));
});
