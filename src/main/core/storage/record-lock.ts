// Lets one process at a time change a record: the name of its lock, how long to wait for it, and
// what happens without it. Decides nothing about the record.
import { LIMITS } from '../base/limits.js';
import type { Lock } from '../base/ports.js';
import type { Settings } from '../options/auth-options.js';
import { recordKey } from './records.js';

/**
 * Runs `work` while no other process holds the lock. Where the system gives no lock at all, one
 * process is the rule, and `work` runs without it. While another process keeps the lock:
 * `go-ahead` runs `work` all the same, for not storing loses more; `give-up` does not, and resolves
 * to null.
 */
export async function exclusive<T>(
  lock: Lock,
  name: string,
  options: { readonly ifBusy: 'go-ahead' },
  work: () => Promise<T>,
): Promise<T>;
export async function exclusive<T>(
  lock: Lock,
  name: string,
  options: { readonly ifBusy: 'give-up'; readonly waitMs?: number },
  work: () => Promise<T>,
): Promise<T | null>;
export async function exclusive<T>(
  lock: Lock,
  name: string,
  {
    ifBusy,
    waitMs = LIMITS.claimWaitMs,
  }: { readonly ifBusy: 'go-ahead' | 'give-up'; readonly waitMs?: number },
  work: () => Promise<T>,
): Promise<T | null> {
  const held = await lock.hold(name, waitMs, work);
  if (held.held) return held.value;
  return ifBusy === 'go-ahead' || held.reason === 'unavailable' ? work() : null;
}

/**
 * The name of the lock for changes of an account's record. It contains the client id: clients do
 * not share records, so they need not wait for each other.
 */
export function sessionLock(clientId: string, accountId: string): string {
  return `${recordKey(accountId)}:${clientId}`;
}

/**
 * How long a renewal waits for another process: as long as a working renewal can take. That is two
 * exchanges (the second with a token found meanwhile), two reads of the record and one write.
 */
export function renewalLockWaitMs({
  networkTimeoutSeconds,
}: Pick<Settings, 'networkTimeoutSeconds'>): number {
  return 2 * networkTimeoutSeconds * 1_000 + 3 * LIMITS.keyringWriteSlowMs + LIMITS.renewalSlackMs;
}
