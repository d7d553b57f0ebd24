// The page that the system browser shows at the end of a loopback trip: what really happened, in plain words.
// Pure: no I/O. The page has no script, loads nothing, and never repeats anything that came with the request.
import { createHash } from 'node:crypto';
import type { TripOutcome } from '../core/ports.js';

/** A page and the headers it must be sent with. */
export interface ResultPage {
  readonly html: string;
  readonly headers: Readonly<Record<string, string>>;
}

interface Words {
  readonly title: string;
  readonly text: string;
  readonly closing: string;
  readonly tone: 'good' | 'calm' | 'alert';
  readonly symbol: string;
}

const check = '<path d="M16 29.5 24.5 38 41 20"/>';
const minus = '<path d="M18 28h20"/>';
const mark = '<path d="M28 16v15M28 39v.5"/>';

// "You can close this tab" only where nothing is left to do: the app has its answer.
const WORDS: Readonly<Record<TripOutcome, (appName: string) => Words>> = {
  'signed-in': (appName) => ({
    title: 'You are signed in',
    text: `${appName} knows you now and is ready to use.`,
    closing: 'You can close this tab.',
    tone: 'good',
    symbol: check,
  }),
  denied: (appName) => ({
    title: 'You are not signed in',
    text: `The sign-in was declined, and ${appName} was told so. Nothing was shared with it.`,
    closing: 'You can close this tab.',
    tone: 'calm',
    symbol: minus,
  }),
  failed: (appName) => ({
    title: 'Sign-in did not work',
    text: `Something went wrong on the way back to ${appName}. You are not signed in.`,
    closing: `Go back to ${appName}: it tells you what happened and lets you try again.`,
    tone: 'alert',
    symbol: mark,
  }),
  'not-expected': (appName) => ({
    title: 'This page has done its work already',
    text: `${appName} is not waiting for a sign-in from this page. That happens when the page is opened twice, or long after the sign-in began.`,
    closing: `Go back to ${appName} to see whether you are signed in.`,
    tone: 'calm',
    symbol: minus,
  }),
};

const STYLE = `
:root{color-scheme:light dark;--ground:#f3f4f3;--card:#fff;--line:#dfe3e1;--ink:#1b1f1d;--soft:#58605c;--good:#0f6b5c;--good-ground:#e2f1ed;--alert:#a3281f;--alert-ground:#fbe9e7;--calm-ground:#eceeed}
@media (prefers-color-scheme:dark){:root{--ground:#161918;--card:#1f2321;--line:#343a37;--ink:#eceeed;--soft:#a8b0ac;--good:#63cbb4;--good-ground:#17352f;--alert:#ffaea6;--alert-ground:#43211e;--calm-ground:#2b302e}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:24px;background:var(--ground);color:var(--ink);font:16px/24px system-ui,sans-serif}
main{width:100%;max-width:432px;padding:48px 40px 40px;background:var(--card);border:1px solid var(--line);border-radius:16px;text-align:center}
svg{width:72px;height:72px;padding:8px;border-radius:50%;fill:none;stroke-width:4;stroke-linecap:round;stroke-linejoin:round}
.good svg{background:var(--good-ground);stroke:var(--good)}
.alert svg{background:var(--alert-ground);stroke:var(--alert)}
.calm svg{background:var(--calm-ground);stroke:var(--soft)}
h1{margin:24px 0 8px;font-size:24px;line-height:32px;font-weight:600;text-wrap:balance}
p{margin:0;color:var(--soft);text-wrap:pretty;overflow-wrap:anywhere}
p+p{margin-top:16px;color:var(--ink)}
@media (forced-colors:active){main{border-color:CanvasText}svg{stroke:CanvasText}}
`;

const STYLE_HASH = createHash('sha256').update(STYLE, 'utf8').digest('base64');

/**
 * Makes the page for one outcome. `appName` may be any text: it is escaped and cut at 80 characters.
 * The headers forbid scripts, framing, caching and a referrer, for the page's address holds the callback (RFC 8252 §8.12, RFC 9700 §4.2.4).
 */
export function resultPage(outcome: TripOutcome, appName: string): ResultPage {
  const name = escapeHtml(shorten(appName));
  const words = WORDS[outcome](name);
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<title>${words.title} – ${name}</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style>
</head>
<body>
<main class="${words.tone}" data-outcome="${outcome}">
<svg viewBox="0 0 56 56" aria-hidden="true">${words.symbol}</svg>
<h1>${words.title}</h1>
<p>${words.text}</p>
<p>${words.closing}</p>
</main>
</body>
</html>
`;
  return {
    html,
    headers: {
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Security-Policy': `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
      'Referrer-Policy': 'no-referrer',
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
      'X-Frame-Options': 'DENY',
      'Cross-Origin-Opener-Policy': 'same-origin',
    },
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
