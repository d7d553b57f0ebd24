// The demo's page: subscribes to the view, draws it, and turns clicks into calls. A host's page does the same.
// Imports latchkey/renderer and the demo's own files only; keeps no state of sign-in besides the view.
import { faceOf } from './demo-face.js';
import type { Face, FaceAction } from './demo-face.js';
import { element, paintFace, paintTimeline, paintView } from './demo-paint.js';
import { extendTimeline } from './demo-timeline.js';
import type { TimelineEntry } from './demo-timeline.js';
import { ERROR_WORDS } from './demo-words.js';
import { auth, isAuthFailure } from './index.js';
import type { AuthErrorView, AuthView } from './index.js';

let view: AuthView | null = null;
let timeline: readonly TimelineEntry[] = [];
let problem: AuthErrorView | null = null;
let face: Face | null = null;

const calls: Readonly<Record<FaceAction, () => Promise<void>>> = {
  'sign-in': () => auth.signIn(face?.request ?? {}),
  retry: () => auth.retry(),
  reopen: () => auth.reopenBrowser(),
  cancel: () => auth.cancelSignIn(),
  'sign-out': () => auth.signOut(),
};

function paint(): void {
  if (view === null) return;
  const now = Date.now();
  face = faceOf(view, now, problem);
  paintFace(face, view.status);
  paintTimeline(timeline, now);
}

function onView(next: AuthView): void {
  timeline = extendTimeline(timeline, view, next, Date.now());
  view = next;
  problem = null;
  paintView(next);
  paint();
}

async function run(action: FaceAction): Promise<void> {
  problem = null;
  try {
    await calls[action]();
  } catch (thrown) {
    if (!isAuthFailure(thrown)) throw thrown;
    // What the view tells already is not told twice, and a cancelled attempt is no problem.
    if (thrown.code !== 'sign-in-cancelled' && thrown.code !== errorOf(view)?.code) problem = toErrorView(thrown);
  }
  paint();
}

function errorOf(shown: AuthView | null): AuthErrorView | undefined {
  if (shown === null || !('error' in shown)) return undefined;
  return shown.error;
}

function toErrorView({ code, retry, message, serverError, provider }: AuthErrorView): AuthErrorView {
  return { code, retry, message, ...(serverError === undefined ? {} : { serverError }), ...(provider === undefined ? {} : { provider }) };
}

async function copyDetails(button: HTMLElement): Promise<void> {
  if (face?.error == null) return;
  const { code, retry, message, serverError, provider } = face.error;
  const lines = [
    'Latchkey Demo',
    `time: ${new Date().toISOString()}`,
    `status: ${view?.status ?? 'unknown'}`,
    `code: ${code}`,
    `retry: ${retry}`,
    `message: ${message}`,
    ...(serverError === undefined ? [] : [`provider's word: ${serverError}`]),
    ...Object.entries(provider ?? {}).map(([name, value]) => `provider's ${name}: ${String(value)}`),
  ];
  const done = await navigator.clipboard.writeText(lines.join('\n')).then(
    () => 'Copied',
    () => 'Could not copy',
  );
  button.textContent = done;
  element('#announcement').textContent = done;
  setTimeout(() => (button.textContent = 'Copy details'), 2_000);
}

/** Which part of the window is folded is the only thing that the page decides by itself. */
function foldable(): void {
  const toggle = element('[data-testid="toggle-details"]');
  const aside = element('#details');
  const fold = (open: boolean): void => {
    aside.hidden = !open;
    toggle.setAttribute('aria-expanded', String(open));
  };
  toggle.addEventListener('click', () => fold(aside.hidden !== false));
  fold(window.innerWidth >= 760);
}

function listen(): void {
  for (const action of Object.keys(calls) as FaceAction[]) {
    // The second click of a double click would land on the button that took the first one's place.
    element(`[data-testid="${action}"]`).addEventListener('click', (event) => {
      if (event.detail < 2) void run(action);
    });
  }
  const copy = element('[data-testid="copy-details"]');
  copy.addEventListener('click', () => void copyDetails(copy));
  // Main opens the window: it lets a page ask for this one address and denies every other.
  element('[data-testid="another-window"]').addEventListener('click', () => void window.open('demo.html'));
  const ordinal = Number(new URLSearchParams(location.search).get('window'));
  if (Number.isSafeInteger(ordinal) && ordinal > 1) {
    element('#ordinal').textContent = `Window ${ordinal}`;
    element('#ordinal').hidden = false;
    document.title = `Latchkey Demo – window ${ordinal}`;
  }
}

function start(): void {
  foldable();
  listen();
  try {
    auth.subscribe(onView);
  } catch (thrown) {
    if (!isAuthFailure(thrown)) throw thrown;
    const error = toErrorView(thrown);
    face = { ...faceOf({ status: 'signed-out', reason: 'never', error }, Date.now(), null), ...ERROR_WORDS[error.code], buttons: [] };
    paintFace(face, 'refused');
    paintView(null);
    return;
  }
  setInterval(paint, 1_000);
  // Timers of a hidden window are slowed down; coming back it must not show an old countdown.
  document.addEventListener('visibilitychange', paint);
}

start();
