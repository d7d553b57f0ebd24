// What the core asks of the world. Types only: each adapter implements one of these.
// Each doc comment is an obligation that test/contract proves on the fake and on the real adapter.
import type { AdviceView, SecretStoreKind } from '../../../contract.js';
import type { AuthError } from './errors.js';
import type { LogEvent } from './events.js';

export type { LogEvent } from './events.js';

/**
 * The answer to a read. `absent` is only said when the store surely works and surely has no such
 * entry; a locked keyring that answers "nothing" is `locked`. Reading never changes or deletes
 * anything.
 */
export type SecretReading =
  | { readonly state: 'found'; readonly value: string }
  | { readonly state: 'absent' }
  | { readonly state: 'locked'; readonly detail: string }
  | { readonly state: 'unavailable'; readonly detail: string };

/** The answer to a write or removal. `detail` is for the log and never holds a value. */
export type SecretOutcome =
  | { readonly state: 'done' }
  | { readonly state: 'locked'; readonly detail: string }
  | { readonly state: 'unavailable'; readonly detail: string };

/**
 * The keychain. Every call ends within the store's own time limit, never throws, and calls on one
 * key run in the order they were made. `write` is `done` only when the value was read back and is
 * the same.
 */
export interface SecretStore {
  /**
   * `expected`: the caller remembers having written it, so "nothing there" must be doubted.
   * Without it a locked keyring that says "nothing" is believed (`absent`): the next write tells.
   */
  read(key: string, expected: boolean): Promise<SecretReading>;
  write(key: string, value: string): Promise<SecretOutcome>;
  /** Removing what is not there is `done`. */
  remove(key: string): Promise<SecretOutcome>;
  /**
   * Where the value of this key was found or written last, for the view. Without it: the keychain.
   */
  readonly storeOf?: (key: string) => SecretStoreKind;
  /** Ends the worker at once, whatever it is doing. Later calls answer `unavailable`. */
  close(): void;
}

/**
 * A store of encrypted files. That a file is missing is sure without the key: then `read` is
 * `absent`. `remove` needs no key either.
 */
export interface SealedStore extends SecretStore {
  /**
   * Whether something is stored, readable or not. True also when the disk does not tell. Asks for
   * no key.
   */
  has(key: string): Promise<boolean>;
}

/**
 * What earlier versions of the host's app left, by the place in the option "migrateFrom". Every call
 * is bounded and never throws.
 */
export interface LegacyEntries {
  /**
   * The value exactly as the earlier version wrote it. `absent` is no proof here: a locked keyring
   * may say it, too, and nothing is known of what should be there. Reading changes nothing.
   */
  read(index: number): Promise<SecretReading>;
  /** Removing what is not there, or what can only be read, is `done`. */
  remove(index: number): Promise<SecretOutcome>;
}

/** Not secret: which accounts are known. Kept in a file, in plain form. */
export interface StateFileContent {
  readonly schemaVersion: 1;
  readonly lastAccountId: string | null;
  readonly accounts: readonly KnownAccount[];
  /**
   * Attempts whose record the keychain should hold; the id is a digest of the state and tells
   * nothing.
   */
  readonly attempts: readonly KnownAttempt[];
  readonly takeOver: KnownMigration;
}

/** How far the sessions of earlier versions were taken over. */
export interface KnownMigration {
  /**
   * `proving`: the keychain holds a token that belongs to no session yet. `cleaning`: the session
   * is stored, and what it came from is to be removed.
   */
  readonly stage: 'none' | 'proving' | 'cleaning';
  /** Whose it is; missing while there is none, and in files of earlier builds. */
  readonly issuer?: string;
  readonly clientId?: string;
  /**
   * Digests of earlier values that the provider refused for good: they are not tried again. A
   * digest tells nothing.
   */
  readonly tried: readonly string[];
}

export interface KnownAttempt {
  readonly id: string;
  readonly expiresAt: number;
  /**
   * Some process has its callback and will post its code; nobody else may. Its record is removed at
   * the next chance.
   */
  readonly claimed?: true;
  /** For whom it was kept; missing in files of earlier builds. */
  readonly issuer?: string;
  readonly clientId?: string;
}

/** One account that was signed in at some time, and what the keychain should hold of it. */
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
   * chance. `suspended`: the provider refused the session in no final words; the next start asks
   * once more. `refused`: the provider ended the session; the record is left alone until the person
   * signs in again.
   */
  readonly record: 'kept' | 'none' | 'removal-owed' | 'suspended' | 'refused';
  /** The client id that it is signed in with; missing in files of earlier builds. */
  readonly clientId?: string;
  /** The last one of its issuer and client id. Else missing. */
  readonly last?: true;
  /**
   * Its record has the client's own entry in the keychain, for another client has that of the
   * account. Else missing.
   */
  readonly apart?: true;
}

