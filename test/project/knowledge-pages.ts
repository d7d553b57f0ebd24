// The parts of docs/errors and docs/providers that are the data of src/advice and src/providers, as
// Markdown.
import { ADVICE } from '../../src/advice/catalog.js';
import type { AdviceEntry, AdviceProvider, AdviceSource } from '../../src/advice/entry.js';
import type { ProviderPreset } from '../../src/main/core/options/provider-preset.js';
import {
  auth0,
  cognito,
  entra,
  github,
  google,
  keycloak,
  oidc,
  okta,
} from '../../src/providers/index.js';
import { table } from './documents.js';

/** One preset of each kind, with arguments as an example has them. */
export const PRESETS: readonly ProviderPreset[] = [
  oidc({ issuer: 'https://login.example.com' }),
  entra({ tenant: 'common' }),
  google(),
  github(),
  auth0({ domain: 'notes.eu.auth0.com' }),
  okta({ domain: 'notes.okta.com' }),
  keycloak({ baseUrl: 'https://id.example.com', realm: 'notes' }),
  cognito({ region: 'eu-central-1', userPoolId: 'eu-central-1_AbCdEfGhI', domain: 'notes' }),
];

/** All entries of one provider, each under a heading that links can name. */
export function advicePage(provider: AdviceProvider): string {
  return ADVICE.filter((entry) => entry.provider === provider)
    .map(adviceSection)
    .join('\n\n');
}

function adviceSection({
  codes,
  title,
  what,
  why,
  fix,
  tempting,
  links,
  source,
}: AdviceEntry): string {
  const [first, ...others] = codes;
  return [
    `## ${first}`,
    `**${title}.**${others.length === 0 ? '' : ` The same holds for ${others.map((code) => `\`${code}\``).join(', ')}.`}`,
    what,
    `*Why:* ${why}`,
    ['*What to do:*', '', ...fix.map((step, index) => `${index + 1}. ${step}`)].join('\n'),
    ...(tempting === undefined ? [] : [`*What does not help:* ${tempting.fix} ${tempting.fails}`]),
    `${links.map(({ title: name, url }) => `[${name}](${url})`).join(' · ')} · ${sourceText(source)}`,
  ]
    .map(escapeAngles)
    .join('\n\n');
}

/** What is known of a provider, and where it was read. */
export function factsTable({ facts }: ProviderPreset): string {
  return table(
    ['about', 'fact', 'read in'],
    facts.map(({ topic, fact, source, date, verified }) => [
      topic,
      escapeAngles(fact),
      `[${date}](${source})${verified ? '' : ', **not verified**'}`,
    ]),
  );
}

/** What createAuth refuses or warns of with this preset. */
export function rulesTable({ preflight }: ProviderPreset): string {
  return table(
    ['option', 'what', 'why', 'what to do'],
    preflight.map(({ option, verdict, problem, fix }) => [
      `\`${option}\``,
      verdict === 'refuse' ? 'refused' : 'warning',
      escapeAngles(problem),
      escapeAngles(fix),
    ]),
  );
}

function sourceText({ url, date, verified }: AdviceSource): string {
  return verified
    ? `read in [its source](${url}) (${date})`
    : `**not verified**; to be checked in [this page](${url})`;
}

// Outside of backquotes "<…>" would be taken for HTML and vanish.
function escapeAngles(text: string): string {
  return text
    .split('`')
    .map((part, index) => (index % 2 === 0 ? part.replaceAll('<', '&lt;') : part))
    .join('`');
}
