// The formats of the keychain records and of the state file: versions, parsing, changes. Parsers
// never throw; they report what they cannot read, and the caller must keep it. docs/storage.md
// lists every member.
import type { AccountView } from '../../../contract.js';
import { isAnonymous } from '../base/anonymous.js';
import { LIMITS } from '../base/limits.js';
import { type SignInDemand, readDemand } from '../options/sign-in-demand.js';
import type {
  MetadataMark,
  KnownAccount,
  StateFileContent,
  KnownAttempt,
  KnownMigration,
} from '../base/ports.js';
import type { IdToken, PersonFacts, SessionClaims } from '../base/tokens.js';

/**
 * One session in the keychain. Nothing else may store the refresh token beyond the life of the
 * process.
 */
export interface SessionRecord {
  readonly version: 1;
  readonly clientId: string;
  readonly account: AccountView;
  /** The secret of the session: what a sign-out revokes. See `renewable`. */
  readonly refreshToken: string;
  /**
   * False: the provider gave no refresh token, and `refreshToken` is the access token. Builds that
   * do not know this member require a text there, and use `access` until it is over. Otherwise
   * missing.
   */
  readonly renewable?: false;
  /** The granted scope (RFC 6749 §5.1). */
  readonly scope: string;
  /** The resources that the sign-in requested (RFC 8707 §2.1); absent if there were none. */
  readonly resources?: readonly string[];
  readonly savedAt: number;
  /** The metadata that the session was last used with: it vouches for the metadata file. */
  readonly metadata?: MetadataMark;
  /**
   * The access token that came with the refresh token, so that a start and other processes need not
   * renew at once.
   */
  readonly access: {
    readonly token: string;
    readonly obtainedAt: number;
    readonly expiresAt: number | null;
  } | null;
  /**
   * The refresh token came with an ID token of another person. Tokens from it are used only if
   * their ID token names this person.
   */
  readonly doubted?: true;
  /** What the provider says about the person, by the option `claims`. Not checked when it is read. */
  readonly claims?: SessionClaims;
  /** Only if the host asks for that, by the option `keepIdToken`. */
  readonly idToken?: IdToken;
  /**
   * When the person has signed out: this is no session any more, and only holds the token that is
   * still to be revoked (RFC 7009). An earlier build finds the same in the state file.
   */
  readonly signedOutAt?: number;
}

/**
 * One attempt in the keychain while it waits for the browser, so that a restart of the app does not
 * lose it.
 */
export interface AttemptRecord {
  readonly version: 1;
  readonly issuer: string;
  readonly clientId: string;
  readonly state: string;
  readonly codeVerifier: string;
  readonly nonce: string;
  readonly redirectUri: string;
  readonly startedAt: number;
  readonly expiresAt: number;
  /**
   * The id in the events of this attempt, so that the events of the next process can name it. It
   * reveals nothing.
   */
  readonly correlationId: string;
  /** What the sign-in demanded, to be checked when the tokens come; absent if it was nothing. */
  readonly demand?: SignInDemand;
}

/**
 * A legacy session in the keychain: from before its token is proved until it is stored as a session
 * of its own.
 */
export interface MigrationRecord {
  readonly version: 1;
  readonly issuer: string;
  readonly clientId: string;
  /** Its index in the option "migrateFrom" when it was read, for the log. */
  readonly entry: number;
  /** A digest of the value that it was read from. */
  readonly source: string;
  /** The newest one from the provider. */
  readonly refreshToken: string;
  readonly scope: string;
  /** The subject that the host expects. */
  readonly subject?: string;
}

export type ParsedRecord =
  | { readonly state: 'record'; readonly record: SessionRecord }
  /** Belongs to another client id: neither used nor changed. */
  | { readonly state: 'foreign'; readonly clientId: string }
  /** Written by a later version, or damaged: kept, and never overwritten silently. */
  | { readonly state: 'unreadable'; readonly detail: string };

export const NO_ACCOUNTS: StateFileContent = {
  schemaVersion: 1,
  lastAccountId: null,
  accounts: [],
  attempts: [],
  takeOver: { stage: 'none', tried: [] },
};

