// @ts-check
// What takes more than one document, or a trusted one: pages that ask and leave at once, workers,
// and values that no honest page sends.
/* eslint-disable @typescript-eslint/no-unsafe-assignment -- one host for Electron 33 and later, without types of its own */
import { open, run, until } from './documents.mjs';
import { EMPTY, MALFORMED, REQUESTS } from './requests.mjs';

/** @typedef {Awaited<ReturnType<typeof import('./server.mjs').serve>>} Web */

const ROUNDS = 15;

/** The calls that take something from the page. */
const TAKING = new Set(['signIn', 'pasteCallback', 'switchAccount', 'signOut']);

/** Asks for everything now, and once more when the document goes. It tells what it got. */
const ASK_AND_TELL = `
const ask = () => {
  const got = [raw.view(true)];
  for (const [channel, values] of ${JSON.stringify(Object.values(REQUESTS))})
    void raw.invoke(channel, values).then((reply) => got.push(reply));
  navigator.sendBeacon('/told', JSON.stringify({ from: location.origin, got }));
};
for (const event of ['beforeunload', 'pagehide', 'unload', 'visibilitychange'])
  addEventListener(event, ask);
ask();
`;

/** @param {Web} web @param {() => Promise<void>} change @returns {Record<string, () => Promise<object>>} */
export function trials({ trusted, stranger, neighbour, told }, change) {
  /** @param {string} from @param {string} to */
  const leaving = async (from, to) => {
    const contents = await open(`${from}/`);
    const before = told().length;
    for (let round = 0; round < ROUNDS; round += 1) {
      await run(contents, `{${ASK_AND_TELL}} location.href = '${to}/'`);
      await until(() => contents.getURL() === `${to}/` && !contents.isLoading(), 'it has left');
      await contents.loadURL(`${from}/`);
    }
    await new Promise((resolve) => setTimeout(resolve, 300));
    return { told: told().slice(before) };
  };
  return {
    'a stranger that asks and leaves for a trusted page': () => leaving(stranger, trusted),
    'a neighbour that asks and leaves for a trusted page': () => leaving(neighbour, trusted),

    async 'a trusted page that asks and leaves for a neighbour'() {
      const contents = await open(`${trusted}/`);
      /** @type {unknown[]} */
      const heard = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        // What it asks for is its right; the answers and views must not reach the next document.
        await run(
          contents,
          `for (let n = 0; n < 50; n += 1) void raw.invoke('latchkey:retry', [])`,
        );
        void change();
        await contents.loadURL(`${neighbour}/`);
        await change();
        heard.push(await contents.executeJavaScript('raw.heard().length', true));
        await contents.loadURL(`${trusted}/`);
      }
      return { heard };
    },

    async 'workers of a trusted page and of a stranger'() {
      /** @type {Record<string, unknown>} */
      const seen = {};
      for (const [name, url] of Object.entries({ trusted, stranger })) {
        const contents = await open(`${url}/`, { nodeIntegrationInWorker: true });
        seen[name] = await contents.executeJavaScript(
          `(async () => {
            await navigator.serviceWorker.register('/worker.js');
            await navigator.serviceWorker.ready;
            while (navigator.serviceWorker.controller === null)
              await new Promise((resolve) => setTimeout(resolve, 20));
            return (await fetch('/seen')).json();
          })()`,
          true,
        );
      }
      return { seen };
    },

    async 'malformed values of a trusted page'() {
      const contents = await open(`${trusted}/`);
      /** @type {Record<string, string>} */
      const odd = {};
      for (const [name, [channel]] of Object.entries(REQUESTS))
        if (TAKING.has(name))
          Object.assign(
            odd,
            await contents.executeJavaScript(
              `(async () => {
                const soon = (answer) =>
                  Promise.race([answer, new Promise((resolve) => setTimeout(() => resolve('none'), 4000))]);
                const values = [${[...MALFORMED, ...(name === 'signIn' ? [] : EMPTY)].map((value) => `() => (${value})`).join()}];
                const codes = await Promise.all(values.map(async (make) => {
                  const reply = await soon(raw.invoke('${channel}', [make()]).catch(String));
                  return ['${name} ' + make, reply.ok === false ? reply.error.code : JSON.stringify(reply)];
                }));
                return Object.fromEntries(codes);
              })()`,
              true,
            ),
          );
      const views = await contents.executeJavaScript(
        `[undefined, null, 0, {}, [], 'false'].map((value) => typeof raw.view(value))`,
        true,
      );
      return { odd, views };
    },
  };
}
