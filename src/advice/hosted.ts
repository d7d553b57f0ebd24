// Errors of Auth0, Okta and Amazon Cognito. They mostly use the words of the standards; here is
// what these mean there. Data only.
import {
  type AdviceEntry,
  type AdviceProvider,
  type AdviceSource,
  notReadIn,
  readIn,
} from './entry.js';

type Words = Omit<AdviceEntry, 'provider' | 'codes' | 'links' | 'source'>;

function entry(
  provider: AdviceProvider,
  code: string,
  source: AdviceSource,
  title: string,
  words: Words,
): AdviceEntry {
  return { provider, codes: [code], links: [{ title, url: source.url }], source, ...words };
}

const AUTH0_CALLBACKS =
  'https://support.auth0.com/center/s/article/Callback-URL-Mismatch-Error-Is-Not-in-the-List-of-Allowed-Callback-URLs';
const AUTH0_ROTATION =
  'https://auth0.com/docs/secure/tokens/refresh-tokens/configure-refresh-token-rotation';
const AUTH0_SETTINGS = 'https://auth0.com/docs/get-started/applications/application-settings';
const auth0 = (code: string, source: AdviceSource, title: string, words: Words): AdviceEntry =>
  entry('auth0', code, source, title, words);

export const AUTH0_ADVICE: readonly AdviceEntry[] = [
  auth0('unauthorized_client', notReadIn(AUTH0_SETTINGS), 'Application settings', {
    title: 'Callback URL or grant is not allowed',
    what: 'In the browser: "Callback URL mismatch", which never comes back to the app. At the token endpoint: the grant type is not allowed for this client.',
    why: 'Auth0 compares callback URLs as texts, with the port. A free port is another one each time.',
    fix: [
      'Auth0 Dashboard → Applications → the app → Settings → Allowed Callback URLs: add each redirect with its port.',
      'The application type is "Native"; under Advanced Settings → Grant Types "Authorization Code" and "Refresh Token" are on.',
    ],
    tempting: { fix: 'A wildcard for the port.', fails: 'Wildcards are for subdomains only.' },
    phrases: ['Callback URL mismatch', 'is not in the list of allowed callback URLs'],
  }),
  auth0('redirect_uri_mismatch', readIn(AUTH0_CALLBACKS, '2026-11-24'), 'Callback URL mismatch', {
    title: 'The callback URL is not on the list',
    what: 'The redirect URI differs from every allowed callback URL: scheme, port, slash or path.',
    why: 'Auth0 compares texts.',
    fix: [
      'Auth0 Dashboard → Applications → the app → Settings → Allowed Callback URLs: add it exactly.',
    ],
  }),
  auth0('invalid_grant', readIn(AUTH0_ROTATION, '2026-11-24'), 'Refresh token rotation', {
    title: 'Auth0 no longer accepts the code or the refresh token',
    what: '"Unknown or invalid refresh token": it is over, was used after the overlap period, or rotation was switched on or off.',
    why: 'A refresh token that is used twice outside of the overlap period ends the whole family.',
    fix: [
      'Offer to sign in again.',
      'Dashboard → Applications → the app → Refresh Token Rotation: an overlap period of some seconds helps when answers get lost.',
      'Look for a second program that uses the same refresh token.',
    ],
    tempting: {
      fix: 'Switching rotation off.',
      fails: 'It ends the tokens that were given out, and a stolen one is never noticed again.',
    },
    phrases: ['Unknown or invalid refresh token'],
  }),
  auth0('access_denied', notReadIn('https://auth0.com/docs/troubleshoot'), 'Troubleshoot', {
    title: 'The person, an Action or the API said no',
    what: 'The consent was declined, an Action called `api.access.deny`, or the audience is unknown ("Service not found").',
    why: 'Auth0 uses one word for all of these; its log tells them apart.',
    fix: [
      'Dashboard → Monitoring → Logs: find the entry by its time.',
      'For "Service not found": compare `audience` with the identifier of the API, character by character.',
    ],
    phrases: ['Service not found'],
  }),
  auth0(
    'login_required',
    notReadIn('https://auth0.com/docs/authenticate/login/configure-silent-authentication'),
    'Silent authentication',
    {
      title: 'The person has to sign in',
      what: 'The request allowed no page, and nobody is signed in.',
      why: 'It comes to `prompt=none`, which a desktop app has no use for.',
      fix: ["Remove `prompt: 'none'` from `authorizationParameters`."],
    },
  ),
];

