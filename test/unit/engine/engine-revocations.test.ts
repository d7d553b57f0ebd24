// Revocations that are owed: the provider is told until it has answered, over restarts and kills, by
// one process, and nobody is signed in or out by that.
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../src/main/core/base/limits.js';
import type { StateFileContent } from '../../../src/main/core/base/ports.js';
import { type Bench, ISSUER, createBench, until } from '../../support/engine-harness.js';
import { settle } from '../../support/fakes.js';

const DAY = 86_400_000;
const statusOf = (bench: Bench): string => bench.engine.view().status;
const records = (bench: Bench): readonly string[] =>
  [...bench.secrets.entries].flatMap(([key, value]) => (key.startsWith('session:') ? [value] : []));
const tokensLeft = (bench: Bench): readonly string[] =>
  records(bench).map((record) => (JSON.parse(record) as { refreshToken: string }).refreshToken);
const stateInFile = (bench: Bench): string | undefined =>
  (bench.file.content as StateFileContent).accounts[0]?.record;
const failures = (bench: Bench): readonly unknown[] =>
  bench.log.events.flatMap(({ event, fields }) => (event === 'revocation-failed' ? [fields] : []));

async function started(bench: Bench = createBench()): Promise<Bench> {
  bench.engine.start();
  await until(() => statusOf(bench) !== 'starting', 'the start');
  await settle();
  return bench;
}

async function signedIn(bench: Bench = createBench()): Promise<Bench> {
  await started(bench);
  await bench.signIn();
  await settle();
  return bench;
}

/** A person who signed out while the server did not answer, once so far. */
async function owing(options: Parameters<typeof createBench>[0] = {}): Promise<Bench> {
  const bench = await signedIn(createBench(options));
  bench.authority.online = false;
  await bench.engine.signOut();
  await until(() => failures(bench).length === 1, 'the first try');
  await settle();
  return bench;
}

async function gone(bench: Bench): Promise<void> {
  await until(() => records(bench).length === 0, 'the removal');
  await settle();
  expect(stateInFile(bench)).toBe('none');
}

