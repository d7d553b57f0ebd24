// The checks of an ID token that the OAuth library leaves to its caller (OpenID Connect Core
// §3.1.3.6, §3.1.3.7, §12.2). Pure except for the digest. The library checks the signature and the
// other claims.
import { AuthError } from '../base/errors.js';
import { note, shownClient } from '../base/evidence.js';
import { issuerOfTenant, tenantOf } from '../options/issuer-template.js';
import type { IssuerTemplate } from '../options/provider-preset.js';
import type { ArrivalTimes } from './arrival-times.js';
import { type AskedAge, assertAuthTime, assertTimes } from './id-token-times.js';
import { base64url } from '../base/digest.js';
import type { SignInDemand } from '../options/sign-in-demand.js';

type Claims = Readonly<Record<string, unknown>>;

/** What the ID token is checked against, in addition to the checks of the OAuth library. */
export interface ExpectedClaims {
  readonly clientId: string;
  readonly accessToken: string;
  /** The times of the answer that brought the ID token. */
  readonly times: ArrivalTimes;
  /** Null when no `max_age` was sent. */
  readonly asked: AskedAge | null;
  /** What the sign-in demanded in addition. */
  readonly demand?: SignInDemand;
}

/**
 * Throws `id-token-invalid` unless `azp`, the times and `at_hash` are right, and `auth_time` if
 * `max_age` was sent. `azp`, `nbf` and `at_hash` may be absent.
 */
export async function assertRemainingClaims(
  idToken: string,
  claims: Claims,
  expected: ExpectedClaims,
): Promise<void> {
  if (claims['azp'] !== undefined && claims['azp'] !== expected.clientId)
    throw note(invalid('"azp" names another client'), {
      member: 'the claim "azp"',
      expected: shownClient(expected.clientId),
      got: shownClient(claims['azp']),
    });
  assertTimes(claims, expected.times);
  if (expected.asked !== null) assertAuthTime(claims, expected.asked, expected.times);
  assertDemand(claims, expected.demand ?? {});
  if (
    claims['at_hash'] !== undefined &&
    claims['at_hash'] !== (await accessTokenHash(idToken, expected.accessToken))
  ) {
    throw invalid('"at_hash" does not match the access token');
  }
}

/**
 * A provider may ignore `acr_values` (Core §3.1.2.1), but a sign-in that demanded it (RFC 9470 §4) has
 * failed then. An essential `acr` with values (§5.5.1.1) and a `sub` with a value (§5.5.1) must come.
 */
function assertDemand(claims: Claims, { acrValues, claims: asked }: SignInDemand): void {
  const members = objectIn(asked, 'id_token');
  const acr = objectIn(members, 'acr');
  const essential = acr['essential'] === true ? valuesIn(acr) : null;
  for (const wanted of [acrValues, essential])
    if (Array.isArray(wanted) && !wanted.includes(claims['acr']))
      throw invalid('"acr" is none of those that were demanded (RFC 9470 §4)');
  const subjects = valuesIn(objectIn(members, 'sub'));
  if (subjects !== null && !subjects.includes(claims['sub']))
    throw invalid('"sub" is not the one that was demanded (OpenID Connect Core §5.5.1)');
}

/** What a claim must be one of; null: anything. */
function valuesIn({ value, values }: Claims): readonly unknown[] | null {
  if (value !== undefined) return [value];
  return Array.isArray(values) ? values : null;
}

function objectIn(from: Claims | undefined, name: string): Claims {
  const member = from?.[name];
  return typeof member === 'object' && member !== null ? (member as Claims) : {};
}

/**
 * Which person the ID token of a renewal names (Core §12.2). `same`: it has the account's `iss` and
 * `sub`, and this client in `aud` and `azp`. `unsaid`: there is no ID token. TLS replaces the
 * signature check (§3.1.3.7, 6). Times are not checked: a wrong clock must not end a session. Nor
 * is `auth_time`: it changes when the person signs in again elsewhere, and names nobody.
 */
export function personIn(
  idToken: unknown,
  expected: { readonly issuer: string; readonly subject: string },
  clientId: string,
): 'same' | 'another' | 'unsaid' {
  // Some servers send an empty member instead of leaving it out.
  if (typeof idToken !== 'string' || idToken === '') return 'unsaid';
  const claims = decodePart(idToken, 1);
  if (
    claims === undefined ||
    claims['iss'] !== expected.issuer ||
    claims['sub'] !== expected.subject
  )
    return 'another';
  return isFor(clientId, claims) ? 'same' : 'another';
}

/** As the library checks it at sign-in: with several audiences, `azp` names the client. */
function isFor(clientId: string, { aud, azp }: Claims): boolean {
  if (azp !== undefined && azp !== clientId) return false;
  if (!Array.isArray(aud)) return aud === clientId;
  return aud.includes(clientId) && (aud.length === 1 || azp !== undefined);
}

async function accessTokenHash(idToken: string, accessToken: string): Promise<string> {
  const alg = decodePart(idToken, 0)?.['alg'];
  const size =
    typeof alg === 'string' ? (/^(?:RS|PS|ES)(256|384|512)$/.exec(alg)?.[1] ?? '512') : '256';
  const digest = await crypto.subtle.digest(`SHA-${size}`, new TextEncoder().encode(accessToken));
  return base64url(new Uint8Array(digest).slice(0, digest.byteLength / 2));
}

/** A part of a JWT as an object, unverified; undefined when it is not an object. */
export function decodePart(jwt: string, index: 0 | 1): Claims | undefined {
  try {
    const part = jwt.split('.')[index] ?? '';
    const bytes = Uint8Array.from(atob(part.replaceAll('-', '+').replaceAll('_', '/')), (char) =>
      char.charCodeAt(0),
    );
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return typeof value === 'object' && value !== null ? (value as Claims) : undefined;
  } catch {
    return undefined;
  }
}

function invalid(what: string): AuthError {
  return new AuthError('id-token-invalid', `ID token: ${what}`);
}

/**
 * The one issuer that this ID token may name: the pattern with the claim `tid` in place of the
 * placeholder. Null when there is none: no `tid`, or one that is no GUID. The token is not verified
 * here; the answer is what it must be verified against.
 */
export function issuerOfIdToken(template: IssuerTemplate, idToken: string): string | null {
  const claims = decodePart(idToken, 1);
  const tenant =
    claims?.['tid'] ??
    (typeof claims?.['iss'] === 'string' ? tenantOf(template, claims['iss']) : null);
  return issuerOfTenant(template, tenant);
}
