// What a Forge host has in webpack.renderer.config.js: nothing special, latchkey/renderer is
// bundled.
module.exports = {};
