// Sessions of earlier versions of the host's app: proved, stored again, then removed from the old
// place, and never lost in between.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AuthView } from '../../../src/contract.js';
import { AuthError } from '../../../src/main/core/base/errors.js';
import { LIMITS } from '../../../src/main/core/base/limits.js';
import type { GivenOptions } from '../../../src/main/core/options/auth-options.js';
import type { StateFileContent } from '../../../src/main/core/base/ports.js';
import {
  type Bench,
  type Fate,
  type Kept,
  ISSUER,
  createAuthority,
  createBench,
  until,
} from '../../support/engine-harness.js';
import { createFakeLegacyEntries, settle } from '../../support/fakes.js';

type Signed = Extract<AuthView, { status: 'signed-in' }>;
const statusOf = (bench: Bench): AuthView['status'] => bench.engine.view().status;
const codeIn = (bench: Bench): string | undefined => {
  const view = bench.engine.view();
  return 'error' in view ? view.error?.code : undefined;
};
const keysOf = (bench: Bench): readonly string[] =>
  [...bench.secrets.entries.keys()].map((key) => key.split(':', 1)[0] ?? '').sort();
const takeOverOf = (bench: Bench): StateFileContent['takeOver'] =>
  (bench.file.content as StateFileContent).takeOver;
const renewals = (bench: Bench): readonly (string | null)[] =>
  bench.authority.tokenForms
    .filter((form) => form.get('grant_type') === 'refresh_token')
    .map((form) => form.get('refresh_token'));
const entry = {
  service: 'notes',
  account: 'session',
  read: (value: string) => ({ refreshToken: value }),
};

/** An app whose earlier version left this in keytar; not started. */
function updated(
  options: Partial<GivenOptions> = {},
  kept: Kept = {},
): Bench & { readonly token: string } {
  const authority = kept.authority ?? createAuthority();
  const token = authority.grantEarlier();
  const bench = createBench(
    { migrateFrom: [entry], ...options },
    { authority, legacyEntries: createFakeLegacyEntries(token), ...kept },
  );
  return Object.assign(bench, { token });
}

async function started(bench: Bench): Promise<Bench> {
  bench.engine.start();
  await until(() => statusOf(bench) !== 'starting', 'the start');
  return bench;
}

async function taken(bench: Bench): Promise<Signed> {
  await until(() => statusOf(bench) === 'signed-in', 'the take-over');
  await until(() => takeOverOf(bench).stage === 'none', 'the cleaning');
  await settle();
  return bench.engine.view() as Signed;
}

