// Entra: accounts, consent, rules of the tenant, and what passes by itself. Mostly an
// administrator's matter. Data only.
import { aadsts, suberror } from './entra-words.js';
import { type AdviceEntry, notReadIn, rfc } from './entry.js';

const SIGN_IN_AGAIN =
  'Offer to sign in again as the same person: `signIn({ loginHint: lastAccount.email })`.';
const OTHER_ACCOUNT = "Sign in with another account: `signIn({ prompt: 'select_account' })`.";
const SIGN_IN_LOGS =
  'An administrator finds the rule in the sign-in logs of the tenant, by the correlation id of the error.';

export const ENTRA_PEOPLE_ADVICE: readonly AdviceEntry[] = [
  aadsts([50020, 500208, 50034, 51004, 90072, 16003], {
    title: 'This account is not one of the tenant',
    what: 'The account exists elsewhere, or is of a kind that the tenant does not take.',
    why: 'The browser was signed in with another account, often a private one.',
    fix: [
      OTHER_ACCOUNT,
      'Or invite the person as a guest: Users → New user → Invite external user.',
      "For an app for everybody use `entra({ tenant: 'common' })` and a registration that allows it.",
    ],
    tempting: {
      fix: 'Using `common` with a registration for one tenant.',
      fails: 'AADSTS50194 is next.',
    },
  }),
  aadsts([16000, 160021, 16001, 16002], {
    title: 'Another account has to be chosen',
    what: 'The account that the browser offered cannot be used for this app, or its session is gone.',
    why: 'Several accounts are signed in in the browser.',
    fix: [OTHER_ACCOUNT],
  }),
  aadsts([50105], {
    title: 'The person is not assigned to the app',
    what: '"Assignment required" is on, and this person is not on the list.',
    why: "A decision of the tenant's administrator.",
    fix: ['Enterprise applications → the app → Users and groups → add the person or a group.'],
  }),
  aadsts([65001, 650056, 90008, 650057, 65005], {
    title: 'Consent is missing',
    what: 'Nobody has allowed this app these permissions yet, or it asks for some that its registration does not list.',
    why: 'Scopes were added, or the app is new in this tenant.',
    fix: [
      'Registration → "API permissions": list what the app asks for.',
      "Sign in; the consent page comes. `signIn({ prompt: 'consent' })` asks in any case.",
      'Where people may not consent: an administrator clicks "Grant admin consent" there.',
    ],
    tempting: {
      fix: 'Sending `prompt=consent` at each sign-in.',
      fails: 'People are asked each time, and where they may not consent they never get through.',
    },
  }),
  aadsts([65004], {
    title: 'The person declined the consent',
    what: 'The consent page was shown and declined.',
    why: 'That is an answer, not a fault.',
    fix: ['Say what the permissions are for, ask for fewer, and offer to sign in again.'],
  }),
  aadsts([90094, 90095], {
    title: 'An administrator has to consent',
    what: 'The permissions are of a kind that people may not grant themselves, or the tenant lets nobody consent.',
    why: 'A decision of the tenant, or a permission such as reading the whole directory. `prompt=consent` leads here in tenants where people may not consent.',
    fix: [
      'Send an administrator to `https://login.microsoftonline.com/<tenant>/adminconsent?client_id=<client id>`.',
      'Ask for permissions that people can grant.',
      "Set no `prompt: 'consent'`; the preset sends none.",
    ],
  }),
  aadsts([650052, 650054, 500011, 50001], {
    title: 'The API is not there in this tenant',
    what: 'The tenant has not subscribed to the API, or nobody has consented to it, or its identifier is wrong.',
    why: 'The scope names an API that this tenant does not have.',
    fix: [
      'Check the part before the last slash of the scope.',
      'Let an administrator of the tenant add the API, for example by consenting to it.',
    ],
  }),
  aadsts(
    [50074, 50076, 50078, 50079, 50072, 50158],
    {
      title: 'A second factor is needed',
      what: 'The person has to prove who they are once more, or to set up a second factor.',
      why: 'A rule of the tenant, a new place, or a proof that is too old. Background renewal cannot show a page.',
      fix: [SIGN_IN_AGAIN],
      tempting: {
        fix: 'Asking the administrator to exempt the app.',
        fails: 'It opens the door that the rule closes; one sign-in in the browser is enough.',
      },
    },
    undefined,
    rfc(9470, '1'),
  ),
  aadsts([53000, 53001, 53002, 50097, 50129], {
    title: 'The device does not meet the rules of the tenant',
    what: 'Conditional Access wants a device that is managed, compliant or joined, or an approved app.',
    why: "The browser proves the device, and not every browser can: on Windows Edge and Chrome with Microsoft's extension do.",
    fix: [
      'Make the computer compliant: enrol it, update it.',
      'Sign in in a browser that can prove the device.',
      SIGN_IN_LOGS,
    ],
    tempting: {
      fix: 'Signing in by device code instead.',
      fails: 'It cannot prove the device at all, and many tenants block it.',
    },
  }),
  aadsts([53003, 530032, 530034, 530035, 53004, 50005, 50131], {
    title: 'A rule of the tenant blocks the sign-in',
    what: 'Conditional Access, security defaults or a judgement of risk does not allow it.',
    why: 'Place, device, app or kind of sign-in is against the rules. Device codes are blocked often.',
    fix: [
      SIGN_IN_LOGS,
      'Sign in by the browser and not by device code.',
      'Try from the place and the device that the tenant expects.',
    ],
    tempting: {
      fix: 'Signing in again and again.',
      fails: 'The answer stays, and it looks like an attack.',
    },
  }),
  aadsts([50053, 50126, 50055, 50057, 50056, 50144], {
    title: 'The account itself',
    what: 'It is locked or disabled, or the password is wrong or has expired.',
    why: "It happens on Microsoft's page; the app has no part in it.",
    fix: ['The person follows the page, or asks the administrator.'],
  }),
  aadsts([50058], {
    title: 'Nobody is signed in in the browser',
    what: 'The request allowed no page, and there is no session.',
    why: 'It comes to requests with `prompt=none`.',
    fix: ["Remove `prompt: 'none'` from `authorizationParameters`.", 'Offer to sign in.'],
  }),
  aadsts([500021, 500022, 50002, 500212, 500213], {
    title: 'The network or a rule between tenants forbids it',
    what: 'Tenant restrictions or rules for access between tenants block this tenant.',
    why: 'A proxy of the company adds a header that allows some tenants only, or one of the tenants forbids the other.',
    fix: [
      'Ask the administrators of the network and of both tenants.',
      'Try from another network to tell which it is.',
    ],
  }),
  aadsts([90006, 90012, 90024, 90033, 90055, 90090, 90091, 50033, 50087, 50088], {
    title: 'Microsoft is in trouble for the moment',
    what: 'A part of the service is overloaded or does not answer.',
    why: 'It has nothing to do with the app. Sessions stay signed in and are renewed later.',
    fix: [
      'Wait; Latchkey tries again by itself.',
      'When it stays: the status page of Microsoft 365.',
    ],
    tempting: { fix: 'Signing people out.', fails: 'They could not sign in again just now.' },
  }),
  suberror('bad_token', {
    title: 'The refresh token is over',
    what: 'Entra will never accept this refresh token again.',
    why: 'It was revoked, or is older than a rule allows.',
    fix: [SIGN_IN_AGAIN],
  }),
  suberror('token_expired', {
    title: 'The refresh token is over',
    what: 'Entra will never accept this refresh token again.',
    why: 'It was not used for too long, or is older than a rule allows.',
    fix: [SIGN_IN_AGAIN],
  }),
  suberror('basic_action', {
    title: 'The person can fix it in the browser',
    what: "One step on Microsoft's page is missing, such as a second factor.",
    why: 'Background renewal cannot show a page.',
    fix: [SIGN_IN_AGAIN],
  }),
  suberror('additional_action', {
    title: 'Something has to be done outside of the app',
    what: 'The person has to do more than sign in, for example to enrol the device.',
    why: 'A rule of the tenant.',
    fix: ["Sign in: Microsoft's page says what is missing.", SIGN_IN_LOGS],
  }),
  suberror('message_only', {
    title: 'Nothing helps just now',
    what: "Microsoft's page explains why, and offers no way on.",
    why: 'A rule of the tenant.',
    fix: ['Sign in to see the explanation.', SIGN_IN_LOGS],
  }),
  suberror('protection_policy_required', {
    title: 'The app has to be managed',
    what: 'A policy of Intune for apps is demanded.',
    why: 'Such policies are for mobile apps; a desktop app cannot meet them.',
    fix: ['An administrator can exempt desktop platforms from this rule.'],
  }),
  {
    provider: 'entra',
    codes: ['insufficient_claims'],
    title: 'The API wants a stronger or newer sign-in',
    what: 'An API answered 401 with a claims challenge: the token is not enough for this request.',
    why: 'Continuous access evaluation or a step-up of Conditional Access.',
    fix: [
      'Decode the parameter `claims` of `WWW-Authenticate` (base64), and sign in again with it in `authorizationParameters.claims`.',
    ],
    links: [
      {
        title: 'Claims challenge',
        url: 'https://learn.microsoft.com/entra/identity-platform/claims-challenge',
      },
    ],
    source: notReadIn('https://learn.microsoft.com/entra/identity-platform/claims-challenge'),
  },
];
