// The machine of one attempt: every state × event in one table, and what holds for every history of
// events.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type {
  AttemptEffect,
  AttemptEvent,
  AttemptState,
  AttemptRedirect,
} from '../../../src/main/core/authorization/attempt-state.js';
import {
  attemptDeadline,
  attemptView,
  beginAttempt,
  stepAttempt,
} from '../../../src/main/core/authorization/attempt.js';
import type { DeviceWait } from '../../../src/main/core/authorization/device-polling.js';
import { AuthError } from '../../../src/main/core/base/errors.js';
import type { TokenSet } from '../../../src/main/core/base/tokens.js';

const START = 1_000_000;
const END = START + 300_000;
const open = { number: 7, request: {}, startedAt: START, expiresAt: END, patienceMs: 300_000 };
const account = { id: 'id', issuer: 'https://id.example', subject: 'ada' };
const tokens: TokenSet = {
  accessToken: 'access-secret',
  obtainedAt: START,
  expiresAt: START + 1,
  refreshToken: 'refresh-secret',
  scope: 'read',
};
const failure = new AuthError('network-failed', 'gone');
const scheme: AttemptRedirect = { id: 1, kind: 'custom-scheme', device: null };
const wait: DeviceWait = {
  view: { userCode: 'ABCD-EFGH', verificationUri: 'https://id.example/device' },
  expiresAt: START + 200_000,
  intervalMs: 5_000,
  failures: 0,
  asking: { since: START, at: START + 5_000 },
};
const device: AttemptRedirect = { id: 2, kind: 'device-code', device: wait };
const asked: AttemptRedirect = { ...device, device: { ...wait, asking: null } };

/** Every phase, and of `waiting` every mixture of redirects that differs. */
const STATES = {
  preparing: { ...open, phase: 'preparing' },
  waiting: {
    ...open,
    phase: 'waiting',
    redirects: [scheme],
    next: 'device-code',
    switching: false,
  },
  'waiting, the last redirect': {
    ...open,
    phase: 'waiting',
    redirects: [scheme],
    next: null,
    switching: false,
  },
  'waiting, switching': {
    ...open,
    phase: 'waiting',
    redirects: [scheme],
    next: 'device-code',
    switching: true,
  },
  'waiting for a device code': {
    ...open,
    phase: 'waiting',
    redirects: [device],
    next: 'paste',
    switching: false,
  },
  'waiting for a device code, asked': {
    ...open,
    phase: 'waiting',
    redirects: [asked],
    next: null,
    switching: false,
  },
  'waiting for both': {
    ...open,
    phase: 'waiting',
    redirects: [scheme, device],
    next: null,
    switching: false,
  },
  redeeming: { ...open, phase: 'redeeming', redirect: scheme },
  storing: { ...open, phase: 'storing', redirect: scheme },
  ended: { number: 7, phase: 'ended', outcome: 'failed', error: failure },
} as const satisfies Readonly<Record<string, AttemptState>>;
type StateName = keyof typeof STATES;

const EVENTS = {
  'prepared 3': {
    type: 'prepared',
    redirect: { id: 3, kind: 'loopback', device: null },
    next: 'paste',
    now: START + 10_000,
  },
  'prepared a device code': {
    type: 'prepared',
    redirect: { ...device, id: 3, device: { ...wait, expiresAt: END + 900_000 } },
    next: null,
    now: START,
  },
  'prepare-failed': { type: 'prepare-failed', error: failure, next: 'paste' },
  'next-redirect': { type: 'next-redirect' },
  'no browser for 1': {
    type: 'redirect-failed',
    redirect: 1,
    error: new AuthError('browser-failed', 'none'),
  },
  '2 refused': {
    type: 'redirect-failed',
    redirect: 2,
    error: new AuthError('sign-in-refused', 'no'),
  },
  '2 denied': {
    type: 'redirect-failed',
    redirect: 2,
    error: new AuthError('sign-in-denied', 'no'),
  },
  '2 expired': {
    type: 'redirect-failed',
    redirect: 2,
    error: new AuthError('sign-in-expired', 'late'),
  },
  'callback on 1': { type: 'callback', redirect: 1 },
  'callback on 9': { type: 'callback', redirect: 9 },
  'polled 2': { type: 'polled', redirect: 2, answer: { state: 'pending' }, now: START + 6_000 },
  'redeemed 1': { type: 'redeemed', redirect: 1, tokens, account },
  'redeemed 2': { type: 'redeemed', redirect: 2, tokens, account },
  'redeem-failed': { type: 'redeem-failed', error: failure },
  'redeem-failed as denied': {
    type: 'redeem-failed',
    error: new AuthError('sign-in-denied', 'no'),
  },
  stored: { type: 'stored' },
  reopen: { type: 'reopen' },
  cancel: { type: 'cancel' },
  'tick at a question': { type: 'tick', now: START + 5_000 },
  "tick at the code's end": { type: 'tick', now: START + 200_000 },
  'tick before the end': { type: 'tick', now: END - 1 },
  'tick at the end': { type: 'tick', now: END },
} as const satisfies Readonly<Record<string, AttemptEvent>>;
type EventName = keyof typeof EVENTS;

