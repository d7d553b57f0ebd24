// The personality of Entra in a real browser: one more page before the custom scheme hands the
// answer to the app.
import { expect, test } from './fixtures.js';

test.use({ providerOptions: { personality: 'entra' } });

test('the person is asked once more before a custom scheme, goes on, and is signed in', async ({
  desk,
}) => {
  const app = desk.launch();
  const { account } = await desk.signIn(app);
  expect(account).toMatchObject({ issuer: desk.provider.issuer, name: 'Ada Lovelace' });
  const answered = desk.provider.requests.filter(
    ({ path, method }) => path === '/interaction/:uid' && method === 'POST',
  );
  expect(answered, 'name, consent, and the page that asks once more').toHaveLength(3);
  expect(desk.provider.requests.find(({ endpoint }) => endpoint === 'token')).toMatchObject({
    origin: null,
    status: 200,
    error: null,
  });
});
