// The second half of the COMPOSITION ROOT: engine, keychain, network and all else that can wait
// until the app's first window is on its way. Loaded by index.ts, which hands over what it made at
// once. Wires; decides nothing.
import { app } from 'electron';
import { createBrowser } from './adapters/browser.js';
import type { DeepLink } from './adapters/custom-scheme/deep-link.js';
import { createLegacyEntries } from './adapters/secrets/legacy-entries.js';
import { createKeychain } from './adapters/secrets/keychain.js';
import { createLock } from './adapters/lock.js';
import { createLoopback } from './adapters/loopback/loopback.js';
import { createStartPages } from './adapters/loopback/start-page.js';
import { createMemoryStore } from './adapters/secrets/memory-store.js';
import { createMetadataFile } from './adapters/metadata-file.js';
import { createNetwork } from './adapters/network/network.js';
import type { RegistrationFacts } from './adapters/custom-scheme/registration-facts.js';
import { createSafeStorage } from './adapters/secrets/safe-storage.js';
import type { SchemeRegistration } from './adapters/custom-scheme/scheme-registration.js';
import { createSystemEvents } from './adapters/system-events.js';
import { createStateFile } from './adapters/state-file.js';
import { filesAtRest } from './adapters/whole-file.js';
import type { DiagnoseOptions, Diagnosis } from './diagnosis/diagnosis.js';
import { type Engine, createEngine } from './core/engine.js';
import { warningsOf } from './core/options/option-warnings.js';
import type { AuthError } from './core/base/errors.js';
import { LIMITS } from './core/base/limits.js';
import type { AuthOptions, Settings } from './core/options/auth-options.js';
import type {
  Advise,
  Callbacks,
  Clock,
  LegacyEntries,
  Log,
  SecretStore,
} from './core/base/ports.js';
import type { ApiFetch } from './core/requests/api-fetch.js';
import type { Requester } from './core/requests/api-list.js';
import type { RecentEvents } from './diagnosis/recent-events.js';
import { createChunkedStore } from './core/storage/chunked-store.js';
import { createFallbackStore } from './core/storage/fallback-store.js';
import type { SupportBundle, SupportBundleOptions } from './diagnosis/support-bundle.js';
import type { SchemeRemoval } from './auth.js';

/** What index.ts had to make before the app was ready. */
export interface Beginning {
  readonly options: AuthOptions;
  readonly settings: Settings;
  readonly clock: Clock;
  readonly log: Log;
  readonly recent: RecentEvents;
  readonly facts: RegistrationFacts;
  readonly deepLink: DeepLink;
  readonly registration: () => Promise<SchemeRegistration>;
  readonly firstWindow: Promise<void>;
  readonly showApp: () => void;
  /** How many windows were open, if createAuth was called after the app was ready; else null. */
  readonly windowsBefore: number | null;
}

/**
 * The engine, not started yet, and what only few apps ever ask for: that is loaded when they do.
 */
export interface Assembly {
  readonly engine: Engine;
  readonly fetch: ApiFetch;
  /** For the requests of pages. */
  readonly pageFetch: ApiFetch;
  diagnose(options?: DiagnoseOptions): Promise<Diagnosis>;
  supportBundle(options?: SupportBundleOptions): Promise<SupportBundle>;
  unregisterSchemes(): Promise<readonly SchemeRemoval[]>;
}

