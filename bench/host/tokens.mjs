// @ts-check
// One peer at work in a real Electron main process: cached token, redeeming, renewing, storms. Its
// floor works beside it, turn by turn in the same process, so that a loaded machine slows both.
// Every token is shown to the provider.
import { app } from 'electron';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { createPeer } from '../peers/peer.mjs';
import { visit } from '../peers/latchkey.mjs';
import { longestBlock } from './blocks.mjs';
import { ask, JOB, measure } from './talk.mjs';

/** @typedef {import('../peers/peer.mjs').Peer} Peer */
/** Who does the work, and where its milliseconds go. @typedef {readonly [Peer, number[]]} Turn */

/**
 * `redeem` and `renew` are pairs with their floors on Node's fetch, and `…Net` with one on
 * Electron's network for those who use it; a call that failed is NaN, which JSON makes null.
 * `cached` in microseconds, all else in milliseconds. `wrong`: answers that were not right.
 * `failed`: calls that rejected.
 * @typedef {{
 *   cached: number[], cachedFloor: number[],
 *   redeem: number[], redeemFloor: number[], redeemNet: number[], hop: number[],
 *   renew: number[], renewFloor: number[], renewNet: number[], requestsPerRenewal: number,
 *   blocks: { renew: number[], floor: number[], idle: number[] },
 *   storms: Record<string, Storm>, failed: string[], wrong: string[],
 * }} TokensResult
 * @typedef {{ ms: number, requests: number, refused: number, failed: number, alive: boolean,
 *   floorMs: number }} Storm
 */

const CALLERS = 1_000;
const options = {
  issuer: JOB.issuer,
  clientId: JOB.clientId,
  service: `bench:${JOB.profile}`,
  store: JOB['store'],
  listenAt: 'http://127.0.0.1:43118/callback',
};

measure(async () => {
  await app.whenReady();
  const folder = app.getPath('userData');
  const peer = await createPeer(JOB['peer'], { ...options, folder: join(folder, 'peer') });
  const floor = await createPeer('floor', {
    ...options,
    store: 'memory',
    folder: join(folder, 'floor'),
    network: JOB['network'] ?? 'fetch',
  });
  const onNode =
    JOB['network'] === 'electron'
      ? await createPeer('floor', {
          ...options,
          store: 'memory',
          folder: join(folder, 'floor-node'),
        })
      : floor;
  /** @type {TokensResult} */
  const result = {
    cached: [],
    cachedFloor: [],
    redeem: [],
    redeemFloor: [],
    redeemNet: [],
    hop: [],
    renew: [],
    renewFloor: [],
    renewNet: [],
    requestsPerRenewal: 0,
    blocks: { renew: [], floor: [], idle: [] },
    storms: {},
    failed: [],
    wrong: [],
  };
  for (const one of new Set([peer, floor, onNode])) {
    await one.ready();
    await one.finish(await ask('visit', await one.begin()));
  }
  await cached(peer, floor, result);
  await renew(
    peer,
    [[peer, result.renew], [onNode, result.renewFloor], ...net(floor, onNode, result.renewNet)],
    result,
  );
  await blocks(peer, floor, result);
  for (const kind of JOB['storms'] ?? [])
    result.storms[kind] = await storm(kind, peer, floor, result);
  // At the end: msal-node's stores lose the session when people sign in several times in a row.
  await redeem(
    peer,
    [[peer, result.redeem], [onNode, result.redeemFloor], ...net(floor, onNode, result.redeemNet)],
    result,
  );
  await peer.close();
  return result;
});

/**
 * Nothing where the two floors are one. @param {Peer} floor @param {Peer} onNode @param {number[]}
 * times @returns {readonly Turn[]}
 */
function net(floor, onNode, times) {
  return floor === onNode ? [] : [[floor, times]];
}

/** @param {Peer} peer @param {string} what @param {TokensResult} result */
async function check(peer, what, result) {
  const token = await peer
    .token()
    .catch((/** @type {unknown} */ error) => `none (${String(error)})`);
  if (!(await ask('check', token.replace(/^bearer /i, '')))) result.wrong.push(what);
}

/** @param {Peer} peer @param {Peer} floor @param {TokensResult} result */
async function cached(peer, floor, result) {
  const calls = JOB['cachedCalls'] ?? 0;
  if (calls === 0) return;
  await check(peer, 'cached', result);
  const before = await ask('counts');
  // Once unmeasured: both are compiled by then.
  for (let round = 0; round <= (JOB['cachedRounds'] ?? 10); round += 1) {
    for (const [one, times] of /** @type {const} */ ([
      [peer, result.cached],
      [floor, result.cachedFloor],
    ])) {
      const count = one === floor ? 100_000 : calls;
      const first = await one.token();
      const startedAt = performance.now();
      let same = true;
      for (let call = 0; call < count; call += 1) same = (await one.token()) === first && same;
      if (round > 0) times.push(((performance.now() - startedAt) * 1000) / count);
      if (!same) result.wrong.push('a cached call gave another token');
    }
  }
  const after = await ask('counts');
  if (after.renewed !== before.renewed) result.wrong.push('a cached call asked the provider');
}

