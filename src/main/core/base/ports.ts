// The interfaces between the core and the outside. Types only: each adapter implements one of them.
// Each doc comment is an obligation that test/contract proves on the fake and on the real adapter.
import type { AdviceView, SecretStoreKind } from '../../../contract.js';
import type { AuthError } from './errors.js';
import type { LogEvent } from './events.js';

export type { LogEvent } from './events.js';

/**
 * The answer to a read. `absent` only when the store surely works and surely has no such entry; a
 * locked keyring that answers "nothing" is `locked`. A read never changes or deletes anything.
 */
export type SecretReading =
  | { readonly state: 'found'; readonly value: string }
  | { readonly state: 'absent' }
  | { readonly state: 'locked'; readonly detail: string }
  | { readonly state: 'unavailable'; readonly detail: string };

/** The answer to a write or removal. `detail` is for the log and never contains a value. */
export type SecretOutcome =
  | { readonly state: 'done' }
  | { readonly state: 'locked'; readonly detail: string }
  | { readonly state: 'unavailable'; readonly detail: string };

/**
 * The keychain. Every call ends within the store's own time limit and never throws. Calls on one
 * key run in the order in which they were made. `write` is `done` only when the value was read back
 * and is the same.
 */
export interface SecretStore {
  /**
   * `expected`: the caller remembers that it wrote the entry, so "nothing there" must be doubted.
   * Without it, the "nothing" of a locked keyring is trusted (`absent`): the next write shows it.
   */
  read(key: string, expected: boolean): Promise<SecretReading>;
  write(key: string, value: string): Promise<SecretOutcome>;
  /** `done` also when there is no such entry. */
  remove(key: string): Promise<SecretOutcome>;
  /**
   * Where the value of this key was last found or written, for the view. Default: the keychain.
   */
  readonly storeOf?: (key: string) => SecretStoreKind;
  /** Ends the worker at once, even during a call. Later calls answer `unavailable`. */
  close(): void;
}

/**
 * A store of encrypted files. A missing file is certain without the key, so `read` is then
 * `absent`. `remove` needs no key either.
 */
export interface SealedStore extends SecretStore {
  /**
   * True when something is stored, readable or not, and also when the disk does not tell. Needs no
   * key.
   */
  has(key: string): Promise<boolean>;
}

/**
 * What earlier versions of the host's app left, by the index in the option "migrateFrom". Every
 * call has a time limit and never throws.
 */
export interface LegacyEntries {
  /**
   * The value exactly as the earlier version wrote it. `absent` is no proof here: a locked keyring
   * may answer it too, and it is unknown what should be there. A read changes nothing.
   */
  read(index: number): Promise<SecretReading>;
  /** `done` also when there is no such entry, or when it can only be read. */
  remove(index: number): Promise<SecretOutcome>;
}

/** Which accounts are known. Not secret; stored in a plain file. */
export interface StateFileContent {
  readonly schemaVersion: 1;
  readonly lastAccountId: string | null;
  readonly accounts: readonly KnownAccount[];
  /**
   * Attempts whose record the keychain should hold. The id is a digest of the state and reveals
   * nothing.
   */
  readonly attempts: readonly KnownAttempt[];
  readonly takeOver: KnownMigration;
}

/** How far the migration of legacy sessions has come. */
export interface KnownMigration {
  /**
   * `proving`: the keychain holds a token that belongs to no session yet. `cleaning`: the session
   * is stored, and the old entry must be removed.
   */
  readonly stage: 'none' | 'proving' | 'cleaning';
  /** The owner of the migration; missing while there is none, and in files of earlier builds. */
  readonly issuer?: string;
  readonly clientId?: string;
  /**
   * Digests of legacy values that the provider refused finally: they are not tried again. A digest
   * reveals nothing.
   */
  readonly tried: readonly string[];
}

export interface KnownAttempt {
  readonly id: string;
  readonly expiresAt: number;
  /**
   * A process has its callback and will send its code; no other process may. Its record is removed
   * at the next chance.
   */
  readonly claimed?: true;
  /** The owner of the attempt; missing in files of earlier builds. */
  readonly issuer?: string;
  readonly clientId?: string;
}

