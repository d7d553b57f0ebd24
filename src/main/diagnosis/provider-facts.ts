// Asks a provider what it announces and how it treats this client, for a diagnosis. Sends no secret
// and redeems nothing. Every question is bounded; what fails becomes a fact. Judges nothing:
// findings.ts does.
import { leadsTo } from '../core/base/redirect-uri.js';
import { type BoundedFetch, jsonObject, serverDate } from '../core/oauth/bounded-fetch.js';
import { type ServerMetadata, checkMetadata, pastedAddress } from '../core/oauth/discovery.js';
import { readKeySet } from '../core/oauth/key-set.js';
import { AuthError, toAuthError } from '../core/base/errors.js';
import type {
  Announced,
  Ask,
  Failure,
  Fetched,
  ProviderFacts,
  RedirectAnswer,
  RedirectFacts,
} from './facts.js';
import type { Settings } from '../core/options/auth-options.js';
import type { Clock, NetworkFailure } from '../core/base/ports.js';

/** What the examination uses of the world. */
export interface ProviderTools {
  readonly fetch: BoundedFetch;
  readonly ask: Ask;
  readonly clock: Clock;
}

/** Enough for every way to register one app; more would look like an attack. */
const REDIRECTS_MAX = 6;
/**
 * Names of errors that providers write on the page with which they refuse a request, instead of
 * coming back with them.
 */
const KNOWN_WORDS = [
  'invalid_redirect_uri',
  'redirect_uri_mismatch',
  'invalid_client',
  'unauthorized_client',
  'invalid_request',
  'AADSTS50011',
  'AADSTS500111',
  'AADSTS700016',
];

/** `redirects`: the exact redirect URIs to ask about; empty asks nothing of the kind. */
export async function examineProvider(
  settings: Settings,
  redirects: readonly string[],
  tools: ProviderTools,
): Promise<ProviderFacts> {
  const { clock } = tools;
  const offsets: number[] = [];
  const fetch: BoundedFetch = async (url, init) => {
    const sentAt = clock.now();
    const response = await tools.fetch(url, init);
    const date = serverDate(response);
    // The header has no fractions of a second, and stands for some moment between question and
    // answer.
    if (date !== undefined) offsets.push((date + 500 - (sentAt + clock.now()) / 2) / 1000);
    return response;
  };
  const found = settings.endpoints === null ? await discover(settings, fetch, clock) : null;
  const { endpoints } = settings;
  const authorization = endpoints?.authorization ?? found?.authorization ?? null;
  const jwksUrl = endpoints === null ? (found?.jwks ?? null) : (endpoints.jwks ?? null);
  const announced = found?.announced ?? null;
  const askable =
    authorization !== null && announced?.onlyPushedRequests !== true
      ? redirects.slice(0, REDIRECTS_MAX)
      : [];
  const [jwks, answers] = await Promise.all([
    jwksUrl === null ? null : timed(clock, async () => ({ keys: await countKeys(fetch, jwksUrl) })),
    Promise.all(
      askable.map(async (redirect): Promise<RedirectFacts> => ({
        redirect,
        answer: await tryRedirect(settings, authorization ?? '', redirect, tools),
      })),
    ),
  ]);
  const [offset] = offsets;
  return {
    issuer: settings.issuer,
    discovery: found?.fetched ?? null,
    announced,
    jwks,
    clockOffsetSeconds: offset === undefined ? null : Math.round(offset),
    redirects: answers,
  };
}

interface Discovered {
  readonly fetched: Fetched<{
    readonly document: 'openid' | 'oauth';
    readonly ignored: readonly string[];
  }>;
  readonly announced: Announced | null;
  readonly authorization: string | null;
  readonly jwks: string | null;
}

async function discover(
  settings: Settings,
  fetch: BoundedFetch,
  clock: Clock,
): Promise<Discovered> {
  let published: Record<string, unknown> = {};
  let server: ServerMetadata | null = null;
  const ignored: string[] = [];
  const fetched = await timed(clock, async () => {
    const answer = await firstDocument(settings.issuer, fetch);
    published = answer.published;
    server = checkMetadata(settings, published, (member) => ignored.push(member));
    return { document: answer.document, ignored };
  });
  const known = server as ServerMetadata | null;
  return {
    fetched,
    announced: Object.keys(published).length === 0 ? null : announcedIn(published, ignored),
    authorization: known?.authorization_endpoint ?? null,
    jwks: known?.jwks_uri ?? null,
  };
}

/** OpenID Connect Discovery §4 first, then RFC 8414 §3, as a sign-in does. */
async function firstDocument(
  issuer: string,
  fetch: BoundedFetch,
): Promise<{ document: 'openid' | 'oauth'; published: Record<string, unknown> }> {
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/$/, '');
  const get = async (url: string): Promise<Record<string, unknown> | undefined> => {
    const response = await fetch(url, { method: 'GET', headers: { accept: 'application/json' } });
    return response.status === 200
      ? jsonObject(new Uint8Array(await response.arrayBuffer()))
      : undefined;
  };
  const openid = await get(`${origin}${path}/.well-known/openid-configuration`).catch(
    (thrown: unknown) => {
      if (toAuthError(thrown).code === 'response-invalid') return undefined;
      throw thrown;
    },
  );
  if (openid !== undefined) return { document: 'openid', published: openid };
  const oauth = await get(`${origin}/.well-known/oauth-authorization-server${path}`);
  if (oauth !== undefined) return { document: 'oauth', published: oauth };
  throw new AuthError(
    'discovery-failed',
    `no metadata is published there (OpenID Connect Discovery §4, RFC 8414 §3)${pastedAddress(issuer)}`,
  );
}

