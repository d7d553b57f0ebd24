// Reads the Markdown of this repository for the project tests: links, tables, code blocks, and the
// parts that must equal the code. LATCHKEY_UPDATE_DOCS=1 rewrites those parts instead of
// comparing them.
import { existsSync, writeFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { expect } from 'vitest';
import { ROOT, filesUnder, read } from './sources.js';

/** Every document of the repository. */
export function documents(): readonly string[] {
  const top = ['README.md', 'CHANGELOG.md', 'SECURITY.md', 'CONTRIBUTING.md'];
  return [...top, ...filesUnder('docs', /\.md$/)];
}

export interface CodeBlock {
  readonly document: string;
  /** The line of the document in which the code begins, from 1. */
  readonly line: number;
  readonly language: string;
  readonly code: string;
}

export function codeBlocks(document: string): readonly CodeBlock[] {
  const blocks: CodeBlock[] = [];
  const lines = read(document).split('\n');
  let open: { readonly line: number; readonly language: string; readonly code: string[] } | null =
    null;
  for (const [index, line] of lines.entries()) {
    const fence = /^\s*```(\S*)/.exec(line);
    if (open === null) {
      if (fence !== null) open = { line: index + 2, language: fence[1] ?? '', code: [] };
    } else if (fence !== null) {
      blocks.push({
        document,
        line: open.line,
        language: open.language,
        code: open.code.join('\n'),
      });
      open = null;
    } else {
      open.code.push(line);
    }
  }
  if (open !== null)
    throw new Error(`${document}: a code block that begins in line ${open.line} does not end`);
  return blocks;
}

/** The document without its code blocks, in which nothing is a link. */
export function prose(document: string): string {
  return read(document)
    .replace(/^\s*```[\s\S]*?^\s*```/gm, '')
    .replace(/`[^`\n]*`/g, '');
}

/**
 * Relative links, images included, whose target is missing; with a fragment, the heading must be
 * there too.
 */
export function brokenLinks(document: string): readonly string[] {
  const targets = [
    ...prose(document).matchAll(/\]\(([^)\s]+)(?:\s+"[^"]*")?\)|(?:src|href)="([^"]+)"/g),
  ].map((match) => match[1] ?? match[2] ?? '');
  return targets.filter((target) => {
    if (/^[a-z][a-z0-9+.-]*:/i.test(target)) return false;
    const [path = '', fragment] = target.split('#', 2);
    const file = path === '' ? document : posix.normalize(posix.join(dirname(document), path));
    if (!existsSync(join(ROOT, file))) return true;
    return fragment !== undefined && file.endsWith('.md') && !anchors(file).includes(fragment);
  });
}

/** The anchors that GitHub makes of the headings. */
export function anchors(document: string): readonly string[] {
  return headings(document).map((heading) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

export function headings(document: string): readonly string[] {
  return [...read(document).matchAll(/^#{1,6} (.+)$/gm)].map((match) => (match[1] ?? '').trim());
}

/** The rows of the first table under a heading, cells trimmed, without the head. */
export function tableUnder(document: string, heading: string): readonly (readonly string[])[] {
  const lines = read(document).split('\n');
  const at = lines.findIndex(
    (line) => /^#{1,6} /.test(line) && line.replace(/^#+ /, '').trim() === heading,
  );
  if (at === -1) throw new Error(`${document} has no heading "${heading}"`);
  const from = lines.findIndex((line, index) => index > at && line.startsWith('|'));
  if (from === -1) throw new Error(`${document} has no table under "${heading}"`);
  const rows: string[][] = [];
  for (const line of lines.slice(from + 2)) {
    if (!line.startsWith('|')) break;
    rows.push(
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  }
  return rows;
}

/** The names in backquotes at the beginning of the cells of a column. */
export function namesIn(rows: readonly (readonly string[])[], column = 0): readonly string[] {
  return rows.map((row) => /^`([^`]+)`/.exec(row[column] ?? '')?.[1] ?? row[column] ?? '');
}

const TROUBLES = 'docs/troubleshooting.md';

/** The symptoms that docs/troubleshooting.md lists. */
export function troubles(): readonly string[] {
  return headings(TROUBLES)
    .slice(1)
    .flatMap((heading) => tableUnder(TROUBLES, heading))
    .map(([symptom = '']) => symptom);
}

/**
 * Fails unless docs/troubleshooting.md says that a developer with this symptom reads these
 * messages.
 */
export function expectTrouble(symptom: string, messages: readonly string[]): void {
  const whole = read(TROUBLES);
  const row = whole.split('\n').find((line) => line.startsWith(`| ${symptom} | `));
  if (row === undefined) throw new Error(`${TROUBLES} has no row "${symptom}"`);
  const cells = row.split(' | ');
  const told = messages.map((message) => `\`${message}\``).join('<br>');
  if (process.env['LATCHKEY_UPDATE_DOCS'] === '1')
    writeFileSync(
      join(ROOT, TROUBLES),
      whole.replace(row, () => cells.with(1, told).join(' | ')),
    );
  else
    expect(
      cells[1],
      'to rewrite it: LATCHKEY_UPDATE_DOCS=1 npx vitest run --project flow troubleshooting',
    ).toBe(told);
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/**
 * Fails unless the document's part between `<!-- begin: name -->` and `<!-- end: name -->` is this
 * text.
 */
export function expectGenerated(document: string, name: string, text: string): void {
  const whole = read(document);
  const begin = `<!-- begin: ${name} -->\n`;
  const end = `\n<!-- end: ${name} -->`;
  const from = whole.indexOf(begin);
  const to = whole.indexOf(end);
  if (from === -1 || to === -1) throw new Error(`${document} has no part "${name}"`);
  if (process.env['LATCHKEY_UPDATE_DOCS'] === '1')
    writeFileSync(join(ROOT, document), whole.slice(0, from) + begin + text + whole.slice(to));
  else
    expect(
      whole.slice(from + begin.length, to),
      'to rewrite it: LATCHKEY_UPDATE_DOCS=1 npx vitest run --project project',
    ).toBe(text);
}
