// Random lives of an engine on a computer whose clock jumps between any two steps: by seconds, by
// days, forward and back. The authority's time goes on evenly. It alone says what is over; a jump
// is nobody's word. No real time is waited for: after each step everything runs that can, and
// WebCrypto's work is counted.
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ERROR_CODES } from '../../../src/main/core/base/error-codes.js';
import { AuthError } from '../../../src/main/core/base/errors.js';
import type { NetworkRequest } from '../../../src/main/core/base/ports.js';
import {
  type Authority,
  type Bench,
  ISSUER,
  REDIRECT,
  createAuthority,
  createBench,
  until,
} from '../../support/engine-harness.js';
import { type FakeClock, createFakeClock, settle } from '../../support/fakes.js';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const LIFE_SECONDS = 3_600;
/**
 * Calls of the keyring, requests and timers that one minute may see: a person, two accounts and a
 * device code need fewer.
 */
const MOST_IN_A_MINUTE = 60;

const anyJump = fc.oneof(
  { weight: 4, arbitrary: fc.constant(0) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(
        fc.constantFrom(-1, 1),
        fc.constantFrom(
          2 * SECOND,
          59 * SECOND,
          61 * SECOND,
          299 * SECOND,
          301 * SECOND,
          20 * MINUTE,
          50 * MINUTE,
          HOUR,
          DAY,
          30 * DAY,
          400 * DAY,
        ),
      )
      .map(([sign, ms]) => sign * ms),
  },
);
const anyStep = fc.record({
  jump: anyJump,
  /** The system tells of a sleep, or nobody tells. */
  signal: fc.constantFrom('resume', 'unlock', null, null),
  passes: fc.oneof(
    { weight: 7, arbitrary: fc.constantFrom(0, SECOND, 20 * SECOND) },
    { weight: 3, arbitrary: fc.constantFrom(61 * SECOND, 4 * MINUTE, 20 * MINUTE, 50 * MINUTE) },
    { weight: 1, arbitrary: fc.constant(2 * HOUR) },
  ),
  act: fc.oneof(
    { weight: 10, arbitrary: fc.constantFrom('begin', 'answer') },
    { weight: 5, arbitrary: fc.constant('token') },
    { weight: 4, arbitrary: fc.constantFrom('switch', 'restart') },
    {
      weight: 3,
      arbitrary: fc.constantFrom('sign out', 'keyring locks', 'keyring opens', 'nothing'),
    },
  ),
});
type Step = typeof anyStep extends fc.Arbitrary<infer T> ? T : never;

interface Attempt {
  readonly state: string | null;
  /**
   * As the view has said last: a calendar that was set back behind the beginning gives the whole
   * time once more.
   */
  expiresAt: number;
  outcome: string | null;
  /** The clock has said that its time is over. */
  isOver: boolean;
}

interface Given {
  readonly at: number;
  /** How far the calendar was ahead then. */
  readonly ahead: number;
  readonly subject: string;
  /**
   * By how much each process that began later took it for younger: what happened to the calendar
   * before, only its own process saw.
   */
  readonly looksYounger: number[];
}

/** Calls of WebCrypto that have not been answered. */
let digests = 0;
beforeAll(() => {
  const { subtle } = globalThis.crypto;
  const digest = subtle.digest.bind(subtle);
  vi.spyOn(subtle, 'digest').mockImplementation((...asked) => {
    digests += 1;
    return digest(...asked).finally(() => {
      digests -= 1;
    });
  });
});
afterAll(() => {
  vi.restoreAllMocks();
});

/** Lets everything run that waits for no timer. */
async function quiet(): Promise<void> {
  do await settle();
  while (digests > 0);
}

/** A computer: its clock, and the even time of everybody else. */
interface World {
  readonly clock: FakeClock;
  readonly timersSet: () => number;
  jump(ms: number): void;
  /** How far the calendar is ahead of everybody else's. */
  ahead(): number;
  trueNow(): number;
}

