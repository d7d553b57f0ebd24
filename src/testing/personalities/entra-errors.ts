// Microsoft Entra's errors: which code comes with which `error`, and the JSON around it. Data and
// one shape; no rule. M: learn.microsoft.com/entra/identity-platform/reference-error-codes · T:
// bodies in public threads. Clients must not react to the numbers: "error codes are subject to
// change at any time" (M).
import { randomUUID } from 'node:crypto';
import { jsonAnswer } from '../server/exchange.js';
import type { Answer, Exchange } from '../server/exchange.js';

/** One AADSTS code. */
export interface EntraError {
  /** The OAuth error that a client may react to. */
  readonly error: string;
  /** Status at the token endpoint. */
  readonly status: 400 | 401;
  /** What follows the number. */
  readonly text: string;
  readonly suberror?: 'bad_token' | 'basic_action' | 'consent_required';
}

const invalidGrant = (text: string, suberror?: EntraError['suberror']): EntraError => ({
  error: 'invalid_grant',
  status: 400,
  text,
  ...(suberror === undefined ? {} : { suberror }),
});
const invalidRequest = (text: string): EntraError => ({
  error: 'invalid_request',
  status: 400,
  text,
});
const invalidClient = (text: string): EntraError => ({
  error: 'invalid_client',
  status: 401,
  text,
});
const invalidScope = (text: string): EntraError => ({ error: 'invalid_scope', status: 400, text });

/** The codes that the personality can send. */
export const ENTRA_ERRORS = {
  16000: {
    error: 'interaction_required',
    status: 400,
    text: 'Either multiple user identities are available for the current request or selected account is not supported for the scenario.',
  },
  28000: invalidScope(
    'Provided value for the input parameter scope is not valid because it contains more than one resource.',
  ),
  28003: invalidRequest(
    'Provided value for the input parameter scope cannot be empty when requesting an access token using the provided authorization code. Please specify a valid scope.',
  ),
  50011: invalidRequest(
    'The redirect URI specified in the request does not match the redirect URIs configured for the application. Make sure the redirect URI sent in the request matches one added to your application in the Azure portal.',
  ),
  50058: {
    error: 'login_required',
    status: 400,
    text: 'A silent sign-in request was sent but no user is signed in.',
  },
  50076: {
    error: 'interaction_required',
    status: 400,
    text: 'Due to a configuration change made by your administrator, or because you moved to a new location, you must use multi-factor authentication to access the resource.',
    suberror: 'basic_action',
  },
  50148: invalidGrant(
    'The code_verifier does not match the code_challenge supplied in the authorization request for PKCE.',
  ),
  50173: invalidGrant(
    'The provided grant has expired due to it being revoked, a fresh auth token is needed. The user might have changed or reset their password.',
    'bad_token',
  ),
  50196: invalidGrant(
    'The server terminated an operation because it encountered a client request loop. Please contact your app vendor.',
  ),
  50199: {
    error: 'interaction_required',
    status: 400,
    text: 'For security reasons, user confirmation is required for this request. Please repeat the request allowing user interaction.',
  },
  54005: invalidGrant(
    'OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh token.',
  ),
  65001: invalidGrant(
    'The user or administrator has not consented to use the application. Send an interactive authorization request for this user and resource.',
    'consent_required',
  ),
  65004: {
    error: 'access_denied',
    status: 400,
    text: 'User declined to consent to access the app.',
  },
  70000: invalidGrant('Provided grant is invalid or malformed.'),
  70008: invalidGrant(
    'The provided authorization code or refresh token has expired due to inactivity. Send a new interactive authorization request for this user and resource.',
  ),
  70016: {
    error: 'authorization_pending',
    status: 400,
    text: 'The provided request has not yet been authorized by the user. The user must input their code.',
  },
  70019: { error: 'expired_token', status: 400, text: 'Verification code expired.' },
  70011: invalidScope("The provided value for the input parameter 'scope' is not valid."),
  90002: {
    error: 'invalid_tenant',
    status: 400,
    text: 'Tenant not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud.',
  },
  500112: invalidClient(
    'The reply address does not match the reply address provided when requesting Authorization code.',
  ),
  501481: invalidGrant(
    'The Code_Verifier does not match the code_challenge supplied in the authorization request.',
  ),
  700016: {
    error: 'unauthorized_client',
    status: 400,
    text: 'Application was not found in the directory. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant.',
  },
  700025: invalidClient(
    "Client is public so neither 'client_assertion' nor 'client_secret' should be presented.",
  ),
  700082: invalidGrant('The refresh token has expired due to inactivity.', 'bad_token'),
  700084: invalidGrant(
    'The refresh token was issued to a single page app (SPA), and therefore has a fixed, limited lifetime of 1.00:00:00, which cannot be extended. It is now expired and a new sign in request must be sent by the SPA to the sign in page.',
    'bad_token',
  ),
  900144: invalidRequest("The request body must contain the following parameter: 'grant_type'."),
  900971: invalidRequest('No reply address provided.'),
  7000215: invalidClient('Invalid client secret provided.'),
  7000218: invalidClient(
    "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
  ),
  9002313: invalidGrant('Invalid request. Request is malformed or invalid.'),
  9002325: invalidRequest(
    'Proof Key for Code Exchange is required for cross-origin authorization code redemption.',
  ),
  9002326: invalidRequest(
    "Cross-origin token redemption is permitted only for the 'Single-Page Application' client-type.",
  ),
  9002327: invalidRequest(
    "Tokens issued for the 'Single-Page Application' client-type may only be redeemed via cross-origin requests.",
  ),
} as const satisfies Readonly<Record<number, EntraError>>;

