// The embedded identity provider: wires server, oidc-provider, people, faults and books together.
// Every request goes through the same steps: note → refuse by fault → carry out → alter by fault →
// note → send.
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Provider as OidcProvider } from 'oidc-provider';
import { answerApi } from './server/api.js';
import { createCertificate } from './server/certificate.js';
import { jsonAnswer, PATHS, readJsonObject, runListener } from './server/exchange.js';
import type { Answer, Exchange } from './server/exchange.js';
import { alter, deliver, isCallback, refuse } from './server/fault-effects.js';
import type { Delivery } from './server/fault-effects.js';
import { createFaultList } from './server/faults.js';
import type { Fault, TokenGrantType } from './server/faults.js';
import { createGrantNotes } from './server/grant-notes.js';
import { listen } from './server/http-server.js';
import { finishIdToken, shiftTimes, without } from './server/id-token.js';
import { answerInteraction } from './server/interactions.js';
import { createLedger } from './server/ledger.js';
import type { IssuedSecret, RequestRecord } from './server/ledger.js';
import { askForConsent } from './server/offline-access.js';
import { createOidc, loadOidcPackage } from './server/oidc.js';
import { createPathMap, outerMetadata } from './server/paths.js';
import { createPeople } from './server/people.js';
import type { PersonClaims } from './server/people.js';
import { createPersonality } from './personalities/personalities.js';
import {
  type PersonalityName,
  checkAccessTokenSeconds,
  readProviderOptions,
  type ProviderOptions,
} from './server/provider-options.js';
import { change, judge, pathsOf, policyOf } from './server/personality.js';
import type { ApiChallenge, Room } from './server/personality.js';
import { answerMe, plainOAuthMetadata } from './server/plain-oauth.js';
import { changeRegistration, NOTHING_REGISTERED } from './server/registration.js';
import type { Registration, RegistrationChange } from './server/registration.js';
import { createSigningKey } from './server/signing-keys.js';
import { createStore } from './server/store.js';
import { createProviderTime } from './server/virtual-clock.js';

/**
 * The endpoints as absolute URLs: for clients without discovery, and for tests that send their own
 * requests. An endpoint that the personality does not have answers 404.
 */
export interface ProviderEndpoints {
  readonly authorization: string;
  readonly token: string;
  readonly jwks: string;
  /** Needs the scope `openid` (OpenID Connect Core §5.3). */
  readonly userinfo: string;
  /**
   * Accepts every access token: returns `sub`, and what the scopes `profile` and `email` allow. For
   * plain OAuth 2.0.
   */
  readonly me: string;
  readonly revocation: string;
  readonly endSession: string;
  /**
   * The demo resource: returns the person of a valid access token, and challenges after
   * `challengeApi`.
   */
  readonly api: string;
  /** RFC 8628 §3.1. */
  readonly deviceAuthorization: string;
}

/** A running provider. After `stop()` nothing of it is left. */
export interface Provider {
  readonly personality: PersonalityName;
  /**
   * `http://127.0.0.1:PORT` and what the personality puts behind it, without a slash at the end.
   */
  readonly issuer: string;
  /** `http://127.0.0.1:PORT`. */
  readonly origin: string;
  readonly clientId: string;
  /** What is registered now. */
  readonly redirectUris: readonly string[];
  /** What is registered now; null: none. */
  readonly clientSecret: string | null;
  /** With the option `https`: the certificate, in PEM, that clients must trust. Otherwise null. */
  readonly certificate: string | null;
  readonly endpoints: ProviderEndpoints;
  /** Every request so far, oldest first; grows while the provider runs. */
  readonly requests: readonly RequestRecord[];
  /** Every secret value so far, each once, oldest first. Search your logs and files for them. */
  readonly issued: readonly IssuedSecret[];
  /**
   * Calls the listener with each request as soon as its answer is decided. Returns a function that
   * stops this.
   */
  onRequest(listener: (request: RequestRecord) => void): () => void;
  /** How many token requests of this `grant_type` came, successful or not. */
  tokenRequests(grantType: TokenGrantType): number;
  /** Adds a fault. It affects requests from now on. */
  fault(fault: Fault): void;
  /** Ends all faults for new requests. A request that already hangs keeps hanging. */
  clearFaults(): void;
  /**
   * Faults that were set with `times` and are not used up. Empty at the end of a test that followed
   * its script.
   */
  unusedFaults(): readonly Fault[];
  /**
   * Changes the registration, as an administrator does at the provider's portal. Running sign-ins
   * go on. Throws a TypeError that says why the provider would not accept it.
   */
  register(change: RegistrationChange): void;
  /** What the demo resource requires from now on. Null: only a valid token. */
  challengeApi(challenge: ApiChallenge | null): void;
  /**
   * Changes what the provider tells about a person from now on, as an administrator does: the next ID
   * token has it. Undefined: the claim is not told any more. A claim that neither `people` has nor is
   * called `roles` or `groups` stays unknown to every app.
   */
  changePerson(login: string, claims: PersonClaims): void;
  /** The lifetime of access tokens issued from now on: a whole number of at least 1. */
  setAccessTokenSeconds(seconds: number): void;
  /** A new signing key under a new `kid`; the old one leaves the JWKS at once. */
  rotateKeys(): Promise<void>;
  /** Ends every code, token and grant at once, like an administrator or a changed password. */
  revokeAll(): void;
  /** Ends access tokens at once. Refresh tokens stay. */
  revokeAccessTokens(): void;
  /** Signs browsers out of the provider: the next authorization request asks for the name again. */
  expireSessions(): void;
  /**
   * Destroys every connection, also hanging ones, and frees the port. You may call it again. Leaves
   * no handle open.
   */
  stop(): Promise<void>;
}

