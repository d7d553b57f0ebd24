// @ts-check
// One exchange over the port Network, told in one line: the same for the fakes in Node and for a
// real Electron.

/** What a test asks for. `limitBytes`: the reader has enough then. */
/** @typedef {{ url: string, method?: string, body?: string, timeoutMs?: number, limitBytes?: number, unreadMs?: number }} Asked */

/**
 * Such as `200 {"a":1}`, `trouble cut-off`, `aborted`, `too much`.
 * @param {import('../../../src/main/core/base/ports.js').Network} network
 * @param {Asked} asked
 * @returns {Promise<string>}
 */
export async function outcomeOf(
  network,
  { url, method = 'POST', body, timeoutMs = 4_000, limitBytes = 65_536, unreadMs = 0 },
) {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(new Error('in time')), timeoutMs);
  try {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const response = await network.fetch(url, {
      method,
      headers,
      signal: abort.signal,
      ...(method === 'POST' ? { body: body ?? 'grant_type=none' } : {}),
    });
    if (unreadMs > 0) await new Promise((resolve) => setTimeout(resolve, unreadMs));
    const reader = /** @type {ReadableStream<Uint8Array> | null} */ (response.body)?.getReader();
    const decoder = new TextDecoder();
    let text = '';
    for (let bytes = 0; reader !== undefined;) {
      const { done, value } = await reader.read();
      if (done) break;
      bytes += value.length;
      if (bytes > limitBytes) {
        await reader.cancel();
        return 'too much';
      }
      text += decoder.decode(value, { stream: true });
    }
    const shown = response.headers.get('x-shown');
    return `${response.status} ${text}${shown === null ? '' : ` [${shown}]`}`.trim();
  } catch (thrown) {
    if (abort.signal.aborted) return 'aborted';
    const { trouble, status, message } =
      /** @type {Partial<import('../../../src/main/core/base/ports.js').NetworkFailure>} */ (
        thrown
      );
    return trouble === undefined
      ? `untyped: ${message}`
      : `trouble ${trouble}${status === undefined ? '' : ` ${status}`}`;
  } finally {
    clearTimeout(timer);
  }
}
