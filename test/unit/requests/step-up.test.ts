// What auth.fetch() does when an API demands more: who is asked, how often, and what comes of it.
import { describe, expect, it } from 'vitest';
import { AuthError } from '../../../src/main/core/base/errors.js';
import { LIMITS } from '../../../src/main/core/base/limits.js';
import { parseApis } from '../../../src/main/core/options/apis-option.js';
import { createApiFetch } from '../../../src/main/core/requests/api-fetch.js';
import { type StepUpHost, createStepUp } from '../../../src/main/core/requests/step-up.js';
import type { TokenRequest } from '../../../src/main/core/session/token-request.js';

const API = 'https://api.example.com';
const APIS = parseApis(
  {
    notes: { origin: API, paths: ['/v1'] },
    mail: { origin: API, paths: ['/mail'], scopes: ['m.read'] },
  },
  'apis',
);
const CLAIMS = { access_token: { acrs: { essential: true, value: 'c1' } } };
const STRONG = 'Bearer error="insufficient_user_authentication", acr_values="strong"';
const NEW = 'Bearer error="insufficient_user_authentication", max_age="5"';
const SCOPE = 'Bearer error="insufficient_scope", scope="m.write m.read"';
const ENTRA = `Bearer error="insufficient_claims", claims="${Buffer.from(JSON.stringify(CLAIMS)).toString('base64')}"`;

type SignIn = Parameters<StepUpHost['signIn']>[0];

/** A token says how often the person has signed in, and what it was asked for. */
const NEVER = new AbortController().signal;

function bench(api: (token: string, path: string) => string | null, granted = 'm.read') {
  const trips: { request: SignIn; end: (error?: AuthError) => void; signal: AbortSignal }[] = [];
  const asked: TokenRequest[] = [];
  const sent: string[] = [];
  const state = { signIns: 0, now: 0, account: 'ada', refuses: false };
  const tokensFor = createStepUp(
    {
      async getAccessToken(request) {
        asked.push(request);
        const { scopes = [], claims } = request;
        if (state.refuses && claims !== undefined) throw new AuthError('resource-refused', 'no');
        return [state.signIns, ...scopes, ...(claims === undefined ? [] : ['claims'])].join(' ');
      },
      signedIn: () => ({ account: { id: state.account }, scope: granted }),
      signIn: (request, signal) =>
        new Promise((resolve, reject) => {
          const end = (error?: AuthError): void => {
            if (error === undefined) state.signIns += 1;
            if (error === undefined) resolve();
            else reject(error);
          };
          // Later: an attempt that is cancelled ends in a turn of its own.
          signal.addEventListener('abort', () =>
            setTimeout(() => end(new AuthError('sign-in-cancelled', 'gone')), 5),
          );
          trips.push({ request, end, signal });
        }),
    },
    { elapsed: () => state.now },
  );
  const fetch = createApiFetch(
    APIS,
    {
      async fetch(url, { headers }) {
        const token = (headers['authorization'] ?? '').slice('Bearer '.length);
        sent.push(token);
        const challenge = api(token, new URL(url).pathname);
        return challenge === null
          ? new Response('done')
          : new Response('no', {
              status: challenge === SCOPE ? 403 : 401,
              headers: { 'www-authenticate': challenge },
            });
      },
    },
    { tokensFor, hold: () => ({ account: () => undefined, signedOut: NEVER }) },
    'host',
  );
  return { fetch, trips, asked, sent, state };
}

async function settled(): Promise<void> {
  for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
}

const firstOf = (challenge: string) => (token: string) =>
  token.startsWith('0') ? challenge : null;

describe('without stepUp, a challenge', () => {
  it.each([
    [STRONG, { acrValues: ['strong'] }],
    [NEW, { maxAge: 5 }],
    [SCOPE, { scopes: ['m.write', 'm.read'] }],
  ])('%s is told, and costs neither a renewal nor a trip', async (header, challenge) => {
    const { fetch, trips, asked, sent } = bench(() => header);
    const answer = await fetch(`${API}/v1`);
    expect([answer.challenge, await answer.text(), sent.length]).toEqual([challenge, 'no', 1]);
    expect(trips).toHaveLength(0);
    expect(asked.filter(({ refused }) => refused !== undefined)).toEqual([]);
  });

  it('is null for an answer that demands nothing', async () => {
    const { fetch } = bench(() => null);
    expect((await fetch(`${API}/v1`)).challenge).toBeNull();
    const garbage = bench(() => 'Bearer error="insufficient_scope" scope=');
    const answer = await garbage.fetch(`${API}/v1`, { stepUp: 'ask' });
    expect([answer.status, answer.challenge, garbage.trips.length]).toEqual([401, null, 0]);
  });

  it('of claims is met by a renewal with them, which the next requests use', async () => {
    const { fetch, trips, asked, sent } = bench((token) => (token === '0 claims' ? null : ENTRA));
    expect((await fetch(`${API}/v1`)).status).toBe(200);
    expect(asked.at(-1)).toEqual({ claims: CLAIMS, refused: '0' });
    expect((await fetch(`${API}/v1`)).status).toBe(200);
    expect([sent, trips]).toEqual([['0', '0 claims', '0 claims'], []]);
  });

  it('of scopes that are granted is met by a token with them', async () => {
    const wide = bench((token) => (token.includes('m.write') ? null : SCOPE), 'm.read m.write');
    expect((await wide.fetch(`${API}/mail`)).status).toBe(200);
    expect(wide.sent).toEqual(['0 m.read', '0 m.read m.write']);
  });
});

