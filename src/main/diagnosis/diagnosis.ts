// A diagnosis: asks every source for its facts, each within its time, and has them judged. Never
// rejects. Knows no Electron and no Node: the running app and `latchkey doctor` bring sources of
// their own.
import { loopbackUri } from '../core/base/redirect-uri.js';
import { createBoundedFetch } from '../core/oauth/bounded-fetch.js';
import { assertNever } from '../core/base/errors.js';
import type { DiagnosisSources, LoopbackFacts, ProbeFacts, Unseen } from './facts.js';
import {
  FINDINGS,
  type Finding,
  type FindingId,
  type FindingLevel,
  judgeHeaders,
  judgeHost,
  judgeKeyring,
  judgeLoopback,
  judgeProbe,
  judgeScheme,
  oneLine,
} from './findings.js';
import { LIMITS } from '../core/base/limits.js';
import { withTimeout } from '../core/base/timeout.js';
import type { Settings } from '../core/options/auth-options.js';
import type { Clock, RedirectOption } from '../core/base/ports.js';
import { examineProvider } from './provider-facts.js';
import { judgeProvider, judgeProxy, judgeTls } from './provider-findings.js';

/** What was found, at one moment. Holds no secret; it names programs, files and hosts. */
export interface Diagnosis {
  /** The worst level of all findings. */
  readonly level: FindingLevel;
  /**
   * In the order of the list of what is looked at. One id may come several times: for each scheme,
   * for each redirect.
   */
  readonly findings: readonly Finding[];
  /** What could not be looked at, and why. */
  readonly notChecked: readonly { readonly id: FindingId; readonly why: string }[];
}

/**
 * `probe`: send a URL of each custom scheme through the operating system. It may start whatever
 * program owns the scheme.
 */
export interface DiagnoseOptions {
  readonly probe?: boolean;
}

/**
 * `registration`: also ask whether the provider accepts the client and its redirects. Default true.
 */
export interface DiagnosisScope extends DiagnoseOptions {
  readonly registration?: boolean;
}

