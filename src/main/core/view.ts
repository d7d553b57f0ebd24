// Makes the AuthView from the states of the machines: the only place that decides what a page may
// know. Pure.
import type {
  AccountView,
  AttemptView,
  AuthErrorView,
  AuthView,
  RenewalView,
  SecretStoreKind,
} from '../../contract.js';
import type { AttemptState } from './authorization/attempt-state.js';
import { attemptView } from './authorization/attempt.js';
import { shownClaims } from './base/claims.js';
import { AuthError, assertNever, toErrorView } from './base/errors.js';
import { recordKey } from './storage/records.js';
import { isUnread } from './session/session-queries.js';
import type { LiveSession, SessionState } from './session/session-state.js';

/** Everything that the view depends on. */
export interface ViewInput {
  /** False until the state file was read and the restore of a stored session has begun. */
  readonly started: boolean;
  readonly session: SessionState;
  /** Open attempts, oldest first. */
  readonly attempts: readonly AttemptState[];
  /** Why the last attempt failed; null after a cancel, and after the next attempt begins. */
  readonly attemptError: AuthError | null;
  /** True: the host chose not to store anything, so a session that is not stored is no problem. */
  readonly memoryOnly: boolean;
  /** Tells which store has the record with a key. Default: the keychain. */
  readonly storeOf?: ((key: string) => SecretStoreKind) | undefined;
  /** Makes the view of an error, perhaps with advice. Default: without advice. */
  readonly errorView?: (error: AuthError) => AuthErrorView;
}

export function toView(input: ViewInput): AuthView {
  const { session, errorView = toErrorView } = input;
  const attempt = newest(input.attempts);
  if (!input.started) return { status: 'starting' };
  switch (session.phase) {
    case 'restoring':
      if (!session.slow) return { status: 'starting' };
      return withAttempt(
        {
          status: 'locked',
          lastAccount: session.account,
          error: errorView(
            new AuthError('keyring-locked', 'the keyring is waiting for its password'),
          ),
        },
        attempt,
      );
    case 'locked':
      return withAttempt(
        { status: 'locked', lastAccount: session.account, error: errorView(session.error) },
        attempt,
      );
    case 'adopting':
      if (session.previous !== null) return signedIn(session.previous, attempt, null, input);
      return attempt === null ? { status: 'starting' } : { status: 'signing-in', attempt };
    case 'live':
      return signedIn(session, attempt, input.attemptError, input);
    case 'absent': {
      if (isUnread(session))
        return withAttempt({ status: 'locked', error: errorView(session.error) }, attempt);
      const lastAccount = session.account === null ? {} : { lastAccount: session.account };
      if (attempt !== null) return { status: 'signing-in', attempt, ...lastAccount };
      const error = input.attemptError ?? session.error;
      return {
        status: 'signed-out',
        reason: session.reason,
        ...lastAccount,
        ...(error === null ? {} : { error: errorView(error) }),
      };
    }
    default:
      return assertNever(session);
  }
}

/** Adds the other signed-in accounts. They are unknown while the view says `starting`. */
export function withOthers(view: AuthView, otherAccounts: readonly AccountView[]): AuthView {
  return otherAccounts.length === 0 || view.status === 'starting'
    ? view
    : { ...view, otherAccounts };
}

function signedIn(
  session: LiveSession,
  attempt: AttemptView | null,
  attemptError: AuthError | null,
  { memoryOnly, storeOf, errorView = toErrorView }: ViewInput,
): AuthView {
  const remembered = session.storeError === null;
  const amiss = memoryOnly ? null : session.storeError;
  const error = attemptError ?? amiss;
  const store = remembered ? (storeOf?.(recordKey(session.account.id)) ?? 'keychain') : 'memory';
  const view: AuthView = {
    status: 'signed-in',
    account:
      session.claims === undefined
        ? session.account
        : { ...session.account, claims: shownClaims(session.claims) },
    remembered,
    store,
    renewal: renewalView(session, errorView),
  };
  return withAttempt(error === null ? view : { ...view, error: errorView(error) }, attempt);
}

function renewalView(
  session: LiveSession,
  errorView: (error: AuthError) => AuthErrorView,
): RenewalView {
  const { renewal } = session;
  const expiresAt = session.access?.expiresAt ?? null;
  // Without a refresh token nothing is renewed; `renewing` is then a look into the keychain.
  if (session.refreshToken === null)
    return {
      state: 'fresh',
      since: session.access?.obtainedAt ?? renewal.since,
      expiresAt,
      renewAt: null,
    };
  switch (renewal.state) {
    case 'fresh':
      return {
        state: 'fresh',
        since: session.access?.obtainedAt ?? renewal.since,
        expiresAt,
        renewAt: renewal.renewAt,
      };
    case 'renewing':
    case 'saving':
      return { state: 'renewing', since: renewal.since, expiresAt };
    case 'waiting':
      return {
        state: 'waiting',
        since: renewal.since,
        expiresAt,
        nextTryAt: renewal.nextTryAt,
        error: errorView(renewal.error),
      };
    default:
      return assertNever(renewal);
  }
}

function withAttempt<V extends AuthView & { readonly status: 'signed-in' | 'locked' }>(
  view: V,
  attempt: AttemptView | null,
): V {
  return attempt === null ? view : { ...view, attempt };
}

function newest(attempts: readonly AttemptState[]): AttemptView | null {
  const last = attempts.findLast((attempt) => attempt.phase !== 'ended');
  return last === undefined ? null : attemptView(last);
}
