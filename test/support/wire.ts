// A provider in memory at the level of HTTP: metadata, key set and signed ID tokens as a test wants
// them, and every request kept. For what the embedded provider cannot be: other hosts, other
// issuers, other habits.
import { SignJWT, exportJWK, generateKeyPair } from 'jose';
import { createBoundedFetch } from '../../src/main/core/oauth/bounded-fetch.js';
import { parseOptions } from '../../src/main/core/options/options.js';
import type { GivenOptions } from '../../src/main/core/options/auth-options.js';
import type { Network, NetworkRequest } from '../../src/main/core/base/ports.js';
import { type OAuthClient, createOAuthClient } from '../../src/main/core/oauth/client.js';
import { createFakeLog } from './fakes.js';

export interface WireRequest {
  readonly url: string;
  readonly init: NetworkRequest;
  readonly form: URLSearchParams;
}

export interface Wire {
  readonly protocol: OAuthClient;
  readonly requests: readonly WireRequest[];
  readonly log: ReturnType<typeof createFakeLog>;
  /**
   * An ID token with these claims, signed by the key of the key set; `exp` and `iat` are right
   * unless given.
   */
  idToken(claims: Readonly<Record<string, unknown>>): Promise<string>;
  /** What a URL that begins so answers from now on. */
  answer(urlBegin: string, answer: (request: WireRequest) => Response | Promise<Response>): void;
  /** The key set, as JSON. */
  readonly keys: object;
}

/**
 * A protocol with these options before a network that answers by what the test has set, and 404
 * else.
 */
export async function createWire(options: Partial<GivenOptions>): Promise<Wire> {
  const { privateKey, publicKey } = await generateKeyPair('ES256');
  const keys = { keys: [{ ...(await exportJWK(publicKey)), kid: 'k', alg: 'ES256', use: 'sig' }] };
  const requests: WireRequest[] = [];
  const answers = new Map<string, (request: WireRequest) => Response | Promise<Response>>();
  const network: Network = {
    async fetch(url, init) {
      const request = { url, init, form: new URLSearchParams(init.body ?? '') };
      requests.push(request);
      const begin = [...answers.keys()]
        .filter((prefix) => url.startsWith(prefix))
        .sort((a, b) => b.length - a.length)[0];
      return (await answers.get(begin ?? '')?.(request)) ?? new Response(null, { status: 404 });
    },
  };
  const clock = {
    now: () => Date.now(),
    elapsed: () => performance.now(),
    after: () => () => undefined,
  };
  const log = createFakeLog();
  const settings = parseOptions({
    clientId: 'me',
    redirects: ['com.example.app:/callback'],
    ...options,
  });
  const protocol = createOAuthClient(
    settings,
    createBoundedFetch(network, clock, { timeoutMs: 60_000, responseBytes: 1_048_576 }),
    clock,
    log,
  );
  return {
    protocol,
    requests,
    log,
    keys,
    answer: (urlBegin, answer) => {
      answers.set(urlBegin, answer);
    },
    idToken: (claims) =>
      new SignJWT({
        exp: Math.floor(Date.now() / 1000) + 300,
        iat: Math.floor(Date.now() / 1000),
        ...claims,
      })
        .setProtectedHeader({ alg: 'ES256', kid: 'k' })
        .sign(privateKey),
  };
}
