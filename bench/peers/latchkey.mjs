// @ts-check
// Latchkey from dist/, used as a host uses it: `createAuth`, `signIn`, `getAccessToken`. The system
// browser is the bench's person: what the app gives to `shell.openExternal` goes there.
import { app, shell } from 'electron';
import { get } from 'node:http';
import { forward } from '../host/clock.mjs';

/** @typedef {import('../../src/main/index.js').Auth} Auth */
/** @typedef {typeof import('../../src/main/index.js')} LatchkeyMain */

export const MAIN = new URL('../../dist/main/index.js', import.meta.url).href;

/**
 * @param {import('./peer.mjs').PeerOptions} options
 * @returns {Promise<import('./peer.mjs').Peer>}
 */
export async function create({ issuer, clientId, store, service }) {
  const { createAuth } = /** @type {LatchkeyMain} */ (await import(MAIN));
  return wrap(
    createAuth({
      issuer,
      clientId,
      redirects: ['http://127.0.0.1/callback'],
      keychainService: service,
      singleInstanceLock: false,
      ...(store === 'memory' ? { secretStore: 'memory' } : {}),
    }),
  );
}

/**
 * @param {Auth} auth
 * @returns {import('./peer.mjs').Peer}
 */
export function wrap(auth) {
  /** @type {Promise<void>} */
  let signingIn = Promise.resolve();
  /** The newest token, for a caller that reports it as refused. */
  let latest = '';
  return {
    callbackHop: true,
    begin: () =>
      new Promise((resolve, reject) => {
        shell.openExternal = async (url) => {
          resolve(url);
        };
        signingIn = auth.signIn();
        signingIn.catch(reject);
      }),
    async finish(callbackUrl) {
      await Promise.all([signingIn, visit(callbackUrl)]);
    },
    token: (ask) =>
      ask === undefined
        ? auth.getAccessToken()
        : auth.getAccessToken({
            ...(ask.scopes === undefined ? {} : { scopes: ask.scopes }),
            ...(ask.force === true ? { refused: latest } : {}),
          }),
    expire() {
      auth.getAccessToken().then(
        (token) => {
          latest = token;
        },
        () => undefined,
      );
      forward(3_700_000);
    },
    async ready() {
      await app.whenReady();
      await new Promise((resolve) => {
        const stop = auth.onView((view) => {
          if (view.status !== 'starting')
            setImmediate(() => {
              stop();
              resolve(null);
            });
        });
      });
    },
    close: () => auth.stop(),
  };
}

/**
 * The token as an app gets it that does not give up when the keyring is slow: then it waits until
 * somebody is signed in.
 * @param {Auth} auth
 * @returns {Promise<string>}
 */
export async function tokenAtStart(auth) {
  try {
    return await auth.getAccessToken();
  } catch (error) {
    if (/** @type {{ code?: string }} */ (error).code !== 'keyring-locked') throw error;
    await new Promise((resolve) => {
      const stop = auth.onView(({ status }) => {
        if (status === 'signed-in')
          setImmediate(() => {
            stop();
            resolve(null);
          });
      });
    });
    return auth.getAccessToken();
  }
}

/**
 * The browser's part of a callback by loopback.
 * @param {string} url
 * @returns {Promise<void>}
 */
export function visit(url) {
  return new Promise((resolve, reject) => {
    get(url, { agent: false }, (response) => response.resume().once('end', resolve)).once(
      'error',
      reject,
    );
  });
}
