// A whole engine on fake ports and virtual time, before an authority in memory that rotates refresh
// tokens and notices reuse. Plain OAuth 2.0 with endpoints by hand: ID tokens and real HTTP belong
// to test/flow.
import type { AuthView } from '../../src/contract.js';
import { type WholeEngine, createEngine } from '../../src/main/core/engine.js';
import { LIMITS } from '../../src/main/core/base/limits.js';
import { parseOptions } from '../../src/main/core/options/options.js';
import type { GivenOptions } from '../../src/main/core/options/auth-options.js';
import type { StateFileContent, Network, NetworkRequest } from '../../src/main/core/base/ports.js';
import { type FakeLock, createFakeLock } from './fake-lock.js';
import {
  type FakeLegacyEntries,
  createFakeBrowser,
  createFakeCallbacks,
  createFakeClock,
  createFakeLegacyEntries,
  createFakeLog,
  createFakeSecretStore,
  createFakeSystemEvents,
  createFakeStateStore,
} from './fakes.js';

export const ISSUER = 'https://id.example';
export const REDIRECT = 'com.example.app:/callback';

export interface Authority extends Network {
  /** False: every request fails as without a network. */
  online: boolean;
  lifeSeconds: number;
  /** Between two questions about a device code. */
  pollSeconds: number;
  /**
   * What the address of the key set answers: it proves that no portal speaks in the provider's
   * name.
   */
  keySet: () => Response;
  /** What the person in front of the page for device codes has done so far. */
  person: 'is away' | 'agrees' | 'says no';
  /** Every form that came to the token endpoint, oldest first. */
  readonly tokenForms: readonly URLSearchParams[];
  /** How many requests came, to whatever endpoint. */
  readonly asked: number;
  readonly revoked: readonly string[];
  /** Requests that are under way. */
  readonly open: number;
  /** The greatest number of refresh requests that were ever under way together. */
  readonly mostRenewalsAtOnce: number;
  /** Refresh tokens that came again after they had been rotated and answered. */
  readonly reused: readonly string[];
  /** Every secret value that was given out. */
  readonly issued: readonly string[];
  count(grantType: 'authorization_code' | 'refresh_token'): number;
  /**
   * From now on requests wait until the returned function was called; they end earlier when their
   * signal does.
   */
  hold(): () => void;
  /** The next token request is answered so, once; nothing is carried out. */
  answerNext(answer: () => Response): void;
  /** The next revocation is answered so, once; nothing is carried out. */
  answerNextRevocation(answer: () => Response): void;
  /** The next token request is carried out, but its answer is lost on the way. */
  loseNext(): void;
  /** Ends every refresh token at once. */
  revokeAll(): void;
  /** A refresh token that an earlier version of the app was given. */
  grantEarlier(): string;
}

