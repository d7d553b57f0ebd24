// @ts-check
// What a fleet of apps does to its provider: an outage of 30 minutes, and a cold Monday morning.
// Latchkey's real renewal policy from dist/ beside what apps do without it, on a simulated clock:
// the numbers are the same on every machine.
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import {
  atExpiryThenEvery,
  byCall,
  byTimer,
  byWallClock,
  changed,
  differencesFromMachine,
  latchkey,
  neverAgain,
} from './fleet-policies.mjs';
import {
  cellAt,
  outageProvider,
  percentile,
  queueingProvider,
  sheddingProvider,
  simulate,
} from './fleet-simulation.mjs';

/** @typedef {import('./fleet-simulation.mjs').Policy} Policy */
/** @typedef {import('./fleet-simulation.mjs').Provider} Provider */
/** @typedef {import('./fleet-simulation.mjs').Plan} Plan */
/** @typedef {{ scenario: string, policy: string, reference: boolean, everyday: number | null, peak: number, p99: number, peakAfter: number | null, peakLater: number | null, waiting: number, waitMedian: number, waitP99: number, waitInUseP99: number, allBackSeconds: number | null, left: number, without: number }} Row */

const MINUTE = 60_000;
const USAGE = `node bench/fleet.mjs [--quick] [--clients N] [--json] [--seed N] [--renew-early SECONDS] [--life SECONDS] [--scenario WORDS] [--variants] [--dist FOLDER]

  --quick         100,000 clients instead of 1,000,000
  --json          rows and assumptions as JSON
  --renew-early   the option renewEarlySeconds, 300 when not given
  --life          seconds an access token lives, 3600 when not given
  --scenario      only those whose name begins with these words
  --variants      also what other limits would do
  --dist          where the built product is, ../dist when not given
`;

const args = parse();

function parse() {
  try {
    return parseArgs({
      options: {
        quick: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
        clients: { type: 'string' },
        seed: { type: 'string', default: '20260105' },
        'renew-early': { type: 'string', default: '300' },
        life: { type: 'string', default: '3600' },
        scenario: { type: 'string', default: '' },
        variants: { type: 'boolean', default: false },
        dist: { type: 'string' },
      },
    }).values;
  } catch (error) {
    return fail(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
  }
}

/** @param {string} text @param {string} name @param {number} min */
function whole(text, name, min) {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < min)
    fail(`--${name} must be a whole number of at least ${min}`);
  return number;
}

/** @param {string} message @returns {never} */
function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

if (args.help) {
  process.stdout.write(USAGE);
  process.exit(0);
}

const dist = resolve(args.dist ?? fileURLToPath(new URL('../dist', import.meta.url)));
/** @param {string} name @returns {Promise<unknown>} */
const core = (name) => {
  const path = resolve(dist, 'main', 'core', `${name}.js`);
  if (!existsSync(path)) fail('dist/ is missing: first "npm run build"');
  return import(pathToFileURL(path).href);
};
const renewal = /** @type {import('./fleet-policies.mjs').Renewal} */ (await core('renewal'));
const session = /** @type {import('./fleet-policies.mjs').Session} */ ({
  .../** @type {object} */ (await core('session')),
  .../** @type {object} */ (await core('session-answers')),
});
const errors = /** @type {import('./fleet-policies.mjs').Errors} */ (await core('errors'));
if (typeof renewal.hurryAt !== 'function') fail('dist/ is older than src/: first "npm run build"');

const clients =
  args.clients === undefined
    ? args.quick
      ? 100_000
      : 1_000_000
    : whole(args.clients, 'clients', 1);
const seed = whole(args.seed, 'seed', 0);
const renewEarlySeconds = whole(args['renew-early'], 'renew-early', 0);
const lifeMs = whole(args.life, 'life', 1) * 1000;

const EVERY_MS = 30_000;
const CALL_EVERY_MS = 30_000;
const TIMEOUT_MS = 15_000;
const IN_USE = 0.25;
/** Of a provider that is just large enough: twice the everyday load of tokens of an hour. */
const CAPACITY = Math.max(1, Math.round((2 * clients) / 3600));
const OUTAGE = { from: 30 * MINUTE, to: 60 * MINUTE };
const AFTER_MS = 120 * MINUTE;
const BELL_MS = 7.5 * MINUTE;
const MONDAY_MS = 80 * MINUTE;
const GOAL = 50;

