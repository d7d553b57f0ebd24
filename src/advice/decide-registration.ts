// The four numbers by which Entra says that platform, origin, verifier and secret do not fit
// together: what to do depends on what was sent. Latchkey knows that, so its advice need not guess.
// Pure; any other entry passes as it is.
import type { AdviceEntry, AdviceFacts, AdviceText } from './entry.js';

/** The entry's text, made exact by the facts. Without facts it stays as it is. */
export function decideRegistration(entry: AdviceEntry, facts: AdviceFacts): AdviceText {
  switch (entry.codes[0]) {
    case 'AADSTS9002325':
      return facts.sentVerifier === true ? withVerifier(entry, facts) : withTrap(entry, facts);
    case 'AADSTS9002327':
      return facts.sentOrigin === false ? withoutOrigin(entry, facts) : withTrap(entry, facts);
    case 'AADSTS9002326':
      return facts.sentOrigin === false ? withForeignOrigin(entry) : entry;
    case 'AADSTS7000218':
      return secretWanted(entry, facts);
    default:
      return entry;
  }
}

function withVerifier(entry: AdviceText, facts: AdviceFacts): AdviceText {
  return withTrap(
    {
      ...entry,
      why: `${registered(facts)} is registered under "Single-page application". Latchkey sent a code verifier with the code; Entra has not seen it, so something on the way has changed the request. Both have to be put right.`,
      fix: [
        ...entry.fix,
        'Look for a proxy, or a `webRequest` filter of the app, that changes the body of requests.',
      ],
    },
    facts,
  );
}

function withoutOrigin(entry: AdviceText, facts: AdviceFacts): AdviceText {
  return withTrap(
    {
      ...entry,
      why: `Latchkey sent a code verifier and no \`Origin\`, as a desktop app should. So it is the registration: ${registered(facts)} stands under "Single-page application".`,
    },
    facts,
  );
}

function withForeignOrigin(entry: AdviceText): AdviceText {
  return {
    ...entry,
    why: 'Latchkey sends its requests from the main process, from a session of its own and without an `Origin`. Somebody between here and Entra has added one.',
    fix: [
      'Leave the registration as it is: "Mobile and desktop applications" is right.',
      'Look for `webRequest.onBeforeSendHeaders` in the app, for every session and not only the default one, that sets `Origin`.',
      'Look for a proxy of the network that adds it: try from another network.',
    ],
  };
}

function secretWanted(entry: AdviceText, facts: AdviceFacts): AdviceText {
  if (facts.sentSecret === true) {
    return {
      ...entry,
      why: 'A secret was sent, and Entra has not seen it; and a desktop app should send none. The redirect URI stands under "Web".',
      fix: [...entry.fix, 'Then remove the option `clientSecret`.'],
    };
  }
  if (facts.sentSecret !== false) return entry;
  if (facts.redirectUri === undefined) {
    return {
      ...entry,
      why: 'Latchkey sent no secret, as a desktop app should, and no redirect URI took part: it was a renewal or a device code. The app may not be a public client.',
      fix: [
        'Open the Microsoft Entra admin center → App registrations → your app → Authentication.',
        'Set "Allow public client flows" to Yes.',
        'Move the redirect URI of this app from "Web" to "Mobile and desktop applications".',
      ],
    };
  }
  if (isCustomScheme(facts.redirectUri)) {
    return {
      ...entry,
      why: `Latchkey sent no secret, as a desktop app should. A custom scheme cannot be registered under "Web", so ${registered(facts)} is not what Entra has judged by.`,
      fix: [
        'Check that `clientId` is the one of the registration that holds this scheme under "Mobile and desktop applications".',
        ...entry.fix,
      ],
    };
  }
  return withTrap(
    {
      ...entry,
      why: `Latchkey sent no secret, as a desktop app should. So it is the registration: ${registered(facts)} stands under "Web".`,
    },
    facts,
  );
}

/** What cannot be, and what makes it happen at random. */
function withTrap(text: AdviceText, { redirectUri }: AdviceFacts): AdviceText {
  if (redirectUri === undefined) return text;
  const trap = isCustomScheme(redirectUri)
    ? 'A custom scheme cannot stand under "Single-page application" or "Web": check that `clientId` is the one of this registration, and that no other library of the app signs in with it.'
    : 'When it stands under "Mobile and desktop applications" already: Entra ignores the port of localhost and picks one of the URIs that differ in it, at random. Give this app a path of its own, or a registration of its own, and remove the development URI.';
  return { ...text, fix: [...text.fix, trap] };
}

function isCustomScheme(uri: string): boolean {
  return !/^https?:/i.test(uri);
}

/** As it is to be registered: without the port of the day. */
function registered({ redirectUri }: AdviceFacts): string {
  return redirectUri === undefined
    ? 'The redirect URI'
    : `\`${redirectUri.replace(/^(http:\/\/(?:localhost|127\.0\.0\.1|\[::1\])):\d+/, '$1')}\``;
}