describe('a revocation that failed', () => {
  it('is tried again, ever less often, until the server has answered', async () => {
    const bench = await owing();
    const before = bench.authority.asked;
    await bench.clock.advance(2 * 3_600_000);
    const tries = bench.authority.asked - before;
    expect(tries).toBeGreaterThan(6);
    expect(tries).toBeLessThan(20);
    expect(failures(bench).every((one) => (one as { again: boolean }).again)).toBe(true);
    bench.authority.online = true;
    await bench.clock.advance(LIMITS.retryMaxMs);
    await gone(bench);
    expect(bench.authority.revoked).toEqual(['secret-refresh-1']);
    expect(bench.clock.pending, 'timers').toBe(0);
  });

  it.each(['online', 'resume', 'unlock'] as const)(
    'is tried again at "%s", at once',
    async (signal) => {
      const bench = await owing();
      bench.authority.online = true;
      bench.systemEvents.emit(signal);
      await gone(bench);
      expect(bench.authority.revoked).toEqual(['secret-refresh-1']);
    },
  );

  it('is tried again by retry()', async () => {
    const bench = await owing();
    bench.authority.online = true;
    bench.engine.retry();
    await gone(bench);
  });

  it('lets the network be watched only while the network is what it waits for', async () => {
    const bench = await owing();
    expect(bench.systemEvents.watching).toBe(true);
    bench.authority.online = true;
    bench.authority.answerNextRevocation(() => new Response(null, { status: 503 }));
    bench.systemEvents.emit('online');
    await until(() => failures(bench).length === 2, 'the second try');
    await settle();
    expect(bench.systemEvents.watching).toBe(false);
  });

  it('waits as long as the server asks, also when the computer wakes up', async () => {
    const bench = await signedIn();
    bench.authority.answerNextRevocation(
      () => new Response(null, { status: 503, headers: { 'Retry-After': '600' } }),
    );
    await bench.engine.signOut();
    await until(() => failures(bench).length === 1, 'the first try');
    await settle();
    bench.systemEvents.emit('resume');
    await bench.clock.advance(590_000);
    expect([bench.authority.revoked, tokensLeft(bench)]).toEqual([[], ['secret-refresh-1']]);
    await bench.clock.advance(600_000);
    await gone(bench);
  });

  it('is due at once when the clock was set back', async () => {
    const bench = await owing();
    await bench.clock.advance(3_600_000);
    bench.authority.online = true;
    bench.clock.jumpTo(bench.clock.now() - 30 * DAY);
    await bench.clock.advance(LIMITS.timerMaxMs);
    await gone(bench);
  });

  it.each([
    ['unsupported_token_type', 400],
    ['invalid_client', 401],
    ['invalid_request', 400],
  ])('is over when the server refuses it with %s', async (error, status) => {
    const bench = await signedIn();
    bench.authority.answerNextRevocation(() => Response.json({ error }, { status }));
    await bench.engine.signOut();
    await gone(bench);
    expect(failures(bench)).toEqual([{ code: 'sign-in-refused', again: false }]);
    await bench.clock.advance(DAY);
    expect(bench.authority.revoked).toEqual([]);
  });

  it.each([
    ['a page instead of an answer', () => new Response('<html>', { headers: HTML })],
    ['a redirect', () => new Response(null, { status: 302, headers: { Location: '/login' } })],
    ['429', () => new Response(null, { status: 429 })],
    ['a page with 403, where the metadata is a page, too', () => denied()],
  ])('is not over by %s', async (what, answer) => {
    const bench = await signedIn(
      createBench({
        endpoints: {
          authorization: `${ISSUER}/authorize`,
          token: `${ISSUER}/token`,
          revocation: `${ISSUER}/revoke`,
          jwks: `${ISSUER}/keys`,
        },
      }),
    );
    if (what.startsWith('a page with 403')) bench.authority.keySet = () => denied();
    bench.authority.answerNextRevocation(answer);
    await bench.engine.signOut();
    await until(() => failures(bench).length === 1, 'the first try');
    await settle();
    expect(tokensLeft(bench)).toEqual(['secret-refresh-1']);
    await bench.clock.advance(3_000);
    await gone(bench);
    expect(bench.authority.revoked).toEqual(['secret-refresh-1']);
  });

  it('is over where the provider has no address for it', async () => {
    const bench = await signedIn(
      createBench({
        endpoints: { authorization: `${ISSUER}/authorize`, token: `${ISSUER}/token` },
      }),
    );
    await bench.engine.signOut();
    await gone(bench);
    expect([bench.authority.revoked, failures(bench)]).toEqual([[], []]);
  });
});

const HTML = { 'Content-Type': 'text/html; charset=utf-8' };
function denied(): Response {
  return new Response('<html>blocked', { status: 403, headers: HTML });
}

describe('after a restart', () => {
  it('a token that is owed is no session, and is revoked at once', async () => {
    const before = await owing();
    before.kill();
    before.authority.online = true;
    const bench = await started(before.restart());
    await gone(bench);
    expect([
      statusOf(bench),
      bench.authority.revoked,
      bench.authority.count('refresh_token'),
    ]).toEqual(['signed-out', ['secret-refresh-1'], 0]);
  });

  it('a token that is owed is no session either where the disk did not take the sign-out', async () => {
    const before = await signedIn();
    const save = before.file.save.bind(before.file);
    before.file.save = () => Promise.reject(new Error('the disk is full'));
    before.authority.online = false;
    await before.engine.signOut();
    await until(() => failures(before).length === 1, 'the first try');
    await settle();
    expect(stateInFile(before)).toBe('kept');
    before.kill();
    before.file.save = save;
    before.authority.online = true;
    const bench = await started(before.restart());
    await until(() => statusOf(bench) === 'signed-out', 'the end');
    expect(bench.views.map(({ status }) => status)).not.toContain('signed-in');
    await gone(bench);
    expect(bench.authority.revoked).toEqual(['secret-refresh-1']);
  });

  it('whatever line the process was killed at, the session stands or its token is revoked in the end', async () => {
    const asks = await countAsks();
    expect(asks).toBeGreaterThan(8);
    let stood = 0;
    for (let at = 0; at < asks; at += 1)
      for (const fate of ['dies before', 'dies after'] as const) {
        const before = await signedIn();
        await before.engine.stop();
        let count = -1;
        const dying = before.restart(() =>
          count === -1 ? 'lives' : count++ === at ? fate : 'lives',
        );
        await started(dying);
        await until(() => statusOf(dying) === 'signed-in', 'the session');
        count = 0;
        void dying.engine.signOut().catch(() => undefined);
        await until(() => count > at, `step ${at}`);
        await settle();
        const next = await started(dying.restart());
        await settle();
        if (statusOf(next) === 'signed-in') {
          stood += 1;
          expect(next.authority.revoked, `killed ${fate} step ${at}`).toEqual([]);
          continue;
        }
        await gone(next);
        expect(new Set(next.authority.revoked), `killed ${fate} step ${at}`).toEqual(
          new Set(['secret-refresh-1']),
        );
      }
    expect(stood, 'sessions that were killed before the sign-out was noted').toBeGreaterThan(0);
  });
});

