// Sessions without a refresh token: they are remembered until their access token is over, or until
// the host says that it is refused.
import { describe, expect, it } from 'vitest';
import type { AuthView } from '../../../src/contract.js';
import { AuthError } from '../../../src/main/core/base/errors.js';
import { LIMITS } from '../../../src/main/core/base/limits.js';
import { createStepUp } from '../../../src/main/core/requests/step-up.js';
import { createApiFetch } from '../../../src/main/core/requests/api-fetch.js';
import { parseStateFileContent } from '../../../src/main/core/storage/records.js';
import { type Bench, createBench, until } from '../../support/engine-harness.js';
import { settle } from '../../support/fakes.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
type SignedIn = Extract<AuthView, { status: 'signed-in' }>;

let count = 0;
/** As GitHub's OAuth apps: no refresh token. `expiresIn` undefined: the token has no end either. */
const grant = (expiresIn?: number | string) => (): Response =>
  Response.json({
    access_token: `secret-only-${++count}`,
    token_type: 'bearer',
    ...(expiresIn === undefined ? {} : { expires_in: expiresIn }),
  });
const newest = (): string => `secret-only-${count}`;

async function started(bench: Bench = createBench()): Promise<Bench> {
  bench.engine.start();
  await until(() => bench.engine.view().status !== 'starting', 'the start');
  await settle();
  return bench;
}

async function signIn(bench: Bench, expiresIn?: number | string): Promise<Bench> {
  bench.authority.answerNext(grant(expiresIn));
  await bench.signIn();
  await settle();
  return bench;
}

const signedIn = async (expiresIn?: number | string): Promise<Bench> =>
  signIn(await started(), expiresIn);

async function restarted(bench: Bench): Promise<Bench> {
  await bench.engine.stop();
  return started(bench.restart());
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'resolved',
    (error: unknown) => (error instanceof AuthError ? error.code : 'no AuthError'),
  );
}

const live = (bench: Bench): SignedIn => {
  const view = bench.engine.view();
  if (view.status !== 'signed-in')
    throw new Error(`signed in was expected, not ${JSON.stringify(view)}`);
  return view;
};
const recordOf = (bench: Bench, subject = 'ada'): string =>
  parseStateFileContent(bench.file.content)?.accounts.find((one) => one.subject === subject)
    ?.record ?? 'gone';
const stored = (bench: Bench): readonly Record<string, unknown>[] =>
  [...bench.secrets.entries]
    .filter(([key]) => key.startsWith('session:'))
    .map(([, value]) => JSON.parse(value) as Record<string, unknown>);
/** Old enough to be believed refused. */
const age = (bench: Bench): Promise<void> => bench.clock.advance(LIMITS.refusedYoungMs);
const ended = {
  status: 'signed-out',
  reason: 'ended',
  lastAccount: { subject: 'ada' },
  error: { code: 'session-ended', retry: 'sign-in' },
};

