// A sign-in outlives the process that began it: killed with -9, started again by the callback,
// redeemed once by the process that comes first.
import { describe, expect, it } from 'vitest';
import type { AuthView } from '../../../src/contract.js';
import { LIMITS } from '../../../src/main/core/base/limits.js';
import type { StateFileContent } from '../../../src/main/core/base/ports.js';
import { type Bench, REDIRECT, createBench, until } from '../../support/engine-harness.js';
import { settle } from '../../support/fakes.js';

const statusOf = (bench: Bench): AuthView['status'] => bench.engine.view().status;
const attemptKeys = (bench: Bench): readonly string[] =>
  [...bench.secrets.entries.keys()].filter((key) => key.startsWith('attempt:'));
const knownAttempts = (bench: Bench): number =>
  (bench.file.content as StateFileContent).attempts.length;
const posted = (bench: Bench): readonly (string | null)[] =>
  bench.authority.tokenForms.map((form) => form.get('code'));

async function started(bench: Bench): Promise<Bench> {
  bench.engine.start();
  await until(() => statusOf(bench) !== 'starting', 'the start');
  return bench;
}

/** A process that was killed while the person was in the browser. */
async function killedWhileWaiting(
  bench: Bench = createBench(),
): Promise<{ readonly dead: Bench; readonly state: string }> {
  await started(bench);
  const { state } = await bench.begin();
  await until(() => attemptKeys(bench).length === 1, 'the record of the attempt');
  await settle();
  bench.kill();
  return { dead: bench, state };
}

describe('a sign-in whose process was killed', () => {
  it('is finished by the process that the callback starts, before its file was read', async () => {
    const { dead, state } = await killedWhileWaiting();
    const next = dead.restart();
    next.comeBack(state);
    next.engine.start();
    await until(() => statusOf(next) === 'signed-in', 'the sign-in');
    await settle();
    expect(next.engine.view()).toMatchObject({
      account: { subject: 'ada' },
      remembered: true,
      renewal: { state: 'fresh' },
    });
    expect([posted(next), attemptKeys(next), knownAttempts(next)]).toEqual([['good-code'], [], 0]);
    expect(next.log.names()).toContain('attempt-resumed');
  });

  it('sends the verifier of the process that began it, and its redirect', async () => {
    const { dead, state } = await killedWhileWaiting();
    const kept = JSON.parse(dead.secrets.entries.get(attemptKeys(dead)[0]!)!) as {
      codeVerifier: string;
    };
    const next = await started(dead.restart());
    next.comeBack(state);
    await until(() => statusOf(next) === 'signed-in', 'the sign-in');
    expect(next.authority.tokenForms[0]?.get('code_verifier')).toBe(kept.codeVerifier);
    expect(next.authority.tokenForms[0]?.get('redirect_uri')).toBe(REDIRECT);
  });

  it('is finished also while the view says signed out, and shows that it is being redeemed', async () => {
    const { dead, state } = await killedWhileWaiting();
    const next = await started(dead.restart());
    const release = next.authority.hold();
    expect(statusOf(next)).toBe('signed-out');
    next.comeBack(state);
    await until(() => statusOf(next) === 'signing-in', 'the attempt');
    expect(next.engine.view()).toMatchObject({
      attempt: { stage: 'redeeming', redirect: 'custom-scheme' },
    });
    release();
    await until(() => statusOf(next) === 'signed-in', 'the sign-in');
  });

  it('says why when the provider refuses the code', async () => {
    const { dead, state } = await killedWhileWaiting();
    const next = await started(dead.restart());
    next.comeBack(state, 'bad-code');
    await until(() => next.authority.count('authorization_code') === 1);
    await until(() => statusOf(next) === 'signed-out');
    expect(next.engine.view()).toMatchObject({
      status: 'signed-out',
      error: { code: 'sign-in-refused' },
    });
  });

  it('is one of several, and each is finished by its own callback', async () => {
    const bench = await started(createBench());
    const attempts = [await bench.begin(), await bench.begin()];
    await until(() => attemptKeys(bench).length === 2);
    await settle();
    bench.kill();
    const next = await started(bench.restart());
    next.comeBack(attempts[1]!.state, 'good-2');
    await until(() => statusOf(next) === 'signed-in');
    next.comeBack(attempts[0]!.state, 'good-1');
    await until(() => next.authority.count('authorization_code') === 2);
    expect(posted(next)).toEqual(['good-2', 'good-1']);
  });

  it('by loopback leaves nothing in the keychain, for nobody could come back to it', async () => {
    const bench = await started(createBench({ redirects: ['http://127.0.0.1/callback'] }));
    await bench.begin();
    await settle();
    expect([bench.secrets.calls, bench.file.saves]).toEqual([[], []]);
  });

  it('that was cancelled before is not finished by a late callback', async () => {
    const bench = await started(createBench());
    const { state } = await bench.begin();
    await until(() => attemptKeys(bench).length === 1);
    bench.engine.cancelSignIn();
    await until(() => attemptKeys(bench).length === 0, 'the removal');
    bench.comeBack(state);
    const next = await started(bench.restart());
    next.comeBack(state);
    await until(() => next.log.names().includes('callback-unexpected'));
    expect([statusOf(bench), statusOf(next), posted(next)]).toEqual([
      'signed-out',
      'signed-out',
      [],
    ]);
  });

  it('was stopped in good order, and is finished by the next process all the same', async () => {
    const bench = await started(createBench());
    const { state } = await bench.begin();
    await until(() => attemptKeys(bench).length === 1);
    await settle();
    await bench.engine.stop();
    const next = await started(bench.restart());
    next.comeBack(state);
    await until(() => statusOf(next) === 'signed-in');
  });
});