/**
 * The name of an account's entry in the keychain. The first client that stores the account uses
 * this name; earlier builds use it too.
 */
export function recordKey(accountId: string): string {
  return `session:${accountId}`;
}

/**
 * The name of the entry for a client that found the name above used by another client; `client` is
 * a digest of its id.
 */
export function clientRecordKey(accountId: string, client: string): string {
  return `${recordKey(accountId)}:${client}`;
}

/** The name of an attempt's entry in the keychain; `id` is a digest of its state. */
export function attemptKey(id: string): string {
  return `attempt:${id}`;
}

/**
 * The name of the keychain entry for a session that a client is migrating; `id` is a digest of
 * issuer and client id.
 */
export function migrationKey(id: string): string {
  return `take-over:${id}`;
}

/**
 * Leaves out what can be fetched again and is so long that a keyring might not take the refresh
 * token beside it: a long access token or ID token, and then as much as it takes, claims last.
 * Without a refresh token the access token is the secret, so it stays.
 */
export function formatRecord(record: SessionRecord): string {
  const { access, idToken, claims, ...rest } = record;
  const isSecret = record.renewable === false;
  const least = { access: isSecret ? access : null };
  const members = {
    access: access !== null && isLong(access.token) ? least.access : access,
    ...(idToken === undefined || isLong(idToken.token) ? {} : { idToken }),
    ...(claims === undefined ? {} : { claims }),
  };
  const { idToken: _idToken, ...withoutIdToken } = members;
  const withoutTokens = { ...withoutIdToken, ...least };
  const shorter = [members, withoutIdToken, withoutTokens, least].map((kept) =>
    JSON.stringify({ ...rest, ...kept }),
  );
  return shorter.find((text) => bytesOf(text) <= LIMITS.recordBytes) ?? shorter.at(-1) ?? '';
}

/** What a record keeps of it. */
export function keptFacts(
  { claims, idToken }: PersonFacts,
  keepIdToken: boolean,
): Pick<SessionRecord, 'claims' | 'idToken'> {
  return {
    ...(claims === undefined ? {} : { claims }),
    ...(keepIdToken && typeof idToken === 'object' ? { idToken } : {}),
  };
}

function isLong(token: string): boolean {
  return bytesOf(token) > LIMITS.recordMemberBytes;
}

/** As the keychain stores it: in a JSON string, in UTF-8. */
function bytesOf(text: string): number {
  return new TextEncoder().encode(JSON.stringify(text)).length;
}

/** Null: the session cannot be renewed. */
export function refreshTokenOf({ refreshToken, renewable }: SessionRecord): string | null {
  return renewable === false ? null : refreshToken;
}

/** `clientId` undefined: of any client; `issuer` undefined: of any issuer. */
export interface ExpectedRecord {
  readonly clientId: string | undefined;
  readonly accountId: string;
  readonly issuer?: string;
}

export function parseRecord(value: string, expected: ExpectedRecord): ParsedRecord {
  const record = parseJson(value) as Partial<SessionRecord> | null;
  if (record === null || typeof record !== 'object') return unreadable('not a record');
  const { clientId, account, refreshToken, scope, resources, savedAt, metadata, access, doubted } =
    record;
  const { renewable } = record;
  const { claims, idToken, signedOutAt } = record;
  if (typeof clientId !== 'string' || clientId === '')
    return unreadable('a record without a client id');
  // Checked before the version: what a later build of another app has written must not be replaced
  // either.
  if (expected.clientId !== undefined && clientId !== expected.clientId)
    return { state: 'foreign', clientId };
  if (record.version !== 1) return unreadable('a record of another version');
  if (!isAccount(account) || account.id !== expected.accountId)
    return unreadable('a record of another account');
  if (expected.issuer !== undefined && account.issuer !== expected.issuer)
    return unreadable('a record of another issuer');
  if (
    typeof refreshToken !== 'string' ||
    refreshToken === '' ||
    typeof scope !== 'string' ||
    typeof savedAt !== 'number' ||
    (renewable === false && !isAccess(access))
  )
    return unreadable('a damaged record');
  return {
    state: 'record',
    record: {
      version: 1,
      clientId,
      account: membersOf(account),
      refreshToken,
      ...(renewable === false ? { renewable } : {}),
      scope,
      ...(isTexts(resources) ? { resources } : {}),
      savedAt,
      ...(isMark(metadata) ? { metadata } : {}),
      access: isAccess(access) ? access : null,
      ...(doubted === true ? { doubted } : {}),
      ...(isObject(claims) ? { claims } : {}),
      ...(isAccess(idToken) && idToken.expiresAt !== null ? { idToken } : {}),
      ...(typeof signedOutAt === 'number' ? { signedOutAt } : {}),
    },
  };
}

