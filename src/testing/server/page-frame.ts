// The frame of every page of the provider: one centred card, of the same family as the demo's
// window. No script, no image, no font from outside; what is put in is escaped here.
import { createHash } from 'node:crypto';
import type { Answer } from './exchange.js';

/** Markup that was escaped or written here. Made only by `html`. */
export interface Markup {
  readonly markup: string;
}

/** What a page is called in `data-page`; the scripted person reads it. */
export type PageName =
  | 'login'
  | 'consent'
  | 'confirm'
  | 'done'
  | 'error'
  | 'sign-out'
  | 'signed-out'
  | 'device'
  | 'device-refused'
  | 'device-confirm'
  | 'device-done';

/** A page of the provider. */
export interface Page {
  readonly name: PageName;
  readonly title: string;
  readonly content: Markup;
  readonly status?: number;
  /**
   * Where forms may lead in addition to the provider: browsers hold redirects after a form to
   * `form-action`.
   */
  readonly formTargets?: readonly string[];
  /** The page that comes after a yes, when it is not the end; in `data-next`. */
  readonly next?: PageName;
  /** Followed at once by the browser. */
  readonly refreshTo?: string;
}

/** Escapes every value that is not markup. Arrays are joined; null gives nothing. */
export function html(
  parts: TemplateStringsArray,
  ...values: readonly (string | Markup | readonly Markup[] | null)[]
): Markup {
  const inserted = values.map((value) => {
    if (value === null) return '';
    if (typeof value === 'string') return escape(value);
    return 'markup' in value ? value.markup : value.map((item) => item.markup).join('');
  });
  return { markup: parts.map((part, index) => part + (inserted[index] ?? '')).join('') };
}

/** Marks text that a trusted library escaped (oidc-provider's own logout form). */
export function trusted(markup: string): Markup {
  return { markup };
}

