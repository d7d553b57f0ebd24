// @ts-check
// What an app holds while nothing happens: timers of the main process before Latchkey and with a
// signed-in person, how many of them fire in a few seconds, and the memory of the keychain's
// process.
import { app } from 'electron';
import { createHook } from 'node:async_hooks';
import { createPeer } from '../peers/peer.mjs';
import { ask, JOB, measure } from './talk.mjs';

const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;

measure(async () => {
  await app.whenReady();
  const before = timers();
  const peer = await createPeer('latchkey', {
    issuer: JOB.issuer,
    clientId: JOB.clientId,
    service: `bench:${JOB.profile}`,
    store: 'keyring',
    folder: '',
    listenAt: '',
  });
  await peer.ready();
  await peer.finish(await ask('visit', await peer.begin()));
  // Sockets of the sign-in are closed by then.
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  const held = timers() - before;
  let fired = 0;
  /** @type {Set<number>} */
  const known = new Set();
  const hook = createHook({
    init: (id, type) => {
      if (type === 'Timeout') known.add(id);
    },
    before: (id) => {
      if (known.has(id)) fired += 1;
    },
  }).enable();
  await new Promise((resolve) => setTimeout(resolve, 5_000));
  hook.disable();
  const valid = await ask('check', await peer.token());
  const worker = app
    .getAppMetrics()
    .find(({ name, serviceName }) => `${name ?? ''}${serviceName ?? ''}`.includes('Latchkey'));
  await peer.close();
  // The wait itself is one timer.
  return {
    timers: held,
    fired: fired - 1,
    workerMegabytes: worker === undefined ? null : worker.memory.workingSetSize / 1000,
    valid,
  };
});
