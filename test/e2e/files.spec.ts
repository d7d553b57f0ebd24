// A start of the real app with a stored session, after something has happened to the file that
// leads to it.
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { button, expect, requestsTo, signedIn, signedOut, test } from './fixtures.js';
import type { Desk } from './fixtures.js';

const NAMES = ['latchkey.json', 'latchkey.backup.json'] as const;

const damages: readonly (readonly [string, (path: string) => void, boolean])[] = [
  ['all NUL', (path) => writeFileSync(path, Buffer.alloc(statSync(path).size)), true],
  ['cut in half', (path) => writeFileSync(path, readFileSync(path).subarray(0, 100)), true],
  ['missing', (path) => unlinkSync(path), false],
  [
    'a folder',
    (path) => {
      unlinkSync(path);
      mkdirSync(path);
    },
    false,
  ],
  [
    'a pipe',
    (path) => {
      unlinkSync(path);
      execFileSync('mkfifo', [path]);
    },
    false,
  ],
];

test('is signed in after a start with a state file that is NUL, cut in half, missing, a folder or a pipe', async ({
  desk,
}) => {
  test.setTimeout(180_000);
  const first = desk.launch();
  await desk.signIn(first);
  await first.end();
  const asked = requestsTo(desk.provider, 'authorization');
  const [path, copy] = pathsOf(desk);
  const good = readFileSync(path, 'utf8');
  expect(readFileSync(copy, 'utf8')).toBe(good);

  for (const [what, damage, isSetAside] of damages) {
    await test.step(what, async () => {
      damage(path);
      const app = desk.launch();
      expect(await signedIn(app)).toMatchObject({
        account: { name: 'Ada Lovelace' },
        remembered: true,
        store: 'keychain',
      });
      await app.end();
      const stays = what === 'a folder' || what === 'a pipe';
      if (stays) rmSync(path, { recursive: true });
      else expect(readFileSync(path, 'utf8')).toBe(good);
      if (stays) copyFileSync(copy, path);
      const aside = readdirSync(join(path, '..')).filter((name) =>
        name.startsWith('latchkey.json.corrupt-'),
      );
      expect(aside).toHaveLength(isSetAside ? 1 : 0);
      for (const name of aside) unlinkSync(join(path, '..', name));
    });
  }
  expect(requestsTo(desk.provider, 'authorization')).toBe(asked);
});

test('is locked while neither the state file nor its copy can be read, and signed in when it can', async ({
  desk,
}) => {
  const first = desk.launch();
  await desk.signIn(first);
  await first.end();
  const asked = requestsTo(desk.provider, 'authorization');
  const paths = pathsOf(desk);
  for (const path of paths) {
    copyFileSync(path, `${path}.kept`);
    unlinkSync(path);
    execFileSync('mkfifo', [path]);
  }
  const app = desk.launch();
  const view = await app.waitForView(
    'the app to say that it cannot read',
    ({ status }) => status === 'locked',
  );
  expect(view).toMatchObject({
    status: 'locked',
    error: { code: 'storage-failed', retry: 'user' },
  });
  const page = await app.firstWindow();
  await expect(
    page.getByRole('heading', { name: 'Your sign-in cannot be read yet' }),
  ).toBeVisible();
  for (const path of paths) {
    unlinkSync(path);
    copyFileSync(`${path}.kept`, path);
  }
  await button(page, 'retry').click();
  expect(await signedIn(app)).toMatchObject({
    account: { name: 'Ada Lovelace' },
    remembered: true,
  });
  expect(requestsTo(desk.provider, 'authorization')).toBe(asked);
});

test('knows nobody once both files are deleted by hand', async ({ desk }) => {
  const first = desk.launch();
  await desk.signIn(first);
  await first.end();
  for (const path of pathsOf(desk)) unlinkSync(path);
  expect(await signedOut(desk.launch())).toMatchObject({ reason: 'never' });
});

function pathsOf({ lab }: Desk): readonly [string, string] {
  const [file, copy] = NAMES.map((name) => join(lab.home, '.config', 'Latchkey Demo', name));
  return [file ?? '', copy ?? ''];
}
