// docs/migration.md: the code "after" of each guide runs, and carries over what the code "before"
// had stored. Nobody signs in again. Only the issuer is another: the embedded provider.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { compileFunction } from 'node:vm';
import ts from 'typescript';
import { afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import type { Auth } from '../../src/main/auth.js';
import type { AuthOptions } from '../../src/main/index.js';
import * as providers from '../../src/providers/index.js';
import { type Provider, startProvider } from '../../src/testing/index.js';
import * as electron from '../../src/testing/electron.js';
import { codeBlocks } from '../project/documents.js';

vi.mock('electron', () => import('../../src/testing/electron.js'));

const { fakeElectron } = electron;
const AFTER = codeBlocks('docs/migration.md').filter(({ language }) => language === 'ts');
const CLIENT_ID = '11111111-1111-1111-1111-111111111111';
let provider: Provider;
const running: Auth[] = [];

// Loading it is not what a test waits for.
beforeAll(async () => {
  await import('../../src/main/index.js');
  await import('../../src/main/assembly.js');
}, 120_000);
beforeEach(async () => {
  provider = await startProvider({ signingAlgorithm: 'ES256' });
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((auth) => auth.stop()));
  await provider.stop();
  fakeElectron.reset();
});

/** Starts an app with these options at the embedded provider. */
async function start(options: Pick<AuthOptions, 'migrateFrom'>): Promise<Auth> {
  const { createAuth } = await import('../../src/main/index.js');
  const auth = createAuth({
    ...options,
    issuer: provider.issuer,
    clientId: provider.clientId,
    redirects: ['http://127.0.0.1/callback'],
    scopes: ['openid', 'profile', 'offline_access'],
    onLog: () => undefined,
  });
  running.push(auth);
  await vi.waitFor(() => expect(auth.getView().status).not.toBe('starting'), 8_000);
  return auth;
}

/** A refresh token that another library got; nothing of Latchkey stays. */
async function refreshToken(): Promise<string> {
  fakeElectron.browseAs({ login: 'ada' });
  const auth = await start({});
  await auth.signIn();
  const [record = ''] = [...fakeElectron.keyring.entries.values()];
  await auth.stop();
  fakeElectron.reset();
  return (JSON.parse(record) as { refreshToken: string }).refreshToken;
}

/** Runs a guide's code up to its call of createAuth; gives the options. */
function optionsOf(code: string): AuthOptions {
  const { outputText } = ts.transpileModule(code, {
    compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 },
  });
  const real = createRequire(import.meta.url);
  let options: AuthOptions | undefined;
  const modules: Readonly<Record<string, unknown>> = {
    electron,
    'latchkey/main': { createAuth: (given: AuthOptions) => void (options = given) },
    'latchkey/providers': providers,
  };
  const load = (name: string): unknown => modules[name] ?? real(name);
  const run = compileFunction(outputText, ['require', 'exports']) as (
    require: typeof load,
    exports: object,
  ) => void;
  run(load, {});
  if (options === undefined) throw new Error('the code does not call createAuth');
  return options;
}

/** Starts the app with the guide's option "migrateFrom". Nobody is there to sign in. */
async function updated(code: string | undefined): Promise<void> {
  const { migrateFrom = [] } = optionsOf(code ?? '');
  const auth = await start({ migrateFrom });
  await vi.waitFor(
    () =>
      expect(auth.getView()).toMatchObject({
        status: 'signed-in',
        remembered: true,
        account: { name: 'Ada Lovelace' },
      }),
    8_000,
  );
  expect(fakeElectron.openedUrls).toEqual([]);
}

it('the guide for msal-node carries over what its cache in the keyring holds', async () => {
  const secret = await refreshToken();
  const cache = {
    Account: {},
    RefreshToken: {
      'another app': { client_id: 'another', secret: 'x' },
      'this app': { client_id: CLIENT_ID, secret, environment: 'login.microsoftonline.com' },
    },
  };
  fakeElectron.keyring.entries.set('notes msal', JSON.stringify(cache));
  await updated(AFTER[0]?.code);
  await vi.waitFor(() => expect(fakeElectron.keyring.entries.has('notes msal')).toBe(false));
});

it('the guide for AppAuth-JS carries over the answer of a token request in the keyring', async () => {
  const tokens = { access_token: 'a', refresh_token: await refreshToken(), token_type: 'bearer' };
  fakeElectron.keyring.entries.set('notes tokens', JSON.stringify(tokens));
  await updated(AFTER[1]?.code);
  await vi.waitFor(() => expect(fakeElectron.keyring.entries.has('notes tokens')).toBe(false));
});

it('the guide for openid-client carries over the tokens in a file that Electron has encrypted', async () => {
  const tokens = { access_token: 'a', refresh_token: await refreshToken() };
  fakeElectron.canEncrypt = true;
  const sealed = await electron.safeStorage.encryptStringAsync?.(JSON.stringify(tokens));
  const file = join(fakeElectron.userData, 'session.bin');
  mkdirSync(fakeElectron.userData, { recursive: true });
  writeFileSync(file, sealed ?? '');
  await updated(AFTER[2]?.code);
  await vi.waitFor(() => expect(existsSync(file)).toBe(false));
});

it('the guides carry over nothing where nothing was stored', async () => {
  expect(AFTER).toHaveLength(3);
  for (const { code } of AFTER) {
    const { migrateFrom } = optionsOf(code);
    const auth = await start({ migrateFrom: migrateFrom ?? [] });
    expect(auth.getView()).toEqual({ status: 'signed-out', reason: 'never' });
    await auth.stop();
    fakeElectron.restart();
  }
});
