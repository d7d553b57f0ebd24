// StateStore over electron-store: the one file `latchkey.json` in userData, in plain form, without secrets. Every start reads
// it, and most never write it: so it is read by hand, and electron-store is loaded for the first write only.
// May not delete anything: a file that does not parse is set aside under another name.
import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { app } from 'electron';
import type { KnownAccounts, StateStore } from '../core/ports.js';

export interface StateFileOptions {
  /** The folder of the file. Default: the app's userData folder at the first call. */
  readonly folder?: string;
  /** Told when a file was set aside; the name is for the log. */
  readonly onSetAside?: (fileName: string) => void;
}

type Store = InstanceType<(typeof import('electron-store'))['default']>;

const NAME = 'latchkey';

/** Creates the state store. electron-store brings a schema validator: its import takes longer than all of Latchkey's. */
export function createStateFile({ folder, onSetAside }: StateFileOptions = {}): StateStore {
  let opening: Promise<Store> | null = null;
  // A file is there that nobody could read: it may not be overwritten by what was made without knowing it.
  let unread = false;

  function open(): Promise<Store> {
    // A failure is not remembered: the disk may answer at the next try.
    opening ??= import('electron-store')
      .then(({ default: ElectronStore }) => new ElectronStore({ name: NAME, cwd: path(), accessPropertiesByDotNotation: false, configFileMode: 0o600, deserialize: parseObject }))
      .catch((thrown: unknown) => {
        opening = null;
        throw thrown;
      });
    return opening;
  }

  function path(): string {
    return folder ?? app.getPath('userData');
  }

  async function setAside(): Promise<void> {
    const fileName = `${NAME}.json.corrupt-${Date.now()}`;
    try {
      await rename(join(path(), `${NAME}.json`), join(path(), fileName));
      onSetAside?.(fileName);
    } catch (thrown) {
      // Gone meanwhile: nothing to keep.
      if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT') throw thrown;
    }
    unread = false;
  }

  return {
    async load(): Promise<unknown> {
      try {
        const content = parseObject(await readFile(join(path(), `${NAME}.json`), 'utf8'));
        unread = false;
        return Object.keys(content).length === 0 ? null : content;
      } catch (thrown) {
        unread = (thrown as NodeJS.ErrnoException).code !== 'ENOENT';
        if (thrown instanceof SyntaxError) await setAside().catch(() => {});
        return null;
      }
    },
    async save(state: KnownAccounts): Promise<void> {
      if (unread) await setAside();
      const store = await open();
      store.store = { ...state };
    },
  };
}

/** JSON that is no object is as corrupt as no JSON: electron-store would spread it into nonsense. */
function parseObject(text: string): Record<string, unknown> {
  const parsed: unknown = JSON.parse(text);
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) throw new SyntaxError('not an object');
  return parsed as Record<string, unknown>;
}
