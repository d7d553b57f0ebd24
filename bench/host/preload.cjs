// The preload of the bench's own windows: pages say that they painted and that they saw a view;
// main pushes by hand.
const { contextBridge, ipcRenderer } = require('electron');

contextBridge.exposeInMainWorld('bench', {
  say: (what, value) => ipcRenderer.send('bench', what, value),
  onPush: (listener) => {
    ipcRenderer.on('bench:push', (_event, view) => listener(view));
  },
});
