// The provider's pages as a browser gets them: what they say, what they refuse, and that nothing
// typed becomes markup.
import { afterEach, expect, test } from 'vitest';
import { createPerson, signInWithPage, startProvider } from '../../src/testing/index.js';
import type { PageLike, Provider, ProviderOptions } from '../../src/testing/index.js';
import { startTrip } from './provider-client.js';
import type { TripOptions } from './provider-client.js';

const running: Provider[] = [];

async function start(options?: ProviderOptions): Promise<Provider> {
  const provider = await startProvider({ signingAlgorithm: 'ES256', ...options });
  running.push(provider);
  return provider;
}

afterEach(async () => {
  await Promise.all(running.splice(0).map((provider) => provider.stop()));
});

interface Shown {
  readonly status: number;
  readonly url: string;
  readonly policy: string;
  readonly location: string | null;
  readonly body: string;
}

type Visit = (url: string, form?: Readonly<Record<string, string>>) => Promise<Shown>;

/**
 * A browser without a script engine: keeps cookies by name and path, follows redirects only when
 * told.
 */
function browser(): Visit {
  const cookies = new Map<string, { readonly pair: string; readonly path: string }>();
  const visit: Visit = async (url, form) => {
    const { pathname } = new URL(url);
    const cookie = [...cookies.values()]
      .filter(({ path }) => pathname.startsWith(path))
      .map(({ pair }) => pair)
      .join('; ');
    const response = await fetch(url, {
      method: form === undefined ? 'GET' : 'POST',
      body: form === undefined ? null : new URLSearchParams(form),
      headers: { cookie, accept: 'text/html' },
      redirect: 'manual',
    });
    for (const line of response.headers.getSetCookie()) {
      const path = /path=([^;]*)/i.exec(line)?.[1] ?? '/';
      const pair = line.split(';')[0] ?? '';
      cookies.set(`${path} ${pair.split('=')[0] ?? ''}`, { pair, path });
    }
    const location = response.headers.get('location');
    if (location !== null && new URL(location, url).origin === new URL(url).origin)
      return visit(new URL(location, url).href);
    const policy = response.headers.get('content-security-policy') ?? '';
    return { status: response.status, url, policy, location, body: await response.text() };
  };
  return visit;
}

async function openLogin(
  provider: Provider,
  options: TripOptions = {},
): Promise<{ readonly visit: Visit; readonly page: Shown }> {
  const visit = browser();
  return { visit, page: await visit((await startTrip(provider, options)).url) };
}

test('the login page names the app, labels its fields and says that any password works', async () => {
  const { page } = await openLogin(await start({ clientName: 'Field Notes' }));
  expect(page.body).toContain('to go on to <strong>Field Notes</strong>');
  for (const name of ['login', 'password'])
    expect(page.body).toMatch(
      new RegExp(`<label for="${name}">[\\s\\S]*<input id="${name}" name="${name}"`),
    );
  expect(page.body).toContain('Test provider: any password works');
  expect(page.body).toMatch(/<button name="do" value="sign-in">Sign in<\/button>/);
});

