// Microsoft Entra ID, the v2 endpoints, for an app of one tenant. Read from Microsoft's documents
// and public threads; not tried on a live tenant. What it decides by: the platform of the redirect
// URI, and the Origin header.
import { createHash, randomUUID } from 'node:crypto';
import { readJsonObject } from '../server/exchange.js';
import type { Answer, Exchange } from '../server/exchange.js';
import { errorPage } from '../server/outcome-page.js';
import { pageAnswer } from '../server/page-frame.js';
import type { Personality, Room, Rule } from '../server/personality.js';
import {
  callbackAnswer,
  holdsClaims,
  parametersOf,
  scopesOf,
  withCallback,
  withMembers,
  withoutSecret,
  withParameters,
} from '../server/wire.js';
import { ENTRA_ERRORS, entraAnswer, entraCallback, entraSentence } from './entra-errors.js';
import type { EntraCode } from './entra-errors.js';
import { createPick, matchEntra, refuseRegistration } from './entra-redirects.js';
import { ENTRA_SCOPES, isUnknownScope, scopesOfToken } from './entra-scopes.js';
import {
  createLoopDetector,
  judgeCode,
  judgeDeviceCode,
  judgePlatform,
  judgeRefreshToken,
  judgeRequest,
  judgeScopes,
  judgeVerifier,
  redeemedBy,
} from './entra-token.js';

const CODE_FLOW = 'Microsoft: v2-oauth2-auth-code-flow';
const REPLY_URL = 'Microsoft: reply-url';
const ERRORS = 'Microsoft: reference-error-codes';
const REFRESH = 'Microsoft: refresh-tokens';
const CLAIMS = 'Microsoft: claims-challenge';
const DAY_SECONDS = 86_400;
const ANY_TENANT: readonly string[] = ['common', 'organizations'];

/** Platforms of redirect URIs, errors as AADSTS codes, one resource for each token. */
export function createEntra(): Personality {
  return {
    issuerPath: (tenant) => `/${tenant}/v2.0`,
    refuseRegistration,
    rules: [...addresses(), ...authorization(), ...tokens()],
  };
}

function addresses(): readonly Rule[] {
  return [
    {
      fact: 'The issuer is `…/{tenant}/v2.0`. There is no revocation endpoint.',
      source: 'Microsoft: v2-protocols-oidc, the OpenID configuration document',
      paths: {
        openidConfiguration: '/{tenant}/v2.0/.well-known/openid-configuration',
        oauthMetadata: null,
        authorization: '/{tenant}/oauth2/v2.0/authorize',
        token: '/{tenant}/oauth2/v2.0/token',
        endSession: '/{tenant}/oauth2/v2.0/logout',
        jwks: '/{tenant}/discovery/v2.0/keys',
        userinfo: '/oidc/userinfo',
        revocation: null,
        pushedAuthorization: null,
        me: null,
        api: '/v1.0/me',
        deviceAuthorization: '/{tenant}/oauth2/v2.0/devicecode',
      },
    },
    {
      fact: 'The configuration of `common` and `organizations` names no issuer but a placeholder, `{tenantid}`.',
      source: 'Microsoft: v2-protocols-oidc; public threads',
      on: 'discovery',
      change: (answer, exchange, room) => {
        if (!isTenant(room)) return entraAnswer(90002, exchange, room.nowMs);
        return ANY_TENANT.includes(room.tenant)
          ? withMembers(answer, (members) => ({
              ...members,
              issuer: `${room.origin}/{tenantid}/v2.0`,
            }))
          : answer;
      },
    },
    {
      fact: 'Neither PKCE nor `iss` in callbacks is announced.',
      source: 'public threads; the OpenID configuration document',
      policy: { pkce: 'optional' },
      on: 'discovery',
      change: (answer) =>
        withMembers(answer, (members) => ({
          ...members,
          code_challenge_methods_supported: undefined,
          authorization_response_iss_parameter_supported: undefined,
        })),
    },
    {
      fact: 'ID tokens have `tid`, `oid` and `ver`, and no `at_hash`. Instead of more than 200 `groups` they say in `_claim_names` where to ask.',
      source: 'Microsoft: id-token-claims-reference',
      policy: {
        idTokenClaims: (
          { at_hash: _hash, email_verified: _verified, picture: _picture, ...claims },
          { settings },
        ) => ({
          ...withoutOverage(claims),
          tid: settings.tenant,
          oid: uuidOf(String(claims['sub'])),
          preferred_username: claims['email'] ?? claims['preferred_username'],
          ver: '2.0',
        }),
      },
    },
    {
      fact: 'The userinfo endpoint tells the name, the address and the picture, and no claim that an administrator adds.',
      source: 'Microsoft: userinfo',
      on: 'userinfo',
      change: (answer) =>
        withMembers(answer, (members) =>
          Object.fromEntries(
            Object.entries(members).filter(
              ([name]) => answer.status !== 200 || USERINFO.includes(name),
            ),
          ),
        ),
    },
  ];
}

const USERINFO = ['sub', 'name', 'given_name', 'family_name', 'email', 'picture'];
const GROUPS_MAX = 200;

