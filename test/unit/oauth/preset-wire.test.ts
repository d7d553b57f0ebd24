// What the presets change on the wire: parameters, client authentication, who signed in, and errors
// with odd status.
import { describe, expect, it } from 'vitest';
import type { AuthorizationRequest } from '../../../src/main/core/oauth/authorization-request.js';
import { createRequestSecrets } from '../../../src/main/core/oauth/request-secrets.js';
import type { GivenOptions } from '../../../src/main/core/options/auth-options.js';
import { cognito, entra, github, google, oidc } from '../../../src/providers/index.js';
import { type Wire, createWire } from '../../support/wire.js';

const LOOPBACK = 'http://127.0.0.1:51234/callback';
const TOKENS = { access_token: 'access', token_type: 'bearer' };

async function authorization(wire: Wire, request = {}): Promise<URLSearchParams> {
  return new URL(await wire.protocol.authorizationUrl(createRequestSecrets(), LOOPBACK, request))
    .searchParams;
}

async function redeem(wire: Wire, callback: Record<string, string> = {}) {
  const secrets = createRequestSecrets();
  return wire.protocol.redeem(
    new URLSearchParams({ code: 'code', state: secrets.state, ...callback }),
    secrets,
    LOOPBACK,
  );
}

const tokenRequest = (wire: Wire) =>
  wire.requests.find(({ url }) => url.includes('token') && !url.includes('well-known'))!;

describe('resources', () => {
  it('are named in the authorization request, and one of them in the request for its token (RFC 8707 §2)', async () => {
    const resources = ['https://mail.example/', 'urn:example:files'];
    // What stands in the endpoint's own address may not come a second time.
    const made = await createWire({
      issuer: 'https://id.example',
      endpoints: {
        authorization: 'https://id.example/a?resource=urn:other&client_id=other&kept=1',
        token: 'https://id.example/token',
      },
      scopes: ['x'],
      resources,
    });
    made.answer('https://id.example/token', () =>
      Response.json({ ...TOKENS, refresh_token: 'next' }),
    );
    const asked = await authorization(made);
    expect([asked.getAll('resource'), asked.getAll('client_id'), asked.get('kept')]).toEqual([
      resources,
      ['me'],
      '1',
    ]);
    const ada = { id: 'x', issuer: 'https://id.example', subject: '1' };
    await made.protocol.renew('refresh', 'x', ada, {
      key: 'k',
      resource: resources[1] ?? null,
      scope: 'y',
    });
    await made.protocol.renew('refresh', 'x', ada);
    expect(made.requests.map(({ form }) => Object.fromEntries(form))).toMatchObject([
      { resource: 'urn:example:files', scope: 'y' },
      { grant_type: 'refresh_token' },
    ]);
    expect([...(made.requests[1]?.form.keys() ?? [])].sort()).toEqual([
      'client_id',
      'grant_type',
      'refresh_token',
    ]);
  });
});