describe('an app that is started after an update', () => {
  it('is signed in without a browser, and removes the legacy entry once its session is stored', async () => {
    const bench = updated();
    await started(bench);
    expect(bench.views.map(({ status }) => status)).not.toContain('signed-out');
    expect(await taken(bench)).toMatchObject({
      account: { subject: 'ada', name: 'Ada' },
      remembered: true,
      renewal: { state: 'fresh' },
    });
    expect([
      bench.browser.opened,
      renewals(bench),
      bench.legacyEntries.values,
      keysOf(bench),
    ]).toEqual([[], [bench.token], [null], ['session']]);
    expect(bench.log.events).toContainEqual({
      level: 'info',
      event: 'migration-done',
      fields: { entry: 0, removed: true },
    });
    const next = await started(bench.restart());
    await until(() => statusOf(next) === 'signed-in');
    expect([
      renewals(next),
      next.legacyEntries.calls.filter((call) => call === 'read 0').length,
    ]).toEqual([[bench.token], 2]);
  });

  it('keeps the order: nothing is sent before the keychain has taken a record, nothing removed before the session is stored', async () => {
    const asked: string[] = [];
    const bench = updated(
      {},
      {
        fate: (ask) => {
          asked.push(ask);
          return 'lives';
        },
      },
    );
    await started(bench);
    await taken(bench);
    const order = asked.filter(
      (ask) => !['state.load', 'secrets.read', 'earlier.read'].includes(ask),
    );
    expect(order).toEqual([
      'state.save',
      'secrets.write',
      'network /token',
      'secrets.write', // what is proved, and what the server made of it
      'state.save',
      'secrets.write',
      'state.save', // the session
      'earlier.remove',
      'secrets.remove',
      'state.save',
    ]);
  });

  it('leaves the entry where the host wants to keep it', async () => {
    const bench = updated({ migrateFrom: [{ ...entry, keep: true }] });
    await started(bench);
    await taken(bench);
    expect([
      bench.legacyEntries.values,
      bench.log.events.find(({ event }) => event === 'migration-done')?.fields,
    ]).toEqual([[bench.token], { entry: 0, removed: false }]);
    await bench.engine.signOut();
    const next = await started(bench.restart());
    expect([statusOf(next), next.engine.view()]).toMatchObject([
      'signed-out',
      { reason: 'signed-out' },
    ]);
  });

  it('leaves an entry that the earlier version has written again meanwhile', async () => {
    const bench = updated();
    const release = bench.authority.hold();
    bench.engine.start();
    await until(() => bench.authority.open === 1, 'the request');
    bench.legacyEntries.values[0] = 'written by the earlier version';
    release();
    await taken(bench);
    expect(bench.legacyEntries.values).toEqual(['written by the earlier version']);
  });

  it('takes the first entry that is of use', async () => {
    const bench = createBench(
      { migrateFrom: [entry, { ...entry, account: 'older' }, { ...entry, account: 'oldest' }] },
      { legacyEntries: createFakeLegacyEntries(null, 'secret-dead', null) },
    );
    bench.legacyEntries.values[2] = bench.authority.grantEarlier();
    await started(bench);
    await taken(bench);
    expect([bench.legacyEntries.values, renewals(bench)]).toMatchObject([
      [null, 'secret-dead', null],
      ['secret-dead', expect.any(String)],
    ]);
  });

  it('finds nothing, and is signed out as any new one', async () => {
    const bench = await started(
      createBench({ migrateFrom: [entry] }, { legacyEntries: createFakeLegacyEntries(null) }),
    );
    expect(bench.engine.view()).toEqual({ status: 'signed-out', reason: 'never' });
    expect([bench.file.saves, bench.secrets.calls, renewals(bench)]).toEqual([[], [], []]);
  });

  it.each<[string, Partial<GivenOptions>]>([
    ['names no entry', { migrateFrom: [] }],
    ['has the option left out', {}],
  ])('asks for nothing when it %s', async (_what, options) => {
    const bench = await started(
      createBench(options, { legacyEntries: createFakeLegacyEntries('x') }),
    );
    expect([statusOf(bench), bench.legacyEntries.calls, bench.lock.asked]).toEqual([
      'signed-out',
      [],
      [],
    ]);
  });

  it('takes nothing over once somebody was signed in, for that is what they left', async () => {
    const before = await started(
      createBench({ migrateFrom: [entry] }, { legacyEntries: createFakeLegacyEntries(null) }),
    );
    await before.signIn();
    await before.engine.signOut();
    await before.engine.stop();
    before.legacyEntries.values[0] = before.authority.grantEarlier();
    const next = await started(before.restart());
    expect([statusOf(next), next.legacyEntries.calls.length]).toEqual(['signed-out', 1]);
  });

  it('shares it with another process that starts at the same moment: one renews, both are signed in', async () => {
    const first = updated();
    const second = first.another();
    await Promise.all([started(first), started(second)]);
    await until(() => [first, second].every((bench) => statusOf(bench) === 'signed-in'), 'both');
    expect([renewals(first), first.authority.reused]).toEqual([[first.token], []]);
  });
});

