// @ts-check
// One of two processes of the same app, on the same stored session, whose tokens grow old at the
// same moment. Both ask for a token at once; the provider ends the grant when a refresh token comes
// twice.
import { app } from 'electron';
import { join } from 'node:path';
import { createPeer } from '../peers/peer.mjs';
import { ask, JOB, measure } from './talk.mjs';

measure(async () => {
  await app.whenReady();
  const peer = await createPeer(JOB['peer'], {
    issuer: JOB.issuer,
    clientId: JOB.clientId,
    service: `bench:${JOB.profile}`,
    store: JOB['store'],
    folder: join(app.getPath('userData'), 'peer'),
    listenAt: '',
  });
  await peer.ready();
  if (JOB['signIn'] === true) {
    await peer.finish(await ask('visit', await peer.begin()));
    await peer.close();
    return null;
  }
  /** @type {string[]} */
  const failures = [];
  for (let round = 0; round < JOB['rounds']; round += 1) {
    peer.expire();
    await ask('meet', `before ${round}`);
    await peer.token().then(
      async (token) => {
        if (!(await ask('check', token)))
          failures.push(`round ${round}: a token that is not valid`);
      },
      (/** @type {any} */ error) => {
        failures.push(`round ${round}: ${String(error?.errorCode ?? error?.code ?? error)}`);
      },
    );
    await ask('meet', `after ${round}`);
  }
  await peer.close();
  return { failures };
});
