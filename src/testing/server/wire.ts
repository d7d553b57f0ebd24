// Small changes of requests and answers, as personalities need them. Values in, values out.
import type { Answer, Exchange } from './exchange.js';
import { parseUrl, readJsonObject } from './exchange.js';

type Members = Readonly<Record<string, unknown>>;

/**
 * The request with parameters set, or left out where the value is null: in its query, or in its
 * form when it has one.
 */
export function withParameters(
  exchange: Exchange,
  values: Readonly<Record<string, string | null>>,
): Exchange {
  const isForm = exchange.method === 'POST';
  const parameters = new URLSearchParams(isForm ? exchange.form : exchange.query);
  for (const [name, value] of Object.entries(values)) {
    if (value === null) parameters.delete(name);
    else parameters.set(name, value);
  }
  if (!isForm)
    return { ...exchange, query: parameters, url: `${exchange.path}?${parameters.toString()}` };
  const body = Buffer.from(parameters.toString());
  return {
    ...exchange,
    form: parameters,
    body,
    headers: { ...exchange.headers, 'content-length': String(body.length) },
  };
}

/** The parameters of a request, wherever they came. */
export function parametersOf(exchange: Exchange): URLSearchParams {
  return exchange.method === 'POST' ? exchange.form : exchange.query;
}

/** Who a request says it comes from: parameters, or HTTP Basic (RFC 6749 §2.3.1). */
export function credentialsOf(exchange: Exchange): {
  readonly clientId: string | null;
  readonly clientSecret: string | null;
} {
  const [, basic] = /^Basic +([A-Za-z0-9+/=]+)$/i.exec(exchange.headers.authorization ?? '') ?? [];
  if (basic === undefined)
    return {
      clientId: exchange.form.get('client_id'),
      clientSecret: exchange.form.get('client_secret'),
    };
  const [clientId = '', clientSecret = ''] = Buffer.from(basic, 'base64')
    .toString('utf8')
    .split(':');
  return { clientId: decode(clientId), clientSecret: decode(clientSecret) };
}

function decode(text: string): string {
  return new URLSearchParams(`x=${text}`).get('x') ?? '';
}

/**
 * The same request as a public client would send it, so that only the personality judges the
 * secret.
 */
export function withoutSecret(exchange: Exchange): Exchange {
  const { clientId } = credentialsOf(exchange);
  const { authorization, ...headers } = exchange.headers;
  const isBasic = /^Basic /i.test(authorization ?? '');
  return withParameters(
    { ...exchange, headers: isBasic ? headers : exchange.headers },
    { client_secret: null, client_id: clientId },
  );
}

/**
 * The answer with members of its JSON set, or left out where the value is undefined. Not JSON: as
 * it is.
 */
export function withMembers(answer: Answer, change: (members: Members) => Members): Answer {
  const members = readJsonObject(answer.body);
  return members === null
    ? answer
    : { ...answer, body: Buffer.from(JSON.stringify(change(members))) };
}

/**
 * The authorization response (RFC 6749 §4.1.2) with parameters set, or left out where the value is
 * null. Anything else: as it is.
 */
export function withCallback(
  answer: Answer,
  change: (parameters: URLSearchParams) => Readonly<Record<string, string | null>>,
): Answer {
  const location = answer.headers['location'];
  const url = typeof location === 'string' ? parseUrl(location) : null;
  if (url === null || !(url.searchParams.has('code') || url.searchParams.has('error')))
    return answer;
  for (const [name, value] of Object.entries(change(url.searchParams))) {
    if (value === null) url.searchParams.delete(name);
    else url.searchParams.set(name, value);
  }
  return { ...answer, headers: { ...answer.headers, location: url.href } };
}

/** A redirect back to the app. */
export function callbackAnswer(
  redirectUri: string,
  parameters: Readonly<Record<string, string | null>>,
): Answer {
  const url = new URL(redirectUri);
  for (const [name, value] of Object.entries(parameters))
    if (value !== null) url.searchParams.set(name, value);
  return {
    status: 303,
    headers: { location: url.href, 'cache-control': 'no-store' },
    body: Buffer.alloc(0),
  };
}

/** The words of a `scope` parameter or member; none when it is no text. */
export function scopesOf(text: unknown): readonly string[] {
  return typeof text === 'string' ? text.split(' ').filter((scope) => scope !== '') : [];
}

/** Clients may put more into `claims` than was demanded: their capabilities, say. */
export function holdsClaims(
  claims: string | undefined,
  demanded: Readonly<Record<string, unknown>>,
): boolean {
  const members: unknown = readJsonObject(Buffer.from(claims ?? ''))?.['access_token'];
  if (typeof members !== 'object' || members === null) return false;
  const given = members as Readonly<Record<string, unknown>>;
  return Object.entries(demanded).every(
    ([name, value]) => JSON.stringify(given[name]) === JSON.stringify(value),
  );
}
