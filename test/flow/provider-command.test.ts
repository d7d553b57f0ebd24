// `latchkey provider` from its arguments to its end: what it prints, what it must not print, and
// what it refuses.
import { describe, expect, it, vi } from 'vitest';
import { run } from '../../src/cli/provider.js';
import { createPerson } from '../../src/testing/index.js';
import { createPersonality } from '../../src/testing/personalities/personalities.js';
import { PERSONALITY_NAMES } from '../../src/testing/server/provider-options.js';

interface Running {
  readonly text: () => string;
  readonly problems: () => string;
  readonly end: () => Promise<number>;
  readonly issuer: string;
}

async function start(...args: readonly string[]): Promise<Running> {
  const stop = new AbortController();
  let text = '';
  let problems = '';
  const code = run(args, {
    out: (more) => {
      text += more;
    },
    err: (more) => {
      problems += more;
    },
    signal: stop.signal,
  });
  const issuer = await new Promise<string>((resolve, reject) => {
    void code.then((ended) => reject(new Error(`it ended with ${ended}: ${problems}`)));
    const look = setInterval(() => {
      const found = /issuer {6}(\S+)/.exec(text)?.[1];
      if (found === undefined) return;
      clearInterval(look);
      resolve(found);
    }, 10);
  });
  return {
    text: () => text,
    problems: () => problems,
    issuer,
    end: () => {
      stop.abort();
      return code;
    },
  };
}

async function whole(
  ...args: readonly string[]
): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  let out = '';
  let err = '';
  return {
    code: await run(args, {
      out: (more) => {
        out += more;
      },
      err: (more) => {
        err += more;
      },
    }),
    get out() {
      return out;
    },
    get err() {
      return err;
    },
  };
}

describe('latchkey provider', () => {
  it.each(PERSONALITY_NAMES)(
    '--personality %s tells how to try it, and ends with 0',
    async (name) => {
      const running = await start('--personality', name);
      expect(running.text()).toContain(`that behaves like "${name}"`);
      expect(running.text()).toContain(`issuer: '${running.issuer}'`);
      expect(running.text()).toContain('client id   latchkey-demo');
      expect(await running.end()).toBe(0);
      expect(running.text().endsWith('ended\n')).toBe(true);
      await expect(fetch(running.issuer)).rejects.toThrow('fetch failed');
    },
  );

  it('shows each request with its error, and no value of it', async () => {
    const running = await start(
      '--personality',
      'entra',
      '--redirect-spa',
      'http://localhost/callback',
    );
    const query = {
      client_id: 'latchkey-demo',
      response_type: 'code',
      redirect_uri: 'http://localhost:1/callback',
      scope: 'openid',
      state: 'secret-state',
      code_challenge: 'x'.repeat(43),
      code_challenge_method: 'S256',
    };
    const origin = new URL(running.issuer).origin;
    const { callbackUrl } = await createPerson().signIn(
      `${origin}/common/oauth2/v2.0/authorize?${new URLSearchParams(query)}`,
    );
    const code = new URL(callbackUrl).searchParams.get('code') ?? '';
    await fetch(`${origin}/common/oauth2/v2.0/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'authorization_code',
        client_id: 'latchkey-demo',
        code,
        redirect_uri: query.redirect_uri,
      }),
    });
    await running.end();
    const lines = running.text().split('Requests:')[1] ?? '';
    expect(lines).toMatch(/\d\d:\d\d:\d\d {2}303 {2}GET {2}\/common\/oauth2\/v2\.0\/authorize\n/);
    expect(lines).toMatch(
      /400 {2}POST \/common\/oauth2\/v2\.0\/token {2}authorization_code, invalid_request AADSTS9002325\n/,
    );
    for (const secret of [code, 'secret-state', 'x'.repeat(43)])
      expect(running.text()).not.toContain(secret);
  });

  it('speaks https and prints the certificate', async () => {
    const running = await start('--https');
    expect(running.issuer).toMatch(/^https:/);
    expect(running.text()).toContain('-----BEGIN CERTIFICATE-----');
    await running.end();
  });

  it('--rules prints each fact with its source', async () => {
    const { code, out } = await whole('--rules', '--personality', 'okta');
    expect([code, out.match(/^- /gm)?.length, out.match(/^ {2}\(/gm)?.length]).toEqual([
      0,
      createPersonality('okta').rules.length,
      createPersonality('okta').rules.length,
    ]);
  });

  it('--help prints every option', async () => {
    const { code, out } = await whole('--help');
    expect(code).toBe(0);
    for (const option of [
      '--personality',
      '--port',
      '--https',
      '--redirect-spa',
      '--access-token-seconds',
      '--rules',
    ])
      expect(out).toContain(option);
  });

  it.each([
    [['--personality', 'myspace'], 'option "personality" must be one of'],
    [['--rules', '--personality', 'myspace'], 'option "personality" must be one of'],
    [['--port', 'http'], 'option "port" must be a port number'],
    [['--no-such-option'], 'an option is unknown'],
    [
      ['--personality', 'entra', '--redirect', 'http://[::1]/callback'],
      'Entra does not take [::1]',
    ],
  ])('refuses %j and says why', async (args, message) => {
    const { code, err } = await whole(...args);
    expect([code, err.includes(message)]).toEqual([64, true]);
  });
});

describe('without a signal of its own', () => {
  it('ends on Ctrl-C, and leaves no listener behind', async () => {
    const before = process.listeners('SIGINT');
    let text = '';
    const code = run([], {
      out: (more) => {
        text += more;
      },
      err: () => undefined,
    });
    const added = await vi.waitFor(() => {
      const [listener] = process.listeners('SIGINT').filter((one) => !before.includes(one));
      if (listener === undefined) throw new Error('nobody listens yet');
      return listener;
    }, 8_000);
    expect(process.listeners('SIGTERM')).toContain(added);
    added('SIGINT');
    expect([await code, text.endsWith('ended\n'), process.listeners('SIGINT')]).toEqual([
      0,
      true,
      before,
    ]);
  });
});
