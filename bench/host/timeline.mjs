// @ts-check
// Notes what a Latchkey app waits for, on which port and how long: patched into Node and Electron
// before Latchkey is loaded. For bench/profile.mjs; never part of a measurement, since noting costs
// time, too.
import { app, net, utilityProcess } from 'electron';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';

/**
 * `ms` is null while it goes on. @typedef {{ at: number, what: string, ms: number | null }} Note
 */

/** @type {Note[]} */
let notes = [];

/** @param {string} what */
export function note(what) {
  /** @type {Note} */
  const entry = { at: performance.now(), what, ms: null };
  notes.push(entry);
  return () => {
    entry.ms ??= performance.now() - entry.at;
  };
}

/** What was noted since the last call; times from `from` on. @param {number} from */
export function takeNotes(from) {
  const taken = notes.map(({ at, what, ms }) => ({ at: at - from, what, ms }));
  notes = [];
  return taken;
}

export function watch() {
  const listen = net.Server.prototype.listen;
  net.Server.prototype.listen = function (/** @type {any[]} */ ...words) {
    const address =
      typeof words[0] === 'object' ? String(words[0]?.path ?? 'port') : String(words[0]);
    const done = note(`listen ${address.startsWith('\0') ? 'lock' : 'port'}`);
    this.once('listening', done);
    return /** @type {any} */ (listen).apply(this, words);
  };
  for (const name of /** @type {const} */ ([
    'readFileSync',
    'writeFileSync',
    'openSync',
    'fsyncSync',
    'renameSync',
    'mkdirSync',
    'writeSync',
    'closeSync',
  ])) {
    const original = /** @type {(...words: any[]) => any} */ (fs[name]);
    /** @type {any} */ (fs)[name] = (/** @type {any[]} */ ...words) => {
      if (!/latchkey/.test(String(words[0])) && typeof words[0] !== 'number')
        return original(...words);
      const done = note(`fs.${name}`);
      try {
        return original(...words);
      } finally {
        done();
      }
    };
  }
  syncBuiltinESMExports();
  const fork = utilityProcess.fork;
  utilityProcess.fork = (path, args, options) => {
    const started = note('worker starts');
    const worker = fork(path, args, options);
    worker.once('spawn', started);
    const post = worker.postMessage;
    /** @type {Map<number, () => void>} */
    const open = new Map();
    worker.on('message', (/** @type {{ id: number }} */ message) => open.get(message.id)?.());
    worker.postMessage = (/** @type {{ id: number, op: string }} */ message) => {
      open.set(message.id, note(`keychain ${message.op}`));
      post.call(worker, message);
    };
    return worker;
  };
  void app.whenReady().then(() => {
    const request = net.request;
    net.request = (options) => {
      const done = note(
        `fetch ${new URL(typeof options === 'string' ? options : String(options.url)).pathname}`,
      );
      const sent = request(options);
      sent.once('error', done);
      sent.once('response', (answer) => answer.once('end', done));
      return sent;
    };
  });
}
