// Tokens for other targets, and tokens that were refused: what the machine does and answers.
// Histories: session-history.test.ts.
import { describe, expect, it } from 'vitest';
import { AuthError } from '../../../src/main/core/base/errors.js';
import { LIMITS } from '../../../src/main/core/base/limits.js';
import type { TokenSet } from '../../../src/main/core/base/tokens.js';
import {
  type TokenWant,
  answerToken,
  heldToken,
  sessionDeadline,
} from '../../../src/main/core/session/session-queries.js';
import {
  type LiveSession,
  NO_TROUBLE,
  type SessionEvent,
  type SessionState,
} from '../../../src/main/core/session/session-state.js';
import { stepSession } from '../../../src/main/core/session/session.js';

const NOW = 1_000_000;
const HOUR = 3_600_000;
const ada = { id: 'ada-id', issuer: 'https://id.example', subject: 'ada' };
const mail = { key: 'mail', resource: 'https://mail.example', scope: null };
const read = { key: 'read', resource: null, scope: 'read' };
const timing = { now: NOW, random: 0, renewEarlySeconds: 60 };
const fresh: LiveSession = {
  phase: 'live',
  epoch: 3,
  account: ada,
  refreshToken: 'refresh-1',
  scope: 'read write',
  resources: [mail.resource],
  save: 2,
  storeError: null,
  storeRetryAt: null,
  identityMismatch: false,
  targetRenewal: null,
  targets: new Map(),
  access: { token: 'access-1', obtainedAt: NOW, expiresAt: NOW + HOUR },
  renewal: { state: 'fresh', since: NOW, renewAt: NOW + HOUR - 60_000 },
};
const tokenSet = (refreshToken: string | null, obtainedAt = NOW): TokenSet => ({
  accessToken: 'access-mail',
  obtainedAt,
  expiresAt: obtainedAt + HOUR,
  refreshToken,
  scope: 'read',
});
const renewed = (refreshToken: string | null, obtainedAt = NOW): SessionEvent => ({
  type: 'renewed',
  tokens: tokenSet(refreshToken, obtainedAt),
  stored: false,
  ...timing,
});
const failed = (error: AuthError): SessionEvent => ({
  type: 'renew-failed',
  error,
  refused: false,
  now: NOW,
  random: 0,
});
const run = (state: SessionState, ...events: readonly SessionEvent[]): LiveSession => {
  const end = events.reduce((before, event) => stepSession(before, event).state, state);
  if (end.phase !== 'live') throw new Error(`live was expected, not ${end.phase}`);
  return end;
};
const asked = run(fresh, { type: 'demand', target: mail, now: NOW });
const want = (over: Partial<TokenWant> = {}): TokenWant => ({
  target: mail,
  refused: null,
  ...over,
});

