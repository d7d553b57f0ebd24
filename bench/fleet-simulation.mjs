// @ts-check
// A simulated clock, a provider and a million clients, in typed arrays. Decides nothing: a policy
// says when, a provider says how it went.

const BUCKET_MS = 250;
const NEVER = Infinity;

// What is known of a client, in bits.
const IN_USE = 1;
const IN_ADVANCE = 2;
const BACK = 4;

/**
 * One client's numbers, as its policy sees them. All times in simulated milliseconds.
 * @typedef {object} Client
 * @property {number} expiresAt of its access token
 * @property {number} failures in a row
 * @property {boolean} inAdvance the first of these tries was made while the token was still valid
 * @property {boolean} inUse a person is at it: the app asks for a token every `callEveryMs` on
 * average
 *
 * @typedef {object} Policy
 * @property {string} name
 * @property {(obtainedAt: number, expiresAt: number, inUse: boolean, random: () => number) =>
 * number} renew when it renews a fresh token
 * @property {(client: Client, failedAt: number, answer: Answer, random: () => number) => number}
 * retry when it tries again
 *
 * @typedef {'server-unavailable' | 'network-failed' | 'network-timeout'} Failure the product's
 * words: the provider says that it is in trouble, cannot be reached, or does not answer in time
 *
 * @typedef {object} Answer
 * @property {boolean} ok
 * @property {number} tookMs
 * @property {Failure | undefined} [failure]
 * @property {number | undefined} [retryAfterSeconds]
 *
 * @typedef {object} Provider
 * @property {(now: number) => Answer} receive
 *
 * @typedef {object} Plan
 * @property {number} clients
 * @property {number} seed
 * @property {number} untilMs
 * @property {number} lifeMs of an access token
 * @property {number} inUseShare
 * @property {(index: number, random: () => number, policy: Policy, inUse: boolean) => { at: number,
 * expiresAt: number }} begin first try and expiry of a client
 * @property {number} waitFromMs waiting before it is not counted
 *
 * @typedef {object} Result
 * @property {Uint32Array} perSecond requests that reached the provider's door
 * @property {Uint32Array} waited clients by whole seconds without a valid token, the last cell is
 * "that long or longer"
 * @property {Uint32Array} waitedInUse the same, of clients in use
 * @property {number} left clients that never came back
 * @property {number} leftInUse
 * @property {number} without clients that try and have no valid token at the end, also those that
 * lost it again
 * @property {number} allBackAt when the last one had a token again, or -1
 */

/**
 * Small, fast and good enough: sfc32, seeded.
 * @param {number} seed
 * @returns {() => number} at least 0, below 1
 */
export function seededRandom(seed) {
  let a = 0x9e3779b9 ^ seed;
  let b = 0x243f6a88;
  let c = 0xb7e15162;
  let d = seed | 1;
  const next = () => {
    const t = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + t;
    return (t >>> 0) / 4_294_967_296;
  };
  for (let i = 0; i < 20; i++) next();
  return next;
}

/**
 * Runs a fleet to the end of the plan. A calendar queue: one list of clients for each quarter of a
 * second.
 * @param {Plan} plan
 * @param {Policy} policy
 * @param {Provider} provider
 * @returns {Result}
 */
export function simulate(plan, policy, provider) {
  const { clients, untilMs, lifeMs, waitFromMs } = plan;
  const random = seededRandom(plan.seed);
  const seconds = Math.ceil(untilMs / 1000);
  const first = new Int32Array(Math.ceil(untilMs / BUCKET_MS)).fill(-1);
  const following = new Int32Array(clients);
  const at = new Float64Array(clients);
  const expires = new Float64Array(clients);
  const failed = new Uint8Array(clients);
  const flags = new Uint8Array(clients);
  const perSecond = new Uint32Array(seconds);
  const waited = new Uint32Array(seconds + 1);
  const waitedInUse = new Uint32Array(seconds + 1);
  /** @type {Client} */
  const client = { expiresAt: 0, failures: 0, inAdvance: false, inUse: false };
  let allBackAt = -1;

  /** @param {number} index @param {number} when */
  const put = (index, when) => {
    at[index] = when;
    if (!(when < untilMs)) return;
    const bucket = Math.floor(when / BUCKET_MS);
    following[index] = first[bucket] ?? -1;
    first[bucket] = index;
  };

  for (let index = 0; index < clients; index++) {
    const inUse = random() < plan.inUseShare;
    flags[index] = inUse ? IN_USE : 0;
    const { at: when, expiresAt } = plan.begin(index, random, policy, inUse);
    expires[index] = expiresAt;
    put(index, when);
  }

  for (let bucket = 0; bucket < first.length; bucket++) {
    // What is put into this same bucket meanwhile is taken in the next round of the loop.
    for (let index = first[bucket] ?? -1; index !== -1; index = first[bucket] ?? -1) {
      first[bucket] = following[index] ?? -1;
      const now = at[index] ?? 0;
      const expiresAt = expires[index] ?? 0;
      const inUse = ((flags[index] ?? 0) & IN_USE) !== 0;
      add(perSecond, Math.floor(now / 1000));
      const answer = provider.receive(now);
      const then = now + answer.tookMs;
      if (answer.ok) {
        const wait = then - Math.max(waitFromMs, expiresAt);
        // Each client's first wait only: what comes an hour later is another story, told by the
        // peaks.
        if (then >= waitFromMs && ((flags[index] ?? 0) & BACK) === 0) {
          flags[index] = (flags[index] ?? 0) | BACK;
          if (wait > 0) {
            const cell = Math.min(seconds, Math.floor(wait / 1000));
            add(waited, cell);
            if (inUse) add(waitedInUse, cell);
            allBackAt = Math.max(allBackAt, then);
          }
        }
        failed[index] = 0;
        expires[index] = then + lifeMs;
        put(index, policy.renew(then, then + lifeMs, inUse, random));
      } else {
        const failures = Math.min(255, (failed[index] ?? 0) + 1);
        failed[index] = failures;
        if (failures === 1)
          flags[index] = ((flags[index] ?? 0) & ~IN_ADVANCE) | (now < expiresAt ? IN_ADVANCE : 0);
        client.expiresAt = expiresAt;
        client.failures = failures;
        client.inAdvance = ((flags[index] ?? 0) & IN_ADVANCE) !== 0;
        client.inUse = inUse;
        put(index, policy.retry(client, then, answer, random));
      }
    }
  }

  let left = 0;
  let leftInUse = 0;
  let without = 0;
  for (let index = 0; index < clients; index++) {
    if ((failed[index] ?? 0) === 0 || (expires[index] ?? 0) > untilMs) continue;
    without++;
    if (((flags[index] ?? 0) & BACK) !== 0) continue;
    left++;
    if (((flags[index] ?? 0) & IN_USE) !== 0) leftInUse++;
  }
  return {
    perSecond,
    waited,
    waitedInUse,
    left,
    leftInUse,
    without,
    allBackAt: left > 0 ? -1 : allBackAt,
  };
}

