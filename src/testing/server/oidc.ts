// oidc-provider, set up as a strict provider for public native clients. The only file that loads
// it. What oidc-provider calls policy is decided here; what happens on the wire before and after it
// is decided in provider.ts.
import type * as OidcModule from 'oidc-provider';
import type { Configuration, KoaContextWithOIDC, Provider as OidcProvider } from 'oidc-provider';
import { DEVICE_GRANT, deviceFlowFeature } from './device-flow.js';
import type { Answer } from './exchange.js';
import { PATHS } from './exchange.js';
import type { GrantNotes } from './grant-notes.js';
import { originsOf } from './interactions.js';
import { errorPage, signedOutPage, signOutPage } from './outcome-page.js';
import { pageAnswer } from './page-frame.js';
import type { People } from './people.js';
import type { Policy } from './personality.js';
import type { ProviderSettings } from './provider-options.js';
import type { Registration } from './registration.js';
import type { SigningKey } from './signing-keys.js';
import type { Store } from './store.js';
import { scopesOf } from './wire.js';

/**
 * The parts of an oidc-provider. A new one with another key and the same store continues from the
 * old one.
 */
export interface OidcParts {
  readonly issuer: string;
  /** The port that cookies are named by. */
  readonly port: number;
  readonly settings: ProviderSettings;
  readonly policy: Policy;
  /** As it is now. */
  readonly registration: () => Registration;
  readonly grants: GrantNotes;
  readonly store: Store;
  readonly people: People;
  readonly key: SigningKey;
  readonly cookieKey: string;
  /** Asked whenever an access token is made. */
  readonly accessTokenSeconds: () => number;
}

/** Of the package, whose errors alone become answers. */
type OidcErrors = Pick<typeof OidcModule.errors, 'InvalidTarget'>;

type ResourceIndicators = NonNullable<NonNullable<Configuration['features']>['resourceIndicators']>;

interface OidcPackage {
  readonly Provider: typeof OidcProvider;
  readonly interactionPolicy: typeof OidcModule.interactionPolicy;
  readonly errors: OidcErrors;
}

/** Throws when the optional peer dependency is not installed, with the command that helps. */
export async function loadOidcPackage(): Promise<OidcPackage> {
  // The entry prints "Unsupported runtime" on Node 20 and in Electron; the modules behind it are
  // quiet. Named by variables, because they have no types of their own; should a later version
  // close them, the entry does.
  const provider: string = 'oidc-provider/lib/provider.js';
  const policy: string = 'oidc-provider/lib/helpers/interaction_policy/index.js';
  const errorClasses: string = 'oidc-provider/lib/helpers/errors.js';
  try {
    const modules = (await Promise.all([
      import(provider),
      import(policy),
      import(errorClasses),
    ])) as [Pick<OidcPackage, 'Provider'>, OidcPackage['interactionPolicy'], OidcErrors];
    return { Provider: modules[0].Provider, interactionPolicy: modules[1], errors: modules[2] };
  } catch {
    try {
      const { Provider, interactionPolicy, errors } = await import('oidc-provider');
      return { Provider, interactionPolicy, errors };
    } catch (cause) {
      throw new Error(
        'latchkey/testing needs the packages "oidc-provider" and "jose": npm install --save-dev oidc-provider jose',
        { cause },
      );
    }
  }
}

