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
  /**
   * A record holds 65,536 bytes. What can be had again, as an access token, must not push the
   * refresh token out.
   */
  recordMemberBytes: 24_576,
  /**
   * Electron keeps a session for as long as the process lives; a person's accounts seldom renew
   * more than this at once.
   */
  networkSessions: 8,
  /** Each open attempt holds a listener and a verifier; a person has no more tabs in mind. */
  openAttempts: 4,
  /**
   * Any program that reaches a loopback port can send callbacks without end; a log of them has an
   * end.
   */
  strangeCallbacksLogged: 100,
  /**
   * The longest `attemptTimeoutSeconds`: no callback waits longer for a keyring, whatever the
   * calendar does meanwhile.
   */
  attemptMaxMs: 3_600_000,
  /**
   * A keyring that is slow to keep an attempt must not hold up the browser; a kill within that time
   * loses the attempt.
   */
  keepBeforeBrowserMs: 500,
  /** RFC 8628 §3.2: how often to ask when the provider does not say. */
  devicePollMs: 5_000,
  /** RFC 8628 §3.5: what each `slow_down` adds. */
  deviceSlowDownMs: 5_000,
  /**
   * Failures double the pause between questions up to this; the person waits for the app to notice.
   */
  devicePollMaxMs: 60_000,
  /** Google's codes live 30 minutes; who has not typed one by then has left. */
  deviceCodeMaxMs: 1_800_000,
  /**
   * A keyring's password dialog needs a person; after this the view says so while the call goes on.
   */
  keyringSlowMs: 2_500,
  /** A dialog that nobody answers: the worker is ended, and `retry()` asks again. */
  keyringTimeoutMs: 120_000,
  /** A keyring that takes longer to store is treated as "not remembered" until it answers. */
  keyringWriteSlowMs: 5_000,
  /** A claim is one read and one removal; who waits longer has met a keyring's dialog. */
  claimWaitMs: 5_000,
  /**
   * What a renewal may take beyond its exchanges and its calls of the keyring, on a computer that
   * is busy.
   */
  renewalSlackMs: 2_000,
  /** Long enough to store a token that has just arrived, short enough for an app that quits. */
  stopMs: 2_500,
  /**
   * How often storing is tried again while no keyring takes the session; besides every renewal and
   * wake-up.
   */
  storeRetryMs: 300_000,
  /**
   * How soon the state file is read again while it cannot be: a scanner that holds it is done by
   * then.
   */
  stateRetryMs: 10_000,
  /** Without `max-age` metadata counts as fresh for this long; it changes once in years. */
  metadataFreshMs: 3_600_000,
  /** Entra says a day; a longer time counts as a day. */
  metadataFreshMaxMs: 86_400_000,
  /** Metadata of an app that was not opened for a week is fetched again before it is used. */
  metadataMaxMs: 604_800_000,
  /**
   * Clocks of laptops are off by this much without anyone noticing (OpenID Connect Core §3.1.3.7
   * allows a leeway).
   */
  clockToleranceSeconds: 60,
  /**
   * Two clocks this near to each other agree: a clock nobody looks after is off by minutes, one
   * that misleads by hours.
   */
  clockAgreementSeconds: 900,
  /**
   * A `Date` that is more than a day from all other clocks is a mistake, such as 1970: it judges
   * nothing.
   */
  dateOffMaxMs: 86_400_000,
  /**
   * As long as the OAuth engine keeps a key set: who is longer in the browser is back to keys that
   * are asked for again.
   */
  jwksPrefetchMaxMs: 300_000,
  /**
   * A token that is over as it comes is renewed by itself no sooner; a caller gets a new one each
   * second.
   */
  zeroLifetimePauseMs: 60_000,
  /** First pause after a failed renewal; doubled each time. */
  retryBaseMs: 2_000,
  /**
   * Keycloak ends a session that is idle for 30 minutes; an idle app must be back before
   * (docs/scaling.md).
   */
  retryMaxMs: 1_200_000,
  /** What the next try may take before the token is over. */
  retryReserveMs: 10_000,
  /**
   * A refusal in odd words counts again only after this: a provider that is being deployed must not
   * sign a fleet out.
   */
  refusalPauseMs: 30_000,
  /** An app talks to a few APIs; a key that changes with each call must not fill the memory. */
  tokenTargets: 64,
  /**
   * A token that an API refuses so soon after it came is not mended by another one; a caller in a
   * loop must not make a renewal of each turn.
   */
  refusedYoungMs: 5_000,
  /**
   * A person who waits for an answer gives up after a minute; a quarter more or less keeps a fleet
   * apart.
   */
  retryEarlyMaxMs: 60_000,
  /** A server may ask for patience, but not for ever. */
  retryAfterMaxMs: 3_600_000,
  /** Without `expires_in` (RFC 6749 §5.1 only recommends it) a token is taken to live this long. */
  assumedLifetimeSeconds: 3_600,
  /** A year: longer lifetimes are taken for a unit mistake and cut. */
  lifetimeMaxSeconds: 31_536_000,
  /** Registering a scheme may take 10 s, and asking before who owns it as long. */
  diagnosisStepMs: 25_000,
  /**
   * From the question to the operating system until the URL is back: a second start of the app, on
   * a desktop under load.
   */
  probeMs: 20_000,
  /**
   * The keychain's process starts in a second or two, on a loaded computer in more; after this a
   * dialog must be open.
   */
  diagnosisKeyringMs: 10_000,
  /** setTimeout overflows past 2^31 ms; a longer wait is made of shorter ones. */
  timerMaxMs: 3_600_000,
} as const;
