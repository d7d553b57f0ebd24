// What leaves with a person: forgetAccount() removes what this computer knows, requests end, windows
// hear it before the provider does.
import { describe, expect, it } from 'vitest';
import type { StateFileContent } from '../../../src/main/core/base/ports.js';
import { type Bench, createBench, until } from '../../support/engine-harness.js';
import { settle } from '../../support/fakes.js';

const statusOf = (bench: Bench): string => bench.engine.view().status;
const idOf = (bench: Bench): string =>
  (bench.engine.view() as { account: { id: string } }).account.id;
const onDisk = (bench: Bench): StateFileContent => bench.file.content as StateFileContent;
const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'resolved',
    (error: unknown) => (error as { code: string }).code,
  );
/** Everything that is at rest, as text. */
const atRest = (bench: Bench): string =>
  JSON.stringify([[...bench.secrets.entries], bench.file.content]);
const PERSON = /ada|Lovelace|example\.org/i;

let subject = 'ada';
const OPTIONS = {
  identify: async () => ({ subject, name: `${subject} Lovelace`, email: `${subject}@example.org` }),
};

async function started(bench: Bench): Promise<Bench> {
  bench.engine.start();
  await until(() => statusOf(bench) !== 'starting', 'the start');
  await settle();
  return bench;
}

async function signedIn(options: Parameters<typeof createBench>[0] = OPTIONS): Promise<Bench> {
  subject = 'ada';
  const bench = await started(createBench(options));
  await bench.signIn();
  await settle();
  return bench;
}

describe('forgetAccount()', () => {
  it('signs out, and leaves nothing that names the person, here and at the next start', async () => {
    const bench = await signedIn();
    expect(atRest(bench)).toMatch(PERSON);
    await bench.engine.forgetAccount(idOf(bench));
    expect(bench.engine.view()).toEqual({ status: 'signed-out', reason: 'signed-out' });
    await until(() => bench.secrets.entries.size === 0, 'the removal');
    await settle();
    expect(bench.authority.revoked).toEqual(['secret-refresh-1']);
    expect([onDisk(bench).accounts, onDisk(bench).lastAccountId]).toEqual([[], null]);
    const next = await started(bench.restart());
    expect(next.engine.view()).toEqual({ status: 'signed-out', reason: 'never' });
  });

  it('keeps an entry without a name while the provider must still be told, and no longer', async () => {
    const bench = await signedIn();
    bench.authority.online = false;
    await bench.engine.forgetAccount(idOf(bench));
    await until(() => bench.log.names().includes('revocation-failed'), 'the first try');
    await settle();
    expect(atRest(bench)).not.toMatch(PERSON);
    expect(onDisk(bench)).toMatchObject({
      lastAccountId: null,
      accounts: [{ record: 'removal-owed', forgotten: true }],
    });
    bench.kill();
    bench.authority.online = true;
    const next = await started(bench.restart());
    await until(() => next.secrets.entries.size === 0, 'the removal');
    await settle();
    expect([next.authority.revoked, onDisk(next).accounts]).toEqual([['secret-refresh-1'], []]);
  });

  it('keeps no name either of somebody whom no keyring had taken, while the provider must still be told', async () => {
    subject = 'ada';
    const bench = await started(createBench(OPTIONS));
    bench.secrets.setMode('locked');
    await bench.signIn();
    bench.authority.online = false;
    const id = idOf(bench);
    bench.secrets.setMode('works');
    await bench.engine.forgetAccount(id);
    await until(() => bench.log.names().includes('revocation-failed'), 'the first try');
    await until(() => bench.secrets.entries.size === 1, 'the token that is owed');
    await settle();
    expect(atRest(bench)).not.toMatch(PERSON);
    expect(onDisk(bench).accounts).toMatchObject([{ record: 'removal-owed', forgotten: true }]);
    bench.kill();
    bench.authority.online = true;
    const next = await started(bench.restart());
    await until(() => next.secrets.entries.size === 0, 'the removal');
    await settle();
    expect([next.authority.revoked, onDisk(next).accounts]).toEqual([['secret-refresh-1'], []]);
  });

  it('knows the person again after the next sign-in', async () => {
    const bench = await signedIn();
    bench.authority.online = false;
    await bench.engine.forgetAccount(idOf(bench));
    bench.authority.online = true;
    await bench.signIn();
    await settle();
    expect(onDisk(bench).accounts).toMatchObject([{ subject: 'ada', record: 'kept' }]);
    expect(onDisk(bench).accounts[0]).not.toHaveProperty('forgotten');
  });

  it('forgets somebody who has signed out, or whose session has ended', async () => {
    for (const how of ['signed out', 'ended'] as const) {
      const bench = await signedIn();
      const id = idOf(bench);
      if (how === 'signed out') await bench.engine.signOut();
      else {
        bench.authority.revokeAll();
        bench.clock.jumpTo(bench.clock.now() + 7_200_000);
        await codeOf(bench.engine.getAccessToken());
      }
      await until(() => statusOf(bench) === 'signed-out', how);
      await bench.engine.forgetAccount(id);
      await until(() => bench.secrets.entries.size === 0, 'the removal');
      await settle();
      expect(atRest(bench)).not.toMatch(PERSON);
    }
  });

  it('touches nobody else', async () => {
    const bench = await signedIn({ ...OPTIONS, accounts: 'several' });
    const ada = idOf(bench);
    subject = 'grace';
    await bench.signIn();
    await settle();
    await bench.engine.forgetAccount(ada);
    await until(() => bench.secrets.entries.size === 1, 'the removal');
    await settle();
    expect(bench.engine.view()).toMatchObject({
      status: 'signed-in',
      account: { subject: 'grace' },
    });
    expect(onDisk(bench).accounts).toMatchObject([{ subject: 'grace' }]);
    expect(atRest(bench)).not.toMatch(/ada/);
  });

  it('says so when the disk does not take it', async () => {
    const bench = await signedIn();
    const id = idOf(bench);
    await bench.engine.signOut();
    await settle();
    bench.file.save = () => Promise.reject(new Error('the disk is full'));
    expect(await codeOf(bench.engine.forgetAccount(id))).toBe('storage-failed');
  });

  it.each([[''], [7], [null], [{}], ['x'.repeat(257)]])('refuses %j', async (argument) => {
    const bench = await signedIn();
    expect(await codeOf(bench.engine.forgetAccount(argument))).toBe('invalid-options');
    expect(statusOf(bench)).toBe('signed-in');
  });
});

