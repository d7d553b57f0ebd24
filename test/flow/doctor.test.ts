// `latchkey doctor` before the embedded provider over real HTTP: each thing that can be wrong there
// is named, and nothing else.
import { mkdtempSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { type Provider, type ProviderOptions, startProvider } from '../../src/testing/index.js';
import { diagnosed, doctor, workingKeyring } from '../support/doctor-command.js';

const REDIRECT = 'http://127.0.0.1/callback';
const well = { fork: workingKeyring, env: { PATH: process.env['PATH'] } };

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
});

async function provider(
  options: ProviderOptions = {},
): Promise<{ readonly provider: Provider; readonly args: readonly string[] }> {
  const started = await startProvider(options);
  cleanUps.push(() => started.stop());
  return {
    provider: started,
    args: ['--issuer', started.issuer, '--client-id', started.clientId, '--redirect', REDIRECT],
  };
}

describe('latchkey doctor before a provider', () => {
  it('finds nothing wrong where nothing is, ends with 0, and leaves no session and no token behind', async () => {
    const { provider: idp, args } = await provider();
    const { code, troubles, find } = await diagnosed(args, well);
    expect([code, troubles]).toEqual([0, []]);
    expect(find('redirect')?.seen).toMatch(
      /^the provider accepts http:\/\/127\.0\.0\.1:\d+\/callback$/,
    );
    expect(idp.requests.filter(({ endpoint }) => endpoint === 'token')).toEqual([]);
    expect(idp.requests.every(({ origin }) => origin === null)).toBe(true);
  });

  it.each([
    ['the clock is behind', -7_200, /this computer's clock is 7\d\d\d s ahead of the provider's/],
    ['the clock is ahead', 7_200, /this computer's clock is 7\d\d\d s behind the provider's/],
  ])('names it when %s', async (_name, offsetSeconds, seen) => {
    const { provider: idp, args } = await provider();
    idp.fault({ kind: 'clock-offset', offsetSeconds });
    const { code, troubles } = await diagnosed(args, well);
    expect(code).toBe(1);
    expect(troubles).toMatchObject([
      { id: 'clock', level: 'warning', seen: expect.stringMatching(seen) as string },
    ]);
  });

  it('names a redirect that is not registered, and a client that is not known', async () => {
    const { args } = await provider({ redirectUris: ['http://127.0.0.1/another'] });
    const notRegistered = await diagnosed(args, well);
    expect(notRegistered.code).toBe(2);
    expect(notRegistered.troubles).toMatchObject([
      {
        id: 'redirect',
        level: 'error',
        seen: expect.stringContaining('invalid_redirect_uri') as string,
      },
    ]);
    const notKnown = await diagnosed(
      args.map((word) => (word === 'latchkey-demo' ? 'somebody-else' : word)),
      well,
    );
    expect(notKnown.troubles).toMatchObject([
      {
        id: 'redirect',
        level: 'error',
        seen: expect.stringContaining('invalid_client') as string,
        todo: expect.stringContaining('client id') as string,
      },
    ]);
  });

  it('names a wrong port at once, and what could not be looked at because of it', async () => {
    const { args } = await provider();
    const free = createServer();
    await new Promise<void>((resolve) => free.listen(0, '127.0.0.1', resolve));
    const { port } = free.address() as AddressInfo;
    await new Promise((resolve) => free.close(resolve));
    const { code, out } = await doctor(
      [...args.slice(2), '--issuer', `http://127.0.0.1:${port}`],
      well,
    );
    expect(code).toBe(2);
    expect(out).toMatch(
      new RegExp(`^ERROR +discovery +http://127\\.0\\.0\\.1:${port}: .*\\(ECONNREFUSED\\)`, 'm'),
    );
    expect(out).toMatch(/^ +-> Nothing listens there/m);
    for (const id of ['jwks', 'redirect', 'pkce', 'refresh', 'clock'])
      expect(out).toMatch(new RegExp(`^- +${id} +not checked`, 'm'));
  });

  it('names a provider that does not answer, within the time that it is given', async () => {
    const { provider: idp, args } = await provider();
    idp.fault({ kind: 'hang', endpoint: 'discovery' });
    const { code, troubles } = await diagnosed([...args, '--timeout', '1'], well);
    expect(code).toBe(2);
    expect(troubles).toMatchObject([
      { id: 'discovery', level: 'error', todo: expect.stringContaining('swallows') as string },
    ]);
  });

  it.each([
    [
      'status 503',
      { kind: 'status', endpoint: 'discovery', status: 503 },
      'discovery',
      'out of order',
    ],
    [
      'a page of HTML',
      { kind: 'html', endpoint: 'discovery' },
      'discovery',
      'must show JSON in a browser',
    ],
    ['a key set that hangs up', { kind: 'reset', endpoint: 'jwks' }, 'jwks', 'jwks_uri'],
    [
      'an empty key set',
      { kind: 'members', endpoint: 'jwks', set: { keys: [] } },
      'jwks',
      'no ID token',
    ],
    [
      'another issuer',
      { kind: 'members', endpoint: 'discovery', set: { issuer: 'https://login.example.com' } },
      'issuer',
      'character by character',
    ],
    [
      'no PKCE',
      { kind: 'members', endpoint: 'discovery', drop: ['code_challenge_methods_supported'] },
      'pkce',
      'always sends it',
    ],
    [
      'plain PKCE only',
      {
        kind: 'members',
        endpoint: 'discovery',
        set: { code_challenge_methods_supported: ['plain'] },
      },
      'pkce',
      'S256 only',
    ],
    [
      'no refresh tokens',
      {
        kind: 'members',
        endpoint: 'discovery',
        set: { grant_types_supported: ['authorization_code'] },
      },
      'refresh',
      'refresh_token',
    ],
  ] as const)('names %s', async (_name, fault, id, todo) => {
    const { provider: idp, args } = await provider();
    idp.fault(fault);
    const { code, find, troubles } = await diagnosed(args, well);
    expect(code).toBeGreaterThan(0);
    expect(find(id)?.todo).toContain(todo);
    expect(troubles.map((trouble) => trouble.id)).toEqual([id]);
  });

  it('names the slash that people copy wrong', async () => {
    const { args } = await provider();
    const { troubles } = await diagnosed(
      args.map((word, at) => (at === 1 ? `${word}/` : word)),
      well,
    );
    expect(troubles).toMatchObject([
      { id: 'issuer', seen: expect.stringContaining('slash at the end') as string },
    ]);
  });

  it('names a port that another program has', async () => {
    const { args } = await provider({ redirectUris: [REDIRECT] });
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    cleanUps.push(() => new Promise((resolve) => other.close(resolve)));
    const fixed = `http://127.0.0.1:${(other.address() as AddressInfo).port}/callback`;
    const { code, troubles } = await diagnosed(
      args.map((word) => (word === REDIRECT ? fixed : word)),
      well,
    );
    expect(code).toBe(2);
    expect(troubles).toMatchObject([
      {
        id: 'loopback',
        level: 'error',
        seen: expect.stringContaining('another program has the port (EADDRINUSE)') as string,
      },
    ]);
  });

  it('asks nothing about the registration without client id and redirect', async () => {
    const { provider: idp, args } = await provider();
    const { code } = await diagnosed(args.slice(0, 2), well);
    expect(code).toBe(0);
    expect(
      idp.requests
        .map(({ endpoint }) => endpoint)
        .filter((endpoint) => endpoint === 'authorization'),
    ).toEqual([]);
  });
});

