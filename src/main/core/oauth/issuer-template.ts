// One address, many issuers: Entra's `common` names the issuer `…/{tenantid}/v2.0`, and each ID
// token fills it. Pure, never throws. A filled issuer is compared exactly again (OpenID Connect
// Core §3.1.3.7): only a GUID can stand for the placeholder.
import { decodePart } from './id-token.js';
import type { IssuerTemplate } from '../options/provider-preset.js';

const PLACEHOLDER = '{tenantid}';
const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Whether metadata may name this issuer. */
export function isIssuerOfTemplate(template: IssuerTemplate, issuer: string): boolean {
  return template.metadata === 'pattern'
    ? issuer === template.pattern
    : tenantOf(template, issuer) !== null;
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
  return typeof tenant === 'string' && GUID.test(tenant)
    ? template.pattern.replace(PLACEHOLDER, tenant)
    : null;
}

/**
 * True when the text is the pattern with a GUID in it, such as `iss` in a callback (RFC 9207) may
 * be.
 */
export function fillsTemplate(template: IssuerTemplate, issuer: string): boolean {
  return tenantOf(template, issuer) !== null;
}

function tenantOf({ pattern }: IssuerTemplate, issuer: string): string | null {
  const [before = '', after = ''] = pattern.split(PLACEHOLDER, 2);
  if (!issuer.startsWith(before) || !issuer.endsWith(after)) return null;
  const tenant = issuer.slice(before.length, issuer.length - after.length);
  return GUID.test(tenant) ? tenant : null;
}