function withoutOverage(claims: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { groups, ...others } = claims;
  if (!Array.isArray(groups) || groups.length <= GROUPS_MAX) return claims;
  const endpoint = `https://graph.microsoft.com/v1.0/users/${uuidOf(String(claims['sub']))}/getMemberObjects`;
  return { ...others, _claim_names: { groups: 'src1' }, _claim_sources: { src1: { endpoint } } };
}

function authorization(): readonly Rule[] {
  return [
    {
      fact: 'An unknown tenant or app, or an unregistered or missing redirect URI, ends on a page of Entra: 90002, 700016, 50011, 900971.',
      source: ERRORS,
      policy: { redirects: matchEntra },
      on: 'authorization',
      judge: (exchange, room) => {
        const parameters = parametersOf(exchange);
        const asked = parameters.get('redirect_uri');
        if (!isTenant(room)) return refusalPage(90002);
        if (parameters.get('client_id') !== room.settings.clientId) return refusalPage(700016);
        if (asked === null) return refusalPage(900971);
        return matchEntra(room.registration.redirects, asked).length === 0
          ? refusalPage(50011)
          : null;
      },
    },
    {
      fact: 'An unknown scope returns as 70011. A person may consent to several resources at once.',
      source: `${ERRORS}; ${CODE_FLOW}`,
      policy: { scopes: ENTRA_SCOPES },
      on: 'authorization',
      judge: (exchange, room) => {
        const scopes = scopesOf(parametersOf(exchange).get('scope'));
        return scopes.length === 0 || scopes.some((scope) => isUnknownScope(scope, room))
          ? sendBack(70011, exchange, room)
          : null;
      },
    },
    {
      fact: 'The parameter `claims` asks for what an API required.',
      source: CLAIMS,
      policy: { extraParameters: ['asked_claims'] },
      on: 'authorization',
      // oidc-provider reads `claims` as OpenID Connect Core §5.5 has it.
      judge: (exchange) =>
        withParameters(exchange, {
          claims: null,
          asked_claims: parametersOf(exchange).get('claims'),
        }),
    },
    {
      fact: 'A custom scheme costs one more page: "Are you trying to sign in to …?" (50199). http and https do not.',
      source: `${ERRORS} (50199, CmsiInterrupt)`,
      policy: { confirmsSchemes: true },
    },
    {
      fact: 'Errors in callbacks: 65004 when the person refuses, 50058 and 16000 for `prompt=none`. Callbacks do not name the issuer.',
      source: `${ERRORS}; error_subcode from public code`,
      on: 'authorization',
      change: (answer, _exchange, { nowMs }) =>
        withCallback(answer, (parameters) => {
          const error = parameters.get('error');
          if (error === null) return { iss: null, session_state: randomUUID() };
          const code = CALLBACK_CODES[error];
          return {
            iss: null,
            ...(code === undefined ? {} : entraCallback(code, nowMs)),
            ...(code === 65004 ? { error_subcode: 'cancel' } : {}),
          };
        }),
    },
  ];
}