export function assemble({
  options,
  settings,
  clock,
  log,
  recent,
  facts,
  deepLink,
  registration,
  firstWindow,
  showApp,
  windowsBefore,
}: Beginning): Assembly {
  for (const warning of orderWarnings(settings, facts, windowsBefore))
    log.write({ level: 'warn', event: 'start-order', fields: { warning } });
  for (const warning of warningsOf(settings))
    log.write({ level: 'warn', event: 'options-warning', fields: { warning } });
  /** Schemes that surely lead to this app: for the way back from the browser's last page. */
  const routedSchemes = new Set<string>();
  const { secrets, legacyEntries } = createSecrets(settings, facts);
  const network = createNetwork();
  const startPages = createStartPages();
  const engine = createEngine(settings, {
    secrets,
    ...(legacyEntries === undefined ? {} : { legacyEntries }),
    state: createStateFile({
      folder: facts.userDataPath,
      onSetAside: (file) => {
        log.write({ level: 'warn', event: 'state-file-quarantined', fields: { file } });
      },
    }),
    metadata: createMetadataFile(facts.userDataPath),
    browser: createBrowser(startPages),
    callbacks: {
      'custom-scheme': deepLink,
      loopback: showingApp(
        createLoopback({
          appName: facts.appName,
          resultPage: settings.resultPage,
          openScheme: () => [...routedSchemes][0] ?? null,
          log,
        }),
        showApp,
      ),
    },
    clock,
    network,
    lock: createLock(),
    systemEvents: createSystemEvents(),
    log,
    ...((settings.showAdvice ?? !facts.isPackaged)
      ? { loadAdvice: () => loadAdvice(settings), explain: (error) => explain(error, settings) }
      : {}),
  });
  const schemes = [
    ...new Set(
      settings.redirects.flatMap((redirect) =>
        redirect.kind === 'custom-scheme' ? [redirect.scheme] : [],
      ),
    ),
  ];
  // It starts programs of the system on Linux, which would hold up the keychain's process. A
  // sign-in does not wait for this: it registers what it needs itself.
  let registering: Promise<void> | null = null;
  /** Uninstalled or stopped, which ends the waiting for a window too. */
  let isOver = false;
  void Promise.all([firstWindow, settled(engine)]).then(() => {
    registering = registerAll();
  });

  async function registerAll(): Promise<void> {
    for (const scheme of schemes)
      if (!isOver && (await (await registration()).register(scheme)).ok) routedSchemes.add(scheme);
  }

  async function diagnose({ probe = false }: DiagnoseOptions = {}): Promise<Diagnosis> {
    const [{ diagnose: look }, { createAppSources }] = await Promise.all([
      import('./diagnosis/diagnosis.js'),
      import('./adapters/diagnosis/app-sources.js'),
    ]);
    const sources = createAppSources({
      facts,
      registration: await registration(),
      deepLink,
      singleInstanceLock: settings.singleInstanceLock,
      network,
      secrets,
      inMemoryOnly: settings.secretStore === 'memory',
    });
    return look(settings, sources, clock, { probe });
  }

  let calling: Promise<(requester: Requester) => ApiFetch> | null = null;
  async function loadFetch(): Promise<(requester: Requester) => ApiFetch> {
    const [{ createApiFetch }, { createStepUp }, { createApiNetwork }] = await Promise.all([
      import('./core/requests/api-fetch.js'),
      import('./core/requests/step-up.js'),
      import('./adapters/network/api-network.js'),
    ]);
    // One for all: requests of the host and of pages share a trip to the browser.
    const tokensFor = createStepUp(
      {
        getAccessToken: (wanted) => engine.getAccessToken(wanted, 'api'),
        signIn: (request, signal) => engine.signIn(request, 'host', signal),
        signedIn: (accountId) => engine.signedIn(accountId),
      },
      clock,
    );
    const apiNetwork = createApiNetwork();
    const sessions = { tokensFor, hold: (accountId?: string) => engine.hold(accountId) };
    return (requester) => createApiFetch(settings.apis, apiNetwork, sessions, requester);
  }
  const fetchFor =
    (requester: Requester): ApiFetch =>
    async (input, init) =>
      (await (calling ??= loadFetch()))(requester)(input, init);

  return {
    fetch: fetchFor('host'),
    pageFetch: fetchFor('page'),
    engine: {
      ...engine,
      async stop() {
        isOver = true;
        const deadline = performance.now() + LIMITS.stopMs;
        startPages.stop();
        await engine.stop();
        await filesAtRest(Math.max(deadline - performance.now(), 100));
      },
    },
    diagnose,
    async supportBundle(wanted = {}) {
      const [{ makeSupportBundle }, diagnosis] = await Promise.all([
        import('./diagnosis/support-bundle.js'),
        diagnose({ probe: wanted.probe === true }),
      ]);
      return makeSupportBundle(
        {
          now: clock.now(),
          options: { ...options },
          view: engine.view(),
          diagnosis,
          events: recent.list(),
          homeFolder: app.getPath('home'),
        },
        wanted,
      );
    },
    async unregisterSchemes() {
      isOver = true;
      await registering;
      return Promise.all(
        schemes.map(async (scheme) => {
          const { ok, detail } = await (await registration()).unregister(scheme);
          return { scheme, done: ok, detail };
        }),
      );
    },
  };
}

