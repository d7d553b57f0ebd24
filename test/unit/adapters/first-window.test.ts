// Who may go first: the app's first window, as long as it makes one, and not for ever.
import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { firstWindowLoaded } from '../../../src/main/adapters/pages/first-window.js';
import { LIMITS } from '../../../src/main/core/base/limits.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function stage(): {
  readonly app: EventEmitter;
  ready(): Promise<void>;
  readonly isOver: () => boolean;
  open(): EventEmitter;
} {
  let over = false;
  let ready = (): void => undefined;
  const whenReady = new Promise<void>((resolve) => {
    ready = resolve;
  });
  const app = Object.assign(new EventEmitter(), { whenReady: () => whenReady });
  void firstWindowLoaded(app as unknown as Parameters<typeof firstWindowLoaded>[0]).then(() => {
    over = true;
  });
  return {
    app,
    isOver: () => over,
    async ready() {
      ready();
      await vi.advanceTimersByTimeAsync(0);
    },
    open() {
      const webContents = new EventEmitter();
      app.emit('web-contents-created', {}, webContents);
      return webContents;
    },
  };
}

describe('the first window', () => {
  it('is waited for until its page has loaded', async () => {
    const { app, ready, isOver, open } = stage();
    await ready();
    const page = open();
    await vi.advanceTimersByTimeAsync(LIMITS.firstWindowMs - 1);
    expect(isOver()).toBe(false);
    page.emit('did-stop-loading');
    await vi.advanceTimersByTimeAsync(0);
    expect([isOver(), vi.getTimerCount(), app.listenerCount('web-contents-created')]).toEqual([
      true,
      0,
      0,
    ]);
  });

  it('is not waited for where the app makes none', async () => {
    const { ready, isOver } = stage();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(isOver()).toBe(false);
    await ready();
    await vi.advanceTimersByTimeAsync(LIMITS.windowMadeMs);
    expect([isOver(), vi.getTimerCount()]).toEqual([true, 0]);
  });

  it('does not hold up the session when its page takes long, or none is ever loaded', async () => {
    const { ready, isOver, open } = stage();
    await ready();
    open();
    await vi.advanceTimersByTimeAsync(LIMITS.firstWindowMs);
    expect([isOver(), vi.getTimerCount()]).toEqual([true, 0]);
  });
});
