// Migrates the session of an earlier version of the host's app: proves its refresh token, stores it
// as a session, then removes the old entry. After a kill at any moment, the next start continues
// with the newest stored token. May not sign a person out, and may remove nothing before its
// successor is in the keychain.
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
import type { PersonFacts, TokenSet } from '../base/tokens.js';
import {
  type MigrationRecord,
  accountOf,
  keptFacts,
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
   * Begins if there may be something to migrate: nobody was ever signed in, or an earlier try was
   * interrupted. Call it first.
   */
  begin(): void;
  /**
   * Resolves when it is known that the migration is done, that there is nothing to migrate, or that
   * it has to wait. Resolves at once when nothing was begun.
   */
  firstWord(): Promise<void>;
  /**
   * True while there is a token that belongs to no session yet: no other account may be restored in
   * the meantime.
   */
  isUnderWay(): boolean;
  /** True: the migration continues when the network comes back. */
  waitsForNetwork(): boolean;
  /**
   * Tries again now. `keyringToo`: the person has just unlocked the keyring, or asks for it; only
   * then the keyring is asked again, even one that had nothing, because a locked keyring whose
   * dialog cannot open answers the same.
   */
  tryAgain(keyringToo: boolean): void;
  /**
   * The person has signed in otherwise, or has signed out: what is not stored by now is never
   * stored.
   */
  cancel(): void;
  /** Resolves when the migration has made a session, or will make none any more. */
  settled(): Promise<void>;
  /** Begins no try any more; resolves when the running one is done and stored. */
  stop(): Promise<void>;
}

/**
 * Where the migration reports. `tell`: the error for the person (null: none any more). `taken`:
 * this account has a record now.
 */
export interface MigrationEvents {
  tell(error: AuthError | null): void;
  taken(account: AccountView): void;
}

export interface MigrationParts {
  /** Undefined: nothing can be migrated. */
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
/** Old digests are dropped: a host has few earlier versions. */
const TRIED_MAX = 32;
/** In place of a digest: no entry is tried any more. */
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
   * The newest state of the record that is being proved. In memory, because the keychain may have
   * refused to store it.
   */
  let current: MigrationRecord | null = null;
  /** When the provider itself first refused, but not finally. */
  let refusedAt: number | null = null;
  let running: Promise<void> | null = null;
  /** The session is stored: only the clean-up is left. */
  let isDone = false;
  let cancelled = false;
  let stopped = false;
  let waitsFor: 'keyring' | 'network' | 'time' | null = null;
  /** `tryAgain` was called during a try: what that try has found may be out of date. */
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
    // If another issuer or client was used before, the legacy session may belong to it, so it is
    // sent to no issuer.
    const isNew =
      accounts.length === 0 &&
      !storedState.knowsOthers() &&
      indexes.length > 0 &&
      !tried.includes(ALL);
    // If only the clean-up is left, nothing needs to wait for it.
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
            'another process of this app is migrating the earlier session and does not finish',
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
   * A keyring is asked again when the person has unlocked it, and not by a timer: each read might
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
    // Other processes may have written the file in the meantime.
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
      // The last try was interrupted after it had stored the session.
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
      // Before anything is written: most failures happen here, because there is no network.
      await client.prepare();
    } catch (thrown) {
      return { state: 'waits', entry, error: toAuthError(thrown) };
    }
    // The file comes first: a record that it does not name would stay for ever. And both come
    // before the token is rotated: if the new token could not be stored, it must not be requested.
    if (!(await setStage('proving')))
      return {
        state: 'waits',
        entry,
        error: new AuthError(
          'storage-failed',
          'the state file, which leads to the earlier session, could not be written',
        ),
      };
    const stored = await secrets.write(await keyOf(), JSON.stringify(record));
    if (stored.state !== 'done') return withheld(stored, entry);
    return prove(record, entry);
  }

  async function prove(record: MigrationRecord, entry: number): Promise<Outcome> {
    let account: AccountView;
    let facts: PersonFacts;
    let tokens: TokenSet;
    current = record;
    // If the end of the app interrupted a request, the rotated token could be lost.
    if (stopped) return OVER;
    try {
      const renewed = await client.renewLegacy(record.refreshToken, record.scope);
      tokens = renewed.tokens;
      current = { ...record, refreshToken: tokens.refreshToken ?? record.refreshToken };
      // Stored now, because `identify` may take two more exchanges. If the keyring refuses, the
      // token is still in memory.
      if (current.refreshToken !== record.refreshToken)
        await secrets.write(await keyOf(), JSON.stringify(current));
      ({ account, ...facts } = await renewed.identify());
      if (record.subject !== undefined && record.subject !== account.subject)
        throw new AuthError(
          'id-token-invalid',
          'the earlier session does not belong to the "subject" that the host expects',
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
      ...keptFacts(facts, settings.keepIdToken),
    } as const;
    let isDropped = false;
    // A sign-in or sign-out in the meantime wins.
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

  /** Only a refusal by the provider itself is final, as with every session. */
  async function judge(error: AuthError, entry: number, before: MigrationRecord): Promise<Outcome> {
    if (error.code === 'session-ended') return refuse(entry, error);
    if (error.code === 'id-token-invalid') {
      // A rotated token is used by nobody now. A token that was not rotated is still the host's.
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

  /** The session cannot be used: its entry stays as it is, and is not tried again. */
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
   * Notes this value, or all values, as tried, and removes what the migration has stored; does not
   * remove what the earlier version of the host's app left.
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
   * Removes the entry that the session was migrated from, and then the migration record. False: not
   * possible now.
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
      // If the value has changed, the earlier version was used again, and this value was not
      // migrated.
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

  /** The person need not know; the next start tries again. */
  function oweCleaning(): Outcome {
    log.write({
      level: 'warn',
      event: 'record-removal-owed',
      fields: { detail: 'the entry that an earlier session was migrated from' },
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
