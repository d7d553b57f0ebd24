// What a provider can do wrong, as data, and the list of the next faults. Only decides:
// fault-effects.ts carries faults out.
import type { Endpoint, Exchange } from './exchange.js';

/**
 * How an ID token (OpenID Connect Core §2) can be changed before it is signed again with the
 * provider's key.
 */
export type IdTokenChange =
  | 'wrong-iss'
  | 'wrong-aud'
  /** `aud` names a second party and `azp` names it too. */
  | 'wrong-azp'
  | 'wrong-nonce'
  | 'missing-nonce'
  | 'wrong-at-hash'
  | 'wrong-sub'
  | 'missing-sub'
  | 'expired'
  /** The person authenticated an hour ago, whatever `max_age` was sent. */
  | 'old-auth-time'
  | 'missing-auth-time'
  | 'issued-in-future'
  /** An unsecured JWT (RFC 7519 §6.1). */
  | 'alg-none'
  /** HS256 with the provider's public key as the secret (RFC 8725 §2.1). */
  | 'alg-hs256'
  | 'bad-signature'
  /** Signed with the right key under a `kid` that the JWKS does not have. */
  | 'unknown-kid'
  /** Not wrong: `aud` as an array of the client alone. A client must accept it. */
  | 'aud-array'
  /** Not wrong: no `kid` in the header, one key in the JWKS. A client must accept it. */
  | 'missing-kid';

/** The `grant_type` of the token requests that the provider answers. */
export type TokenGrantType =
  'authorization_code' | 'refresh_token' | 'urn:ietf:params:oauth:grant-type:device_code';

/** What every fault of one endpoint has. */
export interface FaultTarget {
  readonly endpoint: Endpoint;
  /** Only token requests of this `grant_type`. */
  readonly grantType?: TokenGrantType;
  /** How many exchanges it changes. Default: all, until `clearFaults()`. */
  readonly times?: number;
}

/** What every fault has that follows the content and not the endpoint. */
export interface FaultCount {
  readonly times?: number;
}

/**
 * One fault. Several may be set at once; the faults that match an exchange act in the order in
 * which they were set.
 */
export type Fault =
  /** The request is carried out at once; the answer comes late. */
  | (FaultTarget & { readonly kind: 'slow'; readonly delayMs: number })
  /**
   * Nothing is carried out and nothing is answered; the connection stays open until the client or
   * `stop()` ends it.
   */
  | (FaultTarget & { readonly kind: 'hang' })
  /** Nothing is carried out; the connection is destroyed. */
  | (FaultTarget & { readonly kind: 'reset' })
  /**
   * The request is carried out (a refresh token is rotated, say), but the connection is destroyed
   * instead of an answer.
   */
  | (FaultTarget & { readonly kind: 'lost-answer' })
  /** Nothing is carried out. `body` is empty unless given. */
  | (FaultTarget & {
      readonly kind: 'status';
      readonly status: number;
      readonly body?: string;
      readonly contentType?: string;
    })
  /** Nothing is carried out. An error response (RFC 6749 §5.2); status 400 unless given. */
  | (FaultTarget & {
      readonly kind: 'oauth-error';
      readonly error: string;
      readonly description?: string;
      readonly status?: number;
    })
  /**
   * Nothing is carried out. Status 429 with `Retry-After` (RFC 9110 §10.2.3), in seconds or as an
   * HTTP date.
   */
  | (FaultTarget & { readonly kind: 'too-many-requests'; readonly retryAfter: number | string })
  /**
   * Carried out, but half of the promised body comes; then the connection is cut, or stays open and
   * silent.
   */
  | (FaultTarget & { readonly kind: 'half-body'; readonly then: 'cut' | 'silence' })
  /** Carried out, but a page of HTML comes with status 200, as proxies and captive portals do. */
  | (FaultTarget & { readonly kind: 'html' })
  | (FaultTarget & { readonly kind: 'invalid-json' })
  | (FaultTarget & { readonly kind: 'empty-body' })
  /** Carried out, but the JSON is padded with white space to this length: valid, and too long. */
  | (FaultTarget & { readonly kind: 'huge-body'; readonly bytes: number })
  | (FaultTarget & { readonly kind: 'content-type'; readonly value: string })
  /**
   * Members of a JSON answer are set or left out: no `refresh_token`, `expires_in` as text, another
   * `issuer`…
   */
  | (FaultTarget & {
      readonly kind: 'members';
      readonly set?: Readonly<Record<string, unknown>>;
      readonly drop?: readonly string[];
    })
  /** Parameters of the authorization response (RFC 6749 §4.1.2, RFC 9207) are set or left out. */
  | (FaultCount & {
      readonly kind: 'callback';
      readonly set?: Readonly<Record<string, string>>;
      readonly drop?: readonly string[];
    })
  | (FaultCount & { readonly kind: 'id-token'; readonly change: IdTokenChange })
  /**
   * The provider's clock is wrong: the `Date` header of every answer and the times in ID tokens.
   */
  | (FaultCount & { readonly kind: 'clock-offset'; readonly offsetSeconds: number });

/** The faults of one provider. */
export interface FaultList {
  add(fault: Fault): void;
  clear(): void;
  /**
   * Those that were set with `times` and have some left: a test that ends with any of them is off
   * its script.
   */
  unused(): readonly Fault[];
  /** The faults that fit, in order. Uses none up. */
  matching(exchange: Exchange): readonly Fault[];
  /** Counts one use; false when another exchange has used the last one in the meantime. */
  use(fault: Fault): boolean;
}

/** Makes an empty list. */
export function createFaultList(): FaultList {
  const left = new Map<Fault, number>();

  return {
    add(fault) {
      // A copy, so that the same object may be set twice.
      left.set({ ...fault }, fault.times ?? Infinity);
    },
    clear: () => left.clear(),
    unused: () =>
      [...left].filter(([, times]) => times > 0 && times < Infinity).map(([fault]) => fault),
    matching: (exchange) =>
      [...left]
        .filter(([fault, times]) => times > 0 && fits(fault, exchange))
        .map(([fault]) => fault),
    use(fault) {
      const times = left.get(fault) ?? 0;
      if (times > 0) left.set(fault, times - 1);
      return times > 0;
    },
  };
}

function fits(fault: Fault, exchange: Exchange): boolean {
  switch (fault.kind) {
    case 'callback':
      return exchange.endpoint === 'authorization';
    case 'id-token':
      return exchange.endpoint === 'token';
    case 'clock-offset':
      return true;
    default:
      if (fault.grantType !== undefined && fault.grantType !== exchange.form.get('grant_type'))
        return false;
      // The way back from the pages is the end of an authorization request, not another one.
      return fault.endpoint === exchange.endpoint && !exchange.path.startsWith('/auth/');
  }
}
