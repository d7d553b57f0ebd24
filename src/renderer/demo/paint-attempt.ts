// Paints what exists only while an attempt waits: the code for another device, the field to paste
// into, the help. When one of them disappears, its content disappears, too: no code and no pasted
// text stays in the page.
import { element, isNews, make, setData, setText } from './dom.js';
import type { Face, FaceDevice } from './face-model.js';
import { drawQr } from './qr.js';

/** The width that the QR code may take, in CSS pixels. */
const QR_ROOM = 168;

/** Shows the code, the address and their QR code. */
export function paintDevice({ device }: Face): void {
  const box = element('#device');
  box.hidden = device === null;
  if (!isNews(element('#device-words'), device)) return;
  setText(element('#address'), device?.address ?? '');
  paintCode(device?.groups ?? []);
  paintQr(device);
}

/** The groups stand apart by their margin, so that selecting them gives the code as it is. */
function paintCode(groups: readonly string[]): void {
  const code = groups.join('');
  const box = element('#user-code');
  setData(box, 'length', code.length <= 10 ? 'short' : code.length <= 20 ? 'middle' : 'long');
  const visible = make('span', '', 'groups');
  visible.ariaHidden = 'true';
  visible.append(...groups.map((group) => make('span', group)));
  box.replaceChildren(...(code === '' ? [] : [visible, make('span', spelled(code), 'spoken')]));
}

/** How a screen reader says a code: letter by letter. */
export function spelled(code: string): string {
  return [...code].map((sign) => (sign === '-' ? 'dash' : sign)).join(' ');
}

function paintQr(device: FaceDevice | null): void {
  const drawing = device === null ? null : drawQr(device.scanned);
  element('#qr').hidden = drawing === null;
  const svg = element<SVGElement>('#qr-code');
  const size = drawing?.size ?? 1;
  svg.setAttribute('viewBox', `0 0 ${size} ${size}`);
  // Whole pixels for each module: the edges stay sharp.
  svg.setAttribute('width', String(size * Math.max(1, Math.floor(QR_ROOM / size))));
  svg.setAttribute('aria-label', device?.scannedInWords ?? '');
  element('#qr-code path').setAttribute('d', drawing?.path ?? '');
}

/** Shows the field. It is emptied when it goes. */
export function paintPaste({ paste }: Face): void {
  element('#paste').hidden = paste === null;
  const input = element<HTMLInputElement>('#pasted');
  if (paste === null) input.value = '';
  setText(element('#paste-label'), paste?.label ?? '');
  setText(element('#paste-hint'), paste?.hint ?? '');
  const problem = paste?.problem ?? '';
  setText(element('#paste-problem'), problem);
  element('#paste-problem').hidden = problem === '';
  element('#paste-hint').hidden = problem !== '';
  input.ariaInvalid = String(problem !== '');
}

/** Keeps a place for "Nothing happened?", and asks it in time. */
export function paintHelp({ help, paste }: Face): void {
  const box = element('#help');
  box.hidden = help === null;
  if (help === null) return;
  setData(box, 'visible', String(help.visible));
  setText(element('#help-text'), help.text);
  element('[data-testid="other-way"]').hidden = !help.otherWay;
  const instead = element('[data-testid="paste-instead"]');
  instead.hidden = !help.paste;
  instead.ariaExpanded = String(paste !== null);
}