describe('a code is posted once', () => {
  it('when the same callback comes to a new process twice', async () => {
    const { dead, state } = await killedWhileWaiting();
    const next = dead.restart();
    next.comeBack(state);
    next.comeBack(state, 'good-again');
    next.engine.start();
    await until(() => statusOf(next) === 'signed-in');
    next.comeBack(state, 'good-later');
    await settle();
    // Which of the two that came together is taken, is WebCrypto's to say.
    expect([['good-code'], ['good-again']]).toContainEqual(posted(next));
  });

  it('when it comes to two new processes at once', async () => {
    const { dead, state } = await killedWhileWaiting();
    const first = dead.restart();
    const second = first.another();
    for (const bench of [first, second]) {
      bench.comeBack(state);
      bench.engine.start();
    }
    await until(() => [first, second].some((bench) => statusOf(bench) === 'signed-in'));
    await until(
      () => [first, second].some((bench) => bench.log.names().includes('callback-unexpected')),
      "the other's word",
    );
    await settle();
    expect(posted(first)).toEqual(['good-code']);
  });

  it('when it comes to the process that waits and to a new one at once', async () => {
    const waiting = await started(createBench());
    const { done, state } = await waiting.begin();
    await until(() => attemptKeys(waiting).length === 1);
    await settle();
    const late = await started(waiting.another());
    late.comeBack(state);
    waiting.comeBack(state);
    const outcome = await done.then(
      () => 'signed in',
      (error: unknown) => (error as { code: string }).code,
    );
    await until(
      () => [waiting, late].filter((bench) => statusOf(bench) === 'signed-in').length === 1,
    );
    await settle();
    expect(posted(waiting)).toEqual(['good-code']);
    expect(['signed in', 'sign-in-cancelled']).toContain(outcome);
  });

  it('when the process that waits is slower than a new one: it says that another has taken it', async () => {
    const waiting = await started(createBench());
    const { done, state } = await waiting.begin();
    await until(() => attemptKeys(waiting).length === 1);
    await settle();
    const fast = await started(waiting.another());
    fast.comeBack(state);
    await until(() => statusOf(fast) === 'signed-in');
    waiting.comeBack(state);
    await expect(done).rejects.toMatchObject({
      code: 'sign-in-cancelled',
      message: expect.stringContaining('another process') as string,
    });
    expect(posted(waiting)).toEqual(['good-code']);
  });

  it('and not again after the process was killed while it redeemed', async () => {
    const { dead, state } = await killedWhileWaiting();
    const second = await started(dead.restart());
    const release = second.authority.hold();
    second.comeBack(state);
    await until(() => second.authority.count('authorization_code') === 1);
    second.kill();
    release();
    const third = second.restart();
    third.comeBack(state);
    await started(third);
    await until(() => third.log.names().includes('callback-unexpected'));
    await settle();
    expect([statusOf(third), posted(third), attemptKeys(third)]).toEqual([
      'signed-out',
      ['good-code'],
      [],
    ]);
  });

  it('and not again after the process that began it was killed while it redeemed', async () => {
    const first = await started(createBench());
    const { state } = await first.begin();
    await until(() => attemptKeys(first).length === 1);
    await settle();
    const release = first.authority.hold();
    first.comeBack(state);
    await until(() => first.authority.count('authorization_code') === 1);
    first.kill();
    release();
    const next = await started(first.restart());
    next.comeBack(state);
    await until(() => next.log.names().includes('callback-unexpected'));
    await settle();
    expect([statusOf(next), posted(next)]).toEqual(['signed-out', ['good-code']]);
  });

  it('also when the keyring does not let go of the record', async () => {
    const { dead, state } = await killedWhileWaiting();
    const next = await started(dead.restart());
    next.secrets.remove = async () => ({ state: 'unavailable', detail: 'broken' });
    next.comeBack(state);
    await until(() => statusOf(next) === 'signed-in', 'the sign-in');
    next.comeBack(state, 'good-later');
    const later = await started(next.restart());
    later.comeBack(state, 'good-much-later');
    await until(() => later.log.names().includes('callback-unexpected'));
    expect(posted(next)).toEqual(['good-code']);
  });

  it('or never, when neither the file nor the keyring can say that it was', async () => {
    const { dead, state } = await killedWhileWaiting();
    const next = await started(dead.restart());
    next.secrets.remove = async () => ({ state: 'unavailable', detail: 'broken' });
    next.file.save = () => Promise.reject(new Error('ENOSPC'));
    next.comeBack(state);
    await until(() => next.log.names().includes('attempt-waiting-for-keyring'));
    await settle();
    expect([statusOf(next), posted(next)]).toEqual(['signed-out', []]);
    await next.engine.stop();
  });
});

