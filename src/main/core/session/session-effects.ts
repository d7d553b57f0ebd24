// The effects of the session: reads, writes and removes its record, renews under a lock across
// processes. Decides nothing about the session: it reports every result to the mailbox as an event of
// session-state.ts.
import type { AccountView } from '../../../contract.js';
import { AuthError, assertNever, toAuthError } from '../base/errors.js';
import { errorFields } from '../base/event-parts.js';
import { LIMITS } from '../base/limits.js';
import { createPending } from '../base/pending.js';
import type { Settings } from '../options/auth-options.js';
import type { Ports } from '../base/ports.js';
import type { OAuthClient } from '../oauth/client.js';
import type { TokenSet } from '../base/tokens.js';
import { type SessionRecord, keptFacts, refreshTokenOf } from '../storage/records.js';
import { claimsNamed } from '../base/claims.js';
import { factsOf } from './person-facts.js';
import { renewAt } from '../base/backoff.js';
import { slowKeyring, wasSetBack } from './live-session.js';
import type { Revocations } from './revocations.js';
import type { SessionEffect, SessionEvent, Timing } from './session-state.js';
import { withTimeout } from '../base/timeout.js';
import type { SessionStore, SessionReading } from '../storage/session-store.js';
import { sessionLock, renewalLockWaitMs, exclusive } from '../storage/record-lock.js';

type LookEffect = SessionEffect & { readonly type: 'renew' };
type RenewEffect = LookEffect & { readonly refreshToken: string };
type WriteEffect = SessionEffect & { readonly type: 'write-record' };

type GoodRecord = SessionRecord & { readonly access: NonNullable<SessionRecord['access']> };

/** The session of an effect at that moment: later epochs ignore its events. */
export interface SessionHandle {
  readonly post: (event: SessionEvent) => void;
  /** True: the next start restores it. */
  readonly isActive: boolean;
}

export interface SessionEffects {
  run(effect: Exclude<SessionEffect, { type: 'adopted' }>, session: SessionHandle): void;
  /**
   * Begins no renewal any more; resolves when the running ones are done and stored. Does not wait
   * for a read.
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
  revocations: Pick<Revocations, 'forget' | 'revoke'>,
): SessionEffects {
  const { clock, log, lock } = ports;
  /**
   * Work that stop() must not interrupt: if a rotated token is not stored, the session is lost.
   */
  const pending = createPending(log);
  const track = (work: Promise<unknown>): void => void pending.track(work);
  /** By account: renewals that wait for their tokens to be stored. */
  const awaitedWrites = new Map<
    string,
    { readonly done: () => void; readonly correlationId: string }
  >();
  let finishing = false;

