// Taking over the session of an earlier version of the host's app: prove its refresh token, store
// it as a session of ours, then remove what it came from. Killed at any moment, it goes on at the
// next start from the newest token that is stored. May not sign anybody out, and removes nothing
// whose successor is not in the keychain.
import type { AccountView } from '../../../contract.js';
import { AuthError, toAuthError } from '../base/errors.js';
import { parseLegacySession } from './legacy-session.js';
import type { StoredState } from '../storage/stored-state.js';
import { LIMITS } from '../base/limits.js';
import { withTimeout } from '../base/timeout.js';
import type { Settings } from '../options/auth-options.js';
import type {
  Clock,
  LegacyEntries,
  KnownMigration,
  Lock,
  Log,
  SecretOutcome,
  SecretStore,
} from '../base/ports.js';
import type { OAuthClient } from '../oauth/client.js';
import type { TokenSet } from '../base/tokens.js';
import {
  type MigrationRecord,
  accountOf,
  parseMigration,
  migrationKey,
} from '../storage/records.js';
import { retryDelayMs } from '../base/backoff.js';
import type { LegacySession } from '../options/migration-option.js';
import { exclusive, renewalLockWaitMs, sessionLock } from '../storage/record-lock.js';
import type { SessionReading, SessionStore } from '../storage/session-store.js';
import { digestOf } from '../base/digest.js';
import { keyringError } from '../storage/keyring-error.js';

export interface Migration {
  /**
   * Begins if there may be something to take over: nobody was ever signed in, or an earlier try was
   * cut off. Call first.
   */
  begin(): void;
  /**
   * Resolves at the first word: it is done, there is nothing, or it has to wait. At once when
   * nothing was begun.
   */
  firstWord(): Promise<void>;
  /**
   * A token of somebody is in hand and belongs to no session yet: nobody else may be restored
   * meanwhile.
   */
  isUnderWay(): boolean;
  /** It goes on when the network comes back. */
  waitsForNetwork(): boolean;
  /**
   * Does now what it waits for. A keyring is asked again only when the person has just unlocked it,
   * or wishes it; then also one that had nothing, for a locked keyring whose dialog cannot open
   * says the same.
   */
  tryAgain(keyringToo: boolean): void;
  /**
   * Somebody signed in by another way, or the user signed out: what was not stored by now never is.
   */
  cancel(): void;
  /** Resolves when no session will come of it any more, or has come. */
  settled(): Promise<void>;
  /** Begins no try any more; resolves when the one that is under way is done and stored. */
  stop(): Promise<void>;
}

/**
 * Where it reports: to the person (null: nothing is amiss any more), and that this account has a
 * record now.
 */
export interface MigrationEvents {
  tell(error: AuthError | null): void;
  taken(account: AccountView): void;
}

export interface MigrationParts {
  /** Undefined: nothing can be taken over. */
  readonly legacyEntries: LegacyEntries | undefined;
  readonly secrets: SecretStore;
  readonly storedState: StoredState;
  readonly sessionStore: SessionStore;
  readonly client: OAuthClient;
  readonly lock: Lock;
  readonly clock: Clock;
  readonly log: Log;
}

/** `over`: there is nothing more to do. `waits`: not now. `entry`: for the log. */
type Outcome =
  | { readonly state: 'over' }
  | { readonly state: 'refused' }
  | { readonly state: 'waits'; readonly entry: number; readonly error: AuthError };

type Failure = Exclude<SecretOutcome, { state: 'done' }>;

const OVER: Outcome = { state: 'over' };
/** Old digests make room: a host has few earlier versions. */
const TRIED_MAX = 32;
/** Instead of a digest: nothing is tried any more. */
const ALL = '*';

const NO_LEGACY_ENTRIES: LegacyEntries = {
  read: async () => ({ state: 'absent' }),
  remove: async () => ({ state: 'done' }),
};

