// Where a diagnosis gets its facts inside a running app: combines adapters that know one thing
// each. Judges nothing. It makes one comparison: whether a scheme's owner is this very app.
import { type App, app as electronApp, shell } from 'electron';
import type {
  DiagnosisSources,
  SchemeFacts,
  SchemeOwner,
  SchemeRival,
} from '../../diagnosis/facts.js';
import { LIMITS } from '../../core/base/limits.js';
import type { Network, SecretStore } from '../../core/base/ports.js';
import type { DeepLink } from '../custom-scheme/deep-link.js';
import { readHostFacts } from './host-facts.js';
import { tryKeyring } from './keyring-facts.js';
import { tryLoopback } from './loopback-facts.js';
import { createNetworkFacts, readOwnHeaders } from './network-facts.js';
import type { RegistrationFacts } from '../custom-scheme/registration-facts.js';
import {
  type RegistrationPlan,
  type SchemeRegistration,
  planRegistration,
} from '../custom-scheme/scheme-registration.js';
import { isSameCommand, startsBare } from '../custom-scheme/scheme-linux.js';
import { findSchemeOwner, findSchemeRivals } from '../custom-scheme/scheme-owner.js';
import { programOf } from '../custom-scheme/xdg-applications.js';

export interface AppSourcesOptions {
  readonly app?: Pick<App, 'getApplicationInfoForProtocol' | 'hasSingleInstanceLock'>;
  readonly facts: RegistrationFacts;
  readonly registration: SchemeRegistration;
  readonly deepLink: DeepLink;
  readonly singleInstanceLock: boolean;
  readonly network: Network;
  readonly secrets: SecretStore;
  readonly inMemoryOnly: boolean;
}

/** Creates the sources. They do nothing before a diagnosis asks. */
export function createAppSources({
  app = electronApp,
  facts,
  registration,
  deepLink,
  singleInstanceLock,
  network,
  secrets,
  inMemoryOnly,
}: AppSourcesOptions): DiagnosisSources {
  const { platform, env } = facts;
  const plan = planRegistration(facts);
  const networkFacts = createNetworkFacts();

  return {
    network,
    ask: networkFacts.ask,
    proxy: (url) => networkFacts.proxy(url),
    tls: (url) => networkFacts.tls(url),
    headers: () => readOwnHeaders(network),
    loopback: tryLoopback,
    async host() {
      const own = {
        electron: versionOf('electron'),
        isPackaged: facts.isPackaged,
        execPath: facts.execPath,
        windowsStore: facts.windowsStore,
        macAppStore: process.mas,
        env,
      };
      return readHostFacts(
        own,
        app.hasSingleInstanceLock() ? 'held' : singleInstanceLock ? null : 'left-to-host',
      );
    },
    async scheme(scheme) {
      // Inside such a package, the answer would be about the package, not about the desktop.
      if (plan.by === 'nobody' && platform !== 'darwin')
        return { unseen: `${plan.detail}; a probe shows whether it arrives` };
      const query = { scheme, platform, env, timeoutMs: LIMITS.redirectPrepareMs, app };
      // Before any change: a sign-in would take the scheme back, and nobody would learn which
      // program had it.
      const owner = await findSchemeOwner(query);
      const registered = await registration.register(scheme);
      const rivals = await findSchemeRivals(query, owner.state === 'owned' ? owner.name : '');
      return {
        scheme,
        owner,
        isOurs: await isOurs(owner),
        registration: registered,
        rivals: rivals === null ? null : await realRivals([...rivals, ...displacedBuilds(scheme)]),
      } satisfies SchemeFacts;
    },
    async probe(scheme) {
      const came = await deepLink.probe(scheme, (url) => shell.openExternal(url), LIMITS.probeMs);
      return { scheme, outcome: came ? 'came-back' : 'lost', limitMs: LIMITS.probeMs };
    },
    async keyring() {
      if (inMemoryOnly)
        return {
          outcome: 'memory-by-option',
          detail: '',
          store: 'memory',
          backend: null,
          tookMs: 0,
        };
      return await tryKeyring(secrets, env);
    },
  };

  async function isOurs(owner: SchemeOwner): Promise<boolean | null> {
    if (owner.state !== 'owned') return null;
    return owner.command.length === 0 ? false : await startsUs(owner.command);
  }

  async function startsUs(command: readonly string[]): Promise<boolean> {
    switch (platform) {
      case 'linux':
        return (
          plan.by === 'desktop-file' &&
          (isSameCommand(command, plan.words) ||
            (plan.bareStartWorks && (await startsBare(command, plan.words, env))))
        );
      case 'win32':
        return isSameCommand(command.map(lower), expectedOnWindows(plan).map(lower));
      default:
        // macOS gives the bundle's folder.
        return facts.execPath.startsWith(`${command[0] ?? ''}/`);
    }
  }

  function displacedBuilds(scheme: string): readonly SchemeRival[] {
    return registration.displaced(scheme).map((command) => ({ name: 'another build', command }));
  }

  /**
   * Without those that start this app, and those whose program is gone: an earlier version, or a
   * file that was moved.
   */
  async function realRivals(rivals: readonly SchemeRival[]): Promise<readonly SchemeRival[]> {
    const real: SchemeRival[] = [];
    for (const rival of rivals)
      if (!(await startsUs(rival.command)) && (await programOf(rival.command, env)) !== null)
        real.push(rival);
    return real;
  }
}

function expectedOnWindows(plan: RegistrationPlan): readonly string[] {
  return plan.by === 'electron' ? [plan.path ?? '', ...(plan.args ?? [])] : [];
}

function lower(text: string): string {
  return text.toLowerCase();
}

function versionOf(name: string): string | undefined {
  return process.versions[name];
}
