// What helps when an API refuses a token: another one, a renewal with what the API demands, or one
// sign-in by the person. All requests that need the same share one trip to the browser, and there is
// one at a time. Knows no response but its challenge.
import type { StepUpRequest } from '../../../contract.js';
import { abortable } from '../base/abortable.js';
import { AuthError } from '../base/errors.js';
import { LIMITS } from '../base/limits.js';
import type { Clock } from '../base/ports.js';
import type { ApiSettings } from '../options/auth-options.js';
import type { TokenRequest } from '../session/token-request.js';
import type { ApiChallenge } from './step-up-challenge.js';

/** What the engine does for requests. */
export interface StepUpHost {
  getAccessToken(request: TokenRequest): Promise<string>;
  /** One sign-in by this account; the signal cancels it. Rejects as `signIn()` does. */
  signIn(request: StepUpRequest & { readonly account: string }, signal: AbortSignal): Promise<void>;
  /** Null for `accountId`: the active account. `scope`: what is granted, if that is known. */
  signedIn(
    accountId: string | null,
  ): { readonly account: { readonly id: string }; readonly scope: string | null } | null;
}

/** Whose request it is, and what may be done for it. */
export interface Caller {
  readonly api: ApiSettings;
  /** Undefined: the active account. */
  readonly account: string | undefined;
  /** Whether the person may be asked. */
  readonly asks: boolean;
  readonly signal: AbortSignal;
}

/** The tokens for one request. Each way to another token is taken once. */
export interface RequestTokens {
  first(): Promise<string>;
  /** After an ordinary 401: the token of a renewal. Null: there is no other. */
  renewed(refused: string): Promise<string | null>;
  /** A token that may be what the API demands. Null: nothing helps, or the person was asked in vain. */
  stronger(refused: string, challenge: ApiChallenge): Promise<string | null>;
}

interface Trip {
  readonly key: string;
  readonly done: Promise<void>;
  /** Resolves when it is over, well or not. */
  readonly over: Promise<void>;
  readonly controller: AbortController;
  waiting: number;
}

/** What the token of an API must have in addition, since it has demanded that. */
type Learned = Pick<StepUpRequest, 'scopes' | 'claims'>;

