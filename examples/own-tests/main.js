// The main process.
import { fileURLToPath } from 'node:url';
import { app, BrowserWindow } from 'electron';
import { createSignIn } from './sign-in.js';

const issuer = process.argv
  .find((argument) => argument.startsWith('--issuer='))
  ?.slice('--issuer='.length);
const { auth, greeting } = createSignIn(issuer ?? 'https://login.example.com');

app.whenReady().then(() => {
  const window = new BrowserWindow();
  auth.onView(() => window.isDestroyed() || window.setTitle(greeting()));
  return window.loadFile(fileURLToPath(new URL('index.html', import.meta.url)));
});
app.on('window-all-closed', () => app.quit());
