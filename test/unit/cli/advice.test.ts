// Advice: every entry is complete and has a source; which one fits; and what is said when it is
// known what Latchkey has sent.
import { describe, expect, it } from 'vitest';
import type { ProviderErrorView } from '../../../src/contract.js';
import { ADVICE, PROVIDER_TITLES, findAdvice, providerOf } from '../../../src/advice/catalog.js';
import { advise, createAdvise } from '../../../src/advice/decide.js';
import type { AdviceEntry, AdviceFacts, AdviceProvider } from '../../../src/advice/entry.js';

const named = (entry: AdviceEntry): [string, AdviceEntry] => [
  `${entry.provider}/${entry.codes[0]}`,
  entry,
];

describe.each(ADVICE.map(named))('the entry %s', (_name, entry) => {
  it('says what, why and what to do, in whole sentences', () => {
    for (const text of [entry.what, entry.why, ...entry.fix])
      expect(text).toMatch(/^\S.*[.)]$|^\S.*`[.]?$/);
    expect(entry.title).toMatch(/^[A-Z].*[^.]$/);
    expect(entry.fix.length).toBeGreaterThan(0);
    if (entry.tempting !== undefined) {
      expect(entry.tempting.fix).toMatch(/[.]$/);
      expect(entry.tempting.fails).toMatch(/[.]$/);
    }
  });

  it('has links and a source with its date', () => {
    expect(entry.links.length).toBeGreaterThan(0);
    for (const { title, url } of entry.links)
      expect([title !== '', new URL(url).protocol]).toEqual([true, 'https:']);
    expect(new URL(entry.source.url).protocol).toBe('https:');
    expect(entry.source.date).toMatch(/^20\d\d-\d\d(-\d\d)?$/);
  });

  it('is found by each of its codes', () => {
    for (const code of entry.codes) expect(findAdvice(code, entry.provider)).toBe(entry);
  });
});

describe('the catalog', () => {
  it('has no code twice for one provider', () => {
    const keys = ADVICE.flatMap(({ provider, codes }) =>
      codes.map((code) => `${provider} ${code}`),
    );
    expect(keys.filter((key, index) => keys.indexOf(key) !== index)).toEqual([]);
  });

  it('has something for every provider, and a name', () => {
    for (const provider of Object.keys(PROVIDER_TITLES) as AdviceProvider[])
      expect(
        ADVICE.filter((entry) => entry.provider === provider).length,
        provider,
      ).toBeGreaterThan(2);
  });

  it.each([
    'invalid_request',
    'invalid_client',
    'invalid_grant',
    'unauthorized_client',
    'unsupported_grant_type',
    'invalid_scope', // RFC 6749 §5.2
    'access_denied',
    'unsupported_response_type',
    'server_error',
    'temporarily_unavailable', // RFC 6749 §4.1.2.1
    'interaction_required',
    'login_required',
    'account_selection_required',
    'consent_required',
    'invalid_request_uri',
    'invalid_request_object',
    'request_not_supported',
    'request_uri_not_supported',
    'registration_not_supported', // OpenID Connect Core §3.1.2.6
    'authorization_pending',
    'slow_down',
    'expired_token', // RFC 8628 §3.5
    'unsupported_token_type', // RFC 7009 §2.2.1
    'invalid_target', // RFC 8707 §2
  ])('knows the word %s of the standards', (word) => {
    expect(findAdvice(word)?.provider).toBe('oauth');
  });

  it.each([
    9002325, 9002327, 9002326, 7000218, 50011, 500111, 900971, 700025, 501481, 50147, 501491,
    501461, 54005, 70008, 70000, 50089, 700082, 50173, 70043, 700084, 50132, 50133, 700005, 700016,
    90002, 50194, 9002332, 500208, 50020, 9001023, 65001, 65004, 90094, 90095, 650052, 650056,
    650057, 50074, 50076, 50079, 50078, 50158, 53000, 53001, 53002, 53003, 530032, 50058, 16000,
    90013, 9002313, 900144, 90014, 90023, 28003, 70011, 700022, 50196, 90006, 90012, 90024, 90033,
    50087, 50199,
  ])('knows AADSTS%i', (number) => {
    expect(findAdvice(`AADSTS${number}`)?.provider).toBe('entra');
  });

  it('prefers what a provider means by a word, and else says what the standard means', () => {
    expect(findAdvice('invalid_grant', 'google')?.provider).toBe('google');
    expect(findAdvice('invalid_grant', 'entra')?.provider).toBe('oauth');
    expect(findAdvice('invalid_grant')?.provider).toBe('oauth');
    expect(findAdvice('incorrect_client_credentials')?.provider).toBe('github');
    expect(findAdvice('redirect_uri_mismatch'), 'three providers have it').toBeNull();
    expect(findAdvice('no_such_word')).toBeNull();
  });
});

describe('providerOf', () => {
  it.each<[string, AdviceProvider | undefined]>([
    ['https://login.microsoftonline.com/common/v2.0', 'entra'],
    ['https://notes.ciamlogin.com/x/v2.0', 'entra'],
    ['https://accounts.google.com', 'google'],
    ['https://github.com/login/oauth', 'github'],
    ['https://notes.eu.auth0.com/', 'auth0'],
    ['https://notes.okta.com/oauth2/default', 'okta'],
    ['https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbC', 'cognito'],
    ['https://id.example.com/realms/notes', 'keycloak'],
    ['https://id.example.com/auth/realms/notes', 'keycloak'],
    ['https://id.example.com', undefined],
    ['https://evil-okta.com', undefined],
    ['https://okta.com.evil.example', undefined],
    ['not a url', undefined],
  ])('of %s is %s', (url, expected) => {
    expect(providerOf(url)).toBe(expected);
  });
});

describe('advise', () => {
  it('goes by the most exact word that is known: number, suberror, error', () => {
    const provider: ProviderErrorView = { code: 'AADSTS50173', suberror: 'bad_token' };
    expect(advise({ serverError: 'invalid_grant', provider })?.code).toBe('AADSTS50173');
    expect(
      advise(
        { serverError: 'invalid_grant', provider: { suberror: 'bad_token' } },
        { provider: 'entra' },
      )?.code,
    ).toBe('bad_token');
    expect(advise({ serverError: 'invalid_grant' })?.code).toBe('invalid_grant');
  });

  it("leads to Microsoft's page for a number that is not known, beside what the word means", () => {
    const advice = advise({ serverError: 'invalid_grant', provider: { code: 'AADSTS1234567' } });
    expect(advice?.code).toBe('invalid_grant');
    expect(advice?.links[0]?.url).toBe('https://login.microsoftonline.com/error?code=1234567');
  });

  it('says nothing about what it does not know', () => {
    expect(advise({})).toBeNull();
    expect(advise({ serverError: 'odd_word', provider: { correlationId: 'x' } })).toBeNull();
  });

  it("knows Okta's codes by their form", () => {
    expect(advise({ provider: { code: 'E0000022' } })?.title).toContain('does not exist');
  });
});

type Decision = readonly [number, AdviceFacts, { readonly says: RegExp; readonly not?: RegExp }];
const PORTED = 'http://localhost:51234/callback';
const SCHEME = 'com.example.notes:/callback';

describe('what is said when it is known what was sent', () => {
  it.each<Decision>([
    [
      9002327,
      { sentOrigin: false, sentVerifier: true, sentSecret: false, redirectUri: PORTED },
      {
        says: /Latchkey sent a code verifier and no `Origin`.*`http:\/\/localhost\/callback` stands under "Single-page application".*Mobile and desktop.*picks one of the URIs.*at random/s,
        not: /51234/,
      },
    ],
    [
      9002327,
      { sentOrigin: false, redirectUri: SCHEME },
      {
        says: /custom scheme cannot stand under "Single-page application".*clientId/s,
        not: /at random/,
      },
    ],
    [
      9002327,
      { sentOrigin: false },
      {
        says: /The redirect URI stands under "Single-page application"/,
        not: /at random|custom scheme cannot/,
      },
    ],
    [
      9002327,
      {},
      {
        says: /Remove the redirect URI of this app from "Single-page application"/,
        not: /Latchkey sent/,
      },
    ],
    [
      9002325,
      { sentVerifier: true, redirectUri: PORTED },
      {
        says: /is registered under "Single-page application".*Latchkey sent a code verifier.*something on the way has changed.*proxy/s,
      },
    ],
    [
      9002325,
      { sentVerifier: false, redirectUri: PORTED },
      { says: /at random/, not: /something on the way/ },
    ],
    [
      9002325,
      {},
      {
        says: /"Mobile and desktop applications".*Redeem the code in the main process/s,
        not: /something on the way/,
      },
    ],
    [
      9002326,
      { sentOrigin: false },
      {
        says: /Somebody between here and Entra has added one.*Leave the registration as it is.*every session/s,
      },
    ],
    [
      9002326,
      {},
      {
        says: /Leave the registration as it is.*Redeem the code in the main process/s,
        not: /Somebody between/,
      },
    ],
    [
      7000218,
      { sentSecret: false, redirectUri: PORTED },
      {
        says: /sent no secret.*`http:\/\/localhost\/callback` stands under "Web".*Mobile and desktop.*at random/s,
        not: /51234/,
      },
    ],
    [
      7000218,
      { sentSecret: false, redirectUri: SCHEME },
      {
        says: /custom scheme cannot be registered under "Web".*Check that `clientId`/s,
        not: /at random/,
      },
    ],
    [
      7000218,
      { sentSecret: false },
      { says: /a renewal or a device code.*"Allow public client flows" to Yes/s, not: /at random/ },
    ],
    [
      7000218,
      { sentSecret: true, redirectUri: PORTED },
      { says: /A secret was sent.*remove the option `clientSecret`/s },
    ],
    [7000218, {}, { says: /Remove the redirect URI of this app from "Web"/, not: /Latchkey sent/ }],
  ])('AADSTS%i with %j', (number, facts, { says, not }) => {
    const advice = advise(
      { serverError: 'invalid_request', provider: { code: `AADSTS${number}` } },
      facts,
    );
    const text = [advice?.why, ...(advice?.fix ?? [])].join('\n');
    expect(text).toMatch(says);
    if (not !== undefined) expect(text).not.toMatch(not);
  });

  it.each([9002325, 9002327])(
    'never recommends for AADSTS%i what the popular answers do',
    (number) => {
      const advice = advise({ provider: { code: `AADSTS${number}` } });
      expect(advice?.fix.join('\n')).toContain('Mobile and desktop applications');
      expect(advice?.fix.join('\n')).not.toMatch(/add (?:a|the) secret|set `?Origin/i);
      expect(advice?.tempting?.fails).not.toBe('');
    },
  );
});

describe('createAdvise', () => {
  const exchange = { redirectUri: PORTED, sentVerifier: true, sentSecret: false };

  it('knows the provider by the preset, else by the issuer', () => {
    const word = { serverError: 'invalid_grant' };
    expect(
      createAdvise({ issuer: 'https://id.example.com', preset: 'google' })(word)?.why,
    ).toContain('Testing');
    expect(
      createAdvise({ issuer: 'https://accounts.google.com', preset: null })(word)?.why,
    ).toContain('Testing');
    expect(
      createAdvise({ issuer: 'https://accounts.google.com', preset: 'oidc' })(word)?.why,
    ).toContain('Testing');
    expect(
      createAdvise({ issuer: 'https://id.example.com', preset: null })(word)?.why,
    ).not.toContain('Testing');
  });

  it('speaks of what Latchkey has sent only where there was an exchange', () => {
    const advice = createAdvise({
      issuer: 'https://login.microsoftonline.com/common/v2.0',
      preset: 'entra',
    });
    expect(advice({ provider: { code: 'AADSTS9002327' }, exchange })?.why).toContain(
      '`http://localhost/callback`',
    );
    expect(advice({ provider: { code: 'AADSTS9002327' } })?.why).not.toContain('Latchkey sent');
  });
});
