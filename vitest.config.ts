// The four layers that run in Node: unit, contract, flow, project. The fifth, e2e, is Playwright's.
// `electron` is replaced by test/support/fake-electron.ts, whose types follow the real one.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const inCi = process.env['CI'] === 'true';
const fakeElectron = fileURLToPath(new URL('./test/support/fake-electron.ts', import.meta.url));

/** Seconds a single test may take, and whether files may run side by side. */
const layers = {
  unit: { seconds: 10, parallel: true },
  contract: { seconds: 30, parallel: false },
  flow: { seconds: 30, parallel: true },
  project: { seconds: 120, parallel: true },
} as const;

export default defineConfig({
  resolve: { alias: existsSync(fakeElectron) ? { electron: fakeElectron } : {} },
  test: {
    allowOnly: !inCi,
    passWithNoTests: true,
    projects: Object.entries(layers).map(([name, layer]) => ({
      extends: true,
      test: {
        name,
        include: [`test/${name}/**/*.test.ts`],
        environment: 'node' as const,
        testTimeout: layer.seconds * 1000,
        hookTimeout: layer.seconds * 1000,
        fileParallelism: layer.parallel,
      },
    })),
  },
});