function createWorld(): World {
  const clock = createFakeClock(undefined, quiet);
  const { after } = clock;
  let ahead = 0;
  let timers = 0;
  clock.after = (ms, run) => {
    timers += 1;
    return after(ms, run);
  };
  return {
    clock,
    timersSet: () => timers,
    jump(ms) {
      ahead += ms;
      clock.jumpTo(clock.now() + ms);
    },
    ahead: () => ahead,
    trueNow: () => clock.now() - ahead,
  };
}

/**
 * Notes when each access token was given, and to whom; and the newest refresh token of each. Names
 * of people are the codes.
 */
function watched(
  authority: Authority,
  world: World,
  given: Map<string, Given>,
  newest: Map<string, string>,
): Authority {
  const subjects = new Map<string, string>();
  const watching = Object.create(authority, {
    fetch: {
      async value(url: string, init: NetworkRequest) {
        const form = new URLSearchParams(init.body ?? '');
        const response = await authority.fetch(url, init);
        const body =
          url.endsWith('/token') && response.status === 200
            ? ((await response.clone().json()) as Record<string, string>)
            : {};
        const subject =
          form.get('code')?.replace('good-', '') ??
          subjects.get(form.get('refresh_token') ?? '') ??
          'ada';
        if (body['access_token'] !== undefined)
          given.set(body['access_token'], {
            at: world.trueNow(),
            ahead: world.ahead(),
            subject,
            looksYounger: [],
          });
        if (body['refresh_token'] !== undefined) {
          subjects.set(body['refresh_token'], subject);
          newest.set(subject, body['refresh_token']);
        }
        return response;
      },
    },
    person: {
      get: () => authority.person,
      set: (value: Authority['person']) => {
        authority.person = value;
      },
    },
  }) as Authority;
  return watching;
}

const OPTIONS = {
  endpoints: {
    authorization: `${ISSUER}/authorize`,
    token: `${ISSUER}/token`,
    revocation: `${ISSUER}/revoke`,
    deviceAuthorization: `${ISSUER}/device`,
  },
  accounts: 'several',
} as const;

interface Counted {
  signIns: number;
  expired: number;
  tokens: number;
  renewals: number;
  restarts: number;
}

const nothingCounted = (): Counted => ({
  signIns: 0,
  expired: 0,
  tokens: 0,
  renewals: 0,
  restarts: 0,
});

