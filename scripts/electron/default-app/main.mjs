// @ts-nocheck -- runs inside Electron only, never in the type-checked program
// What `electron APPDIR args…` does: finds the app's folder in argv, gives the process the app's
// name, version and paths, and imports its main. Electron's own default app is not part of the
// repackaged build (see scripts/electron/electron.mjs). process.argv is left as it came, as in the original:
// [electron, …switches, APPDIR, …args].
import { app } from 'electron';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { Module } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const preloads = [];
let target = null;
const args = process.argv.slice(1);
for (let at = 0; at < args.length; at += 1) {
  const arg = args[at];
  if (arg === '-r' || arg === '--require') {
    at += 1;
    if (args[at] !== undefined) preloads.push(args[at]);
  } else if (arg === '-v' || arg === '--version') {
    process.stdout.write(`v${process.versions.electron}\n`);
    process.exit(0);
  } else if (arg === '-a' || arg === '--abi') {
    process.stdout.write(`${process.versions.modules}\n`);
    process.exit(0);
  } else if (arg.startsWith('--app=')) {
    target = arg.slice('--app='.length);
    break;
  } else if (!arg.startsWith('-')) {
    target = arg;
    break;
  }
}

if (target === null) {
  process.stderr.write('usage: electron [switches] [-r module] APPDIR [arguments]\n');
  process.exit(1);
}
if (preloads.length > 0) Module._preloadModules(preloads);

Object.defineProperty(process, 'defaultApp', {
  configurable: false,
  enumerable: true,
  value: true,
});
const root = resolve(target);
const manifestPath = join(root, 'package.json');
let entry = root;
if (existsSync(manifestPath)) {
  const manifest = JSON.parse(readFileSync(manifestPath, 'utf8'));
  if (manifest.version) app.setVersion(manifest.version);
  if (manifest.productName || manifest.name) app.name = manifest.productName || manifest.name;
  app.setDesktopName(manifest.desktopName || `${app.name}.desktop`);
  app.setAppPath(root);
  entry = resolve(root, manifest.main || 'index.js');
} else if (existsSync(root) && statSync(root).isFile()) {
  app.setAppPath(dirname(root));
} else {
  process.stderr.write(`electron: no app at ${root}\n`);
  process.exit(1);
}

// Awaited at the top level, as in the original: `ready` waits for the app's module, so that the app
// can do what must be done before it.
try {
  await import(pathToFileURL(entry).href);
} catch (error) {
  process.stderr.write(`electron: the app's main could not be loaded\n${error?.stack ?? error}\n`);
  process.exit(1);
}
