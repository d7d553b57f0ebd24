// The two machines as tables, made by running them: each cell is what the machine does, not what
// somebody wrote down. The sample states and events are complete by type: a new phase or event does
// not compile until it has a sample.
import type { AccountView } from '../../src/contract.js';
import type {
  AttemptEvent,
  AttemptState,
  AttemptRedirect,
} from '../../src/main/core/authorization/attempt-state.js';
import { stepAttempt } from '../../src/main/core/authorization/attempt.js';
import { AuthError } from '../../src/main/core/base/errors.js';
import type { TokenSet } from '../../src/main/core/base/tokens.js';
import type { SessionRecord } from '../../src/main/core/storage/records.js';
import {
  type LiveSession,
  NO_SESSION,
  NO_TROUBLE,
  type SessionEvent,
  type SessionState,
} from '../../src/main/core/session/session-state.js';
import { stepSession } from '../../src/main/core/session/session.js';
import { table } from './documents.js';

/** Samples of one event; where they lead to different ends, the words say which is which. */
type Samples<Event extends { readonly type: string }> = {
  readonly [Type in Event['type']]: Readonly<Record<string, Event & { readonly type: Type }>>;
};

const FAR = 10_000_000;
const error = new AuthError('network-failed', 'a sample');
const ended = new AuthError('session-ended', 'a sample');
const refused = new AuthError('sign-in-refused', 'a sample');
const ada: AccountView = { id: 'ada', issuer: 'https://login.example.com', subject: 'ada' };
const bob: AccountView = { ...ada, id: 'bob', subject: 'bob' };
const tokens: TokenSet = {
  accessToken: 'a2',
  obtainedAt: 0,
  expiresAt: FAR,
  refreshToken: 'r2',
  scope: 'openid',
};
const timing = { random: 0, renewEarlySeconds: 60 } as const;

const open = { number: 1, request: {}, startedAt: 0, expiresAt: 1_000, patienceMs: 1_000 } as const;
const loopback: AttemptRedirect = { id: 1, kind: 'loopback', device: null };
/** A device code whose next question is due at 500. */
const device: AttemptRedirect = {
  id: 2,
  kind: 'device-code',
  device: {
    view: { userCode: 'ABCD', verificationUri: 'https://login.example.com/device' },
    expiresAt: 900,
    intervalMs: 500,
    failures: 0,
    asking: { since: 0, at: 500 },
  },
};
const denied = new AuthError('sign-in-denied', 'a sample');
const noBrowser = new AuthError('browser-failed', 'a sample');
const late = new AuthError('sign-in-expired', 'a sample');
const attemptStates: {
  readonly [Phase in AttemptState['phase']]: AttemptState & { readonly phase: Phase };
} = {
  preparing: { ...open, phase: 'preparing' },
  waiting: {
    ...open,
    phase: 'waiting',
    redirects: [loopback],
    next: 'device-code',
    switching: false,
  },
  redeeming: { ...open, phase: 'redeeming', redirect: loopback },
  storing: { ...open, phase: 'storing', redirect: loopback },
  ended: { number: 1, phase: 'ended', outcome: 'failed', error },
};
const attemptEvents: Samples<AttemptEvent> = {
  prepared: {
    'a redirect': { type: 'prepared', redirect: { ...loopback, id: 2 }, next: null, now: 1 },
    'a device code': { type: 'prepared', redirect: device, next: null, now: 1 },
  },
  'prepare-failed': { any: { type: 'prepare-failed', error, next: null } },
  'next-redirect': { any: { type: 'next-redirect' } },
  'redirect-failed': {
    'the person said no': { type: 'redirect-failed', redirect: 1, error: denied },
    'no browser, or refused': { type: 'redirect-failed', redirect: 1, error: noBrowser },
    'time is up': { type: 'redirect-failed', redirect: 1, error: late },
  },
  callback: { any: { type: 'callback', redirect: 1 } },
  polled: { any: { type: 'polled', redirect: 2, answer: { state: 'slow-down' }, now: 1 } },
  redeemed: {
    'by this redirect': { type: 'redeemed', redirect: 1, tokens, account: ada },
    'by one that is closed': { type: 'redeemed', redirect: 2, tokens, account: ada },
  },
  'redeem-failed': { any: { type: 'redeem-failed', error } },
  stored: { any: { type: 'stored' } },
  reopen: { any: { type: 'reopen' } },
  cancel: { any: { type: 'cancel' } },
  tick: {
    early: { type: 'tick', now: 1 },
    'a question is due': { type: 'tick', now: 600 },
    'the device code is over': { type: 'tick', now: 950 },
    'time is up': { type: 'tick', now: 2_000 },
  },
};
/** Waiting, by what is open and what is still to come. */
const waitingStates: Readonly<Record<string, AttemptState>> = {
  'one redirect': attemptStates.waiting,
  'one redirect, no other left': { ...attemptStates.waiting, next: null },
  'one redirect, another is prepared': { ...attemptStates.waiting, switching: true },
  'two redirects, one a device code': {
    ...attemptStates.waiting,
    redirects: [loopback, device],
    next: null,
  },
  'two redirects, while it is asked': {
    ...attemptStates.waiting,
    redirects: [loopback, { ...device, device: { ...device.device!, asking: null } }],
    next: null,
  },
};

