// Random lives of a whole engine: people, network and keyring do what they like, and then the app
// ends.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ERROR_CODES } from '../../../src/main/core/base/error-codes.js';
import { AuthError } from '../../../src/main/core/base/errors.js';
import { ISSUER, REDIRECT, createBench, until } from '../../support/engine-harness.js';
import { settle } from '../../support/fakes.js';

const anyAct = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('begin', 'come back', 'come back') },
  { weight: 4, arbitrary: fc.constantFrom('token', 'token', 'retry', 'reopen', 'cancel') },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      'another way',
      'another way',
      'paste',
      'agree',
      'say no',
      'no browser',
    ),
  },
  { weight: 2, arbitrary: fc.constantFrom('sign out', 'come back late', 'revoke all') },
  { weight: 2, arbitrary: fc.constantFrom('offline', 'online', 'hold', 'release') },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      'keyring works',
      'keyring locked',
      'keyring missing',
      'keyring prompts',
      'prompt answered',
      'prompt dismissed',
    ),
  },
  { weight: 4, arbitrary: fc.constantFrom('a second', 'ten seconds', 'an hour', 'sleep') },
);

const PASTE = `${ISSUER}/done`;
const OPTIONS = {
  redirects: [REDIRECT, 'http://127.0.0.1/callback', 'device-code', `paste:${PASTE}`],
  endpoints: {
    authorization: `${ISSUER}/authorize`,
    token: `${ISSUER}/token`,
    revocation: `${ISSUER}/revoke`,
    deviceAuthorization: `${ISSUER}/device`,
  },
};
const PASS: Readonly<Record<string, number>> = {
  'a second': 1_000,
  'ten seconds': 10_000,
  'an hour': 3_600_000,
};

describe('every life of an engine', () => {
  it('uses a refresh token once, gives no secret away, signs out by a word only, and leaves nothing behind', async () => {
    let renewals = 0;
    let signedOut = 0;
    let late = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyAct, { maxLength: 40, size: 'max' }),
        fc.constantFrom(600, 3_600),
        async (acts, lifeSeconds) => {
          const bench = createBench(OPTIONS);
          const { engine, authority, clock, secrets } = bench;
          const promises: Promise<string>[] = [];
          const pages = (): readonly URLSearchParams[] =>
            bench.browser.opened.map((url) => new URL(url).searchParams);
          const pageAt = (redirect: string): URLSearchParams | undefined =>
            pages().findLast((page) => page.get('redirect_uri') === redirect);
          /** States of attempts that a sign-out has ended. */
          const over = new Set<string>();
          let release = (): void => {};
          let mayEnd = true;
          const follow = (promise: Promise<unknown>): void => {
            promises.push(
              promise.then(
                () => 'fine',
                (error: unknown) =>
                  error instanceof AuthError ? error.code : `not an AuthError: ${String(error)}`,
              ),
            );
          };
          authority.lifeSeconds = lifeSeconds;
          let was = 'starting';
          engine.onView((view) => {
            if (was === 'signed-in' && view.status === 'signed-out')
              expect(mayEnd, 'signed out without a word of the user or the server').toBe(true);
            was = view.status;
          });
          engine.start();
          await settle();
          mayEnd = false;

          for (const act of acts) {
            switch (act) {
              case 'begin': {
                const before = bench.browser.opened.length;
                follow(engine.signIn({}));
                await bench.opens(before + 1);
                break;
              }
              case 'come back': {
                const page = pageAt(REDIRECT);
                bench.comeBack(page?.get('state') ?? 'none');
                break;
              }
              case 'paste': {
                const page = pageAt(PASTE);
                follow(
                  engine.pasteCallback(`${PASTE}?code=good&state=${page?.get('state') ?? 'none'}`),
                );
                break;
              }
              case 'another way':
                engine.tryAnotherWay();
                break;
              case 'agree':
                authority.person = 'agrees';
                break;
              case 'say no':
                authority.person = 'says no';
                break;
              case 'no browser':
                bench.browser.failNext();
                break;
              case 'token':
                follow(engine.getAccessToken());
                break;
              case 'retry':
                engine.retry();
                break;
              case 'reopen':
                engine.reopenBrowser();
                break;
              case 'cancel':
                engine.cancelSignIn();
                break;
              case 'sign out': {
                mayEnd = true;
                follow(engine.signOut());
                for (const page of pages()) over.add(page.get('state') ?? '');
                await settle();
                mayEnd = false;
                break;
              }
              case 'come back late': {
                const state = [...over].at(-1);
                if (state === undefined) break;
                const before = engine.view();
                bench.comeBack(state);
                await settle();
                if (before.status === 'signed-out') late += 1;
                expect(
                  before.status !== 'signed-out' || engine.view().status === 'signed-out',
                  'a callback from before a sign-out signs nobody in',
                ).toBe(true);
                break;
              }
              case 'revoke all':
                authority.revokeAll();
                mayEnd = true;
                break;
              case 'offline':
                authority.online = false;
                break;
              case 'online':
                authority.online = true;
                break;
              case 'hold':
                release();
                release = authority.hold();
                break;
              case 'release':
                release();
                break;
              case 'keyring works':
                secrets.setMode('works');
                break;
              case 'keyring locked':
                secrets.setMode('locked');
                break;
              case 'keyring missing':
                secrets.setMode('unavailable');
                break;
              case 'keyring prompts':
                secrets.setMode('prompting');
                break;
              case 'prompt answered':
                secrets.answerPrompt('unlocked');
                break;
              case 'prompt dismissed':
                secrets.answerPrompt('dismissed');
                break;
              case 'sleep':
                clock.jumpTo(clock.now() + 7_200_000);
                break;
              default:
                await clock.advance(PASS[act] ?? 0);
            }
            await settle();
          }

          renewals += authority.count('refresh_token');
          if (was === 'signed-out') signedOut += 1;
          expect(authority.reused, 'a refresh token that was rotated came again').toEqual([]);
          // Whatever happened, the app can be used again: nothing hangs for ever.
          release();
          authority.online = true;
          secrets.setMode('works');
          secrets.answerPrompt('unlocked');
          await clock.advance(2 * 3_600_000);
          await until(() => {
            const view = engine.view();
            return (
              view.status === 'signed-out' ||
              (view.status === 'signed-in' &&
                view.attempt === undefined &&
                view.renewal.state === 'fresh')
            );
          }, 'a quiet end');

          mayEnd = true;
          const stopped = engine.stop();
          await clock.advance(2_500);
          await stopped;
          // WebCrypto answers when it likes: what is under way at the end needs no virtual time,
          // but some real time.
          await until(() => clock.pending === 0, 'an end of all timers');
          const outcomes = await Promise.all(promises);
          for (const outcome of outcomes)
            expect(['fine', ...Object.keys(ERROR_CODES)]).toContain(outcome);
          for (const bad of ['internal', 'invalid-options']) expect(outcomes).not.toContain(bad);
          expect(
            [clock.pending, authority.open, bench.scheme.open.length, bench.loopback.open.length],
            'timers, requests and redirects left',
          ).toEqual([0, 0, 0, 0]);
          const told = JSON.stringify([bench.views, bench.log.events, bench.file.content]);
          for (const secret of [
            ...authority.issued,
            ...pages().flatMap((page) => page.get('state') ?? []),
          ])
            expect(told.includes(secret), 'a secret was told').toBe(false);
        },
      ),
      { numRuns: 600 },
    );
    expect(renewals, 'the lives were too dull to prove anything').toBeGreaterThan(100);
    expect(signedOut).toBeGreaterThan(20);
    expect(late).toBeGreaterThan(20);
  }, 120_000);
});
