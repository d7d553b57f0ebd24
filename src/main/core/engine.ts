// The core at work: makes its parts, hands every event about attempts and sessions to one mailbox,
// and makes one view of their states. Decides only what concerns several parts at once: whom to
// restore, what a sign-out ends, and whether tokens that came too late are revoked. All else is for
// attempts.ts, sessions.ts, migration.ts and their machines to decide.
import type { AccountView, AuthErrorView, AuthView, SecretStoreKind } from '../../contract.js';
import { createAttemptStore } from './storage/attempt-store.js';
import type { AttemptState } from './authorization/attempt-state.js';
import { type AttemptMail, createAttempts } from './authorization/attempts.js';
import { createMailbox } from './base/mailbox.js';
import { createBoundedFetch } from './oauth/bounded-fetch.js';
import { createErrorViews } from './base/error-views.js';
import { AuthError, stoppedError } from './base/errors.js';
import { randomId } from './base/event-parts.js';
import { createRevocations } from './session/revocations.js';
import { createSessionEffects } from './session/session-effects.js';
import { createStoredState } from './storage/stored-state.js';
import { createLazyClient } from './oauth/lazy-client.js';
import { LIMITS } from './base/limits.js';
import type { Settings } from './options/auth-options.js';
import type { Lock, Ports } from './base/ports.js';
import type { TokenSet } from './base/tokens.js';
import type { Timing } from './session/session-state.js';
import { type SessionMail, type Sessions, createSessions } from './session/sessions.js';
import { ownerOf } from './storage/ownership.js';
import { createStateReader, unreadError } from './storage/state-reader.js';
import { createMigration } from './migration/migration.js';
import { createEndSession } from './session/end-session.js';
import { parseSignOut } from './session/sign-out-request.js';
import { withTimeout } from './base/timeout.js';
import {
  type AccountHold,
  type IdTokenRequest,
  type RefusedBy,
  type TokenRequest,
  parseAccountId,
} from './session/token-request.js';
import { accountOf } from './storage/records.js';
import { createSessionStore } from './storage/session-store.js';
import { toView, withOthers } from './view.js';

/** The core as index.ts and the tests use it. Promises reject only with an `AuthError`. */
export interface Engine {
  /** Reads what is stored. Call it once; until it is done the view says `starting`. */
  start(): void;
  view(): AuthView;
  /** Calls the listener now and after each change, in order. Returns a function to stop it. */
  onView(listener: (view: AuthView) => void): () => void;
  /**
   * `argument`: a `SignInRequest` from outside, not looked at yet. Of a host, and only of a host,
   * it may be `SignInOptions`. `signal`: cancels the attempt.
   */
  signIn(argument: unknown, by?: 'page' | 'host', signal?: AbortSignal): Promise<void>;
  cancelSignIn(): void;
  reopenBrowser(): void;
  tryAnotherWay(): void;
  /**
   * Resolves when an open attempt has taken the pasted text; rejects with `callback-invalid` when
   * none takes it.
   */
  pasteCallback(argument: unknown): Promise<void>;
  /**
   * Resolves when this computer has forgotten the session; the server is told in the background.
   * `argument`: nothing, an account id, or a `SignOutRequest`, not looked at yet.
   */
  signOut(argument?: unknown): Promise<void>;
  /**
   * Resolves when this account is the active one. Rejects, and changes nothing, when its session
   * cannot be restored.
   */
  switchAccount(accountId: unknown): Promise<void>;
  /**
   * Signs the account out and removes what this computer knows of the person. Rejects with
   * `storage-failed` when the disk did not take it.
   */
  forgetAccount(accountId: unknown): Promise<void>;
  retry(): void;
  /** `refusedBy`: who says that `request.refused` was refused. An API alone ends no session. */
  getAccessToken(request?: TokenRequest, refusedBy?: RefusedBy): Promise<string>;
  getIdToken(request?: IdTokenRequest): Promise<string>;
  /** The error as a page may see it, with advice if the host wants that. Never rejects. */
  errorView(error: AuthError): Promise<AuthErrorView>;
  /**
   * Ends everything within `LIMITS.stopMs`: running renewals and writes are finished, and nothing
   * new begins.
   */
  stop(): Promise<void>;
}

/** The engine, and what requests to APIs ask of it. */
export interface WholeEngine extends Engine {
  /** The account of a request with its token. Default: the active one. Never throws. */
  hold(accountId?: string): AccountHold;
  readonly signedIn: Sessions['signedIn'];
}

