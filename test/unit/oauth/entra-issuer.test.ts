// Entra on the wire: one address for many tenants. Which issuer counts, whose account it is, and
// what is refused.
import { AuthError } from '../../../src/main/core/base/errors.js';
import { describe, expect, it } from 'vitest';
import { createRequestSecrets } from '../../../src/main/core/oauth/request-secrets.js';
import { entra } from '../../../src/providers/index.js';
import { type Wire, createWire } from '../../support/wire.js';

const TENANT = '11111111-2222-3333-4444-555555555555';
const OTHER = '22222222-2222-3333-4444-555555555555';
const CLIENT = '99999999-2222-3333-4444-555555555555';
const LOCAL = 'http://localhost:51234/callback';
const HOST = 'https://login.microsoftonline.com';
const issuerOf = (tenant: string): string => `${HOST}/${tenant}/v2.0`;

/** `published`: what the metadata of the address names as its issuer. */
async function wireOf(tenant: string, published: string): Promise<Wire> {
  const wire = await createWire({
    provider: entra({ tenant }),
    clientId: CLIENT,
    redirects: ['http://localhost/callback'],
  });
  wire.answer(`${HOST}/${tenant}/v2.0/.well-known/openid-configuration`, () =>
    Response.json({
      issuer: published,
      authorization_endpoint: `${HOST}/${tenant}/oauth2/v2.0/authorize`,
      token_endpoint: `${HOST}/${tenant}/oauth2/v2.0/token`,
      jwks_uri: `${HOST}/${tenant}/discovery/v2.0/keys`,
    }),
  );
  wire.answer(`${HOST}/${tenant}/discovery/v2.0/keys`, () => Response.json(wire.keys));
  return wire;
}

async function signIn(
  wire: Wire,
  tenant: string,
  claims: Readonly<Record<string, unknown>>,
  callback: Record<string, string> = {},
) {
  const secrets = createRequestSecrets();
  const idToken = await wire.idToken({
    aud: CLIENT,
    sub: 'pairwise-ada',
    nonce: secrets.nonce,
    name: 'Ada',
    email: 'ada@example.com',
    ...claims,
  });
  wire.answer(`${HOST}/${tenant}/oauth2/v2.0/token`, () =>
    Response.json({
      access_token: 'access',
      token_type: 'Bearer',
      expires_in: 3599,
      refresh_token: 'refresh',
      id_token: idToken,
    }),
  );
  return wire.protocol.redeem(
    new URLSearchParams({ code: 'code', state: secrets.state, ...callback }),
    secrets,
    LOCAL,
  );
}

