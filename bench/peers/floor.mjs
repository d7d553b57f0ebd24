// @ts-check
// The floor: what the work costs by hand, with no check of anything. PKCE, two POSTs, one shared
// renewal, a file. Not to be used by anybody: it believes every answer.
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { REDIRECT, SCOPES } from './peer.mjs';

/** @typedef {import('./peer.mjs').Peer} Peer */
/** @typedef {{ access_token: string, refresh_token: string, expires_in: number }} Answer */

/**
 * @param {import('./peer.mjs').PeerOptions} options
 * @returns {Promise<Peer>}
 */
export async function create({ issuer, clientId, store, folder, network = 'fetch' }) {
  const send = network === 'fetch' ? fetch : await electronFetch();
  const file = join(folder, 'floor.json');
  let verifier = '';
  let accessToken = '';
  let refreshToken = '';
  let expiresAt = 0;
  /** @type {Promise<string> | null} */
  let renewal = null;

  /** @param {Record<string, string>} parameters */
  async function post(parameters) {
    const response = await send(`${issuer}/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ client_id: clientId, ...parameters }).toString(),
    });
    const answer = /** @type {Answer} */ (await response.json());
    accessToken = answer.access_token;
    refreshToken = answer.refresh_token;
    expiresAt = Date.now() + answer.expires_in * 1000;
    if (store === 'file') {
      await writeFile(`${file}.new`, JSON.stringify({ accessToken, refreshToken, expiresAt }), {
        mode: 0o600,
      });
      await rename(`${file}.new`, file);
    }
    return accessToken;
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
      return `${issuer}/auth?${new URLSearchParams(parameters).toString()}`;
    },
    async finish(callbackUrl) {
      await post({
        grant_type: 'authorization_code',
        code: new URL(callbackUrl).searchParams.get('code') ?? '',
        redirect_uri: REDIRECT,
        code_verifier: verifier,
      });
    },
    async token({ force = false } = {}) {
      if (!force && Date.now() < expiresAt) return accessToken;
      renewal ??= post({ grant_type: 'refresh_token', refresh_token: refreshToken }).finally(() => {
        renewal = null;
      });
      return renewal;
    },
    expire() {
      expiresAt = 0;
    },
    async ready() {
      await mkdir(folder, { recursive: true });
      if (store !== 'file') return;
      const kept = await readFile(file, 'utf8').catch(() => '');
      if (kept !== '')
        ({ accessToken, refreshToken, expiresAt } =
          /** @type {{ accessToken: string, refreshToken: string, expiresAt: number }} */ (
            JSON.parse(kept)
          ));
    },
    async close() {},
  };
}

/**
 * The network stack that Latchkey uses, with its proxies and certificates of the system, in a
 * session of its own.
 */
async function electronFetch() {
  const { session } = await import('electron');
  const own = session.fromPartition('bench-floor', { cache: false });
  /** @param {string} url @param {RequestInit} init */
  return (url, init) =>
    own.fetch(url, {
      ...init,
      credentials: 'omit',
      redirect: 'manual',
      cache: 'no-store',
      bypassCustomProtocolHandlers: true,
    });
}
