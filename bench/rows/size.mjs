// @ts-check
// What a library weighs: its code in a main process, what of it is loaded before the first window,
// and what `npm i` brings. Nothing runs here.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleParts, bundleSize } from '../parts/bundles.mjs';
import { digits, row, times, verdictOf } from './row.mjs';

const BENCH = fileURLToPath(new URL('..', import.meta.url));
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const DIST = join(ROOT, 'dist', 'main', 'index.js');

/**
 * The code with which an app takes a peer in: what bench/peers uses of it. @type {Record<string,
 * string>}
 */
const ENTRIES = {
  'msal-node': "export { PublicClientApplication } from '@azure/msal-node';",
  'msal-node + extensions':
    "export { PublicClientApplication } from '@azure/msal-node'; export * from '@azure/msal-node-extensions';",
  'openid-client':
    "export { discovery, None, randomPKCECodeVerifier, randomState, calculatePKCECodeChallenge, buildAuthorizationUrl, authorizationCodeGrant, refreshTokenGrant } from 'openid-client';",
  oauth4webapi:
    "export { discoveryRequest, processDiscoveryResponse, None, generateRandomCodeVerifier, generateRandomState, calculatePKCECodeChallenge, validateAuthResponse, authorizationCodeGrantRequest, processAuthorizationCodeResponse, refreshTokenGrantRequest, processRefreshTokenResponse } from 'oauth4webapi';",
  appauth:
    "export { AuthorizationServiceConfiguration, BaseTokenRequestHandler, TokenRequest, TokenResponse } from '@openid/appauth'; export { NodeRequestor } from '@openid/appauth/built/src/node_support/node_requestor.js';",
  iTwin: "export * from '@itwin/electron-authorization/Main';",
  'better-auth':
    "export * from '@better-auth/electron/client'; export { createAuthClient } from 'better-auth/client';",
};

/**
 * The packages that an app installs for it; Electron is not counted. @type {Record<string, readonly
 * string[]>}
 */
const PACKAGES = {
  'msal-node': ['@azure/msal-node'],
  'msal-node + extensions': ['@azure/msal-node', '@azure/msal-node-extensions'],
  'openid-client': ['openid-client'],
  oauth4webapi: ['oauth4webapi'],
  appauth: ['@openid/appauth'],
  iTwin: ['@itwin/electron-authorization', '@itwin/core-bentley'],
  'better-auth': [
    '@better-auth/electron',
    'better-auth',
    '@better-auth/core',
    '@better-auth/utils',
    '@better-fetch/fetch',
    'better-call',
    'conf',
  ],
};

const ALL_MAX = 80_000;
const FIRST_MAX = 25_000;
const INSTALLED_MAX = 8_000_000;

/** @returns {Promise<import('./row.mjs').Group>} */
export async function measureSize() {
  /** @type {Record<string, number>} */
  const bundles = {};
  for (const [name, code] of Object.entries(ENTRIES))
    bundles[name] = (await bundleSize(code)).bytes;
  const code = `export * from ${JSON.stringify(DIST)};`;
  const own = await bundleParts(code, { from: ROOT });
  const worker = await bundleSize(
    `import ${JSON.stringify(join(ROOT, 'dist', 'main', 'adapters', 'secrets', 'keychain-worker.js'))};`,
    { from: ROOT },
  );

  const installed = Object.fromEntries(
    Object.entries(PACKAGES).map(([name, packages]) => [name, closure(BENCH, packages)]),
  );
  const manifest = /** @type {{ dependencies: Record<string, string> }} */ (
    JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  );
  const ours = closure(ROOT, Object.keys(manifest.dependencies));
  const latchkey = { packages: ours.packages + 1, bytes: ours.bytes + packedBytes() };

  const best = smallest(bundles);
  const lightest = smallest(
    Object.fromEntries(Object.entries(installed).map(([name, { bytes }]) => [name, bytes])),
  );
  return {
    rows: [
      row({
        id: 'bundle-all',
        title: 'bundled and minified code of the main process',
        goal: '≤ 80 kB',
        bestPeer: `${best.name}: ${kilo(best.bytes)}`,
        latchkey: kilo(own.all),
        toBestPeer: times(own.all / best.bytes),
        verdict: verdictOf(own.all <= ALL_MAX),
        note: `the largest parts that are loaded when they are wanted: ${largest(own.late)}; the keychain’s process has ${kilo(worker.bytes)} more`,
        numbers: { ...bundles, latchkey: own, worker: worker.bytes },
      }),
      row({
        id: 'bundle-first',
        title: '… of it loaded before the first window',
        goal: '≤ 25 kB',
        bestPeer: `${best.name}: ${kilo(best.bytes)}`,
        latchkey: kilo(own.first),
        toBestPeer: times(own.first / best.bytes),
        verdict: verdictOf(own.first <= FIRST_MAX),
        numbers: { first: own.first },
      }),
      row({
        id: 'installed',
        title: 'what `npm i` brings, without Electron',
        goal: '≤ 8 MB',
        bestPeer: `${lightest.name}: ${mega(lightest.bytes)}`,
        latchkey: `${mega(latchkey.bytes)}, ${latchkey.packages} packages`,
        toBestPeer: times(latchkey.bytes / lightest.bytes),
        verdict: verdictOf(latchkey.bytes <= INSTALLED_MAX),
        note: `heaviest: ${ours.heaviest
          .slice(0, 3)
          .map(({ name, bytes }) => `${name} ${mega(bytes)}`)
          .join(', ')}`,
        numbers: { ...installed, latchkey },
      }),
    ],
    details: [
      {
        title: 'Size',
        head: ['library', 'bundled and minified', 'installed', 'packages'],
        lines: [
          ...Object.keys(ENTRIES).map((name) => [
            name,
            kilo(bundles[name] ?? 0),
            mega(installed[name]?.bytes ?? 0),
            String(installed[name]?.packages ?? 0),
          ]),
          ['**Latchkey**', kilo(own.all), mega(latchkey.bytes), String(latchkey.packages)],
        ],
      },
    ],
  };
}

