// Whatever a server answers as an error: it never breaks, never leaks into view, log, message or
// page, and never reaches one unescaped.
import { inspect } from 'node:util';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { createAdvise } from '../../../src/advice/decide.js';
import { createResultPages } from '../../../src/main/adapters/loopback/result-page.js';
import { createRequestSecrets } from '../../../src/main/core/oauth/request-secrets.js';
import { ERROR_CODES } from '../../../src/main/core/base/error-codes.js';
import { AuthError, toErrorView } from '../../../src/main/core/base/errors.js';
import { createErrorViews } from '../../../src/main/core/base/error-views.js';
import { describeFailure } from '../../../src/main/diagnosis/failure-line.js';
import { entra } from '../../../src/providers/index.js';
import { createFakeLog } from '../../support/fakes.js';
import { type Wire, createWire } from '../../support/wire.js';

const TENANT = '11111111-2222-3333-4444-555555555555';
const ISSUER = `https://login.microsoftonline.com/${TENANT}/v2.0`;
const TOKEN = 'https://login.microsoftonline.com/token';

/**
 * In every text of the server; what shows it has passed on the server's words. No plain word,
 * number or id has such signs.
 */
const MARK = '<zq\u202e>';
const marked = fc
  .string({ unit: 'grapheme', maxLength: 40 })
  .map(
    (text) =>
      `${text.slice(0, 20)}${MARK}<script>alert(1)</script>\u0000\u001b[2J${text.slice(20)}`,
  );
const anything = fc.oneof(
  { depthSize: 'medium', withCrossShrink: true },
  marked,
  fc.anything({ values: [marked, fc.integer(), fc.boolean(), fc.constant(null)], maxDepth: 4 }),
);
const hostile = fc.oneof(
  anything,
  fc.constantFrom<unknown>(
    'invalid_grant',
    'invalid_request',
    'interaction_required',
    'constructor',
    '__proto__',
    'toString',
    [9002327],
    [50011, MARK],
    ['50011'],
    TENANT,
    '2026-11-24 10:00:00Z',
    `AADSTS9002327: ${MARK}`,
    `${MARK}AADSTS50011`,
    'x'.repeat(100_000),
  ),
);
const body = fc.record(
  {
    error: hostile,
    error_description: hostile,
    error_codes: hostile,
    error_uri: hostile,
    suberror: hostile,
    trace_id: hostile,
    correlation_id: hostile,
    timestamp: hostile,
    errorCode: hostile,
    [MARK]: hostile,
    toString: hostile,
    access_token: fc.constantFrom(undefined, 7, null),
  },
  { requiredKeys: [] },
);
const raw = fc.oneof(
  body.map((value) => JSON.stringify(value) ?? ''),
  marked,
  fc.constantFrom(
    '',
    'null',
    '[]',
    `<html><body>${MARK}</body></html>`,
    '['.repeat(50_000),
    `{"error":"invalid_grant","deep":${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}}`,
    `{"error":"${'e'.repeat(200_000)}"}`,
  ),
);
const status = fc.constantFrom(200, 201, 400, 401, 403, 404, 418, 500, 503);
const contentType = fc.constantFrom(
  'application/json',
  'text/html',
  'text/plain; charset=utf-8',
  'application/jwt',
  '',
);

const advise = createAdvise({ issuer: ISSUER, preset: 'entra' });

async function viewOf(error: AuthError): Promise<unknown> {
  return createErrorViews(
    async () => advise,
    () => undefined,
    createFakeLog(),
  ).complete(error);
}