/** How often a sign-out asks disk, keyring and network for something. */
async function countAsks(): Promise<number> {
  const before = await signedIn();
  await before.engine.stop();
  let count = 0;
  const bench = before.restart(() => {
    count += 1;
    return 'lives';
  });
  await started(bench);
  await until(() => statusOf(bench) === 'signed-in', 'the session');
  count = 0;
  await bench.engine.signOut();
  await gone(bench);
  return count;
}

describe('somebody who signs in again', () => {
  it('keeps the new token, also when the server answers later', async () => {
    const bench = await owing();
    bench.authority.online = true;
    await bench.signIn();
    await settle();
    await bench.clock.advance(LIMITS.retryMaxMs);
    bench.systemEvents.emit('online');
    await settle();
    expect([statusOf(bench), bench.authority.revoked, stateInFile(bench)]).toEqual([
      'signed-in',
      [],
      'kept',
    ]);
  });

  it('in another process keeps the new token', async () => {
    const bench = await owing();
    bench.authority.online = true;
    const other = await started(bench.another());
    const { done, state } = await other.begin();
    other.comeBack(state);
    await done;
    await settle();
    const revoked = [...bench.authority.revoked];
    await bench.clock.advance(LIMITS.retryMaxMs);
    bench.systemEvents.emit('online');
    bench.engine.retry();
    await settle();
    expect(bench.authority.revoked).toEqual(revoked);
    expect(tokensLeft(other)).toEqual([
      bench.authority.issued.findLast((one) => one.includes('refresh')),
    ]);
    expect(bench.authority.revoked).not.toContain(tokensLeft(other)[0]);
  });

  it('is not disturbed while the browser is open: the code may belong to the same grant', async () => {
    const bench = await owing();
    const { done, state } = await bench.begin();
    bench.authority.online = true;
    bench.systemEvents.emit('online');
    await bench.clock.advance(60_000);
    expect(bench.authority.revoked).toEqual([]);
    bench.comeBack(state);
    await done;
    await bench.clock.advance(LIMITS.retryMaxMs);
    expect([statusOf(bench), bench.authority.revoked]).toEqual(['signed-in', []]);
  });

  it('and gives up lets the revocation go on', async () => {
    const bench = await owing();
    const { done } = await bench.begin();
    bench.authority.online = true;
    bench.systemEvents.emit('online');
    await settle();
    expect(bench.authority.revoked).toEqual([]);
    bench.engine.cancelSignIn();
    await done.catch(() => undefined);
    await gone(bench);
  });

  it('and out again owes the newer token', async () => {
    const bench = await owing();
    bench.authority.online = true;
    const { done, state } = await bench.begin();
    bench.comeBack(state);
    await done;
    await settle();
    const [newest] = tokensLeft(bench);
    bench.authority.online = false;
    await bench.engine.signOut();
    await until(() => failures(bench).length === 2, 'the try');
    await settle();
    expect(tokensLeft(bench)).toEqual([newest]);
    bench.authority.online = true;
    bench.systemEvents.emit('online');
    await gone(bench);
    expect(bench.authority.revoked).toEqual([newest]);
  });

  it('as another person does not keep the first from being revoked', async () => {
    let subject = 'ada';
    const bench = await owing({ identify: async () => ({ subject }) });
    subject = 'grace';
    bench.authority.online = true;
    await bench.signIn();
    await bench.clock.advance(LIMITS.retryBaseMs);
    await until(() => bench.authority.revoked.length === 1, 'the revocation');
    await settle();
    expect([statusOf(bench), bench.authority.revoked, records(bench).length]).toEqual([
      'signed-in',
      ['secret-refresh-1'],
      1,
    ]);
  });

  it('without a name loses nothing, for it may be the same person: the old token is only removed', async () => {
    const bench = await owing({ identify: undefined } as never);
    bench.authority.online = true;
    await bench.signIn();
    await bench.clock.advance(LIMITS.retryBaseMs);
    await until(() => records(bench).length === 1, 'the removal');
    await bench.clock.advance(LIMITS.retryMaxMs);
    expect([statusOf(bench), bench.authority.revoked]).toEqual(['signed-in', []]);
  });
});

