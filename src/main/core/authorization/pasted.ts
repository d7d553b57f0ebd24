// What a person pasted → what it is: a whole callback URL, or the code that an out-of-band page
// shows. Never throws. Anyone can talk a person into pasting something: nothing in it is believed
// before it was matched with an open attempt.
import { LIMITS } from '../base/limits.js';

export type Pasted =
  /** A URL. Whether it is a callback of ours is told by callback.ts. */
  | { readonly kind: 'url'; readonly url: string }
  /** `state` null: the page showed the code alone. */
  | { readonly kind: 'code'; readonly code: string; readonly state: string | null }
  /** `detail` is for the error text, and repeats nothing of what was pasted. */
  | { readonly kind: 'unusable'; readonly detail: string };

/**
 * RFC 6749 §A.11 without what separates the parts of a URL or form: a code in one of those was not
 * copied alone.
 */
const CODE = /^[\x21-\x7e]+$/;
const NO_CODE = /[?&<>"\\]|:\/\/|^[A-Za-z_]{1,40}=[^=]/;
/** Has a scheme and a query: what comes back from a provider never lacks them. */
const URL_WITH_QUERY = /^[A-Za-z][A-Za-z0-9+.-]+:.*[?&]/;

/**
 * Parses what a page sent or a host gave; any value may come. Blanks around it are left out, as
 * copying adds them.
 */
export function parsePasted(argument: unknown): Pasted {
  if (typeof argument !== 'string')
    return { kind: 'unusable', detail: 'what was pasted is no text' };
  // Measured before it is trimmed: white space without end is work, too.
  if (argument.length > LIMITS.callbackLength)
    return { kind: 'unusable', detail: 'what was pasted is longer than any callback' };
  const text = argument.trim();
  if (text === '') return { kind: 'unusable', detail: 'nothing was pasted' };
  if (!CODE.test(text))
    return {
      kind: 'unusable',
      detail: 'what was pasted holds blanks or letters that no callback has',
    };
  if (URL_WITH_QUERY.test(text)) return { kind: 'url', url: text };
  const [code = '', state, ...more] = text.split('#');
  if (code === '' || state === '' || more.length > 0 || NO_CODE.test(code))
    return { kind: 'unusable', detail: 'what was pasted is neither a whole address nor a code' };
  return { kind: 'code', code, state: state ?? null };
}
