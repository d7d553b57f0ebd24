// How entries about Entra are written: their links, their source, and the one step that most of
// them share. Numbers are for people; the product reacts to `error` and `suberror` only.
import {
  type AdviceEntry,
  type AdviceLink,
  type AdviceSource,
  notReadIn,
  readIn,
  rfc,
} from './entry.js';

export const REPLY_URL = 'https://learn.microsoft.com/entra/identity-platform/reply-url';
export const CODE_FLOW =
  'https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow';
export const ERROR_CODES_PAGE =
  'https://learn.microsoft.com/entra/identity-platform/reference-error-codes';

/** The page of the registration that most fixes begin on. */
export const OPEN_AUTHENTICATION =
  'Open the Microsoft Entra admin center → App registrations → your app → Authentication.';

export const NATIVE_APPS: AdviceLink = rfc(8252, '8.5');

type Words = Omit<AdviceEntry, 'provider' | 'codes' | 'links' | 'source'>;

/** Numbers without `AADSTS`. Each has a page of its own at Microsoft. */
export function aadsts(
  numbers: readonly [number, ...number[]],
  words: Words,
  source: AdviceSource = readIn(ERROR_CODES_PAGE, '2024-04-24'),
  ...more: readonly AdviceLink[]
): AdviceEntry {
  const [first, ...rest] = numbers;
  return {
    provider: 'entra',
    codes: [`AADSTS${first}`, ...rest.map((number) => `AADSTS${number}`)],
    links: [
      {
        title: `Microsoft on AADSTS${first}`,
        url: `https://login.microsoftonline.com/error?code=${first}`,
      },
      { title: 'Entra error codes', url: ERROR_CODES_PAGE },
      ...more,
    ],
    source,
    ...words,
  };
}

/** Values of `suberror`, which say what kind of answer helps. */
export function suberror(word: string, words: Words): AdviceEntry {
  const page =
    'https://learn.microsoft.com/entra/msal/dotnet/advanced/exceptions/msal-error-handling';
  return {
    provider: 'entra',
    codes: [word],
    links: [{ title: 'Error handling in MSAL', url: page }],
    source: notReadIn(page),
    ...words,
  };
}
