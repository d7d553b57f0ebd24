// Machines → view: what a page is told in each state, and that no secret is among it.
import { describe, expect, it } from 'vitest';
import type { AttemptState } from '../../../src/main/core/authorization/attempt-state.js';
import { AuthError } from '../../../src/main/core/base/errors.js';
import {
  type LiveSession,
  NO_TROUBLE,
  type SessionState,
} from '../../../src/main/core/session/session-state.js';
import { type ViewInput, toView } from '../../../src/main/core/view.js';

const ada = { id: 'ada-id', issuer: 'https://id.example', subject: 'ada', name: 'Ada' };
const expired = new AuthError('sign-in-expired', 'late');
const locked = new AuthError('keyring-locked', 'locked', { cause: 'secret-cause' });
const tokens = {
  accessToken: 'secret-access',
  obtainedAt: 10,
  expiresAt: 70,
  refreshToken: 'secret-refresh',
  scope: 'read',
};
const live: LiveSession = {
  phase: 'live',
  epoch: 1,
  account: ada,
  refreshToken: 'secret-refresh',
  scope: 'read',
  save: 0,
  storeError: null,
  storeRetryAt: null,
  identityMismatch: false,
  resources: [],
  targetRenewal: null,
  targets: new Map(),
  access: { token: 'secret-access', obtainedAt: 10, expiresAt: 70 },
  renewal: { state: 'fresh', since: 10, renewAt: 60 },
};
const absent: SessionState = {
  phase: 'absent',
  epoch: 0,
  reason: 'never',
  account: null,
  error: null,
};
const open = { number: 1, request: {}, startedAt: 1, expiresAt: 301, patienceMs: 300 } as const;
const redirect = { id: 1, kind: 'loopback', device: null } as const;
const waiting: AttemptState = {
  ...open,
  phase: 'waiting',
  redirects: [redirect],
  next: null,
  switching: false,
};
const attempt = { stage: 'waiting', redirect: 'loopback', startedAt: 1, expiresAt: 301 };
const fresh = { state: 'fresh', since: 10, expiresAt: 70, renewAt: 60 };

const view = (input: Partial<ViewInput>): unknown =>
  toView({
    started: true,
    session: absent,
    attempts: [],
    attemptError: null,
    memoryOnly: false,
    ...input,
  });

