// A private home for the xdg tools: registrations and links of a test reach a stand-in for the app,
// and nothing of the person's own desktop. Used where no running Electron is needed.
import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RegistrationFacts } from '../../src/main/adapters/custom-scheme/registration-facts.js';
import {
  createSchemeRegistration,
  type SchemeRegistration,
} from '../../src/main/adapters/custom-scheme/scheme-registration.js';

/** A desktop of xdg tools without a desktop environment. */
export interface Desk {
  readonly root: string;
  readonly env: NodeJS.ProcessEnv;
  readonly registration: SchemeRegistration;
  readonly applications: string;
  /**
   * Puts a .desktop file where a package would, or where a person's own are, and tells the desktop.
   * Gives its path.
   */
  install(where: 'system' | 'own', name: string, exec: string, scheme: string): string;
  /** The stand-in's executable. */
  readonly program: string;
  register(facts: Partial<RegistrationFacts>): SchemeRegistration;
  /** Opens a URL as the browser would; answers the arguments that the app was started with. */
  open(url: string, env?: NodeJS.ProcessEnv): Promise<readonly string[]>;
  /** The arguments of the stand-in's last start; waits for it. */
  started(): Promise<readonly string[]>;
}

/**
 * A private home with a stand-in for the app, which writes down its arguments. `appFolder` and the
 * home itself may have awkward names.
 */
export function startDesk(
  cleanUps: (() => void)[],
  appFolder = 'app',
  homeName = 'latchkey-xdg-',
): Desk {
  const root = mkdtempSync(join(realpathSync(tmpdir()), homeName));
  cleanUps.push(() => rmSync(root, { recursive: true, force: true }));
  // Not in the home, whose name the stand-in would have to quote.
  const notes = mkdtempSync(join(realpathSync(tmpdir()), 'latchkey-xdg-notes-'));
  cleanUps.push(() => rmSync(notes, { recursive: true, force: true }));
  const record = join(notes, 'arguments');
  const folder = join(root, appFolder);
  mkdirSync(folder);
  const program = join(folder, 'stand-in');
  writeFileSync(join(folder, 'package.json'), '{}');
  writeFileSync(
    program,
    `#!/bin/sh\nprintf '%s\\0' "$@" > '${record}.new'\nmv '${record}.new' '${record}'\n`,
  );
  chmodSync(program, 0o755);
  const env: NodeJS.ProcessEnv = {
    PATH: process.env['PATH'],
    LANG: 'C.UTF-8',
    HOME: root,
    XDG_DATA_HOME: join(root, 'data'),
    XDG_CONFIG_HOME: join(root, 'config'),
    XDG_DATA_DIRS: `${join(root, 'system')}:/usr/local/share:/usr/share`,
    // xdg-open hands schemes to graphical programs only when there is a display; nothing connects
    // to it.
    DISPLAY: ':97',
  };
  const facts: RegistrationFacts = {
    platform: 'linux',
    appName: 'Contract',
    isPackaged: true,
    execPath: program,
    appPath: folder,
    argv: [program],
    workingFolder: root,
    userDataPath: join(root, 'user-data'),
    userDataIsDefault: false,
    noSandbox: false,
    windowsStore: false,
    env,
  };
  const unused = {
    setAsDefaultProtocolClient: () => false,
    isDefaultProtocolClient: () => false,
    removeAsDefaultProtocolClient: () => false,
  };
  const register = (changes: Partial<RegistrationFacts>): SchemeRegistration =>
    createSchemeRegistration({ app: unused, facts: { ...facts, ...changes } });
  return {
    root,
    env,
    applications: join(root, 'data', 'applications'),
    program,
    registration: register({}),
    register,
    install(where, name, exec, scheme) {
      const folder = join(root, where === 'system' ? 'system' : 'data', 'applications');
      mkdirSync(folder, { recursive: true });
      writeFileSync(
        join(folder, name),
        `[Desktop Entry]\nType=Application\nName=Installed\nExec=${exec}\nMimeType=x-scheme-handler/${scheme};\n`,
      );
      execFileSync('update-desktop-database', [folder], { env, stdio: 'ignore' });
      return join(folder, name);
    },
    started: () => recorded(record),
    async open(url, given = env) {
      rmSync(record, { force: true });
      spawn('xdg-open', [url], { env: given, stdio: 'ignore' });
      return await recorded(record);
    },
  };
}

async function recorded(file: string): Promise<readonly string[]> {
  const deadline = performance.now() + 10_000;
  while (!existsSync(file)) {
    if (performance.now() > deadline) throw new Error('the stand-in was not started');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return readFileSync(file, 'utf8').split('\0').slice(0, -1);
}
