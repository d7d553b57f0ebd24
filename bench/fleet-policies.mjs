// @ts-check
// When a client comes to the provider: Latchkey by its own renewal.js, and what apps do without it.
// Also drives the real session machine through failures, to show that it comes when the simulated
// client comes.

/** @typedef {import('./fleet-simulation.mjs').Policy} Policy */
/** @typedef {typeof import('../src/main/core/base/backoff.js')} Renewal */
/** @typedef {typeof import('../src/main/core/session/session.js') & typeof import('../src/main/core/session/session-queries.js')} Session */
/** @typedef {import('../src/main/core/session/session-state.js').SessionState} SessionState */
/** @typedef {typeof import('../src/main/core/base/errors.js')} Errors */

/**
 * The time until the next call of an app in use: calls come by chance, `everyMs` apart on average.
 * @param {number} everyMs
 * @param {() => number} random
 */
const untilCall = (everyMs, random) => -Math.log(1 - random()) * everyMs;

/**
 * @param {Renewal} renewal
 * @param {{ name: string, renewEarlySeconds: number, callEveryMs: number }} options
 * @returns {Policy}
 */
export function latchkey(renewal, { name, renewEarlySeconds, callEveryMs }) {
  return {
    name,
    renew: (obtainedAt, expiresAt, _inUse, random) =>
      renewal.renewAt({ obtainedAt, expiresAt, renewEarlySeconds, random: random() }),
    retry(client, failedAt, { failure, retryAfterSeconds }, random) {
      const spares = client.inAdvance && failure === 'server-unavailable';
      const nextTryAt =
        failedAt +
        renewal.retryDelayMs(
          client.failures,
          retryAfterSeconds,
          random(),
          spares,
          client.expiresAt - failedAt,
        );
      if (!client.inUse) return nextTryAt;
      // The first call without a valid token is refused before that time, so the next call after it
      // counts.
      const mayHurryAt = Math.max(
        client.expiresAt,
        renewal.retryEarlyAt(failedAt, nextTryAt, retryAfterSeconds),
      );
      return Math.min(nextTryAt, mayHurryAt + untilCall(callEveryMs, random));
    },
  };
}

/**
 * What other limits would do: the same policy with one thing changed, for docs/scaling.md.
 * @param {Renewal} renewal
 * @param {{ capMs?: number, earlySecondTry?: boolean, hurryShare?: number }} change `capMs`: of
 *   pauses that began in advance. `hurryShare`: of a pause that callers wait, however long.
 * @returns {Renewal}
 */
export function changed(renewal, { capMs, earlySecondTry = true, hurryShare }) {
  return {
    ...renewal,
    retryDelayMs(failures, retryAfterSeconds, random, inAdvance = false, lifeLeftMs = Infinity) {
      if (!inAdvance || capMs === undefined || (failures <= 1 && earlySecondTry))
        return renewal.retryDelayMs(failures, retryAfterSeconds, random, inAdvance, lifeLeftMs);
      return Math.round((capMs / 2) * (1 + random));
    },
    retryEarlyAt: (failedAt, nextTryAt, retryAfterSeconds) =>
      hurryShare === undefined
        ? renewal.retryEarlyAt(failedAt, nextTryAt, retryAfterSeconds)
        : failedAt + (nextTryAt - failedAt) * hurryShare,
  };
}

/**
 * Latchkey's renewals, and after a failure nothing more: no policy for people, but the least that
 * any fleet asks for.
 * @param {Renewal} renewal
 * @param {number} renewEarlySeconds
 * @returns {Policy}
 */
export function neverAgain(renewal, renewEarlySeconds) {
  return {
    ...latchkey(renewal, {
      name: 'the floor: Latchkey, but no retry ever',
      renewEarlySeconds,
      callEveryMs: Infinity,
    }),
    retry: () => Infinity,
  };
}

/**
 * Each comes when its token has expired; a failure brings it back `everyMs` later until it works.
 * @param {number} everyMs
 * @returns {Policy}
 */
export function atExpiryThenEvery(everyMs) {
  return {
    name: 'at expiry, then every 30 s until it works',
    renew: (_obtainedAt, expiresAt) => expiresAt,
    retry: (_client, failedAt) => failedAt + everyMs,
  };
}

/**
 * A timer that runs from the start of the app and renews what has expired: the same load, but up to
 * `everyMs` late.
 * @param {number} everyMs
 * @returns {Policy}
 */
export function byTimer(everyMs) {
  return {
    name: 'a timer every 30 s from the start of the app',
    renew: (_obtainedAt, expiresAt, _inUse, random) => expiresAt + random() * everyMs,
    retry: (_client, failedAt) => failedAt + everyMs,
  };
}

/**
 * A timer at :00 and :30 of every clock, as schedulers and cron-like libraries make it; clocks are
 * wrong by up to a second.
 * @param {number} everyMs
 * @returns {Policy}
 */