describe('with stepUp "ask", a challenge', () => {
  it.each([
    ['/v1', STRONG, { account: 'ada', acrValues: ['strong'] }],
    ['/v1', NEW, { account: 'ada', maxAge: 5 }],
    ['/mail', SCOPE, { account: 'ada', scopes: ['m.write', 'm.read'] }],
  ])('at %s of %s is met by one trip, and the request is finished', async (path, header, asks) => {
    const { fetch, trips, sent } = bench(firstOf(header));
    const answer = fetch(`${API}${path}`, { stepUp: 'ask', method: 'POST', body: 'hello' });
    await settled();
    expect(trips.map(({ request }) => request)).toEqual([asks]);
    trips[0]?.end();
    expect(await (await answer).text()).toBe('done');
    expect([trips.length, sent.length]).toEqual([1, 2]);
  });

  it('of claims tries the renewal first, then the person, then the token of the sign-in', async () => {
    const { fetch, trips, sent, state } = bench(firstOf(ENTRA));
    state.refuses = true;
    const answer = fetch(`${API}/v1`, { stepUp: 'ask' });
    await settled();
    expect(trips.map(({ request }) => request)).toEqual([{ account: 'ada', claims: CLAIMS }]);
    trips[0]?.end();
    expect((await answer).status).toBe(200);
    expect(sent).toEqual(['0', '1']);
  });

  it('of scopes has a token with them after the trip, now and the next time', async () => {
    const { fetch, trips, sent } = bench((token) => (token.includes('m.write') ? null : SCOPE));
    const answer = fetch(`${API}/mail`, { stepUp: 'ask' });
    await settled();
    trips[0]?.end();
    expect((await answer).status).toBe(200);
    expect((await fetch(`${API}/mail`)).status).toBe(200);
    expect(sent).toEqual(['0 m.read', '1 m.read m.write', '1 m.read m.write']);
  });

  it('that is never met stops after one trip, and asks again after the pause only', async () => {
    const { fetch, trips, state } = bench(() => STRONG);
    const ask = async (): Promise<number> => (await fetch(`${API}/v1`, { stepUp: 'ask' })).status;
    const first = ask();
    await settled();
    trips[0]?.end();
    expect([await first, await ask(), await ask(), trips.length]).toEqual([401, 401, 401, 1]);
    state.now = LIMITS.stepUpPauseMs - 1;
    expect([await ask(), trips.length]).toEqual([401, 1]);
    state.now = LIMITS.stepUpPauseMs;
    const again = ask();
    await settled();
    expect(trips).toHaveLength(2);
    trips[1]?.end();
    await again;
  });

  it.each(['sign-in-cancelled', 'sign-in-denied', 'id-token-invalid', 'network-failed'] as const)(
    'rejects with %s of the trip, and the next request is answered without one',
    async (code) => {
      const { fetch, trips, sent } = bench(() => STRONG);
      const answer = fetch(`${API}/v1`, { stepUp: 'ask' });
      const failure = expect(answer).rejects.toMatchObject({ code });
      await settled();
      trips[0]?.end(new AuthError(code, 'no'));
      await failure;
      expect((await fetch(`${API}/v1`, { stepUp: 'ask' })).challenge).not.toBeNull();
      expect([trips.length, sent.length]).toEqual([1, 2]);
    },
  );

  it('is shared by all requests that need the same, in any order of scopes', async () => {
    const { fetch, trips } = bench((token, path) =>
      token.startsWith('1')
        ? null
        : path === '/mail/2'
          ? SCOPE.replace('m.write m.read', 'm.read m.write')
          : SCOPE,
    );
    const answers = [1, 2, 3].map((path) => fetch(`${API}/mail/${path}`, { stepUp: 'ask' }));
    await settled();
    expect(trips).toHaveLength(1);
    trips[0]?.end();
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(trips).toHaveLength(1);
  });

  it('of another kind waits for the trip, and makes its own only if that was not enough', async () => {
    const enough = bench((token, path) =>
      token.startsWith('1') ? null : path === '/v1/a' ? STRONG : NEW,
    );
    const both = ['a', 'b'].map((path) => enough.fetch(`${API}/v1/${path}`, { stepUp: 'ask' }));
    await settled();
    enough.trips[0]?.end();
    expect((await Promise.all(both)).map(({ status }) => status)).toEqual([200, 200]);
    expect(enough.trips).toHaveLength(1);

    const two = bench((token, path) =>
      path === '/v1/a' ? firstOf(STRONG)(token) : token.startsWith('2') ? null : NEW,
    );
    const answers = ['a', 'b'].map((path) => two.fetch(`${API}/v1/${path}`, { stepUp: 'ask' }));
    await settled();
    expect(two.trips).toHaveLength(1);
    two.trips[0]?.end();
    await settled();
    expect(two.trips.map(({ request }) => request)).toEqual([
      { account: 'ada', acrValues: ['strong'] },
      { account: 'ada', maxAge: 5 },
    ]);
    two.trips[1]?.end();
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 200]);
  });

  it('that comes late, after the trip, is met by the new token', async () => {
    const { fetch, trips, state, sent } = bench((token) => {
      if (token !== '0') return null;
      // Somebody has signed in while this request was on its way.
      state.signIns = 1;
      return STRONG;
    });
    expect((await fetch(`${API}/v1`, { stepUp: 'ask' })).status).toBe(200);
    expect([sent, trips]).toEqual([['0', '1'], []]);
  });

  it('makes no trip for a body that cannot be sent again', async () => {
    const { fetch, trips, sent } = bench(() => STRONG);
    for (const body of [new Blob(['hello']).stream(), null]) {
      const input =
        body === null ? new Request(`${API}/v1`, { method: 'POST', body: 'hello' }) : `${API}/v1`;
      const more = body === null ? {} : { method: 'POST', body };
      const answer = await fetch(input, { stepUp: 'ask', ...more });
      expect([answer.status, answer.challenge]).toEqual([401, { acrValues: ['strong'] }]);
    }
    expect([trips.length, sent.length]).toEqual([0, 2]);
  });

  it('of another account is another trip', async () => {
    const { fetch, trips, state } = bench(() => STRONG);
    const first = fetch(`${API}/v1`, { stepUp: 'ask' });
    const failure = expect(first).rejects.toMatchObject({ code: 'sign-in-cancelled' });
    await settled();
    trips[0]?.end(new AuthError('sign-in-cancelled', 'no'));
    await failure;
    state.account = 'grace';
    void fetch(`${API}/v1`, { stepUp: 'ask' });
    await settled();
    expect(trips.map(({ request }) => request.account)).toEqual(['ada', 'grace']);
  });

  it('is refused when stepUp is something else', async () => {
    const { fetch, sent } = bench(() => null);
    await expect(fetch(`${API}/v1`, { stepUp: 'always' as 'ask' })).rejects.toMatchObject({
      code: 'invalid-options',
    });
    expect(sent).toEqual([]);
  });
});

