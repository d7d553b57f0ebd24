// @ts-check
// `npm run release`: publishes this version to npm. It refuses unless the tree is clean, HEAD has
// the version's tag, and CHANGELOG.md has a dated section for it; then it runs the checks. It
// publishes in CI only, where an OIDC token lets npm sign the provenance. `-- --dry-run` says what
// stands in the way and shows what would be packed, and publishes nothing.
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROOT_FOLDER } from './lab/app-process.mjs';
import { Stop, runMain, say } from './shared/say.mjs';

/**
 * What must hold of the tarball too, beside types and lint. The desktop layers are CI's own matter.
 */
const CHECKS = [
  ['run', 'check'],
  ['test', '--', 'unit', 'flow', 'project'],
];

/**
 * @typedef {{ version: string, changelog: string, tagsAtHead: readonly string[], changedFiles:
 *   readonly string[], env: NodeJS.ProcessEnv }} ReleaseFacts `changedFiles`: lines of `git status
 *   --porcelain`
 */

/**
 * What stands in the way of a release, in words; empty when nothing does.
 * @param {ReleaseFacts} facts
 * @returns {string[]}
 */
export function findObstacles({ version, changelog, tagsAtHead, changedFiles, env }) {
  const obstacles = [];
  if (changedFiles.length > 0)
    obstacles.push(
      `the work tree has changes that are not committed (${changedFiles.length} files)`,
    );
  if (!tagsAtHead.includes(`v${version}`)) obstacles.push(`HEAD has no tag v${version}`);
  const entry = changelogEntry(changelog, version);
  if (entry === null) obstacles.push(`CHANGELOG.md has no section "## ${version}, YYYY-MM-DD"`);
  else if (!/^- /m.test(entry))
    obstacles.push(`the section of ${version} in CHANGELOG.md has no line`);
  if (
    env['CI'] !== 'true' ||
    !env['ACTIONS_ID_TOKEN_REQUEST_URL'] ||
    !env['ACTIONS_ID_TOKEN_REQUEST_TOKEN']
  ) {
    obstacles.push('this is not a CI job with an OIDC token, so there could be no provenance');
  }
  return obstacles;
}

/**
 * The dated section of a version, without its heading.
 * @param {string} changelog
 * @param {string} version
 * @returns {string | null}
 */
function changelogEntry(changelog, version) {
  const sections = changelog.split(/^## /m).slice(1);
  const found = sections.find((section) => {
    const [heading = ''] = section.split('\n', 1);
    return (
      heading.startsWith(`${version}, `) &&
      /^\d{4}-\d{2}-\d{2}$/.test(heading.slice(version.length + 2).trim())
    );
  });
  return found === undefined ? null : found.slice(found.indexOf('\n'));
}

/** @returns {ReleaseFacts} */
function readFacts() {
  /** @type {unknown} */
  const manifest = JSON.parse(readFileSync(join(ROOT_FOLDER, 'package.json'), 'utf8'));
  return {
    version: /** @type {{ version: string }} */ (manifest).version,
    changelog: readFileSync(join(ROOT_FOLDER, 'CHANGELOG.md'), 'utf8'),
    tagsAtHead: git('tag', '--points-at', 'HEAD'),
    changedFiles: git('status', '--porcelain'),
    env: process.env,
  };
}

/** @param {...string} args */
function git(...args) {
  return execFileSync('git', args, { cwd: ROOT_FOLDER, encoding: 'utf8' })
    .split('\n')
    .filter((line) => line !== '');
}

/** @param {readonly string[]} args */
function npm(args) {
  say(`npm ${args.join(' ')}`);
  if (spawnSync('npm', args, { cwd: ROOT_FOLDER, stdio: 'inherit' }).status !== 0)
    throw new Stop(`"npm ${args.join(' ')}" failed; nothing was published`);
}

/** @param {readonly string[]} words */
async function main(words) {
  const unknown = words.find((word) => word !== '--dry-run');
  if (unknown !== undefined) throw new Stop(`"${unknown}" is not known; there is only --dry-run`);
  const dryRun = words.includes('--dry-run');
  const facts = readFacts();
  const obstacles = findObstacles(facts);
  for (const obstacle of obstacles) say(`✗ ${obstacle}`);
  if (dryRun) {
    npm(['pack', '--dry-run']);
    say(
      obstacles.length === 0
        ? `${facts.version} could be released`
        : `${facts.version} would be refused`,
    );
    return obstacles.length === 0 ? 0 : 1;
  }
  if (obstacles.length > 0) throw new Stop(`${facts.version} is not released`);
  for (const check of CHECKS) npm(check);
  npm(['publish', '--provenance', '--access', 'public']);
  return 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) runMain(() => main(process.argv.slice(2)));
