// Several ways of one attempt on fake ports and virtual time: what is kept when, what moves on by
// itself, and what is left at the end.
import { describe, expect, it } from 'vitest';
import type { AttemptView } from '../../../src/contract.js';
import { LIMITS } from '../../../src/main/core/base/limits.js';
import type { StateFileContent } from '../../../src/main/core/base/ports.js';
import {
  type Bench,
  ISSUER,
  REDIRECT,
  createBench,
  stateOf,
  until,
} from '../../support/engine-harness.js';
import { settle } from '../../support/fakes.js';

const LOOPBACK = 'http://127.0.0.1/callback';
const PASTE = 'paste:https://id.example/done';
const endpoints = {
  authorization: `${ISSUER}/authorize`,
  token: `${ISSUER}/token`,
  revocation: `${ISSUER}/revoke`,
  deviceAuthorization: `${ISSUER}/device`,
};

async function started(redirects: readonly string[]): Promise<Bench> {
  const bench = createBench({ redirects, endpoints });
  bench.engine.start();
  await until(() => bench.engine.view().status !== 'starting', 'the start');
  return bench;
}

const attemptOf = (bench: Bench): AttemptView | undefined => {
  const view = bench.engine.view();
  return 'attempt' in view ? view.attempt : undefined;
};
const attemptKeys = (bench: Bench): readonly string[] =>
  [...bench.secrets.entries.keys()].filter((key) => key.startsWith('attempt:'));
const stateIn = (url: string | undefined): string =>
  new URL(url ?? 'missing:').searchParams.get('state') ?? '';
const follow = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'resolved',
    (error: unknown) => (error as { code: string }).code,
  );

async function another(bench: Bench, kind: AttemptView['redirect']): Promise<void> {
  bench.engine.tryAnotherWay();
  await until(() => attemptOf(bench)?.redirect === kind, kind);
}

describe('an attempt by custom scheme', () => {
  it('is in the keychain before the browser opens', async () => {
    const bench = await started([REDIRECT]);
    let keptAtOpening = -1;
    const { open } = bench.browser;
    bench.browser.open = (url) => {
      keptAtOpening = attemptKeys(bench).length;
      return open(url);
    };
    await bench.begin();
    expect(keptAtOpening).toBe(1);
  });

  it('is not held up by a hanging keyring for longer than its limit', async () => {
    const bench = await started([REDIRECT]);
    bench.secrets.setMode('prompting');
    const done = follow(bench.engine.signIn({}));
    await until(() => bench.secrets.prompting, 'the prompt');
    await settle();
    await bench.clock.advance(LIMITS.keepBeforeBrowserMs - 1);
    expect(bench.browser.opened).toEqual([]);
    await bench.clock.advance(1);
    await until(() => bench.browser.opened.length === 1, 'the browser');
    bench.secrets.answerPrompt('unlocked');
    bench.comeBack(stateIn(bench.browser.opened[0]));
    expect(await done).toBe('resolved');
  });

  it('is kept until the end of the attempt also when another way has given it more time', async () => {
    const bench = await started([REDIRECT, LOOPBACK]);
    const { done, state } = await bench.begin();
    await bench.clock.advance(200_000);
    await another(bench, 'loopback');
    const { expiresAt } = attemptOf(bench)!;
    expect(expiresAt).toBe(bench.clock.now() + 300_000);
    await until(
      () => (bench.file.content as StateFileContent).attempts[0]?.expiresAt === expiresAt,
      'the file',
    );
    await until(
      () =>
        (JSON.parse(bench.secrets.entries.get(attemptKeys(bench)[0]!)!) as { expiresAt: number })
          .expiresAt === expiresAt,
      'the record',
    );
    // What another process sweeps as over must not take it from this one.
    await bench.clock.advance(200_000);
    const other = bench.another();
    other.engine.start();
    await until(() => other.engine.view().status === 'signed-out', 'the other process');
    await settle();
    bench.comeBack(state);
    await done;
    await until(() => attemptKeys(bench).length === 0, 'the removal');
  });

  it('is finished by the next process on the old tab, though another way was tried before the kill', async () => {
    const bench = await started([REDIRECT, LOOPBACK]);
    const { state } = await bench.begin();
    await another(bench, 'loopback');
    await settle();
    bench.kill();
    const next = bench.restart();
    next.comeBack(state);
    next.engine.start();
    await until(() => next.engine.view().status === 'signed-in', 'the sign-in');
  });
});

