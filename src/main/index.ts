// Entry latchkey/main and COMPOSITION ROOT: the only file that knows both core and adapters. Wires; decides nothing.
import { app } from 'electron';
import type { AuthView, SignInRequest } from '../contract.js';
import { createAppSources } from './adapters/app-sources.js';
import { createBrowser } from './adapters/browser.js';
import { createClock } from './adapters/clock.js';
import { createDeepLink } from './adapters/deep-link.js';
import { createEarlierEntries } from './adapters/earlier-entries.js';
import { rememberFocus, showApp } from './adapters/focus.js';
import { exposeToPages } from './adapters/ipc.js';
import { createKeychain } from './adapters/keychain.js';
import { createLock } from './adapters/lock.js';
import { createLoopback } from './adapters/loopback.js';
import { createMemoryStore } from './adapters/memory-store.js';
import { createNetwork } from './adapters/network.js';
import { assertOwnFiles } from './adapters/own-files.js';
import { attachPreload } from './adapters/preload.js';
import { createSafeStorage } from './adapters/safe-storage.js';
import { createSchemeRegistration, readRegistrationFacts } from './adapters/scheme-registration.js';
import { createSignals } from './adapters/signals.js';
import { createStateFile } from './adapters/state-file.js';
import { type DiagnoseOptions, type Diagnosis, diagnose } from './core/diagnosis.js';
import { createEngine } from './core/engine.js';
import { createEventLog } from './core/event-log.js';
import type { AuthEvent } from './core/events.js';
import { type AuthOptions, LIMITS, type Settings, parseOptions } from './core/options.js';
import type { Advise, Callbacks, EarlierEntries, SecretStore } from './core/ports.js';
import { createRecentEvents } from './core/recent-events.js';
import { parseSignInRequest } from './core/sign-in-request.js';
import { createSplitStore } from './core/split-store.js';
import { createStoreChoice } from './core/store-choice.js';
import { type SupportBundle, type SupportBundleOptions, makeSupportBundle } from './core/support-bundle.js';

export type { AccountView, AdviceView, AttemptView, AuthErrorCode, AuthErrorRetry, AuthErrorView, AuthView, DeviceView, ProviderErrorView, RedirectKind, RenewalView, SignInRequest } from '../contract.js';
export type { DiagnoseOptions, Diagnosis } from './core/diagnosis.js';
export { AuthError } from './core/errors.js';
export type { AuthEvent, EventName } from './core/events.js';
export type { Finding, FindingId, FindingLevel } from './core/findings.js';
export type { AuthOptions, EarlierEntry, EarlierSession, EndpointOptions, Identity, ResultPageOptions, ResultTexts } from './core/options.js';
export type { ProviderPreset } from './core/provider-preset.js';
export type { SupportBundle, SupportBundleOptions } from './core/support-bundle.js';

/** What became of one scheme. `done` false: it is not this app's to give back, and `detail` says whose it is. */
export interface SchemeRemoval {
  readonly scheme: string;
  readonly done: boolean;
  readonly detail: string;
}

