// @ts-check What a kill has cost: reads the keyring and the state file while nothing runs, and
// compares them with the provider's records. Only one proof excuses a loss: the provider had
// answered, and the new token was still on its way to the keyring when the app was killed.
import { createHash } from 'node:crypto';
import { pause, until } from './soak-desk.mjs';

/**
 * From the provider's answer to a record that was read back takes 25 ms, a long one 100 ms; loaded
 * computers take longer.
 */
const IN_FLIGHT_MS = 500;
/** A request that the app had sent may be read by the provider after the kill. */
const IN_KERNEL_MS = 500;
/** From the app's call to the provider's note. Half the shortest pause between two renewals. */
const ASKED_EARLIER_MS = 300;

/** @typedef {import('./soak-desk.mjs').SoakDesk} SoakDesk */
/** @typedef {import('../../src/contract.js').AuthView} AuthView */

/**
 * `stored`: the refresh token in the keyring. `latest`: the last one that the provider made, and
 * `previous` the one before.
 * @typedef {{ stored: string | null, latest: string | null, previous: string | null, damage:
 *   readonly string[], accountIds: readonly string[] }} Finding
 */

/**
 * Waits until the provider has nothing left to answer, then looks at everything that the app keeps.
 * @param {SoakDesk} desk
 * @returns {Promise<Finding>}
 */
export async function inspect(desk) {
  const { provider, keyring } = desk;
  await pause(20);
  await until('the provider had answered everything', 5_000, () =>
    provider.requests.some(({ endpoint, status }) => endpoint === 'token' && status === null)
      ? undefined
      : true,
  );
  const { state, damage } = desk.files();
  const made = provider.issued
    .filter(({ kind }) => kind === 'refresh_token')
    .map(({ value }) => value);
  const accounts = state?.accounts ?? [];
  const sessions = await Promise.all(accounts.map(({ id }) => keyring.session(id)));
  return {
    stored: sessions[0]?.refreshToken ?? null,
    latest: made.at(-1) ?? null,
    previous: made.at(-2) ?? null,
    damage: [
      ...damage,
      ...sessions.flatMap(({ unreadable }) =>
        unreadable === null ? [] : [`the record in the keyring: ${unreadable}`],
      ),
    ],
    accountIds: accounts.map(({ id }) => id),
  };
}

/**
 * The proof that an answer was in flight, or why there is none.
 * @param {SoakDesk} desk
 * @param {{ grantType: 'refresh_token' | 'authorization_code', since: number, killedAt: number,
 *   slowMs: number, finding: Finding, views: readonly AuthView[] }} kill `since`: how many requests
 *   the provider had when the app was started
 * @returns {{ excused: boolean, words: string }}
 */
export function proveInFlight(desk, { grantType, since, killedAt, slowMs, finding, views }) {
  const asked = desk.provider.requests
    .slice(since)
    .filter((request) => request.grantType === grantType);
  const last = asked.at(-1);
  if (last === undefined)
    return { excused: false, words: 'the app had asked the provider for nothing' };
  const gap = killedAt - last.at;
  const late = slowMs > 0 ? `, its answer held back for ${slowMs} ms` : '';
  const words = `the request reached the provider ${Math.abs(gap)} ms ${gap < 0 ? 'after' : 'before'} the kill${late}; status ${last.status ?? 'none'}; refresh token ${nameOf(finding.latest)} was made, the keyring holds ${nameOf(finding.stored)}`;
  if (last.status !== 200) return { excused: false, words };
  if (gap < -IN_KERNEL_MS || gap > slowMs + IN_FLIGHT_MS)
    return { excused: false, words: `${words}; too long ago to be in flight` };
  if (grantType === 'refresh_token' && finding.stored !== finding.previous)
    return { excused: false, words: `${words}, which is not its predecessor` };
  // `since` is when the app asked, by the same clock; two renewals are never so near to each other.
  if (
    views.some(
      (view) =>
        view.status === 'signed-in' &&
        view.renewal.state === 'fresh' &&
        view.renewal.since > last.at - ASKED_EARLIER_MS,
    )
  )
    return { excused: false, words: `${words}; the app had published it before it was stored` };
  return { excused: true, words };
}

/**
 * A token's name in a report: enough to compare, useless to a thief.
 * @param {string | null} token
 */
function nameOf(token) {
  return token === null
    ? 'none'
    : `#${createHash('sha256').update(token).digest('hex').slice(0, 8)}`;
}
