// What a record keeps of claims and ID token: never so much that a keyring refuses the refresh token.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../src/main/core/base/limits.js';
import {
  type SessionRecord,
  formatRecord,
  keptFacts,
  parseRecord,
} from '../../../src/main/core/storage/records.js';

const record: SessionRecord = {
  version: 1,
  clientId: 'notes',
  account: { id: 'ada-id', issuer: 'https://id.example', subject: 'ada' },
  refreshToken: 'secret-refresh',
  scope: 'read',
  savedAt: 7,
  access: { token: 'secret-access', obtainedAt: 1, expiresAt: 2 },
  claims: { idToken: { roles: ['admin'] }, userinfo: { plan: 'pro' } },
  idToken: { token: 'secret-id', obtainedAt: 3, expiresAt: 4 },
};
const mine = { clientId: 'notes', accountId: 'ada-id', issuer: 'https://id.example' };

/** As the keychain stores it. */
const bytesOf = (text: string): number => Buffer.byteLength(JSON.stringify(text));
const read = (text: string): SessionRecord => {
  const parsed = parseRecord(text, mine);
  if (parsed.state !== 'record') throw new Error(parsed.state);
  return parsed.record;
};
const token = (length: number): string => 'x'.repeat(length);

describe('a record', () => {
  it('gives back claims and ID token', () => {
    expect(read(formatRecord(record))).toEqual(record);
  });

  it('is read without what is no claims and no ID token', () => {
    const { claims: _claims, idToken: _idToken, ...plain } = record;
    for (const wrong of [
      7,
      'x',
      true,
      { token: '' },
      { token: 'a', obtainedAt: '3', expiresAt: 4 },
    ])
      expect(read(JSON.stringify({ ...plain, idToken: wrong }))).toEqual(plain);
    expect(
      read(JSON.stringify({ ...plain, idToken: { ...record.idToken, expiresAt: null } })),
    ).toEqual(plain);
    for (const wrong of [7, 'x', null])
      expect(read(JSON.stringify({ ...plain, claims: wrong }))).toEqual(plain);
  });

  it('leaves out an ID token that is too long, and nothing else', () => {
    const idToken = { ...record.idToken!, token: token(LIMITS.recordMemberBytes - 1) };
    const { idToken: _idToken, ...rest } = record;
    expect(read(formatRecord({ ...record, idToken }))).toEqual(rest);
  });

  it('leaves out first the ID token, then the access token, then the claims, as far as it must', () => {
    const long = {
      ...record,
      access: { ...record.access!, token: token(20_000) },
      idToken: { ...record.idToken!, token: token(20_000) },
      claims: { idToken: { groups: token(10_000) }, userinfo: {} },
    };
    const kept = (refreshToken: number): readonly string[] => {
      const text = formatRecord({ ...long, refreshToken: token(refreshToken) });
      expect(bytesOf(text)).toBeLessThanOrEqual(LIMITS.recordBytes);
      const { refreshToken: whole, access, idToken, claims } = read(text);
      expect(whole).toHaveLength(refreshToken);
      return [
        ...(idToken === undefined ? [] : ['ID token']),
        ...(access === null ? [] : ['access token']),
        ...(claims === undefined ? [] : ['claims']),
      ];
    };
    expect(kept(10_000)).toEqual(['ID token', 'access token', 'claims']);
    expect(kept(20_000)).toEqual(['access token', 'claims']);
    expect(kept(40_000)).toEqual(['claims']);
    expect(kept(60_000)).toEqual([]);
  });

  it('has room for the refresh token whatever stands beside it', () => {
    fc.assert(
      fc.property(
        fc.nat(60_000),
        fc.nat(30_000),
        fc.nat(30_000),
        fc.nat(24_000),
        (refresh, access, id, claims) => {
          const text = formatRecord({
            ...record,
            refreshToken: token(refresh + 1),
            access: { ...record.access!, token: token(access + 1) },
            idToken: { ...record.idToken!, token: token(id + 1) },
            claims: { idToken: { groups: '"'.repeat(claims) }, userinfo: {} },
          });
          expect(bytesOf(text)).toBeLessThanOrEqual(LIMITS.recordBytes);
          expect(read(text).refreshToken).toHaveLength(refresh + 1);
        },
      ),
    );
  });
});

describe('the ID token of a session', () => {
  it('goes into a record only if the host asks for that', () => {
    const facts = { claims: record.claims!, idToken: record.idToken! };
    expect(keptFacts(facts, true)).toEqual(facts);
    expect(keptFacts(facts, false)).toEqual({ claims: record.claims });
    expect(keptFacts({ idToken: 'none' }, true)).toEqual({});
  });
});
