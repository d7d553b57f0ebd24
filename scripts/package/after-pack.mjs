// @ts-check
// electron-builder's afterPack hook: removes Electron's default app, which comes along from
// `electronDist` and would let a packaged executable start any folder. Runs before the fuses are
// set.
import { rmSync } from 'node:fs';
import { join } from 'node:path';

/** @param {import('electron-builder').AfterPackContext} context */
export default function afterPack(context) {
  const resources = context.packager.getResourcesDir(context.appOutDir);
  rmSync(join(resources, 'default_app.asar'), { force: true });
}