const reference = atExpiryThenEvery(EVERY_MS);
const floor = neverAgain(renewal, renewEarlySeconds);
/** @param {string} name */
const ours = (name, policy = renewal) =>
  latchkey(policy, { name, renewEarlySeconds, callEveryMs: CALL_EVERY_MS });

/**
 * Somewhere in its cycle, as clients are that signed in at random times of the past hours. @type
 * {Plan['begin']}
 */
const midCycle = (_index, random, policy, inUse) => {
  const cycle = policy.renew(0, lifeMs, inUse, random);
  if (cycle === Infinity) return { at: Infinity, expiresAt: Infinity };
  const at = random() * cycle;
  return { at, expiresAt: at - cycle + lifeMs };
};

/**
 * A bell around the 30th minute, cut at 20 minutes on each side; the token of Friday has expired.
 * @type {Plan['begin']}
 */
const coldStart = (_index, random) => {
  for (;;) {
    const offset =
      Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()) * BELL_MS;
    if (Math.abs(offset) < 20 * MINUTE)
      return { at: 30 * MINUTE + offset, expiresAt: 30 * MINUTE + offset };
  }
};

/** @type {readonly (readonly [Policy, number])[]} */
const OURS = [
  [ours('Latchkey, a quarter of the apps in use'), IN_USE],
  [ours('Latchkey, all apps idle'), 0],
  [ours('Latchkey, all apps in use'), 1],
];
/** @type {readonly (readonly [Policy, number])[]} */
const PAIR = [
  [ours('Latchkey, a quarter of the apps in use'), IN_USE],
  [reference, IN_USE],
];

/** @type {readonly { name: string, provider: () => Provider, monday: boolean, policies: readonly (readonly [Policy, number])[] }[]} */
const EVERY_SCENARIO = [
  {
    name: 'Outage: the provider answers 503, everything served afterwards',
    monday: false,
    provider: () => outageProvider(OUTAGE),
    policies: [
      ...OURS,
      [reference, IN_USE],
      [byTimer(EVERY_MS), IN_USE],
      [byWallClock(EVERY_MS), IN_USE],
      [byCall(CALL_EVERY_MS), IN_USE],
      [floor, 0],
    ],
  },
  {
    name: 'Outage: 503 with Retry-After: 600',
    monday: false,
    provider: () => outageProvider({ ...OUTAGE, retryAfterSeconds: 600 }),
    policies: PAIR,
  },
  {
    name: `Outage: 503, afterwards ${CAPACITY} a second, the rest refused`,
    monday: false,
    provider: () => outageProvider({ ...OUTAGE, perSecond: CAPACITY }),
    policies: PAIR,
  },
  {
    name: 'Outage: out of reach, connections fail at once',
    monday: false,
    provider: () => outageProvider({ ...OUTAGE, failure: 'network-failed' }),
    policies: [...OURS, [reference, IN_USE]],
  },
  {
    name: 'Outage: no answer, each try times out after 15 s',
    monday: false,
    provider: () => outageProvider({ ...OUTAGE, failure: 'network-timeout', tookMs: TIMEOUT_MS }),
    policies: [...OURS, [reference, IN_USE]],
  },
  {
    name: `Monday: ${CAPACITY} a second, the rest refused`,
    monday: true,
    provider: () => sheddingProvider({ perSecond: CAPACITY }),
    policies: [
      [ours('Latchkey'), 1],
      [reference, 1],
    ],
  },
  {
    name: `Monday: ${CAPACITY} a second, the rest 429 with Retry-After: 60`,
    monday: true,
    provider: () => sheddingProvider({ perSecond: CAPACITY, retryAfterSeconds: 60 }),
    policies: [
      [ours('Latchkey'), 1],
      [reference, 1],
    ],
  },
  {
    name: `Monday: ${CAPACITY} a second in one line of up to 60 s, clients leave after 15 s`,
    monday: true,
    provider: () =>
      queueingProvider({ perSecond: CAPACITY, timeoutMs: TIMEOUT_MS, lineSeconds: 60 }),
    policies: [
      [ours('Latchkey'), 1],
      [reference, 1],
    ],
  },
  ...(args.variants ? variants() : []),
];
const SCENARIOS = EVERY_SCENARIO.filter(({ name }) => name.startsWith(args.scenario));
if (SCENARIOS.length === 0)
  fail(
    `no scenario begins with "${args.scenario}"; there are:\n${EVERY_SCENARIO.map(({ name }) => name).join('\n')}`,
  );

