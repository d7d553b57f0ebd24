// The main process as an ES module. Latchkey stays outside the bundle: its preload and its keychain
// worker are files of their own beside its modules.
import { builtinModules } from 'node:module';
import { defineConfig } from 'vite';

export default defineConfig({
  build: {
    outDir: 'dist/main',
    target: 'node20',
    lib: { entry: 'src/main.ts', formats: ['es'], fileName: 'main' },
    rolldownOptions: {
      external: ['electron', /^latchkey(\/|$)/, /^node:/, ...builtinModules],
    },
  },
});
