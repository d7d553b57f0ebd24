// The session over random histories: people, server and keyring do what they like, in any order.
// Pure: no engine, no clock.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AuthError } from '../../../src/main/core/base/errors.js';
import { LIMITS } from '../../../src/main/core/base/limits.js';
import type { TokenSet, TokenTarget } from '../../../src/main/core/base/tokens.js';
import {
  answerToken,
  heldToken,
  sessionDeadline,
} from '../../../src/main/core/session/session-queries.js';
import {
  NO_SESSION,
  type SessionEffect,
  type SessionEvent,
  type SessionState,
} from '../../../src/main/core/session/session-state.js';
import { stepSession } from '../../../src/main/core/session/session.js';
import { toView } from '../../../src/main/core/view.js';

/**
 * One thing that happens; `pick` chooses among what is open. Durations in milliseconds, lives in
 * seconds.
 */
type Move =
  | { readonly move: 'pass'; readonly ms: number }
  | { readonly move: 'wake'; readonly signal: 'resume' | 'unlock' | 'online' }
  | { readonly move: 'retry' | 'sign-out' }
  | { readonly move: 'demand'; readonly target: keyof typeof TARGETS }
  | {
      readonly move: 'adopt';
      readonly person: 'ada' | 'grace' | 'anonymous';
      readonly refresh: boolean;
      readonly life: number;
    }
  | { readonly move: 'refuse' }
  | {
      readonly move: 'read';
      readonly answer: 'found' | 'found without refresh token' | 'absent' | 'foreign' | 'withheld';
    }
  | { readonly move: 'write'; readonly pick: number; readonly works: boolean }
  | {
      readonly move: 'renew';
      readonly pick: number;
      readonly answer:
        | 'rotated'
        | 'kept'
        | 'elsewhere'
        | 'offline'
        | 'busy'
        | 'refused'
        | 'refused by somebody'
        | 'ended';
      readonly life: number;
    };

/** `unnamed`: a resource that no sign-in asked for. */
const TARGETS = {
  'sign-in': null,
  read: { key: 'read', resource: null, scope: 'read' },
  api: { key: 'api', resource: 'https://api.example', scope: null },
  unnamed: { key: 'unnamed', resource: 'https://unnamed.example', scope: null },
} as const;

const life = fc.constantFrom(0, 1, 5, 60, 3_600);
const pick = fc.nat(5);
const anyMove: fc.Arbitrary<Move> = fc.oneof(
  fc.record({
    move: fc.constant('pass' as const),
    ms: fc.constantFrom(
      0,
      1,
      500,
      1_000,
      2_000,
      5_000,
      60_000,
      3_600_000,
      28_800_000,
      -500,
      -3_600_000,
    ),
  }),
  fc.record({
    move: fc.constant('wake' as const),
    signal: fc.constantFrom('resume' as const, 'unlock' as const, 'online' as const),
  }),
  fc.record({ move: fc.constant('retry' as const) }),
  {
    weight: 2,
    arbitrary: fc.record({
      move: fc.constant('demand' as const),
      target: fc.constantFrom(
        'sign-in' as const,
        'read' as const,
        'api' as const,
        'unnamed' as const,
      ),
    }),
  },
  fc.record({ move: fc.constant('refuse' as const) }),
  fc.record({ move: fc.constant('sign-out' as const) }),
  fc.record({
    move: fc.constant('adopt' as const),
    person: fc.constantFrom('ada' as const, 'grace' as const, 'anonymous' as const),
    refresh: fc.boolean(),
    life,
  }),
  fc.record({
    move: fc.constant('read' as const),
    answer: fc.constantFrom(
      'found' as const,
      'found without refresh token' as const,
      'absent' as const,
      'foreign' as const,
      'withheld' as const,
    ),
  }),
  {
    weight: 3,
    arbitrary: fc.record({ move: fc.constant('write' as const), pick, works: fc.boolean() }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      move: fc.constant('renew' as const),
      pick,
      answer: fc.constantFrom(
        'rotated' as const,
        'rotated' as const,
        'kept' as const,
        'offline' as const,
        'busy' as const,
        'refused' as const,
        'refused' as const,
        'refused by somebody' as const,
        'elsewhere' as const,
        'ended' as const,
      ),
      life,
    }),
  },
);
const history = fc.record({
  restore: fc.boolean(),
  moves: fc.array(anyMove, { maxLength: 60, size: 'max' }),
});

type Open<T extends SessionEffect['type']> = {
  readonly effect: SessionEffect & { readonly type: T };
  readonly epoch: number;
  readonly at: number;
};

