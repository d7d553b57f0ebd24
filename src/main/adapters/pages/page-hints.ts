// What the host can do about a page that is refused. Pure; loaded at the first refusal. No text may
// hold a path or a query.
import { type Page, originOf } from './page-trust.js';

/** `isTop`: it fills its window, and is no frame inside of another page. */
export function hintFor({ url, origin, isTop }: Page & { readonly isTop: boolean }): string {
  if (!isTop)
    return 'a frame inside of a page is never trusted: call Latchkey in the page around it';
  const own = originOf(url);
  if (origin === own)
    return own === 'file://'
      ? 'only files below the app\'s package.json are trusted: keep the page there, or start the app by that folder ("electron .")'
      : 'name it in the option "trustedOrigins" if it is yours';
  if (/^(?:https?|file|about|blob|data|javascript):/.test(own))
    return 'a page without an origin of its own (sandboxed, inherited, or not loaded) is never trusted';
  return 'it has no origin: call protocol.registerSchemesAsPrivileged for its scheme with "standard: true" before the app is ready, and serve it without a "sandbox" policy';
}
