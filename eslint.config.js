// @ts-check
// Type-aware lint, and the house's import directions: who may import what is decided here and
// nowhere else.
import { posix } from 'node:path';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

const SYNTAX = [
  { selector: 'TSEnumDeclaration', message: 'a union of string literals' },
  { selector: 'TSModuleDeclaration[kind="namespace"]', message: 'a module is a file' },
  { selector: 'TSParameterProperty', message: 'assign it in the constructor' },
];

/** Folders and files below src. */
const [CONTRACT, BASE, OPTIONS, STORAGE, OAUTH] = /** @type {const} */ ([
  'contract.ts',
  'main/core/base/',
  'main/core/options/',
  'main/core/storage/',
  'main/core/oauth/',
]);
/** What a host's texts and issuers look like: read where options are checked, and where requests are. */
const SHAPES = ['syntax', 'issuer-template', 'sign-in-demand'].map(
  (name) => `main/core/options/${name}.ts`,
);
const ADAPTER = {
  loads: ['main/adapters/', BASE, 'electron', 'node:'],
  types: [CONTRACT, 'main/core/options/auth-options.ts', 'main/diagnosis/facts.ts'],
};
const TEST_KIT = { loads: ['node:'], types: [CONTRACT, 'electron'] };
const COMPOSITION = ['main/core/**', 'main/adapters/**', 'main/diagnosis/', 'advice/', 'electron'];

/**
 * Who may import what: a folder is a room, and its name is the permission. `loads`: at run time, and
 * types too. `types`: types only. A room may import its own files; a folder stands for the files in
 * it, `**` for those below it too. A file with a row of its own is in no room. What no row names,
 * nobody may import: so rooms beside each other never do, and a new folder needs a row.
 * @type {Record<string, { loads?: readonly string[], types?: readonly string[] }>}
 */
export const ROOMS = {
  'account.ts': {},
  [CONTRACT]: { types: ['account.ts'] },
  [BASE]: { types: [CONTRACT] },
  [OPTIONS]: { loads: [BASE], types: [CONTRACT] },
  [STORAGE]: { loads: [BASE, ...SHAPES], types: [CONTRACT, OPTIONS] },
  [OAUTH]: { loads: [BASE, ...SHAPES], types: [CONTRACT, OPTIONS] },
  // The OAuth engine is imported here and nowhere else, so that replacing it touches two files.
  'main/core/oauth/{client,identification}.ts': {
    loads: [OAUTH, BASE, ...SHAPES, 'oauth4webapi'],
    types: [CONTRACT, OPTIONS],
  },
  'main/core/{authorization,session,migration}/': {
    loads: [OAUTH, STORAGE, BASE, ...SHAPES],
    types: [CONTRACT, OPTIONS],
  },
  // It knows of sessions what a caller of getAccessToken() knows.
  'main/core/requests/': {
    loads: [BASE, ...SHAPES],
    types: [CONTRACT, OPTIONS, 'main/core/session/token-request.ts'],
  },
  // view.ts, engine.ts, lazy-engine.ts
  'main/core/': { loads: ['main/core/**'], types: [CONTRACT] },
  'main/diagnosis/': { loads: [OAUTH, OPTIONS, BASE], types: [CONTRACT] },
  'main/adapters/': ADAPTER,
  'main/adapters/{custom-scheme,loopback,network,secrets}/': ADAPTER,
  // Requests of pages are parsed and made there.
  'main/adapters/pages/': { ...ADAPTER, loads: [...ADAPTER.loads, 'main/core/requests/'] },
  // The doctor's facts come from whatever the app uses itself.
  'main/adapters/diagnosis/': { ...ADAPTER, loads: [...ADAPTER.loads, 'main/adapters/**'] },
  'main/auth.ts': { types: [CONTRACT, 'main/core/**', 'main/diagnosis/'] },
  'main/assembly.ts': { loads: COMPOSITION, types: [CONTRACT, 'main/auth.ts'] },
  'main/index.ts': {
    loads: [...COMPOSITION, 'main/assembly.ts'],
    types: [CONTRACT, 'main/auth.ts'],
  },
  // As a host would write it.
  'main/demo.ts': { loads: ['main/index.ts', 'electron', 'node:'] },
  'renderer/': { loads: ['renderer/'], types: [CONTRACT] },
  // The only one that needs React: a host without it loads the rest.
  'renderer/react.ts': { loads: ['renderer/index.ts', 'react'], types: [CONTRACT] },
  'renderer/demo/': { loads: ['renderer/index.ts'], types: [CONTRACT] },
  'renderer/demo/qr.ts': { loads: ['qr'] },
  // A sandboxed preload can require electron only.
  'preload.cts': { loads: ['electron'], types: [CONTRACT] },
  'providers/': { types: ['main/core/options/provider-preset.ts'] },
  'advice/': { types: [CONTRACT] },
  // Plain Node: adapters without Electron, which test/project/architecture.test.ts follows.
  'cli/': {
    loads: [BASE, OPTIONS, 'main/diagnosis/', 'main/adapters/**', 'advice/', 'providers/'].concat([
      'testing/**',
      'node:',
    ]),
    types: [CONTRACT],
  },
  'testing/': {
    loads: ['testing/**', 'node:', 'oidc-provider', '@playwright/test'],
    types: [CONTRACT, 'electron'],
  },
  'testing/server/': { ...TEST_KIT, loads: ['node:', 'oidc-provider', 'jose'] },
  'testing/personalities/': { ...TEST_KIT, loads: ['node:', 'testing/server/', 'jose'] },
  'testing/person/': TEST_KIT,
  // The fake keyring speaks the messages of the keychain process; a change of them must fail the
  // compiler. The person is the fake's browser.
  'testing/fakes/': {
    loads: ['node:', 'testing/person/'],
    types: [...TEST_KIT.types, 'main/adapters/secrets/keychain-protocol.ts'],
  },
};