describe('a session without a refresh token', () => {
  it('is remembered, and its view says that nothing renews it', async () => {
    const bench = await signedIn(3_600);
    const now = bench.clock.now();
    expect(live(bench)).toEqual({
      status: 'signed-in',
      account: expect.objectContaining({ subject: 'ada' }) as unknown,
      remembered: true,
      store: 'keychain',
      renewal: { state: 'fresh', since: now, expiresAt: now + HOUR, renewAt: null },
    });
    expect(bench.views.map(({ status }) => status)).toEqual(
      expect.arrayContaining(['starting', 'signed-out', 'signing-in', 'signed-in']),
    );
  });

  it.each([
    ['without an end', undefined, null],
    ['of a year', 31_536_000, 365 * DAY],
    ['of an hour, said in quotes', '3600', HOUR],
  ])('with a token %s is there at the next start, which makes no request', async (_w, life, ms) => {
    const before = await signedIn(life);
    const [token, signedInAt] = [newest(), before.clock.now()];
    await before.clock.advance(59 * 60_000);
    const asked = before.authority.asked;
    const bench = await restarted(before);
    expect(await bench.engine.getAccessToken()).toBe(token);
    expect(live(bench)).toMatchObject({
      remembered: true,
      renewal: {
        state: 'fresh',
        since: signedInAt,
        expiresAt: ms === null ? null : signedInAt + ms,
        renewAt: null,
      },
    });
    expect([bench.authority.asked, bench.browser.opened]).toEqual([asked, []]);
  });

  it('has its access token as the secret, in the form that earlier builds read', async () => {
    const bench = await signedIn();
    expect(stored(bench)).toMatchObject([
      {
        version: 1,
        refreshToken: newest(),
        renewable: false,
        access: { token: newest(), expiresAt: null },
      },
    ]);
    expect(JSON.stringify(bench.file.content)).not.toContain('secret');
  });

  it('is given out to its last moment, then ends with "session-ended", and asks nobody', async () => {
    const bench = await signedIn(60);
    const asked = bench.authority.asked;
    await bench.clock.advance(59_999);
    expect(await bench.engine.getAccessToken()).toBe(newest());
    await bench.clock.advance(1);
    expect(bench.engine.view()).toMatchObject(ended);
    expect(await codeOf(bench.engine.getAccessToken())).toBe('session-ended');
    expect([bench.authority.asked, bench.clock.pending]).toEqual([asked, 0]);
  });

  it('says so at each later start, until the person signs in again', async () => {
    let bench = await signedIn(60);
    await bench.clock.advance(30_000);
    await bench.engine.stop();
    await bench.clock.advance(30_000);
    for (const start of [1, 2]) {
      bench = await started(bench.restart());
      expect(bench.engine.view(), `start ${start}`).toMatchObject(ended);
      expect(await codeOf(bench.engine.getAccessToken())).toBe('session-ended');
      await bench.engine.stop();
    }
    bench = await signIn(await started(bench.restart()), 60);
    bench = await restarted(bench);
    expect(await bench.engine.getAccessToken()).toBe(newest());
  });

  it('with a lifetime of zero ends at once, and not in a loop', async () => {
    const bench = await signedIn(0);
    await bench.clock.advance(1);
    expect(bench.engine.view()).toMatchObject(ended);
    expect(bench.clock.pending).toBe(0);
  });

  it('is remembered as soon as a keyring that was locked takes it', async () => {
    const bench = await started();
    bench.secrets.setMode('locked');
    await signIn(bench);
    expect(live(bench)).toMatchObject({ remembered: false, error: { code: 'keyring-locked' } });
    bench.secrets.setMode('works');
    bench.systemEvents.emit('unlock');
    await settle();
    expect(live(bench)).toMatchObject({ remembered: true, store: 'keychain' });
    const next = await restarted(bench);
    expect(await next.engine.getAccessToken()).toBe(newest());
  });

  it('waits at a start for a keyring that is locked, and is there when it opens', async () => {
    const before = await signedIn(DAY / 1000);
    await before.engine.stop();
    const bench = before.restart();
    bench.secrets.setMode('locked');
    await started(bench);
    expect(bench.engine.view()).toMatchObject({
      status: 'locked',
      lastAccount: { subject: 'ada' },
    });
    bench.secrets.setMode('works');
    bench.systemEvents.emit('unlock');
    await settle();
    expect(await bench.engine.getAccessToken()).toBe(newest());
  });

  it('whose token no keyring takes for its length lasts as long as the app, and is told', async () => {
    const bench = await started();
    bench.authority.answerNext(grant());
    const { done, state } = await bench.begin();
    bench.secrets.failNextWrite({ state: 'unavailable', detail: 'too long' });
    bench.comeBack(state);
    await done;
    expect(live(bench)).toMatchObject({
      remembered: false,
      store: 'memory',
      error: { code: 'keyring-unavailable' },
    });
    expect(await bench.engine.getAccessToken()).toBe(newest());
  });

  it('is stored in full with a token that is too long to stand beside a refresh token', async () => {
    const token = `secret-${'x'.repeat(LIMITS.recordMemberBytes)}`;
    const before = await started();
    before.authority.answerNext(() => Response.json({ access_token: token, token_type: 'bearer' }));
    await before.signIn();
    const bench = await restarted(before);
    expect(await bench.engine.getAccessToken()).toBe(token);
  });

  it('replaces what the keychain has of the same person, and is replaced by a new sign-in', async () => {
    const first = await started();
    await first.signIn();
    first.authority.revokeAll();
    first.clock.jumpTo(first.clock.now() + 2 * HOUR);
    expect(await codeOf(first.engine.getAccessToken())).toBe('session-ended');
    await signIn(first, 60);
    expect(stored(first)).toMatchObject([{ refreshToken: newest(), renewable: false }]);
    await first.signIn();
    const [record] = stored(first);
    expect(record).not.toHaveProperty('renewable');
    expect(record?.['refreshToken']).toMatch(/^secret-refresh/);
    await first.clock.advance(2 * HOUR);
    expect(live(first).renewal).toMatchObject({
      state: 'fresh',
      renewAt: expect.any(Number) as unknown,
    });
  });

  it('of a person who has a refresh token here keeps that', async () => {
    const bench = await started();
    await bench.signIn();
    const before = stored(bench)[0]?.['refreshToken'];
    await signIn(bench, 60);
    expect(stored(bench)).toMatchObject([{ refreshToken: before }]);
    await bench.clock.advance(60_000);
    expect(live(bench).renewal).toMatchObject({
      state: 'fresh',
      renewAt: expect.any(Number) as unknown,
    });
  });
});

