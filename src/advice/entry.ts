// What an entry of advice is, and the small words with which entries are written. Imports nothing.
// All text is Latchkey's own; nothing that a server sent goes in here.

/** Whose error it is. `oauth`: of the standards, so anybody's. */
export type AdviceProvider =
  'oauth' | 'entra' | 'google' | 'github' | 'okta' | 'auth0' | 'keycloak' | 'cognito';

export interface AdviceLink {
  readonly title: string;
  readonly url: string;
}

/**
 * Where it was read and when. `verified`: it was read there; false: general knowledge, and the page
 * is where to check it.
 */
export interface AdviceSource {
  readonly url: string;
  readonly date: string;
  readonly verified: boolean;
}

/** The text of advice: what happened, why to a desktop app, what to do, and what not. */
export interface AdviceText {
  readonly title: string;
  readonly what: string;
  readonly why: string;
  /** Steps, in order; they name the place to click. */
  readonly fix: readonly string[];
  /** What is often recommended and does not help, and why. */
  readonly tempting?: { readonly fix: string; readonly fails: string };
}

/** Advice about one error or several that mean the same. */
export interface AdviceEntry extends AdviceText {
  readonly provider: AdviceProvider;
  /**
   * The first is the one by which it is known. Provider's numbers, or values of `error` or
   * `suberror`.
   */
  readonly codes: readonly [string, ...string[]];
  /** Texts by which `latchkey explain` recognises it. The product itself never looks at texts. */
  readonly phrases?: readonly string[];
  readonly links: readonly AdviceLink[];
  readonly source: AdviceSource;
}

/** What is known of the exchange that failed. What is not known is absent, as in a pasted error. */
export interface AdviceFacts {
  /** The preset's name, or the provider's by its issuer. */
  readonly provider?: AdviceProvider;
  readonly redirectUri?: string;
  readonly sentVerifier?: boolean;
  readonly sentOrigin?: boolean;
  readonly sentSecret?: boolean;
}

/** A section of an RFC. */
export function rfc(number: number, section: string): AdviceLink {
  return {
    title: `RFC ${number} §${section}`,
    url: `https://www.rfc-editor.org/rfc/rfc${number}#section-${section}`,
  };
}

/** A source that was read on the day given. */
export function readIn(url: string, date: string): AdviceSource {
  return { url, date, verified: true };
}

/** General knowledge; the page is where it can be checked. */
export function notReadIn(url: string): AdviceSource {
  return { url, date: '2026-11-24', verified: false };
}
