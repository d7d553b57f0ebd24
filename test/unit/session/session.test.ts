// The machine of the session: every state × event in one table. Properties over histories stand in
// session-history.test.ts.
import { describe, expect, it } from 'vitest';
import { AuthError } from '../../../src/main/core/base/errors.js';
import { LIMITS } from '../../../src/main/core/base/limits.js';
import type { TokenSet } from '../../../src/main/core/base/tokens.js';
import type { SessionRecord } from '../../../src/main/core/storage/records.js';
import { answerToken, sessionDeadline } from '../../../src/main/core/session/session-queries.js';
import {
  type LiveSession,
  NO_TROUBLE,
  type Renewal,
  type SessionEvent,
  type SessionState,
} from '../../../src/main/core/session/session-state.js';
import { stepSession } from '../../../src/main/core/session/session.js';

type StateName =
  | Exclude<SessionState['phase'], 'live'>
  | `live ${Renewal['state']}`
  | 'live fresh unstored'
  | 'live renewing refused once'
  | 'live waiting as asked';
type Split =
  | 'adopt'
  | 'record-found'
  | 'stored'
  | 'store-failed'
  | 'renewed'
  | 'renew-failed'
  | 'wake'
  | 'tick';
type EventName =
  | Exclude<SessionEvent['type'], Split>
  | 'record-found good'
  | 'record-found due'
  | 'adopt same person'
  | 'adopt another person'
  | 'adopt without refresh token'
  | 'stored'
  | 'stored stale'
  | 'store-failed'
  | 'store-failed stale'
  | 'renewed rotated'
  | 'renewed kept'
  | 'renewed elsewhere'
  | 'renew-failed'
  | 'renew-failed refused'
  | 'renew-failed refused by somebody'
  | 'renew-failed ended'
  | 'wake by resume'
  | 'wake by unlock'
  | 'wake by online'
  | 'wake late'
  | 'tick early'
  | 'tick late'
  | 'tick set back';

const NOW = 1_000_000;
const ada = { id: 'ada-id', issuer: 'https://id.example', subject: 'ada' };
const grace = { id: 'grace-id', issuer: 'https://id.example', subject: 'grace' };
const transient = new AuthError('network-failed', 'gone');
const refusal = new AuthError('sign-in-refused', 'no', { serverError: 'invalid_request' });
const grantOf = (name: string, refreshToken: string | null): TokenSet => ({
  accessToken: `access-${name}`,
  obtainedAt: NOW,
  expiresAt: NOW + 600_000,
  refreshToken,
  scope: 'read',
});
const timing = { random: 0, renewEarlySeconds: 60 };
const record: SessionRecord = {
  version: 1,
  clientId: 'c',
  account: ada,
  refreshToken: 'refresh-0',
  scope: 'read',
  savedAt: 1,
  access: null,
};

const live: LiveSession = {
  phase: 'live',
  epoch: 3,
  account: ada,
  refreshToken: 'refresh-1',
  scope: 'read',
  save: 2,
  storeError: null,
  storeRetryAt: null,
  identityMismatch: false,
  resources: [],
  targetRenewal: null,
  targets: new Map(),
  access: { token: 'access-1', obtainedAt: NOW, expiresAt: NOW + 600_000 },
  renewal: { state: 'fresh', since: NOW, renewAt: NOW + 540_000 },
};
const waiting = {
  state: 'waiting',
  since: NOW,
  failedAt: NOW,
  nextTryAt: NOW + 2_000,
  trouble: { ...NO_TROUBLE, failures: 1 },
  error: transient,
} as const;

