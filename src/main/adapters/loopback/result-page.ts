// The page that the system browser shows at the end of a loopback sign-in: what really happened, in
// plain words. Pure: no I/O. The page has no script, loads nothing, and never repeats anything from
// the request.
import { createHash } from 'node:crypto';
import type { ResultPageSettings, ResultTexts } from '../../core/options/auth-options.js';
import type { PageOutcome } from '../../core/base/ports.js';
import { resultStyle } from './result-theme.js';

/** A page and the headers it must be sent with. */
export interface ResultPage {
  readonly html: string;
  readonly headers: Readonly<Record<string, string>>;
}

const LOOKS: Readonly<
  Record<PageOutcome, { readonly tone: 'good' | 'calm' | 'alert'; readonly symbol: string }>
> = {
  'signed-in': { tone: 'good', symbol: '<path d="m7 17 6.500 6.500L25.500 10"/>' },
  denied: { tone: 'calm', symbol: '<path d="M9 16h14"/>' },
  failed: { tone: 'alert', symbol: '<path d="M16 8v10M16 24v.01"/>' },
  'not-expected': {
    tone: 'calm',
    symbol: '<path d="M16 9v8l5 3"/><circle cx="16" cy="16" r="12"/>',
  },
  'signed-out': { tone: 'calm', symbol: '<path d="m7 17 6.500 6.500L25.500 10"/>' },
};

// "You can close this tab" only if nothing is left to do: the app has its answer.
const ENGLISH: Readonly<Record<PageOutcome, ResultTexts>> = {
  'signed-in': {
    title: 'You are signed in',
    text: '{app} knows you now and is ready to use.',
    closing: 'You can close this tab.',
  },
  denied: {
    title: 'You are not signed in',
    text: 'The sign-in was declined, and {app} was told so. Nothing was shared with it.',
    closing: 'You can close this tab.',
  },
  failed: {
    title: 'Sign-in did not work',
    text: 'Something went wrong on the way back to {app}. You are not signed in.',
    closing: 'Go back to {app}: it tells you what happened and lets you try again.',
  },
  'not-expected': {
    title: 'This page has done its work already',
    text: '{app} is not waiting for this page. That happens when the page is opened twice, or long after you began to sign in.',
    closing: 'Go back to {app} to see whether you are signed in.',
  },
  'signed-out': {
    title: 'You are signed out',
    text: '{app} has forgotten you on this computer, and the sign-in page was asked to do so, too.',
    closing: 'You can close this tab.',
  },
};

/**
 * Makes the pages. `appName` may be any text: it is escaped and cut at 80 characters. `scheme`: one
 * that leads to this app, for the button that opens it, or null. The headers forbid scripts,
 * framing, caching and a referrer, for the address before this page's held the callback (RFC 8252
 * §8.12, RFC 9700 §4.2.4).
 */
export function createResultPages(
  {
    lang = 'en',
    dir = 'ltr',
    accentColor = null,
    texts = {},
    openApp = null,
  }: Partial<ResultPageSettings>,
  appName: string,
): (outcome: PageOutcome, scheme: string | null) => ResultPage {
  const name = shorten(appName);
  const shown = (text: string): string => escapeHtml(text.replaceAll('{app}', () => name));
  const style = resultStyle(accentColor);
  const styleHash = createHash('sha256').update(style, 'utf8').digest('base64');
  const headers = {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Security-Policy': `default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    'Referrer-Policy': 'no-referrer',
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
  };

  return (outcome, scheme) => {
    const { title, text, closing } = texts[outcome] ?? ENGLISH[outcome];
    const { tone, symbol } = LOOKS[outcome];
    // The bare scheme brings the app to the front and contains nothing that looks like a callback.
    const open =
      scheme === null
        ? ''
        : `\n<a href="${escapeHtml(scheme)}:">${shown(openApp ?? 'Open {app}')}</a>`;
    const html = `<!doctype html>
<html lang="${escapeHtml(lang)}" dir="${dir}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<title>${shown(title)} – ${escapeHtml(name)}</title>
<link rel="icon" href="data:,">
<style>${style}</style>
</head>
<body>
<main class="${tone}" data-outcome="${outcome}">
<div class="mark" aria-hidden="true"><svg viewBox="0 0 32 32">${symbol}</svg></div>
<h1>${shown(title)}</h1>
<p>${shown(text)}</p>
<p class="closing">${shown(closing)}</p>${open}
</main>
</body>
</html>
`;
    return { html, headers };
  };
}

function shorten(text: string): string {
  const letters = [...text.trim()];
  if (letters.length === 0) return 'The app';
  return letters.length > 80 ? `${letters.slice(0, 79).join('')}…` : letters.join('');
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);
}
