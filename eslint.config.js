// @ts-check
// Type-aware lint, and the house's import directions: who may import what is decided here and
// nowhere else.
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

/** Engines that are imported by one file only, so that replacing one touches one file. */
const ENGINES = /** @type {const} */ ({
  oauth4webapi: ['src/main/core/oauth/client.ts', 'src/main/core/oauth/identification.ts'],
  // By no file: only its binaries are shipped, and keychain-worker.ts loads them (ADR 0014).
  keytar: [],
  // Hosts and tests may have it; the library does not bring it
  // (docs/decisions/0013-files-of-our-own.md).
  'electron-store': [],
  qr: ['src/renderer/demo/qr.ts'],
});

/** @param {string} reason */
const only = (reason) => ({ regex: '.*', message: reason });

/** @param {readonly string[]} names */
const engines = (names) =>
  names.map((name) => ({
    regex: `^${name}(/|$)`,
    message: `"${name}" is imported by one file only (eslint.config.js, ENGINES)`,
  }));

/**
 * @param {string[]} files
 * @param {{ regex: string, message: string, allowTypeImports?: boolean }[]} patterns
 * @param {string[]} [ignores]
 */
const imports = (files, patterns, ignores = []) => ({
  files,
  ignores,
  rules: {
    '@typescript-eslint/no-restricted-imports': /** @type {['error', object]} */ ([
      'error',
      { patterns },
    ]),
  },
});

const ALL_ENGINES = Object.keys(ENGINES);
const CORE_FORBIDDEN = [
  {
    regex: '^(electron(/|$)|node:|(\\.\\./)+(adapters|testing|renderer|providers|advice|cli)/)',
    message: 'core decides and touches nothing: ask through a port',
  },
];

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
      'no-restricted-syntax': [
        'error',
        { selector: 'TSEnumDeclaration', message: 'a union of string literals' },
        { selector: 'TSModuleDeclaration[kind="namespace"]', message: 'a module is a file' },
        { selector: 'TSParameterProperty', message: 'assign it in the constructor' },
      ],
    },
  },

  // Import directions. The last entry that matches a file wins, so the narrow ones stand last.
  imports(['src/**/*.ts', 'src/**/*.cts'], engines(ALL_ENGINES)),
  imports(
    ['src/main/core/**/*.ts'],
    [
      ...engines(ALL_ENGINES),
      ...CORE_FORBIDDEN,
      { regex: '^(\\.\\./)+diagnosis/', message: 'the core works without being looked at' },
    ],
  ),
  imports(['src/main/diagnosis/**/*.ts'], [...engines(ALL_ENGINES), ...CORE_FORBIDDEN]),
  ...Object.values(ENGINES)
    .flat()
    .map((file) =>
      imports(
        [file],
        [
          ...engines(
            ALL_ENGINES.filter(
              (name) =>
                !(/** @type {Record<string, readonly string[]>} */ (ENGINES)[name]?.includes(file)),
            ),
          ),
          ...(file.startsWith('src/main/core/') ? CORE_FORBIDDEN : []),
        ],
      ),
    ),
  imports(
    ['src/main/adapters/**/*.ts'],
    [
      ...engines(ALL_ENGINES),
      {
        regex: '^(\\.\\./)+(core/(?!base/|options/auth-options\\.js)|diagnosis/(?!facts\\.js))',
        message: 'an adapter obeys: it knows ports, facts, errors and limits, not the decisions',
      },
    ],
  ),
  imports(['src/contract.ts'], [only('contract.ts imports nothing')]),
  imports(
    ['src/renderer/**/*.ts'],
    [
      {
        regex: '^(?!\\./|\\.\\./contract\\.js$)',
        message: 'a page imports its own files and types of contract.ts',
      },
      { regex: '^\\.\\./contract\\.js$', message: 'types only', allowTypeImports: true },
    ],
  ),
  imports(
    ['src/renderer/demo/**/*.ts'],
    [
      {
        regex: '^(?!\\./|\\.\\./index\\.js$|\\.\\./\\.\\./contract\\.js$)',
        message: "the demo's page is written as a host would: its own files and latchkey/renderer",
      },
      { regex: '^\\.\\./\\.\\./contract\\.js$', message: 'types only', allowTypeImports: true },
    ],
  ),
  imports(
    ['src/renderer/demo/qr.ts'],
    [
      {
        regex: '^(?!qr$)',
        message: 'the one file of the page that imports a package: see scripts/build.mjs',
      },
    ],
  ),
  imports(
    ['src/preload.cts'],
    [
      {
        regex: '^(?!electron$|electron/renderer$|\\./contract\\.js$)',
        message: 'a sandboxed preload can require electron only',
      },
      { regex: '^\\./contract\\.js$', message: 'types only', allowTypeImports: true },
    ],
  ),
  imports(
    ['src/providers/**/*.ts'],
    [
      {
        regex: '^(?!\\./|\\.\\./main/core/options/provider-preset\\.js$)',
        message:
          'a preset is data: it imports its own files and types of core/options/provider-preset.js',
      },
      {
        regex: '^\\.\\./main/core/options/provider-preset\\.js$',
        message: 'types only',
        allowTypeImports: true,
      },
    ],
  ),
  imports(
    ['src/advice/**/*.ts'],
    [
      {
        regex: '^(?!\\./|\\.\\./contract\\.js$)',
        message: 'advice is data and pure: it imports its own files and types of contract.js',
      },
      { regex: '^\\.\\./contract\\.js$', message: 'types only', allowTypeImports: true },
    ],
  ),
  imports(
    ['src/main/demo.ts'],
    [
      {
        regex: '^(?!electron$|electron/main$|node:|\\./index\\.js$)',
        message: 'the demo is written as a host would: electron and latchkey/main',
      },
    ],
  ),
  imports(
    ['src/cli/**/*.ts'],
    [
      ...engines(ALL_ENGINES),
      // Types of electron may come along; at run time there is none.
      { regex: '^electron(/|$)', message: 'the command runs in plain Node' },
      {
        regex:
          '^\\.\\./(?!main/core/|main/adapters/|main/diagnosis/|advice/|providers/|testing/|contract\\.js$)',
        message:
          'the command knows core, diagnosis, adapters without Electron, what is known of providers, and the test kit',
      },
    ],
  ),
  imports(
    ['src/testing/**/*.ts'],
    [
      ...engines(['keytar', 'electron-store']),
      {
        regex: '^electron(/|$)',
        message: 'the test kit runs in plain Node: types only',
        allowTypeImports: true,
      },
      // The fake keyring speaks the messages of the keychain process; a change of them must fail
      // the compiler.
      {
        regex: '^(\\.\\./)+main/adapters/secrets/keychain-protocol\\.js$',
        message: 'types only',
        allowTypeImports: true,
      },
      {
        regex: '^(\\.\\./)+main/(?!adapters/secrets/keychain-protocol\\.js$)',
        message: 'the test kit runs in plain Node',
      },
    ],
  ),

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