/**
 * A provider that is gone between two times. Before and after it serves everything, or `perSecond`
 * requests of each second.
 * @param {{ from: number, to: number, failure?: Failure, tookMs?: number, retryAfterSeconds?:
 *   number, perSecond?: number }} outage
 * @returns {Provider}
 */
export function outageProvider({
  from,
  to,
  failure = 'server-unavailable',
  tookMs = 0,
  retryAfterSeconds,
  perSecond = NEVER,
}) {
  const served = { ok: true, tookMs: 0 };
  const gone = { ok: false, failure, tookMs, retryAfterSeconds };
  const busy = sheddingProvider({ perSecond });
  return {
    receive: (now) =>
      now >= from && now < to
        ? gone
        : perSecond === NEVER || now < from
          ? served
          : busy.receive(now),
  };
}

/**
 * Serves `perSecond` requests of each second and refuses the others at once, at no cost to itself.
 * @param {{ perSecond: number, retryAfterSeconds?: number | undefined }} limits
 * @returns {Provider}
 */
export function sheddingProvider({ perSecond, retryAfterSeconds }) {
  const served = { ok: true, tookMs: 0 };
  /** @type {Answer} */
  const refused = { ok: false, failure: 'server-unavailable', tookMs: 0, retryAfterSeconds };
  const perBucket = (perSecond * BUCKET_MS) / 1000;
  let bucket = -1;
  let room = 0;
  return {
    receive(now) {
      const current = Math.floor(now / BUCKET_MS);
      if (current !== bucket) {
        // What a bucket leaves over of a whole request is kept, so that small rates stay exact.
        room = perBucket + Math.min(Math.max(0, room), 1);
        bucket = current;
      }
      if (room < 1) return refused;
      room--;
      return served;
    },
  };
}

/**
 * Takes everything into one line and serves it in order, also for clients that have gone: the way
 * services die of retries.
 * @param {{ perSecond: number, timeoutMs: number, lineSeconds: number }} limits the line is full
 *   with what takes `lineSeconds`
 * @returns {Provider}
 */
export function queueingProvider({ perSecond, timeoutMs, lineSeconds }) {
  let line = 0;
  let drainedAt = 0;
  return {
    receive(now) {
      if (now > drainedAt) {
        line = Math.max(0, line - ((now - drainedAt) / 1000) * perSecond);
        drainedAt = now;
      }
      if (line >= perSecond * lineSeconds)
        return { ok: false, failure: 'server-unavailable', tookMs: 0 };
      const waitMs = (line / perSecond) * 1000;
      line++;
      return waitMs <= timeoutMs
        ? { ok: true, tookMs: waitMs }
        : { ok: false, failure: 'network-timeout', tookMs: timeoutMs };
    },
  };
}

/** @param {Uint32Array} counts @param {number} cell */
function add(counts, cell) {
  counts[cell] = (counts[cell] ?? 0) + 1;
}

/**
 * The value that `share` of the numbers do not exceed.
 * @param {Uint32Array} values
 * @param {number} share
 */
export function percentile(values, share) {
  if (values.length === 0) return 0;
  const sorted = Uint32Array.from(values).sort();
  return (
    sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(sorted.length * share) - 1))] ?? 0
  );
}

/**
 * The cell of a histogram that `share` of what is counted in it does not exceed; `missing` more lie
 * beyond its end.
 * @param {Uint32Array} counts
 * @param {number} share
 * @param {number} missing
 * @returns {number} Infinity when it lies beyond the end
 */
export function cellAt(counts, share, missing) {
  let total = missing;
  for (const count of counts) total += count;
  let seen = 0;
  for (let cell = 0; cell < counts.length; cell++) {
    seen += counts[cell] ?? 0;
    if (seen > 0 && seen >= total * share) return cell;
  }
  return total === 0 ? 0 : NEVER;
}
