// Turns the failure of a keyring into the error that a person is shown.
import { AuthError } from '../base/errors.js';
import type { SecretOutcome } from '../base/ports.js';

/** `what` names the entry, such as `session`. */
export function keyringError(
  { state }: Exclude<SecretOutcome, { state: 'done' }>,
  what: string,
): AuthError {
  return state === 'locked'
    ? new AuthError('keyring-locked', `the keyring that stores the ${what} is locked`)
    : new AuthError('keyring-unavailable', `the ${what} could not be read or stored`);
}
