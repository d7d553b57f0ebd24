// The rules of docs/architecture.md, read from the sources: who imports whom, how large and how
// named a file is.
import { basename, dirname, join } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { filesUnder, importsOf, packageOf, parse, parseText, read, walk } from './sources.js';
import type { Import } from './sources.js';

const SOURCES = filesUnder('src', /\.c?ts$/);
const CLI = within('src/cli/');

/** Files over 400 lines in which one thing lives, and which. The list may only shrink. */
const LONG: Readonly<Record<string, string>> = {
  'src/contract.ts': 'every message between main and pages, and every word of the view',
  'src/main/core/authorization/attempt.ts': 'a machine: each state and each event',
  'src/main/core/session/live-session.ts': 'a machine: each state and each event',
  'src/main/core/engine.ts': 'all parts of core, and what concerns several of them',
  'src/main/core/session/sessions.ts': 'the owner of all sessions',
  'src/main/core/session/session-effects.ts': 'the effects of one machine',
  'src/main/core/migration/migration.ts': 'one migration from beginning to end',
  'src/main/core/oauth/client.ts': 'the five requests of the OAuth engine',
  'src/main/core/base/event-list.ts': 'every event with its fields',
  'src/main/core/base/ports.ts': 'every port with its obligations',
  'src/main/core/storage/records.ts': 'every format that is stored, and its parser',
};

/** What a function may be long: at most so many lines, its braces included. */
const FUNCTION_LINES_MAX = 60;

/**
 * Functions over that which do one thing, and which: a cut would need a bag of parameters. The list
 * may only shrink.
 */
const LONG_FUNCTIONS: Readonly<Record<string, string>> = {
  'src/main/adapters/network/exchange.ts#exchange': 'one request: its events share one answer',
  'src/main/adapters/pages/page-requests.ts#servePageRequest': 'one request: its messages share it',
  'src/renderer/page-fetch.ts#fetchByMain': 'the same request, at its other end',
  'src/main/diagnosis/diagnosis.ts#diagnose': 'every look, side by side, into two lists',
  'src/testing/server/interactions.ts#answerInteraction': 'one page after another, of one visit',
  'src/testing/server/oidc.ts#createOidc': 'one literal, and the provider that is made of it',
};

/**
 * The files of core that read a clock or draw by chance; every other one is pure, a new one too. The
 * list may only shrink.
 */
const IMPURE: Readonly<Record<string, string>> = {
  'authorization/attempt-effects.ts': 'effects',
  'authorization/attempts.ts': 'an owner: gives its machine the time',
  'authorization/redirects.ts': 'effects: a redirect that does not come in time',
  'base/event-log.ts': 'dates events',
  'base/event-parts.ts': 'names attempts and renewals by chance',
  'base/mailbox.ts': 'the one timer',
  'base/timeout.ts': 'ends what takes too long',
  'engine.ts': 'an owner: gives its parts the time',
  'migration/migration.ts': 'an owner and its effects',
  'oauth/bounded-fetch.ts': 'ends an exchange that takes too long',
  'oauth/client.ts': 'dates answers',
  'oauth/identification.ts': 'dates ID tokens',
  'oauth/identity.ts': 'names a person without a name by chance',
  'oauth/jwks-prefetch.ts': 'forgets keys that are old',
  'oauth/metadata-cache.ts': 'forgets metadata that are old',
  'oauth/request-secrets.ts': 'makes secrets',
  'requests/step-up.ts': 'forgets what the person was asked in vain',
  'session/end-session.ts': 'effects: how long the way back is open',
  'session/revocations.ts': 'effects: when to tell the provider again',
  'session/session-effects.ts': 'effects',
  'session/sessions.ts': 'an owner: gives its machine the time',
  'session/set-back.ts': 'compares two clocks',
  'storage/attempt-store.ts': 'forgets attempts that are old',
  'storage/state-reader.ts': 'tries again by a timer',
};

