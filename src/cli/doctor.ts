// `latchkey doctor`: checks everything that a sign-in needs on this computer and at this provider,
// without an app. Exit code: 0 all is well, 1 warnings only, 2 an error, 64 wrong options, 73 the
// bundle cannot be written.
import { readFile, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { parseArgs } from 'node:util';
import { createClock } from '../main/adapters/clock.js';
import { type Diagnosis, diagnose } from '../main/diagnosis/diagnosis.js';
import { AuthError } from '../main/core/base/errors.js';
import { oneLine } from '../main/diagnosis/findings.js';
import { LIMITS } from '../main/core/base/limits.js';
import { parseOptions } from '../main/core/options/options.js';
import type { AuthOptions } from '../main/core/options/auth-options.js';
import { type BundledEvent, makeSupportBundle } from '../main/diagnosis/support-bundle.js';
import { providerOf } from '../advice/catalog.js';
import type { ProviderPreset } from '../main/core/options/provider-preset.js';
import { entra } from '../providers/entra.js';
import { EXIT, type Io } from './latchkey.js';
import { type PlainSourcesOptions, createPlainSources } from './plain-sources.js';
import { formatDiagnosis } from './report.js';

const USAGE = `latchkey doctor --issuer URL [options]

  --issuer URL       the issuer, as in the option of createAuth
  --client-id ID     with --redirect: the doctor asks the provider whether it accepts both
  --redirect URI     may be repeated, best first
  --scopes "SCOPES"  default: openid profile email offline_access
  --authorization-endpoint URL, --token-endpoint URL, --jwks-uri URL
                     for a provider that publishes no metadata
  --program FILE     the executable that should own the scheme
  --timeout SECONDS  the time limit of one request; default 15
  --json             prints the diagnosis as JSON, for programs
  --bundle FILE      also writes a redacted support bundle
  --events FILE      log events for the bundle: one JSON object per line, as onLog received them

Exit code: 0 all is well, 1 warnings only, 2 at least one error, 64 wrong options, 73 the bundle cannot be written.
`;

const FLAGS = {
  issuer: { type: 'string' },
  'client-id': { type: 'string' },
  redirect: { type: 'string', multiple: true },
  scopes: { type: 'string' },
  'authorization-endpoint': { type: 'string' },
  'token-endpoint': { type: 'string' },
  'jwks-uri': { type: 'string' },
  program: { type: 'string' },
  timeout: { type: 'string' },
  json: { type: 'boolean' },
  bundle: { type: 'string' },
  events: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

const EVENTS_MAX_BYTES = 16_777_216;

type Values = ReturnType<typeof parseArgs<{ options: typeof FLAGS }>>['values'];

/** `surroundings`: a test replaces parts of this process. */
export async function run(
  args: readonly string[],
  io: Pick<Io, 'out' | 'err'> & Partial<Io>,
  surroundings: Partial<PlainSourcesOptions> = {},
): Promise<number> {
  let values: Values;
  try {
    values = parseArgs({
      args: [...args],
      options: FLAGS,
      strict: true,
      allowPositionals: false,
    }).values;
  } catch (thrown) {
    return refuse(io, thrown instanceof Error ? (thrown.message.split('. ', 1)[0] ?? '') : '');
  }
  if (values.help === true) {
    io.out(USAGE);
    return EXIT.ok;
  }
  if (values.issuer === undefined) return refuse(io, 'the option "--issuer" is missing');
  const options = readOptions(values, values.issuer);
  const knowsRegistration = values['client-id'] !== undefined && values.redirect !== undefined;
  let settings;
  try {
    settings = parseOptions(options);
  } catch (thrown) {
    if (thrown instanceof AuthError) return refuse(io, thrown.message);
    throw thrown;
  }
  settings = { ...settings, provider: entraOfMany(settings.issuer) };
  const clock = createClock();
  const sources = createPlainSources({
    env: process.env,
    timeoutMs: settings.networkTimeoutSeconds * 1000,
    program: values.program ?? null,
    ...surroundings,
  });
  const diagnosis = await diagnose(
    values.redirect === undefined ? { ...settings, redirects: [] } : settings,
    sources,
    clock,
    { registration: knowsRegistration },
  );
  if (values.json === true) io.out(`${JSON.stringify(diagnosis, null, 2)}\n`);
  else
    io.out(
      `latchkey doctor: ${settings.issuer}\n\n${formatDiagnosis(diagnosis, io.color === true)}`,
    );
  if (
    values.bundle !== undefined &&
    !(await writeBundle(values.bundle, values.events, { now: clock.now(), options, diagnosis }, io))
  )
    return EXIT.cannotWrite;
  return exitCode(diagnosis);
}

/** Where one address of Entra serves many tenants, its metadata names another issuer. */
export function entraOfMany(issuer: string): ProviderPreset | null {
  const [, host, tenant] = /^https:\/\/([^/]+)\/([^/]+)\/v2\.0$/.exec(issuer) ?? [];
  if (host === undefined || tenant === undefined || providerOf(issuer) !== 'entra') return null;
  return entra({ tenant, host });
}

/** False when the bundle cannot be written, or the app's events not be read. */
async function writeBundle(
  path: string,
  eventsPath: string | undefined,
  known: Pick<Parameters<typeof makeSupportBundle>[0], 'now' | 'options' | 'diagnosis'>,
  io: Pick<Io, 'err'>,
): Promise<boolean> {
  try {
    const events = eventsPath === undefined ? [] : readEvents(await readFile(eventsPath, 'utf8'));
    const bundle = makeSupportBundle({ ...known, view: null, events, homeFolder: homedir() }, {});
    await writeFile(path, `${JSON.stringify(bundle, null, 2)}\n`, { mode: 0o600 });
  } catch (thrown) {
    io.err(
      `latchkey doctor: the bundle cannot be written, or the events not be read (${(thrown as NodeJS.ErrnoException).code ?? 'no code'})\n`,
    );
    return false;
  }
  io.err(
    'latchkey doctor: wrote the support bundle. It contains no secret. Read it before you send it.\n',
  );
  return true;
}

function exitCode({ level }: Diagnosis): number {
  return level === 'ok' ? EXIT.ok : level === 'warning' ? EXIT.warnings : EXIT.errors;
}

function refuse(io: Pick<Io, 'err'>, message: string): number {
  io.err(`latchkey doctor: ${message}\n\n${USAGE}`);
  return EXIT.usage;
}

function readOptions(values: Values, issuer: string): AuthOptions {
  const {
    'authorization-endpoint': authorization,
    'token-endpoint': token,
    'jwks-uri': jwks,
  } = values;
  const byHand = authorization !== undefined || token !== undefined;
  return {
    issuer,
    // Placeholders pass the check. Without the flags, the doctor does not ask the provider about
    // them.
    clientId: values['client-id'] ?? 'not-given',
    redirects: values.redirect ?? ['http://127.0.0.1/'],
    ...(values.scopes === undefined
      ? {}
      : { scopes: values.scopes.split(/[\s,]+/).filter((scope) => scope !== '') }),
    ...(byHand
      ? {
          endpoints: {
            authorization: authorization ?? '',
            token: token ?? '',
            ...(jwks === undefined ? {} : { jwks }),
          },
        }
      : {}),
    ...(values.timeout === undefined ? {} : { networkTimeoutSeconds: Number(values.timeout) }),
  };
}

/**
 * Events from a file that somebody else wrote. Leaves out what does not look like an event, and
 * keeps only the last ones.
 */
export function readEvents(text: string): readonly BundledEvent[] {
  if (text.length > EVENTS_MAX_BYTES) return [];
  return text.split('\n').flatMap(readEvent).slice(-LIMITS.recentEvents);
}

function readEvent(line: string): readonly BundledEvent[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch {
    return [];
  }
  if (typeof parsed !== 'object' || parsed === null) return [];
  const { level, event, fields, at, correlationId } = parsed as Record<string, unknown>;
  const knownLevel = (['debug', 'info', 'warn', 'error'] as const).find((one) => one === level);
  if (
    knownLevel === undefined ||
    typeof event !== 'string' ||
    !/^[a-z][a-z0-9-]{0,63}$/.test(event)
  )
    return [];
  const scalars = Object.entries(
    typeof fields === 'object' && fields !== null ? fields : {},
  ).flatMap(
    ([name, value]: [string, unknown]): readonly (readonly [
      string,
      string | number | boolean | null,
    ])[] => {
      const key = name.slice(0, 64);
      if (typeof value === 'string') return [[key, oneLine(value)]];
      return typeof value === 'number' || typeof value === 'boolean' || value === null
        ? [[key, value]]
        : [];
    },
  );
  return [
    {
      level: knownLevel,
      event,
      fields: Object.fromEntries(scalars),
      at: typeof at === 'number' ? at : 0,
      correlationId: typeof correlationId === 'string' ? oneLine(correlationId) : null,
    },
  ];
}
