// The demo's plain words: what each error means to the person in front of the window, and times as
// people say them. Pure. No word here may need explaining: nothing of protocols, tokens or codes.
import type { AuthErrorCode } from '../index.js';

/** A headline, and one or two sentences on what happened and what to do. */
export interface Words {
  readonly title: string;
  readonly text: string;
}

const tellTheMakers = 'please send the details below to the people who made this app.';

/** The message for a person who is not signed in, for every code. */
export const ERROR_WORDS: { readonly [Code in AuthErrorCode]: Words } = {
  'invalid-options': {
    title: 'This app is not set up correctly',
    text: `You can do nothing about it: ${tellTheMakers}`,
  },
  'signed-out': { title: 'Please sign in', text: 'Nobody is signed in right now.' },
  'sign-in-cancelled': {
    title: 'Sign-in was cancelled',
    text: 'Nothing has changed. Start again whenever you like.',
  },
  'sign-in-expired': {
    title: 'That took too long',
    text: 'The page in your browser was not finished in time. Start again; a few minutes are enough.',
  },
  'sign-in-denied': {
    title: 'The sign-in was declined',
    text: 'You or your provider said no. You can try again, perhaps with another account.',
  },
  'sign-in-refused': {
    title: 'This app was turned away',
    text: `Your provider does not accept this app. Trying again seldom helps: ${tellTheMakers}`,
  },
  'session-ended': {
    title: 'Please sign in again',
    text: 'Your provider ended your sign-in. That happens after a password change, or after a long time away.',
  },
  'session-busy': {
    title: 'Waiting for another window of this app',
    text: 'Another copy of this app is busy with your sign-in. This one goes on by itself.',
  },
  'resource-refused': {
    title: 'A part of this app is not open to you',
    text: `Your provider does not let this app go there for you. You stay signed in; ${tellTheMakers}`,
  },
  'discovery-failed': {
    title: 'The sign-in service was not found',
    text: 'Check your connection and try again. If that does not help, tell the people who made this app.',
  },
  'issuer-mismatch': {
    title: 'Stopped for your safety',
    text: `The answer did not come from your provider, so it was not used. If it happens again, ${tellTheMakers}`,
  },
  'id-token-invalid': {
    title: 'Stopped for your safety',
    text: 'Your provider’s answer did not pass a check. Please try again.',
  },
  'response-invalid': {
    title: 'A strange answer came back',
    text: 'Something may stand between you and your provider, such as the Wi-Fi page of a hotel. Then try again.',
  },
  'network-failed': {
    title: 'No connection',
    text: 'Your provider could not be reached. Check your internet connection, then try again.',
  },
  'network-timeout': {
    title: 'No answer',
    text: 'Your provider took too long to answer. Try again in a moment.',
  },
  'server-unavailable': {
    title: 'Your provider has a problem',
    text: 'It is out of order or too busy right now. Try again in a few minutes.',
  },
  'redirect-unavailable': {
    title: 'Your browser cannot find the way back',
    text: `This computer does not let a browser return to this app: ${tellTheMakers}`,
  },
  'browser-failed': {
    title: 'Your browser did not open',
    text: 'See that this computer has a default browser, then try again.',
  },
  'callback-invalid': {
    title: 'That is not the answer',
    text: 'What you pasted does not belong to this sign-in. Copy the whole address of the last page, or all of what it asks you to copy.',
  },
  'keyring-locked': {
    title: 'Your keyring is locked',
    text: 'Your sign-in lies safely in this computer’s keyring. Unlock it with its password, and you are back.',
  },
  'keyring-unavailable': {
    title: 'The keyring does not answer',
    text: 'This computer’s keyring keeps your sign-in safe, but it cannot be reached. Nothing is lost: try again.',
  },
  'storage-failed': {
    title: 'Your sign-in could not be saved',
    text: 'This computer’s disk is full, or the app may not write to it. You stay signed in until you close the app.',
  },
  'page-refused': {
    title: 'This window may not sign in',
    text: `The app does not trust the page in this window: ${tellTheMakers}`,
  },
  'files-missing': {
    title: 'This app was not put together correctly',
    text: `A part of it is missing. You can do nothing about it: ${tellTheMakers}`,
  },
  stopped: {
    title: 'The app is closing',
    text: 'Sign-in has been switched off. Open the app again.',
  },
  internal: {
    title: 'Something went wrong in the app',
    text: `It is the app’s own fault. Try again; if that does not help, ${tellTheMakers}`,
  },
};

/** A length of time in one unit: "12 s", "4 min", "3 h", "2 days". Negative counts as 0. */
export function spanInWords(spanMs: number): string {
  const seconds = Math.max(0, Math.round(spanMs / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} days`;
}

/** "in 4 min", or "in a moment" when it is due. */
export function untilInWords(spanMs: number): string {
  return spanMs < 1000 ? 'in a moment' : `in ${spanInWords(spanMs)}`;
}

/** "just now", "12 s ago", "3 min ago". */
export function agoInWords(spanMs: number): string {
  return spanMs < 5000 ? 'just now' : `${spanInWords(spanMs)} ago`;
}

/** Minutes and seconds left: "4:05"; never below "0:00". */
export function countdown(spanMs: number): string {
  const seconds = Math.max(0, Math.ceil(spanMs / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

/** How much of the time from `from` to `to` is left at `now`: 1 to 0. */
export function share(now: number, from: number, to: number): number {
  return to <= from ? 0 : Math.min(1, Math.max(0, (to - now) / (to - from)));
}