const STATES: { readonly [N in StateName]: SessionState } = {
  absent: { phase: 'absent', epoch: 3, reason: 'never', account: null, error: null },
  restoring: { phase: 'restoring', epoch: 3, account: ada, since: NOW, slow: false },
  locked: { phase: 'locked', epoch: 3, account: ada, error: transient },
  adopting: {
    phase: 'adopting',
    epoch: 3,
    account: ada,
    tokens: grantOf('new', 'refresh-new'),
    attempt: 7,
    since: NOW,
    previous: null,
  },
  'live fresh': live,
  'live fresh unstored': {
    ...live,
    storeError: transient,
    storeRetryAt: NOW + LIMITS.storeRetryMs,
  },
  'live renewing': { ...live, renewal: { state: 'renewing', since: NOW, trouble: NO_TROUBLE } },
  'live renewing refused once': {
    ...live,
    renewal: {
      state: 'renewing',
      since: NOW,
      trouble: { ...NO_TROUBLE, failures: 1, refusals: 1 },
    },
  },
  'live saving': {
    ...live,
    renewal: { state: 'saving', since: NOW, tokens: grantOf('2', 'refresh-2') },
  },
  'live waiting': { ...live, renewal: waiting },
  'live waiting as asked': {
    ...live,
    renewal: {
      ...waiting,
      error: new AuthError('server-unavailable', 'busy', { retryAfterSeconds: 2 }),
    },
  },
};

const SAVE: { readonly [N in StateName]: number } = {
  absent: 0,
  restoring: 0,
  locked: 0,
  adopting: 0,
  'live fresh': 2,
  'live fresh unstored': 2,
  'live renewing': 2,
  'live renewing refused once': 2,
  'live saving': 2,
  'live waiting': 2,
  'live waiting as asked': 2,
};

function eventsFor(state: StateName): { readonly [N in EventName]: SessionEvent } {
  const now = NOW + 1_000;
  const late = NOW + 3_600_000;
  const save = SAVE[state];
  return {
    restore: { type: 'restore', account: ada, now },
    'record-found good': {
      type: 'record-found',
      record: {
        ...record,
        access: { token: 'access-0', obtainedAt: NOW, expiresAt: NOW + 600_000 },
      },
      now,
      ...timing,
    },
    'record-found due': {
      type: 'record-found',
      record: {
        ...record,
        access: { token: 'access-0', obtainedAt: NOW - 600_000, expiresAt: NOW },
      },
      now,
      ...timing,
    },
    'record-absent': { type: 'record-absent' },
    'record-withheld': {
      type: 'record-withheld',
      error: new AuthError('keyring-locked', 'locked'),
    },
    'adopt same person': {
      type: 'adopt',
      tokens: grantOf('9', 'refresh-9'),
      account: ada,
      attempt: 9,
      now,
    },
    'adopt another person': {
      type: 'adopt',
      tokens: grantOf('9', 'refresh-9'),
      account: grace,
      attempt: 9,
      now,
    },
    'adopt without refresh token': {
      type: 'adopt',
      tokens: grantOf('9', null),
      account: ada,
      attempt: 9,
      now,
    },
    stored: { type: 'stored', save, now, ...timing },
    'stored stale': { type: 'stored', save: save - 1, now, ...timing },
    'store-failed': {
      type: 'store-failed',
      save,
      error: new AuthError('keyring-locked', 'locked'),
      now,
      ...timing,
    },
    'store-failed stale': {
      type: 'store-failed',
      save: save - 1,
      error: new AuthError('keyring-locked', 'locked'),
      now,
      ...timing,
    },
    'renewed rotated': {
      type: 'renewed',
      tokens: grantOf('2', 'refresh-2'),
      stored: false,
      now,
      ...timing,
    },
    'renewed kept': {
      type: 'renewed',
      tokens: grantOf('2', 'refresh-1'),
      stored: false,
      now,
      ...timing,
    },
    'renewed elsewhere': {
      type: 'renewed',
      tokens: grantOf('2', 'refresh-2'),
      stored: true,
      now,
      ...timing,
    },
    'renew-failed': { type: 'renew-failed', error: transient, refused: false, now, random: 0 },
    'renew-failed refused': { type: 'renew-failed', error: refusal, refused: true, now, random: 0 },
    'renew-failed refused by somebody': {
      type: 'renew-failed',
      error: refusal,
      refused: false,
      now,
      random: 0,
    },
    'renew-failed ended': {
      type: 'renew-failed',
      error: new AuthError('session-ended', 'over'),
      refused: false,
      now,
      random: 0,
    },
    demand: { type: 'demand', target: null, now },
    retry: { type: 'retry', now },
    'sign-out': { type: 'sign-out' },
    'wake by resume': { type: 'wake', signal: 'resume', now },
    'wake by unlock': { type: 'wake', signal: 'unlock', now },
    'wake by online': { type: 'wake', signal: 'online', now },
    'wake late': { type: 'wake', signal: 'resume', now: late },
    'tick early': { type: 'tick', now, ...timing },
    'tick late': { type: 'tick', now: late, ...timing },
    'tick set back': { type: 'tick', now: NOW - 3_600_000, ...timing },
  };
}