describe('who it is', () => {
  it('is what the provider says; the word of the host is a check only', async () => {
    const fitting = updated({
      migrateFrom: [{ ...entry, read: (value) => ({ refreshToken: value, subject: 'ada' }) }],
    });
    await started(fitting);
    expect((await taken(fitting)).account.subject).toBe('ada');
    const foreign = updated({
      migrateFrom: [{ ...entry, read: (value) => ({ refreshToken: value, subject: 'grace' }) }],
    });
    await started(foreign);
    await until(() => codeIn(foreign) === 'id-token-invalid', 'the refusal');
    expect([statusOf(foreign), foreign.legacyEntries.values, keysOf(foreign)]).toEqual([
      'signed-out',
      [foreign.token],
      [],
    ]);
    // What the server rotated belongs to nobody now.
    await until(() => foreign.authority.revoked.length === 1, 'the revocation');
    expect(foreign.authority.revoked).not.toContain(foreign.token);
  });

  it('can be asked for again when the provider did not answer, with what it had rotated', async () => {
    let answers = 0;
    const bench = updated({
      identify: async () => {
        if (++answers === 1) throw new AuthError('network-failed', 'gone');
        return { subject: 'ada' };
      },
    });
    await started(bench);
    await until(() => codeIn(bench) === 'network-failed', 'the wait');
    bench.systemEvents.emit('online');
    await taken(bench);
    expect([renewals(bench)[0], renewals(bench).length, bench.authority.reused]).toEqual([
      bench.token,
      2,
      [],
    ]);
  });

  it('and the scope that the host names is used', async () => {
    const bench = updated({
      migrateFrom: [{ ...entry, read: (value) => ({ refreshToken: value, scope: 'old scope' }) }],
    });
    bench.authority.answerNext(() =>
      Response.json({ access_token: 'secret-a', token_type: 'bearer', refresh_token: 'secret-r' }),
    );
    await started(bench);
    await taken(bench);
    expect([...bench.secrets.entries.values()].join()).toContain('old scope');
  });
});

describe('what cannot be taken over now', () => {
  it('for want of a network stays, is tried again by itself, and signs nobody out', async () => {
    const bench = updated();
    bench.authority.online = false;
    await started(bench);
    expect(bench.engine.view()).toMatchObject({
      status: 'signed-out',
      reason: 'never',
      error: { code: 'network-failed', retry: 'automatic' },
    });
    expect([bench.legacyEntries.values, bench.log.names().includes('migration-deferred')]).toEqual([
      [bench.token],
      true,
    ]);
    bench.authority.online = true;
    await bench.clock.advance(LIMITS.retryBaseMs);
    await taken(bench);
    expect(bench.engine.view()).not.toHaveProperty('error');
  });

  it('is tried again when the network comes back, and at the next start', async () => {
    const bench = updated();
    bench.authority.online = false;
    await started(bench);
    await bench.engine.stop();
    expect(bench.clock.pending).toBe(0);
    const next = bench.restart();
    await started(next);
    bench.authority.online = true;
    next.systemEvents.emit('online');
    await taken(next);
  });

  it('holds the start up for a moment only', async () => {
    const bench = updated();
    const release = bench.authority.hold();
    bench.engine.start();
    await until(() => bench.authority.open === 1, 'the request');
    expect(statusOf(bench)).toBe('starting');
    await bench.clock.advance(LIMITS.keyringSlowMs);
    expect(statusOf(bench)).toBe('signed-out');
    release();
    await taken(bench);
  });

  it.each([
    ['the entry', (bench: Bench) => bench.legacyEntries],
    ['our own keychain', (bench: Bench) => bench.secrets],
  ] as const)(
    'because %s is locked is asked again by the person, and not by a timer',
    async (_what, storeOf) => {
      const bench = updated();
      storeOf(bench).setMode('locked');
      await started(bench);
      expect(codeIn(bench)).toBe('keyring-locked');
      expect([bench.legacyEntries.values, renewals(bench), bench.clock.pending]).toEqual([
        [bench.token],
        [],
        0,
      ]);
      bench.systemEvents.emit('online');
      await settle();
      expect(renewals(bench)).toEqual([]);
      storeOf(bench).setMode('works');
      bench.systemEvents.emit('unlock');
      await taken(bench);
    },
  );

  it('because the file cannot be written is not begun: a crash would lose it', async () => {
    const bench = updated();
    const { save } = bench.file;
    bench.file.save = () => Promise.reject(new Error('ENOSPC'));
    await started(bench);
    expect([codeIn(bench), renewals(bench)]).toEqual(['storage-failed', []]);
    bench.file.save = save;
    bench.engine.retry();
    await taken(bench);
  });

  it('because the keyring locks after the server has rotated is kept in memory, and stored when it opens', async () => {
    const bench = updated();
    const release = bench.authority.hold();
    bench.engine.start();
    await until(() => bench.authority.open === 1, 'the request');
    bench.secrets.setMode('locked');
    release();
    await until(() => codeIn(bench) === 'keyring-locked', 'the wait');
    bench.secrets.setMode('works');
    bench.engine.retry();
    await taken(bench);
    expect([bench.authority.reused, bench.legacyEntries.values]).toEqual([[], [null]]);
  });

  it('and is not cleaned, because the entry does not let go, is cleaned at a later start', async () => {
    const bench = updated();
    const { remove } = bench.legacyEntries;
    bench.legacyEntries.remove = async () => ({ state: 'locked', detail: 'no' });
    await started(bench);
    await until(() => bench.log.names().includes('record-removal-owed'), 'the debt');
    expect([statusOf(bench), bench.legacyEntries.values, takeOverOf(bench).stage]).toEqual([
      'signed-in',
      [bench.token],
      'cleaning',
    ]);
    await bench.engine.signOut();
    await bench.engine.stop();
    bench.legacyEntries.remove = remove;
    const next = await started(bench.restart());
    await until(() => takeOverOf(next).stage === 'none', 'the cleaning');
    expect([statusOf(next), next.legacyEntries.values, keysOf(next)]).toEqual([
      'signed-out',
      [null],
      [],
    ]);
  });
});

