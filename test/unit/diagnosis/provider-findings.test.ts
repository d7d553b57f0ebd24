import { describe, expect, it } from 'vitest';
import type { ProviderFacts, RedirectAnswer } from '../../../src/main/diagnosis/facts.js';
import type { Finding, FindingId, FindingLevel } from '../../../src/main/diagnosis/findings.js';
import {
  judgeProvider,
  judgeProxy,
  judgeTls,
} from '../../../src/main/diagnosis/provider-findings.js';

const SCOPES = ['openid', 'offline_access'];
const good: ProviderFacts = {
  issuer: 'https://login.example.com',
  discovery: { state: 'found', tookMs: 40, document: 'openid', ignored: [] },
  announced: {
    codeChallengeMethods: ['S256'],
    grantTypes: ['authorization_code', 'refresh_token'],
    scopes: ['openid', 'offline_access'],
    onlyPushedRequests: false,
    deviceCodes: false,
  },
  jwks: { state: 'found', tookMs: 12, keys: 2 },
  clockOffsetSeconds: 0,
  redirects: [
    {
      redirect: 'com.example.notes:/callback',
      answer: { state: 'came-back', error: 'login_required' },
    },
  ],
};

function judged(
  id: FindingId,
  changes: Partial<ProviderFacts>,
  scopes: readonly string[] = SCOPES,
): Finding | undefined {
  return judgeProvider(
    { ...good, ...changes },
    { scopes, deviceCodes: false, refreshesWithoutScope: false },
  ).find((finding) => finding.id === id);
}

const failed = (code: string, word: string | null): NonNullable<ProviderFacts['discovery']> => ({
  state: 'failed',
  tookMs: 700,
  code: code as 'network-failed',
  message: '"login.example.com" could not be reached',
  word,
});

