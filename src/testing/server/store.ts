// What the provider remembers: codes, tokens, grants, browser sessions. In memory, one store for
// each provider. oidc-provider's own default is shared by all providers of a process and announces
// itself on the console.
import type { Adapter, AdapterFactory, AdapterPayload } from 'oidc-provider';
import type { Kept } from './personality.js';

/** oidc-provider's names of what is stored. */
export type Model =
  | 'Session'
  | 'Interaction'
  | 'Grant'
  | 'AuthorizationCode'
  | 'DeviceCode'
  | 'AccessToken'
  | 'RefreshToken';

/** The memory of one provider. */
export interface Store {
  readonly adapter: AdapterFactory;
  /** Forgets everything of these kinds at once. */
  forget(models: readonly Model[]): void;
  /**
   * What is known of this value, also after its end; null when it was never given out or is
   * forgotten. Changes nothing.
   */
  look(model: Model, id: string): Kept | null;
  /**
   * Everything becomes older by so many seconds: it ends sooner. A negative number makes it
   * younger.
   */
  age(seconds: number): void;
}

/** How a store differs from the strict one. */
export interface StoreOptions {
  /**
   * How long a refresh token that was rotated may come again before that counts as a reuse. Default
   * 0.
   */
  readonly graceSeconds?: number;
}

/**
 * A test that signs in 10,000 people holds some 50,000 entries; beyond, the oldest are forgotten.
 */
const ENTRIES = 100_000;
/** How many ended things can still be told apart from things that never were. */
const REVOKED = 10_000;
/** The members that hold a time, in seconds since 1970. */
const TIMES = ['iat', 'exp', 'iiat', 'consumed', 'authTime', 'loginTs'] as const;

interface Entry {
  readonly payload: AdapterPayload;
  expiresAt: number;
}

/**
 * Makes an empty store. Expired entries are never found; those that were met are dropped when the
 * store is full.
 */
export function createStore({ graceSeconds = 0 }: StoreOptions = {}): Store {
  const entries = new Map<string, Entry>();
  const revoked = new Map<string, AdapterPayload>();

  const find = (key: string): AdapterPayload | undefined => {
    const entry = entries.get(key);
    // A device code that is too old has an error of its own (RFC 8628 §3.5): oidc-provider looks at
    // its age itself.
    if (entry === undefined || (entry.expiresAt <= Date.now() && !key.startsWith('DeviceCode:')))
      return undefined;
    const consumed: unknown = entry.payload['consumed'];
    const isInGrace =
      key.startsWith('RefreshToken:') &&
      typeof consumed === 'number' &&
      Date.now() / 1000 - consumed < graceSeconds;
    return isInGrace ? { ...entry.payload, consumed: undefined } : entry.payload;
  };

  const findBy = (
    model: string,
    matches: (payload: AdapterPayload) => boolean,
  ): AdapterPayload | undefined => {
    for (const [key, entry] of entries) {
      if (key.startsWith(`${model}:`) && matches(entry.payload)) return find(key);
    }
    return undefined;
  };

  const save = (key: string, entry: Entry): void => {
    entries.delete(key);
    entries.set(key, entry);
    trim(entries, ENTRIES);
  };

  const end = (key: string): void => {
    const entry = entries.get(key);
    entries.delete(key);
    if (entry === undefined || !/^(AuthorizationCode|AccessToken|RefreshToken):/.test(key)) return;
    revoked.set(key, entry.payload);
    trim(revoked, REVOKED);
  };

  const adapter = (model: string): Adapter => ({
    upsert: async (id, payload, expiresIn) =>
      save(`${model}:${id}`, {
        payload,
        expiresAt: expiresIn === undefined ? Infinity : Date.now() + expiresIn * 1000,
      }),
    find: async (id) => find(`${model}:${id}`),
    findByUid: async (uid) => findBy(model, (payload) => payload.uid === uid),
    findByUserCode: async (userCode) => findBy(model, (payload) => payload.userCode === userCode),
    consume: async (id) => {
      const payload = entries.get(`${model}:${id}`)?.payload;
      // A grace begins with the first use, however often the token comes again.
      if (payload !== undefined) payload['consumed'] ??= Math.floor(Date.now() / 1000);
    },
    destroy: async (id) => end(`${model}:${id}`),
    revokeByGrantId: async (grantId) => {
      for (const [key, entry] of [...entries]) {
        if (key.startsWith(`${model}:`) && entry.payload.grantId === grantId) end(key);
      }
    },
  });

  return {
    adapter,
    forget(models) {
      for (const key of [...entries.keys()]) {
        if (models.some((model) => key.startsWith(`${model}:`))) end(key);
      }
    },
    look(model, id) {
      const key = `${model}:${id}`;
      const entry = entries.get(key);
      if (entry !== undefined)
        return { payload: entry.payload, state: entry.expiresAt > Date.now() ? 'live' : 'expired' };
      const payload = revoked.get(key);
      return payload === undefined ? null : { payload, state: 'revoked' };
    },
    age(seconds) {
      for (const entry of entries.values()) {
        entry.expiresAt -= seconds * 1000;
        const payload = entry.payload as Record<string, unknown>;
        for (const name of TIMES) {
          const time = payload[name];
          if (typeof time === 'number') payload[name] = time - seconds;
        }
      }
    },
  };
}

function trim(map: Map<string, unknown>, size: number): void {
  const oldest = map.keys().next();
  if (map.size > size && oldest.done !== true) map.delete(oldest.value);
}
