// The machine of the session: every state × event in one table. Properties over histories stand in session-history.test.ts.
import { describe, expect, it } from 'vitest';
import { AuthError } from '../../src/main/core/errors.js';
import { LIMITS } from '../../src/main/core/options.js';
import type { Grant } from '../../src/main/core/protocol.js';
import { type LiveSession, type Renewal, type SessionEvent, type SessionState, answerToken, sessionDeadline, stepSession } from '../../src/main/core/session.js';

type StateName = Exclude<SessionState['phase'], 'live'> | `live ${Renewal['state']}`;
type Split = 'adopt' | 'stored' | 'store-failed' | 'renewed' | 'renew-failed' | 'tick';
type EventName =
  | Exclude<SessionEvent['type'], Split>
  | 'adopt same person' | 'adopt another person' | 'adopt without refresh token'
  | 'stored' | 'stored stale' | 'store-failed' | 'store-failed stale'
  | 'renewed rotated' | 'renewed kept' | 'renew-failed' | 'renew-failed ended' | 'tick early' | 'tick late';

const NOW = 1_000_000;
const ada = { id: 'ada-id', issuer: 'https://id.example', subject: 'ada' };
const grace = { id: 'grace-id', issuer: 'https://id.example', subject: 'grace' };
const transient = new AuthError('network-failed', 'gone');
const grantOf = (name: string, refreshToken: string | null): Grant => ({ accessToken: `access-${name}`, obtainedAt: NOW, expiresAt: NOW + 600_000, refreshToken, scope: 'read' });
const timing = { random: 0, renewEarlySeconds: 60 };

const live: LiveSession = {
  phase: 'live', epoch: 3, account: ada, refreshToken: 'refresh-1', scope: 'read', save: 2, storeError: null,
  access: { token: 'access-1', obtainedAt: NOW, expiresAt: NOW + 600_000 },
  renewal: { state: 'fresh', since: NOW, renewAt: NOW + 540_000 },
};

const STATES: { readonly [N in StateName]: SessionState } = {
  absent: { phase: 'absent', epoch: 3, reason: 'never', account: null, error: null },
  restoring: { phase: 'restoring', epoch: 3, account: ada, since: NOW, slow: false },
  locked: { phase: 'locked', epoch: 3, account: ada, error: transient },
  adopting: { phase: 'adopting', epoch: 3, account: ada, grant: grantOf('new', 'refresh-new'), attempt: 7, since: NOW, previous: null },
  'live fresh': live,
  'live renewing': { ...live, renewal: { state: 'renewing', since: NOW, failures: 1 } },
  'live saving': { ...live, renewal: { state: 'saving', since: NOW, grant: grantOf('2', 'refresh-2') } },
  'live waiting': { ...live, renewal: { state: 'waiting', since: NOW, failedAt: NOW, nextTryAt: NOW + 2_000, failures: 1, error: transient } },
};

const SAVE: { readonly [N in StateName]: number } = { absent: 0, restoring: 0, locked: 0, adopting: 0, 'live fresh': 2, 'live renewing': 2, 'live saving': 2, 'live waiting': 2 };

