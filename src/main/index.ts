// Entry latchkey/main and the first half of the COMPOSITION ROOT: what must be there before the app
// is ready, and no more. Wires; decides nothing. Everything else is in assembly.ts, which is loaded
// while the app starts: whatever this file imports at its top is paid before the first window.
import { app, BaseWindow } from 'electron';
import { createClock } from './adapters/clock.js';
import { createDeepLink } from './adapters/custom-scheme/deep-link.js';
import { firstWindowLoaded } from './adapters/pages/first-window.js';
import { createShowApp } from './adapters/pages/show-app.js';
import { exposeToPages } from './adapters/pages/ipc.js';
import { whyFilesMissing } from './adapters/package-files.js';
import { attachPreload } from './adapters/pages/attach-preload.js';
import { readRegistrationFacts } from './adapters/custom-scheme/registration-facts.js';
import type { SchemeRegistration } from './adapters/custom-scheme/scheme-registration.js';
import type { Assembly } from './assembly.js';
import { AuthError, partMissingError, stoppedError } from './core/base/errors.js';
import { createEventLog } from './core/base/event-log.js';
import type { AuthEvent } from './core/base/events.js';
import { createLazyEngine } from './core/lazy-engine.js';
import { parseOptions } from './core/options/options.js';
import type { AuthOptions } from './core/options/auth-options.js';
import { createRecentEvents } from './diagnosis/recent-events.js';
import type { Auth } from './auth.js';

export type {
  AccountClaims,
  AccountView,
  ActiveAccountView,
  AdviceView,
  ApiResponse,
  AttemptView,
  AuthErrorCode,
  AuthErrorRetry,
  AuthErrorView,
  AuthView,
  ClaimValue,
  DeviceView,
  ProviderErrorView,
  RedirectKind,
  RenewalView,
  SignInRequest,
  SignOutRequest,
  SignedInView,
  SignedOutView,
} from '../contract.js';
export type { Auth, SchemeRemoval } from './auth.js';
export type { DiagnoseOptions, Diagnosis } from './diagnosis/diagnosis.js';
export { AuthError };
export type { AuthEvent, EventName } from './core/base/events.js';
export type { Finding, FindingId, FindingLevel } from './diagnosis/findings.js';
export type { ApiFetch, ApiRequestInit } from './core/requests/api-fetch.js';
export type { ApiChallenge } from './core/requests/step-up-challenge.js';
export type {
  ApiOption,
  AppWindow,
  AuthOptions,
  LegacyEntry,
  LegacySession,
  LogoutOptions,
  EndpointOptions,
  Identity,
  OptionsWithIssuer,
  OptionsWithProvider,
  ResultPageOptions,
  ResultTexts,
  PagesMayAsk,
  SharedOptions,
} from './core/options/auth-options.js';
export type { SignInOptions } from './core/authorization/sign-in-request.js';
export type { ProviderPreset } from './core/options/provider-preset.js';
export type { IdTokenRequest, TokenRequest } from './core/session/token-request.js';
export type { SupportBundle, SupportBundleOptions } from './diagnosis/support-bundle.js';

/** Only the first sign-in of a process can come too late: it is the one that callbacks start. */
let isFirst = true;

/**
 * Creates the sign-in. Call it synchronously at start-up, before the app is ready and after any
 * call of `app.setPath('userData', …)`. It takes the single-instance lock and listens for
 * callbacks. In a second instance it passes its arguments to the first and ends the process. Throws
 * `AuthError` "invalid-options" at once if an option is wrong or another sign-in still runs, and
 * "files-missing" if Latchkey was bundled. After `stop()` has resolved you may call it again, also
 * for another server: nothing of the first sign-in reaches the second.
 */
