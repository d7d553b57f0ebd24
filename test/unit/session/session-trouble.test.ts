// The session in trouble: refusals, lost answers, clocks that jump, sleep, and a keyring that does
// not take it. Pure.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AuthError } from '../../../src/main/core/base/errors.js';
import { LIMITS } from '../../../src/main/core/base/limits.js';
import type { SystemEvent } from '../../../src/main/core/base/ports.js';
import { answerToken, sessionDeadline } from '../../../src/main/core/session/session-queries.js';
import {
  type LiveSession,
  NO_TROUBLE,
  type SessionEvent,
  type SessionState,
} from '../../../src/main/core/session/session-state.js';
import { stepSession } from '../../../src/main/core/session/session.js';

const NOW = 1_000_000_000;
const HOUR = 3_600_000;
const ada = { id: 'ada-id', issuer: 'https://id.example', subject: 'ada' };
const timing = { random: 0, renewEarlySeconds: 60 };
const offline = new AuthError('network-failed', 'gone');
const refused = new AuthError('sign-in-refused', 'no', { serverError: 'invalid_request' });
const ended = new AuthError('session-ended', 'over', { serverError: 'invalid_grant' });
const locked = new AuthError('keyring-locked', 'locked');

const fresh: LiveSession = {
  phase: 'live',
  epoch: 1,
  account: ada,
  refreshToken: 'refresh-1',
  scope: 'read',
  save: 0,
  storeError: null,
  storeRetryAt: null,
  identityMismatch: false,
  resources: [],
  targetRenewal: null,
  targets: new Map(),
  access: { token: 'access-1', obtainedAt: NOW, expiresAt: NOW + HOUR },
  renewal: { state: 'fresh', since: NOW, renewAt: NOW + HOUR - 60_000 },
};
const renewing: LiveSession = {
  ...fresh,
  renewal: { state: 'renewing', since: NOW, trouble: NO_TROUBLE },
};
const unstored: LiveSession = {
  ...fresh,
  storeError: locked,
  storeRetryAt: NOW + LIMITS.storeRetryMs,
};
const waitingWith = (error: AuthError): LiveSession => ({
  ...fresh,
  renewal: {
    state: 'waiting',
    since: NOW,
    failedAt: NOW,
    nextTryAt: NOW + 60_000,
    trouble: NO_TROUBLE,
    error,
  },
});

function run(state: SessionState, ...events: readonly SessionEvent[]): SessionState {
  return events.reduce((before, event) => stepSession(before, event).state, state);
}

const effectsOf = (state: SessionState, event: SessionEvent): readonly string[] =>
  stepSession(state, event).effects.map(({ type }) => type);
const fails = (error: AuthError, isProven: boolean, now: number): SessionEvent => ({
  type: 'renew-failed',
  error,
  refused: isProven,
  now,
  random: 0,
});
const demand = (now: number): SessionEvent => ({ type: 'demand', target: null, now });
const tick = (now: number): SessionEvent => ({ type: 'tick', now, ...timing });
const wake = (signal: SystemEvent, now: number): SessionEvent => ({ type: 'wake', signal, now });
const phaseOf = (state: SessionState): string =>
  state.phase === 'live' ? state.renewal.state : state.phase;

