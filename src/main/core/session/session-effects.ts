// The effects of the session: reads, writes and removes its record, renews under the lock of all
// processes, revokes. Decides nothing about the session: what happens goes back to the mailbox as
// an event of session-state.ts.
import type { AccountView } from '../../../contract.js';
import { AuthError, assertNever, toAuthError } from '../base/errors.js';
import { errorFields } from '../base/event-parts.js';
import { LIMITS } from '../base/limits.js';
import type { Settings } from '../options/auth-options.js';
import type { Ports } from '../base/ports.js';
import type { OAuthClient } from '../oauth/client.js';
import type { TokenSet } from '../base/tokens.js';
import { type SessionRecord } from '../storage/records.js';
import { renewAt } from '../base/backoff.js';
import { wasSetBack } from './live-session.js';
import type { SessionEffect, SessionEvent, Timing } from './session-state.js';
import { withTimeout } from '../base/timeout.js';
import type { SessionStore, SessionReading } from '../storage/session-store.js';
import { sessionLock, renewalLockWaitMs, exclusive } from '../storage/record-lock.js';

type RenewEffect = SessionEffect & { readonly type: 'renew' };
type WriteEffect = SessionEffect & { readonly type: 'write-record' };
/** Instead of an account: those of other issuers and clients. */
const OTHERS = '';

type GoodRecord = SessionRecord & { readonly access: NonNullable<SessionRecord['access']> };

/** The session that an effect is of, as it was then: later epochs ignore what is posted. */
export interface SessionHandle {
  readonly post: (event: SessionEvent) => void;
  /** The next start restores it. */
  readonly isActive: boolean;
}

export interface SessionEffects {
  run(effect: Exclude<SessionEffect, { type: 'adopted' }>, session: SessionHandle): void;
  revoke(token: string): void;
  /** Removes the record of somebody who has no session here, and revokes its token before. */
  forget(account: AccountView): void;
  /**
   * Does what an earlier sign-out could not: reads the record, revokes its token at this issuer,
   * removes it. One try, whatever the network says. Another issuer's or client's record is only
   * removed. `isInUse`: signed in again, so that its record stays.
   */
  removeOwed(isInUse: (accountId: string) => boolean): void;
  /** Resolves when every removal that is under way was tried. */
  removed(): Promise<void>;
  /**
   * Begins no renewal any more; resolves when what was begun is done and stored. A read is not
   * waited for.
   */
  finish(): Promise<void>;
}

