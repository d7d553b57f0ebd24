// @ts-check `npm run demo`: the demo app. With --issuer it runs against that provider and nothing
// is scripted. Without, it starts the embedded provider; where there is no display either, a
// scripted person shows a whole sign-in (demo-scripted.mjs). The app's stdout passes through
// unchanged; what this script says goes to stderr. SIGTERM and SIGINT end everything.
import { spawn } from 'node:child_process';
import { appCommand, endApp, endHelpers } from './lab/app-process.mjs';
import { build } from './build.mjs';
import { parseDemoFlags, toAppFlags, toRedirectUris, USAGE } from './demo/demo-flags.mjs';
import { hasDisplay, startDisplay } from './lab/display.mjs';
import { resolveElectron } from './electron/electron.mjs';
import { closed } from './shared/processes.mjs';
import { runMain, say } from './shared/say.mjs';
import { ensureSystemPackages } from './shared/system-packages.mjs';
import { testKit } from './shared/test-kit.mjs';

const SIGNALS = /** @type {const} */ ({ SIGINT: 130, SIGTERM: 143, SIGHUP: 129 });

/** @type {(() => Promise<void>)[]} */
const cleanUps = [];
let ending = false;

/** @param {number} code */
async function endAll(code) {
  if (ending) return;
  ending = true;
  // A part that hangs must not keep the others alive, nor us.
  setTimeout(() => process.exit(code), 4_800);
  for (const cleanUp of cleanUps.reverse()) await cleanUp().catch(() => undefined);
  process.exit(code);
}

/**
 * npm may be killed without a word to us: then we have a new parent, and nobody is left to read.
 */
function followParent() {
  const parent = process.ppid;
  if (!process.env['npm_lifecycle_event']) return;
  setInterval(() => {
    if (process.ppid !== parent) void endAll(SIGNALS.SIGHUP);
  }, 500).unref();
}

/** @param {readonly string[]} words */
async function main(words) {
  const flags = parseDemoFlags(words);
  if (flags.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  for (const [name, code] of Object.entries(SIGNALS)) process.on(name, () => void endAll(code));
  followParent();

  await ensureSystemPackages(['unpack', 'electron']);
  const electron = await resolveElectron();
  await build({ ifNeeded: true });

  if (!flags.has('issuer') && !hasDisplay()) {
    const { runScriptedDemo } = await import('./demo/demo-scripted.mjs');
    say('no display: a scripted person shows the sign-in on a virtual one');
    return runScriptedDemo(electron.path, flags, (cleanUp) => cleanUps.push(cleanUp));
  }
  if (!flags.has('issuer')) await startProvider(flags);
  const env = { ...process.env };
  if (!hasDisplay()) {
    const display = await startDisplay();
    cleanUps.push(() => display.stop());
    env['DISPLAY'] = display.display;
    say(
      `no display: the app runs on a virtual one (${display.display}); nothing else of this environment is changed`,
    );
  }
  return runApp(electron.path, toAppFlags(flags), env);
}

/** @param {import('./demo/demo-flags.mjs').DemoFlags} flags */
async function startProvider(flags) {
  const { startProvider: start } = await testKit();
  const redirectUris = toRedirectUris(flags.all('redirect'));
  const provider = await start(redirectUris.length > 0 ? { redirectUris } : {});
  cleanUps.push(() => provider.stop());
  flags.add('issuer', provider.issuer);
  flags.add('client-id', provider.clientId);
  say(`a sign-in provider runs at ${provider.issuer} (any name and password will do)`);
}

/**
 * @param {string} electron
 * @param {readonly string[]} appFlags
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<number>} never, when the end has begun elsewhere
 */
async function runApp(electron, appFlags, env) {
  const isRoot = process.getuid?.() === 0;
  if (isRoot && process.platform === 'linux')
    say('running as root, so without the sandbox of the operating system');
  const [program = electron, ...args] = appCommand({ electron, isRoot, flags: appFlags });
  const child = spawn(program, args, {
    env,
    detached: process.platform !== 'win32',
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  cleanUps.push(() => endApp(child, electron));
  const code = await closed(child);
  if (ending) return new Promise(() => undefined);
  if (child.pid !== undefined) await endHelpers(child.pid, electron);
  await endAll(code ?? 1);
  return code ?? 1;
}

runMain(() => main(process.argv.slice(2)));
