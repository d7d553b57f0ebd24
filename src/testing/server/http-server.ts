// The HTTP side: reads whole requests, sends deliveries (late, halved, never), and ends everything
// at once. Knows nothing of OAuth.
import { createServer } from 'node:http';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Certificate } from './certificate.js';
import type { Exchange } from './exchange.js';
import { jsonAnswer, readExchange } from './exchange.js';
import { deliver } from './fault-effects.js';
import type { Delivery } from './fault-effects.js';

/** Decides the delivery of an exchange. Rejections are answered with status 500. */
export type ExchangeHandler = (exchange: Exchange, socket: Socket) => Promise<Delivery>;

/** A listening server. */
export interface HttpServer {
  /** The port that was asked for, or a free one. */
  readonly port: number;
  /** Nothing is answered before this is set. */
  handle(handler: ExchangeHandler): void;
  /** Destroys every connection, also waiting ones, and frees the port. Idempotent. */
  stop(): Promise<void>;
}

/** Authorization requests and forms are some kilobytes; more is a mistake. */
const BODY_BYTES = 65_536;

/** Listens on 127.0.0.1 only; with a certificate it speaks TLS. Rejects when the port is taken. */
export async function listen(
  port: number,
  certificate: Certificate | null,
  nowMs: () => number,
): Promise<HttpServer> {
  const stopping = new AbortController();
  let handler: ExchangeHandler | null = null;

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await readBody(request);
    if (body === null)
      return send(
        response,
        deliver(jsonAnswer(413, { error: 'invalid_request' })),
        stopping.signal,
        nowMs,
      );
    if (handler === null)
      return send(
        response,
        deliver(jsonAnswer(503, { error: 'temporarily_unavailable' })),
        stopping.signal,
        nowMs,
      );
    const delivery = await handler(readExchange(request, body), request.socket).catch(() =>
      deliver(jsonAnswer(500, { error: 'server_error' })),
    );
    return send(response, delivery, stopping.signal, nowMs);
  };

  const listener: RequestListener = (request, response) => {
    // A client may disconnect in the middle.
    response.on('error', () => undefined);
    answer(request, response).catch(() => response.destroy());
  };
  const server =
    certificate === null
      ? createServer(listener)
      : createTlsServer({ key: certificate.privateKey, cert: certificate.certificate }, listener);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      resolve();
    });
  });

  let stopped: Promise<void> | null = null;
  return {
    port: (server.address() as AddressInfo).port,
    handle(next) {
      handler = next;
    },
    stop() {
      stopped ??= new Promise((resolve) => {
        stopping.abort();
        server.close(() => resolve());
        server.closeAllConnections();
      });
      return stopped;
    },
  };
}

async function readBody(request: IncomingMessage): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    // Read on without keeping, so that the refusal arrives.
    if (length <= BODY_BYTES) chunks.push(chunk);
  }
  return length > BODY_BYTES ? null : Buffer.concat(chunks);
}

async function send(
  response: ServerResponse,
  delivery: Delivery,
  stopping: AbortSignal,
  nowMs: () => number,
): Promise<void> {
  const { answer, delayMs, end, clockOffsetSeconds } = delivery;
  if (delayMs > 0) await sleep(delayMs, undefined, { signal: stopping });
  if (response.destroyed) return;
  if (end === 'silence') return;
  if (end === 'cut' || answer === null) {
    response.destroy();
    return;
  }

  for (const [name, value] of Object.entries(answer.headers)) response.setHeader(name, value);
  response.setHeader('content-length', answer.body.length);
  response.setHeader('date', new Date(nowMs() + clockOffsetSeconds * 1000).toUTCString());
  response.writeHead(answer.status);
  if (end === 'complete') {
    response.end(response.req.method === 'HEAD' ? undefined : answer.body);
    return;
  }
  response.write(answer.body.subarray(0, Math.floor(answer.body.length / 2)), () => {
    if (end === 'half-then-cut') response.destroy();
  });
}
