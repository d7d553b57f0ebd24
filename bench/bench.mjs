// @ts-check
// `npm run bench`: Latchkey beside its peers and beside the floor, in one run. Installs the peers
// when needed, builds dist/, measures on a private desktop with real parts, and prints the whole
// table. Ends with an error when an answer was wrong or a row could not be measured; a row that
// falls short is told, and no error.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from '../scripts/build.mjs';
import { resolveElectron } from '../scripts/electron/electron.mjs';
import { closed } from '../scripts/shared/processes.mjs';
import { Stop, runMain, say } from '../scripts/shared/say.mjs';
import { ensureSystemPackages } from '../scripts/shared/system-packages.mjs';
import { asMarkdown, asText, intoDocument } from './parts/report.mjs';
import { startStage } from './parts/stage.mjs';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const DOCUMENT = fileURLToPath(new URL('../docs/performance.md', import.meta.url));
const INSTALL_LIMIT_MS = 420_000;

/**
 * Each group, with the most minutes it may take. A machine that is busy with other work needs three
 * times as long as usual.
 */
const GROUPS = {
  size: 2,
  import: 6,
  tokens: 12,
  processes: 4,
  start: 10,
  paint: 10,
  windows: 5,
  accounts: 3,
  idle: 2,
  fleet: 8,
};

const USAGE = `npm run bench [-- --quick] [--json] [--write] [--only size,import,…]

  --quick   fewer samples: about three minutes instead of fifteen
  --json    every row with its numbers as JSON on stdout, instead of the table
  --write   also writes the table into docs/performance.md
  --only    some groups: ${Object.keys(GROUPS).join(', ')}
`;

/** @param {import('./rows/row.mjs').Context} context @param {keyof typeof GROUPS} group @returns {Promise<import('./rows/row.mjs').Group>} */
async function measure(context, group) {
  switch (group) {
    case 'size':
      return (await import('./rows/size.mjs')).measureSize();
    case 'import':
      return (await import('./rows/import.mjs')).measureImport(context);
    case 'tokens':
      return (await import('./rows/tokens.mjs')).measureTokens(context);
    case 'processes':
      return (await import('./rows/processes.mjs')).measureProcesses(context);
    case 'start':
      return (await import('./rows/start.mjs')).measureStart(context);
    case 'paint':
      return (await import('./rows/page.mjs')).measurePaint(context);
    case 'windows':
      return (await import('./rows/page.mjs')).measureWindows(context);
    case 'accounts':
      return (await import('./rows/accounts.mjs')).measureAccounts(context);
    case 'idle':
      return (await import('./rows/idle.mjs')).measureIdle(context);
    case 'fleet':
      return (await import('./rows/fleet.mjs')).measureFleet(context);
  }
}

