// @ts-check
// The everyday work: a token that is there, redeeming a code, renewing, a storm of callers. Each
// peer in a real Electron main process of its own, with the floor beside it; the peers take turns
// in rounds.
import { medianOf } from '../parts/statistics.mjs';
import { bestOf, counted, digits, ratio, row, shown, signed, times, verdictOf } from './row.mjs';

/** @typedef {import('../host/tokens.mjs').TokensResult} TokensResult */
/** @typedef {import('../peers/peer.mjs').PeerName} PeerName */
/** @typedef {{ label: string, peer: PeerName, store: 'memory' | 'file' | 'keyring', network?: 'electron', calls: number, storms: readonly string[] }} Subject */

/** @type {readonly Subject[]} */
const SUBJECTS = [
  {
    label: 'Latchkey, in memory',
    peer: 'latchkey',
    store: 'memory',
    network: 'electron',
    calls: 100_000,
    storms: ['plain', 'mixed', 'forced'],
  },
  {
    label: 'Latchkey',
    peer: 'latchkey',
    store: 'keyring',
    network: 'electron',
    calls: 100_000,
    storms: ['plain', 'mixed', 'forced'],
  },
  {
    label: 'msal-node',
    peer: 'msal',
    store: 'memory',
    calls: 500,
    storms: ['plain', 'mixed', 'forced'],
  },
  {
    label: 'msal-node + file',
    peer: 'msal',
    store: 'file',
    calls: 200,
    storms: ['plain', 'mixed'],
  },
  { label: 'msal-node + keyring', peer: 'msal', store: 'keyring', calls: 100, storms: ['plain'] },
  {
    label: 'openid-client',
    peer: 'openid-client',
    store: 'memory',
    calls: 100_000,
    storms: ['plain'],
  },
  {
    label: 'openid-client + one renewal for all',
    peer: 'openid-client-shared',
    store: 'memory',
    calls: 100_000,
    storms: ['plain'],
  },
  {
    label: 'oauth4webapi',
    peer: 'oauth4webapi',
    store: 'memory',
    calls: 100_000,
    storms: ['plain'],
  },
  {
    label: 'appauth (bundled)',
    peer: 'appauth',
    store: 'memory',
    calls: 100_000,
    storms: ['plain'],
  },
  { label: 'iTwin', peer: 'itwin', store: 'file', calls: 100_000, storms: ['plain'] },
];

const OURS = ['Latchkey', 'Latchkey, in memory'];

/**
 * @param {import('./row.mjs').Context} context
 * @returns {Promise<import('./row.mjs').Group>}
 */
