// The embedded identity provider: wires server, oidc-provider, people, faults and books together.
// Every request goes one way: note → refuse by fault → carry out → alter by fault → note → send.
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Provider as OidcProvider } from 'oidc-provider';
import { jsonAnswer, PATHS, runListener } from './exchange.js';
import type { Answer, Exchange } from './exchange.js';
import { alter, deliver, isCallback, refuse } from './fault-effects.js';
import type { Delivery } from './fault-effects.js';
import { createFaultList } from './faults.js';
import type { Fault, TokenGrantType } from './faults.js';
import { listen } from './http-server.js';
import { finishIdToken } from './id-token.js';
import { answerInteraction } from './interactions.js';
import { createLedger } from './ledger.js';
import type { IssuedSecret, RequestRecord } from './ledger.js';
import { askForConsent } from './offline-access.js';
import { createOidc, loadOidcPackage } from './oidc.js';
import { createPeople } from './people.js';
import { answerMe, plainOAuthMetadata } from './plain-oauth.js';
import { checkAccessTokenSeconds, readProviderOptions } from './provider-options.js';
import type { ProviderOptions } from './provider-options.js';
import { createSigningKey } from './signing-keys.js';
import { createStore } from './store.js';

/** The endpoints as absolute URLs: for clients that are told by hand, and for tests that ask themselves. */
export interface ProviderEndpoints {
  readonly authorization: string;
  readonly token: string;
  readonly jwks: string;
  /** Needs the scope `openid` (OpenID Connect Core §5.3). */
  readonly userinfo: string;
  /** The same for every access token: `sub`, and what the scopes `profile` and `email` allow. For plain OAuth 2.0. */
  readonly me: string;
  readonly revocation: string;
  readonly endSession: string;
  /** RFC 8628 §3.1. */
  readonly deviceAuthorization: string;
}

/** A running provider. Everything about it is gone after `stop()`. */
export interface Provider {
  /** `http://127.0.0.1:PORT`, without a slash at the end. */
  readonly issuer: string;
  readonly clientId: string;
  readonly redirectUris: readonly string[];
  readonly endpoints: ProviderEndpoints;
  /** Every request so far, oldest first; grows while the provider runs. */
  readonly requests: readonly RequestRecord[];
  /** Every secret value that passed so far, each once, oldest first. Search your logs and files for them. */
  readonly issued: readonly IssuedSecret[];
  /** How many token requests of this `grant_type` came, whatever became of them. */
  tokenRequests(grantType: TokenGrantType): number;
  /** Sets one more fault. It acts on requests that come from now on. */
  fault(fault: Fault): void;
  /** Ends all faults for new requests. A request that already hangs stays hanging. */
  clearFaults(): void;
  /** Faults that were set with `times` and were not used up: empty at the end of a test that went by its script. */
  unusedFaults(): readonly Fault[];
  /** The life of access tokens made from now on: a whole number of at least 1. */
  setAccessTokenSeconds(seconds: number): void;
  /** A new signing key under a new `kid`; the old one leaves the JWKS at once. */
  rotateKeys(): Promise<void>;
  /** Every code, token and grant ends at once, as an administrator or a changed password does it. */
  revokeAll(): void;
  /** Access tokens end at once; refresh tokens stay. */
  revokeAccessTokens(): void;
  /** Browsers are signed out of the provider: the next authorization request asks for the name again. */
  expireSessions(): void;
  /** Destroys every connection, also hanging ones, and frees the port. Idempotent; leaves no handle open. */
  stop(): Promise<void>;
}

/** How many answers to custom schemes are kept for the link "Open the app again". */
const KEPT_CALLBACKS = 100;

/**
 * Starts a provider on 127.0.0.1. Rejects with a TypeError for a wrong option, and with an Error when the port is taken
 * or an optional package is missing. Quiet: writes nothing to the console.
 */
