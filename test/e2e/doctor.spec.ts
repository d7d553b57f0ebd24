// The doctor inside the running demo: a desktop on which all is well, a scheme that another program
// keeps, a network on which somebody else answers, two builds with one scheme, and a scheme that is
// given back.
import { spawnSync } from 'node:child_process';
import { createServer } from 'node:http';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Finding, FindingId, SupportBundle } from '../../src/main/index.js';
import { expect, SCHEME, signedIn, test, waiting } from './fixtures.js';
import type { Desk, WatchedApp } from './fixtures.js';

test.describe.configure({ timeout: 180_000 });

test('finds nothing wrong where a sign-in works: its probe comes back, and the bundle tells neither secret nor person', async ({
  desk,
}) => {
  const first = desk.launch();
  await desk.signIn(first);
  await first.end();

  const app = desk.launch({ flags: ['--diagnose=probe'] });
  await signedIn(app);
  const bundle = await bundleOf(app);
  expect(bundle.diagnosis.findings.filter(({ level }) => level !== 'ok')).toEqual([]);
  expect(bundle.diagnosis.notChecked).toEqual([]);
  expect(seen(bundle, 'scheme-probe')).toEqual([`a URL of "${SCHEME}:" came back to this process`]);
  expect(seen(bundle, 'scheme-owner')[0]).toMatch(
    new RegExp(
      `^"${SCHEME}:" leads to latchkey-${SCHEME}\\.desktop, which runs .*electron .*: this app$`,
    ),
  );
  expect(seen(bundle, 'keyring')[0]).toMatch(/^the keyring \(gnome-keyring-daemon\) took an entry/);
  expect(seen(bundle, 'request-headers')).toEqual([
    'a request that was looked at on this computer carried no Origin and no cookie',
  ]);
  expect(seen(bundle, 'redirect')).toHaveLength(2);
  expect(bundle.view).toMatchObject({
    status: 'signed-in',
    account: { issuer: desk.provider.issuer },
  });

  const text = JSON.stringify(bundle);
  expect(desk.provider.issued.length).toBeGreaterThan(5);
  expect(
    desk.provider.issued.filter(({ value }) => text.includes(value)).map(({ kind }) => kind),
  ).toEqual([]);
  for (const personal of ['Ada', 'Lovelace', 'ada@', desk.lab.home])
    expect(text).not.toContain(personal);
  // The probe is nothing that a person has done: the session comes, and stays. A busy desk may take
  // long to open the keyring, which is told.
  expect(app.views.map(({ status }) => status).join(' ')).toMatch(
    /^(starting )?(locked )?signed-in( signed-in)*$/,
  );
  expect(app.views.filter((view) => 'attempt' in view)).toEqual([]);
});

test('names the program that has stolen the scheme and keeps it, and signs in by loopback all the same', async ({
  desk,
}) => {
  const stolen = stealScheme(desk);
  await desk.browser();
  const app = desk.launch({ flags: ['--diagnose=probe'] });
  const bundle = await bundleOf(app);
  expect(bundle.diagnosis.level).toBe('error');
  expect(findings(bundle, 'scheme-owner')).toEqual([
    {
      id: 'scheme-owner',
      level: 'error',
      seen: `"${SCHEME}:" leads to thief.desktop, which runs ${stolen.program.replace(desk.lab.home, '~')}, another program; this app cannot take it back: the scheme leads to another program, or to none`,
      todo: expect.stringMatching(/sign-ins use the next redirect of your list\.$/),
    },
  ]);
  expect(findings(bundle, 'scheme-probe')).toMatchObject([{ level: 'error' }]);
  // What the thief got of it is a random number.
  expect(readFileSync(stolen.record, 'utf8')).toMatch(
    new RegExp(`^${SCHEME}:/latchkey-probe\\?nonce=[\\w-]{43}\n$`),
  );

  const signIn = (await app.firstWindow()).locator('[data-testid="sign-in"]:visible');
  await signIn.click();
  expect(await waiting(app)).toMatchObject({ attempt: { redirect: 'loopback' } });
  await desk.person();
  expect(await signedIn(app)).toMatchObject({
    account: { name: 'Ada Lovelace' },
    remembered: true,
  });
  expect(readFileSync(stolen.record, 'utf8')).not.toContain('code=');
});

