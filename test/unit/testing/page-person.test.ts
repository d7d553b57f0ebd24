// The scripted person on the page of a real browser, here a page made by hand: which fields are
// filled, which buttons pressed.
import { describe, expect, it } from 'vitest';
import { signInWithPage } from '../../../src/testing/index.js';
import type { PageLike, PageSignInChoices } from '../../../src/testing/index.js';

interface Shown {
  readonly page: string;
  readonly next?: string;
}

/** A browser that shows these pages one after the other, each after a click. */
function browser(...pages: readonly Shown[]): PageLike & { readonly did: readonly string[] } {
  const did: string[] = [];
  let at = 0;
  return {
    did,
    async waitForSelector(selector) {
      if (!selector.includes(`data-page="${pages[at]?.page ?? 'nothing'}"`))
        throw new Error(`no such page: ${selector}`);
    },
    getAttribute: async (_selector, name) =>
      (name === 'data-page' ? pages[at]?.page : pages[at]?.next) ?? null,
    fill: async (selector, value) =>
      void did.push(`${/name="(\w+)"/.exec(selector)?.[1] ?? ''} ${value}`),
    async click(selector) {
      did.push(/value="([\w-]+)"/.exec(selector)?.[1] ?? '');
      at += 1;
    },
  };
}

const did = async (
  choices: PageSignInChoices,
  ...pages: readonly Shown[]
): Promise<readonly string[]> => {
  const page = browser(...pages);
  await signInWithPage(page, choices);
  return page.did;
};

describe('the person in a browser', () => {
  it('types a name and a password and agrees', async () => {
    expect(await did({ login: 'grace' }, { page: 'login' }, { page: 'consent' })).toEqual([
      'login grace',
      'password correct horse',
      'sign-in',
      'allow',
    ]);
  });

  it('only agrees where the browser is signed in already', async () => {
    expect(await did({}, { page: 'consent' })).toEqual(['allow']);
  });

  it('goes on when the provider asks once more, as it does before a custom scheme', async () => {
    expect(await did({}, { page: 'consent', next: 'confirm' }, { page: 'confirm' })).toEqual([
      'allow',
      'continue',
    ]);
  });

  it.each([
    ['cancel', ['cancel']],
    ['deny', ['login ada', 'password correct horse', 'sign-in', 'deny']],
  ] as const)('says no by "%s", and is not asked again', async (consent, wanted) => {
    expect(await did({ consent }, { page: 'login' }, { page: 'consent', next: 'confirm' })).toEqual(
      wanted,
    );
  });
});
