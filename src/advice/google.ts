// Google's errors. Most of them are shown in the browser and never reach the app: these are for
// `latchkey explain`. Data only.
import { type AdviceEntry, type AdviceSource, notReadIn, readIn, rfc } from './entry.js';

const NATIVE = 'https://developers.google.com/identity/protocols/oauth2/native-app';
const READ = readIn(NATIVE, '2026-11-24');
const NOT_READ = notReadIn(NATIVE);
const CONSOLE = 'Google Cloud console → APIs & Services → Credentials';

type Words = Omit<AdviceEntry, 'provider' | 'codes' | 'links' | 'source'>;

function google(code: string, source: AdviceSource, words: Words): AdviceEntry {
  return {
    provider: 'google',
    codes: [code],
    links: [{ title: 'OAuth 2.0 for desktop apps', url: NATIVE }, rfc(8252, '7.3')],
    source,
    ...words,
  };
}

export const GOOGLE_ADVICE: readonly AdviceEntry[] = [
  google('redirect_uri_mismatch', READ, {
    title: 'The redirect URI does not fit the type of the client',
    what: 'Google shows "Error 400: redirect_uri_mismatch" in the browser.',
    why: 'The client is of the type "Web application", where each URI with its port has to be listed. A client of the type "Desktop app" takes the loopback address with any port.',
    fix: [
      `${CONSOLE} → Create credentials → OAuth client ID → "Desktop app".`,
      'Use its client id and secret, and the redirect `http://127.0.0.1/callback`.',
    ],
    tempting: {
      fix: 'Listing `http://localhost:3000` at the web client.',
      fails:
        'It works on the computer where this port is free, and the secret of a web client must not be in an app.',
    },
  }),
  google('invalid_client', READ, {
    title: 'Google does not accept client id or secret',
    what: 'The client was deleted, the client id is cut or of another project, or the secret is wrong.',
    why: 'A "Desktop app" client has a secret, too, and Google demands it.',
    fix: [
      `${CONSOLE}: copy client id and secret of the "Desktop app" client into \`clientId\` and \`clientSecret\`.`,
    ],
  }),
  google('invalid_request', READ, {
    title: 'Google refuses the request',
    what: 'Often "client_secret is missing" from the token endpoint, or "doesn\'t comply with Google\'s OAuth 2.0 policy" in the browser.',
    why: 'PKCE does not replace the secret of a "Desktop app" client. Custom schemes and other ways back than loopback are not for desktop apps.',
    fix: [
      'Use `provider: google()` and the option `clientSecret`.',
      'Use the redirect `http://127.0.0.1/callback`.',
    ],
    tempting: {
      fix: 'Taking the client of the type "iOS", which has no secret.',
      fails:
        'Its loopback redirects are blocked, and its custom scheme is not promised to work on a desktop.',
    },
    phrases: ['client_secret is missing'],
  }),
  google(
    'invalid_grant',
    readIn(
      'https://developers.google.com/google-ads/api/docs/get-started/common-errors',
      '2026-11-24',
    ),
    {
      title: 'Google no longer accepts the refresh token',
      what: 'The text beside it is mostly "Token has been expired or revoked".',
      why: 'While the project is in the publishing status "Testing", refresh tokens end after 7 days. Else the person has withdrawn access, has not used the app for six months, or has signed in on too many computers.',
      fix: [
        'When it comes each week: Google Cloud console → OAuth consent screen → Publishing status → "Publish app".',
        'Offer to sign in again.',
      ],
      tempting: {
        fix: 'Sending the same refresh token again later.',
        fails: 'It never becomes valid again.',
      },
      phrases: ['Token has been expired or revoked'],
    },
  ),
  google('invalid_scope', readIn('https://github.com/holoviz/panel/issues/5815', '2023-11-05'), {
    title: 'Google does not know a scope',
    what: 'Google shows "Some requested scopes were invalid" in the browser.',
    why: 'Mostly it is `offline_access`, which Google does not have.',
    fix: [
      'Leave out `offline_access`; `provider: google()` asks by `access_type=offline` instead.',
      "Check the other scopes against Google's list, and switch their APIs on for the project.",
    ],
    phrases: ['Some requested scopes were invalid'],
  }),
  google('disallowed_useragent', READ, {
    title: 'Google does not show its page inside an app',
    what: 'The sign-in page was opened in an embedded browser, such as a `BrowserWindow`.',
    why: 'In there the app could read the password. Latchkey opens the system browser.',
    fix: ['Call `signIn()`, and do not load the authorization URL in a window of your own.'],
    tempting: {
      fix: 'Changing the user agent of the window.',
      fails:
        "It breaks with Google's next change, and it is against its policy and RFC 8252 §8.12.",
    },
  }),
  google('org_internal', NOT_READ, {
    title: 'The app is for one organisation only',
    what: 'The account is not of the Google Workspace organisation that owns the project.',
    why: 'The user type of the consent screen is "Internal".',
    fix: [
      "Sign in with an account of the organisation: `signIn({ prompt: 'select_account' })`.",
      'Or: OAuth consent screen → user type → "External".',
    ],
  }),
  google('admin_policy_enforced', NOT_READ, {
    title: 'An administrator has blocked the app or its scopes',
    what: "A rule of the person's Google Workspace does not allow it.",
    why: 'Nothing in the app can change that.',
    fix: [
      'Ask the administrator: Admin console → Security → API controls → App access control → trust this client id.',
    ],
  }),
  google('deleted_client', NOT_READ, {
    title: 'The client was deleted',
    what: 'This client id does not exist any more.',
    why: 'Google deletes clients that nobody used for long, too.',
    fix: [`${CONSOLE}: restore it within 30 days, or create another one and ship its id.`],
  }),
  google('access_denied', NOT_READ, {
    title: 'The person said no, or is no test user',
    what: 'The consent was declined. In the publishing status "Testing" only listed test users get through.',
    why: '"Access blocked: … has not completed the Google verification process" comes to accounts that are not on the list.',
    fix: [
      'OAuth consent screen → Test users → add the account, or publish the app.',
      'Offer to sign in again, perhaps with another account.',
    ],
  }),
];