/** @param {Peer} peer @param {readonly Turn[]} turns @param {TokensResult} result */
async function redeem(peer, turns, result) {
  const hop = createServer((_request, response) => response.end('<p>done'));
  const hopUrl = await new Promise((resolve) =>
    hop.listen(0, '127.0.0.1', () =>
      resolve(
        `http://127.0.0.1:${/** @type {import('node:net').AddressInfo} */ (hop.address()).port}/callback?code=x`,
      ),
    ),
  );
  for (let round = 0; round < (JOB['redeems'] ?? 0); round += 1) {
    for (const [one, times] of turns) {
      const callbackUrl = await ask('visit', await one.begin());
      // Both find the provider and the network as a person does who has clicked a moment ago.
      times.push(await timed(() => one.finish(callbackUrl)));
      await check(one, 'redeemed', result);
    }
    if (peer.callbackHop) result.hop.push(await timed(() => visit(hopUrl)));
  }
  hop.close();
}

/** @param {Peer} peer @param {readonly Turn[]} turns @param {TokensResult} result */
async function renew(peer, turns, result) {
  const renewals = JOB['renewals'] ?? 0;
  let requests = 0;
  for (let round = 0; round < renewals; round += 1) {
    for (const [one, times] of turns) {
      const before = await ask('counts');
      one.expire();
      try {
        times.push(await timed(() => one.token()));
      } catch (error) {
        // Some peers lose their grant now and then; that is told, and the measurement goes on.
        times.push(NaN);
        result.failed.push(`renewal: ${/** @type {any} */ (error)?.errorCode ?? String(error)}`);
        await one.finish(await ask('visit', await one.begin()));
        continue;
      }
      const after = await ask('counts');
      if (one === peer) requests += after.renewed - before.renewed;
      if (after.renewed === before.renewed) result.wrong.push('an old token was given');
      await check(one, 'renewed', result);
    }
  }
  result.requestsPerRenewal = renewals === 0 ? 0 : requests / renewals;
}

/** @param {Peer} peer @param {Peer} floor @param {TokensResult} result */
async function blocks(peer, floor, result) {
  for (let round = 0; round < (JOB['blocks'] ?? 0); round += 1) {
    result.blocks.idle.push(
      await longestBlock(() => new Promise((resolve) => setTimeout(resolve, 30))),
    );
    for (const [one, into] of /** @type {const} */ ([
      [peer, result.blocks.renew],
      [floor, result.blocks.floor],
    ])) {
      one.expire();
      into.push(
        await longestBlock(() =>
          one.token().catch(async () => one.finish(await ask('visit', await one.begin()))),
        ),
      );
    }
  }
}

/**
 * 1,000 callers in one turn, none of whom finds a valid token. `mixed`: half of them want another
 * set of scopes, which is a second token, and one insists on a new one. `forced`: one insists, and
 * all want the same.
 * @param {string} kind
 * @param {Peer} peer
 * @param {Peer} floor
 * @param {TokensResult} result
 * @returns {Promise<Storm>}
 */
async function storm(kind, peer, floor, result) {
  floor.expire();
  const floorMs = await timed(async () => {
    await Promise.all(Array.from({ length: CALLERS }, () => floor.token()));
    // By hand a second token takes a second request, after the first: there is one refresh token.
    if (kind === 'mixed') await floor.token({ force: true });
  });
  if (kind !== 'plain') {
    // A storm may have ended the grant.
    await peer.finish(await ask('visit', await peer.begin()));
  }
  peer.expire();
  const before = await ask('counts');
  /** @type {readonly PromiseSettledResult<string>[]} */
  let answers = [];
  const ms = await timed(async () => {
    answers = await Promise.allSettled(
      Array.from({ length: CALLERS }, (_one, index) =>
        peer.token(
          kind === 'mixed' && index % 2 === 1
            ? { scopes: ['openid', 'profile', 'offline_access'] }
            : kind !== 'plain' && index === 500
              ? { force: true }
              : {},
        ),
      ),
    );
  });
  const after = await ask('counts');
  const tokens = new Set(
    answers.flatMap((answer) =>
      answer.status === 'fulfilled' ? [answer.value.replace(/^bearer /i, '')] : [],
    ),
  );
  let valid = 0;
  if (kind === 'mixed' && tokens.size < 2 && after.refused === before.refused)
    result.wrong.push(`storm (${kind}): two sets of scopes got one token`);
  for (const token of [...tokens].slice(0, 5)) if (await ask('check', token)) valid += 1;
  // A grant that a storm has ended takes its tokens with it: that is told by `alive`.
  if (tokens.size > 0 && valid === 0 && after.refused === before.refused)
    result.wrong.push(`storm (${kind}): no token that was given is valid`);
  peer.expire();
  const alive = await peer.token({ force: true }).then(
    (token) => ask('check', token.replace(/^bearer /i, '')),
    () => false,
  );
  return {
    ms,
    requests: after.renewed - before.renewed,
    refused: after.refused - before.refused,
    failed: answers.filter(({ status }) => status === 'rejected').length,
    alive,
    floorMs,
  };
}

/** @param {() => Promise<unknown>} work */
async function timed(work) {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}