/** What reads a clock or draws by chance: the global ones, and the port `clock`. */
function impureIn(source: ts.SourceFile): readonly string[] {
  const found: string[] = [];
  const read =
    /^(?:globalThis\.)?(?:Date\.now|Math\.random|performance\b.*|process\.(?:hrtime|uptime)\b.*|AbortSignal\.timeout|Temporal\.Now\b.*|(?:.*\.)?clock\.(?:now|elapsed|after)|crypto\.(?!subtle\b).*)$/;
  walk(source, (node) => {
    const isRead =
      (ts.isPropertyAccessExpression(node) && read.test(node.getText())) ||
      (ts.isNewExpression(node) && /^new Date(?:\(\))?$/.test(node.getText())) ||
      (ts.isCallExpression(node) &&
        /^(?:Date|setTimeout|setInterval|setImmediate)$/.test(node.expression.getText())) ||
      (ts.isVariableDeclaration(node) &&
        ts.isObjectBindingPattern(node.name) &&
        /^(?:Math|Date|performance|crypto|clock)$/.test(node.initializer?.getText() ?? ''));
    if (isRead) found.push(node.getText());
  });
  return found;
}

function within(folder: string): readonly string[] {
  return SOURCES.filter((path) => path.startsWith(folder));
}

/** The files of ours that a source names: by static imports only, or by types and `import()` too. */
function filesNamedIn(source: ts.SourceFile, kinds: readonly Import['kind'][]): readonly string[] {
  return importsOf(source)
    .filter(({ from, kind }) => from.startsWith('.') && kinds.includes(kind))
    .map(({ from }) => join(dirname(source.fileName), from).replace(/\.(c?)js$/, '.$1ts'));
}

/** These files and all that they load by static imports. */
function loadedBy(files: readonly string[], seen = new Set<string>()): ReadonlySet<string> {
  for (const path of files) {
    if (seen.has(path)) continue;
    seen.add(path);
    loadedBy(filesNamedIn(parse(path), ['static']), seen);
  }
  return seen;
}

/**
 * At least one circle of each knot of files that lead to each other, as the way from a file back to
 * itself. An import of a type is one: who reads either file has to read both.
 */
function circlesIn(sources: readonly ts.SourceFile[]): readonly string[] {
  const named = new Map(
    sources.map((source) => [source.fileName, filesNamedIn(source, ['static', 'type', 'dynamic'])]),
  );
  const done = new Set<string>();
  const found: string[] = [];
  const follow = (path: string, way: readonly string[]): void => {
    if (way.includes(path)) {
      found.push([...way.slice(way.indexOf(path)), path].join(' → '));
    } else if (!done.has(path)) {
      for (const next of named.get(path) ?? []) follow(next, [...way, path]);
      done.add(path);
    }
  };
  for (const path of named.keys()) follow(path, []);
  return found;
}

describe('the reader of imports', () => {
  it('sees every way in which a module can be named', () => {
    const source = parseText(
      'x.ts',
      `import a from 'a'; import type { B } from 'b'; import { type C } from 'c'; import 'd'; export * from 'e'; export type { F } from 'f';
       const g = await import('g'); const h = require('h'); type I = typeof import('i');`,
    );
    const seen = importsOf(source).map(({ from, kind }) => `${from}:${kind}`);
    expect(seen.sort()).toEqual([
      'a:static',
      'b:type',
      'c:type',
      'd:static',
      'e:static',
      'f:type',
      'g:dynamic',
      'h:dynamic',
      'i:type',
    ]);
  });
});

describe('circles of imports', () => {
  const planted = (files: Readonly<Record<string, string>>): readonly string[] =>
    circlesIn(Object.entries(files).map(([path, text]) => parseText(path, text)));

  it.each([
    ['two files', { 'a/x.ts': `import '../b/y.js';`, 'b/y.ts': `export * from '../a/x.js';` }],
    ['types', { 'a/x.ts': `import type { Y } from '../b/y.js';`, 'b/y.ts': `import '../a/x.js';` }],
    [
      'what is loaded later',
      {
        'a/x.ts': `const y = () => import('../b/y.js');`,
        'b/y.ts': `import type { X } from '../a/x.js';`,
      },
    ],
  ])('are found when they are of %s', (_of, files) => {
    expect(planted(files)).toEqual(['a/x.ts → b/y.ts → a/x.ts']);
  });

  it('are found when they begin behind other files, and a file that many name is none', () => {
    const start = { 'a.ts': `import './b.js'; import './d.js';`, 'c.ts': `import './d.js';` };
    expect(planted({ ...start, 'b.ts': `import './c.js';`, 'd.ts': '' })).toEqual([]);
    expect(planted({ ...start, 'b.ts': `import './c.js';`, 'd.ts': `import './b.js';` })).toEqual([
      'b.ts → c.ts → d.ts → b.ts',
    ]);
  });

  it('are in none of the sources', () => {
    expect(circlesIn(SOURCES.map(parse))).toEqual([]);
  });
});

