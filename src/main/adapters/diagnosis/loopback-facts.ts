// Tests whether this computer lets us listen on a loopback redirect: opens the port for a moment
// and closes it again. Accepts no connection meanwhile. Does not import Electron, so that `latchkey
// doctor` can use it.
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import type { LoopbackFacts } from '../../diagnosis/facts.js';

/** The part of a loopback redirect to listen on. `port` null: any. */
export interface LoopbackAddress {
  readonly uri: string;
  readonly host: string;
  readonly port: number | null;
}

/** Never rejects. A port on which an attempt of this very app waits counts as taken. */
export function tryLoopback({ uri, host, port }: LoopbackAddress): Promise<LoopbackFacts> {
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', (error: NodeJS.ErrnoException) =>
      resolve({ redirect: uri, outcome: { state: 'closed', code: error.code ?? 'no code' } }),
    );
    server.listen({ host: host.replace(/^\[|\]$/g, ''), port: port ?? 0, exclusive: true }, () => {
      const found = (server.address() as AddressInfo).port;
      server.close(() => resolve({ redirect: uri, outcome: { state: 'open', port: found } }));
    });
  });
}
