// The keychain record and the file of known accounts: what was written comes back, what is damaged
// never throws.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  NO_ACCOUNTS,
  type SessionRecord,
  accountOf,
  formatRecord,
  formatStateFileContent,
  parseStateFileContent,
  parseRecord,
  recordKey,
  refreshTokenOf,
  withAccount,
  withLast,
  withRecordState,
} from '../../../src/main/core/storage/records.js';

const account = { id: 'ada-id', issuer: 'https://id.example', subject: 'ada', name: 'Ada' };
const record: SessionRecord = {
  version: 1,
  clientId: 'notes',
  account,
  refreshToken: 'secret-refresh',
  scope: 'read',
  savedAt: 7,
  access: { token: 'secret-access', obtainedAt: 1, expiresAt: 2 },
};
const mine = { clientId: 'notes', accountId: 'ada-id', issuer: 'https://id.example' };

describe('parseRecord', () => {
  it('gives back what formatRecord made', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1, unit: 'binary' }),
        fc.string(),
        fc.integer(),
        (refreshToken, scope, savedAt) => {
          const written = { ...record, refreshToken, scope, savedAt };
          // A lone surrogate is no text that a keychain could hold; JSON escapes it.
          expect(parseRecord(formatRecord(written), mine)).toEqual({
            state: 'record',
            record: written,
          });
        },
      ),
    );
  });

  it('keeps the refresh token of a record whose access token is too long for a keyring, and leaves that out', () => {
    const access = (length: number, unit = 'x'): SessionRecord['access'] => ({
      token: unit.repeat(length),
      obtainedAt: 1,
      expiresAt: 2,
    });
    expect(parseRecord(formatRecord({ ...record, access: access(24_574) }), mine)).toMatchObject({
      record: { access: { obtainedAt: 1 } },
    });
    for (const long of [
      access(24_575),
      access(1_000_000),
      access(5_000, '\ud800'),
      access(9_000, '€'),
    ]) {
      const text = formatRecord({ ...record, access: long });
      expect([parseRecord(text, mine), text.length < 1_000]).toEqual([
        { state: 'record', record: { ...record, access: null } },
        true,
      ]);
    }
  });

  it('keeps the access token that is all a session has, however long, and says so', () => {
    const token = 'x'.repeat(40_000);
    const only = {
      ...record,
      refreshToken: token,
      renewable: false as const,
      access: { token, obtainedAt: 1, expiresAt: null },
    };
    const parsed = parseRecord(formatRecord(only), mine);
    expect(parsed).toEqual({ state: 'record', record: only });
    expect([refreshTokenOf(only), refreshTokenOf(record)]).toEqual([null, record.refreshToken]);
    for (const renewable of [true, null, 0, 'false'])
      expect(parseRecord(JSON.stringify({ ...record, renewable }), mine)).toEqual({
        state: 'record',
        record,
      });
  });

  it('keeps the resources of the sign-in, and drops what is no list of texts', () => {
    const resources = ['https://mail.example'];
    expect(parseRecord(formatRecord({ ...record, resources }), mine)).toEqual({
      state: 'record',
      record: { ...record, resources },
    });
    for (const wrong of ['https://mail.example', [7], {}])
      expect(parseRecord(JSON.stringify({ ...record, resources: wrong }), mine)).toEqual({
        state: 'record',
        record,
      });
  });

  it.each<[string, unknown]>([
    ['a later version', { ...record, version: 2 }],
    ['no client id', { ...record, clientId: undefined }],
    ['another issuer', { ...record, account: { ...account, issuer: 'https://other.example' } }],
    ['another account', { ...record, account: { ...account, id: 'eve-id' } }],
    ['no account', { ...record, account: undefined }],
    ['an account with a name that is no text', { ...record, account: { ...account, name: {} } }],
    ['no refresh token', { ...record, refreshToken: '' }],
    ['no token at all', { ...record, renewable: false, access: null }],
    [
      'an access token without a time',
      { ...record, renewable: false, access: { token: 'secret' } },
    ],
    ['a refresh token that is no text', { ...record, refreshToken: 7 }],
    ['no scope', { ...record, scope: undefined }],
    ['a time that is no number', { ...record, savedAt: 'now' }],
    ['a list', [record]],
    ['nothing', null],
  ])('cannot read a record of %s, and says so without its values', (_what, value) => {
    const parsed = parseRecord(JSON.stringify(value), mine);
    expect(parsed.state).toBe('unreadable');
    expect(JSON.stringify(parsed)).not.toContain('secret');
  });

  it.each([
    ['this version', record],
    ['a later version', { ...record, version: 2 }],
  ])('tells a record of another client, of %s, from a damaged one', (_what, value) => {
    expect(parseRecord(JSON.stringify(value), { ...mine, clientId: 'other' })).toEqual({
      state: 'foreign',
      clientId: 'notes',
    });
    expect(parseRecord(JSON.stringify(record), { ...mine, clientId: undefined })).toEqual({
      state: 'record',
      record,
    });
  });

  it('keeps nothing that no version has, so that nothing slips into a view', () => {
    const parsed = parseRecord(
      JSON.stringify({ ...record, account: { ...account, accessToken: 'secret-slip' } }),
      mine,
    );
    expect(parsed.state === 'record' && parsed.record.account).toEqual(account);
  });

  it('throws for no text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(parseRecord(text, mine).state).toBe('unreadable');
      }),
    );
  });
});

