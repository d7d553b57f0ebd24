// The errors of the standards: OAuth 2.0, OpenID Connect, device codes, revocation. Any provider
// may send them. Data only. What a provider says in its own numbers stands in the files beside this
// one.
import { type AdviceEntry, type AdviceLink, readIn, rfc } from './entry.js';

const AUTHORIZATION = rfc(6749, '4.1.2.1');
const TOKEN = rfc(6749, '5.2');
const DEVICE = rfc(8628, '3.5');
const NATIVE = rfc(8252, '8.5');
const OIDC: AdviceLink = {
  title: 'OpenID Connect Core §3.1.2.6',
  url: 'https://openid.net/specs/openid-connect-core-1_0.html#AuthError',
};

type Words = Omit<AdviceEntry, 'provider' | 'codes' | 'links' | 'source'>;

function entry(
  code: string,
  link: AdviceLink,
  words: Words,
  ...more: readonly AdviceLink[]
): AdviceEntry {
  return {
    provider: 'oauth',
    codes: [code],
    links: [link, ...more],
    source: readIn(link.url, '2026-11-24'),
    ...words,
  };
}

export const OAUTH_ADVICE: readonly AdviceEntry[] = [
  entry(
    'invalid_request',
    TOKEN,
    {
      title: 'The request was not as the provider wants it',
      what: 'A parameter is missing, is there twice, or has a value that the provider does not take.',
      why: 'Latchkey builds its requests by the standards, so it is most often a parameter that the app added, a rule of this provider, or a redirect URI of the wrong kind.',
      fix: [
        "Look at the provider's own code or text in its log; this word alone says little.",
        'Leave out what you added in `authorizationParameters`, and try again.',
        'Compare the redirect URI with the registration, character by character.',
        'Use the preset of this provider in `latchkey/providers`, which knows its rules.',
      ],
      tempting: { fix: 'Trying again.', fails: 'The same request gets the same answer.' },
    },
    AUTHORIZATION,
  ),
  entry(
    'invalid_client',
    TOKEN,
    {
      title: 'The provider does not accept the client',
      what: 'The client id is unknown, or the provider wants a client secret that it did not get or that is wrong.',
      why: 'A desktop app is a public client. When it is registered as a web application, the provider demands a secret.',
      fix: [
        'Check the option `clientId` against the registration; look for a space or a cut end.',
        'Register the app as "native", "desktop", "installed" or "public", with the authentication method "none".',
        'Only where the provider gives desktop apps a secret, as Google and GitHub do, set the option `clientSecret`.',
      ],
      tempting: {
        fix: 'Shipping the secret of the web application inside the app.',
        fails: 'Everybody who has the app can read it, and then speak in its name.',
      },
    },
    NATIVE,
  ),
  entry(
    'invalid_grant',
    TOKEN,
    {
      title: 'The code or the refresh token is not accepted',
      what: 'It is over, was used already, was revoked, belongs to another client, or does not fit the redirect URI or the code verifier.',
      why: 'At a renewal it means that the session has ended at the provider: a changed password, a withdrawn permission, too long a pause, or a rotated token that was used twice. At a sign-in it means a code that was redeemed late or twice.',
      fix: [
        'At a renewal: offer to sign in again as the same person. Latchkey has ended the session and keeps who it was.',
        "When it comes often: look for a second program that uses the same refresh token, and at the lifetimes in the provider's settings.",
        'At a sign-in: try again. When it stays, compare the redirect URI with the registration.',
      ],
      tempting: {
        fix: 'Sending the same code or refresh token again.',
        fails:
          'A code works once, and a provider that rotates takes the second use for a theft and ends all tokens of the person.',
      },
    },
    rfc(9700, '4.14.2'),
  ),
  entry(
    'unauthorized_client',
    TOKEN,
    {
      title: 'The client may not do this',
      what: 'The client is known, but this kind of request is not allowed for it.',
      why: 'In the registration the authorization code or the refresh token is not switched on, or the app is not allowed in this tenant.',
      fix: [
        'Open the registration and allow the grant types "authorization code" and "refresh token".',
        'Check that the client id belongs to this issuer, and not to another tenant or realm.',
      ],
      tempting: {
        fix: 'Allowing the implicit grant.',
        fails: 'It gives tokens to the address bar, and native apps must not use it.',
      },
    },
    rfc(8252, '8.2'),
  ),
  entry('unsupported_grant_type', TOKEN, {
    title: 'The provider does not know this grant',
    what: 'The token endpoint does not offer the authorization code, the refresh token or the device code that was sent.',
    why: 'The token endpoint is most often another one than it should be, or the grant is not switched on for this client.',
    fix: [
      'Use discovery (`issuer`) or a preset instead of endpoints by hand.',
      'Switch the grant on in the registration.',
    ],
  }),
  entry('unsupported_response_type', AUTHORIZATION, {
    title: 'The provider gives no code to this client',
    what: 'The authorization endpoint does not allow `response_type=code` for it.',
    why: 'The client is registered for another flow, such as the implicit one of old single-page applications.',
    fix: ['Allow the authorization code flow (with PKCE) in the registration.'],
    tempting: {
      fix: 'Asking for `response_type=token`.',
      fails:
        'Latchkey refuses it: the token would travel through the address bar and other apps (RFC 9700 §2.1.2).',
    },
  }),
  entry(
    'invalid_scope',
    TOKEN,
    {
      title: 'A scope is unknown or not allowed',
      what: 'One of the scopes does not exist there, is misspelt, or may not be asked for by this client.',
      why: 'Latchkey asks for `openid profile email offline_access` unless told otherwise, and some providers do not know `offline_access`.',
      fix: [
        'Set the option `scopes` to what the registration allows.',
        'With Google, Cognito and GitHub leave out `offline_access`; the presets do.',
        'Add scopes one by one to find the one that is refused.',
      ],
    },
    AUTHORIZATION,
  ),
  entry('access_denied', AUTHORIZATION, {
    title: 'The person or a rule said no',
    what: 'The person declined, closed the consent page, or a rule at the provider denied it.',
    why: 'That is an answer, not a fault of the app.',
    fix: [
      "Offer to sign in again, perhaps with another account: `signIn({ prompt: 'select_account' })`.",
      'When nobody was asked: look for a rule or an action at the provider that denies this app or person.',
    ],
    tempting: {
      fix: 'Opening the browser again by yourself.',
      fails: 'The person has just said no.',
    },
  }),
  entry('server_error', AUTHORIZATION, {
    title: 'The provider failed',
    what: 'Something unexpected happened there.',
    why: 'It has nothing to do with the app, unless it comes each time: then often a rule, script or user directory of the provider fails.',
    fix: [
      'Wait and try again; Latchkey does so for renewals.',
      "When it stays, look into the provider's log with the time and the correlation id.",
    ],
  }),
  entry('temporarily_unavailable', AUTHORIZATION, {
    title: 'The provider asks for patience',
    what: 'It is overloaded or under maintenance.',
    why: 'It has nothing to do with the app. A session stays signed in and is renewed later.',
    fix: ['Wait. Latchkey tries again by itself, as slowly as the provider asks.'],
    tempting: {
      fix: 'Trying again at once, in a loop.',
      fails: 'It makes the outage longer, and providers block clients that do it.',
    },
  }),
  entry('interaction_required', OIDC, {
    title: 'The person has to do something in the browser',
    what: 'The provider does not go on without the person: a second factor, a consent, a new password, a rule about the device.',
    why: 'Background renewal cannot show a page. Latchkey treats it as a refusal: when it is said twice with a pause between, the session ends, because rules about place and device often pass by themselves.',
    fix: [
      'Offer to sign in: `signIn({ loginHint: lastAccount.email })` brings the same person back.',
      'When it comes to many people at once, look for a rule that was changed at the provider.',
    ],
    tempting: {
      fix: 'Renewing again and again.',
      fails: 'No number of requests replaces a page that a person has to see.',
    },
  }),
  entry('login_required', OIDC, {
    title: 'The person has to sign in',
    what: 'Nobody is signed in at the provider, or the sign-in there is too old, and the request allowed no page.',
    why: 'It comes to requests with `prompt=none`, which a desktop app has no use for: it has a refresh token.',
    fix: ["Remove `prompt: 'none'` from `authorizationParameters`.", 'Offer to sign in.'],
  }),
  entry('account_selection_required', OIDC, {
    title: 'The person has to choose an account',
    what: 'Several accounts are signed in at the provider, and the request allowed no page to choose.',
    why: 'It comes to requests with `prompt=none`.',
    fix: ["Remove `prompt: 'none'`, or sign in with `prompt: 'select_account'`."],
  }),
  entry('consent_required', OIDC, {
    title: 'The person has to consent',
    what: 'The scopes were not allowed yet by the person or an administrator, and the request allowed no page to ask.',
    why: 'It comes when scopes were added in a new version of the app, or when a permission was withdrawn.',
    fix: [
      "Offer to sign in; the consent page comes then. `signIn({ prompt: 'consent' })` asks for it in any case.",
      'Where people may not consent, an administrator has to.',
    ],
  }),
  entry(
    'invalid_request_uri',
    OIDC,
    {
      title: 'The pushed request is gone or refused',
      what: 'The `request_uri` is over, was used, or is not accepted.',
      why: 'Latchkey pushes its request where the provider demands it. What was pushed lives for a minute or so, and is used up by the first visit.',
      fix: ['Sign in again; a page that was opened late or twice cannot be helped.'],
    },
    rfc(9126, '4'),
  ),
  entry('invalid_request_object', OIDC, {
    title: 'The request object is refused',
    what: 'The provider wants signed requests, or does not accept the one that it got.',
    why: 'Latchkey sends no request objects.',
    fix: ['Switch "signed requests" or "request object required" off for this client.'],
  }),
  entry('request_not_supported', OIDC, {
    title: 'Request objects are not supported',
    what: 'The parameter `request` is not understood there.',
    why: 'Latchkey does not send it, so the app added it in `authorizationParameters`.',
    fix: ['Remove `request` from `authorizationParameters`.'],
  }),
  entry('request_uri_not_supported', OIDC, {
    title: 'Pushed requests are not supported',
    what: 'The parameter `request_uri` is not understood there.',
    why: 'Latchkey sends it only where the metadata demands it. Metadata and endpoints do not belong together.',
    fix: [
      'Use discovery instead of endpoints by hand.',
      'Remove `request_uri` from `authorizationParameters`.',
    ],
  }),
  entry('registration_not_supported', OIDC, {
    title: 'Registration on the fly is not supported',
    what: 'The parameter `registration` is not understood there.',
    why: 'Latchkey does not send it, so the app added it.',
    fix: ['Remove `registration` from `authorizationParameters`.'],
  }),
  entry('invalid_target', rfc(8707, '2'), {
    title: 'The API is unknown',
    what: 'The parameter `resource` or `audience` names nothing that the provider knows, or more than it can serve with one token.',
    why: 'One token is for one API.',
    fix: [
      'Check the identifier of the API against its registration.',
      'Ask for one API at a time.',
    ],
  }),
  entry('authorization_pending', DEVICE, {
    title: 'The person has not finished yet',
    what: 'The device code waits for the person.',
    why: 'That is how device codes work; it is no fault.',
    fix: ['Wait, and ask again after the interval.'],
  }),
  entry('slow_down', DEVICE, {
    title: 'Asked too often',
    what: 'The client asks for the result more often than allowed.',
    why: 'With a device code each such answer adds 5 seconds to the pause.',
    fix: ['Wait longer between the requests.'],
    tempting: {
      fix: 'Asking more often so that nothing is missed.',
      fails: 'The provider stops answering.',
    },
  }),
  entry('expired_token', DEVICE, {
    title: 'The device code is over',
    what: 'The person took longer than the code lives.',
    why: 'Codes live for 10 to 15 minutes.',
    fix: ['Start again and show the new code.'],
  }),
  entry('unsupported_token_type', rfc(7009, '2.2.1'), {
    title: 'This token cannot be revoked there',
    what: 'The revocation endpoint does not revoke tokens of this kind.',
    why: 'Latchkey revokes the refresh token at sign-out. The person is still signed out on this computer.',
    fix: ["Nothing. Where it matters, end the session in the provider's account page."],
  }),
  entry('invalid_token', rfc(6750, '3.1'), {
    title: 'The API does not accept the access token',
    what: 'The token is over, revoked, or made for another API.',
    why: 'An API answered this, not the sign-in. A token of one API is no token for another.',
    fix: [
      'Ask for a token again; it is renewed when it is due.',
      'Check that scopes or audience name the API that you call.',
    ],
  }),
  entry('insufficient_scope', rfc(6750, '3.1'), {
    title: 'The access token allows too little',
    what: 'The API wants a scope that the token does not have.',
    why: 'The scope was not asked for, or the person did not grant it.',
    fix: ['Add the scope to the option `scopes` and sign in again.'],
  }),
  entry('insufficient_user_authentication', rfc(9470, '3'), {
    title: 'The API wants a stronger or newer sign-in',
    what: 'For this request the person has to prove who they are again, or better.',
    why: 'The sign-in was long ago, or without the second factor that the API asks for.',
    fix: ['Sign in again with `acr_values` or `max_age` as the answer names them.'],
  }),
  entry('use_dpop_nonce', rfc(9449, '8'), {
    title: 'The provider demands DPoP',
    what: 'Tokens are bound to a key there, and the request has to be repeated with a nonce.',
    why: 'Latchkey does not bind tokens to keys.',
    fix: ['Switch DPoP off for this client, or make it optional.'],
  }),
  entry('invalid_dpop_proof', rfc(9449, '5'), {
    title: 'The provider demands DPoP',
    what: 'Tokens are bound to a key there, and the request had no valid proof.',
    why: 'Latchkey does not bind tokens to keys.',
    fix: ['Switch DPoP off for this client, or make it optional.'],
  }),
];
