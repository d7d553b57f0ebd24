// Where `latchkey doctor` gets its facts: plain Node, without an app. It uses Node's network, which
// does not ask the system for a proxy, and keytar in a child process that can be killed.
import { fork } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { resolve } from 'node:path';
import { type DetailedPeerCertificate, connect, rootCertificates } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { readHostFacts } from '../main/adapters/diagnosis/host-facts.js';
import { createKeychain } from '../main/adapters/secrets/keychain.js';
import type { WorkerProcess } from '../main/adapters/secrets/keychain-protocol.js';
import { tryKeyring } from '../main/adapters/diagnosis/keyring-facts.js';
import { tryLoopback } from '../main/adapters/diagnosis/loopback-facts.js';
import { safeEnvironment } from '../main/adapters/run-tool.js';
import { findSchemeOwner, findSchemeRivals } from '../main/adapters/custom-scheme/scheme-owner.js';
import { programOf } from '../main/adapters/custom-scheme/xdg-applications.js';
import type {
  DiagnosisSources,
  ProxyFacts,
  SchemeOwner,
  TlsFacts,
} from '../main/diagnosis/facts.js';
import { LIMITS } from '../main/core/base/limits.js';
import type { Network } from '../main/core/base/ports.js';

const TEXT_MAX_LENGTH = 65_536;
const CHAIN_MAX = 10;

export interface PlainSourcesOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly timeoutMs: number;
  /** The executable that should own the scheme. Null: not given. */
  readonly program: string | null;
  /** Starts the keychain worker. Default: a child process of this Node. */
  readonly fork?: () => WorkerProcess;
}

export function createPlainSources({
  env,
  timeoutMs,
  program,
  fork: forkWorker = () => forkChild(env),
}: PlainSourcesOptions): DiagnosisSources {
  const { platform } = process;
  return {
    network: plainNetwork,
    async ask(url, signal) {
      const response = await plainNetwork.fetch(url, { method: 'GET', headers: {}, signal });
      return {
        status: response.status,
        location: response.headers.get('location'),
        text: await beginningOf(response),
      };
    },
    loopback: tryLoopback,
    host: async () =>
      readHostFacts(
        {
          electron: undefined,
          isPackaged: false,
          execPath: process.execPath,
          windowsStore: false,
          macAppStore: false,
          env,
        },
        null,
      ),
    async scheme(scheme) {
      const query = { scheme, platform, env, timeoutMs: LIMITS.redirectPrepareMs };
      const owner = await findSchemeOwner(query);
      const rivals = await findSchemeRivals(query, owner.state === 'owned' ? owner.name : '');
      return {
        scheme,
        owner,
        isOurs: program === null ? null : await startsProgram(owner, program),
        registration: null,
        rivals,
      };
    },
    probe: async () => ({ unseen: 'only in a running app' }),
    async keyring() {
      const keychain = createKeychain({
        service: 'latchkey-doctor',
        timeoutMs: LIMITS.keyringTimeoutMs,
        fork: forkWorker,
      });
      try {
        return await tryKeyring(keychain, env);
      } finally {
        keychain.close();
      }
    },
    proxy: async () => readProxyVariables(env),
    tls: async (url) => await readCertificate(new URL(url), timeoutMs),
    headers: async () => ({
      unseen: 'only in the app, because it checks its requests: auth.diagnose()',
    }),
  };

  async function startsProgram(owner: SchemeOwner, expected: string): Promise<boolean | null> {
    if (owner.state !== 'owned') return null;
    if (platform === 'win32')
      return owner.command[0]?.toLowerCase() === resolve(expected).toLowerCase();
    const wanted = await programOf([expected], env);
    return wanted !== null && wanted === (await programOf(owner.command, env));
  }
}

/** Node's own network: no cookie, no redirect followed. */
const plainNetwork: Network = {
  fetch: (url, { method, headers, body, signal }) =>
    fetch(url, {
      method,
      headers,
      signal,
      redirect: 'manual',
      ...(body === undefined ? {} : { body }),
    }),
};

async function beginningOf({ body }: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    text += decoder.decode(chunk, { stream: true });
    // Breaking out of the loop ends the connection.
    if (text.length > TEXT_MAX_LENGTH) break;
  }
  return text;
}

/** Host and port of the proxies in the environment, without user and password. Pure. */
export function readProxyVariables(env: NodeJS.ProcessEnv): ProxyFacts {
  const named = ['HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'all_proxy'].flatMap((name) => {
    const value = env[name] ?? '';
    const text = value.includes('://') ? value : `http://${value}`;
    return value !== '' && URL.canParse(text) ? [new URL(text).host] : [];
  });
  return { source: 'environment', proxies: [...new Set(named)] };
}

/**
 * Makes a TLS handshake and sends nothing. Reads who signed the certificate. A refused certificate
 * stays refused.
 */
async function readCertificate(
  { protocol, hostname, port }: URL,
  timeoutMs: number,
): Promise<TlsFacts> {
  if (protocol !== 'https:') return { state: 'none' };
  return await new Promise((resolve, reject) => {
    const host = hostname.replace(/^\[|\]$/g, '');
    // Not refused at once, so that the doctor can name the issuer. Nothing is sent on this
    // connection.
    const socket = connect({
      host,
      port: port === '' ? 443 : Number(port),
      rejectUnauthorized: false,
      ...(/[A-Za-z]/.test(host) && !host.includes(':') ? { servername: host } : {}),
    });
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error('no answer in time')));
    socket.once('error', reject);
    socket.once('secureConnect', () => {
      const leaf = socket.getPeerCertificate(true);
      const issuer = nameOf(leaf.issuer);
      resolve(
        socket.authorized
          ? { state: 'trusted', issuer, publicRoot: isPublic(rootOf(leaf)) }
          : { state: 'refused', word: String(socket.authorizationError), issuer },
      );
      socket.destroy();
    });
  });
}

function nameOf(
  subject: { readonly O?: string | string[]; readonly CN?: string | string[] } | undefined,
): string {
  return (
    [subject?.CN, subject?.O]
      .flat()
      .filter((name) => name !== undefined)
      .join(', ') || 'an unnamed issuer'
  );
}

function rootOf(leaf: DetailedPeerCertificate): DetailedPeerCertificate {
  let certificate = leaf;
  for (let depth = 0; depth < CHAIN_MAX; depth += 1) {
    // Absent if the chain ends without a root. The root names itself.
    const next = certificate.issuerCertificate as DetailedPeerCertificate | undefined;
    if (next === undefined || next.fingerprint256 === certificate.fingerprint256) break;
    certificate = next;
  }
  return certificate;
}

/** True for the authorities that Node includes, as browsers do. */
function isPublic(root: DetailedPeerCertificate): boolean {
  return rootCertificates.some(
    (pem) => new X509Certificate(pem).fingerprint256 === root.fingerprint256,
  );
}

function forkChild(env: NodeJS.ProcessEnv): WorkerProcess {
  const child = fork(fileURLToPath(new URL('./keychain-child.js', import.meta.url)), [], {
    env: safeEnvironment(env),
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    execArgv: [],
  });
  child.on('error', () => undefined);
  return {
    get pid() {
      return child.pid;
    },
    postMessage: (message) => void child.send(message, () => undefined),
    on(event: 'message' | 'exit' | 'spawn', listener: (value: never) => void) {
      return child.on(event, listener as (...values: unknown[]) => void);
    },
    kill: () => child.kill(),
  };
}
