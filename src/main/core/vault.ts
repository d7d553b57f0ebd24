// Sessions at rest: the keychain's records and the file that remembers which records must exist.
// Answers with what the session machine understands; never deletes what it could not read, never throws.
import type { AccountView, SignedOutReason } from '../../contract.js';
import { AuthError } from './errors.js';
import type { KnownState } from './known-state.js';
import type { KnownAccount, Log, SecretStore } from './ports.js';
import { type SessionRecord, accountOf, formatRecord, parseRecord, recordKey, withAccount, withLast, withRecordState } from './records.js';

export interface Vault {
  /** Whom to restore, or who was last and why not. Sweeps what a sign-out could not remove. */
  load(): { readonly restore: AccountView | null; readonly last: AccountView | null; readonly reason: SignedOutReason };
  /** `correlationId` goes to what is told of it, here and below. */
  read(account: AccountView, correlationId?: string): Promise<VaultReading>;
  /**
   * Null when stored and read back. The file learns of the account before the keychain does; when it cannot be written the
   * keychain gets the record all the same, for other processes and this one's next try, and the answer is `storage-failed`.
   * `isActive` false: the next start restores another account.
   */
  write(record: SessionRecord, correlationId?: string, isActive?: boolean): Promise<AuthError | null>;
  /** The next start restores this account. */
  choose(account: AccountView): Promise<void>;
  /** The record is not restored any more, whether or not its removal succeeds. */
  oweRemoval(account: AccountView): Promise<void>;
  /** Resolves when the removal was tried; what could not be removed is owed. */
  remove(account: AccountView): Promise<void>;
  /** The provider refused it, but did not end it: the record stays, and the next start asks once more. */
  suspend(account: AccountView): Promise<void>;
  /** The provider ended it: the record stays, but is not restored any more. */
  markRefused(account: AccountView): Promise<void>;
}

export type VaultReading =
  | { readonly state: 'record'; readonly record: SessionRecord; readonly suspended?: true }
  | { readonly state: 'absent' }
  | { readonly state: 'withheld'; readonly error: AuthError };

// Nothing is read or written before the file was: it would be lost with the list, or overwrite a later version's.
export function createVault(secrets: SecretStore, known: KnownState, clientId: string, log: Log): Vault {
  return { load, read, write, choose, oweRemoval, remove, suspend, markRefused };

  function load(): { restore: AccountView | null; last: AccountView | null; reason: SignedOutReason } {
    const { accounts, lastAccountId } = known.current();
    for (const account of accounts) {
      if (account.record === 'removal-owed') void remove(accountOf(account));
    }
    const last = accounts.find(({ id }) => id === lastAccountId);
    if (last === undefined) return { restore: null, last: null, reason: 'never' };
    const account = accountOf(last);
    return { restore: isThere(last.record) ? account : null, last: account, reason: last.record === 'refused' ? 'ended' : 'signed-out' };
  }

  async function read(account: AccountView, correlationId?: string): Promise<VaultReading> {
    await known.loaded();
    const reading = await secrets.read(recordKey(account.id), isThere(stateOf(account.id)));
    switch (reading.state) {
      case 'found': {
        const parsed = parseRecord(reading.value, { clientId, accountId: account.id });
        if (parsed.state === 'record') return stateOf(account.id) === 'suspended' ? { ...parsed, suspended: true } : parsed;
        log.write({ level: 'warn', event: 'record-unreadable', correlationId, fields: { detail: parsed.detail } });
        return { state: 'withheld', error: new AuthError('keyring-unavailable', `the stored session cannot be read: ${parsed.detail}`) };
      }
      case 'absent':
        await known.update((state) => withRecordState(state, account.id, 'none'));
        return { state: 'absent' };
      case 'locked':
        log.write({ level: 'warn', event: 'keyring-locked', correlationId, fields: { detail: reading.detail } });
        return { state: 'withheld', error: lockedError() };
      case 'unavailable':
        log.write({ level: 'warn', event: 'keyring-unavailable', correlationId, fields: { detail: reading.detail } });
        return { state: 'withheld', error: new AuthError('keyring-unavailable', 'no keyring answers') };
    }
  }

  async function write(record: SessionRecord, correlationId?: string, isActive = true): Promise<AuthError | null> {
    await known.loaded();
    const before = stateOf(record.account.id);
    const noted = await known.update((state) => withAccount(state, record.account, 'kept', isActive));
    const outcome = await secrets.write(recordKey(record.account.id), formatRecord(record));
    if (outcome.state === 'done') return noted ? null : new AuthError('storage-failed', 'the file that leads the next start to the session could not be written');
    log.write({ level: 'warn', event: `keyring-${outcome.state}`, correlationId, fields: { detail: outcome.detail } });
    // Whatever was there still is: an older record, perhaps one that is owed a removal. A sign-out meanwhile has the last word.
    if (stateOf(record.account.id) === 'kept') await known.update((state) => withRecordState(state, record.account.id, before));
    return outcome.state === 'locked' ? lockedError() : new AuthError('keyring-unavailable', 'no keyring took the session');
  }

  async function choose(account: AccountView): Promise<void> {
    await known.loaded();
    await known.update((state) => withLast(state, account.id));
  }

  async function oweRemoval(account: AccountView): Promise<void> {
    await known.loaded();
    if (stateOf(account.id) !== 'none') await known.update((state) => withRecordState(state, account.id, 'removal-owed'));
  }

  async function remove(account: AccountView): Promise<void> {
    await oweRemoval(account);
    if (stateOf(account.id) === 'none') return;
    const outcome = await secrets.remove(recordKey(account.id));
    // Signed in again meanwhile: the record is a new one and stays.
    if (outcome.state === 'done' && stateOf(account.id) === 'removal-owed') await known.update((state) => withRecordState(state, account.id, 'none'));
    if (outcome.state !== 'done') log.write({ level: 'warn', event: 'record-removal-owed', fields: { detail: outcome.detail } });
  }

  async function suspend(account: AccountView): Promise<void> {
    await known.loaded();
    // One that no keyring took, or that a sign-out owes, stays what it is.
    await known.update((state) => (state.accounts.some(({ id, record }) => id === account.id && record === 'kept') ? withRecordState(state, account.id, 'suspended') : state));
  }

  async function markRefused(account: AccountView): Promise<void> {
    await known.loaded();
    await known.update((state) => withRecordState(state, account.id, 'refused'));
  }

  function stateOf(accountId: string): KnownAccount['record'] {
    return known.current().accounts.find(({ id }) => id === accountId)?.record ?? 'none';
  }
}

function isThere(record: KnownAccount['record']): boolean {
  return record === 'kept' || record === 'suspended';
}

function lockedError(): AuthError {
  return new AuthError('keyring-locked', 'the keyring is locked');
}
