// SecretStore of the option `secretStore: 'memory'`: stores nothing, so that a session ends with
// the app. The engine holds the tokens of a running session anyway; a copy here would only be one
// more place to leak from.
import type { SecretOutcome, SecretReading, SecretStore } from '../../core/base/ports.js';

/**
 * Creates a store in which nothing ever is: reads are `absent`, removals `done`, and writes answer
 * `unavailable`, which makes the view say `remembered: false`.
 */
export function createMemoryStore(): SecretStore {
  let closed = false;
  const gone = { state: 'unavailable', detail: 'the keychain was closed' } as const;
  return {
    async read(): Promise<SecretReading> {
      return closed ? gone : { state: 'absent' };
    },
    async write(): Promise<SecretOutcome> {
      return closed ? gone : { state: 'unavailable', detail: 'kept in memory by option' };
    },
    async remove(): Promise<SecretOutcome> {
      return closed ? gone : { state: 'done' };
    },
    close() {
      closed = true;
    },
  };
}
