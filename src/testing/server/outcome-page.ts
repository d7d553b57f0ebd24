// The pages at the end of a sign-in: back to the app, an error that cannot be sent to the app, and
// signing out.
import { html, ICONS, mark, trusted } from './page-frame.js';
import type { Page } from './page-frame.js';

/** The text of the page at the end of a sign-in. */
export interface DonePageContent {
  readonly clientName: string;
  readonly agreed: boolean;
  /** The path that sends the browser back to the app; it may be followed again. */
  readonly returnTo: string;
}

/**
 * Shown before a redirect to a custom scheme. A browser that passes a URL to an app stays on its
 * page. Without this page, people would still see the "Allow" button and not know whether it
 * worked.
 */
export function donePage({ clientName, agreed, returnTo }: DonePageContent): Page {
  return {
    name: 'done',
    title: agreed ? 'You are signed in' : 'You said no',
    refreshTo: returnTo,
    content: html`${agreed ? mark(ICONS.tick) : mark(ICONS.away)}
<h1>${agreed ? 'All done here' : 'Nothing was shared'}</h1>
<p class="lead">Going back to <strong>${clientName}</strong>. If your browser asks, let it open the app; after that you can close this tab.</p>
<div class="actions"><a class="button quiet" href="${returnTo}">Open ${clientName} again</a></div>`,
  };
}

/** An error that must not be sent to a redirect URI (RFC 6749 §4.1.2.1), or of one of the pages. */
export function errorPage(error: string, description: string | undefined, status: number): Page {
  return {
    name: 'error',
    title: 'This sign-in cannot go on',
    status,
    content: html`${mark(ICONS.alert, 'red')}
<h1>This sign-in cannot go on</h1>
<p class="lead">Go back to the app and start again there. If it happens again, tell the people who made the app:</p>
<p class="hint"><code data-error="${error}">${error}${description === undefined ? '' : `: ${description}`}</code></p>`,
  };
}

/**
 * Asks before signing out (OpenID Connect RP-Initiated Logout §2). `form` is oidc-provider's own,
 * with its secret.
 */
export function signOutPage(form: string, formTargets: readonly string[]): Page {
  return {
    name: 'sign-out',
    title: 'Sign out?',
    formTargets,
    content: html`${mark(ICONS.away)}
<h1>Sign out of this browser?</h1>
<p class="lead">You stay signed in here unless you sign out.</p>
${trusted(form)}
<div class="actions">
<button form="op.logoutForm" name="logout" value="yes">Sign out</button>
<button form="op.logoutForm" class="quiet">Stay signed in</button>
</div>`,
  };
}

/** The end of signing out, when the app named no page of its own. */
export function signedOutPage(): Page {
  return {
    name: 'signed-out',
    title: 'Signed out',
    content: html`${mark(ICONS.tick)}
<h1>You are signed out</h1>
<p class="lead">You can close this tab.</p>`,
  };
}