describe('the sign-out of a session without a refresh token', () => {
  it('revokes the access token and forgets the session', async () => {
    const bench = await signedIn();
    await bench.engine.signOut();
    await until(() => recordOf(bench) === 'none', 'the removal');
    expect([bench.authority.revoked, stored(bench), recordOf(bench)]).toEqual([
      [newest()],
      [],
      'none',
    ]);
    expect((await restarted(bench)).engine.view()).toMatchObject({
      status: 'signed-out',
      reason: 'signed-out',
    });
  });

  it('revokes what only the keychain knows', async () => {
    const before = await signedIn();
    await before.engine.stop();
    const bench = before.restart();
    bench.secrets.setMode('locked');
    await started(bench);
    await bench.engine.signOut();
    bench.secrets.setMode('works');
    bench.systemEvents.emit('unlock');
    await until(() => bench.authority.revoked.length > 0, 'the revocation');
    await settle();
    expect([bench.authority.revoked, stored(bench)]).toEqual([[newest()], []]);
  });

  it('while its tokens are being stored revokes them', async () => {
    const bench = await started();
    bench.authority.answerNext(grant());
    const { done, state } = await bench.begin();
    bench.secrets.setMode('prompting');
    bench.comeBack(state);
    await until(() => bench.secrets.prompting, 'the dialog');
    await bench.clock.advance(LIMITS.claimWaitMs);
    await until(() => bench.authority.count('authorization_code') === 1, 'the exchange');
    await settle();
    const leaving = bench.engine.signOut();
    await settle();
    bench.secrets.answerPrompt('unlocked');
    await leaving;
    await done.catch(() => undefined);
    await until(() => bench.authority.revoked.length > 0 && stored(bench).length === 0, 'the end');
    expect([bench.authority.revoked, stored(bench)]).toEqual([[newest()], []]);
  });
});

