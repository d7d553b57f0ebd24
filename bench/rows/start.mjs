// @ts-check
// Starts of an app whose person is signed in: without a network while the stored token is valid,
// and with one renewal. One process for each sample; the peers take turns. Each finds in its own
// store what its last start left there.
import { recordOf } from '../parts/stored.mjs';
import { medianOf } from '../parts/statistics.mjs';
import { digits, ratio, row, shown, signed, times, verdictOf } from './row.mjs';

/** @typedef {{ readyMs: number, afterReadyMs: number, totalMs: number, createMs?: number, valid: boolean }} Start */
/** @typedef {{ label: string, script: string, job: Record<string, unknown> }} Subject */

/** @type {readonly Subject[]} */
const SUBJECTS = [
  { label: 'floor', script: 'start', job: { peer: 'floor', store: 'file' } },
  {
    label: 'floor, Electron’s net',
    script: 'start',
    job: { peer: 'floor', store: 'file', network: 'electron' },
  },
  { label: 'Latchkey', script: 'start-latchkey', job: {} },
  { label: 'msal-node + file', script: 'start', job: { peer: 'msal', store: 'file' } },
  { label: 'openid-client', script: 'start', job: { peer: 'openid-client', store: 'file' } },
  { label: 'appauth (bundled)', script: 'start', job: { peer: 'appauth', store: 'file' } },
  { label: 'iTwin', script: 'start', job: { peer: 'itwin', store: 'file' } },
];

/**
 * @param {import('./row.mjs').Context} context
 * @returns {Promise<import('./row.mjs').Group>}
 */
export async function measureStart(context) {
  const { stage, quick, say } = context;
  const provider = await stage.provider();
  try {
    // Every token is old at the next start: it lives for a second.
    await provider.life(1);
    for (const { label, script, job } of SUBJECTS)
      await stage.run(
        { script, profile: profileOf(label, 'fresh'), job: { ...job, signIn: true } },
        provider,
      );
    /** @type {Record<string, Start[]>} */
    const starts = {};
    let requests = 0;
    for (let round = 0; round < (quick ? 3 : 9); round += 1) {
      for (const { label, script, job } of SUBJECTS) {
        const before = await provider.counts();
        // The token must outlive the question whether it is valid.
        await provider.life(round < 0 ? 1 : 2);
        const start = /** @type {Start} */ (
          await stage.run({ script, profile: profileOf(label, 'fresh'), job }, provider)
        );
        (starts[label] ??= []).push(start);
        const after = await provider.counts();
        if (label === 'Latchkey')
          requests +=
            after.renewed +
            after.discovery +
            after.jwks -
            before.renewed -
            before.discovery -
            before.jwks;
      }
      say(`starts with a renewal, round ${round + 1}`);
    }
    const offline = await measureOffline(context, provider);
    return {
      rows: [offline.row, freshRow(starts, requests)],
      details: [detail('Start with one renewal', starts), offline.detail],
    };
  } finally {
    provider.stop();
  }
}

/** @param {Record<string, Start[]>} starts @param {number} requests */
function freshRow(starts, requests) {
  /** @param {string} label @param {'afterReadyMs' | 'totalMs'} what */
  const of = (label, what) => (starts[label] ?? []).map((start) => start[what]);
  const [own, floor] = [of('Latchkey', 'afterReadyMs'), of('floor', 'afterReadyMs')];
  const extra = medianOf(own) - medianOf(floor);
  const extraTotal = medianOf(of('Latchkey', 'totalMs')) - medianOf(of('floor', 'totalMs'));
  const best =
    Object.keys(starts)
      .filter((label) => !label.startsWith('floor') && label !== 'Latchkey')
      .sort((a, b) => medianOf(of(a, 'afterReadyMs')) - medianOf(of(b, 'afterReadyMs')))[0] ?? '';
  const right = (starts['Latchkey'] ?? []).every(({ valid }) => valid);
  return row({
    id: 'start-fresh',
    title: 'ready → fresh token (one renewal)',
    goal: '≤ floor + 60 ms, from ready and from the start of the process',
    floor: shown(floor, 'ms'),
    bestPeer: `${best}: ${shown(of(best, 'afterReadyMs'), 'ms')}`,
    latchkey: shown(own, 'ms'),
    toFloor: `${signed(extra)} ms`,
    toBestPeer: times(ratio(own, of(best, 'afterReadyMs'))),
    verdict: right ? verdictOf(extra <= 60 && extraTotal <= 60) : 'wrong',
    note: `from the start of the process ${signed(extraTotal)} ms; ${digits(requests / own.length)} requests a start`,
    numbers: { starts },
  });
}

