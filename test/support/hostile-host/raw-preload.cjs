// @ts-check
// A preload of a careless host: each document, a frame too, can send whatever it likes to main, in
// every way, and keeps what main sends. What is refused is then refused by main alone.
// eslint-disable-next-line @typescript-eslint/no-require-imports
const { contextBridge, ipcRenderer } = require('electron');

/** @type {unknown[]} */
const heard = [];
ipcRenderer.on('latchkey:view-changed', (_event, view) => heard.push(view));

/** @typedef {{ ok?: boolean } | null} Reply */

const raw = {
  heard: () => heard,
  /** @returns {Promise<unknown>} */
  invoke: (/** @type {string} */ channel, /** @type {unknown[]} */ values) =>
    ipcRenderer.invoke(channel, ...values),
  /** The other ways of a message, with a port too. */
  others(/** @type {string} */ channel, /** @type {unknown} */ value) {
    ipcRenderer.send(channel, value);
    ipcRenderer.postMessage(channel, value, [new MessageChannel().port1]);
    ipcRenderer.sendToHost(channel, value);
  },
  /** @returns {unknown} */
  view: (/** @type {unknown} */ isolated) => ipcRenderer.sendSync('latchkey:view', isolated),
  /** So many at once; answers how many were done. Here, for the bridge copies what crosses it. */
  async many(/** @type {string} */ channel, /** @type {number} */ count) {
    const all = Array.from({ length: count }, async () => {
      /** @type {unknown} */
      const answer = await ipcRenderer.invoke(channel);
      const reply = /** @type {Reply} */ (answer);
      return reply?.ok === true;
    });
    return (await Promise.all(all)).filter(Boolean).length;
  },
};
if (process.contextIsolated) contextBridge.exposeInMainWorld('raw', raw);
else Object.assign(globalThis, { raw });