describe('imports', () => {
  it("loads advice and presets in main by the host's choice only: nothing of main imports them when it starts", () => {
    const statically =
      /^import\b[^;]*\bfrom '[^']*\/(?:advice|providers)\/[^']+'|^export\b[^;]*\bfrom '[^']*\/(?:advice|providers)\/[^']+'/m;
    expect(within('src/main/').filter((path) => statically.test(read(path)))).toEqual([]);
  });

  it('keeps the command in plain Node: whatever it loads, directly or not, imports no electron when it is loaded', () => {
    const loadsElectron = (path: string): boolean =>
      importsOf(parse(path)).some(
        ({ from, kind }) => packageOf(from) === 'electron' && kind === 'static',
      );
    expect(CLI).not.toHaveLength(0);
    expect([...loadedBy(CLI)].filter(loadsElectron)).toEqual([]);
  });

  it('lets the preload require electron and nothing else', () => {
    expect(
      importsOf(parse('src/preload.cts'))
        .filter(({ typeOnly }) => !typeOnly)
        .map(({ from }) => from),
    ).toEqual(['electron']);
  });

  /**
   * The one package that a room of core shares: what asks the provider, and what says who signed
   * in.
   */
  const SHARED = [
    'oauth4webapi',
    'src/main/core/oauth/client.ts',
    'src/main/core/oauth/identification.ts',
  ];

  it('imports each npm package in one file only, but for the OAuth engine in two', () => {
    const users = new Map<string, Set<string>>();
    for (const path of SOURCES) {
      for (const { from, typeOnly } of importsOf(parse(path))) {
        const name = packageOf(from);
        if (name === null || name === 'electron' || typeOnly) continue;
        users.set(name, (users.get(name) ?? new Set()).add(path));
      }
    }
    const manifest = JSON.parse(read('package.json')) as { dependencies: object };
    expect(
      [...users]
        .filter(([, paths]) => paths.size > 1)
        .map(([name, paths]) => [name, ...[...paths].sort()]),
    ).toEqual([SHARED]);
    expect(
      Object.keys(manifest.dependencies).filter((name) => !users.has(name)),
      'runtime dependencies that nothing imports',
    ).toEqual([]);
  });
});

