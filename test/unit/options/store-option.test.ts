// The option `secretStore`: what it may say, and what the page is told of where the session is.
import { describe, expect, it } from 'vitest';
import type { AuthView, RenewalView } from '../../../src/contract.js';
import { AuthError } from '../../../src/main/core/base/errors.js';
import { parseOptions } from '../../../src/main/core/options/options.js';
import type { AuthOptions } from '../../../src/main/core/options/auth-options.js';
import type { LiveSession } from '../../../src/main/core/session/session-state.js';
import { toView } from '../../../src/main/core/view.js';
import { faceOf } from '../../../src/renderer/demo/face.js';

const GOOD: AuthOptions = {
  issuer: 'https://login.example.com',
  clientId: 'notes',
  redirects: ['http://127.0.0.1/callback'],
};
const ada = { id: 'ada-id', issuer: 'https://login.example.com', subject: 'ada', name: 'Ada' };
const fresh: RenewalView = { state: 'fresh', since: 1, expiresAt: null, renewAt: null };

function signedIn(changes: Partial<AuthView & { status: 'signed-in' }> = {}): AuthView {
  return {
    status: 'signed-in',
    account: ada,
    remembered: true,
    store: 'keychain',
    renewal: fresh,
    ...changes,
  };
}

describe('the option "secretStore"', () => {
  it('is "auto" unless the host says otherwise', () => {
    expect(parseOptions(GOOD).secretStore).toBe('auto');
  });

  it.each(['auto', 'keychain', 'safe-storage', 'memory'] as const)('may be "%s"', (secretStore) => {
    expect(parseOptions({ ...GOOD, secretStore }).secretStore).toBe(secretStore);
  });

  it.each([
    ['a plain file', 'file'],
    ['the name of a backend', 'basic_text'],
    ['another spelling', 'safeStorage'],
    ['null', null],
    ['a list', ['keychain']],
  ])('may not be %s', (_what, secretStore) => {
    let thrown: unknown;
    try {
      parseOptions({ ...GOOD, secretStore } as never);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(AuthError);
    expect(thrown).toMatchObject({
      code: 'invalid-options',
      message: 'option "secretStore" must be "auto", "keychain", "safe-storage" or "memory"',
    });
  });
});

describe('the view of a session that is remembered', () => {
  const live = {
    phase: 'live',
    account: ada,
    access: null,
    refreshToken: 'r',
    scope: 'openid',
    storeError: null,
    epoch: 1,
    renewal: { state: 'fresh', since: 1, renewAt: null },
  } as unknown as LiveSession;
  const input = {
    started: true,
    session: live,
    attempts: [],
    attemptError: null,
    memoryOnly: false,
  };

  it('tells where the record of this account is', () => {
    const asked: string[] = [];
    const view = toView({
      ...input,
      storeOf: (key) => {
        asked.push(key);
        return 'safe-storage';
      },
    });
    expect(view).toMatchObject({ remembered: true, store: 'safe-storage' });
    expect(asked).toEqual(['session:ada-id']);
  });

  it('says keychain when the store does not tell, and memory when it is not remembered', () => {
    expect(toView(input)).toMatchObject({ store: 'keychain' });
    const unstored = {
      ...live,
      storeError: new AuthError('keyring-locked', 'the keyring is locked'),
    };
    expect(toView({ ...input, session: unstored, storeOf: () => 'safe-storage' })).toMatchObject({
      remembered: false,
      store: 'memory',
    });
  });
});

describe('the words of the demo', () => {
  const remembered = (view: AuthView): string | undefined =>
    faceOf(view, 1, {
      problem: null,
      pasting: false,
      pasteProblem: '',
      redirectSince: 1,
    }).facts.find(({ label }) => label === 'Remembered')?.value;

  it('claim no keyring for a session in an encrypted file', () => {
    expect(remembered(signedIn({ store: 'safe-storage' }))).toBe('Encrypted on this computer');
    expect(remembered(signedIn())).toBe('In this computer’s keyring');
    expect(remembered(signedIn({ remembered: false, store: 'memory' }))).toBe(
      'Only until you quit',
    );
  });
});
