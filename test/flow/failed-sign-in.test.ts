// The first hour of a developer: a sign-in that fails writes one line to the terminal, with a
// command that runs when it is copied. The whole of Latchkey on the fake Electron, before the
// embedded provider.
import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { AuthOptions, OptionsWithIssuer } from '../../src/main/index.js';
import type { Auth } from '../../src/main/auth.js';
import { createApi } from '../../src/renderer/index.js';
import { type Provider, startProvider } from '../../src/testing/index.js';
import { fakeElectron } from '../../src/testing/electron.js';
import { doctor, workingKeyring } from '../support/doctor-command.js';

vi.mock('electron', () => import('../../src/testing/electron.js'));

let provider: Provider;
let lines: string[];
let auth: Auth | null = null;

beforeEach(async () => {
  provider = await startProvider({ signingAlgorithm: 'ES256' });
  lines = [];
  vi.spyOn(console, 'warn').mockImplementation((...words: unknown[]) => {
    lines.push(words.map((word) => (typeof word === 'string' ? word : '[object]')).join(' '));
  });
});
afterEach(async () => {
  await auth?.stop();
  auth = null;
  await provider.stop();
  fakeElectron.reset();
  vi.restoreAllMocks();
});

async function start(options: Partial<OptionsWithIssuer> = {}): Promise<Auth> {
  const { createAuth } = await import('../../src/main/index.js');
  auth = createAuth({
    issuer: provider.issuer,
    clientId: provider.clientId,
    redirects: ['http://127.0.0.1/callback'],
    ...options,
  });
  return auth;
}

/** The lines about a failed sign-in, after its promise was rejected with this code. */
async function failed(code: string, options: Partial<OptionsWithIssuer> = {}): Promise<string[]> {
  const app = await start(options);
  fakeElectron.browseAs({ login: 'ada' });
  await expect(app.signIn()).rejects.toMatchObject({ code });
  // The line comes behind the answer; if none comes, that is what some tests are about.
  await vi.waitFor(() => expect(lines.some(isLine)).toBe(true), 3_000).catch(() => undefined);
  return lines.filter(isLine);
}

const isLine = (line: string): boolean => line.includes('sign-in failed');

/** Copies the command out of the line, as a person does, and runs it. */
async function runCommand(line: string): Promise<{ code: number; out: string; err: string }> {
  const command = line.slice(line.indexOf('npx latchkey doctor'));
  const script = `${command.replace('npx latchkey doctor', 'set --')}; printf '%s\\n' "$@"`;
  const args = execFileSync('sh', ['-c', script], { encoding: 'utf8' }).trimEnd().split('\n');
  return doctor(args, { fork: workingKeyring, env: { PATH: process.env['PATH'] } });
}

