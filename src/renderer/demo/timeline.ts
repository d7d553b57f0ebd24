// What happened between one view and the next: the right side's timeline, for developers. Pure.
// Says only what the view says.
import { spanInWords } from './words.js';
import type { AccountView, AttemptView, AuthErrorView, AuthView } from '../index.js';

export interface TimelineEntry {
  readonly at: number;
  readonly text: string;
}

const KEPT_ENTRIES = 20;

type SignedIn = Extract<AuthView, { status: 'signed-in' }>;

/**
 * Adds what the change from `before` to `after` means, newest first. Returns the same list when it
 * means nothing.
 */
export function extendTimeline(
  entries: readonly TimelineEntry[],
  before: AuthView | null,
  after: AuthView,
  now: number,
): readonly TimelineEntry[] {
  const text = describeChange(before, after);
  if (text === null) return entries;
  return [{ at: now, text }, ...entries].slice(0, KEPT_ENTRIES);
}

/** One sentence about a change of the view, or null when there is nothing to tell. */
export function describeChange(before: AuthView | null, after: AuthView): string | null {
  switch (after.status) {
    case 'starting':
      return before === null ? 'The window opened.' : null;
    case 'signing-in':
      return describeAttempt(
        before !== null && 'attempt' in before ? before.attempt : undefined,
        after.attempt,
      );
    case 'signed-out':
      return describeSignedOut(before, after);
    case 'locked':
      return before?.status === 'locked'
        ? describeSide(before, after)
        : `${after.error.code === 'storage-failed' ? 'The file that leads to the session cannot be read' : 'The keychain does not open'} (${reason(after.error)}). Nothing is lost.`;
    case 'signed-in':
      if (before === null) return `The window opened; ${who(after.account)} is signed in.`;
      if (before.status === 'starting') return `Restored the session of ${who(after.account)}.`;
      if (before.status === 'locked' && before.error.code !== 'storage-failed')
        return `The keychain opened for ${who(after.account)}.`;
      if (before.status !== 'signed-in' || before.account.id !== after.account.id)
        return `Signed in as ${who(after.account)}.`;
      return describeRenewal(before, after) ?? describeSide(before, after);
  }
}

function describeSignedOut(
  before: AuthView | null,
  after: Extract<AuthView, { status: 'signed-out' }>,
): string | null {
  if (before === null) return 'The window opened; nobody is signed in.';
  if (before.status === 'starting')
    return after.error === undefined
      ? 'Nothing to restore.'
      : `Not signed in: ${reason(after.error)}.`;
  if (before.status === 'signing-in')
    return after.error === undefined
      ? 'The attempt was cancelled.'
      : `The attempt failed: ${reason(after.error)}.`;
  if (before.status === 'signed-out') return null;
  if (after.reason === 'ended')
    return `The provider ended the session${after.error === undefined ? '' : `: ${reason(after.error)}`}.`;
  return 'Signed out: the keychain entry is gone.';
}

function describeAttempt(before: AttemptView | undefined, after: AttemptView): string | null {
  const same = before?.startedAt === after.startedAt;
  if (same && before.stage === after.stage && before.redirect === after.redirect) return null;
  switch (after.stage) {
    case 'preparing':
      return same
        ? 'Another way is being opened; what is open stays open.'
        : 'An attempt began, with fresh secrets.';
    case 'waiting':
      return describeRedirect(after);
    case 'redeeming':
      return after.redirect === 'device-code'
        ? 'The provider said yes; its tokens are checked.'
        : 'The callback came; main redeems its code.';
  }
}

function describeRedirect({ redirect }: AttemptView): string {
  switch (redirect) {
    case 'device-code':
      return 'Waiting for the code to be typed; main asks the provider every few seconds.';
    case 'paste':
      return 'Waiting for the browser’s answer to be pasted.';
    case 'loopback':
      return 'Waiting for the browser, which answers by loopback.';
    default:
      return 'Waiting for the browser, which answers by custom scheme.';
  }
}

function describeRenewal(before: SignedIn, after: SignedIn): string | null {
  const renewal = after.renewal;
  switch (renewal.state) {
    case 'renewing':
      return before.renewal.state === 'renewing' ? null : 'Renewing the access token.';
    case 'waiting':
      if (before.renewal.state === 'waiting' && before.renewal.nextTryAt === renewal.nextTryAt)
        return null;
      return `Renewal failed: ${reason(renewal.error)}. Still signed in.`;
    case 'fresh':
      if (before.renewal.state === 'fresh' && before.renewal.since === renewal.since) return null;
      return renewal.expiresAt === null
        ? 'Renewed.'
        : `Renewed: a new access token for ${spanInWords(renewal.expiresAt - renewal.since)}.`;
  }
}

function describeSide(
  before: AuthView,
  after: SignedIn | Extract<AuthView, { status: 'locked' }>,
): string | null {
  const earlier = 'attempt' in before ? before.attempt : undefined;
  if (after.attempt !== undefined) return describeAttempt(earlier, after.attempt);
  if (earlier !== undefined)
    return after.error === undefined
      ? 'The attempt ended.'
      : `The attempt ended: ${reason(after.error)}.`;
  const errorBefore = 'error' in before ? before.error : undefined;
  if (after.error !== undefined && after.error.code !== errorBefore?.code)
    return `Trouble: ${reason(after.error)}.`;
  if (
    after.status === 'signed-in' &&
    before.status === 'signed-in' &&
    after.remembered &&
    !before.remembered
  )
    return 'The keychain took the refresh token.';
  return null;
}

function reason(error: AuthErrorView): string {
  return error.serverError === undefined ? error.code : `${error.code} (${error.serverError})`;
}

function who(account: AccountView): string {
  return account.name ?? account.username ?? account.email ?? account.subject;
}