export function byWallClock(everyMs) {
  /** @param {number} when @param {() => number} random */
  const next = (when, random) => (Math.floor(when / everyMs) + 1) * everyMs + random() * 1000;
  return {
    name: 'every 30 s by the wall clock (:00 and :30)',
    renew: (_obtainedAt, expiresAt, _inUse, random) => next(expiresAt, random),
    retry: (_client, failedAt, _answer, random) => next(failedAt, random),
  };
}

/**
 * Renews when a caller needs a token and there is none, with every call, and never by itself: idle
 * apps never come.
 * @param {number} callEveryMs
 * @returns {Policy}
 */
export function byCall(callEveryMs) {
  return {
    name: 'at expiry, with each call of an app in use, idle apps never',
    renew: (_obtainedAt, expiresAt, inUse, random) =>
      inUse ? expiresAt + untilCall(callEveryMs, random) : Infinity,
    retry: (_client, failedAt, _answer, random) => failedAt + untilCall(callEveryMs, random),
  };
}

/**
 * Does the product's session machine come when the simulated client comes? Takes the real one
 * through six failures in a row, begun in advance and in need, of a provider in trouble and of one
 * out of reach, with and without Retry-After.
 * @param {Renewal} renewal
 * @param {Session} session
 * @param {Errors} errors
 * @returns {readonly string[]} each difference in words; empty when there is none
 */
export function differencesFromMachine(renewal, session, errors) {
  const policy = latchkey(renewal, {
    name: 'as simulated',
    renewEarlySeconds: 300,
    callEveryMs: 0,
  });
  /** @type {string[]} */
  const differences = [];
  const random = 0.5;
  for (const inAdvance of [true, false]) {
    for (const answer of ANSWERS) {
      const start = 1_000_000_000;
      const expiresAt = inAdvance ? start + 200_000 : start - 200_000;
      /** @type {SessionState} */
      let state = {
        phase: 'live',
        epoch: 1,
        account: /** @type {any} */ ({ id: 'bench' }),
        refreshToken: 'r',
        scope: '',
        resources: [],
        save: 0,
        storeError: null,
        storeRetryAt: null,
        doubted: false,
        errand: null,
        targets: new Map(),
        access: { token: 't', obtainedAt: expiresAt - 3_600_000, expiresAt },
        renewal: { state: 'fresh', since: start, renewAt: start },
      };
      let now = start;
      for (let failures = 1; failures <= 6; failures++) {
        state = session.stepSession(state, {
          type: 'tick',
          now,
          random,
          renewEarlySeconds: 300,
        }).state;
        const error = new errors.AuthError(answer.failure ?? 'internal', 'bench', {
          retryAfterSeconds: answer.retryAfterSeconds,
        });
        state = session.stepSession(state, {
          type: 'renew-failed',
          error,
          refused: false,
          now,
          random,
        }).state;
        if (state.phase !== 'live' || state.renewal.state !== 'waiting')
          return ['the session machine no longer waits after a failure: the bench must follow it'];
        const where = `${answer.failure}, failure ${failures}, ${inAdvance ? 'in advance' : 'in need'}${answer.retryAfterSeconds === undefined ? '' : ', Retry-After'}`;
        const { nextTryAt } = state.renewal;
        const client = { expiresAt, failures, inAdvance, inUse: false };
        const expected = policy.retry(client, now, answer, () => random);
        if (nextTryAt !== expected)
          differences.push(
            `${where}: next try after ${nextTryAt - now} ms, simulated ${expected - now} ms`,
          );
        const hurry = firstDemand(session, state, now, nextTryAt);
        const expectedHurry = Math.max(
          expiresAt,
          renewal.retryEarlyAt(now, expected, answer.retryAfterSeconds),
        );
        if (hurry !== expectedHurry && Math.min(hurry, expectedHurry) < nextTryAt)
          differences.push(
            `${where}: a caller is let through after ${hurry - now} ms, simulated ${expectedHurry - now} ms`,
          );
        now = nextTryAt;
      }
    }
  }
  return differences;
}

/** @type {readonly import('./fleet-simulation.mjs').Answer[]} */
const ANSWERS = [
  { ok: false, tookMs: 0, failure: 'server-unavailable' },
  { ok: false, tookMs: 0, failure: 'server-unavailable', retryAfterSeconds: 120 },
  { ok: false, tookMs: 0, failure: 'network-failed' },
  { ok: false, tookMs: 0, failure: 'network-timeout' },
];

/**
 * The first millisecond at which a caller makes the machine try again, or Infinity when none does
 * before `until`.
 * @param {Session} session
 * @param {SessionState} state
 * @param {number} from
 * @param {number} until
 */
function firstDemand(session, state, from, until) {
  /** @param {number} time */
  const demands = (time) => session.answerToken(state, time).kind === 'demand';
  if (!demands(until)) return Infinity;
  let low = from;
  let high = until;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (demands(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
