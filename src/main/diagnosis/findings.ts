// From facts to findings. Pure. This file has the closed list of findings. The text "seen" comes
// partly from outside: it is cut, has no control characters, and never contains a query.
import { assertNever } from '../core/base/errors.js';
import type {
  HeaderFacts,
  HostFacts,
  KeyringFacts,
  LoopbackFacts,
  Packaging,
  ProbeFacts,
  SchemeFacts,
} from './facts.js';

/** Everything that a diagnosis checks: the question, and whether it needs a running app. */
export const FINDINGS = {
  versions: {
    asks: 'Which Latchkey, Electron, Node and operating system are these?',
    needsApp: false,
  },
  packaging: {
    asks: 'Is the app packaged in a way that restricts schemes or the keyring?',
    needsApp: false,
  },
  instance: { asks: 'Do later starts of the app reach this process?', needsApp: true },
  'scheme-owner': {
    asks: 'Which program opens the scheme, and with which command?',
    needsApp: false,
  },
  'scheme-shared': {
    asks: 'Does another program or build claim the same scheme?',
    needsApp: false,
  },
  'scheme-probe': {
    asks: 'Does a URL of the scheme come back to this very process?',
    needsApp: true,
  },
  loopback: { asks: 'Can the app listen on the loopback redirect?', needsApp: false },
  keyring: {
    asks: 'Can the keyring store, return and remove an entry, and which keyring is it?',
    needsApp: false,
  },
  proxy: { asks: 'Through which proxy do requests go?', needsApp: false },
  discovery: { asks: 'Does the provider publish usable metadata?', needsApp: false },
  issuer: { asks: 'Is the issuer in the metadata the same as in the options?', needsApp: false },
  jwks: { asks: 'Can Latchkey fetch the keys that sign ID tokens?', needsApp: false },
  tls: {
    asks: "Who issued the provider's certificate: a public authority, or somebody in between?",
    needsApp: false,
  },
  clock: {
    asks: 'How far apart are the clocks of this computer and of the provider?',
    needsApp: false,
  },
  redirect: {
    asks: 'Does the provider accept this client with this redirect URI?',
    needsApp: false,
  },
  'device-code': {
    asks: 'Does the provider offer device codes, if they are in your list?',
    needsApp: false,
  },
  pkce: { asks: 'Does the provider announce PKCE with S256?', needsApp: false },
  refresh: { asks: 'Does the provider announce refresh tokens?', needsApp: false },
  'request-headers': {
    asks: 'Do requests really go out without Origin and cookie?',
    needsApp: true,
  },
} as const;

export type FindingId = keyof typeof FINDINGS;

export type FindingLevel = 'ok' | 'warning' | 'error';

/** The result of one check. */
export interface Finding {
  readonly id: FindingId;
  readonly level: FindingLevel;
  /** What was seen; one line. */
  readonly seen: string;
  /** How to fix it; absent if there is nothing to do. */
  readonly todo?: string;
}

/** One line of at most 400 characters, without control, line and direction characters. */
export function oneLine(text: string): string {
  return text
    .replace(
      /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200b-\u200f\u202a-\u202e\u2066-\u2069]+/g,
      ' ',
    )
    .slice(0, 400);
}

export function finding(id: FindingId, level: FindingLevel, seen: string, todo?: string): Finding {
  return { id, level, seen: oneLine(seen), ...(todo === undefined ? {} : { todo: oneLine(todo) }) };
}

export function judgeHost({
  latchkey,
  electron,
  node,
  system,
  packaging,
  instanceLock,
}: HostFacts): readonly Finding[] {
  const versions = finding(
    'versions',
    'ok',
    `Latchkey ${latchkey}, ${electron === null ? '' : `Electron ${electron}, `}Node ${node}, ${system}`,
  );
  const found = [versions, judgePackaging(packaging)];
  if (instanceLock === 'held')
    found.push(
      finding(
        'instance',
        'ok',
        'this process has the single-instance lock: a later start hands its callback over',
      ),
    );
  if (instanceLock === 'left-to-host') {
    found.push(
      finding(
        'instance',
        'warning',
        'nobody holds Electron\'s single-instance lock, by the option "singleInstanceLock"',
        'Call app.requestSingleInstanceLock() yourself, or leave the option out: without the lock a callback by custom scheme starts a second app.',
      ),
    );
  }
  return found;
}

