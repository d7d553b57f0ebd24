// Checks for values of the protocol that both options and requests use. Needed before the app's
// first window, so it may not import token-request.ts, which is loaded later.

/** RFC 8707 §2. */
export function isResource(text: string): boolean {
  return (
    text.length <= 2048 &&
    /^[a-z][a-z0-9+.-]*:[\x21\x22\x24-\x7e]+$/i.test(text) &&
    URL.canParse(text)
  );
}

/** RFC 6749 §3.3: scope-token. */
export function isScope(text: string): boolean {
  return /^[\x21\x23-\x5b\x5d-\x7e]{1,512}$/.test(text);
}

/**
 * The names of this computer (RFC 8252 §7.3 and §8.3; `localhost` because Entra registers nothing
 * else).
 */
export function isLoopback(hostname: string): boolean {
  return ['127.0.0.1', '[::1]', 'localhost'].includes(hostname);
}
