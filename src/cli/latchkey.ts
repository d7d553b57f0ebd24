#!/usr/bin/env node
// The command `latchkey`: finds the named subcommand, loads only that one, and ends with its exit
// code. Plain Node: no Electron, no app.
import { existsSync, realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ownVersion } from '../main/adapters/diagnosis/host-facts.js';

/**
 * Where a command writes whole lines. `color`: the terminal shows colours, and nobody has switched
 * them off.
 */
export interface Io {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly color: boolean;
}

/** A command's module. `run` resolves to the exit code and rejects only when it is broken. */
export interface Command {
  run(args: readonly string[], io: Io): Promise<number>;
}

/**
 * Exit codes that all commands share; a command may have more. The numbers above 63 come from
 * sysexits.h.
 */
export const EXIT = {
  ok: 0,
  warnings: 1,
  errors: 2,
  usage: 64,
  missing: 69,
  broken: 70,
  cannotWrite: 73,
} as const;

const COMMANDS: Readonly<Record<string, string>> = {
  doctor: 'checks what a sign-in needs on this computer, and says how to fix it',
  explain: 'explains an error code or a pasted error, and how to fix it',
  provider: 'starts a sign-in provider on this computer, for tries and tests',
};

/**
 * Runs the command that the arguments name. `load` answers null for a command that this version
 * does not have.
 */
export async function runLatchkey(
  [name, ...args]: readonly string[],
  io: Io,
  load: (name: string) => Promise<Command | null> = loadCommand,
): Promise<number> {
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    (name === undefined ? io.err : io.out)(await usage(load));
    return name === undefined ? EXIT.usage : EXIT.ok;
  }
  if (name === '--version' || name === '-v') {
    io.out(`${ownVersion()}\n`);
    return EXIT.ok;
  }
  try {
    const command = Object.hasOwn(COMMANDS, name) ? await load(name) : null;
    if (command !== null) return await command.run(args, io);
    io.err(`latchkey: there is no such command\n\n${await usage(load)}`);
    return EXIT.usage;
  } catch (thrown) {
    const missing = missingPackage(thrown);
    if (missing !== null) {
      io.err(
        `latchkey ${name}: the package "${missing}" is missing: npm install --save-dev ${missing}\n`,
      );
      return EXIT.missing;
    }
    io.err(`latchkey ${name}: ${thrown instanceof Error ? thrown.message : 'failed'}\n`);
    return EXIT.broken;
  }
}

async function usage(load: (name: string) => Promise<Command | null>): Promise<string> {
  // A command whose packages are missing still counts: it says itself what it needs.
  const isThere = (name: string): Promise<boolean> =>
    load(name).then(
      (command) => command !== null,
      () => true,
    );
  const there = await Promise.all(
    Object.entries(COMMANDS).map(async ([name, does]) =>
      (await isThere(name)) ? [`  ${name.padEnd(10)}${does}\n`] : [],
    ),
  );
  return `latchkey <command> [options]\n\n${there.flat().join('')}\nlatchkey <command> --help lists its options. latchkey --version prints the version.\n`;
}

/** The npm package that an import did not find; null for every other failure. */
export function missingPackage(thrown: unknown): string | null {
  for (let error = thrown; error instanceof Error; error = error.cause) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') continue;
    const [, name] = /Cannot find package '((?:@[\w.-]+\/)?[\w.-]+)'/.exec(error.message) ?? [];
    if (name !== undefined) return name;
  }
  return null;
}

async function loadCommand(name: string): Promise<Command | null> {
  const url = new URL(`./${name}.js`, import.meta.url);
  return existsSync(fileURLToPath(url)) ? ((await import(url.href)) as Command) : null;
}

function isMain(): boolean {
  const [, script] = process.argv;
  // npm starts commands through a link.
  return (
    script !== undefined &&
    existsSync(script) &&
    realpathSync(script) === fileURLToPath(import.meta.url)
  );
}

if (isMain()) {
  const color = process.stdout.isTTY && !process.env['NO_COLOR'] && process.env['TERM'] !== 'dumb';
  // A command prints whole lines, even if it does not end the last one.
  const line = (text: string): string => (text.endsWith('\n') ? text : `${text}\n`);
  const io: Io = {
    color,
    out: (text) => void process.stdout.write(line(text)),
    err: (text) => void process.stderr.write(line(text)),
  };
  // The reader of a pipe may end first, like `head`.
  process.stdout.on('error', () => undefined);
  void runLatchkey(process.argv.slice(2), io).then((code) => {
    process.exitCode = code;
  });
}
