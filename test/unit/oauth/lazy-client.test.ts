// The wire before it is loaded: loaded at the first use, once, and a failure to load is an error
// like any other.
import { describe, expect, it } from 'vitest';
import { createRequestSecrets } from '../../../src/main/core/oauth/request-secrets.js';
import { AuthError } from '../../../src/main/core/base/errors.js';
import { createLazyClient } from '../../../src/main/core/oauth/lazy-client.js';
import type { OAuthClient } from '../../../src/main/core/oauth/client.js';

const account = { id: 'a', issuer: 'https://login.example.com', subject: 's' };
const renewed = {
  tokens: { accessToken: 't', obtainedAt: 0, expiresAt: null, refreshToken: 'r', scope: '' },
  person: 'same',
} as const;
const refusal = new AuthError('sign-in-refused', 'no');

const marks: string[] = [];
const mark = { digest: 'd', fetchedAt: 1, freshMs: 2 };

function wire(): OAuthClient {
  const refuse = (): Promise<never> => Promise.reject(new Error('not part of this test'));
  return {
    authorizationUrl: async () => 'url',
    redeem: refuse,
    offersDeviceCode: () => false,
    authorizeDevice: refuse,
    pollDevice: refuse,
    isPrepared: () => false,
    prepare: async () => undefined,
    renew: async () => renewed,
    renewLegacy: refuse,
    isOwnWord: async () => true,
    revoke: async () => undefined,
    endSessionEndpoint: async () => null,
    trustMetadata: (mark) => {
      marks.push(mark.digest);
    },
    revalidateMetadata: () => undefined,
    metadataMark: () => null,
  };
}

describe('the wire', () => {
  it('is loaded once, by whichever call comes first', async () => {
    let loads = 0;
    const protocol = createLazyClient(async () => {
      loads += 1;
      return wire();
    });
    expect(loads).toBe(0);
    expect(
      await Promise.all([protocol.renew('r', '', account), protocol.isOwnWord(refusal)]),
    ).toEqual([renewed, true]);
    protocol.preload();
    expect(await protocol.authorizationUrl(createRequestSecrets(), '', {})).toBe('url');
    expect(loads).toBe(1);
  });

  it('may offer device codes as long as nobody has looked', async () => {
    const protocol = createLazyClient(async () => wire());
    expect(protocol.offersDeviceCode()).toBe(true);
    await protocol.prepare();
    expect(protocol.offersDeviceCode()).toBe(false);
  });

  it('is told on arrival which metadata a record vouches for, and remembers it till then', async () => {
    marks.length = 0;
    const protocol = createLazyClient(async () => ({ ...wire(), metadataMark: () => null }));
    protocol.trustMetadata(mark);
    expect(protocol.metadataMark()).toEqual(mark);
    await protocol.prepare();
    expect(marks).toEqual(['d']);
  });

  it('rejects with "files-missing" when it cannot be loaded, and is tried again', async () => {
    let broken = true;
    const protocol = createLazyClient(async () => {
      if (broken) throw new Error('no such file');
      return wire();
    });
    protocol.preload();
    await expect(protocol.renew('r', '', account)).rejects.toMatchObject({ code: 'files-missing' });
    broken = false;
    expect(await protocol.renew('r', '', account)).toEqual(renewed);
  });
});

describe('the secrets of an attempt', () => {
  it('are three different texts of 256 bits, other ones each time', () => {
    const made = Array.from({ length: 50 }, createRequestSecrets).flatMap(
      ({ state, codeVerifier, nonce }) => [state, codeVerifier, nonce],
    );
    expect(new Set(made).size).toBe(made.length);
    for (const text of made) expect(text).toMatch(/^[A-Za-z0-9_-]{43}$/);
  });
});
