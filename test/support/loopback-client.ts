// What stands before a loopback server in tests: the person's browser, and programs that mean no
// good.
import { type IncomingHttpHeaders, request } from 'node:http';
import { type LookupFunction, type Socket, connect } from 'node:net';

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/**
 * One request on a connection of its own; follows nothing. `family`: what the name of the host
 * resolves to.
 */
export function get(
  url: string,
  options: {
    readonly method?: string;
    readonly headers?: Record<string, string>;
    readonly family?: 4 | 6;
  } = {},
): Promise<Reply> {
  const { method = 'GET', headers = {}, family } = options;
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      {
        method,
        headers,
        agent: false,
        ...(family === undefined ? {} : { lookup: resolverTo(family) }),
      },
      (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
        );
      },
    );
    sent.on('error', reject);
    sent.end();
  });
}

function resolverTo(family: 4 | 6): LookupFunction {
  const address = family === 6 ? '::1' : '127.0.0.1';
  return (_host, options, done) => {
    if (options.all === true) done(null, [{ address, family }]);
    else done(null, address, family);
  };
}

/**
 * A connection that says `text` and then what the caller likes. Errors after the start are
 * nobody's.
 */
export function rawConnection(origin: string, text: string, host = '127.0.0.1'): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(origin).port), host, () => {
      socket.write(text);
      resolve(socket);
    });
    socket.on('error', reject);
  });
}