/** Builds an oidc-provider. Writes nothing to the console. */
export function createOidc(
  { Provider, interactionPolicy, errors }: OidcPackage,
  parts: OidcParts,
): OidcProvider {
  const { issuer, port, settings, policy, grants, store, people, key } = parts;
  const prompts = interactionPolicy.base();
  prompts.add(new interactionPolicy.Prompt({ name: 'select_account', requestable: true }), 0);
  prompts.get('login')?.checks.add(strongEnough(interactionPolicy.Check, settings.acrValues));

  const configuration: Configuration = {
    adapter: store.adapter,
    jwks: { keys: [{ ...key.privateJwk }] as NonNullable<Configuration['jwks']>['keys'] },
    clients: [
      {
        client_id: settings.clientId,
        client_name: settings.clientName,
        application_type: 'native',
        token_endpoint_auth_method: 'none',
        grant_types: ['authorization_code', 'refresh_token', DEVICE_GRANT],
        response_types: ['code'],
        // Never compared: what is registered changes, and personalities compare in their own ways.
        redirect_uris: ['http://127.0.0.1/callback'],
        id_token_signed_response_alg: key.algorithm,
      },
    ],
    enabledJWA: { idTokenSigningAlgValues: [key.algorithm] },
    acrValues: [...settings.acrValues],
    scopes: ['openid', 'offline_access', ...policy.scopes, ...settings.scopes],
    extraParams: [...policy.extraParameters],
    claims: {
      openid: ['sub', ...ownClaims(settings)],
      profile: ['name', 'preferred_username', 'picture'],
      email: ['email', 'email_verified'],
    },
    // As most providers do: an app without the userinfo endpoint knows the name, too.
    conformIdTokenClaims: false,
    pkce: { required: () => policy.pkce === 'required' },
    rotateRefreshToken: policy.rotates,
    issueRefreshToken: async (_ctx, _client, code) =>
      policy.givesRefreshToken(code.scopes, grants.find(code.grantId)),
    expiresWithSession: async (_ctx, code) => !policy.outlivesBrowser(code.scopes),
    // Always the grant of this very sign-in, never one that the browser's session remembers.
    loadExistingGrant: async (ctx) => {
      const grantId = ctx.oidc.result?.consent?.grantId;
      return grantId === undefined ? undefined : ctx.oidc.provider.Grant.find(grantId);
    },
    clientBasedCORS: () => policy.allowsOrigin,
    findAccount: async (_ctx, subject) => {
      const account = people.find(subject);
      if (account === null) return undefined;
      return {
        accountId: subject,
        claims: async () => ({ sub: subject, email_verified: true, ...account.claims }),
      };
    },
    // Browsers send cookies to every port of a host: two providers on one machine need two names.
    cookies: {
      keys: [parts.cookieKey],
      names: {
        session: `session_${port}`,
        interaction: `interaction_${port}`,
        resume: `resume_${port}`,
      },
    },
    routes: {
      authorization: PATHS.authorization,
      token: PATHS.token,
      jwks: PATHS.jwks,
      userinfo: PATHS.userinfo,
      revocation: PATHS.revocation,
      end_session: PATHS.endSession,
      pushed_authorization_request: PATHS.pushedAuthorization,
      device_authorization: PATHS.deviceAuthorization,
      code_verification: PATHS.device,
    },
    interactions: {
      policy: prompts,
      url: (_ctx, interaction) => `${PATHS.interaction}/${interaction.uid}`,
    },
    ttl: {
      AccessToken: parts.accessTokenSeconds,
      AuthorizationCode: policy.codeSeconds,
      DeviceCode: 600,
      IdToken: 3_600,
      RefreshToken: (_ctx, token) =>
        policy.refreshTokenSeconds(grants.find(token.grantId), token.scopes, token.totalLifetime()),
      Interaction: 3_600,
      Session: 14 * 86_400,
      // Longer than any refresh token that is used now and then.
      Grant: 3_650 * 86_400,
    },
    features: {
      devInteractions: { enabled: false },
      deviceFlow: deviceFlowFeature(settings.clientName, write),
      revocation: {
        enabled: true,
        allowedPolicy: async (_ctx, client, token) => token.clientId === client.clientId,
      },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: async (ctx, form) => {
          const target = ctx.oidc.session?.state?.['postLogoutRedirectUri'];
          write(
            ctx,
            pageAnswer(signOutPage(form, typeof target === 'string' ? originsOf(target) : [])),
          );
        },
        postLogoutSuccessSource: async (ctx) => write(ctx, pageAnswer(signedOutPage())),
      },
      resourceIndicators: resourceFeature(errors, settings, parts.accessTokenSeconds),
      pushedAuthorizationRequests: {
        enabled: settings.pushedAuthorizationRequests !== 'off',
        requirePushedAuthorizationRequests: settings.pushedAuthorizationRequests === 'required',
      },
    },
    renderError: async (ctx, out) =>
      write(ctx, pageAnswer(errorPage(out.error, out.error_description, ctx.status))),
  };
  const provider = new Provider(issuer, configuration);
  const isRegistered = (uri: string): boolean =>
    policy.redirects(parts.registration().redirects, uri).length > 0;
  Object.assign(provider.Client.prototype, {
    redirectUriAllowed: isRegistered,
    postLogoutRedirectUriAllowed: isRegistered,
  });
  return provider;
}

/** All that a person may have and no scope has; `roles` and `groups` may come later. */
function ownClaims({ people }: ProviderSettings): readonly string[] {
  const told = ['name', 'preferred_username', 'picture', 'email', 'email_verified', 'sub'];
  const names = Object.values(people).flatMap((claims) => Object.keys(claims));
  return [...new Set(['roles', 'groups', ...names])].filter((name) => !told.includes(name));
}

/** A session of the browser that has not reached what is asked for, and could, signs in again. */
function strongEnough(
  Check: OidcPackage['interactionPolicy']['Check'],
  known: readonly string[],
): OidcModule.interactionPolicy.Check {
  return new Check('acr_values', 'a stronger sign-in is asked for', ({ oidc }) => {
    const asked = scopesOf(oidc.params?.['acr_values']).filter((acr) => known.includes(acr));
    return asked.length > 0 && !asked.includes(oidc.acr ?? '')
      ? Check.REQUEST_PROMPT
      : Check.NO_NEED_TO_PROMPT;
  });
}

function write(ctx: KoaContextWithOIDC, answer: Answer): void {
  ctx.status = answer.status;
  for (const [name, value] of Object.entries(answer.headers)) ctx.set(name, [value].flat());
  ctx.body = answer.body.toString('utf8');
}

/**
 * APIs that a token may be asked for by name (RFC 8707): one for each token, and the token of the
 * sign-in for none.
 */
function resourceFeature(
  { InvalidTarget }: OidcErrors,
  settings: ProviderSettings,
  accessTokenSeconds: () => number,
): ResourceIndicators {
  return {
    enabled: settings.resources.length > 0,
    defaultResource: () => [],
    useGrantedResource: () => false,
    getResourceServerInfo(_ctx, resource) {
      if (!settings.resources.includes(resource)) throw new InvalidTarget();
      return {
        scope: settings.scopes.join(' '),
        accessTokenFormat: 'opaque',
        accessTokenTTL: accessTokenSeconds(),
      };
    },
  };
}
