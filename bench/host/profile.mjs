// @ts-check
// A start and some renewals of Latchkey with notes of every wait, for bench/profile.mjs.
import { app } from 'electron';
import { tokenAtStart } from '../peers/latchkey.mjs';
import { note, takeNotes, watch } from './timeline.mjs';
import { ask, JOB, measure } from './talk.mjs';

watch();
const begunAt = performance.now();
const imported = note('import');
const creation = import('../peers/latchkey.mjs').then(async ({ MAIN, wrap }) => {
  const { createAuth } = /** @type {typeof import('../../src/main/index.js')} */ (
    await import(MAIN)
  );
  imported();
  const created = note('createAuth');
  const auth = createAuth({
    issuer: JOB.issuer,
    clientId: JOB.clientId,
    redirects: ['http://127.0.0.1/callback'],
    keychainService: `bench:${JOB.profile}`,
    singleInstanceLock: false,
    onLog: ({ event, fields }) => {
      note(`log ${event} ${JSON.stringify(fields ?? {})}`)();
    },
  });
  created();
  auth.onView((view) =>
    note(`view ${view.status}${view.status === 'signed-in' ? ` ${view.renewal.state}` : ''}`)(),
  );
  return { auth, peer: wrap(auth) };
});

measure(async () => {
  const ready = note('app ready');
  const { auth, peer } = await creation;
  await app.whenReady();
  ready();
  if (JOB['signIn'] === true) {
    await peer.ready();
    await peer.finish(await ask('visit', await peer.begin()));
    return null;
  }
  await tokenAtStart(auth);
  note('token')();
  const start = takeNotes(begunAt);
  await new Promise((resolve) => setTimeout(resolve, 500));
  const renewals = [];
  for (let round = 0; round < 5; round += 1) {
    peer.expire();
    takeNotes(0);
    const from = performance.now();
    await auth.getAccessToken();
    note('token')();
    await new Promise((resolve) => setTimeout(resolve, 100));
    renewals.push(takeNotes(from));
  }
  const url = await ask('visit', await peer.begin());
  takeNotes(0);
  const redeemFrom = performance.now();
  await peer.finish(url);
  note('signed in')();
  const redeem = takeNotes(redeemFrom);
  return { start, renewals, redeem };
});
