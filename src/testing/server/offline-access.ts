// Makes `offline_access` friendly: a client that asks for it gets a refresh token, with or without
// `prompt=consent`. Changes the request only; what is asked of the person and what is granted is
// decided elsewhere.
import { PATHS } from './exchange.js';
import type { Exchange } from './exchange.js';

/**
 * Adds `prompt=consent` to an authorization request (plain or pushed) that asks for
 * `offline_access`. OpenID Connect Core §11 lets a provider ignore the scope without it, and
 * oidc-provider does; few others do. Native clients are asked for consent anyway, so a person sees
 * no difference. `prompt=none` stays as it is.
 */
export function askForConsent(exchange: Exchange): Exchange {
  const isPushed = exchange.endpoint === 'pushed-authorization';
  if (!isPushed && exchange.path !== PATHS.authorization) return exchange;
  const parameters = new URLSearchParams(isPushed ? exchange.form : exchange.query);
  const prompts = new Set(
    (parameters.get('prompt') ?? '').split(' ').filter((prompt) => prompt !== ''),
  );
  const wants = (parameters.get('scope') ?? '').split(' ').includes('offline_access');
  if (!wants || prompts.has('consent') || prompts.has('none')) return exchange;
  parameters.set('prompt', [...prompts, 'consent'].join(' '));
  if (!isPushed) return { ...exchange, url: `${exchange.path}?${parameters}` };
  const body = Buffer.from(parameters.toString());
  return {
    ...exchange,
    body,
    headers: { ...exchange.headers, 'content-length': String(body.length) },
  };
}