describe('GitHub', () => {
  const options: Partial<GivenOptions> = {
    provider: github(),
    clientSecret: 'not-so-secret',
    redirects: ['http://127.0.0.1/callback'],
  };
  async function wire(): Promise<Wire> {
    const made = await createWire(options);
    made.answer('https://github.com/login/oauth/access_token', () =>
      Response.json({ ...TOKENS, scope: 'read:user,gist' }),
    );
    made.answer('https://api.github.com/user', () =>
      Response.json({
        id: 583231,
        login: 'octocat',
        name: 'The Octocat',
        email: null,
        avatar_url: 'https://avatars.githubusercontent.com/u/583231',
      }),
    );
    return made;
  }

  it('is asked for a code with PKCE, the account by "login", and no word of OpenID', async () => {
    const sent = await authorization(await wire(), { loginHint: 'octocat' });
    expect(Object.fromEntries(sent)).toMatchObject({
      scope: 'read:user',
      login: 'octocat',
      code_challenge_method: 'S256',
    });
    for (const name of ['nonce', 'prompt', 'login_hint']) expect(sent.has(name), name).toBe(false);
  });

  it('gets code, verifier and secret in a form, and is asked for JSON', async () => {
    const made = await wire();
    await redeem(made);
    const { form, init } = tokenRequest(made);
    expect([...form.keys()].sort()).toEqual([
      'client_id',
      'client_secret',
      'code',
      'code_verifier',
      'grant_type',
      'redirect_uri',
    ]);
    expect(form.get('client_secret')).toBe('not-so-secret');
    expect(
      Object.fromEntries(
        Object.entries(init.headers).map(([name, value]) => [name.toLowerCase(), value]),
      ),
    ).toMatchObject({ accept: 'application/json' });
  });

  it('tells by its API who signed in, and gives a token without end', async () => {
    const { account, tokens } = await redeem(await wire());
    expect(account).toMatchObject({
      issuer: 'https://github.com/login/oauth',
      subject: '583231',
      username: 'octocat',
      name: 'The Octocat',
    });
    expect([tokens.refreshToken, tokens.expiresAt]).toEqual([null, null]);
  });

  it('names its issuer in callbacks, and that one only is believed', async () => {
    await expect(
      redeem(await wire(), { iss: 'https://github.com/login/oauth' }),
    ).resolves.toBeDefined();
    await expect(redeem(await wire(), { iss: 'https://github.com' })).rejects.toMatchObject({
      code: 'issuer-mismatch',
    });
  });

  it('refuses with status 200, which is a refusal all the same', async () => {
    const made = await wire();
    made.answer('https://github.com/login/oauth/access_token', () =>
      Response.json({
        error: 'bad_verification_code',
        error_description: 'The code passed is incorrect or expired.',
      }),
    );
    await expect(redeem(made)).rejects.toMatchObject({
      code: 'sign-in-refused',
      serverError: 'bad_verification_code',
      exchange: { redirectUri: LOOPBACK, sentVerifier: true, sentSecret: true },
    });
  });

  it('ends a session by its own word for a refresh token that is over', async () => {
    const made = await wire();
    made.answer('https://github.com/login/oauth/access_token', () =>
      Response.json({ error: 'bad_refresh_token' }),
    );
    await expect(
      made.protocol.renew('refresh', '', {
        id: 'x',
        issuer: 'https://github.com/login/oauth',
        subject: '1',
      }),
    ).rejects.toMatchObject({ code: 'session-ended', serverError: 'bad_refresh_token' });
  });

  it('is the only one whose word that is', async () => {
    const made = await createWire({
      issuer: 'https://id.example',
      endpoints: { authorization: 'https://id.example/a', token: 'https://id.example/token' },
      scopes: ['x'],
    });
    made.answer('https://id.example/token', () =>
      Response.json({ error: 'bad_refresh_token' }, { status: 400 }),
    );
    await expect(
      made.protocol.renew('refresh', '', { id: 'x', issuer: 'https://id.example', subject: '1' }),
    ).rejects.toMatchObject({ code: 'sign-in-refused' });
  });

  it('has nothing to revoke at', async () => {
    const made = await wire();
    await made.protocol.revoke('token');
    expect(made.requests).toEqual([]);
  });
});

describe('Google', () => {
  const options: Partial<GivenOptions> = {
    provider: google(),
    clientId: '1-a.apps.googleusercontent.com',
    clientSecret: 'not-so-secret',
    redirects: ['http://127.0.0.1/callback'],
  };
  async function wire(changed: Partial<GivenOptions> = {}): Promise<Wire> {
    const made = await createWire({ ...options, ...changed });
    made.answer('https://accounts.google.com/.well-known/openid-configuration', () =>
      Response.json({
        issuer: 'https://accounts.google.com',
        authorization_endpoint: 'https://accounts.google.com/o/oauth2/v2/auth',
        token_endpoint: 'https://oauth2.googleapis.com/token',
        jwks_uri: 'https://www.googleapis.com/oauth2/v3/certs',
        token_endpoint_auth_methods_supported: ['client_secret_basic'],
      }),
    );
    return made;
  }

  it('is asked for a refresh token by parameter and consent, and not by a scope', async () => {
    expect(Object.fromEntries(await authorization(await wire()))).toMatchObject({
      scope: 'openid profile email',
      access_type: 'offline',
      prompt: 'consent',
    });
  });

  it("gets the host's own prompt and access type instead", async () => {
    const sent = await authorization(
      await wire({ authorizationParameters: { prompt: 'select_account', access_type: 'online' } }),
    );
    expect([sent.get('prompt'), sent.get('access_type')]).toEqual(['select_account', 'online']);
  });

  it('gets both prompts when a page asks for one', async () => {
    expect((await authorization(await wire(), { prompt: 'select_account' })).get('prompt')).toBe(
      'select_account consent',
    );
  });

  it('gets the secret in the form, at the code and at the renewal, and keeps no new refresh token from us', async () => {
    const made = await wire();
    made.answer('https://oauth2.googleapis.com/token', () =>
      Response.json({ ...TOKENS, expires_in: 3599 }),
    );
    const { tokens } = await made.protocol.renew('kept', 'openid', {
      id: 'x',
      issuer: 'https://accounts.google.com',
      subject: '1',
    });
    expect(tokens.refreshToken).toBe('kept');
    const { form, init } = tokenRequest(made);
    expect([form.get('client_secret'), 'authorization' in init.headers]).toEqual([
      'not-so-secret',
      false,
    ]);
  });
});