describe('what is of no use', () => {
  it('is left as it is when the provider refuses it, told once, and not tried at the next start', async () => {
    const bench = updated();
    bench.authority.revokeAll();
    await started(bench);
    await until(() => codeIn(bench) === 'session-ended', 'the refusal');
    await until(() => takeOverOf(bench).stage === 'none', 'the end');
    expect([bench.legacyEntries.values, keysOf(bench), renewals(bench)]).toEqual([
      [bench.token],
      [],
      [bench.token],
    ]);
    expect(takeOverOf(bench).tried).toEqual([expect.stringMatching(/^[\w-]{22}$/)]);
    await bench.engine.stop();
    const next = await started(bench.restart());
    expect([next.engine.view(), renewals(next)]).toEqual([
      { status: 'signed-out', reason: 'never' },
      [bench.token],
    ]);
  });

  it('is tried when the earlier version has written something else by then', async () => {
    const bench = updated();
    bench.authority.revokeAll();
    await started(bench);
    await until(() => codeIn(bench) === 'session-ended', 'the refusal');
    await bench.engine.stop();
    bench.legacyEntries.values[0] = bench.authority.grantEarlier();
    const next = bench.restart();
    await started(next);
    await taken(next);
  });

  it('is not given up for a refusal that a proxy may have said', async () => {
    const bench = updated();
    for (let times = 0; times < 3; times += 1)
      bench.authority.answerNext(() => new Response('no', { status: 403 }));
    await started(bench);
    expect(codeIn(bench)).toBe('response-invalid');
    for (let times = 0; times < 3 && statusOf(bench) !== 'signed-in'; times += 1)
      await bench.clock.advance(LIMITS.retryMaxMs);
    await taken(bench);
  });

  it('is given up when the provider itself refuses it twice, half a minute apart', async () => {
    const bench = updated();
    for (let times = 0; times < 2; times += 1)
      bench.authority.answerNext(() => Response.json({ error: 'invalid_client' }, { status: 401 }));
    await started(bench);
    await until(() => bench.clock.pending === 1, 'the pause');
    await bench.clock.advance(LIMITS.refusalPauseMs - 1);
    expect(renewals(bench)).toHaveLength(1);
    await bench.clock.advance(1);
    await until(() => takeOverOf(bench).tried.length === 1, 'the refusal');
    expect([renewals(bench).length, bench.legacyEntries.values]).toEqual([2, [bench.token]]);
  });

  it.each<[string, (value: string) => unknown]>([
    ['answers null', () => null],
    ['answers nothing', () => undefined],
    ['answers no token', () => ({})],
    ['answers an odd token', () => ({ refreshToken: 'a\nb' })],
    [
      'throws',
      (value) => {
        throw new Error(`cannot parse ${value}`);
      },
    ],
    ['rejects', (value) => Promise.reject(new Error(value))],
  ])('because "read" %s is left, and its value told to nobody', async (_what, read) => {
    const bench = updated({ migrateFrom: [{ ...entry, read: read as typeof entry.read }] });
    await started(bench);
    expect([bench.engine.view(), renewals(bench), bench.legacyEntries.values]).toEqual([
      { status: 'signed-out', reason: 'never' },
      [],
      [bench.token],
    ]);
    expect(bench.log.names()).toEqual(['migration-refused']);
    expect(JSON.stringify([bench.log.events, bench.file.saves])).not.toContain(bench.token);
  });

  it('because "read" never ends is left after five seconds', async () => {
    const bench = updated({
      migrateFrom: [{ ...entry, read: () => new Promise<never>(() => {}) }],
    });
    bench.engine.start();
    await until(() => bench.clock.pending === 2, 'the limits');
    await bench.clock.advance(LIMITS.claimWaitMs);
    expect([statusOf(bench), bench.log.names(), bench.clock.pending]).toEqual([
      'signed-out',
      ['migration-refused'],
      0,
    ]);
  });
});

