// @ts-check
// The core of dist/ without a computer around it: a keychain in memory, a provider that answers at
// once, a clock that the bench moves. For what no network and no keyring should blur.

/** @typedef {typeof import('../../src/main/core/engine.js')} EngineModule */
/** @typedef {typeof import('../../src/main/core/options/options.js')} OptionsModule */
/** @typedef {typeof import('../../src/main/core/storage/records.js')} RecordsModule */

const ISSUER = 'https://login.example.com';
const LIFE_MS = 3_600_000;
const CORE = new URL('../../dist/main/core/', import.meta.url);

/** @param {number} index */
export const accountId = (index) => `account-${index}`;

/** As long as what oidc-provider gives. @param {number} index */
export const tokenOf = (index) => `${String(index).padStart(8, '0')}-${'t'.repeat(34)}`;

/**
 * The engine for so many accounts, each with a session in the keychain; started. `next` fires the
 * next timer that is due until then, or says that there is none.
 * @param {{ accounts: number }} choice
 */
export async function startCore({ accounts: count }) {
  const { createEngine } = /** @type {EngineModule} */ (
    await import(new URL('engine.js', CORE).href)
  );
  const { parseOptions } = /** @type {OptionsModule} */ (
    await import(new URL('options/options.js', CORE).href)
  );
  const { formatRecord, recordKey } = /** @type {RecordsModule} */ (
    await import(new URL('records.js', CORE).href)
  );
  const settings = parseOptions({
    issuer: ISSUER,
    clientId: 'bench',
    redirects: ['http://127.0.0.1/callback'],
    scopes: ['profile'],
    accounts: 'several',
    endpoints: { authorization: `${ISSUER}/auth`, token: `${ISSUER}/token` },
  });
  let now = 1_700_000_000_000;
  let renewals = 0;
  /** @type {{ at: number, run: () => void }[]} */
  let timers = [];
  const accounts = Array.from({ length: count }, (_one, index) => ({
    id: accountId(index),
    issuer: ISSUER,
    subject: `subject-${index}`,
  }));
  /** @type {Map<string, string>} */
  const stored = new Map();
  accounts.forEach((account, index) =>
    stored.set(
      recordKey(account.id),
      formatRecord({
        version: 1,
        clientId: 'bench',
        account,
        refreshToken: `r${tokenOf(index)}`,
        scope: 'profile',
        savedAt: now,
        access: { token: tokenOf(index), obtainedAt: now, expiresAt: now + LIFE_MS },
      }),
    ),
  );
  /** @type {unknown} */
  let state = {
    schemaVersion: 1,
    lastAccountId: accountId(0),
    accounts: accounts.map((account) => ({ ...account, record: 'kept' })),
    attempts: [],
  };
  const callbacks = {
    prepare: async () => ({ state: /** @type {const} */ ('unavailable'), detail: 'none' }),
    onCallback() {},
    stop() {},
  };
  const engine = createEngine(settings, {
    secrets: {
      async read(key) {
        const value = stored.get(key);
        return value === undefined ? { state: 'absent' } : { state: 'found', value };
      },
      async write(key, value) {
        stored.set(key, value);
        return { state: 'done' };
      },
      async remove(key) {
        stored.delete(key);
        return { state: 'done' };
      },
      close() {},
    },
    state: {
      load: async () => state,
      save: async (next) => {
        state = next;
      },
    },
    browser: { open: async () => {} },
    callbacks: { 'custom-scheme': callbacks, loopback: callbacks },
    clock: {
      now: () => now,
      after(delayMs, run) {
        const timer = { at: now + delayMs, run };
        timers.push(timer);
        return () => {
          timers = timers.filter((other) => other !== timer);
        };
      },
    },
    network: {
      async fetch() {
        renewals += 1;
        return new Response(
          JSON.stringify({
            access_token: `t${renewals}`,
            token_type: 'Bearer',
            expires_in: LIFE_MS / 1000,
            refresh_token: `r${renewals}`,
          }),
          { headers: { 'content-type': 'application/json' } },
        );
      },
    },
    lock: { hold: async (_name, _limitMs, run) => ({ held: true, value: await run() }) },
    signals: { listen() {}, watchNetwork() {}, stop() {} },
    log: { write() {} },
  });
  engine.start();
  await quiet();
  return {
    engine,
    now: () => now,
    renewals: () => renewals,
    timers: () => timers.length,
    /** @param {number} until */
    async next(until) {
      await quiet();
      const timer = timers.sort((a, b) => a.at - b.at)[0];
      if (timer === undefined || timer.at > until) return false;
      timers.shift();
      now = timer.at;
      timer.run();
      return true;
    },
  };
}

/** What the core does without waiting takes some turns; nothing in it is slower than that. */
async function quiet() {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
