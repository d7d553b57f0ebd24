// Ends the session that the provider has in the system browser (OpenID Connect RP-Initiated Logout
// 1.0), after this computer has forgotten its own. Knows no session and signs nobody out here: what
// goes wrong in the browser, and what comes back from there, changes nothing.
import type { AccountView } from '../../../contract.js';
import { toAuthError } from '../base/errors.js';
import { LIMITS } from '../base/limits.js';
import type { Callbacks, OpenRedirect, Ports } from '../base/ports.js';
import { leadsTo } from '../base/redirect-uri.js';
import type { OAuthClient } from '../oauth/client.js';
import { withQuery } from '../oauth/authorization-request.js';
import { createRequestSecrets } from '../oauth/request-secrets.js';
import type { Settings } from '../options/auth-options.js';

/** Who leaves. `idToken` null: none is in memory. */
export interface Leaving {
  readonly account: AccountView | null;
  readonly idToken: string | null;
}

export interface EndSession {
  /** Resolves when the browser was given the page, or cannot be; the log says why. Never rejects. */
  begin(leaving: Leaving): Promise<void>;
  /** The same callbacks, without those that are the way back from a logout of this process. */
  without(callbacks: Ports['callbacks']): Ports['callbacks'];
  stop(): void;
}

export function createEndSession(
  settings: Pick<Settings, 'clientId' | 'redirects' | 'logout' | 'attemptTimeoutSeconds'>,
  { browser, callbacks, clock, log }: Pick<Ports, 'browser' | 'callbacks' | 'clock' | 'log'>,
  client: Pick<OAuthClient, 'endSessionEndpoint'>,
): EndSession {
  const { clientId, redirects, logout, attemptTimeoutSeconds } = settings;
  const wayBack = redirects.find(({ uri }) => uri === logout.redirect);
  /** By state: where the browser may come back to. */
  const open = new Map<string, OpenRedirect & { readonly end: (outcome: Outcome) => void }>();
  let stopped = false;

  return {
    async begin(leaving) {
      try {
        await begin(leaving);
      } catch (thrown) {
        const { code, message } = toAuthError(thrown);
        trouble(`${code}: ${message}`);
      }
    },
    without: (all) => ({
      'custom-scheme': watched(all['custom-scheme']),
      loopback: watched(all.loopback),
    }),
    stop() {
      stopped = true;
      for (const redirect of [...open.values()]) redirect.end('not-expected');
    },
  };

  async function begin({ account, idToken }: Leaving): Promise<void> {
    const endpoint = await client.endSessionEndpoint();
    if (stopped) return;
    if (endpoint === null)
      return trouble('the metadata of the provider has no end_session_endpoint');
    const hint = account?.username ?? account?.email;
    const parameters: [string, string][] = [['client_id', clientId]];
    if (hint !== undefined) parameters.push(['logout_hint', hint]);
    const state = await openWayBack();
    const redirectUri = state === null ? undefined : open.get(state)?.redirectUri;
    if (state !== null && redirectUri !== undefined)
      parameters.push(['post_logout_redirect_uri', redirectUri], ['state', state]);
    try {
      if (logout.idTokenHint && idToken !== null)
        await browser.post(endpoint, [...parameters, ['id_token_hint', idToken]]);
      else {
        if (logout.idTokenHint) trouble('no ID token is in memory, so id_token_hint is left out');
        await browser.open(withQuery(endpoint, parameters));
      }
    } catch (thrown) {
      if (state !== null) open.get(state)?.end('failed');
      throw thrown;
    }
  }

  /** Resolves with the state that must come back; null: nobody is sent back. */
  async function openWayBack(): Promise<string | null> {
    if (wayBack?.kind !== 'custom-scheme' && wayBack?.kind !== 'loopback') return null;
    const prepared = await callbacks[wayBack.kind].prepare(wayBack);
    if (prepared.state === 'unavailable') {
      trouble(`nobody is sent back, for this redirect does not work here: ${prepared.detail}`);
      return null;
    }
    const { redirect } = prepared;
    const state = createRequestSecrets().state;
    const cancelTimer = clock.after(attemptTimeoutSeconds * 1_000, () => end('not-expected'));
    function end(outcome: Outcome): void {
      cancelTimer();
      open.delete(state);
      redirect.close(outcome);
    }
    open.set(state, { ...redirect, end });
    const [oldest] = open.values();
    if (open.size > LIMITS.openAttempts) oldest?.end('not-expected');
    if (stopped) end('not-expected');
    return state;
  }

  function watched(all: Callbacks): Callbacks {
    return {
      ...all,
      onCallback(listener) {
        all.onCallback((url) => (take(url) ? 'taken' : listener(url)));
      },
    };
  }

  function take(url: string): boolean {
    if (open.size === 0 || url.length > LIMITS.callbackLength) return false;
    const states = new URLSearchParams(/^[^?#]*\?([^#]*)/.exec(url)?.[1] ?? '').getAll('state');
    const [state = ''] = states;
    const redirect = states.length === 1 ? open.get(state) : undefined;
    if (redirect === undefined || !leadsTo(url, redirect.redirectUri)) return false;
    redirect.end('signed-out');
    log.write({ level: 'info', event: 'end-session-returned' });
    return true;
  }

  function trouble(detail: string): void {
    log.write({ level: 'warn', event: 'end-session-trouble', fields: { detail } });
  }
}

type Outcome = Parameters<OpenRedirect['close']>[0];
