// GitHub's errors, which come in JSON with words of their own. Data only.
// Words that are not GitHub's alone (access_denied, slow_down …) stand with the standards.
import { type AdviceEntry, type AdviceSource, notReadIn, readIn } from './entry.js';

const TOKEN_ERRORS =
  'https://docs.github.com/en/apps/oauth-apps/maintaining-oauth-apps/troubleshooting-oauth-app-access-token-request-errors';
const AUTHORIZATION_ERRORS =
  'https://docs.github.com/en/apps/oauth-apps/maintaining-oauth-apps/troubleshooting-authorization-request-errors';
const AUTHORIZING =
  'https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps';
const READ = readIn(TOKEN_ERRORS, '2026-11-24');

type Words = Omit<AdviceEntry, 'provider' | 'codes' | 'links' | 'source'>;

function github(
  codes: readonly [string, ...string[]],
  source: AdviceSource,
  words: Words,
): AdviceEntry {
  return {
    provider: 'github',
    codes,
    links: [
      { title: 'Authorizing OAuth apps', url: AUTHORIZING },
      { title: 'Token request errors', url: TOKEN_ERRORS },
    ],
    source,
    ...words,
  };
}

export const GITHUB_ADVICE: readonly AdviceEntry[] = [
  github(['incorrect_client_credentials'], READ, {
    title: 'GitHub does not accept client id or secret',
    what: 'One of them is wrong, or the secret is missing.',
    why: 'GitHub demands the secret for the sign-in in the browser, with PKCE too, because it does not tell public clients from others.',
    fix: [
      'Settings → Developer settings → the app → generate a client secret, and set the option `clientSecret`.',
      'Or sign in by device code, which needs no secret.',
    ],
    tempting: {
      fix: 'Believing that PKCE replaces the secret.',
      fails: 'GitHub supports PKCE since July 2025, but still requires the secret.',
    },
  }),
  github(['redirect_uri_mismatch'], readIn(AUTHORIZATION_ERRORS, '2026-11-24'), {
    title: 'The redirect URI does not fit the callback URL',
    what: 'The redirect URI is not the registered callback URL, nor below it.',
    why: 'For a loopback address the port may be any, but host and path have to fit: `localhost` is not `127.0.0.1`.',
    fix: [
      'Settings → Developer settings → the app → Authorization callback URL: `http://127.0.0.1/callback`.',
      'Use the same in the option `redirects`.',
    ],
  }),
  github(['bad_verification_code'], READ, {
    title: 'The code is wrong or over',
    what: 'It was used already, is older than 10 minutes, or belongs to another app.',
    why: 'A page was reloaded, or the computer slept in between.',
    fix: ['Sign in again.'],
    tempting: { fix: 'Sending the code again.', fails: 'It works once.' },
  }),
  github(['unverified_user_email'], READ, {
    title: 'The e-mail address is not verified',
    what: 'The person has not verified their primary e-mail address at GitHub.',
    why: 'GitHub gives no token before.',
    fix: ['The person verifies the address: Settings → Emails.'],
  }),
  github(
    ['bad_refresh_token'],
    notReadIn(
      'https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/refreshing-user-access-tokens',
    ),
    {
      title: 'The refresh token is wrong or over',
      what: 'It was used already, is older than six months, or was revoked.',
      why: 'User tokens of GitHub Apps are renewed with refresh tokens that work once.',
      fix: [
        'Offer to sign in again. Latchkey has ended the session.',
        'Look for a second program that uses the same refresh token.',
      ],
    },
  ),
  github(['application_suspended'], readIn(AUTHORIZATION_ERRORS, '2026-11-24'), {
    title: 'GitHub has suspended the app',
    what: 'The app was reported or has broken a rule.',
    why: 'Nothing in the code can change that.',
    fix: ["Write to GitHub's support."],
  }),
  github(['device_flow_disabled'], readIn(AUTHORIZING, '2026-11-24'), {
    title: 'Device codes are not enabled for this app',
    what: 'The app has to allow the device flow in its settings.',
    why: 'It is off unless switched on.',
    fix: ['Settings → Developer settings → the app → "Enable Device Flow".'],
  }),
  github(['incorrect_device_code'], readIn(AUTHORIZING, '2026-11-24'), {
    title: 'The device code is wrong',
    what: 'GitHub does not know the code that was sent.',
    why: 'It is over, or is the code for the person instead of the one for the app.',
    fix: ['Start again.'],
  }),
];