/** A code that the personality can send. */
export type EntraCode = keyof typeof ENTRA_ERRORS;

/** The sentence of a code, without the ids that follow it. */
export function entraSentence(code: EntraCode, more = ''): string {
  return `AADSTS${code}: ${ENTRA_ERRORS[code].text}${more}`;
}

/** Any code in Entra's JSON, as the token endpoint sends it. `more` follows the sentence. */
export function entraAnswer(
  code: EntraCode,
  exchange: Exchange,
  nowMs: number,
  more = '',
  members: Readonly<Record<string, unknown>> = {},
): Answer {
  const { error, status, suberror }: EntraError = ENTRA_ERRORS[code];
  const traceId = randomUUID();
  const asked = exchange.headers['client-request-id'];
  const correlationId =
    typeof asked === 'string' && /^[0-9a-f-]{36}$/i.test(asked) ? asked : randomUUID();
  const timestamp = timestampOf(nowMs);
  const body = {
    error,
    error_description: `${entraSentence(code, more)} Trace ID: ${traceId} Correlation ID: ${correlationId} Timestamp: ${timestamp}`,
    error_codes: [code],
    timestamp,
    trace_id: traceId,
    correlation_id: correlationId,
    error_uri: `https://login.microsoftonline.com/error?code=${code}`,
    ...(suberror === undefined ? {} : { suberror }),
    ...members,
  };
  const { origin } = exchange.headers;
  return jsonAnswer(status, body, {
    'x-ms-request-id': traceId,
    ...(origin === undefined ? {} : { 'access-control-allow-origin': origin }),
  });
}

/** As the authorization endpoint puts a code into a callback. */
export function entraCallback(code: EntraCode, nowMs: number): Readonly<Record<string, string>> {
  return {
    error: ENTRA_ERRORS[code].error,
    error_description: `${entraSentence(code)} Trace ID: ${randomUUID()} Correlation ID: ${randomUUID()} Timestamp: ${timestampOf(nowMs)}`,
    error_uri: `https://login.microsoftonline.com/error?code=${code}`,
  };
}

/** `2026-01-31 12:00:00Z` */
function timestampOf(nowMs: number): string {
  return new Date(nowMs).toISOString().replace('T', ' ').replace(/\.\d+/, '');
}