describe('the judgement of a provider', () => {
  it('names no scope to a preset that gets refresh tokens without it', () => {
    const scopes = ['openid'];
    const finding = (refreshesWithoutScope: boolean): Finding | undefined =>
      judgeProvider(good, { scopes, deviceCodes: false, refreshesWithoutScope }).find(
        ({ id }) => id === 'refresh',
      );
    expect(finding(false)).toMatchObject({ level: 'warning' });
    expect(finding(true)).toMatchObject({ level: 'ok' });
    expect(JSON.stringify(finding(true))).not.toContain('offline_access');
  });

  it('warns of each optional endpoint that Latchkey does without', () => {
    const finding = judgeProvider(
      {
        ...good,
        discovery: {
          state: 'found',
          tookMs: 1,
          document: 'openid',
          ignored: ['userinfo_endpoint'],
        },
      },
      { scopes: SCOPES, deviceCodes: false, refreshesWithoutScope: false },
    ).find(({ id, level }) => id === 'discovery' && level === 'warning');
    expect(finding?.seen).toContain('"userinfo_endpoint"');
  });

  it('finds nothing wrong where nothing is', () => {
    const findings = judgeProvider(good, {
      scopes: SCOPES,
      deviceCodes: false,
      refreshesWithoutScope: false,
    });
    expect(findings.filter(({ level }) => level !== 'ok')).toEqual([]);
    expect(findings.map(({ id }) => id)).toEqual([
      'discovery',
      'issuer',
      'jwks',
      'clock',
      'redirect',
      'pkce',
      'refresh',
    ]);
  });

  it.each([
    ['network-failed', 'ECONNREFUSED', /Nothing listens there/],
    ['network-failed', 'ERR_NAME_NOT_RESOLVED', /The name is not known/],
    ['network-failed', 'ERR_CERT_AUTHORITY_INVALID', /^See tls\.$/],
    ['network-failed', 'SELF_SIGNED_CERT_IN_CHAIN', /^See tls\.$/],
    ['network-failed', null, /Check the network/],
    ['network-timeout', null, /swallows the request/],
    ['server-unavailable', null, /out of order/],
    ['response-invalid', null, /captive portal/],
    ['discovery-failed', null, /openid-configuration/],
  ])('says what helps when discovery ends in %s (%s)', (code, word, todo) => {
    const finding = judged('discovery', {
      discovery: failed(code, word),
      announced: null,
      jwks: null,
    });
    expect(finding).toMatchObject({ level: 'error' });
    expect(finding?.todo).toMatch(todo);
    expect(finding?.seen).toContain(word ?? 'could not be reached');
  });

  it.each([
    ['client-certificate', 'tls', /asks for a client certificate/, /ssl_verify_client/],
    ['proxy-password', 'proxy', /asks for a password/, /session\.setProxy/],
    ['proxy', 'proxy', /does not let the request pass/, /address of the proxy/],
  ] as const)(
    'has a finding of its own for what stands in the way: %s',
    (trouble, id, seen, todo) => {
      const changes = {
        discovery: {
          ...failed('network-failed', 'ERR_SSL_CLIENT_AUTH_CERT_NEEDED'),
          trouble,
        } as ProviderFacts['discovery'],
        announced: null,
        jwks: null,
      };
      expect(judged('discovery', changes)).toMatchObject({ level: 'error', todo: `See ${id}.` });
      expect(judged(id, changes)).toMatchObject({
        level: 'error',
        seen: expect.stringMatching(seen) as string,
        todo: expect.stringMatching(todo) as string,
      });
    },
  );

  it('tells a reachable provider with another issuer from one that cannot be reached', () => {
    const changes = {
      discovery: {
        ...failed('issuer-mismatch', null),
        message: 'metadata member "issuer" is not the option "issuer"',
      } as ProviderFacts['discovery'],
    };
    expect(judged('discovery', changes)).toMatchObject({ level: 'ok' });
    expect(judged('issuer', changes)).toMatchObject({ level: 'error' });
  });

  it.each<[number, FindingLevel, string]>([
    [59, 'ok', 'the clocks of this computer and of the provider are 59 s apart'],
    [-60, 'ok', 'the clocks of this computer and of the provider are 60 s apart'],
    [61, 'warning', "this computer's clock is 61 s behind the provider's"],
    [-7_200, 'warning', "this computer's clock is 7200 s ahead of the provider's"],
  ])('of clocks that are %i s apart is %s', (clockOffsetSeconds, level, seen) => {
    expect(judged('clock', { clockOffsetSeconds })).toMatchObject({ level, seen });
  });

  it.each<[RedirectAnswer, FindingLevel, RegExp]>([
    [{ state: 'came-back', error: null }, 'ok', /accepts/],
    [{ state: 'came-back', error: 'consent_required' }, 'ok', /accepts/],
    [{ state: 'came-back', error: 'invalid_scope' }, 'warning', /but answers "invalid_scope"/],
    [
      { state: 'kept', status: 400, words: [] },
      'error',
      /does not come back to .* \(status 400\)$/,
    ],
    [
      { state: 'kept', status: 400, words: ['invalid_redirect_uri'] },
      'error',
      /with invalid_redirect_uri\)$/,
    ],
    [
      { state: 'kept', status: 302, words: ['redirect_uri_mismatch'] },
      'error',
      /with redirect_uri_mismatch\)$/,
    ],
    [{ state: 'kept', status: 200, words: [] }, 'warning', /status 200/],
    [
      {
        state: 'failed',
        code: 'network-failed',
        message: 'the authorization endpoint gave no answer',
        word: 'ECONNRESET',
      },
      'warning',
      /ECONNRESET/,
    ],
  ])('of the answer %j is %s', (answer, level, seen) => {
    const finding = judged('redirect', {
      redirects: [{ redirect: 'com.example.notes:/callback', answer }],
    });
    expect(finding).toMatchObject({ level });
    expect(finding?.seen).toMatch(seen);
  });

  it('tells an unknown client from an unregistered redirect, where the provider does', () => {
    const todo = (word: string): string | undefined =>
      judged('redirect', {
        redirects: [{ redirect: 'a.b:/c', answer: { state: 'kept', status: 400, words: [word] } }],
      })?.todo;
    expect(todo('invalid_client')).toMatch(/does not know this client id/);
    expect(todo('AADSTS700016')).toMatch(/does not know this client id/);
    expect(todo('AADSTS50011')).toMatch(/Register exactly this redirect URI/);
  });

  it.each<[readonly string[] | null, FindingLevel]>([
    [['plain', 'S256'], 'ok'],
    [null, 'warning'],
    [['plain'], 'error'],
    [[], 'error'],
  ])('of the code challenge methods %j is %s', (codeChallengeMethods, level) => {
    expect(
      judged('pkce', { announced: { ...good.announced!, codeChallengeMethods } }),
    ).toMatchObject({ level });
  });

  it.each<[readonly string[] | null, readonly string[] | null, readonly string[], FindingLevel]>([
    [['refresh_token'], null, SCOPES, 'ok'],
    [null, null, SCOPES, 'ok'],
    [['authorization_code'], null, SCOPES, 'warning'],
    [null, ['openid'], SCOPES, 'warning'],
    [['refresh_token'], null, ['openid'], 'warning'],
  ])(
    'of the grants %j, the scopes %j and the asked scopes %j is %s',
    (grantTypes, scopes, asked, level) => {
      expect(
        judged('refresh', { announced: { ...good.announced!, grantTypes, scopes } }, asked),
      ).toMatchObject({ level });
    },
  );

  it('looks for device codes only where they are wanted', () => {
    const found = (deviceCodes: boolean): readonly Finding[] =>
      judgeProvider(
        { ...good, announced: { ...good.announced!, deviceCodes } },
        { scopes: SCOPES, deviceCodes: true, refreshesWithoutScope: false },
      ).filter(({ id }) => id === 'device-code');
    expect([found(true)[0]?.level, found(false)[0]?.level]).toEqual(['ok', 'warning']);
    expect(judged('device-code', {})).toBeUndefined();
  });

  it('of a key set without a key, or without an answer, is an error', () => {
    expect(judged('jwks', { jwks: { state: 'found', tookMs: 1, keys: 0 } })).toMatchObject({
      level: 'error',
    });
    expect(
      judged('jwks', {
        jwks: {
          state: 'failed',
          tookMs: 1,
          code: 'network-timeout',
          message: 'no answer from "login.example.com" in time',
          word: null,
        },
      }),
    ).toMatchObject({ level: 'error' });
  });

  it('asks nothing of metadata when the endpoints are given by hand', () => {
    const findings = judgeProvider(
      {
        ...good,
        discovery: null,
        announced: null,
        jwks: null,
        clockOffsetSeconds: null,
        redirects: [],
      },
      { scopes: SCOPES, deviceCodes: false, refreshesWithoutScope: false },
    );
    expect(findings).toEqual([
      {
        id: 'discovery',
        level: 'ok',
        seen: 'the endpoints are given by hand; no metadata is asked for',
      },
    ]);
  });
});