const OKTA_REDIRECTS = 'https://support.okta.com/help/s/article/openid-connect-oidc-redirect-uri';
const OKTA_REFRESH = 'https://developer.okta.com/docs/guides/refresh-tokens/main/';
const OKTA_ERRORS = 'https://developer.okta.com/docs/reference/error-codes/';
const okta = (code: string, source: AdviceSource, title: string, words: Words): AdviceEntry =>
  entry('okta', code, source, title, words);

export const OKTA_ADVICE: readonly AdviceEntry[] = [
  okta('invalid_request', readIn(OKTA_REDIRECTS, '2026-11-24'), 'Redirect URIs', {
    title: "The redirect URI is not one of the app's",
    what: 'Okta shows "The \'redirect_uri\' parameter must be a Login redirect URI in the client app settings" in the browser.',
    why: 'Okta compares redirect URIs exactly, the port too. A free port is another one each time.',
    fix: [
      'Okta Admin Console → Applications → the app → General → LOGIN → Sign-in redirect URIs: add each redirect with its port.',
      'In `redirects` name the same ports, such as `http://127.0.0.1:49321/callback`, or use a custom scheme.',
    ],
    tempting: { fix: 'A wildcard for the port.', fails: 'Okta has wildcards for subdomains only.' },
    phrases: ['parameter must be a Login redirect URI in the client app settings'],
  }),
  okta('invalid_grant', readIn(OKTA_REFRESH, '2026-11-24'), 'Refresh tokens', {
    title: 'Okta no longer accepts the code or the refresh token',
    what: 'The text beside it is mostly "The refresh token is invalid or expired".',
    why: 'It was not used for 7 days (the default), was revoked, or was rotated and used again after the grace of 0 to 60 seconds.',
    fix: [
      'Offer to sign in again.',
      'Security → API → the authorization server → Access Policies → the rule: set how long a refresh token may lie unused.',
      'With rotation: Applications → the app → General → grace period.',
    ],
    phrases: ['The refresh token is invalid or expired'],
  }),
  okta('invalid_client', notReadIn(OKTA_ERRORS), 'Okta error codes', {
    title: 'Okta does not accept the client',
    what: 'The client id is wrong for this domain or authorization server, or the app wants a secret.',
    why: 'The app is not of the type "Native Application", or its client authentication is not "None".',
    fix: [
      'Applications → the app → General → Client Credentials → Client authentication: "None", with PKCE required.',
      'Check `domain` and `clientId`.',
    ],
    tempting: {
      fix: 'Shipping the client secret.',
      fails: 'Everybody who has the app can read it.',
    },
  }),
  okta(
    'access_denied',
    notReadIn('https://developer.okta.com/docs/guides/configure-access-policy/'),
    'Access policies',
    {
      title: 'Nobody has assigned the app, or a policy says no',
      what: 'The person is not assigned to the app, or no rule of the authorization server allows this client and these scopes ("Policy evaluation failed").',
      why: 'Okta denies what no policy allows.',
      fix: [
        'Applications → the app → Assignments: add the person or a group.',
        'Security → API → the authorization server → Access Policies: a policy for this client, with a rule for the authorization code.',
      ],
      phrases: ['Policy evaluation failed', 'User is not assigned to the client application'],
    },
  ),
  okta('invalid_scope', notReadIn(OKTA_ERRORS), 'Okta error codes', {
    title: 'Okta does not allow a scope',
    what: 'The scope does not exist on this authorization server, or `offline_access` is asked for without the grant "Refresh Token".',
    why: 'Scopes belong to one authorization server; `default` has others than `org`.',
    fix: [
      'Security → API → the authorization server → Scopes.',
      'Applications → the app → General → Grant type: "Refresh Token".',
    ],
  }),
  okta('E0000021', notReadIn(OKTA_ERRORS), 'Okta error codes', {
    title: 'The request has a content type that Okta does not take',
    what: 'The token endpoint wants a form and got something else.',
    why: 'Latchkey sends forms; something between changes the request.',
    fix: ['Look for a proxy or a filter of the app that changes requests.'],
  }),
  okta('E0000022', notReadIn(OKTA_ERRORS), 'Okta error codes', {
    title: 'This endpoint does not exist',
    what: 'The address of the authorization server is wrong.',
    why: 'The id of the authorization server is misspelt, or custom authorization servers are not part of the plan.',
    fix: [
      'Check `okta({ domain, authorizationServer })`; `org` is the one that every organisation has.',
    ],
  }),
];

