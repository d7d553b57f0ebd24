// @ts-check
// 10,000 messages a second for three seconds, by one page; and what a trusted page and the main
// process feel of it meanwhile.
/* eslint-disable @typescript-eslint/no-unsafe-assignment -- one host for Electron 33 and later, without types of its own */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { pathToFileURL } from 'node:url';
import { open, frameIn } from './documents.mjs';

/** @typedef {Awaited<ReturnType<typeof import('./server.mjs').serve>>} Web */
/** @typedef {import('electron').WebFrameMain} Frame */

const FLOOD_MS = 3_000;

/** As many as are due, at most 100 at once. */
const FLOOD = `(async () => {
  const start = performance.now();
  const all = [];
  let sent = 0;
  for (let now = 0; now < ${FLOOD_MS}; now = performance.now() - start) {
    for (; sent < 10 * now; sent += 100) all.push(raw.many('latchkey:retry', 100));
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  const done = (await Promise.all(all)).reduce((sum, count) => sum + count, 0);
  return { sent, done };
})()`;

const total = (/** @type {Record<string, number>} */ counts) =>
  Object.values(counts).reduce((sum, count) => sum + count, 0);

/** @param {Web} web @param {Record<string, number>} logged */
export function floods({ trusted, stranger }, logged) {
  /** @param {() => Promise<Frame>} opening */
  const flood = (opening) => async () => {
    const honest = await open(`${trusted}/`);
    const frame = await opening();
    const before = total(logged);
    const delay = monitorEventLoopDelay({ resolution: 5 });
    delay.enable();
    const start = performance.now();
    const flooding = /** @type {Promise<{ sent: number, done: number }>} */ (
      frame.executeJavaScript(FLOOD, true)
    );
    let honestMs = 0;
    let answers = 0;
    while (performance.now() - start < FLOOD_MS) {
      const asked = performance.now();
      const { ok } = await honest.executeJavaScript(`raw.invoke('latchkey:retry', [])`, true);
      if (ok === true) answers += 1;
      honestMs = Math.max(honestMs, performance.now() - asked);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const counts = await flooding;
    delay.disable();
    const ms = (/** @type {number} */ nanoseconds) => Math.round(nanoseconds / 1e5) / 10;
    return {
      ...counts,
      tookMs: Math.round(performance.now() - start),
      delayMs: [ms(delay.percentile(50)), ms(delay.percentile(99)), ms(delay.max)],
      honest: { answers, slowestMs: Math.round(honestMs) },
      logged: total(logged) - before,
    };
  };
  const top = (/** @type {string} */ url) => async () => (await open(url)).mainFrame;
  const elsewhere = pathToFileURL(String(process.env['LATCHKEY_ELSEWHERE'])).href;
  return {
    'a flood of another origin': flood(top(`${stranger}/`)),
    'a flood of an address of two megabytes': flood(top(`${stranger}/?${'x'.repeat(2_000_000)}`)),
    'a flood of a file elsewhere': flood(top(elsewhere)),
    'a flood of a frame inside of a trusted page': flood(() =>
      frameIn(`${trusted}/`, `f.src = '${stranger}/'`),
    ),
    'a flood of a trusted page': flood(top(`${trusted}/`)),
  };
}