/** `mark` is in every secret value, so that values of two authorities differ. */
export function createAuthority(mark = ''): Authority {
  const tokenForms: URLSearchParams[] = [];
  const revoked: string[] = [];
  const reused: string[] = [];
  const issued: string[] = [];
  const valid = new Set<string>();
  const rotated = new Set<string>();
  const devices = new Set<string>();
  let names = 0;
  let open = 0;
  let renewals = 0;
  let mostRenewalsAtOnce = 0;
  let gate: Promise<void> | null = null;
  let scripted: (() => Response)[] = [];
  let revocationAnswers: (() => Response)[] = [];
  let losing = 0;

  const mint = (kind: string): string => {
    const value = `secret-${kind}-${mark}${++names}`;
    issued.push(value);
    return value;
  };
  const grant = (): Response => {
    const refreshToken = mint('refresh');
    valid.add(refreshToken);
    return Response.json({
      access_token: mint('access'),
      token_type: 'Bearer',
      expires_in: authority.lifeSeconds,
      refresh_token: refreshToken,
      scope: 'read offline_access',
    });
  };
  const refuse = (error: string): Response => Response.json({ error }, { status: 400 });

  function answerToken(form: URLSearchParams): Response {
    const next = scripted.shift();
    if (next !== undefined) return next();
    if (form.has('device_code')) {
      if (!devices.has(form.get('device_code') ?? '')) return refuse('invalid_grant');
      if (authority.person === 'is away') return refuse('authorization_pending');
      devices.delete(form.get('device_code') ?? '');
      return authority.person === 'agrees' ? grant() : refuse('access_denied');
    }
    if (form.get('grant_type') === 'authorization_code')
      return form.get('code')?.startsWith('good') === true ? grant() : refuse('invalid_grant');
    const sent = form.get('refresh_token') ?? '';
    if (rotated.has(sent)) reused.push(sent);
    if (!valid.delete(sent)) return refuse('invalid_grant');
    rotated.add(sent);
    return grant();
  }

  let askedCount = 0;
  const authority: Authority = {
    online: true,
    lifeSeconds: 3_600,
    pollSeconds: 5,
    keySet: () => Response.json({ keys: [] }),
    person: 'is away',
    tokenForms,
    revoked,
    reused,
    issued,
    get open() {
      return open;
    },
    get asked() {
      return askedCount;
    },
    get mostRenewalsAtOnce() {
      return mostRenewalsAtOnce;
    },
    count: (grantType) => tokenForms.filter((form) => form.get('grant_type') === grantType).length,
    hold() {
      let release = (): void => {};
      gate = new Promise((resolve) => {
        release = () => {
          gate = null;
          resolve();
        };
      });
      return release;
    },
    loseNext: () => {
      losing += 1;
    },
    answerNext: (answer) => {
      scripted = [...scripted, answer];
    },
    answerNextRevocation: (answer) => {
      revocationAnswers = [...revocationAnswers, answer];
    },
    revokeAll: () => {
      valid.clear();
    },
    grantEarlier() {
      const refreshToken = mint('earlier');
      valid.add(refreshToken);
      return refreshToken;
    },
    async fetch(url: string, init: NetworkRequest) {
      const form = new URLSearchParams(init.body ?? '');
      const isRenewal = form.get('grant_type') === 'refresh_token';
      open += 1;
      askedCount += 1;
      if (url.endsWith('/token')) tokenForms.push(form);
      if (isRenewal) mostRenewalsAtOnce = Math.max(mostRenewalsAtOnce, ++renewals);
      try {
        if (gate !== null) await Promise.race([gate, aborted(init.signal)]);
        if (!authority.online) throw new TypeError('fetch failed');
        if (url.endsWith('/keys')) return authority.keySet();
        if (url.endsWith('/device')) {
          const code = mint('device');
          devices.add(code);
          return Response.json({
            device_code: code,
            user_code: 'ABCD',
            verification_uri: `${ISSUER}/go`,
            expires_in: 900,
            interval: authority.pollSeconds,
          });
        }
        if (url.endsWith('/revoke')) {
          const next = revocationAnswers.shift();
          if (next !== undefined) return next();
          valid.delete(form.get('token') ?? '');
          revoked.push(form.get('token') ?? '');
          return new Response(null, { status: 200 });
        }
        const answer = answerToken(form);
        if (losing === 0) return answer;
        losing -= 1;
        throw new TypeError('terminated');
      } finally {
        open -= 1;
        if (isRenewal) renewals -= 1;
      }
    },
  };
  return authority;
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => {
      reject(new Error('aborted'));
    });
  });
}

export interface Bench {
  readonly engine: WholeEngine;
  readonly authority: Authority;
  readonly clock: ReturnType<typeof createFakeClock>;
  readonly secrets: ReturnType<typeof createFakeSecretStore>;
  readonly file: ReturnType<typeof createFakeStateStore>;
  readonly browser: ReturnType<typeof createFakeBrowser>;
  readonly scheme: ReturnType<typeof createFakeCallbacks>;
  readonly loopback: ReturnType<typeof createFakeCallbacks>;
  readonly log: ReturnType<typeof createFakeLog>;
  readonly lock: FakeLock;
  readonly systemEvents: ReturnType<typeof createFakeSystemEvents>;
  readonly legacyEntries: FakeLegacyEntries;
  /** Every view so far. */
  readonly views: readonly AuthView[];
  /**
   * Waits until the browser has opened so many pages; a keyring or a start that hangs holds it up
   * for its limit.
   */
  opens(pages: number): Promise<void>;
  /** Starts an attempt and waits until the browser is open. */
  begin(): Promise<{ readonly done: Promise<void>; readonly state: string }>;
  /** The person comes back from the browser. */
  comeBack(state: string, code?: string): void;
  /** A whole sign-in. */
  signIn(): Promise<void>;
  /**
   * The same computer after a restart: keychain, file, authority and time stay; everything else is
   * new.
   */
  restart(fate?: (ask: string) => Fate): Bench;
  /** One more process of the app on the same computer, not started. */
  another(): Bench;
  /**
   * This process is gone at once, as by kill -9: what it was doing never ends, and its locks are
   * free.
   */
  kill(): void;
}

/**
 * What becomes of the process when it asks the world for something: it may be killed before that is
 * done, or before the answer comes.
 */
export type Fate = 'lives' | 'dies before' | 'dies after';

export type Kept = Partial<
  Pick<Bench, 'authority' | 'clock' | 'secrets' | 'file' | 'lock' | 'legacyEntries'>
> & { readonly fate?: (ask: string) => Fate };

