// @ts-check
// Many accounts in one process: how long a token takes that is there, and what an account holds of
// memory. Started with --expose-gc by rows/accounts.mjs; says its result as JSON on stdout.
import { accountId, startCore, tokenOf } from '../parts/core.mjs';

/**
 * Times in microseconds, memory in bytes. `wrong`: answers that were not right.
 * @typedef {{ cached: Record<string, number[]>, floor: Record<string, number[]>, bytes: number,
 *   floorBytes: number, wrong: string[] }} AccountsResult
 */

const COUNTS = [1, 100, 2_000];
const CALLS = 100_000;
const rounds = Number(process.argv[2]);
const collect = /** @type {() => void} */ (globalThis.gc);
/** @type {AccountsResult} */
const result = { cached: {}, floor: {}, bytes: 0, floorBytes: 0, wrong: [] };

/** What is alive. */
function heap() {
  for (let time = 0; time < 3; time += 1) collect();
  return process.memoryUsage().heapUsed;
}

/**
 * Asks for the token of each. @param {number} count @param {{ getAccessToken: (request: { account:
 * string }) => Promise<string> }} from
 */
async function useAll(count, from) {
  for (let index = 0; index < count; index += 1) {
    if ((await from.getAccessToken({ account: accountId(index) })) !== tokenOf(index))
      result.wrong.push(`account ${index} of ${count} has another token`);
  }
}

/** By hand: the token in a map, and a look at the clock. @param {number} count */
function byHand(count) {
  const held = new Map(
    Array.from({ length: count }, (_one, index) => [
      accountId(index),
      {
        token: tokenOf(index),
        refreshToken: `r${tokenOf(index)}`,
        expiresAt: Date.now() + 3_600_000,
      },
    ]),
  );
  return {
    getAccessToken: async (/** @type {{ account: string }} */ { account }) => {
      const one = held.get(account);
      if (one === undefined || Date.now() >= one.expiresAt) throw new Error('none');
      return one.token;
    },
  };
}

const MANY = 2_000;
// Once unmeasured, so that no code is compiled in between.
await useAll(1, (await startCore({ accounts: 1 })).engine);
// The keychain of the bench and the file of accounts are there before anybody is asked for.
const { engine } = await startCore({ accounts: MANY });
const empty = heap();
await useAll(MANY, engine);
result.bytes = (heap() - empty) / MANY;
const before = heap();
const hand = byHand(MANY);
result.floorBytes = (heap() - before) / MANY;
await useAll(MANY, hand);

const ours = new Map([[MANY, engine]]);
const floors = new Map([[MANY, hand]]);
for (const count of COUNTS.filter((one) => one !== MANY)) {
  const core = await startCore({ accounts: count });
  await useAll(count, core.engine);
  ours.set(count, core.engine);
  floors.set(count, byHand(count));
}
for (let round = 0; round <= rounds; round += 1) {
  for (const count of COUNTS) {
    // The same key for each call, made before: an app has the id of the account at hand.
    const requests = Array.from({ length: count }, (_one, index) => ({
      account: accountId(index),
    }));
    for (const [one, times] of /** @type {const} */ ([
      [ours.get(count), result.cached],
      [floors.get(count), result.floor],
    ])) {
      let wrong = 0;
      const startedAt = performance.now();
      for (let call = 0; call < CALLS; call += 1) {
        const index = call % count;
        if ((await one?.getAccessToken(requests[index] ?? { account: '' }))?.length !== 43)
          wrong += 1;
      }
      // Once unmeasured: both are compiled by then.
      if (round > 0) (times[count] ??= []).push(((performance.now() - startedAt) * 1000) / CALLS);
      if (wrong > 0) result.wrong.push(`${wrong} cached calls of ${count} accounts gave no token`);
    }
  }
}

process.stdout.write(JSON.stringify(result));
