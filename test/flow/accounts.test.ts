// Several accounts beside each other: each with a session of its own, one of them active.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { StateFileContent } from '../../src/main/core/base/ports.js';
import { type Provider, subjectOf } from '../../src/testing/index.js';
import {
  type App,
  type AppOptions,
  expectNoLeak,
  startApp,
  startProvider,
  stopApps,
  time,
  waitFor,
} from '../support/flow-app.js';

let provider: Provider;
beforeAll(async () => {
  provider = await startProvider();
});
afterAll(() => provider.stop());
beforeEach(() => {
  provider.setAccessTokenSeconds(300);
});
afterEach(stopApps);

const SEVERAL: AppOptions = { accounts: 'several' };

/** Ada first, then Grace, who is active. */
async function both(options: AppOptions = SEVERAL): Promise<App> {
  const app = await startApp(provider, options);
  await app.signIn({ login: 'ada' });
  await app.signIn({ login: 'grace' }, { prompt: 'login' });
  return app;
}

const active = (app: App): string | undefined => {
  const view = app.engine.view();
  return view.status === 'signed-in' ? nameOf(view.account.subject) : undefined;
};
const others = (app: App): readonly string[] => {
  const view = app.engine.view();
  return view.status === 'starting'
    ? []
    : (view.otherAccounts ?? []).map(({ subject }) => nameOf(subject)).sort();
};
const nameOf = (subject: string): string =>
  ['ada', 'grace', 'eve'].find((login) => subjectOf(login) === subject) ?? 'nobody';
const idOf = (app: App, login: string): string =>
  (app.file.content as StateFileContent).accounts.find(
    ({ subject }) => subject === subjectOf(login),
  )?.id ?? '';

/** Whose token it is, by the API's own word. */
async function ownerOf(token: string): Promise<string> {
  const answer = await fetch(provider.endpoints.api, {
    headers: { authorization: `Bearer ${token}` },
  });
  return answer.status === 200
    ? nameOf(((await answer.json()) as { sub: string }).sub)
    : `status ${answer.status}`;
}

describe('a second sign-in', () => {
  it('leaves the first account signed in, and is the active one', async () => {
    const app = await both();
    expect([active(app), others(app)]).toEqual(['grace', ['ada']]);
    expect(await ownerOf(await app.engine.getAccessToken())).toBe('grace');
    expect(await ownerOf(await app.engine.getAccessToken({ account: idOf(app, 'ada') }))).toBe(
      'ada',
    );
    expect(app.views.some((view) => view.status === 'signed-out' && view.reason !== 'never')).toBe(
      false,
    );
    expectNoLeak(app, provider);
  });

  it('of somebody who is there already makes no third', async () => {
    const app = await both();
    await app.signIn({ login: 'ada' }, { prompt: 'login' });
    expect([active(app), others(app), app.secrets.entries.size]).toEqual(['ada', ['grace'], 2]);
  });

  it('takes the place of the first where one account is the rule', async () => {
    const app = await both({});
    expect([active(app), others(app)]).toEqual(['grace', []]);
    await waitFor(() => app.secrets.entries.size === 1, 'one record');
    expect(await app.codeOf(app.engine.getAccessToken({ account: idOf(app, 'ada') }))).toBe(
      'signed-out',
    );
    expect(await app.codeOf(app.engine.switchAccount(idOf(app, 'ada')))).toBe('signed-out');
  });

  it('that fails leaves the active account as it is', async () => {
    const app = await both();
    expect(await app.codeOf(app.signIn({ consent: 'deny' }))).toBe('sign-in-denied');
    expect([active(app), others(app)]).toEqual(['grace', ['ada']]);
  });
});