export function createSessionEffects(
  settings: Settings,
  ports: Ports,
  client: OAuthClient,
  sessionStore: SessionStore,
  timing: () => Timing,
  newId: () => string,
): SessionEffects {
  const { clock, log, lock } = ports;
  /**
   * Work that must not be cut off by stop(): a rotated token that is not stored is a lost session.
   */
  const pending = new Set<Promise<unknown>>();
  const removals = new Set<Promise<unknown>>();
  /** By account: renewals that wait for their tokens to be stored. */
  const awaitedWrites = new Map<
    string,
    { readonly done: () => void; readonly correlationId: string }
  >();
  /** Owed removals that are under way. */
  const owedNow = new Set<string>();
  let finishing = false;

  return {
    run,
    revoke,
    forget: (account) => {
      forget(account, true);
    },
    removeOwed,
    async removed() {
      await Promise.all([...removals]);
    },
    async finish() {
      finishing = true;
      // A renewal that ends begins a write: the list is asked until it stays empty.
      while (pending.size > 0) await Promise.all([...pending]);
    },
  };

  function run(effect: Exclude<SessionEffect, { type: 'adopted' }>, session: SessionHandle): void {
    switch (effect.type) {
      case 'read-record':
        // Not tracked: a password dialog must not keep the app alive.
        void read(effect.account, session);
        return;
      case 'write-record': {
        const renewal = awaitedWrites.get(effect.account.id);
        awaitedWrites.delete(effect.account.id);
        // A renewal holds the lock until its tokens are stored; any other write takes it for
        // itself.
        const work =
          renewal === undefined
            ? changeRecord(effect.account.id, () => write(effect, session))
            : write(effect, session, renewal.correlationId).finally(renewal.done);
        track(work);
        return;
      }
      case 'remove-record':
        forget(effect.account, effect.revokes === true);
        return;
      case 'suspend':
        track(sessionStore.suspend(effect.account));
        return;
      case 'mark-refused':
        track(sessionStore.markRefused(effect.account));
        return;
      case 'renew':
        track(renew(effect, session));
        return;
      case 'revoke':
        revoke(effect.token);
        return;
      default:
        assertNever(effect);
    }
  }

  async function read(account: AccountView, { post }: SessionHandle): Promise<void> {
    const reading = await sessionStore.read(account).catch((error: unknown): SessionReading => ({
      state: 'withheld',
      error: toAuthError(error),
    }));
    if (reading.state === 'record' && reading.record.metadata !== undefined)
      client.trustMetadata(reading.record.metadata);
    if (reading.state === 'record')
      post({
        type: 'record-found',
        record: reading.record,
        ...(reading.suspended === true ? { suspended: true } : {}),
        ...timing(),
      });
    else if (reading.state === 'absent')
      post(
        reading.foreign === true
          ? { type: 'record-absent', foreign: true }
          : { type: 'record-absent' },
      );
    else post({ type: 'record-withheld', error: reading.error });
  }

  async function write(
    { account, refreshToken, scope, resources, access, doubted, save }: WriteEffect,
    { post, isActive }: SessionHandle,
    correlationId?: string,
  ): Promise<void> {
    const metadata = client.metadataMark();
    const record: SessionRecord = {
      version: 1,
      clientId: settings.clientId,
      account,
      refreshToken,
      scope,
      ...(resources.length === 0 ? {} : { resources }),
      savedAt: clock.now(),
      ...(metadata === null ? {} : { metadata }),
      access,
      ...(doubted ? { doubted: true } : {}),
    };
    const error = await sessionStore.write(record, correlationId, isActive);
    if (error === null) post({ type: 'stored', save, ...timing() });
    else post({ type: 'store-failed', save, error, ...timing() });
  }

  /**
   * One process at a time: two that send the same refresh token look like a thief to a server that
   * rotates (RFC 9700 §4.14.2).
   */
  async function renew(effect: RenewEffect, session: SessionHandle): Promise<void> {
    const correlationId = newId();
    log.write({ level: 'info', event: 'renewal-started', correlationId });
    const failed = client.isPrepared() ? 'ready' : await getReady(effect, session, correlationId);
    const error = failed === 'ready' ? await renewAlone(effect, session, correlationId) : failed;
    if (error === null) {
      // The tokens are stored, and whoever waited has them.
      if (!finishing) client.revalidateMetadata();
      return;
    }
    // Asked while nobody waits at the lock.
    const refused =
      effect.target === null && error.code === 'sign-in-refused' && (await client.isOwnWord(error));
    fail(error, refused, session, correlationId);
  }

  /**
   * Metadata is fetched before the lock is taken, for others wait there; and not at all when
   * another process has renewed.
   */
  async function getReady(
    effect: RenewEffect,
    session: SessionHandle,
    correlationId: string,
  ): Promise<AuthError | null | 'ready'> {
    const newer = effect.stored ? await newerRecord(effect, correlationId) : null;
    if (newer !== null && isGood(newer, effect)) return useRecord(newer, session, correlationId);
    if (finishing) return null;
    try {
      await client.prepare();
      return 'ready';
    } catch (thrown) {
      return toAuthError(thrown);
    }
  }

  /** Null: it is done, or not wanted any more. */
  async function renewAlone(
    effect: RenewEffect,
    session: SessionHandle,
    correlationId: string,
  ): Promise<AuthError | null> {
    const renewal = async (): Promise<AuthError | null> => {
      const newer = effect.stored ? await newerRecord(effect, correlationId) : null;
      if (newer !== null && isGood(newer, effect)) return useRecord(newer, session, correlationId);
      // A request that is cut off by the end of the app could cost the rotated token.
      if (finishing) return null;
      return renewWith(
        newer === null ? effect : withTokenOf(effect, newer),
        session,
        correlationId,
      );
    };
    const held = await lock.hold(
      sessionLock(settings.clientId, effect.account.id),
      renewalLockWaitMs(settings),
      renewal,
    );
    if (held.held) return held.value;
    if (held.reason === 'given-up') return null;
    log.write({
      level: 'warn',
      event: 'lock-not-held',
      correlationId,
      fields: { reason: held.reason, detail: held.detail },
    });
    // Where the system gives no lock at all, one process is the rule, and no renewal would be the
    // certain end.
    return held.reason === 'unavailable'
      ? renewal()
      : new AuthError(
          'session-busy',
          'another process of this app is renewing and does not finish',
        );
  }

  async function renewWith(
    effect: RenewEffect,
    session: SessionHandle,
    correlationId: string,
  ): Promise<AuthError | null> {
    try {
      const { tokens, person } = await client.renew(
        effect.refreshToken,
        effect.scope,
        effect.account,
        effect.target,
      );
      log.write({
        level: 'info',
        event: 'renewal-done',
        correlationId,
        fields: { rotated: tokens.refreshToken !== effect.refreshToken },
      });
      // Tokens that may be somebody else's are used by nobody; but the server has rotated, and the
      // old token is dead.
      const doubted = person === 'another' || (person === 'unsaid' && effect.doubted);
      if (!doubted)
        await stored(
          { type: 'renewed', tokens, stored: false, ...timing() },
          effect.account,
          session,
          correlationId,
        );
      else
        await stored(
          failure(
            new AuthError(
              'id-token-invalid',
              'ID token: the renewed one is not of this issuer, client and person (OpenID Connect Core §12.2)',
            ),
            false,
            tokens.refreshToken ?? undefined,
          ),
          effect.account,
          session,
          correlationId,
        );
      return null;
    } catch (thrown) {
      const error = toAuthError(thrown);
      if (error.code === 'session-ended' && effect.stored) {
        // Somebody who does not know our lock may have renewed: then there is a newer token, and no
        // reason to give up.
        const newer = await newerRecord(effect, correlationId);
        if (newer !== null && isGood(newer, effect))
          return useRecord(newer, session, correlationId);
        if (newer !== null)
          return renewWith(
            { ...withTokenOf(effect, newer), stored: false },
            session,
            correlationId,
          );
      }
      return error;
    }
  }

  /**
   * Tells the session what to store, and waits until that is stored: the next process must find in
   * the record what this one got.
   */
  async function stored(
    event: SessionEvent,
    account: AccountView,
    { post }: SessionHandle,
    correlationId: string,
  ): Promise<void> {
    const written = new Promise<void>((resolve) => {
      awaitedWrites.set(account.id, { done: resolve, correlationId });
    });
    post(event);
    // An answer that came too late is stored by nobody, and must not hold up a sign-out or the
    // other processes.
    if (!awaitedWrites.delete(account.id))
      await withTimeout(clock, written, LIMITS.keyringWriteSlowMs);
  }

  function changeRecord(accountId: string, work: () => Promise<void>): Promise<void> {
    return exclusive(lock, sessionLock(settings.clientId, accountId), { ifBusy: 'go-ahead' }, work);
  }

  function useRecord(record: GoodRecord, { post }: SessionHandle, correlationId: string): null {
    const { refreshToken, scope, access } = record;
    const tokens: TokenSet = {
      accessToken: access.token,
      obtainedAt: access.obtainedAt,
      expiresAt: access.expiresAt,
      refreshToken,
      scope,
    };
    log.write({ level: 'info', event: 'renewed-elsewhere', correlationId });
    post({ type: 'renewed', tokens, stored: true, ...timing() });
    return null;
  }

  function fail(
    error: AuthError,
    refused: boolean,
    { post }: SessionHandle,
    correlationId: string,
  ): void {
    log.write({
      level: 'warn',
      event: 'renewal-failed',
      correlationId,
      fields: errorFields(error),
    });
    post(failure(error, refused));
  }

  function failure(error: AuthError, refused: boolean, rotated?: string): SessionEvent {
    return {
      type: 'renew-failed',
      error,
      refused,
      ...(rotated === undefined ? {} : { rotated }),
      now: clock.now(),
      random: timing().random,
    };
  }

  /**
   * What the keychain holds, when it is not what this process knows; null also when it cannot be
   * read.
   */
  async function newerRecord(
    effect: RenewEffect,
    correlationId: string,
  ): Promise<SessionRecord | null> {
    const reading = await withTimeout(
      clock,
      sessionStore.read(effect.account, correlationId),
      LIMITS.keyringWriteSlowMs,
    );
    return reading?.state === 'record' && reading.record.refreshToken !== effect.refreshToken
      ? reading.record
      : null;
  }

  function isGood(record: SessionRecord, { target, replaced }: RenewEffect): record is GoodRecord {
    const { access } = record;
    // A renewal for another target leaves the token of the sign-in as it was.
    if (target !== null || access === null || access.token === replaced || record.doubted === true)
      return false;
    // Of a time that is still to come: nobody knows how old it is.
    if (wasSetBack(access, clock.now())) return false;
    if (access.expiresAt === null) return true;
    return (
      clock.now() <
      renewAt({
        obtainedAt: access.obtainedAt,
        expiresAt: access.expiresAt,
        renewEarlySeconds: settings.renewEarlySeconds,
        random: 1,
      })
    );
  }

  function forget(account: AccountView, revokes: boolean): void {
    // Owed from now on, though another process holds the lock: who kills the app must not undo the
    // sign-out.
    track(
      Promise.all([
        sessionStore.oweRemoval(account),
        changeRecord(account.id, () =>
          sessionStore.remove(account, revokes ? revokeStored : undefined),
        ),
      ]),
      removals,
    );
  }

  function removeOwed(isInUse: (accountId: string) => boolean): void {
    if (finishing) return;
    for (const account of sessionStore.owed()) {
      if (isInUse(account.id) || owedNow.has(account.id)) continue;
      owedNow.add(account.id);
      const removal = changeRecord(account.id, async () => {
        if (!isInUse(account.id)) await sessionStore.remove(account, revokeStored);
      });
      background(removal, account.id);
    }
    if (owedNow.has(OTHERS) || sessionStore.owedByOthers().length === 0) return;
    owedNow.add(OTHERS);
    background(removeOfOthers(), OTHERS);
  }

  /**
   * Not tracked: a password dialog must not keep the app alive, and what is owed still is at the
   * next start.
   */
  function background(removal: Promise<void>, what: string): void {
    removal
      .catch((error: unknown) => {
        log.write({
          level: 'error',
          event: 'internal',
          fields: { name: error instanceof Error ? error.name : 'unknown' },
        });
      })
      .finally(() => {
        owedNow.delete(what);
      });
  }

  /** Their tokens are no business of this issuer, and are sent nowhere (RFC 9700 §4.4). */
  async function removeOfOthers(): Promise<void> {
    for (const entry of sessionStore.owedByOthers()) {
      const name = sessionLock(entry.clientId ?? settings.clientId, entry.id);
      await exclusive(lock, name, { ifBusy: 'go-ahead' }, () => sessionStore.removeOfOthers(entry));
    }
  }

  /**
   * Before the record goes, so that a kill in between does not leave a token that works. The server
   * gets a while, not for ever.
   */
  async function revokeStored({ refreshToken }: SessionRecord): Promise<void> {
    await withTimeout(clock, revokeNow(refreshToken), LIMITS.claimWaitMs);
  }

  function revoke(token: string): void {
    track(revokeNow(token));
  }

  function revokeNow(token: string): Promise<void> {
    return client.revoke(token).catch((error: unknown) => {
      log.write({
        level: 'info',
        event: 'revocation-failed',
        fields: { code: toAuthError(error).code },
      });
    });
  }

  function track(work: Promise<unknown>, also?: Set<Promise<unknown>>): void {
    const tracked: Promise<unknown> = work
      .catch((error: unknown) => {
        log.write({
          level: 'error',
          event: 'internal',
          fields: { name: error instanceof Error ? error.name : 'unknown' },
        });
      })
      .finally(() => {
        pending.delete(tracked);
        also?.delete(tracked);
      });
    pending.add(tracked);
    also?.add(tracked);
  }
}

function withTokenOf(effect: RenewEffect, { refreshToken, doubted }: SessionRecord): RenewEffect {
  return { ...effect, refreshToken, doubted: doubted === true };
}
