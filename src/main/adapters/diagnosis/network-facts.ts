// Facts about the network between this app and the provider: proxy, certificate, the headers of our
// own requests, and one request that shows where a redirect leads. Uses only Electron's network, in
// separate sessions, and affects no others.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { app, net, session } from 'electron';
import type {
  Ask,
  HeaderFacts,
  PlainAnswer,
  ProxyFacts,
  TlsFacts,
  Unseen,
} from '../../diagnosis/facts.js';
import type { Network } from '../../core/base/ports.js';
import { createOwnSessions } from '../network/sessions.js';

/**
 * In memory. Separate from the sessions that carry tokens, because certificates are inspected here.
 */
const PARTITION = 'latchkey-diagnosis';
const SESSIONS_MAX = 2;
const TEXT_MAX_LENGTH = 65_536;
const LIMIT_MS = 10_000;
/**
 * "Use the verification result of Chromium": inspecting a certificate never makes it acceptable.
 */
const AS_CHROMIUM_SAYS = -3;

export interface NetworkFacts {
  readonly ask: Ask;
  proxy(url: string): Promise<ProxyFacts>;
  tls(url: string): Promise<TlsFacts | Unseen>;
}

/**
 * Uses the same path as the app's own requests. Each call ends within 10 seconds or with its
 * signal.
 */
export function createNetworkFacts(): NetworkFacts {
  /**
   * Chromium keeps its result for some time and then does not ask again. So this keeps the last
   * result for each host.
   */
  const seen = new Map<string, TlsFacts>();
  const sessions = createOwnSessions(PARTITION, SESSIONS_MAX, (own) => {
    own.setCertificateVerifyProc(
      ({ hostname, certificate, isIssuedByKnownRoot, errorCode, verificationResult }, decide) => {
        const issuer = certificate.issuerName;
        seen.set(
          hostname,
          errorCode === 0
            ? { state: 'trusted', issuer, publicRoot: isIssuedByKnownRoot }
            : { state: 'refused', word: verificationResult.replace(/^net::/, ''), issuer },
        );
        decide(AS_CHROMIUM_SAYS);
      },
    );
  });

  async function ask(url: string, signal: AbortSignal): Promise<PlainAnswer> {
    await app.whenReady();
    const taken = await sessions.take(url, { fresh: false, signal });
    try {
      return await askOnce(taken.session, url, signal);
    } finally {
      // It may have been left in the middle of its answer.
      taken.release(false);
    }
  }

  return {
    ask,
    async proxy(url) {
      await app.whenReady();
      const answer = await session.defaultSession.resolveProxy(url);
      return { source: 'system', proxies: readProxies(answer) };
    },
    async tls(url) {
      const { protocol, hostname, origin } = new URL(url);
      if (protocol !== 'https:') return { state: 'none' };
      // Whatever it answers: the handshake is what counts.
      const failed = await ask(`${origin}/`, AbortSignal.timeout(LIMIT_MS)).then(
        () => false,
        () => true,
      );
      return (
        seen.get(hostname) ?? {
          unseen: failed ? 'the provider does not answer' : 'Chromium showed no certificate',
        }
      );
    },
  };
}

/**
 * The proxies in an answer of `session.resolveProxy`, such as `PROXY proxy.example.com:8080;
 * DIRECT`. Pure.
 */
export function readProxies(answer: string): readonly string[] {
  const [first = 'DIRECT'] = answer.split(';');
  if (first.trim() === 'DIRECT') return [];
  return answer
    .split(';')
    .flatMap(
      (entry) =>
        /^\s*(?:PROXY|HTTPS|SOCKS[45]?|QUIC)\s+([A-Za-z0-9.:[\]-]{1,255})\s*$/.exec(entry)?.[1] ??
        [],
    );
}

/**
 * Sends one request by `network` to a server of our own on this computer, and says what came with
 * it.
 */
export async function readOwnHeaders(network: Network): Promise<HeaderFacts> {
  return await new Promise((resolve, reject) => {
    const server = createServer((request, response) => {
      const { origin, cookie } = request.headers;
      response
        .writeHead(200, { 'Set-Cookie': 'latchkey-doctor=1; Path=/', Connection: 'close' })
        .end('{}');
      // Sends two requests: a cookie from the first answer would go out with the second.
      count += 1;
      found = {
        origin: found.origin || origin !== undefined,
        cookie: found.cookie || cookie !== undefined,
      };
    });
    let count = 0;
    let found: HeaderFacts = { origin: false, cookie: false };
    server.once('error', reject);
    server.listen({ host: '127.0.0.1', port: 0, exclusive: true }, () => {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`;
      const send = (): Promise<string> =>
        network
          .fetch(url, {
            method: 'POST',
            headers: { 'content-type': 'application/x-www-form-urlencoded' },
            body: 'grant_type=none',
            signal: AbortSignal.timeout(LIMIT_MS),
          })
          .then((response) => response.text());
      send()
        .then(send)
        .then(
          () => (count === 2 ? resolve(found) : reject(new Error('the request went elsewhere'))),
          reject,
        )
        .finally(() => {
          server.close();
          server.closeAllConnections();
        });
    });
  });
}

function askOnce(own: Electron.Session, url: string, signal: AbortSignal): Promise<PlainAnswer> {
  return new Promise((resolve, reject) => {
    // `fetch` says of a redirect that it was cancelled, and not where it leads.
    const request = net.request({
      url,
      session: own,
      redirect: 'manual',
      credentials: 'omit',
      useSessionCookies: false,
    });
    const give = (answer: PlainAnswer): void => {
      signal.removeEventListener('abort', abort);
      resolve(answer);
      request.abort();
    };
    const abort = (): void => {
      reject(new Error('no answer in time'));
      request.abort();
    };
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort);
    request.on('redirect', (status, _method, location) => give({ status, location, text: '' }));
    request.on('response', (response) => {
      let text = '';
      const done = (): void => give({ status: response.statusCode, location: null, text });
      response.on('data', (chunk) => {
        text += chunk.toString();
        if (text.length > TEXT_MAX_LENGTH) done();
      });
      response.on('end', done);
      response.on('error', done);
      response.on('aborted', done);
    });
    request.on('error', (error) => {
      signal.removeEventListener('abort', abort);
      reject(error);
    });
    request.end();
  });
}
