// The line for a developer whose sign-in has failed: what was asked of whom, what came, and a
// command that a shell reads as it was meant. No secret, no query, one line.
import { execFileSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { describe, expect, it } from 'vitest';
import { evidenceOf, note } from '../../../src/main/core/base/evidence.js';
import { AuthError, RETRY } from '../../../src/main/core/base/errors.js';
import { checkMetadata } from '../../../src/main/core/oauth/discovery.js';
import { toAuthErrorAt } from '../../../src/main/core/oauth/error-mapping.js';
import { assertRemainingClaims } from '../../../src/main/core/oauth/id-token.js';
import { parseOptions } from '../../../src/main/core/options/options.js';
import type { AuthOptions } from '../../../src/main/core/options/auth-options.js';
import { describeFailure, doctorCommand } from '../../../src/main/diagnosis/failure-line.js';
import { github } from '../../../src/providers/index.js';
import { createWire } from '../../support/wire.js';

const ISSUER = 'https://id.example';
const settingsOf = (options: Partial<AuthOptions> = {}) =>
  parseOptions({ issuer: ISSUER, clientId: 'notes', redirects: ['a.b:/c'], ...options });
const errorOf = async (run: () => unknown): Promise<AuthError> => {
  try {
    await run();
  } catch (error) {
    if (error instanceof AuthError) return error;
    throw error;
  }
  throw new Error('nothing failed');
};
/** An error as the OAuth library throws it. */
const library = (code: string, cause: unknown): Error =>
  Object.assign(new Error('x', { cause }), { code });

describe('the line of a failed sign-in', () => {
  it('names the document, and both issuers where they differ', async () => {
    const error = await errorOf(() =>
      checkMetadata(settingsOf(), { issuer: `${ISSUER}/?secret=1` }),
    );
    expect(describeFailure(error)).toBe(
      'sign-in failed (issuer-mismatch): metadata member "issuer" differs from the option "issuer"; asked: the discovery document https://id.example/.well-known/openid-configuration; came: the member "issuer" is https://id.example/, not https://id.example; this command tells more',
    );
  });

  it('says when the address of the metadata was pasted as the issuer, published or not', async () => {
    const pasted = `${ISSUER}/.well-known/openid-configuration`;
    const wire = await createWire({ issuer: pasted });
    const nothing = await errorOf(() => wire.protocol.prepare());
    const another = await errorOf(() =>
      checkMetadata(settingsOf({ issuer: pasted }), { issuer: ISSUER }),
    );
    for (const error of [nothing, another])
      expect(describeFailure(error)).toContain(
        'the option "issuer" ends with "/.well-known/…", the address of the metadata: leave that part out',
      );
    expect(describeFailure(nothing)).toContain(
      'asked: the discovery document https://id.example/.well-known/openid-configuration/.well-known/openid-configuration; came: status 404',
    );
  });

  it.each([
    ['iss', 'https://evil.example/a?code=secret', 'https://evil.example/a, not https://id.example'],
    ['iss', 'secret', 'something else, not https://id.example'],
    ['iss', ['secret'], 'something else, not https://id.example'],
    ['aud', 'other', 'other, not notes'],
    ['aud', ['other'], 'other, not notes'],
    ['aud', ['other', 'third'], 'something else, not notes'],
    ['aud', 'a secret\u001b[2J', 'something else, not notes'],
  ])('shows both values of the claim %s for %j', (claim, value, came) => {
    const cause = {
      claim,
      claims: { [claim]: value },
      expected: claim === 'iss' ? ISSUER : 'notes',
    };
    const error = toAuthErrorAt('redeem', library('OAUTH_JWT_CLAIM_COMPARISON_FAILED', cause), {
      url: `${ISSUER}/token?tenant=secret`,
    });
    expect(describeFailure(error)).toContain(
      `asked: the token endpoint https://id.example/token; came: the claim "${claim}" is ${came};`,
    );
  });

  it('names a claim that is a secret without its value', () => {
    const cause = { claim: 'nonce', claims: { nonce: 'secret-1' }, expected: 'secret-2' };
    const error = toAuthErrorAt('redeem', library('OAUTH_JWT_CLAIM_COMPARISON_FAILED', cause));
    expect(describeFailure(error)).toContain('came: the claim "nonce"; this');
    expect(JSON.stringify(evidenceOf(error))).not.toContain('secret');
  });

  it('shows the "azp" of another client', async () => {
    const error = await errorOf(() =>
      assertRemainingClaims(
        'a.b.c',
        { azp: 'other' },
        {
          clientId: 'notes',
          accessToken: 'a',
          times: { computer: [0, 0], server: null },
          asked: null,
        },
      ),
    );
    expect(describeFailure(error)).toContain('came: the claim "azp" is other, not notes;');
  });

  it('shows the status and the code of a refusal, and the issuers of a callback', () => {
    const cause = { error: 'invalid_client', error_description: 'AADSTS7000218: secret' };
    const refused = Object.assign(library('OAUTH_RESPONSE_BODY_ERROR', cause), {
      error: 'invalid_client',
      status: 401,
    });
    const error = toAuthErrorAt('redeem', refused, { url: `${ISSUER}/token` });
    expect(describeFailure(error)).toContain(
      'came: status 401, error "invalid_client", "AADSTS7000218";',
    );
    const parameters = new URLSearchParams({ iss: 'https://evil.example', code: 'secret' });
    const callback = toAuthErrorAt(
      'callback',
      library('OAUTH_INVALID_RESPONSE', { expected: ISSUER, parameters }),
      { url: `${ISSUER}/authorize` },
    );
    expect(describeFailure(callback)).toContain(
      'asked: the authorization endpoint https://id.example/authorize; came: the parameter "iss" is https://evil.example, not https://id.example;',
    );
  });

  it('says of an attempt whose time is up that the browser may have shown an error', () => {
    const line = describeFailure(new AuthError('sign-in-expired', 'too late'));
    expect(line).toBe(
      'sign-in failed (sign-in-expired): too late; if the browser showed an error, this command can tell why',
    );
  });

  it('is one line for every code', () => {
    for (const code of Object.keys(RETRY) as (keyof typeof RETRY)[]) {
      const error = note(new AuthError(code, 'a message'), {
        url: 'https://id.example/\n/x',
        asked: 'key set',
      });
      expect(describeFailure(error)).toMatch(/^sign-in failed \([a-z-]+\): [ -~…]+$/);
    }
  });
});

const FLAGS = {
  issuer: { type: 'string' },
  'client-id': { type: 'string' },
  redirect: { type: 'string', multiple: true },
} as const;

describe('the command of the doctor', () => {
  it('has the flags of this app', () => {
    expect(
      doctorCommand(
        settingsOf({ redirects: ['a.b:/c', 'http://127.0.0.1/cb', 'device-code'] }),
        'posix',
      ),
    ).toBe(
      'npx latchkey doctor --issuer https://id.example --client-id notes --redirect a.b:/c --redirect http://127.0.0.1/cb --redirect device-code',
    );
  });

  it('names scopes and endpoints that the doctor cannot know, and never a secret', () => {
    const settings = parseOptions({
      provider: github(),
      clientId: 'Iv1.0123456789abcdef',
      clientSecret: 'hunter2',
      redirects: ['http://127.0.0.1/cb', 'device-code'],
    });
    const command = doctorCommand(settings, 'posix');
    expect(command).toContain('--token-endpoint https://github.com/login/oauth/access_token');
    expect(command).toContain('--scopes read:user ');
    expect(command).not.toMatch(/hunter2|device-code/);
  });

  it.each([
    '-x y',
    "it's",
    'a b',
    '$HOME',
    '`id`',
    'a"b',
    'a\\b',
    '*',
    '~',
    ';true',
    '!x',
    '%PATH%',
    '& x',
  ])('passes a client id of %s through a shell unchanged', (clientId) => {
    const command = doctorCommand(settingsOf({ clientId }), 'posix');
    const script = `${command.replace('npx latchkey doctor', 'set --')}; printf '%s\\n' "$@"`;
    const args = execFileSync('sh', ['-c', script], { encoding: 'utf8' }).trimEnd().split('\n');
    const { values } = parseArgs({ args, options: FLAGS });
    expect(values['client-id']).toBe(clientId);
    expect(doctorCommand(settingsOf({ clientId }), 'windows')).toContain(
      `"${clientId.replaceAll('"', '""')}"`,
    );
  });
});