describe('a renewal whose ID token names somebody else', () => {
  const foreign = new AuthError('id-token-invalid', 'somebody else');
  const answer = (token: string): SessionEvent => ({
    type: 'renew-failed',
    error: foreign,
    refused: false,
    rotated: token,
    now: NOW,
    random: 0,
  });

  it('waits, and keeps the refresh token that the server rotated, for the old one is dead', () => {
    const { state, effects } = stepSession(renewing, answer('refresh-2'));
    expect(state).toMatchObject({
      phase: 'live',
      refreshToken: 'refresh-2',
      identityMismatch: true,
      access: fresh.access,
      renewal: { state: 'waiting', error: { code: 'id-token-invalid' } },
    });
    expect(effects).toEqual([
      {
        type: 'write-record',
        account: ada,
        refreshToken: 'refresh-2',
        scope: 'read',
        resources: [],
        access: fresh.access,
        identityMismatch: true,
        save: 1,
      },
    ]);
  });

  it('says at the next try that nothing is believed without proof, and is believed again after one that is right', () => {
    const waiting = run(renewing, answer('refresh-2'), {
      type: 'stored',
      save: 1,
      now: NOW,
      ...timing,
    });
    const again = stepSession(waiting, demand(NOW + HOUR));
    expect(again.effects).toEqual([
      {
        type: 'renew',
        refreshToken: 'refresh-2',
        scope: 'read',
        account: ada,
        target: null,
        replaced: 'access-1',
        identityMismatch: true,
        stored: true,
      },
    ]);
    const tokens = {
      accessToken: 'access-3',
      obtainedAt: NOW,
      expiresAt: NOW + HOUR,
      refreshToken: 'refresh-3',
      scope: 'read',
    };
    const proven = stepSession(again.state, {
      type: 'renewed',
      tokens,
      stored: false,
      now: NOW,
      ...timing,
    });
    expect(proven.effects).toMatchObject([
      { type: 'write-record', refreshToken: 'refresh-3', identityMismatch: false },
    ]);
    expect(run(proven.state, { type: 'stored', save: 2, now: NOW, ...timing })).toMatchObject({
      identityMismatch: false,
      renewal: { state: 'fresh' },
    });
  });

  it('never ends the session, however often it comes', () => {
    let state: SessionState = renewing;
    for (let times = 0; times < 20; times += 1)
      state = run(state, answer(`refresh-${times}`), demand(NOW + times * HOUR));
    expect(phaseOf(state)).toBe('renewing');
  });

  it('is remembered by a restart', () => {
    const record = {
      version: 1,
      clientId: 'c',
      account: ada,
      refreshToken: 'refresh-2',
      scope: 'read',
      savedAt: 1,
      access: null,
      doubted: true,
    } as const;
    const { state, effects } = stepSession(
      { phase: 'restoring', epoch: 1, account: ada, since: NOW, slow: false },
      { type: 'record-found', record, now: NOW, ...timing },
    );
    expect(state).toMatchObject({ identityMismatch: true });
    expect(effects).toMatchObject([{ type: 'renew', identityMismatch: true }]);
  });
});

describe('a session whose record no file leads to', () => {
  const unlisted: LiveSession = {
    ...fresh,
    storeError: new AuthError('storage-failed', 'no'),
    storeRetryAt: NOW + LIMITS.storeRetryMs,
  };

  it('is in the keychain all the same, where another process may have put a newer token', () => {
    expect(stepSession(unlisted, demand(NOW)).effects).toMatchObject([
      { type: 'renew', stored: true },
    ]);
    expect(stepSession(unstored, demand(NOW)).effects).toMatchObject([
      { type: 'renew', stored: false },
    ]);
  });

  it('is stored again when its time has come', () => {
    expect(effectsOf(unlisted, tick(NOW + LIMITS.storeRetryMs))).toEqual(['write-record']);
  });
});

describe('a token that is over when it comes', () => {
  const lifeless: LiveSession = {
    ...fresh,
    access: { token: 'access-1', obtainedAt: NOW, expiresAt: NOW },
    renewal: { state: 'fresh', since: NOW, renewAt: NOW + 1_000 },
  };

  it('is renewed by itself after a minute, and for a caller after a second', () => {
    expect(sessionDeadline(lifeless, NOW)).toBe(NOW + LIMITS.zeroLifetimePauseMs);
    expect(
      [1_000, LIMITS.zeroLifetimePauseMs - 1, LIMITS.zeroLifetimePauseMs].map((ms) =>
        effectsOf(lifeless, tick(NOW + ms)),
      ),
    ).toEqual([[], [], ['renew']]);
    expect([999, 1_000].map((ms) => answerToken(lifeless, NOW + ms).kind)).toEqual([
      'token',
      'demand',
    ]);
  });
});