describe('common and organizations', () => {
  const pattern = issuerOf('{tenantid}');

  it.each(['common', 'organizations'])(
    'of %s: the account is known by the tenant that the ID token names',
    async (tenant) => {
      const { account } = await signIn(await wireOf(tenant, pattern), tenant, {
        tid: TENANT,
        iss: issuerOf(TENANT),
      });
      expect(account).toMatchObject({
        issuer: issuerOf(TENANT),
        subject: 'pairwise-ada',
        name: 'Ada',
      });
    },
  );

  it('give the same person the same account id as the tenant itself does', async () => {
    const many = await signIn(await wireOf('common', pattern), 'common', {
      tid: TENANT,
      iss: issuerOf(TENANT),
    });
    const one = await signIn(await wireOf(TENANT, issuerOf(TENANT)), TENANT, {
      tid: TENANT,
      iss: issuerOf(TENANT),
    });
    const other = await signIn(await wireOf('common', pattern), 'common', {
      tid: OTHER,
      iss: issuerOf(OTHER),
    });
    expect(many.account.id).toBe(one.account.id);
    expect(other.account.id).not.toBe(one.account.id);
  });

  it.each<[string, Readonly<Record<string, unknown>>]>([
    ['of another tenant than it says', { tid: TENANT, iss: issuerOf(OTHER) }],
    ['that names the placeholder itself', { iss: pattern }],
    ['without a tenant', { iss: 'https://evil.example/v2.0' }],
    ['whose tenant is a name', { tid: 'contoso.com', iss: issuerOf('contoso.com') }],
    ['of another host', { tid: TENANT, iss: `https://evil.example/${TENANT}/v2.0` }],
    ['for another client', { tid: TENANT, iss: issuerOf(TENANT), aud: OTHER }],
  ])('refuse an ID token %s', async (_what, claims) => {
    await expect(signIn(await wireOf('common', pattern), 'common', claims)).rejects.toMatchObject({
      code: 'id-token-invalid',
    });
  });

  it('refuse an ID token that is signed with another key', async () => {
    const wire = await wireOf('common', pattern);
    const stranger = await createWire({ issuer: 'https://id.example' });
    wire.answer(`${HOST}/common/discovery/v2.0/keys`, () => Response.json(stranger.keys));
    await expect(
      signIn(wire, 'common', { tid: TENANT, iss: issuerOf(TENANT) }),
    ).rejects.toMatchObject({ code: 'id-token-invalid' });
  });

  it('take a callback that names a tenant, when the ID token is of that one', async () => {
    const wire = await wireOf('common', pattern);
    await expect(
      signIn(wire, 'common', { tid: TENANT, iss: issuerOf(TENANT) }, { iss: issuerOf(TENANT) }),
    ).resolves.toBeDefined();
    await expect(
      signIn(wire, 'common', { tid: OTHER, iss: issuerOf(OTHER) }, { iss: issuerOf(TENANT) }),
    ).rejects.toMatchObject({ code: 'id-token-invalid' });
    await expect(
      signIn(
        wire,
        'common',
        { tid: TENANT, iss: issuerOf(TENANT) },
        { iss: 'https://evil.example' },
      ),
    ).rejects.toMatchObject({ code: 'issuer-mismatch' });
  });

  it('believe no metadata but that with the placeholder', async () => {
    for (const published of [
      issuerOf(TENANT),
      issuerOf('common'),
      'https://evil.example/{tenantid}/v2.0',
      undefined,
    ]) {
      const wire = await wireOf('common', published as string);
      await expect(
        signIn(wire, 'common', { tid: TENANT, iss: issuerOf(TENANT) }),
      ).rejects.toMatchObject({ code: 'issuer-mismatch' });
    }
  });

  it('renew for the same person of the same tenant only', async () => {
    const wire = await wireOf('common', pattern);
    const { account } = await signIn(wire, 'common', { tid: TENANT, iss: issuerOf(TENANT) });
    const renew = async (claims: object): Promise<unknown> => {
      const idToken = await wire.idToken({ aud: CLIENT, sub: 'pairwise-ada', ...claims });
      wire.answer(`${HOST}/common/oauth2/v2.0/token`, () =>
        Response.json({
          access_token: 'access-2',
          token_type: 'Bearer',
          expires_in: 3599,
          refresh_token: 'refresh-2',
          id_token: idToken,
        }),
      );
      return wire.protocol.renew('refresh', 'openid', account);
    };
    await expect(renew({ tid: TENANT, iss: issuerOf(TENANT) })).resolves.toMatchObject({
      tokens: { refreshToken: 'refresh-2' },
      person: 'same',
    });
    await expect(renew({ tid: OTHER, iss: issuerOf(OTHER) })).resolves.toMatchObject({
      tokens: { refreshToken: 'refresh-2' },
      person: 'another',
    });
  });

  it('prove the network fine by the same metadata', async () => {
    expect(
      await (
        await wireOf('common', pattern)
      ).protocol.isOwnWord(new AuthError('sign-in-refused', 'no')),
    ).toBe(true);
    expect(
      await (
        await wireOf('common', 'https://portal.example')
      ).protocol.isOwnWord(new AuthError('sign-in-refused', 'no')),
    ).toBe(false);
  });
});

describe('a domain and consumers', () => {
  it.each([
    ['contoso.onmicrosoft.com', TENANT],
    ['consumers', '9188040d-6c67-4c5b-b112-36a304b66dad'],
  ])(
    '%s: the metadata names the tenant, and ID tokens must be of that one',
    async (tenant, guid) => {
      const { account } = await signIn(await wireOf(tenant, issuerOf(guid)), tenant, {
        tid: guid,
        iss: issuerOf(guid),
      });
      expect(account.issuer).toBe(issuerOf(guid));
      await expect(
        signIn(await wireOf(tenant, issuerOf(guid)), tenant, { tid: OTHER, iss: issuerOf(OTHER) }),
      ).rejects.toMatchObject({ code: 'id-token-invalid' });
      await expect(
        signIn(await wireOf(tenant, issuerOf('{tenantid}')), tenant, {
          tid: guid,
          iss: issuerOf(guid),
        }),
      ).rejects.toMatchObject({ code: 'issuer-mismatch' });
    },
  );
});

describe('a refusal by Entra', () => {
  it('carries number and ids, what was sent, and no text', async () => {
    const wire = await wireOf(TENANT, issuerOf(TENANT));
    const secrets = createRequestSecrets();
    wire.answer(`${HOST}/${TENANT}/oauth2/v2.0/token`, () =>
      Response.json(
        {
          error: 'invalid_request',
          error_description: `AADSTS9002327: Tokens issued for the 'Single-Page Application'… ${secrets.codeVerifier}`,
          error_codes: [9002327],
          timestamp: '2026-11-24 10:00:00Z',
          trace_id: TENANT,
          correlation_id: OTHER,
          error_uri: 'https://login.microsoftonline.com/error?code=9002327',
        },
        { status: 400, headers: { 'www-authenticate': 'Bearer' } },
      ),
    );
    const error: unknown = await wire.protocol
      .redeem(new URLSearchParams({ code: 'code', state: secrets.state }), secrets, LOCAL)
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'sign-in-refused',
      serverError: 'invalid_request',
      message: 'the token endpoint refused the request',
      exchange: { redirectUri: LOCAL, sentVerifier: true, sentSecret: false },
      provider: {
        code: 'AADSTS9002327',
        traceId: TENANT,
        correlationId: OTHER,
        timestamp: '2026-11-24 10:00:00Z',
      },
    });
    expect(JSON.stringify(error)).not.toContain(secrets.codeVerifier);
  });
});