/**
 * The state file, with a second copy of it. What could not be read is neither written over nor set
 * aside.
 */
export interface StateStore {
  /**
   * The same text for all who share the file, whatever their client id; only its digest is used.
   */
  readonly name?: string;
  /**
   * Null only when surely nothing is there that could be used: no file, or a damaged one without a
   * whole copy. Rejects in bounded time when something is there, or may be, that cannot be read
   * now; the error's `code` is for the log.
   */
  load(): Promise<unknown>;
  /**
   * False: what `load` gave last should be saved again, for one of both copies is missing, damaged
   * or old. Default: true.
   */
  isWhole?(): boolean;
  /**
   * Written whole or not at all. Rejects when the disk refuses, and while the file is there and
   * cannot be read.
   */
  save(state: StateFileContent): Promise<void>;
}

/**
 * What a provider publishes to everybody (OpenID Connect Discovery §3, RFC 8414 §2); only the
 * members that are used.
 */
export interface KeptMetadata {
  readonly schemaVersion: 1;
  readonly published: Readonly<Record<string, unknown>>;
}

/**
 * A file for the provider's metadata, beside the state file. Never rejects: `load` is null, `save`
 * does nothing, when the disk refuses.
 */
export interface MetadataFile {
  load(): Promise<unknown>;
  /** Written whole or not at all. */
  save(content: KeptMetadata): Promise<void>;
}

/** The system browser. Resolving proves nothing: the operating system seldom tells. */
export interface Browser {
  /**
   * Hands on the URL as the URL Standard writes it. Only `https:` and `http:` without user name and
   * password, and only what the system can take in one piece: else rejects with `browser-failed`,
   * and nothing was opened. Rejects so, too, when it surely failed. Never throws at once, and no
   * error repeats the URL.
   */
  open(url: string): Promise<void>;
}

/**
 * What the person is told at the end of a trip, on the page that the browser shows (loopback only).
 */
export type AttemptOutcome = 'signed-in' | 'denied' | 'failed' | 'not-expected';

/** The redirects that the browser follows into the app by itself; each has an adapter. */
export type CallbackKind = 'custom-scheme' | 'loopback';

/** A way back that is open and waiting. */
export interface OpenRedirect {
  readonly kind: CallbackKind;
  /** The exact `redirect_uri` of this attempt (RFC 6749 §4.1.1). */
  readonly redirectUri: string;
  /**
   * Ends it; idempotent. A loopback server first shows the outcome to the browser that is waiting
   * for it.
   */
  close(outcome: AttemptOutcome): void;
}

export type PreparedRedirect =
  | { readonly state: 'ready'; readonly redirect: OpenRedirect }
  /** This redirect cannot work here; `detail` says why, for the log and the error text. */
  | { readonly state: 'unavailable'; readonly detail: string };

/**
 * What the engine says at once to a callback: `taken`, it belongs to an open attempt, whose `close`
 * will tell the outcome; `foreign`, it belongs to none, changed nothing, and whoever brought it is
 * told so without waiting.
 */
export type CallbackVerdict = 'taken' | 'foreign';

