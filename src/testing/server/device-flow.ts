// The device authorization grant (RFC 8628) at the embedded provider: the pages on which a person
// types the code and agrees. What is on the wire is oidc-provider's; `write` sends a page.
import type { Configuration, KoaContextWithOIDC } from 'oidc-provider';
import type { Answer } from './exchange.js';
import { html, ICONS, mark, pageAnswer, trusted } from './page-frame.js';
import type { Page } from './page-frame.js';

/** The `grant_type` of RFC 8628 §3.4. */
export const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';

type DeviceFlow = NonNullable<NonNullable<Configuration['features']>['deviceFlow']>;

/** The feature of oidc-provider, with pages of the same family as the others. */
export function deviceFlowFeature(
  clientName: string,
  write: (ctx: KoaContextWithOIDC, answer: Answer) => void,
): DeviceFlow {
  return {
    enabled: true,
    userCodeInputSource: async (ctx, form, _out, error) => {
      write(ctx, pageAnswer(error === undefined ? codePage(form) : againPage(form, error)));
    },
    userCodeConfirmSource: async (ctx, form, _client, _deviceInfo, userCode) => {
      write(ctx, pageAnswer(confirmPage(form, clientName, userCode)));
    },
    successSource: async (ctx) => {
      write(ctx, pageAnswer(connectedPage(clientName)));
    },
  };
}

/** The page at `verification_uri`: one field, `user_code`. */
function codePage(form: string): Page {
  return {
    name: 'device',
    title: 'Connect a device',
    content: html`${mark(ICONS.away)}
<h1>Connect a device</h1>
<p class="lead">Type the code that the app shows you.</p>
${codeForm(form)}
<div class="actions"><button form="op.deviceInputForm" value="continue">Continue</button></div>`,
  };
}

/** The same page after something went wrong; `error` is oidc-provider's word for it. */
function againPage(form: string, error: Error): Page {
  const { title, text } = WORDS[error.name] ?? {
    title: 'That did not work',
    text: 'Start again in the app: it shows you a new code.',
  };
  return {
    name: 'device-refused',
    title,
    content: html`${mark(ICONS.alert, 'red')}
<h1>${title}</h1>
<p class="lead">${text}</p>
${codeForm(form)}
<div class="actions"><button form="op.deviceInputForm" value="continue">Try again</button></div>`,
  };
}

const WORDS: Readonly<Record<string, { readonly title: string; readonly text: string }>> = {
  AbortedError: {
    title: 'Nothing was shared',
    text: 'The app was not signed in. You can close this tab.',
  },
  ExpiredError: {
    title: 'This code is too old',
    text: 'Start again in the app: it shows you a new one.',
  },
  AlreadyUsedError: {
    title: 'This code was used',
    text: 'A code works once. Look at the app whether you are signed in.',
  },
  NotFoundError: {
    title: 'This code is not right',
    text: 'Look at the app again, and type the code letter by letter.',
  },
  NoCodeError: { title: 'A code is missing', text: 'Type the code that the app shows you.' },
};

/**
 * oidc-provider's own form, whose script the page's policy stops, with a name that assistive
 * technology can read.
 */
function codeForm(form: string): ReturnType<typeof html> {
  return trusted(
    form
      .replace(/ onfocus="[^"]*"/, '')
      .replace(
        'name="user_code"',
        'name="user_code" aria-label="Code" maxlength="32" autocapitalize="characters" spellcheck="false"',
      )
      .replace('</input>', ''),
  );
}

/** Asks the person to compare the code (RFC 8628 §3.3.1): somebody else may have sent them here. */
function confirmPage(form: string, clientName: string, userCode: string): Page {
  return {
    name: 'device-confirm',
    title: 'Is this your code?',
    content: html`${mark(ICONS.away)}
<h1>Is this your code?</h1>
<p class="lead"><strong>${clientName}</strong> must show the very same. If somebody sent you here, say no.</p>
<p class="usercode">${userCode}</p>
${trusted(form)}
<div class="actions">
<button form="op.deviceConfirmForm" value="same">It is the same</button>
<button form="op.deviceConfirmForm" class="quiet" name="abort" value="yes">No</button>
</div>`,
  };
}

/** The end on this device. The app finds out by polling. */
function connectedPage(clientName: string): Page {
  return {
    name: 'device-done',
    title: 'You are signed in',
    content: html`${mark(ICONS.tick)}
<h1>All done here</h1>
<p class="lead">Go back to <strong>${clientName}</strong>: it signs you in within a few seconds. You can close this tab.</p>`,
  };
}