export async function diagnose(
  settings: Settings,
  sources: DiagnosisSources,
  clock: Clock,
  scope: DiagnosisScope = {},
): Promise<Diagnosis> {
  const findings: Finding[] = [];
  const notChecked: { id: FindingId; why: string }[] = [];
  const schemes = [
    ...new Set(
      settings.redirects.flatMap((redirect) =>
        redirect.kind === 'custom-scheme' ? [redirect.scheme] : [],
      ),
    ),
  ];
  const loopbacks = settings.redirects.filter((redirect) => redirect.kind === 'loopback');

  async function look<Facts extends object>(
    id: FindingId,
    ask: () => Promise<Facts | Unseen>,
    judge: (facts: Facts) => Finding | readonly Finding[],
    limitMs: number = LIMITS.diagnosisStepMs,
  ): Promise<Facts | null> {
    const facts = await within(clock, limitMs, ask);
    if ('unseen' in facts) {
      notChecked.push({ id, why: oneLine(facts.unseen) });
      return null;
    }
    findings.push(...[judge(facts)].flat());
    return facts;
  }

  const lookAtScheme = async (scheme: string): Promise<void> => {
    const hasFallback = settings.redirects.some(
      (redirect) => redirect.kind !== 'custom-scheme' || redirect.scheme !== scheme,
    );
    const facts = await look(
      'scheme-owner',
      () => sources.scheme(scheme),
      (seen) => judgeScheme(seen, hasFallback),
    );
    if (facts?.rivals === null)
      notChecked.push({
        id: 'scheme-shared',
        why: 'only Linux has a list of the programs that claim a scheme',
      });
    if (scope.probe !== true) {
      notChecked.push({
        id: 'scheme-probe',
        why: 'only on demand and in a running app, by auth.diagnose({ probe: true }): it may start the program that owns the scheme',
      });
      return;
    }
    const leadsNowhere = facts?.owner.state === 'nobody' && facts.registration?.ok !== true;
    await look(
      'scheme-probe',
      leadsNowhere
        ? async () => ({ scheme, outcome: 'nobody-to-ask', limitMs: 0 }) satisfies ProbeFacts
        : () => sources.probe(scheme),
      judgeProbe,
      LIMITS.diagnosisStepMs + LIMITS.probeMs,
    );
  };
  const lookAtProvider = async (ports: readonly LoopbackFacts[]): Promise<void> => {
    const fetch = createBoundedFetch(sources.network, clock, {
      timeoutMs: settings.networkTimeoutSeconds * 1000,
      responseBytes: LIMITS.responseBytes,
    });
    const asked =
      scope.registration === false
        ? []
        : settings.redirects.flatMap((redirect) => askable(redirect, ports));
    const facts = await examineProvider(settings, asked, { fetch, ask: sources.ask, clock });
    findings.push(
      ...judgeProvider(facts, {
        scopes: settings.scopes,
        deviceCodes: settings.redirects.some(({ kind }) => kind === 'device-code'),
        refreshesWithoutScope: settings.provider?.offlineAccess === 'by-other-means',
      }),
    );
    const isKnown = facts.discovery === null || facts.discovery.state === 'found';
    if (!isKnown)
      for (const id of ['jwks', 'redirect'] as const)
        notChecked.push({ id, why: "the provider's metadata is needed for it" });
    else if (facts.redirects.length === 0)
      notChecked.push({
        id: 'redirect',
        why:
          facts.announced?.onlyPushedRequests === true
            ? 'this provider takes pushed requests only'
            : 'client id and redirect were not given',
      });
    if (facts.announced === null)
      for (const id of ['pkce', 'refresh'] as const)
        notChecked.push({ id, why: 'there is no metadata to read' });
    if (facts.clockOffsetSeconds === null)
      notChecked.push({ id: 'clock', why: 'no answer of the provider had a date' });
  };

  await Promise.all([
    look('versions', () => sources.host(), judgeHost),
    ...schemes.map(lookAtScheme),
    look('keyring', () => sources.keyring(), judgeKeyring),
    look('proxy', () => sources.proxy(settings.issuer), judgeProxy),
    look('tls', () => sources.tls(settings.issuer), judgeTls),
    look('request-headers', () => sources.headers(), judgeHeaders),
    Promise.all(
      loopbacks.map(async (redirect) =>
        look(
          'loopback',
          () => sources.loopback(redirect),
          (facts) => judgeLoopback(facts, settings.redirects.length > 1),
        ),
      ),
    ).then((ports) => lookAtProvider(ports.filter((facts) => facts !== null))),
  ]);

  const order = Object.keys(FINDINGS) as readonly FindingId[];
  const place = ({ id }: { readonly id: FindingId }): number => order.indexOf(id);
  return {
    level: worst(findings),
    findings: findings.sort((one, other) => place(one) - place(other)),
    notChecked: notChecked.sort((one, other) => place(one) - place(other)),
  };
}

export function worst(findings: readonly Finding[]): FindingLevel {
  const levels = findings.map(({ level }) => level);
  return levels.includes('error') ? 'error' : levels.includes('warning') ? 'warning' : 'ok';
}

/**
 * The redirect URI as a sign-in would send it: a loopback one with a port. Other kinds have none to
 * ask about.
 */
function askable(redirect: RedirectOption, ports: readonly LoopbackFacts[]): readonly string[] {
  switch (redirect.kind) {
    case 'custom-scheme':
      return [redirect.uri];
    case 'paste':
      return [redirect.redirectUri];
    case 'device-code':
      return [];
    case 'loopback': {
      const found = ports.find((facts) => facts.redirect === redirect.uri)?.outcome;
      const port = redirect.port ?? (found?.state === 'open' ? found.port : null);
      return port === null ? [] : [loopbackUri(redirect, port)];
    }
    default:
      return assertNever(redirect);
  }
}

async function within<Facts extends object>(
  clock: Clock,
  limitMs: number,
  ask: () => Promise<Facts | Unseen>,
): Promise<Facts | Unseen> {
  try {
    const facts = await withTimeout(clock, ask(), limitMs);
    return facts ?? { unseen: `no answer within ${limitMs / 1000} s` };
  } catch {
    return { unseen: 'the question failed' };
  }
}
