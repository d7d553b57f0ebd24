// The text of a .desktop file, and of the launcher script beside it: written and read. Pure:
// strings in, strings out. Follows the Desktop Entry Specification, "The Exec key" and "Possible
// value types".

export interface DesktopEntry {
  readonly name: string;
  readonly scheme: string;
  /** The command, word by word, without the URL. */
  readonly words: readonly string[];
}

const MARK = 'Written by Latchkey at each start';

/** Gives the file's text. `%u` takes exactly one URL; NoDisplay keeps it out of menus. */
export function desktopEntryText({ name, scheme, words }: DesktopEntry): string {
  return [
    '[Desktop Entry]',
    'Type=Application',
    'Version=1.0',
    `Name=${escapeString(name === '' ? scheme : name)}`,
    `Comment=Brings sign-ins back into the app. ${MARK}`,
    `Exec=${execValue(words)} %u`,
    'Terminal=false',
    'NoDisplay=true',
    'StartupNotify=true',
    `MimeType=x-scheme-handler/${scheme};`,
    '',
  ].join('\n');
}

/**
 * Quotes and escapes a command: first by the rules of Exec, then by those of every string value.
 */
export function execValue(words: readonly string[]): string {
  return words.map((word) => escapeString(quoteWord(word.replaceAll('%', '%%')))).join(' ');
}

/**
 * True if any word needs quoting. If no desktop environment runs, xdg-open of Debian's xdg-utils
 * 1.1.3 splits Exec at blanks and ignores quotes. Such a command needs a launcher with a plain
 * path.
 */
export function needsLauncher(words: readonly string[]): boolean {
  return words.some(
    (word, index) => !/^[A-Za-z0-9_@+=:,./-]+$/.test(word) || (index === 0 && word.includes('=')),
  );
}

/**
 * Gives the text of a launcher: the command with every word quoted for the shell, and the URL
 * behind it.
 */
export function launcherText(words: readonly string[]): string {
  const quoted = words.map((word) => `'${word.replaceAll("'", "'\\''")}'`);
  return `#!/bin/sh\n# ${MARK}.\nexec ${quoted.join(' ')} "$@"\n`;
}

/** The parts of a .desktop file that matter when a URL is opened. */
export interface ReadEntry {
  readonly name: string;
  /** The command without field codes. Empty if there is none, or if its quotes do not match. */
  readonly words: readonly string[];
  /** A field code takes the URL. */
  readonly takesUrl: boolean;
  readonly mimeTypes: readonly string[];
  /** True if Latchkey wrote it, for any app. */
  readonly isOurs: boolean;
}

/** Reads a .desktop file. Leaves out what it does not understand. */
export function readDesktopEntry(text: string): ReadEntry {
  const values = new Map<string, string>();
  let inGroup = false;
  for (const line of text.split('\n')) {
    if (line.startsWith('[')) inGroup = line.trim() === '[Desktop Entry]';
    const [, key, value] = /^([A-Za-z0-9-]+)\s*=\s*(.*)$/s.exec(line) ?? [];
    if (inGroup && key !== undefined && value !== undefined && !values.has(key))
      values.set(key, unescapeString(value.trimEnd()));
  }
  const exec = splitExec(values.get('Exec') ?? '');
  return {
    name: values.get('Name') ?? '',
    words: exec.filter((word) => !isFieldCode(word)).map((word) => word.replaceAll('%%', '%')),
    takesUrl: exec.some((word) => /^%[uUfF]$/.test(word)),
    mimeTypes: (values.get('MimeType') ?? '').split(';').filter((type) => type !== ''),
    isOurs: values.get('Comment')?.includes(MARK) ?? false,
  };
}

/** The command of a launcher that Latchkey wrote, or null for any other text. */
export function readLauncher(text: string): readonly string[] | null {
  const [, command] =
    /^#!\/bin\/sh\n# Written by Latchkey at each start\.\nexec (.+) "\$@"\n$/s.exec(text) ?? [];
  if (command === undefined) return null;
  return [...command.matchAll(/'((?:[^']|'\\'')*)'/g)].map(([, word = '']) =>
    word.replaceAll("'\\''", "'"),
  );
}

function isFieldCode(word: string): boolean {
  return /^%[a-zA-Z]$/.test(word);
}

/** Splits at blanks outside of quotes. Empty when a quote does not end. */
function splitExec(exec: string): readonly string[] {
  const words: string[] = [];
  const word = /[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^ \t"]+))(?=[ \t]|$)/suy;
  const text = exec.trim();
  while (word.lastIndex < text.length) {
    const [, quoted, plain] = word.exec(text) ?? [];
    if (quoted === undefined && plain === undefined) return [];
    words.push(quoted === undefined ? (plain ?? '') : quoted.replace(/\\(.)/gsu, '$1'));
  }
  return words;
}

function quoteWord(word: string): string {
  if (word !== '' && !/[\s"'\\><~|&;$*?#()`]/.test(word)) return word;
  return `"${word.replace(/["`$\\]/g, '\\$&')}"`;
}

function escapeString(value: string): string {
  return value
    .replaceAll('\\', '\\\\')
    .replaceAll('\n', '\\n')
    .replaceAll('\t', '\\t')
    .replaceAll('\r', '\\r');
}

function unescapeString(value: string): string {
  return value.replace(
    /\\([nrts\\])/g,
    (_all, letter: string) => ({ n: '\n', r: '\r', t: '\t', s: ' ', '\\': '\\' })[letter] ?? letter,
  );
}
