// GitHub, for an OAuth app. Read from GitHub's documents and public threads; not tried on a live
// app. It is no OpenID provider, and answers errors with status 200.
import { DEVICE_GRANT } from '../server/device-flow.js';
import { jsonAnswer, parseUrl, readJsonObject } from '../server/exchange.js';
import type { Answer, Exchange } from '../server/exchange.js';
import type { Personality, Room } from '../server/personality.js';
import type { RegisteredRedirect } from '../server/registration.js';
import {
  callbackAnswer,
  credentialsOf,
  parametersOf,
  scopesOf,
  withCallback,
  withMembers,
  withoutSecret,
  withParameters,
} from '../server/wire.js';

const D1 = 'GitHub: authorizing OAuth apps';
const D2 = 'GitHub: troubleshooting OAuth app access token request errors';
const D3 = 'GitHub: scopes for OAuth apps';
const D4 = 'GitHub changelog, 2025-07-14: PKCE support';
const SCOPES: readonly string[] = [
  'user',
  'read:user',
  'user:email',
  'repo',
  'public_repo',
  'read:org',
  'gist',
  'notifications',
  'workflow',
];
const METADATA: readonly string[] = [
  'issuer',
  'authorization_endpoint',
  'token_endpoint',
  'device_authorization_endpoint',
  'response_types_supported',
  'grant_types_supported',
  'code_challenge_methods_supported',
  'authorization_response_iss_parameter_supported',
];
const TEN_YEARS_SECONDS = 315_360_000;
const HELP = '/apps/managing-oauth-apps/troubleshooting-oauth-app-access-token-request-errors/';

/**
 * No OpenID Connect, errors with status 200, form encoding unless JSON is asked for, tokens without
 * an end.
 */
export function createGithub(): Personality {
  return {
    issuerPath: () => '/login/oauth',
    rules: [
      {
        fact: 'It is not an OpenID provider: no keys, no userinfo, no revocation as in RFC 7009, no logout. Its metadata is that of RFC 8414.',
        source: `${D1}; github.com/.well-known/oauth-authorization-server/login/oauth, as quoted in public code`,
        paths: {
          authorization: '/login/oauth/authorize',
          token: '/login/oauth/access_token',
          me: '/user',
          openidConfiguration: null,
          oauthMetadata: '/.well-known/oauth-authorization-server/login/oauth',
          deviceAuthorization: '/login/device/code',
          userinfo: null,
          jwks: null,
          revocation: null,
          endSession: null,
          pushedAuthorization: null,
        },
        on: 'discovery',
        change: (answer) =>
          withMembers(answer, (members) =>
            Object.fromEntries(Object.entries(members).filter(([name]) => METADATA.includes(name))),
          ),
      },
      {
        fact: 'The path of a redirect URI may go below the registered one; a loopback address may have any port.',
        source: D1,
        policy: { redirects: (registered, asked) => registered.filter((one) => fits(one, asked)) },
        on: 'authorization',
        judge: judgeRedirect,
      },
      {
        fact: 'Scopes are those of GitHub; others are dropped silently.',
        source: `${D3}; that others are dropped is not verified`,
        policy: { scopes: SCOPES },
        on: 'authorization',
        judge: (exchange, { settings }) =>
          withParameters(exchange, {
            scope: inside(exchange, settings.scopes),
            response_type: 'code',
            nonce: null,
            prompt: null,
          }),
      },
      {
        fact: 'Device codes need no secret.',
        source: D1,
        on: 'device-authorization',
        judge: (exchange, { settings }) =>
          withoutSecret(withParameters(exchange, { scope: inside(exchange, settings.scopes) })),
        change: (answer, exchange) =>
          /application\/json/.test(exchange.headers.accept ?? '') ? answer : formEncoded(answer),
      },
      {
        fact: 'PKCE with S256 is supported and not required.',
        source: D4,
        policy: { pkce: 'optional' },
      },
      {
        fact: 'The token request needs the client secret: there are no public clients.',
        source: `${D1}; ${D4}`,
        on: 'token',
        judge: (exchange, room) =>
          hasSecret(exchange, room)
            ? withoutSecret(
                withParameters(exchange, {
                  grant_type: exchange.form.get('grant_type') ?? 'authorization_code',
                }),
              )
            : refuse(
                'incorrect_client_credentials',
                'The client_id and/or client_secret passed are incorrect.',
              ),
      },
      {
        fact: 'The redirect URI may be left out of the token request.',
        source: D1,
        on: 'token',
        judge: (exchange, { look }) => {
          const redirectUri = look('AuthorizationCode', exchange.form.get('code'))?.payload[
            'redirectUri'
          ];
          return exchange.form.has('redirect_uri') || typeof redirectUri !== 'string'
            ? null
            : withParameters(exchange, { redirect_uri: redirectUri });
        },
      },
      {
        fact: 'Tokens do not expire. There is no refresh token and no ID token. Scopes are separated by commas.',
        source: D1,
        policy: {
          givesRefreshToken: () => false,
          accessTokenSeconds: TEN_YEARS_SECONDS,
          outlivesBrowser: () => true,
        },
        on: 'token',
        change: (answer) =>
          withMembers(answer, (members) =>
            'error' in members
              ? members
              : {
                  access_token: members['access_token'],
                  scope: outside(members['scope']),
                  token_type: 'bearer',
                },
          ),
      },
      {
        fact: 'Errors come with status 200 and words that only GitHub uses.',
        source: D2,
        on: 'token',
        change: (answer) => {
          if (answer.status === 200) return answer;
          const error = readJsonObject(answer.body)?.['error'];
          return error === 'invalid_grant'
            ? refuse('bad_verification_code', 'The code passed is incorrect or expired.')
            : { ...answer, status: 200 };
        },
      },
      {
        fact: 'Answers are form-encoded unless `Accept: application/json` asks for JSON.',
        source: D1,
        on: 'token',
        change: (answer, exchange) =>
          /application\/json/.test(exchange.headers.accept ?? '') ? answer : formEncoded(answer),
      },
      {
        fact: 'Callbacks name the issuer, `https://github.com/login/oauth`, and a refusal comes as `access_denied`.',
        source:
          'callbacks in public code and threads; GitHub: troubleshooting authorization request errors',
        on: 'authorization',
        change: (answer) =>
          withCallback(answer, (parameters) =>
            parameters.get('error') === 'access_denied'
              ? { error_description: 'The user has denied your application access.' }
              : {},
          ),
      },
      {
        fact: '`/user` returns the person: `login` and `id`, not `sub`.',
        source: 'GitHub: REST API, get the authenticated user',
        on: 'userinfo',
        change: (answer) =>
          answer.status === 200
            ? withMembers(answer, (members) => ({
                login: members['preferred_username'],
                id: idOf(String(members['sub'])),
                name: members['name'],
                email: members['email'] ?? null,
                type: 'User',
              }))
            : jsonAnswer(401, { message: 'Bad credentials', status: '401' }),
      },
    ],
  };
}