describe('a refusal by the token endpoint', () => {
  it('does not end the session the first time', () => {
    expect(phaseOf(run(renewing, fails(refused, true, NOW)))).toBe('waiting');
  });

  it('ends it the second time after a pause, and says that it was said again', () => {
    const state = run(
      renewing,
      fails(refused, true, NOW),
      demand(NOW + LIMITS.refusalPauseMs),
      fails(refused, true, NOW + LIMITS.refusalPauseMs),
    );
    expect(state).toMatchObject({
      phase: 'absent',
      reason: 'ended',
      account: ada,
      error: { code: 'session-ended', serverError: 'invalid_request' },
    });
    expect(state.phase === 'absent' && state.error?.message).toContain('again and again');
  });

  it('counts once however often it comes in the same instant', () => {
    let state: SessionState = renewing;
    for (let times = 0; times < 10; times += 1)
      state = run(state, fails(refused, true, NOW + times), wake('unlock', NOW + times));
    expect(phaseOf(state)).toBe('renewing');
  });

  it('counts also when the clock was set back in between', () => {
    expect(
      phaseOf(
        run(
          renewing,
          fails(refused, true, NOW),
          demand(NOW - HOUR),
          fails(refused, true, NOW - HOUR),
        ),
      ),
    ).toBe('absent');
  });

  it('never counts while the network is not proven fine', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(refused, offline), { maxLength: 50 }),
        fc.boolean(),
        (errors, once) => {
          let state: SessionState = renewing;
          let now = NOW;
          if (once) state = run(state, fails(refused, true, now));
          for (const error of errors)
            state = run(state, demand((now += HOUR)), fails(error, false, now));
          expect(['renewing', 'waiting']).toContain(phaseOf(state));
        },
      ),
    );
  });

  it('is forgotten when a renewal succeeds', () => {
    const tokens = {
      accessToken: 'a',
      obtainedAt: NOW,
      expiresAt: NOW + HOUR,
      refreshToken: 'refresh-2',
      scope: 'read',
    };
    const again = run(
      renewing,
      fails(refused, true, NOW),
      demand(NOW + HOUR),
      { type: 'renewed', tokens, stored: true, now: NOW + HOUR, ...timing },
      demand(NOW + 2 * HOUR),
      fails(refused, true, NOW + 2 * HOUR),
    );
    expect(phaseOf(again)).toBe('waiting');
  });
});

describe('a record that was refused in no final words before the start', () => {
  const record = {
    version: 1,
    clientId: 'c',
    account: ada,
    refreshToken: 'refresh-1',
    scope: 'read',
    savedAt: NOW,
    access: { token: 'access-1', obtainedAt: NOW, expiresAt: NOW + HOUR },
  } as const;
  const found: SessionEvent = {
    type: 'record-found',
    record,
    suspended: true,
    now: NOW + 1,
    ...timing,
  };
  const asked = stepSession(
    { phase: 'restoring', epoch: 1, account: ada, since: NOW, slow: false },
    found,
  );

  it('is asked at once, though its access token is good', () => {
    expect(asked.effects).toMatchObject([
      { type: 'renew', refreshToken: 'refresh-1', stored: true },
    ]);
  });

  it('is suspended again by one refusal, and ended by the word that ends it', () => {
    expect(effectsOf(asked.state, fails(refused, true, NOW + 2))).toEqual(['suspend']);
    expect(effectsOf(asked.state, fails(ended, false, NOW + 2))).toEqual(['mark-refused']);
  });

  it('waits for a network that fails, and is suspended by the refusal after that', () => {
    const waiting = run(
      asked.state,
      fails(offline, false, NOW + 2),
      fails(refused, false, NOW + 3),
    );
    expect(phaseOf(waiting)).toBe('waiting');
    expect(effectsOf(run(waiting, demand(NOW + HOUR)), fails(refused, true, NOW + HOUR))).toEqual([
      'suspend',
    ]);
  });

  it('is a session like any other once the server has accepted it', () => {
    const tokens = {
      accessToken: 'a',
      obtainedAt: NOW,
      expiresAt: NOW + HOUR,
      refreshToken: 'refresh-2',
      scope: 'read',
    };
    const back = run(
      asked.state,
      { type: 'renewed', tokens, stored: true, now: NOW + 2, ...timing },
      demand(NOW + HOUR),
      fails(refused, true, NOW + HOUR),
    );
    expect(phaseOf(back)).toBe('waiting');
  });

  it('goes when the person signs out, as does one that has ended', () => {
    for (const error of [refused, ended]) {
      const over = run(asked.state, fails(error, true, NOW + 2));
      expect(stepSession(over, { type: 'sign-out' })).toMatchObject({
        state: { phase: 'absent', reason: 'signed-out', account: ada, error: null },
        effects: [{ type: 'remove-record', account: ada }],
      });
    }
  });
});

