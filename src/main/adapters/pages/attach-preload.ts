// Adds Latchkey's preload to the default session, so that a host's own preload need not know of it.
import { app, session } from 'electron';
import { ownFile } from '../package-files.js';

/** Call before the app is ready, so that it is there before the host's first window. */
export function attachPreload(): void {
  const filePath = ownFile('preload');
  void app.whenReady().then(() => {
    const target = session.defaultSession;
    // Electron 35 renamed it; on 33 and 34 only the older way exists.
    if (typeof target.registerPreloadScript === 'function')
      target.registerPreloadScript({ type: 'frame', filePath });
    // eslint-disable-next-line @typescript-eslint/no-deprecated
    else target.setPreloads([...target.getPreloads(), filePath]);
  });
}
