// The options "issuer" and "provider": exactly one, and what a preset decides comes before the
// defaults and after the host.
import { describe, expect, it } from 'vitest';
import { AuthError } from '../../../src/main/core/base/errors.js';
import { parseOptions } from '../../../src/main/core/options/options.js';
import { google, oidc } from '../../../src/providers/index.js';

const OIDC = oidc({ issuer: 'https://id.example.com' });
const BASE = { clientId: 'notes-desktop', redirects: ['http://127.0.0.1/callback'] };

function refusal(options: object): string {
  try {
    parseOptions({ ...BASE, ...options });
  } catch (error) {
    if (error instanceof AuthError && error.code === 'invalid-options') return error.message;
    throw error;
  }
  throw new Error('the options were accepted');
}

describe('exactly one of issuer and provider', () => {
  it.each<[string, object, RegExp]>([
    ['neither', {}, /option "issuer" must be a text/],
    [
      'both',
      { issuer: 'https://id.example.com', provider: OIDC },
      /option "issuer" must be left out when "provider" is given/,
    ],
    [
      'endpoints beside a provider',
      {
        provider: OIDC,
        endpoints: { authorization: 'https://id.example.com/a', token: 'https://id.example.com/t' },
      },
      /option "endpoints" must be left out when "provider" is given/,
    ],
    ['a name instead of a preset', { provider: 'google' }, /option "provider" must be an object/],
    [
      'the function instead of what it makes',
      { provider: google },
      /option "provider" must be an object/,
    ],
    [
      'an object that is no preset',
      { provider: { name: 'x' } },
      /option "provider" must be a preset of "latchkey\/providers"/,
    ],
    [
      'an unknown member',
      { provider: { ...OIDC, onSignIn: 1 } },
      /unknown option "onSignIn" in "provider"/,
    ],
    [
      'a function inside of a preset',
      { provider: { ...OIDC, facts: [() => 1] } },
      /option "provider" must be data without functions/,
    ],
    [
      'a rule that is none in a preset',
      { provider: { ...OIDC, preflight: [null] } },
      /option "provider" must be a preset whose rules can be applied/,
    ],
    [
      'a rule with a broken pattern in a preset',
      {
        provider: {
          ...OIDC,
          preflight: [
            {
              when: { clientIdUnlike: '(' },
              verdict: 'warn',
              option: 'clientId',
              problem: 'p',
              fix: 'f',
            },
          ],
        },
      },
      /option "provider" must be a preset whose rules/,
    ],
    [
      'a parameter of Latchkey in a preset',
      { provider: { ...OIDC, authorizationParameters: { state: 'x' } } },
      /option "authorizationParameters" must be free of "state"/,
    ],
    [
      'scopes that are none in a preset',
      { provider: { ...OIDC, scopes: ['a b'] } },
      /option "scopes" must be a list of words/,
    ],
  ])('is demanded: %s', (_what, options, expected) => {
    expect(refusal(options)).toMatch(expected);
  });

  it('makes the same settings of oidc({ issuer }) as of the option issuer', () => {
    const { provider, ...byPreset } = parseOptions({ ...BASE, provider: OIDC });
    const { provider: none, ...byHand } = parseOptions({ ...BASE, issuer: OIDC.issuer });
    expect([provider?.name, none]).toEqual(['oidc', null]);
    expect(byPreset).toEqual(byHand);
  });
});

describe('a preset', () => {
  const options = {
    ...BASE,
    clientId: '1-a.apps.googleusercontent.com',
    clientSecret: 's',
    provider: google(),
  };

  it('brings its scopes and parameters', () => {
    expect(parseOptions(options)).toMatchObject({
      issuer: 'https://accounts.google.com',
      scopes: ['openid', 'profile', 'email'],
      authorizationParameters: { access_type: 'offline' },
    });
  });

  it("gives way to the host's own", () => {
    const settings = parseOptions({
      ...options,
      scopes: ['openid'],
      authorizationParameters: { access_type: 'online', hd: 'example.com' },
    });
    expect(settings).toMatchObject({
      scopes: ['openid'],
      authorizationParameters: { access_type: 'online', hd: 'example.com' },
    });
  });

  it('is copied: what the host changes later changes nothing', () => {
    const provider = google();
    const settings = parseOptions({ ...options, provider });
    expect(Object.isFrozen(provider)).toBe(false);
    expect(Object.isFrozen(settings.provider)).toBe(true);
    (provider as { promptConsent: string }).promptConsent = 'never';
    expect(settings.provider?.promptConsent).toBe('always');
  });
});
