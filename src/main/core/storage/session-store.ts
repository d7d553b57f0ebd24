// Stores sessions: the keychain records, and the state file that remembers which records must
// exist. Never deletes what it could not read, and never throws. Neither uses nor changes what
// another client or issuer has left, except that it also does a removal that they owe.
import type { AccountView, SignedOutReason } from '../../../contract.js';
import { AuthError } from '../base/errors.js';
import type { StoredState } from './stored-state.js';
import type { KnownAccount, Log, MetadataMark, SecretOutcome, SecretStore } from '../base/ports.js';
import {
  type SessionRecord,
  accountOf,
  formatRecord,
  recordKey,
  withAccount,
  withLast,
  withRecordState,
  withoutPerson,
} from './records.js';
import { keyringError } from './keyring-error.js';
import { type Found, createRecordPlaces } from './record-places.js';

export interface SessionStore {
  /** Which account to restore; or else which account was the last one, and why not. */
  load(): {
    readonly restore: AccountView | null;
    readonly last: AccountView | null;
    readonly reason: SignedOutReason;
  };
  /** Log events carry `correlationId`, here and below. */
  read(account: AccountView, correlationId?: string): Promise<SessionReading>;
  /**
   * Null when the record is stored and was read back. The account is noted in the file before the
   * keychain gets the record. If the file cannot be written, the keychain still gets the record,
   * for other processes and for this one's next try, and the answer is `storage-failed`. `isActive`
   * false: the next start restores another account.
   */
  write(
    record: SessionRecord,
    correlationId?: string,
    isActive?: boolean,
  ): Promise<AuthError | null>;
  /** The next start restores this account. */
  choose(account: AccountView): Promise<void>;
  /**
   * From now on the record is never restored, whether or not its removal succeeds. False: there is
   * none.
   */
  oweRemoval(account: AccountView): Promise<boolean>;
  /**
   * Removes the record only if its removal is owed, also in the file as it is now. Resolves after
   * one try; if it fails, the removal is still owed.
   */
  remove(account: AccountView): Promise<void>;
  /** The refresh token of a record whose removal is owed. `none`: there is none that can be read. */
  readOwed(account: AccountView): Promise<OwedReading>;
  /**
   * Leaves only the refresh token of a record whose removal is owed, so that it is no session any
   * more. `token` null: the one in the record. `create`: also where nothing was stored. Resolves
   * with the time of the sign-out, or null if the keyring did not do it.
   */
  keepToken(
    account: AccountView,
    token: () => string | null,
    now: number,
    create?: boolean,
  ): Promise<number | null>;
  /**
   * Removes what says who this account is. False: the disk did not take it. What is still owed keeps
   * an entry without a name.
   */
  forget(accountId: string): Promise<boolean>;
  /** What the keychain should hold of this account, by the file as it is now. */
  recordState(account: AccountView): Promise<KnownAccount['record']>;
  /** The accounts of this issuer and client whose removal is owed. */
  owed(): readonly AccountView[];
  /** Accounts whose removal other issuers and clients owe, with the client id if it is known. */
  owedByOthers(): readonly KnownAccount[];
  /** The same as `remove`, for one of those. Reads the file again first: its content counts. */
  removeOfOthers(entry: KnownAccount): Promise<void>;
  /**
   * The provider refused the session, but did not end it: the record stays, and the next start asks
   * again.
   */
  suspend(account: AccountView): Promise<void>;
  /** The provider ended the session: the record stays, but is not restored any more. */
  markRefused(account: AccountView): Promise<void>;
  /** The key under which the record with this usual key really is. */
  placeOf(key: string): string;
}

/** `foreign`: the record there belongs to another client. */
export type SessionReading =
  | { readonly state: 'record'; readonly record: SessionRecord; readonly suspended?: true }
  | { readonly state: 'absent'; readonly foreign?: true }
  | { readonly state: 'withheld'; readonly error: AuthError };

export type OwedReading =
  | { readonly state: 'token'; readonly token: string; readonly metadata?: MetadataMark }
  | { readonly state: 'none' | 'locked' };

