// `latchkey doctor` on genuine parts that are broken: a scheme that another program has, a keyring
// that is locked, one whose dialog nobody answers, none at all, a certificate of an authority that
// nobody knows. Each cause is named.
import { rmSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { createKeychain } from '../../src/main/adapters/secrets/keychain.js';
import { type Provider, startProvider } from '../../src/testing/index.js';
import { expectGenerated } from '../project/documents.js';
import { diagnosed, doctor, workingKeyring } from '../support/doctor-command.js';
import { forkKeychainWorker } from '../support/keychain-process.js';
import { haveDisplay, haveParts, type Keyring, startPrivateKeyring } from '../support/keyring.js';
import { startPrivateAuthority } from '../support/private-authority.js';
import { type Desk, startDesk } from '../support/xdg-desk.js';

const SCHEME = 'com.example.latchkey-demo';
const REDIRECTS = ['--redirect', `${SCHEME}:/callback`, '--redirect', 'http://127.0.0.1/callback'];

const cleanUps: (() => void)[] = [];
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0)) cleanUp();
});

async function provider(): Promise<{ readonly idp: Provider; readonly args: readonly string[] }> {
  const idp = await startProvider();
  cleanUps.push(() => void idp.stop());
  return { idp, args: ['--issuer', idp.issuer, '--client-id', idp.clientId] };
}

const desktop = (): Desk => startDesk(cleanUps);

async function keyring(
  kind: Parameters<typeof startPrivateKeyring>[0],
  display?: string,
): Promise<Keyring> {
  const started = await startPrivateKeyring(kind, display);
  cleanUps.push(() => started.stop());
  return started;
}

describe.skipIf(!haveParts('xdg-open', 'xdg-mime', 'update-desktop-database'))(
  'latchkey doctor on a genuine xdg desktop',
  () => {
    it('names the program that has the scheme, and what would be run', async () => {
      const { args } = await provider();
      const desk = desktop();
      desk.install('own', 'thief.desktop', '/bin/echo stolen %u', SCHEME);
      const { code, out } = await doctor([...args, ...REDIRECTS, '--program', desk.program], {
        env: desk.env,
        fork: workingKeyring,
      });
      expect(code).toBe(2);
      expect(out).toMatch(
        new RegExp(
          `^ERROR +scheme-owner +"${SCHEME}:" leads to thief\\.desktop, which runs /bin/echo stolen, another program$`,
          'm',
        ),
      );
      expect(out).toMatch(/sign-ins use the next redirect of your list/);
    });

    it("is content with the app's own registration, also behind a launcher, and with what a package has installed", async () => {
      const { args } = await provider();
      const desk = startDesk(cleanUps, 'an app');
      await desk.registration.register(SCHEME);
      const own = await diagnosed([...args, ...REDIRECTS, '--program', desk.program], {
        env: desk.env,
        fork: workingKeyring,
      });
      expect([own.code, own.troubles]).toEqual([0, []]);
      expect(own.find('scheme-owner')?.seen).toMatch(/: this app$/);

      const packaged = desktop();
      packaged.install('system', 'notes.desktop', `${packaged.program} %U`, SCHEME);
      expect(
        (
          await diagnosed([...args, ...REDIRECTS, '--program', packaged.program], {
            env: packaged.env,
            fork: workingKeyring,
          })
        ).code,
      ).toBe(0);
    });

    it('names a registration whose program has gone, and a scheme that nobody opens', async () => {
      const { args } = await provider();
      const desk = desktop();
      const nobody = await diagnosed([...args, ...REDIRECTS], {
        env: desk.env,
        fork: workingKeyring,
      });
      expect(nobody.troubles).toMatchObject([
        { id: 'scheme-owner', level: 'warning', seen: `nobody opens "${SCHEME}:"` },
      ]);
      await desk.registration.register(SCHEME);
      rmSync(desk.program);
      const gone = await diagnosed([...args, ...REDIRECTS], {
        env: desk.env,
        fork: workingKeyring,
      });
      expect(gone.troubles).toMatchObject([
        {
          id: 'scheme-owner',
          level: 'error',
          seen: expect.stringContaining('that program is not there') as string,
        },
      ]);
    });

    it('warns of a second build that claims the same scheme', async () => {
      const { args } = await provider();
      const desk = desktop();
      desk.install('system', 'notes.desktop', '/bin/true %U', SCHEME);
      await desk.registration.register(SCHEME);
      const { code, troubles } = await diagnosed(
        [...args, ...REDIRECTS, '--program', desk.program],
        { env: desk.env, fork: workingKeyring },
      );
      expect(code).toBe(1);
      expect(troubles).toMatchObject([
        {
          id: 'scheme-shared',
          seen: `"${SCHEME}:" is claimed by notes.desktop, too, which runs /bin/true`,
        },
      ]);
    });
  },
);

