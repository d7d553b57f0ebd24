// The wire before it is loaded. The OAuth engine behind it is the largest part that Latchkey loads,
// and a start with a stored token that is still good never needs it.
import { partMissingError } from '../base/errors.js';
import type { MetadataMark } from './metadata-cache.js';
import type { OAuthClient } from './client.js';

/** The wire, and the way to have it ready before it is needed. */
export interface LazyClient extends OAuthClient {
  /** Loads it now, in the background. */
  preload(): void;
}

/**
 * Calls `load` at the first use, once; after a failure again at the next. A call that cannot be
 * carried out for that rejects with `files-missing`.
 */
export function createLazyClient(load: () => Promise<OAuthClient>): LazyClient {
  let there: OAuthClient | null = null;
  let vouched: MetadataMark | null = null;
  let loading: Promise<OAuthClient> | null = null;

  function loaded(): Promise<OAuthClient> {
    loading ??= load().then(
      (protocol) => {
        if (vouched !== null) protocol.trustMetadata(vouched);
        return (there = protocol);
      },
      (cause: unknown) => {
        loading = null;
        throw partMissingError(cause);
      },
    );
    return loading;
  }

  return {
    preload() {
      loaded().catch(() => undefined);
    },
    authorizationUrl: async (secrets, redirectUri, request) =>
      (await loaded()).authorizationUrl(secrets, redirectUri, request),
    redeem: async (callback, secrets, redirectUri, correlationId, startedAt) =>
      (await loaded()).redeem(callback, secrets, redirectUri, correlationId, startedAt),
    // Before it is loaded no metadata are known.
    offersDeviceCode: () => there?.offersDeviceCode() ?? true,
    authorizeDevice: async (request) => (await loaded()).authorizeDevice(request),
    pollDevice: async (deviceCode, correlationId, startedAt) =>
      (await loaded()).pollDevice(deviceCode, correlationId, startedAt),
    // A record that vouches spares the question; should its file be another, the renewal asks it.
    isPrepared: () => there?.isPrepared() ?? vouched !== null,
    prepare: async () => (await loaded()).prepare(),
    renew: async (refreshToken, scope, account, target) =>
      (await loaded()).renew(refreshToken, scope, account, target),
    renewLegacy: async (refreshToken, scope) => (await loaded()).renewLegacy(refreshToken, scope),
    // Never rejects.
    isOwnWord: (refusal) =>
      loaded().then(
        (protocol) => protocol.isOwnWord(refusal),
        () => false,
      ),
    revoke: async (token) => (await loaded()).revoke(token),
    trustMetadata(mark) {
      vouched = mark;
      there?.trustMetadata(mark);
    },
    // What is not loaded has used none.
    revalidateMetadata: () => {
      there?.revalidateMetadata();
    },
    metadataMark: () => there?.metadataMark() ?? vouched,
  };
}
