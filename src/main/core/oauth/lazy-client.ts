// The OAuth client before it is loaded. It needs the OAuth library, the largest part that Latchkey
// loads; a start with a stored token that is still valid never needs it.
import { partMissingError } from '../base/errors.js';
import type { MetadataMark } from '../base/ports.js';
import type { OAuthClient } from './client.js';

/** The OAuth client, and a call that loads it before it is needed. */
export interface LazyClient extends OAuthClient {
  /** Loads it now, in the background. */
  preload(): void;
}

/**
 * Calls `load` once, at the first use; after a failure, again at the next use. A call rejects with
 * `files-missing` if loading fails.
 */
export function createLazyClient(load: () => Promise<OAuthClient>): LazyClient {
  let there: OAuthClient | null = null;
  let vouched: MetadataMark | null = null;
  let loading: Promise<OAuthClient> | null = null;

  function loaded(): Promise<OAuthClient> {
    loading ??= load().then(
      (client) => {
        if (vouched !== null) client.trustMetadata(vouched);
        return (there = client);
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
    redeem: async (callback, secrets, redirectUri, correlationId, startedAt, demand) =>
      (await loaded()).redeem(callback, secrets, redirectUri, correlationId, startedAt, demand),
    // Before it is loaded, no metadata is known.
    offersDeviceCode: () => there?.offersDeviceCode() ?? true,
    authorizeDevice: async (request) => (await loaded()).authorizeDevice(request),
    pollDevice: async (deviceCode, correlationId, startedAt, demand) =>
      (await loaded()).pollDevice(deviceCode, correlationId, startedAt, demand),
    // A record that vouches for the file makes discovery unnecessary. If the file differs, the
    // renewal fetches the metadata.
    isPrepared: () => there?.isPrepared() ?? vouched !== null,
    prepare: async () => (await loaded()).prepare(),
    renew: async (refreshToken, scope, account, target) =>
      (await loaded()).renew(refreshToken, scope, account, target),
    renewLegacy: async (refreshToken, scope) => (await loaded()).renewLegacy(refreshToken, scope),
    // `isOwnWord` never rejects, so a failed load answers false.
    isOwnWord: (refusal) =>
      loaded().then(
        (client) => client.isOwnWord(refusal),
        () => false,
      ),
    endSessionEndpoint: async () => (await loaded()).endSessionEndpoint(),
    revoke: async (token) => (await loaded()).revoke(token),
    trustMetadata(mark) {
      vouched = mark;
      there?.trustMetadata(mark);
    },
    // A client that is not loaded has used no metadata.
    revalidateMetadata: () => {
      there?.revalidateMetadata();
    },
    metadataMark: () => there?.metadataMark() ?? vouched,
  };
}
