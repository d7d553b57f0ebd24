// Time and TLS of the embedded provider: a clock of the test's, and a certificate of its own.
import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { createPerson, createVirtualClock, startProvider } from '../../src/testing/index.js';
import type { Provider, ProviderOptions, VirtualClock } from '../../src/testing/index.js';
import { type Reply, claimsOf, get, redeem, renew, trip } from './wire-client.js';

const START = Date.UTC(2031, 0, 1);
const running: Provider[] = [];

async function start(options: ProviderOptions): Promise<Provider> {
  const provider = await startProvider({ signingAlgorithm: 'ES256', ...options });
  running.push(provider);
  return provider;
}

afterEach(async () => {
  await Promise.all(running.splice(0).map((provider) => provider.stop()));
});

async function signedIn(): Promise<{
  readonly clock: VirtualClock;
  readonly provider: Provider;
  readonly tokens: Reply['body'];
}> {
  const clock = createVirtualClock(START);
  const provider = await start({ clock });
  return { clock, provider, tokens: (await redeem(provider, await trip(provider))).body };
}

describe('with a clock of the test', () => {
  it('an access token ends when its time has passed, and not before', async () => {
    const { clock, provider, tokens } = await signedIn();
    clock.advanceSeconds(290);
    expect((await get(provider.endpoints.me, tokens['access_token'])).status).toBe(200);
    clock.advanceSeconds(15);
    expect((await get(provider.endpoints.me, tokens['access_token'])).status).toBe(401);
    expect((await renew(provider, tokens['refresh_token'])).body).toMatchObject({
      expires_in: 300,
    });
  });

  it('a refresh token ends after fourteen days that were never waited for', async () => {
    const { clock, provider, tokens } = await signedIn();
    clock.advanceSeconds(14 * 86_400 + 1);
    expect((await renew(provider, tokens['refresh_token'])).body['error']).toBe('invalid_grant');
  });

  it('a code is too old after a minute', async () => {
    const clock = createVirtualClock(START);
    const provider = await start({ clock });
    const there = await trip(provider);
    clock.advanceSeconds(61);
    expect((await redeem(provider, there)).body['error']).toBe('invalid_grant');
  });

  it('a browser is signed out after its session', async () => {
    const clock = createVirtualClock(START);
    const provider = await start({ clock });
    const person = createPerson();
    const subject = async (login: string): Promise<unknown> =>
      claimsOf((await redeem(provider, await trip(provider, { person, login }))).body['id_token'])[
        'name'
      ];
    expect(await subject('ada')).toBe('Ada Lovelace');
    expect(await subject('grace')).toBe('Ada Lovelace');
    clock.advanceSeconds(15 * 86_400);
    expect(await subject('grace')).toBe('Grace Hopper');
  });

  it('answers and ID tokens are dated by it', async () => {
    const { clock, provider, tokens } = await signedIn();
    const nowSeconds = (): number => clock.now() / 1000;
    const near = (value: unknown, wanted: number): void =>
      expect(Math.abs(Number(value) - wanted)).toBeLessThanOrEqual(2);
    near(claimsOf(tokens['id_token'])['iat'], nowSeconds());
    clock.advanceSeconds(86_400);
    const { headers, body } = await renew(provider, tokens['refresh_token']);
    expect(headers.get('date')).toBe(new Date(clock.now()).toUTCString());
    near(claimsOf(body['id_token'])['iat'], nowSeconds());
    near(claimsOf(body['id_token'])['exp'], nowSeconds() + 3_600);
    expect(provider.requests.at(-1)?.at).toBe(clock.now());
  });

  it('that is put back, things live longer again', async () => {
    const { clock, provider, tokens } = await signedIn();
    clock.advanceSeconds(400);
    expect((await get(provider.endpoints.me, tokens['access_token'])).status).toBe(401);
    clock.set(START + 100_000);
    expect((await get(provider.endpoints.me, tokens['access_token'])).status).toBe(200);
  });

  it('a clock moves only forward by "advance"', () => {
    const clock = createVirtualClock(new Date(START));
    expect(() => clock.advance(-1)).toThrow(TypeError);
    clock.advance(1_500);
    expect(clock.now()).toBe(START + 1_500);
  });
});

describe('with https', () => {
  it('the whole sign-in runs over TLS with a certificate that fits the address', async () => {
    const provider = await start({ https: true });
    expect(provider.issuer).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
    const certificate = new X509Certificate(provider.certificate ?? '');
    expect([
      certificate.checkIP('127.0.0.1'),
      certificate.checkHost('localhost'),
      certificate.verify(certificate.publicKey),
    ]).toEqual(['127.0.0.1', 'localhost', true]);
    expect([
      Date.parse(certificate.validFrom) < Date.now(),
      Date.parse(certificate.validTo) > Date.now(),
    ]).toEqual([true, true]);
    const there = await trip(provider, {
      person: createPerson({ certificate: provider.certificate }),
    });
    expect(there.answer.get('iss')).toBe(provider.issuer);
    await expect(trip(provider)).rejects.toThrow(/self.signed/);
  });

  it('a program that trusts the certificate finds the metadata', async () => {
    const provider = await start({ https: true });
    const folder = mkdtempSync(join(tmpdir(), 'latchkey-certificate-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const file = join(folder, 'certificate.pem');
    writeFileSync(file, provider.certificate ?? '');
    const script = `fetch('${provider.issuer}/.well-known/openid-configuration').then((answer) => answer.json()).then(({ token_endpoint }) => process.stdout.write(token_endpoint))`;
    const { stdout } = await promisify(execFile)(process.execPath, ['-e', script], {
      env: { ...process.env, NODE_EXTRA_CA_CERTS: file },
    });
    expect(stdout).toBe(provider.endpoints.token);
  });
});
