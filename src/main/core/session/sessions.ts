// The sessions of the app: the active one and those of other accounts. With the option "accounts"
// at `one` there is only one. Decides nothing about a session: session.ts does, session-effects.ts
// runs the effects, and callers wait in token-waiters.ts.
import type { AccountView, SignedOutReason } from '../../../contract.js';
import { AuthError } from '../base/errors.js';
import { isAnonymous } from '../base/anonymous.js';
import type { Revocations } from './revocations.js';
import type { Leaving } from './end-session.js';
import type { SessionEffects } from './session-effects.js';
import type { StoredState } from '../storage/stored-state.js';
import { LIMITS } from '../base/limits.js';
import type { Settings } from '../options/auth-options.js';
import type { Clock, KnownAccount, Log, SystemEvent } from '../base/ports.js';
import type { TokenSet } from '../base/tokens.js';
import { accountOf } from '../storage/records.js';
import { isUnread, sessionDeadline } from './session-queries.js';
import { NO_SESSION, type SessionEvent, type SessionState, type Timing } from './session-state.js';
import { stepSession } from './session.js';
import { afterSetBack, createSetBackWatch } from './set-back.js';
import { type TokenWaiters, createTokenWaiters } from './token-waiters.js';
import { withTimeout } from '../base/timeout.js';
import {
  type AccountHold,
  type IdTokenRequest,
  type RefusedBy,
  type TokenRequest,
  parseIdTokenRequest,
  parseTokenRequest,
} from './token-request.js';
import type { SessionStore } from '../storage/session-store.js';

/** The session of one account, and the callers that wait for it. */
export interface Slot {
  state: SessionState;
  /**
   * True when the attempt whose tokens are being stored has begun this session: a sign-out of the
   * active account then ends it.
   */
  isNew: boolean;
  /**
   * The attempt that a sign-out has ended while its tokens were being stored: its account does not
   * become the active one.
   */
  endedAttempt: number | null;
  readonly waiters: TokenWaiters;
  /** Aborted at the sign-out; null: nobody waits for that. */
  leaving: AbortController | null;
}

/** `slot` null: the active session. `epoch` null: for the session as it is now. */
export interface SessionMail {
  readonly to: 'session';
  readonly slot: Slot | null;
  readonly epoch: number | null;
  readonly event: SessionEvent;
}

/** What the engine does for the sessions. */
export interface SessionsHost {
  /** Puts it into the engine's queue; `drain` delivers it. */
  queue(mail: SessionMail): void;
  drain(): void;
  /** The active session has changed its phase, or another one became active. */
  changed(): void;
  /** The tokens of this attempt are stored and in use. */
  adopted(attempt: number): void;
  /** Tokens that came too late for a session, which may be absent by now. */
  discard(tokens: TokenSet, isAbsent: boolean, account: AccountView | null): void;
  timing(): Timing;
}

