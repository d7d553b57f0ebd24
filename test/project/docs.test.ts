// The documents say what the code does: code blocks compile, tables equal the code, named tests
// exist, links lead somewhere.
import { join } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { ERROR_CODES } from '../../src/main/core/base/error-codes.js';
import { EXIT } from '../../src/cli/latchkey.js';
import { FINDINGS } from '../../src/main/diagnosis/findings.js';
import { LIMITS } from '../../src/main/core/base/limits.js';
import { createPersonality } from '../../src/testing/personalities/personalities.js';
import {
  type PersonalityName,
  PERSONALITY_NAMES,
} from '../../src/testing/server/provider-options.js';
import {
  type CodeBlock,
  brokenLinks,
  codeBlocks,
  documents,
  expectGenerated,
  headings,
  namesIn,
  prose,
  table,
  tableUnder,
  troubles,
} from './documents.js';
import { attemptTable, liveTable, sessionTable, waitingTable } from './machine-tables.js';
import { ROOT, filesUnder, membersOf, parse, read, walk } from './sources.js';

const ENTRIES = {
  'latchkey/main': ['./src/main/index.ts'],
  'latchkey/preload': ['./src/preload.cts'],
  'latchkey/providers': ['./src/providers/index.ts'],
  'latchkey/react': ['./src/renderer/react.ts'],
  'latchkey/renderer': ['./src/renderer/index.ts'],
  'latchkey/testing': ['./src/testing/index.ts'],
  'latchkey/testing/electron': ['./src/testing/electron.ts'],
  'latchkey/testing/playwright': ['./src/testing/playwright.ts'],
};

/**
 * Type-checks each block as a module of its own against the sources; answers "document:line
 * message".
 */
function compile(blocks: readonly CodeBlock[]): readonly string[] {
  const names = new Map(
    blocks.map((block, index) => [join(ROOT, `docs-block-${index}.ts`), block]),
  );
  const { config } = ts.readConfigFile(join(ROOT, 'tsconfig.json'), (path) =>
    ts.sys.readFile(path),
  ) as { config: object };
  const { options } = ts.parseJsonConfigFileContent(
    { ...config, include: [], files: [] },
    ts.sys,
    ROOT,
  );
  const settings: ts.CompilerOptions = {
    ...options,
    paths: ENTRIES,
    noUnusedLocals: false,
    noUnusedParameters: false,
    isolatedModules: false,
    incremental: false,
  };
  const host = ts.createCompilerHost(settings);
  const { readFile, fileExists, getSourceFile } = host;
  host.fileExists = (path) => names.has(path) || fileExists(path);
  host.readFile = (path) => names.get(path)?.code ?? readFile(path);
  host.getSourceFile = (path, ...rest) => {
    const block = names.get(path);
    return block === undefined
      ? getSourceFile(path, ...rest)
      : ts.createSourceFile(
          path,
          `${block.code}\nexport {};`,
          { languageVersion: ts.ScriptTarget.ES2022, impliedNodeFormat: ts.ModuleKind.ESNext },
          true,
        );
  };
  const program = ts.createProgram({ rootNames: [...names.keys()], options: settings, host });
  return [...names].flatMap(([path, block]) => {
    const source = program.getSourceFile(path);
    const diagnostics =
      source === undefined
        ? []
        : [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
    return diagnostics.map(({ messageText, start = 0 }) => {
      const line = block.line + (source?.getLineAndCharacterOfPosition(start).line ?? 0);
      return `${block.document}:${line} ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
    });
  });
}

/** The doc comment before a member, as one line. */
function commentOf(node: ts.Node): string {
  const text = node.getSourceFile().getFullText();
  const [last] = (ts.getLeadingCommentRanges(text, node.getFullStart()) ?? []).slice(-1);
  return last === undefined
    ? ''
    : text
        .slice(last.pos, last.end)
        .replace(/^\/\*\*|\*\/$/g, '')
        .replace(/\n\s*\*/g, ' ')
        .replace(/\s+/g, ' ')
        .trim();
}

function interfaceRows(path: string, name: string): readonly (readonly string[])[] {
  const rows: string[][] = [];
  walk(parse(path), (node) => {
    if (!ts.isInterfaceDeclaration(node) || node.name.text !== name) return;
    for (const member of node.members) {
      if (!ts.isPropertySignature(member)) continue;
      rows.push([
        `\`${member.name.getText()}\`${member.questionToken === undefined ? ' (required)' : ''}`,
        commentOf(member) || (name === 'EndpointOptions' ? 'an absolute `https:` URL' : ''),
      ]);
    }
  });
  if (rows.length === 0) throw new Error(`no interface "${name}" in ${path}`);
  return rows;
}

