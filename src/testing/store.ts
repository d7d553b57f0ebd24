// What the provider remembers: codes, tokens, grants, browser sessions. In memory, one store for each provider.
// oidc-provider's own default is shared by all providers of a process and announces itself on the console.
import type { Adapter, AdapterFactory, AdapterPayload } from 'oidc-provider';

/** oidc-provider's names of what is stored. */
export type Model = 'Session' | 'Interaction' | 'Grant' | 'AuthorizationCode' | 'DeviceCode' | 'AccessToken' | 'RefreshToken';

/** The memory of one provider. */
export interface Store {
  readonly adapter: AdapterFactory;
  /** Forgets everything of these kinds at once. */
  forget(models: readonly Model[]): void;
}

/** A test that signs in 10,000 people holds some 50,000 entries; beyond, the oldest are forgotten. */
const ENTRIES = 100_000;

interface Entry {
  readonly payload: AdapterPayload;
  readonly expiresAt: number;
}

/** Makes an empty store. Expired entries are never found, and are dropped when they are met or the store is full. */
export function createStore(): Store {
  const entries = new Map<string, Entry>();

  const find = (key: string): AdapterPayload | undefined => {
    const entry = entries.get(key);
    if (entry === undefined) return undefined;
    if (entry.expiresAt > Date.now()) return entry.payload;
    entries.delete(key);
    return undefined;
  };

  const findBy = (model: string, matches: (payload: AdapterPayload) => boolean): AdapterPayload | undefined => {
    for (const [key, entry] of entries) {
      if (key.startsWith(`${model}:`) && matches(entry.payload)) return find(key);
    }
    return undefined;
  };

  const save = (key: string, entry: Entry): void => {
    entries.delete(key);
    entries.set(key, entry);
    const oldest = entries.keys().next();
    if (entries.size > ENTRIES && oldest.done !== true) entries.delete(oldest.value);
  };

  const adapter = (model: string): Adapter => ({
    upsert: async (id, payload, expiresIn) =>
      save(`${model}:${id}`, { payload, expiresAt: expiresIn === undefined ? Infinity : Date.now() + expiresIn * 1000 }),
    find: async (id) => find(`${model}:${id}`),
    findByUid: async (uid) => findBy(model, (payload) => payload.uid === uid),
    findByUserCode: async (userCode) => findBy(model, (payload) => payload.userCode === userCode),
    consume: async (id) => {
      const payload = find(`${model}:${id}`);
      if (payload !== undefined) payload['consumed'] = Math.floor(Date.now() / 1000);
    },
    destroy: async (id) => {
      entries.delete(`${model}:${id}`);
    },
    revokeByGrantId: async (grantId) => {
      for (const [key, entry] of entries) {
        if (key.startsWith(`${model}:`) && entry.payload.grantId === grantId) entries.delete(key);
      }
    },
  });

  return {
    adapter,
    forget(models) {
      for (const key of entries.keys()) {
        if (models.some((model) => key.startsWith(`${model}:`))) entries.delete(key);
      }
    },
  };
}
