// The part of the main process that is tested without Electron. Its issuer is an argument, so that
// a test can give its own.
import { createAuth } from 'latchkey/main';

export function createSignIn(issuer) {
  const auth = createAuth({
    issuer,
    clientId: 'notes-desktop',
    redirects: ['http://127.0.0.1/callback'],
    // A test signs in to a provider that is gone a moment later: nothing of it belongs into the
    // keyring of the desk.
    ...(process.env.NOTES_TEST === 'yes' ? { secretStore: 'memory' } : {}),
  });
  return {
    auth,
    /** What the title of the window says. */
    greeting() {
      const view = auth.getView();
      return view.status === 'signed-in'
        ? `Hello ${view.account.name ?? view.account.subject}`
        : 'Notes';
    },
  };
}
