// @ts-check
// The floor of a start from the keychain: a utility process that loads keytar and reads one entry,
// and nothing else.
import { app, utilityProcess } from 'electron';
import { fileURLToPath } from 'node:url';
import { JOB, measure } from './talk.mjs';

measure(async () => {
  await app.whenReady();
  const readyAt = performance.now();
  const worker = utilityProcess.fork(
    fileURLToPath(new URL('./worker.mjs', import.meta.url)),
    [String(JOB['service']), String(JOB['account'])],
    { stdio: 'ignore' },
  );
  const value = await new Promise((resolve) => worker.once('message', resolve));
  const tokenAt = performance.now();
  worker.kill();
  return {
    readyMs: readyAt,
    afterReadyMs: tokenAt - readyAt,
    totalMs: tokenAt,
    valid: typeof value === 'string' && value.length > 0,
  };
});
