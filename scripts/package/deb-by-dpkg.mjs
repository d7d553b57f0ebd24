#!/usr/bin/env node
// @ts-check Replaces fpm, which electron-builder would download: accepts the arguments that
// electron-builder gives fpm for a deb, and builds it with Debian's own dpkg-deb. Named by
// CUSTOM_FPM_PATH (scripts/package.mjs). An argument that it does not know fails the build, so that
// nothing of a later electron-builder is dropped in silence.
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';

const FLAGS = ['--force', '--debug'];
const VALUES = [
  '-s',
  '-t',
  '-d',
  '--log',
  '--deb-recommends',
  '--deb-compression',
  '--deb-priority',
  '--architecture',
  '--after-install',
  '--after-remove',
  '--description',
  '--version',
  '--package',
  '--name',
  '--maintainer',
  '--vendor',
  '--url',
  '--category',
  '--license',
];

/** @param {readonly string[]} words */
function parse(words) {
  /** @type {Map<string, string[]>} */
  const values = new Map();
  /** @type {[from: string, to: string][]} */
  const files = [];
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? '';
    if (FLAGS.includes(word)) continue;
    if (VALUES.includes(word)) {
      at += 1;
      values.set(word, [...(values.get(word) ?? []), words[at] ?? '']);
      continue;
    }
    const [from = '', to] = word.split('=', 2);
    if (word.startsWith('-') || to === undefined)
      throw new Error(`an argument that only fpm knows: ${word}`);
    files.push([from, to]);
  }
  return {
    files,
    all: (/** @type {string} */ name) => values.get(name) ?? [],
    one: (/** @type {string} */ name) => {
      const value = values.get(name)?.at(-1);
      if (!value) throw new Error(`the argument "${name}" is missing`);
      return value;
    },
  };
}

/** @param {readonly string[]} words */
function buildDeb(words) {
  const { files, all, one } = parse(words);
  if (one('-t') !== 'deb') throw new Error('dpkg-deb builds deb packages only');
  const target = one('--package');
  const root = mkdtempSync(join(tmpdir(), 'latchkey-deb-'));
  try {
    chmodSync(root, 0o755);
    for (const [from, to] of files) place(from, join(root, to));
    const control = join(root, 'DEBIAN');
    mkdirSync(control, { mode: 0o755 });
    writeFileSync(join(control, 'control'), controlText(root, all, one));
    for (const [script, name] of /** @type {const} */ ([
      ['postinst', '--after-install'],
      ['postrm', '--after-remove'],
    ])) {
      copyFileSync(one(name), join(control, script));
      chmodSync(join(control, script), 0o755);
    }
    const compression = all('--deb-compression').at(-1) ?? 'xz';
    execFileSync(
      'dpkg-deb',
      [
        '--root-owner-group',
        `-Z${compression === 'gz' ? 'gzip' : compression}`,
        '--build',
        root,
        target,
      ],
      { stdio: 'inherit' },
    );
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/**
 * A folder's content, linked where the file system can, for nothing here changes it; or one file.
 * @param {string} from
 * @param {string} to
 */
function place(from, to) {
  mkdirSync(dirname(to), { recursive: true, mode: 0o755 });
  if (!statSync(from).isDirectory()) {
    copyFileSync(from, to);
    // electron-builder's own temporary files are closed to others; what is installed is not.
    chmodSync(to, 0o644);
    return;
  }
  mkdirSync(to, { recursive: true, mode: 0o755 });
  const source = `${from.replace(/\/$/, '')}/.`;
  try {
    execFileSync('cp', ['-a', '--link', source, to], { stdio: 'ignore' });
  } catch {
    execFileSync('cp', ['-a', '--remove-destination', source, to]);
  }
}

/**
 * Debian Policy §5.3. A line that begins with a blank continues the description.
 * @param {string} root
 * @param {(name: string) => string[]} all
 * @param {(name: string) => string} one
 */
function controlText(root, all, one) {
  const kilobytes =
    execFileSync('du', ['-sk', '--apparent-size', root], { encoding: 'utf8' }).split('\t', 1)[0] ??
    '0';
  const [synopsis = '', ...rest] = one('--description')
    .split('\n')
    .map((line) => line.trim());
  const lines = {
    Package: one('--name'),
    Version: one('--version'),
    Architecture: one('--architecture'),
    Maintainer: one('--maintainer'),
    'Installed-Size': kilobytes,
    Depends: all('-d').join(', '),
    Recommends: all('--deb-recommends').join(', '),
    Section: all('--category').at(-1) ?? 'utils',
    Priority: all('--deb-priority').at(-1) ?? 'optional',
    Homepage: all('--url').at(-1) ?? '',
    Description: [
      synopsis || one('--name'),
      ...rest.map((line) => ` ${line === '' ? '.' : line}`),
    ].join('\n'),
  };
  return Object.entries(lines)
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `${name}: ${value}\n`)
    .join('');
}

try {
  buildDeb(process.argv.slice(2));
} catch (error) {
  process.stderr.write(
    `${basename(import.meta.filename)}: ${error instanceof Error ? error.message : String(error)}\n`,
  );
  process.exitCode = 1;
}