export function createStepUp(
  host: StepUpHost,
  clock: Pick<Clock, 'elapsed'>,
): (caller: Caller) => RequestTokens {
  const learned = new Map<string, Learned>();
  /** By what was asked in vain: when. */
  const inVain = new Map<string, number>();
  let trip: Trip | null = null;

  return (caller) => {
    const { api, signal } = caller;
    const taken = new Set<'renewal' | 'newer' | 'demand'>();
    let asked: string | null = null;

    return {
      first: () => token(caller),
      async renewed(refused) {
        if (taken.has('renewal')) return null;
        taken.add('renewal');
        return other(await ask(caller, { refused }), refused);
      },
      async stronger(refused, challenge) {
        const id = host.signedIn(caller.account ?? null)?.account.id;
        if (id === undefined) return null;
        if (!taken.has('newer')) {
          taken.add('newer');
          const newer = other(await token(caller), refused);
          if (newer !== null) return newer;
        }
        if (!taken.has('demand')) {
          taken.add('demand');
          const better = await demanded(caller, refused, challenge);
          if (better !== null) return better;
        }
        const key = JSON.stringify([id, sorted(challenge)]);
        if (asked === key) inVain.set(key, clock.elapsed());
        if (!caller.asks || asked !== null || wasInVain(key)) return null;
        while (trip !== null && trip.key !== key) {
          await abortable(trip.over, signal);
          const newer = other(await token(caller), refused);
          if (newer !== null) return newer;
        }
        if (wasInVain(key)) return null;
        signal.throwIfAborted();
        asked = key;
        await join((trip ??= begin(key, { ...challenge, account: id })), signal);
        if (hasTarget(api)) learn(caller, challenge);
        return other(await token(caller), refused);
      },
    };
  };

  /** A renewal may bring claims, and scopes that are granted already (RFC 6749 §6). */
  async function demanded(
    caller: Caller,
    refused: string,
    challenge: ApiChallenge,
  ): Promise<string | null> {
    const { api, account } = caller;
    const { claims, scopes = [] } = challenge;
    const granted = (host.signedIn(account ?? null)?.scope ?? '').split(' ');
    const canNarrow = api.scopes !== null && scopes.every((scope) => granted.includes(scope));
    if (claims === undefined && !(scopes.length > 0 && canNarrow)) return null;
    const before = learned.get(nameOf(caller));
    learn(caller, challenge);
    try {
      return other(await ask(caller, { refused }), refused);
    } catch (thrown) {
      if (!isRefusal(thrown)) throw thrown;
      if (before === undefined) learned.delete(nameOf(caller));
      else learned.set(nameOf(caller), before);
      return null;
    }
  }

  /** What was learned must not cost an API the token that it had before. */
  async function token(caller: Caller): Promise<string> {
    try {
      return await ask(caller, {});
    } catch (thrown) {
      if (!isRefusal(thrown) || !learned.delete(nameOf(caller))) throw thrown;
      return await ask(caller, {});
    }
  }

  function ask(caller: Caller, more: Pick<TokenRequest, 'refused'>): Promise<string> {
    const { resource, scopes } = caller.api;
    const { scopes: further = [], claims } = learned.get(nameOf(caller)) ?? {};
    const wanted = {
      ...(caller.account === undefined ? {} : { account: caller.account }),
      ...(resource === null ? {} : { resource }),
      ...(scopes === null ? {} : { scopes: [...new Set([...scopes, ...further])].slice(0, 100) }),
      ...(claims === undefined ? {} : { claims }),
      ...more,
    };
    return abortable(host.getAccessToken(wanted), caller.signal);
  }

  function learn(caller: Caller, { scopes, claims }: ApiChallenge): void {
    const name = nameOf(caller);
    const before = learned.get(name);
    const all = [...new Set([...(before?.scopes ?? []), ...(scopes ?? [])])];
    learned.delete(name);
    learned.set(name, { ...before, scopes: all, ...(claims === undefined ? {} : { claims }) });
    forgetOldest(learned);
  }

  function nameOf({ api, account }: Caller): string {
    return JSON.stringify([host.signedIn(account ?? null)?.account.id, api.name]);
  }

  function wasInVain(key: string): boolean {
    const at = inVain.get(key);
    return at !== undefined && clock.elapsed() - at < LIMITS.stepUpPauseMs;
  }

  function begin(key: string, request: Parameters<StepUpHost['signIn']>[0]): Trip {
    const controller = new AbortController();
    const done = host.signIn(request, controller.signal);
    const over = done.then(
      () => end(),
      () => {
        if (!controller.signal.aborted) inVain.set(key, clock.elapsed());
        end();
      },
    );
    const begun: Trip = { key, done, over, controller, waiting: 0 };
    const end = (): void => {
      forgetOldest(inVain);
      if (trip === begun) trip = null;
    };
    return begun;
  }

  /** When the last request that waits is aborted, nobody needs the trip. */
  async function join(joined: Trip, signal: AbortSignal): Promise<void> {
    joined.waiting += 1;
    try {
      await abortable(joined.done, signal);
    } finally {
      joined.waiting -= 1;
      if (joined.waiting === 0) {
        joined.controller.abort();
        if (trip === joined) trip = null;
      }
    }
  }
}

function other(token: string, refused: string): string | null {
  return token === refused ? null : token;
}

function isRefusal(thrown: unknown): boolean {
  return thrown instanceof AuthError && thrown.code === 'resource-refused';
}

/** Without a target, the token of the sign-in is the one that was asked for. */
function hasTarget({ resource, scopes }: ApiSettings): boolean {
  return resource !== null || scopes !== null;
}

function sorted({ scopes, ...rest }: ApiChallenge): ApiChallenge {
  return scopes === undefined ? rest : { ...rest, scopes: [...scopes].sort() };
}

function forgetOldest(map: Map<string, unknown>): void {
  const oldest = map.keys().next();
  if (map.size > LIMITS.tokenTargets && oldest.done !== true) map.delete(oldest.value);
}