/** One kind of way back into the app. A URL that arrives goes to `onCallback`, whatever it says. */
export interface Callbacks {
  /** Opens a redirect of this kind. Bounded in time; never throws. */
  prepare(redirect: RedirectOption): Promise<PreparedRedirect>;
  /**
   * Set once by the engine, before anything is prepared. URLs that came earlier are delivered then.
   */
  onCallback(listener: (callbackUrl: string) => CallbackVerdict): void;
  /** Closes everything that is open, at once. */
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
   * `uri` is the entry, `redirectUri` what is registered: a page that shows the code, or leaves it
   * in its address.
   */
  | { readonly kind: 'paste'; readonly uri: string; readonly redirectUri: string };

/** Wall clock in milliseconds, and timers that may fire late but never early. */
export interface Clock {
  now(): number;
  /**
   * Milliseconds since some moment before. Nobody sets it; it may stand still while the computer
   * sleeps.
   */
  elapsed(): number;
  /**
   * Returns the way to cancel, which may be called at any time and more than once. `delayMs` may be
   * any number: of less than nothing it is 0, and a timer of Infinity or NaN never fires. Never
   * runs before it has returned.
   */
  after(delayMs: number, run: () => void): () => void;
}

/**
 * Why an exchange gave no answer. `client-certificate`: the server asks for one, and there is none
 * to give. `proxy-password`: a proxy asks for one. `proxy`: the proxy does not answer, refuses, or
 * is set wrongly. `certificate`: the server's is refused. `cut-off`: the answer had begun and did
 * not come to its end. `status`: it came with a number that HTTP does not have. `unreachable`:
 * everything else.
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
 * What `Network.fetch` and the body of its answer reject with. `message` is a code of the network,
 * such as `net::ERR_FAILED`.
 */
export interface NetworkFailure extends Error {
  readonly trouble: NetworkTrouble;
  /** With `status` only. */
  readonly status?: number;
}

/**
 * One HTTP exchange. Whatever the server sends: a Response, or a rejection with a `NetworkFailure`;
 * nothing is thrown elsewhere, also not later. A body that does not end as it was announced
 * rejects, too, and is never taken for whole.
 *
 * Adds no Origin, no cookie, no credential. Follows no redirect: one is a Response with its status.
 * A header field that `Headers` cannot hold is left out. A status outside of 200 to 599 is a
 * failure, and so is 407, which only proxies say.
 *
 * What is not GET or HEAD arrives once at most. Twice only where the server has said, in the words
 * of its protocol, that it did nothing with the first: 421 (RFC 9110 §15.5.20), REFUSED_STREAM,
 * HTTP_1_1_REQUIRED, and streams above the last one of a GOAWAY (RFC 9113 §7, §8.7).
 *
 * Honours `signal`, also while the body comes; nothing is sent after it. Takes no more of a body
 * than is read. The caller reads the body to its end, cancels it, or aborts: until then the
 * exchange holds its connection.
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
 * `busy`: somebody holds it and does not let go. `unavailable`: this system gives no lock at all.
 * `given-up`: the caller did not want to wait any more. `detail` is for the log.
 */
export type Held<T> =
  | { readonly held: true; readonly value: T }
  | {
      readonly held: false;
      readonly reason: 'busy' | 'unavailable' | 'given-up';
      readonly detail: string;
    };

/**
 * What only one process at a time may do, such as renewing with a refresh token that works once.
 */
export interface Lock {
  /**
   * Runs `run` while nobody else holds `name`: no other process of this user on this computer, no
   * other call in this one. Waits for at most `limitMs`, also for a holder that is stopped and
   * never goes on; when it is not held, `run` has not been called. Free again as soon as `run`
   * settles, and at once when the holder crashes, is killed or loses power; nothing has to be
   * cleaned up. Who comes first is not promised among processes. Rejects only with what `run`
   * throws. A call from inside `run` for the same name waits in vain. Once `giveUp` is aborted
   * nobody waits any more, and no timer is left: who waits is `given-up` at once, and who calls
   * later holds the name only if it is free. What has begun is not cut off.
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

/** News from the operating system that a timer cannot know. */
export interface SystemEvents {
  /**
   * Set once by the engine, at any time: signals come once the app is ready. What the listener
   * throws harms nobody.
   */
  listen(listener: (signal: SystemEvent) => void): void;
  /**
   * Somebody waits for the network: only then may it be watched, for that costs wake-ups. The last
   * word counts, also one before the app is ready. `online` is told when the network was gone while
   * it was watched, and is there again.
   */
  watchNetwork(wanted: boolean): void;
  /**
   * Ends everything and leaves no timer and no listener behind. Nothing is heard afterwards,
   * whatever is called.
   */
  stop(): void;
}

/** What happened, for the host: one event of the closed list in event-list.ts. Never throws. */
export interface Log {
  write(event: LogEvent): void;
}

/**
 * What a developer can do about an error; null when nothing is known of it. Never throws, and
 * passes on no text from outside.
 */
export type Advise = (error: AuthError) => AdviceView | null;

/** Everything the engine needs from outside, wired in index.ts. */
export interface Ports {
  readonly secrets: SecretStore;
  readonly state: StateStore;
  /** Without it every start asks the provider. */
  readonly metadata?: MetadataFile | undefined;
  readonly browser: Browser;
  readonly callbacks: Readonly<Record<CallbackKind, Callbacks>>;
  readonly clock: Clock;
  readonly network: Network;
  readonly lock: Lock;
  readonly systemEvents: SystemEvents;
  readonly log: Log;
  /** Called once at most, at the first error that may have advice. Without it errors carry none. */
  readonly loadAdvice?: (() => Promise<Advise>) | undefined;
  /** Only where the host names some. */
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