const account = (person: string): { id: string; issuer: string; subject: string } => ({
  id: `${person}-id`,
  issuer: 'https://id.example',
  subject: person,
});
const ERRORS = {
  offline: new AuthError('network-failed', 'gone'),
  busy: new AuthError('server-unavailable', 'busy', { retryAfterSeconds: 30 }),
  refused: new AuthError('sign-in-refused', 'refused'),
  'refused by somebody': new AuthError('sign-in-refused', 'refused'),
  ended: new AuthError('session-ended', 'over'),
} as const;
/** What a look into the record brings to a session that has no refresh token. */
const LOOKS = [
  new AuthError('session-ended', 'there is no other token'),
  new AuthError('keyring-locked', 'locked'),
];

/**
 * The world around the machine; checks what must hold at every step. Answers to an older epoch are
 * dropped, as the engine does.
 */
function live({
  restore,
  moves,
}: {
  readonly restore: boolean;
  readonly moves: readonly Move[];
}): void {
  let state: SessionState = NO_SESSION;
  let now = 1_000_000;
  let names = 0;
  let random = 0;
  const reads: Open<'read-record'>[] = [];
  const writes: Open<'write-record'>[] = [];
  const renewals: Open<'renew'>[] = [];
  const spent = new Set<string>();
  /** What went wrong in the renewals since the last good one. */
  let refusedAt: readonly number[] = [];
  let answerLost = false;
  /** When the write of a secret was answered, or asked for. */
  const written = new Map<string, { askedAt: number; answered: boolean }>();
  /** By access token: what is stored with it, the refresh token or else the token itself. */
  const secretOf = new Map<string, string>();
  const secretIn = ({ refreshToken, access }: SessionEffect & { type: 'write-record' }): string =>
    refreshToken ?? access?.token ?? '';
  const timing = (): { now: number; random: number; renewEarlySeconds: number } => ({
    now,
    random: (random = (random + 0.37) % 1),
    renewEarlySeconds: 60,
  });

  const tokenSet = (kind: string, refreshToken: string | null, seconds: number): TokenSet => {
    const accessToken = `secret-access-${kind}-${++names}`;
    secretOf.set(accessToken, refreshToken ?? accessToken);
    return {
      accessToken,
      obtainedAt: now,
      expiresAt: now + seconds * 1000,
      refreshToken,
      scope: 'read',
      resources: [TARGETS.api.resource],
    };
  };

  const send = (event: SessionEvent, epoch: number | null = null): void => {
    if (epoch !== null && epoch !== state.epoch) return;
    const before = state;
    const next = stepSession(state, event);
    state = next.state;
    for (const effect of next.effects) {
      const open = { epoch: state.epoch, at: now };
      if (effect.type === 'read-record') reads.push({ effect, ...open });
      if (effect.type === 'write-record') {
        writes.push({ effect, ...open });
        expect(secretIn(effect), 'something is stored').not.toBe('');
        if (!written.has(secretIn(effect)))
          written.set(secretIn(effect), { askedAt: now, answered: false });
      }
      if (effect.type === 'renew') {
        expect(spent, 'a refresh token that was rotated is never sent again').not.toContain(
          effect.refreshToken,
        );
        expect(effect.target?.key, 'a resource that the sign-in did not name').not.toBe('unnamed');
        renewals.push({ effect, ...open });
      }
    }
    check(before, event);
  };

  const check = (before: SessionState, event: SessionEvent): void => {
    // What was slow once stays so, whether or not a token is given then: the clock may be set back.
    for (const write of written.values())
      if (now >= write.askedAt + LIMITS.keyringWriteSlowMs) write.answered = true;
    const inFlight = renewals.filter(({ epoch }) => epoch === state.epoch);
    expect(inFlight.length, 'renewals in flight').toBeLessThanOrEqual(1);
    const sent = renewals.flatMap(({ effect }) => effect.refreshToken ?? []);
    expect(new Set(sent).size, 'one request for each refresh token').toBe(sent.length);
    expect(state.epoch).toBeGreaterThanOrEqual(before.epoch);
    if (state.phase === 'absent' && before.phase !== 'absent') {
      const refused =
        event.type === 'renew-failed' &&
        (event.error.code === 'session-ended' ||
          (event.refused && Math.abs(now - (refusedAt[0] ?? now)) >= LIMITS.retryBaseMs / 2));
      const isFinal = before.phase === 'live' && before.refreshToken === null;
      if (event.type === 'renew-failed' && event.error.code === 'session-ended' && !isFinal)
        expect(state.error?.message.includes('was lost'), 'the reason tells of a lost answer').toBe(
          answerLost,
        );
      const over =
        event.type === 'record-found'
          ? event.record.renewable === false && (event.record.access?.expiresAt ?? now + 1) <= now
          : event.type === 'renew-failed' && isFinal;
      expect(
        event.type === 'sign-out' || refused || over || event.type === 'record-absent',
        `signed out by ${event.type}`,
      ).toBe(true);
    }
    for (const target of Object.values(TARGETS)) checkAnswer(target);
    const view = JSON.stringify(
      toView({
        started: true,
        session: state,
        attempts: [],
        attemptError: null,
        memoryOnly: false,
      }),
    );
    expect(view, 'a secret in a view').not.toContain('secret');
  };

  const checkAnswer = (target: TokenTarget | null): void => {
    const given = answerToken(state, now, { target, refused: null });
    if (given.kind === 'token') {
      const write = written.get(secretOf.get(given.token) ?? '');
      const saved = write === undefined || write.answered;
      expect(saved, 'an access token is given before its secret is saved').toBe(true);
    }
    if (given.kind === 'demand') {
      const answered = answerToken(stepSession(state, { type: 'demand', target, now }).state, now, {
        target,
        refused: null,
      }).kind;
      expect(answered, 'a demand is answered by another demand').not.toBe('demand');
    }
  };

  const tick = (): void => {
    // As the engine's one timer does: until nothing is due.
    for (let turns = 0; ; turns += 1) {
      const due = sessionDeadline(state, now);
      if (due === null || due > now) return;
      expect(turns, 'a tick that is due leaves the next one due').toBeLessThan(3);
      send({ type: 'tick', ...timing() });
    }
  };

  const take = <T>(list: T[], index: number): T | undefined =>
    list.splice(index % Math.max(1, list.length), 1)[0];

  if (restore) send({ type: 'restore', account: account('ada'), now });
  for (const next of moves) {
    switch (next.move) {
      case 'pass':
        now += next.ms;
        // Then nobody knows how slow a write has been: it is waited for as long again.
        for (const write of written.values()) if (now < write.askedAt - 60_000) write.askedAt = now;
        // The engine's timer fires after an hour at the latest, whatever the clock says.
        if (next.ms < 0) send({ type: 'tick', ...timing() });
        break;
      case 'wake':
        send({ type: 'wake', signal: next.signal, now });
        break;
      case 'demand':
        if (
          answerToken(state, now, { target: TARGETS[next.target], refused: null }).kind === 'demand'
        )
          send({ type: 'demand', target: TARGETS[next.target], now });
        break;
      case 'refuse': {
        const refused = heldToken(state, null);
        const asked = answerToken(state, now, { target: null, refused });
        if (asked.kind === 'demand' && refused !== null)
          send({ type: 'demand', target: null, refused: refused.token, now });
        break;
      }
      case 'retry':
        send({ type: 'retry', now });
        break;
      case 'sign-out':
        send({ type: 'sign-out' });
        expect(['absent'], 'after a sign-out somebody is signed in').toContain(state.phase);
        break;
      case 'adopt':
        refusedAt = [];
        answerLost = false;
        send({
          type: 'adopt',
          tokens: tokenSet('adopted', next.refresh ? `secret-refresh-${++names}` : null, next.life),
          account: account(next.person),
          attempt: names,
          now,
        });
        if (next.person === 'anonymous' && !next.refresh)
          expect(state, 'a nameless person inherits a refresh token').toMatchObject({
            phase: 'adopting',
            tokens: { refreshToken: null },
          });
        break;
      case 'read': {
        const read = take(reads, 0);
        if (read === undefined) break;
        const record = {
          version: 1,
          clientId: 'c',
          account: read.effect.account,
          refreshToken: `secret-refresh-${++names}`,
          scope: 'read',
          savedAt: 1,
          access: null,
        } as const;
        if (next.answer === 'found without refresh token') {
          const token = `secret-access-found-${++names}`;
          const access = { token, obtainedAt: now - 1_000, expiresAt: now + (names % 3) * 1_000 };
          const found = { ...record, refreshToken: token, renewable: false, access } as const;
          send({ type: 'record-found', record: found, ...timing() }, read.epoch);
        } else if (next.answer === 'found')
          send({ type: 'record-found', record, ...timing() }, read.epoch);
        else if (next.answer === 'absent') send({ type: 'record-absent' }, read.epoch);
        else if (next.answer === 'foreign') {
          const counts = state.epoch === read.epoch;
          send({ type: 'record-absent', foreign: true }, read.epoch);
          if (counts && state.phase === 'absent')
            expect(state.account, 'the account of another client is named').toBeNull();
        } else
          send(
            { type: 'record-withheld', error: new AuthError('keyring-locked', 'locked') },
            read.epoch,
          );
        break;
      }
      case 'write': {
        const write = take(writes, next.pick);
        if (write === undefined) break;
        written.get(secretIn(write.effect))!.answered = true;
        if (next.works) send({ type: 'stored', save: write.effect.save, ...timing() }, write.epoch);
        else
          send(
            {
              type: 'store-failed',
              save: write.effect.save,
              error: new AuthError('keyring-unavailable', 'none'),
              ...timing(),
            },
            write.epoch,
          );
        break;
      }
      case 'renew': {
        const renewal = take(renewals, next.pick);
        if (renewal === undefined) break;
        const { refreshToken, target } = renewal.effect;
        if (refreshToken === null) {
          const again = next.pick % 2 === 0 ? `secret-refresh-${++names}` : null;
          const found = tokenSet('elsewhere', again, next.life);
          if (next.answer === 'elsewhere') {
            written.set(again ?? found.accessToken, { askedAt: now, answered: true });
            send({ type: 'renewed', tokens: found, stored: true, ...timing() }, renewal.epoch);
          } else {
            const error = LOOKS[next.pick % 2] ?? ERRORS.ended;
            send({ type: 'renew-failed', error, refused: false, now, random: 0 }, renewal.epoch);
          }
          break;
        }
        // What another process has put into the record is no token for a target: then its refresh
        // token is used at once.
        const answer = target !== null && next.answer === 'elsewhere' ? 'rotated' : next.answer;
        if (answer === 'rotated' || answer === 'elsewhere') spent.add(refreshToken);
        const counts = renewal.epoch === state.epoch;
        if (['rotated', 'kept', 'elsewhere'].includes(answer)) {
          refusedAt = [];
          answerLost = false;
        }
        if (answer === 'rotated')
          send(
            {
              type: 'renewed',
              tokens: tokenSet('renewed', `secret-refresh-${++names}`, next.life),
              stored: false,
              ...timing(),
            },
            renewal.epoch,
          );
        else if (answer === 'kept')
          send(
            {
              type: 'renewed',
              tokens: tokenSet('renewed', refreshToken, next.life),
              stored: false,
              ...timing(),
            },
            renewal.epoch,
          );
        else if (answer === 'elsewhere') {
          const found = tokenSet('elsewhere', `secret-refresh-${++names}`, next.life);
          written.set(found.refreshToken ?? '', { askedAt: now, answered: true });
          send({ type: 'renewed', tokens: found, stored: true, ...timing() }, renewal.epoch);
        } else {
          const isProven = target === null && answer === 'refused';
          send(
            {
              type: 'renew-failed',
              error: ERRORS[answer],
              refused: isProven,
              now,
              random: timing().random,
            },
            renewal.epoch,
          );
          if (counts && isProven) refusedAt = [...refusedAt, now];
          if (counts && answer === 'offline') answerLost = true;
        }
        // Callers wait while it is renewed: the answer must not make them ask again in the same
        // instant.
        if (renewal.epoch === state.epoch)
          expect(
            answerToken(state, now, { target, refused: null }).kind,
            'the answer to a renewal is a demand',
          ).not.toBe('demand');
        break;
      }
    }
    tick();
  }
}

