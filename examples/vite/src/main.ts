// The main process: sign-in, and one window.
import { app, BrowserWindow } from 'electron';
import { fileURLToPath } from 'node:url';
import { createAuth } from 'latchkey/main';

createAuth({
  issuer: process.env['NOTES_ISSUER'] ?? 'https://login.example.com',
  clientId: 'notes-desktop',
  redirects: ['http://127.0.0.1/callback'],
  scopes: ['openid', 'profile', 'offline_access'],
  // This host has a preload of its own, and it holds Latchkey's.
  attachPreload: false,
  // Vite's development server.
  trustedOrigins: app.isPackaged ? [] : ['http://localhost:5173'],
});

const beside = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

void app.whenReady().then(() => {
  const window = new BrowserWindow({
    webPreferences: { preload: beside('../preload/preload.cjs') },
  });
  void window.loadFile(beside('../renderer/index.html'));
});
app.on('window-all-closed', () => app.quit());