/** One account that was signed in at some time, and what the keychain should hold for it. */
export interface KnownAccount {
  readonly id: string;
  readonly issuer: string;
  readonly subject: string;
  readonly name?: string;
  readonly username?: string;
  readonly email?: string;
  readonly picture?: string;
  /**
   * `removal-owed`: signed out while the keyring did not answer; the record is removed at the next
   * chance. `suspended`: the session was not usable, but not finally: the provider refused it, or
   * its only token is over by the clock; the next start asks again. `refused`: the provider or the
   * host ended the session; the record stays until the person signs in again.
   */
  readonly record: 'kept' | 'none' | 'removal-owed' | 'suspended' | 'refused';
  /** Only in the file, where `kept` with this means `suspended`, a word new to earlier builds. */
  readonly suspended?: true;
  /** The client id that it is signed in with; missing in files of earlier builds. */
  readonly clientId?: string;
  /** True for the last account of its issuer and client id; otherwise missing. */
  readonly last?: true;
  /**
   * True when its record has the client's own entry in the keychain, because another client uses
   * the account's entry; otherwise missing.
   */
  readonly apart?: true;
  /**
   * True when the person is to be forgotten: the entry goes as soon as its record is gone. It names
   * nobody: `subject` is the id.
   */
  readonly forgotten?: true;
}

/**
 * The state file, with a second copy of it. A file that could not be read is neither overwritten
 * nor set aside.
 */
export interface StateStore {
  /**
   * The same text for all owners that share the file, whatever their client id. Only its digest is
   * used.
   */
  readonly name?: string;
  /**
   * Null only when surely no usable file exists: no file, or a damaged one without a whole copy.
   * Rejects within a time limit when a file exists, or may exist, that cannot be read now; the
   * error's `code` is for the log.
   */
  load(): Promise<unknown>;
  /**
   * False: the last result of `load` should be saved again, because one of the two copies is
   * missing, damaged or old. Default: true.
   */
  isWhole?(): boolean;
  /**
   * Writes the whole content or nothing. Rejects when the disk refuses, and while the file exists
   * but cannot be read.
   */
  save(state: StateFileContent): Promise<void>;
}

/**
 * The provider's public metadata (OpenID Connect Discovery §3, RFC 8414 §2): only the members that
 * Latchkey uses.
 */
export interface KeptMetadata {
  readonly schemaVersion: 1;
  readonly published: Readonly<Record<string, unknown>>;
}

/**
 * A file for the provider's metadata, beside the state file. Never rejects: when the disk refuses,
 * `load` gives null and `save` does nothing.
 */
export interface MetadataFile {
  load(): Promise<unknown>;
  /** Writes the whole content or nothing. */
  save(content: KeptMetadata): Promise<void>;
}

/** The system browser. A resolved call proves nothing: the operating system seldom tells. */
export interface Browser {
  /**
   * Passes on the URL in the form of the URL Standard. One that is longer than
   * `LIMITS.openedUrlLength` starts from a page on loopback, which sends the browser on, once.
   * Accepts only `https:` and `http:` without user name and password, up to 131,000 characters:
   * otherwise rejects with `browser-failed` and opens nothing. Also rejects so when it surely failed,
   * or when that page cannot be opened. Never throws synchronously, and no error repeats the URL.
   */
  open(url: string): Promise<void>;
  /**
   * Opens a page on loopback that posts these fields to the URL at once, for one visit: they stand
   * in no address, command line or history. Refuses what `open` refuses.
   */
  post(url: string, fields: readonly (readonly [name: string, value: string])[]): Promise<void>;
  /** Puts the same URL into the clipboard, for the person to paste. Rejects as `open` does. */
  copy(url: string): Promise<void>;
}

/**
 * What the result page in the browser tells the person at the end of an attempt (loopback only).
 */
export type AttemptOutcome = 'signed-in' | 'denied' | 'failed' | 'not-expected';

/** `signed-out`: the way back from a logout in the browser. */
export type PageOutcome = AttemptOutcome | 'signed-out';

/** The redirects that the browser follows into the app without the person's help. */
export type CallbackKind = 'custom-scheme' | 'loopback';

/** A redirect that is open and waits for a callback. */
export interface OpenRedirect {
  readonly kind: CallbackKind;
  /** The exact `redirect_uri` of this attempt (RFC 6749 §4.1.1). */
  readonly redirectUri: string;
  /**
   * Closes the redirect; idempotent. A loopback server first shows the outcome to the browser that
   * waits for it.
   */
  close(outcome: PageOutcome): void;
}