/** Made but not started. */
export function createBench(options: Partial<GivenOptions> = {}, kept: Kept = {}): Bench {
  const authority = kept.authority ?? createAuthority();
  const clock = kept.clock ?? createFakeClock();
  const secrets = kept.secrets ?? createFakeSecretStore();
  const file = kept.file ?? createFakeStateStore();
  const browser = createFakeBrowser();
  const scheme = createFakeCallbacks('custom-scheme');
  const loopback = createFakeCallbacks('loopback');
  const log = createFakeLog();
  const lock = kept.lock ?? createFakeLock(clock);
  const systemEvents = createFakeSystemEvents();
  const legacyEntries = kept.legacyEntries ?? createFakeLegacyEntries();
  const settings = parseOptions({
    issuer: ISSUER,
    clientId: 'me',
    redirects: [REDIRECT],
    scopes: ['read', 'offline_access'],
    endpoints: {
      authorization: `${ISSUER}/authorize`,
      token: `${ISSUER}/token`,
      revocation: `${ISSUER}/revoke`,
    },
    identify: async () => ({ subject: 'ada', name: 'Ada' }),
    ...options,
  });
  let dead = false;
  const kill = (): void => {
    dead = true;
    lock.kill();
  };
  /** What a process asks of the world is answered to nobody once the process is dead. */
  const mortal = <T>(what: string, ask: () => Promise<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      const fate = dead ? 'lives' : (kept.fate?.(what) ?? 'lives');
      if (fate === 'dies before') kill();
      if (dead) return;
      const settle = (run: () => void): void => {
        if (fate === 'dies after') kill();
        if (!dead) run();
      };
      ask().then(
        (value) => {
          settle(() => {
            resolve(value);
          });
        },
        (error: unknown) => {
          settle(() => {
            reject(error);
          });
        },
      );
    });
  const ports = {
    secrets: {
      ...secrets,
      read: (key: string, expected: boolean) =>
        mortal('secrets.read', () => secrets.read(key, expected)),
      write: (key: string, value: string) =>
        mortal('secrets.write', () => secrets.write(key, value)),
      remove: (key: string) => mortal('secrets.remove', () => secrets.remove(key)),
    },
    state: {
      load: () => mortal('state.load', () => file.load()),
      save: (state: StateFileContent) => mortal('state.save', () => file.save(state)),
    },
    clock: {
      now: clock.now,
      elapsed: clock.elapsed,
      after: (ms: number, run: () => void) =>
        clock.after(ms, () => {
          if (!dead) run();
        }),
    },
    network: {
      fetch: (url: string, init: NetworkRequest) =>
        mortal(`network ${url.slice(ISSUER.length)}`, () => authority.fetch(url, init)),
    },
    legacyEntries: {
      read: (index: number) => mortal('earlier.read', () => legacyEntries.read(index)),
      remove: (index: number) => mortal('earlier.remove', () => legacyEntries.remove(index)),
    },
  };
  const engine = createEngine(settings, {
    ...ports,
    browser,
    callbacks: { 'custom-scheme': scheme, loopback },
    lock,
    systemEvents,
    log,
  });
  const views: AuthView[] = [];
  engine.onView((view) => views.push(view));

  const bench: Bench = {
    engine,
    authority,
    clock,
    secrets,
    file,
    browser,
    scheme,
    loopback,
    lock,
    systemEvents,
    log,
    views,
    legacyEntries,
    async opens(pages) {
      const held = (): boolean => secrets.prompting || engine.view().status === 'starting';
      while (browser.opened.length < pages) {
        await until(() => browser.opened.length >= pages || held(), 'a page in the browser');
        if (browser.opened.length < pages) await clock.advance(LIMITS.keepBeforeBrowserMs);
      }
    },
    async begin() {
      const { opened } = browser;
      const before = opened.length;
      const done = engine.signIn({});
      done.catch(() => undefined);
      await bench.opens(before + 1);
      return { done, state: new URL(opened.at(-1)!).searchParams.get('state')! };
    },
    comeBack(state, code = 'good-code') {
      scheme.arrive(`${REDIRECT}?${new URLSearchParams({ code, state }).toString()}`);
    },
    async signIn() {
      const { done, state } = await bench.begin();
      bench.comeBack(state);
      await done;
    },
    another: () =>
      createBench(options, {
        authority,
        clock,
        file,
        legacyEntries,
        lock: lock.another(),
        secrets: createFakeSecretStore('works', secrets.entries),
      }),
    kill,
    restart: (fate) =>
      createBench(options, {
        authority,
        clock,
        file,
        legacyEntries,
        lock: lock.another(),
        secrets: reopened(secrets),
        ...(fate === undefined ? {} : { fate }),
      }),
  };
  return bench;
}

/** The same keyring, with the worker of a new process. */
function reopened(old: Bench['secrets']): Bench['secrets'] {
  const secrets = createFakeSecretStore();
  for (const [key, value] of old.entries) secrets.entries.set(key, value);
  return secrets;
}

/** Waits in real time for what needs no virtual time: WebCrypto answers when it likes. */
export async function until(holds: () => boolean, what = 'it'): Promise<void> {
  const end = Date.now() + 5_000;
  while (!holds()) {
    if (Date.now() > end) throw new Error(`${what} did not happen: ${holds.toString()}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** How a promise stands now. */
export async function stateOf(
  promise: Promise<unknown>,
): Promise<'pending' | 'resolved' | 'rejected'> {
  const pending = Symbol('pending');
  return Promise.race([promise, Promise.resolve(pending)]).then(
    (value) => (value === pending ? 'pending' : 'resolved'),
    () => 'rejected',
  );
}
