// What the window shows for a view at a moment: a pure function from (view, now) to a description
// of the face. Knows nothing of the DOM. Only `caption`, `ring` and `help.visible` may change
// with time alone, so that screen readers stay calm.
import { handsNeeded, signingIn } from './attempt.js';
import { countdown, ERROR_WORDS, share, untilInWords } from './words.js';
import type {
  AccountView,
  AttemptView,
  AuthErrorView,
  AuthView,
  RenewalView,
  SignInRequest,
} from '../index.js';
import type {
  FaceFigure,
  WindowState,
  FaceButton,
  FaceRing,
  FaceNotice,
  Face,
} from './face-model.js';

const plain: Face = {
  tone: 'quiet',
  figure: 'key',
  initials: '',
  ring: null,
  title: '',
  text: '',
  caption: '',
  facts: [],
  device: null,
  notice: null,
  paste: null,
  help: null,
  buttons: [],
  request: {},
  other: null,
  error: null,
};

/** Describes the face for a view. `now` is milliseconds since 1970. Never throws. */
export function faceOf(view: AuthView, now: number, here: WindowState): Face {
  const face = withOther(faceOfView(view, now, here), view);
  const { problem } = here;
  return problem === null
    ? face
    : { ...face, notice: { tone: 'red', ...ERROR_WORDS[problem.code] }, error: problem };
}

function faceOfView(view: AuthView, now: number, here: WindowState): Face {
  // A code to type needs the whole space, even if somebody is signed in already.
  if (
    view.status !== 'signing-in' &&
    'attempt' in view &&
    view.attempt !== undefined &&
    handsNeeded(view.attempt)
  ) {
    return {
      ...plain,
      ...signingIn(view.attempt, now, here),
      notice: view.status === 'signed-in' ? stillSignedIn(view.account) : null,
    };
  }
  switch (view.status) {
    case 'starting':
      return {
        ...plain,
        figure: 'skeleton',
        title: 'One moment',
        text: 'Looking for your earlier sign-in.',
      };
    case 'signed-out':
      return signedOut(view);
    case 'signing-in':
      return { ...plain, ...signingIn(view.attempt, now, here) };
    case 'signed-in':
      return signedIn(view, now);
    case 'locked':
      return locked(view, now);
  }
}

/** Other signed-in accounts are one click away, unless the person is in the middle of something. */
function withOther(face: Face, view: AuthView): Face {
  const [other] =
    view.status === 'signed-in' || view.status === 'signed-out' ? (view.otherAccounts ?? []) : [];
  if (other === undefined || ('attempt' in view && view.attempt !== undefined)) return face;
  const button: FaceButton = {
    action: 'switch',
    label: `${view.status === 'signed-in' ? 'Switch to' : 'Continue as'} ${nameOf(other)}`,
    primary: false,
  };
  return {
    ...face,
    other,
    buttons: [
      ...face.buttons.filter(({ action }) => action !== 'sign-out'),
      button,
      ...face.buttons.filter(({ action }) => action === 'sign-out'),
    ],
  };
}

function signedOut({
  reason,
  lastAccount,
  error,
}: Extract<AuthView, { status: 'signed-out' }>): Face {
  if (error !== undefined || reason === 'ended') {
    const shown = error ?? {
      code: 'session-ended' as const,
      retry: 'sign-in' as const,
      message: '',
    };
    const gentle = isGentle(shown);
    return {
      ...plain,
      ...ERROR_WORDS[shown.code],
      tone: gentle ? 'amber' : 'red',
      figure: figureOf(shown),
      caption: lastAccount === undefined ? '' : `Last signed in: ${nameOf(lastAccount)}`,
      buttons: [signInButton(lastAccount, shown), ...anotherAccount(lastAccount)],
      request: requestFor(lastAccount),
      error: error ?? null,
    };
  }
  if (reason === 'signed-out') {
    return {
      ...plain,
      title: 'You are signed out',
      text: 'See you soon. To come back, sign in with your browser.',
      caption: lastAccount === undefined ? '' : `Last signed in: ${nameOf(lastAccount)}`,
      buttons: [
        { action: 'sign-in', label: 'Sign in with your browser', primary: true },
        ...anotherAccount(lastAccount),
      ],
    };
  }
  return {
    ...plain,
    tone: 'accent',
    title: 'Welcome',
    text: 'Sign in with your browser. Your password stays there: this window never sees it.',
    buttons: [{ action: 'sign-in', label: 'Sign in with your browser', primary: true }],
  };
}

