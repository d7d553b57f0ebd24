// Signals over Electron's powerMonitor and net. Linux without logind gives no power events; then timers and the wall clock must do.
import { app, net, powerMonitor } from 'electron';
import type { Signal, Signals } from '../core/ports.js';

/** Electron tells the main process nothing when the network comes back; it is asked, and only while somebody waits. */
const NETWORK_POLL_MS = 5_000;

export function createSignals(): Signals {
  let listener: ((signal: Signal) => void) | null = null;
  let poll: NodeJS.Timeout | null = null;
  let stopped = false;
  const onResume = (): void => { listener?.('resume'); };
  const onUnlock = (): void => { listener?.('unlock'); };

  return {
    listen(next) {
      listener = next;
      void app.whenReady().then(() => {
        if (stopped) return;
        powerMonitor.on('resume', onResume);
        powerMonitor.on('unlock-screen', onUnlock);
      });
    },
    watchNetwork(wanted) {
      if (wanted === (poll !== null) || stopped || !app.isReady()) return;
      if (!wanted && poll !== null) {
        clearInterval(poll);
        poll = null;
        return;
      }
      let online = net.isOnline();
      poll = setInterval(() => {
        const before = online;
        online = net.isOnline();
        if (online && !before) listener?.('online');
      }, NETWORK_POLL_MS);
    },
    stop() {
      stopped = true;
      if (poll !== null) clearInterval(poll);
      poll = null;
      if (!app.isReady()) return;
      powerMonitor.off('resume', onResume);
      powerMonitor.off('unlock-screen', onUnlock);
    },
  };
}
