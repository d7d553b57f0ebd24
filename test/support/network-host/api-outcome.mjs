// @ts-check
// One exchange over the port ApiNetwork, told as plain values: the same for the fake Electron in Node
// and for a real one.
import { createHash } from 'node:crypto';

/**
 * `streamBytes`: the body is a stream of so many bytes, in chunks of 64 KiB. `failAfter`: that
 * stream fails then. `unreadMs`: nobody reads the answer for so long. `abortMs`: the caller gives up
 * then.
 * @typedef {{ url: string, method?: string, headers?: Record<string, string>, body?: string,
 *   streamBytes?: number, failAfter?: number, unreadMs?: number, abortMs?: number,
 *   cookies?: boolean }} ApiAsked
 */

/**
 * `failure`: what it rejected with. `pulled`: bytes that were taken of the stream. `cancelled`: the
 * stream was cancelled.
 * @typedef {{ status?: number, location?: string | null, bytes?: number, sha256?: string,
 *   text?: string, failure?: string, pulled: number, cancelled: boolean, rssGrowth: number }} ApiOutcome
 */

const CHUNK = 65_536;

/**
 * @param {import('../../../src/main/core/base/ports.js').ApiNetwork} network
 * @param {ApiAsked} asked
 * @returns {Promise<ApiOutcome>}
 */
export async function apiOutcomeOf(network, asked) {
  const { url, method = 'GET', headers = {}, cookies = false } = asked;
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(new Error('given up')), asked.abortMs ?? 60_000);
  const source = streamOf(asked);
  const body = asked.body === undefined ? source.stream : new TextEncoder().encode(asked.body);
  const rssBefore = process.memoryUsage.rss();
  let rssMost = rssBefore;
  const meter = setInterval(() => {
    rssMost = Math.max(rssMost, process.memoryUsage.rss());
  }, 20);
  /** @type {Partial<ApiOutcome>} */
  let outcome = {};
  try {
    const response = await network.fetch(url, {
      method,
      headers,
      cookies,
      signal: abort.signal,
      ...(body === undefined ? {} : { body }),
    });
    outcome = { status: response.status, location: response.headers.get('location') };
    if (asked.unreadMs !== undefined)
      await new Promise((resolve) => setTimeout(resolve, asked.unreadMs));
    outcome = { ...outcome, ...(await digest(response)) };
  } catch (thrown) {
    const { trouble, message } =
      /** @type {Partial<import('../../../src/main/core/base/ports.js').NetworkFailure>} */ (
        thrown
      );
    outcome = { ...outcome, failure: trouble === undefined ? String(message) : trouble };
  } finally {
    clearTimeout(timer);
    clearInterval(meter);
  }
  // A stream is cancelled a turn after the exchange is over.
  await new Promise((resolve) => setTimeout(resolve, 20));
  return { ...outcome, ...source.seen, rssGrowth: rssMost - rssBefore };
}

/** @param {Response} response */
async function digest(response) {
  const hash = createHash('sha256');
  let bytes = 0;
  let text = '';
  const reader = /** @type {ReadableStream<Uint8Array> | null} */ (response.body)?.getReader();
  while (reader !== undefined) {
    const { done, value } = await reader.read();
    if (done) break;
    bytes += value.byteLength;
    hash.update(value);
    if (bytes < CHUNK) text += new TextDecoder().decode(value);
  }
  return { bytes, sha256: hash.digest('hex'), ...(bytes < CHUNK ? { text } : {}) };
}

/** @param {ApiAsked} asked */
function streamOf({ streamBytes, failAfter = Infinity }) {
  const seen = { pulled: 0, cancelled: false };
  const stream =
    streamBytes === undefined
      ? undefined
      : new ReadableStream(
          {
            pull(controller) {
              if (seen.pulled >= failAfter) return controller.error(new Error('the source broke'));
              if (seen.pulled >= streamBytes) return controller.close();
              const size = Math.min(CHUNK, streamBytes - seen.pulled);
              controller.enqueue(chunkAt(seen.pulled, size));
              seen.pulled += size;
            },
            cancel() {
              seen.cancelled = true;
            },
          },
          { highWaterMark: 0 },
        );
  return { seen, stream };
}

/**
 * No two chunks are equal, so that an order that is wrong shows.
 * @param {number} offset
 * @param {number} size
 */
function chunkAt(offset, size) {
  const chunk = Buffer.alloc(size, (offset / CHUNK) % 251);
  if (size >= 8) chunk.writeDoubleLE(offset);
  return new Uint8Array(chunk);
}

/** @param {number} bytes */
export function sha256OfStream(bytes) {
  const hash = createHash('sha256');
  for (let offset = 0; offset < bytes; offset += CHUNK)
    hash.update(chunkAt(offset, Math.min(CHUNK, bytes - offset)));
  return hash.digest('hex');
}
