// Finds error codes in what people paste: a code, a stack trace, a JSON body, a log, the address of
// an error page. Pure. The text may hold codes, tokens and verifiers: only words of the catalog and
// numbers of a strict form leave this file.
import { ADVICE, providerOf } from './catalog.js';
import type { AdviceProvider } from './entry.js';

/** A code that was found, and whose it seems to be. */
export interface FoundCode {
  readonly code: string;
  readonly provider?: AdviceProvider;
}

/** A pasted log of a whole day is not read to its end. */
const SEARCHED_CHARACTERS = 200_000;

/** Words with an underscore only: no prose and no name of a file has them by accident. */
const WORDS = [...new Set(ADVICE.flatMap(({ codes }) => codes))].filter((code) =>
  /^[a-z]+(?:_[a-z]+)+$/.test(code),
);

/**
 * Every code in the text, in its order, each once. What is no code and no known word is not found.
 */
export function findCodes(text: string): readonly FoundCode[] {
  const searched = text.slice(0, SEARCHED_CHARACTERS);
  const provider = providerIn(searched);
  const numbers = [...entraNumbers(searched), ...oktaCodes(searched)];
  const found =
    numbers.length > 0 ? numbers : [...phrases(searched, provider), ...words(searched, provider)];
  return [...new Map(found.map((one) => [`${one.provider ?? ''} ${one.code}`, one])).values()];
}

/** `AADSTS50011`, `"error_codes":[50011]`, `…/error?code=50011`, or nothing but the number. */
function entraNumbers(text: string): readonly FoundCode[] {
  const patterns = [
    /(?<![A-Za-z0-9])AADSTS(\d{4,9})(?!\d)/gi,
    /"error_codes"\s*:\s*\[\s*(\d{4,9})\s*[,\]]/g,
    /login\.(?:microsoftonline\.(?:com|us)|windows\.net|partner\.microsoftonline\.cn)\/error\?code=(\d{4,9})(?!\d)/gi,
    /^\s*(\d{5,9})\s*$/g,
  ];
  const hits = patterns.flatMap((pattern) => [...text.matchAll(pattern)]);
  return hits
    .sort((a, b) => a.index - b.index)
    .map((hit) => ({ code: `AADSTS${hit[1] ?? ''}`, provider: 'entra' }));
}

function oktaCodes(text: string): readonly FoundCode[] {
  return [...text.matchAll(/(?<![A-Za-z0-9])E\d{7}(?![A-Za-z0-9])/g)].map(([code]) => ({
    code,
    provider: 'okta',
  }));
}

/** Sentences by which a provider is known say more than the word beside them. */
function phrases(text: string, provider: AdviceProvider | undefined): readonly FoundCode[] {
  const lower = text.toLowerCase();
  const known = ADVICE.filter((entry) =>
    entry.phrases?.some((phrase) => lower.includes(phrase.toLowerCase())),
  );
  // The same sentence at two providers: the one whose address stands in the text.
  const own = known.filter((entry) => entry.provider === provider);
  return (own.length > 0 ? own : known).map((entry) => ({
    code: entry.codes[0],
    provider: entry.provider,
  }));
}

/** A word whose provider said more by a sentence is left out: it is the same error. */
function words(text: string, provider: AdviceProvider | undefined): readonly FoundCode[] {
  const said = new Set(phrases(text, provider).map(({ code }) => code));
  const found = WORDS.filter(
    (word) => new RegExp(`(?<![A-Za-z0-9_])${word}(?![A-Za-z0-9_])`).test(text) && !said.has(word),
  );
  return found
    .sort((a, b) => text.indexOf(a) - text.indexOf(b))
    .flatMap((code) => ownersOf(code, provider));
}

/** A word that no standard has and several providers use: each of them may be meant. */
function ownersOf(code: string, provider: AdviceProvider | undefined): readonly FoundCode[] {
  if (provider !== undefined) return [{ code, provider }];
  const owners = ADVICE.filter(({ codes }) => codes.includes(code)).map((entry) => entry.provider);
  return owners.includes('oauth') ? [{ code }] : owners.map((owner) => ({ code, provider: owner }));
}

/** The first address in the text whose host says whose it is. */
function providerIn(text: string): AdviceProvider | undefined {
  for (const [url] of text.matchAll(/https?:\/\/[^\s"'<>\\)]{3,2000}/gi)) {
    const provider = providerOf(url);
    if (provider !== undefined) return provider;
  }
  return undefined;
}
