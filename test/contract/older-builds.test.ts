// An app that is rolled back to an older build, and brought forward again: both builds really run,
// each with its own core and adapters, on one genuine keyring and one folder, before a provider
// that ends a session when a refresh token comes twice.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { AccountView, AuthView } from '../../src/contract.js';
import { type Provider, createPerson, startProvider, subjectOf } from '../../src/testing/index.js';
import {
  type Build,
  type BuildProcess,
  oldBuild,
  startBuild,
  todaysBuild,
} from '../support/build-process.js';
import { type Keyring, haveParts, startPrivateKeyring } from '../support/keyring.js';

/** The oldest build whose sessions must be found, and that must find today's. */
const OLD = 'f9db4ba';
const HOUR = 3_600_000;
const SERVICE = 'latchkey rolled back';

type Name = 'ada' | 'grace';
type SignedIn = Extract<AuthView, { status: 'signed-in' }>;

describe.skipIf(!haveParts('gnome-keyring-daemon', 'dbus-daemon', 'gdbus', 'git', 'tar'))(
  `an app that is rolled back to ${OLD}`,
  () => {
    let builds: { readonly today: Build; readonly old: Build };
    let keyring: Keyring;
    const cleanUps: (() => unknown)[] = [];

    beforeAll(async () => {
      builds = { today: todaysBuild(), old: oldBuild(OLD) };
      keyring = await startPrivateKeyring('unlocked');
    }, 60_000);
    afterAll(() => keyring.stop());
    afterEach(async () => {
      for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
    });

    /** One computer: what a build leaves there, the next one finds. */
    async function computer(options: object = {}) {
      const folder = mkdtempSync(join(tmpdir(), 'latchkey-rolled-back-'));
      const provider = await startProvider();
      cleanUps.push(
        () => rmSync(folder, { recursive: true, force: true }),
        () => provider.stop(),
      );
      let running: BuildProcess | null = null;
      let ahead = 0;
      return {
        provider,
        folder,
        /** Ends the build that runs, and starts this one. The clock goes on. */
        async start(build: keyof typeof builds): Promise<BuildProcess> {
          await running?.stop();
          const settings = {
            issuer: provider.issuer,
            clientId: provider.clientId,
            redirects: provider.redirectUris.slice(0, 1),
            ...options,
          };
          const started = startBuild(
            builds[build],
            { options: settings, service: `${SERVICE} ${folder}`, folder },
            keyring.env,
          );
          running = started;
          cleanUps.push(() => started.kill());
          await started.ahead(ahead);
          return started;
        },
        /** Each person has a browser of her own. */
        async signIn(app: BuildProcess, login: Name): Promise<void> {
          await app.signIn(
            async (url) => (await createPerson().signIn(url, { login })).callbackUrl,
          );
        },
        /** True for what the provider has given out as an access token. */
        isToken: (value: string): boolean =>
          provider.issued.some((one) => one.kind === 'access_token' && one.value === value),
        /** The token is due from then on, also for the next build. */
        async anHourLater(app: BuildProcess): Promise<void> {
          ahead += HOUR;
          await app.ahead(HOUR);
        },
      };
    }

    const signedIn = async (app: BuildProcess): Promise<SignedIn> => {
      const view = await app.view();
      if (view.status !== 'signed-in')
        throw new Error(`${JSON.stringify(view)}\n${app.log.join('\n')}`);
      return view;
    };
    const renewals = (provider: Provider): readonly (number | null)[] =>
      provider.requests
        .filter(({ grantType }) => grantType === 'refresh_token')
        .map(({ status }) => status);
    const withoutRefreshToken = (provider: Provider, ...more: readonly string[]): void => {
      const drop = ['refresh_token', ...more];
      provider.fault({ kind: 'members', endpoint: 'token', drop, times: 1 });
    };
    const named = (accounts: readonly AccountView[] | undefined): readonly string[] =>
      (accounts ?? []).map(({ subject }) => subject);
    const key = ({ account }: SignedIn): string => `session:${account.id}`;

    it('is signed in there, renews there, and goes on when it is brought forward', async () => {
      const { provider, start, signIn, isToken, anHourLater } = await computer();
      let app = await start('today');
      await signIn(app, 'ada');
      for (const build of ['old', 'today', 'old', 'today'] as const) {
        app = await start(build);
        expect(await signedIn(app), build).toMatchObject({
          account: { subject: subjectOf('ada') },
          remembered: true,
        });
        const before = await app.token();
        await anHourLater(app);
        const after = await app.token();
        expect([isToken(before), isToken(after), after === before], build).toEqual([
          true,
          true,
          false,
        ]);
      }
      expect(renewals(provider)).toEqual([200, 200, 200, 200]);
    });

    it('has its access token there without a request', async () => {
      const { provider, start, signIn } = await computer();
      const today = await start('today');
      await signIn(today, 'ada');
      const token = await today.token();
      const requests = provider.requests.length;
      const old = await start('old');
      expect([await old.token(), provider.requests.length]).toEqual([token, requests]);
    });

    it('has all its accounts there, and the active one of each build in the other', async () => {
      const { provider, start, signIn, anHourLater } = await computer({ accounts: 'several' });
      const today = await start('today');
      await signIn(today, 'ada');
      await signIn(today, 'grace');
      const ada = (await signedIn(today)).otherAccounts?.[0]?.id ?? '';

      const old = await start('old');
      const there = await signedIn(old);
      expect([there.account.subject, named(there.otherAccounts)]).toEqual([
        subjectOf('grace'),
        [subjectOf('ada')],
      ]);
      await anHourLater(old);
      const tokens = [await old.token(), await old.token({ account: ada })];
      await old.call('switchAccount', ada);

      const again = await start('today');
      const here = await signedIn(again);
      expect([here.account.subject, named(here.otherAccounts)]).toEqual([
        subjectOf('ada'),
        [subjectOf('grace')],
      ]);
      const grace = here.otherAccounts?.[0]?.id ?? '';
      expect([await again.token({ account: grace }), await again.token()]).toEqual(tokens);
      expect(renewals(provider)).toEqual([200, 200]);
    });

    it('is signed in there though a refusal that was not final has suspended the session', async () => {
      const { provider, folder, start, signIn, isToken, anHourLater } = await computer();
      let app = await start('today');
      await signIn(app, 'ada');
      for (const times of [1, 2]) {
        provider.fault({
          kind: 'oauth-error',
          endpoint: 'token',
          error: 'invalid_request',
          status: 400,
          times: 1,
        });
        await anHourLater(app);
        expect(await app.token(), `refusal ${times}`).toBe(
          times === 1 ? 'sign-in-refused' : 'session-ended',
        );
      }
      expect(await app.view()).toMatchObject({ status: 'signed-out', reason: 'ended' });
      await expect
        .poll(() => readFileSync(join(folder, 'latchkey.json'), 'utf8'))
        .toContain('suspended');
      for (const build of ['old', 'today'] as const) {
        app = await start(build);
        expect((await signedIn(app)).account.subject, build).toBe(subjectOf('ada'));
        await anHourLater(app);
        expect(isToken(await app.token()), build).toBe(true);
      }
    });

    it('is asked to sign in there, as here, when the provider has ended the session', async () => {
      const { provider, start, signIn, anHourLater } = await computer();
      const today = await start('today');
      await signIn(today, 'ada');
      provider.revokeAll();
      await anHourLater(today);
      expect(await today.token()).toBe('session-ended');
      for (const build of ['old', 'today'] as const)
        expect(await (await start(build)).view(), build).toMatchObject({
          status: 'signed-out',
          reason: 'ended',
          lastAccount: { subject: subjectOf('ada') },
        });
    });

    it('stays signed out there, as here', async () => {
      const { start, signIn } = await computer();
      const today = await start('today');
      await signIn(today, 'ada');
      await today.call('signOut');
      for (const build of ['old', 'today'] as const)
        expect(await (await start(build)).view(), build).toMatchObject({
          status: 'signed-out',
          reason: 'signed-out',
        });
    });

    it('has there a session without a refresh token, and without a request', async () => {
      const { provider, start, signIn } = await computer();
      const today = await start('today');
      withoutRefreshToken(provider, 'expires_in');
      await signIn(today, 'ada');
      const token = await today.token();
      const requests = provider.requests.length;
      for (const build of ['old', 'today', 'old'] as const) {
        const app = await start(build);
        expect((await signedIn(app)).renewal, build).toMatchObject({
          state: 'fresh',
          expiresAt: null,
          renewAt: null,
        });
        expect(await app.token()).toBe(token);
      }
      expect(provider.requests.length).toBe(requests);
    });

    it('asks there for a sign-in when such a session is over, and loses no other account', async () => {
      const { provider, start, signIn, isToken, anHourLater } = await computer({
        accounts: 'several',
      });
      const today = await start('today');
      await signIn(today, 'grace');
      withoutRefreshToken(provider);
      await signIn(today, 'ada');
      const grace = (await signedIn(today)).otherAccounts?.[0]?.id ?? '';

      const old = await start('old');
      expect((await signedIn(old)).account.subject).toBe(subjectOf('ada'));
      await anHourLater(old);
      expect(await old.token()).toBe('session-ended');
      expect(isToken(await old.token({ account: grace }))).toBe(true);

      const again = await start('today');
      expect(await again.view()).toMatchObject({
        status: 'signed-out',
        reason: 'ended',
        lastAccount: { subject: subjectOf('ada') },
      });
      expect(isToken(await again.token({ account: grace }))).toBe(true);
      await again.call('switchAccount', grace);
      expect((await signedIn(again)).account.subject).toBe(subjectOf('grace'));
    });

    it('revokes there the access token of such a session at a sign-out', async () => {
      const { provider, start, signIn } = await computer();
      const today = await start('today');
      withoutRefreshToken(provider);
      await signIn(today, 'ada');
      const token = await today.token();
      const old = await start('old');
      await signedIn(old);
      await old.call('signOut');
      const asked = async (): Promise<number> =>
        (await fetch(provider.endpoints.me, { headers: { authorization: `Bearer ${token}` } }))
          .status;
      await expect.poll(asked, { timeout: 5_000 }).toBe(401);
      expect(await (await start('today')).view()).toMatchObject({ status: 'signed-out' });
    });

    /** What later builds store beside what the old one knows: each row is members of a record. */
    it.each<[string, Readonly<Record<string, unknown>>]>([
      ['roles of the person', { claims: { roles: ['admin', 'auditor'] } }],
      ['an ID token and more, in several parts', { idToken: 'x'.repeat(6_000), later: [1, null] }],
    ])('finds its session there beside %s', async (_what, members) => {
      const { start, signIn, isToken, anHourLater } = await computer();
      let app = await start('today');
      await signIn(app, 'ada');
      const name = key(await signedIn(app));
      await app.store(name, { ...(await app.stored(name)), ...members });
      for (const build of ['old', 'today', 'old'] as const) {
        app = await start(build);
        expect((await signedIn(app)).account.subject, build).toBe(subjectOf('ada'));
        await anHourLater(app);
        expect(isToken(await app.token()), build).toBe(true);
      }
    });
  },
);