function signInButton(lastAccount: AccountView | undefined, error: AuthErrorView): FaceButton {
  const again = error.retry === 'sign-in' ? 'Sign in again' : 'Try again';
  const label = lastAccount === undefined ? again : `${again} as ${nameOf(lastAccount)}`;
  return { action: 'sign-in', label, primary: error.retry !== 'never' };
}

/** Whom the provider knows already would be signed in again without a question. */
function anotherAccount(lastAccount: AccountView | undefined): readonly FaceButton[] {
  return lastAccount === undefined
    ? []
    : [{ action: 'another-account', label: 'Use another account', primary: false }];
}

function signedIn(view: Extract<AuthView, { status: 'signed-in' }>, now: number): Face {
  const { account, renewal, remembered, store, attempt } = view;
  const waiting = renewal.state === 'waiting';
  const error = waiting ? renewal.error : (view.error ?? null);
  const buttons: FaceButton[] = [];
  if (error !== null && error.retry !== 'never' && (waiting || isKeyring(error))) {
    buttons.push({ action: 'retry', label: 'Try now', primary: waiting });
  }
  return {
    ...plain,
    tone: waiting ? 'amber' : 'accent',
    figure: 'person',
    initials: initialsOf(account),
    ring: ringOf(renewal, now),
    title: nameOf(account),
    text: addressOf(account),
    caption: renewalInWords(renewal, now),
    facts: [
      { label: 'Signed in at', value: hostOf(account.issuer) },
      { label: 'Remembered', value: rememberedInWords(remembered, store) },
    ],
    notice: attempt === undefined ? noticeOf(error, waiting) : attemptNotice,
    buttons: [
      ...attemptButtons(attempt),
      ...buttons,
      { action: 'sign-out', label: 'Sign out on this computer', primary: false },
    ],
    error,
  };
}

function locked(view: Extract<AuthView, { status: 'locked' }>, now: number): Face {
  const { lastAccount, error, attempt } = view;
  const instead: FaceButton = {
    action: 'sign-in',
    label: 'Sign in with your browser',
    primary: false,
  };
  return {
    ...plain,
    ...(error.code === 'storage-failed' ? UNREAD_WORDS : ERROR_WORDS[error.code]),
    tone: 'amber',
    figure: 'lock',
    caption:
      attempt === undefined
        ? lastAccount === undefined
          ? ''
          : `Waiting for you: ${nameOf(lastAccount)}`
        : `${countdown(attempt.expiresAt - now)} left in your browser`,
    notice: attempt === undefined ? null : attemptNotice,
    buttons: [
      {
        action: 'retry',
        label: error.code === 'keyring-locked' ? 'Unlock and try again' : 'Try again',
        primary: true,
      },
      ...(attempt === undefined ? [instead] : attemptButtons(attempt)),
    ],
    request: requestFor(lastAccount),
    error,
  };
}

/** Of the status `locked`; the other words of this code are for what cannot be written. */
const UNREAD_WORDS = {
  title: 'Your sign-in cannot be read yet',
  text: 'Something on this computer holds the file that leads to it. Nothing is lost: try again in a moment.',
};

const attemptNotice: FaceNotice = {
  tone: 'accent',
  title: 'Continue in your browser',
  text: 'A sign-in page is open there. Finish it, or cancel here.',
};

function stillSignedIn(account: AccountView): FaceNotice {
  return {
    tone: 'quiet',
    title: `${nameOf(account)} is still signed in`,
    text: 'If you cancel here, nothing changes.',
  };
}