describe('a keyring that is locked when a callback starts the app', () => {
  it.each<[string, (bench: Bench) => void]>([
    [
      'the person asks for it',
      (bench) => {
        bench.engine.retry();
      },
    ],
    [
      'the screen is unlocked',
      (bench) => {
        bench.systemEvents.emit('unlock');
      },
    ],
  ])('does not lose the attempt: it is finished when %s', async (_what, unlock) => {
    const { dead, state } = await killedWhileWaiting();
    const next = dead.restart();
    next.secrets.setMode('locked');
    next.comeBack(state);
    await started(next);
    await until(() => 'error' in next.engine.view(), 'the word');
    expect(next.engine.view()).toMatchObject({
      status: 'signed-out',
      reason: 'never',
      error: { code: 'keyring-locked', retry: 'user' },
    });
    next.engine.retry();
    await settle();
    expect(posted(next)).toEqual([]);
    next.secrets.setMode('works');
    unlock(next);
    await until(() => statusOf(next) === 'signed-in', 'the sign-in');
    await settle();
    expect([posted(next), attemptKeys(next), knownAttempts(next)]).toEqual([['good-code'], [], 0]);
    expect(next.engine.view()).not.toHaveProperty('error');
  });

  it('is asked again also when the session of the last person comes back', async () => {
    const before = await started(createBench());
    await before.signIn();
    const { state } = await before.begin();
    await until(() => attemptKeys(before).length === 1, 'the record');
    await settle();
    before.kill();
    const next = before.restart();
    next.secrets.setMode('locked');
    next.comeBack(state, 'good-2');
    await started(next);
    expect(statusOf(next)).toBe('locked');
    await until(() => next.log.names().includes('attempt-waiting-for-keyring'));
    next.secrets.setMode('works');
    next.engine.retry();
    await until(() => next.authority.count('authorization_code') === 2, 'the code');
    expect(posted(next)).toEqual(['good-code', 'good-2']);
  });

  it('ends the wait when the time of the attempt is over, says so, and leaves no timer', async () => {
    const { dead, state } = await killedWhileWaiting();
    const next = dead.restart();
    next.secrets.setMode('locked');
    next.comeBack(state);
    await started(next);
    await until(() => 'error' in next.engine.view(), 'the word');
    await settle();
    await next.clock.advance(300_000);
    await until(() => JSON.stringify(next.engine.view()).includes('sign-in-expired'), 'the end');
    await until(() => next.clock.pending === 0, 'an end of all timers');
    expect([statusOf(next), posted(next)]).toEqual(['signed-out', []]);
  });
});