describe('the words of latchkey doctor', () => {
  it.each([
    [[], /the option "--issuer" is missing/],
    [
      ['--issuer', 'ftp://x'],
      /option "issuer" must be an absolute URL|option "issuer" must be an "https:" URL/,
    ],
    [
      ['--issuer', 'https://a.example', '--redirect', 'https://a.example/cb'],
      /option "redirects" must be/,
    ],
    [
      ['--issuer', 'https://a.example', '--timeout', 'soon'],
      /option "networkTimeoutSeconds" must be a number/,
    ],
    [['--isuer', 'https://a.example'], /Unknown option '--isuer'/],
    [['https://a.example'], /Unexpected argument/],
  ])('%j end with 64, the reason and the usage', async (args, reason) => {
    const { code, out, err } = await doctor(args, well);
    expect([code, out]).toEqual([64, '']);
    expect(err).toMatch(reason);
    expect(err).toContain('--client-id ID');
  });

  it('are told by --help', async () => {
    const { code, out } = await doctor(['--help'], well);
    expect(code).toBe(0);
    expect(out).toContain('Exit code: 0 all is well');
  });
});

describe('the support bundle of latchkey doctor', () => {
  it('is a file for this user, with findings, options and cleaned events, and without what could be a secret', async () => {
    const { args } = await provider();
    const folder = mkdtempSync(join(realpathSync(tmpdir()), 'latchkey-bundle-'));
    cleanUps.push(() => rmSync(folder, { recursive: true }));
    const events = join(folder, 'events.log');
    const code = 'x9K2mQ7vLpR4tZ8wB1nC5dF6gH3jS0aY';
    writeFileSync(
      events,
      `not an event\n{"level":"warn","event":"redirect-unavailable","fields":{"detail":"at com.example.a:/cb?code=${code}","token":"${code}"},"at":5}\n`,
    );
    const bundle = join(folder, 'bundle.json');
    const examined = await doctor([...args, '--bundle', bundle, '--events', events], well);
    expect(examined.code).toBe(0);
    expect(statSync(bundle).mode & 0o777).toBe(0o600);
    const text = readFileSync(bundle, 'utf8');
    expect(text).not.toContain(code);
    expect(JSON.parse(text)).toMatchObject({
      format: 'latchkey-support/1',
      view: null,
      options: { clientId: 'latchkey-demo' },
      diagnosis: { level: 'ok' },
      events: [{ event: 'redirect-unavailable', at: 5 }],
    });
  });

  it('ends with 73 when it cannot be written', async () => {
    const { args } = await provider();
    expect((await doctor([...args, '--bundle', '/nonexistent/bundle.json'], well)).code).toBe(73);
  });
});