export type PreparedRedirect =
  | { readonly state: 'ready'; readonly redirect: OpenRedirect }
  /** This redirect cannot work here; `detail` says why, for the log and the error text. */
  | { readonly state: 'unavailable'; readonly detail: string };

/**
 * What the engine answers to a callback at once. `taken`: it belongs to an open attempt, whose
 * `close` will tell the outcome. `foreign`: it belongs to none and changed nothing, and its sender
 * is told so at once.
 */
export type CallbackVerdict = 'taken' | 'foreign';

/** One kind of redirect. Every URL that arrives goes to `onCallback`, whatever it contains. */
export interface Callbacks {
  /** Opens a redirect of this kind. Has a time limit; never throws. */
  prepare(redirect: RedirectOption): Promise<PreparedRedirect>;
  /**
   * The engine calls it once, before it prepares anything. URLs that came earlier are delivered
   * then.
   */
  onCallback(listener: (callbackUrl: string) => CallbackVerdict): void;
  /** Closes all open redirects at once. */
  stop(): void;
}

/** One parsed entry of `options.redirects`. */
export type RedirectOption =
  | { readonly kind: 'custom-scheme'; readonly uri: string; readonly scheme: string }
  | {
      readonly kind: 'loopback';
      readonly uri: string;
      readonly host: string;
      readonly port: number | null;
      readonly path: string;
    }
  | { readonly kind: 'device-code'; readonly uri: string }
  /**
   * `uri` is the entry, `redirectUri` the registered URI: its page shows the code, or has it in its
   * address.
   */
  | { readonly kind: 'paste'; readonly uri: string; readonly redirectUri: string };

/** Wall clock in milliseconds, and timers that may fire late but never early. */
export interface Clock {
  now(): number;
  /**
   * Milliseconds since some earlier moment. Nobody can set it; it may stop while the computer
   * sleeps.
   */
  elapsed(): number;
  /**
   * Returns a function that cancels; it may be called at any time and more than once. `delayMs` may
   * be any number: a negative number counts as 0, and a timer of Infinity or NaN never fires. Never
   * calls `run` before it has returned.
   */
  after(delayMs: number, run: () => void): () => void;
}

/**
 * Why an exchange gave no answer. `client-certificate`: the server asks for one, and there is none.
 * `proxy-password`: a proxy asks for one. `proxy`: the proxy does not answer, refuses, or is
 * configured wrongly. `certificate`: the server's certificate is refused. `cut-off`: the answer
 * ended before it was complete. `status`: its status is not one of HTTP. `unreachable`: everything
 * else.
 */
export type NetworkTrouble =
  | 'client-certificate'
  | 'proxy-password'
  | 'proxy'
  | 'certificate'
  | 'cut-off'
  | 'status'
  | 'unreachable';

/**
 * The error with which `Network.fetch` and the body of its answer reject. `message` is a code of
 * the network, such as `net::ERR_FAILED`.
 */
export interface NetworkFailure extends Error {
  readonly trouble: NetworkTrouble;
  /** Only if `trouble` is `status`. */
  readonly status?: number;
}

/**
 * One HTTP exchange. Whatever the server sends, the result is a Response or a rejection with a
 * `NetworkFailure`; nothing is thrown elsewhere, not even later. A body that does not end as
 * announced rejects too, and never counts as complete.
 *
 * Adds no Origin, no cookie, no credential. Follows no redirect, but gives it as a Response with
 * its status. Leaves out a header field that `Headers` cannot hold. A status outside of 200 to 599
 * is a failure, and so is 407, which only proxies send.
 *
 * A request other than GET or HEAD arrives at most once. It may arrive twice only if the server has
 * said, by its protocol, that it did nothing with the first one: 421 (RFC 9110 §15.5.20),
 * REFUSED_STREAM, HTTP_1_1_REQUIRED, and streams above the last one of a GOAWAY (RFC 9113 §7,
 * §8.7).
 *
 * Obeys `signal`, also during the body; sends nothing afterwards. Takes no more of a body than is
 * read. The caller must read the body to its end, cancel it, or abort: until then the exchange
 * holds its connection.
 */
export interface Network {
  fetch(url: string, init: NetworkRequest): Promise<Response>;
}

export interface NetworkRequest {
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body?: string;
  readonly signal: AbortSignal;
}