function eventsFor(state: StateName): { readonly [N in EventName]: SessionEvent } {
  const now = NOW + 1_000;
  const save = SAVE[state];
  return {
    restore: { type: 'restore', account: ada, now },
    'record-found': { type: 'record-found', record: { version: 1, clientId: 'c', account: ada, refreshToken: 'refresh-0', scope: 'read', savedAt: 1 }, now },
    'record-absent': { type: 'record-absent' },
    'record-withheld': { type: 'record-withheld', error: new AuthError('keyring-locked', 'locked') },
    'adopt same person': { type: 'adopt', grant: grantOf('9', 'refresh-9'), account: ada, attempt: 9, now },
    'adopt another person': { type: 'adopt', grant: grantOf('9', 'refresh-9'), account: grace, attempt: 9, now },
    'adopt without refresh token': { type: 'adopt', grant: grantOf('9', null), account: ada, attempt: 9, now },
    stored: { type: 'stored', save, now, ...timing },
    'stored stale': { type: 'stored', save: save - 1, now, ...timing },
    'store-failed': { type: 'store-failed', save, error: new AuthError('keyring-locked', 'locked'), now, ...timing },
    'store-failed stale': { type: 'store-failed', save: save - 1, error: new AuthError('keyring-locked', 'locked'), now, ...timing },
    'renewed rotated': { type: 'renewed', grant: grantOf('2', 'refresh-2'), now, ...timing },
    'renewed kept': { type: 'renewed', grant: grantOf('2', 'refresh-1'), now, ...timing },
    'renew-failed': { type: 'renew-failed', error: transient, now, random: 0 },
    'renew-failed ended': { type: 'renew-failed', error: new AuthError('session-ended', 'over'), now, random: 0 },
    demand: { type: 'demand', now },
    retry: { type: 'retry', now },
    'sign-out': { type: 'sign-out' },
    'tick early': { type: 'tick', now, ...timing },
    'tick late': { type: 'tick', now: NOW + 3_600_000, ...timing },
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
      case 'read-record': case 'remove-record': case 'mark-refused': return `${effect.type} ${effect.account.subject}`;
      case 'write-record': case 'renew': return `${effect.type} ${effect.refreshToken}`;
      case 'revoke': return `revoke ${effect.token}`;
      case 'adopted': return `adopted ${effect.attempt}`;
    }
  });
  return `${nameOf(next.state)}${next.state.epoch === state.epoch ? '' : ' +epoch'}${effects.length === 0 ? '' : `: ${effects.join(', ')}`}`;
}