export interface Sessions {
  /** The state of the active session. */
  state(): SessionState;
  /** The other signed-in accounts: the same list until it changes. */
  otherAccounts(): readonly AccountView[];
  /** True when views and calls without an id mean this account. */
  isActive(accountId: string): boolean;
  /** True when this account has a session, or may still get one. */
  isThere(accountId: string): boolean;
  /** Who is signed in under this id, or may be. Null for `accountId`: the active account. */
  signedIn(accountId: string | null): {
    readonly account: AccountView;
    readonly scope: string | null;
    readonly isAlone: boolean;
  } | null;
  /** True when an account without a name is in use: it may be the same person as any other such. */
  isAnonymousThere(): boolean;
  /** True while no account has a session or may still get one. */
  areAbsent(): boolean;
  /** Callers wait until this is called; from then on they are answered. */
  start(): void;
  /** The last account, and why it is not restored. `unread`: the state file cannot be read. */
  recall(last: AccountView | null, reason: SignedOutReason, unread?: AuthError): void;
  /** Sends the event to the active session. */
  send(event: SessionEvent): void;
  adopt(tokens: TokenSet, account: AccountView, attempt: number): void;
  deliver(mail: SessionMail): void;
  /** Answers all callers that can be answered now. */
  settle(): void;
  /** Tries now what waits for a later try. */
  retry(): void;
  wake(signal: SystemEvent): void;
  tick(): void;
  /** When the first session needs a `tick`, or null. */
  deadline(now: number): number | null;
  /** `refusedBy`: who says that `request.refused` was refused. */
  getAccessToken(request?: TokenRequest, refusedBy?: RefusedBy): Promise<string>;
  /** The newest ID token that has not expired. Renews if there is none. */
  getIdToken(request?: IdTokenRequest): Promise<string>;
  /**
   * Makes another account the active one, after its session is restored. Rejects, and changes
   * nothing, when that fails.
   */
  switchAccount(accountId: string): Promise<void>;
  /** Who would sign out: null is the active account, or the one that was active last. */
  leaving(accountId: string | null): Leaving;
  /** The last account is not named any more, if it is this one. */
  forget(accountId: string): void;
  /** Never throws. Null: the active account. */
  hold(accountId: string | null): AccountHold;
  /** Null: the active account. Resolves when its removal has begun. */
  signOut(accountId: string | null): Promise<void>;
  /** Rejects all waiting callers. Resolves when the file names the active account. */
  stop(error: AuthError): Promise<void>;
}

const NOBODY: readonly AccountView[] = [];
const NEVER = new AbortController().signal;

