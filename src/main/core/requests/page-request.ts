// Checks what a page sends about a request to an API: everything may be forged. Pure. Repeats no value.
import type { PageRequest, PageRequestMessage } from '../../../contract.js';
import { AuthError } from '../base/errors.js';
import { LIMITS } from '../base/limits.js';

/** What browsers set themselves (Fetch Standard, "forbidden request-header"). */
const FORBIDDEN =
  /^(accept-(charset|encoding)|access-control-request-.*|connection|content-length|cookie2?|date|dnt|expect|host|keep-alive|origin|referer|set-cookie|te|trailer|transfer-encoding|upgrade|via|(proxy|sec)-.*)$/;
/** Some servers read another method from them, which the option "apis" may not list. */
const OTHER_METHOD = /^x-(http-)?method(-override)?$/;

/** Throws `page-refused`, with the name of the member. Leaves out headers that no page may set. */
export function parsePageRequest(value: unknown): PageRequest {
  const { url, method, headers, body, redirect, withCookies, account, stepUp } = (value ??
    {}) as Record<string, unknown>;
  if (typeof url !== 'string' || url.length > LIMITS.pageRequestHeadChars) return refuse('url');
  if (typeof method !== 'string' || !/^[\w-]{1,32}$/.test(method)) return refuse('method');
  if (!isHeaders(headers)) return refuse('headers');
  if (body !== null && body !== 'stream' && !isChunk(body)) return refuse('body');
  if (redirect !== 'follow' && redirect !== 'error' && redirect !== 'manual')
    return refuse('redirect');
  if (typeof withCookies !== 'boolean') return refuse('withCookies');
  if (account !== null && (typeof account !== 'string' || account.length > 256))
    return refuse('account');
  if (typeof stepUp !== 'boolean') return refuse('stepUp');
  const allowed = headers.filter(([name]) => !isForbidden(name.toLowerCase()));
  return { url, method, headers: allowed, body, redirect, withCookies, account, stepUp };
}

/** Null if a page would not send it. */
export function parsePageMessage(value: unknown): PageRequestMessage | null {
  const { type, bytes } = (value ?? {}) as Record<string, unknown>;
  if (type === 'pull' || type === 'end' || type === 'abort') return { type };
  return type === 'chunk' && isChunk(bytes) ? { type, bytes } : null;
}

function isHeaders(value: unknown): value is PageRequest['headers'] {
  if (!Array.isArray(value)) return false;
  const texts = (value as unknown[]).flat();
  return (
    (value as unknown[]).every((entry) => Array.isArray(entry) && entry.length === 2) &&
    texts.every((text) => typeof text === 'string') &&
    texts.join('').length <= LIMITS.pageRequestHeadChars
  );
}

function isForbidden(name: string): boolean {
  return FORBIDDEN.test(name) || OTHER_METHOD.test(name);
}

function isChunk(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array && value.byteLength <= LIMITS.pageRequestChunkBytes;
}

function refuse(member: string): never {
  throw new AuthError('page-refused', `the request of a page has a wrong "${member}"`);
}
