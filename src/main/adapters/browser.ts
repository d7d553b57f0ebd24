// Browser over Electron's shell. Opens only web URLs: any other URL could start a program. The
// checks of metadata and options decided which web URLs are allowed (https, or this computer).
import { clipboard, shell } from 'electron';
import { AuthError } from '../core/base/errors.js';
import { LIMITS } from '../core/base/limits.js';
import type { Browser } from '../core/base/ports.js';

/** No browser and no server takes a longer one. */
const URL_MAX_LENGTH = 131_000;

export function createBrowser(startPages: {
  open(url: string): Promise<string | null>;
  openForm(url: string, fields: Parameters<Browser['post']>[1]): Promise<string | null>;
}): Browser {
  return {
    async post(url, fields) {
      const page = await startPages.openForm(readWebUrl(url), fields);
      if (page === null)
        throw new AuthError('browser-failed', 'no port on loopback can be opened for the form');
      await start(page);
    },
    async open(url) {
      const wanted = readWebUrl(url);
      if (wanted.length > URL_MAX_LENGTH)
        throw new AuthError('browser-failed', "the URL is too long for the system's browser");
      const opened =
        wanted.length > LIMITS.openedUrlLength ? await startPages.open(wanted) : wanted;
      if (opened === null)
        throw new AuthError(
          'browser-failed',
          `the URL has more than ${LIMITS.openedUrlLength} characters, and no port on loopback can be opened to start from`,
        );
      await start(opened);
    },
    async copy(url) {
      const copied = readWebUrl(url);
      try {
        await clipboard.writeText(copied);
      } catch (thrown) {
        throw new AuthError('browser-failed', 'the system did not take the URL', {
          cause: thrown instanceof Error ? thrown.name : typeof thrown,
        });
      }
    },
  };
}

async function start(url: string): Promise<void> {
  await shell.openExternal(url).catch((thrown: unknown) => {
    // The system's message may repeat the URL, which contains state and nonce.
    throw new AuthError('browser-failed', 'the system did not start a browser', {
      cause: thrown instanceof Error ? thrown.name : typeof thrown,
    });
  });
}

/** In the parsed form, so that no other parser reads it differently. */
function readWebUrl(url: string): string {
  // The class URL drops line breaks and surrounding blanks. Another parser may not.
  const parsed = /^[^\s\p{Cc}]+$/u.test(url) && URL.canParse(url) ? new URL(url) : null;
  if (parsed === null) throw new AuthError('browser-failed', 'only a whole URL is opened');
  if (parsed.protocol !== 'https:' && parsed.protocol !== 'http:')
    throw new AuthError('browser-failed', 'only web pages are opened');
  // User and password would be sent to the host after them. Such a URL hides that host from the
  // person.
  if (parsed.username !== '' || parsed.password !== '')
    throw new AuthError('browser-failed', 'a URL with a user name or password is not opened');
  return parsed.href;
}
