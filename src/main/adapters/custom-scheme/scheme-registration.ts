// Makes the operating system open a scheme's URLs with this very app, at every start, checks the
// result, and can undo it. On Linux never through Electron, which would block the main thread for
// seconds. Not verified on Windows and macOS.
import type { App } from 'electron';
import { START_LIMITS } from '../../core/base/start-limits.js';
import type { RegistrationFacts } from './registration-facts.js';
import {
  type Registration,
  type Unregistration,
  registerOnLinux,
  unregisterOnLinux,
} from './scheme-linux.js';
import { LINK_SENTINEL, SWITCHES_END } from './start-arguments.js';
import { findStartTarget } from './start-target.js';

export interface SchemeRegistration {
  /**
   * Makes the scheme lead to this app, and checks it. Cheap if it already does. Called again before
   * each attempt, because another build or instance may have taken the scheme since. Bounded by
   * `LIMITS.redirectPrepareMs`; never throws.
   */
  register(scheme: string): Promise<Registration>;
  /** Undoes `register`, for an uninstaller. Waits for a running registration; never throws. */
  unregister(scheme: string): Promise<Unregistration>;
  /**
   * Commands of other builds whose registration this process has replaced. They share the scheme
   * with it.
   */
  displaced(scheme: string): readonly (readonly string[])[];
}

/**
 * How a scheme is registered on this system. `detail` says why it cannot be; `removal` says how to
 * remove it.
 */
export type RegistrationPlan =
  | { readonly by: 'electron'; readonly path?: string; readonly args?: readonly string[] }
  | {
      readonly by: 'desktop-file';
      readonly words: readonly string[];
      readonly bareStartWorks: boolean;
    }
  | { readonly by: 'nobody'; readonly detail: string; readonly removal: string };

const WITH_PACKAGE = 'nothing was registered at run time; the scheme goes with the package';

/** Decides how this app can own a scheme, and with which command. Pure, but for `findTarget`. */
export function planRegistration(
  facts: RegistrationFacts,
  findTarget: (facts: RegistrationFacts) => string | null = findStartTarget,
): RegistrationPlan {
  const { platform, isPackaged, execPath, env } = facts;
  const target = isPackaged ? null : findTarget(facts);
  const cannotStart: RegistrationPlan | null =
    isPackaged || target !== null
      ? null
      : {
          by: 'nobody',
          detail:
            'a link cannot start this app as it was started: start it by the folder of its package.json ("electron ."), or use a loopback redirect',
          removal: 'nothing was registered, because a link cannot start this app',
        };
  switch (platform) {
    case 'win32':
      // The registry is a copy there: Electron returns true, but nothing happens.
      if (facts.windowsStore)
        return {
          by: 'nobody',
          detail: 'an MSIX package registers schemes by its manifest only',
          removal: WITH_PACKAGE,
        };
      if (cannotStart !== null) return cannotStart;
      return {
        by: 'electron',
        path: execPath,
        args: [...(target === null ? [] : [target]), LINK_SENTINEL, SWITCHES_END],
      };
    case 'darwin':
      if (!isPackaged)
        return {
          by: 'nobody',
          detail:
            'macOS only routes schemes to packaged apps, by Info.plist; in development every app is Electron there, so use a loopback redirect',
          removal: 'nothing was registered: macOS only routes schemes to packaged apps',
        };
      return { by: 'electron' };
    case 'linux':
      if (env['FLATPAK_ID'] !== undefined)
        return {
          by: 'nobody',
          detail: 'inside flatpak schemes are registered by the package only',
          removal: WITH_PACKAGE,
        };
      if (
        env['SNAP'] !== undefined &&
        env['SNAP_NAME'] !== undefined &&
        execPath.startsWith(env['SNAP'])
      ) {
        return {
          by: 'nobody',
          detail: 'inside snap schemes are registered by the package only',
          removal: WITH_PACKAGE,
        };
      }
      if (cannotStart !== null) return cannotStart;
      return {
        by: 'desktop-file',
        words: commandWords(facts, target),
        bareStartWorks: isPackaged && facts.userDataIsDefault && !facts.noSandbox,
      };
    default:
      return {
        by: 'nobody',
        detail: 'schemes cannot be registered on this platform',
        removal: 'nothing was registered',
      };
  }
}

