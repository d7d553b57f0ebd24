// @ts-check
// Bundles by esbuild: how many bytes of minified code a library brings into a main process. And the
// one bundle that is run, because the package cannot be imported as published.
import { build } from 'esbuild';
import { basename } from 'node:path';
import { gzipSync } from 'node:zlib';
import { fileURLToPath } from 'node:url';

const HERE = fileURLToPath(new URL('..', import.meta.url));
const CACHE = fileURLToPath(new URL('../node_modules/.cache/latchkey-bench', import.meta.url));

/** Native code and Electron are no part of any bundle. */
const EXTERNAL = ['electron', 'keytar', '@azure/msal-node-runtime', '*.node'];

/** @typedef {{ bytes: number, gzipBytes: number }} BundleSize */

/**
 * @param {string} code an entry: one or more imports
 * @param {{ external?: readonly string[], from?: string }} [options]
 * @returns {Promise<BundleSize>}
 */
export async function bundleSize(code, { external = [], from = HERE } = {}) {
  const outputs = await bundle(code, { external, from, split: false });
  const bytes = outputs.map(({ contents }) => contents);
  return {
    bytes: bytes.reduce((sum, content) => sum + content.length, 0),
    gzipBytes: bytes.reduce((sum, content) => sum + gzipSync(content).length, 0),
  };
}

/**
 * What is loaded at once, and what only when it is asked for: by dynamic imports.
 * @param {string} code
 * @param {{ external?: readonly string[], from?: string }} [options]
 * @returns {Promise<{ first: number, all: number, late: Record<string, number> }>} `late`: by the
 *   file that is imported, without what it shares
 */
export async function bundleParts(code, { external = [], from = HERE } = {}) {
  const { outputs } = (await run(code, { external, from, split: true })).metafile;
  const all = Object.values(outputs).reduce((sum, { bytes }) => sum + bytes, 0);
  const entry = Object.keys(outputs).find((name) => outputs[name]?.entryPoint === '<stdin>') ?? '';
  const first = new Set([entry]);
  for (const name of first)
    for (const { path, kind } of outputs[name]?.imports ?? [])
      if (kind === 'import-statement' && path in outputs) first.add(path);
  const late = Object.fromEntries(
    Object.entries(outputs).flatMap(([name, { entryPoint, bytes }]) =>
      entryPoint === undefined || first.has(name) ? [] : [[basename(entryPoint), bytes]],
    ),
  );
  return {
    first: [...first].reduce((sum, name) => sum + (outputs[name]?.bytes ?? 0), 0),
    all,
    late,
  };
}

/** Makes @openid/appauth importable. */
export async function bundleAppauth() {
  await build({
    stdin: {
      contents:
        "export * from '@openid/appauth'; export * from '@openid/appauth/built/src/node_support/node_requestor.js'; export * from '@openid/appauth/built/src/node_support/crypto_utils.js';",
      resolveDir: HERE,
    },
    bundle: true,
    platform: 'node',
    format: 'cjs',
    outfile: `${CACHE}/appauth.cjs`,
    logLevel: 'silent',
  });
}

/** @param {string} code @param {{ external: readonly string[], from: string, split: boolean }} options */
async function bundle(code, options) {
  return (await run(code, options)).outputFiles;
}

/** @param {string} code @param {{ external: readonly string[], from: string, split: boolean }} options */
function run(code, { external, from, split }) {
  return build({
    stdin: { contents: code, resolveDir: from },
    bundle: true,
    minify: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    splitting: split,
    metafile: true,
    write: false,
    outdir: 'out',
    legalComments: 'none',
    logLevel: 'silent',
    external: [...EXTERNAL, ...external],
    conditions: ['import'],
  });
}