export function createMigration(
  settings: Settings,
  {
    legacyEntries = NO_LEGACY_ENTRIES,
    secrets,
    storedState,
    sessionStore,
    client,
    lock,
    clock,
    log,
  }: MigrationParts,
  events: MigrationEvents,
): Migration {
  const indexes = settings.migrateFrom.map((_, index) => index);
  /**
   * The newest state of what is being proved, in memory: the keychain may have refused to take it.
   */
  let current: MigrationRecord | null = null;
  /** When the provider itself refused last, in words that are not for good. */
  let refusedAt: number | null = null;
  let running: Promise<void> | null = null;
  /** A session is stored: all that is left is to clean. */
  let isDone = false;
  let cancelled = false;
  let stopped = false;
  let waitsFor: 'keyring' | 'network' | 'time' | null = null;
  /** Asked to try again while a try was under way: what it found out may be old. */
  let again = false;
  const remember = (): void => {
    again = true;
  };
  let wake = remember;
  let speak = (): void => undefined;
  const firstWord = new Promise<void>((resolve) => {
    speak = resolve;
  });

  return {
    begin,
    firstWord: () => firstWord,
    isUnderWay: () => storedState.current().takeOver.stage === 'proving',
    waitsForNetwork: () => waitsFor === 'network',
    tryAgain(keyringToo) {
      if (keyringToo && running === null && !stopped) begin();
      else if (keyringToo || waitsFor !== 'keyring') wake();
    },
    cancel() {
      cancelled = running !== null && !isDone;
      if (cancelled) wake();
    },
    settled: async () => {
      if (!isDone) await running;
    },
    async stop() {
      stopped = true;
      wake();
      await running;
    },
  };

  function begin(): void {
    const {
      accounts,
      takeOver: { stage, tried },
    } = storedState.current();
    // Where another issuer or client was used before, the earlier session may be theirs, and is
    // sent to nobody.
    const isNew =
      accounts.length === 0 &&
      !storedState.knowsOthers() &&
      indexes.length > 0 &&
      !tried.includes(ALL);
    // What is only left to be cleaned holds up nobody.
    if (stage === 'cleaning' || (stage === 'none' && !isNew)) speak();
    if (stage === 'none' && !isNew) return;
    isDone = stage === 'cleaning';
    running = run()
      .catch((error: unknown) => {
        log.write({
          level: 'error',
          event: 'internal',
          fields: { name: error instanceof Error ? error.name : 'unknown' },
        });
      })
      .finally(() => {
        running = null;
        speak();
      });
  }

  async function run(): Promise<void> {
    for (let failures = 1; ; failures += 1) {
      const outcome = await exclusive(
        lock,
        `take-over:${settings.clientId}`,
        { ifBusy: 'give-up', waitMs: renewalLockWaitMs(settings) },
        step,
      );
      if (stopped) return;
      if (outcome === null || outcome.state === 'waits') {
        const error =
          outcome?.error ??
          new AuthError(
            'session-busy',
            'another process of this app takes over the earlier session and does not finish',
          );
        waitsFor = whatFor(error);
        log.write({
          level: 'warn',
          event: 'migration-deferred',
          fields: { entry: outcome?.entry ?? 0, code: error.code },
        });
        if (!cancelled) events.tell(error);
        speak();
        await pause(error, failures);
        if (stopped) return;
        continue;
      }
      return;
    }
  }

  /**
   * A keyring is asked again when somebody has unlocked it, and not by a timer: each time might
   * open a dialog.
   */
  async function pause(error: AuthError, failures: number): Promise<void> {
    await new Promise<void>((resolve) => {
      wake = resolve;
      if (stopped || cancelled || again) return resolve();
      if (waitsFor === 'keyring') return;
      const cancelTimer = clock.after(
        Math.max(
          retryDelayMs(failures, error.retryAfterSeconds, Math.random()),
          refusedAt === null ? 0 : LIMITS.refusalPauseMs,
        ),
        resolve,
      );
      wake = () => {
        cancelTimer();
        resolve();
      };
    });
    wake = remember;
    again = false;
    waitsFor = null;
  }

  /** One try, while no other process tries. */
  async function step(): Promise<Outcome> {
    // What other processes have written meanwhile.
    await storedState.refresh();
    const { stage } = storedState.current().takeOver;
    if (stage !== 'none' && current === null) {
      const reading = await secrets.read(await keyOf(), true);
      if (reading.state === 'locked' || reading.state === 'unavailable')
        return stage === 'cleaning' ? oweCleaning() : withheld(reading, 0);
      current = reading.state === 'found' ? parseMigration(reading.value, settings) : null;
    }
    if (cancelled) return drop(ALL);
    if (stage === 'cleaning') return (await clean()) ? OVER : oweCleaning();
    if (stage === 'proving') {
      const session = await lastSession();
      if (session?.state === 'withheld') return { state: 'waits', entry: 0, error: session.error };
      // The last try was cut off after it had stored the session.
      if (session?.state === 'record') return finish(current?.entry ?? 0, session.record.account);
      if (current === null) await setStage('none');
      else {
        const outcome = await prove(current, current.entry);
        if (outcome.state !== 'refused') return outcome;
      }
    }
    const { accounts, lastAccountId } = storedState.current();
    if (accounts.length === 0 && !storedState.knowsOthers()) return firstThatWorks();
    // Another process was faster.
    const last = accounts.find(({ id }) => id === lastAccountId);
    if (last?.record === 'kept') events.taken(accountOf(last));
    return OVER;
  }

  async function firstThatWorks(): Promise<Outcome> {
    const { tried } = storedState.current().takeOver;
    let waits: Outcome | null = null;
    for (const entry of indexes) {
      const reading = await legacyEntries.read(entry);
      if (reading.state === 'locked' || reading.state === 'unavailable')
        waits ??= withheld(reading, entry);
      if (reading.state !== 'found') continue;
      const source = await digestOf(reading.value);
      if (tried.includes(source)) continue;
      const session = await readByHost(entry, reading.value);
      if (session === null) continue;
      const outcome = await takeOver(entry, source, session);
      if (outcome.state !== 'refused') return outcome;
    }
    return waits ?? OVER;
  }

  async function takeOver(
    entry: number,
    source: string,
    { refreshToken, subject, scope = settings.scopes.join(' ') }: LegacySession,
  ): Promise<Outcome> {
    const { issuer, clientId } = settings;
    const record: MigrationRecord = {
      version: 1,
      issuer,
      clientId,
      entry,
      source,
      refreshToken,
      scope,
      ...(subject === undefined ? {} : { subject }),
    };
    try {
      // Before anything is written: most tries that fail do so here, for want of a network.
      await client.prepare();
    } catch (thrown) {
      return { state: 'waits', entry, error: toAuthError(thrown) };
    }
    // The file first: a record that it does not lead to would stay for ever. And both before the
    // token is rotated: who cannot store what comes of it must not ask for it.
    if (!(await setStage('proving')))
      return {
        state: 'waits',
        entry,
        error: new AuthError(
          'storage-failed',
          'the file that leads the next start to the earlier session could not be written',
        ),
      };
    const stored = await secrets.write(await keyOf(), JSON.stringify(record));
    if (stored.state !== 'done') return withheld(stored, entry);
    return prove(record, entry);
  }

  async function prove(record: MigrationRecord, entry: number): Promise<Outcome> {
    let account: AccountView;
    let tokens: TokenSet;
    current = record;
    // A request that is cut off by the end of the app could cost the rotated token.
    if (stopped) return OVER;
    try {
      const renewed = await client.renewLegacy(record.refreshToken, record.scope);
      tokens = renewed.tokens;
      current = { ...record, refreshToken: tokens.refreshToken ?? record.refreshToken };
      // Now: to learn who it is may take two more exchanges. A keyring that refuses leaves it in
      // memory.
      if (current.refreshToken !== record.refreshToken)
        await secrets.write(await keyOf(), JSON.stringify(current));
      account = await renewed.identify();
      if (record.subject !== undefined && record.subject !== account.subject)
        throw new AuthError(
          'id-token-invalid',
          'the earlier session is of somebody else than the host says',
        );
    } catch (thrown) {
      return judge(toAuthError(thrown), entry, record);
    }
    const { accessToken, obtainedAt, expiresAt, scope } = tokens;
    const session = {
      version: 1,
      clientId: settings.clientId,
      account,
      refreshToken: current.refreshToken,
      scope,
      savedAt: clock.now(),
      access: { token: accessToken, obtainedAt, expiresAt },
    } as const;
    let isDropped = false;
    // Somebody who has signed in meanwhile, or signed out, has the last word.
    const write = async (): Promise<AuthError | null> => {
      isDropped = cancelled;
      return isDropped ? null : sessionStore.write(session);
    };
    const name = sessionLock(settings.clientId, account.id);
    const error = await exclusive(lock, name, { ifBusy: 'go-ahead' }, write);
    if (error !== null) return { state: 'waits', entry, error };
    return isDropped ? drop(ALL) : finish(entry, account);
  }

  async function finish(entry: number, account: AccountView): Promise<Outcome> {
    isDone = true;
    await setStage('cleaning');
    events.tell(null);
    events.taken(account);
    const removed = await clean();
    if (!removed) oweCleaning();
    log.write({
      level: 'info',
      event: 'migration-done',
      fields: { entry, removed: removed && settings.migrateFrom[entry]?.keep !== true },
    });
    return OVER;
  }

  /** Only the provider's own no is for good, as with any session. */
  async function judge(error: AuthError, entry: number, before: MigrationRecord): Promise<Outcome> {
    if (error.code === 'session-ended') return refuse(entry, error);
    if (error.code === 'id-token-invalid') {
      // What the server rotated belongs to nobody now. What it did not rotate is still the host's.
      if (current !== null && current.refreshToken !== before.refreshToken)
        void client.revoke(current.refreshToken).catch(() => undefined);
      return refuse(entry, error);
    }
    if (error.code === 'sign-in-refused' && (await client.isOwnWord(error))) {
      const again =
        refusedAt !== null && Math.abs(clock.now() - refusedAt) >= LIMITS.refusalPauseMs;
      if (again) return refuse(entry, error);
      refusedAt ??= clock.now();
    }
    return { state: 'waits', entry, error };
  }

  /** It is of no use: its entry is left as it is, and not tried again. */
  async function refuse(entry: number, error: AuthError): Promise<Outcome> {
    log.write({
      level: 'warn',
      event: 'migration-refused',
      fields: { entry, code: error.code, detail: error.message },
    });
    await drop(current?.source ?? '');
    refusedAt = null;
    if (!cancelled) events.tell(error);
    return { state: 'refused' };
  }

  /**
   * Notes it as tried, or all, and removes what was stored on the way; not what the host's earlier
   * version left.
   */
  async function drop(tried: string): Promise<Outcome> {
    await storedState.update((state) => ({
      ...state,
      takeOver: {
        stage: state.takeOver.stage === 'none' ? 'none' : 'cleaning',
        tried: [...state.takeOver.tried, tried].slice(-TRIED_MAX),
      },
    }));
    if (storedState.current().takeOver.stage === 'cleaning')
      return (await forget()) ? OVER : oweCleaning();
    return OVER;
  }

  /**
   * Removes what a session was taken over from, and then the record that knew of it. False: not
   * now.
   */
  async function clean(): Promise<boolean> {
    const { tried } = storedState.current().takeOver;
    let isClean = true;
    for (const entry of indexes) {
      if (
        settings.migrateFrom[entry]?.keep === true ||
        current === null ||
        tried.includes(ALL) ||
        tried.includes(current.source)
      )
        continue;
      const reading = await legacyEntries.read(entry);
      if (reading.state === 'locked' || reading.state === 'unavailable') isClean = false;
      // Something else by now: the earlier version was used again, and that is not what was taken
      // over.
      if (reading.state !== 'found' || (await digestOf(reading.value)) !== current.source) continue;
      if ((await legacyEntries.remove(entry)).state !== 'done') isClean = false;
    }
    return isClean && forget();
  }

  async function forget(): Promise<boolean> {
    current = null;
    return (await secrets.remove(await keyOf())).state === 'done' && setStage('none');
  }

  async function lastSession(): Promise<SessionReading | null> {
    const { accounts, lastAccountId } = storedState.current();
    const last = accounts.find(({ id, record }) => id === lastAccountId && record === 'kept');
    return last === undefined ? null : sessionStore.read(accountOf(last));
  }

  async function readByHost(entry: number, value: string): Promise<LegacySession | null> {
    let detail = 'option "migrateFrom": "read" found no session in it';
    try {
      const read = (async () => settings.migrateFrom[entry]?.read(value))();
      const session = parseLegacySession(await withTimeout(clock, read, LIMITS.claimWaitMs));
      if (session !== null) return session;
    } catch (thrown) {
      detail = `option "migrateFrom": "read" failed (${thrown instanceof Error ? thrown.name : typeof thrown})`;
    }
    log.write({ level: 'warn', event: 'migration-refused', fields: { entry, code: null, detail } });
    return null;
  }

  function withheld(failure: Failure, entry: number): Outcome {
    const { state, detail } = failure;
    log.write({ level: 'warn', event: `keyring-${state}`, fields: { detail } });
    return { state: 'waits', entry, error: keyringError(failure, 'earlier session') };
  }

  /** Nobody has to know, and the next start tries again. */
  function oweCleaning(): Outcome {
    log.write({
      level: 'warn',
      event: 'record-removal-owed',
      fields: { detail: 'what an earlier session was taken over from' },
    });
    return OVER;
  }

  function setStage(stage: KnownMigration['stage']): Promise<boolean> {
    return storedState.update((state) => ({ ...state, takeOver: { ...state.takeOver, stage } }));
  }

  async function keyOf(): Promise<string> {
    return migrationKey(await digestOf(`${settings.issuer}\u0000${settings.clientId}`));
  }
}

function whatFor({ code }: AuthError): 'keyring' | 'network' | 'time' {
  if (code.startsWith('keyring-') || code === 'storage-failed') return 'keyring';
  return code.startsWith('network-') ? 'network' : 'time';
}