/**
 * The command that reaches this running instance: the single-instance lock is found by the userData
 * folder.
 */
function commandWords(
  { isPackaged, execPath, userDataPath, noSandbox, env }: RegistrationFacts,
  target: string | null,
): readonly string[] {
  // An AppImage's execPath is inside a mount that ends with the app.
  const program = (isPackaged ? env['APPIMAGE'] : undefined) ?? execPath;
  return [
    program,
    ...(noSandbox ? ['--no-sandbox'] : []),
    `--user-data-dir=${userDataPath}`,
    ...(target === null ? [] : [target]),
  ];
}

export interface SchemeRegistrationOptions {
  readonly app: Pick<
    App,
    'setAsDefaultProtocolClient' | 'isDefaultProtocolClient' | 'removeAsDefaultProtocolClient'
  >;
  readonly facts: RegistrationFacts;
}

/** Creates the registration. Nothing happens before the first `register`. */
export function createSchemeRegistration({
  app,
  facts,
}: SchemeRegistrationOptions): SchemeRegistration {
  const plan = planRegistration(facts);
  const running = new Map<string, Promise<Registration>>();
  const displaced = new Map<string, readonly (readonly string[])[]>();
  const timeoutMs = START_LIMITS.redirectPrepareMs;

  async function register(scheme: string): Promise<Registration> {
    switch (plan.by) {
      case 'nobody':
        return { ok: false, detail: plan.detail };
      case 'electron': {
        const target = targetOf(plan);
        app.setAsDefaultProtocolClient(scheme, ...target);
        // Its result proves nothing, in either direction.
        return app.isDefaultProtocolClient(scheme, ...target)
          ? { ok: true }
          : { ok: false, detail: 'the scheme leads to another program' };
      }
      case 'desktop-file':
        return await registerOnLinux({
          scheme,
          appName: facts.appName,
          words: plan.words,
          env: facts.env,
          timeoutMs,
          bareStartWorks: plan.bareStartWorks,
          onDisplaced: (command) =>
            void displaced.set(scheme, [...(displaced.get(scheme) ?? []), command].slice(-4)),
        });
    }
  }

  async function unregister(scheme: string): Promise<Unregistration> {
    switch (plan.by) {
      case 'nobody':
        return { ok: true, detail: plan.removal };
      case 'electron': {
        if (facts.platform === 'darwin')
          return {
            ok: true,
            detail: 'macOS forgets the scheme when the app is deleted; nothing else takes it away',
          };
        const target = targetOf(plan);
        if (!app.isDefaultProtocolClient(scheme, ...target))
          return { ok: false, detail: 'the scheme leads to another program, and is left to it' };
        app.removeAsDefaultProtocolClient(scheme, ...target);
        return app.isDefaultProtocolClient(scheme, ...target)
          ? { ok: false, detail: 'the registry still names this app' }
          : { ok: true, detail: 'removed from the registry of this user; an empty key may stay' };
      }
      case 'desktop-file':
        return await unregisterOnLinux({ scheme, words: plan.words, env: facts.env, timeoutMs });
    }
  }

  return {
    register(scheme) {
      const known = running.get(scheme);
      if (known !== undefined) return known;
      const started = register(scheme)
        .catch((thrown: unknown): Registration => ({
          ok: false,
          detail: `the registration failed (${codeOf(thrown)})`,
        }))
        .finally(() => running.delete(scheme));
      running.set(scheme, started);
      return started;
    },
    async unregister(scheme) {
      await running.get(scheme);
      return await unregister(scheme).catch((thrown: unknown): Unregistration => ({
        ok: false,
        detail: `the removal failed (${codeOf(thrown)})`,
      }));
    },
    displaced: (scheme) => displaced.get(scheme) ?? [],
  };
}

function targetOf({
  path,
  args,
}: Extract<RegistrationPlan, { by: 'electron' }>): [path?: string, args?: string[]] {
  return path === undefined ? [] : [path, [...(args ?? [])]];
}

function codeOf(thrown: unknown): string {
  return (thrown as NodeJS.ErrnoException).code ?? 'no code';
}