describe('toView', () => {
  it.each<[string, Partial<ViewInput>, unknown]>([
    ['before the start is over', { started: false, session: live }, { status: 'starting' }],
    [
      'while the file that names the accounts cannot be read',
      { session: { ...absent, error: new AuthError('storage-failed', 'held') } },
      { status: 'locked', error: { code: 'storage-failed', retry: 'user', message: 'held' } },
    ],
    [
      'while it cannot, and the person signs in',
      {
        session: { ...absent, error: new AuthError('storage-failed', 'held') },
        attempts: [waiting],
      },
      {
        status: 'locked',
        error: { code: 'storage-failed', retry: 'user', message: 'held' },
        attempt,
      },
    ],
    [
      'while the keychain is read',
      { session: { phase: 'restoring', epoch: 1, account: ada, since: 1, slow: false } },
      { status: 'starting' },
    ],
    [
      'while the keychain waits for its password',
      { session: { phase: 'restoring', epoch: 1, account: ada, since: 1, slow: true } },
      {
        status: 'locked',
        lastAccount: ada,
        error: {
          code: 'keyring-locked',
          retry: 'user',
          message: 'the keyring is waiting for its password',
        },
      },
    ],
    [
      'when the keychain is locked',
      { session: { phase: 'locked', epoch: 1, account: ada, error: locked } },
      {
        status: 'locked',
        lastAccount: ada,
        error: { code: 'keyring-locked', retry: 'user', message: 'locked' },
      },
    ],
    [
      'when it is locked and a sign-in is open',
      { session: { phase: 'locked', epoch: 1, account: ada, error: locked }, attempts: [waiting] },
      {
        status: 'locked',
        lastAccount: ada,
        error: { code: 'keyring-locked', retry: 'user', message: 'locked' },
        attempt,
      },
    ],
    ['when nobody was ever signed in', {}, { status: 'signed-out', reason: 'never' }],
    [
      'when somebody signed out',
      { session: { ...absent, reason: 'signed-out', account: ada } },
      { status: 'signed-out', reason: 'signed-out', lastAccount: ada },
    ],
    [
      'when the server ended it',
      { session: { ...absent, reason: 'ended', account: ada, error: expired } },
      {
        status: 'signed-out',
        reason: 'ended',
        lastAccount: ada,
        error: { code: 'sign-in-expired', retry: 'sign-in', message: 'late' },
      },
    ],
    [
      'when an attempt failed',
      { attemptError: expired },
      {
        status: 'signed-out',
        reason: 'never',
        error: { code: 'sign-in-expired', retry: 'sign-in', message: 'late' },
      },
    ],
    [
      'while an attempt is open',
      {
        session: { ...absent, account: ada, reason: 'signed-out' },
        attempts: [waiting],
        attemptError: expired,
      },
      { status: 'signing-in', attempt, lastAccount: ada },
    ],
    [
      'while a sign-in is stored',
      {
        session: {
          phase: 'adopting',
          epoch: 1,
          account: ada,
          tokens,
          attempt: 1,
          since: 1,
          previous: null,
        },
        attempts: [{ ...open, phase: 'storing', redirect }],
      },
      { status: 'signing-in', attempt: { ...attempt, stage: 'redeeming' } },
    ],
    [
      'while another sign-in is stored',
      {
        session: {
          phase: 'adopting',
          epoch: 1,
          account: ada,
          tokens,
          attempt: 1,
          since: 1,
          previous: live,
        },
        attempts: [],
      },
      { status: 'signed-in', account: ada, remembered: true, store: 'keychain', renewal: fresh },
    ],
    [
      'when somebody is signed in',
      { session: live },
      { status: 'signed-in', account: ada, remembered: true, store: 'keychain', renewal: fresh },
    ],
    [
      'when it is not remembered',
      { session: { ...live, storeError: locked } },
      {
        status: 'signed-in',
        account: ada,
        remembered: false,
        store: 'memory',
        renewal: fresh,
        error: { code: 'keyring-locked', retry: 'user', message: 'locked' },
      },
    ],
    [
      'when the host chose memory',
      { session: { ...live, storeError: locked }, memoryOnly: true },
      { status: 'signed-in', account: ada, remembered: false, store: 'memory', renewal: fresh },
    ],
    [
      'when it has no refresh token',
      {
        session: {
          ...live,
          refreshToken: null,
          renewal: { state: 'fresh', since: 50, renewAt: null },
        },
      },
      {
        status: 'signed-in',
        account: ada,
        remembered: true,
        store: 'keychain',
        renewal: { ...fresh, renewAt: null },
      },
    ],
    [
      'when it has no refresh token, and the keychain is asked for newer tokens',
      {
        session: {
          ...live,
          refreshToken: null,
          storeError: locked,
          renewal: { state: 'renewing', since: 60, trouble: NO_TROUBLE },
        },
      },
      {
        status: 'signed-in',
        account: ada,
        remembered: false,
        store: 'memory',
        renewal: { ...fresh, renewAt: null },
        error: { code: 'keyring-locked', retry: 'user', message: 'locked' },
      },
    ],
    [
      'while it is renewed',
      { session: { ...live, renewal: { state: 'renewing', since: 60, trouble: NO_TROUBLE } } },
      {
        status: 'signed-in',
        account: ada,
        remembered: true,
        store: 'keychain',
        renewal: { state: 'renewing', since: 60, expiresAt: 70 },
      },
    ],
    [
      'while the renewed one is saved',
      { session: { ...live, renewal: { state: 'saving', since: 60, tokens } } },
      {
        status: 'signed-in',
        account: ada,
        remembered: true,
        store: 'keychain',
        renewal: { state: 'renewing', since: 60, expiresAt: 70 },
      },
    ],
    [
      'while it waits for the network',
      {
        session: {
          ...live,
          access: null,
          renewal: {
            state: 'waiting',
            since: 60,
            failedAt: 61,
            nextTryAt: 63,
            trouble: NO_TROUBLE,
            error: expired,
          },
        },
      },
      {
        status: 'signed-in',
        account: ada,
        remembered: true,
        store: 'keychain',
        renewal: {
          state: 'waiting',
          since: 60,
          expiresAt: null,
          nextTryAt: 63,
          error: { code: 'sign-in-expired', retry: 'sign-in', message: 'late' },
        },
      },
    ],
    [
      'with a further attempt',
      { session: live, attempts: [waiting] },
      {
        status: 'signed-in',
        account: ada,
        remembered: true,
        store: 'keychain',
        renewal: fresh,
        attempt,
      },
    ],
  ])('%s', (_what, input, expected) => {
    expect(view(input)).toEqual(expected);
    expect(JSON.stringify(view(input))).not.toContain('secret');
  });

  it('shows why the last attempt failed rather than why the session before it ended', () => {
    expect(
      view({
        session: { ...absent, reason: 'ended', account: ada, error: locked },
        attemptError: expired,
      }),
    ).toMatchObject({ error: { code: 'sign-in-expired' } });
  });

  it('shows the newest of several attempts', () => {
    expect(view({ attempts: [waiting, { ...waiting, number: 2, startedAt: 5 }] })).toMatchObject({
      attempt: { startedAt: 5 },
    });
    expect(
      view({
        attempts: [waiting, { phase: 'ended', number: 2, outcome: 'failed', error: expired }],
      }),
    ).toMatchObject({ attempt: { startedAt: 1 } });
  });

  it('survives a clone, as IPC makes one', () => {
    const shown = view({ session: { ...live, storeError: locked }, attempts: [waiting] });
    expect(structuredClone(shown)).toEqual(shown);
  });
});
