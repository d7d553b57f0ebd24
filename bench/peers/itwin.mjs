// @ts-check
// @itwin/electron-authorization: the one peer that is made for Electron. It stores by safeStorage
//   in electron-store. Its peer range begins at Electron 35; it works in 33. A second sign-in of
//   one object would only renew, so each attempt has an object, a file and a name for its channels
//   of its own.
import { safeStorage, shell } from 'electron';
import { mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { forward } from '../host/clock.mjs';
import { visit } from './latchkey.mjs';
import { SCOPES } from './peer.mjs';

/**
 * @param {import('./peer.mjs').PeerOptions} options
 * @returns {Promise<import('./peer.mjs').Peer>}
 */
export async function create({ issuer, clientId, folder, listenAt }) {
  const require = createRequire(import.meta.url);
  const { ElectronMainAuthorization } = require('@itwin/electron-authorization/Main');
  if (!safeStorage.isEncryptionAvailable()) safeStorage.setUsePlainTextEncryption(true);
  let attempts = 0;
  let client = make('stored');
  let signingIn = Promise.resolve();

  /** @param {string} name */
  function make(name) {
    return new ElectronMainAuthorization({
      clientId,
      scopes: SCOPES.join(' '),
      redirectUris: [listenAt],
      issuerUrl: issuer,
      channelClientPrefix: name,
      tokenStorePath: join(folder, name),
      authenticationOptions: { prompt: 'consent' },
    });
  }

  return {
    callbackHop: true,
    begin: () =>
      new Promise((resolve, reject) => {
        // The first attempt is the one that a later start finds.
        if (attempts > 0) client = make(`attempt-${attempts}`);
        attempts += 1;
        shell.openExternal = async (url) => {
          resolve(url);
        };
        signingIn = client.signIn();
        signingIn.catch(reject);
      }),
    async finish(callbackUrl) {
      await Promise.all([signingIn, visit(callbackUrl)]);
    },
    token: async ({ force = false } = {}) =>
      force ? client.refreshToken() : client.getAccessToken(),
    expire: () => {
      forward(3_700_000);
    },
    async ready() {
      await mkdir(folder, { recursive: true });
      // Finds what was stored and renews it at once; without anything it only asks for the
      // metadata.
      await client.signInSilent();
    },
    async close() {},
  };
}
