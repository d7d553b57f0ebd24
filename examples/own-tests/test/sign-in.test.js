// The app's own sign-in, without Electron, without a browser, without an account anywhere.
import { afterEach, expect, test } from 'vitest';
import { startProvider } from 'latchkey/testing';
import { fakeElectron } from 'latchkey/testing/electron';
import { createSignIn } from '../sign-in.js';

const ended = [];
afterEach(async () => {
  for (const end of ended.splice(0)) await end();
  fakeElectron.reset();
});

async function start() {
  const provider = await startProvider({
    clientId: 'notes-desktop',
    redirectUris: ['http://127.0.0.1/callback'],
  });
  const { auth, greeting } = createSignIn(provider.issuer);
  ended.push(
    () => auth.stop(),
    () => provider.stop(),
  );
  return { provider, auth, greeting };
}

test('greets the person who has signed in', async () => {
  const { auth, greeting } = await start();
  fakeElectron.browseAs({ login: 'ada' });
  await auth.signIn();
  expect(greeting()).toBe('Hello Ada Lovelace');
});

test('greets nobody when the person says no', async () => {
  const { auth, greeting } = await start();
  fakeElectron.browseAs({ consent: 'deny' });
  await expect(auth.signIn()).rejects.toMatchObject({ code: 'sign-in-denied' });
  expect(greeting()).toBe('Notes');
});

test('is not remembered without a keyring, and says so', async () => {
  const { auth } = await start();
  fakeElectron.keyring.mode = 'absent';
  fakeElectron.browseAs();
  await auth.signIn();
  expect(auth.getView()).toMatchObject({ status: 'signed-in', remembered: false });
});
