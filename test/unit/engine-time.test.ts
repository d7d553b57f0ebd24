// Random lives of an engine on a computer whose clock jumps between any two steps: by seconds, by days, forward and back.
// The authority's time goes on evenly. It alone says what is over; a jump is nobody's word.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ERROR_CODES } from '../../src/main/core/error-codes.js';
import { AuthError } from '../../src/main/core/errors.js';
import type { NetworkRequest } from '../../src/main/core/ports.js';
import { type Authority, type Bench, ISSUER, REDIRECT, createAuthority, createBench, until } from '../support/flow-bench.js';
import { type FakeClock, createFakeClock, settle } from '../support/fakes.js';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const LIFE_SECONDS = 3_600;
/** Calls of the keyring, requests and timers that one minute may see: a person, two accounts and a device code need fewer. */
const MOST_IN_A_MINUTE = 60;

const anyJump = fc.oneof(
  { weight: 2, arbitrary: fc.constant(0) },
  fc.tuple(fc.constantFrom(-1, 1), fc.constantFrom(2 * SECOND, 59 * SECOND, 61 * SECOND, 299 * SECOND, 301 * SECOND, 20 * MINUTE, HOUR, DAY, 30 * DAY, 400 * DAY)).map(([sign, ms]) => sign * ms),
);
const anyStep = fc.record({
  jump: anyJump,
  /** The system tells of a sleep, or nobody tells. */
  signal: fc.constantFrom('resume', 'unlock', null, null),
  passes: fc.constantFrom(0, SECOND, 20 * SECOND, 61 * SECOND, 4 * MINUTE, 50 * MINUTE, 2 * HOUR),
  act: fc.constantFrom('begin', 'begin', 'answer', 'answer', 'answer', 'token', 'token', 'switch', 'sign out', 'restart', 'keyring locks', 'keyring opens', 'nothing'),
});
type Step = typeof anyStep extends fc.Arbitrary<infer T> ? T : never;

interface Attempt {
  readonly state: string | null;
  readonly expiresAt: number;
  outcome: string | null;
  /** The clock has said that its time is over. */
  isOver: boolean;
}

interface Given {
  readonly at: number;
  readonly subject: string;
}

/** A computer: its clock, and the even time of everybody else. */
interface World {
  readonly clock: FakeClock;
  readonly timersSet: () => number;
  jump(ms: number): void;
  trueNow(): number;
}

function createWorld(): World {
  const inner = createFakeClock();
  let off = 0;
  let timers = 0;
  const clock: FakeClock = {
    now: inner.now,
    after(ms, run) {
      timers += 1;
      return inner.after(ms, run);
    },
    advance: inner.advance,
    jumpTo: inner.jumpTo,
    get pending() { return inner.pending; },
  };
  return {
    clock,
    timersSet: () => timers,
    jump(ms) {
      off += ms;
      inner.jumpTo(inner.now() + ms);
    },
    trueNow: () => inner.now() - off,
  };
}

/** Notes when each access token was given, and to whom. Names of people are the codes. */
function watched(authority: Authority, world: World, given: Map<string, Given>): Authority {
  const subjects = new Map<string, string>();
  const watching = Object.create(authority, {
    fetch: {
      async value(url: string, init: NetworkRequest) {
        const form = new URLSearchParams(init.body ?? '');
        const response = await authority.fetch(url, init);
        const body = url.endsWith('/token') && response.status === 200 ? ((await response.clone().json()) as Record<string, string>) : {};
        const subject = form.get('code')?.replace('good-', '') ?? subjects.get(form.get('refresh_token') ?? '') ?? 'ada';
        if (body['access_token'] !== undefined) given.set(body['access_token'], { at: world.trueNow(), subject });
        if (body['refresh_token'] !== undefined) subjects.set(body['refresh_token'], subject);
        return response;
      },
    },
    person: { get: () => authority.person, set: (value: Authority['person']) => { authority.person = value; } },
  }) as Authority;
  return watching;
}

const OPTIONS = {
  endpoints: { authorization: `${ISSUER}/authorize`, token: `${ISSUER}/token`, revocation: `${ISSUER}/revoke`, deviceAuthorization: `${ISSUER}/device` },
  accounts: 'several',
} as const;

