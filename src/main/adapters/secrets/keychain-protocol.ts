// What passes between keychain.ts and its worker, and what keytar's error texts mean. Pure: no
// effect, no import. May not put a value into an error text.

/**
 * One call of keytar. `id` is given back in the reply. `service` is another one only for entries of
 * earlier versions.
 */
export type WorkerRequest =
  | {
      readonly id: number;
      readonly op: 'get' | 'get-raw' | 'delete';
      readonly service: string;
      readonly account: string;
    }
  | {
      readonly id: number;
      readonly op: 'set';
      readonly service: string;
      readonly account: string;
      readonly value: string;
    };

/**
 * `get`: the value or null. `get-raw`: the same of an entry that another program wrote, exactly as
 * it stands there. `set`: true when the value was read back and is the same. `delete`: whether
 * something was there. `tookMs` is the time inside keytar: a long one means that a person had a
 * dialog to answer.
 */
export type WorkerReply =
  | {
      readonly id: number;
      readonly ok: true;
      readonly value: string | boolean | null;
      readonly tookMs: number;
    }
  | { readonly id: number; readonly ok: false; readonly text: string };

/** The part of Electron's UtilityProcess that keychain.ts uses. */
export interface WorkerProcess {
  readonly pid: number | undefined;
  postMessage(message: WorkerRequest): void;
  on(event: 'message', listener: (message: unknown) => void): unknown;
  on(event: 'exit', listener: (code: number) => void): unknown;
  on(event: 'spawn', listener: () => void): unknown;
  kill(): boolean;
}

/**
 * Gives the text that is stored for a value: a JSON string. keytar cuts a value at its first NUL
 * and refuses the empty one; JSON has neither, keeps lone surrogates, and costs two bytes where
 * base64 costs a third of Windows' 2,560.
 */
export function encodeValue(value: string): string {
  return JSON.stringify(value);
}

/**
 * Gives back what `encodeValue` was given; text that it never made (another program's entry) is
 * given back as it is.
 */
export function decodeValue(stored: string): string {
  try {
    const parsed: unknown = JSON.parse(stored);
    return typeof parsed === 'string' ? parsed : stored;
  } catch {
    return stored;
  }
}

export interface KeyringFailure {
  readonly state: 'locked' | 'unavailable';
  readonly detail: string;
}

/**
 * keytar's errors carry no code, only the text of libsecret, GDBus, macOS or Windows. This is the
 * one place that knows those texts. Those that were measured stand in its unit test; the others are
 * from documentation and sources.
 */
export const KEYRING_FAILURES: readonly (KeyringFailure & { readonly text: string })[] = [
  {
    text: 'Cannot create an item in a locked collection',
    state: 'locked',
    detail: 'the keyring is locked',
  },
  {
    text: 'Cannot get secret of a locked object',
    state: 'locked',
    detail: 'the keyring is locked',
  },
  {
    text: 'User interaction is not allowed',
    state: 'locked',
    detail: 'the keychain is locked and may not ask',
  },
  {
    text: 'The user name or passphrase you entered is not correct',
    state: 'locked',
    detail: 'the keychain was not unlocked',
  },
  { text: 'User canceled the operation', state: 'locked', detail: 'the keychain was not unlocked' },
  {
    text: 'Cannot autolaunch D-Bus',
    state: 'unavailable',
    detail: 'there is no D-Bus session bus',
  },
  {
    text: 'Could not connect',
    state: 'unavailable',
    detail: 'the D-Bus session bus does not answer',
  },
  {
    text: 'The given address is empty',
    state: 'unavailable',
    detail: 'the address of the D-Bus session bus is empty',
  },
  {
    text: 'The connection is closed',
    state: 'unavailable',
    detail: 'the D-Bus session bus has gone',
  },
  { text: 'The name :', state: 'unavailable', detail: 'the secret service has gone' },
  {
    text: 'org.freedesktop.secrets was not provided',
    state: 'unavailable',
    detail: 'no secret service is installed (Debian: gnome-keyring)',
  },
  {
    text: 'org.freedesktop.DBus.Error.ServiceUnknown',
    state: 'unavailable',
    detail: 'no secret service is running',
  },
  {
    text: '/collection/login',
    state: 'unavailable',
    detail: 'the secret service has no keyring to write to',
  },
  {
    text: "keytar's binary does not load: libsecret",
    state: 'unavailable',
    detail: 'libsecret is not installed (Debian: libsecret-1-0)',
  },
  {
    text: "keytar's binary does not load",
    state: 'unavailable',
    detail: 'the native part of keytar does not load on this computer',
  },
  {
    text: "keytar's binary is missing",
    state: 'unavailable',
    detail: "keytar's binary for this computer was not shipped with the app (docs/packaging.md)",
  },
  {
    text: 'The stub received bad data',
    state: 'unavailable',
    detail: 'the value is longer than this keychain takes',
  },
];

const TEXT_MAX_LENGTH = 160;

/**
 * Tells what an error text of keytar means. A text that nobody knows is `unavailable` and kept,
 * shortened, unless it holds `secret`.
 */
export function recogniseFailure(text: string, secret?: string): KeyringFailure {
  for (const { text: known, state, detail } of KEYRING_FAILURES)
    if (text.includes(known)) return { state, detail };
  if (secret !== undefined && secret !== '' && text.includes(secret))
    return { state: 'unavailable', detail: 'the keyring refused' };
  // A log line must stay one line.
  const plain = text
    .replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ')
    .slice(0, TEXT_MAX_LENGTH);
  return { state: 'unavailable', detail: `the keyring refused: ${plain}` };
}

/** Reads a message of the worker; null when it is none. */
export function parseReply(message: unknown): WorkerReply | null {
  if (typeof message !== 'object' || message === null) return null;
  const { id, ok, value, tookMs, text } = message as Record<string, unknown>;
  if (typeof id !== 'number') return null;
  if (ok === false && typeof text === 'string') return { id, ok, text };
  if (ok !== true || typeof tookMs !== 'number') return null;
  return typeof value === 'string' || typeof value === 'boolean' || value === null
    ? { id, ok, value, tookMs }
    : null;
}
