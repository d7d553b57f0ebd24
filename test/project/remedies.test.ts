// What messages, advice and presets tell a developer to do, tried on the check of the options: no
// remedy names an option that does not exist, or a value that the product refuses.
import { describe, expect, it } from 'vitest';
import { ADVICE } from '../../src/advice/catalog.js';
import { AuthError } from '../../src/main/core/base/errors.js';
import { type AuthOptions } from '../../src/main/core/options/auth-options.js';
import { parseOptions } from '../../src/main/core/options/options.js';
import {
  type ProviderPreset,
  auth0,
  cognito,
  entra,
  github,
  google,
  keycloak,
  oidc,
  okta,
} from '../../src/providers/index.js';
import { filesUnder, read } from './sources.js';

const GUID = '11111111-2222-3333-4444-555555555555';
const GOOGLE_CLIENT = `1234567890-${'a'.repeat(32)}.apps.googleusercontent.com`;
/** Each preset with options that it takes, but for the redirects. */
const PRESETS: readonly (readonly [ProviderPreset, Partial<AuthOptions>])[] = [
  [oidc({ issuer: 'https://id.example.com' }), {}],
  [entra({ tenant: GUID }), { clientId: GUID }],
  [google(), { clientId: GOOGLE_CLIENT, clientSecret: 's' }],
  [github(), { clientId: 'Iv1.0123456789abcdef', clientSecret: 's' }],
  [auth0({ domain: 'notes.eu.auth0.com' }), {}],
  [okta({ domain: 'notes.okta.com' }), {}],
  [keycloak({ baseUrl: 'https://id.example.com', realm: 'notes' }), {}],
  [cognito({ region: 'eu-central-1', userPoolId: 'eu-central-1_AbCdEfGhI', domain: 'notes' }), {}],
];
const SAMPLES = { clientSecret: 's', resources: ['https://api.example.com'] } as const;

/** All that tells a developer of this provider what to do. */
function remediesOf({ name, preflight }: ProviderPreset): readonly string[] {
  const advised = ADVICE.filter(({ provider }) => provider === (name === 'oidc' ? 'oauth' : name));
  return [...preflight.map(({ fix }) => fix), ...advised.flatMap(({ fix }) => fix)];
}

/** Null when the product takes these options; else its refusal. */
function refusal(options: object): string | null {
  try {
    parseOptions({ clientId: 'notes', redirects: ['a.b:/c'], ...options });
    return null;
  } catch (error) {
    if (error instanceof AuthError) return error.message;
    throw error;
  }
}

const REDIRECT =
  /["`](http:\/\/(?:localhost|127\.0\.0\.1|\[::1\])[^"`]*|device-code|paste:[^"`…]+|com\.[a-z.]+:\/[^"`]*)["`]/g;
const redirectsIn = (text: string): readonly string[] =>
  [...text.matchAll(REDIRECT)].flatMap(([, redirect]) => redirect ?? []);
const ADDS = /\b(?:set|add|use|name|with)\b[^.;]*?["`](clientSecret|resources)["`]/gi;

describe('a remedy', () => {
  it.each(PRESETS.map(([preset, options]) => [preset.name, preset, options] as const))(
    'for %s names no redirect and no option that the preset refuses',
    (_name, preset, options) => {
      for (const text of remediesOf(preset)) {
        for (const redirect of redirectsIn(text))
          expect(
            refusal({ provider: preset, ...options, redirects: [redirect] }),
            `"${redirect}" of: ${text}`,
          ).toBeNull();
        for (const [, option] of text.matchAll(ADDS)) {
          const redirects = preset.preflight.flatMap(({ fix }) => redirectsIn(fix));
          const given = { [option as string]: SAMPLES[option as keyof typeof SAMPLES] };
          expect(
            refusal({
              provider: preset,
              ...options,
              redirects: [redirects[0] ?? 'http://127.0.0.1/callback'],
              ...given,
            }),
            text,
          ).toBeNull();
        }
      }
    },
  );

  it('is looked for where there are some', () => {
    const all = PRESETS.flatMap(([preset]) => remediesOf(preset));
    expect(all.flatMap(redirectsIn).length).toBeGreaterThan(10);
    expect(all.flatMap((text) => [...text.matchAll(ADDS)]).length).toBeGreaterThan(2);
  });

  it('names only options that exist', () => {
    const known = /expected one of (.*)$/.exec(refusal({ nonsense: 1 }) ?? '')?.[1]?.split(', ');
    // The test provider has options of its own.
    const named = filesUnder('src', /\.c?ts$/)
      .filter((path) => !/^src\/(?:testing\/|cli\/provider)/.test(path))
      .flatMap((path) =>
        [...read(path).matchAll(/\boption \\?["`](\w+)(?:\.\w+)?\\?["`](?! of the preset)/g)].map(
          ([, name]) => name,
        ),
      );
    expect(new Set(named).size).toBeGreaterThan(12);
    expect(named.filter((name) => !known?.includes(name ?? ''))).toEqual([]);
  });
});