export function createEngine(settings: Settings, ports: Ports): WholeEngine {
  const { clock, log } = ports;
  const ended = new AbortController();
  /** As soon as stop() begins, no call waits for a lock. */
  const leaving = new AbortController();
  const lock: Lock = {
    hold: (name, limitMs, run) => ports.lock.hold(name, limitMs, run, leaving.signal),
  };
  const mailbox = createMailbox<AttemptMail | SessionMail>(clock, {
    deliver(mail) {
      if (mail.to === 'attempt') attempts.deliver(mail);
      else deliverToSession(mail);
    },
    emptied() {
      if (stopping !== null) return;
      publish();
      sessions.settle();
      watchNetwork();
    },
    deadline(now) {
      const deadlines = [
        sessions.deadline(now),
        attempts.deadline(now),
        revocations.deadline(now),
      ].filter((deadline) => deadline !== null);
      return deadlines.length === 0 ? null : Math.min(...deadlines);
    },
    tick() {
      attempts.tick();
      sessions.tick();
      revocations.tick();
    },
  });
  const { queue, drain } = mailbox;
  const fetch = createBoundedFetch(
    ports.network,
    clock,
    { timeoutMs: settings.networkTimeoutSeconds * 1000, responseBytes: LIMITS.responseBytes },
    ended.signal,
  );
  const client = createLazyClient(async () =>
    (await import('./oauth/client.js')).createOAuthClient(
      settings,
      fetch,
      clock,
      log,
      ports.metadata,
    ),
  );
  const storedState = createStoredState(
    ports.state,
    lock,
    ownerOf(settings),
    log,
    settings.accounts === 'several' ? drain : undefined,
  );
  const sessionStore = createSessionStore(ports.secrets, storedState, settings.clientId, log);
  const attemptStore = createAttemptStore(
    ports.secrets,
    storedState,
    lock,
    clock,
    settings,
    log,
    showAttemptError,
  );
  const errorViews = createErrorViews(ports.loadAdvice, drain, log);
  const revocations = createRevocations(settings, { clock, lock, log }, client, sessionStore, {
    isInUse: (accountId) => sessions.isThere(accountId),
    isAnonymousInUse: () => sessions.isAnonymousThere(),
    areAbsent: () => sessions.areAbsent(),
    busyUntil: () => (attempts.open().length > 0 ? Infinity : attemptStore.openUntil(clock.now())),
    drain,
  });
  const sessionEffects = createSessionEffects(
    settings,
    { ...ports, lock },
    client,
    sessionStore,
    timing,
    () => correlationOf('renewal', ++renewalCount),
    revocations,
  );
  const sessions = createSessions(
    settings,
    storedState,
    sessionStore,
    sessionEffects,
    revocations,
    clock,
    log,
    {
      queue,
      drain,
      changed() {
        if (sessions.state().phase !== 'absent') migration.cancel();
        // The end of a session is newer than the result of an attempt.
        else attemptError = null;
      },
      adopted: (attempt) => {
        attempts.stored(attempt);
      },
      discard,
      timing,
    },
  );

  const reader = createStateReader(storedState, clock);

  let started = false;
  let starting: Promise<void> = Promise.resolve();
  let restoring: Promise<void> = Promise.resolve();
  let stopping: Promise<void> | null = null;
  let renewalCount = 0;
  const run = randomId();
  let attemptError: AuthError | null = null;
  let view: AuthView = { status: 'starting' };
  let viewText = JSON.stringify(view);
  let viewOthers = sessions.otherAccounts();
  const viewListeners = new Set<(view: AuthView) => void>();

  const endSession = createEndSession(settings, ports, client);
  const ownPorts = { ...ports, callbacks: endSession.without(ports.callbacks) };
  const attempts = createAttempts(settings, ownPorts, client, attemptStore, {
    queue,
    drain,
    correlationId: (number) => correlationOf('attempt', number),
    begun: () => {
      attemptError = null;
    },
    isSignedOut,
    signedIn: (accountId) => sessions.signedIn(accountId),
    adopt: (tokens, account, number) => {
      sessions.adopt(tokens, account, number);
    },
    discard,
    ended({ error, number }) {
      if (error?.code !== 'sign-in-cancelled') {
        attemptError = error;
        if (error !== null) tellDeveloper(error, correlationOf('attempt', number));
      }
      // The keyring may have just stored a session, and the provider may be told of another one.
      revocations.removeOwed();
    },
  });
  const migration = createMigration(
    settings,
    {
      legacyEntries: ports.legacyEntries,
      secrets: ports.secrets,
      storedState,
      sessionStore,
      client,
      lock,
      clock,
      log,
    },
    {
      tell: showAttemptError,
      taken(account) {
        const session = sessions.state();
        if (session.phase === 'absent') restoreLast();
        else if (session.account.id !== account.id && settings.accounts === 'one')
          revocations.forget(account, true);
        drain();
      },
    },
  );
  ports.systemEvents.listen((signal) => {
    if (stopping !== null) return;
    sessions.wake(signal);
    revocations.wake();
    if (signal === 'unlock') attemptStore.tryAgain();
    if (signal === 'unlock') revocations.removeOwed();
    if (storedState.isRead()) migration.tryAgain(signal === 'unlock');
    else if (started) void reader.tryAgain();
    // Timers may have slept too: what is due by the wall clock is done now.
    mailbox.tickNow();
  });

  return {
    start: () => {
      starting = restore();
    },
    view: () => view,
    onView(listener) {
      viewListeners.add(listener);
      listener(view);
      return () => {
        viewListeners.delete(listener);
      };
    },
    async signIn(argument, by = 'page', signal) {
      if (stopping !== null) throw stoppedError();
      await attempts.begin(argument, by, signal);
    },
    cancelSignIn: () => {
      attempts.cancel(attempts.open());
    },
    reopenBrowser: () => {
      attempts.sendToWaiting({ type: 'reopen' });
    },
    tryAnotherWay: () => {
      attempts.sendToWaiting({ type: 'next-redirect' });
    },
    async pasteCallback(argument) {
      if (stopping !== null) throw stoppedError();
      await attempts.paste(argument);
    },
    signOut,
    async forgetAccount(argument) {
      const accountId = parseAccountId(argument);
      await signOut(accountId);
      const left = storedState.current().accounts.find(({ id }) => id === accountId);
      // A sign-out leaves the record of a session that the provider has ended.
      if (left !== undefined && !['none', 'removal-owed'].includes(left.record)) {
        revocations.forget(accountOf(left), true);
        await withTimeout(clock, revocations.removed(), LIMITS.keyringWriteSlowMs);
      }
      const isForgotten = await sessionStore.forget(accountId);
      sessions.forget(accountId);
      drain();
      if (!isForgotten)
        throw new AuthError('storage-failed', 'the state file still names the account');
    },
    hold: (accountId) => sessions.hold(accountId ?? null),
    retry() {
      if (stopping !== null) return;
      attemptStore.tryAgain();
      revocations.removeOwed();
      revocations.wake();
      if (storedState.isRead()) migration.tryAgain(true);
      else if (started) void reader.tryAgain();
      sessions.retry();
    },
    async switchAccount(argument) {
      const accountId = parseAccountId(argument);
      if (stopping !== null) throw stoppedError();
      await sessions.switchAccount(accountId);
    },
    getAccessToken: (request, refusedBy) =>
      stopping === null
        ? sessions.getAccessToken(request, refusedBy)
        : Promise.reject(stoppedError()),
    getIdToken: (request) =>
      stopping === null ? sessions.getIdToken(request) : Promise.reject(stoppedError()),
    errorView: (error) => errorViews.complete(error),
    signedIn: (accountId) => sessions.signedIn(accountId),
    stop: () => (stopping ??= stop()),
  };

  async function signOut(argument?: unknown): Promise<void> {
    const { account: accountId, endBrowserSession } = parseSignOut(argument);
    if (stopping !== null) throw stoppedError();
    const open = attempts.open();
    // Done at once, so that it does not end a sign-in that begins after this call.
    let ended =
      accountId === null || (started && sessions.isActive(accountId)) ? endAttempts(open) : null;
    // A step-up of an account that is not active.
    if (ended === null)
      attempts.cancel(
        open.filter((one) => one.phase !== 'ended' && one.request.account === accountId),
      );
    // The sign-out also ends a session that is about to be restored.
    await starting;
    if (!storedState.isRead() && sessions.areAbsent()) {
      await reader.tryAgain();
      // It is unknown which account to sign out, so it would be wrong to resolve.
      if (!storedState.isRead() && stopping === null) throw unreadError();
      await restoring;
    }
    if (stopping !== null) throw stoppedError();
    migration.cancel();
    await withTimeout(clock, migration.settled(), LIMITS.keyringWriteSlowMs);
    if (accountId !== null && sessions.isActive(accountId)) ended ??= endAttempts(open);
    const leaving = sessions.leaving(accountId);
    await sessions.signOut(accountId);
    await withTimeout(
      clock,
      Promise.all([revocations.removed(), ended]),
      LIMITS.keyringWriteSlowMs,
    );
    if (endBrowserSession && (accountId === null || leaving.account !== null))
      await endSession.begin(leaving);
  }

  async function restore(): Promise<void> {
    await reader.begin();
    restoring = storedState.read().then(restoreKnown);
    if (storedState.isRead()) await restoring;
    else sessions.recall(null, 'never', unreadError());
    if (stopping !== null) return;
    started = true;
    sessions.start();
    drain();
  }

  async function restoreKnown(): Promise<void> {
    if (stopping !== null) return;
    migration.begin();
    await withTimeout(clock, migration.firstWord(), LIMITS.keyringSlowMs);
    if (stopping !== null) return;
    restoreLast();
    if (started) drain();
    void attemptStore.sweep(clock.now());
    revocations.removeOwed();
  }

  /**
   * After a sign-out, nothing that began before it may sign the person in again: no callback, no
   * device code, no attempt in the keychain.
   */
  function endAttempts(open: readonly AttemptState[]): Promise<void> {
    attempts.cancel(open);
    return attemptStore.endAll();
  }

  function restoreLast(): void {
    // A callback at the start may already have signed a person in.
    if (sessions.state().phase !== 'absent') return;
    const { restore: account, last, reason } = sessionStore.load();
    if (account === null || migration.isUnderWay()) sessions.recall(last, reason);
    else {
      sessions.send({ type: 'restore', account, now: clock.now() });
      // The stored token is usually due, so the OAuth client is loaded while the keyring is read.
      client.preload();
    }
  }

  async function stop(): Promise<void> {
    mailbox.stop();
    leaving.abort();
    ports.systemEvents.stop();
    reader.stop();
    attemptStore.stop();
    endSession.stop();
    attempts.stop(stoppedError());
    await withTimeout(
      clock,
      Promise.all([
        sessions.stop(stoppedError()),
        sessionEffects.finish(),
        revocations.finish(),
        migration.stop(),
      ]),
      LIMITS.stopMs,
    );
    ended.abort();
    ports.secrets.close();
    viewListeners.clear();
  }

  function deliverToSession(mail: SessionMail): void {
    // These events show that the keyring has just been opened.
    const isOpen = ['record-found', 'record-absent', 'stored'].includes(mail.event.type);
    if (isOpen) attemptStore.tryAgain();
    sessions.deliver(mail);
    if (isOpen) revocations.removeOwed();
  }

  /**
   * Drops tokens that came too late. While a person is signed in, or a sign-in is running, they may
   * belong to the same authorization grant, which must not be revoked.
   */
  function discard(
    tokens: TokenSet,
    isAbsent = sessions.areAbsent(),
    account: AccountView | null = null,
  ): void {
    if (isAbsent && !attempts.isRedeeming())
      revocations.revoke(tokens.refreshToken ?? tokens.accessToken, account);
  }

  function publish(): void {
    const next = toView({
      started,
      session: sessions.state(),
      attempts: attempts.open(),
      attemptError,
      memoryOnly: settings.secretStore === 'memory',
      storeOf,
      errorView: (error) => errorViews.now(error),
    });
    const text = JSON.stringify(next);
    const others = sessions.otherAccounts();
    if (text === viewText && others === viewOthers) return;
    view = Object.freeze(withOthers(next, others));
    viewText = text;
    viewOthers = others;
    for (const listener of [...viewListeners]) {
      try {
        listener(view);
      } catch (cause) {
        log.write({
          level: 'error',
          event: 'view-listener-failed',
          fields: { name: cause instanceof Error ? cause.name : 'unknown' },
        });
      }
    }
  }

  /** A sign-in may begin before the state file was read. */
  async function isSignedOut(): Promise<boolean> {
    await withTimeout(clock, storedState.loaded(), LIMITS.keepBeforeBrowserMs);
    const session = sessions.state();
    if (session.phase !== 'absent') return false;
    if (started) return session.reason === 'signed-out';
    const { restore: account, reason } = sessionStore.load();
    return account === null && reason === 'signed-out';
  }

  function storeOf(key: string): SecretStoreKind {
    return ports.secrets.storeOf?.(sessionStore.placeOf(key)) ?? 'keychain';
  }

  function watchNetwork(): void {
    const session = sessions.state();
    const renewalWaits =
      session.phase === 'live' &&
      session.renewal.state === 'waiting' &&
      session.renewal.error.code.startsWith('network-');
    ports.systemEvents.watchNetwork(
      renewalWaits || migration.waitsForNetwork() || revocations.waitsForNetwork(),
    );
  }

  /** Unique among all processes; the same for all events of one attempt or renewal. */
  function correlationOf(what: 'attempt' | 'renewal', number: number): string {
    return `${what}-${run}-${number}`;
  }

  function tellDeveloper(error: AuthError, correlationId: string): void {
    ports.explain?.(error).then(
      (fields) => {
        log.write({ level: 'warn', event: 'sign-in-failed', correlationId, fields });
      },
      () => undefined,
    );
  }

  function showAttemptError(error: AuthError | null): void {
    attemptError = error;
    drain();
  }

  function timing(): Timing {
    return {
      now: clock.now(),
      random: Math.random(),
      renewEarlySeconds: settings.renewEarlySeconds,
    };
  }
}
