// Checks what the host's `read` says about a value that an earlier version of its app stored. Its
// type is only a promise, so nothing in it is trusted. May not throw, and may not put a value into
// a text.
import type { LegacySession } from '../options/migration-option.js';

/** Four times the longest refresh token ever seen. */
const TOKEN_MAX_LENGTH = 16_384;

/** Null for anything that is not a session. */
export function parseLegacySession(value: unknown): LegacySession | null {
  if (typeof value !== 'object' || value === null) return null;
  const { refreshToken, subject, scope } = value as Record<string, unknown>;
  // RFC 6749 §A.17: any visible character, and spaces.
  if (
    typeof refreshToken !== 'string' ||
    refreshToken.length > TOKEN_MAX_LENGTH ||
    !/^[\x20-\x7e]+$/.test(refreshToken)
  )
    return null;
  if (
    ![subject, scope].every(
      (text) =>
        text === undefined || (typeof text === 'string' && text !== '' && text.length <= 4_096),
    )
  )
    return null;
  return {
    refreshToken,
    ...(typeof subject === 'string' ? { subject } : {}),
    ...(typeof scope === 'string' ? { scope } : {}),
  };
}