async function expectClean(error: unknown, wire: Wire): Promise<void> {
  if (!(error instanceof AuthError)) throw new Error(`not an AuthError: ${inspect(error)}`);
  expect(Object.keys(ERROR_CODES)).toContain(error.code);
  const view = await viewOf(error);
  const told = [
    inspect(error, { depth: Infinity, showHidden: true }),
    JSON.stringify(view),
    JSON.stringify(toErrorView(error)),
    describeFailure(error),
    JSON.stringify(wire.log.events),
  ].join('\n');
  for (const sign of [
    MARK,
    '<script',
    '\\u0000',
    '\\u001b',
    '\\u202e',
    '\u0000',
    '\u001b[2J',
    '\u202e',
  ])
    expect(told).not.toContain(sign);
  expect(JSON.stringify(view).length).toBeLessThan(10_000);
  const { provider } = error;
  for (const kept of Object.values(provider ?? {}))
    expect(kept).toMatch(/^[A-Za-z0-9_:. -]{1,64}$/);
}

let wire: Wire;
beforeAll(async () => {
  wire = await createWire({
    provider: entra({ tenant: TENANT }),
    clientId: TENANT,
    redirects: ['http://localhost/callback'],
  });
  wire.answer(ISSUER, () =>
    Response.json({
      issuer: ISSUER,
      authorization_endpoint: TOKEN,
      token_endpoint: TOKEN,
      jwks_uri: TOKEN,
    }),
  );
});

const answers = (text: string, code: number, type: string): void =>
  wire.answer(
    TOKEN,
    () =>
      new Response(text, {
        status: code,
        headers: { 'content-type': type, 'www-authenticate': 'Bearer' },
      }),
  );

describe('an error body of any kind', () => {
  it('at the code ends the sign-in with a code of the list, and shows nothing of itself', async () => {
    await fc.assert(
      fc.asyncProperty(raw, status, contentType, async (text, code, type) => {
        answers(text, code, type);
        const secrets = createRequestSecrets();
        const error: unknown = await wire.protocol
          .redeem(
            new URLSearchParams({ code: 'c', state: secrets.state }),
            secrets,
            'http://localhost:1/callback',
          )
          .catch((thrown: unknown) => thrown);
        await expectClean(error, wire);
      }),
      { numRuns: 300 },
    );
  });

  it("at the renewal is judged in the same way, and only the server's own word ends a session", async () => {
    await fc.assert(
      fc.asyncProperty(raw, status, contentType, async (text, code, type) => {
        answers(text, code, type);
        const error: unknown = await wire.protocol
          .renew('refresh', 'openid', { id: 'x', issuer: ISSUER, subject: 'ada' })
          .catch((thrown: unknown) => thrown);
        await expectClean(error, wire);
        if (error instanceof AuthError && error.code === 'session-ended')
          expect([error.serverError, text.includes('invalid_grant'), code < 500]).toEqual([
            'invalid_grant',
            true,
            true,
          ]);
      }),
      { numRuns: 300 },
    );
  });
});

describe('an authorization error of any kind', () => {
  it('ends the sign-in with a code of the list, and shows nothing of itself but a plain word and a number', async () => {
    const parameter = fc.oneof(
      marked,
      fc.constantFrom(
        'access_denied',
        'login_required',
        `AADSTS65004: ${MARK}`,
        'x'.repeat(10_000),
      ),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          error: parameter,
          error_description: parameter,
          error_uri: parameter,
          error_codes: parameter,
          trace_id: fc.constant(TENANT),
        }),
        async (parameters) => {
          const secrets = createRequestSecrets();
          const error: unknown = await wire.protocol
            .redeem(
              new URLSearchParams({ ...parameters, state: secrets.state }),
              secrets,
              'http://localhost:1/callback',
            )
            .catch((thrown: unknown) => thrown);
          await expectClean(error, wire);
          if (error instanceof AuthError)
            expect(Object.keys(error.provider ?? {}).filter((name) => name !== 'code')).toEqual([]);
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('the page in the browser', () => {
  it('says the same whatever the server said, for it is told the outcome and no text', () => {
    for (const outcome of ['failed', 'denied'] as const) {
      const { html } = createResultPages({}, `Notes ${MARK}`)(outcome, null);
      expect(html).not.toContain(MARK);
      expect(html).not.toContain('<script');
    }
  });
});
