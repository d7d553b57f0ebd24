// What the demo's window shows for each view: a table of views and what has to be there.
import { describe, expect, it } from 'vitest';
import type { AttemptView, AuthView, RenewalView } from '../../../src/contract.js';
import { faceOf } from '../../../src/renderer/demo/face.js';
import type { Face } from '../../../src/renderer/demo/face-model.js';
import {
  agoInWords,
  countdown,
  ERROR_WORDS,
  spanInWords,
  untilInWords,
} from '../../../src/renderer/demo/words.js';
import {
  MINUTE,
  NOW,
  ada,
  codes,
  errorOf,
  fresh,
  signedIn,
  signedOut,
  signingIn,
  untouched,
} from '../../support/demo-views.js';

describe('the faces of the demo', () => {
  const face = (view: AuthView, now = NOW, here = untouched): Face => faceOf(view, now, here);
  const labels = (shown: Face): string[] =>
    shown.buttons.map(({ action, label }) => `${action}: ${label}`);

  it('starts as a quiet skeleton without a button', () => {
    expect(face({ status: 'starting' })).toMatchObject({
      figure: 'skeleton',
      tone: 'quiet',
      buttons: [],
      error: null,
    });
  });

  it('asks a newcomer for one thing', () => {
    expect(labels(face(signedOut))).toEqual(['sign-in: Sign in with your browser']);
  });

  it('remembers who it was after a sign-out, and does not press the same person on the provider', () => {
    const shown = face({ status: 'signed-out', reason: 'signed-out', lastAccount: ada });
    expect(shown).toMatchObject({
      title: 'You are signed out',
      caption: 'Last signed in: Ada Lovelace',
      request: {},
    });
    expect(labels(shown)).toEqual([
      'sign-in: Sign in with your browser',
      'another-account: Use another account',
    ]);
  });

  it('offers another account to nobody who has never had one', () => {
    for (const view of [
      signedOut,
      { ...signedOut, error: errorOf('sign-in-denied') },
      { status: 'signed-out', reason: 'signed-out' },
    ] as const)
      expect(labels(face(view)).join()).not.toContain('another-account');
  });

  it('offers the same person again when the provider ended the session', () => {
    const shown = face({
      status: 'signed-out',
      reason: 'ended',
      lastAccount: ada,
      error: errorOf('session-ended', 'invalid_grant'),
    });
    expect(labels(shown)).toEqual([
      'sign-in: Sign in again as Ada Lovelace',
      'another-account: Use another account',
    ]);
    expect(shown).toMatchObject({
      tone: 'amber',
      request: { loginHint: 'ada@example.com' },
      error: { serverError: 'invalid_grant' },
    });
    expect(face({ status: 'signed-out', reason: 'ended' }).title).toBe('Please sign in again');
  });

  it('leads to another person who is signed in, but not in the middle of something', () => {
    const grace = { ...ada, id: 'grace-id', name: 'Grace Hopper' };
    const beside = face({ ...signedIn(), otherAccounts: [grace] });
    expect([labels(beside), beside.other]).toEqual([
      ['switch: Switch to Grace Hopper', 'sign-out: Sign out on this computer'],
      grace,
    ]);
    expect(
      labels(face({ status: 'signed-out', reason: 'signed-out', otherAccounts: [grace] })),
    ).toEqual(['sign-in: Sign in with your browser', 'switch: Continue as Grace Hopper']);
    const busy = signingIn('waiting');
    expect(
      labels(face({ ...signedIn(), otherAccounts: [grace], attempt: busy.attempt })).join(),
    ).not.toContain('switch');
  });

  it.each(codes)(
    'tells an error of code %s in words without jargon, with a button and the code',
    (code) => {
      const shown = face({ status: 'signed-out', reason: 'never', error: errorOf(code) });
      expect(shown.title).toBe(ERROR_WORDS[code].title);
      expect(shown.buttons.map(({ action }) => action)).toEqual(['sign-in']);
      expect(shown.error?.code).toBe(code);
      expect(`${shown.title} ${shown.text}`).not.toMatch(
        /oauth|token|pkce|openid|issuer|redirect|client|callback|\bcode\b/i,
      );
    },
  );

  it.each([
    ['preparing', ['cancel: Cancel'], ''],
    ['waiting', ['reopen: Open the page again', 'cancel: Cancel'], '4:00 left'],
    ['redeeming', ['cancel: Cancel'], ''],
  ] as const)('shows an attempt that is %s', (stage, buttons, caption) => {
    const shown = face(signingIn(stage));
    expect(labels(shown)).toEqual(buttons);
    expect(shown.caption).toBe(caption);
    expect(shown.ring?.spinning).toBe(stage !== 'waiting');
  });

  it('shows who is signed in, where, and when it renews', () => {
    expect(face(signedIn())).toMatchObject({
      initials: 'AL',
      title: 'Ada Lovelace',
      text: 'ada@example.com',
      caption: 'Renews itself in 4 min',
      ring: { fraction: 0.8, spinning: false },
      facts: [{ value: 'accounts.example.com' }, { value: 'In this computer’s keyring' }],
      notice: null,
    });
  });

  it('makes do with a subject when the provider tells no more', () => {
    const shown = face(signedIn({ account: { id: 'x', issuer: 'urn:odd', subject: '12-34' } }));
    expect(shown).toMatchObject({
      title: '12-34',
      text: '',
      initials: '13',
      facts: [{ value: 'urn:odd' }, {}],
    });
    expect(face(signedIn({ account: { ...ada, name: '🙂' } })).initials).toBe('?');
  });

  it.each([
    [{ ...fresh, expiresAt: null, renewAt: null }, 'Stays valid until you sign out', 1],
    [{ ...fresh, renewAt: null }, 'Ends in 8 min', 0.8],
    [{ ...fresh, renewAt: null, expiresAt: NOW - 1 }, 'Has ended', 0],
    [{ ...fresh, renewAt: NOW - 5000 }, 'Renews itself in a moment', 0.8],
  ] as const)('shows a session that renews in no usual way (%#)', (renewal, caption, fraction) => {
    expect(face(signedIn({ renewal }))).toMatchObject({ caption, ring: { fraction } });
  });

  it('stays signed in while it waits for the provider', () => {
    const renewal: RenewalView = {
      state: 'waiting',
      since: NOW - 9 * MINUTE,
      expiresAt: NOW + MINUTE,
      nextTryAt: NOW + 13_000,
      error: errorOf('network-failed'),
    };
    const shown = face(signedIn({ renewal }));
    expect(shown).toMatchObject({
      tone: 'amber',
      title: 'Ada Lovelace',
      caption: 'Next try in 13 s',
      notice: { title: 'No connection' },
    });
    expect(labels(shown)).toEqual(['retry: Try now', 'sign-out: Sign out on this computer']);
  });

  it('turns its ring while it renews', () => {
    expect(
      face(signedIn({ renewal: { state: 'renewing', since: NOW - MINUTE, expiresAt: NOW } })),
    ).toMatchObject({ ring: { spinning: true }, caption: 'Renewing your sign-in…' });
  });

  it('says that it will forget when there is no keyring', () => {
    const shown = face(
      signedIn({ remembered: false, store: 'memory', error: errorOf('keyring-unavailable') }),
    );
    expect(shown.facts[1]?.value).toBe('Only until you quit');
    expect(shown.notice?.title).toBe('You will not be remembered');
    expect(labels(shown)).toContain('retry: Try now');
  });

  it('offers an unlock first when the keyring is locked, and the browser as the other way', () => {
    const view: AuthView = { status: 'locked', lastAccount: ada, error: errorOf('keyring-locked') };
    expect(labels(face(view))).toEqual([
      'retry: Unlock and try again',
      'sign-in: Sign in with your browser',
    ]);
  });

  it('lets an attempt be cancelled beside a session and beside a locked keyring', () => {
    const { attempt } = signingIn('waiting');
    expect(labels(face(signedIn({ attempt })))).toEqual([
      'reopen: Open the page again',
      'cancel: Cancel',
      'sign-out: Sign out on this computer',
    ]);
    expect(labels(face({ status: 'locked', error: errorOf('keyring-locked'), attempt }))).toContain(
      'cancel: Cancel',
    );
  });

  it('shows a call that failed without the view saying so', () => {
    const shown = face(signedOut, NOW, { ...untouched, problem: errorOf('internal') });
    expect(shown).toMatchObject({
      title: 'Welcome',
      notice: { tone: 'red' },
      error: { code: 'internal' },
    });
  });

  it('changes with time alone in nothing but the caption, the ring, and how clear the help is', () => {
    for (const view of [signedOut, signingIn('waiting', { otherWay: 'device-code' }), signedIn()]) {
      const rest = ({ caption: _caption, ring: _ring, help, ...kept }: Face): object => ({
        ...kept,
        help: help === null ? null : { ...help, visible: false },
      });
      expect(rest(face(view, NOW + 2 * MINUTE))).toEqual(rest(face(view)));
    }
  });
});

