// @ts-check
// openid-client has no token manager: what stands here is what its documentation shows, with a
// renewal for each caller who finds the token old. `openid-client-shared` adds the one line that an
// app must know of: one renewal for all.
import { mkdir } from 'node:fs/promises';
import { keptIn } from './kept-file.mjs';
import { REDIRECT, SCOPES } from './peer.mjs';

/**
 * @param {import('./peer.mjs').PeerOptions} options
 * @param {import('./peer.mjs').PeerName} name
 * @returns {Promise<import('./peer.mjs').Peer>}
 */
export async function create({ issuer, clientId, store, folder }, name) {
  const client = await import('openid-client');
  const file = keptIn(folder, store);
  let verifier = '';
  let state = '';
  let kept = { accessToken: '', refreshToken: '', expiresAt: 0 };
  let config = null;
  let renewal = null;
  const configuration = async () =>
    (config ??= await client.discovery(new URL(issuer), clientId, undefined, client.None()));

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
  const renew = async () =>
    keep(await client.refreshTokenGrant(await configuration(), kept.refreshToken));

  return {
    callbackHop: false,
    async begin() {
      verifier = client.randomPKCECodeVerifier();
      state = client.randomState();
      const challenge = await client.calculatePKCECodeChallenge(verifier);
      return client.buildAuthorizationUrl(await configuration(), {
        redirect_uri: REDIRECT,
        scope: SCOPES.join(' '),
        code_challenge: challenge,
        code_challenge_method: 'S256',
        state,
        prompt: 'consent',
      }).href;
    },
    async finish(callbackUrl) {
      await keep(
        await client.authorizationCodeGrant(await configuration(), new URL(callbackUrl), {
          pkceCodeVerifier: verifier,
          expectedState: state,
          idTokenExpected: true,
        }),
      );
    },
    async token({ force = false } = {}) {
      if (!force && Date.now() < kept.expiresAt) return kept.accessToken;
      if (name === 'openid-client') return renew();
      renewal ??= renew().finally(() => {
        renewal = null;
      });
      return renewal;
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