function escape(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

const STYLE = `
:root {
  color-scheme: light dark;
  --ground: #f1f4f2; --card: #ffffff; --field: #ffffff; --line: #dfe4e1; --edge: #87928c; --ink: #1a1f1c; --soft: #566059;
  --accent: #0f6b5c; --accent-strong: #0b5749; --accent-ground: #e0f0ec; --on-accent: #ffffff;
  --red: #a3281f; --red-ground: #fbe8e5; --shadow: 0 1px 2px rgb(0 0 0 / 6%), 0 8px 32px rgb(16 40 32 / 8%);
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #161918; --card: #1f2422; --field: #191d1b; --line: #343b37; --edge: #77837c; --ink: #edf0ee; --soft: #a7b1ab;
    --accent: #62cbb4; --accent-strong: #86dcc9; --accent-ground: #1d3a34; --on-accent: #06261f;
    --red: #ffaba2; --red-ground: #43221e; --shadow: none;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; min-height: 100vh; padding: 24px 16px; display: flex; flex-direction: column; align-items: center;
  background: var(--ground); color: var(--ink); font: 15px/24px system-ui, sans-serif;
}
body::before, body::after { content: ""; margin: auto; }
main {
  width: 100%; max-width: 400px; padding: 32px; background: var(--card);
  border: 1px solid var(--line); border-radius: 16px; box-shadow: var(--shadow);
}
h1, p, ul { margin: 0; overflow-wrap: anywhere; }
h1 { font-size: 22px; line-height: 32px; font-weight: 600; letter-spacing: -0.01em; }
.mark { width: 48px; height: 48px; margin-bottom: 16px; border-radius: 12px; display: grid; place-items: center; background: var(--accent-ground); color: var(--accent); }
.mark.red { background: var(--red-ground); color: var(--red); }
.mark svg { width: 24px; height: 24px; fill: none; stroke: currentColor; stroke-width: 2; stroke-linecap: round; stroke-linejoin: round; }
.lead { margin-top: 4px; color: var(--soft); }
.lead strong { color: var(--ink); font-weight: 600; }
form { margin-top: 24px; }
label { display: block; margin-top: 16px; font-size: 13px; line-height: 16px; font-weight: 600; }
input {
  width: 100%; height: 40px; margin-top: 8px; padding: 0 12px; font: inherit; color: inherit;
  background: var(--field); border: 1px solid var(--edge); border-radius: 8px;
}
.hint { margin-top: 8px; font-size: 13px; line-height: 16px; color: var(--soft); }
.problem { margin-top: 16px; padding: 8px 12px; border-radius: 8px; background: var(--red-ground); color: var(--red); font-size: 14px; }
.actions { display: flex; gap: 8px; margin-top: 24px; }
button, .button {
  flex: 1; min-height: 40px; padding: 8px 16px; font: inherit; font-weight: 600; line-height: 22px; text-align: center; text-decoration: none;
  color: var(--on-accent); background: var(--accent); border: 1px solid transparent; border-radius: 8px; cursor: pointer;
}
button:hover, .button:hover { background: var(--accent-strong); }
.quiet { flex: 0 1 auto; color: var(--ink); background: transparent; border-color: var(--line); font-weight: 500; }
.quiet:hover { background: var(--ground); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.who { display: flex; align-items: center; gap: 12px; margin-top: 24px; padding: 12px; border: 1px solid var(--line); border-radius: 12px; }
.who p { min-width: 0; line-height: 20px; }
.who small { display: block; font-size: 13px; color: var(--soft); }
.initials { flex: none; width: 40px; height: 40px; border-radius: 50%; display: grid; place-items: center; background: var(--accent-ground); color: var(--accent); font-weight: 600; }
.asks { margin-top: 24px; font-size: 13px; line-height: 16px; font-weight: 600; }
ul { margin-top: 8px; padding: 0; list-style: none; }
li { display: flex; gap: 12px; padding: 4px 0; }
li svg { flex: none; width: 16px; height: 16px; margin-top: 4px; fill: none; stroke: var(--accent); stroke-width: 2.5; stroke-linecap: round; stroke-linejoin: round; }
.usercode { margin-top: 16px; font: 600 24px/32px ui-monospace, monospace; letter-spacing: 0.1em; }
code { font: 13px/16px ui-monospace, monospace; color: var(--soft); overflow-wrap: anywhere; }
footer { margin-top: 24px; max-width: 400px; text-align: center; font-size: 13px; line-height: 16px; color: var(--soft); }
@media (max-width: 440px) { main { padding: 24px; } .actions { flex-direction: column; } .actions .quiet, .actions button { flex: none; } }
@media (forced-colors: active) { main, button, .button { border-color: CanvasText; } }
`;

const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');

/** The small pictures of the cards. */
export const ICONS = {
  person: trusted(
    '<svg viewBox="0 0 24 24"><circle cx="12" cy="8" r="4"/><path d="M4 21c1-4 4-6 8-6s7 2 8 6"/></svg>',
  ),
  tick: trusted('<svg viewBox="0 0 24 24"><path d="m5 12.5 5 5L19.500 7"/></svg>'),
  alert: trusted('<svg viewBox="0 0 24 24"><path d="M12 6v8M12 18v.01"/></svg>'),
  away: trusted('<svg viewBox="0 0 24 24"><path d="M14 4h6v16h-6M3 12h12M11 8l4 4-4 4"/></svg>'),
} as const;

/** The large picture at the head of a card. */
export function mark(icon: Markup, tone: 'accent' | 'red' = 'accent'): Markup {
  return html`<div class="mark ${tone}" aria-hidden="true">${icon}</div>`;
}

/** The answer of a page, with a policy under which it can run nothing and load nothing. */
export function pageAnswer(page: Page): Answer {
  const policy = [
    "default-src 'none'",
    `style-src 'sha256-${STYLE_HASH}'`,
    `form-action ${["'self'", ...(page.formTargets ?? [])].join(' ')}`,
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
  return {
    status: page.status ?? 200,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': policy,
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    },
    body: Buffer.from(render(page)),
  };
}

function render(page: Page): string {
  const refresh =
    page.refreshTo === undefined
      ? null
      : html`<meta http-equiv="refresh" content="0; url=${page.refreshTo}">`;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
${refresh}
<title>${page.title}</title>
<style>${trusted(STYLE)}</style>
</head>
<body>
<main data-page="${page.name}"${page.next === undefined ? null : html` data-next="${page.next}"`}>
${page.content}
</main>
<footer>Test provider: nothing here is real.</footer>
</body>
</html>
`.markup;
}