/** @param {import('./row.mjs').Context} context @param {import('../parts/stage.mjs').ProviderHandle} provider */
async function measureOffline({ stage, lab, quick, say }, provider) {
  await provider.life(86_400);
  const [own, msal] = [SUBJECTS[2], SUBJECTS[3]];
  if (own === undefined || msal === undefined) throw new Error('no subject');
  for (const { label, script, job } of [own, msal])
    await stage.run(
      { script, profile: profileOf(label, 'offline'), job: { ...job, signIn: true } },
      provider,
    );
  const account = await recordOf(lab, profileOf(own.label, 'offline'));
  provider.stop();
  /** @type {Start[]} */
  const starts = [];
  /** @type {Start[]} */
  const floor = [];
  let msalFailed = '';
  for (let round = 0; round < (quick ? 3 : 9); round += 1) {
    const service = `bench:${profileOf(own.label, 'offline')}`;
    floor.push(
      await stage.run(
        { script: 'start-worker', profile: 'offline-floor', job: { service, account } },
        null,
      ),
    );
    starts.push(
      await stage.run(
        {
          script: own.script,
          profile: profileOf(own.label, 'offline'),
          job: { ...own.job, issuer: provider.issuer, clientId: provider.clientId, offline: true },
        },
        null,
      ),
    );
    if (round === 0)
      msalFailed = await stage
        .run(
          {
            script: msal.script,
            profile: profileOf(msal.label, 'offline'),
            job: {
              ...msal.job,
              issuer: provider.issuer,
              clientId: provider.clientId,
              offline: true,
            },
          },
          null,
        )
        .then(
          () => 'works',
          (/** @type {Error} */ error) => /[a-z]+(_[a-z]+)+/.exec(error.message)?.[0] ?? 'fails',
        );
    say(`starts without a network, round ${round + 1}`);
  }
  const [ms, floorMs] = [
    starts.map(({ afterReadyMs }) => afterReadyMs),
    floor.map(({ afterReadyMs }) => afterReadyMs),
  ];
  const right = [...starts, ...floor].every(({ valid }) => valid);
  return {
    row: row({
      id: 'start-offline',
      title: 'ready → token, stored token still valid, no network',
      goal: 'works; ≤ 1.3 × worker start + one keyring read',
      floor: shown(floorMs, 'ms'),
      bestPeer: `msal-node + file: ${msalFailed === 'works' ? 'works' : `fails (${msalFailed})`}`,
      latchkey: shown(ms, 'ms'),
      toFloor: times(ratio(ms, floorMs)),
      verdict: right ? verdictOf(ratio(ms, floorMs) <= 1.3) : 'wrong',
      note: `from the start of the process ${digits(medianOf(starts.map(({ totalMs }) => totalMs)) - medianOf(floor.map(({ totalMs }) => totalMs)))} ms more; createAuth itself takes ${shown(
        starts.map(({ createMs }) => createMs ?? 0),
        'ms',
      )}`,
      numbers: { starts, floor },
    }),
    detail: detail('Start without a network, stored token valid', {
      'floor: a worker that reads one entry': floor,
      Latchkey: starts,
    }),
  };
}

/** @param {string} title @param {Record<string, Start[]>} starts @returns {import('./row.mjs').Detail} */
function detail(title, starts) {
  return {
    title,
    head: ['app', 'ready', 'token after ready', 'token after the start of the process'],
    lines: Object.entries(starts).map(([label, list]) => [
      label,
      shown(
        list.map(({ readyMs }) => readyMs),
        'ms',
      ),
      shown(
        list.map(({ afterReadyMs }) => afterReadyMs),
        'ms',
      ),
      shown(
        list.map(({ totalMs }) => totalMs),
        'ms',
      ),
    ]),
  };
}

/** @param {string} label @param {string} kind */
function profileOf(label, kind) {
  return `start-${kind}-${label.replaceAll(/\W+/g, '-')}`;
}
