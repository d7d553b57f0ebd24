// The main process, compiled by tsc alone. Pages come from a scheme of the app's own.
import { app, BrowserWindow, protocol } from 'electron';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { createAuth } from 'latchkey/main';

createAuth({
  issuer: process.env['NOTES_ISSUER'] ?? 'https://login.example.com',
  clientId: 'notes-desktop',
  redirects: ['http://127.0.0.1/callback'],
  scopes: ['openid', 'profile', 'offline_access'],
  trustedOrigins: ['notes://app'],
});

// No bundler puts latchkey/renderer into the page, so the page gets it as a file of its own.
const FILES: Readonly<Record<string, readonly [url: string, type: string]>> = {
  '/': [new URL('../index.html', import.meta.url).href, 'text/html; charset=utf-8'],
  '/page.js': [new URL('./page.js', import.meta.url).href, 'text/javascript'],
  '/latchkey.js': [import.meta.resolve('latchkey/renderer'), 'text/javascript'],
};

protocol.registerSchemesAsPrivileged([
  { scheme: 'notes', privileges: { standard: true, secure: true } },
]);

void app.whenReady().then(() => {
  protocol.handle('notes', async (request) => {
    const file = FILES[new URL(request.url).pathname];
    if (file === undefined) return new Response('not found', { status: 404 });
    return new Response(await readFile(fileURLToPath(file[0])), {
      headers: { 'Content-Type': file[1] },
    });
  });
  void new BrowserWindow().loadURL('notes://app/');
});
app.on('window-all-closed', () => app.quit());