/** One life. Throws at the first thing that must not be. */
async function live(steps: readonly Step[], redirect: string): Promise<{ readonly signIns: number; readonly expired: number; readonly tokens: number }> {
  const world = createWorld();
  const { clock } = world;
  const given = new Map<string, Given>();
  const authority = createAuthority();
  authority.lifeSeconds = LIFE_SECONDS;
  const identify = async (token: string): Promise<{ subject: string }> => ({ subject: given.get(token)?.subject ?? 'nobody' });
  const isDevice = redirect === 'device-code';
  const options = { ...OPTIONS, redirects: [redirect], identify };
  let bench: Bench = createBench(options, { authority: watched(authority, world, given), clock });
  let keyring: 'works' | 'locked' = 'works';
  let attempt: Attempt | null = null;
  let mayEnd = false;
  let people = 0;
  const counted = { signIns: 0, expired: 0, tokens: 0 };
  const promises: Promise<string>[] = [];
  /** Stored, so that a restart must bring somebody back. */
  const isStored = (): boolean => [...bench.secrets.entries.keys()].some((key) => key.startsWith('session:'));

  const follow = (promise: Promise<unknown>): Promise<string> => {
    const outcome = promise.then(() => 'fine', (error: unknown) => (error instanceof AuthError ? error.code : `not an AuthError: ${String(error)}`));
    promises.push(outcome);
    return outcome;
  };
  const look = (): void => {
    if (attempt !== null && clock.now() >= attempt.expiresAt) attempt.isOver = true;
  };
  const keyringCalls = (): number => bench.secrets.calls.length;
  /** Lets even time pass, a minute at a time, and counts what happens in each. */
  const pass = async (ms: number): Promise<void> => {
    for (let left = ms; left > 0; left -= MINUTE) {
      const before = [keyringCalls(), authority.tokenForms.length, world.timersSet()] as const;
      await clock.advance(Math.min(left, MINUTE));
      look();
      const after = [keyringCalls(), authority.tokenForms.length, world.timersSet()] as const;
      after.forEach((count, index) => { expect(count - before[index]!, `${['calls of the keyring', 'token requests', 'timers'][index]!} in one minute`).toBeLessThanOrEqual(MOST_IN_A_MINUTE); });
    }
    await settle();
  };
  /** Lets even time pass until it holds, for so long at most; WebCrypto gets the real time that it needs. */
  const soon = async (holds: () => boolean, ms: number): Promise<void> => {
    for (let left = ms; left > 0 && !holds(); left -= SECOND) {
      for (let turn = 0; turn < 6 && !holds(); turn += 1) await settle();
      if (!holds()) await pass(SECOND);
    }
    if (!holds()) await until(holds, 'what was to come soon').catch(() => undefined);
  };
  const settled = async (outcome: Promise<string>, ms: number): Promise<string> => {
    let word: string | null = null;
    void outcome.then((one) => { word = one; });
    await soon(() => word !== null, ms);
    return word ?? 'pending';
  };
  const start = async (): Promise<void> => {
    let was = 'starting';
    const { engine } = bench;
    engine.onView(({ status }) => {
      if (was === 'signed-in' && status === 'signed-out') expect(mayEnd, 'signed out by nobody').toBe(true);
      was = status;
    });
    engine.start();
    await settle();
  };

  const acts: Readonly<Record<Step['act'], () => Promise<void>>> = {
    'nothing': async () => undefined,
    async 'begin'() {
      if (attempt !== null) return;
      const pages = bench.browser.opened.length;
      const outcome = follow(bench.engine.signIn({}));
      if (isDevice) await until(() => deviceShown(), 'the code');
      else await bench.opens(pages + 1);
      const view = bench.engine.view();
      if (!('attempt' in view) || view.attempt === undefined) throw new Error('the attempt waits');
      const begun: Attempt = { state: isDevice ? null : new URL(bench.browser.opened.at(-1)!).searchParams.get('state'), expiresAt: view.attempt.expiresAt, outcome: null, isOver: false };
      attempt = begun;
      void outcome.then((word) => { begun.outcome = word; });
    },
    async 'answer'() {
      if (attempt === null) return;
      const tried = attempt;
      attempt = null;
      const wasOver = tried.isOver || tried.outcome !== null;
      if (isDevice) authority.person = 'agrees';
      else bench.comeBack(tried.state ?? '', `good-${['ada', 'grace'][people++ % 2]!}`);
      const isThere = (): boolean => tried.outcome !== null && (tried.outcome !== 'stopped' || bench.engine.view().status === 'signed-in');
      await soon(isThere, isDevice ? 70 * SECOND : 2 * SECOND);
      authority.person = 'is away';
      if (wasOver || tried.isOver) {
        expect(['fine', 'sign-in-expired', 'stopped']).toContain(tried.outcome);
        if (tried.outcome === 'sign-in-expired') counted.expired += 1;
      } else if (tried.outcome === 'stopped') {
        // The next process was started by the callback; over a keyring that is locked it waits.
        if (keyring === 'works' && !isDevice) expect(bench.engine.view().status, 'a kept attempt').toBe('signed-in');
      } else {
        expect(tried.outcome, 'somebody answered in time').toBe('fine');
        counted.signIns += 1;
      }
    },
    async 'token'() {
      const wasSignedIn = bench.engine.view().status === 'signed-in';
      const answer = bench.engine.getAccessToken();
      const outcome = follow(answer);
      const word = await settled(outcome, 5 * SECOND);
      if (!wasSignedIn) return;
      expect(word, 'a token of somebody who is signed in').toBe('fine');
      const age = world.trueNow() - (given.get(await answer)?.at ?? -Infinity);
      expect(age, 'a token that is over').toBeLessThan(LIFE_SECONDS * SECOND + 5 * SECOND);
      counted.tokens += 1;
    },
    async 'switch'() {
      const view = bench.engine.view();
      const other = view.status === 'starting' ? undefined : view.otherAccounts?.[0];
      if (other === undefined) return;
      const outcome = follow(bench.engine.switchAccount(other.id));
      const word = await settled(outcome, 5 * SECOND);
      if (keyring === 'works') expect(word, 'a switch').toBe('fine');
    },
    async 'sign out'() {
      mayEnd = true;
      const outcome = follow(bench.engine.signOut());
      expect(await settled(outcome, 20 * SECOND), 'a sign-out').toBe('fine');
      mayEnd = false;
    },
    async 'restart'() {
      const wasSignedIn = bench.engine.view().status === 'signed-in' && isStored() && keyring === 'works';
      await stop();
      bench = bench.restart();
      bench.secrets.setMode(keyring);
      await start();
      await soon(() => bench.engine.view().status === 'signed-in', wasSignedIn ? 5 * SECOND : SECOND);
      if (wasSignedIn) expect(bench.engine.view().status, 'after a restart').toBe('signed-in');
      // A code on another device ends with its process.
      if (isDevice) attempt = null;
    },
    async 'keyring locks'() { keyring = 'locked'; bench.secrets.setMode('locked'); },
    async 'keyring opens'() { keyring = 'works'; bench.secrets.setMode('works'); bench.engine.retry(); },
  };

  await start();
  for (const { jump, signal, passes, act } of steps) {
    world.jump(jump);
    look();
    if (signal !== null && jump !== 0) bench.signals.emit(signal);
    await settle();
    await pass(passes);
    await acts[act]();
  }

  // Whatever it said last: once nothing jumps any more, everything comes to an end.
  bench.secrets.setMode('works');
  bench.engine.retry();
  await pass(20 * MINUTE);
  await stop();
  for (const outcome of await Promise.all(promises)) expect(['fine', ...Object.keys(ERROR_CODES)].filter((code) => code !== 'internal')).toContain(outcome);
  expect(authority.reused, 'a refresh token that was rotated came again').toEqual([]);
  const codes = authority.tokenForms.flatMap((form) => form.get('grant_type') === 'authorization_code' ? [form.get('code_verifier')] : []);
  expect(new Set(codes).size, 'a code was posted twice').toBe(codes.length);
  return counted;

  async function stop(): Promise<void> {
    const stopped = bench.engine.stop();
    await clock.advance(3 * SECOND);
    await stopped;
    await until(() => clock.pending === 0, 'an end of all timers');
    expect([clock.pending, authority.open, bench.scheme.open.length, bench.loopback.open.length], 'timers, requests and redirects left').toEqual([0, 0, 0, 0]);
  }

  function deviceShown(): boolean {
    const view = bench.engine.view();
    return 'attempt' in view && view.attempt?.device !== undefined;
  }
}

describe('a clock that jumps between any two steps', () => {
  it.each([REDIRECT, 'device-code'])('keeps nobody from signing in by %s, signs nobody out, and makes nothing run in a circle', async (redirect) => {
    const sum = { signIns: 0, expired: 0, tokens: 0 };
    await fc.assert(fc.asyncProperty(fc.array(anyStep, { minLength: 4, maxLength: 14, size: 'max' }), async (steps) => {
      const { signIns, expired, tokens } = await live(steps, redirect);
      sum.signIns += signIns;
      sum.expired += expired;
      sum.tokens += tokens;
    }), { numRuns: 25 });
    expect(sum.signIns, 'the lives were too dull to prove anything').toBeGreaterThan(3);
    expect(sum.tokens).toBeGreaterThan(0);
  }, 120_000);
});
