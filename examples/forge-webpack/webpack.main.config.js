// What a Forge host has in webpack.main.config.js. Latchkey stays outside: webpack writes
// `import('latchkey/main')`, which is how a CommonJS bundle can load an ES module.
module.exports = {
  entry: './src/main.js',
  externals: { 'latchkey/main': 'import latchkey/main' },
  output: { environment: { dynamicImport: true } },
};
