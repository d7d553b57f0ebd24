// What a personality is made of: rules, each a fact about a real provider with its source, and what
// follows from it here. Runs the rules around oidc-provider; knows no provider by name.
import type { Answer, Endpoint, Exchange } from './exchange.js';
import type { GrantNote, GrantNotes } from './grant-notes.js';
import type { OuterPaths } from './paths.js';
import type { ProviderSettings } from './provider-options.js';
import { matchLoopbackPort } from './registration.js';
import type { Registration, RedirectMatch } from './registration.js';

/** What oidc-provider is told, and what the pages do. */
export interface Policy {
  /** Which registered redirect URIs fit the one that was asked for. */
  readonly redirects: RedirectMatch;
  readonly pkce: 'required' | 'optional';
  readonly rotates: boolean;
  /** How long a rotated refresh token may come again. */
  readonly graceSeconds: number;
  readonly givesRefreshToken: (
    scopes: ReadonlySet<string>,
    grant: GrantNote | undefined,
  ) => boolean;
  /** The life of a new refresh token; `ageSeconds` since the first of its family. */
  readonly refreshTokenSeconds: (
    grant: GrantNote | undefined,
    scopes: ReadonlySet<string>,
    ageSeconds: number,
  ) => number;
  /** The life of codes. */
  readonly codeSeconds: number;
  /** Null: as the option says. */
  readonly accessTokenSeconds: number | null;
  /** False: the sign-in ends with the browser's session. */
  readonly outlivesBrowser: (scopes: ReadonlySet<string>) => boolean;
  /** Origins are judged by a rule, if at all. */
  readonly allowsOrigin: boolean;
  /** Asks once more before it goes to a custom scheme. */
  readonly confirmsSchemes: boolean;
  /** Parameters of the authorization request that oidc-provider shall pass on. */
  readonly extraParameters: readonly string[];
  /** Scopes in addition to the standard ones. */
  readonly scopes: readonly string[];
  /** Changes the claims of ID tokens before they are signed. */
  readonly idTokenClaims: (
    claims: Readonly<Record<string, unknown>>,
    room: Room,
  ) => Readonly<Record<string, unknown>>;
}

/** What the API demands of an access token from now on. */
export interface ApiChallenge {
  /**
   * Entra's claims challenge: the JSON that goes out in base64. Its `access_token` must come back
   * in the parameter `claims`.
   */
  readonly claims?: { readonly access_token: Readonly<Record<string, unknown>> };
  /** RFC 6750 §3.1: the token must have all of these scopes, separated by blanks. */
  readonly scope?: string;
  /** RFC 9470: one of these must be among the `acr_values` of the sign-in. */
  readonly acrValues?: string;
  /** RFC 9470: the sign-in may not be older. */
  readonly maxAgeSeconds?: number;
  /** Whether a renewal with the claims is enough, or a person must sign in again. */
  readonly metBy: 'renewal' | 'sign-in';
}

/** What is known of a code or token. `revoked`: it was ended before its time. */
export interface Kept {
  /** As oidc-provider stores it. */
  readonly payload: Readonly<Record<string, unknown>>;
  readonly state: 'live' | 'expired' | 'revoked';
}

/** What a rule may know while it judges one exchange. */
export interface Room {
  /** `http://127.0.0.1:PORT`. */
  readonly origin: string;
  readonly issuer: string;
  readonly settings: ProviderSettings;
  /** As it is now. */
  readonly registration: Registration;
  /** The segment that the request had for `{tenant}`. */
  readonly tenant: string;
  readonly nowMs: number;
  readonly policy: Policy;
  readonly grants: GrantNotes;
  /** What the demo resource demands now. */
  readonly challenge: ApiChallenge | null;
  /** What is known of a code or token, also after its end. */
  readonly look: (
    model: 'AuthorizationCode' | 'RefreshToken' | 'AccessToken',
    value: string | null,
  ) => Kept | null;
}

/** An answer refuses; an exchange goes on, changed; null has nothing to say. */
export type Judgement = Answer | Exchange | null;

/** One fact, and at least one of what follows from it. */
export interface Rule {
  /** A sentence that is true of the real provider. */
  readonly fact: string;
  /** The source. "not verified" in it: no source was found. */
  readonly source: string;
  readonly policy?: Partial<Policy>;
  readonly paths?: OuterPaths;
  /** The endpoint whose requests are judged and whose answers are changed. */
  readonly on?: Endpoint;
  readonly judge?: (exchange: Exchange, room: Room) => Judgement;
  readonly change?: (answer: Answer, exchange: Exchange, room: Room) => Answer;
}

/** How a provider behaves. A new one for each provider, because rules may remember. */
export interface Personality {
  /** What stands between the origin and the end of the issuer. */
  readonly issuerPath: (tenant: string) => string;
  /** Why this registration cannot be made there; null when it can. */
  readonly refuseRegistration?: (registration: Registration) => string | null;
  /** Judged and changed in this order. */
  readonly rules: readonly Rule[];
}

const DAY = 86_400;

/** The behaviour of the strict provider. The other personalities differ from it by rules. */
export const STRICT: Policy = {
  redirects: matchLoopbackPort,
  pkce: 'required',
  rotates: true,
  graceSeconds: 0,
  givesRefreshToken: (scopes) => scopes.has('offline_access'),
  refreshTokenSeconds: () => 14 * DAY,
  codeSeconds: 60,
  accessTokenSeconds: null,
  outlivesBrowser: (scopes) => scopes.has('offline_access'),
  allowsOrigin: false,
  confirmsSchemes: false,
  extraParameters: [],
  scopes: [],
  idTokenClaims: (claims) => claims,
};

/** The policy that the rules make, the later ones winning. */
export function policyOf(rules: readonly Rule[]): Policy {
  return Object.freeze(
    rules.reduce<Policy>((policy, rule) => ({ ...policy, ...rule.policy }), STRICT),
  );
}

/** Where the endpoints are by these rules, the later ones winning. */
export function pathsOf(rules: readonly Rule[]): OuterPaths {
  return rules.reduce<OuterPaths>((paths, rule) => ({ ...paths, ...rule.paths }), {});
}

/** What a request becomes: an exchange to carry out, or an answer. */
export function judge(rules: readonly Rule[], received: Exchange, room: Room): Exchange | Answer {
  let exchange = received;
  // No rule judges a browser's preflight request (CORS).
  if (exchange.method === 'OPTIONS') return exchange;
  for (const rule of rules) {
    const judgement =
      rule.on === exchange.endpoint && isFirstStep(exchange)
        ? (rule.judge?.(exchange, room) ?? null)
        : null;
    if (judgement !== null && 'status' in judgement) return judgement;
    exchange = judgement ?? exchange;
  }
  return exchange;
}

/** What an answer becomes. */
export function change(
  rules: readonly Rule[],
  made: Answer,
  exchange: Exchange,
  room: Room,
): Answer {
  return rules.reduce(
    (answer, rule) =>
      rule.on === exchange.endpoint ? (rule.change?.(answer, exchange, room) ?? answer) : answer,
    made,
  );
}

/** The way back from the pages is the end of an authorization request, not another one. */
function isFirstStep(exchange: Exchange): boolean {
  return exchange.endpoint !== 'authorization' || !exchange.path.startsWith('/auth/');
}
