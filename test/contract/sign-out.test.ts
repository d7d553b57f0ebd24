// Kill -9 in the middle of a sign-out: the genuine core, lock and keychain in a process of its own, a
// genuine gnome-keyring, and a provider that says what became of the token.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createPerson, startProvider } from '../../src/testing/index.js';
import { type EngineProcess, startEngineProcess } from '../support/engine-process.js';
import { haveParts, startPrivateKeyring } from '../support/keyring.js';

const KILLS = 20;
/** From the call to the last line of a sign-out it takes some 150 ms; a loaded computer more. */
const STEP_MS = 8;
const SERVICE = 'latchkey sign-out';

describe.skipIf(!haveParts('gnome-keyring-daemon', 'dbus-daemon', 'gdbus'))(
  'a sign-out that is killed',
  () => {
    const cleanUps: (() => unknown)[] = [];
    afterEach(async () => {
      for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
    });

    it(`leaves a session or a dead token, ${KILLS} times: in the end the server knows, nothing is owed, nothing is in the keyring`, async () => {
      const folder = mkdtempSync(join(tmpdir(), 'latchkey-sign-out-'));
      const [provider, keyring] = await Promise.all([
        startProvider({}),
        startPrivateKeyring('unlocked'),
      ]);
      cleanUps.push(
        () => rmSync(folder, { recursive: true, force: true }),
        () => provider.stop(),
        () => keyring.stop(),
      );
      const stateFile = join(folder, 'state.json');
      writeFileSync(stateFile, 'null');
      const start = (): EngineProcess => {
        const member = {
          issuer: provider.issuer,
          clientId: provider.clientId,
          redirectUri: provider.redirectUris[0] ?? '',
          service: SERVICE,
          stateFile,
        };
        const started = startEngineProcess(member, keyring.env);
        cleanUps.push(() => started.kill());
        return started;
      };
      const entries = (): string =>
        execFileSync(
          'gdbus',
          [
            ...'call --session --dest org.freedesktop.secrets'.split(' '),
            ...'--object-path /org/freedesktop/secrets'.split(' '),
            ...'--method org.freedesktop.Secret.Service.SearchItems'.split(' '),
            `{'service': '${SERVICE}'}`,
          ],
          { env: keyring.env, encoding: 'utf8' },
        ).trim();
      const recordStates = (): readonly string[] => {
        const state = JSON.parse(readFileSync(stateFile, 'utf8')) as {
          accounts: readonly { record: string }[];
        } | null;
        return (state?.accounts ?? []).map(({ record }) => record);
      };
      const statusOf = async (one: EngineProcess): Promise<string> => (await one.view()).status;
      const person = createPerson();
      const outcomes: string[] = [];
      for (let kill = 0; kill < KILLS; kill += 1) {
        const doomed = start();
        await doomed.signIn(async (url) => (await person.signIn(url)).callbackUrl);
        const token = provider.issued.findLast(({ kind }) => kind === 'refresh_token')?.value ?? '';
        expect(entries(), 'the search finds what is there').toContain('/org/freedesktop/secrets/');
        void doomed.signOut().catch(() => undefined);
        await new Promise((resolve) => setTimeout(resolve, kill * STEP_MS));
        doomed.kill();

        const next = start();
        await expect.poll(() => statusOf(next), { timeout: 10_000 }).not.toBe('starting');
        const status = await statusOf(next);
        outcomes.push(status);
        if (status !== 'signed-out') await next.signOut();
        await expect.poll(recordStates, { timeout: 10_000, interval: 20 }).toEqual(['none']);
        expect(entries(), `what the keyring holds after kill ${kill}`).toBe('(@ao [], @ao [])');
        const answer = await fetch(provider.endpoints.token, {
          method: 'POST',
          body: new URLSearchParams({
            grant_type: 'refresh_token',
            refresh_token: token,
            client_id: provider.clientId,
          }),
        });
        expect(await answer.json(), `the token after kill ${kill}`).toMatchObject({
          error: 'invalid_grant',
        });
        next.kill();
      }
      // A storm that always strikes too early, or too late, proves nothing.
      expect(new Set(outcomes)).toEqual(new Set(['signed-in', 'signed-out']));
    }, 240_000);
  },
);