test('no page has a script, and the policy forbids scripts, frames and everything from outside', async () => {
  const provider = await start();
  const { visit, page } = await openLogin(provider);
  const consent = await visit(page.url, { login: 'ada', password: '' });
  const done = await visit(consent.url, { do: 'allow' });
  const error = await visit(
    (await startTrip(provider, { redirectUri: 'https://attacker.example/' })).url,
  );
  const signOut = await visit(provider.endpoints.endSession);
  expect(
    [page, consent, done, error, signOut].map(
      ({ body }) => /data-page="([a-z-]+)"/.exec(body)?.[1],
    ),
  ).toEqual(['login', 'consent', 'done', 'error', 'sign-out']);
  for (const shown of [page, consent, done, error, signOut]) {
    expect(shown.body).not.toMatch(/<script|<img|<link|@import|url\(|\son[a-z]+=/i);
    expect(shown.policy).toMatch(
      /^default-src 'none'; style-src 'sha256-[\w+/=]+'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'$/,
    );
  }
});

test('a form may lead to the loopback redirect URI of its own request and nowhere else', async () => {
  const { page } = await openLogin(await start(), { redirectUri: 'http://127.0.0.1:9/callback' });
  expect(page.policy).toContain("form-action 'self' http://127.0.0.1:9;");
});

test('text from the app, the person and the request is escaped', async () => {
  const hostile = '"><img src=x onerror=alert(1)>&\'';
  const provider = await start({ clientName: hostile, scopes: ['notes:<i>'] });
  const { visit, page } = await openLogin(provider, {
    parameters: { login_hint: hostile },
    scope: 'openid notes:<i>',
  });
  const consent = await visit(page.url, { login: hostile });
  const error = await visit(
    (await startTrip(provider, { parameters: { client_id: hostile } })).url,
  );
  expect(consent.body).toContain('data-page="consent"');
  for (const { body } of [page, consent, error]) expect(body).not.toMatch(/<img|<i>/);
  for (const { body } of [page, consent])
    expect(body).toContain('&quot;&gt;&lt;img src=x onerror=alert(1)&gt;&amp;&#39;');
  expect(consent.body).toContain('use <code>notes:&lt;i&gt;</code>');
});

test('the consent page says in plain words what the app will be able to do', async () => {
  const { visit, page } = await openLogin(await start());
  const { body } = await visit(page.url, { login: 'grace' });
  for (const words of [
    'Let Latchkey Demo sign you in?',
    'Grace Hopper',
    'grace@example.com',
    'keep you signed in until you sign out',
  ])
    expect(body).toContain(words);
});

test('an empty name is asked for again', async () => {
  const { visit, page } = await openLogin(await start());
  const again = await visit(page.url, { login: '  ', password: 'x' });
  expect(again.body).toContain('role="alert" id="problem">Please type a name.');
});

test('the page that stays behind can send the person back to the app once more', async () => {
  const provider = await start();
  const { visit, page } = await openLogin(provider);
  const consent = await visit(page.url, { login: 'ada' });
  const done = await visit(consent.url, { do: 'allow' });
  const href = /http-equiv="refresh" content="0; url=([^"]+)"/.exec(done.body)?.[1] ?? '';
  expect(done.body).toContain(
    `<a class="button quiet" href="${href}">Open Latchkey Demo again</a>`,
  );
  const [first, second] = [
    await visit(provider.issuer + href),
    await visit(provider.issuer + href),
  ];
  expect(first.location).toMatch(/^com\.example\.latchkey-demo:\/callback\?code=/);
  expect(second.location).toBe(first.location);
});

test('a page that is not there any more is explained', async () => {
  const provider = await start();
  const { visit, page } = await openLogin(provider);
  const consent = await visit(page.url, { login: 'ada' });
  const late = await visit(page.url, { login: 'grace' });
  expect([late.status, /data-error="([^"]*)"/.exec(late.body)?.[1]]).toEqual([
    400,
    'invalid_request',
  ]);
  expect((await visit(consent.url)).body).toContain('Ada Lovelace');
  const stranger = await browser()(consent.url, { do: 'allow' });
  expect(stranger.status).toBe(400);
});

test('a person who does not find a page of the provider says so without a URL', async () => {
  const provider = await start();
  const { url } = await startTrip(provider);
  provider.fault({ kind: 'status', endpoint: 'authorization', status: 503 });
  await expect(createPerson().signIn(url)).rejects.toThrow(
    /^the provider answered with status 503 and no page that a person knows$/,
  );
});

/** Stands in for a Playwright page that shows these pages one after another. */
function pageShowing(names: readonly string[]): {
  readonly page: PageLike;
  readonly deeds: readonly string[];
} {
  const deeds: string[] = [];
  const left = [...names];
  return {
    deeds,
    page: {
      waitForSelector: async (selector) => {
        if (!selector.includes(`"${left[0] ?? ''}"`)) throw new Error(`no ${selector}`);
      },
      getAttribute: async () => left[0] ?? null,
      fill: async (selector, value) => void deeds.push(`${selector} ${value}`),
      click: async (selector) => {
        left.shift();
        deeds.push(selector);
      },
    },
  };
}

test.each([
  [
    ['login', 'consent'],
    {},
    [
      'input[name="login"] ada',
      'input[name="password"] correct horse',
      'button[value="sign-in"]',
      'button[value="allow"]',
    ],
  ],
  [['consent'], { consent: 'deny' }, ['button[value="deny"]']],
  [['login'], { consent: 'cancel' }, ['button[value="cancel"]']],
] as const)(
  'on the pages %j a person with %j does what they chose',
  async (names, choices, expected) => {
    const { page, deeds } = pageShowing(names);
    await signInWithPage(page, choices);
    expect(deeds).toEqual(expected);
  },
);
