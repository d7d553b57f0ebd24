// The text of a .desktop file, and of the launcher script beside it. Pure: strings in, strings out.
// Follows the Desktop Entry Specification, "The Exec key" and "Possible value types".

export interface DesktopEntry {
  readonly name: string;
  readonly scheme: string;
  /** The command, word by word, without the URL. */
  readonly words: readonly string[];
}

/** Gives the file's text. `%u` takes exactly one URL; NoDisplay keeps it out of menus. */
export function desktopEntryText({ name, scheme, words }: DesktopEntry): string {
  return [
    '[Desktop Entry]',
    'Type=Application',
    'Version=1.0',
    `Name=${escapeString(name === '' ? scheme : name)}`,
    'Comment=Brings sign-ins back into the app. Written by Latchkey at each start',
    `Exec=${execValue(words)} %u`,
    'Terminal=false',
    'NoDisplay=true',
    'StartupNotify=true',
    `MimeType=x-scheme-handler/${scheme};`,
    '',
  ].join('\n');
}

/** Quotes and escapes a command: first by the rules of Exec, then by those of every string value. */
export function execValue(words: readonly string[]): string {
  return words.map((word) => escapeString(quoteWord(word.replaceAll('%', '%%')))).join(' ');
}

/**
 * Tells whether any word needs quoting. xdg-open of Debian's xdg-utils 1.1.3 splits Exec at blanks and ignores quotes
 * when no desktop environment runs; such a command needs a launcher with a plain path.
 */
export function needsLauncher(words: readonly string[]): boolean {
  return words.some((word, index) => !/^[A-Za-z0-9_@+=:,./-]+$/.test(word) || (index === 0 && word.includes('=')));
}

/** Gives the text of a launcher: the command with every word quoted for the shell, and the URL behind it. */
export function launcherText(words: readonly string[]): string {
  const quoted = words.map((word) => `'${word.replaceAll("'", "'\\''")}'`);
  return `#!/bin/sh\n# Written by Latchkey at each start.\nexec ${quoted.join(' ')} "$@"\n`;
}

function quoteWord(word: string): string {
  if (word !== '' && !/[\s"'\\><~|&;$*?#()`]/.test(word)) return word;
  return `"${word.replace(/["`$\\]/g, '\\$&')}"`;
}

function escapeString(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\t', '\\t').replaceAll('\r', '\\r');
}
