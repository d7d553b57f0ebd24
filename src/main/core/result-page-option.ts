// Parses the option "resultPage": how the page at the end of a loopback trip looks and what it says.
// Every text is bounded here and escaped where it is shown; a host's words may come from its translators.
import { refuse, requireRecord } from './option-checks.js';
import type { TripOutcome } from './ports.js';

/** What the page says at one end. Plain text; `{app}` stands for the app's name. */
export interface ResultTexts {
  /** The headline: at most 120 characters. */
  readonly title: string;
  /** What happened: at most 500 characters. */
  readonly text: string;
  /** What to do now: at most 500 characters. Say "close this tab" only where nothing is left to do. */
  readonly closing: string;
}

/** The page that the browser shows at the end of a loopback trip. */
export interface ResultPageOptions {
  /** The language of the texts, as a tag like `de` or `pt-BR` (BCP 47). Default `en`. */
  readonly lang?: string;
  /** The direction of the texts. Default `ltr`. */
  readonly dir?: 'ltr' | 'rtl';
  /** A colour like `#0f6b5c`. Made darker or lighter where it would be hard to read. */
  readonly accentColor?: string;
  /** What the page says, for each outcome: `signed-in`, `denied`, `failed`, `not-expected`. Default: English. */
  readonly texts?: Readonly<Partial<Record<TripOutcome, ResultTexts>>>;
  /** The label of the button that leads back, where a custom scheme leads to the app. Default `Open {app}`; at most 120 characters. */
  readonly openApp?: string;
}

/** The option after the check. */
export interface ResultPageSettings {
  readonly lang: string;
  readonly dir: 'ltr' | 'rtl';
  /** Lower case; null: the default. */
  readonly accentColor: string | null;
  readonly texts: Readonly<Partial<Record<TripOutcome, ResultTexts>>>;
  readonly openApp: string | null;
}

const KNOWN: { readonly [Name in keyof ResultPageOptions]-?: true } = { lang: true, dir: true, accentColor: true, texts: true, openApp: true };
const OUTCOMES: { readonly [Outcome in TripOutcome]: true } = { 'signed-in': true, denied: true, failed: true, 'not-expected': true };
const TEXTS: { readonly [Name in keyof ResultTexts]: true } = { title: true, text: true, closing: true };

/** Throws `invalid-options` with the member's name and what was expected. */
export function parseResultPage(value: ResultPageOptions | undefined): ResultPageSettings {
  if (value === undefined) return { lang: 'en', dir: 'ltr', accentColor: null, texts: {}, openApp: null };
  requireRecord(value, 'resultPage', KNOWN);
  const { lang = 'en', dir = 'ltr', accentColor, texts = {}, openApp } = value;
  if (typeof lang !== 'string' || !/^[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8}){0,8}$/.test(lang)) refuse('resultPage.lang', 'a language tag like "de" or "pt-BR"');
  if (dir !== 'ltr' && dir !== 'rtl') refuse('resultPage.dir', '"ltr" or "rtl"');
  if (accentColor !== undefined && (typeof accentColor !== 'string' || !/^#[0-9a-f]{6}$/i.test(accentColor))) refuse('resultPage.accentColor', 'a colour like "#0f6b5c"');
  requireRecord(texts, 'resultPage.texts', OUTCOMES);
  const parsed = Object.entries(texts).filter(([, words]) => words !== undefined).map(([outcome, words]) => [outcome, requireTexts(words, `resultPage.texts.${outcome}`)]);
  return {
    lang, dir, accentColor: accentColor?.toLowerCase() ?? null, texts: Object.fromEntries(parsed) as ResultPageSettings['texts'],
    openApp: openApp === undefined ? null : requireShown(openApp, 'resultPage.openApp', 120),
  };
}

function requireTexts(words: ResultTexts, name: string): ResultTexts {
  requireRecord(words, name, TEXTS);
  return { title: requireShown(words.title, `${name}.title`, 120), text: requireShown(words.text, `${name}.text`, 500), closing: requireShown(words.closing, `${name}.closing`, 500) };
}

function requireShown(value: unknown, name: string, maxLength: number): string {
  if (typeof value === 'string' && value.trim() !== '' && value.length <= maxLength && !/[\u0000-\u001f\u007f]/.test(value)) return value;
  return refuse(name, `a text of 1 to ${maxLength} characters, in one line`);
}
