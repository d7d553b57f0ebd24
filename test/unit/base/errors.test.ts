// The one error class: codes with what to do, a view for pages, and no text from a server.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AuthErrorCode } from '../../../src/contract.js';
import { ERROR_CODES } from '../../../src/main/core/base/error-codes.js';
import {
  AuthError,
  assertNever,
  plainWord,
  toAuthError,
  toErrorView,
} from '../../../src/main/core/base/errors.js';

const CODES = Object.keys(ERROR_CODES) as AuthErrorCode[];

describe('AuthError', () => {
  it.each(CODES)('%s says what the caller should do, in words that a person can follow', (code) => {
    const error = new AuthError(code, 'what happened');
    expect(['automatic', 'user', 'sign-in', 'never']).toContain(error.retry);
    expect(ERROR_CODES[code].means).toMatch(/^[A-Z].*\.$/);
    expect(ERROR_CODES[code].todo).toMatch(/^[A-Z].*\.$/);
    expect(error).toMatchObject({ name: 'AuthError', code, message: 'what happened' });
    expect(error).toBeInstanceOf(Error);
  });

  it('has a cause only when there is one', () => {
    expect('cause' in new AuthError('internal', 'x')).toBe(false);
    expect(new AuthError('internal', 'x', { cause: 'why' }).cause).toBe('why');
  });
});

describe('toErrorView', () => {
  it('shows code, retry, message and the server word, and never the cause or the stack', () => {
    const error = new AuthError('sign-in-refused', 'no', {
      cause: new Error('secret'),
      serverError: 'invalid_scope',
      retryAfterSeconds: 7,
    });
    expect(toErrorView(error)).toEqual({
      code: 'sign-in-refused',
      retry: 'never',
      message: 'no',
      serverError: 'invalid_scope',
    });
  });
});

describe('toAuthError', () => {
  it('passes an AuthError on and calls everything else internal', () => {
    const error = new AuthError('stopped', 'x');
    expect(toAuthError(error)).toBe(error);
    fc.assert(
      fc.property(fc.anything(), (thrown) => {
        const { code, message } = toAuthError(thrown);
        expect([code, message]).toEqual(['internal', 'an unexpected failure']);
      }),
    );
  });
});

describe('assertNever', () => {
  it('does not carry the value that should not exist, which may hold a token', () => {
    try {
      assertNever({ accessToken: 'secret' } as never);
    } catch (error) {
      expect(error instanceof AuthError && [error.code, error.cause]).toEqual([
        'internal',
        undefined,
      ]);
    }
    expect.assertions(1);
  });
});

describe('plainWord', () => {
  it.each([
    ['invalid_grant', 'invalid_grant'],
    ['AADSTS50011', 'AADSTS50011'],
    ['a', 'a'],
    ['x'.repeat(64), 'x'.repeat(64)],
  ])('keeps %s', (word, kept) => {
    expect(plainWord(word)).toBe(kept);
  });

  it.each([
    ['<b>'],
    ['two words'],
    ['x'.repeat(65)],
    [''],
    ['7up'],
    ['line\n'],
    ['a/b?c=d'],
    [7],
    [null],
    [undefined],
    [['invalid_grant']],
  ])('drops %j', (word) => {
    expect(plainWord(word)).toBeUndefined();
  });
});
