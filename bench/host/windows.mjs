// @ts-check
// A change of the view until every window has it: by Latchkey, and by a push of the same view by
// hand. Turn by turn in one app, whose windows hear both ways. A page acknowledges from its own
// script, behind the context bridge.
import { app } from 'electron';
import { createAuth } from '../../dist/main/index.js';
import { wrap } from '../peers/latchkey.mjs';
import { ask, JOB, measure } from './talk.mjs';
import { heard, openWindow } from './window.mjs';

const auth = createAuth({
  issuer: JOB.issuer,
  clientId: JOB.clientId,
  redirects: ['http://127.0.0.1/callback'],
  secretStore: 'memory',
  singleInstanceLock: false,
  trustedOrigins: [],
});

measure(async () => {
  await app.whenReady();
  const peer = wrap(auth);
  await peer.ready();
  await peer.finish(await ask('visit', await peer.begin()));
  const view = auth.getView();
  if (view.status !== 'signed-in') throw new Error('not signed in');
  /** @type {Record<string, { own: number[], floor: number[] }>} */
  const result = {};
  /** @type {import('electron').BrowserWindow[]} */
  const windows = [];
  for (const count of /** @type {number[]} */ (JOB['windows'])) {
    while (windows.length < count) windows.push(await openWindow(false));
    const own = /** @type {number[]} */ ([]);
    const floor = /** @type {number[]} */ ([]);
    for (let round = 0; round < JOB['rounds']; round += 1) {
      floor.push(
        await pushByHand(windows, { ...view, renewal: { ...view.renewal, since: round } }, round),
      );
      own.push(await changeView(windows, peer));
    }
    result[count] = { own: own.slice(2), floor: floor.slice(2) };
  }
  return result;
});

/** @param {readonly import('electron').BrowserWindow[]} windows @param {object} view @param {number} round */
async function pushByHand(windows, view, round) {
  const all = everyWindow(windows, (said) => said.what === 'seen' && said.value === round);
  const startedAt = performance.now();
  for (const { webContents } of windows) webContents.send('bench:push', view);
  await all;
  return performance.now() - startedAt;
}

/**
 * The change that needs nothing but itself: an attempt that waits for the browser is cancelled.
 * @param {readonly import('electron').BrowserWindow[]} windows
 * @param {import('../peers/peer.mjs').Peer} peer
 */
async function changeView(windows, peer) {
  const waiting = new Promise((resolve) => {
    const stop = auth.onView((view) => {
      if ('attempt' in view && view.attempt?.stage === 'waiting')
        setImmediate(() => {
          stop();
          resolve(null);
        });
    });
  });
  await peer.begin().catch(() => undefined);
  await waiting;
  await new Promise((resolve) => setTimeout(resolve, 40));
  const all = everyWindow(windows, (said) => said.what === 'view');
  const startedAt = performance.now();
  await auth.cancelSignIn();
  await all;
  const ms = performance.now() - startedAt;
  await new Promise((resolve) => setTimeout(resolve, 20));
  return ms;
}

/** @param {readonly import('electron').BrowserWindow[]} windows @param {(said: import('./window.mjs').Said) => boolean} matches */
function everyWindow(windows, matches) {
  return Promise.all(
    windows.map(({ webContents }) =>
      heard((said) => said.from === webContents.id && matches(said)),
    ),
  );
}
