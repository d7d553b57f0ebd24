// The texts of `latchkey explain` as lines for a terminal. Pure: advice in, text out. Prints only
// Latchkey's own text, and the digits of a code that it recognised by its form.
import type { AdviceView } from '../contract.js';

/** A code of Latchkey itself; its page is docs/errors.md. */
export function ownCodeText(
  code: string,
  { retry, means, todo }: { readonly retry: string; readonly means: string; readonly todo: string },
): string {
  return `${code}  (a code of Latchkey, retry "${retry}")\n\nWhat happened\n${indent(means)}\n\nWhat to do\n${indent(todo)}`;
}

/** One piece of advice, for a terminal. */
export function adviceText(
  { code, title, what, why, fix, tempting, links, source }: AdviceView,
  owner: string,
): string {
  return [
    `${code}  (${owner})\n${title}`,
    `What happened\n${indent(what)}`,
    `Why\n${indent(why)}`,
    `What to do\n${fix.map((step, index) => indent(`${index + 1}. ${step}`)).join('\n')}`,
    ...(tempting === undefined
      ? []
      : [`What does not help\n${indent(tempting.fix)}\n${indent(tempting.fails)}`]),
    `More\n${links.map(({ title: name, url }) => indent(`${name}: ${url}`)).join('\n')}`,
    `Source: ${source.url} (${source.date}${source.verified ? '' : '; not verified'})`,
  ].join('\n\n');
}

/** A code by its form, of which Latchkey knows nothing. Only its digits are repeated. */
export function unknownCodeText(code: string): string {
  const number = /^AADSTS(\d{4,9})$/.exec(code)?.[1];
  if (number === undefined) return 'An error code that Latchkey does not know.';
  return `${code}  not known to Latchkey\n\nMicrosoft's own page may know it:\n${indent(`https://login.microsoftonline.com/error?code=${number}`)}`;
}

/**
 * Lines of at most 76 characters, so that they fit a terminal. Code in backquotes stays unchanged.
 */
function indent(text: string): string {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < 76)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines.map((line) => `  ${line}`).join('\n');
}
