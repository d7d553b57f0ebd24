// @ts-check
// Moves this process's calendar forward, so that a token is old without anybody waiting for it.
// Timers go on as before. Until the first move, nothing is replaced: a replaced clock would be
// measured, too.

const Genuine = Date;
let aheadMs = 0;

/** @param {number} ms */
export function forward(ms) {
  aheadMs += ms;
  if (globalThis.Date !== Genuine) return;
  const now = () => Genuine.now() + aheadMs;
  class Ahead extends Genuine {
    /** @param {any[]} values */
    constructor(...values) {
      super(.../** @type {[any]} */ (values.length === 0 ? [now()] : values));
    }
  }
  Ahead.now = now;
  globalThis.Date = /** @type {DateConstructor} */ (/** @type {unknown} */ (Ahead));
}
