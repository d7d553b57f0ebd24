// Browser over Electron's shell. Opens nothing but web URLs: anything else handed to the system could start a program.
// Which web URLs are good (https, or this computer) was decided where metadata and options were checked.
import { shell } from 'electron';
import { AuthError } from '../core/errors.js';
import type { Browser } from '../core/ports.js';

export function createBrowser(): Browser {
  return {
    async open(url) {
      const { protocol } = new URL(url);
      if (protocol !== 'https:' && protocol !== 'http:') throw new AuthError('browser-failed', 'only web pages are opened');
      await shell.openExternal(url);
    },
  };
}
