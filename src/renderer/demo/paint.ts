// Puts a face, the view and the timeline into the page. Changes only what differs, and never
// replaces a button, so that neither focus nor a screen reader is disturbed by a tick. Text only:
// no markup is ever parsed.
import { paintAdvice } from './advice.js';
import { element, isNews, make, setData, setText } from './dom.js';
import type { Face, FaceAction } from './face-model.js';
import { paintDevice, paintHelp, paintPaste, spelled } from './paint-attempt.js';
import type { TimelineEntry } from './timeline.js';
import { agoInWords } from './words.js';
import type { AuthView, PageView } from '../index.js';

const actions: readonly FaceAction[] = [
  'sign-in',
  'another-account',
  'retry',
  'reopen',
  'cancel',
  'switch',
  'sign-out',
];

/**
 * Shows a face. When the button that has the focus goes, the focus moves to the headline, not to
 * the void.
 */
export function paintFace(face: Face, status: PageView['status']): void {
  const focused = document.activeElement;
  setData(document.body, 'status', status);
  const stage = element('#face');
  setData(stage, 'tone', face.tone);
  setData(stage, 'figure', face.figure);
  setText(element('#initials'), face.initials);
  paintRing(face);
  setText(element('#title'), face.title);
  setText(element('#text'), face.text);
  setText(element('#caption'), face.caption);
  paintFacts(face);
  paintDevice(face);
  paintNotice(face);
  paintPaste(face);
  for (const action of actions) paintButton(action, face);
  paintHelp(face);
  paintSmallPrint(face);
  paintAdvice(face);
  setText(element('#announcement'), spoken(face));
  if (
    focused instanceof HTMLElement &&
    focused !== document.body &&
    focused.closest('[hidden]') !== null
  )
    element('#title').focus();
}

/** What a screen reader is told when the face has changed. */
function spoken({ title, text, notice, device, paste }: Face): string {
  if (paste !== null && paste.problem !== '') return paste.problem;
  const code = device === null ? '' : `Your code is ${spelled(device.groups.join(''))}`;
  return [title, text, code, notice?.title, notice?.text].filter(Boolean).join('. ');
}

function paintRing({ ring }: Face): void {
  const svg = element<SVGElement>('#ring');
  setData(svg, 'state', ring === null ? 'none' : ring.spinning ? 'spinning' : 'steady');
  const offset = String(Math.round((1 - (ring?.fraction ?? 0)) * 1000) / 10);
  const arc = element<SVGElement>('#ring-arc');
  if (arc.getAttribute('stroke-dashoffset') !== offset)
    arc.setAttribute('stroke-dashoffset', offset);
}

function paintFacts({ facts }: Face): void {
  const list = element('#facts');
  list.hidden = facts.length === 0;
  if (!isNews(list, facts)) return;
  list.replaceChildren(
    ...facts.map(({ label, value }) => {
      const row = document.createElement('div');
      row.append(make('dt', label), make('dd', value));
      return row;
    }),
  );
}

function paintNotice({ notice }: Face): void {
  const box = element('#notice');
  box.hidden = notice === null;
  setData(box, 'tone', notice?.tone ?? 'quiet');
  setText(element('#notice-title'), notice?.title ?? '');
  setText(element('#notice-text'), notice?.text ?? '');
}

function paintButton(action: FaceAction, face: Face): void {
  const button = element<HTMLButtonElement>(`[data-testid="${action}"]`);
  const wanted = face.buttons.find((candidate) => candidate.action === action);
  button.hidden = wanted === undefined;
  if (wanted === undefined) return;
  setText(button, wanted.label);
  button.classList.toggle('primary', wanted.primary);
}

function paintSmallPrint({ error }: Face): void {
  element('#small-print').hidden = error === null;
  if (error === null) return;
  setText(
    element('#code'),
    error.serverError === undefined ? error.code : `${error.code} · ${error.serverError}`,
  );
}

/** Shows the view as JSON, coloured, and just as it is: `#view-json`'s text can be parsed again. */
export function paintView(view: AuthView | null): void {
  const lines = JSON.stringify(view, null, 2).split(/(?<=\n)/);
  element('#view-json').replaceChildren(...lines.map(makeLine));
}

function makeLine(line: string): Element {
  const block = make('span', '');
  block.className = 'line';
  block.style.setProperty('--deep', String(line.search(/\S/)));
  const pieces = line.split(/("(?:\\.|[^"\\])*"(?:\s*:)?|\b(?:true|false|null)\b|-?\d+(?:\.\d+)?)/);
  for (const piece of pieces) {
    const kind = kindOf(piece);
    if (kind === null) block.append(piece);
    else block.append(breakable(piece, kind));
  }
  return block;
}

/** Long words may be divided where an address is divided: after each of these signs. */
function breakable(piece: string, kind: string): HTMLElement {
  const made = make('span', '', kind);
  for (const part of piece.split(/(?<=[/?&=@_.:-])(?![/"])/)) {
    if (made.hasChildNodes()) made.append(document.createElement('wbr'));
    made.append(part);
  }
  return made;
}

function kindOf(piece: string): string | null {
  if (piece.startsWith('"')) return piece.endsWith(':') ? 'key' : 'text';
  return /^(?:true|false|null|-?\d)/.test(piece) ? 'value' : null;
}

/** Shows the timeline: new entries are added on top, the old ones only grow older. */
export function paintTimeline(entries: readonly TimelineEntry[], now: number): void {
  const list = element('#timeline');
  const known = new Map([...list.children].map((item) => [item.getAttribute('data-key'), item]));
  const items = entries.map((entry) => {
    const key = `${entry.at} ${entry.text}`;
    const item = known.get(key) ?? makeEntry(key, entry);
    const time = item.querySelector('time');
    if (time !== null) setText(time, agoInWords(now - entry.at));
    return item;
  });
  if (items.length !== list.children.length || items[0] !== list.children[0])
    list.replaceChildren(...items);
}

function makeEntry(key: string, { at, text }: TimelineEntry): Element {
  const item = document.createElement('li');
  item.dataset['key'] = key;
  const time = document.createElement('time');
  time.dateTime = new Date(at).toISOString();
  item.append(make('p', text), time);
  return item;
}