describe('a token for a target', () => {
  it('is asked for with the one refresh token, and the token of the sign-in is given meanwhile', () => {
    const { state, effects } = stepSession(fresh, { type: 'demand', target: mail, now: NOW });
    expect(effects).toEqual([
      {
        type: 'renew',
        refreshToken: 'refresh-1',
        scope: 'read write',
        account: ada,
        target: mail,
        replaced: null,
        identityMismatch: false,
        stored: true,
      },
    ]);
    expect([answerToken(state, NOW), answerToken(state, NOW, want())]).toEqual([
      { kind: 'token', token: 'access-1' },
      { kind: 'wait' },
    ]);
  });

  it('is given when the rotated refresh token is stored, in a record that holds the token of the sign-in', () => {
    const saving = stepSession(asked, renewed('refresh-2'));
    expect(saving.effects).toEqual([
      {
        type: 'write-record',
        account: ada,
        refreshToken: 'refresh-2',
        scope: 'read write',
        resources: [mail.resource],
        access: fresh.access,
        identityMismatch: false,
        save: 3,
      },
    ]);
    expect(answerToken(saving.state, NOW, want())).toEqual({ kind: 'wait' });
    const stored = run(saving.state, { type: 'stored', save: 3, ...timing });
    expect([answerToken(stored, NOW, want()), answerToken(stored, NOW)]).toEqual([
      { kind: 'token', token: 'access-mail' },
      { kind: 'token', token: 'access-1' },
    ]);
    expect([stored.refreshToken, stored.targetRenewal]).toEqual(['refresh-2', null]);
  });

  it.each(['refresh-1', null])(
    'writes nothing when the server gave no other refresh token (%s)',
    (refreshToken) => {
      const { state, effects } = stepSession(asked, renewed(refreshToken));
      expect([effects, answerToken(state, NOW, want())]).toEqual([
        [],
        { kind: 'token', token: 'access-mail' },
      ]);
    },
  );

  it('is used when it cannot be stored, and stored again later', () => {
    const unstored = run(asked, renewed('refresh-2'), {
      type: 'store-failed',
      save: 3,
      error: new AuthError('keyring-locked', 'locked'),
      ...timing,
    });
    expect(answerToken(unstored, NOW, want())).toEqual({ kind: 'token', token: 'access-mail' });
    const again = stepSession(unstored, {
      type: 'tick',
      ...timing,
      now: NOW + LIMITS.storeRetryMs,
    });
    expect(again.effects).toMatchObject([
      { type: 'write-record', refreshToken: 'refresh-2', access: { token: 'access-1' } },
    ]);
  });

  it('does not wait for a keyring for ever', () => {
    const saving = run(asked, renewed('refresh-2'));
    expect(sessionDeadline(saving, NOW + 2_000)).toBe(NOW + LIMITS.keyringWriteSlowMs);
    const late = run(saving, { type: 'tick', ...timing, now: NOW + LIMITS.keyringWriteSlowMs });
    expect([answerToken(late, NOW, want()), late.storeError?.code]).toEqual([
      { kind: 'token', token: 'access-mail' },
      'keyring-locked',
    ]);
  });

  it('is asked for again when it is due, and given as long as that takes too long', () => {
    const due = NOW + HOUR - 60_000;
    const held = run(asked, renewed('refresh-1'));
    expect(answerToken(held, due - 1, want())).toEqual({ kind: 'token', token: 'access-mail' });
    expect(answerToken(held, due, want())).toEqual({ kind: 'demand' });
    // Meanwhile the token of the sign-in was renewed.
    const again = run(
      { ...held, renewal: { state: 'fresh', since: due, renewAt: due + HOUR } },
      { type: 'demand', target: mail, now: due },
    );
    expect([
      answerToken(again, due, want()).kind,
      answerToken(again, due + 2_000, want()).kind,
    ]).toEqual(['wait', 'token']);
  });

  it('of which nobody makes use is not renewed in the background', () => {
    const held = run(asked, renewed('refresh-1'));
    expect(sessionDeadline(held, NOW)).toBe(NOW + HOUR - 60_000);
    expect(
      stepSession(
        {
          ...held,
          access: { token: 'access-1', obtainedAt: NOW, expiresAt: NOW + 9 * HOUR },
          renewal: { state: 'fresh', since: NOW, renewAt: NOW + 8 * HOUR },
        },
        { type: 'tick', ...timing, now: NOW + 2 * HOUR },
      ).effects,
    ).toEqual([]);
  });

  it('holds back the renewal of the sign-in until it is there', () => {
    const late = { ...timing, now: NOW + HOUR };
    for (const event of [
      { type: 'tick', ...late },
      { type: 'wake', signal: 'resume', now: late.now },
      { type: 'demand', target: null, now: late.now },
      { type: 'demand', target: read, now: late.now },
      { type: 'retry', now: late.now },
    ] as const)
      expect(stepSession(asked, event)).toEqual({ state: asked, effects: [] });
    expect(
      stepSession(run(asked, renewed('refresh-1')), { type: 'tick', ...late }).effects,
    ).toMatchObject([{ type: 'renew', target: null }]);
  });

  it('needs a refresh token', () => {
    expect(answerToken({ ...fresh, refreshToken: null }, NOW, want())).toMatchObject({
      kind: 'error',
      error: { code: 'resource-refused' },
    });
  });

  it('pushes out the oldest one when there are too many', () => {
    let state = fresh;
    for (let count = 0; count <= LIMITS.tokenTargets; count += 1)
      state = run(
        state,
        {
          type: 'demand',
          target: { key: `${count}`, resource: null, scope: `${count}` },
          now: NOW,
        },
        renewed('refresh-1'),
      );
    expect([
      state.targets.size,
      state.targets.has('0'),
      state.targets.has('1'),
      state.targets.has(`${LIMITS.tokenTargets}`),
    ]).toEqual([LIMITS.tokenTargets, false, true, true]);
  });

  it('is revoked with the newest refresh token at a sign-out', () => {
    expect(
      stepSession(run(asked, renewed('refresh-2')), { type: 'sign-out' }).effects,
    ).toContainEqual({ type: 'revoke', account: ada, token: 'refresh-2' });
  });
});

