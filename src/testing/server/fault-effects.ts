// Carries faults out, in one place: before a request is processed, and on the finished answer.
// Knows HTTP and JSON, not oidc-provider; secrets that it makes are noted by the caller from the
// answer.
import type { Answer } from './exchange.js';
import { jsonAnswer, parseUrl, readJsonObject } from './exchange.js';
import type { Fault } from './faults.js';
import { changeIdToken, shiftIdToken } from './id-token.js';
import type { SigningKey } from './signing-keys.js';

/** How an answer goes out. */
export interface Delivery {
  /** Null: there is none. */
  readonly answer: Answer | null;
  readonly delayMs: number;
  /**
   * `silence` leaves the connection open, `cut` destroys it; both come after what there is of the
   * answer.
   */
  readonly end: 'complete' | 'half-then-cut' | 'half-then-silence' | 'cut' | 'silence';
  /** Added to the clock of the `Date` header. */
  readonly clockOffsetSeconds: number;
}

/** An answer that goes out as it is. */
export function deliver(answer: Answer): Delivery {
  return { answer, delayMs: 0, end: 'complete', clockOffsetSeconds: 0 };
}

/** What happens instead of processing; null when the request is to be processed. */
export function refuse(fault: Fault): Delivery | null {
  switch (fault.kind) {
    case 'hang':
      return { answer: null, delayMs: 0, end: 'silence', clockOffsetSeconds: 0 };
    case 'reset':
      return { answer: null, delayMs: 0, end: 'cut', clockOffsetSeconds: 0 };
    case 'status':
      return deliver({
        status: fault.status,
        headers: { 'content-type': fault.contentType ?? 'text/plain; charset=utf-8' },
        body: Buffer.from(fault.body ?? ''),
      });
    case 'oauth-error':
      return deliver(
        jsonAnswer(fault.status ?? 400, {
          error: fault.error,
          ...(fault.description === undefined ? {} : { error_description: fault.description }),
        }),
      );
    case 'too-many-requests':
      return deliver(
        jsonAnswer(
          429,
          { error: 'temporarily_unavailable' },
          { 'retry-after': String(fault.retryAfter) },
        ),
      );
    default:
      return null;
  }
}

/**
 * Changes a finished delivery. The same object comes back when the fault has nothing to change
 * there (an `id-token` fault on an answer without one), and then it is not used up.
 */
export async function alter(
  fault: Fault,
  delivery: Delivery,
  key: SigningKey,
  nowMs: number,
): Promise<Delivery> {
  const { answer } = delivery;
  const withBody = (body: string, headers: Answer['headers'] = {}): Delivery =>
    answer === null
      ? delivery
      : {
          ...delivery,
          answer: {
            ...answer,
            headers: { ...answer.headers, ...headers },
            body: Buffer.from(body),
          },
        };

  switch (fault.kind) {
    case 'slow':
      return { ...delivery, delayMs: delivery.delayMs + fault.delayMs };
    case 'lost-answer':
      return { ...delivery, answer: null, end: 'cut' };
    case 'half-body':
      return { ...delivery, end: fault.then === 'cut' ? 'half-then-cut' : 'half-then-silence' };
    case 'html':
      return withBody(
        '<!doctype html><title>Welcome</title><h1>Please accept the terms of this network</h1>',
        {
          'content-type': 'text/html; charset=utf-8',
        },
      );
    case 'invalid-json':
      return withBody('{"this is": not JSON');
    case 'empty-body':
      return withBody('');
    case 'huge-body':
      return withBody((answer?.body.toString('utf8') ?? '').padEnd(fault.bytes, ' '));
    case 'content-type':
      return answer === null
        ? delivery
        : {
            ...delivery,
            answer: { ...answer, headers: { ...answer.headers, 'content-type': fault.value } },
          };
    case 'members':
      return changeMembers(delivery, (members) =>
        without({ ...members, ...fault.set }, fault.drop ?? []),
      );
    case 'callback':
      return changeCallback(delivery, fault.set ?? {}, fault.drop ?? []);
    case 'id-token':
      return changeIdTokenIn(delivery, (idToken) =>
        changeIdToken(idToken, fault.change, key, nowMs),
      );
    case 'clock-offset': {
      const shifted = await changeIdTokenIn(delivery, (idToken) =>
        shiftIdToken(idToken, fault.offsetSeconds, key),
      );
      return { ...shifted, clockOffsetSeconds: fault.offsetSeconds };
    }
    case 'hang':
    case 'reset':
    case 'status':
    case 'oauth-error':
    case 'too-many-requests':
      return delivery;
  }
}

/** True for a redirect that leaves the provider: the authorization response (RFC 6749 §4.1.2). */
export function isCallback(answer: Answer, issuer: string): boolean {
  const location = answer.headers['location'];
  return (
    typeof location === 'string' && parseUrl(location, issuer)?.origin !== new URL(issuer).origin
  );
}

function without(
  members: Readonly<Record<string, unknown>>,
  names: readonly string[],
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(members).filter(([name]) => !names.includes(name)));
}

function changeMembers(
  delivery: Delivery,
  change: (members: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>,
): Delivery {
  const members = delivery.answer === null ? null : readJsonObject(delivery.answer.body);
  if (delivery.answer === null || members === null) return delivery;
  return {
    ...delivery,
    answer: { ...delivery.answer, body: Buffer.from(JSON.stringify(change(members))) },
  };
}

async function changeIdTokenIn(
  delivery: Delivery,
  change: (idToken: string) => Promise<string>,
): Promise<Delivery> {
  const idToken =
    delivery.answer === null ? undefined : readJsonObject(delivery.answer.body)?.['id_token'];
  if (typeof idToken !== 'string') return delivery;
  const changed = await change(idToken);
  return changeMembers(delivery, (members) => ({ ...members, id_token: changed }));
}

function changeCallback(
  delivery: Delivery,
  set: Readonly<Record<string, string>>,
  drop: readonly string[],
): Delivery {
  const location = delivery.answer?.headers['location'];
  const url = typeof location === 'string' ? parseUrl(location) : null;
  // A redirect between the provider's own pages carries neither.
  if (
    delivery.answer === null ||
    url === null ||
    !(url.searchParams.has('code') || url.searchParams.has('error'))
  )
    return delivery;
  for (const [name, value] of Object.entries(set)) url.searchParams.set(name, value);
  for (const name of drop) url.searchParams.delete(name);
  return {
    ...delivery,
    answer: { ...delivery.answer, headers: { ...delivery.answer.headers, location: url.href } },
  };
}