describe('an answer that was lost on the way', () => {
  it.each(['network-failed', 'network-timeout', 'response-invalid'] as const)(
    'is named when the server then says no (%s)',
    (code) => {
      const state = run(
        renewing,
        fails(new AuthError(code, 'lost'), false, NOW),
        demand(NOW + HOUR),
        fails(ended, false, NOW + HOUR),
      );
      expect(state).toMatchObject({
        phase: 'absent',
        reason: 'ended',
        error: { code: 'session-ended', serverError: 'invalid_grant' },
      });
      expect(state.phase === 'absent' && state.error?.message).toContain(
        'answer to an earlier renewal was lost',
      );
    },
  );

  it('is not blamed when none was lost', () => {
    const state = run(
      renewing,
      fails(new AuthError('server-unavailable', 'busy'), false, NOW),
      demand(NOW + HOUR),
      fails(ended, false, NOW + HOUR),
    );
    expect(state.phase === 'absent' && state.error).toBe(ended);
  });
});

describe('a clock', () => {
  it('that is set back makes a fresh session renew, for nobody knows how old its token is', () => {
    expect(effectsOf(fresh, tick(NOW - HOUR))).toEqual(['renew']);
    expect(effectsOf(fresh, wake('resume', NOW - HOUR))).toEqual(['renew']);
    expect(answerToken(fresh, NOW - HOUR).kind).toBe('demand');
  });

  it('that is set back makes a waiting session try at once', () => {
    expect(effectsOf(waitingWith(offline), tick(NOW - HOUR))).toEqual(['renew']);
    expect(
      effectsOf(
        waitingWith(new AuthError('server-unavailable', 'busy', { retryAfterSeconds: 60 })),
        tick(NOW - HOUR),
      ),
    ).toEqual(['renew']);
  });

  it('that is corrected by less than a minute changes nothing', () => {
    expect(effectsOf(fresh, tick(NOW - 60_000))).toEqual([]);
    expect(effectsOf(waitingWith(offline), tick(NOW - 60_000))).toEqual([]);
    expect(answerToken(fresh, NOW - 60_000).kind).toBe('token');
  });

  it('that is set forward makes a fresh or waiting session renew', () => {
    for (const state of [fresh, waitingWith(offline)])
      expect(effectsOf(state, tick(NOW + 1_000 * HOUR))).toEqual(['renew']);
  });

  it('that was wrong when the record was written makes a restored session renew', () => {
    const record = {
      version: 1,
      clientId: 'c',
      account: ada,
      refreshToken: 'refresh-1',
      scope: 'read',
      savedAt: NOW,
      access: { token: 'access-1', obtainedAt: NOW, expiresAt: NOW + HOUR },
    } as const;
    const restoring: SessionState = {
      phase: 'restoring',
      epoch: 1,
      account: ada,
      since: 0,
      slow: false,
    };
    expect(
      effectsOf(restoring, { type: 'record-found', record, now: NOW - HOUR, ...timing }),
    ).toEqual(['renew']);
    expect(
      effectsOf(restoring, { type: 'record-found', record, now: NOW + HOUR, ...timing }),
    ).toEqual(['renew']);
    expect(effectsOf(restoring, { type: 'record-found', record, now: NOW + 1, ...timing })).toEqual(
      [],
    );
  });
});