describe('after a restart', () => {
  it('the active account is restored, and the other one when it is asked for', async () => {
    const app = await (await both()).restart(SEVERAL);
    expect([active(app), others(app)]).toEqual(['grace', ['ada']]);
    const reads = (): number =>
      app.secrets.calls.filter((call) => call.startsWith(`read session:${idOf(app, 'ada')}`))
        .length;
    const before = reads();
    const tokens = await Promise.all(
      Array.from({ length: 50 }, () => app.engine.getAccessToken({ account: idOf(app, 'ada') })),
    );
    expect([new Set(tokens).size, await ownerOf(tokens[0] ?? ''), reads() - before]).toEqual([
      1,
      'ada',
      1,
    ]);
  });

  it('a token that is asked for before the start is over comes, too', async () => {
    const before = await both();
    const ada = idOf(before, 'ada');
    let held: Promise<string> | undefined;
    const app = await before.restart({
      ...SEVERAL,
      onStart: (engine) => {
        held = engine.getAccessToken({ account: ada });
      },
    });
    expect(await ownerOf((await held) ?? '')).toBe('ada');
    expect(active(app)).toBe('grace');
  });

  it('a listener may ask for another account while it is told of the active one', async () => {
    const before = await both();
    const ada = idOf(before, 'ada');
    let asked: Promise<string> | undefined;
    const app = await before.restart({
      ...SEVERAL,
      onStart(engine) {
        engine.onView((view) => {
          if (view.status === 'signed-in') asked ??= engine.getAccessToken({ account: ada });
        });
      },
    });
    expect(await ownerOf((await asked) ?? '')).toBe('ada');
    expect([active(app), others(app)]).toEqual(['grace', ['ada']]);
  });

  it('each renews with its own refresh token', async () => {
    const before = await both();
    let ahead = 0;
    const app = await before.restart({ ...SEVERAL, clock: { now: () => time.now() + ahead } });
    await app.engine.getAccessToken({ account: idOf(app, 'ada') });
    ahead = 600_000;
    const requests = provider.tokenRequests('refresh_token');
    const [grace, ada] = await Promise.all([
      app.engine.getAccessToken(),
      app.engine.getAccessToken({ account: idOf(app, 'ada') }),
    ]);
    expect([await ownerOf(grace), await ownerOf(ada)]).toEqual(['grace', 'ada']);
    expect(provider.tokenRequests('refresh_token') - requests).toBe(2);
  });
});

