// Reads `WWW-Authenticate` (RFC 9110 §11.6.1) as an API sends it: several challenges, quoted texts,
// token68. Pure, in linear time, bounded. What breaks the grammar anywhere is no challenge at all,
// and no text of it goes into an error.

export interface Challenge {
  /** In small letters. */
  readonly scheme: string;
  /** By name in small letters. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** A header of Entra has some two thousand. */
const LENGTH_MAX = 16_384;
const CHALLENGES_MAX = 16;
const PARAMETERS_MAX = 32;

const TOKEN = /[\w!#$%&'*+.^`|~-]+/y;
const TOKEN68 = /[\w.~+/-]+=*(?=[ \t]*(?:,|$))/y;
const QUOTED = /"(?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t \x21-\x7e\x80-\xff])*"/y;
const EQUALS = /[ \t]*=[ \t]*/y;
const BLANKS = /[ \t]+/y;
const COMMAS = /[ \t,]*/y;

/** Every challenge, in order; none when the header breaks the grammar. Never throws. */
export function parseChallenges(header: string): readonly Challenge[] {
  if (header.length > LENGTH_MAX) return [];
  let at = 0;
  const take = (pattern: RegExp): string | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(header)?.[0] ?? null;
    at += found?.length ?? 0;
    return found;
  };
  /** `name = value`, or null, and nothing is taken. */
  const parameter = (): readonly [string, string] | null => {
    const from = at;
    const name = take(TOKEN);
    const value = name === null || take(EQUALS) === null ? null : (take(QUOTED) ?? take(TOKEN));
    if (name !== null && value !== null) return [name.toLowerCase(), unquoted(value)];
    at = from;
    return null;
  };

  const challenges: { scheme: string; parameters: Map<string, string> }[] = [];
  take(COMMAS);
  while (at < header.length) {
    const scheme = take(TOKEN);
    if (scheme === null || challenges.length === CHALLENGES_MAX) return [];
    const parameters = new Map<string, string>();
    challenges.push({ scheme: scheme.toLowerCase(), parameters });
    if (take(BLANKS) !== null) {
      const next = parameter();
      if (next === null) take(TOKEN68);
      else parameters.set(...next);
    }
    for (;;) {
      const gap = take(COMMAS) ?? '';
      if (at === header.length) return challenges;
      if (!gap.includes(',')) return [];
      const next = parameter();
      if (next === null) break;
      if (parameters.size === 0 || parameters.has(next[0])) return [];
      if (parameters.size === PARAMETERS_MAX) return [];
      parameters.set(...next);
    }
  }
  return challenges;
}

function unquoted(value: string): string {
  return value.startsWith('"') ? value.slice(1, -1).replace(/\\(.)/gs, '$1') : value;
}
