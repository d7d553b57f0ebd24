// @ts-check
// A preload of a careless host: every document can send Latchkey's messages itself. What main
// refuses is then refused by main alone.
// eslint-disable-next-line @typescript-eslint/no-require-imports
const { contextBridge, ipcRenderer } = require('electron');

/** @typedef {{ readonly type: string, readonly error?: { readonly code: string } }} Message */

let views = 0;
ipcRenderer.on('latchkey:view-changed', () => {
  views += 1;
});
contextBridge.exposeInMainWorld('raw', {
  call: () => ipcRenderer.invoke('latchkey:retry'),
  views: () => views,
  /** Why a request to an API fails. */
  fetch: () =>
    new Promise((resolve) => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = (/** @type {MessageEvent<Message>} */ { data }) => {
        resolve(data.error?.code ?? data.type);
      };
      const head = { url: 'http://127.0.0.1:9/', method: 'GET', headers: [], body: null };
      const rest = { redirect: 'follow', withCookies: false, account: null, stepUp: false };
      ipcRenderer.postMessage('latchkey:fetch', { ...head, ...rest }, [port2]);
    }),
});
