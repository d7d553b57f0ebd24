// @ts-check
// Puts the modules of latchkey/main together after tsc: an app that starts reads three small files
// before its window, and one more while it comes up, instead of a hundred. Not minified; no source
// map is shipped, and names stay. The modules themselves stay where they are, for `latchkey
// doctor`, for types, and for tools of this repository.
import { join, sep } from 'node:path';
import { rolldown } from 'rolldown';
import { Stop } from './shared/say.mjs';

/** Finds its neighbours by its own place and notices when it was bundled: it must stay a file. */
const OWN_FILES = /(^|\/)package-files\.js$/;

/** What the first file loads at once goes into one more file. */
const START = 'start';

/** And so does what comes with the second one. */
const LATER = 'assembly';

/**
 * Replaces `main/index.js` and the keychain's worker in a folder that tsc has filled. Packages and
 * Electron stay outside.
 * @param {string} dist
 */
export async function bundleMain(dist) {
  const main = join(dist, 'main');
  /** @type {import('rolldown').OutputOptions} */
  const shape = {
    dir: main,
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: 'parts/[name].js',
    comments: false,
  };
  await withBundle(dist, { index: join(main, 'index.js') }, async (bundle) => {
    // Once to learn what is loaded at once, and once with all of that in one file; the same for
    // what comes after the window.
    const plain = (await bundle.generate(shape)).output;
    const [first, second] = [modulesOf(plain, 'index.js'), modulesOf(plain, `parts/${LATER}.js`)];
    const { output } = await bundle.write({
      ...shape,
      codeSplitting: {
        groups: [
          { name: START, test: (id) => first.has(id) && !id.endsWith(`${sep}index.js`) },
          { name: LATER, test: (id) => second.has(id) && !first.has(id) },
        ],
      },
    });
    for (const part of [START, LATER])
      if (!output.some(({ fileName }) => fileName === `parts/${part}.js`))
        throw new Stop(`the bundle of latchkey/main has no part "${part}"`);
  });
  await withBundle(
    dist,
    { 'adapters/secrets/keychain-worker': join(main, 'adapters', 'secrets', 'keychain-worker.js') },
    (bundle) => bundle.write(shape),
  );
}

/**
 * @param {string} dist
 * @param {Record<string, string>} input
 * @param {(bundle: import('rolldown').RolldownBuild) => Promise<unknown>} run
 */
async function withBundle(dist, input, run) {
  const bundle = await rolldown({
    input,
    cwd: dist,
    platform: 'node',
    external: (id) => OWN_FILES.test(id) || !/^[./\\]|^[A-Za-z]:/.test(id),
  });
  try {
    await run(bundle);
  } finally {
    await bundle.close();
  }
}

/**
 * The modules of a chunk and of all that it imports at its top.
 * @param {readonly (import('rolldown').OutputChunk | import('rolldown').OutputAsset)[]} output
 * @param {string} entry
 */
function modulesOf(output, entry) {
  const chunks = new Map(
    output.flatMap((part) => (part.type === 'chunk' ? [[part.fileName, part]] : [])),
  );
  const names = new Set([entry]);
  /** @type {Set<string>} */
  const modules = new Set();
  for (const name of names) {
    const chunk = chunks.get(name);
    if (chunk === undefined) continue;
    for (const module of chunk.moduleIds) modules.add(module);
    for (const imported of chunk.imports) names.add(imported);
  }
  return modules;
}
