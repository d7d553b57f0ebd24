// What a sign-in offers and who opens its page: the button of a person who is signed out, the
// host's own way to the browser, and the choice of account after a sign-out.
import { describe, expect, it } from 'vitest';
import { AuthError } from '../../../src/main/core/base/errors.js';
import type { Opener } from '../../../src/main/core/authorization/sign-in-request.js';
import { type Bench, createBench, until } from '../../support/engine-harness.js';
import { settle } from '../../support/fakes.js';

const METADATA = {
  issuer: 'https://id.example',
  authorization_endpoint: 'https://id.example/authorize',
  token_endpoint: 'https://id.example/token',
  prompt_values_supported: ['login', 'select_account'],
};

async function started(bench: Bench = createBench()): Promise<Bench> {
  bench.engine.start();
  await until(() => bench.engine.view().status !== 'starting', 'the start');
  return bench;
}

async function failureOf(promise: Promise<unknown>): Promise<AuthError> {
  const thrown: unknown = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(thrown instanceof AuthError)) throw new Error('an AuthError was expected');
  return thrown;
}

const stateIn = (url = ''): string => new URL(url).searchParams.get('state') ?? '';

describe('a person who is signed out', () => {
  it('is offered to sign in when the first sign-in fails offline, for nothing tries that again', async () => {
    const bench = await started();
    const { done, state } = await bench.begin();
    bench.authority.online = false;
    bench.comeBack(state);
    const failure = await failureOf(done);
    expect(failure).toMatchObject({ code: 'network-failed', retry: 'sign-in' });
    expect(bench.engine.view()).toMatchObject({
      status: 'signed-out',
      error: { code: 'network-failed', retry: 'sign-in' },
    });
    const asked = bench.authority.asked;
    bench.engine.retry();
    await bench.clock.advance(3_600_000);
    expect(bench.authority.asked).toBe(asked);
  });

  it('is offered to sign in when no browser opens, for retry() would do nothing', async () => {
    const bench = await started();
    bench.browser.failNext();
    expect(await failureOf(bench.engine.signIn({}))).toMatchObject({
      code: 'browser-failed',
      retry: 'sign-in',
    });
  });

  it('keeps what says that trying cannot help', async () => {
    const bench = await started();
    const { done, state } = await bench.begin();
    bench.authority.answerNext(() => Response.json({ error: 'invalid_client' }, { status: 401 }));
    bench.comeBack(state);
    expect(await failureOf(done)).toMatchObject({ code: 'sign-in-refused', retry: 'never' });
  });
});