describe('the word that an API has refused the only access token', () => {
  it('of the host ends the session: nothing else could bring another token', async () => {
    const bench = await signedIn();
    await age(bench);
    const refused = bench.engine.getAccessToken({ refused: newest() });
    expect(await codeOf(refused)).toBe('session-ended');
    await expect(refused).rejects.toMatchObject({ retry: 'sign-in' });
    expect(bench.engine.view()).toMatchObject(ended);
    expect(recordOf(bench)).toBe('refused');
    const next = await restarted(bench);
    expect(next.engine.view()).toMatchObject({ status: 'signed-out', reason: 'ended' });
    expect(await codeOf(next.engine.getAccessToken())).toBe('signed-out');
  });

  it('ends it for everybody who comes with it, once', async () => {
    const bench = await signedIn();
    await age(bench);
    const codes = await Promise.all(
      Array.from({ length: 50 }, () => codeOf(bench.engine.getAccessToken({ refused: newest() }))),
    );
    expect(new Set(codes)).toEqual(new Set(['session-ended']));
    expect(bench.log.names().filter((name) => name === 'session-absent')).toHaveLength(1);
  });

  it.each(['another token', 'secret-only-0', ''])(
    'does nothing if that is not the token of the session, as "%s"',
    async (refused) => {
      const bench = await signedIn();
      await age(bench);
      expect(await bench.engine.getAccessToken({ refused })).toBe(newest());
      expect(live(bench).remembered).toBe(true);
    },
  );

  it('does nothing while the token is young: another one would be refused too', async () => {
    const bench = await signedIn();
    await bench.clock.advance(LIMITS.refusedYoungMs - 1);
    expect(await bench.engine.getAccessToken({ refused: newest() })).toBe(newest());
    expect(live(bench).remembered).toBe(true);
  });

  it('about another API leaves the session as it is', async () => {
    const bench = await signedIn();
    await age(bench);
    expect(await codeOf(bench.engine.getAccessToken({ scopes: ['read'], refused: newest() }))).toBe(
      'resource-refused',
    );
    expect(await bench.engine.getAccessToken()).toBe(newest());
  });

  it('by an API alone ends nothing: the caller gets the same token', async () => {
    const bench = await signedIn(60);
    await age(bench);
    const again = bench.engine.getAccessToken({ refused: newest() }, 'api');
    expect(await again).toBe(newest());
    expect(live(bench).remembered).toBe(true);
    await bench.clock.advance(60_000);
    expect(
      await codeOf(bench.engine.getAccessToken({ refused: newest() }, 'api')),
      'the clock still ends it',
    ).toBe('session-ended');
  });

  it('by auth.fetch() ends nothing: the 401 of the API is the answer', async () => {
    const bench = await signedIn();
    await age(bench);
    const sent: string[] = [];
    const fetch = createApiFetch(
      [
        {
          name: 'notes',
          origin: 'https://api.example',
          paths: ['/'],
          methods: null,
          resource: null,
          scopes: null,
          pages: false,
        },
      ],
      {
        async fetch(_url, { headers }) {
          sent.push(headers['authorization'] ?? 'no token');
          return new Response('no', { status: 401 });
        },
      },
      {
        tokensFor: createStepUp(
          {
            getAccessToken: (wanted) => bench.engine.getAccessToken(wanted, 'api'),
            signIn: () => Promise.reject(new Error('not reached')),
            signedIn: () => null,
          },
          bench.clock,
        ),
        hold: bench.engine.hold,
      },
      'host',
    );
    const answer = await fetch('https://api.example/notes');
    expect([answer.status, await answer.text(), sent]).toEqual([401, 'no', [`Bearer ${newest()}`]]);
    expect(live(bench).remembered).toBe(true);
  });

  it('does not end the session if the keychain has a newer token of another process', async () => {
    const a = await signedIn();
    const b = await started(a.another());
    const old = newest();
    expect(await b.engine.getAccessToken()).toBe(old);
    await signIn(a);
    expect(newest()).not.toBe(old);
    await age(b);
    expect(await b.engine.getAccessToken({ refused: old })).toBe(newest());
    expect(live(b).remembered).toBe(true);
    expect(recordOf(b)).toBe('kept');
  });

  it('brings the newer token of another process also in the last moments of its life', async () => {
    const a = await signedIn(DAY / 1000);
    const b = await started(a.another());
    const old = newest();
    await signIn(a, 60);
    await b.clock.advance(59_000);
    expect(await b.engine.getAccessToken({ refused: old })).toBe(newest());
    await b.clock.advance(1_000);
    expect(b.engine.view()).toMatchObject(ended);
  });

  it('goes on with the refresh token that another process has stored', async () => {
    const a = await signedIn();
    const b = await started(a.another());
    const old = newest();
    a.clock.jumpTo(a.clock.now() + HOUR);
    await a.signIn();
    await settle();
    a.clock.jumpTo(a.clock.now() + 2 * HOUR);
    expect(await b.engine.getAccessToken({ refused: old })).toMatch(/^secret-access/);
    expect(live(b).renewal).toMatchObject({ renewAt: expect.any(Number) as unknown });
    expect(b.authority.reused).toEqual([]);
  });

  it('by the host of another process leaves what a sign-out owes', async () => {
    const a = await signedIn();
    const b = await started(a.another());
    const old = newest();
    await age(b);
    a.authority.online = false;
    await a.engine.signOut();
    await until(() => a.log.names().includes('revocation-failed'), 'the first try');
    await settle();
    expect(await codeOf(b.engine.getAccessToken({ refused: old }))).not.toBe('resolved');
    await settle();
    expect(recordOf(a)).toBe('removal-owed');
    await b.engine.stop();
    a.kill();
    a.authority.online = true;
    const next = await started(a.restart());
    await until(() => stored(next).length === 0, 'the removal');
    expect(next.authority.revoked).toEqual([old]);
  });

  it('while the keyring is locked ends it for this run only: the record may be a newer one', async () => {
    const a = await signedIn();
    const b = await started(a.another());
    const old = newest();
    await signIn(a);
    b.secrets.setMode('locked');
    await age(b);
    expect(await codeOf(b.engine.getAccessToken({ refused: old }))).toBe('session-ended');
    const next = await restarted(a);
    expect(await next.engine.getAccessToken()).toBe(newest());
    expect(recordOf(next)).toBe('kept');
  });
});

