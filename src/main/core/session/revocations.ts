// What a sign-out leaves to do: removes the record, and tells the provider that the refresh token is
// over (RFC 7009), again and again until it has answered. Until then the token stays in the
// keychain, in a record that is no session any more. May neither begin nor end a session.
import type { AccountView } from '../../../contract.js';
import { isAnonymous } from '../base/anonymous.js';
import { hasPassed, isSetBackBehind, retryDelayMs } from '../base/backoff.js';
import { type AuthError, toAuthError } from '../base/errors.js';
import { LIMITS } from '../base/limits.js';
import { type Pending, createPending } from '../base/pending.js';
import type { Ports } from '../base/ports.js';
import type { OAuthClient } from '../oauth/client.js';
import type { Settings } from '../options/auth-options.js';
import { exclusive, sessionLock } from '../storage/record-lock.js';
import type { SessionStore } from '../storage/session-store.js';

export interface Revocations {
  /**
   * Removes the record of an account that signs out. `revokes`: first leaves only the token of it,
   * and removes that when the provider has answered.
   */
  forget(account: AccountView, revokes: boolean): void;
  /**
   * Revokes a token that this process has in memory. `account` null: it belongs to nobody, so a
   * restart loses it.
   */
  revoke(token: string, account: AccountView | null): void;
  /**
   * The keyring may answer now: does what an earlier sign-out could not do. What another issuer or
   * client owes is only removed, for only its own issuer may see its token (RFC 9700 §4.4).
   */
  removeOwed(): void;
  /** Tries again now, but for a server that asked for patience. */
  wake(): void;
  tick(): void;
  /** When `tick` is due, or null. */
  deadline(now: number): number | null;
  /** True while a revocation waits for the network. */
  waitsForNetwork(): boolean;
  /** Resolves when this computer has done its part, as far as keyring and disk allow. */
  removed(): Promise<void>;
  /** Begins nothing any more; resolves when what is under way has ended. */
  finish(): Promise<void>;
}

export interface RevocationsHost {
  /** True when this account has a session, or may still get one. */
  isInUse(accountId: string): boolean;
  /** True when an account without a name is in use: it may be the same person as any other such. */
  isAnonymousInUse(): boolean;
  /** True while no account has a session or may still get one. */
  areAbsent(): boolean;
  /**
   * Null, or the time until which a sign-in may be under way. Its tokens may belong to the same
   * authorization grant as a token that is still to be revoked.
   */
  busyUntil(): number | null;
  drain(): void;
}

/** One token that the provider must still be told of. */
interface Debt {
  /** Null: the token belongs to no account. */
  readonly account: AccountView | null;
  /** Null: only the keychain has it. */
  token: string | null;
  /** False: the session was never stored. */
  isStored: boolean;
  failures: number;
  failedAt: number;
  /** Null while it runs, and while it waits for the keyring. */
  dueAt: number | null;
  error: AuthError | null;
  running: boolean;
}

/** In place of an account id: the records of other issuers and clients. */
const OTHERS = '';

