// The closed list of events for the host's log and telemetry: names, levels, fields, and what each
// means. docs/events.md is made from it, and events.ts takes its types from it: an app that runs
// never loads these texts. No event may hold a secret, a person's name or address, or a URL with
// its query.

/** What a field can hold. `text?`: null when there is nothing to say. */
type FieldKind = 'text' | 'text?' | 'number' | 'flag';

/** Every field: the same name means the same thing in every event. */
export const EVENT_FIELDS = {
  again: { kind: 'flag', means: 'Whether it is tried again later.' },
  attempt: { kind: 'number', means: 'The attempt, counted from 1 in this process.' },
  began: {
    kind: 'text?',
    means: 'The `correlationId` of the same attempt in the process that began it.',
  },
  claim: { kind: 'text', means: 'A name from the option `claims`.' },
  code: { kind: 'text?', means: 'One of [the codes](errors.md); null: no error.' },
  detail: {
    kind: 'text',
    means: 'Why, in plain words of Latchkey or of the operating system, on one line.',
  },
  entry: { kind: 'number', means: 'The index in the option `migrateFrom`, from 0.' },
  file: { kind: 'text', means: 'The name of a file, without its folder.' },
  hint: { kind: 'text', means: 'What to do.' },
  member: { kind: 'text', means: 'The name of a member of the metadata.' },
  name: { kind: 'text', means: 'The name of the error class.' },
  origin: { kind: 'text', means: 'The origin of a page, without path and query.' },
  outcome: { kind: 'text', means: '`signed-in`, `denied` or `failed`.' },
  providerCode: { kind: 'text?', means: "The provider's own number, such as AADSTS9002327." },
  providerCorrelationId: {
    kind: 'text?',
    means: "The provider's id of the exchange, for its support.",
  },
  reason: { kind: 'text', means: 'Which of a few known cases applies.' },
  redirect: { kind: 'text', means: 'A redirect, as written in the options.' },
  removed: {
    kind: 'flag',
    means:
      'Whether the old entry is gone. False: it is kept on purpose, or it must still be removed.',
  },
  rotated: { kind: 'flag', means: 'Whether the server gave a new refresh token.' },
  serverError: {
    kind: 'text?',
    means: "The provider's `error` (RFC 6749 §5.2), if it is a plain short word.",
  },
  source: { kind: 'text', means: 'How the URL came: `open-url`, `second-instance` or `argv`.' },
  warning: { kind: 'text', means: 'The text of the warning.' },
} as const satisfies Readonly<Record<string, { readonly kind: FieldKind; readonly means: string }>>;

export type FieldName = keyof typeof EVENT_FIELDS;

interface EventFacts {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  /** Whose `correlationId` the event carries, if any. */
  readonly about: 'attempt' | 'renewal' | null;
  readonly fields: readonly FieldName[];
  readonly means: string;
}

/**
 * Every event that is ever written. A name never changes its meaning; a new one may come with any
 * version.
 */
