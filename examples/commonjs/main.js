// The main process of a host that is CommonJS and stays so. Latchkey is an ES module: `import()`
// loads it everywhere. On Electron 35 and later `require('latchkey/main')` does as well, and
// nothing has to wait.
const { app, BrowserWindow } = require('electron');
const path = require('node:path');

// At the top, not when the app is ready: the sooner Latchkey listens, the sooner it hears a
// callback.
const signIn = import('latchkey/main').then(({ createAuth }) =>
  createAuth({
    issuer: process.env.NOTES_ISSUER ?? 'https://login.example.com',
    clientId: 'notes-desktop',
    redirects: ['http://127.0.0.1/callback'],
    scopes: ['openid', 'profile', 'offline_access'],
  }),
);

// A window made before that would have no bridge.
Promise.all([signIn, app.whenReady()]).then(
  () => new BrowserWindow().loadFile(path.join(__dirname, 'index.html')),
  (error) => {
    console.error(error);
    app.exit(1);
  },
);
app.on('window-all-closed', () => app.quit());
