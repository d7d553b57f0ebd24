// Device codes (RFC 8628): what a provider may have shown and opened, and the pace of the
// questions.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type DeviceWait,
  afterPoll,
  afterSetBack,
  beginWait,
  isPollDue,
  polling,
} from '../../../src/main/core/authorization/device-polling.js';
import {
  passes,
  readDeviceAuthorization,
} from '../../../src/main/core/oauth/device-authorization.js';
import { ERROR_CODES } from '../../../src/main/core/base/error-codes.js';
import { AuthError } from '../../../src/main/core/base/errors.js';
import { LIMITS } from '../../../src/main/core/base/limits.js';

const answer = {
  device_code: 'secret-device-code',
  user_code: 'WDJB-MJHT',
  verification_uri: 'https://example.com/device',
  verification_uri_complete: 'https://example.com/device?user_code=WDJB-MJHT',
  expires_in: 1_800,
  interval: 5,
};
const NOW = 1_000_000;
const network = new AuthError('network-failed', 'gone');

describe('readDeviceAuthorization', () => {
  it('reads the example of RFC 8628 §3.2', () => {
    expect(readDeviceAuthorization(answer, false)).toEqual({
      deviceCode: 'secret-device-code',
      lifetimeMs: 1_800_000,
      intervalMs: 5_000,
      view: {
        userCode: 'WDJB-MJHT',
        verificationUri: 'https://example.com/device',
        verificationUriComplete: 'https://example.com/device?user_code=WDJB-MJHT',
      },
    });
  });

  it.each(['A', '123 456 789', 'abc_def.ghi', 'A'.repeat(64)])('shows the code "%s"', (code) => {
    expect(readDeviceAuthorization({ ...answer, user_code: code }, false).view.userCode).toBe(code);
  });

  it.each([
    '',
    ' A',
    'A ',
    '-A',
    'A\n',
    'A\u202eB',
    'А',
    '<b>',
    'A&B',
    'A'.repeat(65),
    7,
    null,
    undefined,
  ])('shows no code like %j', (code) => {
    expect(() => readDeviceAuthorization({ ...answer, user_code: code }, true)).toThrow(
      '"user_code"',
    );
  });

  it.each([
    'http://example.com/device',
    'https://user@example.com/',
    'https://user:pw@example.com/',
    'ftp://example.com/',
    'javascript:alert(1)',
    'file:///c:/windows/system32/calc.exe',
    'example.com/device',
    'https:example.com',
    'HTTPS://EXAMPLE.COM/\n',
    'https://example.com/"><script>',
    'https://example.com/ü',
    'https://example.com/a b',
    `https://example.com/${'x'.repeat(2_048)}`,
    'https://',
    '',
    7,
    {},
    null,
    undefined,
    'ms-settings:',
    'http://127.0.0.1.example.com/',
  ])('opens no page like %j', (uri) => {
    expect(() => readDeviceAuthorization({ ...answer, verification_uri: uri }, true)).toThrow(
      '"verification_uri"',
    );
    expect(
      readDeviceAuthorization({ ...answer, verification_uri_complete: uri }, true).view
        .verificationUriComplete,
    ).toBeUndefined();
  });

  it('opens an http page of this computer only where the issuer is one, too', () => {
    const local = { ...answer, verification_uri: 'http://127.0.0.1:8080/device' };
    expect(readDeviceAuthorization(local, true).view.verificationUri).toBe(
      'http://127.0.0.1:8080/device',
    );
    expect(() => readDeviceAuthorization(local, false)).toThrow('"verification_uri"');
  });

  it('understands the older name of the page', () => {
    const { verification_uri: page, ...rest } = answer;
    expect(
      readDeviceAuthorization({ ...rest, verification_url: page }, false).view.verificationUri,
    ).toBe(page);
  });

  it.each([
    [{ expires_in: 60 }, { lifetimeMs: 60_000 }],
    [{ expires_in: 10 ** 12 }, { lifetimeMs: LIMITS.deviceCodeMaxMs }],
    [{ expires_in: 'soon' }, { lifetimeMs: LIMITS.deviceCodeMaxMs }],
    [{ expires_in: -1 }, { lifetimeMs: LIMITS.deviceCodeMaxMs }],
    [{ interval: undefined }, { intervalMs: 5_000 }],
    [{ interval: 0 }, { intervalMs: 5_000 }],
    [{ interval: 0.001 }, { intervalMs: 1_000 }],
    [{ interval: '9' }, { intervalMs: 5_000 }],
    [{ interval: 30 }, { intervalMs: 30_000 }],
  ])('reads times: %j', (set, expected) => {
    expect(readDeviceAuthorization({ ...answer, ...set }, false)).toMatchObject(expected);
  });

  it('throws nothing but response-invalid, and repeats nothing of the answer', () => {
    fc.assert(
      fc.property(
        fc.record({
          device_code: fc.anything(),
          user_code: fc.anything(),
          verification_uri: fc.anything(),
          verification_uri_complete: fc.anything(),
          expires_in: fc.anything(),
          interval: fc.anything(),
        }),
        (odd) => {
          try {
            readDeviceAuthorization(odd, true);
          } catch (error) {
            expect(error instanceof AuthError && error.code).toBe('response-invalid');
            expect((error as AuthError).message).toMatch(
              /^device authorization endpoint: answer member "(device_code|user_code|verification_uri)" is missing/,
            );
          }
        },
      ),
    );
  });
});

