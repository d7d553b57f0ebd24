// The command as it is built, in a process of its own: its words, its exit codes, its keychain
// process, and what it sees of a certificate when the computer trusts a private authority.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { build } from '../../scripts/build.mjs';
import { startProvider } from '../../src/testing/index.js';
import { haveParts } from '../support/keyring.js';
import { startPrivateAuthority } from '../support/private-authority.js';
import { ROOT, read } from './sources.js';

const COMMAND = join(ROOT, 'dist', 'cli', 'latchkey.js');

beforeAll(() => build({ ifNeeded: true }), 110_000);

const cleanUps: (() => void)[] = [];
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0)) cleanUp();
});

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Without bus, display and home of the person who runs the tests. */
async function latchkey(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  cwd?: string,
): Promise<Ended> {
  const home = mkdtempSync(join(realpathSync(tmpdir()), 'latchkey-command-'));
  cleanUps.push(() => rmSync(home, { recursive: true, force: true }));
  const child = spawn(process.execPath, [COMMAND, ...args], {
    env: { PATH: process.env['PATH'], HOME: home, LANG: 'C.UTF-8', ...env },
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk: Buffer) => void (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => void (err += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, out, err };
}

describe('the built command', () => {
  it('begins with its interpreter and tells its version and the commands that it has', async () => {
    expect(read('dist/cli/latchkey.js')).toMatch(/^#!\/usr\/bin\/env node\n/);
    const { version } = JSON.parse(read('package.json')) as { version: string };
    expect(await latchkey(['--version'])).toEqual({ code: 0, out: `${version}\n`, err: '' });
    expect((await latchkey(['--help'])).out).toMatch(/^ {2}doctor +checks what/m);
    expect((await latchkey([])).code).toBe(64);
  });

  it('examines a provider, names the missing keyring by a process that ends with it, and ends with 2', async () => {
    const provider = await startProvider();
    cleanUps.push(() => void provider.stop());
    const { code, out, err } = await latchkey([
      'doctor',
      '--issuer',
      provider.issuer,
      '--client-id',
      provider.clientId,
      '--redirect',
      'http://127.0.0.1/callback',
    ]);
    expect([code, err]).toEqual([2, '']);
    expect(out).toMatch(/^ok +discovery +http:\/\/127/m);
    expect(out).toMatch(/^ERROR +keyring +there is no keyring: /m);
    expect(out).toMatch(/\n1 error, 0 warnings, \d+ ok\n$/);
    expect(out).not.toContain('\u001b');
  });

  it.skipIf(process.platform !== 'linux')(
    'runs no tool that lies in the current folder, though PATH begins there',
    async () => {
      const folder = mkdtempSync(join(realpathSync(tmpdir()), 'latchkey-planted-'));
      cleanUps.push(() => rmSync(folder, { recursive: true, force: true }));
      const mark = join(folder, 'mark');
      // dbus-launch is what libsecret starts, in the keychain's process, where no bus is known.
      for (const tool of [
        'xdg-mime',
        'xdg-settings',
        'update-desktop-database',
        'dbus-send',
        'dbus-launch',
        'gdbus',
        'reg',
        'node',
      ]) {
        writeFileSync(join(folder, tool), `#!/bin/sh\necho "$0" >> '${mark}'\n`, { mode: 0o755 });
      }
      const args = [
        'doctor',
        '--issuer',
        'http://127.0.0.1:9',
        '--redirect',
        'com.example.notes:/callback',
        '--client-id',
        'c',
      ];
      for (const PATH of [`.:${process.env['PATH'] ?? ''}`, `:${process.env['PATH'] ?? ''}`, '']) {
        const { out } = await latchkey(args, { PATH, DISPLAY: ':97' }, folder);
        expect(out).toMatch(/^ERROR +keyring /m);
        expect(existsSync(mark), PATH).toBe(false);
      }
      await latchkey(
        args,
        {
          PATH: `.:${process.env['PATH'] ?? ''}`,
          DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nonexistent',
        },
        folder,
      );
      expect(existsSync(mark)).toBe(false);
    },
  );

  it.skipIf(!haveParts('openssl'))(
    'warns of a certificate that this computer trusts and no public authority stands behind',
    async () => {
      const { issuer, authority } = await startPrivateAuthority(cleanUps);
      const { out } = await latchkey(['doctor', '--issuer', issuer, '--json'], {
        NODE_EXTRA_CA_CERTS: authority,
      });
      const { findings } = JSON.parse(out) as {
        findings: { id: string; level: string; seen: string }[];
      };
      expect(findings.find(({ id }) => id === 'tls')).toMatchObject({
        level: 'warning',
        seen: "the provider's certificate was issued by Corp Proxy CA, Example Corp, which no public authority stands behind",
      });
      expect(findings.find(({ id }) => id === 'discovery')?.seen).toContain(
        'no metadata is published there',
      );
    },
  );
});