describe('a calendar that goes back by a month', () => {
  const MONTH = 30 * 24 * HOUR;
  const back = NOW - MONTH;
  const tokens = {
    accessToken: 'a',
    obtainedAt: NOW,
    expiresAt: NOW + HOUR,
    refreshToken: 'refresh-2',
    scope: 'read',
  };
  const target = { key: 'k', resource: null, scope: 'k' };
  const states: Readonly<Record<string, SessionState>> = {
    restoring: { phase: 'restoring', epoch: 1, account: ada, since: NOW, slow: false },
    adopting: {
      phase: 'adopting',
      epoch: 1,
      account: ada,
      tokens,
      attempt: 1,
      since: NOW,
      previous: null,
    },
    fresh: fresh,
    'fresh, stored by no keyring': unstored,
    renewing: renewing,
    saving: { ...fresh, renewal: { state: 'saving', since: NOW, tokens } },
    waiting: waitingWith(offline),
    'waiting as asked': waitingWith(
      new AuthError('server-unavailable', 'busy', { retryAfterSeconds: 60 }),
    ),
    'renewing for another target': {
      ...fresh,
      targetRenewal: { state: 'renewing', since: NOW, target },
    },
    'saving for another target': {
      ...fresh,
      targetRenewal: { state: 'saving', since: NOW, target, tokens },
    },
  };

  it.each(Object.keys(states))(
    'makes a session that is %s wait for nothing a month long',
    (name) => {
      const state = states[name]!;
      const due = sessionDeadline(state, back);
      const isAsked = name.startsWith('renewing');
      expect(due === null || due <= back).toBe(true);
      // A request has its own limit; whatever else is timed is done with the next tick.
      if (!isAsked) expect(stepSession(state, tick(back)).state).not.toBe(state);
    },
  );

  it.each(Object.keys(states))(
    'makes a session that was %s ask for no second tick at once',
    (name) => {
      let state = states[name]!;
      for (let times = 0; times < 3; times += 1) state = stepSession(state, tick(back)).state;
      expect(sessionDeadline(state, back) ?? Infinity).toBeGreaterThan(back);
    },
  );

  it('makes the session of an account that is not in use be stored again', () => {
    const young = {
      ...unstored,
      access: { token: 'access-1', obtainedAt: back, expiresAt: back + HOUR },
    };
    expect(sessionDeadline(young, back, false)).toBe(back);
    const { state, effects } = stepSession(young, tick(back));
    expect(effects).toMatchObject([{ type: 'write-record' }]);
    expect(sessionDeadline(state, back, false)).toBe(back + LIMITS.storeRetryMs);
  });

  it('does not hold back a token that is valid from a caller of a renewal under way', () => {
    const valid = {
      ...renewing,
      access: { token: 'access-1', obtainedAt: back, expiresAt: back + HOUR },
    };
    expect(answerToken(valid, back)).toEqual({ kind: 'token', token: 'access-1' });
  });
});

describe('a token of a minute', () => {
  const short: LiveSession = {
    ...fresh,
    access: { token: 'access-1', obtainedAt: NOW, expiresAt: NOW + 60_000 },
    renewal: { state: 'renewing', since: NOW + 40_000, trouble: NO_TROUBLE },
  };

  it.each([[undefined], [1], [5]])(
    'outlives the pause after one failure with Retry-After %s',
    (retryAfterSeconds) => {
      for (const random of [0, 0.5, 0.999]) {
        const now = NOW + 46_000;
        const state = run(short, {
          type: 'renew-failed',
          error: new AuthError('server-unavailable', 'busy', { retryAfterSeconds }),
          refused: false,
          now,
          random,
        }) as LiveSession;
        const next = sessionDeadline(state, now) ?? Infinity;
        expect(next).toBeGreaterThanOrEqual(now + (retryAfterSeconds ?? 0) * 1000);
        expect(next).toBeLessThan(NOW + 57_000);
        expect(effectsOf(state, tick(next))).toEqual(['renew']);
        expect(answerToken(state, next - 1)).toEqual({ kind: 'token', token: 'access-1' });
      }
    },
  );
});