/** @param {Readonly<Record<string, number>>} late */
function largest(late) {
  return Object.entries(late)
    .sort(([, a], [, b]) => b - a)
    .slice(0, 6)
    .map(([name, bytes]) => `${name} ${kilo(bytes)}`)
    .join(', ');
}

/** @param {Readonly<Record<string, number>>} sizes */
function smallest(sizes) {
  const [name, bytes] = Object.entries(sizes).sort(([, a], [, b]) => a - b)[0] ?? ['', 0];
  return { name, bytes };
}

/**
 * Every package that these bring, by the lock file: dependencies, and peer dependencies that are
 * not optional.
 * @param {string} folder
 * @param {readonly string[]} wanted
 */
function closure(folder, wanted) {
  const lock =
    /** @type {{ packages: Record<string, { dependencies?: object, optionalDependencies?: object, peerDependencies?: object, peerDependenciesMeta?: Record<string, { optional?: boolean }> }> }} */ (
      JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8'))
    ).packages;
  /** @type {Map<string, number>} */
  const found = new Map();
  /** @param {string} from @param {string} name */
  const add = (from, name) => {
    if (name === 'electron') return;
    let at = from;
    for (;;) {
      const path = `${at === '' ? '' : `${at}/`}node_modules/${name}`;
      if (lock[path] !== undefined) {
        if (found.has(path) || !existsSync(join(folder, path))) return;
        found.set(path, folderBytes(join(folder, path)));
        const {
          dependencies = {},
          optionalDependencies = {},
          peerDependencies = {},
          peerDependenciesMeta = {},
        } = lock[path] ?? {};
        for (const next of [
          ...Object.keys(dependencies),
          ...Object.keys(optionalDependencies),
          ...Object.keys(peerDependencies).filter(
            (peer) => peerDependenciesMeta[peer]?.optional !== true,
          ),
        ])
          add(path, next);
        return;
      }
      if (at === '') return;
      at = at.includes('/node_modules/') ? at.slice(0, at.lastIndexOf('/node_modules/')) : '';
    }
  };
  for (const name of wanted) add('', name);
  const heaviest = [...found]
    .map(([path, bytes]) => ({ name: path.slice(path.lastIndexOf('node_modules/') + 13), bytes }))
    .sort((a, b) => b.bytes - a.bytes);
  return {
    packages: found.size,
    bytes: heaviest.reduce((sum, { bytes }) => sum + bytes, 0),
    heaviest,
  };
}

/**
 * Without the folders of other packages inside.
 * @param {string} folder
 * @returns {number}
 */
function folderBytes(folder) {
  return readdirSync(folder, { withFileTypes: true }).reduce((sum, entry) => {
    if (entry.name === 'node_modules') return sum;
    return (
      sum +
      (entry.isDirectory()
        ? folderBytes(join(folder, entry.name))
        : entry.isFile()
          ? statSync(join(folder, entry.name)).size
          : 0)
    );
  }, 0);
}

/** What the tarball contains in addition to the documents: dist/ without the demo. */
function packedBytes() {
  return readdirSync(join(ROOT, 'dist'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.startsWith('demo'))
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}

/** @param {number} bytes */
function kilo(bytes) {
  return `${digits(bytes / 1000)} kB`;
}

/** @param {number} bytes */
function mega(bytes) {
  return `${digits(bytes / 1e6)} MB`;
}
