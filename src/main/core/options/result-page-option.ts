// Parses the option "resultPage": how the page at the end of a loopback sign-in looks and what it
// says. Every text is bounded here and escaped where it is shown; a host's words may come from its
// translators.
import { type Check, fitting, matching, oneOf, optional, record } from './option-checks.js';
import type { PageOutcome } from '../base/ports.js';

/** What the page says at one end. Plain text; `{app}` stands for the app's name. */
export interface ResultTexts {
  /** The headline: at most 120 characters. */
  readonly title: string;
  /** What happened: at most 500 characters. */
  readonly text: string;
  /** What to do now: at most 500 characters. Say "close this tab" only if nothing is left to do. */
  readonly closing: string;
}

/** The page that the browser shows at the end of a loopback sign-in. */
export interface ResultPageOptions {
  /** The language of the texts, as a tag like `de` or `pt-BR` (BCP 47). Default `en`. */
  readonly lang?: string;
  /** The direction of the texts. Default `ltr`. */
  readonly dir?: 'ltr' | 'rtl';
  /** A colour like `#0f6b5c`. Latchkey makes it darker or lighter if it would be hard to read. */
  readonly accentColor?: string;
  /**
   * The texts of the page for each outcome: `signed-in`, `denied`, `failed`, `not-expected`,
   * `signed-out`. Default: English.
   */
  readonly texts?: Readonly<Partial<Record<PageOutcome, ResultTexts>>>;
  /**
   * The label of the button that leads back, if a custom scheme leads to the app. Default `Open
   * {app}`; at most 120 characters.
   */
  readonly openApp?: string;
}

/** The option after the check. */
export interface ResultPageSettings {
  readonly lang: string;
  readonly dir: 'ltr' | 'rtl';
  /** Lower case; null: the default. */
  readonly accentColor: string | null;
  readonly texts: Readonly<Partial<Record<PageOutcome, ResultTexts>>>;
  readonly openApp: string | null;
}

const colour = matching(/^#[0-9a-f]{6}$/i, 'a colour like "#0f6b5c"');

/** Plain text, for people: any letters, in one line. */
function shown(maxLength: number): Check<string> {
  return fitting(
    (text) => text.trim() !== '' && text.length <= maxLength && !/[\u0000-\u001f\u007f]/.test(text),
    `a text of 1 to ${maxLength} characters, in one line`,
  );
}

const texts: Check<ResultTexts | undefined> = optional(
  record({ title: shown(120), text: shown(500), closing: shown(500) } satisfies {
    [Name in keyof ResultTexts]: Check;
  }),
);

const page: Check<ResultPageSettings> = record({
  lang: optional(
    matching(/^[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8}){0,8}$/, 'a language tag like "de" or "pt-BR"'),
    'en',
  ),
  dir: optional(oneOf('ltr', 'rtl'), 'ltr'),
  accentColor: optional((value, name) => colour(value, name).toLowerCase(), null),
  texts: optional(
    record({
      'signed-in': texts,
      denied: texts,
      failed: texts,
      'not-expected': texts,
      'signed-out': texts,
    } satisfies {
      [Outcome in PageOutcome]: Check;
    }) as Check<ResultPageSettings['texts']>,
    {},
  ),
  openApp: optional(shown(120), null),
} satisfies { [Name in keyof ResultPageOptions]-?: Check });

/** Throws `invalid-options` with the member's name and what was expected. */
export function parseResultPage(value: unknown = {}): ResultPageSettings {
  return page(value, 'resultPage');
}
