// Errors in the view: advice is loaded at the first error that may have some, costs nothing before,
// and nothing when it fails.
import { describe, expect, it } from 'vitest';
import type { AdviceView } from '../../../src/contract.js';
import { createErrorViews } from '../../../src/main/core/base/error-views.js';
import { AuthError, toErrorView } from '../../../src/main/core/base/errors.js';
import type { Advise } from '../../../src/main/core/base/ports.js';
import { createFakeLog } from '../../support/fakes.js';

const ADVICE: AdviceView = {
  code: 'c',
  title: 't',
  what: 'w',
  why: 'y',
  fix: ['f'],
  links: [],
  source: { url: 'https://a.example', date: '2026-11', verified: true },
};
const refused = (): AuthError =>
  new AuthError('sign-in-refused', 'no', { serverError: 'invalid_request' });
const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

function views(load: (() => Promise<Advise>) | undefined) {
  const log = createFakeLog();
  let changes = 0;
  const { now, complete } = createErrorViews(
    load,
    () => {
      changes += 1;
    },
    log,
  );
  return { log, changes: () => changes, view: now, complete };
}

describe('error views', () => {
  it('load nothing for errors that no provider sent', async () => {
    let loads = 0;
    const { view, changes } = views(async () => {
      loads += 1;
      return () => ADVICE;
    });
    for (const code of ['network-failed', 'keyring-locked', 'sign-in-expired'] as const)
      expect(view(new AuthError(code, 'x'))).toEqual(toErrorView(new AuthError(code, 'x')));
    await settled();
    expect([loads, changes()]).toEqual([0, 0]);
  });

  it('are without advice until it is loaded, once, and say then that they changed', async () => {
    let loads = 0;
    const { view, changes } = views(async () => {
      loads += 1;
      return () => ADVICE;
    });
    const error = refused();
    expect(view(error)).toEqual(toErrorView(error));
    expect(view(refused())).toEqual(toErrorView(error));
    await settled();
    expect([loads, changes()]).toEqual([1, 1]);
    expect(view(error)).toEqual({ ...toErrorView(error), advice: ADVICE });
    expect(view(error)).toBe(view(error));
  });

  it('also come with advice when the provider sent a code only', async () => {
    const { view } = views(async () => () => ADVICE);
    const error = new AuthError('sign-in-denied', 'x', { provider: { code: 'AADSTS65004' } });
    view(error);
    await settled();
    expect(view(error).advice).toBe(ADVICE);
  });

  it('are as they are where nothing is known of the error', async () => {
    const { view } = views(async () => () => null);
    const error = refused();
    view(error);
    await settled();
    expect(view(error)).toEqual(toErrorView(error));
  });

  it('carry no advice, ever, where the host wants none', async () => {
    const { view, changes } = views(undefined);
    const error = refused();
    view(error);
    await settled();
    expect([view(error), changes()]).toEqual([toErrorView(error), 0]);
  });

  it('lose the advice and nothing else when it cannot be loaded', async () => {
    let loads = 0;
    const { view, log, changes } = views(async () => {
      loads += 1;
      throw new Error('no such file: secret');
    });
    const error = refused();
    view(error);
    await settled();
    view(error);
    await settled();
    expect([view(error), loads, changes()]).toEqual([toErrorView(error), 1, 0]);
    expect(log.names()).toEqual(['advice-unavailable']);
    expect(JSON.stringify(log.events)).not.toContain('secret');
  });

  it('that are given once wait for the advice, and come without it when it cannot be loaded', async () => {
    const { complete } = views(async () => {
      await settled();
      return () => ADVICE;
    });
    expect(await complete(refused())).toEqual({ ...toErrorView(refused()), advice: ADVICE });
    const without = views(async () => {
      throw new TypeError('no file');
    });
    expect(await without.complete(refused())).toEqual(toErrorView(refused()));
    const error = new AuthError('sign-in-expired', 'x');
    expect(await views(undefined).complete(error)).toEqual(toErrorView(error));
  });
});
