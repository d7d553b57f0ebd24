// `latchkey provider`: starts the embedded provider on a developer's computer, says how to try it,
// and shows its requests, without a secret. Plain Node. Starting a provider needs the optional
// packages of latchkey/testing; listing the options needs none.
import { parseArgs } from 'node:util';
import { missingPackage } from './latchkey.js';
import { personalityFacts } from '../testing/personalities/personalities.js';
import { isPersonalityName, PERSONALITY_NAMES } from '../testing/server/provider-options.js';
import type {
  PersonalityName,
  Platform,
  Provider,
  ProviderOptions,
  RegisteredRedirect,
  RequestRecord,
} from '../testing/index.js';

/** Where the command writes. `signal` ends it; without one, Ctrl-C does. */
export interface ProviderIo {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly signal?: AbortSignal;
}

const FLAGS = {
  personality: { type: 'string' },
  port: { type: 'string' },
  https: { type: 'boolean' },
  'client-id': { type: 'string' },
  'client-secret': { type: 'string' },
  redirect: { type: 'string', multiple: true },
  'redirect-spa': { type: 'string', multiple: true },
  'redirect-web': { type: 'string', multiple: true },
  scope: { type: 'string', multiple: true },
  'access-token-seconds': { type: 'string' },
  tenant: { type: 'string' },
  rules: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

const USAGE = `latchkey provider [options]

Starts a sign-in provider on this computer, for tests only: any name and any password sign in.

  --personality NAME         ${PERSONALITY_NAMES.join(', ')}; default strict
  --port N                   default: a free one
  --https                    with its own certificate, which it prints
  --client-id ID             default latchkey-demo
  --client-secret SECRET     for personalities that require one: google, github
  --redirect URI             registered for a native app; may be repeated
  --redirect-spa URI         entra: registered as "Single-page application"
  --redirect-web URI         entra: registered as "Web"
  --scope SCOPE              a scope in addition to the standard ones; may be repeated
  --access-token-seconds N   default 300
  --tenant NAME              entra: the tenant id; keycloak: the realm
  --rules                    prints the rules of the personality, with sources, and exits
  -h, --help

Ctrl-C ends it. Exit code: 0 ended, 1 it cannot start, 64 wrong options,
69 packages are missing.
`;

const EXIT = { ok: 0, failed: 1, usage: 64, missing: 69 } as const;

/** Runs until Ctrl-C or the signal. Resolves with the exit code; never rejects. */
export async function run(args: readonly string[], io: ProviderIo): Promise<number> {
  let parsed: Parsed;
  try {
    parsed = parseArgs({ args: [...args], options: FLAGS, strict: true }).values;
  } catch {
    io.err(`latchkey provider: an option is unknown or has no value\n\n${USAGE}`);
    return EXIT.usage;
  }
  if (parsed.help === true) {
    io.out(USAGE);
    return EXIT.ok;
  }
  if (parsed.rules === true) return tellRules(parsed.personality ?? 'strict', io);

  let provider: Provider;
  try {
    const { startProvider } = await import('../testing/index.js');
    provider = await startProvider(optionsOf(parsed));
  } catch (thrown) {
    if (missingPackage(thrown) !== null) {
      io.err(
        'latchkey provider: needs packages that are not installed: npm install --save-dev oidc-provider jose\n',
      );
      return EXIT.missing;
    }
    // The message names options and packages, never a value.
    io.err(`latchkey provider: ${thrown instanceof Error ? thrown.message : 'cannot start'}\n`);
    return thrown instanceof TypeError ? EXIT.usage : EXIT.failed;
  }
  io.out(introduce(provider));
  const stopTelling = provider.onRequest((request) => io.out(`${lineOf(request)}\n`));
  await untilEnded(io.signal);
  stopTelling();
  await provider.stop();
  io.out('ended\n');
  return EXIT.ok;
}

type Parsed = ReturnType<
  typeof parseArgs<{ options: typeof FLAGS; args: string[]; strict: true }>
>['values'];

function optionsOf(parsed: Parsed): ProviderOptions {
  const redirectUris = [
    ...registered(parsed.redirect, 'native'),
    ...registered(parsed['redirect-spa'], 'spa'),
    ...registered(parsed['redirect-web'], 'web'),
  ];
  const given = {
    personality: parsed.personality,
    port: numberOf(parsed.port),
    https: parsed.https,
    clientId: parsed['client-id'],
    clientSecret: parsed['client-secret'],
    redirectUris: redirectUris.length === 0 ? undefined : redirectUris,
    scopes: parsed.scope,
    accessTokenSeconds: numberOf(parsed['access-token-seconds']),
    tenant: parsed.tenant,
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

function registered(
  uris: readonly string[] | undefined,
  platform: Platform,
): readonly RegisteredRedirect[] {
  return (uris ?? []).map((uri) => ({ uri, platform }));
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

function tellRules(name: string, io: ProviderIo): number {
  if (!isPersonalityName(name)) {
    io.err(
      `latchkey provider: option "personality" must be one of ${PERSONALITY_NAMES.join(', ')}\n`,
    );
    return EXIT.usage;
  }
  io.out(
    `${name}\n\n${personalityFacts(name)
      .map(({ fact, source }) => `- ${fact}\n  (${source})\n`)
      .join('')}`,
  );
  return EXIT.ok;
}

/**
 * Further options for createAuth. For the real providers, the presets of latchkey/providers set
 * them.
 */
const WANTS: Readonly<Partial<Record<PersonalityName, readonly string[]>>> = {
  google: [
    "scopes: ['openid', 'profile', 'email']",
    "authorizationParameters: { access_type: 'offline', prompt: 'consent' }",
  ],
  github: ["scopes: ['read:user']"],
};

/** What a person needs to try the provider. A test's client secret is not secret. */
function introduce(provider: Provider): string {
  const { personality, issuer, clientId, clientSecret, redirectUris, certificate } = provider;
  const redirects = redirectUris.map((uri) => `'${uri}'`).join(', ');
  const wants = [
    ...(clientSecret === null ? [] : [`clientSecret: '${clientSecret}'`]),
    ...(WANTS[personality] ?? []),
  ]
    .map((line) => `\n  ${line},`)
    .join('');
  return [
    `A sign-in provider that behaves like "${personality}"`,
    '',
    `  issuer      ${issuer}`,
    `  client id   ${clientId}`,
    ...(clientSecret === null ? [] : [`  secret      ${clientSecret}`]),
    `  redirects   ${redirectUris.join('\n              ')}`,
    '  people      ada, grace, or any name; any password works',
    '',
    'In the main process of your app:',
    '',
    `createAuth({\n  issuer: '${issuer}',\n  clientId: '${clientId}',\n  redirects: [${redirects}],${wants}\n});`,
    '',
    ...(certificate === null
      ? []
      : ['Trust this certificate (NODE_EXTRA_CA_CERTS=file):', '', certificate]),
    `latchkey provider --rules --personality ${personality} lists its rules, with sources.`,
    'Ctrl-C ends it. Requests:',
    '',
    '',
  ].join('\n');
}

/** One line about a request: names and words, never a received value. */
function lineOf({
  at,
  method,
  path,
  status,
  grantType,
  origin,
  error,
  faults,
}: RequestRecord): string {
  const about = [
    grantType === null || !/^[\w:.-]{1,80}$/.test(grantType) ? [] : [grantType],
    origin === null ? [] : ['with Origin'],
    error === null ? [] : [error],
    faults.map((kind) => `fault ${kind}`),
  ].flat();
  const printable = path.replace(/[^\x21-\x7e]/g, '?').slice(0, 80);
  return `${new Date(at).toTimeString().slice(0, 8)}  ${String(status ?? '---')}  ${method.padEnd(4)} ${printable}${about.length === 0 ? '' : `  ${about.join(', ')}`}`;
}

function untilEnded(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (signal !== undefined) {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), { once: true });
      return;
    }
    const end = (): void => {
      for (const name of ['SIGINT', 'SIGTERM'] as const) process.off(name, end);
      resolve();
    };
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, end);
  });
}