describe('a browser that cannot be started', () => {
  it('makes the next way be taken by itself, down to the one that needs none', async () => {
    const bench = await started([REDIRECT, LOOPBACK, 'device-code', PASTE]);
    bench.browser.open = () => Promise.reject(new Error('no browser'));
    const done = follow(bench.engine.signIn({}));
    await until(() => attemptOf(bench)?.redirect === 'device-code', 'the device code');
    expect(attemptOf(bench)).toMatchObject({ device: { userCode: 'ABCD' }, otherWay: 'paste' });
    expect([attemptKeys(bench), bench.scheme.open.length]).toEqual([[], 0]);
    bench.engine.cancelSignIn();
    expect(await done).toBe('sign-in-cancelled');
  });

  it('for the second way leaves the first one open', async () => {
    const bench = await started([REDIRECT, LOOPBACK]);
    const { done, state } = await bench.begin();
    bench.browser.failNext();
    bench.engine.tryAnotherWay();
    await until(
      () =>
        attemptOf(bench)?.redirect === 'custom-scheme' && attemptOf(bench)?.otherWay === undefined,
      'the first way',
    );
    bench.comeBack(state);
    await done;
  });
});

describe('a device code', () => {
  it('is asked for by the one timer, and leaves none when it is cancelled', async () => {
    const bench = await started(['device-code']);
    const done = follow(bench.engine.signIn({}));
    await until(() => attemptOf(bench)?.device !== undefined, 'the code');
    expect(bench.clock.pending).toBe(1);
    for (let poll = 1; poll <= 3; poll += 1) {
      await bench.clock.advance(5_000);
      await until(() => bench.authority.tokenForms.length === poll, 'a question');
      await until(() => bench.clock.pending === 1 && bench.authority.open === 0, 'the answer');
    }
    bench.engine.cancelSignIn();
    expect(await done).toBe('sign-in-cancelled');
    expect(bench.clock.pending).toBe(0);
    await bench.clock.advance(60_000);
    expect(bench.authority.tokenForms).toHaveLength(3);
  });

  it('that is granted after the attempt was cancelled gives its tokens back', async () => {
    const bench = await started(['device-code']);
    const done = follow(bench.engine.signIn({}));
    await until(() => attemptOf(bench)?.device !== undefined, 'the code');
    const release = bench.authority.hold();
    bench.authority.person = 'agrees';
    await bench.clock.advance(5_000);
    await until(() => bench.authority.open === 1, 'the question');
    bench.engine.cancelSignIn();
    expect(await done).toBe('sign-in-cancelled');
    release();
    await until(() => bench.authority.revoked.length === 1, 'the revocation');
    expect(bench.secrets.entries.size).toBe(0);
  });

  it('that is granted while another way is being redeemed is not revoked: it may be of the same grant', async () => {
    const bench = await started([REDIRECT, 'device-code']);
    const { done, state } = await bench.begin();
    await another(bench, 'device-code');
    bench.authority.person = 'agrees';
    const release = bench.authority.hold();
    await bench.clock.advance(5_000);
    await until(() => bench.authority.open === 1, 'the question');
    bench.comeBack(state);
    await until(() => bench.authority.open === 2, 'the redemption');
    release();
    await done;
    await settle();
    expect(bench.engine.view()).toMatchObject({ status: 'signed-in' });
    expect(bench.authority.revoked).toEqual([]);
  });

  it('under way when the app stops leaves nothing pending', async () => {
    const bench = await started(['device-code']);
    const done = follow(bench.engine.signIn({}));
    await until(() => attemptOf(bench)?.device !== undefined, 'the code');
    bench.authority.hold();
    await bench.clock.advance(5_000);
    await until(() => bench.authority.open === 1, 'the question');
    const stopped = bench.engine.stop();
    await bench.clock.advance(LIMITS.stopMs);
    await stopped;
    expect(await done).toBe('stopped');
    await until(
      () => bench.clock.pending === 0 && bench.authority.open === 0,
      'an end of everything',
    );
  });

  it('is asked for once after a sleep, however many questions were missed', async () => {
    const bench = await started(['device-code']);
    const done = follow(bench.engine.signIn({}));
    await until(() => attemptOf(bench)?.device !== undefined, 'the code');
    bench.clock.jumpTo(bench.clock.now() + 600_000);
    bench.systemEvents.emit('resume');
    await until(() => bench.authority.tokenForms.length === 1, 'a question');
    await until(() => bench.authority.open === 0 && bench.clock.pending === 1, 'the answer');
    expect(await stateOf(done)).toBe('pending');
    bench.engine.cancelSignIn();
    await done;
    expect(bench.authority.tokenForms).toHaveLength(1);
  });

  it('whose time is over while the computer slept ends the attempt', async () => {
    const bench = await started(['device-code']);
    const done = follow(bench.engine.signIn({}));
    await until(() => attemptOf(bench)?.device !== undefined, 'the code');
    bench.clock.jumpTo(bench.clock.now() + 901_000);
    bench.systemEvents.emit('resume');
    expect(await done).toBe('sign-in-expired');
    expect(bench.authority.tokenForms).toEqual([]);
  });
});