/** Null for anything that is not an attempt of this client at this issuer. */
export function parseAttempt(
  value: string,
  expected: { readonly issuer: string; readonly clientId: string },
): AttemptRecord | null {
  const record = parseJson(value) as Partial<AttemptRecord> | null;
  if (record === null || typeof record !== 'object' || record.version !== 1) return null;
  if (record.issuer !== expected.issuer || record.clientId !== expected.clientId) return null;
  const { state, codeVerifier, nonce, redirectUri, startedAt, expiresAt, correlationId } = record;
  if (
    ![state, codeVerifier, nonce, redirectUri, correlationId].every(
      (text) => typeof text === 'string' && text !== '',
    )
  )
    return null;
  if (typeof startedAt !== 'number' || typeof expiresAt !== 'number') return null;
  if (record.demand === undefined) return record as AttemptRecord;
  // Without what was demanded, less would be checked than was asked for.
  const given: unknown = record.demand;
  if (typeof given !== 'object' || given === null) return null;
  const read = readDemand(given as Readonly<Record<string, unknown>>);
  return 'wrong' in read ? null : ({ ...record, demand: read.demand } as AttemptRecord);
}

/** Null for anything that is not a session to migrate, of this client at this issuer. */
export function parseMigration(
  value: string,
  expected: { readonly issuer: string; readonly clientId: string },
): MigrationRecord | null {
  const record = parseJson(value) as Partial<MigrationRecord> | null;
  if (record === null || typeof record !== 'object' || record.version !== 1) return null;
  if (record.issuer !== expected.issuer || record.clientId !== expected.clientId) return null;
  const { entry, source, refreshToken, scope, subject } = record;
  if (
    ![source, refreshToken].every((text) => typeof text === 'string' && text !== '') ||
    typeof scope !== 'string' ||
    typeof entry !== 'number'
  )
    return null;
  return subject === undefined || typeof subject === 'string' ? (record as MigrationRecord) : null;
}

/**
 * Null: a file of a later version, which must be neither used nor overwritten. Damaged parts become
 * empty lists.
 */
export function parseStateFileContent(value: unknown): StateFileContent | null {
  if (typeof value !== 'object' || value === null) return NO_ACCOUNTS;
  const { schemaVersion, lastAccountId, accounts, attempts, takeOver } = value as Record<
    string,
    unknown
  >;
  if (typeof schemaVersion === 'number' && schemaVersion > 1) return null;
  if (!Array.isArray(accounts)) return NO_ACCOUNTS;
  const storedState = accounts.filter(isKnownAccount).map((account) => ({
    ...membersOf(account),
    record: recordStateOf(account),
    ...stampOf(account),
  }));
  const last =
    typeof lastAccountId === 'string' && storedState.some((account) => account.id === lastAccountId)
      ? lastAccountId
      : null;
  return {
    schemaVersion: 1,
    lastAccountId: last,
    accounts: storedState,
    attempts: Array.isArray(attempts) ? attempts.filter(isKnownAttempt) : [],
    takeOver: parseKnownTakeOver(takeOver),
  };
}

/**
 * What the file gets. A build that does not know `suspended` would drop an entry with that word and
 * with it the session; it reads `kept`, and asks the provider once more, as this build does.
 */
