// A client that does what the test says and checks nothing: for what a personality refuses, word by
// word.
import { createHash, randomBytes } from 'node:crypto';
import { createPerson } from '../../src/testing/index.js';
import type { Person, Provider, SignInChoices } from '../../src/testing/index.js';

export interface Trip {
  /** What came back to the app. */
  readonly answer: URLSearchParams;
  readonly callbackUrl: string;
  readonly redirectUri: string;
  readonly verifier: string;
}

export interface TripWishes extends SignInChoices {
  readonly redirectUri?: string;
  readonly scope?: string;
  /** Null leaves a parameter out. */
  readonly parameters?: Readonly<Record<string, string | null>>;
  readonly person?: Person;
  /** Another authority of the same provider. */
  readonly authorization?: string;
}

const LOOPBACK = 'http://127.0.0.1:49152/callback';

export async function trip(provider: Provider, wishes: TripWishes = {}): Promise<Trip> {
  const {
    redirectUri = LOOPBACK,
    scope = 'openid profile email offline_access',
    parameters = {},
    person = createPerson(),
    authorization = provider.endpoints.authorization,
  } = wishes;
  const verifier = randomBytes(32).toString('base64url');
  const url = new URL(authorization);
  const query: Readonly<Record<string, string | null>> = {
    client_id: provider.clientId,
    response_type: 'code',
    redirect_uri: redirectUri,
    scope,
    state: 'the-state',
    nonce: scope.includes('openid') ? 'the-nonce' : null,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    ...parameters,
  };
  for (const [name, value] of Object.entries(query))
    if (value !== null) url.searchParams.set(name, value);
  const { callbackUrl } = await person.signIn(url.href, wishes);
  return { answer: new URL(callbackUrl).searchParams, callbackUrl, redirectUri, verifier };
}

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Empty when the text is no JSON object. */
  readonly body: Readonly<Record<string, unknown>>;
}

/** Null leaves a member of the form out. */
export type Form = Readonly<Record<string, string | null>>;

export async function post(
  url: string,
  form: Form,
  headers: Readonly<Record<string, string>> = {},
): Promise<Reply> {
  const body = new URLSearchParams(
    Object.entries(form).filter((entry): entry is [string, string] => entry[1] !== null),
  );
  return read(await fetch(url, { method: 'POST', body, headers }));
}

export async function get(url: string, accessToken?: unknown): Promise<Reply> {
  return read(
    await fetch(url, {
      headers: typeof accessToken === 'string' ? { authorization: `Bearer ${accessToken}` } : {},
    }),
  );
}

export function redeem(
  provider: Provider,
  { answer, redirectUri, verifier }: Trip,
  form: Form = {},
  headers: Readonly<Record<string, string>> = {},
): Promise<Reply> {
  return post(
    provider.endpoints.token,
    {
      grant_type: 'authorization_code',
      client_id: provider.clientId,
      code: answer.get('code'),
      redirect_uri: redirectUri,
      code_verifier: verifier,
      ...form,
    },
    headers,
  );
}

export function renew(
  provider: Provider,
  refreshToken: unknown,
  form: Form = {},
  headers: Readonly<Record<string, string>> = {},
): Promise<Reply> {
  return post(
    provider.endpoints.token,
    {
      grant_type: 'refresh_token',
      client_id: provider.clientId,
      refresh_token: String(refreshToken),
      ...form,
    },
    headers,
  );
}

export function claimsOf(idToken: unknown): Readonly<Record<string, unknown>> {
  return JSON.parse(
    Buffer.from(String(idToken).split('.')[1] ?? '', 'base64url').toString('utf8'),
  ) as Readonly<Record<string, unknown>>;
}

async function read(response: Response): Promise<Reply> {
  const text = await response.text();
  let body: unknown = null;
  try {
    body = JSON.parse(text);
  } catch {
    // Its text is all there is.
  }
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: typeof body === 'object' && body !== null ? { ...body } : {},
  };
}
