// @ts-check
// The demo's flags: `--flag value` and `--flag=value`, some of them more than once. Unknown ones
// are refused here, so that a typing mistake does not start the wrong demo. The app itself gets
// them as `--flag=value` only.
import { Stop } from '../shared/say.mjs';

const WITH_VALUE = [
  'issuer',
  'client-id',
  'redirect',
  'logout-redirect',
  'scopes',
  'user-data-dir',
  'authorization-endpoint',
  'token-endpoint',
  'userinfo-endpoint',
  'jwks-uri',
  'revocation-endpoint',
  'device-authorization-endpoint',
];
const SWITCHES = [
  'print-views',
  'sign-in',
  'diagnose',
  'unregister-schemes',
  'several-accounts',
  'help',
];

export const USAGE = `npm run demo -- [flags]

  --issuer URL                  the provider; without it an embedded one is started
  --client-id ID                the id of a public native client there
  --redirect URI                repeatable or comma separated, best first; also device-code and paste:URI
                                (com.example.latchkey-demo:/callback, http://127.0.0.1/callback, device-code)
  --logout-redirect URI         the redirect that is registered for the logout, too
  --scopes "SCOPES"             default: openid profile email offline_access
  --authorization-endpoint URL  with --token-endpoint: for a provider without discovery; also
                                --userinfo-endpoint, --jwks-uri, --revocation-endpoint,
                                --device-authorization-endpoint
  --several-accounts            who signs in joins those who are signed in
  --sign-in                     starts an attempt at once
  --print-views                 writes every view as one JSON line to stdout
  --diagnose                    writes a support bundle as one JSON line to stdout
  --unregister-schemes          gives the scheme back, as an uninstaller does, and ends
  --user-data-dir DIR           separates instances
`;

/**
 * @typedef {{
 *   help: boolean,
 *   has: (name: string) => boolean,
 *   all: (name: string) => string[],
 *   add: (name: string, value: string) => void,
 *   entries: () => [string, string | true][],
 * }} DemoFlags
 */

/**
 * @param {readonly string[]} words
 * @returns {DemoFlags}
 */
export function parseDemoFlags(words) {
  /** @type {[string, string | true][]} */
  const entries = [];
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? '';
    const match = /^--([a-z-]+)(?:=(.*))?$/s.exec(word);
    const name = match?.[1] ?? '';
    if (SWITCHES.includes(name) && match?.[2] === undefined) {
      entries.push([name, true]);
    } else if (WITH_VALUE.includes(name)) {
      let value = match?.[2];
      if (value === undefined) {
        at += 1;
        value = words[at];
      }
      if (
        value === undefined ||
        value === '' ||
        (match?.[2] === undefined && value.startsWith('--'))
      )
        throw new Stop(`the flag "--${name}" needs a value\n\n${USAGE}`);
      for (const one of name === 'redirect' ? value.split(',') : [value])
        if (one !== '') entries.push([name, one.trim()]);
    } else {
      throw new Stop(`"${word}" is not a flag of the demo\n\n${USAGE}`);
    }
  }
  return {
    help: entries.some(([name]) => name === 'help'),
    has: (name) => entries.some(([one]) => one === name),
    all: (name) =>
      entries.flatMap(([one, value]) => (one === name && value !== true ? [value] : [])),
    add: (name, value) => {
      entries.push([name, value]);
    },
    entries: () => entries,
  };
}

/**
 * What of the redirects is registered at a provider: a device code is not, and of a page to copy
 * from its address is.
 * @param {readonly string[]} redirects
 * @returns {string[]}
 */
export function toRedirectUris(redirects) {
  return redirects
    .filter((redirect) => redirect !== 'device-code')
    .map((redirect) => redirect.replace(/^paste:/, ''));
}

/**
 * @param {DemoFlags} flags
 * @returns {string[]}
 */
export function toAppFlags(flags) {
  return flags
    .entries()
    .map(([name, value]) => (value === true ? `--${name}` : `--${name}=${value}`));
}