const live: LiveSession = {
  phase: 'live',
  epoch: 1,
  account: ada,
  refreshToken: 'r1',
  scope: 'openid',
  access: { token: 'a1', obtainedAt: 0, expiresAt: 2_000 },
  renewal: { state: 'fresh', since: 0, renewAt: 1_000 },
  save: 0,
  storeError: null,
  storeRetryAt: null,
  identityMismatch: false,
  resources: [],
  targetRenewal: null,
  targets: new Map(),
};
const phases: {
  readonly [Phase in SessionState['phase']]: SessionState & { readonly phase: Phase };
} = {
  absent: NO_SESSION,
  restoring: { phase: 'restoring', epoch: 1, account: ada, since: 0, slow: false },
  locked: { phase: 'locked', epoch: 1, account: ada, error },
  adopting: {
    phase: 'adopting',
    epoch: 1,
    account: ada,
    tokens,
    attempt: 1,
    since: 0,
    previous: null,
  },
  live,
};
const renewals: { readonly [State in LiveSession['renewal']['state']]: LiveSession } = {
  fresh: live,
  renewing: {
    ...live,
    renewal: { state: 'renewing', since: 0, trouble: { ...NO_TROUBLE, refusals: 1 } },
  },
  saving: { ...live, renewal: { state: 'saving', since: 0, tokens } },
  waiting: {
    ...live,
    renewal: {
      state: 'waiting',
      since: 0,
      failedAt: 0,
      nextTryAt: 1_000,
      trouble: NO_TROUBLE,
      error,
    },
  },
};
const { live: _live, ...early } = phases;
const record: SessionRecord = {
  version: 1,
  clientId: 'c',
  account: ada,
  refreshToken: 'r1',
  scope: 'openid',
  savedAt: 0,
  access: null,
};
const sessionEvents: Samples<SessionEvent> = {
  restore: { any: { type: 'restore', account: ada, now: 1 } },
  'record-found': {
    'token still good': {
      type: 'record-found',
      record: { ...record, access: { token: 'a1', obtainedAt: 0, expiresAt: FAR } },
      now: 1,
      ...timing,
    },
    'token due or missing': { type: 'record-found', record, now: 1, ...timing },
  },
  'record-absent': { any: { type: 'record-absent' } },
  'record-withheld': { any: { type: 'record-withheld', error } },
  adopt: {
    'same person': { type: 'adopt', tokens, account: ada, attempt: 2, now: 1 },
    'another person': { type: 'adopt', tokens, account: bob, attempt: 2, now: 1 },
    'no refresh token': {
      type: 'adopt',
      tokens: { ...tokens, refreshToken: null },
      account: ada,
      attempt: 2,
      now: 1,
    },
  },
  stored: { any: { type: 'stored', save: 0, now: 1, ...timing } },
  'store-failed': { any: { type: 'store-failed', save: 0, error, now: 1, ...timing } },
  renewed: {
    'new tokens': { type: 'renewed', tokens, stored: false, now: 1, ...timing },
    'found in the record': { type: 'renewed', tokens, stored: true, now: 1, ...timing },
  },
  'renew-failed': {
    invalid_grant: { type: 'renew-failed', error: ended, refused: false, now: 1, random: 0 },
    'refused the second time': {
      type: 'renew-failed',
      error: refused,
      refused: true,
      now: 1,
      random: 0,
    },
    'anything else': { type: 'renew-failed', error, refused: false, now: 1, random: 0 },
    'tokens of somebody else': {
      type: 'renew-failed',
      error,
      refused: false,
      rotated: 'refresh-2',
      now: 1,
      random: 0,
    },
  },
  demand: {
    'the token of the sign-in': { type: 'demand', target: null, now: 1 },
    'another resource': {
      type: 'demand',
      target: { key: 'api', resource: 'https://api.example', scope: null },
      now: 1,
    },
  },
  retry: { any: { type: 'retry', now: 1 } },
  wake: {
    unlock: { type: 'wake', signal: 'unlock', now: 1 },
    'resume, online': { type: 'wake', signal: 'resume', now: 1 },
    'after a long sleep': { type: 'wake', signal: 'resume', now: FAR },
  },
  'sign-out': { any: { type: 'sign-out' } },
  tick: {
    early: { type: 'tick', now: 1, ...timing },
    'time is up': { type: 'tick', now: FAR, ...timing },
  },
};