/**
 * One HTTP exchange with an API, as `Network` otherwise does it. API requests share connections, so
 * Chromium may repeat one on a connection that the server has just closed (RFC 9110 §9.2.2); one
 * whose body is a stream is never repeated. A redirect is a Response without body whose `location`
 * is the absolute URL to which it leads.
 *
 * Reads no more of a streamed body than the server takes. If that stream fails, rejects with its
 * reason. Cancels it when the exchange ends before.
 */
export interface ApiNetwork {
  fetch(url: string, init: ApiNetworkRequest): Promise<Response>;
}

export interface ApiNetworkRequest {
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body?: Uint8Array | ReadableStream<Uint8Array>;
  readonly signal: AbortSignal;
  /** True: sends and keeps the cookies of API requests, which no page sees. */
  readonly cookies: boolean;
}

/**
 * `busy`: another holder does not release it. `unavailable`: this system has no lock at all.
 * `given-up`: the caller stopped waiting. `detail` is for the log.
 */
export type Held<T> =
  | { readonly held: true; readonly value: T }
  | {
      readonly held: false;
      readonly reason: 'busy' | 'unavailable' | 'given-up';
      readonly detail: string;
    };

/**
 * For work that only one process at a time may do, such as a renewal with a refresh token that
 * works only once.
 */
export interface Lock {
  /**
   * Runs `run` while nothing else holds `name`: no other process of this user on this computer, and
   * no other call in this process. Waits for at most `limitMs`, even for a holder that is stopped
   * and never continues. If the lock is not held, `run` has not been called. The lock is free again
   * as soon as `run` settles, and at once when the holder crashes, is killed or loses power; no
   * clean-up is needed. The order among processes is not defined. Rejects only with what `run`
   * throws. A call from inside `run` for the same name waits until its limit. Once `giveUp` is
   * aborted, no call waits and no timer is left: a waiting call is `given-up` at once, and a later
   * call holds the name only if it is free. Work that has begun is not interrupted.
   */
  hold<T>(
    name: string,
    limitMs: number,
    run: () => Promise<T>,
    giveUp?: AbortSignal,
  ): Promise<Held<T>>;
}

/** `resume` and `unlock`: the person is back at the computer. `online`: the network came back. */
export type SystemEvent = 'resume' | 'unlock' | 'online';

/** Signals of the operating system that a timer cannot know. */
export interface SystemEvents {
  /**
   * The engine calls it once, at any time; signals come when the app is ready. An error that the
   * listener throws has no effect.
   */
  listen(listener: (signal: SystemEvent) => void): void;
  /**
   * True while something waits for the network: only then may it be watched, because that costs
   * wake-ups. The last call counts, even one before the app is ready. `online` is sent when the
   * network was lost while it was watched, and is back.
   */
  watchNetwork(wanted: boolean): void;
  /**
   * Ends everything and leaves no timer and no listener. No signal comes afterwards, whatever is
   * called.
   */
  stop(): void;
}

/** Tells the host what happened: one event of the closed list in event-list.ts. Never throws. */
export interface Log {
  write(event: LogEvent): void;
}

/**
 * What a developer can do about an error; null when nothing is known about it. Never throws, and
 * passes on no text from outside.
 */
export type Advise = (error: AuthError) => AdviceView | null;

/** Everything the engine needs from outside, wired in index.ts. */
export interface Ports {
  readonly secrets: SecretStore;
  readonly state: StateStore;
  /** Without it, every start asks the provider. */
  readonly metadata?: MetadataFile | undefined;
  readonly browser: Browser;
  readonly callbacks: Readonly<Record<CallbackKind, Callbacks>>;
  readonly clock: Clock;
  readonly network: Network;
  readonly lock: Lock;
  readonly systemEvents: SystemEvents;
  readonly log: Log;
  /** Called at most once, at the first error that may have advice. Without it, errors have none. */
  readonly loadAdvice?: (() => Promise<Advise>) | undefined;
  /** In development: why a sign-in failed, and the command that tells more, each on one line. */
  readonly explain?:
    ((error: AuthError) => Promise<{ readonly detail: string; readonly hint: string }>) | undefined;
  /** Only if the host names some. */
  readonly legacyEntries?: LegacyEntries;
}

/** What a session's record says about the metadata that it was last used with. */
export interface MetadataMark {
  /** Digest of the content of the file. */
  readonly digest: string;
  /** Milliseconds since 1970. The metadata is fresh for `freshMs` from then on. */
  readonly fetchedAt: number;
  readonly freshMs: number;
}
