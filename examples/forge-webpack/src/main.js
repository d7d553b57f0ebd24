// The main process, as webpack bundles it. Forge writes __dirname for the folder of the bundle.
import { app, BrowserWindow } from 'electron';
import path from 'node:path';
import { createAuth } from 'latchkey/main';

createAuth({
  issuer: process.env.NOTES_ISSUER ?? 'https://login.example.com',
  clientId: 'notes-desktop',
  redirects: ['http://127.0.0.1/callback'],
  scopes: ['openid', 'profile', 'offline_access'],
});

app
  .whenReady()
  .then(() => new BrowserWindow().loadFile(path.join(__dirname, '..', 'renderer', 'index.html')));
app.on('window-all-closed', () => app.quit());
