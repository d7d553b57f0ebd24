// The demo's page: subscribes to the view, draws it, and turns clicks into calls. A host's page
// does the same. Imports latchkey/renderer and the demo's own files only; keeps no state of sign-in
// in addition to the view.
import { faceOf } from './face.js';
import type { Face, FaceAction, WindowState } from './face-model.js';
import { element, setData } from './dom.js';
import { paintFace, paintTimeline, paintView } from './paint.js';
import { extendTimeline } from './timeline.js';
import type { TimelineEntry } from './timeline.js';
import { ERROR_WORDS } from './words.js';
import { auth, isAuthFailure } from '../index.js';
import type { AuthErrorView, AuthView, PageView } from '../index.js';

/** What a click can ask for. */
type Call = FaceAction | 'other-way';

let view: AuthView | null = null;
let timeline: readonly TimelineEntry[] = [];
let here: WindowState = {
  problem: null,
  pasting: false,
  pasteProblem: '',
  redirectSince: Date.now(),
};
let face: Face | null = null;

const calls: Readonly<Record<Call, () => Promise<void>>> = {
  'sign-in': () => auth.signIn(face?.request ?? {}),
  'another-account': () => auth.signIn({ prompt: 'select_account' }),
  retry: () => auth.retry(),
  reopen: () => auth.reopenBrowser(),
  cancel: () => auth.cancelSignIn(),
  switch: () => auth.switchAccount(face?.other?.id ?? ''),
  'sign-out': () => auth.signOut(),
  'other-way': () => auth.tryAnotherWay(),
};

function paint(change: Partial<WindowState> = {}): void {
  if (view === null) return;
  const now = Date.now();
  here = { ...here, ...change };
  const before = face?.buttons;
  face = faceOf(view, now, here);
  // Another button may stand under the pointer now, which nobody has pointed at.
  if (JSON.stringify(before) !== JSON.stringify(face.buttons)) forgetPointer();
  paintFace(face, view.status);
  paintTimeline(timeline, now);
}

function onView(next: PageView): void {
  if (next.status === 'unavailable') {
    showUnavailable(next.error);
    return;
  }
  const before = redirectOf(view);
  timeline = extendTimeline(timeline, view, next, Date.now());
  view = next;
  paintView(next);
  paint(
    before === redirectOf(next)
      ? { problem: null }
      : { problem: null, pasting: false, pasteProblem: '', redirectSince: Date.now() },
  );
}

/** Nothing in this window can sign in: a button would do nothing. */
function showUnavailable(error: AuthErrorView): void {
  face = {
    ...faceOf({ status: 'signed-out', reason: 'never', error }, Date.now(), here),
    ...ERROR_WORDS[error.code],
    buttons: [],
  };
  paintFace(face, 'unavailable');
  paintView(null);
}

/** Another word for each way of each attempt. */
function redirectOf(shown: AuthView | null): string {
  const attempt = shown !== null && 'attempt' in shown ? shown.attempt : undefined;
  return attempt === undefined ? '' : `${attempt.startedAt} ${attempt.redirect ?? ''}`;
}

async function run(call: Call): Promise<void> {
  here = { ...here, problem: null };
  paint(await problemOf(calls[call]));
}

/** What this window has to tell about a call that failed. */
async function problemOf(call: () => Promise<void>): Promise<Partial<WindowState>> {
  try {
    await call();
    return {};
  } catch (thrown) {
    if (!isAuthFailure(thrown)) throw thrown;
    // Shows nothing that the view already says. A cancelled attempt is not an error.
    if (thrown.code === 'sign-in-cancelled' || thrown.code === errorOf(view)?.code) return {};
    return { problem: toErrorView(thrown) };
  }
}

/** Empties the field first: the pasted text must stay nowhere in the page. */
async function paste(input: HTMLInputElement): Promise<void> {
  const pasted = input.value;
  input.value = '';
  if (pasted.trim() === '') {
    paint({ pasteProblem: 'There is nothing in this field yet.' });
  } else {
    paint({ pasteProblem: '', problem: null });
    const { problem } = await problemOf(() => auth.pasteCallback(pasted));
    if (problem?.code === 'callback-invalid')
      paint({ pasteProblem: ERROR_WORDS[problem.code].text });
    else paint({ problem: problem ?? null });
  }
  if (here.pasteProblem !== '') input.focus();
}