function tokens(): readonly Rule[] {
  const pick = createPick();
  const detectLoop = createLoopDetector();
  return [
    {
      fact: 'A body without `grant_type` (such as JSON) is 900144, an unknown tenant 90002, an unknown app 700016.',
      source: ERRORS,
      on: 'token',
      judge: (exchange, room) =>
        isTenant(room) ? judgeRequest(exchange, room) : entraAnswer(90002, exchange, room.nowMs),
    },
    {
      fact: 'The same token request again and again is a loop: 50196. Here: more than 15 within 5 minutes. Polling a device code does not count.',
      source: `${ERRORS}; the numbers are not verified`,
      on: 'token',
      judge: detectLoop,
    },
    {
      fact: 'Device codes need "Allow public client flows" (otherwise 7000218). While the person is away the answer is 70016; a refusal is `authorization_declined`.',
      source: `Microsoft: v2-oauth2-device-code; ${ERRORS}`,
      on: 'token',
      judge: judgeDeviceCode,
    },
    {
      fact: 'The answer with a device code has a `message` for people, and no `verification_uri_complete`.',
      source: 'Microsoft: v2-oauth2-device-code',
      on: 'device-authorization',
      change: (answer, exchange, { nowMs }) => {
        const members = readJsonObject(answer.body);
        if (members === null || 'error' in members)
          return entraAnswer(
            members?.['error'] === 'invalid_scope' ? 70011 : 700016,
            exchange,
            nowMs,
          );
        const message = `To sign in, use a web browser to open the page ${textOf(members['verification_uri'])} and enter the code ${textOf(members['user_code'])} to authenticate.`;
        return withMembers(answer, () => ({
          ...members,
          message,
          verification_uri_complete: undefined,
        }));
      },
    },
    {
      fact: 'A code is redeemed once (54005), in its time (70008), with its redirect URI (500112).',
      source: `${ERRORS}; ${CODE_FLOW}`,
      policy: { codeSeconds: 600 },
      on: 'token',
      judge: judgeCode,
    },
    {
      fact: 'A refresh token that has ended: 700082 after 90 idle days, 700084 after the 24 hours of a SPA, 50173 when it was revoked.',
      source: `${ERRORS}; ${REFRESH}`,
      policy: {
        refreshTokenSeconds: (grant, _scopes, ageSeconds) =>
          grant?.platform === 'spa' ? Math.max(1, DAY_SECONDS - ageSeconds) : 90 * DAY_SECONDS,
      },
      on: 'token',
      judge: judgeRefreshToken,
    },
    {
      fact: 'A renewal gives a new refresh token, and the old one stays valid.',
      source: REFRESH,
      policy: { rotates: true, graceSeconds: Infinity },
    },
    {
      fact: 'The platform of the redirect URI decides: SPA needs PKCE (9002325) and an Origin (9002327), all others must not have one (9002326); Web needs a secret (7000218, 7000215), native must not have one (700025).',
      source: `${CODE_FLOW}; ${REPLY_URL}; error bodies from public threads`,
      policy: { allowsOrigin: true },
      on: 'token',
      judge: (exchange, room) => {
        const kept = redeemedBy(exchange, room);
        const note = room.grants.find(kept?.payload['grantId']);
        const platform =
          note?.platform ??
          pick(matchEntra(room.registration.redirects, textOf(kept?.payload['redirectUri'])));
        if (note !== undefined) note.platform = platform;
        return judgePlatform(platform, exchange, room);
      },
    },
    {
      fact: 'A wrong verifier is 501481, a missing one is 50148.',
      source: `${ERRORS}; public threads`,
      on: 'token',
      judge: judgeVerifier,
    },
    {
      fact: 'A token is for one resource: two are 28000, none 28003, unknown ones 70011, those without consent 65001.',
      source: `${ERRORS}; 28000 from public threads`,
      on: 'token',
      judge: judgeScopes,
    },
    {
      fact: 'A renewal with `claims` that only a person can meet is `interaction_required`, suberror `basic_action`, with the claims.',
      source: `${CLAIMS}; Microsoft: v2-oauth2-on-behalf-of-flow, the error response`,
      on: 'token',
      judge: (exchange, room) => {
        const claims = exchange.form.get('claims');
        if (claims === null || exchange.form.get('grant_type') !== 'refresh_token') return null;
        const note = room.grants.find(redeemedBy(exchange, room)?.payload['grantId']);
        const demanded = room.challenge?.claims;
        if (
          room.challenge?.metBy === 'sign-in' &&
          demanded !== undefined &&
          holdsClaims(claims, demanded.access_token) &&
          !holdsClaims(note?.parameters['asked_claims'], demanded.access_token)
        )
          return entraAnswer(50076, exchange, room.nowMs, '', { claims });
        if (note !== undefined) note.claims = claims;
        return null;
      },
    },
    {
      fact: 'The answer names the scopes of the one resource, and `ext_expires_in`.',
      source: CODE_FLOW,
      on: 'token',
      judge: (exchange) => withoutSecret(exchange),
      change: finishTokens,
    },
  ];
}

function finishTokens(answer: Answer, exchange: Exchange, { nowMs }: Room): Answer {
  const members = readJsonObject(answer.body);
  if (members === null || 'error_codes' in members) return answer;
  if ('error' in members) return refusalOf(textOf(members['error']), exchange, nowMs);
  const scopes = scopesOfToken(exchange.form.get('scope'), scopesOf(members['scope']));
  return withMembers(answer, () => ({
    ...members,
    scope: scopes.join(' '),
    ext_expires_in: members['expires_in'],
  }));
}

function isTenant({ tenant, settings }: Room): boolean {
  return tenant === settings.tenant || ANY_TENANT.includes(tenant);
}

/** What oidc-provider refuses, in Entra's words. */
function refusalOf(error: string, exchange: Exchange, nowMs: number): Answer {
  switch (error) {
    case 'authorization_pending':
      return entraAnswer(70016, exchange, nowMs);
    case 'slow_down':
      return entraAnswer(70016, exchange, nowMs, '', { error });
    case 'access_denied':
      return entraAnswer(65004, exchange, nowMs, '', { error: 'authorization_declined' });
    case 'expired_token':
      return entraAnswer(70019, exchange, nowMs);
    default:
      return entraAnswer(error === 'invalid_scope' ? 70011 : 70000, exchange, nowMs);
  }
}

const CALLBACK_CODES: Readonly<Record<string, EntraCode>> = {
  access_denied: 65004,
  login_required: 50058,
  interaction_required: 16000,
  consent_required: 16000,
};

function refusalPage(code: EntraCode): Answer {
  return pageAnswer(errorPage(ENTRA_ERRORS[code].error, entraSentence(code), 400));
}

function sendBack(code: EntraCode, exchange: Exchange, { nowMs }: Room): Answer {
  const parameters = parametersOf(exchange);
  return callbackAnswer(parameters.get('redirect_uri') ?? '', {
    ...entraCallback(code, nowMs),
    state: parameters.get('state'),
  });
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** A number of the form that Entra gives to objects, the same for the same person. */
function uuidOf(subject: string): string {
  const hex = createHash('sha256').update(subject).digest('hex');
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20, 32),
  ].join('-');
}