runMain(async () => {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
      only: { type: 'string', default: '' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const names = /** @type {(keyof typeof GROUPS)[]} */ (
    values.only === '' ? Object.keys(GROUPS) : values.only.split(',')
  );
  if (names.some((name) => !(name in GROUPS))) throw new Stop(USAGE);
  if (values.write && (values.only !== '' || values.quick))
    throw new Stop('--write is for a whole run');

  await installPeers();
  await build();
  await ensureSystemPackages(['unpack', 'electron', 'display', 'desktop']);
  const electron = await resolveElectron();
  await (await import('./parts/bundles.mjs')).bundleAppauth();
  const stage = await startStage({ electron: electron.path });
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']))
    process.once(signal, () => process.exit(130));
  const startedAt = Date.now();
  /** @type {import('./rows/row.mjs').Group[]} */
  const groups = [];
  try {
    for (const name of names) {
      say(`${name} …`);
      const turn = stage.turn();
      const group = await within(
        GROUPS[name] * 60_000,
        measure({ stage: turn, lab: stage.lab, quick: values.quick, say }, name),
      ).catch((/** @type {unknown} */ error) => failed(name, error));
      turn.end();
      for (const { title, latchkey, toFloor, verdict } of group.rows)
        say(`  ${verdict}: ${title}: ${latchkey} (to the floor ${toFloor})`);
      groups.push(group);
    }
  } finally {
    await stage.stop();
  }
  const report = {
    groups,
    setting: settingOf(electron, values.quick, (Date.now() - startedAt) / 60_000),
  };
  if (values.json) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  else process.stdout.write(asText(report));
  if (values.write) {
    writeFileSync(DOCUMENT, intoDocument(readFileSync(DOCUMENT, 'utf8'), asMarkdown(report)));
    say('written into docs/performance.md');
  }
  return groups.some(({ rows }) => rows.some(({ verdict }) => verdict === 'wrong')) ? 1 : 0;
});

/**
 * By the lock file, and only when it is newer than what is installed: npm leaves a copy of it
 * there.
 */
async function installPeers() {
  const installed = `${HERE}node_modules/.package-lock.json`;
  const wanted =
    /** @type {{ packages: Record<string, { version?: string, integrity?: string, optional?: boolean }> }} */ (
      JSON.parse(readFileSync(`${HERE}package-lock.json`, 'utf8'))
    ).packages;
  const found = existsSync(installed)
    ? /** @type {typeof wanted} */ (
        /** @type {{ packages: typeof wanted }} */ (JSON.parse(readFileSync(installed, 'utf8')))
          .packages
      )
    : {};
  const missing = Object.entries(wanted).filter(
    ([path, { integrity, optional }]) =>
      path !== '' && optional !== true && found[path]?.integrity !== integrity,
  );
  if (missing.length === 0) return;
  say('installing the peers (npm ci in bench/) …');
  // Their install scripts are not needed: keytar's fork and esbuild carry their binaries.
  const child = spawn(
    'npm',
    ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'],
    {
      cwd: HERE,
      stdio: ['ignore', 'ignore', 'inherit'],
      timeout: INSTALL_LIMIT_MS,
      killSignal: 'SIGKILL',
    },
  );
  if ((await closed(child)) !== 0) throw new Stop('"npm ci" in bench/ failed');
}

/** @template T @param {number} ms @param {Promise<T>} work @returns {Promise<T>} */
async function within(ms, work) {
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  const limit = /** @type {Promise<never>} */ (
    new Promise((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`not done within ${ms / 60_000} minutes`)), ms);
    })
  );
  try {
    return await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
  }
}

/** @param {string} name @param {unknown} error @returns {import('./rows/row.mjs').Group} */
function failed(name, error) {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  say(`${name} could not be measured:\n${text}`);
  return {
    rows: [
      {
        id: name,
        title: `${name}: could not be measured`,
        floor: '–',
        bestPeer: '–',
        latchkey: '–',
        toFloor: '–',
        toBestPeer: '–',
        goal: '–',
        verdict: 'wrong',
        note: text.split('\n')[0] ?? '',
        numbers: {},
      },
    ],
  };
}

/** @param {import('../scripts/electron/electron.mjs').ElectronFound} electron @param {boolean} quick @param {number} minutes */
function settingOf(electron, quick, minutes) {
  const manifest = /** @type {{ dependencies: Record<string, string> }} */ (
    JSON.parse(readFileSync(`${HERE}package.json`, 'utf8'))
  );
  const own = /** @type {{ version: string }} */ (
    JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  );
  const peers = [
    '@azure/msal-node',
    '@azure/msal-node-extensions',
    'openid-client',
    'oauth4webapi',
    '@openid/appauth',
    '@itwin/electron-authorization',
    '@better-auth/electron',
  ].map((name) => `${name} ${manifest.dependencies[name]?.split('@').at(-1)}`);
  return {
    date: new Date().toISOString().slice(0, 10),
    quick,
    minutes,
    latchkey: own.version,
    electron: electron.version,
    node: process.versions.node,
    cores: cpus().length,
    platform: `${process.platform} ${process.arch}`,
    peers,
  };
}
