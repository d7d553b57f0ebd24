// The page: shows who is signed in. In an app with its own install the path begins with
// "./node_modules".
import { auth } from '../node_modules/latchkey/dist/renderer/index.js';

const text = document.querySelector('output');

auth.subscribe((view) => {
  text.value =
    view.status === 'signed-in'
      ? `Hello ${view.account.name ?? view.account.subject}`
      : view.status === 'unavailable'
        ? view.error.message
        : view.status;
});
document.querySelector('button').addEventListener('click', () => {
  auth.signIn().catch((error) => console.error(error));
});