describe('a person who does not wait for it', () => {
  it('but signs in by the browser has the last word, and nothing is removed', async () => {
    const bench = updated();
    bench.authority.online = false;
    await started(bench);
    bench.authority.online = true;
    await bench.signIn();
    await until(() => takeOverOf(bench).stage === 'none', 'the end');
    await settle();
    await bench.clock.advance(LIMITS.retryMaxMs);
    // The one that failed for want of a network.
    expect([
      statusOf(bench),
      renewals(bench).filter((token) => token === bench.token).length,
      bench.legacyEntries.values,
    ]).toEqual(['signed-in', 1, [bench.token]]);
  });

  it('also when it was about to be stored', async () => {
    let answer = (_subject: string): void => {};
    let asked = 0;
    const bench = updated({
      identify: () =>
        ++asked === 1
          ? new Promise((resolve) => {
              answer = (subject) => {
                resolve({ subject });
              };
            })
          : Promise.resolve({ subject: 'grace' }),
    });
    bench.engine.start();
    await until(() => asked === 1, 'the question who it is');
    await bench.clock.advance(LIMITS.keyringSlowMs);
    await bench.signIn();
    answer('ada');
    await until(() => takeOverOf(bench).stage === 'none', 'the end');
    await settle();
    expect([
      (bench.engine.view() as Signed).account.subject,
      keysOf(bench),
      bench.legacyEntries.values,
    ]).toEqual(['grace', ['session'], [bench.token]]);
  });

  it('but signs out is signed out, also at the next start', async () => {
    const bench = updated();
    const release = bench.authority.hold();
    bench.engine.start();
    await until(() => bench.authority.open === 1, 'the request');
    await bench.clock.advance(LIMITS.keyringSlowMs);
    const signedOut = bench.engine.signOut();
    release();
    await signedOut;
    await until(() => takeOverOf(bench).stage === 'none', 'the end');
    await bench.engine.stop();
    const next = await started(bench.restart());
    expect([statusOf(bench), statusOf(next), keysOf(next)]).toEqual([
      'signed-out',
      'signed-out',
      [],
    ]);
  });

  it('or signs out in the moment when it was stored', async () => {
    const bench = updated(
      {},
      {
        fate: (ask) => {
          if (ask === 'earlier.remove') void bench.engine.signOut();
          return 'lives';
        },
      },
    );
    bench.engine.start();
    await until(
      () => statusOf(bench) === 'signed-out' && keysOf(bench).length === 0,
      'the removal',
    );
    expect((bench.engine.view() as { reason: string }).reason).toBe('signed-out');
  });
});