describe('Amazon Cognito', () => {
  it('gets a secret by Basic, and none where there is none', async () => {
    const preset = cognito({
      region: 'eu-central-1',
      userPoolId: 'eu-central-1_AbC',
      domain: 'notes',
    });
    for (const clientSecret of ['s3cret', undefined]) {
      const made = await createWire({
        provider: preset,
        ...(clientSecret === undefined ? {} : { clientSecret }),
      });
      made.answer('https://notes.auth.eu-central-1.amazoncognito.com/oauth2/token', () =>
        Response.json({ ...TOKENS, expires_in: 3600 }),
      );
      await made.protocol.renew('refresh', 'openid', {
        id: 'x',
        issuer: preset.issuer,
        subject: '1',
      });
      const { form, init } = tokenRequest(made);
      expect([init.headers['authorization'] ?? null, form.has('client_secret')]).toEqual([
        clientSecret === undefined ? null : `Basic ${btoa('me:s3cret')}`,
        false,
      ]);
    }
  });
});

describe('a client secret without a preset', () => {
  it.each<[readonly string[] | undefined, boolean]>([
    [['client_secret_post'], true],
    [['client_secret_basic', 'client_secret_post'], true],
    [['client_secret_basic'], false],
    [undefined, false],
  ])('goes as the metadata says: %j → in the form: %s', async (methods, isPosted) => {
    const made = await createWire({
      provider: oidc({ issuer: 'https://id.example' }),
      clientSecret: 's3cret',
    });
    made.answer('https://id.example/.well-known/openid-configuration', () =>
      Response.json({
        issuer: 'https://id.example',
        authorization_endpoint: 'https://id.example/a',
        token_endpoint: 'https://id.example/token',
        revocation_endpoint: 'https://id.example/revoke',
        jwks_uri: 'https://id.example/k',
        token_endpoint_auth_methods_supported: methods,
      }),
    );
    made.answer('https://id.example/token', () => Response.json({ ...TOKENS, expires_in: 300 }));
    made.answer('https://id.example/revoke', () => new Response(null, { status: 200 }));
    await made.protocol.renew('refresh', 'openid', {
      id: 'x',
      issuer: 'https://id.example',
      subject: '1',
    });
    await made.protocol.revoke('refresh');
    for (const { form, init } of made.requests.filter(({ url }) => /token|revoke/.test(url)))
      expect([form.has('client_secret'), 'authorization' in init.headers]).toEqual([
        isPosted,
        !isPosted,
      ]);
  });
});

describe('prompt=consent', () => {
  it.each<[string, Partial<GivenOptions>, string | null]>([
    [
      'is sent with offline_access where nothing is known of the provider',
      { provider: oidc({ issuer: 'https://id.example' }) },
      'consent',
    ],
    [
      'is not sent to Entra, where it shows a page too many',
      {
        provider: entra({ tenant: '11111111-2222-3333-4444-555555555555' }),
        clientId: '99999999-2222-3333-4444-555555555555',
      },
      null,
    ],
    [
      'is sent to Entra when the host says so',
      {
        provider: entra({ tenant: '11111111-2222-3333-4444-555555555555' }),
        clientId: '99999999-2222-3333-4444-555555555555',
        authorizationParameters: { prompt: 'consent' },
      },
      'consent',
    ],
  ])('%s', async (_what, options, expected) => {
    const made = await createWire(options);
    const { issuer } = options.provider!;
    made.answer(issuer, () =>
      Response.json({
        issuer,
        authorization_endpoint: `${issuer}/a`,
        token_endpoint: `${issuer}/token`,
        jwks_uri: `${issuer}/k`,
      }),
    );
    expect((await authorization(made)).get('prompt')).toBe(expected);
  });
});

