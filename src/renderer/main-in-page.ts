// What a bundler for browsers finds as latchkey/main: says that it is in the wrong place, and does
// nothing else. May import nothing. It has the names that latchkey/main exports, because bundlers
// stop at a missing one with a message that helps nobody.

export const createAuth = undefined;
export const AuthError = undefined;

throw new Error(
  '"latchkey/main" was bundled for a page. In a page, import "latchkey/renderer", and use ' +
    '"isAuthFailure" in place of "AuthError". If this is your main process, declare "latchkey" as ' +
    'external in its bundler (docs/bundlers.md).',
);
