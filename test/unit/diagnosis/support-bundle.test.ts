import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AuthView } from '../../../src/contract.js';
import type { Diagnosis } from '../../../src/main/diagnosis/diagnosis.js';
import { LIMITS } from '../../../src/main/core/base/limits.js';
import { toAuthEvent } from '../../../src/main/core/base/events.js';
import { createRecentEvents } from '../../../src/main/diagnosis/recent-events.js';
import { scrub, scrubDeep } from '../../../src/main/diagnosis/redact.js';
import { makeSupportBundle } from '../../../src/main/diagnosis/support-bundle.js';

const HOME = '/home/ann';

describe('a text that is scrubbed', () => {
  it.each([
    [
      'a query',
      'callback com.example.notes:/callback?code=abc&state=def came',
      'callback com.example.notes:/callback?[removed] came',
    ],
    ['a query without an address', 'at /callback?code=abc', 'at /callback?[removed]'],
    ['a fragment', 'see https://a.example/x#access_token=abc', 'see https://a.example/x?[removed]'],
    ['the home folder', '/home/ann/.config/Notes and /home/ann', '~/.config/Notes and ~'],
    ['an e-mail address', 'mailto ann.lee@example.com now', 'mailto [removed] now'],
    ['a JWT', 'got eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbm4ifQ. now', 'got [removed] now'],
    ['an opaque token', 'with 8xLOxBtZp8aQ1mRr7TbVn2K5', 'with [removed]'],
    [
      'a code of several UUIDs',
      'code f81d4fae-7dec-11d0-a765-00a0c91e6bf6.f81d4fae-7dec-11d0-a765-00a0c91e6bf6',
      'code [removed]',
    ],
  ])('loses %s', (_name, text, scrubbed) => {
    expect(scrub(text, HOME)).toBe(scrubbed);
  });

  it.each([
    'the scheme leads to another program, or to none',
    'https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0 publishes OpenID Connect metadata (41 ms)',
    'com.example.latchkey-demo:/callback: the port is in use (EADDRINUSE)',
    '/opt/notes-with-a-very-long-name/resources/app.asar.unpacked/node_modules',
    'Linux 6.18.44-fc-v782 x64',
    'net::ERR_CERT_AUTHORITY_INVALID',
  ])('keeps %j', (text) => {
    expect(scrub(text, HOME)).toBe(text);
  });

  it('is scrubbed in bounded time, whatever it is', () => {
    for (const text of [
      `a:${'b?'.repeat(50_000)}`,
      'a@'.repeat(50_000),
      'eyJ'.repeat(30_000),
      'a1'.repeat(100_000),
      `x${':'.repeat(100_000)}`,
    ]) {
      const startedAt = performance.now();
      scrub(text, HOME);
      expect(performance.now() - startedAt).toBeLessThan(2_000);
    }
  });

  it('holds no random word of 32 bytes, wherever it stands', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        fc.constantFrom(' ', '"', '=', '/', ', '),
        (bytes, before) => {
          const secret = Buffer.from(bytes).toString('base64url');
          fc.pre((secret.match(/[0-9](?=[A-Za-z])|[A-Za-z](?=[0-9])/g)?.length ?? 0) >= 4);
          expect(
            JSON.stringify(scrubDeep({ a: [{ b: `x${before}${secret} y` }] }, null)),
          ).not.toContain(secret);
        },
      ),
    );
  });
});

