// The engine before it is there: nothing that is asked meanwhile is lost, told twice, or told out
// of order.
import { describe, expect, it } from 'vitest';
import type { AuthView, SignInRequest } from '../../../src/contract.js';
import type { Engine } from '../../../src/main/core/engine.js';
import { toErrorView } from '../../../src/main/core/base/errors.js';
import { createLazyEngine } from '../../../src/main/core/lazy-engine.js';

const SIGNED_OUT: AuthView = { status: 'signed-out', reason: 'never' };

/** An engine that writes down its calls and says what it is told to. */
function fakeEngine(): {
  readonly engine: Engine;
  readonly calls: string[];
  say(view: AuthView): void;
} {
  const calls: string[] = [];
  const listeners = new Set<(view: AuthView) => void>();
  let view: AuthView = { status: 'starting' };
  const note = (call: string) => async (): Promise<void> => {
    calls.push(call);
  };
  const engine: Engine = {
    start: () => {
      calls.push('start');
    },
    view: () => view,
    onView(listener) {
      listeners.add(listener);
      listener(view);
      return () => {
        listeners.delete(listener);
      };
    },
    signIn: async (argument) => {
      calls.push(`signIn ${(argument as SignInRequest).prompt ?? ''}`);
    },
    cancelSignIn: () => {
      calls.push('cancelSignIn');
    },
    reopenBrowser: () => {
      calls.push('reopenBrowser');
    },
    tryAnotherWay: () => {
      calls.push('tryAnotherWay');
    },
    pasteCallback: note('pasteCallback'),
    signOut: note('signOut'),
    forgetAccount: note('forgetAccount'),
    switchAccount: note('switchAccount'),
    retry: () => {
      calls.push('retry');
    },
    getAccessToken: async () => 'token',
    getIdToken: async () => 'id-token',
    errorView: async (error) => toErrorView(error),
    stop: note('stop'),
  };
  return {
    engine,
    calls,
    say(next) {
      view = next;
      for (const listener of listeners) listener(next);
    },
  };
}

/** A late engine whose loading ends when the test says so. */
function late(): {
  readonly engine: ReturnType<typeof createLazyEngine>;
  readonly inner: ReturnType<typeof fakeEngine>;
  readonly loads: () => number;
  arrive(): Promise<void>;
  fail(): Promise<void>;
} {
  const inner = fakeEngine();
  let loads = 0;
  let finish: { resolve: (engine: Engine) => void; reject: (error: Error) => void } | null = null;
  const engine = createLazyEngine(() => {
    loads += 1;
    return new Promise((resolve, reject) => {
      finish = { resolve, reject };
    });
  });
  const settled = (): Promise<void> =>
    new Promise((resolve) => {
      setImmediate(resolve);
    });
  return {
    engine,
    inner,
    loads: () => loads,
    arrive: () => {
      finish?.resolve(inner.engine);
      return settled();
    },
    fail: () => {
      finish?.reject(new Error('no such file'));
      return settled();
    },
  };
}

describe('before the engine is loaded', () => {
  it('says that it is starting, always with the same object', async () => {
    const { engine, arrive, inner } = late();
    const first = engine.view();
    engine.start();
    expect(engine.view()).toBe(first);
    await arrive();
    expect(engine.view()).toBe(first);
    inner.say(SIGNED_OUT);
    expect(engine.view()).toEqual(SIGNED_OUT);
  });

  it('tells each view once to a listener that came early', async () => {
    const { engine, arrive, inner } = late();
    const told: string[] = [];
    engine.onView(({ status }) => told.push(status));
    engine.start();
    await arrive();
    inner.say(SIGNED_OUT);
    expect(told).toEqual(['starting', 'signed-out']);
  });

  it('tells no listener that has left, whenever it left', async () => {
    const { engine, arrive, inner } = late();
    const told: string[] = [];
    const [leaveEarly, leaveLate] = [
      engine.onView(() => told.push('early')),
      engine.onView(() => told.push('late')),
    ];
    leaveEarly();
    engine.start();
    await arrive();
    leaveLate();
    inner.say(SIGNED_OUT);
    expect(told).toEqual(['early', 'late']);
  });

  it('keeps what it is asked, and has it done in the order in which it came', async () => {
    const { engine, arrive, inner } = late();
    engine.start();
    const signedIn = engine.signIn({ prompt: 'login' });
    engine.cancelSignIn();
    engine.retry();
    const token = engine.getAccessToken();
    expect(inner.calls).toEqual([]);
    await arrive();
    expect(await token).toBe('token');
    await signedIn;
    expect(inner.calls).toEqual(['start', 'signIn login', 'cancelSignIn', 'retry']);
  });

  it('loads once, and not before the start', () => {
    const { engine, loads } = late();
    expect(loads()).toBe(0);
    engine.start();
    engine.start();
    expect(loads()).toBe(1);
  });
});

describe('stop', () => {
  it('ends an engine that arrives after it, and does not start it', async () => {
    const { engine, arrive, inner } = late();
    engine.start();
    const asked = engine.getAccessToken();
    asked.catch(() => undefined);
    const stopped = engine.stop();
    await arrive();
    await stopped;
    expect(inner.calls).toEqual(['stop']);
  });

  it('before the start loads nothing, and every call rejects with "stopped"', async () => {
    const { engine, loads } = late();
    await engine.stop();
    engine.start();
    expect(loads()).toBe(0);
    await expect(engine.signIn({})).rejects.toMatchObject({ code: 'stopped' });
    await expect(engine.getAccessToken()).rejects.toMatchObject({ code: 'stopped' });
  });

  it('is handed on once, however often it is called', async () => {
    const { engine, arrive, inner } = late();
    engine.start();
    await arrive();
    await Promise.all([engine.stop(), engine.stop()]);
    expect(inner.calls).toEqual(['start', 'stop']);
  });
});

describe('an engine that cannot be loaded', () => {
  it('reaches the callers also when a listener throws', async () => {
    const engine = createLazyEngine(() => Promise.reject(new Error('no such file')));
    let told = 0;
    engine.onView(() => {
      told += 1;
      if (told > 1) throw new Error('of the host');
    });
    await expect(engine.signOut()).rejects.toMatchObject({ code: 'files-missing' });
    expect(told).toBe(2);
  });

  it('is told in the view and by every call as "files-missing", and hangs nobody', async () => {
    const { engine, fail } = late();
    const told: string[] = [];
    engine.onView(({ status }) => told.push(status));
    engine.start();
    const early = engine.getAccessToken();
    early.catch(() => undefined);
    await fail();
    await expect(early).rejects.toMatchObject({ code: 'files-missing' });
    await expect(engine.signOut()).rejects.toMatchObject({ code: 'files-missing' });
    expect(told).toEqual(['starting', 'signed-out']);
    expect(engine.view()).toMatchObject({ status: 'signed-out', error: { code: 'files-missing' } });
    engine.retry();
    await engine.stop();
  });
});