/** Sign-in for the main process. Promises reject with `AuthError` only, and always within a bounded time. */
export interface Auth {
  /** The latest view: a frozen object, the same until the next change. */
  getView(): AuthView;
  /** Calls the listener with the view now and after each change. Returns the way to stop. */
  onView(listener: (view: AuthView) => void): () => void;
  /** Opens the system browser. Resolves when signed in and stored; rejects when the attempt failed, expired or was cancelled. */
  signIn(request?: SignInRequest): Promise<void>;
  /** Ends every open attempt. */
  cancelSignIn(): Promise<void>;
  /** Opens the page of the newest waiting attempt once more. */
  reopenBrowser(): Promise<void>;
  /** Opens the next way of the newest waiting attempt; the earlier ones stay open. Does nothing when none is left. */
  tryAnotherWay(): Promise<void>;
  /** A whole callback URL, or the code that a page shows. Resolves when an attempt has taken it, else rejects with `callback-invalid`. */
  pasteCallback(text: string): Promise<void>;
  /** Forgets the session on this computer first, also offline; then tells the server (RFC 7009) in the background. */
  signOut(): Promise<void>;
  /** Does now what is being waited for: opens the keyring, renews, or stores again. */
  retry(): Promise<void>;
  /** The access token, renewed first when it is due; one request however many callers. It must not reach a page. */
  getAccessToken(): Promise<string>;
  /**
   * Looks at everything that a sign-in needs here: scheme, loopback, keyring, network, clock, provider. Does what a sign-in
   * does, and no more: it registers the scheme, writes and removes a keyring entry, asks the provider. Never rejects.
   */
  diagnose(options?: DiagnoseOptions): Promise<Diagnosis>;
  /** What a person may send to whoever helps them: a diagnosis, versions, options, view and the last log events, redacted. Never rejects. */
  supportBundle(options?: SupportBundleOptions): Promise<SupportBundle>;
  /** For an uninstaller, as the last call: takes back what was registered for the custom schemes. A later start registers them anew. */
  unregisterSchemes(): Promise<readonly SchemeRemoval[]>;
  /** Calls the listener with every event from now on, for telemetry. Returns the way to stop. docs/events.md lists them all. */
  onEvent(listener: (event: AuthEvent) => void): () => void;
  /** Finishes what is being stored and ends everything, within 2.5 seconds. Done by itself when the app quits. */
  stop(): Promise<void>;
}

/**
 * Creates the sign-in. Call once, synchronously at start-up, before the app is ready and before `app.setPath('userData', …)`
 * can no longer be called: it takes the single-instance lock and listens for callbacks. In a second instance it hands its
 * arguments to the first and ends the process. Throws `AuthError` "invalid-options" at once when an option is wrong, and
 * "files-missing" when Latchkey was bundled.
 */
export function createAuth(options: AuthOptions): Auth {
  const settings = parseOptions(options);
  assertOwnFiles([...(settings.attachPreload ? ['preload' as const] : []), ...(settings.secretStore === 'memory' ? [] : ['keychain-worker' as const])]);
  const clock = createClock();
  const recent = createRecentEvents();
  const log = createEventLog(clock, (event) => {
    recent.note(event);
    (settings.onLog ?? complain)(event);
  });
  for (const warning of settings.warnings) log.write({ level: 'warn', event: 'options-unwise', fields: { warning } });

  const facts = readRegistrationFacts(app);
  /** Schemes that surely lead to this app: for the way back from the browser's last page. */
  const routedSchemes = new Set<string>();
  const registration = createSchemeRegistration({ app, facts });
  const deepLink = createDeepLink({ app, redirects: settings.redirects, singleInstanceLock: settings.singleInstanceLock, registration, showApp, log });
  const { secrets, earlier } = createSecrets(settings);
  const network = createNetwork();
  const engine = createEngine(settings, {
    secrets,
    ...(earlier === undefined ? {} : { earlier }),
    state: createStateFile({ onSetAside: (file) => { log.write({ level: 'warn', event: 'state-file-set-aside', fields: { file } }); } }),
    browser: createBrowser(),
    callbacks: { 'custom-scheme': deepLink, loopback: showingApp(createLoopback({ appName: app.getName(), resultPage: settings.resultPage, openScheme: () => [...routedSchemes][0] ?? null })) },
    clock,
    network,
    lock: createLock(),
    signals: createSignals(),
    log,
    loadAdvice: settings.showAdvice ?? !app.isPackaged ? () => loadAdvice(settings) : undefined,
  });

  const redirectSchemes = [...new Set(settings.redirects.flatMap((redirect) => (redirect.kind === 'custom-scheme' ? [redirect.scheme] : [])))];
  const sources = createAppSources({ facts, registration, deepLink, singleInstanceLock: settings.singleInstanceLock, network, secrets, inMemoryOnly: settings.secretStore === 'memory' });

  if (deepLink.primary) {
    rememberFocus();
    for (const scheme of redirectSchemes) void registration.register(scheme).then(({ ok }) => { if (ok) routedSchemes.add(scheme); });
    exposeToPages({ ...engine, signIn: async (argument) => engine.signIn(parseSignInRequest(argument)) }, { trustedOrigins: settings.trustedOrigins, redirectSchemes, appPath: app.getAppPath() }, log);
    if (settings.attachPreload) attachPreload();
    stopBeforeQuit(() => engine.stop());
    engine.start();
  } else {
    void engine.stop();
    app.exit(0);
  }

  return {
    getView: () => engine.view(),
    onView: (listener) => engine.onView(listener),
    signIn: async (request) => engine.signIn(parseSignInRequest(request)),
    cancelSignIn: async () => { engine.cancelSignIn(); },
    reopenBrowser: async () => { engine.reopenBrowser(); },
    tryAnotherWay: async () => { engine.tryAnotherWay(); },
    pasteCallback: (text) => engine.pasteCallback(text),
    signOut: () => engine.signOut(),
    retry: async () => { engine.retry(); },
    getAccessToken: () => engine.getAccessToken(),
    diagnose: (scope = {}) => diagnose(settings, sources, clock, { probe: scope.probe === true }),
    async supportBundle(wanted = {}) {
      const diagnosis = await diagnose(settings, sources, clock, { probe: wanted.probe === true });
      return makeSupportBundle({ now: clock.now(), options: { ...options }, view: engine.view(), diagnosis, events: recent.list(), homeFolder: app.getPath('home') }, wanted);
    },
    unregisterSchemes: () => Promise.all(redirectSchemes.map(async (scheme) => {
      const { ok, detail } = await registration.unregister(scheme);
      return { scheme, done: ok, detail };
    })),
    onEvent: (listener) => log.onEvent(listener),
    stop: () => engine.stop(),
  };
}