function nameOf(state: SessionState): string {
  if (state.phase === 'absent') return `absent ${state.reason}`;
  if (state.phase === 'restoring') return state.slow ? 'restoring slow' : 'restoring';
  if (state.phase === 'locked') return `locked ${state.error.code}`;
  if (state.phase === 'adopting') return `adopting ${state.account.subject}`;
  return `live ${state.renewal.state} ${state.refreshToken ?? 'no refresh token'}${state.storeError === null ? '' : ` unstored`}`;
}

function describeStep(name: StateName, event: SessionEvent): string {
  const state = STATES[name];
  const next = stepSession(state, event);
  if (next.state === state && next.effects.length === 0) return '.';
  const effects = next.effects.map((effect) => {
    switch (effect.type) {
      case 'read-record':
      case 'remove-record':
      case 'suspend':
      case 'mark-refused':
        return `${effect.type} ${effect.account.subject}`;
      case 'write-record':
        return `${effect.type} ${effect.refreshToken ?? effect.access?.token}`;
      case 'renew':
        return `${effect.type} ${effect.refreshToken}`;
      case 'revoke':
        return `revoke ${effect.token}`;
      case 'adopted':
        return `adopted ${effect.attempt}`;
    }
  });
  return `${nameOf(next.state)}${next.state.epoch === state.epoch ? '' : ' +epoch'}${effects.length === 0 ? '' : `: ${effects.join(', ')}`}`;
}

/**
 * `.` is the same state and nothing to do; else the next state (`+epoch`: answers to what was asked
 * before are stale), and the effects.
 */