export const EVENTS = {
  'options-warning': {
    level: 'warn',
    about: null,
    fields: ['warning'],
    means:
      'An option is allowed but unwise. Reported once, while `createAuth` runs, so only `onLog` receives it.',
  },
  'start-order': {
    level: 'warn',
    about: null,
    fields: ['warning'],
    means:
      'The app called `createAuth` after it was ready, or changed its name or its folder after that call. The warning says what is lost and what to do.',
  },

  'attempt-started': {
    level: 'info',
    about: 'attempt',
    fields: ['attempt'],
    means: 'A sign-in begins.',
  },
  'attempt-resumed': {
    level: 'info',
    about: 'attempt',
    fields: ['attempt', 'began'],
    means:
      'A callback belongs to a sign-in that an earlier process began. This process continues it.',
  },
  'attempt-not-kept': {
    level: 'info',
    about: 'attempt',
    fields: ['detail'],
    means: 'This attempt could not be stored. A restart of the app would lose it.',
  },
  'attempt-waiting-for-keyring': {
    level: 'warn',
    about: null,
    fields: ['detail'],
    means: 'A callback waits for the keyring, which holds its attempt.',
  },
  'attempt-ended': {
    level: 'info',
    about: 'attempt',
    fields: ['attempt', 'outcome', 'code', 'serverError', 'providerCode', 'providerCorrelationId'],
    means: 'A sign-in has ended.',
  },
  'sign-in-failed': {
    level: 'warn',
    about: 'attempt',
    fields: ['detail', 'hint'],
    means:
      'For developers, where the option `showAdvice` allows it: what was asked of whom, what came, and the command that tells more. Without `onLog`, the console shows it on one line.',
  },
  'redirect-unavailable': {
    level: 'warn',
    about: 'attempt',
    fields: ['redirect', 'code', 'detail'],
    means: 'A redirect cannot work on this computer. The next one is tried.',
  },
  'push-refused': {
    level: 'info',
    about: null,
    fields: ['code', 'serverError'],
    means:
      'The provider refused a pushed authorization request that it does not demand. The browser carries the long one.',
  },
  'callback-accepted': {
    level: 'info',
    about: 'attempt',
    fields: ['attempt'],
    means: 'The callback of an open attempt has arrived.',
  },
  'callback-repeated': {
    level: 'info',
    about: 'attempt',
    fields: [],
    means: 'The callback of an attempt arrived again and was ignored.',
  },
  'callback-foreign': {
    level: 'warn',
    about: null,
    fields: ['detail'],
    means:
      'A URL arrived that is near a redirect of this app but is none, such as an answer to another path, or a request by another method. It changed nothing. Written once for each kind.',
  },
  'callback-malformed': {
    level: 'warn',
    about: null,
    fields: ['detail'],
    means:
      'A URL arrived that cannot be parsed as a callback. If it has the state of an open attempt, the attempt ends with `response-invalid`. Otherwise it changed nothing.',
  },
  'callback-unexpected': {
    level: 'warn',
    about: null,
    fields: ['detail'],
    means: 'A callback arrived that belongs to no open attempt. It changed nothing.',
  },
  'callback-ignored': {
    level: 'warn',
    about: null,
    fields: ['source', 'reason'],
    means:
      'The operating system passed more than one URL for a callback, or too many URLs before the start.',
  },
  'callback-logging-suppressed': {
    level: 'warn',
    about: null,
    fields: ['detail'],
    means:
      'Too many unexpected callbacks arrived. Further ones are not logged until the next attempt.',
  },
  'reopen-with-old-page': {
    level: 'info',
    about: 'attempt',
    fields: ['code'],
    means: 'The provider gave no new sign-in page. The browser opened the earlier one again.',
  },
  'userinfo-failed': {
    level: 'info',
    about: 'attempt',
    fields: ['code'],
    means: 'The name of the person could not be fetched. The ID token was enough.',
  },
  'claim-left-out': {
    level: 'warn',
    about: 'attempt',
    fields: ['claim'],
    means:
      'A claim of the option `claims` is not in the view: it does not fit into 12,288 bytes together with those before it, or it is nested more than 16 levels deep. The session goes on. Reported once for each name.',
  },
  'account-anonymous': {
    level: 'warn',
    about: 'attempt',
    fields: [],
    means: 'The provider does not say who signed in, and the option "identify" is not set.',
  },

  'metadata-file-differs': {
    level: 'info',
    about: null,
    fields: [],
    means:
      'The metadata file is not the one that the session was stored with. The provider is asked instead.',
  },
  'metadata-member-ignored': {
    level: 'warn',
    about: null,
    fields: ['member'],
    means:
      'The metadata names an optional endpoint that is no `https:` URL. Latchkey does without it. Once for each member.',
  },
  'advice-unavailable': {
    level: 'warn',
    about: null,
    fields: ['name'],
    means: 'The advice for developers could not be loaded. Errors come without it.',
  },

  'session-absent': {
    level: 'info',
    about: null,
    fields: ['code'],
    means: 'Nobody is signed in any more. `code` says why.',
  },
  'session-restoring': {
    level: 'info',
    about: null,
    fields: ['code'],
    means: 'Latchkey reads the record of a session.',
  },
  'session-locked': {
    level: 'info',
    about: null,
    fields: ['code'],
    means: 'The keyring does not open. The session is kept.',
  },
  'session-adopting': {
    level: 'info',
    about: null,
    fields: ['code'],
    means: 'Latchkey stores the tokens of a sign-in.',
  },
  'session-live': { level: 'info', about: null, fields: ['code'], means: 'Somebody is signed in.' },
  'account-switched': {
    level: 'info',
    about: null,
    fields: [],
    means: 'Another account is the active one.',
  },

  'renewal-started': {
    level: 'info',
    about: 'renewal',
    fields: [],
    means: 'A renewal begins. It first waits for the lock that processes share.',
  },
  'renewal-done': {
    level: 'info',
    about: 'renewal',
    fields: ['rotated'],
    means: 'The provider has given new tokens. They are stored next.',
  },
  'renewed-elsewhere': {
    level: 'info',
    about: 'renewal',
    fields: [],
    means: 'Another process has renewed. Its tokens are used, and no request was made.',
  },
  'renewal-failed': {
    level: 'warn',
    about: 'renewal',
    fields: ['code', 'serverError', 'providerCode', 'providerCorrelationId'],
    means: 'A renewal failed. It is tried again, unless the session has ended.',
  },
  'lock-not-held': {
    level: 'warn',
    about: 'renewal',
    fields: ['reason', 'detail'],
    means: 'The lock that processes share could not be acquired.',
  },
  'revocation-failed': {
    level: 'info',
    about: null,
    fields: ['code', 'again'],
    means:
      'The provider could not be told of a sign-out, or refused the request. `code` is null if too many were owed.',
  },

  'end-session-trouble': {
    level: 'warn',
    about: null,
    fields: ['detail'],
    means:
      'The session in the browser could not be ended, or not as it was asked for. Here the person is signed out.',
  },
  'end-session-returned': {
    level: 'info',
    about: null,
    fields: [],
    means: 'The provider has sent the browser back after a logout.',
  },

  'keyring-locked': {
    level: 'warn',
    about: 'renewal',
    fields: ['detail'],
    means: 'The keyring is locked, or its dialog waits for an answer.',
  },
  'keyring-unavailable': {
    level: 'warn',
    about: 'renewal',
    fields: ['detail'],
    means: 'No keyring is available, or it failed.',
  },
  'record-unreadable': {
    level: 'warn',
    about: 'renewal',
    fields: ['detail'],
    means: 'A stored session is damaged or of another version. It is kept.',
  },
  'record-removal-owed': {
    level: 'warn',
    about: null,
    fields: ['detail'],
    means: 'A record could not be removed. The next start tries again.',
  },
  'state-file-quarantined': {
    level: 'warn',
    about: null,
    fields: ['file'],
    means: 'The file latchkey.json was damaged. It was kept under this name, and its copy is used.',
  },
  'state-file-unreadable': {
    level: 'warn',
    about: null,
    fields: ['detail'],
    means:
      'The file latchkey.json and its copy cannot be read now. This signs nobody out, and nothing overwrites the files.',
  },
  'state-file-newer': {
    level: 'warn',
    about: null,
    fields: [],
    means: 'The file latchkey.json has a later version. It is neither used nor changed.',
  },
  'state-file-unwritable': {
    level: 'error',
    about: null,
    fields: [],
    means: 'The file latchkey.json could not be written.',
  },

  'migration-done': {
    level: 'info',
    about: null,
    fields: ['entry', 'removed'],
    means: 'The session of an earlier version of the app was migrated.',
  },
  'migration-deferred': {
    level: 'warn',
    about: null,
    fields: ['entry', 'code'],
    means: 'A legacy session could not be migrated yet. Nothing is lost. It is tried again.',
  },
  'migration-refused': {
    level: 'warn',
    about: null,
    fields: ['entry', 'code', 'detail'],
    means: 'A legacy session cannot be used. Its entry is left unchanged.',
  },

  'page-refused': {
    level: 'warn',
    about: null,
    fields: ['origin', 'hint'],
    means:
      'A page called that is not trusted, or that has no context isolation. The hint says what to change.',
  },
  'view-listener-failed': {
    level: 'error',
    about: null,
    fields: ['name'],
    means: 'A listener that the host passed to `onView` threw.',
  },
  'app-window-failed': {
    level: 'error',
    about: null,
    fields: ['name'],
    means: 'The function of the option `appWindow` threw. Latchkey chose a window itself.',
  },
  internal: {
    level: 'error',
    about: null,
    fields: ['name'],
    means: 'Latchkey broke one of its own promises. Please report it.',
  },
} as const satisfies Readonly<Record<string, EventFacts>>;