describe('the host', () => {
  it.each(['copy', 'function'] as const)(
    'opens the page itself (%s), also once more, and the attempt waits as usual',
    async (how) => {
      const bench = await started();
      const given: string[] = [];
      const open: Opener = how === 'copy' ? 'copy' : (url) => void given.push(url);
      const shown = (): readonly string[] => (how === 'copy' ? bench.browser.copied : given);
      const done = bench.engine.signIn({ open }, 'host');
      await until(() => shown().length === 1, 'the page');
      expect(bench.engine.view()).toMatchObject({
        status: 'signing-in',
        attempt: { stage: 'waiting', redirect: 'custom-scheme' },
      });
      bench.engine.reopenBrowser();
      await until(() => shown().length === 2, 'the page once more');
      expect(bench.browser.opened).toEqual([]);
      bench.comeBack(stateIn(shown()[1]));
      await done;
      expect(bench.engine.view().status).toBe('signed-in');
    },
  );

  it.each([
    [
      'throws',
      (url: string) => {
        throw new Error(url);
      },
    ],
    ['rejects', (url: string) => Promise.reject(Object.assign(new Error(url), { name: url }))],
    ['rejects with a text', (url: string) => Promise.reject(url)],
  ])(
    'whose function %s ends the attempt with browser-failed, and no secret is told',
    async (_how, open) => {
      const bench = await started();
      const failure = await failureOf(bench.engine.signIn({ open }, 'host'));
      expect(failure).toMatchObject({ code: 'browser-failed', retry: 'sign-in' });
      expect(failure.message).toContain('"open"');
      const told = `${String(failure)} ${String(failure.cause)} ${JSON.stringify(bench.log.events)}`;
      expect(told).not.toContain('state=');
    },
  );

  it('whose function never ends blocks nothing', async () => {
    const bench = await started();
    let url = '';
    const open = (given: string): Promise<void> => {
      url = given;
      return new Promise(() => undefined);
    };
    const done = bench.engine.signIn({ open }, 'host');
    await until(() => url !== '', 'the page');
    bench.comeBack(stateIn(url));
    await done;
  });

  it('gets the next way, too, when the first cannot be shown', async () => {
    const bench = createBench({ redirects: ['com.example.app:/callback', 'http://127.0.0.1/cb'] });
    await started(bench);
    const given: string[] = [];
    const open = (url: string): void => {
      given.push(url);
      if (given.length === 1) throw new Error('not now');
    };
    const done = bench.engine.signIn({ open }, 'host');
    await until(() => given.length === 2, 'the second way');
    bench.engine.cancelSignIn();
    expect((await failureOf(done)).code).toBe('sign-in-cancelled');
    expect(bench.browser.opened).toEqual([]);
  });

  it.each([['browser'], [7], [{}], [true]])('cannot open it by %j', async (open) => {
    const bench = await started();
    expect(await failureOf(bench.engine.signIn({ open }, 'host'))).toMatchObject({
      code: 'invalid-options',
      message: expect.stringContaining('"open"') as string,
    });
  });

  it('alone may do so: a page that asks for it is refused, and nothing is opened', async () => {
    const bench = await started();
    for (const open of ['copy', () => undefined, undefined]) {
      expect((await failureOf(bench.engine.signIn({ open }))).code).toBe('invalid-options');
      expect((await failureOf(bench.engine.signIn({ open }, 'page'))).code).toBe('invalid-options');
    }
    await settle();
    expect([bench.browser.opened, bench.browser.copied]).toEqual([[], []]);
  });
});

describe('the choice of account', () => {
  /** What the newest page asks for. */
  const promptOf = (bench: Bench): string | null =>
    new URL(bench.browser.opened.at(-1) ?? '').searchParams.get('prompt');

  async function asked(bench: Bench): Promise<string | null> {
    const { done } = await bench.begin();
    const prompt = promptOf(bench);
    bench.engine.cancelSignIn();
    await failureOf(done);
    return prompt;
  }

  /** Metadata by discovery, for endpoints by hand announce nothing. */
  function bench(kept: Parameters<typeof createBench>[1] = {}): Bench {
    const made = createBench({ endpoints: undefined }, kept);
    const { fetch } = made.authority;
    made.authority.fetch = (url, init) =>
      url.includes('/.well-known/')
        ? Promise.resolve(Response.json(METADATA))
        : fetch.call(made.authority, url, init);
    return made;
  }

  it('is offered after a sign-out, until somebody is signed in, and also after a restart', async () => {
    const first = await started(bench());
    expect(await asked(first)).toBeNull();
    await first.signIn();
    await first.engine.signOut();
    expect(await asked(first)).toBe('select_account');
    expect(await asked(first)).toBe('select_account');
    await first.engine.stop();
    await until(() => first.clock.pending === 0, 'an end of all timers');

    const next = await started(first.restart());
    expect(await asked(next)).toBe('select_account');
    await next.signIn();
    expect(await asked(next)).toBeNull();
  });

  it('is offered by a sign-in that begins while the file is being read', async () => {
    const first = await started(bench());
    await first.signIn();
    await first.engine.signOut();
    await first.engine.stop();
    await until(() => first.clock.pending === 0, 'an end of all timers');
    const next = first.restart();
    next.engine.start();
    expect(await asked(next)).toBe('select_account');
  });

  it('is not offered when the provider ended the session, for that person comes back', async () => {
    const first = await started(bench());
    await first.signIn();
    first.authority.revokeAll();
    await first.clock.advance(3_600_000);
    await until(() => first.engine.view().status === 'signed-out', 'the end of the session');
    expect(await asked(first)).toBeNull();
  });
});