// Nothing is read or written before the file is read: a change could be lost with the list, or
// overwrite a record of a later version.
export function createSessionStore(
  secrets: SecretStore,
  storedState: StoredState,
  clientId: string,
  log: Log,
): SessionStore {
  const { find, placeFor, isTaken, leave, soughtOf, stateOf } = createRecordPlaces(
    secrets,
    storedState,
    clientId,
  );
  /** The key where a record was last found or written, by its usual key. */
  const places = new Map<string, string>();
  /** How many times `oweRemoval` was called, by account. */
  const signOuts = new Map<string, number>();

  return {
    load,
    read,
    write,
    choose,
    oweRemoval,
    remove,
    readOwed,
    keepToken,
    recordState,
    forget: async (accountId) => {
      await storedState.loaded();
      return storedState.update((state) => withoutPerson(state, accountId));
    },
    owed,
    owedByOthers,
    removeOfOthers,
    // A session that no keyring stored keeps its state, and what a sign-out owes it owes still: that
    // may have been in another process.
    suspend: (account) => mark(account, ['kept'], 'suspended'),
    markRefused: (account) => mark(account, ['kept', 'suspended', 'none'], 'refused'),
    placeOf: (key) => places.get(key) ?? key,
  };

  function load(): ReturnType<SessionStore['load']> {
    const { accounts, lastAccountId } = storedState.current();
    const last = accounts.find(({ id }) => id === lastAccountId);
    if (last === undefined) return { restore: null, last: null, reason: 'never' };
    const account = accountOf(last);
    return {
      restore: isThere(last.record) ? account : null,
      last: account,
      reason: last.record === 'refused' ? 'ended' : 'signed-out',
    };
  }

  async function read(account: AccountView, correlationId?: string): Promise<SessionReading> {
    await storedState.loaded();
    const found = await find(soughtOf(account), isThere(stateOf(account.id)));
    switch (found.state) {
      case 'record':
        places.set(recordKey(account.id), found.key);
        // The disk did not take the word of the sign-out, but the keychain did.
        if (found.record.signedOutAt !== undefined) {
          await storedState.update((state) => withRecordState(state, account.id, 'removal-owed'));
          return { state: 'absent' };
        }
        return {
          state: 'record',
          record: found.record,
          ...(stateOf(account.id) === 'suspended' ? { suspended: true } : {}),
        };
      case 'unreadable':
        log.write({
          level: 'warn',
          event: 'record-unreadable',
          correlationId,
          fields: { detail: found.detail },
        });
        return {
          state: 'withheld',
          error: new AuthError(
            'keyring-unavailable',
            `the stored session cannot be used: it is ${found.detail}`,
          ),
        };
      case 'foreign':
        await leave(account, found.clientId);
        return { state: 'absent', foreign: true };
      case 'absent':
        await storedState.update((state) => withRecordState(state, account.id, 'none'));
        return { state: 'absent' };
      case 'locked':
      case 'unavailable':
        log.write({
          level: 'warn',
          event: `keyring-${found.state}`,
          correlationId,
          fields: { detail: found.detail },
        });
        return { state: 'withheld', error: keyringError(found, 'session') };
    }
  }

  async function write(
    record: SessionRecord,
    correlationId?: string,
    isActive = true,
  ): Promise<AuthError | null> {
    await storedState.loaded();
    const { account } = record;
    const since = signOuts.get(account.id);
    const key = places.get(recordKey(account.id)) ?? (await placeFor(account));
    // Nothing is noted yet that the sign-out could have undone.
    if (signOuts.get(account.id) !== since)
      return new AuthError('signed-out', 'signed out before the session was stored');
    const before = stateOf(account.id);
    const stamp = { clientId, ...(key === recordKey(account.id) ? {} : { apart: true as const }) };
    const noted = await storedState.update((state) =>
      withAccount(state, account, 'kept', isActive, stamp),
    );
    const outcome = await secrets.write(key, formatRecord(record));
    if (outcome.state === 'done') {
      places.set(recordKey(account.id), key);
      return noted
        ? null
        : new AuthError(
            'storage-failed',
            'the state file, which names the session for the next start, could not be written',
          );
    }
    log.write({
      level: 'warn',
      event: `keyring-${outcome.state}`,
      correlationId,
      fields: { detail: outcome.detail },
    });
    // The keychain still has what it had before: an older record, perhaps one whose removal is
    // owed. A sign-out in the meantime wins.
    if (stateOf(account.id) === 'kept')
      await storedState.update((state) => withRecordState(state, account.id, before));
    return keyringError(outcome, 'session');
  }

  async function choose(account: AccountView): Promise<void> {
    await storedState.loaded();
    await storedState.update((state) => withLast(state, account.id));
  }

  async function oweRemoval(account: AccountView): Promise<boolean> {
    await storedState.loaded();
    signOuts.set(account.id, (signOuts.get(account.id) ?? 0) + 1);
    if (stateOf(account.id) === 'none') return false;
    await storedState.update((state) => withRecordState(state, account.id, 'removal-owed'));
    return true;
  }

  async function recordState(account: AccountView): Promise<KnownAccount['record']> {
    await storedState.loaded();
    await storedState.refresh();
    return stateOf(account.id);
  }

  async function readOwed(account: AccountView): Promise<OwedReading> {
    await storedState.loaded();
    const found = await find(soughtOf(account), true);
    if (found.state === 'locked') tellOwed(found.detail);
    if (found.state !== 'record') return { state: found.state === 'locked' ? 'locked' : 'none' };
    const { refreshToken, metadata } = found.record;
    return {
      state: 'token',
      token: refreshToken,
      ...(metadata === undefined ? {} : { metadata }),
    };
  }

  async function keepToken(
    account: AccountView,
    token: () => string | null,
    now: number,
    create = false,
  ): Promise<number | null> {
    const { id, issuer } = account;
    const state = await recordState(account);
    if (state !== 'removal-owed' && !(create && state === 'none')) return null;
    const found = state === 'none' ? null : await find(soughtOf(account), true);
    const before = found?.state === 'record' ? found.record : null;
    const refreshToken = token() ?? before?.refreshToken;
    const isThere = before !== null || (create && (found === null || found.state === 'absent'));
    if (refreshToken === undefined || !isThere) return null;
    // A time that is still to come is of a clock that was wrong.
    if (
      before?.signedOutAt !== undefined &&
      before.signedOutAt <= now &&
      before.refreshToken === refreshToken
    )
      return before.signedOutAt;
    const key = found?.key ?? (await placeFor(account));
    if (found === null) {
      const stamp = { clientId, ...(key === recordKey(id) ? {} : { apart: true as const }) };
      await storedState.update((file) =>
        file.accounts.some((entry) => entry.id === id)
          ? withAccount(file, account, 'removal-owed', false, stamp)
          : // The person was forgotten meanwhile.
            withoutPerson(withAccount(file, account, 'removal-owed', false, stamp), id),
      );
    }
    if (stateOf(id) !== 'removal-owed') return null;
    const outcome = await secrets.write(
      key,
      formatRecord({
        version: 1,
        clientId,
        account: { id, issuer, subject: id },
        refreshToken,
        scope: before?.scope ?? '',
        savedAt: now,
        ...(before?.metadata === undefined ? {} : { metadata: before.metadata }),
        access: null,
        signedOutAt: now,
      }),
    );
    if (outcome.state !== 'done') tellOwed(outcome.detail);
    return outcome.state === 'done' ? now : null;
  }

  async function remove(account: AccountView): Promise<void> {
    const isOwed = (): boolean => stateOf(account.id) === 'removal-owed';
    if ((await recordState(account)) !== 'removal-owed') return;
    const found = await find(soughtOf(account), true);
    if (found.state === 'foreign') return leave(account, found.clientId);
    // The person has signed in again in the meantime: the new record stays.
    if (!isOwed()) return;
    const outcome = await removeFound(found, account.id);
    places.delete(recordKey(account.id));
    if (outcome.state === 'done' && isOwed())
      await storedState.update((state) => withRecordState(state, account.id, 'none'));
    if (outcome.state !== 'done') tellOwed(outcome.detail);
  }

  function tellOwed(detail: string): void {
    log.write({ level: 'warn', event: 'record-removal-owed', fields: { detail } });
  }

  function owed(): readonly AccountView[] {
    return storedState
      .current()
      .accounts.filter(({ record }) => record === 'removal-owed')
      .map(accountOf);
  }

  function owedByOthers(): readonly KnownAccount[] {
    const { accounts } = storedState.current();
    return storedState
      .everybody()
      .accounts.filter((entry) => entry.record === 'removal-owed' && !accounts.includes(entry));
  }

  async function removeOfOthers({ id, clientId: other }: KnownAccount): Promise<void> {
    const isIt = (one: KnownAccount): boolean =>
      one.id === id && one.clientId === other && one.record === 'removal-owed';
    // The other owner may have signed in again in another process.
    await storedState.refresh();
    const entry = owedByOthers().find(isIt);
    if (entry === undefined) return;
    const found = await find({ ...entry, clientId: other }, true);
    const outcome = found.state === 'record' ? await secrets.remove(found.key) : found;
    if (outcome.state === 'done' || outcome.state === 'absent' || outcome.state === 'foreign') {
      await storedState.updateEverybody((state) => ({
        ...state,
        accounts: state.accounts.map((one) =>
          isIt(one) ? { ...one, record: 'none' as const } : one,
        ),
      }));
    } else tellOwed(outcome.detail);
  }

  async function mark(
    { id }: AccountView,
    from: readonly KnownAccount['record'][],
    to: KnownAccount['record'],
  ): Promise<void> {
    await storedState.loaded();
    await storedState.update((state) =>
      state.accounts.some((entry) => entry.id === id && from.includes(entry.record))
        ? withRecordState(state, id, to)
        : state,
    );
  }

  async function removeFound(found: Found, id: string): Promise<SecretOutcome> {
    if (found.state === 'absent') return { state: 'done' };
    if (found.state === 'locked') return found;
    // A record that cannot be decrypted is removed unread, because the person wants it gone; but
    // not when it may belong to another client.
    if (found.state === 'unavailable' && isTaken(id)) return found;
    return secrets.remove(found.key);
  }
}

function isThere(record: KnownAccount['record']): boolean {
  return record === 'kept' || record === 'suspended';
}
