// The option "migrateFrom": where earlier versions of the host's app kept a session, and what the host
// says of it. Checks the option. Reads nothing itself, and puts no value into a text;
// legacy-session.ts checks what the functions answer.
import {
  type Check,
  callable,
  fitting,
  flag,
  list,
  optional,
  record,
  refuse,
} from './option-checks.js';

/** One place in which an earlier version of the host's app may have left a session. */
export interface LegacyEntry {
  /**
   * With `account`: the entry that the earlier version wrote with `keytar.setPassword(service,
   * account, …)`.
   */
  readonly service?: string;
  /** With `service`. */
  readonly account?: string;
  /**
   * Instead of `service` and `account`: reads the value from any other place. Null: it is not
   * there. A rejection means: not now, try later.
   */
  readonly load?: () => Promise<string | null>;
  /**
   * With `load`: removes the value after Latchkey has stored the session. Without `remove`, the old
   * value stays where it is.
   */
  readonly remove?: () => Promise<void>;
  /** Returns the session that the value contains. Null: the value cannot be used. */
  readonly read: (value: string) => LegacySession | null | Promise<LegacySession | null>;
  /**
   * True: the entry stays after the migration. If the provider rotates refresh tokens, the entry no
   * longer works. Default false.
   */
  readonly keep?: boolean;
}

/** A session of an earlier version, as the host reads it. Who it is, says the provider. */
export interface LegacySession {
  /** Printable ASCII (RFC 6749 §A.17), at most 16,384 characters. It is renewed at once. */
  readonly refreshToken: string;
  /** Only a check: if the provider names somebody else, nothing is migrated. */
  readonly subject?: string;
  /** What was granted (RFC 6749 §5.1). Default: the option `scopes`. */
  readonly scope?: string;
}

const ENTRIES_MAX = 16;

/** Not only ASCII: it must be what the earlier version wrote. keytar cuts at NUL. */
const keytarName = fitting(
  (text) => text !== '' && text.length <= 1_024 && !text.includes('\0'),
  'a text of 1 to 1024 characters, or replaced by "load"',
);

const members = record({
  service: optional(keytarName),
  account: optional(keytarName),
  load: optional(callable<NonNullable<LegacyEntry['load']>>()),
  remove: optional(callable<NonNullable<LegacyEntry['remove']>>()),
  read: callable<LegacyEntry['read']>(),
  keep: optional(flag, false),
} satisfies { [Name in keyof LegacyEntry]-?: Check });

const entries = list(0, ENTRIES_MAX, `a list of at most ${ENTRIES_MAX} entries`, (entry) => entry);

/** Throws `invalid-options`. */
export const migrateFrom: Check<readonly LegacyEntry[]> = (value, name) =>
  entries(value, name).map((entry, index) => legacyEntry(entry, `${name}[${index}]`));

function legacyEntry(value: unknown, name: string): LegacyEntry {
  const entry = members(value, name);
  const { service, account, load, remove } = entry;
  if (load === undefined) {
    keytarName(service, `${name}.service`);
    keytarName(account, `${name}.account`);
    if (remove !== undefined) refuse(`${name}.remove`, 'given with "load" only');
  } else if (service !== undefined || account !== undefined) {
    refuse(`${name}.load`, 'given without "service" and "account"');
  }
  return entry as LegacyEntry;
}