describe.skipIf(!haveParts('dbus-daemon', 'gnome-keyring-daemon', 'gdbus'))(
  'latchkey doctor on a genuine keyring',
  () => {
    const examine = async (env: NodeJS.ProcessEnv): ReturnType<typeof diagnosed> =>
      diagnosed((await provider()).args, { env, fork: () => forkKeychainWorker(env) });

    it('says that an open one works, and which it is, and leaves nothing in it', async () => {
      const { env } = await keyring('unlocked');
      const { code, find } = await examine(env);
      expect(code).toBe(0);
      expect(find('keyring')?.seen).toMatch(
        /^the keyring \(gnome-keyring-daemon\) took an entry, gave it back and removed it in \d+ ms$/,
      );
      const keychain = createKeychain({
        service: 'latchkey-doctor',
        timeoutMs: 10_000,
        fork: () => forkKeychainWorker(env),
      });
      cleanUps.push(() => keychain.close());
      expect(await keychain.read('latchkey-doctor', false)).toEqual({ state: 'absent' });
    });

    it('says that one is locked which cannot ask', async () => {
      const { env, lock } = await keyring('unlocked');
      await lock();
      const { code, troubles } = await examine(env);
      expect(code).toBe(2);
      expect(troubles).toMatchObject([
        {
          id: 'keyring',
          level: 'error',
          seen: expect.stringContaining('is locked: the keyring is locked') as string,
          todo: expect.stringContaining('Unlock it') as string,
        },
      ]);
    });

    it.skipIf(!haveDisplay())(
      'says that one is silent whose dialog nobody answers, in bounded time, and kills what hangs',
      async () => {
        const { env, lock } = await keyring('unlocked', process.env['DISPLAY']);
        await lock();
        const startedAt = performance.now();
        const { troubles } = await examine(env);
        expect(troubles).toMatchObject([
          {
            id: 'keyring',
            level: 'error',
            seen: expect.stringContaining('password dialog is open') as string,
          },
        ]);
        expect(performance.now() - startedAt).toBeLessThan(25_000);
      },
    );

    it.each([
      ['no secret service', 'none', {}, /no secret service/],
      [
        'a bus that is not there',
        'none',
        { DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nonexistent/bus' },
        /D-Bus session bus does not answer/,
      ],
      [
        'no bus at all',
        'none',
        { DBUS_SESSION_BUS_ADDRESS: undefined, XDG_RUNTIME_DIR: undefined },
        /there is no D-Bus session bus/,
      ],
    ] as const)('names it when there is %s', async (_name, kind, changes, seen) => {
      const { env } = await keyring(kind);
      const { code, troubles } = await examine({ ...env, ...changes });
      expect(code).toBe(2);
      expect(troubles).toMatchObject([
        { id: 'keyring', level: 'error', seen: expect.stringMatching(seen) as string },
      ]);
    });
  },
);

describe.skipIf(!haveParts('openssl'))('latchkey doctor before a certificate', () => {
  it('names who has signed one that is not trusted, and trusts it no more for that', async () => {
    const { issuer } = await startPrivateAuthority(cleanUps);
    const { code, find } = await diagnosed(['--issuer', issuer], { env: {}, fork: workingKeyring });
    expect(code).toBe(2);
    expect(find('tls')).toMatchObject({
      level: 'error',
      seen: expect.stringMatching(
        /refused \(UNABLE_TO_VERIFY_LEAF_SIGNATURE\); it was issued by Corp Proxy CA, Example Corp$/,
      ) as string,
    });
    expect(find('discovery')).toMatchObject({ level: 'error', todo: 'See tls.' });
  });
});

describe.skipIf(
  !haveParts('xdg-mime', 'update-desktop-database', 'dbus-daemon', 'gnome-keyring-daemon'),
)('docs/doctor.md', () => {
  it('shows what the doctor says of a computer on which much is wrong', async () => {
    const desk = desktop();
    desk.install('own', 'other-notes.desktop', '/opt/other-notes/notes %u', SCHEME);
    const { env, lock } = await keyring('unlocked');
    await lock();
    const idp = await startProvider({
      redirectUris: [`${SCHEME}:/callback`],
      clock: { now: () => Date.now() + 3_600_000 },
    });
    cleanUps.push(() => void idp.stop());
    const surroundings = {
      env: { ...desk.env, DBUS_SESSION_BUS_ADDRESS: env['DBUS_SESSION_BUS_ADDRESS'] },
      fork: () => forkKeychainWorker(env),
    };
    const { code, out } = await doctor(
      [
        '--issuer',
        idp.issuer,
        '--client-id',
        idp.clientId,
        ...REDIRECTS,
        '--program',
        desk.program,
      ],
      surroundings,
    );
    expect(code).toBe(2);
    // What differs between two computers, and between two runs.
    const same = out
      .replaceAll(new URL(idp.issuer).host, '127.0.0.1:38547')
      .replaceAll(desk.root, '/home/ada')
      .replace(/Latchkey \S+, Node \S+, .*/, 'Latchkey 0.1.0, Node 20.20.2, Linux 6.12 x64')
      .replace(/port \d+/g, 'port 41373')
      .replace(/127\.0\.0\.1:(?!38547)\d+/g, '127.0.0.1:41373')
      .replace(/\([\d.,]+ m?s\)/g, '(0.2 s)')
      .replace(/clock is \S+ (?=s behind)/, 'clock is 3600 ')
      .trimEnd();
    expectGenerated('docs/doctor.md', 'output', `\`\`\`\n${same}\n\`\`\``);
  });
});