export async function measureTokens({ stage, quick, say }) {
  /** @type {Record<string, TokensResult[]>} */
  const all = {};
  for (let round = 0; round < (quick ? 1 : 3); round += 1) {
    for (const { label, peer, store, network, calls, storms } of SUBJECTS) {
      // The books of a provider end at 20,000 requests, and a storm of some peers is 1,000.
      const provider = await stage.provider();
      try {
        const job = {
          peer,
          store,
          network,
          cachedCalls: calls,
          cachedRounds: quick ? 3 : 7,
          redeems: quick ? 4 : 8,
          renewals: quick ? 5 : 10,
          blocks: quick ? 4 : 8,
          storms,
        };
        const profile = `tokens-${label.replaceAll(/\W+/g, '-')}-${round}`;
        (all[label] ??= []).push(
          await stage.run({ script: 'tokens', profile, job, limitMs: 90_000 }, provider),
        );
      } finally {
        provider.stop();
      }
      say(`tokens, round ${round + 1}: ${label}`);
    }
  }
  /** @param {string} label @param {(result: TokensResult) => readonly number[]} pick */
  const of = (label, pick) => (all[label] ?? []).flatMap(pick).filter((value) => value !== null);
  /** @param {(result: TokensResult) => readonly number[]} pick */
  const peers = (pick) =>
    Object.fromEntries(
      Object.keys(all)
        .filter((label) => !OURS.includes(label))
        .map((label) => [label, of(label, pick)]),
    );
  /** What it costs over the floor beside it, pair by pair, and over the HTTP request that only a loopback callback needs.
   * @param {string} label @param {'redeem' | 'renew'} what @param {'Floor' | 'Net'} [floor] */
  const over = (label, what, floor = 'Floor') => {
    const hops = what === 'redeem' ? of(label, ({ hop }) => hop) : [];
    const hop = hops.length > 0 ? medianOf(hops) : 0;
    return (all[label] ?? []).flatMap((result) =>
      result[what].flatMap((ms, index) =>
        ms === null ? [] : [ms - (result[`${what}${floor}`][index] ?? 0) - hop],
      ),
    );
  };
  const wrong = Object.entries(all).flatMap(([label, results]) =>
    results.flatMap((result) =>
      [...result.wrong, ...result.failed].map((what) => `${label}: ${what}`),
    ),
  );
  const ours = wrong.filter((line) => line.startsWith('Latchkey'));
  const sure = (/** @type {boolean} */ reached) =>
    ours.length > 0 ? /** @type {const} */ ('wrong') : verdictOf(reached);

  const cached = of('Latchkey', (result) => result.cached);
  const cachedFloor = of('Latchkey', (result) => result.cachedFloor);
  const cachedBest = bestOf(peers((result) => result.cached));
  const block = of('Latchkey', ({ blocks }) => blocks.renew);
  const idle = of('Latchkey', ({ blocks }) => blocks.idle);
  const blockBest = bestOf(peers(({ blocks }) => blocks.renew));
  return {
    rows: [
      row({
        id: 'cached-1',
        title: 'cached token, 1 account',
        goal: '≤ 2 × floor',
        floor: shown(cachedFloor, 'µs'),
        bestPeer: `${cachedBest.name}: ${shown(cachedBest.samples, 'µs')}`,
        latchkey: shown(cached, 'µs'),
        toFloor: times(ratio(cached, cachedFloor)),
        toBestPeer: times(ratio(cached, cachedBest.samples)),
        verdict: sure(ratio(cached, cachedFloor) <= 2),
        note: `msal-node ${shown(
          of('msal-node', (result) => result.cached),
          'µs',
        )}, + keyring ${shown(
          of('msal-node + keyring', (result) => result.cached),
          'µs',
        )}`,
        numbers: { cached, cachedFloor },
      }),
      exchangeRow('redeem', 'redeem, over the floor', 2),
      exchangeRow('renew', 'renew, over the floor', 1),
      stormRow(
        'plain',
        {
          id: 'storm',
          title: 'storm: 1,000 callers, expired',
          goal: '1 request, 0 failed, grant alive, ≤ 3 × floor',
        },
        1,
      ),
      stormRow(
        'mixed',
        {
          id: 'storm-mixed',
          title: 'the same with two audiences and a forced renewal among them',
          goal: 'no refresh token twice, 0 failed, grant alive, ≤ 3 × floor',
        },
        2,
      ),
      row({
        id: 'block-renew',
        title: 'longest block of the main thread during a renewal',
        goal: '≤ 2 ms',
        floor: shown(
          of('Latchkey', ({ blocks }) => blocks.floor),
          'ms',
        ),
        bestPeer: `${blockBest.name}: ${shown(blockBest.samples, 'ms')}`,
        latchkey: shown(block, 'ms'),
        toFloor: times(
          ratio(
            block,
            of('Latchkey', ({ blocks }) => blocks.floor),
          ),
        ),
        toBestPeer: times(ratio(block, blockBest.samples)),
        verdict: sure(medianOf(block) <= 2),
        note: `while nothing is done: ${shown(idle, 'ms')}; iTwin ${shown(
          of('iTwin', ({ blocks }) => blocks.renew),
          'ms',
        )}`,
        numbers: { block, idle },
      }),
    ],
    details: [
      {
        title: 'Everyday work',
        head: [
          'library',
          'cached token',
          'redeem',
          'its floor',
          'over the floor',
          'floor on Electron’s net',
          'renew',
          'its floor',
          'over the floor',
          'floor on Electron’s net',
          'longest block in a renewal',
        ],
        lines: Object.keys(all).map((label) => [
          label,
          shown(
            of(label, (result) => result.cached),
            'µs',
          ),
          shown(
            of(label, (result) => result.redeem),
            'ms',
          ),
          shown(
            of(label, (result) => result.redeemFloor),
            'ms',
          ),
          `${signed(medianOf(over(label, 'redeem')))} ms`,
          netFloor(label, 'redeem'),
          shown(
            of(label, (result) => result.renew),
            'ms',
          ),
          shown(
            of(label, (result) => result.renewFloor),
            'ms',
          ),
          `${signed(medianOf(over(label, 'renew')))} ms`,
          netFloor(label, 'renew'),
          shown(
            of(label, ({ blocks }) => blocks.renew),
            'ms',
          ),
        ]),
      },
      {
        title: 'Storms: 1,000 callers at once, none with a valid token',
        head: [
          'library',
          'storm',
          'time',
          'its floor',
          'requests',
          'refused',
          'calls failed',
          'grant alive after',
        ],
        lines: Object.entries(all).flatMap(([label, results]) =>
          stormKinds(results).map((kind) => {
            const storms = results.flatMap((result) => result.storms[kind] ?? []);
            /** @param {(storm: import('../host/tokens.mjs').Storm) => number} pick */
            const middle = (pick) => medianOf(storms.map(pick));
            return [
              label,
              kind,
              `${digits(middle(({ ms }) => ms))} ms`,
              `${digits(middle(({ floorMs }) => floorMs))} ms`,
              String(middle(({ requests }) => requests)),
              String(middle(({ refused }) => refused)),
              String(middle(({ failed }) => failed)),
              `${storms.filter(({ alive }) => alive).length} of ${storms.length}`,
            ];
          }),
        ),
      },
      ...(wrong.length > 0
        ? [
            {
              title: 'Answers that were not right',
              head: ['what', 'how often'],
              lines: counted(wrong),
            },
          ]
        : []),
    ],
  };

  /** @param {'redeem' | 'renew'} what @param {string} title @param {number} maxMs */
  function exchangeRow(what, title, maxMs) {
    const own = over('Latchkey, in memory', what);
    const best = bestOf(
      Object.fromEntries(
        Object.keys(all)
          .filter((label) => !OURS.includes(label))
          .map((label) => [label, over(label, what)]),
      ),
    );
    const floor = of('Latchkey, in memory', (result) => result[`${what}Floor`]);
    return row({
      id: what,
      title,
      goal: `≤ ${maxMs} ms, not counting the keyring’s own write`,
      floor: shown(floor, 'ms'),
      bestPeer: `${best.name}: ${signed(medianOf(best.samples))} ms`,
      latchkey: `${signed(medianOf(own))} ms`,
      toFloor: times(
        ratio(
          of('Latchkey, in memory', (result) => result[what]),
          floor,
        ),
      ),
      verdict: sure(medianOf(own) <= maxMs),
      note: `over a floor on Electron’s net ${signed(medianOf(over('Latchkey, in memory', what, 'Net')))} ms; with the keyring ${signed(medianOf(over('Latchkey', what)))} ms; msal-node + keyring ${signed(medianOf(over('msal-node + keyring', what)))} ms`,
      numbers: { own, floor },
    });
  }

  /** @param {string} label @param {'redeem' | 'renew'} what */
  function netFloor(label, what) {
    const samples = of(label, (result) => result[`${what}Net`]);
    return samples.length === 0 ? '–' : shown(samples, 'ms');
  }

  /** @param {'plain' | 'mixed'} kind @param {Pick<import('./row.mjs').Row, 'id' | 'title' | 'goal'>} words @param {number} requestsNeeded */
  function stormRow(kind, words, requestsNeeded) {
    /** @param {string} label */
    const stormsOf = (label) =>
      (all[label] ?? []).flatMap((result) =>
        [result.storms[kind] ?? [], kind === 'mixed' ? (result.storms['forced'] ?? []) : []].flat(),
      );
    const storms = (all['Latchkey'] ?? []).flatMap((result) => result.storms[kind] ?? []);
    const right =
      stormsOf('Latchkey').every(
        ({ requests, failed, refused, alive }) =>
          requests <= requestsNeeded && failed === 0 && refused === 0 && alive,
      ) && storms.every(({ requests }) => requests === requestsNeeded);
    const [ms, floor] = [storms.map((storm) => storm.ms), storms.map(({ floorMs }) => floorMs)];
    const peersMs = Object.fromEntries(
      Object.entries(all)
        .filter(([label]) => !OURS.includes(label))
        .map(([label, results]) => [
          label,
          results.flatMap((result) => {
            const storm = result.storms[kind];
            return storm !== undefined && storm.failed === 0 && storm.alive ? [storm.ms] : [];
          }),
        ]),
    );
    const best = Object.values(peersMs).some((samples) => samples.length > 0)
      ? bestOf(peersMs)
      : null;
    const msal = stormsOf('msal-node');
    return row({
      ...words,
      floor: shown(floor, 'ms'),
      latchkey: shown(ms, 'ms'),
      toFloor: times(ratio(ms, floor)),
      bestPeer:
        best === null
          ? `msal-node: grant alive after ${msal.filter(({ alive }) => alive).length} of ${msal.length}`
          : `${best.name}: ${shown(best.samples, 'ms')}`,
      ...(best === null ? {} : { toBestPeer: times(ratio(ms, best.samples)) }),
      verdict: right ? sure(ratio(ms, floor) <= 3) : 'wrong',
      note: `without the keyring ${shown(
        (all['Latchkey, in memory'] ?? [])
          .flatMap((result) => result.storms[kind] ?? [])
          .map((storm) => storm.ms),
        'ms',
      )}`,
      numbers: { storms },
    });
  }
}

/** @param {readonly TokensResult[]} results */
function stormKinds(results) {
  return [...new Set(results.flatMap(({ storms }) => Object.keys(storms)))];
}