/** @param {string} room @param {string} target */
function specifierOf(room, target) {
  if (target === 'node:') return 'node:.+';
  if (!/\/(\*\*)?$|\.c?ts$/.test(target)) return `${target}(/.+)?`;
  const path = posix.relative(posix.dirname(`${room}x`), target.replace(/\/(\*\*)?$/, ''));
  const from = (path.startsWith('.') ? path : `./${path}`).replace(/\.(c?)ts$/, '.$1js');
  const inside = target.endsWith('/**') ? '(?:/[^./][^/]*)+' : target.endsWith('/') ? '/[^/]+' : '';
  return from.replace(/^\.\/$/, '.').replaceAll('.', '\\.') + inside;
}

/** @param {string} room @param {{ loads?: readonly string[], types?: readonly string[] }} may */
function importsOf(room, { loads = [], types = [] }) {
  const isFolder = room.endsWith('/');
  /** @param {readonly string[]} targets */
  const any = (targets) => `(?:${targets.map((target) => specifierOf(room, target)).join('|')})$`;
  const loadable = any(isFolder ? [room, ...loads] : loads);
  const message = `not one of what ${room} may import (eslint.config.js, ROOMS)`;
  const refused = `^(?!${loadable}|${any(types)})`;
  return {
    files: [`src/${room}${isFolder ? '*.{ts,cts}' : ''}`],
    rules: {
      '@typescript-eslint/no-restricted-imports': /** @type {['error', object]} */ ([
        'error',
        {
          patterns: [
            { regex: refused, message },
            {
              regex: `^(?!${loadable})${any(types)}`,
              message: 'types only (eslint.config.js, ROOMS)',
              allowTypeImports: true,
            },
          ],
        },
      ]),
      // The rule above sees no `import('…')`. A selector's expression may hold no slash.
      'no-restricted-syntax': /** @type {['error', ...object[]]} */ ([
        'error',
        ...SYNTAX,
        ...[
          ['ImportExpression', `^(?!${loadable})`],
          ['TSImportType', refused],
        ].map(([node, pattern = '']) => ({
          selector: `${node}[source.value=/${pattern.replaceAll('/', '\\x2f')}/]`,
          message,
        })),
      ]),
    },
  };
}

export default defineConfig(
  {
    ignores: [
      'dist/**',
      'release/**',
      'examples/**',
      'node_modules/**',
      'test-results/**',
      'demo-results/**',
      'docs/**',
      'assets/**',
      'scripts/electron/default-app/**',
      'bench/host/page.js',
      'bench/host/preload.cjs',
      '.cache/**',
    ],
  },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/consistent-type-imports': ['error', { disallowTypeAnnotations: false }],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-confusing-void-expression': 'off',
      // It can't see that a callback changes a variable, nor that data from outside may differ from
      // its type.
      '@typescript-eslint/no-unnecessary-condition': 'off',
      // A port's method is async so that it can only reject, never throw.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-misused-spread': ['error', { allow: ['string'] }],
      // oauth4webapi marks it so that one looks twice: it is set for loopback issuers only.
      '@typescript-eslint/no-deprecated': [
        'error',
        { allow: [{ from: 'package', package: 'oauth4webapi', name: 'allowInsecureRequests' }] },
      ],
      '@typescript-eslint/no-invalid-void-type': 'off',
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      '@typescript-eslint/no-misused-promises': [
        'error',
        { checksVoidReturn: { arguments: false } },
      ],
      '@typescript-eslint/prefer-promise-reject-errors': 'off',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrors: 'none' },
      ],
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/dot-notation': 'off',
      // A type alias over an index signature says the key's meaning; an interface is for objects
      // with named fields.
      '@typescript-eslint/consistent-type-definitions': 'off',
      'no-restricted-syntax': ['error', ...SYNTAX],
    },
  },

  // The last entry that matches a file wins. Without a row a file may import nothing.
  importsOf('**/', {}),
  ...Object.entries(ROOMS).map(([room, may]) => importsOf(room, may)),

  { files: ['src/**/*.cts'], rules: { '@typescript-eslint/no-require-imports': 'off' } },
  // Libraries whose types are not there before bench/ is installed; `npm run check` in bench/
  // checks the types themselves.
  {
    files: ['bench/bench.mjs', 'bench/{host,parts,peers,rows}/**/*.mjs'],
    ...tseslint.configs.disableTypeChecked,
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/no-empty-function': 'off',
      '@typescript-eslint/no-restricted-imports': 'off',
    },
  },
);