function judgePackaging(packaging: Packaging): Finding {
  switch (packaging) {
    case 'plain-node':
      return finding('packaging', 'ok', 'plain Node, without an app');
    case 'development':
      return finding('packaging', 'ok', 'not packaged: a development start');
    case 'packaged':
      return finding('packaging', 'ok', 'packaged, without a sandbox of its own');
    case 'appimage':
      return finding(
        'packaging',
        'ok',
        'an AppImage: the scheme is registered again at each start, because the file may be moved',
      );
    case 'flatpak':
    case 'snap':
      return finding(
        'packaging',
        'warning',
        `inside ${packaging}: the package must declare schemes, and the keyring may be out of reach`,
        'Declare the scheme in the package and list a loopback redirect after it. docs/storage.md says where secrets can be kept.',
      );
    case 'msix':
    case 'mac-app-store':
      return finding(
        'packaging',
        'warning',
        `${packaging === 'msix' ? 'an MSIX package' : 'a Mac App Store package'}: schemes are registered by its manifest only`,
        'Declare the scheme in the manifest, or list a loopback redirect.',
      );
    default:
      return assertNever(packaging);
  }
}

/** `hasFallback`: another redirect stands behind it in the list. */
export function judgeScheme(facts: SchemeFacts, hasFallback: boolean): readonly Finding[] {
  return [judgeOwner(facts, hasFallback), ...judgeRivals(facts)];
}

function judgeOwner(
  { scheme, owner, isOurs, registration }: SchemeFacts,
  hasFallback: boolean,
): Finding {
  const meanwhile = hasFallback
    ? ' Until then sign-ins use the next redirect of your list.'
    : ' List a loopback redirect behind it, so that sign-ins work meanwhile.';
  const blocked = registration !== null && !registration.ok ? registration.detail : null;
  switch (owner.state) {
    case 'unknown':
      return finding(
        'scheme-owner',
        'warning',
        `who opens "${scheme}:" cannot be seen: ${owner.detail}`,
        'Install what is missing, or list a loopback redirect after the scheme.',
      );
    case 'nobody':
      if (registration?.ok === true)
        return finding(
          'scheme-owner',
          'ok',
          `nobody opened "${scheme}:"; it leads to this app since now`,
        );
      // Where no app runs nobody has tried yet.
      return finding(
        'scheme-owner',
        registration === null ? 'warning' : 'error',
        `nobody opens "${scheme}:"${blocked === null ? '' : `: ${blocked}`}`,
        `Start the app once, or install it: it registers its scheme.${meanwhile}`,
      );
    case 'owned': {
      const runs = `"${scheme}:" leads to ${owner.name}${owner.command.length === 0 ? '' : `, which runs ${commandText(owner.command)}`}`;
      if (owner.isThere === false && registration?.ok !== true)
        return finding(
          'scheme-owner',
          'error',
          `${runs}, and that program is not there`,
          `Install the app again, or remove that file.${meanwhile}`,
        );
      if (isOurs === null) return finding('scheme-owner', 'ok', runs);
      if (isOurs) return finding('scheme-owner', 'ok', `${runs}: this app`);
      if (registration?.ok === true)
        return finding(
          'scheme-owner',
          'warning',
          `${runs}, another program; this app has taken it back`,
          'If this happens again and again, two programs share the scheme: give each its own.',
        );
      return finding(
        'scheme-owner',
        'error',
        `${runs}, another program${blocked === null ? '' : `; this app cannot take it back: ${blocked}`}`,
        `Remove that program's claim on the scheme, or choose a scheme of your own.${meanwhile}`,
      );
    }
    default:
      return assertNever(owner);
  }
}

function judgeRivals({ scheme, owner, rivals }: SchemeFacts): readonly Finding[] {
  if (rivals?.length === 0 && owner.state !== 'unknown')
    return [finding('scheme-shared', 'ok', `no other program was seen that claims "${scheme}:"`)];
  return (rivals ?? []).map((rival) =>
    finding(
      'scheme-shared',
      'warning',
      `"${scheme}:" is claimed by ${rival.name}, too, which runs ${commandText(rival.command)}`,
      'Give each build a scheme of its own, such as "com.example.notes.dev:" for development; else they take each other\'s callbacks.',
    ),
  );
}

