// Checks the metadata of the provider: from discovery (OpenID Connect Discovery §4, RFC 8414 §3)
// or from the host's option `endpoints`. Sends nothing.
import { AuthError } from '../base/errors.js';
import { note, shownIssuer } from '../base/evidence.js';
import { SIGNING_ALGORITHMS } from './key-set.js';
import { isIssuerOfTemplate } from '../options/issuer-template.js';
import { isLoopback } from '../options/syntax.js';
import type { Settings } from '../options/auth-options.js';

/** The checked members of the metadata that Latchkey uses, spelled as in RFC 8414. */
export type ServerMetadata = {
  readonly issuer: string;
  readonly authorization_endpoint: string;
  readonly token_endpoint: string;
  readonly jwks_uri?: string;
  readonly userinfo_endpoint?: string;
  readonly revocation_endpoint?: string;
  /** RP-Initiated Logout 1.0 §2.1. */
  readonly end_session_endpoint?: string;
  readonly device_authorization_endpoint?: string;
  readonly pushed_authorization_request_endpoint?: string;
  /** RFC 9126 §5. If false, only a long request is pushed: that costs an exchange. */
  readonly require_pushed_authorization_requests: boolean;
  readonly authorization_response_iss_parameter_supported?: boolean;
  readonly id_token_signing_alg_values_supported: string[];
  /** Empty when the server announces none, which means Basic (RFC 8414 §2). */
  readonly token_endpoint_auth_methods_supported: string[];
  /** Initiating User Registration 1.0 §4, as most providers publish it. Absent: none are named. */
  readonly prompt_values_supported?: string[];
};

/** The members that `checkMetadata` reads. Nothing else of the metadata is stored. */
export const METADATA_MEMBERS = [
  'issuer',
  'authorization_endpoint',
  'token_endpoint',
  'jwks_uri',
  'userinfo_endpoint',
  'revocation_endpoint',
  'end_session_endpoint',
  'device_authorization_endpoint',
  'require_pushed_authorization_requests',
  'pushed_authorization_request_endpoint',
  'authorization_response_iss_parameter_supported',
  'id_token_signing_alg_values_supported',
  'token_endpoint_auth_methods_supported',
  'prompt_values_supported',
] as const;

/** The metadata for endpoints that the host gives, unchecked, as a provider would publish it. */
export function membersByHand({
  issuer,
  endpoints,
}: Pick<Settings, 'issuer'> & { readonly endpoints: NonNullable<Settings['endpoints']> }): Readonly<
  Record<string, unknown>
> {
  const {
    authorization,
    token,
    jwks,
    userinfo,
    revocation,
    endSession,
    deviceAuthorization,
    issParameterSupported,
  } = endpoints;
  return {
    issuer,
    authorization_endpoint: authorization,
    token_endpoint: token,
    jwks_uri: jwks,
    userinfo_endpoint: userinfo,
    revocation_endpoint: revocation,
    end_session_endpoint: endSession,
    device_authorization_endpoint: deviceAuthorization,
    authorization_response_iss_parameter_supported: issParameterSupported,
  };
}

