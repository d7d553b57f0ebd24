// What a person pastes, over real HTTP: a whole address on any way, a bare code on the way that is
// made for it, and everything else.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/main/core/base/limits.js';
import type { Provider } from '../../src/testing/index.js';
import {
  type App,
  LOOPBACK_REDIRECT,
  SCHEME_REDIRECT,
  expectNoLeak,
  signedInView,
  startApp,
  startProvider,
  stopApps,
  toldBy,
  waitFor,
} from '../support/flow-app.js';

const PAGE = 'https://login.example.com/done';
const OUT_OF_BAND = 'urn:ietf:wg:oauth:2.0:oob';

let provider: Provider;
beforeAll(async () => {
  provider = await startProvider({ redirectUris: [SCHEME_REDIRECT, LOOPBACK_REDIRECT, PAGE] });
});
afterAll(() => provider.stop());
afterEach(stopApps);

/** The person has been at the provider and looks at the last page; nothing came back by itself. */
async function lastPage(redirect: string): Promise<{
  readonly app: App;
  readonly code: Promise<string>;
  readonly callbackUrl: string;
  readonly answer: URLSearchParams;
}> {
  const app = await startApp(provider, { redirects: [redirect] });
  const code = app.codeOf(app.signIn('stays away'));
  await waitFor(() => app.opened.length === 1, 'the browser');
  const { callbackUrl } = await app.person.signIn(app.opened[0]!);
  return { app, code, callbackUrl, answer: new URL(callbackUrl).searchParams };
}

const paste = (app: App, text: unknown): Promise<string> =>
  app.codeOf(app.engine.pasteCallback(text));
const posted = (): number => provider.tokenRequests('authorization_code');

describe('a whole address that is pasted', () => {
  it.each([
    ['a custom scheme', SCHEME_REDIRECT],
    ['a loopback', LOOPBACK_REDIRECT],
    ['a page to paste from', `paste:${PAGE}`],
  ])('finishes a sign-in by %s', async (_what, redirect) => {
    const { app, code, callbackUrl } = await lastPage(redirect);
    expect(await paste(app, `  ${callbackUrl}\n`)).toBe('resolved');
    expect(await code).toBe('resolved');
    expect(signedInView(app).account.name).toBe('Ada Lovelace');
    expectNoLeak(app, provider);
  });

  it('twice is redeemed once', async () => {
    const { app, code, callbackUrl } = await lastPage(`paste:${PAGE}`);
    const before = posted();
    expect(await Promise.all([paste(app, callbackUrl), paste(app, callbackUrl)])).toEqual([
      'resolved',
      'resolved',
    ]);
    expect(await code).toBe('resolved');
    expect(posted()).toBe(before + 1);
    expect(await paste(app, callbackUrl)).toBe('callback-invalid');
  });

  it('ends the sign-in when it says that the person said no', async () => {
    const { app, code, answer } = await lastPage(`paste:${PAGE}`);
    expect(
      await paste(
        app,
        `${PAGE}?error=access_denied&state=${answer.get('state')}&iss=${encodeURIComponent(provider.issuer)}`,
      ),
    ).toBe('resolved');
    expect(await code).toBe('sign-in-denied');
  });

  it('of an attempt of the process before is taken, for its scheme attempt was kept', async () => {
    const { app, code, callbackUrl } = await lastPage(SCHEME_REDIRECT);
    await waitFor(() => app.secrets.entries.size === 1, 'the record of the attempt');
    const next = await app.restart({ redirects: [SCHEME_REDIRECT] });
    expect(await code).toBe('stopped');
    expect(await paste(next, callbackUrl)).toBe('resolved');
    await waitFor(() => next.engine.view().status === 'signed-in', 'the sign-in');
  });

  it('is refused, and changes nothing, when it is not the answer to this sign-in', async () => {
    const { app, code, callbackUrl, answer } = await lastPage(`paste:${PAGE}`);
    const before = [app.engine.view(), posted()];
    const { search } = new URL(callbackUrl);
    for (const wrong of [
      callbackUrl.replace(answer.get('state')!, 'foreign'),
      `https://evil.example/done${search}`,
      `https://login.example.com/other${search}`,
      `http://login.example.com/done${search}`,
      `${PAGE}?code=${answer.get('code')}`,
      `${PAGE}?state=${answer.get('state')}`,
      `${callbackUrl}&state=again`,
      PAGE,
      app.opened[0]!,
      `javascript:alert(1)//?x${search}`,
    ]) {
      expect(await paste(app, wrong)).toBe('callback-invalid');
    }
    expect([app.engine.view(), posted()]).toEqual(before);
    expect(await paste(app, callbackUrl)).toBe('resolved');
    expect(await code).toBe('resolved');
    expectNoLeak(app, provider);
  });
});

