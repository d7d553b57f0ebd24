// Sign-out: what was begun before it signs nobody in again, and what a locked keyring keeps is
// revoked when it opens.
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../src/main/core/base/limits.js';
import type { StateFileContent } from '../../../src/main/core/base/ports.js';
import { type Bench, ISSUER, createBench, until } from '../../support/engine-harness.js';
import { settle } from '../../support/fakes.js';

const statusOf = (bench: Bench): string => bench.engine.view().status;
const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'resolved',
    (error: unknown) => (error as { code: string }).code,
  );
const sessions = (bench: Bench): readonly string[] =>
  [...bench.secrets.entries].flatMap(([key, value]) => (key.startsWith('session:') ? [value] : []));
const attemptsKept = (bench: Bench): number =>
  [...bench.secrets.entries.keys()].filter((key) => key.startsWith('attempt:')).length;
const stateInFile = (bench: Bench): string | undefined =>
  (bench.file.content as StateFileContent).accounts[0]?.record;
const tokenOf = (record: string | undefined): string =>
  (JSON.parse(record ?? '{}') as { refreshToken: string }).refreshToken;

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

/** The next process of an app that was signed in, whose keyring is locked. */
async function locked(options: Parameters<typeof createBench>[0] = {}): Promise<Bench> {
  const before = await signedIn(createBench(options));
  before.kill();
  const bench = before.restart();
  bench.secrets.setMode('locked');
  await started(bench);
  expect(statusOf(bench)).toBe('locked');
  return bench;
}

describe('a sign-out while the keyring is locked', () => {
  it.each(['unlock', 'retry'] as const)(
    'revokes the token at "%s", and only then removes the record',
    async (by) => {
      const bench = await locked();
      const token = tokenOf(sessions(bench)[0]);
      await bench.engine.signOut();
      expect([
        statusOf(bench),
        bench.authority.revoked,
        sessions(bench).length,
        stateInFile(bench),
      ]).toEqual(['signed-out', [], 1, 'removal-owed']);
      const release = bench.authority.hold();
      bench.secrets.setMode('works');
      if (by === 'unlock') bench.systemEvents.emit('unlock');
      else bench.engine.retry();
      await until(() => bench.authority.open === 1, 'the revocation');
      await settle();
      expect(sessions(bench)).toHaveLength(1);
      release();
      await until(() => sessions(bench).length === 0, 'the removal');
      await settle();
      expect([bench.authority.revoked, stateInFile(bench)]).toEqual([[token], 'none']);
    },
  );

  it('is made good by the next start', async () => {
    const bench = await locked();
    const token = tokenOf(sessions(bench)[0]);
    await bench.engine.signOut();
    bench.kill();
    const next = await started(bench.restart());
    await until(() => sessions(next).length === 0, 'the removal');
    await settle();
    expect([statusOf(next), next.authority.revoked, stateInFile(next)]).toEqual([
      'signed-out',
      [token],
      'none',
    ]);
  });

  it('that nobody could finish, for the app was killed after the revocation, is finished by the start after that', async () => {
    const bench = await locked();
    await bench.engine.signOut();
    bench.kill();
    const next = bench.restart((ask) => (ask === 'network /revoke' ? 'dies after' : 'lives'));
    next.engine.start();
    await until(() => next.authority.revoked.length === 1, 'the revocation');
    await settle();
    expect(sessions(next)).toHaveLength(1);
    const last = await started(next.restart());
    await until(() => sessions(last).length === 0, 'the removal');
  });

  it('keeps the token, and nothing else, while the server cannot be reached', async () => {
    const bench = await locked();
    const token = tokenOf(sessions(bench)[0]);
    await bench.engine.signOut();
    bench.authority.online = false;
    bench.secrets.setMode('works');
    bench.systemEvents.emit('unlock');
    await until(() => bench.log.names().includes('revocation-failed'), 'the first try');
    await until(() => (sessions(bench)[0] ?? '').includes('"access":null'), 'what is left');
    expect([statusOf(bench), tokenOf(sessions(bench)[0])]).toEqual(['signed-out', token]);
    bench.authority.online = true;
    bench.systemEvents.emit('online');
    await until(() => sessions(bench).length === 0, 'the removal');
    expect([bench.authority.revoked, stateInFile(bench)]).toEqual([[token], 'none']);
  });

  it('does nothing to somebody who has signed in again meanwhile', async () => {
    const bench = await locked();
    await bench.engine.signOut();
    await bench.signIn();
    expect(bench.engine.view()).toMatchObject({ status: 'signed-in', remembered: false });
    bench.secrets.setMode('works');
    bench.systemEvents.emit('unlock');
    await until(
      () => (bench.engine.view() as { remembered?: boolean }).remembered === true,
      'remembering',
    );
    await settle();
    const newest = bench.authority.issued.findLast((secret) => secret.includes('refresh'));
    expect([tokenOf(sessions(bench)[0]), bench.authority.revoked, stateInFile(bench)]).toEqual([
      newest,
      [],
      'kept',
    ]);
  });

  it('of an account that is not active is made good, too', async () => {
    let subject = 'ada';
    const options = { accounts: 'several' as const, identify: async () => ({ subject }) };
    const before = await signedIn(createBench(options));
    const ada = (before.file.content as StateFileContent).accounts[0]?.id ?? '';
    subject = 'grace';
    await before.signIn();
    await settle();
    before.kill();
    const bench = await started(before.restart());
    await until(() => statusOf(bench) === 'signed-in', 'the session');
    bench.secrets.setMode('locked');
    const token = tokenOf(bench.secrets.entries.get(`session:${ada}`));
    await bench.engine.signOut(ada);
    bench.secrets.setMode('works');
    bench.systemEvents.emit('unlock');
    await until(() => sessions(bench).length === 1, 'the removal');
    expect([statusOf(bench), bench.authority.revoked]).toEqual(['signed-in', [token]]);
  });
});

