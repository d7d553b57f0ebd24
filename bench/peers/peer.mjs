// @ts-check
// What every peer must be able to do, so that all are measured by the same code; and which there
// are. A peer file loads its library inside `create`, never at its own top: loading is measured
// apart.

/**
 * `store`: where tokens outlive the process. `folder`: its own, for files. `network`: of the floor
 * only.
 * @typedef {{
 *   issuer: string, clientId: string, folder: string, service: string,
 *   store: 'memory' | 'file' | 'keyring', network?: 'fetch' | 'electron',
 *   listenAt: string,
 * }} PeerOptions
 */

/**
 * One way to sign in, as an app would use it. `begin` opens an attempt and resolves with the
 * authorization URL. `finish` takes the callback and resolves when the app is signed in and the
 * tokens are stored. `token` gives an access token, renewed when it is old. `expire` makes it old.
 * `callbackHop`: its callback comes by HTTP, which costs a request that others do not make.
 * `ready`: resolves when what was stored is there.
 * @typedef {{
 *   begin: () => Promise<string>,
 *   finish: (callbackUrl: string) => Promise<void>,
 *   token: (ask?: { force?: boolean, scopes?: readonly string[] }) => Promise<string>,
 *   expire: () => void,
 *   ready: () => Promise<void>,
 *   callbackHop: boolean,
 *   close: () => Promise<void>,
 * }} Peer
 */

/** @typedef {'floor' | 'latchkey' | 'msal' | 'openid-client' | 'openid-client-shared' | 'oauth4webapi' | 'appauth' | 'itwin'} PeerName */

/** @type {Record<PeerName, string>} */
const FILES = {
  floor: 'floor',
  latchkey: 'latchkey',
  msal: 'msal',
  'openid-client': 'openid-client',
  'openid-client-shared': 'openid-client',
  oauth4webapi: 'oauth4webapi',
  appauth: 'appauth',
  itwin: 'itwin',
};

/** For peers that make the URL themselves. */
export const SCOPES = ['openid', 'profile', 'email', 'offline_access'];
export const REDIRECT = 'http://127.0.0.1:43117/callback';

/**
 * @param {PeerName} name
 * @param {PeerOptions} options
 * @returns {Promise<Peer>}
 */
export async function createPeer(name, options) {
  const { create } =
    /** @type {{ create: (options: PeerOptions, name: PeerName) => Promise<Peer> }} */ (
      await import(`./${FILES[name]}.mjs`)
    );
  return create(options, name);
}