describe('a switch', () => {
  it('shows the other account, and the next start begins with it', async () => {
    const app = await both();
    await app.engine.switchAccount(idOf(app, 'ada'));
    expect([active(app), others(app)]).toEqual(['ada', ['grace']]);
    expect(await ownerOf(await app.engine.getAccessToken())).toBe('ada');
    const next = await app.restart(SEVERAL);
    expect([active(next), others(next)]).toEqual(['ada', ['grace']]);
  });

  it('that is followed by the end of the app is where the next start begins', async () => {
    const app = await both();
    const save = app.file.save.bind(app.file);
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    app.file.save = async (state) => {
      await held;
      return save(state);
    };
    const switched = app.engine.switchAccount(idOf(app, 'ada'));
    await waitFor(() => active(app) === 'ada', 'the switch');
    let isOver = false;
    const ended = app.engine.stop().then(() => {
      isOver = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(isOver).toBe(false);
    release();
    await Promise.all([switched, ended]);
    const next = await app.restart(SEVERAL);
    expect([active(next), others(next)]).toEqual(['ada', ['grace']]);
  });

  it('to an account that was not asked for yet goes over no other view', async () => {
    const app = await (await both()).restart(SEVERAL);
    await app.engine.switchAccount(idOf(app, 'ada'));
    const from = app.views.findIndex((view) => view.status === 'signed-in');
    expect(
      app.views
        .slice(from)
        .map((view) => (view.status === 'signed-in' ? nameOf(view.account.subject) : view.status))
        .filter((name, index, all) => name !== all[index - 1]),
    ).toEqual(['grace', 'ada']);
  });

  it('to nobody, or to what is no id, changes nothing', async () => {
    const app = await both();
    expect(await app.codeOf(app.engine.switchAccount('somebody'))).toBe('signed-out');
    for (const wrong of [undefined, null, 7, '', 'x'.repeat(257), {}])
      expect(await app.codeOf(app.engine.switchAccount(wrong))).toBe('invalid-options');
    expect([active(app), others(app)]).toEqual(['grace', ['ada']]);
  });

  it('to an account whose keyring does not open is refused, and nothing is lost', async () => {
    const app = await (await both()).restart(SEVERAL);
    app.secrets.setMode('locked');
    expect(await app.codeOf(app.engine.switchAccount(idOf(app, 'ada')))).toBe('keyring-locked');
    expect([active(app), others(app)]).toEqual(['grace', ['ada']]);
    app.secrets.setMode('works');
    app.systemEvents.emit('unlock');
    await waitFor(
      async () => (await app.codeOf(app.engine.switchAccount(idOf(app, 'ada')))) === 'resolved',
      'the switch',
    );
    expect(active(app)).toBe('ada');
  });
});

describe('a sign-out', () => {
  it('of the active account leaves the others, who can be switched to', async () => {
    const app = await both();
    await app.engine.signOut();
    expect(app.engine.view()).toMatchObject({ status: 'signed-out', reason: 'signed-out' });
    expect(others(app)).toEqual(['ada']);
    expect(await app.codeOf(app.engine.getAccessToken())).toBe('signed-out');
    expect(await ownerOf(await app.engine.getAccessToken({ account: idOf(app, 'ada') }))).toBe(
      'ada',
    );
    await app.engine.switchAccount(idOf(app, 'ada'));
    expect([active(app), others(app)]).toEqual(['ada', []]);
  });

  it('of another account, also one that was never asked for, removes and revokes that one', async () => {
    const app = await (await both()).restart(SEVERAL);
    const ada = idOf(app, 'ada');
    const revocations = (): number =>
      provider.requests.filter(({ endpoint }) => endpoint === 'revocation').length;
    const before = revocations();
    await app.engine.signOut(ada);
    expect([active(app), others(app)]).toEqual(['grace', []]);
    await waitFor(() => revocations() === before + 1, 'the revocation');
    await waitFor(() => app.secrets.entries.size === 1, 'the removal');
    expect(await app.codeOf(app.engine.getAccessToken({ account: ada }))).toBe('signed-out');
    expect(await ownerOf(await app.engine.getAccessToken())).toBe('grace');
  });

  it('of nobody does nothing', async () => {
    const app = await both();
    await app.engine.signOut('somebody');
    expect([active(app), others(app)]).toEqual(['grace', ['ada']]);
  });
});

describe('an account that is in use, but not active', () => {
  it('has one session, also when he signs in again while nobody is active', async () => {
    const app = await both();
    const ada = idOf(app, 'ada');
    await app.engine.getAccessToken({ account: ada });
    await app.engine.signOut();
    await app.signIn({ login: 'ada' }, { prompt: 'login' });
    expect([active(app), others(app)]).toEqual(['ada', []]);
    const { refreshToken } = JSON.parse(app.secrets.entries.get(`session:${ada}`) ?? '{}') as {
      refreshToken: string;
    };
    expect(refreshToken).toBe(
      provider.issued.filter(({ kind }) => kind === 'refresh_token').at(-1)?.value,
    );
    expect(await app.engine.getAccessToken({ account: ada })).toBe(
      await app.engine.getAccessToken(),
    );
  });

  it('comes when the person asks again after the keyring was unlocked, whatever told nobody', async () => {
    const app = await (await both()).restart(SEVERAL);
    const ada = idOf(app, 'ada');
    app.secrets.setMode('locked');
    expect(await app.codeOf(app.engine.switchAccount(ada))).toBe('keyring-locked');
    expect(await app.codeOf(app.engine.getAccessToken({ account: ada }))).toBe('keyring-locked');
    app.secrets.setMode('works');
    await app.engine.switchAccount(ada);
    expect(active(app)).toBe('ada');
  });

  it('is asked for once more by "retry"', async () => {
    const app = await (await both()).restart(SEVERAL);
    const ada = idOf(app, 'ada');
    app.secrets.setMode('locked');
    expect(await app.codeOf(app.engine.getAccessToken({ account: ada }))).toBe('keyring-locked');
    app.secrets.setMode('works');
    app.engine.retry();
    expect(await ownerOf(await app.engine.getAccessToken({ account: ada }))).toBe('ada');
  });
});

describe('an app that ends before it has started', () => {
  it('leaves nobody waiting', async () => {
    const before = await both();
    const ada = idOf(before, 'ada');
    const asked: Promise<string>[] = [];
    const app = await before.restart({
      ...SEVERAL,
      onStart(engine) {
        asked.push(
          before.codeOf(engine.switchAccount(ada)),
          before.codeOf(engine.getAccessToken({ account: ada })),
          before.codeOf(engine.signOut(ada)),
        );
        void engine.stop();
      },
      started: false,
    });
    expect(await Promise.all(asked)).toEqual(['stopped', 'stopped', 'stopped']);
    expect(await app.codeOf(app.engine.getAccessToken({ account: ada }))).toBe('stopped');
  });
});

describe('an account whose session the provider has ended', () => {
  it('is gone from the list, and the active one is not', async () => {
    const app = await both();
    const ada = idOf(app, 'ada');
    const { refreshToken } = JSON.parse(app.secrets.entries.get(`session:${ada}`) ?? '{}') as {
      refreshToken: string;
    };
    await fetch(provider.endpoints.revocation, {
      method: 'POST',
      body: new URLSearchParams({ token: refreshToken, client_id: provider.clientId }),
    });
    const refused = await app.engine.getAccessToken({ account: ada });
    expect(await app.codeOf(app.engine.getAccessToken({ account: ada, scopes: ['openid'] }))).toBe(
      'session-ended',
    );
    expect(await app.codeOf(app.engine.getAccessToken({ account: ada, refused }))).toBe(
      'signed-out',
    );
    expect([active(app), others(app)]).toEqual(['grace', []]);
    expect(await ownerOf(await app.engine.getAccessToken())).toBe('grace');
  });
});