const TABLE: { readonly [S in StateName]: { readonly [E in EventName]: string } } = {
  absent: {
    restore: 'restoring +epoch: read-record ada',
    'record-found good': '.',
    'record-found due': '.',
    'record-absent': '.',
    'record-withheld': '.',
    'adopt same person': 'adopting ada +epoch: write-record refresh-9',
    'adopt another person': 'adopting grace +epoch: write-record refresh-9',
    'adopt without refresh token': 'adopting ada +epoch: write-record access-9',
    stored: '.',
    'stored stale': '.',
    'store-failed': '.',
    'store-failed stale': '.',
    'renewed rotated': '.',
    'renewed kept': '.',
    'renewed elsewhere': '.',
    'renew-failed': '.',
    'renew-failed refused': '.',
    'renew-failed refused by somebody': '.',
    'renew-failed ended': '.',
    demand: '.',
    retry: '.',
    'sign-out': '.',
    'wake by resume': '.',
    'wake by unlock': '.',
    'wake by online': '.',
    'wake late': '.',
    'tick early': '.',
    'tick late': '.',
    'tick set back': '.',
  },
  restoring: {
    restore: '.',
    'record-found good': 'live fresh refresh-0',
    'record-found due': 'live renewing refresh-0: renew refresh-0',
    'record-absent': 'absent signed-out +epoch',
    'record-withheld': 'locked keyring-locked',
    'adopt same person': 'adopting ada +epoch: write-record refresh-9',
    'adopt another person': 'adopting grace +epoch: remove-record ada, write-record refresh-9',
    'adopt without refresh token': 'adopting ada +epoch: write-record access-9',
    stored: '.',
    'stored stale': '.',
    'store-failed': '.',
    'store-failed stale': '.',
    'renewed rotated': '.',
    'renewed kept': '.',
    'renewed elsewhere': '.',
    'renew-failed': '.',
    'renew-failed refused': '.',
    'renew-failed refused by somebody': '.',
    'renew-failed ended': '.',
    demand: '.',
    retry: '.',
    'sign-out': 'absent signed-out +epoch: remove-record ada',
    'wake by resume': '.',
    'wake by unlock': '.',
    'wake by online': '.',
    'wake late': '.',
    'tick early': '.',
    'tick late': 'restoring slow',
    'tick set back': 'restoring',
  },
  locked: {
    restore: 'restoring +epoch: read-record ada',
    'record-found good': '.',
    'record-found due': '.',
    'record-absent': '.',
    'record-withheld': '.',
    'adopt same person': 'adopting ada +epoch: write-record refresh-9',
    'adopt another person': 'adopting grace +epoch: remove-record ada, write-record refresh-9',
    'adopt without refresh token': 'adopting ada +epoch: write-record access-9',
    stored: '.',
    'stored stale': '.',
    'store-failed': '.',
    'store-failed stale': '.',
    'renewed rotated': '.',
    'renewed kept': '.',
    'renewed elsewhere': '.',
    'renew-failed': '.',
    'renew-failed refused': '.',
    'renew-failed refused by somebody': '.',
    'renew-failed ended': '.',
    demand: '.',
    retry: 'restoring +epoch: read-record ada',
    'sign-out': 'absent signed-out +epoch: remove-record ada',
    'wake by resume': '.',
    'wake by unlock': 'restoring +epoch: read-record ada',
    'wake by online': '.',
    'wake late': '.',
    'tick early': '.',
    'tick late': '.',
    'tick set back': '.',
  },
  adopting: {
    restore: '.',
    'record-found good': '.',
    'record-found due': '.',
    'record-absent': '.',
    'record-withheld': '.',
    'adopt same person': 'adopting ada +epoch: adopted 7, write-record refresh-9',
    'adopt another person':
      'adopting grace +epoch: remove-record ada, revoke refresh-new, adopted 7, write-record refresh-9',
    'adopt without refresh token': 'adopting ada +epoch: adopted 7, write-record access-9',
    stored: 'live fresh refresh-new: adopted 7',
    'stored stale': 'live fresh refresh-new: adopted 7',
    'store-failed': 'live fresh refresh-new unstored: adopted 7',
    'store-failed stale': 'live fresh refresh-new unstored: adopted 7',
    'renewed rotated': '.',
    'renewed kept': '.',
    'renewed elsewhere': '.',
    'renew-failed': '.',
    'renew-failed refused': '.',
    'renew-failed refused by somebody': '.',
    'renew-failed ended': '.',
    demand: '.',
    retry: '.',
    'sign-out': 'absent signed-out +epoch: remove-record ada, revoke refresh-new, adopted 7',
    'wake by resume': '.',
    'wake by unlock': '.',
    'wake by online': '.',
    'wake late': '.',
    'tick early': '.',
    'tick late': 'live fresh refresh-new unstored: adopted 7',
    'tick set back': 'adopting ada',
  },
  'live fresh': {
    restore: '.',
    'record-found good': '.',
    'record-found due': '.',
    'record-absent': '.',
    'record-withheld': '.',
    'adopt same person': 'adopting ada +epoch: write-record refresh-9',
    'adopt another person':
      'adopting grace +epoch: remove-record ada, revoke refresh-1, write-record refresh-9',
    'adopt without refresh token': 'adopting ada +epoch: write-record refresh-1',
    stored: 'live fresh refresh-1',
    'stored stale': '.',
    'store-failed': 'live fresh refresh-1 unstored',
    'store-failed stale': '.',
    'renewed rotated': '.',
    'renewed kept': '.',
    'renewed elsewhere': '.',
    'renew-failed': '.',
    'renew-failed refused': '.',
    'renew-failed refused by somebody': '.',
    'renew-failed ended': '.',
    demand: 'live renewing refresh-1: renew refresh-1',
    retry: '.',
    'sign-out': 'absent signed-out +epoch: remove-record ada, revoke refresh-1',
    'wake by resume': '.',
    'wake by unlock': '.',
    'wake by online': '.',
    'wake late': 'live renewing refresh-1: renew refresh-1',
    'tick early': '.',
    'tick late': 'live renewing refresh-1: renew refresh-1',
    'tick set back': 'live renewing refresh-1: renew refresh-1',
  },
  'live fresh unstored': {
    restore: '.',
    'record-found good': '.',
    'record-found due': '.',
    'record-absent': '.',
    'record-withheld': '.',
    'adopt same person': 'adopting ada +epoch: write-record refresh-9',
    'adopt another person':
      'adopting grace +epoch: remove-record ada, revoke refresh-1, write-record refresh-9',
    'adopt without refresh token': 'adopting ada +epoch: write-record refresh-1',
    stored: 'live fresh refresh-1',
    'stored stale': '.',
    'store-failed': 'live fresh refresh-1 unstored',
    'store-failed stale': '.',
    'renewed rotated': '.',
    'renewed kept': '.',
    'renewed elsewhere': '.',
    'renew-failed': '.',
    'renew-failed refused': '.',
    'renew-failed refused by somebody': '.',
    'renew-failed ended': '.',
    demand: 'live renewing refresh-1 unstored: renew refresh-1',
    retry: 'live fresh refresh-1 unstored: write-record refresh-1',
    'sign-out': 'absent signed-out +epoch: remove-record ada, revoke refresh-1',
    'wake by resume': 'live fresh refresh-1 unstored: write-record refresh-1',
    'wake by unlock': 'live fresh refresh-1 unstored: write-record refresh-1',
    'wake by online': 'live fresh refresh-1 unstored: write-record refresh-1',
    'wake late': 'live renewing refresh-1 unstored: renew refresh-1',
    'tick early': '.',
    'tick late': 'live fresh refresh-1 unstored: write-record refresh-1',
    'tick set back': 'live renewing refresh-1 unstored: renew refresh-1',
  },
  'live renewing': {
    restore: '.',
    'record-found good': '.',
    'record-found due': '.',
    'record-absent': '.',
    'record-withheld': '.',
    'adopt same person': 'adopting ada +epoch: write-record refresh-9',
    'adopt another person':
      'adopting grace +epoch: remove-record ada, revoke refresh-1, write-record refresh-9',
    'adopt without refresh token': 'adopting ada +epoch: write-record access-9',
    stored: 'live renewing refresh-1',
    'stored stale': '.',
    'store-failed': 'live renewing refresh-1 unstored',
    'store-failed stale': '.',
    'renewed rotated': 'live saving refresh-1: write-record refresh-2',
    'renewed kept': 'live saving refresh-1: write-record refresh-1',
    'renewed elsewhere': 'live fresh refresh-2',
    'renew-failed': 'live waiting refresh-1',
    'renew-failed refused': 'live waiting refresh-1',
    'renew-failed refused by somebody': 'live waiting refresh-1',
    'renew-failed ended': 'absent ended +epoch: mark-refused ada',
    demand: '.',
    retry: '.',
    'sign-out': 'absent signed-out +epoch: remove-record ada, revoke refresh-1',
    'wake by resume': '.',
    'wake by unlock': '.',
    'wake by online': '.',
    'wake late': '.',
    'tick early': '.',
    'tick late': '.',
    'tick set back': '.',
  },
  'live renewing refused once': {
    restore: '.',
    'record-found good': '.',
    'record-found due': '.',
    'record-absent': '.',
    'record-withheld': '.',
    'adopt same person': 'adopting ada +epoch: write-record refresh-9',
    'adopt another person':
      'adopting grace +epoch: remove-record ada, revoke refresh-1, write-record refresh-9',
    'adopt without refresh token': 'adopting ada +epoch: write-record access-9',
    stored: 'live renewing refresh-1',
    'stored stale': '.',
    'store-failed': 'live renewing refresh-1 unstored',
    'store-failed stale': '.',
    'renewed rotated': 'live saving refresh-1: write-record refresh-2',
    'renewed kept': 'live saving refresh-1: write-record refresh-1',
    'renewed elsewhere': 'live fresh refresh-2',
    'renew-failed': 'live waiting refresh-1',
    'renew-failed refused': 'absent ended +epoch: suspend ada',
    'renew-failed refused by somebody': 'live waiting refresh-1',
    'renew-failed ended': 'absent ended +epoch: mark-refused ada',
    demand: '.',
    retry: '.',
    'sign-out': 'absent signed-out +epoch: remove-record ada, revoke refresh-1',
    'wake by resume': '.',
    'wake by unlock': '.',
    'wake by online': '.',
    'wake late': '.',
    'tick early': '.',
    'tick late': '.',
    'tick set back': '.',
  },
  'live saving': {
    restore: '.',
    'record-found good': '.',
    'record-found due': '.',
    'record-absent': '.',
    'record-withheld': '.',
    'adopt same person': 'adopting ada +epoch: write-record refresh-9',
    'adopt another person':
      'adopting grace +epoch: remove-record ada, revoke refresh-2, write-record refresh-9',
    'adopt without refresh token': 'adopting ada +epoch: write-record refresh-2',
    stored: 'live fresh refresh-2',
    'stored stale': '.',
    'store-failed': 'live fresh refresh-2 unstored',
    'store-failed stale': '.',
    'renewed rotated': '.',
    'renewed kept': '.',
    'renewed elsewhere': '.',
    'renew-failed': '.',
    'renew-failed refused': '.',
    'renew-failed refused by somebody': '.',
    'renew-failed ended': '.',
    demand: '.',
    retry: '.',
    'sign-out': 'absent signed-out +epoch: remove-record ada, revoke refresh-2',
    'wake by resume': '.',
    'wake by unlock': '.',
    'wake by online': '.',
    'wake late': '.',
    'tick early': '.',
    'tick late': 'live fresh refresh-2 unstored',
    'tick set back': 'live saving refresh-1',
  },
  'live waiting': {
    restore: '.',
    'record-found good': '.',
    'record-found due': '.',
    'record-absent': '.',
    'record-withheld': '.',
    'adopt same person': 'adopting ada +epoch: write-record refresh-9',
    'adopt another person':
      'adopting grace +epoch: remove-record ada, revoke refresh-1, write-record refresh-9',
    'adopt without refresh token': 'adopting ada +epoch: write-record refresh-1',
    stored: 'live waiting refresh-1',
    'stored stale': '.',
    'store-failed': 'live waiting refresh-1 unstored',
    'store-failed stale': '.',
    'renewed rotated': '.',
    'renewed kept': '.',
    'renewed elsewhere': '.',
    'renew-failed': '.',
    'renew-failed refused': '.',
    'renew-failed refused by somebody': '.',
    'renew-failed ended': '.',
    demand: 'live renewing refresh-1: renew refresh-1',
    retry: 'live renewing refresh-1: renew refresh-1',
    'sign-out': 'absent signed-out +epoch: remove-record ada, revoke refresh-1',
    'wake by resume': 'live renewing refresh-1: renew refresh-1',
    'wake by unlock': 'live renewing refresh-1: renew refresh-1',
    'wake by online': 'live renewing refresh-1: renew refresh-1',
    'wake late': 'live renewing refresh-1: renew refresh-1',
    'tick early': '.',
    'tick late': 'live renewing refresh-1: renew refresh-1',
    'tick set back': 'live renewing refresh-1: renew refresh-1',
  },
  'live waiting as asked': {
    restore: '.',
    'record-found good': '.',
    'record-found due': '.',
    'record-absent': '.',
    'record-withheld': '.',
    'adopt same person': 'adopting ada +epoch: write-record refresh-9',
    'adopt another person':
      'adopting grace +epoch: remove-record ada, revoke refresh-1, write-record refresh-9',
    'adopt without refresh token': 'adopting ada +epoch: write-record refresh-1',
    stored: 'live waiting refresh-1',
    'stored stale': '.',
    'store-failed': 'live waiting refresh-1 unstored',
    'store-failed stale': '.',
    'renewed rotated': '.',
    'renewed kept': '.',
    'renewed elsewhere': '.',
    'renew-failed': '.',
    'renew-failed refused': '.',
    'renew-failed refused by somebody': '.',
    'renew-failed ended': '.',
    demand: 'live renewing refresh-1: renew refresh-1',
    retry: 'live renewing refresh-1: renew refresh-1',
    'sign-out': 'absent signed-out +epoch: remove-record ada, revoke refresh-1',
    'wake by resume': '.',
    'wake by unlock': '.',
    'wake by online': '.',
    'wake late': 'live renewing refresh-1: renew refresh-1',
    'tick early': '.',
    'tick late': 'live renewing refresh-1: renew refresh-1',
    'tick set back': 'live renewing refresh-1: renew refresh-1',
  },
};

