// @ts-check
// The servers of the hostile host: one with two names, so with a trusted origin and a strange one;
// a neighbour, which is the same site but another origin; and an API that counts who asked it.
import { createServer } from 'node:http';

/** @param {import('node:http').RequestListener} listener */
async function listen(listener) {
  const server = createServer(listener);
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(null)));
  return /** @type {import('node:net').AddressInfo} */ (server.address()).port;
}

const WORKER = `
const seen = () => ['latchkey', 'raw', 'require', 'process', 'module'].filter((name) => name in self);
addEventListener('activate', (event) => event.waitUntil(clients.claim()));
addEventListener('fetch', (event) => {
  if (event.request.url.endsWith('/seen')) event.respondWith(new Response(JSON.stringify(seen())));
});
`;

export async function serve() {
  /** What pages sent here when they had no other way. @type {string[]} */
  const told = [];
  /** @type {string[]} */
  const asked = [];
  /** @type {import('node:http').RequestListener} */
  const page = (request, response) => {
    const path = new URL(String(request.url), 'http://localhost').pathname;
    const type = path === '/worker.js' ? 'text/javascript' : 'text/html';
    /** @type {Record<string, string>} */
    const headers = { 'content-type': type };
    if (path === '/sandboxed') headers['content-security-policy'] = 'sandbox allow-scripts';
    if (path === '/302') headers['location'] = `http://localhost:${port}/`;
    if (path === '/told') {
      let body = '';
      request.setEncoding('utf8').on('data', (/** @type {string} */ chunk) => (body += chunk));
      request.on('end', () => told.push(body));
    }
    /** @type {Record<string, string>} */
    const pages = {
      '/worker.js': WORKER,
      '/script': `<script>location.replace('http://localhost:${port}/')</script>`,
      '/refresh': `<meta http-equiv="refresh" content="0; url=http://localhost:${port}/">`,
    };
    response.writeHead(path === '/302' ? 302 : 200, headers);
    response.end(pages[path] ?? '<!doctype html><body>a page of a server');
  };
  const port = await listen(page);
  const neighbour = await listen(page);
  const api = await listen((request, response) => {
    asked.push(
      `${String(request.url)} ${request.headers.authorization === undefined ? 'bare' : 'with a token'}`,
    );
    response.end('the API');
  });
  return {
    trusted: `http://127.0.0.1:${port}`,
    stranger: `http://localhost:${port}`,
    neighbour: `http://127.0.0.1:${neighbour}`,
    api: `http://127.0.0.1:${api}`,
    told: () => told,
    asked: () => asked,
  };
}