function limitReasons(): ReadonlyMap<string, string> {
  const reasons = new Map<string, string>();
  for (const path of ['src/main/core/base/start-limits.ts', 'src/main/core/base/limits.ts']) {
    walk(parse(path), (node) => {
      if (ts.isPropertyAssignment(node)) reasons.set(node.name.getText(), commentOf(node));
    });
  }
  return reasons;
}

/** The titles of all tests, by "layer/file". A template keeps its `${…}`. */
function testTitles(): ReadonlyMap<string, ReadonlySet<string>> {
  const titles = new Map<string, Set<string>>();
  for (const path of filesUnder('test', /\.(test|spec)\.ts$/)) {
    const known = new Set<string>();
    titles.set(path.replace(/^test\/|\.(test|spec)\.ts$/g, ''), known);
    walk(parse(path), (node) => {
      if (!ts.isCallExpression(node) || !/^(it|test)\b/.test(node.expression.getText())) return;
      const [first] = node.arguments;
      if (first !== undefined && ts.isStringLiteralLike(first)) known.add(first.text);
      else if (first !== undefined && ts.isTemplateExpression(first))
        known.add(first.getText().slice(1, -1));
    });
  }
  return titles;
}

describe('code in documents', () => {
  const blocks = documents().flatMap(codeBlocks);

  it('type-checks against the sources, each block as a module of its own', () => {
    const typed = blocks.filter(({ language }) => language === 'ts');
    expect(typed.filter(({ document }) => document === 'README.md').length).toBeGreaterThanOrEqual(
      2,
    );
    expect(compile(typed)).toEqual([]);
  });

  it('is found wrong when it is wrong', () => {
    const wrong = {
      document: 'x.md',
      line: 7,
      language: 'ts',
      code: "import { createAuth } from 'latchkey/main';\ncreateAuth({ issuer: 1 });",
    };
    expect(compile([wrong]).join()).toContain('x.md:8 ');
  });

  it('names only npm scripts that exist', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: object };
    const named = documents().flatMap((document) =>
      [...read(document).matchAll(/npm run ([a-z:-]+)/g)].map((match) => match[1] ?? ''),
    );
    expect([...new Set(named)].filter((name) => !(name in scripts))).toEqual([]);
  });
});

