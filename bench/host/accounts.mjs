// @ts-check
// Many accounts in one process: how long a token takes that is there, and what an account holds of memory. Started with
// --expose-gc by rows/accounts.mjs; says its result as JSON on stdout.
import { accountId, startCore, tokenOf } from '../parts/core.mjs';

/**
 * Times in microseconds, memory in bytes. `wrong`: answers that were not right.
 * @typedef {{ cached: Record<string, number[]>, floor: Record<string, number[]>, bytes: number, floorBytes: number, wrong: string[] }} AccountsResult
 */

const COUNTS = [1, 100, 2_000];
const CALLS = 100_000;
const rounds = Number(process.argv[2]);
const collect = /** @type {() => void} */ (globalThis.gc);
/** @type {AccountsResult} */
const result = { cached: {}, floor: {}, bytes: 0, floorBytes: 0, wrong: [] };

/** @param {number} count */
async function signedIn(count) {
  const { engine } = await startCore({ accounts: count });
  for (let index = 0; index < count; index += 1) {
    if ((await engine.getAccessToken({ account: accountId(index) })) !== tokenOf(index)) result.wrong.push(`account ${index} of ${count} has another token`);
  }
  return engine;
}

/** By hand: the token in a map, and a look at the clock. @param {number} count */
function byHand(count) {
  const held = new Map(Array.from({ length: count }, (_one, index) => [accountId(index), { token: tokenOf(index), refreshToken: `r${tokenOf(index)}`, expiresAt: Date.now() + 3_600_000 }]));
  return { getAccessToken: async (/** @type {{ account: string }} */ { account }) => { const one = held.get(account); if (one === undefined || Date.now() >= one.expiresAt) throw new Error('none'); return one.token; } };
}

const ours = new Map(await Promise.all(COUNTS.map(async (count) => /** @type {const} */ ([count, await signedIn(count)]))));
const floors = new Map(COUNTS.map((count) => [count, byHand(count)]));
for (let round = 0; round <= rounds; round += 1) {
  for (const count of COUNTS) {
    // The same key for each call, made before: an app has the id of the account at hand.
    const requests = Array.from({ length: count }, (_one, index) => ({ account: accountId(index) }));
    for (const [one, times] of /** @type {const} */ ([[ours.get(count), result.cached], [floors.get(count), result.floor]])) {
      let wrong = 0;
      const startedAt = performance.now();
      for (let call = 0; call < CALLS; call += 1) {
        const index = call % count;
        if ((await one?.getAccessToken(requests[index] ?? { account: '' }))?.length !== 43) wrong += 1;
      }
      // Once unmeasured: both are compiled by then.
      if (round > 0) (times[count] ??= []).push(((performance.now() - startedAt) * 1000) / CALLS);
      if (wrong > 0) result.wrong.push(`${wrong} cached calls of ${count} accounts gave no token`);
    }
  }
}

/** What `count` more of them hold. @param {(count: number) => unknown} make @param {number} count */
async function held(make, count) {
  const keep = [await make(1)];
  collect();
  const before = process.memoryUsage().heapUsed;
  keep.push(await make(count));
  collect();
  const grown = process.memoryUsage().heapUsed - before;
  // Kept until here.
  return keep.length === 2 ? grown / count : NaN;
}
ours.clear();
// The keychain of the bench and the file of accounts are there for an app that was only started, too.
const started = await held(async (count) => (await startCore({ accounts: count })).engine, 2_000);
result.bytes = (await held(signedIn, 2_000)) - started;
result.floorBytes = await held(async (count) => byHand(count), 2_000);
process.stdout.write(JSON.stringify(result));
