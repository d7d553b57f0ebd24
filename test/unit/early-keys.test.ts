// The key set that is asked for while the person is in the browser.
import { describe, expect, it } from 'vitest';
import { createEarlyKeys } from '../../src/main/core/early-keys.js';

const URL_OF_KEYS = 'https://login.example.com/keys';

function keys(answer: () => Promise<Response> = async () => new Response('{"keys":[]}')) {
  const asked: string[] = [];
  return { asked, early: createEarlyKeys(async (url) => { asked.push(url); return answer(); }) };
}

describe('early keys', () => {
  it('are asked for once, and given to the first who wants them', async () => {
    const { asked, early } = keys();
    early.ask(URL_OF_KEYS);
    early.ask(URL_OF_KEYS);
    expect(await (await early.take(URL_OF_KEYS))?.text()).toBe('{"keys":[]}');
    // A second question means that the key was not among them.
    expect(await early.take(URL_OF_KEYS)).toBeNull();
    expect(asked).toEqual([URL_OF_KEYS]);
  });

  it('are never given for another address', async () => {
    const { early } = keys();
    early.ask(URL_OF_KEYS);
    expect(await early.take('https://login.example.com/token')).toBeNull();
    expect(await early.take(URL_OF_KEYS)).not.toBeNull();
  });

  it('are as if never asked for, when that failed', async () => {
    const { early } = keys(() => Promise.reject(new Error('no network')));
    early.ask(URL_OF_KEYS);
    expect(await early.take(URL_OF_KEYS)).toBeNull();
  });
});
