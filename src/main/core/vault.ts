// Sessions at rest: the keychain's records and the file that remembers which records must exist.
// Answers with what the session machine understands; never deletes what it could not read, never throws.
import type { AccountView, SignedOutReason } from '../../contract.js';
import { AuthError } from './errors.js';
import type { KnownAccount, KnownAccounts, Log, SecretStore, StateStore } from './ports.js';
import { NO_ACCOUNTS, type SessionRecord, accountOf, formatRecord, parseKnownAccounts, parseRecord, recordKey, withAccount, withRecordState } from './records.js';

export interface Vault {
  /** Whom to restore, or who was last and why not. Sweeps what a sign-out could not remove. */
  load(): Promise<{ readonly restore: AccountView | null; readonly last: AccountView | null; readonly reason: SignedOutReason }>;
  read(account: AccountView): Promise<VaultReading>;
  /** Null when stored and read back. The file learns of the account before the keychain does. */
  write(record: SessionRecord): Promise<AuthError | null>;
  /** Resolves when the removal was tried; what could not be removed is owed. */
  remove(account: AccountView): Promise<void>;
  /** The provider ended it: the record stays, but is not restored any more. */
  markRefused(account: AccountView): Promise<void>;
}

export type VaultReading =
  | { readonly state: 'record'; readonly record: SessionRecord }
  | { readonly state: 'absent' }
  | { readonly state: 'withheld'; readonly error: AuthError };

export function createVault(secrets: SecretStore, file: StateStore, clientId: string, log: Log): Vault {
  let known: KnownAccounts = NO_ACCOUNTS;
  // A file of a later version belongs to a newer build: it is left exactly as it is.
  let writable = true;
  let saving: Promise<void> = Promise.resolve();
  // Nothing is written before the file was read: it would be lost with the list, or overwrite a later version's.
  let loading: Promise<unknown> = Promise.resolve();

  return {
    load() {
      const loaded = load();
      loading = loaded;
      return loaded;
    },
    read, write, remove, markRefused,
  };

  async function load(): Promise<{ restore: AccountView | null; last: AccountView | null; reason: SignedOutReason }> {
    const parsed = parseKnownAccounts(await file.load().catch(() => null));
    if (parsed === null) {
      writable = false;
      log.write({ level: 'warn', event: 'state-file-newer' });
    }
    known = parsed ?? NO_ACCOUNTS;
    for (const account of known.accounts) {
      if (account.record === 'removal-owed') void remove(accountOf(account));
    }
    const last = known.accounts.find(({ id }) => id === known.lastAccountId);
    if (last === undefined) return { restore: null, last: null, reason: 'never' };
    const account = accountOf(last);
    return { restore: last.record === 'kept' ? account : null, last: account, reason: last.record === 'refused' ? 'ended' : 'signed-out' };
  }

  async function read(account: AccountView): Promise<VaultReading> {
    await loading;
    const expected = stateOf(account.id) === 'kept';
    const reading = await secrets.read(recordKey(account.id), expected);
    switch (reading.state) {
      case 'found': {
        const parsed = parseRecord(reading.value, { clientId, accountId: account.id });
        if (parsed.state === 'record') return parsed;
        log.write({ level: 'warn', event: 'record-unreadable', fields: { detail: parsed.detail } });
        return { state: 'withheld', error: new AuthError('keyring-unavailable', `the stored session cannot be read: ${parsed.detail}`) };
      }
      case 'absent':
        await update(withRecordState(known, account.id, 'none'));
        return { state: 'absent' };
      case 'locked':
        log.write({ level: 'warn', event: 'keyring-locked', fields: { detail: reading.detail } });
        return { state: 'withheld', error: lockedError() };
      case 'unavailable':
        log.write({ level: 'warn', event: 'keyring-unavailable', fields: { detail: reading.detail } });
        return { state: 'withheld', error: new AuthError('keyring-unavailable', 'no keyring answers') };
    }
  }

  async function write(record: SessionRecord): Promise<AuthError | null> {
    await loading;
    const before = stateOf(record.account.id);
    await update(withAccount(known, record.account, 'kept'));
    const outcome = await secrets.write(recordKey(record.account.id), formatRecord(record));
    if (outcome.state === 'done') return null;
    log.write({ level: 'warn', event: `keyring-${outcome.state}`, fields: { detail: outcome.detail } });
    // Whatever was there still is: an older record, perhaps one that is owed a removal. A sign-out meanwhile has the last word.
    if (stateOf(record.account.id) === 'kept') await update(withRecordState(known, record.account.id, before));
    return outcome.state === 'locked' ? lockedError() : new AuthError('keyring-unavailable', 'no keyring took the session');
  }

  async function remove(account: AccountView): Promise<void> {
    await loading;
    if (stateOf(account.id) === 'none') return;
    await update(withRecordState(known, account.id, 'removal-owed'));
    const outcome = await secrets.remove(recordKey(account.id));
    // Signed in again meanwhile: the record is a new one and stays.
    if (outcome.state === 'done' && stateOf(account.id) === 'removal-owed') await update(withRecordState(known, account.id, 'none'));
    if (outcome.state !== 'done') log.write({ level: 'warn', event: 'record-removal-owed', fields: { detail: outcome.detail } });
  }

  async function markRefused(account: AccountView): Promise<void> {
    await loading;
    await update(withRecordState(known, account.id, 'refused'));
  }

  function stateOf(accountId: string): KnownAccount['record'] {
    return known.accounts.find(({ id }) => id === accountId)?.record ?? 'none';
  }

  function update(next: KnownAccounts): Promise<void> {
    if (next === known) return saving;
    known = next;
    saving = saving.then(async () => {
      if (!writable) return;
      await file.save(known).catch(() => { log.write({ level: 'error', event: 'state-file-unwritable' }); });
    });
    return saving;
  }
}

function lockedError(): AuthError {
  return new AuthError('keyring-locked', 'the keyring is locked');
}
