// Why a keyring gives or takes nothing, as a person can be told. For all that is stored.
import { AuthError } from '../base/errors.js';
import type { SecretOutcome } from '../base/ports.js';

/** Why what a keyring holds, such as `session`, cannot be had or stored now. */
export function keyringError(
  { state }: Exclude<SecretOutcome, { state: 'done' }>,
  what: string,
): AuthError {
  return state === 'locked'
    ? new AuthError('keyring-locked', `the keyring that stores the ${what} is locked`)
    : new AuthError('keyring-unavailable', `the keyring that stores the ${what} does not answer`);
}
