// The preload: one CommonJS file that requires electron only, because a sandboxed preload can load
// nothing else. Here Latchkey's own preload belongs into the bundle.
import { defineConfig } from 'vite';

export default defineConfig({
  build: {
    outDir: 'dist/preload',
    target: 'chrome130',
    lib: { entry: 'src/preload.ts', formats: ['cjs'], fileName: () => 'preload.cjs' },
    rolldownOptions: { external: ['electron'] },
  },
});
