// @ts-check
// How long a library takes to be there, in a real Electron main process after ready; nothing else
// was loaded before.
import { app } from 'electron';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { JOB, measure } from './talk.mjs';

measure(async () => {
  await app.whenReady();
  // The app's own start goes on for a while after ready; a library that is loaded meanwhile waits
  // in its queue.
  await new Promise((resolve) => setTimeout(resolve, 150));
  const require = createRequire(import.meta.url);
  const [first, ...more] = /** @type {{ kind: 'require' | 'import', path: string }[]} */ (
    JOB['load']
  );
  const memoryBefore = process.memoryUsage().rss;
  const startedAt = performance.now();
  for (const { kind, path } of first === undefined ? [] : [first, ...more]) {
    if (kind === 'require') require(path);
    else await import(path.startsWith('/') ? pathToFileURL(path).href : path);
  }
  const ms = performance.now() - startedAt;
  return { ms, megabytes: (process.memoryUsage().rss - memoryBefore) / 1e6 };
});