export function judgeProbe({ scheme, outcome, limitMs }: ProbeFacts): Finding {
  switch (outcome) {
    case 'came-back':
      return finding('scheme-probe', 'ok', `a URL of "${scheme}:" came back to this process`);
    case 'nobody-to-ask':
      return finding(
        'scheme-probe',
        'warning',
        `"${scheme}:" leads nowhere, so no URL was sent`,
        'See scheme-owner.',
      );
    case 'lost':
      return finding(
        'scheme-probe',
        'error',
        `a URL of "${scheme}:" did not come back to this process within ${seconds(limitMs)}`,
        'See scheme-owner for what was run instead; an instance with another userData folder counts as another app.',
      );
    default:
      return assertNever(outcome);
  }
}

export function judgeLoopback({ redirect, outcome }: LoopbackFacts, hasOther: boolean): Finding {
  if (outcome.state === 'open')
    return finding(
      'loopback',
      'ok',
      `${redirect} can be listened on (port ${outcome.port} was free)`,
    );
  const why =
    outcome.code === 'EADDRINUSE'
      ? 'another program has the port'
      : outcome.code === 'EACCES'
        ? 'the system reserves the port, as Hyper-V, WSL and Docker do'
        : 'the system refuses';
  return finding(
    'loopback',
    hasOther ? 'warning' : 'error',
    `${redirect} cannot be listened on: ${why} (${outcome.code})`,
    'Register a loopback redirect without a port where the provider allows it, or several ports, and list them all.',
  );
}

export function judgeKeyring({ outcome, detail, store, backend, tookMs }: KeyringFacts): Finding {
  const who = backend === null ? '' : ` (${backend})`;
  switch (outcome) {
    case 'works':
      if (store === 'safe-storage')
        return finding(
          'keyring',
          'warning',
          'there is no keychain; sessions are kept in encrypted files',
          'Nothing, if you want this. Otherwise install or start a keyring.',
        );
      return finding(
        'keyring',
        'ok',
        `the keyring${who} took an entry, gave it back and removed it in ${tookMs} ms`,
      );
    case 'memory-by-option':
      return finding(
        'keyring',
        'ok',
        'sessions are kept in memory only, by the option "secretStore"',
      );
    case 'locked':
      return finding(
        'keyring',
        'error',
        `the keyring${who} is locked: ${detail}`,
        'Unlock it. Nothing that is stored is lost; sign-ins are not remembered until then.',
      );
    case 'silent':
      return finding(
        'keyring',
        'error',
        `the keyring${who} did not answer within ${seconds(tookMs)}, as when its password dialog is open`,
        'Look for a password dialog and answer it, or unlock the keyring.',
      );
    case 'unavailable':
      return finding(
        'keyring',
        'error',
        `there is no keyring: ${detail}`,
        "Install or start one (on Linux a Secret Service, such as gnome-keyring, on the session's D-Bus). Until then sessions end with the app.",
      );
    default:
      return assertNever(outcome);
  }
}

export function judgeHeaders({ origin, cookie }: HeaderFacts): Finding {
  if (!origin && !cookie)
    return finding(
      'request-headers',
      'ok',
      'a request that was looked at on this computer carried no Origin and no cookie',
    );
  const what = [origin ? 'an Origin' : '', cookie ? 'a cookie' : '']
    .filter((one) => one !== '')
    .join(' and ');
  return finding(
    'request-headers',
    'error',
    `a request that was looked at on this computer carried ${what}`,
    "Something in this app changes requests of all sessions, such as a webRequest listener on Latchkey's own. Providers refuse native apps that send an Origin.",
  );
}

/** A command as one reads it: words with blanks in quotes. */
export function commandText(words: readonly string[]): string {
  return words.length === 0
    ? 'something that cannot be read'
    : words.map((word) => (/^[^\s"']+$/.test(word) ? word : `"${word}"`)).join(' ');
}

export function seconds(ms: number): string {
  return `${Math.round(ms / 100) / 10} s`;
}