/** `.` is the same state and nothing to do; else the next state (`+epoch`: answers to what was asked before are stale), and the effects. */
const TABLE: { readonly [S in StateName]: { readonly [E in EventName]: string } } = {
  absent: {
    restore: 'restoring +epoch: read-record ada',
    'record-found': '.',
    'record-absent': '.',
    'record-withheld': '.',
    'adopt same person': 'adopting ada +epoch: write-record refresh-9',
    'adopt another person': 'adopting grace +epoch: write-record refresh-9',
    'adopt without refresh token': 'live fresh no refresh token unstored +epoch: adopted 9',
    stored: '.',
    'stored stale': '.',
    'store-failed': '.',
    'store-failed stale': '.',
    'renewed rotated': '.',
    'renewed kept': '.',
    'renew-failed': '.',
    'renew-failed ended': '.',
    demand: '.',
    retry: '.',
    'sign-out': '.',
    'tick early': '.',
    'tick late': '.',
  },
  restoring: {
    restore: '.',
    'record-found': 'live renewing refresh-0: renew refresh-0',
    'record-absent': 'absent signed-out +epoch',
    'record-withheld': 'locked keyring-locked',
    'adopt same person': 'adopting ada +epoch: write-record refresh-9',
    'adopt another person': 'adopting grace +epoch: remove-record ada, write-record refresh-9',
    'adopt without refresh token': 'live fresh no refresh token unstored +epoch: adopted 9',
    stored: '.',
    'stored stale': '.',
    'store-failed': '.',
    'store-failed stale': '.',
    'renewed rotated': '.',
    'renewed kept': '.',
    'renew-failed': '.',
    'renew-failed ended': '.',
    demand: '.',
    retry: '.',
    'sign-out': 'absent signed-out +epoch: remove-record ada',
    'tick early': '.',
    'tick late': 'restoring slow',
  },
  locked: {
    restore: 'restoring +epoch: read-record ada',
    'record-found': '.',
    'record-absent': '.',
    'record-withheld': '.',
    'adopt same person': 'adopting ada +epoch: write-record refresh-9',
    'adopt another person': 'adopting grace +epoch: remove-record ada, write-record refresh-9',
    'adopt without refresh token': 'live fresh no refresh token unstored +epoch: adopted 9',
    stored: '.',
    'stored stale': '.',
    'store-failed': '.',
    'store-failed stale': '.',
    'renewed rotated': '.',
    'renewed kept': '.',
    'renew-failed': '.',
    'renew-failed ended': '.',
    demand: '.',
    retry: 'restoring +epoch: read-record ada',
    'sign-out': 'absent signed-out +epoch: remove-record ada',
    'tick early': '.',
    'tick late': '.',
  },
  adopting: {
    restore: '.',
    'record-found': '.',
    'record-absent': '.',
    'record-withheld': '.',
    'adopt same person': 'adopting ada +epoch: adopted 7, write-record refresh-9',
    'adopt another person': 'adopting grace +epoch: remove-record ada, revoke refresh-new, adopted 7, write-record refresh-9',
    'adopt without refresh token': 'live fresh no refresh token unstored +epoch: adopted 7, adopted 9',
    stored: 'live fresh refresh-new: adopted 7',
    'stored stale': 'live fresh refresh-new: adopted 7',
    'store-failed': 'live fresh refresh-new unstored: adopted 7',
    'store-failed stale': 'live fresh refresh-new unstored: adopted 7',
    'renewed rotated': '.',
    'renewed kept': '.',
    'renew-failed': '.',
    'renew-failed ended': '.',
    demand: '.',
    retry: '.',
    'sign-out': 'absent signed-out +epoch: remove-record ada, revoke refresh-new, adopted 7',
    'tick early': '.',
    'tick late': 'live fresh refresh-new unstored: adopted 7',
  },
  'live fresh': {
    restore: '.',
    'record-found': '.',
    'record-absent': '.',
    'record-withheld': '.',
    'adopt same person': 'adopting ada +epoch: write-record refresh-9',
    'adopt another person': 'adopting grace +epoch: remove-record ada, revoke refresh-1, write-record refresh-9',
    'adopt without refresh token': 'adopting ada +epoch: write-record refresh-1',
    stored: 'live fresh refresh-1',
    'stored stale': '.',
    'store-failed': 'live fresh refresh-1 unstored',
    'store-failed stale': '.',
    'renewed rotated': '.',
    'renewed kept': '.',
    'renew-failed': '.',
    'renew-failed ended': '.',
    demand: 'live renewing refresh-1: renew refresh-1',
    retry: '.',
    'sign-out': 'absent signed-out +epoch: remove-record ada, revoke refresh-1',
    'tick early': '.',
    'tick late': 'live renewing refresh-1: renew refresh-1',
  },
  'live renewing': {
    restore: '.',
    'record-found': '.',
    'record-absent': '.',
    'record-withheld': '.',
    'adopt same person': 'adopting ada +epoch: write-record refresh-9',
    'adopt another person': 'adopting grace +epoch: remove-record ada, revoke refresh-1, write-record refresh-9',
    'adopt without refresh token': 'live fresh no refresh token unstored +epoch: adopted 9',
    stored: 'live renewing refresh-1',
    'stored stale': '.',
    'store-failed': 'live renewing refresh-1 unstored',
    'store-failed stale': '.',
    'renewed rotated': 'live saving refresh-1: write-record refresh-2',
    'renewed kept': 'live fresh refresh-1',
    'renew-failed': 'live waiting refresh-1',
    'renew-failed ended': 'absent ended +epoch: mark-refused ada',
    demand: '.',
    retry: '.',
    'sign-out': 'absent signed-out +epoch: remove-record ada, revoke refresh-1',
    'tick early': '.',
    'tick late': '.',
  },
  'live saving': {
    restore: '.',
    'record-found': '.',
    'record-absent': '.',
    'record-withheld': '.',
    'adopt same person': 'adopting ada +epoch: write-record refresh-9',
    'adopt another person': 'adopting grace +epoch: remove-record ada, revoke refresh-2, write-record refresh-9',
    'adopt without refresh token': 'adopting ada +epoch: write-record refresh-2',
    stored: 'live fresh refresh-2',
    'stored stale': '.',
    'store-failed': 'live fresh refresh-2 unstored',
    'store-failed stale': '.',
    'renewed rotated': '.',
    'renewed kept': '.',
    'renew-failed': '.',
    'renew-failed ended': '.',
    demand: '.',
    retry: '.',
    'sign-out': 'absent signed-out +epoch: remove-record ada, revoke refresh-2',
    'tick early': '.',
    'tick late': 'live fresh refresh-2 unstored',
  },
  'live waiting': {
    restore: '.',
    'record-found': '.',
    'record-absent': '.',
    'record-withheld': '.',
    'adopt same person': 'adopting ada +epoch: write-record refresh-9',
    'adopt another person': 'adopting grace +epoch: remove-record ada, revoke refresh-1, write-record refresh-9',
    'adopt without refresh token': 'adopting ada +epoch: write-record refresh-1',
    stored: 'live waiting refresh-1',
    'stored stale': '.',
    'store-failed': 'live waiting refresh-1 unstored',
    'store-failed stale': '.',
    'renewed rotated': '.',
    'renewed kept': '.',
    'renew-failed': '.',
    'renew-failed ended': '.',
    demand: 'live renewing refresh-1: renew refresh-1',
    retry: 'live renewing refresh-1: renew refresh-1',
    'sign-out': 'absent signed-out +epoch: remove-record ada, revoke refresh-1',
    'tick early': '.',
    'tick late': 'live renewing refresh-1: renew refresh-1',
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
    const unstored: SessionState = { ...live, storeError: transient, renewal: { state: 'renewing', since: NOW, failures: 0 } };
    const next = stepSession(unstored, event['renewed kept']);
    expect(next.effects).toMatchObject([{ type: 'write-record', refreshToken: 'refresh-1' }]);
  });

  it('whose answer comes after a renewal has begun another one does not speak for it', () => {
    const saving = stepSession(STATES['live renewing'], event['renewed rotated']);
    const before = saving.state as LiveSession;
    expect(before.save).toBeGreaterThan(live.save);
    expect(stepSession(before, { type: 'stored', save: live.save, now: NOW, ...timing })).toEqual({ state: before, effects: [] });
  });
});

