// @ts-check
// Import in the real Electron main process, after ready. One process for each sample; the libraries
// take turns.
import { fileURLToPath } from 'node:url';
import { bestOf, digits, ratio, row, shown, times, verdictOf } from './row.mjs';

/** @param {string} path */
const at = (path) => fileURLToPath(new URL(path, import.meta.url));

/**
 * msal-node is taken as CommonJS, in which it is fastest. @type {Record<string, { kind: 'require' |
 * 'import', path: string }[]>}
 */
const LOADS = {
  'an empty module': [{ kind: 'import', path: at('../host/empty.mjs') }],
  Latchkey: [{ kind: 'import', path: at('../../dist/main/index.js') }],
  'msal-node': [{ kind: 'require', path: '@azure/msal-node' }],
  'msal-node + extensions': [
    { kind: 'require', path: '@azure/msal-node' },
    { kind: 'require', path: '@azure/msal-node-extensions' },
  ],
  'openid-client': [{ kind: 'import', path: 'openid-client' }],
  oauth4webapi: [{ kind: 'import', path: 'oauth4webapi' }],
  'appauth (bundled)': [
    { kind: 'require', path: at('../node_modules/.cache/latchkey-bench/appauth.cjs') },
  ],
  iTwin: [{ kind: 'require', path: '@itwin/electron-authorization/Main' }],
  'better-auth': [
    { kind: 'import', path: 'better-auth/client' },
    { kind: 'import', path: '@better-auth/electron/client' },
  ],
};

/**
 * @param {import('./row.mjs').Context} context
 * @returns {Promise<import('./row.mjs').Group>}
 */
export async function measureImport({ stage, quick }) {
  /** @type {Record<string, number[]>} */
  const samples = {};
  /** @type {Record<string, number[]>} */
  const memory = {};
  for (let round = 0; round < (quick ? 3 : 9); round += 1) {
    for (const [name, load] of Object.entries(LOADS)) {
      const { ms, megabytes } = /** @type {{ ms: number, megabytes: number }} */ (
        await stage.run({ script: 'import', profile: 'import', job: { load } }, null)
      );
      (samples[name] ??= []).push(ms);
      (memory[name] ??= []).push(megabytes);
    }
  }
  const { Latchkey: own = [], 'an empty module': empty = [], ...peers } = samples;
  const best = bestOf(peers);
  const [toMsal, toOpenid] = [
    ratio(own, peers['msal-node'] ?? []),
    ratio(own, peers['openid-client'] ?? []),
  ];
  return {
    rows: [
      row({
        id: 'import',
        title: 'import in the real Electron main process, after ready',
        goal: '≤ 1/10 of msal-node, ≤ 1/5 of openid-client',
        floor: shown(empty, 'ms'),
        bestPeer: `${best.name}: ${shown(best.samples, 'ms')}`,
        latchkey: shown(own, 'ms'),
        toFloor: times(ratio(own, empty)),
        toBestPeer: times(ratio(own, best.samples)),
        verdict: verdictOf(toMsal <= 1 / 10 && toOpenid <= 1 / 5),
        note: `${times(toMsal)} of msal-node, ${times(toOpenid)} of openid-client; the floor is an empty module, which is ${times(ratio(empty, peers['msal-node'] ?? []))} of msal-node`,
        numbers: samples,
      }),
    ],
    details: [
      {
        title: 'Import',
        head: ['library', 'milliseconds', 'memory'],
        lines: Object.entries(samples).map(([name, values]) => [
          name === 'Latchkey' ? '**Latchkey**' : name,
          shown(values, 'ms'),
          `${digits(memory[name]?.at(-1) ?? 0)} MB`,
        ]),
      },
    ],
  };
}
