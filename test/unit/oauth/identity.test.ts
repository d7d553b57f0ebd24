// Who signed in: claims come from outside, are cut and cleaned, and only the account id is
// computed.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  readClaims,
  readIdentity,
  toAccount,
  whyNoSubject,
} from '../../../src/main/core/oauth/identity.js';

/** Controls, separators and every character with the property Bidi_Control (Unicode UAX #9). */
const DECEIVING = [
  '\u0000',
  '\u001b',
  '\u007f',
  '\u0085',
  '\u061c',
  '\u200b',
  '\u200e',
  '\u200f',
  '\u2028',
  '\u2029',
  '\u202a',
  '\u202e',
  '\u2066',
  '\u2069',
  '\ufeff',
];

describe('readClaims', () => {
  it('reads the standard claims', () => {
    const claims = {
      sub: 'u-1',
      name: 'Ada Lovelace',
      preferred_username: 'ada',
      email: 'ada@example.com',
      picture: 'https://img.example/a.png',
      admin: true,
    };
    expect(readClaims(claims)).toEqual({
      subject: 'u-1',
      name: 'Ada Lovelace',
      username: 'ada',
      email: 'ada@example.com',
      picture: 'https://img.example/a.png',
    });
  });

  it('reads what GitHub calls a user', () => {
    expect(
      readClaims({ id: 583231, login: 'octocat', avatar_url: 'https://avatars.example/u' }),
    ).toEqual({ subject: '583231', username: 'octocat', picture: 'https://avatars.example/u' });
  });

  it.each([
    [{}],
    [{ sub: '' }],
    [{ sub: 7 }],
    [{ sub: null }],
    [{ id: true }],
    [{ id: {} }],
    [{ id: 2 ** 53 }],
    [{ id: 1.5 }],
  ])('finds nobody in %j', (claims) => {
    expect(readClaims(claims)).toBeNull();
  });

  it.each([
    ['too long', 's'.repeat(257)],
    ['a control character', 'u\u0000-1'],
    ['a direction mark', 'u-1\u202e'],
    ['half a character', 'u\ud800-1'],
    ['half a character at its end', 'u-1\udc00'],
  ])('takes no subject with %s, for a changed one could be another person', (_what, sub) => {
    expect(readClaims({ sub })).toBeNull();
    expect(readIdentity({ subject: sub })).toBeNull();
  });

  it('takes a subject of 255 characters as it is', () => {
    expect(readClaims({ sub: 's'.repeat(255) })?.subject).toHaveLength(255);
  });

  it.each(
    DECEIVING.map((character) => [
      `U+${character.codePointAt(0)!.toString(16).padStart(4, '0')}`,
      character,
    ]),
  )('drops %s from a name', (_code, character) => {
    expect(readClaims({ sub: 'u', name: `Ada${character}ecarG` })?.name).toBe('AdaecarG');
  });

  it.each([
    ['a soft hyphen', 'A\u00adda', 'Ada'],
    ['a word joiner', 'A\u2060da', 'Ada'],
    ['a filler', 'Ada\u3164', 'Ada'],
    ['an empty Braille cell', '\u2800Ada', 'Ada'],
    ['tags behind a letter', 'Ada\u{e0045}\u{e0076}', 'Ada'],
    ['more tags than a flag has', `🏴${'\u{e0067}'.repeat(20)}`, `🏴${'\u{e0067}'.repeat(9)}`],
    ['half a character', 'A\ud800d\udc00a', 'Ada'],
    ['nothing but blanks', ' \u00a0\u3000\u3164\u2060', undefined],
  ])('drops %s from a name, a user name and an address', (_what, name, shown) => {
    const claims = { sub: 'u', name, preferred_username: name, email: name };
    const { subject, ...rest } = readClaims(claims)!;
    expect(subject).toBe('u');
    expect(rest).toEqual(shown === undefined ? {} : { name: shown, username: shown, email: shown });
  });

  it('reads a name of a million tags in less than a second', () => {
    const begin = performance.now();
    readClaims({
      sub: 'u',
      name: '🏴\u{e0067}'.repeat(200_000),
      email: '\u{e0067}'.repeat(400_000),
    });
    expect(performance.now() - begin).toBeLessThan(1_000);
  });

  it('leaves names of people alone, in any script', () => {
    for (const name of ['Ærøskøbing', '山田 太郎', 'عايدة', "O'Brien-Smith", 'नेहा'])
      expect(readClaims({ sub: 'u', name })?.name).toBe(name);
  });

  it('cuts a name that fills the screen and leaves out what is no text', () => {
    expect(readClaims({ sub: 'u', name: 'x'.repeat(100_000) })?.name).toHaveLength(256);
    expect(
      readClaims({ sub: 'u', name: { toString: 'Ada' }, email: 7, preferred_username: '\u202e' }),
    ).toEqual({ subject: 'u' });
  });

  it.each([
    'http://img.example/a.png',
    'javascript:alert(1)',
    'data:image/png;base64,AA',
    '//img.example/a',
    'https://',
    7,
    `https://img.example/${'a'.repeat(2048)}`,
  ])('takes no picture from %s', (picture) => {
    expect(readClaims({ sub: 'u', picture })).toEqual({ subject: 'u' });
  });

  it('throws for nothing and gives texts only', () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.constantFrom(
            'sub',
            'id',
            'name',
            'email',
            'login',
            'picture',
            'avatar_url',
            'preferred_username',
            '__proto__',
          ),
          fc.anything(),
        ),
        (claims) => {
          const identity = readClaims(claims);
          if (identity !== null)
            for (const value of Object.values(identity)) expect(typeof value).toBe('string');
        },
      ),
    );
  });
});