/** What the host calls in an order that costs something. Names no folder. */
function orderWarnings(
  { redirects, attachPreload }: Settings,
  { userDataPath, appName }: RegistrationFacts,
  windowsBefore: number | null,
): readonly string[] {
  const costs = [
    ...(redirects.some(({ kind }) => kind === 'custom-scheme')
      ? ['on macOS a callback that starts the app is lost']
      : []),
    ...(attachPreload && windowsBefore !== 0
      ? ['a window that was open already has no bridge until it loads again']
      : []),
  ];
  return [
    ...(windowsBefore !== null && costs.length > 0
      ? [
          `createAuth was called after the app was ready: ${costs.join(', and ')}. Call it before that, without await app.whenReady() (docs/bundlers.md, "The moment later")`,
        ]
      : []),
    ...(app.getPath('userData') === userDataPath
      ? []
      : [
          'app.setPath("userData") was called after createAuth: Latchkey keeps its files, and Electron the single-instance lock, in the earlier folder. Call it before createAuth',
        ]),
    ...(app.getName() === appName
      ? []
      : [
          'app.setName() was called after createAuth: entries in the keychain carry the earlier name. Call it before createAuth',
        ]),
  ];
}

/** Resolves when the start is over: what was stored was read, and renewed where that was due. */
function settled(engine: Pick<Engine, 'onView'>): Promise<void> {
  return new Promise((resolve) => {
    engine.onView((view) => {
      if (
        view.status !== 'starting' &&
        !(view.status === 'signed-in' && view.renewal.state === 'renewing')
      )
        resolve();
    });
  });
}

/** Some hundred sentences, which an app that works never needs: loaded at the first error. */
async function loadAdvice({ issuer, provider }: Settings): Promise<Advise> {
  const { createAdvise } = await import('../advice/decide.js');
  return createAdvise({ issuer, preset: provider?.name ?? null });
}

async function explain(
  error: AuthError,
  settings: Settings,
): Promise<{ readonly detail: string; readonly hint: string }> {
  const { describeFailure, doctorCommand } = await import('./diagnosis/failure-line.js');
  return {
    detail: describeFailure(error),
    hint: doctorCommand(settings, process.platform === 'win32' ? 'windows' : 'posix'),
  };
}

function createSecrets(
  { secretStore, keychainService, migrateFrom }: Settings,
  { appName }: RegistrationFacts,
): { readonly secrets: SecretStore; readonly legacyEntries?: LegacyEntries } {
  if (secretStore === 'memory') return { secrets: createMemoryStore() };
  const timeoutMs = LIMITS.keyringTimeoutMs;
  const keychain = createKeychain({ service: keychainService ?? `latchkey:${appName}`, timeoutMs });
  return {
    secrets: createFallbackStore(secretStore, {
      keychain: createChunkedStore(keychain),
      sealed: createSafeStorage({ timeoutMs }),
    }),
    legacyEntries: createLegacyEntries(migrateFrom, keychain.foreign, timeoutMs),
  };
}

/** A loopback sign-in ends in the browser. A person who is signed in wants the app. */
function showingApp(loopback: Callbacks, showApp: () => void): Callbacks {
  return {
    ...loopback,
    async prepare(option) {
      const prepared = await loopback.prepare(option);
      if (prepared.state === 'unavailable') return prepared;
      const { redirect } = prepared;
      return {
        state: 'ready',
        redirect: {
          ...redirect,
          close(outcome) {
            redirect.close(outcome);
            if (outcome === 'signed-in' || outcome === 'signed-out') showApp();
          },
        },
      };
    },
  };
}