export function formatStateFileContent(storedState: StateFileContent): StateFileContent {
  if (!storedState.accounts.some(({ record }) => record === 'suspended')) return storedState;
  const accounts = storedState.accounts.map((account) =>
    account.record === 'suspended'
      ? { ...account, record: 'kept' as const, suspended: true as const }
      : account,
  );
  return { ...storedState, accounts };
}

/**
 * The state with this account and what the keychain holds of it. `isLast`: it becomes the last
 * account. The same object when nothing changes.
 */
export function withAccount(
  storedState: StateFileContent,
  account: AccountView,
  record: KnownAccount['record'],
  isLast = true,
  stamp: Pick<KnownAccount, 'clientId' | 'apart'> = {},
): StateFileContent {
  const before = storedState.accounts.find(({ id }) => id === account.id);
  const isStamped =
    stamp.clientId === undefined ||
    (before?.clientId === stamp.clientId && before.apart === stamp.apart);
  const isSame =
    before?.record === record &&
    isStamped &&
    JSON.stringify(membersOf(before)) === JSON.stringify(membersOf(account));
  const others = storedState.accounts.filter(({ id }) => id !== account.id);
  const accounts = isSame
    ? storedState.accounts
    : [
        ...(isAnonymous(account) ? withoutAnonymous(others) : others),
        { ...account, record, ...stamp },
      ];
  const lastAccountId = isLast ? account.id : storedState.lastAccountId;
  return isSame && lastAccountId === storedState.lastAccountId
    ? storedState
    : { ...storedState, lastAccountId, accounts };
}

/**
 * The state with this account as the last one; the same object when it already is, or is not known.
 */
export function withLast(storedState: StateFileContent, accountId: string): StateFileContent {
  return storedState.lastAccountId === accountId ||
    !storedState.accounts.some(({ id }) => id === accountId)
    ? storedState
    : { ...storedState, lastAccountId: accountId };
}

/** The state with a new `record` for this account; the same object when nothing changes. */
export function withRecordState(
  storedState: StateFileContent,
  accountId: string,
  record: KnownAccount['record'],
): StateFileContent {
  if (
    !storedState.accounts.some((account) => account.id === accountId && account.record !== record)
  )
    return storedState;
  return {
    ...storedState,
    accounts: storedState.accounts.flatMap((account) => {
      if (account.id !== accountId) return [account];
      return record === 'none' && account.forgotten === true ? [] : [{ ...account, record }];
    }),
  };
}

/** The state without anything that says who this account is; without it, if nothing is stored. */
export function withoutPerson(storedState: StateFileContent, accountId: string): StateFileContent {
  if (!storedState.accounts.some(({ id }) => id === accountId)) return storedState;
  const { lastAccountId } = storedState;
  return {
    ...storedState,
    lastAccountId: lastAccountId === accountId ? null : lastAccountId,
    accounts: storedState.accounts.flatMap((account) => {
      if (account.id !== accountId) return [account];
      const { id, issuer, subject, record } = account;
      if (record === 'none') return [];
      const { last: _last, ...stamp } = stampOf(account);
      const name = isAnonymous(account) ? subject : id;
      return [{ id, issuer, subject: name, record, ...stamp, forgotten: true as const }];
    }),
  };
}

/** The record turned out to belong to another client: from now on its entry does too. */
export function withClient(
  storedState: StateFileContent,
  accountId: string,
  clientId: string,
): StateFileContent {
  if (!storedState.accounts.some(({ id }) => id === accountId)) return storedState;
  return {
    ...storedState,
    accounts: storedState.accounts.map((account) =>
      account.id === accountId ? { ...account, record: 'kept', clientId } : account,
    ),
  };
}

/**
 * Nobody can sign in again as an anonymous person: an ended session is useless, and an entry
 * without a session says nothing.
 */
