// What a diagnosis is made of: facts about the computer, the scheme, the keyring and the provider.
// Types only. Adapters gather them, findings.ts judges them. No fact may hold a secret or a URL
// with its query.
import type { AuthErrorCode, SecretStoreKind } from '../../contract.js';
import type { Network, NetworkTrouble, RedirectOption } from '../core/base/ports.js';

/** How the app was brought to this computer; each has rules of its own for schemes and keyrings. */
export type Packaging =
  | 'development'
  | 'plain-node'
  | 'packaged'
  | 'appimage'
  | 'flatpak'
  | 'snap'
  | 'msix'
  | 'mac-app-store';

/** The computer and the versions. */
export interface HostFacts {
  readonly latchkey: string;
  /** Null where Latchkey runs without Electron, as `latchkey doctor` does. */
  readonly electron: string | null;
  readonly node: string;
  /** Name, version and architecture of the operating system. */
  readonly system: string;
  readonly packaging: Packaging;
  /**
   * `held`: this process has Electron's single-instance lock. `left-to-host`: by option, and nobody
   * holds it.
   */
  readonly instanceLock: 'held' | 'left-to-host' | null;
}

/** The program that the operating system starts for a scheme. */
export type SchemeOwner =
  | {
      readonly state: 'owned';
      /** What the system calls it: a .desktop file, a registry entry, an app. */
      readonly name: string;
      /** What would be run, word by word, without the URL. Empty when it cannot be read. */
      readonly command: readonly string[];
      /**
       * False when the program is not there or may not be run; null when that was not looked at.
       */
      readonly isThere: boolean | null;
    }
  | { readonly state: 'nobody' }
  | { readonly state: 'unknown'; readonly detail: string };

/** Another program that says that it opens the scheme. */
export interface SchemeRival {
  readonly name: string;
  readonly command: readonly string[];
}

export interface SchemeFacts {
  readonly scheme: string;
  readonly owner: SchemeOwner;
  /** Null when it is not known who should own it. */
  readonly isOurs: boolean | null;
  /** What a new registration said; null when none was tried. */
  readonly registration:
    { readonly ok: true } | { readonly ok: false; readonly detail: string } | null;
  /** Null where the system has no list of them. */
  readonly rivals: readonly SchemeRival[] | null;
}

/** `lost`: it did not come back to this process in time. */
export interface ProbeFacts {
  readonly scheme: string;
  readonly outcome: 'came-back' | 'lost' | 'nobody-to-ask';
  readonly limitMs: number;
}

/** Whether a server could listen for a loopback redirect. */
export interface LoopbackFacts {
  readonly redirect: string;
  /** The port that was free, or the reason why there is none. */
  readonly outcome:
    | { readonly state: 'open'; readonly port: number }
    | { readonly state: 'closed'; readonly code: string };
}

/** A harmless entry that was written, read and removed. */
export interface KeyringFacts {
  readonly outcome: 'works' | 'locked' | 'unavailable' | 'silent' | 'memory-by-option';
  /** The port's own words; free of values. */
  readonly detail: string;
  /** Where the entry went. */
  readonly store: SecretStoreKind;
  /** The program or service behind it, where that can be seen. */
  readonly backend: string | null;
  readonly tookMs: number;
}

/**
 * Why a request got no answer that can be used. `word`: the code of the network or of TLS, such as
 * `ECONNREFUSED`.
 */
export interface Failure {
  readonly code: AuthErrorCode;
  readonly message: string;
  readonly word: string | null;
  /** With `network-failed`, where the network says so. */
  readonly trouble?: NetworkTrouble | undefined;
}

export type Fetched<T> =
  | ({ readonly state: 'found'; readonly tookMs: number } & T)
  | ({ readonly state: 'failed'; readonly tookMs: number } & Failure);

/** What the metadata announces, as far as a native app cares. Null: it says nothing about that. */
export interface Announced {
  readonly codeChallengeMethods: readonly string[] | null;
  readonly grantTypes: readonly string[] | null;
  readonly scopes: readonly string[] | null;
  readonly onlyPushedRequests: boolean;
  /** RFC 8628 §4: there is an endpoint for device codes. */
  readonly deviceCodes: boolean;
}

/** What the provider did with an authorization request that may show no page (`prompt=none`). */
export type RedirectAnswer =
  /** It came back to the redirect URI, with this `error` when it is a plain word. */
  | { readonly state: 'came-back'; readonly error: string | null }
  /**
   * It answered itself, or sent the browser elsewhere. `words`: known names of errors that stand
   * there.
   */
  | { readonly state: 'kept'; readonly status: number; readonly words: readonly string[] }
  | ({ readonly state: 'failed' } & Failure);

export interface RedirectFacts {
  readonly redirect: string;
  readonly answer: RedirectAnswer;
}

export interface ProviderFacts {
  readonly issuer: string;
  /** Null: the endpoints were given by hand. */
  /** `ignored`: the optional endpoints that cannot be used. */
  readonly discovery: Fetched<{
    readonly document: 'openid' | 'oauth';
    readonly ignored: readonly string[];
  }> | null;
  readonly announced: Announced | null;
  /** Null: not needed, or its address is not known. */
  readonly jwks: Fetched<{ readonly keys: number }> | null;
  /**
   * Of the server's clock against this computer's, in seconds; null when no answer had a `Date`.
   */
  readonly clockOffsetSeconds: number | null;
  readonly redirects: readonly RedirectFacts[];
}

/** The way to the provider's host. */
export interface ProxyFacts {
  /** `host:port` of each proxy, in order; empty: a direct connection. */
  readonly proxies: readonly string[];
  /** Who said so. `environment`: variables, which Electron does not read. */
  readonly source: 'system' | 'environment';
}

export type TlsFacts =
  /** `publicRoot` null: who signed it was not seen. */
  | { readonly state: 'trusted'; readonly issuer: string; readonly publicRoot: boolean | null }
  | { readonly state: 'refused'; readonly word: string; readonly issuer: string | null }
  /** No TLS here: a provider on this computer. */
  | { readonly state: 'none' };

/** What our own request carried when it was looked at on this computer. */
export interface HeaderFacts {
  readonly origin: boolean;
  readonly cookie: boolean;
}

/** An answer as it came: no redirect followed. */
export interface PlainAnswer {
  readonly status: number;
  readonly location: string | null;
  /** The beginning of the body; empty for a redirect. */
  readonly text: string;
}

/**
 * One GET request that follows no redirect and sends no cookie. Rejects when there is no answer,
 * and when the signal aborts.
 */
export type Ask = (url: string, signal: AbortSignal) => Promise<PlainAnswer>;

/** What a source says that cannot look here, and why. */
export interface Unseen {
  readonly unseen: string;
}

export type LoopbackOption = Extract<RedirectOption, { kind: 'loopback' }>;

/** Where the facts come from. Each may take its time, and reject: both end in "not checked". */
export interface DiagnosisSources {
  host(): Promise<HostFacts>;
  scheme(scheme: string): Promise<SchemeFacts | Unseen>;
  /**
   * Sends a URL of the scheme on the way of a callback, which may start the program that owns it.
   */
  probe(scheme: string): Promise<ProbeFacts | Unseen>;
  loopback(redirect: LoopbackOption): Promise<LoopbackFacts>;
  keyring(): Promise<KeyringFacts | Unseen>;
  proxy(url: string): Promise<ProxyFacts | Unseen>;
  tls(url: string): Promise<TlsFacts | Unseen>;
  headers(): Promise<HeaderFacts | Unseen>;
  readonly network: Network;
  readonly ask: Ask;
}