export function createSessions(
  settings: Settings,
  storedState: StoredState,
  sessionStore: SessionStore,
  sessionEffects: SessionEffects,
  revocations: Pick<Revocations, 'forget'>,
  clock: Clock,
  log: Log,
  host: SessionsHost,
): Sessions {
  const wasSetBackBy = createSetBackWatch(clock);
  const areSeveral = settings.accounts === 'several';
  let active = emptySlot();
  /**
   * By account. An account that no caller has asked for since the start has only its record.
   */
  const others = new Map<string, Slot>();
  /** The write of the last switch: the next start must restore that account. */
  let chosen: Promise<void> = Promise.resolve();
  /** By account: refused in this run, so only the next run asks again. */
  const suspended = new Set<string>();
  let stopped: AuthError | null = null;
  let starting: (() => void) | null = null;
  const started = new Promise<void>((resolve) => {
    starting = resolve;
  });
  let listed = { of: storedState.current().accounts, version: 0, accounts: NOBODY };
  let version = 0;

  return {
    state: () => active.state,
    otherAccounts,
    isActive: (accountId) => active.state.account?.id === accountId,
    isThere: (accountId) =>
      [active, ...others.values()].some(
        ({ state }) => state.phase !== 'absent' && state.account.id === accountId,
      ),
    signedIn(accountId) {
      const rest = otherAccounts();
      const isAlone = rest.length === 0;
      const { state } = others.get(accountId ?? '') ?? active;
      if (state.phase !== 'absent' && (accountId === null || state.account.id === accountId)) {
        const scope = state.phase === 'live' ? state.scope : null;
        return { account: state.account, scope, isAlone };
      }
      const account = rest.find(({ id }) => id === accountId);
      return account === undefined ? null : { account, scope: null, isAlone };
    },
    isAnonymousThere: () =>
      [active, ...others.values()].some(
        ({ state }) => state.phase !== 'absent' && isAnonymous(state.account),
      ),
    areAbsent: () => [active, ...others.values()].every(({ state }) => state.phase === 'absent'),
    start() {
      starting?.();
      starting = null;
    },
    recall(last, reason, unread) {
      const { state } = active;
      if (state.phase === 'absent')
        active.state = {
          ...state,
          reason,
          account: last,
          error: unread ?? (isUnread(state) ? null : state.error),
        };
    },
    send: (event) => {
      send(active, event);
    },
    adopt(tokens, account, attempt) {
      const slot = slotToAdopt(account);
      forgetEnded(slot, account);
      slot.isNew = slot.state.phase === 'absent' && !isStored(account.id);
      host.queue({
        to: 'session',
        slot,
        epoch: null,
        event: { type: 'adopt', tokens, account, attempt, now: now() },
      });
    },
    deliver,
    settle() {
      if (starting !== null) return;
      active.waiters.settle();
      for (const [id, slot] of others) {
        slot.waiters.settle();
        if (slot.state.phase === 'absent') others.delete(id);
      }
    },
    retry() {
      tellLocked({ type: 'retry', now: now() });
      host.drain();
    },
    wake(signal) {
      tellLocked({ type: 'wake', signal, now: now() });
    },
    tick() {
      notice();
      const event = { type: 'tick', ...host.timing() } as const;
      host.queue({ to: 'session', slot: null, epoch: null, event });
      for (const slot of others.values())
        if ((sessionDeadline(slot.state, event.now, false) ?? Infinity) <= event.now)
          host.queue({ to: 'session', slot, epoch: null, event });
    },
    deadline(now) {
      notice();
      let earliest = sessionDeadline(active.state, now);
      for (const { state } of others.values()) {
        const deadline = sessionDeadline(state, now, false);
        if (deadline !== null && (earliest === null || deadline < earliest)) earliest = deadline;
      }
      return earliest;
    },
    getAccessToken,
    getIdToken,
    async switchAccount(accountId) {
      await started;
      if (stopped !== null) throw stopped;
      const slot = find(accountId);
      if (slot === null) throw notFound();
      // The person has just asked for this account, so a locked keyring is asked once more.
      if (slot !== active && slot.state.phase === 'locked')
        send(slot, { type: 'retry', now: now() });
      await slot.waiters.arrival();
      // Another call may have signed the account out in the meantime.
      if (slot.state.phase !== 'live') throw notSignedIn();
      activate(slot);
      host.drain();
      await chosen;
    },
    forget(accountId) {
      const { state } = active;
      if (state.phase === 'absent' && state.account?.id === accountId)
        active.state = { ...state, account: null };
    },
    hold(accountId) {
      const slot = accountId === null ? active : find(accountId);
      if (slot === null) return { account: () => accountId ?? undefined, signedOut: NEVER };
      slot.leaving ??= new AbortController();
      return { account: () => slot.state.account?.id, signedOut: slot.leaving.signal };
    },
    leaving(accountId) {
      const slot = accountId === null ? active : find(accountId);
      const state = slot?.state;
      const idToken = state?.phase === 'live' ? state.idToken : undefined;
      return {
        account: state?.account ?? null,
        idToken: typeof idToken === 'object' ? idToken.token : null,
      };
    },
    async signOut(accountId) {
      await started;
      if (stopped !== null) throw stopped;
      const slot = accountId === null ? active : find(accountId);
      if (slot === null) {
        const left = storedState
          .current()
          .accounts.find(({ id, record }) => id === accountId && record === 'suspended');
        if (left !== undefined) revocations.forget(accountOf(left), true);
        return;
      }
      // The token can be revoked only after the record was read.
      if (slot !== active)
        await withTimeout(
          clock,
          slot.waiters.arrival().catch(() => undefined),
          LIMITS.keyringSlowMs,
        );
      if (slot === active) for (const other of others.values()) endStoring(other);
      send(slot, { type: 'sign-out' });
    },
    async stop(error) {
      stopped = error;
      starting?.();
      for (const { waiters } of [active, ...others.values()]) waiters.rejectAll(error);
      await chosen;
    },
  };

  /** The time, after all sessions were corrected for a clock that was set back. */
  function now(): number {
    notice();
    return clock.now();
  }

  function notice(): void {
    const ms = wasSetBackBy();
    if (ms > 0)
      for (const slot of [active, ...others.values()]) slot.state = afterSetBack(slot.state, ms);
  }

  function emptySlot(): Slot {
    const slot: Slot = {
      state: NO_SESSION,
      isNew: false,
      leaving: null,
      endedAttempt: null,
      waiters: createTokenWaiters({
        state: () => slot.state,
        now,
        demand: (target, refused) => {
          const named = refused === null ? {} : { refused };
          send(slot, { type: 'demand', target, ...named, now: now() });
        },
        drain: () => {
          host.drain();
        },
      }),
    };
    return slot;
  }

  function getAccessToken(request?: TokenRequest, refusedBy: RefusedBy = 'host'): Promise<string> {
    if (stopped !== null) return Promise.reject(stopped);
    let wanted: ReturnType<typeof parseTokenRequest>;
    try {
      wanted = parseTokenRequest(request);
    } catch (error) {
      return Promise.reject(error);
    }
    const { account, ...want } = wanted;
    return ask(account, { ...want, refusedBy }, () => getAccessToken(request, refusedBy));
  }

  function getIdToken(request?: IdTokenRequest): Promise<string> {
    if (stopped !== null) return Promise.reject(stopped);
    let account: string | null;
    try {
      account = parseIdTokenRequest(request);
      if (!settings.scopes.includes('openid'))
        throw new AuthError('invalid-options', 'without the scope "openid" there is no ID token');
    } catch (error) {
      return Promise.reject(error);
    }
    const want = { target: null, refused: null, refusedBy: 'host', idToken: true } as const;
    return ask(account, want, () => getIdToken(request));
  }

  function ask(
    account: string | null,
    want: Parameters<TokenWaiters['ask']>[0],
    again: () => Promise<string>,
  ): Promise<string> {
    const slot = account === null ? active : find(account);
    // Before the start, the accounts are not known yet.
    if (slot === null) return starting === null ? Promise.reject(notFound()) : started.then(again);
    return slot.waiters.ask(want, starting === null);
  }

  function deliver({ slot: addressee, epoch, event }: SessionMail): void {
    notice();
    const slot = addressee ?? active;
    const before = slot.state;
    if (epoch !== null && epoch !== before.epoch) {
      if (event.type === 'renewed')
        host.discard(event.tokens, before.phase === 'absent', before.account);
      return;
    }
    const next = stepSession(before, event);
    slot.state = next.state;
    tellRequests(slot, before);
    if (before.phase !== slot.state.phase) {
      version += 1;
      if (slot === active) {
        log.write({
          level: 'info',
          event: `session-${slot.state.phase}`,
          fields: { code: 'error' in slot.state ? (slot.state.error?.code ?? null) : null },
        });
        host.changed();
      }
    }
    for (const effect of next.effects) {
      if (effect.type === 'suspend') suspended.add(effect.account.id);
      if (effect.type !== 'adopted') sessionEffects.run(effect, handleOf(slot));
      else {
        if (slot.state.phase === 'live' && slot.endedAttempt !== effect.attempt) activate(slot);
        host.adopted(effect.attempt);
      }
    }
  }

  /** What was sent with the token of somebody who has signed out must not go on. */
  function tellRequests(slot: Slot, before: SessionState): void {
    const { state, leaving } = slot;
    // Requests outlive a session that the provider has ended.
    if (leaving === null || (before.phase === 'absent' && before.reason !== 'ended')) return;
    const isOut = state.phase === 'absent' && state.reason === 'signed-out';
    if (!isOut && state.account?.id === before.account?.id) return;
    slot.leaving = null;
    leaving.abort(
      new AuthError('signed-out', 'the account was signed out while the request was under way'),
    );
  }

  function handleOf(slot: Slot): Parameters<SessionEffects['run']>[1] {
    const { epoch } = slot.state;
    return {
      isActive: slot === active,
      post: (event) => {
        send(slot, event, epoch);
      },
    };
  }

  function send(slot: Slot, event: SessionEvent, epoch: number | null = null): void {
    host.queue({ to: 'session', slot, epoch, event });
    host.drain();
  }

  /** Sends the event to the active session, and to all whose keyring did not open. */
  function tellLocked(event: SessionEvent): void {
    host.queue({ to: 'session', slot: null, epoch: null, event });
    for (const slot of others.values())
      if (slot.state.phase === 'locked') host.queue({ to: 'session', slot, epoch: null, event });
  }

  function slotToAdopt(account: AccountView): Slot {
    const there = others.get(account.id);
    if (there !== undefined) return there;
    return !areSeveral || active.state.phase === 'absent' || active.state.account.id === account.id
      ? active
      : open(account);
  }

  /**
   * If only one account is allowed, the record that an ended session has left is removed when the
   * next person signs in.
   */
  function forgetEnded({ state }: Slot, by: AccountView): void {
    if (
      areSeveral ||
      state.phase !== 'absent' ||
      state.reason !== 'ended' ||
      state.account === null ||
      state.account.id === by.id
    )
      return;
    // As with a replaced session: two anonymous accounts may share one authorization grant.
    revocations.forget(state.account, !(isAnonymous(state.account) && isAnonymous(by)));
  }

  /**
   * If tokens are being stored when the active account signs out, their account does not become
   * active.
   */
  function endStoring(slot: Slot): void {
    if (slot.state.phase !== 'adopting') return;
    if (slot.isNew) send(slot, { type: 'sign-out' });
    else slot.endedAttempt = slot.state.attempt;
  }

  function isStored(accountId: string): boolean {
    return storedState
      .current()
      .accounts.some(({ id, record }) => id === accountId && record === 'kept');
  }

  function find(accountId: string): Slot | null {
    const isLast = active.state.account?.id === accountId;
    if (isLast && active.state.phase !== 'absent') return active;
    const there = others.get(accountId);
    if (there !== undefined) return there;
    const stored =
      areSeveral && starting === null
        ? storedState
            .current()
            .accounts.find((account) => account.id === accountId && isSignedIn(account))
        : undefined;
    if (stored === undefined) return isLast ? active : null;
    const account = accountOf(stored);
    const slot = open(account);
    // Delivered at once, even when a listener asks: a caller that finds the session absent would be
    // told that nobody is signed in.
    deliver({ to: 'session', slot, epoch: null, event: { type: 'restore', account, now: now() } });
    host.drain();
    return slot;
  }

  function notFound(): AuthError {
    return isUnread(active.state) ? active.state.error : notSignedIn();
  }

  function open(account: AccountView): Slot {
    const slot = emptySlot();
    others.set(account.id, slot);
    return slot;
  }

  function activate(slot: Slot): void {
    const { account } = slot.state;
    if (slot === active || account === null) return;
    if (active.state.phase !== 'absent') others.set(active.state.account.id, active);
    others.delete(account.id);
    active = slot;
    version += 1;
    chosen = sessionStore.choose(account);
    log.write({ level: 'info', event: 'account-switched' });
    host.changed();
  }

  function isSignedIn({ id, record }: KnownAccount): boolean {
    return record === 'kept' || (record === 'suspended' && !suspended.has(id));
  }

  function otherAccounts(): readonly AccountView[] {
    if (!areSeveral) return NOBODY;
    const { accounts } = storedState.current();
    if (listed.of !== accounts || listed.version !== version)
      listed = { of: accounts, version, accounts: listOthers() };
    return listed.accounts;
  }

  function listOthers(): readonly AccountView[] {
    const list = new Map<string, AccountView>();
    for (const account of storedState.current().accounts)
      if (isSignedIn(account)) list.set(account.id, accountOf(account));
    // A session that could not be stored is not in the file.
    for (const { state } of others.values())
      if (state.phase === 'live') list.set(state.account.id, state.account);
    if (active.state.account !== null) list.delete(active.state.account.id);
    return [...list.values()];
  }
}

function notSignedIn(): AuthError {
  return new AuthError('signed-out', 'this account is not signed in');
}
