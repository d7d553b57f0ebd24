// The four layers that run in Node: unit, contract, flow, project. The fifth, e2e, is Playwright's.
// Flow runs four times: once whole, with a person who answers at once, and each suite that signs in
// with three who take time. `electron` is replaced by test/support/fake-electron.ts, whose types
// follow the real one.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const inCi = process.env['CI'] === 'true';
const fakeElectron = fileURLToPath(new URL('./test/support/fake-electron.ts', import.meta.url));

/**
 * Seconds a single test may take, whether files may run side by side, and whether each gets a
 * process of its own. Where none does, the modules are loaded and compiled once for many files.
 */
const layers = {
  unit: { seconds: 30, parallel: true, isolate: false },
  contract: { seconds: 30, parallel: false, isolate: true },
  flow: { seconds: 30, parallel: true, isolate: false },
  project: { seconds: 120, parallel: true, isolate: true },
} as const;

/**
 * Seconds that the person takes in the browser, by project; `limit`: just under what an attempt
 * has.
 */
const people = { flow: '0', 'flow-61s': '61', 'flow-4min': '240', 'flow-limit': 'limit' } as const;

/** The suites of an app: their person is the one of flow-app.ts. */
const signingIn = readdirSync(new URL('./test/flow/', import.meta.url))
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => `test/flow/${name}`)
  .filter((path) => readFileSync(new URL(path, import.meta.url), 'utf8').includes('flow-app.js'));

/**
 * How old the answers of the provider's cache are follows from it; to repeat a run, give the number
 * that it printed.
 */
const seed = process.env['LATCHKEY_AGES'] ?? String(Math.floor(Math.random() * 2 ** 31));

const FLOW = {
  globalSetup: ['test/support/flow-report.ts', 'test/support/rsa-keys.ts'],
  setupFiles: ['test/support/rsa-ring.ts'],
};

const projects = [
  ...(['unit', 'contract', 'project'] as const).map((name) => ({
    name,
    layer: layers[name],
    include: [`test/${name}/**/*.test.ts`],
    env: {},
  })),
  ...Object.entries(people).map(([name, person]) => ({
    name,
    layer: layers.flow,
    include: name === 'flow' ? ['test/flow/**/*.test.ts'] : signingIn,
    env: { LATCHKEY_PERSON: person, LATCHKEY_AGES: seed },
  })),
];

export default defineConfig({
  resolve: { alias: existsSync(fakeElectron) ? { electron: fakeElectron } : {} },
  test: {
    allowOnly: !inCi,
    passWithNoTests: true,
    projects: projects.map(({ name, layer, include, env }) => ({
      extends: true,
      test: {
        name,
        include,
        env,
        ...(name in people ? FLOW : {}),
        environment: 'node' as const,
        testTimeout: layer.seconds * 1000,
        hookTimeout: layer.seconds * 1000,
        fileParallelism: layer.parallel,
        isolate: layer.isolate,
      },
    })),
  },
});
