// The pages on which a person signs in and agrees. Words for people who never heard of OAuth.
import type { Account } from './people.js';
import { html, ICONS, mark } from './page-frame.js';
import type { Markup, Page } from './page-frame.js';

/** What the login page shows. */
export interface LoginPageContent {
  readonly clientName: string;
  /** The form's target: the path of this interaction. */
  readonly action: string;
  /** What the app guesses, or what was typed before. */
  readonly login: string;
  readonly problem: string | null;
  readonly formTargets: readonly string[];
}

/** The login page: fields `login` and `password`, buttons "Sign in" and "Cancel". */
export function loginPage({
  clientName,
  action,
  login,
  problem,
  formTargets,
}: LoginPageContent): Page {
  return {
    name: 'login',
    title: 'Sign in',
    formTargets,
    content: html`${mark(ICONS.person)}
<h1>Sign in</h1>
<p class="lead">to go on to <strong>${clientName}</strong></p>
${problem === null ? null : html`<p class="problem" role="alert" id="problem">${problem}</p>`}
<form method="post" action="${action}" autocomplete="off">
<label for="login">Name</label>
<input id="login" name="login" value="${login}" maxlength="64" autocapitalize="none" spellcheck="false"${focus(login.trim() === '')} aria-describedby="login-hint${problem === null ? '' : ' problem'}">
<p class="hint" id="login-hint">ada, grace, or any name you like</p>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="off"${focus(login.trim() !== '')} aria-describedby="password-hint">
<p class="hint" id="password-hint">Test provider: any password works</p>
<div class="actions">
<button name="do" value="sign-in">Sign in</button>
<button class="quiet" name="do" value="cancel">Cancel</button>
</div>
</form>`,
  };
}

/** What the consent page shows. */
export interface ConsentPageContent {
  readonly clientName: string;
  readonly action: string;
  readonly account: Account;
  readonly scopes: readonly string[];
  readonly formTargets: readonly string[];
  /** The confirm page follows. */
  readonly asksAgain: boolean;
}

/** The consent page: who asks, for whom, for what; buttons "Allow" and "Deny". */
export function consentPage({
  clientName,
  action,
  account,
  scopes,
  formTargets,
  asksAgain,
}: ConsentPageContent): Page {
  return {
    name: 'consent',
    ...(asksAgain ? { next: 'confirm' as const } : {}),
    title: `Allow ${clientName}?`,
    formTargets,
    content: html`${mark(ICONS.away)}
<h1>Let ${clientName} sign you in?</h1>
${whoIs(account)}
<p class="asks">${clientName} will be able to</p>
<ul>${scopes.map((scope) => html`<li>${ICONS.tick}<span>${wordsOf(scope)}</span></li>`)}</ul>
<form method="post" action="${action}">
<div class="actions">
<button name="do" value="allow">Allow</button>
<button class="quiet" name="do" value="deny">Deny</button>
</div>
</form>`,
  };
}

/**
 * Asks once more before the browser hands the answer to another program; buttons "Continue" and
 * "Cancel".
 */
export function confirmPage({
  clientName,
  action,
}: Pick<ConsentPageContent, 'clientName' | 'action'>): Page {
  return {
    name: 'confirm',
    title: `Are you trying to sign in to ${clientName}?`,
    content: html`${mark(ICONS.away)}
<h1>Are you trying to sign in to ${clientName}?</h1>
<p class="lead">Only continue if you downloaded the app from a store or website that you trust.</p>
<form method="post" action="${action}">
<div class="actions">
<button name="do" value="continue">Continue</button>
<button class="quiet" name="do" value="deny">Cancel</button>
</div>
</form>`,
  };
}

/** Starts where there is something left to type. */
function focus(here: boolean): Markup {
  return here ? html` autofocus` : html``;
}

function whoIs({ login, claims }: Account): Markup {
  const name = claims.name ?? login;
  const initials = name
    .split(/\s+/)
    .map((word) => [...word][0] ?? '')
    .join('')
    .slice(0, 2)
    .toUpperCase();
  return html`<div class="who"><span class="initials" aria-hidden="true">${initials}</span><p>${name}<small>${claims.email ?? login}</small></p></div>`;
}

const WORDS: Readonly<Record<string, string>> = {
  openid: 'know that it is you',
  profile: 'see your name',
  email: 'see your e-mail address',
  offline_access: 'keep you signed in until you sign out',
};

function wordsOf(scope: string): Markup {
  const words = WORDS[scope];
  return words === undefined ? html`use <code>${scope}</code>` : html`${words}`;
}