export function createAuth(options: AuthOptions): Auth {
  const settings = parseOptions(options);
  const incomplete = whyFilesMissing([
    ...(settings.attachPreload ? ['preload' as const] : []),
    ...(settings.secretStore === 'memory' ? [] : ['keychain-worker' as const]),
  ]);
  if (incomplete !== null) throw new AuthError('files-missing', incomplete);
  const clock = createClock();
  const recent = createRecentEvents();
  const log = createEventLog(clock, (event) => {
    recent.note(event);
    (settings.onLog ?? complain)(event);
  });

  const facts = readRegistrationFacts(app);
  const windowsBefore = isFirst && app.isReady() ? BaseWindow.getAllWindows().length : null;
  let registering: Promise<SchemeRegistration> | null = null;
  const registration = (): Promise<SchemeRegistration> =>
    (registering ??= import('./adapters/custom-scheme/scheme-registration.js').then(
      ({ createSchemeRegistration }) => createSchemeRegistration({ app, facts }),
    ));
  let assembling: Promise<Assembly> | null = null;
  const assembled = (): Promise<Assembly> =>
    (assembling ??= import('./assembly.js').then(
      ({ assemble }) =>
        assemble({
          options,
          settings,
          clock,
          log,
          recent,
          facts,
          deepLink,
          registration,
          firstWindow,
          showApp: () => showApp.show(),
          windowsBefore,
        }),
      (cause: unknown) => {
        throw partMissingError(cause);
      },
    ));
  const engine = createLazyEngine(async () => (await assembled()).engine);

  // First: it tells whether an earlier sign-in still runs, and nothing is to be undone then.
  const pages = exposeToPages(
    { ...engine, fetch: async () => (await running()).pageFetch },
    { trustedOrigins: settings.trustedOrigins, appPath: app.getAppPath() },
    log,
  );
  isFirst = false;
  const left = new AbortController();
  const firstWindow = firstWindowLoaded(app, left.signal);
  const showApp = createShowApp({
    appWindow: settings.appWindow,
    trusted: () => pages.trusted(),
    log,
  });
  const hadLock = app.hasSingleInstanceLock();
  const deepLink = createDeepLink({
    app,
    redirects: settings.redirects,
    singleInstanceLock: settings.singleInstanceLock,
    registration: { register: async (scheme) => (await registration()).register(scheme) },
    showApp: () => showApp.show(),
    log,
  });
  const undo = [
    () => pages.remove(),
    () => showApp.stop(),
    () => deepLink.stop(),
    () => left.abort(),
  ];
  let stopping: Promise<void> | null = null;
  const stop = (): Promise<void> => (stopping ??= end());
  async function end(): Promise<void> {
    await engine.stop();
    // The doctor may have loaded it without a start.
    await (await assembling?.catch(() => null))?.engine.stop();
    for (const step of undo) step();
  }

  if (deepLink.primary) {
    undo.push(stopBeforeQuit(stop));
    if (settings.attachPreload) undo.push(attachPreload());
    if (settings.singleInstanceLock && !hadLock) undo.push(() => app.releaseSingleInstanceLock());
    // The window comes first. A call that asks for something does not wait for it.
    void firstWindow.then(() => {
      engine.start();
    });
  } else {
    void stop();
    app.exit(0);
  }
  const running = (): Promise<Assembly> =>
    stopping === null ? assembled() : Promise.reject(stoppedError());

  return {
    getView: () => engine.view(),
    onView: (listener) => engine.onView(listener),
    signIn: (request) => engine.signIn(request, 'host'),
    cancelSignIn: async () => {
      engine.cancelSignIn();
    },
    reopenBrowser: async () => {
      engine.reopenBrowser();
    },
    tryAnotherWay: async () => {
      engine.tryAnotherWay();
    },
    pasteCallback: (text) => engine.pasteCallback(text),
    signOut: (request) => engine.signOut(request),
    forgetAccount: (accountId) => engine.forgetAccount(accountId),
    switchAccount: (accountId) => engine.switchAccount(accountId),
    retry: async () => {
      engine.retry();
    },
    getAccessToken: (request) => engine.getAccessToken(request),
    getIdToken: (request) => engine.getIdToken(request),
    fetch: async (input, init) => (await running()).fetch(input, init),
    diagnose: async (scope) => (await running()).diagnose(scope),
    supportBundle: async (wanted) => (await running()).supportBundle(wanted),
    unregisterSchemes: async () => (await running()).unregisterSchemes(),
    onEvent: (listener) => log.onEvent(listener),
    stop,
  };
}

/**
 * A token that has just arrived is stored before the process ends. Returns a function that undoes
 * this; `stop` calls it at its end.
 */
function stopBeforeQuit(stop: () => Promise<void>): () => void {
  const onQuit = (event: { preventDefault: () => void }): void => {
    event.preventDefault();
    void stop().finally(() => {
      // Electron ignores a call of quit while it still emits this event.
      setImmediate(() => {
        app.quit();
      });
    });
  };
  app.on('will-quit', onQuit);
  return () => {
    app.off('will-quit', onQuit);
  };
}

/** What a host should see even if it does not listen. */
function complain({ level, event, fields }: AuthEvent): void {
  // One line, so that the command in it can be copied.
  if (event === 'sign-in-failed') console.warn(`latchkey: ${fields['detail']}: ${fields['hint']}`);
  else if (level === 'warn' || level === 'error') console.warn(`latchkey: ${event}`, fields);
}