function fits({ uri }: RegisteredRedirect, asked: string): boolean {
  const [registered, wanted] = [parseUrl(uri), parseUrl(asked)];
  if (
    registered === null ||
    wanted === null ||
    registered.protocol !== wanted.protocol ||
    registered.hostname !== wanted.hostname
  )
    return false;
  const isLoopback = ['127.0.0.1', '[::1]'].includes(registered.hostname);
  const folder = registered.pathname.endsWith('/')
    ? registered.pathname
    : `${registered.pathname}/`;
  return (
    (isLoopback || registered.port === wanted.port) &&
    (wanted.pathname === registered.pathname || wanted.pathname.startsWith(folder))
  );
}

/**
 * The scopes that GitHub knows, and those that let the inside tell who it is: name and login are
 * public.
 */
function inside(exchange: Exchange, more: readonly string[]): string {
  const known = scopesOf(parametersOf(exchange).get('scope')).filter(
    (scope) => SCOPES.includes(scope) || more.includes(scope),
  );
  const seesAddress = known.includes('user') || known.includes('user:email');
  return [...known, 'profile', ...(seesAddress ? ['email'] : [])].join(' ');
}

/** Without the scopes of OpenID Connect, which only the inside knows. */
function outside(scope: unknown): string {
  return scopesOf(scope)
    .filter((one) => one !== 'profile' && one !== 'email')
    .join(',');
}

/**
 * GitHub goes back to the registered URI with an error, and without one uses the first that is
 * registered.
 */
function judgeRedirect(
  exchange: Exchange,
  { registration, policy }: Room,
): Answer | Exchange | null {
  const parameters = parametersOf(exchange);
  const asked = parameters.get('redirect_uri');
  const [first] = registration.redirects;
  if (first === undefined) return null;
  if (asked === null) return withParameters(exchange, { redirect_uri: first.uri });
  if (policy.redirects(registration.redirects, asked).length > 0) return null;
  return callbackAnswer(first.uri, {
    error: 'redirect_uri_mismatch',
    error_description:
      'The redirect_uri MUST match the registered callback URL for this application.',
    state: parameters.get('state'),
  });
}

function hasSecret(exchange: Exchange, { registration, settings }: Room): boolean {
  const { clientId, clientSecret } = credentialsOf(exchange);
  const needsNone =
    registration.clientSecret === null || exchange.form.get('grant_type') === DEVICE_GRANT;
  return (
    clientId === settings.clientId && (needsNone || clientSecret === registration.clientSecret)
  );
}

function refuse(error: string, description: string): Answer {
  return jsonAnswer(200, {
    error,
    error_description: description,
    error_uri: `${HELP}#${error.replaceAll('_', '-')}`,
  });
}

function formEncoded(answer: Answer): Answer {
  const members = readJsonObject(answer.body);
  if (members === null) return answer;
  const form = new URLSearchParams(
    Object.entries(members).map(([name, value]) => [name, String(value)]),
  );
  return {
    ...answer,
    headers: {
      ...answer.headers,
      'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
    },
    body: Buffer.from(form.toString()),
  };
}

/** A number, as GitHub's are, and the same for the same person. */
function idOf(subject: string): number {
  return Number.parseInt(subject.replace(/\W/g, '').slice(1, 9), 16);
}
