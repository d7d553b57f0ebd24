// @ts-check
// Starting helpers that die with us, and ending for certain everything that was started inside a
// folder: a process belongs to a lab when its environment, command line, working folder or standard
// streams name the lab's folder. Chromium and Electron wipe their environment and leave their
// process group, so one mark is not enough.
import { spawn } from 'node:child_process';
import { accessSync, constants, readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** @typedef {import('node:child_process').ChildProcess} ChildProcess */

/**
 * The path of a program, or null.
 * @param {string} name
 * @returns {string | null}
 */
export function which(name) {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // not here
    }
  }
  return null;
}

/**
 * A helper (X server, message bus) that the kernel ends when this process ends, however it ends.
 * @param {string} program
 * @param {readonly string[]} args
 * @param {import('node:child_process').SpawnOptions} options
 * @returns {ChildProcess}
 */
export function spawnBound(program, args, options) {
  const setpriv = which('setpriv');
  if (setpriv === null) return spawn(program, args, options);
  return spawn(setpriv, ['--pdeathsig', 'KILL', '--', program, ...args], options);
}

/**
 * Waits until it ended and its output was read; rejects when it could not be started.
 * @param {ChildProcess} child
 * @returns {Promise<number | null>}
 */
export function closed(child) {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
}

/**
 * @param {ChildProcess} child
 * @returns {Promise<number | null>} the exit code, null when a signal ended it
 */
export function ended(child) {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((resolve) => child.once('exit', resolve));
}

/**
 * True when it ended in time.
 * @param {ChildProcess} child
 * @param {number} limitMs
 * @returns {Promise<boolean>}
 */
export async function endedWithin(child, limitMs) {
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  /** @type {Promise<boolean>} */
  const late = new Promise((resolve) => {
    timer = setTimeout(() => resolve(false), limitMs);
  });
  const inTime = await Promise.race([ended(child).then(() => true), late]);
  clearTimeout(timer);
  return inTime;
}

/**
 * The processes that belong to a folder. Never this process nor its ancestors.
 * @param {string} folder
 * @returns {{ pid: number, command: string }[]}
 */
export function processesOf(folder) {
  if (process.platform !== 'linux') return [];
  const spared = new Set(ancestors());
  /** @type {{ pid: number, command: string }[]} */
  const list = [];
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || spared.has(pid)) continue;
    const command = content(pid, 'cmdline').replaceAll('\0', ' ').trim();
    const marks = [
      command,
      content(pid, 'environ'),
      link(pid, 'cwd'),
      link(pid, 'fd/0'),
      link(pid, 'fd/1'),
      link(pid, 'fd/2'),
    ];
    if (!isZombie(pid) && marks.some((mark) => mark.includes(folder))) list.push({ pid, command });
  }
  return list;
}

/**
 * Ends every process of a folder with SIGKILL, again and again until none is left.
 * @param {string} folder
 */
export function killProcessesOf(folder) {
  for (let round = 0; round < 20; round += 1) {
    const list = processesOf(folder);
    if (list.length === 0) return;
    for (const { pid } of list) signal(pid, 'SIGKILL');
    pause(25);
  }
}

/**
 * The processes of one program that live in the session of `leader`, which was started with
 * `detached`. Programs that it opened for the person, such as their browser, are not among them.
 * @param {number} leader
 * @param {string} executable
 * @returns {number[]}
 */
export function sessionMembers(leader, executable) {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc')
    .map(Number)
    .filter(
      (pid) =>
        Number.isInteger(pid) &&
        sessionOf(pid) === leader &&
        !isZombie(pid) &&
        runs(pid, executable),
    );
}

/**
 * Children in a sandbox do not let their executable be seen by an ordinary user: then the command
 * line tells.
 * @param {number} pid
 * @param {string} executable
 */
function runs(pid, executable) {
  const command = content(pid, 'cmdline');
  return (
    link(pid, 'exe') === executable ||
    command.startsWith(executable) ||
    command.startsWith('/proc/self/exe')
  );
}

/**
 * @param {number} pid
 * @param {NodeJS.Signals} name
 */
export function signal(pid, name) {
  try {
    process.kill(pid, name);
  } catch {
    // it is gone
  }
}

/** Blocks this thread: for exit handlers, which can't wait otherwise.
 * @param {number} ms
 */
function pause(ms) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** @returns {number[]} */
function ancestors() {
  const pids = [process.pid];
  for (let pid = process.ppid; pid > 1; pid = Number(stat(pid)[1])) pids.push(pid);
  return pids;
}

/** The fields after the name: state, ppid, pgrp, …
 * @param {number} pid
 * @returns {string[]}
 */
function stat(pid) {
  const text = content(pid, 'stat');
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
}

/** @param {number} pid */
function isZombie(pid) {
  return stat(pid)[0] === 'Z';
}

/** @param {number} pid */
function sessionOf(pid) {
  return Number(stat(pid)[3]);
}

/**
 * @param {number} pid
 * @param {string} name
 */
function content(pid, name) {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    return '';
  }
}

/**
 * @param {number} pid
 * @param {string} name
 */
function link(pid, name) {
  try {
    return readlinkSync(`/proc/${pid}/${name}`);
  } catch {
    return '';
  }
}
