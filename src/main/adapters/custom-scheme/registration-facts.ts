// The facts about the running app that decide how a scheme is registered. They must be read at
// start, before the host changes them. The registration itself is loaded later.
import type { App } from 'electron';
import { join } from 'node:path';

/** The facts that decide how to register. Read once, when the app starts. */
export interface RegistrationFacts {
  readonly platform: NodeJS.Platform;
  readonly appName: string;
  readonly isPackaged: boolean;
  readonly execPath: string;
  /** `app.getAppPath()`; used when the app is not packaged. */
  readonly appPath: string;
  /** `process.argv` and the folder of this start; used when the app is not packaged. */
  readonly argv: readonly string[];
  readonly workingFolder: string;
  readonly userDataPath: string;
  /**
   * True: userData is in Electron's default place. A start without arguments then finds this
   * instance.
   */
  readonly userDataIsDefault: boolean;
  /** Chromium's sandbox is off. A start without that switch would fail, as this one would have. */
  readonly noSandbox: boolean;
  /** An MSIX package from the Windows Store. */
  readonly windowsStore: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * Reads the facts of the running Electron app. Call it after the host has set name and userData.
 */
export function readRegistrationFacts(
  app: Pick<App, 'getName' | 'isPackaged' | 'getAppPath' | 'getPath' | 'commandLine'>,
): RegistrationFacts {
  const userDataPath = app.getPath('userData');
  return {
    platform: process.platform,
    appName: app.getName(),
    isPackaged: app.isPackaged,
    execPath: process.execPath,
    appPath: app.getAppPath(),
    argv: process.argv,
    workingFolder: workingFolder(),
    userDataPath,
    userDataIsDefault: userDataPath === join(app.getPath('appData'), app.getName()),
    // Root cannot run without the switch, so the next start needs it as well.
    noSandbox: app.commandLine.hasSwitch('no-sandbox') || process.getuid?.() === 0,
    windowsStore: process.windowsStore,
    env: process.env,
  };
}

/** Throws if the folder was removed meanwhile. */
function workingFolder(): string {
  try {
    return process.cwd();
  } catch {
    return '/';
  }
}
