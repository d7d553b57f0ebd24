// Finds which program owns a scheme on Windows, from the registry. Only reads, with `reg query` off
// the main thread. Not verified on Windows: the parsing is tested on recorded output.
import { win32 } from 'node:path';
import type { SchemeOwner } from '../../diagnosis/facts.js';
import { type Environment, runTool } from '../run-tool.js';

/** The user's own choice has priority over the key that Electron writes. */
const keysOf = (scheme: string): readonly string[] => [
  `HKCU\\Software\\Classes\\${scheme}\\shell\\open\\command`,
  `HKCR\\${scheme}\\shell\\open\\command`,
];

/** Asks the registry. Never rejects. */
export async function findOwnerOnWindows(
  scheme: string,
  env: Environment,
  timeoutMs: number,
): Promise<SchemeOwner> {
  const deadline = performance.now() + timeoutMs;
  const reg = systemTool('reg.exe', env);
  if (reg === null)
    return { state: 'unknown', detail: 'SystemRoot does not name the folder of Windows' };
  const query = async (
    key: string,
    value: readonly string[],
  ): Promise<string | null | undefined> => {
    const ran = await runTool(reg, ['query', key, ...value], env, deadline - performance.now());
    return ran.state === 'ended' ? readRegistryValue(ran.output) : undefined;
  };
  const chosen = await query(
    `HKCU\\Software\\Microsoft\\Windows\\Shell\\Associations\\UrlAssociations\\${scheme}\\UserChoice`,
    ['/v', 'ProgId'],
  );
  const keys =
    chosen === null || chosen === undefined
      ? keysOf(scheme)
      : [`HKCR\\${chosen}\\shell\\open\\command`];
  for (const key of keys) {
    const command = await query(key, ['/ve']);
    if (command === undefined)
      return { state: 'unknown', detail: 'the registry could not be asked' };
    if (command !== null)
      return { state: 'owned', name: key, command: splitWindowsCommand(command), isThere: null };
  }
  return chosen === null || chosen === undefined
    ? { state: 'nobody' }
    : { state: 'owned', name: chosen, command: [], isThere: null };
}

/** The path of a Windows tool. Null if SystemRoot names no folder on a drive. Pure. */
export function systemTool(name: string, env: Environment): string | null {
  // A copy of `process.env` knows only one way to write it.
  const [, root = ''] =
    Object.entries(env).find(([key]) => key.toLowerCase() === 'systemroot') ?? [];
  return /^[a-z]:[\\/][^\0]+$/i.test(root) ? win32.join(root, 'System32', name) : null;
}

/**
 * The value in the output of `reg query`; null when there is none. The value's name is translated
 * by Windows, its type is not.
 */
export function readRegistryValue(output: string): string | null {
  for (const line of output.split(/\r?\n/)) {
    const [, value] = /\sREG_(?:EXPAND_)?SZ\s+(.*\S)\s*$/.exec(line) ?? [];
    // "(value not set)", in whatever language, has brackets around it.
    if (value !== undefined && !/^\(.*\)$/.test(value)) return value;
  }
  return null;
}

/**
 * The words of a command line by the rules of Windows (CommandLineToArgvW), without the place of
 * the URL.
 */
export function splitWindowsCommand(line: string): readonly string[] {
  const words: string[] = [];
  let word = '';
  let quoted = false;
  let started = false;
  for (let at = 0; at < line.length; at += 1) {
    const letter = line.charAt(at);
    if (letter === '\\') {
      let end = at;
      while (line.charAt(end) === '\\') end += 1;
      const slashes = end - at;
      // Only in front of a quote do backslashes escape.
      const escapes = line.charAt(end) === '"';
      word += '\\'.repeat(escapes ? Math.floor(slashes / 2) : slashes);
      started = true;
      if (escapes && slashes % 2 === 1) {
        word += '"';
        end += 1;
      }
      at = end - 1;
    } else if (letter === '"') {
      quoted = !quoted;
      started = true;
    } else if (/\s/.test(letter) && !quoted) {
      if (started) words.push(word);
      word = '';
      started = false;
    } else {
      word += letter;
      started = true;
    }
  }
  if (started) words.push(word);
  return words.filter((one) => one !== '%1');
}
