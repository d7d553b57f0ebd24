// The types that hosts see: their members have words, and the linter of hosts lets them pass the
// functions on one by one.
import { ESLint } from 'eslint';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { ROOT, parse, walk } from './sources.js';

/** Members without a doc comment, but for the word that tells the kinds of a union apart. */
function silentMembers(paths: string, names: RegExp): readonly string[] {
  const found: string[] = [];
  let seen = 0;
  const read = (node: ts.Node): void => {
    if (!ts.isInterfaceDeclaration(node) || !names.test(node.name.text)) return;
    for (const member of node.members) {
      const name = member.name?.getText() ?? '';
      seen += 1;
      const isKind = /^(?:status|state)$/.test(name);
      if (!isKind && ts.getJSDocCommentsAndTags(member).length === 0)
        found.push(`${node.name.text}.${name}`);
    }
  };
  for (const path of paths.split(' and ')) walk(parse(path), read);
  expect(seen).toBeGreaterThan(10);
  return found;
}

/** What the linter says of a page's text: by the strictest rules, as hosts may have them. */
async function unbound(text: string): Promise<number> {
  const eslint = new ESLint({ cwd: ROOT });
  const results = await eslint.lintText(text, { filePath: 'src/renderer/demo/dom.ts' });
  const messages = results.flatMap((result) => result.messages);
  expect(messages.filter(({ fatal }) => fatal === true)).toEqual([]);
  return messages.filter(({ ruleId }) => ruleId === '@typescript-eslint/unbound-method').length;
}

describe('the types of hosts', () => {
  it.each([
    ['src/contract.ts and src/account.ts', /View$|^AuthApi$|^SignInRequest$/],
    ['src/main/auth.ts', /^Auth$/],
  ])('have words at each member in %s', (paths, names) => {
    expect(silentMembers(paths, names)).toEqual([]);
  });

  it('let a page pass the functions on, without a word of typescript-eslint', async () => {
    expect(
      await unbound(`import { auth } from '../index.js';
declare function useSyncExternalStore<S>(on: (changed: () => void) => () => void, get: () => S): S;
export const { signIn, signOut, retry } = auth;
export const view = useSyncExternalStore(auth.subscribe, auth.getSnapshot);
`),
    ).toBe(0);
  });

  it('would be told apart from methods, which that rule refuses', async () => {
    expect(
      await unbound(`declare const auth: { signIn(): Promise<void> };
export const { signIn } = auth;
`),
    ).toBe(1);
  });
});
