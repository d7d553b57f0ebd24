// @ts-check
// HTTPS for the embedded provider: a certificate for 127.0.0.1 by openssl, and a copy of dist/testing that listens with
// it. The copy differs from the build in two lines; when these lines are not found, the bench stops.
import { execFileSync } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const DIST = fileURLToPath(new URL('../../dist/testing', import.meta.url));
const CACHE = fileURLToPath(new URL('../node_modules/.cache/latchkey-bench', import.meta.url));

/**
 * `spki` is what Chromium's switch `--ignore-certificate-errors-spki-list` wants; Node reads `file` by NODE_EXTRA_CA_CERTS.
 * @typedef {{ file: string, spki: string, testing: string }} HttpsKit
 */

/** @returns {HttpsKit} */
export function prepareHttps() {
  const folder = join(CACHE, `testing-${process.pid}`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1', '-addext', 'basicConstraints=critical,CA:TRUE'];
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-keyout', key, '-out', cert, ...subject], { stdio: 'ignore' });
  cpSync(DIST, folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  change(join(folder, 'provider.js'), 'const issuer = `http://', 'const issuer = `https://');
  const server = `import { readFileSync } from 'node:fs';\nimport { createServer as create } from 'node:https';\nconst createServer = (listener) => create({ key: readFileSync(${JSON.stringify(key)}), cert: readFileSync(${JSON.stringify(cert)}) }, listener);`;
  change(join(folder, 'http-server.js'), "import { createServer } from 'node:http';", server);
  const publicKey = new X509Certificate(readFileSync(cert)).publicKey.export({ type: 'spki', format: 'der' });
  return { file: cert, spki: createHash('sha256').update(publicKey).digest('base64'), testing: pathToFileURL(join(folder, 'index.js')).href };
}

/** @param {string} file @param {string} from @param {string} to */
function change(file, from, to) {
  const text = readFileSync(file, 'utf8');
  if (!text.includes(from)) throw new Error(`${file} no longer holds "${from}": follow it in bench/parts/certificate.mjs`);
  writeFileSync(file, text.replace(from, to));
}
