// Runs webpack as @electron-forge/plugin-webpack does: the main process as CommonJS into
// .webpack/main/index.js, the page into .webpack/renderer. A real host has Forge do it and does not
// need this file.
import { copyFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import webpack from 'webpack';

const require = createRequire(import.meta.url);
const main = require('./webpack.main.config.js');
const folder = import.meta.dirname;
const out = join(folder, '.webpack');

const configs = [
  {
    ...main,
    target: 'electron-main',
    output: {
      path: join(out, 'main'),
      filename: 'index.js',
      libraryTarget: 'commonjs2',
      ...main.output,
    },
    node: { __dirname: false, __filename: false },
  },
  {
    ...require('./webpack.renderer.config.js'),
    target: 'web',
    entry: './src/page.js',
    output: { path: join(out, 'renderer'), filename: 'page.js' },
  },
];

const stats = await new Promise((resolve, reject) => {
  webpack(
    configs.map((config) => ({ ...config, context: folder, mode: 'production', devtool: false })),
    (error, result) => (error === null ? resolve(result) : reject(error)),
  );
});
console.log(stats.toString({ preset: 'errors-warnings' }));
copyFileSync(join(folder, 'src', 'index.html'), join(out, 'renderer', 'index.html'));
process.exitCode = stats.hasErrors() ? 1 : 0;
