// StateStore: `latchkey.json` in userData, in plain form, without secrets, and a second copy beside
// it for when the first is damaged or gone. May not delete or overwrite what it could not read. A
// damaged file is set aside.
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { app } from 'electron';
import type { StateFileContent, StateStore } from '../core/base/ports.js';
import {
  errnoError,
  errnoOf,
  makeFolder,
  readWhole,
  removeWhole,
  writeWhole,
} from './whole-file.js';

export interface StateFileOptions {
  /** The folder of the file. Default: the app's userData folder at the first call. */
  readonly folder?: string;
  /** Told when a file was set aside; the name is for the log. */
  readonly onSetAside?: (fileName: string) => void;
}

const NAME = 'latchkey.json';
const COPY = 'latchkey.backup.json';
/** A thousand accounts and more. Something else wrote a larger file. */
const BYTES_MAX = 1_048_576;

type Found =
  | { readonly state: 'whole'; readonly text: string; readonly content: object }
  | { readonly state: 'absent' | 'damaged' }
  | { readonly state: 'unreadable'; readonly cause: unknown };

/** Creates the state store. Reads and writes nothing before the first call. */
export function createStateFile({ folder, onSetAside }: StateFileOptions = {}): StateStore {
  // After one wait without success, a caller does not wait again until the file can be read.
  let isPatient = true;
  let isWhole = true;

  function pathOf(name: string): string {
    return join(folder ?? app.getPath('userData'), name);
  }

  async function setAside(): Promise<void> {
    const fileName = `${NAME}.corrupt-${Date.now()}`;
    await rename(pathOf(NAME), pathOf(fileName));
    onSetAside?.(fileName);
  }

  return {
    get name() {
      return pathOf(NAME);
    },
    async load(): Promise<unknown> {
      const file = await look(pathOf(NAME), isPatient);
      const copy = await look(pathOf(COPY), isPatient && file.state !== 'whole');
      isPatient =
        file.state !== 'unreadable' && (file.state === 'whole' || copy.state !== 'unreadable');
      isWhole = isSettled(file, copy);
      if (file.state === 'whole') return file.content;
      // It is as new as the file, but for a write that was cut off before anybody was told that it
      // is done.
      if (copy.state === 'whole') return copy.content;
      for (const one of [file, copy]) if (one.state === 'unreadable') throw one.cause;
      return null;
    },
    isWhole: () => isWhole,
    async save(state: StateFileContent): Promise<void> {
      const text = JSON.stringify(state, null, 2);
      if (Buffer.byteLength(text) > BYTES_MAX) throw errnoError('EFBIG');
      await makeFolder(folder ?? app.getPath('userData'));
      const file = await look(pathOf(NAME), isPatient);
      const copy = file.state === 'whole' ? null : await look(pathOf(COPY), isPatient);
      for (const one of [file, copy]) if (one?.state === 'unreadable') throw one.cause;
      if (file.state === 'damaged') await setAside();
      // In this order the copy is never newer than the file.
      await writeWhole(pathOf(NAME), text);
      try {
        await writeWhole(pathOf(COPY), text);
      } catch {
        // An old copy could bring back a person who has signed out since.
        await removeWhole(pathOf(COPY));
      }
      isWhole = true;
    },
  };
}

async function look(path: string, isPatient: boolean): Promise<Found> {
  let bytes: Buffer | null;
  try {
    bytes = await readWhole(path, BYTES_MAX, isPatient);
  } catch (cause) {
    return errnoOf(cause) === 'EFBIG' ? { state: 'damaged' } : { state: 'unreadable', cause };
  }
  if (bytes === null) return { state: 'absent' };
  const text = bytes.toString('utf8');
  const content = parse(text);
  return content === null ? { state: 'damaged' } : { state: 'whole', text, content };
}

/** False: to save again would mend it. */
function isSettled(file: Found, copy: Found): boolean {
  if (file.state === 'unreadable' || copy.state === 'unreadable') return true;
  return file.state === 'whole'
    ? copy.state === 'whole' && copy.text === file.text
    : file.state === 'absent' && copy.state === 'absent';
}

/** Null for whatever was not written whole by some version of Latchkey. */
function parse(text: string): object | null {
  try {
    // Some editors put a mark before what they save (RFC 8259 §8.1 allows to pass over it).
    const parsed: unknown = JSON.parse(text.replace(/^\uFEFF/, ''));
    return typeof parsed === 'object' && parsed !== null && 'schemaVersion' in parsed
      ? parsed
      : null;
  } catch {
    return null;
  }
}
