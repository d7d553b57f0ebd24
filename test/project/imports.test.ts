// The table of who may import what (eslint.config.js, ROOMS), tried on planted imports: in each
// room one that is refused and one that is not, by the rules that `npm run check` goes by.
import { ESLint } from 'eslint';
import tseslint from 'typescript-eslint';
import { describe, expect, it } from 'vitest';
import { ROOT, committedFiles } from './sources.js';

// The rules of imports need no types, and a program of the whole repository for each text is slow.
const eslint = new ESLint({
  cwd: ROOT,
  overrideConfig: [
    { languageOptions: { parserOptions: { projectService: false } } },
    tseslint.configs.disableTypeChecked,
  ],
});

/** What the table says of this text, if it stood in this file. */
async function refusals(path: string, text: string): Promise<readonly string[]> {
  const results = await eslint.lintText(text, { filePath: path });
  return results
    .flatMap(({ messages }) => messages)
    .filter(({ message }) => message.includes('ROOMS'))
    .map(({ message }) => message);
}

const load = (specifier: string): string => `import '${specifier}';`;
const typesOf = (specifier: string): string => `import type { X } from '${specifier}';`;

/** A file of the row, what it may not import, and what it may. */
const ROWS: readonly (readonly [path: string, refused: string, allowed: string | null])[] = [
  ['src/account.ts', typesOf('./contract.js'), null],
  ['src/contract.ts', typesOf('./main/core/base/ports.js'), typesOf('./account.js')],
  ['src/main/core/base/limits.ts', typesOf('../options/auth-options.js'), load('./errors.js')],
  ['src/main/core/options/options.ts', load('../oauth/discovery.js'), load('../base/errors.js')],
  ['src/main/core/storage/records.ts', load('../oauth/identity.js'), load('../options/syntax.js')],
  ['src/main/core/oauth/discovery.ts', load('oauth4webapi'), load('./metadata-cache.js')],
  ['src/main/core/oauth/client.ts', load('../session/session.js'), load('oauth4webapi')],
  [
    'src/main/core/authorization/attempt.ts',
    typesOf('../session/session-state.js'),
    load('../oauth/client.js'),
  ],
  [
    'src/main/core/session/session.ts',
    load('../authorization/attempt.js'),
    load('../storage/records.js'),
  ],
  [
    'src/main/core/migration/migration.ts',
    load('../session/session.js'),
    typesOf('../options/auth-options.js'),
  ],
  [
    'src/main/core/requests/api-fetch.ts',
    load('../session/token-request.js'),
    typesOf('../session/token-request.js'),
  ],
  ['src/main/core/engine.ts', load('../adapters/clock.js'), load('./session/sessions.js')],
  ['src/main/diagnosis/diagnosis.ts', load('../core/engine.js'), load('../core/base/errors.js')],
  ['src/main/adapters/lock.ts', load('./secrets/keychain.js'), load('./whole-file.js')],
  [
    'src/main/adapters/network/network.ts',
    load('../secrets/keychain.js'),
    load('../whole-file.js'),
  ],
  [
    'src/main/adapters/pages/page-requests.ts',
    load('../secrets/keychain.js'),
    load('../../core/requests/page-request.js'),
  ],
  [
    'src/main/adapters/diagnosis/app-sources.ts',
    load('../../core/oauth/discovery.js'),
    load('../custom-scheme/deep-link.js'),
  ],
  ['src/main/auth.ts', load('./core/base/errors.js'), typesOf('./core/base/events.js')],
  ['src/main/assembly.ts', load('./index.js'), load('./core/engine.js')],
  ['src/main/index.ts', load('./demo.js'), load('./core/lazy-engine.js')],
  ['src/main/demo.ts', load('./core/base/errors.js'), load('./index.js')],
  ['src/renderer/index.ts', load('../contract.js'), typesOf('../contract.js')],
  ['src/renderer/index.ts', load('react'), null],
  ['src/renderer/react.ts', load('react-dom'), load('react')],
  ['src/renderer/demo/face.ts', load('qr'), load('../index.js')],
  ['src/renderer/demo/qr.ts', load('./dom.js'), load('qr')],
  ['src/preload.cts', typesOf('./main/core/base/ports.js'), load('electron')],
  [
    'src/providers/okta.ts',
    load('../main/core/options/provider-preset.js'),
    typesOf('../main/core/options/provider-preset.js'),
  ],
  ['src/advice/oauth.ts', load('node:fs'), typesOf('../contract.js')],
  ['src/cli/doctor.ts', typesOf('electron'), load('../main/diagnosis/diagnosis.js')],
  ['src/testing/index.ts', load('electron'), typesOf('electron')],
  ['src/testing/server/oidc.ts', load('../personalities/okta.js'), load('oidc-provider')],
  ['src/testing/personalities/okta.ts', load('../person/person.js'), load('../server/exchange.js')],
  ['src/testing/person/person.ts', load('../server/people.js'), load('node:http')],
  [
    'src/testing/fakes/fake-keyring.ts',
    load('../../main/adapters/secrets/keychain-protocol.js'),
    typesOf('../../main/adapters/secrets/keychain-protocol.js'),
  ],
];

describe('the table of imports', () => {
  it.each(ROWS)('in %s refuses %s and nothing that it allows', async (path, refused, allowed) => {
    expect(committedFiles(), path).toContain(path);
    expect(await refusals(path, refused)).toHaveLength(1);
    if (allowed !== null) expect(await refusals(path, allowed)).toEqual([]);
  });

  it.each([
    `export { x } from '../authorization/attempt.js';`,
    `void import('../authorization/attempt.js');`,
    `type X = import('../authorization/attempt.js').X;`,
    `void import('../options/auth-options.js');`,
    `import { x } from '../options/auth-options.js';`,
  ])('sees %s in a file of core/session', async (text) => {
    expect(await refusals('src/main/core/session/session.ts', text)).toHaveLength(1);
  });

  it('lets a new folder import nothing until it has a row', async () => {
    const path = 'src/main/core/another-room/first.ts';
    expect(await refusals(path, load('../base/errors.js'))).toHaveLength(1);
  });

  it('has no row for files that are not there', async () => {
    const { ROOMS } = (await import('../../eslint.config.js')) as {
      ROOMS: Readonly<Record<string, unknown>>;
    };
    const rooms = new Set(Object.keys(ROOMS).flatMap(spelledOut));
    const files = committedFiles();
    expect(
      [...rooms].filter((room) => !files.some((file) => file.startsWith(`src/${room}`))),
    ).toEqual([]);
    const tried = new Set(ROWS.map(([path]) => path.replace('src/', '')));
    expect(
      Object.keys(ROOMS).filter(
        (row) => !spelledOut(row).some((room) => tried.has(room) || [...tried].some(isIn(room))),
      ),
      'rows without a case',
    ).toEqual([]);
  });
});

/** `a/{b,c}/` → `a/b/`, `a/c/`. */
function spelledOut(row: string): readonly string[] {
  const [, before = '', names = '', after = ''] = /^(.*)\{(.*)\}(.*)$/.exec(row) ?? [];
  return names === '' ? [row] : names.split(',').map((name) => before + name + after);
}

const isIn =
  (room: string) =>
  (path: string): boolean =>
    room.endsWith('/') && path.startsWith(room) && !path.slice(room.length).includes('/');