describe('a clock that misleads about the only access token', () => {
  it('and is right again at the next start has cost nothing', async () => {
    const before = await signedIn(3_600);
    const now = before.clock.now();
    before.clock.jumpTo(now + DAY);
    expect(await codeOf(before.engine.getAccessToken())).toBe('session-ended');
    await before.engine.stop();
    before.clock.jumpTo(now + 1_000);
    const bench = await started(before.restart());
    expect(await bench.engine.getAccessToken()).toBe(newest());
    expect(recordOf(bench)).toBe('kept');
  });

  it.each(['a caller', 'retry', 'unlock'] as const)(
    'and is right again in the same run gives the session back at %s',
    async (by) => {
      const bench = await signedIn(3_600);
      const now = bench.clock.now();
      bench.clock.jumpTo(now + DAY);
      await bench.clock.advance(HOUR);
      expect(bench.engine.view()).toMatchObject(ended);
      bench.clock.jumpTo(now + 2_000);
      if (by === 'retry') bench.engine.retry();
      else if (by === 'unlock') bench.systemEvents.emit('unlock');
      else expect(await bench.engine.getAccessToken()).toBe(newest());
      await settle();
      expect(live(bench)).toMatchObject({ remembered: true, renewal: { state: 'fresh' } });
      expect(recordOf(bench)).toBe('kept');
    },
  );

  it('leaves a session that is over as it is at every signal', async () => {
    const bench = await signedIn(60);
    await bench.clock.advance(60_000);
    const views = bench.views.length;
    bench.engine.retry();
    bench.systemEvents.emit('unlock');
    await settle();
    expect(bench.views.length).toBe(views);
  });

  it('shortens no life and lengthens none when it is set back, here and at the next start', async () => {
    const before = await signedIn(3_600);
    before.clock.jumpTo(before.clock.now() - DAY);
    await before.clock.advance(30 * 60_000);
    before.systemEvents.emit('resume');
    await settle();
    expect(live(before).renewal.expiresAt).toBe(before.clock.now() + 30 * 60_000);
    const bench = await restarted(before);
    expect(live(bench).renewal.expiresAt).toBe(bench.clock.now() + 30 * 60_000);
    expect(await bench.engine.getAccessToken()).toBe(newest());
    await bench.clock.advance(30 * 60_000);
    expect(bench.engine.view()).toMatchObject(ended);
  });
});

describe('several accounts without refresh tokens', () => {
  let person = 'ada';
  const idOf = (bench: Bench, subject: string): string =>
    parseStateFileContent(bench.file.content)?.accounts.find((one) => one.subject === subject)
      ?.id ?? 'unknown';

  async function two(): Promise<{ bench: Bench; tokens: { ada: string; grace: string } }> {
    const bench = await started(
      createBench({ accounts: 'several', identify: async () => ({ subject: person }) }),
    );
    person = 'ada';
    await signIn(bench);
    const ada = newest();
    person = 'grace';
    await signIn(bench, DAY / 1000);
    return { bench, tokens: { ada, grace: newest() } };
  }

  it('are all there at the next start, each with its own token', async () => {
    const { bench: before, tokens } = await two();
    const asked = before.authority.asked;
    const bench = await restarted(before);
    const [ada, grace] = [idOf(bench, 'ada'), idOf(bench, 'grace')];
    expect([
      await bench.engine.getAccessToken({ account: ada }),
      await bench.engine.getAccessToken({ account: grace }),
      await bench.engine.getAccessToken(),
    ]).toEqual([tokens.ada, tokens.grace, tokens.grace]);
    expect(bench.authority.asked).toBe(asked);
  });

  it('end one by one: what is refused or over for one is not for the other', async () => {
    const { bench, tokens } = await two();
    await age(bench);
    const [ada, grace] = [idOf(bench, 'ada'), idOf(bench, 'grace')];
    expect(await codeOf(bench.engine.getAccessToken({ account: grace, refused: tokens.ada }))).toBe(
      'resolved',
    );
    expect(await codeOf(bench.engine.getAccessToken({ account: ada, refused: tokens.ada }))).toBe(
      'session-ended',
    );
    await settle();
    expect([recordOf(bench, 'ada'), recordOf(bench, 'grace')]).toEqual(['refused', 'kept']);
    expect(await bench.engine.getAccessToken()).toBe(tokens.grace);
    await bench.clock.advance(DAY);
    expect(await codeOf(bench.engine.getAccessToken({ account: grace }))).toBe('session-ended');
  });
});

describe('the tokens of a sign-in that came too late', () => {
  it('are revoked also without a refresh token', async () => {
    const bench = await started();
    const release = bench.authority.hold();
    bench.authority.answerNext(grant());
    const { done, state } = await bench.begin();
    bench.comeBack(state);
    await until(() => bench.authority.open > 0, 'the exchange');
    await bench.engine.signOut();
    release();
    await Promise.allSettled([done]);
    await until(() => bench.authority.revoked.length > 0, 'the revocation');
    expect(bench.authority.revoked).toEqual([newest()]);
  });
});
