// One address, many issuers: Entra's `common` names the issuer `…/{tenantid}/v2.0`, and each ID
// token fills in the tenant. Pure, never throws. Only a GUID can replace the placeholder; the
// filled issuer is then compared exactly (OpenID Connect Core §3.1.3.7).
import type { IssuerTemplate } from './provider-preset.js';

const PLACEHOLDER = '{tenantid}';
const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** True when metadata may name this issuer. */
export function isIssuerOfTemplate(template: IssuerTemplate, issuer: string): boolean {
  return template.metadata === 'pattern'
    ? issuer === template.pattern
    : tenantOf(template, issuer) !== null;
}

/**
 * True when the text is the pattern with a GUID in it, as `iss` in a callback (RFC 9207) may be.
 */
export function fillsTemplate(template: IssuerTemplate, issuer: string): boolean {
  return tenantOf(template, issuer) !== null;
}

/** The issuer of this tenant; null when it is no GUID. */
export function issuerOfTenant({ pattern }: IssuerTemplate, tenant: unknown): string | null {
  return typeof tenant === 'string' && GUID.test(tenant)
    ? pattern.replace(PLACEHOLDER, tenant)
    : null;
}

/** The tenant in an issuer that is the pattern with a GUID in it; else null. */
export function tenantOf({ pattern }: IssuerTemplate, issuer: string): string | null {
  const [before = '', after = ''] = pattern.split(PLACEHOLDER, 2);
  if (!issuer.startsWith(before) || !issuer.endsWith(after)) return null;
  const tenant = issuer.slice(before.length, issuer.length - after.length);
  return GUID.test(tenant) ? tenant : null;
}
