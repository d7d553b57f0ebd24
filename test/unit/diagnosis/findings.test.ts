import { describe, expect, it } from 'vitest';
import type { KeyringFacts, SchemeFacts } from '../../../src/main/diagnosis/facts.js';
import {
  commandText,
  type FindingLevel,
  judgeHeaders,
  judgeHost,
  judgeKeyring,
  judgeLoopback,
  judgeProbe,
  judgeScheme,
  oneLine,
} from '../../../src/main/diagnosis/findings.js';

const scheme: SchemeFacts = {
  scheme: 'com.example.notes',
  owner: {
    state: 'owned',
    name: 'notes.desktop',
    command: ['/opt/notes', '--user-data-dir=/home/ann/Notes'],
    isThere: true,
  },
  isOurs: true,
  registration: { ok: true },
  rivals: [],
};
const thief = {
  state: 'owned',
  name: 'thief.desktop',
  command: ['/opt/thief'],
  isThere: true,
} as const;
const refused = { ok: false, detail: 'the scheme leads to another program, or to none' } as const;

describe('the judgement of a scheme', () => {
  it.each<[string, Partial<SchemeFacts>, FindingLevel, RegExp]>([
    [
      'it leads here',
      {},
      'ok',
      /leads to notes\.desktop, which runs \/opt\/notes --user-data-dir=\/home\/ann\/Notes: this app$/,
    ],
    [
      'nobody says who should have it',
      { isOurs: null, registration: null },
      'ok',
      /which runs \/opt\/notes/,
    ],
    [
      'another program has it and keeps it',
      { owner: thief, isOurs: false, registration: refused },
      'error',
      /leads to thief\.desktop, which runs \/opt\/thief, another program; this app cannot take it back: the scheme leads/,
    ],
    [
      'another program had it',
      { owner: thief, isOurs: false },
      'warning',
      /another program; this app has taken it back$/,
    ],
    [
      'another program has it, and no app runs',
      { owner: thief, isOurs: false, registration: null },
      'error',
      /another program$/,
    ],
    [
      'its program is gone',
      { owner: { ...thief, isThere: false }, isOurs: false, registration: null },
      'error',
      /that program is not there$/,
    ],
    [
      'its command cannot be read',
      { owner: { ...thief, command: [], isThere: null }, isOurs: false, registration: refused },
      'error',
      /leads to thief\.desktop, another program/,
    ],
    [
      'nobody has it, and no app runs',
      { owner: { state: 'nobody' }, isOurs: null, registration: null },
      'warning',
      /^nobody opens "com\.example\.notes:"$/,
    ],
    [
      'nobody has it, and this app cannot',
      {
        owner: { state: 'nobody' },
        isOurs: null,
        registration: { ok: false, detail: 'xdg-mime is missing' },
      },
      'error',
      /^nobody opens "com\.example\.notes:": xdg-mime is missing$/,
    ],
    [
      'nobody had it',
      { owner: { state: 'nobody' }, isOurs: null },
      'ok',
      /it leads to this app since now$/,
    ],
    [
      'nobody can tell',
      {
        owner: { state: 'unknown', detail: 'xdg-mime is missing' },
        isOurs: null,
        registration: null,
      },
      'warning',
      /cannot be seen: xdg-mime is missing$/,
    ],
  ])('when %s', (_name, changes, level, seen) => {
    const [finding] = judgeScheme({ ...scheme, ...changes }, true);
    expect(finding).toMatchObject({ id: 'scheme-owner', level });
    expect(finding?.seen).toMatch(seen);
    expect(finding?.todo === undefined).toBe(level === 'ok');
  });

  it('says what sign-ins do meanwhile', () => {
    const stolen = { ...scheme, owner: thief, isOurs: false, registration: refused };
    expect(judgeScheme(stolen, true)[0]?.todo).toMatch(
      /sign-ins use the next redirect of your list\.$/,
    );
    expect(judgeScheme(stolen, false)[0]?.todo).toMatch(/List a loopback redirect behind it/);
  });

  it('names every other program that claims the scheme', () => {
    const rivals = [
      { name: 'another build', command: ['/src/electron', '/src/my notes'] },
      { name: 'b.desktop', command: [] },
    ];
    const found = judgeScheme({ ...scheme, rivals }, true).filter(
      ({ id }) => id === 'scheme-shared',
    );
    expect(found.map(({ level }) => level)).toEqual(['warning', 'warning']);
    expect(found.map(({ seen }) => seen)).toEqual([
      '"com.example.notes:" is claimed by another build, too, which runs /src/electron "/src/my notes"',
      '"com.example.notes:" is claimed by b.desktop, too, which runs something that cannot be read',
    ]);
    expect(judgeScheme(scheme, true)).toContainEqual({
      id: 'scheme-shared',
      level: 'ok',
      seen: 'no other program was seen that claims "com.example.notes:"',
    });
  });
});

describe('the judgement of a probe', () => {
  it.each([
    ['came-back', 'ok'],
    ['lost', 'error'],
    ['nobody-to-ask', 'warning'],
  ] as const)('that was %s is %s', (outcome, level) => {
    expect(judgeProbe({ scheme: 'com.example.notes', outcome, limitMs: 10_000 })).toMatchObject({
      id: 'scheme-probe',
      level,
    });
  });
});

