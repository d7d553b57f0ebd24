// @ts-check How scripts print messages for a person: on stderr, so that stdout has only what a
// script promises.

const startedAt = Date.now();

/**
 * One line with the seconds since the script began.
 * @param {string} text
 */
export function say(text) {
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(1).padStart(5);
  process.stderr.write(`${seconds}s  ${text}\n`);
}

/** A failure that the person can act on: printed without a stack. */
export class Stop extends Error {}

/**
 * Runs a script's main function; a `Stop` is printed as it is, anything else with its stack.
 * @param {() => Promise<number>} main returns the exit code
 */
export function runMain(main) {
  main().then(
    (code) => {
      process.exitCode = code;
    },
    (/** @type {unknown} */ error) => {
      if (error instanceof Stop) process.stderr.write(`\n${error.message}\n`);
      else
        process.stderr.write(
          `\n${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
        );
      process.exitCode = 1;
    },
  );
}
