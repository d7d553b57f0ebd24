// The report that a person can send to somebody who helps them: versions, options, view, findings
// and the last log events, redacted. Pure: facts in, one object out. Options are shown by a list of
// names; whatever is not on it is only said to be there.
import type { AuthView } from '../../contract.js';
import type { Diagnosis } from './diagnosis.js';
import type { AuthEvent } from '../core/base/events.js';
import type { AuthOptions } from '../core/options/auth-options.js';
import { scrubDeep } from './redact.js';

/** `personalData`: names, e-mail address and subject of the person stay in. Ask them first. */
export interface SupportBundleOptions {
  readonly probe?: boolean;
  readonly personalData?: boolean;
}

/** An event as a bundle shows it. One that was read from a file may be of any version. */
export type BundledEvent = Omit<AuthEvent, 'event'> & { readonly event: string };

/**
 * JSON throughout. Holds no secret; without `personalData` no name, e-mail address or subject
 * either.
 */
export interface SupportBundle {
  readonly format: 'latchkey-support/1';
  /** ISO 8601, by this computer's clock. */
  readonly createdAt: string;
  readonly options: Readonly<Record<string, unknown>>;
  /** Null where no app runs. */
  readonly view: unknown;
  readonly diagnosis: Diagnosis;
  readonly events: readonly BundledEvent[];
}

export interface BundleContent {
  readonly now: number;
  readonly options: Readonly<Partial<Record<keyof AuthOptions, unknown>>>;
  readonly view: AuthView | null;
  readonly diagnosis: Diagnosis;
  readonly events: readonly BundledEvent[];
  readonly homeFolder: string | null;
}

/** Members of a view that are accounts, or lists of them. */
const ACCOUNTS = new Set(['account', 'lastAccount', 'otherAccounts']);

/** Options whose values everybody may see who sees the app's traffic. */
const SHOWN = new Set([
  'issuer',
  'clientId',
  'redirects',
  'scopes',
  'trustedOrigins',
  'attachPreload',
  'singleInstanceLock',
  'secretStore',
  'accounts',
  'claims',
  'keepIdToken',
  'resources',
  'attemptTimeoutSeconds',
  'networkTimeoutSeconds',
  'renewEarlySeconds',
  'showAdvice',
]);
/** Members of the view that say who somebody is. */
const PERSONAL = new Set(['id', 'subject', 'name', 'username', 'email', 'picture', 'claims']);

export function makeSupportBundle(
  { now, options, view, diagnosis, events, homeFolder }: BundleContent,
  { personalData = false }: SupportBundleOptions,
): SupportBundle {
  const shownView = personalData ? view : withoutPerson(view);
  return {
    format: 'latchkey-support/1',
    createdAt: new Date(now).toISOString(),
    options: redactOptions(options),
    // A scrub would take the e-mail address that was asked for.
    view: personalData ? shownView : scrubDeep(shownView, homeFolder),
    diagnosis: scrubDeep(diagnosis, homeFolder),
    events: scrubDeep(events, homeFolder),
  };
}

function redactOptions(
  options: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(
    given.map(([name, value]) => [
      name,
      SHOWN.has(name) ? value : name === 'provider' ? presetName(value) : namesIn(value),
    ]),
  );
}

/** A preset is data of Latchkey's own; its name says it all. */
function presetName(value: unknown): unknown {
  const name =
    typeof value === 'object' && value !== null ? (value as { name?: unknown }).name : undefined;
  return typeof name === 'string' ? name : 'given';
}

/** Of an object its member names, of all else only that it is there. */
function namesIn(value: unknown): unknown {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? `given: ${Object.keys(value).join(', ')}`
    : 'given';
}

function withoutPerson(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutPerson);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).map(([key, entry]) => [
    key,
    ACCOUNTS.has(key) ? withoutPersonal(entry) : withoutPerson(entry),
  ]);
  return Object.fromEntries(members);
}

function withoutPersonal(account: unknown): unknown {
  if (Array.isArray(account)) return account.map(withoutPersonal);
  if (typeof account !== 'object' || account === null) return account;
  return Object.fromEntries(Object.entries(account).filter(([key]) => !PERSONAL.has(key)));
}
