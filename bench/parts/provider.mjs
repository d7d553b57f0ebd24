// @ts-check
// The embedded provider over HTTPS, and the person who signs in there, in a process of their own:
// their work must not be measured. Started by stage.mjs by `fork`; answers one call after another.
import { get } from 'node:https';
import { testKit } from '../../scripts/shared/test-kit.mjs';

/**
 * What the parent may ask; every call has one answer.
 * `check`: is this access token valid at a resource of the provider? `counts`: requests so far.
 * @typedef {{
 *   visit: (url: string) => Promise<string>,
 *   check: (token: string) => Promise<boolean>,
 *   counts: () => Promise<Counts>,
 *   life: (seconds: number) => Promise<null>,
 * }} ProviderCalls
 * @typedef {{ redeemed: number, renewed: number, refused: number, discovery: number, jwks: number,
 *   other: number }} Counts
 */

const { createPerson, startProvider } = await testKit();
const provider = await startProvider({
  https: true,
  redirectUris: ['http://127.0.0.1/callback'],
  accessTokenSeconds: 3600,
});
const person = createPerson({ certificate: provider.certificate });

/** @type {ProviderCalls} */
const calls = {
  visit: async (url) => (await person.signIn(url)).callbackUrl,
  check: (token) =>
    new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${token}` };
      get(
        provider.endpoints.me,
        { agent: false, ca: provider.certificate ?? '', headers },
        (response) => resolve(response.resume().statusCode === 200),
      ).once('error', reject);
    }),
  async counts() {
    const counts = { redeemed: 0, renewed: 0, refused: 0, discovery: 0, jwks: 0, other: 0 };
    for (const { endpoint, grantType, status } of provider.requests) {
      if (endpoint === 'discovery' || endpoint === 'jwks') counts[endpoint] += 1;
      else if (endpoint !== 'token') counts.other += 1;
      else if (grantType === 'refresh_token') counts.renewed += 1;
      else counts.redeemed += 1;
      if (endpoint === 'token' && (status ?? 0) >= 400) counts.refused += 1;
    }
    return counts;
  },
  async life(seconds) {
    provider.setAccessTokenSeconds(seconds);
    return null;
  },
};

process.on('message', (message) => {
  const { id, call, argument } =
    /** @type {{ id: number, call: keyof ProviderCalls, argument: never }} */ (message);
  calls[call](argument).then(
    (value) => process.send?.({ id, value }),
    (/** @type {unknown} */ error) =>
      process.send?.({ id, error: error instanceof Error ? error.message : String(error) }),
  );
});
process.on('disconnect', () => process.exit());
process.send?.({
  id: 0,
  value: {
    issuer: provider.issuer,
    clientId: provider.clientId,
    certificate: provider.certificate,
  },
});
