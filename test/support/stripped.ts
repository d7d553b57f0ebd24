// TypeScript sources as JavaScript in the cache of node_modules, once for each content: Node 20
// runs no TypeScript, and a test that starts processes must not need a build.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const CACHE = fileURLToPath(new URL('../../node_modules/.cache/', import.meta.url));
/** Plain Node has no Electron; what uses it is given another way. */
const NO_ELECTRON = 'export const app = null, utilityProcess = null;\n';

/** A path below the root of the repository, and the text. */
export type Source = readonly [path: string, text: string];

/** The folder with the sources at their own paths, as `.js`. Files that are no TypeScript stay. */
export function stripped(name: string, sources: readonly Source[]): string {
  const hash = createHash('sha256').update(JSON.stringify(sources)).digest('hex').slice(0, 16);
  const folder = join(CACHE, name, hash);
  if (existsSync(folder)) return folder;
  const aside = `${folder}-${process.pid}`;
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(aside, path)), { recursive: true });
    writeFileSync(join(aside, path), text);
  };
  for (const [path, text] of sources)
    write(path.replace(/\.ts$/, '.js'), path.endsWith('.ts') ? withoutTypes(text) : text);
  write('src/main/adapters/no-electron.js', NO_ELECTRON);
  write('package.json', '{"type":"module"}\n');
  try {
    renameSync(aside, folder);
  } catch {
    // Another run was faster, with the same sources.
    rmSync(aside, { recursive: true, force: true });
  }
  return folder;
}

function withoutTypes(text: string): string {
  return ts
    .transpileModule(text, {
      compilerOptions: {
        module: ts.ModuleKind.ES2022,
        target: ts.ScriptTarget.ES2022,
        verbatimModuleSyntax: true,
      },
    })
    .outputText.replace("from 'electron'", "from './no-electron.js'");
}