describe('every state × event of the session', () => {
  for (const name of Object.keys(STATES) as StateName[]) {
    for (const [event, value] of Object.entries(eventsFor(name)) as [EventName, SessionEvent][]) {
      it(`${name} × ${event} → ${TABLE[name][event]}`, () => {
        expect(describeStep(name, value)).toBe(TABLE[name][event]);
      });
    }
  }
});

describe('a write', () => {
  const event = eventsFor('live saving');

  it('of the same refresh token is made again while the keychain does not have it', () => {
    const unstored: SessionState = {
      ...live,
      storeError: transient,
      renewal: { state: 'renewing', since: NOW, trouble: NO_TROUBLE },
    };
    const next = stepSession(unstored, event['renewed kept']);
    expect(next.effects).toMatchObject([{ type: 'write-record', refreshToken: 'refresh-1' }]);
  });

  it('whose answer comes after a renewal has begun another one does not speak for it', () => {
    const saving = stepSession(STATES['live renewing'], event['renewed rotated']);
    const before = saving.state as LiveSession;
    expect(before.save).toBeGreaterThan(live.save);
    expect(stepSession(before, { type: 'stored', save: live.save, now: NOW, ...timing })).toEqual({
      state: before,
      effects: [],
    });
  });
});

describe('what a caller who needs a token gets', () => {
  const answer = (state: SessionState, now: number): string => {
    const given = answerToken(state, now);
    return given.kind === 'token'
      ? given.token
      : given.kind === 'error'
        ? given.error.code
        : given.kind;
  };

  it.each<[string, SessionState, number, string]>([
    ['nobody is signed in', STATES.absent, NOW, 'signed-out'],
    [
      'the server ended it',
      {
        ...STATES.absent,
        reason: 'ended',
        error: new AuthError('session-ended', 'over'),
      } as SessionState,
      NOW,
      'session-ended',
    ],
    ['the keyring is being read', STATES.restoring, NOW, 'wait'],
    [
      'the keyring is slow',
      { ...STATES.restoring, slow: true } as SessionState,
      NOW,
      'keyring-locked',
    ],
    ['the keyring is locked', STATES.locked, NOW, 'network-failed'],
    ['a sign-in is being stored', STATES.adopting, NOW, 'wait'],
    ['it is fresh', STATES['live fresh'], NOW, 'access-1'],
    ['its renewal is due', STATES['live fresh'], NOW + 540_000, 'demand'],
    ['it is over', STATES['live fresh'], NOW + 600_000, 'demand'],
    [
      'it is over and cannot be renewed',
      { ...live, refreshToken: null, renewal: { state: 'fresh', since: NOW, renewAt: null } },
      NOW + 600_000,
      'demand',
    ],
    [
      'it never ends',
      {
        ...live,
        refreshToken: null,
        access: { token: 'access-1', obtainedAt: NOW, expiresAt: null },
        renewal: { state: 'fresh', since: NOW, renewAt: null },
      },
      NOW * 1000,
      'access-1',
    ],
    ['it is being renewed', STATES['live renewing'], NOW, 'wait'],
    [
      'it is being renewed for long, and still valid',
      STATES['live renewing'],
      NOW + 2_000,
      'access-1',
    ],
    ['it is being renewed for long, and over', STATES['live renewing'], NOW + 600_000, 'wait'],
    ['its successor is being saved', STATES['live saving'], NOW, 'wait'],
    ['the renewal failed, but it is still valid', STATES['live waiting'], NOW, 'access-1'],
    [
      'the renewal failed just now, and it is over',
      { ...STATES['live waiting'], access: null } as SessionState,
      NOW + 1_999,
      'network-failed',
    ],
    [
      'the renewal failed a pause ago, and it is over',
      { ...STATES['live waiting'], access: null } as SessionState,
      NOW + 2_000,
      'demand',
    ],
    [
      'the server asked for patience, and it is over',
      {
        ...live,
        access: null,
        renewal: {
          state: 'waiting',
          since: NOW,
          failedAt: NOW,
          nextTryAt: NOW + 60_000,
          trouble: NO_TROUBLE,
          error: new AuthError('server-unavailable', 'busy', { retryAfterSeconds: 60 }),
        },
      },
      NOW + 59_999,
      'server-unavailable',
    ],
    [
      // A server that gives tokens without life: the caller must not make us ask again and again.
      'it was over when it came',
      {
        ...live,
        access: { token: 'access-1', obtainedAt: NOW, expiresAt: NOW },
        renewal: { state: 'fresh', since: NOW, renewAt: NOW + 1_000 },
      },
      NOW,
      'access-1',
    ],
  ])('when %s', (_what, state, now, expected) => {
    expect(answer(state, now)).toBe(expected);
  });
});

describe('when the machine wants a tick', () => {
  it.each<[StateName, number, number | null]>([
    ['absent', NOW, null],
    ['restoring', NOW, NOW + LIMITS.keyringSlowMs],
    ['locked', NOW, null],
    ['adopting', NOW, NOW + LIMITS.keyringWriteSlowMs],
    ['live fresh', NOW, NOW + 540_000],
    ['live renewing', NOW, NOW + 2_000],
    ['live renewing', NOW + 2_000, null],
    ['live saving', NOW, NOW + 2_000],
    ['live saving', NOW + 2_000, NOW + LIMITS.keyringWriteSlowMs],
    ['live waiting', NOW, NOW + 2_000],
  ])('%s at %i: %s', (name, now, expected) => {
    expect(sessionDeadline(STATES[name], now)).toBe(expected);
  });

  it('is the end of a token that cannot be renewed', () => {
    expect(
      sessionDeadline(
        { ...live, refreshToken: null, renewal: { state: 'fresh', since: NOW, renewAt: null } },
        NOW,
      ),
    ).toBe(NOW + 600_000);
  });
});
