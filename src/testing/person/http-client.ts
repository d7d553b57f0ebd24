// One plain HTTP request of the scripted person. Not by `fetch`, which can be given no certificate
// to trust.
import { request } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import { request as requestTls } from 'node:https';

/** What is asked. */
export interface PlainRequest {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** Null: a GET. */
  readonly form: URLSearchParams | null;
  /** In PEM; null: what the machine trusts. */
  readonly certificate: string | null;
  readonly timeoutMs: number;
}

/** What came. */
export interface PlainResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/**
 * Follows no redirect. Rejects when no answer came in time or the connection failed; the error
 * holds no URL.
 */
export function ask({
  url,
  headers,
  form,
  certificate,
  timeoutMs,
}: PlainRequest): Promise<PlainResponse> {
  const body = form?.toString();
  const options = {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      ...headers,
      ...(body === undefined
        ? {}
        : {
            'content-type': 'application/x-www-form-urlencoded',
            'content-length': Buffer.byteLength(body),
          }),
    },
    signal: AbortSignal.timeout(timeoutMs),
    agent: false,
  };
  return new Promise((resolve, reject) => {
    const sent =
      url.protocol === 'https:'
        ? requestTls(url, certificate === null ? options : { ...options, ca: certificate })
        : request(url, options);
    sent.once('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('error', reject);
      response.once('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text: Buffer.concat(chunks).toString('utf8'),
        }),
      );
    });
    sent.once('error', reject);
    sent.end(body);
  });
}