describe('a code that is pasted alone', () => {
  it.each([
    ['as it is', (code: string) => code],
    ['with blanks around it', (code: string) => `\n ${code}\t`],
  ])('finishes a sign-in %s', async (_how, text) => {
    const { app, code, answer } = await lastPage(`paste:${PAGE}`);
    expect(await paste(app, text(answer.get('code')!))).toBe('resolved');
    expect(await code).toBe('resolved');
    expectNoLeak(app, provider);
  });

  it('with its state behind it finishes a sign-in', async () => {
    const { app, code, answer } = await lastPage(`paste:${PAGE}`);
    expect(await paste(app, `${answer.get('code')}#${answer.get('state')}`)).toBe('resolved');
    expect(await code).toBe('resolved');
  });

  it('with a foreign state behind it is refused and not posted', async () => {
    const { app, code, answer } = await lastPage(`paste:${PAGE}`);
    const before = posted();
    expect(await paste(app, `${answer.get('code')}#foreign`)).toBe('callback-invalid');
    expect(posted()).toBe(before);
    app.engine.cancelSignIn();
    await code;
  });

  it('that somebody else was given is refused by the provider, for the verifier does not fit (RFC 7636 §4.6)', async () => {
    const mine = await lastPage(`paste:${PAGE}`);
    const theirs = await lastPage(`paste:${PAGE}`);
    expect(await paste(mine.app, theirs.answer.get('code'))).toBe('resolved');
    expect(await mine.code).toBe('callback-invalid');
    expect(mine.app.engine.view()).toMatchObject({
      status: 'signed-out',
      error: { code: 'callback-invalid', retry: 'sign-in', serverError: 'invalid_grant' },
    });
    theirs.app.engine.cancelSignIn();
    await theirs.code;
    expectNoLeak(mine.app, provider);
  });

  it('in part ends the sign-in with the word that it was not right', async () => {
    const { app, code, answer } = await lastPage(`paste:${PAGE}`);
    expect(await paste(app, answer.get('code')!.slice(0, -3))).toBe('resolved');
    expect(await code).toBe('callback-invalid');
  });

  it('goes to the newest of two sign-ins', async () => {
    const { app, code } = await lastPage(`paste:${PAGE}`);
    const newer = app.codeOf(app.signIn('stays away'));
    await waitFor(() => app.opened.length === 2, 'the browser');
    const { callbackUrl } = await app.person.signIn(app.opened[1]!);
    expect(await paste(app, new URL(callbackUrl).searchParams.get('code'))).toBe('resolved');
    expect(await newer).toBe('resolved');
    app.engine.cancelSignIn();
    await code;
  });

  it.each([SCHEME_REDIRECT, LOOPBACK_REDIRECT])(
    'is refused where no way is made for it (%s)',
    async (redirect) => {
      const { app, code, answer } = await lastPage(redirect);
      const before = posted();
      expect(await paste(app, answer.get('code'))).toBe('callback-invalid');
      expect(await paste(app, `${answer.get('code')}#${answer.get('state')}`)).toBe(
        'callback-invalid',
      );
      expect(posted()).toBe(before);
      app.engine.cancelSignIn();
      await code;
    },
  );

  it('is posted with the out-of-band redirect URI that is registered', async () => {
    const { authorization, token, jwks } = provider.endpoints;
    const app = await startApp(provider, {
      redirects: [`paste:${OUT_OF_BAND}`],
      endpoints: { authorization, token, jwks },
    });
    const code = app.codeOf(app.signIn('stays away'));
    await waitFor(() => app.opened.length === 1, 'the browser');
    expect(new URL(app.opened[0]!).searchParams.get('redirect_uri')).toBe(OUT_OF_BAND);
    expect(await paste(app, 'c0de')).toBe('resolved');
    // This provider does not know the URI, and says so as it says it of every unknown code.
    expect(await code).toBe('callback-invalid');
  });
});

describe('anything else that is pasted', () => {
  it('is refused within its bounds, and neither posted nor told', async () => {
    const { app, code } = await lastPage(`paste:${PAGE}`);
    const before = [app.engine.view(), posted()];
    const rubbish: readonly unknown[] = [
      undefined,
      null,
      7,
      {},
      ['c'],
      '',
      '   ',
      'two words',
      'a\u0000b',
      'c\u202eode',
      'ümlaut',
      '#',
      'a#',
      '#b',
      'a#b#c',
      'code=SECRETPASTE&state=x',
      'code=SECRETPASTE',
      '?code=SECRETPASTE',
      '<script>',
      '{"code":"SECRETPASTE"}',
      'https://evil.example/SECRETPASTE',
      'SECRETPASTE'.repeat(LIMITS.callbackLength),
      ' '.repeat(LIMITS.callbackLength + 1),
      `${PAGE}?code=SECRETPASTE&state=${'s'.repeat(LIMITS.callbackLength)}`,
      `${PAGE}?code=SECRETPASTE&state=guess`,
    ];
    for (const text of rubbish) expect(await paste(app, text)).toBe('callback-invalid');
    expect([app.engine.view(), posted()]).toEqual(before);
    expect(toldBy(app)).not.toContain('SECRETPASTE');
    app.engine.cancelSignIn();
    await code;
  });

  it('is refused when nobody is signing in, and after the end', async () => {
    const app = await startApp(provider, { redirects: [`paste:${PAGE}`] });
    expect(await paste(app, 'c0de')).toBe('callback-invalid');
    await app.engine.stop();
    expect(await paste(app, 'c0de')).toBe('stopped');
  });
});
