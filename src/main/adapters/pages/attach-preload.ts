// Adds Latchkey's preload to the default session, so that a host's own preload need not know of it.
import { app, session } from 'electron';
import { ownFile } from '../package-files.js';

/**
 * Call before the app is ready, so that it is there before the host's first window. Returns a
 * function that removes it: windows that are made after that have no bridge.
 */
export function attachPreload(): () => void {
  const filePath = ownFile('preload');
  let wanted = true;
  let detach = (): void => undefined;
  const attach = (): void => {
    if (!wanted) return;
    const target = session.defaultSession;
    // Electron 35 renamed it; on 33 and 34 only the older way exists.
    if (typeof target.registerPreloadScript === 'function') {
      const id = target.registerPreloadScript({ type: 'frame', filePath });
      detach = () => target.unregisterPreloadScript(id);
      return;
    }
    /* eslint-disable @typescript-eslint/no-deprecated */
    target.setPreloads([...target.getPreloads(), filePath]);
    detach = () => target.setPreloads(target.getPreloads().filter((path) => path !== filePath));
    /* eslint-enable @typescript-eslint/no-deprecated */
  };
  // At once if that is possible: the host may make a window right after this call.
  if (app.isReady()) attach();
  else void app.whenReady().then(attach);
  return () => {
    wanted = false;
    detach();
  };
}