describe('readIdentity', () => {
  it.each([[undefined], [null], ['ada'], [{}], [{ subject: 7 }], [[]]])(
    'finds nobody in what identify answered: %j',
    (value) => {
      expect(readIdentity(value)).toBeNull();
    },
  );

  it('keeps nothing that it does not know', () => {
    expect(
      readIdentity({
        subject: 'u',
        name: 'Ada',
        accessToken: 'secret',
        id: 'forged',
        issuer: 'https://evil.example',
      }),
    ).toEqual({ subject: 'u', name: 'Ada' });
  });
});

describe('claims of two sources', () => {
  it('are those of the first, with the gaps filled from the second', () => {
    expect(
      readClaims({ sub: 'u', name: 'Ada' }, { sub: 'u', name: 'Eve', email: 'e@example.com' }),
    ).toEqual({ subject: 'u', name: 'Ada', email: 'e@example.com' });
  });
});

describe('the name of an account', () => {
  const parts = { given_name: 'Ada', family_name: 'Lovelace' };

  it.each<[string, Record<string, unknown>, string | undefined]>([
    ['the whole name', { ...parts, name: 'Countess Ada' }, 'Countess Ada'],
    ['given and family name', parts, 'Ada Lovelace'],
    ['the given name alone', { given_name: 'Ada' }, 'Ada'],
    ['the family name alone', { given_name: '\u200b', family_name: 'Lovelace' }, 'Lovelace'],
    ['given and family name', { ...parts, name: '' }, 'Ada Lovelace'],
    ['given and family name', { ...parts, name: 7 }, 'Ada Lovelace'],
    ['nothing', { given_name: 7, family_name: null }, undefined],
  ])('is %s of %j, from an ID token, userinfo and the option "identify"', (_what, said, name) => {
    expect(readClaims({ sub: 'u', ...said })?.name).toBe(name);
    expect(readClaims({ sub: 'u' }, said)?.name).toBe(name);
    expect(readIdentity({ subject: 'u', ...said })?.name).toBe(name);
  });

  it('is the whole one of userinfo, not half of the one in the ID token', () => {
    expect(readClaims({ sub: 'u', given_name: 'Ada' }, parts)?.name).toBe('Ada Lovelace');
    expect(readClaims({ sub: 'u', ...parts }, { name: 'Countess Ada' })?.name).toBe('Countess Ada');
  });

  it('has 256 characters at most, and no half of one', () => {
    const long = { given_name: 'A'.repeat(255), family_name: '😀' };
    expect(readClaims({ sub: 'u', ...long })?.name).toBe(`${'A'.repeat(255)} `);
    expect(readClaims({ sub: 'u', name: `${'A'.repeat(255)}😀` })?.name).toBe('A'.repeat(255));
    expect(readClaims({ sub: 'u', name: `${'ک'.repeat(255)}\u200cب` })?.name).toBe('ک'.repeat(255));
  });

  it.each(['🏴󠁧󠁢󠁳󠁣󠁴󠁿 Ada', '❤️ Ada', '葛󠄀城', 'ᠠ᠋'])('keeps what makes the shape of %s', (name) => {
    expect(readClaims({ sub: 'u', name })?.name).toBe(name);
  });

  it.each(['نیک\u200cخواه', 'क्\u200dषमा', '👩\u200d👩\u200d👧', '👩🏽\u200d💻 Ada', '❤️\u200d🔥'])(
    'keeps the joiners of %s',
    (name) => {
      expect(readClaims({ sub: 'u', name })?.name).toBe(name);
      expect(readClaims({ sub: 'u', given_name: name, family_name: 'x' })?.name).toBe(`${name} x`);
    },
  );

  it.each([
    ['A\u200cda', 'Ada'],
    ['pay\u200dpal', 'paypal'],
    ['Ада\u200dм', 'Адам'],
    ['王\u200d明', '王明'],
    ['はな\u200cこ', 'はなこ'],
    ['שר\u200dה', 'שרה'],
    ['\u200cنیک\u200c', 'نیک'],
    ['نیک\u200c خواه', 'نیک خواه'],
    ['👩\u200d1', '👩1'],
  ])('drops a joiner that joins nothing from %j', (name, shown) => {
    expect(readClaims({ sub: 'u', name })?.name).toBe(shown);
  });

  it('is the only member in which a joiner stays', () => {
    const joined = 'نیک\u200cخواه';
    expect(
      readClaims({ sub: 'u', preferred_username: joined, email: `${joined}@example.com` }),
    ).toEqual({ subject: 'u', username: 'نیکخواه', email: 'نیکخواه@example.com' });
    expect(readClaims({ sub: joined })).toBeNull();
  });
});

