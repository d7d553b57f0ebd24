// The page. `latchkey/renderer` is bundled like any other module.
import { defineConfig } from 'vite';

export default defineConfig({
  base: './',
  build: { outDir: 'dist/renderer', target: 'chrome130' },
});
