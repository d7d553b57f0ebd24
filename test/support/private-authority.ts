// A private certificate authority and a TLS server with a certificate of it, as a proxy that opens
// TLS has them. Made anew by openssl each time; nothing of it is kept.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * `issuer`: where the server is, which answers 404 to everything. `authority`: the file of its root
 * certificate.
 */
export async function startPrivateAuthority(
  cleanUps: (() => void)[],
): Promise<{ readonly issuer: string; readonly authority: string }> {
  const folder = mkdtempSync(join(realpathSync(tmpdir()), 'latchkey-tls-'));
  cleanUps.push(() => rmSync(folder, { recursive: true }));
  const openssl = (...args: readonly string[]): void =>
    void execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' });
  openssl(
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
    '-days',
    '2',
    '-subj',
    '/O=Example Corp/CN=Corp Proxy CA',
  );
  openssl(
    'req',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-keyout',
    'key.pem',
    '-out',
    'request.pem',
    '-subj',
    '/CN=localhost',
    '-addext',
    'subjectAltName=DNS:localhost',
  );
  openssl(
    'x509',
    '-req',
    '-in',
    'request.pem',
    '-CA',
    'ca.pem',
    '-CAkey',
    'ca.key',
    '-CAcreateserial',
    '-days',
    '2',
    '-out',
    'cert.pem',
    '-copy_extensions',
    'copy',
  );
  const server = createServer(
    { key: readFileSync(join(folder, 'key.pem')), cert: readFileSync(join(folder, 'cert.pem')) },
    (_request, response) => response.writeHead(404).end(),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanUps.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return {
    issuer: `https://localhost:${(server.address() as AddressInfo).port}`,
    authority: join(folder, 'ca.pem'),
  };
}
