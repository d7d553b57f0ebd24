// What newer tokens change about the person of a session, and how old an ID token may be.
import { describe, expect, it } from 'vitest';
import type { IdToken, PersonFacts, TokenSet } from '../../../src/main/core/base/tokens.js';
import { AuthError } from '../../../src/main/core/base/errors.js';
import { lifeLeftMs } from '../../../src/main/core/oauth/id-token-times.js';
import { stepSession } from '../../../src/main/core/session/session.js';
import { answerToken } from '../../../src/main/core/session/session-queries.js';
import { factsOf, validIdToken, withFacts } from '../../../src/main/core/session/person-facts.js';
import type { LiveSession } from '../../../src/main/core/session/session-state.js';
import { afterSetBack } from '../../../src/main/core/session/set-back.js';

const HOUR = 3_600_000;
const idToken = (token: string, obtainedAt = 1_000_000): IdToken => ({
  token,
  obtainedAt,
  expiresAt: obtainedAt + HOUR,
});
const tokens = (facts: PersonFacts = {}): TokenSet => ({
  accessToken: 'a2',
  obtainedAt: 1_000_000,
  expiresAt: null,
  refreshToken: 'r2',
  scope: 'openid',
  ...facts,
});
const claims = { idToken: { roles: ['admin'] }, userinfo: { groups: ['a'] } };
const live = (facts: PersonFacts): LiveSession => ({
  phase: 'live',
  epoch: 1,
  account: { id: 'ada', issuer: 'https://id.example', subject: 'ada' },
  refreshToken: 'r1',
  scope: 'openid',
  access: { token: 'a1', obtainedAt: 1_000_000, expiresAt: null },
  renewal: { state: 'fresh', since: 1_000_000, renewAt: null },
  save: 0,
  storeError: null,
  storeRetryAt: null,
  identityMismatch: false,
  resources: [],
  targetRenewal: null,
  targets: new Map(),
  ...facts,
});
const answer = (state: LiveSession, now: number): string => {
  const said = answerToken(state, now, { target: null, refused: null, idToken: true });
  return said.kind === 'token' ? said.token : said.kind === 'error' ? said.error.code : said.kind;
};

describe('the tokens of a renewal', () => {
  it.each<[string, PersonFacts, boolean, PersonFacts]>([
    [
      'its ID token replaces all',
      { claims: { idToken: {}, userinfo: {} }, idToken: idToken('new') },
      false,
      { claims: { idToken: {}, userinfo: { groups: ['a'] } }, idToken: idToken('new') },
    ],
    ['no ID token leaves all', { idToken: 'none' }, false, { claims, idToken: idToken('old') }],
    [
      'a record replaces all',
      { claims: { idToken: {}, userinfo: {} }, idToken: idToken('new') },
      true,
      { claims: { idToken: {}, userinfo: {} }, idToken: idToken('new') },
    ],
    ['a record of an earlier build leaves all', {}, true, { claims, idToken: idToken('old') }],
  ])('change what is known: %s', (_what, brought, stored, known) => {
    const before = { claims, idToken: idToken('old') };
    expect(factsOf(withFacts(before, tokens(brought), stored, 1_000_001))).toEqual(known);
  });

  it('without an ID token end one that has expired, so that nobody asks for it again and again', () => {
    const before = { idToken: idToken('old') };
    const end = 1_000_000 + HOUR;
    expect(withFacts(before, tokens({ idToken: 'none' }), false, end - 1).idToken).toEqual(
      idToken('old'),
    );
    expect(withFacts(before, tokens({ idToken: 'none' }), false, end).idToken).toBe('none');
  });
});

describe('what is known', () => {
  it('is in the record also where a keyring takes that only at a later try', () => {
    const state = {
      ...live({ claims, idToken: idToken('it') }),
      storeError: new AuthError('keyring-locked', 'no'),
    };
    const { effects } = stepSession(state, { type: 'retry', now: 1_000_000 });
    expect(effects).toMatchObject([{ type: 'write-record', claims, idToken: idToken('it') }]);
  });
});

