// @ts-check
// A start of the app of a person who is signed in: from ready, and from the start of the process,
// until there is a token. The peers are loaded after ready, as they may be. Latchkey must be called
// before: start-latchkey.mjs.
import { app } from 'electron';
import { join } from 'node:path';
import { ask, JOB, measure } from './talk.mjs';

measure(async () => {
  await app.whenReady();
  const readyAt = performance.now();
  const { createPeer } = await import('../peers/peer.mjs');
  const peer = await createPeer(JOB['peer'], {
    issuer: JOB.issuer,
    clientId: JOB.clientId,
    service: `bench:${JOB.profile}`,
    store: JOB['store'],
    folder: join(app.getPath('userData'), 'peer'),
    network: JOB['network'] ?? 'fetch',
    listenAt: 'http://127.0.0.1:43118/callback',
  });
  await peer.ready();
  if (JOB['signIn'] === true) {
    await peer.finish(await ask('visit', await peer.begin()));
    return null;
  }
  const token = await peer.token();
  const tokenAt = performance.now();
  const valid = JOB['offline'] === true ? true : await ask('check', token.replace(/^bearer /i, ''));
  return { readyMs: readyAt, afterReadyMs: tokenAt - readyAt, totalMs: tokenAt, valid };
});