describe('a sign-out while a sign-in is open', () => {
  it('ends it: a callback that comes late signs nobody in', async () => {
    const bench = await signedIn();
    const { done, state } = await bench.begin();
    await bench.engine.signOut();
    expect(await codeOf(done)).toBe('sign-in-cancelled');
    bench.comeBack(state);
    await settle();
    expect([
      statusOf(bench),
      bench.scheme.open.length,
      attemptsKept(bench),
      bench.authority.count('authorization_code'),
    ]).toEqual(['signed-out', 0, 0, 1]);
  });

  it('ends it also where nobody was signed in', async () => {
    const bench = await started();
    const { done, state } = await bench.begin();
    await bench.engine.signOut();
    bench.comeBack(state);
    await settle();
    expect([await codeOf(done), statusOf(bench), bench.authority.tokenForms]).toEqual([
      'sign-in-cancelled',
      'signed-out',
      [],
    ]);
  });

  it('does not end a sign-in that is asked for next', async () => {
    const bench = await signedIn();
    const out = bench.engine.signOut();
    const { done, state } = await bench.begin();
    await out;
    bench.comeBack(state);
    await done;
    expect(statusOf(bench)).toBe('signed-in');
  });

  it.each(['works', 'locked'] as const)(
    'ends one that an earlier process has kept, in a keyring that then %s',
    async (mode) => {
      const dead = await started();
      const { state } = await dead.begin();
      await until(() => attemptsKept(dead) === 1, 'the record');
      await settle();
      dead.kill();
      const bench = await started(dead.restart());
      bench.secrets.setMode(mode);
      await bench.engine.signOut();
      bench.secrets.setMode('works');
      bench.comeBack(state);
      await settle();
      expect([statusOf(bench), bench.authority.tokenForms]).toEqual(['signed-out', []]);
      bench.kill();
      const next = await started(bench.restart());
      next.comeBack(state);
      await until(() => attemptsKept(next) === 0, 'the sweep');
      expect([statusOf(next), next.authority.tokenForms]).toEqual(['signed-out', []]);
    },
  );

  it('ends one that another process has begun since this one read the file', async () => {
    const bench = await signedIn();
    const other = await started(bench.another());
    const { state } = await other.begin();
    await settle();
    await bench.engine.signOut();
    other.kill();
    const next = await started(bench.another());
    next.comeBack(state);
    await until(() => next.log.names().includes('callback-unexpected'), 'the late callback');
    expect([statusOf(next), next.authority.count('authorization_code')]).toEqual(['signed-out', 1]);
  });

  it('ends one whose callback has started the app and waits for the keyring', async () => {
    const dead = await started();
    const { state } = await dead.begin();
    await until(() => attemptsKept(dead) === 1, 'the record');
    await settle();
    dead.kill();
    const timers = dead.clock.pending;
    const bench = dead.restart();
    bench.secrets.setMode('locked');
    bench.comeBack(state);
    await started(bench);
    await until(() => bench.log.names().includes('attempt-waiting-for-keyring'), 'the wait');
    await bench.engine.signOut();
    bench.secrets.setMode('works');
    bench.systemEvents.emit('unlock');
    bench.engine.retry();
    await settle();
    expect([bench.engine.view(), bench.authority.tokenForms]).toEqual([
      { status: 'signed-out', reason: 'never' },
      [],
    ]);
    expect(bench.clock.pending, 'timers of this process').toBe(timers);
  });

  it('ends one that is being claimed at this very moment', async () => {
    const dead = await started();
    const { state } = await dead.begin();
    await until(() => attemptsKept(dead) === 1, 'the record');
    await settle();
    dead.kill();
    const bench = await started(dead.restart());
    bench.secrets.setMode('prompting');
    bench.comeBack(state);
    await until(() => bench.secrets.prompting, 'the dialog');
    const out = bench.engine.signOut();
    bench.secrets.answerPrompt('unlocked');
    await out;
    await settle();
    expect([statusOf(bench), bench.authority.tokenForms]).toEqual(['signed-out', []]);
  });

  it('ends one whose device code is being asked for, and gives back what comes of it', async () => {
    const bench = await started(
      createBench({
        redirects: ['device-code'],
        endpoints: {
          authorization: `${ISSUER}/authorize`,
          token: `${ISSUER}/token`,
          revocation: `${ISSUER}/revoke`,
          deviceAuthorization: `${ISSUER}/device`,
        },
      }),
    );
    const done = codeOf(bench.engine.signIn({}));
    await until(
      () =>
        (bench.engine.view() as { attempt?: { device?: object } }).attempt?.device !== undefined,
      'the code',
    );
    bench.authority.person = 'agrees';
    const release = bench.authority.hold();
    await bench.clock.advance(5_000);
    await until(() => bench.authority.open === 1, 'the question');
    await bench.engine.signOut();
    release();
    await until(() => bench.authority.revoked.length === 1, 'the revocation');
    await settle();
    expect([await done, statusOf(bench), sessions(bench)]).toEqual([
      'sign-in-cancelled',
      'signed-out',
      [],
    ]);
    await bench.clock.advance(60_000);
    expect(bench.authority.tokenForms).toHaveLength(1);
  });

  it('ends one whose code is being redeemed, and gives its tokens back', async () => {
    const bench = await signedIn();
    const first = tokenOf(sessions(bench)[0]);
    const { done, state } = await bench.begin();
    const release = bench.authority.hold();
    bench.comeBack(state);
    await until(() => bench.authority.open === 1, 'the exchange');
    const out = bench.engine.signOut();
    release();
    await out;
    await until(() => bench.authority.revoked.length === 2, 'both revocations');
    await settle();
    expect([await codeOf(done), statusOf(bench), sessions(bench)]).toEqual([
      'sign-in-cancelled',
      'signed-out',
      [],
    ]);
    expect(bench.authority.revoked).toContain(first);
  });

  it.each(['one', 'several'] as const)(
    'ends one whose tokens are being stored, where the accounts are "%s"',
    async (accounts) => {
      let subject = 'ada';
      const bench = await signedIn(createBench({ accounts, identify: async () => ({ subject }) }));
      subject = 'grace';
      const { done, state } = await bench.begin();
      bench.secrets.setMode('prompting');
      bench.comeBack(state);
      await until(() => bench.secrets.prompting, 'the dialog');
      await bench.clock.advance(LIMITS.claimWaitMs);
      await until(() => bench.authority.count('authorization_code') === 2, 'the exchange');
      await settle();
      const out = bench.engine.signOut();
      await settle();
      bench.secrets.answerPrompt('unlocked');
      await out;
      await done.catch(() => undefined);
      await until(
        () => bench.authority.revoked.length === 2 && sessions(bench).length === 0,
        'the end of both',
      );
      await settle();
      expect(bench.engine.view()).toMatchObject({ status: 'signed-out' });
      expect(bench.engine.view()).not.toHaveProperty('otherAccounts');
    },
  );

  it('leaves an account that was there before where it was, when it signs in again as the active one signs out', async () => {
    let subject = 'ada';
    const bench = await signedIn(
      createBench({ accounts: 'several', identify: async () => ({ subject }) }),
    );
    subject = 'grace';
    await bench.signIn();
    await settle();
    subject = 'ada';
    const { done, state } = await bench.begin();
    bench.secrets.setMode('prompting');
    bench.comeBack(state);
    await until(() => bench.secrets.prompting, 'the dialog');
    await bench.clock.advance(LIMITS.claimWaitMs);
    await until(() => bench.authority.count('authorization_code') === 3, 'the exchange');
    await settle();
    const out = bench.engine.signOut();
    await settle();
    bench.secrets.answerPrompt('unlocked');
    await Promise.all([out, done]);
    await settle();
    expect(bench.engine.view()).toMatchObject({
      status: 'signed-out',
      otherAccounts: [{ subject: 'ada' }],
    });
    expect(sessions(bench).map(tokenOf)).toEqual([
      bench.authority.issued.findLast((secret) => secret.includes('refresh')),
    ]);
  });

  it('of another account leaves it open', async () => {
    let subject = 'ada';
    const bench = await signedIn(
      createBench({ accounts: 'several', identify: async () => ({ subject }) }),
    );
    const ada = (bench.engine.view() as { account: { id: string } }).account.id;
    subject = 'grace';
    await bench.signIn();
    subject = 'eve';
    const { done, state } = await bench.begin();
    await bench.engine.signOut(ada);
    bench.comeBack(state);
    await done;
    expect(bench.engine.view()).toMatchObject({ status: 'signed-in', account: { subject: 'eve' } });
  });

  it.each(['signOut', 'forgetAccount'] as const)(
    'of another account by %s() ends the one that only this account may finish',
    async (how) => {
      let subject = 'ada';
      const bench = await signedIn(
        createBench({ accounts: 'several', identify: async () => ({ subject }) }),
      );
      const ada = (bench.engine.view() as { account: { id: string } }).account.id;
      subject = 'grace';
      await bench.signIn();
      subject = 'ada';
      const done = bench.engine.signIn({ account: ada, acrValues: ['strong'] }, 'host');
      done.catch(() => undefined);
      await bench.opens(3);
      const state = new URL(bench.browser.opened.at(-1) ?? '').searchParams.get('state') ?? '';
      await bench.engine[how](ada);
      bench.comeBack(state);
      expect(await codeOf(done)).toBe('sign-in-cancelled');
      await settle();
      expect(bench.engine.view()).toMatchObject({ account: { subject: 'grace' } });
      expect(bench.engine.view()).not.toHaveProperty('otherAccounts');
    },
  );

  it('of the active account by its id ends it', async () => {
    const bench = await signedIn();
    const { done, state } = await bench.begin();
    await bench.engine.signOut((bench.engine.view() as { account: { id: string } }).account.id);
    bench.comeBack(state);
    await settle();
    expect([await codeOf(done), statusOf(bench)]).toEqual(['sign-in-cancelled', 'signed-out']);
  });
});

