// Entra: codes, verifiers and refresh tokens that are over, and requests that are malformed.
// Data only.
import { CODE_FLOW, aadsts } from './entra-words.js';
import { type AdviceEntry, readIn, rfc } from './entry.js';

const REFRESH = readIn(
  'https://learn.microsoft.com/entra/identity-platform/refresh-tokens',
  '2025-05-14',
);
const SIGN_IN_AGAIN =
  'Offer to sign in again as the same person: `signIn({ loginHint: lastAccount.email })`.';

export const ENTRA_TOKEN_ADVICE: readonly AdviceEntry[] = [
  aadsts(
    [501481],
    {
      title: 'The code verifier does not fit the challenge',
      what: 'The verifier that came with the code is not the one whose hash was in the authorization request.',
      why: 'Latchkey keeps a verifier for each attempt and finds it by `state`. If this error still appears, the code belongs to another attempt or another program, or was planted.',
      fix: [
        'Sign in again.',
        'Look for another library in the app that signs in at the same time and keeps one verifier for all.',
        'In code of your own: keep the verifier by `state`, and encode it once.',
      ],
      tempting: { fix: 'Switching PKCE off.', fails: 'Then a stolen code works for the thief.' },
    },
    undefined,
    rfc(7636, '4.6'),
  ),
  aadsts(
    [50147, 501491],
    {
      title: 'The code challenge has a wrong form',
      what: 'The challenge is missing or not 43 characters long.',
      why: 'Latchkey makes it itself. Something has changed the address on its way to the browser, or `authorizationParameters` of an old version did.',
      fix: [
        'Open the address exactly as Latchkey gives it.',
        'In code of your own: base64url of SHA-256, without padding.',
      ],
    },
    undefined,
    rfc(7636, '4.2'),
  ),
  aadsts([501461], {
    title: 'A setting of the API, not PKCE',
    what: '`acceptMappedClaims` is on and the token is for an audience that it does not allow. The number looks like those of PKCE and has nothing to do with it.',
    why: 'The registration of the API maps claims.',
    fix: [
      'In the manifest of the API set `acceptMappedClaims` to false, or give it a signing key of its own.',
      'Or use an identifier of the API within the verified domains of the tenant.',
    ],
    tempting: { fix: 'Searching in the code verifier.', fails: 'It is not involved.' },
  }),
  aadsts(
    [54005],
    {
      title: 'The code was used already',
      what: 'Somebody has redeemed this code before.',
      why: 'A page was reloaded, a callback was handled twice, or the request was repeated after a lost answer. Latchkey posts each code once and never again.',
      fix: [
        'Sign in again.',
        'Look for a second listener for the same callback, such as another instance or an old handler in the app.',
      ],
      tempting: {
        fix: 'Sending the code again.',
        fails: 'It cannot work, and a server may end the tokens of the first use.',
      },
    },
    undefined,
    rfc(6749, '4.1.2'),
  ),
  aadsts(
    [70008],
    {
      title: 'The code or the refresh token has expired',
      what: 'It was not used in its time.',
      why: 'A code lives for about 10 minutes; a computer that slept between browser and app is late.',
      fix: ['At a sign-in: sign in again.', `At a renewal: ${SIGN_IN_AGAIN}`],
    },
    undefined,
    { title: 'Authorization code flow', url: CODE_FLOW },
  ),
  aadsts([70000], {
    title: 'The code or the refresh token is not accepted',
    what: 'It is malformed, of another client or tenant, does not fit the redirect URI, or was revoked.',
    why: 'Records of a test build that are read by a production build with another client id are a common reason.',
    fix: [
      'At a sign-in: compare redirect URI, client id and tenant with the registration.',
      `At a renewal: ${SIGN_IN_AGAIN}`,
    ],
  }),
  aadsts([50089], {
    title: 'The sign-in page was open for too long',
    what: 'The step at the provider was begun too long ago.',
    why: 'The tab waited; nothing is wrong with the app.',
    fix: ['Sign in again.'],
  }),
  aadsts(
    [700082],
    {
      title: 'Nobody used the app for 90 days',
      what: 'The refresh token has ended because it was not used.',
      why: 'Each renewal gives 90 more days; an app that is not opened for so long has none.',
      fix: [SIGN_IN_AGAIN],
    },
    REFRESH,
  ),
  aadsts(
    [700084],
    {
      title: 'A refresh token of a single-page application has ended',
      what: 'Refresh tokens that were issued to a redirect URI of the type `spa` end after 24 hours, whatever is done.',
      why: 'The redirect URI is registered under "Single-page application".',
      fix: [
        'Move the redirect URI to "Mobile and desktop applications"; there a refresh token lives 90 days from each use.',
        SIGN_IN_AGAIN,
      ],
      tempting: {
        fix: 'Renewing more often.',
        fails: 'The 24 hours count from the sign-in, and new tokens inherit the rest.',
      },
    },
    REFRESH,
  ),
  aadsts([50173, 50132, 50133], {
    title: 'The session was revoked',
    what: 'The password was changed or reset, or an administrator or the person has ended all sessions.',
    why: 'It ends every session of the person, on purpose.',
    fix: [SIGN_IN_AGAIN],
    tempting: { fix: 'Trying again later.', fails: 'The refresh token never becomes valid again.' },
  }),
  aadsts([70043], {
    title: 'A rule asks for a fresh sign-in',
    what: 'Conditional Access limits how old a sign-in may be, and this one is older.',
    why: 'The rule "sign-in frequency" of the tenant. The app cannot change it.',
    fix: [
      SIGN_IN_AGAIN,
      'When it comes too often: an administrator can change it under Conditional Access → the policy → Session → Sign-in frequency.',
    ],
  }),
  aadsts([700005], {
    title: 'The code is of another tenant',
    what: 'It was issued by one tenant and redeemed at another.',
    why: 'Authorization and token endpoint do not belong together.',
    fix: ['Use the preset `entra({ tenant })` instead of endpoints by hand.'],
  }),
  aadsts([90013, 9002313, 90014, 900144, 90023, 90004, 90100], {
    title: 'The request is malformed',
    what: 'A parameter is missing or has a form that Entra does not take; for a token request often JSON instead of a form.',
    why: 'Latchkey sends forms with all parameters. A parameter of `authorizationParameters`, a broken client id or a proxy that changes requests is what remains.',
    fix: [
      'Check `clientId` and `scopes` for spaces and double encoding.',
      'Leave out `authorizationParameters`, and try again.',
      'In code of your own: `application/x-www-form-urlencoded`, never JSON.',
    ],
  }),
  aadsts([28003, 28002, 70011], {
    title: 'The scope is empty or unknown',
    what: 'A scope is misspelt, is not exposed by the API, or there is none.',
    why: 'Scopes of Entra are written as `api://<id of the API>/<name>` or `https://graph.microsoft.com/<name>`.',
    fix: [
      'Copy the scope from the registration of the API → "Expose an API".',
      'Add it under "API permissions" of the app.',
    ],
  }),
  aadsts([700022, 28000], {
    title: 'Scopes of two APIs in one request',
    what: 'A token is for one API, and the request named two.',
    why: 'The option `scopes` mixes, for example, Microsoft Graph and an API of your own.',
    fix: ['Name the scopes of one API only.'],
    tempting: { fix: 'Using `/.default` of several APIs.', fails: 'That is several APIs again.' },
  }),
  aadsts([700023], {
    title: 'The scope names no API',
    what: 'The scopes do not say for which API the token is.',
    why: 'A scope such as `read` has no API before it.',
    fix: ['Write the scope in full: `api://<id of the API>/<name>`.'],
  }),
  aadsts([901002], {
    title: 'The parameter `resource` is of the old version',
    what: 'Version 2 of Entra takes scopes, not `resource`.',
    why: '`authorizationParameters` holds `resource`, or the option `resources` is used without the preset `entra`.',
    fix: [
      'Remove it, and name the API in `scopes`: at the sign-in, or in `getAccessToken({ scopes })`.',
    ],
  }),
  aadsts([700054], {
    title: 'An ID token was asked for at the wrong place',
    what: 'The request asked for an ID token from the authorization endpoint.',
    why: 'Latchkey asks for a code only, so the request is of something else.',
    fix: [
      'Use `response_type=code`. There is no need to switch "ID tokens" on under "Implicit grant".',
    ],
  }),
  aadsts([90027, 500201], {
    title: 'Personal accounts cannot have this token',
    what: 'The API or the version that was asked for is not open to personal Microsoft accounts.',
    why: 'The person signed in with a personal account.',
    fix: [
      'Use the preset `entra({ tenant })`, whose endpoints are of version 2.',
      'Or allow work and school accounts only: `organizations`.',
    ],
  }),
  aadsts([50196], {
    title: 'Too many of the same request',
    what: 'Entra has noticed a loop: the same request again and again in a short time.',
    why: 'Something signs in or renews in a loop. Latchkey renews once however many ask, and waits longer after each failure.',
    fix: [
      'Look for code that calls `signIn()` whenever it fails, or for many processes with sessions of their own.',
      'Wait some minutes before the next try.',
    ],
    tempting: { fix: 'Trying again at once.', fails: 'That is the loop.' },
  }),
  aadsts([70016], {
    title: 'The person has not finished yet',
    what: 'The device code waits for the person.',
    why: 'It is no fault.',
    fix: ['Wait.'],
  }),
  aadsts([70019, 70018, 90119, 90120], {
    title: 'The device code is over or wrong',
    what: 'It has expired, was typed wrongly, or was used already.',
    why: 'Codes live for about 15 minutes.',
    fix: ['Start again and type the new code.'],
  }),
];