const CANCELLED = 'ended sign-in-cancelled: close failed';
const EXPIRED = 'ended sign-in-expired: close failed';
/**
 * `.` is the same state and nothing to do; else the next phase with its redirects, and the effects after
 * a colon.
 */
const TABLE: { readonly [S in StateName]: { readonly [N in EventName]?: string } } = {
  preparing: {
    'prepared 3': 'waiting 3: open-browser 3',
    'prepared a device code': 'waiting 3',
    'prepare-failed': 'ended network-failed: close failed',
    'redeemed 1': 'preparing: discard',
    'redeemed 2': 'preparing: discard',
    cancel: CANCELLED,
    'tick at the end': EXPIRED,
  },
  waiting: {
    'prepared 3': 'waiting 1: close-redirect 3',
    'prepared a device code': 'waiting 1: close-redirect 3',
    'next-redirect': 'waiting 1 switching: prepare',
    'no browser for 1': 'preparing: close-redirect 1, prepare',
    'callback on 1': 'redeeming 1: redeem 1',
    'redeemed 1': 'storing 1: adopt',
    'redeemed 2': 'waiting 1: discard',
    reopen: 'waiting 1: open-browser 1 again',
    cancel: CANCELLED,
    'tick at the end': EXPIRED,
  },
  'waiting, the last redirect': {
    'prepared 3': 'waiting 1: close-redirect 3',
    'prepared a device code': 'waiting 1: close-redirect 3',
    'no browser for 1': 'ended browser-failed: close failed',
    'callback on 1': 'redeeming 1: redeem 1',
    'redeemed 1': 'storing 1: adopt',
    'redeemed 2': 'waiting 1: discard',
    reopen: 'waiting 1: open-browser 1 again',
    cancel: CANCELLED,
    'tick at the end': EXPIRED,
  },
  'waiting, switching': {
    'prepared 3': 'waiting 1 3: extend 310, open-browser 3',
    'prepared a device code': 'waiting 1 3: extend 1200',
    'prepare-failed': 'waiting 1',
    'no browser for 1': 'preparing: close-redirect 1',
    'callback on 1': 'redeeming 1: redeem 1',
    'redeemed 1': 'storing 1: adopt',
    'redeemed 2': 'waiting 1 switching: discard',
    reopen: 'waiting 1 switching: open-browser 1 again',
    cancel: CANCELLED,
    'tick at the end': EXPIRED,
  },
  'waiting for a device code': {
    'prepared 3': 'waiting 2: close-redirect 3',
    'prepared a device code': 'waiting 2: close-redirect 3',
    'next-redirect': 'waiting 2 switching: prepare',
    '2 refused': 'preparing: close-redirect 2, prepare',
    '2 denied': 'ended sign-in-denied: close denied',
    '2 expired': EXPIRED,
    'redeemed 1': 'waiting 2: discard',
    'redeemed 2': 'storing 2: adopt',
    reopen: 'waiting 2: open-browser 2 again',
    cancel: CANCELLED,
    'tick at a question': 'waiting 2: poll 2',
    "tick at the code's end": EXPIRED,
    'tick before the end': EXPIRED,
    'tick at the end': EXPIRED,
  },
  'waiting for a device code, asked': {
    'prepared 3': 'waiting 2: close-redirect 3',
    'prepared a device code': 'waiting 2: close-redirect 3',
    '2 refused': 'ended sign-in-refused: close failed',
    '2 denied': 'ended sign-in-denied: close denied',
    '2 expired': EXPIRED,
    'polled 2': 'waiting 2',
    'redeemed 1': 'waiting 2: discard',
    'redeemed 2': 'storing 2: adopt',
    reopen: 'waiting 2: open-browser 2 again',
    cancel: CANCELLED,
    'tick at the end': EXPIRED,
  },
  'waiting for both': {
    'prepared 3': 'waiting 1 2: close-redirect 3',
    'prepared a device code': 'waiting 1 2: close-redirect 3',
    'no browser for 1': 'waiting 2: close-redirect 1',
    '2 refused': 'waiting 1: close-redirect 2',
    '2 denied': 'ended sign-in-denied: close denied',
    '2 expired': 'waiting 1: close-redirect 2',
    'callback on 1': 'redeeming 1: close-redirect 2, redeem 1',
    'redeemed 1': 'storing 1: close-redirect 2, adopt',
    'redeemed 2': 'storing 2: close-redirect 1, adopt',
    reopen: 'waiting 1 2: open-browser 2 again',
    cancel: CANCELLED,
    'tick at a question': 'waiting 1 2: poll 2',
    "tick at the code's end": 'waiting 1: close-redirect 2',
    'tick before the end': 'waiting 1: close-redirect 2',
    'tick at the end': EXPIRED,
  },
  redeeming: {
    'prepared 3': 'redeeming 1: close-redirect 3',
    'prepared a device code': 'redeeming 1: close-redirect 3',
    'redeemed 1': 'storing 1: adopt',
    'redeemed 2': 'redeeming 1: discard',
    'redeem-failed': 'ended network-failed: close failed',
    'redeem-failed as denied': 'ended sign-in-denied: close denied',
    cancel: CANCELLED,
  },
  storing: {
    'prepared 3': 'storing 1: close-redirect 3',
    'prepared a device code': 'storing 1: close-redirect 3',
    'redeemed 1': 'storing 1: discard',
    'redeemed 2': 'storing 1: discard',
    stored: 'ended: close signed-in',
  },
  ended: {
    'redeemed 1': 'ended network-failed: discard',
    'redeemed 2': 'ended network-failed: discard',
  },
};

