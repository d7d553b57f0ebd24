// Waits until the app's first window has shown its page. Work that nobody waits for begins then,
// because the window comes first.
import type { App, WebContents } from 'electron';
import { START_LIMITS } from '../../core/base/start-limits.js';

/**
 * Resolves when the first window of the app has loaded its page, or has failed to; at the latest
 * `START_LIMITS.firstWindowMs` after it was made. If an app makes no window when it is ready, such
 * as a tray app, this does not wait. Call before the app is ready. `signal` ends the waiting.
 */
export function firstWindowLoaded(
  app: Pick<App, 'once' | 'off' | 'whenReady'>,
  signal?: AbortSignal,
): Promise<void> {
  return new Promise((resolve) => {
    let timer: NodeJS.Timeout | undefined;
    const done = (): void => {
      clearTimeout(timer);
      app.off('web-contents-created', onContents);
      resolve();
    };
    // Not of the window itself: a BaseWindow tells nobody that it was created.
    const onContents = (_event: unknown, contents: Pick<WebContents, 'once'>): void => {
      clearTimeout(timer);
      timer = setTimeout(done, START_LIMITS.firstWindowMs);
      contents.once('did-stop-loading', done);
    };
    app.once('web-contents-created', onContents);
    signal?.addEventListener('abort', done, { once: true });
    void app.whenReady().then(() => {
      if (signal?.aborted === true) return;
      timer ??= setTimeout(done, START_LIMITS.windowMadeMs);
    });
  });
}
