// The option "takeOver": where earlier versions of the host's app kept a session, and what the host says of it.
// Checks the option, and what the host's own functions answer. Reads nothing itself, and puts no value into a text.
import { refuse, requireBoolean, requireFunction, requireRecord } from './option-checks.js';

/** One place in which an earlier version of the host's app may have left a session. */
export interface EarlierEntry {
  /** With `account`: keytar's entry, as the earlier version named it in `keytar.setPassword(service, account, …)`. */
  readonly service?: string;
  /** With `service`. */
  readonly account?: string;
  /** Instead of `service` and `account`: reads the value from wherever else it is; null when it is not there. Rejecting means: not now. */
  readonly load?: () => Promise<string | null>;
  /** With `load`: removes what it reads, once the session is stored anew. Without it the old value stays where it is. */
  readonly remove?: () => Promise<void>;
  /** Says what the value means. Null: it is of no use. */
  readonly read: (value: string) => EarlierSession | null | Promise<EarlierSession | null>;
  /** The entry stays after it was taken over. Default false. Where the provider rotates refresh tokens it is of no use any more. */
  readonly keep?: boolean;
}

/** A session of an earlier version, as the host reads it. Who it is, says the provider. */
export interface EarlierSession {
  /** Printable ASCII (RFC 6749 §A.17), at most 16,384 characters. It is renewed at once. */
  readonly refreshToken: string;
  /** A check only: when the provider names somebody else, nothing is taken over. */
  readonly subject?: string;
  /** What was granted (RFC 6749 §5.1). Default: the option `scopes`. */
  readonly scope?: string;
}

const KNOWN_MEMBERS: { readonly [Name in keyof EarlierEntry]-?: true } = { service: true, account: true, load: true, remove: true, read: true, keep: true };

const ENTRIES_MAX = 16;
/** Four times the longest refresh token ever seen. */
const TOKEN_MAX_LENGTH = 16_384;

/** Checks the option. Throws `invalid-options`. */
export function requireTakeOver(value: readonly EarlierEntry[] | undefined, storesNothing: boolean): readonly EarlierEntry[] {
  if (value === undefined) return [];
  if (!Array.isArray(value) || value.length > ENTRIES_MAX) return refuse('takeOver', `a list of at most ${ENTRIES_MAX} entries`);
  if (value.length > 0 && storesNothing) return refuse('takeOver', 'left out when "secretStore" is "memory": what is taken over would be lost with the app');
  return (value as readonly EarlierEntry[]).map((entry, index) => {
    const name = `takeOver[${index}]`;
    requireRecord(entry, name, KNOWN_MEMBERS);
    const { service, account, load, remove } = entry;
    if (load === undefined) {
      for (const [member, text] of [['service', service], ['account', account]] as const) {
        // Not only ASCII: it must be what the earlier version wrote.
        if (typeof text !== 'string' || text === '' || text.length > 1_024 || text.includes('\0')) refuse(`${name}.${member}`, 'a text of 1 to 1024 characters, or replaced by "load"');
      }
      if (remove !== undefined) refuse(`${name}.remove`, 'given with "load" only');
    } else if (service !== undefined || account !== undefined) {
      refuse(`${name}.load`, 'given without "service" and "account"');
    }
    for (const [member, given] of [['load', load], ['remove', remove], ['read', entry.read]] as const) requireFunction(given, `${name}.${member}`);
    if (entry.read === undefined) refuse(`${name}.read`, 'a function');
    return { ...entry, keep: requireBoolean(entry.keep, `${name}.keep`, false) };
  });
}

/** Checks what the host's `read` answered, at the boundary where types end. Null for what is no session. */
export function parseEarlierSession(value: unknown): EarlierSession | null {
  if (typeof value !== 'object' || value === null) return null;
  const { refreshToken, subject, scope } = value as Record<string, unknown>;
  // RFC 6749 §A.17: any visible character, and spaces.
  if (typeof refreshToken !== 'string' || refreshToken.length > TOKEN_MAX_LENGTH || !/^[\x20-\x7e]+$/.test(refreshToken)) return null;
  if (![subject, scope].every((text) => text === undefined || (typeof text === 'string' && text !== '' && text.length <= 4_096))) return null;
  return { refreshToken, ...(typeof subject === 'string' ? { subject } : {}), ...(typeof scope === 'string' ? { scope } : {}) };
}