describe('the faces of an attempt', () => {
  const device = {
    userCode: 'WDJB-MJHT',
    verificationUri: 'https://login.example.com/device',
    verificationUriComplete: 'https://login.example.com/device?user_code=WDJB-MJHT',
  };
  const face = (attempt: Partial<AttemptView>, now = NOW, here = untouched): Face =>
    faceOf(signingIn('waiting', attempt), now, here);

  it.each([
    ['custom-scheme', undefined, { otherWay: false, paste: true }],
    ['custom-scheme', 'loopback', { otherWay: true, paste: true }],
    ['loopback', 'device-code', { otherWay: true, paste: true }],
    ['device-code', 'paste', { otherWay: true, paste: false }],
    ['device-code', undefined, null],
    ['paste', undefined, null],
    ['paste', 'device-code', { otherWay: true, paste: false }],
  ] as const)(
    'offers on the way "%s", when "%s" comes next, what can help',
    (redirect, otherWay, help) => {
      const shown = face({
        redirect,
        ...(redirect === 'device-code' ? { device } : {}),
        ...(otherWay === undefined ? {} : { otherWay }),
      });
      if (help === null) expect(shown.help).toBeNull();
      else expect(shown.help).toMatchObject(help);
    },
  );

  it('says in plain words what the next way is, another sentence for each', () => {
    const said = (['loopback', 'device-code', 'paste'] as const).map(
      (otherWay) => face({ redirect: 'custom-scheme', otherWay }).help?.text ?? '',
    );
    expect(new Set(said).size).toBe(3);
    for (const text of said)
      expect(text).not.toMatch(/redirect|scheme|loopback|device code|callback|url/i);
  });

  it.each([
    ['custom-scheme', 4_999, false],
    ['custom-scheme', 5_000, true],
    ['loopback', 0, false],
    ['loopback', 5_000, true],
    ['device-code', 14_999, false],
    ['device-code', 15_000, true],
    ['paste', 14_999, false],
  ] as const)(
    'asks "Nothing happened?" on the way "%s" after %i ms: %s',
    (redirect, spentMs, visible) => {
      const shown = face(
        { redirect, otherWay: 'loopback', ...(redirect === 'device-code' ? { device } : {}) },
        NOW + spentMs,
      );
      expect(shown.help?.visible).toBe(visible);
    },
  );

  it('shows the code, the address as it is, and scans the one with the code in it', () => {
    const shown = face({ redirect: 'device-code', device });
    expect(shown).toMatchObject({
      figure: 'none',
      caption: '4:00 left',
      device: {
        groups: ['WDJB-MJHT'],
        address: device.verificationUri,
        scanned: device.verificationUriComplete,
      },
    });
    expect(shown.buttons.map(({ label }) => label)).toEqual([
      'Open the page on this computer',
      'Cancel',
    ]);
    const { verificationUriComplete: _complete, ...plain } = device;
    expect(face({ redirect: 'device-code', device: plain }).device).toMatchObject({
      scanned: device.verificationUri,
    });
  });

  it.each([
    ['WDJB-MJHT', ['WDJB-MJHT']],
    ['ABCDEFGH', ['ABCD', 'EFGH']],
    ['483920175', ['483', '920', '175']],
    ['ABCDEFGHIJ', ['ABCD', 'EFGH', 'IJ']],
    ['12345', ['12345']],
    ['AB CD EF', ['AB CD EF']],
  ])('divides the code %s so that it can be read, and loses no sign', (userCode, groups) => {
    const shown = face({ redirect: 'device-code', device: { ...device, userCode } });
    expect(shown.device?.groups).toEqual(groups);
    expect(shown.device?.groups.join('')).toBe(userCode);
  });

  it('has the field for what the browser shows on the way "paste", and for an address only when it is asked for', () => {
    expect(face({ redirect: 'paste' }).paste).toMatchObject({
      label: 'Paste what your browser shows',
      problem: '',
    });
    expect(face({ redirect: 'loopback' }).paste).toBeNull();
    expect(
      face({ redirect: 'loopback' }, NOW, { ...untouched, pasting: true }).paste,
    ).toMatchObject({ label: 'Paste the address that your browser shows' });
    expect(
      face({ redirect: 'device-code', device }, NOW, { ...untouched, pasting: true }).paste,
    ).toBeNull();
  });

  it('tells beside the field what is wrong with what was pasted, and not as a problem of the window', () => {
    const shown = face({ redirect: 'paste' }, NOW, {
      ...untouched,
      pasteProblem: 'That is not it.',
    });
    expect(shown).toMatchObject({
      paste: { problem: 'That is not it.' },
      notice: null,
      error: null,
    });
  });

  it('gives a code the whole place beside a session and beside a locked keyring', () => {
    const { attempt } = signingIn('waiting', { redirect: 'device-code', device });
    expect(faceOf(signedIn({ attempt }), NOW, untouched)).toMatchObject({
      device: { address: device.verificationUri },
      notice: { title: 'Ada Lovelace is still signed in' },
    });
    expect(
      faceOf({ status: 'locked', error: errorOf('keyring-locked'), attempt }, NOW, untouched),
    ).toMatchObject({ device: { groups: ['WDJB-MJHT'] } });
  });
});

describe('the demo’s words for time', () => {
  it('uses one unit, and never a negative number', () => {
    expect([
      spanInWords(-1),
      spanInWords(59_400),
      spanInWords(90_000),
      spanInWords(2 * 3_600_000),
      spanInWords(72 * 3_600_000),
    ]).toEqual(['0 s', '59 s', '2 min', '2 h', '3 days']);
    expect([untilInWords(500), untilInWords(12_000), agoInWords(1000), agoInWords(65_000)]).toEqual(
      ['in a moment', 'in 12 s', 'just now', '1 min ago'],
    );
    expect([countdown(245_000), countdown(59_001), countdown(-5)]).toEqual([
      '4:05',
      '1:00',
      '0:00',
    ]);
  });
});
