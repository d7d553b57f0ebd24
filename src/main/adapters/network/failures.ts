// Why Chromium gave no answer, as the port Network says it. The one place that reads Chromium's
// words for it. Pure. A failure holds the word and nothing of the address, the request or the
// answer.
import type { NetworkFailure, NetworkTrouble } from '../../core/base/ports.js';

/** By net/base/net_error_list.h. What is not listed is `unreachable`. */
const TROUBLES: Readonly<Record<string, NetworkTrouble>> = {
  ERR_SSL_CLIENT_AUTH_CERT_NEEDED: 'client-certificate',
  ERR_BAD_SSL_CLIENT_AUTH_CERT: 'client-certificate',
  // A server that is no proxy says 407: something on the way wants a password.
  ERR_UNEXPECTED_PROXY_AUTH: 'proxy-password',
  ERR_PROXY_AUTH_REQUESTED: 'proxy-password',
  ERR_PROXY_AUTH_REQUESTED_WITH_NO_CONNECTION: 'proxy-password',
  ERR_PROXY_AUTH_UNSUPPORTED: 'proxy-password',
  ERR_TUNNEL_CONNECTION_FAILED: 'proxy',
  ERR_PROXY_CONNECTION_FAILED: 'proxy',
  ERR_PROXY_CERTIFICATE_INVALID: 'proxy',
  ERR_NO_SUPPORTED_PROXIES: 'proxy',
  ERR_MANDATORY_PROXY_CONFIGURATION_FAILED: 'proxy',
  ERR_PAC_SCRIPT_FAILED: 'proxy',
  ERR_SOCKS_CONNECTION_FAILED: 'proxy',
  ERR_SOCKS_CONNECTION_HOST_UNREACHABLE: 'proxy',
  ERR_SSL_PINNED_KEY_NOT_IN_CERT_CHAIN: 'certificate',
  ERR_CONTENT_LENGTH_MISMATCH: 'cut-off',
  ERR_INCOMPLETE_CHUNKED_ENCODING: 'cut-off',
  ERR_CONTENT_DECODING_FAILED: 'cut-off',
};

/** `ERR_CERT_…`: the server's certificate was refused, each for a reason of its own. */
const CERTIFICATE = /^ERR_CERT(?:IFICATE)?_/;
const WORD = /^(?:net::)?(ERR_[A-Z0-9_]{2,60})$/;

/** `begun`: the head of the answer had come. `passwordWanted`: a proxy had asked for one. */
export function chromiumFailure(
  thrown: unknown,
  { begun, passwordWanted }: { readonly begun: boolean; readonly passwordWanted: boolean },
): NetworkFailure {
  const [, word = 'ERR_FAILED'] = WORD.exec(thrown instanceof Error ? thrown.message : '') ?? [];
  return networkFailure(troubleOf(word, begun, passwordWanted), `net::${word}`);
}

function troubleOf(word: string, begun: boolean, passwordWanted: boolean): NetworkTrouble {
  if (passwordWanted) return 'proxy-password';
  return (
    TROUBLES[word] ?? (CERTIFICATE.test(word) ? 'certificate' : begun ? 'cut-off' : 'unreachable')
  );
}

/** `word` is for logs: the code of the network, or a few words of our own. */
export function networkFailure(
  trouble: NetworkTrouble,
  word: string,
  status?: number,
): NetworkFailure {
  return Object.assign(new Error(word), { trouble, ...(status === undefined ? {} : { status }) });
}