describe('an attempt of an earlier process that is over', () => {
  it('is not redeemed, and is swept at the start', async () => {
    const { dead, state } = await killedWhileWaiting();
    dead.clock.jumpTo(dead.clock.now() + 300_001);
    const next = dead.restart();
    next.comeBack(state);
    await started(next);
    await until(() => attemptKeys(next).length === 0, 'the sweep');
    await settle();
    expect([statusOf(next), posted(next), knownAttempts(next)]).toEqual(['signed-out', [], 0]);
  });

  it('is swept without a callback, and another that is not over stays', async () => {
    const { dead } = await killedWhileWaiting();
    dead.clock.jumpTo(dead.clock.now() + 299_000);
    const second = await killedWhileWaitingIn(dead.restart());
    second.clock.jumpTo(second.clock.now() + 1_001);
    const third = await started(second.restart());
    await until(() => attemptKeys(third).length === 1, 'the sweep');
    await settle();
    expect([attemptKeys(third).length, knownAttempts(third)]).toEqual([1, 1]);
  });

  it('stays in the list while the keyring is locked, and is swept at a later start', async () => {
    const { dead } = await killedWhileWaiting();
    dead.clock.jumpTo(dead.clock.now() + 300_001);
    const next = dead.restart();
    next.secrets.setMode('locked');
    await started(next);
    await settle();
    expect([attemptKeys(next).length, knownAttempts(next)]).toEqual([1, 1]);
    await next.engine.stop();
    const last = await started(next.restart());
    await until(() => attemptKeys(last).length === 0, 'the sweep');
    expect(knownAttempts(last)).toBe(0);
  });

  async function killedWhileWaitingIn(bench: Bench): Promise<Bench> {
    await started(bench);
    await bench.begin();
    await until(() => attemptKeys(bench).length === 2);
    await settle();
    bench.kill();
    return bench;
  }
});

