// @ts-check
// @openid/appauth 1.4.0 as its Electron sample (flow.ts) uses it: a fresh token for each caller who
//   finds the old one invalid, the new refresh token kept. Node cannot import the package as
//   published (imports without extensions), so the bench bundles it first: parts/bundles.mjs.
import { createHash, randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { keptIn } from './kept-file.mjs';
import { REDIRECT, SCOPES } from './peer.mjs';

export const BUNDLE = new URL('../node_modules/.cache/latchkey-bench/appauth.cjs', import.meta.url)
  .href;

/**
 * @param {import('./peer.mjs').PeerOptions} options
 * @returns {Promise<import('./peer.mjs').Peer>}
 */
export async function create({ issuer, clientId, store, folder }) {
  const { default: appauth } = await import(BUNDLE);
  const {
    AuthorizationServiceConfiguration,
    BaseTokenRequestHandler,
    NodeRequestor,
    TokenRequest,
    TokenResponse,
  } = appauth;
  const requestor = new NodeRequestor();
  const handler = new BaseTokenRequestHandler(requestor);
  const file = keptIn(folder, store);
  let verifier = '';
  let refreshToken = '';
  /** @type {any} */
  let access = null;
  let config = null;
  const configuration = async () =>
    (config ??= await AuthorizationServiceConfiguration.fetchFromIssuer(issuer, requestor));

  /** @param {object} parameters */
  async function post(parameters) {
    const answer = await handler.performTokenRequest(
      await configuration(),
      new TokenRequest({ client_id: clientId, redirect_uri: REDIRECT, ...parameters }),
    );
    access = answer;
    refreshToken = answer.refreshToken ?? refreshToken;
    await file.write({
      accessToken: answer.accessToken,
      refreshToken,
      expiresAt: (answer.issuedAt + answer.expiresIn) * 1000,
    });
    return answer.accessToken;
  }

  return {
    callbackHop: false,
    async begin() {
      verifier = randomBytes(32).toString('base64url');
      const challenge = createHash('sha256').update(verifier).digest('base64url');
      const parameters = {
        client_id: clientId,
        response_type: 'code',
        redirect_uri: REDIRECT,
        scope: SCOPES.join(' '),
        state: randomBytes(32).toString('base64url'),
        code_challenge: challenge,
        code_challenge_method: 'S256',
        prompt: 'consent',
      };
      return `${(await configuration()).authorizationEndpoint}?${new URLSearchParams(parameters).toString()}`;
    },
    async finish(callbackUrl) {
      await post({
        grant_type: 'authorization_code',
        code: new URL(callbackUrl).searchParams.get('code') ?? undefined,
        extras: { code_verifier: verifier },
      });
    },
    async token({ force = false } = {}) {
      if (!force && access !== null && access.isValid()) return access.accessToken;
      return post({ grant_type: 'refresh_token', code: undefined, refresh_token: refreshToken });
    },
    expire() {
      access = null;
    },
    async ready() {
      await mkdir(folder, { recursive: true });
      const kept = await file.read();
      if (kept === null) return;
      refreshToken = kept.refreshToken;
      access = new TokenResponse({
        access_token: kept.accessToken,
        issued_at: Math.floor(Date.now() / 1000),
        expires_in: String(Math.max(1, Math.floor((kept.expiresAt - Date.now()) / 1000))),
      });
    },
    async close() {},
  };
}
