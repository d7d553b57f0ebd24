// What the demo's page can show: a face, and what it is made of. Types only; face.ts and attempt.ts
// make faces, paint.ts paints them.
import type { AccountView, AuthErrorView, SignInRequest } from '../index.js';

export type FaceTone = 'quiet' | 'accent' | 'amber' | 'red';

export type FaceFigure =
  'none' | 'skeleton' | 'key' | 'browser' | 'person' | 'lock' | 'cloud' | 'alert';

export type FaceAction =
  'sign-in' | 'another-account' | 'retry' | 'reopen' | 'cancel' | 'switch' | 'sign-out';

/**
 * What this window knows in addition to the view: nothing about sign-in, only what was clicked and
 * said here.
 */
export interface WindowState {
  /** A call of this window that failed without the view saying so. */
  readonly problem: AuthErrorView | null;
  /** The field for the browser's address was asked for. */
  readonly pasting: boolean;
  /** What is wrong with what was pasted, in plain words. */
  readonly pasteProblem: string;
  /** When the newest redirect was opened, in milliseconds since 1970. */
  readonly redirectSince: number;
}

export interface FaceButton {
  readonly action: FaceAction;
  readonly label: string;
  readonly primary: boolean;
}

/** How much is left, 1 to 0; `spinning` while something runs whose end is not known. */
export interface FaceRing {
  readonly fraction: number;
  readonly spinning: boolean;
}

export interface FaceFact {
  readonly label: string;
  readonly value: string;
}

/** A side note: what happened, and what it means for the person. */
export interface FaceNotice {
  readonly tone: FaceTone;
  readonly title: string;
  readonly text: string;
}

/**
 * The short code for another device. `groups` joined is the code; they only make it easier to read.
 */
export interface FaceDevice {
  readonly groups: readonly string[];
  readonly address: string;
  /** What the QR code says. */
  readonly scanned: string;
  /** What a screen reader says in place of the QR code. */
  readonly scannedInWords: string;
}

/** The field for what the browser shows. */
export interface FacePaste {
  readonly label: string;
  readonly hint: string;
  readonly problem: string;
}

/**
 * For a person to whom nothing happens. Its place is kept from the beginning; it is seen when the
 * browser takes long.
 */
export interface FaceHelp {
  readonly text: string;
  readonly otherWay: boolean;
  /** Offers the field for the browser's address. */
  readonly paste: boolean;
  readonly visible: boolean;
}

/** Everything the left side shows. */
export interface Face {
  readonly tone: FaceTone;
  readonly figure: FaceFigure;
  readonly initials: string;
  readonly ring: FaceRing | null;
  readonly title: string;
  readonly text: string;
  /** The one line that counts down. */
  readonly caption: string;
  readonly facts: readonly FaceFact[];
  readonly device: FaceDevice | null;
  readonly notice: FaceNotice | null;
  readonly paste: FacePaste | null;
  readonly help: FaceHelp | null;
  readonly buttons: readonly FaceButton[];
  /** What the button "sign-in" asks for. */
  readonly request: SignInRequest;
  /** Whom the button "switch" leads to. */
  readonly other: AccountView | null;
  /** The error behind this face, for the small print and "Copy details". */
  readonly error: AuthErrorView | null;
}