describe('the judgement of the way to the provider', () => {
  it.each([
    [{ source: 'system', proxies: [] }, 'ok', 'requests go to the provider directly'],
    [{ source: 'system', proxies: ['a:1', 'b:2'] }, 'ok', 'requests go through a:1, then b:2'],
    [{ source: 'environment', proxies: [] }, 'ok', 'no proxy is set in the environment'],
    [
      { source: 'environment', proxies: ['a:1'] },
      'warning',
      'the environment names a proxy (a:1), which this command does not use',
    ],
  ] as const)('%j', (facts, level, seen) => {
    expect(judgeProxy(facts)).toMatchObject({ level, seen });
  });

  it('names who has issued a certificate that no public authority stands behind, and trusts nothing that was refused', () => {
    expect(judgeTls({ state: 'none' })).toEqual([]);
    expect(judgeTls({ state: 'trusted', issuer: 'R11', publicRoot: true })).toEqual([
      {
        id: 'tls',
        level: 'ok',
        seen: "the provider's certificate was issued by R11, a public authority",
      },
    ]);
    expect(
      judgeTls({ state: 'trusted', issuer: 'Corp Proxy CA', publicRoot: false })[0],
    ).toMatchObject({
      level: 'warning',
      seen: "the provider's certificate was issued by Corp Proxy CA, which no public authority stands behind",
    });
    expect(
      judgeTls({
        state: 'refused',
        word: 'ERR_CERT_AUTHORITY_INVALID',
        issuer: 'Corp Proxy CA',
      })[0],
    ).toMatchObject({
      level: 'error',
      seen: "the provider's certificate is refused (ERR_CERT_AUTHORITY_INVALID); it was issued by Corp Proxy CA",
    });
  });
});
