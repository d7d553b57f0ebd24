// @ts-check
// Two processes of one app on one stored session renew at the same moment. The provider rotates
// refresh tokens and ends the grant when one comes twice.
import { row, verdictOf } from './row.mjs';

/** @typedef {{ failures: readonly string[] }} PairResult */

/**
 * @param {import('./row.mjs').Context} context
 * @returns {Promise<import('./row.mjs').Group>}
 */
export async function measureProcesses({ stage, quick, say }) {
  const rounds = quick ? 3 : 15;
  /** @param {'latchkey' | 'msal'} peer @param {'keyring' | 'file'} store */
  const pair = async (peer, store) => {
    const provider = await stage.provider();
    const run = (/** @type {object} */ job) =>
      /** @type {Promise<PairResult>} */ (
        stage.run(
          { script: 'pair', profile: `pair-${peer}`, job: { peer, store, rounds, ...job } },
          provider,
        )
      );
    try {
      await run({ signIn: true });
      const before = await provider.counts();
      const results = await Promise.all([run({}), run({})]);
      const after = await provider.counts();
      say(`two processes: ${peer}`);
      return {
        failures: results.flatMap(({ failures }) => failures),
        requests: after.renewed - before.renewed,
        refused: after.refused - before.refused,
      };
    } finally {
      provider.stop();
    }
  };
  const own = await pair('latchkey', 'keyring');
  const msal = await pair('msal', 'file').catch((/** @type {unknown} */ error) => ({
    failures: [String(error)],
    requests: 0,
    refused: 0,
  }));
  const count = `${own.failures.length} failures, ${own.requests} requests in ${rounds} rounds`;
  return {
    rows: [
      row({
        id: 'processes',
        title: 'two processes renew at once',
        goal: '0 failures',
        bestPeer: `msal-node + file: ${msal.failures.length} failures, ${msal.refused} × refused`,
        latchkey: count,
        verdict: own.failures.length === 0 && own.refused === 0 ? verdictOf(true) : 'wrong',
        ...(own.failures.length > 0 ? { note: own.failures.slice(0, 3).join('; ') } : {}),
        numbers: { own, msal },
      }),
    ],
  };
}
