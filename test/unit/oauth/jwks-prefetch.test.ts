// The key set that is asked for while the person is in the browser.
import { describe, expect, it } from 'vitest';
import { createJwksPrefetch } from '../../../src/main/core/oauth/jwks-prefetch.js';
import { LIMITS } from '../../../src/main/core/base/limits.js';
import { createFakeClock } from '../../support/fakes.js';

const URL_OF_KEYS = 'https://login.example.com/keys';
const ATTEMPT = {};

function keys(answer: () => Promise<Response> = async () => new Response('{"keys":[]}')) {
  const asked: string[] = [];
  const clock = createFakeClock();
  const fetch = async (url: string): Promise<Response> => {
    asked.push(url);
    return answer();
  };
  return { asked, clock, early: createJwksPrefetch(fetch, clock) };
}

describe('early keys', () => {
  it('are asked for once, and given to the first who wants them', async () => {
    const { asked, early } = keys();
    early.ask(ATTEMPT, URL_OF_KEYS);
    early.ask(ATTEMPT, URL_OF_KEYS);
    expect(await (await early.take(ATTEMPT, URL_OF_KEYS))?.text()).toBe('{"keys":[]}');
    // A second question means that the key was not among them.
    expect(await early.take(ATTEMPT, URL_OF_KEYS)).toBeNull();
    expect(asked).toEqual([URL_OF_KEYS]);
  });

  it('are never given for another address', async () => {
    const { early } = keys();
    early.ask(ATTEMPT, URL_OF_KEYS);
    expect(await early.take(ATTEMPT, 'https://login.example.com/token')).toBeNull();
    expect(await early.take(ATTEMPT, URL_OF_KEYS)).not.toBeNull();
  });

  it('are as if never asked for, when that failed', async () => {
    const { early } = keys(() => Promise.reject(new Error('no network')));
    early.ask(ATTEMPT, URL_OF_KEYS);
    expect(await early.take(ATTEMPT, URL_OF_KEYS)).toBeNull();
  });

  it('are those of one attempt: another one asks for itself, at its own address too', async () => {
    const { asked, early } = keys();
    const [other, elsewhere] = [{}, 'https://elsewhere.example.com/keys'];
    early.ask(ATTEMPT, URL_OF_KEYS);
    expect(await early.take(other, URL_OF_KEYS)).toBeNull();
    early.ask(other, elsewhere);
    expect(await early.take(ATTEMPT, URL_OF_KEYS)).not.toBeNull();
    expect(await early.take(other, elsewhere)).not.toBeNull();
    expect(asked).toEqual([URL_OF_KEYS, elsewhere]);
  });

  it('have an end: they are not given when they are older, and are asked for again', async () => {
    const { asked, clock, early } = keys();
    early.ask(ATTEMPT, URL_OF_KEYS);
    clock.jumpTo(clock.now() + LIMITS.jwksPrefetchMaxMs);
    early.ask(ATTEMPT, URL_OF_KEYS);
    expect(asked.length).toBe(1);
    clock.jumpTo(clock.now() + 1);
    early.ask(ATTEMPT, URL_OF_KEYS);
    expect(asked.length).toBe(2);
    clock.jumpTo(clock.now() + 86_400_000);
    expect(await early.take(ATTEMPT, URL_OF_KEYS)).toBeNull();
  });

  it('are of no known age when the clock was set back', async () => {
    const { clock, early } = keys();
    early.ask(ATTEMPT, URL_OF_KEYS);
    clock.jumpTo(clock.now() - 1);
    expect(await early.take(ATTEMPT, URL_OF_KEYS)).toBeNull();
  });
});