describe('a failed sign-in in development', () => {
  it('writes one line that says what was asked and what came, and whose command runs and tells more', async () => {
    provider.fault({
      kind: 'oauth-error',
      endpoint: 'token',
      error: 'invalid_client',
      status: 401,
    });
    const [line = '', ...more] = await failed('sign-in-refused');
    expect(more).toEqual([]);
    expect(line).toContain(
      `asked: the token endpoint ${provider.endpoints.token}; came: status 401`,
    );
    expect(line).not.toContain('\n');
    for (const { value } of provider.issued) expect(line).not.toContain(value);
    const { code, out, err } = await runCommand(line);
    expect([code, err]).toEqual([0, '']);
    expect(out).toContain(`the provider accepts http://127.0.0.1`);
  });

  it('names the address of the metadata that was pasted as issuer, and the doctor says the same', async () => {
    const issuer = `${provider.issuer}/.well-known/openid-configuration`;
    const [line = ''] = await failed('discovery-failed', { issuer });
    expect(line).toContain('the option "issuer" ends with "/.well-known/…"');
    const { code, out } = await runCommand(line);
    expect(code).toBe(2);
    expect(out).toContain('leave that part out');
  });

  it.each([
    ['discovery-failed', { kind: 'status', endpoint: 'discovery', status: 404, times: 9 }, 404],
    ['server-unavailable', { kind: 'status', endpoint: 'discovery', status: 503, times: 9 }, 503],
    ['response-invalid', { kind: 'html', endpoint: 'token', times: 9 }, 200],
    ['network-failed', { kind: 'reset', endpoint: 'token', times: 9 }, null],
  ] as const)('says so too of a failure that only another sign-in helps: %s', async (...row) => {
    const [code, fault, status] = row;
    provider.fault(fault);
    const [line = ''] = await failed(code);
    expect(line).toContain(
      fault.endpoint === 'token'
        ? `asked: the token endpoint ${provider.endpoints.token};`
        : `asked: the discovery document ${provider.issuer}/.well-known/openid-configuration;`,
    );
    if (status !== null) expect(line).toContain(`; came: status ${status}`);
  });

  it('shows both issuers where the metadata names another', async () => {
    const other = `${provider.issuer}/`;
    provider.fault({ kind: 'members', endpoint: 'discovery', set: { issuer: other } });
    const [line = ''] = await failed('issuer-mismatch');
    expect(line).toContain(`the member "issuer" is ${other}, not ${provider.issuer}`);
    expect((await runCommand(line)).out).toContain('slash at the end');
  });

  it('says of an attempt whose time is up that the doctor can tell why the browser showed an error', async () => {
    const app = await start({
      redirects: ['http://127.0.0.1/not-registered'],
      attemptTimeoutSeconds: 10,
    });
    fakeElectron.onOpen = () => undefined;
    vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'], shouldAdvanceTime: true });
    const refused = expect(app.signIn()).rejects.toMatchObject({ code: 'sign-in-expired' });
    await vi.waitFor(() => expect(app.getView()).toMatchObject({ attempt: { stage: 'waiting' } }));
    await vi.advanceTimersByTimeAsync(11_000);
    vi.useRealTimers();
    await refused;
    await vi.waitFor(() => expect(lines.filter(isLine)).toHaveLength(1), 3_000);
    expect(lines.find(isLine)).toContain(
      'if the browser showed an error, this command can tell why',
    );
  });

  it('goes to onLog instead, once, where the host has its own log', async () => {
    const events: string[] = [];
    provider.fault({ kind: 'oauth-error', endpoint: 'token', error: 'invalid_client' });
    const onLog: AuthOptions['onLog'] = ({ event }) => void events.push(event);
    const app = await start({ onLog });
    fakeElectron.browseAs();
    await expect(app.signIn()).rejects.toMatchObject({ code: 'sign-in-refused' });
    await vi.waitFor(() => expect(events).toContain('sign-in-failed'), 3_000);
    expect(events.filter((event) => event === 'sign-in-failed')).toHaveLength(1);
    expect(lines).toEqual([]);
  });

  it('writes nothing of the kind when the person cancels, or when the app is packaged', async () => {
    const app = await start();
    fakeElectron.onOpen = () => undefined;
    const cancelled = expect(app.signIn()).rejects.toMatchObject({ code: 'sign-in-cancelled' });
    await vi.waitFor(() => expect(app.getView().status).toBe('signing-in'));
    await app.cancelSignIn();
    await cancelled;
    await app.stop();
    fakeElectron.restart();
    fakeElectron.isPackaged = true;
    provider.fault({ kind: 'oauth-error', endpoint: 'token', error: 'invalid_client' });
    expect(await failed('sign-in-refused')).toEqual([]);
  });

  it('rejects in a page with the advice that the view has', async () => {
    provider.fault({ kind: 'oauth-error', endpoint: 'token', error: 'invalid_client' });
    const app = await start();
    fakeElectron.browseAs();
    const bridge = await fakeElectron.openPage(pathToFileURL(resolve('index.html')).href);
    const failure: unknown = await createApi(() => bridge ?? undefined)
      .signIn()
      .catch((thrown: unknown) => thrown);
    expect(failure).toMatchObject({ code: 'sign-in-refused', advice: { code: 'invalid_client' } });
    await vi.waitFor(() =>
      expect(app.getView()).toMatchObject({ error: { advice: { code: 'invalid_client' } } }),
    );
  });
});