  return {
    run,
    async finish() {
      finishing = true;
      // A renewal ends with a new write.
      await pending.settled();
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
        revocations.forget(effect.account, effect.revokes === true);
        return;
      case 'suspend':
        track(sessionStore.suspend(effect.account));
        return;
      case 'mark-refused':
        track(sessionStore.markRefused(effect.account));
        return;
      case 'renew':
        track(
          isRenewable(effect) ? renew(effect, session) : lookForNewer(effect, session, newId()),
        );
        return;
      case 'revoke':
        revocations.revoke(effect.token, effect.account);
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
        record: withWantedFacts(reading.record),
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
    effect: WriteEffect,
    { post, isActive }: SessionHandle,
    correlationId?: string,
  ): Promise<void> {
    const { account, refreshToken, scope, resources, access, identityMismatch, save } = effect;
    const metadata = client.metadataMark();
    const secret = refreshToken ?? access?.token;
    // A session without both has ended.
    if (secret === undefined) return;
    const record: SessionRecord = {
      version: 1,
      clientId: settings.clientId,
      account,
      refreshToken: secret,
      ...(refreshToken === null ? { renewable: false as const } : {}),
      scope,
      ...(resources.length === 0 ? {} : { resources }),
      savedAt: clock.now(),
      ...(metadata === null ? {} : { metadata }),
      access,
      ...(identityMismatch ? { doubted: true } : {}),
      ...keptFacts(effect, settings.keepIdToken),
    };
    const error = await sessionStore.write(record, correlationId, isActive);
    if (error === null) post({ type: 'stored', save, ...timing() });
    else post({ type: 'store-failed', save, error, ...timing() });
  }

  /**
   * Only one process at a time renews: to a server that rotates refresh tokens, two requests with
   * the same token look like theft (RFC 9700 §4.14.2).
   */
  async function renew(effect: RenewEffect, session: SessionHandle): Promise<void> {
    const correlationId = newId();
    log.write({ level: 'info', event: 'renewal-started', correlationId });
    const failed = client.isPrepared() ? 'ready' : await getReady(effect, session, correlationId);
    const error = failed === 'ready' ? await renewAlone(effect, session, correlationId) : failed;
    if (error === null) {
      // The tokens are stored, and all waiting callers have them.
      if (!finishing) client.revalidateMetadata();
      return;
    }
    // Asks the provider after the lock is released, so that no process waits for it.
    const refused =
      effect.target === null && error.code === 'sign-in-refused' && (await client.isOwnWord(error));
    fail(error, refused, session, correlationId);
  }

  /**
   * Without a refresh token only another process can have newer tokens: the same person has signed
   * in there. Asks nobody but the keychain.
   */
  async function lookForNewer(
    effect: LookEffect,
    session: SessionHandle,
    correlationId: string,
  ): Promise<void> {
    const reading = effect.stored ? await readSoon(effect.account, correlationId) : null;
    const newer = reading?.state === 'record' ? reading.record : null;
    if (newer !== null && newer.refreshToken !== effect.replaced) {
      if (isGood(newer, effect)) {
        useRecord(newer, session, correlationId);
        return;
      }
      const renewable = withTokenOf(effect, newer);
      if (isRenewable(renewable)) return renew(renewable, session);
    }
    const error = reading?.state === 'withheld' ? reading.error : null;
    session.post(
      failure(error ?? new AuthError('session-ended', 'there is no other token'), false),
    );
  }

  /**
   * Fetches metadata before it takes the lock, because others wait for the lock; and not at all if
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

  /** Null: the renewal is done, or no longer wanted. */
  async function renewAlone(
    effect: RenewEffect,
    session: SessionHandle,
    correlationId: string,
  ): Promise<AuthError | null> {
    const renewal = async (): Promise<AuthError | null> => {
      const newer = effect.stored ? await newerRecord(effect, correlationId) : null;
      if (newer !== null && isGood(newer, effect)) return useRecord(newer, session, correlationId);
      // If the end of the app interrupted a request, the rotated token could be lost.
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
          'another process of this app is renewing the session and does not finish',
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
      // Tokens that may belong to another person must not be used. But the server has rotated the
      // refresh token, and the old one is no longer valid.
      const identityMismatch =
        person === 'another' || (person === 'unsaid' && effect.identityMismatch);
      if (!identityMismatch)
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
              'ID token: the renewed one does not name this issuer, client and person (OpenID Connect Core §12.2)',
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
        // A process that does not use our lock may have renewed. Then there is a newer token, and
        // the session has not ended.
        const newer = await newerRecord(effect, correlationId);
        if (newer !== null && isGood(newer, effect))
          return useRecord(newer, session, correlationId);
        if (newer !== null && refreshTokenOf(newer) !== null)
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
   * Tells the session what to store, and waits until it is stored: the next process must find in
   * the record what this one has received.
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
    // An answer that came too late is never stored. It must not delay a sign-out or the other
    // processes.
    if (!awaitedWrites.delete(account.id))
      await withTimeout(clock, written, LIMITS.keyringWriteSlowMs);
  }

  function changeRecord(accountId: string, work: () => Promise<void>): Promise<void> {
    return exclusive(lock, sessionLock(settings.clientId, accountId), { ifBusy: 'go-ahead' }, work);
  }

  /** A record may be of a time when the options were others. */
  function withWantedFacts(record: SessionRecord): SessionRecord {
    const { claims, idToken, ...rest } = record;
    return {
      ...rest,
      ...(claims === undefined || settings.claims.length === 0
        ? {}
        : { claims: claimsNamed(settings.claims, claims) }),
      ...(idToken === undefined || !settings.keepIdToken ? {} : { idToken }),
    };
  }

  function useRecord(record: GoodRecord, { post }: SessionHandle, correlationId: string): null {
    const { scope, access } = record;
    const tokens: TokenSet = {
      accessToken: access.token,
      obtainedAt: access.obtainedAt,
      expiresAt: access.expiresAt,
      refreshToken: refreshTokenOf(record),
      scope,
      ...factsOf(withWantedFacts(record)),
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
   * The record in the keychain, if its refresh token differs from this process's. Null otherwise,
   * and when it cannot be read.
   */
  async function newerRecord(
    effect: RenewEffect,
    correlationId: string,
  ): Promise<SessionRecord | null> {
    const reading = await readSoon(effect.account, correlationId);
    return reading.state === 'record' && reading.record.refreshToken !== effect.refreshToken
      ? reading.record
      : null;
  }

  async function readSoon(account: AccountView, correlationId: string): Promise<SessionReading> {
    const reading = await withTimeout(
      clock,
      sessionStore.read(account, correlationId),
      LIMITS.keyringWriteSlowMs,
    );
    return reading ?? { state: 'withheld', error: slowKeyring() };
  }

  function isGood(record: SessionRecord, { target, replaced }: LookEffect): record is GoodRecord {
    const { access } = record;
    // A renewal for another target leaves the token of the sign-in as it was.
    if (target !== null || access === null || access.token === replaced || record.doubted === true)
      return false;
    // A token from a time in the future has an unknown age.
    if (wasSetBack(access, clock.now())) return false;
    if (access.expiresAt === null) return true;
    // Nothing can renew it, so it is good until its end.
    if (refreshTokenOf(record) === null) return clock.now() < access.expiresAt;
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
}

function isRenewable(effect: LookEffect): effect is RenewEffect {
  return effect.refreshToken !== null;
}

/** A record without a refresh token has nothing to renew with: the effect stays as it is. */
function withTokenOf<Effect extends LookEffect>(effect: Effect, record: SessionRecord): Effect {
  const refreshToken = refreshTokenOf(record);
  return refreshToken === null
    ? effect
    : { ...effect, refreshToken, identityMismatch: record.doubted === true };
}