/** One life. Throws at the first thing that must not be. */
async function live(steps: readonly Step[], redirect: string): Promise<Counted> {
  const world = createWorld();
  const { clock } = world;
  const given = new Map<string, Given>();
  const newest = new Map<string, string>();
  const authority = createAuthority();
  authority.lifeSeconds = LIFE_SECONDS;
  authority.pollSeconds = 20;
  const identify = async (token: string): Promise<{ subject: string }> => ({
    subject: given.get(token)?.subject ?? 'nobody',
  });
  const isDevice = redirect === 'device-code';
  const options = { ...OPTIONS, redirects: [redirect], identify };
  let bench: Bench = createBench(options, {
    authority: watched(authority, world, given, newest),
    clock,
  });
  let keyring: 'works' | 'locked' = 'works';
  let attempt: Attempt | null = null;
  let mayEnd = false;
  let people = 0;
  const counted = nothingCounted();
  const promises: Promise<string>[] = [];
  /** Stored, so that a restart must bring somebody back. */
  const isStored = (): boolean =>
    [...bench.secrets.entries.keys()].some((key) => key.startsWith('session:'));

  /**
   * What no keyring took is lost with the process, and its session with it: that is not the
   * clock's.
   */
  const areAllStored = (): boolean => {
    const stored = [...bench.secrets.entries.values()].join();
    return [...newest.values()].every(
      (token) => authority.revoked.includes(token) || stored.includes(token),
    );
  };

  const follow = (promise: Promise<unknown>): Promise<string> => {
    const outcome = promise.then(
      () => 'fine',
      (error: unknown) =>
        error instanceof AuthError ? error.code : `not an AuthError: ${String(error)}`,
    );
    promises.push(outcome);
    return outcome;
  };
  const look = (): void => {
    if (attempt === null) return;
    if (clock.now() >= attempt.expiresAt) attempt.isOver = true;
    const view = bench.engine.view();
    if ('attempt' in view && view.attempt !== undefined) attempt.expiresAt = view.attempt.expiresAt;
  };
  const keyringCalls = (): number => bench.secrets.calls.length;
  /** Lets even time pass, a minute at a time, and counts what happens in each. */
  const pass = async (ms: number): Promise<void> => {
    for (let left = ms; left > 0; left -= MINUTE) {
      const before = [keyringCalls(), authority.tokenForms.length, world.timersSet()] as const;
      await clock.advance(Math.min(left, MINUTE));
      look();
      const after = [keyringCalls(), authority.tokenForms.length, world.timersSet()] as const;
      after.forEach((count, index) => {
        expect(
          count - before[index]!,
          `${['calls of the keyring', 'token requests', 'timers'][index]!} in one minute`,
        ).toBeLessThanOrEqual(MOST_IN_A_MINUTE);
      });
    }
    await quiet();
  };
  /** Lets even time pass until it holds, for so long at most. */
  const soon = async (holds: () => boolean, ms: number): Promise<void> => {
    await quiet();
    for (let left = ms; left > 0 && !holds(); left -= SECOND) await pass(SECOND);
  };
  const settled = async (outcome: Promise<string>, ms: number): Promise<string> => {
    let word: string | null = null;
    void outcome.then((one) => {
      word = one;
    });
    await soon(() => word !== null, ms);
    return word ?? 'pending';
  };
  const start = async (): Promise<void> => {
    let was = 'starting';
    const { engine } = bench;
    engine.onView(({ status }) => {
      if (was === 'signed-in' && status === 'signed-out')
        expect(mayEnd, 'signed out by nobody').toBe(true);
      was = status;
    });
    engine.start();
    await quiet();
  };

  const acts: Readonly<Record<Step['act'], () => Promise<void>>> = {
    nothing: async () => undefined,
    async begin() {
      if (attempt !== null) return;
      const pages = bench.browser.opened.length;
      const outcome = follow(bench.engine.signIn({}));
      if (isDevice) await until(() => deviceShown(), 'the code');
      else await bench.opens(pages + 1);
      const view = bench.engine.view();
      if (!('attempt' in view) || view.attempt === undefined) throw new Error('the attempt waits');
      const begun: Attempt = {
        state: isDevice ? null : new URL(bench.browser.opened.at(-1)!).searchParams.get('state'),
        expiresAt: view.attempt.expiresAt,
        outcome: null,
        isOver: false,
      };
      attempt = begun;
      void outcome.then((word) => {
        begun.outcome = word;
      });
    },
    async answer() {
      if (attempt === null) return;
      const tried = attempt;
      attempt = null;
      const wasOver = tried.isOver || tried.outcome !== null;
      if (isDevice) authority.person = 'agrees';
      else bench.comeBack(tried.state ?? '', `good-${['ada', 'grace'][people++ % 2]!}`);
      const isThere = (): boolean =>
        tried.outcome !== null &&
        (tried.outcome !== 'stopped' || bench.engine.view().status === 'signed-in');
      await soon(isThere, isDevice ? 70 * SECOND : 2 * SECOND);
      authority.person = 'is away';
      if (wasOver || tried.isOver) {
        expect(['fine', 'sign-in-expired', 'stopped']).toContain(tried.outcome);
        if (tried.outcome === 'sign-in-expired') counted.expired += 1;
      } else if (tried.outcome === 'stopped') {
        // The next process was started by the callback; over a keyring that is locked it waits.
        if (keyring === 'works' && !isDevice)
          expect(bench.engine.view().status, 'a kept attempt').toBe('signed-in');
      } else {
        expect(tried.outcome, 'somebody answered in time').toBe('fine');
        counted.signIns += 1;
      }
    },
    async token() {
      const wasSignedIn = bench.engine.view().status === 'signed-in';
      const answer = bench.engine.getAccessToken();
      const outcome = follow(answer);
      const word = await settled(outcome, 5 * SECOND);
      if (!wasSignedIn) return;
      expect(word, 'a token of somebody who is signed in').toBe('fine');
      const { at, looksYounger } = given.get(await answer)!;
      const age = world.trueNow() - at;
      // What would be from the future is doubted.
      const younger = Math.max(0, ...looksYounger.filter((ms) => ms <= age + MINUTE));
      expect(age - younger, 'a token that is over').toBeLessThan(
        LIFE_SECONDS * SECOND + 5 * SECOND,
      );
      counted.tokens += 1;
    },
    async switch() {
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
      // Who signs out ends what was begun before.
      attempt = null;
    },
    async restart() {
      if (!areAllStored()) return;
      const wasSignedIn =
        bench.engine.view().status === 'signed-in' && isStored() && keyring === 'works';
      await stop();
      counted.restarts += 1;
      for (const token of given.values()) token.looksYounger.push(token.ahead - world.ahead());
      bench = bench.restart();
      bench.secrets.setMode(keyring);
      await start();
      await soon(
        () => bench.engine.view().status === 'signed-in',
        wasSignedIn ? 5 * SECOND : SECOND,
      );
      if (wasSignedIn) expect(bench.engine.view().status, 'after a restart').toBe('signed-in');
      // A code on another device ends with its process.
      if (isDevice) attempt = null;
    },
    async 'keyring locks'() {
      keyring = 'locked';
      bench.secrets.setMode('locked');
    },
    async 'keyring opens'() {
      keyring = 'works';
      bench.secrets.setMode('works');
      bench.engine.retry();
    },
  };

  await start();
  for (const { jump, signal, passes, act } of steps) {
    world.jump(jump);
    look();
    if (signal !== null && jump !== 0) bench.systemEvents.emit(signal);
    await quiet();
    look();
    await pass(passes);
    await acts[act]();
  }

  // Whatever it said last: once nothing jumps any more, everything comes to an end.
  bench.secrets.setMode('works');
  bench.engine.retry();
  await pass(20 * MINUTE);
  await stop();
  for (const outcome of await Promise.all(promises))
    expect(['fine', ...Object.keys(ERROR_CODES)].filter((code) => code !== 'internal')).toContain(
      outcome,
    );
  expect(authority.reused, 'a refresh token that was rotated came again').toEqual([]);
  const codes = authority.tokenForms.flatMap((form) =>
    form.get('grant_type') === 'authorization_code' ? [form.get('code_verifier')] : [],
  );
  expect(new Set(codes).size, 'a code was posted twice').toBe(codes.length);
  counted.renewals = authority.count('refresh_token');
  return counted;

  async function stop(): Promise<void> {
    const stopped = bench.engine.stop();
    await clock.advance(3 * SECOND);
    await stopped;
    await quiet();
    expect(
      [clock.pending, authority.open, bench.scheme.open.length, bench.loopback.open.length],
      'timers, requests and redirects left',
    ).toEqual([0, 0, 0, 0]);
  }

  function deviceShown(): boolean {
    const view = bench.engine.view();
    return 'attempt' in view && view.attempt?.device !== undefined;
  }
}

describe('a clock that jumps between any two steps', () => {
  it.each([REDIRECT, 'device-code'])(
    'keeps nobody from signing in by %s, signs nobody out, and makes nothing run in a circle',
    async (redirect) => {
      const sum = nothingCounted();
      await fc.assert(
        fc.asyncProperty(
          fc.array(anyStep, { minLength: 10, maxLength: 40, size: 'max' }),
          async (steps) => {
            const counted = await live(steps, redirect);
            for (const what of Object.keys(sum) as (keyof Counted)[]) sum[what] += counted[what];
          },
        ),
        { numRuns: 60, interruptAfterTimeLimit: 100_000, markInterruptAsFailure: true },
      );
      expect(sum.signIns, 'the lives were too dull to prove anything').toBeGreaterThan(20);
      expect(sum.expired).toBeGreaterThan(20);
      expect(
        [sum.tokens, sum.renewals, sum.restarts].every((count) => count > 50),
        JSON.stringify(sum),
      ).toBe(true);
    },
    120_000,
  );
});
