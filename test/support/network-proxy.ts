// A proxy for CONNECT and plain HTTP on 127.0.0.1, with a password or without, and a line that goes
// dumb.
import { createServer } from 'node:http';
import { connect, createServer as createTcpServer } from 'node:net';
import type { Socket } from 'node:net';
import { listening } from './network-servers.js';

export interface FakeProxy {
  readonly address: string;
  /** What it was asked for: `CONNECT host:port`, or `POST http://…`. */
  readonly asked: readonly string[];
  stop(): void;
}

/**
 * Leads wherever it is asked to, to 127.0.0.1 always. `password`: nobody gets through without one,
 * and nobody has one.
 */
export async function startProxy({ password = false, refuses = false } = {}): Promise<FakeProxy> {
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): Socket => {
    sockets.add(socket);
    return socket.on('error', () => undefined);
  };
  const challenge = { 'Proxy-Authenticate': 'Basic realm="corp"', 'Content-Length': '0' };
  const server = createServer((request, response) => {
    asked.push(`${request.method ?? ''} ${request.url ?? ''}`);
    if (password) response.writeHead(407, challenge).end();
    else response.end('by the proxy');
  });
  server.on('connection', keep);
  server.on('connect', (request, socket) => {
    asked.push(`CONNECT ${request.url ?? ''}`);
    if (password)
      return void socket.end(
        'HTTP/1.1 407 Password\r\nProxy-Authenticate: Basic realm="corp"\r\nContent-Length: 0\r\n\r\n',
      );
    if (refuses) return void socket.end('HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n');
    const target = keep(
      connect(Number(request.url?.split(':').at(-1)), '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        target.pipe(socket).pipe(target);
      }),
    );
  });
  const port = await listening(server);
  return {
    address: `127.0.0.1:${port}`,
    asked,
    stop() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/**
 * A line to a server on 127.0.0.1. From `mute()` on nothing comes back on the connections that are
 * open then.
 */
export async function startLine(
  port: number,
): Promise<{ readonly port: number; mute(): void; stop(): void }> {
  const open = new Set<Socket>();
  const dumb = new Set<Socket>();
  const server = createTcpServer((socket) => {
    const target = connect(port, '127.0.0.1');
    for (const end of [socket, target])
      open.add(
        end
          .on('error', () => undefined)
          .on('close', () => void (socket.destroy(), target.destroy())),
      );
    socket.pipe(target);
    target.on('data', (bytes) => dumb.has(socket) || socket.write(bytes));
  });
  const own = await listening(server);
  return {
    port: own,
    mute: () => {
      for (const end of open) dumb.add(end);
    },
    stop() {
      server.close();
      for (const end of open) end.destroy();
    },
  };
}
