// What decides how a scheme is registered: the facts of the running app, read when it starts. The
// registering itself is loaded later; these must be read at once, before the host changes them.
import type { App } from 'electron';
import { join } from 'node:path';

/** What decides how to register. Read once, when the app starts. */
export interface RegistrationFacts {
  readonly platform: NodeJS.Platform;
  readonly appName: string;
  readonly isPackaged: boolean;
  readonly execPath: string;
  /** `app.getAppPath()`; used when the app is not packaged. */
  readonly appPath: string;
  readonly userDataPath: string;
  /**
   * It is where Electron puts it by itself: then a bare start of the program finds this instance.
   */
  readonly userDataIsDefault: boolean;
  /** Chromium's sandbox is off: a start without that switch would fail as this one would have. */
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
    userDataPath,
    userDataIsDefault: userDataPath === join(app.getPath('appData'), app.getName()),
    // Root cannot run without the switch, so the next start needs it as well.
    noSandbox: app.commandLine.hasSwitch('no-sandbox') || process.getuid?.() === 0,
    windowsStore: process.windowsStore,
    env: process.env,
  };
}
