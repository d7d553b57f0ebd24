// What is kept of a provider's error: codes and ids in their known form, and nothing else, whatever
// comes.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  readCallbackError,
  readProviderError,
} from '../../../src/main/core/oauth/provider-error.js';

const TRACE = '0000aaaa-11bb-cccc-dd22-eeeeee333333';
const CORRELATION = 'aaaa0000-bb11-2222-33cc-444444dddddd';
const ENTRA = {
  error: 'invalid_request',
  error_description: `AADSTS9002327: Tokens issued for the 'Single-Page Application' client-type may only be redeemed via cross-origin requests.\r\nTrace ID: ${TRACE}`,
  error_codes: [9002327],
  timestamp: '2026-11-24 10:00:00Z',
  trace_id: TRACE,
  correlation_id: CORRELATION,
  error_uri: 'https://login.microsoftonline.com/error?code=9002327',
};

describe('readProviderError', () => {
  it("reads an answer of Entra's as its documents show it", () => {
    expect(readProviderError(ENTRA)).toEqual({
      code: 'AADSTS9002327',
      traceId: TRACE,
      correlationId: CORRELATION,
      timestamp: '2026-11-24 10:00:00Z',
    });
  });

  it.each<[string, unknown, unknown]>([
    [
      'the number in the text when there is no list',
      { error_description: 'AADSTS65004: declined' },
      { code: 'AADSTS65004' },
    ],
    [
      'the list rather than the text',
      { error_codes: [50011], error_description: 'AADSTS65004' },
      { code: 'AADSTS50011' },
    ],
    [
      'a number in the middle of a text',
      { error_description: 'x; AADSTS700082: y' },
      { code: 'AADSTS700082' },
    ],
    ['a number of B2C', { error_description: 'AADB2C90118: forgotten' }, { code: 'AADB2C90118' }],
    ["Okta's code", { errorCode: 'E0000021', errorSummary: 'no' }, { code: 'E0000021' }],
    ['the suberror', { suberror: 'basic_action' }, { suberror: 'basic_action' }],
    [
      'a time with a T and a fraction',
      { timestamp: '2026-11-24T10:00:00.1234567Z' },
      { timestamp: '2026-11-24T10:00:00.1234567Z' },
    ],
  ])('reads %s', (_what, body, expected) => {
    expect(readProviderError(body)).toEqual(expected);
  });

  it.each<[string, unknown]>([
    ['no object', 'AADSTS50011'],
    ['nothing', null],
    ['a list', [50011]],
    ['an empty object', {}],
    ['numbers as texts', { error_codes: ['50011'] }],
    ['a number with a fraction', { error_codes: [50011.5] }],
    ['a number that is too small', { error_codes: [7] }],
    ['a number that is too large', { error_codes: [1e12] }],
    ['no number in the list', { error_codes: [] }],
    ['a number that goes on', { error_description: 'AADSTS1234567890' }],
    ['a number inside a word', { error_description: 'XAADSTS50011' }],
    ['a number behind kilobytes', { error_description: `${' '.repeat(5_000)}AADSTS50011` }],
    ['an id that is no GUID', { trace_id: 'trace', correlation_id: `${CORRELATION}x` }],
    ['an id with markup', { trace_id: `<b>${TRACE}` }],
    ['a time that is a text', { timestamp: 'yesterday' }],
    ['a suberror with room for a token', { suberror: 'Abc123' }],
    ['a suberror that is too long', { suberror: 'a'.repeat(41) }],
    ["a code that is not Okta's", { errorCode: 'E1' }],
  ])('reads nothing from %s', (_what, body) => {
    expect(readProviderError(body)).toBeUndefined();
  });

  it('passes on nothing but the known forms, whatever comes', () => {
    const value = fc.oneof(
      fc.anything(),
      fc.string(),
      fc.constantFrom('AADSTS1', '<script>', TRACE, '\u202eAADSTS50011', [50011], [[50011]]),
    );
    const body = fc.record(
      {
        error_codes: value,
        error_description: value,
        suberror: value,
        trace_id: value,
        correlation_id: value,
        timestamp: value,
        errorCode: value,
      },
      { requiredKeys: [] },
    );
    const forms =
      /^(?:AADSTS\d{4,9}|AADB2C\d{4,9}|E\d{7}|[a-z][a-z_]{2,39}|[0-9a-f-]{36}|\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d{1,7})?Z)$/i;
    fc.assert(
      fc.property(fc.oneof(body, fc.anything()), (anything) => {
        for (const kept of Object.values(readProviderError(anything) ?? {}))
          expect(kept).toMatch(forms);
      }),
    );
  });
});

describe('readCallbackError', () => {
  it('takes the number and no id from a URL that anyone can write', () => {
    const parameters = new URLSearchParams({
      error: 'access_denied',
      error_description: `AADSTS65004: declined. Trace ID: ${TRACE}`,
      trace_id: TRACE,
      correlation_id: CORRELATION,
    });
    expect(readCallbackError(parameters)).toEqual({ code: 'AADSTS65004' });
    expect(readCallbackError(new URLSearchParams({ error: 'access_denied' }))).toBeUndefined();
  });
});
