// Sessions of Electron that requests to APIs share, one for each way by which the app's proxies lead:
// requests that go the same way share connections. Never for what carries a code or a refresh token.
import { abortable } from '../../core/base/abortable.js';
import { goBy, ownSession, routeTo, withoutHandlers } from './sessions.js';

export interface SharedSessions {
  /**
   * The session for this address, to be released once. Waits while all are in use by other ways.
   * Rejects with a `NetworkFailure`, or as the signal says.
   */
  take(
    url: string,
    signal: AbortSignal,
  ): Promise<{ readonly session: Electron.Session; readonly release: () => void }>;
}

interface Slot {
  readonly session: Electron.Session;
  /** How the default session says that its addresses are reached. */
  wanted: string;
  /** The way that is set. */
  route: string | null;
  users: number;
  ready: Promise<void>;
}

/** At most `limit` are made, for Electron never lets go of one. */
export function createSharedSessions(partition: string, limit: number): SharedSessions {
  const slots: Slot[] = [];
  const waiting = new Set<() => void>();

  function slotFor(route: string, url: string): Slot | null {
    // A way that could not be set is tried again by the next request.
    const same = slots.find(
      ({ wanted, route: set, users }) => wanted === route && (set === route || users > 0),
    );
    if (same !== undefined) return same;
    const slot = slots.length < limit ? make(route) : slots.find(({ users }) => users === 0);
    if (slot === undefined) return null;
    slot.wanted = route;
    slot.ready = goBy(slot, route, url);
    slot.ready.catch(() => undefined);
    return slot;
  }

  function make(route: string): Slot {
    const slot: Slot = {
      session: ownSession(partition, slots.length + 1),
      wanted: route,
      route: null,
      users: 0,
      ready: Promise.resolve(),
    };
    slots.push(slot);
    return slot;
  }

  function release(slot: Slot): void {
    slot.users -= 1;
    if (slot.users === 0) for (const wake of [...waiting]) wake();
  }

  return {
    async take(url, signal) {
      const route = await abortable(routeTo(url), signal);
      let slot = slotFor(route, url);
      while (slot === null) {
        let wake = (): void => undefined;
        const freed = new Promise<void>((resolve) => (wake = resolve));
        waiting.add(wake);
        await abortable(freed, signal).finally(() => waiting.delete(wake));
        slot = slotFor(route, url);
      }
      const taken = slot;
      taken.users += 1;
      try {
        await abortable(taken.ready, signal);
        withoutHandlers(taken.session, url);
      } catch (thrown) {
        release(taken);
        throw thrown;
      }
      let held = true;
      return {
        session: taken.session,
        release() {
          if (held) release(taken);
          held = false;
        },
      };
    },
  };
}