describe('prompt=select_account', () => {
  const ENTRA = {
    provider: entra({ tenant: '11111111-2222-3333-4444-555555555555' }),
    clientId: '99999999-2222-3333-4444-555555555555',
  };
  const GOOGLE = { provider: google(), clientSecret: 'not-so-secret', redirects: [LOOPBACK] };
  const OTHER = { provider: oidc({ issuer: 'https://id.example' }) };
  const CHOOSES = ['login', 'select_account'];

  it.each<[string, Partial<GivenOptions>, AuthorizationRequest, readonly unknown[], string | null]>(
    [
      ['is sent to Entra', ENTRA, { afterSignOut: true }, [], 'select_account'],
      ['is sent to Google', GOOGLE, { afterSignOut: true }, [], 'select_account consent'],
      [
        'is sent to a provider that announces it',
        OTHER,
        { afterSignOut: true },
        CHOOSES,
        'select_account consent',
      ],
      ['is not sent where nobody has signed out', ENTRA, { afterSignOut: false }, CHOOSES, null],
      ['is not sent where it is not known', OTHER, { afterSignOut: true }, ['login'], 'consent'],
      ['is not sent for odd metadata', OTHER, { afterSignOut: true }, [7, null], 'consent'],
      [
        'gives way to the prompt of the caller',
        ENTRA,
        { afterSignOut: true, prompt: 'login' },
        CHOOSES,
        'login',
      ],
      [
        'gives way to the option of the host, also to one that sends none',
        { ...ENTRA, authorizationParameters: { prompt: '' } },
        { afterSignOut: true },
        CHOOSES,
        null,
      ],
    ],
  )('%s after a sign-out', async (_what, options, request, prompts, expected) => {
    const made = await createWire(options);
    const { issuer } = options.provider!;
    made.answer(issuer, () =>
      Response.json({
        issuer,
        authorization_endpoint: `${issuer}/a`,
        token_endpoint: `${issuer}/token`,
        jwks_uri: `${issuer}/k`,
        prompt_values_supported: prompts,
      }),
    );
    expect((await authorization(made, request)).get('prompt')).toBe(expected);
  });
});

describe('the parameter claims', () => {
  const CP1 = { access_token: { xms_cc: { values: ['cp1'] } } };
  const ENTRA = {
    provider: entra({ tenant: '11111111-2222-3333-4444-555555555555' }),
    clientId: '99999999-2222-3333-4444-555555555555',
    scopes: ['x'],
  };
  const OTHER = { provider: oidc({ issuer: 'https://id.example' }), scopes: ['x'] };
  const ACRS = { access_token: { acrs: { essential: true, value: 'c1' } } };
  const BOTH = { access_token: { ...CP1.access_token, ...ACRS.access_token } };
  const ada = { id: 'x', issuer: 'https://id.example', subject: '1' };

  /** What a sign-in that asks so, a renewal, and a renewal for a target with claims send. */
  async function sent(
    options: Partial<GivenOptions>,
    demand: AuthorizationRequest,
  ): Promise<readonly unknown[]> {
    const made = await createWire(options);
    const { issuer } = options.provider!;
    made.answer(issuer, ({ url }) =>
      url.endsWith('/token')
        ? Response.json({ ...TOKENS, refresh_token: 'next' })
        : Response.json({
            issuer,
            authorization_endpoint: `${issuer}/a`,
            token_endpoint: `${issuer}/token`,
          }),
    );
    const secrets = createRequestSecrets();
    const url = await made.protocol.authorizationUrl(secrets, LOOPBACK, demand);
    const callback = new URLSearchParams({ code: 'code', state: secrets.state });
    await made.protocol.redeem(callback, secrets, LOOPBACK, 'id', Date.now(), demand);
    await made.protocol.renew('refresh', 'x', ada);
    const target = { key: 'k', resource: null, scope: null, claims: ACRS };
    await made.protocol.renew('refresh', 'x', ada, target);
    await made.protocol.renewLegacy('refresh', 'x');
    const forms = made.requests.filter(({ url: to }) => to.endsWith('/token'));
    return [new URL(url).searchParams, ...forms.map(({ form }) => form)].map(
      (parameters): unknown => JSON.parse(parameters.get('claims') ?? 'null'),
    );
  }

  it('announces cp1 to Entra in every request, with what else is asked for', async () => {
    expect(await sent(ENTRA, {})).toEqual([CP1, CP1, CP1, BOTH, CP1]);
    expect(await sent(ENTRA, { claims: ACRS })).toEqual([BOTH, BOTH, CP1, BOTH, CP1]);
  });

  it('keeps the claims of the option beside those of the sign-in and of the preset', async () => {
    const claims = JSON.stringify({ id_token: { email: null }, access_token: { ipaddr: null } });
    const authorizationParameters = { claims };
    const [asked] = await sent({ ...ENTRA, authorizationParameters }, { claims: ACRS });
    expect(asked).toEqual({
      id_token: { email: null },
      access_token: { ...BOTH.access_token, ipaddr: null },
    });
  });

  it('is sent to another provider only where somebody asks for claims', async () => {
    expect(await sent(OTHER, {})).toEqual([null, null, null, ACRS, null]);
    expect(await sent(OTHER, { claims: ACRS })).toEqual([ACRS, null, null, ACRS, null]);
  });
});