function errorOf(shown: AuthView | null): AuthErrorView | undefined {
  if (shown === null || !('error' in shown)) return undefined;
  return shown.error;
}

function toErrorView({
  code,
  retry,
  message,
  serverError,
  provider,
}: AuthErrorView): AuthErrorView {
  return {
    code,
    retry,
    message,
    ...(serverError === undefined ? {} : { serverError }),
    ...(provider === undefined ? {} : { provider }),
  };
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
    ...Object.entries(provider ?? {}).map(
      ([name, value]) => `provider's ${name}: ${String(value)}`,
    ),
  ];
  await copy(button, lines.join('\n'));
}

/** Says on the button how it went, for a moment. */
async function copy(button: HTMLElement, text: string): Promise<void> {
  const label = (button.dataset['label'] ??= button.textContent);
  const done = await navigator.clipboard.writeText(text).then(
    () => 'Copied',
    () => 'Could not copy',
  );
  button.textContent = done;
  element('#announcement').textContent = done;
  setTimeout(() => (button.textContent = label), 2_000);
}

/**
 * A button looks pointed at only while the pointer moves over it: not when it has just come under
 * the pointer, nor while the browser is in front.
 */
function followPointer(): void {
  document.addEventListener('pointermove', ({ pointerType }) => {
    if (pointerType !== 'touch') setData(document.body, 'pointer', 'moves');
  });
  window.addEventListener('blur', forgetPointer);
}

function forgetPointer(): void {
  delete document.body.dataset['pointer'];
}

/** The page itself decides only which part of the window is folded. */
function foldable(): void {
  const toggle = element('[data-testid="toggle-details"]');
  const aside = element('#details');
  const fold = (open: boolean): void => {
    aside.hidden = !open;
    toggle.setAttribute('aria-expanded', String(open));
  };
  toggle.addEventListener('click', () => fold(aside.hidden !== false));
  const wide = window.matchMedia('(min-width: 760px)');
  wide.addEventListener('change', () => fold(wide.matches));
  fold(wide.matches);
}

function listen(): void {
  for (const call of Object.keys(calls) as Call[]) {
    // The second click of a double click would land on the button that took the first one's place.
    element(`[data-testid="${call}"]`).addEventListener('click', (event) => {
      if (event.detail < 2) void run(call);
    });
  }
  const details = element('[data-testid="copy-details"]');
  details.addEventListener('click', () => void copyDetails(details));
  const code = element('[data-testid="copy-code"]');
  code.addEventListener('click', () => void copy(code, face?.device?.groups.join('') ?? ''));
  listenToPaste();
  // Main opens the window: it lets a page ask for this one address and denies every other.
  element('[data-testid="another-window"]').addEventListener(
    'click',
    () => void window.open('demo.html'),
  );
  const ordinal = Number(new URLSearchParams(location.search).get('window'));
  if (Number.isSafeInteger(ordinal) && ordinal > 1) {
    element('#ordinal').textContent = `Window ${ordinal}`;
    element('#ordinal').hidden = false;
    document.title = `Latchkey Demo – window ${ordinal}`;
  }
}

function listenToPaste(): void {
  const input = element<HTMLInputElement>('#pasted');
  element('#paste').addEventListener('submit', (event) => {
    event.preventDefault();
    void paste(input);
  });
  element('[data-testid="paste-instead"]').addEventListener('click', () => {
    paint({ pasting: !here.pasting, pasteProblem: '' });
    if (here.pasting) input.focus();
  });
}

function start(): void {
  foldable();
  followPointer();
  listen();
  auth.subscribe(onView);
  setInterval(() => paint(), 1_000);
  // Timers of a hidden window are slowed down; coming back it must not show an old countdown.
  document.addEventListener('visibilitychange', () => paint());
}

start();
