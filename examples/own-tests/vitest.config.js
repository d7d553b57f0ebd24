// Unit tests without Electron: the name `electron` leads to Latchkey's stand-in, also inside
// Latchkey itself.
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { alias: { electron: fileURLToPath(import.meta.resolve('latchkey/testing/electron')) } },
  test: {
    include: ['test/*.test.js'],
    // The provider makes a key of its own, which takes seconds on a busy machine.
    testTimeout: 20_000,
    // Else Node loads it, which knows nothing of the alias.
    server: { deps: { inline: ['latchkey'] } },
  },
});
