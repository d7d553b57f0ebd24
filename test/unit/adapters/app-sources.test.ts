import type { App } from 'electron';
import { describe, expect, it } from 'vitest';
import {
  type AppSourcesOptions,
  createAppSources,
} from '../../../src/main/adapters/diagnosis/app-sources.js';
import type { RegistrationFacts } from '../../../src/main/adapters/custom-scheme/registration-facts.js';
import type { SchemeRegistration } from '../../../src/main/adapters/custom-scheme/scheme-registration.js';
import type { DiagnosisSources, SchemeFacts, Unseen } from '../../../src/main/diagnosis/facts.js';
import { createFakeNetwork, createFakeSecretStore } from '../../support/fakes.js';

type ProtocolInfo = Awaited<ReturnType<App['getApplicationInfoForProtocol']>>;

const SCHEME = 'com.example.notes';
const mac: RegistrationFacts = {
  platform: 'darwin',
  appName: 'Notes',
  isPackaged: true,
  execPath: '/Applications/Notes.app/Contents/MacOS/Notes',
  appPath: '/Applications/Notes.app/Contents/Resources/app.asar',
  argv: [],
  workingFolder: '/',
  userDataPath: '/home/ann/Notes',
  userDataIsDefault: true,
  noSandbox: false,
  windowsStore: false,
  env: {},
};

function sources({
  owner,
  registration,
  ...options
}: Partial<AppSourcesOptions> & {
  readonly owner?: Partial<ProtocolInfo>;
  readonly registration?: SchemeRegistration;
} = {}): DiagnosisSources {
  return createAppSources({
    app: {
      getApplicationInfoForProtocol: async () =>
        owner === undefined ? Promise.reject(new Error('none')) : (owner as ProtocolInfo),
      hasSingleInstanceLock: () => true,
    },
    facts: mac,
    registration: registration ?? {
      register: async () => ({ ok: true }),
      unregister: async () => ({ ok: true, detail: '' }),
      displaced: () => [],
    },
    deepLink: {
      primary: true,
      probe: async () => false,
      prepare: async () => ({ state: 'unavailable', detail: '' }),
      onCallback: () => undefined,
      stop: () => undefined,
    },
    singleInstanceLock: true,
    network: createFakeNetwork(),
    secrets: createFakeSecretStore(),
    inMemoryOnly: false,
    ...options,
  });
}

async function schemeOf(of: DiagnosisSources): Promise<SchemeFacts> {
  const facts: SchemeFacts | Unseen = await of.scheme(SCHEME);
  if ('unseen' in facts) throw new Error(facts.unseen);
  return facts;
}

describe('the facts of a scheme in a running app', () => {
  it("on macOS tell this app's bundle from another one, and from one whose name begins alike", async () => {
    expect(
      await schemeOf(sources({ owner: { name: 'Notes', path: '/Applications/Notes.app' } })),
    ).toMatchObject({ isOurs: true, owner: { name: 'Notes' } });
    expect(
      await schemeOf(
        sources({ owner: { name: 'Notes Beta', path: '/Applications/Notes Beta.app' } }),
      ),
    ).toMatchObject({ isOurs: false });
    expect(
      await schemeOf(sources({ owner: { name: 'Not', path: '/Applications/Not' } })),
    ).toMatchObject({ isOurs: false });
    expect(await schemeOf(sources())).toMatchObject({ isOurs: null, owner: { state: 'nobody' } });
  });

  it('say who had it before they take it back as a sign-in does', async () => {
    const order: string[] = [];
    const registration: SchemeRegistration = {
      register: async () => {
        order.push('register');
        return { ok: false, detail: 'no' };
      },
      unregister: async () => ({ ok: true, detail: '' }),
      displaced: () => [],
    };
    const app = {
      getApplicationInfoForProtocol: async () => {
        order.push('owner');
        return { name: 'Thief', path: '/Thief.app' } as ProtocolInfo;
      },
      hasSingleInstanceLock: () => true,
    };
    expect(await schemeOf(sources({ app, registration }))).toMatchObject({
      registration: { ok: false, detail: 'no' },
      isOurs: false,
    });
    expect(order).toEqual(['owner', 'register']);
  });

  it.each([
    ['flatpak', { platform: 'linux', env: { FLATPAK_ID: 'com.example.Notes' } }],
    ['MSIX', { platform: 'win32', windowsStore: true }],
  ] as const)(
    "are not looked for inside %s, where the answer would be the package's",
    async (_name, changes) => {
      expect(await sources({ facts: { ...mac, ...changes } }).scheme(SCHEME)).toMatchObject({
        unseen: expect.stringContaining('a probe shows whether it arrives') as string,
      });
    },
  );

  it('are unknown on Windows when the registry cannot be asked', async () => {
    expect(
      await schemeOf(
        sources({ facts: { ...mac, platform: 'win32', env: { PATH: '/nonexistent' } } }),
      ),
    ).toMatchObject({ owner: { state: 'unknown' }, isOurs: null });
  });
});

describe('the facts of a keyring in a running app', () => {
  it('come from a harmless entry that is gone afterwards', async () => {
    const secrets = createFakeSecretStore();
    expect(await sources({ secrets }).keyring()).toMatchObject({
      outcome: 'works',
      store: 'keychain',
    });
    expect([secrets.calls, [...secrets.entries]]).toEqual([
      ['write latchkey-doctor', 'read latchkey-doctor', 'remove latchkey-doctor'],
      [],
    ]);
  });

  it.each(['locked', 'unavailable'] as const)('tell that it is %s', async (mode) => {
    const secrets = createFakeSecretStore(mode);
    expect(await sources({ secrets }).keyring()).toMatchObject({ outcome: mode });
  });

  it('are not asked for where sessions live in memory by option', async () => {
    const secrets = createFakeSecretStore();
    expect(await sources({ secrets, inMemoryOnly: true }).keyring()).toMatchObject({
      outcome: 'memory-by-option',
    });
    expect(secrets.calls).toEqual([]);
  });
});
