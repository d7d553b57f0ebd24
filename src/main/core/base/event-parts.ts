// Members that several events share: those of an error, and the id of the attempt or renewal. Not in
// events.ts, which is loaded before the app's first window.
import type { AuthError } from './errors.js';

/**
 * What a log event may say of an error: codes and the ids by which the provider's support finds it.
 */
export function errorFields(error: AuthError | null): {
  readonly code: string | null;
  readonly serverError: string | null;
  readonly providerCode: string | null;
  readonly providerCorrelationId: string | null;
} {
  return {
    code: error?.code ?? null,
    serverError: error?.serverError ?? null,
    providerCode: error?.provider?.code ?? null,
    providerCorrelationId: error?.provider?.correlationId ?? null,
  };
}

/** A short random text: enough to tell attempts apart in everything that a host may ever collect. */
export function randomId(): string {
  return [...crypto.getRandomValues(new Uint8Array(8))]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('');
}