describe('every history of a session', () => {
  it('has one renewal at a time, saves before it gives, keeps its secrets, and ends by a word of the user or the server only', () => {
    fc.assert(fc.property(history, live), { numRuns: 1_500 });
  });

  it('does nothing about an answer to an earlier write', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -3, max: 10 }).filter((save) => save !== 4),
        fc.boolean(),
        (save, works) => {
          const state: SessionState = {
            phase: 'live',
            epoch: 1,
            account: account('ada'),
            refreshToken: 'secret-r',
            scope: 'read',
            access: null,
            save: 4,
            storeError: null,
            storeRetryAt: null,
            identityMismatch: false,
            resources: [],
            targetRenewal: null,
            targets: new Map(),
            renewal: {
              state: 'saving',
              since: 1,
              tokens: {
                accessToken: 'secret-a',
                obtainedAt: 1,
                expiresAt: 2,
                refreshToken: 'secret-r2',
                scope: 'read',
              },
            },
          };
          const timing = { now: 2, random: 0, renewEarlySeconds: 0 };
          const event: SessionEvent = works
            ? { type: 'stored', save, ...timing }
            : { type: 'store-failed', save, error: ERRORS.offline, ...timing };
          expect(stepSession(state, event)).toEqual({ state, effects: [] });
        },
      ),
    );
  });
});