function announcedIn(
  published: Readonly<Record<string, unknown>>,
  ignored: readonly string[],
): Announced {
  const list = (name: string): readonly string[] | null => {
    const value = published[name];
    return Array.isArray(value) ? value.filter((entry) => typeof entry === 'string') : null;
  };
  return {
    codeChallengeMethods: list('code_challenge_methods_supported'),
    grantTypes: list('grant_types_supported'),
    scopes: list('scopes_supported'),
    onlyPushedRequests: published['require_pushed_authorization_requests'] === true,
    deviceCodes:
      typeof published['device_authorization_endpoint'] === 'string' &&
      !ignored.includes('device_authorization_endpoint'),
  };
}

async function countKeys(fetch: BoundedFetch, url: string): Promise<number> {
  const response = await fetch(url, { method: 'GET', headers: { accept: 'application/json' } });
  const keys = readKeySet(jsonObject(new Uint8Array(await response.arrayBuffer())));
  return response.status === 200 ? (keys?.length ?? 0) : 0;
}

/**
 * An authorization request that may show no page (OpenID Connect Core §3.1.2.1): a provider that
 * knows client and redirect URI answers to the redirect URI, mostly with `login_required`; one that
 * does not must not send the browser there (RFC 6749 §4.1.2.1). Nobody is signed in by it, and
 * nothing waits for its answer.
 */
async function tryRedirect(
  settings: Settings,
  authorization: string,
  redirect: string,
  { ask, clock }: ProviderTools,
): Promise<RedirectAnswer> {
  const url = new URL(authorization);
  const parameters = {
    client_id: settings.clientId,
    response_type: 'code',
    redirect_uri: redirect,
    scope: settings.scopes.includes('openid') ? 'openid' : settings.scopes.join(' '),
    state: randomText(),
    nonce: randomText(),
    code_challenge: randomText(),
    code_challenge_method: 'S256',
    prompt: 'none',
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  const abort = new AbortController();
  const cancel = clock.after(settings.networkTimeoutSeconds * 1000, () => {
    abort.abort();
  });
  try {
    const answer = await ask(url.href, abort.signal);
    const back =
      isRedirect(answer.status) && answer.location !== null && leadsTo(answer.location, redirect)
        ? answer.location
        : null;
    if (back !== null) return { state: 'came-back', error: errorIn(back) };
    const places = `${answer.location ?? ''} ${answer.text}`;
    return {
      state: 'kept',
      status: answer.status,
      words: KNOWN_WORDS.filter((word) => new RegExp(`\\b${word}\\b`).test(places)),
    };
  } catch (cause) {
    return {
      state: 'failed',
      code: abort.signal.aborted ? 'network-timeout' : 'network-failed',
      message: 'the authorization endpoint gave no answer',
      word: networkWord(cause),
    };
  } finally {
    cancel();
  }
}

function isRedirect(status: number): boolean {
  return status >= 300 && status < 400;
}

/** Providers write the answer behind `?` or, when told so, behind `#`. */
function errorIn(location: string): string | null {
  const error = new URLSearchParams(location.split(/[?#]/, 2)[1] ?? '').get('error');
  return error !== null && /^[a-z_]{1,64}$/.test(error) ? error : null;
}

async function timed<T>(clock: Clock, run: () => Promise<T>): Promise<Fetched<T>> {
  const startedAt = clock.now();
  const tookMs = (): number => Math.max(0, Math.round(clock.now() - startedAt));
  try {
    const value = await run();
    return { state: 'found', tookMs: tookMs(), ...value };
  } catch (thrown) {
    return { state: 'failed', tookMs: tookMs(), ...failureOf(thrown) };
  }
}

function failureOf(thrown: unknown): Failure {
  const { code, message, cause } = toAuthError(thrown);
  return {
    code,
    message,
    word: networkWord(cause),
    trouble: (cause as Partial<NetworkFailure> | undefined)?.trouble,
  };
}

/**
 * The code of a network failure, from Chromium (`net::ERR_…`) or Node (`ECONNREFUSED`); nothing
 * else of the error.
 */
export function networkWord(thrown: unknown): string | null {
  for (
    let error = thrown, depth = 0;
    typeof error === 'object' && error !== null && depth < 4;
    depth += 1
  ) {
    const { code, message, cause } = error as {
      code?: unknown;
      message?: unknown;
      cause?: unknown;
    };
    const [, chromium] =
      typeof message === 'string' ? (/\bnet::(ERR_[A-Z0-9_]{2,60})/.exec(message) ?? []) : [];
    if (chromium !== undefined) return chromium;
    if (typeof code === 'string' && /^[A-Z][A-Z0-9_]{2,60}$/.test(code)) return code;
    error = cause;
  }
  return null;
}

function randomText(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  return btoa(String.fromCharCode(...bytes))
    .replace(/\+/g, '-')
    .replace(/\//g, '_')
    .replace(/=+$/, '');
}
