// The machine of one attempt: every state × event in one table, and what holds for every history of events.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AttemptEffect, type AttemptEvent, type AttemptState, attemptDeadline, attemptView, beginAttempt, stepAttempt } from '../../src/main/core/attempt.js';
import { AuthError } from '../../src/main/core/errors.js';
import type { Grant } from '../../src/main/core/protocol.js';

type Phase = AttemptState['phase'];
type EventName = Exclude<AttemptEvent['type'], 'tick' | 'redeem-failed'> | 'tick before the end' | 'tick at the end' | 'redeem-failed' | 'redeem-failed as denied';

const START = 1_000_000;
const END = START + 300_000;
const open = { number: 7, request: {}, startedAt: START, expiresAt: END };
const account = { id: 'id', issuer: 'https://id.example', subject: 'ada' };
const grant: Grant = { accessToken: 'access-secret', obtainedAt: START, expiresAt: START + 1, refreshToken: 'refresh-secret', scope: 'read' };
const failure = new AuthError('network-failed', 'gone');

const STATES: { readonly [P in Phase]: AttemptState & { readonly phase: P } } = {
  preparing: { ...open, phase: 'preparing' },
  waiting: { ...open, phase: 'waiting', redirect: 'custom-scheme' },
  redeeming: { ...open, phase: 'redeeming', redirect: 'custom-scheme' },
  storing: { ...open, phase: 'storing', redirect: 'custom-scheme' },
  ended: { number: 7, phase: 'ended', outcome: 'failed', error: failure },
};

const EVENTS: { readonly [N in EventName]: AttemptEvent } = {
  prepared: { type: 'prepared', redirect: 'loopback' },
  'prepare-failed': { type: 'prepare-failed', error: failure },
  'browser-failed': { type: 'browser-failed', error: failure },
  callback: { type: 'callback' },
  redeemed: { type: 'redeemed', grant, account },
  'redeem-failed': { type: 'redeem-failed', error: failure },
  'redeem-failed as denied': { type: 'redeem-failed', error: new AuthError('sign-in-denied', 'no') },
  stored: { type: 'stored' },
  reopen: { type: 'reopen' },
  cancel: { type: 'cancel' },
  'tick before the end': { type: 'tick', now: END - 1 },
  'tick at the end': { type: 'tick', now: END },
};

/** `.` is the same state and nothing to do; else the next phase, and the effects after a colon. */
const TABLE: { readonly [P in Phase]: { readonly [N in EventName]: string } } = {
  preparing: {
    prepared: 'waiting: open-browser', 'prepare-failed': 'ended network-failed: close failed', 'browser-failed': '.', callback: '.', redeemed: '.',
    'redeem-failed': '.', 'redeem-failed as denied': '.', stored: '.', reopen: '.', cancel: 'ended sign-in-cancelled: close failed',
    'tick before the end': '.', 'tick at the end': 'ended sign-in-expired: close failed',
  },
  waiting: {
    prepared: '.', 'prepare-failed': '.', 'browser-failed': 'ended network-failed: close failed', callback: 'redeeming: redeem', redeemed: '.',
    'redeem-failed': '.', 'redeem-failed as denied': '.', stored: '.', reopen: 'waiting: open-browser', cancel: 'ended sign-in-cancelled: close failed',
    'tick before the end': '.', 'tick at the end': 'ended sign-in-expired: close failed',
  },
  redeeming: {
    prepared: '.', 'prepare-failed': '.', 'browser-failed': '.', callback: '.', redeemed: 'storing: adopt',
    'redeem-failed': 'ended network-failed: close failed', 'redeem-failed as denied': 'ended sign-in-denied: close denied', stored: '.', reopen: '.',
    cancel: 'ended sign-in-cancelled: close failed', 'tick before the end': '.', 'tick at the end': '.',
  },
  storing: {
    prepared: '.', 'prepare-failed': '.', 'browser-failed': '.', callback: '.', redeemed: '.', 'redeem-failed': '.', 'redeem-failed as denied': '.',
    stored: 'ended: close signed-in', reopen: '.', cancel: '.', 'tick before the end': '.', 'tick at the end': '.',
  },
  ended: {
    prepared: '.', 'prepare-failed': '.', 'browser-failed': '.', callback: '.', redeemed: 'ended network-failed: discard', 'redeem-failed': '.',
    'redeem-failed as denied': '.', stored: '.', reopen: '.', cancel: '.', 'tick before the end': '.', 'tick at the end': '.',
  },
};