function withoutAnonymous(accounts: readonly KnownAccount[]): readonly KnownAccount[] {
  return accounts.flatMap((account) => {
    if (!isAnonymous(account)) return [account];
    if (account.record === 'refused') return [{ ...account, record: 'removal-owed' as const }];
    // Without its entry the record could never be found again.
    return account.record === 'none' ? [] : [account];
  });
}

export function accountOf(account: KnownAccount): AccountView {
  return membersOf(account);
}

function isAccount(value: unknown): value is AccountView {
  if (typeof value !== 'object' || value === null) return false;
  const { id, issuer, subject, name, username, email, picture } = value as Record<string, unknown>;
  return (
    [id, issuer, subject].every((text) => typeof text === 'string' && text !== '') &&
    [name, username, email, picture].every((text) => text === undefined || typeof text === 'string')
  );
}

/** Some earlier builds wrote the word `suspended` itself. */
function recordStateOf({ record, suspended }: KnownAccount): KnownAccount['record'] {
  return record === 'kept' && suspended === true ? 'suspended' : record;
}

/** What an entry says about its owner and its place in the keychain. */
function stampOf({
  clientId,
  last,
  apart,
  forgotten,
}: KnownAccount): Pick<KnownAccount, 'clientId' | 'last' | 'apart' | 'forgotten'> {
  return {
    ...(typeof clientId === 'string' && clientId !== '' ? { clientId } : {}),
    ...(last === true ? { last } : {}),
    ...(apart === true ? { apart } : {}),
    ...(forgotten === true ? { forgotten } : {}),
  };
}

/** Only the members that this version knows, because pages get the account unchanged. */
function membersOf({
  id,
  issuer,
  subject,
  name,
  username,
  email,
  picture,
}: AccountView): AccountView {
  const optional = Object.entries({ name, username, email, picture }).filter(
    ([, value]) => value !== undefined,
  );
  return { id, issuer, subject, ...Object.fromEntries(optional) };
}

function isKnownAccount(value: unknown): value is KnownAccount {
  return (
    isAccount(value) &&
    ['kept', 'none', 'removal-owed', 'suspended', 'refused'].includes(
      (value as Partial<KnownAccount>).record ?? '',
    )
  );
}

function isKnownAttempt(value: unknown): value is KnownAttempt {
  if (typeof value !== 'object' || value === null) return false;
  const { id, expiresAt, issuer, clientId } = value as Record<string, unknown>;
  const isStamp = [issuer, clientId].every(
    (text) => text === undefined || typeof text === 'string',
  );
  return isStamp && typeof id === 'string' && id !== '' && typeof expiresAt === 'number';
}

function parseKnownTakeOver(value: unknown): KnownMigration {
  const { stage, tried, issuer, clientId } = (
    typeof value === 'object' && value !== null ? value : {}
  ) as Record<string, unknown>;
  return {
    ...(typeof issuer === 'string' ? { issuer } : {}),
    ...(typeof clientId === 'string' ? { clientId } : {}),
    stage: stage === 'proving' || stage === 'cleaning' ? stage : 'none',
    tried: Array.isArray(tried) ? tried.filter((digest) => typeof digest === 'string') : [],
  };
}

/** Of an access token, and of an ID token. */
function isAccess(value: unknown): value is NonNullable<SessionRecord['access']> {
  if (typeof value !== 'object' || value === null) return false;
  const { token, obtainedAt, expiresAt } = value as Record<string, unknown>;
  return (
    typeof token === 'string' &&
    token !== '' &&
    typeof obtainedAt === 'number' &&
    (expiresAt === null || typeof expiresAt === 'number')
  );
}

function isObject(value: unknown): value is SessionClaims {
  return typeof value === 'object' && value !== null;
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((text) => typeof text === 'string');
}

function isMark(value: unknown): value is MetadataMark {
  if (typeof value !== 'object' || value === null) return false;
  const { digest, fetchedAt, freshMs } = value as Record<string, unknown>;
  return typeof digest === 'string' && typeof fetchedAt === 'number' && typeof freshMs === 'number';
}

function unreadable(detail: string): ParsedRecord {
  return { state: 'unreadable', detail };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