describe('a request with a token', () => {
  it('ends at the sign-out, before the provider is told', async () => {
    const bench = await signedIn();
    const { signedOut } = bench.engine.hold();
    const release = bench.authority.hold();
    const out = bench.engine.signOut();
    await until(() => signedOut.aborted, 'the end');
    expect([bench.authority.revoked, statusOf(bench)]).toEqual([[], 'signed-out']);
    expect(signedOut.reason).toMatchObject({ name: 'AuthError', code: 'signed-out' });
    release();
    await out;
  });

  it.each(['signOut', 'forgetAccount'] as const)(
    'ends at %s() also after the provider has ended the session',
    async (how) => {
      const bench = await signedIn();
      const { signedOut } = bench.engine.hold();
      const id = idOf(bench);
      bench.authority.revokeAll();
      bench.clock.jumpTo(bench.clock.now() + 7_200_000);
      await codeOf(bench.engine.getAccessToken());
      expect([statusOf(bench), signedOut.aborted]).toEqual(['signed-out', false]);
      await (how === 'signOut' ? bench.engine.signOut() : bench.engine.forgetAccount(id));
      expect(signedOut.aborted).toBe(true);
    },
  );

  it('ends when another person signs in after the session has ended', async () => {
    const bench = await signedIn();
    const { signedOut } = bench.engine.hold();
    bench.authority.revokeAll();
    bench.clock.jumpTo(bench.clock.now() + 7_200_000);
    await codeOf(bench.engine.getAccessToken());
    subject = 'grace';
    await bench.signIn();
    expect(signedOut.aborted).toBe(true);
  });

  it('goes on when the same person signs in after the session has ended', async () => {
    const bench = await signedIn();
    const { signedOut } = bench.engine.hold();
    bench.authority.revokeAll();
    bench.clock.jumpTo(bench.clock.now() + 7_200_000);
    await codeOf(bench.engine.getAccessToken());
    await bench.signIn();
    expect(signedOut.aborted).toBe(false);
    await bench.engine.signOut();
    expect(signedOut.aborted).toBe(true);
  });

  it('ends when another person takes the place', async () => {
    const bench = await signedIn();
    const ada = bench.engine.hold();
    subject = 'grace';
    await bench.signIn();
    await settle();
    expect([ada.signedOut.aborted, bench.engine.hold().signedOut.aborted]).toEqual([true, false]);
  });

  it('goes on through renewals, a new sign-in of the same person, a switch, and an end that is not a sign-out', async () => {
    const bench = await signedIn({ ...OPTIONS, accounts: 'several' });
    const { signedOut, account } = bench.engine.hold();
    const ada = account();
    bench.clock.jumpTo(bench.clock.now() + 7_200_000);
    await bench.engine.getAccessToken();
    await bench.signIn();
    subject = 'grace';
    await bench.signIn();
    await settle();
    expect([signedOut.aborted, account(), bench.engine.hold().account()]).toEqual([
      false,
      ada,
      idOf(bench),
    ]);
    await bench.engine.signOut();
    expect(signedOut.aborted).toBe(false);
    bench.authority.revokeAll();
    bench.clock.jumpTo(bench.clock.now() + 7_200_000);
    await codeOf(bench.engine.getAccessToken({ account: ada ?? '' }));
    expect(signedOut.aborted).toBe(false);
  });

  it('of an account that is not there, or before the start, is held by nobody', () => {
    const bench = createBench(OPTIONS);
    expect(bench.engine.hold().account()).toBeUndefined();
    expect(bench.engine.hold('nobody').signedOut.aborted).toBe(false);
    expect(bench.engine.hold({} as never).signedOut.aborted).toBe(false);
  });
});
