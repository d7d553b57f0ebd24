// The demo's QR code is read back by a reader of pictures: what is drawn is what a phone would
// scan.
import { decodeQR } from 'qr/decode.js';
import { describe, expect, it } from 'vitest';
import { drawQr } from '../../../src/renderer/demo/qr.js';
import type { QrDrawing } from '../../../src/renderer/demo/qr.js';

const PIXELS = 4;

/** Paints the path as a browser would: dark bars on a light ground. */
function picture({ size, path }: QrDrawing): { width: number; height: number; data: Uint8Array } {
  const side = size * PIXELS;
  const data = new Uint8Array(side * side * 4).fill(255);
  for (const [, x, y, width] of path.matchAll(/M(\d+) (\d+)h(\d+)v1h-\d+z/g)) {
    for (let row = Number(y) * PIXELS; row < (Number(y) + 1) * PIXELS; row += 1) {
      const from = (row * side + Number(x) * PIXELS) * 4;
      for (let at = from; at < from + Number(width) * PIXELS * 4; at += 4) data.fill(0, at, at + 3);
    }
  }
  return { width: side, height: side, data };
}

describe('the QR code of the demo', () => {
  it.each([
    'https://login.example.com/device?user_code=WDJB-MJHT',
    'http://127.0.0.1:41749/device?user_code=WDJB-MJHT',
    `https://login.example.com/device?user_code=${'AB12-'.repeat(12)}`,
    'https://login.example.com/gerät?code=ä',
  ])('is read back as %s', (text) => {
    const drawing = drawQr(text);
    if (drawing === null) throw new Error('this text is short enough');
    expect(decodeQR(picture(drawing))).toBe(text);
  });

  it('has four light modules around, and one path made of bars only', () => {
    const drawing = drawQr('https://login.example.com/device');
    expect(drawing?.path).toMatch(/^(M\d+ \d+h\d+v1h-\d+z)+$/);
    const starts = [...(drawing?.path ?? '').matchAll(/M(\d+) (\d+)/g)].flatMap(([, x, y]) => [
      Number(x),
      Number(y),
    ]);
    expect(Math.min(...starts)).toBe(4);
  });

  it('is not drawn when it would be too fine for a camera', () => {
    expect(drawQr(`https://login.example.com/${'x'.repeat(260)}`)).toBeNull();
    expect(drawQr('ä'.repeat(141))).toBeNull();
  });
});
