// @ts-check
// What hostile pages send: each message that main answers, and values that no honest page sends.
// One more message is one more row here.

/**
 * @typedef {import('../../../src/contract.js').AuthCalls} AuthCalls
 * @typedef {{ [Call in keyof AuthCalls]: readonly [AuthCalls[Call]['channel'], readonly
 *   unknown[]] }} Requests
 */

/**
 * Each call with values that are right: a trusted page gets what it asks for. The sign-out is the
 * last one.
 * @satisfies {Requests}
 */
export const REQUESTS = /** @type {const} */ ({
  signIn: ['latchkey:sign-in', [{ prompt: 'login' }]],
  cancelSignIn: ['latchkey:cancel-sign-in', []],
  reopenBrowser: ['latchkey:reopen-browser', []],
  tryAnotherWay: ['latchkey:try-another-way', []],
  pasteCallback: ['latchkey:paste-callback', ['http://127.0.0.1/callback?code=c&state=s']],
  switchAccount: ['latchkey:switch-account', ['a1']],
  retry: ['latchkey:retry', []],
  signOut: ['latchkey:sign-out', []],
});

const DEEP = `JSON.parse('['.repeat(500) + ']'.repeat(500))`;

/** Values as JavaScript, for a page to make: what can be sent to Electron's main process. */
export const MALFORMED = /** @type {const} */ ([
  '0',
  'NaN',
  '10n',
  'true',
  '""',
  '"\\u0000"',
  '"\\ud800"',
  '"x".repeat(1_000_000)',
  '[]',
  '[["a"]]',
  '{ prompt: "none" }',
  '{ prompt: ["login"] }',
  '{ loginHint: 1 }',
  '{ loginHint: "x".repeat(1_000_000) }',
  '{ scopes: ["admin"] }',
  '{ open: "copy" }',
  '{ redirect: "https://evil.example" }',
  '{ constructor: { prototype: { polluted: true } } }',
  'new Uint8Array(1_000_000)',
  'Object.assign([], { prompt: "login" })',
  '(() => { const a = {}; a.a = a; return a; })()',
  DEEP,
]);

/** Without a member of their own: a sign-in takes them as a request without a wish. */
export const EMPTY = /** @type {const} */ ([
  'null',
  'JSON.parse(\'{"__proto__":{"prompt":"login"}}\')',
  'new Map([["prompt", "login"]])',
  'new Set(["a1"])',
  'new Date(0)',
  'new Error("e")',
  '/x/',
]);
