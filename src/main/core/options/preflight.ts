// Finds what is wrong in the options for this provider, before a person is sent to the browser.
// Pure: the rules are data of the preset. A message contains the rule's text and the option's name,
// never a value from the host.
import { isLoopback } from './syntax.js';
import type {
  PreflightCondition,
  PreflightRule,
  ProviderPreset,
  RedirectTrait,
} from './provider-preset.js';

/** The options that rules can check, as the host gave them: `unknown` members are unchecked. */
export interface PreflightSubject {
  readonly redirects: unknown;
  readonly scopes: readonly string[];
  readonly clientId: unknown;
  readonly hasClientSecret: boolean;
  readonly hasResources: boolean;
}

/** Sentences in the order of the rules. `refusals`: cannot work. `warnings`: works badly. */
export interface PreflightFindings {
  readonly refusals: readonly string[];
  readonly warnings: readonly string[];
}

/** Applies each rule of the preset once. */
export function preflight(
  preset: Pick<ProviderPreset, 'title' | 'preflight'>,
  subject: PreflightSubject,
): PreflightFindings {
  const broken = preset.preflight.filter(({ when }) => applies(when, subject));
  const say = ({ option, problem, fix }: PreflightRule): string =>
    `option "${option}" does not suit ${preset.title}: ${problem}; ${fix}`;
  return {
    refusals: broken.filter(({ verdict }) => verdict === 'refuse').map(say),
    warnings: broken.filter(({ verdict }) => verdict === 'warn').map(say),
  };
}

function applies(
  when: PreflightCondition,
  { redirects, scopes, clientId, hasClientSecret, hasResources }: PreflightSubject,
): boolean {
  const { redirect, scope, scopesOf, resources, clientSecret, clientIdUnlike } = when;
  if (
    redirect !== undefined &&
    !(
      Array.isArray(redirects) &&
      redirects.some(
        (entry: unknown, index) => typeof entry === 'string' && hasTrait(entry, index, redirect),
      )
    )
  )
    return false;
  if (scope !== undefined && !scopes.includes(scope)) return false;
  if (scopesOf !== undefined && resourcesOf(scopes).size < 2) return false;
  if (resources !== undefined && !hasResources) return false;
  if (clientSecret !== undefined && (clientSecret === 'given') !== hasClientSecret) return false;
  return (
    clientIdUnlike === undefined ||
    (typeof clientId === 'string' && !new RegExp(clientIdUnlike).test(clientId))
  );
}

function hasTrait(entry: string, index: number, trait: RedirectTrait): boolean {
  const kind = kindOf(entry);
  const url = kind === 'loopback' ? new URL(entry) : null;
  // URL drops the port 80, although the entry names it.
  const port = url === null ? null : /^http:\/\/[^/]*:\d+(?:\/|$)/i.test(entry) ? 'named' : 'free';
  return (
    is(trait.kind, kind) &&
    is(trait.host, url?.hostname) &&
    is(trait.port, port) &&
    (trait.path === undefined || (url !== null && !/^http:\/\/[^/]+\/./i.test(entry))) &&
    (trait.first === undefined || index === 0) &&
    (trait.longerThan === undefined || entry.length > trait.longerThan) &&
    (trait.withCharacterOf === undefined ||
      [...trait.withCharacterOf].some((character) => entry.includes(character))) &&
    (trait.startsWith === undefined || entry.startsWith(trait.startsWith)) &&
    (trait.startsNotWith === undefined || !entry.startsWith(trait.startsNotWith))
  );
}

function is<T>(wanted: T | undefined, actual: unknown): boolean {
  return wanted === undefined || wanted === actual;
}

/** The check of the option itself handles `unknown`. */
function kindOf(entry: string): NonNullable<RedirectTrait['kind']> | 'unknown' {
  if (entry === 'device-code') return 'device-code';
  if (entry.startsWith('paste:')) return 'paste';
  if (!URL.canParse(entry)) return 'unknown';
  const { protocol, hostname } = new URL(entry);
  if (protocol === 'https:') return 'https';
  if (protocol !== 'http:') return 'custom-scheme';
  return isLoopback(hostname) ? 'loopback' : 'unknown';
}

/**
 * The APIs that the scopes belong to. OpenID Connect's own scopes belong to none; scopes without
 * "://" belong to the provider's own API.
 */
function resourcesOf(scopes: readonly string[]): ReadonlySet<string> {
  const own = new Set(['openid', 'profile', 'email', 'address', 'phone', 'offline_access']);
  return new Set(
    scopes
      .filter((scope) => !own.has(scope))
      .map((scope) => (scope.includes('://') ? scope.slice(0, scope.lastIndexOf('/')) : '')),
  );
}
