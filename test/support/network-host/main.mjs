// @ts-check
// A host app with nothing but Latchkey's network: does what each line of its input says, and answers in one line.
// Started by network-host.ts. Whatever is thrown past a promise is told with the next answer.
import { createInterface } from 'node:readline';
import { app, session } from 'electron';
import { outcomeOf } from './outcome.mjs';

const { createNetwork } = await import(String(process.env['LATCHKEY_NETWORK']));
const { createNetworkFacts } = await import(String(process.env['LATCHKEY_NETWORK_FACTS']));
const uncaught = /** @type {string[]} */ ([]);
process.on('uncaughtException', (error) => uncaught.push(error.message));
process.on('unhandledRejection', (reason) => uncaught.push(`rejection ${String(reason)}`));

// A developer's own server has this address; any other is judged by Chromium.
app.on('session-created', (made) => made.setCertificateVerifyProc(({ hostname }, decide) => decide(hostname === '127.0.0.1' ? 0 : -3)));

/** @type {Record<string, (given: any) => unknown>} */
const deeds = {
  ask: (given) => outcomeOf(createNetwork(), given),
  async askAll(given) {
    const network = createNetwork();
    return Promise.all(given.map((/** @type {any} */ one) => outcomeOf(network, one)));
  },
  async inTurn(given) {
    const network = createNetwork();
    const startedAt = performance.now();
    const outcomes = [];
    for (const one of given) outcomes.push(await outcomeOf(network, one));
    return { outcomes, ms: performance.now() - startedAt };
  },
  setProxy: (given) => session.defaultSession.setProxy(given),
  facts: async ({ url }) => ({ proxy: await createNetworkFacts().proxy(url), ask: await createNetworkFacts().ask(url, AbortSignal.timeout(4_000)) }),
  setCookie: (given) => session.defaultSession.cookies.set(given),
  cookies: async () => (await Promise.all(['latchkey-network', 'latchkey-network-2'].map((name) => session.fromPartition(name).cookies.get({})))).flat().length,
  answerItself: ({ scheme }) => session.fromPartition('latchkey-network').protocol.handle(scheme, () => new Response('from the app')),
  openSession: ({ name }) => void session.fromPartition(name, { cache: false }),
  memory: () => process.memoryUsage().rss,
};

void app.whenReady().then(() => {
  createInterface({ input: process.stdin }).on('line', async (line) => {
    const { id, deed, given } = JSON.parse(line);
    const value = await Promise.resolve().then(() => deeds[deed]?.(given)).catch((error) => `failed: ${error.message}`);
    process.stdout.write(`${JSON.stringify({ id, value: value ?? null, uncaught })}\n`);
  }).on('close', () => app.exit(0));
  process.stdout.write('{"ready":true}\n');
});