describe('the pace of the questions', () => {
  const begun = beginWait(readDeviceAuthorization(answer, false), NOW);
  const at = ({ asking }: DeviceWait): number => (asking?.at ?? 0) - NOW;

  it('waits one interval before the first', () => {
    expect([isPollDue(begun, NOW + 4_999), isPollDue(begun, NOW + 5_000)]).toEqual([false, true]);
  });

  it('has one question under way at a time', () => {
    expect(isPollDue(polling(begun), NOW + 10 ** 9)).toBe(false);
  });

  it('asks at once when the clock was set back, for then nobody knows', () => {
    expect(isPollDue(begun, NOW - 1)).toBe(true);
  });

  it('adds 5 seconds with each slow_down and keeps them (RFC 8628 §3.5)', () => {
    const slowed = afterPoll(
      afterPoll(begun, { state: 'slow-down' }, NOW),
      { state: 'slow-down' },
      NOW,
    );
    expect([at(slowed), at(afterPoll(slowed, { state: 'pending' }, NOW))]).toEqual([
      15_000, 15_000,
    ]);
  });

  it('doubles with each failure up to a minute, and is as before once one succeeds', () => {
    const pauses: number[] = [];
    let wait = begun;
    for (let failure = 0; failure < 6; failure += 1) {
      wait = afterPoll(wait, { state: 'failed', error: network }, NOW);
      pauses.push(at(wait));
    }
    expect(pauses).toEqual([10_000, 20_000, 40_000, 60_000, 60_000, 60_000]);
    expect(at(afterPoll(wait, { state: 'pending' }, NOW))).toBe(5_000);
  });

  it('never asks more often than the provider wants, also after a failure', () => {
    expect(
      at(afterPoll({ ...begun, intervalMs: 120_000 }, { state: 'failed', error: network }, NOW)),
    ).toBe(120_000);
  });

  it('waits as long as the server asks with Retry-After', () => {
    expect(
      at(
        afterPoll(
          begun,
          {
            state: 'failed',
            error: new AuthError('server-unavailable', 'busy', { retryAfterSeconds: 300 }),
          },
          NOW,
        ),
      ),
    ).toBe(300_000);
  });

  it('always names a time in the future that a timer can count', () => {
    const answers = fc.array(
      fc.constantFrom(
        { state: 'pending' } as const,
        { state: 'slow-down' } as const,
        { state: 'failed', error: network } as const,
      ),
      { maxLength: 200 },
    );
    fc.assert(
      fc.property(answers, fc.double({ min: 0.001, max: 3_600, noNaN: true }), (all, interval) => {
        let wait = beginWait(readDeviceAuthorization({ ...answer, interval }, false), NOW);
        for (const one of all) {
          wait = afterPoll(polling(wait), one, NOW);
          expect(at(wait)).toBeGreaterThanOrEqual(1_000);
          expect(at(wait)).toBeLessThan(2 ** 31);
        }
      }),
    );
  });
});

describe('passes', () => {
  it("says yes only to what tells nothing about the person's answer", () => {
    const codes = Object.keys(ERROR_CODES) as (keyof typeof ERROR_CODES)[];
    expect(codes.filter((code) => passes(new AuthError(code, 'x'))).sort()).toEqual([
      'network-failed',
      'network-timeout',
      'response-invalid',
      'server-unavailable',
    ]);
  });
});

describe('a wait whose clock was set back', () => {
  const authorization = readDeviceAuthorization(answer, false);
  const back = NOW - 30 * 86_400_000;

  it('lasts as long again as it had when it was last asked about, and asks at the same pace', () => {
    expect(afterSetBack(beginWait(authorization, NOW), back)).toMatchObject({
      expiresAt: back + authorization.lifetimeMs,
      asking: { since: back, at: back + authorization.intervalMs },
    });
  });

  it('has an end also while a question is under way', () => {
    expect(afterSetBack(polling(beginWait(authorization, NOW)), back)).toMatchObject({
      expiresAt: back + LIMITS.deviceCodeMaxMs,
      asking: null,
    });
  });
});
