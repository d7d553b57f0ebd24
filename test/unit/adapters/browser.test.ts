// What the contract test cannot bring about on a real system: a system that refuses, and Windows.
import { shell } from 'electron';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createBrowser } from '../../../src/main/adapters/browser.js';
import { AuthError } from '../../../src/main/core/base/errors.js';

const openExternal = vi.spyOn(shell, 'openExternal');
afterEach(() => void openExternal.mockReset());

const URL_WITH_STATE = 'https://login.example.com/authorize?state=secret-word';

describe('a system that starts no browser', () => {
  it.each<readonly [string, unknown]>([
    ['an error that repeats the URL', new Error(`Failed to open ${URL_WITH_STATE}`)],
    ['no error at all', `cannot open ${URL_WITH_STATE}`],
  ])('fails with %s, of which nothing is passed on', async (_what, thrown) => {
    openExternal.mockRejectedValue(thrown);
    const failure: unknown = await createBrowser()
      .open(URL_WITH_STATE)
      .then(
        () => null,
        (reason: unknown) => reason,
      );
    expect(failure).toBeInstanceOf(AuthError);
    expect(failure).toMatchObject({ code: 'browser-failed' });
    expect(
      `${String(failure)} ${JSON.stringify(failure)} ${String((failure as AuthError).cause)}`,
    ).not.toContain('secret-word');
  });
});

describe("a URL's length", () => {
  const urlOf = (length: number): string => `https://example.com/?${'x'.repeat(length - 21)}`;

  it.each<readonly [NodeJS.Platform, number]>([
    ['win32', 2_081],
    ['linux', 131_000],
    ['darwin', 131_000],
  ])('on %s may be %i characters, and one more is opened nowhere', async (platform, most) => {
    openExternal.mockResolvedValue();
    const browser = createBrowser(platform);
    await browser.open(urlOf(most));
    expect(openExternal).toHaveBeenCalledWith(urlOf(most));
    openExternal.mockClear();
    await expect(browser.open(urlOf(most + 1))).rejects.toMatchObject({ code: 'browser-failed' });
    expect(openExternal).not.toHaveBeenCalled();
  });

  it('counts as it is handed on, with every letter that needs an escape', async () => {
    openExternal.mockResolvedValue();
    await expect(
      createBrowser('win32').open(`https://example.com/?${'ö'.repeat(400)}`),
    ).rejects.toMatchObject({ code: 'browser-failed' });
    expect(openExternal).not.toHaveBeenCalled();
  });
});
