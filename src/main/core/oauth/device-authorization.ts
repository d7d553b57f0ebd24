// Reads the provider's answers about a device code (RFC 8628 §3.2 and §3.5): what a person may be
// shown, and which failed poll is repeated. Pure. authorization/device-polling.ts decides when to
// poll.
import type { DeviceView } from '../../../contract.js';
import { AuthError } from '../base/errors.js';
import { LIMITS } from '../base/limits.js';
import { isLoopback } from '../options/syntax.js';

/** The checked answer to the device authorization request (RFC 8628 §3.2). */
export interface DeviceAuthorization {
  /** Brings the tokens once the person has agreed. Never show or log it. */
  readonly deviceCode: string;
  readonly view: DeviceView;
  readonly lifetimeMs: number;
  readonly intervalMs: number;
}

/**
 * The answer to one poll of the token endpoint that does not end the waiting. `error` is temporary:
 * the network or the server has a problem.
 */
export type PollAnswer =
  | { readonly state: 'pending' | 'slow-down' }
  | { readonly state: 'failed'; readonly error: AuthError };

/**
 * Checks the answer. Throws `response-invalid` for a value that must not be shown to a person or
 * opened in a browser: otherwise a hostile provider could start any program or display any text.
 */
export function readDeviceAuthorization(
  answer: Readonly<Record<string, unknown>>,
  httpAllowed: boolean,
): DeviceAuthorization {
  const {
    device_code: deviceCode,
    user_code: userCode,
    verification_uri: uri,
    verification_uri_complete: complete,
    expires_in: lifetime,
    interval,
  } = answer;
  if (
    typeof deviceCode !== 'string' ||
    deviceCode === '' ||
    deviceCode.length > LIMITS.callbackLength
  )
    throw invalid('device_code');
  if (
    typeof userCode !== 'string' ||
    !/^[A-Za-z0-9](?:[A-Za-z0-9 ._-]{0,62}[A-Za-z0-9])?$/.test(userCode)
  )
    throw invalid('user_code');
  // Google's first drafts, and servers that follow them, use "verification_url".
  const page = uri ?? answer['verification_url'];
  if (!isPage(page, httpAllowed)) throw invalid('verification_uri');
  const lifetimeSeconds =
    typeof lifetime === 'number' && lifetime > 0 ? lifetime : LIMITS.deviceCodeMaxMs / 1000;
  const intervalSeconds =
    typeof interval === 'number' && interval > 0 ? interval : LIMITS.devicePollMs / 1000;
  return {
    deviceCode,
    // If the optional member is invalid, the QR code is missing, but the sign-in works.
    view: {
      userCode,
      verificationUri: page,
      ...(isPage(complete, httpAllowed) ? { verificationUriComplete: complete } : {}),
    },
    lifetimeMs: Math.min(lifetimeSeconds * 1000, LIMITS.deviceCodeMaxMs),
    intervalMs: Math.max(intervalSeconds * 1000, 1_000),
  };
}

/** True when the failed poll says nothing about the person's answer, so it is repeated. */
export function passes({ code }: AuthError): boolean {
  return (
    code === 'network-failed' ||
    code === 'network-timeout' ||
    code === 'server-unavailable' ||
    code === 'response-invalid'
  );
}

function isPage(value: unknown, httpAllowed: boolean): value is string {
  if (
    typeof value !== 'string' ||
    value.length > 2048 ||
    !/^https?:\/\/[\x21-\x7e]+$/.test(value) ||
    /["'<>\\^`{|}]/.test(value) ||
    !URL.canParse(value)
  )
    return false;
  const { protocol, hostname, username, password } = new URL(value);
  return (
    username === '' &&
    password === '' &&
    (protocol === 'https:' || (httpAllowed && isLoopback(hostname)))
  );
}

function invalid(member: string): AuthError {
  return new AuthError(
    'response-invalid',
    `device authorization endpoint: answer member "${member}" is missing or breaks RFC 8628 §3.2`,
  );
}

export function codeExpired(): AuthError {
  return new AuthError('sign-in-expired', 'the code was not used in time');
}