function variants() {
  const quarter = changed(renewal, { hurryShare: 0.25 });
  const hour = 60 * MINUTE;
  /** @type {readonly (readonly [Policy, number])[]} */
  const policies = [
    [ours('callers wait a quarter of a pause, however long', quarter), IN_USE],
    [
      ours('callers wait half of a pause, however long', changed(renewal, { hurryShare: 0.5 })),
      IN_USE,
    ],
    [
      ours(
        'idle apps, no early second try',
        changed(renewal, { capMs: 20 * MINUTE, earlySecondTry: false }),
      ),
      0,
    ],
    [ours('idle apps, pauses of up to an hour', changed(renewal, { capMs: hour })), 0],
    [
      ours(
        'idle apps, pauses of up to four hours, no early second try',
        changed(renewal, { capMs: 4 * hour, earlySecondTry: false }),
      ),
      0,
    ],
    [reference, IN_USE],
  ];
  return [
    {
      name: 'Variants: the provider answers 503, everything served afterwards',
      monday: false,
      provider: () => outageProvider(OUTAGE),
      policies,
    },
  ];
}

const ASSUMPTIONS = [
  `${clients.toLocaleString('en')} clients, one account each; seed ${seed}; simulated clock, so equal on every machine`,
  `access tokens live ${lifeMs / 1000} s; renewEarlySeconds ${renewEarlySeconds}; refresh tokens outlive everything here`,
  "a request counts when it reaches the provider's door, served or not; one request is one POST to the token endpoint",
  'the outage lasts from minute 30 to minute 60; before it the fleet is in its everyday rhythm, renewals spread evenly',
  `an app in use asks for a token every ${CALL_EVERY_MS / 1000} s on average, by chance; an idle app never; nobody clicks "try again"`,
  'out of reach means the provider alone: the network of the clients is fine, so nothing wakes them when it is back',
  'every app stays open; none is started, woken or closed during the outage, and no network but the provider fails',
  'the others have one request in flight and none of their own faults: no second window, no burst of callers, Retry-After ignored',
  `Monday: all apps start around 9:00, 95 % of them within 30 minutes, all with an expired token, all in use; the provider serves ${CAPACITY} a second; the watch ends at 9:50`,
  'refusing costs the provider nothing; in the line it serves also those who have gone',
  `peak: the fullest single second from the start of the outage to ${AFTER_MS / MINUTE} minutes after it, or of the whole Monday; p99: of the same seconds`,
  "waiting: from the end of the outage (or the start of the app) until there is a token, of clients that had no valid one; each client's first wait only",
];

/** @returns {Row[]} */
function runAll() {
  /** @type {Row[]} */
  const rows = [];
  for (const { name, provider, monday, policies } of SCENARIOS) {
    for (const [policy, inUseShare] of policies) {
      const untilMs = monday ? MONDAY_MS : OUTAGE.to + AFTER_MS;
      const result = simulate(
        {
          clients,
          seed,
          untilMs,
          lifeMs,
          inUseShare,
          begin: monday ? coldStart : midCycle,
          waitFromMs: monday ? 0 : OUTAGE.to,
        },
        policy,
        provider(),
      );
      const seconds = result.perSecond;
      const counted = monday
        ? seconds.subarray((10 * MINUTE) / 1000)
        : seconds.subarray(OUTAGE.from / 1000);
      const calm = seconds.subarray(0, OUTAGE.from / 1000);
      rows.push({
        scenario: name,
        policy: policy.name,
        reference: policy === reference,
        everyday: monday ? null : calm.reduce((sum, count) => sum + count, 0) / calm.length,
        peak: percentile(counted, 1),
        p99: percentile(counted, 0.99),
        peakAfter: monday ? null : percentile(seconds.subarray(OUTAGE.to / 1000), 1),
        peakLater: monday ? null : percentile(seconds.subarray(OUTAGE.to / 1000 + 2400), 1),
        waiting: result.left + result.waited.reduce((sum, count) => sum + count, 0),
        waitMedian: cellAt(result.waited, 0.5, result.left),
        waitP99: cellAt(result.waited, 0.99, result.left),
        waitInUseP99: cellAt(result.waitedInUse, 0.99, result.leftInUse),
        allBackSeconds:
          result.allBackAt < 0
            ? null
            : Math.round((result.allBackAt - (monday ? 30 * MINUTE : OUTAGE.to)) / 1000),
        left: result.left,
        without: result.without,
      });
    }
  }
  return rows;
}

