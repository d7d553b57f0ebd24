// The line that a developer sees in the terminal when a sign-in has failed: what was asked of whom,
// what came, and the command that tells more. Pure. Contains no secret and no query of a URL.
import { evidenceOf } from '../core/base/evidence.js';
import type { AuthError } from '../core/base/errors.js';
import type { Settings } from '../core/options/auth-options.js';

/** The scopes that `latchkey doctor` takes unless it is told others. */
const DEFAULT_SCOPES = 'openid profile email offline_access';

/** One line, without the command. */
export function describeFailure(error: AuthError): string {
  const { asked, url, status, member, expected, got } = evidenceOf(error);
  const codes = [error.serverError, error.provider?.code].filter((word) => word !== undefined);
  const came = [
    status === undefined ? '' : `status ${status}`,
    codes.length === 0 ? '' : `error "${codes.join('", "')}"`,
    got === undefined ? (member ?? '') : `${member ?? 'it'} is ${got}, not ${expected ?? 'that'}`,
  ].filter((part) => part !== '');
  const from = [asked === undefined ? '' : `the ${asked}`, url ?? ''].filter((part) => part !== '');
  return [
    `sign-in failed (${error.code}): ${error.message}`,
    ...(from.length === 0 ? [] : [`asked: ${from.join(' ')}`]),
    ...(came.length === 0 ? [] : [`came: ${came.join(', ')}`]),
    error.code === 'sign-in-expired'
      ? 'if the browser showed an error, this command can tell why'
      : 'this command tells more',
  ].join('; ');
}

/** `npx latchkey doctor` with the options of this app, ready to be pasted into a shell. */
export function doctorCommand(settings: Settings, quoting: 'posix' | 'windows'): string {
  const { issuer, clientId, redirects, scopes, endpoints } = settings;
  // The doctor has no flag for the endpoint for device codes, and refuses them without it.
  const askable = redirects.filter(({ kind }) => endpoints === null || kind !== 'device-code');
  const flags = [
    ['--issuer', issuer],
    ['--client-id', clientId],
    ...askable.map(({ uri }) => ['--redirect', uri]),
    ...(scopes.join(' ') === DEFAULT_SCOPES ? [] : [['--scopes', scopes.join(' ')]]),
    ...(endpoints === null
      ? []
      : [
          ['--authorization-endpoint', endpoints.authorization],
          ['--token-endpoint', endpoints.token],
          ...(endpoints.jwks === undefined ? [] : [['--jwks-uri', endpoints.jwks]]),
        ]),
  ];
  const words = flags.map(([flag = '', value = '']) =>
    // A value that begins with a dash would be read as a flag.
    value.startsWith('-')
      ? `${flag}=${quoted(value, quoting)}`
      : `${flag} ${quoted(value, quoting)}`,
  );
  return `npx latchkey doctor ${words.join(' ')}`;
}

/** Options are printable ASCII, so a word needs quotes only for what a shell reads itself. */
function quoted(word: string, quoting: 'posix' | 'windows'): string {
  if (/^[\w@+=:,./-]+$/.test(word)) return word;
  return quoting === 'windows'
    ? `"${word.replaceAll('"', '""')}"`
    : `'${word.replaceAll("'", "'\\''")}'`;
}
