// @ts-check
// What Latchkey holds and does while nothing happens: timers and memory in a real Electron, and a day of the real core on
// a simulated clock, in which every timer that fires is counted.
import { digits, notBuilt, row, verdictOf } from './row.mjs';

const HOURS = 24;

/**
 * @param {import('./row.mjs').Context} context
 * @returns {Promise<import('./row.mjs').Group>}
 */
export async function measureIdle({ stage }) {
  const provider = await stage.provider();
  try {
    const real = /** @type {{ timers: number, fired: number, workerMegabytes: number | null, valid: boolean }} */ (await stage.run({ script: 'idle', profile: 'idle', job: {} }, provider));
    const day = await aDayOfTheCore();
    const perHour = day.fired / HOURS;
    return {
      rows: [
        notBuilt({ id: 'memory', title: 'memory per signed-in account', goal: '≤ 2 kB', note: `one account at a time${real.workerMegabytes === null ? '' : `; the keychain’s process holds ${digits(real.workerMegabytes)} MB`}` }),
        row({ id: 'timers', title: 'idle timers', goal: '1', latchkey: String(real.timers), verdict: real.valid ? verdictOf(real.timers <= 1) : 'wrong', note: `${real.fired} fired in 5 s`, numbers: real }),
        row({ id: 'wake-ups', title: 'wake-ups per hour, idle', goal: '≤ 2', latchkey: digits(perHour), verdict: verdictOf(perHour <= 2), note: `tokens of an hour: ${day.renewals} renewals in ${HOURS} hours, on a simulated clock`, numbers: day }),
      ],
    };
  } finally {
    provider.stop();
  }
}

/** The engine of dist/ for a person who is signed in and away; the network answers at once. */
async function aDayOfTheCore() {
  const core = new URL('../../dist/main/core/', import.meta.url);
  const { createEngine } = /** @type {typeof import('../../src/main/core/engine.js')} */ (await import(new URL('engine.js', core).href));
  const { parseOptions } = /** @type {typeof import('../../src/main/core/options.js')} */ (await import(new URL('options.js', core).href));
  const { formatRecord } = /** @type {typeof import('../../src/main/core/records.js')} */ (await import(new URL('records.js', core).href));
  const issuer = 'https://login.example.com';
  const settings = parseOptions({ issuer, clientId: 'bench', redirects: ['http://127.0.0.1/callback'], scopes: ['profile'], endpoints: { authorization: `${issuer}/auth`, token: `${issuer}/token` } });
  const account = { id: 'a', issuer, subject: 's' };
  let now = 1_700_000_000_000;
  let [fired, renewals] = [0, 0];
  /** @type {{ at: number, run: () => void }[]} */
  let timers = [];
  const record = { version: /** @type {const} */ (1), clientId: 'bench', account, refreshToken: 'r', scope: 'profile', savedAt: now, access: { token: 't', obtainedAt: now, expiresAt: now + 3_600_000 } };
  let stored = formatRecord(record);
  /** @type {any} */
  let state = { schemaVersion: 1, lastAccountId: 'a', accounts: [{ ...account, record: 'kept' }], attempts: [] };
  const callbacks = { prepare: async () => ({ state: /** @type {const} */ ('unavailable'), detail: 'none' }), onCallback() {}, stop() {} };
  const engine = createEngine(settings, {
    secrets: { read: async () => ({ state: 'found', value: stored }), write: async (_key, value) => { stored = value; return { state: 'done' }; }, remove: async () => ({ state: 'done' }), close() {} },
    state: { load: async () => /** @type {unknown} */ (state), save: async (next) => { state = next; } },
    browser: { open: async () => {} },
    callbacks: { 'custom-scheme': callbacks, loopback: callbacks },
    clock: {
      now: () => now,
      after(delayMs, run) {
        const timer = { at: now + delayMs, run };
        timers.push(timer);
        return () => { timers = timers.filter((other) => other !== timer); };
      },
    },
    network: { async fetch() { renewals += 1; return new Response(JSON.stringify({ access_token: `t${renewals}`, token_type: 'Bearer', expires_in: 3600, refresh_token: `r${renewals}` }), { headers: { 'content-type': 'application/json' } }); } },
    lock: { hold: async (_name, _limitMs, run) => ({ held: true, value: await run() }) },
    signals: { listen() {}, watchNetwork() {}, stop() {} },
    log: { write() {} },
  });
  engine.start();
  const until = now + HOURS * 3_600_000;
  for (;;) {
    // What the core does without waiting takes some turns; nothing in it is slower than that.
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    const next = timers.sort((a, b) => a.at - b.at)[0];
    if (next === undefined || next.at > until) break;
    timers.shift();
    now = next.at;
    fired += 1;
    next.run();
  }
  await engine.getAccessToken();
  const held = timers.length;
  await engine.stop();
  return { fired, renewals, held };
}