describe('tables in documents', () => {
  it('list every error code with what to do, as the code does', () => {
    const rows = Object.entries(ERROR_CODES).map(([code, { retry, means, todo }]) => [
      `\`${code}\``,
      `\`${retry}\``,
      means,
      todo,
    ]);
    expectGenerated(
      'docs/errors.md',
      'codes',
      table(['code', 'retry', 'what it means', 'what to do'], rows),
    );
  });

  it('list everything that the doctor looks at, as the code does', () => {
    const rows = Object.entries(FINDINGS).map(([id, { asks, needsApp }]) => [
      `\`${id}\``,
      asks,
      needsApp ? 'the app' : 'the app, the terminal',
    ]);
    expectGenerated('docs/doctor.md', 'findings', table(['id', 'what it asks', 'where'], rows));
    const own = Object.entries(EXIT).map(([, code]) => String(code));
    expect(tableUnder('docs/doctor.md', 'In a terminal').length).toBeGreaterThan(5);
    expect(
      read('docs/doctor.md')
        .match(/^\| (\d+) \|/gm)
        ?.map((row) => row.replace(/\D/g, '')),
    ).toEqual(own);
  });

  it('list every rule of every personality with its source, as the test kit has them', () => {
    const part = (name: PersonalityName): string =>
      `### ${name}\n\n${createPersonality(name)
        .rules.map(({ fact, source }) => `- ${fact} (${source})`)
        .join('\n')}`;
    expectGenerated('docs/testing.md', 'personalities', PERSONALITY_NAMES.map(part).join('\n\n'));
    expect(tableUnder('docs/testing.md', 'Personalities').map(([name]) => name)).toEqual(
      PERSONALITY_NAMES,
    );
  });

  it('show both machines as they run, every state × event', () => {
    expectGenerated('docs/architecture.md', 'attempt', attemptTable());
    expectGenerated('docs/architecture.md', 'waiting', waitingTable());
    expectGenerated('docs/architecture.md', 'session', sessionTable());
    expectGenerated('docs/architecture.md', 'live', liveTable());
  });

  it('list every member of what is stored', () => {
    const account = membersOf('src/account.ts', 'AccountView');
    const record = membersOf('src/main/core/storage/records.ts', 'SessionRecord').flatMap((name) =>
      name === 'account' ? account.map((member) => `account.${member}`) : [name],
    );
    expect([...namesIn(tableUnder('docs/storage.md', 'The keychain record'))].sort()).toEqual(
      [...record].sort(),
    );

    expect(namesIn(tableUnder('docs/storage.md', 'An attempt in the keychain'))).toEqual(
      membersOf('src/main/core/storage/records.ts', 'AttemptRecord'),
    );

    expect(namesIn(tableUnder('docs/storage.md', 'On the way to a session'))).toEqual(
      membersOf('src/main/core/storage/records.ts', 'MigrationRecord'),
    );

    const known = membersOf('src/main/core/base/ports.ts', 'StateFileContent').filter(
      (name) => !['accounts', 'attempts', 'takeOver'].includes(name),
    );
    const accounts = membersOf('src/main/core/base/ports.ts', 'KnownAccount').map(
      (name) => `accounts[].${name}`,
    );
    const attempts = membersOf('src/main/core/base/ports.ts', 'KnownAttempt').map(
      (name) => `attempts[].${name}`,
    );
    const takeOver = membersOf('src/main/core/base/ports.ts', 'KnownMigration').map(
      (name) => `takeOver.${name}`,
    );
    expect([...namesIn(tableUnder('docs/storage.md', 'The state file'))].sort()).toEqual(
      [...known, ...accounts, ...attempts, ...takeOver].sort(),
    );
  });

  it('list every option and every limit with its own words', () => {
    const options = 'src/main/core/options/auth-options.ts';
    expectGenerated(
      'docs/options.md',
      'options',
      table(
        ['option', 'what it is'],
        ['OptionsWithIssuer', 'OptionsWithProvider', 'SharedOptions'].flatMap((name) =>
          // What the other kind of options has is there without words, as `never`.
          interfaceRows(options, name).filter(([, words]) => words !== ''),
        ),
      ),
    );
    const page = 'src/main/core/options/result-page-option.ts';
    const texts = interfaceRows(page, 'ResultTexts').map(([name = '', words = '']) => [
      `\`texts[outcome].${name.replace('`', '')}`,
      words,
    ]);
    expectGenerated(
      'docs/options.md',
      'result-page',
      table(['member', 'what it is'], [...interfaceRows(page, 'ResultPageOptions'), ...texts]),
    );
    expectGenerated(
      'docs/options.md',
      'endpoints',
      table(
        ['member', 'what it is'],
        interfaceRows('src/main/core/options/provider-preset.ts', 'EndpointOptions'),
      ),
    );
    const earlier = 'src/main/core/options/migration-option.ts';
    expectGenerated(
      'docs/options.md',
      'earlier-entry',
      table(['member', 'what it is'], interfaceRows(earlier, 'LegacyEntry')),
    );
    expectGenerated(
      'docs/options.md',
      'earlier-session',
      table(['member', 'what it is'], interfaceRows(earlier, 'LegacySession')),
    );
    const limits = limitReasons();
    expectGenerated(
      'docs/architecture.md',
      'limits',
      table(
        ['limit', 'value', 'why'],
        Object.entries(LIMITS).map(([name, value]) => [
          `\`${name}\``,
          value.toLocaleString('en'),
          limits.get(name) ?? '',
        ]),
      ),
    );
    expect(
      [...limits.values()].filter((reason) => reason === ''),
      'limits without a reason',
    ).toEqual([]);
  });
});

describe('requirements.md', () => {
  const sections = headings('docs/requirements.md').slice(1);
  const rows = (): readonly (readonly [string, readonly string[]])[] =>
    sections.flatMap((heading) =>
      tableUnder('docs/requirements.md', heading).map((row) => [heading, row] as const),
    );

  it('covers the standards that the house names', () => {
    for (const name of [
      'RFC 8252',
      'RFC 7636',
      'RFC 9700',
      'RFC 6749',
      'RFC 9207',
      'OpenID Connect Core',
      'Electron',
    ]) {
      expect(
        sections.filter((heading) => heading.includes(name)),
        name,
      ).toHaveLength(1);
    }
  });

  it('names tests that exist, or says that there is none', () => {
    const titles = testTitles();
    const missing = rows().flatMap(([heading, [requirement = '', , proof = '']]) =>
      proof.split('<br>').flatMap((line) => {
        const [file = '', title = ''] = line.trim().split(/: (.*)/s, 2);
        if (file === 'no test')
          return title === '' ? [`${heading} | ${requirement}: no reason`] : [];
        return titles.get(file)?.has(title) === true
          ? []
          : [`${heading} | ${requirement} | ${line.trim()}`];
      }),
    );
    expect(missing).toEqual([]);
  });
});