function describeStep(state: AttemptState, event: AttemptEvent): string {
  const next = stepAttempt(state, event);
  if (next.state === state && next.effects.length === 0) return '.';
  const effects = next.effects.map(describeEffect).join(', ');
  return `${describeState(next.state)}${effects === '' ? '' : `: ${effects}`}`;
}

function describeState(state: AttemptState): string {
  if (state.phase === 'ended') return `ended${state.error === null ? '' : ` ${state.error.code}`}`;
  if (state.phase === 'preparing') return state.phase;
  return state.phase === 'waiting'
    ? `waiting ${state.redirects.map(({ id }) => id).join(' ')}${state.switching ? ' switching' : ''}`
    : `${state.phase} ${state.redirect.id}`;
}

function describeEffect(effect: AttemptEffect): string {
  if (effect.type === 'close') return `close ${effect.outcome}`;
  if (effect.type === 'extend') return `extend ${(effect.expiresAt - START) / 1000}`;
  return `${effect.type}${'redirect' in effect ? ` ${effect.redirect}` : ''}${'again' in effect && effect.again ? ' again' : ''}`;
}

describe('every state × event of an attempt', () => {
  for (const state of Object.keys(STATES) as StateName[]) {
    for (const event of Object.keys(EVENTS) as EventName[]) {
      const expected = TABLE[state][event] ?? '.';
      it(`${state} × ${event} → ${expected}`, () => {
        expect(describeStep(STATES[state], EVENTS[event])).toBe(expected);
      });
    }
  }
});

