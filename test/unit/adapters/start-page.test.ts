// The page on loopback that a too long URL starts from: one visit, at an address that nobody guesses.
import { createHash } from 'node:crypto';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  type StartPages,
  createStartPages,
} from '../../../src/main/adapters/loopback/start-page.js';
import { get } from '../../support/loopback-client.js';

const TARGET = `https://login.example.com/authorize?state=s&x=${'x'.repeat(10_000)}`;
const all: StartPages[] = [];
afterEach(() => {
  for (const pages of all.splice(0)) pages.stop();
  vi.useRealTimers();
});
const create = (): StartPages => {
  const pages = createStartPages();
  all.push(pages);
  return pages;
};
/** As browsers ask for a page. */
const browse = (page: string): ReturnType<typeof get> =>
  get(page, { headers: { 'sec-fetch-dest': 'document', 'sec-fetch-mode': 'navigate' } });
const open = async (pages = create()): Promise<string> => (await pages.open(TARGET))!;

describe('a page that starts a sign-in', () => {
  it('sends the browser on to the whole URL, once, and is gone', async () => {
    const page = await open();
    expect(page).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/[\w-]{43}$/);
    const { status, headers, body } = await browse(page);
    expect([status, headers.location, body]).toEqual([303, TARGET, '']);
    expect(headers['cache-control']).toBe('no-store');
    expect(headers['referrer-policy']).toBe('no-referrer');
    expect(headers['content-security-policy']).toContain("default-src 'none'");
    await expect(get(page)).rejects.toThrow('ECONNREFUSED');
  });

  it('serves one of two visits that come at once', async () => {
    const page = await open();
    const visits = await Promise.allSettled([browse(page), browse(page), browse(page)]);
    const led = visits.filter(
      (visit) => visit.status === 'fulfilled' && visit.value.headers.location === TARGET,
    );
    expect(led).toHaveLength(1);
  });

  it.each([
    ['another path', 404, (page: string) => get(`${new URL(page).origin}/`)],
    ['a query behind it', 404, (page: string) => get(`${page}?x`)],
    ['another name of this computer', 400, (page: string) => get(page, { headers: { host: 'x' } })],
    ['a frame', 403, (page: string) => get(page, { headers: { 'sec-fetch-dest': 'iframe' } })],
    ['HEAD', 405, (page: string) => get(page, { method: 'HEAD' })],
    ['POST', 405, (page: string) => get(page, { method: 'POST' })],
    ['a prefetch', 403, (page: string) => get(page, { headers: { 'sec-purpose': 'prefetch' } })],
    [
      'a prefetch as older browsers name it',
      403,
      (page: string) => get(page, { headers: { purpose: 'prefetch' } }),
    ],
  ])('says nothing to %s, and still serves the browser', async (_what, status, ask) => {
    const page = await open();
    const refused = await ask(page);
    expect([refused.status, refused.headers.location]).toEqual([status, undefined]);
    expect((await browse(page)).headers.location).toBe(TARGET);
    await expect(get(page)).rejects.toThrow('ECONNREFUSED');
  });

  it('still serves the browser after a program that follows links, until the five minutes are over', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const page = await open();
    const other = await open();
    for (let visit = 0; visit < 20; visit += 1)
      expect((await get(page)).headers.location).toBe(TARGET);
    expect((await browse(page)).headers.location).toBe(TARGET);
    await expect(browse(page)).rejects.toThrow('ECONNREFUSED');
    expect((await get(other)).status).toBe(303);
    vi.advanceTimersByTime(300_000);
    await expect(get(other)).rejects.toThrow('ECONNREFUSED');
  });

  it('has another address and port each time', async () => {
    const pages = create();
    const both = [await open(pages), await open(pages)];
    expect(new Set(both.map((page) => new URL(page).pathname)).size).toBe(2);
  });

  it('is gone after five minutes without a visit, and not before', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const page = await open();
    const other = await open();
    vi.advanceTimersByTime(299_999);
    expect((await get(other)).status).toBe(303);
    vi.advanceTimersByTime(1);
    await expect(get(page)).rejects.toThrow(/ECONN(REFUSED|RESET)/);
  });

  it('is closed as the oldest when nine wait, and by "stop"', async () => {
    const pages = create();
    const first = await open(pages);
    const more: string[] = [];
    for (let count = 0; count < 8; count += 1) more.push(await open(pages));
    await expect(get(first)).rejects.toThrow('ECONNREFUSED');
    expect((await get(more[0]!)).status).toBe(303);
    pages.stop();
    await expect(get(more[1]!)).rejects.toThrow('ECONNREFUSED');
    expect(await pages.open(TARGET)).toBeNull();
  });
});

describe('a page with a form', () => {
  const FIELDS = [
    ['id_token_hint', 'secret"><script>alert(1)</script>'],
    ['state', 's'],
  ] as const;
  const openForm = async (): Promise<string> =>
    (await create().openForm('https://login.example.com/logout?a=1&b="2', FIELDS))!;

  it('posts by its one script, and lets nothing else run, load or frame it', async () => {
    const page = await openForm();
    expect(page).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/[\w-]{43}$/);
    const { status, headers, body } = await browse(page);
    const [, script = ''] = /<script>([^<]*)<\/script>/.exec(body) ?? [];
    const hash = createHash('sha256').update(script).digest('base64');
    expect([status, headers['cache-control'], headers['referrer-policy']]).toEqual([
      200,
      'no-store',
      'no-referrer',
    ]);
    expect(headers['content-security-policy']).toBe(
      `default-src 'none'; frame-ancestors 'none'; base-uri 'none'; script-src 'sha256-${hash}'`,
    );
    expect(body.match(/<script/g)).toHaveLength(1);
    expect(body).toContain(
      '<form method="post" action="https://login.example.com/logout?a=1&#38;b=&#34;2">',
    );
    expect(body).toContain('name="id_token_hint" value="secret&#34;&#62;&#60;script&#62;');
  });

  it('gives the token once, also to a visitor that says nothing of itself, and then to nobody', async () => {
    const page = await openForm();
    expect((await get(page)).body).toContain('id_token_hint');
    await expect(get(page)).rejects.toThrow('ECONNREFUSED');
  });

  it('is closed unvisited after its time', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const page = await openForm();
    vi.advanceTimersByTime(300_000);
    vi.useRealTimers();
    await vi.waitFor(() => expect(get(page)).rejects.toThrow('ECONNREFUSED'));
  });
});
