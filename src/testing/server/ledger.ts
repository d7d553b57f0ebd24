// The provider's memory for tests: which requests came, and which secret values passed.
// Values of secrets are kept only in `issued`; the request log has names, never values.
import type { Answer, Endpoint, Exchange } from './exchange.js';
import { parseUrl, readJsonObject } from './exchange.js';

/** What a value in `issued` is; the words of RFC 6749, RFC 7636 and OpenID Connect. */
export type IssuedKind =
  | 'code'
  | 'access_token'
  | 'refresh_token'
  | 'id_token'
  | 'code_verifier'
  | 'state'
  | 'nonce'
  | 'client_secret'
  | 'device_code';

/** One secret value that passed, in either direction. */
export interface IssuedSecret {
  readonly kind: IssuedKind;
  readonly value: string;
}

/** One request, as it came. Holds no secret. */
export interface RequestRecord {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly method: string;
  /** Without the query; an interaction's own number is replaced by `:uid`. */
  readonly path: string;
  readonly endpoint: Endpoint | null;
  /** The `Origin` header: a native app sends none at the token endpoint. */
  readonly origin: string | null;
  readonly contentType: string | null;
  readonly accept: string | null;
  readonly userAgent: string | null;
  /** The first word of the `Authorization` header, `Bearer` say. */
  readonly authorizationScheme: string | null;
  /** Lower case, in the order of arrival. */
  readonly headerNames: readonly string[];
  /** Of the query and the form, in the order of arrival. */
  readonly parameterNames: readonly string[];
  readonly grantType: string | null;
  /** Null while it is unanswered, and for ever when it never was. */
  readonly status: number | null;
  /**
   * The OAuth error in the answer, `invalid_grant` say, with the provider's own number behind it:
   * `invalid_request AADSTS9002325`.
   */
  readonly error: string | null;
  /** The kinds of the faults that changed this exchange. */
  readonly faults: readonly string[];
}

/** The books of one provider. */
export interface Ledger {
  readonly requests: readonly RequestRecord[];
  readonly issued: readonly IssuedSecret[];
  /**
   * Calls the listener with each request when its answer is decided. Returns a function that stops
   * this.
   */
  listen(listener: (request: RequestRecord) => void): () => void;
  /**
   * Notes a request; the function that is returned notes how it ended: null, it was not answered.
   */
  noteRequest(
    exchange: Exchange,
    atMs: number,
  ): (answer: Answer | null, faults: readonly string[]) => void;
  /**
   * Remembers the secrets in an answer; called with what the provider made and with what is really
   * sent.
   */
  noteAnswer(answer: Answer): void;
}

/** The oldest are dropped beyond this, so that a provider on a desk can run for weeks. */
const KEPT = 20_000;

const SECRET_KINDS: readonly IssuedKind[] = [
  'code',
  'access_token',
  'refresh_token',
  'id_token',
  'code_verifier',
  'state',
  'nonce',
  'client_secret',
  'device_code',
];

/** Opens empty books. */
export function createLedger(): Ledger {
  const requests: RequestRecord[] = [];
  const issued: IssuedSecret[] = [];
  const seen = new Set<string>();
  const listeners = new Set<(request: RequestRecord) => void>();

  const noteSecret = (kind: IssuedKind, value: unknown): void => {
    if (typeof value !== 'string' || value === '' || seen.has(`${kind} ${value}`)) return;
    seen.add(`${kind} ${value}`);
    issued.push({ kind, value });
    const dropped = issued.length > KEPT ? issued.shift() : undefined;
    if (dropped !== undefined) seen.delete(`${dropped.kind} ${dropped.value}`);
  };

  const noteParameters = (parameters: URLSearchParams): void => {
    for (const kind of SECRET_KINDS)
      for (const value of parameters.getAll(kind)) noteSecret(kind, value);
  };

  return {
    requests,
    issued,
    listen(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    noteRequest(exchange, atMs) {
      noteParameters(exchange.query);
      noteParameters(exchange.form);
      const record = {
        at: atMs,
        method: exchange.method,
        path: exchange.path.replace(/^(\/auth|\/interaction|\/device(?!\/auth$))\/.+$/, '$1/:uid'),
        endpoint: exchange.endpoint,
        origin: exchange.headers.origin ?? null,
        contentType: exchange.headers['content-type'] ?? null,
        accept: exchange.headers.accept ?? null,
        userAgent: exchange.headers['user-agent'] ?? null,
        authorizationScheme: exchange.headers.authorization?.split(' ')[0] ?? null,
        headerNames: Object.keys(exchange.headers),
        parameterNames: [...exchange.query.keys(), ...exchange.form.keys()],
        grantType: exchange.endpoint === 'token' ? exchange.form.get('grant_type') : null,
        status: null as number | null,
        error: null as string | null,
        faults: [] as readonly string[],
      };
      requests.push(record);
      if (requests.length > KEPT) requests.shift();
      return (answer, faults) => {
        record.status = answer?.status ?? null;
        record.error = answer === null ? null : errorIn(answer);
        record.faults = faults;
        for (const listener of listeners) listener(record);
      };
    },
    noteAnswer(answer) {
      const location = answer.headers['location'];
      const parsed = typeof location === 'string' ? parseUrl(location) : null;
      if (parsed !== null) noteParameters(parsed.searchParams);
      const type = String(answer.headers['content-type'] ?? '');
      if (type.startsWith('application/x-www-form-urlencoded'))
        noteParameters(new URLSearchParams(answer.body.toString('utf8')));
      if (!type.startsWith('application/json')) return;
      const members = readJsonObject(answer.body) ?? {};
      for (const kind of SECRET_KINDS) noteSecret(kind, members[kind]);
    },
  };
}

/** Only words and numbers: a description may quote what came. */
function errorIn(answer: Answer): string | null {
  const location = answer.headers['location'];
  const parsed = typeof location === 'string' ? parseUrl(location) : null;
  const members =
    parsed === null ? (readJsonObject(answer.body) ?? {}) : Object.fromEntries(parsed.searchParams);
  const { error, error_description: description } = members;
  if (typeof error !== 'string' || !/^[\w.-]{1,64}$/.test(error)) return null;
  const number =
    typeof description === 'string' ? /^[A-Z]+\d+(?=:)/.exec(description)?.[0] : undefined;
  return number === undefined ? error : `${error} ${number}`;
}
