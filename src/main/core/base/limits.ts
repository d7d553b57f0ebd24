// Every limit of the product, units in the names. What hosts may change is in options.ts.
// What is loaded without the engine takes its own from start-limits.ts.
import { START_LIMITS } from './start-limits.js';

/** Limits that no host needs to change. Each says why it is what it is. */
export const LIMITS = {
  ...START_LIMITS,
  /**
   * Entra sends ID tokens and errors of some 10 kB, JWKS of 30 kB; a thousandfold is an attack or a
   * mistake.
   */
  responseBytes: 1_048_576,
  /** Ten times the largest record ever seen; a keyring is not made for more. */
  recordBytes: 65_536,
  /**
   * A record holds 65,536 bytes. What can be fetched again, such as an access token, must not push
   * out the refresh token.
   */
  recordMemberBytes: 24_576,
  /**
   * Of the ID token, and again of userinfo. Entra lists at most 200 groups in a token, some 8 kB.
   * Every view carries the claims to every page.
   */
  claimsBytes: 12_288,
  /** Electron's bridge to a page refuses what is nested a thousandfold. */
  claimLevels: 16,
  /**
   * Electron keeps a session as long as the process lives. A person's accounts rarely renew more
   * than this at once.
   */
  networkSessions: 8,
  /** Requests to APIs share a session for each way out: direct, and the proxies that apps know. */
  apiSessions: 8,
  /**
   * Requests of pages that are open at once. Each holds a port and, in Chromium, its place in a
   * queue; a page in a loop must not fill the memory of main.
   */
  pageRequests: 2_000,
  /** A chunk of a body between a page and main, and the longest body that is sent whole. */
  pageRequestChunkBytes: 1_048_576,
  /** Chromium and servers take less. */
  pageRequestHeadChars: 65_536,
  /**
   * Each open attempt holds a listener and a verifier. A person does not keep more tabs in mind.
   */
  openAttempts: 4,
  /**
   * Any program that reaches a loopback port can send endless callbacks. The log must not grow with
   * them.
   */
  strangeCallbacksLogged: 100,
  /**
   * Windows opens at most 2,081 characters. A longer URL is pushed to the provider, or the browser
   * gets it from a page on loopback.
   */
  openedUrlLength: 2_000,
  /**
   * The longest `attemptTimeoutSeconds`. No callback waits longer for a keyring, even if the clock
   * is changed meanwhile.
   */
  attemptMaxMs: 3_600_000,
  /**
   * A keyring that stores an attempt slowly must not delay the browser. A kill within that time
   * loses the attempt.
   */
  keepBeforeBrowserMs: 500,
  /** RFC 8628 §3.2: the interval if the provider names none. */
  devicePollMs: 5_000,
  /** RFC 8628 §3.5: each `slow_down` adds this. */
  deviceSlowDownMs: 5_000,
  /**
   * Failures double the pause between requests up to this. The person waits for the app to notice.
   */
  devicePollMaxMs: 60_000,
  /** Google's codes live 30 minutes. A person who has not typed one by then has left. */
  deviceCodeMaxMs: 1_800_000,
  /**
   * A keyring's password dialog needs a person. After this time the view says so, and the call goes
   * on.
   */
  keyringSlowMs: 2_500,
  /** Nobody answers the dialog: Latchkey ends the worker, and `retry()` asks again. */
  keyringTimeoutMs: 120_000,
  /**
   * If a keyring takes longer to store, the session counts as "not remembered" until it answers.
   */
  keyringWriteSlowMs: 5_000,
  /** A claim is one read and one removal. A longer wait means that a keyring shows a dialog. */
  claimWaitMs: 5_000,
  /** The extra time of a renewal on a busy computer, beyond its exchanges and its keyring calls. */
  renewalSlackMs: 2_000,
  /** Long enough to store a token that has just arrived, short enough for an app that quits. */
  stopMs: 2_500,
  /**
   * How often Latchkey tries again to store a session that no keyring has taken. It also tries at
   * every renewal and wake-up.
   */
  storeRetryMs: 300_000,
  /**
   * How soon an unreadable state file is read again. A virus scanner that holds it is done by then.
   */
  stateRetryMs: 10_000,
  /** Without `max-age`, metadata counts as fresh for this long. It changes once in years. */
  metadataFreshMs: 3_600_000,
  /** Entra says a day. A longer time counts as a day. */
  metadataFreshMaxMs: 86_400_000,
  /** If an app was not opened for a week, its metadata is fetched again before use. */
  metadataMaxMs: 604_800_000,
  /**
   * Laptop clocks are off by this much without anyone noticing (OpenID Connect Core §3.1.3.7 allows
   * a leeway).
   */
  clockToleranceSeconds: 60,
  /**
   * Two clocks this close to each other agree. A neglected clock is off by minutes, a misleading
   * one by hours.
   */
  clockAgreementSeconds: 900,
  /**
   * A `Date` header more than a day from all other clocks is a mistake, such as 1970. It decides
   * nothing.
   */
  dateOffMaxMs: 86_400_000,
  /**
   * The OAuth engine keeps a key set this long. If a person stays longer in the browser, the keys
   * are fetched again.
   */
  jwksPrefetchMaxMs: 300_000,
  /**
   * A provider signs with one key and announces the next. Without `kid`, each that fits is tried; a
   * key set of thousands must not cost thousands of signature checks.
   */
  keysTried: 16,
  /**
   * If a token is already expired when it arrives, Latchkey renews it on its own no sooner than
   * this. A caller can get a new one each second.
   */
  zeroLifetimePauseMs: 60_000,
  /** The first pause after a failed renewal. It doubles each time. */
  retryBaseMs: 2_000,
  /**
   * Keycloak ends a session that is idle for 30 minutes. An idle app must renew before that
   * (docs/scaling.md).
   */
  retryMaxMs: 1_200_000,
  /** The time that the next try may take before the token expires. */
  retryReserveMs: 10_000,
  /**
   * An unusual refusal counts again only after this. A provider in the middle of a deployment must
   * not sign out a fleet.
   */
  refusalPauseMs: 30_000,
  /** An app talks to a few APIs. A key that changes with each call must not fill the memory. */
  tokenTargets: 64,
  /**
   * What the person was asked in vain is not asked again so soon: an app that polls must not open a
   * browser each time.
   */
  stepUpPauseMs: 300_000,
  /**
   * If an API refuses a token this soon after it arrived, another token does not help. A caller in
   * a loop must not cause a renewal each time.
   */
  refusedYoungMs: 5_000,
  /**
   * A person who waits for an answer gives up after a minute. A quarter more or less spreads a
   * fleet.
   */
  retryEarlyMaxMs: 60_000,
  /** A server may ask clients to wait, but not for ever. */
  retryAfterMaxMs: 3_600_000,
  /** Without `expires_in` (RFC 6749 §5.1 only recommends it), Latchkey assumes this lifetime. */
  assumedLifetimeSeconds: 3_600,
  /** A year. A longer lifetime is probably a mistaken unit and is cut. */
  lifetimeMaxSeconds: 31_536_000,
  /** Registering a scheme may take 10 s, and finding its owner before that another 10 s. */
  diagnosisStepMs: 25_000,
  /**
   * From opening the URL until it is back: this includes a second start of the app, on a desktop
   * under load.
   */
  probeMs: 20_000,
  /**
   * The keychain's process starts in a second or two, on a loaded computer more slowly. After this
   * time a dialog must be open.
   */
  diagnosisKeyringMs: 10_000,
  /**
   * How long after the sign-out a token that the provider was not told of is kept to tell it. Entra
   * keeps an unused refresh token 90 days; hardly any provider keeps one longer.
   */
  revocationMaxMs: 7_776_000_000,
  /**
   * How many such tokens are kept. More people do not sign out while a provider is out of reach.
   */
  revocationsOwed: 20,
  /** setTimeout overflows past 2^31 ms. A longer wait is made of shorter ones. */
  timerMaxMs: 3_600_000,
} as const;