describe('two processes', () => {
  it('tell the server once', async () => {
    const bench = await owing();
    const other = await started(bench.another());
    await until(() => failures(other).length === 1, 'its try');
    const before = bench.authority.asked;
    bench.authority.online = true;
    const release = bench.authority.hold();
    bench.engine.retry();
    other.engine.retry();
    await until(() => bench.authority.open === 1, 'one request');
    await settle();
    expect(bench.authority.asked - before).toBe(1);
    release();
    await gone(bench);
    await bench.clock.advance(LIMITS.retryMaxMs);
    expect(bench.authority.revoked).toEqual(['secret-refresh-1']);
    expect(bench.clock.pending, 'timers').toBe(0);
  });
});

describe('a session that no keyring has taken', () => {
  it('is revoked as long as the app runs, and kept for later as soon as the keyring opens', async () => {
    const bench = await started();
    bench.secrets.setMode('locked');
    await bench.signIn();
    expect(bench.engine.view()).toMatchObject({ remembered: false });
    bench.authority.online = false;
    await bench.engine.signOut();
    await until(() => failures(bench).length === 1, 'the first try');
    await settle();
    bench.secrets.setMode('works');
    await bench.clock.advance(60_000);
    expect(tokensLeft(bench)).toEqual(['secret-refresh-1']);
    bench.kill();
    bench.authority.online = true;
    const next = await started(bench.restart());
    await gone(next);
    expect(next.authority.revoked).toEqual(['secret-refresh-1']);
  });
});

describe('what is owed', () => {
  it('for longer than a token lives is given up, and its token removed', async () => {
    const bench = await owing();
    await bench.clock.advance(DAY);
    expect(tokensLeft(bench)).toHaveLength(1);
    bench.kill();
    bench.clock.jumpTo(bench.clock.now() + LIMITS.revocationMaxMs);
    const next = await started(bench.restart());
    await gone(next);
    expect(failures(next).at(-1)).toEqual({ code: 'network-failed', again: false });
  });

  it('since a time that is still to come is not given up, for that clock was wrong', async () => {
    const bench = await signedIn();
    bench.clock.jumpTo(bench.clock.now() + 400 * DAY);
    bench.authority.online = false;
    await bench.engine.signOut();
    await until(() => failures(bench).length === 1, 'the first try');
    await settle();
    bench.kill();
    bench.clock.jumpTo(bench.clock.now() - 400 * DAY);
    const next = await started(bench.restart());
    await until(() => failures(next).length === 1, 'the next try');
    await settle();
    expect(JSON.parse(records(next)[0] ?? '{}')).toMatchObject({ signedOutAt: next.clock.now() });
  });

  it(`is at most ${LIMITS.revocationsOwed} tokens; of the people who signed in first only the record goes`, async () => {
    let subject = '';
    const bench = await started(
      createBench({ accounts: 'several', identify: async () => ({ subject }) }),
    );
    bench.authority.lifeSeconds = 30 * 86_400;
    for (let person = 0; person <= LIMITS.revocationsOwed; person += 1) {
      subject = `person ${person}`;
      bench.authority.online = true;
      await bench.signIn();
      await settle();
      bench.authority.online = false;
      await bench.engine.signOut();
      await settle();
    }
    expect(records(bench)).toHaveLength(LIMITS.revocationsOwed + 1);
    bench.kill();
    const next = await started(bench.restart());
    await until(() => records(next).length === LIMITS.revocationsOwed, 'the removal');
    await settle();
    expect(tokensLeft(next)).not.toContain('secret-refresh-1');
    expect(failures(next)[0]).toEqual({ code: null, again: false });
  });
});