export function createRevocations(
  settings: Pick<Settings, 'clientId'>,
  { clock, lock, log }: Pick<Ports, 'clock' | 'lock' | 'log'>,
  client: Pick<OAuthClient, 'revoke' | 'isOwnWord' | 'trustMetadata'>,
  sessionStore: SessionStore,
  host: RevocationsHost,
): Revocations {
  /** By account id, or by token for those of no account. */
  const debts = new Map<string, Debt>();
  const pending: Pending = createPending(log);
  const removals: Pending = createPending(log);
  /** Not waited for at the end: a password dialog must not keep the app alive. */
  const background: Pending = createPending(log);
  const removing = new Set<string>();
  let finishing = false;

  return {
    forget,
    revoke(token, account) {
      const debt = owe(account, token);
      // A sign-out has just begun this debt, and runs it when the file says so.
      if (account === null || !debt.isStored) void pending.track(run(debt, true));
    },
    removeOwed,
    wake() {
      for (const debt of debts.values())
        if (debt.dueAt !== null && debt.error?.retryAfterSeconds === undefined) begin(debt);
    },
    tick() {
      const now = clock.now();
      for (const debt of debts.values()) if (isDue(debt, now)) begin(debt);
    },
    deadline(now) {
      const due = [...debts.values()].flatMap((debt) =>
        debt.dueAt === null ? [] : [isDue(debt, now) ? now : debt.dueAt],
      );
      return due.length === 0 ? null : Math.min(...due);
    },
    waitsForNetwork: () =>
      [...debts.values()].some(
        ({ dueAt, error }) => dueAt !== null && error?.code.startsWith('network-') === true,
      ),
    removed: () => removals.settled(),
    async finish() {
      finishing = true;
      await Promise.all([pending.settled(), removals.settled()]);
    },
  };

  function forget(account: AccountView, revokes: boolean): void {
    // Owed from now on, even while another process holds the lock: a kill of the app must not undo
    // the sign-out.
    const noted = sessionStore.oweRemoval(account);
    // What is owed from an earlier session of this account is about another token.
    debts.delete(account.id);
    const debt = revokes ? owe(account, null) : null;
    if (debt !== null) debt.isStored = true;
    void removals.track(
      Promise.all([
        noted,
        changeRecord(account.id, async () => {
          if (debt === null) await sessionStore.remove(account);
          else await sessionStore.keepToken(account, () => debt.token, clock.now());
        }),
      ]),
    );
    if (debt === null) return;
    void pending.track(
      noted.then(async (isOwed) => {
        debt.isStored = isOwed;
        await run(debt, true);
      }),
    );
  }

  function removeOwed(): void {
    if (finishing) return;
    const owed = sessionStore.owed();
    owed.forEach((account, index) => {
      if (host.isInUse(account.id)) return;
      if (owed.length - index > LIMITS.revocationsOwed) return drop(account);
      owe(account, null).isStored = true;
    });
    for (const debt of debts.values()) if (!debt.running && debt.dueAt === null) begin(debt);
    if (removing.has(OTHERS) || sessionStore.owedByOthers().length === 0) return;
    removing.add(OTHERS);
    void background.track(removeOfOthers()).then(() => removing.delete(OTHERS));
  }

  async function removeOfOthers(): Promise<void> {
    for (const entry of sessionStore.owedByOthers()) {
      const name = sessionLock(entry.clientId ?? settings.clientId, entry.id);
      await exclusive(lock, name, { ifBusy: 'go-ahead' }, () => sessionStore.removeOfOthers(entry));
    }
  }

  /** Removes the record without a word to the provider. */
  function drop(account: AccountView): void {
    debts.delete(account.id);
    if (removing.has(account.id)) return;
    removing.add(account.id);
    tellFailed(null, false);
    void background
      .track(changeRecord(account.id, () => sessionStore.remove(account)))
      .then(() => removing.delete(account.id));
  }

  function owe(account: AccountView | null, token: string | null): Debt {
    const key = account?.id ?? token ?? '';
    const there = debts.get(key);
    if (there !== undefined) {
      there.token = token ?? there.token;
      return there;
    }
    const debt: Debt = {
      account,
      token,
      isStored: false,
      failures: 0,
      failedAt: clock.now(),
      dueAt: null,
      error: null,
      running: false,
    };
    debts.set(key, debt);
    const ownerless = [...debts].filter(([, { account: owner }]) => owner === null);
    const [oldest] = ownerless;
    if (oldest !== undefined && ownerless.length > LIMITS.revocationsOwed) debts.delete(oldest[0]);
    return debt;
  }

  function begin(debt: Debt): void {
    if (!debt.running) void background.track(run(debt, false));
  }

  /** `isFirst`: the sign-out itself, which ends every sign-in before. */
  async function run(debt: Debt, isFirst: boolean): Promise<void> {
    if (debt.running || (finishing && !isFirst)) return;
    const busyUntil = isFirst ? null : host.busyUntil();
    if (busyUntil !== null) {
      // A busy time without an end is over when the engine says so.
      debt.failedAt = clock.now();
      debt.dueAt = busyUntil === Infinity ? null : busyUntil;
      return;
    }
    debt.running = true;
    debt.dueAt = null;
    let token: string | null;
    try {
      const settleNow = (): Promise<string | null> => settle(debt);
      if (debt.account === null) token = await settleNow();
      else {
        const name = `${sessionLock(settings.clientId, debt.account.id)}:revocation`;
        const held = await lock.hold(name, 0, settleNow);
        if (held.held) token = held.value;
        else if (held.reason === 'unavailable') token = await settleNow();
        else {
          // Another process tells the provider. Later this one looks whether it could.
          token = debt.token;
          postpone(debt, null);
        }
      }
    } finally {
      debt.running = false;
    }
    // Meanwhile the person has signed in and out again, or a renewal brought a newer token.
    if (debt.token !== token && isOpen(debt)) await run(debt, isFirst);
    host.drain();
  }

  /** Resolves with the token that it was about. */
  async function settle(debt: Debt): Promise<string | null> {
    if (!(await isStillOwed(debt))) return debt.token;
    const { token } = debt;
    if (token === null) return null;
    const error = await tell(token);
    const isRefused =
      error !== null && error.code === 'sign-in-refused' && (await client.isOwnWord(error));
    if (error !== null) tellFailed(error, !isRefused);
    if (debt.token !== token || !isOpen(debt)) return token;
    if (error === null || isRefused) await close(debt);
    else await keepOn(debt, error, token);
    return token;
  }

  /** Closes the debt, or lets it wait, when there is no token to be revoked now. */
  async function isStillOwed(debt: Debt): Promise<boolean> {
    const { account } = debt;
    if (account === null) {
      // Sessions that have come meanwhile may belong to the same authorization grant.
      if (!host.areAbsent()) forgetDebt(debt);
      return isOpen(debt);
    }
    if (debt.token === null) {
      const reading = await sessionStore.readOwed(account);
      if (reading.state === 'token') {
        debt.token = reading.token;
        if (reading.metadata !== undefined) client.trustMetadata(reading.metadata);
      } else if (reading.state === 'none' && !host.isInUse(account.id)) await close(debt);
    }
    // Whose token was read is known only now: somebody may have signed in again before.
    const record = await sessionStore.recordState(account);
    const isOwed = record === 'removal-owed' || (record === 'none' && !debt.isStored);
    if (!isOwed || host.isInUse(account.id)) forgetDebt(debt);
    else if (isAnonymous(account) && host.isAnonymousInUse()) await close(debt);
    return isOpen(debt);
  }

  async function tell(token: string): Promise<AuthError | null> {
    try {
      await client.revoke(token);
      return null;
    } catch (thrown) {
      return toAuthError(thrown);
    }
  }

  /** Nothing is owed of this token any more. */
  async function close(debt: Debt): Promise<void> {
    const { account, token } = debt;
    // A newer token may come meanwhile, and the person may sign in and out again.
    const isSame = (): boolean => isOpen(debt) && debt.token === token;
    if (account !== null && debt.isStored)
      await changeRecord(account.id, async () => {
        if (!isSame()) return;
        await sessionStore.remove(account);
        debt.isStored = false;
      });
    if (isSame()) forgetDebt(debt);
  }

  async function keepOn(debt: Debt, error: AuthError, token: string): Promise<void> {
    const { account } = debt;
    if (account !== null) {
      const since = await changeRecord(account.id, () =>
        sessionStore.keepToken(account, () => token, clock.now(), !debt.isStored),
      );
      if (!isOpen(debt)) return;
      if (since !== null) debt.isStored = true;
      if (since !== null && clock.now() >= since + LIMITS.revocationMaxMs) {
        tellFailed(error, false);
        return close(debt);
      }
    }
    postpone(debt, error);
  }

  function postpone(debt: Debt, error: AuthError | null): void {
    const now = clock.now();
    debt.failures += 1;
    debt.failedAt = now;
    debt.error = error;
    debt.dueAt = now + retryDelayMs(debt.failures, error?.retryAfterSeconds, Math.random());
  }

  function isDue({ dueAt, failedAt, running }: Debt, now: number): boolean {
    if (dueAt === null || running) return false;
    return hasPassed(failedAt, dueAt - failedAt, now) || isSetBackBehind(failedAt, now);
  }

  function isOpen(debt: Debt): boolean {
    return debts.get(debt.account?.id ?? debt.token ?? '') === debt;
  }

  function forgetDebt(debt: Debt): void {
    if (isOpen(debt)) debts.delete(debt.account?.id ?? debt.token ?? '');
  }

  function tellFailed(error: AuthError | null, again: boolean): void {
    log.write({
      level: 'info',
      event: 'revocation-failed',
      fields: { code: error?.code ?? null, again },
    });
  }

  function changeRecord<T>(accountId: string, work: () => Promise<T>): Promise<T> {
    return exclusive(lock, sessionLock(settings.clientId, accountId), { ifBusy: 'go-ahead' }, work);
  }
}
