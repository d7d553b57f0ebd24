// The packaged demo: hardened, its native part unpacked, and run as an ordinary user inside the operating system's own
// sandbox. As root the tests become the user "nobody", since Chromium's sandbox refuses root.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageApp } from '../../scripts/package.mjs';
import { expect, requestsTo, signedIn, test } from './fixtures.js';
import type { WatchedApp } from './fixtures.js';

const isRoot = process.getuid?.() === 0;
let output = '';
let executable = '';

test.describe.configure({ mode: 'serial' });

test.beforeAll(async () => {
  test.setTimeout(180_000);
  output = mkdtempSync(join(tmpdir(), 'latchkey-packaged-'));
  ({ executable } = await packageApp(['dir'], output));
  // The user "nobody" must be able to read what root has packaged.
  chmodSync(output, 0o755);
});

test.afterAll(() => {
  rmSync(output, { recursive: true, force: true });
});

test('holds no default app, takes no Node flags, and unpacks only native code', () => {
  const resources = join(output, 'linux-unpacked', 'resources');
  expect(existsSync(join(resources, 'default_app.asar'))).toBe(false);
  expect(readdirSync(resources).sort()).toEqual(['app.asar', 'app.asar.unpacked']);
  expect(readdirSync(join(resources, 'app.asar.unpacked', 'node_modules'))).toEqual(['keytar']);
  const asNode = spawnSync(executable, ['-e', 'console.log("I am Node")'], {
    env: { PATH: process.env['PATH'] ?? '', ELECTRON_RUN_AS_NODE: '1' },
    encoding: 'utf8',
    timeout: 5_000,
    killSignal: 'SIGKILL',
  });
  expect(asNode.stdout).not.toContain('I am Node');
});

test.describe('as an ordinary user', () => {
  test.use({ labOptions: isRoot ? { user: { uid: 65_534, gid: 65_534, name: 'nobody' } } : {} });

  test('starts in the real sandbox, signs in by the custom scheme, and is remembered after a restart', async ({ desk }) => {
    const app = desk.launch({ executable });
    expect(sandboxOf(app)).not.toContain('--no-sandbox');
    const view = await desk.signIn(app);
    expect(view).toMatchObject({ account: { name: 'Ada Lovelace' }, remembered: true, store: 'keychain' });
    if (isRoot) expectSandboxed(app);
    await app.end();

    const asked = requestsTo(desk.provider, 'authorization');
    const again = desk.launch({ executable });
    expect((await signedIn(again)).account).toEqual(view.account);
    expect(requestsTo(desk.provider, 'authorization')).toBe(asked);
  });
});

function sandboxOf(app: WatchedApp): string {
  return readFileSync(`/proc/${app.child.pid ?? 0}/cmdline`, 'utf8');
}

/** Every page's process has a user namespace of its own and a seccomp filter. Only root may look. */
function expectSandboxed(app: WatchedApp): void {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const renderers = pids.filter((pid) => {
    const command = readOrEmpty(`/proc/${pid}/cmdline`);
    return command.includes('--type=renderer') && command.includes('--app-path=') && command.includes('latchkey-packaged-');
  });
  expect(renderers.length).toBeGreaterThan(0);
  for (const pid of renderers) {
    expect(readOrEmpty(`/proc/${pid}/status`)).toMatch(/^Seccomp:\t2$/m);
    expect(readlinkSync(`/proc/${pid}/ns/user`)).not.toBe(readlinkSync(`/proc/${app.child.pid ?? 0}/ns/user`));
  }
}

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