describe('a target that the provider refuses', () => {
  const refused = new AuthError('sign-in-refused', 'no', { serverError: 'invalid_target' });

  it('is told with its reason for half a minute, and then asked for again', () => {
    const state = run(asked, failed(refused));
    expect(answerToken(state, NOW, want())).toMatchObject({
      kind: 'error',
      error: { code: 'resource-refused', serverError: 'invalid_target' },
    });
    expect([answerToken(state, NOW), state.renewal.state]).toEqual([
      { kind: 'token', token: 'access-1' },
      'fresh',
    ]);
    for (const now of [NOW + LIMITS.refusalPauseMs, NOW - HOUR])
      expect(answerToken(state, now, want())).toEqual({ kind: 'demand' });
  });

  it('in words that end a session is proved by a renewal of the sign-in, which alone can end it', () => {
    const { state, effects } = stepSession(
      asked,
      failed(new AuthError('session-ended', 'over', { serverError: 'invalid_grant' })),
    );
    expect(effects).toMatchObject([{ type: 'renew', refreshToken: 'refresh-1', target: null }]);
    expect(answerToken(state, NOW, want())).toEqual({ kind: 'wait' });
    const well = run(
      state,
      {
        type: 'renewed',
        tokens: { ...tokenSet('refresh-2'), accessToken: 'access-2' },
        stored: false,
        ...timing,
      },
      { type: 'stored', save: 3, ...timing },
    );
    expect([answerToken(well, NOW).kind, answerToken(well, NOW, want())]).toMatchObject([
      'token',
      { kind: 'error', error: { code: 'resource-refused' } },
    ]);
    expect(stepSession(state, failed(new AuthError('session-ended', 'over'))).state).toMatchObject({
      phase: 'absent',
      reason: 'ended',
    });
  });

  it('by nobody, because there is no network, waits as the sign-in does', () => {
    const state = run(asked, failed(new AuthError('network-failed', 'gone')));
    expect([
      state.renewal.state,
      answerToken(state, NOW),
      answerToken(state, NOW, want()),
    ]).toMatchObject([
      'waiting',
      { kind: 'token', token: 'access-1' },
      { kind: 'error', error: { code: 'network-failed' } },
    ]);
    // What is proved first is that the session works.
    expect(
      stepSession(state, { type: 'demand', target: mail, now: NOW + 10_000 }).effects,
    ).toMatchObject([{ type: 'renew', target: null }]);
  });
});

describe('a token that an API has refused', () => {
  const refused = heldToken(fresh, null);

  it('is not given again, whatever its time', () => {
    expect(answerToken(fresh, NOW, { target: null, refused })).toEqual({ kind: 'demand' });
    const renewing = run(fresh, { type: 'demand', target: null, now: NOW });
    expect(answerToken(renewing, NOW + 3_000, { target: null, refused })).toEqual({ kind: 'wait' });
    expect(answerToken(renewing, NOW + 3_000)).toEqual({ kind: 'token', token: 'access-1' });
    expect(
      answerToken(
        {
          ...fresh,
          renewal: {
            state: 'waiting',
            since: NOW,
            failedAt: NOW,
            nextTryAt: NOW + 2_000,
            trouble: NO_TROUBLE,
            error: new AuthError('network-failed', 'gone'),
          },
        },
        NOW,
        { target: null, refused },
      ),
    ).toMatchObject({ kind: 'error' });
  });

  it('is another one once it was renewed, even if the provider gives the same text', () => {
    const same = run(
      fresh,
      { type: 'demand', target: null, now: NOW },
      {
        type: 'renewed',
        tokens: { ...tokenSet('refresh-2'), accessToken: 'access-1' },
        stored: false,
        ...timing,
      },
      { type: 'stored', save: 3, ...timing },
    );
    expect(answerToken(same, NOW, { target: null, refused })).toEqual({
      kind: 'token',
      token: 'access-1',
    });
  });

  it('of a target is fetched for that target', () => {
    const held = run(asked, renewed('refresh-1'));
    expect(answerToken(held, NOW, want({ refused: heldToken(held, mail) }))).toEqual({
      kind: 'demand',
    });
    expect(heldToken(held, read)).toBeNull();
  });

  it('is not given again where the provider says no lifetime', () => {
    const endless = { ...fresh.access, token: 'access-1', obtainedAt: NOW, expiresAt: null };
    const state: LiveSession = {
      ...fresh,
      access: endless,
      renewal: { state: 'fresh', since: NOW, renewAt: null },
    };
    expect(answerToken(state, NOW)).toEqual({ kind: 'token', token: 'access-1' });
    expect(answerToken(state, NOW, { target: null, refused: endless })).toEqual({ kind: 'demand' });
  });
});