describe('files', () => {
  it('are not named by a pattern, and have no index below the entries', () => {
    const entries = [
      'src/main/index.ts',
      'src/providers/index.ts',
      'src/renderer/index.ts',
      'src/testing/index.ts',
    ];
    const badName =
      /^(utils?|helpers?|types?|common|misc|constants)\.c?ts$|\.(service|manager|impl|util)\.ts$/;
    expect(
      SOURCES.filter(
        (path) =>
          badName.test(basename(path)) ||
          (basename(path) === 'index.ts' && !entries.includes(path)),
      ),
    ).toEqual([]);
  });

  it('stand in folders of more than one file or folder', () => {
    const entries = new Map<string, Set<string>>();
    for (const path of SOURCES)
      for (let entry = path; entry !== 'src'; entry = dirname(entry))
        entries.set(dirname(entry), (entries.get(dirname(entry)) ?? new Set()).add(entry));
    expect([...entries].filter(([, inside]) => inside.size < 2).map(([folder]) => folder)).toEqual(
      [],
    );
  });

  it('have at most 400 lines, but for the long ones that say why', () => {
    const lines = (path: string): number => read(path).split('\n').length - 1;
    const files = [...SOURCES, ...filesUnder('scripts', /\.mjs$/)];
    const long = files.filter((path) => lines(path) > 400);
    expect(long.filter((path) => !(path in LONG))).toEqual([]);
    expect(
      Object.keys(LONG).filter((path) => !long.includes(path)),
      'in the list of long files, but not long',
    ).toEqual([]);
  });

  it('begin with a header of 1 to 6 lines that says what they are for', () => {
    const header = (path: string): number => {
      // The first line of a command names its interpreter.
      const lines = read(path)
        .replace(/^#!.*\n/, '')
        .split('\n');
      const end = lines.findIndex((line) => !line.startsWith('//'));
      return end === -1 ? lines.length : end;
    };
    expect(SOURCES.filter((path) => header(path) < 1 || header(path) > 6)).toEqual([]);
  });
});

/** What is inside of `as`, `satisfies` and brackets. */
function bare(node: ts.Expression | undefined): ts.Expression | undefined {
  return node !== undefined &&
    (ts.isAsExpression(node) ||
      ts.isSatisfiesExpression(node) ||
      ts.isParenthesizedExpression(node))
    ? bare(node.expression)
    : node;
}

/** The functions that it has made, and the objects of some, by name. */
function closuresOf(body: ts.Block): ReadonlySet<string> {
  return new Set(
    body.statements.flatMap((statement) => {
      if (ts.isFunctionDeclaration(statement)) return [statement.name?.text ?? ''];
      if (!ts.isVariableStatement(statement)) return [];
      return statement.declarationList.declarations
        .filter(({ initializer }) => isOfFunctions(initializer, new Set()))
        .map(({ name }) => name.getText());
    }),
  );
}

/** A function, or an object of some: written there, or by the name of a closure. */
function isOfFunctions(
  expression: ts.Expression | undefined,
  closures: ReadonlySet<string>,
): boolean {
  const given = bare(expression);
  if (given === undefined) return false;
  if (ts.isIdentifier(given)) return closures.has(given.text);
  if (ts.isFunctionLike(given)) return true;
  if (ts.isCallExpression(given))
    return (
      given.expression.getText() === 'Object.assign' &&
      isOfFunctions(given.arguments.at(-1), closures)
    );
  return (
    ts.isObjectLiteralExpression(given) &&
    given.properties.some(
      (property) =>
        ts.isFunctionLike(property) ||
        (ts.isShorthandPropertyAssignment(property) && closures.has(property.name.text)) ||
        (ts.isPropertyAssignment(property) && isOfFunctions(property.initializer, closures)),
    )
  );
}

/** It returns a function, or an object of functions that share what the factory has set up. */
function isFactory(body: ts.Block): boolean {
  const closures = closuresOf(body);
  return body.statements
    .filter(ts.isReturnStatement)
    .some(({ expression }) => isOfFunctions(expression, closures));
}

/** After names for its parts: one literal, or one switch over every state, event or kind. */
function isOneStatement({ statements }: ts.Block): boolean {
  const last = statements.at(-1);
  if (last === undefined || !statements.slice(0, -1).every(ts.isVariableStatement)) return false;
  if (ts.isSwitchStatement(last)) return true;
  const returned = ts.isReturnStatement(last) ? bare(last.expression) : undefined;
  return (
    returned !== undefined &&
    (ts.isObjectLiteralExpression(returned) || ts.isArrayLiteralExpression(returned))
  );
}

/** A nameless one has the name of the function around it. */
function nameOf(node: ts.Node): string {
  if (ts.isSourceFile(node)) return '';
  const name = (node as { readonly name?: ts.Node }).name;
  return name !== undefined && (ts.isFunctionLike(node) || ts.isVariableDeclaration(node))
    ? name.getText()
    : nameOf(node.parent);
}

/** The names of all that do something in too many lines. */
function longFunctions(source: ts.SourceFile): readonly string[] {
  const lineOf = (position: number): number => source.getLineAndCharacterOfPosition(position).line;
  const long = new Set<string>();
  walk(source, (node) => {
    if (!ts.isFunctionLike(node)) return;
    const { body } = node as { readonly body?: ts.Node };
    if (body === undefined || !ts.isBlock(body) || isFactory(body) || isOneStatement(body)) return;
    if (lineOf(body.end) - lineOf(body.getStart()) >= FUNCTION_LINES_MAX) long.add(nameOf(node));
  });
  return [...long];
}

describe('functions', () => {
  const steps = 'step();\n';

  it.each([
    ['that does something in 60 lines', `function a() {\n${steps.repeat(58)}}`, []],
    ['that does something in 61 lines', `function a() {\n${steps.repeat(59)}}`, ['a']],
    ['without a name', `function a(x) { x(() => {\n${steps.repeat(59)}}); }`, ['a']],
    [
      'that returns what its inner functions do',
      `function a() {\n${steps.repeat(59)}return { b }; function b() {} }`,
      [],
    ],
    [
      'that returns values, though it has inner functions',
      `function a() {\n${steps.repeat(59)}return { c: [1].map((x) => x) }; function b() {} }`,
      ['a'],
    ],
    ['of one switch', `function a(x) { switch (x) {\n${'case 1: step();\n'.repeat(60)}} }`, []],
    ['of one literal', `const a = () => { const c = 1; return [\n${'c,\n'.repeat(60)}]; }`, []],
  ])('are told apart: one %s', (_, text, long) => {
    expect(longFunctions(parseText('x.ts', text))).toEqual(long);
  });

  it('have at most 60 lines, but for factories, literals, switches and the long ones that say why', () => {
    const long = SOURCES.flatMap((path) =>
      longFunctions(parse(path)).map((name) => `${path}#${name}`),
    );
    expect(long.filter((name) => !(name in LONG_FUNCTIONS))).toEqual([]);
    expect(
      Object.keys(LONG_FUNCTIONS).filter((name) => !long.includes(name)),
      'in the list of long functions, but not long',
    ).toEqual([]);
  });
});

describe('language', () => {
  it('declares its one error class in core/base/errors.ts', () => {
    const declaring = SOURCES.filter((path) => {
      let found = false;
      walk(parse(path), (node) => {
        if (!ts.isClassLike(node)) return;
        const parents =
          node.heritageClauses?.flatMap((clause) =>
            clause.types.map((type) => type.expression.getText()),
          ) ?? [];
        if ([node.name?.text ?? '', ...parents].some((name) => name.endsWith('Error')))
          found = true;
      });
      return found;
    });
    expect(declaring).toEqual(['src/main/core/base/errors.ts']);
  });

  it('awaits nothing at the top level of a module', () => {
    const waiting = SOURCES.filter((path) => {
      let found = false;
      const look = (node: ts.Node): void => {
        if (ts.isFunctionLike(node) || ts.isClassStaticBlockDeclaration(node)) return;
        if (
          ts.isAwaitExpression(node) ||
          (ts.isForOfStatement(node) && node.awaitModifier !== undefined)
        )
          found = true;
        node.forEachChild(look);
      };
      parse(path).forEachChild(look);
      return found;
    });
    expect(waiting).toEqual([]);
  });

  it('starts processes in three files, which keep the current folder out, and never by a shell', () => {
    const starting = SOURCES.filter(
      (path) =>
        importsOf(parse(path)).some(
          ({ from, typeOnly }) => from === 'node:child_process' && !typeOnly,
        ) || /utilityProcess\s*\.fork\b/.test(read(path)),
    );
    expect(starting).toEqual([
      'src/cli/plain-sources.ts',
      'src/main/adapters/run-tool.ts',
      'src/main/adapters/secrets/keychain.ts',
    ]);
    expect(starting.filter((path) => !read(path).includes('safeEnvironment('))).toEqual([]);
    expect(
      SOURCES.filter((path) =>
        /\bshell:\s*(?:true|['"`])|\bexec(?:Sync|File|FileSync)?\(['"`]/.test(read(path)),
      ),
    ).toEqual([]);
  });
});

describe('core is pure: it reads no clock and no randomness', () => {
  const core = within('src/main/core/');

  it.each([
    'const now = Date.now();',
    'const now = new Date();',
    'const now = Date();',
    'const now = globalThis.Date.now();',
    'const now = process.hrtime();',
    'const signal = AbortSignal.timeout(1_000);',
    'const now = performance.now();',
    'const pause = Math.random() * 2;',
    'const { random } = Math;',
    'const id = crypto.randomUUID();',
    'const bytes = globalThis.crypto.getRandomValues(new Uint8Array(8));',
    'setTimeout(run, 1_000);',
    'const age = clock.now() - since;',
    'ports.clock.after(1_000, run);',
  ])('and sees that %s does', (text) => {
    expect(impureIn(parseText('x.ts', `export function f() { ${text} }`))).toHaveLength(1);
  });

  it.each([
    '// Date.now() and Math.random() are not for a machine',
    'const date = new Date(event.now);',
    'const longest = Math.max(event.random, 1);',
    "const digest = crypto.subtle.digest('SHA-256', bytes);",
    'const at = event.clock;',
  ])('and sees that %s does not', (text) => {
    expect(impureIn(parseText('x.ts', `export function f() { ${text}\n }`))).toEqual([]);
  });

  it('except in the files that are listed with a reason', () => {
    expect(core.filter((path) => impureIn(parse(path)).length > 0)).toEqual(
      Object.keys(IMPURE)
        .map((path) => `src/main/core/${path}`)
        .sort(),
    );
  });
});
