// Who owns an entry of the state file: each owner, an issuer with a client id, sees its own part
// and changes nothing else. Pure. May not drop what belongs to another owner: a host that returns
// to an earlier issuer finds everything unchanged.
import { fillsTemplate } from '../options/issuer-template.js';
import type { IssuerTemplate } from '../options/provider-preset.js';
import type { KnownAccount, StateFileContent } from '../base/ports.js';

export interface Owner {
  readonly issuer: string;
  readonly clientId: string;
  /** If one address serves many issuers, an account may belong to any of them. */
  readonly template?: IssuerTemplate | null;
}

interface Stamped {
  readonly issuer?: string;
  readonly clientId?: string;
}

export function ownerOf(settings: {
  readonly issuer: string;
  readonly clientId: string;
  readonly provider: { readonly issuerTemplate: IssuerTemplate | null } | null;
}): Owner {
  return {
    issuer: settings.issuer,
    clientId: settings.clientId,
    template: settings.provider?.issuerTemplate ?? null,
  };
}

/** An earlier build wrote entries without a client id: the record says which client owns them. */
export function isOwnAccount(
  owner: Owner,
  { issuer, clientId }: Pick<KnownAccount, 'issuer' | 'clientId'>,
): boolean {
  const { template = null } = owner;
  const isOwnIssuer =
    issuer === owner.issuer || (template !== null && fillsTemplate(template, issuer));
  return isOwnIssuer && (clientId === undefined || clientId === owner.clientId);
}

/** What an earlier build left without an owner counts as own, because it lives only for minutes. */
function isOwn(
  owner: Owner,
  { issuer = owner.issuer, clientId = owner.clientId }: Stamped,
): boolean {
  return issuer === owner.issuer && clientId === owner.clientId;
}

/**
 * What this owner may know of the file. Every owner learns of refused values of legacy sessions: to
 * send one to another issuer would give a secret away.
 */
export function ownPart(owner: Owner, file: StateFileContent): StateFileContent {
  const accounts = file.accounts.filter((account) => isOwnAccount(owner, account));
  const last =
    accounts.find((account) => account.last === true) ??
    accounts.find(({ id }) => id === file.lastAccountId);
  return {
    ...file,
    lastAccountId: last?.id ?? null,
    accounts: accounts.length === file.accounts.length ? file.accounts : accounts,
    attempts: file.attempts.filter((attempt) => isOwn(owner, attempt)),
    takeOver: isOwn(owner, file.takeOver)
      ? file.takeOver
      : { stage: 'none', tried: file.takeOver.tried },
  };
}

/**
 * The file after a change of this owner's part; the same object when nothing changes. New entries
 * get the owner's issuer and client id.
 */
export function withOwnPart(
  owner: Owner,
  file: StateFileContent,
  change: (own: StateFileContent) => StateFileContent,
): StateFileContent {
  const before = ownPart(owner, file);
  const after = change(before);
  if (after === before) return file;
  const { issuer, clientId } = owner;
  const isSame = after.accounts === before.accounts && after.lastAccountId === before.lastAccountId;
  const earlier = new Set(before.accounts);
  const accounts = after.accounts.map((account) => {
    const stamped =
      earlier.has(account) || account.clientId !== undefined ? account : { ...account, clientId };
    return withLastMark(stamped, account.id === after.lastAccountId);
  });
  // Its person is to be forgotten.
  const isGone = before.lastAccountId !== null && before.lastAccountId === file.lastAccountId;
  const attempts = after.attempts.map((attempt) =>
    before.attempts.includes(attempt) ? attempt : { ...attempt, issuer, clientId },
  );
  return {
    schemaVersion: 1,
    lastAccountId: after.lastAccountId ?? (isGone ? null : file.lastAccountId),
    accounts: isSame ? file.accounts : [...othersOf(file, earlier), ...accounts],
    attempts:
      after.attempts === before.attempts
        ? file.attempts
        : [...file.attempts.filter((attempt) => !before.attempts.includes(attempt)), ...attempts],
    takeOver: after.takeOver === before.takeOver ? file.takeOver : takeOverOf(owner, file, after),
  };
}

/** True when another owner has accounts in this file, or is migrating a session. */
export function knowsOthers(owner: Owner, { accounts, takeOver }: StateFileContent): boolean {
  return (
    accounts.some((account) => !isOwnAccount(owner, account)) ||
    (takeOver.stage !== 'none' && !isOwn(owner, takeOver))
  );
}

/**
 * The account that an earlier build named as the last one stays so when this owner's account takes
 * that place in the file.
 */
function othersOf(
  { accounts, lastAccountId }: StateFileContent,
  own: ReadonlySet<KnownAccount>,
): readonly KnownAccount[] {
  const others = accounts.filter((account) => !own.has(account));
  return others.map((account) =>
    account.clientId === undefined && account.id === lastAccountId
      ? withLastMark(account, true)
      : account,
  );
}

function withLastMark(account: KnownAccount, isLast: boolean): KnownAccount {
  if ((account.last === true) === isLast) return account;
  const { last: _last, ...rest } = account;
  return isLast ? { ...rest, last: true } : rest;
}

/** The file has room for one migration only; a migration that another owner has begun stays. */
function takeOverOf(
  owner: Owner,
  file: StateFileContent,
  { takeOver: { stage, tried } }: StateFileContent,
): StateFileContent['takeOver'] {
  if (!isOwn(owner, file.takeOver) && file.takeOver.stage !== 'none')
    return { ...file.takeOver, tried };
  return stage === 'none'
    ? { stage, tried }
    : { stage, tried, issuer: owner.issuer, clientId: owner.clientId };
}
