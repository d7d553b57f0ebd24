// Entra: what is wrong in the registration of the app: platform, redirect URI, secret. The four
// numbers at the top get their steps from decide.ts, which knows what Latchkey itself has sent.
import { CODE_FLOW, NATIVE_APPS, OPEN_AUTHENTICATION, REPLY_URL, aadsts } from './entra-words.js';
import { type AdviceEntry, notReadIn, readIn, rfc } from './entry.js';

const MOVE = [
  OPEN_AUTHENTICATION,
  'Remove the redirect URI of this app from "Single-page application".',
  'Add a platform → "Mobile and desktop applications" → add the same redirect URI there, such as `http://localhost/callback`.',
  'Save, wait a minute, and sign in again.',
];

export const ENTRA_REGISTRATION_ADVICE: readonly AdviceEntry[] = [
  aadsts(
    [9002325],
    {
      title: 'The redirect URI is registered as a single-page application',
      what: '"Proof Key for Code Exchange is required for cross-origin authorization code redemption": the code was issued to a redirect URI of the type `spa`, and no code verifier came with it.',
      why: 'Entra looks at the platform under which the redirect URI is registered. A desktop app has no business under "Single-page application": it has no origin, and its tokens belong in the main process.',
      fix: [
        ...MOVE,
        'Redeem the code in the main process, with the code verifier and without an `Origin` header. Latchkey does.',
      ],
      tempting: {
        fix: 'Adding PKCE and leaving the URI under "Single-page application", or moving it to "Web" and adding a secret.',
        fails:
          'With PKCE the next answer is AADSTS9002327, for a desktop app sends no `Origin`. A secret inside an app that people install is none.',
      },
      phrases: [
        'Proof Key for Code Exchange is required for cross-origin authorization code redemption',
      ],
    },
    readIn(
      'https://docs.getdbt.com/docs/cloud/manage-access/set-up-sso-microsoft-entra-id',
      '2026-11-24',
    ),
    { title: 'Redirect URIs', url: REPLY_URL },
    { title: 'Authorization code flow', url: CODE_FLOW },
  ),
  aadsts(
    [9002327],
    {
      title: 'The redirect URI is registered as a single-page application',
      what: '"Tokens issued for the \'Single-Page Application\' client-type may only be redeemed via cross-origin requests": the redirect URI is of the type `spa`, and the request had no `Origin` header.',
      why: 'A desktop app redeems its code outside of any page, so there is no origin. That is right; the registration is wrong.',
      fix: MOVE,
      tempting: {
        fix: 'Sending an `Origin` header, or redeeming the code in the page.',
        fails:
          'It works, and then the refresh token ends after 24 hours for good, and the tokens lie where every script of the page can read them.',
      },
      phrases: ['may only be redeemed via cross-origin requests'],
    },
    readIn(
      'https://github.com/AzureAD/microsoft-authentication-library-for-js/issues/3637',
      '2021-05-13',
    ),
    { title: 'Redirect URIs', url: REPLY_URL },
    { title: 'Authorization code flow', url: CODE_FLOW },
  ),
  aadsts(
    [9002326],
    {
      title: 'The token request came with an Origin header',
      what: '"Cross-origin token redemption is permitted only for the \'Single-Page Application\' client-type": the redirect URI is of the type native or web, and the request had an `Origin` header.',
      why: 'A page or something like a browser has sent it: `fetch` in a renderer, a proxy, or a filter of the app that adds headers to requests.',
      fix: [
        'Leave the registration as it is: "Mobile and desktop applications" is right.',
        'Redeem the code in the main process and not in a page.',
        'Look for `webRequest.onBeforeSendHeaders` in the app that sets `Origin`, and leave `login.microsoftonline.com` out of it.',
      ],
      tempting: {
        fix: 'Moving the redirect URI to "Single-page application".',
        fails:
          'The error goes away, and the session ends every 24 hours (AADSTS700084) with tokens in the page.',
      },
      phrases: ['Cross-origin token redemption is permitted only for'],
    },
    readIn(
      'https://github.com/Azure-Samples/ms-identity-javascript-angular-tutorial/issues/37',
      '2021-09-03',
    ),
    { title: 'Authorization code flow', url: CODE_FLOW },
  ),
  aadsts(
    [7000218],
    {
      title: 'Entra asks for a client secret',
      what: '"The request body must contain the following parameter: \'client_assertion\' or \'client_secret\'": the redirect URI is registered under "Web", or the app may not be a public client.',
      why: 'A desktop app has no secret to send. Under "Web" Entra takes it for a server.',
      fix: [
        OPEN_AUTHENTICATION,
        'Remove the redirect URI of this app from "Web".',
        'Add a platform → "Mobile and desktop applications" → add the same redirect URI there.',
        'For sign-in by device code: set "Allow public client flows" to Yes. The sign-in in the browser does not need it.',
      ],
      tempting: {
        fix: 'Creating a secret and shipping it with the app.',
        fails:
          'It works, and everybody who has the app has the secret. When it expires, every installed copy stops.',
      },
      phrases: ["must contain the following parameter: 'client_assertion' or 'client_secret'"],
    },
    undefined,
    NATIVE_APPS,
  ),
  aadsts(
    [50011, 500111, 70004],
    {
      title: 'The redirect URI is not registered',
      what: 'The redirect URI of the request is none of those that are registered for this client id.',
      why: 'It has to be registered exactly as it is in the option `redirects`; only the port of `localhost` may differ.',
      fix: [
        OPEN_AUTHENTICATION,
        'Under "Mobile and desktop applications" add the URI exactly as in the option `redirects`: scheme, host, path and case.',
        'For `http://127.0.0.1` write it into the manifest, or use `http://localhost`; the portal refuses it.',
        'Check that `clientId` is the one of this registration.',
      ],
      tempting: {
        fix: 'Adding it under "Web" or "Single-page application", where the form accepts more.',
        fails:
          'The platform decides what the token endpoint demands: AADSTS7000218 or AADSTS9002327 is next.',
      },
    },
    undefined,
    { title: 'Redirect URIs', url: REPLY_URL },
  ),
  aadsts(
    [500112],
    {
      title: 'Two different redirect URIs in one sign-in',
      what: 'The code was asked for with one redirect URI and redeemed with another.',
      why: 'Latchkey uses the same one for both. Something has changed it in between, or the code is of another program.',
      fix: [
        'Sign in again.',
        'In code of your own: keep the redirect URI of the attempt, with its port, and send that.',
      ],
    },
    notReadIn('https://login.microsoftonline.com/error?code=500112'),
    rfc(6749, '4.1.3'),
  ),
  aadsts([900971], {
    title: 'No redirect URI is registered',
    what: 'The registration has no redirect URI at all.',
    why: 'A new registration is empty.',
    fix: [
      OPEN_AUTHENTICATION,
      'Add a platform → "Mobile and desktop applications" → add `http://localhost/callback`.',
    ],
  }),
  aadsts([700025], {
    title: 'A public client has sent a secret',
    what: 'Entra says that the client is public, and that neither `client_assertion` nor `client_secret` should be presented.',
    why: 'Under "Mobile and desktop applications" the app is public, which is right. The secret is what is wrong.',
    fix: [
      'Remove the option `clientSecret`.',
      'Delete the secret in the registration under "Certificates & secrets"; nobody needs it.',
    ],
    tempting: {
      fix: 'Moving the redirect URI to "Web" so that the secret is accepted.',
      fails: 'Then the secret is in every installed copy of the app.',
    },
  }),
  aadsts([7000215, 7000222, 70002], {
    title: 'The client secret is wrong or has expired',
    what: 'Entra got a secret and does not accept it.',
    why: 'A desktop app should send none at all.',
    fix: [
      'Remove the option `clientSecret`.',
      OPEN_AUTHENTICATION,
      'Move the redirect URI from "Web" to "Mobile and desktop applications".',
    ],
    tempting: {
      fix: 'Creating a new secret.',
      fails: 'It expires again, and each time every installed copy has to be replaced.',
    },
  }),
  aadsts([50199], {
    title: 'Entra asks whether the app is the right one',
    what: 'Before it leads back to the app, a page asks whether the person is trying to sign in to it.',
    why: 'The redirect URI has a scheme of its own, which any program could have registered. For http and https Entra does not ask.',
    fix: [
      'Put `http://localhost/callback` first in the option `redirects` and register it.',
      'Or leave it: the person confirms and goes on.',
    ],
  }),
  aadsts([50194, 9001023], {
    title: 'This app is for one tenant, and was asked for all of them',
    what: 'The request went to `common` (or `consumers`), and the registration does not allow it.',
    why: 'The option `tenant` of the preset and "Supported account types" of the registration do not fit.',
    fix: [
      "Use `entra({ tenant })` with your tenant's GUID or domain.",
      'Or, when everybody may sign in: registration → Authentication → "Supported account types" → accounts in any directory.',
    ],
    tempting: {
      fix: 'Opening the registration for all tenants just to make the error go away.',
      fails: 'Then people of other companies can sign in to the app.',
    },
  }),
  aadsts([9002332], {
    title: 'This app is for work and school accounts only',
    what: 'The request went to `consumers`, and the registration does not allow personal accounts.',
    why: 'The option `tenant` of the preset and "Supported account types" do not fit.',
    fix: [
      "Use `organizations`, or your tenant's GUID.",
      'Or allow personal accounts in the registration.',
    ],
  }),
  aadsts([700016, 700011, 70001], {
    title: 'The app is not known in this tenant',
    what: 'There is no app with this client id there, nobody has consented to it, or it is disabled.',
    why: 'Client id and tenant come from two places and are easily mixed up, most of all between test and production.',
    fix: [
      'Compare `clientId` and `tenant` with the overview of the registration.',
      'For an app of many tenants: use `organizations` or `common`, and let an administrator of the tenant consent once.',
    ],
  }),
  aadsts([90002, 90019, 50059], {
    title: 'The tenant does not exist',
    what: 'Entra finds no tenant of this name, or the request named none.',
    why: 'A misspelt domain or GUID in `entra({ tenant })`, or a tenant of a national cloud.',
    fix: [
      'Copy "Directory (tenant) ID" from the overview of the registration.',
      'For a national cloud give the preset its `host`, such as `login.microsoftonline.us`.',
    ],
  }),
  aadsts([7000112], {
    title: 'The app is disabled',
    what: 'An administrator, or Microsoft, has disabled this app in the tenant.',
    why: 'Nothing in the app can change that.',
    fix: [
      'Ask the administrator: Enterprise applications → the app → Properties → "Enabled for users to sign-in".',
    ],
  }),
];
