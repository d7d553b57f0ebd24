import { describe, expect, it } from 'vitest';
import { diagnose, type DiagnosisScope } from '../../../src/main/diagnosis/diagnosis.js';
import type { DiagnosisSources, PlainAnswer } from '../../../src/main/diagnosis/facts.js';
import { FINDINGS } from '../../../src/main/diagnosis/findings.js';
import { parseOptions } from '../../../src/main/core/options/options.js';
import type { Settings } from '../../../src/main/core/options/auth-options.js';
import { networkWord } from '../../../src/main/diagnosis/provider-facts.js';
import { createFakeClock, createFakeNetwork, type FakeClock, settle } from '../../support/fakes.js';

const ISSUER = 'https://login.example.com';
const METADATA = {
  issuer: ISSUER,
  authorization_endpoint: `${ISSUER}/auth`,
  token_endpoint: `${ISSUER}/token`,
  jwks_uri: `${ISSUER}/jwks`,
  code_challenge_methods_supported: ['S256'],
  grant_types_supported: ['authorization_code', 'refresh_token'],
  device_authorization_endpoint: `${ISSUER}/device`,
};

/** Any public key: the doctor counts the keys that Latchkey understands. */
const KEY = { kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' };

function settingsOf(redirects: readonly string[], more: object = {}): Settings {
  return parseOptions({ issuer: ISSUER, clientId: 'notes', redirects, ...more });
}

const both = settingsOf(['com.example.notes:/callback', 'http://127.0.0.1/callback']);
const every = settingsOf([
  'com.example.notes:/callback',
  'http://127.0.0.1/callback',
  'device-code',
  'paste:https://login.example.com/done',
]);

function json(value: object, date: number): Response {
  return new Response(JSON.stringify(value), {
    headers: { 'content-type': 'application/json', date: new Date(date).toUTCString() },
  });
}

interface Stage {
  readonly sources: DiagnosisSources;
  readonly asked: string[];
}

/** Everything is well, but for what the changes say. */
function stage(
  clock: FakeClock,
  changes: Partial<DiagnosisSources> = {},
  answer: (url: URL) => PlainAnswer = back,
): Stage {
  const asked: string[] = [];
  const network = createFakeNetwork(
    { url: `${ISSUER}/.well-known/openid-configuration`, answer: json(METADATA, clock.now()) },
    { url: `${ISSUER}/jwks`, answer: json({ keys: [KEY] }, clock.now()) },
  );
  const sources: DiagnosisSources = {
    network,
    async ask(url) {
      asked.push(url);
      return answer(new URL(url));
    },
    host: async () => ({
      latchkey: '0.1.0',
      electron: '33.2.1',
      node: '20',
      system: 'Linux',
      packaging: 'development',
      instanceLock: 'held',
    }),
    scheme: async (scheme) => ({
      scheme,
      owner: { state: 'owned', name: 'notes.desktop', command: ['/opt/notes'], isThere: true },
      isOurs: true,
      registration: { ok: true },
      rivals: [],
    }),
    probe: async (scheme) => ({ scheme, outcome: 'came-back', limitMs: 10_000 }),
    loopback: async ({ uri }) => ({ redirect: uri, outcome: { state: 'open', port: 49_152 } }),
    keyring: async () => ({
      outcome: 'works',
      detail: '',
      store: 'keychain',
      backend: null,
      tookMs: 3,
    }),
    proxy: async () => ({ source: 'system', proxies: [] }),
    tls: async () => ({ state: 'trusted', issuer: 'R11', publicRoot: true }),
    headers: async () => ({ origin: false, cookie: false }),
    ...changes,
  };
  return { sources, asked };
}

function back(url: URL): PlainAnswer {
  return {
    status: 303,
    location: `${url.searchParams.get('redirect_uri') ?? ''}?error=login_required&state=s`,
    text: '',
  };
}

async function run(
  changes: Partial<DiagnosisSources> = {},
  settings = both,
  scope: DiagnosisScope = { probe: true },
): ReturnType<typeof diagnose> {
  const clock = createFakeClock();
  return await diagnose(settings, stage(clock, changes).sources, clock, scope);
}

describe('a diagnosis', () => {
  it('looks at everything, in the order of the list, and finds nothing where nothing is wrong', async () => {
    const { level, findings, notChecked } = await run({}, every);
    expect([level, notChecked]).toEqual(['ok', []]);
    expect([...new Set(findings.map(({ id }) => id))]).toEqual(Object.keys(FINDINGS));
  });

  it('asks about each redirect as a sign-in would: S256, no page, the port that was free, and no secret of an attempt', async () => {
    const clock = createFakeClock();
    const { sources, asked } = stage(clock);
    await diagnose(every, sources, clock);
    const requests = asked.map((url) => Object.fromEntries(new URL(url).searchParams));
    expect(requests.map(({ redirect_uri: redirect }) => redirect)).toEqual([
      'com.example.notes:/callback',
      'http://127.0.0.1:49152/callback',
      'https://login.example.com/done',
    ]);
    for (const request of requests)
      expect(request).toMatchObject({
        client_id: 'notes',
        response_type: 'code',
        prompt: 'none',
        scope: 'openid',
        code_challenge_method: 'S256',
      });
    expect(new Set(requests.map(({ state }) => state)).size).toBe(3);
  });

  it('sends no probe unless it is told to', async () => {
    const { findings, notChecked } = await run(
      {
        probe: async () => {
          throw new Error('sent');
        },
      },
      both,
      {},
    );
    expect(findings.map(({ id }) => id)).not.toContain('scheme-probe');
    expect(notChecked).toEqual([
      { id: 'scheme-probe', why: expect.stringContaining('only on demand') as string },
    ]);
  });

  it('sends no probe to a scheme that nobody opens, for a desktop might show it in a browser', async () => {
    const { findings } = await run({
      scheme: async (scheme) => ({
        scheme,
        owner: { state: 'nobody' },
        isOurs: null,
        registration: { ok: false, detail: 'xdg-mime is missing' },
        rivals: [],
      }),
      probe: async () => {
        throw new Error('sent');
      },
    });
    expect(findings.find(({ id }) => id === 'scheme-probe')).toMatchObject({ level: 'warning' });
  });

  it('asks nothing about the registration where client and redirect were not given', async () => {
    const clock = createFakeClock();
    const { sources, asked } = stage(clock);
    const { notChecked } = await diagnose(both, sources, clock, {
      probe: true,
      registration: false,
    });
    expect(asked).toEqual([]);
    expect(notChecked).toEqual([{ id: 'redirect', why: 'client id and redirect were not given' }]);
  });

  it('says where nobody can tell who else claims a scheme', async () => {
    const { findings, notChecked } = await run({
      scheme: async (scheme) => ({
        scheme,
        owner: { state: 'nobody' },
        isOurs: null,
        registration: { ok: true },
        rivals: null,
      }),
    });
    expect(findings.map(({ id }) => id)).not.toContain('scheme-shared');
    expect(notChecked).toEqual([
      { id: 'scheme-shared', why: 'only Linux has a list of the programs that claim a scheme' },
    ]);
  });

  it('goes on when a source fails or cannot look here, and says so', async () => {
    const { level, notChecked } = await run({
      keyring: async () => {
        throw new Error('secret');
      },
      headers: async () => ({ unseen: 'only in the app' }),
    });
    expect(level).toBe('ok');
    expect(notChecked).toEqual([
      { id: 'keyring', why: 'the question failed' },
      { id: 'request-headers', why: 'only in the app' },
    ]);
  });

  it('ends in bounded time when nothing answers', async () => {
    const clock = createFakeClock();
    const never = (): Promise<never> => new Promise(() => undefined);
    const silent = {
      host: never,
      scheme: never,
      probe: never,
      loopback: never,
      keyring: never,
      proxy: never,
      tls: never,
      headers: never,
      ask: never,
      network: { fetch: never },
    };
    let ended: Awaited<ReturnType<typeof diagnose>> | null = null;
    void diagnose(both, silent, clock, { probe: true }).then((diagnosis) => {
      ended = diagnosis;
    });
    for (let second = 0; second < 120; second += 5) await clock.advance(5_000);
    await settle();
    expect(ended).toMatchObject({
      level: 'error',
      findings: [{ id: 'discovery', level: 'error' }],
    });
    expect(clock.pending).toBe(0);
  });

  it('tells the way to the metadata from the metadata: jwks, redirect, pkce and refresh need it', async () => {
    const clock = createFakeClock();
    const { sources } = stage(clock, {
      network: createFakeNetwork({
        url: '*',
        answer: Object.assign(new TypeError('fetch failed'), { cause: { code: 'ECONNREFUSED' } }),
      }),
    });
    const { findings, notChecked } = await diagnose(both, sources, clock);
    expect(findings.find(({ id }) => id === 'discovery')?.seen).toMatch(
      /^https:\/\/login\.example\.com: "login\.example\.com" could not be reached \(ECONNREFUSED\)/,
    );
    expect(notChecked.map(({ id }) => id)).toEqual([
      'scheme-probe',
      'jwks',
      'clock',
      'redirect',
      'pkce',
      'refresh',
    ]);
  });

  it('asks no redirect of a provider that takes pushed requests only', async () => {
    const clock = createFakeClock();
    const pushed = {
      ...METADATA,
      require_pushed_authorization_requests: true,
      pushed_authorization_request_endpoint: `${ISSUER}/par`,
    };
    const { sources, asked } = stage(clock, {
      network: createFakeNetwork(
        { url: '*', answer: json(pushed, clock.now()) },
        { url: '*', answer: json({ keys: [KEY] }, clock.now()) },
      ),
    });
    const { notChecked } = await diagnose(both, sources, clock, { probe: true });
    expect(asked).toEqual([]);
    expect(notChecked).toEqual([
      { id: 'redirect', why: 'this provider takes pushed requests only' },
    ]);
  });

  it('reads OAuth 2.0 metadata where there is no OpenID Connect, and uses endpoints that are given by hand', async () => {
    const clock = createFakeClock();
    const plain = stage(clock, {
      network: createFakeNetwork(
        {
          url: `${ISSUER}/.well-known/openid-configuration`,
          answer: new Response('', { status: 404 }),
        },
        {
          url: `${ISSUER}/.well-known/oauth-authorization-server`,
          answer: json(METADATA, clock.now()),
        },
        { url: '*', answer: json({ keys: [KEY] }, clock.now()) },
      ),
    });
    expect(
      (await diagnose(both, plain.sources, clock)).findings.find(({ id }) => id === 'discovery')
        ?.seen,
    ).toMatch(/publishes OAuth 2\.0 metadata/);

    const byHand = settingsOf(['http://127.0.0.1/callback'], {
      scopes: ['notes'],
      endpoints: { authorization: `${ISSUER}/authorize`, token: `${ISSUER}/token` },
    });
    const { sources, asked } = stage(clock, { network: createFakeNetwork() });
    const { level } = await diagnose(byHand, sources, clock);
    expect([level, asked.length]).toEqual(['ok', 1]);
    expect(asked[0]).toMatch(/^https:\/\/login\.example\.com\/authorize\?/);
  });

  it.each([
    [
      'a page of its own',
      () => ({ status: 400, location: null, text: '<pre>error: invalid_redirect_uri</pre>' }),
      /status 400, with invalid_redirect_uri/,
    ],
    [
      'its own error page elsewhere',
      () => ({
        status: 302,
        location: 'https://login.example.com/error?e=redirect_uri_mismatch',
        text: '',
      }),
      /status 302, with redirect_uri_mismatch/,
    ],
    [
      'a page that is no word of OAuth',
      () => ({ status: 404, location: null, text: 'gone' }),
      /\(status 404\)/,
    ],
    [
      "another app's redirect",
      () => ({ status: 302, location: 'com.example.other:/callback?code=c', text: '' }),
      /status 302/,
    ],
  ])(
    'sees that the provider does not come back, but answers with %s',
    async (_name, answer, seen) => {
      const clock = createFakeClock();
      const { findings } = await diagnose(
        settingsOf(['com.example.notes:/callback']),
        stage(clock, {}, answer).sources,
        clock,
      );
      const finding = findings.find(({ id }) => id === 'redirect');
      expect(finding?.level).not.toBe('ok');
      expect(finding?.seen).toMatch(seen);
    },
  );

  it('repeats no value that a provider sends back', async () => {
    const clock = createFakeClock();
    const answer = (url: URL): PlainAnswer => ({
      status: 303,
      location: `${url.searchParams.get('redirect_uri') ?? ''}?error=access_denied%20SECRET&code=SECRET&error_description=SECRET`,
      text: 'SECRET',
    });
    expect(
      JSON.stringify(await diagnose(both, stage(clock, {}, answer).sources, clock)),
    ).not.toContain('SECRET');
  });

  it("measures the provider's clock by its answers", async () => {
    const clock = createFakeClock();
    const network = createFakeNetwork(
      { url: '*', answer: json(METADATA, clock.now() - 3_600_000) },
      { url: '*', answer: json({ keys: [KEY] }, clock.now()) },
    );
    const { findings } = await diagnose(both, stage(clock, { network }).sources, clock);
    expect(findings.find(({ id }) => id === 'clock')?.seen).toMatch(
      /^this computer's clock is (3599|3600) s ahead of the provider's$/,
    );
  });
});

describe('the word of a network failure', () => {
  it.each([
    [new Error('net::ERR_CERT_AUTHORITY_INVALID'), 'ERR_CERT_AUTHORITY_INVALID'],
    [
      Object.assign(new TypeError('fetch failed'), { cause: { code: 'ECONNREFUSED' } }),
      'ECONNREFUSED',
    ],
    [new Error('https://login.example.com/?code=SECRET'), null],
    [{ code: 'not a word' }, null],
    [null, null],
    ['ECONNREFUSED', null],
  ])('of %j is %j', (thrown, word) => {
    expect(networkWord(thrown)).toBe(word);
  });

  it('is looked for in causes, but not without end', () => {
    const circle: { cause?: unknown } = {};
    circle.cause = circle;
    expect(networkWord(circle)).toBeNull();
  });
});
