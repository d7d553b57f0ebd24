// @ts-check
// @azure/msal-node: bare, with the file persistence of @azure/msal-node-extensions, or with its
//   keyring persistence. Loaded as CommonJS, which is more than twice as fast as its ES modules.
//   Its keytar is the maintained fork: see README.md.
import { createHash, randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { forward } from '../host/clock.mjs';
import { REDIRECT, SCOPES } from './peer.mjs';

/**
 * @param {import('./peer.mjs').PeerOptions} options
 * @returns {Promise<import('./peer.mjs').Peer>}
 */
export async function create({ issuer, clientId, store, folder, service }) {
  const require = createRequire(import.meta.url);
  const { PublicClientApplication } = require('@azure/msal-node');
  await mkdir(folder, { recursive: true });
  const cache =
    store === 'memory'
      ? {}
      : { cache: { cachePlugin: await cachePlugin(require, { store, folder, service }) } };
  const client = new PublicClientApplication({
    auth: { clientId, authority: issuer, knownAuthorities: [new URL(issuer).host] },
    system: { protocolMode: 'OIDC' },
    ...cache,
  });
  let verifier = '';
  let state = '';
  let account = null;

  return {
    callbackHop: false,
    async begin() {
      verifier = randomBytes(32).toString('base64url');
      state = randomBytes(32).toString('base64url');
      const codeChallenge = createHash('sha256').update(verifier).digest('base64url');
      return client.getAuthCodeUrl({
        scopes: SCOPES,
        redirectUri: REDIRECT,
        codeChallenge,
        codeChallengeMethod: 'S256',
        state,
        prompt: 'consent',
      });
    },
    async finish(callbackUrl) {
      const code = new URL(callbackUrl).searchParams.get('code') ?? '';
      const answer = await client.acquireTokenByCode(
        { code, scopes: SCOPES, redirectUri: REDIRECT, codeVerifier: verifier, state },
        { code, state },
      );
      account = answer.account;
    },
    async token({ force = false, scopes = SCOPES } = {}) {
      account ??= (await client.getTokenCache().getAllAccounts())[0] ?? null;
      return (
        await client.acquireTokenSilent({ account, scopes: [...scopes], forceRefresh: force })
      ).accessToken;
    },
    expire: () => {
      forward(3_700_000);
    },
    // Without a read before the sign-in its file persistence never finds what it wrote
    // (docs/performance.md).
    async ready() {
      await client.getTokenCache().getAllAccounts();
    },
    async close() {},
  };
}

/** @param {NodeJS.Require} require @param {Pick<import('./peer.mjs').PeerOptions, 'store' | 'folder' | 'service'>} options */
async function cachePlugin(require, { store, folder, service }) {
  const {
    FilePersistence,
    LibSecretPersistence,
    PersistenceCachePlugin,
  } = require('@azure/msal-node-extensions');
  const path = join(folder, 'msal.json');
  return new PersistenceCachePlugin(
    store === 'file'
      ? await FilePersistence.create(path)
      : await LibSecretPersistence.create(path, service, 'msal'),
  );
}