/** Where OpenID Connect metadata of the issuer is (Discovery §4). */
export function documentOf(issuer: string): string {
  return `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
}

/** What to say behind an error if the issuer is the address of its metadata, as people paste it. */
export function pastedAddress(issuer: string): string {
  return issuer.includes('/.well-known/')
    ? '; the option "issuer" ends with "/.well-known/…", the address of the metadata: leave that part out'
    : '';
}

/** Without these, Latchkey can do what was asked. */
type OptionalEndpoint =
  | 'jwks_uri'
  | 'userinfo_endpoint'
  | 'revocation_endpoint'
  | 'end_session_endpoint'
  | 'device_authorization_endpoint'
  | 'pushed_authorization_request_endpoint';

/**
 * Checks published metadata. Throws `issuer-mismatch` (RFC 8414 §3.3: the issuers must be
 * identical, not just equivalent) or `discovery-failed`. An optional endpoint that is no URL of the
 * right kind costs only itself: `ignored` is called with its name.
 */
export function checkMetadata(
  settings: Settings,
  published: Readonly<Record<string, unknown>>,
  ignored: (member: OptionalEndpoint) => void = () => undefined,
): ServerMetadata {
  const issuer = checkIssuer(settings, published['issuer']);
  const insecureAllowed = settings.issuer.startsWith('http:');
  const isThere = (name: string): boolean => (published[name] ?? undefined) !== undefined;
  const usable = (name: string): string | undefined => {
    const value = published[name];
    return typeof value === 'string' && value.length <= 2048 && isSecure(value, insecureAllowed)
      ? value
      : undefined;
  };
  const needed = (name: string): string => {
    const problem = isThere(name) ? 'must be an "https:" URL' : 'missing';
    const address = usable(name);
    if (address !== undefined) return address;
    throw note(new AuthError('discovery-failed', `metadata member "${name}" ${problem}`), {
      asked: 'discovery document',
      url: documentOf(settings.issuer),
      member: `the member "${name}"`,
    });
  };
  const optional = (name: OptionalEndpoint): string | undefined => {
    const address = usable(name);
    if (address === undefined && isThere(name)) ignored(name);
    return address;
  };
  const authorization = needed('authorization_endpoint');
  const token = needed('token_endpoint');
  const jwks = settings.scopes.includes('openid') ? needed('jwks_uri') : optional('jwks_uri');
  const userinfo = optional('userinfo_endpoint');
  const revocation = optional('revocation_endpoint');
  const endSession = optional('end_session_endpoint');
  const device = settings.redirects.some(({ kind }) => kind === 'device-code')
    ? optional('device_authorization_endpoint')
    : undefined;
  const mustPush = published['require_pushed_authorization_requests'] === true;
  const pushed = (mustPush ? needed : optional)('pushed_authorization_request_endpoint');
  const prompts = words(published['prompt_values_supported']);
  return {
    issuer,
    authorization_endpoint: authorization,
    token_endpoint: token,
    ...(prompts.length === 0 ? {} : { prompt_values_supported: prompts }),
    ...(jwks === undefined ? {} : { jwks_uri: jwks }),
    ...(userinfo === undefined ? {} : { userinfo_endpoint: userinfo }),
    ...(revocation === undefined ? {} : { revocation_endpoint: revocation }),
    ...(endSession === undefined ? {} : { end_session_endpoint: endSession }),
    ...(device === undefined ? {} : { device_authorization_endpoint: device }),
    ...(pushed === undefined ? {} : { pushed_authorization_request_endpoint: pushed }),
    require_pushed_authorization_requests: mustPush,
    authorization_response_iss_parameter_supported:
      published['authorization_response_iss_parameter_supported'] === true,
    id_token_signing_alg_values_supported: announcedAlgorithms(
      published['id_token_signing_alg_values_supported'],
    ),
    token_endpoint_auth_methods_supported: words(
      published['token_endpoint_auth_methods_supported'],
    ),
  };
}

/**
 * A preset may know which other issuer the metadata of this address may name. Without that, the
 * issuers must be identical.
 */
function checkIssuer({ issuer, provider }: Settings, published: unknown): string {
  const template = provider?.issuerTemplate ?? null;
  if (
    typeof published === 'string' &&
    (template === null ? published === issuer : isIssuerOfTemplate(template, published))
  )
    return published;
  const nearly =
    typeof published === 'string' && published.replace(/\/$/, '') === issuer.replace(/\/$/, '');
  const error = new AuthError(
    'issuer-mismatch',
    `metadata member "issuer" differs from the option "issuer"${nearly ? ' in the slash at the end' : ''}${pastedAddress(issuer)}`,
  );
  throw note(error, {
    asked: 'discovery document',
    url: documentOf(issuer),
    member: 'the member "issuer"',
    expected: issuer,
    got: shownIssuer(published),
  });
}

function words(announced: unknown): string[] {
  return Array.isArray(announced)
    ? announced.filter((word): word is string => typeof word === 'string')
    : [];
}

// With `none` or the HS algorithms, anyone who knows the public client id could forge an ID token.
function announcedAlgorithms(announced: unknown): string[] {
  const usable = Array.isArray(announced)
    ? SIGNING_ALGORITHMS.filter((alg) => announced.includes(alg))
    : [];
  return usable.length > 0 ? usable : [...SIGNING_ALGORITHMS];
}

function isSecure(url: string, insecureAllowed: boolean): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname, username, password } = new URL(url);
  if (username !== '' || password !== '') return false;
  return protocol === 'https:' || (insecureAllowed && protocol === 'http:' && isLoopback(hostname));
}