describe('a callback that nobody waits for', () => {
  it.each(['', 'guess', 'x'.repeat(500)])(
    'asks no keychain when its state is unknown (%j)',
    async (state) => {
      const { dead } = await killedWhileWaiting();
      const next = await started(dead.restart());
      await settle();
      const before = next.secrets.calls.length;
      next.comeBack(state);
      await settle();
      expect(next.secrets.calls.slice(before)).toEqual([]);
    },
  );

  it('changes nothing when it is forged, and the true one still signs in', async () => {
    const { dead, state } = await killedWhileWaiting();
    const next = await started(dead.restart());
    const before = [next.engine.view(), [...next.secrets.entries], next.file.content];
    for (const forged of [state.slice(0, -1), `${state}x`, state.toUpperCase(), 'guess'])
      next.comeBack(forged, 'evil');
    next.scheme.arrive(`com.example.app:/other?code=evil&state=${state}`);
    await settle();
    expect([next.engine.view(), [...next.secrets.entries], next.file.content]).toEqual(before);
    expect(posted(next)).toEqual([]);
    next.comeBack(state);
    await until(() => statusOf(next) === 'signed-in');
  });

  it('comes back to another redirect than it left from, and is not redeemed', async () => {
    const bench = createBench({ redirects: [REDIRECT, 'com.example.other:/callback'] });
    const { dead, state } = await killedWhileWaiting(bench);
    const next = await started(dead.restart());
    next.scheme.arrive(
      `com.example.other:/callback?${new URLSearchParams({ code: 'good-code', state }).toString()}`,
    );
    await until(() => next.log.names().includes('callback-unexpected'));
    await settle();
    expect([statusOf(next), posted(next)]).toEqual(['signed-out', []]);
  });

  it("of another app's issuer or client is not redeemed", async () => {
    const { dead, state } = await killedWhileWaiting();
    const [key] = attemptKeys(dead);
    const record = JSON.parse(dead.secrets.entries.get(key!)!) as object;
    dead.secrets.entries.set(key!, JSON.stringify({ ...record, clientId: 'somebody-else' }));
    const next = await started(dead.restart());
    next.comeBack(state);
    await until(() => next.log.names().includes('callback-unexpected'));
    expect([statusOf(next), posted(next)]).toEqual(['signed-out', []]);
  });
});

describe('the record of an attempt', () => {
  it('tells its secrets to the keychain only', async () => {
    const { dead, state } = await killedWhileWaiting();
    const kept = JSON.parse(dead.secrets.entries.get(attemptKeys(dead)[0]!)!) as {
      state: string;
      codeVerifier: string;
      nonce: string;
    };
    expect(kept.state).toBe(state);
    const next = await started(dead.restart());
    next.comeBack(state);
    await until(() => statusOf(next) === 'signed-in');
    const told = JSON.stringify(
      [dead, next].flatMap(({ log, views, file, secrets }) => [
        log.events,
        views,
        file.saves,
        secrets.calls,
      ]),
    );
    for (const secret of [kept.state, kept.codeVerifier, kept.nonce])
      expect(told).not.toContain(secret);
  });

  it('that no keyring takes costs the sign-in nothing but its survival', async () => {
    const bench = createBench();
    bench.secrets.setMode('unavailable');
    await started(bench);
    const { done, state } = await bench.begin();
    await until(() => bench.log.names().includes('attempt-not-kept'));
    bench.comeBack(state);
    await done;
    expect([statusOf(bench), knownAttempts(bench)]).toEqual(['signed-in', 0]);
  });

  it.each(['locked', 'unavailable'] as const)(
    'that a keyring which is %s meanwhile does not give back costs the sign-in nothing',
    async (mode) => {
      const bench = await started(createBench());
      const { done, state } = await bench.begin();
      await until(() => attemptKeys(bench).length === 1);
      bench.secrets.setMode(mode);
      bench.comeBack(state);
      await done;
      expect(statusOf(bench)).toBe('signed-in');
    },
  );

  it('that a slow keyring has not stored yet is not taken for one that another process took', async () => {
    const bench = await started(createBench());
    bench.secrets.setMode('prompting');
    const { done, state } = await bench.begin();
    bench.comeBack(state);
    await settle();
    bench.secrets.answerPrompt('unlocked');
    await done;
    await settle();
    expect([statusOf(bench), attemptKeys(bench), knownAttempts(bench)]).toEqual([
      'signed-in',
      [],
      0,
    ]);
  });

  it('that a hanging keyring holds costs the sign-in no more than the time of a claim', async () => {
    const bench = await started(createBench());
    const { done, state } = await bench.begin();
    await until(() => attemptKeys(bench).length === 1);
    await settle();
    bench.secrets.setMode('prompting');
    bench.comeBack(state);
    await settle();
    expect(posted(bench)).toEqual([]);
    await bench.clock.advance(LIMITS.claimWaitMs);
    await until(() => posted(bench).length === 1);
    bench.secrets.answerPrompt('unlocked');
    await done;
  });
});
