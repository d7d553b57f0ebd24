// One message, once: what pages and hosts can call is the map `AuthCalls` of contract.ts. Most of
// this file is for the compiler: it does not compile when an interface and the map differ.
import { describe, expect, it } from 'vitest';
import type { AuthApi, AuthCallMethods, AuthCalls } from '../../src/contract.js';
import type { Auth } from '../../src/main/auth.js';
import type { Engine } from '../../src/main/core/engine.js';
import { membersOf, read } from './sources.js';

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
type Takes<Api extends Record<keyof AuthCalls, (...values: never[]) => unknown>> = {
  [Call in keyof AuthCalls]: Required<Parameters<Api[Call]>>;
};
type TakesOfMap = { [Call in keyof AuthCalls]: Required<AuthCalls[Call]['takes']> };
type Answers<Api> = Api extends AuthCallMethods<Promise<void>> ? true : false;

/** What an interface has besides the calls of the map. */
type ApiOnly = 'getSnapshot' | 'subscribe' | 'fetch';
type AuthOnly =
  | 'getView'
  | 'onView'
  | 'getAccessToken'
  | 'getIdToken'
  | 'fetch'
  | 'forgetAccount'
  | 'diagnose'
  | 'supportBundle'
  | 'unregisterSchemes'
  | 'onEvent'
  | 'stop';
type EngineOnly =
  | 'start'
  | 'view'
  | 'onView'
  | 'getAccessToken'
  | 'getIdToken'
  | 'forgetAccount'
  | 'errorView'
  | 'stop';

const held: readonly true[] = [
  true satisfies Same<Exclude<keyof AuthApi, ApiOnly>, keyof AuthCalls>,
  true satisfies Same<Exclude<keyof Auth, AuthOnly>, keyof AuthCalls>,
  true satisfies Same<Exclude<keyof Engine, EngineOnly>, keyof AuthCalls>,
  true satisfies Same<Takes<AuthApi>, TakesOfMap>,
  true satisfies Same<Takes<Auth>, TakesOfMap>,
  true satisfies Answers<AuthApi>,
  true satisfies Answers<Auth>,
];

const CHANNELS = {
  signIn: ['latchkey:sign-in', 1],
  cancelSignIn: ['latchkey:cancel-sign-in', 0],
  reopenBrowser: ['latchkey:reopen-browser', 0],
  tryAnotherWay: ['latchkey:try-another-way', 0],
  pasteCallback: ['latchkey:paste-callback', 1],
  signOut: ['latchkey:sign-out', 1],
  switchAccount: ['latchkey:switch-account', 1],
  retry: ['latchkey:retry', 0],
};

/** The literal list in a file that cannot import it. */
function listIn(path: string): unknown {
  const text = /= (\{[^{}]*\}) as const satisfies AuthCallList;/.exec(read(path))?.[1] ?? 'null';
  const json = text.replaceAll("'", '"').replace(/(\w+):(?= \[)/g, '"$1":');
  return JSON.parse(json.replace(/,\s*\}/, '}'));
}

describe('the map of calls', () => {
  it.each(['src/preload.cts', 'src/main/adapters/pages/ipc.ts', 'src/testing/fakes/fake-page.ts'])(
    'is the list of channels in %s',
    (path) => {
      expect(listIn(path)).toEqual(CHANNELS);
    },
  );

  it('names what hosts and pages call, in contract.ts and auth.ts', () => {
    expect(held.every(Boolean)).toBe(true);
    const calls = [...membersOf('src/contract.ts', 'AuthCalls')];
    expect(calls.sort()).toEqual(Object.keys(CHANNELS).sort());
    expect(membersOf('src/contract.ts', 'AuthApi')).toEqual(expect.arrayContaining(calls));
    expect(membersOf('src/main/auth.ts', 'Auth')).toEqual(expect.arrayContaining(calls));
  });
});
