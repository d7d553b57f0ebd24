// Passes a person's decisions on the provider's pages to oidc-provider. Runs inside `runListener`.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { InteractionResults, Provider as OidcProvider } from 'oidc-provider';
import type { Answer, Exchange } from './exchange.js';
import { parseUrl, PATHS } from './exchange.js';
import type { GrantNotes } from './grant-notes.js';
import { confirmPage, consentPage, loginPage } from './login-page.js';
import { donePage, errorPage } from './outcome-page.js';
import { pageAnswer } from './page-frame.js';
import type { People } from './people.js';

/** What the pages need to know of their provider. */
export interface InteractionTools {
  readonly oidc: OidcProvider;
  readonly people: People;
  readonly clientName: string;
  readonly grants: GrantNotes;
  /** The authentication context classes that a sign-in can reach. */
  readonly acrValues: readonly string[];
  readonly nowMs: number;
  /** Asks once more before it goes to a custom scheme. */
  readonly confirmsSchemes: boolean;
}

/**
 * Answers one request to `/interaction/…`: shows the page that is due, or takes what the person
 * chose.
 */
export async function answerInteraction(
  { oidc, people, clientName, grants, acrValues, nowMs, confirmsSchemes }: InteractionTools,
  exchange: Exchange,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<Answer> {
  const details = await oidc.interactionDetails(request, response).catch(() => null);
  // The number in the path and the one in the cookie must be one: two tabs must not answer for each
  // other.
  if (details === null || exchange.path !== `${PATHS.interaction}/${details.uid}`) {
    return pageAnswer(errorPage('invalid_request', 'this page has expired', 400));
  }
  const { prompt, params, session } = details;
  const action = exchange.path;
  const parameter = (name: string): string => {
    const value = params[name];
    return typeof value === 'string' ? value : '';
  };
  const redirectUri = parameter('redirect_uri');
  const formTargets = originsOf(redirectUri);

  const finish = async (result: InteractionResults, agreed: boolean): Promise<Answer> => {
    const returnTo = await oidc.interactionResult(request, response, result, {
      mergeWithLastSubmission: agreed,
    });
    const isLast = !agreed || result.consent !== undefined;
    // A device code ends on a separate page, because the app is elsewhere.
    if (isLast && formTargets.length === 0 && details.deviceCode === undefined)
      return pageAnswer(donePage({ clientName, agreed, returnTo: pathOf(returnTo) }));
    return {
      status: 303,
      headers: { location: returnTo, 'cache-control': 'no-store' },
      body: Buffer.alloc(0),
    };
  };
  const refuse = (description: string): Promise<Answer> =>
    finish({ error: 'access_denied', error_description: description }, false);

  const choice = exchange.method === 'POST' ? exchange.form.get('do') : null;
  if (prompt.name === 'consent') {
    const account = people.find(session?.accountId ?? '');
    if (account === null)
      return pageAnswer(errorPage('invalid_request', 'nobody is signed in here', 400));
    const scopes = parameter('scope')
      .split(' ')
      .filter((scope) => scope !== '');
    if (choice === 'deny') return refuse('the person said no');
    const asksAgain = confirmsSchemes && formTargets.length === 0;
    if (choice === 'allow' && asksAgain) return pageAnswer(confirmPage({ clientName, action }));
    if (choice !== 'allow' && choice !== 'continue')
      return pageAnswer(
        consentPage({ clientName, action, account, scopes, formTargets, asksAgain }),
      );
    // A grant of its own for every sign-in: a reused refresh token ends one family, not all of this
    // browser.
    const grant = new oidc.Grant({ accountId: account.subject, clientId: parameter('client_id') });
    grant.addOIDCScope(scopes.join(' '));
    for (const resource of resourcesIn(params['resource']))
      grant.addResourceScope(resource, scopes.join(' '));
    const grantId = await grant.save();
    const parameters = Object.fromEntries(
      Object.keys(params).map((name) => [name, parameter(name)]),
    );
    grants.add(grantId, { subject: account.subject, parameters, agreedAtMs: nowMs });
    return finish({ consent: { grantId } }, true);
  }

  if (choice === 'cancel') return refuse('the person cancelled');
  const login = exchange.form.get('login') ?? parameter('login_hint');
  const acr = parameter('acr_values')
    .split(' ')
    .find((asked) => acrValues.includes(asked));
  // Any submitted form signs in, so that pressing Enter and scripts that send no button work.
  if (exchange.method === 'POST' && login.trim() !== '') {
    return finish(
      {
        login: {
          accountId: people.signIn(login).subject,
          ...(acr === undefined ? {} : { acr }),
        },
        ...(prompt.name === 'login' ? {} : { [prompt.name]: {} }),
      },
      true,
    );
  }
  const problem = exchange.method === 'POST' ? 'Please type a name.' : null;
  return pageAnswer(loginPage({ clientName, action, login, problem, formTargets }));
}

/**
 * The origin of an http redirect URI; none for a custom scheme, which is reached from the last page
 * and not by a form.
 */
export function originsOf(redirectUri: string): readonly string[] {
  const url = parseUrl(redirectUri);
  return url !== null && /^https?:$/.test(url.protocol) ? [url.origin] : [];
}

function pathOf(url: string): string {
  const parsed = parseUrl(url);
  return parsed === null ? url : parsed.pathname + parsed.search;
}

/** The resources of a request (RFC 8707 §2.1: it may name several). */
function resourcesIn(parameter: unknown): readonly string[] {
  return [parameter].flat().filter((resource) => typeof resource === 'string');
}
