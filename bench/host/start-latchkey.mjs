// @ts-check
// The same start with Latchkey, as its README says: imported at the top, created before the app is
// ready, with a scheme and loopback.
import { app } from 'electron';
import { createAuth } from '../../dist/main/index.js';
import { tokenAtStart, wrap } from '../peers/latchkey.mjs';
import { ask, JOB, measure } from './talk.mjs';

const importedAt = performance.now();
const auth = createAuth({
  issuer: JOB.issuer,
  clientId: JOB.clientId,
  redirects:
    JOB['signIn'] === true
      ? ['http://127.0.0.1/callback']
      : ['com.example.bench:/callback', 'http://127.0.0.1/callback'],
  keychainService: `bench:${JOB.profile}`,
  singleInstanceLock: false,
});
const createMs = performance.now() - importedAt;

measure(async () => {
  await app.whenReady();
  const readyAt = performance.now();
  if (JOB['signIn'] === true) {
    const peer = wrap(auth);
    await peer.ready();
    await peer.finish(await ask('visit', await peer.begin()));
    return null;
  }
  const token = await tokenAtStart(auth);
  const tokenAt = performance.now();
  const view = auth.getView();
  const valid =
    view.status === 'signed-in' &&
    view.remembered &&
    (JOB['offline'] === true || (await ask('check', token)));
  return { readyMs: readyAt, afterReadyMs: tokenAt - readyAt, totalMs: tokenAt, createMs, valid };
});
