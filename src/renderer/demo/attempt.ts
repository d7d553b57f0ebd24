// The faces of an attempt: waiting for the browser, a code for another device, pasting by hand. A
// part of face.ts, and as pure. Says in plain words what to do now, and what else there is
// when nothing happens.
import type {
  Face,
  FaceButton,
  FaceDevice,
  FaceHelp,
  FacePaste,
  WindowState,
} from './face-model.js';
import { countdown, share } from './words.js';
import type { AttemptView, DeviceView, RedirectKind } from '../index.js';

/**
 * How long a redirect may take before "Nothing happened?" is asked. Fetching a phone takes longer.
 */
const CALM_MS: Readonly<Record<RedirectKind, number>> = {
  'custom-scheme': 5_000,
  loopback: 5_000,
  'device-code': 15_000,
  paste: 15_000,
};

const NEXT_REDIRECT: Readonly<Record<RedirectKind, string>> = {
  'custom-scheme': 'The page can open again and take another road back to this app.',
  loopback: 'The page can open again and take another road back to this app.',
  'device-code': 'You can get a short code, and type it on your phone or in any browser.',
  paste: 'You can copy the answer out of your browser and paste it here.',
};

const cancel: FaceButton = { action: 'cancel', label: 'Cancel', primary: false };

/**
 * Whether the person has to carry something by hand, so that a note beside another face is not
 * enough.
 */
export function handsNeeded({ stage, redirect }: AttemptView): boolean {
  return stage === 'waiting' && (redirect === 'device-code' || redirect === 'paste');
}

/** What differs from a plain face while an attempt is open. `now` is milliseconds since 1970. */
export function signingIn(attempt: AttemptView, now: number, here: WindowState): Partial<Face> {
  const waiting: Partial<Face> = {
    tone: 'accent',
    figure: 'browser',
    ring: { fraction: 0.25, spinning: true },
    buttons: [cancel],
  };
  switch (attempt.stage) {
    case 'preparing':
      return { ...waiting, title: 'One moment', text: 'Your sign-in is being prepared.' };
    case 'redeeming':
      return {
        ...waiting,
        title: 'Almost there',
        text: 'Your provider has answered. One last check.',
      };
    case 'waiting':
      return {
        ...waiting,
        ring: { fraction: share(now, attempt.startedAt, attempt.expiresAt), spinning: false },
        caption: `${countdown(attempt.expiresAt - now)} left`,
        help: helpFor(attempt, now, here),
        ...redirectOf(attempt, here),
      };
  }
}

function redirectOf({ redirect, device }: AttemptView, here: WindowState): Partial<Face> {
  if (redirect === 'device-code' && device !== undefined) {
    return {
      figure: 'none',
      ring: null,
      title: 'Sign in with a code',
      text: 'Scan this with your phone, or open the address in any browser.',
      device: deviceOf(device),
      buttons: [
        { action: 'reopen', label: 'Open the page on this computer', primary: false },
        cancel,
      ],
    };
  }
  const buttons: readonly FaceButton[] = [
    { action: 'reopen', label: 'Open the page again', primary: false },
    cancel,
  ];
  if (redirect === 'paste') {
    return {
      title: 'Bring the answer here',
      text: 'Sign in on the page in your browser. At its end it shows what to copy.',
      paste: {
        label: 'Paste what your browser shows',
        hint: 'It stays on this computer, and is used once.',
        problem: here.pasteProblem,
      },
      buttons,
    };
  }
  return {
    title: 'Continue in your browser',
    text: 'Sign in on the page that has just opened there. Then you come back here by yourself.',
    paste: here.pasting ? pasteAddress(here) : null,
    buttons,
  };
}

function pasteAddress({ pasteProblem }: WindowState): FacePaste {
  return {
    label: 'Paste the address that your browser shows',
    hint: 'After signing in, copy all of it from the bar at the top.',
    problem: pasteProblem,
  };
}

function helpFor(
  { redirect = 'loopback', otherWay }: AttemptView,
  now: number,
  here: WindowState,
): FaceHelp | null {
  const paste = redirect === 'custom-scheme' || redirect === 'loopback';
  if (otherWay === undefined && !paste) return null;
  return {
    text:
      otherWay === undefined
        ? 'If your browser shows an address that it cannot open, bring it here by hand.'
        : NEXT_REDIRECT[otherWay],
    otherWay: otherWay !== undefined,
    paste,
    visible: now - here.redirectSince >= CALM_MS[redirect],
  };
}

function deviceOf({ userCode, verificationUri, verificationUriComplete }: DeviceView): FaceDevice {
  return {
    groups: groupsOf(userCode),
    address: verificationUri,
    scanned: verificationUriComplete ?? verificationUri,
    scannedInWords: `QR code for your phone: it opens ${verificationUri}${verificationUriComplete === undefined ? '' : ' and fills in the code'}`,
  };
}

/**
 * A code that the provider has already divided is shown as it is; a long one is divided evenly, in
 * threes or fours.
 */
function groupsOf(code: string): readonly string[] {
  if (!/^[\p{L}\p{N}]{6,}$/u.test(code)) return [code];
  const size = code.length % 4 !== 0 && code.length % 3 === 0 ? 3 : 4;
  return code.match(new RegExp(`.{1,${size}}`, 'gu')) ?? [code];
}
