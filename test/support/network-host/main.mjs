// @ts-check
// A host app with nothing but Latchkey's network: does what each line of its input says, and
// answers in one line. Started by network-host.ts. Whatever is thrown past a promise is told with
// the next answer.
import { createInterface } from 'node:readline';
import { app, session } from 'electron';
import { apiOutcomeOf } from './api-outcome.mjs';
import { outcomeOf } from './outcome.mjs';

/** @typedef {import('./outcome.mjs').Asked} Asked */
/** @typedef {import('./api-outcome.mjs').ApiAsked} ApiAsked */

const adapter = /** @type {unknown} */ (await import(String(process.env['LATCHKEY_NETWORK'])));
const facts = /** @type {unknown} */ (await import(String(process.env['LATCHKEY_NETWORK_FACTS'])));
const { createNetwork } =
  /** @type {typeof import('../../../src/main/adapters/network/network.js')} */ (adapter);
const { createNetworkFacts } =
  /** @type {typeof import('../../../src/main/adapters/diagnosis/network-facts.js')} */ (facts);
const apiAdapter = /** @type {unknown} */ (
  await import(String(process.env['LATCHKEY_API_NETWORK']))
);
const { createApiNetwork } =
  /** @type {typeof import('../../../src/main/adapters/network/api-network.js')} */ (apiAdapter);
const uncaught = /** @type {string[]} */ ([]);
process.on('uncaughtException', (error) => uncaught.push(error.message));
process.on('unhandledRejection', (reason) => uncaught.push(`rejection ${String(reason)}`));

// A developer's own server has this address; any other is judged by Chromium.
app.on('session-created', (made) =>
  made.setCertificateVerifyProc(({ hostname }, decide) =>
    decide(hostname === '127.0.0.1' ? 0 : -3),
  ),
);

const deeds = {
  ask: (/** @type {Asked} */ given) => outcomeOf(createNetwork(), given),
  askAll: (/** @type {readonly Asked[]} */ given) => {
    const network = createNetwork();
    return Promise.all(given.map((one) => outcomeOf(network, one)));
  },
  inTurn: async (/** @type {readonly Asked[]} */ given) => {
    const network = createNetwork();
    const startedAt = performance.now();
    const outcomes = [];
    for (const one of given) outcomes.push(await outcomeOf(network, one));
    return { outcomes, ms: performance.now() - startedAt };
  },
  askApi: (/** @type {ApiAsked} */ given) => apiOutcomeOf(createApiNetwork(), given),
  askApiAtOnce: (/** @type {readonly ApiAsked[]} */ given) => {
    const network = createApiNetwork();
    return Promise.all(given.map((one) => apiOutcomeOf(network, one)));
  },
  /** The cases of the other port: the same answers and failures. */
  apiInTurn: async (/** @type {readonly Asked[]} */ given) => {
    const network = createApiNetwork();
    const outcomes = [];
    for (const one of given)
      outcomes.push(
        await outcomeOf(
          {
            fetch: (url, { body, ...init }) =>
              network.fetch(url, {
                ...init,
                cookies: false,
                ...(body === undefined ? {} : { body: new TextEncoder().encode(body) }),
              }),
          },
          one,
        ),
      );
    return outcomes;
  },
  setProxy: (/** @type {Electron.ProxyConfig} */ given) => session.defaultSession.setProxy(given),
  facts: async (/** @type {{ url: string }} */ { url }) => ({
    proxy: await createNetworkFacts().proxy(url),
    ask: await createNetworkFacts().ask(url, AbortSignal.timeout(4_000)),
  }),
  setCookie: (/** @type {Electron.CookiesSetDetails} */ given) =>
    session.defaultSession.cookies.set(given),
  cookies: async () =>
    (
      await Promise.all(
        ['latchkey-network', 'latchkey-network-2'].map((name) =>
          session.fromPartition(name).cookies.get({}),
        ),
      )
    ).flat().length,
  answerItself: (/** @type {{ scheme: string }} */ { scheme }) =>
    session
      .fromPartition('latchkey-network')
      .protocol.handle(scheme, () => new Response('from the app')),
  openSession: (/** @type {{ name: string }} */ { name }) =>
    void session.fromPartition(name, { cache: false }),
  memory: () => process.memoryUsage().rss,
};

/** @param {string} line */
async function answer(line) {
  const message = /** @type {unknown} */ (JSON.parse(line));
  const { id, deed, given } =
    /** @type {{ id: number, deed: keyof typeof deeds, given: unknown }} */ (message);
  const run = /** @type {(given: unknown) => unknown} */ (/** @type {unknown} */ (deeds[deed]));
  const value = await Promise.resolve()
    .then(() => run(given))
    .catch((/** @type {unknown} */ error) => `failed: ${String(error)}`);
  process.stdout.write(`${JSON.stringify({ id, value: value ?? null, uncaught })}\n`);
}

void app.whenReady().then(() => {
  createInterface({ input: process.stdin })
    .on('line', (line) => void answer(line))
    .on('close', () => app.exit(0));
  process.stdout.write('{"ready":true}\n');
});
