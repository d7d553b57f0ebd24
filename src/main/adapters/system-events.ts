// SystemEvents over Electron's powerMonitor and net. Linux without logind gives no power events;
// timers and the wall clock must then be enough. May not touch either before the app is ready, and
// remembers subscriptions until then.
import { app, net, powerMonitor } from 'electron';
import type { SystemEvent, SystemEvents } from '../core/base/ports.js';

/**
 * Electron tells the main process nothing when the network comes back; it is asked, and only while
 * somebody waits.
 */
const NETWORK_POLL_MS = 5_000;

export function createSystemEvents(): SystemEvents {
  let listener: ((signal: SystemEvent) => void) | null = null;
  let isHeard = false;
  let isWanted = false;
  let poll: NodeJS.Timeout | null = null;
  let stopped = false;
  const onResume = (): void => tell('resume');
  const onUnlock = (): void => tell('unlock');

  function tell(signal: SystemEvent): void {
    try {
      listener?.(signal);
    } catch {
      // Thrown on, it would be the host's uncaught error, and keep others from hearing the event.
    }
  }

  function hear(): void {
    if (stopped || isHeard) return;
    isHeard = true;
    powerMonitor.on('resume', onResume);
    powerMonitor.on('unlock-screen', onUnlock);
  }

  function follow(): void {
    if (isWanted === (poll !== null) || stopped) return;
    if (poll !== null) {
      clearInterval(poll);
      poll = null;
      return;
    }
    let online = net.isOnline();
    poll = setInterval(() => {
      const before = online;
      online = net.isOnline();
      if (online && !before) tell('online');
    }, NETWORK_POLL_MS);
  }

  return {
    listen(next) {
      listener = next;
      void app.whenReady().then(hear);
    },
    watchNetwork(wanted) {
      isWanted = wanted;
      if (app.isReady()) follow();
      else void app.whenReady().then(follow);
    },
    stop() {
      stopped = true;
      if (poll !== null) clearInterval(poll);
      poll = null;
      if (!isHeard) return;
      powerMonitor.off('resume', onResume);
      powerMonitor.off('unlock-screen', onUnlock);
    },
  };
}