describe('a clock that is set back behind the beginning of an attempt', () => {
  const MONTH = 30 * 86_400_000;
  const back = START - MONTH;

  it('is noticed at once, and gives the person the whole time once more: neither none nor a month', () => {
    for (const name of ['preparing', 'waiting', 'waiting for both'] as const) {
      const before = STATES[name];
      expect(attemptDeadline(before, back)).toBe(back);
      const { state, effects } = stepAttempt(before, { type: 'tick', now: back });
      expect(attemptView(state)).toMatchObject({ startedAt: back });
      const end = back + ('patienceMs' in before ? before.patienceMs : NaN);
      expect(effects).toEqual(
        name === 'preparing' ? [] : [{ type: 'extend', expiresAt: expect.any(Number) as number }],
      );
      expect((attemptDeadline(state, back) ?? NaN) - back).toBeGreaterThan(0);
      expect((attemptDeadline(state, back) ?? NaN) - end).toBeLessThanOrEqual(0);
      expect(stepAttempt(state, { type: 'tick', now: end + 900_000 }).state.phase).toBe('ended');
    }
  });

  it('asks for a device code at the pace of the provider, and lets it end', () => {
    const { state } = stepAttempt(STATES['waiting for a device code'], { type: 'tick', now: back });
    expect((attemptDeadline(state, back) ?? NaN) - back).toBeLessThanOrEqual(5_000);
    expect(describeStep(state, { type: 'tick', now: back + 5_000 })).toContain('poll');
    const device = state.phase === 'waiting' ? state.redirects[0]?.device : null;
    expect((device?.expiresAt ?? Infinity) - back).toBeLessThanOrEqual(900_000);
  });

  it('that is corrected by less than a minute makes a device code asked about at once', () => {
    const device = STATES['waiting for a device code'];
    const corrected = START - 30_000;
    expect(attemptDeadline(device, corrected)).toBe(corrected);
    expect(describeStep(device, { type: 'tick', now: corrected })).toContain('poll');
  });

  it('that is corrected by less than a minute changes nothing', () => {
    expect(describeStep(STATES.waiting, { type: 'tick', now: START - 60_000 })).toBe('.');
  });
});

describe('an attempt with several redirects', () => {
  it('gives the person the whole time again, and a device code all of its own', () => {
    const switched = stepAttempt(STATES['waiting, switching'], EVENTS['prepared 3']).state;
    expect(attemptView(switched)).toEqual({
      stage: 'waiting',
      redirect: 'loopback',
      otherWay: 'paste',
      startedAt: START,
      expiresAt: START + 310_000,
    });
    const device = stepAttempt(
      STATES['waiting, switching'],
      EVENTS['prepared a device code'],
    ).state;
    expect(attemptView(device)).toMatchObject({
      redirect: 'device-code',
      device: { userCode: 'ABCD-EFGH' },
      expiresAt: END + 900_000,
    });
    expect(attemptDeadline(device, START)).toBe(START + 5_000);
  });

  it('never shortens its time', () => {
    const long = { ...STATES['waiting, switching'], expiresAt: END + 5_000_000 };
    expect(stepAttempt(long, EVENTS['prepared 3']).state).toMatchObject({
      expiresAt: END + 5_000_000,
    });
  });

  it('shows the time of a code that ends before the attempt does', () => {
    expect(attemptView(STATES['waiting for both'])).toMatchObject({
      redirect: 'device-code',
      expiresAt: START + 200_000,
    });
    expect(attemptView(stepAttempt(STATES['waiting for both'], EVENTS['2 expired']).state)).toEqual(
      { stage: 'waiting', redirect: 'custom-scheme', startedAt: START, expiresAt: END },
    );
  });

  it('offers nothing while another redirect is being prepared', () => {
    expect(attemptView(STATES['waiting, switching'])).toEqual({
      stage: 'preparing',
      startedAt: START,
      expiresAt: END,
    });
  });

  it('can be asked for the other redirect again when preparing it failed', () => {
    const back = stepAttempt(STATES['waiting, switching'], EVENTS['prepare-failed']).state;
    expect(attemptView(back)).toMatchObject({
      stage: 'waiting',
      redirect: 'custom-scheme',
      otherWay: 'paste',
    });
    expect(describeStep(back, EVENTS['next-redirect'])).toBe('waiting 1 switching: prepare');
  });

  it('asks again one interval after the answer came, not after the question', () => {
    const answered = stepAttempt(
      STATES['waiting for a device code, asked'],
      EVENTS['polled 2'],
    ).state;
    expect(attemptDeadline(answered, START + 6_000)).toBe(START + 11_000);
    expect(describeStep(answered, { type: 'tick', now: START + 10_999 })).toBe('.');
    expect(describeStep(answered, { type: 'tick', now: START + 11_000 })).toBe('waiting 2: poll 2');
  });
});

const anyEvent = fc.oneof(
  fc.constantFrom<AttemptEvent>(
    ...Object.values<AttemptEvent>(EVENTS).filter((event) => event.type !== 'tick'),
  ),
  fc
    .integer({ min: START - 10, max: END + 10 })
    .map((now): AttemptEvent => ({ type: 'tick', now })),
);
const history = fc.array(anyEvent, { maxLength: 60 });

interface Step {
  readonly before: AttemptState;
  readonly event: AttemptEvent;
  readonly after: AttemptState;
  readonly effects: readonly AttemptEffect[];
}