describe('an ID token', () => {
  it('is good to its end, and not when the clock shows a time long before it came', () => {
    const known = { idToken: idToken('it') };
    const end = 1_000_000 + HOUR;
    expect([999_000, 1_000_000, end - 1].map((now) => validIdToken(known, now))).toEqual([
      'it',
      'it',
      'it',
    ]);
    expect([end, 1_000_000 - HOUR].map((now) => validIdToken(known, now))).toEqual([null, null]);
    expect([{}, { idToken: 'none' as const }].map((facts) => validIdToken(facts, end))).toEqual([
      null,
      null,
    ]);
  });

  it.each([
    ['an hour', { iat: 1_000, exp: 4_600 }, HOUR],
    ['nothing, for it ends before it begins', { iat: 1_000, exp: 900 }, 0],
    ['nothing, for it says no end', { iat: 1_000 }, 0],
    ['nothing, for its times are no times', { iat: '1000', exp: '4600' }, 0],
    ['a year, for it never ends', { iat: 1_000, exp: 1e300 }, 31_536_000_000],
  ])('lives for %s', (_what, times, ms) => {
    expect(lifeLeftMs(times, { computer: [0, 0], server: null })).toBe(ms);
  });

  it('lives by the clock of the server, also on a computer that is hours behind', () => {
    const times = { iat: 100_000, exp: 103_600 };
    const late = { computer: [50_000_000, 50_000_000], server: 102_000_000 } as const;
    expect(lifeLeftMs(times, late)).toBe(1_600_000);
  });

  it('that is half an hour old when the calendar goes back keeps the half hour that it has left', () => {
    const halfHour = HOUR / 2;
    const state = afterSetBack(live({ idToken: idToken('it') }), halfHour) as LiveSession;
    expect(answer(state, 1_000_000 + halfHour - 1)).toBe('it');
    expect(answer(state, 1_000_000 + halfHour)).toBe('demand');
  });

  it('that is being stored while the calendar goes back keeps its time, too', () => {
    const state = live({});
    const saving: LiveSession = {
      ...state,
      renewal: { state: 'saving', since: 0, tokens: tokens({ idToken: idToken('it') }) },
    };
    const after = afterSetBack(saving, HOUR) as LiveSession;
    expect(after.renewal).toMatchObject({ tokens: { idToken: idToken('it', 1_000_000 - HOUR) } });
  });
});

describe('a caller who wants the ID token', () => {
  const now = 1_000_000 + HOUR;
  const old = live({ idToken: idToken('old') });

  it.each<[string, LiveSession, string]>([
    [
      'gets a good one though a renewal runs',
      {
        ...live({ idToken: idToken('it', now) }),
        renewal: {
          state: 'renewing',
          since: now,
          trouble: { failures: 0, refusals: 0, refusedAt: null, answerLost: false },
        },
      },
      'it',
    ],
    ['causes a renewal where the one there is has expired', old, 'demand'],
    ['causes a renewal where none is known', live({}), 'demand'],
    [
      'waits while a token for an API is fetched',
      {
        ...old,
        targetRenewal: {
          state: 'renewing',
          since: now,
          target: { key: 'k', resource: 'k', scope: null },
        },
      },
      'wait',
    ],
    [
      'waits while a renewal runs',
      { ...old, renewal: { state: 'saving', since: now, tokens: tokens() } },
      'wait',
    ],
    [
      'gets an error where the last answer brought none',
      live({ idToken: 'none' }),
      'id-token-invalid',
    ],
    [
      'gets an error where nothing can be renewed',
      { ...old, refreshToken: null },
      'id-token-invalid',
    ],
  ])('%s', (_what, state, said) => {
    expect(answer(state, now)).toBe(said);
  });
});