test('tells a network on which somebody else answers from a provider that is down', async ({
  desk,
}) => {
  const portal = createServer((_request, response) =>
    response.writeHead(302, { Location: 'http://127.0.0.1:9/welcome' }).end(),
  );
  await new Promise<void>((resolve) => portal.listen(0, '127.0.0.1', resolve));
  try {
    const origin = `http://127.0.0.1:${(portal.address() as AddressInfo).port}`;
    const app = desk.launch({ flags: [`--issuer=${origin}`, '--diagnose'] });
    const bundle = await bundleOf(app);
    expect(findings(bundle, 'discovery')).toMatchObject([
      {
        level: 'error',
        seen: expect.stringContaining('answered with status 302'),
        todo: expect.stringContaining('captive portal'),
      },
    ]);
    expect(bundle.diagnosis.notChecked.map(({ id }) => id)).toContain('redirect');
  } finally {
    portal.close();
    portal.closeAllConnections();
  }
});

test('warns when two builds share one scheme', async ({ desk }) => {
  const one = desk.launch();
  await one.firstWindow();
  await expect.poll(() => ownerOf(desk)).toBe(`latchkey-${SCHEME}.desktop`);
  await one.end();
  const other = desk.launch({
    flags: [`--user-data-dir=${join(desk.lab.home, 'other build')}`, '--diagnose'],
  });
  const bundle = await bundleOf(other);
  expect(findings(bundle, 'scheme-shared')).toMatchObject([
    { level: 'warning', seen: expect.stringContaining('another build') },
  ]);
});

test('gives the scheme back when an uninstaller asks for it', async ({ desk }) => {
  const app = desk.launch();
  await app.firstWindow();
  // After the stored session was looked for, and by programs of the system.
  await expect.poll(() => ownerOf(desk), { timeout: 20_000 }).toBe(`latchkey-${SCHEME}.desktop`);
  await app.end();

  const last = desk.launch({ flags: ['--unregister-schemes'] });
  expect(await last.exited()).toBe(0);
  expect(last.output()).toContain(
    JSON.stringify({
      removal: { scheme: SCHEME, done: true, detail: 'removed; nobody opens the scheme now' },
    }),
  );
  expect(ownerOf(desk)).toBe('');
  expect(existsSync(join(applications(desk), `latchkey-${SCHEME}.desktop`))).toBe(false);
});

async function bundleOf(app: WatchedApp): Promise<SupportBundle> {
  const line = (): string | undefined =>
    app
      .output()
      .split('\n')
      .find((one) => one.startsWith('{"supportBundle"'));
  await expect.poll(line, { timeout: 120_000 }).toBeDefined();
  return (JSON.parse(line() ?? '') as { supportBundle: SupportBundle }).supportBundle;
}

function findings({ diagnosis }: SupportBundle, id: FindingId): readonly Finding[] {
  return diagnosis.findings.filter((finding) => finding.id === id);
}

function seen(bundle: SupportBundle, id: FindingId): readonly string[] {
  return findings(bundle, id).map((finding) => finding.seen);
}

function applications({ lab }: Desk): string {
  return join(String(lab.env['XDG_DATA_HOME']), 'applications');
}

function ownerOf({ lab }: Desk): string {
  return spawnSync('xdg-mime', ['query', 'default', `x-scheme-handler/${SCHEME}`], {
    ...lab.owner,
    encoding: 'utf8',
  }).stdout.trim();
}

/**
 * A program that has the scheme by the list of one desktop environment. It stands above the list
 * that `xdg-mime` writes, so nobody takes it back. What it is started with, it writes down.
 */
function stealScheme(desk: Desk): { readonly program: string; readonly record: string } {
  const { lab } = desk;
  const program = join(lab.home, 'thief');
  const record = join(lab.home, 'stolen');
  writeFileSync(program, `#!/bin/sh\nprintf '%s\\n' "$@" >> '${record}'\n`, { mode: 0o755 });
  mkdirSync(applications(desk), { recursive: true });
  writeFileSync(
    join(applications(desk), 'thief.desktop'),
    `[Desktop Entry]\nType=Application\nName=Thief\nExec=${program} %u\nMimeType=x-scheme-handler/${SCHEME};\n`,
  );
  writeFileSync(
    join(String(lab.env['XDG_CONFIG_HOME']), 'lab-mimeapps.list'),
    `[Default Applications]\nx-scheme-handler/${SCHEME}=thief.desktop\n`,
  );
  lab.env['XDG_CURRENT_DESKTOP'] = 'LAB';
  return { program, record };
}
