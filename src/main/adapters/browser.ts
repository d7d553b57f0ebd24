// Browser over Electron's shell. Opens nothing but web URLs: anything else handed to the system
// could start a program. Which web URLs are good (https, or this computer) was decided where
// metadata and options were checked.
import { shell } from 'electron';
import { AuthError } from '../core/base/errors.js';
import type { Browser } from '../core/base/ports.js';

/**
 * What the system takes: on Windows Electron's own limit; on Linux one argument has at most 128
 * KiB.
 */
const URL_MAX_LENGTH = { win32: 2_081, others: 131_000 } as const;

export function createBrowser(platform: NodeJS.Platform = process.platform): Browser {
  return {
    async open(url) {
      const opened = readWebUrl(url);
      if (opened.length > (platform === 'win32' ? URL_MAX_LENGTH.win32 : URL_MAX_LENGTH.others)) {
        throw new AuthError('browser-failed', "the URL is too long for the system's browser");
      }
      await shell.openExternal(opened).catch((thrown: unknown) => {
        // The system's own words may repeat the URL, which holds state and nonce.
        throw new AuthError('browser-failed', 'the system did not start a browser', {
          cause: thrown instanceof Error ? thrown.name : typeof thrown,
        });
      });
    },
  };
}

/** As it was read here, so that no other parser finds something else in it. */
function readWebUrl(url: string): string {
  // URL leaves out line breaks and blanks around, where another reader may not.
  const parsed = /^[^\s\p{Cc}]+$/u.test(url) && URL.canParse(url) ? new URL(url) : null;
  if (parsed === null) throw new AuthError('browser-failed', 'only a whole URL is opened');
  if (parsed.protocol !== 'https:' && parsed.protocol !== 'http:')
    throw new AuthError('browser-failed', 'only web pages are opened');
  // They would be sent to the host behind them, which such a URL hides from the person.
  if (parsed.username !== '' || parsed.password !== '')
    throw new AuthError('browser-failed', 'a URL with a user name or password is not opened');
  return parsed.href;
}
