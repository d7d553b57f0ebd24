// A text as a QR code: the modules by the package `qr`, the drawing by hand, as one path of an SVG.
// Pure, without DOM. The page has no bundler: scripts/build.mjs puts the package beside this file
// and names it there.
import { encodeQR } from 'qr';

/** A square of `size` units, quiet zone included. `path` is what is dark. */
export interface QrDrawing {
  readonly size: number;
  readonly path: string;
}

/** ISO/IEC 18004 asks for four light modules around. */
const QUIET_MODULES = 4;

/** What a phone's camera still reads from a screen: at most 65 modules a side. */
const LONGEST_BYTES = 280;

/** Draws the text, or answers null when it is too long to be scanned from a screen. */
export function drawQr(text: string): QrDrawing | null {
  if (new TextEncoder().encode(text).length > LONGEST_BYTES) return null;
  const rows = encodeQR(text, 'raw', { ecc: 'medium', border: QUIET_MODULES });
  return { size: rows.length, path: rows.map(drawRow).join('') };
}

/** Neighbours become one bar: modules drawn alone show hairlines between them. */
function drawRow(row: readonly boolean[], y: number): string {
  let path = '';
  for (let x = 0; x < row.length; x += 1) {
    if (row[x] !== true) continue;
    let width = 1;
    while (row[x + width] === true) width += 1;
    path += `M${x} ${y}h${width}v1h-${width}z`;
    x += width;
  }
  return path;
}