describe('an aborted request', () => {
  it('ends its trip when no other one waits for it, and the next request begins one', async () => {
    const { fetch, trips } = bench(firstOf(STRONG));
    const [one, two] = [new AbortController(), new AbortController()];
    const failures = [one, two].map(({ signal }) =>
      expect(fetch(`${API}/v1`, { stepUp: 'ask', signal })).rejects.toThrow('enough'),
    );
    await settled();
    one.abort(new Error('enough'));
    await settled();
    expect([trips.length, trips[0]?.signal.aborted]).toEqual([1, false]);
    two.abort(new Error('enough'));
    const next = fetch(`${API}/v1`, { stepUp: 'ask' });
    await Promise.all(failures);
    await settled();
    expect([trips.length, trips[0]?.signal.aborted, trips[1]?.signal.aborted]).toEqual([
      2,
      true,
      false,
    ]);
    trips[1]?.end();
    expect((await next).status).toBe(200);
  });

  it('begins no trip', async () => {
    const abort = new AbortController();
    const { fetch, trips } = bench(() => {
      abort.abort(new Error('enough'));
      return STRONG;
    });
    await expect(fetch(`${API}/v1`, { stepUp: 'ask', signal: abort.signal })).rejects.toThrow(
      'enough',
    );
    await settled();
    expect(trips).toHaveLength(0);
  });
});