/** How many answers to custom schemes are kept for the link "Open the app again". */
const KEPT_CALLBACKS = 100;

/**
 * Starts a provider on 127.0.0.1. Rejects with a TypeError for a wrong option, and with an Error if
 * the port is taken or an optional package is missing. Writes nothing to the console.
 */
export async function startProvider(options: ProviderOptions = {}): Promise<Provider> {
  const settings = readProviderOptions(options);
  const personality = createPersonality(settings.personality, settings.graceSeconds);
  const { rules } = personality;
  const policy = policyOf(rules);
  const register = (present: Registration, changed: RegistrationChange): Registration => {
    const next = changeRegistration(present, changed);
    const refusal = personality.refuseRegistration?.(next) ?? null;
    if (refusal !== null) throw new TypeError(refusal);
    return next;
  };
  let registration = register(NOTHING_REGISTERED, settings);
  const oidcPackage = await loadOidcPackage();
  let key = await createSigningKey(settings.signingAlgorithm);
  const time = createProviderTime(settings.clock);
  const certificate = settings.https ? createCertificate(Date.now()) : null;
  const server = await listen(settings.port, certificate, time.now);
  const origin = `${certificate === null ? 'http' : 'https'}://127.0.0.1:${server.port}`;
  const issuer = origin + personality.issuerPath(settings.tenant);

  const paths = createPathMap(pathsOf(rules), settings.tenant);
  const store = createStore({ graceSeconds: policy.graceSeconds });
  const people = createPeople(settings.people);
  const grants = createGrantNotes();
  const faults = createFaultList();
  const ledger = createLedger();
  const cookieKey = randomBytes(32).toString('base64url');
  let accessTokenSeconds = settings.accessTokenSeconds;
  let challenge: ApiChallenge | null = null;
  const build = (): OidcProvider =>
    createOidc(oidcPackage, {
      issuer,
      port: server.port,
      settings,
      policy,
      registration: () => registration,
      grants,
      store,
      people,
      key,
      cookieKey,
      accessTokenSeconds: () => policy.accessTokenSeconds ?? accessTokenSeconds,
    });
  let oidc: OidcProvider;
  try {
    oidc = build();
  } catch (cause) {
    await server.stop();
    throw cause;
  }

  const callbacks = new Map<string, Answer>();
  let tokenQueue: Promise<unknown> = Promise.resolve();

  /** Internal: before the rules have changed the answer. */
  const carryOut = async (exchange: Exchange, room: Room, socket: Socket): Promise<Answer> => {
    if (exchange.path === PATHS.me) return answerMe(oidc, people, exchange);
    if (exchange.path === PATHS.api) return answerApi(oidc, people, exchange, room);
    if (exchange.path.startsWith(`${PATHS.interaction}/`)) {
      const tools = {
        oidc,
        people,
        clientName: settings.clientName,
        grants,
        acrValues: settings.acrValues,
        nowMs: room.nowMs,
        confirmsSchemes: policy.confirmsSchemes,
      };
      return runListener(
        replying((request, response) => answerInteraction(tools, exchange, request, response)),
        exchange,
        socket,
      );
    }
    if (exchange.path === PATHS.openidConfiguration && settings.discovery !== 'openid')
      return notFound();
    if (exchange.path === PATHS.oauthMetadata && settings.discovery === 'none') return notFound();

    const signer = key;
    const answer = await runListener(oidc.callback(), askForConsent(exchange), socket);
    if (exchange.endpoint === 'discovery') return describe(exchange, answer, room);
    return exchange.endpoint === 'token'
      ? finishIdToken(answer, signer, (claims) =>
          policy.idTokenClaims(
            without(shiftTimes(claims, time.offsetSeconds()), settings.userinfoOnly),
            room,
          ),
        )
      : answer;
  };

  const describe = (exchange: Exchange, answer: Answer, room: Room): Answer => {
    const isPlain = exchange.path === PATHS.oauthMetadata && settings.discovery === 'oauth';
    const described = isPlain ? plainOAuthMetadata(answer, origin) : answer;
    const members = readJsonObject(described.body);
    return members === null
      ? described
      : jsonAnswer(
          described.status,
          outerMetadata(members, origin, (inner) => paths.outward(inner, room.tenant)),
        );
  };

  const obey = async (received: Exchange, room: Room, socket: Socket): Promise<Answer> => {
    const kept = callbacks.get(received.path);
    if (kept !== undefined) return kept;
    const judged = judge(rules, received, room);
    const isRefused = 'status' in judged;
    const answer = isRefused ? judged : await carryOut(judged, room, socket);
    return change(rules, answer, isRefused ? received : judged, room);
  };

  server.handle(async (received, socket) => {
    const leap = time.takeLeap();
    if (leap !== 0) store.age(leap);
    const { exchange, tenant } = paths.inward(received);
    const room: Room = {
      origin,
      issuer,
      settings,
      registration,
      tenant,
      nowMs: time.now(),
      policy,
      grants,
      challenge,
      look: (model, value) => store.look(model, value ?? ''),
    };
    const noteEnd = ledger.noteRequest({ ...exchange, path: received.path }, room.nowMs);
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
      // One after the other, like a strict server's database: of two renewals with one token, the
      // second is a reuse.
      const processed =
        exchange.endpoint === 'token'
          ? tokenQueue.then(() => obey(exchange, room, socket))
          : obey(exchange, room, socket);
      if (exchange.endpoint === 'token') tokenQueue = processed.catch(() => undefined);
      const answer = await processed;
      ledger.noteAnswer(answer);
      delivery = deliver(answer);
    }
    for (const fault of fitting) {
      const altered: Delivery = await alter(fault, delivery, key, room.nowMs);
      if (altered === delivery || !faults.use(fault)) continue;
      used.push(fault.kind);
      delivery = altered;
    }
    if (delivery.answer !== null) {
      ledger.noteAnswer(delivery.answer);
      if (isCallback(delivery.answer, origin)) keep(exchange.path, delivery.answer);
    }
    noteEnd(delivery.answer, used);
    return delivery;
  });

  const keep = (path: string, answer: Answer): void => {
    // Only the end of an interaction has a path of its own; cookies are not to be sent twice.
    if (!path.startsWith(`${PATHS.authorization}/`)) return;
    callbacks.set(path, {
      ...answer,
      headers: { location: answer.headers['location'] ?? '', 'cache-control': 'no-store' },
    });
    const oldest = callbacks.keys().next();
    if (callbacks.size > KEPT_CALLBACKS && oldest.done !== true) callbacks.delete(oldest.value);
  };

  // One that is nowhere outside gets a path that is not found.
  const endpoint = (inner: string): string =>
    origin + (paths.outward(inner) ?? `/not-found${inner}`);
  return {
    personality: settings.personality,
    issuer,
    origin,
    clientId: settings.clientId,
    get redirectUris() {
      return registration.redirects.map(({ uri }) => uri);
    },
    get clientSecret() {
      return registration.clientSecret;
    },
    certificate: certificate?.certificate ?? null,
    endpoints: {
      authorization: endpoint(PATHS.authorization),
      token: endpoint(PATHS.token),
      jwks: endpoint(PATHS.jwks),
      userinfo: endpoint(PATHS.userinfo),
      me: endpoint(PATHS.me),
      revocation: endpoint(PATHS.revocation),
      endSession: endpoint(PATHS.endSession),
      api: endpoint(PATHS.api),
      deviceAuthorization: endpoint(PATHS.deviceAuthorization),
    },
    requests: ledger.requests,
    issued: ledger.issued,
    onRequest: (listener) => ledger.listen(listener),
    tokenRequests: (grantType) =>
      ledger.requests.filter((request) => request.grantType === grantType).length,
    fault: (fault) => faults.add(fault),
    clearFaults: () => faults.clear(),
    unusedFaults: () => faults.unused(),
    register(changed) {
      registration = register(registration, changed);
    },
    challengeApi(next) {
      challenge = next;
    },
    changePerson: (login, claims) => people.change(login, claims),
    setAccessTokenSeconds(seconds) {
      checkAccessTokenSeconds(seconds);
      accessTokenSeconds = seconds;
    },
    async rotateKeys() {
      key = await createSigningKey(settings.signingAlgorithm);
      oidc = build();
    },
    revokeAll: () =>
      store.forget(['Grant', 'AuthorizationCode', 'DeviceCode', 'AccessToken', 'RefreshToken']),
    revokeAccessTokens: () => store.forget(['AccessToken']),
    expireSessions: () => store.forget(['Session']),
    stop: () => server.stop(),
  };
}

function notFound(): Answer {
  return jsonAnswer(404, { error: 'not_found' });
}

/**
 * A listener that sends the answer of an async function and keeps the cookies that were set
 * meanwhile.
 */
function replying(
  reply: (request: IncomingMessage, response: ServerResponse) => Promise<Answer>,
): RequestListener {
  return (request, response) => {
    const send = (answer: Answer): void => {
      response.statusCode = answer.status;
      for (const [name, value] of Object.entries(answer.headers)) response.setHeader(name, value);
      response.end(answer.body);
    };
    reply(request, response).then(send, () => send(jsonAnswer(500, { error: 'server_error' })));
  };
}