describe('parseKnownAccounts', () => {
  const known = withAccount(NO_ACCOUNTS, account, 'kept');

  it('gives back what was saved', () => {
    expect(parseStateFileContent(JSON.parse(JSON.stringify(known)))).toEqual(known);
  });

  it('leaves a file of a later version alone', () => {
    expect(parseStateFileContent({ ...known, schemaVersion: 2 })).toBeNull();
  });

  it.each([
    [null],
    [undefined],
    ['text'],
    [7],
    [[]],
    [{}],
    [{ accounts: 'all' }],
    [{ schemaVersion: 1, accounts: { 0: account } }],
  ])('finds no accounts in %j', (value) => {
    expect(parseStateFileContent(value)).toEqual(NO_ACCOUNTS);
  });

  it('keeps the accounts that are whole and drops the others', () => {
    const damaged = {
      ...known,
      accounts: [...known.accounts, { id: 'x' }, null, { ...account, id: 'y', record: 'eaten' }, 7],
    };
    expect(parseStateFileContent(damaged)).toEqual(known);
  });

  it('knows no last account that is not in the list', () => {
    expect(parseStateFileContent({ ...known, lastAccountId: 'eve-id' })?.lastAccountId).toBeNull();
  });

  it('keeps nothing that no version has, so that nothing slips into a view', () => {
    const planted = { ...known, accounts: [{ ...known.accounts[0], refreshToken: 'secret-slip' }] };
    expect(JSON.stringify(parseStateFileContent(planted))).not.toContain('secret');
  });

  it('throws for nothing', () => {
    fc.assert(
      fc.property(fc.anything(), fc.array(fc.anything()), (value, accounts) => {
        parseStateFileContent(value);
        expect(
          parseStateFileContent({ schemaVersion: 1, lastAccountId: value, accounts })
            ?.schemaVersion,
        ).toBe(1);
      }),
    );
  });
});

describe('the list of known accounts', () => {
  it('has each account once, the last one by name', () => {
    const twice = withAccount(
      withAccount(NO_ACCOUNTS, account, 'kept'),
      { ...account, name: 'Ada L.' },
      'none',
    );
    expect(twice).toEqual({
      schemaVersion: 1,
      lastAccountId: 'ada-id',
      accounts: [{ ...account, name: 'Ada L.', record: 'none' }],
      attempts: [],
      takeOver: { stage: 'none', tried: [] },
    });
  });

  it('says that a record is suspended in words that an earlier build reads as kept', () => {
    const suspended = withAccount(NO_ACCOUNTS, account, 'suspended');
    const written = formatStateFileContent(suspended);
    expect(written.accounts).toEqual([{ ...account, record: 'kept', suspended: true }]);
    expect(parseStateFileContent(JSON.parse(JSON.stringify(written)))).toEqual(suspended);
    expect(parseStateFileContent(suspended), 'the word of some earlier builds').toEqual(suspended);
    const entry = (record: string, mark: unknown): unknown => ({
      ...suspended,
      accounts: [{ ...account, record, suspended: mark }],
    });
    for (const [state, mark, read] of [
      ['kept', 'yes', 'kept'],
      ['kept', 1, 'kept'],
      ['refused', true, 'refused'],
      ['removal-owed', true, 'removal-owed'],
    ] as const)
      expect(parseStateFileContent(entry(state, mark))?.accounts[0]?.record).toBe(read);
  });

  it('loses sight of no record of a nameless person when the next one signs in', () => {
    const nameless = (id: string): typeof account => ({
      id,
      issuer: account.issuer,
      subject: 'anonymous',
      name: 'x',
    });
    const after = (['kept', 'suspended', 'removal-owed', 'refused', 'none'] as const).map(
      (state) => {
        const before = withAccount(NO_ACCOUNTS, nameless('first'), state);
        return withAccount(before, nameless('second'), 'kept').accounts.map(
          ({ record: left }) => left,
        );
      },
    );
    expect(after).toEqual([
      ['kept', 'kept'],
      ['suspended', 'kept'],
      ['removal-owed', 'kept'],
      ['removal-owed', 'kept'],
      ['kept'],
    ]);
  });

  it('restores the same account next time when another one is stored or changed beside it', () => {
    const known = withAccount(NO_ACCOUNTS, account, 'kept');
    const both = withAccount(known, { ...account, id: 'other' }, 'kept', false);
    expect([both.lastAccountId, both.accounts.length]).toEqual([account.id, 2]);
    expect(
      withAccount(both, { ...account, id: 'other', name: 'New' }, 'kept', false).lastAccountId,
    ).toBe(account.id);
    expect([
      withLast(both, 'other').lastAccountId,
      withLast(both, account.id),
      withLast(both, 'nobody'),
    ]).toEqual(['other', both, both]);
  });

  it('stays the same object when nothing changes, so that nothing is written', () => {
    const known = withAccount(NO_ACCOUNTS, account, 'kept');
    expect(withRecordState(known, 'ada-id', 'kept')).toBe(known);
    expect(withAccount(known, { ...account }, 'kept')).toBe(known);
    expect(withAccount(known, { ...account, name: 'Ada L.' }, 'kept')).not.toBe(known);
    expect(withAccount({ ...known, lastAccountId: null }, account, 'kept').lastAccountId).toBe(
      'ada-id',
    );
    expect(withRecordState(known, 'eve-id', 'none')).toBe(known);
    expect(withRecordState(known, 'ada-id', 'none').accounts[0]?.record).toBe('none');
  });

  it('gives an account without the word on its record', () => {
    expect(accountOf({ ...account, record: 'kept' })).toEqual(account);
  });

  it('has one keychain entry for each account', () => {
    expect(recordKey('a')).not.toBe(recordKey('b'));
  });
});