describe('what a caller who needs a token gets', () => {
  const answer = (state: SessionState, now: number): string => {
    const given = answerToken(state, now);
    return given.kind === 'token' ? given.token : given.kind === 'error' ? given.error.code : given.kind;
  };

  it.each<[string, SessionState, number, string]>([
    ['nobody is signed in', STATES.absent, NOW, 'signed-out'],
    ['the server ended it', { ...STATES.absent, reason: 'ended', error: new AuthError('session-ended', 'over') } as SessionState, NOW, 'session-ended'],
    ['the keyring is being read', STATES.restoring, NOW, 'wait'],
    ['the keyring is slow', { ...STATES.restoring, slow: true } as SessionState, NOW, 'keyring-locked'],
    ['the keyring is locked', STATES.locked, NOW, 'network-failed'],
    ['a sign-in is being stored', STATES.adopting, NOW, 'wait'],
    ['it is fresh', STATES['live fresh'], NOW, 'access-1'],
    ['its renewal is due', STATES['live fresh'], NOW + 540_000, 'demand'],
    ['it is over', STATES['live fresh'], NOW + 600_000, 'demand'],
    ['it is over and cannot be renewed', { ...live, refreshToken: null, renewal: { state: 'fresh', since: NOW, renewAt: null } }, NOW + 600_000, 'session-ended'],
    ['it never ends', { ...live, refreshToken: null, access: { token: 'access-1', obtainedAt: NOW, expiresAt: null }, renewal: { state: 'fresh', since: NOW, renewAt: null } }, NOW * 1000, 'access-1'],
    ['it is being renewed', STATES['live renewing'], NOW, 'wait'],
    ['it is being renewed for long, and still valid', STATES['live renewing'], NOW + 2_000, 'access-1'],
    ['it is being renewed for long, and over', STATES['live renewing'], NOW + 600_000, 'wait'],
    ['its successor is being saved', STATES['live saving'], NOW, 'wait'],
    ['the renewal failed, but it is still valid', STATES['live waiting'], NOW, 'access-1'],
    ['the renewal failed just now, and it is over', { ...STATES['live waiting'], access: null } as SessionState, NOW + 1_999, 'network-failed'],
    ['the renewal failed a pause ago, and it is over', { ...STATES['live waiting'], access: null } as SessionState, NOW + 2_000, 'demand'],
    [
      'the server asked for patience, and it is over',
      { ...live, access: null, renewal: { state: 'waiting', since: NOW, failedAt: NOW, nextTryAt: NOW + 60_000, failures: 1, error: new AuthError('server-unavailable', 'busy', { retryAfterSeconds: 60 }) } },
      NOW + 59_999,
      'server-unavailable',
    ],
    [
      // A server that gives tokens without life: the caller must not make us ask again and again.
      'it was over when it came',
      { ...live, access: { token: 'access-1', obtainedAt: NOW, expiresAt: NOW }, renewal: { state: 'fresh', since: NOW, renewAt: NOW + 1_000 } },
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
    expect(sessionDeadline({ ...live, refreshToken: null, renewal: { state: 'fresh', since: NOW, renewAt: null } }, NOW)).toBe(NOW + 600_000);
  });
});