describe('a malformed answer', () => {
  const malformed = [
    ['without a code', (state: string) => `state=${state}`],
    ['with an empty code', (state: string) => `code=&state=${state}`],
    ['with two codes', (state: string) => `code=c&code=d&state=${state}`],
    ['with two errors', (state: string) => `error=a&error=b&state=${state}`],
    ['with two issuers', (state: string) => `code=c&state=${state}&iss=a&iss=b`],
    ['with an empty error and no code', (state: string) => `error=&state=${state}`],
  ] as const;

  it.each(malformed)('%s ends the attempt that has its state, and posts nothing', async (_, of) => {
    const bench = await started([REDIRECT]);
    const done = follow(bench.engine.signIn({}));
    await until(() => bench.browser.opened.length === 1, 'the browser');
    const state = stateIn(bench.browser.opened[0]);
    expect(bench.scheme.arrive(`${REDIRECT}?${of(state)}`)).toBe('taken');
    expect(await done).toBe('response-invalid');
    expect(bench.engine.view()).toMatchObject({ error: { code: 'response-invalid' } });
    expect(bench.scheme.outcomes).toEqual(['failed']);
    expect(bench.authority.tokenForms).toEqual([]);
    // An honest answer comes too late: its secrets are gone.
    expect(bench.scheme.arrive(`${REDIRECT}?code=c&state=${state}`)).toBe('foreign');
    await until(() => attemptKeys(bench).length === 0, 'the removal');
    expect(JSON.stringify(bench.log.events)).not.toContain(state);
  });

  it.each([
    ['no state', () => 'code=c'],
    ['two states', (state: string) => `state=${state}&state=${state}`],
    ['two states, one of them empty', (state: string) => `state=&state=${state}`],
    ['a strange state', () => 'state=guess'],
  ])('with %s ends nothing, and the honest one signs in', async (_what, of) => {
    const bench = await started([REDIRECT]);
    const { done, state } = await bench.begin();
    expect(bench.scheme.arrive(`${REDIRECT}?${of(state)}`)).toBe('foreign');
    await settle();
    expect(attemptOf(bench)?.stage).toBe('waiting');
    bench.comeBack(state);
    await done;
  });

  it('that comes by another redirect of the attempt ends nothing', async () => {
    const bench = await started([REDIRECT, LOOPBACK]);
    const { done, state } = await bench.begin();
    await another(bench, 'loopback');
    const { redirectUri } = bench.loopback.open[0]!;
    expect(bench.loopback.arrive(`${redirectUri}?state=${state}`)).toBe('foreign');
    await settle();
    expect(attemptOf(bench)?.stage).toBe('waiting');
    bench.comeBack(state);
    await done;
  });

  it('of an attempt that an earlier process has kept ends it, and says so', async () => {
    const bench = await started([REDIRECT]);
    const { state } = await bench.begin();
    await until(() => attemptKeys(bench).length === 1, 'the record');
    bench.kill();
    const next = bench.restart();
    next.scheme.arrive(`${REDIRECT}?state=${state}`);
    next.engine.start();
    await until(() => {
      const view = next.engine.view();
      return 'error' in view && view.error?.code === 'response-invalid';
    }, 'the error');
    expect(attemptKeys(next)).toEqual([]);
  });
});

describe('a callback for a kept attempt', () => {
  it('that comes by another redirect does not lose it', async () => {
    const other = 'com.example.app:/other';
    const bench = await started([REDIRECT, other]);
    const { state } = await bench.begin();
    await until(() => attemptKeys(bench).length === 1, 'the record');
    bench.kill();
    const next = bench.restart();
    next.engine.start();
    await until(() => next.engine.view().status === 'signed-out', 'the start');
    next.scheme.arrive(`${other}?code=c&state=${state}`);
    await settle();
    expect(attemptKeys(next)).toHaveLength(1);
    next.comeBack(state);
    await until(() => next.engine.view().status === 'signed-in', 'the sign-in');
  });
});

describe('a URL that matches no redirect', () => {
  it('is told to the log once, however many come', async () => {
    const bench = await started([REDIRECT]);
    for (let count = 0; count < 3; count += 1) bench.scheme.arrive('com.example.app:/x?state=s');
    expect(bench.log.names().filter((name) => name === 'callback-foreign')).toHaveLength(1);
  });
});

describe('strange callbacks', () => {
  it('without end fill no log, and are told again with the next attempt', async () => {
    const bench = await started([REDIRECT]);
    const first = await bench.begin();
    for (let count = 0; count < 1_000; count += 1) bench.scheme.arrive(`${REDIRECT}?code=c`);
    const told = (): number =>
      bench.log.names().filter((name) => name === 'callback-malformed').length;
    expect([
      told(),
      bench.log.names().filter((name) => name === 'callback-logging-suppressed').length,
    ]).toEqual([LIMITS.strangeCallbacksLogged, 1]);
    bench.comeBack(first.state);
    await first.done;
    await bench.begin();
    bench.scheme.arrive(`${REDIRECT}?code=c`);
    expect(told()).toBe(LIMITS.strangeCallbacksLogged + 1);
  });
});
