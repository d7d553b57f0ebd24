// @ts-check
// A preload of a careless host: every document can send Latchkey's messages itself. What main
// refuses is then refused by main alone.
// eslint-disable-next-line @typescript-eslint/no-require-imports
const { contextBridge, ipcRenderer } = require('electron');

let views = 0;
ipcRenderer.on('latchkey:view-changed', () => {
  views += 1;
});
contextBridge.exposeInMainWorld('raw', {
  call: () => ipcRenderer.invoke('latchkey:retry'),
  views: () => views,
});