/** Some hundred sentences, which an app that works never needs: loaded at the first error. */
async function loadAdvice({ issuer, provider }: Settings): Promise<Advise> {
  const { createAdvise } = await import('../advice/decide.js');
  return createAdvise({ issuer, preset: provider?.name ?? null });
}

function createSecrets({ secretStore, keychainService, takeOver }: Settings): { readonly secrets: SecretStore; readonly earlier?: EarlierEntries } {
  if (secretStore === 'memory') return { secrets: createMemoryStore() };
  const timeoutMs = LIMITS.keyringTimeoutMs;
  const keychain = createKeychain({ service: keychainService ?? `latchkey:${app.getName()}`, timeoutMs });
  return {
    secrets: createStoreChoice(secretStore, { keychain: createSplitStore(keychain), sealed: createSafeStorage({ timeoutMs }) }),
    earlier: createEarlierEntries(takeOver, keychain.foreign, timeoutMs),
  };
}

/** A loopback trip ends in the browser; a person who is signed in wants the app. */
function showingApp(loopback: Callbacks): Callbacks {
  return {
    ...loopback,
    async prepare(option) {
      const prepared = await loopback.prepare(option);
      if (prepared.state === 'unavailable') return prepared;
      const { redirect } = prepared;
      return { state: 'ready', redirect: { ...redirect, close(outcome) { redirect.close(outcome); if (outcome === 'signed-in') showApp(); } } };
    },
  };
}

/** A token that has just arrived is stored before the process ends. */
function stopBeforeQuit(stop: () => Promise<void>): void {
  let done = false;
  app.on('will-quit', (event) => {
    if (done) return;
    event.preventDefault();
    void stop().finally(() => {
      done = true;
      // Electron ignores a quit that is asked for while this event is still being told.
      setImmediate(() => { app.quit(); });
    });
  });
}

/** What a host that listens to nothing should see all the same. */
function complain({ level, event, fields }: AuthEvent): void {
  if (level === 'warn' || level === 'error') console.warn(`latchkey: ${event}`, fields);
}
