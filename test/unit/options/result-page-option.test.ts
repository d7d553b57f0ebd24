// The option "resultPage": a host's words and colours, checked before anything begins.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AuthError } from '../../../src/main/core/base/errors.js';
import { parseResultPage } from '../../../src/main/core/options/result-page-option.js';

const words = { title: 'Signed in', text: '{app} knows you.', closing: 'Close this tab.' };

function refusal(value: unknown): string {
  try {
    parseResultPage(value);
  } catch (error) {
    if (error instanceof AuthError && error.code === 'invalid-options') return error.message;
    throw error;
  }
  throw new Error('the option was accepted');
}

describe('parseResultPage', () => {
  it('needs nothing', () => {
    expect(parseResultPage(undefined)).toEqual({
      lang: 'en',
      dir: 'ltr',
      accentColor: null,
      texts: {},
      openApp: null,
    });
    expect(parseResultPage({})).toEqual(parseResultPage(undefined));
  });

  it('takes everything it knows', () => {
    expect(
      parseResultPage({
        lang: 'pt-BR',
        dir: 'rtl',
        accentColor: '#0F6B5C',
        texts: { 'signed-in': words, denied: undefined as never },
        openApp: 'Abrir {app}',
      }),
    ).toEqual({
      lang: 'pt-BR',
      dir: 'rtl',
      accentColor: '#0f6b5c',
      texts: { 'signed-in': words },
      openApp: 'Abrir {app}',
    });
  });

  it.each<[string, unknown, RegExp]>([
    ['no object', 'secret', /"resultPage" must be an object/],
    ['an unknown member', { secretTheme: 1 }, /unknown option "secretTheme" in "resultPage"/],
    [
      'a language that is none',
      { lang: 'secret language' },
      /"resultPage.lang" must be a language tag/,
    ],
    ['markup as a language', { lang: 'en"><script>' }, /"resultPage.lang"/],
    ['a direction that is none', { dir: 'secret' }, /"resultPage.dir" must be "ltr" or "rtl"/],
    ['a colour by name', { accentColor: 'secret' }, /"resultPage.accentColor" must be a colour/],
    [
      'a colour that ends the style',
      { accentColor: '#000;}</style>secret' },
      /"resultPage.accentColor"/,
    ],
    [
      'texts of an unknown outcome',
      { texts: { secret: words } },
      /unknown option "secret" in "resultPage.texts"/,
    ],
    [
      'texts without a headline',
      { texts: { denied: { ...words, title: undefined } } },
      /"resultPage.texts.denied.title" must be a text/,
    ],
    [
      'an empty text',
      { texts: { denied: { ...words, text: '  ' } } },
      /"resultPage.texts.denied.text"/,
    ],
    [
      'an endless text',
      { texts: { denied: { ...words, closing: 'secret'.repeat(100) } } },
      /"resultPage.texts.denied.closing" must be a text of 1 to 500/,
    ],
    ['several lines', { texts: { denied: { ...words, text: 'secret\nsecret' } } }, /in one line/],
    [
      'an unknown text',
      { texts: { denied: { ...words, secret: '' } } },
      /unknown option "secret" in "resultPage.texts.denied"/,
    ],
    ['a label that is no text', { openApp: 7 }, /"resultPage.openApp" must be a text of 1 to 120/],
  ])('refuses %s', (_what, value, expected) => {
    expect(refusal(value)).toMatch(expected);
  });

  it('throws nothing but invalid-options, whatever it is given', () => {
    fc.assert(
      fc.property(fc.anything({ maxDepth: 2 }), (value) => {
        try {
          parseResultPage(value);
        } catch (error) {
          expect(error instanceof AuthError && error.code).toBe('invalid-options');
        }
      }),
    );
  });
});
