// Reads the repository for the project tests: files, and what each module imports, by TypeScript's
// own parser.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Paths are relative to the repository and use "/". */
export function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** Every file under a folder whose name matches, sorted. A folder that is not there has none. */
export function filesUnder(folder: string, name: RegExp): readonly string[] {
  if (!existsSync(join(ROOT, folder))) return [];
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && name.test(entry.name))
    .map((entry) =>
      join(entry.parentPath, entry.name).slice(ROOT.length).split(sep).join('/').replace(/^\//, ''),
    )
    .sort();
}

/** What git holds, and nothing that only lies around here. */
export function committedFiles(): readonly string[] {
  return execFileSync('git', ['ls-files', '-z'], { cwd: ROOT, encoding: 'utf8' })
    .split('\0')
    .filter((path) => path !== '' && existsSync(join(ROOT, path)));
}

const parsed = new Map<string, ts.SourceFile>();

/** Once for each file: a test changes none. */
export function parse(path: string): ts.SourceFile {
  const source = parsed.get(path) ?? parseText(path, read(path));
  parsed.set(path, source);
  return source;
}

export function parseText(path: string, text: string): ts.SourceFile {
  return ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
}

/** Calls `visit` for every node below `node`. */
export function walk(node: ts.Node, visit: (node: ts.Node) => void): void {
  node.forEachChild((child) => {
    visit(child);
    walk(child, visit);
  });
}

export interface Import {
  readonly from: string;
  /** Leaves nothing at run time. */
  readonly typeOnly: boolean;
  /**
   * `static`: loaded with the module itself. `dynamic`: by `import()` or `require`, when it is come
   * to.
   */
  readonly kind: 'static' | 'dynamic' | 'type';
}

/** Static and dynamic imports, re-exports, `require`, and `import('…')` in types. */
export function importsOf(source: ts.SourceFile): readonly Import[] {
  const found: Import[] = [];
  const add = (node: ts.Node | undefined, typeOnly: boolean, isDynamic = false): void => {
    if (node !== undefined && ts.isStringLiteralLike(node))
      found.push({
        from: node.text,
        typeOnly,
        kind: typeOnly ? 'type' : isDynamic ? 'dynamic' : 'static',
      });
  };
  walk(source, (node) => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, isTypeClause(node.importClause));
    else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, node.isTypeOnly);
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument))
      add(node.argument.literal, true);
    else if (ts.isCallExpression(node)) {
      const isRequire = ts.isIdentifier(node.expression) && node.expression.text === 'require';
      if (isRequire || node.expression.kind === ts.SyntaxKind.ImportKeyword)
        add(node.arguments[0], false, true);
    }
  });
  return found;
}

function isTypeClause(clause: ts.ImportClause | undefined): boolean {
  if (clause === undefined) return false;
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  const bindings = clause.namedBindings;
  return (
    clause.name === undefined &&
    bindings !== undefined &&
    ts.isNamedImports(bindings) &&
    bindings.elements.length > 0 &&
    bindings.elements.every((element) => element.isTypeOnly)
  );
}

/** The package that a bare specifier names, or null for relative ones and for Node's own. */
export function packageOf(specifier: string): string | null {
  if (specifier.startsWith('.') || specifier.startsWith('node:')) return null;
  const parts = specifier.split('/');
  return specifier.startsWith('@') ? parts.slice(0, 2).join('/') : (parts[0] ?? null);
}

/** The names of an interface's members, without those it inherits. */
export function membersOf(path: string, name: string): readonly string[] {
  const found: string[] = [];
  walk(parse(path), (node) => {
    if (!ts.isInterfaceDeclaration(node) || node.name.text !== name) return;
    for (const member of node.members)
      if (member.name !== undefined && ts.isIdentifier(member.name)) found.push(member.name.text);
  });
  if (found.length === 0) throw new Error(`no interface "${name}" in ${path}`);
  return found;
}