describe('a nameless person', () => {
  const NAMELESS = { identify: undefined } as unknown as Parameters<typeof createBench>[0];

  it('never gets the tokens of the one before, also after an hour', async () => {
    const bench = await signedIn(createBench(NAMELESS));
    const first = bench.engine.view() as { account: { id: string } };
    const theirs = [...bench.authority.issued];
    bench.authority.answerNext(() =>
      Response.json({
        access_token: 'second-access',
        token_type: 'Bearer',
        expires_in: 60,
        scope: 'read',
      }),
    );
    await bench.signIn();
    await settle();
    expect(await bench.engine.getAccessToken()).toBe('second-access');
    expect((bench.engine.view() as { account: { id: string } }).account.id).not.toBe(
      first.account.id,
    );
    await bench.clock.advance(3_600_000);
    expect([
      statusOf(bench),
      await codeOf(bench.engine.getAccessToken()),
      bench.authority.count('refresh_token'),
    ]).toEqual(['signed-out', 'session-ended', 0]);
    const later = await started(bench.restart());
    expect(later.engine.view()).toMatchObject({ status: 'signed-out' });
    for (const token of theirs)
      expect(JSON.stringify([...bench.secrets.entries])).not.toContain(token);
  });

  it('does not take the tokens that another process has stored for another nameless person', async () => {
    const bench = await signedIn(createBench(NAMELESS));
    const mine = tokenOf(sessions(bench)[0]);
    const other = await started(bench.another());
    await other.signIn();
    await settle();
    bench.clock.jumpTo(bench.clock.now() + 7_200_000);
    await bench.engine.getAccessToken();
    expect(
      bench.authority.tokenForms
        .map((form) => form.get('refresh_token'))
        .filter((token) => token === mine),
    ).toHaveLength(1);
  });

  it('leaves nothing in the keychain when the next one signs in, nor entries without end', async () => {
    const bench = await signedIn(createBench(NAMELESS));
    for (let turn = 0; turn < 3; turn += 1) {
      await bench.signIn();
      await settle();
    }
    expect([
      sessions(bench).length,
      (bench.file.content as StateFileContent).accounts.length,
    ]).toEqual([1, 2]);
    bench.authority.revokeAll();
    bench.clock.jumpTo(bench.clock.now() + 7_200_000);
    await codeOf(bench.engine.getAccessToken());
    expect([statusOf(bench), sessions(bench).length]).toEqual(['signed-out', 1]);
    await bench.signIn();
    await settle();
    expect([statusOf(bench), sessions(bench).length]).toEqual(['signed-in', 1]);
  });

  it('is restored as anybody else', async () => {
    const bench = await signedIn(createBench(NAMELESS));
    const { account } = bench.engine.view() as { account: object };
    bench.kill();
    const next = await started(bench.restart());
    await until(() => statusOf(next) === 'signed-in', 'the session');
    expect(next.engine.view()).toMatchObject({ account });
  });
});
