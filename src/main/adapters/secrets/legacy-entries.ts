// LegacyEntries over keytar's entries of other services, and over the host's own functions. May not
// change or decode a value. If a host's function throws, only the error's name goes into a detail.
import type { LegacyEntry } from '../../core/options/auth-options.js';
import type { LegacyEntries, SecretOutcome, SecretReading } from '../../core/base/ports.js';
import type { ForeignEntries } from './keychain.js';

/**
 * Creates the entries of the option "migrateFrom". `timeoutMs`: how long one call may take; a function
 * of the host that does not answer by then is `locked`, for it may show a dialog of its own.
 * Nothing is asked for before the first call.
 */
export function createLegacyEntries(
  entries: readonly LegacyEntry[],
  keychain: ForeignEntries,
  timeoutMs: number,
): LegacyEntries {
  return {
    async read(index) {
      const { service, account, load } = entries[index] ?? {};
      if (service !== undefined && account !== undefined) return keychain.read(service, account);
      if (load === undefined) return { state: 'absent' };
      return bounded(timeoutMs, async (): Promise<SecretReading> => {
        const value: unknown = await load();
        if (value === null || value === undefined) return { state: 'absent' };
        return typeof value === 'string'
          ? { state: 'found', value }
          : { state: 'unavailable', detail: 'option "migrateFrom": "load" gave no text' };
      });
    },
    async remove(index) {
      const { service, account, remove } = entries[index] ?? {};
      if (service !== undefined && account !== undefined) return keychain.remove(service, account);
      if (remove === undefined) return { state: 'done' };
      return bounded(timeoutMs, async (): Promise<SecretOutcome> => {
        await remove();
        return { state: 'done' };
      });
    },
  };
}

async function bounded<Answer>(
  timeoutMs: number,
  run: () => Promise<Answer>,
): Promise<Answer | Exclude<SecretOutcome, { state: 'done' }>> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<Exclude<SecretOutcome, { state: 'done' }>>((resolve) => {
    timer = setTimeout(
      () =>
        resolve({
          state: 'locked',
          detail: 'option "migrateFrom": a function did not answer in time',
        }),
      timeoutMs,
    );
  });
  try {
    return await Promise.race([run(), limit]);
  } catch (thrown) {
    return {
      state: 'unavailable',
      detail: `option "migrateFrom": a function failed (${thrown instanceof Error ? thrown.name : typeof thrown})`,
    };
  } finally {
    clearTimeout(timer);
  }
}
