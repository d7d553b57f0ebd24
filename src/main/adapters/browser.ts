// Browser over Electron's shell. Opens nothing but web URLs: anything else handed to the system could start a program.
import { shell } from 'electron';
import { AuthError } from '../core/errors.js';
import { isLoopback } from '../core/redirect-option.js';
import type { Browser } from '../core/ports.js';

export function createBrowser(): Browser {
  return {
    async open(url) {
      const { protocol, hostname } = new URL(url);
      if (protocol !== 'https:' && !(protocol === 'http:' && isLoopback(hostname))) {
        throw new AuthError('browser-failed', 'only "https:" URLs are opened');
      }
      await shell.openExternal(url);
    },
  };
}