const NOTHING = '–';

function nameOf(state: AttemptState | SessionState): string {
  return state.phase === 'live' ? `live, ${state.renewal.state}` : state.phase;
}

/** What one event does in one state: "→ next state · effects", or "–". */
function outcome<State extends AttemptState | SessionState>(
  before: State,
  step: { readonly state: State; readonly effects: readonly { readonly type: string }[] },
): string {
  const effects = step.effects.map(({ type }) => `\`${type}\``).join(', ');
  if (step.state === before) return effects === '' ? NOTHING : effects;
  const changed = nameOf(step.state) === nameOf(before) ? 'stays' : `→ **${nameOf(step.state)}**`;
  return effects === '' ? changed : `${changed} · ${effects}`;
}

function matrix<State extends AttemptState | SessionState, Event extends { readonly type: string }>(
  states: readonly State[],
  events: Samples<Event>,
  step: (
    state: State,
    event: Event,
  ) => { readonly state: State; readonly effects: readonly { readonly type: string }[] },
  names: readonly string[] = states.map(nameOf),
): string {
  const rows = Object.entries<Readonly<Record<string, Event>>>(events).map(([type, samples]) => {
    const cells = states.map((state) => {
      const outcomes = Object.entries(samples).map(
        ([label, event]) => [label, outcome(state, step(state, event))] as const,
      );
      const distinct = new Set(outcomes.map(([, text]) => text));
      if (distinct.size === 1) return [...distinct].join('');
      return outcomes
        .filter(([, text]) => text !== NOTHING)
        .map(([label, text]) => `${label}: ${text}`)
        .join('<br>');
    });
    return [`\`${type}\``, ...cells];
  });
  return table(['event', ...names], rows);
}

/** The states of an attempt; of those that wait, the one with one redirect. */
export function attemptTable(): string {
  return matrix(Object.values<AttemptState>(attemptStates), attemptEvents, stepAttempt);
}

/** An attempt that waits, by its redirects. */
export function waitingTable(): string {
  return matrix(
    Object.values(waitingStates),
    attemptEvents,
    stepAttempt,
    Object.keys(waitingStates),
  );
}

/** The session outside `live`. */
export function sessionTable(): string {
  return matrix(Object.values<SessionState>(early), sessionEvents, stepSession);
}

/** The session in `live`, by the state of its renewal. */
export function liveTable(): string {
  return matrix(Object.values<SessionState>(renewals), sessionEvents, stepSession);
}