/** @param {number} seconds */
const duration = (seconds) =>
  seconds === Infinity
    ? 'never'
    : seconds < 120
      ? `${seconds} s`
      : `${(seconds / 60).toFixed(0)} min`;

/** @param {readonly Row[]} rows */
function print(rows) {
  const out = [];
  for (const { name, monday } of SCENARIOS) {
    const own = rows.filter(({ scenario }) => scenario === name);
    const peak = own.find((row) => row.reference)?.peak ?? 0;
    out.push('', `### ${name}`, '');
    out.push(
      `| policy | peak req/s | p99 req/s | peak, to the reference | ${monday ? '' : 'peak 40 min later and on | '}clients waiting | waiting, median | waiting, p99 | ${monday ? '' : 'waiting, p99 in use | '}last one back | without a token at the end |`,
    );
    out.push(
      `| --- | --: | --: | --: | ${monday ? '' : '--: | '}--: | --: | --: | ${monday ? '' : '--: | '}--: | --: |`,
    );
    for (const row of own) {
      const ratio = row.reference
        ? 'reference'
        : row.peak <= peak
          ? `1/${(peak / row.peak).toFixed(1)}`
          : `${(row.peak / peak).toFixed(1)} ×`;
      const cells = [
        row.policy,
        row.peak.toLocaleString('en'),
        row.p99.toLocaleString('en'),
        ratio,
        ...(monday ? [] : [(row.peakLater ?? 0).toLocaleString('en')]),
        row.waiting.toLocaleString('en'),
        duration(row.waitMedian),
        duration(row.waitP99),
        ...(monday ? [] : [duration(row.waitInUseP99)]),
        row.allBackSeconds === null ? 'never' : duration(row.allBackSeconds),
        row.without.toLocaleString('en'),
      ];
      out.push(`| ${cells.join(' | ')} |`);
    }
  }
  process.stdout.write(`${out.join('\n')}\n`);
}

const startedAt = Date.now();
const differences = differencesFromMachine(renewal, session, errors);
if (!args.json)
  process.stdout.write(`Assumptions\n${ASSUMPTIONS.map((line) => `- ${line}`).join('\n')}\n`);
const rows = runAll();
const first = rows[0];
const referencePeak = rows.find((row) => row.reference)?.peak ?? 0;
const ratio = first === undefined ? 0 : referencePeak / first.peak;
const floorPeak = rows.find((row) => row.policy === floor.name)?.peak ?? 0;
const everyday = first?.everyday ?? 0;

if (args.json) {
  process.stdout.write(
    `${JSON.stringify({ assumptions: ASSUMPTIONS, clients, seed, goal: { wanted: GOAL, reached: ratio, everyday, floorPeak }, differences, rows }, null, 2)}\n`,
  );
} else {
  print(rows);
  const verdict = ratio >= GOAL ? 'reached' : 'falls short';
  // The goal is about the first scenario, which alone has the floor.
  const goal =
    `\nGoal: peak ≤ 1/${GOAL} of "${reference.name}": ${verdict}, 1/${ratio.toFixed(1)}.` +
    `\nThe floor: everyday load is ${everyday.toFixed(0)} req/s; a fleet that never tries again peaks at ${floorPeak} req/s, 1/${(referencePeak / floorPeak).toFixed(1)}.`;
  process.stdout.write(
    `${floorPeak > 0 ? goal : ''}\n${differences.length === 0 ? 'The session machine of dist/ comes when the simulated client comes.' : `The session machine of dist/ DIFFERS from what was simulated:\n${differences.map((line) => `- ${line}`).join('\n')}`}\n`,
  );
  process.stderr.write(
    `${((Date.now() - startedAt) / 1000).toFixed(1)} s, ${Math.round(process.resourceUsage().maxRSS / 1024)} MB at most\n`,
  );
}
process.exitCode = differences.length === 0 ? 0 : 1;