/**
 * Runs a history and gives each step as it was taken. Each prepared redirect is a new one, as attempt-effects.ts
 * has it.
 */
function run(events: readonly AttemptEvent[]): readonly Step[] {
  let state: AttemptState = beginAttempt(7, {}, START, 300);
  let ids = 0;
  return events.map((given) => {
    const event: AttemptEvent =
      given.type === 'prepared'
        ? { ...given, redirect: { ...given.redirect, id: (ids += 1) } }
        : given;
    const before = state;
    const next = stepAttempt(state, event);
    state = next.state;
    return { before, event, after: next.state, effects: next.effects };
  });
}

const openWays = (state: AttemptState): readonly number[] =>
  state.phase === 'waiting'
    ? state.redirects.map(({ id }) => id)
    : state.phase === 'redeeming' || state.phase === 'storing'
      ? [state.redirect.id]
      : [];

describe('every history of an attempt', () => {
  it('redeems at most once, whatever callbacks come on whatever redirects', () => {
    fc.assert(
      fc.property(history, (events) => {
        expect(
          run(events)
            .flatMap(({ effects }) => effects)
            .filter(({ type }) => type === 'redeem').length,
        ).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('closes everything exactly once when it ends, and never before', () => {
    fc.assert(
      fc.property(history, (events) => {
        const steps = run(events);
        const closes = steps
          .flatMap(({ effects }) => effects)
          .filter(({ type }) => type === 'close').length;
        expect(closes).toBe(steps.at(-1)?.after.phase === 'ended' ? 1 : 0);
      }),
    );
  });

  it('closes each redirect that it loses, and none that is still open', () => {
    fc.assert(
      fc.property(history, (events) => {
        for (const { before, event, after, effects } of run(events)) {
          if (after.phase === 'ended') continue;
          const lost = [
            ...openWays(before),
            ...(event.type === 'prepared' ? [event.redirect.id] : []),
          ].filter((id) => !openWays(after).includes(id));
          expect(
            effects
              .flatMap((effect) => (effect.type === 'close-redirect' ? [effect.redirect] : []))
              .sort(),
          ).toEqual([...new Set(lost)].sort());
        }
      }),
    );
  });

  it('has a redirect to wait for while it waits, prepares one at a time, and asks one question at a time', () => {
    fc.assert(
      fc.property(history, (events) => {
        let preparing = 1;
        for (const { event, after, effects } of run(events)) {
          if (event.type === 'prepared' || event.type === 'prepare-failed') preparing = 0;
          preparing += effects.filter(({ type }) => type === 'prepare').length;
          expect(preparing).toBeLessThanOrEqual(1);
          if (after.phase === 'waiting') expect(after.redirects.length).toBeGreaterThan(0);
          for (const effect of effects)
            if (effect.type === 'poll')
              expect(after).toMatchObject({
                redirects: expect.arrayContaining([
                  expect.objectContaining({
                    id: effect.redirect,
                    device: expect.objectContaining({ asking: null }) as unknown,
                  }),
                ]) as unknown,
              });
        }
      }),
    );
  });

  it('never leaves its end, and keeps the first outcome', () => {
    fc.assert(
      fc.property(history, (events) => {
        for (const { before, after } of run(events))
          if (before.phase === 'ended') expect(after).toBe(before);
      }),
    );
  });

  it('hands every tokens on exactly once: to the session, or to be discarded', () => {
    fc.assert(
      fc.property(history, (events) => {
        let adopted = 0;
        for (const { event, effects } of run(events)) {
          const grants = effects.filter(({ type }) => type === 'adopt' || type === 'discard');
          expect(grants.length).toBe(event.type === 'redeemed' ? 1 : 0);
          adopted += grants.filter(({ type }) => type === 'adopt').length;
        }
        expect(adopted).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('wants no tick that is already due after it had one', () => {
    fc.assert(
      fc.property(
        history,
        fc.integer({ min: START - 30 * 86_400_000, max: END * 2 }),
        (events, now) => {
          const state = run([...events, { type: 'tick', now }]).at(-1)!.after;
          expect(attemptDeadline(state, now) ?? Infinity).toBeGreaterThan(now);
        },
      ),
    );
  });

  it('shows no token in its view', () => {
    fc.assert(
      fc.property(history, (events) => {
        for (const { after } of run(events))
          expect(JSON.stringify(attemptView(after))).not.toContain('secret');
      }),
    );
  });
});
