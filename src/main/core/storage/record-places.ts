// Where the keychain has the record of an account: under the usual key, or, if another client uses
// that, under the key of this client. Removes and writes no record; notes in the state file whose
// record was found.
import type { AccountView } from '../../../contract.js';
import { digestOf } from '../base/digest.js';
import type { KnownAccount, SecretOutcome, SecretStore } from '../base/ports.js';
import {
  type ParsedRecord,
  clientRecordKey,
  parseRecord,
  recordKey,
  withClient,
  withRecordState,
} from './records.js';
import type { StoredState } from './stored-state.js';

export type Found = (
  ParsedRecord | { readonly state: 'absent' } | Exclude<SecretOutcome, { state: 'done' }>
) & { readonly key: string };

/** The record that is looked for; `clientId` undefined: its client is unknown. */
export type Sought = Pick<KnownAccount, 'id' | 'issuer' | 'apart'> & {
  readonly clientId: string | undefined;
};

export interface RecordPlaces {
  readonly find: (sought: Sought, expected: boolean) => Promise<Found>;
  /**
   * The key for a record that this process has neither read nor written yet. Never the key of
   * another client's record.
   */
  readonly placeFor: (account: Pick<AccountView, 'id' | 'issuer'>) => Promise<string>;
  /** True when the file names another client whose record has the account's usual key. */
  readonly isTaken: (id: string) => boolean;
  /** The record there belongs to another client. */
  readonly leave: (account: Pick<AccountView, 'id'>, other: string) => Promise<void>;
  readonly soughtOf: (account: Pick<AccountView, 'id' | 'issuer'>) => Sought;
  readonly stateOf: (accountId: string) => KnownAccount['record'];
}

export function createRecordPlaces(
  secrets: SecretStore,
  storedState: StoredState,
  clientId: string,
): RecordPlaces {
  return { find, placeFor, isTaken, leave, soughtOf, stateOf };

  /**
   * Finds the record and its key. If another client has the account's usual entry, reads the entry
   * of this client.
   */
  async function find(sought: Sought, expected: boolean): Promise<Found> {
    const usual = recordKey(sought.id);
    if (sought.apart !== true) {
      const found = await readAt(usual, sought, expected);
      if (found.state !== 'foreign') return found;
      const own =
        sought.clientId === undefined
          ? null
          : await readAt(await keyApart(sought.id, sought.clientId), sought, false);
      return own === null || own.state === 'absent' || own.state === 'foreign' ? found : own;
    }
    return readAt(await keyApart(sought.id, sought.clientId ?? ''), sought, expected);
  }

  async function readAt(
    key: string,
    { id, issuer, clientId: owner }: Sought,
    expected: boolean,
  ): Promise<Found> {
    const reading = await secrets.read(key, expected);
    return {
      ...(reading.state === 'found'
        ? parseRecord(reading.value, { clientId: owner, accountId: id, issuer })
        : reading),
      key,
    };
  }

  /**
   * The key for a record that this process has neither read nor written yet. Never the key of
   * another client's record.
   */
  async function placeFor({ id, issuer }: Pick<AccountView, 'id' | 'issuer'>): Promise<string> {
    const usual = recordKey(id);
    if (entryOf(id)?.apart === true || isTaken(id)) return keyApart(id, clientId);
    const reading = await secrets.read(usual, false);
    const parsed =
      reading.state === 'found'
        ? parseRecord(reading.value, { clientId, accountId: id, issuer })
        : null;
    if (parsed?.state !== 'foreign') return usual;
    if (entryOf(id) !== undefined && entryOf(id)?.clientId === undefined)
      await leaveTo(id, parsed.clientId);
    return keyApart(id, clientId);
  }

  /** True when the file names another client whose record has the account's usual key. */
  function isTaken(id: string): boolean {
    const own = entryOf(id);
    return storedState
      .everybody()
      .accounts.some(
        (entry) =>
          entry.id === id && entry !== own && entry.record !== 'none' && entry.apart !== true,
      );
  }

  /** An entry of an earlier build does not name its client; the record does. */
  async function leave({ id }: Pick<AccountView, 'id'>, other: string): Promise<void> {
    if (entryOf(id)?.clientId === undefined) await leaveTo(id, other);
    else await storedState.update((state) => withRecordState(state, id, 'none'));
  }

  async function leaveTo(id: string, other: string): Promise<void> {
    await storedState.update((state) => withClient(state, id, other));
  }

  function soughtOf({ id, issuer }: Pick<AccountView, 'id' | 'issuer'>): Sought {
    return { id, issuer, clientId, ...(entryOf(id)?.apart === true ? { apart: true } : {}) };
  }

  function entryOf(id: string): KnownAccount | undefined {
    return storedState.current().accounts.find((entry) => entry.id === id);
  }

  function stateOf(accountId: string): KnownAccount['record'] {
    return entryOf(accountId)?.record ?? 'none';
  }
}

async function keyApart(accountId: string, clientId: string): Promise<string> {
  return clientRecordKey(accountId, await digestOf(clientId));
}