const account = {
  id: 'acc-1',
  issuer: 'https://login.example.com',
  subject: 'sub-1',
  name: 'Ann Lee',
  username: 'ann',
  email: 'ann@example.com',
  picture: 'https://p.example/ann.png',
};
const view: AuthView = {
  status: 'signed-in',
  account,
  remembered: true,
  store: 'keychain',
  renewal: { state: 'fresh', since: 1, expiresAt: 2, renewAt: 2 },
};
const diagnosis: Diagnosis = {
  level: 'ok',
  findings: [{ id: 'versions', level: 'ok', seen: 'Latchkey 0.1.0' }],
  notChecked: [],
};
const content = {
  now: Date.UTC(2026, 0, 1),
  view,
  diagnosis,
  homeFolder: HOME,
  options: {
    issuer: 'https://login.example.com',
    clientId: '9188040d-6c67-4c5b-b112-36a304b66dad',
    redirects: ['com.example.notes:/callback'],
    authorizationParameters: { audience: 'SECRET-ISH' },
    onLog: () => undefined,
    keychainService: 'private name',
    clientSecret: 'SECRET',
    provider: { name: 'entra', facts: ['SECRET'] } as unknown,
  },
  events: [
    {
      level: 'warn',
      event: 'redirect-unavailable',
      fields: { detail: 'at /home/ann/x?code=SECRET-ISH', count: 3 },
      at: 5,
      correlationId: null,
    },
  ],
} as const;

describe('a support bundle', () => {
  const bundle = makeSupportBundle(content, {});

  it('is JSON with versions, options, view, findings and the last events', () => {
    expect(JSON.parse(JSON.stringify(bundle))).toEqual(bundle);
    expect(bundle).toMatchObject({
      format: 'latchkey-support/1',
      createdAt: '2026-01-01T00:00:00.000Z',
      diagnosis,
      events: [{ event: 'redirect-unavailable', at: 5, fields: { count: 3 } }],
    });
  });

  it('shows options by a list of names, and of all others only that they are there', () => {
    expect(bundle.options).toEqual({
      issuer: 'https://login.example.com',
      clientId: '9188040d-6c67-4c5b-b112-36a304b66dad',
      redirects: ['com.example.notes:/callback'],
      authorizationParameters: 'given: audience',
      onLog: 'given',
      keychainService: 'given',
      clientSecret: 'given',
      provider: 'entra',
    });
    expect(JSON.stringify(bundle)).not.toContain('SECRET');
  });

  it('says nothing of the person unless it is asked to', () => {
    expect(bundle.view).toMatchObject({
      status: 'signed-in',
      account: { issuer: 'https://login.example.com' },
    });
    for (const personal of ['acc-1', 'sub-1', 'Ann Lee', 'ann@example.com', 'ann.png', '/home/ann'])
      expect(JSON.stringify(bundle)).not.toContain(personal);
    expect(makeSupportBundle(content, { personalData: true }).view).toEqual(view);
  });

  it('says nothing of the claims of the person, whose names alone are among the options', () => {
    const signedIn: AuthView = {
      status: 'signed-in',
      account: { ...account, claims: { roles: ['chief accountant'], level: 7 } },
      remembered: true,
      store: 'keychain',
      renewal: { state: 'fresh', since: 1, expiresAt: null, renewAt: null },
    };
    const bundle = makeSupportBundle(
      { ...content, options: { claims: ['roles', 'level'], keepIdToken: true }, view: signedIn },
      {},
    );
    expect(bundle.view).toMatchObject({ account: { issuer: 'https://login.example.com' } });
    expect(JSON.stringify(bundle.view)).not.toMatch(/claims|accountant|roles/);
    expect(bundle.options).toEqual({ claims: ['roles', 'level'], keepIdToken: true });
  });

  it('says nothing of the person who was signed in last', () => {
    const { view: shown } = makeSupportBundle(
      {
        ...content,
        view: {
          status: 'signed-out',
          reason: 'signed-out',
          lastAccount: account,
          otherAccounts: [account],
        },
      },
      {},
    );
    expect(shown).toEqual({
      status: 'signed-out',
      reason: 'signed-out',
      lastAccount: { issuer: 'https://login.example.com' },
      otherAccounts: [{ issuer: 'https://login.example.com' }],
    });
  });
});

describe('the recent events', () => {
  it('are the last ones, oldest first', () => {
    const recent = createRecentEvents();
    for (let at = 0; at < LIMITS.recentEvents + 5; at += 1)
      recent.note(toAuthEvent({ level: 'error', event: 'state-file-unwritable' }, at));
    expect(recent.list()).toHaveLength(LIMITS.recentEvents);
    expect(recent.list()[0]).toMatchObject({ event: 'state-file-unwritable', at: 5 });
  });
});