describe('what-happens-when.md', () => {
  const document = 'docs/what-happens-when.md';
  const parts = read(document).split(/^## /m).slice(1);

  it('says of each case what is seen, what is done, and by which tests that exist it is proved', () => {
    const titles = testTitles();
    for (const part of parts) {
      const [heading = ''] = part.split('\n', 1);
      const proofs = part.split('\n').flatMap((line) => /^- (.+)$/.exec(line)?.[1] ?? []);
      expect(
        [part.includes('**The person sees**'), part.includes('**Latchkey**'), proofs.length > 0],
        heading,
      ).toEqual([true, true, true]);
      const missing = proofs.filter((proof) => {
        const [file = '', title = ''] = (proof.split(' — ', 1)[0] ?? '').split(/: (.*)/s, 2);
        return titles.get(file)?.has(title) !== true;
      });
      expect(missing, heading).toEqual([]);
    }
    expect(parts.length).toBeGreaterThanOrEqual(15);
  });
});

describe('troubleshooting.md', () => {
  it('lists the mistakes that its tests make, and no others', () => {
    const titles = testTitles();
    const made = ['flow/troubleshooting'].flatMap((file) => [...(titles.get(file) ?? [])]);
    expect([...troubles()].sort()).toEqual(made.sort());
    expect(made.length).toBeGreaterThanOrEqual(20);
  });

  it('says for each mistake how to fix it, and what to read', () => {
    const rows = headings('docs/troubleshooting.md')
      .slice(1)
      .flatMap((heading) => tableUnder('docs/troubleshooting.md', heading));
    expect(
      rows.filter(([, message = '', fix = '']) => !message.startsWith('`') || fix === ''),
    ).toEqual([]);
  });
});

describe('decisions', () => {
  const decisions = filesUnder('docs/decisions', /\.md$/);

  it('are numbered without gaps and have five headings in at most 40 lines', () => {
    expect(
      decisions.map((path) => Number(/\/(\d{4})-[a-z0-9-]+\.md$/.exec(path)?.[1] ?? NaN)),
    ).toEqual(decisions.map((_, index) => index + 1));
    const expected = ['Status', 'Context', 'Decision', 'Consequences', 'Alternatives'];
    for (const path of decisions) {
      expect(headings(path).slice(1), path).toEqual(expected);
      expect(read(path).trimEnd().split('\n').length, path).toBeLessThanOrEqual(40);
    }
  });

  it('justify each runtime dependency', () => {
    const { dependencies, peerDependencies } = JSON.parse(read('package.json')) as {
      dependencies: object;
      peerDependencies: object;
    };
    const text = decisions.map(read).join('\n');
    expect(
      [...Object.keys(dependencies), ...Object.keys(peerDependencies)].filter(
        (name) => !text.includes(`\`${name}\``),
      ),
    ).toEqual([]);
  });
});

describe('every document', () => {
  it('is finished: no placeholder, no empty block of code', () => {
    const unfinished = documents().flatMap((document) => {
      const marks = [
        ...read(document).matchAll(/@@\w+@@|^```\w*\n\s*```$/gm),
        ...prose(document).matchAll(/\b(?:TODO|FIXME|TBD|XXX)\b|\{\{|lorem ipsum/gi),
      ];
      return marks.map(([mark]) => `${document}: ${mark}`);
    });
    expect(unfinished).toEqual([]);
  });
});

describe('links', () => {
  it('lead to files and headings that exist', () => {
    expect(
      documents().flatMap((document) =>
        brokenLinks(document).map((target) => `${document} → ${target}`),
      ),
    ).toEqual([]);
  });

  it('reach every document from the README', () => {
    const reached = new Set<string>();
    const follow = (document: string): void => {
      if (reached.has(document)) return;
      reached.add(document);
      for (const other of documents()) if (linksTo(document, other)) follow(other);
    };
    follow('README.md');
    expect(documents().filter((document) => !reached.has(document))).toEqual([]);
  });
});

function linksTo(document: string, other: string): boolean {
  const depth = document.split('/').length - 1;
  const target =
    depth === 0
      ? other
      : other.startsWith(`${document.split('/').slice(0, depth).join('/')}/`)
        ? other.split('/').slice(depth).join('/')
        : `${'../'.repeat(depth)}${other}`;
  return [`](${target})`, `](${target}#`, `](./${target})`].some((link) =>
    read(document).includes(link),
  );
}