function attemptButtons(attempt: AttemptView | undefined): readonly FaceButton[] {
  if (attempt === undefined) return [];
  const cancel: FaceButton = { action: 'cancel', label: 'Cancel', primary: false };
  return attempt.stage === 'waiting'
    ? [{ action: 'reopen', label: 'Open the page again', primary: false }, cancel]
    : [cancel];
}

function noticeOf(error: AuthErrorView | null, waiting: boolean): FaceNotice | null {
  if (error === null) return null;
  if (waiting)
    return {
      tone: 'amber',
      title: ERROR_WORDS[error.code].title,
      text: 'You are still signed in. The app tries again by itself.',
    };
  if (isKeyring(error)) {
    const why =
      error.code === 'keyring-locked' ? 'The keyring is locked' : 'This computer offers no keyring';
    return {
      tone: 'amber',
      title: 'You will not be remembered',
      text: `${why}, so you stay signed in only until you quit.`,
    };
  }
  return { tone: isGentle(error) ? 'amber' : 'red', ...ERROR_WORDS[error.code] };
}

function ringOf(renewal: RenewalView, now: number): FaceRing {
  const fraction = renewal.expiresAt === null ? 1 : share(now, renewal.since, renewal.expiresAt);
  return renewal.state === 'renewing'
    ? { fraction: 0.25, spinning: true }
    : { fraction, spinning: false };
}

function renewalInWords(renewal: RenewalView, now: number): string {
  switch (renewal.state) {
    case 'renewing':
      return 'Renewing your sign-in…';
    case 'waiting':
      return `Next try ${untilInWords(renewal.nextTryAt - now)}`;
    case 'fresh':
      if (renewal.renewAt !== null) return `Renews itself ${untilInWords(renewal.renewAt - now)}`;
      if (renewal.expiresAt === null) return 'Stays valid until you sign out';
      return renewal.expiresAt > now
        ? `Ends ${untilInWords(renewal.expiresAt - now)}`
        : 'Has ended';
  }
}

function rememberedInWords(
  remembered: boolean,
  store: (AuthView & { status: 'signed-in' })['store'],
): string {
  if (!remembered) return 'Only until you quit';
  switch (store) {
    case 'keychain':
      return 'In this computer’s keyring';
    case 'safe-storage':
      return 'Encrypted on this computer';
    case 'memory':
      return 'Until you quit';
  }
}

function figureOf(error: AuthErrorView): FaceFigure {
  if (
    error.code === 'network-failed' ||
    error.code === 'network-timeout' ||
    error.code === 'server-unavailable'
  )
    return 'cloud';
  if (isKeyring(error)) return 'lock';
  return isGentle(error) ? 'key' : 'alert';
}

/** It passes, or the person sets it right by signing in; nobody has to be alarmed. */
function isGentle(error: AuthErrorView): boolean {
  return (
    error.retry === 'automatic' || (error.retry === 'sign-in' && error.code !== 'id-token-invalid')
  );
}

function isKeyring(error: AuthErrorView): boolean {
  return error.code === 'keyring-locked' || error.code === 'keyring-unavailable';
}

function requestFor(account: AccountView | undefined): SignInRequest {
  const loginHint = account?.email ?? account?.username;
  return loginHint === undefined || loginHint.length > 320 ? {} : { loginHint };
}

function nameOf(account: AccountView): string {
  return account.name ?? account.username ?? account.email ?? account.subject;
}

function addressOf(account: AccountView): string {
  const name = nameOf(account);
  return (
    [account.email, account.username].find((text) => text !== undefined && text !== name) ?? ''
  );
}

function initialsOf(account: AccountView): string {
  const words = nameOf(account)
    .replace(/@.*$/, '')
    .split(/[\s._-]+/)
    .filter((word) => /^[\p{L}\p{N}]/u.test(word));
  const first = [...(words[0] ?? '?')][0] ?? '?';
  const last = words.length > 1 ? ([...(words.at(-1) ?? '')][0] ?? '') : '';
  return `${first}${last}`.toUpperCase();
}

function hostOf(issuer: string): string {
  return (URL.canParse(issuer) && new URL(issuer).host) || issuer;
}