describe('the judgement of a keyring', () => {
  const works: KeyringFacts = {
    outcome: 'works',
    detail: '',
    store: 'keychain',
    backend: 'gnome-keyring-daemon',
    tookMs: 31,
  };

  it.each<[Partial<KeyringFacts>, FindingLevel, RegExp]>([
    [
      {},
      'ok',
      /^the keyring \(gnome-keyring-daemon\) took an entry, gave it back and removed it in 31 ms$/,
    ],
    [
      { store: 'safe-storage', backend: null },
      'warning',
      /^there is no keychain; sessions are kept in encrypted files$/,
    ],
    [
      { outcome: 'locked', detail: 'the keyring is locked' },
      'error',
      /is locked: the keyring is locked$/,
    ],
    [
      { outcome: 'silent', tookMs: 5_012 },
      'error',
      /did not answer within 5 s, as when its password dialog is open$/,
    ],
    [
      { outcome: 'unavailable', detail: 'there is no D-Bus session bus', backend: null },
      'error',
      /^there is no keyring: there is no D-Bus session bus$/,
    ],
    [
      { outcome: 'memory-by-option', store: 'memory' },
      'ok',
      /in memory only, by the option "secretStore"$/,
    ],
  ])('%j', (changes, level, seen) => {
    const found = judgeKeyring({ ...works, ...changes });
    expect(found).toMatchObject({ id: 'keyring', level });
    expect(found.seen).toMatch(seen);
  });
});

describe('the judgement of the computer', () => {
  const host = {
    latchkey: '0.1.0',
    electron: '33.2.1',
    node: '20.18.1',
    system: 'Linux 6.1 x64',
    packaging: 'packaged',
    instanceLock: 'held',
  } as const;

  it('tells the versions, and that later starts arrive', () => {
    expect(judgeHost(host)).toEqual([
      {
        id: 'versions',
        level: 'ok',
        seen: 'Latchkey 0.1.0, Electron 33.2.1, Node 20.18.1, Linux 6.1 x64',
      },
      { id: 'packaging', level: 'ok', seen: 'packaged, without a sandbox of its own' },
      {
        id: 'instance',
        level: 'ok',
        seen: 'this process has the single-instance lock: a later start hands its callback over',
      },
    ]);
  });

  it('warns when nobody holds the lock, and says nothing about it where no app runs', () => {
    expect(judgeHost({ ...host, instanceLock: 'left-to-host' })[2]).toMatchObject({
      id: 'instance',
      level: 'warning',
    });
    expect(judgeHost({ ...host, electron: null, instanceLock: null }).map(({ id }) => id)).toEqual([
      'versions',
      'packaging',
    ]);
  });

  it.each([
    ['plain-node', 'ok'],
    ['development', 'ok'],
    ['packaged', 'ok'],
    ['appimage', 'ok'],
    ['flatpak', 'warning'],
    ['snap', 'warning'],
    ['msix', 'warning'],
    ['mac-app-store', 'warning'],
  ] as const)('of a %s start is %s', (packaging, level) => {
    expect(judgeHost({ ...host, packaging })[1]).toMatchObject({ id: 'packaging', level });
  });
});

describe('the judgement of ports and requests', () => {
  it('tells why a loopback redirect cannot be listened on', () => {
    const closed = (code: string): string =>
      judgeLoopback(
        { redirect: 'http://127.0.0.1:8400/', outcome: { state: 'closed', code } },
        true,
      ).seen;
    expect(closed('EADDRINUSE')).toContain('another program has the port (EADDRINUSE)');
    expect(closed('EACCES')).toContain(
      'the system reserves the port, as Hyper-V, WSL and Docker do (EACCES)',
    );
    expect(closed('EWHATEVER')).toContain('the system refuses (EWHATEVER)');
    expect(
      judgeLoopback({ redirect: 'http://127.0.0.1/', outcome: { state: 'open', port: 5 } }, false)
        .level,
    ).toBe('ok');
  });

  it('is an error only when it is the one redirect', () => {
    const facts = {
      redirect: 'http://127.0.0.1:8400/',
      outcome: { state: 'closed', code: 'EADDRINUSE' },
    } as const;
    expect([judgeLoopback(facts, true).level, judgeLoopback(facts, false).level]).toEqual([
      'warning',
      'error',
    ]);
  });

  it('names what a request should not have carried', () => {
    expect(judgeHeaders({ origin: false, cookie: false }).level).toBe('ok');
    expect(judgeHeaders({ origin: true, cookie: true })).toMatchObject({
      level: 'error',
      seen: 'a request that was looked at on this computer carried an Origin and a cookie',
    });
  });
});

describe('what is seen', () => {
  it('is one short line, whatever the system or a server wrote', () => {
    expect(oneLine('a\u001b[31m\r\nb\u202ec\u0000d')).toBe('a [31m b c d');
    expect(oneLine('x'.repeat(1_000))).toHaveLength(400);
    expect(commandText(['/a b', "it's", 'plain'])).toBe('"/a b" "it\'s" plain');
  });
});
