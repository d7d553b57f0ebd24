// @ts-check
// How long the main thread was held at most: a turn of the event loop after the other, as fast as
// it goes, and the longest gap between two. A machine that is busy elsewhere makes gaps, too:
// compare with a measurement in which nothing is done.

/**
 * @param {() => Promise<unknown>} work
 * @returns {Promise<number>} milliseconds
 */
export async function longestBlock(work) {
  let longest = 0;
  let last = performance.now();
  let running = true;
  const turn = () => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    if (running) setImmediate(turn);
  };
  setImmediate(turn);
  await work();
  // The turn in which the work ended counts, too.
  await new Promise((resolve) => setImmediate(resolve));
  running = false;
  return longest;
}