describe('a wake-up', () => {
  it.each(['resume', 'unlock', 'online'] as const)(
    'by %s renews a session that waits, before its time',
    (signal) => {
      expect(effectsOf(waitingWith(offline), wake(signal, NOW + 1))).toEqual(['renew']);
    },
  );

  it('leaves a server alone that asked for patience, until its time is over', () => {
    const asked = waitingWith(
      new AuthError('server-unavailable', 'busy', { retryAfterSeconds: 60 }),
    );
    expect(effectsOf(asked, wake('resume', NOW + 59_999))).toEqual([]);
    expect(effectsOf(asked, wake('resume', NOW + 60_000))).toEqual(['renew']);
  });

  it('renews a fresh session only when it is due', () => {
    expect(effectsOf(fresh, wake('resume', NOW + HOUR - 60_001))).toEqual([]);
    expect(effectsOf(fresh, wake('resume', NOW + HOUR - 60_000))).toEqual(['renew']);
  });

  it('by unlock alone reads a locked keyring again', () => {
    const state: SessionState = { phase: 'locked', epoch: 1, account: ada, error: locked };
    expect(
      (['resume', 'online', 'unlock'] as const).map((signal) =>
        effectsOf(state, wake(signal, NOW)),
      ),
    ).toEqual([[], [], ['read-record']]);
  });
});

describe('a session that no keyring took', () => {
  it('is stored again when its time has come, and again after that', () => {
    const first = stepSession(unstored, tick(NOW + LIMITS.storeRetryMs));
    expect(first.effects).toMatchObject([
      { type: 'write-record', refreshToken: 'refresh-1', access: { token: 'access-1' } },
    ]);
    expect(sessionDeadline(first.state, NOW + LIMITS.storeRetryMs)).toBe(
      NOW + 2 * LIMITS.storeRetryMs,
    );
    expect(effectsOf(first.state, tick(NOW + LIMITS.storeRetryMs + 1))).toEqual([]);
    expect(effectsOf(first.state, tick(NOW + 2 * LIMITS.storeRetryMs))).toEqual(['write-record']);
  });

  it('wants a tick for it before its renewal', () => {
    expect(sessionDeadline(unstored, NOW)).toBe(NOW + LIMITS.storeRetryMs);
    expect(sessionDeadline(fresh, NOW)).toBe(NOW + HOUR - 60_000);
  });

  it('is stored again at a wake-up, and with each renewal', () => {
    expect(effectsOf(unstored, wake('unlock', NOW + 1))).toEqual(['write-record']);
    const tokens = {
      accessToken: 'a',
      obtainedAt: NOW,
      expiresAt: NOW + HOUR,
      refreshToken: 'refresh-1',
      scope: 'read',
    };
    expect(
      effectsOf(
        { ...unstored, renewal: renewing.renewal },
        { type: 'renewed', tokens, stored: false, now: NOW + 1, ...timing },
      ),
    ).toEqual(['write-record']);
  });

  it('tells the renewal that the record, if there is one, is older and not newer', () => {
    for (const [state, stored] of [
      [unstored, false],
      [fresh, true],
    ] as const)
      expect(stepSession(state, demand(NOW)).effects).toMatchObject([{ type: 'renew', stored }]);
  });

  it('is remembered once a write succeeds, and asks for no more ticks', () => {
    const again = stepSession(unstored, tick(NOW + LIMITS.storeRetryMs)).state as LiveSession;
    const done = stepSession(again, {
      type: 'stored',
      save: again.save,
      now: NOW + LIMITS.storeRetryMs,
      ...timing,
    }).state;
    expect(done).toMatchObject({ storeError: null, storeRetryAt: null, identityMismatch: false });
    expect(sessionDeadline(done, NOW)).toBe(NOW + HOUR - 60_000);
  });

  it('without a refresh token stores its access token at the next try', () => {
    const { effects } = stepSession(
      { ...unstored, refreshToken: null },
      tick(NOW + LIMITS.storeRetryMs),
    );
    expect(effects).toMatchObject([
      { type: 'write-record', refreshToken: null, access: { token: 'access-1' } },
    ]);
  });
});
