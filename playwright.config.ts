// The e2e layer: genuine Electron, browser, keyring and scheme handling, one private desktop for
// each test.
import { defineConfig } from '@playwright/test';

export default defineConfig({
  testDir: 'test/e2e',
  testMatch: '**/*.spec.ts',
  outputDir: 'test-results',
  // Each test has its own display, bus and provider, so two may run at once; more than two starve
  // on small machines. One that only waits has a worker of its own.
  workers: 3,
  projects: [
    { name: 'desks', testIgnore: '**/slow-person.spec.ts', workers: 2 },
    { name: 'patience', testMatch: '**/slow-person.spec.ts', workers: 1 },
  ],
  fullyParallel: true,
  retries: 0,
  forbidOnly: process.env['CI'] === 'true',
  timeout: 90_000,
  expect: { timeout: 15_000 },
  reporter: [['list']],
});
