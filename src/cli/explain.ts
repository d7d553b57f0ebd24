// `latchkey explain <code | pasted error | URL | ->`: what an error means and what to do, offline.
// Prints only its own text: the pasted text may contain a code or a token, so no part of it is
// repeated.
import { PROVIDER_TITLES, findAdvice } from '../advice/catalog.js';
import { advise } from '../advice/decide.js';
import { type FoundCode, findCodes } from '../advice/find-codes.js';
import type { AdviceView } from '../contract.js';
import { ERROR_CODES } from '../main/core/base/error-codes.js';
import { adviceText, ownCodeText, unknownCodeText } from './explain-text.js';

/** What a command may use: two outputs, which add no line break, and one input. */
export interface ExplainIo {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** All of the standard input, for `-`. Default: that of this process. */
  readonly input?: () => Promise<string>;
}

/** From sysexits.h, like every command of this program. */
const WRONG_USE = 64;

/** Longer than any error. */
const INPUT_CHARACTERS = 1_000_000;

const USAGE = `usage: latchkey explain <code | pasted error | URL>
       latchkey explain -          reads the standard input

Explains errors of OAuth 2.0, OpenID Connect, Entra (AADSTS…), Google, GitHub, Auth0, Okta, Keycloak, Cognito, and of Latchkey itself.
Works offline and prints nothing of what you paste.

examples:
  latchkey explain AADSTS9002325
  latchkey explain "https://login.microsoftonline.com/error?code=50011"
  pbpaste | latchkey explain -`;

/**
 * Resolves with the exit code. 0: it explained every code that it found. 1: it found no code, or a
 * code that it does not know. 64: wrong use.
 */
export async function run(args: readonly string[], io: ExplainIo): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) {
    io.out(`${USAGE}\n`);
    return 0;
  }
  if (args.length === 0) {
    io.err(`${USAGE}\n`);
    return WRONG_USE;
  }
  const text = args.length === 1 && args[0] === '-' ? await readInput(io) : args.join(' ');
  if (text === null) return WRONG_USE;
  const own = latchkeyCode(text);
  const found = findCodes(text).map((one) => ({ ...one, advice: adviceFor(one) }));
  const parts = [
    ...own,
    ...found.map((one) =>
      one.advice === null ? unknownCodeText(one.code) : adviceText(one.advice, ownerOf(one)),
    ),
  ];
  if (parts.length === 0) {
    io.err(
      "This text contains no known error. It may come from the app or the network; the provider's own log says more.\n",
    );
    return 1;
  }
  io.out(`${parts.join(`\n\n${'─'.repeat(72)}\n\n`)}\n`);
  return found.every(({ advice }) => advice !== null) ? 0 : 1;
}

async function readInput(io: ExplainIo): Promise<string | null> {
  try {
    return await (io.input ?? standardInput)();
  } catch {
    // The reason may repeat the input.
    io.err('Cannot read the standard input. Paste the error as an argument instead.\n');
    return null;
  }
}

async function standardInput(): Promise<string> {
  let text = '';
  process.stdin.setEncoding('utf8');
  for await (const chunk of process.stdin) {
    text += String(chunk);
    if (text.length > INPUT_CHARACTERS) break;
  }
  return text;
}

function adviceFor({ code, provider }: FoundCode): AdviceView | null {
  const error = /^(?:AADSTS|E)\d/.test(code) ? { provider: { code } } : { serverError: code };
  return advise(error, provider === undefined ? {} : { provider });
}

/** The provider or standard that defines this meaning. */
function ownerOf({ code, provider }: FoundCode): string {
  return PROVIDER_TITLES[findAdvice(code, provider)?.provider ?? 'oauth'];
}

/** A code of Latchkey itself, alone or as the member `code` of a pasted error. */
function latchkeyCode(text: string): readonly string[] {
  const named = /["']?code["']?\s*[:=]\s*["']([a-z-]{3,40})["']/.exec(text)?.[1] ?? text.trim();
  const found = Object.entries(ERROR_CODES).find(([code]) => code === named);
  return found === undefined ? [] : [ownCodeText(found[0], found[1])];
}
