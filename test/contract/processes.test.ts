// Several processes of one user with one account: the genuine core, lock and keychain in each, a
// genuine gnome-keyring between them, and a provider that ends the whole family when one refresh
// token comes twice.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { type Provider, createPerson, startProvider } from '../../src/testing/index.js';
import { type EngineProcess, startEngineProcess } from '../support/engine-process.js';
import { haveParts, startPrivateKeyring } from '../support/keyring.js';

const PROCESSES = 4;
const CALLERS = 50;
const ROUNDS = 20;
const HOUR_MS = 3_600_000;
/** Long enough for a message to reach every process before it is to act. */
const NOTICE_MS = 60;

interface Fleet {
  readonly provider: Provider;
  readonly processes: readonly EngineProcess[];
  /** The refresh requests that came since the last call, by their status. */
  news(): readonly (number | null)[];
  /** All processes go an hour ahead and ask at the same moment. */
  round(number: number, of?: readonly EngineProcess[]): Promise<readonly string[]>;
}

describe.skipIf(!haveParts('gnome-keyring-daemon', 'dbus-daemon', 'gdbus'))(
  'processes that share one account',
  () => {
    const cleanUps: (() => unknown)[] = [];
    afterEach(async () => {
      for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
    });

    /**
     * The first process signs in; the others start with what it remembers, as a second build of the
     * app would.
     */
    async function startFleet(accessTokenSeconds: number): Promise<Fleet> {
      const folder = mkdtempSync(join(tmpdir(), 'latchkey-fleet-'));
      cleanUps.push(() => rmSync(folder, { recursive: true, force: true }));
      const [provider, keyring] = await Promise.all([
        startProvider({ accessTokenSeconds }),
        startPrivateKeyring('unlocked'),
      ]);
      cleanUps.push(
        () => provider.stop(),
        () => keyring.stop(),
      );
      const stateFiles = Array.from({ length: PROCESSES }, (_, index) =>
        join(folder, `state-${index}.json`),
      );
      for (const file of stateFiles) writeFileSync(file, 'null');
      const start = (stateFile: string): EngineProcess => {
        const redirectUri = provider.redirectUris[0] ?? '';
        const started = startEngineProcess(
          {
            issuer: provider.issuer,
            clientId: provider.clientId,
            redirectUri,
            service: 'latchkey fleet',
            stateFile,
          },
          keyring.env,
        );
        cleanUps.push(() => started.kill());
        return started;
      };

      const [firstFile = '', ...otherFiles] = stateFiles;
      const first = start(firstFile);
      const person = createPerson();
      expect(
        await first.signIn(async (url) => (await person.signIn(url)).callbackUrl),
      ).toMatchObject({ status: 'signed-in', remembered: true });
      for (const file of otherFiles) writeFileSync(file, readFileSync(firstFile));
      const processes = [first, ...otherFiles.map(start)];
      await expect
        .poll(
          async () =>
            (await Promise.all(processes.map((one) => one.view()))).map(({ status }) => status),
          { timeout: 10_000 },
        )
        .toEqual(processes.map(() => 'signed-in'));

      let seen = provider.requests.length;
      return {
        provider,
        processes,
        news() {
          const fresh = provider.requests
            .slice(seen)
            .filter(({ grantType }) => grantType === 'refresh_token');
          seen = provider.requests.length;
          return fresh.map(({ status }) => status);
        },
        async round(number, of = processes) {
          const at = Date.now() + NOTICE_MS;
          const rounds = await Promise.all(
            of.map((one) => one.askForTokens(at, number * HOUR_MS, CALLERS)),
          );
          expect(
            rounds.flatMap(({ failures }) => failures),
            of.flatMap(({ log }) => log.slice(-8)).join('\n'),
          ).toEqual([]);
          return [...new Set(rounds.flatMap(({ tokens }) => tokens))];
        },
      };
    }

    it(`renews once for ${PROCESSES} processes × ${CALLERS} callers at the same moment, ${ROUNDS} rounds`, async () => {
      const { round, news } = await startFleet(HOUR_MS / 1000);
      expect(news()).toEqual([]);
      const given = new Set<string>();
      for (let number = 1; number <= ROUNDS; number += 1) {
        const tokens = await round(number);
        expect(news(), `the token requests of round ${number}`).toEqual([200]);
        expect(tokens, `the different tokens of round ${number}`).toHaveLength(1);
        for (const token of tokens) given.add(token);
      }
      expect(given.size).toBe(ROUNDS);
    });

    it('renews once a life for processes that nobody asks, each by its own timer', async () => {
      const { provider, round, news, processes } = await startFleet(HOUR_MS / 1000);
      provider.setAccessTokenSeconds(3);
      await round(1);
      expect(news()).toEqual([200]);
      const before = provider.tokenRequests('refresh_token');
      await expect
        .poll(() => provider.tokenRequests('refresh_token') - before, {
          timeout: 12_000,
          interval: 20,
        })
        .toBe(3);
      const renewals = provider.requests.filter(({ grantType }) => grantType === 'refresh_token');
      expect(renewals.map(({ status }) => status)).not.toContain(400);
      // Due after two thirds of a life, at the earliest.
      const pauses = renewals.slice(1).map(({ at }, index) => at - (renewals[index]?.at ?? 0));
      expect(Math.min(...pauses)).toBeGreaterThan(1_900);
      expect(
        (await Promise.all(processes.map((one) => one.view()))).map(({ status }) => status),
      ).toEqual(processes.map(() => 'signed-in'));
    });

    it('goes on in another process when the one that renews is killed before the provider has heard of it', async () => {
      const { provider, processes, round, news } = await startFleet(HOUR_MS / 1000);
      const [victim, ...others] = processes;
      provider.fault({ kind: 'hang', endpoint: 'token', grantType: 'refresh_token', times: 1 });
      void victim?.askForTokens(Date.now(), HOUR_MS, 1);
      await expect
        .poll(() => provider.tokenRequests('refresh_token'), { timeout: 5_000, interval: 10 })
        .toBe(1);
      const tokens = round(1, others);
      await new Promise((resolve) => setTimeout(resolve, 2 * NOTICE_MS));
      expect(provider.tokenRequests('refresh_token')).toBe(1);
      const killedAt = performance.now();
      victim?.kill();
      expect(await tokens).toHaveLength(1);
      expect(performance.now() - killedAt).toBeLessThan(2_000);
      expect(news()).toEqual([null, 200]);
      expect(provider.unusedFaults()).toEqual([]);
    });
  },
);
