// The look of the page at the end of a loopback sign-in: its style, and a readable accent colour.
// Pure. The style depends only on the accent, so that the page's policy can contain its hash.

const CARD = { light: '#ffffff', dark: '#1f2422' } as const;
const INK = { light: '#1a1f1c', dark: '#edf0ee' } as const;
const ACCENT = '#0f6b5c';
/** WCAG 2.2 §1.4.3, for text of any size. */
const CONTRAST = 4.5;

/** Makes the style. `accent`: `#rrggbb`, or null for the default. */
export function resultStyle(accent: string | null): string {
  const light = shades(accent ?? ACCENT, 'light');
  const dark = shades(accent ?? ACCENT, 'dark');
  return `
:root{color-scheme:light dark;--ground:#f1f4f2;--card:${CARD.light};--line:#dfe4e1;--ink:${INK.light};--soft:#566059;--red:#a3281f;--red-ground:#fbe8e5;--calm-ground:#e9edeb;${light};--shadow:0 1px 2px rgb(0 0 0/6%),0 8px 32px rgb(16 40 32/8%)}
@media (prefers-color-scheme:dark){:root{--ground:#161918;--card:${CARD.dark};--line:#343b37;--ink:${INK.dark};--soft:#a7b1ab;--red:#ffaba2;--red-ground:#43221e;--calm-ground:#2b312e;${dark};--shadow:none}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;padding:24px 16px;display:flex;flex-direction:column;background:var(--ground);color:var(--ink);font:16px/24px system-ui,sans-serif}
main{width:100%;max-width:440px;margin:auto;padding:40px 40px 32px;background:var(--card);border:1px solid var(--line);border-radius:16px;box-shadow:var(--shadow);text-align:center}
.mark{width:64px;height:64px;margin:0 auto 24px;border-radius:50%;display:grid;place-items:center;background:var(--calm-ground);color:var(--soft)}
.good .mark{background:var(--accent-ground);color:var(--accent)}
.alert .mark{background:var(--red-ground);color:var(--red)}
svg{width:32px;height:32px;fill:none;stroke:currentColor;stroke-width:2.5;stroke-linecap:round;stroke-linejoin:round}
h1{margin:0;font-size:24px;line-height:32px;font-weight:600;letter-spacing:-.01em;text-wrap:balance;overflow-wrap:anywhere}
p{margin:8px 0 0;color:var(--soft);text-wrap:balance;overflow-wrap:anywhere}
.closing{margin-top:24px;padding-top:24px;border-top:1px solid var(--line);color:var(--ink)}
a{display:block;margin-top:16px;padding:10px 16px;border:1px solid transparent;border-radius:8px;background:var(--accent);color:var(--on-accent);font-weight:600;line-height:20px;text-decoration:none;overflow-wrap:anywhere}
a:hover{background:var(--accent-strong)}
a:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
@media (max-width:480px){main{padding:32px 24px 24px}}
@media (forced-colors:active){main,.mark,a{border:1px solid CanvasText}}
@media (prefers-reduced-motion:no-preference){.good path{stroke-dasharray:32;animation:draw .4s .1s ease-out both}@keyframes draw{from{stroke-dashoffset:32}}}
`;
}

function shades(accent: string, mode: 'light' | 'dark'): string {
  const readable = readableOn(accent, CARD[mode], mode);
  const strong = mix(readable, mode === 'light' ? '#000000' : '#ffffff', 0.15);
  // What can be read on the accent must be readable on its darker or lighter shade as well.
  const onAccent =
    [CARD.light, '#06120e', '#000000'].find(
      (color) => Math.min(contrast(color, readable), contrast(color, strong)) >= CONTRAST,
    ) ?? '#000000';
  return `--accent:${readable};--accent-strong:${strong};--on-accent:${onAccent};--accent-ground:${mix(CARD[mode], readable, mode === 'light' ? 0.12 : 0.2)}`;
}

/**
 * The colour, made darker or lighter step by step until it can be read on the background and on a
 * tint of itself there.
 */
export function readableOn(color: string, background: string, mode: 'light' | 'dark'): string {
  for (let step = 0; step < 20; step += 1) {
    const tried =
      mode === 'light'
        ? mix(color, '#000000', step / 20)
        : step === 0
          ? color
          : lighter(color, step / 20);
    const tint = mix(background, tried, mode === 'light' ? 0.12 : 0.2);
    if (Math.min(contrast(tried, background), contrast(tried, tint)) >= CONTRAST) return tried;
  }
  return INK[mode];
}

/** The contrast of two colours (WCAG 2.2, "contrast ratio"): 1 to 21. */
export function contrast(one: string, other: string): number {
  const [darker = 0, lighter = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (lighter + 0.05) / (darker + 0.05);
}

function luminance(color: string): number {
  const [red = 0, green = 0, blue = 0] = channels(color).map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function mix(from: string, to: string, share: number): string {
  const target = channels(to);
  return `#${channels(from)
    .map((value, index) =>
      Math.round(value + ((target[index] ?? 0) - value) * share)
        .toString(16)
        .padStart(2, '0'),
    )
    .join('')}`;
}

/**
 * Mixed with white a colour turns grey; with its hue kept it stays the host's. `share` 1 is nearly
 * white.
 */
function lighter(color: string, share: number): string {
  const [red = 0, green = 0, blue = 0] = channels(color).map((value) => value / 255);
  const [least, most] = [Math.min(red, green, blue), Math.max(red, green, blue)];
  const lightness = (least + most) / 2;
  const range = most - least;
  const saturation = range === 0 ? 0 : (range / (1 - Math.abs(2 * lightness - 1))) * 0.7;
  const sector =
    range === 0
      ? 0
      : most === red
        ? ((green - blue) / range + 6) % 6
        : most === green
          ? (blue - red) / range + 2
          : (red - green) / range + 4;
  const raised = lightness + (0.95 - lightness) * share;
  const spread = saturation * Math.min(raised, 1 - raised);
  // CSS Color 4, "HSL to sRGB".
  return `#${[0, 8, 4]
    .map((shift) => {
      const at = (shift + sector * 2) % 12;
      return Math.round((raised - spread * Math.max(-1, Math.min(at - 3, 9 - at, 1))) * 255)
        .toString(16)
        .padStart(2, '0');
    })
    .join('')}`;
}

function channels(color: string): readonly number[] {
  return [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16));
}
