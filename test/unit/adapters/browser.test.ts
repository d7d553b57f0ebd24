// What the contract test cannot bring about on a real system: a system that refuses, and Windows.
import { shell } from 'electron';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createBrowser } from '../../../src/main/adapters/browser.js';
import { createStartPages } from '../../../src/main/adapters/loopback/start-page.js';
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
    const failure: unknown = await createBrowser(createStartPages())
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
  const page = 'http://127.0.0.1:5000/unguessable';

  it('may be 2,000 characters; from one more on, the browser starts from a page on loopback', async () => {
    openExternal.mockResolvedValue();
    const asked: string[] = [];
    const browser = createBrowser({
      open: async (url) => (asked.push(url), page),
      openForm: async () => null,
    });
    await browser.open(urlOf(2_000));
    expect([asked, openExternal.mock.lastCall]).toEqual([[], [urlOf(2_000)]]);
    await browser.open(urlOf(2_001));
    expect([asked, openExternal.mock.lastCall]).toEqual([[urlOf(2_001)], [page]]);
    await browser.open(urlOf(131_000));
    openExternal.mockClear();
    await expect(browser.open(urlOf(131_001))).rejects.toMatchObject({ code: 'browser-failed' });
    expect(openExternal).not.toHaveBeenCalled();
  });

  it('counts as it is handed on, with every letter that needs an escape', async () => {
    openExternal.mockResolvedValue();
    const browser = createBrowser({ open: async () => page, openForm: async () => null });
    await browser.open(`https://example.com/?${'ö'.repeat(400)}`);
    expect(openExternal).toHaveBeenCalledWith(page);
  });

  it('that needs a page which no port is free for is a named error, and nothing is opened', async () => {
    const browser = createBrowser({ open: async () => null, openForm: async () => null });
    const failure: unknown = await browser.open(urlOf(2_001)).catch((thrown: unknown) => thrown);
    expect(failure).toMatchObject({ code: 'browser-failed' });
    expect(String(failure)).toMatch(/more than 2000 characters, and no port on loopback/);
    expect(openExternal).not.toHaveBeenCalled();
  });
});

describe('a form', () => {
  it('is posted from a page on loopback: nothing of it stands in what the system opens', async () => {
    openExternal.mockResolvedValue();
    openExternal.mockClear();
    const asked: unknown[] = [];
    const page = 'http://127.0.0.1:5000/unguessable';
    const browser = createBrowser({
      open: async () => null,
      openForm: async (...form) => (asked.push(form), page),
    });
    const fields = [['id_token_hint', 'secret']] as const;
    await browser.post('https://example.com/logout', fields);
    expect([asked, openExternal.mock.calls]).toEqual([
      [['https://example.com/logout', fields]],
      [[page]],
    ]);
    for (const bad of ['file:///etc/passwd', 'javascript:1', 'https://a:b@example.com/'])
      await expect(browser.post(bad, fields)).rejects.toMatchObject({ code: 'browser-failed' });
    expect(openExternal).toHaveBeenCalledTimes(1);
  });

  it('for which no port is free is a named error, and nothing is opened', async () => {
    openExternal.mockClear();
    const browser = createBrowser({ open: async () => null, openForm: async () => null });
    await expect(browser.post('https://example.com/', [])).rejects.toMatchObject({
      code: 'browser-failed',
    });
    expect(openExternal).not.toHaveBeenCalled();
  });
});
