// @ts-check
// How an app that is measured talks to the bench: one line of JSON for each call and answer, by
// stdout and stdin. Imports as little as possible: its own loading is part of the start of every
// app alike.
import { app } from 'electron';

/** What this app is to do; the words of parts/stage.mjs and of the row. */
export const JOB =
  /** @type {Readonly<Record<string, any>> & { issuer: string, clientId: string, profile: string }} */ (
    JSON.parse(process.env['BENCH_JOB'] ?? '{}')
  );

/** @type {Map<number, (answer: { value?: any, error?: string }) => void>} */
const waiting = new Map();
let lastId = 0;
let listening = false;

/** @param {object} message */
function write(message) {
  process.stdout.write(`@bench ${JSON.stringify(message)}\n`);
}

/**
 * A call to the provider's process: `visit`, `check`, `counts`, `life`.
 * @param {string} call
 * @param {unknown} [argument]
 * @returns {Promise<any>}
 */
export function ask(call, argument) {
  listen();
  const id = (lastId += 1);
  return new Promise((resolve, reject) => {
    waiting.set(id, ({ value, error }) =>
      error === undefined ? resolve(value) : reject(new Error(error)),
    );
    write({ id, call, argument });
  });
}

function listen() {
  if (listening) return;
  listening = true;
  let rest = '';
  process.stdin.setEncoding('utf8').on('data', (chunk) => {
    const lines = (rest + String(chunk)).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const answer = /** @type {{ id: number, value?: unknown, error?: string }} */ (
        JSON.parse(line)
      );
      waiting.get(answer.id)?.(answer);
      waiting.delete(answer.id);
    }
  });
}

/**
 * Runs the app's work and ends the app with its result, or with what went wrong.
 * @param {() => Promise<unknown>} work
 */
export function measure(work) {
  work().then(
    (result) => end({ result }),
    (/** @type {unknown} */ error) =>
      end({ failure: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  );
}

/** @param {object} message */
function end(message) {
  process.stdout.write(`@bench ${JSON.stringify(message)}\n`, () => {
    app.quit();
    // Whatever the measured code holds open: the bench has its answer.
    setTimeout(() => process.exit(0), 3_500);
  });
}
