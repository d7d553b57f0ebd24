// Which advice fits an error, and what to say when it is known what Latchkey itself has sent. Pure.
// Advice only: nothing that the product does depends on a number that is looked up here.
import type { AdviceView, ProviderErrorView } from '../contract.js';
import { findAdvice, providerOf } from './catalog.js';
import { decideRegistration } from './decide-registration.js';
import type { AdviceEntry, AdviceFacts, AdviceLink, AdviceProvider } from './entry.js';

/**
 * What an error says of itself, and what Latchkey had sent: as an `AuthError` has it, or as it was
 * found in a pasted text.
 */
export interface AdvisedError {
  readonly serverError?: string | undefined;
  readonly provider?: ProviderErrorView | undefined;
  readonly exchange?:
    | {
        readonly redirectUri: string | null;
        readonly sentVerifier: boolean;
        readonly sentSecret: boolean;
      }
    | undefined;
}

/**
 * Advice for an error, or null when nothing is known of it. The most exact word decides: the
 * provider's code, its suberror, its error.
 */
export function advise(
  { serverError, provider: details }: AdvisedError,
  facts: AdviceFacts = {},
): AdviceView | null {
  const provider =
    facts.provider ?? (details?.code === undefined ? undefined : ownerOf(details.code));
  for (const word of [details?.code, details?.suberror, serverError]) {
    const entry = word === undefined ? null : findAdvice(word, provider);
    if (word !== undefined && entry !== null)
      return toView(entry, word, facts, word === details?.code ? undefined : details?.code);
  }
  return null;
}

/** Makes the function that the engine calls: the facts that never change are in it. */
export function createAdvise(client: {
  readonly issuer: string;
  readonly preset: string | null;
}): (error: AdvisedError) => AdviceView | null {
  const provider = presetProvider(client.preset) ?? providerOf(client.issuer);
  return (error) => {
    const { exchange } = error;
    return advise(error, {
      ...(provider === undefined ? {} : { provider }),
      // Latchkey never sends an origin: its requests belong to no page.
      ...(exchange === undefined
        ? {}
        : {
            sentOrigin: false,
            sentVerifier: exchange.sentVerifier,
            sentSecret: exchange.sentSecret,
          }),
      ...(exchange === undefined || exchange.redirectUri === null
        ? {}
        : { redirectUri: exchange.redirectUri }),
    });
  };
}

function presetProvider(preset: string | null): AdviceProvider | undefined {
  const known: readonly AdviceProvider[] = [
    'entra',
    'google',
    'github',
    'auth0',
    'okta',
    'keycloak',
    'cognito',
  ];
  return known.find((name) => name === preset);
}

function ownerOf(code: string): AdviceProvider | undefined {
  if (/^AAD(?:STS|B2C)\d/.test(code)) return 'entra';
  return /^E\d{7}$/.test(code) ? 'okta' : undefined;
}

function toView(
  entry: AdviceEntry,
  code: string,
  facts: AdviceFacts,
  unknownCode: string | undefined,
): AdviceView {
  const { title, what, why, fix, tempting } = decideRegistration(entry, facts);
  // A number that is not in the catalog: Microsoft's own page may know it.
  const page = unknownCode === undefined ? null : /^AADSTS(\d{4,9})$/.exec(unknownCode);
  const links: readonly AdviceLink[] =
    page === null
      ? entry.links
      : [
          {
            title: `Microsoft on ${page[0]}`,
            url: `https://login.microsoftonline.com/error?code=${page[1] ?? ''}`,
          },
          ...entry.links,
        ];
  return {
    code,
    title,
    what,
    why,
    fix,
    ...(tempting === undefined ? {} : { tempting }),
    links,
    source: entry.source,
  };
}
