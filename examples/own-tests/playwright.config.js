// Tests in the real Electron.
import { defineConfig } from '@playwright/test';

export default defineConfig({
  testDir: 'test',
  testMatch: '*.spec.js',
  use: {
    providerOptions: { clientId: 'notes-desktop', redirectUris: ['http://127.0.0.1/callback'] },
    launch: {
      args: ['.', '--issuer={issuer}'],
      env: { NOTES_TEST: 'yes' },
      executablePath: process.env.ELECTRON_PATH,
    },
  },
});