function describeStep(state: AttemptState, event: AttemptEvent): string {
  const next = stepAttempt(state, event);
  if (next.state === state && next.effects.length === 0) return '.';
  const code = next.state.phase === 'ended' && next.state.error !== null ? ` ${next.state.error.code}` : '';
  const effects = next.effects.map((effect) => (effect.type === 'close' ? `close ${effect.outcome}` : effect.type)).join(', ');
  return `${next.state.phase}${code}${effects === '' ? '' : `: ${effects}`}`;
}

describe('every state × event of an attempt', () => {
  for (const phase of Object.keys(STATES) as Phase[]) {
    for (const name of Object.keys(EVENTS) as EventName[]) {
      it(`${phase} × ${name} → ${TABLE[phase][name]}`, () => {
        expect(describeStep(STATES[phase], EVENTS[name])).toBe(TABLE[phase][name]);
      });
    }
  }
});

const anyEvent = fc.oneof(
  fc.constantFrom<AttemptEvent>(...Object.values(EVENTS).filter((event) => event.type !== 'tick')),
  fc.integer({ min: START - 10, max: END + 10 }).map((now): AttemptEvent => ({ type: 'tick', now })),
);
const history = fc.array(anyEvent, { maxLength: 40 });

/** Runs a history and gives each step as it was taken. */
function run(events: readonly AttemptEvent[]): readonly { readonly before: AttemptState; readonly event: AttemptEvent; readonly after: AttemptState; readonly effects: readonly AttemptEffect[] }[] {
  let state: AttemptState = beginAttempt(7, {}, START, 300);
  return events.map((event) => {
    const before = state;
    const next = stepAttempt(state, event);
    state = next.state;
    return { before, event, after: next.state, effects: next.effects };
  });
}

describe('every history of an attempt', () => {
  it('redeems at most once, whatever callbacks come', () => {
    fc.assert(fc.property(history, (events) => {
      expect(run(events).flatMap(({ effects }) => effects).filter(({ type }) => type === 'redeem').length).toBeLessThanOrEqual(1);
    }));
  });

  it('closes its redirect exactly once when it ends, and never before', () => {
    fc.assert(fc.property(history, (events) => {
      const steps = run(events);
      const closes = steps.flatMap(({ effects }) => effects).filter(({ type }) => type === 'close').length;
      expect(closes).toBe(steps.at(-1)?.after.phase === 'ended' ? 1 : 0);
    }));
  });

  it('never leaves its end, and keeps the first outcome', () => {
    fc.assert(fc.property(history, (events) => {
      for (const { before, after } of run(events)) if (before.phase === 'ended') expect(after).toBe(before);
    }));
  });

  it('hands every grant on exactly once: to the session, to be discarded, or it was none of a redeem under way', () => {
    fc.assert(fc.property(history, (events) => {
      for (const { before, event, effects } of run(events)) {
        if (event.type !== 'redeemed') continue;
        const expected = before.phase === 'redeeming' ? ['adopt'] : before.phase === 'ended' ? ['discard'] : [];
        expect(effects.map(({ type }) => type)).toEqual(expected);
      }
    }));
  });

  it('wants no tick that is already due after it had one', () => {
    fc.assert(fc.property(history, fc.integer({ min: START, max: END * 2 }), (events, now) => {
      const state = run([...events, { type: 'tick', now }]).at(-1)!.after;
      expect(attemptDeadline(state) ?? Infinity).toBeGreaterThan(now);
    }));
  });

  it('shows no token in its view', () => {
    fc.assert(fc.property(history, (events) => {
      for (const { after } of run(events)) expect(JSON.stringify(attemptView(after))).not.toContain('secret');
    }));
  });
});
