// The files that a document shows, as a reader copies them: each under its name, "`main.js`:". And
// the commands of its shell blocks.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const ROOT = new URL('../../', import.meta.url);

/** A part of a document, from its heading to the next one of that level. */
export interface Part {
  /** The code by its file name. */
  readonly files: Readonly<Record<string, string>>;
  /** The lines of the blocks marked as "sh", in order. */
  readonly commands: readonly string[];
}

/** Throws when the document has no such heading, or shows no file under it. */
export function partOf(document: string, heading: string): Part {
  const text = readFileSync(new URL(document, ROOT), 'utf8');
  const [, , part = ''] =
    new RegExp(`^(#+) ${heading}\n([\\s\\S]*?)(?=^#{1,2} |(?![\\s\\S]))`, 'm').exec(text) ?? [];
  const files = Object.fromEntries(
    [...part.matchAll(/^`([\w./-]+)`:\n\n```\w+\n([\s\S]*?)^```$/gm)].map(
      ([, name = '', code = '']) => [name, code],
    ),
  );
  if (Object.keys(files).length === 0) throw new Error(`${document} shows no file in "${heading}"`);
  const commands = [...part.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].flatMap(([, lines = '']) =>
    lines.trimEnd().split('\n'),
  );
  return { files, commands };
}

/** Writes the files into the folder, each text changed as the caller says. */
export function writePart(
  folder: string,
  { files }: Part,
  change: (code: string) => string = (code) => code,
): void {
  for (const [name, code] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), change(code));
  }
}