describe('stop', () => {
  it('while a token is being proved waits for what came of it to be stored', async () => {
    const bench = updated();
    const release = bench.authority.hold();
    bench.engine.start();
    await until(() => bench.authority.open === 1, 'the request');
    const stopped = bench.engine.stop();
    release();
    await stopped;
    expect(bench.clock.pending).toBe(0);
    const next = bench.restart();
    await started(next);
    await until(() => statusOf(next) === 'signed-in', 'the session');
    expect(next.authority.reused).toEqual([]);
  });
});

describe('kill -9', () => {
  /** One life that ends at the n-th thing it asks of the world, unless it comes to rest before. */
  async function live(
    at: number,
    fate: Fate,
    run: (fateOf: (ask: string) => Fate) => Bench,
  ): Promise<{ readonly bench: Bench; readonly lost: boolean }> {
    let count = 0;
    let lost = false;
    let dead = false;
    let before = '';
    const life = run((ask) => {
      count += 1;
      // The only moment that no client can help: the server has rotated, and the keychain does not
      // have it yet.
      if (count === at)
        lost = fate === 'dies after' ? ask === 'network /token' : before === 'network /token';
      before = ask;
      if (count !== at) return 'lives';
      dead = true;
      return fate;
    });
    life.engine.start();
    await until(
      () =>
        dead ||
        (life.file.content !== null &&
          takeOverOf(life).stage === 'none' &&
          (statusOf(life) === 'signed-in' ||
            codeIn(life) !== undefined ||
            (statusOf(life) === 'signed-out' && takeOverOf(life).tried.length > 0))),
      'an end',
    );
    await settle();
    life.kill();
    return { bench: life, lost };
  }

  async function lastLife(bench: Bench, lost: boolean, what: string): Promise<void> {
    const last = bench.restart();
    last.engine.start();
    await until(
      () =>
        statusOf(last) === (lost ? 'signed-out' : 'signed-in') && takeOverOf(last).stage === 'none',
      what,
    );
    await settle();
    expect([statusOf(last), keysOf(last), lost ? null : last.authority.reused], what).toEqual(
      lost ? ['signed-out', [], null] : ['signed-in', ['session'], []],
    );
    // What was taken over is gone; what was lost is left alone.
    expect(last.legacyEntries.values[0] === null, what).toBe(!lost);
    await last.engine.stop();
  }

  it.each(['dies before', 'dies after'] as const)(
    'at any moment loses nothing but an answer on its way (%s)',
    async (fate) => {
      for (let at = 1; at <= 30; at += 1) {
        const fresh = updated();
        const { bench, lost } = await live(at, fate, (fateOf) =>
          createBench(
            { migrateFrom: [entry] },
            {
              authority: fresh.authority,
              legacyEntries: fresh.legacyEntries,
              file: fresh.file,
              clock: fresh.clock,
              lock: fresh.lock.another(),
              fate: fateOf,
            },
          ),
        );
        await lastLife(bench, lost, `${fate} ${at}`);
      }
    },
  );

  it('loses nothing either when it comes again in the life that goes on', async () => {
    const moment = fc.tuple(
      fc.integer({ min: 1, max: 25 }),
      fc.constantFrom('dies before', 'dies after'),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(moment, { minLength: 2, maxLength: 4 }), async (moments) => {
        let bench: Bench = updated();
        let lost = false;
        for (const [at, fate] of moments) {
          const before = bench;
          const life = await live(at, fate, (fateOf) => before.restart(fateOf));
          bench = life.bench;
          lost ||= life.lost;
        }
        await lastLife(bench, lost, JSON.stringify(moments));
      }),
      { numRuns: 60 },
    );
  }, 60_000);
});

it('nothing of it is told to anyone: logs, views, the file, names of entries', async () => {
  const bench = updated();
  await started(bench);
  await taken(bench);
  const text = JSON.stringify([
    bench.log.events,
    bench.views,
    bench.file.saves,
    [...bench.secrets.entries.keys()],
    bench.secrets.calls,
  ]);
  for (const secret of bench.authority.issued) expect(text).not.toContain(secret);
  expect(ISSUER).toMatch(/^https:/);
});