describe('why a subject cannot be used', () => {
  it.each([
    [undefined, '"sub" missing'],
    ['', '"sub" missing'],
    [7, '"sub" is no text'],
    ['s'.repeat(257), '"sub" is longer than 256 characters (OpenID Connect Core §2 allows 255)'],
    ['u\u0000-1', '"sub" contains characters that cannot be seen'],
  ])('is said of %j without its value', (value, why) => {
    expect(whyNoSubject(value, 'sub')).toBe(why);
  });
});

describe('toAccount', () => {
  it('gives the same id for the same person at the same issuer, and another for each other', async () => {
    const id = async (issuer: string, subject: string): Promise<string> =>
      (await toAccount(issuer, { subject })).id;
    expect(await id('https://a.example', 'u')).toBe(await id('https://a.example', 'u'));
    const ids = await Promise.all([
      id('https://a.example', 'u'),
      id('https://a.example', 'v'),
      id('https://a.example/', 'u'),
      id('https://b.example', 'u'),
      id('https://a.exampl', 'eu'),
    ]);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('gives an id that every keychain takes: 22 characters, none of which needs an escape', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), async (subject) => {
        expect((await toAccount('https://a.example', { subject })).id).toMatch(/^[\w-]{22}$/);
      }),
    );
  });
});
