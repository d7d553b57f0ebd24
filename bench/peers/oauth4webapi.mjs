// @ts-check
// oauth4webapi, the engine under Latchkey and openid-client, with the least around it: discovery
// once, checks as its examples do them, a renewal for each caller who finds the token old.
import { mkdir } from 'node:fs/promises';
import { keptIn } from './kept-file.mjs';
import { REDIRECT, SCOPES } from './peer.mjs';

/**
 * @param {import('./peer.mjs').PeerOptions} options
 * @returns {Promise<import('./peer.mjs').Peer>}
 */
export async function create({ issuer, clientId, store, folder }) {
  const oauth = await import('oauth4webapi');
  const client = { client_id: clientId };
  const file = keptIn(folder, store);
  let verifier = '';
  let state = '';
  let kept = { accessToken: '', refreshToken: '', expiresAt: 0 };
  let known = null;

  async function server() {
    known ??= await oauth.processDiscoveryResponse(
      new URL(issuer),
      await oauth.discoveryRequest(new URL(issuer)),
    );
    return known;
  }
  /** @param {any} tokens */
  async function keep(tokens) {
    kept = {
      accessToken: tokens.access_token,
      refreshToken: tokens.refresh_token,
      expiresAt: Date.now() + tokens.expires_in * 1000,
    };
    await file.write(kept);
    return kept.accessToken;
  }

  return {
    callbackHop: false,
    async begin() {
      verifier = oauth.generateRandomCodeVerifier();
      state = oauth.generateRandomState();
      const url = new URL((await server()).authorization_endpoint);
      const parameters = {
        client_id: clientId,
        response_type: 'code',
        redirect_uri: REDIRECT,
        scope: SCOPES.join(' '),
        state,
        code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
        prompt: 'consent',
      };
      for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
      return url.href;
    },
    async finish(callbackUrl) {
      const as = await server();
      const parameters = oauth.validateAuthResponse(as, client, new URL(callbackUrl), state);
      const response = await oauth.authorizationCodeGrantRequest(
        as,
        client,
        oauth.None(),
        parameters,
        REDIRECT,
        verifier,
      );
      await keep(
        await oauth.processAuthorizationCodeResponse(as, client, response, {
          requireIdToken: true,
        }),
      );
    },
    async token({ force = false } = {}) {
      if (!force && Date.now() < kept.expiresAt) return kept.accessToken;
      const as = await server();
      const response = await oauth.refreshTokenGrantRequest(
        as,
        client,
        oauth.None(),
        kept.refreshToken,
      );
      return keep(await oauth.processRefreshTokenResponse(as, client, response));
    },
    expire() {
      kept = { ...kept, expiresAt: 0 };
    },
    async ready() {
      await mkdir(folder, { recursive: true });
      kept = (await file.read()) ?? kept;
    },
    async close() {},
  };
}