export async function startProvider(options: ProviderOptions = {}): Promise<Provider> {
  const settings = readProviderOptions(options);
  const oidcPackage = await loadOidcPackage();
  let key = await createSigningKey(settings.signingAlgorithm);
  const server = await listen(settings.port);
  const issuer = `http://127.0.0.1:${server.port}`;

  const store = createStore();
  const people = createPeople(settings.people);
  const faults = createFaultList();
  const ledger = createLedger();
  const cookieKey = randomBytes(32).toString('base64url');
  let accessTokenSeconds = settings.accessTokenSeconds;
  const build = (): OidcProvider =>
    createOidc(oidcPackage, { issuer, settings, store, people, key, cookieKey, accessTokenSeconds: () => accessTokenSeconds });
  let oidc: OidcProvider;
  try {
    oidc = build();
  } catch (cause) {
    await server.stop();
    throw cause;
  }

  const callbacks = new Map<string, Answer>();
  let tokenQueue: Promise<unknown> = Promise.resolve();

  const carryOut = async (exchange: Exchange, socket: Socket): Promise<Answer> => {
    const kept = callbacks.get(exchange.path);
    if (kept !== undefined) return kept;
    if (exchange.path === PATHS.me) return answerMe(oidc, people, exchange);
    if (exchange.path.startsWith(`${PATHS.interaction}/`)) {
      const tools = { oidc, people, clientName: settings.clientName };
      return runListener(replying((request, response) => answerInteraction(tools, exchange, request, response)), exchange, socket);
    }
    if (exchange.path === PATHS.openidConfiguration && settings.discovery !== 'openid') return notFound();
    if (exchange.path === PATHS.oauthMetadata && settings.discovery === 'none') return notFound();

    const signer = key;
    const answer = await runListener(oidc.callback(), askForConsent(exchange), socket);
    if (exchange.path === PATHS.oauthMetadata && settings.discovery === 'oauth') return plainOAuthMetadata(answer, issuer);
    return exchange.endpoint === 'token' ? finishIdToken(answer, signer) : answer;
  };

  server.handle(async (exchange, socket) => {
    const noteEnd = ledger.noteRequest(exchange);
    const used: string[] = [];
    const fitting = faults.matching(exchange);

    let delivery: Delivery | null = null;
    for (const fault of fitting) {
      const refused: Delivery | null = delivery === null ? refuse(fault) : null;
      if (refused === null || !faults.use(fault)) continue;
      used.push(fault.kind);
      delivery = refused;
    }
    if (delivery === null) {
      // One after another, as a strict server's database does it: of two renewals with one token, the second is a reuse.
      const processed = exchange.endpoint === 'token' ? tokenQueue.then(() => carryOut(exchange, socket)) : carryOut(exchange, socket);
      if (exchange.endpoint === 'token') tokenQueue = processed.catch(() => undefined);
      const answer = await processed;
      ledger.noteAnswer(answer);
      delivery = deliver(answer);
    }
    for (const fault of fitting) {
      const altered: Delivery = await alter(fault, delivery, key);
      if (altered === delivery || !faults.use(fault)) continue;
      used.push(fault.kind);
      delivery = altered;
    }
    if (delivery.answer !== null) {
      ledger.noteAnswer(delivery.answer);
      if (isCallback(delivery.answer, issuer)) keep(exchange.path, delivery.answer);
    }
    noteEnd(delivery.answer?.status ?? null, used);
    return delivery;
  });

  const keep = (path: string, answer: Answer): void => {
    // Only the end of an interaction has a path of its own; cookies are not to be sent twice.
    if (!path.startsWith(`${PATHS.authorization}/`)) return;
    callbacks.set(path, { ...answer, headers: { location: answer.headers['location'] ?? '', 'cache-control': 'no-store' } });
    const oldest = callbacks.keys().next();
    if (callbacks.size > KEPT_CALLBACKS && oldest.done !== true) callbacks.delete(oldest.value);
  };

  return {
    issuer,
    clientId: settings.clientId,
    redirectUris: settings.redirectUris,
    endpoints: {
      authorization: issuer + PATHS.authorization,
      token: issuer + PATHS.token,
      jwks: issuer + PATHS.jwks,
      userinfo: issuer + PATHS.userinfo,
      me: issuer + PATHS.me,
      revocation: issuer + PATHS.revocation,
      endSession: issuer + PATHS.endSession,
      deviceAuthorization: issuer + PATHS.deviceAuthorization,
    },
    requests: ledger.requests,
    issued: ledger.issued,
    tokenRequests: (grantType) => ledger.requests.filter((request) => request.grantType === grantType).length,
    fault: (fault) => faults.add(fault),
    clearFaults: () => faults.clear(),
    unusedFaults: () => faults.unused(),
    setAccessTokenSeconds(seconds) {
      checkAccessTokenSeconds(seconds);
      accessTokenSeconds = seconds;
    },
    async rotateKeys() {
      key = await createSigningKey(settings.signingAlgorithm);
      oidc = build();
    },
    revokeAll: () => store.forget(['Grant', 'AuthorizationCode', 'DeviceCode', 'AccessToken', 'RefreshToken']),
    revokeAccessTokens: () => store.forget(['AccessToken']),
    expireSessions: () => store.forget(['Session']),
    stop: () => server.stop(),
  };
}

function notFound(): Answer {
  return jsonAnswer(404, { error: 'not_found' });
}

/** A listener that sends the answer of an async function, keeping the cookies that were set on the way. */
function replying(reply: (request: IncomingMessage, response: ServerResponse) => Promise<Answer>): RequestListener {
  return (request, response) => {
    const send = (answer: Answer): void => {
      response.statusCode = answer.status;
      for (const [name, value] of Object.entries(answer.headers)) response.setHeader(name, value);
      response.end(answer.body);
    };
    reply(request, response).then(send, () => send(jsonAnswer(500, { error: 'server_error' })));
  };
}