const COGNITO = 'https://docs.aws.amazon.com/cognito/latest/developerguide';
const cognito = (code: string, source: AdviceSource, words: Words): AdviceEntry =>
  entry('cognito', code, source, 'Amazon Cognito developer guide', words);

export const COGNITO_ADVICE: readonly AdviceEntry[] = [
  cognito('redirect_mismatch', notReadIn(`${COGNITO}/authorization-endpoint.html`), {
    title: 'The redirect URI is not registered',
    what: 'Cognito shows an error page in the browser; the redirect URI is none of the callback URLs.',
    why: 'Callback URLs are compared as they are registered. http is for `localhost` only.',
    fix: [
      'Cognito → the user pool → App clients → the client → Login pages → Allowed callback URLs: add each redirect with its port.',
      'Use `http://localhost:49321/callback` or a custom scheme.',
    ],
  }),
  cognito('invalid_client', readIn(`${COGNITO}/token-endpoint.html`, '2023-06'), {
    title: 'Cognito does not accept the client',
    what: 'The client id is wrong, or the app client has a secret that did not come.',
    why: 'An app client that was created with a secret keeps it for good.',
    fix: [
      'Create another app client, of the type "Mobile app" or "Single-page application": public, without a secret.',
      'Use its client id.',
    ],
    tempting: { fix: 'Shipping the secret.', fails: 'Everybody who has the app can read it.' },
  }),
  cognito('invalid_grant', readIn(`${COGNITO}/token-endpoint.html`, '2023-06'), {
    title: 'Cognito no longer accepts the code or the refresh token',
    what: 'The refresh token was revoked or is over, or the code was used already.',
    why: 'Refresh tokens live 30 days by default. A code lives for 5 minutes.',
    fix: ['Offer to sign in again.', 'App clients → the client → Refresh token expiration.'],
  }),
  cognito('unauthorized_client', readIn(`${COGNITO}/token-endpoint.html`, '2023-06'), {
    title: 'The app client may not do this',
    what: 'The authorization code grant, or renewal, is not allowed for it.',
    why: 'The login pages of the client are not set up for it.',
    fix: [
      'App clients → the client → Login pages → OAuth grant types: "Authorization code grant".',
      'Authentication flows: allow ALLOW_REFRESH_TOKEN_AUTH.',
    ],
  }),
  cognito('invalid_scope', readIn(`${COGNITO}/authorization-endpoint.html`, '2023-06'), {
    title: 'Cognito does not allow a scope',
    what: 'A scope is unknown or not switched on for this client.',
    why: 'There is no `offline_access` there, and custom scopes are written as `<resource server>/<scope>`.',
    fix: [
      'Leave out `offline_access`; refresh tokens come without it.',
      'App clients → the client → Login pages → OpenID Connect scopes.',
    ],
  }),
];
