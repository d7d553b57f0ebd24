// Makes the operating system bring a scheme's URLs to this very app, at every start, and checks that it does.
// On Linux never through Electron, which would block the main thread for seconds. Not verified on Windows and macOS.
import type { App } from 'electron';
import { LIMITS } from '../core/options.js';
import { type Registration, registerOnLinux } from './scheme-linux.js';

export interface SchemeRegistration {
  /**
   * Makes the scheme lead here, and checks it. Cheap when it does already; asked anew before each attempt, because
   * another build or instance may have taken the scheme since. Bounded by `LIMITS.redirectPrepareMs`; never throws.
   */
  register(scheme: string): Promise<Registration>;
}

/** What decides how to register. Read once, when the app starts. */
export interface RegistrationFacts {
  readonly platform: NodeJS.Platform;
  readonly appName: string;
  readonly isPackaged: boolean;
  readonly execPath: string;
  /** `app.getAppPath()`; used when the app is not packaged. */
  readonly appPath: string;
  readonly userDataPath: string;
  /** Chromium's sandbox is off: a start without that switch would fail as this one would have. */
  readonly noSandbox: boolean;
  /** An MSIX package from the Windows Store. */
  readonly windowsStore: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** How a scheme is registered here. */
export type RegistrationPlan =
  | { readonly by: 'electron'; readonly path?: string; readonly args?: readonly string[] }
  | { readonly by: 'desktop-file'; readonly words: readonly string[] }
  | { readonly by: 'nobody'; readonly detail: string };

/** Decides how this app can own a scheme, and with which command. Pure. */
export function planRegistration(facts: RegistrationFacts): RegistrationPlan {
  const { platform, isPackaged, execPath, appPath, env } = facts;
  switch (platform) {
    case 'win32':
      // There the registry is a copy: Electron says true and nothing happens.
      if (facts.windowsStore) return { by: 'nobody', detail: 'an MSIX package registers schemes by its manifest only' };
      return { by: 'electron', path: execPath, args: isPackaged ? [] : [appPath] };
    case 'darwin':
      if (!isPackaged) return { by: 'nobody', detail: 'macOS only routes schemes to packaged apps' };
      return { by: 'electron' };
    case 'linux':
      if (env['FLATPAK_ID'] !== undefined) return { by: 'nobody', detail: 'inside flatpak schemes are registered by the package only' };
      if (env['SNAP'] !== undefined && env['SNAP_NAME'] !== undefined && execPath.startsWith(env['SNAP'])) {
        return { by: 'nobody', detail: 'inside snap schemes are registered by the package only' };
      }
      return { by: 'desktop-file', words: commandWords(facts) };
    default:
      return { by: 'nobody', detail: 'schemes cannot be registered on this platform' };
  }
}

/** The command that reaches this running instance: the single-instance lock is found by the userData folder. */
function commandWords({ isPackaged, execPath, appPath, userDataPath, noSandbox, env }: RegistrationFacts): readonly string[] {
  // An AppImage's execPath is inside a mount that ends with the app.
  const program = (isPackaged ? env['APPIMAGE'] : undefined) ?? execPath;
  return [program, ...(noSandbox ? ['--no-sandbox'] : []), `--user-data-dir=${userDataPath}`, ...(isPackaged ? [] : [appPath])];
}

export interface SchemeRegistrationOptions {
  readonly app: Pick<App, 'setAsDefaultProtocolClient' | 'isDefaultProtocolClient'>;
  readonly facts: RegistrationFacts;
}

/** Creates the registration. Nothing happens before the first `register`. */
export function createSchemeRegistration({ app, facts }: SchemeRegistrationOptions): SchemeRegistration {
  const plan = planRegistration(facts);
  const running = new Map<string, Promise<Registration>>();

  async function attempt(scheme: string): Promise<Registration> {
    try {
      switch (plan.by) {
        case 'nobody':
          return { ok: false, detail: plan.detail };
        case 'electron': {
          const target: [path?: string, args?: string[]] = plan.path === undefined ? [] : [plan.path, [...(plan.args ?? [])]];
          app.setAsDefaultProtocolClient(scheme, ...target);
          // Its answer is not proof in either direction.
          return app.isDefaultProtocolClient(scheme, ...target) ? { ok: true } : { ok: false, detail: 'the scheme leads to another program' };
        }
        case 'desktop-file':
          return await registerOnLinux({ scheme, appName: facts.appName, words: plan.words, env: facts.env, timeoutMs: LIMITS.redirectPrepareMs });
      }
    } catch (thrown) {
      return { ok: false, detail: `the registration failed (${(thrown as NodeJS.ErrnoException).code ?? 'no code'})` };
    }
  }

  return {
    register(scheme) {
      const known = running.get(scheme);
      if (known !== undefined) return known;
      const started = attempt(scheme).finally(() => running.delete(scheme));
      running.set(scheme, started);
      return started;
    },
  };
}

/** Reads the facts of the running Electron app. Call it after the host has set name and userData. */
export function readRegistrationFacts(app: Pick<App, 'getName' | 'isPackaged' | 'getAppPath' | 'getPath' | 'commandLine'>): RegistrationFacts {
  return {
    platform: process.platform,
    appName: app.getName(),
    isPackaged: app.isPackaged,
    execPath: process.execPath,
    appPath: app.getAppPath(),
    userDataPath: app.getPath('userData'),
    // Root cannot run without the switch, so the next start needs it as well.
    noSandbox: app.commandLine.hasSwitch('no-sandbox') || process.getuid?.() === 0,
    windowsStore: process.windowsStore,
    env: process.env,
  };
}
